//! Equity, requirement and health of one account.
//!
//! # The formulas
//!
//! Each underlying `u` carries one signed exposure `D_u`: deposits less borrows of its banks, the perpetual size, and the
//! forwards that put-call parity makes of puts ([`OptionRisk::exposure`](crate::options::OptionRisk)). A deposit hedged by
//! a short perpetual is an exposure of zero, and costs no risk. Options besides are calls, of which the account holds the
//! value `O_u`, the delta `delta_u` and the gain `pnl_u(k)` in each scenario `k` of the [`grid`](crate::grid).
//!
//! ```text
//! V_u    = floor(D_u spot) + O_u                               toward minus infinity: assets down, liabilities up
//! E      = quote + sum_u V_u
//! a_u    = sign(D_u) ceil(range_u ceil(|D_u| spot))            linear shock
//! lin_k(a) = floor(m_k a)                                      m_k in {0, +-1/3, +-2/3, +-1} and +-3 damping
//! S_u    = short-option minimum                                sum over series of max(0, -lots) rate lot spot
//! L_u    = max(0, S_u, max_k -(lin_k(a_u) + pnl_u(k)))         loss alone; |a_u| without options
//! N_g    = max(0, sum S_u, max_k -(lin_k(sum a_u) + sum pnl_u(k)))      netted: all of the group move by the same k
//! A_g    = sum_{u in g} L_u
//! R_g    = ceil(phi_g N_g + (1 - phi_g) A_g)
//! R      = ceil( sqrt( sum_gh rho_gh R_g R_h ) )
//! C_u    = ceil(k_u ceil(|D_u + delta_u| confidence))          the oracle's doubt, on the first-order net exposure
//! M_u    = ceil(|D_u + delta_u| |spot - ema|)                  only when the gap flatters: long with spot > ema,
//!                                                              short with spot < ema; only towards init
//! requirement_init  = (max(R, R') + sum_u (C_u + M_u + addon_init_u) + quote_addon_init) / min(quote_price, 1)
//! requirement_maint = ceil(maintenance_ratio R') + sum_u (C_u + addon_maint_u) + quote_addon_maint
//! H = E - requirement
//! ```
//!
//! `R` is taken at [`Underlying::range`], `R'` at [`Underlying::range_maint`], which is at most that and differs while it
//! follows a forecast slowly. An underlying with options is held to all of this; `N_g <= A_g`, as a floor of a sum is at
//! least the sum of the floors, and so a maximum of sums at most the sum of the maxima.
//!
//! # Why a linear book needs no enumeration
//!
//! A linear exposure gains `m_k a_u`, so its loss is `-m_k a_u`, linear in `m_k`, and a linear function over a set that
//! lies within `[-1, 1]` and contains both ends is largest at an end: `L_u = |a_u|`, and likewise `N_g = |sum a_u|`. The
//! extreme moves are by three ranges, of which `damping <= 1/3` counts: `3 damping <= 1`, so they lie within and change
//! nothing. [`margin`] enumerates only where there are options; a test compares.
//!
//! # The four axioms (INV-8)
//!
//! A function is sublinear when `f(n x) = n f(x)` for `n >= 0` and `f(x + y) <= f(x) + f(y)`. Linear functions are, sums and
//! maxima of sublinear functions are, and the positive part of one is, being a maximum with zero. Now let `x` be the
//! positions of an account: exposures and lots.
//!
//! * In real numbers `a_u`, and each `total_u(k) = m_k a_u + pnl_u(k)`, is linear in `x`: one scenario's prices and
//!   volatilities are the same whoever holds what. So `max_k -total_u(k)` is sublinear.
//! * `S_u` is a sum of positive parts of linear functions, so sublinear, and so are `L_u`, a maximum of sublinear ones,
//!   and, the same with the sums over a group, `N_g`; both are at least zero.
//! * `A_g` is a sum of them and `R_g` a combination with the weights `phi` and `1 - phi`, neither negative.
//! * `R` is the norm that the positive semi-definite matrix `rho` defines, of the vector of `R_g >= 0`; as no `rho_gh` is
//!   negative it rises with each `R_g`. A norm that is monotone there, of sublinear functions, is sublinear:
//!   `R(x + y) = |R_g(x + y)| <= |R_g(x) + R_g(y)| <= |R_g(x)| + |R_g(y)|`.
//! * `max(R, R')` is a maximum of two such.
//!
//! So the stress is non-negative, positively homogeneous and subadditive, and monotone in every `R_g`, in every `L_u` at a
//! given `N_g` and in every `S_u`. `C_u` and `M_u` are sublinear in `D_u + delta_u` (`M_u` has one slope for each sign). The
//! other add-ons are sums over balances, see [`crate::addons`].
//!
//! It follows that a perfect hedge never costs: adding the opposite of a part `p` of the whole leaves `1 - p` of it, and
//! `R((1 - p) x) = (1 - p) R(x)`. Of one underlying that holds where it nets with no other, alone in its group or with
//! `phi = 0`; else it may itself have been a hedge.
//!
//! In integers a shock is less than two units above the real one, each scenario is rounded down, and a group of two or more
//! adds less than one. So `R` of `n` underlyings is less than `3 n + 9` units above the real number (without options
//! `5 n / 2 + 1`); and, as shocks that net may each be rounded, at most `2 n` below it.
//!
//! # Larger ranges, and two of them
//!
//! Is a larger range always more risk? Not of one underlying alone, nor with options:
//!
//! * In a linear book a common factor `f >= 1` on all ranges gives `f R`.
//! * One range alone, of an underlying with `|a|`: `N_g` may fall by as much as `|a|` rises, when it is a hedge in its group,
//!   and `A_g` rises by that. So `R_g` rises by at least `(1 - 2 phi)` of it: never falls for `phi <= 1/2`; nor alone in its
//!   group, where `N_g = A_g`. With `phi > 1/2` it may.
//! * With options the maximum is over sixteen scenarios, and a loss that peaks between two of them at the larger range may
//!   be at one of them at the smaller.
//!
//! Therefore `requirement_init` takes the larger of `R` and `R'`, without which a book whose hedge has not followed a
//! forecast yet could be let in below its line. The maximum keeps the axioms, as said, and where both ranges are equal
//! and there are no options it is `R`.
//!
//! A larger confidence interval is more `C_u` for every book, and nothing else.
//!
//! # Domain
//!
//! Every value, gain, loss, doubt, minimum and add-on of a single underlying is at most [`MAX_VALUE`], 288 billion USD;
//! what is above is [`Error::Overflow`]. This one bound replaces a check of every sum: 16 values fit 62 bits, 48 add-ons
//! fit 64; 16 shocks and as many gains, or values and favourable moves, are within `2^63 - 32`.
//!
//! Being subadditive, a requirement is never above the sum of its parts': [`Report::saving_init`] is what the netting
//! of underlyings saved, [`standalone`] says what that of any other parts did.
//!
//! # Prices that are not fresh
//!
//! | freshness | towards init | towards maint |
//! |---|---|---|
//! | stale or dead, an asset only (`D_u >= 0`, no liability, no options) | value, risk and add-ons zero | as below |
//! | stale or dead, else | as fresh at the last price, and [`Margin::blocked_by`] is set | as below |
//! | stale | - | value `V_u + F_u`, moved in the account's favour; no risk, no `C_u`; add-ons stay |
//! | dead | - | as fresh at the last price |
//!
//! `F_u` is the best scenario at the range towards maint, or the minimum of the opposite position where that is more: the
//! `L_u` of the opposite position, `|a_u|` without options. So an old price within its range never gets an account
//! liquidated, and a dead feed never makes one unliquidatable. Going stale never lowers `H_maint`: the rest is all plus the
//! opposite of `u`, so by subadditivity `R'(rest) <= R'(all) + F_u`, and with `mm <= 1` the term `V_u + F_u - mm R'(rest)`
//! is at least `V_u - mm R'(all)`.
//!
//! # Order of the two (INV-9)
//!
//! With every price fresh, `requirement_maint <= requirement_init` whenever each `addon_maint <= addon_init`, as
//! `maintenance_ratio <= 1` and `R' <= max(R, R')`. With a price that is not fresh the two sides hold different positions,
//! and the ordering is of health: `H_init <= H_maint` up to rounding, as long as what leaves `H_init` was worth more than
//! it cost.
mod aggregation;
mod general;
mod margin;
mod parameters;
mod report;
mod standalone;
mod value;

use crate::Error;
use crate::price::{Freshness, Observation};
use crate::units::{Base, Ppm, Price, Quote};

pub(crate) use general::exceeds;
pub use margin::margin;
pub use parameters::{MAX_EXTREME_DAMPING, RHO_TOLERANCE, RiskParameters, pair_index};
pub use report::{GroupReport, Report, UnderlyingReport, report};
pub use standalone::{Standalone, standalone, standalone_loss, standalone_loss_with_options};

/// Most underlyings of one portfolio.
pub const MAX_UNDERLYINGS: usize = 16;
/// Number of risk groups.
pub const MAX_GROUPS: usize = 8;
/// Number of unordered pairs of risk groups.
pub const GROUP_PAIRS: usize = 28;
/// Largest shock range.
pub const MAX_RANGE: Ppm = Ppm::ONE;
/// Largest multiplier of the oracle's confidence.
pub const MAX_CONFIDENCE_MULTIPLIER: Ppm = Ppm::from_raw(10_000_000);
/// Largest value, add-on or doubt of a single underlying, quote native: 288 billion USD. Sums of those of a whole
/// portfolio then fit a word, and the hot path needs no checks but this.
pub const MAX_VALUE: u64 = (1 << 58) - 1;
/// One underlying of a portfolio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Underlying {
    /// All of the linear exposure: deposits (rounded down) less borrows (rounded up) plus perpetual size.
    pub exposure: Base,
    /// Whether a perpetual position or a borrow is part of it, even when the exposures cancel.
    pub has_liability: bool,
    /// The market's price.
    pub observation: Observation,
    /// How old that price is.
    pub freshness: Freshness,
    /// Shock range towards init, at most [`MAX_RANGE`].
    pub range: Ppm,
    /// Shock range towards maint, at most `range`: a forecast that raises the range may let this one follow slowly.
    pub range_maint: Ppm,
    /// How many confidence half widths are charged, [`Ppm::ONE`] for one, at most [`MAX_CONFIDENCE_MULTIPLIER`].
    pub confidence_multiplier: Ppm,
    /// Risk group, below [`MAX_GROUPS`].
    pub group: u8,
    /// Haircuts and borrow weights of the underlying's balances towards init, quote native.
    pub addon_init: u64,
    /// Haircuts and borrow weights of the underlying's balances towards maint, quote native. At most `addon_init`.
    pub addon_maint: u64,
}

impl Underlying {
    /// Whether something is owed or open here, so that a price that is not fresh blocks new risk.
    #[inline(always)]
    pub(crate) const fn is_committed(&self) -> bool {
        self.has_liability || self.exposure.is_negative()
    }
}

/// One account, as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portfolio {
    /// How many of `underlyings` are in use, at most all.
    len: usize,
    /// The underlyings; those from `len` on are defaults.
    underlyings: [Underlying; MAX_UNDERLYINGS],
    /// Quote balances plus the cash of every perpetual.
    pub quote: Quote,
    /// Borrow weight of the quote bank towards init, quote native.
    pub quote_addon_init: u64,
    /// Borrow weight of the quote bank towards maint, quote native. At most `quote_addon_init`.
    pub quote_addon_maint: u64,
}

impl Default for Portfolio {
    fn default() -> Self {
        Self::new()
    }
}

impl Portfolio {
    /// An account with nothing in it.
    #[inline]
    pub const fn new() -> Self {
        const NONE: Underlying = Underlying {
            exposure: Base::ZERO,
            has_liability: false,
            observation: Observation {
                spot: Price::ZERO,
                ema: Price::ZERO,
                confidence: Price::ZERO,
                publish_time: crate::units::Timestamp::ZERO,
            },
            freshness: Freshness::Fresh,
            range: Ppm::ZERO,
            range_maint: Ppm::ZERO,
            confidence_multiplier: Ppm::ZERO,
            group: 0,
            addon_init: 0,
            addon_maint: 0,
        };
        Self {
            len: 0,
            underlyings: [NONE; MAX_UNDERLYINGS],
            quote: Quote::ZERO,
            quote_addon_init: 0,
            quote_addon_maint: 0,
        }
    }

    /// Adds an underlying and returns its number. The caller adds each underlying once: two entries of one underlying
    /// would not net.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyUnderlyings`].
    #[inline]
    pub fn push(&mut self, underlying: Underlying) -> Result<usize, Error> {
        let number = self.len;
        *self.underlyings.get_mut(number).ok_or(Error::TooManyUnderlyings)? = underlying;
        // number is below MAX_UNDERLYINGS, as the slot exists.
        self.len = number.wrapping_add(1);
        Ok(number)
    }

    /// Adds an empty underlying, to be filled in by the caller, and its number. See [`Self::push`].
    ///
    /// # Errors
    ///
    /// [`Error::TooManyUnderlyings`].
    #[inline(always)]
    pub fn grow(&mut self) -> Result<(usize, &mut Underlying), Error> {
        let number = self.len;
        let underlying = self.underlyings.get_mut(number).ok_or(Error::TooManyUnderlyings)?;
        // number is below MAX_UNDERLYINGS, as the slot exists.
        self.len = number.wrapping_add(1);
        Ok((number, underlying))
    }

    /// The underlyings in use, in the order of their numbers.
    #[inline(always)]
    pub fn underlyings(&self) -> &[Underlying] {
        self.underlyings.get(..self.len).unwrap_or(&[])
    }

    /// One underlying by number.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUnderlying`].
    #[inline(always)]
    pub fn underlying(&self, number: usize) -> Result<&Underlying, Error> {
        self.underlyings().get(number).ok_or(Error::UnknownUnderlying)
    }

    /// One underlying by number, to change.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUnderlying`].
    #[inline(always)]
    pub fn underlying_mut(&mut self, number: usize) -> Result<&mut Underlying, Error> {
        self.underlyings.get_mut(..self.len).and_then(|used| used.get_mut(number)).ok_or(Error::UnknownUnderlying)
    }

    /// The least number that may follow `number`, in a list of underlyings by rising number where `next` was the least so
    /// far.
    #[inline(always)]
    pub(crate) fn after(&self, number: u8, next: usize) -> Result<usize, Error> {
        let number = usize::from(number);
        if number < next {
            return Err(Error::OptionsOutOfOrder);
        }
        if number >= self.len {
            return Err(Error::UnknownUnderlying);
        }
        // At most 256.
        Ok(number.wrapping_add(1))
    }

    /// Number of underlyings.
    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no underlyings. There may still be quote.
    #[inline(always)]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What a portfolio is worth and what it must be worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// Equity towards init: an asset whose price is not fresh counts zero.
    pub equity_init: Quote,
    /// Equity towards maint: a stale price counts one range in the account's favour.
    pub equity_maint: Quote,
    /// Requirement towards init, never negative.
    pub requirement_init: Quote,
    /// Requirement towards maint, never negative.
    pub requirement_maint: Quote,
    /// First underlying with a liability or a position and a price that is not fresh: new risk must be refused.
    pub blocked_by: Option<u8>,
}

impl Margin {
    /// `E - R` towards init. New risk wants it at zero or above (INV-5).
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`].
    #[inline]
    pub fn health_init(&self) -> Result<Quote, Error> {
        self.equity_init.checked_sub(self.requirement_init).ok_or(Error::Overflow)
    }

    /// `E - R` towards maint. Below zero the account may be liquidated (INV-6).
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`].
    #[inline]
    pub fn health_maint(&self) -> Result<Quote, Error> {
        self.equity_maint.checked_sub(self.requirement_maint).ok_or(Error::Overflow)
    }
}
