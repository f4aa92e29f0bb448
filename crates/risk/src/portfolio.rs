//! Equity, requirement and health of one account.
//!
//! # Linear exposures
//!
//! Each underlying `u` carries one signed exposure `D_u`: deposits less borrows of its banks plus the perpetual size. A
//! deposit hedged by a short perpetual is an exposure of zero, and costs no risk.
//!
//! ```text
//! V_u  = floor(D_u spot)                                    toward minus infinity: assets down, liabilities up
//! E    = quote + sum_u V_u
//! L_u  = ceil(range_u ceil(|D_u| spot))                     shock loss;  a_u = sign(D_u) L_u
//! N_g  = | sum_{u in g} a_u |,  A_g = sum_{u in g} L_u
//! R_g  = ceil(phi_g N_g + (1 - phi_g) A_g)
//! R    = ceil( sqrt( sum_gh rho_gh R_g R_h ) )
//! C_u  = ceil(k_u ceil(|D_u| confidence))                   the oracle's doubt, on net exposure
//! M_u  = ceil(|D_u| |spot - ema|)                           only when the gap flatters: long with spot > ema,
//!                                                           short with spot < ema; only towards init
//! requirement_init  = R + sum_u (C_u + M_u + addon_init_u) + quote_addon_init
//! requirement_maint = ceil(maintenance_ratio R) + sum_u (C_u + addon_maint_u) + quote_addon_maint
//! H = E - requirement
//! ```
//!
//! # Why the grid needs no enumeration
//!
//! The stress grid moves the price by `m_k range_u` with `m_k` in `{0, +-1/3, +-2/3, +-1}`. A linear exposure gains
//! `m_k a_u`, so its loss is `-m_k a_u`, linear in `m_k`, and a linear function over a set that lies within `[-1, 1]`
//! and contains both ends is largest at an end: `max_k loss_u(k) = |a_u| = L_u`. The netted loss of a group, all moving
//! by the same index `k`, is `-m_k sum a_u`, linear too: `max_k = |sum a_u| = N_g`. [`grid_pnl`] enumerates the nodes
//! for reports, and a test compares.
//!
//! # The four axioms (INV-8)
//!
//! Write `a` for the vector of shocks. In real numbers, `N_g` and `A_g` are seminorms of `a`, so `R_g` is one, being a
//! combination with weights `phi` and `1 - phi`, neither negative. `R` is the norm that the positive semi-definite
//! matrix `rho` defines, of the vector of `R_g >= 0`; as no `rho_gh` is negative it rises with each `R_g`. A monotone
//! norm of seminorms is a seminorm: `R` is non-negative, positively homogeneous and subadditive, and it is monotone in
//! every `R_g`. `C_u` and `M_u` are seminorms of `D_u` (`M_u` a sublinear function: one slope for each sign). The
//! other add-ons are sums over balances.
//!
//! In integers a shock is less than two units above the real one. So `R` of `n` underlyings is less than `2 n + 2`
//! units above the real number; and, as shocks that net may each be rounded, at most `2 n` below it.
//!
//! # Domain
//!
//! Every value, doubt and add-on of a single underlying is at most [`MAX_VALUE`], 288 billion USD; what is above is
//! [`Error::Overflow`]. This one bound replaces a check of every sum: 16 values fit 62 bits, 48 add-ons fit 64.
//!
//! Being subadditive, a requirement is never above the sum of its parts': [`Report::saving_init`] is what the netting
//! saved.
//!
//! # Prices that are not fresh
//!
//! | freshness | towards init | towards maint |
//! |---|---|---|
//! | stale or dead, an asset only (`D_u >= 0`, no liability) | value, risk and add-ons zero | as below |
//! | stale or dead, else | as fresh at the last price, and [`Margin::blocked_by`] is set | as below |
//! | stale | - | value `V_u + L_u`, the price moved one range in the account's favour; no risk, no `C_u`; add-ons stay |
//! | dead | - | as fresh at the last price |
//!
//! So an old price within its range never gets an account liquidated, and a dead feed never makes one unliquidatable.
//! Going stale never lowers `H_maint`: by subadditivity `R(rest) <= R(all) + L_u`, so with `mm <= 1` the term
//! `V_u + L_u - mm R(rest)` is at least `V_u - mm R(all)`.
//!
//! # Order of the two (INV-9)
//!
//! With every price fresh, `requirement_maint <= requirement_init` whenever each `addon_maint <= addon_init`, as
//! `maintenance_ratio <= 1`. With a price that is not fresh the two sides hold different positions, and the ordering is
//! of health: `H_init <= H_maint` up to rounding, as long as what leaves `H_init` was worth more than it cost.
use crate::Error;
use crate::math::{Factor, floor_from_ceil, isqrt_ceil, mul_ppm_ceil, mul_ppm_ceil_bounded, mul_wide, positive};
use crate::price::{Freshness, Observation};
use crate::units::{Base, Ppm, Price, Quote};

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
/// How far below zero an eigenvalue of the correlation matrix may be, in ppm: room for entries rounded to one ppm.
pub const RHO_TOLERANCE: Ppm = Ppm::from_raw(10);

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
    /// Shock range, at most [`MAX_RANGE`].
    pub range: Ppm,
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
    const fn is_committed(&self) -> bool {
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

/// What the exchange configures for aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct RiskParameters {
    /// Credit for correlation inside each group: 0 none, [`Ppm::ONE`] full netting.
    pub phi: [Ppm; MAX_GROUPS],
    /// Correlation between groups, the strict lower triangle row by row: (1,0), (2,0), (2,1), (3,0), ... See
    /// [`pair_index`]. The diagonal is one.
    pub rho: [Ppm; GROUP_PAIRS],
    /// Maintenance over initial stress requirement, above 0 and at most [`Ppm::ONE`].
    pub maintenance_ratio: Ppm,
}

/// Where the correlation of two different groups is in [`RiskParameters::rho`]; `None` for one group twice or a group
/// that does not exist.
pub const fn pair_index(one: u8, other: u8) -> Option<usize> {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    if low == high || high as usize >= MAX_GROUPS {
        return None;
    }
    Some(row_start(high as usize).wrapping_add(low as usize))
}

/// Start of a group's row in [`RiskParameters::rho`]: `g (g - 1) / 2`.
#[inline(always)]
const fn row_start(group: usize) -> usize {
    group.wrapping_mul(group.wrapping_sub(1)) >> 1
}

impl RiskParameters {
    /// No credit for correlation inside a group, groups unrelated, maintenance at the initial requirement.
    pub const STRICT: Self =
        Self { phi: [Ppm::ZERO; MAX_GROUPS], rho: [Ppm::ZERO; GROUP_PAIRS], maintenance_ratio: Ppm::ONE };

    /// Correlation of two groups; one on the diagonal, `None` for a group that does not exist.
    pub fn rho(&self, one: u8, other: u8) -> Option<Ppm> {
        if one == other && usize::from(one) < MAX_GROUPS {
            return Some(Ppm::ONE);
        }
        pair_index(one, other).and_then(|index| self.rho.get(index).copied())
    }

    /// Checks the parameters as a whole.
    ///
    /// The matrix is positive semi-definite when no eigenvalue is negative. Entries are rounded to one ppm, which moves
    /// an eigenvalue by up to 4 ppm, so [`RHO_TOLERANCE`] is granted. The decision is exact but
    /// for smallest eigenvalues between -10.03 and -9.97 ppm.
    ///
    /// # Errors
    ///
    /// [`Error::PhiInvalid`], [`Error::RhoInvalid`], [`Error::MaintenanceRatioInvalid`],
    /// [`Error::RhoNotPositiveSemiDefinite`].
    pub fn validate(&self) -> Result<(), Error> {
        if self.phi.iter().any(|phi| *phi > Ppm::ONE) {
            return Err(Error::PhiInvalid);
        }
        if self.rho.iter().any(|rho| *rho > Ppm::ONE) {
            return Err(Error::RhoInvalid);
        }
        if self.maintenance_ratio.is_zero() || self.maintenance_ratio > Ppm::ONE {
            return Err(Error::MaintenanceRatioInvalid);
        }
        if !self.is_positive_semi_definite() {
            return Err(Error::RhoNotPositiveSemiDefinite);
        }
        Ok(())
    }

    /// Whether no eigenvalue of the correlation matrix is below minus [`RHO_TOLERANCE`].
    ///
    /// Gaussian elimination of `A = rho + tolerance I` by symmetric steps (`L D L^T`), in integers of 2^-11 ppm: `A` is
    /// positive definite exactly when every pivot is positive. Each step replaces `a_ij` by `a_ij - a_ik a_jk / a_kk`
    /// with one rounding of at most one integer step, so the pivots are those of a matrix that differs from `A` by at
    /// most 7 steps per entry, hence by at most 8 * 7 steps = 0.03 ppm in every eigenvalue, however small the pivots.
    /// The decision is therefore exact for a smallest eigenvalue outside -10.03 ..= -9.97 ppm.
    ///
    /// In a positive definite matrix no entry is above the diagonal's largest, and no diagonal rises: an entry above
    /// that is refused at once, which also bounds every product below 2^63.
    fn is_positive_semi_definite(&self) -> bool {
        const STEPS: i64 = 1 << 11;
        const DIAGONAL: i64 = 1_000_010 * STEPS;
        let mut a = [[0_i64; MAX_GROUPS]; MAX_GROUPS];
        for (row, line) in (0_u8..).zip(a.iter_mut()) {
            for (column, entry) in (0_u8..).zip(line.iter_mut()) {
                *entry = if row == column {
                    DIAGONAL
                } else {
                    // At most 10^6 ppm, checked by the caller; above it the bound below refuses.
                    let rho = self.rho(row, column).unwrap_or(Ppm::ONE);
                    i64::from(rho.raw()).saturating_mul(STEPS)
                };
            }
        }
        let mut rest: &mut [[i64; MAX_GROUPS]] = &mut a;
        let mut first = 0_usize;
        while let Some((pivot_row, below)) = rest.split_first_mut() {
            let Some(&pivot) = pivot_row.get(first) else {
                return false;
            };
            if pivot <= 0 {
                return false;
            }
            for line in below.iter_mut() {
                let Some(&factor) = line.get(first) else {
                    return false;
                };
                for (entry, above) in line.iter_mut().zip(pivot_row.iter()).skip(first.wrapping_add(1)) {
                    let Some(eliminated) = factor
                        .checked_mul(*above)
                        .map(|product| divide_toward_zero(product, pivot))
                        .and_then(|part| entry.checked_sub(part))
                    else {
                        return false;
                    };
                    if eliminated.unsigned_abs() > DIAGONAL.unsigned_abs() {
                        return false;
                    }
                    *entry = eliminated;
                }
            }
            first = first.wrapping_add(1);
            rest = below;
        }
        true
    }
}

/// `numerator / denominator` rounded toward zero, for a positive denominator: by magnitudes, as the machine has no
/// signed division.
const fn divide_toward_zero(numerator: i64, denominator: i64) -> i64 {
    // At most 2^63 / 1; only -2^63 / 1 is 2^63, which the cast and the negation turn back into itself.
    let magnitude = match numerator.unsigned_abs().checked_div(denominator.unsigned_abs()) {
        Some(magnitude) => magnitude.cast_signed(),
        None => 0,
    };
    if numerator < 0 { magnitude.wrapping_neg() } else { magnitude }
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

/// One underlying at its last price. Every magnitude is at most [`MAX_VALUE`].
#[derive(Clone, Copy, Default)]
struct Valued {
    /// `V_u`.
    value: i64,
    /// `L_u`.
    loss: u64,
    /// `C_u`.
    confidence: u64,
    /// `M_u`.
    ema_gap: u64,
}

/// Values one underlying at its last price.
fn value(underlying: &Underlying) -> Result<Valued, Error> {
    if underlying.exposure.is_negative() { value_signed::<true>(underlying) } else { value_signed::<false>(underlying) }
}

/// [`value`] of a short, below zero, or of a long: one body for each, as asking for the sign again and again costs 30 CU.
#[inline(always)]
fn value_signed<const SHORT: bool>(underlying: &Underlying) -> Result<Valued, Error> {
    let exposure = underlying.exposure.raw();
    if exposure == 0 {
        return Ok(Valued::default());
    }
    if underlying.range > MAX_RANGE {
        return Err(Error::RangeTooLarge);
    }
    // i64::MIN wraps to itself, which is its magnitude.
    let magnitude = if SHORT { exposure.wrapping_neg() } else { exposure }.cast_unsigned();
    let observation = &underlying.observation;
    let (spot, ema) = (observation.spot.raw(), observation.ema.raw());
    let factor = Factor::new(magnitude);
    let gross = factor.mul_q48_ceil(spot).ok_or(Error::Overflow)?;
    let value =
        if SHORT { gross.cast_signed().wrapping_neg() } else { floor_from_ceil(gross, magnitude, spot).cast_signed() };
    let loss = mul_ppm_ceil_bounded(gross, underlying.range);
    // The gap flatters a long when the spot is above the average, a short when it is below.
    let (better, worse) = if SHORT { (ema, spot) } else { (spot, ema) };
    let mut ema_gap = 0;
    if better > worse {
        ema_gap = factor.mul_q48_ceil(better.wrapping_sub(worse)).ok_or(Error::Overflow)?;
    }
    let once = factor.mul_q48_ceil(observation.confidence.raw()).ok_or(Error::Overflow)?;
    let confidence = multiplied_doubt(once, underlying.confidence_multiplier)?;
    Ok(Valued { value, loss, confidence, ema_gap })
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
fn check_addons(underlying: &Underlying) -> Result<(), Error> {
    if (underlying.addon_init | underlying.addon_maint) > MAX_VALUE {
        return Err(Error::Overflow);
    }
    Ok(())
}

/// Sum of two unsigned amounts.
#[inline(always)]
fn sum(one: u64, other: u64) -> Result<u64, Error> {
    one.checked_add(other).ok_or(Error::Overflow)
}

/// Shocks of one group.
#[derive(Clone, Copy, Default)]
struct Shock {
    /// `sum a_u`.
    net: i64,
    /// `A_g = sum L_u`, at most 2^62: 16 losses of at most [`MAX_VALUE`].
    gross: u64,
}

/// Shocks of every group. Over all groups the gross shocks are at most 2^62.
type Shocks = [Shock; MAX_GROUPS];

/// Adds the shock of one underlying to its group.
#[inline(always)]
fn add_shock<const SHORT: bool>(shocks: &mut Shocks, group: u8, loss: u64) -> Result<(), Error> {
    let shock = shocks.get_mut(usize::from(group)).ok_or(Error::GroupOutOfRange)?;
    // |net| <= gross <= 2^62 at every step, so neither wraps.
    shock.gross = shock.gross.wrapping_add(loss);
    let loss = loss.cast_signed();
    shock.net = if SHORT { shock.net.wrapping_sub(loss) } else { shock.net.wrapping_add(loss) };
    Ok(())
}

/// [`add_shock`] by the sign of the exposure.
fn add_shock_of(shocks: &mut Shocks, underlying: &Underlying, loss: u64) -> Result<(), Error> {
    if underlying.exposure.is_negative() {
        add_shock::<true>(shocks, underlying.group, loss)
    } else {
        add_shock::<false>(shocks, underlying.group, loss)
    }
}

/// `R_g` of one group.
///
/// `ceil(phi N + (1 - phi) A) = A - floor(phi (A - N))`, as `A` is an integer; and `A >= N`.
#[inline(always)]
fn group_risk(shock: &Shock, phi: Ppm) -> Result<u64, Error> {
    if phi > Ppm::ONE {
        return Err(Error::PhiInvalid);
    }
    let offset = shock.gross.wrapping_sub(shock.net.unsigned_abs());
    let (credit, _) = split_ppm(offset, phi);
    Ok(shock.gross.wrapping_sub(credit))
}

/// `floor(value ratio)` and the millionths left over, for `value <= 2^62` and a ratio of at most one: neither product
/// wraps.
#[inline(always)]
const fn split_ppm(value: u64, ratio: Ppm) -> (u64, u64) {
    let (millions, rest) = divide_by_million(value);
    let (carry, millionths) = divide_by_million(rest.wrapping_mul(ratio.wide()));
    (millions.wrapping_mul(ratio.wide()).wrapping_add(carry), millionths)
}

/// Quotient and remainder of a division by one million.
#[inline(always)]
const fn divide_by_million(value: u64) -> (u64, u64) {
    let millions = value / MILLION;
    (millions, value.wrapping_sub(millions.wrapping_mul(MILLION)))
}

/// One million.
const MILLION: u64 = 1_000_000;

/// A group's risk `R_g = millions 10^6 + rest`, split so that its product with a ratio in ppm needs one word a part.
#[derive(Clone, Copy, Default)]
struct Risk {
    /// At most `2^62 / 10^6`.
    millions: u64,
    /// Below 10^6.
    rest: u64,
}

/// `R` of the shocks.
fn stress(shocks: &Shocks, parameters: &RiskParameters) -> Result<u64, Error> {
    let mut risks = [Risk::default(); MAX_GROUPS];
    let (mut groups, mut last) = (0_u32, 0_u64);
    for (risk, (shock, phi)) in risks.iter_mut().zip(shocks.iter().zip(&parameters.phi)) {
        if shock.gross != 0 {
            last = group_risk(shock, *phi)?;
            (risk.millions, risk.rest) = divide_by_million(last);
            groups = groups.wrapping_add(1);
        }
    }
    // One group alone: R is its R_g.
    if groups <= 1 { Ok(last) } else { aggregate(&risks, parameters) }
}

/// `R = ceil(sqrt(sum_gh rho_gh R_g R_h))`, exact: one rounding, at the end.
///
/// Row by row, `sum_gh = sum_g R_g (R_g + 2 sum_{h<g} rho_gh R_h)`. With each risk split into millions `q` and a rest
/// `r`, and correlations in ppm, `rho R = q rho + r rho / 10^6`, so that products of single words are enough:
///
/// ```text
/// 2 sum_{h<g} rho_gh R_h = w + m / 10^6          0 <= m < 10^6
/// row                    = R_g (R_g + w) + q_g m + r_g m / 10^6
/// ```
///
/// and the millionths of all rows are summed before the one ceiling. For an integer `k`, `k^2 >= x` exactly when
/// `k^2 >= ceil(x)`, so taking the ceiling before the root changes nothing.
///
/// The `R_g` sum to at most 2^62 and no correlation is above one, so `R_g + w < 2^64`, the `q m` sum to at most 2^62
/// and the whole sum is at most `2^124`: no addition here wraps.
#[inline(never)]
fn aggregate(risks: &[Risk; MAX_GROUPS], parameters: &RiskParameters) -> Result<u64, Error> {
    let (mut high, mut low) = (0_u64, 0_u64);
    let (mut units, mut millionths) = (0_u64, 0_u64);
    let mut rows: &[Ppm] = &parameters.rho;
    let mut group = 0_usize;
    for risk in risks {
        let (row, next_rows) = rows.split_at_checked(group).unwrap_or((rows, &[]));
        rows = next_rows;
        group = group.wrapping_add(1);
        let own = risk.millions.wrapping_mul(MILLION).wrapping_add(risk.rest);
        if own == 0 {
            continue;
        }
        let (whole, part) = correlated(risks, row)?;
        let (row_high, row_low) = mul_wide(own, own.wrapping_add(whole));
        (high, low) = add_wide(high, low, row_high, row_low);
        units = units.wrapping_add(risk.millions.wrapping_mul(part));
        // Eight times below 10^12.
        millionths = millionths.wrapping_add(risk.rest.wrapping_mul(part));
    }
    units = units.wrapping_add(millionths.div_ceil(MILLION));
    (high, low) = add_wide(high, low, 0, units);
    isqrt_ceil(high, low).ok_or(Error::Overflow)
}

/// `2 sum_{h<g} rho_gh R_h`, as units and millionths. The row ends the sum: it has as many entries as groups before
/// `g`.
#[inline(always)]
fn correlated(risks: &[Risk; MAX_GROUPS], row: &[Ppm]) -> Result<(u64, u64), Error> {
    let (mut whole, mut part) = (0_u64, 0_u64);
    for (rho, other) in row.iter().zip(risks) {
        if *rho > Ppm::ONE {
            return Err(Error::RhoInvalid);
        }
        whole = whole.wrapping_add(other.millions.wrapping_mul(rho.wide()));
        // At most 7 terms below 10^12.
        part = part.wrapping_add(other.rest.wrapping_mul(rho.wide()));
    }
    let (carry, part) = divide_by_million(part.wrapping_add(part));
    Ok((whole.wrapping_add(whole).wrapping_add(carry), part))
}

/// Sum of two double words that fits one.
#[inline(always)]
const fn add_wide(high: u64, low: u64, more_high: u64, more_low: u64) -> (u64, u64) {
    let low = low.wrapping_add(more_low);
    let carry = (low < more_low) as u64;
    (high.wrapping_add(more_high).wrapping_add(carry), low)
}

/// `ceil(maintenance_ratio R)`, for `R` up to 2^62.
#[inline(always)]
fn maintenance(stress: u64, parameters: &RiskParameters) -> Result<u64, Error> {
    if parameters.maintenance_ratio > Ppm::ONE {
        return Err(Error::MaintenanceRatioInvalid);
    }
    let (floor, millionths) = split_ppm(stress, parameters.maintenance_ratio);
    Ok(floor.wrapping_add(u64::from(millionths != 0)))
}

/// Equity: quote and the sum of values.
#[inline(always)]
fn equity(quote: Quote, values: i64) -> Result<Quote, Error> {
    quote.checked_add(Quote::from_raw(values)).ok_or(Error::Overflow)
}

/// Stress requirement and add-ons as a signed amount.
#[inline(always)]
fn requirement(stress: u64, addons: u64) -> Result<Quote, Error> {
    positive(sum(stress, addons)?).map(Quote::from_raw).ok_or(Error::Overflow)
}

/// Equity and requirement of an account, towards init and towards maint. See the module's page for the formulas.
///
/// # Errors
///
/// [`Error::Overflow`] when one value or add-on is above [`MAX_VALUE`], or an equity or a requirement does not fit an
/// `i64`; [`Error::RangeTooLarge`], [`Error::ConfidenceMultiplierTooLarge`], [`Error::GroupOutOfRange`],
/// [`Error::PhiInvalid`], [`Error::RhoInvalid`], [`Error::MaintenanceRatioInvalid`] when a parameter that is used is
/// out of range. Never panics, whatever the input.
#[inline(never)]
pub fn margin(portfolio: &Portfolio, parameters: &RiskParameters) -> Result<Margin, Error> {
    let mut sums = Sums::default();
    for underlying in portfolio.underlyings() {
        if underlying.freshness != Freshness::Fresh {
            return margin_not_fresh(portfolio, parameters);
        }
        sums.add(underlying)?;
    }
    let Sums { values, addon_init, addon_maint, shocks } = sums;
    let equity = equity(portfolio.quote, values)?;
    let stress = stress(&shocks, parameters)?;
    let addon_init = sum(addon_init, portfolio.quote_addon_init)?;
    let addon_maint = sum(addon_maint, portfolio.quote_addon_maint)?;
    Ok(Margin {
        equity_init: equity,
        equity_maint: equity,
        requirement_init: requirement(stress, addon_init)?,
        requirement_maint: requirement(maintenance(stress, parameters)?, addon_maint)?,
        blocked_by: None,
    })
}

/// A margin of fresh prices while it is summed. At most 16 values and 48 add-ons below 2^58: the sums stay below 2^62 and
/// 2^64.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Sum of values so far.
    values: i64,
    /// Add-ons towards init so far.
    addon_init: u64,
    /// Add-ons towards maint so far.
    addon_maint: u64,
    /// Shocks so far.
    shocks: Shocks,
}

impl Sums {
    /// Adds an underlying at its last price: 152 CU. A call here costs two instructions and gives the callee fresh
    /// registers, where the loop would spill: 203 CU when it was inlined and both signs shared one body.
    #[inline(never)]
    fn add(&mut self, underlying: &Underlying) -> Result<(), Error> {
        if underlying.exposure.is_negative() {
            self.add_signed::<true>(underlying)
        } else {
            self.add_signed::<false>(underlying)
        }
    }

    /// [`Self::add`] for one sign.
    #[inline(always)]
    fn add_signed<const SHORT: bool>(&mut self, underlying: &Underlying) -> Result<(), Error> {
        let valued = value_signed::<SHORT>(underlying)?;
        if !underlying.exposure.is_zero() {
            self.values = self.values.wrapping_add(valued.value);
            add_shock::<SHORT>(&mut self.shocks, underlying.group, valued.loss)?;
        }
        check_addons(underlying)?;
        let init = valued.confidence.wrapping_add(valued.ema_gap).wrapping_add(underlying.addon_init);
        self.addon_init = self.addon_init.wrapping_add(init);
        self.addon_maint = self.addon_maint.wrapping_add(valued.confidence).wrapping_add(underlying.addon_maint);
        Ok(())
    }
}

/// One side of a margin while it is summed; bounds as in [`margin`].
#[derive(Clone, Copy, Default)]
struct Side {
    /// Sum of values so far.
    values: i64,
    /// Add-ons so far.
    addons: u64,
    /// Shocks so far.
    shocks: Shocks,
}

impl Side {
    /// Adds an underlying at its last price, with its risk.
    fn add_marked(&mut self, underlying: &Underlying, valued: &Valued, addons: u64) -> Result<(), Error> {
        self.values = self.values.wrapping_add(valued.value);
        self.addons = self.addons.wrapping_add(addons);
        add_shock_of(&mut self.shocks, underlying, valued.loss)
    }

    /// Adds an underlying at a stale price: moved one range in the account's favour, without risk. Sixteen of these are
    /// below 2^63.
    fn add_favoured(&mut self, valued: &Valued, addons: u64) {
        self.values = self.values.wrapping_add(valued.value.wrapping_add(valued.loss.cast_signed()));
        self.addons = self.addons.wrapping_add(addons);
    }
}

/// [`margin`] when at least one price is not fresh: the two sides hold different positions.
#[cold]
#[inline(never)]
fn margin_not_fresh(portfolio: &Portfolio, parameters: &RiskParameters) -> Result<Margin, Error> {
    let (mut init, mut maint) = (Side::default(), Side::default());
    let mut blocked_by = None;
    for (number, underlying) in (0_u8..).zip(portfolio.underlyings()) {
        let fresh = underlying.freshness == Freshness::Fresh;
        let committed = underlying.is_committed();
        if !fresh && committed && blocked_by.is_none() {
            blocked_by = Some(number);
        }
        check_addons(underlying)?;
        let valued = value(underlying)?;
        if fresh || committed {
            let doubt = valued.confidence.wrapping_add(valued.ema_gap);
            init.add_marked(underlying, &valued, doubt.wrapping_add(underlying.addon_init))?;
        }
        if underlying.freshness == Freshness::Stale {
            maint.add_favoured(&valued, underlying.addon_maint);
        } else {
            let addons = valued.confidence.wrapping_add(underlying.addon_maint);
            maint.add_marked(underlying, &valued, addons)?;
        }
    }
    let stress_init = stress(&init.shocks, parameters)?;
    let stress_maint = maintenance(stress(&maint.shocks, parameters)?, parameters)?;
    Ok(Margin {
        equity_init: equity(portfolio.quote, init.values)?,
        equity_maint: equity(portfolio.quote, maint.values)?,
        requirement_init: requirement(stress_init, sum(init.addons, portfolio.quote_addon_init)?)?,
        requirement_maint: requirement(stress_maint, sum(maint.addons, portfolio.quote_addon_maint)?)?,
        blocked_by,
    })
}

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

/// Number of nodes of the stress grid.
pub const GRID_NODES: usize = 7;
/// The relative moves of the stress grid, in thirds of the range.
pub const GRID_THIRDS: [i64; GRID_NODES] = [-3, -2, -1, 0, 1, 2, 3];

/// P&L of a linear exposure at every node of the grid, from its signed shock `a_u`: `floor(m_k a_u)`.
///
/// # Errors
///
/// [`Error::Overflow`] for a shock of `i64::MIN`.
pub fn grid_pnl(shock: Quote) -> Result<[Quote; GRID_NODES], Error> {
    let magnitude = positive(shock.unsigned_abs()).ok_or(Error::Overflow)?.unsigned_abs();
    let mut pnl = [Quote::ZERO; GRID_NODES];
    for (pnl, thirds) in pnl.iter_mut().zip(GRID_THIRDS) {
        // n |a| / 3 for n in 0 ..= 3 as (|a| / 3) n + (|a| % 3) n / 3: nothing exceeds |a|, and the second product is
        // at most 6. Unsigned: the machine has no signed division.
        let count = thirds.unsigned_abs();
        let whole = (magnitude / 3).wrapping_mul(count);
        let part = (magnitude % 3).wrapping_mul(count);
        let gains = (thirds < 0) == shock.is_negative();
        *pnl = Quote::from_raw(if gains {
            whole.wrapping_add(part / 3).cast_signed()
        } else {
            whole.wrapping_add(part.wrapping_add(2) / 3).cast_signed().wrapping_neg()
        });
    }
    Ok(pnl)
}

/// One underlying in a [`Report`], at its last price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderlyingReport {
    /// `V_u`.
    pub value: Quote,
    /// `a_u`: the shock loss with the exposure's sign. `L_u` is its magnitude.
    pub shock: Quote,
    /// `C_u`, quote native.
    pub confidence: u64,
    /// `M_u`, quote native.
    pub ema_gap: u64,
    /// What init would want of this underlying alone: `L_u + C_u + M_u + addon_init_u`.
    pub standalone_init: Quote,
    /// What maint would want of this underlying alone: `ceil(maintenance_ratio L_u) + C_u + addon_maint_u`.
    pub standalone_maint: Quote,
}

/// One risk group in a [`Report`], every price taken as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupReport {
    /// `N_g`.
    pub netted: u64,
    /// `A_g`.
    pub gross: u64,
    /// `R_g`.
    pub risk: u64,
    /// The group's P&L at every node of the grid, every underlying moving by the same node: nodes as [`GRID_THIRDS`].
    pub pnl: [Quote; GRID_NODES],
    /// Sign of the move that makes the netted loss: -1 when prices fall, 1 when they rise, 0 without a net shock.
    pub worst_move: i8,
}

/// Where a requirement comes from. For clients: slower and larger than [`margin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Exactly what [`margin`] returns.
    pub margin: Margin,
    /// The underlyings, by number; the rest is zero.
    pub underlyings: [UnderlyingReport; MAX_UNDERLYINGS],
    /// The risk groups, every underlying at its last price.
    pub groups: [GroupReport; MAX_GROUPS],
    /// `R` of all underlyings at their last prices.
    pub stress: u64,
    /// What init would want if every underlying stood alone, quote borrow weight included.
    pub standalone_init: Quote,
    /// What maint would want if every underlying stood alone, quote borrow weight included.
    pub standalone_maint: Quote,
    /// `standalone_init` less what the portfolio wants at last prices: what netting saves, never negative.
    pub saving_init: Quote,
    /// `standalone_maint` less what the portfolio wants at last prices: what netting saves, never negative.
    pub saving_maint: Quote,
}

/// Where the requirement comes from.
///
/// Groups, standalone requirements and savings are taken at last prices whatever their age, so that a report does not
/// jump when a feed pauses; [`Report::margin`] follows the rules for prices that are not fresh.
///
/// # Errors
///
/// As [`margin`].
pub fn report(portfolio: &Portfolio, parameters: &RiskParameters) -> Result<Report, Error> {
    let margin = margin(portfolio, parameters)?;
    let mut underlyings = [UnderlyingReport::default(); MAX_UNDERLYINGS];
    let mut shocks = Shocks::default();
    let mut addon_init = portfolio.quote_addon_init;
    let mut addon_maint = portfolio.quote_addon_maint;
    let mut alone_init = addon_init;
    let mut alone_maint = addon_maint;
    for (line, underlying) in underlyings.iter_mut().zip(portfolio.underlyings()) {
        let valued = value(underlying)?;
        add_shock_of(&mut shocks, underlying, valued.loss)?;
        let init = sum(sum(valued.confidence, valued.ema_gap)?, underlying.addon_init)?;
        let maint = sum(valued.confidence, underlying.addon_maint)?;
        addon_init = sum(addon_init, init)?;
        addon_maint = sum(addon_maint, maint)?;
        let shock = valued.loss.cast_signed();
        let alone = requirement(valued.loss, init)?;
        let alone_later = requirement(maintenance(valued.loss, parameters)?, maint)?;
        alone_init = sum(alone_init, alone.unsigned_abs())?;
        alone_maint = sum(alone_maint, alone_later.unsigned_abs())?;
        *line = UnderlyingReport {
            value: Quote::from_raw(valued.value),
            shock: Quote::from_raw(if underlying.exposure.is_negative() { shock.wrapping_neg() } else { shock }),
            confidence: valued.confidence,
            ema_gap: valued.ema_gap,
            standalone_init: alone,
            standalone_maint: alone_later,
        };
    }
    let stress = stress(&shocks, parameters)?;
    let standalone_init = requirement(0, alone_init)?;
    let standalone_maint = requirement(0, alone_maint)?;
    let init = requirement(stress, addon_init)?;
    let maint = requirement(maintenance(stress, parameters)?, addon_maint)?;
    Ok(Report {
        margin,
        underlyings,
        groups: group_reports(&shocks, parameters)?,
        stress,
        standalone_init,
        standalone_maint,
        saving_init: standalone_init.checked_sub(init).ok_or(Error::Overflow)?,
        saving_maint: standalone_maint.checked_sub(maint).ok_or(Error::Overflow)?,
    })
}

/// The groups of a [`Report`].
fn group_reports(shocks: &Shocks, parameters: &RiskParameters) -> Result<[GroupReport; MAX_GROUPS], Error> {
    let mut groups = [GroupReport::default(); MAX_GROUPS];
    for (line, (shock, phi)) in groups.iter_mut().zip(shocks.iter().zip(&parameters.phi)) {
        *line = GroupReport {
            netted: shock.net.unsigned_abs(),
            gross: shock.gross,
            risk: if shock.gross == 0 { 0 } else { group_risk(shock, *phi)? },
            pnl: grid_pnl(Quote::from_raw(shock.net))?,
            worst_move: match shock.net.signum() {
                1 => -1,
                -1 => 1,
                _ => 0,
            },
        };
    }
    Ok(groups)
}
