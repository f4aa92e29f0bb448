//! Integer arithmetic for a machine without wide multiply and divide.
//!
//! The Solana VM multiplies and divides 64-bit words in one instruction, and has nothing wider: compiler-generated
//! 128-bit division costs hundreds of instructions. So products are made of 32-bit limbs, quotients of 32-bit digits,
//! and overflow checks of multiplications (which compile to 128-bit products) are avoided by bounds proved beside them.
//!
//! `wrapping_*` in this module never wraps unless a comment says so.
use crate::units::Ppm;

/// The low 32 bits.
const LOW: u64 = 0xFFFF_FFFF;
/// One million.
const MILLION: u64 = 1_000_000;

/// The full product of two words, as `(high, low)` words.
///
/// With `a = a1 2^32 + a0`: `ab = a1 b1 2^64 + (a1 b0 + a0 b1) 2^32 + a0 b0`. No partial sum wraps: a limb product is
/// at most `(2^32 - 1)^2 = 2^64 - 2^33 + 1`, which leaves room for two more 32-bit numbers.
#[inline(always)]
pub const fn mul_wide(a: u64, b: u64) -> (u64, u64) {
    let (a1, a0) = (a >> 32, a & LOW);
    let (b1, b0) = (b >> 32, b & LOW);
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let cross = a0.wrapping_mul(b1).wrapping_add(middle & LOW);
    let high = a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(cross >> 32);
    (high, (cross << 32) | (low & LOW))
}

/// `floor(a b / 2^shift)`, for `shift <= 64`. `None` when it does not fit, or for a larger shift.
#[inline(always)]
pub const fn mul_shift_floor(a: u64, b: u64, shift: u32) -> Option<u64> {
    match mul_shift(a, b, shift) {
        Some((floor, _)) => Some(floor),
        None => None,
    }
}

/// `ceil(a b / 2^shift)`, for `shift <= 64`. `None` when it does not fit, or for a larger shift.
#[inline(always)]
pub const fn mul_shift_ceil(a: u64, b: u64, shift: u32) -> Option<u64> {
    match mul_shift(a, b, shift) {
        Some((floor, exact)) => {
            if exact {
                Some(floor)
            } else {
                floor.checked_add(1)
            }
        }
        None => None,
    }
}

/// `floor(a b / 2^shift)` and whether it is exact.
#[inline(always)]
pub(crate) const fn mul_shift(a: u64, b: u64, shift: u32) -> Option<(u64, bool)> {
    let (high, low) = mul_wide(a, b);
    match shift {
        0 => {
            if high == 0 {
                Some((low, true))
            } else {
                None
            }
        }
        1..=63 => {
            if high >> shift != 0 {
                return None;
            }
            let up = 64_u32.wrapping_sub(shift);
            Some(((high << up) | (low >> shift), low << up == 0))
        }
        64 => Some((high, low == 0)),
        _ => None,
    }
}

/// `floor(a b / d)`. `None` when it does not fit or `d` is zero.
#[inline]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Option<u64> {
    let (high, low) = mul_wide(a, b);
    div_wide(high, low, d).map(|(quotient, _)| quotient)
}

/// `ceil(a b / d)`. `None` when it does not fit or `d` is zero.
#[inline]
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> Option<u64> {
    let (high, low) = mul_wide(a, b);
    match div_wide(high, low, d) {
        Some((quotient, 0)) => Some(quotient),
        Some((quotient, _)) => quotient.checked_add(1),
        None => None,
    }
}

/// `floor(a 2^(16 DIGITS) / d)`, for one to three digits. `None` when it does not fit or `d` is zero. For divisors below
/// 2^48, most prices, a plain long division by digits of 16 bits: 40 CU instead of the 150 of [`mul_div_floor`].
#[inline(always)]
pub(crate) fn shift_div_floor<const DIGITS: u32>(a: u64, d: u64) -> Option<u64> {
    const { assert!(DIGITS >= 1 && DIGITS <= 3) };
    if d >> 48 != 0 {
        return mul_div_floor(a, const { 1 << (16 * DIGITS) }, d);
    }
    let mut quotient = a.checked_div(d)?;
    let mut rest = a.wrapping_sub(quotient.wrapping_mul(d));
    if quotient >> const { 64 - 16 * DIGITS } != 0 {
        return None;
    }
    for _ in 0..DIGITS {
        // The rest is below d and so below 2^48; the digit is below 2^16.
        rest <<= 16;
        let digit = rest.checked_div(d)?;
        rest = rest.wrapping_sub(digit.wrapping_mul(d));
        quotient = (quotient << 16) | digit;
    }
    Some(quotient)
}

/// Quotient and remainder of `(high 2^64 + low) / d`. `None` when the quotient does not fit a word or `d` is zero.
///
/// Knuth's algorithm D (The Art of Computer Programming, 4.3.1) with 32-bit digits.
pub fn div_wide(high: u64, low: u64, d: u64) -> Option<(u64, u64)> {
    if high >= d {
        // Also d = 0: any high is at least that.
        return None;
    }
    if high == 0 {
        // d > high, so d is not zero.
        return match (low.checked_div(d), low.checked_rem(d)) {
            (Some(quotient), Some(remainder)) => Some((quotient, remainder)),
            _ => None,
        };
    }
    if d <= LOW {
        return Some(div_short(high, low, d));
    }
    Some(div_long(high, low, d, leading_zeros(d)))
}

/// `ceil(a b / D)` for a constant `D` of at least 2^32: 32 CU less than [`mul_div_ceil`]. `None` when it does not fit.
#[inline(always)]
pub(crate) fn mul_div_ceil_by<const D: u64>(a: u64, b: u64) -> Option<u64> {
    const { assert!(D > LOW) };
    let (high, low) = mul_wide(a, b);
    if high >= D {
        return None;
    }
    match div_long(high, low, D, const { D.leading_zeros() }) {
        (quotient, 0) => Some(quotient),
        (quotient, _) => quotient.checked_add(1),
    }
}

/// [`div_wide`] for `high < d` and `d >= 2^32`, with the leading zeros of `d`.
#[inline(always)]
fn div_long(high: u64, low: u64, d: u64, shift: u32) -> (u64, u64) {
    // Normalise: the divisor's top bit set, so that a digit's estimate is at most two too large.
    let d = d << shift;
    let (d1, d0) = (d >> 32, d & LOW);
    // shift <= 31, so 63 - shift is a legal shift.
    let high = (high << shift) | ((low >> 1) >> 63_u32.wrapping_sub(shift));
    let low = low << shift;
    let (q1, rest) = div_digit(high, low >> 32, d, d1, d0);
    let (q0, rest) = div_digit(rest, low & LOW, d, d1, d0);
    ((q1 << 32) | q0, rest >> shift)
}

/// Number of leading zeros of a word above zero; 63 for zero, too. 26 CU, where `u64::leading_zeros` takes 40.
///
/// All bits below the top one are set, which leaves one of 64 numbers `2^(k + 1) - 1`; times a constant that begins with
/// six zeros and holds every six bits once (a de Bruijn sequence), their top six bits are all different.
#[inline(always)]
pub(crate) fn leading_zeros(word: u64) -> u32 {
    let mut filled = word;
    filled |= filled >> 1;
    filled |= filled >> 2;
    filled |= filled >> 4;
    filled |= filled >> 8;
    filled |= filled >> 16;
    filled |= filled >> 32;
    let place = filled.wrapping_mul(DE_BRUIJN) >> 58;
    usize::try_from(place).ok().and_then(|place| LEADING_ZEROS.get(place)).copied().map_or(0, u32::from)
}

/// A de Bruijn sequence of 64 bits for numbers `2^k - 1`: Leiserson, Prokop and Randall, "Using de Bruijn Sequences to
/// Index a 1 in a Computer Word" (1998).
const DE_BRUIJN: u64 = 0x03F7_9D71_B4CB_0A89;

/// Leading zeros of `2^(k + 1) - 1`, which are `63 - k`, at the place that [`DE_BRUIJN`] gives it.
const LEADING_ZEROS: [u8; 64] = [
    63, 16, 62, 7, 15, 36, 61, 3, 6, 14, 22, 26, 35, 47, 60, 2, 9, 5, 28, 11, 13, 21, 42, 19, 25, 31, 34, 40, 46, 52,
    59, 1, 17, 8, 37, 4, 23, 27, 48, 10, 29, 12, 43, 20, 32, 41, 53, 18, 38, 24, 49, 30, 44, 33, 54, 39, 50, 45, 55,
    51, 56, 57, 58, 0,
];

/// One digit of [`div_wide`]: quotient and remainder of `(rest 2^32 + digit) / d`, for `rest < d` and `d >= 2^63`.
#[inline(always)]
const fn div_digit(rest: u64, digit: u64, d: u64, d1: u64, d0: u64) -> (u64, u64) {
    // d1 >= 2^31, so neither division can fail.
    let mut q = match rest.checked_div(d1) {
        Some(q) => q,
        None => 0,
    };
    let mut r = rest.wrapping_sub(q.wrapping_mul(d1));
    // Knuth's test, at most twice: q is below 2^32 + 2, so q d0 wraps only if q > LOW, which is tested first.
    while q > LOW || q.wrapping_mul(d0) > ((r << 32) | digit) {
        q = q.wrapping_sub(1);
        r = r.wrapping_add(d1);
        if r > LOW {
            break;
        }
    }
    // Modulo 2^64 on purpose: the true remainder is below d, so it is what is left.
    let rest = (rest << 32).wrapping_add(digit).wrapping_sub(q.wrapping_mul(d));
    (q, rest)
}

/// Quotient and remainder of `(high 2^64 + low) / d` for `high < d < 2^32`: two plain divisions.
#[inline(always)]
pub(crate) const fn div_short(high: u64, low: u64, d: u64) -> (u64, u64) {
    let first = (high << 32) | (low >> 32);
    // d > high >= 0, so neither division can fail.
    let q1 = match first.checked_div(d) {
        Some(q) => q,
        None => 0,
    };
    let second = (first.wrapping_sub(q1.wrapping_mul(d)) << 32) | (low & LOW);
    let q0 = match second.checked_div(d) {
        Some(q) => q,
        None => 0,
    };
    ((q1 << 32) | q0, second.wrapping_sub(q0.wrapping_mul(d)))
}

/// `floor(value ratio)`. `None` when it does not fit, which takes a ratio above one.
#[inline]
pub const fn mul_ppm_floor(value: u64, ratio: Ppm) -> Option<u64> {
    match mul_ppm(value, ratio) {
        Some((floor, _)) => Some(floor),
        None => None,
    }
}

/// `ceil(value ratio)`. `None` when it does not fit, which takes a ratio above one.
#[inline]
pub const fn mul_ppm_ceil(value: u64, ratio: Ppm) -> Option<u64> {
    match mul_ppm(value, ratio) {
        Some((floor, 0)) => Some(floor),
        Some((floor, _)) => floor.checked_add(1),
        None => None,
    }
}

/// `floor(value ratio)` and the millionths left over, below one million.
///
/// With `value = q 10^6 + m`: `value ratio / 10^6 = q ratio + m ratio / 10^6`, so two divisions by a constant and no
/// wide product. `m ratio < 10^6 2^32` fits. `q ratio <= value` fits for a ratio up to one.
#[inline(always)]
pub(crate) const fn mul_ppm(value: u64, ratio: Ppm) -> Option<(u64, u64)> {
    let ratio = ratio.wide();
    let q = value / MILLION;
    let part = value.wrapping_sub(q.wrapping_mul(MILLION)).wrapping_mul(ratio);
    let carry = part / MILLION;
    let rest = part.wrapping_sub(carry.wrapping_mul(MILLION));
    if ratio <= MILLION {
        return Some((q.wrapping_mul(ratio).wrapping_add(carry), rest));
    }
    let (high, whole) = mul_wide(q, ratio);
    if high != 0 {
        return None;
    }
    match whole.checked_add(carry) {
        Some(whole) => Some((whole, rest)),
        None => None,
    }
}

/// Powers of ten that fit a word.
const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1_u64; 20];
    let mut rest: &mut [u64] = &mut powers;
    while let [one, tail @ ..] = rest {
        if let [next, ..] = tail {
            *next = one.wrapping_mul(10);
        }
        rest = tail;
    }
    powers
};

/// `ceil(value ratio)` for `value < 2^58` and a ratio of at most 10: what the margin needs, without checks.
///
/// `q ratio <= 2^58 / 10^6 * 10^7 < 2^62` and `m ratio < 10^6 * 10^7` fit, and so does their sum.
#[inline(always)]
pub(crate) const fn mul_ppm_ceil_bounded(value: u64, ratio: Ppm) -> u64 {
    let ratio = ratio.wide();
    let q = value / MILLION;
    let part = value.wrapping_sub(q.wrapping_mul(MILLION)).wrapping_mul(ratio);
    q.wrapping_mul(ratio).wrapping_add(part.wrapping_add(MILLION - 1) / MILLION)
}

/// `ceil(a b / 2^48)` for the hot path, or `None` from 2^58 on: one check, no other branch.
///
/// As [`mul_wide`], with `2^48 - 1` added on the way: `2^32 - 1` to the lowest product and `2^16 - 1` one limb up. None
/// of the sums wraps: `(2^32 - 1)^2 + 2 (2^32 - 1) < 2^64` covers each of the three (the third is at most that less
/// `2^32 - 1`, plus `2^16 - 1`), and the product is at most `2^128 - 2^65 + 1`.
#[inline(always)]
pub(crate) const fn mul_q48_ceil(a: u64, b: u64) -> Option<u64> {
    let (a1, a0) = (a >> 32, a & LOW);
    let (b1, b0) = (b >> 32, b & LOW);
    let low = a0.wrapping_mul(b0).wrapping_add(LOW);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let cross = a0.wrapping_mul(b1).wrapping_add(middle & LOW).wrapping_add(0xFFFF);
    let high = a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(cross >> 32);
    if high >> 42 != 0 {
        return None;
    }
    Some((high << 16) | ((cross & LOW) >> 16))
}

/// `floor(a b / 2^48)`, from its ceiling: one less, unless the product is a multiple of 2^48.
///
/// `ceil 2^48 - a b` is at least 0 and below 2^48, so it is zero exactly when it is zero modulo 2^64.
#[inline(always)]
pub(crate) const fn floor_from_ceil(ceil: u64, a: u64, b: u64) -> u64 {
    // Modulo 2^64 on purpose. An inexact ceiling is above zero.
    if ceil << 48 == a.wrapping_mul(b) { ceil } else { ceil.wrapping_sub(1) }
}

/// A word of at most 2^63, the magnitude of a signed one, to be multiplied several times.
#[derive(Clone, Copy)]
pub(crate) struct Factor {
    /// The upper half, at most 2^31, and then the lower half is zero.
    high: u64,
    /// The lower half.
    low: u64,
}

impl Factor {
    /// The halves of a magnitude.
    #[inline(always)]
    pub const fn new(magnitude: u64) -> Self {
        Self { high: magnitude >> 32, low: magnitude & LOW }
    }

    /// [`mul_q48_ceil`] of the word and `b`, with a short cut for `b < 2^63` and upper halves whose product is below 2^41:
    /// 23 CU instead of 34.
    ///
    /// The cross products fit one sum, as both upper halves are below 2^31: `2 (2^31 - 1) (2^32 - 1) + (2^32 - 1) +
    /// (2^16 - 1) < 2^64`. So they do for a word of 2^63, which has but one of them. The result is below
    /// `2^57 + 2^48`.
    #[inline(always)]
    pub const fn mul_q48_ceil(self, b: u64) -> Option<u64> {
        let (b1, b0) = (b >> 32, b & LOW);
        let high = self.high.wrapping_mul(b1);
        if b.cast_signed() < 0 || high >> 41 != 0 {
            return mul_q48_ceil_bounded((self.high << 32) | self.low, b);
        }
        let low = self.low.wrapping_mul(b0).wrapping_add(LOW);
        let cross = self.high.wrapping_mul(b0).wrapping_add(self.low.wrapping_mul(b1));
        let middle = cross.wrapping_add(low >> 32).wrapping_add(0xFFFF);
        Some((high << 16).wrapping_add(middle >> 16))
    }
}

/// [`mul_q48_ceil`], out of the way.
#[cold]
#[inline(never)]
const fn mul_q48_ceil_bounded(a: u64, b: u64) -> Option<u64> {
    mul_q48_ceil(a, b)
}

/// `floor(a b / 2^48)`, or `None` when it does not fit: [`mul_shift_floor`] with a short cut for words below 2^63.
#[inline(always)]
pub const fn mul_q48_floor(a: u64, b: u64) -> Option<u64> {
    match mul_q48_short(a, b) {
        Some((floor, _)) => Some(floor),
        None => mul_q48_floor_long(a, b),
    }
}

/// `ceil(a b / 2^48)`, or `None` when it does not fit: [`mul_shift_ceil`] with a short cut for words below 2^63.
#[inline(always)]
pub const fn mul_q48_ceil_checked(a: u64, b: u64) -> Option<u64> {
    match mul_q48_short(a, b) {
        Some((floor, rest)) => Some(floor.wrapping_add((rest != 0) as u64)),
        None => mul_q48_ceil_long(a, b),
    }
}

/// `floor(a b / 2^48)` and a number that is zero exactly when nothing was left over; `None` for a word from 2^63 on and
/// for a product from 2^110 on.
///
/// With `a1, b1 < 2^31` both cross products fit one sum: `a1 b0 + a0 b1 + (a0 b0 >> 32)` is at most
/// `2 (2^31 - 1) (2^32 - 1) + 2^32 - 2 < 2^64`. That is five instructions less than [`mul_wide`].
#[inline(always)]
const fn mul_q48_short(a: u64, b: u64) -> Option<(u64, u64)> {
    let (a1, a0) = (a >> 32, a & LOW);
    let (b1, b0) = (b >> 32, b & LOW);
    let high = a1.wrapping_mul(b1);
    if (a | b).cast_signed() < 0 || high >> 46 != 0 {
        return None;
    }
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(a0.wrapping_mul(b1)).wrapping_add(low >> 32);
    // high < 2^46 and middle >> 16 < 2^48: below 2^63.
    Some(((high << 16).wrapping_add(middle >> 16), (middle << 48) | (low << 32)))
}

/// [`mul_q48_floor`] without the short cut.
#[cold]
#[inline(never)]
const fn mul_q48_floor_long(a: u64, b: u64) -> Option<u64> {
    mul_shift_floor(a, b, 48)
}

/// [`mul_q48_ceil_checked`] without the short cut.
#[cold]
#[inline(never)]
const fn mul_q48_ceil_long(a: u64, b: u64) -> Option<u64> {
    mul_shift_ceil(a, b, 48)
}

/// `10^exponent`, or `None` above 19.
#[inline(always)]
pub fn pow10(exponent: u32) -> Option<u64> {
    usize::try_from(exponent).ok().and_then(|index| POWERS_OF_TEN.get(index)).copied()
}

/// `a b`, or `None` when it does not fit: by limbs, as the compiler's check makes a 128-bit product.
#[inline(always)]
pub const fn mul_checked(a: u64, b: u64) -> Option<u64> {
    match mul_wide(a, b) {
        (0, low) => Some(low),
        _ => None,
    }
}

/// `ceil(sqrt(n))`. `None` when it is 2^64, above `(2^64 - 1)^2`.
#[inline]
pub fn isqrt_ceil_u128(n: u128) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation)]
    let (high, low) = ((n >> 64) as u64, n as u64);
    isqrt_ceil(high, low)
}

/// `ceil(sqrt(high 2^64 + low))`. `None` when it is 2^64.
///
/// Zimmermann's Karatsuba square root, one step. Let `n` be the argument shifted up by an even `2 h` bits so that its
/// top word is at least 2^62, `s` the root of that word (`s >= 2^31`) and `r <= 2 s` what is left of it. One division
/// gives the root's low half `q`; `s 2^32 + q` is the floor of the root of `n` or one more, and never more for a
/// perfect square: there `q` is the quotient of `2 s q 2^32 + q^2` by `2 s 2^32`, and `q^2 / 2^32 < 2^32 <= 2 s`.
///
/// The ceiling of the unshifted root is the floor, plus one unless `n` is a perfect square.
pub(crate) fn isqrt_ceil(high: u64, low: u64) -> Option<u64> {
    let (high, low, halves) = if high != 0 {
        (high, low, 0)
    } else if low != 0 {
        (low, 0, 32)
    } else {
        return Some(0);
    };
    let (high, low, more) = normalised(high, low);
    // At most 32 + 31.
    let halves = more.wrapping_add(halves);
    let s = isqrt_normalised(high);
    // r <= 2 s < 2^33.
    let r = high.wrapping_sub(s.wrapping_mul(s));
    // (r 2^32 + low's upper half) / (2 s), both halved so that they fit. q <= 2^32.
    let q = ((r << 31) | (low >> 33)).checked_div(s).unwrap_or(0);
    // s 2^32 + q may be 2^64, which is one too large.
    let root = (s << 32).saturating_add(q);
    let (square_high, square_low) = mul_wide(root, root);
    if square_high == high && square_low == low {
        return Some(root >> halves);
    }
    let above = square_high > high || (square_high == high && square_low > low);
    let floor = if above { root.wrapping_sub(1) } else { root };
    (floor >> halves).checked_add(1)
}

/// A double word whose high word is not zero, shifted up by an even number of bits so that its high word is at least
/// 2^62; and half that number.
#[inline(always)]
fn normalised(high: u64, low: u64) -> (u64, u64, u32) {
    // At most 62, so 63 - shift is a legal shift.
    let shift = leading_zeros(high) & 62;
    ((high << shift) | ((low >> 1) >> 63_u32.wrapping_sub(shift)), low << shift, shift >> 1)
}

/// `floor(sqrt(n))` for `n >= 2^62`.
///
/// Newton's iteration, `x' = floor((x + floor(n / x)) / 2)`, where a division is one instruction. With `m = n / 2^62`
/// in `[1, 4)` it starts at `2^31 (0.72 + 0.3125 m)`, within 5.2 % of the root. An iteration turns a relative error `e`
/// into at most `e^2 / 2 / (1 - e)`: 1.5e-3, 1.1e-6, 6e-13, which is 0.003 of a root below 2^32. No iterate is below
/// the floor of the root (the mean of two numbers is not below their geometric mean), so the last is the floor or one
/// more.
#[inline(always)]
pub(crate) const fn isqrt_normalised(n: u64) -> u64 {
    /// `0.72 * 2^31`.
    const START: u64 = 1_546_188_227;
    let mut x = (n >> 33).wrapping_add(n >> 35).wrapping_add(START);
    let mut round = 0_u32;
    while round < 3 {
        let quotient = match n.checked_div(x) {
            Some(quotient) => quotient,
            None => 0,
        };
        x = x.wrapping_add(quotient) >> 1;
        round = round.wrapping_add(1);
    }
    // The floor is below 2^32, so that its square fits.
    if x > LOW {
        x = LOW;
    }
    if x.wrapping_mul(x) > n { x.wrapping_sub(1) } else { x }
}

/// As a signed number, or `None` when it does not fit.
#[inline(always)]
pub(crate) const fn positive(magnitude: u64) -> Option<i64> {
    if magnitude <= i64::MAX.unsigned_abs() { Some(magnitude.cast_signed()) } else { None }
}

/// The opposite of `magnitude`, or `None` when it does not fit. `i64::MIN` counts as not fitting.
#[inline(always)]
pub(crate) const fn negative(magnitude: u64) -> Option<i64> {
    match positive(magnitude) {
        Some(value) => value.checked_neg(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    //! The helpers that only the crate sees; the rest is in `tests/math.rs`.
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leading_zeros_are_the_standard_librarys() {
        for length in 0..64 {
            let (ones, top) = (u64::MAX >> length, (u64::MAX >> length) & !(u64::MAX >> length >> 1));
            for word in [ones, top, ones & 0xAAAA_AAAA_AAAA_AAAA | top] {
                assert_eq!(leading_zeros(word), word.leading_zeros(), "{word:#x}");
            }
        }
        assert_eq!(leading_zeros(0), 63);
    }

    /// Numbers of every length, all ones and lone top bits among them.
    fn any_length(bits: u32) -> impl Strategy<Value = u64> {
        (0..=bits, any::<u64>(), 0..8_u8).prop_map(|(length, noise, shape)| {
            let mask = if length == 0 { 0 } else { u64::MAX >> (64 - length) };
            match shape {
                0 => mask,
                1 => mask ^ (mask >> 1),
                _ => noise & mask,
            }
        })
    }

    fn check_digits(a: u64, d: u64) {
        let expected = |digits: u32| {
            let quotient = (u128::from(a) << (16 * digits)).checked_div(u128::from(d));
            quotient.and_then(|quotient| u64::try_from(quotient).ok())
        };
        assert_eq!(shift_div_floor::<1>(a, d), expected(1), "{a} / {d}");
        assert_eq!(shift_div_floor::<2>(a, d), expected(2), "{a} / {d}");
        assert_eq!(shift_div_floor::<3>(a, d), expected(3), "{a} / {d}");
    }

    fn check_q48(a: u64, b: u64) {
        let product = u128::from(a) * u128::from(b);
        let ceil = product.div_ceil(1 << 48);
        let expected = u64::try_from(ceil).ok().filter(|ceil| *ceil < 1 << 58);
        assert_eq!(mul_q48_ceil(a, b), expected, "{a} * {b}");
        if let Some(ceil) = expected {
            assert_eq!(u128::from(floor_from_ceil(ceil, a, b)), product >> 48, "{a} * {b}");
        }
        if a <= 1 << 63 {
            assert_eq!(Factor::new(a).mul_q48_ceil(b), expected, "{a} * {b}");
        }
        assert_eq!(mul_q48_floor(a, b), u64::try_from(product >> 48).ok(), "{a} * {b}");
        assert_eq!(mul_q48_ceil_checked(a, b), u64::try_from(ceil).ok(), "{a} * {b}");
    }

    #[test]
    fn q48_at_the_edges() {
        let edges = [
            0,
            1,
            2,
            0xFFFF,
            0x1_0000,
            LOW,
            LOW + 1,
            (1 << 48) - 1,
            1 << 48,
            (1 << 48) + 1,
            1 << 58,
            (1 << 63) - 1,
            1 << 63,
            u64::MAX,
        ];
        for a in edges {
            for b in edges {
                check_q48(a, b);
            }
        }
    }

    #[test]
    fn root_at_the_edges() {
        for n in [1 << 62, (1 << 62) + 1, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX, LOW * LOW, LOW * LOW - 1] {
            assert_eq!(isqrt_normalised(n), n.isqrt(), "{n}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn quotients_by_digits_are_exact(a in any_length(64), d in any_length(64)) {
            check_digits(a, d);
        }

        #[test]
        fn q48(a in any_length(64), b in any_length(64)) {
            check_q48(a, b);
        }

        /// Multiples of 2^48, and one off.
        #[test]
        fn q48_near_integers(a in any_length(40), shift in 0..24_u32, off in 0..3_u64) {
            check_q48((a << shift).wrapping_sub(off), 1 << (48 - shift));
        }

        #[test]
        fn bounded_ratio(value in any_length(58), ratio in 0..=10_000_000_u32) {
            let ratio = Ppm::from_raw(ratio);
            prop_assert_eq!(Some(mul_ppm_ceil_bounded(value, ratio)), mul_ppm_ceil(value, ratio));
        }

        #[test]
        fn roots(n in 1_u64 << 62..) {
            prop_assert_eq!(isqrt_normalised(n), n.isqrt());
        }

        #[test]
        fn roots_near_squares(root in 1_u64 << 31..1 << 32, off in -1..=1_i64) {
            if let Some(n) = (root * root).checked_add_signed(off).filter(|n| *n >= 1 << 62) {
                prop_assert_eq!(isqrt_normalised(n), n.isqrt());
            }
        }
    }
}
