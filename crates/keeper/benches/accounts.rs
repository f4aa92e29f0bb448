//! How many margin accounts are evaluated per second and core, and what one takes in memory: each with 8 collaterals, 4
//! perpetuals and 16 options, as the liquidator does with every price.
//!
//! `cargo run --release -p plimsoll-keeper --bin accounts-bench`
//!
//! On a machine of two cores that was building other things at the same time, with the development profile, where the engine is
//! optimised and checks for overflow: 358,000 accounts per second and core (195,000 by `Snapshot::margin` one by one), and
//! 4,300 to 9,800 bytes per account, by how full the hash tables are.
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use bytemuck::Zeroable;
use plimsoll_client::{
    Address, ID, Keyed, Snapshot,
    accounts::{Bank, Board, Exchange, MarginAccount, Market, board_state},
    address, decode,
    interface::board,
    price::{PriceAccount, PriceUpdate, usual_address},
    risk::{
        options::{self, RiskArray},
        pyth,
        units::{Index, Price, Timestamp, Volatility},
    },
};
use plimsoll_keeper::{
    live::{Applied, State},
    priced::{Accrued, Priced},
    watch::{self, Watch},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use solana_account::Account;

/// Accounts evaluated in one go.
const ACCOUNTS: usize = 10_000;
/// Goes; the median is told.
const ROUNDS: usize = 15;
const NOW: i64 = 1_800_000_000;
const MARKETS: usize = 8;
const STRIKES: usize = 8;
/// One dollar a base unit of nine decimals, Q16.48.
const DOLLAR: u64 = (1 << 48) / 1_000;

fn main() {
    let mut random = StdRng::seed_from_u64(7);
    let snapshot = exchange();
    let accounts: Vec<Keyed<MarginAccount>> = (0..ACCOUNTS).map(|_| account(&snapshot, &mut random)).collect();
    let all: Vec<&Keyed<MarginAccount>> = accounts.iter().collect();
    // The same numbers, to the bit.
    let mut accrued = snapshot.clone();
    accrued.accrue().expect("it accrues");
    let priced = Priced::new(&accrued, &snapshot.boards);
    for account in &accounts[..1_000] {
        let (fast, plain) = (priced.margin(&account.data), accrued.margin(&account.data));
        assert_eq!(fast.map_err(plimsoll_client::Error::Program), plain);
        assert!(fast.is_ok_and(|margin| margin.requirement_maint.is_positive()), "{fast:?}");
    }
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| round(&snapshot, &all, 1)).collect();
    rates.sort_by(f64::total_cmp);
    println!("accounts per second and core: {:.0}", rates[ROUNDS / 2]);
    let plain = Instant::now();
    for account in &accounts {
        let _ = black_box(accrued.margin(black_box(&account.data)));
    }
    println!("  by Snapshot::margin one by one: {:.0}", ACCOUNTS as f64 / plain.elapsed().as_secs_f64());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| round(&snapshot, &all, cores)).collect();
    rates.sort_by(f64::total_cmp);
    println!("accounts per second on {cores} cores: {:.0}", rates[ROUNDS / 2]);
    println!("bytes per account: {}", bytes_per_account(&snapshot, &accounts));
}

/// What a liquidator's memory grows by with each account that it hears of: the account as the state and the watch keep it.
fn bytes_per_account(snapshot: &Snapshot, accounts: &[Keyed<MarginAccount>]) -> usize {
    let mut state = State::new(snapshot.exchange);
    state.snapshot = snapshot.clone();
    let mut watch = Watch::default();
    let before = resident();
    for account in accounts {
        let data = decode::encode(&account.data);
        let raw = Account { lamports: 1, data, owner: ID, ..Account::default() };
        assert_eq!(state.apply(&account.address, 1, Some(&raw)), Applied::Taken);
    }
    watch.update(&state, true, 1).expect("it accrues");
    let grown = resident().saturating_sub(before);
    black_box((&state, &watch));
    grown / accounts.len()
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches("kB").trim().parse::<usize>().expect("a number") * 1_024
}

/// Everything that a new price takes: interest, look-ups, all margins; accounts per second.
fn round(snapshot: &Snapshot, accounts: &[&Keyed<MarginAccount>], threads: usize) -> f64 {
    let begun = Instant::now();
    let accrued = Accrued::new(snapshot).expect("it accrues");
    let priced = accrued.priced(&snapshot.boards);
    let computed = watch::compute(&priced, accounts, threads);
    assert_eq!(black_box(computed).len(), accounts.len());
    accounts.len() as f64 / begun.elapsed().as_secs_f64()
}

/// Eight markets with a bank and a board each, and their price accounts.
fn exchange() -> Snapshot {
    let exchange = Address::new_unique();
    let quote_mint = Address::new_unique();
    let mut root = Exchange { quote_mint, quote_bank: address::bank(&exchange, &quote_mint), ..Exchange::zeroed() };
    root.config.maintenance_ratio_ppm = 600_000;
    root.config.phi_ppm.fill(600_000);
    let one = Index::ONE.raw();
    let quote =
        Bank { deposit_index: one, borrow_index: one, accrued_at: NOW, is_quote: 1, decimals: 6, ..Bank::zeroed() };
    let mut snapshot = Snapshot {
        exchange: Keyed { address: exchange, data: root },
        house: None,
        banks: [(root.quote_bank, quote)].into(),
        markets: BTreeMap::new(),
        boards: BTreeMap::new(),
        prices: BTreeMap::new(),
        now: NOW,
    };
    for number in 0..MARKETS {
        add_market(&mut snapshot, u8::try_from(number).expect("few"));
    }
    snapshot
}

fn add_market(snapshot: &mut Snapshot, number: u8) {
    let (exchange, mint, address) = (snapshot.exchange.address, Address::new_unique(), Address::new_unique());
    let dollars = 10 * (i64::from(number) + 1);
    let mut market = Market {
        exchange,
        index: u16::from(number),
        spot: DOLLAR * dollars.unsigned_abs(),
        ema: DOLLAR * dollars.unsigned_abs(),
        publish_time: NOW - 5,
        funding_accrued_at: NOW - 60,
        base_decimals: 9,
        range_ppm: 150_000,
        range_maint_ppm: 150_000,
        oracle_owner: Address::new_from_array(pyth::RECEIVER_PROGRAM_ID),
        feed_id: [number + 1; 32],
        ..Market::zeroed()
    };
    market.config.group = number / 4;
    market.config.confidence_multiplier_ppm = 2_000_000;
    (market.config.max_age_seconds, market.config.dead_age_seconds) = (60, 3_600);
    market.config.options.short_minimum_ppm = 10_000;
    let one = Index::ONE.raw();
    let mut bank = Bank {
        exchange,
        market: address,
        mint,
        deposit_index: one + one / 10,
        borrow_index: one + one / 5,
        accrued_at: NOW - 60,
        deposit_shares: 1_000_000_000_000,
        borrow_shares: 500_000_000_000,
        decimals: 9,
        index: u16::from(number) + 1,
        ..Bank::zeroed()
    };
    (bank.config.haircut_init_ppm, bank.config.haircut_maint_ppm) = (60_000, 30_000);
    (bank.config.haircut_init_full_ppm, bank.config.haircut_maint_full_ppm) = (150_000, 30_000);
    bank.config.deposit_cap = 1_000_000_000_000_000;
    (bank.config.optimal_utilisation_ppm, bank.config.optimal_rate_ppm) = (700_000, 70_000);
    bank.config.max_rate_ppm = 1_200_000;
    let update = PriceUpdate {
        feed_id: market.feed_id,
        price: dollars * 100_000_000,
        confidence: dollars.unsigned_abs() * 100_000,
        ema_price: dollars * 100_000_000,
        exponent: -8,
        publish_time: NOW - 1,
    };
    let price = usual_address(&market).expect("a receiver's");
    let account = PriceAccount { address: price, owner: market.oracle_owner, data: update.encode() };
    snapshot.prices.insert(address, account);
    let (place, board) = (address::board(&address, 0), board_of(&address, &market));
    snapshot.boards.insert(place, board);
    snapshot.banks.insert(address::bank(&exchange, &mint), bank);
    snapshot.markets.insert(address, market);
}

/// A month's options of eight strikes around the spot, with their risk arrays as the program computes them.
fn board_of(address: &Address, market: &Market) -> Board {
    let mut board = Board {
        market: *address,
        exchange: market.exchange,
        expiry: NOW + 30 * 86_400,
        lot: 100_000_000,
        state: board_state::ACTIVE,
        ..Board::zeroed()
    };
    let (spot, now) = (Price::from_raw(market.spot), Timestamp::from_raw(NOW - 1));
    let terms = board::terms_at(market, &board, spot, now).expect("terms");
    let nodes = options::Nodes::new(terms.range).expect("nodes");
    let mut computer = options::Refresh::new(&terms, &nodes).expect("terms");
    for strike in 0..STRIKES {
        board.strikes[strike] = market.spot / 20 * (16 + strike as u64);
        let at = board::array_strike(Price::from_raw(board.strikes[strike]), terms.forward);
        let array: RiskArray = computer.array(at, Volatility::from_raw(900_000)).expect("an array");
        board.arrays[strike] = bytemuck::cast(array);
        board.refreshed |= 1 << strike;
    }
    board.terms = computer.terms().into();
    board
}

/// Deposits and debts in eight banks, positions in four markets, sixteen options of two boards.
fn account(snapshot: &Snapshot, random: &mut StdRng) -> Keyed<MarginAccount> {
    let mut account = MarginAccount { exchange: snapshot.exchange.address, ..MarginAccount::zeroed() };
    let slot = account.balance_slot_or_new(&snapshot.exchange.data.quote_bank, None).expect("room");
    account.balances[slot].shares = random.random_range(-1_000_000_000..10_000_000_000);
    for (address, bank) in snapshot.banks.iter().filter(|(_, bank)| bank.is_quote == 0).take(7) {
        let slot = account.balance_slot_or_new(address, Some(&bank.market)).expect("room");
        account.balances[slot].shares = random.random_range(-2_000_000_000..20_000_000_000);
    }
    for address in snapshot.markets.keys().take(4) {
        let slot = account.market_slot_or_new(address).expect("room");
        account.markets[slot].size = random.random_range(-50_000_000_000..50_000_000_000);
        account.markets[slot].cash = random.random_range(-1_000_000_000..1_000_000_000);
    }
    for (address, board) in snapshot.boards.iter().take(2) {
        let slot = account.board_slot_or_new(address, &board.market).expect("room");
        for series in 0..8 {
            let lots = random.random_range(1..100) * if random.random_bool(0.5) { 1 } else { -1 };
            account.set_option(slot, 2 * series + u8::from(random.random_bool(0.5)), lots).expect("room");
        }
    }
    Keyed { address: Address::new_unique(), data: account }
}
