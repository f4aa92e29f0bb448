//! The accounts of one exchange as they were fed, and the snapshot that they make.

use std::collections::BTreeMap;

use plimsoll_client::{
    Address, Error, ID, Keyed, Snapshot, Trade, WhatIf,
    accounts::{Exchange, MarginAccount, Ticket},
    address, decode,
    decode::AnyAccount,
    price::{self, PriceAccount},
};
use solana_clock::Clock;

use crate::action::{self, Action};

/// The clock sysvar.
pub const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// An exchange, the margin accounts and tickets that are of interest, and what prices them.
pub struct State {
    /// Banks, markets, boards and house, price accounts and the clock.
    pub snapshot: Snapshot,
    /// Margin accounts that were fed, by address.
    pub accounts: BTreeMap<Address, MarginAccount>,
    /// Tickets that were fed, by address.
    pub tickets: BTreeMap<Address, Ticket>,
    /// Names of mints, for people.
    pub symbols: BTreeMap<Address, String>,
    /// Every other account that was fed: those that price something are among them.
    others: BTreeMap<Address, PriceAccount>,
}

impl State {
    /// A state of the exchange at `address` without anything but its own account.
    ///
    /// # Errors
    /// Those of [`decode::account`].
    pub fn new(address: Address, owner: &Address, data: &[u8]) -> Result<Self, Error> {
        let exchange = Keyed { address, data: decode::account::<Exchange>(&address, owner, data)? };
        let snapshot = Snapshot {
            exchange,
            house: None,
            banks: BTreeMap::new(),
            markets: BTreeMap::new(),
            boards: BTreeMap::new(),
            prices: BTreeMap::new(),
            now: 0,
        };
        let (accounts, tickets, symbols, others) = Default::default();
        Ok(Self { snapshot, accounts, tickets, symbols, others })
    }

    /// Takes an account in, whatever it is. Accounts of other exchanges are ignored, so that a subscription to the whole
    /// program may be fed as it comes.
    ///
    /// # Errors
    /// [`Error::UnknownAccountType`] for one of the program's that this version does not know; [`Error::Missing`] for a
    /// clock without a time.
    pub fn put(&mut self, address: Address, owner: Address, data: Vec<u8>) -> Result<(), Error> {
        if address == CLOCK {
            self.snapshot.now = time(&data).ok_or(Error::Missing { what: "time in the clock", address })?;
            self.choose_prices();
            return Ok(());
        }
        if owner != ID {
            self.others.insert(address, PriceAccount { address, owner, data });
            self.choose_prices();
            return Ok(());
        }
        let account = decode::any(&address, &owner, &data)?;
        self.put_own(address, account, data);
        Ok(())
    }

    fn put_own(&mut self, address: Address, account: AnyAccount, data: Vec<u8>) {
        let exchange = self.snapshot.exchange.address;
        match account {
            AnyAccount::Exchange(root) if address == exchange => self.snapshot.exchange.data = *root,
            AnyAccount::House(house) if house.exchange == exchange => {
                self.snapshot.house = Some(*house);
                // It is the price account of its own shares.
                self.others.insert(address, PriceAccount { address, owner: ID, data });
                self.choose_prices();
            }
            AnyAccount::Bank(bank) if bank.exchange == exchange => {
                self.snapshot.banks.insert(address, *bank);
            }
            AnyAccount::Market(market) if market.exchange == exchange => {
                self.snapshot.markets.insert(address, *market);
                self.choose_prices();
            }
            AnyAccount::Board(board) if board.exchange == exchange => {
                self.snapshot.boards.insert(address, *board);
            }
            AnyAccount::MarginAccount(account) if account.exchange == exchange => {
                self.accounts.insert(address, *account);
            }
            AnyAccount::Ticket(ticket) if ticket.house == address::house(&exchange) => {
                self.tickets.insert(address, *ticket);
            }
            _ => {}
        }
    }

    /// Forgets an account that was closed.
    pub fn remove(&mut self, address: &Address) {
        self.snapshot.boards.remove(address);
        self.accounts.remove(address);
        self.tickets.remove(address);
        if self.others.remove(address).is_some() {
            self.choose_prices();
        }
    }

    /// The addresses that are no accounts of the program and that a reader wants besides: the clock and the markets' price
    /// accounts.
    pub fn wanted(&self) -> Vec<Address> {
        let prices = self.snapshot.markets.values().filter(|market| !market.is_of_house_shares());
        let mut wanted: Vec<_> = std::iter::once(CLOCK).chain(prices.filter_map(price::usual_address)).collect();
        wanted.sort();
        wanted.dedup();
        wanted
    }

    /// A margin account that was fed.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn account(&self, address: &Address) -> Result<Keyed<MarginAccount>, Error> {
        let missing = Error::Missing { what: "margin account in the engine", address: *address };
        self.accounts.get(address).map(|data| Keyed { address: *address, data: *data }).ok_or(missing)
    }

    /// Brings interest and funding of every bank and market up to now, as the chain would find them if it looked.
    ///
    /// # Errors
    /// Those of [`Snapshot::accrue`].
    pub fn accrued(&self) -> Result<Snapshot, Error> {
        let mut snapshot = self.snapshot.clone();
        snapshot.accrue()?;
        Ok(snapshot)
    }

    /// The trade that an action is.
    ///
    /// # Errors
    /// [`Error::Transaction`] for an action that is none, or an address that is none.
    pub fn trade(&self, action: &Action) -> Result<Trade, Error> {
        let missing = Error::Transaction("only of trades can be told what they would change".into());
        action::trade(self, action)?.ok_or(missing)
    }

    /// What a margin account would be after a trade whose boards were refreshed.
    ///
    /// # Errors
    /// As [`Self::trade`] and [`Snapshot::what_if`].
    pub fn what_if(&self, address: &Address, action: &Action) -> Result<WhatIf, Error> {
        let (trade, account) = (self.trade(action)?, self.account(address)?);
        self.snapshot.refreshed()?.what_if(&account.data, &trade)
    }

    /// As the RPC client does: a price account that the program would refuse is left out, and the stored observation
    /// stands.
    fn choose_prices(&mut self) {
        let now = self.snapshot.now;
        self.snapshot.prices = (self.snapshot.markets.iter())
            .filter_map(|(address, market)| {
                let account = self.others.get(&price::usual_address(market)?)?;
                account.observation(market, now).is_ok().then(|| (*address, account.clone()))
            })
            .collect();
    }
}

/// The time in the clock sysvar's bytes, unix seconds.
fn time(data: &[u8]) -> Option<i64> {
    let at = std::mem::offset_of!(Clock, unix_timestamp);
    data.get(at..)?.first_chunk().copied().map(i64::from_le_bytes)
}
