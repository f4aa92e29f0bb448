//! Forecasts: their limits, which many small posts cannot beat, and their ramp towards maint.
use super::*;

const ESTIMATE: Volatility = Volatility::from_raw(800_000);
const HOUR: i64 = 3_600;
const RAMP: i64 = DEFAULT.ramp.raw();

fn post(forecast: Forecast, raw: u32, time: i64) -> Forecast {
    forecast.post(vol(raw), ESTIMATE, &DEFAULT, at(time)).expect("within the limits")
}

fn maint(forecast: &Forecast, time: i64) -> u32 {
    used(ESTIMATE, forecast, &DEFAULT, at(time)).maint.raw()
}

fn alive(volatility: u32) -> Forecast {
    Forecast {
        volatility,
        _reserved: 0,
        ramped: u64::from(volatility) << 32,
        posted_at: START,
        expires_at: START + 43_200,
        ramp_left: 0,
    }
}

/// A full-length ramp of 200 000.
fn ramping() -> Forecast {
    post(Forecast::default(), 1_000_000, START)
}

#[test]
fn without_a_forecast_both_are_the_estimate_in_its_bounds() {
    for (estimate, expected) in [(0, 400_000), (800_000, 800_000), (u32::MAX, 4_000_000)] {
        let both = Used { init: vol(expected), maint: vol(expected) };
        assert_eq!(used(vol(estimate), &Forecast::default(), &DEFAULT, at(START)), both);
    }
}

#[test]
fn forecasts_out_of_bounds_are_refused() {
    let none = Forecast::default();
    let refused = |estimate: u32, raw: u32| none.post(vol(raw), vol(estimate), &DEFAULT, at(START)).err();
    assert_eq!(refused(800_000, 799_999), Some(Error::ForecastOutOfBounds), "below the estimate");
    assert_eq!(refused(100_000, 399_999), Some(Error::ForecastOutOfBounds), "below the floor");
    assert_eq!(refused(800_000, 4_000_001), Some(Error::ForecastOutOfBounds), "above the cap");
    assert_eq!(refused(800_000, 800_000), None);
    assert_eq!(refused(u32::MAX, 4_000_000), None, "an estimate above the cap counts as the cap");
}

#[test]
fn forecasts_too_fast_are_refused() {
    let refused =
        |forecast: Forecast, raw: u32, after: i64| forecast.post(vol(raw), ESTIMATE, &DEFAULT, at(START + after)).err();
    let fast = Some(Error::ForecastTooFast);
    // The first may be an hour's rise above the estimate.
    assert_eq!(refused(Forecast::default(), 1_000_001, 0), fast);
    assert_eq!(refused(Forecast::default(), 1_000_000, 0), None);
    // 1.25 in an hour, sqrt(1.25) in half of one, and no more than 1.25 however long after.
    assert_eq!(refused(alive(1_000_000), 1_000_001, 0), fast);
    assert_eq!(refused(alive(1_000_000), 1_118_035, HOUR / 2), fast);
    assert_eq!(refused(alive(1_000_000), 1_118_033, HOUR / 2), None);
    assert_eq!(refused(alive(1_000_000), 1_250_001, 10 * HOUR), fast);
    assert_eq!(refused(alive(1_000_000), 1_250_000, HOUR), None);
    // 0.95 in a day, sqrt(0.95) in half of one: 974 679.4.
    assert_eq!(refused(alive(1_000_000), 999_999, 0), fast);
    assert_eq!(refused(alive(1_000_000), 974_679, 12 * HOUR - 1), fast);
    assert_eq!(refused(alive(1_000_000), 974_682, 12 * HOUR - 1), None);
    // Expired: no lower limit but the estimate.
    assert_eq!(refused(alive(1_000_000), 800_000, 12 * HOUR), None);
}

/// A forecast that stays is always allowed, and one at the estimate when that has overtaken it: nobody is locked out.
#[test]
fn a_post_is_always_possible() {
    for (last, estimate) in [(1_000_000, 800_000), (1_000_000, 3_000_000), (4_000_000, 800_000), (5_000_000, 100)] {
        for after in [0, 1, 1_000, 43_199, 43_200] {
            let estimate = DEFAULT.clamp(vol(estimate));
            let (least, most) = alive(last).limits(estimate, &DEFAULT, at(START + after)).expect("valid parameters");
            assert!(least <= most && least >= estimate && most <= DEFAULT.cap, "{last} {estimate:?} {after}");
            assert_eq!(alive(last).post(estimate.max(least), estimate, &DEFAULT, at(START + after)).err(), None);
            if after == 43_200 {
                continue;
            }
            let stays = vol(last).min(DEFAULT.cap).max(estimate);
            assert_eq!(alive(last).post(stays, estimate, &DEFAULT, at(START + after)).err(), None);
        }
    }
}

#[test]
fn a_forecast_is_at_once_for_init_and_a_line_for_maint() {
    let forecast = ramping();
    for (after, expected) in [(0, 800_000), (RAMP / 4, 850_000), (RAMP / 2, 900_000), (RAMP, 1_000_000)] {
        let now = at(START + after);
        assert_eq!(used(ESTIMATE, &forecast, &DEFAULT, now), Used { init: vol(1_000_000), maint: vol(expected) });
    }
    assert_eq!(maint(&forecast, START - 1_000), 800_000, "a clock that goes back");
}

#[test]
fn the_estimate_acts_on_both_at_once() {
    let both = Used { init: vol(1_500_000), maint: vol(1_500_000) };
    assert_eq!(used(vol(1_500_000), &ramping(), &DEFAULT, at(START)), both);
}

#[test]
fn an_expired_forecast_counts_for_nothing() {
    let forecast = ramping();
    let last = START + DEFAULT.expiry.raw();
    assert_eq!(used(ESTIMATE, &forecast, &DEFAULT, at(last - 1)).init, vol(1_000_000));
    assert_eq!(used(ESTIMATE, &forecast, &DEFAULT, at(last)), Used { init: ESTIMATE, maint: ESTIMATE });
    let next = post(forecast, 1_000_000, last);
    assert_eq!(maint(&next, last), 800_000, "the next one ramps from the estimate");
    assert_eq!(maint(&next, last + RAMP), 1_000_000);
}

/// Posting the same again and again changes nothing but the expiry.
#[test]
fn posting_again_neither_restarts_nor_skips_the_ramp() {
    let (first, mut again) = (ramping(), ramping());
    for second in 1..=RAMP + 10 {
        again = post(again, 1_000_000, START + second);
        let apart = maint(&first, START + second) - maint(&again, START + second);
        assert!(apart <= 1, "{second}: {apart}");
    }
    assert_eq!(maint(&again, START + RAMP), 1_000_000);
}

/// Posting a part per million more every second does not hold the ramp up: maint is never more than 2 % of the first rise
/// behind what the first post alone would have made of it.
#[test]
fn tiny_rises_do_not_hold_the_ramp_up() {
    let (first, mut creeping) = (ramping(), ramping());
    let mut worst = 0;
    for second in 1..=RAMP {
        creeping = post(creeping, 1_000_000 + second as u32, START + second);
        worst = worst.max(i64::from(maint(&first, START + second)) - i64::from(maint(&creeping, START + second)));
    }
    assert!((3_000..4_000).contains(&worst), "{worst}");
}

#[test]
fn a_fall_stops_the_ramp_where_it_is_or_lowers_its_end() {
    let half = START + RAMP / 2;
    let high = Forecast { expires_at: START + 1_000_000, ..ramping() };
    let slow = VolatilityParameters { fall_per_day: Ppm::from_raw(500_000), ..DEFAULT };
    let lower = high.post(vol(950_000), ESTIMATE, &slow, at(half)).expect("half a day's fall is 29 %");
    assert_eq!(
        (maint(&lower, half), maint(&lower, half + RAMP / 4), maint(&lower, half + RAMP / 2)),
        (900_000, 925_000, 950_000)
    );
    let below =
        Forecast { volatility: 850_000, ..high }.post(vol(850_000), ESTIMATE, &slow, at(half)).expect("no fall");
    assert_eq!(maint(&below, half + RAMP), 850_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any integers at all: no panic; the used volatilities are between floor and cap and in order.
    #[test]
    fn any_input_gives_an_answer(
        forecast in any_forecast(), wild in any_parameters(), valid in parameters(),
        estimate: u32, raw: u32, now in any_signed(),
    ) {
        let _ = forecast.limits(vol(estimate), &wild, at(now));
        let _ = forecast.post(vol(raw), vol(estimate), &wild, at(now));
        let any = used(vol(estimate), &forecast, &wild, at(now));
        prop_assert!(any.maint <= any.init && any.init <= wild.cap);
        let both = used(vol(estimate), &forecast, &valid, at(now));
        prop_assert!(valid.floor <= both.maint && both.maint <= both.init && both.init <= valid.cap);
        prop_assert!(valid.clamp(vol(estimate)) <= both.maint);
        if let Ok(posted) = forecast.post(vol(raw), vol(estimate), &valid, at(now)) {
            prop_assert!(posted.ramped <= u64::from(posted.volatility) << 32 && vol(posted.volatility) <= valid.cap);
            let after = used(vol(estimate), &posted, &valid, at(now));
            prop_assert!(after.maint <= both.maint.max(valid.clamp(vol(estimate))), "maint never rises by a post");
        }
    }

    /// More estimate or more forecast, never less used.
    #[test]
    fn used_is_monotone(
        forecast in any_forecast(), valid in parameters(), a: u32, b: u32, more in any_length(20), now in any_signed(),
    ) {
        let low = used(vol(a.min(b)), &forecast, &valid, at(now));
        let high = used(vol(a.max(b)), &forecast, &valid, at(now));
        prop_assert!(low.init <= high.init && low.maint <= high.maint);
        let raised = Forecast { volatility: forecast.volatility.saturating_add(more as u32), ..forecast };
        let raised = used(vol(a.min(b)), &raised, &valid, at(now));
        prop_assert!(low.init <= raised.init && low.maint <= raised.maint);
    }

    /// However many posts, each as far up as it may: never above the continuous limit from the start; as far down:
    /// never below it.
    #[test]
    fn many_posts_do_not_beat_the_limits(
        valid in parameters(), start in 0.0..1.0_f64, waits in proptest::collection::vec(0..4_000_i64, 1..60),
    ) {
        let floor = f64::from(valid.floor.raw());
        let start = (floor + start * (f64::from(valid.cap.raw()) - floor)) as u32;
        let mut rising = Forecast { expires_at: START + valid.expiry.raw(), ..alive(start) };
        let mut falling = rising;
        let mut now = START;
        for wait in waits {
            now += wait;
            if wait >= valid.expiry.raw() {
                break;
            }
            let (_, most) = rising.limits(valid.floor, &valid, at(now)).expect("valid");
            let (least, _) = falling.limits(valid.floor, &valid, at(now)).expect("valid");
            rising = rising.post(most, valid.floor, &valid, at(now)).expect("within");
            falling = falling.post(least, valid.floor, &valid, at(now)).expect("within");
            let hours = (now - START) as f64 / 3_600.0;
            let up = f64::from(start) * (1.0 + f64::from(valid.rise_per_hour.raw()) / 1e6).powf(hours);
            let down = f64::from(start) * (1.0 - f64::from(valid.fall_per_day.raw()) / 1e6).powf(hours / 24.0);
            prop_assert!(f64::from(most.raw()) <= up * (1.0 + 1e-12), "{:?} {}", most, up);
            prop_assert!(f64::from(least.raw()) >= down * (1.0 - 1e-12), "{:?} {}", least, down);
        }
    }

    /// However posts rise and fall: maint never rises faster than one forecast at the level now, posted when the run
    /// began, would make it; and it has arrived a whole ramp after the last rise.
    #[test]
    fn no_posts_make_maint_faster_than_one_ramp(
        posts in proptest::collection::vec((0.0..1.0_f64, 1..3_000_i64), 1..40),
    ) {
        let loose = VolatilityParameters {
            rise_per_hour: Ppm::from_raw(1_000_000), fall_per_day: Ppm::from_raw(500_000), ..DEFAULT
        };
        let mut forecast = Forecast::default();
        let mut now = START;
        let full = RAMP as f64;
        for (part, wait) in posts {
            let before = maint(&forecast, now);
            let (least, most) = forecast.limits(ESTIMATE, &loose, at(now)).expect("valid");
            let raw = least.raw() + (part * f64::from(most.raw() - least.raw())) as u32;
            forecast = forecast.post(vol(raw), ESTIMATE, &loose, at(now)).expect("within");
            let after = maint(&forecast, now);
            prop_assert!(after <= before, "a post itself never raises maint");
            let later = maint(&forecast, now + wait);
            let speed = (f64::from(raw) - 800_000.0) / full;
            let rise = f64::from(later - after);
            prop_assert!(rise <= speed * wait as f64 * (1.0 + 1e-6) + 1.0, "{} {}", rise, speed);
            prop_assert_eq!(maint(&forecast, now + RAMP), raw);
            now += wait;
        }
    }
}
