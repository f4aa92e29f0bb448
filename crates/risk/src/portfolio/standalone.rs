//! Requirements of positions that stand alone.
use super::general::worst;
use super::margin::{margin, sum};
use super::{MAX_EXTREME_DAMPING, MAX_RANGE, MAX_VALUE, Margin, Portfolio, RiskParameters};
use crate::Error;
use crate::grid::linear;
use crate::math::{mul_ppm_ceil, positive};
use crate::options::{OptionRisk, SCENARIOS};
use crate::units::{Base, Ppm, Price, Quote};

/// The loss that one market's whole exposure could make alone, `L_u` rounded up, quote native: what the house's
/// inventory is held to.
///
/// # Errors
///
/// [`Error::RangeTooLarge`], [`Error::Overflow`].
pub fn standalone_loss(exposure: Base, spot: Price, range: Ppm) -> Result<u64, Error> {
    if range > MAX_RANGE {
        return Err(Error::RangeTooLarge);
    }
    spot.magnitude_ceil(exposure).and_then(|value| mul_ppm_ceil(value, range)).ok_or(Error::Overflow)
}

/// [`standalone_loss`] of an inventory with options: `max(0, short minimum, max_k -(lin_k(a_u) + gain(k)))`, the `L_u` of
/// an account that holds nothing else.
///
/// `gains` are those of the options in each scenario, extreme moves damped already, `short_minimum` their minimum, both
/// quote native; `exposure` includes the forwards of the puts.
///
/// # Errors
///
/// [`Error::RangeTooLarge`]; [`Error::ExtremeDampingInvalid`]; [`Error::Overflow`] for a shock, a gain or a minimum above
/// [`MAX_VALUE`].
pub fn standalone_loss_with_options(
    exposure: Base,
    spot: Price,
    range: Ppm,
    gains: &[i64; SCENARIOS],
    short_minimum: u64,
    extreme_damping: Ppm,
) -> Result<u64, Error> {
    if extreme_damping > MAX_EXTREME_DAMPING {
        return Err(Error::ExtremeDampingInvalid);
    }
    let shock = standalone_loss(exposure, spot, range)?;
    let largest = gains.iter().fold(shock.max(short_minimum), |largest, gain| largest.max(gain.unsigned_abs()));
    if largest > MAX_VALUE {
        return Err(Error::Overflow);
    }
    let shock = shock.cast_signed();
    let mut total = linear(if exposure.is_negative() { shock.wrapping_neg() } else { shock }, extreme_damping);
    for (total, gain) in total.iter_mut().zip(gains) {
        // Both within MAX_VALUE.
        *total = total.wrapping_add(*gain);
    }
    Ok(worst(&total).loss.max(short_minimum))
}

/// What an account's positions would require if each stood in an account of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standalone {
    /// Sum of the requirements towards init.
    pub requirement_init: Quote,
    /// Sum of the requirements towards maint.
    pub requirement_maint: Quote,
    /// What netting saves towards init: the sum less what the whole requires.
    pub saving_init: Quote,
    /// What netting saves towards maint: the sum less what the whole requires.
    pub saving_maint: Quote,
}

/// What the parts of an account would require alone, and what the `whole` saves against that.
///
/// The caller cuts the account up, one part for each balance and position (each with its own small portfolio and at most
/// one [`OptionRisk`]), and only the caller can: a [`Portfolio`] holds sums by underlying, in which a deposit and a short
/// perpetual have already met. [`super::report`] counts each *underlying* as a part, so that a hedge inside one is no
/// saving there; this function counts that too.
///
/// With every price fresh the savings are at least minus two units for each part, by subadditivity up to rounding.
///
/// # Errors
///
/// As [`margin`]; [`Error::Overflow`] when a sum does not fit.
pub fn standalone<'a>(
    whole: &Margin,
    parts: impl IntoIterator<Item = (&'a Portfolio, &'a [OptionRisk])>,
    parameters: &RiskParameters,
) -> Result<Standalone, Error> {
    let (mut init, mut maint) = (0_u64, 0_u64);
    for (portfolio, options) in parts {
        let alone = margin(portfolio, options, parameters)?;
        init = sum(init, alone.requirement_init.unsigned_abs())?;
        maint = sum(maint, alone.requirement_maint.unsigned_abs())?;
    }
    let signed = |amount| positive(amount).map(Quote::from_raw).ok_or(Error::Overflow);
    let (requirement_init, requirement_maint) = (signed(init)?, signed(maint)?);
    Ok(Standalone {
        requirement_init,
        requirement_maint,
        saving_init: requirement_init.checked_sub(whole.requirement_init).ok_or(Error::Overflow)?,
        saving_maint: requirement_maint.checked_sub(whole.requirement_maint).ok_or(Error::Overflow)?,
    })
}
