//! Black's formula: bounds of no arbitrage, parity, the Greeks against floating point, implied volatility.
//!
//! The bounds are those of the table on the page of `plimsoll_risk::black`.
use crate::{Length, Target, between, reached};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::black::{Greeks, OptionKind, Terms, greeks, implied_volatility, price};
use plimsoll_risk::units::{Fraction, Price, Seconds, Volatility};

#[derive(Arbitrary, Debug)]
pub struct Input {
    near: bool,
    forward: Length,
    strike: Length,
    volatility: u32,
    time: u64,
    discount: Length,
    target: u64,
    step: Length,
}

impl Input {
    fn terms(&self) -> Terms {
        if !self.near {
            return Terms {
                forward: Price::from_raw(self.forward.up_to(64)),
                strike: Price::from_raw(self.strike.up_to(64)),
                volatility: Volatility::from_raw(self.volatility),
                time: Seconds::from_raw(self.time.cast_signed()),
                discount: Fraction::from_raw(self.discount.up_to(34)),
            };
        }
        let forward = self.forward.up_to(64).max(1 << 20);
        let distance = self.strike.signed(63) as i128 * i128::from(forward >> 58).max(1);
        let (low, high) = (forward.div_ceil(50), forward.saturating_mul(50));
        let strike = (i128::from(forward) + distance).clamp(i128::from(low), i128::from(high)) as u64;
        Terms {
            forward: Price::from_raw(forward),
            strike: Price::from_raw(strike),
            volatility: Volatility::from_raw(between(u64::from(self.volatility), 10_000, 5_000_000) as u32),
            time: Seconds::from_raw(between(self.time >> (self.time & 31), 1, 63_072_000).cast_signed()),
            discount: Fraction::from_raw((1 << 32) - self.discount.up_to(32)),
        }
    }
}

/// The error of terms outside the domain, in the documented order.
fn expected_error(terms: &Terms) -> Option<Error> {
    let (forward, strike) = (u128::from(terms.forward.raw()), u128::from(terms.strike.raw()));
    if forward < 1 << 20 {
        Some(Error::ForwardOutOfRange)
    } else if strike * 50 < forward || strike > forward * 50 {
        Some(Error::StrikeOutOfRange)
    } else if !(1..=1 << 32).contains(&terms.discount.raw()) {
        Some(Error::DiscountFactorInvalid)
    } else if !(1..=63_072_000).contains(&terms.time.raw()) {
        Some(Error::ExpiryOutOfRange)
    } else if !(10_000..=5_000_000).contains(&terms.volatility.raw()) {
        Some(Error::VolatilityOutOfRange)
    } else {
        None
    }
}

/// The formula in floating point: prices in raw units of the forward.
struct Exact {
    call: f64,
    put: f64,
    deviation: f64,
    delta: f64,
    gamma: f64,
    vega: f64,
    theta: f64,
}

impl Exact {
    fn new(terms: &Terms) -> Self {
        let (forward, strike) = (terms.forward.raw() as f64, terms.strike.raw() as f64);
        let discount = terms.discount.raw() as f64 / (1_u64 << 32) as f64;
        let sigma = f64::from(terms.volatility.raw()) / 1e6;
        let years = terms.time.raw() as f64 / 31_536_000.0;
        let deviation = sigma * years.sqrt();
        // The logarithm of a ratio near one keeps its digits.
        let logarithm = ((terms.forward.raw() as i128 - terms.strike.raw() as i128) as f64 / strike).ln_1p();
        let d1 = logarithm / deviation + deviation / 2.0;
        let d2 = d1 - deviation;
        let normal = |x: f64| 0.5 * libm::erfc(-x / core::f64::consts::SQRT_2);
        let density = (-d1 * d1 / 2.0).exp() / (2.0 * core::f64::consts::PI).sqrt();
        Self {
            call: discount * (forward * normal(d1) - strike * normal(d2)),
            put: discount * (strike * normal(-d2) - forward * normal(-d1)),
            deviation,
            delta: discount * normal(d1),
            gamma: discount * density / deviation,
            vega: discount * forward * density * years.sqrt(),
            theta: -discount * forward * density * sigma / (2.0 * years.sqrt()) / 365.0,
        }
    }
}

/// What no arbitrage demands, exactly: intrinsic value, upper bound, parity.
fn check_bounds(terms: &Terms, call: u64, put: u64) {
    let (forward, strike) = (u128::from(terms.forward.raw()), u128::from(terms.strike.raw()));
    let discount = u128::from(terms.discount.raw());
    // Below one raw unit there may be no price between the bounds.
    let room = u128::from(discount * forward.min(strike) < 1 << 32) << 32;
    for (price, receives, pays) in [(call, forward, strike), (put, strike, forward)] {
        let price = u128::from(price) << 32;
        assert!(price >= discount * receives.saturating_sub(pays), "below the intrinsic value");
        assert!(price <= discount * receives + room, "above what is received");
    }
    let forward_price = (discount * forward.abs_diff(strike)).div_ceil(1 << 32) as i128;
    let forward_price = if forward >= strike { forward_price } else { -forward_price };
    assert_eq!(i128::from(call) - i128::from(put), forward_price, "parity");
}

fn check_greeks(terms: &Terms, exact: &Exact, call: &Greeks, put: &Greeks) {
    let (forward, unit) = (terms.forward.raw() as f64, 1.0 / (1_u64 << 32) as f64);
    let discount = terms.discount.raw().cast_signed();
    assert_eq!(call.delta - put.delta, discount);
    assert!((0..=discount).contains(&call.delta));
    assert_eq!((call.gamma, call.vega, call.theta), (put.gamma, put.vega, put.theta));
    let narrow = exact.deviation < 1e-4;
    let delta = call.delta as f64 * unit - exact.delta;
    assert!(delta.abs() <= if narrow { 5e-9 } else { 1e-9 } + unit, "delta off by {delta:e}");
    let gamma = call.gamma as f64 * unit - exact.gamma;
    let bound = if narrow { 5e-9 } else { 1e-9 } / exact.deviation + 2.0 * unit;
    assert!(gamma.abs() <= bound, "gamma off by {gamma:e}, at most {bound:e}");
    let vega = call.vega.raw() as f64 - exact.vega;
    assert!(vega.abs() <= 1e-9 * forward + 4.0, "vega off by {vega:e}");
    assert!(call.theta <= 0);
    if exact.theta > -9e18 {
        let theta = (call.theta as f64 - exact.theta).abs();
        // Per unit of `D F n(d1)`: beyond eight deviations that counts as nothing, so this is of the forward.
        let rate = exact.deviation * 43_200.0 / terms.time.raw() as f64;
        let bound = 2e-8 * forward * rate + 2.0 * rate + 2.0;
        assert!(theta <= bound, "theta {} off by {theta:e}, at most {bound:e}, {terms:?}", exact.theta);
    }
}

impl Input {
    fn check_monotone(&self, terms: &Terms, call: u64) {
        let slack = terms.forward.raw() as f64 * 2e-9 + 2.0;
        let more = terms.volatility.raw().saturating_add(self.step.up_to(23) as u32).min(5_000_000);
        let wilder = Terms { volatility: Volatility::from_raw(more), ..*terms };
        let dearer = price(&wilder, OptionKind::Call).expect("within the domain").raw();
        assert!(dearer as f64 >= call as f64 - slack, "{dearer} at {more} below {call}");
    }

    fn check_implied(&self, terms: &Terms, kind: OptionKind, price_now: u64) {
        let forward = terms.forward.raw() as f64;
        let at = |volatility: u32| {
            price(&Terms { volatility: Volatility::from_raw(volatility), ..*terms }, kind).expect("in the domain").raw()
        };
        let (least, most) = (at(10_000), at(5_000_000));
        let targets = [price_now, self.target, between(self.target, least.min(most), most)];
        for target in targets {
            match implied_volatility(terms, kind, Price::from_raw(target)) {
                Ok(volatility) => {
                    reached("a volatility was implied");
                    let off = at(volatility.raw()).abs_diff(target) as f64;
                    assert!(off <= forward * 3.01e-7 + 1.0, "{volatility:?} misses {target} by {off}");
                }
                Err(error) => {
                    assert_eq!(error, Error::OptionPriceOutOfRange);
                    assert!(target < least || target > most, "{target} is one of {least} ..= {most}");
                }
            }
        }
    }
}

impl Target for Input {
    fn check(self) {
        let terms = self.terms();
        let (call, put) = match (price(&terms, OptionKind::Call), price(&terms, OptionKind::Put)) {
            (Ok(call), Ok(put)) => (call.raw(), put.raw()),
            (call, put) => {
                assert_eq!((call.err(), put.err()), (expected_error(&terms), expected_error(&terms)));
                return;
            }
        };
        reached("an option was priced");
        assert_eq!(expected_error(&terms), None);
        check_bounds(&terms, call, put);
        let exact = Exact::new(&terms);
        // A unit, and a second one for the intrinsic value in the money, or for the bound of no arbitrage out of it.
        let slack = terms.forward.raw() as f64 * 1e-9 + terms.strike.raw() as f64 * 1e-15 + 2.0;
        assert!((call as f64 - exact.call).abs() <= slack, "call {call}, not {}", exact.call);
        assert!((put as f64 - exact.put).abs() <= slack, "put {put}, not {}", exact.put);
        let of = |kind| greeks(&terms, kind).expect("priced");
        let (call_greeks, put_greeks) = (of(OptionKind::Call), of(OptionKind::Put));
        assert_eq!((call_greeks.price.raw(), put_greeks.price.raw()), (call, put));
        check_greeks(&terms, &exact, &call_greeks, &put_greeks);
        self.check_monotone(&terms, call);
        let (kind, now) = if self.target & 1 == 0 { (OptionKind::Call, call) } else { (OptionKind::Put, put) };
        self.check_implied(&terms, kind, now);
    }
}
