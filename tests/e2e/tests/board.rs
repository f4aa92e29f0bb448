//! `create_board`, `list_strikes`, `post_volatilities`, `refresh_board`, `sample_expiry`, `settle_board`, `close_board`.

use plimsoll_client::{event::Event, instruction::board as build};
use plimsoll_e2e_tests::{
    Asset, E, I, World,
    chain::START,
    raw::Price,
    world::{BTC, PRICE_USD, Places, SOL, USD, strike, strikes},
};
use plimsoll_interface::{
    Address,
    accounts::{Board, Exchange, HouseBoard, MAX_STRIKES, Market, VolatilityEstimate, board_state},
    address,
    board::{VolatilityBand, array_strike, terms_at},
    config::{limits, state},
    event::{
        BoardChanged, BoardRefreshed, BoardSettled, ExpirySampled, StrikesListed, VolatilitiesPosted, board_change,
    },
    instruction::{CreateBoardArgs, ListStrikesArgs, PostVolatilitiesArgs, StrikePrice},
};
use plimsoll_risk::{
    options::{Nodes, OptionRisk, Reading, Refresh, RiskArray, SCENARIOS},
    parameters::{MAX_VOLATILITY_DOWN, MAX_VOLATILITY_POWER, MAX_VOLATILITY_UP},
    units::{Ppm, Quote, Timestamp, Volatility},
};
use solana_instruction::Instruction;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// 125 USD per SOL: 0.125 quote native per base unit.
const SPOT: u64 = 1 << 45;
/// What a post of no change says.
const SAME: PostVolatilitiesArgs = PostVolatilitiesArgs { volatilities_ppm: [1_000_000; MAX_STRIKES], basis_ppm: 0 };

/// A price of whole dollars per SOL, rounded down as an observation's is.
const fn observed(dollars: u64) -> u64 {
    (dollars << 48) / 1_000
}

/// The same, nearest, as a strike's is.
const fn per_unit(dollars: u64) -> u64 {
    ((dollars << 48) + 500) / 1_000
}

/// A world with a board of SOL in slot 0 that expires in 30 days, of strikes 100, 125 and 150.
fn listed() -> (World, Places, Address) {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    let board = w.board(&p.sol, 30, &[100, 125, 150]);
    (w, p, board)
}

/// Puts the market's volatility, ppm a year, as if it had been estimated.
fn set_volatility(w: &mut World, asset: &Asset, ppm: u32) {
    let square = (u128::from(ppm) * u128::from(ppm)) << 56;
    let variance = (square / 1_000_000_000_000) as u64;
    let spot = w.market(asset).spot;
    w.edit::<Market>(&asset.market, |market| {
        let publish_time = market.publish_time;
        market.estimate =
            VolatilityEstimate { variance, price: spot, publish_time, samples: 5, ..bytemuck::Zeroable::zeroed() };
    });
}

/// The board's arrays by the engine, from the accounts as they are.
fn arrays(w: &World, asset: &Asset, board: &Board) -> Vec<RiskArray> {
    let market = w.market(asset);
    let now = Timestamp::from_raw(board.terms.time);
    let terms = terms_at(&market, board, plimsoll_risk::units::Price::from_raw(board.terms.spot), now).unwrap();
    let nodes = Nodes::new(terms.range).unwrap();
    let mut refresh = Refresh::new(&terms, &nodes).unwrap();
    let band = VolatilityBand::of(&market, now);
    let strikes = board.strikes.iter().zip(board.volatilities_ppm).filter(|(strike, _)| **strike != 0);
    let strikes = strikes.map(|(strike, ppm)| (plimsoll_risk::units::Price::from_raw(*strike), ppm));
    let array = |(strike, ppm)| {
        let strike = array_strike(strike, terms.forward);
        refresh.array(strike, band.clamp(Volatility::from_raw(ppm))).unwrap()
    };
    let arrays = strikes.map(array).collect();
    assert_eq!(*refresh.terms(), (&board.terms).into());
    arrays
}

/// Black 1976, undiscounted, by the error function's series.
fn call(forward: f64, strike: f64, deviation: f64) -> f64 {
    let normal = |x: f64| {
        // Sum of x^(2n+1) / (1 3 5 ... (2n+1)) times the density.
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
    };
    let d1 = (forward / strike).ln() / deviation + deviation / 2.0;
    forward * normal(d1) - strike * normal(d1 - deviation)
}

// Creating.

#[test]
fn a_board_is_made_for_an_expiry() {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    let expiry = START + 30 * DAY;
    let outcome = w.ok(w.create_board_ix(&p.sol, 3, expiry));
    let address = address::board(&p.sol.market, 3);
    let expected = BoardChanged {
        market: p.sol.market,
        board: address,
        authority: p.admin,
        expiry,
        lot: SOL as u64,
        kind: board_change::CREATED,
    };
    assert_eq!(outcome.event(), Event::BoardChanged(expected));
    let board = w.board_of(&p.sol, 3);
    assert_eq!((board.market, board.exchange, board.expiry), (p.sol.market, p.exchange, expiry));
    assert_eq!((board.lot, board.state, board.slot, board.version), (SOL as u64, board_state::ACTIVE, 3, 1));
    let market = w.market(&p.sol);
    assert_eq!((market.boards, market.board_expiries), (8, [0, 0, 0, expiry, 0, 0, 0, 0]));
}

#[test]
fn boards_that_are_refused() {
    let (mut w, p) = World::new();
    let expiry = START + DAY;
    w.refuses(w.create_board_ix(&p.sol, 0, expiry), E::OptionsDisabled);
    w.enable_options(&p.sol, SOL);
    w.refuses(w.create_board_ix(&p.sol, 8, expiry), E::InvalidSlot);
    w.refuses(w.create_board_ix(&p.sol, 255, expiry), E::InvalidSlot);
    let a_year = START + 365 * DAY;
    for wrong in [0, i64::MIN, i64::MAX, START, START - DAY, expiry + 1, expiry - 1, expiry + 3_600, a_year + DAY] {
        w.refuses(w.create_board_ix(&p.sol, 0, wrong), E::InvalidExpiry);
    }
    w.ok(w.create_board_ix(&p.sol, 0, a_year));
    w.refuses(w.create_board_ix(&p.sol, 1, a_year), E::ExpiryTaken);
    // The slot is taken: the system program makes no account twice.
    w.refuses(w.create_board_ix(&p.sol, 0, expiry), I::Custom(0));
    w.set_now(expiry - limits::EXPIRY_SECONDS_MIN + 1);
    w.refuses(w.create_board_ix(&p.sol, 1, expiry), E::InvalidExpiry);
    w.set_now(expiry - limits::EXPIRY_SECONDS_MIN);
    w.ok(w.create_board_ix(&p.sol, 1, expiry));
}

#[test]
fn the_keeper_may_what_the_admin_may_and_nobody_else() {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.keeper = p.bob.owner);
    let (exchange, market) = (p.exchange, p.sol.market);
    let board = address::board(&market, 0);
    let by = |authority: Address| -> [Instruction; 4] {
        let oracle = Some(p.sol.oracle);
        let args = CreateBoardArgs { expiry: START + DAY, slot: 0 };
        [
            build::Create { authority, exchange, market, args }.instruction(),
            build::ListStrikes { authority, exchange, market, board, oracle, args: strikes(&[125]) }.instruction(),
            build::PostVolatilities { authority, exchange, market, board, args: SAME }.instruction(),
            build::Close { authority, exchange, market, board }.instruction(),
        ]
    };
    for authority in [p.bob.owner, p.admin] {
        for (index, allowed) in by(authority).iter().enumerate() {
            w.refuses(&by(p.mallory)[index], E::NotKeeper);
            w.ok(allowed);
        }
    }
}

// Listing.

#[test]
fn strikes_are_listed_with_the_markets_volatility() {
    let (mut w, p, address) = listed();
    let board = w.board_of(&p.sol, 0);
    assert_eq!(board.strikes[..4], [per_unit(100), SPOT, per_unit(150), 0]);
    assert_eq!(board.volatilities_ppm[..4], [1_000_000, 1_000_000, 1_000_000, 0]);
    assert_eq!((board.refreshed, board.next_refreshed), (7, 0));
    set_volatility(&mut w, &p.sol, 2_000_000);
    let outcome = w.ok(w.list_strikes_ix(&p.sol, 0, strikes(&[110])));
    let mut strikes_now = [0; MAX_STRIKES];
    strikes_now[..3].copy_from_slice(&[per_unit(110), SPOT, per_unit(150)]);
    let expected = StrikesListed { board: address, authority: p.admin, strikes: strikes_now };
    assert_eq!(outcome.event(), Event::StrikesListed(expected));
    let board = w.board_of(&p.sol, 0);
    assert_eq!(board.refreshed, 6);
    assert_eq!(board.volatilities_ppm[..3], [2_000_000, 1_000_000, 1_000_000]);
}

#[test]
fn strikes_that_are_refused() {
    let (mut w, p, _) = listed();
    let one = |digits, exponent| {
        let mut args = ListStrikesArgs { strikes: [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES] };
        args.strikes[5] = StrikePrice { digits, exponent };
        args
    };
    for (digits, exponent) in [(99, 0), (1_000, -1), (u16::MAX, 0), (125, 13), (125, -13), (125, i8::MIN)] {
        w.refuses(w.list_strikes_ix(&p.sol, 0, one(digits, exponent)), E::InvalidStrike);
    }
    // From 25 to 625: a fifth of the spot to five times the spot.
    for (digits, exponent) in [(249, -1), (626, 0), (125, 12), (125, -12)] {
        w.refuses(w.list_strikes_ix(&p.sol, 0, one(digits, exponent)), E::InvalidStrike);
    }
    w.refuses(w.list_strikes_ix(&p.sol, 0, one(125, 0)), E::DuplicateStrike);
    w.refuses(w.list_strikes_ix(&p.sol, 0, strikes(&[130, 130])), E::DuplicateStrike);
    w.ok(w.list_strikes_ix(&p.sol, 0, one(251, -1)));
    w.ok(w.list_strikes_ix(&p.sol, 0, one(625, 0)));
    assert_eq!(w.board_of(&p.sol, 0).strikes[5], 5 * SPOT);
}

/// Only slot 3, which is free in [`listed`].
fn fourth(dollars: i64) -> ListStrikesArgs {
    let mut args = ListStrikesArgs { strikes: [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES] };
    args.strikes[3] = strike(dollars);
    args
}

#[test]
fn strikes_are_listed_at_a_fresh_price_only() {
    let (mut w, p, board) = listed();
    let (authority, exchange, market, args) = (p.admin, p.exchange, p.sol.market, fourth(130));
    let list = |oracle| build::ListStrikes { authority, exchange, market, board, oracle, args }.instruction();
    w.pass(61);
    w.refuses(list(None), E::OracleStale);
    w.refuses(list(Some(p.sol.oracle)), E::OracleStale);
    let price = w.price(125);
    w.publish(&p.sol, price);
    w.refuses(list(None), E::OracleStale);
    w.ok(list(Some(p.sol.oracle)));
    w.edit::<Market>(&p.sol.market, |market| (market.spot, market.publish_time) = (0, 0));
    w.refuses(list(None), E::OracleNeverObserved);
}

/// 800 SOL are worth the 100,000 dollars that a lot may be, 0.008 SOL the one that it must be.
#[test]
fn a_lot_must_be_worth_something_and_not_too_much() {
    for (lot, allowed) in [(800 * SOL, true), (800 * SOL + 1, false), (SOL / 125, true), (SOL / 125 - 8, false)] {
        let (mut w, p) = World::new();
        w.enable_options(&p.sol, lot);
        w.ok(w.create_board_ix(&p.sol, 0, START + DAY));
        let list = w.list_strikes_ix(&p.sol, 0, strikes(&[125]));
        if allowed {
            w.ok(list);
        } else {
            w.refuses(list, E::InvalidLot);
        }
    }
}

#[test]
fn a_strike_with_open_options_stays() {
    let (mut w, p, _) = listed();
    w.give_options(&p.alice, &p.sol, 0, 1, -3);
    w.refuses(w.list_strikes_ix(&p.sol, 0, strikes(&[110])), E::StrikeInUse);
    w.ok(w.list_strikes_ix(&p.sol, 0, fourth(110)));
    w.give_options(&p.bob, &p.sol, 0, 0, 3);
    w.take_options(&p.alice, &p.sol, 0);
    w.refuses(w.list_strikes_ix(&p.sol, 0, strikes(&[115])), E::StrikeInUse);
    w.take_options(&p.bob, &p.sol, 0);
    w.ok(w.list_strikes_ix(&p.sol, 0, strikes(&[115])));
}

#[test]
fn nothing_is_listed_or_posted_where_options_are_off_or_over() {
    let (mut w, p, board) = listed();
    w.configure_market(&p.sol, |config| config.options.enabled = 0);
    w.refuses(w.list_strikes_ix(&p.sol, 0, fourth(130)), E::OptionsDisabled);
    w.configure_market(&p.sol, |config| config.options.enabled = 1);
    // A market that only reduces has no new boards and strikes; those that it has go on.
    for state in [state::REDUCE_ONLY, state::WIND_DOWN] {
        w.edit::<Market>(&p.sol.market, |market| market.config.state = state);
        w.refuses(w.list_strikes_ix(&p.sol, 0, fourth(130)), E::MarketReduceOnly);
        w.refuses(w.create_board_ix(&p.sol, 1, START + DAY), E::MarketReduceOnly);
        w.refresh(&p.sol, 0);
    }
    w.edit::<Market>(&p.sol.market, |market| market.config.state = state::ACTIVE);
    w.set_now(START + 30 * DAY);
    w.set_price(&p.sol, 125);
    w.refuses(w.list_strikes_ix(&p.sol, 0, fourth(130)), E::BoardExpired);
    w.refuses(w.post_volatilities_ix(&p.sol, 0, SAME), E::BoardExpired);
    w.edit::<Board>(&board, |board| board.state = board_state::SETTLED);
    w.refuses(w.list_strikes_ix(&p.sol, 0, fourth(130)), E::BoardSettled);
    w.refuses(w.post_volatilities_ix(&p.sol, 0, SAME), E::BoardSettled);
    w.refuses(w.refresh_ix(&p.sol, 0, 0), E::BoardSettled);
    w.refuses(w.sample_ix(&p.sol, 0), E::BoardSettled);
    w.refuses(w.settle_board_ix(&p.sol, 0), E::BoardSettled);
}

// Posting.

#[test]
fn posted_volatilities_count_from_the_next_refresh_on() {
    let (mut w, p, address) = listed();
    let mut args = PostVolatilitiesArgs { basis_ppm: 10_000, ..SAME };
    args.volatilities_ppm[..4].copy_from_slice(&[1_250_000, 900_000, 750_000, 7]);
    let before = w.board_of(&p.sol, 0);
    let outcome = w.ok(w.post_volatilities_ix(&p.sol, 0, args));
    let board = w.board_of(&p.sol, 0);
    assert_eq!(board.volatilities_ppm[..4], [1_250_000, 900_000, 750_000, 0]);
    assert_eq!((board.basis_ppm, board.posted_at, board.terms), (10_000, w.now(), before.terms));
    assert_eq!(board.arrays, before.arrays);
    let expected = VolatilitiesPosted {
        board: address,
        authority: p.admin,
        volatilities_ppm: board.volatilities_ppm,
        basis_ppm: 10_000,
    };
    assert_eq!(outcome.event(), Event::VolatilitiesPosted(expected));
    w.refresh(&p.sol, 0);
    let board = w.board_of(&p.sol, 0);
    // 125 and 1 %.
    assert_eq!(board.terms.forward, SPOT + SPOT / 100);
    let arrays = arrays(&w, &p.sol, &board);
    for (stored, array) in board.arrays.iter().zip(&arrays) {
        assert_eq!(stored, &array.values);
    }
}

#[test]
fn posts_that_are_refused() {
    let (mut w, p, _) = listed();
    let with = |first: u32, basis_ppm: i32| {
        let mut args = PostVolatilitiesArgs { basis_ppm, ..SAME };
        args.volatilities_ppm[0] = first;
        args
    };
    // Three times the market's, or a third of it, is the most; a quarter of the last one, or 1 % of basis, for one post.
    for volatility in [0, 333_333, 3_000_001, u32::MAX] {
        w.refuses(w.post_volatilities_ix(&p.sol, 0, with(volatility, 0)), E::VolatilityOutOfBounds);
    }
    for basis in [50_001, -50_001, i32::MIN, i32::MAX] {
        w.refuses(w.post_volatilities_ix(&p.sol, 0, with(1_000_000, basis)), E::VolatilityOutOfBounds);
    }
    for (volatility, basis) in [(1_250_001, 0), (749_999, 0), (1_000_000, 10_001), (1_000_000, -10_001)] {
        w.refuses(w.post_volatilities_ix(&p.sol, 0, with(volatility, basis)), E::PostTooFast);
    }
    w.ok(w.post_volatilities_ix(&p.sol, 0, with(1_250_000, -10_000)));
    w.pass(59);
    w.refuses(w.post_volatilities_ix(&p.sol, 0, with(1_250_000, -10_000)), E::PostTooFast);
    w.pass(1);
    w.ok(w.post_volatilities_ix(&p.sol, 0, with(1_562_500, -20_000)));
}

/// The market's volatility doubles and more: what was posted is below its band, and a post starts from the band's edge.
#[test]
fn a_market_that_runs_away_does_not_shut_the_keeper_out() {
    let (mut w, p, _) = listed();
    set_volatility(&mut w, &p.sol, 4_000_000);
    // The band is from 4/3 to what the engine prices, 5.
    let mut args = SAME;
    args.volatilities_ppm = [1_333_333; MAX_STRIKES];
    w.refuses(w.post_volatilities_ix(&p.sol, 0, args), E::VolatilityOutOfBounds);
    w.refresh(&p.sol, 0);
    let board = w.board_of(&p.sol, 0);
    assert_eq!(board.volatilities_ppm[0], 1_000_000);
    let clamped = Board { volatilities_ppm: [1_333_334; MAX_STRIKES], ..board };
    for (stored, array) in board.arrays.iter().zip(arrays(&w, &p.sol, &clamped)) {
        assert_eq!(stored, &array.values);
    }
    args.volatilities_ppm = [1_333_334 + 333_334; MAX_STRIKES];
    w.refuses(w.post_volatilities_ix(&p.sol, 0, args), E::PostTooFast);
    args.volatilities_ppm = [1_333_334 + 333_333; MAX_STRIKES];
    w.ok(w.post_volatilities_ix(&p.sol, 0, args));
}

// Refreshing.

/// 30 days at 100 %: a deviation of sqrt(30 / 365).
#[test]
fn arrays_say_what_black_says() {
    let (w, p, _) = listed();
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.terms.spot, board.terms.forward, board.terms.time), (SPOT, SPOT, w.now()));
    // A sixteenth of 30 days.
    assert_eq!((board.terms.max_age_seconds, board.terms.lot), (162_000, SOL as u64));
    let deviation = (30.0f64 / 365.0).sqrt();
    for (index, strike) in [100.0, 125.0, 150.0].into_iter().enumerate() {
        // Value at the spot, in units of 2^-scale quote native for a lot of 1 SOL.
        let stored = f64::from(board.arrays[index][34]) / 2f64.powi(board.terms.scale) / USD as f64;
        let exact = call(125.0, strike, deviation);
        assert!((stored - exact).abs() < 1e-5, "{strike}: {stored} for {exact}");
    }
    for (stored, array) in board.arrays.iter().zip(arrays(&w, &p.sol, &board)) {
        assert_eq!(stored, &array.values);
    }
}

#[test]
fn a_refresh_takes_the_younger_price_and_leaves_it_in_the_market() {
    let (mut w, p, address) = listed();
    w.pass(10);
    let price = w.price(130);
    w.publish(&p.sol, price);
    let outcome = w.refresh(&p.sol, 0);
    let (spot, time) = (observed(130), w.now());
    let expected = BoardRefreshed { board: address, spot, forward: spot, time, computed: 7, in_force: 1 };
    assert_eq!(outcome.event(), Event::BoardRefreshed(expected));
    assert_eq!((w.market(&p.sol).spot, w.market(&p.sol).publish_time), (spot, time));
    // An older print does not bring the board back.
    w.publish(&p.sol, Price { publish_time: time - 5, ..w.price(100) });
    w.refresh(&p.sol, 0);
    assert_eq!(w.board_of(&p.sol, 0).terms.spot, spot);
}

#[test]
fn a_stale_price_is_refused_and_a_dead_feeds_last_one_is_not() {
    let (mut w, p, board) = listed();
    let (exchange, market) = (p.exchange, p.sol.market);
    let stored = build::Refresh { exchange, market, board, oracle: None, max_strikes: 0 }.instruction();
    w.pass(60);
    w.ok(&stored);
    w.pass(1);
    w.refuses(&stored, E::OracleStale);
    w.refuses(w.refresh_ix(&p.sol, 0, 0), E::OracleStale);
    w.pass(3_600 - 61);
    w.refuses(&stored, E::OracleStale);
    w.pass(1);
    w.ok(&stored);
    assert_eq!(w.board_of(&p.sol, 0).terms.time, w.now());
    w.edit::<Market>(&market, |market| (market.spot, market.publish_time) = (0, 0));
    w.refuses(&stored, E::OracleNeverObserved);
}

/// A print whose confidence is beyond the market's limit: margin marks at it, so the arrays are made at it.
#[test]
fn a_wide_price_is_good_enough_for_arrays() {
    let (mut w, p, _) = listed();
    w.pass(1);
    let price = Price { confidence: 100 * PRICE_USD as u64, ..w.price(120) };
    w.publish(&p.sol, price);
    w.refresh(&p.sol, 0);
    assert_eq!(w.board_of(&p.sol, 0).terms.spot, observed(120));
}

#[test]
fn a_refresh_in_parts_comes_into_force_when_it_is_whole() {
    let (mut w, p, address) = listed();
    let before = w.board_of(&p.sol, 0);
    w.pass(10);
    w.set_price(&p.sol, 120);
    let outcome = w.ok(w.refresh_ix(&p.sol, 0, 2));
    let (spot, time) = (observed(120), w.now());
    let part = |computed, in_force| BoardRefreshed { board: address, spot, forward: spot, time, computed, in_force };
    assert_eq!(outcome.event(), Event::BoardRefreshed(part(3, 0)));
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.terms, board.arrays, board.refreshed), (before.terms, before.arrays, 7));
    assert_eq!(board.next_refreshed, 3);
    // Later, at the same observation: of the moment at which it began.
    w.pass(20);
    let outcome = w.ok(w.refresh_ix(&p.sol, 0, 2));
    assert_eq!(outcome.event(), Event::BoardRefreshed(part(4, 1)));
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.terms.time, board.refreshed, board.next_refreshed), (time, 7, 0));
    for (stored, array) in board.arrays.iter().zip(arrays(&w, &p.sol, &board)) {
        assert_eq!(stored, &array.values);
    }
}

/// Whatever somebody has left unfinished, a call for all strikes gives arrays of now.
#[test]
fn half_a_refresh_keeps_nobody_from_a_whole_one() {
    let (mut w, p, _) = listed();
    w.pass(10);
    w.set_price(&p.sol, 120);
    w.ok(w.refresh_ix(&p.sol, 0, 1));
    w.pass(30);
    let event = w.refresh(&p.sol, 0).event();
    assert!(matches!(event, Event::BoardRefreshed(BoardRefreshed { computed: 7, in_force: 1, .. })), "{event:?}");
    assert_eq!(w.board_of(&p.sol, 0).terms.time, w.now());
    // Within one second the work of others counts.
    w.ok(w.refresh_ix(&p.sol, 0, 1));
    let event = w.refresh(&p.sol, 0).event();
    assert!(matches!(event, Event::BoardRefreshed(BoardRefreshed { computed: 6, in_force: 1, .. })), "{event:?}");
}

/// Something that happens between two parts of a refresh.
type Change = fn(&mut World, &Places);

/// Anything that the arrays depend on changes between two parts: the second begins anew, so no two strikes are of different
/// markets.
#[test]
fn parts_of_different_markets_do_not_mix() {
    let changes: [(&str, Change); 7] = [
        ("price", |w, p| w.set_price(&p.sol, 121)),
        ("posted", |w, p| drop(w.ok(w.post_volatilities_ix(&p.sol, 0, SAME)))),
        ("listed", |w, p| drop(w.ok(w.list_strikes_ix(&p.sol, 0, strikes(&[101]))))),
        ("range", |w, p| {
            w.edit::<Market>(&p.sol.market, |market| (market.range_ppm, market.range_maint_ppm) = (199_999, 199_999));
        }),
        ("shocks", |w, p| drop(w.configure_market(&p.sol, |config| config.options.volatility_up_ppm += 1))),
        ("volatility", |w, p| set_volatility(w, &p.sol, 900_000)),
        // Half of the arrays' life has passed: 15 days at 30 days to expiry are 81,000 seconds.
        ("age", |w, _| w.pass(81_001)),
    ];
    for (what, change) in changes {
        let (mut w, p, _) = listed();
        w.pass(60);
        w.set_price(&p.sol, 125);
        w.ok(w.refresh_ix(&p.sol, 0, 2));
        w.pass(1);
        change(&mut w, &p);
        w.ok(w.refresh_ix(&p.sol, 0, 2));
        let board = w.board_of(&p.sol, 0);
        assert_eq!((board.next_refreshed, board.next_terms.time), (3, w.now()), "{what}");
    }
}

/// Between expiry and settlement the arrays go on with ten minutes, so that accounts can be margined.
#[test]
fn a_board_past_its_expiry_is_refreshed_until_it_is_settled() {
    let (mut w, p, _) = listed();
    w.set_now(START + 30 * DAY + 700);
    w.set_price(&p.sol, 130);
    w.refresh(&p.sol, 0);
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.terms.time, board.terms.max_age_seconds), (w.now(), 600 / 16));
    // The call of 100 is worth its 30 dollars, the call of 150 nothing.
    let value = |index: usize| f64::from(board.arrays[index][34]) / 2f64.powi(board.terms.scale);
    assert!((value(0) - 30.0 * USD as f64).abs() < 2.0 && value(2) < 1.0, "{} {}", value(0), value(2));
}

/// Prices run a hundredfold either way: no strike keeps the board from being refreshed.
#[test]
fn no_move_of_the_market_blocks_a_board() {
    for dollars in [1, 2, 30_000, 100_000] {
        let (mut w, p, _) = listed();
        w.pass(1);
        w.set_price(&p.sol, dollars);
        w.refresh(&p.sol, 0);
        let board = w.board_of(&p.sol, 0);
        assert_eq!((board.refreshed, board.terms.time), (7, w.now()));
        let value = f64::from(board.arrays[0][34]) / 2f64.powi(board.terms.scale) / USD as f64;
        let intrinsic = (dollars - 100).max(0) as f64;
        assert!((value - intrinsic).abs() < 1e-6 * dollars as f64, "{dollars}: {value}");
    }
}

/// The largest shocks and steepest powers that a market may have, at a day to expiry: thirty times the largest shock.
#[test]
fn no_shock_blocks_a_board() {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    w.configure_market(&p.sol, |config| {
        let options = &mut config.options;
        options.volatility_up_ppm = MAX_VOLATILITY_UP.raw();
        options.volatility_down_ppm = MAX_VOLATILITY_DOWN.raw();
        options.volatility_power_short_ppm = MAX_VOLATILITY_POWER.raw();
    });
    w.board(&p.sol, 1, &[125]);
    let board = w.board_of(&p.sol, 0);
    for (stored, array) in board.arrays.iter().zip(arrays(&w, &p.sol, &board)) {
        assert_eq!(stored, &array.values);
    }
}

// The house's options.

/// The house's options of a board by the engine: what any account's would be.
fn house_risk(w: &World, asset: &Asset, board: &Board) -> OptionRisk {
    let (market, exchange) = (w.market(asset), w.read::<Exchange>(&w.places().exchange));
    let reading = Reading {
        spot: plimsoll_risk::units::Price::from_raw(market.spot),
        now: Timestamp::from_raw(w.now()),
        range: Ppm::from_raw(market.range_ppm),
        range_maint: Ppm::from_raw(market.range_maint_ppm),
        extreme_damping: Ppm::from_raw(exchange.config.extreme_damping_ppm),
        short_minimum: Ppm::from_raw(market.config.options.short_minimum_ppm),
    };
    let mut risk = OptionRisk::default();
    board.house_sum().unwrap().finish(&(&board.terms).into(), &reading, &mut risk).unwrap();
    risk
}

#[test]
fn the_market_knows_what_the_houses_options_are_worth_and_risk() {
    let (mut w, p, _) = listed();
    // The house is short 10 calls and long 4 puts of 125: a short strangle of sorts.
    w.give_options(&p.alice, &p.sol, 0, 2, 10);
    w.give_options(&p.bob, &p.sol, 0, 3, -4);
    w.refresh(&p.sol, 0);
    let (market, board) = (w.market(&p.sol), w.board_of(&p.sol, 0));
    let risk = house_risk(&w, &p.sol, &board);
    let entry = market.house_boards[0];
    let deviation = (30.0f64 / 365.0).sqrt();
    // Calls and puts at the money are worth the same.
    let value = -6.0 * call(125.0, 125.0, deviation);
    assert!((entry.value as f64 / USD as f64 - value).abs() < 1e-4, "{} for {value}", entry.value);
    // A call's delta is N(d1), d1 = deviation / 2; a put's one less.
    let normal = call(125.0, 125.0, deviation) / 125.0 / 2.0 + 0.5;
    let delta = -10.0 * normal + 4.0 * (normal - 1.0);
    assert!((entry.delta as f64 / SOL as f64 - delta).abs() < 1e-6, "{} for {delta}", entry.delta);
    assert_eq!(entry.exposure, -4 * SOL);
    // 1 % of 10 lots of 125 USD.
    assert_eq!(entry.short_minimum, 12_500_000);
    let (valid_until, max_drift) = (board.terms.time + board.terms.max_age_seconds, board.terms.max_drift);
    assert_eq!((entry.valid_until, entry.spot, entry.max_drift), (valid_until, SPOT, max_drift));
    // A put is a call less a forward plus its strike: the engine keeps the forward apart, as exposure.
    assert_eq!(entry.value, risk.value.raw() - 4 * 125 * USD);
    assert_eq!(market.house_gains, risk.pnl_init.map(Quote::raw));
    assert_eq!(board.house_gains, market.house_gains);
}

#[test]
fn gains_of_two_boards_add_up_and_one_boards_are_replaced() {
    let (mut w, p, _) = listed();
    w.board(&p.sol, 60, &[100, 150]);
    w.give_options(&p.alice, &p.sol, 0, 2, 10);
    w.give_options(&p.bob, &p.sol, 1, 1, 7);
    w.refresh(&p.sol, 0);
    w.refresh(&p.sol, 1);
    let first = house_risk(&w, &p.sol, &w.board_of(&p.sol, 0)).pnl_init;
    let second = house_risk(&w, &p.sol, &w.board_of(&p.sol, 1)).pnl_init;
    let sum: [i64; SCENARIOS] = std::array::from_fn(|k| first[k].raw() + second[k].raw());
    assert_eq!(w.market(&p.sol).house_gains, sum);
    w.pass(5);
    w.set_price(&p.sol, 120);
    w.refresh(&p.sol, 0);
    let first = house_risk(&w, &p.sol, &w.board_of(&p.sol, 0)).pnl_init;
    let sum: [i64; SCENARIOS] = std::array::from_fn(|k| first[k].raw() + second[k].raw());
    assert_eq!(w.market(&p.sol).house_gains, sum);
    // Nothing is left of the first board's when the house has none of its options any more.
    w.take_options(&p.alice, &p.sol, 0);
    w.refresh(&p.sol, 0);
    let market = w.market(&p.sol);
    assert_eq!(market.house_gains, second.map(Quote::raw));
    assert_eq!(market.house_boards[0], bytemuck::Zeroable::zeroed());
}

// Settlement.

/// A world at the beginning of the sampling window of a board of SOL in slot 0, of 125, and its expiry.
fn expiring() -> (World, Places, Address, i64) {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    let board = w.board(&p.sol, 1, &[125]);
    let expiry = START + DAY;
    w.set_now(expiry - 1_800);
    (w, p, board, expiry)
}

/// Publishes a price now and has it sampled.
fn sample(w: &mut World, p: &Places, price: Price) {
    w.publish(&p.sol, price);
    w.ok(w.sample_ix(&p.sol, 0));
}

#[test]
fn each_minute_before_the_expiry_has_one_sample() {
    let (mut w, p, board, expiry) = expiring();
    let first = expiry - 1_800;
    w.set_now(first - 1);
    let price = w.price(130);
    w.publish(&p.sol, price);
    w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
    w.set_now(first);
    let price = w.price(130);
    w.publish(&p.sol, price);
    let outcome = w.ok(w.sample_ix(&p.sol, 0));
    let expected = ExpirySampled { board, price: observed(130), publish_time: first, count: 1 };
    assert_eq!(outcome.event(), Event::ExpirySampled(expected));
    // The same print, and another one of the same minute.
    w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
    w.set_now(first + 59);
    let price = w.price(131);
    w.publish(&p.sol, price);
    w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
    // A print of the third minute, brought in the fourth; then one of the second, which is fresh still.
    w.set_now(first + 185);
    w.publish(&p.sol, Price { publish_time: first + 179, ..w.price(140) });
    w.ok(w.sample_ix(&p.sol, 0));
    w.publish(&p.sol, Price { publish_time: first + 124, ..w.price(140) });
    w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
    w.set_now(first + 175);
    w.publish(&p.sol, Price { publish_time: first + 119, ..w.price(150) });
    w.ok(w.sample_ix(&p.sol, 0));
    let stored = w.board_of(&p.sol, 0);
    assert_eq!((stored.sampled, stored.sample_count), (0b111, 3));
    assert_eq!(stored.samples[..3], [observed(130), observed(140), observed(150)]);
}

#[test]
fn samples_are_fresh_and_narrow() {
    let (mut w, p, _, expiry) = expiring();
    let first = expiry - 1_800;
    w.set_now(first + 61);
    w.publish(&p.sol, Price { publish_time: first, ..w.price(125) });
    w.refuses(w.sample_ix(&p.sol, 0), E::OracleStale);
    // 2 % of confidence and 5 % between spot and average are the market's limits.
    let good = w.price(125);
    w.publish(&p.sol, Price { confidence: 2 * PRICE_USD as u64 + 60_000_000, ..good });
    w.refuses(w.sample_ix(&p.sol, 0), E::OracleTooWide);
    w.publish(&p.sol, Price { price: 132 * PRICE_USD, ..good });
    w.refuses(w.sample_ix(&p.sol, 0), E::OracleTooWide);
    w.publish(&p.sol, Price { price: 131 * PRICE_USD, confidence: 2 * PRICE_USD as u64, ..good });
    w.ok(w.sample_ix(&p.sol, 0));
}

/// Thirty samples of 120 to 149 dollars: the mean of the middle eighteen, 126 to 143, is 134.50.
#[test]
fn a_board_is_settled_at_the_middle_of_its_samples() {
    let (mut w, p, board, expiry) = expiring();
    w.give_options(&p.alice, &p.sol, 0, 0, 10);
    w.give_options(&p.bob, &p.sol, 0, 1, 4);
    for minute in 0..30 {
        w.set_now(expiry - 1_800 + 60 * minute + 7);
        // In any order.
        let price = w.price(120 + minute * 7 % 30);
        sample(&mut w, &p, price);
    }
    w.set_now(expiry + 59);
    w.refuses(w.settle_board_ix(&p.sol, 0), E::SettlementPending);
    w.set_now(expiry + 60);
    let outcome = w.ok(w.settle_board_ix(&p.sol, 0));
    let settled = w.board_of(&p.sol, 0);
    let exact = (1345u128 << 48) / 10_000;
    assert!(u128::from(settled.settlement_price).abs_diff(exact) <= 1, "{}", settled.settlement_price);
    assert_eq!(settled.state, board_state::SETTLED);
    // The house is short ten calls of 125: ten times 9.50 dollars; its puts are worth nothing.
    let market = w.market(&p.sol);
    let value = market.house_boards[0].value;
    assert!((value + 95 * USD).abs() <= 1, "{value}");
    let expected = HouseBoard { valid_until: i64::MAX, value, ..bytemuck::Zeroable::zeroed() };
    assert_eq!((market.house_boards[0], market.house_gains), (expected, [0; SCENARIOS]));
    let settlement_price = settled.settlement_price;
    let expected = BoardSettled { board, settlement_price, samples: 30, house_value: value };
    assert_eq!(outcome.event(), Event::BoardSettled(expected));
    w.refuses(w.settle_board_ix(&p.sol, 0), E::BoardSettled);
}

/// Nobody sampled but five minutes: the window goes on behind the expiry, a sample a minute, until there are ten.
#[test]
fn a_window_with_too_few_samples_goes_on() {
    let (mut w, p, _, expiry) = expiring();
    for minute in 0..5 {
        w.set_now(expiry - 1_800 + 60 * minute);
        let price = w.price(120);
        sample(&mut w, &p, price);
    }
    w.set_now(expiry + 60);
    w.refuses(w.settle_board_ix(&p.sol, 0), E::SettlementPending);
    for minute in [0, 1, 50, 51] {
        w.set_now(expiry + 60 * minute + 30);
        let price = w.price(130);
        sample(&mut w, &p, price);
        // Not two of one minute, and none before the last.
        w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
        w.publish(&p.sol, Price { publish_time: w.now() - 31, ..w.price(130) });
        let refused = if minute == 0 { None } else { Some(E::SampleRefused) };
        if let Some(error) = refused.filter(|_| minute != 50) {
            w.refuses(w.sample_ix(&p.sol, 0), error);
        }
    }
    w.refuses(w.settle_board_ix(&p.sol, 0), E::SettlementPending);
    w.set_now(expiry + 60 * 52);
    let price = w.price(130);
    sample(&mut w, &p, price);
    w.set_now(expiry + 60 * 53);
    let price = w.price(130);
    w.publish(&p.sol, price);
    w.refuses(w.sample_ix(&p.sol, 0), E::SampleRefused);
    w.ok(w.settle_board_ix(&p.sol, 0));
    // Two of each end are left out: the mean of three of 120 and three of 130.
    let price = w.board_of(&p.sol, 0).settlement_price;
    assert!(price.abs_diff(per_unit(125)) <= 1, "{price}");
}

/// The feed stops before the window: a day later the board is settled at the market's last moving average.
#[test]
fn a_dead_feed_does_not_hold_options_for_ever() {
    for sampled in [false, true] {
        let (mut w, p, _, expiry) = expiring();
        let price = Price { price: 128 * PRICE_USD, ..w.price(126) };
        w.publish(&p.sol, price);
        w.observe(&p.sol);
        if sampled {
            w.ok(w.sample_ix(&p.sol, 0));
        }
        w.set_now(expiry + DAY - 1);
        w.refuses(w.settle_board_ix(&p.sol, 0), E::SettlementPending);
        w.set_now(expiry + DAY);
        let event = w.ok(w.settle_board_ix(&p.sol, 0)).event();
        let (price, samples) = if sampled { (128, 1) } else { (126, 0) };
        let settled = w.board_of(&p.sol, 0).settlement_price;
        assert!(settled.abs_diff(per_unit(price)) <= 1, "{settled}");
        assert!(matches!(event, Event::BoardSettled(BoardSettled { samples: counted, .. }) if counted == samples));
    }
    let (mut w, p, _, expiry) = expiring();
    w.edit::<Market>(&p.sol.market, |market| (market.spot, market.ema) = (0, 0));
    w.set_now(expiry + DAY);
    w.refuses(w.settle_board_ix(&p.sol, 0), E::OracleNeverObserved);
}

/// An attacker whose samples are first in six minutes of thirty, with prints as far off as the market's limits let through:
/// the price stays among the honest ones, where a mean would have moved by almost 1 %.
#[test]
fn wild_samples_do_not_move_the_settlement() {
    for wild in [131, 120] {
        let (mut w, p, _, expiry) = expiring();
        for minute in 0..30 {
            w.set_now(expiry - 1_800 + 60 * minute);
            let honest = w.price(125);
            let dollars = if minute % 5 == 0 { wild } else { 125 };
            sample(&mut w, &p, Price { price: dollars * PRICE_USD, ..honest });
        }
        w.set_now(expiry + 60);
        w.ok(w.settle_board_ix(&p.sol, 0));
        assert_eq!(w.board_of(&p.sol, 0).settlement_price, SPOT);
    }
}

/// With hindsight over the whole window an attacker would pick each minute's best print: a print older than the market's
/// limit is no sample.
#[test]
fn hindsight_reaches_no_further_than_a_fresh_price() {
    let (mut w, p, _, expiry) = expiring();
    w.set_now(expiry - 1);
    for minute in 0..29 {
        let published = expiry - 1_800 + 60 * minute;
        w.publish(&p.sol, Price { publish_time: published, ..w.price(125) });
        let ix = w.sample_ix(&p.sol, 0);
        if expiry - 1 - published > 60 {
            w.refuses(ix, E::OracleStale);
        } else {
            w.ok(ix);
        }
    }
    assert_eq!(w.board_of(&p.sol, 0).sample_count, 0);
}

// Closing.

#[test]
fn a_board_without_options_is_closed_and_its_slot_free_again() {
    let (mut w, p, address) = listed();
    w.give_options(&p.alice, &p.sol, 0, 0, 5);
    w.refuses(w.close_board_ix(&p.sol, 0), E::BoardNotEmpty);
    w.give_options(&p.bob, &p.sol, 0, 0, -5);
    assert_eq!(w.board_of(&p.sol, 0).house_lots, [0; 32]);
    w.refuses(w.close_board_ix(&p.sol, 0), E::BoardNotEmpty);
    w.take_options(&p.bob, &p.sol, 0);
    w.refresh(&p.sol, 0);
    assert!(w.market(&p.sol).house_boards[0].value < 0);
    w.take_options(&p.alice, &p.sol, 0);
    let rent = w.account(&address).unwrap().lamports;
    let before = w.account(&p.admin).unwrap().lamports;
    let outcome = w.ok(w.close_board_ix(&p.sol, 0));
    let expected = BoardChanged {
        market: p.sol.market,
        board: address,
        authority: p.admin,
        expiry: START + 30 * DAY,
        lot: SOL as u64,
        kind: board_change::CLOSED,
    };
    assert_eq!(outcome.event(), Event::BoardChanged(expected));
    assert_eq!(w.account(&p.admin).unwrap().lamports, before + rent);
    assert!(w.account(&address).is_none_or(|account| account.data.is_empty()));
    let market = w.market(&p.sol);
    assert_eq!((market.boards, market.board_expiries[0], market.house_gains), (0, 0, [0; SCENARIOS]));
    // The same slot, the same expiry: a board like new.
    w.board(&p.sol, 30, &[140]);
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.strikes[0], board.strikes[1], board.sample_count), (per_unit(140), 0, 0));
}

#[test]
fn a_settled_board_is_closed_when_everybody_is_settled() {
    let (mut w, p, _, expiry) = expiring();
    w.give_options(&p.alice, &p.sol, 0, 0, 5);
    w.set_now(expiry + DAY);
    w.ok(w.settle_board_ix(&p.sol, 0));
    w.refuses(w.close_board_ix(&p.sol, 0), E::BoardNotEmpty);
    w.take_options(&p.alice, &p.sol, 0);
    w.ok(w.close_board_ix(&p.sol, 0));
}

/// Eight boards of sixteen strikes: BTC, in lots of a hundredth.
#[test]
fn a_market_has_eight_boards_of_sixteen_strikes() {
    let (mut w, p) = World::new();
    w.enable_options(&p.btc, BTC / 100);
    let dollars: Vec<i64> = (0..16).map(|index| 45_000 + 2_000 * index).collect();
    for slot in 0..8u8 {
        w.board(&p.btc, i64::from(slot) + 1, &dollars);
        assert_eq!(w.board_of(&p.btc, slot).refreshed, u16::MAX);
    }
    assert_eq!(w.market(&p.btc).boards, u8::MAX);
    let units = w.refresh(&p.btc, 7).compute_units;
    assert!(units < 200_000, "{units}");
}
