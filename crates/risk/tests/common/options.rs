//! Random option books: series with arbitrary gains, and the sums of positions in them.
use super::{any_length, fresh_underlying, part};
use plimsoll_risk::options::{OptionRisk, SCENARIOS};
use plimsoll_risk::portfolio::Underlying;
use plimsoll_risk::price::Freshness;
use plimsoll_risk::units::{Base, Ppm, Quote};
use proptest::prelude::*;

/// One series: what one lot is worth and gains, whole numbers, so that sums of lots round nothing.
#[derive(Clone, Debug)]
pub struct Series {
    pub exposure: i64,
    pub delta: i64,
    pub value: i64,
    pub pnl_init: [i64; SCENARIOS],
    pub pnl_maint: [i64; SCENARIOS],
    /// Short-option minimum of one lot.
    pub minimum: u64,
}

/// Lots of the series of one underlying, as the lead's boards would hold them.
pub type Lots = Vec<i64>;

/// A signed number of up to so many bits, of every length.
fn signed(bits: u32) -> impl Strategy<Value = i64> {
    (any_length(bits), any::<bool>()).prop_map(|(x, negative)| if negative { -(x as i64) } else { x as i64 })
}

/// Gains of every scenario around one size: unrelated numbers, so that no shape is assumed.
fn gains(bits: u32) -> impl Strategy<Value = [i64; SCENARIOS]> {
    (0..=bits).prop_flat_map(|bits| proptest::array::uniform16(signed(bits)))
}

pub fn series(bits: u32) -> impl Strategy<Value = Series> {
    (signed(bits.min(30)), signed(bits.min(30)), signed(bits), gains(bits), gains(bits), any_length(bits)).prop_map(
        |(exposure, delta, value, pnl_init, pnl_maint, minimum)| Series {
            exposure,
            delta,
            value,
            pnl_init,
            pnl_maint,
            minimum,
        },
    )
}

/// The sums over the series of one underlying.
pub fn sums(underlying: u8, series: &[Series], lots: &[i64]) -> OptionRisk {
    let sum =
        |of: &dyn Fn(&Series) -> i64| series.iter().zip(lots).map(|(series, lots)| of(series) * lots).sum::<i64>();
    let short = |sign: i64| series.iter().zip(lots).map(|(s, lots)| s.minimum * (sign * lots).max(0) as u64).sum();
    OptionRisk {
        underlying,
        exposure: Base::from_raw(sum(&|s| s.exposure)),
        value: Quote::from_raw(sum(&|s| s.value)),
        delta: Base::from_raw(sum(&|s| s.delta)),
        pnl_init: core::array::from_fn(|k| Quote::from_raw(sum(&|s| s.pnl_init[k]))),
        pnl_maint: core::array::from_fn(|k| Quote::from_raw(sum(&|s| s.pnl_maint[k]))),
        short_minimum: short(-1),
        long_minimum: short(1),
    }
}

/// An underlying and what an account holds there.
#[derive(Clone, Debug)]
pub struct Holding {
    pub underlying: Underlying,
    pub series: Vec<Series>,
    pub lots: Lots,
}

/// A position in the same underlyings: linear exposures and lots.
pub type Position = Vec<(i64, Lots)>;

/// Something to hold: up to three series, an exposure whose products with small factors fit, two ranges.
pub fn holding() -> impl Strategy<Value = Holding> {
    let lots = || -16..=16_i64;
    let series = proptest::collection::vec((series(38), lots()), 0..=3);
    (fresh_underlying(), part(), series, 11..40_u32).prop_map(|(u, kept, series, shift)| {
        let range_maint = (u64::from(u.range.raw()) * u64::from(kept.raw()) / 1_000_000) as u32;
        let (series, lots) = series.into_iter().unzip();
        let exposure = Base::from_raw(u.exposure.raw() >> shift);
        // The deltas of lots are of any size against the exposure: keep the spot low enough for their values.
        let mut observation = u.observation;
        let limit = |price: plimsoll_risk::units::Price| plimsoll_risk::units::Price::from_raw(price.raw() >> 14);
        observation.spot = limit(observation.spot);
        observation.ema = limit(observation.ema);
        observation.confidence = limit(observation.confidence);
        Holding {
            underlying: Underlying { exposure, observation, range_maint: Ppm::from_raw(range_maint), ..u },
            series,
            lots,
        }
    })
}

/// A holding whose price may be stale or dead.
pub fn any_holding() -> impl Strategy<Value = Holding> {
    let freshness = prop_oneof![2 => Just(Freshness::Fresh), 1 => Just(Freshness::Stale), 1 => Just(Freshness::Dead)];
    (holding(), freshness).prop_map(|(mut holding, freshness)| {
        holding.underlying.freshness = freshness;
        holding
    })
}

/// The underlyings and option sums of holdings.
pub fn book(holdings: &[Holding]) -> (Vec<Underlying>, Vec<OptionRisk>) {
    let underlyings = holdings.iter().map(|h| h.underlying).collect();
    let with_series = (0_u8..).zip(holdings).filter(|(_, h)| !h.series.is_empty());
    (underlyings, with_series.map(|(number, h)| sums(number, &h.series, &h.lots)).collect())
}

/// The same underlyings and series with other positions.
pub fn holding_of(holdings: &[Holding], position: impl Fn(usize, i64) -> i64) -> Vec<Holding> {
    holdings
        .iter()
        .enumerate()
        .map(|(number, h)| {
            let mut h = h.clone();
            h.underlying.exposure = Base::from_raw(position(number, h.underlying.exposure.raw()));
            h.lots.iter_mut().for_each(|lots| *lots = position(number, *lots));
            h
        })
        .collect()
}

/// The same underlyings with the positions of both.
pub fn together(one: &[Holding], other: &[Holding]) -> Vec<Holding> {
    let mut both = one.to_vec();
    for (h, other) in both.iter_mut().zip(other) {
        h.underlying.exposure = Base::from_raw(h.underlying.exposure.raw() + other.underlying.exposure.raw());
        h.lots.iter_mut().zip(&other.lots).for_each(|(lots, more)| *lots += more);
    }
    both
}
