//! The stress scenarios, and linear exposures in them.
mod common;

use common::{floor, int, ratio};
use num_bigint::BigInt;
use plimsoll_risk::Error;
use plimsoll_risk::grid::{
    GRID, Scenario, VolatilityMove, linear_pnl, volatility_down, volatility_shock, volatility_up,
};
use plimsoll_risk::units::{Ppm, Quote, Seconds, Volatility};
use proptest::prelude::*;

const THIRD: Ppm = Ppm::from_raw(333_333);

fn pnl(shock: i64, damping: Ppm) -> [i64; 16] {
    linear_pnl(Quote::from_raw(shock), damping).expect("within the domain").map(Quote::raw)
}

#[test]
fn grid_of_ten() {
    let up = [-10, -7, -4, 0, 3, 6, 10];
    let down = [10, 6, 3, 0, -4, -7, -10];
    let half = Ppm::from_raw(150_000);
    assert_eq!(pnl(10, half), [up.as_slice(), &up, &[-5, 4]].concat()[..]);
    assert_eq!(pnl(-10, half), [down.as_slice(), &down, &[4, -5]].concat()[..]);
    assert_eq!(pnl(10, THIRD)[14..], [-10, 9], "never beyond the range");
    assert_eq!(pnl(10, Ppm::ZERO)[14..], [0, 0]);
    assert_eq!(pnl(i64::MAX, THIRD)[6], i64::MAX);
}

#[test]
fn each_bad_input_has_its_error() {
    assert_eq!(linear_pnl(Quote::MIN, THIRD), Err(Error::Overflow));
    assert_eq!(linear_pnl(Quote::ZERO, Ppm::from_raw(333_334)), Err(Error::ExtremeDampingInvalid));
}

#[test]
fn scenarios_are_those_of_span() {
    for (number, scenario) in GRID.iter().enumerate() {
        let volatility = if (7..14).contains(&number) { VolatilityMove::Down } else { VolatilityMove::Up };
        let thirds = [-3, -2, -1, 0, 1, 2, 3, -3, -2, -1, 0, 1, 2, 3, -9, 9][number];
        assert_eq!(*scenario, Scenario { thirds, volatility, extreme: number >= 14 }, "scenario {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every scenario is the floor of the exact number.
    #[test]
    fn linear_pnl_is_exact(noise in any::<i64>(), shift in 0..64_u32, damping in 0..=333_333_u32) {
        let shock = (noise >> shift).max(-i64::MAX);
        let found = pnl(shock, Ppm::from_raw(damping));
        for (scenario, found) in GRID.iter().zip(found) {
            let damped = if scenario.extreme { ratio(damping, 1_000_000) } else { int(1) };
            prop_assert_eq!(floor(&(int(shock) * ratio(scenario.thirds, 3) * damped)), found.into());
        }
    }

    /// No scenario takes a linear exposure beyond its range, and the worst is at an end of it.
    #[test]
    fn no_move_is_beyond_the_range(noise in any::<i64>(), shift in 0..64_u32, damping in 0..=333_333_u32) {
        let shock = (noise >> shift).max(-i64::MAX);
        let found = pnl(shock, Ppm::from_raw(damping));
        prop_assert_eq!(found.iter().min(), Some(&-shock.abs()));
        prop_assert_eq!(found.iter().max(), Some(&shock.abs()));
    }
}

const DAY: i64 = 86_400;
/// 45 % at 30 days, powers 0.3 and 0.13.
const UP: (u32, u32, u32) = (450_000, 300_000, 130_000);

fn shock((base, short, long): (u32, u32, u32), seconds: i64) -> u32 {
    let [base, short, long] = [base, short, long].map(Ppm::from_raw);
    volatility_shock(base, short, long, Seconds::from_raw(seconds)).expect("within the domain").raw()
}

/// The formula in floats.
fn float_shock((base, short, long): (u32, u32, u32), seconds: i64) -> f64 {
    let minutes = (seconds / 60).clamp(1_440, 1_051_200) as f64;
    let power = f64::from(if minutes < 43_200.0 { short } else { long }) / 1e6;
    f64::from(base) * (43_200.0 / minutes).powf(power)
}

#[test]
fn volatility_shock_by_hand() {
    assert_eq!(shock(UP, 30 * DAY), 450_000);
    // 45 % * 30^0.3 = 1.2483861..., 45 % * (30 / 365)^0.13 = 0.3251921...
    assert_eq!(shock(UP, DAY), float_shock(UP, DAY).ceil() as u32);
    assert_eq!((shock(UP, DAY), shock(UP, 365 * DAY)), (1_248_387, 325_193));
    assert_eq!(shock(UP, 1), shock(UP, DAY), "a day at least");
    assert_eq!(shock(UP, i64::MIN), shock(UP, DAY));
    assert_eq!(shock(UP, i64::MAX), shock(UP, 730 * DAY));
    assert_eq!(shock((450_000, 0, 0), DAY), 450_000, "flat");
    assert_eq!(shock((0, 300_000, 130_000), DAY), 0);
}

#[test]
fn volatilities_shocked() {
    let volatility = Volatility::from_raw;
    let percent = |percent: u32| Ppm::from_raw(percent * 10_000);
    let cases = [(800_000, 45, 1_160_000, 440_000), (800_000, 1_000, 5_000_000, 10_000), (10_001, 99, 19_902, 10_000)];
    for (sigma, shock, up, down) in cases {
        assert_eq!(volatility_up(volatility(sigma), percent(shock)), volatility(up));
        assert_eq!(volatility_down(volatility(sigma), percent(shock)), volatility(down));
    }
    assert_eq!(volatility_up(Volatility::MAX, Ppm::MAX), volatility(5_000_000));
    assert_eq!(volatility_down(Volatility::MAX, Ppm::ZERO), volatility(5_000_000));
    assert_eq!(volatility_up(Volatility::ZERO, Ppm::ZERO), volatility(10_000));
}

#[test]
fn each_bad_shock_has_its_error() {
    let (one, above) = (Ppm::ONE, Ppm::from_raw(1_000_001));
    let at = |base, short, long| volatility_shock(base, short, long, Seconds::from_raw(DAY));
    assert_eq!(at(one, above, one), Err(Error::VolatilityShockInvalid));
    assert_eq!(at(one, one, above), Err(Error::VolatilityShockInvalid));
    assert_eq!(at(Ppm::MAX, one, one), Err(Error::VolatilityShockInvalid), "thirty times that does not fit");
    assert_eq!(at(one, one, one), Ok(Ppm::from_raw(30_000_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The shock is the formula, rounded up, and never rises with time.
    #[test]
    fn volatility_shock_is_the_formula(
        base in 0..=4_000_000_u32, short in 1_000..=1_000_000_u32, long in 1_000..=1_000_000_u32,
        seconds in 0..=800 * DAY, later in 0..=100_000_i64, minute in any::<bool>(),
    ) {
        let parameters = (base, short, long);
        let found = shock(parameters, seconds);
        let above = f64::from(found) - float_shock(parameters, seconds);
        prop_assert!((-0.02..=1.02).contains(&above), "{above}");
        let later = if minute { 60 } else { later };
        prop_assert!(shock(parameters, seconds + later) <= found);
    }

    /// Up is the ceiling, down the floor, each within the domain.
    #[test]
    fn shocked_volatilities_are_exact(sigma in any::<u32>(), shock in any::<u32>()) {
        let (sigma, shock) = (Volatility::from_raw(sigma), Ppm::from_raw(shock));
        let exact = |factor| int(sigma.raw()) * factor;
        let ratio = common::ppm(shock);
        let clamp = |found: BigInt| found.clamp(10_000.into(), 5_000_000.into());
        let up = common::ceil(&exact(int(1) + &ratio));
        let down = floor(&exact(int(1) - ratio));
        prop_assert_eq!(clamp(up), volatility_up(sigma, shock).raw().into());
        prop_assert_eq!(clamp(down), volatility_down(sigma, shock).raw().into());
    }
}

#[test]
#[ignore = "long: make test-long"]
fn volatility_shock_never_rises_over_two_years() {
    for powers in [(300_000, 130_000), (1_000_000, 1_000), (1_000, 1_000_000), (0, 0)] {
        let mut last = u32::MAX;
        for minute in 0..=1_052_000 {
            let now = shock((4_000_000, powers.0, powers.1), minute * 60);
            assert!(now <= last, "minute {minute}");
            last = now;
        }
    }
}
