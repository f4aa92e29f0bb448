//! Risk arrays against full revaluation: Black-76 in floating point, by the C library's complementary error function.
mod common;

use plimsoll_risk::Error;
use plimsoll_risk::black::OptionKind;
use plimsoll_risk::greeks::OptionGreeks;
use plimsoll_risk::options::{
    ArrayTerms, Board, BoardSum, MAX_LOTS, Nodes, OptionRisk, Reading, Refresh, RiskArray, SCENARIOS, StrikeLots,
    VALUES, settlement_price,
};
use plimsoll_risk::units::{Base, Fraction, Lots, Ppm, Price, Quote, Seconds, Timestamp, Volatility};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_raw(1_800_000_000);
const YEAR: f64 = 31_536_000.0;
/// Rounding of stored values and N(x), of the discounted forward.
const ROUNDING: f64 = 2e-8;

/// The reference.
mod reference {
    pub fn distribution(x: f64) -> f64 {
        0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
    }

    pub fn density(x: f64) -> f64 {
        (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    /// `x N(d1) - k N(d2)`: a call relative to the discounted forward, at `x` times the spot.
    pub fn call(x: f64, k: f64, w: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let d1 = (x / k).ln() / w + w / 2.0;
        x * distribution(d1) - k * distribution(d1 - w)
    }
}

/// One option series on one board.
#[derive(Clone, Copy, Debug)]
struct Series {
    board: Board,
    strike: Price,
    volatility: Volatility,
}

impl Series {
    fn array(&self) -> (ArrayTerms, RiskArray) {
        let nodes = Nodes::new(self.board.range).unwrap();
        let mut refresh = Refresh::new(&self.board, &nodes).unwrap();
        let array = refresh.array(self.strike, self.volatility).unwrap();
        (*refresh.terms(), array)
    }

    /// `D F lot`, quote native.
    fn unit(&self) -> f64 {
        let discount = self.board.discount.raw() as f64 / 2f64.powi(32);
        discount * price(self.board.forward) * self.board.lot as f64
    }

    /// `K / F`.
    fn moneyness(&self) -> f64 {
        price(self.strike) / price(self.board.forward)
    }

    /// `sigma (1 + shock) sqrt(T)`, the arrays' floors and limits applied.
    fn deviation(&self, shock: f64) -> f64 {
        let sigma = f64::from(self.volatility.raw());
        let sigma =
            (sigma + (sigma * shock.abs() - 1e-6).ceil().max(0.0).copysign(shock)).clamp(10_000.0, 5_000_000.0) / 1e6;
        sigma * (self.board.time.raw().max(600) as f64 / YEAR).sqrt()
    }

    fn up(&self) -> f64 {
        self.deviation(ratio(self.board.volatility_up))
    }

    fn down(&self) -> f64 {
        self.deviation(-ratio(self.board.volatility_down))
    }

    /// Gain of one long call over its value at `x`, in every scenario: full revaluation.
    fn gains(&self, x: f64, range: f64, damping: f64) -> [f64; SCENARIOS] {
        let k = self.moneyness();
        let mark = reference::call(x, k, self.deviation(0.0));
        std::array::from_fn(|scenario| {
            let (steps, w, part) = match scenario {
                0..7 => (scenario as f64 - 3.0, self.up(), 1.0),
                7..14 => (scenario as f64 - 10.0, self.down(), 1.0),
                14 => (-9.0, self.up(), damping),
                _ => (9.0, self.up(), damping),
            };
            part * (reference::call(x * (1.0 + steps * range / 3.0), k, w) - mark)
        })
    }

    /// By how much a chord may lie above the value in a scenario: see the module's page.
    fn chord_bound(&self, scenario: usize, x: f64, range: f64, damping: f64) -> f64 {
        let h = ratio(self.board.range) / 6.0;
        let steps = if scenario < 7 { scenario as f64 - 3.0 } else { scenario as f64 - 10.0 };
        let lowest = |at: f64, width: f64| (at - width).max(1.0 / 32.0);
        let bound = |h: f64, w: f64, low: f64| h * f64::min(0.25, h / (20.0 * w * low));
        match scenario {
            0..7 => bound(h, self.up(), lowest(x * (1.0 + steps * range / 3.0), h)),
            7..14 => bound(h, self.down(), lowest(x * (1.0 + steps * range / 3.0), h)),
            14 => damping * bound(6.0 * h + 1.0 / 4096.0, self.up(), lowest(1.0 - 21.0 * h, 0.0)),
            _ => damping * bound(6.0 * h, self.up(), lowest(1.0 + 15.0 * h, 0.0)),
        }
    }
}

/// The farthest node below: zero instead of next to nothing.
fn far_below(h: f64) -> f64 {
    let x = 1.0 - 21.0 * h;
    if x < 1.0 / 4096.0 { 0.0 } else { x }
}

fn price(price: Price) -> f64 {
    price.raw() as f64 / 2f64.powi(48)
}

fn ratio(ratio: Ppm) -> f64 {
    f64::from(ratio.raw()) / 1e6
}

fn moved(price: Price, by: f64) -> Price {
    Price::from_raw((price.raw() as f64 * (1.0 + by)) as u64)
}

/// A market as it is at the moment of the refresh.
fn reading(series: &Series) -> Reading {
    Reading {
        spot: series.board.spot,
        now: series.board.now,
        range: series.board.range,
        range_maint: series.board.range,
        extreme_damping: Ppm::from_raw(330_000),
        short_minimum: Ppm::ZERO,
    }
}

fn read(series: &Series, kind: OptionKind, lots: i64, reading: &Reading) -> Result<OptionRisk, Error> {
    let (terms, array) = series.array();
    let mut sum = BoardSum::new();
    sum.add(&array, kind, series.strike, Lots::from_raw(lots))?;
    let mut risk = OptionRisk::default();
    sum.finish(&terms, reading, &mut risk)?;
    Ok(risk)
}

/// Any series: a minute to two years, strikes from 1/45 to 45 forwards but mostly near, 1 % to 500 %.
fn series() -> impl Strategy<Value = Series> {
    let market = (24..50_u32, 0.0..1.0_f64, -0.2..0.2_f64, 1_000..800_000_u32, 0.85..=1.0_f64);
    let shape = (1.8..7.8_f64, 4.0..6.69_f64, -3.8..3.8_f64, 0..4_u8);
    let shocks = (0..900_000_u32, 0..900_000_u32);
    (market, shape, shocks, 4.1..13.6_f64)
        .prop_map(|(market, shape, shocks, worth)| {
            let spot = Price::from_raw(((1_u64 << market.0) as f64 * (1.0 + market.1)) as u64);
            let forward = moved(spot, market.2);
            let volatility = 10f64.powf(shape.1).clamp(10_000.0, 5_000_000.0);
            let seconds = 10f64.powf(shape.0).min(63_072_000.0);
            let w = volatility / 1e6 * (seconds.max(600.0) / YEAR).sqrt();
            let away = if shape.3 == 0 { shape.2 } else { (shape.2 / 2.0 * w).clamp(-3.8, 3.8) };
            Series {
                board: Board {
                    spot,
                    forward,
                    discount: Fraction::from_raw((market.4 * 2f64.powi(32)) as u64),
                    lot: (10f64.powf(worth) / price(forward) / market.4).max(1.0) as u64,
                    time: Seconds::from_raw(seconds as i64),
                    now: NOW,
                    range: Ppm::from_raw(market.3),
                    volatility_up: Ppm::from_raw(shocks.0),
                    volatility_down: Ppm::from_raw(shocks.1),
                },
                strike: Price::from_raw((forward.raw() as f64 * away.exp()) as u64),
                volatility: Volatility::from_raw(volatility as u32),
            }
        })
        .prop_filter("not listed", is_listed)
}

/// Within a lot's limits, and such that a thousand lots fit the engine.
fn is_listed(series: &Series) -> bool {
    (11_000.0..5e13).contains(&series.unit()) && series.board.lot < 1 << 50
}

proptest! {
    #![proptest_config(cases!(10_000))]

    #[test]
    fn stored_values_are_black_76(series in series()) {
        let (terms, array) = series.array();
        let unit = 2f64.powi(-terms.scale) / series.unit();
        let h = f64::from(terms.step) / 2f64.powi(30);
        let k = series.moneyness();
        for (place, stored) in array.values.iter().enumerate().take(34) {
            let (x, w) = match place {
                0..15 => (1.0 + (place as f64 - 7.0) * h, series.up()),
                15..30 => (1.0 + (place as f64 - 22.0) * h, series.down()),
                30 => (far_below(h), series.up()),
                31 => ((1.0 - 15.0 * h).max(1.0 / 32.0), series.up()),
                32 => (1.0 + 15.0 * h, series.up()),
                _ => (1.0 + 21.0 * h, series.up()),
            };
            let expected = reference::call(x, k, w);
            let error = f64::from(*stored) * unit - expected;
            prop_assert!(error.abs() < ROUNDING, "node {place}: {error:e} of {expected}, {series:?}");
        }
    }

    #[test]
    fn greeks_at_the_spot_are_black_76(series in series()) {
        let (terms, array) = series.array();
        let unit = 2f64.powi(-terms.scale) / series.unit();
        let (k, w) = (series.moneyness(), series.deviation(0.0));
        let d1 = (1.0 / k).ln() / w + w / 2.0;
        let years = series.board.time.raw().max(600) as f64 / YEAR;
        let aged = terms.max_age.raw() as f64 / YEAR;
        let density = reference::density(d1);
        let expected = [
            (reference::call(1.0, k, w), ROUNDING),
            // A logarithm is within 2^-32.
            (reference::distribution(d1), ROUNDING + 3e-10 * density / w),
            (density / w / 4096.0, ROUNDING + (1e-6 + 3e-10 * d1.abs() / w) * density / w / 4096.0),
            (density * years.sqrt(), ROUNDING + 3e-10 / w),
            (density * w / (2.0 * years) * aged, ROUNDING + 1e-9),
        ];
        for (stored, (expected, bound)) in array.values[34..].iter().zip(expected) {
            let error = f64::from(*stored) * unit - expected;
            prop_assert!(error.abs() < bound, "{error:e} of {expected}, {series:?}");
        }
    }

    /// A strike's call and put off one array, and two strikes at once, are what each option by itself is, to the bit.
    #[test]
    fn strikes_are_summed_as_their_options_are(one in series(), other in series(), lots in [-900..900_i64, -900..900, -900..900, -900..900]) {
        let (terms, array) = one.array();
        let (_, other_array) = other.array();
        let [call, put, other_call, other_put] = lots.map(Lots::from_raw);
        let mut by_option = BoardSum::new();
        by_option.add(&array, OptionKind::Call, one.strike, call).unwrap();
        by_option.add(&array, OptionKind::Put, one.strike, put).unwrap();
        by_option.add(&other_array, OptionKind::Call, other.strike, other_call).unwrap();
        by_option.add(&other_array, OptionKind::Put, other.strike, other_put).unwrap();
        let first = StrikeLots { array: &array, strike: one.strike, calls: call, puts: put };
        let second = StrikeLots { array: &other_array, strike: other.strike, calls: other_call, puts: other_put };
        let (mut by_strike, mut by_two) = (BoardSum::new(), BoardSum::new());
        by_strike.add_strike(&first).unwrap();
        by_strike.add_strike(&second).unwrap();
        by_two.add_two_strikes(&first, &second).unwrap();
        let expected = format!("{by_option:?}");
        prop_assert_eq!(&format!("{by_strike:?}"), &expected);
        prop_assert_eq!(&format!("{by_two:?}"), &expected);
        let read = |sum: &BoardSum| {
            let mut risk = OptionRisk::default();
            sum.finish(&terms, &reading(&one), &mut risk).map(|()| risk)
        };
        prop_assert_eq!(read(&by_two), read(&by_option));
        let too_many = StrikeLots { calls: Lots::from_raw(MAX_LOTS as i64 - put.raw().abs() + 1), ..first };
        prop_assert_eq!(BoardSum::new().add_strike(&too_many), Err(Error::TooManyLots));
        prop_assert_eq!(BoardSum::new().add_two_strikes(&second, &too_many), Err(Error::TooManyLots));
    }

    /// At the arrays' own spot and range the scenarios fall on nodes.
    #[test]
    fn at_their_own_spot_arrays_are_exact(series in series(), lots in 1..1_000_i64) {
        prop_assume!(series.board.range.raw() > 20_000);
        for lots in [lots, -lots] {
            let risk = read(&series, OptionKind::Call, lots, &reading(&series)).unwrap();
            let gains = series.gains(1.0, ratio(series.board.range), 0.33);
            let scale = series.unit() * lots as f64;
            for (scenario, (read, gain)) in risk.pnl_init.iter().zip(gains).enumerate() {
                let error = read.raw() as f64 - gain * scale;
                let chord = if scenario < 14 { 0.0 } else { series.chord_bound(scenario, 1.0, ratio(series.board.range), 0.33) };
                let bound = (2.0 * ROUNDING + chord) * scale.abs() + 2.0;
                prop_assert!(error.abs() <= bound, "{scenario}: {error:e}, {bound:e}, {series:?}");
            }
            prop_assert_eq!(risk.pnl_init, risk.pnl_maint);
        }
    }

    /// The module's page: a short is never charged less than its loss but for the mark's remainder and rounding; a long
    /// by at most the chord's bound besides.
    #[test]
    fn reading_elsewhere_is_bounded(series in series(), drift in -1.0..1.0_f64, narrower in 0.9..1.02_f64, lots in 1..1_000_i64) {
        prop_assume!(series.board.range.raw() > 20_000);
        let (terms, _) = series.array();
        let h = ratio(series.board.range) / 6.0;
        let limit = (terms.max_drift as f64 / 2f64.powi(32)).min(h / 4.0);
        let spot = moved(series.board.spot, drift * limit * 0.999);
        let x = price(spot) / price(series.board.spot);
        let range = Ppm::from_raw((f64::from(series.board.range.raw()) * narrower) as u32);
        let now = Reading { spot, range, range_maint: range, ..reading(&series) };
        let gains = series.gains(x, ratio(range), 0.33);
        let remainder = 0.0008 * series.deviation(0.0) + 3.0 * ROUNDING;
        for lots in [lots, -lots] {
            let risk = match read(&series, OptionKind::Call, lots, &now) {
                Ok(risk) => risk,
                // The lower end of a wide extreme.
                Err(error) => {
                    prop_assert_eq!(error, Error::ArraysOutOfReach);
                    prop_assert!(series.board.range.raw() > 250_000);
                    continue;
                }
            };
            let scale = series.unit() * lots.abs() as f64;
            for (scenario, (read, gain)) in risk.pnl_init.iter().zip(gains).enumerate() {
                // Of a long: above what it should be. Of a short: below.
                let over = (read.raw() as f64 - gain * scale * lots.signum() as f64) * lots.signum() as f64 / scale;
                let chord = series.chord_bound(scenario, x, ratio(range), 0.33);
                prop_assert!(over >= -remainder - 2.0 / scale, "{scenario}: {over:e}, {series:?}");
                prop_assert!(over <= chord + remainder + 2.0 / scale, "{scenario}: {over:e} {chord:e}, {series:?}");
            }
        }
    }

    #[test]
    fn marks_follow_spot_and_time(series in series(), drift in -1.0..1.0_f64, age in 0.0..1.0_f64) {
        let (terms, _) = series.array();
        let limit = (terms.max_drift as f64 / 2f64.powi(32)).min(ratio(series.board.range) / 30.0);
        let spot = moved(series.board.spot, drift * limit * 0.999);
        let seconds = (terms.max_age.raw() as f64 * age) as i64;
        let now = Timestamp::from_raw(NOW.raw() + seconds);
        let now = Reading { spot, now, extreme_damping: Ppm::ZERO, ..reading(&series) };
        let lots = 1_000;
        let risk = read(&series, OptionKind::Call, lots, &now);
        prop_assume!(risk != Err(Error::ArraysOutOfReach));
        let x = price(spot) / price(series.board.spot);
        let left = (series.board.time.raw().max(600) - seconds) as f64;
        let w = series.deviation(0.0) * (left / series.board.time.raw().max(600) as f64).sqrt();
        let expected = reference::call(x, series.moneyness(), w) * series.unit() * lots as f64;
        let bound = (0.0015 * series.deviation(0.0) + ROUNDING) * series.unit() * lots as f64 + 2.0;
        let error = risk.unwrap().value.raw() as f64 - expected;
        prop_assert!(error.abs() <= bound, "{error:e} of {expected:e}, {bound:e}, {series:?}");
    }

    #[test]
    fn greeks_of_a_position_are_black_76(series in series(), lots in 1..1_000_i64, put in any::<bool>()) {
        let (terms, array) = series.array();
        let kind = if put { OptionKind::Put } else { OptionKind::Call };
        let mut sum = BoardSum::new();
        sum.add(&array, kind, series.strike, Lots::from_raw(lots)).unwrap();
        let mut greeks = OptionGreeks::default();
        let added = sum.add_greeks(&terms, &reading(&series), &mut greeks);
        // A gamma of thousands of notionals, or a decay of seconds as one of a day.
        prop_assume!(added != Err(Error::Overflow));
        added.unwrap();
        let (k, w) = (series.moneyness(), series.deviation(0.0));
        let d1 = (1.0 / k).ln() / w + w / 2.0;
        let days = series.board.time.raw().max(600) as f64 / 86_400.0;
        let (unit, density) = (series.unit() * lots as f64, reference::density(d1));
        let delta = reference::distribution(d1) - if put { 1.0 } else { 0.0 };
        let base = unit / price(series.board.spot);
        let rough = ROUNDING + 3e-10 / w;
        prop_assert!((greeks.delta.raw() as f64 - delta * base).abs() <= rough * base + 3.0 / price(series.board.spot) + 3.0);
        let gamma = density / w * unit;
        prop_assert!((greeks.gamma.raw() as f64 - gamma).abs() <= 1e-4 * gamma + (4096.0 * ROUNDING + rough) * unit + 1.0);
        let vega = density * (days / 365.0).sqrt() * unit;
        prop_assert!((greeks.vega.raw() as f64 - vega).abs() <= (ROUNDING + rough) * unit + 1e-6 * vega + 1.0);
        let theta = -density * w / (2.0 * days) * unit;
        let aged = 86_400.0 / terms.max_age.raw() as f64;
        prop_assert!((greeks.theta.raw() as f64 - theta).abs() <= (2.0 * rough * unit + 1.0) * (1.0 + aged) - 1e-3 * theta, "{:?} {theta}", greeks.theta);
    }

    /// A call less a put of one strike is a forward less its strike: nothing is left in any scenario.
    #[test]
    fn put_call_parity_is_exact(series in series(), lots in 1..1_000_i64) {
        let (terms, array) = series.array();
        let mut sum = BoardSum::new();
        sum.add(&array, OptionKind::Call, series.strike, Lots::from_raw(lots)).unwrap();
        prop_assume!(sum.add(&array, OptionKind::Put, series.strike, Lots::from_raw(-lots)).is_ok());
        let mut risk = OptionRisk::default();
        let finished = sum.finish(&terms, &reading(&series), &mut risk);
        prop_assume!(finished != Err(Error::Overflow));
        finished.unwrap();
        prop_assert_eq!(risk.pnl_init, [Quote::ZERO; SCENARIOS]);
        prop_assert_eq!(risk.delta, Base::ZERO);
        let strikes = series.moneyness() * series.unit() * lots as f64;
        prop_assert!((risk.value.raw() as f64 + strikes).abs() <= 1e-9 * strikes + 2.0, "{:?} {strikes}", risk.value);
        let forwards = series.unit() * lots as f64 / price(series.board.spot);
        prop_assert!((risk.exposure.raw() as f64 - forwards).abs() <= 1e-9 * forwards + 3.0);
    }

    /// Loss and value of n lots are n times those of one, up to two units a lot: quote native ones, or those of the values.
    #[test]
    fn positions_scale(series in series(), lots in 2..1_000_i64) {
        let unit = 1_i64 << (-series.array().0.scale).max(0);
        let one = read(&series, OptionKind::Call, 1, &reading(&series)).unwrap();
        let many = read(&series, OptionKind::Call, lots, &reading(&series)).unwrap();
        let pairs = one.pnl_init.iter().zip(&many.pnl_init).chain([(&one.value, &many.value)]);
        for (one, many) in pairs {
            let above = many.raw() - one.raw() * lots;
            prop_assert!((0..2 * lots * unit).contains(&above), "{above}");
        }
    }

    #[test]
    fn never_panics(
        values in prop::array::uniform32(any::<u32>()),
        rest in prop::array::uniform7(any::<u32>()),
        terms in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>(), any::<i64>(), any::<u64>(), any::<u32>(), any::<i32>()),
        market in (any::<u64>(), any::<i64>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>()),
        lots in any::<i64>(),
        strike in any::<u64>(),
    ) {
        let mut array = RiskArray { values: [0; VALUES] };
        array.values[..32].copy_from_slice(&values);
        array.values[32..].copy_from_slice(&rest);
        let mut terms = ArrayTerms {
            spot: Price::from_raw(terms.0),
            forward: Price::from_raw(terms.1),
            discount: Fraction::from_raw(terms.2),
            lot: terms.3,
            time: Timestamp::from_raw(terms.4),
            max_age: Seconds::from_raw(terms.5),
            max_drift: terms.6,
            step: terms.7,
            scale: terms.8,
        };
        let mut at = Reading {
            spot: Price::from_raw(market.0),
            now: Timestamp::from_raw(market.1),
            range: Ppm::from_raw(market.2),
            range_maint: Ppm::from_raw(market.3),
            extreme_damping: Ppm::from_raw(market.4),
            short_minimum: Ppm::from_raw(market.5),
        };
        if market.6 {
            // Near enough to pass the first checks.
            (at.spot, at.now, terms.scale) = (terms.spot, terms.time, terms.scale % 70);
            at.range = Ppm::from_raw(market.2 % 1_000_001);
            at.range_maint = Ppm::from_raw(market.3 % (at.range.raw() + 1));
            at.extreme_damping = Ppm::from_raw(market.4 % 333_334);
            terms.max_age = Seconds::from_raw(terms.max_age.raw().rem_euclid(1 << 22));
            terms.step = terms.step >> 4 | 1;
        }
        let mut sum = BoardSum::new();
        let mut risk = OptionRisk::default();
        for kind in [OptionKind::Call, OptionKind::Put] {
            let _ = sum.add(&array, kind, Price::from_raw(strike), Lots::from_raw(lots >> 33));
            let _ = sum.add(&array, kind, Price::from_raw(strike), Lots::from_raw(lots));
            let _ = sum.finish(&terms, &at, &mut risk);
        }
    }

    #[test]
    fn refreshing_never_panics(
        prices in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()),
        times in (any::<i64>(), any::<i64>()),
        ratios in (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()),
        near in any::<bool>(),
    ) {
        let mut board = Board {
            spot: Price::from_raw(prices.0),
            forward: Price::from_raw(prices.1),
            discount: Fraction::from_raw(prices.2),
            lot: prices.3,
            time: Seconds::from_raw(times.0),
            now: Timestamp::from_raw(times.1),
            range: Ppm::from_raw(ratios.0),
            volatility_up: Ppm::from_raw(ratios.1),
            volatility_down: Ppm::from_raw(ratios.2),
        };
        let mut volatility = Volatility::from_raw(ratios.3);
        let mut strike = Price::from_raw(prices.4);
        if near {
            board.forward = board.spot;
            board.discount = Fraction::from_raw(prices.2 >> 32);
            board.time = Seconds::from_raw(times.0.rem_euclid(63_072_001));
            board.range = Ppm::from_raw(1_000 + ratios.0 % 799_001);
            board.volatility_up = Ppm::from_raw(ratios.1 % 10_000_001);
            board.volatility_down = Ppm::from_raw(ratios.2 % 1_000_001);
            volatility = Volatility::from_raw(10_000 + ratios.3 % 4_990_001);
            strike = board.spot;
        }
        if let Ok(nodes) = Nodes::new(board.range)
            && let Ok(mut refresh) = Refresh::new(&board, &nodes)
        {
            let _ = refresh.array(strike, volatility);
        }
    }
}

/// 150 USD, a week, 60 %, range 12 %, a lot of a tenth.
fn example() -> Series {
    let spot = Price::from_raw(150 << 48);
    Series {
        board: Board {
            spot,
            forward: spot,
            discount: Fraction::ONE,
            lot: 100_000,
            time: Seconds::from_raw(7 * 86_400),
            now: NOW,
            range: Ppm::from_raw(120_000),
            volatility_up: Ppm::from_raw(300_000),
            volatility_down: Ppm::from_raw(250_000),
        },
        strike: spot,
        volatility: Volatility::from_raw(600_000),
    }
}

#[test]
fn short_option_minimum_counts_short_lots_of_either_kind() {
    let series = example();
    let (terms, array) = series.array();
    let mut sum = BoardSum::new();
    for (kind, lots) in [(OptionKind::Call, -3), (OptionKind::Put, -2), (OptionKind::Call, 4)] {
        sum.add(&array, kind, series.strike, Lots::from_raw(lots)).unwrap();
    }
    let mut risk = OptionRisk::default();
    let at = Reading { short_minimum: Ppm::from_raw(10_000), ..reading(&series) };
    sum.finish(&terms, &at, &mut risk).unwrap();
    // 1 % of 5 lots of 15 USD, and of 4.
    assert_eq!(risk.short_minimum, 750_000);
    assert_eq!(risk.long_minimum, 600_000);
}

/// A node that is nearly zero under a strike far above, where the logarithm is longest.
#[test]
fn the_farthest_node_may_be_next_to_nothing() {
    let mut series = example();
    series.board.time = Seconds::from_raw(54_469_716);
    series.strike = Price::from_raw(49 * series.board.spot.raw());
    for range in 283_000..287_000 {
        series.board.range = Ppm::from_raw(range);
        let (terms, array) = series.array();
        let x = far_below(f64::from(terms.step) / 2f64.powi(30));
        let expected = reference::call(x, series.moneyness(), series.up());
        let error = f64::from(array.values[30]) * 2f64.powi(-terms.scale) / series.unit() - expected;
        assert!(error.abs() < ROUNDING, "{range}: {error:e}");
    }
}

#[test]
fn boards_add_up() {
    let series = example();
    let later = Series { board: Board { time: Seconds::from_raw(30 * 86_400), ..series.board }, ..series };
    let at = reading(&series);
    let (one, other) =
        (read(&series, OptionKind::Call, 5, &at).unwrap(), read(&later, OptionKind::Put, -3, &at).unwrap());
    let mut both = one;
    let (terms, array) = later.array();
    let mut sum = BoardSum::new();
    sum.add(&array, OptionKind::Put, later.strike, Lots::from_raw(-3)).unwrap();
    sum.finish(&terms, &at, &mut both).unwrap();
    assert_eq!(both.value.raw(), one.value.raw() + other.value.raw());
    for (both, (one, other)) in both.pnl_init.iter().zip(one.pnl_init.iter().zip(&other.pnl_init)) {
        assert_eq!(both.raw(), one.raw() + other.raw());
    }
}

#[test]
fn a_smaller_range_towards_maint_loses_less() {
    let series = example();
    let at = Reading { range_maint: Ppm::from_raw(110_000), ..reading(&series) };
    let risk = read(&series, OptionKind::Call, -100, &at).unwrap();
    assert!(risk.pnl_maint[6] > risk.pnl_init[6]);
    let alone = Reading { range: at.range_maint, ..at };
    assert_eq!(read(&series, OptionKind::Call, -100, &alone).unwrap().pnl_init, risk.pnl_maint);
}

/// A board's strikes stay while the market rises: down to 1/4096 of the forward a call is worth what the formula says.
#[test]
fn strikes_far_below_the_forward_are_as_exact_as_others() {
    for depth in [50, 51, 100, 1_000, 4_000] {
        for volatility in [10_000, 800_000, 5_000_000] {
            let good = example();
            let strike = Price::from_raw(good.board.forward.raw() / depth);
            let series = Series { strike, volatility: Volatility::from_raw(volatility), ..good };
            let (terms, array) = series.array();
            let unit = series.unit() * 2f64.powi(terms.scale);
            for (widths, first) in [(series.up(), 0), (series.down(), 15)] {
                for step in 0..15 {
                    let spot = 1.0 + (step as f64 - 7.0) * f64::from(terms.step) / f64::from(1 << 30);
                    let exact = reference::call(spot, series.moneyness(), widths);
                    let stored = f64::from(array.values[first + step]) / unit;
                    assert!((stored - exact).abs() < ROUNDING, "{depth} {volatility} {step}: {stored} {exact}");
                }
            }
            let exact = reference::call(1.0, series.moneyness(), series.deviation(0.0));
            assert!((f64::from(array.values[34]) / unit - exact).abs() < ROUNDING, "{depth} {volatility}");
        }
    }
}

#[test]
fn settlement_is_the_mean_of_the_middle_three_fifths() {
    let price = |samples: &[u64]| settlement_price(samples).map(Price::raw);
    assert_eq!((price(&[]), price(&[0; 31])), (None, None));
    assert_eq!((price(&[7]), price(&[7, 10]), price(&[u64::MAX; 30])), (Some(7), Some(8), Some(u64::MAX)));
    // Four keep all, five lose one at each end, thirty lose six.
    assert_eq!(price(&[4, 1, 2, 100]), Some(26));
    assert_eq!(price(&[4, 1, 2, 100, 3]), Some(3));
    let mut samples: Vec<u64> = (0..30).map(|index| 1_000 + index % 2).collect();
    samples[..6].fill(u64::MAX);
    assert_eq!(price(&samples), Some(1_000));
    samples[6] = u64::MAX;
    assert!(price(&samples).unwrap() > 1 << 58);
}

proptest! {
    /// As the definition says, in wide integers; and whatever a fifth of the samples are, between the lowest and the
    /// highest of the others.
    #[test]
    fn settlement_is_where_the_honest_samples_are(
        honest in prop::collection::vec(1_u64.., 8..=24),
        wild in prop::collection::vec(any::<u64>(), 0..=6),
    ) {
        let wild = &wild[..wild.len().min((honest.len() + wild.len()) / 5).min((honest.len()) / 4)];
        let samples = [honest.as_slice(), wild].concat();
        let price = settlement_price(&samples).unwrap().raw();
        prop_assert!(*honest.iter().min().unwrap() <= price && price <= *honest.iter().max().unwrap());
        let mut sorted = samples.clone();
        sorted.sort();
        let kept = &sorted[samples.len() / 5..samples.len() - samples.len() / 5];
        let sum: u128 = kept.iter().map(|price| u128::from(*price)).sum();
        prop_assert_eq!(u128::from(price), sum / kept.len() as u128);
    }
}

#[test]
fn a_refresh_may_be_resumed_at_the_same_moment_only() {
    let series = example();
    let nodes = Nodes::new(series.board.range).unwrap();
    let mut first = Refresh::new(&series.board, &nodes).unwrap();
    first.array(series.strike, Volatility::from_raw(200_000)).unwrap();
    let mut second = Refresh::new(&series.board, &nodes).unwrap();
    second.array(series.strike, series.volatility).unwrap();
    assert!(second.terms().max_drift > first.terms().max_drift);
    second.resume(first.terms()).unwrap();
    assert_eq!(second.terms(), first.terms());
    let moved = ArrayTerms { time: Timestamp::from_raw(NOW.raw() + 1), ..*first.terms() };
    assert_eq!(second.resume(&moved), Err(Error::ArraysOutOfReach));
}

#[test]
fn each_bad_refresh_has_its_error() {
    let good = example();
    let nodes = Nodes::new(good.board.range).unwrap();
    let error = |board: Board| Refresh::new(&board, &nodes).map(|_| ()).unwrap_err();
    let board = good.board;
    assert_eq!(error(Board { range: Ppm::from_raw(130_000), ..board }), Error::OptionRangeInvalid);
    assert_eq!(error(Board { spot: Price::from_raw((1 << 20) - 1), ..board }), Error::ForwardOutOfRange);
    assert_eq!(error(Board { forward: Price::from_raw(1 << 63), ..board }), Error::ForwardOutOfRange);
    assert_eq!(error(Board { discount: Fraction::ZERO, ..board }), Error::DiscountFactorInvalid);
    assert_eq!(error(Board { discount: Fraction::from_raw((1 << 32) + 1), ..board }), Error::DiscountFactorInvalid);
    assert_eq!(error(Board { time: Seconds::ZERO, ..board }), Error::ExpiryOutOfRange);
    assert_eq!(error(Board { time: Seconds::from_raw(63_072_001), ..board }), Error::ExpiryOutOfRange);
    assert_eq!(error(Board { volatility_down: Ppm::from_raw(1_000_001), ..board }), Error::VolatilityShockInvalid);
    assert_eq!(error(Board { volatility_up: Ppm::from_raw(10_000_001), ..board }), Error::VolatilityShockInvalid);
    assert_eq!(error(Board { lot: 66, ..board }), Error::LotInvalid);
    assert_eq!(error(Board { lot: u64::MAX, ..board }), Error::LotInvalid);
    let mut refresh = Refresh::new(&board, &nodes).unwrap();
    for strike in [0, 149 * (1 << 48) / 4_096, (151 * 50) << 48, u64::MAX] {
        assert_eq!(refresh.array(Price::from_raw(strike), good.volatility), Err(Error::StrikeOutOfRange));
    }
    for volatility in [0, 9_999, 5_000_001] {
        let refused = refresh.array(good.strike, Volatility::from_raw(volatility));
        assert_eq!(refused, Err(Error::VolatilityOutOfRange));
    }
    assert_eq!(Nodes::new(Ppm::from_raw(999)), Err(Error::OptionRangeInvalid));
    assert_eq!(Nodes::new(Ppm::from_raw(800_001)), Err(Error::OptionRangeInvalid));
}

#[test]
fn each_bad_reading_has_its_error() {
    let series = example();
    let good = reading(&series);
    let error = |at: Reading| read(&series, OptionKind::Put, 1, &at).unwrap_err();
    // A seventh step beyond a range of six.
    assert_eq!(error(Reading { range: Ppm::from_raw(140_100), ..good }), Error::ArraysOutOfReach);
    // A quarter of the standard deviation of a week at 60 %, 8.3 %, is 2.07 %.
    assert_eq!(error(Reading { spot: moved(good.spot, 0.021), ..good }), Error::ArraysOutOfReach);
    assert_eq!(error(Reading { spot: moved(good.spot, -0.021), ..good }), Error::ArraysOutOfReach);
    // A sixteenth of a week.
    assert!(
        read(&series, OptionKind::Put, 1, &Reading { now: Timestamp::from_raw(NOW.raw() + 37_800), ..good }).is_ok()
    );
    assert_eq!(error(Reading { now: Timestamp::from_raw(NOW.raw() + 37_801), ..good }), Error::ArraysTooOld);
    assert_eq!(error(Reading { range_maint: Ppm::from_raw(120_001), ..good }), Error::MaintenanceRangeTooLarge);
    assert_eq!(error(Reading { range: Ppm::from_raw(1_000_001), ..good }), Error::RangeTooLarge);
    assert_eq!(error(Reading { extreme_damping: Ppm::from_raw(333_334), ..good }), Error::ExtremeDampingInvalid);
}

#[test]
fn lots_are_counted_before_they_are_used() {
    let series = example();
    let (_, array) = series.array();
    let most = MAX_LOTS as i64;
    let mut sum = BoardSum::new();
    let mut add = |lots| sum.add(&array, OptionKind::Call, series.strike, Lots::from_raw(lots));
    assert_eq!(add(most + 1), Err(Error::TooManyLots));
    assert_eq!(add(i64::MIN), Err(Error::TooManyLots));
    assert_eq!(add(most), Ok(()));
    assert_eq!(add(-1), Err(Error::TooManyLots));
}

/// A forecast counts towards init at once and towards maint only over its ramp: arrays refreshed at the one range are read
/// at the other, however far below.
#[test]
fn a_range_towards_maint_may_be_any_part_of_the_range() {
    let series = example();
    for range_maint in [100_000, 99_999, 99_000, 84_000, 60_000, 46_700, 46_600, 40_000, 20_000, 10_000, 1_000, 0] {
        let range_maint = Ppm::from_raw(range_maint);
        let gains = series.gains(1.0, ratio(range_maint), 0.33);
        for lots in [1_000, -1_000] {
            let at = Reading { range_maint, ..reading(&series) };
            let risk = read(&series, OptionKind::Call, lots, &at).unwrap();
            for (scenario, (read, gain)) in risk.pnl_maint.iter().zip(gains).enumerate() {
                // Steps are 2 %, w is 10.8 % with the volatility up: eight of them are 0.16^2 / (20 0.6 0.108) at most.
                let chord = if scenario < 14 { 0.0005 } else { 0.33 * 0.02 };
                let over = (read.raw() as f64 / lots as f64 - gain * series.unit()) / series.unit();
                assert!((-1e-6..chord).contains(&over), "{range_maint:?} {scenario}: {over:e}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases!(2_000))]

    /// Gains are of the arrays' moment. What they are now is off by what the mark and the value after the move have decayed.
    #[test]
    fn gains_of_old_arrays_are_off_by_the_decay(series in series(), age in 0.0..1.0_f64) {
        let (terms, _) = series.array();
        let seconds = (terms.max_age.raw() as f64 * age) as i64;
        let part = seconds as f64 / series.board.time.raw().max(600) as f64;
        let now = Timestamp::from_raw(NOW.raw() + seconds);
        let risk = read(&series, OptionKind::Call, 1_000, &Reading { now, extreme_damping: Ppm::ZERO, ..reading(&series) }).unwrap();
        let (k, root, range) = (series.moneyness(), (1.0 - part).sqrt(), ratio(series.board.range));
        let mark = reference::call(1.0, k, series.deviation(0.0) * root);
        for (scenario, read) in risk.pnl_init.iter().take(14).enumerate() {
            let w = if scenario < 7 { series.up() } else { series.down() };
            let x = 1.0 + ((scenario % 7) as f64 - 3.0) * range / 3.0;
            let gain = reference::call(x, k, w * root) - mark;
            let off = (read.raw() as f64 / 1_000.0 / series.unit() - gain).abs();
            // At a spot of x the value decays by x phi(d1) w / 2; both grow by 1 / sqrt(1 - t / T) <= 1.033.
            let decayed = 0.207 * part * f64::max(series.deviation(0.0), x * w);
            prop_assert!(off <= decayed + 3.0 * ROUNDING + 2.0 / series.unit(), "{scenario}: {off:e} {decayed:e}");
        }
    }
}
