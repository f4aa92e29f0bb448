//! The stress scenarios, and linear exposures in them.
mod common;

use common::{floor, int, ratio};
use plimsoll_risk::Error;
use plimsoll_risk::grid::{GRID, Scenario, VolatilityMove, linear_pnl};
use plimsoll_risk::units::{Ppm, Quote};
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
