//! What an account's options in one underlying are worth and could lose, from risk arrays.
//!
//! # What is stored
//!
//! For every strike of a board a [`RiskArray`] holds the value of one lot of the *call* at 34 nodes: relative spots
//! `x_j = 1 + j range / 6` for `j` in `-7 ..= 7`, with the volatility up and with it down, and, with the volatility up,
//! the four spots `1 +- 5/2 range` and `1 +- 7/2 range` around the extreme moves (those below at least 1/32 and zero); and
//! value, delta, gamma, vega and decay at the spot itself. [`Refresh`] computes it, [`ArrayTerms`] says what it was computed
//! at, one for each board.
//!
//! ```text
//! C(x) = D (F x N(d1) - K N(d2))          D discount, F forward, K strike, w = sigma sqrt(T)      (Black 1976)
//! d1   = (ln(F/K) + ln x) / w + w / 2,    d2 = d1 - w
//! ```
//!
//! So a strike takes one logarithm, and one reciprocal for each volatility; the logarithms of the nodes belong to the
//! range alone ([`Nodes`]).
//!
//! A put is a call less a forward: `P = C - D F x + D K`. It is kept as that: its call in the sums, `- D F / spot` of
//! linear exposure, `D K` of quote. No second array, and a conversion (long call, short put, short underlying) nets to
//! nothing.
//! Lots times strikes are summed exactly, so that a board's are discounted and rounded down once: by less than two units
//! for the lot and the discount together, however many puts.
//!
//! # What is read off
//!
//! An account's options of one board are summed node by node ([`BoardSum`]): one multiplication and addition per value and
//! option. What follows happens once per board, as all of it is linear in the values:
//!
//! * **Mark** at the current spot `S (1 + delta)`, `S` the arrays' spot, after `t` days: value, delta, gamma and decay,
//!   `V + delta S V' + delta^2 S^2 V'' / 2 - t decay`.
//! * **Loss in a scenario**: the value at the shocked spot, which is `S (1 + delta)(1 + m range)` for the *current* range, by
//!   linear interpolation between its two nodes, less the mark without its decay (arrays and mark are of one moment).
//!
//! # How far off that is
//!
//! A call's value is convex in the spot, so a chord lies above it. With `h` the distance of the nodes and `g` the largest
//! `d^2 C / dx^2` between them, by at most `g h^2 / 8`, and never by more than `h / 4` as a slope is between 0 and 1. As
//! `g = D F phi(d1) / (x w) <= 0.4 D F / (x w)`, per unit of underlying:
//!
//! ```text
//! 0 <= chord - C <= D F h min( 1/4, h / (20 x w) )
//! ```
//!
//! * A **short** option is never charged less than its loss by the chord: its value after the move is overstated.
//! * A **long** option's loss is understated by at most that bound. At the arrays' own spot and range the scenarios fall on
//!   nodes, to 1e-6 of their distance, and the error is gone: whoever wants it exact refreshes first, in the same transaction.
//! * **Age** is not in the gains: they are those of the arrays' moment, `t` ago. Since then the mark has decayed and the
//!   value after the move has, too: at `x` spots by `D F x phi(d1) w t / (2 T)`, so that a gain is off by at most
//!   `0.2 D F x w t / T`, of either sign: `0.0125 D F x w` at the largest age.
//!
//! An extreme move of the arrays' range ends midway between its two nodes, six steps apart. The range towards maint may be
//! any part of the one that arrays are made at, while a forecast ramps: below five sixths its extreme moves end nearer than
//! their nodes, and are read between the nearer one and the outermost move, eight steps apart, or among the moves.
//!
//! The mark's third-order remainder is `|delta|^3 / 6` times the third derivative, at most
//! `D F |delta|^3 (0.242 / w^2 + 0.4 / w) / 6`; with `|delta| <= w / 4` and at most 1/32, as [`ArrayTerms::max_drift`]
//! demands, at most `0.0008 D F w` in all, and zero at the arrays' spot. With `a = t / T <= 1/16`, the decay's remainder is
//! `a^2 / 8 w phi(d1) |1 - d1 d2|`, at most `a^2 w (0.4 + 0.25 w) / 7` and so `0.0003 D F w` where `w` is below 0.5; and, as
//! the decay at another spot is another, `|delta| a phi(d1) |d2| / 2 <= |delta| a (0.121 + 0.2 w)` besides, at most
//! `0.003 D F w`. All are of either sign, and only the first touches the gains. Rounding adds at
//! most `2e-8 D F` for each option: stored values have 29 bits or more of the forward, N(x) is within 1.4e-10, and both count
//! as many times as the strike is forwards. Delta elsewhere is kept to 256 units of the values.
//!
//! For the last ten minutes arrays are computed as if ten minutes were left ([`MIN_TIME`]): settlement takes an average of
//! samples, so the last print decides nothing, and no array is younger than the time it has to live.
use crate::units::{Base, Quote};

mod array;
mod quote;
mod settlement;
mod sum;

pub use array::{
    ArrayTerms, Board, MAX_DEPTH, MAX_RANGE, MAX_VOLATILITY_SHOCK, MIN_RANGE, MIN_TIME, Nodes, Refresh, RiskArray,
    VALUES,
};
pub use quote::{
    NetVega, OptionPricing, OptionTrade, VegaWalk, half_spread, payoff, quote_option, quote_option_fill, units_of,
};
pub use settlement::{MAX_SAMPLES, settlement_price};
pub use sum::{BoardSum, MAX_LOTS, Reading, StrikeLots};

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
    /// Gain of the calls over their mark in every scenario at the range towards init, extreme moves damped, quote native.
    /// The mark is the integer that is in [`Self::value`], so that value and gain together, what is left after the move,
    /// are rounded down.
    pub pnl_init: [Quote; SCENARIOS],
    /// The same at the range towards maint.
    pub pnl_maint: [Quote; SCENARIOS],
    /// Short-option minimum: a floor under the loss of the underlying, quote native, rounded up.
    pub short_minimum: u64,
    /// The short-option minimum of the opposite position, quote native, rounded up.
    pub long_minimum: u64,
}

impl OptionRisk {
    /// No options.
    pub const NONE: Self = Self {
        underlying: 0,
        exposure: Base::ZERO,
        value: Quote::ZERO,
        delta: Base::ZERO,
        pnl_init: [Quote::ZERO; SCENARIOS],
        pnl_maint: [Quote::ZERO; SCENARIOS],
        short_minimum: 0,
        long_minimum: 0,
    };
}
