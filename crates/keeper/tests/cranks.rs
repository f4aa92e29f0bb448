//! Cranks for what not every exchange has: a quote with a feed, staked tokens, liens, gainers who bear losses.

mod common;

use common::{Bot, Trader, market, wait_for, world};
use plimsoll_client::{
    Address, Keyed,
    accounts::{Adapter, Exchange, Lien},
    address,
    config::{AdapterConfig, ExchangeConfig, RateSource, adapter_state, loss_mode, rate_kind},
    instruction::{collateral, controls, exchange, lien},
    interface::{
        accounts::oracle_kind,
        change::QuoteFeed,
        lien::{LienRecord, RECORD, VERSION},
    },
    price::{PriceUpdate, usual_address_of},
    risk::{pyth, staking},
};
use plimsoll_localnet::World;
use solana_instruction::Instruction;
use solana_signer::Signer;

/// Looks as often as a local chain is fast.
const FAST: &str = "
[connection]
clock_ms = 100
[fees]
confirm_ms = 50
[tasks.observe]
interval_ms = 100
[tasks.observe_quote]
interval_ms = 100
[tasks.update_rate]
interval_ms = 100
[tasks.update_lien]
interval_ms = 100
[tasks.flag_liquidation]
interval_ms = 100
[tasks.resolve]
interval_ms = 100
";
/// One, Q16.48.
const ONE: u64 = 1 << 48;
const STAKE_POOL_PROGRAM: Address = Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID);

fn keeper(world: &World) -> Bot {
    let bot = Bot::keeper(world.chain.url(), world.chain.ws_url(), &world.admin, FAST);
    bot.wait_for_log("keeping");
    bot
}

fn by_admin(world: &mut World, instruction: Instruction) {
    let admin = world.admin.insecure_clone();
    world.send(&[instruction], &admin).unwrap();
}

#[test]
fn the_quotes_own_price_is_observed() {
    let mut world = world(50);
    let owner = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
    let feed = QuoteFeed { oracle_kind: oracle_kind::PRICE_UPDATE_V2, feed_id: [42; 32], oracle_owner: owner };
    let (admin, exchange) = (world.admin.pubkey(), world.exchange);
    by_admin(&mut world, controls::SetQuoteFeed { admin, exchange, feed, proposed: false }.instruction());
    let at = usual_address_of(feed.oracle_kind, &owner, &feed.feed_id).unwrap();
    let mut bot = keeper(&world);
    // 63/64 and 31/32 of a dollar, which are exact in binary too.
    for dollars_ppm in [984_375u32, 968_750] {
        let price = i64::from(dollars_ppm) * 100;
        let publish_time = world.rpc().now().unwrap();
        let update = PriceUpdate {
            feed_id: feed.feed_id,
            price,
            confidence: 1_000,
            ema_price: price,
            exponent: -8,
            publish_time,
        };
        world.chain.set_account(&at, &owner, &update.encode()).unwrap();
        wait_for("the quote's price is stored", || {
            let exchange = world.rpc().get::<Exchange>(&world.exchange).unwrap().data;
            (exchange.quote_price_ppm == dollars_ppm).then_some(())
        });
        world.chain.travel(5).unwrap();
    }
    assert!(bot.terminate().success());
}

/// The bytes of a stake pool that has issued a thousand tokens of `mint` for so many lamports.
fn stake_pool(mint: &Address, lamports: u64, epoch: u64) -> Vec<u8> {
    let mut data = vec![0; 611];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[1]);
    put(162, mint.as_ref());
    put(258, &lamports.to_le_bytes());
    put(266, &1_000u64.to_le_bytes());
    put(274, &epoch.to_le_bytes());
    data
}

#[test]
fn the_rate_of_a_staked_token_is_kept() {
    let mut world = world(50);
    let (mint, pool) = (world.mint("SOL").unwrap(), Address::new_unique());
    let bank = address::bank(&world.exchange, &mint);
    let publish = |world: &World, lamports: u64| {
        let epoch = world.rpc().client().get_epoch_info().unwrap().epoch;
        world.chain.set_account(&pool, &STAKE_POOL_PROGRAM, &stake_pool(&mint, lamports, epoch)).unwrap();
    };
    publish(&world, 1_250);
    let source = RateSource {
        pool,
        kind: rate_kind::STAKE_POOL,
        max_age_seconds: 3_600,
        rise_per_day_ppm: 10_000,
        ..RateSource::NONE
    };
    let (authority, exchange) = (world.admin.pubkey(), world.exchange);
    let set = collateral::SetRateSource { authority, exchange, bank, source, proposed: false };
    by_admin(&mut world, set.instruction());
    let _bot = keeper(&world);
    let rate = |world: &World| world.snapshot().unwrap().banks[&bank].rate;
    let first = wait_for("the first rate", || Some(rate(&world)).filter(|rate| rate.deposit == ONE / 4 * 5));
    world.chain.travel(3_000).unwrap();
    world.publish().unwrap();
    publish(&world, 1_251);
    wait_for("the next before it is old", || {
        let rate = rate(&world);
        (rate.updated_at > first.updated_at && rate.deposit > first.deposit).then_some(())
    });
}

/// The example of an adapter, and what it keeps for somebody.
struct Custody {
    program: Address,
    position: Address,
    vault: Address,
    custodian: Address,
    adapter: Address,
    record: LienRecord,
    owner: Address,
    bump: u8,
}

impl Custody {
    /// Deploys it, registers it for SOL, and locks `amount` for `account`.
    fn open(world: &mut World, trader: &Trader, amount: u64) -> Self {
        let [program, position, vault] = [(); 3].map(|()| Address::new_unique());
        let elf = std::fs::read(common::root().join("target/deploy/example_adapter.so")).unwrap();
        world.chain.deploy(&program, &elf).unwrap();
        let mint = world.mint("SOL").unwrap();
        let (admin, exchange) = (world.admin.pubkey(), world.exchange);
        let bank = address::bank(&exchange, &mint);
        let adapter = address::adapter(&bank, &program);
        let config = AdapterConfig {
            cap: 0,
            haircut_ppm: 100_000,
            grace_seconds: 60,
            state: adapter_state::ACTIVE,
            ..bytemuck::Zeroable::zeroed()
        };
        by_admin(world, lien::RegisterAdapter { admin, exchange, bank, program, config }.instruction());
        let config = AdapterConfig { cap: 1_000_000_000_000, ..config };
        let raise = lien::ConfigureAdapter { authority: admin, exchange, adapter, config, proposed: false };
        by_admin(world, raise.instruction());
        let (custodian, bump) = Address::find_program_address(&[b"custodian"], &program);
        world.chain.set_token_account(&vault, &custodian, &mint, amount).unwrap();
        let beneficiary = address::lien_authority(&adapter);
        let record = LienRecord { version: VERSION, beneficiary, account: trader.account, mint, amount };
        let owner = trader.wallet.pubkey();
        let custody = Self { program, position, vault, custodian, adapter, record, owner, bump };
        custody.write(world, amount);
        let account = trader.now(world);
        let open = world.snapshot().unwrap().open_lien(&account, &mint, program, position, amount);
        world.send(&[open], &trader.wallet).unwrap();
        custody
    }

    /// Writes its record: `amount` is locked.
    fn write(&self, world: &World, amount: u64) {
        let record = LienRecord { amount, ..self.record };
        let data = [
            &RECORD,
            bytemuck::bytes_of(&record),
            self.owner.as_ref(),
            self.vault.as_ref(),
            &[0; 8],
            &[self.bump, 0, 0, 0, 0, 0, 0, 0],
        ];
        world.chain.set_account(&self.position, &self.program, &data.concat()).unwrap();
    }

    fn lien(&self, world: &World) -> Option<Lien> {
        world.rpc().find::<Lien>(&address::lien(&self.position)).unwrap()
    }
}

#[test]
fn what_a_lien_counts_for_follows_its_record() {
    let mut world = world(50);
    let trader = Trader::open(&mut world);
    let custody = Custody::open(&mut world, &trader, 100_000_000_000);
    assert_eq!(custody.lien(&world).unwrap().recognised, 90_000_000_000);
    let _bot = keeper(&world);
    custody.write(&world, 50_000_000_000);
    wait_for("half of it counts", || custody.lien(&world).filter(|lien| lien.recognised == 45_000_000_000).map(|_| ()));
}

/// A position whose loss neither insurance nor house can bear is closed against who has gained.
#[test]
fn gainers_bear_a_loss_where_that_is_the_mode() {
    let mut world = world(50);
    let exchange: Keyed<Exchange> = world.rpc().get(&world.exchange).unwrap();
    let config =
        ExchangeConfig { loss_mode: loss_mode::DELEVERAGE, house_floor: u64::MAX >> 1, ..exchange.data.config };
    let configure = exchange::Configure { admin: world.admin.pubkey(), exchange: world.exchange, config };
    by_admin(&mut world, configure.instruction());
    let quote = world.deployment.quote.symbol.clone();
    let [loser, gainer] = [(); 2].map(|()| Trader::open(&mut world));
    for (trader, size) in [(&loser, 1_000_000_000_000), (&gainer, -1_000_000_000_000)] {
        trader.deposit(&mut world, &quote, 10_000_000_000);
        trader.trade(&mut world, "SOL", size);
    }
    let _bot = keeper(&world);
    world.set_price("SOL", 550);
    world.chain.travel(5).unwrap();
    world.publish().unwrap();
    let sol = market(&world, "SOL");
    wait_for("the position is closed against the other", || {
        world.chain.travel(5).unwrap();
        world.publish().unwrap();
        let of = |trader: &Trader| {
            let account = trader.now(&world).data;
            account.market_slot(&sol).map_or(0, |slot| account.markets[slot].size)
        };
        (of(&loser) == 0 && of(&gainer) > -1_000_000_000_000).then_some(())
    });
}

/// Below the line what another program keeps is called in before anything is taken over.
#[test]
fn the_liquidator_calls_liens_in() {
    let mut world = world(50);
    let quote = world.deployment.quote.symbol.clone();
    let trader = Trader::open(&mut world);
    let custody = Custody::open(&mut world, &trader, 300_000_000_000);
    trader.trade(&mut world, "SOL", 900_000_000_000);
    for permille in (500..1_000).rev().step_by(10) {
        world.set_price("SOL", permille);
        world.chain.travel(20).unwrap();
        world.publish().unwrap();
        if trader.health(&world).unwrap() < 0 {
            break;
        }
    }
    assert!(trader.health(&world).unwrap() < 0);
    let taker = world.wallet().unwrap();
    world.give(&taker.pubkey(), &quote, 20_000_000_000).unwrap();
    let settings = format!(
        "[connection]\nclock_ms = 100\n[policy]\nlook_ms = 200\n[policy.adapters]\n{} = [{{ record_offset = 152, writable = \
         true }}, {{ address = \"{}\" }}]\n",
        custody.program, custody.custodian
    );
    let bot = Bot::liquidator(world.chain.url(), world.chain.ws_url(), &taker, &settings);
    wait_for("it is called in, and the account taken over", || {
        world.chain.travel(5).unwrap();
        world.publish().unwrap();
        (custody.lien(&world).is_none_or(|lien| lien.claim == 0)
            && trader.health(&world).is_ok_and(|health| health >= 0))
        .then_some(())
    });
    bot.wait_for_log("liens of");
    assert!(world.rpc().get::<Adapter>(&custody.adapter).unwrap().data.lost == 0);
}
