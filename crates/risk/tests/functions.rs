//! The functions against 200-bit arithmetic and, in dense sweeps, against floats that are held to it.
mod common;
#[path = "common/precise.rs"]
mod precise;

use common::any_length;
use plimsoll_risk::Error;
use plimsoll_risk::functions::{
    EXP_MAX, EXP_PARTS_MAX, exp, exp_minus, exp_parts, ln, ln_ratio, normal_density, normal_distribution, sqrt_ceil,
    sqrt_floor, upper_tail,
};
use precise::Worst;
use proptest::prelude::*;
use std::cell::RefCell;

/// One, Q32 and Q40.
const ONE: i64 = 1 << 32;
const ONE_Q40: i64 = 1 << 40;

fn float(raw: i64, bits: i32) -> f64 {
    raw as f64 * 2_f64.powi(-bits)
}

fn unsigned(raw: u64, bits: i32) -> f64 {
    raw as f64 * 2_f64.powi(-bits)
}

/// Every power of two, its neighbours, and what lies at the table's steps of 1/256 above it.
fn words() -> impl Iterator<Item = u64> {
    (0..64_u32).flat_map(|top| {
        let one = 1_u64 << top;
        (0..256_u64).flat_map(move |step| {
            let knot = one + ((u128::from(one) * u128::from(step)) >> 8) as u64;
            [knot.wrapping_sub(1), knot, knot.wrapping_add(1)]
        })
    })
}

/// Points of a Q32 argument: the ends of the rows of 1/64, their neighbours, and some inside each.
fn normal_points() -> impl Iterator<Item = i64> {
    (0..=460_i64).flat_map(|row| {
        let knot = row << 26;
        [-2, -1, 0, 1, 2, 1 << 22, 9_830_000, 1 << 24, 1 << 25, 41_000_000, 57_278_000].map(|off| knot + off)
    })
}

#[test]
fn tables_are_what_their_page_says() {
    let source = include_str!("../src/functions/tables.rs");
    let numbers: Vec<i128> = source
        .lines()
        .filter(|line| line.starts_with("    "))
        .flat_map(|line| line.split(','))
        .map(|text| text.replace(['[', ']', '_', ' '], ""))
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().expect("a number"))
        .collect();
    let (tails, rest) = numbers.split_at(448 * 4);
    let (logarithms, powers) = rest.split_at(129);
    for (row, found) in (0..448_i32).zip(tails.chunks(4)) {
        assert_eq!(found, tail_row(row), "row {row}");
    }
    for (i, found) in (0_i32..).zip(logarithms) {
        let reciprocal = ((1 << 17) + (128 + i) / 2) / (128 + i);
        assert_eq!(*found, precise::nearest(&-precise::ln(&precise::fixed(reciprocal, 10)), 56), "logarithm {i}");
    }
    assert_eq!(powers.len(), 64);
    let step = precise::ln(&precise::real(2)) / precise::real(64);
    for (i, found) in (0_i32..).zip(powers) {
        assert_eq!(*found, precise::nearest(&precise::exp(&(&step * precise::real(i))), 62), "power {i}");
    }
}

/// The coefficients of row `row`: divided differences at the Chebyshev nodes (Newton), then powers of `u`.
fn tail_row(row: i32) -> [i128; 4] {
    use precise::{Real, real};
    let eighth = |j: i32| precise::cos(&(real(2 * j + 1) * precise::pi() / real(8)));
    let nodes: Vec<Real> = (0..4).map(|j| (real(1) + eighth(j)) / real(2)).collect();
    let mut divided: Vec<Real> = nodes.iter().map(|u| precise::tail(&((real(row) + u) / real(64)))).collect();
    for level in 1..4 {
        for j in (level..4).rev() {
            divided[j] = (&divided[j] - &divided[j - 1]) / (&nodes[j] - &nodes[j - level]);
        }
    }
    // ((d3 (u - u2) + d2) (u - u1) + d1) (u - u0) + d0
    let mut powers: Vec<Real> = vec![divided[3].clone()];
    for j in (0..3).rev() {
        let mut next: Vec<Real> = std::iter::once(real(0)).chain(powers.iter().cloned()).collect();
        for (to, from) in next.iter_mut().zip(&powers) {
            *to = &*to - from * &nodes[j];
        }
        next[0] = &next[0] + &divided[j];
        powers = next;
    }
    let signed = |i: usize| if i.is_multiple_of(2) { powers[i].clone() } else { -powers[i].clone() };
    [0, 1, 2, 3].map(|i| precise::nearest(&signed(i), 45))
}

/// What the dense sweeps compare with is itself right to 1e-14.
#[test]
fn floats_agree_with_200_bits() {
    let mut tails = Worst::new("f64 N(-x) against 200 bits", 1e-15);
    let mut densities = Worst::new("f64 density against 200 bits", 1e-15);
    for x in normal_points().step_by(3) {
        let exact = precise::fixed(x, 32);
        tails.see(float_tail(float(x, 32)) - precise::float(&precise::tail(&exact)), x);
        densities.see(float_density(float(x, 32)) - precise::float(&precise::density(&exact)), x);
    }
    let mut logarithms = Worst::new("f64 ln against 200 bits", 1e-14);
    let mut powers = Worst::new("f64 exp against 200 bits, relative", 1e-14);
    for x in words().step_by(7).filter(|x| *x > 0) {
        logarithms.see(float_ln(x) - precise::float(&precise::ln(&precise::fixed(x, 32))), x);
        let exponent = (x >> 24).cast_signed() - (20 << 40);
        if exponent < EXP_MAX {
            let exact = precise::float(&precise::exp(&precise::fixed(exponent, 40)));
            powers.see(float(exponent, 40).exp() / exact - 1.0, exponent);
        }
    }
}

fn float_tail(x: f64) -> f64 {
    libm::erfc(x / std::f64::consts::SQRT_2) / 2.0
}

fn float_density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// Of a Q32 number: the power of two apart, so that the float's rounding of the argument does not show.
fn float_ln(x: u64) -> f64 {
    unsigned(x, 32).ln()
}

#[test]
fn logarithms_at_the_table_and_its_neighbours() {
    let mut worst = Worst::new("ln at the table, 200 bits", 5e-13);
    for x in words().step_by(5).filter(|x| *x > 0) {
        let expected = precise::ln(&precise::fixed(x, 32));
        let found = ln(x).expect("above zero");
        worst.see(precise::float(&(precise::fixed(found, 40) - expected)), x);
    }
}

#[test]
fn logarithms_rise_to_one_unit() {
    for x in words().filter(|x| *x > 1) {
        assert!(ln(x - 1).unwrap() <= ln(x).unwrap() + 1, "{x}");
    }
    for x in 1..200_000 {
        assert!(ln(x) < ln(x + 1), "{x}");
    }
}

#[test]
fn logarithm_of_one_is_zero_and_of_zero_an_error() {
    assert_eq!(ln(1 << 32), Ok(0));
    assert_eq!(ln(0), Err(Error::LogarithmOfZero));
    assert_eq!(ln_ratio(0, 1), Err(Error::LogarithmOfZero));
    assert_eq!(ln_ratio(1, 0), Err(Error::LogarithmOfZero));
    assert_eq!(ln_ratio(0, 0), Err(Error::LogarithmOfZero));
}

#[test]
fn exponentials_at_the_table_and_its_neighbours() {
    let mut worst = Worst::new("exp_parts, relative, 200 bits", 1e-11);
    let step = std::f64::consts::LN_2 / 128.0 * ONE_Q40 as f64;
    // Steps of half a table step over -64 ..= 64: the table's numbers and the seams between.
    for n in (-11_818..=11_818_i64).step_by(7) {
        for off in [-1, 0, 1] {
            let x = ((n as f64 * step) as i64 + off).clamp(-EXP_PARTS_MAX, EXP_PARTS_MAX);
            check_exp(x, &mut worst);
        }
    }
}

/// The parts at `x`, and that the two wrappers are the parts, shifted.
fn check_exp(x: i64, worst: &mut Worst) {
    let (mantissa, exponent) = exp_parts(x).expect("within the domain");
    let exact = precise::exp(&precise::fixed(x, 40));
    let scale = precise::exp2(exponent - 62);
    worst.see(precise::float(&(precise::fixed(mantissa, 0) * scale / &exact - precise::real(1))), x);
    assert!((0.99..2.0).contains(&unsigned(mantissa, 62)), "{x}");
    let exact = precise::float(&exact);
    if x <= EXP_MAX {
        let found = unsigned(exp(x).expect("at most 22"), 32);
        assert!((found - exact).abs() <= 1.2e-10 + 1e-11 * exact, "exp {x}");
    }
    if x <= 0 {
        let found = unsigned(exp_minus(x.unsigned_abs()), 62);
        assert!((found - exact).abs() <= 2.2e-19 + 1e-11 * exact, "exp_minus {x}");
    }
}

#[test]
fn exponentials_at_the_ends() {
    assert_eq!(exp(0), Ok(1 << 32));
    assert_eq!(exp_minus(0), 1 << 62);
    assert_eq!(exp_parts(0), Ok((1 << 62, 0)));
    assert_eq!(exp(i64::MIN), Ok(0));
    assert_eq!(exp_minus(u64::MAX), 0);
    assert!(exp(EXP_MAX).is_ok());
    for x in [EXP_MAX + 1, i64::MAX] {
        assert_eq!(exp(x), Err(Error::ExponentTooLarge));
    }
    for x in [EXP_PARTS_MAX + 1, i64::MAX, -EXP_PARTS_MAX - 1, i64::MIN] {
        assert_eq!(exp_parts(x), Err(Error::ExponentTooLarge));
    }
}

#[test]
fn distribution_at_the_table_and_its_neighbours() {
    let mut distribution = Worst::new("normal_distribution, 200 bits", 1.4e-10);
    let mut tails = Worst::new("upper_tail, 200 bits", 1.2e-11);
    let mut densities = Worst::new("normal_density, 200 bits", 1.3e-10);
    for x in normal_points() {
        let exact = precise::fixed(x, 32);
        let tail = precise::float(&precise::tail(&exact));
        distribution.see(unsigned(normal_distribution(-x), 32) - tail, x);
        if x >= 0 {
            tails.see(unsigned(upper_tail(x.unsigned_abs()), 45) - tail, x);
        }
        densities.see(unsigned(normal_density(x), 32) - precise::float(&precise::density(&exact)), x);
    }
}

#[test]
fn distribution_is_symmetric_and_halves_at_zero() {
    assert_eq!(normal_distribution(0), 1 << 31);
    for x in normal_points() {
        assert_eq!(normal_distribution(x) + normal_distribution(-x), 1 << 32, "{x}");
        assert_eq!(normal_density(x), normal_density(-x), "{x}");
    }
    assert_eq!((normal_distribution(i64::MIN), normal_distribution(i64::MAX)), (0, 1 << 32));
    assert_eq!((normal_density(i64::MIN), normal_density(i64::MAX)), (0, 0));
}

#[test]
fn distribution_rises_to_one_unit() {
    let falls = RefCell::new((0_u64, 0_u64));
    let check = |x: i64| {
        let (less, more) = (normal_distribution(x), normal_distribution(x + 1));
        assert!(less <= more + 1, "{x}");
        falls.borrow_mut().0 += u64::from(less > more);
        let (less, more) = (upper_tail(x.unsigned_abs()), upper_tail(x.unsigned_abs() + 1));
        assert!(more <= less + 2 && less <= (1 << 44) + 5, "{x}");
        falls.borrow_mut().1 += u64::from(more > less);
    };
    // Around every knot, and 200 neighbours at each of 2 000 places.
    for row in 0..=448_i64 {
        (-100..100).map(|off| (row << 26) + off).filter(|x| *x >= 0).for_each(check);
    }
    for place in 0..2_000_i64 {
        (0..200).map(|off| place * 15_000_017 + off).for_each(check);
    }
    println!("falls of normal_distribution and upper_tail: {:?}", falls.borrow());
}

/// `floor(sqrt(x 2^32))` by the standard library.
fn root(x: u64) -> u64 {
    (u128::from(x) << 32).isqrt() as u64
}

fn check_roots(x: u64) {
    assert_eq!(sqrt_floor(x), root(x), "{x}");
    let exact = u128::from(root(x)) * u128::from(root(x)) == u128::from(x) << 32;
    assert_eq!(sqrt_ceil(x), root(x) + u64::from(!exact), "{x}");
}

#[test]
fn roots_at_the_edges() {
    (0..1_000).chain(words()).chain([u64::MAX - 1, u64::MAX]).for_each(check_roots);
    for n in 0..=65_535_u64 {
        // Squares of Q16 numbers, and one off.
        [n * n, (n * n).wrapping_sub(1), n * n + 1].into_iter().for_each(check_roots);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_logarithms(x in any_length(64), y in any_length(64)) {
        prop_assume!(x > 0 && y > 0);
        let expected = precise::ln(&precise::fixed(x, 32));
        let error = precise::float(&(precise::fixed(ln(x).unwrap(), 40) - expected));
        prop_assert!(error.abs() <= 5e-13, "{}", error);
        let expected = precise::ln(&(precise::real(x) / precise::real(y)));
        let error = precise::float(&(precise::fixed(ln_ratio(x, y).unwrap(), 40) - expected));
        prop_assert!(error.abs() <= 5e-13, "{}", error);
        prop_assert!((ln_ratio(x, y).unwrap() + ln_ratio(y, x).unwrap()).abs() <= 1);
        prop_assert_eq!(ln_ratio(x, x), Ok(0));
    }

    #[test]
    fn random_exponentials(x in -EXP_PARTS_MAX..=EXP_PARTS_MAX, small in -ONE_Q40..=ONE_Q40) {
        let mut worst = Worst::silent(1e-11);
        check_exp(x, &mut worst);
        check_exp(small, &mut worst);
    }

    #[test]
    fn random_distributions(x in -8 * ONE..8 * ONE) {
        let exact = precise::fixed(x, 32);
        let error = unsigned(normal_distribution(-x), 32) - precise::float(&precise::tail(&exact));
        prop_assert!(error.abs() <= 1.4e-10, "{}", error);
        let error = unsigned(normal_density(x), 32) - precise::float(&precise::density(&exact));
        prop_assert!(error.abs() <= 1.3e-10, "{}", error);
    }

    #[test]
    fn random_roots(x in any_length(64)) {
        check_roots(x);
    }

    /// Every argument has a value or an error.
    #[test]
    fn total(x in any::<i64>()) {
        prop_assert!(normal_distribution(x) <= 1 << 32);
        prop_assert!(normal_density(x) < 1 << 31);
        prop_assert!(exp_minus(x.unsigned_abs()) <= 1 << 62);
        prop_assert_eq!(exp(x).is_err(), x > EXP_MAX);
        prop_assert_eq!(exp_parts(x).is_err(), x.unsigned_abs() > EXP_PARTS_MAX.unsigned_abs());
    }
}

/// Dense sweeps against floats, `points` of each function.
fn sweep(points: u64) {
    let mut distribution = Worst::new("normal_distribution, dense", 1.4e-10);
    let mut tails = Worst::new("upper_tail, dense", 1.2e-11);
    let mut densities = Worst::new("normal_density, dense", 1.3e-10);
    for n in 0..points {
        let x = (u128::from(n) * (8 << 32) / u128::from(points)) as i64;
        let tail = float_tail(float(x, 32));
        distribution.see(unsigned(normal_distribution(-x), 32) - tail, x);
        tails.see(unsigned(upper_tail(x.unsigned_abs()), 45) - tail, x);
        densities.see(unsigned(normal_density(x), 32) - float_density(float(x, 32)), x);
    }
    let mut logarithms = Worst::new("ln, dense, all lengths", 5e-13);
    let mut powers = Worst::new("exp, dense, relative above 1", 1.3e-10);
    let mut falling = Worst::new("exp_minus, dense, relative to 1e-7", 1e-11);
    for n in 0..points {
        let noise = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (noise | 1 << 63) >> (n & 63);
        logarithms.see(float(ln(x).expect("above zero"), 40) - float_ln(x), x);
        let x = (noise >> 18).cast_signed();
        let x = if x <= EXP_MAX { x } else { x - EXP_PARTS_MAX };
        let exact = float(x, 40).exp();
        powers.see((unsigned(exp(x).expect("at most 22"), 32) - exact) / exact.max(1.0), x);
        let x = x.unsigned_abs() >> 2;
        let exact = (-float(x.cast_signed(), 40)).exp();
        falling.see((unsigned(exp_minus(x), 62) - exact) / exact, x);
    }
}

#[test]
fn dense_sweeps() {
    sweep(1_000_000);
}

/// Half a minute.
#[test]
#[ignore = "long: make test-long"]
fn denser_sweeps() {
    sweep(20_000_000);
}
