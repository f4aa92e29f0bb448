//! `create_account`, `set_delegate`, `close_account`.

use plimsoll_client::{event::Event, instruction::account};
use plimsoll_e2e_tests::{E, I, World, raw, world::USD};
use plimsoll_interface::{
    Address,
    accounts::{AccountType, MarginAccount},
    address,
    event::{AccountChanged, account_change},
};

#[test]
fn an_owner_opens_a_sub_account_that_another_pays_for() {
    let (mut w, p) = World::new();
    let create = account::Create { payer: p.bob.owner, owner: p.alice.owner, exchange: p.exchange, index: 513 };
    let paid = w.account(&p.bob.owner).unwrap().lamports;
    let outcome = w.ok(create.instruction());
    let address = address::margin_account(&p.exchange, &p.alice.owner, 513);
    let (owner, delegate) = (p.alice.owner, Address::default());
    let expected =
        AccountChanged { account: address, owner, delegate, kind: account_change::OPENED, delegate_scope: 0 };
    assert_eq!(outcome.event(), Event::AccountChanged(expected));
    let made: MarginAccount = w.read(&address);
    assert_eq!((made.exchange, made.owner, made.delegate), (p.exchange, owner, delegate));
    assert_eq!((made.index, made.version, made.is_empty()), (513, 2, true));
    let rent = w.account(&address).unwrap().lamports;
    assert_eq!(w.account(&p.bob.owner).unwrap().lamports, paid - rent);
    assert_eq!(w.account(&address).unwrap().data.len(), MarginAccount::SPACE);
}

#[test]
fn a_sub_account_is_opened_once() {
    let (mut w, p) = World::new();
    let create = account::Create { payer: p.alice.owner, owner: p.alice.owner, exchange: p.exchange, index: 0 };
    w.refuses(create.instruction(), I::Custom(0));
}

#[test]
fn lamports_sent_ahead_do_not_keep_an_owner_from_opening() {
    let (mut w, p) = World::new();
    let address = address::margin_account(&p.exchange, &p.alice.owner, 1);
    w.set_account(address, raw::account(Address::default(), Vec::new()));
    let create = account::Create { payer: p.alice.owner, owner: p.alice.owner, exchange: p.exchange, index: 1 };
    w.ok(create.instruction());
    assert_eq!(w.read::<MarginAccount>(&address).owner, p.alice.owner);
}

#[test]
fn an_owner_names_a_delegate_and_takes_it_back() {
    let (mut w, p) = World::new();
    for delegate in [p.bob.owner, Address::default()] {
        let set = account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate, scope: 0 };
        let outcome = w.ok(set.instruction());
        let (account, owner) = (p.alice.account, p.alice.owner);
        let expected =
            AccountChanged { account, owner, delegate, kind: account_change::DELEGATE_SET, delegate_scope: 0 };
        assert_eq!(outcome.event(), Event::AccountChanged(expected));
        assert_eq!(w.margin_account(&p.alice).delegate, delegate);
    }
}

#[test]
fn a_delegate_names_no_delegate_and_closes_nothing() {
    let (mut w, p) = World::new();
    let (account, delegate) = (p.alice.account, p.bob.owner);
    w.ok(account::SetDelegate { owner: p.alice.owner, account, delegate, scope: 0 }.instruction());
    let again = account::SetDelegate { owner: p.bob.owner, account, delegate: p.carol.owner, scope: 0 };
    w.refuses(again.instruction(), E::NotOwner);
    w.refuses(account::Close { owner: p.bob.owner, account }.instruction(), E::NotOwner);
}

#[test]
fn an_empty_account_is_closed_and_its_rent_comes_back() {
    let (mut w, p) = World::new();
    let rent = w.account(&p.alice.account).unwrap().lamports;
    let before = w.account(&p.alice.owner).unwrap().lamports;
    let outcome = w.ok(account::Close { owner: p.alice.owner, account: p.alice.account }.instruction());
    let (owner, delegate) = (p.alice.owner, Address::default());
    let expected =
        AccountChanged { account: p.alice.account, owner, delegate, kind: account_change::CLOSED, delegate_scope: 0 };
    assert_eq!(outcome.event(), Event::AccountChanged(expected));
    assert_eq!(w.account(&p.alice.account), None);
    assert_eq!(w.account(&owner).unwrap().lamports, before + rent);
}

#[test]
fn a_closed_account_can_be_opened_again() {
    let (mut w, p) = World::new();
    w.ok(account::Close { owner: p.alice.owner, account: p.alice.account }.instruction());
    let create = account::Create { payer: p.alice.owner, owner: p.alice.owner, exchange: p.exchange, index: 0 };
    w.ok(create.instruction());
    w.deposit(&p.alice, &p.usdc, 1);
}

#[test]
fn an_account_with_a_balance_or_a_position_is_not_closed() {
    let (mut w, p) = World::new();
    let close = account::Close { owner: p.alice.owner, account: p.alice.account }.instruction();
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    w.refuses(&close, E::AccountNotEmpty);
    w.open(&p.alice, &p.sol, 1_000_000);
    w.withdraw(&p.alice, &p.usdc, 999 * USD as u64);
    w.refuses(&close, E::AccountNotEmpty);
    // The position is gone, its cost is cash that is not settled yet.
    w.close(&p.alice, &p.sol, u64::MAX);
    w.refuses(&close, E::AccountNotEmpty);
    w.settle(&p.alice, &p.sol);
    w.refuses(&close, E::AccountNotEmpty);
    w.withdraw(&p.alice, &p.usdc, u64::MAX);
    w.ok(&close);
}
