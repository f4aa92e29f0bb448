//! One underlying at its last price: value, shock, and the oracle's doubt.
use super::{MAX_CONFIDENCE_MULTIPLIER, MAX_RANGE, MAX_VALUE, Underlying};
use crate::Error;
use crate::math::{Factor, floor_from_ceil, mul_ppm_ceil_bounded};
use crate::options::OptionRisk;
use crate::units::{Base, Ppm, Price, Quote};

/// One underlying at its last price. Every magnitude is at most [`MAX_VALUE`].
#[derive(Clone, Copy, Default)]
pub(super) struct Valued {
    /// `V_u`, the marks of options included.
    pub value: i64,
    /// `ceil(|D_u| spot)`.
    pub gross: u64,
    /// `L_u` at the range towards init, `|a_u|`, of an underlying without options.
    pub loss: u64,
    /// `C_u`.
    pub confidence: u64,
    /// `M_u`.
    pub ema_gap: u64,
}

/// Values one underlying at its last price.
pub(super) fn value(underlying: &Underlying) -> Result<Valued, Error> {
    if underlying.exposure.is_negative() { value_signed::<true>(underlying) } else { value_signed::<false>(underlying) }
}

/// [`value`] of a short, below zero, or of a long: one body for each, as asking for the sign again and again costs 30 CU.
#[inline(always)]
pub(super) fn value_signed<const SHORT: bool>(underlying: &Underlying) -> Result<Valued, Error> {
    let exposure = underlying.exposure.raw();
    if exposure == 0 {
        return Ok(Valued::default());
    }
    if underlying.range > MAX_RANGE {
        return Err(Error::RangeTooLarge);
    }
    let magnitude = magnitude_signed::<SHORT>(exposure);
    let factor = Factor::new(magnitude);
    let (gross, value) = gross_and_value::<SHORT>(factor, magnitude, underlying.observation.spot)?;
    let loss = mul_ppm_ceil_bounded(gross, underlying.range);
    let (confidence, ema_gap) = doubt::<SHORT>(factor, underlying)?;
    Ok(Valued { value, gross, loss, confidence, ema_gap })
}

/// The magnitude of an exposure whose sign is known. `i64::MIN` wraps to itself, which is its magnitude.
#[inline(always)]
const fn magnitude_signed<const SHORT: bool>(exposure: i64) -> u64 {
    if SHORT { exposure.wrapping_neg() } else { exposure }.cast_unsigned()
}

/// `ceil(|D| spot)` and `V = floor(D spot)`.
#[inline(always)]
fn gross_and_value<const SHORT: bool>(factor: Factor, magnitude: u64, spot: Price) -> Result<(u64, i64), Error> {
    let spot = spot.raw();
    let gross = factor.mul_q48_ceil(spot).ok_or(Error::Overflow)?;
    let value =
        if SHORT { gross.cast_signed().wrapping_neg() } else { floor_from_ceil(gross, magnitude, spot).cast_signed() };
    Ok((gross, value))
}

/// `C_u` and `M_u` of an exposure.
#[inline(always)]
fn doubt<const SHORT: bool>(factor: Factor, underlying: &Underlying) -> Result<(u64, u64), Error> {
    let observation = &underlying.observation;
    let (spot, ema) = (observation.spot.raw(), observation.ema.raw());
    // The gap flatters a long when the spot is above the average, a short when it is below.
    let (better, worse) = if SHORT { (ema, spot) } else { (spot, ema) };
    let mut ema_gap = 0;
    if better > worse {
        ema_gap = factor.mul_q48_ceil(better.wrapping_sub(worse)).ok_or(Error::Overflow)?;
    }
    let once = factor.mul_q48_ceil(observation.confidence.raw()).ok_or(Error::Overflow)?;
    let confidence = multiplied_doubt(once, underlying.confidence_multiplier)?;
    Ok((confidence, ema_gap))
}

/// Values one underlying that has options: the linear exposure and what put-call parity adds to it at the spot, the
/// marks, and the oracle's doubt on the first-order net exposure, deltas included.
#[inline(never)]
pub(super) fn value_with_options(underlying: &Underlying, options: &OptionRisk) -> Result<Valued, Error> {
    let exposure = underlying.exposure.checked_add(options.exposure).ok_or(Error::Overflow)?;
    let net = exposure.checked_add(options.delta).ok_or(Error::Overflow)?;
    let mut valued = value_of_exposure(underlying, exposure)?;
    (valued.confidence, valued.ema_gap) = doubt_of_net(underlying, net)?;
    // The first is within +-2^58; only the second may be anything.
    let value = Quote::from_raw(valued.value).checked_add(options.value).ok_or(Error::Overflow)?;
    if options.value.unsigned_abs() > MAX_VALUE || value.unsigned_abs() > MAX_VALUE {
        return Err(Error::Overflow);
    }
    valued.value = value.raw();
    Ok(valued)
}

/// Value of an exposure, without its loss and the oracle's doubt.
fn value_of_exposure(underlying: &Underlying, exposure: Base) -> Result<Valued, Error> {
    if exposure.is_zero() {
        return Ok(Valued::default());
    }
    if underlying.range > MAX_RANGE {
        return Err(Error::RangeTooLarge);
    }
    let magnitude = exposure.unsigned_abs();
    let (factor, spot) = (Factor::new(magnitude), underlying.observation.spot);
    let (gross, value) = if exposure.is_negative() {
        gross_and_value::<true>(factor, magnitude, spot)?
    } else {
        gross_and_value::<false>(factor, magnitude, spot)?
    };
    Ok(Valued { value, gross, ..Valued::default() })
}

/// `C_u` and `M_u` of a net exposure.
fn doubt_of_net(underlying: &Underlying, net: Base) -> Result<(u64, u64), Error> {
    if net.is_zero() {
        return Ok((0, 0));
    }
    let factor = Factor::new(net.unsigned_abs());
    if net.is_negative() { doubt::<true>(factor, underlying) } else { doubt::<false>(factor, underlying) }
}

/// `C_u` from the doubt charged once.
#[inline(always)]
fn multiplied_doubt(once: u64, multiplier: Ppm) -> Result<u64, Error> {
    if multiplier == Ppm::ONE {
        return Ok(once);
    }
    if multiplier > MAX_CONFIDENCE_MULTIPLIER {
        return Err(Error::ConfidenceMultiplierTooLarge);
    }
    let doubt = mul_ppm_ceil_bounded(once, multiplier);
    if doubt > MAX_VALUE { Err(Error::Overflow) } else { Ok(doubt) }
}

/// Refuses an add-on above [`MAX_VALUE`].
#[inline(always)]
pub(super) fn check_addons(underlying: &Underlying) -> Result<(), Error> {
    if (underlying.addon_init | underlying.addon_maint) > MAX_VALUE {
        return Err(Error::Overflow);
    }
    Ok(())
}
