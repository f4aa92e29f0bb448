//! What a trade of options with the house costs, and what a settled option pays.
//!
//! # The price
//!
//! `m` is the Black-76 price of one base unit at the oracle's spot of this moment and the strike's volatility, `u` the base
//! units traded. Around `u m` the house charges
//!
//! * for the volatility: half a spread on the vega that moves, `h |dx|`, and a premium that grows with the vega that it
//!   holds already. `x` is the traders' net vega of the board, minus the house's, in quote per 1.00 of volatility. The
//!   marginal spread is `k x / scale`, with `k` the premium due when `x = scale`, so that a trade from `x0` to `x1` costs
//!
//!   ```text
//!   integral from x0 to x1 of k x / scale dx = phi(x1) - phi(x0),      phi(x) = k x^2 / (2 scale)
//!   ```
//!
//! * for its hedge, which it buys or sells at a price that the oracle may not show yet: half the spread of the perpetual on
//!   the notional of the delta, `s u |delta| spot`;
//! * a fee: a part of the notional `u spot`, or an eighth of the premium `u m` where that is less.
//!
//! ```text
//! raw      = u m + h |dx| + s u |delta| spot + phi(x1) - phi(x0)        of a purchase; of a sale with - u m
//! purchase = max(raw, u m, one unit a lot)
//! sale     = max(raw, - u m), and nothing where the price has fallen to zero
//! fee      = u min(f spot, m / 8)
//! ```
//!
//! The vega is that of the strike's risk array, so that `x` is a linear function of the positions until the board is
//! refreshed: it does not matter by which trades it came about. Terms and `x` are rounded against the trader: `u m` up for a
//! purchase and down for a sale, every charge up, `phi` up at the end of the walk and down at its start, `x` itself down,
//! always in the same way for one state of the board.
//!
//! # Splitting never gets a better price
//!
//! Between two refreshes and at one price account, `u m` rounded up, each charge and the fee are subadditive: a ceiling of
//! a sum is at most the sum of the ceilings (which of the two the fee is depends on `spot` and `m` alone, and not on the
//! size). The premium of two legs is `phi_up(x1) - phi_down(x0)` plus `phi_up(y) - phi_down(y) >= 0` at the vega `y` in the
//! middle. So `raw` is subadditive, `u m` and one unit a lot are, and a maximum of subadditive functions is.
//!
//! A *sale*'s marginal price falls as it goes on. Where it is still above zero at the end, all of it was: `raw` counts.
//! Where it is not above zero at the start, the rest is worth nothing either, and the options are taken for nothing: so a
//! long position can always be got rid of. Where it crosses zero on the way, the whole would fetch less than its first part
//! alone; such a sale is refused, [`Error::MarginalPriceNotPositive`], and not cut off, which splitting could make use of.
//! What parts that are worth nothing are rounded to adds at most four units each.
//!
//! # A round trip never gains
//!
//! A purchase costs at least `u m` rounded up, a sale brings at most `u m` rounded down. At one price, whatever others
//! trade in between and however often the board is refreshed, nobody gets back more than was paid. That is what the two
//! bounds are for: they cut off the premium where it would be a rebate beyond the mid price.
use crate::Error;
use crate::black::{Greeks, OptionKind};
use crate::fill::{FillQuote, Side, quote_fill};
use crate::math::{
    mul_checked, mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, mul_shift, mul_wide, positive,
};
use crate::trade::{TradeQuote, average_price};
use crate::units::{Base, Lots, Ppm, Price, Q32, Q48, Quote};

use super::array::{ArrayTerms, RiskArray, VEGA};
use super::sum::{MAX_LOTS, quote_of};

/// The fee is at most this part of the premium.
const FEE_DIVISOR: u64 = 8;

/// What a market charges for options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionPricing {
    /// Half of the spread in volatility, where [`Ppm::ONE`] is 1.00 a year.
    pub half_spread_volatility: Ppm,
    /// Premium in volatility when the traders' net vega equals `vega_scale`, likewise.
    pub skew_volatility: Ppm,
    /// Net vega at which the whole premium is due, quote native per 1.00 of volatility, above zero.
    pub vega_scale: u64,
    /// Half of the perpetual's spread, relative to spot: charged on the delta's notional.
    pub half_spread: Ppm,
    /// Fee on the notional.
    pub fee: Ppm,
}

/// A trade of one option, and the moment at which it is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionTrade {
    /// Price and delta of one base unit now.
    pub greeks: Greeks,
    /// The oracle's spot.
    pub spot: Price,
    /// One lot, base units.
    pub lot: u64,
    /// Lots that the trader buys, negative sold.
    pub lots: Lots,
    /// The traders' net vega before and after.
    pub walk: VegaWalk,
}

/// How a trade moves the traders' net vega of its board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VegaWalk {
    /// Before, quote native per 1.00 of volatility, rounded down.
    pub before: Quote,
    /// After, rounded down.
    pub after: Quote,
    /// The vega traded, rounded up.
    pub moved: u64,
}

/// Net vega of positions in one board, in the units of its arrays: exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetVega {
    /// Lots times vegas, below 2^62.
    sum: i64,
    /// Lots, long and short together.
    lots: u64,
}

impl NetVega {
    /// Adds a position in the options of one strike, calls and puts alike.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyLots`] above [`MAX_LOTS`] in all.
    #[inline]
    pub fn add(&mut self, array: &RiskArray, lots: Lots) -> Result<(), Error> {
        let total = self.lots.saturating_add(lots.unsigned_abs());
        if total > MAX_LOTS {
            return Err(Error::TooManyLots);
        }
        self.lots = total;
        // At most 2^30 lots in all, vegas below 2^32.
        self.sum = self.sum.wrapping_add(lots.raw().wrapping_mul(i64::from(vega_of(array))));
        Ok(())
    }

    /// The walk of a trade of `lots` of one strike, from here on.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyLots`]; [`Error::Overflow`].
    pub fn walk(&self, terms: &ArrayTerms, array: &RiskArray, lots: Lots) -> Result<VegaWalk, Error> {
        let magnitude = lots.unsigned_abs();
        if magnitude > MAX_LOTS {
            return Err(Error::TooManyLots);
        }
        // Below 2^62 each.
        let moved = i64::from(vega_of(array)).wrapping_mul(magnitude.cast_signed());
        let signed = if lots.is_negative() { moved.wrapping_neg() } else { moved };
        Ok(VegaWalk {
            before: Quote::from_raw(quote_of(self.sum, terms.scale)?),
            after: Quote::from_raw(quote_of(self.sum.wrapping_add(signed), terms.scale)?),
            moved: quote_of(moved.wrapping_neg(), terms.scale)?.unsigned_abs(),
        })
    }
}

/// Vega of one lot, in units of the array.
#[inline(always)]
fn vega_of(array: &RiskArray) -> u32 {
    array.values.get(VEGA).copied().unwrap_or(0)
}

/// What a trade is made of, quote native.
struct Parts {
    /// `u m`, rounded down and up.
    value: (i64, i64),
    /// Both spreads, rounded up.
    spread: i64,
    /// `phi(x1) - phi(x0)`, rounded up.
    premium: i64,
}

/// Prices a trade of options. Derived on the module's page.
///
/// # Errors
///
/// [`Error::SizeZero`]; [`Error::SkewScaleZero`]; [`Error::MarginalPriceNotPositive`] for a sale whose price falls to zero
/// before its end; [`Error::Overflow`].
pub fn quote_option(pricing: &OptionPricing, trade: &OptionTrade) -> Result<TradeQuote, Error> {
    if trade.lots.is_zero() || trade.lot == 0 {
        return Err(Error::SizeZero);
    }
    if pricing.vega_scale == 0 {
        return Err(Error::SkewScaleZero);
    }
    let units = mul_checked(trade.lots.unsigned_abs(), trade.lot).and_then(positive).ok_or(Error::Overflow)?;
    let magnitude = units.unsigned_abs();
    let parts = Parts::new(pricing, trade, magnitude)?;
    let (cost, size) = if trade.lots.is_negative() {
        (parts.sale(pricing, &trade.walk)?.checked_neg(), units.wrapping_neg())
    } else {
        (Some(parts.purchase(trade.lots.raw())?), units)
    };
    let cost = cost.ok_or(Error::Overflow)?;
    Ok(TradeQuote {
        cost: Quote::from_raw(cost),
        fee: Quote::from_raw(fee(pricing, trade.spot, trade.greeks.price, magnitude, parts.value.1)?),
        average_price: average_price(cost, Base::from_raw(size))?,
    })
}

impl Parts {
    fn new(pricing: &OptionPricing, trade: &OptionTrade, units: u64) -> Result<Self, Error> {
        let (floor, exact) = mul_shift(units, trade.greeks.price.raw(), Q48).ok_or(Error::Overflow)?;
        let ceil = floor.checked_add(u64::from(!exact)).and_then(positive).ok_or(Error::Overflow)?;
        let walk = &trade.walk;
        let volatility = mul_ppm_ceil(walk.moved, pricing.half_spread_volatility);
        let per_unit = mul_shift_up(trade.greeks.delta.unsigned_abs(), trade.spot.raw(), Q32);
        let hedge = per_unit
            .and_then(|price| mul_shift_up(units, price, Q48))
            .and_then(|notional| mul_ppm_ceil(notional, pricing.half_spread));
        let spread = volatility.and_then(|volatility| volatility.checked_add(hedge?)).and_then(positive);
        let premium = phi_up(pricing, walk.after)?.checked_sub(phi_down(pricing, walk.before)?);
        Ok(Self {
            // Not above the ceiling, which fits.
            value: (floor.cast_signed(), ceil),
            spread: spread.ok_or(Error::Overflow)?,
            premium: premium.ok_or(Error::Overflow)?,
        })
    }

    /// What a purchase costs.
    fn purchase(&self, lots: i64) -> Result<i64, Error> {
        let mid = self.value.1;
        let raw =
            mid.checked_add(self.spread).and_then(|cost| cost.checked_add(self.premium)).ok_or(Error::Overflow)?;
        Ok(raw.max(mid).max(lots))
    }

    /// What a sale brings, not below zero.
    fn sale(&self, pricing: &OptionPricing, walk: &VegaWalk) -> Result<i64, Error> {
        let mid = self.value.0;
        let less_spread = mid.checked_sub(self.spread).ok_or(Error::Overflow)?;
        let at = |vega: Quote| less_spread.checked_sub(charge_at(pricing, vega, walk.moved)?).ok_or(Error::Overflow);
        if at(walk.after)? < 0 {
            return if at(walk.before)? <= 0 { Ok(0) } else { Err(Error::MarginalPriceNotPositive) };
        }
        let raw = less_spread.checked_sub(self.premium).ok_or(Error::Overflow)?;
        Ok(raw.min(mid).max(0))
    }
}

/// The premium of a sale of `moved` vega if all of it were at one net vega: rounded up, negative where it is a rebate.
fn charge_at(pricing: &OptionPricing, vega: Quote, moved: u64) -> Result<i64, Error> {
    let magnitude = vega.unsigned_abs();
    let charge = if vega.is_negative() {
        mul_div_ceil(magnitude, moved, pricing.vega_scale)
            .and_then(|scaled| mul_ppm_ceil(scaled, pricing.skew_volatility))
            .and_then(positive)
    } else {
        mul_div_floor(magnitude, moved, pricing.vega_scale)
            .and_then(|scaled| mul_ppm_floor(scaled, pricing.skew_volatility))
            .and_then(positive)
            .map(i64::wrapping_neg)
    };
    charge.ok_or(Error::Overflow)
}

/// `phi(vega)`, every step rounded up.
fn phi_up(pricing: &OptionPricing, vega: Quote) -> Result<i64, Error> {
    let magnitude = vega.unsigned_abs();
    mul_div_ceil(magnitude, magnitude, pricing.vega_scale)
        .and_then(|scaled| mul_ppm_ceil(scaled, pricing.skew_volatility))
        .map(|twice| twice.div_ceil(2))
        .and_then(positive)
        .ok_or(Error::Overflow)
}

/// `phi(vega)`, every step rounded down.
fn phi_down(pricing: &OptionPricing, vega: Quote) -> Result<i64, Error> {
    let magnitude = vega.unsigned_abs();
    mul_div_floor(magnitude, magnitude, pricing.vega_scale)
        .and_then(|scaled| mul_ppm_floor(scaled, pricing.skew_volatility))
        .map(|twice| twice >> 1)
        .and_then(positive)
        .ok_or(Error::Overflow)
}

/// Prices a fill of options between two accounts: `units` base units at the premium `price` that they agreed on. The cost is
/// that of any fill, rounded against the taker; the fee is the house's of a trade at that premium.
///
/// Whether the fee is a part of the notional or of the premium depends on the two prices alone, and both are ceilings: a fill
/// in parts pays no less.
///
/// # Errors
///
/// [`Error::SizeZero`]; [`Error::Overflow`].
pub fn quote_option_fill(
    pricing: &OptionPricing,
    price: Price,
    spot: Price,
    units: u64,
    taker: Side,
) -> Result<FillQuote, Error> {
    let premium = quote_fill(price, units, Side::Buyer, Ppm::ZERO)?.cost;
    let cost = match taker {
        Side::Buyer => premium,
        Side::Seller => quote_fill(price, units, Side::Seller, Ppm::ZERO)?.cost,
    };
    let premium = positive(premium).ok_or(Error::Overflow)?;
    Ok(FillQuote { cost, fee: fee(pricing, spot, price, units, premium)?.unsigned_abs() })
}

/// The house's spreads on one base unit, rounded down: half of that in volatility on its vega, half of the perpetual's on its
/// delta. A trade with the house is never at a better price than this away from Black-76.
///
/// # Errors
///
/// [`Error::Overflow`].
pub fn half_spread(pricing: &OptionPricing, greeks: &Greeks, spot: Price) -> Result<u64, Error> {
    let volatility = mul_ppm_floor(greeks.vega.raw(), pricing.half_spread_volatility);
    let hedge = mul_shift(greeks.delta.unsigned_abs(), spot.raw(), Q32)
        .and_then(|(notional, _)| mul_ppm_floor(notional, pricing.half_spread));
    volatility.zip(hedge).and_then(|(volatility, hedge)| volatility.checked_add(hedge)).ok_or(Error::Overflow)
}

/// The fee: a part of the notional, or an eighth of the premium where that is less for one base unit.
fn fee(pricing: &OptionPricing, spot: Price, price: Price, units: u64, premium: i64) -> Result<i64, Error> {
    let rate = u64::from(pricing.fee.raw()).wrapping_mul(FEE_DIVISOR);
    let by_notional = mul_wide(spot.raw(), rate) <= mul_wide(price.raw(), 1_000_000);
    let fee = if by_notional {
        mul_shift_up(units, spot.raw(), Q48).and_then(|notional| mul_ppm_ceil(notional, pricing.fee))
    } else {
        Some(premium.unsigned_abs().div_ceil(FEE_DIVISOR))
    };
    fee.and_then(positive).ok_or(Error::Overflow)
}

/// `ceil(a b / 2^shift)`.
fn mul_shift_up(a: u64, b: u64, shift: u32) -> Option<u64> {
    let (floor, exact) = mul_shift(a, b, shift)?;
    floor.checked_add(u64::from(!exact))
}

/// What a position of `units` base units in a settled option is worth, quote native, rounded down: what a long position is
/// paid, and as a negative amount what a short one pays.
///
/// # Errors
///
/// [`Error::Overflow`].
#[inline]
pub fn payoff(kind: OptionKind, strike: Price, settlement: Price, units: Base) -> Result<Quote, Error> {
    let (strike, settlement) = (strike.raw(), settlement.raw());
    let intrinsic = match kind {
        OptionKind::Call => settlement.saturating_sub(strike),
        OptionKind::Put => strike.saturating_sub(settlement),
    };
    Price::from_raw(intrinsic).value_floor(units).ok_or(Error::Overflow)
}

/// A position's lots in base units.
///
/// # Errors
///
/// [`Error::Overflow`].
#[inline]
pub fn units_of(lots: Lots, lot: u64) -> Result<Base, Error> {
    super::sum::base_of(lots.raw(), lot)
}
