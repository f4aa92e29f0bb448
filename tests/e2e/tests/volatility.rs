//! `post_forecast`, and the shock ranges that follow the observed prices.
//!
//! With the default parameters a volatility of 100 % makes a range of 3.5 sqrt(8 h / 365 d) = 10.57697 %.

use plimsoll_client::{event::Event, instruction::market};
use plimsoll_e2e_tests::{
    Asset, E, World,
    raw::Price,
    world::{PRICE_USD, Places, SOL, USD},
};
use plimsoll_interface::{
    accounts::{Exchange, VolatilityEstimate},
    config::VolatilityConfig,
    event::ForecastPosted,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Range of a volatility of 100 %, rounded up to a ppm.
const RANGE: u32 = 105_770;
/// The sample spacing of the defaults, seconds.
const SPACING: i64 = 300;
const HOUR: i64 = 3_600;

/// SOL's range follows its price; the first sample, at 125 USD, is taken.
fn measured() -> (World, Places) {
    let (mut w, p) = World::new();
    w.configure_market(&p.sol, |config| config.volatility = VolatilityConfig::DEFAULT);
    w.observe(&p.sol);
    (w, p)
}

fn estimate(w: &World, p: &Places) -> VolatilityEstimate {
    w.market(&p.sol).estimate
}

/// Both ranges, ppm.
fn ranges(w: &World, p: &Places) -> (u32, u32) {
    let market = w.market(&p.sol);
    (market.range_ppm, market.range_maint_ppm)
}

/// A price published and observed now, in hundredths of a dollar.
fn print_cents(w: &mut World, asset: &Asset, cents: i64) {
    let price = PRICE_USD / 100 * cents;
    let published = Price { price, ema: price, ..w.price(0) };
    w.publish(asset, published);
    w.observe(asset);
}

/// The volatility that the estimate says, as a number.
fn sigma(w: &World, p: &Places) -> f64 {
    f64::from(w.market(&p.sol).estimated_volatility().raw()) / 1e6
}

#[test]
fn a_market_begins_at_its_initial_volatility() {
    let (mut w, p) = World::new();
    w.configure_market(&p.sol, |config| config.volatility = VolatilityConfig::DEFAULT);
    assert_eq!(ranges(&w, &p), (RANGE, RANGE));
    assert_eq!(estimate(&w, &p).price, 0, "and has no sample yet");
    w.observe(&p.sol);
    assert_eq!(ranges(&w, &p), (RANGE, RANGE));
    let market = w.market(&p.sol);
    assert_eq!((market.estimate.price, market.estimate.publish_time), (market.spot, market.publish_time));
    assert_eq!((market.estimate.samples, sigma(&w, &p)), (0, 1.0));
}

/// Two days of the same price are a half life: half of the variance is left, so 1/sqrt 2 of the volatility.
#[test]
fn calm_prices_narrow_the_range() {
    let (mut w, p) = measured();
    for _ in 0..48 {
        w.pass(HOUR);
        w.set_price(&p.sol, 125);
    }
    let expected = 0.1057697 / 2f64.sqrt() * 1e6;
    let (init, maint) = ranges(&w, &p);
    assert!((f64::from(init) - expected).abs() < 5.0, "{init} of {expected}");
    assert_eq!(init, maint, "without a forecast both are the same");
    for _ in 0..480 {
        w.pass(HOUR);
        w.set_price(&p.sol, 125);
    }
    assert_eq!(ranges(&w, &p), (42_308, 42_308), "the floor of 40 %");
}

#[test]
fn moves_widen_the_range() {
    let (mut w, p) = measured();
    for index in 0..48 {
        w.pass(HOUR);
        w.set_price(&p.sol, if index % 2 == 0 { 129 } else { 125 });
    }
    // 3.15 % an hour is 295 % a year; half of the way from 100 % in variance.
    let realised = (129f64 / 125.0).ln() * (365f64 * 24.0).sqrt();
    let expected = ((1.0 + realised * realised) / 2.0).sqrt();
    assert!((sigma(&w, &p) / expected - 1.0).abs() < 0.002, "{} of {expected}", sigma(&w, &p));
    let (init, maint) = ranges(&w, &p);
    assert!((f64::from(init) / (0.1057697e6 * expected) - 1.0).abs() < 0.002);
    assert_eq!(init, maint);
}

#[test]
fn prints_nearer_than_the_spacing_are_no_samples() {
    let (mut w, p) = measured();
    let before = estimate(&w, &p);
    for _ in 0..5 {
        w.pass(SPACING / 6);
        w.set_price(&p.sol, 126);
    }
    assert_eq!(estimate(&w, &p), before);
    w.pass(SPACING / 6);
    w.set_price(&p.sol, 126);
    assert_eq!(estimate(&w, &p).samples, 1);
}

/// A print that the oracle itself doubts is the market's price, and nothing that its volatility is told by; what it hides is
/// counted by the first that is narrow again.
#[test]
fn a_doubtful_print_is_no_sample() {
    let (mut w, p) = measured();
    let before = estimate(&w, &p);
    w.pass(HOUR);
    let limit = 125 * PRICE_USD as u64 / 50;
    let doubtful = Price { price: 129 * PRICE_USD, confidence: limit * 129 / 125 + 1, ..w.price(125) };
    w.publish(&p.sol, doubtful);
    w.observe(&p.sol);
    assert_eq!(estimate(&w, &p), before);
    assert_eq!(w.market(&p.sol).publish_time, w.now());
    let narrow = Price { confidence: limit, ..doubtful };
    w.publish(&p.sol, narrow);
    w.observe(&p.sol);
    assert_eq!(estimate(&w, &p).samples, 1);
    assert!(sigma(&w, &p) > 1.0);
}

/// A gap to the average makes the market reduce-only, and the estimate sees what made the gap.
#[test]
fn a_move_that_opens_a_gap_is_a_sample_and_stops_new_risk() {
    let (mut w, p) = measured();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 10 * SOL);
    w.pass(HOUR);
    let apart = Price { price: 129 * PRICE_USD, ..w.price(122) };
    w.publish(&p.sol, apart);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::OracleTooWide);
    w.close(&p.alice, &p.sol, 1);
    assert_eq!(estimate(&w, &p).samples, 1, "a trade feeds the estimate as observe does");
}

/// One absurd print: sigma rises by 16 % at most, and with the next print it was never there.
#[test]
fn a_wick_moves_the_range_by_little_and_not_for_long() {
    for cents in [1, 100, 1_000, 6_250, 20_000, 100_000, 10_000_000] {
        let (mut w, p) = measured();
        let (mut calm, _) = measured();
        for _ in 0..3 {
            w.pass(HOUR);
            w.set_price(&p.sol, 125);
            calm.pass(HOUR);
            calm.set_price(&p.sol, 125);
        }
        let (before, _) = ranges(&w, &p);
        w.pass(HOUR);
        print_cents(&mut w, &p.sol, cents);
        let (during, maint) = ranges(&w, &p);
        assert!(during > before && f64::from(during) <= 1.16 * f64::from(before), "{cents}: {during} of {before}");
        assert_eq!(maint, during);
        w.pass(1);
        w.set_price(&p.sol, 125);
        calm.pass(HOUR + 1);
        calm.set_price(&p.sol, 125);
        assert_eq!(estimate(&w, &p), estimate(&calm, &p), "{cents}: to the bit as if it had never been");
        assert_eq!(ranges(&w, &p), ranges(&calm, &p));
    }
}

/// Many absurd prints that do not agree do no more than one.
#[test]
fn a_run_of_wicks_does_no_more_than_one() {
    let (mut w, p) = measured();
    w.pass(HOUR);
    for (index, cents) in [2_000, 100_000, 1_500, 90_000, 1_000, 200_000].into_iter().enumerate() {
        w.pass(20);
        print_cents(&mut w, &p.sol, cents);
        assert!(f64::from(ranges(&w, &p).0) <= 1.16 * f64::from(RANGE), "print {index}: {:?}", ranges(&w, &p));
    }
}

/// A crash that stays is a jump at first, and counts whole with the first print after the confirmation time.
#[test]
fn a_crash_that_stays_counts_whole() {
    let (mut w, p) = measured();
    w.pass(HOUR);
    w.set_price(&p.sol, 125);
    w.pass(HOUR);
    w.set_price(&p.sol, 100);
    let (clamped, _) = ranges(&w, &p);
    assert!(f64::from(clamped) <= 1.16 * f64::from(RANGE));
    w.pass(9);
    w.set_price(&p.sol, 100);
    assert_eq!(ranges(&w, &p).0, clamped, "too early to confirm it");
    w.pass(1);
    w.set_price(&p.sol, 100);
    // 22.3 % of which alpha = 1.43 % count: variance 1 + 0.0143 (0.0498 * 8,760 - 1), volatility about 269 %.
    let (believed, maint) = ranges(&w, &p);
    assert!((270_000..300_000).contains(&believed), "{believed}");
    assert_eq!(maint, believed);
}

/// Somebody who alone observes, and picks among the prints of the last minute that which is farthest from (nearest to) the last
/// sample each time. See the engine's page: 1.19 and 0.83 of sigma.
#[test]
fn who_chooses_when_to_observe_gains_little() {
    const STEP: i64 = 10;
    // 100 % a year over ten seconds, as a walk of equal steps.
    let step = (STEP as f64 / 31_536_000.0).sqrt();
    let mut rng = StdRng::seed_from_u64(0x5eed);
    let (mut honest, p) = measured();
    let (mut farthest, _) = measured();
    let (mut nearest, _) = measured();
    let mut price = 12_500_000_000f64;
    for _ in 0..400 {
        let mut minute = Vec::new();
        for _ in 0..SPACING / STEP + 6 {
            price *= (if rng.random() { step } else { -step }).exp();
            minute.push(price as i64);
        }
        let prints = &minute[minute.len() - 6..];
        for w in [&mut honest, &mut farthest, &mut nearest] {
            w.pass(SPACING + 6 * STEP);
        }
        let distance = |w: &World, print: i64| {
            let last = estimate(w, &p).price as f64 * 1e11 / (1u64 << 48) as f64;
            (print as f64 / last).ln().abs()
        };
        let pick = |w: &World, sign: f64| {
            let by = |a: &usize, b: &usize| {
                (sign * distance(w, prints[*a])).partial_cmp(&(sign * distance(w, prints[*b]))).unwrap()
            };
            (0..6).max_by(by).unwrap()
        };
        let chosen = [5, pick(&farthest, 1.0), pick(&nearest, -1.0)];
        for (w, index) in [&mut honest, &mut farthest, &mut nearest].into_iter().zip(chosen) {
            let at = w.now() - (5 - index as i64) * STEP;
            let published = Price { price: prints[index], ema: prints[index], publish_time: at, ..w.price(0) };
            w.publish(&p.sol, published);
            w.observe(&p.sol);
        }
    }
    let [honest, farthest, nearest] = [&honest, &farthest, &nearest].map(|w| sigma(w, &p));
    println!("sigma {honest}, farthest {farthest}, nearest {nearest}");
    assert!((0.85..1.15).contains(&honest), "{honest}");
    assert!(farthest / honest < 1.19, "{farthest} of {honest}");
    assert!(nearest / honest > 0.83, "{nearest} of {honest}");
}

/// A forecast of 125 %, the most that a first one may be: for initial margin at once, for maintenance by its ramp of 4 hours.
#[test]
fn a_forecast_counts_at_once_for_initial_margin_and_later_for_maintenance() {
    let (mut w, p) = measured();
    let outcome = w.forecast(&p.sol, 1_250_000);
    let expected = ForecastPosted {
        market: p.sol.market,
        forecaster: p.admin,
        volatility_ppm: 1_250_000,
        expires_at: w.now() + 12 * HOUR,
        range_ppm: 132_213,
        range_maint_ppm: RANGE.into(),
    };
    assert_eq!(outcome.event(), Event::ForecastPosted(expected));
    assert_eq!(ranges(&w, &p), (132_213, RANGE));
    let mut last = RANGE;
    for hour in 1..=4 {
        w.pass(HOUR);
        w.set_price(&p.sol, 125);
        let (init, maint) = ranges(&w, &p);
        assert_eq!(init, 132_213);
        let expected = 105_769.7 * (1.0 + 0.0625 * f64::from(hour));
        assert!((f64::from(maint) - expected).abs() < 2.0 && maint > last, "hour {hour}: {maint} of {expected}");
        last = maint;
    }
    assert_eq!(ranges(&w, &p), (132_213, 132_213));
    w.pass(8 * HOUR - 1);
    w.set_price(&p.sol, 125);
    assert_eq!(ranges(&w, &p), (132_213, 132_213));
    w.pass(1);
    // The same price again is no sample, and drops the forecast that has expired.
    w.observe(&p.sol);
    let market = w.market(&p.sol);
    assert!(market.range_ppm < RANGE && market.range_maint_ppm == market.range_ppm);
    assert_eq!(market.forecast, bytemuck::Zeroable::zeroed());
}

/// Alice is a little above her line when the range is raised by a quarter: nobody may take over anything of hers then. When the
/// ramp has run, she is below it.
#[test]
fn a_forecast_liquidates_nobody_at_once() {
    let (mut w, p) = measured();
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.alice, &p.usdc, 1_500 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    // 100 SOL at 117.50 USD, a loss of 769 USD: 731 USD are left, 6.2 % of the notional; the line is at 5.3 %.
    w.pass(HOUR);
    print_cents(&mut w, &p.sol, 11_750);
    let before = w.margin(&p.alice);
    assert!(before.health_maint().unwrap().raw() > 0);
    w.forecast(&p.sol, w.market(&p.sol).estimated_volatility().raw() * 5 / 4);
    let after = w.margin(&p.alice);
    assert_eq!((after.equity_maint, after.requirement_maint), (before.equity_maint, before.requirement_maint));
    assert!(after.requirement_init > before.requirement_init);
    w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::InsufficientMargin);
    w.close(&p.alice, &p.sol, SOL as u64);
    for _ in 0..4 {
        w.pass(HOUR);
        print_cents(&mut w, &p.sol, 11_750);
    }
    assert!(w.margin(&p.alice).health_maint().unwrap().raw() < 0, "{:?}", w.margin(&p.alice));
    w.liquidate(&p.carol, &p.alice);
}

#[test]
fn forecasts_that_are_refused() {
    let (mut w, p) = measured();
    w.refuses(w.forecast_ix(&p.sol, 1_250_001), E::ForecastTooFast);
    w.refuses(w.forecast_ix(&p.sol, 999_999), E::ForecastOutOfBounds);
    w.refuses(w.forecast_ix(&p.sol, 4_000_001), E::ForecastOutOfBounds);
    w.refuses(w.forecast_ix(&p.sol, 0), E::ForecastOutOfBounds);
    w.refuses(w.forecast_ix(&p.sol, u32::MAX), E::ForecastOutOfBounds);
    w.refuses(w.forecast_ix(&p.btc, 1_000_000), E::ForecastUnused);
    w.forecast(&p.sol, 1_250_000);
    w.refuses(w.forecast_ix(&p.sol, 1_250_001), E::ForecastTooFast);
    w.refuses(w.forecast_ix(&p.sol, 1_249_990), E::ForecastTooFast);
    // An hour later a quarter more; a day's fall of 5 % takes a day.
    w.pass(HOUR);
    w.refuses(w.forecast_ix(&p.sol, 1_562_501), E::ForecastTooFast);
    w.forecast(&p.sol, 1_562_500);
}

#[test]
fn the_forecaster_posts_and_the_admin() {
    let (mut w, p) = measured();
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.forecaster = p.bob.owner);
    let post = |forecaster, volatility_ppm| {
        market::PostForecast { forecaster, exchange: p.exchange, market: p.sol.market, volatility_ppm }.instruction()
    };
    w.refuses(post(p.alice.owner, 1_100_000), E::NotForecaster);
    w.refuses(post(p.mallory, 1_100_000), E::NotForecaster);
    w.ok(post(p.bob.owner, 1_100_000));
    w.ok(post(p.admin, 1_100_000));
}

/// New parameters count at once; a market whose range is fixed measures nothing, and starts anew when it is to measure again.
#[test]
fn new_parameters_make_new_ranges() {
    let (mut w, p) = measured();
    w.pass(HOUR);
    w.set_price(&p.sol, 126);
    w.forecast(&p.sol, 1_200_000);
    let sampled = estimate(&w, &p);
    w.configure_market(&p.sol, |config| config.volatility.cap_ppm = 1_100_000);
    assert_eq!(ranges(&w, &p).0, RANGE / 10 * 11, "the cap");
    assert_eq!(estimate(&w, &p), sampled);
    w.configure_market(&p.sol, |config| config.volatility.margin_period_seconds = 7_200);
    assert_eq!(ranges(&w, &p).0, 58_174, "half of the root");
    w.configure_market(&p.sol, |config| config.volatility = VolatilityConfig::fixed_range(150_000));
    assert_eq!(ranges(&w, &p), (150_000, 150_000));
    let market = w.market(&p.sol);
    assert_eq!((market.estimate, market.forecast), bytemuck::Zeroable::zeroed());
    w.pass(HOUR);
    w.set_price(&p.sol, 250);
    assert_eq!((ranges(&w, &p), estimate(&w, &p).price), ((150_000, 150_000), 0));
    w.configure_market(&p.sol, |config| config.volatility = VolatilityConfig::DEFAULT);
    w.pass(HOUR);
    w.set_price(&p.sol, 130);
    assert_eq!(ranges(&w, &p), (RANGE, RANGE), "what happened in between is no return");
}

/// Where nobody observes, ranges stay as they are: prices are as old.
#[test]
fn ranges_stand_while_nobody_observes() {
    let (mut w, p) = measured();
    w.forecast(&p.sol, 1_250_000);
    w.pass(24 * HOUR);
    w.accrue_funding(&p.sol);
    assert_eq!(ranges(&w, &p), (132_213, RANGE));
    w.set_price(&p.sol, 125);
    assert_eq!(ranges(&w, &p).0, ranges(&w, &p).1, "and the forecast is gone with the first observation");
}
