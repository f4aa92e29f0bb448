//! The keeper as a process, against the real program on a local chain.

mod common;

use bytemuck::Zeroable;
use common::{Bot, Trader, market, open_board, wait_for, world};
use plimsoll_client::{
    ID,
    accounts::{MarginAccount, Ticket, trigger_side, trigger_when},
    address, decode,
    instruction::trigger,
    interface::{config::limits::SAMPLE_SECONDS, instruction::PlaceTriggerArgs, upgrade::STEPS},
};
use plimsoll_localnet::World;
use solana_signer::Signer;

/// Looks as often as a local chain is fast.
const FAST: &str = "
[connection]
clock_ms = 100
[fees]
confirm_ms = 50
[due]
settle_usd = 1.0
value_seconds = 20
[tasks.observe]
interval_ms = 100
[tasks.refresh_board]
interval_ms = 100
[tasks.sample_expiry]
interval_ms = 100
[tasks.settle_board]
interval_ms = 200
[tasks.settle_option]
interval_ms = 200
[tasks.close_board]
interval_ms = 200
[tasks.settle]
interval_ms = 200
[tasks.execute_trigger]
interval_ms = 200
[tasks.value_house]
interval_ms = 200
[tasks.execute_ticket]
interval_ms = 200
";

fn keeper(world: &World) -> Bot {
    let bot = Bot::keeper(world.chain.url(), world.chain.ws_url(), &world.admin, FAST);
    bot.wait_for_log("keeping");
    bot
}

#[test]
fn prices_the_house_and_its_tickets_are_kept_and_the_end_is_clean() {
    let mut world = world(50);
    let mut bot = keeper(&world);
    let quote = world.deployment.quote.symbol.clone();
    let provider = world.wallet().unwrap();
    let source = world.give(&provider.pubkey(), &quote, 1_000_000_000).unwrap();
    let ticket = world.snapshot().unwrap().ticket(provider.pubkey(), 0);
    world.send(&[ticket.provide(source, 1_000_000_000)], &provider).unwrap();
    for minute in 1..=3 {
        world.chain.travel(40).unwrap();
        world.set_price("SOL", 1_000 + minute);
        world.publish().unwrap();
        let (now, sol) = (world.rpc().now().unwrap(), market(&world, "SOL"));
        wait_for("the price is observed", || {
            let snapshot = world.snapshot().unwrap();
            let house = snapshot.house.unwrap();
            (snapshot.markets[&sol].publish_time >= now - 5 && house.nav_at >= now - 5).then_some(())
        });
    }
    let executed = wait_for("the ticket is executed", || {
        world.rpc().find::<Ticket>(&ticket.address()).unwrap().filter(|ticket| ticket.executed_at != 0)
    });
    assert!(executed.proceeds > 0);
    assert!(bot.metric("plimsoll_keeper_transactions_total{outcome=\"confirmed\",task=\"observe\"}") >= 3.0);
    assert!(bot.get("/health").starts_with("HTTP/1.1 200"), "{}", bot.get("/health"));
    assert!(bot.terminate().success());
}

#[test]
fn a_board_is_kept_sampled_settled_paid_and_closed() {
    let mut world = world(50);
    let (board, created) = open_board(&mut world, 7_200);
    let quote = world.deployment.quote.symbol.clone();
    let holder = Trader::open(&mut world);
    holder.deposit(&mut world, &quote, 10_000_000_000);
    holder.trade_option(&mut world, &board, 4, 50);
    let bot = keeper(&world);
    let wait = created.expiry - 12 * SAMPLE_SECONDS - world.rpc().now().unwrap();
    world.chain.travel(u32::try_from(wait).unwrap()).unwrap();
    for minute in 0..12u64 {
        world.set_price("SOL", 1_000 + i64::try_from(minute % 3).unwrap());
        world.publish().unwrap();
        wait_for("a sample is taken", || {
            let board = world.snapshot().unwrap().boards.get(&board).copied();
            board.is_none_or(|board| board.sample_count > minute.min(9)).then_some(())
        });
        world.chain.travel(60).unwrap();
    }
    world.chain.travel(70).unwrap();
    world.publish().unwrap();
    wait_for("the board is closed", || (!world.snapshot().unwrap().boards.contains_key(&board)).then_some(()));
    assert!(holder.now(&world).data.boards.iter().all(|slot| slot.in_use == 0));
    drop(bot);
}

#[test]
fn stored_orders_are_executed_and_cash_is_settled() {
    let mut world = world(50);
    let bot = keeper(&world);
    let quote = world.deployment.quote.symbol.clone();
    let (trader, sol) = (Trader::open(&mut world), market(&world, "SOL"));
    trader.deposit(&mut world, &quote, 10_000_000_000);
    trader.trade(&mut world, "SOL", 100_000_000_000);
    let spot = world.snapshot().unwrap().markets[&sol].spot;
    let args = PlaceTriggerArgs {
        trigger_price: spot / 100 * 98,
        limit_price: 0,
        size: u64::MAX,
        tip: 1_000_000,
        expires_at: 0,
        side: trigger_side::LONG,
        when: trigger_when::AT_OR_BELOW,
    };
    let place = trigger::Place { authority: trader.wallet.pubkey(), account: trader.account, market: sol, args };
    world.send(&[place.instruction()], &trader.wallet).unwrap();
    world.set_price("SOL", 970);
    world.chain.travel(5).unwrap();
    world.publish().unwrap();
    wait_for("the position is closed and its loss settled", || {
        let account = trader.now(&world).data;
        let slot = account.market_slot(&sol);
        slot.is_none_or(|slot| account.markets[slot].size == 0 && account.markets[slot].cash == 0).then_some(())
    });
    // The chain knows it before the keeper has heard that it is confirmed.
    wait_for("the keeper counts it", || {
        let name = "plimsoll_keeper_transactions_total{outcome=\"confirmed\",task=\"execute_trigger\"}";
        (bot.metric(name) >= 1.0).then_some(())
    });
}

/// An account as the program of layout version 1 left it, its owner and exchange this world's.
#[test]
fn accounts_of_an_earlier_layout_are_upgraded() {
    let world = world(50);
    let owner = world.wallet().unwrap().pubkey();
    let account = MarginAccount { exchange: world.exchange, owner, index: 3, version: 1, ..Zeroable::zeroed() };
    let address = address::margin_account(&world.exchange, &owner, 3);
    let mut old = decode::encode(&account);
    old.truncate(STEPS[0].from_space);
    world.chain.set_account(&address, &ID, &old).unwrap();
    assert_eq!(world.rpc().outdated().unwrap(), [address]);
    let mut bot = keeper(&world);
    let upgraded = wait_for("an upgrade", || world.rpc().find::<MarginAccount>(&address).ok().flatten());
    assert_eq!(upgraded, MarginAccount { version: 2, ..account });
    assert_eq!(world.rpc().outdated().unwrap(), []);
    assert!(bot.terminate().success());
}
