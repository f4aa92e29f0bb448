//! An exchange at one moment with everything looked up once that many margins look up: prices are read, addresses are
//! hashed, interest and funding are accrued. The engine behind is the same, through the same bridge, and so are its numbers:
//! [`Priced::margin`] is [`Snapshot::margin`] of the accrued snapshot to the bit.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use plimsoll_client::{
    Address, Error, PlimsollError, Snapshot,
    accounts::{Bank, Board, MarginAccount, Market},
    interface::bridge::Inputs,
    risk::{
        portfolio::{Margin, RiskParameters},
        price::Observation,
        units::Timestamp,
    },
    snapshot,
};

/// Takes the first eight bytes of an address for its hash: addresses are hashes or keys, so these are as good as random.
/// Nobody gains by choosing them: what is looked up here are an exchange's few banks, markets and boards.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

/// A map by address.
pub type ByAddress<T> = HashMap<Address, T, BuildHasherDefault<AddressHasher>>;

/// The exchange with interest and funding accrued up to its moment, as `liquidate` sees it.
pub struct Accrued {
    snapshot: Snapshot,
}

impl Accrued {
    /// Copies what accrues, and no boards.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn new(snapshot: &Snapshot) -> Result<Self, Error> {
        let mut accrued = Snapshot {
            exchange: snapshot.exchange,
            house: snapshot.house,
            banks: snapshot.banks.clone(),
            markets: snapshot.markets.clone(),
            boards: BTreeMap::new(),
            prices: snapshot.prices.clone(),
            now: snapshot.now,
        };
        accrued.accrue()?;
        Ok(Self { snapshot: accrued })
    }

    /// With the boards of `boards`, which have nothing that accrues.
    pub fn priced<'a>(&'a self, boards: &'a BTreeMap<Address, Board>) -> Priced<'a> {
        Priced::new(&self.snapshot, boards)
    }
}

/// An exchange with every look-up done.
pub struct Priced<'a> {
    banks: ByAddress<&'a Bank>,
    markets: ByAddress<(&'a Market, Result<Observation, PlimsollError>)>,
    boards: ByAddress<&'a Board>,
    risk: RiskParameters,
    now: Timestamp,
}

impl<'a> Priced<'a> {
    /// Of `snapshot` as it is, with the boards of `boards`.
    pub fn new(snapshot: &'a Snapshot, boards: &'a BTreeMap<Address, Board>) -> Self {
        let now = Timestamp::from_raw(snapshot.now);
        let price = |address| Inputs::market(snapshot, address).map(|(_, observation)| observation);
        Self {
            banks: snapshot.banks.iter().map(|(address, bank)| (*address, bank)).collect(),
            markets: snapshot.markets.iter().map(|(address, market)| (*address, (market, price(address)))).collect(),
            boards: boards.iter().map(|(address, board)| (*address, board)).collect(),
            risk: snapshot.exchange.data.risk(now),
            now,
        }
    }

    /// Equity and requirement of an account.
    ///
    /// # Errors
    /// What the chain would answer.
    pub fn margin(&self, account: &MarginAccount) -> Result<Margin, PlimsollError> {
        snapshot::assess(account, self, self.now, &self.risk).map(|(margin, _)| margin)
    }
}

impl Inputs for Priced<'_> {
    type BankRef<'b>
        = &'b Bank
    where
        Self: 'b;
    type MarketRef<'b>
        = &'b Market
    where
        Self: 'b;
    type BoardRef<'b>
        = &'b Board
    where
        Self: 'b;

    fn bank(&self, address: &Address) -> Result<&Bank, PlimsollError> {
        self.banks.get(address).copied().ok_or(PlimsollError::MissingBank)
    }

    fn market(&self, address: &Address) -> Result<(&Market, Observation), PlimsollError> {
        let (market, observation) = self.markets.get(address).ok_or(PlimsollError::MissingMarket)?;
        Ok((market, (*observation)?))
    }

    fn board(&self, address: &Address) -> Result<&Board, PlimsollError> {
        self.boards.get(address).copied().ok_or(PlimsollError::MissingBoard)
    }
}
