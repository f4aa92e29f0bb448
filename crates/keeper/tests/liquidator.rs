//! The liquidator as a process, against the real program on a local chain.

mod common;

use common::{Bot, Trader, wait_for, world};
use plimsoll_client::{
    accounts::MarginAccount, address, event::Event, interface::instruction::LiquidateArgs, risk::units::Fraction,
};
use plimsoll_keeper::liquidator::takeover;
use plimsoll_localnet::{World, world::event};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Looks as often as a local chain is fast.
const FAST: &str = "
[connection]
clock_ms = 100
[fees]
confirm_ms = 50
[policy]
look_ms = 200
";

/// Somebody who is long four times what he has, and a price at which that is too much.
fn sunk(world: &mut World) -> Trader {
    let trader = Trader::open(world);
    let quote = world.deployment.quote.symbol.clone();
    trader.deposit(world, &quote, 10_000_000_000);
    trader.trade(world, "SOL", 1_000_000_000_000);
    sink(world, &trader);
    trader
}

/// Lowers SOL's price until somebody is below the line.
fn sink(world: &mut World, trader: &Trader) {
    for permille in (700..1_000).rev().step_by(10) {
        world.set_price("SOL", permille);
        world.chain.travel(20).unwrap();
        world.publish().unwrap();
        if trader.health(world).unwrap() < 0 {
            return;
        }
    }
    panic!("nothing sinks it");
}

/// A wallet with so many quote native units.
fn wallet(world: &World, amount: u64) -> Keypair {
    let wallet = world.wallet().unwrap();
    if amount > 0 {
        world.give(&wallet.pubkey(), &world.deployment.quote.symbol, amount).unwrap();
    }
    wallet
}

fn start(world: &World, wallet: &Keypair, more: &str) -> Bot {
    let bot = Bot::liquidator(world.chain.url(), world.chain.ws_url(), wallet, &format!("{FAST}{more}"));
    bot.wait_for_log("watching");
    bot
}

fn own(world: &World, wallet: &Keypair) -> MarginAccount {
    world.account(&address::margin_account(&world.exchange, &wallet.pubkey(), 0)).unwrap().data
}

/// Waits until an account is above its line; the auction goes on meanwhile, and prices stay fresh.
fn wait_until_healthy(world: &World, trader: &Trader) {
    wait_for("the account is healthy again", || {
        world.chain.travel(5).unwrap();
        world.publish().unwrap();
        trader.health(world).is_ok_and(|health| health >= 0).then_some(())
    });
}

fn has_positions(account: &MarginAccount) -> bool {
    account.markets.iter().any(|slot| slot.size != 0 || slot.cash != 0) || account.options[0].lots != 0
}

#[test]
fn what_sinks_is_taken_over_by_the_own_margin_and_unwound() {
    let mut world = world(50);
    let (trader, wallet) = (sunk(&mut world), wallet(&world, 20_000_000_000));
    let mut bot = start(&world, &wallet, "");
    wait_until_healthy(&world, &trader);
    wait_for("nothing is left of it", || {
        world.publish().unwrap();
        (!has_positions(&own(&world, &wallet))).then_some(())
    });
    assert!(bot.wait_for_log("took over").contains("\"means\":\"Margin\""));
    let quote = world.snapshot().unwrap().margin(&own(&world, &wallet)).unwrap().equity_maint.raw();
    assert!(quote > 20_000_000_000, "it has earned something: {quote}");
    assert!(bot.metric("plimsoll_liquidator_expected_profit_micro_usd") > 0.0);
    assert!(bot.terminate().success());
}

#[test]
fn without_capital_it_is_taken_over_and_closed_in_one_transaction() {
    let mut world = world(50);
    let (trader, wallet) = (sunk(&mut world), wallet(&world, 0));
    let bot = start(&world, &wallet, "");
    wait_until_healthy(&world, &trader);
    wait_for("nothing is left of it but the reward", || {
        world.publish().unwrap();
        (!has_positions(&own(&world, &wallet))).then_some(())
    });
    assert!(bot.wait_for_log("took over").contains("\"means\":\"WithoutCapital\""));
    assert!(world.snapshot().unwrap().margin(&own(&world, &wallet)).unwrap().equity_maint.is_positive());
}

/// Collateral that is kept: its price is sold by the perpetual.
#[test]
fn what_is_taken_over_is_hedged_where_that_is_the_policy() {
    let mut world = world(50);
    let quote = world.deployment.quote.symbol.clone();
    let (lender, trader) = (Trader::open(&mut world), Trader::open(&mut world));
    lender.deposit(&mut world, &quote, 100_000_000_000);
    trader.deposit(&mut world, "SOL", 1_000_000_000_000);
    world.publish().unwrap();
    let (snapshot, mint) = (world.snapshot().unwrap(), world.mint(&quote).unwrap());
    let account = trader.now(&world);
    let most = snapshot.max_borrow(&account.data, &mint).unwrap().size;
    let wallet_of_trader = world.give(&trader.wallet.pubkey(), &quote, 0).unwrap();
    let borrow = snapshot.withdraw(&account, &mint, wallet_of_trader, most).unwrap();
    world.send(&[borrow], &trader.wallet).unwrap();
    sink(&mut world, &trader);
    let wallet = wallet(&world, 40_000_000_000);
    let mut bot = start(&world, &wallet, "unwind = \"hedge\"\n");
    wait_until_healthy(&world, &trader);
    wait_for("its price is hedged", || {
        world.publish().unwrap();
        let (own, snapshot) = (own(&world, &wallet), world.snapshot().unwrap());
        let greeks = snapshot.greeks(&own).unwrap();
        let has_short = own.markets.iter().any(|slot| slot.size < 0);
        (has_short && greeks.total.delta.raw().abs() < 1_000_000).then_some(())
    });
    bot.wait_for_log("unwind delta in");
    assert!(bot.terminate().success());
}

#[test]
fn what_a_takeover_is_planned_to_leave_is_what_it_leaves() {
    let mut world = world(50);
    let (trader, taker) = (sunk(&mut world), Trader::open(&mut world));
    let quote = world.deployment.quote.symbol.clone();
    taker.deposit(&mut world, &quote, 20_000_000_000);
    taker.trade(&mut world, "SOL", -30_000_000_000);
    let mut snapshot = world.snapshot().unwrap();
    let (before, account) = (taker.now(&world), trader.now(&world));
    let args = LiquidateArgs { max_fraction: 1 << 30, max_payment: u64::MAX };
    let liquidate = snapshot.liquidate(taker.wallet.pubkey(), &before, &account, args);
    let confirmed = world.send(&[liquidate], &taker.wallet).unwrap();
    let event = event(&confirmed, |event| match event {
        Event::Liquidated(event) => Some(*event),
        _ => None,
    });
    let event = event.unwrap();
    snapshot.now = world.rpc().now().unwrap();
    snapshot.accrue().unwrap();
    let (fraction, payment) = (Fraction::from_raw(event.fraction), i64::try_from(event.payment).unwrap());
    let planned = takeover::after(&snapshot, &before.data, &account.data, fraction, payment).unwrap();
    let after = taker.now(&world).data;
    for (planned, after) in planned.markets.iter().zip(&after.markets) {
        assert_eq!((planned.market, planned.size), (after.market, after.size));
        // Funding of a second more or less.
        assert!(planned.cash.abs_diff(after.cash) <= 2_000, "{} and {}", planned.cash, after.cash);
    }
    for (planned, after) in planned.balances.iter().zip(&after.balances) {
        assert_eq!(planned.bank, after.bank);
        assert!(planned.shares.abs_diff(after.shares) <= 2, "{} and {}", planned.shares, after.shares);
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let mut world = world(50);
    let (trader, wallet) = (sunk(&mut world), wallet(&world, 20_000_000_000));
    let mut bot = start(&world, &wallet, "dry_run = true\nallow_loss = true\n");
    bot.wait_for_log("would take over");
    assert!(trader.health(&world).unwrap() < 0);
    let own = address::margin_account(&world.exchange, &wallet.pubkey(), 0);
    assert!(world.rpc().raw(&own).unwrap().is_none(), "not even an account of its own");
    assert!(!bot.get("/metrics").contains("outcome=\"confirmed\""));
    assert!(bot.terminate().success());
}

#[test]
fn nothing_is_taken_over_at_a_loss_unless_told() {
    let mut world = world(50);
    let (trader, wallet) = (sunk(&mut world), wallet(&world, 20_000_000_000));
    // A transaction's fee is worth more than any reward.
    let mut bot = start(&world, &wallet, "sol_usd = 900000000.0\n");
    wait_for("some looks", || {
        world.publish().unwrap();
        (bot.metric("plimsoll_liquidator_task_runs_total{outcome=\"ok\",task=\"liquidate\"}") > 20.0).then_some(())
    });
    assert_eq!(bot.metric("plimsoll_liquidator_below_line"), 1.0);
    assert!(trader.health(&world).unwrap() < 0);
    assert!(bot.terminate().success());
    let _bot = start(&world, &wallet, "sol_usd = 900000000.0\nallow_loss = true\n");
    wait_until_healthy(&world, &trader);
}
