//! The worked example of docs/risk.md: calculated by hand here, equal to the engine to the last unit, and equal to what
//! the page says, line by line.
//!
//! "By hand" is plain integer arithmetic as on the page, in 128 bits, with no function of the engine but for the volatility
//! range, the risk arrays and the split of a liquidation. Option values at the nodes are compared with Black's formula in
//! floating point.
use plimsoll_risk::addons::{concentration_charge, concentration_rate, weighted};
use plimsoll_risk::black::OptionKind;
use plimsoll_risk::greeks::{OptionGreeks, PortfolioGreeks, greeks};
use plimsoll_risk::grid::{GRID, VolatilityMove, volatility_shock};
use plimsoll_risk::liquidation::{LiquidationParameters, discount, fraction, payment, pro_rata_signed, reward};
use plimsoll_risk::options::{ArrayTerms, Board, BoardSum, Nodes, OptionRisk, Reading, Refresh, RiskArray, SCENARIOS};
use plimsoll_risk::parameters::BankParameters;
use plimsoll_risk::portfolio::{
    GROUP_PAIRS, MAX_GROUPS, Portfolio, Report, RiskParameters, Standalone, Underlying, report, standalone,
};
use plimsoll_risk::price::Observation;
use plimsoll_risk::units::{Base, Fraction, Lots, Ppm, Price, Quote, Seconds, Timestamp, Volatility};
use plimsoll_risk::volatility::{VolatilityParameters, range};
use std::fmt::Write;

const PAGE: &str = include_str!("../../../docs/risk.md");
const MILLION: i128 = 1_000_000;
const NOW: Timestamp = Timestamp::from_raw(1_800_000_000);
const EXPIRY: i64 = 14 * 86_400;
/// A tenth of a SOL, in base units.
const LOT: i64 = 100_000;
/// 0.9985 of a quote unit now is one at expiry.
const DISCOUNT: u64 = 4_288_524_845;
const PUT_STRIKE: i64 = 140;
const CALL_STRIKE: i64 = 175;
const NAMES: [&str; 4] = ["SOL", "BTC", "ETH", "XAU"];

const PARAMETERS: RiskParameters = RiskParameters {
    phi: {
        let mut phi = [Ppm::ZERO; MAX_GROUPS];
        phi[0] = Ppm::from_raw(600_000);
        phi
    },
    rho: {
        let mut rho = [Ppm::ZERO; GROUP_PAIRS];
        rho[0] = Ppm::from_raw(300_000);
        rho
    },
    maintenance_ratio: Ppm::from_raw(800_000),
    extreme_damping: Ppm::from_raw(333_333),
    quote_price: Ppm::ONE,
};

const LIQUIDATION: LiquidationParameters = LiquidationParameters {
    buffer: Ppm::from_raw(100_000),
    discount_min: Ppm::from_raw(5_000),
    discount_max: Ppm::from_raw(105_000),
    duration: Seconds::from_raw(600),
    dust: 1_000_000,
};

/// What the account holds, in native units: quote 1e-6 USD, all else 1e-6 of the underlying, and lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Account {
    usdc: i64,
    sol_cash: i64,
    xau_cash: i64,
    sol: i64,
    sol_perp: i64,
    btc: i64,
    eth: i64,
    xau_perp: i64,
    puts: i64,
    calls: i64,
}

const ACCOUNT: Account = Account {
    usdc: -32_000_000_000,
    sol_cash: 24_000_000_000,
    xau_cash: 9_560_000_000,
    sol: 200_000_000,
    sol_perp: -150_000_000,
    btc: 250_000,
    eth: -3_000_000,
    xau_perp: -4_000_000,
    puts: -800,
    calls: 600,
};

const NOTHING: Account =
    Account { usdc: 0, sol_cash: 0, xau_cash: 0, sol: 0, sol_perp: 0, btc: 0, eth: 0, xau_perp: 0, puts: 0, calls: 0 };

/// Prices of one moment. Prices and doubts in eighths of a dollar, which are exact in binary.
#[derive(Clone, Copy)]
struct Market {
    spot: [i64; 4],
    ema: [i64; 4],
    confidence: [i64; 4],
    sigma: [u32; 4],
    sigma_maint: [u32; 4],
    forward: i64,
    put_volatility: u32,
    call_volatility: u32,
}

const BEFORE: Market = Market {
    spot: [156 * 8, 64_000 * 8, 2_560 * 8, 2_400 * 8],
    ema: [155 * 8, 63_800 * 8, 2_575 * 8, 2_398 * 8],
    confidence: [1, 32 * 8, 12, 8],
    sigma: [1_500_000, 600_000, 850_000, 400_000],
    sigma_maint: [1_400_000, 600_000, 850_000, 400_000],
    forward: 1_252,
    put_volatility: 900_000,
    call_volatility: 850_000,
};

const AFTER: Market = Market {
    spot: [130 * 8, 59_200 * 8, 2_432 * 8, 2_424 * 8],
    ema: [138 * 8, 61_000 * 8, 2_490 * 8, 2_410 * 8],
    confidence: [2, 64 * 8, 24, 8],
    sigma: [1_650_000, 680_000, 900_000, 400_000],
    sigma_maint: [1_650_000, 680_000, 900_000, 400_000],
    forward: 1_043,
    put_volatility: 1_050_000,
    call_volatility: 1_000_000,
};

/// Share of each bank's cap in use, percent: SOL, BTC; and of the perpetuals' open interest: SOL, XAU.
const BANK_USE: [u64; 2] = [30, 25];
const INTEREST_USE: [i128; 2] = [40, 25];

const fn ppm(raw: u32) -> Ppm {
    Ppm::from_raw(raw)
}

/// The bank of ETH has the same weights on what is borrowed.
const SOL_BANK: BankParameters = BankParameters {
    haircut_init_empty: ppm(50_000),
    haircut_init_full: ppm(150_000),
    haircut_maint_empty: ppm(20_000),
    haircut_maint_full: ppm(80_000),
    borrow_weight_init: ppm(50_000),
    borrow_weight_maint: ppm(20_000),
};
const BTC_BANK: BankParameters = BankParameters {
    haircut_init_empty: ppm(20_000),
    haircut_init_full: ppm(100_000),
    haircut_maint_empty: ppm(10_000),
    haircut_maint_full: ppm(50_000),
    ..SOL_BANK
};

fn price(eighths: i64) -> Price {
    Price::from_raw(u64::try_from(eighths).unwrap() << 45)
}

/// `ceil(value ratio)` and `floor(value ratio)` for a ratio in ppm.
fn ceil_ppm(value: i128, ratio: i128) -> i128 {
    -(-value * ratio).div_euclid(MILLION)
}

/// A linear gain: `floor(m a)`.
fn linear(a: i128, k: usize) -> i128 {
    let scenario = &GRID[k];
    if scenario.extreme {
        (a * i128::from(scenario.thirds.signum()) * 3 * 333_333).div_euclid(MILLION)
    } else {
        (a * i128::from(scenario.thirds)).div_euclid(3)
    }
}

/// The board of SOL options.
struct Options {
    terms: ArrayTerms,
    put: RiskArray,
    call: RiskArray,
    shocks: [Ppm; 2],
}

impl Market {
    fn range(&self, u: usize, maint: bool) -> Ppm {
        let sigma = if maint { self.sigma_maint[u] } else { self.sigma[u] };
        range(Volatility::from_raw(sigma), &VolatilityParameters::DEFAULT)
    }

    fn options(&self) -> Options {
        let shock = |base| volatility_shock(ppm(base), ppm(300_000), ppm(130_000), Seconds::from_raw(EXPIRY)).unwrap();
        let shocks = [shock(450_000), shock(300_000)];
        let board = Board {
            spot: price(self.spot[0]),
            forward: price(self.forward),
            discount: Fraction::from_raw(DISCOUNT),
            lot: LOT.unsigned_abs(),
            time: Seconds::from_raw(EXPIRY),
            now: NOW,
            range: self.range(0, false),
            volatility_up: shocks[0],
            volatility_down: shocks[1],
        };
        let nodes = Nodes::new(board.range).unwrap();
        let mut refresh = Refresh::new(&board, &nodes).unwrap();
        let put = refresh.array(price(PUT_STRIKE * 8), Volatility::from_raw(self.put_volatility)).unwrap();
        let call = refresh.array(price(CALL_STRIKE * 8), Volatility::from_raw(self.call_volatility)).unwrap();
        Options { terms: *refresh.terms(), put, call, shocks }
    }

    fn reading(&self) -> Reading {
        Reading {
            spot: price(self.spot[0]),
            now: NOW,
            range: self.range(0, false),
            range_maint: self.range(0, true),
            extreme_damping: PARAMETERS.extreme_damping,
            short_minimum: ppm(10_000),
        }
    }
}

/// Haircut, borrow weight and concentration of each underlying, towards init and maint: by hand.
fn addons(account: &Account, market: &Market) -> [[i128; 2]; 4] {
    let value = |base: i64, u: usize| i128::from(base).abs() * i128::from(market.spot[u]) / 8;
    let concentration = |size: i64, u: usize, used: i128| ceil_ppm(value(size, u), 200 * used);
    let sol = concentration(account.sol_perp, 0, INTEREST_USE[0]);
    let xau = concentration(account.xau_perp, 3, INTEREST_USE[1]);
    let rate = |empty: i128, full: i128, used: u64| empty + (full - empty) * i128::from(used) / 100;
    let (sol_value, btc_value, eth_value) = (value(account.sol, 0), value(account.btc, 1), value(account.eth, 2));
    let haircut = |value, empty, full, used| ceil_ppm(value, rate(empty, full, used));
    [
        [haircut(sol_value, 50_000, 150_000, BANK_USE[0]) + sol, haircut(sol_value, 20_000, 80_000, BANK_USE[0]) + sol],
        [haircut(btc_value, 20_000, 100_000, BANK_USE[1]), haircut(btc_value, 10_000, 50_000, BANK_USE[1])],
        [ceil_ppm(eth_value, 50_000), ceil_ppm(eth_value, 20_000)],
        [xau, xau],
    ]
}

/// The add-ons of the engine's own functions are the hand's.
fn assert_addons(hand: &Hand) {
    let [sol_used, btc_used] = BANK_USE;
    let (sol, sol_maint) = SOL_BANK.haircuts(sol_used, 100);
    let (btc, btc_maint) = BTC_BANK.haircuts(btc_used, 100);
    let charge = |size: i64, u: usize, used: i128| {
        let rate = concentration_rate(ppm(20_000), used.try_into().unwrap(), 100);
        i128::from(concentration_charge(Base::from_raw(size), price(BEFORE.spot[u]), rate).unwrap())
    };
    let on = |base: i64, u: usize, rate: Ppm| {
        let value = price(BEFORE.spot[u]).magnitude_ceil(Base::from_raw(base)).unwrap();
        i128::from(weighted(value, rate).unwrap())
    };
    let perp = charge(ACCOUNT.sol_perp, 0, INTEREST_USE[0]);
    let xau = charge(ACCOUNT.xau_perp, 3, INTEREST_USE[1]);
    let expected = [
        [on(ACCOUNT.sol, 0, sol) + perp, on(ACCOUNT.sol, 0, sol_maint) + perp],
        [on(ACCOUNT.btc, 1, btc), on(ACCOUNT.btc, 1, btc_maint)],
        [on(ACCOUNT.eth, 2, SOL_BANK.borrow_weight_init), on(ACCOUNT.eth, 2, SOL_BANK.borrow_weight_maint)],
        [xau, xau],
    ];
    assert_eq!(hand.addons, expected);
}

/// The account as the engine takes it.
struct Book {
    portfolio: Portfolio,
    options: Vec<OptionRisk>,
    greeks: Vec<OptionGreeks>,
}

fn book(account: &Account, market: &Market, options: &Options) -> Book {
    let mut portfolio = Portfolio::new();
    portfolio.quote = Quote::from_raw(account.usdc + account.sol_cash + account.xau_cash);
    let exposures = [account.sol + account.sol_perp, account.btc, account.eth, account.xau_perp];
    for (u, [init, maint]) in addons(account, market).into_iter().enumerate() {
        let underlying = Underlying {
            exposure: Base::from_raw(exposures[u]),
            has_liability: u != 1,
            observation: Observation {
                spot: price(market.spot[u]),
                ema: price(market.ema[u]),
                confidence: price(market.confidence[u]),
                publish_time: NOW,
            },
            range: market.range(u, false),
            range_maint: market.range(u, true),
            confidence_multiplier: Ppm::ONE,
            group: u8::from(u == 3),
            addon_init: u64::try_from(init).unwrap(),
            addon_maint: u64::try_from(maint).unwrap(),
            ..Underlying::default()
        };
        portfolio.push(underlying).unwrap();
    }
    let (mut risks, mut sensitivities) = (Vec::new(), Vec::new());
    if account.puts != 0 || account.calls != 0 {
        let (sum, mut risk, mut greek) = (sum(account, options), OptionRisk::default(), OptionGreeks::default());
        sum.finish(&options.terms, &market.reading(), &mut risk).unwrap();
        sum.add_greeks(&options.terms, &market.reading(), &mut greek).unwrap();
        risks.push(risk);
        sensitivities.push(greek);
    }
    Book { portfolio, options: risks, greeks: sensitivities }
}

fn sum(account: &Account, options: &Options) -> BoardSum {
    let mut sum = BoardSum::new();
    let mut add = |array, kind, strike: i64, lots| {
        sum.add(array, kind, price(strike * 8), Lots::from_raw(lots)).unwrap();
    };
    add(&options.put, OptionKind::Put, PUT_STRIKE, account.puts);
    add(&options.call, OptionKind::Call, CALL_STRIKE, account.calls);
    sum
}

/// One side of the requirement, by hand.
#[derive(Debug)]
struct Side {
    ranges: [i128; 4],
    shocks: [i128; 4],
    /// Where thirds of the range lie, in nodes: Q31.
    third: i128,
    pnl: [i128; SCENARIOS],
    sol: [i128; SCENARIOS],
    majors: [i128; SCENARIOS],
    losses: [i128; 4],
    netted: i128,
    gross: i128,
    risks: [i128; 2],
    stress: i128,
}

/// The whole account, by hand.
#[derive(Debug)]
struct Hand {
    exposures: [i128; 4],
    /// Base units, deltas included.
    nets: [i128; 4],
    forwards: i128,
    strikes: i128,
    marks: i128,
    values: [i128; 4],
    doubts: [i128; 4],
    gaps: [i128; 4],
    addons: [[i128; 2]; 4],
    minimum: i128,
    init: Side,
    maint: Side,
    equity: i128,
    requirements: [i128; 2],
}

/// Sums of lots times stored values.
fn stored(account: &Account, options: &Options, index: usize) -> i128 {
    i128::from(account.puts) * i128::from(options.put.values[index])
        + i128::from(account.calls) * i128::from(options.call.values[index])
}

/// The value of the account's calls in a scenario, read off its two nodes, in the board's units.
fn read_off(account: &Account, options: &Options, range: i128, third: i128, k: usize) -> i128 {
    let (node, part) = place(options, range, third, k);
    let (below, above) = (stored(account, options, node), stored(account, options, node + 1));
    below + (((above - below) * part) >> 31)
}

/// The node below a scenario's move, and how far it is to the next, Q31.
fn place(options: &Options, range: i128, third: i128, k: usize) -> (usize, i128) {
    let whole = ((range << 32) / MILLION) >> 2;
    let step = i128::from(options.terms.step);
    let one = 1_i128 << 30;
    let between = |place: i128, low: i128, high: i128| ((place - low) << 31) / (high - low);
    match k {
        14 => (30, between(one - 3 * whole, one - 21 * step, one - 15 * step)),
        15 => (32, between(one + 3 * whole, one + 15 * step, one + 21 * step)),
        _ => {
            let place = (7 << 31) + third * i128::from(GRID[k].thirds);
            let first = if GRID[k].volatility == VolatilityMove::Up { 0 } else { 15 };
            (first + usize::try_from(place >> 31).unwrap(), place & ((1 << 31) - 1))
        }
    }
}

impl Side {
    fn new(account: &Account, market: &Market, options: &Options, exposures: &[i128; 4], maint: bool) -> Self {
        let ranges: [i128; 4] = std::array::from_fn(|u| market.range(u, maint).raw().into());
        let shocks = std::array::from_fn(|u| {
            let gross = -(-exposures[u].abs() * i128::from(market.spot[u])).div_euclid(8);
            ceil_ppm(gross, ranges[u]) * exposures[u].signum()
        });
        let whole = ((ranges[0] << 32) / MILLION) >> 2;
        let third = ((whole << 31) / 3) / i128::from(options.terms.step);
        let (scale, mark) = (options.terms.scale, stored(account, options, 34));
        let pnl = std::array::from_fn(|k| {
            let gain = (read_off(account, options, ranges[0], third, k) - mark) >> scale;
            if GRID[k].extreme { (gain * 333_333).div_euclid(MILLION) } else { gain }
        });
        let sol: [i128; SCENARIOS] = std::array::from_fn(|k| linear(shocks[0], k) + pnl[k]);
        let majors: [i128; SCENARIOS] = std::array::from_fn(|k| linear(shocks[..3].iter().sum(), k) + pnl[k]);
        let minimum = minimum(account, market);
        let worst = |pnl: &[i128; SCENARIOS]| pnl.iter().map(|pnl| -pnl).max().unwrap().max(minimum);
        let losses = [worst(&sol), shocks[1].abs(), shocks[2].abs(), shocks[3].abs()];
        let (netted, gross) = (worst(&majors), losses[..3].iter().sum::<i128>());
        let risks = [gross - (600_000 * (gross - netted)).div_euclid(MILLION), losses[3]];
        let stress = root_ceil(risks);
        Self { ranges, shocks, third, pnl, sol, majors, losses, netted, gross, risks, stress }
    }
}

/// Short-option minimum: 1 % of what is sold.
fn minimum(account: &Account, market: &Market) -> i128 {
    let sold = i128::from((-account.puts).max(0) + (-account.calls).max(0)) * i128::from(LOT);
    ceil_ppm(-(-sold * i128::from(market.spot[0])).div_euclid(8), 10_000)
}

/// `ceil(sqrt(x^2 + y^2 + 0.6 x y))`.
fn root_ceil([x, y]: [i128; 2]) -> i128 {
    let square = -(-(x * x + y * y) * 10 - 6 * x * y).div_euclid(10);
    let root = square.isqrt();
    if root * root == square { root } else { root + 1 }
}

impl Hand {
    fn new(account: &Account, market: &Market, options: &Options) -> Self {
        let scale = options.terms.scale;
        let spot = |u: usize| i128::from(market.spot[u]);
        // What makes calls of the puts: D F / spot of a forward for each one sold.
        let puts = i128::from(-account.puts * LOT);
        let forwards = ((puts * i128::from(DISCOUNT)) >> 32) * i128::from(market.forward) / spot(0);
        let strikes = (i128::from(account.puts * LOT * PUT_STRIKE) * i128::from(DISCOUNT)) >> 32;
        let linear = [account.sol + account.sol_perp, account.btc, account.eth, account.xau_perp].map(i128::from);
        let exposures = [linear[0] + forwards, linear[1], linear[2], linear[3]];
        let marks = stored(account, options, 34) >> scale;
        let delta = (stored(account, options, 35) >> scale) * 8 / spot(0);
        let nets = [exposures[0] + delta, exposures[1], exposures[2], exposures[3]];
        let mut values: [i128; 4] = std::array::from_fn(|u| (exposures[u] * spot(u)).div_euclid(8));
        values[0] += marks + strikes;
        let up = |amount: i128| -(-amount).div_euclid(8);
        let doubts = std::array::from_fn(|u| up(nets[u].abs() * i128::from(market.confidence[u])));
        let gaps = std::array::from_fn(|u| up((nets[u] * (spot(u) - i128::from(market.ema[u]))).max(0)));
        let init = Side::new(account, market, options, &exposures, false);
        let maint = Side::new(account, market, options, &exposures, true);
        let addons = addons(account, market);
        let equity = i128::from(account.usdc + account.sol_cash + account.xau_cash) + values.iter().sum::<i128>();
        let sum = |side: usize| addons.iter().map(|addons| addons[side]).sum::<i128>() + doubts.iter().sum::<i128>();
        let requirements = [
            init.stress.max(maint.stress) + sum(0) + gaps.iter().sum::<i128>(),
            ceil_ppm(maint.stress, 800_000) + sum(1),
        ];
        let minimum = minimum(account, market);
        Self {
            exposures,
            nets,
            forwards,
            strikes,
            marks,
            values,
            doubts,
            gaps,
            addons,
            minimum,
            init,
            maint,
            equity,
            requirements,
        }
    }
}

/// The hand's numbers are the engine's, one by one.
fn assert_engine(hand: &Hand, report: &Report) {
    let quote = |quote: Quote| i128::from(quote.raw());
    for (u, line) in report.underlyings[..4].iter().enumerate() {
        assert_eq!(quote(line.value), hand.values[u]);
        assert_eq!(quote(line.shock), hand.init.shocks[u]);
        assert_eq!(i128::from(line.loss_init), hand.init.losses[u]);
        assert_eq!(i128::from(line.loss_maint), hand.maint.losses[u]);
        assert_eq!(i128::from(line.confidence), hand.doubts[u]);
        assert_eq!(i128::from(line.ema_gap), hand.gaps[u]);
    }
    assert_eq!(i128::from(report.underlyings[0].short_minimum), hand.minimum);
    for (groups, side) in [(&report.groups, &hand.init), (&report.groups_maint, &hand.maint)] {
        assert_eq!(groups[0].pnl.map(quote), side.majors);
        assert_eq!(i128::from(groups[0].netted), side.netted);
        assert_eq!(i128::from(groups[0].gross), side.gross);
        assert_eq!([groups[0].risk, groups[1].risk].map(i128::from), side.risks);
    }
    assert_eq!(
        [report.stress, report.stress_maint].map(i128::from),
        [hand.init.stress.max(hand.maint.stress), hand.maint.stress]
    );
    let margin = &report.margin;
    assert_eq!([margin.equity_init, margin.equity_maint].map(quote), [hand.equity; 2]);
    assert_eq!([margin.requirement_init, margin.requirement_maint].map(quote), hand.requirements);
}

/// Black's formula, by the C library's complementary error function.
mod black {
    pub fn distribution(x: f64) -> f64 {
        0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
    }

    /// A call: forward, strike, total deviation, discount factor.
    pub fn call(f: f64, k: f64, w: f64, d: f64) -> f64 {
        let d1 = (f / k).ln() / w + w / 2.0;
        d * (f * distribution(d1) - k * distribution(d1 - w))
    }
}

/// An amount in millionths with six decimals and the thousands apart.
fn six(amount: i128) -> String {
    let magnitude = amount.unsigned_abs();
    let whole = (magnitude / 1_000_000).to_string();
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i != 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{:06}", magnitude % 1_000_000)
}

/// A price in eighths.
fn eighths(price: i64) -> String {
    let text = six(i128::from(price) * 125_000);
    let (whole, decimals) = text.split_at(text.len() - 7);
    let decimals = decimals.trim_end_matches('0');
    if decimals == "." { whole.to_owned() } else { format!("{whole}{decimals}") }
}

/// A ratio in ppm as a percentage.
fn percent(raw: impl Into<i128>) -> String {
    let raw: i128 = raw.into();
    format!("{}.{:04} %", raw / 10_000, raw % 10_000)
}

/// A table: its head and its rows.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|---|{}\n", head.join(" | "), "---:|".repeat(head.len() - 1));
    for row in rows {
        assert_eq!(row.len(), head.len());
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
    text
}

fn holdings_table(account: &Account, market: &Market) -> String {
    let row = |name: &str, size: i64, u: usize| {
        let value = i128::from(size) * i128::from(market.spot[u]) / 8;
        vec![name.to_owned(), six(size.into()), eighths(market.spot[u]), six(value)]
    };
    let cash = |name: &str, amount: i64| vec![name.to_owned(), six(amount.into()), "1".to_owned(), six(amount.into())];
    table(
        &["position", "size", "price", "value, USD"],
        [
            cash("USDC borrow", account.usdc),
            cash("cash in SOL (perpetual sold at 160)", account.sol_cash),
            cash("cash in XAU (perpetual sold at 2,390)", account.xau_cash),
            row("SOL deposit", account.sol, 0),
            row("SOL perpetual", account.sol_perp, 0),
            row("BTC deposit", account.btc, 1),
            row("ETH borrow", account.eth, 2),
            row("XAU perpetual", account.xau_perp, 3),
        ],
    )
}

fn market_table(market: &Market) -> String {
    table(
        &["u", "spot", "EMA", "confidence", "sigma init", "sigma maint", "range init", "range maint"],
        (0..4).map(|u| {
            vec![
                NAMES[u].to_owned(),
                eighths(market.spot[u]),
                eighths(market.ema[u]),
                eighths(market.confidence[u]),
                percent(market.sigma[u]),
                percent(market.sigma_maint[u]),
                percent(market.range(u, false).raw()),
                percent(market.range(u, true).raw()),
            ]
        }),
    )
}

/// Total standard deviation of a volatility with a relative shock.
fn deviation(volatility: u32, shock: f64) -> f64 {
    let moved = (f64::from(volatility) * shock.abs() - 1e-6).ceil().copysign(shock);
    (f64::from(volatility) + moved) / 1e6 * (EXPIRY as f64 / 31_536_000.0).sqrt()
}

fn deviations(market: &Market, options: &Options) -> [[f64; 3]; 2] {
    let [up, down] = options.shocks.map(|shock| f64::from(shock.raw()) / 1e6);
    [market.put_volatility, market.call_volatility]
        .map(|volatility| [deviation(volatility, 0.0), deviation(volatility, up), deviation(volatility, -down)])
}

/// The board and the positions on it.
fn terms_block(account: &Account, market: &Market) -> String {
    format!(
        "F = {}   D = {:.6}   T = {} days   lot = {} SOL\nput {PUT_STRIKE}:  {} lots, volatility {}\ncall {CALL_STRIKE}: {} lots, volatility {}\n",
        eighths(market.forward),
        DISCOUNT as f64 / 2f64.powi(32),
        EXPIRY / 86_400,
        six(LOT.into()),
        account.puts,
        percent(market.put_volatility),
        account.calls,
        percent(market.call_volatility),
    )
}

/// The add-ons of the balances and perpetuals, by value and rate.
fn addon_table(account: &Account, market: &Market) -> String {
    let (sol, btc) = (SOL_BANK.haircuts(BANK_USE[0], 100), BTC_BANK.haircuts(BANK_USE[1], 100));
    let borrow = (SOL_BANK.borrow_weight_init, SOL_BANK.borrow_weight_maint);
    let concentration = INTEREST_USE.map(|used| (ppm(200 * used as u32), ppm(200 * used as u32)));
    let row = |name: &str, base: i64, u: usize, (init, maint): (Ppm, Ppm)| {
        let value = i128::from(base).abs() * i128::from(market.spot[u]) / 8;
        let charge = |rate: Ppm| six(ceil_ppm(value, rate.raw().into()));
        vec![name.to_owned(), six(value), percent(init.raw()), charge(init), percent(maint.raw()), charge(maint)]
    };
    table(
        &["charge", "value", "rate init", "init", "rate maint", "maint"],
        [
            row("haircut SOL", account.sol, 0, sol),
            row("concentration SOL perpetual", account.sol_perp, 0, concentration[0]),
            row("haircut BTC", account.btc, 1, btc),
            row("borrow weight ETH", account.eth, 2, borrow),
            row("concentration XAU perpetual", account.xau_perp, 3, concentration[1]),
        ],
    )
}

fn options_block(market: &Market, options: &Options, hand: &Hand) -> String {
    let w = deviations(market, options);
    let discount = DISCOUNT as f64 / 2f64.powi(32);
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    line(format!("shock up   = 45 % (30/14)^0.3 = {}", percent(options.shocks[0].raw())));
    line(format!("shock down = 30 % (30/14)^0.3 = {}", percent(options.shocks[1].raw())));
    for (name, [own, up, down]) in [("140", w[0]), ("175", w[1])] {
        line(format!("strike {name}:  w = {own:.6}   up {up:.6}   down {down:.6}"));
    }
    line(format!("D F / S = {discount:.6} {} / {} = {:.6}", eighths(market.forward), eighths(market.spot[0]), {
        discount * market.forward as f64 / market.spot[0] as f64
    }));
    line(format!("linear exposure of the puts   80 D F / S = {} SOL", six(hand.forwards)));
    line(format!("strikes of the puts          -80 D K     = {} USD", six(hand.strikes)));
    line(format!("unit of a stored value       1e-6 USD / 2^{}", options.terms.scale));
    text
}

/// The moves that the options are revalued at: stored values, and Black's formula for one SOL.
fn node_table(market: &Market, options: &Options, hand: &Hand) -> String {
    let (w, discount) = (deviations(market, options), DISCOUNT as f64 / 2f64.powi(32));
    let forward = market.forward as f64 / 8.0;
    let unit = 2f64.powi(options.terms.scale) * 1e6 / 10.0;
    let mut rows = Vec::new();
    let mut row = |k: String, x: f64, width: usize, node: usize| {
        let mut cells = vec![k, format!("{:.4}", x * market.spot[0] as f64 / 8.0)];
        for (strike, array, w) in [(PUT_STRIKE, &options.put, w[0]), (CALL_STRIKE, &options.call, w[1])] {
            let call = black::call(forward * x, strike as f64, w[width], discount);
            let value = f64::from(array.values[node]);
            assert!((call * unit - value).abs() <= 2e-8 * forward * unit + 1.0, "{call} {value}");
            cells.extend([format!("{call:.6}"), value.to_string()]);
        }
        rows.push(cells);
    };
    row("mark".to_owned(), 1.0, 0, 34);
    for (k, scenario) in GRID.iter().enumerate().take(14) {
        let x = 1.0 + f64::from(scenario.thirds) / 3.0 * hand.init.ranges[0] as f64 / 1e6;
        let first = if scenario.volatility == VolatilityMove::Up { 7 } else { 22 };
        let node = usize::try_from(first + 2 * i32::from(scenario.thirds)).unwrap();
        row(k.to_string(), x, if k < 7 { 1 } else { 2 }, node);
    }
    for (name, steps, node) in
        [("14, low", -3.5, 30), ("14, high", -2.5, 31), ("15, low", 2.5, 32), ("15, high", 3.5, 33)]
    {
        row(name.to_owned(), 1.0 + steps * hand.init.ranges[0] as f64 / 1e6, 1, node);
    }
    table(&["k", "spot", "call 140", "stored", "call 175", "stored"], rows)
}

fn exposure_table(hand: &Hand) -> String {
    let rows = (0..4).map(|u| {
        let numbers = [
            hand.exposures[u],
            hand.nets[u],
            hand.values[u],
            hand.init.shocks[u],
            hand.maint.shocks[u],
            hand.doubts[u],
            hand.gaps[u],
            hand.addons[u][0],
            hand.addons[u][1],
        ];
        std::iter::once(NAMES[u].to_owned()).chain(numbers.map(six)).collect()
    });
    table(&["u", "D", "D + delta", "V", "a init", "a maint", "C", "M", "add-on init", "add-on maint"], rows)
}

fn scenario_table(hand: &Hand) -> String {
    let (init, maint) = (&hand.init, &hand.maint);
    let majors: i128 = init.shocks[..3].iter().sum();
    let rows = GRID.iter().enumerate().map(|(k, scenario)| {
        let way = if scenario.volatility == VolatilityMove::Up { "up" } else { "down" };
        let numbers = [
            linear(init.shocks[0], k),
            init.pnl[k],
            init.sol[k],
            linear(majors, k),
            init.majors[k],
            maint.sol[k],
            maint.majors[k],
        ];
        [k.to_string(), format!("{:+}/3", scenario.thirds), way.to_owned()]
            .into_iter()
            .chain(numbers.map(six))
            .collect::<Vec<_>>()
    });
    table(
        &["k", "move", "vol", "SOL linear", "options", "SOL", "majors linear", "majors", "SOL maint", "majors maint"],
        rows,
    )
}

/// How the gains of scenario 0 are read off at both ranges.
fn reading_block(account: &Account, options: &Options, hand: &Hand) -> String {
    let mut text = String::new();
    let mark = stored(account, options, 34);
    writeln!(text, "mark          -800 x {} + 600 x {} = {mark}", options.put.values[34], options.call.values[34])
        .unwrap();
    for (name, side) in [("init", &hand.init), ("maint", &hand.maint)] {
        let (node, part) = place(options, side.ranges[0], side.third, 0);
        let (below, above) = (stored(account, options, node), stored(account, options, node + 1));
        let value = read_off(account, options, side.ranges[0], side.third, 0);
        writeln!(text, "{name:<6} third = {} / 2^31 nodes, node {node}, part = {part} / 2^31", side.third).unwrap();
        writeln!(text, "       {below} + ({above} - {below}) part = {value}").unwrap();
        let gain = six(side.pnl[0]);
        writeln!(text, "       pnl_0 = ({value} - {mark}) / 2^{} 1e-6 = {gain} USD", options.terms.scale).unwrap();
    }
    text
}

fn aggregation_table(hand: &Hand) -> String {
    let row = |name: &str, of: &dyn Fn(&Side) -> i128| vec![name.to_owned(), six(of(&hand.init)), six(of(&hand.maint))];
    table(
        &["step", "range init", "range maint"],
        [
            row("L_SOL = max(S, worst of column SOL)", &|side| side.losses[0]),
            row("L_BTC", &|side| side.losses[1]),
            row("L_ETH", &|side| side.losses[2]),
            row("L_XAU", &|side| side.losses[3]),
            row("N_majors = max(S, worst of column majors)", &|side| side.netted),
            row("A_majors = L_SOL + L_BTC + L_ETH", &|side| side.gross),
            row("R_majors = 0.6 N + 0.4 A", &|side| side.risks[0]),
            row("R_metals = L_XAU", &|side| side.risks[1]),
            row("R = sqrt(R_majors^2 + R_metals^2 + 2 x 0.3 R_majors R_metals)", &|side| side.stress),
        ],
    )
}

fn health_table(hand: &Hand) -> String {
    let sum = |values: &[i128; 4]| values.iter().sum::<i128>();
    let addon = |side: usize| hand.addons.iter().map(|addons| addons[side]).sum::<i128>();
    let row = |name: &str, init: i128, maint: i128| vec![name.to_owned(), six(init), six(maint)];
    let stress = [hand.init.stress.max(hand.maint.stress), ceil_ppm(hand.maint.stress, 800_000)];
    table(
        &["", "init", "maint"],
        [
            row("stress: max(R, R'), 0.8 R'", stress[0], stress[1]),
            row("sum of C", sum(&hand.doubts), sum(&hand.doubts)),
            row("sum of M", sum(&hand.gaps), 0),
            row("haircuts, borrow weights, concentration", addon(0), addon(1)),
            row("**requirement**", hand.requirements[0], hand.requirements[1]),
            row("equity E", hand.equity, hand.equity),
            row("**health H**", hand.equity - hand.requirements[0], hand.equity - hand.requirements[1]),
        ],
    )
}

/// The positions one by one.
fn parts(account: &Account) -> [(&'static str, Account); 7] {
    let a = account;
    [
        ("SOL deposit", Account { sol: a.sol, ..NOTHING }),
        ("SOL perpetual", Account { sol_perp: a.sol_perp, sol_cash: a.sol_cash, ..NOTHING }),
        ("80 puts 140 sold", Account { puts: a.puts, ..NOTHING }),
        ("60 calls 175 bought", Account { calls: a.calls, ..NOTHING }),
        ("BTC deposit", Account { btc: a.btc, ..NOTHING }),
        ("ETH borrow", Account { eth: a.eth, ..NOTHING }),
        ("XAU perpetual", Account { xau_perp: a.xau_perp, xau_cash: a.xau_cash, ..NOTHING }),
    ]
}

fn standalone_table(market: &Market, options: &Options, whole: &Report) -> String {
    let quote = |quote: Quote| i128::from(quote.raw());
    let parts = parts(&ACCOUNT).map(|(name, part)| {
        let hand = Hand::new(&part, market, options);
        let book = book(&part, market, options);
        assert_engine(&hand, &report(&book.portfolio, &book.options, &PARAMETERS).unwrap());
        (name, hand, book)
    });
    let row = |name: &str, init: i128, maint: i128| vec![name.to_owned(), six(init), six(maint)];
    let mut rows: Vec<_> =
        parts.iter().map(|(n, hand, _)| row(n, hand.requirements[0], hand.requirements[1])).collect();
    let books = parts.iter().map(|(_, _, book)| (&book.portfolio, book.options.as_slice()));
    let sum: Standalone = standalone(&whole.margin, books, &PARAMETERS).unwrap();
    rows.push(row("sum of the parts", quote(sum.requirement_init), quote(sum.requirement_maint)));
    let margin = &whole.margin;
    rows.push(row("the account", quote(margin.requirement_init), quote(margin.requirement_maint)));
    rows.push(row("**saving**", quote(sum.saving_init), quote(sum.saving_maint)));
    let by_hand = |side: usize| parts.iter().map(|(_, hand, _)| hand.requirements[side]).sum::<i128>();
    assert_eq!([quote(sum.requirement_init), quote(sum.requirement_maint)], [by_hand(0), by_hand(1)]);
    table(&["alone", "requirement init", "requirement maint"], rows)
}

fn greeks_table(market: &Market, hand: &Hand, greeks: &PortfolioGreeks) -> String {
    let w = deviations(market, &market.options());
    let (d, f, years) = (DISCOUNT as f64 / 2f64.powi(32), market.forward as f64 / 8.0, EXPIRY as f64 / 31_536_000.0);
    let (mut gamma, mut vega, mut theta) = (0.0, 0.0, 0.0);
    for (lots, strike, w) in [(-80.0, PUT_STRIKE, w[0][0]), (60.0, CALL_STRIKE, w[1][0])] {
        let d1 = (f / strike as f64).ln() / w + w / 2.0;
        let density = (-0.5 * d1 * d1).exp() / (2.0 * std::f64::consts::PI).sqrt();
        gamma += lots * d * f * density / w / 100.0;
        vega += lots * d * f * density * years.sqrt() / 100.0;
        theta -= lots * d * f * density * w / (2.0 * years) / 365.0;
    }
    let line = &greeks.underlyings[0].quote;
    for (by_hand, engine) in [(gamma, line.gamma), (vega, line.vega), (theta, line.theta)] {
        assert!((by_hand - engine.raw() as f64 / 1e6).abs() < 0.001, "{by_hand} {engine:?}");
    }
    assert_eq!(i128::from(greeks.underlyings[0].delta.raw()), hand.nets[0]);
    let cells = |name: &str, base: String, g: &plimsoll_risk::greeks::Greeks| {
        let numbers = [g.delta, g.gamma, g.vega, g.theta].map(|greek| six(greek.raw().into()));
        [name.to_owned(), base].into_iter().chain(numbers).collect::<Vec<_>>()
    };
    let lines = (0..4).map(|u| {
        let line = &greeks.underlyings[u];
        cells(NAMES[u], six(line.delta.raw().into()), &line.quote)
    });
    let total = cells("all", String::new(), &greeks.total);
    table(
        &["u", "delta, units", "delta, USD", "gamma per 1 %", "vega per point", "theta per day"],
        lines.chain([total]),
    )
}

/// Takes a fraction of everything over, for a payment.
fn taken_over(account: &Account, part: Fraction, paid: Quote) -> Account {
    let left = |amount: i64| amount - pro_rata_signed(amount, part).unwrap();
    Account {
        usdc: left(account.usdc) + paid.raw(),
        sol_cash: left(account.sol_cash),
        xau_cash: left(account.xau_cash),
        sol: left(account.sol),
        sol_perp: left(account.sol_perp),
        btc: left(account.btc),
        eth: left(account.eth),
        xau_perp: left(account.xau_perp),
        puts: left(account.puts),
        calls: left(account.calls),
    }
}

fn liquidation_block(hand: &Hand, report: &Report) -> (String, Fraction, Quote) {
    let (equity, requirement) = (report.margin.equity_maint, report.margin.requirement_maint);
    let rate = discount(&LIQUIDATION, Seconds::from_raw(120));
    let gain = reward(equity, requirement, rate).unwrap();
    let part = fraction(equity, requirement, rate, &LIQUIDATION).unwrap();
    let paid = payment(part, equity, requirement, rate).unwrap();
    let (e, r, gain_raw) = (hand.equity, hand.requirements[1], i128::from(gain.raw()));
    assert_eq!(gain_raw, (r * i128::from(rate.raw())).div_euclid(MILLION));
    let target = r + ceil_ppm(r, 100_000);
    let by_hand = -(-((target - e) << 32)).div_euclid(target - gain_raw);
    assert_eq!(i128::from(part.raw()), by_hand);
    let paid_by_hand = (by_hand * (e - gain_raw) + (1 << 32) - 1) >> 32;
    assert_eq!(i128::from(paid.raw()), paid_by_hand);
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    line(format!("d       = 0.5 % + (10.5 % - 0.5 %) 120 / 600 = {}", percent(rate.raw())));
    line(format!("reward  = d R = {}", six(gain_raw)));
    line(format!("T       = 1.1 R = {}", six(target)));
    line(format!("f       = ({} - {}) / ({} - {})", six(target), six(e), six(target), six(gain_raw)));
    line(format!("        = {by_hand} / 2^32 = {:.9}", by_hand as f64 / 2f64.powi(32)));
    line(format!("payment = f (E - reward) = f {} = {}", six(e - gain_raw), six(paid_by_hand)));
    line(format!("gain    = f E - payment = {}", six(((by_hand * e) >> 32) - paid_by_hand)));
    (text, part, paid)
}

fn after_table(before: &Account, after: &Account) -> String {
    let row = |name: &str, before: i64, after: i64| {
        vec![name.to_owned(), six(before.into()), six((before - after).into()), six(after.into())]
    };
    let lots = |name: &str, before: i64, after: i64| {
        vec![name.to_owned(), before.to_string(), (before - after).to_string(), after.to_string()]
    };
    table(
        &["", "before", "taken over, payment in quote", "left"],
        [
            row("USDC", before.usdc, after.usdc),
            row("cash in SOL", before.sol_cash, after.sol_cash),
            row("cash in XAU", before.xau_cash, after.xau_cash),
            row("SOL deposit", before.sol, after.sol),
            row("SOL perpetual", before.sol_perp, after.sol_perp),
            row("BTC deposit", before.btc, after.btc),
            row("ETH borrow", before.eth, after.eth),
            row("XAU perpetual", before.xau_perp, after.xau_perp),
            lots("puts 140, lots", before.puts, after.puts),
            lots("calls 175, lots", before.calls, after.calls),
        ],
    )
}

/// One moment of the account: the hand's numbers, held against the engine's.
fn moment(account: &Account, market: &Market) -> (Options, Hand, Report, PortfolioGreeks) {
    let options = market.options();
    let hand = Hand::new(account, market, &options);
    let book = book(account, market, &options);
    let report = report(&book.portfolio, &book.options, &PARAMETERS).unwrap();
    assert_engine(&hand, &report);
    let greeks = greeks(&book.portfolio, &book.greeks).unwrap();
    (options, hand, report, greeks)
}

/// Ranges and volatility shocks are what their formulas say, rounded up.
fn assert_formulas(options: &Options) {
    for u in 0..4 {
        let by_hand = 3.5 * f64::from(BEFORE.sigma[u]) * (8.0_f64 / 8_760.0).sqrt();
        assert!((0.0..=1.0).contains(&(f64::from(BEFORE.range(u, false).raw()) - by_hand)));
    }
    for (base, shock) in [450_000.0, 300_000.0].into_iter().zip(options.shocks) {
        let by_hand = base * (30.0_f64 / 14.0).powf(0.3);
        assert!((-0.02..=1.02).contains(&(f64::from(shock.raw()) - by_hand)));
    }
}

/// The blocks of the example before the prices move, in the page's order.
fn blocks_before() -> Vec<String> {
    let (options, hand, report, greeks) = moment(&ACCOUNT, &BEFORE);
    assert_addons(&hand);
    assert_formulas(&options);
    assert!(report.margin.health_init().unwrap() > Quote::ZERO, "{:?}", report.margin);
    vec![
        holdings_table(&ACCOUNT, &BEFORE),
        market_table(&BEFORE),
        terms_block(&ACCOUNT, &BEFORE),
        options_block(&BEFORE, &options, &hand),
        node_table(&BEFORE, &options, &hand),
        addon_table(&ACCOUNT, &BEFORE),
        exposure_table(&hand),
        equity_line(&ACCOUNT, &hand),
        reading_block(&ACCOUNT, &options, &hand),
        scenario_table(&hand),
        format!("S = 1 % x (80 + 0) x 156 = {} USD\n", six(hand.minimum)),
        aggregation_table(&hand),
        health_table(&hand),
        standalone_table(&BEFORE, &options, &report),
        greeks_table(&BEFORE, &hand, &greeks),
    ]
}

fn equity_line(account: &Account, hand: &Hand) -> String {
    let quote = i128::from(account.usdc + account.sol_cash + account.xau_cash);
    let values = hand.values.map(|value| format!("({})", six(value))).join(" + ");
    format!("marks of the calls = {} USD\nE = {} + {values} = {} USD\n", six(hand.marks), six(quote), six(hand.equity))
}

/// The blocks after the prices have moved: the account below its line, and what a liquidator leaves of it.
fn blocks_after() -> Vec<String> {
    let (_, hand, report, _) = moment(&ACCOUNT, &AFTER);
    let (liquidation, part, paid) = liquidation_block(&hand, &report);
    let left = taken_over(&ACCOUNT, part, paid);
    let (_, rest, rest_report, _) = moment(&left, &AFTER);
    assert!(report.margin.health_maint().unwrap() < Quote::ZERO, "{:?}", report.margin);
    assert!(rest_report.margin.health_maint().unwrap() > Quote::ZERO);
    let ratio = |hand: &Hand| hand.equity as f64 / hand.requirements[1] as f64;
    assert!(ratio(&rest) > ratio(&hand));
    let line = format!(
        "E / R before = {:.6}\nE' = {}   R' = {}   H' = {}   E' / R' = {:.6}\n",
        ratio(&hand),
        six(rest.equity),
        six(rest.requirements[1]),
        six(rest.equity - rest.requirements[1]),
        ratio(&rest)
    );
    vec![
        market_table(&AFTER),
        terms_block(&ACCOUNT, &AFTER),
        exposure_table(&hand),
        aggregation_table(&hand),
        health_table(&hand),
        liquidation,
        after_table(&ACCOUNT, &left),
        line,
    ]
}

/// Every block of the example stands on the page as it is computed here, in this order.
#[test]
fn the_page_says_what_the_hand_and_the_engine_calculate() {
    let mut rest = PAGE;
    let mut missing = String::new();
    for block in blocks_before().into_iter().chain(blocks_after()) {
        match rest.split_once(block.as_str()) {
            Some((_, after)) => rest = after,
            None => missing = missing + &block + "\n",
        }
    }
    assert!(missing.is_empty(), "docs/risk.md is to say, in its worked example:\n\n{missing}");
}
