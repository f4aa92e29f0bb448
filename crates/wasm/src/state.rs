//! The accounts of one exchange as they were fed, and the snapshot that they make.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use bytemuck::Zeroable;
use plimsoll_client::{
    Address, Error, ID, Keyed, PlimsollError, Snapshot, Trade, WhatIf,
    accounts::{Exchange, MAX_SERIES, MarginAccount, Market, Ticket},
    address,
    budget::PortfolioSize,
    decode,
    decode::AnyAccount,
    price::{self, PriceAccount},
    words::Names,
};
use solana_clock::Clock;
use solana_instruction::Instruction;

use crate::{
    action::{self, Action},
    matching,
};

/// The clock sysvar.
pub const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// What an option costs and brings, Q16.48 quote native per base unit of the underlying.
pub struct OptionQuote {
    /// What a sale brings.
    pub bid: Option<u64>,
    /// What a purchase costs.
    pub ask: Option<u64>,
    /// What it is worth between them.
    pub mark: Option<u64>,
}

/// An exchange, the margin accounts and tickets that are of interest, and what prices them.
#[derive(Clone)]
pub struct State {
    /// Banks, markets, boards and house, price accounts and the clock.
    pub snapshot: Snapshot,
    /// Margin accounts that were fed, by address.
    pub accounts: BTreeMap<Address, MarginAccount>,
    /// Tickets that were fed, by address.
    pub tickets: BTreeMap<Address, Ticket>,
    /// Those of all accounts that are of an earlier layout, and kept as `upgrade_account` will leave them.
    pub outdated: BTreeSet<Address>,
    /// Names of mints, for people.
    pub symbols: BTreeMap<Address, String>,
    /// Price accounts that are read in place of the usual ones, by market.
    chosen: BTreeMap<Address, Address>,
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
        let (accounts, tickets, outdated, symbols, chosen, others) = Default::default();
        Ok(Self { snapshot, accounts, tickets, outdated, symbols, chosen, others })
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
        let data = match decode::upgraded(&data) {
            Cow::Owned(upgraded) => {
                self.outdated.insert(address);
                upgraded
            }
            Cow::Borrowed(_) => {
                self.outdated.remove(&address);
                data
            }
        };
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
        self.outdated.remove(address);
        if self.others.remove(address).is_some() {
            self.choose_prices();
        }
    }

    /// Reads a market's price from another account than the usual one: any of the same feed and owner is as good.
    pub fn choose_price(&mut self, market: Address, price: Address) {
        self.chosen.insert(market, price);
        self.choose_prices();
    }

    /// The addresses that are no accounts of the program and that a reader wants besides: the clock and the markets' price
    /// accounts.
    pub fn wanted(&self) -> Vec<Address> {
        let priced = self.snapshot.markets.iter().filter(|(_, market)| !market.is_of_house_shares());
        let prices = priced.filter_map(|(address, market)| self.price_address(address, market));
        let mut wanted: Vec<_> = std::iter::once(CLOCK).chain(prices).collect();
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

    /// Interest and funding of every bank and market up to now, as the chain would find them if it looked, and boards that are too
    /// old refreshed.
    ///
    /// # Errors
    /// Those of [`Snapshot::accrue`] and [`Snapshot::refreshed`].
    pub fn accrued(&self) -> Result<Snapshot, Error> {
        let mut snapshot = self.snapshot.refreshed()?;
        snapshot.accrue()?;
        Ok(snapshot)
    }

    /// What a margin account would be after trades that follow one another, signed by `signer`, boards refreshed before;
    /// with its address, and its margin before the first. An account that `createAccount` opens is begun with.
    ///
    /// # Errors
    /// [`Error::Transaction`] for an action that is none, for trades of several accounts or for none;
    /// [`Error::Missing`] as [`Snapshot::what_if`].
    pub fn what_if(&self, signer: &Address, actions: &[Action]) -> Result<(Address, WhatIf), Error> {
        let mut scene = self.clone();
        scene.snapshot = self.snapshot.refreshed()?;
        let mut last: Option<(Address, WhatIf)> = None;
        for action in actions {
            if scene.open(signer, action) {
                continue;
            }
            let (address, mut made) = scene.make(action)?;
            if let Some((before, first)) = last {
                if before != address {
                    return Err(Error::Transaction("the trades are of several margin accounts: ask for one".into()));
                }
                made.margin_before = first.margin_before;
                made.refused = first.refused.or(made.refused);
            }
            last = Some((address, made));
        }
        last.ok_or(Error::Transaction("there is no trade to ask for".into()))
    }

    /// Goes on as if an action had been carried out: what comes behind it in a transaction finds what it leaves. One that
    /// cannot be told leaves everything as it is.
    pub fn follow(&mut self, signer: &Address, action: &Action) {
        if self.open(signer, action) {
            return;
        }
        let Some(sides) = matching::sides(self, action) else {
            let _ = self.make(action);
            return;
        };
        for (address, trade) in sides {
            let Ok(account) = self.account(&address) else { continue };
            if let Ok(made) = self.snapshot.what_if(&account.data, &trade)
                && made.is_applied
            {
                self.accounts.insert(address, made.account);
            }
        }
    }

    /// Puts the account in that `createAccount` opens, and says whether the action is that.
    fn open(&mut self, signer: &Address, action: &Action) -> bool {
        let Action::CreateAccount { index } = action else { return false };
        let (address, account) = self.new_account(signer, *index);
        self.accounts.insert(address, account);
        true
    }

    /// Makes a trade, and answers the margin account and what came of it.
    fn make(&mut self, action: &Action) -> Result<(Address, WhatIf), Error> {
        let address = action::account_of(action)?;
        let missing = Error::Transaction("only of trades can be told what they would change".into());
        let trade = action::trade(self, action)?.ok_or(missing)?;
        let made = self.snapshot.what_if(&self.account(&address)?.data, &trade)?;
        if made.is_applied {
            self.accounts.insert(address, made.account);
            self.snapshot.banks.extend(&made.snapshot.banks);
            self.snapshot.markets.extend(&made.snapshot.markets);
            self.snapshot.boards.extend(&made.snapshot.boards);
            self.snapshot.house = made.snapshot.house.or(self.snapshot.house);
        }
        Ok((address, made))
    }

    /// The largest portfolio of the margin accounts that instructions name; the largest that there may be where none is known.
    pub fn largest_of(&self, instructions: &[Instruction]) -> PortfolioSize {
        let named = instructions.iter().flat_map(|one| &one.accounts);
        let known = named.filter_map(|meta| self.accounts.get(&meta.pubkey)).map(PortfolioSize::of);
        known.reduce(PortfolioSize::and).unwrap_or(PortfolioSize::MAX)
    }

    /// The account that `createAccount` would open.
    fn new_account(&self, owner: &Address, index: u16) -> (Address, MarginAccount) {
        let exchange = self.snapshot.exchange.address;
        let account = MarginAccount { exchange, owner: *owner, index, version: 2, ..Zeroable::zeroed() };
        (address::margin_account(&exchange, owner, index), account)
    }

    /// What it costs and brings to trade `lots` of each series of a board against the house, whoever asks: the average prices
    /// of a purchase and of a sale, and what the option is worth between them. Q16.48; `None` where the house does not trade.
    ///
    /// # Errors
    /// [`Error::Missing`] for a board that the state does not hold.
    pub fn option_quotes(&self, board: &Address, lots: i64) -> Result<Vec<(u8, OptionQuote)>, Error> {
        let missing = Error::Missing { what: "board in the engine", address: *board };
        let listed = self.snapshot.boards.get(board).ok_or(missing)?.listed();
        let snapshot = self.snapshot.refreshed()?;
        let (_, nobody) = self.new_account(&Address::default(), 0);
        let at = |series: u8, lots: i64| {
            let made = snapshot.what_if(&nobody, &Trade::option(*board, series, lots))?;
            Ok::<_, Error>(made.execution.map(|done| (done.average_price.raw(), done.mid_price.raw())))
        };
        let series = (0..MAX_SERIES as u8).filter(|series| listed >> (series / 2) & 1 == 1);
        let quote = |series: u8| {
            let (ask, bid) = (at(series, lots)?, at(series, -lots)?);
            let mark = ask.or(bid).map(|(_, mid)| mid);
            Ok((series, OptionQuote { bid: bid.map(|(bid, _)| bid), ask: ask.map(|(ask, _)| ask), mark }))
        };
        series.map(quote).collect()
    }

    /// What `look` answers; where it is refused because of a board that is too old, what it answers with all boards refreshed, as a
    /// transaction that refreshes them first would find it.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn seen<T>(&self, look: impl Fn(&Snapshot) -> Result<T, Error>) -> Result<T, Error> {
        match look(&self.snapshot) {
            Err(Error::Program(PlimsollError::BoardStale)) => look(&self.snapshot.refreshed()?),
            answer => answer,
        }
    }

    /// What addresses are called, for an owner where one is given.
    pub fn names(&self, owner: Option<Address>) -> Names<'_> {
        let is_own = |account: &MarginAccount| owner == Some(account.owner);
        let own = self.accounts.iter().filter(|(_, account)| is_own(account)).map(|(address, _)| *address);
        Names::of(&self.snapshot).with_mints(self.symbols.clone()).for_owner(own.chain(owner))
    }

    /// Where a market's price is read.
    fn price_address(&self, address: &Address, market: &Market) -> Option<Address> {
        self.chosen.get(address).copied().or_else(|| price::usual_address(market))
    }

    /// As the RPC client does: a price account that the program would refuse is left out, and the stored observation
    /// stands.
    fn choose_prices(&mut self) {
        let now = self.snapshot.now;
        self.snapshot.prices = (self.snapshot.markets.iter())
            .filter_map(|(address, market)| {
                let account = self.others.get(&self.price_address(address, market)?)?;
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
