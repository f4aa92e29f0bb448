//! How long to wait before the next attempt.

use std::time::Duration;

use rand::Rng;

/// Doubles with every failure in a row, up to a limit, each time with jitter so that many bots do not come back at once.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits `base` while all goes well, at most `max` when it does not. A `base` of zero counts as a millisecond: nothing
    /// here ever spins.
    pub fn new(base: Duration, max: Duration) -> Self {
        let base = base.max(Duration::from_millis(1));
        Self { base, max: max.max(base), failures: 0 }
    }

    /// All went well.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// It failed once more.
    pub fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The next pause without its jitter.
    pub fn nominal(&self) -> Duration {
        let factor = 1u32.checked_shl(self.failures.min(20)).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max)
    }

    /// The next pause: after a failure between three and five quarters of the nominal one.
    pub fn pause(&self) -> Duration {
        let nominal = self.nominal();
        if self.failures == 0 { nominal } else { nominal.mul_f64(rand::rng().random_range(0.75..1.25)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_start_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let mut nominal = vec![backoff.nominal().as_secs()];
        for _ in 0..5 {
            backoff.fail();
            nominal.push(backoff.nominal().as_secs());
            let (pause, around) = (backoff.pause(), backoff.nominal());
            assert!(pause >= around.mul_f64(0.75) && pause <= around.mul_f64(1.25), "{pause:?} of {around:?}");
        }
        assert_eq!(nominal, [1, 2, 4, 8, 10, 10]);
        backoff.succeed();
        assert_eq!((backoff.pause(), backoff.failures()), (Duration::from_secs(1), 0));
    }

    #[test]
    fn a_base_of_zero_does_not_spin() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        assert!(backoff.pause() >= Duration::from_millis(1));
        for _ in 0..200 {
            backoff.fail();
        }
        assert_eq!(backoff.nominal(), Duration::from_millis(1));
    }
}
