//! `plimsoll what-if`: what an account would be after a trade, without sending it.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Address, Snapshot,
    accounts::MarginAccount,
    decode,
    risk::{portfolio::Margin, units::Price},
    snapshot::{Execution, LiquidationPrices, Trade, WhatIf},
};
use serde_json::{Value, json};

use crate::{
    context::Context,
    format::{self, number},
    order::Order,
    select,
};

/// Subcommands of `plimsoll what-if`.
#[derive(Subcommand)]
pub enum Command {
    #[command(flatten)]
    Trade(Order),
    /// Put tokens into the account.
    #[command(after_help = "Example:
  plimsoll what-if deposit 1000 USDC")]
    Deposit(MoveArgs),
    /// Take tokens out of the account, borrowing what is beyond the deposit.
    #[command(after_help = "Examples:
  plimsoll what-if withdraw 250 USDC
  plimsoll what-if withdraw all SOL")]
    Withdraw(MoveArgs),
}

/// Options of `plimsoll what-if`.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
    /// The largest size that the chain would accept, whatever the size given.
    #[arg(long, global = true)]
    max: bool,
}

/// How much of what.
#[derive(Args)]
pub struct MoveArgs {
    /// In whole tokens; `all` for the whole deposit.
    amount: String,
    /// Symbol or mint.
    token: String,
    /// The margin account: its address, or its number among your own.
    #[arg(short, long, default_value = "0")]
    account: String,
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let (snapshot, account, mut what_if) = match &options.command {
        Command::Trade(order) => {
            let prepared = order.prepare(context)?;
            (prepared.snapshot, prepared.account.data, prepared.what_if)
        }
        Command::Deposit(args) => moved(args, context, true)?,
        Command::Withdraw(args) => moved(args, context, false)?,
    };
    let mut largest = None;
    if options.max {
        let max = snapshot.refreshed()?.max_size(&account, &what_if.trade)?;
        largest = Some(json!({
            "size": max.size.to_string(),
            "text": size_text(&snapshot, &what_if.trade, max.size),
            "limit": max.limit.map(|error| error.name()),
        }));
        what_if = max.what_if.unwrap_or(what_if);
    }
    let mut report = report(&what_if)?;
    let mut text = text(&snapshot, &what_if)?;
    if let Some(largest) = largest {
        let limit = largest["limit"].as_str().map_or_else(String::new, |name| format!(", more is {name}"));
        text = format!("largest   {}{limit}\n{text}", largest["text"].as_str().unwrap_or_default());
        report["max"] = largest;
    }
    context.answer(&report, text)
}

fn moved(args: &MoveArgs, context: &Context, is_deposit: bool) -> Result<(Snapshot, MarginAccount, WhatIf)> {
    let snapshot = context.snapshot()?;
    let account = select::account(context, &snapshot.exchange.address, &args.account)?;
    let (_, bank) = select::bank(&snapshot, &args.token)?;
    let (mint, decimals) = (bank.mint, bank.decimals);
    let amount = match args.amount.as_str() {
        "all" if !is_deposit => u64::MAX,
        amount => select::amount(amount, decimals)?,
    };
    let trade = if is_deposit { Trade::Deposit { mint, amount } } else { Trade::Withdraw { mint, amount } };
    let what_if = snapshot.refreshed()?.what_if(&account.data, &trade)?;
    Ok((snapshot, account.data, what_if))
}

/// A trade's size in whole units.
fn size_text(snapshot: &Snapshot, trade: &Trade, size: u64) -> String {
    let signed = i64::try_from(size).unwrap_or(i64::MAX);
    let of_market = |market: &Address| match snapshot.markets.get(market) {
        Some(market) => format!("{} {}", format::amount(signed, market.base_decimals), decode::symbol(market)),
        None => size.to_string(),
    };
    let of_mint = |mint: &Address| match snapshot.banks.values().find(|bank| bank.mint == *mint) {
        Some(bank) => format!("{} {}", format::amount(signed, bank.decimals), select::bank_symbol(snapshot, bank)),
        None => size.to_string(),
    };
    match trade {
        Trade::OpenPosition { market, .. } | Trade::ClosePosition { market, .. } => of_market(market),
        Trade::Deposit { mint, .. } | Trade::Withdraw { mint, .. } | Trade::Swap { mint, .. } => of_mint(mint),
        Trade::OpenOption { .. } | Trade::CloseOption { .. } => format!("{size} lots"),
        Trade::Settle { .. } | Trade::SettleOption { .. } => "all".into(),
    }
}

/// A margin as JSON, quote native.
pub fn margin_json(margin: &Margin) -> Value {
    json!({
        "equity_init": margin.equity_init.raw().to_string(),
        "equity_maint": margin.equity_maint.raw().to_string(),
        "requirement_init": margin.requirement_init.raw().to_string(),
        "requirement_maint": margin.requirement_maint.raw().to_string(),
        "health_init": margin.health_init().ok().map(|health| health.raw().to_string()),
        "health_maint": margin.health_maint().ok().map(|health| health.raw().to_string()),
    })
}

/// A margin on one line.
pub fn margin_line(name: &str, margin: &Margin) -> String {
    let health = |health: Option<i64>| health.map_or_else(|| "?".into(), format::usd);
    format!(
        "{name:8}  equity {} USD, required {}, health {} to trade and {} to its line",
        format::usd(margin.equity_maint.raw()),
        format::usd(margin.requirement_init.raw()),
        health(margin.health_init().ok().map(|health| health.raw())),
        health(margin.health_maint().ok().map(|health| health.raw())),
    )
}

fn execution_json(execution: &Execution) -> Value {
    json!({
        "spot_q48": execution.spot.raw().to_string(),
        "mid_price_q48": execution.mid_price.raw().to_string(),
        "average_price_q48": execution.average_price.raw().to_string(),
        "base": execution.base.to_string(),
        "cost": execution.cost.to_string(),
        "fee": execution.fee.to_string(),
        "charge": execution.charge.to_string(),
    })
}

fn liquidation_json(prices: &LiquidationPrices) -> Value {
    json!({
        "market": prices.market.to_string(),
        "spot_q48": prices.spot.raw().to_string(),
        "below_q48": prices.below.map(|price| price.raw().to_string()),
        "above_q48": prices.above.map(|price| price.raw().to_string()),
    })
}

fn report(what_if: &WhatIf) -> Result<Value> {
    let refused =
        what_if.refused.map(|error| json!({ "code": error.code(), "name": error.name(), "message": error.message() }));
    let prices = what_if.liquidation_prices().ok();
    Ok(json!({
        "accepted": what_if.is_accepted(),
        "refused": refused,
        "before": what_if.margin_before.as_ref().map(margin_json),
        "after": what_if.margin.as_ref().map(margin_json),
        "execution": what_if.execution.as_ref().map(execution_json),
        "liquidation_prices": prices.map(|all| all.iter().map(liquidation_json).collect::<Vec<_>>()),
    }))
}

fn text(snapshot: &Snapshot, what_if: &WhatIf) -> Result<String> {
    let mut lines = Vec::new();
    lines.push(match what_if.reason() {
        Some(reason) => format!("the chain would refuse it: {reason}"),
        None => "the chain would accept it".into(),
    });
    if let Some(execution) = &what_if.execution {
        let decimals = decimals_of(snapshot, &what_if.trade);
        lines.push(format!(
            "price     {} USD on average, {} without charges",
            format::price(execution.average_price.raw(), decimals),
            format::price(execution.mid_price.raw(), decimals),
        ));
        let word = if execution.cost < 0 { "received" } else { "paid" };
        let fee = i64::try_from(execution.fee).unwrap_or(i64::MAX);
        let cost = execution.cost.saturating_abs();
        lines.push(format!("{word:8}  {} USD, and a fee of {}", format::usd(cost), format::usd(fee)));
    }
    lines.extend(what_if.margin_before.as_ref().map(|margin| margin_line("before", margin)));
    lines.extend(what_if.margin.as_ref().filter(|_| what_if.is_applied).map(|margin| margin_line("after", margin)));
    let mut table = format::table(&["market", "price USD", "liquidated below", "liquidated above"]);
    for prices in what_if.liquidation_prices().unwrap_or_default() {
        let Some(market) = snapshot.markets.get(&prices.market) else { continue };
        let price = |raw: u64| format::price(raw, market.base_decimals);
        // Of an account below its line the other side of the line is where it is safe.
        let (word, none) = if prices.health < 0 { ("safe from ", "now") } else { ("", "never") };
        let at = |at: Option<Price>| at.map_or_else(|| none.into(), |at| format!("{word}{}", price(at.raw())));
        table.add_row(vec![
            decode::symbol(market).into(),
            number(price(prices.spot.raw())),
            number(at(prices.below)),
            number(at(prices.above)),
        ]);
    }
    if table.row_count() > 0 {
        lines.push(table.to_string());
    }
    Ok(lines.join("\n"))
}

/// Decimals of the base unit that a trade's prices are of.
fn decimals_of(snapshot: &Snapshot, trade: &Trade) -> u8 {
    let of_market = |market| snapshot.markets.get(market).map_or(0, |market| market.base_decimals);
    match trade {
        Trade::OpenPosition { market, .. } | Trade::ClosePosition { market, .. } | Trade::Settle { market } => {
            of_market(market)
        }
        Trade::OpenOption { board, .. } | Trade::CloseOption { board, .. } | Trade::SettleOption { board } => {
            snapshot.boards.get(board).map_or(0, |board| of_market(&board.market))
        }
        Trade::Swap { mint, .. } | Trade::Deposit { mint, .. } | Trade::Withdraw { mint, .. } => {
            let bank = snapshot.banks.values().find(|bank| bank.mint == *mint);
            bank.map_or(0, |bank| of_market(&bank.market))
        }
    }
}
