//! Limits, thresholds and assertions that stand beside the margin: outflow windows, a quote below its worth, winding down,
//! sequences and guards.

use plimsoll_client::{event::Event, instruction::controls};
use plimsoll_e2e_tests::{
    Asset, E, Trader, World, raw,
    raw::Price,
    world::{BTC, Places, SOL, USD},
};
use plimsoll_interface::{
    Address,
    accounts::{Exchange, Market},
    change::QuoteFeed,
    config::{limits, pause, state},
    event::{PositionWoundDown, QuoteObserved, Retired},
    instruction::{AssertHealthArgs, AssertPriceArgs},
};
use solana_instruction::Instruction;

const THOUSAND: u64 = 1_000 * USD as u64;

/// A limit of 1,000 USD an hour on the dollar's bank, and 5,000 USD of Bob's in it.
fn limited() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.bob, &p.usdc, 5 * THOUSAND);
    w.configure_bank(&p.usdc, |config| (config.outflow_limit, config.outflow_window_seconds) = (THOUSAND, 3_600));
    (w, p)
}

#[test]
fn no_more_than_the_limit_leaves_in_a_window() {
    let (mut w, p) = limited();
    w.withdraw(&p.bob, &p.usdc, THOUSAND);
    assert_eq!((w.bank(&p.usdc).outflow, w.bank(&p.usdc).outflow_window_start), (THOUSAND, w.now()));
    w.refuses(w.withdraw_ix(&p.bob, &p.usdc, 1), E::OutflowLimit);
    // Redeeming house shares is an outflow like any other.
    w.ok(w.request_redeem_ix(&p.admin, 0, USD as u64));
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.admin, 0).execute(), E::OutflowLimit);
    // What comes in makes room, and no more than what left.
    w.deposit(&p.alice, &p.usdc, 400 * USD as u64);
    assert_eq!(w.bank(&p.usdc).outflow, 600 * USD as u64);
    w.deposit(&p.alice, &p.usdc, 3 * THOUSAND);
    assert_eq!(w.bank(&p.usdc).outflow, 0);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, THOUSAND + 1), E::OutflowLimit);
    w.withdraw(&p.alice, &p.usdc, THOUSAND);
}

#[test]
fn a_window_that_is_over_starts_anew() {
    let (mut w, p) = limited();
    let start = w.now();
    w.withdraw(&p.bob, &p.usdc, THOUSAND);
    w.set_now(start + 3_599);
    w.refuses(w.withdraw_ix(&p.bob, &p.usdc, 1), E::OutflowLimit);
    w.set_now(start + 3_600);
    w.withdraw(&p.bob, &p.usdc, 7);
    assert_eq!((w.bank(&p.usdc).outflow, w.bank(&p.usdc).outflow_window_start), (7, start + 3_600));
}

#[test]
fn what_changes_hands_inside_a_bank_is_no_outflow() {
    let (mut w, p) = limited();
    w.deposit(&p.alice, &p.usdc, THOUSAND);
    w.open(&p.alice, &p.sol, SOL);
    w.set_price(&p.sol, 100);
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.bank(&p.usdc).outflow, 0);
}

/// The dollar stands at `ppm`, stored now.
fn depeg(w: &mut World, p: &Places, ppm: u32) {
    let now = w.now();
    w.edit::<Exchange>(&p.exchange, |exchange| {
        (exchange.quote_price_ppm, exchange.quote_publish_time) = (ppm, now);
    });
}

/// 100 SOL at 125 are worth 12,500; range 20 % and haircut 10 % want 3,750. At 0.95 they want 3,947.368422, rounded up.
#[test]
fn a_cheap_quote_scales_the_initial_requirement_up() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    let before = w.margin(&p.alice);
    assert_eq!(before.requirement_init.raw(), 3_750 * USD);
    depeg(&mut w, &p, 950_000);
    let margin = w.margin(&p.alice);
    assert_eq!(margin.requirement_init.raw(), 3_947_368_422);
    assert_eq!((margin.requirement_maint, margin.equity_init), (before.requirement_maint, before.equity_init));
    let most = 12_500 * USD as u64 - 3_947_368_422;
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, most + 1), E::InsufficientMargin);
    w.withdraw(&p.alice, &p.usdc, most);
}

#[test]
fn a_quote_that_is_not_cheap_enough_or_was_never_observed_changes_nothing() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    let whole = w.margin(&p.alice);
    for ppm in [0, 990_000, 1_000_000, u32::MAX] {
        depeg(&mut w, &p, ppm);
        assert_eq!(w.margin(&p.alice), whole);
    }
    depeg(&mut w, &p, 989_999);
    assert!(w.margin(&p.alice).requirement_init > whole.requirement_init);
}

/// A low price that nobody replaces counts for a day and no longer: no feed that dies freezes the exchange.
#[test]
fn a_low_price_is_remembered_for_a_day() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    depeg(&mut w, &p, 500_000);
    w.pass(limits::QUOTE_MEMORY_SECONDS);
    w.set_price(&p.sol, 125);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::QuoteDepegged);
    w.pass(1);
    w.withdraw(&p.alice, &p.usdc, 1);
}

#[test]
fn a_quote_far_below_its_worth_refuses_new_risk_and_nothing_else() {
    let (mut w, p) = World::new();
    w.deposit(&p.bob, &p.usdc, THOUSAND);
    w.deposit(&p.carol, &p.sol, SOL as u64);
    w.deposit(&p.alice, &p.usdc, THOUSAND);
    w.open(&p.alice, &p.sol, SOL);
    depeg(&mut w, &p, 899_999);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::QuoteDepegged);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::QuoteDepegged);
    w.refuses(w.withdraw_ix(&p.bob, &p.sol, 1), E::QuoteDepegged);
    w.withdraw(&p.bob, &p.usdc, THOUSAND);
    w.deposit(&p.alice, &p.usdc, 1);
    w.close(&p.alice, &p.sol, u64::MAX);
    w.settle(&p.alice, &p.sol);
    w.withdraw(&p.alice, &p.usdc, 1);
    depeg(&mut w, &p, 900_000);
    w.open(&p.alice, &p.sol, SOL);
}

#[test]
fn every_change_of_an_account_counts() {
    let (mut w, p) = World::new();
    let sequence = |w: &World| w.margin_account(&p.alice).sequence;
    assert_eq!(sequence(&w), 0);
    w.deposit(&p.alice, &p.usdc, THOUSAND);
    w.open(&p.alice, &p.sol, SOL);
    w.close(&p.alice, &p.sol, u64::MAX);
    w.settle(&p.alice, &p.sol);
    w.withdraw(&p.alice, &p.usdc, 1);
    w.flag(&p.alice);
    let (owner, account) = (p.alice.owner, p.alice.account);
    let set =
        plimsoll_client::instruction::account::SetDelegate { owner, account, delegate: Address::default(), scope: 0 };
    w.ok(set.instruction());
    assert_eq!(sequence(&w), 7);
    // What fails, and what another account does, does not count.
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 2_000 * THOUSAND), E::VaultInsufficient);
    w.deposit(&p.bob, &p.usdc, 1);
    assert_eq!(sequence(&w), 7);
}

/// Where the dollar's own price stands, and its feed.
const QUOTE_ORACLE: Address = Address::new_from_array([b'$'; 32]);

/// An exchange whose quote has a feed.
fn quoted() -> (World, Places) {
    let (mut w, p) = World::new();
    let feed = QuoteFeed { oracle_kind: 0, feed_id: QUOTE_ORACLE.to_bytes(), oracle_owner: raw::RECEIVER };
    w.ok(set_feed(&p, feed));
    (w, p)
}

fn set_feed(p: &Places, feed: QuoteFeed) -> Instruction {
    controls::SetQuoteFeed { admin: p.admin, exchange: p.exchange, feed, proposed: false }.instruction()
}

/// Publishes a price of the dollar in 1e-8 USD.
fn publish_quote(w: &mut World, price: i64, publish_time: i64) {
    let price = Price { price, ema: price, publish_time, ..w.price(1) };
    w.set_account(QUOTE_ORACLE, raw::account(raw::RECEIVER, raw::price_update_v2(&QUOTE_ORACLE.to_bytes(), &price)));
}

fn observe_quote(p: &Places) -> Instruction {
    controls::ObserveQuote { exchange: p.exchange, oracle: QUOTE_ORACLE }.instruction()
}

#[test]
fn the_price_of_the_quote_is_stored_rounded_down() {
    let (mut w, p) = quoted();
    let now = w.now();
    for (price, ppm) in [(95_000_000, 949_999..=950_000), (100_000_000, 1_000_000..=1_000_000), (7, 0..=0)] {
        publish_quote(&mut w, price, now);
        let outcome = w.ok(observe_quote(&p));
        let exchange: Exchange = w.read(&p.exchange);
        assert!(ppm.contains(&exchange.quote_price_ppm), "{}", exchange.quote_price_ppm);
        let price_ppm = u64::from(exchange.quote_price_ppm);
        let expected = QuoteObserved { exchange: p.exchange, price_ppm, publish_time: now };
        assert_eq!(outcome.event(), Event::QuoteObserved(expected));
    }
}

#[test]
fn prices_of_the_quote_that_are_refused() {
    let (mut w, p) = World::new();
    let now = w.now();
    publish_quote(&mut w, 95_000_000, now);
    w.refuses(observe_quote(&p), E::NoQuoteFeed);
    let (mut w, p) = quoted();
    publish_quote(&mut w, 95_000_000, now);
    w.ok(observe_quote(&p));
    publish_quote(&mut w, 95_000_000, now - 1);
    w.refuses(observe_quote(&p), E::OracleOlderThanObservation);
    publish_quote(&mut w, 95_000_000, now + 11);
    w.refuses(observe_quote(&p), E::OracleInFuture);
    publish_quote(&mut w, 0, now);
    w.refuses(observe_quote(&p), E::OraclePriceNotPositive);
    publish_quote(&mut w, 500_000_000_000, now);
    w.refuses(observe_quote(&p), E::OraclePriceOutOfRange);
    let strange = QuoteFeed { oracle_kind: 1, feed_id: [0; 32], oracle_owner: raw::RECEIVER };
    w.refuses(set_feed(&p, strange), E::UnsupportedOracle);
    // Another feed, or none, forgets what the first one said.
    w.ok(set_feed(&p, QuoteFeed::NONE));
    let exchange: Exchange = w.read(&p.exchange);
    assert_eq!((exchange.quote_price_ppm, exchange.quote_publish_time), (0, 0));
}

/// SOL winds down; Alice is long 10, Bob short 10, and a day has passed.
fn winding_down() -> (World, Places) {
    let (mut w, p) = World::new();
    for (trader, size) in [(&p.alice, 10 * SOL), (&p.bob, -10 * SOL)] {
        w.deposit(trader, &p.usdc, 10 * THOUSAND);
        w.open(trader, &p.sol, size);
    }
    w.configure_market(&p.sol, |config| config.state = state::WIND_DOWN);
    (w, p)
}

fn wind_down(p: &Places, trader: &Trader, asset: &Asset) -> Instruction {
    let (exchange, account, market, oracle) = (p.exchange, trader.account, asset.market, asset.oracle);
    controls::WindDownPosition { exchange, account, market, oracle }.instruction()
}

#[test]
fn a_market_that_winds_down_closes_positions_at_the_oracles_price_once_announced() {
    let (mut w, p) = winding_down();
    let due = w.now() + i64::from(limits::WIND_DOWN_NOTICE_SECONDS_MIN);
    assert_eq!(w.market(&p.sol).wind_down_at, due);
    w.refuses(w.open_ix(&p.carol, &p.sol, SOL), E::MarketReduceOnly);
    w.set_now(due - 1);
    w.set_price(&p.sol, 100);
    w.refuses(wind_down(&p, &p.alice, &p.sol), E::WindDownNotDue);
    w.set_now(due);
    w.set_price(&p.sol, 100);
    let cash = w.position(&p.alice, &p.sol).1;
    let outcome = w.ok(wind_down(&p, &p.alice, &p.sol));
    // 10 SOL at 100 USD, without spread or fee.
    let (account, market) = (p.alice.account, p.sol.market);
    let expected =
        PositionWoundDown { account, market, size: 10 * SOL, value: 1_000 * USD, spot: w.market(&p.sol).spot };
    assert!(matches!(outcome.event(), Event::PositionWoundDown(event)
        if event.size == expected.size && event.spot == expected.spot && (event.value - expected.value).abs() <= 1));
    let (size, after) = w.position(&p.alice, &p.sol);
    assert_eq!(size, 0);
    assert!((after - cash - 1_000 * USD).abs() <= 1);
    assert_eq!(w.market(&p.sol).house_size, 10 * SOL);
    w.refuses(wind_down(&p, &p.alice, &p.sol), E::NoPosition);
    w.refuses(wind_down(&p, &p.carol, &p.sol), E::NoPosition);
    w.ok(wind_down(&p, &p.bob, &p.sol));
    assert_eq!(w.market(&p.sol).house_size, 0);
}

#[test]
fn positions_are_not_closed_at_a_doubtful_price_or_in_another_market() {
    let (mut w, p) = winding_down();
    w.deposit(&p.carol, &p.usdc, 10 * THOUSAND);
    w.open(&p.carol, &p.btc, BTC / 10);
    w.pass(limits::WIND_DOWN_NOTICE_SECONDS_MIN.into());
    w.refuses(wind_down(&p, &p.alice, &p.sol), E::OracleStale);
    let wide = Price { confidence: 5 * 100_000_000, ..w.price(125) };
    w.publish(&p.sol, wide);
    w.refuses(wind_down(&p, &p.alice, &p.sol), E::OracleTooWide);
    w.set_price(&p.btc, 60_000);
    w.refuses(wind_down(&p, &p.carol, &p.btc), E::WindDownNotDue);
    w.pass(1);
    w.set_price(&p.sol, 125);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(wind_down(&p, &p.alice, &p.sol), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.ok(wind_down(&p, &p.alice, &p.sol));
}

#[test]
fn a_market_that_is_taken_up_again_announces_anew() {
    let (mut w, p) = winding_down();
    w.configure_market(&p.sol, |config| config.state = state::ACTIVE);
    assert_eq!(w.market(&p.sol).wind_down_at, 0);
    w.pass(1_000);
    for asset in [p.sol, p.btc, p.eth] {
        let dollars = if asset.market == p.btc.market { 60_000 } else { 125 };
        w.set_price(&asset, dollars);
    }
    w.configure_market(&p.sol, |config| config.state = state::WIND_DOWN);
    let due = w.now() + i64::from(limits::WIND_DOWN_NOTICE_SECONDS_MIN);
    assert_eq!(w.market(&p.sol).wind_down_at, due);
    // Configuring it again moves nothing.
    w.pass(10);
    w.configure_market(&p.sol, |config| config.max_open_interest -= 1);
    assert_eq!(w.market(&p.sol).wind_down_at, due);
}

#[test]
fn an_empty_market_is_retired_for_good() {
    let (mut w, p) = winding_down();
    let retire = controls::RetireMarket { admin: p.admin, exchange: p.exchange, market: p.sol.market }.instruction();
    w.refuses(&retire, E::NotEmpty);
    w.close(&p.alice, &p.sol, u64::MAX);
    w.close(&p.bob, &p.sol, u64::MAX);
    w.settle(&p.alice, &p.sol);
    w.refuses(&retire, E::NotEmpty);
    w.settle(&p.bob, &p.sol);
    w.refuses(&retire, E::NotEmpty);
    w.configure_market(&p.sol, |config| config.risk_budget = 0);
    let outcome = w.ok(&retire);
    assert_eq!(outcome.event(), Event::Retired(Retired { exchange: p.exchange, subject: p.sol.market }));
    assert_eq!(w.market(&p.sol).config.state, state::RETIRED);
    w.refuses(&retire, E::NotEmpty);
    let config = plimsoll_interface::config::MarketConfig { state: state::ACTIVE, ..w.market(&p.sol).config };
    w.refuses(w.priced().configure_market(&p.sol.market, config), E::Retired);
    w.refuses(w.open_ix(&p.carol, &p.sol, SOL), E::MarketReduceOnly);
    // It still prices its bank's deposits.
    w.set_price(&p.sol, 130);
    w.deposit(&p.carol, &p.sol, SOL as u64);
    w.withdraw(&p.carol, &p.usdc, USD as u64);
}

#[test]
fn an_empty_bank_is_retired_for_good() {
    let (mut w, p) = World::new();
    let retire = |bank| controls::RetireBank { admin: p.admin, exchange: p.exchange, bank }.instruction();
    w.deposit(&p.alice, &p.sol, SOL as u64);
    w.refuses(retire(p.sol.bank), E::NotEmpty);
    w.configure_bank(&p.sol, |config| config.state = state::WIND_DOWN);
    w.refuses(retire(p.sol.bank), E::NotEmpty);
    w.refuses(w.deposit_ix(&p.bob, &p.sol, 1), E::BankReduceOnly);
    w.withdraw(&p.alice, &p.sol, u64::MAX);
    w.ok(retire(p.sol.bank));
    assert_eq!(w.bank(&p.sol).config.state, state::RETIRED);
    w.refuses(w.deposit_ix(&p.bob, &p.sol, 1), E::BankReduceOnly);
    let config = plimsoll_interface::config::BankConfig { state: state::ACTIVE, ..w.bank(&p.sol).config };
    let (admin, exchange, bank) = (p.admin, p.exchange, p.sol.bank);
    let configure = plimsoll_client::instruction::bank::Configure { admin, exchange, bank, config };
    w.refuses(configure.instruction(), E::Retired);
    w.configure_bank(&p.usdc, |config| config.state = state::WIND_DOWN);
    w.refuses(retire(p.usdc.bank), E::NotEmpty);
}

/// 100 SOL at 125: equity 12,500, initial requirement 3,750, maintenance half of 2,500 and 5 %.
#[test]
fn health_is_asserted_to_the_unit() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    let assert =
        |w: &World, kind, minimum| w.priced().assert_health(&w.keyed(&p.alice), AssertHealthArgs { kind, minimum });
    for (kind, health) in [(0, 8_750 * USD), (1, 12_500 * USD - 1_250 * USD - 625 * USD)] {
        w.ok(assert(&w, kind, health));
        w.refuses(assert(&w, kind, health + 1), E::HealthAssertion);
        w.ok(assert(&w, kind, i64::MIN));
    }
    w.refuses(assert(&w, 2, 0), E::UnknownKind);
    // An old price that a position depends on leaves initial health unknown.
    w.open(&p.alice, &p.sol, SOL);
    w.pass(61);
    w.refuses(assert(&w, 0, i64::MIN), E::OracleStale);
    w.ok(assert(&w, 1, 0));
}

#[test]
fn a_sequence_is_asserted() {
    let (mut w, p) = World::new();
    let assert = |sequence| controls::AssertSequence { account: p.alice.account, sequence }.instruction();
    w.ok(assert(0));
    w.deposit(&p.alice, &p.usdc, 1);
    w.refuses(assert(0), E::SequenceAssertion);
    w.ok(assert(1));
    w.refuses(assert(2), E::SequenceAssertion);
}

#[test]
fn a_price_is_asserted_within_bounds_and_age() {
    let (mut w, p) = World::new();
    // 125 USD with 9 decimals.
    let spot = 1u64 << 45;
    let assert = |oracle: Option<Address>, minimum, maximum, max_age_seconds| {
        let args = AssertPriceArgs { minimum, maximum, max_age_seconds };
        controls::AssertPrice { market: p.sol.market, oracle, args }.instruction()
    };
    for oracle in [None, Some(p.sol.oracle)] {
        w.ok(assert(oracle, spot, spot, 0));
        w.refuses(assert(oracle, spot + 1, u64::MAX, 0), E::PriceAssertion);
        w.refuses(assert(oracle, 0, spot - 1, 0), E::PriceAssertion);
    }
    w.pass(5);
    let price = w.price(250);
    w.refuses(assert(None, 0, u64::MAX, 4), E::PriceAssertion);
    w.ok(assert(None, spot, spot, 5));
    w.publish(&p.sol, price);
    w.ok(assert(Some(p.sol.oracle), 2 * spot, 2 * spot, 0));
    w.refuses(assert(Some(p.btc.oracle), 0, u64::MAX, 100), E::OracleWrongFeed);
    w.edit::<Market>(&p.sol.market, |market| (market.spot, market.publish_time) = (0, 0));
    w.refuses(assert(None, 0, u64::MAX, u32::MAX), E::PriceAssertion);
    w.observe(&p.sol);
}
