//! How much of each market's risk budget the house's inventory uses.

use plimsoll_interface::{Address, accounts::Market, bridge::Inputs, effect::inventory};

use super::Snapshot;
use crate::Error;

/// What the house may lose in a market, and what its inventory there could lose. Quote native.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// The largest loss that is allowed.
    pub budget: u64,
    /// The part of it that the house's net asset value covers: what counts.
    pub in_force: u64,
    /// The largest loss of the whole inventory in a stress scenario: what is used. A trade may not raise it beyond what counts.
    pub used: u64,
    /// The same of the house's perpetual position alone. What is held against one another nets, so the parts may sum to more than
    /// [`Self::used`].
    pub perpetual: u64,
    /// The same of its options alone.
    pub options: u64,
    /// The same of what it holds from swaps alone.
    pub spot: u64,
}

impl Snapshot {
    /// How much of a market's risk budget is used, and by what. Options of the house that were valued too long ago are taken as a
    /// refresh would value them.
    ///
    /// # Errors
    /// [`Error::Missing`] without the market; [`Error::Program`] with what the chain would answer.
    pub fn budget_use(&self, market: &Address) -> Result<BudgetUse, Error> {
        let fresh = self.refreshed()?;
        let (market, observation) = fresh.market(market)?;
        let loss = |keep: &dyn Fn(&mut Market)| {
            let mut part = *market;
            keep(&mut part);
            inventory::inventory_loss(&part, &observation, &fresh.risk(), fresh.timestamp())
        };
        Ok(BudgetUse {
            budget: market.config.risk_budget,
            in_force: market.budget_in_force(),
            used: loss(&|_| {})?,
            perpetual: loss(&|part| (part.house_inventory, part.boards) = (0, 0))?,
            options: loss(&|part| (part.house_size, part.house_inventory) = (0, 0))?,
            spot: loss(&|part| (part.house_size, part.boards) = (0, 0))?,
        })
    }
}
