//! `upgrade_account`, and what accounts of earlier layouts looked like.

use plimsoll_client::{
    Error, decode,
    event::{AccountUpgraded, Event},
    instruction::{account, trigger},
};
use plimsoll_e2e_tests::{
    E, I, World,
    chain::VENUE_PROGRAM,
    raw::{self, as_version_1},
    world::{BTC, Places, SOL, USD},
};
use plimsoll_interface::{
    Address,
    accounts::{AccountType, MarginAccount, trigger_side, trigger_when},
    instruction::PlaceTriggerArgs,
};
use solana_instruction::Instruction;

use crate::venue::{approval, with_venue};

/// Alice stores an order whose fields tell its number.
fn order_ix(p: &Places, number: u64) -> Instruction {
    let args = PlaceTriggerArgs {
        trigger_price: number << 40,
        limit_price: number,
        size: number * 1_000,
        tip: number,
        expires_at: 0,
        side: trigger_side::LONG,
        when: trigger_when::AT_OR_BELOW,
    };
    trigger::Place { authority: p.alice.owner, account: p.alice.account, market: p.sol.market, args }.instruction()
}

/// Alice has two collaterals, a position in each market, options of two boards, four orders, a venue and a delegate.
fn everything() -> (World, Places) {
    let (mut w, p) = with_venue();
    w.deposit(&p.alice, &p.sol, 50 * SOL as u64);
    w.open(&p.alice, &p.sol, 20 * SOL);
    w.open(&p.alice, &p.btc, -BTC / 10);
    w.enable_options(&p.sol, SOL / 10);
    w.enable_options(&p.btc, BTC / 1_000);
    w.board(&p.sol, 30, &[100, 125, 150]);
    w.board(&p.btc, 30, &[50_000, 60_000]);
    w.open_option(&p.alice, &p.sol, 0, 1, 12);
    w.open_option(&p.alice, &p.btc, 0, 2, -3);
    for number in 1..=4 {
        w.ok(order_ix(&p, number));
    }
    w.ok(approval(&p, &p.alice, 500_000 * USD as u64));
    let delegate =
        account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate: p.bob.owner, scope: 1 };
    w.ok(delegate.instruction());
    (w, p)
}

/// The same account as the program of layout version 1 left it, byte for byte: written by that program's own binary.
const VERSION_1: &[u8] = include_bytes!("../fixtures/margin_account_v1.bin");

/// The same world in which Alice's account is still of version 1.
fn before_the_upgrade() -> (World, Places) {
    let (mut w, p) = everything();
    let mut old = w.account(&p.alice.account).unwrap();
    old.lamports = rent(VERSION_1.len());
    old.data = VERSION_1.to_vec();
    w.set_account(p.alice.account, old);
    (w, p)
}

/// Lamports that an account of some bytes must hold.
fn rent(bytes: usize) -> u64 {
    (bytes as u64 + 128) * 6_960
}

fn upgrade_ix(p: &Places, account: Address) -> Instruction {
    account::Upgrade { payer: p.mallory, account }.instruction()
}

#[test]
fn an_account_of_version_1_becomes_what_this_version_makes() {
    let (w, p) = everything();
    let expected = w.account(&p.alice.account).unwrap();
    let (mut w, p) = before_the_upgrade();
    let paid = w.account(&p.mallory).unwrap().lamports;
    let outcome = w.ok(upgrade_ix(&p, p.alice.account));
    let event = AccountUpgraded { account: p.alice.account, payer: p.mallory, from_version: 1 };
    assert_eq!(outcome.event(), Event::AccountUpgraded(event));
    let made = w.account(&p.alice.account).unwrap();
    assert_eq!(made.data, expected.data);
    assert_eq!(made.lamports, rent(MarginAccount::SPACE));
    assert_eq!(w.account(&p.mallory).unwrap().lamports, paid - 128 * 6_960);
    w.refuses(upgrade_ix(&p, p.alice.account), E::LayoutCurrent);
}

#[test]
fn until_then_the_account_is_refused_and_the_client_says_why() {
    let (mut w, p) = before_the_upgrade();
    w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1), I::AccountDataTooSmall);
    let found = w.account(&p.alice.account).unwrap();
    let read = decode::account::<MarginAccount>(&p.alice.account, &found.owner, &found.data);
    assert_eq!(read, Err(Error::Outdated { address: p.alice.account }));
}

/// Who takes over sends the upgrade along: an old layout protects nobody.
#[test]
fn an_account_below_its_line_is_upgraded_and_flagged_in_one_transaction() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, 300 * SOL);
    w.set_price(&p.sol, 60);
    let flag = w.flag_ix(&p.alice);
    let mut old = w.account(&p.alice.account).unwrap();
    old.data = as_version_1(&w.margin_account(&p.alice));
    w.set_account(p.alice.account, old);
    w.refuses(flag.clone(), I::AccountDataTooSmall);
    let (outcome, logs) = w.send_all(&[upgrade_ix(&p, p.alice.account), flag]);
    assert!(outcome.is_ok(), "{}", logs.join("\n"));
    assert!(w.margin_account(&p.alice).liquidation_started_at > 0);
}

#[test]
fn what_has_no_earlier_layout_is_refused() {
    let (mut w, p) = before_the_upgrade();
    for other in [p.sol.market, p.sol.bank, p.exchange] {
        w.refuses(upgrade_ix(&p, other), E::LayoutUnknown);
    }
    let forged = Address::new_unique();
    let data = VERSION_1.to_vec();
    w.set_account(forged, raw::account(VENUE_PROGRAM, data));
    w.refuses(upgrade_ix(&p, forged), E::LayoutUnknown);
}

/// The eight orders of version 2 are all usable.
#[test]
fn an_upgraded_account_stores_four_more_orders() {
    let (mut w, p) = before_the_upgrade();
    w.ok(upgrade_ix(&p, p.alice.account));
    for number in 5..=8 {
        w.ok(order_ix(&p, number));
    }
    w.refuses(order_ix(&p, 9), E::TooManyTriggers);
    assert_eq!(w.margin_account(&p.alice).venues[0].limit, 500_000 * USD as u64);
}
