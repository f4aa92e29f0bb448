//! Tables and JSON of exchanges and accounts, which several commands and the demonstration show.

use anyhow::Result;
use comfy_table::Table;
use plimsoll_client::{
    Address, Error, Keyed, Snapshot,
    accounts::{Board, MarginAccount, Market},
    decode,
    interface::{
        board::{series_kind, series_strike},
        bridge,
    },
    risk::{black::OptionKind, units::Timestamp},
    words::paused,
};
use plimsoll_migrations::fields;
use serde_json::{Value, json};

pub use crate::select::sorted_markets;
use crate::{
    context::Context,
    failure::Refusal,
    format::{self, number},
    select::{bank_symbol, sorted_banks},
};

/// Shows an exchange.
///
/// # Errors
/// What the cluster refuses.
pub fn exchange(context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    let root = &snapshot.exchange;
    let paused = paused(root.data.config.pauses);
    let house = snapshot.house.as_ref().map_or_else(
        || "none".into(),
        |house| format!("{} USD at {}", format::usd(house.nav), format::moment(house.nav_at)),
    );
    let lines = [
        ("exchange", root.address.to_string()),
        ("admin", root.data.admin.to_string()),
        ("risk admin", fields::holder(&root.data.risk_admin)),
        ("keeper", fields::holder(&root.data.keeper)),
        ("forecaster", fields::holder(&root.data.forecaster)),
        ("timelock", format!("{} s", root.data.config.timelock_seconds)),
        ("paused", if paused.is_empty() { "nothing".into() } else { paused.join(", ") }),
        ("house", house),
    ];
    let lines = lines.map(|(key, value)| (key.to_string(), value));
    let text = format!("{}\n{}\n{}", pairs(&lines), markets(&snapshot), banks(&snapshot)?);
    context.answer(&exchange_json(&snapshot), text)
}

/// Shows a margin account, or those of a wallet.
///
/// # Errors
/// Neither of them.
pub fn account(context: &Context, address: &Address) -> Result<()> {
    let accounts = find_accounts(context, address)?;
    let (mut reports, mut parts) = (Vec::new(), Vec::new());
    for account in &accounts {
        let snapshot = context.rpc.snapshot(&account.data.exchange)?;
        reports.push(account_json(&snapshot, account)?);
        parts.push(format!(
            "account  {}\nowner    {}\n{}\n{}",
            account.address,
            account.data.owner,
            margins(&snapshot, &[(String::new(), *account)])?,
            underlyings(&snapshot, &account.data)?
        ));
    }
    context.answer(&Value::from(reports), parts.join("\n"))
}

fn find_accounts(context: &Context, address: &Address) -> Result<Vec<Keyed<MarginAccount>>> {
    match context.rpc.find::<MarginAccount>(address) {
        Ok(Some(data)) => return Ok(vec![Keyed { address: *address, data }]),
        Ok(None) | Err(Error::NotOurs { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let exchange = context.exchange()?;
    let accounts = context.rpc.margin_accounts(&exchange.address, Some(address))?;
    if accounts.is_empty() {
        let text = format!("{address} is no margin account and owns none on the exchange {}", exchange.address);
        return Err(Refusal::NotFound(text).into());
    }
    Ok(accounts)
}

/// Names and values, one below the other.
pub fn pairs(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect::<Vec<_>>().join("\n")
}

/// Parameters as the file has them.
pub fn fields_text(all: &[fields::Field]) -> String {
    pairs(&all.iter().map(|field| (field.key.clone(), field.value.clone())).collect::<Vec<_>>())
}

/// The same as an object.
pub fn fields_json(all: &[fields::Field]) -> Value {
    Value::Object(all.iter().map(|field| (field.key.clone(), Value::from(field.value.clone()))).collect())
}

/// A JSON text without its quotes.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// The markets at a glance.
pub fn markets(snapshot: &Snapshot) -> Table {
    let header = [
        "market",
        "price USD",
        "age s",
        "volatility",
        "range",
        "range maint",
        "funding a day",
        "long",
        "short",
        "house size",
        "house cash USD",
        "address",
    ];
    let mut table = format::table(&header);
    for (address, market) in sorted_markets(snapshot) {
        let size = |size: i64| number(format::amount(size, market.base_decimals));
        table.add_row(vec![
            decode::symbol(market).into(),
            number(format::price(market.spot, market.base_decimals)),
            number(snapshot.now.saturating_sub(market.publish_time).to_string()),
            number(volatility(snapshot, market)),
            number(format::percent(market.range_ppm.into())),
            number(format::percent(market.range_maint_ppm.into())),
            number(funding(market)),
            size(market.open_interest_long.try_into().unwrap_or(i64::MAX)),
            size(market.open_interest_short.try_into().unwrap_or(i64::MAX)),
            size(market.house_size),
            number(format::usd(market.house_cash)),
            address.to_string().into(),
        ]);
    }
    table
}

/// The volatility in use towards initial margin, or that the range is fixed.
pub fn volatility(snapshot: &Snapshot, market: &Market) -> String {
    if !market.config.measures_volatility() {
        return "fixed".into();
    }
    format::percent(market.used_volatility(Timestamp::from_raw(snapshot.now)).init.raw().into())
}

/// The rate at which funding is running, of the notional a day; longs pay where it is positive.
pub fn funding(market: &Market) -> String {
    let rate = market.funding_rate_per_day();
    let sign = if rate < 0 { "-" } else { "" };
    format!("{sign}{}", format::percent(rate.unsigned_abs() / 1_000_000))
}

/// The banks at a glance.
///
/// # Errors
/// What the engine refuses.
pub fn banks(snapshot: &Snapshot) -> Result<Table> {
    let mut table = format::table(&["bank", "deposits", "borrows", "in the vault", "reserve", "haircut", "mint"]);
    for (_, bank) in sorted_banks(snapshot) {
        let amount = |native: u64| number(format::amount(native.try_into().unwrap_or(i64::MAX), bank.decimals));
        let total = |shares, index| plimsoll_client::risk::interest::deposit_amount(shares, index).map_err(Error::from);
        table.add_row(vec![
            bank_symbol(snapshot, bank).into(),
            amount(total(bank.deposit_shares, bank.deposit_index())?),
            amount(total(bank.borrow_shares, bank.borrow_index())?),
            amount(bank.vault_amount),
            amount(bank.reserve),
            number(format::percent(bank.config.haircut_init_ppm.into())),
            bank.mint.to_string().into(),
        ]);
    }
    Ok(table)
}

/// Accounts at a glance: what each holds, what it is worth, what it must be worth, and what netting saves.
pub fn margins(snapshot: &Snapshot, accounts: &[(String, Keyed<MarginAccount>)]) -> Result<Table> {
    let header = [
        "account",
        "collateral",
        "positions",
        "equity USD",
        "required\ninit | maint",
        "health\ninit | maint",
        "netting saves\ninit | maint",
    ];
    let mut table = format::table(&header);
    for (name, account) in accounts {
        let margin = snapshot.margin(&account.data)?;
        let alone = snapshot.requirement_alone(&account.data)?;
        let pair = |init: i64, maint: i64| number(format!("{}\n{}", format::usd(init), format::usd(maint)));
        let (init, maint) = (margin.requirement_init.raw(), margin.requirement_maint.raw());
        let saved = |alone: u64, whole: i64| i64::try_from(alone).unwrap_or(i64::MAX).saturating_sub(whole);
        let health_init = margin.health_init().map_err(Error::from)?.raw();
        let health_maint = margin.health_maint().map_err(Error::from)?.raw();
        table.add_row(vec![
            if name.is_empty() { format::short(&account.address).into() } else { name.into() },
            collateral(snapshot, &account.data)?.into(),
            positions(snapshot, &account.data).into(),
            number(format::usd(margin.equity_init.raw())),
            pair(init, maint),
            pair(health_init, health_maint),
            pair(saved(alone.0, init), saved(alone.1, maint)),
        ]);
    }
    Ok(table)
}

fn collateral(snapshot: &Snapshot, account: &MarginAccount) -> Result<String> {
    let mut lines = Vec::new();
    for slot in account.balances.iter().filter(|slot| slot.in_use == 1) {
        let Some(bank) = snapshot.banks.get(&slot.bank) else { continue };
        let (amount, is_borrow) = bridge::balance_amount(slot, bank).map_err(Error::from)?;
        let signed = i64::try_from(amount).unwrap_or(i64::MAX) * if is_borrow { -1 } else { 1 };
        let text = if bank.is_quote == 1 { format::usd(signed) } else { format::amount(signed, bank.decimals) };
        let symbol = bank_symbol(snapshot, bank);
        lines.push(format!("{text} {symbol}"));
        if slot.lien != 0 {
            let lien = i64::try_from(slot.lien).unwrap_or(i64::MAX);
            let text = if bank.is_quote == 1 { format::usd(lien) } else { format::amount(lien, bank.decimals) };
            lines.push(format!("  under liens {text} {symbol}"));
        }
    }
    Ok(lines.join("\n"))
}

fn positions(snapshot: &Snapshot, account: &MarginAccount) -> String {
    let mut lines = Vec::new();
    for slot in account.markets.iter().filter(|slot| slot.size != 0 || slot.cash != 0) {
        let Some(market) = snapshot.markets.get(&slot.market) else { continue };
        let size = format::amount(slot.size, market.base_decimals);
        lines.push(format!("{size} {}-PERP", decode::symbol(market)));
        lines.push(format!("  cash {}", format::usd(slot.cash)));
    }
    for option in account.options.iter().filter(|option| option.lots != 0) {
        let Some(slot) = account.boards.get(usize::from(option.board_slot)) else { continue };
        let Some(board) = snapshot.boards.get(&slot.board) else { continue };
        let Some(market) = snapshot.markets.get(&board.market) else { continue };
        let base = i64::from(option.lots).saturating_mul(i64::try_from(board.lot).unwrap_or(i64::MAX));
        lines.push(format!(
            "{} {} {}",
            format::amount(base, market.base_decimals),
            decode::symbol(market),
            series(board, option.series, market.base_decimals)
        ));
    }
    lines.join("\n")
}

/// A series in words: strike and kind.
pub fn series(board: &Board, series: u8, base_decimals: u8) -> String {
    let strike = board.strikes.get(series_strike(series.into())).copied().unwrap_or_default();
    let kind = match series_kind(series.into()) {
        OptionKind::Call => "call",
        OptionKind::Put => "put",
    };
    format!("{} {kind}", format::price(strike, base_decimals))
}

/// Where an account's requirement comes from.
fn underlyings(snapshot: &Snapshot, account: &MarginAccount) -> Result<Table> {
    let report = snapshot.report(account)?;
    let (portfolio, _) = snapshot.portfolio(account)?;
    let header = ["underlying", "net exposure", "value USD", "stress USD", "oracle doubt USD", "alone, init USD"];
    let mut table = format::table(&header);
    let slots = account.markets.iter().filter(|slot| slot.in_use == 1);
    for ((slot, line), underlying) in slots.zip(&report.underlyings).zip(portfolio.underlyings()) {
        let Some(market) = snapshot.markets.get(&slot.market) else { continue };
        let doubt = i64::try_from(line.confidence.saturating_add(line.ema_gap)).unwrap_or(i64::MAX);
        table.add_row(vec![
            decode::symbol(market).into(),
            number(format::amount(underlying.exposure.raw(), market.base_decimals)),
            number(format::usd(line.value.raw())),
            number(format::usd(line.shock.raw())),
            number(format::usd(doubt)),
            number(format::usd(line.standalone_init.raw())),
        ]);
    }
    Ok(table)
}

/// A market as JSON.
pub fn market_json(snapshot: &Snapshot, address: &Address, market: &Market) -> Value {
    json!({
        "address": address.to_string(),
        "symbol": decode::symbol(market),
        "spot_q48": market.spot.to_string(),
        "publish_time": market.publish_time,
        "volatility_ppm": market.used_volatility(Timestamp::from_raw(snapshot.now)).init.raw(),
        "range_ppm": market.range_ppm,
        "range_maint_ppm": market.range_maint_ppm,
        "funding_rate_per_day_e12": market.funding_rate_per_day(),
        "funding_index_q48": market.funding_index.to_string(),
        "open_interest_long": market.open_interest_long.to_string(),
        "open_interest_short": market.open_interest_short.to_string(),
        "house_size": market.house_size.to_string(),
        "house_cash": market.house_cash.to_string(),
    })
}

fn exchange_json(snapshot: &Snapshot) -> Value {
    let markets = sorted_markets(snapshot).into_iter().map(|(address, market)| market_json(snapshot, address, market));
    let banks = snapshot.banks.iter().map(|(address, bank)| {
        json!({
            "address": address.to_string(),
            "mint": bank.mint.to_string(),
            "decimals": bank.decimals,
            "is_quote": bank.is_quote == 1,
            "deposit_shares": bank.deposit_shares.to_string(),
            "borrow_shares": bank.borrow_shares.to_string(),
            "deposit_index_q48": bank.deposit_index.to_string(),
            "borrow_index_q48": bank.borrow_index.to_string(),
            "vault_amount": bank.vault_amount.to_string(),
        })
    });
    json!({
        "address": snapshot.exchange.address.to_string(),
        "admin": snapshot.exchange.data.admin.to_string(),
        "risk_admin": snapshot.exchange.data.risk_admin.to_string(),
        "keeper": snapshot.exchange.data.keeper.to_string(),
        "forecaster": snapshot.exchange.data.forecaster.to_string(),
        "timelock_seconds": snapshot.exchange.data.config.timelock_seconds,
        "paused": paused(snapshot.exchange.data.config.pauses),
        "house_nav": snapshot.house.map(|house| house.nav.to_string()),
        "now": snapshot.now,
        "markets": markets.collect::<Vec<_>>(),
        "banks": banks.collect::<Vec<_>>(),
    })
}

fn account_json(snapshot: &Snapshot, account: &Keyed<MarginAccount>) -> Result<Value> {
    let margin = snapshot.margin(&account.data)?;
    let balances = account.data.balances.iter().filter(|slot| slot.in_use == 1).map(|slot| {
        let (bank, shares, lien) = (slot.bank.to_string(), slot.shares.to_string(), slot.lien.to_string());
        json!({ "bank": bank, "shares": shares, "lien": lien })
    });
    let markets = account.data.markets.iter().filter(|slot| slot.in_use == 1).map(|slot| {
        json!({ "market": slot.market.to_string(), "size": slot.size.to_string(), "cash": slot.cash.to_string() })
    });
    let options = account.data.options.iter().filter(|option| option.lots != 0).map(|option| {
        let board = account.data.boards.get(usize::from(option.board_slot)).map(|slot| slot.board.to_string());
        json!({ "board": board, "series": option.series, "lots": option.lots })
    });
    Ok(json!({
        "address": account.address.to_string(),
        "owner": account.data.owner.to_string(),
        "equity_init": margin.equity_init.raw().to_string(),
        "equity_maint": margin.equity_maint.raw().to_string(),
        "requirement_init": margin.requirement_init.raw().to_string(),
        "requirement_maint": margin.requirement_maint.raw().to_string(),
        "liquidation_started_at": account.data.liquidation_started_at,
        "balances": balances.collect::<Vec<_>>(),
        "markets": markets.collect::<Vec<_>>(),
        "options": options.collect::<Vec<_>>(),
    }))
}
