//! Greeks of a portfolio: how its value answers to small changes. For reports and price making; no requirement is made of
//! them but the charges on net exposure, which use the delta.
//!
//! With `V` the value, `S` the spot, `sigma` the volatility and `t` time:
//!
//! ```text
//! delta = dV/dS              base units; times S: quote that a move of 100 % would gain, to first order
//! gamma = d2V/dS2            times S^2: quote; a move by x gains  delta S x + gamma S^2 x^2 / 2
//! vega  = dV/dsigma          quote per 1.00 of volatility
//! theta = dV/dt              quote per day
//! ```
//!
//! A linear exposure has a delta and nothing else. Each Greek is a derivative, so linear in the positions: those of a
//! portfolio are the sums, and sums are exact; only the change of unit at the end rounds, once and to the floor, so a
//! number is at most one quote unit below the exact one.
use crate::Error;
use crate::portfolio::{MAX_UNDERLYINGS, Portfolio};
use crate::units::{Base, Quote};

/// Greeks of all options of one account in one underlying, summed over its boards: puts as puts, so the delta is that of
/// the calls and what put-call parity adds ([`OptionRisk::delta`](crate::options::OptionRisk::delta) and
/// [`OptionRisk::exposure`](crate::options::OptionRisk::exposure) together).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionGreeks {
    /// Number of the underlying in the portfolio.
    pub underlying: u8,
    /// Base units of the underlying with the same first-order gain.
    pub delta: Base,
    /// `gamma S^2`, quote native: twice the second-order gain, per relative move squared.
    pub gamma: Quote,
    /// Quote native per 1.00 of annualised volatility.
    pub vega: Quote,
    /// Quote native per day that passes.
    pub theta: Quote,
}

/// Greeks in quote native units, of one underlying or of a whole portfolio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greeks {
    /// `delta S`: the value of the linear exposure with the same first-order gain. A move up by 1 % gains a hundredth.
    pub delta: Quote,
    /// By how much `delta` grows when the price rises by 1 %: `gamma S^2 / 100`. Such a move gains a two-hundredth of it
    /// to second order.
    pub gamma: Quote,
    /// Gain when the volatility rises by one point, 0.01.
    pub vega: Quote,
    /// Gain when a day passes and nothing moves.
    pub theta: Quote,
}

/// Greeks of one underlying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderlyingGreeks {
    /// Delta in base units, the linear exposure included: what the oracle's doubt is charged on.
    pub delta: Base,
    /// In quote, at the last price.
    pub quote: Greeks,
}

/// Greeks of a portfolio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortfolioGreeks {
    /// The underlyings, by number; the rest is zero.
    pub underlyings: [UnderlyingGreeks; MAX_UNDERLYINGS],
    /// The sums over the underlyings: as if all prices moved by the same percentage, and all volatilities by the same
    /// points. Rounded after summing, but for the deltas, each of which is a value rounded to the floor.
    pub total: Greeks,
}

/// Greeks of a portfolio at last prices, whatever their age. `options` as in [`crate::portfolio::margin`]: each underlying
/// at most once, by rising number.
///
/// # Errors
///
/// [`Error::OptionsOutOfOrder`], [`Error::UnknownUnderlying`], [`Error::Overflow`].
pub fn greeks(portfolio: &Portfolio, options: &[OptionGreeks]) -> Result<PortfolioGreeks, Error> {
    options.iter().try_fold(0, |next, options| portfolio.after(options.underlying, next))?;
    let mut greeks = PortfolioGreeks::default();
    let mut raw = Greeks::default();
    for ((number, line), underlying) in (0_u8..).zip(&mut greeks.underlyings).zip(portfolio.underlyings()) {
        let own = options.iter().find(|options| options.underlying == number).copied().unwrap_or_default();
        line.delta = underlying.exposure.checked_add(own.delta).ok_or(Error::Overflow)?;
        let delta = underlying.observation.spot.value_floor(line.delta).ok_or(Error::Overflow)?;
        line.quote = Greeks { delta, gamma: own.gamma, vega: own.vega, theta: own.theta };
        raw = raw.plus(&line.quote)?;
        line.quote = line.quote.by_hundredths();
    }
    greeks.total = raw.by_hundredths();
    Ok(greeks)
}

impl Greeks {
    /// Sum, exact.
    fn plus(&self, other: &Self) -> Result<Self, Error> {
        let sum = |one: Quote, other: Quote| one.checked_add(other).ok_or(Error::Overflow);
        Ok(Self {
            delta: sum(self.delta, other.delta)?,
            gamma: sum(self.gamma, other.gamma)?,
            vega: sum(self.vega, other.vega)?,
            theta: sum(self.theta, other.theta)?,
        })
    }

    /// Gamma and vega per hundredth instead of per one, rounded to the floor.
    fn by_hundredths(&self) -> Self {
        let hundredth = |quote: Quote| Quote::from_raw(quote.raw().div_euclid(100));
        Self { gamma: hundredth(self.gamma), vega: hundredth(self.vega), ..*self }
    }
}
