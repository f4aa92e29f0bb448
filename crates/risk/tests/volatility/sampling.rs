//! Who may choose the samples: known volatilities are recovered at any spacing, and no choice of when to call moves the
//! estimate far.
use super::*;

/// A caller's choice: given the prices so far, its last sample's index and this index, whether to call now, with which
/// print (an index not above this one).
type Choice = dyn Fn(&[u64], usize, usize) -> Option<usize>;

/// Seconds between two prints.
const STEP: i64 = 10;
const SIGMA: f64 = 0.8;
/// Prints in the shortest time between samples, and in the longest gap.
const SPACING: usize = 30;
const GAP: usize = 360;

/// The mean of the estimate's variance against the true one, over the last days of several walks.
fn mean_variance(parameters: &VolatilityParameters, walks: u64, days: i64, choice: &Choice) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u64);
    for seed in 0..walks {
        let path = walk(1_000 + seed, SIGMA, STEP, (days * 86_400 / STEP) as usize);
        let mut estimate = Estimate { price: path[0], ..settled(SIGMA) };
        let mut last = 0;
        for now in 1..path.len() {
            if let Some(print) = choice(&path, last, now)
                && observe(&mut estimate, parameters, path[print], START + STEP * print as i64)
            {
                last = print;
            }
            if now as i64 * STEP > 4 * 86_400 {
                sum += variance(estimate.variance);
                count += 1;
            }
        }
    }
    sum / count as f64 / (SIGMA * SIGMA)
}

fn distance(path: &[u64], from: usize, to: usize) -> f64 {
    (path[to] as f64 / path[from] as f64).ln().abs()
}

/// The standard deviation of the price over a number of prints.
fn deviation(prints: usize) -> f64 {
    SIGMA * ((prints as i64 * STEP) as f64 / YEAR).sqrt()
}

/// A walk of a known volatility, sampled every 10, 60 and 600 s: each estimate within its statistical error of it.
///
/// A return's square has a relative variance of 2, and the weights' sum of squares is `ln 2 dt / (2 half life)`, so
/// the estimate's relative deviation is `sqrt(ln 2 dt / half life)` of the variance, half of that of sigma.
#[test]
fn known_volatilities_are_recovered() {
    let parameters = VolatilityParameters {
        sample_spacing: Seconds::from_raw(10),
        floor: vol(10_000),
        cap: vol(5_000_000),
        ..DEFAULT
    };
    for (seed, truth) in [(1, 0.05), (2, 0.3), (3, 0.8), (4, 2.5)] {
        let path = walk(seed, truth, 10, 12 * 8_640);
        for dt in [10, 60, 600, 3_600] {
            let mut estimate = settled(truth);
            for (index, price) in path.iter().enumerate().step_by(dt as usize / 10) {
                observe(&mut estimate, &parameters, *price, START + 10 * (index as i64 + 1));
            }
            let error = 0.5 * (2.0_f64.ln() * dt as f64 / DEFAULT.half_life.raw() as f64).sqrt();
            let off = sigma(&estimate) / truth - 1.0;
            assert!(off.abs() < 4.0 * error + 1e-4, "{truth} {dt}: {off} against {error}");
        }
    }
}

/// Without looking ahead, nobody who chooses when to call moves the mean: the square of a martingale's move is its
/// variance over any stopping time. What is left is the weight of long gaps, 0.7 %, jumps that come back, and chance.
#[test]
fn no_choice_without_hindsight_moves_the_mean() {
    check_choices(4, 0.12);
}

/// As above, over 64 walks: to 4 %. About a minute.
#[test]
#[ignore = "long: make test-long"]
fn no_choice_without_hindsight_moves_the_mean_long() {
    check_choices(64, 0.04);
}

fn check_choices(walks: u64, bound: f64) {
    let choices: [(&str, Box<Choice>); 5] = [
        ("every spacing", Box::new(|_, last, now| (now >= last + SPACING).then_some(now))),
        ("every hour", Box::new(|_, last, now| (now >= last + GAP).then_some(now))),
        (
            "when the price is back, or after an hour",
            Box::new(|path, last, now| {
                let back = distance(path, last, now) < 0.1 * deviation(SPACING);
                ((now >= last + SPACING && back) || now >= last + GAP).then_some(now)
            }),
        ),
        (
            "when the price is far, or after an hour",
            Box::new(|path, last, now| {
                let far = distance(path, last, now) > 2.0 * deviation(SPACING);
                ((now >= last + SPACING && far) || now >= last + GAP).then_some(now)
            }),
        ),
        (
            "at every jump at once",
            Box::new(|path, last, now| {
                let far = distance(path, last, now) > 3.0 * deviation(SPACING);
                (now >= last + SPACING || far).then_some(now)
            }),
        ),
    ];
    for (name, choice) in choices {
        let mean = mean_variance(&DEFAULT, walks, 16, choice.as_ref());
        println!("{name}: {mean:.3}");
        assert!((mean - 1.0).abs() < bound, "{name}: {mean}");
    }
}

/// With hindsight: who holds the prints of the last minute and is alone in calling picks the nearest or the farthest.
#[test]
fn a_minutes_hindsight_moves_the_estimate_little() {
    const HINDSIGHT: usize = 6;
    let pick = |far: bool| {
        move |path: &[u64], last: usize, now: usize| {
            let order = |a: &usize, b: &usize| distance(path, last, *a).total_cmp(&distance(path, last, *b));
            let window = now.saturating_sub(HINDSIGHT)..=now;
            if now < last + SPACING + HINDSIGHT {
                return None;
            }
            if far { window.max_by(order) } else { window.min_by(order) }
        }
    };
    let low = mean_variance(&DEFAULT, 4, 16, &pick(false)).sqrt();
    let high = mean_variance(&DEFAULT, 4, 16, &pick(true)).sqrt();
    println!("a minute's hindsight: sigma times {low:.3} to {high:.3}");
    assert!(low > 0.75 && high < 1.25, "{low} {high}");
}

/// Nobody's calling oftener changes what another's regular calls make of a path by more than the estimate's own
/// uncertainty: a hostile caller beside a regular one.
#[test]
fn a_hostile_caller_beside_a_regular_one_moves_little() {
    // The regular one calls at every 35th print; the hostile one whenever the price is at the reference.
    let hostile = |path: &[u64], last: usize, now: usize| {
        let back = now >= last + SPACING && distance(path, last, now) < 0.1 * deviation(SPACING);
        (back || now.is_multiple_of(35)).then_some(now)
    };
    let mean = mean_variance(&DEFAULT, 4, 16, &hostile);
    println!("a hostile caller beside a regular one: {mean:.3}");
    assert!((0.88..1.12).contains(&mean), "{mean}");
}
