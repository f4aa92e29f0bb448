//! Staked tokens: `set_rate_source`, `update_rate`, and what a balance at an exchange rate counts for.

use plimsoll_client::{
    event::Event,
    instruction::{collateral, controls},
};
use plimsoll_e2e_tests::{
    Asset, E, World,
    raw::{self, Price},
    world::{BTC, ETH, Places, SOL, USD, bank_config},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{Bank, RATED},
    change::Change,
    config::{RateSource, rate_kind},
    event::RateUpdated,
};
use plimsoll_risk::portfolio::Margin;
use solana_instruction::Instruction;

pub const MINT: Address = Address::new_from_array([b'j'; 32]);
pub const POOL: Address = Address::new_from_array([b'p'; 32]);
/// The token's own feed; its id is its address.
pub const FEED: Address = Address::new_from_array([b'f'; 32]);
/// The epoch that the tests start in.
pub const EPOCH: u64 = 700;
/// One, Q16.48.
const ONE: u64 = 1 << 48;
const DAY: i64 = 86_400;
const HOUR: u32 = 3_600;

/// Priced by the pool alone: fresh for an hour, rising by 0.1 % a day.
pub fn plain() -> RateSource {
    RateSource {
        pool: POOL,
        kind: rate_kind::STAKE_POOL,
        max_age_seconds: HOUR,
        rise_per_day_ppm: 1_000,
        ..RateSource::NONE
    }
}

/// The same, capped by the token's own feed.
pub fn capped() -> RateSource {
    RateSource { has_feed: 1, feed_id: FEED.to_bytes(), feed_owner: raw::RECEIVER, ..plain() }
}

/// A bank of a staked SOL that nobody has set a source for.
pub fn bank() -> (World, Places, Asset) {
    let (mut w, p) = World::new();
    w.set_epoch(EPOCH);
    let lst = w.add_bank(MINT, 9, p.sol.market, bank_config());
    pool(&mut w, 1_250, EPOCH);
    (w, p, lst)
}

/// Says that a thousand tokens are worth `lamports`.
pub fn pool(w: &mut World, lamports: u64, epoch: u64) {
    w.set_account(POOL, raw::stake_pool(&MINT, lamports * 1_000_000, 1_000 * 1_000_000, epoch));
}

pub fn source(p: &Places, lst: &Asset, source: RateSource) -> collateral::SetRateSource {
    collateral::SetRateSource { authority: p.admin, exchange: p.exchange, bank: lst.bank, source, proposed: false }
}

pub fn update(lst: &Asset) -> Instruction {
    collateral::UpdateRate { bank: lst.bank, market: lst.market, source: POOL, oracle: None, feed: None }.instruction()
}

/// With the price accounts of SOL and of the token.
pub fn update_capped(p: &Places, lst: &Asset) -> Instruction {
    let (oracle, feed) = (Some(p.sol.oracle), Some(FEED));
    collateral::UpdateRate { bank: lst.bank, market: lst.market, source: POOL, oracle, feed }.instruction()
}

/// A staked SOL worth 1.25 SOL.
pub fn staked() -> (World, Places, Asset) {
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, plain()).instruction());
    w.ok(update(&lst));
    (w, p, lst)
}

fn rates(w: &World, lst: &Asset) -> (u64, u64) {
    let rate = w.bank(lst).rate;
    (rate.deposit, rate.borrow)
}

fn publish(w: &mut World, price: Price) {
    w.set_account(FEED, raw::account(raw::RECEIVER, raw::price_update_v2(&FEED.to_bytes(), &price)));
}

fn health(margin: &Margin) -> (i64, i64) {
    (margin.health_init().unwrap().raw(), margin.health_maint().unwrap().raw())
}

#[test]
fn a_rate_is_taken_over_from_the_pool() {
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, plain()).instruction());
    let set = w.bank(&lst);
    assert_eq!((set.scale_decimals, set.rate.source.pool, set.rate.source.kind), (RATED, POOL, rate_kind::STAKE_POOL));
    assert_eq!((rates(&w, &lst), set.rate.updated_at), ((0, 0), 0));
    // 1,250 lamports for 1,000 tokens: five quarters.
    let five_quarters = ONE / 4 * 5;
    let expected = RateUpdated {
        bank: lst.bank,
        source_rate: five_quarters,
        borrow_rate: five_quarters,
        deposit_rate: five_quarters,
        epoch: EPOCH,
    };
    assert_eq!(w.ok(update(&lst)).event(), Event::RateUpdated(expected));
    assert_eq!((rates(&w, &lst), w.bank(&lst).rate.updated_at), ((five_quarters, five_quarters), w.now()));
}

#[test]
fn every_deployment_of_the_stake_pool_program_counts() {
    let (mut w, p, lst) = bank();
    for program in plimsoll_interface::rate::STAKE_POOL_PROGRAMS {
        let mut account = w.account(&POOL).unwrap();
        account.owner = program;
        w.set_account(POOL, account);
        w.ok(source(&p, &lst, plain()).instruction());
        w.ok(update(&lst));
    }
}

#[test]
fn a_source_is_taken_away_again() {
    let (mut w, p, lst) = staked();
    w.ok(source(&p, &lst, RateSource::NONE).instruction());
    let bank = w.bank(&lst);
    assert_eq!((bank.scale_decimals, bank.rate), (0, bytemuck::Zeroable::zeroed()));
    w.refuses(update(&lst), E::RateNotConfigured);
}

#[test]
fn arguments_that_are_refused() {
    let (mut w, p, lst) = bank();
    type Change = fn(&mut RateSource);
    let invalid: [Change; 14] = [
        |args| args._padding[4] = 1,
        |args| args.kind = 2,
        |args| args.kind = rate_kind::NONE,
        |args| args.has_feed = 2,
        |args| args.max_age_seconds = 0,
        |args| args.max_age_seconds = 604_801,
        |args| args.rise_per_day_ppm = 10_001,
        |args| args.feed_id = [1; 32],
        |args| args.feed_owner = raw::RECEIVER,
        |args| args.feed_kind = 1,
        |args| (args.has_feed, args.feed_owner) = (1, raw::STAKE_POOL),
        |args| (args.has_feed, args.feed_owner) = (1, raw::LEGACY),
        |args| (args.has_feed, args.feed_owner, args.feed_kind) = (1, raw::RECEIVER, 1),
        |args| (args.has_feed, args.feed_owner, args.feed_kind) = (1, raw::RECEIVER, 2),
    ];
    for change in invalid {
        let mut args = plain();
        change(&mut args);
        w.refuses(source(&p, &lst, args).instruction(), E::InvalidRateSource);
    }
    // The quote is priced by nothing.
    w.refuses(
        collateral::SetRateSource { bank: p.usdc.bank, ..source(&p, &lst, plain()) }.instruction(),
        E::InvalidRateSource,
    );
    let edges = RateSource { max_age_seconds: 604_800, rise_per_day_ppm: 10_000, ..capped() };
    w.ok(source(&p, &lst, edges).instruction());
    let edges = RateSource { max_age_seconds: 1, rise_per_day_ppm: 0, ..plain() };
    w.ok(source(&p, &lst, edges).instruction());
}

#[test]
fn sources_that_are_refused() {
    let (mut w, p, lst) = bank();
    let set = source(&p, &lst, plain());
    let mut none = set.instruction();
    none.accounts[3].pubkey = ID;
    w.refuses(&none, E::RateWrongSource);
    let good = w.account(&POOL).unwrap();
    let mut bad = good.clone();
    bad.owner = raw::RECEIVER;
    w.set_account(POOL, bad);
    w.refuses(set.instruction(), E::RateSourceInvalid);
    let mut bad = good.clone();
    bad.data[0] = 2;
    w.set_account(POOL, bad);
    w.refuses(set.instruction(), E::RateSourceInvalid);
    let mut bad = good.clone();
    bad.data.truncate(281);
    w.set_account(POOL, bad);
    w.refuses(set.instruction(), E::RateSourceInvalid);
    w.set_account(POOL, raw::stake_pool(&p.sol.mint, 5, 4, EPOCH));
    w.refuses(set.instruction(), E::RateSourceInvalid);
    // Lamports have nine decimals, ETH's mint has eight.
    w.set_account(POOL, raw::stake_pool(&p.eth.mint, 5, 4, EPOCH));
    w.refuses(collateral::SetRateSource { bank: p.eth.bank, ..set }.instruction(), E::UnsupportedDecimals);
    w.set_account(POOL, good);
    w.ok(set.instruction());
}

/// A bank without any weight yet, and still: what its weights will weigh is announced.
#[test]
fn a_source_waits_out_the_timelock() {
    let (mut w, p, lst) = bank();
    w.configure(|config| config.timelock_seconds = DAY as u32);
    let set = source(&p, &lst, plain());
    w.refuses(set.instruction(), E::ProposalWanted);
    let change = Change::RateSource(RateSource { rise_per_day_ppm: 10_001, ..plain() });
    let propose = controls::Propose { admin: p.admin, exchange: p.exchange, subject: lst.bank, change };
    w.refuses(propose.instruction(), E::InvalidRateSource);
    let elsewhere = controls::Propose { subject: p.other.sol.bank, change: Change::RateSource(plain()), ..propose };
    w.refuses(elsewhere.instruction(), E::WrongExchange);
    w.ok(controls::Propose { change: Change::RateSource(plain()), ..propose }.instruction());
    let set = collateral::SetRateSource { proposed: true, ..set };
    w.refuses(set.instruction(), E::TimelockRunning);
    w.pass(DAY);
    w.refuses(collateral::SetRateSource { source: capped(), ..set }.instruction(), E::ProposalMismatch);
    w.ok(set.instruction());
    assert_eq!(w.bank(&lst).rate.source, plain());
    // Taking it away is no tightening: the token would count one for one.
    let none = collateral::SetRateSource { source: RateSource::NONE, proposed: false, ..set };
    w.refuses(none.instruction(), E::ProposalWanted);
}

#[test]
fn a_source_changes_only_while_nothing_counts_on_it() {
    let (mut w, p, lst) = staked();
    w.deposit(&p.bob, &lst, 100 * SOL as u64);
    w.refuses(source(&p, &lst, plain()).instruction(), E::RateSourceInUse);
    // With a full haircut a deposit counts for nothing.
    w.configure_bank(&lst, |config| *config = config.with_haircuts(1_000_000, 1_000_000));
    w.ok(source(&p, &lst, plain()).instruction());
    w.ok(update(&lst));
    w.configure_bank(&lst, |config| *config = config.with_haircuts(100_000, 50_000));
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.withdraw(&p.alice, &lst, 1);
    w.configure_bank(&lst, |config| *config = config.with_haircuts(1_000_000, 1_000_000));
    // A debt counts whatever the haircut.
    w.refuses(source(&p, &lst, plain()).instruction(), E::RateSourceInUse);
}

#[test]
fn pools_that_are_refused() {
    let (mut w, p, lst) = staked();
    w.refuses(
        collateral::UpdateRate { bank: p.sol.bank, market: lst.market, source: POOL, oracle: None, feed: None }
            .instruction(),
        E::RateNotConfigured,
    );
    let other = Address::new_from_array([b'q'; 32]);
    w.set_account(other, raw::stake_pool(&MINT, 5, 4, EPOCH));
    let wrong = collateral::UpdateRate { bank: lst.bank, market: lst.market, source: other, oracle: None, feed: None };
    w.refuses(wrong.instruction(), E::RateWrongSource);
    let wrong = collateral::UpdateRate { market: p.btc.market, source: POOL, ..wrong };
    w.refuses(wrong.instruction(), E::RateWrongMarket);
    // This epoch's and the last one's.
    for (epoch, is_old) in [(EPOCH - 2, true), (EPOCH - 1, false), (EPOCH, false), (EPOCH + 1, false)] {
        pool(&mut w, 1_250, epoch);
        if is_old { w.refuses(update(&lst), E::RatePoolOld) } else { drop(w.ok(update(&lst))) }
    }
    for (lamports, supply) in [(0, 0), (1_000, 0), (0, 1_000), (1_000, 16_001), (16_001, 1_000)] {
        w.set_account(POOL, raw::stake_pool(&MINT, lamports, supply, EPOCH));
        w.refuses(update(&lst), E::RateOutOfRange);
    }
    let now = w.now();
    w.set_now(now - 1);
    pool(&mut w, 1_250, EPOCH);
    w.refuses(update(&lst), E::ClockWentBack);
}

/// 80 tokens at 1.25 are 100 SOL, to the unit.
#[test]
fn a_staked_token_counts_as_what_it_redeems_for() {
    let (mut w, p, lst) = staked();
    w.deposit(&p.alice, &lst, 80 * SOL as u64);
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    let (alice, bob) = (w.margin(&p.alice), w.margin(&p.bob));
    assert_eq!(alice, bob);
    // 12,500 USD, a range of 20 % and a haircut of 10 %.
    assert_eq!(alice.equity_init.raw(), 12_500 * USD);
    assert_eq!(alice.requirement_init.raw(), (2_500 + 1_250) * USD);
    is_what_the_program_sees(&mut w, &p);
}

/// INV-7.
fn is_what_the_program_sees(w: &mut World, p: &Places) {
    let margin = w.margin(&p.alice);
    let Event::LiquidationFlagged(flagged) = w.flag(&p.alice).event() else { panic!("flagged") };
    assert_eq!((flagged.equity, flagged.requirement), (margin.equity_maint.raw(), margin.requirement_maint.raw()));
}

/// JitoSOL against SOL-PERP: one market, so the two net to nothing and only the haircut stays.
#[test]
fn a_staked_token_is_hedged_by_its_markets_perpetual() {
    let (mut w, p, lst) = staked();
    w.deposit(&p.alice, &lst, 80 * SOL as u64);
    w.open(&p.alice, &p.sol, -100 * SOL);
    let margin = w.margin(&p.alice);
    // The haircut: 10 % of 12,500 USD; towards maintenance 5 %. No stress.
    assert_eq!((margin.requirement_init.raw(), margin.requirement_maint.raw()), (1_250 * USD, 625 * USD));
    let (init, maint) = health(&margin);
    assert!(init > 11_000 * USD && maint > init);
}

/// A wrapped BTC whose market is of a group of its own nets with nothing of the native one: ETH stands for it here, 20 of
/// them worth one BTC.
#[test]
fn a_bridged_asset_of_another_group_does_not_net_against_the_native_one() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.eth, 20 * ETH as u64 / 10);
    w.open(&p.alice, &p.btc, -BTC);
    // Each loses 12,000 USD alone; half correlated: sqrt(12^2 + 12^2 + 12 * 12) = 12 sqrt 3 thousand. Then the haircut.
    let stress = w.margin(&p.alice).requirement_init.raw() - 6_000 * USD;
    assert_eq!(stress, (12_000.0 * 3f64.sqrt() * USD as f64).ceil() as i64);
    // In one group, with full credit for netting, nothing would be left.
    w.configure_market(&p.eth, |config| config.group = 0);
    assert_eq!(w.margin(&p.alice).requirement_init.raw(), 6_000 * USD);
}

/// At a correlation of one, as a wrapped and a native asset should have it: 12,000 USD each, and the haircut, whichever way.
#[test]
fn a_bridged_asset_adds_up_with_the_native_one_long_or_short() {
    for size in [BTC, -BTC] {
        let (mut w, p) = World::new();
        w.configure(|config| config.rho_ppm[0] = 1_000_000);
        w.deposit(&p.alice, &p.eth, 20 * ETH as u64 / 10);
        w.open(&p.alice, &p.btc, size);
        let requirement = w.margin(&p.alice).requirement_init.raw();
        assert_eq!(requirement, (12_000 + 12_000 + 6_000) * USD);
    }
}

#[test]
fn a_deposit_rounds_down_and_a_debt_up() {
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, plain()).instruction());
    // Seven thirds: no finite binary fraction.
    w.set_account(POOL, raw::stake_pool(&MINT, 7, 3, EPOCH));
    w.ok(update(&lst));
    let bank: Bank = w.bank(&lst);
    use plimsoll_interface::bridge::{Side, base_units};
    assert_eq!(base_units(3, &bank, Side::Deposit), Ok(6));
    assert_eq!(base_units(3, &bank, Side::Debt), Ok(7));
    assert_eq!(base_units(1, &bank, Side::Deposit), Ok(2));
    assert_eq!(base_units(1, &bank, Side::Debt), Ok(3));
    assert_eq!(base_units(u64::MAX, &bank, Side::Deposit), Err(E::Overflow));
    w.deposit(&p.bob, &lst, 100 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.withdraw(&p.alice, &lst, 3 * SOL as u64);
    // 7 SOL owed at 125 USD: 875 USD of value, 20 % of stress, 4 % of weight.
    let margin = w.margin(&p.alice);
    assert_eq!((margin.equity_init.raw(), margin.requirement_init.raw()), (9_125 * USD, 210 * USD));
}

/// Alice has 80 tokens worth 100 SOL and 1,000 USD, and owes 0.01 BTC. An hour and a second pass; prices stay fresh.
fn old_rate() -> (World, Places, Asset) {
    let (mut w, p, lst) = staked();
    w.deposit(&p.bob, &p.btc, BTC as u64);
    w.deposit(&p.bob, &lst, 100 * SOL as u64);
    w.deposit(&p.alice, &lst, 80 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    w.withdraw(&p.alice, &p.btc, BTC as u64 / 100);
    w.pass(i64::from(HOUR));
    for (asset, dollars) in [(&p.sol, 125), (&p.btc, 60_000), (&p.eth, 3_000)] {
        w.set_price(asset, dollars);
    }
    (w, p, lst)
}

#[test]
fn an_old_rate_counts_zero_for_new_risk_and_blocks_nothing_else() {
    let (mut w, p, lst) = old_rate();
    w.withdraw(&p.alice, &p.usdc, 1);
    let fresh = w.margin(&p.alice);
    w.pass(1);
    let old = w.margin(&p.alice);
    // Initially it is not there: 1,000 USD less a debt of 600, its stress of 120 and its weight of 24.
    let (init, maint) = health(&old);
    assert!((255 * USD..256 * USD).contains(&init), "{init}");
    assert_eq!(old.blocked_by, None);
    // Towards maintenance it stands at its last rate, as if it were fresh.
    assert_eq!((maint, old.equity_maint), (health(&fresh).1, fresh.equity_maint));
    is_what_the_program_sees(&mut w, &p);
    w.withdraw(&p.alice, &p.usdc, 100 * USD as u64);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 200 * USD as u64), E::InsufficientMargin);
    // The token itself leaves as well: it counted for nothing.
    w.withdraw(&p.alice, &lst, 80 * SOL as u64);
    pool(&mut w, 1_250, EPOCH);
    w.ok(update(&lst));
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 200 * USD as u64), E::InsufficientMargin);
    w.deposit(&p.alice, &lst, 80 * SOL as u64);
    w.withdraw(&p.alice, &p.usdc, 200 * USD as u64);
}

#[test]
fn a_debt_at_an_old_rate_stops_new_risk_and_no_reduction() {
    let (mut w, p, lst) = old_rate();
    w.deposit(&p.carol, &p.usdc, 10_000 * USD as u64);
    w.refuses(w.withdraw_ix(&p.carol, &lst, 0), E::ZeroAmount);
    w.withdraw(&p.carol, &lst, 2 * SOL as u64);
    w.open(&p.carol, &p.sol, -SOL);
    w.pass(1);
    w.set_price(&p.sol, 125);
    w.pass(i64::from(HOUR));
    w.set_price(&p.sol, 125);
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, 1), E::OracleStale);
    w.refuses(w.open_ix(&p.carol, &p.sol, -SOL), E::OracleStale);
    w.close(&p.carol, &p.sol, u64::MAX);
    w.deposit(&p.carol, &lst, 1_000);
    w.ok(update(&lst));
    w.withdraw(&p.carol, &p.usdc, 1);
}

#[test]
fn nothing_is_owed_at_a_rate_that_was_never_updated() {
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, plain()).instruction());
    w.deposit(&p.bob, &lst, 100 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    let borrow = |w: &World, amount| {
        // The client refuses likewise, so the instruction is built before the debt is there.
        w.priced().withdraw(&w.keyed(&p.alice), &lst.mint, lst.tokens_of(&p.alice.owner), amount).unwrap()
    };
    w.refuses(borrow(&w, 1), E::RateNeverUpdated);
    w.ok(update(&lst));
    w.ok(borrow(&w, 1));
    // Deposits come and go without a rate.
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, plain()).instruction());
    w.deposit(&p.alice, &lst, SOL as u64);
    assert_eq!(w.margin(&p.alice).equity_maint.raw(), 0);
    w.withdraw(&p.alice, &lst, SOL as u64);
}

/// 12,500 USD of staked SOL carry a debt of 8,500 USD, until SOL falls to 95.
#[test]
fn staked_tokens_are_taken_over_pro_rata_whatever_the_rates_age() {
    for age in [0, i64::from(HOUR) + 1] {
        let (mut w, p, lst) = staked();
        w.deposit(&p.alice, &lst, 80 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 8_500 * USD as u64);
        w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
        w.pass(age);
        w.set_price(&p.sol, 95);
        let before = w.margin(&p.alice);
        assert!(health(&before).1 < 0);
        w.liquidate(&p.carol, &p.alice);
        let (alices, carols) = (w.shares(&p.alice, &lst), w.shares(&p.carol, &lst));
        assert_eq!(alices + carols, 80 * SOL);
        assert!(carols > 0 && health(&w.margin(&p.alice)).1 >= 0);
    }
}

#[test]
fn falls_take_effect_at_once_and_rises_wait() {
    let (mut w, _, lst) = staked();
    let quarter = ONE / 4;
    // Twice as much within the same second.
    pool(&mut w, 2_500, EPOCH);
    w.ok(update(&lst));
    assert_eq!(rates(&w, &lst).0, 5 * quarter);
    // Half a day allows 0.05 %.
    w.pass(DAY / 2);
    w.ok(update(&lst));
    let risen = 5 * quarter + 5 * quarter / 2_000;
    assert!(risen.abs_diff(rates(&w, &lst).0) <= 1);
    // What is not used is kept, for a week at most.
    pool(&mut w, 1_000, EPOCH);
    w.ok(update(&lst));
    assert_eq!(rates(&w, &lst), (ONE, ONE));
    w.pass(30 * DAY);
    w.ok(update(&lst));
    pool(&mut w, 2_500, EPOCH);
    w.ok(update(&lst));
    assert_eq!(rates(&w, &lst).0, ONE + (u128::from(ONE) * 7_000 / 1_000_000) as u64);
    assert_eq!(w.bank(&lst).rate.allowance, 0);
}

#[test]
fn the_tokens_own_feed_caps_deposits_and_not_debts() {
    let (mut w, p, lst) = bank();
    w.ok(source(&p, &lst, capped()).instruction());
    w.refuses(update(&lst), E::RateFeedMissing);
    // SOL is at 125. The token trades at 150, doubted by 25: 125 over 125 is one.
    let doubted = Price { confidence: 25 * 100_000_000, ..w.price(150) };
    publish(&mut w, doubted);
    w.ok(update_capped(&p, &lst));
    // Prices round down and doubt up, by 2^-48 each.
    let (deposit, borrow) = rates(&w, &lst);
    assert!(deposit <= ONE && deposit > ONE - 20, "{deposit}");
    assert_eq!(borrow, ONE / 4 * 5);
    // At 200 USD the pool's rate is the lower one.
    let high = w.price(200);
    publish(&mut w, high);
    w.ok(update_capped(&p, &lst));
    assert_eq!(rates(&w, &lst), (ONE / 4 * 5, ONE / 4 * 5));
    // A price of nothing but doubt.
    let nothing = Price { confidence: 200 * 100_000_000, ..high };
    publish(&mut w, nothing);
    w.refuses(update_capped(&p, &lst), E::RateOutOfRange);
    let mut other = raw::price_update_v2(&POOL.to_bytes(), &high);
    w.set_account(FEED, raw::account(raw::RECEIVER, other.clone()));
    w.refuses(update_capped(&p, &lst), E::OracleWrongFeed);
    other[41..73].copy_from_slice(FEED.as_ref());
    w.set_account(FEED, raw::account(raw::RECEIVER_2, other));
    w.refuses(update_capped(&p, &lst), E::OracleWrongOwner);
    // Both prices must be fresh.
    publish(&mut w, high);
    w.pass(61);
    w.refuses(update_capped(&p, &lst), E::OracleStale);
    w.set_price(&p.sol, 125);
    w.refuses(update_capped(&p, &lst), E::OracleStale);
    let fresh = w.price(200);
    publish(&mut w, fresh);
    w.ok(update_capped(&p, &lst));
    w.pass(61);
    let fresh = w.price(200);
    publish(&mut w, fresh);
    w.refuses(update_capped(&p, &lst), E::OracleStale);
}
