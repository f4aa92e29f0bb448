//! The margin a second time: unbounded integers, no tricks, written from the formulas rather than from the engine.
use super::{ceil, int, ratio};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use plimsoll_risk::portfolio::{MAX_VALUE, Portfolio, RiskParameters, Underlying};
use plimsoll_risk::price::Freshness;
use plimsoll_risk::units::Ppm;

/// What the engine should answer, without bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub equity_init: BigInt,
    pub equity_maint: BigInt,
    pub requirement_init: BigInt,
    pub requirement_maint: BigInt,
    pub blocked_by: Option<u8>,
}

/// Whether every number is within the engine's domain, so that it must answer rather than refuse with `Overflow`.
pub fn fits(portfolio: &Portfolio, expected: &Expected) -> bool {
    let word = |value: &BigInt| i64::try_from(value).is_ok();
    word(&expected.equity_init)
        && word(&expected.equity_maint)
        && word(&expected.requirement_init)
        && word(&expected.requirement_maint)
        && portfolio.underlyings().iter().all(|u| {
            // The confidence once and multiplied; a shock is never above the value.
            let once = confidence(&Underlying { confidence_multiplier: Ppm::ONE, ..*u });
            let gross = shock(&Underlying { range: Ppm::ONE, ..*u }).abs();
            let addons = [BigInt::from(u.addon_init), BigInt::from(u.addon_maint)];
            [gross, once, confidence(u), ema_gap(u)].iter().chain(&addons).all(|value| *value <= MAX_VALUE.into())
        })
}

/// One underlying's part on one side.
struct Part {
    group: usize,
    value: BigInt,
    shock: BigInt,
    addons: BigInt,
}

pub fn margin(portfolio: &Portfolio, parameters: &RiskParameters) -> Expected {
    let init: Vec<Part> = portfolio.underlyings().iter().map(part_init).collect();
    let maint: Vec<Part> = portfolio.underlyings().iter().map(part_maint).collect();
    let quote = BigInt::from(portfolio.quote.raw());
    let total = |parts: &[Part]| parts.iter().map(|part| &part.value).sum::<BigInt>() + &quote;
    let addons = |parts: &[Part]| parts.iter().map(|part| &part.addons).sum::<BigInt>();
    let maintenance = stress(&maint, parameters) * parameters.maintenance_ratio.raw();
    Expected {
        equity_init: total(&init),
        equity_maint: total(&maint),
        requirement_init: stress(&init, parameters) + addons(&init) + portfolio.quote_addon_init,
        requirement_maint: maintenance.div_ceil(&MILLION.into()) + addons(&maint) + portfolio.quote_addon_maint,
        blocked_by: portfolio
            .underlyings()
            .iter()
            .position(|u| u.freshness != Freshness::Fresh && (u.has_liability || u.exposure.raw() < 0))
            .map(|number| number as u8),
    }
}

/// Denominators of a price and of a ratio.
const PRICE: u64 = 1 << 48;
const MILLION: u32 = 1_000_000;

/// `V_u`.
fn value(u: &Underlying) -> BigInt {
    (BigInt::from(u.exposure.raw()) * u.observation.spot.raw()).div_floor(&PRICE.into())
}

/// `a_u`.
fn shock(u: &Underlying) -> BigInt {
    let exposure = BigInt::from(u.exposure.raw());
    let gross = (exposure.abs() * u.observation.spot.raw()).div_ceil(&PRICE.into());
    let loss = (gross * u.range.raw()).div_ceil(&MILLION.into());
    if exposure.is_negative() { -loss } else { loss }
}

/// `C_u`.
fn confidence(u: &Underlying) -> BigInt {
    let once = (BigInt::from(u.exposure.raw()).abs() * u.observation.confidence.raw()).div_ceil(&PRICE.into());
    (once * u.confidence_multiplier.raw()).div_ceil(&MILLION.into())
}

/// `M_u`.
fn ema_gap(u: &Underlying) -> BigInt {
    let gap = BigInt::from(u.observation.spot.raw()) - u.observation.ema.raw();
    let flattery = gap * u.exposure.raw();
    if flattery.is_positive() { flattery.div_ceil(&PRICE.into()) } else { BigInt::zero() }
}

fn part_init(u: &Underlying) -> Part {
    let group = usize::from(u.group);
    let pure_asset = !u.has_liability && u.exposure.raw() >= 0;
    if u.freshness != Freshness::Fresh && pure_asset {
        return Part { group, value: BigInt::zero(), shock: BigInt::zero(), addons: BigInt::zero() };
    }
    Part { group, value: value(u), shock: shock(u), addons: confidence(u) + ema_gap(u) + u.addon_init }
}

fn part_maint(u: &Underlying) -> Part {
    let group = usize::from(u.group);
    if u.freshness == Freshness::Stale {
        return Part {
            group,
            value: value(u) + shock(u).abs(),
            shock: BigInt::zero(),
            addons: BigInt::from(u.addon_maint),
        };
    }
    Part { group, value: value(u), shock: shock(u), addons: confidence(u) + u.addon_maint }
}

/// `R`.
fn stress(parts: &[Part], parameters: &RiskParameters) -> BigInt {
    let risks: Vec<BigInt> = (0..8_usize)
        .map(|group| {
            let shocks: Vec<&BigInt> =
                parts.iter().filter(|part| part.group == group).map(|part| &part.shock).collect();
            let netted = shocks.iter().copied().sum::<BigInt>().abs();
            let gross = shocks.iter().map(|shock| shock.abs()).sum::<BigInt>();
            let phi = parameters.phi[group].raw();
            (netted * phi + gross * (MILLION - phi)).div_ceil(&MILLION.into())
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
