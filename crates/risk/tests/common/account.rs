//! Accounts as users have them: markets, balances, perpetuals, boards and option positions, drawn from a seed, and how
//! they become the engine's inputs.
use super::random::Random;
use plimsoll_risk::Error;
use plimsoll_risk::addons::weighted;
use plimsoll_risk::black::OptionKind;
use plimsoll_risk::options::{ArrayTerms, Board, BoardSum, Nodes, OptionRisk, Reading, Refresh, RiskArray};
use plimsoll_risk::portfolio::{GROUP_PAIRS, MAX_GROUPS, Margin, Portfolio, RiskParameters, Underlying, margin};
use plimsoll_risk::price::{Observation, freshness};
use plimsoll_risk::units::{Base, Fraction, Lots, Ppm, Price, Quote, Seconds, Timestamp, Volatility};

pub const NOW: i64 = 1_800_000_000;
pub const MAX_AGE: i64 = 60;
pub const DEAD_AGE: i64 = 3_600;
/// Seconds of a year.
pub const YEAR: f64 = 31_536_000.0;

/// One account and the world around it.
#[derive(Clone, Debug)]
pub struct Account {
    pub markets: Vec<Market>,
    /// Quote deposits less borrows.
    pub quote: i64,
    pub quote_weight_init: u32,
    pub quote_weight_maint: u32,
    pub parameters: RiskParameters,
}

/// One market, and what the account holds there. Prices are Q16.48, ratios ppm.
#[derive(Clone, Debug, Default)]
pub struct Market {
    pub spot: u64,
    pub ema: u64,
    pub confidence: u64,
    pub publish_time: i64,
    pub range: u32,
    pub range_maint: u32,
    pub group: u8,
    pub confidence_multiplier: u32,
    pub short_minimum: u32,
    pub volatility_up: u32,
    pub volatility_down: u32,
    pub balances: Vec<Balance>,
    pub perpetual: Option<Perpetual>,
    pub boards: Vec<Expiry>,
}

/// A deposit, or below zero a borrow, and its haircuts or borrow weights.
#[derive(Clone, Copy, Debug)]
pub struct Balance {
    pub amount: i64,
    pub init: u32,
    pub maint: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Perpetual {
    pub size: i64,
    pub cash: i64,
}

/// A board as it was refreshed last.
#[derive(Clone, Debug)]
pub struct Expiry {
    pub spot: u64,
    pub forward: u64,
    pub discount: u64,
    pub lot: u64,
    /// When the arrays were made.
    pub made: i64,
    /// Seconds to expiry at that moment.
    pub time: i64,
    pub range: u32,
    pub series: Vec<Series>,
}

#[derive(Clone, Copy, Debug)]
pub struct Series {
    pub strike: u64,
    pub volatility: u32,
    pub put: bool,
    pub lots: i64,
}

/// The risk arrays of an account's boards, by market and board.
pub type Arrays = Vec<Vec<(ArrayTerms, Vec<RiskArray>)>>;

pub fn price(raw: u64) -> f64 {
    raw as f64 / 2f64.powi(48)
}

pub fn ratio(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}

impl Market {
    pub fn has_options(&self) -> bool {
        self.boards.iter().flat_map(|board| &board.series).any(|series| series.lots != 0)
    }

    pub fn observation(&self) -> Observation {
        Observation {
            spot: Price::from_raw(self.spot),
            ema: Price::from_raw(self.ema),
            confidence: Price::from_raw(self.confidence),
            publish_time: Timestamp::from_raw(self.publish_time),
        }
    }

    fn underlying(&self) -> Result<Underlying, Error> {
        let spot = Price::from_raw(self.spot);
        let observation = self.observation();
        let (max_age, dead_age) = (Seconds::from_raw(MAX_AGE), Seconds::from_raw(DEAD_AGE));
        let size = self.perpetual.map_or(0, |perpetual| perpetual.size);
        let mut underlying = Underlying {
            exposure: Base::from_raw(size + self.balances.iter().map(|balance| balance.amount).sum::<i64>()),
            has_liability: size != 0 || self.balances.iter().any(|balance| balance.amount < 0),
            observation,
            freshness: freshness(observation.publish_time, Timestamp::from_raw(NOW), max_age, dead_age),
            range: Ppm::from_raw(self.range),
            range_maint: Ppm::from_raw(self.range_maint),
            confidence_multiplier: Ppm::from_raw(self.confidence_multiplier),
            group: self.group,
            addon_init: 0,
            addon_maint: 0,
        };
        for balance in &self.balances {
            let value = spot.magnitude_ceil(Base::from_raw(balance.amount)).ok_or(Error::Overflow)?;
            underlying.addon_init += weighted(value, Ppm::from_raw(balance.init))?;
            underlying.addon_maint += weighted(value, Ppm::from_raw(balance.maint))?;
        }
        Ok(underlying)
    }

    fn board(&self, expiry: &Expiry) -> Board {
        Board {
            spot: Price::from_raw(expiry.spot),
            forward: Price::from_raw(expiry.forward),
            discount: Fraction::from_raw(expiry.discount),
            lot: expiry.lot,
            time: Seconds::from_raw(expiry.time),
            now: Timestamp::from_raw(expiry.made),
            range: Ppm::from_raw(expiry.range),
            volatility_up: Ppm::from_raw(self.volatility_up),
            volatility_down: Ppm::from_raw(self.volatility_down),
        }
    }

    fn arrays(&self) -> Result<Vec<(ArrayTerms, Vec<RiskArray>)>, Error> {
        self.boards
            .iter()
            .map(|expiry| {
                let nodes = Nodes::new(Ppm::from_raw(expiry.range))?;
                let board = self.board(expiry);
                let mut refresh = Refresh::new(&board, &nodes)?;
                let mut arrays = Vec::with_capacity(expiry.series.len());
                for series in &expiry.series {
                    let volatility = Volatility::from_raw(series.volatility);
                    arrays.push(refresh.array(Price::from_raw(series.strike), volatility)?);
                }
                Ok((*refresh.terms(), arrays))
            })
            .collect()
    }

    fn options(
        &self,
        number: usize,
        arrays: &[(ArrayTerms, Vec<RiskArray>)],
        damping: Ppm,
    ) -> Result<OptionRisk, Error> {
        let mut risk = OptionRisk { underlying: number as u8, ..OptionRisk::default() };
        let reading = Reading {
            spot: Price::from_raw(self.spot),
            now: Timestamp::from_raw(NOW),
            range: Ppm::from_raw(self.range),
            range_maint: Ppm::from_raw(self.range_maint),
            extreme_damping: damping,
            short_minimum: Ppm::from_raw(self.short_minimum),
        };
        for (expiry, (terms, arrays)) in self.boards.iter().zip(arrays) {
            let mut sum = BoardSum::new();
            for (series, array) in expiry.series.iter().zip(arrays) {
                let kind = if series.put { OptionKind::Put } else { OptionKind::Call };
                sum.add(array, kind, Price::from_raw(series.strike), Lots::from_raw(series.lots))?;
            }
            sum.finish(terms, &reading, &mut risk)?;
        }
        Ok(risk)
    }
}

impl Account {
    /// What the crank stores: the risk arrays of every board.
    pub fn arrays(&self) -> Result<Arrays, Error> {
        self.markets.iter().map(Market::arrays).collect()
    }

    /// The engine's inputs.
    pub fn inputs(&self, arrays: &Arrays) -> Result<(Portfolio, Vec<OptionRisk>), Error> {
        let mut portfolio = Portfolio::new();
        let mut options = Vec::new();
        portfolio.quote = Quote::from_raw(self.quote);
        if self.quote < 0 {
            let owed = self.quote.unsigned_abs();
            portfolio.quote_addon_init = weighted(owed, Ppm::from_raw(self.quote_weight_init))?;
            portfolio.quote_addon_maint = weighted(owed, Ppm::from_raw(self.quote_weight_maint))?;
        }
        for (market, arrays) in self.markets.iter().zip(arrays) {
            let number = portfolio.push(market.underlying()?)?;
            let cash = Quote::from_raw(market.perpetual.map_or(0, |perpetual| perpetual.cash));
            portfolio.quote = portfolio.quote.checked_add(cash).ok_or(Error::Overflow)?;
            if market.has_options() {
                options.push(market.options(number, arrays, self.parameters.extreme_damping)?);
            }
        }
        Ok((portfolio, options))
    }

    pub fn margin(&self, arrays: &Arrays) -> Result<Margin, Error> {
        let (portfolio, options) = self.inputs(arrays)?;
        margin(&portfolio, &options, &self.parameters)
    }

    /// The same world with other positions: amounts, sizes, cash and lots in turn, each with its number.
    pub fn map(&self, mut position: impl FnMut(usize, i64) -> i64) -> Self {
        let mut account = self.clone();
        let mut number = 0;
        let mut change = |x: &mut i64| {
            *x = position(number, *x);
            number += 1;
        };
        change(&mut account.quote);
        for market in &mut account.markets {
            market.balances.iter_mut().for_each(|balance| change(&mut balance.amount));
            if let Some(perpetual) = &mut market.perpetual {
                change(&mut perpetual.size);
                change(&mut perpetual.cash);
            }
            market.boards.iter_mut().flat_map(|board| &mut board.series).for_each(|series| change(&mut series.lots));
        }
        account
    }

    /// All positions in order, as [`Self::map`] numbers them.
    pub fn positions(&self) -> Vec<i64> {
        let mut all = Vec::new();
        let _ = self.map(|_, x| {
            all.push(x);
            x
        });
        all
    }

    /// The positions of both, in the world of the first.
    pub fn plus(&self, other: &Self) -> Self {
        let others = other.positions();
        self.map(|number, x| x + others[number])
    }

    pub fn options(&self) -> impl Iterator<Item = (&Market, &Expiry, &Series)> {
        self.markets
            .iter()
            .flat_map(|market| market.boards.iter().map(move |board| (market, board)))
            .flat_map(|(market, board)| board.series.iter().map(move |series| (market, board, series)))
    }
}

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Every board was refreshed at this spot and range, at this moment.
    Now,
    /// At another spot, another range, a while ago.
    Elsewhere,
    /// One of the two.
    Any,
}

/// How large things are.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Powers of ten of a position's value, quote native.
    value: (f64, f64),
    /// Powers of two of a price per base unit, Q48.
    spot: (f64, f64),
    /// Any range, volatility and time that the engine takes, or what markets show.
    wild: bool,
}

/// The account of a seed.
pub fn account(seed: u64, refreshed: Refreshed) -> Account {
    let mut random = Random::new(seed);
    let r = &mut random;
    let sizes = match r.integer(0, 9) {
        0 => Sizes { value: (14.0, 15.8), spot: (42.0, 62.0), wild: true },
        1 => Sizes { value: (0.0, 4.0), spot: (21.0, 62.0), wild: true },
        2 | 3 => Sizes { value: (5.0, 14.0), spot: (38.0, 60.0), wild: true },
        _ => Sizes { value: (7.0, 12.5), spot: (36.0, 58.0), wild: false },
    };
    let count = if r.chance(0.1) { 16 } else { r.integer(1, 10) } as usize;
    let groups = r.integer(1, 8);
    let all_fresh = r.chance(0.6);
    let mut markets: Vec<Market> = (0..count).map(|_| market(r, sizes, groups, all_fresh)).collect();
    hold(r, &mut markets, sizes, refreshed);
    let gross: f64 = markets.iter().flat_map(|m| m.balances.iter().map(|b| b.amount as f64 * price(m.spot))).sum();
    let quote = match r.integer(0, 3) {
        0 => 0.0,
        1 => r.between(-0.9, 0.2) * gross.abs(),
        _ => r.power(sizes.value.0, sizes.value.1) * r.between(-0.5, 1.0),
    };
    let weight = r.integer(0, 200_000) as u32;
    Account {
        markets,
        quote: quote.clamp(-1e17, 1e17) as i64,
        quote_weight_init: weight,
        quote_weight_maint: weight / 2,
        parameters: risk_parameters(r),
    }
}

fn risk_parameters(r: &mut Random) -> RiskParameters {
    let part = |r: &mut Random| match r.integer(0, 5) {
        0 => 0,
        1 => 1_000_000,
        _ => r.integer(0, 1_000_000) as u32,
    };
    let phi = [(); MAX_GROUPS].map(|()| Ppm::from_raw(part(r)));
    // One factor: positive semi-definite.
    let weights = [(); MAX_GROUPS].map(|()| r.integer(0, 1_000) as u32);
    let mut rho = [Ppm::ZERO; GROUP_PAIRS];
    let pairs = (1..MAX_GROUPS).flat_map(|high| (0..high).map(move |low| (low, high)));
    for (rho, (low, high)) in rho.iter_mut().zip(pairs) {
        *rho = Ppm::from_raw(weights[low] * weights[high]);
    }
    let extreme_damping = Ppm::from_raw(if r.chance(0.1) { 0 } else { r.integer(1, 333_333) as u32 });
    let maintenance_ratio = Ppm::from_raw(if r.chance(0.2) { 1_000_000 } else { r.integer(400_000, 999_999) as u32 });
    RiskParameters { phi, rho, maintenance_ratio, extreme_damping, quote_price: Ppm::ONE }
}

fn market(r: &mut Random, sizes: Sizes, groups: u64, all_fresh: bool) -> Market {
    let spot = 2f64.powf(r.between(sizes.spot.0, sizes.spot.1));
    let range = if sizes.wild { r.power(3.0, 5.9) as u32 } else { r.integer(20_000, 400_000) as u32 };
    let range_maint = if r.chance(0.5) { range } else { (f64::from(range) * r.power(-1.0, 0.0)) as u32 };
    let age = match r.integer(0, 9) {
        _ if all_fresh => r.integer(0, 60),
        0 => r.integer(3_601, 1_000_000),
        1 | 2 => r.integer(61, 3_600),
        _ => r.integer(0, 60),
    };
    Market {
        spot: spot as u64,
        ema: if r.chance(0.1) { spot } else { spot * r.between(0.9, 1.1) } as u64,
        confidence: (spot * r.power(-5.0, -1.7)) as u64,
        publish_time: NOW - age as i64,
        range,
        range_maint,
        group: r.integer(0, groups - 1) as u8,
        confidence_multiplier: if r.chance(0.3) { 1_000_000 } else { r.integer(0, 10_000_000) as u32 },
        short_minimum: if r.chance(0.3) { 0 } else { r.integer(0, 100_000) as u32 },
        volatility_up: r.integer(0, 900_000) as u32,
        volatility_down: r.integer(0, 900_000) as u32,
        ..Market::default()
    }
}

/// Fills markets with up to 16 balances, 8 perpetuals and 64 options.
fn hold(r: &mut Random, markets: &mut [Market], sizes: Sizes, refreshed: Refreshed) {
    let count = markets.len() as u64;
    let amount =
        |r: &mut Random, market: &Market| (r.power(sizes.value.0, sizes.value.1) / price(market.spot)).min(4e15) as i64;
    for _ in 0..if r.chance(0.05) { 16 } else { r.integer(0, 10) } {
        let market = &mut markets[r.integer(0, count - 1) as usize];
        let init = r.integer(0, 500_000) as u32;
        let amount = amount(r, market) * if r.chance(0.25) { -1 } else { 1 };
        market.balances.push(Balance { amount, init, maint: (f64::from(init) * r.unit()) as u32 });
    }
    for _ in 0..if r.chance(0.1) { 8 } else { r.integer(0, 5) } {
        let market = &mut markets[r.integer(0, count - 1) as usize];
        let deposits = market.balances.iter().map(|balance| balance.amount).sum::<i64>();
        // A third of the perpetuals hedge what is deposited.
        let size = if deposits != 0 && r.chance(0.33) { -deposits } else { amount(r, market) * r.sign() };
        let cash = r.power(0.0, sizes.value.1.min(15.0)) as i64 * r.sign();
        market.perpetual.get_or_insert(Perpetual { size, cash });
    }
    let options = match r.integer(0, 19) {
        0..7 => 0,
        7..17 => r.integer(1, 16),
        17 | 18 => r.integer(17, 63),
        _ => 64,
    };
    list(r, markets, sizes, refreshed, options as usize);
}

/// Deals options over up to eight markets and up to four boards each.
fn list(r: &mut Random, markets: &mut [Market], sizes: Sizes, refreshed: Refreshed, mut options: usize) {
    let optioned = (r.integer(1, 8) as usize).min(markets.len());
    while options > 0 {
        let market = &mut markets[r.integer(0, optioned as u64 - 1) as usize];
        let number = if market.boards.len() < 4 && r.chance(0.5) { market.boards.len() } else { 0 };
        if number == market.boards.len() {
            let made = expiry(r, market, sizes);
            market.boards.push(made);
        }
        let number = if number == 0 { r.integer(0, market.boards.len() as u64 - 1) as usize } else { number };
        let board = &mut market.boards[number];
        let series = series(r, board, sizes);
        board.series.push(series);
        options -= 1;
        // The other kind of the same strike: a synthetic forward, a straddle, or a conversion with a perpetual.
        if options > 0 && r.chance(0.15) {
            let lots = if r.chance(0.5) { -series.lots } else { series.lots };
            board.series.push(Series { put: !series.put, lots, ..series });
            options -= 1;
        }
    }
    let elsewhere = match refreshed {
        Refreshed::Now => false,
        Refreshed::Elsewhere => true,
        Refreshed::Any => r.chance(0.5),
    };
    if elsewhere {
        for market in markets {
            let (spot, range) = (market.spot, market.range);
            market.boards.iter_mut().for_each(|board| drift(r, board, spot, range));
        }
    }
}

fn expiry(r: &mut Random, market: &Market, sizes: Sizes) -> Expiry {
    let forward = (market.spot as f64 * r.between(0.8, 1.2)).max(f64::from(1 << 20)) as u64;
    let discount = if r.chance(0.2) { 1.0 } else { r.between(0.85, 1.0) };
    let worth = if sizes.wild { r.power(4.2, 13.5) } else { r.power(5.0, 9.0) };
    let seconds = if sizes.wild { r.power(0.3, 7.79) } else { r.power(3.5, 7.3) };
    Expiry {
        spot: market.spot,
        forward,
        discount: (discount * 2f64.powi(32)) as u64,
        // At least one base unit, and 0.01 quote.
        lot: (worth / (price(forward) * discount)).clamp(1.0, 2f64.powi(58)) as u64 + 1,
        made: NOW,
        time: seconds as i64,
        range: market.range,
        series: Vec::new(),
    }
}

/// Years that arrays are computed with.
pub fn years(board: &Expiry) -> f64 {
    board.time.max(600) as f64 / YEAR
}

fn series(r: &mut Random, board: &Expiry, sizes: Sizes) -> Series {
    let volatility = if sizes.wild { r.power(4.0, 6.69) } else { r.power(5.3, 6.3) };
    let w = volatility / 1e6 * years(board).sqrt();
    let away = if r.chance(0.1) { r.between(-3.8, 3.8) } else { (r.between(-3.0, 3.0) * w).clamp(-3.8, 3.8) };
    let lot = board.lot as f64 * price(board.forward);
    let lots = (r.power(sizes.value.0, sizes.value.1) / lot).clamp(1.0, f64::from(1 << 24)) as i64;
    Series {
        strike: (board.forward as f64 * away.exp()) as u64,
        volatility: volatility as u32,
        put: r.chance(0.5),
        lots: lots * r.sign(),
    }
}

/// Makes a board's arrays at another spot and range, a while ago: but for one in fifty within their reach.
fn drift(r: &mut Random, board: &mut Expiry, spot: u64, range: u32) {
    let least = board.series.iter().map(|series| series.volatility).min().unwrap_or(0);
    let limit = (f64::from(least) / 1e6 * years(board).sqrt() / 4.0).min(1.0 / 32.0).min(ratio(range) / 20.0);
    let far = r.chance(0.02);
    let limit = if far { 2.0 * limit } else { limit };
    let away = if r.chance(0.2) { 0.0 } else { r.between(-1.0, 1.0) * limit };
    let scale = 1.0 / (1.0 + away);
    board.spot = (spot as f64 * scale) as u64;
    board.forward = (board.forward as f64 * scale) as u64;
    board.series.iter_mut().for_each(|series| series.strike = (series.strike as f64 * scale) as u64);
    if r.chance(0.7) {
        board.range = (f64::from(range) * if far { r.between(0.7, 1.3) } else { r.between(0.96, 1.2) })
            .clamp(1_000.0, 800_000.0) as u32;
    }
    if r.chance(0.7) {
        board.made = NOW - (board.time.max(600) as f64 / 16.0 * r.unit()) as i64;
    }
}
