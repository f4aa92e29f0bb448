//! Plimsoll's risk engine.
//!
//! One margin account is one [`Portfolio`](portfolio::Portfolio). This crate says what it is worth, what the stress
//! scenarios say it could lose, how much of it a liquidator takes over, what a trade against the house costs, how
//! interest accrues and what a Pyth account says. The on-chain program and every off-chain client call the same code,
//! so they agree to the last unit (INV-7).
//!
//! It knows no account, no clock, no framework: bytes and numbers in, numbers out. `no_std`, no allocation, no floating
//! point, no panics: what does not fit is an [`Error`].
//!
//! # The model in one screen
//!
//! An account holds, for every *underlying* `u` (SOL, BTC, ...), a linear exposure `D_u` in base units: deposits less
//! borrows plus the perpetual size plus the forwards of its puts; and options, as calls. At the oracle's spot `P_u` the
//! exposure is worth `D_u P_u`, the calls `O_u`. In each of sixteen scenarios `k` the price moves by `m_k` ranges and the
//! volatility up or down, and the calls gain `pnl_u(k)`, read off risk arrays.
//!
//! ```text
//! equity        E      = quote + cash + sum_u (D_u P_u + O_u)
//! total gain    t_u(k) = m_k range_u D_u P_u + pnl_u(k)
//! loss alone    L_u    = max(0, short minimum, max_k -t_u(k))       range_u |D_u P_u| without options
//! group, netted N_g    = max(0, short minima, max_k -sum_u t_u(k))  all move by the same k
//! group, gross  A_g    = sum_{u in g} L_u                           each moves its own worst way
//! group risk    R_g    = phi_g N_g + (1 - phi_g) A_g
//! portfolio     R      = sqrt( sum_gh rho_gh R_g R_h )              R' at the ranges towards maint
//! requirement   R_init = max(R, R') + add-ons,   R_maint = maintenance_ratio R' + add-ons
//! health        H      = E - requirement
//! ```
//!
//! The whole model with its reasons, and an account calculated by hand: docs/risk.md.
//!
//! `H_init >= 0` is wanted to take risk on (INV-5), `H_maint < 0` opens liquidation (INV-6).
//!
//! ```
//! use plimsoll_risk::portfolio::{Portfolio, RiskParameters, Underlying, margin};
//! use plimsoll_risk::price::Observation;
//! use plimsoll_risk::units::{Base, Ppm, Price, Quote};
//!
//! // 10 units of a token of six decimals at 150 USD, range 20 %, and no quote.
//! let spot = Price::from_raw(150 << 48);
//! let mut account = Portfolio::new();
//! account.push(Underlying {
//!     exposure: Base::from_raw(10_000_000),
//!     observation: Observation { spot, ema: spot, ..Observation::default() },
//!     range: Ppm::from_raw(200_000),
//!     range_maint: Ppm::from_raw(200_000),
//!     ..Underlying::default()
//! })?;
//! let margin = margin(&account, &[], &RiskParameters::STRICT)?;
//! assert_eq!(margin.equity_init, Quote::from_raw(1_500_000_000));
//! assert_eq!(margin.health_init()?, Quote::from_raw(1_200_000_000));
//! # Ok::<(), plimsoll_risk::Error>(())
//! ```
//!
//! # Modules
//!
//! | module | what |
//! |---|---|
//! | [`units`] | integers with their unit in the type, and the legal products |
//! | [`math`] | 64 x 64 bit products and quotients by limbs, rounding named |
//! | [`pyth`] | Pyth accounts from bytes, and their normalisation |
//! | [`price`] | observations, freshness, limits |
//! | [`interest`] | rate model, accrual, shares |
//! | [`options`] | what options are worth and could lose: risk arrays |
//! | [`grid`] | the stress scenarios, and linear exposures in them |
//! | [`portfolio`] | equity, requirement, health, the report |
//! | [`addons`] | haircuts, weights, concentration, the short-option minimum |
//! | [`parameters`] | what is configured for a market and for a bank |
//! | [`greeks`] | delta, gamma, vega and theta of a portfolio |
//! | [`liquidation`] | how much a liquidator takes over, and what it pays |
//! | [`waterfall`] | what a loss beyond a margin takes from whom |
//! | [`trade`] | what a trade against the house costs |
//! | [`house`] | what the house's inventory is worth, and what a share of it costs and fetches |
//! | [`fill`] | what a trade between two accounts costs, and how far from the market it may be |
//! | [`staking`] | exchange rates of staked tokens |
//! | [`funding`] | what longs and shorts of a perpetual pay one another and the house |
//! | [`volatility`] | volatility estimated and forecast, and the shock range it gives |
//! | [`functions`] | logarithm, exponential, root, normal distribution |
//! | [`black`] | Black-76: price, Greeks, implied volatility |
//! | [`error`] | one cause, one code |
//!
//! # Rounding
//!
//! Every multiplication and division names its rounding, and rounding favours the exchange: assets down, liabilities
//! up, requirements up, fees up. "Unit" below is one quote native unit, 1e-6 USD.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        missing_docs,
        clippy::arithmetic_side_effects,
        clippy::cast_lossless,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod addons;
pub mod black;
pub mod error;
pub mod fill;
pub mod functions;
pub mod funding;
pub mod greeks;
pub mod grid;
pub mod house;
pub mod interest;
pub mod liquidation;
pub mod math;
pub mod options;
pub mod parameters;
pub mod portfolio;
pub mod price;
pub mod pyth;
pub mod staking;
pub mod trade;
pub mod units;
pub mod volatility;
pub mod waterfall;

pub use error::Error;
