//! The properties of the requirement through the whole chain: random accounts with real options, risk arrays, board sums,
//! margin and report.
//!
//! `R` below is the stress alone, towards init and towards maint before the maintenance ratio; an account is drawn from a
//! seed (`common/account.rs`). Rounding is counted by [`units`].
mod common;

use common::account::{Account, Arrays, Expiry, Market, Perpetual, Refreshed, Series, account, price, ratio, years};
use common::independent::ROUNDING;
use common::random::Random;
use plimsoll_risk::Error;
use plimsoll_risk::options::OptionRisk;
use plimsoll_risk::portfolio::{Margin, Portfolio, margin, report, standalone};
use plimsoll_risk::units::{Ppm, Quote};
use proptest::prelude::*;

/// What the engine answers, or another account when this one is beyond its domain or its arrays.
fn within<T>(answer: Result<T, Error>) -> Result<T, TestCaseError> {
    answer.map_err(|error| match error {
        Error::Overflow | Error::ArraysOutOfReach | Error::TooManyLots => TestCaseError::reject(error.message()),
        _ => TestCaseError::fail(format!("{error:?}")),
    })
}

/// A random account at fresh prices, without add-ons, doubt and quote weight.
fn bare(seed: u64, refreshed: Refreshed) -> Account {
    let mut account = account(seed, refreshed);
    account.quote_weight_init = 0;
    account.quote_weight_maint = 0;
    account.parameters.maintenance_ratio = Ppm::ONE;
    for market in &mut account.markets {
        (market.ema, market.confidence) = (market.spot, 0);
        market.publish_time = common::account::NOW;
        market.balances.iter_mut().for_each(|balance| (balance.init, balance.maint) = (0, 0));
    }
    account
}

/// `R` towards init and towards maint of a bare account.
fn stress(account: &Account, arrays: &Arrays) -> Result<[f64; 2], TestCaseError> {
    let margin = within(account.margin(arrays))?;
    Ok([margin.requirement_init.raw() as f64, margin.requirement_maint.raw() as f64])
}

/// Arrays, and `R`.
fn refreshed_stress(account: &Account) -> Result<[f64; 2], TestCaseError> {
    stress(account, &account.arrays().expect("listed"))
}

/// `D F lot`, quote native.
fn lot(board: &Expiry) -> f64 {
    board.discount as f64 / 2f64.powi(32) * price(board.forward) * board.lot as f64
}

/// How many units an account's rounding may come to: four a market and ten for groups and root; for a board eight units of
/// quote, or of its values where those are larger, and what its puts' forwards round in base units.
fn units(account: &Account) -> f64 {
    let boards = |market: &Market| {
        let of_board = |board: &Expiry| {
            let forwards = (price(board.forward) / price(board.spot) + 2.0) * price(market.spot);
            8.0 + 8.0 * lot(board) / 2f64.powi(29) + forwards
        };
        market.boards.iter().map(of_board).sum::<f64>()
    };
    10.0 + account.markets.iter().map(|market| 4.0 + boards(market)).sum::<f64>()
}

/// The account's positions times a whole number.
fn times(account: &Account, factor: i64) -> Account {
    account.map(|_, x| x * factor)
}

/// Other positions in the same world, from a seed: of each up to twice as many, or none, either way.
fn others(account: &Account, seed: u64) -> Account {
    let mut random = Random::new(seed);
    account.map(|_, x| {
        let picked = random.integer(0, 2_000) as i64 - 1_000;
        if x.abs() < 1_000 { x * (picked % 3) } else { (i128::from(x) * i128::from(picked) / 500) as i64 }
    })
}

proptest! {
    #![proptest_config(cases!(5_000))]

    /// INV-8: R(n X) = n R(X); and so is equity.
    #[test]
    fn positively_homogeneous(seed in any::<u64>(), factor in 2..=50_i64) {
        let one = bare(seed, Refreshed::Any);
        let arrays = one.arrays().expect("listed");
        let many = times(&one, factor);
        let bound = units(&one) * (factor + 1) as f64;
        for (one, many) in stress(&one, &arrays)?.into_iter().zip(stress(&many, &arrays)?) {
            prop_assert!((many - factor as f64 * one).abs() <= bound, "{many} {one} {bound}");
        }
        let (one, many) = (within(one.margin(&arrays))?, within(many.margin(&arrays))?);
        let gap = i128::from(many.equity_init.raw()) - i128::from(factor) * i128::from(one.equity_init.raw());
        prop_assert!(gap.abs() as f64 <= bound, "{gap}");
    }

    /// INV-8: R(X + Y) <= R(X) + R(Y); and equity is additive.
    #[test]
    fn subadditive(seed in any::<u64>(), other in any::<u64>()) {
        let x = bare(seed, Refreshed::Any);
        let arrays = x.arrays().expect("listed");
        let y = others(&x, other);
        let both = x.plus(&y);
        let bound = 3.0 * units(&x);
        let parts = stress(&x, &arrays)?.into_iter().zip(stress(&y, &arrays)?);
        for (whole, (x, y)) in stress(&both, &arrays)?.into_iter().zip(parts) {
            prop_assert!(whole <= x + y + bound, "{whole} above {x} + {y}");
        }
        let equity = |account: &Account| within(account.margin(&arrays)).map(|m| i128::from(m.equity_init.raw()));
        let gap = equity(&both)? - equity(&x)? - equity(&y)?;
        prop_assert!(gap.abs() as f64 <= bound, "{gap}");
    }

    /// Haircuts, doubt, minima and weights besides: the requirement of the whole is never above the sum of its parts', each
    /// balance, perpetual and option alone.
    #[test]
    fn never_above_the_sum_of_its_parts(seed in any::<u64>()) {
        let mut x = account(seed, Refreshed::Any);
        x.markets.iter_mut().for_each(|market| market.publish_time = common::account::NOW);
        let arrays = x.arrays().expect("listed");
        let whole = within(x.margin(&arrays))?;
        let mut parts: Vec<(Portfolio, Vec<OptionRisk>)> = Vec::new();
        let positions = x.positions();
        for number in (0..positions.len()).filter(|number| positions[*number] != 0) {
            parts.push(within(x.map(|n, x| if n == number { x } else { 0 }).inputs(&arrays))?);
        }
        let alone = parts.iter().map(|(portfolio, options)| (portfolio, options.as_slice()));
        let alone = within(standalone(&whole, alone, &x.parameters))?;
        let bound = (parts.len() + 1) as f64 * units(&x) + doubt_units(&x) * (parts.len() + 1) as f64;
        prop_assert!(alone.saving_init.raw() as f64 >= -bound, "{alone:?}");
        prop_assert!(alone.saving_maint.raw() as f64 >= -bound, "{alone:?}");
    }

    /// INV-9 and INV-8, non-negativity. By underlying, savings are never negative.
    #[test]
    fn maintenance_is_never_above_initial(seed in any::<u64>()) {
        let mut x = account(seed, Refreshed::Any);
        let arrays = x.arrays().expect("listed");
        let margin = within(x.margin(&arrays))?;
        prop_assert!(margin.requirement_maint >= Quote::ZERO && margin.requirement_init >= Quote::ZERO);
        x.markets.iter_mut().for_each(|market| market.publish_time = common::account::NOW);
        let (portfolio, options) = within(x.inputs(&arrays))?;
        let report = within(report(&portfolio, &options, &x.parameters))?;
        prop_assert!(report.margin.requirement_maint <= report.margin.requirement_init);
        prop_assert_eq!(report.margin.equity_init, report.margin.equity_maint);
        prop_assert!(report.saving_init >= Quote::ZERO && report.saving_maint >= Quote::ZERO);
        prop_assert!(report.stress_maint <= report.stress);
    }

    /// The exact opposite of a part of the whole never raises R.
    #[test]
    fn perfect_hedge_of_the_whole(seed in any::<u64>(), kept in 0..=8_i64) {
        let x = bare(seed, Refreshed::Any);
        let arrays = x.arrays().expect("listed");
        let (all, some) = (times(&x, 8), times(&x, 8).plus(&times(&x, kept - 8)));
        for (before, after) in stress(&all, &arrays)?.into_iter().zip(stress(&some, &arrays)?) {
            prop_assert!(after <= before + 16.0 * units(&x), "{after} above {before}");
        }
    }

    /// The exact opposite of a part of one underlying, alone in its group, never raises R.
    #[test]
    fn perfect_hedge_of_an_underlying_alone_in_its_group(seed in any::<u64>(), which in any::<usize>(), kept in 0..=8_i64) {
        let mut x = bare(seed, Refreshed::Any);
        let which = which % x.markets.len();
        for (number, market) in x.markets.iter_mut().enumerate() {
            market.group = if number == which { 7 } else { market.group % 7 };
        }
        let arrays = x.arrays().expect("listed");
        let (all, mut some) = (times(&x, 8), times(&x, 8));
        some.markets[which] = times(&x, kept).markets[which].clone();
        for (before, after) in stress(&all, &arrays)?.into_iter().zip(stress(&some, &arrays)?) {
            prop_assert!(after <= before + 16.0 * units(&x), "{after} above {before}");
        }
    }
}

/// What rounding of net exposures may come to in the charges for the oracle's doubt.
fn doubt_units(account: &Account) -> f64 {
    let of_market = |market: &Market| {
        let doubt = price(market.confidence) * ratio(market.confidence_multiplier)
            + (price(market.spot) - price(market.ema)).abs();
        let base = |board: &Expiry| {
            let lot = lot(board) / price(board.spot);
            price(board.forward) / price(board.spot) + 4.0 + 2.0 / price(market.spot) + lot * 512.0 / 2f64.powi(29)
        };
        doubt * market.boards.iter().map(base).sum::<f64>() + ratio(market.confidence_multiplier) + 4.0
    };
    account.markets.iter().map(of_market).sum()
}

/// A market whose volatility is never shocked down, and an account with a random book around it.
fn with_option(seed: u64, volatility_down: Option<u32>) -> Option<(Account, usize, usize)> {
    let mut x = bare(seed, Refreshed::Now);
    let which = x.markets.iter().position(|market| !market.boards.is_empty())?;
    let market = &mut x.markets[which];
    market.perpetual.get_or_insert(Perpetual { size: 0, cash: 0 });
    if let Some(down) = volatility_down {
        market.volatility_down = down;
    }
    Some((x, which, 0))
}

proptest! {
    #![proptest_config(cases!(5_000))]

    /// A long put, a short call and a forward gain nothing in any scenario: R stays what it was, and so does equity but for
    /// the strike's and the forward's worth.
    #[test]
    fn put_against_call_and_forward(seed in any::<u64>(), lots in 1..1_000_i64, pick in any::<usize>()) {
        let Some((mut x, which, board)) = with_option(seed, None) else { return Err(TestCaseError::reject("no options")) };
        x.markets[which].short_minimum = 0;
        let before = refreshed_stress(&x)?;
        let market = &mut x.markets[which];
        let (spot, board) = (price(market.spot), &mut market.boards[board]);
        let series = board.series[pick % board.series.len()];
        board.series.push(Series { put: true, lots, ..series });
        board.series.push(Series { put: false, lots: -lots, ..series });
        let forwards = lots as f64 * lot(board) / spot;
        if forwards > 1e17 {
            return Err(TestCaseError::reject("too large"));
        }
        market.perpetual.as_mut().expect("there").size += forwards.round() as i64;
        let rounding = 2.0 * units(&x) + spot + 1e-14 * forwards * spot;
        for (before, after) in before.into_iter().zip(refreshed_stress(&x)?) {
            prop_assert!((after - before).abs() <= rounding, "{after} {before}");
        }
    }

    /// INV-8, monotonicity: an option hedged by its delta, which without a shock of the volatility down loses in every
    /// scenario when it is short (a convex value lies above its tangent) and gains in every one when it is long. The first
    /// never lowers R, the second never raises it.
    #[test]
    fn adding_losses_never_lowers_and_adding_gains_never_raises(
        seed in any::<u64>(), lots in 1..1_000_i64, short in any::<bool>(), put in any::<bool>(), pick in any::<usize>(),
    ) {
        let Some((mut x, which, board)) = with_option(seed, Some(0)) else { return Err(TestCaseError::reject("no options")) };
        let before = refreshed_stress(&x)?;
        let market = &mut x.markets[which];
        let (spot, board) = (price(market.spot), &mut market.boards[board]);
        let series = board.series[pick % board.series.len()];
        let lots = if short { -lots } else { lots };
        board.series.push(Series { put, lots, ..series });
        let notional = lots as f64 * lot(board);
        let w = f64::from(series.volatility) / 1e6 * years(board).sqrt();
        let d1 = (board.forward as f64 / series.strike as f64).ln() / w + w / 2.0;
        let delta = common::independent::normal(d1) - if put { 1.0 } else { 0.0 };
        if notional.abs() / spot > 1e17 {
            return Err(TestCaseError::reject("too large"));
        }
        market.perpetual.as_mut().expect("there").size -= (notional * delta / spot).round() as i64;
        let rounding = 2.0 * units(&x) + spot + 3.0 * ROUNDING * notional.abs();
        for (before, after) in before.into_iter().zip(refreshed_stress(&x)?) {
            let lower = if short { before - after } else { after - before };
            prop_assert!(lower <= rounding, "{before} to {after}, {rounding}");
        }
    }
}

/// The account at other ranges, all of them in proportion, towards init and towards maint; boards refreshed there.
fn at_ranges(x: &Account, ranges: &[u32], factor: u32) -> Account {
    let mut x = x.clone();
    for (market, range) in x.markets.iter_mut().zip(ranges) {
        (market.range, market.range_maint) = (range * factor, range * factor);
        market.boards.iter_mut().for_each(|board| board.range = range * factor);
    }
    x
}

/// Two factors and a base range for each market, such that no product rounds and none is beyond what options allow.
fn ranges() -> impl Strategy<Value = (Vec<u32>, u32, u32)> {
    (prop::collection::vec(1_000..=25_000_u32, 16), 1..=31_u32, 1..=32_u32)
        .prop_map(|(ranges, small, large)| (ranges, small.min(large), large.max(small + 1)))
}

/// Steepest slopes of an underlying, quote native for a move of 100 %.
fn slope(market: &Market) -> f64 {
    let linear = market.balances.iter().map(|b| b.amount).sum::<i64>() + market.perpetual.map_or(0, |p| p.size);
    let options =
        market.boards.iter().flat_map(|board| board.series.iter().map(move |s| s.lots.abs() as f64 * lot(board)));
    (linear as f64 * price(market.spot)).abs() + options.sum::<f64>()
}

/// Rounding of all options: what arrays of different nodes may differ by, that should not.
fn notional_rounding(x: &Account) -> f64 {
    4.0 * ROUNDING * x.options().map(|(_, board, series)| series.lots.abs() as f64 * lot(board)).sum::<f64>()
}

proptest! {
    #![proptest_config(cases!(5_000))]

    /// Larger ranges, all by one factor, never lower R of a linear book.
    #[test]
    fn larger_ranges_on_linear_books(seed in any::<u64>(), (ranges, small, large) in ranges()) {
        let mut x = bare(seed, Refreshed::Now);
        x.markets.iter_mut().for_each(|market| market.boards.clear());
        let low = refreshed_stress(&at_ranges(&x, &ranges, small))?;
        let high = refreshed_stress(&at_ranges(&x, &ranges, large))?;
        prop_assert!(low[0] <= high[0] + 2.0 * units(&x), "{low:?} {high:?}");
    }

    /// Nor of a book whose losses are convex in the move: short options and anything linear. A convex function is largest at
    /// an end of its interval, and a larger interval contains the smaller one.
    #[test]
    fn larger_ranges_on_books_of_short_options(seed in any::<u64>(), (ranges, small, large) in ranges()) {
        let mut x = bare(seed, Refreshed::Now);
        x.markets.iter_mut().flat_map(|m| &mut m.boards).flat_map(|b| &mut b.series).for_each(|s| s.lots = -s.lots.abs());
        let low = refreshed_stress(&at_ranges(&x, &ranges, small))?;
        let high = refreshed_stress(&at_ranges(&x, &ranges, large))?;
        prop_assert!(low[0] <= high[0] + 2.0 * units(&x) + notional_rounding(&x), "{low:?} {high:?}");
    }

    /// Nor of a single option: its gain is monotone in the move.
    #[test]
    fn larger_ranges_on_single_options(seed in any::<u64>(), pick in any::<usize>(), (ranges, small, large) in ranges()) {
        let x = bare(seed, Refreshed::Now);
        let count = x.options().count();
        prop_assume!(count > 0);
        let mut x = x.map(|_, _| 0);
        let lots = account(seed, Refreshed::Now).options().nth(pick % count).expect("there").2.lots;
        let mut series = x.markets.iter_mut().flat_map(|m| &mut m.boards).flat_map(|b| &mut b.series);
        series.nth(pick % count).expect("there").lots = lots;
        let low = refreshed_stress(&at_ranges(&x, &ranges, small))?;
        let high = refreshed_stress(&at_ranges(&x, &ranges, large))?;
        let rounding = 2.0 * units(&x) + notional_rounding(&x);
        prop_assert!(low[0] <= high[0] + rounding, "{low:?} {high:?}");
    }

    /// Any book: seven moves may miss what a smaller range hit. A move of the smaller range is within a sixth of the larger
    /// range of one of its moves, and an extreme one within three times what the ranges differ by; with `G` the steepest
    /// slope, R falls by at most `sum_u G max(range / 6, 3 damping (range - smaller))` (and the chord of the extremes, of
    /// `damping range` at most a quarter).
    #[test]
    fn larger_ranges_on_any_book(seed in any::<u64>(), (ranges, small, large) in ranges()) {
        let x = bare(seed, Refreshed::Now);
        let low = refreshed_stress(&at_ranges(&x, &ranges, small))?;
        let high = refreshed_stress(&at_ranges(&x, &ranges, large))?;
        let damping = ratio(x.parameters.extreme_damping.raw());
        let missed = |(market, range): (&Market, &u32)| {
            let (larger, smaller) = (ratio(range * large), ratio(range * small));
            slope(market) * f64::max(larger / 6.0, damping * (3.0 * (larger - smaller) + larger / 4.0))
        };
        let missed = x.markets.iter().zip(&ranges).map(missed).sum::<f64>();
        let bound = missed + 2.0 * units(&x) + notional_rounding(&x);
        prop_assert!(low[0] <= high[0] + bound, "{low:?} {high:?}, {bound}");
    }

    /// A larger confidence, short-option minimum, haircut or weight never lowers a requirement.
    #[test]
    fn larger_charges(seed in any::<u64>(), more in 1..1_000_000_u64) {
        let x = account(seed, Refreshed::Any);
        let arrays = x.arrays().expect("listed");
        let before = within(x.margin(&arrays))?;
        let mut changed = [x.clone(), x.clone(), x.clone(), x.clone()];
        changed[0].markets.iter_mut().for_each(|m| m.confidence += m.confidence / 1_000_000 * more + more);
        changed[1].markets.iter_mut().for_each(|m| m.short_minimum = (m.short_minimum + more as u32).min(1_000_000));
        let balances = changed[2].markets.iter_mut().flat_map(|m| &mut m.balances);
        balances.for_each(|b| (b.init, b.maint) = (b.init + more as u32, b.maint + more as u32));
        let phi = &mut changed[3].parameters.phi;
        phi.iter_mut().for_each(|phi| *phi = Ppm::from_raw(phi.raw().saturating_sub(more as u32)));
        for (number, x) in changed.iter().enumerate() {
            let after = within(x.margin(&arrays))?;
            prop_assert!(after.requirement_init >= before.requirement_init, "{number}: {before:?} {after:?}");
            prop_assert!(after.requirement_maint >= before.requirement_maint, "{number}: {before:?} {after:?}");
        }
    }

    /// A price going stale never lowers the maintenance health, and one that is dead leaves it as it is.
    #[test]
    fn going_stale_never_liquidates(seed in any::<u64>(), which in any::<usize>()) {
        let x = account(seed, Refreshed::Any);
        let arrays = x.arrays().expect("listed");
        let which = which % x.markets.len();
        let aged = |age: i64| -> Result<Margin, TestCaseError> {
            let mut x = x.clone();
            x.markets[which].publish_time = common::account::NOW - age;
            within(x.margin(&arrays))
        };
        let health = |margin: &Margin| margin.health_maint().map(|health| health.raw() as f64);
        let (fresh, stale, dead) = (aged(0)?, aged(3_600)?, aged(3_601)?);
        prop_assert!(within(health(&stale))? >= within(health(&fresh))? - 2.0 * units(&x), "{fresh:?} {stale:?}");
        prop_assert_eq!(health(&dead), health(&fresh));
        prop_assert_eq!(dead.blocked_by.is_some(), stale.blocked_by.is_some());
    }
}

/// A number of any length, edges included.
fn noise(random: &mut Random) -> u64 {
    let length = random.integer(0, 64) as u32;
    let all = if length == 0 { 0 } else { u64::MAX >> (64 - length) };
    match random.integer(0, 4) {
        0 => all,
        1 => all ^ (all >> 1),
        2 => all.wrapping_neg(),
        _ => random.next() & all,
    }
}

/// Puts noise in the place of some of an account's numbers.
fn garble(x: &mut Account, random: &mut Random, part: f64) {
    macro_rules! maybe {
        ($($field:expr),*) => {{
            $(if random.chance(part) { $field = noise(random) as _; })*
        }};
    }
    maybe!(x.quote, x.quote_weight_init, x.quote_weight_maint);
    for market in &mut x.markets {
        maybe!(market.spot, market.ema, market.confidence, market.publish_time, market.range, market.range_maint);
        maybe!(market.group, market.confidence_multiplier, market.short_minimum);
        maybe!(market.volatility_up, market.volatility_down);
        // One balance, so that their sum is not what overflows.
        market.balances.truncate(1);
        market.balances.iter_mut().for_each(|balance| maybe!(balance.amount, balance.init, balance.maint));
        if let Some(perpetual) = &mut market.perpetual {
            maybe!(perpetual.cash);
            perpetual.size >>= 2;
            market.balances.iter_mut().for_each(|balance| balance.amount >>= 2);
        }
        for board in &mut market.boards {
            maybe!(board.spot, board.forward, board.discount, board.lot, board.made, board.time, board.range);
            board.series.iter_mut().for_each(|series| maybe!(series.strike, series.volatility, series.lots));
        }
    }
    let parameters = &mut x.parameters;
    for ratio in parameters.phi.iter_mut().chain(&mut parameters.rho) {
        if random.chance(part) {
            *ratio = Ppm::from_raw(noise(random) as u32);
        }
    }
    if random.chance(part) {
        parameters.maintenance_ratio = Ppm::from_raw(noise(random) as u32);
        parameters.extreme_damping = Ppm::from_raw(noise(random) as u32);
    }
}

/// Puts noise in the place of some of the sums that the margin is given.
fn garble_options(options: &mut [OptionRisk], random: &mut Random, part: f64) {
    for risk in options {
        for quote in risk.pnl_init.iter_mut().chain(&mut risk.pnl_maint).chain([&mut risk.value]) {
            if random.chance(part) {
                *quote = Quote::from_raw(noise(random).cast_signed());
            }
        }
        if random.chance(part) {
            risk.underlying = noise(random) as u8;
            (risk.short_minimum, risk.long_minimum) = (noise(random), noise(random));
        }
    }
}

proptest! {
    #![proptest_config(cases!(20_000))]

    /// Whatever comes in, there is an answer or an error; and an answer is never a negative requirement.
    #[test]
    fn total_over_any_input(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let mut x = account(seed, Refreshed::Any);
        let part = [0.3, 0.05, 0.005, 0.001][random.integer(0, 3) as usize];
        let sound = x.arrays().expect("listed");
        garble(&mut x, &mut random, part);
        // Of arrays made from it, or of arrays that know nothing of it.
        let arrays = x.arrays().unwrap_or(sound);
        if let Ok((portfolio, mut options)) = x.inputs(&arrays) {
            for _ in 0..2 {
                if let Ok(margin) = margin(&portfolio, &options, &x.parameters) {
                    prop_assert!(margin.requirement_init >= Quote::ZERO && margin.requirement_maint >= Quote::ZERO);
                }
                let _ = report(&portfolio, &options, &x.parameters);
                garble_options(&mut options, &mut random, part);
            }
        }
    }
}
