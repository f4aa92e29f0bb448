//! Logarithm, exponential, square root and the normal distribution, in fixed point.
//!
//! | function | argument | result | absolute error at most |
//! |---|---|---|---|
//! | [`ln`] | `u64` Q32, above 0 | `i64` Q40 | 5e-13 |
//! | [`ln_ratio`] | two `u64`, above 0 | `i64` Q40 | 5e-13 |
//! | [`exp`] | `i64` Q40, at most 22 | `u64` Q32 | 1.2e-10 + 1e-11 of the result |
//! | [`exp_minus`] | `u64` Q40, sign turned | `u64` Q62 | 2.2e-19 + 1e-11 of the result |
//! | [`exp_parts`] | `i64` Q40, -64 to 64 | mantissa Q62 and exponent | 1e-11 of the result |
//! | [`sqrt_floor`], [`sqrt_ceil`] | `u64` Q32 | `u64` Q32 | 2.4e-10, rounding named |
//! | [`normal_distribution`] | `i64` Q32 | `u64` Q32 | 1.4e-10 |
//! | [`normal_density`] | `i64` Q32 | `u64` Q32 | 1.3e-10 |
//!
//! The arguments count as exact. `Qn` is an integer that stands for itself over `2^n`.
//!
//! Every function is a table look-up and a short polynomial whose products fit a word, because the VM has no wider
//! ones. The tables' module says what its numbers are, and a test recomputes every one of them from 60 digits.
//! `wrapping_*` in this module never wraps unless a comment says so.
//!
//! # Inlining
//!
//! What a kernel calls many times is inlined: [`normal_distribution`] and [`upper_tail`]. The logarithm and
//! [`exp_minus`] (with it the density) are bodies of their own, so that a caller keeps its registers.
mod tables;

use crate::error::Error;
use crate::math;
use tables::{LOGARITHM, POWER, TAIL};

/// `ln 2`, nearest, Q56.
const LN_2: i64 = 49_946_518_145_322_874;

/// A word above zero, shifted up until its top bit is set, and by how many bits.
#[inline(always)]
pub(crate) fn normalised(word: u64) -> (u64, u32) {
    let zeros = math::leading_zeros(word);
    (word << zeros, zeros)
}

/// Natural logarithm of a Q32 number, Q40, nearest. Off by at most 5e-13. Rises with `x`, up to one unit.
///
/// # Errors
///
/// [`Error::LogarithmOfZero`] for zero.
#[inline]
pub fn ln(x: u64) -> Result<i64, Error> {
    if x == 0 {
        return Err(Error::LogarithmOfZero);
    }
    Ok(q40(ln_raw(x).wrapping_sub(LN_2.wrapping_mul(32))))
}

/// Natural logarithm of `numerator / denominator`, Q40, nearest: of two prices, or of any two numbers of one format.
/// Off by at most 5e-13. Swapping the two turns the sign (but for a tie between two units), equal ones give zero.
///
/// # Errors
///
/// [`Error::LogarithmOfZero`] when either is zero.
#[inline]
pub fn ln_ratio(numerator: u64, denominator: u64) -> Result<i64, Error> {
    if numerator == 0 || denominator == 0 {
        return Err(Error::LogarithmOfZero);
    }
    Ok(q40(ln_raw(numerator).wrapping_sub(ln_raw(denominator))))
}

/// Q56 to Q40, nearest. Arguments are differences of numbers within `0 .. 2^62`.
#[inline(always)]
const fn q40(x: i64) -> i64 {
    x.wrapping_add(1 << 15) >> 16
}

/// Natural logarithm of the integer `x`, Q56, between 0 and `2^61.5`; zero for zero. Off by at most 2^-45 = 3e-14.
///
/// With the top bit of `x` shifted to the top, `x = 2^e m`, `1 <= m < 2`. With `c = 1 + i / 128` the nearest such number
/// to `m`, and `r` near `1 / c` a multiple of `2^-10`: `m r = 1 + z` and
///
/// ```text
/// ln x = e ln 2 - ln r + ln(1 + z),   ln(1 + z) = z - z^2 (1/2 - z (1/3 - z (1/4 - z / 5))) + ...
/// ```
///
/// `|z| <= 2^-8 / c + c 2^-11 < 2^-7.83`: half a step of `c`, and the rounding of `r`, which is none at `c = 1`. So the
/// first term left out, `z^6 / 6`, is below `2^-49.5`.
#[inline(never)]
pub(crate) fn ln_raw(x: u64) -> i64 {
    if x == 0 {
        return 0;
    }
    let (mantissa, zeros) = normalised(x);
    let exponent = i64::from(63_u32.wrapping_sub(zeros));
    // 128 ..= 256: the mantissa in steps of 1/128, nearest.
    let step = (mantissa >> 1).wrapping_add(1 << 54) >> 55;
    // r in Q10, 512 ..= 1024. The step is not zero.
    let reciprocal = (step >> 1).wrapping_add(1 << 17).checked_div(step).unwrap_or(0);
    let table = usize::try_from(step.wrapping_sub(128)).ok().and_then(|index| LOGARITHM.get(index));
    // Modulo 2^64 on purpose: the product is (1 + z) 2^70 and |z| 2^70 < 2^62.2, so what is left is z in Q70.
    let z = (mantissa >> 3).wrapping_mul(reciprocal).cast_signed();
    // Q39, nearest, below 2^31.2 in magnitude.
    let s = z.wrapping_add(1 << 30) >> 31;
    // Q32, below 2^31: products with s below 2^62.2.
    let p = (1_i64 << 30).wrapping_sub(s.wrapping_mul(ONE_FIFTH) >> 39);
    let p = ONE_THIRD.wrapping_sub(s.wrapping_mul(p) >> 39);
    let p = (1_i64 << 31).wrapping_sub(s.wrapping_mul(p) >> 39);
    // z^2 in Q47, below 2^31.4, times p, below 2^31.1, in Q79, to Q56.
    let square = s.wrapping_mul(s) >> 31;
    let bend = square.wrapping_mul(p) >> 23;
    exponent.wrapping_mul(LN_2).wrapping_add(table.copied().unwrap_or(0)).wrapping_add(z >> 14).wrapping_sub(bend)
}

/// `1 / 3` and `1 / 5`, nearest, Q32.
const ONE_THIRD: i64 = 1_431_655_765;
const ONE_FIFTH: i64 = 858_993_459;

/// The largest argument of [`exp`], 22, Q40: the largest integer whose exponential fits a Q32 word.
pub const EXP_MAX: i64 = 22 << 40;

/// The largest magnitude of an argument of [`exp_parts`], 64, Q40.
pub const EXP_PARTS_MAX: i64 = 64 << 40;

/// `e^x` for Q40 `x`, Q32, nearest. Off by at most half a unit and 1e-11 of the result; zero far below zero.
///
/// # Errors
///
/// [`Error::ExponentTooLarge`] above [`EXP_MAX`].
#[inline]
pub fn exp(x: i64) -> Result<u64, Error> {
    if x > EXP_MAX {
        return Err(Error::ExponentTooLarge);
    }
    if x < -EXP_PARTS_MAX {
        return Ok(0);
    }
    let (mantissa, exponent) = power(x);
    // Q62 2^exponent to Q32: down by 30 - exponent, which is -1 at least, as e^22 < 2^32.
    Ok(match u32::try_from(30_i64.wrapping_sub(exponent)) {
        Ok(0) => mantissa,
        // The mantissa is below 2^63, and so is the half unit.
        Ok(down @ 1..=63) => mantissa.wrapping_add(1 << down.wrapping_sub(1)) >> down,
        Ok(_) => 0,
        Err(_) => mantissa << 1,
    })
}

/// `e^-x` for Q40 `x >= 0`, Q62, at most `2^62`, rounded down. Off by at most a unit and 1e-11 of the result.
#[inline(never)]
pub fn exp_minus(x: u64) -> u64 {
    // e^-44 < 2^-63.
    if x > 44 << 40 {
        return 0;
    }
    let (mantissa, exponent) = power(x.cast_signed().wrapping_neg());
    // The exponent is 0 at most, as is the argument, and -64 at least.
    match u32::try_from(exponent.wrapping_neg()) {
        Ok(down @ 0..=63) => mantissa >> down,
        _ => 0,
    }
}

/// `e^x` for Q40 `x`, as `(mantissa, exponent)` with `e^x = mantissa 2^(exponent - 62)`. The mantissa is between `0.99`
/// and `2`, Q62. Off by at most 1e-11 of the result.
///
/// # Errors
///
/// [`Error::ExponentTooLarge`] above [`EXP_PARTS_MAX`] in magnitude.
#[inline]
pub fn exp_parts(x: i64) -> Result<(u64, i64), Error> {
    if !(-EXP_PARTS_MAX..=EXP_PARTS_MAX).contains(&x) {
        return Err(Error::ExponentTooLarge);
    }
    Ok(power(x))
}

/// `64 / ln 2`, nearest, Q20.
const STEPS_PER_UNIT: i64 = 96_817_625;
/// `ln 2 / 64`, nearest, Q56.
const UNITS_PER_STEP: i64 = 780_414_346_020_670;
/// `1 / 6`, Q32, and `1 / 24`, Q32, nearest.
const ONE_SIXTH: i64 = 715_827_883;
const ONE_24TH: i64 = 178_956_971;

/// [`exp_parts`] within its domain.
///
/// With `n` the nearest integer to `64 x / ln 2` and `n = 64 e + i`, `x = n ln 2 / 64 + r`:
///
/// ```text
/// e^x = 2^e 2^(i / 64) e^r,   e^r - 1 = r + r^2 (1/2 + r (1/6 + r / 24)) + ...
/// ```
///
/// `|r| <= ln 2 / 128 + 64 2^-20 / 92` (half a step, and what `n` is off for its short factors) `< 0.00542 < 2^-7.5`, so
/// that the first term left out is below 4e-14.
#[inline(always)]
fn power(x: i64) -> (u64, i64) {
    // Below 2^26 times below 2^27, Q40.
    let n = (x >> 20).wrapping_mul(STEPS_PER_UNIT).wrapping_add(1 << 39) >> 40;
    // |n| < 5911: both products are below 2^63, and r is small.
    let r = (x << 16).wrapping_sub(n.wrapping_mul(UNITS_PER_STEP));
    // Q38, below 2^30.5.
    let r = r.wrapping_add(1 << 17) >> 18;
    // Q32, below 2^31.1.
    let p = ONE_SIXTH.wrapping_add(r.wrapping_mul(ONE_24TH) >> 38);
    let p = (1_i64 << 31).wrapping_add(r.wrapping_mul(p) >> 38);
    // e^r - 1, Q38.
    let rise = r.wrapping_add(r.wrapping_mul(r.wrapping_mul(p) >> 32) >> 38);
    let table = usize::try_from(n & 63).ok().and_then(|index| POWER.get(index));
    let table = table.copied().unwrap_or(0).cast_signed();
    // Q31, below 2^32, times below 2^30.6: Q69 to Q62. The sum is positive and below 2^63.
    let mantissa = table.wrapping_add((table >> 31).wrapping_mul(rise) >> 7);
    (mantissa.cast_unsigned(), n >> 6)
}

/// Square root of a Q32 number, Q32, rounded down.
#[inline]
pub fn sqrt_floor(x: u64) -> u64 {
    let ceil = sqrt_ceil(x);
    // x 2^32 = ceil^2 exactly when both are equal modulo 2^64 (on purpose): they differ by less than 2 ceil < 2^50.
    if ceil.wrapping_mul(ceil) == x << 32 { ceil } else { ceil.wrapping_sub(1) }
}

/// Square root of a Q32 number, Q32, rounded up.
#[inline]
pub fn sqrt_ceil(x: u64) -> u64 {
    // Of a number below 2^96, so it fits.
    math::isqrt_ceil(x >> 32, x << 32).unwrap_or(u64::MAX)
}

/// Fractional bits of [`upper_tail`].
pub const TAIL_BITS: u32 = 45;

/// `N(-x)` for Q32 `x >= 0`, the probability above `x`, in Q45. Off by at most 1.2e-11; zero from 7 on, where it is
/// 1.3e-12. Falls with `x`, up to two units of Q45, from `2^44 + 5` at zero.
///
/// [`normal_distribution`] before its last rounding, for who multiplies it by something large.
#[inline(always)]
pub fn upper_tail(x: u64) -> u64 {
    let row = usize::try_from(x >> 26).ok().and_then(|index| TAIL.get(index));
    let Some(&[c0, c1, c2, c3]) = row else {
        return 0;
    };
    // u in Q26. |c3| < 2^24 and c2 < 2^30, c1 u < 2^63.7 is unsigned: c1 and what is taken from it are not negative.
    let u = (x & 0x3FF_FFFF).cast_signed();
    let p = c2.wrapping_sub(c3.wrapping_mul(u) >> 26);
    let p = c1.wrapping_sub(p.wrapping_mul(u) >> 26);
    // Never negative: a test walks the ends of every row.
    c0.cast_unsigned().wrapping_sub(p.cast_unsigned().wrapping_mul(u.cast_unsigned()) >> 26)
}

/// The standard normal distribution function `N(x)` for Q32 `x`, Q32, between 0 and `2^32`. Off by at most 1.4e-10.
///
/// `N(-x) = 2^32 - N(x)` exactly. Rises with `x`, up to one unit.
#[inline(always)]
pub fn normal_distribution(x: i64) -> u64 {
    let tail = upper_tail(x.unsigned_abs()).wrapping_add(1 << 12) >> 13;
    // The tail is at most 2^31.
    if x < 0 { tail } else { (1_u64 << 32).wrapping_sub(tail) }
}

/// The standard normal density for Q32 `x`, Q32, nearest. Off by at most 1.3e-10.
#[inline]
pub fn normal_density(x: i64) -> u64 {
    // Below 2^61.
    density(x.unsigned_abs()).wrapping_add(1 << 29) >> 30
}

/// `ln sqrt(2 pi)`, nearest, Q40.
const LN_ROOT_2_PI: u64 = 1_010_383_602_470;

/// The standard normal density of Q32 `x`, Q62: `e^-(x^2 / 2 + ln sqrt(2 pi))`. Off by at most 1.1e-11 of itself and a
/// unit.
#[inline(always)]
pub(crate) fn density(x: u64) -> u64 {
    // Zero from 9.4 on.
    if x >> 36 != 0 {
        return 0;
    }
    // x^2 in Q48 by halves: x 2^-16 floor(x 2^-16) and the rest. Below 2^56.
    let (high, low) = (x >> 16, x & 0xFFFF);
    let square = x.wrapping_mul(high).wrapping_add(x.wrapping_mul(low) >> 16);
    // Half of it in Q40, nearest.
    exp_minus((square.wrapping_add(1 << 8) >> 9).wrapping_add(LN_ROOT_2_PI))
}
