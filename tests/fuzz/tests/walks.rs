//! A short run with fixed seeds, and proof that a broken promise is noticed.

use std::path::{Path, PathBuf};

use plimsoll_client::decode::{self, Named};
use plimsoll_e2e_tests::invariants::Ledger;
use plimsoll_exchange_fuzz::{WALK, machine::Machine, run, walk::Walk};
use plimsoll_interface::{
    Address,
    accounts::{AccountType, Bank, MarginAccount, Market},
};

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy/plimsoll.so")
}

#[test]
fn whatever_people_do_the_invariants_hold() {
    let coverage = run(&program(), 3_100, 8 * WALK, 2, |_| {}).unwrap_or_else(|error| panic!("{error:#}"));
    println!("{coverage}");
    // What made the exchange, and what wants everybody to have left it.
    let rare = ["CREATE_EXCHANGE", "CREATE_MARKET", "CREATE_BANK", "CREATE_HOUSE", "RETIRE_MARKET", "RETIRE_BANK"];
    let missing: Vec<_> = coverage.never_succeeded().into_iter().filter(|name| !rare.contains(name)).collect();
    assert_eq!(missing, [""; 0], "never succeeded");
    assert!(coverage.fills.iter().all(|count| *count > 0), "fills: {:?}", coverage.fills);
    // What the client says beforehand, of every kind of trade, accepted and refused.
    assert_eq!(coverage.foretold.len(), 9, "{:?}", coverage.foretold);
    assert!(coverage.foretold.values().flatten().all(|count| *count > 0), "{:?}", coverage.foretold);
    assert!(coverage.program_errors() >= 35, "only {} errors were seen", coverage.program_errors());
}

#[test]
fn the_same_seed_walks_the_same_way() {
    let walk = || {
        let (machine, places) = Machine::new(&program()).unwrap();
        let mut walk = Walk::new(&machine, places, 7);
        walk.run(7, 200).unwrap();
        let known: Vec<Address> = walk.machine.known().copied().collect();
        known.iter().map(|address| walk.machine.account(address)).collect::<Vec<_>>()
    };
    assert!(walk() == walk());
}

/// Changes one of the program's accounts behind its back, and gives what the next actions are found to have broken.
fn broken_by<T: AccountType + Named>(address: impl Fn(&Walk) -> Address, change: impl Fn(&mut T)) -> String {
    let (machine, places) = Machine::new(&program()).unwrap();
    let mut walk = Walk::new(&machine, places, 11);
    walk.run(11, 100).unwrap();
    let address = address(&walk);
    let mut account = walk.machine.account(&address).unwrap();
    let mut data: T = walk.get(&address).unwrap();
    change(&mut data);
    account.data = decode::encode(&data);
    walk.machine.put(address, account).unwrap();
    walk.run(11, 50).unwrap_err().what
}

#[test]
fn a_broken_promise_is_noticed() {
    let sizes = broken_by::<Market>(|walk| walk.places.sol.market, |market| market.house_size += 1);
    assert!(sizes.contains("INV-2"), "{sizes}");
    let cash = broken_by::<Market>(|walk| walk.places.btc.market, |market| market.house_cash -= 1);
    assert!(cash.contains("INV-3"), "{cash}");
    let vault = broken_by::<Bank>(|walk| walk.places.usdc.bank, |bank| bank.vault_amount -= 1_000_000);
    assert!(vault.contains("INV-1"), "{vault}");
    let slots = broken_by::<MarginAccount>(
        |walk| walk.places.alice.account,
        |account| account.balances[15] = account.balances[0],
    );
    assert!(slots.contains("twice") || slots.contains("shares"), "{slots}");
}
