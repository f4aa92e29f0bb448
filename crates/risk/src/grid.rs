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
//! As `3 damping <= 1` (the engine's [`MAX_EXTREME_DAMPING`](crate::portfolio::MAX_EXTREME_DAMPING)), all sixteen factors
//! lie within `[-1, 1]` and both ends are among them: a linear book loses `|a|` at most, at an end of its range, and the
//! extreme moves change nothing for it.
use crate::Error;
use crate::options::SCENARIOS;
use crate::portfolio::MAX_EXTREME_DAMPING;
use crate::units::{Ppm, Quote};

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
