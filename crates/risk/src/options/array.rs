//! Risk arrays: the values of a strike over the nodes, computed from the oracle's spot and the board's volatilities.
//!
//! # Formats
//!
//! Within the computation everything is relative to the discounted forward: `c = x N(d1) - k N(d2)` with `k = K / F`, in
//! Q30, so that products of node and N(x) fit a word. Stored is `floor(c m / 2^31)`, with `m` in `[2^30, 2^31)` such that
//! `m / 2 = D F lot 2^scale`: values are in units of `2^-scale` quote native, and the largest, a node of 3.8, is below
//! 2^32. A sum of lots times values is then brought to quote by one shift.
use crate::Error;
use crate::black::{Deviation, MAX_EXPIRY, MAX_MONEYNESS, RootTime};
use crate::functions::{ln, ln_ratio, normal_density, normal_distribution};
use crate::grid::{volatility_down, volatility_up};
use crate::math::{mul_div_floor, mul_wide};
use crate::units::{Fraction, Ppm, Price, Seconds, Timestamp, Volatility};

/// A strike is at least the forward over this. Further out than the pricing of single options goes, as the strikes of a
/// board stay while the market rises: a call so deep is its forward less its strike, and nothing else prices it. In the Q30
/// of the nodes such a strike is 2^18, so that it counts to 1e-9 of the forward; the logarithms stay within
/// `ln 4096 + ln 3.8`, below those of the highest strike at the lowest node.
pub const MAX_DEPTH: u64 = 4_096;
/// Smallest range of an underlying with options: 0.1 %.
pub const MIN_RANGE: Ppm = Ppm::from_raw(1_000);
/// Largest range of an underlying with options, 80 %: the lowest node of the moves is then above zero.
pub const MAX_RANGE: Ppm = Ppm::from_raw(800_000);
/// Largest relative shock of a volatility up that arrays are computed with: 1,000 %.
pub const MAX_VOLATILITY_SHOCK: Ppm = Ppm::from_raw(10_000_000);
/// The least time to expiry that arrays are computed with: ten minutes.
pub const MIN_TIME: Seconds = Seconds::from_raw(600);
/// Nodes of the moves of one volatility.
pub(super) const NODES: usize = 15;
/// Where the nodes of the volatility down start.
pub(super) const DOWN: usize = NODES;
/// Where the nodes of the extreme moves start.
pub(super) const EXTREME: usize = 2 * NODES;
/// Nodes of the extreme moves: two down, the lower first, and two up.
pub(super) const EXTREMES: usize = 4;
/// Where the values at the spot start: value, delta, gamma, vega, decay.
pub(super) const MARK: usize = EXTREME + EXTREMES;
/// Where the vega is.
pub(super) const VEGA: usize = MARK + 3;
/// Number of stored values.
pub const VALUES: usize = MARK + 5;

/// Nodes that are computed with the volatility up.
const UP_NODES: usize = NODES + EXTREMES;
/// One, in the Q30 of the nodes.
pub(super) const ONE: u64 = 1 << 30;
/// The lower end of the chord below, when five halves of the range are nearly all: 1/32.
const LOWEST: u64 = ONE >> 5;
/// A far node below this is at zero: 1/4096. Its logarithm would not fit the arguments of N(x), and a call there is worth
/// less than the node.
const LEAST: u64 = ONE >> 12;
/// By how many bits gamma is stored coarser: it grows with the reciprocal of the standard deviation.
pub(super) const GAMMA_SHIFT: u32 = 12;
/// Largest distance of the current spot from the arrays', in Q32: 1/32.
const MAX_DRIFT: u64 = 1 << 27;

/// The relative spots of the nodes and their logarithms: a function of the range alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// A sixth of the range, Q30, rounded down.
    step: u64,
    /// Relative spots, Q30, below 2^32: those of the moves, then those of the extremes.
    spots: [u64; UP_NODES],
    /// Their natural logarithms, Q32; of a spot of zero, that of 2^-30, where every call is worth nothing.
    logarithms: [i64; UP_NODES],
}

impl Nodes {
    /// The nodes for a range between [`MIN_RANGE`] and [`MAX_RANGE`].
    ///
    /// # Errors
    ///
    /// [`Error::OptionRangeInvalid`].
    pub fn new(range: Ppm) -> Result<Self, Error> {
        if range < MIN_RANGE || range > MAX_RANGE {
            return Err(Error::OptionRangeInvalid);
        }
        let step = step_of(range);
        let mut nodes = Self { step, spots: [ONE; UP_NODES], logarithms: [0; UP_NODES] };
        // step <= 2^30 * 0.8 / 6 < 2^28, so 7 steps are below one and 1 + 21 steps below 2^32.
        let lowest = ONE.wrapping_sub(step.wrapping_mul(7));
        let (moves, extremes) = nodes.spots.split_at_mut_checked(NODES).ok_or(Error::OptionRangeInvalid)?;
        for (spot, steps) in moves.iter_mut().zip(0_u64..) {
            *spot = lowest.wrapping_add(step.wrapping_mul(steps));
        }
        for (spot, node) in extremes.iter_mut().zip(extreme_spots(step)) {
            *spot = node;
        }
        for (logarithm, spot) in nodes.logarithms.iter_mut().zip(nodes.spots) {
            // Q30 to Q32: below 2^34.
            *logarithm = ln((spot << 2).max(4))? >> 8;
        }
        Ok(nodes)
    }
}

/// A sixth of a range, Q30, rounded down: at least 178.
pub(super) const fn step_of(range: Ppm) -> u64 {
    // At most 2^32 * 2^30.
    (range.wide() << 30) / 6_000_000
}

/// The nodes around the extreme moves, ascending: `1 - 7/2 range` or zero where that is below 1/4096, `1 - 5/2 range` but
/// at least 1/32, `1 + 5/2 range`, `1 + 7/2 range`.
pub(super) const fn extreme_spots(step: u64) -> [u64; EXTREMES] {
    // step < 2^28.
    let (near, far) = (step.wrapping_mul(15), step.wrapping_mul(21));
    let (below, far_below) = (ONE.saturating_sub(near), ONE.saturating_sub(far));
    [
        if far_below < LEAST { 0 } else { far_below },
        if below > LOWEST { below } else { LOWEST },
        ONE.wrapping_add(near),
        ONE.wrapping_add(far),
    ]
}

/// What the arrays of a board are computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// The oracle's spot.
    pub spot: Price,
    /// Forward of the expiry.
    pub forward: Price,
    /// Discount factor to the expiry, above zero.
    pub discount: Fraction,
    /// One lot in base units, above zero.
    pub lot: u64,
    /// Time to expiry.
    pub time: Seconds,
    /// When this is.
    pub now: Timestamp,
    /// The market's shock range.
    pub range: Ppm,
    /// By how much the scenarios raise a volatility, relative, for this time to expiry.
    pub volatility_up: Ppm,
    /// By how much the scenarios lower a volatility, relative, for this time to expiry; at most one.
    pub volatility_down: Ppm,
}

/// What the arrays of a board were computed at: kept with the arrays, read with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct ArrayTerms {
    /// The spot that the nodes are relative to.
    pub spot: Price,
    /// The forward at that spot.
    pub forward: Price,
    /// Discount factor to the expiry.
    pub discount: Fraction,
    /// One lot in base units.
    pub lot: u64,
    /// When it was.
    pub time: Timestamp,
    /// How old the arrays may become: a sixteenth of the time to expiry.
    pub max_age: Seconds,
    /// How far the spot may move: relative, Q32. A quarter of the least standard deviation among the strikes, at most 1/32.
    pub max_drift: u64,
    /// A sixth of the range, Q30.
    pub step: u32,
    /// Values are in units of `2^-scale` quote native.
    pub scale: i32,
}

/// Values of one lot of a strike's call, in units of `2^-scale` quote native. See the module's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bytemuck", derive(bytemuck::Pod, bytemuck::Zeroable))]
#[repr(C)]
pub struct RiskArray {
    /// 15 nodes with the volatility up, 15 with it down, 4 extremes; then, at the spot: value, delta times spot, gamma
    /// times spot squared (4,096 units each), vega for a volatility of 1, and what the largest age takes off.
    pub values: [u32; VALUES],
}

impl Default for RiskArray {
    fn default() -> Self {
        Self { values: [0; VALUES] }
    }
}

/// A board being refreshed: what all its strikes have in common.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    nodes: &'a Nodes,
    terms: ArrayTerms,
    /// Square root of the time to expiry, floored.
    root: RootTime,
    /// Time to expiry in seconds, floored.
    seconds: u64,
    /// `m` of the module's page.
    mantissa: u64,
    volatility_up: Ppm,
    volatility_down: Ppm,
}

impl<'a> Refresh<'a> {
    /// Prepares the refresh of a board. `nodes` are those of the market's range.
    ///
    /// # Errors
    ///
    /// [`Error::OptionRangeInvalid`] when the nodes are of another range, [`Error::ForwardOutOfRange`],
    /// [`Error::DiscountFactorInvalid`], [`Error::ExpiryOutOfRange`], [`Error::VolatilityShockInvalid`],
    /// [`Error::LotInvalid`].
    pub fn new(board: &Board, nodes: &'a Nodes) -> Result<Self, Error> {
        if nodes.step != step_of(board.range) {
            return Err(Error::OptionRangeInvalid);
        }
        let domain = Price::MIN_SPOT..=Price::from_raw(u64::MAX >> 1);
        if !domain.contains(&board.spot) || !domain.contains(&board.forward) {
            return Err(Error::ForwardOutOfRange);
        }
        if board.discount.is_zero() || board.discount > Fraction::ONE {
            return Err(Error::DiscountFactorInvalid);
        }
        if !board.time.is_positive() || board.time > MAX_EXPIRY {
            return Err(Error::ExpiryOutOfRange);
        }
        if board.volatility_up > MAX_VOLATILITY_SHOCK || board.volatility_down > Ppm::ONE {
            return Err(Error::VolatilityShockInvalid);
        }
        let time = board.time.max(MIN_TIME);
        let seconds = time.unsigned_abs();
        let (mantissa, scale) = scale(board)?;
        let step = u32::try_from(nodes.step).map_err(|_| Error::OptionRangeInvalid)?;
        Ok(Self {
            nodes,
            terms: ArrayTerms {
                spot: board.spot,
                forward: board.forward,
                discount: board.discount,
                lot: board.lot,
                time: board.now,
                max_age: Seconds::from_raw((seconds >> 4).cast_signed()),
                max_drift: MAX_DRIFT,
                step,
                scale,
            },
            root: RootTime::new(time)?,
            seconds,
            mantissa,
            volatility_up: board.volatility_up,
            volatility_down: board.volatility_down,
        })
    }

    /// What the arrays are computed at. Final once the last strike is done: every strike may narrow
    /// [`ArrayTerms::max_drift`].
    pub const fn terms(&self) -> &ArrayTerms {
        &self.terms
    }

    /// Goes on with a board whose other strikes were computed before, at these terms: the drift allowed is the least of
    /// all.
    ///
    /// # Errors
    ///
    /// [`Error::ArraysOutOfReach`] when the terms are of another moment.
    pub fn resume(&mut self, terms: &ArrayTerms) -> Result<(), Error> {
        let max_drift = terms.max_drift.min(self.terms.max_drift);
        if (ArrayTerms { max_drift: self.terms.max_drift, ..*terms }) != self.terms {
            return Err(Error::ArraysOutOfReach);
        }
        self.terms.max_drift = max_drift;
        Ok(())
    }

    /// The array of one strike.
    ///
    /// # Errors
    ///
    /// [`Error::StrikeOutOfRange`], [`Error::VolatilityOutOfRange`].
    pub fn array(&mut self, strike: Price, volatility: Volatility) -> Result<RiskArray, Error> {
        let deviation = Deviation::new(volatility, self.root)?;
        let at = Strike::new(strike, self.terms.forward, self.mantissa)?;
        let mut array = RiskArray::default();
        let (curves, mark) = array.values.split_at_mut_checked(MARK).ok_or(Error::Overflow)?;
        let (moves, extremes) = curves.split_at_mut_checked(EXTREME).ok_or(Error::Overflow)?;
        let (up, down) = moves.split_at_mut_checked(NODES).ok_or(Error::Overflow)?;
        let width = Width::new(Deviation::new(volatility_up(volatility, self.volatility_up), self.root)?);
        at.curve(up, self.nodes.spots.iter().zip(&self.nodes.logarithms), &width);
        let beyond = self.nodes.spots.iter().zip(&self.nodes.logarithms).skip(NODES);
        at.curve(extremes, beyond, &width);
        let width = Width::new(Deviation::new(volatility_down(volatility, self.volatility_down), self.root)?);
        at.curve(down, self.nodes.spots.iter().zip(&self.nodes.logarithms), &width);
        // w / 4, from Q60 to Q32.
        self.terms.max_drift = self.terms.max_drift.min(deviation.total() >> 30);
        for (stored, value) in mark.iter_mut().zip(at.mark(deviation, self.root, self.seconds)) {
            *stored = value;
        }
        Ok(array)
    }
}

/// `m` and `scale` of a board: `m / 2 = D F lot 2^scale` with `m` in `[2^30, 2^31)`, rounded down.
///
/// # Errors
///
/// [`Error::LotInvalid`] for a lot worth less than 0.01 or more than 100 million quote.
fn scale(board: &Board) -> Result<(u64, i32), Error> {
    let (high, low) = mul_wide(board.forward.raw(), board.lot);
    // Q48 of quote native: between 10^4 2^48 > 2^61 and 10^14 2^48 < 2^95.
    if high >> 31 != 0 {
        return Err(Error::LotInvalid);
    }
    // Q16, below 2^63.
    let worth = (high << 32) | (low >> 32);
    let (worth_high, worth_low) = mul_wide(worth, board.discount.raw());
    // The discount is at most 2^32.
    let worth = (worth_high << 32) | (worth_low >> 32);
    if !(10_000 << 16..=100_000_000_000_000 << 16).contains(&worth) {
        return Err(Error::LotInvalid);
    }
    // worth = 2^16 D F lot in [2^29, 2^63).
    let mut mantissa = worth;
    let mut exponent = 15_i32;
    while mantissa >> 31 != 0 {
        mantissa >>= 1;
        exponent = exponent.wrapping_sub(1);
    }
    while mantissa >> 30 == 0 && mantissa != 0 {
        mantissa <<= 1;
        exponent = exponent.wrapping_add(1);
    }
    // mantissa = worth 2^(exponent - 15) = D F lot 2^(exponent + 1): scale is the exponent.
    Ok((mantissa, exponent))
}

/// A standard deviation to expiry as the nodes need it: half of it, and its reciprocal short enough for one product.
struct Width {
    /// `w / 2`, Q32.
    half: i64,
    /// `2^shift / w`: between 2^26 and 2^27. An error of 2^-26 moves d1 and d2 alike, and there a call's value is
    /// stationary: `F phi(d1) = K phi(d2)`.
    reciprocal: i64,
    /// 7 to 29.
    shift: u32,
}

impl Width {
    #[inline(always)]
    fn new(deviation: Deviation) -> Self {
        let (mantissa, exponent) = deviation.reciprocal();
        Self {
            half: deviation.half().cast_signed(),
            reciprocal: (mantissa >> 5).cast_signed(),
            shift: 27_i32.wrapping_sub(exponent).cast_unsigned(),
        }
    }

    /// `d1` and `d2` for `ln(F x / K)` in Q32, Q32 too.
    ///
    /// The logarithm is below 12.3 2^32 (`ln 50 + ln 4096`; at a spot of zero below 25 2^32, where the product may wrap and
    /// the call is worth nothing whatever comes out) and the reciprocal at most 2^27: below 2^63.
    #[inline(always)]
    const fn arguments(&self, logarithm: i64) -> (i64, i64) {
        let centre = logarithm.wrapping_mul(self.reciprocal) >> self.shift;
        (centre.wrapping_add(self.half), centre.wrapping_sub(self.half))
    }
}

/// One strike of a board.
struct Strike {
    /// `ln(F / K)`, Q32.
    logarithm: i64,
    /// `K / F` in Q30 less `shift` bits, below 2^32.
    moneyness: u64,
    /// 0 but for strikes above four forwards.
    shift: u32,
    /// `m` of the module's page.
    mantissa: u64,
}

impl Strike {
    fn new(strike: Price, forward: Price, mantissa: u64) -> Result<Self, Error> {
        // A quotient from 2^64 on is far above the bound.
        let ratio = mul_div_floor(strike.raw(), ONE, forward.raw()).ok_or(Error::StrikeOutOfRange)?;
        if !(ONE / MAX_DEPTH..=MAX_MONEYNESS << 30).contains(&ratio) {
            return Err(Error::StrikeOutOfRange);
        }
        // At most 4, as 50 < 64. Nearest: at the highest strikes a unit is 1.5e-8 forwards.
        let mut shift = 0_u32;
        while ratio >> shift >> 32 != 0 {
            shift = shift.wrapping_add(1);
        }
        let moneyness = (ratio.wrapping_add((1 << shift) >> 1) >> shift).min(u64::from(u32::MAX));
        Ok(Self { logarithm: ln_ratio(forward.raw(), strike.raw())? >> 8, moneyness, shift, mantissa })
    }

    /// Values at nodes, for one volatility.
    #[inline(never)]
    fn curve<'n>(&self, values: &mut [u32], nodes: impl Iterator<Item = (&'n u64, &'n i64)>, width: &Width) {
        for (value, (spot, logarithm)) in values.iter_mut().zip(nodes) {
            let (d1, d2) = width.arguments(self.logarithm.wrapping_add(*logarithm));
            *value = self.stored(self.call(*spot, d1, d2));
        }
    }

    /// `max(0, x N(d1) - k N(d2))`, Q30: at most the node, below 2^32.
    #[inline(always)]
    fn call(&self, spot: u64, d1: i64, d2: i64) -> u64 {
        // Both factors are below 2^32, N at most 2^32: no product wraps. The second term is at most 50 forwards.
        let gained = spot.wrapping_mul(normal_distribution(d1)) >> 32;
        let paid = (self.moneyness.wrapping_mul(normal_distribution(d2)) >> 32) << self.shift;
        if gained > paid { gained.wrapping_sub(paid) } else { 0 }
    }

    /// A relative value, Q30 below 2^32, in the board's units.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    const fn stored(&self, value: u64) -> u32 {
        // Below 2^32 * 2^31 / 2^31.
        (value.wrapping_mul(self.mantissa) >> 31) as u32
    }

    /// As [`Self::stored`], and the largest number for what does not fit.
    #[inline(always)]
    fn stored_clamped(&self, value: u64) -> u32 {
        self.stored(if value >> 32 == 0 { value } else { u64::from(u32::MAX) })
    }

    /// Value, delta, gamma, vega and decay at the spot, for the volatility itself.
    #[inline(never)]
    fn mark(&self, deviation: Deviation, root: RootTime, seconds: u64) -> [u32; 5] {
        let width = Width::new(deviation);
        let (d1, d2) = width.arguments(self.logarithm);
        // Q32, at most 0.4.
        let density = normal_density(d1);
        let delta = normal_distribution(d1) >> 2;
        // phi / w = density reciprocal / 2^shift, Q32, below 2^59 before the shift; to Q30 less GAMMA_SHIFT.
        let gamma = density.wrapping_mul(width.reciprocal.cast_unsigned()) >> 14 >> width.shift;
        // phi sqrt(T): both in Q32, Q64 to Q30. Below 0.4 * 1.42 * 2^64.
        let vega = density.wrapping_mul(root.years() >> 30) >> 34;
        // phi w / (2 T) over the largest age, T / 16 in whole seconds: phi w in Q30 first, of a product below 0.4 * 7.1 * 2^62 < 2^64.
        let scaled = density.wrapping_mul(deviation.total() >> 30) >> 32;
        let decay = scaled.wrapping_mul(seconds >> 4).checked_div(seconds << 1).unwrap_or(0);
        [
            self.stored(self.call(ONE, d1, d2)),
            self.stored_clamped(delta),
            self.stored_clamped(gamma),
            self.stored_clamped(vega),
            self.stored_clamped(decay),
        ]
    }
}
