//! What is asked of a position besides its stress: haircuts, borrow weights, concentration, the short-option minimum.
//!
//! Each is a function of one position `x` that keeps the axioms of the requirement: never negative, `f(n x) = n f(x)` for
//! `n >= 0`, and `f(x + y) <= f(x) + f(y)`. A rate times a magnitude is; and a rate may depend on anything but the
//! position itself. So what a big position costs in the market is charged by a property of the *bank* or the *market*, its
//! total, and not by one of the account: the same to all, linear in the account, and nothing is gained by splitting an
//! account in two.
//!
//! # A rate that grows with the total
//!
//! Price impact is proportional to the quantity traded (Kyle, Continuous Auctions and Insider Trading, Econometrica 53,
//! 1985): a sale of `Q` moves the price by `lambda Q`, so that `Q` sold bit by bit fetch `lambda Q / 2` less each, on
//! average. Selling out everything that a bank holds thus costs, per unit, a base rate and a part proportional to the
//! total:
//!
//! ```text
//! rate(total) = at_empty + (at_cap - at_empty) min(total, cap) / cap      rounded up
//! ```
//!
//! Totals are capped where deposits are, so the rate is known at both ends, which is how it is configured.
use crate::Error;
use crate::math::{mul_div_ceil, mul_ppm_ceil, mul_shift_ceil};
use crate::units::{Base, Lots, Ppm, Price, Q48};

/// Haircut rate of a bank's deposits, from its `total` deposits against their `cap`, both in the bank's native units:
/// `at_empty` for none, `at_cap` from the cap on, linear between, rounded up to a ppm. A cap of zero is always reached.
///
/// An `at_cap` below `at_empty`, which [`BankParameters::validate`](crate::parameters::BankParameters::validate) refuses,
/// counts as `at_empty`.
#[inline]
pub fn liquidity_haircut(at_empty: Ppm, at_cap: Ppm, total: u64, cap: u64) -> Ppm {
    let growth = u64::from(at_cap.raw().saturating_sub(at_empty.raw()));
    let part = if total >= cap { Some(growth) } else { part_of(growth, total, cap) };
    // At most the growth, as total < cap; so the sum is at most the larger of the two rates.
    let part = part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
    Ppm::from_raw(at_empty.raw().saturating_add(part))
}

/// `ceil(growth total / cap)` for a total below the cap. For growths below 2^20 and caps below 2^53, most of them, by two
/// digits of ten bits: a digit times the total, and a rest times 2^10, are both below 2^63. 40 CU instead of 150.
#[inline(always)]
fn part_of(growth: u64, total: u64, cap: u64) -> Option<u64> {
    const DIGIT: u32 = 10;
    if growth >> (2 * DIGIT) != 0 || cap >> 53 != 0 {
        return mul_div_ceil(growth, total, cap);
    }
    let high = (growth >> DIGIT).wrapping_mul(total);
    let (high, rest) = (high.checked_div(cap)?, high.checked_rem(cap)?);
    let low = (rest << DIGIT).wrapping_add((growth & 0x3FF).wrapping_mul(total));
    let (low, rest) = (low.checked_div(cap)?, low.checked_rem(cap)?);
    Some((high << DIGIT).wrapping_add(low).wrapping_add(u64::from(rest != 0)))
}

/// Concentration rate of one side of a market's perpetual, from the `total` of all accounts' positions on it against the `cap` of open interest, both in base units: nothing for an empty market, `at_cap` from the cap on, linear between,
/// rounded up to a ppm.
#[inline]
pub fn concentration_rate(at_cap: Ppm, total: u64, cap: u64) -> Ppm {
    liquidity_haircut(Ppm::ZERO, at_cap, total, cap)
}

/// What a rate asks of an amount of value, quote native, rounded up: a haircut of a deposit's value, a weight of a
/// borrow's.
///
/// # Errors
///
/// [`Error::Overflow`] when it does not fit, which takes a rate above one.
#[inline]
pub fn weighted(value: u64, rate: Ppm) -> Result<u64, Error> {
    mul_ppm_ceil(value, rate).ok_or(Error::Overflow)
}

/// Concentration charge on a perpetual position: `ceil(rate ceil(|size| spot))`, quote native.
///
/// On the size itself and not on the net exposure: a hedge by another instrument does not help to trade this one.
///
/// # Errors
///
/// [`Error::Overflow`].
#[inline]
pub fn concentration_charge(size: Base, spot: Price, rate: Ppm) -> Result<u64, Error> {
    weighted(spot.magnitude_ceil(size).ok_or(Error::Overflow)?, rate)
}

/// How many lots of a series are short: `max(0, -lots)`, the positive part of a linear function of the position, and so
/// sublinear; it is what the short-option minimum is a sum of.
#[inline]
pub const fn short_lots(lots: Lots) -> u64 {
    if lots.is_negative() { lots.unsigned_abs() } else { 0 }
}

/// Short-option minimum: `ceil(rate ceil(units spot))`, quote native, for `units` of the underlying sold by options, in
/// base units: the sum over the series of [`short_lots`] times the lot.
///
/// Options sold so far out that no scenario reaches them would need no margin, and yet a sale without limit. A floor under
/// the loss, proportional to what is sold, keeps them from being free. Source: the short option minimum of SPAN.
///
/// # Errors
///
/// [`Error::Overflow`].
#[inline]
pub fn short_minimum(rate: Ppm, units: u64, spot: Price) -> Result<u64, Error> {
    weighted(mul_shift_ceil(units, spot.raw(), Q48).ok_or(Error::Overflow)?, rate)
}
