//! What a trade against the house costs.
//!
//! The house quotes around the oracle's spot `P`: half a spread each way, and a premium that moves with the traders'
//! skew `S` (the sum of their positions, minus the house's inventory). The marginal mid price is
//!
//! ```text
//! p(S) = P (1 + kappa S / scale)
//! ```
//!
//! with `kappa` the premium due when the skew equals `scale`. A trade of `x` (signed, from the trader's side) walks the
//! skew from `S` to `S + x`, so it costs the integral
//!
//! ```text
//! integral from S to S+x of p = P x + phi(S + x) - phi(S),     phi(S) = kappa P S^2 / (2 scale)
//! ```
//!
//! The integral of a path depends on its ends alone, so in real numbers splitting an order changes nothing. In
//! integers each part is rounded against the trader (`up` at the end of the walk, `down` at its start):
//!
//! ```text
//! cost = ceil(P x) + ceil(half_spread ceil(P |x|)) + phi_up(S + x) - phi_down(S)
//! fee  = ceil(taker_fee ceil(P |x|))
//! ```
//!
//! **Splitting never gets a better total.** The first term, the spread and the fee are subadditive (a ceiling of a sum
//! is at most the sum of the ceilings). The premium of two legs is `phi_up(S + x) - phi_down(S)` plus
//! `phi_up(m) - phi_down(m) >= 0` at the skew `m` in the middle. The same sum shows that no round trip earns anything.
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, mul_shift, positive};
use crate::units::{Base, Ppm, Price, Q48, Quote};

/// Largest half spread, premium and fee: 10 %.
pub const MAX_CHARGE: Ppm = Ppm::from_raw(100_000);

/// What a market charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TradePricing {
    /// Half of the spread, relative to spot, at most [`MAX_CHARGE`].
    pub half_spread: Ppm,
    /// Premium when the skew equals `skew_scale`, relative to spot, at most [`MAX_CHARGE`].
    pub skew_premium: Ppm,
    /// Skew at which the whole premium is due, base units, above zero.
    pub skew_scale: u64,
    /// Fee on the notional, at most [`MAX_CHARGE`].
    pub taker_fee: Ppm,
}

impl TradePricing {
    /// Checks the pricing as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::HalfSpreadTooLarge`], [`Error::SkewPremiumTooLarge`], [`Error::SkewScaleZero`],
    /// [`Error::TakerFeeTooLarge`].
    pub const fn validate(&self) -> Result<(), Error> {
        if self.half_spread.raw() > MAX_CHARGE.raw() {
            return Err(Error::HalfSpreadTooLarge);
        }
        if self.skew_premium.raw() > MAX_CHARGE.raw() {
            return Err(Error::SkewPremiumTooLarge);
        }
        if self.skew_scale == 0 {
            return Err(Error::SkewScaleZero);
        }
        if self.taker_fee.raw() > MAX_CHARGE.raw() {
            return Err(Error::TakerFeeTooLarge);
        }
        Ok(())
    }
}

/// What a trade costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeQuote {
    /// What the trader's cash goes down by, spread and premium included, fee not. Negative when the trader sells.
    pub cost: Quote,
    /// The taker fee, zero or above.
    pub fee: Quote,
    /// `|cost / size|` without the fee, to hold against a limit price: rounded up for a buy, down for a sell. Zero for
    /// a sell so small that rounding eats its proceeds.
    pub average_price: Price,
}

/// Prices a trade of `size` (positive: the trader buys) at `spot`, when the traders' skew is `traders_skew` before it
/// (minus the house's inventory). Derived on the module's page.
///
/// # Errors
///
/// [`Error::SizeZero`]; [`Error::SkewScaleZero`]; [`Error::MarginalPriceNotPositive`] when spread and premium reach the
/// price at either end of the walk, which takes a skew far beyond `skew_scale`; [`Error::Overflow`] when a value does
/// not fit.
pub fn quote_trade(pricing: &TradePricing, spot: Price, traders_skew: Base, size: Base) -> Result<TradeQuote, Error> {
    if size.is_zero() {
        return Err(Error::SizeZero);
    }
    if pricing.skew_scale == 0 {
        return Err(Error::SkewScaleZero);
    }
    let skew_after = traders_skew.checked_add(size).ok_or(Error::Overflow)?;
    check_marginal(pricing, traders_skew.unsigned_abs().max(skew_after.unsigned_abs()))?;
    let magnitude = size.unsigned_abs();
    let (floor, exact) = mul_shift(magnitude, spot.raw(), Q48).ok_or(Error::Overflow)?;
    let notional = floor.checked_add(u64::from(!exact)).ok_or(Error::Overflow)?;
    let spread = mul_ppm_ceil(notional, pricing.half_spread).and_then(positive).ok_or(Error::Overflow)?;
    let fee = mul_ppm_ceil(notional, pricing.taker_fee).and_then(positive).ok_or(Error::Overflow)?;
    // ceil(P x): the magnitude up for a buy, down for a sale.
    let base = if size.is_negative() { positive(floor).and_then(i64::checked_neg) } else { positive(notional) };
    let premium = premium_up(pricing, spot, skew_after)?
        .checked_sub(premium_down(pricing, spot, traders_skew)?)
        .ok_or(Error::Overflow)?;
    let cost = base
        .and_then(|base| base.checked_add(spread))
        .and_then(|cost| cost.checked_add(premium))
        .ok_or(Error::Overflow)?;
    Ok(TradeQuote { cost: Quote::from_raw(cost), fee: Quote::from_raw(fee), average_price: average_price(cost, size)? })
}

/// Refuses a walk on which spread and premium together reach the price.
///
/// The premium is largest where the skew is, and that is at one of the walk's two ends: the caller passes the larger.
fn check_marginal(pricing: &TradePricing, skew: u64) -> Result<(), Error> {
    let premium = mul_div_ceil(pricing.skew_premium.wide(), skew, pricing.skew_scale)
        .and_then(|premium| premium.checked_add(pricing.half_spread.wide()));
    match premium {
        Some(charge) if charge < Ppm::ONE.wide() => Ok(()),
        _ => Err(Error::MarginalPriceNotPositive),
    }
}

/// What traders get back of the premium, at most, when a skew is undone: `phi(skew)`, rounded up. It is in the house's cash
/// and not the house's.
///
/// # Errors
///
/// [`Error::Overflow`] when it does not fit; [`Error::SkewScaleZero`].
pub fn premium_owed(pricing: &TradePricing, spot: Price, skew: Base) -> Result<Quote, Error> {
    if skew.is_zero() {
        return Ok(Quote::ZERO);
    }
    if pricing.skew_scale == 0 {
        return Err(Error::SkewScaleZero);
    }
    premium_up(pricing, spot, skew).map(Quote::from_raw)
}

/// `phi(skew)`, every step rounded up.
fn premium_up(pricing: &TradePricing, spot: Price, skew: Base) -> Result<i64, Error> {
    let magnitude = skew.unsigned_abs();
    spot.magnitude_ceil(skew)
        .and_then(|notional| mul_div_ceil(notional, magnitude, pricing.skew_scale))
        .and_then(|scaled| mul_ppm_ceil(scaled, pricing.skew_premium))
        .map(|twice| twice.div_ceil(2))
        .and_then(positive)
        .ok_or(Error::Overflow)
}

/// `phi(skew)`, every step rounded down.
fn premium_down(pricing: &TradePricing, spot: Price, skew: Base) -> Result<i64, Error> {
    let magnitude = skew.unsigned_abs();
    mul_shift(magnitude, spot.raw(), Q48)
        .and_then(|(notional, _)| mul_div_floor(notional, magnitude, pricing.skew_scale))
        .and_then(|scaled| mul_ppm_floor(scaled, pricing.skew_premium))
        .map(|twice| twice >> 1)
        .and_then(positive)
        .ok_or(Error::Overflow)
}

/// `|cost / size|`: up for a buy, down for a sell, zero for a sell without proceeds.
pub(crate) fn average_price(cost: i64, size: Base) -> Result<Price, Error> {
    let raw = if size.is_negative() {
        mul_div_floor(cost.min(0).unsigned_abs(), 1 << Q48, size.unsigned_abs())
    } else {
        mul_div_ceil(cost.max(0).unsigned_abs(), 1 << Q48, size.unsigned_abs())
    };
    raw.map(Price::from_raw).ok_or(Error::Overflow)
}
