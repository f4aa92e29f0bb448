//! Risk arrays: what is stored of a strike, sums of positions, and what is read off them.
//!
//! A value of a lot is stored to [`UNITS`] of its board's units: 2e-8 of the discounted forward, which is 2^29 units at
//! least and 2^30 at most.
use crate::{Length, Target, between, part, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::black::OptionKind;
use plimsoll_risk::options::{
    ArrayTerms, Board, BoardSum, MAX_LOTS, Nodes, OptionRisk, Reading, Refresh, RiskArray, VALUES,
};
use plimsoll_risk::units::{Fraction, Lots, Ppm, Price, Quote, Seconds, Timestamp, Volatility};

/// Rounding of a stored value.
const UNITS: i64 = 22;
/// Nodes with the volatility up, and where those with it down and those of the extreme moves start.
const NODES: usize = 15;

#[derive(Arbitrary, Debug)]
pub enum Input {
    Near(Box<Near>),
    Wild(Box<Wild>),
}

/// A board as an exchange may have it, and an account in it.
#[derive(Arbitrary, Debug)]
pub struct Near {
    spot: Length,
    basis: Length,
    discount: Length,
    lot: u64,
    time: u64,
    range: u32,
    up: u32,
    down: u32,
    positions: Vec<Position>,
    still: bool,
    drift: Length,
    age: u32,
    range_now: u32,
    range_maint: u32,
    damping: u32,
    minimum: u32,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Position {
    distance: Length,
    volatility: u32,
    put: bool,
    lots: Length,
}

/// Any bits.
#[derive(Arbitrary, Debug)]
pub struct Wild {
    board: [u64; 9],
    strikes: Vec<(u64, u32)>,
    terms: [u64; 7],
    step: u32,
    scale: i8,
    still: bool,
    values: Vec<u32>,
    positions: Vec<(bool, u64, Length)>,
    reading: (u64, i64, [u32; 4]),
}

impl Near {
    fn board(&self) -> Board {
        let spot = self.spot.up_to(62).max(1 << 24);
        let forward = spot.saturating_add_signed(self.basis.signed(62) % (spot / 2).cast_signed());
        let worth = 1 + (forward >> 48);
        Board {
            spot: Price::from_raw(spot),
            forward: Price::from_raw(forward),
            discount: Fraction::from_raw((1 << 32) - self.discount.up_to(31)),
            // Of a value between one cent and a hundred millions, nearly always.
            lot: between(self.lot >> (self.lot & 31), 1, (100_000_000_000_000 / worth).max(1)),
            time: Seconds::from_raw(between(self.time >> (self.time & 31), 1, 63_072_000).cast_signed()),
            now: Timestamp::from_raw(1_700_000_000),
            range: Ppm::from_raw(short_between(self.range, 1_000, 800_000)),
            volatility_up: part(self.up),
            volatility_down: part(self.down),
        }
    }

    fn reading(&self, board: &Board, terms: &ArrayTerms) -> Reading {
        let spot = board.spot.raw();
        let reach = (u128::from(spot) * u128::from(terms.max_drift)) >> 32;
        let drift = i128::from(self.drift.signed(62)) % (reach as i128 + 2);
        let (spot, age) = if self.still {
            (spot, 0)
        } else {
            let age = u64::from(self.age) % (terms.max_age.unsigned_abs() + 2);
            ((i128::from(spot) + drift).clamp(1, i128::from(u64::MAX)) as u64, age)
        };
        let most = u64::from(board.range.raw()) * 9 / 8;
        let range = short_between(self.range_now, 0, most as u32);
        Reading {
            spot: Price::from_raw(spot),
            now: Timestamp::from_raw(board.now.raw().saturating_add_unsigned(age)),
            range: Ppm::from_raw(range),
            range_maint: Ppm::from_raw(short_between(self.range_maint, 0, range)),
            extreme_damping: Ppm::from_raw(short_between(self.damping, 0, 333_333)),
            short_minimum: Ppm::from_raw(short_between(self.minimum, 0, 100_000)),
        }
    }

    fn check(&self) {
        let board = self.board();
        let nodes = Nodes::new(board.range).expect("a range within its limits");
        let Ok(mut refresh) = Refresh::new(&board, &nodes) else { return };
        reached("a board was refreshed");
        let mut series = Vec::new();
        for position in self.positions.iter().take(24) {
            let forward = board.forward.raw();
            let distance = i128::from(position.distance.signed(62)) * i128::from(forward >> 58).max(1);
            let strike = (i128::from(forward) + distance).clamp(0, i128::from(forward) * 51) as u64;
            let strike = Price::from_raw(strike);
            let volatility = Volatility::from_raw(between(u64::from(position.volatility), 10_000, 5_000_000) as u32);
            if let Ok(array) = refresh.array(strike, volatility) {
                reached("an array was computed");
                check_array(&array, &nodes_of(board.range));
                let kind = if position.put { OptionKind::Put } else { OptionKind::Call };
                series.push((array, kind, strike, position.lots.signed(26)));
            }
        }
        let terms = *refresh.terms();
        check_sums(&series, &terms, &self.reading(&board, &terms), self.still);
    }
}

/// Relative spots of the nodes in Q30: those of the moves and, from 15 on, of the extremes.
fn nodes_of(range: Ppm) -> [u64; 19] {
    let step = (u64::from(range.raw()) << 30) / 6_000_000;
    let one = 1_i64 << 30;
    let step = step.cast_signed();
    core::array::from_fn(|node| match node {
        0..NODES => (one + step * (node as i64 - 7)).cast_unsigned(),
        15 => (one - 21 * step).max(0).cast_unsigned(),
        16 => (one - 15 * step).max(one >> 5).cast_unsigned(),
        17 => (one + 15 * step).cast_unsigned(),
        _ => (one + 21 * step).cast_unsigned(),
    })
}

/// What holds for the values of a call: between nothing and the forward, rising and convex in the spot, rising in the
/// volatility.
fn check_array(array: &RiskArray, spots: &[u64; 19]) {
    let values: [i64; VALUES] = array.values.map(i64::from);
    let (up, down, extremes) = (&values[..NODES], &values[NODES..2 * NODES], &values[2 * NODES..2 * NODES + 4]);
    for (up, down) in up.iter().zip(down) {
        assert!(up + 2 * UNITS >= *down, "more volatility is worth less: {up} against {down}");
    }
    for curve in [up, down] {
        for pair in curve.windows(2) {
            assert!(pair[1] + 2 * UNITS >= pair[0], "a higher spot is worth less: {pair:?}");
        }
        for three in curve.windows(3) {
            assert!(three[0] + three[2] - 2 * three[1] >= -4 * UNITS, "not convex: {three:?}");
        }
    }
    let curve = [&extremes[..2], up, &extremes[2..]].concat();
    let places = [&spots[NODES..17], &spots[..NODES], &spots[17..]].concat();
    for (value, spot) in curve.iter().zip(places) {
        // A unit of the values is at least 2^-30 of the forward, as one of the nodes is.
        assert!(*value <= spot.cast_signed() + UNITS, "worth {value} at {spot}, more than the underlying");
    }
    let [value, delta, ..] = *values[34..].first_chunk::<5>().expect("five");
    assert!(delta <= (1 << 30) + UNITS && value <= (1 << 30) + UNITS);
}

type Series = (RiskArray, OptionKind, Price, i64);

fn summed<'a>(series: impl Iterator<Item = &'a Series>, factor: i64) -> Option<BoardSum> {
    let mut sum = BoardSum::new();
    for (array, kind, strike, lots) in series {
        sum.add(array, *kind, *strike, Lots::from_raw(lots * factor)).ok()?;
    }
    Some(sum)
}

fn risk(sum: Option<BoardSum>, terms: &ArrayTerms, reading: &Reading) -> Option<OptionRisk> {
    let mut risk = OptionRisk::default();
    sum?.finish(terms, reading, &mut risk).ok().map(|()| risk)
}

/// What holds for sums: order and splitting change nothing, the opposite position is the opposite, options owned lose no
/// more than they are worth.
fn check_sums(series: &[Series], terms: &ArrayTerms, reading: &Reading, still: bool) {
    let Some(found) = risk(summed(series.iter(), 1), terms, reading) else { return };
    reached("a board was read");
    if series.iter().any(|(.., lots)| *lots != 0) {
        reached("a board with positions was read");
    }
    assert_eq!(Some(found), risk(summed(series.iter().rev(), 1), terms, reading), "order");
    if reading.range == reading.range_maint {
        assert_eq!(found.pnl_init, found.pnl_maint);
    }
    // A unit of the values, or of the quote.
    let unit = 1_i64 << (-terms.scale).max(0);
    if let Some(opposite) = risk(summed(series.iter(), -1), terms, reading) {
        reached("the opposite was read");
        let pairs =
            found.pnl_init.iter().zip(&opposite.pnl_init).chain(found.pnl_maint.iter().zip(&opposite.pnl_maint));
        for (one, other) in pairs {
            let both = one.raw() + other.raw();
            // The mark that gains are counted from is rounded down, gamma's part of it to four units: a gain may be rounded
            // up with it.
            assert!((-6 * unit..=6 * unit).contains(&both), "{both} of {one:?} and its opposite, in units of {unit}");
        }
        let value = found.value.raw() + opposite.value.raw();
        let puts = series.len() as i64;
        assert!((-8 * unit - 2 * puts..=unit).contains(&value), "both sides are worth {value}, in units of {unit}");
        assert_eq!((found.short_minimum, found.long_minimum), (opposite.long_minimum, opposite.short_minimum));
    }
    let owned = series.iter().all(|(_, kind, _, lots)| *kind == OptionKind::Call && *lots >= 0);
    if owned && still {
        for gain in found.pnl_init.iter().chain(&found.pnl_maint) {
            assert!(gain.raw() >= -found.value.raw() - unit, "{gain:?} of calls worth {:?}", found.value);
        }
    }
    if owned {
        check_rising(series, &found.pnl_init, terms);
    }
}

/// Calls that are owned gain as the spot rises.
fn check_rising(series: &[Series], pnl: &[Quote; 16], terms: &ArrayTerms) {
    let lots: i128 = series.iter().map(|(.., lots)| i128::from(*lots)).sum();
    let slack = lots * i128::from(2 * UNITS);
    let slack = if terms.scale >= 0 { slack >> terms.scale.min(100) } else { slack << -terms.scale };
    for side in [&pnl[..7], &pnl[7..14]] {
        for pair in side.windows(2) {
            let fall = i128::from(pair[0].raw()) - i128::from(pair[1].raw());
            assert!(fall <= slack + 2 + (1 << (-terms.scale).max(0)), "calls lose {fall} as the spot rises");
        }
    }
}

impl Wild {
    fn check(&self) {
        let [spot, forward, discount, lot, time, now, range, up, down] = self.board;
        let board = Board {
            spot: Price::from_raw(spot),
            forward: Price::from_raw(forward),
            discount: Fraction::from_raw(discount),
            lot,
            time: Seconds::from_raw(time.cast_signed()),
            now: Timestamp::from_raw(now.cast_signed()),
            range: Ppm::from_raw(range as u32),
            volatility_up: Ppm::from_raw(up as u32),
            volatility_down: Ppm::from_raw(down as u32),
        };
        let nodes = Nodes::new(board.range);
        assert_eq!(nodes.is_ok(), (1_000..=800_000).contains(&board.range.raw()));
        let nodes = nodes.unwrap_or_else(|_| Nodes::new(Ppm::from_raw(200_000)).expect("20 %"));
        if let Ok(mut refresh) = Refresh::new(&board, &nodes) {
            reached("a wild board was refreshed");
            for (strike, volatility) in &self.strikes {
                let _ = refresh.array(Price::from_raw(*strike), Volatility::from_raw(*volatility));
            }
            let terms = *refresh.terms();
            assert_eq!(refresh.resume(&terms), Ok(()));
        }
        self.check_reading();
    }

    /// Arrays and terms that nothing has computed: any value or an error.
    fn check_reading(&self) {
        let [spot, forward, discount, lot, time, max_age, max_drift] = self.terms;
        let (spot_now, now, [range, range_maint, damping, minimum]) = self.reading;
        let terms = ArrayTerms {
            spot: Price::from_raw(spot),
            forward: Price::from_raw(forward),
            discount: Fraction::from_raw(discount),
            lot,
            time: Timestamp::from_raw(time.cast_signed()),
            max_age: Seconds::from_raw(max_age.cast_signed()),
            max_drift,
            step: self.step,
            scale: i32::from(self.scale),
        };
        let reading = Reading {
            spot: if self.still { terms.spot } else { Price::from_raw(spot_now) },
            now: if self.still { terms.time } else { Timestamp::from_raw(now) },
            range: Ppm::from_raw(range & 0xF_FFFF),
            range_maint: Ppm::from_raw(range_maint & range & 0xF_FFFF),
            extreme_damping: Ppm::from_raw(damping & 0x7_FFFF),
            short_minimum: Ppm::from_raw(minimum),
        };
        let mut array = RiskArray::default();
        array.values.iter_mut().zip(self.values.iter().cycle()).for_each(|(value, wild)| *value = *wild);
        let (mut sum, mut lots_in_all) = (BoardSum::new(), 0_u64);
        for (put, strike, lots) in &self.positions {
            let lots = lots.signed(40);
            let kind = if *put { OptionKind::Put } else { OptionKind::Call };
            if sum.add(&array, kind, Price::from_raw(*strike), Lots::from_raw(lots)).is_err() {
                return;
            }
            lots_in_all += lots.unsigned_abs();
            assert!(lots_in_all <= MAX_LOTS);
        }
        let mut risk = OptionRisk::default();
        if sum.finish(&terms, &reading, &mut risk).is_ok() {
            reached("a wild board was read");
        }
    }
}

impl Target for Input {
    fn check(self) {
        match self {
            Self::Near(near) => near.check(),
            Self::Wild(wild) => wild.check(),
        }
    }
}
