//! Funding: what a perpetual's longs pay its shorts and the house, or the other way round, for as long as one side is the
//! larger.
//!
//! The house stands against the traders' skew `S` (the sum of their positions, minus the house's). Funding makes the side
//! that the house would rather be rid of pay, and the other earn:
//!
//! ```text
//! rate   r = clamp(skew_rate S / scale, -max, max)        of the notional, per day; longs pay where it is positive
//! index  I = sum r P dt / day                             what one long base unit has paid since the market began
//! an account pays size (I - I paid up to)                 rounded up: against the account
//! ```
//!
//! The house receives what all accounts pay together, `S r P dt >= 0`: `r` has the sign of `S`, so the house never pays.
//!
//! # The index
//!
//! `r` is a whole number of 1e-12 a day, rounded toward zero: the larger side pays less, by 1e-12 of its notional a day.
//! The index keeps what is beyond its last place, as a whole number of `1 / `[`PARTS_PER_DAY`] of that place, so that
//!
//! ```text
//! I 2^48 = floor(sum r_i spot_i dt_i / PARTS_PER_DAY)     exactly, however many accruals there were
//! ```
//!
//! Who accrues every second gains nothing on who accrues once a day: without the rest, a market of low prices would round
//! every second's funding to nothing. Down favours the longs by 2^-48 quote native for each base unit, once and for all.
//!
//! # What is accrued
//!
//! The spot of an interval is the one that was known at its beginning, and the skew is that of the whole interval, as every
//! change of a position accrues first. So nothing of what the past costs can be chosen with hindsight by choosing when to
//! accrue. An interval counts [`MAX_ELAPSED`] at most, however long it was. The caller ends it where the price was dead.
//!
//! # Bounds
//!
//! A rate is at most [`MAX_RATE`], the whole notional a day, and a day at most is accrued at once, so an accrual is never
//! above the spot and fits. The index stays within [`MAX_INDEX`] either way and stops there: 16384 quote native for a base
//! unit, 16 times the price of a token of 100,000 USD and 8 decimals, so 4.5 years at 1 % a day all one way. Differences of
//! two indexes fit a word. A payment that does not fit is an error: it takes more than [`MAX_VALUE`](crate::portfolio::MAX_VALUE)
//! of notional at the whole notional a day for a month.
use crate::Error;
use crate::math::{div_wide, mul_div_floor, mul_shift, mul_wide, negative, positive};
use crate::units::{Base, Ppm, Price, Q48, Quote};

/// Seconds of the day that rates are per.
pub const SECONDS_PER_DAY: u64 = 86_400;
/// Longest time that one accrual counts, seconds: a day.
pub const MAX_ELAPSED: u64 = SECONDS_PER_DAY;
/// No rate, and no rate at a skew of one scale, is above this: the whole notional a day.
pub const MAX_RATE: Ppm = Ppm::ONE;
/// The index is never above this, nor below minus this.
pub const MAX_INDEX: i64 = (1 << 62) - 1;
/// Divisor of (rate in 1e-12 a day) x (seconds).
pub const PARTS_PER_DAY: u64 = SECONDS_PER_DAY * 1_000_000_000_000;
/// 1e-12 in one ppm.
const PER_PPM: u64 = 1_000_000;

/// How a market's funding follows its skew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FundingParameters {
    /// Rate a day at a skew of `skew_scale`, at most [`MAX_RATE`].
    pub skew_rate_per_day: Ppm,
    /// Largest rate a day, either way, at most [`MAX_RATE`].
    pub max_rate_per_day: Ppm,
    /// Skew at which the rate is `skew_rate_per_day`, base units. Zero: no funding.
    pub skew_scale: u64,
}

/// What one long base unit has paid since the market began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FundingIndex {
    /// Q16.48 quote native, rounded down, within [`MAX_INDEX`].
    pub value: i64,
    /// What is beyond it: parts of the last place, below [`PARTS_PER_DAY`].
    pub remainder: u64,
}

/// The rate at a skew of the traders, 1e-12 of the notional a day, rounded toward zero. Positive: longs pay.
pub fn rate_per_day(parameters: &FundingParameters, traders_skew: Base) -> i64 {
    if parameters.skew_scale == 0 {
        return 0;
    }
    let skew_rate = u64::from(parameters.skew_rate_per_day.min(MAX_RATE).raw()).wrapping_mul(PER_PPM);
    let most = u64::from(parameters.max_rate_per_day.min(MAX_RATE).raw()).wrapping_mul(PER_PPM);
    let rate = mul_div_floor(skew_rate, traders_skew.unsigned_abs(), parameters.skew_scale);
    // At most 10^12.
    let rate = rate.unwrap_or(u64::MAX).min(most).cast_signed();
    if traders_skew.is_negative() { rate.wrapping_neg() } else { rate }
}

/// The index after `elapsed_seconds` at a rate of [`rate_per_day`] and a spot.
///
/// With `n = |rate| elapsed <= PARTS_PER_DAY`: `n spot = q PARTS_PER_DAY + m`, so `q <= spot` fits. Parts `q` and rests `m`
/// are added, or taken away, like the digits of one number.
pub fn accrue(index: FundingIndex, rate: i64, spot: Price, elapsed_seconds: u64) -> FundingIndex {
    let elapsed = elapsed_seconds.min(MAX_ELAPSED);
    // At most 10^12 times at most 86,400.
    let parts = rate.unsigned_abs().min(u64::from(MAX_RATE.raw()).wrapping_mul(PER_PPM)).wrapping_mul(elapsed);
    let (high, low) = mul_wide(parts, spot.raw());
    let Some((whole, rest)) = div_wide(high, low, PARTS_PER_DAY) else {
        return index;
    };
    // Both rests are below PARTS_PER_DAY < 2^57.
    let (value, remainder) = if rate < 0 {
        let borrows = rest > index.remainder;
        let above = if borrows { PARTS_PER_DAY } else { 0 };
        let remainder = index.remainder.wrapping_add(above).wrapping_sub(rest);
        (index.value.saturating_sub_unsigned(whole).saturating_sub(i64::from(borrows)), remainder)
    } else {
        let sum = index.remainder.wrapping_add(rest);
        let carries = sum >= PARTS_PER_DAY;
        let remainder = if carries { sum.wrapping_sub(PARTS_PER_DAY) } else { sum };
        (index.value.saturating_add_unsigned(whole).saturating_add(i64::from(carries)), remainder)
    };
    if value > MAX_INDEX || value < MAX_INDEX.wrapping_neg() {
        return FundingIndex { value: value.clamp(MAX_INDEX.wrapping_neg(), MAX_INDEX), remainder: 0 };
    }
    FundingIndex { value, remainder }
}

/// What a position pays for the index having gone from `from` to `to`: `ceil(size (to - from))`, quote native, against the
/// account. Negative where it receives.
///
/// # Errors
///
/// [`Error::Overflow`] when it does not fit, or for an index beyond [`MAX_INDEX`].
pub fn payment(size: Base, from: i64, to: i64) -> Result<Quote, Error> {
    let moved = to.checked_sub(from).ok_or(Error::Overflow)?;
    let (floor, exact) = mul_shift(size.unsigned_abs(), moved.unsigned_abs(), Q48).ok_or(Error::Overflow)?;
    let raw = if size.is_negative() == (moved < 0) {
        floor.checked_add(u64::from(!exact)).and_then(positive)
    } else {
        negative(floor)
    };
    raw.map(Quote::from_raw).ok_or(Error::Overflow)
}

/// `size index`, Q16.48 quote native: what a position has paid, or its change, for the sum over all accounts. Exact: below
/// `2^63 2^64`.
#[inline]
pub fn weighted(size: Base, index: i64) -> i128 {
    let (high, low) = mul_wide(size.unsigned_abs(), index.unsigned_abs());
    let magnitude = ((u128::from(high) << 64) | u128::from(low)).cast_signed();
    if size.is_negative() == (index < 0) { magnitude } else { magnitude.wrapping_neg() }
}

/// What all accounts together owe in funding and have not paid, quote native, rounded down: it is the house's to receive.
///
/// `paid` is the sum over all accounts of [`weighted`] positions, each at the index that it has paid up to. With the traders'
/// skew `S = sum size`: `sum size (I - I_paid) = S I - paid`. As every payment is rounded up, what the accounts will pay is
/// never below this.
///
/// # Errors
///
/// [`Error::Overflow`] when it does not fit.
pub fn unsettled(traders_skew: Base, index: i64, paid: i128) -> Result<Quote, Error> {
    let owed = weighted(traders_skew, index).checked_sub(paid).ok_or(Error::Overflow)?;
    i64::try_from(owed >> Q48).map(Quote::from_raw).map_err(|_| Error::Overflow)
}
