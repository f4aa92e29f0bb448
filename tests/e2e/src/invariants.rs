//! What must hold after every transaction, from raw account data alone.

use std::collections::BTreeMap;

use plimsoll_client::decode::{self, AnyAccount};
use plimsoll_interface::{
    Address,
    accounts::{Bank, House, MarginAccount, Market, NO_MARKET},
};
use plimsoll_risk::interest;

use solana_account::Account;

use crate::{chain::Chain, raw};

/// Where accounts are, whatever runs them.
pub trait Ledger {
    /// The account at an address.
    fn account(&self, address: &Address) -> Option<Account>;
    /// Addresses that have been dealt with.
    fn known(&self) -> impl Iterator<Item = &Address>;
    /// Transactions sent so far.
    fn sent(&self) -> u32;
}

impl Ledger for Chain {
    fn account(&self, address: &Address) -> Option<Account> {
        Chain::account(self, address)
    }

    fn known(&self) -> impl Iterator<Item = &Address> {
        Chain::known(self).iter()
    }

    fn sent(&self) -> u32 {
        Chain::sent(self)
    }
}

/// The program's accounts, decoded.
#[derive(Default)]
struct Books {
    accounts: Vec<(Address, MarginAccount)>,
    markets: BTreeMap<Address, Market>,
    banks: BTreeMap<Address, Bank>,
    houses: Vec<House>,
}

impl Books {
    fn read(chain: &impl Ledger) -> Self {
        let mut books = Self::default();
        for address in chain.known() {
            let Some(account) = chain.account(address) else { continue };
            match decode::any(address, &account.owner, &account.data) {
                Ok(AnyAccount::MarginAccount(account)) => books.accounts.push((*address, *account)),
                Ok(AnyAccount::Market(market)) => drop(books.markets.insert(*address, *market)),
                Ok(AnyAccount::Bank(bank)) => drop(books.banks.insert(*address, *bank)),
                Ok(AnyAccount::House(house)) => books.houses.push(*house),
                _ => {}
            }
        }
        books
    }
}

/// Checks every exchange among the known accounts.
///
/// # Panics
/// Where an invariant is broken.
pub fn check(chain: &impl Ledger) {
    let books = Books::read(chain);
    for (address, bank) in &books.banks {
        let vault = chain.account(&bank.vault).map_or(0, |account| raw::token_amount(&account));
        check_bank(address, bank, &books, vault, chain.sent());
    }
    for (address, market) in &books.markets {
        check_market(address, market, &books);
    }
    for (address, account) in &books.accounts {
        check_account(address, account, &books);
    }
}

/// INV-1: vault + borrows >= deposits + reserve, by no more than what each transaction may round; the vault holds at
/// least what the bank says; the bank's shares are those of its accounts and the house.
fn check_bank(address: &Address, bank: &Bank, books: &Books, vault: u64, transactions: u32) {
    assert!(vault >= bank.vault_amount, "INV-1: {address} counts more tokens than its vault holds");
    let borrows = interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).expect("borrows fit");
    let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).expect("deposits fit");
    let (assets, claims) = (bank.vault_amount + borrows, deposits + bank.reserve);
    assert!(assets >= claims, "INV-1: {address} has {assets} for claims of {claims}");
    // A transaction rounds a handful of conversions, each by less than one share, worth up to an index.
    let index = 1 + (bank.deposit_index().raw().max(bank.borrow_index().raw()) >> 48);
    let dust = u64::from(transactions + 40) * 4 * index;
    assert!(assets - claims <= dust, "INV-1: {address} has {} more than dust", assets - claims);

    let held = books.accounts.iter().flat_map(|(_, account)| &account.balances).filter(|slot| slot.bank == *address);
    let (mut deposit_shares, mut borrow_shares) = (0, 0);
    for slot in held {
        let shares = slot.shares.unsigned_abs();
        if slot.shares > 0 { deposit_shares += shares } else { borrow_shares += shares }
    }
    deposit_shares += bank.house_shares;
    if bank.is_quote == 1 {
        let houses = books.houses.iter().filter(|house| house.exchange == bank.exchange);
        deposit_shares += houses.map(|house| house.quote_shares).sum::<u64>();
    }
    assert_eq!(bank.deposit_shares, deposit_shares, "{address}: deposit shares are not those of its accounts");
    assert_eq!(bank.borrow_shares, borrow_shares, "{address}: borrow shares are not those of its accounts");
}

/// INV-2 and INV-3: positions and cash of all accounts and the house sum to zero; open interest is their sum.
fn check_market(address: &Address, market: &Market, books: &Books) {
    let slots = books.accounts.iter().flat_map(|(_, account)| &account.markets);
    let (mut size, mut cash, mut long, mut short) = (0i128, 0i128, 0, 0);
    for slot in slots.filter(|slot| slot.market == *address) {
        size += i128::from(slot.size);
        cash += i128::from(slot.cash);
        if slot.size > 0 { long += slot.size.unsigned_abs() } else { short += slot.size.unsigned_abs() }
    }
    assert_eq!(size + i128::from(market.house_size), 0, "INV-2: sizes in {address}");
    assert_eq!(cash + i128::from(market.house_cash), 0, "INV-3: cash in {address}");
    assert_eq!((market.open_interest_long, market.open_interest_short), (long, short), "open interest of {address}");
}

/// Slots do not contradict one another: none twice, free ones zero, each market knows how many balances it prices, and
/// each balance names the market of its bank.
fn check_account(address: &Address, account: &MarginAccount, books: &Books) {
    for (index, slot) in account.balances.iter().enumerate() {
        if slot.in_use == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 48], "{address}: free balance {index} is not zero");
            continue;
        }
        assert!(slot.shares != 0, "{address}: balance {index} is empty and not free");
        let again = account.balances.iter().filter(|other| other.bank == slot.bank).count();
        assert_eq!(again, 1, "{address}: balance {index} is there twice");
        let bank = &books.banks[&slot.bank];
        assert_eq!(bank.exchange, account.exchange, "{address}: balance {index} is of another exchange");
        match slot.market_slot {
            NO_MARKET => assert_eq!(bank.is_quote, 1, "{address}: balance {index} has no market"),
            market => assert_eq!(account.markets[usize::from(market)].market, bank.market, "{address}: {index}"),
        }
    }
    for (index, slot) in account.markets.iter().enumerate() {
        if slot.in_use == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 64], "{address}: free market {index} is not zero");
            continue;
        }
        assert!(!slot.is_empty(), "{address}: market {index} is empty and not free");
        let again = account.markets.iter().filter(|other| other.market == slot.market).count();
        assert_eq!(again, 1, "{address}: market {index} is there twice");
        let priced = |balance: &&_| priced_by(balance, index);
        let balances = account.balances.iter().filter(priced).count();
        assert_eq!(usize::from(slot.balances), balances, "{address}: market {index} prices {balances} balances");
    }
}

fn priced_by(balance: &plimsoll_interface::accounts::BalanceSlot, market: usize) -> bool {
    balance.in_use == 1 && usize::from(balance.market_slot) == market
}
