//! Parameters, the range and the formats.
use super::*;

#[test]
fn defaults_are_valid() {
    assert_eq!(DEFAULT.validate(), Ok(()));
    assert_eq!(VolatilityParameters::default(), DEFAULT);
}

#[test]
fn each_bad_parameter_has_its_error() {
    let d = DEFAULT;
    let (ratio, time) = (Ppm::from_raw, Seconds::from_raw);
    let cases = [
        (VolatilityParameters { floor: vol(9_999), ..d }, Error::VolatilityBoundsInvalid),
        (VolatilityParameters { floor: vol(1_000_001), ..d }, Error::VolatilityBoundsInvalid),
        (VolatilityParameters { cap: vol(999_999), ..d }, Error::VolatilityBoundsInvalid),
        (VolatilityParameters { cap: vol(5_000_001), ..d }, Error::VolatilityBoundsInvalid),
        (VolatilityParameters { half_life: time(599), ..d }, Error::HalfLifeInvalid),
        (VolatilityParameters { half_life: time(7_776_001), ..d }, Error::HalfLifeInvalid),
        (VolatilityParameters { half_life: time(-1), ..d }, Error::HalfLifeInvalid),
        (VolatilityParameters { jump_limit: ratio(1_999_999), ..d }, Error::JumpLimitInvalid),
        (VolatilityParameters { jump_limit: ratio(20_000_001), ..d }, Error::JumpLimitInvalid),
        (VolatilityParameters { sample_spacing: time(0), confirmation: time(0), ..d }, Error::SamplingInvalid),
        (VolatilityParameters { sample_spacing: time(3_601), ..d }, Error::SamplingInvalid),
        (VolatilityParameters { longest_gap: time(172_801), ..d }, Error::SamplingInvalid),
        (VolatilityParameters { confirmation: time(-1), ..d }, Error::SamplingInvalid),
        (VolatilityParameters { confirmation: time(301), ..d }, Error::SamplingInvalid),
        (VolatilityParameters { confidence_level: ratio(999_999), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { confidence_level: ratio(10_000_001), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { margin_period: time(59), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { margin_period: time(604_801), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { range_min: ratio(0), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { range_min: ratio(800_001), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { range_max: ratio(1_000_001), ..d }, Error::RangeParametersInvalid),
        (VolatilityParameters { rise_per_hour: ratio(0), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { rise_per_hour: ratio(1_000_001), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { fall_per_day: ratio(0), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { fall_per_day: ratio(500_001), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { expiry: time(599), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { expiry: time(604_801), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { ramp: time(599), ..d }, Error::ForecastParametersInvalid),
        (VolatilityParameters { ramp: time(604_801), ..d }, Error::ForecastParametersInvalid),
    ];
    for (parameters, error) in cases {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
}

#[test]
fn range_by_hand() {
    // 3.5 * 80 % * sqrt(8 / 8760) = 8.4615 %.
    assert_eq!(range(vol(800_000), &DEFAULT), Ppm::from_raw(84_616));
    assert_eq!(range(vol(0), &DEFAULT), DEFAULT.range_min);
    let long = VolatilityParameters { margin_period: Seconds::from_raw(604_800), ..DEFAULT };
    assert_eq!(range(vol(5_000_000), &long), DEFAULT.range_max);
    assert_eq!(range(Volatility::MAX, &DEFAULT), range(vol(5_000_000), &DEFAULT), "no volatility is above the largest");
}

/// A market's volatility read from its estimate is what was put in: the formats lose nothing.
#[test]
fn initial_volatility_is_read_back() {
    for raw in (10_000..=5_000_000).step_by(997) {
        let parameters = VolatilityParameters { floor: vol(10_000), initial: vol(raw), cap: vol(5_000_000), ..DEFAULT };
        let mut estimate = Estimate::default();
        assert!(observe(&mut estimate, &parameters, SPOT, START));
        assert_eq!(estimate.volatility(), vol(raw));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// The range is `z sigma sqrt(m / year)`, rounded up: never below the real number, above it by 1e-6 and 1e-9 at
    /// most.
    #[test]
    fn range_is_the_formula_rounded_up(parameters in parameters(), raw in 0..=5_000_000_u32) {
        let z = f64::from(parameters.confidence_level.raw()) / 1e6;
        let real = z * f64::from(raw) * (parameters.margin_period.raw() as f64 / YEAR).sqrt();
        let open = VolatilityParameters { range_min: Ppm::from_raw(0), range_max: Ppm::MAX, ..parameters };
        let got = f64::from(range(vol(raw), &open).raw());
        prop_assert!(got >= real * (1.0 - 1e-12) && got <= real * (1.0 + 1e-9) + 1.0, "{} {}", got, real);
        let clamped = range(vol(raw), &parameters);
        prop_assert!(clamped >= parameters.range_min && clamped <= parameters.range_max);
    }

    /// The range never falls as volatility, level or margin period rises.
    #[test]
    fn range_is_monotone(parameters in parameters(), a in any_length(32), b in any_length(32), more in any_length(22)) {
        let (low, high) = (vol(a.min(b) as u32), vol(a.max(b) as u32));
        prop_assert!(range(low, &parameters) <= range(high, &parameters));
        let wider = VolatilityParameters {
            confidence_level: Ppm::from_raw(parameters.confidence_level.raw() + more as u32),
            margin_period: Seconds::from_raw(parameters.margin_period.raw() + more as i64),
            ..parameters
        };
        prop_assert!(range(low, &parameters) <= range(low, &wider));
    }
}
