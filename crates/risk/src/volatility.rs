//! Volatility: estimated from oracle prices, forecast within limits, and the shock range that it gives.
//!
//! ```text
//! estimate   v' = v + alpha (r^2 / dt - v),   alpha = 1 - 2^(-dt / half life),   r = ln(P / P_prev)
//! used       init  = clamp(max(estimate, forecast), floor, cap)            at once
//!            maint = clamp(max(estimate, ramped forecast), floor, cap)     at most init
//! range      s = z sigma sqrt(margin period / year)
//! ```
//!
//! # The estimate
//!
//! An exponentially weighted mean of squared returns per year (RiskMetrics, 1996), for samples at any spacing. What one
//! return adds, `alpha r^2 / dt = (ln 2 / half life) r^2 (1 - ...)`, hardly depends on how long it took: the estimate
//! is the realised variance, forgotten by halves.
//!
//! **Time.** Only a newer publish time is an observation. One nearer to the last sample than the spacing is skipped.
//! `dt` above the longest gap counts as that: the move counts whole, the forgetting only for that long, which
//! overstates variance after an outage and means that the time in which a market is closed does not count.
//!
//! **Jumps.** A return beyond `c` standard deviations of the estimate over `dt` (of the floor at least; over the
//! spacing at least), or beyond `x 54`, is a jump. It is not believed: the estimate shows it clamped to `c` deviations
//! and keeps the sample from before. The next observation decides. Still half of the jump away or more, in logarithms,
//! and at least the confirmation time later: the jump was a sample, whole, and the observation goes on from it. Nearer:
//! the jump was never there, to the bit, and the observation goes on from the sample before.
//!
//! ```text
//! settled   a jump                          pending = the price, v without it, v with it; v = v clamped
//!           not nearer than the spacing     sample = the price, v = v with it
//!           else                            nothing
//! pending   nearer than half of the jump    v = v without it, then as settled
//!           else, after the confirmation    sample = pending, v = v with it, then as settled
//!           else                            nothing
//! ```
//!
//! Against exact arithmetic the variance is off by 1e-6 of itself at most: 5e-7 from the square of the return, 2e-7 from
//! the series of the weight.
//!
//! So **one absurd print** moves variance by `1 + alpha (c^2 - 1)` at most (with the defaults sigma by 1.5 % after 5
//! minutes, by 16 % after an hour or more) until the next print, and then by nothing; several that do not agree, or
//! that alternate with right ones, do no more. Two within half a jump of each other, the confirmation time apart, are
//! believed: the estimate, which is never above the cap, is then at the cap at most. **A crash that stays** counts
//! whole with the next print after the confirmation time, and at once up to `c` deviations; one that goes on over many
//! prints counts whole but for its last step. Steps just under the limit count whole and widen it. A slow grind is
//! drift: it counts for what its steps realise, 1 % an hour for 27 % (samples of 5 minutes) to 94 % (of an hour), and
//! the range covers what it does in a margin period. The first move of all never counts beyond the clamp, as its first
//! end may be the absurd one.
//!
//! **Who calls.** Anyone, whenever, with the oracle's latest price. If the logarithm of the price is a martingale, then
//! for any stopping time `E r^2 = E (variance over it)`: choosing when to call, without seeing ahead, moves the mean of
//! the sum of squares by nothing, and that of the estimate by no more than the weights `(1 - e^-x) / x`, `x = ln 2 dt /
//! half life`, differ between the spacing and the longest gap: 0.7 % of variance with the defaults. Not calling at all
//! keeps the estimate as it is, for a move that counts later, and whoever minds calls. A discarded jump was never
//! there, so jumps give a chooser nothing that not calling does not. With hindsight there is more: who alone calls, and
//! picks among the prints of the last minute each time the nearest to or the farthest from the last sample, moves sigma
//! to 0.83 or 1.19 of itself (simulated; the longer the spacing beside the oracle's largest age, the less). Paths are
//! no martingales to the last second: real prices sampled at 5, 15 and 60 minutes differ as the table says.
//!
//! # The forecast
//!
//! A named key posts it, between `max(estimate, floor)` and the cap, and at most so far from the last one:
//!
//! ```text
//! f (1 - fall)^(t / day) <= f' <= max(f, estimate) (1 + rise)^(t / hour),   t the time since the last post
//! ```
//!
//! Compounding, as volatilities differ by factors, and because powers multiply: posts in a row, each rounded against
//! the poster, never pass the one bound over the whole time, so many small ones gain nothing. (Linear steps would: 60 a
//! minute apart make 1.283 of 1.25.) Towards the rise `t` counts as an hour at most, so waiting saves nothing up, and a
//! first post, or one after an expiry, may be an hour's rise above the estimate. In all, a forecast is never above `e
//! (1 + rise)^(1 + hours since)` of the largest estimate `e` since the first post of its run.
//!
//! **Init** takes it at once: who takes new risk on can look first. **Maint** takes it over the ramp. A post starts a
//! line at what maint sees now, so that no post ever raises maint itself. What was still to come of the last forecast,
//! `a`, had `T` to go; what is new, `b`, has a full ramp `R`; both go on as one line over
//! `T' = (a T + b R) / (a + b)`. Posted again unchanged (`b = 0`), or lower, the end stays: nothing restarts. And
//!
//! * `T' <= R`: maint has arrived one ramp after the last rise, whatever was posted in between;
//! * `(a + b) / T' <= a / T + b / R` (Cauchy: `(a + b)^2 <= (a T + b R) (a / T + b / R)`): never steeper than both
//!   ramps beside one another. By induction the speed is at most `(f - e) / R`, `e` the level at which the run of
//!   forecasts began: a rise adds `b / R` to both sides, a fall with its end kept takes `(a - d) / a <= (F - d) / F` of
//!   it, `F = f - e >= a`. So no sequence of posts raises maint faster than the forecast of now, posted at once at the
//!   beginning, would.
//!
//! **Expired**, it counts for nothing, at once. That can only lower what is required, so it liquidates nobody; and it
//! lowers it to what the exchange requires without forecasts, from everyone, which no one can push further. That is
//! faster than posts may fall: on purpose, so that a key that is lost or has gone wrong does not hold everyone's margin
//! up. What comes after it starts again at most an hour's rise above the estimate, and at the foot of its ramp.
//!
//! # Backtest of the defaults
//!
//! Real prices to September 2022 (`examples/volatility_backtest.rs`): how often a move over the margin period of 8
//! hours, and any excursion within it, is beyond the range; and any within one hour, which is longer than a liquidation
//! takes.
//!
//! It is in sample: half life, floor and confidence level were chosen on these same series, after about 14 settings had been
//! tried, and the half life by a plain weighted mean, without the treatment of jumps. Windows overlap, and nothing after
//! September 2022 is in them. A normal law would leave 3.5 standard deviations in 0.047 % of cases: moves do 9 to 40 times
//! as often.
//!
//! | series | mean sigma | 8 h move | 8 h excursion | 1 h excursion | largest 8 h move |
//! |---|---|---|---|---|---|
//! | SOL, 15 m, 74,638 | 149 % | 0.65 % | 2.01 % | 0.028 % | 2.3 ranges |
//! | SOL, 1 h, 18,662 | 145 % | 0.70 % | 2.18 % | 0.021 % | 1.9 ranges |
//! | BTC, 1 h, 24,008 | 70 % | 1.27 % | 2.92 % | 0.087 % | 2.8 ranges |
//! | BTC, 5 m, June 2022, 7,967 | 92 % | 1.90 % | 3.84 % | 0.000 % | 1.4 ranges |
//! | ETH, 1 h, 24,008 | 90 % | 0.85 % | 2.57 % | 0.079 % | 2.2 ranges |
//! | ETH, 5 m, June 2022, 7,967 | 124 % | 0.43 % | 3.06 % | 0.000 % | 1.2 ranges |
//!
//! Crashes, in hourly samples (SOL: 15 minutes): sigma as printed last before the first jump, at the jump (clamped), as
//! printed next, and at its highest. The figures are from a print of the hours that moved by more than 4 %, and of every
//! sixth hour, so that "before" and "next" may be several samples away: LUNA's 157 % is of 22 hours before, its 272 % of 3
//! hours after, following another jump, which was discarded.
//!
//! | crash | printed last before | at the jump, clamped | printed next | highest |
//! |---|---|---|---|---|
//! | BTC 2020-03-12, -21 % in an hour | 73 % | 88 % | 236 % | 391 % |
//! | ETH 2020-03-12, -24 % in an hour | 129 % | 148 % | 291 % | 400 %, the cap |
//! | BTC 2021-05-19, -9 % in an hour | 133 % | 155 % | 175 % | 203 % |
//! | SOL 2021-05-19 | 293 % | 307 % | 352 %, 45 minutes later | 400 %, the cap |
//! | LUNA 2022-05-09 | 157 % | 243 % | 272 % | 400 %, the cap |
//!
//! Sigma from every fourth or twelfth sample against that from every one (5 or 15 minutes to an hour): median 0.97 to
//! 1.04, and 0.82 to 1.15 from the first to the last hundredth.
use crate::Error;
use crate::functions;
use crate::interest::SECONDS_PER_YEAR;
use crate::math::{isqrt_ceil, mul_div_ceil, mul_div_floor, mul_shift_ceil, mul_shift_floor, mul_wide};
use crate::units::{Ppm, Price, Q32, Seconds, Timestamp, Volatility};

/// No floor is below the one, no cap above the other.
pub use crate::black::{MAX_VOLATILITY, MIN_VOLATILITY};

/// No half life is below this: 10 minutes.
pub const MIN_HALF_LIFE: Seconds = Seconds::from_raw(600);
/// No half life is above this: 90 days.
pub const MAX_HALF_LIFE: Seconds = Seconds::from_raw(7_776_000);
/// No jump limit is below this: 2 standard deviations.
pub const MIN_JUMP_LIMIT: Ppm = Ppm::from_raw(2_000_000);
/// No jump limit is above this: 20 standard deviations.
pub const MAX_JUMP_LIMIT: Ppm = Ppm::from_raw(20_000_000);
/// No confidence level is below this: 1 standard deviation.
pub const MIN_CONFIDENCE_LEVEL: Ppm = Ppm::from_raw(1_000_000);
/// No confidence level is above this: 10 standard deviations.
pub const MAX_CONFIDENCE_LEVEL: Ppm = Ppm::from_raw(10_000_000);
/// No margin period is below this: 1 minute.
pub const MIN_MARGIN_PERIOD: Seconds = Seconds::from_raw(60);
/// No margin period is above this: 7 days.
pub const MAX_MARGIN_PERIOD: Seconds = Seconds::from_raw(604_800);
/// No limit of a forecast's rise is above this: 100 % per hour.
pub const MAX_RISE_PER_HOUR: Ppm = Ppm::from_raw(1_000_000);
/// No limit of a forecast's fall is above this: 50 % per day.
pub const MAX_FALL_PER_DAY: Ppm = Ppm::from_raw(500_000);
/// No forecast expires sooner than this: 10 minutes.
pub const MIN_EXPIRY: Seconds = Seconds::from_raw(600);
/// No forecast lives longer than this: 7 days.
pub const MAX_EXPIRY: Seconds = Seconds::from_raw(604_800);
/// No ramp is shorter than this: 10 minutes, so that no forecast reaches maint at once.
pub const MIN_RAMP: Seconds = Seconds::from_raw(600);
/// No ramp is longer than this: 7 days.
pub const MAX_RAMP: Seconds = Seconds::from_raw(604_800);

const MILLION: u64 = 1_000_000;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
/// `floor(ln 2 * 2^40)`.
const LN_2_Q40: u64 = 762_123_384_785;
/// `floor(ln 2 * SECONDS_PER_YEAR * 2^32)`.
const LN_2_YEAR_Q32: u64 = 93_884_074_463_302_024;
/// `1.0` in Q32.
const ONE_Q32: u64 = 1 << 32;
/// Fractional bits of a remaining ramp.
const RAMP_BITS: u32 = 16;

/// How one underlying's volatility is estimated, forecast and turned into a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct VolatilityParameters {
    /// No used volatility is below this, and no jump is one below so many standard deviations of it.
    pub floor: Volatility,
    /// No used volatility is above this, nor the estimate.
    pub cap: Volatility,
    /// Where the estimate starts: from the floor to the cap.
    pub initial: Volatility,
    /// Standard deviations of the estimate over the time since the last sample, in ppm, beyond which a return is a
    /// jump.
    pub jump_limit: Ppm,
    /// Standard deviations that the range covers, in ppm.
    pub confidence_level: Ppm,
    /// No range is below this, above zero.
    pub range_min: Ppm,
    /// No range is above this, at most one.
    pub range_max: Ppm,
    /// How much a forecast may rise in an hour, relative to the last one.
    pub rise_per_hour: Ppm,
    /// How much a forecast may fall in a day, relative to the last one.
    pub fall_per_day: Ppm,
    /// Zero: keeps the 64-bit fields aligned.
    pub _reserved: u32,
    /// When a return has half the weight that it had.
    pub half_life: Seconds,
    /// Samples nearer to the last one than this are skipped, unless they jump.
    pub sample_spacing: Seconds,
    /// A longer time between two samples counts as this long. At most the half life.
    pub longest_gap: Seconds,
    /// How long after a jump, at least, an observation may confirm it. At most the sample spacing.
    pub confirmation: Seconds,
    /// How long a range lasts: from the last moment at which an account is in order to its being closed out.
    pub margin_period: Seconds,
    /// How long a forecast lives after its post.
    pub expiry: Seconds,
    /// How long a forecast takes to reach maint.
    pub ramp: Seconds,
}

impl VolatilityParameters {
    /// What a major crypto asset begins with, calibrated on SOL, BTC and ETH to September 2022: the series of the backtest
    /// on the module's page, which is in sample for it.
    ///
    /// * half life 2 days: of 6 hours to 7 days, the next 8 hours' moves are likeliest at 1 day for SOL, at 3 for BTC
    ///   and ETH, with little between, by a plain weighted mean without the treatment of jumps;
    /// * level 3.5 over 8 hours: covers 99 % of moves (a normal law's 99.95 %: tails are fat), and in one hour all but
    ///   1 in 1 000, which leaves a liquidator hours; SOL's mean range is 16 %, BTC's 7 %;
    /// * floor 40 %: BTC's calm before a storm; its range is 4.2 %. Cap 400 %: a range of 42 %, seen only in crashes;
    /// * initial 100 %: above the mean of BTC and ETH;
    /// * jump limit 5: about one sample in 400 waits for its confirmation; 8 covered little more in the
    ///   backtest's series;
    /// * spacing 5 minutes: longer than an oracle's price may be old, so that choosing among those has little effect;
    ///   longest gap 1 hour; confirmation 10 s: a glitch must last as long;
    /// * forecasts: 25 % an hour up, 5 % a day down, 12 hours to expiry, 4 hours to reach maint: time to act, and less
    ///   than the margin period.
    pub const DEFAULT: Self = Self {
        floor: Volatility::from_raw(400_000),
        cap: Volatility::from_raw(4_000_000),
        initial: Volatility::from_raw(1_000_000),
        jump_limit: Ppm::from_raw(5_000_000),
        confidence_level: Ppm::from_raw(3_500_000),
        range_min: Ppm::from_raw(30_000),
        range_max: Ppm::from_raw(800_000),
        rise_per_hour: Ppm::from_raw(250_000),
        fall_per_day: Ppm::from_raw(50_000),
        _reserved: 0,
        half_life: Seconds::from_raw(172_800),
        sample_spacing: Seconds::from_raw(300),
        longest_gap: Seconds::from_raw(3_600),
        confirmation: Seconds::from_raw(10),
        margin_period: Seconds::from_raw(28_800),
        expiry: Seconds::from_raw(43_200),
        ramp: Seconds::from_raw(14_400),
    };

    /// Checks the parameters as a whole, in the order of the codes.
    ///
    /// # Errors
    ///
    /// * [`Error::VolatilityBoundsInvalid`]: not [`MIN_VOLATILITY`] <= floor <= initial <= cap <= [`MAX_VOLATILITY`];
    /// * [`Error::HalfLifeInvalid`]: not between [`MIN_HALF_LIFE`] and [`MAX_HALF_LIFE`];
    /// * [`Error::JumpLimitInvalid`]: not between [`MIN_JUMP_LIMIT`] and [`MAX_JUMP_LIMIT`];
    /// * [`Error::SamplingInvalid`]: not 0 < spacing <= longest gap <= half life, or the confirmation is negative or
    ///   above the spacing;
    /// * [`Error::RangeParametersInvalid`]: level or margin period outside their constants, or not
    ///   0 < minimum <= maximum <= 1;
    /// * [`Error::ForecastParametersInvalid`]: rise, fall, expiry or ramp zero or outside their constants.
    pub const fn validate(&self) -> Result<(), Error> {
        if self.floor.raw() < MIN_VOLATILITY.raw()
            || self.initial.raw() < self.floor.raw()
            || self.cap.raw() < self.initial.raw()
            || self.cap.raw() > MAX_VOLATILITY.raw()
        {
            return Err(Error::VolatilityBoundsInvalid);
        }
        if !within(self.half_life, MIN_HALF_LIFE, MAX_HALF_LIFE) {
            return Err(Error::HalfLifeInvalid);
        }
        if self.jump_limit.raw() < MIN_JUMP_LIMIT.raw() || self.jump_limit.raw() > MAX_JUMP_LIMIT.raw() {
            return Err(Error::JumpLimitInvalid);
        }
        if self.sample_spacing.raw() <= 0
            || !within(self.longest_gap, self.sample_spacing, self.half_life)
            || !within(self.confirmation, Seconds::ZERO, self.sample_spacing)
        {
            return Err(Error::SamplingInvalid);
        }
        if self.confidence_level.raw() < MIN_CONFIDENCE_LEVEL.raw()
            || self.confidence_level.raw() > MAX_CONFIDENCE_LEVEL.raw()
            || !within(self.margin_period, MIN_MARGIN_PERIOD, MAX_MARGIN_PERIOD)
            || self.range_min.is_zero()
            || self.range_max.raw() < self.range_min.raw()
            || self.range_max.raw() > Ppm::ONE.raw()
        {
            return Err(Error::RangeParametersInvalid);
        }
        if self.rise_per_hour.is_zero()
            || self.rise_per_hour.raw() > MAX_RISE_PER_HOUR.raw()
            || self.fall_per_day.is_zero()
            || self.fall_per_day.raw() > MAX_FALL_PER_DAY.raw()
            || !within(self.expiry, MIN_EXPIRY, MAX_EXPIRY)
            || !within(self.ramp, MIN_RAMP, MAX_RAMP)
        {
            return Err(Error::ForecastParametersInvalid);
        }
        Ok(())
    }

    /// A volatility put between the floor and the cap. For parameters that [`Self::validate`] refuses, the cap wins.
    #[inline(always)]
    pub const fn clamp(&self, volatility: Volatility) -> Volatility {
        let raised = if volatility.raw() < self.floor.raw() { self.floor } else { volatility };
        if raised.raw() > self.cap.raw() { self.cap } else { raised }
    }
}

impl Default for VolatilityParameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether a duration is between two others, both included.
const fn within(value: Seconds, least: Seconds, most: Seconds) -> bool {
    value.raw() >= least.raw() && value.raw() <= most.raw()
}

/// The estimated variance of one underlying and what it needs to go on. Plain integers, to be stored in an account.
///
/// All zero is the state before the first observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Estimate {
    /// Annualised variance, Q56, a pending jump counted clamped. At most the square of the cap.
    pub variance: u64,
    /// Price of the last sample, raw [`Price`]. Zero: none yet.
    pub price: u64,
    /// Publish time of the last sample.
    pub publish_time: i64,
    /// Price that jumped and waits for its confirmation, raw [`Price`]. Zero: none.
    pub pending_price: u64,
    /// Publish time of the pending price.
    pub pending_time: i64,
    /// Variance without the pending jump, Q56.
    pub variance_before: u64,
    /// Variance with the pending jump as a whole, Q56.
    pub variance_confirmed: u64,
    /// Returns counted so far.
    pub samples: u64,
}

/// A sample to go on from.
#[derive(Clone, Copy)]
struct Reference {
    variance: u64,
    price: u64,
    time: i64,
    samples: u64,
}

impl Estimate {
    /// The estimate as a volatility, rounded up. Neither floor nor cap is applied: [`used`] does that.
    #[inline(never)]
    pub fn volatility(&self) -> Volatility {
        // sqrt(v / 2^56) 10^6 = sqrt(v 10^12) / 2^28, at most 16 * 10^6.
        let (high, low) = mul_wide(self.variance, MILLION * MILLION);
        let root = isqrt_ceil(high, low).unwrap_or(u64::MAX).div_ceil(1 << 28);
        Volatility::from_raw(u32::try_from(root).unwrap_or(u32::MAX))
    }

    /// Takes one oracle price in. `Ok(false)`: nothing changed, as the price is no newer or too near to the last one.
    ///
    /// Anyone may make the call; the module's page says why that does no harm. The caller checks the price's owner,
    /// feed and [that it is not of the future](crate::price::check_publish_time): a time far ahead would make the
    /// estimate wait for it.
    ///
    /// # Errors
    ///
    /// [`Error::PriceOutOfRange`] below [`Price::MIN_SPOT`]. The state is unchanged then.
    pub fn update(
        &mut self,
        parameters: &VolatilityParameters,
        price: Price,
        publish_time: Timestamp,
    ) -> Result<bool, Error> {
        if price < Price::MIN_SPOT {
            return Err(Error::PriceOutOfRange);
        }
        let (price, time) = (price.raw(), publish_time.raw());
        if self.price == 0 {
            *self = Self { variance: variance_of(parameters.initial), price, publish_time: time, ..Self::default() };
            return Ok(true);
        }
        let Some(reference) = self.reference(parameters, price, time) else {
            return Ok(false);
        };
        self.step(parameters, reference, price, time)
    }

    /// What a price is compared with, or `None` when it is ignored: not newer, or too early to confirm a jump.
    #[inline(always)]
    fn reference(&self, parameters: &VolatilityParameters, price: u64, time: i64) -> Option<Reference> {
        if self.pending_price == 0 {
            let reference = Reference {
                variance: self.variance,
                price: self.price,
                time: self.publish_time,
                samples: self.samples,
            };
            return (time > self.publish_time).then_some(reference);
        }
        if time <= self.pending_time {
            return None;
        }
        if !self.is_confirmed_by(price) {
            return Some(Reference {
                variance: self.variance_before,
                price: self.price,
                time: self.publish_time,
                samples: self.samples,
            });
        }
        let waited = time.saturating_sub(self.pending_time) >= parameters.confirmation.raw();
        waited.then_some(Reference {
            variance: self.variance_confirmed,
            price: self.pending_price,
            time: self.pending_time,
            samples: self.samples.saturating_add(1),
        })
    }

    /// Whether `price` is still at least half of the pending jump away, in logarithms: for a jump from `p` down to `j`,
    /// `ln price <= (ln p + ln j) / 2`, that is `price^2 <= p j`. Exact.
    #[inline(always)]
    const fn is_confirmed_by(&self, price: u64) -> bool {
        let (square_high, square_low) = mul_wide(price, price);
        let (middle_high, middle_low) = mul_wide(self.price, self.pending_price);
        let at_or_below = square_high < middle_high || (square_high == middle_high && square_low <= middle_low);
        let at_or_above = square_high > middle_high || (square_high == middle_high && square_low >= middle_low);
        if self.pending_price < self.price { at_or_below } else { at_or_above }
    }

    /// Counts the move from a reference to a price, as a sample, as a pending jump or (too near) not at all.
    #[inline(never)]
    fn step(
        &mut self,
        parameters: &VolatilityParameters,
        reference: Reference,
        price: u64,
        time: i64,
    ) -> Result<bool, Error> {
        let settled = Self {
            variance: reference.variance,
            price: reference.price,
            publish_time: reference.time,
            samples: reference.samples,
            ..Self::default()
        };
        let elapsed = time.saturating_sub(reference.time);
        let weights = Weights::new(parameters, reference.variance, elapsed);
        let square = weights.square(functions::ln_ratio(price, reference.price)?.unsigned_abs());
        let cap = variance_of(parameters.cap);
        let whole = weights.moved(square, cap);
        let after = if weights.is_jump(square) {
            let clamped = weights.moved(weights.limit, cap);
            Self {
                variance: clamped,
                pending_price: price,
                pending_time: time,
                variance_before: reference.variance,
                // The first move of all does not count as a whole: either end of it may be the absurd one.
                variance_confirmed: if reference.samples == 0 { clamped } else { whole },
                ..settled
            }
        } else if elapsed < parameters.sample_spacing.raw() {
            settled
        } else {
            Self { variance: whole, price, publish_time: time, samples: reference.samples.saturating_add(1), ..settled }
        };
        let changed = after != *self;
        *self = after;
        Ok(changed)
    }
}

/// What the move over one gap is weighed with.
///
/// With `x = ln 2 dt / h`, `k = ln 2 year / h` and `g(x) = (1 - e^-x) / x`, `alpha = x g` and so
///
/// ```text
/// v' = v + alpha (r^2 year / dt - v) = v + g(x) (r^2 k - v x)
/// ```
///
/// without the quotient by `dt` and without the difference `1 - e^-x`, which loses digits where `x` is small. A move is
/// a jump when `r^2 > c^2 max(v, floor^2) dt / year`, the same as `r^2 k > c^2 max(v, floor^2) x`.
#[derive(Clone, Copy)]
struct Weights {
    variance: u64,
    /// `v x`, Q56, rounded down.
    decay: u64,
    /// `c^2 max(v, floor^2) x`, Q56, rounded down, saturated.
    limit: u64,
    /// `k`, Q32.
    rate: u64,
    /// `g(x)`, Q32.
    part: u64,
}

impl Weights {
    /// For a gap of `elapsed` seconds, which counts as at least the spacing and at most the longest gap.
    #[inline(always)]
    fn new(parameters: &VolatilityParameters, variance: u64, elapsed: i64) -> Self {
        let half_life = magnitude(parameters.half_life).clamp(1, MAX_HALF_LIFE.unsigned_abs());
        let elapsed = elapsed
            .max(parameters.sample_spacing.raw())
            .min(parameters.longest_gap.raw())
            .max(1)
            .unsigned_abs()
            .min(half_life);
        // elapsed <= half life <= 2^23, so the product is below 2^63 and x at most ln 2.
        let x = LN_2_Q40.wrapping_mul(elapsed).checked_div(half_life).unwrap_or(0);
        let floor = variance_of(parameters.floor);
        // x < 1, so neither product is above its first factor.
        let decay = mul_shift_floor(variance, x, 40).unwrap_or(0);
        let scale = if variance < floor { mul_shift_floor(floor, x, 40).unwrap_or(0) } else { decay };
        Self {
            variance,
            decay,
            limit: mul_shift_floor(scale, square_q32(parameters.jump_limit), 32).unwrap_or(u64::MAX),
            rate: LN_2_YEAR_Q32.checked_div(half_life).unwrap_or(0),
            part: weight(x >> 8),
        }
    }

    /// `r^2 k`, Q56, rounded up; all ones from 256 on and from `r = 4` (a price times 54) on, where `k >= 2.8` makes it
    /// 45 at least: above any cap, 25 at most, so that it makes no difference to what is counted.
    ///
    /// `r` is Q40. Below `2^32` its square fits (Q80); above, that of `r / 2^10` does, rounded up: at most 5e-7 of
    /// itself too much.
    #[inline(always)]
    fn square(&self, r: u64) -> u64 {
        let scaled = if r < 1 << 32 {
            mul_shift_ceil(r.wrapping_mul(r), self.rate, 56)
        } else {
            let r = (r >> 10).wrapping_add(1);
            if r >= ONE_Q32 {
                return u64::MAX;
            }
            mul_shift_ceil(r.wrapping_mul(r), self.rate, 36)
        };
        scaled.unwrap_or(u64::MAX)
    }

    /// Whether `r^2 k` is that of a jump: beyond the limit, or beyond what the word holds.
    #[inline(always)]
    const fn is_jump(&self, square: u64) -> bool {
        square > self.limit || square == u64::MAX
    }

    /// `v + g (square - v x)`, at most `cap`.
    #[inline(always)]
    fn moved(&self, square: u64, cap: u64) -> u64 {
        let after = if square >= self.decay {
            self.variance.saturating_add(times_q32(square.wrapping_sub(self.decay), self.part))
        } else {
            // At most v x <= v: does not wrap.
            self.variance.wrapping_sub(times_q32(self.decay.wrapping_sub(square), self.part))
        };
        after.min(cap)
    }
}

/// `floor(value factor / 2^32)` for a factor of at most `2^32`: at most `(2^32 - 1) 2^32 + (2^32 - 1)`.
#[inline(always)]
const fn times_q32(value: u64, factor: u64) -> u64 {
    let low = (value & 0xFFFF_FFFF).wrapping_mul(factor) >> 32;
    (value >> 32).wrapping_mul(factor).wrapping_add(low)
}

/// `g(x) = (1 - e^-x) / x`, both Q32, for `x` of at most ln 2.
///
/// `g = 1 - x/2 (1 - x/3 (1 - x/4 (...)))`, the series `sum (-x)^n / (n + 1)!`, to `n = 7`. It alternates and its terms
/// fall, so what is left out is at most `x^8 / 9! < 1.5e-7`. Every factor is at most `2^32` and `x` is below it, so the
/// products fit.
#[inline(always)]
const fn weight(x: u64) -> u64 {
    let mut part = ONE_Q32;
    let mut divisor = 8_u64;
    while divisor >= 2 {
        let term = match (x.wrapping_mul(part) >> 32).checked_div(divisor) {
            Some(term) => term,
            None => 0,
        };
        part = ONE_Q32.wrapping_sub(term);
        divisor = divisor.wrapping_sub(1);
    }
    part
}

/// `sigma^2` in Q56, rounded down, off by less than 2 and 1.3e-11 of itself: `sigma_ppm^2 2^56 / 10^12`, and `2^56 /
/// 10^12` is 72057.594037927... A volatility above [`MAX_VOLATILITY`] counts as that; `25 * 10^12 * 594_037 < 2^64`.
#[inline(always)]
const fn variance_of(volatility: Volatility) -> u64 {
    let volatility = if volatility.raw() > MAX_VOLATILITY.raw() { MAX_VOLATILITY } else { volatility };
    let raw = volatility.raw() as u64;
    let square = raw.wrapping_mul(raw);
    square.wrapping_mul(72_057).wrapping_add(square.wrapping_mul(594_037) / MILLION)
}

/// The square of a ratio, Q32. A ratio above [`MAX_JUMP_LIMIT`] counts as that.
#[inline(always)]
const fn square_q32(ratio: Ppm) -> u64 {
    let raw = ratio.raw() as u64;
    let raw = if raw > 20_000_000 { 20_000_000 } else { raw };
    // At most 4 * 10^14 / 10^6 * 2^32 < 2^61.
    ((raw.wrapping_mul(raw) / MILLION) << 32) / MILLION
}

/// A duration's length; zero for a negative one.
#[inline(always)]
const fn magnitude(duration: Seconds) -> u64 {
    if duration.is_negative() { 0 } else { duration.unsigned_abs() }
}

/// The shock range of a volatility: `z sigma sqrt(margin period / year)`, rounded up, between the range's limits.
///
/// Never falls as `sigma`, the level or the margin period rises. At most 1e-6 and 1e-9 of itself above the real number.
///
/// `sqrt(m / year) = sqrt(m year) / year`, the root to `2^-16`: `m year < 2^45`, so it is below `2^39`; `z sigma <
/// 2^46`.
pub fn range(sigma: Volatility, parameters: &VolatilityParameters) -> Ppm {
    let sigma = u64::from(sigma.raw().min(MAX_VOLATILITY.raw()));
    let level = u64::from(parameters.confidence_level.raw().min(MAX_CONFIDENCE_LEVEL.raw()));
    let period = magnitude(parameters.margin_period).min(MAX_MARGIN_PERIOD.unsigned_abs());
    let product = period.wrapping_mul(SECONDS_PER_YEAR);
    let root = isqrt_ceil(product >> 32, product << 32).unwrap_or(u64::MAX);
    // 31_536_000 * 2^16 * 10^6 < 2^61; the quotient is at most 10 * 5 * 0.14 * 10^6.
    let raw = mul_div_ceil(sigma.wrapping_mul(level), root, (SECONDS_PER_YEAR * MILLION) << 16).unwrap_or(u64::MAX);
    let raw = u32::try_from(raw).unwrap_or(u32::MAX);
    Ppm::from_raw(raw.max(parameters.range_min.raw()).min(parameters.range_max.raw()))
}

/// A posted forecast of one underlying's volatility. Plain integers, to be stored in an account.
///
/// All zero is the state before the first post: it has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Forecast {
    /// What was posted, raw [`Volatility`].
    pub volatility: u32,
    /// Zero: keeps the 64-bit fields aligned.
    pub _reserved: u32,
    /// What of it maint saw when it was posted, Q32 of a raw [`Volatility`], at most `volatility`.
    pub ramped: u64,
    /// When it was posted.
    pub posted_at: i64,
    /// From this moment on it counts for nothing.
    pub expires_at: i64,
    /// How long after its post it reaches maint, in Q16 seconds.
    pub ramp_left: u64,
}

/// The volatilities that margins are computed with, `maint` never above `init`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Towards `H_init`.
    pub init: Volatility,
    /// Towards `H_maint`.
    pub maint: Volatility,
}

impl Forecast {
    /// Whether it counts.
    #[inline(always)]
    pub const fn is_alive(&self, now: Timestamp) -> bool {
        now.raw() < self.expires_at
    }

    /// What of it maint sees, Q32, rounded down: a line from `ramped` at the post to `volatility` when the ramp is
    /// over.
    fn ramped_at(&self, now: Timestamp) -> u64 {
        let elapsed = elapsed_q16(self.posted_at, now);
        let target = u64::from(self.volatility) << Q32;
        if elapsed >= self.ramp_left {
            return target;
        }
        // elapsed < ramp_left, so the quotient is below the rise, and the sum below the target.
        let risen = mul_div_floor(target.saturating_sub(self.ramped), elapsed, self.ramp_left).unwrap_or(0);
        self.ramped.saturating_add(risen).min(target)
    }

    /// The forecast after a post, which replaces this one.
    ///
    /// The estimate counts clamped to floor and cap. See the module's page for the rules and what they bound.
    ///
    /// # Errors
    ///
    /// [`Error::ForecastOutOfBounds`] below the floor or the estimate, or above the cap; [`Error::ForecastTooFast`]
    /// beyond the limits of [`limits`](Self::limits).
    pub fn post(
        &self,
        volatility: Volatility,
        estimate: Volatility,
        parameters: &VolatilityParameters,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let estimate = parameters.clamp(estimate);
        if volatility < estimate || volatility > parameters.cap {
            return Err(Error::ForecastOutOfBounds);
        }
        let (least, most) = self.limits(estimate, parameters, now)?;
        if volatility < least || volatility > most {
            return Err(Error::ForecastTooFast);
        }
        let alive = self.is_alive(now);
        let least = u64::from(estimate.raw()) << Q32;
        let target = u64::from(volatility.raw()) << Q32;
        let ramped = if alive { self.ramped_at(now).max(least) } else { least }.min(target);
        let left = if alive { self.ramp_left.saturating_sub(elapsed_q16(self.posted_at, now)) } else { 0 };
        let full = magnitude(parameters.ramp).min(MAX_RAMP.unsigned_abs()) << RAMP_BITS;
        Ok(Self {
            volatility: volatility.raw(),
            _reserved: 0,
            ramped,
            posted_at: now.raw(),
            expires_at: now.raw().saturating_add(parameters.expiry.raw()),
            ramp_left: if alive {
                mean_ramp(u64::from(self.volatility) << Q32, target, ramped, left, full)
            } else {
                full
            },
        })
    }

    /// The lowest and the highest forecast that may be posted now.
    ///
    /// Alive: from `f (1 - fall)^(t / day)`, rounded up, to `max(f, estimate) (1 + rise)^(t / hour)`, rounded down, `t`
    /// the time since the last post but towards the rise an hour at most. Otherwise: from nothing to
    /// `estimate (1 + rise)`. All within floor and cap, and `estimate` already clamped.
    ///
    /// # Errors
    ///
    /// None is known: what the logarithm and the exponential get is put into their domains.
    pub fn limits(
        &self,
        estimate: Volatility,
        parameters: &VolatilityParameters,
        now: Timestamp,
    ) -> Result<(Volatility, Volatility), Error> {
        let alive = self.is_alive(now);
        let last = if alive { self.volatility.min(parameters.cap.raw()) } else { 0 };
        let elapsed = if alive { elapsed_q16(self.posted_at, now) >> RAMP_BITS } else { HOUR };
        let rise = u64::from(parameters.rise_per_hour.raw().min(MAX_RISE_PER_HOUR.raw()));
        let fall = u64::from(parameters.fall_per_day.raw().min(MAX_FALL_PER_DAY.raw()));
        let rise = MILLION.wrapping_add(rise);
        // fall <= 10^6 / 2.
        let down = growth(MILLION.wrapping_sub(fall), elapsed.min(MAX_EXPIRY.unsigned_abs()), DAY)?.saturating_add(1);
        let base = last.max(estimate.raw());
        // Two 32-bit numbers, or one times at most 2^33: the products fit. From an hour on no exponential is needed.
        let most = if elapsed >= HOUR {
            u64::from(base).wrapping_mul(rise) / MILLION
        } else {
            u64::from(base).wrapping_mul(growth(rise, elapsed, HOUR)?.saturating_sub(1)) >> 32
        };
        let least = u64::from(last).wrapping_mul(down).div_ceil(ONE_Q32);
        let most = u32::try_from(most).unwrap_or(u32::MAX).max(base).min(parameters.cap.raw());
        let least = u32::try_from(least).unwrap_or(u32::MAX).min(last).max(estimate.raw());
        Ok((Volatility::from_raw(least), Volatility::from_raw(most)))
    }
}

/// `(factor / 10^6)^(elapsed / period)`, Q32, off by less than a unit: for a factor up to 2 and less than a period, or a
/// factor from a half to 1 and up to 7 periods, so that the exponent is between `-7 ln 2` and `ln 2`.
///
/// The logarithm is off by 5e-13 and its product with `elapsed / period` by 4e-12 and a unit of Q40, the exponential by
/// half a unit of Q32 and 1e-11 of itself.
fn growth(factor: u64, elapsed: u64, period: u64) -> Result<u64, Error> {
    let logarithm = functions::ln_ratio(factor, MILLION)?;
    // Below 2^40 times below 2^20.
    let exponent = logarithm.unsigned_abs().wrapping_mul(elapsed).checked_div(period).unwrap_or(0).cast_signed();
    functions::exp(if logarithm.is_negative() { exponent.wrapping_neg() } else { exponent })
}

/// How long after a moment it is, Q16 seconds, at least zero, saturated at 2^40 s.
#[inline(always)]
fn elapsed_q16(since: i64, now: Timestamp) -> u64 {
    now.raw().saturating_sub(since).max(0).unsigned_abs().min(1 << 40) << RAMP_BITS
}

/// How long the ramp to `next` takes from `ramped` on, when the one to `last` has `left` to go and a new one takes
/// `full`.
///
/// What was still to come of the last forecast, `a = last - ramped`, keeps its time; what is new, `b = next - last`,
/// takes a full ramp; both go on as one line over the mean of their times, `(a left + b full) / (a + b)`, rounded up:
/// written `left + b (full - left) / (a + b)`. A forecast that does not rise keeps the time left.
#[inline(always)]
fn mean_ramp(last: u64, next: u64, ramped: u64, left: u64, full: u64) -> u64 {
    let new = next.saturating_sub(last.max(ramped));
    // Of a forecast that rises, last < next: the sum is at most next - ramped.
    let all = last.saturating_sub(ramped).saturating_add(new);
    if new == 0 {
        return left;
    }
    // new <= all, so neither quotient is above the difference.
    if full >= left {
        left.saturating_add(mul_div_ceil(new, full.wrapping_sub(left), all).unwrap_or(0))
    } else {
        left.saturating_sub(mul_div_floor(new, left.wrapping_sub(full), all).unwrap_or(0))
    }
}

/// The volatilities to compute margins with.
///
/// `init = clamp(max(estimate, forecast))` at once; `maint = clamp(max(estimate, what of the forecast has ramped up))`.
/// An expired forecast counts for nothing. `maint <= init` always, as the ramp is never above the forecast and the
/// clamp is monotone.
pub fn used(estimate: Volatility, forecast: &Forecast, parameters: &VolatilityParameters, now: Timestamp) -> Used {
    if !forecast.is_alive(now) {
        let estimate = parameters.clamp(estimate);
        return Used { init: estimate, maint: estimate };
    }
    let forecast_init = Volatility::from_raw(forecast.volatility);
    let forecast_maint = Volatility::from_raw(u32::try_from(forecast.ramped_at(now) >> Q32).unwrap_or(u32::MAX));
    Used { init: parameters.clamp(estimate.max(forecast_init)), maint: parameters.clamp(estimate.max(forecast_maint)) }
}
