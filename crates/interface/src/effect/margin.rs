//! What is asked of a margin.

use plimsoll_risk::portfolio::Margin;

use super::Result;

/// `H_init` of a margin, quote native.
///
/// # Errors
/// [`PlimsollError::Overflow`](crate::PlimsollError::Overflow).
pub fn health_init(margin: &Margin) -> Result<i64> {
    Ok(margin.health_init()?.raw())
}

/// `H_maint` of a margin, quote native.
///
/// # Errors
/// [`PlimsollError::Overflow`](crate::PlimsollError::Overflow).
pub fn health_maint(margin: &Margin) -> Result<i64> {
    Ok(margin.health_maint()?.raw())
}
