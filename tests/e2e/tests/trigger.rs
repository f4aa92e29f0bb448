//! `place_trigger`, `cancel_trigger`, `execute_trigger`, and delegates that only reduce.

use plimsoll_client::{
    event::{Event, Traded, TriggerChanged},
    instruction::{account, trigger},
};
use plimsoll_e2e_tests::{
    E, Trader, World, raw,
    world::{BTC, Places, SOL, USD, order},
};
use plimsoll_interface::{
    accounts::{delegate_scope, trigger_side, trigger_when},
    config::{limits, pause},
    event::trigger_change,
    instruction::{ClosePositionArgs, OpenPositionArgs, PlaceTriggerArgs},
};
use solana_instruction::Instruction;

/// `dollars` for a SOL in quote native per base unit, Q16.48, and one unit in the last place more.
fn just_above(dollars: u64) -> u64 {
    (u128::from(dollars) << 48).div_ceil(1_000) as u64 + 1
}

/// The same, and one unit less.
fn just_below(dollars: u64) -> u64 {
    ((u128::from(dollars) << 48) / 1_000) as u64 - 1
}

/// A stop loss at 110 USD for 100 SOL long at 125, at any price, for a tip of 2 USD.
fn stop() -> PlaceTriggerArgs {
    PlaceTriggerArgs {
        trigger_price: just_above(110),
        limit_price: 0,
        size: u64::MAX,
        tip: 2 * USD as u64,
        expires_at: 0,
        side: trigger_side::LONG,
        when: trigger_when::AT_OR_BELOW,
    }
}

fn place_ix(p: &Places, trader: &Trader, args: PlaceTriggerArgs) -> Instruction {
    trigger::Place { authority: trader.owner, account: trader.account, market: p.sol.market, args }.instruction()
}

/// Carol executes Alice's order number `index`.
fn execute_ix(w: &World, p: &Places, index: u8) -> Instruction {
    w.priced().execute_trigger(p.carol.owner, &w.keyed(&p.alice), index, Some(p.carol.account)).unwrap()
}

/// Alice is long 100 SOL with 20,000 USD.
fn long() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    (w, p)
}

/// At 110 USD 100 SOL bring 11,000 USD less a half spread of 11, and the premium back that a skew of 100 SOL paid for:
/// 0.005 % of them, 0.55; the fee is 5.50.
#[test]
fn a_stop_loss_is_executed_by_anyone_for_its_tip() {
    let (mut w, p) = long();
    let placed = w.ok(place_ix(&p, &p.alice, stop()));
    let (account, market, trigger_price) = (p.alice.account, p.sol.market, just_above(110));
    let changed = TriggerChanged { account, market, index: 0, kind: trigger_change::PLACED, trigger_price, tip: 0 };
    assert_eq!(placed.event(), Event::TriggerChanged(changed));
    let margin = w.margin(&p.alice);
    w.refuses(execute_ix(&w, &p, 0), E::TriggerNotReached);
    assert_eq!(w.margin(&p.alice), margin, "what waits counts for nothing");

    w.set_price(&p.sol, 110);
    let cash = w.position(&p.alice, &p.sol).1;
    let executed = w.ok(execute_ix(&w, &p, 0));
    let [Event::Traded(traded), Event::TriggerChanged(gone)] = executed.events[..] else { panic!("{executed:?}") };
    let expected = Traded {
        account,
        market,
        trader: p.carol.owner,
        size: -100 * SOL,
        cost: traded.cost,
        fee: 5_500_000,
        spot: traded.spot,
        position: 0,
        house_position: 0,
    };
    assert_eq!(traded, expected);
    // 11,000 less 11 plus 0.55, but for the price's last place: 110 has no end in binary.
    assert!((0..=5).contains(&(traded.cost + (11_000 - 11) * USD + 550_000)), "{}", traded.cost);
    assert_eq!(gone, TriggerChanged { kind: trigger_change::EXECUTED, tip: 2 * USD as u64, ..changed });
    assert_eq!(w.position(&p.alice, &p.sol), (0, cash - traded.cost - traded.fee as i64 - 2 * USD));
    assert_eq!(w.position(&p.carol, &p.sol), (0, 2 * USD));
    w.refuses(w.priced().execute_trigger(p.carol.owner, &before(&w, &p), 0, None).unwrap(), E::NoTrigger);
}

/// Alice's account as it was with the order.
fn before(w: &World, p: &Places) -> plimsoll_client::Keyed<plimsoll_interface::accounts::MarginAccount> {
    let mut keyed = w.keyed(&p.alice);
    keyed.data.triggers[0].side = trigger_side::LONG;
    keyed.data.triggers[0].market = p.sol.market;
    keyed
}

#[test]
fn a_take_profit_waits_for_the_other_side() {
    let (mut w, p) = long();
    let args = PlaceTriggerArgs { trigger_price: just_below(140), when: trigger_when::AT_OR_ABOVE, ..stop() };
    w.ok(place_ix(&p, &p.alice, PlaceTriggerArgs { size: 30 * SOL as u64, ..args }));
    w.set_price(&p.sol, 139);
    w.refuses(execute_ix(&w, &p, 0), E::TriggerNotReached);
    w.set_price(&p.sol, 140);
    w.ok(execute_ix(&w, &p, 0));
    assert_eq!(w.position(&p.alice, &p.sol).0, 70 * SOL);
}

#[test]
fn a_short_position_is_stopped_above() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, -100 * SOL);
    let (side, when) = (trigger_side::SHORT, trigger_when::AT_OR_ABOVE);
    let args = PlaceTriggerArgs { trigger_price: just_below(126), limit_price: u64::MAX, side, when, ..stop() };
    w.ok(place_ix(&p, &p.alice, args));
    w.refuses(execute_ix(&w, &p, 0), E::TriggerNotReached);
    w.set_price(&p.sol, 126);
    w.ok(execute_ix(&w, &p, 0));
    assert_eq!(w.position(&p.alice, &p.sol).0, 0);
}

/// The tip stays with whoever names no account for it, and nobody names a stranger's.
#[test]
fn a_tip_goes_to_the_executors_own_account_or_nowhere() {
    let (mut w, p) = long();
    w.ok(place_ix(&p, &p.alice, stop()));
    w.set_price(&p.sol, 110);
    let stranger = w.priced().execute_trigger(p.mallory, &w.keyed(&p.alice), 0, Some(p.carol.account)).unwrap();
    w.refuses(stranger, E::NotOwnerOrDelegate);
    let cash = w.position(&p.alice, &p.sol).1;
    let outcome = w.ok(w.priced().execute_trigger(p.mallory, &w.keyed(&p.alice), 0, None).unwrap());
    let [Event::Traded(traded), Event::TriggerChanged(gone)] = outcome.events[..] else { panic!("{outcome:?}") };
    assert_eq!(gone.tip, 0);
    assert_eq!(w.position(&p.alice, &p.sol).1, cash - traded.cost - traded.fee as i64);
}

#[test]
fn orders_that_are_not_stored() {
    let (mut w, p) = long();
    let invalid: [fn(&mut PlaceTriggerArgs, i64); 8] = [
        |args, _| args.side = 0,
        |args, _| args.side = 3,
        |args, _| args.when = 0,
        |args, _| args.when = 3,
        |args, _| args.trigger_price = 0,
        |args, _| args.size = 0,
        |args, _| args.tip = limits::TRIGGER_TIP_MAX + 1,
        |args, now| args.expires_at = now - 1,
    ];
    for change in invalid {
        let mut args = stop();
        change(&mut args, w.now());
        w.refuses(place_ix(&p, &p.alice, args), E::InvalidTrigger);
    }
    w.ok(place_ix(&p, &p.alice, PlaceTriggerArgs { tip: limits::TRIGGER_TIP_MAX, expires_at: w.now(), ..stop() }));
    for _ in 0..7 {
        w.ok(place_ix(&p, &p.alice, stop()));
    }
    w.refuses(place_ix(&p, &p.alice, stop()), E::TooManyTriggers);
    let cancel = |index| trigger::Cancel { authority: p.alice.owner, account: p.alice.account, index }.instruction();
    w.ok(cancel(2));
    w.refuses(cancel(2), E::NoTrigger);
    w.refuses(cancel(8), E::NoTrigger);
    let Event::TriggerChanged(placed) = w.ok(place_ix(&p, &p.alice, stop())).event() else { panic!() };
    assert_eq!(placed.index, 2);
}

#[test]
fn orders_that_are_not_executed() {
    let (mut w, p) = long();
    w.ok(place_ix(&p, &p.alice, PlaceTriggerArgs { expires_at: w.now() + 50, ..stop() }));
    let limit_price = just_above(109);
    w.ok(place_ix(&p, &p.alice, PlaceTriggerArgs { limit_price, ..stop() }));
    w.pass(51);
    w.set_price(&p.sol, 109);
    w.refuses(execute_ix(&w, &p, 0), E::OrderExpired);
    w.refuses(execute_ix(&w, &p, 1), E::LimitPrice);
    // Another market's number.
    let mut other = w.keyed(&p.alice);
    other.data.triggers[1].market = p.btc.market;
    w.refuses(w.priced().execute_trigger(p.carol.owner, &other, 1, None).unwrap(), E::NoTrigger);
    w.ok(place_ix(&p, &p.alice, stop()));
    // A print with a confidence of 3 % is no reason to sell.
    let wide = raw::Price { confidence: 330_000_000, ..w.price(109) };
    w.publish(&p.sol, wide);
    w.refuses(execute_ix(&w, &p, 2), E::OracleTooWide);
    w.set_price(&p.sol, 109);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(execute_ix(&w, &p, 2), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.pass(61);
    w.refuses(execute_ix(&w, &p, 2), E::OracleStale);
    w.set_price(&p.sol, 109);
    w.close(&p.alice, &p.sol, u64::MAX);
    w.refuses(execute_ix(&w, &p, 2), E::NoPosition);
    // Short now: the order was for a long position.
    w.open(&p.alice, &p.sol, -SOL);
    w.refuses(execute_ix(&w, &p, 2), E::NoPosition);
}

/// What waits flatters no health: an account that could not open a position cannot with a stop loss beside it, and a tip
/// that makes a poor account poorer is not paid.
#[test]
fn a_stored_order_is_no_margin() {
    let (mut w, p) = long();
    w.withdraw(&p.alice, &p.usdc, 17_200 * USD as u64);
    // 100 SOL require 2,500 of about 2,773 USD.
    w.refuses(w.open_ix(&p.alice, &p.sol, 20 * SOL), E::InsufficientMargin);
    w.ok(place_ix(&p, &p.alice, PlaceTriggerArgs { trigger_price: just_above(124), ..stop() }));
    w.refuses(w.open_ix(&p.alice, &p.sol, 20 * SOL), E::InsufficientMargin);
    // One SOL frees 25 USD of margin, 50 USD are the tip: health is negative after a fall, and would fall.
    let size = SOL as u64;
    w.ok(place_ix(
        &p,
        &p.alice,
        PlaceTriggerArgs { trigger_price: just_above(124), size, tip: 50 * USD as u64, ..stop() },
    ));
    w.set_price(&p.sol, 120);
    assert!(w.margin(&p.alice).health_init().unwrap().is_negative());
    w.refuses(execute_ix(&w, &p, 1), E::InsufficientMargin);
    w.ok(execute_ix(&w, &p, 0));
}

#[test]
fn a_delegate_of_that_scope_only_reduces() {
    let (mut w, p) = long();
    let set =
        |scope| account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate: p.bob.owner, scope };
    w.refuses(set(delegate_scope::LAST + 1).instruction(), E::InvalidScope);
    let Event::AccountChanged(changed) = w.ok(set(delegate_scope::REDUCE).instruction()).event() else { panic!() };
    assert_eq!(changed.delegate_scope, u64::from(delegate_scope::REDUCE));
    let trade = |w: &World, args: OpenPositionArgs| {
        w.priced().open_position(p.bob.owner, &w.keyed(&p.alice), &p.sol.market, args).unwrap()
    };
    w.refuses(trade(&w, order(SOL)), E::ReduceOnlyViolated);
    w.refuses(trade(&w, order(-101 * SOL)), E::ReduceOnlyViolated);
    w.ok(trade(&w, order(-SOL)));
    let args = ClosePositionArgs { size: SOL as u64, limit_price: 0, expires_at: 0 };
    w.ok(w.priced().close_position(p.bob.owner, &w.keyed(&p.alice), &p.sol.market, args).unwrap());
    assert_eq!(w.position(&p.alice, &p.sol).0, 98 * SOL);
    w.ok(trigger::Place { authority: p.bob.owner, account: p.alice.account, market: p.sol.market, args: stop() }
        .instruction());
    w.ok(trigger::Cancel { authority: p.bob.owner, account: p.alice.account, index: 0 }.instruction());
    // It takes over nobody's risk.
    w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
    w.open(&p.bob, &p.btc, BTC / 20);
    let args = plimsoll_interface::instruction::LiquidateArgs { max_fraction: 1, max_payment: u64::MAX };
    let take = w.priced().liquidate(p.bob.owner, &w.keyed(&p.alice), &w.keyed(&p.bob), args);
    w.refuses(take, E::NotOwnerOrDelegate);
    // Nobody else places or cancels.
    let place =
        trigger::Place { authority: p.carol.owner, account: p.alice.account, market: p.sol.market, args: stop() };
    w.refuses(place.instruction(), E::NotOwnerOrDelegate);
}
