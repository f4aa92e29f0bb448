//! `accrue_funding`, and funding wherever a position is touched.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    E, World,
    world::{Places, SOL, USD, order},
};
use plimsoll_interface::{
    accounts::{MarginAccount, Market},
    config::FundingConfig,
    event::{FundingAccrued, FundingPaid},
};
use plimsoll_risk::units::Timestamp;

/// 2^48.
const ONE: i64 = 1 << 48;
/// An hour: as long as the price is not dead.
const HOUR: i64 = 3_600;

/// 24 % a day at a skew of 10,000 SOL, at most 2.4 %.
const FUNDING: FundingConfig = FundingConfig { skew_rate_per_day_ppm: 240_000, max_rate_per_day_ppm: 24_000 };

/// Funding in SOL; Alice has 20,000 USD and 100 SOL bought, Bob 20,000 USD.
fn funded() -> (World, Places) {
    let (mut w, p) = World::new();
    w.configure_market(&p.sol, |config| config.funding = FUNDING);
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 20_000 * USD as u64);
    }
    w.open(&p.alice, &p.sol, 100 * SOL);
    (w, p)
}

/// The whole notional a day at a skew of 2,000 SOL.
fn expensive(w: &mut World, p: &Places) {
    w.configure_market(&p.sol, |config| {
        config.funding = FundingConfig { skew_rate_per_day_ppm: 1_000_000, max_rate_per_day_ppm: 1_000_000 };
        config.skew_scale = config.max_open_interest / 5;
    });
}

/// What one base unit pays in an hour, 2^-48 quote native: 0.24 % a day of 0.125, so 0.01 % of it in an hour.
const INDEX_AFTER_AN_HOUR: i64 = ONE / 8 / 10_000;
/// What 100 SOL pay in it: 12,500 USD times 0.01 %, and the rounding.
const PAID_IN_AN_HOUR: i64 = 1_250_000;

#[test]
fn the_larger_side_pays_by_the_hour() {
    let (mut w, p) = funded();
    w.pass(HOUR);
    let outcome = w.accrue_funding(&p.sol);
    let expected = FundingAccrued {
        market: p.sol.market,
        index: INDEX_AFTER_AN_HOUR,
        rate_per_day: 2_400_000_000,
        accrued_at: w.now(),
    };
    assert_eq!(outcome.event(), Event::FundingAccrued(expected));
    // 0.1 / 10,000 of 2^48 is no whole number: what is beyond is kept, and an account pays the next whole unit.
    assert_eq!(w.market(&p.sol).unsettled_funding(), Ok(PAID_IN_AN_HOUR - 1));
    let before = w.position(&p.alice, &p.sol).1;
    let house = w.market(&p.sol).house_cash;
    w.set_price(&p.sol, 125);
    w.settle(&p.alice, &p.sol);
    // Settling pays the funding first, and then moves all of the cash but the position's worth.
    assert_eq!(w.position(&p.alice, &p.sol).1, -12_500 * USD);
    assert_eq!(w.shares(&p.alice, &p.usdc), 20_000 * USD + before + 12_500 * USD - PAID_IN_AN_HOUR);
    assert_eq!(w.market(&p.sol).house_cash, 12_500 * USD);
    assert_eq!(house, -before);
    assert_eq!(w.market(&p.sol).unsettled_funding(), Ok(0));
}

#[test]
fn the_smaller_side_earns_and_the_house_keeps_the_difference() {
    let (mut w, p) = funded();
    w.open(&p.bob, &p.sol, -40 * SOL);
    let cash = [&p.alice, &p.bob].map(|trader| w.position(trader, &p.sol).1);
    let house = w.market(&p.sol).house_cash;
    w.pass(HOUR);
    w.set_price(&p.sol, 125);
    // The skew is 60 SOL: 0.144 % a day, 0.006 % in the hour. Alice pays 0.75 USD, Bob receives 0.30 and the house 0.45.
    let paid = |w: &mut World, trader, size| {
        let outcome = w.ok(w.order_ix(trader, &p.sol, order(size)));
        let paid = outcome.events.iter().find_map(|event| match event {
            Event::FundingPaid(paid) => Some(*paid),
            _ => None,
        });
        paid.expect("a payment")
    };
    let index = w.market(&p.sol).funding_index;
    let by_alice = paid(&mut w, &p.alice, 1);
    let expected = FundingPaid { account: p.alice.account, market: p.sol.market, amount: 750_000, index };
    assert_eq!(by_alice, expected);
    assert_eq!(paid(&mut w, &p.bob, -1).amount, -299_999, "rounded against the account");
    let after = [&p.alice, &p.bob].map(|trader| w.position(trader, &p.sol).1);
    let market = w.market(&p.sol);
    // One base unit bought at 0.125 and sold again: a unit each for what it costs, its spread and its fee, or less.
    assert!((0..=4).contains(&(cash[0] - 750_000 - after[0])), "{cash:?} {after:?}");
    assert!((0..=4).contains(&(cash[1] + 299_999 - after[1])), "{cash:?} {after:?}");
    assert_eq!(after[0] + after[1] + market.house_cash, 0);
    assert!(market.house_cash - house >= 450_001);
}

/// A short skew turns it round.
#[test]
fn shorts_pay_when_they_are_the_larger_side() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, -200 * SOL);
    w.pass(HOUR);
    w.accrue_funding(&p.sol);
    let market = w.market(&p.sol);
    assert_eq!(market.funding_index, -INDEX_AFTER_AN_HOUR - 1, "the index is rounded down");
    assert_eq!(market.funding_rate_per_day(), -2_400_000_000);
    assert_eq!(market.unsettled_funding(), Ok(PAID_IN_AN_HOUR));
}

/// Equity has it at once, settled or not, on the chain and at the client.
#[test]
fn funding_that_is_not_settled_counts_in_equity() {
    let (mut w, p) = funded();
    let before = w.margin(&p.alice);
    w.pass(HOUR);
    w.set_price(&p.sol, 125);
    let after = w.margin(&p.alice);
    assert_eq!(before.equity_init.raw() - after.equity_init.raw(), PAID_IN_AN_HOUR);
    assert_eq!(before.equity_maint.raw() - after.equity_maint.raw(), PAID_IN_AN_HOUR);
    let outcome = w.flag(&p.alice);
    let Event::LiquidationFlagged(event) = outcome.event() else { panic!("{outcome:?}") };
    assert_eq!(event.equity, after.equity_maint.raw());
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.margin(&p.alice).equity_maint, after.equity_maint, "settling changes nobody's equity");
}

/// A gain of funding margins, like any other, and leaves only when it is settled.
#[test]
fn funding_earned_is_withdrawn_only_when_it_is_settled() {
    let (mut w, p) = World::new();
    expensive(&mut w, &p);
    for (trader, size) in [(&p.alice, 600), (&p.bob, -40)] {
        w.deposit(trader, &p.usdc, 20_000 * USD as u64);
        w.open(trader, &p.sol, size * SOL);
    }
    // The skew of 560 SOL is 28 % of the scale: a day brings Bob 28 % of 5,000 USD, and his position wants 1,000.
    for _ in 0..24 {
        w.pass(HOUR);
        w.set_price(&p.sol, 125);
    }
    let all = 20_000 * USD as u64;
    w.refuses(w.withdraw_ix(&p.bob, &p.usdc, all), E::UnsettledGain);
    w.ok(w.settle_ix(&p.bob, &p.sol));
    w.withdraw(&p.bob, &p.usdc, all);
}

#[test]
fn a_dead_feed_stops_funding() {
    let (mut w, p) = funded();
    w.pass(HOUR);
    w.accrue_funding(&p.sol);
    let index = w.market(&p.sol).funding_index;
    assert_eq!(index, INDEX_AFTER_AN_HOUR);
    // The price is an hour old and dead from here on.
    w.pass(10 * HOUR);
    w.accrue_funding(&p.sol);
    assert_eq!(w.market(&p.sol).funding_index, index);
    w.pass(10 * HOUR);
    // What was not counted is not made up for when the feed is back, only from then on.
    w.set_price(&p.sol, 250);
    assert_eq!(w.market(&p.sol).funding_index, index);
    w.pass(HOUR / 2);
    w.accrue_funding(&p.sol);
    // Half an hour at twice the price: as much again, and what had been beyond the last place.
    assert_eq!(w.market(&p.sol).funding_index, ONE / 4 / 10_000);
}

/// The gap before a price is charged at the price that was known then: hindsight moves nothing.
#[test]
fn who_observes_cannot_choose_what_the_past_costs() {
    let (mut w, p) = funded();
    w.pass(HOUR);
    w.set_price(&p.sol, 1_000);
    assert_eq!(w.market(&p.sol).funding_index, INDEX_AFTER_AN_HOUR);
    let (mut often, p) = funded();
    for _ in 0..60 {
        often.pass(HOUR / 60);
        often.accrue_funding(&p.sol);
    }
    let (one, sixty) = (w.market(&p.sol), often.market(&p.sol));
    assert_eq!((sixty.funding_index, sixty.funding_remainder), (one.funding_index, one.funding_remainder));
}

#[test]
fn another_rate_counts_from_when_it_is_set() {
    let (mut w, p) = funded();
    w.pass(HOUR / 2);
    w.configure_market(&p.sol, |config| config.funding = FundingConfig::NONE);
    assert_eq!(w.market(&p.sol).funding_index, INDEX_AFTER_AN_HOUR / 2);
    w.pass(HOUR / 2);
    w.accrue_funding(&p.sol);
    assert_eq!(w.market(&p.sol).funding_index, INDEX_AFTER_AN_HOUR / 2);
    w.pass(-HOUR);
    w.accrue_funding(&p.sol);
    assert_eq!(w.market(&p.sol).funding_accrued_at, w.now() + HOUR, "a clock that went back changes nothing");
}

/// A position that turns pays for what it was, and from then on for what it is.
#[test]
fn a_turned_position_pays_for_each_of_its_sides() {
    let (mut w, p) = funded();
    w.pass(HOUR);
    w.set_price(&p.sol, 125);
    w.open(&p.alice, &p.sol, -200 * SOL);
    assert_eq!(w.market(&p.sol).unsettled_funding(), Ok(0));
    w.pass(HOUR);
    w.set_price(&p.sol, 125);
    // Now short, and the larger side again.
    let cash = w.position(&p.alice, &p.sol).1;
    w.close(&p.alice, &p.sol, 1);
    let market = w.market(&p.sol);
    assert!((0..=1).contains(&market.funding_index.unsigned_abs()), "there and back: {}", market.funding_index);
    assert!(cash - w.position(&p.alice, &p.sol).1 >= PAID_IN_AN_HOUR);
}

/// The house's worth has what traders owe it, to the unit below: its budget may be raised by that much.
#[test]
fn the_house_is_worth_what_it_is_owed() {
    let (mut w, p) = funded();
    w.close(&p.alice, &p.sol, u64::MAX);
    w.settle(&p.alice, &p.sol);
    w.open(&p.alice, &p.btc, 1_000_000);
    w.settle(&p.alice, &p.btc);
    w.value_house();
    let before = w.house().nav;
    w.edit::<Market>(&p.btc.market, |market| market.funding_index = 3 << 45);
    w.value_house();
    // 0.375 quote native on each of a million base units.
    let house = w.house();
    assert_eq!(house.nav - before, 375_000);
    let free = house.nav.unsigned_abs() - house.risk_budget_total;
    let raised = |w: &World, by: u64| {
        let mut config = w.market(&p.eth).config;
        config.risk_budget += by;
        w.priced().configure_market(&p.eth.market, config)
    };
    w.refuses(raised(&w, free + 1), E::HouseBudgets);
    w.ok(raised(&w, free));
}

/// Both accounts settle their funding before anything moves; the margins are the client's, funding accrued.
#[test]
fn a_liquidation_settles_the_funding_of_both() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 650 * SOL);
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    w.open(&p.carol, &p.sol, -10 * SOL);
    w.pass(HOUR);
    w.set_price(&p.sol, 105);
    let mut snapshot = w.priced();
    snapshot.accrue().unwrap();
    let margin = snapshot.margin(&w.margin_account(&p.alice)).unwrap();
    let market = w.market(&p.sol);
    let slot_of = |w: &World, trader| {
        let account = w.margin_account(trader);
        account.markets[account.market_slot(&p.sol.market).unwrap()]
    };
    let before = [&p.alice, &p.carol].map(|trader| slot_of(&w, trader));
    assert!(before.iter().all(|slot| slot.funding_index != market.funding_index));
    w.pass(60);
    let price = w.price(105);
    w.publish(&p.sol, price);
    let mut later = market;
    later.accrue_funding(Timestamp::from_raw(w.now()));
    let owed = before.map(|slot| slot.cash - slot.cash_after_funding(&later).unwrap().raw());
    let outcome = w.liquidate(&p.carol, &p.alice);
    let mut paid = outcome.events.iter().filter_map(|event| match event {
        Event::FundingPaid(paid) => Some((paid.account, paid.amount)),
        _ => None,
    });
    assert_eq!(paid.next(), Some((p.alice.account, owed[0])));
    assert_eq!(paid.next(), Some((p.carol.account, owed[1])));
    assert!(owed[0] > 0 && owed[1] < 0, "{owed:?}");
    let liquidated = outcome.events.iter().find_map(|event| match event {
        Event::Liquidated(liquidated) => Some(*liquidated),
        _ => None,
    });
    let liquidated = liquidated.expect("a liquidation");
    assert!(liquidated.equity < margin.equity_maint.raw(), "a minute more of funding was due");
    let market = w.market(&p.sol);
    assert_eq!(market.funding_accrued_at, w.now());
    for trader in [&p.alice, &p.carol] {
        assert_eq!(slot_of(&w, trader).funding_index, market.funding_index);
    }
}

/// At the whole notional a day for as long as the price lives, an account goes under by funding alone.
#[test]
fn funding_alone_may_liquidate() {
    let (mut w, p) = World::new();
    expensive(&mut w, &p);
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, 600 * SOL);
    let mut hours = 0;
    while w.margin(&p.alice).health_maint().unwrap().raw() >= 0 {
        w.pass(HOUR);
        w.set_price(&p.sol, 125);
        hours += 1;
        assert!(hours < 200, "600 SOL pay 30 % of their notional a day");
    }
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    w.liquidate(&p.carol, &p.alice);
    assert!(w.margin(&p.alice).health_maint().unwrap().raw() >= 0);
}

/// A payment that does not fit is refused, not wrapped.
#[test]
fn a_payment_that_does_not_fit_is_refused() {
    let (mut w, p) = funded();
    w.edit::<Market>(&p.sol.market, |market| market.funding_index = i64::MAX / 2);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].size = i64::MAX);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::Overflow);
    w.refuses(w.flag_ix(&p.alice), E::Overflow);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].size = 100 * SOL);
    w.edit::<Market>(&p.sol.market, |market| market.funding_index = 0);
}
