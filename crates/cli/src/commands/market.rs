//! `plimsoll market`: prices, open interest, parameters.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{Address, Snapshot, accounts::Market, decode, price};
use plimsoll_migrations::fields;
use serde_json::{Value, json};

use crate::{context::Context, format, select, show};

/// Subcommands of `plimsoll market`.
#[derive(Subcommand)]
pub enum Command {
    /// Every market: price, volatility, funding, open interest.
    #[command(after_help = "Example:
  plimsoll market list --json")]
    List,
    /// One market with its parameters, as a deployment file writes them. They are changed with `plimsoll exchange apply`.
    #[command(after_help = "Examples:
  plimsoll market show SOL
  plimsoll market show SOL --json | jq .parameters")]
    Show(MarketArgs),
    /// Store the price of a market's price account in the market. Anyone may.
    #[command(after_help = "Example:
  plimsoll market observe SOL")]
    Observe(MarketArgs),
}

/// Which one.
#[derive(Args)]
pub struct MarketArgs {
    /// Symbol or address.
    market: String,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    match command {
        Command::List => {
            let rows = select::sorted_markets(&snapshot);
            let rows: Vec<Value> = rows.into_iter().map(|(address, market)| json(&snapshot, address, market)).collect();
            context.answer(&Value::from(rows), show::markets(&snapshot).to_string())
        }
        Command::Show(args) => {
            let (address, market) = select::market(&snapshot, &args.market)?;
            let all = fields::market(&market.config, market.base_decimals, &Default::default());
            let mut report = json(&snapshot, &address, market);
            report["parameters"] = show::fields_json(&all);
            let lines = [
                ("market", decode::symbol(market)),
                ("address", address.to_string()),
                ("price account", show::text(&report["price_account"])),
                ("price USD", format::price(market.spot, market.base_decimals)),
                ("age s", snapshot.now.saturating_sub(market.publish_time).to_string()),
                ("volatility", show::volatility(&snapshot, market)),
                ("range", format::percent(market.range_ppm.into())),
                ("funding a day", show::funding(market)),
            ];
            let lines = lines.map(|(key, value)| (key.to_string(), value));
            context.answer(&report, format!("{}\n\n{}", show::pairs(&lines), show::fields_text(&all)))
        }
        Command::Observe(args) => {
            let (address, market) = select::market(&snapshot, &args.market)?;
            let confirmed = context.send(&[snapshot.observe(&address)?], &context.signer()?)?;
            let now = context.rpc.get::<Market>(&address)?.data;
            let report = json!({ "signature": confirmed.signature.to_string(), "spot_q48": now.spot.to_string() });
            let price = format::price(now.spot, market.base_decimals);
            context.answer(&report, format!("{} is {price} USD\n{}", decode::symbol(&now), confirmed.signature))
        }
    }
}

fn json(snapshot: &Snapshot, address: &Address, market: &Market) -> Value {
    let mut report = show::market_json(snapshot, address, market);
    report["price_account"] = price::usual_address(market).map(|address| address.to_string()).into();
    report["feed_id"] = market.feed_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    report["price_usd"] =
        format::price_decimal(market.spot, market.base_decimals).map(|price| price.to_string()).into();
    report["state"] = fields::state_name(market.config.state).into();
    report["version"] = market.version.into();
    report
}
