//! Black-76 against 200-bit arithmetic and, over the whole domain, against floats that are held to it.
mod common;
#[path = "common/precise.rs"]
mod precise;

use plimsoll_risk::Error;
use plimsoll_risk::black::{
    Deviation, Greeks, MAX_EXPIRY, MAX_VOLATILITY, MIN_VOLATILITY, OptionKind, RootTime, Terms, greeks,
    implied_volatility, price,
};
use plimsoll_risk::units::{Fraction, Price, Seconds, Volatility};
use precise::Worst;
use proptest::prelude::*;

const KINDS: [OptionKind; 2] = [OptionKind::Call, OptionKind::Put];
const YEAR: f64 = 31_536_000.0;

/// 100 USD with 6 decimals, one year at 80 %, at the money, no discount.
const PLAIN: Terms = Terms {
    forward: Price::from_raw(100 << 48),
    strike: Price::from_raw(100 << 48),
    volatility: Volatility::from_raw(800_000),
    time: Seconds::from_raw(31_536_000),
    discount: Fraction::ONE,
};

/// Price and Greeks in units of the forward: call, put, delta of the call, gamma, vega and daily theta.
#[derive(Clone, Copy, Debug)]
struct Reference {
    w: f64,
    call: f64,
    put: f64,
    delta: f64,
    gamma: f64,
    vega: f64,
    theta: f64,
}

fn normal(x: f64) -> f64 {
    libm::erfc(-x / std::f64::consts::SQRT_2) / 2.0
}

fn reference(terms: &Terms) -> Reference {
    let (f, k) = (terms.forward.raw(), terms.strike.raw());
    // ln(F / K) by the exact difference, so that it has all its digits near zero.
    let logarithm = if f >= k { ((f - k) as f64 / k as f64).ln_1p() } else { -((k - f) as f64 / f as f64).ln_1p() };
    let discount = terms.discount.raw() as f64 / 4_294_967_296.0;
    let volatility = f64::from(terms.volatility.raw()) / 1e6;
    let years = terms.time.raw() as f64 / YEAR;
    let w = volatility * years.sqrt();
    let (d1, d2) = (logarithm / w + w / 2.0, logarithm / w - w / 2.0);
    let strike = k as f64 / f as f64;
    let intrinsic = if f >= k { (f - k) as f64 / f as f64 } else { -((k - f) as f64 / f as f64) };
    // The smaller one by the formula, the other by parity.
    let (call, put) = if f >= k {
        let put = strike * normal(-d2) - normal(-d1);
        (put + intrinsic, put)
    } else {
        let call = normal(d1) - strike * normal(d2);
        (call, call - intrinsic)
    };
    let density = discount * (-d1 * d1 / 2.0).exp() / std::f64::consts::TAU.sqrt();
    Reference {
        w,
        call: discount * call,
        put: discount * put,
        delta: discount * normal(d1),
        gamma: density / w,
        vega: density * years.sqrt(),
        theta: -density * volatility / (2.0 * years.sqrt()) / 365.0,
    }
}

/// The same in 200 bits, each formula as it stands in the books.
fn precise_reference(terms: &Terms) -> Reference {
    use precise::{Real, density, exp2, float, ln, real, sqrt, tail};
    let (f, k) = (real(terms.forward.raw()), real(terms.strike.raw()));
    let discount = real(terms.discount.raw()) * exp2(-32);
    let volatility = real(terms.volatility.raw()) / real(1_000_000);
    let years = real(terms.time.raw()) / real(31_536_000);
    let w = &volatility * sqrt(&years);
    let d1: Real = ln(&(&f / &k)) / &w + &w / real(2);
    let d2 = &d1 - &w;
    // Beyond 15 the series has no digits left; the tail is below 1e-50 there.
    let n = |x: &Real| match float(x) {
        x if x > 15.0 => real(1),
        x if x < -15.0 => real(0),
        _ => tail(&-x.clone()),
    };
    let strike = &k / &f;
    let call = &discount * (n(&d1) - &strike * n(&d2));
    let put = &discount * (strike * n(&-d2.clone()) - n(&-d1.clone()));
    let flow = &discount * density(&d1);
    Reference {
        w: float(&w),
        call: float(&call),
        put: float(&put),
        delta: float(&(&discount * n(&d1))),
        gamma: float(&(&flow / &w)),
        vega: float(&(&flow * sqrt(&years))),
        theta: float(&-(flow * volatility / (real(730) * sqrt(&years)))),
    }
}

/// The product of times, volatilities and strikes, over some forwards and discount factors: `call` for each.
fn domain(thin: usize, mut call: impl FnMut(&Terms)) {
    const TIMES: [i64; 17] = [
        1, 2, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800, 2_592_000, 7_776_000, 31_536_000,
        63_072_000,
    ];
    const VOLATILITIES: [u32; 12] = [
        10_000, 10_001, 30_000, 100_000, 250_000, 500_000, 800_000, 1_200_000, 2_000_000, 3_000_000, 4_999_999,
        5_000_000,
    ];
    const FORWARDS: [u64; 6] = [1 << 20, 0x12_3456_7890, 42_221_246_506_598, 150 << 48, 60_000 << 48, u64::MAX];
    const DISCOUNTS: [u64; 3] = [1 << 32, 4_187_593_113, 2_147_483_647];
    let mut count = 0_usize;
    for time in TIMES {
        for volatility in VOLATILITIES {
            for strike in strikes(time, volatility) {
                for forward in FORWARDS {
                    for discount in DISCOUNTS {
                        count += 1;
                        let strike = (forward as f64 * strike) as u128;
                        let strike = strike.clamp(u128::from(forward.div_ceil(50)), u128::from(forward) * 50);
                        let Ok(strike) = u64::try_from(strike) else { continue };
                        if count.is_multiple_of(thin) {
                            call(&terms(forward, strike, volatility, time, discount));
                        }
                    }
                }
            }
        }
    }
}

/// Strikes over forwards: fixed ones, and at multiples of the standard deviation.
fn strikes(time: i64, volatility: u32) -> impl Iterator<Item = f64> {
    let w = f64::from(volatility) / 1e6 * (time as f64 / YEAR).sqrt();
    let deviations = (-36..=36).map(move |quarter| (f64::from(quarter) / 4.0 * w).clamp(-3.9121, 3.9121).exp());
    [0.02, 0.1, 0.5, 0.9, 0.99, 0.999_999, 1.000_001, 1.01, 1.1, 2.0, 10.0, 50.0].into_iter().chain(deviations)
}

fn terms(forward: u64, strike: u64, volatility: u32, time: i64, discount: u64) -> Terms {
    Terms {
        forward: Price::from_raw(forward),
        strike: Price::from_raw(strike),
        volatility: Volatility::from_raw(volatility),
        time: Seconds::from_raw(time),
        discount: Fraction::from_raw(discount),
    }
}

/// Worst errors of prices and Greeks: prices and vega in units of the forward, after the raw units of rounding.
struct Errors {
    price: Worst,
    delta: Worst,
    delta_short: Worst,
    gamma: Worst,
    gamma_short: Worst,
    vega: Worst,
    theta: Worst,
}

impl Errors {
    fn new() -> Self {
        Self {
            price: Worst::new("price, of the forward", 1e-9),
            delta: Worst::new("delta, w >= 1e-4", 1e-9),
            delta_short: Worst::new("delta, w < 1e-4", 5e-9),
            gamma: Worst::new("gamma times w, w >= 1e-4", 1e-9),
            gamma_short: Worst::new("gamma times w, w < 1e-4", 5e-9),
            vega: Worst::new("vega, of the forward", 1e-9),
            theta: Worst::new("theta, of forward w / time", 2e-8),
        }
    }

    fn see(&mut self, terms: &Terms, kind: OptionKind, expected: &Reference) {
        let Greeks { price: found, delta, gamma, vega, theta } = greeks(terms, kind).expect("within the domain");
        assert_eq!(price(terms, kind), Ok(found), "{terms:?}");
        let forward = terms.forward.raw() as f64;
        let discount = terms.discount.raw() as f64 / 4_294_967_296.0;
        let beyond =
            |found: f64, expected: f64, units: f64| ((found - expected * forward).abs() - units).max(0.0) / forward;
        let (exact, delta_exact) = match kind {
            OptionKind::Call => (expected.call, expected.delta),
            OptionKind::Put => (expected.put, expected.delta - discount),
        };
        let inside = (terms.strike < terms.forward) == (kind == OptionKind::Call);
        self.price.see(beyond(found.raw() as f64, exact, if inside { 2.0 } else { 1.0 }), terms);
        self.vega.see(beyond(vega.raw() as f64, expected.vega, 4.0), terms);
        let short = expected.w < 1e-4;
        let worst = if short { &mut self.delta_short } else { &mut self.delta };
        worst.see(delta as f64 / 4_294_967_296.0 - delta_exact, terms);
        let worst = if short { &mut self.gamma_short } else { &mut self.gamma };
        let off = (gamma as f64 / 4_294_967_296.0 - expected.gamma).abs() - 2.0 / 4_294_967_296.0;
        worst.see(off.max(0.0) * expected.w, terms);
        // What a raw unit of the flow and of the result is worth.
        let rate = expected.w * 43_200.0 / terms.time.raw() as f64;
        if expected.theta * forward > -9e18 {
            self.theta.see(beyond(theta as f64, expected.theta, 2.0 * rate + 1.0) / rate.max(1e-12), terms);
        } else {
            assert!(theta < -8_900_000_000_000_000_000, "{terms:?}");
        }
    }
}

#[test]
fn floats_agree_with_200_bits() {
    let mut prices = Worst::new("f64 prices against 200 bits", 1e-14);
    let mut greeks = Worst::new("f64 Greeks against 200 bits, to scale", 1e-9);
    domain(379, |terms| {
        let (float, exact) = (reference(terms), precise_reference(terms));
        prices.see(float.call - exact.call, terms);
        prices.see(float.put - exact.put, terms);
        greeks.see(float.delta - exact.delta, terms);
        greeks.see((float.gamma - exact.gamma) * exact.w, terms);
        greeks.see(float.vega - exact.vega, terms);
        greeks.see((float.theta - exact.theta) / (exact.w * 43_200.0 / terms.time.raw() as f64), terms);
    });
}

#[test]
fn prices_and_greeks_against_200_bits() {
    let mut errors = Errors::new();
    domain(401, |terms| {
        let expected = precise_reference(terms);
        KINDS.into_iter().for_each(|kind| errors.see(terms, kind, &expected));
    });
}

#[test]
fn prices_and_greeks_over_the_domain() {
    let mut errors = Errors::new();
    domain(1, |terms| {
        let expected = reference(terms);
        KINDS.into_iter().for_each(|kind| errors.see(terms, kind, &expected));
    });
}

/// `D |F - K|` rounded up, exactly.
fn intrinsic(terms: &Terms) -> u64 {
    let gap = terms.forward.raw().abs_diff(terms.strike.raw());
    (u128::from(gap) * u128::from(terms.discount.raw())).div_ceil(1 << 32) as u64
}

/// Bounds without arbitrage and parity, to the last unit.
fn check_bounds(terms: &Terms) {
    let [call, put] = KINDS.map(|kind| price(terms, kind).expect("within the domain").raw());
    let (forward, strike) = (terms.forward.raw(), terms.strike.raw());
    let most = |of: u64| (u128::from(of) * u128::from(terms.discount.raw())) >> 32;
    let (out, inside) = if strike >= forward { (call, put) } else { (put, call) };
    assert_eq!(inside, out + intrinsic(terms), "{terms:?}");
    if most(forward.min(strike)) > 0 {
        assert!(u128::from(call) <= most(forward) && u128::from(put) <= most(strike), "{terms:?}");
    } else {
        assert!(u128::from(inside) <= most(forward.max(strike)) + 1, "{terms:?}");
    }
}

#[test]
fn no_arbitrage_and_parity_over_the_domain() {
    domain(1, check_bounds);
}

#[test]
fn at_the_money_a_year_at_80_percent() {
    // 100 (2 N(0.4) - 1) = 31.084348...
    let found = price(&PLAIN, OptionKind::Call).expect("within the domain").raw() as f64 / 2_f64.powi(48);
    assert!((found - 31.084_348_322_064_836).abs() < 1e-7, "{found}");
    assert_eq!(price(&PLAIN, OptionKind::Call), price(&PLAIN, OptionKind::Put));
}

#[test]
fn every_error() {
    let all = |terms: Terms, error: Error| {
        for kind in KINDS {
            assert_eq!(price(&terms, kind), Err(error), "{terms:?}");
            assert_eq!(greeks(&terms, kind), Err(error), "{terms:?}");
            if error != Error::VolatilityOutOfRange {
                assert_eq!(implied_volatility(&terms, kind, PLAIN.forward), Err(error), "{terms:?}");
            }
        }
    };
    let forward = |raw| Terms { forward: Price::from_raw(raw), ..PLAIN };
    let strike = |raw| Terms { strike: Price::from_raw(raw), ..PLAIN };
    all(forward(0), Error::ForwardOutOfRange);
    all(forward((1 << 20) - 1), Error::ForwardOutOfRange);
    all(strike(0), Error::StrikeOutOfRange);
    all(strike((2 << 48) - 1), Error::StrikeOutOfRange);
    all(strike((5_000 << 48) + 1), Error::StrikeOutOfRange);
    for raw in [0, 9_999, 5_000_001, u32::MAX] {
        all(Terms { volatility: Volatility::from_raw(raw), ..PLAIN }, Error::VolatilityOutOfRange);
    }
    for raw in [i64::MIN, -1, 0, 63_072_001, i64::MAX] {
        all(Terms { time: Seconds::from_raw(raw), ..PLAIN }, Error::ExpiryOutOfRange);
    }
    for raw in [0, (1 << 32) + 1, u64::MAX] {
        all(Terms { discount: Fraction::from_raw(raw), ..PLAIN }, Error::DiscountFactorInvalid);
    }
    for raw in [2 << 48, 5_000 << 48] {
        assert!(price(&strike(raw), OptionKind::Call).is_ok());
    }
    assert!(price(&terms(1 << 20, 1 << 20, 10_000, 1, 1), OptionKind::Call).is_ok());
}

#[test]
fn prices_that_no_volatility_gives() {
    for kind in KINDS {
        let [least, most] = [MIN_VOLATILITY, MAX_VOLATILITY]
            .map(|volatility| price(&Terms { volatility, ..PLAIN }, kind).expect("within the domain").raw());
        let inverse = |raw| implied_volatility(&PLAIN, kind, Price::from_raw(raw));
        assert_eq!(inverse(least), Ok(MIN_VOLATILITY));
        assert_eq!(inverse(most), Ok(MAX_VOLATILITY));
        // The ends reach a little further: the price's own error.
        let slack = (PLAIN.forward.raw() >> 30) + 1;
        assert_eq!(inverse(least - slack), Ok(MIN_VOLATILITY));
        assert_eq!(inverse(most + slack), Ok(MAX_VOLATILITY));
        for raw in [0, least - slack - 1, most + slack + 1, PLAIN.forward.raw() + 1, u64::MAX] {
            assert_eq!(inverse(raw), Err(Error::OptionPriceOutOfRange), "{raw}");
        }
    }
}

#[test]
fn prices_that_are_an_arbitrage() {
    for (strike, kind) in [(90 << 48, OptionKind::Call), (110 << 48, OptionKind::Put)] {
        let terms = Terms { strike: Price::from_raw(strike), time: Seconds::from_raw(1), ..PLAIN };
        let inverse = |raw| implied_volatility(&terms, kind, Price::from_raw(raw));
        assert_eq!(inverse(10 << 48), Ok(MIN_VOLATILITY));
        assert_eq!(inverse((10 << 48) - 1), Err(Error::OptionPriceOutOfRange));
        assert_eq!(inverse((110 << 48) + 1), Err(Error::OptionPriceOutOfRange));
    }
}

/// The inverse gives the price back within half of what 1 ppm of volatility is worth, and the price's own error twice.
fn check_inverse(terms: &Terms, kind: OptionKind, worst: &mut Worst) {
    let given = price(terms, kind).expect("within the domain");
    let found = implied_volatility(terms, kind, given).expect("a price that a volatility gives");
    let Greeks { price: again, vega, .. } =
        greeks(&Terms { volatility: found, ..*terms }, kind).expect("within the domain");
    let forward = terms.forward.raw() as f64;
    let allowed = vega.raw() as f64 * 0.6e-6 + 2e-9 * forward + 2.0;
    let gap = given.raw().abs_diff(again.raw()) as f64;
    worst.see(gap / allowed, terms);
    // Where the vega tells volatilities apart, it is the one.
    if vega.raw() as f64 > 2e-2 * forward && forward > 1e9 {
        let off = found.raw().abs_diff(terms.volatility.raw());
        assert!(off <= 1, "{terms:?}: {found:?}");
    }
}

#[test]
fn implied_volatilities_give_the_price_back() {
    let mut worst = Worst::new("implied volatility: reprices, of what is allowed", 1.0);
    domain(7, |terms| KINDS.into_iter().for_each(|kind| check_inverse(terms, kind, &mut worst)));
}

/// Everything about one set of terms.
fn check_terms(terms: &Terms, errors: &mut Errors) {
    let expected = reference(terms);
    let mut worst = Worst::silent(1.0);
    for kind in KINDS {
        errors.see(terms, kind, &expected);
        check_inverse(terms, kind, &mut worst);
    }
    check_bounds(terms);
}

/// A million terms in two minutes.
#[test]
#[ignore = "long: make test-long"]
fn many_random_terms() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut errors = Errors::new();
    for _ in 0..1_000_000 {
        let terms = any_terms().new_tree(&mut runner).expect("a tree").current();
        check_terms(&terms, &mut errors);
    }
}

/// What two prices may be out of order by.
fn slack(forward: u64) -> u64 {
    forward / 1_000_000_000 + 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn random_terms(terms in any_terms()) {
        check_terms(&terms, &mut Errors::silent());
    }

    /// With D = 1: up in volatility and time, calls up in the forward and down in the strike, puts the other way.
    #[test]
    fn prices_are_monotone(terms in any_terms(), by in 1_u64..1_000_000, shift in 0..63_u32) {
        let terms = Terms { discount: Fraction::ONE, ..terms };
        let more = |terms: Terms, kind| price(&terms, kind);
        let slack = slack(terms.forward.raw());
        let step = by << shift;
        let volatility = Volatility::from_raw(terms.volatility.raw().saturating_add(by as u32).min(5_000_000));
        let time = Seconds::from_raw((terms.time.raw() + by as i64).min(MAX_EXPIRY.raw()));
        let strike = Price::from_raw(terms.strike.raw().saturating_add(step));
        let forward = Price::from_raw(terms.forward.raw().saturating_add(step));
        for kind in KINDS {
            let base = price(&terms, kind).unwrap().raw();
            let other = more(Terms { volatility, ..terms }, kind).unwrap().raw();
            prop_assert!(base <= other.saturating_add(slack), "volatility");
            let other = more(Terms { time, ..terms }, kind).unwrap().raw();
            prop_assert!(base <= other.saturating_add(slack), "time");
            if let Ok(other) = more(Terms { strike, ..terms }, kind) {
                let (less, more) = if kind == OptionKind::Call { (other.raw(), base) } else { (base, other.raw()) };
                prop_assert!(less <= more.saturating_add(slack), "strike {kind:?}");
            }
            if let Ok(other) = more(Terms { forward, ..terms }, kind) {
                let (less, more) = if kind == OptionKind::Call { (base, other.raw()) } else { (other.raw(), base) };
                let slack = slack.max(self::slack(forward.raw()));
                prop_assert!(less <= more.saturating_add(slack), "forward {kind:?}");
            }
        }
    }

    /// Any input has a value or an error.
    #[test]
    fn total(forward: u64, strike: u64, volatility: u32, time: i64, discount: u64, given: u64) {
        let terms = terms(forward, strike, volatility, time, discount);
        for kind in KINDS {
            prop_assert_eq!(price(&terms, kind).err(), greeks(&terms, kind).err());
            let _ = implied_volatility(&terms, kind, Price::from_raw(given));
        }
    }

    /// `w`, its reciprocal and a standardised logarithm.
    #[test]
    fn deviations(volatility in 10_000_u32..=5_000_000, time in log_time(), logarithm in -(8_i64 << 40)..8 << 40) {
        let root = RootTime::new(Seconds::from_raw(time)).unwrap();
        let deviation = Deviation::new(Volatility::from_raw(volatility), root).unwrap();
        let years = (time as f64 / YEAR).sqrt();
        let w = f64::from(volatility) / 1e6 * years;
        prop_assert!((root.years() as f64 / 2_f64.powi(62) / years - 1.0).abs() < 1e-14);
        prop_assert!((deviation.total() as f64 / 2_f64.powi(60) / w - 1.0).abs() < 2e-12);
        let (mantissa, exponent) = deviation.reciprocal();
        prop_assert!((mantissa as f64 * 2_f64.powi(exponent - 32) * w - 1.0).abs() < 5e-10);
        let exact = logarithm as f64 / 2_f64.powi(40) / w;
        let found = deviation.standardised(logarithm) as f64 / 2_f64.powi(32);
        if exact.abs() < 7.999 {
            prop_assert!((found - exact).abs() < 1e-9 * exact.abs() + 3e-10, "{found} {exact}");
        } else if exact.abs() > 8.001 {
            prop_assert_eq!(found, 16_f64.copysign(exact));
        }
        prop_assert_eq!(deviation.standardised(-logarithm), -deviation.standardised(logarithm));
    }
}

impl Errors {
    fn silent() -> Self {
        let mut errors = Self::new();
        let all = [
            &mut errors.price,
            &mut errors.delta,
            &mut errors.delta_short,
            &mut errors.gamma,
            &mut errors.gamma_short,
            &mut errors.vega,
            &mut errors.theta,
        ];
        all.into_iter().for_each(Worst::silence);
        errors
    }
}

/// Seconds, as likely in every octave.
fn log_time() -> impl Strategy<Value = i64> {
    (0.0..18.0_f64).prop_map(|power| (power.exp() as i64).clamp(1, MAX_EXPIRY.raw()))
}

/// Terms of the domain, strikes within nine standard deviations or anywhere.
fn any_terms() -> impl Strategy<Value = Terms> {
    let strike = prop_oneof![(-9.0..9.0_f64).prop_map(Ok), (-3.9121..3.9121_f64).prop_map(Err)];
    let discount = prop_oneof![Just(1_u64 << 32), 1_u64 << 31..1 << 32, 1_u64..1 << 32];
    ((20.0..63.99_f64), strike, 10_000_u32..=5_000_000, log_time(), discount).prop_map(
        |(forward, strike, volatility, time, discount)| {
            let forward = forward.exp2() as u64;
            let w = f64::from(volatility) / 1e6 * (time as f64 / YEAR).sqrt();
            let strike = strike.map_or_else(|l| l, |deviations| deviations * w).clamp(-3.9121, 3.9121);
            let least = u128::from(forward.div_ceil(50));
            let most = (u128::from(forward) * 50).min(u128::from(u64::MAX));
            let strike = ((forward as f64 * strike.exp()) as u128).clamp(least, most) as u64;
            terms(forward, strike, volatility, time, discount)
        },
    )
}
