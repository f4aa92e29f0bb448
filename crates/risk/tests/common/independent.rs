//! The margin a third time, from accounts rather than from the engine's inputs: floating point, written from the design's
//! text and the formulas of the modules' pages. It shares no arithmetic with the engine: Black 1976 by the C library's
//! error function, puts valued as puts, every scenario revalued.
//!
//! # What may differ
//!
//! The answer is a number and an interval around it. A requirement `R` is monotone in the loss of every scenario, and
//! moves by no more than the sum over the underlyings of the largest change in a scenario. So each underlying carries by
//! how much its gains may be understated (`under`) and overstated (`over`) in each scenario, and `R` is computed three
//! times, of the gains, of the gains less `under`, and of the gains plus `over`.
//!
//! ```text
//! per option     |lots| D F lot (2 e)               two stored values, each within e = ROUNDING
//! per board      2 units (to quote, damping); puts: (F/S + 2) base units of forward, at the spot
//! per underlying 4 units (gross, range, thirds, value)
//! whole          1 unit a group, 1 the root, 1 the maintenance ratio
//! ```
//!
//! The arrays read where they were made are compared with full revaluation but for what the page reads off a chord: the
//! extreme moves, whose nodes are at 5/2 and 7/2 ranges, and a range towards maint of its own. There the reference takes
//! the page's chord itself ([`Method::Chords`]). Read elsewhere ([`Method::Revaluation`]) everything is revalued, and the
//! intervals grow by the page's bounds, to the side that the page names: the chord to a long's `over` and a short's
//! `under`, the remainder of the mark to both.
use super::account::{Account, DEAD_AGE, Expiry, MAX_AGE, Market, NOW, Series, price, ratio, years};
use plimsoll_risk::options::ArrayTerms;
use plimsoll_risk::portfolio::Margin;

/// What a stored value may be off by, of the discounted forward of one lot.
pub const ROUNDING: f64 = 2e-8;
/// What floating point may be off by, relative to the gross amounts that were summed.
const FLOAT: f64 = 1e-14;
const SCENARIOS: usize = 16;

/// What the reference does where the engine interpolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The same chord, between values of its own: for arrays made at this spot and moment.
    Chords,
    /// Full revaluation, within the page's bound: for any arrays.
    Revaluation,
}

/// A number, and what it may be between.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    pub at: f64,
    pub low: f64,
    pub high: f64,
}

impl Between {
    fn around(at: f64, by: f64) -> Self {
        Self { at, low: at - by, high: at + by }
    }

    /// How far off a value is, of what it may be: at most one.
    pub fn off(&self, value: i64) -> f64 {
        let gap = value as f64 - self.at;
        if gap == 0.0 {
            return 0.0;
        }
        if gap >= 0.0 { gap / (self.high - self.at) } else { gap / (self.low - self.at) }
    }
}

/// What the engine should answer.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub equity_init: Between,
    pub equity_maint: Between,
    pub requirement_init: Between,
    pub requirement_maint: Between,
    pub blocked_by: Option<u8>,
    /// Largest magnitude of one underlying, quote native: from 2^58 on the engine refuses.
    pub largest: f64,
    /// Largest magnitude of one underlying in base units: from 2^63 on the engine refuses.
    pub largest_base: f64,
}

impl Expected {
    pub fn parts(&self, margin: &Margin) -> [(&'static str, Between, i64); 4] {
        [
            ("equity_init", self.equity_init, margin.equity_init.raw()),
            ("equity_maint", self.equity_maint, margin.equity_maint.raw()),
            ("requirement_init", self.requirement_init, margin.requirement_init.raw()),
            ("requirement_maint", self.requirement_maint, margin.requirement_maint.raw()),
        ]
    }
}

/// Cumulative normal distribution.
pub fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Black 1976, undiscounted and relative to the forward at the arrays' spot: `x` is spot over that spot. Below zero, where
/// only extreme moves go, calls are worth nothing and puts what parity says.
fn black(put: bool, x: f64, k: f64, w: f64) -> f64 {
    if x <= 0.0 {
        return if put { k - x } else { 0.0 };
    }
    let d1 = (x / k).ln() / w + w / 2.0;
    let d2 = d1 - w;
    if put { k * normal(-d2) - x * normal(-d1) } else { x * normal(d1) - k * normal(d2) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Stale,
    Dead,
}

/// Gains of one underlying in the scenarios of one range.
#[derive(Clone, Copy, Default)]
struct Gains {
    at: [f64; SCENARIOS],
    under: [f64; SCENARIOS],
    over: [f64; SCENARIOS],
}

impl Gains {
    /// The gains as they are, as low and as high as they may be.
    fn of(&self, bound: Bound) -> [f64; SCENARIOS] {
        std::array::from_fn(|k| match bound {
            Bound::At => self.at[k],
            Bound::Worst => self.at[k] - self.under[k],
            Bound::Best => self.at[k] + self.over[k],
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    At,
    Worst,
    Best,
}

/// One underlying.
struct Position {
    age: Age,
    committed: bool,
    group: usize,
    value: Between,
    confidence: Between,
    ema_gap: Between,
    addon_init: Between,
    addon_maint: Between,
    init: Gains,
    maint: Gains,
    short_minimum: Between,
    long_minimum: Between,
    /// Sum of magnitudes, quote native.
    gross: f64,
    /// The same in base units.
    gross_base: f64,
}

/// One option at the market, relative to the discounted forward.
struct Quoted<'a> {
    market: &'a Market,
    board: &'a Expiry,
    series: &'a Series,
    /// Spot over the arrays' spot.
    x: f64,
    /// Strike over the forward.
    k: f64,
    w: f64,
    up: f64,
    down: f64,
    /// `D F lot` of one lot, quote native.
    unit: f64,
    method: Method,
}

impl<'a> Quoted<'a> {
    fn new(market: &'a Market, board: &'a Expiry, series: &'a Series, method: Method) -> Self {
        let root = years(board).sqrt();
        let volatility = f64::from(series.volatility);
        // Volatilities are whole ppm within 1 % and 500 %; a shock's part is rounded up.
        let up = (volatility + (volatility * f64::from(market.volatility_up) / 1e6).ceil()).min(5e6);
        let down = (volatility - (volatility * f64::from(market.volatility_down) / 1e6).ceil()).max(1e4);
        Self {
            market,
            board,
            series,
            x: price(market.spot) / price(board.spot),
            k: price(series.strike) / price(board.forward),
            w: volatility / 1e6 * root,
            up: up / 1e6 * root,
            down: down / 1e6 * root,
            unit: board.discount as f64 / 2f64.powi(32) * price(board.forward) * board.lot as f64,
            method,
        }
    }

    /// Distance of the spot from the arrays'.
    fn drift(&self) -> f64 {
        (self.x - 1.0).abs()
    }

    /// Age of the arrays, of their time to expiry.
    fn aged(&self) -> f64 {
        (NOW - self.board.made) as f64 / self.board.time.max(600) as f64
    }

    /// The mark now.
    fn mark(&self) -> Between {
        let at = black(self.series.put, self.x, self.k, self.w * (1.0 - self.aged()).sqrt());
        // Third order in the drift; second order in the age a = t / T, of d V / d a = - phi(d1) w / 2 sqrt(1 - a):
        // a^2 / 2 w phi(d1) |1 - d1 d2| / 4, less than a^2 w (0.4 + 0.25 w) / 7; and what both together make, as the decay
        // at another spot is another: d / dx (x phi(d1) w / 2) = - phi(d1) d2 / 2, at most 0.121 + 0.2 w.
        let aged = self.aged();
        let both = (0.121 + 0.2 * self.w) * self.drift() * aged;
        let decay = aged.powi(2) * self.w * (0.4 + 0.25 * self.w) / 7.0 + both;
        Between::around(at, self.taylor() + decay + 2.0 * ROUNDING)
    }

    /// The mark's remainder in the drift: a third of it cubed over two times the third derivative.
    fn taylor(&self) -> f64 {
        1.07 * self.drift().powi(3) / 6.0 * (0.242 / self.w.powi(2) + 0.4 / self.w)
    }

    /// Slope of the value in units of the forward, of either kind.
    fn delta(&self) -> Between {
        let d1 = (self.x / self.k).ln() / self.w + self.w / 2.0;
        let at = if self.series.put { -normal(-d1) } else { normal(d1) };
        // Second order in the drift; logarithms are within 2^-32.
        let remainder = 1.07 * self.drift().powi(2) / 2.0 * (0.242 / self.w.powi(2) + 0.4 / self.w);
        Between::around(at, remainder + ROUNDING + 1e-9 * 0.4 / self.w)
    }

    /// Value after a move, by the page's chord of the call between nodes; the put's forward is exact.
    fn chord(&self, low: f64, high: f64, x: f64, w: f64) -> f64 {
        let (at_low, at_high) = (black(false, low, self.k, w), black(false, high, self.k, w));
        let call = at_low + (at_high - at_low) * (x.max(0.0) - low) / (high - low);
        if self.series.put { call - x + self.k } else { call }
    }

    /// Gain in every scenario of a range, relative to the discounted forward, and how far it may be off because of the
    /// chord: above zero.
    fn gains(&self, range: u32, damping: f64) -> ([f64; SCENARIOS], [f64; SCENARIOS]) {
        let h = ratio(self.board.range) / 6.0;
        // Marks and arrays are of one moment in the gains: no decay.
        let mark = black(self.series.put, self.x, self.k, self.w);
        let on_nodes = range == self.board.range && self.market.spot == self.board.spot;
        let (mut gains, mut chords) = ([0.0; SCENARIOS], [0.0; SCENARIOS]);
        for k in 0..14 {
            let w = if k < 7 { self.up } else { self.down };
            let x = self.x * (1.0 + ((k % 7) as f64 - 3.0) / 3.0 * ratio(range));
            let node = ((x - 1.0) / h).floor().clamp(-7.0, 6.0);
            let (low, high) = (1.0 + node * h, 1.0 + (node + 1.0) * h);
            gains[k] = if on_nodes || self.method == Method::Revaluation {
                black(self.series.put, x, self.k, w)
            } else {
                self.chord(low, high, x, w)
            } - mark;
            if self.method == Method::Revaluation {
                // A unit in the last place of a node may put it into the next chord.
                chords[k] = bound(h, w, low.min(x - h / 1e3));
            }
        }
        for (k, x) in [(14, self.x * (1.0 - 3.0 * ratio(range))), (15, self.x * (1.0 + 3.0 * ratio(range)))] {
            let (low, high) = extreme_nodes(x, h);
            let after = match self.method {
                Method::Chords => self.chord(low, high, x, self.up),
                Method::Revaluation => black(self.series.put, x, self.k, self.up),
            };
            gains[k] = damping * (after - mark);
            if self.method == Method::Revaluation {
                chords[k] = damping * bound(high - low, self.up, low.min(x - h / 1e3).max(0.0));
            }
        }
        (gains, chords)
    }
}

/// The nodes around the end of an extreme move: those at 5/2 and 7/2 ranges, the nearer of them and the outermost move, or
/// two moves.
fn extreme_nodes(x: f64, h: f64) -> (f64, f64) {
    let lowest = far_below(h);
    let moves = (-7..=7).map(|step| 1.0 + f64::from(step) * h);
    let nodes = [lowest, (1.0 - 15.0 * h).max(1.0 / 32.0)].into_iter().chain(moves);
    let nodes: Vec<f64> = nodes.chain([1.0 + 15.0 * h, 1.0 + 21.0 * h]).collect();
    let pair = nodes.windows(2).find(|pair| x.max(0.0) <= pair[1]);
    pair.map_or((nodes[nodes.len() - 2], nodes[nodes.len() - 1]), |pair| (pair[0], pair[1]))
}

/// The farthest node below: zero instead of next to nothing, below 1/4096.
fn far_below(h: f64) -> f64 {
    let x = 1.0 - 21.0 * h;
    if x < 1.0 / 4096.0 { 0.0 } else { x }
}

/// The page: `h min(1/4, h / (20 x w))`.
fn bound(h: f64, w: f64, x: f64) -> f64 {
    if x <= 0.0 { h / 4.0 } else { h * f64::min(0.25, h / (20.0 * x * w)) }
}

impl Position {
    fn new(market: &Market, damping: f64, method: Method) -> Self {
        let age = match NOW - market.publish_time {
            age if age <= MAX_AGE => Age::Fresh,
            age if age <= DEAD_AGE => Age::Stale,
            _ => Age::Dead,
        };
        let spot = price(market.spot);
        let size = market.perpetual.map_or(0, |perpetual| perpetual.size);
        let linear = (size + market.balances.iter().map(|balance| balance.amount).sum::<i64>()) as f64;
        let addon = |rate: &dyn Fn(usize) -> f64| {
            let each = market.balances.iter().enumerate().map(|(n, b)| (b.amount as f64 * spot).abs() * rate(n));
            let units = 2.0 * market.balances.len() as f64;
            let at = each.sum::<f64>();
            Between { at, low: at - 1.0 - FLOAT * at, high: at + units + FLOAT * at }
        };
        let borrowed = market.balances.iter().any(|balance| balance.amount < 0);
        let mut position = Self {
            age,
            committed: borrowed || size != 0 || linear < 0.0 || market.has_options(),
            group: usize::from(market.group),
            value: Between::around(linear * spot, 2.0),
            confidence: Between::around(0.0, 0.0),
            ema_gap: Between::around(0.0, 0.0),
            addon_init: addon(&|n| ratio(market.balances[n].init)),
            addon_maint: addon(&|n| ratio(market.balances[n].maint)),
            init: moves(linear * spot * ratio(market.range), damping),
            maint: moves(linear * spot * ratio(market.range_maint), damping),
            short_minimum: Between::around(0.0, 0.0),
            long_minimum: Between::around(0.0, 0.0),
            gross: (linear * spot).abs(),
            gross_base: 0.0,
        };
        let mut net = Between::around(linear, 0.0);
        if market.has_options() {
            market.boards.iter().for_each(|board| position.add_board(market, board, damping, method, &mut net));
        }
        position.gross_base = position.gross / spot;
        position.doubt(market, net);
        let float = FLOAT * position.gross;
        for gains in [&mut position.init, &mut position.maint] {
            gains.under.iter_mut().chain(&mut gains.over).for_each(|slack| *slack += 4.0 + float);
        }
        position.value.low -= float;
        position.value.high += float;
        position
    }

    fn add_board(&mut self, market: &Market, board: &Expiry, damping: f64, method: Method, net: &mut Between) {
        let spot = price(market.spot);
        let (mut long, mut short, mut puts) = (0.0, 0.0, 0.0);
        for series in &board.series {
            let lots = series.lots as f64;
            *(if lots > 0.0 { &mut long } else { &mut short }) += lots.abs() * board.lot as f64 * spot;
            puts += if series.put { 1.0 } else { 0.0 };
            let option = Quoted::new(market, board, series, method);
            let notional = lots.abs() * option.unit;
            let mark = option.mark();
            self.value.at += lots * option.unit * mark.at;
            self.value.low -= notional * (mark.high - mark.at);
            self.value.high += notional * (mark.high - mark.at);
            // Shift of what low and high are around.
            self.value.low += lots * option.unit * mark.at;
            self.value.high += lots * option.unit * mark.at;
            let delta = option.delta();
            let base = lots * option.unit / price(board.spot);
            net.at += base * delta.at;
            net.low += base * delta.at - (base * (delta.high - delta.at)).abs();
            net.high += base * delta.at + (base * (delta.high - delta.at)).abs();
            self.gross += notional * (1.0 + option.k);
            let init = option.gains(market.range, damping);
            self.add_gains(true, &option, lots, &init);
            let maint =
                if market.range_maint == market.range { init } else { option.gains(market.range_maint, damping) };
            self.add_gains(false, &option, lots, &maint);
        }
        // Elsewhere delta moves by gamma, whose sum is kept to 256 units of the values, of 2^-29 of a lot or less.
        let lot = board.discount as f64 / 2f64.powi(32) * price(board.forward) * board.lot as f64 / price(board.spot);
        let coarse = if market.spot == board.spot { 0.0 } else { lot * 256.0 / 2f64.powi(29) };
        net.low -= coarse;
        net.high += coarse;
        // Forwards of the puts, in base units; what is rounded to quote once a board, and twice for each discounted strike.
        let forwards = if puts > 0.0 { price(board.forward) / price(board.spot) + 2.0 } else { 0.0 };
        net.low -= forwards + 2.0 + 2.0 / spot;
        net.high += forwards + 2.0 + 2.0 / spot;
        self.value.low -= forwards * spot + 2.0 + 2.0 * puts;
        self.value.high += forwards * spot + 2.0 + 2.0 * puts;
        for gains in [&mut self.init, &mut self.maint] {
            gains.under.iter_mut().chain(&mut gains.over).for_each(|slack| *slack += forwards * spot + 2.0);
        }
        let rate = ratio(market.short_minimum);
        for (minimum, notional) in [(&mut self.short_minimum, short), (&mut self.long_minimum, long)] {
            minimum.at += rate * notional;
            minimum.low += rate * notional - FLOAT * notional;
            minimum.high += rate * notional + FLOAT * notional + 2.0;
        }
    }

    fn add_gains(&mut self, init: bool, option: &Quoted, lots: f64, gains: &([f64; SCENARIOS], [f64; SCENARIOS])) {
        let into = if init { &mut self.init } else { &mut self.maint };
        let notional = lots.abs() * option.unit;
        for (k, (gain, chord)) in gains.0.iter().zip(gains.1).enumerate() {
            into.at[k] += lots * option.unit * gain;
            let both = option.taylor() + 2.0 * ROUNDING;
            into.under[k] += notional * (both + if lots < 0.0 { chord } else { 0.0 });
            into.over[k] += notional * (both + if lots > 0.0 { chord } else { 0.0 });
        }
    }

    /// The oracle's doubt, on the net exposure.
    fn doubt(&mut self, market: &Market, net: Between) {
        let slack = (net.high - net.low) / 2.0 + FLOAT * self.gross / price(market.spot);
        let multiplier = ratio(market.confidence_multiplier);
        let confidence = price(market.confidence) * multiplier;
        self.confidence = Between::around(net.at.abs() * confidence, slack * confidence + multiplier + 2.0);
        let gap = price(market.spot) - price(market.ema);
        self.ema_gap = Between::around((net.at * gap).max(0.0), slack * gap.abs() + 2.0);
    }

    /// What the worst scenario loses, or the short-option minimum.
    fn loss(&self, init: bool, bound: Bound) -> f64 {
        let gains = if init { &self.init } else { &self.maint };
        worst(&gains.of(bound)).max(self.minimum(bound))
    }

    fn minimum(&self, bound: Bound) -> f64 {
        match bound {
            Bound::At => self.short_minimum.at,
            Bound::Worst => self.short_minimum.high,
            Bound::Best => self.short_minimum.low,
        }
    }

    /// What the best scenario gains, the price moved in the account's favour: the loss of the opposite position.
    fn favour(&self) -> Between {
        let best = |bound| self.maint.of(bound).iter().fold(0.0, |best: f64, gain| best.max(*gain));
        Between {
            at: best(Bound::At).max(self.long_minimum.at),
            low: best(Bound::Worst).max(self.long_minimum.low),
            high: best(Bound::Best).max(self.long_minimum.high),
        }
    }
}

/// Gains of a linear exposure that gains `shock` when the price rises by one range.
fn moves(shock: f64, damping: f64) -> Gains {
    let at = std::array::from_fn(|k| match k {
        0..14 => ((k % 7) as f64 - 3.0) / 3.0 * shock,
        14 => -3.0 * damping * shock,
        _ => 3.0 * damping * shock,
    });
    Gains { at, ..Gains::default() }
}

fn worst(gains: &[f64; SCENARIOS]) -> f64 {
    gains.iter().fold(0.0, |worst, gain| worst.max(-gain))
}

/// `R` of the positions that count, and no rounding.
fn stress(positions: &[&Position], account: &Account, init: bool, bound: Bound) -> f64 {
    let mut risks = [0.0; 8];
    for (group, risk) in risks.iter_mut().enumerate() {
        let (mut netted, mut minimum, mut gross) = ([0.0; SCENARIOS], 0.0, 0.0);
        for position in positions.iter().filter(|position| position.group == group) {
            let gains = if init { &position.init } else { &position.maint };
            netted.iter_mut().zip(gains.of(bound)).for_each(|(sum, gain)| *sum += gain);
            minimum += position.minimum(bound);
            gross += position.loss(init, bound);
        }
        let phi = ratio(account.parameters.phi[group].raw());
        *risk = phi * worst(&netted).max(minimum) + (1.0 - phi) * gross;
    }
    let mut square = 0.0;
    for (g, one) in risks.iter().enumerate() {
        square += one * one;
        for (h, other) in risks.iter().enumerate().take(g) {
            square += 2.0 * ratio(account.parameters.rho[g * (g - 1) / 2 + h].raw()) * one * other;
        }
    }
    square.sqrt()
}

/// `R` between its bounds, rounded up once a group and at the root.
fn stress_between(positions: &[&Position], account: &Account, init: bool) -> Between {
    let at = stress(positions, account, init, Bound::At);
    let high = stress(positions, account, init, Bound::Worst);
    Between {
        at,
        low: stress(positions, account, init, Bound::Best) * (1.0 - FLOAT),
        high: high * (1.0 + FLOAT) + 10.0,
    }
}

fn sum(parts: impl IntoIterator<Item = Between>) -> Between {
    parts.into_iter().fold(Between::around(0.0, 0.0), |sum, part| Between {
        at: sum.at + part.at,
        low: sum.low + part.low,
        high: sum.high + part.high,
    })
}

/// The larger, bound by bound.
fn larger(one: Between, other: Between) -> Between {
    Between { at: one.at.max(other.at), low: one.low.max(other.low), high: one.high.max(other.high) }
}

/// Equity and requirement of an account.
pub fn margin(account: &Account, method: Method) -> Expected {
    let damping = ratio(account.parameters.extreme_damping.raw());
    let all: Vec<Position> = account.markets.iter().map(|market| Position::new(market, damping, method)).collect();
    // Towards init an asset counts only at a fresh price; towards maint a stale price makes no risk.
    let init: Vec<&Position> = all.iter().filter(|p| p.age == Age::Fresh || p.committed).collect();
    let maint: Vec<&Position> = all.iter().filter(|p| p.age != Age::Stale).collect();
    let stale = all.iter().filter(|p| p.age == Age::Stale);
    let cash = account.markets.iter().filter_map(|market| market.perpetual).map(|perpetual| perpetual.cash as f64);
    let cash: Vec<f64> = cash.chain([account.quote as f64]).collect();
    let float = FLOAT * cash.iter().map(|cash| cash.abs()).sum::<f64>();
    let quote = Between::around(cash.iter().sum(), float);
    let owed = (-account.quote as f64).max(0.0);
    let weight = |rate: u32| Between::around(owed * ratio(rate), 1.0 + FLOAT * owed);
    let ratio_maint = ratio(account.parameters.maintenance_ratio.raw());
    let maintained = stress_between(&maint, account, false);
    let maintained = Between {
        at: ratio_maint * maintained.at,
        low: ratio_maint * maintained.low,
        high: ratio_maint * maintained.high + 1.0,
    };
    // The maintenance requirement is never above the initial one: both ranges are looked at towards init.
    let initial = larger(stress_between(&init, account, true), stress_between(&init, account, false));
    let doubts = init.iter().flat_map(|p| [p.confidence, p.ema_gap, p.addon_init]);
    let doubts_maint = maint.iter().map(|p| p.confidence).chain(all.iter().map(|p| p.addon_maint));
    Expected {
        equity_init: sum(init.iter().map(|p| p.value).chain([quote])),
        equity_maint: sum(all.iter().map(|p| p.value).chain(stale.map(Position::favour)).chain([quote])),
        requirement_init: sum(doubts.chain([initial, weight(account.quote_weight_init)])),
        requirement_maint: sum(doubts_maint.chain([maintained, weight(account.quote_weight_maint)])),
        blocked_by: all.iter().position(|p| p.age != Age::Fresh && p.committed).map(|number| number as u8),
        largest: all.iter().map(|p| p.gross.max(p.confidence.at).max(p.addon_init.at)).fold(0.0, f64::max),
        largest_base: all.iter().map(|p| p.gross_base).fold(0.0, f64::max),
    }
}

/// Whether arrays reach the current spot and range, by the page and the terms' own limits: within seven sixths of their
/// range, and seven halves of it for an extreme move.
pub fn is_far(market: &Market, board: &Expiry, terms: &ArrayTerms) -> bool {
    let x = price(market.spot) / price(board.spot);
    let h = ratio(board.range) / 6.0;
    let beyond = |range: u32| {
        let range = ratio(range);
        let ends = [x * (1.0 - range), x * (1.0 + range)];
        let extremes = [(x * (1.0 - 3.0 * range)).max(0.0), x * (1.0 + 3.0 * range)];
        ends.iter().any(|end| (end - 1.0).abs() > 6.999 * h)
            || extremes[0] < far_below(h) + 1e-6
            || extremes[1] > 1.0 + 20.999 * h
    };
    beyond(market.range)
        || beyond(market.range_maint)
        || (x - 1.0).abs() > terms.max_drift as f64 / 2f64.powi(32) * 0.999
}
