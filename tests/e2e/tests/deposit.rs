//! `deposit`.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    E, World,
    world::{SOL, USD},
};
use plimsoll_interface::event::BalanceChanged;

#[test]
fn a_deposit_moves_tokens_to_the_vault_and_makes_shares() {
    // SETUP
    let (mut w, p) = World::new();
    let before = w.tokens(&p.alice.owner, &p.sol);
    // TEST: at an index of one a share is a native unit.
    let outcome = w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
    let expected = BalanceChanged { account: p.alice.account, bank: p.sol.bank, amount: 10 * SOL, shares: 10 * SOL };
    assert_eq!(outcome.event(), Event::BalanceChanged(expected));
    assert_eq!(w.tokens(&p.alice.owner, &p.sol), before - 10 * SOL as u64);
    assert_eq!(w.tokens_at(&p.sol.vault), 10 * SOL as u64);
    let bank = w.bank(&p.sol);
    assert_eq!((bank.vault_amount, bank.deposit_shares), (10 * SOL as u64, 10 * SOL as u64));
    assert_eq!(w.shares(&p.alice, &p.sol), 10 * SOL);
}

#[test]
fn nothing_is_refused() {
    let (mut w, p) = World::new();
    let ix = w.deposit_ix(&p.alice, &p.usdc, 0);
    w.refuses(&ix, E::ZeroAmount);
    w.deposit(&p.alice, &p.usdc, USD as u64);
}
