//! The margin a second time: unbounded integers, no tricks, written from the formulas rather than from the engine.
use super::{ceil, int, ratio};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use plimsoll_risk::options::{OptionRisk, SCENARIOS};
use plimsoll_risk::portfolio::{MAX_VALUE, Margin, Portfolio, RiskParameters, Underlying};
use plimsoll_risk::price::Freshness;
use plimsoll_risk::units::{Ppm, Quote};

/// What the engine should answer, without bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub equity_init: BigInt,
    pub equity_maint: BigInt,
    pub requirement_init: BigInt,
    pub requirement_maint: BigInt,
    pub blocked_by: Option<u8>,
}

impl From<&Margin> for Expected {
    fn from(margin: &Margin) -> Self {
        Self {
            equity_init: BigInt::from(margin.equity_init.raw()),
            equity_maint: BigInt::from(margin.equity_maint.raw()),
            requirement_init: BigInt::from(margin.requirement_init.raw()),
            requirement_maint: BigInt::from(margin.requirement_maint.raw()),
            blocked_by: margin.blocked_by,
        }
    }
}

/// Whether every number is within the engine's domain, so that it must answer rather than refuse with `Overflow`.
pub fn fits(portfolio: &Portfolio, options: &[OptionRisk], parameters: &RiskParameters, expected: &Expected) -> bool {
    let word = |value: &BigInt| i64::try_from(value).is_ok();
    word(&expected.equity_init)
        && word(&expected.equity_maint)
        && word(&expected.requirement_init)
        && word(&expected.requirement_maint)
        && positions(portfolio, options).all(|(u, options)| {
            // The confidence once and multiplied; a linear shock is never above the value.
            let net = exposure(u, options) + options.map_or(0, |o| o.delta.raw());
            let once = confidence(&net, &Underlying { confidence_multiplier: Ppm::ONE, ..*u });
            let gross = shock(&exposure(u, options), u, Ppm::ONE).abs();
            let addons = [BigInt::from(u.addon_init), BigInt::from(u.addon_maint)];
            let linear = [gross, once, confidence(&net, u), ema_gap(&net, u)];
            word(&exposure(u, options))
                && word(&net)
                && linear.iter().chain(&addons).all(|value| *value <= MAX_VALUE.into())
                && options.is_none_or(|o| options_fit(u, o, parameters))
        })
}

/// What bounds one underlying's options.
fn options_fit(u: &Underlying, options: &OptionRisk, parameters: &RiskParameters) -> bool {
    let given = [options.value].into_iter().chain(options.pnl_init).chain(options.pnl_maint).map(Quote::unsigned_abs);
    let position = Position { u, options: Some(options) };
    let favour = if u.freshness == Freshness::Stale { position.favour(parameters) } else { BigInt::zero() };
    let sums = [
        position.value().abs(),
        position.loss(Horizon::Init, parameters),
        position.loss(Horizon::Maint, parameters),
        favour,
    ];
    given.chain([options.short_minimum, options.long_minimum]).all(|amount| amount <= MAX_VALUE)
        && sums.iter().all(|value| *value <= MAX_VALUE.into())
}

/// Each underlying with its options.
fn positions<'a>(
    portfolio: &'a Portfolio,
    options: &'a [OptionRisk],
) -> impl Iterator<Item = (&'a Underlying, Option<&'a OptionRisk>)> {
    let find = move |number: usize| options.iter().find(|options| usize::from(options.underlying) == number);
    portfolio.underlyings().iter().enumerate().map(move |(number, u)| (u, find(number)))
}

/// Which of the two ranges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Horizon {
    Init,
    Maint,
}

/// One underlying's positions.
#[derive(Clone, Copy)]
struct Position<'a> {
    u: &'a Underlying,
    options: Option<&'a OptionRisk>,
}

pub fn margin(portfolio: &Portfolio, options: &[OptionRisk], parameters: &RiskParameters) -> Expected {
    let all: Vec<Position> = positions(portfolio, options).map(|(u, options)| Position { u, options }).collect();
    let fresh = |p: &&Position| p.u.freshness == Freshness::Fresh;
    let stale = |p: &&Position| p.u.freshness == Freshness::Stale;
    let init: Vec<Position> = all.iter().filter(|p| fresh(p) || p.committed()).copied().collect();
    let maint: Vec<Position> = all.iter().filter(|p| !stale(p)).copied().collect();
    let quote = BigInt::from(portfolio.quote.raw());
    let favour = all.iter().filter(stale).map(|p| p.favour(parameters)).sum::<BigInt>();
    // Towards init the larger of both ranges.
    let stress_init = stress(&init, Horizon::Init, parameters).max(stress(&init, Horizon::Maint, parameters));
    let stress_maint = stress(&maint, Horizon::Maint, parameters) * parameters.maintenance_ratio.raw();
    let addons_init = init.iter().map(|p| p.confidence() + p.ema_gap() + p.u.addon_init).sum::<BigInt>();
    let addons_maint = all.iter().map(|p| BigInt::from(p.u.addon_maint)).sum::<BigInt>()
        + maint.iter().map(Position::confidence).sum::<BigInt>();
    Expected {
        equity_init: init.iter().map(Position::value).sum::<BigInt>() + &quote,
        equity_maint: all.iter().map(Position::value).sum::<BigInt>() + favour + &quote,
        requirement_init: stress_init + addons_init + portfolio.quote_addon_init,
        requirement_maint: stress_maint.div_ceil(&MILLION.into()) + addons_maint + portfolio.quote_addon_maint,
        blocked_by: all.iter().position(|p| !fresh(&p) && p.committed()).map(|number| number as u8),
    }
}

impl Position<'_> {
    fn committed(&self) -> bool {
        self.options.is_some() || self.u.has_liability || self.u.exposure.raw() < 0
    }

    /// `V_u` and the options' value.
    fn value(&self) -> BigInt {
        let linear = (exposure(self.u, self.options) * self.u.observation.spot.raw()).div_floor(&PRICE.into());
        linear + self.options.map_or(0, |options| options.value.raw())
    }

    fn net(&self) -> BigInt {
        exposure(self.u, self.options) + self.options.map_or(0, |options| options.delta.raw())
    }

    fn confidence(&self) -> BigInt {
        confidence(&self.net(), self.u)
    }

    fn ema_gap(&self) -> BigInt {
        ema_gap(&self.net(), self.u)
    }

    /// `a_u`.
    fn shock(&self, horizon: Horizon) -> BigInt {
        let range = if horizon == Horizon::Init { self.u.range } else { self.u.range_maint };
        shock(&exposure(self.u, self.options), self.u, range)
    }

    /// The options' gains; none gains nothing.
    fn pnl(&self, horizon: Horizon) -> Vec<BigInt> {
        let pnl = self.options.map(|o| if horizon == Horizon::Init { o.pnl_init } else { o.pnl_maint });
        pnl.unwrap_or_default().iter().map(|pnl| pnl.raw().into()).collect()
    }

    fn minimum(&self) -> BigInt {
        self.options.map_or(0, |options| options.short_minimum).into()
    }

    /// `L_u`.
    fn loss(&self, horizon: Horizon, parameters: &RiskParameters) -> BigInt {
        worst_loss(&self.shock(horizon), &self.pnl(horizon), parameters).max(self.minimum())
    }

    /// `L` of the opposite position, at the range towards maint.
    fn favour(&self, parameters: &RiskParameters) -> BigInt {
        let gains = scenarios(&self.shock(Horizon::Maint), &self.pnl(Horizon::Maint), parameters);
        let minimum = BigInt::from(self.options.map_or(0, |options| options.long_minimum));
        gains.into_iter().max().expect("sixteen").max(minimum).max(BigInt::zero())
    }
}

/// `D_u`.
fn exposure(u: &Underlying, options: Option<&OptionRisk>) -> BigInt {
    BigInt::from(u.exposure.raw()) + options.map_or(0, |options| options.exposure.raw())
}

/// Moves in thirds of the range: the sixteen scenarios again, by rule rather than by table.
fn thirds(scenario: usize) -> i64 {
    match scenario {
        0..14 => (scenario as i64 % 7) - 3,
        14 => -9,
        _ => 9,
    }
}

/// P&L of a linear shock and options in every scenario.
pub fn scenarios(shock: &BigInt, pnl: &[BigInt], parameters: &RiskParameters) -> Vec<BigInt> {
    let linear = |scenario: usize| {
        let moved = shock * thirds(scenario);
        if scenario < 14 {
            moved.div_floor(&3.into())
        } else {
            // Above a third there are no options, and a linear book is as at a third.
            let damping = parameters.extreme_damping.raw().min(333_333);
            (moved * damping).div_floor(&(3 * u64::from(MILLION)).into())
        }
    };
    pnl.iter().enumerate().map(|(scenario, pnl)| linear(scenario) + pnl).collect()
}

/// What the worst scenario loses, or zero.
fn worst_loss(shock: &BigInt, pnl: &[BigInt], parameters: &RiskParameters) -> BigInt {
    let best = scenarios(shock, pnl, parameters).into_iter().map(|pnl| -pnl).max().expect("sixteen");
    best.max(BigInt::zero())
}

/// Denominators of a price and of a ratio.
const PRICE: u64 = 1 << 48;
const MILLION: u32 = 1_000_000;

/// `a_u` at a range.
fn shock(exposure: &BigInt, u: &Underlying, range: Ppm) -> BigInt {
    let gross = (exposure.abs() * u.observation.spot.raw()).div_ceil(&PRICE.into());
    let loss = (gross * range.raw()).div_ceil(&MILLION.into());
    if exposure.is_negative() { -loss } else { loss }
}

/// `C_u` of a net exposure.
fn confidence(net: &BigInt, u: &Underlying) -> BigInt {
    let once = (net.abs() * u.observation.confidence.raw()).div_ceil(&PRICE.into());
    (once * u.confidence_multiplier.raw()).div_ceil(&MILLION.into())
}

/// `M_u` of a net exposure.
fn ema_gap(net: &BigInt, u: &Underlying) -> BigInt {
    let gap = BigInt::from(u.observation.spot.raw()) - u.observation.ema.raw();
    let flattery = gap * net;
    if flattery.is_positive() { flattery.div_ceil(&PRICE.into()) } else { BigInt::zero() }
}

/// `R_g` of one group.
fn group_risk(members: &[&Position], phi: Ppm, horizon: Horizon, parameters: &RiskParameters) -> BigInt {
    let net = members.iter().map(|p| p.shock(horizon)).sum::<BigInt>();
    let mut pnl = vec![BigInt::zero(); SCENARIOS];
    for member in members {
        pnl.iter_mut().zip(member.pnl(horizon)).for_each(|(sum, pnl)| *sum += pnl);
    }
    let minimum = members.iter().map(|p| p.minimum()).sum::<BigInt>();
    let netted = worst_loss(&net, &pnl, parameters).max(minimum);
    let gross = members.iter().map(|p| p.loss(horizon, parameters)).sum::<BigInt>();
    (netted * phi.raw() + gross * (MILLION - phi.raw())).div_ceil(&MILLION.into())
}

/// `R`.
fn stress(positions: &[Position], horizon: Horizon, parameters: &RiskParameters) -> BigInt {
    let risks: Vec<BigInt> = (0..8_u8)
        .map(|group| {
            let members: Vec<&Position> = positions.iter().filter(|p| p.u.group == group).collect();
            group_risk(&members, parameters.phi[usize::from(group)], horizon, parameters)
        })
        .collect();
    let mut millionths = BigInt::zero();
    for (g, one) in (0_u8..).zip(&risks) {
        for (h, other) in (0_u8..).zip(&risks) {
            millionths += one * other * parameters.rho(g, h).expect("groups below 8").raw();
        }
    }
    root_up(&ratio(millionths, MILLION))
}

/// The least integer whose square is at least `square`.
pub fn root_up(square: &BigRational) -> BigInt {
    let mut root = ceil(square).sqrt();
    while int(&root * &root) < *square {
        root += 1;
    }
    root
}
