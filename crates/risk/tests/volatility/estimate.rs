//! The estimate: against the model, absurd prints, crashes, and any input.
use super::*;

/// The price factor of a number of standard deviations over `dt`.
fn deviations(count: f64, volatility: f64, dt: i64) -> f64 {
    (count * volatility * (dt as f64 / YEAR).sqrt()).exp()
}

#[test]
fn first_observation_starts_at_the_initial_volatility() {
    let mut estimate = Estimate::default();
    assert!(observe(&mut estimate, &DEFAULT, SPOT, START));
    assert_eq!(estimate.volatility(), DEFAULT.initial);
    assert_eq!((estimate.price, estimate.publish_time, estimate.samples), (SPOT, START, 0));
}

#[test]
fn one_return_by_hand() {
    // 2 % in an hour is 185.3 % a year; an hour is 1.434 % of the weight at a half life of two days.
    let mut estimate = settled(0.8);
    assert!(observe(&mut estimate, &DEFAULT, spot(1.02), START + 3_600));
    let rate = 1.02_f64.ln().powi(2) * 8_760.0;
    let expected = 0.64 + alpha(&DEFAULT, 3_600) * (rate - 0.64);
    assert!((variance(estimate.variance) / expected - 1.0).abs() < 1e-6);
    assert_eq!(estimate.volatility(), vol(824_666));
}

#[test]
fn only_a_newer_publish_time_counts() {
    let mut estimate = settled(0.8);
    let before = estimate;
    for time in [START, START - 1, START - 1_000_000, i64::MIN] {
        assert!(!observe(&mut estimate, &DEFAULT, spot(0.5), time));
        assert_eq!(estimate, before);
    }
    assert!(observe(&mut estimate, &DEFAULT, spot(0.5), START + 300));
    let pending = estimate;
    for time in [START + 300, START + 1, START] {
        assert!(!observe(&mut estimate, &DEFAULT, spot(0.5), time), "the jump's own print does not confirm it");
        assert_eq!(estimate, pending);
    }
}

#[test]
fn near_samples_are_skipped() {
    let mut estimate = settled(0.8);
    let before = estimate;
    for second in 1..300 {
        assert!(!observe(&mut estimate, &DEFAULT, spot(1.001), START + second));
        assert_eq!(estimate, before);
    }
    assert!(observe(&mut estimate, &DEFAULT, spot(1.001), START + 300));
}

#[test]
fn prices_below_the_domain_are_refused() {
    let mut estimate = settled(0.8);
    let before = estimate;
    for raw in [0, 1, Price::MIN_SPOT.raw() - 1] {
        assert_eq!(estimate.update(&DEFAULT, Price::from_raw(raw), at(START + 300)), Err(Error::PriceOutOfRange));
        assert_eq!(estimate, before);
    }
}

/// One absurd print then back: while it is pending, sigma rises by the clamped effect at most, sqrt(1 + alpha (c^2 -
/// 1)); after the next print it is as if it had never been. With the defaults: 1.5 % after 5 minutes, 16 % after an
/// hour.
#[test]
fn one_absurd_print_cannot_set_it() {
    for factor in [0.01, 0.5, 2.0, 100.0] {
        for (dt, bound) in [(1, 0.0145), (300, 0.0145), (900, 0.043), (3_600, 0.160), (86_400, 0.160)] {
            let (mut estimate, mut without) = (settled(0.8), settled(0.8));
            assert!(observe(&mut estimate, &DEFAULT, spot(factor), START + dt));
            let effect = sigma(&estimate) / 0.8 - 1.0;
            let exact = (1.0 + alpha(&DEFAULT, dt.clamp(300, 3_600)) * 24.0).sqrt() - 1.0;
            assert!((effect - exact).abs() < 3e-6 && effect < bound, "{factor} {dt}: {effect} {exact}");
            assert_eq!(
                used(estimate.volatility(), &Forecast::default(), &DEFAULT, at(START)).init,
                estimate.volatility()
            );
            assert!(observe(&mut estimate, &DEFAULT, spot(1.001), START + dt + 300));
            assert!(observe(&mut without, &DEFAULT, spot(1.001), START + dt + 300));
            assert_eq!(estimate, without, "{factor} {dt}");
        }
    }
}

/// Absurd prints that disagree, with right ones in between or without, leave nothing either.
#[test]
fn several_absurd_prints_that_do_not_agree_leave_nothing() {
    let (mut estimate, mut without) = (settled(0.8), settled(0.8));
    for (index, factor) in [0.01, 1.0, 100.0, 0.02, 30.0, 1.0, 0.01, 0.2, 1.0].into_iter().enumerate() {
        observe(&mut estimate, &DEFAULT, spot(factor), START + 20 * (index as i64 + 1));
        assert!(sigma(&estimate) <= 0.8 * 1.0145, "{factor}");
    }
    observe(&mut estimate, &DEFAULT, spot(1.002), START + 300);
    observe(&mut without, &DEFAULT, spot(1.002), START + 300);
    assert_eq!(estimate, without);
}

/// Two prints of one wrong price, ten seconds apart, are believed: the estimate is then at the cap, not beyond.
#[test]
fn an_absurd_price_that_stays_is_believed_up_to_the_cap() {
    let mut estimate = settled(0.8);
    observe(&mut estimate, &DEFAULT, spot(0.01), START + 300);
    assert!(!observe(&mut estimate, &DEFAULT, spot(0.01), START + 309), "too early to confirm");
    assert!(observe(&mut estimate, &DEFAULT, spot(0.01), START + 310));
    assert_eq!(estimate.volatility(), DEFAULT.cap);
    assert_eq!((estimate.price, estimate.pending_price), (spot(0.01), 0));
}

/// An absurd first print: the move to the right price does not count as a whole.
#[test]
fn an_absurd_first_print_sets_nothing() {
    let mut estimate = Estimate::default();
    observe(&mut estimate, &DEFAULT, spot(0.01), START);
    observe(&mut estimate, &DEFAULT, spot(1.0), START + 300);
    observe(&mut estimate, &DEFAULT, spot(1.0), START + 600);
    assert!((1.0..1.015).contains(&sigma(&estimate)), "{}", sigma(&estimate));
    assert_eq!(estimate.price, spot(1.0));
}

/// A crash that stays is in the estimate with the next print: by its whole square, wherever in the spacing it falls.
#[test]
fn a_real_crash_is_followed_with_the_next_print() {
    for dt in [1, 60, 300, 3_600] {
        let mut estimate = settled(0.8);
        observe(&mut estimate, &DEFAULT, spot(0.8), START + dt);
        assert!(sigma(&estimate) < 0.8 * 1.17);
        observe(&mut estimate, &DEFAULT, spot(0.81), START + dt + 10);
        let gap = dt.clamp(300, 3_600);
        let rate = 0.8_f64.ln().powi(2) / (gap as f64 / YEAR);
        let expected = 0.64 + alpha(&DEFAULT, gap) * (rate - 0.64);
        assert!((variance(estimate.variance) / expected - 1.0).abs() < 1e-5, "{dt}");
        assert!(sigma(&estimate) > 2.5, "{}", sigma(&estimate));
    }
}

/// Half of the jump, in logarithms, is the border: at it the jump stands, one unit of price nearer it falls.
#[test]
fn half_of_the_jump_confirms_it() {
    for (jumped, border, way_back) in [(SPOT / 4, SPOT / 2, 1_i64), (SPOT * 4, SPOT * 2, -1)] {
        let mut jump = settled(0.8);
        observe(&mut jump, &DEFAULT, jumped, START + 300);
        let mut confirmed = jump;
        observe(&mut confirmed, &DEFAULT, border, START + 310);
        assert_eq!(confirmed.price, jumped);
        let mut discarded = jump;
        observe(&mut discarded, &DEFAULT, border.saturating_add_signed(way_back), START + 310);
        assert_eq!(
            (discarded.price, discarded.variance_before),
            (SPOT, settled(0.8).variance),
            "a new jump from the old price"
        );
    }
}

/// A crash of many prints counts in full but for the last print's step, which waits for the next one.
#[test]
fn a_crash_over_many_prints_counts_in_full() {
    let mut estimate = settled(0.8);
    let step = 0.97_f64;
    for print in 1..=20 {
        observe(&mut estimate, &DEFAULT, spot(step.powi(print)), START + 15 * i64::from(print));
    }
    let k = 2.0_f64.ln() * YEAR / DEFAULT.half_life.raw() as f64;
    let realised = 0.64 + k * 19.0 * step.ln().powi(2);
    assert!(variance(estimate.variance) > 0.95 * realised, "{} {realised}", variance(estimate.variance));
    assert!(sigma(&estimate) < 4.0);
}

/// A staircase just under the limit is volatility: every step multiplies the variance by 1 + alpha (c^2 - 1).
#[test]
fn a_staircase_just_under_the_limit_is_counted() {
    let mut estimate = settled(0.8);
    let (mut price, mut time) = (1.0, START);
    for step in 1..=10 {
        price /= deviations(4.999, sigma(&estimate), 300);
        time += 300;
        observe(&mut estimate, &DEFAULT, spot(price), time);
        assert_eq!(estimate.pending_price, 0, "{step}");
        let expected = 0.8 * (1.0 + alpha(&DEFAULT, 300) * 24.0).powf(f64::from(step) / 2.0);
        assert!((sigma(&estimate) / expected - 1.0).abs() < 1e-3, "{step}");
    }
}

/// A slow grind is drift, not volatility: 1 % an hour counts for what its steps realise, the more the longer they are.
#[test]
fn a_slow_grind_counts_as_its_steps() {
    for (dt, expected) in [(300, 0.27), (3_600, 0.936)] {
        let mut estimate = settled(expected);
        for step in 1..=(20 * 86_400 / dt) {
            observe(&mut estimate, &DEFAULT, spot((-0.01 * (step * dt) as f64 / 3_600.0).exp()), START + step * dt);
        }
        assert!((sigma(&estimate) / expected - 1.0).abs() < 0.01, "{dt}: {}", sigma(&estimate));
    }
}

/// A gap longer than the longest counts as that: the move as a whole, the forgetting for an hour only.
#[test]
fn a_long_gap_counts_its_move_but_forgets_little() {
    let mut estimate = settled(0.8);
    observe(&mut estimate, &DEFAULT, spot(1.01), START + 7 * 86_400);
    let rate = 1.01_f64.ln().powi(2) * 8_760.0;
    let expected = 0.64 + alpha(&DEFAULT, 3_600) * (rate - 0.64);
    assert!((variance(estimate.variance) / expected - 1.0).abs() < 1e-6);
}

/// From one end of the price domain to the other, and of time.
#[test]
fn ends_of_the_domains() {
    let mut estimate = Estimate::default();
    let ends = [Price::MIN_SPOT.raw(), u64::MAX];
    for (index, time) in [i64::MIN, -1, 0, 1, 1_000, i64::MAX - 1, i64::MAX].into_iter().enumerate() {
        assert!(observe(&mut estimate, &DEFAULT, ends[index % 2], time), "{time}");
        assert!(estimate.volatility() <= DEFAULT.cap);
    }
    assert!(!observe(&mut estimate, &DEFAULT, SPOT, i64::MAX));
}

/// The state after many steps in which the variance decays to nothing is still in order.
#[test]
fn a_price_that_never_moves_decays_to_nothing() {
    let mut estimate = settled(4.0);
    for step in 1..=5_000 {
        observe(&mut estimate, &DEFAULT, SPOT, START + 3_600 * step);
    }
    assert_eq!(estimate.volatility(), vol(1));
    assert_eq!(used(estimate.volatility(), &Forecast::default(), &DEFAULT, at(START)).maint, DEFAULT.floor);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Against the model, over random prints of every size and spacing: within 1e-6 of the variance (5e-7 of sigma).
    #[test]
    fn estimate_is_the_models(
        parameters in parameters(),
        prints in proptest::collection::vec((-1.0..1.0_f64, 0..4_u8, 0..5_000_i64), 1..40),
    ) {
        let mut estimate = Estimate::default();
        let mut model = Model::new(parameters, SPOT, START);
        observe(&mut estimate, &parameters, SPOT, START);
        let (mut logarithm, mut time) = (0.0, START);
        for (size, shape, dt) in prints {
            time += dt - 50;
            let price = match shape {
                0 => spot((logarithm + 3.0 * size).exp()),
                1 => spot((logarithm + 0.3 * size).exp()),
                _ => { logarithm += 0.02 * size; spot(logarithm.exp()) }
            };
            observe(&mut estimate, &parameters, price, time);
            model.observe(price, time);
            if model.close {
                break;
            }
            let off = variance(estimate.variance) - model.variance;
            prop_assert!(off.abs() <= 1e-6 * model.variance + 1e-15, "{} {}", off, model.variance);
            prop_assert_eq!(estimate.pending_price != 0, model.pending.is_some());
            prop_assert_eq!(estimate.publish_time, model.time);
        }
    }

    /// Any integers at all in, something or an error out; a state in order stays within the cap.
    #[test]
    fn any_input_gives_an_answer(
        estimate in any_estimate(),
        parameters in any_parameters(),
        valid in parameters(),
        prints in proptest::collection::vec((any_length(64), any_signed()), 1..8),
    ) {
        let (mut wild, mut tame) = (estimate, Estimate::default());
        for (price, time) in prints {
            let expected = if price < Price::MIN_SPOT.raw() { Some(Error::PriceOutOfRange) } else { None };
            let before = wild;
            let changed = wild.update(&parameters, Price::from_raw(price), at(time));
            prop_assert_eq!(changed.err(), expected);
            prop_assert_eq!(changed == Ok(true), before != wild);
            let tamed = tame.update(&valid, Price::from_raw(price), at(time));
            prop_assert_eq!(tamed.err(), expected);
            prop_assert!(tame.volatility() <= valid.cap);
            let _ = (wild.volatility(), range(wild.volatility(), &parameters));
        }
    }

    /// A larger move never gives a lower estimate, whether it is a jump or not.
    #[test]
    fn estimate_is_monotone_in_the_move(
        parameters in parameters(), a in 0.0..2.0_f64, b in 0.0..2.0_f64, down: bool, dt in 1..10_000_i64,
        v in 0.0..1.0_f64,
    ) {
        let volatility = v * f64::from(parameters.cap.raw()) / 1e6;
        let after = |size: f64| {
            let mut estimate = settled(volatility);
            let size = size.powi(4);
            let dt = dt.max(parameters.sample_spacing.raw());
            observe(&mut estimate, &parameters, spot(if down { -size } else { size }.exp()), START + dt);
            estimate.variance
        };
        prop_assert!(after(a.min(b)) <= after(a.max(b)));
    }

    /// Prices in another scale give the same estimate, to 1e-6.
    #[test]
    fn estimate_is_free_of_the_prices_scale(
        seed: u64, scale in 0.0001..100.0_f64, jumps in proptest::collection::vec(-0.5..0.5_f64, 3),
    ) {
        let (mut one, mut other) = (Estimate::default(), Estimate::default());
        let mut path = walk(seed, 0.8, 400, 60);
        for (index, jump) in jumps.into_iter().enumerate() {
            path[10 + 15 * index] = (path[10 + 15 * index] as f64 * f64::exp(jump)) as u64;
        }
        for (index, price) in path.into_iter().enumerate() {
            let time = START + 400 * index as i64;
            observe(&mut one, &DEFAULT, price, time);
            observe(&mut other, &DEFAULT, (price as f64 * scale) as u64, time);
            prop_assert!((sigma(&one) / sigma(&other) - 1.0).abs() < 2e-6);
        }
    }
}
