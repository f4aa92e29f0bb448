//! What a liquidator takes over, what it pays, and what it is paid for an account that has nothing left.
//!
//! Below its maintenance line (`E < R`, both towards maint) a fraction `f` of the *whole* portfolio changes hands:
//! every balance and position pro rata, so hedges stay hedged. An auction decides for how much: its rate rises with
//! time.
//!
//! # Solvent: the reward is a part of the requirement taken over
//!
//! With `d` the discount of the auction, the taker pays `f (E - reward)` in quote for what is worth `f E`:
//!
//! ```text
//! reward = min(d R, E)                      never more than there is: below d R the payment is zero
//! E' = (1 - f) E + f (E - reward) = E - f reward
//! R' = (1 - f) R                            R is positively homogeneous, cash carries no risk   (INV-8)
//! ```
//!
//! The account is to end a buffer `b` above its line, `E' >= (1 + b) R'`. With `T = R (1 + b)`:
//!
//! ```text
//! E - f reward >= T - f T   <=>   f (T - reward) >= T - E   <=>   f >= (T - E) / (T - reward)
//! ```
//!
//! as `T >= R > E >= reward`: the quotient is above 0 and at most 1. For `E >= d R` it is
//! `((1 + b) R - E) / ((1 + b - d) R)`; for `E <= d R` it is one: everything for a payment of zero, which leaves no
//! risk. With `e = E / R` it is `(1 + b - e) / (1 + b - d)`: it falls with `e` and rises with `d` and `b` (the
//! derivative by `b` is `(e - d) / (1 + b - d)^2`). So it falls with `E` and rises with `R`.
//!
//! # The ratio never worsens (INV-6)
//!
//! ```text
//! E' / R' - E / R = ((E - f reward) - (1 - f) E) / ((1 - f) R) = f (E - reward) / ((1 - f) R) >= 0     for any f < 1
//! ```
//!
//! and `E' >= (1 - f) E > 0`: no taking, however it is cut, makes an account insolvent. At `f = 1` nothing is left at
//! risk.
//!
//! # Nobody gains by splitting
//!
//! The taker's gain is `f reward`. Two numbers decide everything below, and taking a part `x` at the discount `d` does
//! not change them but for the size of what is left:
//!
//! ```text
//! E >= d R:   E' - d R' = E - x d R - d (1 - x) R = E - d R      so it stays there, and reward' = d R' = (1 - x) d R
//! E <  d R:   E' = (1 - x) E,  R' = (1 - x) R                    so it stays there, and reward' = E'   = (1 - x) E
//! ```
//!
//! In both `reward' = (1 - x) reward`. Parts `x` and `y` after it gain `x reward + y (1 - x) reward = z reward` with
//! `z = 1 - (1 - x)(1 - y)`, the part of the account that they take together: what one taking of `z` gains. By
//! induction the same holds for any number of parts, by any number of takers. Nor is there more to take:
//!
//! ```text
//! 1 + b - e' = ((1 + b)(1 - x) - e + x d) / (1 - x)     so     f' = (f - x) / (1 - x),   1 - (1 - x)(1 - f') = f
//! ```
//!
//! and less where a part leaves the account above its line but below its buffer, as there it ends. And
//! [dust](LiquidationParameters::dust) is measured by `E - reward`, which a part leaves as it is (or at zero), and not
//! by `E`, which parts could bring below any threshold.
//!
//! *With time.* For a part `x` at `d_1` and the rest up to the buffer at `d_2 >= d_1`, the sum of the gains falls with
//! `x` by `R (1 + b)(d_2 - d_1) / (1 + b - d_2)`: a part taken early gains less than it would later, and makes the rest
//! smaller. Waiting gains more, and is open to everyone: that is the auction.
//!
//! # Rounding
//!
//! Everything is rounded against the taker and for the account:
//!
//! | what | rounded |
//! |---|---|
//! | reward | down, and the same integer is in the payment and in `f`, so that `f` is right for what is really paid |
//! | `T` | up: raises `f`, as its derivative by `T` is `(E - reward) / (T - reward)^2 >= 0` |
//! | `f` | up to the next 2^-32, by less than 2^-32 and `1 / (T - reward)` in all |
//! | payment | up |
//! | balances, positions, lots, cash | toward minus infinity: less of what is held, more of what is owed |
//!
//! So the account is left with what the formula says and, on top, a bundle of less than one native unit of each asset,
//! liability, size and series. `E'` is never below the formula, but for the unit per underlying that valuing it rounds
//! down; `R'` is above it by no more than what that bundle requires and a few units for the roundings of a margin.
//!
//! Of an amount `a`, positive or negative, parts `x` and `y` move `a - ceil((1 - y) ceil((1 - x) a)) <= floor(z a)`:
//! never more than one taking of `z`. So takers gain at most `z reward` however they split it. What may be above are
//! quote native units, for each part less than `m + d (4 m + 8)` with `m` underlyings: by those the margin between two
//! parts rounds equity down and the requirement up. Below, each taking, the single one too, loses up to the bundle.
//!
//! *Lots* of options are rounded the same way, but a lot is not a cent. Of 3 lots long and 3 short, `f = 0.5` takes 1
//! and 2: the account keeps longs and loses shorts, so its equity is above the formula by the value of less than one
//! lot of each series, and its requirement above it by what long lots require, and the grid takes no more from those
//! than their value. The other direction would leave shorts without their hedge. The taker bears it and sees it
//! beforehand, in the client's numbers: a lot is to be small against a position, and who finds it large takes more at
//! once.
//!
//! # Insolvent: the insurance fund pays
//!
//! With `E <= 0` a taker who takes over `f` of everything, liabilities net, is *paid* by the insurance fund:
//!
//! ```text
//! due = -E + reward(t) R          payout = floor(f due)
//! ```
//!
//! with a reward that rises over its own duration. After a part `x`: `due' = -E' + reward R' = (1 - x) due`, so parts
//! `x` and `y` are paid `x due + y (1 - x) due = z due`: path-independent again, each rounded down; a part taken at a
//! lower reward is paid less than it would be later. To the unit: `payout + ceil((1 - f) due) = due`.
//!
//! The fund pays at most what it has: [`insolvent_fraction`] is the largest `f` with `f due <= available`, so no payout
//! up to it is above `available`. What is then not taken over is owed by the next step of the waterfall: [`shortfall`],
//! `due - payout`, so payout and shortfall add up to what was due, exactly.
//!
//! # Nobody gains by letting an account sink through zero
//!
//! What the whole of an account gains its taker, when either auction starts and while it runs:
//!
//! ```text
//!   E >= d R        0 < E < d R        E <= 0
//!     d R               E           reward(t) R
//! ```
//!
//! For `reward_min = 0` this is continuous at `E = 0`, zero from both sides, and before zero it only falls as `E`
//! falls: who could have taken an account and lets it sink through zero has nothing for it then (at most
//! `reward_min R`). What waiting brings after that it brings to everyone: where takers compete and `c R` is the least
//! for which any of them carries the risk, the account is taken at `reward(t) = c` as it would have been at
//! `min(d R, E) = c R` before, for the same gain. (Where there is but one taker, waiting is worth it on either side; a
//! `reward_max` of at most `discount_max` keeps the insolvent side from being the better one.) No taking pushes an
//! account there (`E' > 0`, above), and an owner who takes his own insolvent account through another gains that same
//! `c R`, for a risk that others carry for it too.
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, positive};
use crate::units::{Fraction, Ppm, Quote, Seconds};

/// Largest discount of an auction: 50 %.
pub const MAX_DISCOUNT: Ppm = Ppm::from_raw(500_000);
/// Largest reward for taking over an insolvent account: 50 %.
pub const MAX_REWARD: Ppm = Ppm::from_raw(500_000);
/// Longest auction: one day.
pub const MAX_DURATION: Seconds = Seconds::from_raw(86_400);

/// What the exchange configures for liquidations of solvent accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LiquidationParameters {
    /// How far above its line the account is brought, as a part of its requirement; at most one.
    pub buffer: Ppm,
    /// Discount when the auction starts, as a part of the requirement taken over.
    pub discount_min: Ppm,
    /// Discount when the auction has run for `duration`, and after; at most [`MAX_DISCOUNT`].
    pub discount_max: Ppm,
    /// How long the discount takes to rise; at most [`MAX_DURATION`]. Zero starts at the largest.
    pub duration: Seconds,
    /// The whole account is taken over when the payment for it, `E - reward`, would be less than this; quote native.
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

/// What the exchange configures for accounts that have nothing left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct InsolvencyParameters {
    /// Reward when the insolvency starts, as a part of the requirement taken over. Above zero it is what a taker may
    /// gain by an account's sinking through zero.
    pub reward_min: Ppm,
    /// Reward when the insolvency has lasted for `duration`, and after; at most [`MAX_REWARD`]. Better not above
    /// [`LiquidationParameters::discount_max`]: a lone taker would wait for it.
    pub reward_max: Ppm,
    /// How long the reward takes to rise; at most [`MAX_DURATION`]. Zero starts at the largest.
    pub duration: Seconds,
}

impl InsolvencyParameters {
    /// Checks the parameters as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::RewardInvalid`], [`Error::DurationInvalid`].
    pub const fn validate(&self) -> Result<(), Error> {
        if self.reward_min.raw() > self.reward_max.raw() || self.reward_max.raw() > MAX_REWARD.raw() {
            return Err(Error::RewardInvalid);
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
    rising(parameters.discount_min, parameters.discount_max, parameters.duration, elapsed)
}

/// Reward after `elapsed` of the insolvency, as [`discount`].
pub fn insolvent_reward(parameters: &InsolvencyParameters, elapsed: Seconds) -> Ppm {
    rising(parameters.reward_min, parameters.reward_max, parameters.duration, elapsed)
}

/// The line from `min` to `max`, rounded down.
#[inline(always)]
fn rising(min: Ppm, max: Ppm, duration: Seconds, elapsed: Seconds) -> Ppm {
    let duration = duration.raw().max(0).unsigned_abs();
    let elapsed = elapsed.raw().max(0).unsigned_abs();
    if elapsed >= duration {
        return max;
    }
    let span = max.raw().saturating_sub(min.raw());
    // elapsed < duration: the quotient is at most the span, so neither step fails.
    let rise = mul_div_floor(u64::from(span), elapsed, duration).and_then(|rise| u32::try_from(rise).ok()).unwrap_or(0);
    Ppm::from_raw(min.raw().saturating_add(rise))
}

/// A solvent account below its line, as magnitudes: `0 < reward + rest = equity < requirement`.
struct Solvent {
    equity: u64,
    requirement: u64,
    /// `min(floor(d R), E)`.
    reward: u64,
    /// What the whole account is paid for: `E - reward`.
    rest: u64,
}

impl Solvent {
    #[inline(always)]
    fn new(equity: Quote, requirement_maint: Quote, discount: Ppm) -> Result<Self, Error> {
        if !equity.is_positive() {
            return Err(Error::AccountInsolvent);
        }
        if equity >= requirement_maint {
            return Err(Error::NotLiquidatable);
        }
        if discount > MAX_DISCOUNT {
            return Err(Error::DiscountInvalid);
        }
        let (equity, requirement) = (equity.unsigned_abs(), requirement_maint.unsigned_abs());
        let reward = mul_ppm_floor(requirement, discount).ok_or(Error::Overflow)?.min(equity);
        // reward <= equity.
        Ok(Self { equity, requirement, reward, rest: equity.wrapping_sub(reward) })
    }
}

/// What the taker of a whole solvent account gains: `min(floor(d R), E)`. Of a fraction it gains that fraction.
///
/// # Errors
///
/// [`Error::AccountInsolvent`] for an equity of zero or below, [`Error::NotLiquidatable`] at or above the line,
/// [`Error::DiscountInvalid`] for a discount above [`MAX_DISCOUNT`].
pub fn reward(equity: Quote, requirement_maint: Quote, discount: Ppm) -> Result<Quote, Error> {
    let account = Solvent::new(equity, requirement_maint, discount)?;
    positive(account.reward).map(Quote::from_raw).ok_or(Error::Overflow)
}

/// The part of a solvent account that a liquidator takes over, rounded up. Derived on the module's page.
///
/// One when the payment for the whole account would be zero, or below `dust`.
///
/// # Errors
///
/// Those of [`reward`], and [`Error::Overflow`] when `R (1 + b)` does not fit.
pub fn fraction(
    equity: Quote,
    requirement_maint: Quote,
    discount: Ppm,
    parameters: &LiquidationParameters,
) -> Result<Fraction, Error> {
    let account = Solvent::new(equity, requirement_maint, discount)?;
    if account.rest == 0 || account.rest < parameters.dust {
        return Ok(Fraction::ONE);
    }
    let target = mul_ppm_ceil(account.requirement, parameters.buffer)
        .and_then(|buffer| account.requirement.checked_add(buffer))
        .ok_or(Error::Overflow)?;
    // reward <= equity < requirement <= target: both are positive, and the quotient is at most one.
    let missing = target.wrapping_sub(account.equity);
    let relief = target.wrapping_sub(account.reward);
    mul_div_ceil(missing, Fraction::ONE.raw(), relief).map(Fraction::from_raw).ok_or(Error::Overflow)
}

/// What the liquidator pays for `fraction` of a solvent account: `ceil(f (E - reward))`, in the account's favour.
///
/// # Errors
///
/// Those of [`reward`], and [`Error::FractionInvalid`] above one.
pub fn payment(fraction: Fraction, equity: Quote, requirement_maint: Quote, discount: Ppm) -> Result<Quote, Error> {
    let account = Solvent::new(equity, requirement_maint, discount)?;
    let paid = pro_rata_ceil(account.rest, fraction)?;
    positive(paid).map(Quote::from_raw).ok_or(Error::Overflow)
}

/// What is due to the taker of a whole insolvent account: `-E + floor(reward R)`, quote native. A requirement is never
/// below zero; one that is counts as zero.
///
/// # Errors
///
/// [`Error::AccountSolvent`] for an equity above zero, [`Error::NotLiquidatable`] at or above the line (no equity and
/// no requirement), [`Error::RewardInvalid`] for a reward above [`MAX_REWARD`].
pub fn insolvent_due(equity: Quote, requirement_maint: Quote, reward: Ppm) -> Result<u64, Error> {
    if equity.is_positive() {
        return Err(Error::AccountSolvent);
    }
    if equity >= requirement_maint {
        return Err(Error::NotLiquidatable);
    }
    if reward > MAX_REWARD {
        return Err(Error::RewardInvalid);
    }
    let requirement = requirement_maint.raw().max(0).unsigned_abs();
    let reward = mul_ppm_floor(requirement, reward).ok_or(Error::Overflow)?;
    // At most 2^63 + 2^62.
    Ok(equity.unsigned_abs().wrapping_add(reward))
}

/// What the insurance fund pays for `fraction` of an insolvent account: `floor(f due)`, in the fund's favour, quote
/// native. At most `fund_available` for every fraction up to [`insolvent_fraction`].
///
/// # Errors
///
/// Those of [`insolvent_due`], and [`Error::FractionInvalid`] above one.
pub fn insolvent_payout(
    fraction: Fraction,
    equity: Quote,
    requirement_maint: Quote,
    reward: Ppm,
) -> Result<u64, Error> {
    pro_rata_floor(insolvent_due(equity, requirement_maint, reward)?, fraction)
}

/// The largest fraction of an insolvent account for which the fund can pay in full, `f due <= fund_available`, rounded
/// down; one when it can pay for everything. `fund_available` is quote native.
///
/// # Errors
///
/// Those of [`insolvent_due`].
pub fn insolvent_fraction(
    equity: Quote,
    requirement_maint: Quote,
    reward: Ppm,
    fund_available: u64,
) -> Result<Fraction, Error> {
    affordable(insolvent_due(equity, requirement_maint, reward)?, fund_available)
}

/// What the next step of the waterfall owes when the fund has paid for [`insolvent_fraction`]: `due - payout`, zero
/// when it could pay for everything. Quote native.
///
/// What the fund keeps of `fund_available`, less than one unit and `due 2^-32`, pays for no 2^-32 of the account.
///
/// # Errors
///
/// Those of [`insolvent_due`].
pub fn shortfall(equity: Quote, requirement_maint: Quote, reward: Ppm, fund_available: u64) -> Result<u64, Error> {
    let due = insolvent_due(equity, requirement_maint, reward)?;
    let paid = pro_rata_floor(due, affordable(due, fund_available)?)?;
    // A fraction of it is at most the whole.
    Ok(due.wrapping_sub(paid))
}

/// The largest `f` with `f due <= available`.
#[inline(always)]
fn affordable(due: u64, available: u64) -> Result<Fraction, Error> {
    if due <= available {
        return Ok(Fraction::ONE);
    }
    // available < due: below one.
    mul_div_floor(available, Fraction::ONE.raw(), due).map(Fraction::from_raw).ok_or(Error::Overflow)
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

/// `floor(amount f)`, toward minus infinity: what changes hands of a signed balance, position, number of lots or cash.
/// Less of what is held, more of what is owed: against the taker. Its sign is never the opposite of the amount's, and
/// it is never more than the amount.
///
/// With `amount = h 2^32 + l`, `h` the signed upper half and `0 <= l < 2^32`: `h f` is an integer, so the floor of the
/// sum is `h f + floor(l f / 2^32)`, for either sign. `-2^31 <= h` and `f <= 2^32`: both products fit.
///
/// # Errors
///
/// [`Error::FractionInvalid`] above one.
#[inline]
pub fn pro_rata_signed(amount: i64, fraction: Fraction) -> Result<i64, Error> {
    if fraction > Fraction::ONE {
        return Err(Error::FractionInvalid);
    }
    let f = fraction.raw();
    let low = (amount.cast_unsigned() & 0xFFFF_FFFF).wrapping_mul(f) >> 32;
    let high = (amount >> 32).wrapping_mul(f.cast_signed());
    Ok(high.wrapping_add(low.cast_signed()))
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
