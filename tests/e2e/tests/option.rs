//! `open_option`, `close_option`, `settle_option`, and options in withdrawals.

use plimsoll_client::{event::Event, instruction::account};
use plimsoll_e2e_tests::{
    E, Trader, World,
    raw::Price,
    world::{BTC, PRICE_USD, Places, SOL, USD, option_order, strikes},
};
use plimsoll_interface::{
    Address,
    accounts::{Board, MarginAccount, Market, board_state},
    address,
    config::{pause, state},
    event::{OptionTraded, OptionsSettled},
    instruction::{CloseOptionArgs, OpenOptionArgs},
};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The calls of strikes 100, 125 and 150, and the put of the second.
const CALL_100: u8 = 0;
const CALL: u8 = 2;
const PUT: u8 = 3;
const CALL_150: u8 = 4;

/// SOL at 125 USD has a board of 30 days with strikes at 100, 125 and 150, in lots of one SOL, all at a volatility of
/// 100 %. Alice and Bob have a million dollars each.
fn listed() -> (World, Places) {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    w.board(&p.sol, 30, &[100, 125, 150]);
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 1_000_000 * USD as u64);
    }
    (w, p)
}

fn board(p: &Places) -> Address {
    address::board(&p.sol.market, 0)
}

fn traded(outcome: &plimsoll_e2e_tests::Outcome) -> OptionTraded {
    match outcome.event() {
        Event::OptionTraded(event) => event,
        other => panic!("{other:?}"),
    }
}

/// N(x), to 1e-15: Marsaglia's series.
fn normal(x: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-17 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Black-76 of a call, dollars.
fn call(spot: f64, strike: f64, volatility: f64, days: f64) -> f64 {
    let w = volatility * (days / 365.0).sqrt();
    let d1 = (spot / strike).ln() / w + w / 2.0;
    spot * normal(d1) - strike * normal(d1 - w)
}

/// What the module's page in the engine says of a trade from no vega, by wide integers: half spread of 2 points, premium of
/// 5 points at 100,000 USD, 0.1 % on the delta, fee 0.03 %.
fn charges(w: &World, p: &Places, strike: usize, lots: i64, delta: f64) -> (i64, i64) {
    let board = w.board_of(&p.sol, 0);
    let vega = i128::from(board.arrays[strike][37]) * i128::from(lots.abs());
    let scale = board.terms.scale;
    let up = (vega + (1 << scale) - 1) >> scale;
    let after = if lots > 0 { vega >> scale } else { up };
    let ppm_up = |value: i128, ppm: i128| (value * ppm + 999_999) / 1_000_000;
    let premium = (ppm_up((after * after + 99_999_999_999) / 100_000_000_000, 50_000) + 1) / 2;
    let hedge = (delta * 125e6 * lots.abs() as f64 * 0.001).ceil() as i128;
    (i64::try_from(ppm_up(up, 20_000) + hedge).unwrap(), i64::try_from(premium).unwrap())
}

#[test]
fn a_purchase_costs_black_76_and_the_charges() {
    let (mut w, p) = listed();
    let outcome = w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    let event = traded(&outcome);
    let exact = call(125.0, 125.0, 1.0, 30.0);
    let mid = event.mid_price as f64 / 2f64.powi(48) * 1_000.0;
    assert!((mid - exact).abs() < 1e-6, "{mid} and {exact}");
    // 10 SOL in base units.
    let value = (u128::from(event.mid_price) * 10_000_000_000).div_ceil(1 << 48) as i64;
    let (spread, premium) = charges(&w, &p, 1, 10, normal((30f64 / 365.0).sqrt() / 2.0));
    let expected = OptionTraded {
        account: p.alice.account,
        market: p.sol.market,
        board: board(&p),
        trader: p.alice.owner,
        series: u64::from(CALL),
        lots: 10,
        cost: value + spread + premium,
        // 0.03 % of 1,250 USD.
        fee: 375_000,
        mid_price: event.mid_price,
        spot: 1 << 45,
        position: 10,
        house_lots: -10,
    };
    assert_eq!(event, expected);
    // 142.48 for the options, 2 % of 142.11 vega, 0.1 % of 696 delta, and the premium.
    assert!((146_000_000..146_200_000).contains(&event.cost), "{}", event.cost);
    let cash = -event.cost - event.fee as i64;
    assert_eq!(w.position(&p.alice, &p.sol), (0, cash));
    assert_eq!(w.market(&p.sol).house_cash, -cash);
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.house_lots[2], board.long_lots[2]), (-10, 10));
    assert_eq!(w.option_lots(&p.alice, &p.sol, 0, CALL), 10);
    assert!(w.market(&p.sol).house_boards[0].value < 0);
}

/// The same down: the price less all of that.
#[test]
fn a_sale_brings_black_76_less_the_charges() {
    let (mut w, p) = listed();
    let event = traded(&w.open_option(&p.alice, &p.sol, 0, PUT, -10));
    let value = ((u128::from(event.mid_price) * 10_000_000_000) >> 48) as i64;
    let (spread, premium) = charges(&w, &p, 1, -10, 1.0 - normal((30f64 / 365.0).sqrt() / 2.0));
    assert_eq!((event.cost, event.fee), (-(value - spread - premium), 375_000));
    assert_eq!(w.position(&p.alice, &p.sol), (0, -event.cost - 375_000));
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.house_lots[3], board.long_lots[3]), (10, 0));
}

/// At the forward a call and a put are worth the same.
#[test]
fn calls_and_puts_are_at_parity() {
    let (mut w, p) = listed();
    let call = traded(&w.open_option(&p.alice, &p.sol, 0, CALL, 1));
    let put = traded(&w.open_option(&p.bob, &p.sol, 0, PUT, 1));
    assert!(call.mid_price.abs_diff(put.mid_price) <= 1, "{call:?} {put:?}");
}

#[test]
fn a_round_trip_costs_and_leaves_no_slot() {
    let (mut w, p) = listed();
    for lots in [10, -10] {
        let before = w.position(&p.alice, &p.sol).1;
        w.open_option(&p.alice, &p.sol, 0, CALL, lots);
        w.close_option(&p.alice, &p.sol, 0, CALL, 3);
        assert_eq!(w.option_lots(&p.alice, &p.sol, 0, CALL), (lots - lots.signum() * 3) as i32);
        let event = traded(&w.close_option(&p.alice, &p.sol, 0, CALL, u64::MAX));
        assert_eq!((event.position, event.house_lots), (0, 0));
        let lost = before - w.position(&p.alice, &p.sol).1;
        // Twice 2.84 of volatility, 0.7 of delta, 0.375 of fees, and the premium does not come back beyond the mid.
        assert!((7_000_000..9_000_000).contains(&lost), "{lost}");
    }
    let account = w.margin_account(&p.alice);
    assert!(account.boards.iter().all(|slot| slot.in_use == 0));
    let market = w.market(&p.sol);
    assert_eq!((market.house_boards[0].valid_until, market.house_gains), (0, [0; 16]));
}

#[test]
fn a_position_may_flip() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    w.open_option(&p.alice, &p.sol, 0, CALL, -15);
    assert_eq!(w.option_lots(&p.alice, &p.sol, 0, CALL), -5);
    let board = w.board_of(&p.sol, 0);
    assert_eq!((board.house_lots[2], board.long_lots[2]), (5, 0));
}

#[test]
fn a_delegate_trades() {
    let (mut w, p) = listed();
    let set = account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate: p.bob.owner, scope: 0 };
    w.ok(set.instruction());
    let open = |w: &World, who| w.priced().open_option(who, &w.keyed(&p.alice), &board(&p), option_order(CALL, 1));
    w.refuses(open(&w, p.carol.owner).unwrap(), E::NotOwnerOrDelegate);
    assert_eq!(traded(&w.ok(open(&w, p.bob.owner).unwrap())).trader, p.bob.owner);
    let args = CloseOptionArgs { lots: 1, limit_price: 0, expires_at: 0, series: CALL };
    let close = |w: &World, who| w.priced().close_option(who, &w.keyed(&p.alice), &board(&p), args).unwrap();
    w.refuses(close(&w, p.carol.owner), E::NotOwnerOrDelegate);
    w.ok(close(&w, p.bob.owner));
}

#[test]
fn orders_that_are_refused() {
    let (mut w, p) = listed();
    let order = |w: &World, args: OpenOptionArgs| w.option_order_ix(&p.alice, &p.sol, 0, args);
    for lots in [0, i64::MIN] {
        w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, lots), E::ZeroSize);
    }
    for series in [6, 31, 32, 255] {
        w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, series, 1), E::UnknownSeries);
    }
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 10_001), E::OpenLotsLimit);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1 << 31), E::TooManyLots);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, i64::MAX), E::TooManyLots);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::NoPosition);
    let now = w.now();
    w.refuses(order(&w, OpenOptionArgs { expires_at: now - 1, ..option_order(CALL, 1) }), E::OrderExpired);
    let reduce_only = |lots| OpenOptionArgs { reduce_only: 1, ..option_order(CALL, lots) };
    w.refuses(order(&w, reduce_only(1)), E::ReduceOnlyViolated);
    w.ok(order(&w, OpenOptionArgs { expires_at: now, ..option_order(CALL, 5) }));
    w.refuses(order(&w, reduce_only(1)), E::ReduceOnlyViolated);
    w.refuses(order(&w, reduce_only(-6)), E::ReduceOnlyViolated);
    w.ok(order(&w, reduce_only(-2)));
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 0), E::ZeroSize);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, PUT, 1), E::NoPosition);
    w.close_option(&p.alice, &p.sol, 0, CALL, u64::MAX);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::NoPosition);
}

/// The limit holds for the average per base unit, without the fee, to the last bit.
#[test]
fn the_limit_price_holds_to_the_last_bit() {
    for lots in [10, -10] {
        let (mut w, p) = listed();
        let limited = |w: &World, limit_price| {
            w.option_order_ix(&p.alice, &p.sol, 0, OpenOptionArgs { limit_price, ..option_order(CALL, lots) })
        };
        // The price of the same order, from another world.
        let cost = traded(&listed().0.open_option(&p.alice, &p.sol, 0, CALL, lots)).cost.unsigned_abs();
        let (best, worse) = if lots > 0 {
            let average = (u128::from(cost) << 48).div_ceil(10_000_000_000) as u64;
            (average, average - 1)
        } else {
            let average = ((u128::from(cost) << 48) / 10_000_000_000) as u64;
            (average, average + 1)
        };
        w.refuses(limited(&w, worse), E::LimitPrice);
        w.ok(limited(&w, best));
    }
}

#[test]
fn pauses_and_states() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    let open = |w: &World| w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1);
    let close = |w: &World| w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(open(&w), E::Paused);
    w.refuses(close(&w), E::Paused);
    w.configure(|config| config.pauses = pause::OPEN);
    w.refuses(open(&w), E::Paused);
    w.ok(close(&w));
    w.configure(|config| config.pauses = 0);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(open(&w), E::MarketReduceOnly);
    w.ok(close(&w));
    w.configure_market(&p.sol, |config| (config.state, config.options.enabled) = (state::ACTIVE, 0));
    w.refuses(open(&w), E::OptionsDisabled);
    w.ok(close(&w));
}

#[test]
fn prices_that_are_wide_or_old() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    let wide = Price { confidence: 3 * PRICE_USD as u64, ..w.price(125) };
    w.publish(&p.sol, wide);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::OracleTooWide);
    w.close_option(&p.alice, &p.sol, 0, CALL, 1);
    w.pass(61);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::OracleStale);
}

/// Arrays of 30 days live for a sixteenth of that, and reach as far as the spot may move by a quarter of a standard deviation, at most 1/32.
#[test]
fn a_board_must_be_refreshed_first() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    w.set_price(&p.sol, 129);
    let buy = |w: &World, trader: &Trader| w.open_option_ix(trader, &p.sol, 0, CALL, 1);
    // 3.2 % away.
    w.refuses(buy(&w, &p.alice), E::HouseBoardStale);
    w.refuses(w.flag_ix(&p.alice), E::BoardStale);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::BoardStale);
    w.refuses(w.open_ix(&p.bob, &p.sol, SOL), E::HouseBoardStale);
    w.refresh(&p.sol, 0);
    w.ok(buy(&w, &p.alice));
    w.flag(&p.alice);
    w.open(&p.bob, &p.sol, SOL);
    w.pass(30 * DAY / 16 + 1);
    w.set_price(&p.sol, 129);
    w.refuses(w.flag_ix(&p.alice), E::BoardStale);
    w.refuses(w.close_ix(&p.bob, &p.sol, 1), E::HouseBoardStale);
    w.refresh(&p.sol, 0);
    w.flag(&p.alice);
    w.close(&p.bob, &p.sol, 1);
}

/// A strike that was listed after the last refresh has no array.
#[test]
fn a_new_strike_is_traded_after_a_refresh() {
    let (mut w, p) = listed();
    let mut args = strikes(&[]);
    args.strikes[3] = plimsoll_e2e_tests::world::strike(175);
    w.ok(w.list_strikes_ix(&p.sol, 0, args));
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, 6, 1), E::BoardStale);
    w.refresh(&p.sol, 0);
    w.open_option(&p.alice, &p.sol, 0, 6, 1);
}

#[test]
fn nothing_is_traded_from_the_expiry_on() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 2);
    w.pass(30 * DAY - 1);
    w.set_price(&p.sol, 125);
    w.refresh(&p.sol, 0);
    w.close_option(&p.alice, &p.sol, 0, CALL, 1);
    w.pass(1);
    w.set_price(&p.sol, 125);
    w.refresh(&p.sol, 0);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::OptionExpired);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::OptionExpired);
}

/// The house's loss in the worst scenario is its budget at most; a trade that lowers it is always accepted.
#[test]
fn the_house_keeps_within_its_budget() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 100);
    // Up by 20 %, the volatility up: about 23 USD each.
    w.configure_market(&p.sol, |config| config.risk_budget = 2_400 * USD as u64);
    w.open_option(&p.alice, &p.sol, 0, CALL, 1);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 10), E::HouseRiskBudget);
    // The house is short of the calls: buying SOL from it makes that worse, selling to it is a hedge.
    w.refuses(w.open_ix(&p.bob, &p.sol, 20 * SOL), E::HouseRiskBudget);
    w.open(&p.bob, &p.sol, -20 * SOL);
    w.open_option(&p.alice, &p.sol, 0, CALL, 10);
    w.configure_market(&p.sol, |config| config.risk_budget = 1);
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::HouseRiskBudget);
    w.close_option(&p.alice, &p.sol, 0, CALL, 50);
    w.open_option(&p.bob, &p.sol, 0, CALL, -10);
}

#[test]
fn a_buyer_pays_and_a_seller_margins() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 200 * USD as u64);
    // A call costs 14.6, counts 14.2 and may lose 13 of it.
    w.refuses(w.open_option_ix(&p.carol, &p.sol, 0, CALL, 18), E::InsufficientMargin);
    // A short one may lose 22 or 23.
    w.refuses(w.open_option_ix(&p.carol, &p.sol, 0, CALL, -12), E::InsufficientMargin);
    w.open_option(&p.carol, &p.sol, 0, CALL, -5);
    // Covered by SOL it costs less.
    w.open(&p.carol, &p.sol, 3 * SOL);
    w.open_option(&p.carol, &p.sol, 0, CALL, -3);
}

/// Below its initial line, an account may close what it has, and open nothing.
#[test]
fn a_poor_account_may_reduce() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 200 * USD as u64);
    w.open_option(&p.carol, &p.sol, 0, CALL, -8);
    w.set_price(&p.sol, 140);
    w.refresh(&p.sol, 0);
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    w.refuses(w.open_option_ix(&p.carol, &p.sol, 0, CALL, -1), E::InsufficientMargin);
    w.refuses(w.open_option_ix(&p.carol, &p.sol, 0, CALL_150, 1), E::InsufficientMargin);
    w.close_option(&p.carol, &p.sol, 0, CALL, 2);
    assert_eq!(w.option_lots(&p.carol, &p.sol, 0, CALL), -6);
}

/// A long option hedges: to sell the hedge and be worse off below the line is refused.
#[test]
fn a_reduction_that_makes_it_worse_is_refused() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 200 * USD as u64);
    w.open_option(&p.carol, &p.sol, 0, CALL_150, 10);
    w.open_option(&p.carol, &p.sol, 0, CALL, -10);
    w.edit::<MarginAccount>(&p.carol.account, |account| account.markets[0].cash -= 175 * USD);
    w.edit::<Market>(&p.sol.market, |market| market.house_cash += 175 * USD);
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    w.refuses(w.close_option_ix(&p.carol, &p.sol, 0, CALL_150, 5), E::InsufficientMargin);
    assert_eq!(w.option_lots(&p.carol, &p.sol, 0, CALL_150), 10);
    w.close_option(&p.carol, &p.sol, 0, CALL, 5);
}

/// Nobody goes short for nothing, but whoever is long may give it away.
#[test]
fn an_option_that_is_worth_nothing() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL_150, 5);
    w.set_price(&p.sol, 50);
    w.refresh(&p.sol, 0);
    w.pass(29 * DAY);
    w.set_price(&p.sol, 50);
    w.refresh(&p.sol, 0);
    w.refuses(w.open_option_ix(&p.bob, &p.sol, 0, CALL_150, -5), E::SkewTooLarge);
    let sold = traded(&w.close_option(&p.alice, &p.sol, 0, CALL_150, u64::MAX));
    assert_eq!((sold.cost, sold.fee), (0, 0));
    // Nor is one had for nothing: a unit a lot.
    let bought = traded(&w.open_option(&p.bob, &p.sol, 0, CALL_150, 5));
    assert!(bought.cost >= 5 && bought.cost < 100, "{bought:?}");
}

#[test]
fn an_account_has_eight_boards() {
    let (mut w, p) = listed();
    for days in 31..38 {
        w.board(&p.sol, days, &[125]);
    }
    w.enable_options(&p.btc, BTC / 100);
    w.board(&p.btc, 30, &[60_000]);
    w.open_option(&p.alice, &p.sol, 0, CALL, 1);
    for slot in 1..8 {
        w.open_option(&p.alice, &p.sol, slot, 0, 1);
    }
    w.refuses(w.open_option_ix(&p.alice, &p.btc, 0, 0, 1), E::TooManyBoards);
    w.close_option(&p.alice, &p.sol, 3, 0, 1);
    w.open_option(&p.alice, &p.btc, 0, 0, 1);
    // It stands in the slot that became free, between the others' options.
    assert_eq!(w.margin_account(&p.alice).options[3].board_slot, 3);
    w.flag(&p.alice);
}

#[test]
fn an_account_has_thirty_two_options() {
    let (mut w, p) = listed();
    let dollars: Vec<i64> = (0..16).map(|index| 80 + 5 * index).collect();
    w.board(&p.sol, 60, &dollars);
    for series in (0..32).rev() {
        w.open_option(&p.alice, &p.sol, 1, series, if series % 3 == 0 { -1 } else { 1 });
    }
    w.refuses(w.open_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::TooManyOptions);
    w.close_option(&p.alice, &p.sol, 1, 16, 1);
    w.open_option(&p.alice, &p.sol, 0, CALL, 1);
    w.flag(&p.alice);
}

/// 2^30 lots in one board are the most that the engine sums, of the house's as of anybody's.
#[test]
fn a_board_has_so_many_lots() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 1);
    w.configure_market(&p.sol, |config| config.options.vega_scale = 1 << 60);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.options[0].lots = 1 << 30);
    w.edit::<Board>(&board(&p), |board| (board.house_lots[2], board.long_lots[2]) = (-(1 << 30), 1 << 30));
    w.refuses(w.open_option_ix(&p.bob, &p.sol, 0, CALL_100, 1), E::TooManyLots);
}

#[test]
fn what_the_account_uses_must_be_listed() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 1);
    let mut ix = w.flag_ix(&p.alice);
    ix.accounts.retain(|meta| meta.pubkey != board(&p));
    w.refuses(ix, E::MissingBoard);
}

/// An option that was bought is a claim on the house: tokens do not leave against it.
#[test]
fn nothing_is_withdrawn_against_a_mark() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 1_000 * USD as u64);
    w.open_option(&p.carol, &p.sol, 0, CALL, 10);
    w.settle(&p.carol, &p.sol);
    assert_eq!(w.position(&p.carol, &p.sol).1, 0);
    let left = 1_000 * USD as u64 - 146_600_000;
    w.set_price(&p.sol, 150);
    w.refresh(&p.sol, 0);
    // Without debts all of the deposit may leave; a dollar more would be borrowed against the options.
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, left + 2 * USD as u64), E::UnsettledGain);
    w.withdraw(&p.carol, &p.usdc, u64::MAX);
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, USD as u64), E::UnsettledGain);
}

/// The board is settled at `dollars`.
fn settled(w: &mut World, p: &Places, dollars: u64) {
    w.edit::<Board>(&board(p), |board| {
        (board.state, board.settlement_price) = (board_state::SETTLED, (dollars << 48) / 1_000);
    });
}

/// At 140 USD: the call of 125 pays 15, that of 150 nothing. Alice has three of the first, Bob sold two of them and one of
/// the second. 140 is a repeating fraction in Q16.48: what is paid is rounded down, what is owed up.
#[test]
fn options_are_settled_in_cash() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 3);
    w.open_option(&p.bob, &p.sol, 0, CALL, -2);
    w.open_option(&p.bob, &p.sol, 0, CALL_150, -1);
    let cash = |w: &World, trader: &Trader| w.position(trader, &p.sol).1;
    let (alice, bob, house) = (cash(&w, &p.alice), cash(&w, &p.bob), w.market(&p.sol).house_cash);
    w.refuses(w.settle_option_ix(&p.alice, &p.sol, 0), E::BoardNotSettled);
    settled(&mut w, &p, 140);
    let margin = w.margin(&p.bob);
    let outcome = w.settle_option(&p.alice, &p.sol, 0);
    let expected = OptionsSettled {
        account: p.alice.account,
        market: p.sol.market,
        board: board(&p),
        amount: 44_999_999,
        settlement_price: (140 << 48) / 1_000,
        series: 1,
    };
    assert_eq!(outcome.event(), Event::OptionsSettled(expected));
    w.settle_option(&p.bob, &p.sol, 0);
    assert_eq!((cash(&w, &p.alice), cash(&w, &p.bob)), (alice + 44_999_999, bob - 30_000_000));
    assert_eq!(w.market(&p.sol).house_cash, house - 44_999_999 + 30_000_000);
    // The margin has counted it since the board was settled.
    assert_eq!(w.margin(&p.bob), margin);
    let stored = w.board_of(&p.sol, 0);
    assert_eq!((stored.house_lots, stored.long_lots), ([0; 32], [0; 32]));
    assert!(w.margin_account(&p.bob).boards.iter().all(|slot| slot.in_use == 0));
    w.refuses(w.settle_option_ix(&p.bob, &p.sol, 0), E::NothingToSettle);
}

/// At 110 USD the put of 125 pays 15.
#[test]
fn puts_are_settled_in_cash() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, PUT, 2);
    w.open_option(&p.bob, &p.sol, 0, PUT, -5);
    w.open_option(&p.bob, &p.sol, 0, CALL, 4);
    let cash = |w: &World, trader: &Trader| w.position(trader, &p.sol).1;
    let (alice, bob) = (cash(&w, &p.alice), cash(&w, &p.bob));
    settled(&mut w, &p, 110);
    w.settle_option(&p.alice, &p.sol, 0);
    w.settle_option(&p.bob, &p.sol, 0);
    assert_eq!((cash(&w, &p.alice), cash(&w, &p.bob)), (alice + 30_000_000, bob - 75_000_001));
}

#[test]
fn settlement_may_be_paused() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 3);
    settled(&mut w, &p, 140);
    w.configure(|config| config.pauses = pause::SETTLE);
    w.refuses(w.settle_option_ix(&p.alice, &p.sol, 0), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.refuses(w.close_option_ix(&p.alice, &p.sol, 0, CALL, 1), E::OptionExpired);
}

/// A settled board has no price that anything depends on: with a dead feed the account is as before.
#[test]
fn settled_options_have_no_risk() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, 3);
    w.settle(&p.alice, &p.sol);
    settled(&mut w, &p, 140);
    let margin = w.margin(&p.alice);
    assert_eq!((margin.requirement_init.raw(), margin.blocked_by), (0, None));
    w.pass(2 * DAY);
    assert_eq!(w.margin(&p.alice).blocked_by, None);
    w.flag(&p.alice);
}

/// Options in liquidations.
mod liquidation {
    use std::collections::BTreeMap;

    use bytemuck::Zeroable;
    use plimsoll_client::{
        Snapshot,
        decode::{self, AnyAccount},
    };
    use plimsoll_e2e_tests::{chain::with_meta, raw};
    use plimsoll_interface::{accounts::Bank, event::Liquidated, instruction::LiquidateArgs};
    use plimsoll_risk::{liquidation::pro_rata_signed, units::Fraction};

    use super::*;

    /// Lowers the account's cash in a market until its equity is so many percent of its maintenance requirement.
    fn sink(w: &mut World, snapshot: impl Fn(&World) -> Snapshot, account: &Address, market: &Address, percent: i64) {
        let margin = snapshot(w).margin(&w.read(account)).unwrap();
        let less = margin.equity_maint.raw() - margin.requirement_maint.raw() / 100 * percent;
        let slot = w.read::<MarginAccount>(account).market_slot(market).unwrap();
        w.edit::<MarginAccount>(account, |account| account.markets[slot].cash -= less);
        w.edit::<Market>(market, |market| market.house_cash += less);
    }

    fn liquidated(outcome: &plimsoll_e2e_tests::Outcome) -> Liquidated {
        match outcome.event() {
            Event::Liquidated(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Alice has dollars, SOL, a long BTC position, and options of SOL, sold and bought, in lots of a tenth; her equity is
    /// seven tenths of her maintenance requirement. Carol has half a million.
    fn sunk() -> (World, Places) {
        let (mut w, p) = World::new();
        w.enable_options(&p.sol, SOL / 10);
        w.board(&p.sol, 30, &[100, 125, 150]);
        w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        w.open(&p.alice, &p.btc, BTC / 50);
        for (series, lots) in [(CALL_100, 31), (CALL, -301), (PUT, -207), (CALL_150, 103)] {
            w.open_option(&p.alice, &p.sol, 0, series, lots);
        }
        w.deposit(&p.carol, &p.usdc, 500_000 * USD as u64);
        sink(&mut w, World::priced, &p.alice.account, &p.sol.market, 70);
        (w, p)
    }

    fn lots(w: &World, trader: &Trader) -> [i64; 6] {
        let p = w.places();
        std::array::from_fn(|series| i64::from(w.option_lots(trader, &p.sol, 0, series as u8)))
    }

    #[test]
    fn a_mixed_book_is_taken_over_with_its_options() {
        let (mut w, p) = sunk();
        let before = w.margin(&p.alice);
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        assert!(event.fraction < 1 << 32);
        let moved =
            [31, 0, -301, -207, 103, 0].map(|lots| pro_rata_signed(lots, Fraction::from_raw(event.fraction)).unwrap());
        assert_eq!(lots(&w, &p.carol), moved);
        assert_eq!(lots(&w, &p.alice), [31 - moved[0], 0, -301 - moved[2], -207 - moved[3], 103 - moved[4], 0]);
        let board = w.board_of(&p.sol, 0);
        assert_eq!(board.house_lots[..6], [-31, 0, 301, 207, -103, 0]);
        assert_eq!(board.long_lots[..6], [31, 0, 0, 0, 103, 0]);
        let after = w.margin(&p.alice);
        let ratio = |margin: &plimsoll_risk::portfolio::Margin| {
            margin.equity_maint.raw() as f64 / margin.requirement_maint.raw() as f64
        };
        assert!(ratio(&before) < 0.71 && ratio(&after) >= 1.1, "{} to {}", ratio(&before), ratio(&after));
        assert_eq!(w.margin_account(&p.alice).liquidation_started_at, 0);
        assert!(w.margin(&p.carol).health_init().unwrap().raw() >= 0);
    }

    #[test]
    fn a_whole_book_leaves_no_slot() {
        let (mut w, p) = sunk();
        sink(&mut w, World::priced, &p.alice.account, &p.sol.market, 1);
        assert_eq!(liquidated(&w.liquidate(&p.carol, &p.alice)).fraction, 1 << 32);
        assert_eq!(lots(&w, &p.alice), [0; 6]);
        assert_eq!(lots(&w, &p.carol), [31, 0, -301, -207, 103, 0]);
        assert!(w.margin_account(&p.alice).boards.iter().all(|slot| slot.in_use == 0));
    }

    /// A taker with the opposite options is left with what does not cancel.
    #[test]
    fn what_cancels_is_gone() {
        let (mut w, p) = sunk();
        sink(&mut w, World::priced, &p.alice.account, &p.sol.market, 1);
        w.open_option(&p.carol, &p.sol, 0, CALL, 301);
        w.open_option(&p.carol, &p.sol, 0, PUT, 7);
        w.liquidate(&p.carol, &p.alice);
        assert_eq!(lots(&w, &p.carol), [31, 0, 0, -200, 103, 0]);
        assert_eq!(w.board_of(&p.sol, 0).long_lots[..6], [31, 0, 0, 0, 103, 0]);
    }

    #[test]
    fn boards_are_passed_writable() {
        let (mut w, p) = sunk();
        let ix = w.liquidate_ix(&p.carol, &p.alice);
        let place = ix.accounts.iter().position(|meta| meta.pubkey == board(&p)).unwrap();
        w.refuses(with_meta(&ix, place, |meta| meta.is_writable = false), E::NotWritable);
        w.refuses(with_meta(&ix, place, |meta| meta.pubkey = p.usdc.mint), E::MissingBoard);
        w.set_price(&p.sol, 129);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::BoardStale);
        w.refresh(&p.sol, 0);
        w.liquidate(&p.carol, &p.alice);
    }

    #[test]
    fn a_taker_without_room_for_options() {
        let (mut w, p) = sunk();
        let dollars: Vec<i64> = (0..16).map(|index| 80 + 5 * index).collect();
        w.board(&p.sol, 60, &dollars);
        for series in 0..32 {
            w.open_option(&p.carol, &p.sol, 1, series, 1);
        }
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::TooManyOptions);
        w.close_option(&p.carol, &p.sol, 1, 0, 1);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::TooManyOptions);
    }

    #[test]
    fn a_taker_without_room_for_boards() {
        let (mut w, p) = sunk();
        w.enable_options(&p.btc, BTC / 100);
        for days in 30..38 {
            w.board(&p.btc, days, &[60_000]);
        }
        for slot in 0..8 {
            w.open_option(&p.carol, &p.btc, slot, 0, 1);
        }
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::TooManyBoards);
    }

    /// The exchange with everything that is on the chain.
    fn everything(w: &World) -> Snapshot {
        let mut snapshot = Snapshot { banks: BTreeMap::new(), markets: BTreeMap::new(), ..w.stored() };
        for address in w.known() {
            let Some(account) = w.account(address) else { continue };
            match decode::any(address, &account.owner, &account.data) {
                Ok(AnyAccount::Market(market)) => drop(snapshot.markets.insert(*address, *market)),
                Ok(AnyAccount::Bank(bank)) => drop(snapshot.banks.insert(*address, *bank)),
                _ => {}
            }
        }
        snapshot
    }

    fn named(kind: u8, index: usize) -> Address {
        let mut bytes = [kind; 32];
        bytes[31] = index as u8;
        bytes.into()
    }

    /// A market like SOL's, its bank and, of the first eight, a board, of which Alice gets a position, a deposit and four
    /// options.
    fn add(w: &mut World, p: &Places, account: &mut MarginAccount, index: usize) {
        let (market, bank_address) = (named(b'm', index), named(b'b', index));
        let board_address = address::board(&market, 0);
        let slot = account.market_slot_or_new(&market).unwrap();
        let size = if index.is_multiple_of(2) { SOL } else { -SOL };
        (account.markets[slot].size, account.markets[slot].cash) = (size, -size / 8);
        let boards = u8::from(index < 8);
        let mut stored = Market { index: 100 + index as u16, boards, ..w.market(&p.sol) };
        (stored.house_size, stored.house_cash) = (-size, size / 8);
        stored.board_expiries[0] *= i64::from(boards);
        stored.open_interest_long = size.max(0) as u64;
        stored.open_interest_short = (-size).max(0) as u64;
        w.put(market, &stored);
        if index < 15 {
            let balance = account.balance_slot_or_new(&bank_address, Some(&market)).unwrap();
            account.balances[balance].shares = 2 * SOL;
            let (mint, vault, amount) = (named(b'i', index), named(b'v', index), 2 * SOL as u64);
            let bank = Bank { mint, vault, market, deposit_shares: amount, vault_amount: amount, ..w.bank(&p.sol) };
            w.put(bank_address, &bank);
            w.set_account(vault, raw::token_account(&mint, &p.exchange, amount));
        }
        if index < 8 {
            let mut board = Board { market, ..w.board_of(&p.sol, 0) };
            let place = account.board_slot_or_new(&board_address, &market).unwrap();
            for (series, lots) in [(0u8, 5), (2, -7), (3, -3), (4, 11)] {
                account.set_option(place, series, lots).unwrap();
                board.house_lots[usize::from(series)] = -i64::from(lots);
                board.long_lots[usize::from(series)] = lots.max(0).unsigned_abs().into();
            }
            w.put(board_address, &board);
        }
    }

    /// An account with sixteen balances, sixteen markets, eight boards of as many markets and 32 options is taken over in
    /// one transaction, by whoever has nothing of it yet.
    #[test]
    fn the_largest_account_is_liquidated_in_one_transaction() {
        let (mut w, p) = listed();
        w.deposit(&p.carol, &p.usdc, 1_000_000 * USD as u64);
        let mut account = w.margin_account(&p.alice);
        for index in 0..16 {
            add(&mut w, &p, &mut account, index);
        }
        assert!(account.balances.iter().all(|slot| slot.in_use == 1));
        assert!(account.markets.iter().all(|slot| slot.in_use == 1));
        assert!(account.boards.iter().all(|slot| slot.in_use == 1));
        assert!(account.options.iter().all(|slot| slot.lots != 0));
        w.put(p.alice.account, &account);
        sink(&mut w, everything, &p.alice.account, &named(b'm', 0), 70);
        let args = LiquidateArgs { max_fraction: 1 << 32, max_payment: u64::MAX };
        let ix = everything(&w).liquidate(p.carol.owner, &w.keyed(&p.carol), &w.keyed(&p.alice), args);
        // And the payer, the program and the program of the compute budget.
        let locks = ix.accounts.len() + 3;
        let outcome = w.ok(ix);
        println!("{locks} locks, {} compute units", outcome.compute_units);
        assert!(locks <= 64, "{locks}");
        assert!(outcome.compute_units < 200_000, "{}", outcome.compute_units);
        assert!((1..1 << 32).contains(&liquidated(&outcome).fraction));
        let taker = w.margin_account(&p.carol);
        assert!(taker.options.iter().filter(|option| option.lots != 0).count() >= 16);
        assert_ne!(taker, MarginAccount::zeroed());
    }
}
