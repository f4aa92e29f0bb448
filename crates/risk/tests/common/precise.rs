//! Logarithm, exponential and normal distribution in 200 bits, about 60 digits: the reference of the engine's own; and
//! what keeps the worst error of a sweep.
#![allow(dead_code)]

use dashu_float::DBig;
use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;

/// A binary number that carries [`BITS`] bits.
pub type Real = FBig<HalfEven, 2>;

/// Precision of every reference.
const BITS: usize = 200;

/// `value`, exactly.
pub fn real(value: impl Into<i128>) -> Real {
    Real::from(value.into()).with_precision(BITS).value()
}

/// `raw / 2^bits`, exactly.
pub fn fixed(raw: impl Into<i128>, bits: u32) -> Real {
    real(raw) / real(1_i128 << bits)
}

/// The nearest integer to `value 2^bits`; in halves, either.
pub fn nearest(value: &Real, bits: u32) -> i128 {
    let scaled = value * real(1_i128 << bits);
    i128::try_from(scaled.round().to_int().value()).expect("an integer of 128 bits")
}

/// The nearest float.
pub fn float(value: &Real) -> f64 {
    value.to_f64().value()
}

pub fn ln(x: &Real) -> Real {
    x.ln()
}

pub fn exp(x: &Real) -> Real {
    x.exp()
}

pub fn sqrt(x: &Real) -> Real {
    x.sqrt()
}

pub fn cos(x: &Real) -> Real {
    x.cos()
}

/// `2^exponent`.
pub fn exp2(exponent: i64) -> Real {
    let half = exponent.unsigned_abs() / 2;
    let power = real(1_i128 << half) * real(1_i128 << (exponent.unsigned_abs() - half));
    if exponent < 0 { real(1) / power } else { power }
}

pub fn pi() -> Real {
    thread_local! {
        static PI: Real = {
            let digits = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534";
            let value: DBig = digits.parse().expect("digits");
            value.to_binary().value().with_precision(BITS).value().with_rounding()
        };
    }
    PI.with(Clone::clone)
}

/// `e^(-x^2 / 2) / sqrt(2 pi)`.
pub fn density(x: &Real) -> Real {
    exp(&(-(x * x) / real(2))) / sqrt(&(real(2) * pi()))
}

/// `N(-x)`, the probability above `x`: `1/2 - phi(x) (x + x^3 / 3 + x^5 / (3 5) + x^7 / (3 5 7) + ...)`.
///
/// All terms have one sign, and the half and the sum agree in 12 digits at `x = 7`, in 38 at `x = 13`.
pub fn tail(x: &Real) -> Real {
    let square = x * x;
    let mut term = x.clone();
    let mut sum = x.clone();
    let mut odd = 3_i32;
    // Below 2^-179, as the terms that are left fall fast.
    while float(&term).abs() > 1e-54 {
        term = term * &square / real(odd);
        sum += &term;
        odd += 2;
    }
    real(1) / real(2) - density(x) * sum
}

/// The worst error of a sweep, printed with `--nocapture`.
pub struct Worst {
    name: &'static str,
    limit: f64,
    error: f64,
    at: String,
    cases: u64,
}

impl Worst {
    pub fn new(name: &'static str, limit: f64) -> Self {
        Self { name, limit, error: 0.0, at: String::new(), cases: 0 }
    }

    pub fn silent(limit: f64) -> Self {
        Self::new("", limit)
    }

    pub fn silence(&mut self) {
        self.name = "";
    }

    pub fn see(&mut self, error: f64, at: impl std::fmt::Debug) {
        let error = error.abs();
        self.cases += 1;
        if error > self.error || error.is_nan() {
            self.error = error;
            self.at = format!("{at:?}");
            assert!(error <= self.limit, "{}: {error:e} at {at:?}", self.name);
        }
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        println!("{}: worst {:.3e} of {:.1e} at {}, {} cases", self.name, self.error, self.limit, self.at, self.cases);
    }
}
