//! INV-7: the program's margin is the client's, bit for bit, over random portfolios.
//!
//! Every portfolio is written directly, with totals that fit it: eight markets of random decimals, prices, doubts,
//! ages, ranges and groups, ten banks of random indexes, haircuts and weights, and the dollar's, four boards of random
//! expiries, strikes, volatilities and ages, one of them settled at times; random balances, debts, positions, options and
//! cash. Some markets get a price account as well, younger or older than what they have stored.
//!
//! The program tells its maintenance side by the event of `flag_liquidation`, and its initial side by what it lets
//! through: the largest withdrawal that the client says leaves `H_init >= 0` succeeds, and one unit more fails. `PLIMSOLL_SEED` sets
//! another seed than those below.

use std::{collections::BTreeMap, env};

use bytemuck::Zeroable;
use plimsoll_client::{Keyed, Snapshot, event::Event, instruction::associated_token_account, price::PriceAccount};
use plimsoll_e2e_tests::{
    E, World, raw,
    world::{Places, bank_config, exchange_config, market_config, option_config},
};
use plimsoll_interface::{
    Address,
    accounts::{Bank, Board, BoardTerms, Exchange, House, MAX_STRIKES, MarginAccount, Market, board_state},
    address,
    board::terms_at,
    config::{BankConfig, ExchangeConfig, MarketConfig, OptionConfig},
};
use plimsoll_risk::{
    interest,
    options::{Nodes, Refresh},
    portfolio::MAX_GROUPS,
    units::{Price, Timestamp, Volatility},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

const MARKETS: usize = 8;
const BANKS: usize = 10;
const BOARDS: usize = 4;
/// Of each of the four tests.
const PORTFOLIOS: usize = 75;
const ONE: u64 = 1 << 48;

/// A bank beside its place in the world: the eight markets have one each, the first two another, the last is the dollar's.
struct Place {
    bank: Address,
    mint: Address,
    vault: Address,
    market: Option<usize>,
}

struct Stage {
    w: World,
    p: Places,
    rng: StdRng,
    markets: Vec<(Address, Address)>,
    places: Vec<Place>,
}

fn named(kind: u8, index: usize) -> Address {
    let mut bytes = [kind; 32];
    bytes[31] = index as u8;
    bytes.into()
}

impl Stage {
    fn new(seed: u64) -> Self {
        let (mut w, p) = World::new();
        let markets = (0..MARKETS).map(|index| (named(b'm', index), named(b'o', index))).collect();
        let place = |index: usize| {
            let mint = named(b'i', index);
            let bank = address::bank(&p.exchange, &mint);
            Place { bank, mint, vault: address::vault(&bank), market: Some(index % MARKETS) }
        };
        let mut places: Vec<Place> = (0..BANKS).map(place).collect();
        places.push(Place { bank: p.usdc.bank, mint: p.usdc.mint, vault: p.usdc.vault, market: None });
        for place in &places {
            let tokens = raw::token_account(&place.mint, &p.alice.owner, 0);
            w.set_account(associated_token_account(&p.alice.owner, &place.mint), tokens);
        }
        Self { w, p, rng: StdRng::seed_from_u64(seed), markets, places }
    }

    /// A number that is small as often as large: uniform in its logarithm.
    fn magnitude(&mut self, from: f64, to: f64) -> f64 {
        self.rng.random_range(from.ln()..=to.ln()).exp()
    }

    /// A ratio, both ends often.
    fn ratio(&mut self, most: u32) -> u32 {
        match self.rng.random_range(0..8) {
            0 => 0,
            1 => most,
            _ => self.rng.random_range(0..=most),
        }
    }

    /// Correlations `c_i c_j` with every `c` at most one: positive semi-definite whatever they are.
    fn exchange_config(&mut self) -> ExchangeConfig {
        let mut config = exchange_config();
        let factors: [u64; MAX_GROUPS] = std::array::from_fn(|_| self.ratio(1_000_000).into());
        let mut pairs = config.rho_ppm.iter_mut();
        for high in 1..MAX_GROUPS {
            for low in 0..high {
                *pairs.next().unwrap() = (factors[high] * factors[low] / 1_000_000) as u32;
            }
        }
        config.phi_ppm = std::array::from_fn(|_| self.ratio(1_000_000));
        config.maintenance_ratio_ppm = self.rng.random_range(100_000..=1_000_000);
        config
    }

    fn market(&mut self, index: usize, now: i64) -> Market {
        let base_decimals = self.rng.random_range(0..=12u8);
        let spot = loop {
            let usd = self.magnitude(1e-5, 1e6);
            let spot = usd * 1e6 / 10f64.powi(base_decimals.into()) * ONE as f64;
            if (2f64.powi(21)..2f64.powi(62)).contains(&spot) {
                break spot;
            }
        };
        let range_ppm = self.magnitude(1_000.0, 800_000.0) as u32;
        let config = MarketConfig {
            confidence_multiplier_ppm: self.ratio(10_000_000),
            group: self.rng.random_range(0..MAX_GROUPS as u8),
            concentration_ppm: self.ratio(50_000),
            max_open_interest: self.magnitude(1e3, 1e15) as u64,
            // A lot of about a dollar.
            options: OptionConfig {
                short_minimum_ppm: self.ratio(100_000),
                ..option_config((1e6 * ONE as f64 / spot).max(1.0) as i64)
            },
            ..market_config(1)
        };
        let age = match self.rng.random_range(0..40) {
            0 => self.rng.random_range(61..=3_600),
            1 => self.rng.random_range(3_601..=100_000),
            _ => self.rng.random_range(0..=60),
        };
        Market {
            config,
            range_ppm,
            range_maint_ppm: self.rng.random_range(range_ppm / 2..=range_ppm),
            spot: spot as u64,
            ema: (spot * self.rng.random_range(0.8..1.2)) as u64,
            confidence: (spot * f64::from(self.ratio(20_000)) / 1e6) as u64,
            publish_time: now - age,
            exchange: self.p.exchange,
            feed_id: self.markets[index].1.to_bytes(),
            oracle_owner: raw::RECEIVER,
            index: 1_000 + index as u16,
            base_decimals,
            version: 1,
            // The last prices' funding, up to a tenth of the price either way.
            funding_index: (spot * self.rng.random_range(-0.1..0.1)) as i64,
            ..Market::zeroed()
        }
    }

    /// A price account for the market, of about the same price, or `None` where that has no sensible mantissa.
    fn price_account(&mut self, index: usize, market: &Market, now: i64) -> Option<PriceAccount> {
        let exponent = -8;
        let usd = market.spot as f64 / ONE as f64 * 10f64.powi(i32::from(market.base_decimals) - 6);
        let mantissa = usd * 1e8 * self.rng.random_range(0.9..1.1);
        if !(1e4..1e17).contains(&mantissa) {
            return None;
        }
        let price = raw::Price {
            price: mantissa as i64,
            confidence: (mantissa * f64::from(self.ratio(20_000)) / 1e6) as u64,
            ema: (mantissa * self.rng.random_range(0.8..1.2)) as i64,
            exponent,
            publish_time: now - self.rng.random_range(0..=120),
            posted_slot: 0,
        };
        let address = self.markets[index].1;
        let data = raw::price_update_v2(&market.feed_id, &price);
        self.w.set_account(address, raw::account(raw::RECEIVER, data.clone()));
        Some(PriceAccount { address, owner: raw::RECEIVER, data })
    }

    fn bank(&mut self, index: usize, markets: &[Market], now: i64) -> Bank {
        let place = &self.places[index];
        let (bank, mint, vault) = (self.w.read::<Bank>(&self.p.usdc.bank), place.mint, place.vault);
        let market = place.market;
        let haircut_init_ppm = self.ratio(1_000_000);
        let haircut_maint_ppm = self.ratio(haircut_init_ppm);
        let grows = self.rng.random();
        let (init_growth, maint_growth) = (self.ratio(1_000_000 - haircut_init_ppm), self.ratio(200_000));
        let haircut_init_full_ppm = if grows { haircut_init_ppm + init_growth } else { haircut_init_ppm };
        let haircut_maint_full_ppm =
            if grows { (haircut_maint_ppm + maint_growth).min(haircut_init_full_ppm) } else { haircut_maint_ppm };
        let borrow_weight_init_ppm = self.ratio(1_000_000);
        let config = BankConfig {
            haircut_init_ppm,
            haircut_maint_ppm,
            haircut_init_full_ppm,
            haircut_maint_full_ppm,
            deposit_cap: self.magnitude(1e15, 1e17) as u64,
            borrow_weight_init_ppm,
            borrow_weight_maint_ppm: self.ratio(borrow_weight_init_ppm),
            ..bank_config()
        };
        let index_of = |rng: &mut StdRng| if rng.random() { ONE } else { rng.random_range(ONE..4 * ONE) };
        let scale = market.map_or(0, |market| {
            let base = markets[market].base_decimals;
            self.rng.random_range(base.saturating_sub(9)..=base)
        });
        Bank {
            config,
            deposit_index: index_of(&mut self.rng),
            borrow_index: index_of(&mut self.rng),
            accrued_at: now - self.rng.random_range(0..100_000),
            reserve: self.rng.random_range(0..1_000),
            mint,
            vault,
            market: market.map_or(Address::default(), |market| self.markets[market].0),
            decimals: market.map_or(6, |market| markets[market].base_decimals - scale),
            scale_decimals: scale,
            is_quote: u8::from(market.is_none()),
            ..bank
        }
    }

    /// A board of a market, refreshed a while ago at a price nearby, or settled.
    fn board(&mut self, place: usize, index: usize, market: &Market, now: i64) -> Board {
        let life = self.magnitude(1e5, 2e7) as i64;
        let mut board = Board {
            market: self.markets[index].0,
            exchange: self.p.exchange,
            expiry: now + life,
            lot: market.config.options.lot,
            basis_ppm: self.rng.random_range(-20_000..=20_000),
            state: board_state::ACTIVE,
            slot: place as u8,
            version: 1,
            ..Board::zeroed()
        };
        for strike in board.strikes.iter_mut().take(self.rng.random_range(1..=MAX_STRIKES)) {
            *strike = (market.spot as f64 * self.rng.random_range(0.6..1.6)) as u64;
        }
        let then = now - self.rng.random_range(0..life / 20);
        // The moves of the range must end among the nodes, which reach a sixth of it beyond.
        let drift = (f64::from(market.range_ppm) / 1e7).min(0.002);
        let spot = (market.spot as f64 * self.rng.random_range(1.0 - drift..1.0 + drift)) as u64;
        let terms = terms_at(market, &board, Price::from_raw(spot), Timestamp::from_raw(then)).unwrap();
        let nodes = Nodes::new(terms.range).unwrap();
        let mut refresh = Refresh::new(&terms, &nodes).unwrap();
        for (strike, array) in board.strikes.iter().zip(&mut board.arrays).filter(|(strike, _)| **strike != 0) {
            let volatility = Volatility::from_raw(self.rng.random_range(500_000..2_000_000));
            *array = refresh.array(Price::from_raw(*strike), volatility).unwrap().values;
        }
        board.terms = BoardTerms::from(refresh.terms());
        board.refreshed = board.listed();
        if self.rng.random_range(0..6) == 0 {
            (board.state, board.settlement_price) = (board_state::SETTLED, spot);
        }
        board
    }

    /// Random options of a board, with the house on the other side.
    fn write(&mut self, account: &mut MarginAccount, place: usize, board: &mut Board) {
        let slot = account.board_slot_or_new(&address::board(&board.market, place as u8), &board.market).unwrap();
        let strikes = board.listed().count_ones() as u8;
        for _ in 0..self.rng.random_range(1..=8) {
            let series = self.rng.random_range(0..2 * strikes);
            let lots = self.magnitude(1.0, 5_000.0) as i32;
            let lots = if self.rng.random() { lots } else { -lots };
            account.set_option(slot, series, lots).unwrap();
            let series = usize::from(series);
            board.house_lots[series] = -i64::from(lots);
            board.long_lots[series] = lots.max(0).unsigned_abs().into();
        }
    }

    /// Base units worth between a thousandth of a dollar and a million, bought or sold.
    fn exposure(&mut self, market: &Market) -> i64 {
        let base = self.magnitude(1e3, 1e12) * ONE as f64 / market.spot as f64;
        let base = base.clamp(1.0, 1e15) as i64;
        if self.rng.random() { base } else { -base }
    }

    /// The account's shares of a bank, debts a quarter as often as deposits.
    fn shares(&mut self, bank: &Bank, markets: &[Market], market: Option<usize>) -> i64 {
        let native = match market {
            Some(market) => {
                let base = self.exposure(&markets[market]).unsigned_abs();
                base / 10u64.pow(bank.scale_decimals.into())
            }
            None => self.magnitude(1e10, 1e13) as u64,
        };
        let borrows = self.rng.random_range(0..5) == 0;
        let index = if borrows { bank.borrow_index } else { bank.deposit_index };
        let shares = ((u128::from(native) << 48) / u128::from(index)).max(1) as i64;
        if borrows { -shares } else { shares }
    }

    /// Writes one random portfolio of Alice's, and gives the exchange as the client sees it.
    fn next(&mut self) -> Snapshot {
        let now = self.w.now();
        let mut markets: Vec<Market> = (0..MARKETS).map(|index| self.market(index, now)).collect();
        let mut banks: Vec<Bank> = (0..self.places.len()).map(|index| self.bank(index, &markets, now)).collect();
        let (mut alice, mut bob) = (self.empty(true), self.empty(false));
        for (index, market) in markets.iter_mut().enumerate() {
            if self.rng.random_range(0..3) == 0 {
                let size = self.exposure(market);
                let paid = size as f64 * market.spot as f64 / ONE as f64 * self.rng.random_range(0.8..1.2);
                let cash = -(paid as i64);
                self.take(&mut alice, index, market, (size, cash));
            }
        }
        // The first two boards are of one market.
        let of: [usize; BOARDS] = std::array::from_fn(|place| place.saturating_sub(1));
        let mut boards: Vec<Board> =
            (0..BOARDS).map(|place| self.board(place, of[place], &markets[of[place]], now)).collect();
        for (place, board) in boards.iter_mut().enumerate() {
            if self.rng.random_range(0..3) > 0 {
                self.write(&mut alice, place, board);
            }
            let market = &mut markets[of[place]];
            market.boards |= 1 << place;
            market.board_expiries[place] = board.expiry;
            self.w.put(address::board(&board.market, place as u8), board);
        }
        for (index, bank) in banks.iter_mut().enumerate() {
            let market = self.places[index].market;
            let mut shares = 0;
            if market.is_none() || self.rng.random_range(0..2) == 0 {
                shares = self.shares(bank, &markets, market);
                self.hold(&mut alice, index, shares);
            }
            let rest = 4_000_000_000_000_000;
            self.hold(&mut bob, index, rest);
            self.fill(bank, shares, rest);
        }
        let config = self.exchange_config();
        self.w.edit::<Exchange>(&self.p.exchange, |exchange| exchange.config = config);
        self.w.put(self.p.alice.account, &alice);
        self.w.put(self.p.bob.account, &bob);
        for (place, bank) in self.places.iter().zip(&banks) {
            self.w.put(place.bank, bank);
            self.w.set_account(place.mint, raw::mint(bank.decimals));
            self.w.set_account(place.vault, raw::token_account(&place.mint, &self.p.exchange, bank.vault_amount));
        }
        let mut prices = BTreeMap::new();
        for (index, market) in markets.iter().enumerate() {
            self.w.put(self.markets[index].0, market);
            // A price account would be out of the arrays' reach.
            if !of.contains(&index)
                && self.rng.random_range(0..3) == 0
                && let Some(price) = self.price_account(index, market, now)
            {
                prices.insert(self.markets[index].0, price);
            }
        }
        Snapshot {
            exchange: Keyed { address: self.p.exchange, data: self.w.read(&self.p.exchange) },
            house: None,
            banks: self.places.iter().map(|place| place.bank).zip(banks).collect(),
            markets: self.markets.iter().map(|(market, _)| *market).zip(markets).collect(),
            boards: boards.into_iter().map(|board| (address::board(&board.market, board.slot), board)).collect(),
            prices,
            now,
        }
    }

    fn empty(&self, alice: bool) -> MarginAccount {
        let trader = if alice { &self.p.alice } else { &self.p.bob };
        let stored = self.w.margin_account(trader);
        MarginAccount {
            exchange: stored.exchange,
            owner: stored.owner,
            bump: stored.bump,
            version: 1,
            ..MarginAccount::zeroed()
        }
    }

    fn hold(&self, account: &mut MarginAccount, place: usize, shares: i64) {
        let Place { bank, market, .. } = &self.places[place];
        let market = market.map(|market| &self.markets[market].0);
        let slot = account.balance_slot_or_new(bank, market).unwrap();
        account.balances[slot].shares = shares;
    }

    /// A position against the house, which is on the other side of it.
    fn take(&self, account: &mut MarginAccount, index: usize, market: &mut Market, (size, cash): (i64, i64)) {
        let slot = account.market_slot_or_new(&self.markets[index].0).unwrap();
        let paid_up_to = market.funding_index / 2;
        (account.markets[slot].size, account.markets[slot].cash) = (size, cash);
        account.markets[slot].funding_index = paid_up_to;
        (market.house_size, market.house_cash) = (-size, -cash);
        let paid = (i128::from(size) * i128::from(paid_up_to)).cast_unsigned();
        market.funding_paid = [paid as u64, (paid >> 64) as u64];
        let side = if size > 0 { &mut market.open_interest_long } else { &mut market.open_interest_short };
        *side = size.unsigned_abs();
    }

    /// Totals of a bank in which Alice has `shares`, Bob the rest, and the house its own: INV-1 without any dust.
    fn fill(&self, bank: &mut Bank, shares: i64, rest: i64) {
        let house = if bank.is_quote == 1 { self.w.read::<House>(&self.p.house).quote_shares } else { 0 };
        bank.deposit_shares = house + rest as u64 + shares.max(0) as u64;
        bank.borrow_shares = shares.min(0).unsigned_abs();
        let owed = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).unwrap();
        let lent = interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).unwrap();
        bank.vault_amount = owed + bank.reserve - lent;
    }
}

/// The bank with its interest up to now.
fn accrued(bank: &Bank, now: i64) -> Bank {
    let rates = bank.config.rates();
    let (deposits, borrows) = (bank.deposit_index(), bank.borrow_index());
    let elapsed = (now - bank.accrued_at) as u64;
    let accrual =
        interest::accrue(&rates, deposits, borrows, bank.deposit_shares, bank.borrow_shares, elapsed).unwrap();
    Bank { deposit_index: accrual.deposit_index.raw(), borrow_index: accrual.borrow_index.raw(), ..*bank }
}

/// The shares that are left of `shares` when `amount` is withdrawn: the deposit first, rounded up, then a borrow, rounded
/// up.
fn after_withdrawal(bank: &Bank, shares: i64, amount: u64) -> i64 {
    let held = if shares > 0 { interest::deposit_amount(shares as u64, bank.deposit_index()).unwrap() } else { 0 };
    let borrow = |amount| interest::shares_for_borrow(amount, bank.borrow_index()).unwrap() as i64;
    if amount < held {
        shares - interest::shares_to_burn_for_withdraw(amount, bank.deposit_index()).unwrap().min(shares as u64) as i64
    } else {
        shares.min(0) - borrow(amount - held)
    }
}

/// What the client says of a withdrawal of `amount` from the bank.
fn predicted(snapshot: &Snapshot, account: &MarginAccount, bank: &Address, amount: u64) -> Result<i64, E> {
    let now = snapshot.now;
    let current = accrued(&snapshot.banks[bank], now);
    let mut snapshot = snapshot.clone();
    snapshot.banks.insert(*bank, current);
    let mut account = *account;
    let market = (current.is_quote == 0).then_some(&current.market);
    let slot = account.balance_slot_or_new(bank, market)?;
    account.balances[slot].shares = after_withdrawal(&current, account.balances[slot].shares, amount);
    let shares = account.balances[slot].shares;
    account.release_balance(slot)?;
    if account.has_no_liability() {
        return Ok(shares);
    }
    let margin = match snapshot.margin(&account) {
        Ok(margin) => margin,
        Err(plimsoll_client::Error::Program(error)) => return Err(error),
        Err(other) => panic!("{other}"),
    };
    match margin.blocked_by {
        Some(_) => Err(E::OracleStale),
        None if margin.health_init()?.raw() < 0 => Err(E::InsufficientMargin),
        None if snapshot.withdrawal_health(&account).unwrap() < 0 => Err(E::UnsettledGain),
        None => Ok(shares),
    }
}

/// How the portfolios came out, to see that they are worth something.
#[derive(Debug, Default)]
struct Tally {
    below_the_line: usize,
    boundaries: usize,
    refused: usize,
    unlimited: usize,
    old_prices: usize,
}

fn compare(seed: u64) {
    let seed = env::var("PLIMSOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(seed);
    println!("seed {seed}");
    let mut stage = Stage::new(seed);
    let mut tally = Tally::default();
    for number in 0..PORTFOLIOS {
        let snapshot = stage.next();
        let account = stage.w.keyed(&stage.p.alice);
        compare_maintenance(&mut stage, &snapshot, &account, &mut tally, number);
        compare_withdrawal(&mut stage, &snapshot, &account, &mut tally, number);
    }
    println!("{tally:?}");
    assert!(tally.boundaries > PORTFOLIOS / 3, "{tally:?}");
}

fn compare_maintenance(
    stage: &mut Stage,
    snapshot: &Snapshot,
    account: &Keyed<MarginAccount>,
    tally: &mut Tally,
    number: usize,
) {
    let margin = snapshot.margin(&account.data).unwrap();
    let outcome = stage.w.ok(snapshot.flag_liquidation(account));
    let Event::LiquidationFlagged(event) = outcome.event() else { panic!("{outcome:?}") };
    let client = (margin.equity_maint.raw(), margin.requirement_maint.raw());
    assert_eq!((event.equity, event.requirement), client, "portfolio {number}: {:?}", account.data.markets);
    assert_eq!(event.started_at != 0, client.0 < client.1, "portfolio {number}");
    tally.below_the_line += usize::from(client.0 < client.1);
    tally.old_prices += usize::from(margin.blocked_by.is_some());
}

fn compare_withdrawal(
    stage: &mut Stage,
    snapshot: &Snapshot,
    account: &Keyed<MarginAccount>,
    tally: &mut Tally,
    number: usize,
) {
    let chosen = stage.rng.random_range(0..stage.places.len());
    let Place { bank, mint, .. } = stage.places[chosen];
    let destination = associated_token_account(&stage.p.alice.owner, &mint);
    let withdraw = |amount| snapshot.withdraw(account, &mint, destination, amount).unwrap();
    let client = |amount| predicted(snapshot, &account.data, &bank, amount);
    // Everything that is in the vault, and nothing: between them the client's answer changes.
    let (mut most, mut least) = (snapshot.banks[&bank].vault_amount.min(1 << 53), 0);
    if client(most).is_ok() {
        tally.unlimited += 1;
        least = most;
    } else {
        while most - least > 1 {
            let middle = least.midpoint(most);
            if client(middle).is_ok() { least = middle } else { most = middle }
        }
        let error = client(most).unwrap_err();
        stage.w.refuses(withdraw(most), error);
        tally.refused += usize::from(least == 0);
        tally.boundaries += usize::from(least != 0);
    }
    if least > 0 {
        stage.w.ok(withdraw(least));
        let left = stage.w.margin_account(&stage.p.alice);
        let shares = left.balance_slot(&bank).map_or(0, |slot| left.balances[slot].shares);
        assert_eq!(Ok(shares), client(least), "portfolio {number}");
    }
}

#[test]
fn the_clients_margin_is_the_programs_1() {
    compare(0x5eed_0001);
}

#[test]
fn the_clients_margin_is_the_programs_2() {
    compare(0x5eed_0002);
}

#[test]
fn the_clients_margin_is_the_programs_3() {
    compare(0x5eed_0003);
}

#[test]
fn the_clients_margin_is_the_programs_4() {
    compare(0x5eed_0004);
}
