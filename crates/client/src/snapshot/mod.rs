//! An exchange as seen at one moment, and what follows from it: margins, reports, ready-packed instructions.

use std::collections::BTreeMap;

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, Board, Exchange, House, Market},
    bridge::Inputs,
};
use plimsoll_risk::price::Observation;

use crate::{Keyed, price::PriceAccount};

mod accrual;
mod budgets;
mod insolvency;
mod instructions;
mod limits;
mod liquidation;
mod margins;
mod prices;
mod refresh;
mod requests;
mod stress;
#[cfg(test)]
mod tests;
mod what_if;

pub use budgets::BudgetUse;
pub use insolvency::{Insolvency, Resolution};
pub use limits::MaxSize;
pub use liquidation::{FALL_MAX, LiquidationMove, LiquidationPrices, RISE_MAX};
pub use margins::assess;
pub use refresh::RefreshCause;
pub use requests::Request;
pub use stress::{Payoff, PayoffPoint, Stress, StressAxes, StressCell};
pub use what_if::{Execution, Trade, WhatIf};

/// One exchange with its banks and markets at one moment.
///
/// A price account in [`Self::prices`] is read exactly where an instruction that carries it would read it: it replaces
/// the market's stored observation unless it is older. The instructions built here carry all of them, so what
/// [`Self::margin`] says is what the chain will say (INV-7).
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The exchange.
    pub exchange: Keyed<Exchange>,
    /// Its house, once there is one.
    pub house: Option<House>,
    /// Its banks by address.
    pub banks: BTreeMap<Address, Bank>,
    /// Its markets by address.
    pub markets: BTreeMap<Address, Market>,
    /// Its markets' option boards by address.
    pub boards: BTreeMap<Address, Board>,
    /// Price accounts by market, for those markets that are to be priced by them.
    pub prices: BTreeMap<Address, PriceAccount>,
    /// The chain's clock, unix seconds.
    pub now: i64,
}

impl Inputs for Snapshot {
    type BankRef<'a> = &'a Bank;
    type MarketRef<'a> = &'a Market;
    type BoardRef<'a> = &'a Board;

    fn bank(&self, address: &Address) -> Result<&Bank, PlimsollError> {
        self.banks.get(address).ok_or(PlimsollError::MissingBank)
    }

    fn market(&self, address: &Address) -> Result<(&Market, Observation), PlimsollError> {
        let market = self.markets.get(address).ok_or(PlimsollError::MissingMarket)?;
        let stored = market.observation();
        let observation = match self.prices.get(address) {
            Some(price) => {
                let passed = price.observation(market, self.now)?;
                if passed.publish_time >= stored.publish_time { passed } else { stored }
            }
            None => stored,
        };
        Ok((market, observation))
    }

    fn board(&self, address: &Address) -> Result<&Board, PlimsollError> {
        self.boards.get(address).ok_or(PlimsollError::MissingBoard)
    }
}
