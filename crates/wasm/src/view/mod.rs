//! What the engine answers with: plain objects for JavaScript.
//!
//! Fields of 64 bits are exact and in the chain's units. A field `…Usd`, `…Tokens` or `…Percent` is the same for a person:
//! a floating point number, for display alone.

use plimsoll_client::{Address, decode::symbol};

pub mod account;
pub mod exchange;
pub mod risk;
pub mod what_if;

/// Quote native units in a dollar.
const QUOTE_PER_USD: f64 = 1e6;

/// Quote native units as dollars.
pub fn usd(quote: i64) -> f64 {
    quote as f64 / QUOTE_PER_USD
}

/// Native units of a mint, or base units of a market, as whole tokens.
pub fn tokens(amount: i64, decimals: u8) -> f64 {
    amount as f64 / 10f64.powi(i32::from(decimals))
}

/// A price, Q16.48 quote native per base unit, as dollars for a whole token.
pub fn price_usd(price: u64, base_decimals: u8) -> f64 {
    price as f64 / (1u64 << 48) as f64 * 10f64.powi(i32::from(base_decimals)) / QUOTE_PER_USD
}

/// A price in dollars for a whole token as Q16.48 quote native per base unit; the nearest that there is.
pub fn price_raw(usd: f64, base_decimals: u8) -> u64 {
    // A cast from floating point stays within the integer's range.
    (usd * QUOTE_PER_USD / 10f64.powi(i32::from(base_decimals)) * (1u64 << 48) as f64).round() as u64
}

/// Parts per million as percent.
pub fn percent(ppm: u32) -> f64 {
    f64::from(ppm) / 1e4
}

/// An address, or nothing where it is zero.
pub fn some(address: &Address) -> Option<String> {
    (*address != Address::default()).then(|| address.to_string())
}
