//! The client against a running chain: the examples, every message format, simulation, resending and expiry.

#[path = "../examples/liquidator.rs"]
#[allow(dead_code)]
mod liquidator;
#[path = "../examples/margin.rs"]
#[allow(dead_code)]
mod margin;
#[path = "../examples/open_position.rs"]
#[allow(dead_code)]
mod open_position;

use std::path::Path;

use plimsoll_client::{
    Address, Error, Keyed, PlimsollError, Trade,
    accounts::MarginAccount,
    address, budget,
    budget::PortfolioSize,
    instruction::account,
    rpc::{ComputeLimit, SendOptions},
    transaction::{Format, new_tables},
};
use plimsoll_localnet::{Options, Ports, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A chain with an exchange, and prices of now.
fn world() -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let options = Options {
        so: root.join("target/deploy/plimsoll.so"),
        config: root.join("migrations/localnet.toml"),
        ports: Ports::default(),
        slot_time_ms: 50,
    };
    World::open(&options, &mut |_| Ok(())).unwrap_or_else(|error| panic!("{error:#}"))
}

/// A wallet with a margin account and so many dollars in it.
fn trader(world: &mut World, dollars: u64) -> (Keypair, Address) {
    let wallet = world.wallet().unwrap();
    let (owner, exchange) = (wallet.pubkey(), world.exchange);
    let quote = world.deployment.quote.symbol.clone();
    let source = world.give(&owner, &quote, dollars * 1_000_000).unwrap();
    let account = address::margin_account(&exchange, &owner, 0);
    let create = account::Create { payer: owner, owner, exchange, index: 0 }.instruction();
    let snapshot = world.snapshot().unwrap();
    let mint = snapshot.exchange.data.quote_mint;
    let deposit = snapshot.deposit(owner, &account, &mint, source, dollars * 1_000_000).unwrap();
    world.send(&[create, deposit], &wallet).unwrap();
    (wallet, account)
}

fn market(world: &World, symbol: &str) -> Address {
    let snapshot = world.snapshot().unwrap();
    let named = |name: &[u8; 16]| name.starts_with(symbol.as_bytes());
    *snapshot.markets.iter().find(|(_, market)| named(&market.symbol)).unwrap().0
}

/// A trade of an account's, as its owner sends it.
fn order(world: &World, address: &Address, trade: &Trade) -> (Keyed<MarginAccount>, Vec<Instruction>) {
    let (snapshot, account) = (world.snapshot().unwrap(), world.account(address).unwrap());
    let instruction = snapshot.instruction(account.data.owner, &account, trade, Address::default()).unwrap();
    let instructions = snapshot.with_refreshes(&[instruction]).unwrap();
    (account, instructions)
}

#[test]
fn the_examples_run() {
    let mut world = world();
    let (long, account) = trader(&mut world, 10_000);
    let (carrier, _) = trader(&mut world, 1_000_000);
    let (url, sol) = (world.chain.url().to_string(), market(&world, "SOL"));
    world.publish().unwrap();
    let what_if = world
        .snapshot()
        .unwrap()
        .what_if(&world.account(&account).unwrap().data, &Trade::position(sol, 1_000_000_000_000));
    let foretold = what_if.unwrap();
    let opened = open_position::run(&url, &world.exchange, &sol, 1_000_000_000_000, &long).unwrap();
    assert_eq!(opened.data, foretold.account);
    let refused =
        open_position::run(&url, &world.exchange, &sol, 1_000_000_000_000_000, &long).unwrap_err().to_string();
    assert!(refused.contains("the chain would refuse it: ") && refused.contains("largest accepted is "), "{refused}");
    margin::run(&url, &world.exchange, &long.pubkey()).unwrap();
    assert_eq!(liquidator::run(&url, &world.exchange, &carrier).unwrap(), []);
    world.set_price("SOL", 780);
    world.publish().unwrap();
    assert_eq!(liquidator::run(&url, &world.exchange, &carrier).unwrap(), [account]);
}

#[test]
fn every_format_is_accepted_and_the_limit_holds() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 10_000);
    let sol = market(&world, "SOL");
    let snapshot = world.snapshot().unwrap();
    let slot = world.rpc().client().get_slot().unwrap();
    let shared = snapshot.shared_addresses();
    let tables = new_tables(wallet.pubkey(), wallet.pubkey(), slot.saturating_sub(1), &shared);
    for instruction in tables.iter().flat_map(|table| &table.instructions) {
        world.rpc().send(std::slice::from_ref(instruction), &wallet, &[]).unwrap();
    }
    let table = world.rpc().lookup_table(&tables[0].address).unwrap();
    assert_eq!(table.addresses, shared);
    for format in [Format::Legacy, Format::V0, Format::V1] {
        world.publish().unwrap();
        let (account, instructions) = order(&world, &address, &Trade::position(sol, 1_000_000_000));
        let limit = ComputeLimit::Bound(PortfolioSize::of(&account.data));
        let options = SendOptions {
            format,
            compute: limit,
            micro_lamports_per_unit: 1_000,
            tables: std::slice::from_ref(&table),
            ..SendOptions::default()
        };
        let confirmed = world.rpc().send_with(&instructions, &wallet, &[], &options).unwrap();
        let bound = budget::limit(&instructions, &PortfolioSize::of(&account.data));
        assert!(confirmed.compute_units.iter().sum::<u64>() <= u64::from(bound), "{format:?}: {confirmed:?}");
    }
    let position = world.account(&address).unwrap().data.markets[0].size;
    assert_eq!(position, 3_000_000_000);
}

#[test]
fn a_simulation_says_in_words_what_sending_would() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 100);
    let sol = market(&world, "SOL");
    world.publish().unwrap();
    let (_, small) = order(&world, &address, &Trade::position(sol, 1_000_000_000));
    let options = SendOptions { compute: ComputeLimit::Simulated { percent: 10 }, ..SendOptions::default() };
    let simulation = world.rpc().simulate(&small, &wallet.pubkey(), &options).unwrap();
    assert_eq!((simulation.error, simulation.message), (None, None));
    assert!(simulation.units > 4_000 && !simulation.events.is_empty());
    let (_, large) = order(&world, &address, &Trade::position(sol, 1_000_000_000_000));
    let refused = world.rpc().simulate(&large, &wallet.pubkey(), &options).unwrap();
    assert_eq!(refused.error, Some(Error::Program(PlimsollError::InsufficientMargin)));
    let message = refused.message.unwrap();
    assert!(message.contains(PlimsollError::InsufficientMargin.message()), "{message}");
    let sent = world.rpc().send_with(&large, &wallet, &[], &options);
    assert_eq!(sent.unwrap_err(), Error::Program(PlimsollError::InsufficientMargin));
    assert!(world.rpc().send_with(&small, &wallet, &[], &options).is_ok());
    // Without preflight it is executed, and fails there.
    let (_, large) = order(&world, &address, &Trade::position(sol, 1_000_000_000_000));
    let blind = SendOptions { preflight: false, ..SendOptions::default() };
    let sent = world.rpc().send_with(&large, &wallet, &[], &blind);
    assert_eq!(sent.unwrap_err(), Error::Program(PlimsollError::InsufficientMargin));
}
