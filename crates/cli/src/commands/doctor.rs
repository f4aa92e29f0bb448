//! `plimsoll doctor`: whether everything that an exchange needs is there and in order, and what to do where it is not.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, anyhow};
use clap::Args;
use comfy_table::{Cell, Color};
use plimsoll_client::{
    Address, ID, Snapshot,
    accounts::{Board, Exchange, board_state},
    config::state,
    decode, words,
};
use plimsoll_migrations::{fetch_state, fetch_tables, fields};
use serde_json::json;
use sha2::{Digest, Sha256};
use solana_signer::Signer;

use crate::{
    commands::board::is_fresh,
    context::Context,
    format,
    progress::Progress,
    select::{sorted_banks, sorted_markets},
};

/// How far this machine's clock may be from the cluster's, seconds.
const SKEW_MAX: i64 = 30;
/// Lamports below which a wallet will not last long: 0.1 SOL.
const BALANCE_LOW: u64 = 100_000_000;
/// Layout that this version writes and reads.
const VERSION: u8 = 1;
/// Bytes before the program in its program data account.
const PROGRAM_DATA_HEADER: usize = 45;

/// Options of `plimsoll doctor`.
#[derive(Args)]
pub struct Options {
    /// Compare the deployed program with this file.
    #[arg(long, value_name = "FILE")]
    so: Option<PathBuf>,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check.
struct Check {
    name: &'static str,
    finding: Finding,
    found: String,
    advice: &'static str,
}

#[derive(Default)]
struct Report(Vec<Check>);

impl Report {
    fn add(&mut self, name: &'static str, finding: Finding, found: impl Into<String>, advice: &'static str) {
        let advice = if finding == Finding::Ok { "" } else { advice };
        self.0.push(Check { name, finding, found: found.into(), advice });
    }

    fn count(&self, finding: Finding) -> usize {
        self.0.iter().filter(|check| check.finding == finding).count()
    }
}

/// Runs the command; fails where a check does.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let progress = Progress::spinner("Looking");
    let mut report = Report::default();
    if cluster(&mut report, context) {
        program(&mut report, options, context)?;
        exchange(&mut report, context);
        wallet(&mut report, context);
    }
    drop(progress);
    let failed = report.count(Finding::Fail);
    let json = json!({
        "url": context.url,
        "failed": failed,
        "warned": report.count(Finding::Warn),
        "checks": report.0.iter().map(|check| json!({
            "name": check.name,
            "status": check.finding.word(),
            "found": check.found,
            "advice": check.advice,
        })).collect::<Vec<_>>(),
    });
    context.answer(&json, text(&report))?;
    if failed > 0 { Err(anyhow!("{failed} of {} checks failed", report.0.len())) } else { Ok(()) }
}

fn text(report: &Report) -> String {
    let mut table = format::table(&["check", "", "found", "what to do"]);
    for check in &report.0 {
        let colour = match check.finding {
            Finding::Ok => Color::Green,
            Finding::Warn => Color::Yellow,
            Finding::Fail => Color::Red,
        };
        let word = Cell::new(check.finding.word()).fg(colour);
        table.add_row(vec![check.name.into(), word, check.found.as_str().into(), check.advice.into()]);
    }
    table.to_string()
}

/// Whether the cluster answers: everything else needs it.
fn cluster(report: &mut Report, context: &Context) -> bool {
    let version = match context.rpc.client().get_version() {
        Ok(version) => version.solana_core,
        Err(_) => {
            let found = format!("{} does not answer", context.url);
            report.add("RPC", Finding::Fail, found, "start the chain, or name another with --url");
            return false;
        }
    };
    report.add("RPC", Finding::Ok, format!("{} runs {version}", context.url), "");
    match context.rpc.now() {
        Ok(now) => {
            let here = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            let skew = now.saturating_sub(i64::try_from(here).unwrap_or(i64::MAX));
            let finding = if skew.abs() <= SKEW_MAX { Finding::Ok } else { Finding::Warn };
            let advice = "set this machine's clock; on a local chain that travelled in time it is as it should be";
            report.add("clock", finding, format!("the cluster is {skew} s ahead of this machine"), advice);
        }
        Err(error) => report.add("clock", Finding::Fail, error.to_string(), "use another server"),
    }
    true
}

fn program(report: &mut Report, options: &Options, context: &Context) -> Result<()> {
    let local = match &options.so {
        Some(file) => Some(plimsoll_localnet::chain::read_program(file)?),
        None => None,
    };
    let account = context.rpc.raw(&ID)?.filter(|account| account.executable);
    let Some(account) = account else {
        let advice = "deploy the program, or name the right cluster with --url";
        report.add("program", Finding::Fail, format!("{ID} is not deployed"), advice);
        return Ok(());
    };
    // Of the upgradeable loader the account names another one, which holds the program.
    let data_address = account.data.get(4..36).and_then(|bytes| Some(Address::new_from_array(bytes.try_into().ok()?)));
    let data = match data_address {
        Some(address) => context.rpc.raw(&address)?.map(|account| account.data),
        None => None,
    };
    let elf = match &data {
        Some(data) => data.get(PROGRAM_DATA_HEADER..).unwrap_or_default(),
        None => account.data.as_slice(),
    };
    let hash = hash_of(elf);
    let Some(local) = local else {
        report.add("program", Finding::Ok, format!("{ID}, SHA-256 {}", &hash[..16]), "");
        return Ok(());
    };
    let is_same = hash_of(&local) == hash;
    let found = if is_same { format!("as the file, SHA-256 {}", &hash[..16]) } else { "another than the file".into() };
    let finding = if is_same { Finding::Ok } else { Finding::Fail };
    report.add("program", finding, found, "deploy the file, or check out the version that is deployed");
    Ok(())
}

/// SHA-256 of a program without the zeros behind it, which a deployment may leave room with.
fn hash_of(elf: &[u8]) -> String {
    let length = elf.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Sha256::digest(&elf[..length]).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn exchange(report: &mut Report, context: &Context) {
    let snapshot = match context.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let advice = "set one up with plimsoll exchange apply, or name one with --exchange";
            report.add("exchange", Finding::Fail, format!("{error:#}"), advice);
            return;
        }
    };
    let root = &snapshot.exchange;
    let (markets, banks) = (root.data.market_count, root.data.bank_count);
    report.add("exchange", Finding::Ok, format!("{}: {markets} markets, {banks} banks", root.address), "");
    layouts(report, &snapshot, context);
    prices(report, &snapshot);
    boards(report, &snapshot);
    roles(report, &root.data);
    house(report, &snapshot);
    lookup_table(report, &snapshot, context);
}

fn layouts(report: &mut Report, snapshot: &Snapshot, context: &Context) {
    let versions = std::iter::once(snapshot.exchange.data.version)
        .chain(snapshot.house.iter().map(|house| house.version))
        .chain(snapshot.markets.values().map(|market| market.version))
        .chain(snapshot.banks.values().map(|bank| bank.version))
        .chain(snapshot.boards.values().map(|board| board.version));
    let (count, other) =
        versions.fold((0, 0), |(count, other), version| (count + 1, other + usize::from(version != VERSION)));
    let outdated = fetch_state(&context.rpc, &snapshot.exchange.address).map_or(0, |state| state.outdated.len());
    let finding = match (other, outdated) {
        (0, 0) => Finding::Ok,
        (0, _) => Finding::Warn,
        _ => Finding::Fail,
    };
    let found =
        format!("{} of {count} accounts of this version; {outdated} margin accounts of an earlier one", count - other);
    report.add("layouts", finding, found, "plimsoll exchange apply upgrades them");
}

fn prices(report: &mut Report, snapshot: &Snapshot) {
    let live = || sorted_markets(snapshot).into_iter().filter(|(_, market)| market.config.state != state::RETIRED);
    let old: Vec<String> = live()
        .filter(|(address, market)| {
            let price = snapshot.prices.get(address);
            let read = price.and_then(|price| price.observation(market, snapshot.now).ok());
            let age = read.map(|read| snapshot.now.saturating_sub(read.publish_time.raw()));
            age.is_none_or(|age| age > i64::from(market.config.max_age_seconds))
        })
        .map(|(_, market)| decode::symbol(market))
        .collect();
    let finding = if old.is_empty() { Finding::Ok } else { Finding::Fail };
    let found = if old.is_empty() {
        format!("{} fresh", live().count())
    } else {
        format!("old or missing: {}", old.join(", "))
    };
    report.add("prices", finding, found, "see that the feeds are published to the price accounts of the markets");
    let unseen: Vec<String> =
        live().filter(|(_, market)| market.spot == 0).map(|(_, market)| decode::symbol(market)).collect();
    if !unseen.is_empty() {
        report.add("observed", Finding::Fail, format!("never: {}", unseen.join(", ")), "plimsoll market observe");
    }
}

fn boards(report: &mut Report, snapshot: &Snapshot) {
    let active = || snapshot.boards.iter().filter(|(_, board)| board.state == board_state::ACTIVE);
    let name = |board: &Board| {
        let market = snapshot.markets.get(&board.market);
        let symbol = market.map_or_else(String::new, |market| decode::symbol(market));
        format!("{symbol} {}", format::day(board.expiry))
    };
    let of = |wanted: &dyn Fn(&Address, &Board) -> bool| {
        active().filter(|(address, board)| wanted(address, board)).map(|(_, board)| name(board)).collect::<Vec<_>>()
    };
    let expired = of(&|_, board| board.expiry <= snapshot.now);
    let old = of(&|address, board| board.expiry > snapshot.now && !is_fresh(snapshot, address));
    let (finding, found, advice) = if !expired.is_empty() {
        (Finding::Warn, format!("expired, not settled: {}", expired.join(", ")), "run a keeper: it samples and settles")
    } else if !old.is_empty() {
        let advice = "run a keeper, or plimsoll board refresh";
        (Finding::Warn, format!("arrays too old to trade on: {}", old.join(", ")), advice)
    } else {
        (Finding::Ok, format!("{} fresh", active().count()), "")
    };
    report.add("boards", finding, found, advice);
}

fn roles(report: &mut Report, exchange: &Exchange) {
    let roles = [("risk admin", exchange.risk_admin), ("keeper", exchange.keeper), ("forecaster", exchange.forecaster)];
    let nobody: Vec<&str> =
        roles.iter().filter(|(_, holder)| *holder == Address::default()).map(|(name, _)| *name).collect();
    let admins: Vec<&str> =
        roles.iter().filter(|(_, holder)| *holder == exchange.admin).map(|(name, _)| *name).collect();
    let (finding, found) = if !nobody.is_empty() {
        (Finding::Warn, format!("nobody is {}", nobody.join(", ")))
    } else if !admins.is_empty() {
        (Finding::Warn, format!("the admin is also {}", admins.join(", ")))
    } else {
        (Finding::Ok, "each has its own key".into())
    };
    report.add("roles", finding, found, "give each role a key of its own, in [roles] of the deployment file");
    let (finding, found) = match exchange.config.timelock_seconds {
        0 => (Finding::Warn, "none: the admin can loosen everything at once".to_string()),
        seconds => (Finding::Ok, format!("{seconds} s")),
    };
    report.add("timelock", finding, found, "set exchange.timelock_seconds once the exchange is open to others");
    let paused = words::paused(exchange.config.pauses);
    let finding = if paused.is_empty() { Finding::Ok } else { Finding::Warn };
    let found = if paused.is_empty() { "nothing".into() } else { paused.join(", ") };
    report.add("paused", finding, found, "plimsoll exchange pause --clear, once the cause is gone");
}

fn house(report: &mut Report, snapshot: &Snapshot) {
    let Some(house) = snapshot.house else {
        report.add("house", Finding::Fail, "there is none", "plimsoll exchange apply");
        return;
    };
    let (finding, found) = match house.share_supply {
        0 => (Finding::Warn, "empty: nobody can trade against it".to_string()),
        _ => (Finding::Ok, format!("worth {} USD at {}", format::usd(house.nav), format::moment(house.nav_at))),
    };
    report.add("house", finding, found, "provide it: plimsoll house provide");
    let quote = sorted_banks(snapshot).into_iter().find(|(_, bank)| bank.is_quote == 1);
    let insurance = quote.map_or(0, |(_, bank)| bank.reserve);
    let finding = if insurance > 0 { Finding::Ok } else { Finding::Warn };
    let found = format!("{} USD", format::usd(i64::try_from(insurance).unwrap_or(i64::MAX)));
    report.add("insurance", finding, found, "losses reach the house at once: put quote into the insurance");
}

fn lookup_table(report: &mut Report, snapshot: &Snapshot, context: &Context) {
    let exchange = &snapshot.exchange;
    let (finding, found) = match fetch_tables(&context.rpc, &exchange.data.admin) {
        Ok(tables) => match tables.standing.iter().find(|(_, held)| held.contains(&exchange.address)) {
            Some((table, held)) => (Finding::Ok, format!("{table} holds {} addresses", held.len())),
            None => (Finding::Warn, "the admin keeps none".into()),
        },
        Err(error) => (Finding::Warn, format!("not to be told here: {error}")),
    };
    let advice = "set exchange.lookup_table in the deployment file: transactions of many accounts fit with it";
    report.add("lookup table", finding, found, advice);
}

fn wallet(report: &mut Report, context: &Context) {
    let signer = match context.signer() {
        Ok(signer) => signer,
        Err(error) => {
            let advice = "name a key pair with --keypair to send anything";
            report.add("wallet", Finding::Warn, format::one_line(&format!("{error:#}")), advice);
            return;
        }
    };
    let address = signer.pubkey();
    match context.rpc.raw(&address) {
        Ok(account) => {
            let lamports = account.map_or(0, |account| account.lamports);
            let finding = if lamports >= BALANCE_LOW { Finding::Ok } else { Finding::Warn };
            let sol = fields::decimal(u128::from(lamports), 9);
            report.add("wallet", finding, format!("{address} has {sol} SOL"), "send it SOL for fees and rent");
        }
        Err(error) => report.add("wallet", Finding::Warn, error.to_string(), "use another server"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_behind_a_program_does_not_change_its_hash() {
        assert_eq!(hash_of(&[1, 2, 3, 0, 0]), hash_of(&[1, 2, 3]));
        assert_ne!(hash_of(&[1, 2, 3]), hash_of(&[1, 2, 4]));
        // The SHA-256 of nothing.
        assert!(hash_of(&[0, 0]).starts_with("e3b0c44298fc1c14"));
    }
}
