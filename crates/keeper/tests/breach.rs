//! How long a breach lasts: slots between the price that sinks an account and the liquidation, with many others in memory.
//!
//! `PLIMSOLL_BREACH_ACCOUNTS=10000` for the measured figure; a handful are in memory otherwise.

mod common;

use common::{Bot, Trader, wait_for, world};
use plimsoll_client::{Address, ID, accounts::MarginAccount, decode};
use plimsoll_localnet::World;
use solana_signer::Signer;

const POLICY: &str = "
[connection]
clock_ms = 400
[fees]
priority = \"fixed\"
confirm_ms = 50
[policy]
unwind = \"keep\"
look_ms = 2000
";
/// Accounts that sink one after the other.
const BREACHES: i64 = 5;

/// Fills the chain with accounts like `template` that are far above their line.
fn fill(world: &World, template: &Trader, accounts: u64) {
    let mut account = template.now(world).data;
    for slot in account.balances.iter_mut().filter(|slot| slot.in_use == 1) {
        slot.shares = slot.shares.saturating_mul(20);
    }
    std::thread::scope(|scope| {
        for part in 0..4 {
            let account = &account;
            scope.spawn(move || (part..accounts).step_by(4).for_each(|number| put(world, *account, number)));
        }
    });
}

fn put(world: &World, mut account: MarginAccount, number: u64) {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    account.owner = Address::new_from_array(bytes);
    bytes[31] = 8;
    world.chain.set_account(&Address::new_from_array(bytes), &ID, &decode::encode(&account)).unwrap();
}

#[test]
fn a_breach_is_liquidated_within_a_few_slots() {
    let accounts = std::env::var("PLIMSOLL_BREACH_ACCOUNTS").map_or(50, |text| text.parse().unwrap());
    let mut world = world(400);
    let quote = world.deployment.quote.symbol.clone();
    // Each sinks at a price of its own: the later, the less it is long.
    let traders: Vec<Trader> = (0..BREACHES)
        .map(|number| {
            let trader = Trader::open(&mut world);
            trader.deposit(&mut world, &quote, 1_000_000_000);
            trader.trade(&mut world, "SOL", 100_000_000_000 - number * 8_000_000_000);
            trader
        })
        .collect();
    fill(&world, &traders[0], accounts);
    let wallet = world.wallet().unwrap();
    world.give(&wallet.pubkey(), &quote, 1_000_000_000_000).unwrap();
    let bot = Bot::liquidator(world.chain.url(), world.chain.ws_url(), &wallet, POLICY);
    bot.wait_for_log("watching");
    let mut lasted: Vec<u64> = Vec::new();
    let mut waiting: Vec<&Trader> = traders.iter().collect();
    for permille in (600..900).rev().step_by(5) {
        world.set_price("SOL", permille);
        world.publish().unwrap();
        let slot = world.rpc().client().get_slot().unwrap();
        let snapshot = world.snapshot().unwrap();
        let is_below = |trader: &&Trader| {
            let margin = snapshot.margin(&trader.now(&world).data).unwrap();
            margin.health_maint().unwrap().is_negative()
        };
        let (sunk, afloat): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(is_below);
        for trader in sunk {
            let landed = wait_for("the liquidation", || took_over_since(&bot, &trader.account, slot));
            lasted.push(landed.saturating_sub(slot));
        }
        waiting = afloat;
        if waiting.is_empty() {
            break;
        }
    }
    let evaluated = bot.metric("plimsoll_liquidator_evaluated_total");
    println!("{accounts} accounts, slots from breach to liquidation: {lasted:?}; {evaluated} margins computed");
    assert!(waiting.is_empty(), "{lasted:?}");
}

/// The slot in which the bot took an account over, at or after one.
fn took_over_since(bot: &Bot, account: &Address, since: u64) -> Option<u64> {
    let slots = bot.log().into_iter().filter(|line| line.contains("took over") && line.contains(&account.to_string()));
    let slots = slots
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok()?.pointer("/fields/slot")?.as_u64());
    slots.filter(|slot| *slot >= since).min()
}
