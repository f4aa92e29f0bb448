//! The stress scenarios as data, and what a linear exposure gains in each.
//!
//! ```text
//! k = 0..7     price moves by (k - 3) / 3 of the range, volatility up
//! k = 7..14    price moves by (k - 10) / 3 of the range, volatility down
//! k = 14, 15   price moves by -3 and by +3 ranges, volatility up, and only the part `damping` of the result counts
//! ```
//!
//! These are the sixteen scenarios of SPAN, the Chicago Mercantile Exchange's portfolio analysis: seven price moves in
//! thirds of a range, each with the volatility up and down, and two extreme moves, of which SPAN counts a third, against
//! positions that lose only far out.
//!
//! With `m` the move in ranges, a linear exposure whose shock is `a` gains `m a`, and `m damping a` in an extreme move.
//! As `3 damping <= 1` (the engine's [`MAX_EXTREME_DAMPING`]), all sixteen factors
//! lie within `[-1, 1]` and both ends are among them: a linear book loses `|a|` at most, at an end of its range, and the
//! extreme moves change nothing for it.
//!
//! # Volatility up and down
//!
//! Near expiries' volatilities move more than far ones'. A shock is configured at 30 days and has a term structure of two
//! powers:
//!
//! ```text
//! shock(T) = base (30 d / T)^power      T at least one day; one power below 30 days and another above
//! up       = sigma (1 + shock_up(T)),  down = sigma (1 - shock_down(T)),  both within 1 % ..= 500 %
//! ```
//!
//! Source: the published rules of Deribit's portfolio margin, `(30 / days to expiration)^0.30 * 38 %`, and those of
//! Derive, +45 % and -30 %, powers 0.3 and 0.13, at least one day. SPAN's volatility scan is the same with one number.
use crate::Error;
use crate::black::{MAX_VOLATILITY, MIN_VOLATILITY};
use crate::functions::{exp, ln_ratio};
use crate::math::{mul_ppm_ceil, mul_ppm_floor, mul_shift_ceil};
use crate::options::SCENARIOS;
use crate::parameters::MAX_VOLATILITY_POWER;
use crate::portfolio::MAX_EXTREME_DAMPING;
use crate::units::{Ppm, Q32, Quote, Seconds, Volatility};

/// Which way the volatility is shocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VolatilityMove {
    /// Up.
    Up,
    /// Down.
    Down,
}

/// One stress scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// Relative move of the price, in thirds of the range.
    pub thirds: i8,
    /// Which way the volatility moves.
    pub volatility: VolatilityMove,
    /// Whether only the damped part of the gain or loss counts.
    pub extreme: bool,
}

/// A scenario within the range.
const fn inside(thirds: i8, volatility: VolatilityMove) -> Scenario {
    Scenario { thirds, volatility, extreme: false }
}

/// The scenarios in their order: the index of one is `k` everywhere.
pub const GRID: [Scenario; SCENARIOS] = {
    use VolatilityMove::{Down, Up};
    [
        inside(-3, Up),
        inside(-2, Up),
        inside(-1, Up),
        inside(0, Up),
        inside(1, Up),
        inside(2, Up),
        inside(3, Up),
        inside(-3, Down),
        inside(-2, Down),
        inside(-1, Down),
        inside(0, Down),
        inside(1, Down),
        inside(2, Down),
        inside(3, Down),
        Scenario { thirds: -9, volatility: Up, extreme: true },
        Scenario { thirds: 9, volatility: Up, extreme: true },
    ]
};

/// P&L of a linear exposure in every scenario, from its signed shock `a`: `floor(m_k a)`, damped where it is extreme.
///
/// # Errors
///
/// [`Error::Overflow`] for a shock of `i64::MIN`, [`Error::ExtremeDampingInvalid`].
pub fn linear_pnl(shock: Quote, extreme_damping: Ppm) -> Result<[Quote; SCENARIOS], Error> {
    if extreme_damping > MAX_EXTREME_DAMPING {
        return Err(Error::ExtremeDampingInvalid);
    }
    if shock == Quote::MIN {
        return Err(Error::Overflow);
    }
    Ok(linear(shock.raw(), extreme_damping).map(Quote::from_raw))
}

/// [`linear_pnl`] for a damping of at most [`MAX_EXTREME_DAMPING`] and a shock above `i64::MIN`.
///
/// By magnitudes, as the machine has no signed division: a third rounded down and one rounded up are enough, as `x` less
/// one of them is two thirds rounded the other way. Every part is at most the magnitude, so nothing wraps.
#[inline(never)]
pub(crate) fn linear(shock: i64, extreme_damping: Ppm) -> [i64; SCENARIOS] {
    let magnitude = shock.unsigned_abs();
    let third = magnitude / 3;
    let third_up = third.wrapping_add(u64::from(magnitude != third.wrapping_mul(3)));
    let (far, rest) = damped(magnitude, extreme_damping);
    let far_up = far.wrapping_add(u64::from(rest != 0));
    let gain = |amount: u64| amount.cast_signed();
    let loss = |amount: u64| amount.cast_signed().wrapping_neg();
    let gains = [gain(magnitude), gain(magnitude.wrapping_sub(third_up)), gain(third), gain(far)];
    let losses = [loss(magnitude), loss(magnitude.wrapping_sub(third)), loss(third_up), loss(far_up)];
    let ([d3, d2, d1, d9], [u3, u2, u1, u9]) = if shock < 0 { (gains, losses) } else { (losses, gains) };
    [d3, d2, d1, 0, u1, u2, u3, d3, d2, d1, 0, u1, u2, u3, d9, u9]
}

/// `floor(3 damping x)` and the millionths left over. Three times the damping is at most one, so with
/// `x = q 10^6 + r` neither `q damping` nor `r damping` wraps.
#[inline(always)]
const fn damped(magnitude: u64, extreme_damping: Ppm) -> (u64, u64) {
    const MILLION: u64 = 1_000_000;
    let ratio = extreme_damping.wide().wrapping_mul(3);
    let q = magnitude / MILLION;
    let part = magnitude.wrapping_sub(q.wrapping_mul(MILLION)).wrapping_mul(ratio);
    let carry = part / MILLION;
    (q.wrapping_mul(ratio).wrapping_add(carry), part.wrapping_sub(carry.wrapping_mul(MILLION)))
}

/// Minutes of one day, the shortest time that a volatility shock distinguishes.
const DAY: u64 = 24 * 60;
/// Minutes of the time at which a volatility shock is configured.
const THIRTY_DAYS: u64 = 30 * DAY;
/// Minutes of two years, the longest time to expiry: beyond it a volatility shock is as there.
const TWO_YEARS: u64 = 2 * 365 * DAY;

/// A relative volatility shock at a `time` to expiry, from the one at 30 days: `base (30 d / time)^power`, by the power
/// `short` below 30 days and `long` above, rounded up to a ppm.
///
/// The time counts in whole minutes, rounded down: the shock up, and between one day and two years. The result is at most
/// 1.02 ppm above the formula's at that minute, for the exponential's error and one rounding, and at most 0.02 below. It
/// never rises with time for powers of zero and of at least 0.1 %, as from one minute to the next the logarithm falls by
/// 9.5e-7 and so the exponential by more than its error; for powers in between it may by one ppm.
///
/// # Errors
///
/// [`Error::VolatilityShockInvalid`] for a power above [`MAX_VOLATILITY_POWER`], or a result that does not fit, which
/// takes a base above 14,000 %.
#[inline(never)]
pub fn volatility_shock(base: Ppm, short: Ppm, long: Ppm, time: Seconds) -> Result<Ppm, Error> {
    if short > MAX_VOLATILITY_POWER || long > MAX_VOLATILITY_POWER {
        return Err(Error::VolatilityShockInvalid);
    }
    let seconds = if time.is_negative() { 0 } else { time.unsigned_abs() };
    let minutes = (seconds / 60).clamp(DAY, TWO_YEARS);
    let power = if minutes < THIRTY_DAYS { short } else { long };
    // Between ln 1/24.4 and ln 30: below 2^42 in Q40, so its product with a power in ppm is below 2^62.
    let logarithm = ln_ratio(THIRTY_DAYS, minutes)?;
    let magnitude = logarithm.unsigned_abs().wrapping_mul(power.wide()) / 1_000_000;
    let exponent = if logarithm < 0 { magnitude.cast_signed().wrapping_neg() } else { magnitude.cast_signed() };
    let shock = mul_shift_ceil(base.wide(), exp(exponent)?, Q32);
    shock.and_then(|shock| u32::try_from(shock).ok()).map(Ppm::from_raw).ok_or(Error::VolatilityShockInvalid)
}

/// A volatility shocked up: `sigma (1 + shock)`, rounded up, within 1 % ..= 500 %.
#[inline]
pub fn volatility_up(volatility: Volatility, shock: Ppm) -> Volatility {
    let sigma = u64::from(volatility.raw());
    // Below 2^52, but for the sum, below 2^53.
    let more = mul_ppm_ceil(sigma, shock).unwrap_or(u64::MAX);
    let shocked = u32::try_from(sigma.saturating_add(more)).unwrap_or(u32::MAX);
    Volatility::from_raw(shocked).clamp(MIN_VOLATILITY, MAX_VOLATILITY)
}

/// A volatility shocked down: `sigma (1 - shock)`, rounded down, within 1 % ..= 500 %; a shock of 100 % and more leaves
/// the 1 %.
#[inline]
pub fn volatility_down(volatility: Volatility, shock: Ppm) -> Volatility {
    let rest = Ppm::from_raw(Ppm::ONE.raw().saturating_sub(shock.raw()));
    // At most sigma, as the ratio is at most one.
    let shocked = mul_ppm_floor(u64::from(volatility.raw()), rest).and_then(|shocked| u32::try_from(shocked).ok());
    Volatility::from_raw(shocked.unwrap_or(0)).clamp(MIN_VOLATILITY, MAX_VOLATILITY)
}
