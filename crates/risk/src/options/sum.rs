//! The options of one account in one board, summed node by node, and what they say at the market's spot and range.
use super::array::{ArrayTerms, DOWN, EXTREMES, GAMMA_SHIFT, MARK, NODES, ONE, RiskArray, VALUES, extreme_spots};
use super::{OptionRisk, SCENARIOS};
use crate::Error;
use crate::addons::short_minimum;
use crate::black::OptionKind;
use crate::greeks::OptionGreeks;
use crate::math::{
    mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, mul_shift_ceil, mul_shift_floor, positive,
    shift_div_floor,
};
use crate::portfolio::{MAX_EXTREME_DAMPING, MAX_RANGE, MAX_VALUE, exceeds};
use crate::units::{Base, Fraction, Lots, Ppm, Price, Q32, Quote, Seconds, Timestamp};

/// Most lots of one account in one board, long and short together. Sums of lots times values then stay below 2^62.
pub const MAX_LOTS: u64 = 1 << 30;

/// The low 32 bits.
const LOW: i64 = 0xFFFF_FFFF;
/// One in the Q31 of a place between two nodes.
const WHOLE: i64 = 1 << 31;
/// The last node that has another above it.
const LAST_NODE: u64 = 13;
/// Scenarios within the range.
const INSIDE: usize = SCENARIOS - 2;
/// From a node with the volatility up to the next one with it down.
const WINDOW: usize = DOWN + 2;
/// Largest place: seven steps from the centre.
const LAST: i64 = 7 * WHOLE;

/// The market at the moment of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The oracle's spot.
    pub spot: Price,
    /// The clock.
    pub now: Timestamp,
    /// Shock range towards init.
    pub range: Ppm,
    /// Shock range towards maint, at most that.
    pub range_maint: Ppm,
    /// What part of an extreme move counts, at most a third.
    pub extreme_damping: Ppm,
    /// Short-option minimum, relative to the notional.
    pub short_minimum: Ppm,
}

/// An account's options of one board, summed.
#[derive(Clone, Copy, Debug)]
pub struct BoardSum {
    /// Lots times values of the calls, and of the calls that puts are made of.
    values: [i64; VALUES],
    /// Lots of the long positions, then of the short ones.
    long: u64,
    short: u64,
    /// Net lots of puts.
    puts: i64,
    /// Lots times strikes of the puts, Q48: of the upper halves of the strikes, then of the lower ones. Each below 2^62.
    strikes: [i64; 2],
}

/// The options that an account has of one strike: the call and the put are read off one array.
#[derive(Clone, Copy, Debug)]
pub struct StrikeLots<'a> {
    /// Values of the strike's call.
    pub array: &'a RiskArray,
    /// The strike.
    pub strike: Price,
    /// Lots of the call.
    pub calls: Lots,
    /// Lots of the put.
    pub puts: Lots,
}

impl Default for BoardSum {
    fn default() -> Self {
        Self::new()
    }
}

impl BoardSum {
    /// No options.
    #[inline]
    pub const fn new() -> Self {
        Self { values: [0; VALUES], long: 0, short: 0, puts: 0, strikes: [0; 2] }
    }

    /// Adds a position in the option of one strike.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyLots`].
    #[inline]
    pub fn add(&mut self, array: &RiskArray, kind: OptionKind, strike: Price, lots: Lots) -> Result<(), Error> {
        self.count(lots)?;
        add_values(&mut self.values, array, lots.raw());
        if kind == OptionKind::Put {
            self.add_parity(strike, lots);
        }
        Ok(())
    }

    /// Adds the options of one strike: what [`Self::add`] of both would, with one pass over the array.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyLots`].
    #[inline]
    pub fn add_strike(&mut self, own: &StrikeLots<'_>) -> Result<(), Error> {
        let lots = self.count_strike(own)?;
        add_values(&mut self.values, own.array, lots);
        Ok(())
    }

    /// Adds the options of two strikes, with one pass over the sums.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyLots`].
    #[inline]
    pub fn add_two_strikes(&mut self, one: &StrikeLots<'_>, other: &StrikeLots<'_>) -> Result<(), Error> {
        let lots = [self.count_strike(one)?, self.count_strike(other)?];
        add_values_of_two(&mut self.values, [one.array, other.array], lots);
        Ok(())
    }

    /// Counts the options of a strike and makes its put of a call, and says how many calls they are then.
    #[inline(always)]
    fn count_strike(&mut self, own: &StrikeLots<'_>) -> Result<i64, Error> {
        self.count(own.calls)?;
        if !own.puts.is_zero() {
            self.count(own.puts)?;
            self.add_parity(own.strike, own.puts);
        }
        // Each at most 2^30 either way.
        Ok(own.calls.raw().wrapping_add(own.puts.raw()))
    }

    /// Counts the lots, before anything is multiplied by them.
    #[inline(always)]
    fn count(&mut self, lots: Lots) -> Result<(), Error> {
        let magnitude = lots.unsigned_abs();
        if magnitude > MAX_LOTS {
            return Err(Error::TooManyLots);
        }
        // Each at most 2^30 before, so neither sum wraps.
        if lots.is_negative() {
            self.short = self.short.wrapping_add(magnitude);
        } else {
            self.long = self.long.wrapping_add(magnitude);
        }
        if self.long.wrapping_add(self.short) > MAX_LOTS { Err(Error::TooManyLots) } else { Ok(()) }
    }

    /// What makes a put of a call: less a forward, plus the discounted strike.
    #[inline(always)]
    fn add_parity(&mut self, strike: Price, lots: Lots) {
        let (strike, lots) = (strike.raw(), lots.raw());
        let [high, low] = &mut self.strikes;
        // At most 2^30 lots in all, halves below 2^32.
        *high = high.wrapping_add((strike >> 32).cast_signed().wrapping_mul(lots));
        *low = low.wrapping_add((strike & LOW.cast_unsigned()).cast_signed().wrapping_mul(lots));
        self.puts = self.puts.wrapping_add(lots);
    }

    /// Adds what the board's options are worth and could lose to an underlying's.
    ///
    /// # Errors
    ///
    /// [`Error::ArraysTooOld`], [`Error::ArraysOutOfReach`]: refresh the board first. [`Error::RangeTooLarge`],
    /// [`Error::MaintenanceRangeTooLarge`], [`Error::ExtremeDampingInvalid`], [`Error::Overflow`].
    pub fn finish(&self, terms: &ArrayTerms, reading: &Reading, risk: &mut OptionRisk) -> Result<(), Error> {
        if reading.range > MAX_RANGE {
            return Err(Error::RangeTooLarge);
        }
        if reading.range_maint > reading.range {
            return Err(Error::MaintenanceRangeTooLarge);
        }
        if reading.extreme_damping > MAX_EXTREME_DAMPING {
            return Err(Error::ExtremeDampingInvalid);
        }
        let at = Place::new(terms, reading)?;
        let undecayed = self.mark(&at)?;
        let mut gains = [0; SCENARIOS];
        self.gains(&at, reading.range, reading.extreme_damping, undecayed, &mut gains)?;
        add_gains(&mut risk.pnl_init, &gains)?;
        if reading.range_maint != reading.range {
            self.gains(&at, reading.range_maint, reading.extreme_damping, undecayed, &mut gains)?;
        }
        add_gains(&mut risk.pnl_maint, &gains)?;
        self.add_worth(terms, &at, undecayed, risk)?;
        self.add_minimums(terms, reading, risk)
    }

    /// `V + delta S V' + delta^2 S^2 V'' / 2`, in units of the values.
    fn mark(&self, at: &Place) -> Result<i64, Error> {
        let [value, delta, gamma, ..] = *self.at_spot()?;
        // |drift| <= 2^27 in Q32, so its square has Q64 below 2^54, and Q42 below 2^32.
        let square = at.drift.wrapping_mul(at.drift) >> 22;
        // Q42 less the coarseness of gamma, and one bit more for the half.
        let curvature = scaled::<32>(gamma, square >> 1) << (GAMMA_SHIFT + 32 - 42);
        // Of arrays as they are computed: gamma is at most 0.4 / w and drift w / 4, so that the curvature is at most
        // w / 80 < 0.1 of the forwards, 2^27 units a lot. The sum is below 2^62 + 2^57 + 2^57.
        Ok(value.wrapping_add(scaled::<32>(delta, at.drift)).wrapping_add(curvature))
    }

    /// Value, delta, gamma, vega and decay at the spot.
    #[inline(always)]
    fn at_spot(&self) -> Result<&[i64; 5], Error> {
        self.values.get(MARK..).and_then(|mark| mark.first_chunk()).ok_or(Error::Overflow)
    }

    /// Gains over the mark in every scenario of a range, quote native, extreme moves damped.
    #[inline(never)]
    fn gains(
        &self,
        at: &Place,
        range: Ppm,
        damping: Ppm,
        mark: i64,
        gains: &mut [i64; SCENARIOS],
    ) -> Result<(), Error> {
        let moves = Moves::new(at, range)?;
        // A sum is at most 2^32 for every lot, and a value between two sums no more. Below 2^62 + 2^63.
        let largest = (self.long.wrapping_add(self.short) << 32).wrapping_add(mark.unsigned_abs());
        let [inside @ .., down, up] = gains;
        if at.fits(largest) {
            self.moved::<false>(at, &moves, mark, inside)?;
        } else {
            self.moved::<true>(at, &moves, mark, inside)?;
        }
        (*down, *up) = (0, 0);
        if !damping.is_zero() {
            let [below, above] = self.extremes(at, &moves)?;
            *down = damped(at.quote(below.wrapping_sub(mark))?, damping)?;
            *up = damped(at.quote(above.wrapping_sub(mark))?, damping)?;
        }
        Ok(())
    }

    /// Gains after the moves within the range: checked, or known to fit.
    #[inline(never)]
    fn moved<const CHECKED: bool>(
        &self,
        at: &Place,
        moves: &Moves,
        mark: i64,
        gains: &mut [i64; INSIDE],
    ) -> Result<(), Error> {
        let (left, right) = at.shifts();
        let (up, down) = gains.split_at_mut_checked(INSIDE / 2).ok_or(Error::Overflow)?;
        let mut place = moves.lowest;
        for (gain_up, gain_down) in up.iter_mut().zip(down) {
            let (node, part) = Moves::between(place);
            place = place.wrapping_add(moves.third);
            let [up, next_up, .., down, next_down] = *self
                .values
                .get(node..)
                .and_then(|rest| rest.first_chunk::<WINDOW>())
                .ok_or(Error::ArraysOutOfReach)?;
            let moved_up = between(up, next_up, part).wrapping_sub(mark);
            let moved_down = between(down, next_down, part).wrapping_sub(mark);
            if CHECKED {
                (*gain_up, *gain_down) = (at.quote(moved_up)?, at.quote(moved_down)?);
            } else {
                *gain_up = moved_up.wrapping_shl(left).wrapping_shr(right);
                *gain_down = moved_down.wrapping_shl(left).wrapping_shr(right);
            }
        }
        Ok(())
    }

    /// Values after the extreme moves, down and up.
    #[inline(never)]
    fn extremes(&self, at: &Place, moves: &Moves) -> Result<[i64; 2], Error> {
        let (up, rest) = self.values.split_at_checked(DOWN).ok_or(Error::Overflow)?;
        let (_, rest) = rest.split_at_checked(NODES).ok_or(Error::Overflow)?;
        moves.extremes(at, rest.first_chunk().ok_or(Error::Overflow)?, up)
    }

    /// Marks, parity and delta.
    fn add_worth(&self, terms: &ArrayTerms, at: &Place, undecayed: i64, risk: &mut OptionRisk) -> Result<(), Error> {
        let [.., decay] = *self.at_spot()?;
        let decayed = undecayed.wrapping_sub(scaled::<31>(decay, at.age));
        let mut worth = at.quote(decayed)?;
        if self.strikes != [0; 2] {
            worth = worth.checked_add(self.discounted_strikes(terms)?).ok_or(Error::Overflow)?;
        }
        risk.value = risk.value.checked_add(Quote::from_raw(worth)).ok_or(Error::Overflow)?;
        let delta = self.slope(terms, at)?;
        risk.delta = risk.delta.checked_add(delta).ok_or(Error::Overflow)?;
        if self.puts != 0 {
            let forwards = self.forwards(terms)?;
            risk.exposure = risk.exposure.checked_sub(forwards).ok_or(Error::Overflow)?;
        }
        Ok(())
    }

    /// Discounted strikes of the puts: quote native, rounded down.
    #[inline(never)]
    fn discounted_strikes(&self, terms: &ArrayTerms) -> Result<i64, Error> {
        let [high, low] = self.strikes;
        // Lots times strikes are whole 2^48 + part, 0 <= part < 2^48, rounded down: below 2^62 + 2^30 before the shift.
        let high = high.wrapping_add(low >> 32);
        let (whole, part) = (high >> 16, ((high & 0xFFFF) << 32) | (low & LOW));
        let part = Price::from_raw(part.cast_unsigned()).value_floor(base_of(1, terms.lot)?).ok_or(Error::Overflow)?;
        let amount = part.checked_add(Quote::from_raw(base_of(whole, terms.lot)?.raw())).ok_or(Error::Overflow)?;
        discounted(amount, terms.discount).map(Quote::raw)
    }

    /// Delta of the calls where the spot is now, base units.
    fn slope(&self, terms: &ArrayTerms, at: &Place) -> Result<Base, Error> {
        let [_, delta, gamma, ..] = *self.at_spot()?;
        // Gamma times drift is at most 0.1 of the forwards.
        let delta = delta.wrapping_add(scaled::<32>(gamma, at.drift << 4) << (GAMMA_SHIFT - 4));
        base_at(at.quote(delta)?, terms.spot)
    }

    /// Adds the Greeks of the board's options to an underlying's: delta at the current spot, the others as they were when
    /// the arrays were computed, at their spot.
    ///
    /// # Errors
    ///
    /// As [`Self::finish`].
    pub fn add_greeks(&self, terms: &ArrayTerms, reading: &Reading, greeks: &mut OptionGreeks) -> Result<(), Error> {
        let at = Place::new(terms, reading)?;
        let [_, _, gamma, vega, decay] = *self.at_spot()?;
        let mut delta = self.slope(terms, &at)?;
        if self.puts != 0 {
            delta = delta.checked_sub(self.forwards(terms)?).ok_or(Error::Overflow)?;
        }
        let coarser = Place { scale: at.scale.saturating_sub(GAMMA_SHIFT.cast_signed()), ..at };
        let add = |sum: &mut Quote, more: i64| {
            *sum = sum.checked_add(Quote::from_raw(more)).ok_or(Error::Overflow)?;
            Ok(())
        };
        greeks.delta = greeks.delta.checked_add(delta).ok_or(Error::Overflow)?;
        add(&mut greeks.gamma, coarser.quote(gamma)?)?;
        add(&mut greeks.vega, at.quote(vega)?)?;
        add(&mut greeks.theta, per_day(at.quote(decay)?, terms.max_age)?)
    }

    /// What the puts are short in base units: `puts lot D F / spot`, rounded up, so that the exposure is rounded down.
    #[inline(never)]
    fn forwards(&self, terms: &ArrayTerms) -> Result<Base, Error> {
        let base = base_of(self.puts, terms.lot)?;
        // A board without a basis takes no division.
        let is_at_spot = terms.forward == terms.spot && !terms.spot.is_zero();
        let scale = |magnitude: u64, up: bool| {
            let (discount, ratio) = (terms.discount.raw(), (terms.forward.raw(), terms.spot.raw()));
            let shift = if up { mul_shift_ceil } else { mul_shift_floor };
            let part = shift(magnitude, discount, Q32)?;
            match (is_at_spot, up) {
                (true, _) => Some(part),
                (_, true) => mul_div_ceil(part, ratio.0, ratio.1),
                _ => mul_div_floor(part, ratio.0, ratio.1),
            }
        };
        let magnitude = scale(base.unsigned_abs(), !base.is_negative()).and_then(positive).ok_or(Error::Overflow)?;
        Ok(Base::from_raw(if base.is_negative() { magnitude.wrapping_neg() } else { magnitude }))
    }

    /// The short-option minimums, of the position and of its opposite.
    fn add_minimums(&self, terms: &ArrayTerms, reading: &Reading, risk: &mut OptionRisk) -> Result<(), Error> {
        if reading.short_minimum.is_zero() {
            return Ok(());
        }
        let minimum = |lots: u64| -> Result<u64, Error> {
            let sold = base_of(lots.cast_signed(), terms.lot)?;
            short_minimum(reading.short_minimum, sold.unsigned_abs(), reading.spot)
        };
        risk.short_minimum = risk.short_minimum.checked_add(minimum(self.short)?).ok_or(Error::Overflow)?;
        risk.long_minimum = risk.long_minimum.checked_add(minimum(self.long)?).ok_or(Error::Overflow)?;
        Ok(())
    }
}

/// Adds lots times values. Below 2^62 in all: at most 2^30 lots, values below 2^32.
///
/// In runs of 13, whose loop the compiler unrolls. Where it knows that sums and values are apart it loads all values
/// before it stores any sum, and spills; so it is not told.
#[inline(never)]
fn add_values(sums: &mut [i64; VALUES], array: &RiskArray, lots: i64) {
    const RUN: usize = 13;
    const { assert!(VALUES.is_multiple_of(RUN)) };
    let (values, _) = core::hint::black_box(array).values.as_chunks::<RUN>();
    let (sums, _) = sums.as_chunks_mut::<RUN>();
    for (sums, values) in sums.iter_mut().zip(values) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.wrapping_add(lots.wrapping_mul(i64::from(*value)));
        }
    }
}

/// Adds lots times values of two arrays, in one pass: a sum is loaded and stored once for both, 5 instructions a value
/// instead of 6.
#[inline(never)]
fn add_values_of_two(sums: &mut [i64; VALUES], arrays: [&RiskArray; 2], lots: [i64; 2]) {
    const RUN: usize = 13;
    let [one, other] = core::hint::black_box(arrays);
    let ((one, _), (other, _)) = (one.values.as_chunks::<RUN>(), other.values.as_chunks::<RUN>());
    let (sums, _) = sums.as_chunks_mut::<RUN>();
    let [lots, other_lots] = lots;
    for (sums, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            let both = lots.wrapping_mul(i64::from(*one)).wrapping_add(other_lots.wrapping_mul(i64::from(*other)));
            *sum = sum.wrapping_add(both);
        }
    }
}

/// Lots in base units.
pub(super) fn base_of(lots: i64, lot: u64) -> Result<Base, Error> {
    let lots_magnitude = lots.unsigned_abs();
    // A short cut: 2^31 2^32.
    let product = if (lots_magnitude >> 31) | (lot >> 32) == 0 {
        Some(lots_magnitude.wrapping_mul(lot))
    } else {
        crate::math::mul_checked(lots_magnitude, lot)
    };
    let magnitude = product.and_then(positive).ok_or(Error::Overflow)?;
    Ok(Base::from_raw(if lots < 0 { magnitude.wrapping_neg() } else { magnitude }))
}

/// `amount discount`, rounded down, for a discount of at most one.
fn discounted(amount: Quote, discount: Fraction) -> Result<Quote, Error> {
    if discount >= Fraction::ONE {
        return if discount == Fraction::ONE { Ok(amount) } else { Err(Error::DiscountFactorInvalid) };
    }
    // By halves: each product is at most (2^32 - 1)^2, with the rounding below 2^64, and the result below the magnitude.
    let (magnitude, rounding) = (amount.unsigned_abs(), if amount.is_negative() { LOW.cast_unsigned() } else { 0 });
    let low = (magnitude & LOW.cast_unsigned()).wrapping_mul(discount.raw()).wrapping_add(rounding);
    let part = (magnitude >> 32).wrapping_mul(discount.raw()).wrapping_add(low >> 32).cast_signed();
    Ok(Quote::from_raw(if amount.is_negative() { part.wrapping_neg() } else { part }))
}

/// A value in base units at a price, rounded toward zero.
fn base_at(value: i64, spot: Price) -> Result<Base, Error> {
    let magnitude = shift_div_floor::<3>(value.unsigned_abs(), spot.raw());
    let magnitude = magnitude.and_then(positive).ok_or(Error::Overflow)?;
    Ok(Base::from_raw(if value < 0 { magnitude.wrapping_neg() } else { magnitude }))
}

/// What a day adds, rounded toward zero, from what the largest age takes off.
fn per_day(decay: i64, max_age: Seconds) -> Result<i64, Error> {
    const DAY: u64 = 86_400;
    let magnitude = mul_div_floor(decay.unsigned_abs(), DAY, max_age.raw().unsigned_abs());
    let magnitude = magnitude.and_then(positive).ok_or(Error::Overflow)?;
    Ok(if decay < 0 { magnitude } else { magnitude.wrapping_neg() })
}

/// `floor(value factor / 2^SHIFT)`, for a factor of at most 2^31 either way.
///
/// With `value = h 2^SHIFT + l` and `0 <= l < 2^SHIFT <= 2^32` it is `h factor + floor(l factor / 2^SHIFT)`. For `|value|`
/// up to 2^62 and SHIFT = 31 or 32 no product reaches 2^63.
#[inline(always)]
const fn scaled<const SHIFT: u32>(value: i64, factor: i64) -> i64 {
    let mask = LOW >> 32_u32.wrapping_sub(SHIFT);
    let (high, low) = (value >> SHIFT, value & mask);
    high.wrapping_mul(factor).wrapping_add(low.wrapping_mul(factor) >> SHIFT)
}

/// The value between a node and the next, `part` (Q31) of the way.
#[inline(always)]
fn chord(values: &[i64], node: usize, part: i64) -> Result<i64, Error> {
    let pair = values.get(node..).and_then(|rest| rest.first_chunk::<2>()).ok_or(Error::ArraysOutOfReach)?;
    let [below, above] = *pair;
    Ok(between(below, above, part))
}

/// The value `part` (Q31) of the way from one to another, rounded down, for values of the same lots.
#[inline(always)]
const fn between(below: i64, above: i64, part: i64) -> i64 {
    // Both below 2^62, and so is their difference: values of one lot are between 0 and 2^32.
    below.wrapping_add(scaled::<31>(above.wrapping_sub(below), part))
}

/// The part of a gain that counts: gains rounded down, losses up.
fn damped(gain: i64, damping: Ppm) -> Result<i64, Error> {
    let magnitude = gain.unsigned_abs();
    let part = if gain < 0 {
        mul_ppm_ceil(magnitude, damping).and_then(crate::math::negative)
    } else {
        mul_ppm_floor(magnitude, damping).and_then(positive)
    };
    part.ok_or(Error::Overflow)
}

/// Adds a board's gains to an underlying's, each sum at most [`MAX_VALUE`] either way.
fn add_gains(sums: &mut [Quote; SCENARIOS], gains: &[i64; SCENARIOS]) -> Result<(), Error> {
    for (sum, gain) in sums.iter_mut().zip(gains) {
        // Both at most 2^58.
        let total = sum.raw().wrapping_add(*gain);
        if exceeds(total) {
            return Err(Error::Overflow);
        }
        *sum = Quote::from_raw(total);
    }
    Ok(())
}

/// By how many bits a value of arrays of a scale is shifted left and then right for quote native: one of them is zero.
#[inline(always)]
fn shifts(scale: i32) -> (u32, u32) {
    let shift = scale.unsigned_abs().min(63);
    if scale >= 0 { (0, shift) } else { (shift, 0) }
}

/// A value of arrays of a scale in quote native, rounded down; at most [`MAX_VALUE`] either way.
#[inline(always)]
pub(super) fn quote_of(value: i64, scale: i32) -> Result<i64, Error> {
    let (left, right) = shifts(scale);
    let up = value << left;
    if up >> left != value {
        return Err(Error::Overflow);
    }
    let quote = up >> right;
    if quote.unsigned_abs() > MAX_VALUE { Err(Error::Overflow) } else { Ok(quote) }
}

/// Where the market is, seen from the arrays.
struct Place {
    /// Spot over the arrays' spot, Q32.
    ratio: u64,
    /// That less one, at most 2^27 either way.
    drift: i64,
    /// Age of the arrays over the largest, Q31: at most one.
    age: i64,
    /// A sixth of the arrays' range, Q30.
    step: u64,
    /// Scale of the values.
    scale: i32,
}

impl Place {
    fn new(terms: &ArrayTerms, reading: &Reading) -> Result<Self, Error> {
        let age = reading.now.since(terms.time).raw().max(0);
        // No arrays are computed to grow older than 2^22 s.
        if age > terms.max_age.raw() || terms.max_age.raw() >> 22 != 0 {
            return Err(Error::ArraysTooOld);
        }
        let ratio = if reading.spot == terms.spot {
            1 << 32
        } else {
            shift_div_floor::<2>(reading.spot.raw(), terms.spot.raw()).ok_or(Error::ArraysOutOfReach)?
        };
        if ratio.abs_diff(1 << 32) > terms.max_drift.min(1 << 27) || terms.step == 0 {
            return Err(Error::ArraysOutOfReach);
        }
        Ok(Self {
            ratio,
            // Within 2^27 of 2^32.
            drift: ratio.cast_signed().wrapping_sub(1 << 32),
            // Below 2^42 for arrays of two years; for any other it is an age that no arrays have.
            age: (age.unsigned_abs() << 31).checked_div(terms.max_age.unsigned_abs()).unwrap_or(0).cast_signed(),
            step: u64::from(terms.step),
            scale: terms.scale,
        })
    }

    /// By how many bits a value of the arrays is shifted left and then right for quote native: one of them is zero.
    #[inline(always)]
    fn shifts(&self) -> (u32, u32) {
        shifts(self.scale)
    }

    /// Whether all values up to a magnitude are at most [`MAX_VALUE`] in quote native.
    fn fits(&self, magnitude: u64) -> bool {
        let (left, right) = self.shifts();
        // Rounding down adds at most one below zero.
        magnitude >> right < MAX_VALUE >> left
    }

    /// A value of the arrays in quote native, rounded down; at most [`MAX_VALUE`] either way.
    #[inline(always)]
    fn quote(&self, value: i64) -> Result<i64, Error> {
        quote_of(value, self.scale)
    }
}

/// The moves of a range, in steps of the arrays.
struct Moves {
    /// Where the lowest move ends, in steps from the lowest node, Q31: none ends below it or above the highest.
    lowest: i64,
    /// A third of the range, in steps, Q31.
    third: i64,
    /// The whole range of the current spot, Q30 of the arrays' spot.
    whole: u64,
}

impl Moves {
    fn new(at: &Place, range: Ppm) -> Result<Self, Error> {
        // ratio < 2^33 and range at most 10^6 < 2^20.
        let whole = (at.ratio.wrapping_mul(range.wide()) / 1_000_000) >> 2;
        // |drift| in Q30 is at most 2^25: 2^56. step is above zero, checked by Place.
        let origin = ((at.drift.unsigned_abs() >> 2) << 31).checked_div(at.step).ok_or(Error::ArraysOutOfReach)?;
        // whole <= 2^31: 2^62.
        let third = ((whole << 31) / 3).checked_div(at.step).ok_or(Error::ArraysOutOfReach)?;
        if third > LAST.unsigned_abs() {
            return Err(Error::ArraysOutOfReach);
        }
        let (origin, third) = (origin.cast_signed(), third.cast_signed());
        let origin = if at.drift < 0 { origin.wrapping_neg() } else { origin };
        // origin is below 2^56, three thirds at most 21 2^31.
        let centre = origin.wrapping_add(LAST);
        let lowest = centre.wrapping_sub(third.wrapping_mul(3));
        if lowest < 0 || centre.wrapping_add(third.wrapping_mul(3)) > LAST.wrapping_mul(2) {
            return Err(Error::ArraysOutOfReach);
        }
        Ok(Self { lowest, third, whole })
    }

    /// The node below a place, and how far it is to the next, Q31; of the highest node, the end of the last chord.
    #[inline(always)]
    fn between(place: i64) -> (usize, i64) {
        let node = (place.cast_unsigned() >> 31).min(LAST_NODE);
        // At most 13 2^31.
        let part = place.wrapping_sub((node << 31).cast_signed());
        (usize::try_from(node).unwrap_or(usize::MAX), part)
    }

    /// Values after the extreme moves, down and up, from those of their nodes and of the moves with the volatility up.
    #[inline(always)]
    fn extremes(&self, at: &Place, values: &[i64; EXTREMES], moves: &[i64]) -> Result<[i64; 2], Error> {
        let [far_down, near_down, near_up, far_up] = extreme_spots(at.step);
        let [far_below, near_below, near_above, far_above] = *values;
        let spot = at.ratio >> 2;
        // Three ranges: below 2^33.
        let distance = self.whole.wrapping_mul(3);
        let (down, up) = (spot.saturating_sub(distance), spot.wrapping_add(distance));
        Ok([
            if down <= near_down {
                chord(&[far_below, near_below], 0, part(down, far_down, near_down)?)?
            } else {
                nearer(moves, at.step, down, near_down, near_below)?
            },
            if up >= near_up {
                chord(&[near_above, far_above], 0, part(up, near_up, far_up)?)?
            } else {
                nearer(moves, at.step, up, near_up, near_above)?
            },
        ])
    }
}

/// The value after an extreme move that ends nearer than its nodes: of a range towards maint below five sixths of the
/// arrays'. Between the outermost move and the nearer extreme node, at `spot`, or among the moves.
#[cold]
#[inline(never)]
fn nearer(moves: &[i64], step: u64, place: u64, spot: u64, value: i64) -> Result<i64, Error> {
    let (first, last) = (moves.first().ok_or(Error::ArraysOutOfReach)?, moves.last().ok_or(Error::ArraysOutOfReach)?);
    // Below 2^28 in arrays as they are computed, 2^32 in any: seven steps are below 2^35.
    let reach = step.wrapping_mul(7);
    let (lowest, highest) = (ONE.saturating_sub(reach), ONE.wrapping_add(reach));
    if place < lowest {
        return chord(&[value, *first], 0, part(place, spot, lowest)?);
    }
    if place > highest {
        return chord(&[*last, value], 0, part(place, highest, spot)?);
    }
    let node = place.wrapping_sub(lowest).checked_div(step).ok_or(Error::ArraysOutOfReach)?.min(LAST_NODE);
    let low = lowest.wrapping_add(node.wrapping_mul(step));
    chord(moves, usize::try_from(node).unwrap_or(usize::MAX), part(place, low, low.wrapping_add(step))?)
}

/// How far a place is from `low` to `high`, Q31.
fn part(place: u64, low: u64, high: u64) -> Result<i64, Error> {
    if place < low || place > high {
        return Err(Error::ArraysOutOfReach);
    }
    // Below 2^32 2^31.
    let part = (place.wrapping_sub(low) << 31).checked_div(high.wrapping_sub(low)).ok_or(Error::ArraysOutOfReach)?;
    Ok(part.cast_signed())
}
