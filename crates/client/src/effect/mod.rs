//! What the program's instructions do to accounts, so that a client can say what a trade would do to the native unit.
//!
//! The functions are those of [`plimsoll_interface::effect`], which the program calls; here is what it does around them, out
//! of a snapshot and into it: where accounts and prices come from, and which margin is asked for. The walks of `tests/fuzz`
//! hold every trade to the program: what it accepts leaves the same bytes, what it refuses is the same error.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, Board, House, MarginAccount, Market},
    bridge::Inputs,
};
use plimsoll_risk::{portfolio::Margin, price::Observation, trade::TradeQuote, units::Timestamp};

use crate::{Error, Snapshot};

pub(crate) mod balance;
pub(crate) mod orders;
pub(crate) mod settlement;
pub(crate) mod swap;

pub(crate) type Result<T> = core::result::Result<T, PlimsollError>;

/// What a trade did besides changing accounts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effect {
    /// At what price, for what trades.
    pub execution: Option<Traded>,
    /// What the margin refuses. The accounts show the trade all the same.
    pub refused: Option<PlimsollError>,
}

impl Effect {
    /// Notes what the check of the margin said.
    pub fn checked(execution: Option<Traded>, margin: Result<()>) -> Self {
        Self { execution, refused: margin.err() }
    }
}

/// A price as the house made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traded {
    /// The market's price.
    pub observation: Observation,
    /// What one unit is worth without any charge, Q16.48: spot, or an option's mark.
    pub mid_price: u64,
    /// What is traded, in units of that price: base units of the market, negative for a sale.
    pub base: i64,
    /// What was charged.
    pub quote: TradeQuote,
}

/// The accounts that instructions change, taken out of a snapshot and put back.
impl Snapshot {
    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp::from_raw(self.now)
    }

    pub(crate) fn bank_copy(&self, address: &Address) -> Result<Bank> {
        self.banks.get(address).copied().ok_or(PlimsollError::MissingBank)
    }

    pub(crate) fn market_copy(&self, address: &Address) -> Result<Market> {
        self.markets.get(address).copied().ok_or(PlimsollError::MissingMarket)
    }

    pub(crate) fn board_copy(&self, address: &Address) -> Result<Board> {
        self.boards.get(address).copied().ok_or(PlimsollError::MissingBoard)
    }

    pub(crate) fn house_copy(&self) -> Result<House> {
        self.house.ok_or(PlimsollError::UnknownAccount)
    }

    /// The observation in a market's price account, as an instruction that declares it reads it.
    pub(crate) fn declared_price(&self, address: &Address) -> Result<Observation> {
        let market = self.markets.get(address).ok_or(PlimsollError::MissingMarket)?;
        self.prices.get(address).ok_or(PlimsollError::OracleWrongAccount)?.observation(market, self.now)
    }

    /// The margin, refusals as the program's.
    pub(crate) fn margin_or_refusal(&self, account: &MarginAccount) -> Result<Margin> {
        self.margin(account).map_err(program_error)
    }

    /// The observation that an instruction sees which takes the price account only where there is one.
    pub(crate) fn seen_price(&self, address: &Address) -> Result<Observation> {
        Ok(self.market(address)?.1)
    }
}

/// What the program would answer: margins of a snapshot fail in no other way.
pub(crate) fn program_error(error: Error) -> PlimsollError {
    match error {
        Error::Program(error) => error,
        _ => PlimsollError::UnknownAccount,
    }
}
