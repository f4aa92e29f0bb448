//! What the house's inventory in a market is, and what it may risk.

use plimsoll_risk::{
    math,
    portfolio::{self, RiskParameters},
    price::{Freshness, Observation, freshness},
    units::{Base, Fraction, Ppm, Price, Seconds, Timestamp},
};

use super::{Result, ledger};
use crate::{
    PlimsollError,
    accounts::{Bank, HouseBoard, Market},
    bridge::{self, Side},
};

/// How old an observation is by its market's limits.
pub fn market_freshness(market: &Market, observation: &Observation, now: Timestamp) -> Freshness {
    freshness(
        observation.publish_time,
        now,
        Seconds::from_raw(i64::from(market.config.max_age_seconds)),
        Seconds::from_raw(i64::from(market.config.dead_age_seconds)),
    )
}

/// What the house holds of a bank's mint from spot swaps, base units of its market, at the rate of deposits.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn inventory_base(bank: &Bank) -> Result<i64> {
    let base = bridge::base_units(ledger::house_inventory(bank)?, bank, Side::Deposit)?;
    i64::try_from(base).map_err(|_| PlimsollError::Overflow)
}

/// Counts what the house holds of a bank's mint now in the market that prices it. `was_empty` tells whether it had none
/// when it was last counted.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn count_inventory(market: &mut Market, bank: &mut Bank, was_empty: bool) -> Result<i64> {
    let base = inventory_base(bank)?;
    let rest = market.house_inventory.checked_sub(bank.inventory_counted);
    market.house_inventory = rest.and_then(|rest| rest.checked_add(base)).ok_or(PlimsollError::Overflow)?;
    bank.inventory_counted = base;
    let (before, after) = (u64::from(!was_empty), u64::from(bank.inventory_shares != 0));
    let others = market.inventory_banks.checked_sub(before).ok_or(PlimsollError::Corrupt)?;
    market.inventory_banks = others.checked_add(after).ok_or(PlimsollError::Overflow)?;
    Ok(base)
}

/// The standalone loss `L_u` of the house's whole inventory in a market, perpetual, options and spot, quote native.
///
/// # Errors
/// [`PlimsollError::HouseBoardStale`] where options of the house were valued too long ago, or too far from the price.
pub fn inventory_loss(
    market: &Market,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
) -> Result<u64> {
    let linear = add(market.house_size, market.house_inventory)?;
    let (range, spot) = (Ppm::from_raw(market.range_ppm), observation.spot);
    if market.boards == 0 {
        let loss = portfolio::standalone_loss(Base::from_raw(linear), spot, range);
        return Ok(loss?);
    }
    let (mut exposure, mut short_minimum) = (linear, 0u64);
    for board in market.house_boards.iter().filter(|board| board.valid_until != 0) {
        if !is_valid(board, spot, now) {
            return Err(PlimsollError::HouseBoardStale);
        }
        exposure = add(exposure, board.exposure)?;
        short_minimum = short_minimum.checked_add(board.short_minimum).ok_or(PlimsollError::Overflow)?;
    }
    let loss = portfolio::standalone_loss_with_options(
        Base::from_raw(exposure),
        spot,
        range,
        &market.house_gains,
        short_minimum,
        risk.extreme_damping,
    );
    Ok(loss?)
}

/// Whether the worth of the house's options of a board may be used now: a settled one's always.
pub fn is_valid(board: &HouseBoard, spot: Price, now: Timestamp) -> bool {
    if board.valid_until == i64::MAX {
        return true;
    }
    let drift = math::mul_div_ceil(spot.raw().abs_diff(board.spot), Fraction::ONE.raw(), board.spot);
    now.raw() <= board.valid_until && drift.is_some_and(|drift| drift <= board.max_drift)
}

/// Checks that the house's inventory in a market is within its risk budget, as far as the house's net asset value covers it
/// (liquidity withdraws itself), unless a trade has made its loss no larger than `before`.
///
/// # Errors
/// [`PlimsollError::HouseRiskBudget`]; those of [`inventory_loss`].
pub fn require_within_budget(
    market: &Market,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
    before: u64,
) -> Result<()> {
    let loss = inventory_loss(market, observation, risk, now)?;
    if !(loss <= before || loss <= market.budget_in_force()) {
        return Err(PlimsollError::HouseRiskBudget);
    }
    Ok(())
}

fn add(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or(PlimsollError::Overflow)
}
