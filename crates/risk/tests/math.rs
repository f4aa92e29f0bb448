//! The arithmetic against unbounded integers.
mod common;

use common::any_length;
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::ToPrimitive;
use plimsoll_risk::math::{
    isqrt_ceil_u128, mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_ppm_floor, mul_shift_ceil, mul_shift_floor,
    mul_wide, pow10,
};
use plimsoll_risk::units::{Base, Index, Ppm, Price, Quote, Seconds, Timestamp};
use proptest::prelude::*;

/// `floor(a b / d)` and `ceil(a b / d)` where they fit a word.
fn quotients(a: u64, b: u64, d: &BigUint) -> (Option<u64>, Option<u64>) {
    let product = BigUint::from(a) * b;
    (product.div_floor(d).to_u64(), product.div_ceil(d).to_u64())
}

/// The numbers where limbs, digits and words turn over.
const EDGES: [u64; 20] = [
    0,
    1,
    2,
    3,
    999_999,
    1_000_000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x1_0000_0001,
    1 << 48,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    0x8000_0000_FFFF_FFFF,
    0xFFFF_FFFF_0000_0000,
    0xFFFF_FFFF_0000_0001,
    u64::MAX - 1,
    u64::MAX,
];

fn check_products(a: u64, b: u64) {
    let (high, low) = mul_wide(a, b);
    assert_eq!((u128::from(high) << 64) | u128::from(low), u128::from(a) * u128::from(b), "{a} * {b}");
    for shift in 0..=64 {
        let (floor, ceil) = quotients(a, b, &(BigUint::from(1_u8) << shift));
        assert_eq!(mul_shift_floor(a, b, shift), floor, "{a} * {b} >> {shift}");
        assert_eq!(mul_shift_ceil(a, b, shift), ceil, "{a} * {b} >> {shift}");
    }
}

fn check_quotient(a: u64, b: u64, d: u64) {
    if d == 0 {
        assert_eq!((mul_div_floor(a, b, d), mul_div_ceil(a, b, d)), (None, None));
        return;
    }
    let (floor, ceil) = quotients(a, b, &BigUint::from(d));
    assert_eq!(mul_div_floor(a, b, d), floor, "{a} * {b} / {d}");
    assert_eq!(mul_div_ceil(a, b, d), ceil, "{a} * {b} / {d}");
}

fn check_ratio(value: u64, ratio: u32) {
    let (floor, ceil) = quotients(value, u64::from(ratio), &BigUint::from(1_000_000_u32));
    assert_eq!(mul_ppm_floor(value, Ppm::from_raw(ratio)), floor, "{value} * {ratio} ppm");
    assert_eq!(mul_ppm_ceil(value, Ppm::from_raw(ratio)), ceil, "{value} * {ratio} ppm");
}

fn check_root(n: u128) {
    let floor = BigUint::from(n).sqrt();
    let ceil = if &floor * &floor == BigUint::from(n) { floor } else { floor + 1_u8 };
    assert_eq!(isqrt_ceil_u128(n), ceil.to_u64(), "root of {n}");
}

#[test]
fn edges_of_products() {
    for a in EDGES {
        for b in EDGES {
            check_products(a, b);
        }
    }
}

#[test]
fn edges_of_quotients() {
    for a in EDGES {
        for b in EDGES {
            for d in EDGES {
                check_quotient(a, b, d);
            }
        }
    }
}

#[test]
fn edges_of_ratios() {
    for value in EDGES {
        for ratio in [0, 1, 2, 499_999, 999_999, 1_000_000, 1_000_001, 10_000_000, u32::MAX] {
            check_ratio(value, ratio);
        }
    }
}

#[test]
fn edges_of_roots() {
    for a in EDGES {
        let square = u128::from(a) * u128::from(a);
        for n in [square.saturating_sub(1), square, square.saturating_add(1), square.saturating_add(u128::from(a))] {
            check_root(n);
        }
    }
    for shift in 0..128 {
        for n in [1_u128 << shift, (1 << shift) - 1, u128::MAX >> shift, (u128::MAX >> shift) << (shift / 2)] {
            check_root(n);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn products(a in any_length(64), b in any_length(64), shift in 0..=64_u32) {
        let (floor, ceil) = quotients(a, b, &(BigUint::from(1_u8) << shift));
        prop_assert_eq!(mul_shift_floor(a, b, shift), floor);
        prop_assert_eq!(mul_shift_ceil(a, b, shift), ceil);
        let (high, low) = mul_wide(a, b);
        prop_assert_eq!((u128::from(high) << 64) | u128::from(low), u128::from(a) * u128::from(b));
    }

    #[test]
    fn quotients_of_words(a in any_length(64), b in any_length(64), d in any_length(64)) {
        check_quotient(a, b, d);
    }

    /// Quotients just below and at an integer, where a digit's estimate is off.
    #[test]
    fn quotients_near_integers(q in any_length(64), d in any_length(64), less in 0..2_u64) {
        // (d - less) q / d: q, or just below.
        check_quotient(d.saturating_sub(less), q, d);
    }

    #[test]
    fn ratios(value in any_length(64), ratio in any_length(32)) {
        check_ratio(value, ratio as u32);
    }

    #[test]
    fn roots(high in any_length(64), low in any_length(64)) {
        check_root((u128::from(high) << 64) | u128::from(low));
    }

    /// Squares and their neighbours.
    #[test]
    fn roots_near_squares(root in any_length(64), off in -2..=2_i64) {
        check_root((u128::from(root) * u128::from(root)).saturating_add_signed(i128::from(off)));
    }
}

#[test]
fn shifts_beyond_a_word_are_refused() {
    assert_eq!(mul_shift_floor(1, 1, 65), None);
    assert_eq!(mul_shift_ceil(0, 0, u32::MAX), None);
}

#[test]
fn powers_of_ten() {
    assert_eq!(pow10(0), Some(1));
    assert_eq!(pow10(19), Some(10_000_000_000_000_000_000));
    assert_eq!(pow10(20), None);
}

#[test]
fn values_round_toward_the_named_side() {
    let half = Price::from_raw(1 << 47);
    let raw = |value: Option<Quote>| value.map(Quote::raw);
    assert_eq!(raw(half.value_floor(Base::from_raw(3))), Some(1));
    assert_eq!(raw(half.value_floor(Base::from_raw(-3))), Some(-2));
    assert_eq!(raw(half.value_ceil(Base::from_raw(3))), Some(2));
    assert_eq!(raw(half.value_ceil(Base::from_raw(-3))), Some(-1));
    assert_eq!(half.magnitude_ceil(Base::from_raw(-3)), Some(2));
    assert_eq!(raw(Price::MAX.value_floor(Base::MAX)), None);
    assert_eq!(raw(Price::MAX.value_ceil(Base::MIN)), None);
    assert_eq!(raw(Price::from_raw(1 << 48).value_floor(Base::MIN)), None, "i64::MIN counts as not fitting");
}

#[test]
fn units_are_checked() {
    assert_eq!(Quote::MAX.checked_add(Quote::from_raw(1)), None);
    assert_eq!(Quote::MIN.checked_sub(Quote::from_raw(1)), None);
    assert_eq!(Base::MIN.checked_neg(), None);
    assert_eq!(Base::from_raw(5).checked_neg(), Some(Base::from_raw(-5)));
    assert_eq!(Index::ZERO.checked_sub(Index::ONE), None);
    assert_eq!(Ppm::from_raw(250_000).complement(), Some(Ppm::from_raw(750_000)));
    assert_eq!(Ppm::from_raw(1_000_001).complement(), None);
    assert_eq!(Timestamp::from_raw(7).since(Timestamp::from_raw(9)), Seconds::from_raw(-2));
    assert_eq!(Timestamp::MAX.since(Timestamp::from_raw(-1)), Seconds::MAX, "saturates");
}
