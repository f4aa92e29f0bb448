//! Charges that grow with totals: concentration by a side's open interest, haircuts by a bank's deposits.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    E, World,
    world::{Places, SOL, USD},
};

/// 2 % of a position at the limit of 10,000 SOL; Alice and Bob have 50,000 USD each.
fn crowded() -> (World, Places) {
    let (mut w, p) = World::new();
    w.configure_market(&p.sol, |config| config.concentration_ppm = 20_000);
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 50_000 * USD as u64);
    }
    (w, p)
}

/// Requirements by the client, and by the program where it tells: towards maintenance.
fn requirements(w: &mut World, trader: &plimsoll_e2e_tests::Trader) -> (i64, i64) {
    let margin = w.margin(trader);
    let outcome = w.flag(trader);
    let Event::LiquidationFlagged(event) = outcome.event() else { panic!("{outcome:?}") };
    assert_eq!(event.requirement, margin.requirement_maint.raw());
    (margin.requirement_init.raw(), margin.requirement_maint.raw())
}

/// 100 SOL are 1 % of the limit, so 0.02 % of 12,500 USD is asked for on top of 20 % and 10 %.
#[test]
fn a_position_is_charged_by_its_sides_open_interest() {
    let (mut w, p) = crowded();
    w.open(&p.alice, &p.sol, 100 * SOL);
    assert_eq!(requirements(&mut w, &p.alice), (2_502_500_000, 1_252_500_000));
    // Bob's 900 beside them make it 10 %, for both: 0.2 %.
    w.open(&p.bob, &p.sol, 900 * SOL);
    assert_eq!(requirements(&mut w, &p.alice), (2_525_000_000, 1_275_000_000));
    assert_eq!(requirements(&mut w, &p.bob), (9 * 2_525_000_000, 9 * 1_275_000_000));
    // Shorts are a side of their own, and the longs' charge is none of theirs.
    w.close(&p.alice, &p.sol, u64::MAX);
    w.open(&p.alice, &p.sol, -100 * SOL);
    assert_eq!(requirements(&mut w, &p.alice), (2_502_500_000, 1_252_500_000));
    assert_eq!(requirements(&mut w, &p.bob).0, 9 * (2_500_000_000 + 22_500_000));
}

/// A hedge frees from the stress and not from the charge: it does not help to trade this market.
#[test]
fn a_hedged_position_is_charged_all_the_same() {
    let (mut w, p) = crowded();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    w.configure_bank(&p.sol, |config| *config = config.with_haircuts(0, 0));
    w.open(&p.alice, &p.sol, -100 * SOL);
    assert_eq!(requirements(&mut w, &p.alice), (2_500_000, 2_500_000));
}

/// The charge is part of what a trade must leave margin for.
#[test]
fn a_position_goes_as_far_as_the_charge_allows() {
    let (mut w, p) = crowded();
    // At 1,900 SOL 20 % are 47,500 USD, the costs 356 and some premium; the charge is 0.38 % of 237,500: 902.
    w.open(&p.alice, &p.sol, 1_900 * SOL);
    let health = w.margin(&p.alice).health_init().unwrap().raw();
    assert!((0..1_200 * USD).contains(&health), "{health}");
    let more = 40 * SOL;
    w.refuses(w.open_ix(&p.alice, &p.sol, more), E::InsufficientMargin);
    w.configure_market(&p.sol, |config| config.concentration_ppm = 0);
    w.open(&p.alice, &p.sol, more);
}

/// Haircut 10 % when the bank is empty, 30 % at its cap of 1,000 SOL; maintenance 5 % and 5 %.
fn growing() -> (World, Places) {
    let (mut w, p) = World::new();
    w.configure_bank(&p.sol, |config| {
        config.deposit_cap = 1_000 * SOL as u64;
        config.haircut_init_full_ppm = 300_000;
    });
    (w, p)
}

#[test]
fn a_haircut_grows_with_the_banks_deposits() {
    let (mut w, p) = growing();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    // A tenth of the cap: 12 % of 12,500 USD beside the range's 20 %. Maintenance: 10 % and 5 %.
    assert_eq!(requirements(&mut w, &p.alice), (4_000_000_000, 1_875_000_000));
    w.deposit(&p.bob, &p.sol, 400 * SOL as u64);
    // A half: 20 %.
    assert_eq!(requirements(&mut w, &p.alice), (5_000_000_000, 1_875_000_000));
    w.deposit(&p.bob, &p.sol, 500 * SOL as u64);
    assert_eq!(requirements(&mut w, &p.alice), (6_250_000_000, 1_875_000_000));
    // A cap that is lowered below the total counts as reached.
    w.configure_bank(&p.sol, |config| config.deposit_cap = SOL as u64);
    assert_eq!(requirements(&mut w, &p.alice), (6_250_000_000, 1_875_000_000));
}

/// Rates that are the same empty and full ask no total, and say what they always said.
#[test]
fn flat_haircuts_do_not_see_the_total() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    let before = w.margin(&p.alice);
    w.deposit(&p.bob, &p.sol, 900 * SOL as u64);
    w.configure_bank(&p.sol, |config| config.deposit_cap = 1);
    assert_eq!(w.margin(&p.alice), before);
}

/// With the steepest haircut that the range of 20 % leaves a deposit its worth at, `2 full - empty = 1 - range`, who has all of
/// a bank never loses health by depositing more, up to the cap and beyond it.
#[test]
fn no_deposit_lowers_health() {
    for (empty, full) in [(100_000, 450_000), (0, 400_000), (799_999, 799_999), (500_000, 650_000)] {
        let (mut w, p) = growing();
        w.configure_bank(&p.sol, |config| {
            (config.haircut_init_ppm, config.haircut_init_full_ppm) = (empty, full);
            (config.haircut_maint_ppm, config.haircut_maint_full_ppm) = (empty, full);
        });
        let mut last = (0, 0);
        for step in 0..100 {
            w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
            let margin = w.margin(&p.alice);
            let health = (margin.health_init().unwrap().raw(), margin.health_maint().unwrap().raw());
            // Three roundings of a unit each.
            assert!(health.0 >= last.0 - 3 && health.1 >= last.1 - 3, "{empty} {full}, {step}: {health:?} {last:?}");
            last = health;
        }
        assert!(last.0 > 0);
    }
}

/// Beyond `2 full - empty = 1` the bank is refused: there the last deposits of one who has all would take more than they add.
#[test]
fn haircuts_that_grow_too_fast_are_refused() {
    let (w, p) = World::new();
    let mut w = w;
    let with = |init_full, maint_full| {
        let mut config = w.bank(&p.sol).config;
        (config.haircut_init_full_ppm, config.haircut_maint_full_ppm) = (init_full, maint_full);
        plimsoll_client::instruction::bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.sol.bank, config }
            .instruction()
    };
    let (too_fast, line, maint) = (with(550_001, 50_000), with(550_000, 525_000), with(550_000, 525_001));
    w.refuses(&too_fast, E::InvalidBankParameters);
    w.refuses(&maint, E::InvalidBankParameters);
    w.ok(&line);
}
