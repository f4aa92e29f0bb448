//! Random accounts with their margins, for other implementations to be held to: a walk through the exchange in which every
//! account's health is first held to what the program itself asserts.
//!
//! usage: plimsoll-margins [--seed N] [--scenes N] [--program FILE]
//!
//! Prints a line of JSON for each scene: the exchange, every other account in base64, and what the Rust client says of each margin
//! account. The last line is on stderr: `N passed, 0 failed`.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Parser;
use plimsoll_client::{
    Address, Error, ID, Keyed, PlimsollError, Snapshot,
    accounts::{AccountType, MarginAccount},
    address, decode,
    error::program_error,
};
use plimsoll_exchange_fuzz::{machine::Machine, walk::Walk};
use plimsoll_interface::instruction::AssertHealthArgs;
use serde_json::{Value, json};

/// Actions between two scenes.
const STEPS: u64 = 60;
/// Scenes of one walk.
const SCENES: u64 = 10;
/// The clock sysvar, and where its time is.
const CLOCK: &str = "SysvarC1ock11111111111111111111111111111111";
const CLOCK_TIME: usize = 32;

/// Random accounts and their margins.
#[derive(Parser)]
struct Arguments {
    /// Seed of the first walk; the next ones count on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many scenes.
    #[arg(long, default_value_t = 50)]
    scenes: u64,
    /// The program.
    #[arg(long, default_value = "target/deploy/plimsoll.so")]
    program: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(checked) => {
            eprintln!("{checked} passed, 0 failed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("margins: failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<u64> {
    let (machine, places) = Machine::new(&arguments.program)?;
    let mut out = io::stdout().lock();
    let (mut walk, mut seed, mut checked) = (Walk::new(&machine, places, arguments.seed), arguments.seed, 0);
    for scene in 0..arguments.scenes {
        if scene > 0 && scene.is_multiple_of(SCENES) {
            seed += 1;
            walk = Walk::new(&machine, places, seed);
        }
        if let Err(broken) = walk.run(seed, STEPS) {
            bail!("the walk of seed {} broke: {}", broken.seed, broken.what);
        }
        let (line, accounts) = show(&mut walk)?;
        checked += accounts;
        writeln!(out, "{line}")?;
    }
    Ok(checked)
}

/// A scene as JSON, and how many of its accounts' healths the program confirmed.
fn show(walk: &mut Walk) -> Result<(Value, u64)> {
    let (snapshot, mut margins, mut confirmed) = (walk.priced(), Vec::new(), 0);
    let held: Vec<_> = walk.traders.iter().filter_map(|trader| walk.account(trader)).collect();
    for account in held {
        let margin = match snapshot.margin(&account.data) {
            Ok(margin) => {
                confirm(walk, &snapshot, &account)?;
                confirmed += 1;
                json!({
                    "equityInit": margin.equity_init.raw().to_string(),
                    "equityMaint": margin.equity_maint.raw().to_string(),
                    "requirementInit": margin.requirement_init.raw().to_string(),
                    "requirementMaint": margin.requirement_maint.raw().to_string(),
                })
            }
            Err(Error::Program(error)) => json!({ "error": error.name() }),
            Err(error) => bail!("{error}"),
        };
        margins.push(json!({ "account": account.address.to_string(), "margin": margin }));
    }
    let accounts: Vec<Value> = accounts(walk, &snapshot).iter().map(Raw::json).collect();
    let prices: Vec<_> =
        snapshot.prices.iter().map(|(market, price)| [market.to_string(), price.address.to_string()]).collect();
    let exchange = snapshot.exchange.address.to_string();
    Ok((json!({ "exchange": exchange, "accounts": accounts, "prices": prices, "margins": margins }), confirmed))
}

/// Holds the client's healths to the program: it accepts just them and refuses one unit more.
fn confirm(walk: &mut Walk, snapshot: &Snapshot, account: &Keyed<MarginAccount>) -> Result<()> {
    let margin = snapshot.margin(&account.data)?;
    let mut healths = vec![(1, margin.health_maint())];
    if margin.blocked_by.is_none() {
        healths.push((0, margin.health_init()));
    }
    for (kind, health) in healths {
        let health = health.map_err(PlimsollError::from).map_err(Error::from)?.raw();
        let mut ask = |minimum: i64| {
            let sent = walk.machine.send(&[snapshot.assert_health(account, AssertHealthArgs { kind, minimum })]);
            sent.result.map_err(|error| program_error(&error))
        };
        let (at, above) = (ask(health), ask(health + 1));
        if at.is_err() || above != Err(Some(PlimsollError::HealthAssertion)) {
            bail!(
                "{}: client's health {health} of kind {kind}, the program says {at:?}, then {above:?}",
                account.address
            );
        }
    }
    Ok(())
}

/// An account as a cluster holds it.
struct Raw {
    address: Address,
    owner: Address,
    data: Vec<u8>,
}

impl Raw {
    fn json(&self) -> Value {
        let (address, owner) = (self.address.to_string(), self.owner.to_string());
        json!({ "address": address, "owner": owner, "data": STANDARD.encode(&self.data) })
    }
}

/// Every account that the snapshot is made of, the exchange first, and the margin accounts.
fn accounts(walk: &Walk, snapshot: &Snapshot) -> Vec<Raw> {
    fn own<T: AccountType>(address: &Address, data: &T) -> Raw {
        Raw { address: *address, owner: ID, data: decode::encode(data) }
    }
    let mut clock = vec![0; CLOCK_TIME];
    clock.extend(snapshot.now.to_le_bytes());
    let exchange = &snapshot.exchange;
    let mut all = vec![own(&exchange.address, &exchange.data)];
    let sysvar = Address::from_str_const(CLOCK);
    all.push(Raw { address: sysvar, owner: Address::default(), data: clock });
    all.extend(snapshot.house.iter().map(|house| own(&address::house(&exchange.address), house)));
    all.extend(snapshot.banks.iter().map(|(address, bank)| own(address, bank)));
    all.extend(snapshot.markets.iter().map(|(address, market)| own(address, market)));
    all.extend(snapshot.boards.iter().map(|(address, board)| own(address, board)));
    let prices = snapshot.prices.values();
    all.extend(prices.map(|price| Raw { address: price.address, owner: price.owner, data: price.data.clone() }));
    let traders = walk.traders.iter().filter_map(|trader| walk.account(trader));
    all.extend(traders.map(|account| own(&account.address, &account.data)));
    all
}
