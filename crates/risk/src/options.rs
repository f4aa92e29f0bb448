//! What an account's options in one underlying are worth and could lose.
use crate::units::{Base, Quote};

/// Number of stress scenarios: seven moves of the price, with the volatility up and down, and two extreme moves.
pub const SCENARIOS: usize = 16;

/// All options of one account in one underlying, summed over its boards: what the margin needs of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionRisk {
    /// Number of the underlying in the portfolio.
    pub underlying: u8,
    /// What put-call parity adds to the linear exposure: a put is a call less a forward, and the forward is linear.
    pub exposure: Base,
    /// What put-call parity adds to the quote (discounted strikes), and the marks of the calls: quote native, rounded
    /// down.
    pub value: Quote,
    /// Delta of the calls in base units, for the charges on net exposure.
    pub delta: Base,
    /// Gain of the calls in every scenario at the range towards init, extreme moves damped, quote native, rounded down.
    pub pnl_init: [Quote; SCENARIOS],
    /// The same at the range towards maint.
    pub pnl_maint: [Quote; SCENARIOS],
    /// Short-option minimum: a floor under the loss of the underlying, quote native, rounded up.
    pub short_minimum: u64,
    /// The short-option minimum of the opposite position, quote native, rounded up.
    pub long_minimum: u64,
}
