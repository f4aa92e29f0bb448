//! Interest: a kinked rate on utilisation, accrued by two indexes, and the four conversions between shares and amounts.
//!
//! A deposit or a borrow is a number of shares; an index says what one share is worth now. With `D` deposit shares, `B`
//! borrow shares, indexes `d` and `b`, vault `v` and reserve `r` (the exchange's part, still in the vault), the books
//! of a bank hold as long as, in real numbers,
//!
//! ```text
//! v + B b >= D d + r                                                                       (INV-1)
//! ```
//!
//! which implies the form with rounded totals, `v + ceil(B b) >= floor(D d) + r`. Every operation keeps it:
//!
//! | operation | shares | left side | right side |
//! |---|---|---|---|
//! | deposit `a` | `floor(a / d)` minted | `+ a` | `+ floor(a / d) d <= a` |
//! | withdraw `a` | `ceil(a / d)` burnt | `- a` | `- ceil(a / d) d <= -a` |
//! | withdraw all `s` shares | `s` burnt | `- floor(s d)` | `- s d` |
//! | borrow `a` | `ceil(a / b)` minted | `- a + ceil(a / b) b >= 0` | `0` |
//! | repay `a` | `floor(a / b)` burnt | `+ a - floor(a / b) b >= 0` | `0` |
//! | repay all `s` shares | `s` burnt | `+ ceil(s b) - s b >= 0` | `0` |
//! | accrue | none | `+ B (b' - b)` | the same or less: [`accrue`] |
//! | a loss | none | `0` | `- D cut + floor(D cut) <= 0`: [`crate::waterfall::write_off`] |
//!
//! What rounding leaves over in one step is less than one share and one unit; it stays in the vault, owned by nobody.
use crate::Error;
use crate::math::{div_wide, mul_div_ceil_by, mul_div_floor, mul_ppm_floor, mul_shift_ceil, mul_shift_floor, mul_wide};
use crate::units::{Index, Ppm, Q48};
use crate::waterfall::MIN_DEPOSIT_INDEX;

/// Seconds of the year that rates are per: 365 days.
pub const SECONDS_PER_YEAR: u64 = 31_536_000;
/// No rate is above this: 1,000 % per year.
pub const MAX_RATE: Ppm = Ppm::from_raw(10_000_000);

/// Seconds of a year, in millionths of a second: the divisor of (rate in ppm per year) x (seconds).
const PPM_SECONDS_PER_YEAR: u64 = 31_536_000_000_000;

/// A kinked rate: linear from base to optimal up to the optimal utilisation, then linear from optimal to max.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RateModel {
    /// Utilisation at the kink, above 0 and at most one.
    pub optimal_utilisation: Ppm,
    /// Rate per year at utilisation 0.
    pub base_rate: Ppm,
    /// Rate per year at the kink.
    pub optimal_rate: Ppm,
    /// Rate per year at utilisation 1.
    pub max_rate: Ppm,
    /// The exchange's part of the interest.
    pub reserve_factor: Ppm,
}

impl RateModel {
    /// Checks the model as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::OptimalUtilisationInvalid`], [`Error::RatesNotOrdered`], [`Error::RateTooHigh`] (above [`MAX_RATE`]),
    /// [`Error::ReserveFactorInvalid`].
    pub const fn validate(&self) -> Result<(), Error> {
        if self.optimal_utilisation.is_zero() || self.optimal_utilisation.raw() > Ppm::ONE.raw() {
            return Err(Error::OptimalUtilisationInvalid);
        }
        if self.base_rate.raw() > self.optimal_rate.raw() || self.optimal_rate.raw() > self.max_rate.raw() {
            return Err(Error::RatesNotOrdered);
        }
        if self.max_rate.raw() > MAX_RATE.raw() {
            return Err(Error::RateTooHigh);
        }
        if self.reserve_factor.raw() > Ppm::ONE.raw() {
            return Err(Error::ReserveFactorInvalid);
        }
        Ok(())
    }

    /// Rate per year at a utilisation, rounded up. Utilisation above one counts as one.
    ///
    /// Below the kink `base + (optimal - base) u / u_opt`; above `optimal + (max - optimal) (u - u_opt) / (1 - u_opt)`.
    /// Never falls as utilisation rises; for a model that [`Self::validate`] refuses the value is meaningless.
    pub fn rate(&self, utilisation: Ppm) -> Ppm {
        let utilisation = utilisation.raw().min(Ppm::ONE.raw());
        let kink = self.optimal_utilisation.raw();
        let (from, to, run, width) = if utilisation <= kink {
            (self.base_rate, self.optimal_rate, utilisation, kink)
        } else {
            // kink < utilisation <= 1, so neither difference wraps and the width is not zero.
            (self.optimal_rate, self.max_rate, utilisation.wrapping_sub(kink), Ppm::ONE.raw().saturating_sub(kink))
        };
        // Two 32-bit numbers: the product fits. A zero width is the refused model with kink and utilisation both zero.
        let rise = u64::from(to.raw().saturating_sub(from.raw()))
            .wrapping_mul(u64::from(run))
            .div_ceil(u64::from(width).max(1));
        // rise <= to - from as run <= width, so it fits and so does the sum.
        Ppm::from_raw(u32::try_from(rise).unwrap_or(u32::MAX).saturating_add(from.raw()))
    }
}

/// Borrows over deposits, rounded down; one when borrows reach deposits, also when there are no deposits; zero without
/// borrows. Between 0 and [`Ppm::ONE`].
pub fn utilisation(deposits: u64, borrows: u64) -> Ppm {
    if borrows >= deposits {
        return if borrows == 0 { Ppm::ZERO } else { Ppm::ONE };
    }
    // borrows < deposits: the quotient is below 10^6, so both steps succeed.
    mul_div_floor(borrows, Ppm::ONE.wide(), deposits)
        .and_then(|raw| u32::try_from(raw).ok())
        .map_or(Ppm::ONE, Ppm::from_raw)
}

/// What an accrual changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// Deposit index after.
    pub deposit_index: Index,
    /// Borrow index after.
    pub borrow_index: Index,
    /// What the exchange's reserve gains, native units.
    pub reserve_delta: u64,
}

/// Accrues interest over `elapsed_seconds`, linear within one accrual.
///
/// ```text
/// u   = utilisation(floor(D d), ceil(B b))
/// db  = ceil(b rate(u) elapsed / year)                           what borrowers owe more, per share
/// db' = floor(db (1 - reserve_factor))                           the depositors' part of it
/// dd  = floor(db' B / D)           while B b <= D d              spread over deposit shares
/// dd  = floor(db' d / b)           while B b >  D d > 0          deposits never grow faster than borrows
/// reserve_delta = floor((B db - D dd) / 2^48)
/// ```
///
/// **INV-1.** `D dd + reserve_delta 2^48 <= B db` by the definition of `reserve_delta`, so the accrual adds to claims no
/// more than to what borrowers owe. `reserve_delta` is never negative: in the first case `D dd <= db' B <= db B`; in
/// the second `D dd <= D d db' / b < B db'`. The part of a unit that the last floor drops stays in the vault, owned by
/// nobody.
///
/// The second case (the reserve is lent out, or deposits are dust) caps the index: one deposited unit beside a large
/// loan out of the reserve would otherwise multiply its index without limit.
///
/// # Errors
///
/// [`Error::IndexInvalid`] when the deposit index is below [`MIN_DEPOSIT_INDEX`] or the borrow index below one,
/// [`Error::IndexOverflow`] when one would pass the word,
/// [`Error::Overflow`] when a total or the interest does not fit 64 bits.
pub fn accrue(
    model: &RateModel,
    deposit_index: Index,
    borrow_index: Index,
    deposit_shares: u64,
    borrow_shares: u64,
    elapsed_seconds: u64,
) -> Result<Accrual, Error> {
    if deposit_index < MIN_DEPOSIT_INDEX || borrow_index < Index::ONE {
        return Err(Error::IndexInvalid);
    }
    let unchanged = Accrual { deposit_index, borrow_index, reserve_delta: 0 };
    if elapsed_seconds == 0 || borrow_shares == 0 {
        return Ok(unchanged);
    }
    let deposits = deposit_amount(deposit_shares, deposit_index)?;
    let borrows = borrow_amount(borrow_shares, borrow_index)?;
    let rate = model.rate(utilisation(deposits, borrows));
    let growth = u64::from(rate.raw()).checked_mul(elapsed_seconds).ok_or(Error::IndexOverflow)?;
    let borrow_rise =
        mul_div_ceil_by::<PPM_SECONDS_PER_YEAR>(borrow_index.raw(), growth).ok_or(Error::IndexOverflow)?;
    let depositors_part = model
        .reserve_factor
        .complement()
        .and_then(|part| mul_ppm_floor(borrow_rise, part))
        .ok_or(Error::ReserveFactorInvalid)?;
    let deposit_rise = if deposit_shares == 0 {
        0
    } else if mul_wide(borrow_shares, borrow_index.raw()) <= mul_wide(deposit_shares, deposit_index.raw()) {
        mul_div_floor(depositors_part, borrow_shares, deposit_shares).ok_or(Error::IndexOverflow)?
    } else {
        mul_div_floor(depositors_part, deposit_index.raw(), borrow_index.raw()).ok_or(Error::IndexOverflow)?
    };
    Ok(Accrual {
        deposit_index: raised(deposit_index, deposit_rise)?,
        borrow_index: raised(borrow_index, borrow_rise)?,
        reserve_delta: remainder(borrow_shares, borrow_rise, deposit_shares, deposit_rise)?,
    })
}

/// An index after its rise.
fn raised(index: Index, rise: u64) -> Result<Index, Error> {
    index.checked_add(Index::from_raw(rise)).ok_or(Error::IndexOverflow)
}

/// `floor((B db - D dd) / 2^48)`.
fn remainder(borrow_shares: u64, borrow_rise: u64, deposit_shares: u64, deposit_rise: u64) -> Result<u64, Error> {
    let (paid_high, paid_low) = mul_wide(borrow_shares, borrow_rise);
    let (given_high, given_low) = mul_wide(deposit_shares, deposit_rise);
    let (low, borrow) = paid_low.overflowing_sub(given_low);
    let high = paid_high
        .checked_sub(given_high)
        .and_then(|high| high.checked_sub(u64::from(borrow)))
        .ok_or(Error::Overflow)?;
    if high >> Q48 != 0 {
        return Err(Error::Overflow);
    }
    Ok((high << 16) | (low >> Q48))
}

/// Shares that a deposit of `amount` mints: down, in the bank's favour.
///
/// # Errors
///
/// [`Error::Overflow`] when the shares do not fit (an index below one), also for an index of zero.
#[inline]
pub fn shares_for_deposit(amount: u64, index: Index) -> Result<u64, Error> {
    shares_floor(amount, index)
}

/// Shares that a borrow of `amount` mints: up, in the bank's favour.
///
/// # Errors
///
/// [`Error::Overflow`] as in [`shares_for_deposit`].
#[inline]
pub fn shares_for_borrow(amount: u64, index: Index) -> Result<u64, Error> {
    shares_ceil(amount, index)
}

/// Shares that a withdrawal of `amount` burns: up, in the bank's favour.
///
/// # Errors
///
/// [`Error::Overflow`] as in [`shares_for_deposit`].
#[inline]
pub fn shares_to_burn_for_withdraw(amount: u64, index: Index) -> Result<u64, Error> {
    shares_ceil(amount, index)
}

/// Shares that a repayment of `amount` burns: down, in the bank's favour. A repayment of all of a balance's
/// [`borrow_amount`] burns all of its shares instead.
///
/// # Errors
///
/// [`Error::Overflow`] as in [`shares_for_deposit`].
#[inline]
pub fn shares_to_repay(amount: u64, index: Index) -> Result<u64, Error> {
    shares_floor(amount, index)
}

/// What deposit shares are worth: down, an asset.
///
/// # Errors
///
/// [`Error::Overflow`] when the amount does not fit a `u64`.
#[inline(always)]
pub fn deposit_amount(shares: u64, index: Index) -> Result<u64, Error> {
    mul_shift_floor(shares, index.raw(), Q48).ok_or(Error::Overflow)
}

/// What borrow shares owe: up, a liability.
///
/// # Errors
///
/// [`Error::Overflow`] when the amount does not fit a `u64`.
#[inline(always)]
pub fn borrow_amount(shares: u64, index: Index) -> Result<u64, Error> {
    mul_shift_ceil(shares, index.raw(), Q48).ok_or(Error::Overflow)
}

/// `floor(amount / index)`.
fn shares_floor(amount: u64, index: Index) -> Result<u64, Error> {
    let (shares, _) = shares_and_rest(amount, index)?;
    Ok(shares)
}

/// `ceil(amount / index)`.
fn shares_ceil(amount: u64, index: Index) -> Result<u64, Error> {
    match shares_and_rest(amount, index)? {
        (shares, 0) => Ok(shares),
        (shares, _) => shares.checked_add(1).ok_or(Error::Overflow),
    }
}

/// `amount 2^48 / index`: quotient and remainder.
#[inline(always)]
fn shares_and_rest(amount: u64, index: Index) -> Result<(u64, u64), Error> {
    div_wide(amount >> 16, amount << Q48, index.raw()).ok_or(Error::Overflow)
}
