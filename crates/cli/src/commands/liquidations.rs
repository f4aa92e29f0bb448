//! `plimsoll liquidations`: who is near the line, who is below it, and what was taken over.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Keyed, Snapshot,
    accounts::MarginAccount,
    event::Event,
    risk::{
        liquidation,
        units::{Ppm, Seconds},
    },
    words::{self, Names},
};
use serde_json::{Value, json};

use crate::{
    commands::{account::Row, events},
    context::Context,
    event_json,
    format::{self, number},
    progress::Progress,
    select,
};

/// Subcommands of `plimsoll liquidations`.
#[derive(Subcommand)]
pub enum Command {
    /// Accounts below their line or near it, the worst first.
    #[command(after_help = "Examples:
  plimsoll liquidations list
  plimsoll liquidations list --near 50% --json")]
    List(ListArgs),
    /// What was taken over, and what losses were covered.
    #[command(after_help = "Examples:
  plimsoll liquidations history --since 1d
  plimsoll liquidations history --since 2h --json")]
    History(HistoryArgs),
}

/// How near.
#[derive(Args)]
pub struct ListArgs {
    /// Accounts whose equity is less than this share above their requirement.
    #[arg(long, value_name = "SHARE", default_value = "20%")]
    near: String,
}

/// How far back.
#[derive(Args)]
pub struct HistoryArgs {
    /// How far back: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "TIME", default_value = "1d")]
    since: String,
}

/// Kinds of event that a liquidation makes.
const KINDS: [&str; 5] = ["LiquidationFlagged", "Liquidated", "InsolventLiquidated", "LossCovered", "Deleveraged"];

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::List(args) => list(args, context),
        Command::History(args) => history(args, context),
    }
}

/// An account near its line.
struct Near {
    account: Keyed<MarginAccount>,
    row: Row,
    /// Equity above the requirement as a share of it, ppm; below zero under the line.
    distance_ppm: i64,
    discount: Ppm,
}

fn list(args: &ListArgs, context: &Context) -> Result<()> {
    let near = i64::from(select::share(&args.near)?);
    let progress = Progress::spinner("Computing the margin of every account");
    let mut snapshot = context.snapshot()?;
    snapshot.accrue()?;
    let snapshot = snapshot.refreshed()?;
    let accounts = context.rpc.margin_accounts(&snapshot.exchange.address, None)?;
    let count = accounts.len();
    let mut found: Vec<Near> = accounts
        .into_iter()
        .filter_map(|account| distance(&snapshot, account))
        .filter(|one| one.distance_ppm < near)
        .collect();
    found.sort_by_key(|one| one.distance_ppm);
    drop(progress);
    let header = ["account", "equity USD", "required USD", "above its line", "auction", "discount"];
    let mut table = format::table(&header);
    for one in &found {
        table.add_row(vec![
            one.account.address.to_string().into(),
            number(one.row.text(one.row.equity)),
            number(one.row.text(one.row.requirement)),
            number(signed_percent(one.distance_ppm)),
            auction(&one.account.data, snapshot.now).into(),
            number(format::percent(one.discount.raw().into())),
        ]);
    }
    let rows = found.iter().map(|one| {
        json!({
            "address": one.account.address.to_string(),
            "owner": one.account.data.owner.to_string(),
            "equity_maint": one.row.equity.map(|raw| raw.to_string()),
            "requirement_maint": one.row.requirement.map(|raw| raw.to_string()),
            "distance_ppm": one.distance_ppm,
            "below": one.distance_ppm < 0,
            "liquidation_started_at": one.account.data.liquidation_started_at,
            "discount_ppm": one.discount.raw(),
        })
    });
    let rows: Vec<Value> = rows.collect();
    context.answer(&Value::from(rows), format!("{table}\n{} of {count} accounts", found.len()))
}

fn signed_percent(ppm: i64) -> String {
    format!("{}{}", if ppm < 0 { "-" } else { "" }, format::percent(ppm.unsigned_abs()))
}

/// How far an account is above its line; `None` for one without a requirement, or whose margin cannot be told.
fn distance(snapshot: &Snapshot, account: Keyed<MarginAccount>) -> Option<Near> {
    let row = Row::of(snapshot, &account.data);
    let (health, requirement) = (i128::from(row.health?), i128::from(row.requirement?));
    let ppm = match requirement {
        // A debt beyond all equity may require nothing, and is below its line all the same.
        0 if health < 0 => i128::from(i64::MIN),
        0 => return None,
        _ => health * 1_000_000 / requirement,
    };
    let distance_ppm = i64::try_from(ppm).unwrap_or(if ppm < 0 { i64::MIN } else { i64::MAX });
    let elapsed = match account.data.liquidation_started_at {
        0 => 0,
        started => snapshot.now.saturating_sub(started),
    };
    let discount = liquidation::discount(&snapshot.exchange.data.config.liquidation(), Seconds::from_raw(elapsed));
    Some(Near { account, row, distance_ppm, discount })
}

fn auction(account: &MarginAccount, now: i64) -> String {
    match account.liquidation_started_at {
        0 => "none".into(),
        started => format!("for {} s", now.saturating_sub(started)),
    }
}

fn history(args: &HistoryArgs, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    let since = snapshot.now.saturating_sub(events::duration(&args.since)?);
    let names = Names::of(&snapshot);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for told in events::history(context, since)? {
        let is_wanted = |event: &&Event| KINDS.contains(&event.name());
        for event in told.events.iter().filter(is_wanted) {
            let mut row = event_json::of(event);
            row["signature"] = told.signature.to_string().into();
            row["time"] = told.time.into();
            rows.push(row);
            let time = told.time.map_or_else(String::new, words::number::moment);
            lines.push(format!("{time}  {}", words::sentence(event, &names)));
        }
    }
    let text = if lines.is_empty() { "nothing was liquidated".into() } else { lines.join("\n") };
    context.answer(&Value::from(rows), text)
}
