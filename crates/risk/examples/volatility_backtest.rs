//! Backtest of `volatility`: how often prices leave the range within the margin period, and how fast the estimate
//! follows crashes.
//!
//! Reads `prices/*.csv.gz` (`unix_timestamp_seconds,open,high,low,close`) below the folder that `PLIMSOLL_DATA` names,
//! by `gzip -dc`:
//!
//! ```text
//! PLIMSOLL_DATA=... cargo run --release --manifest-path programs/Cargo.toml -p plimsoll-risk --example volatility_backtest
//! ```
use plimsoll_risk::units::{Ppm, Price, Seconds, Timestamp, Volatility};
use plimsoll_risk::volatility::{Estimate, VolatilityParameters, range};
use std::process::Command;

/// Quote native units per base native unit, for prices from 1e-5 to 1e5 USD.
const SCALE: f64 = (1_u64 << 44) as f64;

struct Candle {
    time: i64,
    high: f64,
    low: f64,
    close: f64,
}

fn main() {
    let Ok(folder) = std::env::var("PLIMSOLL_DATA") else {
        println!("skipped: PLIMSOLL_DATA does not name the folder of the market data");
        return;
    };
    let parameters = overridden();
    println!("{parameters:?}\n");
    println!(
        "| series | samples | mean sigma | moves > range | excursions > range | > range in 1 h | jumps | worst / range |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let files = [
        ("sol_usd_15m", 900),
        ("sol_usd_1h", 3_600),
        ("btc_usd_1h", 3_600),
        ("btc_perp_5m_2022-06", 300),
        ("eth_usd_1h", 3_600),
        ("eth_perp_5m_2022-06", 300),
        ("paxg_usd_1h", 3_600),
        ("eur_usd_1h", 3_600),
    ];
    for (name, step) in files {
        coverage(name, &candles(&folder, name, step), step, &parameters);
    }
    println!();
    for (name, step) in [("sol_usd_15m", 900), ("btc_perp_5m_2022-06", 300), ("eth_perp_5m_2022-06", 300)] {
        spacings(name, &candles(&folder, name, step), step, &parameters);
    }
    println!();
    let crashes = [
        ("btc_usd_1h", "2020-03-12", 1_583_971_200, 48),
        ("eth_usd_1h", "2020-03-12", 1_583_971_200, 48),
        ("btc_usd_1h", "2021-05-19", 1_621_382_400, 36),
        ("sol_usd_15m", "2021-05-19", 1_621_382_400, 36),
        ("luna_usd_1h_2022-04_2022-05", "2022-05-08", 1_652_054_400, 96),
        ("sol_usd_15m", "2022-05-11", 1_652_227_200, 48),
    ];
    for (name, day, from, hours) in crashes {
        let step = if name.ends_with("15m") { 900 } else { 3_600 };
        crash(name, day, &candles(&folder, name, step), from, hours, &parameters);
    }
}

/// The defaults, with what the environment overrides: for trying other ones.
fn overridden() -> VolatilityParameters {
    let read = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<i64>().ok());
    let mut parameters = VolatilityParameters::DEFAULT;
    if let Some(value) = read("HALF_LIFE") {
        parameters.half_life = Seconds::from_raw(value);
    }
    if let Some(value) = read("MARGIN_PERIOD") {
        parameters.margin_period = Seconds::from_raw(value);
    }
    if let Some(value) = read("JUMP_LIMIT") {
        parameters.jump_limit = Ppm::from_raw(value as u32);
    }
    if let Some(value) = read("LEVEL") {
        parameters.confidence_level = Ppm::from_raw(value as u32);
    }
    if let Some(value) = read("FLOOR") {
        parameters.floor = Volatility::from_raw(value as u32);
    }
    parameters
}

/// A series, with the time of each candle's end.
fn candles(folder: &str, name: &str, step: i64) -> Vec<Candle> {
    let path = format!("{folder}/prices/{name}.csv.gz");
    let output = Command::new("gzip").args(["-dc", &path]).output().expect("gzip runs");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let row = |line: &str| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().expect("a number")).collect();
        let [time, _, high, low, close] = fields[..] else { panic!("five fields: {line}") };
        Candle { time: time as i64 + step, high, low, close }
    };
    text.lines().skip(1).map(row).collect()
}

fn observe(estimate: &mut Estimate, parameters: &VolatilityParameters, candle: &Candle) {
    let price = Price::from_raw((candle.close * SCALE) as u64);
    estimate.update(parameters, price, Timestamp::from_raw(candle.time)).expect("a price of the domain");
}

/// One line: over all candles after the first 48 hours, moves and excursions within the margin period against the
/// range.
fn coverage(name: &str, candles: &[Candle], step: i64, parameters: &VolatilityParameters) {
    let period = (parameters.margin_period.raw() / step) as usize;
    let hour = (3_600 / step) as usize;
    let mut estimate = Estimate::default();
    let (mut total, mut sigmas, mut moves, mut excursions, mut hourly, mut jumps) = (0, 0.0, 0, 0, 0, 0);
    let mut worst = 0.0_f64;
    for (index, candle) in candles.iter().enumerate() {
        observe(&mut estimate, parameters, candle);
        jumps += u32::from(estimate.pending_price != 0);
        let later = candles.get(index + 1..=index + period).unwrap_or_default();
        let Some(last) = later.last().filter(|_| index as i64 * step > 48 * 3_600) else { continue };
        if last.time - candle.time > 2 * parameters.margin_period.raw() {
            continue;
        }
        let sigma = parameters.clamp(estimate.volatility());
        let range = f64::from(range(sigma, parameters).raw()) / 1e6;
        let excursion = |candles: &[Candle]| {
            candles.iter().map(|c| (c.high / candle.close - 1.0).max(1.0 - c.low / candle.close)).fold(0.0, f64::max)
        };
        total += 1;
        sigmas += f64::from(sigma.raw()) / 1e6;
        let end = (last.close / candle.close - 1.0).abs();
        moves += u32::from(end > range);
        excursions += u32::from(excursion(later) > range);
        hourly += u32::from(excursion(&later[..hour]) > range);
        worst = worst.max(end / range);
    }
    let percent = |count: u32| 100.0 * f64::from(count) / f64::from(total);
    println!(
        "| {name} | {total} | {:.1} % | {:.2} % | {:.2} % | {:.3} % | {jumps} | {worst:.1} |",
        100.0 * sigmas / f64::from(total),
        percent(moves),
        percent(excursions),
        percent(hourly),
    );
}

/// Sigma from samples further apart against sigma from every candle, of the same prices.
fn spacings(name: &str, candles: &[Candle], step: i64, parameters: &VolatilityParameters) {
    for apart in [900, 3_600].into_iter().filter(|apart| *apart > step) {
        let (mut every, mut some) = (Estimate::default(), Estimate::default());
        let mut ratios = Vec::new();
        for (index, candle) in candles.iter().enumerate() {
            observe(&mut every, parameters, candle);
            if index as i64 * step % apart == 0 {
                observe(&mut some, parameters, candle);
                let ratio = f64::from(some.volatility().raw()) / f64::from(every.volatility().raw());
                if index as i64 * step > 10 * 86_400 {
                    ratios.push(ratio);
                }
            }
        }
        ratios.sort_by(f64::total_cmp);
        let quantile = |part: f64| ratios[((ratios.len() - 1) as f64 * part) as usize];
        let [low, middle, high] = [0.01, 0.5, 0.99].map(quantile);
        println!("{name}: sigma at {apart} s / at {step} s: 1 % {low:.3}, median {middle:.3}, 99 % {high:.3}");
    }
}

/// The estimate and the range beside the price, every hour that moves, and the lowest of the crash.
fn crash(name: &str, day: &str, candles: &[Candle], from: i64, hours: i64, parameters: &VolatilityParameters) {
    println!("{name} {day}: hour, close, change since start, sigma, range");
    let mut estimate = Estimate::default();
    let mut start = None;
    let mut last = f64::NAN;
    for candle in candles.iter().take_while(|candle| candle.time <= from + hours * 3_600) {
        observe(&mut estimate, parameters, candle);
        if candle.time < from {
            continue;
        }
        let first = *start.get_or_insert(candle.close);
        let big = (candle.close / last - 1.0).abs() > 0.04;
        if big || (candle.time - from) % 21_600 == 0 {
            let sigma = parameters.clamp(estimate.volatility());
            let range = range(sigma, parameters);
            println!(
                "  {:5.2} {:12.5} {:6.1} %  {:5.1} %  {:4.1} %{}",
                (candle.time - from) as f64 / 3_600.0,
                candle.close,
                100.0 * (candle.close / first - 1.0),
                f64::from(sigma.raw()) / 1e4,
                f64::from(range.raw()) / 1e4,
                if estimate.pending_price != 0 { "  pending" } else { "" },
            );
        }
        last = candle.close;
    }
}
