//! `settle`.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    E, World,
    world::{BTC, Places, SOL, USD},
};
use plimsoll_interface::{
    accounts::{Bank, MarginAccount},
    config::pause,
    event::Settled,
};

/// Alice has 20,000 USD and has bought `size` of SOL at 125 USD; SOL is at 250 USD now. 100 SOL bought cost her
/// 12,519.375 USD, sold they brought 12,480.625.
fn doubled(size: i64) -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, size);
    w.set_price(&p.sol, 250);
    (w, p)
}

#[test]
fn a_gain_is_paid_from_the_houses_deposit() {
    let (mut w, p) = doubled(100 * SOL);
    let outcome = w.settle(&p.alice, &p.sol);
    // 25,000 less 12,519.375.
    let amount = 12_480_625_000;
    let expected = Settled { account: p.alice.account, market: p.sol.market, amount, spot: 1 << 46 };
    assert_eq!(outcome.event(), Event::Settled(expected));
    assert_eq!(w.position(&p.alice, &p.sol), (100 * SOL, -25_000 * USD));
    assert_eq!(w.shares(&p.alice, &p.usdc), 20_000 * USD + amount);
    assert_eq!(w.house().quote_shares, (1_000_000 * USD - amount) as u64);
    assert_eq!(w.market(&p.sol).house_cash, 25_000 * USD);
}

#[test]
fn a_loss_is_paid_from_the_quote_balance() {
    let (mut w, p) = doubled(-100 * SOL);
    let outcome = w.settle(&p.alice, &p.sol);
    // 12,480.625 less 25,000.
    let amount = -12_519_375_000;
    let expected = Settled { account: p.alice.account, market: p.sol.market, amount, spot: 1 << 46 };
    assert_eq!(outcome.event(), Event::Settled(expected));
    assert_eq!(w.shares(&p.alice, &p.usdc), 20_000 * USD + amount);
    assert_eq!(w.house().quote_shares, (1_000_000 * USD - amount) as u64);
}

#[test]
fn a_loss_beyond_the_quote_balance_becomes_a_borrow() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 1_000 * SOL as u64);
    w.open(&p.alice, &p.sol, -100 * SOL);
    w.set_price(&p.sol, 250);
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.shares(&p.alice, &p.usdc), -12_519_375_000);
    assert_eq!(w.bank(&p.usdc).borrow_shares, 12_519_375_000);
}

#[test]
fn settling_changes_nobodys_equity() {
    for size in [100 * SOL, -100 * SOL] {
        let (mut w, p) = doubled(size);
        let before = w.margin(&p.alice);
        w.settle(&p.alice, &p.sol);
        assert_eq!(w.margin(&p.alice), before);
        w.refuses(w.settle_ix(&p.alice, &p.sol), E::NothingToSettle);
    }
}

#[test]
fn a_closed_market_leaves_the_account_when_it_is_settled() {
    let (mut w, p) = doubled(100 * SOL);
    w.close(&p.alice, &p.sol, u64::MAX);
    // No position: the price's age does not matter.
    w.pass(1_000_000);
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.margin_account(&p.alice).market_slot(&p.sol.market), None);
}

#[test]
fn what_is_refused() {
    let (mut w, p) = doubled(100 * SOL);
    w.refuses(w.settle_ix(&p.alice, &p.btc), E::NothingToSettle);
    w.refuses(w.settle_ix(&p.bob, &p.sol), E::NothingToSettle);
    w.configure(|config| config.pauses = pause::SETTLE);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::Paused);
    w.configure(|config| config.pauses = pause::ALL & !pause::SETTLE);
    w.pass(61);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::OracleStale);
    w.refuses(w.stored().settle(&p.alice.account, &p.sol.market), E::OracleStale);
    let price = w.price(250);
    w.publish(&p.sol, price);
    // The stored price is old, the passed one is not.
    w.refuses(w.stored().settle(&p.alice.account, &p.sol.market), E::OracleStale);
    w.settle(&p.alice, &p.sol);
    w.set_price(&p.sol, 125);
    w.pass(-100);
    w.refuses(w.stored().settle(&p.alice.account, &p.sol.market), E::OracleStale);
}

#[test]
fn a_clock_that_went_back_is_refused() {
    let (mut w, p) = doubled(100 * SOL);
    w.pass(-1);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::ClockWentBack);
}

/// The budgets are taken down and all but 1,000 of the house's shares are redeemed before SOL doubles.
#[test]
fn a_gain_is_paid_as_far_as_the_house_can_pay() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.deposit(&p.bob, &p.usdc, 20_000 * USD as u64);
    w.open(&p.bob, &p.btc, BTC);
    for asset in [p.sol, p.btc, p.eth] {
        w.configure_market(&asset, |config| config.risk_budget = 0);
    }
    w.redeem(&p.admin, 999_000 * USD as u64);
    w.set_price(&p.sol, 250);
    let left = w.house().quote_shares as i64;
    assert!((850 * USD..1_000 * USD).contains(&left), "{left}");
    let outcome = w.settle(&p.alice, &p.sol);
    assert!(matches!(outcome.event(), Event::Settled(Settled { amount, .. }) if amount == left));
    assert_eq!(w.house().quote_shares, 0);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::HouseInsufficient);
    // As soon as somebody has paid the house, the rest follows: BTC falls, and Bob loses more than 12,000 USD.
    w.set_price(&p.btc, 48_000);
    w.settle(&p.bob, &p.btc);
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.position(&p.alice, &p.sol), (100 * SOL, -25_000 * USD));
}

#[test]
fn a_loss_of_less_than_a_share_stays_in_the_bank() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, SOL);
    w.close(&p.alice, &p.sol, u64::MAX);
    // A loss of one unit.
    let (_, cash) = w.position(&p.alice, &p.sol);
    let rest = |w: &mut World, from: i64, to: i64| {
        w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].cash = to);
        w.edit::<plimsoll_interface::accounts::Market>(&p.sol.market, |market| market.house_cash += from - to);
    };
    rest(&mut w, cash, -1);
    w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 2 << 48);
    let house = w.house();
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.house(), house);
    assert_eq!(w.shares(&p.alice, &p.usdc), 20_000 * USD - 1);
    assert_eq!(w.margin_account(&p.alice).market_slot(&p.sol.market), None);
    w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 1 << 48);
}

#[test]
fn a_gain_needs_a_free_balance_slot() {
    let (mut w, p) = doubled(100 * SOL);
    w.edit::<MarginAccount>(&p.alice.account, |account| {
        account.balances[1..].iter_mut().for_each(|slot| slot.in_use = 1);
        account.balances[0].in_use = 1;
        account.balances[0].bank = p.mallory;
    });
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::TooManyBalances);
    w.edit::<MarginAccount>(&p.alice.account, |account| {
        account.balances[1..].iter_mut().for_each(|slot| slot.in_use = 0);
        account.balances[0].bank = p.usdc.bank;
    });
}

#[test]
fn a_worth_that_does_not_fit_is_refused() {
    let (mut w, p) = doubled(100 * SOL);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].cash = i64::MAX);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::Overflow);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].cash = -12_519_375_000);
}
