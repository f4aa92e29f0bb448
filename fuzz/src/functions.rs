//! Elementary functions: against the machine's floating point where that is finer, and identities.
//!
//! The bounds are those of the table on the page of `plimsoll_risk::functions`; a double's own error is far below them.
use crate::{Length, Target, reached};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::functions::{
    EXP_MAX, EXP_PARTS_MAX, exp, exp_minus, exp_parts, ln, ln_ratio, normal_density, normal_distribution, sqrt_ceil,
    sqrt_floor, upper_tail,
};

const Q32: f64 = (1_u64 << 32) as f64;
const Q40: f64 = (1_u64 << 40) as f64;
const Q45: f64 = (1_u64 << 45) as f64;
const Q62: f64 = (1_u64 << 62) as f64;

#[derive(Arbitrary, Debug)]
pub struct Input {
    x: Length,
    y: Length,
    step: Length,
}

fn logarithms(x: u64, y: u64, step: u64) {
    let Ok(found) = ln(x) else { return assert_eq!((x, ln(x)), (0, Err(Error::LogarithmOfZero))) };
    assert!((found as f64 / Q40 - (x as f64 / Q32).ln()).abs() <= 5e-13, "ln {x}: {found}");
    if let Some(more) = x.checked_add(step) {
        assert!(ln(more).expect("above zero") >= found - 1, "ln of {x} and {step} more");
    }
    assert_eq!(ln_ratio(x, x), Ok(0));
    if let Ok(back) = exp(found) {
        assert!(back.abs_diff(x) as f64 <= 1.0 + x as f64 * 1.1e-11, "exp ln {x}: {back}");
    } else {
        assert!(found > EXP_MAX);
    }
    let Ok(ratio) = ln_ratio(x, y) else { return assert_eq!((y, ln_ratio(x, y)), (0, Err(Error::LogarithmOfZero))) };
    reached("a logarithm of a ratio");
    assert!((ratio as f64 / Q40 - (x as f64 / y as f64).ln()).abs() <= 5e-13, "ln {x} / {y}: {ratio}");
    assert!((ratio + ln_ratio(y, x).expect("above zero")).abs() <= 1);
}

fn exponentials(x: i64, step: u64) {
    let exact = x as f64 / Q40;
    match exp(x) {
        Ok(found) => {
            reached("an exponential");
            let off = found as f64 - exact.exp() * Q32;
            assert!(off.abs() <= 1.2e-10 * Q32 + 1.1e-11 * exact.exp() * Q32, "exp {x}: {found}");
            if let Some(Ok(more)) = x.checked_add_unsigned(step).map(exp) {
                assert!(more as f64 >= found as f64 * (1.0 - 2e-11) - 1.0, "exp of {x} and {step} more");
            }
        }
        Err(error) => assert_eq!((error, x > EXP_MAX), (Error::ExponentTooLarge, true)),
    }
    let found = exp_minus(x.unsigned_abs());
    let minus = (-(x.unsigned_abs() as f64) / Q40).exp();
    assert!((found as f64 / Q62 - minus).abs() <= 2.2e-19 + 1.1e-11 * minus, "exp of minus {x}: {found}");
    assert!(found <= 1 << 62);
    match exp_parts(x) {
        Ok((mantissa, exponent)) => {
            let fraction = mantissa as f64 / Q62;
            assert!((0.99..2.0).contains(&fraction), "{mantissa}");
            assert!((fraction * (exponent as f64).exp2() / exact.exp() - 1.0).abs() <= 1.1e-11, "parts of exp {x}");
        }
        Err(error) => {
            assert_eq!((error, x.unsigned_abs() > EXP_PARTS_MAX.unsigned_abs()), (Error::ExponentTooLarge, true));
        }
    }
}

fn roots(x: u64) {
    let (floor, ceil) = (u128::from(sqrt_floor(x)), u128::from(sqrt_ceil(x)));
    let square = u128::from(x) << 32;
    assert!(floor * floor <= square && (floor + 1) * (floor + 1) > square, "root of {x}");
    assert_eq!(ceil, if floor * floor == square { floor } else { floor + 1 });
}

fn distribution(x: i64, step: u64) {
    let exact = x as f64 / Q32;
    let found = normal_distribution(x);
    assert!(found <= 1 << 32);
    let expected = 0.5 * libm::erfc(-exact / core::f64::consts::SQRT_2);
    assert!((found as f64 / Q32 - expected).abs() <= 1.4e-10, "N({x}) = {found}");
    let density = normal_density(x);
    let expected = (-exact * exact / 2.0).exp() / (2.0 * core::f64::consts::PI).sqrt();
    assert!((density as f64 / Q32 - expected).abs() <= 1.3e-10, "phi({x}) = {density}");
    if let Some(opposite) = x.checked_neg() {
        assert_eq!(found + normal_distribution(opposite), 1 << 32, "N({x}) and N(-{x})");
        assert_eq!(density, normal_density(opposite));
    }
    if let Some(more) = x.checked_add_unsigned(step) {
        assert!(normal_distribution(more) + 1 >= found, "N of {x} and {step} more");
    }
    let tail = upper_tail(x.unsigned_abs());
    let expected = 0.5 * libm::erfc(exact.abs() / core::f64::consts::SQRT_2);
    assert!((tail as f64 / Q45 - expected).abs() <= 1.2e-11, "the tail above {x}: {tail}");
    if let Some(more) = x.unsigned_abs().checked_add(step) {
        assert!(upper_tail(more) <= tail + 2, "the tails above {x} and {step} more");
    }
}

impl Target for Input {
    fn check(self) {
        let (x, y, step) = (self.x.up_to(64), self.y.up_to(64), self.step.up_to(64));
        logarithms(x, y, step);
        roots(x);
        for argument in [self.x.signed(63), self.x.signed(46), self.y.signed(36)] {
            exponentials(argument, step);
            distribution(argument, step);
        }
    }
}
