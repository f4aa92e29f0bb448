//! Limits, thresholds and assertions that stand beside the margin: outflow windows, a quote below its worth, sequences.

use plimsoll_e2e_tests::{
    E, World,
    world::{Places, SOL, USD},
};
use plimsoll_interface::{Address, accounts::Exchange, config::limits};

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
    w.refuses(w.priced().house_withdraw(p.usdc.tokens_of(&p.admin), 1), E::OutflowLimit);
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
