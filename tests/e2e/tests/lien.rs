//! Liens on tokens that another program keeps: the example of an adapter, and what the exchange believes of one.

use plimsoll_client::{
    event::{Event, LienChanged, LienSeized},
    instruction::{account, controls, lien},
};
use plimsoll_e2e_tests::{
    Asset, E, I, Trader, World,
    chain::ADAPTER_PROGRAM,
    custody, raw,
    world::{Places, SOL, USD},
};
use plimsoll_interface::{
    Address,
    accounts::{Adapter, Lien, MAX_LIENS, MarginAccount, deferral},
    address,
    change::Change,
    config::{AdapterConfig, adapter_state, limits, loss_mode, pause, state},
    lien::{LienRecord, RECORD, VERSION},
};
use solana_instruction::Instruction;

use crate::staking;

/// One SOL, native.
const ONE: u64 = SOL as u64;
/// The grace of every adapter here, seconds.
const GRACE: i64 = 60;
/// A position with the example; its vault stands at [`custody::vault`].
pub const POSITION: Address = Address::new_from_array([b'P'; 32]);
pub const OTHER_POSITION: Address = Address::new_from_array([b'Q'; 32]);
/// Custom codes of the example.
const NOT_BENEFICIARY: I = I::Custom(3);
const TOO_FEW: I = I::Custom(5);

/// 1,000 SOL at most, a tenth of which does not count.
pub fn config() -> AdapterConfig {
    AdapterConfig {
        cap: 1_000 * ONE,
        haircut_ppm: 100_000,
        grace_seconds: GRACE as u32,
        state: adapter_state::ACTIVE,
        _padding: [0; 7],
    }
}

fn register(p: &Places, asset: &Asset) -> lien::RegisterAdapter {
    let (admin, exchange, bank) = (p.admin, p.exchange, asset.bank);
    lien::RegisterAdapter {
        admin,
        exchange,
        bank,
        program: ADAPTER_PROGRAM,
        config: AdapterConfig { cap: 0, ..config() },
    }
}

pub fn configure(p: &Places, asset: &Asset, config: AdapterConfig) -> lien::ConfigureAdapter {
    let (authority, exchange, adapter) = (p.admin, p.exchange, custody::adapter(asset));
    lien::ConfigureAdapter { authority, exchange, adapter, config, proposed: false }
}

/// Opens a position of `trader` with `amount` of an asset in it, none of it locked.
fn position(w: &mut World, trader: &Trader, asset: &Asset, at: Address, amount: u64) {
    for (address, account) in custody::accounts(asset, at) {
        w.set_account(address, account);
    }
    for ix in custody::open(trader, asset, at, amount) {
        w.ok(ix);
    }
}

/// A lien of `trader` on `amount` in a position of its own.
pub fn lien_of(w: &mut World, trader: &Trader, asset: &Asset, at: Address, amount: u64) -> Address {
    position(w, trader, asset, at, amount);
    w.ok(custody::lock(trader, asset, at, amount));
    let ix = open(w, trader, asset, at, amount);
    w.ok(ix);
    address::lien(&at)
}

pub fn open(w: &World, trader: &Trader, asset: &Asset, at: Address, amount: u64) -> Instruction {
    w.priced().open_lien(&w.keyed(trader), &asset.mint, ADAPTER_PROGRAM, at, amount)
}

pub fn update(w: &World, trader: &Trader, asset: &Asset, at: Address) -> Instruction {
    w.priced().update_lien(&w.keyed(trader), &asset.mint, ADAPTER_PROGRAM, at)
}

pub fn release(w: &World, trader: &Trader, asset: &Asset, at: Address, amount: u64) -> Instruction {
    w.priced().release_lien(&w.keyed(trader), &asset.mint, ADAPTER_PROGRAM, at, amount, vec![])
}

pub fn seize(w: &World, trader: &Trader, asset: &Asset, at: Address) -> Instruction {
    w.priced().seize_lien(&w.keyed(trader), &asset.mint, ADAPTER_PROGRAM, at, custody::for_seizing(&at))
}

/// A world with the example registered for `asset`.
fn registered_for(asset: fn(&Places) -> Asset) -> (World, Places, Asset) {
    let (mut w, p) = World::with_adapter();
    let asset = asset(&p);
    w.ok(register(&p, &asset).instruction());
    w.ok(configure(&p, &asset, config()).instruction());
    (w, p, asset)
}

/// Alice has 100 SOL locked with the example, and Bob a million dollars on deposit.
pub fn locked() -> (World, Places) {
    let (mut w, p, sol) = registered_for(|p| p.sol);
    position(&mut w, &p.alice, &sol, POSITION, 150 * ONE);
    w.ok(custody::lock(&p.alice, &sol, POSITION, 100 * ONE));
    w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
    (w, p)
}

/// They count.
pub fn opened() -> (World, Places) {
    let (mut w, p) = locked();
    let ix = open(&w, &p.alice, &p.sol, POSITION, 100 * ONE);
    w.ok(ix);
    (w, p)
}

/// Alice owes 7,000 USD against them.
fn indebted() -> (World, Places) {
    let (mut w, p) = opened();
    w.withdraw(&p.alice, &p.usdc, 7_000 * USD as u64);
    (w, p)
}

/// The same, below her line.
pub fn sinking() -> (World, Places) {
    let (mut w, p) = indebted();
    w.set_price(&p.sol, 85);
    w.flag(&p.alice);
    (w, p)
}

fn the_lien(w: &World) -> Lien {
    w.read(&address::lien(&POSITION))
}

fn the_adapter(w: &World, p: &Places) -> Adapter {
    w.read(&custody::adapter(&p.sol))
}

fn health(w: &World, trader: &Trader) -> (i64, i64) {
    let margin = w.margin(trader);
    (margin.health_init().unwrap().raw(), margin.health_maint().unwrap().raw())
}

fn rewrite(w: &mut World, at: Address, change: impl FnOnce(&mut LienRecord)) {
    let mut account = w.account(&at).unwrap();
    let mut record: LienRecord = bytemuck::pod_read_unaligned(&account.data[8..120]);
    change(&mut record);
    account.data[8..120].copy_from_slice(bytemuck::bytes_of(&record));
    w.set_account(at, account);
}

fn gone(w: &World, address: &Address) -> bool {
    w.account(address).is_none_or(|account| account.lamports == 0)
}

/// Has the margin that the program computes compared with the client's.
fn is_what_the_program_sees(w: &mut World, trader: &Trader) {
    let margin = w.margin(trader);
    let Event::LiquidationFlagged(flagged) = w.flag(trader).event() else { panic!("flagged") };
    assert_eq!((flagged.equity, flagged.requirement), (margin.equity_maint.raw(), margin.requirement_maint.raw()));
}

#[test]
fn an_adapter_starts_with_nothing() {
    let (mut w, p) = World::with_adapter();
    let register = register(&p, &p.sol);
    let with_cap = lien::RegisterAdapter { config: config(), ..register };
    w.refuses(with_cap.instruction(), E::NewAdapterHasCap);
    let no_program = lien::RegisterAdapter { program: p.sol.market, ..register };
    w.refuses(no_program.instruction(), E::NotAProgram);
    let Event::Configured(event) = w.ok(register.instruction()).event() else { panic!("configured") };
    assert_eq!((event.subject, event.admin), (custody::adapter(&p.sol), p.admin));
    let adapter = the_adapter(&w, &p);
    assert_eq!((adapter.exchange, adapter.bank, adapter.mint), (p.exchange, p.sol.bank, p.sol.mint));
    assert_eq!((adapter.program, adapter.claimed, adapter.lost, adapter.room()), (ADAPTER_PROGRAM, 0, 0, 0));
    assert_eq!(adapter.authority, address::lien_authority(&custody::adapter(&p.sol)));
    w.ok(configure(&p, &p.sol, config()).instruction());
    assert_eq!(the_adapter(&w, &p).config, config());
}

#[test]
fn parameters_of_adapters_have_bounds() {
    let (mut w, p, sol) = registered_for(|p| p.sol);
    let invalid = [
        AdapterConfig { haircut_ppm: 1_000_001, ..config() },
        AdapterConfig { grace_seconds: 0, ..config() },
        AdapterConfig { grace_seconds: limits::LIEN_GRACE_SECONDS_MAX + 1, ..config() },
        AdapterConfig { state: adapter_state::LAST + 1, ..config() },
        AdapterConfig { _padding: [0, 0, 0, 0, 0, 0, 1], ..config() },
    ];
    for config in invalid {
        w.refuses(configure(&p, &sol, config).instruction(), E::InvalidAdapterParameters);
        let register = lien::RegisterAdapter { bank: p.btc.bank, config, ..register(&p, &sol) };
        w.refuses(register.instruction(), E::InvalidAdapterParameters);
    }
    let edges = AdapterConfig { haircut_ppm: 1_000_000, grace_seconds: limits::LIEN_GRACE_SECONDS_MAX, ..config() };
    w.ok(configure(&p, &sol, edges).instruction());
    w.ok(configure(&p, &sol, AdapterConfig { haircut_ppm: 0, grace_seconds: 1, ..edges }).instruction());
}

/// A cap is raised after the timelock; it is lowered, and the adapter closed, at once and by the risk admin too.
#[test]
fn what_an_adapter_may_carry_is_announced() {
    const DAY: i64 = 86_400;
    let (mut w, p, sol) = registered_for(|p| p.sol);
    w.ok(controls::SetRole {
        authority: p.admin,
        exchange: p.exchange,
        role: 0,
        holder: p.carol.owner,
        proposed: false,
    }
    .instruction());
    w.configure(|config| config.timelock_seconds = DAY as u32);
    let more = AdapterConfig { cap: 1_001 * ONE, ..config() };
    w.refuses(configure(&p, &sol, more).instruction(), E::ProposalWanted);
    // A haircut moves the line of whoever has a lien: neither way without notice.
    for haircut_ppm in [99_999, 100_001] {
        w.refuses(configure(&p, &sol, AdapterConfig { haircut_ppm, ..config() }).instruction(), E::ProposalWanted);
    }
    let grace = AdapterConfig { grace_seconds: 1, ..config() };
    w.refuses(configure(&p, &sol, grace).instruction(), E::ProposalWanted);
    let change = Change::Adapter(AdapterConfig { state: 9, ..more });
    let propose = controls::Propose { admin: p.admin, exchange: p.exchange, subject: custody::adapter(&sol), change };
    w.refuses(propose.instruction(), E::InvalidAdapterParameters);
    let propose = controls::Propose { change: Change::Adapter(more), ..propose };
    w.refuses(controls::Propose { subject: sol.bank, ..propose }.instruction(), I::InvalidAccountData);
    w.ok(propose.instruction());
    let proposed = lien::ConfigureAdapter { proposed: true, ..configure(&p, &sol, more) };
    w.refuses(proposed.instruction(), E::TimelockRunning);
    w.pass(DAY);
    w.ok(proposed.instruction());
    let less = AdapterConfig { cap: 1, state: adapter_state::CLOSED, ..config() };
    let by_carol = lien::ConfigureAdapter { authority: p.carol.owner, ..configure(&p, &sol, less) };
    w.ok(by_carol.instruction());
    assert_eq!(the_adapter(&w, &p).config, less);
    w.refuses(configure(&p, &sol, AdapterConfig { cap: 1, ..config() }).instruction(), E::ProposalWanted);
    let by_carol = lien::ConfigureAdapter { config: config(), ..by_carol };
    w.refuses(by_carol.instruction(), E::OnlyTightening);
}

/// 100 SOL at a haircut of a tenth are a deposit of 90, to the unit, and no token moves.
#[test]
fn a_lien_counts_as_a_smaller_deposit() {
    let (mut w, p) = opened();
    w.deposit(&p.carol, &p.sol, 90 * ONE);
    assert_eq!(w.margin(&p.alice), w.margin(&p.carol));
    // 11,250 USD, a range of 20 % and the bank's haircut of 10 %.
    assert_eq!(w.margin(&p.alice).equity_init.raw(), 11_250 * USD);
    assert_eq!(w.margin(&p.alice).requirement_init.raw(), (2_250 + 1_125) * USD);
    is_what_the_program_sees(&mut w, &p.alice);
    let lien = the_lien(&w);
    assert_eq!((lien.account, lien.adapter, lien.record), (p.alice.account, custody::adapter(&p.sol), POSITION));
    assert_eq!((lien.claim, lien.recognised, lien.version), (100 * ONE, 90 * ONE, 1));
    let account = w.margin_account(&p.alice);
    assert_eq!((account.liens, account.balances[0].lien, account.balances[0].shares), (1, 90 * ONE, 0));
    assert_eq!(
        (the_adapter(&w, &p).claimed, w.bank(&p.sol).deposit_shares),
        (100 * ONE, w.shares(&p.carol, &p.sol) as u64)
    );
}

/// A short position against it is hedged as against a deposit.
#[test]
fn a_lien_nets_with_a_position() {
    let (mut w, p) = opened();
    w.open(&p.alice, &p.sol, -90 * SOL);
    // Only the haircut is left: a tenth of 11,250 USD.
    assert_eq!(w.margin(&p.alice).requirement_init.raw(), 1_125 * USD);
    is_what_the_program_sees(&mut w, &p.alice);
}

#[test]
fn a_lien_is_announced() {
    let (mut w, p) = locked();
    let ix = open(&w, &p.alice, &p.sol, POSITION, 100 * ONE);
    let expected = LienChanged {
        account: p.alice.account,
        adapter: custody::adapter(&p.sol),
        record: POSITION,
        claim: 100 * ONE,
        recognised: 90 * ONE,
    };
    assert_eq!(w.ok(ix).event(), Event::LienChanged(expected));
    let ix = release(&w, &p.alice, &p.sol, POSITION, u64::MAX);
    let released = LienChanged { claim: 0, recognised: 0, ..expected };
    assert_eq!(w.ok(ix).event(), Event::LienChanged(released));
}

/// Dollars have no price to fall: a lien of the quote is quote.
#[test]
fn dollars_may_be_locked_too() {
    let (mut w, p, usdc) = registered_for(|p| p.usdc);
    w.ok(configure(&p, &usdc, AdapterConfig { cap: u64::MAX, ..config() }).instruction());
    position(&mut w, &p.alice, &usdc, POSITION, 1_000 * USD as u64);
    w.ok(custody::lock(&p.alice, &usdc, POSITION, 1_000 * USD as u64));
    let ix = open(&w, &p.alice, &usdc, POSITION, 1_000 * USD as u64);
    w.ok(ix);
    assert_eq!(health(&w, &p.alice), (900 * USD, 900 * USD));
    is_what_the_program_sees(&mut w, &p.alice);
    w.open(&p.alice, &p.sol, 30 * SOL);
    w.set_price(&p.sol, 96);
    w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
    let ix = seize(&w, &p.alice, &usdc, POSITION);
    w.ok(ix);
    assert_eq!(w.shares(&p.alice, &usdc), 1_000 * USD);
}

/// A debt in the bank of a lien: 50 SOL owed, 90 counted.
#[test]
fn a_debt_beside_a_lien_counts_by_itself() {
    let (mut w, p) = opened();
    w.deposit(&p.carol, &p.sol, 1_000 * ONE);
    w.withdraw(&p.alice, &p.sol, 50 * ONE);
    let margin = w.margin(&p.alice);
    assert_eq!(margin.equity_init.raw(), 5_000 * USD);
    is_what_the_program_sees(&mut w, &p.alice);
    // What arrives pays the debt first.
    w.set_price(&p.sol, 125);
    w.open(&p.alice, &p.btc, 12_000_000);
    w.set_price(&p.btc, 25_000);
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
    assert_eq!(w.shares(&p.alice, &p.sol), 50 * SOL);
}

#[test]
fn what_is_claimed_stays_locked() {
    let (mut w, p) = opened();
    // The owner has the 50 that are free and no more, and nobody but the beneficiary unlocks.
    w.refuses(custody::take(&p.alice, &p.sol, POSITION, 50 * ONE + 1), TOO_FEW);
    w.ok(custody::take(&p.alice, &p.sol, POSITION, 50 * ONE));
    let data = plimsoll_interface::lien::data(plimsoll_interface::lien::RELEASE, 1);
    for (signer, signs) in [(p.alice.owner, true), (address::lien_authority(&custody::adapter(&p.sol)), false)] {
        let ix = custody::instruction(&data, &[(signer, signs, false), (POSITION, false, true)]);
        w.refuses(ix, NOT_BENEFICIARY);
    }
    let mut data = data.to_vec();
    data[..8].copy_from_slice(&plimsoll_interface::lien::SEIZE);
    let accounts = [
        (p.alice.owner, true, false),
        (POSITION, false, true),
        (p.sol.tokens_of(&p.alice.owner), false, true),
        (plimsoll_client::instruction::TOKEN_PROGRAM, false, false),
        (custody::vault(&POSITION), false, true),
        (custody::custodian().0, false, false),
    ];
    w.refuses(custody::instruction(&data, &accounts), NOT_BENEFICIARY);
}

#[test]
fn records_that_are_not_believed() {
    let (mut w, p) = locked();
    let ix = open(&w, &p.alice, &p.sol, POSITION, 100 * ONE);
    let good = w.account(&POSITION).unwrap();
    let mut bad = good.clone();
    bad.owner = p.mallory;
    w.set_account(POSITION, bad);
    w.refuses(&ix, E::LienRecordInvalid);
    for byte in [0, 8] {
        let mut bad = good.clone();
        bad.data[byte] ^= 1;
        w.set_account(POSITION, bad);
        w.refuses(&ix, E::LienRecordInvalid);
    }
    let mut bad = good.clone();
    bad.data.truncate(119);
    w.set_account(POSITION, bad);
    w.refuses(&ix, E::LienRecordInvalid);
    let changes: [fn(&mut LienRecord); 3] = [
        |record| record.beneficiary = record.account,
        |record| record.account = record.beneficiary,
        |record| record.mint = record.account,
    ];
    for change in changes {
        w.set_account(POSITION, good.clone());
        rewrite(&mut w, POSITION, change);
        w.refuses(&ix, E::LienRecordMismatch);
    }
    w.set_account(POSITION, good.clone());
    rewrite(&mut w, POSITION, |record| record.amount -= 1);
    w.refuses(&ix, E::LienShort);
    // Whatever stands behind the record is the program's.
    let mut long = good;
    long.data.truncate(120);
    assert_eq!((&long.data[..8], long.data[8]), (RECORD.as_slice(), VERSION as u8));
    w.set_account(POSITION, long);
    w.ok(ix);
}

#[test]
fn liens_that_are_not_opened() {
    let (mut w, p) = locked();
    let ix = open(&w, &p.alice, &p.sol, POSITION, 100 * ONE);
    let nothing = open(&w, &p.alice, &p.sol, POSITION, 0);
    w.refuses(nothing, E::ZeroAmount);
    let too_much = open(&w, &p.alice, &p.sol, POSITION, 100 * ONE + 1);
    w.refuses(too_much, E::LienShort);
    w.configure(|config| config.pauses = pause::DEPOSIT);
    w.refuses(&ix, E::Paused);
    w.configure(|config| config.pauses = 0);
    w.ok(configure(&p, &p.sol, AdapterConfig { state: adapter_state::CLOSED, ..config() }).instruction());
    w.refuses(&ix, E::AdapterClosed);
    w.ok(configure(&p, &p.sol, AdapterConfig { cap: 100 * ONE - 1, ..config() }).instruction());
    w.refuses(&ix, E::AdapterCap);
    w.ok(configure(&p, &p.sol, AdapterConfig { cap: 100 * ONE, ..config() }).instruction());
    w.configure_bank(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(&ix, E::BankReduceOnly);
    w.configure_bank(&p.sol, |config| config.state = state::ACTIVE);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::BEGUN);
    w.refuses(&ix, E::LiquidationInProgress);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::NONE);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.liens = MAX_LIENS);
    w.refuses(&ix, E::TooManyLiens);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.liens = 0);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.liquidation_started_at = 1);
    w.refuses(&ix, E::LienInLiquidation);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.liquidation_started_at = 0);
    w.ok(&ix);
    // A record is believed once: its lien is there.
    w.refuses(&ix, I::Custom(0));
    assert_eq!(the_adapter(&w, &p).room(), 0);
}

/// What is borrowed against a lien holds it; the rest may go, to the unit.
#[test]
fn a_lien_is_released_as_far_as_the_margin_allows() {
    let (mut w, p) = indebted();
    // 11,250 - 2,250 - 1,125 - 7,000 USD.
    assert_eq!(health(&w, &p.alice).0, 875 * USD);
    // A SOL counts nine tenths of 125 USD less 30 %: 78.75. 875 USD are eleven and a ninth.
    let too_much = release(&w, &p.alice, &p.sol, POSITION, 11_111_111_200);
    w.refuses(too_much, E::InsufficientMargin);
    let ix = release(&w, &p.alice, &p.sol, POSITION, 11_111_111_000);
    w.ok(ix);
    let left = 100 * ONE - 11_111_111_000;
    assert_eq!((the_lien(&w).claim, the_lien(&w).recognised), (left, left / 10 * 9));
    assert_eq!(the_adapter(&w, &p).claimed, left);
    let record: LienRecord = bytemuck::pod_read_unaligned(&w.account(&POSITION).unwrap().data[8..120]);
    assert_eq!(record.amount, left);
    w.ok(custody::take(&p.alice, &p.sol, POSITION, 50 * ONE + 11_111_111_000));
    w.deposit(&p.alice, &p.usdc, 7_001 * USD as u64);
    let ix = release(&w, &p.alice, &p.sol, POSITION, u64::MAX);
    w.ok(ix);
    assert!(gone(&w, &address::lien(&POSITION)));
    assert_eq!((w.margin_account(&p.alice).liens, the_adapter(&w, &p).claimed), (0, 0));
}

#[test]
fn releases_that_are_refused() {
    let (mut w, p) = indebted();
    let ix = release(&w, &p.alice, &p.sol, POSITION, ONE);
    let nothing = release(&w, &p.alice, &p.sol, POSITION, 0);
    w.refuses(nothing, E::ZeroAmount);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.refuses(&ix, E::Paused);
    w.configure(|config| config.pauses = 0);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::BEGUN);
    w.refuses(&ix, E::LiquidationInProgress);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::NONE);
    // A margin without its accounts, and more accounts for the adapter than there are.
    let mut bare = ix.clone();
    bare.accounts.truncate(9);
    w.refuses(&bare, E::MissingMarket);
    let mut greedy = ix.clone();
    *greedy.data.last_mut().unwrap() = 200;
    w.refuses(&greedy, E::AdapterAccounts);
    *greedy.data.last_mut().unwrap() = 16;
    w.refuses(&greedy, E::AdapterAccounts);
    // The adapter that lets go of more than it was asked for.
    rewrite(&mut w, POSITION, |record| record.amount = 99 * ONE);
    let ix = release(&w, &p.alice, &p.sol, POSITION, ONE);
    w.refuses(ix, E::LienShort);
}

#[test]
fn an_old_price_and_a_fallen_dollar_hold_a_lien() {
    let (mut w, p) = indebted();
    let ix = w.stored().release_lien(&w.keyed(&p.alice), &p.sol.mint, ADAPTER_PROGRAM, POSITION, 1, vec![]);
    w.ok(&ix);
    w.pass(61);
    w.refuses(&ix, E::InsufficientMargin);
}

/// Below the line a lien is called in before anything is taken over: the tokens become a deposit, all of them.
#[test]
fn a_lien_is_called_in_before_the_account_is_taken_over() {
    let (mut w, p) = sinking();
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    // 7,650 - 765 - 382.5 - 7,000 USD, the debt rounded up.
    assert_eq!(health(&w, &p.alice).1, -497_500_001);
    let ix = w.liquidate_ix(&p.carol, &p.alice);
    w.refuses(ix, E::LiensFirst);
    let vault_before = w.bank(&p.sol).vault_amount;
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    let expected = LienSeized {
        account: p.alice.account,
        adapter: custody::adapter(&p.sol),
        record: POSITION,
        claim: 100 * ONE,
        received: 100 * ONE,
    };
    assert_eq!(w.ok(&ix).event(), Event::LienSeized(expected));
    assert!(gone(&w, &address::lien(&POSITION)));
    assert_eq!(w.shares(&p.alice, &p.sol), 100 * SOL);
    assert_eq!(w.bank(&p.sol).vault_amount, vault_before + 100 * ONE);
    assert_eq!((w.margin_account(&p.alice).liens, w.margin_account(&p.alice).balances[0].lien), (0, 0));
    assert_eq!((the_adapter(&w, &p).claimed, the_adapter(&w, &p).lost), (0, 0));
    // What the haircut held back is hers: 8,500 - 850 - 425 - 7,000 USD, and nothing is taken over.
    assert_eq!(health(&w, &p.alice).1, 225 * USD - 1);
    let ix = w.liquidate_ix(&p.carol, &p.alice);
    w.refuses(ix, E::AccountHealthy);
    w.set_price(&p.sol, 80);
    w.liquidate(&p.carol, &p.alice);
    assert!(w.shares(&p.carol, &p.sol) > 0);
}

#[test]
fn only_an_account_below_its_line_has_its_liens_called_in() {
    let (mut w, p) = indebted();
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.refuses(&ix, E::AccountHealthy);
    w.set_price(&p.sol, 85);
    w.configure(|config| config.pauses = pause::LIQUIDATE);
    w.refuses(&ix, E::Paused);
    w.configure(|config| config.pauses = 0);
    let mut greedy = ix.clone();
    *greedy.data.last_mut().unwrap() = 17;
    w.refuses(&greedy, E::AdapterAccounts);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::BEGUN);
    w.refuses(&ix, E::LiquidationInProgress);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::NONE);
    w.ok(&ix);
}

/// No cap and no state of the bank keeps anybody from calling a lien in.
#[test]
fn a_full_bank_takes_what_is_called_in() {
    let (mut w, p) = sinking();
    w.configure_bank(&p.sol, |config| (config.deposit_cap, config.state) = (1, state::REDUCE_ONLY));
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
}

/// The adapter had 30 of 100: the account is credited 30, and 70 stay on the adapter's account for good.
#[test]
fn what_an_adapter_does_not_deliver_is_lost_within_its_cap() {
    let (mut w, p) = sinking();
    w.set_account(custody::vault(&POSITION), raw::token_account(&p.sol.mint, &custody::custodian().0, 30 * ONE));
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    let Event::LienSeized(seized) = w.ok(ix).event() else { panic!("seized") };
    assert_eq!((seized.claim, seized.received), (100 * ONE, 30 * ONE));
    assert_eq!(w.shares(&p.alice, &p.sol), 30 * SOL);
    assert_eq!(w.margin_account(&p.alice).balances[0].lien, 0);
    let adapter = the_adapter(&w, &p);
    assert_eq!((adapter.claimed, adapter.lost, adapter.room()), (0, 70 * ONE, 930 * ONE));
    position(&mut w, &p.bob, &p.sol, OTHER_POSITION, 931 * ONE);
    w.ok(custody::lock(&p.bob, &p.sol, OTHER_POSITION, 931 * ONE));
    let ix = open(&w, &p.bob, &p.sol, OTHER_POSITION, 930 * ONE + 1);
    w.refuses(ix, E::AdapterCap);
    let ix = open(&w, &p.bob, &p.sol, OTHER_POSITION, 930 * ONE);
    w.ok(ix);
}

/// Nothing delivered is nothing credited, and the account is for the waterfall.
#[test]
fn an_adapter_without_anything_delivers_nothing() {
    let (mut w, p) = sinking();
    w.set_account(custody::vault(&POSITION), raw::token_account(&p.sol.mint, &custody::custodian().0, 0));
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
    assert!(w.margin_account(&p.alice).balance_slot(&p.sol.bank).is_none());
    assert_eq!(the_adapter(&w, &p).lost, 100 * ONE);
    assert_eq!(health(&w, &p.alice).1, -7_000 * USD);
}

/// An adapter that fails is waited for as long as its grace, from the start of the liquidation; then its lien counts for
/// nothing, and the account is liquidated without it.
#[test]
fn an_adapter_that_fails_does_not_hold_a_liquidation_up() {
    let (mut w, p) = sinking();
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.alice, &p.sol, ONE);
    // Frozen, say: the token program refuses.
    w.set_account(custody::vault(&POSITION), raw::token_account(&p.sol.mint, &p.mallory, 150 * ONE));
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.refuses(ix, I::Custom(4));
    w.pass(GRACE - 1);
    w.set_price(&p.sol, 85);
    let ix = update(&w, &p.alice, &p.sol, POSITION);
    w.ok(&ix);
    assert_eq!(the_lien(&w).recognised, 90 * ONE);
    w.pass(1);
    w.ok(&ix);
    assert_eq!((the_lien(&w).claim, the_lien(&w).recognised), (100 * ONE, 0));
    let account = w.margin_account(&p.alice);
    assert_eq!((account.liens, account.balances.iter().map(|slot| slot.lien).sum::<u64>()), (1, 0));
    // What it claimed still fills the cap.
    assert_eq!(the_adapter(&w, &p).claimed, 100 * ONE);
    // The waterfall goes on without it: the house bears what is missing.
    let resolve = w.resolve_ix(&p.alice);
    w.ok(resolve);
    // It is still there to be called in.
    w.set_account(custody::vault(&POSITION), raw::token_account(&p.sol.mint, &custody::custodian().0, 150 * ONE));
    let ix = seize(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
    assert_eq!(w.shares(&p.alice, &p.sol), 101 * SOL);
}

/// Time alone takes nothing from a healthy account: an old start of a liquidation is none.
#[test]
fn grace_runs_only_below_the_line() {
    let (mut w, p) = sinking();
    w.pass(GRACE);
    w.set_price(&p.sol, 125);
    let ix = update(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
    assert_eq!(the_lien(&w).recognised, 90 * ONE);
    assert_eq!(w.margin_account(&p.alice).liquidation_started_at, 0);
    // And below it again it runs anew.
    w.set_price(&p.sol, 85);
    w.flag(&p.alice);
    let ix = update(&w, &p.alice, &p.sol, POSITION);
    w.ok(&ix);
    assert_eq!(the_lien(&w).recognised, 90 * ONE);
    let mut bare = ix;
    bare.accounts.truncate(6);
    w.refuses(&bare, E::MissingMarket);
}

/// A lien counts the least of claim and record, and follows the haircut; a closed adapter's never rises.
#[test]
fn a_lien_is_updated_by_anyone() {
    let (mut w, p) = opened();
    let ix = update(&w, &p.alice, &p.sol, POSITION);
    let recognised = |w: &mut World, change: &dyn Fn(&mut World)| {
        change(w);
        w.ok(&ix);
        the_lien(w).recognised / ONE
    };
    let haircut = |haircut_ppm, state| {
        move |w: &mut World| {
            let p = w.places();
            w.ok(configure(&p, &p.sol, AdapterConfig { haircut_ppm, state, ..config() }).instruction());
        }
    };
    let amount = |amount| move |w: &mut World| rewrite(w, POSITION, |record| record.amount = amount);
    let (active, closed) = (adapter_state::ACTIVE, adapter_state::CLOSED);
    assert_eq!(recognised(&mut w, &|_| ()), 90);
    assert_eq!(recognised(&mut w, &haircut(200_000, active)), 80);
    assert_eq!(recognised(&mut w, &amount(50 * ONE)), 40);
    assert_eq!(recognised(&mut w, &amount(200 * ONE)), 80);
    let for_another = |w: &mut World| rewrite(w, POSITION, |record| record.account = record.beneficiary);
    assert_eq!(recognised(&mut w, &for_another), 0);
    let account = p.alice.account;
    assert_eq!(recognised(&mut w, &move |w| rewrite(w, POSITION, |record| record.account = account)), 80);
    assert_eq!(recognised(&mut w, &haircut(100_000, closed)), 80);
    assert_eq!(recognised(&mut w, &haircut(300_000, closed)), 70);
    assert_eq!(recognised(&mut w, &haircut(1_000_000, active)), 0);
    assert!(w.margin_account(&p.alice).balance_slot(&p.sol.bank).is_none());
    assert_eq!(recognised(&mut w, &haircut(100_000, active)), 90);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::BEGUN);
    w.refuses(&ix, E::LiquidationInProgress);
    w.edit::<MarginAccount>(&p.alice.account, |account| account.deferral = deferral::NONE);
}

/// The record is gone, as no honest adapter's ever is: the lien counts for nothing as soon as anybody says so, and its
/// owner may drop it.
#[test]
fn a_lien_without_a_record_can_be_dropped() {
    let (mut w, p) = opened();
    w.set_account(POSITION, raw::wallet());
    let close = account::Close { owner: p.alice.owner, account: p.alice.account }.instruction();
    w.refuses(&close, E::AccountNotEmpty);
    let ix = update(&w, &p.alice, &p.sol, POSITION);
    w.ok(ix);
    assert_eq!(the_lien(&w).recognised, 0);
    // Nothing counts, and still the account cannot be closed: the claim is its.
    w.refuses(&close, E::AccountNotEmpty);
    let part = release(&w, &p.alice, &p.sol, POSITION, 1);
    w.refuses(part, E::LienShort);
    let ix = release(&w, &p.alice, &p.sol, POSITION, u64::MAX);
    w.ok(ix);
    w.ok(&close);
}

/// Nobody covers a loss while a lien counts, nor closes a position against it.
#[test]
fn liens_come_before_the_waterfall() {
    let (mut w, p) = sinking();
    w.set_price(&p.sol, 60);
    let ix = w.resolve_ix(&p.alice);
    w.refuses(ix, E::LiensFirst);
    w.configure(|config| config.loss_mode = loss_mode::DELEVERAGE);
    let ix = w.deleverage_ix(&p.alice, &p.bob, &p.sol, 1, &[]);
    w.refuses(ix, E::LiensFirst);
}

/// One account has liens with two adapters of one bank: each knows its own.
#[test]
fn liens_of_one_bank_add_up() {
    let (mut w, p) = opened();
    position(&mut w, &p.alice, &p.sol, OTHER_POSITION, 10 * ONE);
    w.ok(custody::lock(&p.alice, &p.sol, OTHER_POSITION, 10 * ONE));
    let ix = open(&w, &p.alice, &p.sol, OTHER_POSITION, 10 * ONE);
    w.ok(ix);
    let account = w.margin_account(&p.alice);
    assert_eq!((account.liens, account.balances[0].lien), (2, 99 * ONE));
    let ix = release(&w, &p.alice, &p.sol, POSITION, u64::MAX);
    w.ok(ix);
    assert_eq!(w.margin_account(&p.alice).balances[0].lien, 9 * ONE);
}

/// The owner alone; a delegate neither opens nor releases.
#[test]
fn liens_are_the_owners() {
    let (mut w, p) = locked();
    let delegate = account::SetDelegate {
        owner: p.alice.owner,
        account: p.alice.account,
        delegate: p.bob.owner,
        scope: plimsoll_interface::accounts::delegate_scope::TRADE,
    };
    w.ok(delegate.instruction());
    let mut ix = open(&w, &p.alice, &p.sol, POSITION, ONE);
    ix.accounts[0].pubkey = p.bob.owner;
    w.refuses(&ix, E::NotOwner);
    let ix = open(&w, &p.alice, &p.sol, POSITION, ONE);
    w.ok(ix);
    let mut ix = release(&w, &p.alice, &p.sol, POSITION, ONE);
    ix.accounts[0].pubkey = p.bob.owner;
    w.refuses(&ix, E::NotOwner);
}

/// A staked token that another program keeps: rate and haircuts after one another.
#[test]
fn a_staked_token_may_be_locked_too() {
    let (mut w, p) = World::with_adapter();
    w.set_epoch(crate::staking::EPOCH);
    let lst = w.add_bank(crate::staking::MINT, 9, p.sol.market, plimsoll_e2e_tests::world::bank_config());
    crate::staking::pool(&mut w, 1_250, crate::staking::EPOCH);
    w.ok(crate::staking::source(&p, &lst, crate::staking::plain()).instruction());
    w.ok(crate::staking::update(&lst));
    w.ok(register(&p, &lst).instruction());
    w.ok(configure(&p, &lst, config()).instruction());
    position(&mut w, &p.alice, &lst, POSITION, 80 * ONE);
    w.ok(custody::lock(&p.alice, &lst, POSITION, 80 * ONE));
    let ix = open(&w, &p.alice, &lst, POSITION, 80 * ONE);
    w.ok(ix);
    // 72 tokens at 1.25 are 90 SOL.
    w.deposit(&p.carol, &p.sol, 90 * ONE);
    assert_eq!(w.margin(&p.alice), w.margin(&p.carol));
    is_what_the_program_sees(&mut w, &p.alice);
    // At an old rate it counts for nothing initially, and as before towards maintenance.
    w.pass(3_601);
    w.set_price(&p.sol, 125);
    let (alice, carol) = (health(&w, &p.alice), health(&w, &p.carol));
    assert_eq!((alice.0, alice.1), (0, carol.1));
}

/// What is locked elsewhere counts by the bank's price and rate as a deposit does.
#[test]
fn a_bank_with_liens_keeps_its_rate_source_and_is_not_retired() {
    let (mut w, p) = opened();
    assert_eq!((w.bank(&p.sol).deposit_shares, w.bank(&p.sol).lien_claims), (0, 100 * ONE));
    w.refuses(staking::source(&p, &p.sol, staking::plain()).instruction(), E::RateSourceInUse);
    w.configure_bank(&p.sol, |config| config.state = state::WIND_DOWN);
    let retire = controls::RetireBank { admin: p.admin, exchange: p.exchange, bank: p.sol.bank }.instruction();
    w.refuses(&retire, E::NotEmpty);
    let all = release(&w, &p.alice, &p.sol, POSITION, u64::MAX);
    w.ok(all);
    assert_eq!(w.bank(&p.sol).lien_claims, 0);
    w.ok(&retire);
}
