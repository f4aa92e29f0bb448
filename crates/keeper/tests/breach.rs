//! How long a breach lasts: slots between the price that sinks an account and the liquidation, with many others in memory.
//!
//! `PLIMSOLL_BREACH_ACCOUNTS=10000` for the measured figure; a handful are in memory otherwise. Measured with 10,000 accounts and
//! slots of 400 ms on two busy cores: 1 slot, five times of five; with 50: 1 slot four times and 2 once.

mod common;

use common::{Bot, Trader, world};
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
/// Between two prices: seven slots.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(2_800);
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
    let mut published = Vec::new();
    for permille in (600..900).rev().step_by(10) {
        world.set_price("SOL", permille);
        world.publish().unwrap();
        published.push(world.rpc().client().get_slot().unwrap());
        std::thread::sleep(PAUSE);
        if traders.iter().all(|trader| took_over(&bot, &trader.account).is_some()) {
            break;
        }
    }
    // Counted from the last price before it: what takes longer than the pause between two prices would be told as less.
    let lasted: Vec<u64> = traders
        .iter()
        .map(|trader| {
            let landed = took_over(&bot, &trader.account).expect("a liquidation");
            landed - published.iter().copied().filter(|slot| *slot <= landed).max().unwrap_or(landed)
        })
        .collect();
    let evaluated = bot.metric("plimsoll_liquidator_evaluated_total");
    println!("{accounts} accounts, slots from breach to liquidation: {lasted:?}; {evaluated} margins computed");
}

/// The slot in which the bot first took an account over.
fn took_over(bot: &Bot, account: &Address) -> Option<u64> {
    let of_account = |line: &String| line.contains("\"took over\"") && line.contains(&account.to_string());
    let lines = bot.log().into_iter().filter(of_account);
    let slot = |line: String| serde_json::from_str::<serde_json::Value>(&line).ok()?.pointer("/fields/slot")?.as_u64();
    lines.filter_map(slot).min()
}
