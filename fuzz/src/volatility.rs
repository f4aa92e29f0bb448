//! Volatility: estimates over sequences of prices, forecasts, and the range.
use crate::{Length, Target, between, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::units::{Ppm, Price, Seconds, Timestamp, Volatility};
use plimsoll_risk::volatility::{Estimate, Forecast, Used, VolatilityParameters, range, used};

#[derive(Arbitrary, Debug)]
pub struct Input {
    parameters: Parameters,
    /// Where the first price is, in time and size.
    start: i64,
    price: Length,
    steps: Vec<Step>,
    /// A state that nothing has computed.
    wild: Option<[u64; 13]>,
}

/// Near the limits of `validate`, or any bits.
#[derive(Arbitrary, Debug)]
struct Parameters {
    wild: bool,
    ratios: [u32; 9],
    times: [u64; 7],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Step {
    /// How much later, mostly minutes.
    later: Length,
    /// By how much the price moves, mostly a little.
    change: Length,
    up: bool,
    /// A price of any size instead.
    jump: bool,
    /// What is posted, between the limits, or any bits.
    post: Option<(bool, u32)>,
}

impl Parameters {
    fn parameters(&self) -> VolatilityParameters {
        let [floor, cap, initial, jump, level, least, most, rise, fall] = self.ratios;
        let times = self.times.map(|time| Seconds::from_raw(time.cast_signed()));
        let volatility = Volatility::from_raw;
        let ppm = Ppm::from_raw;
        if self.wild {
            return VolatilityParameters {
                floor: volatility(floor),
                cap: volatility(cap),
                initial: volatility(initial),
                jump_limit: ppm(jump),
                confidence_level: ppm(level),
                range_min: ppm(least),
                range_max: ppm(most),
                rise_per_hour: ppm(rise),
                fall_per_day: ppm(fall),
                _reserved: 0,
                half_life: times[0],
                sample_spacing: times[1],
                longest_gap: times[2],
                confirmation: times[3],
                margin_period: times[4],
                expiry: times[5],
                ramp: times[6],
            };
        }
        let seconds = |noise: u64, low: i64, high: i64| {
            Seconds::from_raw(between(noise >> (noise & 15), low.unsigned_abs(), high.unsigned_abs()).cast_signed())
        };
        let floor = short_between(floor, 10_000, 5_000_000);
        let cap = short_between(cap, floor, 5_000_000);
        let least = short_between(least, 1, 1_000_000);
        let half_life = seconds(self.times[0], 600, 7_776_000);
        let longest_gap = seconds(self.times[2], 1, half_life.raw());
        let sample_spacing = seconds(self.times[1], 1, longest_gap.raw());
        VolatilityParameters {
            floor: volatility(floor),
            cap: volatility(cap),
            initial: volatility(short_between(initial, floor, cap)),
            jump_limit: ppm(short_between(jump, 2_000_000, 20_000_000)),
            confidence_level: ppm(short_between(level, 1_000_000, 10_000_000)),
            range_min: ppm(least),
            range_max: ppm(short_between(most, least, 1_000_000)),
            rise_per_hour: ppm(short_between(rise, 1, 1_000_000)),
            fall_per_day: ppm(short_between(fall, 1, 500_000)),
            _reserved: 0,
            half_life,
            sample_spacing,
            longest_gap,
            confirmation: seconds(self.times[3], 0, sample_spacing.raw()),
            margin_period: seconds(self.times[4], 60, 604_800),
            expiry: seconds(self.times[5], 600, 604_800),
            ramp: seconds(self.times[6], 600, 604_800),
        }
    }
}

/// A market over time.
struct World {
    parameters: VolatilityParameters,
    valid: bool,
    now: Timestamp,
    price: u64,
    estimate: Estimate,
    forecast: Forecast,
}

impl World {
    fn used(&self) -> Used {
        used(self.estimate.volatility(), &self.forecast, &self.parameters, self.now)
    }

    fn step(&mut self, step: &Step) {
        let before = self.used();
        let later = step.later.up_to(if self.valid { 20 } else { 63 });
        self.now = Timestamp::from_raw(self.now.raw().saturating_add_unsigned(later));
        if self.valid && self.forecast.is_alive(self.now) {
            // Time alone: the ramp goes on.
            assert!(self.used().maint >= before.maint, "{before:?}, then {:?}", self.used());
        }
        self.observe(step);
        self.check();
        if let Some(post) = step.post {
            self.post(post);
            self.check();
        }
    }

    fn observe(&mut self, step: &Step) {
        self.price = if step.jump {
            step.change.up_to(64)
        } else {
            let change = ((u128::from(self.price) * u128::from(step.change.up_to(20))) >> 22) as u64;
            if step.up { self.price.saturating_add(change) } else { self.price - change }
        };
        let before = self.estimate;
        let found = self.estimate.update(&self.parameters, Price::from_raw(self.price), self.now);
        match found {
            Ok(true) => {
                reached("a price was sampled");
                if self.estimate.pending_price != 0 {
                    reached("a price jumped");
                }
                if before.pending_price != 0 && self.estimate.samples > before.samples.saturating_add(1) {
                    reached("a jump was confirmed");
                }
                if self.valid && before.price != 0 {
                    assert!(self.estimate.samples >= before.samples, "{before:?}, then {:?}", self.estimate);
                }
            }
            Ok(false) => assert_eq!(self.estimate, before),
            Err(error) => {
                assert_eq!((error, self.price < 1 << 20), (Error::PriceOutOfRange, true));
                assert_eq!(self.estimate, before);
            }
        }
    }

    fn post(&mut self, (wild, noise): (bool, u32)) {
        let estimate = self.parameters.clamp(self.estimate.volatility());
        let Ok((least, most)) = self.forecast.limits(estimate, &self.parameters, self.now) else {
            assert!(!self.valid, "limits of valid parameters");
            return;
        };
        let volatility = if wild || least > most { noise } else { short_between(noise, least.raw(), most.raw()) };
        let volatility = Volatility::from_raw(volatility);
        let before = self.used();
        let within = volatility >= least && volatility <= most;
        match self.forecast.post(volatility, estimate, &self.parameters, self.now) {
            Ok(posted) => {
                reached("a forecast was posted");
                assert!(within, "{volatility:?} is not within {least:?} and {most:?}");
                self.forecast = posted;
                if self.valid {
                    let after = self.used();
                    assert!(after.maint <= before.maint, "maint moves at once: {before:?}, then {after:?}");
                    assert!(posted.is_alive(self.now) || self.now.raw() == i64::MAX);
                    assert!(posted.ramped <= u64::from(posted.volatility) << 32);
                    let most = self.parameters.ramp.unsigned_abs() << 16;
                    assert!(posted.ramp_left <= most, "a ramp of {}, above {most}", posted.ramp_left);
                }
            }
            Err(error) => {
                assert!(matches!(error, Error::ForecastTooFast | Error::ForecastOutOfBounds), "{error:?}");
                assert!(!within || !self.valid, "{volatility:?} is within {least:?} and {most:?}: {error:?}");
            }
        }
        if self.valid {
            assert!(least <= most, "nothing may be posted");
        }
    }

    /// What holds at any moment.
    fn check(&self) {
        let used = self.used();
        assert!(used.maint <= used.init);
        if !self.valid {
            return;
        }
        let (floor, cap) = (self.parameters.floor, self.parameters.cap);
        assert!(used.maint >= floor && used.init <= cap, "{used:?}");
        assert!(self.estimate.volatility() <= cap, "{:?} above the cap", self.estimate.volatility());
        let (maint, init) = (range(used.maint, &self.parameters), range(used.init, &self.parameters));
        assert!(maint <= init && maint >= self.parameters.range_min && init <= self.parameters.range_max);
    }
}

impl Target for Input {
    fn check(self) {
        let parameters = self.parameters.parameters();
        let valid = parameters.validate().is_ok();
        assert!(valid || self.parameters.wild, "{:?}", parameters.validate());
        if valid {
            reached("parameters were valid");
        }
        let mut world = World {
            parameters,
            valid,
            now: Timestamp::from_raw(if valid { self.start >> 8 } else { self.start }),
            price: self.price.up_to(64).max(1 << 20),
            estimate: Estimate::default(),
            forecast: Forecast::default(),
        };
        if let Some(words) = self.wild {
            let [variance, price, time, pending, pending_time, before, confirmed, samples, rest @ ..] = words;
            let [volatility, ramped, posted, expires, left] = rest;
            world.valid = false;
            world.estimate = Estimate {
                variance,
                price,
                publish_time: time.cast_signed(),
                pending_price: pending,
                pending_time: pending_time.cast_signed(),
                variance_before: before,
                variance_confirmed: confirmed,
                samples,
            };
            world.forecast = Forecast {
                volatility: volatility as u32,
                _reserved: 0,
                ramped,
                posted_at: posted.cast_signed(),
                expires_at: expires.cast_signed(),
                ramp_left: left,
            };
        }
        self.steps.iter().for_each(|step| world.step(step));
    }
}
