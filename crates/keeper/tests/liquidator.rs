//! The liquidator as a process, against the real program on a local chain.

mod common;

use common::{Bot, Trader, wait_for, world};
use plimsoll_client::{accounts::MarginAccount, address};
use plimsoll_localnet::World;
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
    for permille in (700..1_000).rev().step_by(10) {
        world.set_price("SOL", permille);
        world.chain.travel(20).unwrap();
        world.publish().unwrap();
        if trader.health(world).unwrap() < 0 {
            return trader;
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
    assert!(bot.log().iter().any(|line| line.contains("took over") && line.contains("\"means\":\"Margin\"")));
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
    assert!(bot.log().iter().any(|line| line.contains("took over") && line.contains("\"means\":\"WithoutCapital\"")));
    assert!(world.snapshot().unwrap().margin(&own(&world, &wallet)).unwrap().equity_maint.is_positive());
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
