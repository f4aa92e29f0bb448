//! What covers the house's risk budgets.

use anchor_lang::prelude::*;
use plimsoll_interface::{PlimsollError, accounts::House, config::limits};
use plimsoll_risk::units::Timestamp;

/// Checks that the house's net asset value is known: of a valuation that began lately.
///
/// # Errors
/// [`PlimsollError::HouseNavStale`].
pub fn require_nav_known(house: &House, now: Timestamp) -> Result<()> {
    let known = house.nav_at != 0
        && now.since(Timestamp::from_raw(house.nav_at)).raw() <= i64::from(limits::HOUSE_NAV_AGE_SECONDS_MAX);
    require!(known, PlimsollError::HouseNavStale);
    Ok(())
}

/// Checks that the house's net asset value covers all risk budgets together.
///
/// # Errors
/// [`PlimsollError::HouseBudgets`].
pub fn require_budgets_covered(house: &House) -> Result<()> {
    let budgets = i64::try_from(house.risk_budget_total).map_err(|_| PlimsollError::Overflow)?;
    require!(house.nav >= budgets, PlimsollError::HouseBudgets);
    Ok(())
}

/// Replaces the risk budget `old` of a market by `new` in the sum of all; a larger one must be covered by a net asset
/// value of now.
///
/// # Errors
/// [`PlimsollError::HouseNavStale`], [`PlimsollError::HouseBudgets`].
pub fn move_budget(house: &mut House, old: u64, new: u64, now: Timestamp) -> Result<()> {
    let total = house.risk_budget_total.checked_sub(old).and_then(|rest| rest.checked_add(new));
    house.risk_budget_total = total.ok_or(PlimsollError::Overflow)?;
    if new > old {
        require_nav_known(house, now)?;
        require_budgets_covered(house)?;
    }
    Ok(())
}
