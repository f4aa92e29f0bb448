//! Changes that wait out the timelock: what a proposal may hold, and how its bytes are read.

use solana_address::Address;

use crate::{
    PlimsollError,
    accounts::MAX_PROPOSAL,
    config::{AdapterConfig, BankConfig, ExchangeConfig, MarketConfig, RateSource, VenueConfig, role},
    oracle::ORACLE_PROGRAMS,
};

/// Kinds of change, as stored in [`crate::accounts::Proposal::kind`].
pub mod kind {
    /// An exchange's parameters: content is an `ExchangeConfig`.
    pub const EXCHANGE: u8 = 0;
    /// A market's parameters: content is a `MarketConfig`.
    pub const MARKET: u8 = 1;
    /// A bank's parameters: content is a `BankConfig`.
    pub const BANK: u8 = 2;
    /// Who holds a role: content is a [`super::RoleHolder`]. The subject is the exchange.
    pub const ROLE: u8 = 3;
    /// The feed of the quote: content is a [`super::QuoteFeed`]. The subject is the exchange.
    pub const QUOTE_FEED: u8 = 4;
    /// Where a bank's exchange rate is read: content is a `RateSource`. The subject is the bank.
    pub const RATE_SOURCE: u8 = 5;
    /// A venue's limits and state: content is a `VenueConfig`.
    pub const VENUE: u8 = 6;
    /// Limits of an adapter of liens: content is an `AdapterConfig`. The subject is the adapter.
    pub const ADAPTER: u8 = 7;
    /// The largest kind with a meaning.
    pub const LAST: u8 = ADAPTER;
}

/// Who is to hold a role.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct RoleHolder {
    /// One of [`role`].
    pub role: u8,
    /// Who holds it, zero for nobody.
    pub holder: Address,
}

impl RoleHolder {
    /// Checks that the role exists.
    ///
    /// # Errors
    /// [`PlimsollError::UnknownKind`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        if self.role <= role::LAST { Ok(()) } else { Err(PlimsollError::UnknownKind) }
    }

    /// Whether somebody gets power by it, or the risk admin loses his: only a keeper or forecaster may be taken away
    /// without notice.
    pub fn loosens(&self) -> bool {
        self.holder != Address::default() || self.role == role::RISK_ADMIN
    }
}

/// The feed of the quote against the dollar.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct QuoteFeed {
    /// One of [`crate::accounts::oracle_kind`].
    pub oracle_kind: u8,
    /// Pyth feed id; for a legacy price account, its address.
    pub feed_id: [u8; 32],
    /// The program that owns the price account, zero for no feed.
    pub oracle_owner: Address,
}

impl QuoteFeed {
    /// No feed.
    pub const NONE: Self = Self { oracle_kind: 0, feed_id: [0; 32], oracle_owner: Address::new_from_array([0; 32]) };

    /// Checks that the owner is an oracle program of that format, or that there is no feed.
    ///
    /// # Errors
    /// [`PlimsollError::UnsupportedOracle`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        let known = ORACLE_PROGRAMS.contains(&(self.oracle_owner, self.oracle_kind));
        if known || *self == Self::NONE { Ok(()) } else { Err(PlimsollError::UnsupportedOracle) }
    }
}

/// A change that may be proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An exchange's parameters.
    Exchange(ExchangeConfig),
    /// A market's parameters.
    Market(MarketConfig),
    /// A bank's parameters.
    Bank(BankConfig),
    /// Who holds a role.
    Role(RoleHolder),
    /// The feed of the quote.
    QuoteFeed(QuoteFeed),
    /// Where a bank's exchange rate is read.
    RateSource(RateSource),
    /// A venue's limits and state.
    Venue(VenueConfig),
    /// Limits of an adapter of liens.
    Adapter(AdapterConfig),
}

impl Change {
    /// The kind that stands beside [`Self::content`].
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Exchange(_) => kind::EXCHANGE,
            Self::Market(_) => kind::MARKET,
            Self::Bank(_) => kind::BANK,
            Self::Role(_) => kind::ROLE,
            Self::QuoteFeed(_) => kind::QUOTE_FEED,
            Self::RateSource(_) => kind::RATE_SOURCE,
            Self::Venue(_) => kind::VENUE,
            Self::Adapter(_) => kind::ADAPTER,
        }
    }

    /// Its bytes, zeros behind them.
    pub fn content(&self) -> [u8; MAX_PROPOSAL] {
        let bytes = match self {
            Self::Exchange(config) => bytemuck::bytes_of(config),
            Self::Market(config) => bytemuck::bytes_of(config),
            Self::Bank(config) => bytemuck::bytes_of(config),
            Self::Role(holder) => bytemuck::bytes_of(holder),
            Self::QuoteFeed(feed) => bytemuck::bytes_of(feed),
            Self::RateSource(source) => bytemuck::bytes_of(source),
            Self::Venue(config) => bytemuck::bytes_of(config),
            Self::Adapter(config) => bytemuck::bytes_of(config),
        };
        let mut content = [0; MAX_PROPOSAL];
        content.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        content
    }

    /// The change of a kind with this content.
    ///
    /// # Errors
    /// [`PlimsollError::UnknownKind`] for another kind, or where something stands behind the content.
    pub fn read(kind: u8, content: &[u8; MAX_PROPOSAL]) -> Result<Self, PlimsollError> {
        match kind {
            kind::EXCHANGE => read(content).map(Self::Exchange),
            kind::MARKET => read(content).map(Self::Market),
            kind::BANK => read(content).map(Self::Bank),
            kind::ROLE => read(content).map(Self::Role),
            kind::QUOTE_FEED => read(content).map(Self::QuoteFeed),
            kind::RATE_SOURCE => read(content).map(Self::RateSource),
            kind::VENUE => read(content).map(Self::Venue),
            kind::ADAPTER => read(content).map(Self::Adapter),
            _ => Err(PlimsollError::UnknownKind),
        }
    }

    /// Checks what it would set, as the instruction that makes the change will again.
    ///
    /// # Errors
    /// Those of the parameters' `validate`.
    pub fn validate(&self) -> Result<(), PlimsollError> {
        match self {
            Self::Exchange(config) => config.validate(),
            Self::Market(config) => config.validate(),
            Self::Bank(config) => config.validate(),
            Self::Role(holder) => holder.validate(),
            Self::QuoteFeed(feed) => feed.validate(),
            Self::RateSource(source) => source.validate(),
            Self::Venue(config) => config.validate(),
            Self::Adapter(config) => config.validate(),
        }
    }
}

fn read<T: bytemuck::Pod>(content: &[u8]) -> Result<T, PlimsollError> {
    const { assert!(size_of::<T>() <= MAX_PROPOSAL) };
    let (bytes, rest) = content.split_at_checked(size_of::<T>()).ok_or(PlimsollError::UnknownKind)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(PlimsollError::UnknownKind);
    }
    bytemuck::try_pod_read_unaligned(bytes).map_err(|_| PlimsollError::UnknownKind)
}
