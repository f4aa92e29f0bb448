//! Everything of one exchange in memory, as of the newest that anybody told about each account.
//!
//! What arrives may be late: a notification that was sent before an answer was given comes after it. Every account
//! therefore keeps the slot that it is known of, and what is older than that is not taken.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem::offset_of,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use plimsoll_client::{
    Address, Error, ID, Keyed, Snapshot,
    accounts::{Adapter, Exchange, Lien, MarginAccount, Ticket},
    address,
    decode::{self, AnyAccount},
    price::{PriceAccount, usual_address, usual_address_of},
};
use solana_account::Account;
use solana_clock::Clock;
use tokio::sync::watch;

/// The clock sysvar.
pub const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is newer than what was known, and taken.
    Taken,
    /// It says what was known already.
    Same,
    /// It is older than what is known, and not taken.
    Older,
    /// It is of another exchange, or nothing that is kept.
    Foreign,
}

/// What is known of an account's age.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    /// The slot that it is known of.
    slot: u64,
    /// [`State::version`] when it last changed.
    version: u64,
}

/// One exchange as it is known.
#[derive(Debug)]
pub struct State {
    /// Exchange, house, banks, markets, boards, prices that the program would accept, and the time.
    pub snapshot: Snapshot,
    /// Its margin accounts.
    pub accounts: HashMap<Address, Keyed<MarginAccount>>,
    /// Tickets of its house.
    pub tickets: BTreeMap<Address, Ticket>,
    /// Liens of its margin accounts.
    pub liens: BTreeMap<Address, Lien>,
    /// Its adapters.
    pub adapters: BTreeMap<Address, Adapter>,
    /// Those of all these that are of an earlier layout, and known as an upgrade will leave them.
    pub outdated: BTreeSet<Address>,
    /// Accounts of other programs: prices, stake pools, records of liens.
    pub watched: BTreeMap<Address, PriceAccount>,
    /// The newest slot heard of.
    pub slot: u64,
    /// Counts changes.
    pub version: u64,
    stamps: HashMap<Address, Stamp>,
    /// Where each market's price account stands: deriving that is dear, and so is the house's address.
    price_accounts: BTreeMap<Address, Address>,
    house: Address,
}

impl State {
    /// An exchange of which nothing else is known yet.
    pub fn new(exchange: Keyed<Exchange>) -> Self {
        let house = address::house(&exchange.address);
        let snapshot = Snapshot {
            exchange,
            house: None,
            banks: BTreeMap::new(),
            markets: BTreeMap::new(),
            boards: BTreeMap::new(),
            prices: BTreeMap::new(),
            now: 0,
        };
        Self {
            snapshot,
            accounts: HashMap::new(),
            tickets: BTreeMap::new(),
            liens: BTreeMap::new(),
            adapters: BTreeMap::new(),
            outdated: BTreeSet::new(),
            watched: BTreeMap::new(),
            slot: 0,
            version: 0,
            stamps: HashMap::new(),
            price_accounts: BTreeMap::new(),
            house,
        }
    }

    /// Takes what is said of an account as of `slot`; `None` says that there is none.
    pub fn apply(&mut self, address: &Address, slot: u64, account: Option<&Account>) -> Applied {
        self.slot = self.slot.max(slot);
        if self.stamps.get(address).is_some_and(|stamp| slot < stamp.slot) {
            return Applied::Older;
        }
        let account = account.filter(|account| account.lamports > 0);
        let changed = match account {
            Some(account) if account.owner == ID => self.take_own(address, account),
            Some(account) if *address == CLOCK => self.take_clock(account),
            Some(account) if self.wanted().contains(address) => Some(self.take_watched(address, account)),
            _ => Some(self.remove(address)),
        };
        let Some(changed) = changed else { return Applied::Foreign };
        if changed {
            self.version += 1;
        }
        let version = if changed { self.version } else { self.changed_at(address) };
        self.stamps.insert(*address, Stamp { slot, version });
        if changed { Applied::Taken } else { Applied::Same }
    }

    /// [`Self::version`] when an account last changed, zero for one that is not known.
    pub fn changed_at(&self, address: &Address) -> u64 {
        self.stamps.get(address).map_or(0, |stamp| stamp.version)
    }

    /// Addresses of everything of the program's that is known, and older than `slot`: what an answer as of then that has
    /// not got it says is gone.
    pub fn known_before(&self, slot: u64) -> BTreeSet<Address> {
        let known =
            self.accounts.keys().chain(self.tickets.keys()).chain(self.liens.keys()).chain(self.adapters.keys());
        let known = known.chain(self.snapshot.boards.keys());
        known.filter(|address| self.stamps.get(*address).is_none_or(|stamp| stamp.slot < slot)).copied().collect()
    }

    /// Accounts of other programs that this exchange is read with, and the clock.
    pub fn wanted(&self) -> BTreeSet<Address> {
        let prices = self.price_accounts.values().copied().filter(|price| *price != self.house);
        let mut wanted: BTreeSet<Address> = prices.chain(self.quote_price_address()).collect();
        wanted.insert(CLOCK);
        for bank in self.snapshot.banks.values().filter(|bank| bank.is_rated()) {
            let source = &bank.rate.source;
            wanted.insert(source.pool);
            wanted.extend(usual_address_of(source.feed_kind, &source.feed_owner, &source.feed_id));
        }
        wanted.extend(self.liens.values().map(|lien| lien.record));
        wanted
    }

    /// Where the price of the quote is, if it has one.
    pub fn quote_price_address(&self) -> Option<Address> {
        let exchange = &self.snapshot.exchange.data;
        let has_feed = exchange.quote_oracle_owner != Address::default();
        has_feed.then(|| {
            usual_address_of(exchange.quote_oracle_kind, &exchange.quote_oracle_owner, &exchange.quote_feed_id)
        })?
    }

    /// Whether it changed; `None` for what is of another exchange or not kept.
    fn take_own(&mut self, at: &Address, account: &Account) -> Option<bool> {
        let data = decode::upgraded(&account.data);
        let changed = self.take_decoded(at, account, decode::any(at, &account.owner, &data).ok()?)?;
        let is_outdated = data.len() != account.data.len();
        let noted = if is_outdated { self.outdated.insert(*at) } else { self.outdated.remove(at) };
        Some(changed | noted)
    }

    fn take_decoded(&mut self, at: &Address, account: &Account, decoded: AnyAccount) -> Option<bool> {
        let exchange = self.snapshot.exchange.address;
        let is_ours = |of: &Address| *of == exchange;
        match decoded {
            AnyAccount::Exchange(new) if is_ours(at) => Some(replace(&mut self.snapshot.exchange.data, *new)),
            AnyAccount::House(new) if is_ours(&new.exchange) => {
                let changed = self.snapshot.house != Some(*new);
                self.snapshot.house = Some(*new);
                // It is the price account of its shares' market, should there be one.
                self.watched.insert(*at, raw(at, account));
                self.refresh_prices();
                Some(changed)
            }
            AnyAccount::Market(new) if is_ours(&new.exchange) => {
                self.it_is_at_least(new.funding_accrued_at);
                let old = self.snapshot.markets.insert(*at, *new);
                if old.is_none() {
                    self.price_accounts.extend(usual_address(&new).map(|price| (*at, price)));
                    self.refresh_prices();
                }
                Some(old != Some(*new))
            }
            AnyAccount::Bank(new) if is_ours(&new.exchange) => {
                self.it_is_at_least(new.accrued_at);
                Some(self.snapshot.banks.insert(*at, *new) != Some(*new))
            }
            AnyAccount::Board(new) if is_ours(&new.exchange) => {
                Some(self.snapshot.boards.insert(*at, *new) != Some(*new))
            }
            AnyAccount::MarginAccount(new) if is_ours(&new.exchange) => {
                self.it_is_at_least(new.liquidation_seen_at);
                let new = Keyed { address: *at, data: *new };
                Some(self.accounts.insert(*at, new) != Some(new))
            }
            AnyAccount::Ticket(new) if new.house == self.house => Some(self.tickets.insert(*at, *new) != Some(*new)),
            AnyAccount::Adapter(new) if is_ours(&new.exchange) => Some(self.adapters.insert(*at, *new) != Some(*new)),
            AnyAccount::Lien(new) if self.accounts.contains_key(&new.account) => {
                Some(self.liens.insert(*at, *new) != Some(*new))
            }
            _ => None,
        }
    }

    fn take_clock(&mut self, account: &Account) -> Option<bool> {
        let bytes = account.data.get(offset_of!(Clock, unix_timestamp)..)?.first_chunk()?;
        let before = self.snapshot.now;
        self.it_is_at_least(i64::from_le_bytes(*bytes));
        // A price may have been of a moment that had not come yet.
        self.refresh_prices();
        Some(self.snapshot.now != before)
    }

    /// The chain's clock never goes back, and what accounts say of the moment of their last change is often heard before it:
    /// nothing may be reckoned as of a moment before that.
    fn it_is_at_least(&mut self, now: i64) {
        self.snapshot.now = self.snapshot.now.max(now);
    }

    fn take_watched(&mut self, address: &Address, account: &Account) -> bool {
        let new = raw(address, account);
        if self.watched.get(address) == Some(&new) {
            return false;
        }
        self.watched.insert(*address, new);
        self.refresh_prices();
        true
    }

    fn remove(&mut self, address: &Address) -> bool {
        let mut removed = self.accounts.remove(address).is_some();
        removed |= self.outdated.remove(address);
        removed |= self.tickets.remove(address).is_some();
        removed |= self.liens.remove(address).is_some();
        removed |= self.adapters.remove(address).is_some();
        removed |= self.snapshot.boards.remove(address).is_some();
        if self.watched.remove(address).is_some() {
            removed = true;
            self.refresh_prices();
        }
        removed
    }

    /// Counts a change of a market that its price made.
    fn touch(&mut self, market: Address) {
        self.version += 1;
        let version = self.version;
        self.stamps.entry(market).and_modify(|stamp| stamp.version = version).or_insert(Stamp { slot: 0, version });
    }

    /// Prices as the program would accept them now. One that it would refuse is left out: the market's stored observation
    /// then stands.
    fn refresh_prices(&mut self) {
        let Snapshot { markets, prices, now, .. } = &mut self.snapshot;
        let mut touched = Vec::new();
        for (address, market) in markets.iter() {
            let price = self.price_accounts.get(address).and_then(|price| self.watched.get(price));
            let accepted = price.filter(|price| price.observation(market, *now).is_ok());
            if prices.get(address) == accepted {
                continue;
            }
            match accepted {
                Some(price) => prices.insert(*address, price.clone()),
                None => prices.remove(address),
            };
            touched.push(*address);
        }
        touched.into_iter().for_each(|market| self.touch(market));
    }
}

fn replace<T: PartialEq>(old: &mut T, new: T) -> bool {
    let changed = *old != new;
    *old = new;
    changed
}

fn raw(address: &Address, account: &Account) -> PriceAccount {
    PriceAccount { address: *address, owner: account.owner, data: account.data.clone() }
}

/// How well what is known is kept up to date.
#[derive(Clone, Copy, Debug)]
pub struct Liveliness {
    /// When the server last answered, or notified.
    pub heard: Instant,
    /// When everything was last fetched.
    pub fetched: Instant,
    /// Whether subscriptions work.
    pub is_subscribed: bool,
}

/// The shared state, which [`crate::feed`] writes and everything else reads.
#[derive(Debug)]
pub struct Live {
    state: RwLock<State>,
    liveliness: RwLock<Liveliness>,
    changes: watch::Sender<u64>,
}

impl Live {
    /// A state that something will keep up to date.
    pub fn new(state: State) -> Self {
        let now = Instant::now();
        let liveliness = Liveliness { heard: now, fetched: now, is_subscribed: false };
        let changes = watch::Sender::new(state.version);
        Self { state: RwLock::new(state), liveliness: RwLock::new(liveliness), changes }
    }

    /// Reads it. Whoever writes waits meanwhile, so nothing slow is done in `read`.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes it, and tells who waits for changes if there was one.
    pub fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let written = write(&mut state);
        let version = state.version;
        drop(state);
        self.changes.send_if_modified(|known| std::mem::replace(known, version) != version);
        written
    }

    /// Tells of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How well it is kept up to date.
    pub fn liveliness(&self) -> Liveliness {
        *self.liveliness.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the server was heard.
    pub fn heard(&self) {
        self.note(|liveliness| liveliness.heard = Instant::now());
    }

    /// Notes that everything was fetched.
    pub fn fetched(&self) {
        self.note(|liveliness| (liveliness.heard, liveliness.fetched) = (Instant::now(), Instant::now()));
    }

    /// Notes whether subscriptions work.
    pub fn subscribed(&self, is_subscribed: bool) {
        self.note(|liveliness| liveliness.is_subscribed = is_subscribed);
    }

    /// Whether the server was heard within `age`: on what is older nothing is decided.
    pub fn is_fresh(&self, age: Duration) -> bool {
        self.liveliness().heard.elapsed() <= age
    }

    fn note(&self, note: impl FnOnce(&mut Liveliness)) {
        note(&mut self.liveliness.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The exchange at an address, or the only one there is.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Rpc`] where there are several.
pub fn choose(mut exchanges: Vec<Keyed<Exchange>>, wanted: Option<&Address>) -> Result<Keyed<Exchange>, Error> {
    if let Some(address) = wanted {
        let found = exchanges.into_iter().find(|exchange| exchange.address == *address);
        return found.ok_or(Error::Missing { what: "exchange", address: *address });
    }
    match (exchanges.pop(), exchanges.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(Error::Rpc("there is no exchange on this cluster".into())),
        (Some(_), more) => Err(Error::Rpc(format!("there are {} exchanges: name one by its address", more + 1))),
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use plimsoll_client::{
        accounts::{Bank, Market},
        decode::encode,
        price::PriceUpdate,
        risk::pyth,
    };

    use super::*;

    fn state() -> State {
        State::new(Keyed { address: Address::new_unique(), data: Exchange::zeroed() })
    }

    fn own<T: plimsoll_client::accounts::AccountType>(account: &T) -> Account {
        Account { lamports: 1, data: encode(account), owner: ID, ..Account::default() }
    }

    fn clock(now: i64) -> Account {
        let mut data = vec![0; 40];
        data[32..].copy_from_slice(&now.to_le_bytes());
        Account { lamports: 1, data, ..Account::default() }
    }

    #[test]
    fn an_older_update_never_overwrites_a_newer_one() {
        let mut state = state();
        let (exchange, address) = (state.snapshot.exchange.address, Address::new_unique());
        let bank = |reserve| own(&Bank { exchange, reserve, ..Bank::zeroed() });
        assert_eq!(state.apply(&address, 10, Some(&bank(1))), Applied::Taken);
        assert_eq!(state.apply(&address, 9, Some(&bank(2))), Applied::Older);
        assert_eq!(state.snapshot.banks[&address].reserve, 1);
        // Of one slot the later one to arrive is taken: a slot has many transactions.
        assert_eq!(state.apply(&address, 10, Some(&bank(3))), Applied::Taken);
        let version = state.changed_at(&address);
        assert_eq!(state.apply(&address, 12, Some(&bank(3))), Applied::Same);
        assert_eq!((state.snapshot.banks[&address].reserve, state.changed_at(&address)), (3, version));
        assert_eq!(state.apply(&address, 11, Some(&bank(4))), Applied::Older, "what is the same is newer all the same");
    }

    #[test]
    fn what_is_closed_is_gone_and_does_not_come_back() {
        let mut state = state();
        let (exchange, address) = (state.snapshot.exchange.address, Address::new_unique());
        let account = own(&MarginAccount { exchange, ..MarginAccount::zeroed() });
        state.apply(&address, 5, Some(&account));
        assert_eq!(state.known_before(6), [address].into());
        assert!(state.known_before(5).is_empty(), "what is as new as the answer is not said to be gone by it");
        assert_eq!(state.apply(&address, 7, None), Applied::Taken);
        assert_eq!(state.apply(&address, 6, Some(&account)), Applied::Older);
        assert!(state.accounts.is_empty());
    }

    #[test]
    fn other_exchanges_accounts_are_not_taken() {
        let mut state = state();
        let account = own(&MarginAccount { exchange: Address::new_unique(), ..MarginAccount::zeroed() });
        assert_eq!(state.apply(&Address::new_unique(), 5, Some(&account)), Applied::Foreign);
        assert!(state.accounts.is_empty());
    }

    #[test]
    fn a_price_counts_from_its_moment_on() {
        let mut state = state();
        let owner = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
        let market = Market {
            exchange: state.snapshot.exchange.address,
            oracle_owner: owner,
            feed_id: [7; 32],
            base_decimals: 9,
            ..Market::zeroed()
        };
        let (address, price) = (Address::new_unique(), usual_address(&market).unwrap());
        state.apply(&CLOCK, 1, Some(&clock(900)));
        state.apply(&address, 1, Some(&own(&market)));
        assert!(state.wanted().contains(&price));
        let update = PriceUpdate {
            feed_id: [7; 32],
            price: 15_000_000_000,
            confidence: 1,
            ema_price: 15_000_000_000,
            exponent: -8,
            publish_time: 1_000,
        };
        let account = Account { lamports: 1, data: update.encode(), owner, ..Account::default() };
        assert_eq!(state.apply(&price, 2, Some(&account)), Applied::Taken);
        assert!(state.snapshot.prices.is_empty(), "it is of the future");
        let version = state.changed_at(&address);
        state.apply(&CLOCK, 3, Some(&clock(1_000)));
        assert!(state.snapshot.prices.contains_key(&address));
        assert!(state.changed_at(&address) > version, "the market has changed with its price");
    }

    #[test]
    fn the_clock_is_not_behind_what_accounts_say() {
        let mut state = state();
        let exchange = state.snapshot.exchange.address;
        let bank = own(&Bank { exchange, accrued_at: 1_060, ..Bank::zeroed() });
        state.apply(&CLOCK, 1, Some(&clock(1_000)));
        state.apply(&Address::new_unique(), 2, Some(&bank));
        assert_eq!(state.snapshot.now, 1_060);
        state.apply(&CLOCK, 2, Some(&clock(1_059)));
        assert_eq!(state.snapshot.now, 1_060, "asked for before, answered after");
        state.apply(&CLOCK, 3, Some(&clock(1_061)));
        assert_eq!(state.snapshot.now, 1_061);
    }

    #[test]
    fn one_exchange_is_chosen_without_being_named() {
        let exchange = || Keyed { address: Address::new_unique(), data: Exchange::zeroed() };
        let (one, other) = (exchange(), exchange());
        assert_eq!(choose(vec![one], None), Ok(one));
        assert_eq!(choose(vec![one, other], Some(&one.address)), Ok(one));
        assert_eq!(choose(vec![], None).unwrap_err().to_string(), "RPC: there is no exchange on this cluster");
        let several = choose(vec![one, other], None).unwrap_err().to_string();
        assert_eq!(several, "RPC: there are 2 exchanges: name one by its address");
    }
}
