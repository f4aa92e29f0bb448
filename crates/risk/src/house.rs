//! The house as a pool: what its inventory is worth, and what a share of it costs and fetches.
//!
//! # Shares
//!
//! `N` is the house's net asset value, `S` the shares in circulation. One dollar `V` of value and as many shares are added
//! to both, owned by nobody, so that a share has a price from the first moment on:
//!
//! ```text
//! issued   s = floor( a (S + V) / (N + V) )                                     for an amount a
//! paid     q = min( floor( s (N + V) / (S + V) ), floor( s N / S ) )            for s shares
//! ```
//!
//! **A round trip never gains.** `q <= s (N' + V) / (S' + V)` with `N' = N + a`, `S' = S + s` and `s <= a (S + V) / (N + V)`.
//! From the latter `(N' + V) / (S' + V) >= (N + V) / (S + V)`, the price not falling; and `s (N + V + a) <= a (S + V + s)` is
//! that same inequality times out, so `q <= s (N + V + a) / (S + V + s) <= a`.
//!
//! **Nobody who stays loses.** Issuing does not lower `(N + V) / (S + V)` (just shown), nor does paying: `q <= s (N + V) / (S +
//! V)`. By the second term of the minimum no redemption takes more than its part of what is there, and the last one no
//! more than all: below par, `N < S`, the virtual dollar would otherwise be paid out to somebody.
//!
//! **The first provider cannot inflate the share.** Somebody holds `S_0` shares and gives `D` away, so that the next
//! provider loses by rounding: at most one share, worth `(N + V) / (S_0 + V)` with `N = S_0 + D` at a par start, so at most
//! `1 + D / V`. Of `D` the part `V / (S_0 + V)` is lost to the virtual shares: with `S_0 <= V` at least `D / 2`. Taking one
//! dollar from every later provider by rounding thus costs `D = V = 10^6` dollars, half of them lost; and there is only one
//! loss per provider, who names the least number of shares by the amount he sends.
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor, mul_ppm_floor};
use crate::units::{Base, Fraction, Ppm, Price, Q48, Quote};

/// Quote native and shares that are nobody's: one dollar, and as many shares at par.
pub const VIRTUAL: u64 = 1_000_000;

/// Shares that `amount` buys, rounded down, with `supply` shares of a house worth `nav` (both before).
///
/// # Errors
///
/// [`Error::Overflow`] when a number does not fit.
pub fn shares_to_issue(amount: u64, supply: u64, nav: u64) -> Result<u64, Error> {
    mul_div_floor(amount, with_virtual(supply)?, with_virtual(nav)?).ok_or(Error::Overflow)
}

/// What `shares` of `supply` fetch, rounded down, of a house worth `nav` (all before). No more than their part of it.
///
/// # Errors
///
/// [`Error::Overflow`] when a number does not fit, also where there is no supply.
pub fn redemption(shares: u64, supply: u64, nav: u64) -> Result<u64, Error> {
    let smoothed = mul_div_floor(shares, with_virtual(nav)?, with_virtual(supply)?).ok_or(Error::Overflow)?;
    let part = mul_div_floor(shares, nav, supply).ok_or(Error::Overflow)?;
    Ok(smoothed.min(part))
}

/// What one share is worth, rounded down: what redeeming one of many fetches.
///
/// # Errors
///
/// [`Error::Overflow`] when a number does not fit; [`Error::PriceOutOfRange`] below [`Price::MIN_SPOT`].
pub fn share_price(supply: u64, nav: u64) -> Result<Price, Error> {
    let one = 1 << Q48;
    let smoothed = mul_div_floor(one, with_virtual(nav)?, with_virtual(supply)?).ok_or(Error::Overflow)?;
    let price =
        if supply == 0 { smoothed } else { smoothed.min(mul_div_floor(one, nav, supply).ok_or(Error::Overflow)?) };
    if price < Price::MIN_SPOT.raw() { Err(Error::PriceOutOfRange) } else { Ok(Price::from_raw(price)) }
}

fn with_virtual(amount: u64) -> Result<u64, Error> {
    amount.checked_add(VIRTUAL).ok_or(Error::Overflow)
}

/// What positions that were worth `value` at the price `then`, with `delta` base units of sensitivity, are worth at `spot`:
/// `value + delta (spot - then)`, rounded down. For small moves only, which the caller
/// bounds.
///
/// # Errors
///
/// [`Error::Overflow`].
pub fn marked(value: Quote, delta: Base, then: Price, spot: Price) -> Result<Quote, Error> {
    let (move_, delta) = if spot >= then {
        (spot.checked_sub(then), Some(delta))
    } else {
        (then.checked_sub(spot), delta.checked_neg())
    };
    let change = move_.zip(delta).and_then(|(move_, delta)| move_.value_floor(delta));
    change.and_then(|change| value.checked_add(change)).ok_or(Error::Overflow)
}

/// Whether `spot` is further from `then` than `limit`.
pub fn has_moved(then: Price, spot: Price, limit: Ppm) -> bool {
    mul_ppm_floor(then.raw(), limit).is_some_and(|allowed| spot.raw().abs_diff(then.raw()) > allowed)
}

/// The part of the risk budgets that a net asset value does not cover, rounded up: `1 - nav / budgets`, at least zero.
pub fn uncovered(nav: Quote, budgets: u64) -> Fraction {
    let nav = if nav.is_negative() { 0 } else { nav.unsigned_abs() };
    if nav >= budgets {
        return Fraction::ZERO;
    }
    // nav < budgets: the quotient is at most one, so it fits.
    let missing = budgets.saturating_sub(nav);
    mul_div_ceil(missing, Fraction::ONE.raw(), budgets).map_or(Fraction::ONE, Fraction::from_raw)
}

/// A risk budget less the part that is withheld, rounded down.
pub fn budget_in_force(budget: u64, withheld: Fraction) -> u64 {
    let rest = Fraction::ONE.raw().saturating_sub(withheld.raw());
    mul_div_floor(budget, rest, Fraction::ONE.raw()).unwrap_or(0)
}
