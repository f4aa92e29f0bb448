//! `plimsoll bank`: the collaterals, their lending, their parameters.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{Address, Error, Snapshot, accounts::Bank, risk::interest};
use plimsoll_migrations::fields;
use serde_json::{Map, Value, json};

use crate::{context::Context, format, select, show};

/// Subcommands of `plimsoll bank`.
#[derive(Subcommand)]
pub enum Command {
    /// Every bank: deposits, borrows, rates.
    #[command(after_help = "Example:
  plimsoll bank list --json")]
    List,
    /// One bank with its parameters, as a deployment file writes them. They are changed with `plimsoll exchange apply`.
    #[command(after_help = "Examples:
  plimsoll bank show SOL
  plimsoll bank show USDC
  plimsoll bank show <MINT>")]
    Show(ShowArgs),
}

/// Which one.
#[derive(Args)]
pub struct ShowArgs {
    /// Symbol, mint or address.
    bank: String,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    let mut snapshot = context.snapshot()?;
    snapshot.accrue()?;
    match command {
        Command::List => {
            let rows = select::sorted_banks(&snapshot);
            let rows =
                rows.into_iter().map(|(address, bank)| json(&snapshot, address, bank)).collect::<Result<Vec<_>>>();
            context.answer(&Value::from(rows?), show::banks(&snapshot)?.to_string())
        }
        Command::Show(args) => {
            let (address, bank) = select::bank(&snapshot, &args.bank)?;
            let mut report = json(&snapshot, &address, bank)?;
            let parameters = fields::bank(&bank.config, bank.decimals);
            let rate = fields::rate(&bank.rate.source);
            let all: Vec<fields::Field> = parameters.into_iter().chain(rate).collect();
            report["parameters"] = show::fields_json(&all);
            let mut text = show::pairs(&lines(&report));
            text.push_str("\n\n");
            text.push_str(&show::fields_text(&all));
            context.answer(&report, text)
        }
    }
}

/// What is shown above the parameters.
fn lines(report: &Value) -> Vec<(String, String)> {
    let empty = Map::new();
    let all = report.as_object().unwrap_or(&empty).iter().filter(|(key, _)| *key != "parameters");
    all.map(|(key, value)| (key.replace('_', " "), value.as_str().map_or_else(|| value.to_string(), String::from)))
        .collect()
}

fn json(snapshot: &Snapshot, address: &Address, bank: &Bank) -> Result<Value> {
    let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).map_err(Error::from)?;
    let borrows = interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).map_err(Error::from)?;
    let whole = |native: u64| fields::decimal(u128::from(native), bank.decimals).replace('_', "");
    Ok(json!({
        "symbol": select::bank_symbol(snapshot, bank),
        "address": address.to_string(),
        "mint": bank.mint.to_string(),
        "vault": bank.vault.to_string(),
        "decimals": bank.decimals,
        "is_quote": bank.is_quote == 1,
        "deposits": whole(deposits),
        "borrows": whole(borrows),
        "in_vault": whole(bank.vault_amount),
        "reserve": whole(bank.reserve),
        "utilisation": format::percent_of(borrows, deposits),
        "exchange_rate": if bank.is_rated() { format::q48(bank.rate.deposit) } else { "1".into() },
        "version": bank.version,
    }))
}
