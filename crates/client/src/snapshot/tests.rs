use std::collections::BTreeMap;

use bytemuck::Zeroable;
use plimsoll_interface::{
    accounts::{MarginAccount, NO_MARKET},
    address,
};
use plimsoll_risk::units::Index;

use super::*;
use crate::{Error, price::PriceUpdate};

const NOW: i64 = 1_700_000_000;
/// 150 USD with 9 decimals, Q16.48.
const SOL_AT_150: u64 = ((15u128 << 48) / 100) as u64;

struct Example {
    snapshot: Snapshot,
    sol: Address,
    sol_mint: Address,
    account: Keyed<MarginAccount>,
}

/// An exchange with a quote bank and SOL, and an account with 10 SOL and a short of 10 SOL.
fn example() -> Example {
    let [exchange, sol, sol_mint, quote_mint] = std::array::from_fn(|_| Address::new_unique());
    let mut root = Exchange { quote_mint, quote_bank: address::bank(&exchange, &quote_mint), ..Exchange::zeroed() };
    root.config.maintenance_ratio_ppm = 500_000;
    let mut market =
        Market { spot: SOL_AT_150, ema: SOL_AT_150, publish_time: NOW, base_decimals: 9, exchange, ..Market::zeroed() };
    (market.range_ppm, market.range_maint_ppm) = (200_000, 200_000);
    market.config.max_age_seconds = 60;
    market.config.dead_age_seconds = 600;
    let one = Index::ONE.raw();
    let quote = Bank { deposit_index: one, borrow_index: one, is_quote: 1, decimals: 6, ..Bank::zeroed() };
    let bank = Bank { deposit_index: one, borrow_index: one, market: sol, decimals: 9, ..Bank::zeroed() };
    let sol_bank = address::bank(&exchange, &sol_mint);
    let mut account = MarginAccount { exchange, owner: Address::new_unique(), ..MarginAccount::zeroed() };
    let balance = account.balance_slot_or_new(&sol_bank, Some(&sol)).unwrap();
    account.balances[balance].shares = 10_000_000_000;
    account.markets[0].size = -10_000_000_000;
    account.markets[0].cash = 1_500_000_000;
    let snapshot = Snapshot {
        banks: [(root.quote_bank, quote), (sol_bank, bank)].into(),
        markets: [(sol, market)].into(),
        boards: BTreeMap::new(),
        prices: BTreeMap::new(),
        exchange: Keyed { address: exchange, data: root },
        house: None,
        now: NOW,
    };
    let account = Keyed { address: Address::new_unique(), data: account };
    Example { snapshot, sol, sol_mint, account }
}

#[test]
fn a_hedge_is_free_and_its_parts_are_not() {
    let Example { snapshot, account, .. } = example();
    let margin = snapshot.margin(&account.data).unwrap();
    assert_eq!(margin.equity_init.raw(), 1_500_000_000);
    assert_eq!(margin.requirement_init.raw(), 0);
    assert_eq!(snapshot.report(&account.data).unwrap().margin, margin);
    // Each leg alone: 20 % of 1,500 USD, rounded up to 1e-6 USD.
    let (init, maint) = snapshot.requirement_alone(&account.data).unwrap();
    assert!((600_000_000..=600_000_004).contains(&init), "{init}");
    assert!((300_000_000..=300_000_004).contains(&maint), "{maint}");
    let alone = snapshot.standalone(&account.data).unwrap();
    assert_eq!(alone.saving_init, alone.requirement_init, "the whole requires nothing");
}

#[test]
fn a_price_account_counts_unless_it_is_older_than_what_is_stored() {
    let Example { mut snapshot, sol, .. } = example();
    let owner = snapshot.markets[&sol].oracle_owner;
    let update = PriceUpdate {
        feed_id: [0; 32],
        price: 30_000,
        confidence: 1,
        ema_price: 30_000,
        exponent: -2,
        publish_time: NOW - 1,
    };
    let account = |update: PriceUpdate| PriceAccount { address: Address::new_unique(), owner, data: update.encode() };
    snapshot.prices.insert(sol, account(update));
    assert_eq!(snapshot.market(&sol).unwrap().1.spot.raw(), SOL_AT_150);
    snapshot.prices.insert(sol, account(PriceUpdate { publish_time: NOW, ..update }));
    assert!(snapshot.market(&sol).unwrap().1.spot.raw() > SOL_AT_150);
    snapshot.prices.insert(sol, account(PriceUpdate { feed_id: [1; 32], ..update }));
    assert_eq!(snapshot.market(&sol).err(), Some(PlimsollError::OracleWrongFeed));
}

#[test]
fn the_house_wants_markets_by_index() {
    let Example { mut snapshot, sol, .. } = example();
    let later: Vec<Address> = (1..6).map(|_| Address::new_unique()).collect();
    for (index, address) in later.iter().rev().enumerate() {
        snapshot.markets.insert(*address, Market { index: 5 - index as u16, ..Market::zeroed() });
    }
    let metas = snapshot.value_house().accounts;
    assert!(metas[3..].iter().all(|meta| meta.is_writable));
    let passed: Vec<Address> = metas[3..].iter().map(|meta| meta.pubkey).collect();
    let part: Vec<Address> = snapshot.value_house_part(2..4).accounts[3..].iter().map(|meta| meta.pubkey).collect();
    assert_eq!(part, later[1..3]);
    assert_eq!(passed, [vec![sol], later].concat());
}

#[test]
fn interest_accrues_as_on_chain() {
    let Example { mut snapshot, .. } = example();
    let bank = snapshot.banks.values_mut().next().unwrap();
    (bank.deposit_shares, bank.borrow_shares, bank.accrued_at) = (1_000_000, 500_000, NOW - 31_536_000);
    (bank.config.optimal_utilisation_ppm, bank.config.optimal_rate_ppm) = (500_000, 100_000);
    bank.config.max_rate_ppm = 100_000;
    let address = *snapshot.banks.keys().next().unwrap();
    snapshot.accrue().unwrap();
    let bank = &snapshot.banks[&address];
    // A year at 10 % on half of the deposits.
    assert_eq!(bank.borrow_index().raw(), (Index::ONE.raw() * 11).div_ceil(10));
    assert_eq!(bank.accrued_at, NOW);
    snapshot.now -= 1;
    assert_eq!(snapshot.accrue(), Err(Error::Program(PlimsollError::ClockWentBack)));
}

#[test]
fn what_is_missing_is_named() {
    let Example { mut snapshot, sol, sol_mint, account } = example();
    let nowhere = Address::new_unique();
    let address = address::bank(&snapshot.exchange.address, &nowhere);
    let refused = snapshot.withdraw(&account, &nowhere, Address::new_unique(), 1);
    assert_eq!(refused, Err(Error::Missing { what: "bank", address }));
    let refused = snapshot.observe(&sol).unwrap_err().to_string();
    assert_eq!(refused, format!("there is no price account in the snapshot for the market at {sol}"));
    let bank = address::bank(&snapshot.exchange.address, &sol_mint);
    snapshot.banks.remove(&bank);
    assert_eq!(snapshot.margin(&account.data), Err(Error::Program(PlimsollError::MissingBank)));
}

#[test]
fn the_quote_needs_no_market() {
    let Example { snapshot, account, .. } = example();
    let quote_mint = snapshot.exchange.data.quote_mint;
    let withdrawal = snapshot.withdraw(&account, &quote_mint, Address::new_unique(), 1).unwrap();
    // The eight declared accounts, SOL's market and SOL's bank.
    assert_eq!(withdrawal.accounts.len(), 10);
    let mut slots = account.data;
    let index = slots.balance_slot_or_new(&snapshot.exchange.data.quote_bank, None).unwrap();
    assert_eq!(slots.balances[index].market_slot, NO_MARKET);
}
