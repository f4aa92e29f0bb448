//! What is asked of a margin.

use plimsoll_risk::portfolio::Margin;

use super::Result;
use crate::PlimsollError;

/// `H_init` of a margin, quote native.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn health_init(margin: &Margin) -> Result<i64> {
    Ok(margin.health_init()?.raw())
}

/// `H_maint` of a margin, quote native.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn health_maint(margin: &Margin) -> Result<i64> {
    Ok(margin.health_maint()?.raw())
}

/// Checks that tokens may leave against an account, as far as its margin says: every price that its debts and positions
/// depend on is fresh, and `H_init >= 0` (INV-5).
///
/// # Errors
/// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`].
pub fn require_init(margin: &Margin) -> Result<()> {
    if margin.blocked_by.is_some() {
        return Err(PlimsollError::OracleStale);
    }
    if health_init(margin)? < 0 {
        return Err(PlimsollError::InsufficientMargin);
    }
    Ok(())
}
