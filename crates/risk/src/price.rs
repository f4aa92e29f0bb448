//! Prices as the engine wants them, how old they are and how far they are trusted.
use crate::math::mul_ppm_floor;
use crate::units::{Ppm, Price, Seconds, Timestamp};

/// How far a publish time may be ahead of the clock: oracle and cluster clocks differ by a little.
pub const FUTURE_TOLERANCE: Seconds = Seconds::from_raw(10);

/// One reading of a price feed, in the market's own scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Observation {
    /// Price now, rounded down. At least [`Price::MIN_SPOT`] when it comes from [`crate::pyth::normalise`].
    pub spot: Price,
    /// Moving average of the price, rounded down.
    pub ema: Price,
    /// Half width of the oracle's confidence interval, rounded up.
    pub confidence: Price,
    /// When the oracle published it.
    pub publish_time: Timestamp,
}

/// How old a price is against its market's two limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Freshness {
    /// At most `max_age` old: taken as it is.
    #[default]
    Fresh = 0,
    /// Older than `max_age`: no base for new risk, and no base for a liquidation within one shock range.
    Stale = 1,
    /// Older than `dead_age`: no base for new risk, but liquidation goes on at the last price.
    Dead = 2,
}

/// How old a price is: fresh up to and including `max_age`, stale up to and including `dead_age`, then dead.
///
/// A publish time ahead of `now` by up to [`FUTURE_TOLERANCE`] is fresh; further ahead it is stale until the clock
/// catches up. Such a reading is refused by [`check_publish_time`] before it is ever stored.
#[inline(always)]
pub const fn freshness(publish_time: Timestamp, now: Timestamp, max_age: Seconds, dead_age: Seconds) -> Freshness {
    // A publish time not ahead of `now`: the age is at least 0 and below 2^64, so its word is exact.
    let published = publish_time.raw() <= now.raw();
    if published && max_age.raw() >= 0 {
        let age = now.raw().wrapping_sub(publish_time.raw()).cast_unsigned();
        if age <= max_age.raw().cast_unsigned() {
            return Freshness::Fresh;
        }
    }
    freshness_by_age(publish_time, now, max_age, dead_age)
}

/// [`freshness`] in general: the saturating difference alone costs more than all of the short cut.
#[inline(never)]
const fn freshness_by_age(publish_time: Timestamp, now: Timestamp, max_age: Seconds, dead_age: Seconds) -> Freshness {
    let age = now.since(publish_time).raw();
    if age > dead_age.raw() && age > max_age.raw() {
        Freshness::Dead
    } else if age > max_age.raw() || is_future(age) {
        Freshness::Stale
    } else {
        Freshness::Fresh
    }
}

/// Refuses a publish time more than [`FUTURE_TOLERANCE`] ahead of the clock.
///
/// # Errors
///
/// [`crate::Error::PublishTimeInFuture`].
#[inline(always)]
pub const fn check_publish_time(publish_time: Timestamp, now: Timestamp) -> Result<(), crate::Error> {
    if publish_time.raw() <= now.raw() {
        return Ok(());
    }
    if is_future(now.since(publish_time).raw()) { Err(crate::Error::PublishTimeInFuture) } else { Ok(()) }
}

/// Whether an age is below minus the tolerance.
#[inline(always)]
const fn is_future(age: i64) -> bool {
    age < 0 && age.unsigned_abs() > FUTURE_TOLERANCE.unsigned_abs()
}

/// How far the oracle doubts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// Within both limits.
    Normal,
    /// The confidence interval or the gap between spot and moving average is beyond its limit: the market is
    /// reduce-only.
    Wide,
}

/// Compares confidence and the gap between spot and moving average, both relative to spot, with the market's limits.
/// A value equal to its limit is [`Width::Normal`].
///
/// `confidence <= limit spot` holds exactly when `confidence <= floor(limit spot)`, as `confidence` is an integer.
#[inline]
pub const fn check_limits(observation: &Observation, max_confidence: Ppm, max_ema_gap: Ppm) -> Width {
    let spot = observation.spot.raw();
    let gap = spot.abs_diff(observation.ema.raw());
    if is_doubtful(observation, max_confidence) || exceeds(gap, spot, max_ema_gap) {
        Width::Wide
    } else {
        Width::Normal
    }
}

/// Whether the confidence interval alone is beyond its limit: the oracle itself does not know the price. Not so a gap to the
/// average, which a real move opens too.
#[inline]
pub const fn is_doubtful(observation: &Observation, max_confidence: Ppm) -> bool {
    exceeds(observation.confidence.raw(), observation.spot.raw(), max_confidence)
}

/// Whether `value > limit spot`. A limit that does not fit a word is above any value.
#[inline(always)]
const fn exceeds(value: u64, spot: u64, limit: Ppm) -> bool {
    match mul_ppm_floor(spot, limit) {
        Some(limit) => value > limit,
        None => false,
    }
}
