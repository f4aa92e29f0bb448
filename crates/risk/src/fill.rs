//! What two accounts owe one another for a trade at a price that they agreed on.
//!
//! A fill of `x` base units at the agreed price `p` moves `x` to the buyer and one and the same integer `cost` from the
//! buyer to the seller, so that positions and cash of the two sum to what they were:
//!
//! ```text
//! cost = ceil(p x)     where the buyer takes        fee = ceil(taker_fee ceil(p x))
//! cost = floor(p x)    where the seller takes
//! ```
//!
//! **Rounding is the taker's**: whoever rests an order never pays more than its price for what it buys, nor receives less
//! for what it sells, in however many parts others fill it. Of a fill in parts, `sum ceil(p x_i) >= ceil(p sum x_i)` and
//! `sum floor(p x_i) <= floor(p sum x_i)`: splitting earns the taker nothing, and the fee is subadditive likewise.
//!
//! **The band.** An agreed price says nothing about what the position is worth. Off the market it is a gift, which margins
//! nothing by itself, but which a delegate, or an account that is about to be liquidated, could use to move value away.
//! [`deviation`] is how far a price is to the disadvantage of one side; callers hold it to limits.
use crate::Error;
use crate::math::{mul_ppm_ceil, mul_ppm_floor, mul_shift};
use crate::units::{Ppm, Price, Q48};

/// The side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Receives base units and pays.
    Buyer,
    /// Gives base units and is paid.
    Seller,
}

/// What a fill costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillQuote {
    /// What the buyer pays and the seller is paid, quote native.
    pub cost: u64,
    /// What the taker pays besides, quote native.
    pub fee: u64,
}

/// Prices a fill of `size` base units at `price`, taken by `taker`. Derived on the module's page.
///
/// # Errors
///
/// [`Error::SizeZero`]; [`Error::Overflow`] where a value does not fit.
pub fn quote_fill(price: Price, size: u64, taker: Side, taker_fee: Ppm) -> Result<FillQuote, Error> {
    if size == 0 {
        return Err(Error::SizeZero);
    }
    let (floor, exact) = mul_shift(size, price.raw(), Q48).ok_or(Error::Overflow)?;
    let ceil = floor.checked_add(u64::from(!exact)).ok_or(Error::Overflow)?;
    let fee = mul_ppm_ceil(ceil, taker_fee).ok_or(Error::Overflow)?;
    let cost = match taker {
        Side::Buyer => ceil,
        Side::Seller => floor,
    };
    Ok(FillQuote { cost, fee })
}

/// By how much `price` is worse for `side` than `spot`, Q16.48; zero where it is not worse.
#[inline]
pub const fn deviation(price: Price, spot: Price, side: Side) -> u64 {
    match side {
        Side::Buyer => price.raw().saturating_sub(spot.raw()),
        Side::Seller => spot.raw().saturating_sub(price.raw()),
    }
}

/// The part of a price that a limit says, Q16.48, rounded down. One that does not fit a word is above any price.
#[inline]
pub const fn part_of(price: Price, part: Ppm) -> u64 {
    match mul_ppm_floor(price.raw(), part) {
        Some(part) => part,
        None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 125, which Q16.48 holds exactly.
    const SPOT: Price = Price::from_raw(125 << 48);

    #[test]
    fn buyer_and_seller_book_one_number_rounded_against_the_taker() {
        // 3 units at 1/3, a little below: 0.99... .
        let third = Price::from_raw((1 << 48) / 3);
        let fee = Ppm::from_raw(500);
        assert_eq!(quote_fill(third, 3, Side::Buyer, fee), Ok(FillQuote { cost: 1, fee: 1 }));
        assert_eq!(quote_fill(third, 3, Side::Seller, fee), Ok(FillQuote { cost: 0, fee: 1 }));
        assert_eq!(quote_fill(SPOT, 8, Side::Buyer, fee), Ok(FillQuote { cost: 1_000, fee: 1 }));
        assert_eq!(quote_fill(SPOT, 8, Side::Seller, fee), Ok(FillQuote { cost: 1_000, fee: 1 }));
        assert_eq!(quote_fill(SPOT, 0, Side::Buyer, fee), Err(Error::SizeZero));
        assert_eq!(quote_fill(Price::from_raw(u64::MAX), u64::MAX, Side::Buyer, fee), Err(Error::Overflow));
    }

    /// Against 128-bit arithmetic, and splitting never serves the taker.
    #[test]
    fn splitting_a_fill_earns_its_taker_nothing() {
        let mut seed = 7u64;
        let mut next = |bits: u32| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) >> (53 - bits)
        };
        for _ in 0..20_000 {
            let (price, one, other) = (Price::from_raw(next(50) + 1), next(40) + 1, next(40) + 1);
            let fee = Ppm::from_raw(next(15) as u32);
            let quote = |size, side| quote_fill(price, size, side, fee).unwrap();
            let exact = u128::from(price.raw()) * u128::from(one);
            assert_eq!(u128::from(quote(one, Side::Seller).cost), exact >> 48);
            assert_eq!(u128::from(quote(one, Side::Buyer).cost), exact.div_ceil(1 << 48));
            let parts = |side| (quote(one, side), quote(other, side), quote(one + other, side));
            let (a, b, whole) = parts(Side::Buyer);
            assert!(a.cost + b.cost >= whole.cost && a.fee + b.fee >= whole.fee);
            let (a, b, whole) = parts(Side::Seller);
            assert!(a.cost + b.cost <= whole.cost && a.fee + b.fee >= whole.fee);
        }
    }

    #[test]
    fn the_band_is_closed_and_on_each_sides_own_side() {
        let limit = Ppm::from_raw(50_000);
        let band = SPOT.raw() / 20;
        let at = |raw: u64| Price::from_raw(raw);
        let is_within = |price, spot, side, limit| deviation(price, spot, side) <= part_of(spot, limit);
        assert!(is_within(at(SPOT.raw() + band), SPOT, Side::Buyer, limit));
        assert!(!is_within(at(SPOT.raw() + band + 1), SPOT, Side::Buyer, limit));
        assert!(is_within(at(SPOT.raw() + band + 1), SPOT, Side::Seller, limit));
        assert!(is_within(at(SPOT.raw() - band), SPOT, Side::Seller, limit));
        assert!(!is_within(at(SPOT.raw() - band - 1), SPOT, Side::Seller, limit));
        assert!(
            is_within(SPOT, SPOT, Side::Buyer, Ppm::ZERO)
                && !is_within(at(SPOT.raw() + 1), SPOT, Side::Buyer, Ppm::ZERO)
        );
        assert_eq!(part_of(Price::from_raw(u64::MAX), Ppm::from_raw(2_000_000)), u64::MAX);
    }
}
