//! Volatility: the estimate against a float model, absurd prints and crashes, who may choose the samples, the range,
//! and forecasts within their limits.
#[path = "../common/mod.rs"]
mod common;

use common::any_length;
use plimsoll_risk::Error;
use plimsoll_risk::units::{Ppm, Price, Seconds, Timestamp, Volatility};
use plimsoll_risk::volatility::{Estimate, Forecast, Used, VolatilityParameters, range, used};
use proptest::prelude::*;

const YEAR: f64 = 31_536_000.0;
const DEFAULT: VolatilityParameters = VolatilityParameters::DEFAULT;
const START: i64 = 1_700_000_000;
/// 100 USD of a token of six decimals.
const SPOT: u64 = 100 << 48;

fn vol(raw: u32) -> Volatility {
    Volatility::from_raw(raw)
}

fn at(time: i64) -> Timestamp {
    Timestamp::from_raw(time)
}

/// `SPOT` times a factor.
fn spot(factor: f64) -> u64 {
    (SPOT as f64 * factor) as u64
}

/// A variance of Q56.
fn variance(raw: u64) -> f64 {
    raw as f64 / (1_u64 << 56) as f64
}

fn sigma(estimate: &Estimate) -> f64 {
    f64::from(estimate.volatility().raw()) / 1e6
}

/// `1 - 2^(-dt / half life)`.
fn alpha(parameters: &VolatilityParameters, dt: i64) -> f64 {
    -(-(2.0_f64.ln()) * dt as f64 / parameters.half_life.raw() as f64).exp_m1()
}

fn observe(estimate: &mut Estimate, parameters: &VolatilityParameters, price: u64, time: i64) -> bool {
    estimate.update(parameters, Price::from_raw(price), at(time)).expect("a price of the domain")
}

/// An estimate with a variance of its own, at `SPOT`, that has counted returns.
fn settled(volatility: f64) -> Estimate {
    Estimate {
        variance: (volatility * volatility * (1_u64 << 56) as f64) as u64,
        price: SPOT,
        publish_time: START,
        samples: 100,
        ..Estimate::default()
    }
}

/// SplitMix64, and normal deviates by Box and Muller.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Prices of a geometric Brownian motion, one every `step` seconds.
fn walk(seed: u64, volatility: f64, step: i64, count: usize) -> Vec<u64> {
    let mut random = Random(seed);
    let deviation = volatility * (step as f64 / YEAR).sqrt();
    let mut logarithm = 0.0;
    (0..count)
        .map(|_| {
            logarithm += deviation * random.normal();
            spot(f64::exp(logarithm))
        })
        .collect()
}

/// The rules of the module's page in floats, written without looking at the code.
struct Model {
    parameters: VolatilityParameters,
    variance: f64,
    price: f64,
    time: i64,
    samples: u32,
    /// Price, time, variance before, variance if confirmed.
    pending: Option<(f64, i64, f64, f64)>,
    /// A decision was within 1e-6 of going the other way.
    close: bool,
}

impl Model {
    fn new(parameters: VolatilityParameters, price: u64, time: i64) -> Self {
        let initial = f64::from(parameters.initial.raw()) / 1e6;
        Self {
            parameters,
            variance: initial * initial,
            price: price as f64,
            time,
            samples: 0,
            pending: None,
            close: false,
        }
    }

    fn observe(&mut self, price: u64, time: i64) {
        let price = price as f64;
        if time <= self.pending.map_or(self.time, |pending| pending.1) {
            return;
        }
        if let Some((jumped, jumped_at, before, confirmed)) = self.pending {
            let way = (price / self.price).ln() / (jumped / self.price).ln();
            self.close |= (way - 0.5).abs() < 1e-6;
            if way >= 0.5 {
                if time - jumped_at < self.parameters.confirmation.raw() {
                    return;
                }
                (self.variance, self.price, self.time) = (confirmed, jumped, jumped_at);
                self.samples += 1;
            } else {
                self.variance = before;
            }
            self.pending = None;
        }
        self.count(price, time);
    }

    fn count(&mut self, price: f64, time: i64) {
        let parameters = &self.parameters;
        let spacing = parameters.sample_spacing.raw();
        let gap = (time - self.time).clamp(spacing, parameters.longest_gap.raw());
        let years = gap as f64 / YEAR;
        let rate = (price / self.price).ln().powi(2) / years;
        let floor = f64::from(parameters.floor.raw()) / 1e6;
        let limit = (f64::from(parameters.jump_limit.raw()) / 1e6).powi(2) * self.variance.max(floor * floor);
        let cap = (f64::from(parameters.cap.raw()) / 1e6).powi(2);
        let part = alpha(parameters, gap);
        let after = |rate: f64| (self.variance + part * (rate - self.variance)).min(cap);
        let way = (price / self.price).ln().abs();
        let square = rate * 2.0_f64.ln() * gap as f64 / parameters.half_life.raw() as f64;
        let huge = way >= 4.0 || square >= 256.0;
        self.close |= [rate / limit, way / 4.0, square / 256.0].into_iter().any(|part| (part - 1.0).abs() < 1e-5);
        let (whole, clamped) = (after(rate), after(limit));
        if rate > limit || huge {
            let confirmed = if self.samples == 0 { clamped } else { whole };
            self.pending = Some((price, time, self.variance, confirmed));
            self.variance = clamped;
        } else if time - self.time >= spacing {
            (self.variance, self.price, self.time) = (whole, price, time);
            self.samples += 1;
        }
    }
}

/// Parameters that pass `validate`.
fn parameters() -> impl Strategy<Value = VolatilityParameters> {
    let bounds = proptest::collection::vec(10_000..=5_000_000_u32, 3);
    let times = (600..=7_776_000_i64).prop_flat_map(|half_life| {
        (1..=half_life.min(7_200)).prop_flat_map(move |gap| {
            (1..=gap).prop_flat_map(move |spacing| (Just((half_life, gap, spacing)), 0..=spacing.min(60)))
        })
    });
    let ranges = (1_000_000..=10_000_000_u32, 60..=604_800_i64, 1..=1_000_000_u32, 1..=1_000_000_u32);
    let forecasts = (1..=1_000_000_u32, 1..=500_000_u32, 600..=604_800_i64, 600..=604_800_i64);
    (bounds, times, 2_000_000..=20_000_000_u32, ranges, forecasts).prop_map(
        |(mut bounds, ((half_life, gap, spacing), confirmation), jump, range, forecast)| {
            bounds.sort_unstable();
            let parameters = VolatilityParameters {
                floor: vol(bounds[0]),
                cap: vol(bounds[2]),
                initial: vol(bounds[1]),
                jump_limit: Ppm::from_raw(jump),
                confidence_level: Ppm::from_raw(range.0),
                range_min: Ppm::from_raw(range.2.min(range.3)),
                range_max: Ppm::from_raw(range.2.max(range.3)),
                rise_per_hour: Ppm::from_raw(forecast.0),
                fall_per_day: Ppm::from_raw(forecast.1),
                _reserved: 0,
                half_life: Seconds::from_raw(half_life),
                sample_spacing: Seconds::from_raw(spacing),
                longest_gap: Seconds::from_raw(gap),
                confirmation: Seconds::from_raw(confirmation),
                margin_period: Seconds::from_raw(range.1),
                expiry: Seconds::from_raw(forecast.2),
                ramp: Seconds::from_raw(forecast.3),
            };
            assert_eq!(parameters.validate(), Ok(()));
            parameters
        },
    )
}

/// A signed word of any length.
fn any_signed() -> impl Strategy<Value = i64> {
    (any_length(64), any::<bool>()).prop_map(|(word, negative)| {
        let word = word.cast_signed();
        if negative { word.wrapping_neg() } else { word }
    })
}

/// Any integers at all in place of parameters.
fn any_parameters() -> impl Strategy<Value = VolatilityParameters> {
    let ratios = proptest::collection::vec(any_length(32), 9);
    let durations = proptest::collection::vec(any_signed(), 7);
    (ratios, durations).prop_map(|(ratios, durations)| {
        let ratio = |index: usize| ratios[index] as u32;
        let duration = |index: usize| Seconds::from_raw(durations[index]);
        VolatilityParameters {
            floor: vol(ratio(0)),
            cap: vol(ratio(1)),
            initial: vol(ratio(2)),
            jump_limit: Ppm::from_raw(ratio(3)),
            confidence_level: Ppm::from_raw(ratio(4)),
            range_min: Ppm::from_raw(ratio(5)),
            range_max: Ppm::from_raw(ratio(6)),
            rise_per_hour: Ppm::from_raw(ratio(7)),
            fall_per_day: Ppm::from_raw(ratio(8)),
            _reserved: 0,
            half_life: duration(0),
            sample_spacing: duration(1),
            longest_gap: duration(2),
            confirmation: duration(3),
            margin_period: duration(4),
            expiry: duration(5),
            ramp: duration(6),
        }
    })
}

/// Any integers at all in place of an estimate.
fn any_estimate() -> impl Strategy<Value = Estimate> {
    (proptest::collection::vec(any_length(64), 6), any_signed(), any_signed()).prop_map(|(words, time, pending)| {
        Estimate {
            variance: words[0],
            price: words[1],
            publish_time: time,
            pending_price: words[2],
            pending_time: pending,
            variance_before: words[3],
            variance_confirmed: words[4],
            samples: words[5],
        }
    })
}

/// Any integers at all in place of a forecast.
fn any_forecast() -> impl Strategy<Value = Forecast> {
    (any_length(32), any_length(64), any_signed(), any_signed(), any_length(64)).prop_map(
        |(volatility, ramped, posted_at, expires_at, ramp_left)| Forecast {
            volatility: volatility as u32,
            _reserved: 0,
            ramped,
            posted_at,
            expires_at,
            ramp_left,
        },
    )
}

mod estimate;
mod forecast;
mod sampling;
mod settings;
