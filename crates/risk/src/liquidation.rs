//! How much of an account a liquidator takes over, and what it pays.
//!
//! # The fraction
//!
//! Below its maintenance line (`E < R`, both towards maint) a fraction `f` of the *whole* portfolio changes hands:
//! every balance and position pro rata, so hedges stay hedged. The taker pays `f E (1 - d)` in quote, `d` the discount
//! of the auction. What is left of the account is `1 - f` of everything plus the payment:
//!
//! ```text
//! E' = (1 - f) E + f E (1 - d) = E (1 - f d)
//! R' = (1 - f) R                                  R is positively homogeneous, cash carries no risk   (INV-8)
//! ```
//!
//! The account is to end a buffer `b` above its line, `E' >= (1 + b) R'`. With `T = R (1 + b)`:
//!
//! ```text
//! E - f d E >= T - f T   <=>   f (T - d E) >= T - E   <=>   f >= (T - E) / (T - d E)
//! ```
//!
//! as `T >= R > E > d E`. It is the smallest such fraction, above 0 and below 1. In integers: `T` rounded up and `d E`
//! rounded up both raise `f` (the derivative by `T` is `E (1 - d) / (T - d E)^2 > 0`, a smaller denominator raises it
//! too), and `f` itself is rounded up to the next 2^-32.
//!
//! # The ratio never worsens (INV-6)
//!
//! `E' / R' = (E / R) (1 - f d) / (1 - f) >= E / R`, as `d <= 1` makes `1 - f d >= 1 - f`; and `E' >= 0`. For any `f`,
//! so also for one that was rounded up. At `f = 1` nothing is left at risk: `R' = 0`.
//!
//! Pro rata amounts are rounded toward zero on both sides of the account, so the account keeps less than one native
//! unit more of each asset and of each liability than the formula says, and the payment is rounded up in its favour.
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, positive};
use crate::units::{Fraction, Ppm, Quote, Seconds};

/// Largest discount of an auction: 50 %.
pub const MAX_DISCOUNT: Ppm = Ppm::from_raw(500_000);
/// Longest auction: one day.
pub const MAX_DURATION: Seconds = Seconds::from_raw(86_400);

/// What the exchange configures for liquidations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LiquidationParameters {
    /// How far above its line the account is brought, as a part of its requirement; at most one.
    pub buffer: Ppm,
    /// Discount when the auction starts.
    pub discount_min: Ppm,
    /// Discount when the auction has run for `duration`, and after; at most [`MAX_DISCOUNT`].
    pub discount_max: Ppm,
    /// How long the discount takes to rise; at most [`MAX_DURATION`]. Zero starts at the largest.
    pub duration: Seconds,
    /// Equity below which the whole account is taken over, quote native.
    pub dust: u64,
}

impl LiquidationParameters {
    /// Checks the parameters as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::BufferInvalid`], [`Error::DiscountInvalid`], [`Error::DurationInvalid`].
    pub const fn validate(&self) -> Result<(), Error> {
        if self.buffer.raw() > Ppm::ONE.raw() {
            return Err(Error::BufferInvalid);
        }
        if self.discount_min.raw() > self.discount_max.raw() || self.discount_max.raw() > MAX_DISCOUNT.raw() {
            return Err(Error::DiscountInvalid);
        }
        if self.duration.raw() < 0 || self.duration.raw() > MAX_DURATION.raw() {
            return Err(Error::DurationInvalid);
        }
        Ok(())
    }
}

/// Discount after `elapsed` of the auction, rounded down:
/// `min + (max - min) min(elapsed, duration) / duration`. A negative `elapsed` counts as zero.
pub fn discount(parameters: &LiquidationParameters, elapsed: Seconds) -> Ppm {
    let duration = parameters.duration.raw().max(0).unsigned_abs();
    let elapsed = elapsed.raw().max(0).unsigned_abs();
    if elapsed >= duration {
        return parameters.discount_max;
    }
    let span = parameters.discount_max.raw().saturating_sub(parameters.discount_min.raw());
    // elapsed < duration: the quotient is at most the span, so neither step fails.
    let rise = mul_div_floor(u64::from(span), elapsed, duration).and_then(|rise| u32::try_from(rise).ok()).unwrap_or(0);
    Ppm::from_raw(parameters.discount_min.raw().saturating_add(rise))
}

/// The part of the account that a liquidator takes over, rounded up. Derived on the module's page.
///
/// One when the equity is below `dust`.
///
/// # Errors
///
/// [`Error::AccountInsolvent`] for an equity of zero or below, [`Error::NotLiquidatable`] at or above the line,
/// [`Error::DiscountInvalid`] for a discount above [`MAX_DISCOUNT`], [`Error::Overflow`] when `R (1 + b)` does not fit.
pub fn fraction(
    equity: Quote,
    requirement_maint: Quote,
    discount: Ppm,
    parameters: &LiquidationParameters,
) -> Result<Fraction, Error> {
    if !equity.is_positive() {
        return Err(Error::AccountInsolvent);
    }
    if equity >= requirement_maint {
        return Err(Error::NotLiquidatable);
    }
    if discount > MAX_DISCOUNT {
        return Err(Error::DiscountInvalid);
    }
    // 0 < equity < requirement.
    let (equity, requirement) = (equity.unsigned_abs(), requirement_maint.unsigned_abs());
    if equity < parameters.dust {
        return Ok(Fraction::ONE);
    }
    let target = mul_ppm_ceil(requirement, parameters.buffer)
        .and_then(|buffer| requirement.checked_add(buffer))
        .ok_or(Error::Overflow)?;
    let discounted = mul_ppm_ceil(equity, discount).ok_or(Error::Overflow)?;
    // discounted <= equity < requirement <= target, so both are positive and the quotient is at most one.
    let missing = target.checked_sub(equity).ok_or(Error::Overflow)?;
    let relief = target.checked_sub(discounted).ok_or(Error::Overflow)?;
    mul_div_ceil(missing, Fraction::ONE.raw(), relief).map(Fraction::from_raw).ok_or(Error::Overflow)
}

/// What the liquidator pays for `fraction` of an account: `ceil(f ceil(E (1 - d)))`, in the account's favour.
///
/// # Errors
///
/// [`Error::AccountInsolvent`] for an equity of zero or below, [`Error::FractionInvalid`] above one,
/// [`Error::DiscountInvalid`] above [`MAX_DISCOUNT`].
pub fn payment(fraction: Fraction, equity: Quote, discount: Ppm) -> Result<Quote, Error> {
    if !equity.is_positive() {
        return Err(Error::AccountInsolvent);
    }
    if discount > MAX_DISCOUNT {
        return Err(Error::DiscountInvalid);
    }
    let equity = equity.unsigned_abs();
    // ceil(E - d E) = E - floor(d E), and floor(d E) <= E.
    let discounted = mul_ppm_floor(equity, discount).and_then(|off| equity.checked_sub(off)).ok_or(Error::Overflow)?;
    let paid = pro_rata_ceil(discounted, fraction)?;
    positive(paid).map(Quote::from_raw).ok_or(Error::Overflow)
}

/// `floor(amount f)`: what changes hands of an amount. The account keeps `amount` less that, so sums are conserved.
///
/// # Errors
///
/// [`Error::FractionInvalid`] above one.
#[inline]
pub fn pro_rata_floor(amount: u64, fraction: Fraction) -> Result<u64, Error> {
    split(amount, fraction).map(|(floor, _)| floor)
}

/// `ceil(amount f)`.
///
/// # Errors
///
/// [`Error::FractionInvalid`] above one.
#[inline]
pub fn pro_rata_ceil(amount: u64, fraction: Fraction) -> Result<u64, Error> {
    // Below the amount when not exact, so one more fits.
    split(amount, fraction).map(|(floor, exact)| floor.wrapping_add(u64::from(!exact)))
}

/// `amount f`, rounded toward zero: what changes hands of a signed balance, position or cash.
///
/// # Errors
///
/// [`Error::FractionInvalid`] above one.
#[inline]
pub fn pro_rata_signed(amount: i64, fraction: Fraction) -> Result<i64, Error> {
    let part = pro_rata_floor(amount.unsigned_abs(), fraction)?.cast_signed();
    // The part is at most the magnitude. Only that of i64::MIN, all of it, is i64::MIN as a signed number already, and
    // stays so.
    Ok(if amount < 0 { part.wrapping_neg() } else { part })
}

/// `floor(amount f)` and whether it is exact.
///
/// With `amount = h 2^32 + l`: `amount f / 2^32 = h f + l f / 2^32`. As `f <= 2^32` and `h, l < 2^32`, `h f` and `l f`
/// fit a word, and the sum is at most `amount`.
#[inline(always)]
fn split(amount: u64, fraction: Fraction) -> Result<(u64, bool), Error> {
    if fraction > Fraction::ONE {
        return Err(Error::FractionInvalid);
    }
    let f = fraction.raw();
    let low = (amount & 0xFFFF_FFFF).wrapping_mul(f);
    let high = (amount >> 32).wrapping_mul(f);
    Ok((high.wrapping_add(low >> 32), low << 32 == 0))
}
