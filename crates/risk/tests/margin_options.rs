//! Margin with options, two ranges and extreme moves: against a second implementation, its axioms, and by hand.
mod common;

use common::options::{Holding, any_holding, book, holding, holding_of, sums, together};
use common::{any_length, build, fresh_underlying, int, parameters, part, ppm, q48, ratio, reference};
use num_bigint::BigInt;
use num_rational::BigRational;
use plimsoll_risk::Error;
use plimsoll_risk::grid::GRID;
use plimsoll_risk::options::OptionRisk;
use plimsoll_risk::portfolio::{
    GROUP_PAIRS, MAX_VALUE, Margin, Portfolio, RiskParameters, Underlying, margin, report, standalone,
};
use plimsoll_risk::price::{Freshness, Observation};
use plimsoll_risk::units::{Base, Ppm, Price, Quote};
use proptest::prelude::*;

/// Requirements round each shock up, by less than two units, and each scenario and group and the root by one.
fn rounding(count: usize) -> i128 {
    4 * count as i128 + 4
}

fn holdings() -> impl Strategy<Value = Vec<Holding>> {
    proptest::collection::vec(holding(), 1..=6)
}

fn margin_of(holdings: &[Holding], params: &RiskParameters) -> Margin {
    let (underlyings, options) = book(holdings);
    margin(&build(&underlyings), &options, params).expect("every number is below 2^58")
}

/// Without add-ons, confidence and gap: what is left of the requirement is the stress, at both ranges.
fn bare(holdings: &[Holding]) -> Vec<Holding> {
    let strip = |h: &Holding| {
        let observation =
            Observation { ema: h.underlying.observation.spot, confidence: Price::ZERO, ..h.underlying.observation };
        let underlying = Underlying { observation, addon_init: 0, addon_maint: 0, ..h.underlying };
        Holding { underlying, ..h.clone() }
    };
    holdings.iter().map(strip).collect()
}

/// The stress requirement towards init, and towards maint without the maintenance ratio.
fn stress(holdings: &[Holding], params: &RiskParameters) -> [i128; 2] {
    let whole = RiskParameters { maintenance_ratio: Ppm::ONE, ..*params };
    let margin = margin_of(&bare(holdings), &whole);
    [margin.requirement_init, margin.requirement_maint].map(|requirement| requirement.raw().into())
}

/// The position times a factor from a tenth of a percent, to the unit below.
fn thousandths(holdings: &[Holding], part: i64) -> Vec<Holding> {
    holding_of(holdings, |_, x| (i128::from(x) * i128::from(part) / 1_000) as i64)
}

/// INV-7: the engine is the formulas, bit for bit, whatever is held and however old its prices are.
fn check_reference(holdings: &[Holding], params: &RiskParameters) -> Result<(), TestCaseError> {
    let (underlyings, options) = book(holdings);
    let p = build(&underlyings);
    let margin = margin(&p, &options, params).expect("every number is below 2^58");
    prop_assert_eq!(reference::Expected::from(&margin), reference::margin(&p, &options, params));
    prop_assert_eq!(report(&p, &options, params).expect("the same").margin, margin);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn equals_the_reference(holdings in proptest::collection::vec(any_holding(), 0..=16), params in parameters()) {
        check_reference(&holdings, &params)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Twenty seconds.
    #[test]
    #[ignore = "long: make test-long"]
    fn equals_the_reference_long(
        holdings in proptest::collection::vec(any_holding(), 0..=16), params in parameters(),
    ) {
        check_reference(&holdings, &params)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// INV-9 and INV-8, non-negativity.
    #[test]
    fn maintenance_is_never_above_initial(holdings in holdings(), params in parameters()) {
        let margin = margin_of(&holdings, &params);
        prop_assert!(margin.requirement_maint <= margin.requirement_init);
        prop_assert!(margin.requirement_maint >= Quote::ZERO);
        prop_assert_eq!(margin.equity_init, margin.equity_maint);
    }

    /// Whatever prices are old, the initial health is at most the maintenance one: what leaves it is worth more than it
    /// costs, add-ons and doubt aside.
    #[test]
    fn initial_health_is_at_most_maintenance_health(
        holdings in proptest::collection::vec(any_holding(), 1..=6), params in parameters(),
    ) {
        let margin = margin_of(&bare(&holdings), &params);
        let [init, maint] = [margin.health_init(), margin.health_maint()].map(|h| i128::from(h.expect("fits").raw()));
        prop_assert!(init <= maint + rounding(holdings.len()), "{init} above {maint}");
    }

    /// A price going stale never lowers the maintenance health; one that is dead is taken as it is. Both block new risk
    /// where there are options.
    #[test]
    fn going_stale_never_liquidates(holdings in holdings(), params in parameters(), which in 0..16_usize) {
        let which = which % holdings.len();
        let as_if = |freshness| {
            let mut holdings = holdings.clone();
            holdings[which].underlying.freshness = freshness;
            let margin = margin_of(&holdings, &params);
            (i128::from(margin.health_maint().expect("fits").raw()), margin.blocked_by)
        };
        let ((fresh, _), (stale, blocked)) = (as_if(Freshness::Fresh), as_if(Freshness::Stale));
        prop_assert!(stale >= fresh - rounding(1), "{stale} below {fresh}");
        prop_assert_eq!(as_if(Freshness::Dead), (fresh, blocked));
        if !holdings[which].series.is_empty() {
            prop_assert_eq!(blocked.map(usize::from), Some(which));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// INV-8: R(n X) = n R(X), at both ranges.
    #[test]
    fn is_positively_homogeneous(holdings in holdings(), factor in 1..=1_000_i64, params in parameters()) {
        let one = stress(&holdings, &params);
        let many = stress(&holding_of(&holdings, |_, x| x * factor), &params);
        let rounding = rounding(holdings.len());
        let factor = i128::from(factor);
        for (one, many) in one.into_iter().zip(many) {
            prop_assert!(many <= factor * (one + rounding), "{many} above {factor} * {one}");
            prop_assert!(many >= factor * (one - rounding), "{many} below {factor} * {one}");
        }
    }

    /// INV-8: R(X + Y) <= R(X) + R(Y), at both ranges.
    #[test]
    fn is_subadditive(
        x in holdings(), parts in proptest::collection::vec(-1_000..=1_000_i64, 64), params in parameters(),
    ) {
        // The other account holds the same underlyings and series, of any sign and size up to the first's.
        let noise = |number: usize, x: i64| {
            let pick = parts[(number * 5 + x.unsigned_abs() as usize % 5) % 64];
            (i128::from(x) * i128::from(pick) / 1_000) as i64
        };
        let y = holding_of(&x, noise);
        let whole = stress(&together(&x, &y), &params);
        let parts = stress(&x, &params).into_iter().zip(stress(&y, &params));
        for (whole, (x_alone, y_alone)) in whole.into_iter().zip(parts) {
            prop_assert!(whole <= x_alone + y_alone + rounding(x.len()), "{whole} above {x_alone} + {y_alone}");
        }
    }

    /// Equity is additive, up to the rounding of each value.
    #[test]
    fn equity_is_additive(x in holdings(), part in -1_000..=1_000_i64) {
        let y = thousandths(&x, part);
        let equity = |holdings: &[Holding]| i128::from(margin_of(holdings, &RiskParameters::STRICT).equity_init.raw());
        let gap = equity(&together(&x, &y)) - equity(&x) - equity(&y);
        prop_assert!((0..=x.len() as i128).contains(&gap), "{gap}");
    }

    /// The exact opposite of a part of the whole, added to it, never raises R.
    #[test]
    fn perfect_hedge_of_a_part_of_the_whole(x in holdings(), part in 0..=1_000_i64, params in parameters()) {
        // Multiples of a thousand, so that the part is exact.
        let x = holding_of(&x, |_, x| x / 1_000 * 1_000);
        let hedged = together(&x, &thousandths(&x, -part));
        for (before, after) in stress(&x, &params).into_iter().zip(stress(&hedged, &params)) {
            prop_assert!(after <= before + rounding(x.len()), "{after} above {before}");
        }
    }

    /// The exact opposite of a part of one underlying never raises R without netting in its group, or alone in it.
    #[test]
    fn perfect_hedge_of_one_underlying(
        x in holdings(), which in 0..16_usize, part in 0..=1_000_i64, alone in any::<bool>(), params in parameters(),
    ) {
        let which = which % x.len();
        let group = x[which].underlying.group;
        let mut params = params;
        let x = holding_of(&x, |_, x| x / 1_000 * 1_000);
        let x: Vec<Holding> = if alone {
            let stays = |(number, h): &(usize, Holding)| *number == which || h.underlying.group != group;
            x.into_iter().enumerate().filter(stays).map(|(_, h)| h).collect()
        } else {
            params.phi[usize::from(group)] = Ppm::ZERO;
            x
        };
        let which = if alone { x.iter().position(|h| h.underlying.group == group).expect("there") } else { which };
        let hedged = holding_of(&x, |number, x| if number == which { x / 1_000 * (1_000 - part) } else { x });
        for (before, after) in stress(&x, &params).into_iter().zip(stress(&hedged, &params)) {
            prop_assert!(after <= before + rounding(x.len()), "{after} above {before}");
        }
    }

    /// INV-8: less credit, more correlation, and a larger minimum are more risk.
    #[test]
    fn is_monotone(
        x in holdings(), params in parameters(), which in 0..16_usize, group in 0..8_usize, pair in 0..GROUP_PAIRS,
        more in any_length(40),
    ) {
        let before = stress(&x, &params);
        let mut less_credit = params;
        less_credit.phi[group] = Ppm::from_raw(params.phi[group].raw() / 2);
        let mut less_related = params;
        less_related.rho[pair] = Ppm::from_raw(params.rho[pair].raw() / 2);
        let stripped = bare(&x);
        let (underlyings, mut options) = book(&stripped);
        if let Some(count) = options.len().checked_sub(1) {
            options[which.min(count)].short_minimum += more;
        }
        let whole = RiskParameters { maintenance_ratio: Ppm::ONE, ..params };
        let floored = margin(&build(&underlyings), &options, &whole).expect("fits");
        for side in 0..2 {
            prop_assert!(stress(&x, &less_credit)[side] >= before[side]);
            prop_assert!(stress(&x, &less_related)[side] <= before[side]);
            let floored = [floored.requirement_init, floored.requirement_maint][side];
            prop_assert!(i128::from(floored.raw()) >= before[side]);
        }
    }

    /// A wider confidence interval never lowers a requirement.
    #[test]
    fn is_monotone_in_confidence(x in holdings(), more in any_length(20), params in parameters()) {
        let mut wider = x.clone();
        for h in &mut wider {
            let confidence = h.underlying.observation.confidence.raw();
            h.underlying.observation.confidence = Price::from_raw(confidence + (confidence >> 1) + more);
        }
        let (before, after) = (margin_of(&x, &params), margin_of(&wider, &params));
        prop_assert!(after.requirement_init >= before.requirement_init);
        prop_assert!(after.requirement_maint >= before.requirement_maint);
    }

    /// Linear books: a common factor on all ranges never lowers R, nor one larger range where at most half is credited.
    #[test]
    fn larger_ranges_on_linear_books(
        underlyings in proptest::collection::vec(fresh_underlying(), 1..=16), params in parameters(),
        part in part(), which in 0..16_usize,
    ) {
        let linear: Vec<Holding> = underlyings
            .into_iter()
            .map(|underlying| Holding { underlying, series: Vec::new(), lots: Vec::new() })
            .collect();
        let scaled = |only: Option<usize>| {
            let mut x = linear.clone();
            for (_, h) in x.iter_mut().enumerate().filter(|(number, _)| only.is_none_or(|only| only == *number)) {
                let range = (u64::from(h.underlying.range.raw()) * u64::from(part.raw()) / 1_000_000) as u32;
                (h.underlying.range, h.underlying.range_maint) = (Ppm::from_raw(range), Ppm::from_raw(range));
            }
            x
        };
        let half = RiskParameters { phi: params.phi.map(|phi| Ppm::from_raw(phi.raw() / 2)), ..params };
        let all = stress(&linear, &half)[0];
        prop_assert!(stress(&scaled(Some(which % linear.len())), &half)[0] <= all + rounding(1));
        // A range rounds to a millionth, of a value of up to 2^58: only what all ranges scale by exactly is compared.
        if linear.iter().all(|h| u64::from(h.underlying.range.raw()) * u64::from(part.raw()) % 1_000_000 == 0) {
            prop_assert!(stress(&scaled(None), &params)[0] <= stress(&linear, &params)[0] + rounding(linear.len()));
        }
    }

    /// Netting never costs, by underlying: what the report calls alone is the margin of each underlying alone.
    #[test]
    fn netting_never_costs(x in holdings(), params in parameters()) {
        let (underlyings, options) = book(&x);
        let report = report(&build(&underlyings), &options, &params).expect("fits");
        prop_assert!(report.saving_init >= Quote::ZERO);
        prop_assert!(report.saving_maint >= Quote::ZERO);
        let parts: Vec<(Portfolio, Vec<OptionRisk>)> = x
            .iter()
            .map(|h| {
                let (underlyings, options) = book(core::slice::from_ref(h));
                (build(&underlyings), options)
            })
            .collect();
        for ((p, options), line) in parts.iter().zip(&report.underlyings) {
            let alone = margin(p, options, &params).expect("fits");
            prop_assert_eq!(alone.requirement_init, line.standalone_init);
            prop_assert_eq!(alone.requirement_maint, line.standalone_maint);
        }
        let parts = parts.iter().map(|(p, options)| (p, options.as_slice()));
        let alone = standalone(&report.margin, parts, &params).expect("fits");
        prop_assert_eq!(alone.requirement_init, report.standalone_init);
        prop_assert_eq!((alone.saving_init, alone.saving_maint), (report.saving_init, report.saving_maint));
    }

    /// The report's groups: N is what the worst scenario loses or the minimum, at most A, and R_g is between them.
    #[test]
    fn report_adds_up(x in holdings(), params in parameters()) {
        let (underlyings, options) = book(&x);
        let report = report(&build(&underlyings), &options, &params).expect("fits");
        for (group, line) in report.groups.iter().chain(&report.groups_maint).enumerate() {
            let worst = line.worst_scenario.map_or(0, |worst| line.pnl[usize::from(worst)].unsigned_abs());
            prop_assert_eq!(line.netted, worst.max(line.short_minimum));
            let lowest = line.pnl.iter().map(|pnl| i128::from(pnl.raw())).min().expect("sixteen");
            prop_assert_eq!(-i128::from(worst), lowest.min(0));
            prop_assert!(line.netted <= line.risk && line.risk <= line.gross);
            let losses = x.iter().zip(&report.underlyings).filter(|(h, _)| usize::from(h.underlying.group) == group % 8);
            let losses = losses.map(|(_, line)| if group < 8 { line.loss_init } else { line.loss_maint });
            prop_assert_eq!(line.gross, losses.sum::<u64>());
        }
        let stress = stress(&x, &params);
        prop_assert_eq!([i128::from(report.stress), i128::from(report.stress_maint)], stress);
    }

    /// The order of the underlyings does not matter.
    #[test]
    fn order_does_not_matter(x in proptest::collection::vec(any_holding(), 0..=16), params in parameters()) {
        let backwards: Vec<Holding> = x.iter().rev().cloned().collect();
        let (one, other) = (margin_of(&x, &params), margin_of(&backwards, &params));
        prop_assert_eq!(Margin { blocked_by: None, ..one }, Margin { blocked_by: None, ..other });
        prop_assert_eq!(one.blocked_by.is_some(), other.blocked_by.is_some());
    }
}

/// A group's risk in real numbers: linear shocks, gains and minima, nothing rounded.
fn exact_group_risk(members: &[&Holding], params: &RiskParameters, maint: bool) -> BigRational {
    let damping = ppm(params.extreme_damping);
    let move_of = |k: usize| ratio(GRID[k].thirds, 3) * if GRID[k].extreme { damping.clone() } else { int(1) };
    let position = |h: &Holding| {
        let (u, options) = (&h.underlying, sums(0, &h.series, &h.lots));
        let range = ppm(if maint { u.range_maint } else { u.range });
        let exposure = BigInt::from(u.exposure.raw()) + options.exposure.raw();
        let shock = int(exposure) * q48(u.observation.spot.raw()) * range;
        let pnl = if maint { options.pnl_maint } else { options.pnl_init };
        let pnl: Vec<BigRational> = (0..16).map(|k| move_of(k) * &shock + int(pnl[k].raw())).collect();
        (pnl, int(options.short_minimum))
    };
    let worst = |pnl: &[BigRational], minimum: &BigRational| {
        pnl.iter().map(|pnl| -pnl).chain([minimum.clone(), int(0)]).max().expect("not empty")
    };
    let (mut netted, mut minima, mut gross) = (vec![int(0); 16], int(0), int(0));
    for (pnl, minimum) in members.iter().map(|h| position(h)) {
        gross += worst(&pnl, &minimum);
        minima += minimum;
        netted.iter_mut().zip(pnl).for_each(|(sum, pnl)| *sum += pnl);
    }
    let phi = ppm(params.phi[members.first().map_or(0, |h| usize::from(h.underlying.group))]);
    &phi * worst(&netted, &minima) + (int(1) - phi) * gross
}

/// The square of `R` in real numbers, at one of the two ranges.
fn exact_square(holdings: &[Holding], params: &RiskParameters, maint: bool) -> BigRational {
    let risk = |group: u8| {
        let members: Vec<&Holding> = holdings.iter().filter(|h| h.underlying.group == group).collect();
        exact_group_risk(&members, params, maint)
    };
    let risks: Vec<BigRational> = (0..8).map(risk).collect();
    let mut square = int(0);
    for (g, one) in (0_u8..).zip(&risks) {
        for (h, other) in (0_u8..).zip(&risks) {
            square += ppm(params.rho(g, h).expect("below 8")) * one * other;
        }
    }
    square
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// How far rounding moves `R` from the real number. Up: by less than three units for each underlying (the shock by
    /// less than two, the scenario by one), one for each group and one for the root. Down: only where rounded shocks net,
    /// by less than two for each underlying.
    #[test]
    fn rounding_is_bounded(x in holdings(), shift in 0..45_u32, params in parameters()) {
        let x = holding_of(&x, |_, x| if x.unsigned_abs() > 16 { x >> shift } else { x });
        let squares = [false, true].map(|maint| exact_square(&x, &params, maint));
        let [init, maint] = stress(&x, &params);
        let count = x.len() as i128;
        for (found, square) in [(maint, squares[1].clone()), (init, squares.into_iter().max().expect("two"))] {
            let below = int((found - 3 * count - 9).max(0));
            let above = int(found + 2 * count);
            prop_assert!(&below * &below <= square, "too far above");
            prop_assert!(&above * &above >= square, "too far below");
        }
    }
}

/// Any bits at all.
fn anything() -> impl Strategy<Value = OptionRisk> {
    let gains = || proptest::array::uniform16(any::<i64>()).prop_map(|gains| gains.map(Quote::from_raw));
    (0..20_u8, any::<[i64; 3]>(), gains(), gains(), any::<[u64; 2]>()).prop_map(
        |(underlying, [exposure, value, delta], pnl_init, pnl_maint, [short_minimum, long_minimum])| OptionRisk {
            underlying,
            exposure: Base::from_raw(exposure),
            value: Quote::from_raw(value),
            delta: Base::from_raw(delta),
            pnl_init,
            pnl_maint,
            short_minimum,
            long_minimum,
        },
    )
}

/// Numbers around the largest that the engine takes, in either direction.
fn around_the_largest() -> impl Strategy<Value = i64> {
    let near = (0..3_i64, any::<bool>()).prop_map(|(less, negative)| {
        let largest = MAX_VALUE as i64 + 1 - less;
        if negative { -largest } else { largest }
    });
    let any = (any_length(59), any::<bool>()).prop_map(|(x, negative)| if negative { -(x as i64) } else { x as i64 });
    prop_oneof![6 => Just(0), 1 => near, 3 => any]
}

/// Options of one underlying with a few numbers around the largest.
fn enormous() -> impl Strategy<Value = OptionRisk> {
    let number = around_the_largest;
    let gains = move || proptest::array::uniform16(number()).prop_map(|gains| gains.map(Quote::from_raw));
    let exposures = (any_length(63), any_length(63), any::<[bool; 2]>(), 0..64_u32);
    (exposures, number(), gains(), gains(), any_length(58), any_length(59)).prop_map(
        |((exposure, delta, signs, shift), value, pnl_init, pnl_maint, short_minimum, long_minimum)| {
            let signed = |x: u64, negative| {
                let x = (x >> shift) as i64;
                Base::from_raw(if negative { -x } else { x })
            };
            let (exposure, delta) = (signed(exposure, signs[0]), signed(delta, signs[1]));
            let value = Quote::from_raw(value);
            OptionRisk { underlying: 0, exposure, value, delta, pnl_init, pnl_maint, short_minimum, long_minimum }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The engine is total: extreme options are errors, never panics, and what is no error is right.
    #[test]
    fn never_panics(
        underlyings in proptest::collection::vec(fresh_underlying(), 0..=16), params in parameters(),
        options in proptest::collection::vec(anything(), 0..=4), shift in 0..60_u32, damping in any::<u32>(),
    ) {
        let p = build(&underlyings);
        let smaller = |o: &OptionRisk| OptionRisk {
            exposure: Base::from_raw(o.exposure.raw() >> shift),
            delta: Base::from_raw(o.delta.raw() >> shift),
            value: Quote::from_raw(o.value.raw() >> shift),
            pnl_init: o.pnl_init.map(|pnl| Quote::from_raw(pnl.raw() >> shift)),
            pnl_maint: o.pnl_maint.map(|pnl| Quote::from_raw(pnl.raw() >> shift)),
            short_minimum: o.short_minimum >> shift,
            long_minimum: o.long_minimum >> shift,
            ..*o
        };
        let mut options: Vec<OptionRisk> = options.iter().map(smaller).collect();
        if shift % 2 == 0 {
            options.sort_by_key(|options| options.underlying);
        }
        let damping = if shift % 5 == 0 { Ppm::from_raw(damping) } else { params.extreme_damping };
        let params = RiskParameters { extreme_damping: damping, ..params };
        if let Ok(margin) = margin(&p, &options, &params) {
            prop_assert_eq!(reference::Expected::from(&margin), reference::margin(&p, &options, &params));
        }
        let _ = report(&p, &options, &params);
    }

    /// Around its largest numbers the engine answers rightly or says `Overflow`, and says so only when one does not
    /// fit.
    #[test]
    fn overflow_is_exact(
        u in fresh_underlying(), freshness in 0..3_usize, shift in 0..63_u32, options in enormous(), kept in part(),
        params in parameters(),
    ) {
        let freshness = [Freshness::Fresh, Freshness::Stale, Freshness::Dead][freshness];
        let range_maint = Ppm::from_raw((u64::from(u.range.raw()) * u64::from(kept.raw()) / 1_000_000) as u32);
        let exposure = Base::from_raw(u.exposure.raw() >> shift);
        let p = build(&[Underlying { freshness, range_maint, exposure, ..u }]);
        let expected = reference::margin(&p, &[options], &params);
        let found = margin(&p, &[options], &params);
        if reference::fits(&p, &[options], &params, &expected) {
            prop_assert_eq!(found.map(|margin| reference::Expected::from(&margin)), Ok(expected));
        } else {
            prop_assert_eq!(found, Err(Error::Overflow));
        }
    }
}

// Hand-made cases. 6-decimal base: one base unit is worth the USD price in quote units, so numbers read off the page.

/// 10 units at 100 with a range of 20 % towards init and 10 % towards maint: shocks of 200 and 100.
fn market(exposure: i64) -> Underlying {
    let price = Price::from_raw(100 << 48);
    Underlying {
        exposure: Base::from_raw(exposure),
        has_liability: exposure < 0,
        observation: Observation { spot: price, ema: price, ..Observation::default() },
        range: Ppm::from_raw(200_000),
        range_maint: Ppm::from_raw(100_000),
        confidence_multiplier: Ppm::ONE,
        ..Underlying::default()
    }
}

fn gains(gains: [i64; 16]) -> [Quote; 16] {
    gains.map(Quote::from_raw)
}

/// A call bought at 70: from nothing to 270, in thirds of the range, less with the volatility down.
fn call() -> OptionRisk {
    OptionRisk {
        underlying: 0,
        value: Quote::from_raw(70),
        delta: Base::from_raw(5),
        pnl_init: gains([-60, -40, -20, 10, 50, 110, 190, -69, -65, -50, -30, 10, 70, 150, -23, 250]),
        pnl_maint: gains([-30, -20, -10, 5, 25, 55, 95, -34, -32, -25, -15, 5, 35, 75, -11, 125]),
        long_minimum: 40,
        ..OptionRisk::default()
    }
}

/// The call sold instead.
fn short_call() -> OptionRisk {
    let call = call();
    let opposite = |pnl: [Quote; 16]| pnl.map(|pnl| Quote::from_raw(-pnl.raw()));
    OptionRisk {
        value: Quote::from_raw(-70),
        delta: Base::from_raw(-5),
        pnl_init: opposite(call.pnl_init),
        pnl_maint: opposite(call.pnl_maint),
        short_minimum: 40,
        long_minimum: 0,
        ..call
    }
}

/// Equity, and the requirements towards init and maint.
fn numbers(underlying: Underlying, options: OptionRisk) -> (i64, i64, i64) {
    let margin = margin(&build(&[underlying]), &[options], &RiskParameters::STRICT).expect("fits");
    (margin.equity_init.raw(), margin.requirement_init.raw(), margin.requirement_maint.raw())
}

#[test]
fn calls_bought_sold_and_covered() {
    assert_eq!(numbers(market(0), call()), (70, 69, 34), "bought: its worst is the price down, volatility down");
    assert_eq!(numbers(market(0), short_call()), (-70, 250, 125), "sold: the extreme move up");
    // Ten units held against it: the gain at +1 is 200 and 100, the extreme one 3 * 200 / 3 and 3 * 100 / 3, less one
    // each for the damping of 0.333333; the worst is the price down, 200 less what the call loses.
    assert_eq!(numbers(market(10), short_call()), (930, 200 - 23, 100 - 11), "covered");
    // Half of that: at +3 ranges, 250 less 99 and 125 less 49.
    assert_eq!(numbers(market(5), short_call()), (430, 151, 76), "half covered");
}

#[test]
fn parity_is_linear_exposure() {
    // A put bought: a call bought, its forward sold. With ten calls' worth of forwards sold against a deposit of ten,
    // nothing linear is left.
    let put = OptionRisk { exposure: Base::from_raw(-10), value: Quote::from_raw(1_070), ..call() };
    assert_eq!(numbers(market(10), put), (1_070, 69, 34));
    assert_eq!(numbers(market(0), put), (70, 64, 32), "at +2/3 the forward loses 134 and the call gains 70");
}

#[test]
fn short_minimum_is_a_floor() {
    let far = OptionRisk { short_minimum: 40, ..OptionRisk::default() };
    assert_eq!(numbers(market(0), far), (0, 40, 40), "sold far out: no scenario loses");
    assert_eq!(numbers(market(10), far), (1_000, 200, 100), "a floor, not an add-on");
    // In one group with full credit, minima do not net.
    let mut params = RiskParameters::STRICT;
    params.phi[0] = Ppm::ONE;
    let options = [far, OptionRisk { underlying: 1, ..far }];
    let margin = margin(&build(&[market(0), market(0)]), &options, &params).expect("fits");
    assert_eq!(margin.requirement_init.raw(), 80);
}

#[test]
fn doubt_is_charged_with_the_deltas() {
    let mut u = Underlying { range: Ppm::ZERO, range_maint: Ppm::ZERO, ..market(10) };
    u.observation.confidence = Price::from_raw(2 << 48);
    u.observation.ema = Price::from_raw(97 << 48);
    // Net 10 - 4 + 5 = 11 long at 100 with an average of 97: 11 * 2, and 11 * 3 towards init.
    let options = OptionRisk { exposure: Base::from_raw(-4), delta: Base::from_raw(5), ..OptionRisk::default() };
    assert_eq!(numbers(u, options), (600, 55, 22));
    // Net 10 + 0 - 12 = 2 short: the gap does not flatter.
    let options = OptionRisk { delta: Base::from_raw(-12), ..OptionRisk::default() };
    assert_eq!(numbers(u, options), (1_000, 4, 4));
    // Hedged by delta: nothing.
    let options = OptionRisk { delta: Base::from_raw(-10), ..OptionRisk::default() };
    assert_eq!(numbers(u, options), (1_000, 0, 0));
}

#[test]
fn options_at_a_price_that_is_not_fresh() {
    // Sold, stale: the best scenario towards maint is the volatility and the price down, 34; its minimum in the opposite
    // direction is nothing.
    let case = |options: OptionRisk, freshness| {
        let p = build(&[Underlying { freshness, ..market(0) }]);
        let m = margin(&p, &[options], &RiskParameters::STRICT).expect("fits");
        let numbers = [m.equity_init, m.requirement_init, m.equity_maint, m.requirement_maint];
        assert_eq!(m.blocked_by, Some(0), "options commit");
        numbers.map(Quote::raw)
    };
    assert_eq!(case(short_call(), Freshness::Stale), [-70, 250, -36, 0]);
    assert_eq!(case(short_call(), Freshness::Dead), [-70, 250, -70, 125]);
    assert_eq!(case(call(), Freshness::Stale), [70, 69, 70 + 125, 0]);
    let far = OptionRisk { long_minimum: 40, ..OptionRisk::default() };
    assert_eq!(case(far, Freshness::Stale), [0, 0, 40, 0], "the loss of the opposite position, its minimum");
}

#[test]
fn init_is_the_larger_of_both_ranges() {
    // Long 200 and short 200 at risk, netted in full; the hedge's range towards maint has not followed: 100 are left.
    let slow = Underlying { range_maint: Ppm::from_raw(200_000), ..market(10) };
    let mut params = RiskParameters::STRICT;
    params.phi[0] = Ppm::ONE;
    let report = report(&build(&[slow, market(-10)]), &[], &params).expect("fits");
    assert_eq!((report.groups[0].netted, report.groups_maint[0].netted), (0, 100));
    assert_eq!((report.margin.requirement_init.raw(), report.margin.requirement_maint.raw()), (100, 100));
    // Loses only between the nodes of the larger range.
    let peak =
        OptionRisk { pnl_maint: gains([0, 0, 0, -7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), ..OptionRisk::default() };
    assert_eq!(numbers(market(0), peak), (0, 7, 7));
}

#[test]
fn one_larger_range_may_lower_a_netted_requirement() {
    // Long 200 against short 100 at risk, credited in full: 100. With the hedge's range doubled, nothing.
    let mut params = RiskParameters::STRICT;
    let requirement = |hedge: u32, params: &RiskParameters| {
        let same = |ppm: u32, exposure| {
            let range = Ppm::from_raw(ppm);
            Underlying { range, range_maint: range, ..market(exposure) }
        };
        let p = build(&[same(200_000, 10), same(hedge, -10)]);
        margin(&p, &[], params).expect("fits").requirement_init.raw()
    };
    for (phi, expected) in [(1_000_000, (100, 0)), (500_000, (200, 200)), (400_000, (220, 240))] {
        params.phi[0] = Ppm::from_raw(phi);
        assert_eq!((requirement(100_000, &params), requirement(200_000, &params)), expected, "phi {phi}");
    }
}

#[test]
fn each_bad_input_has_its_error() {
    let p = build(&[market(1), market(1)]);
    let of = |options: &[OptionRisk]| margin(&p, options, &RiskParameters::STRICT).map(|_| ());
    let at = |underlying| OptionRisk { underlying, ..call() };
    assert_eq!(of(&[at(0), at(1)]), Ok(()));
    assert_eq!(of(&[at(1), at(0)]), Err(Error::OptionsOutOfOrder));
    assert_eq!(of(&[at(0), at(0)]), Err(Error::OptionsOutOfOrder));
    assert_eq!(of(&[at(2)]), Err(Error::UnknownUnderlying));
    assert_eq!(of(&[at(u8::MAX)]), Err(Error::UnknownUnderlying));
    let damping = RiskParameters { extreme_damping: Ppm::from_raw(333_334), ..RiskParameters::STRICT };
    assert_eq!(margin(&p, &[at(0)], &damping), Err(Error::ExtremeDampingInvalid));
    let inverted = build(&[Underlying { range_maint: Ppm::from_raw(200_001), ..market(0) }]);
    assert_eq!(margin(&inverted, &[], &RiskParameters::STRICT), Err(Error::MaintenanceRangeTooLarge));
    assert_eq!(margin(&inverted, &[at(0)], &RiskParameters::STRICT), Err(Error::MaintenanceRangeTooLarge));
}

#[test]
fn each_number_has_its_bound() {
    let (most, above) = (MAX_VALUE as i64, MAX_VALUE as i64 + 1);
    let of = |options: OptionRisk, underlying: Underlying| {
        margin(&build(&[underlying]), &[options], &RiskParameters::STRICT).map(|_| ())
    };
    let one = |pnl: i64, scenario: usize| {
        let mut gains = [Quote::ZERO; 16];
        gains[scenario] = Quote::from_raw(pnl);
        gains
    };
    let none = OptionRisk::default();
    for scenario in 0..16 {
        for (pnl, expected) in
            [(most, Ok(())), (-most, Ok(())), (above, Err(Error::Overflow)), (-above, Err(Error::Overflow))]
        {
            assert_eq!(of(OptionRisk { pnl_init: one(pnl, scenario), ..none }, market(0)), expected);
            assert_eq!(of(OptionRisk { pnl_maint: one(pnl, scenario), ..none }, market(0)), expected);
        }
    }
    let cases = [
        (OptionRisk { short_minimum: MAX_VALUE + 1, ..none }, market(0)),
        (OptionRisk { long_minimum: MAX_VALUE + 1, ..none }, market(0)),
        (OptionRisk { value: Quote::from_raw(above), ..none }, market(0)),
        (OptionRisk { value: Quote::from_raw(most), ..none }, market(1)),
        (OptionRisk { value: Quote::from_raw(-most), ..none }, market(-1)),
        (OptionRisk { pnl_init: one(-most, 0), ..none }, market(1)),
        (OptionRisk { exposure: Base::MAX, ..none }, market(1)),
        (OptionRisk { delta: Base::MIN, ..none }, market(-1)),
    ];
    for (options, underlying) in cases {
        assert_eq!(of(options, underlying), Err(Error::Overflow), "{options:?}");
    }
}
