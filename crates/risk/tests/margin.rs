//! Margin against a second implementation, its axioms, and prices that are not fresh.
mod common;

use common::{any_length, any_underlying, build, fresh_underlying, int, parameters, portfolio, ppm, q48, reference};
use num_traits::Signed;
use plimsoll_risk::Error;
use plimsoll_risk::grid::{GRID, Scenario};
use plimsoll_risk::portfolio::{
    GROUP_PAIRS, MAX_GROUPS, Margin, Portfolio, RiskParameters, Underlying, margin, pair_index, report, standalone_loss,
};
use plimsoll_risk::price::{Freshness, Observation};
use plimsoll_risk::units::{Base, Ppm, Price, Quote, Timestamp};
use proptest::prelude::*;

/// Requirements round up each of a portfolio's parts; no sum of roundings is above this many units per underlying.
const ROUNDING_PER_UNDERLYING: i128 = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// INV-7: the engine is the formulas, bit for bit.
    #[test]
    fn equals_the_reference(p in portfolio(any_underlying(), 0..=16), params in parameters()) {
        let margin = margin(&p, &[], &params).expect("every value is below 2^58");
        prop_assert_eq!(reference::Expected::from(&margin), reference::margin(&p, &[], &params));
        prop_assert_eq!(report(&p, &[], &params).expect("the same").margin, margin);
    }

    /// INV-7, and the shortcut for all prices fresh.
    #[test]
    fn equals_the_reference_when_fresh(p in portfolio(fresh_underlying(), 0..=16), params in parameters()) {
        let margin = margin(&p, &[], &params).expect("every value is below 2^58");
        prop_assert_eq!(reference::Expected::from(&margin), reference::margin(&p, &[], &params));
        // INV-9.
        prop_assert!(margin.requirement_maint <= margin.requirement_init);
        prop_assert_eq!(margin.equity_init, margin.equity_maint);
        prop_assert!(margin.requirement_maint >= Quote::ZERO, "INV-8, non-negativity");
    }
}

/// The stress requirement alone: no quote, no add-on, no doubt.
fn stress(underlyings: &[Underlying], params: &RiskParameters) -> i128 {
    let bare: Vec<Underlying> = underlyings.iter().map(bare).collect();
    i128::from(margin(&build(&bare), &[], params).expect("fits").requirement_init.raw())
}

/// An underlying without add-ons, confidence and gap.
fn bare(underlying: &Underlying) -> Underlying {
    let observation =
        Observation { ema: underlying.observation.spot, confidence: Price::ZERO, ..underlying.observation };
    Underlying { observation, addon_init: 0, addon_maint: 0, ..*underlying }
}

/// `underlying` with its exposure divided by a power of two, so that sums and multiples fit.
fn smaller(underlying: &Underlying, shift: u32) -> Underlying {
    Underlying { exposure: Base::from_raw(underlying.exposure.raw() >> shift), ..*underlying }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// INV-8: R(n X) = n R(X).
    #[test]
    fn is_positively_homogeneous(
        underlyings in proptest::collection::vec(fresh_underlying(), 1..=16),
        factor in 1..=1_000_i64,
        params in parameters(),
    ) {
        let small: Vec<_> = underlyings.iter().map(|u| smaller(u, 11)).collect();
        let large: Vec<_> = small
            .iter()
            .map(|u| Underlying { exposure: Base::from_raw(u.exposure.raw() * factor), ..*u })
            .collect();
        let (one, many) = (stress(&small, &params), stress(&large, &params));
        let rounding = ROUNDING_PER_UNDERLYING * underlyings.len() as i128;
        let factor = i128::from(factor);
        prop_assert!(many <= factor * (one + rounding), "{many} above {factor} * {one}");
        prop_assert!(many >= factor * (one - rounding), "{many} below {factor} * {one}");
    }

    /// INV-8: R(X + Y) <= R(X) + R(Y).
    #[test]
    fn is_subadditive(
        pairs in proptest::collection::vec((fresh_underlying(), any::<i64>(), 11..63_u32), 1..=16),
        params in parameters(),
    ) {
        let x: Vec<_> = pairs.iter().map(|(u, _, _)| smaller(u, 2)).collect();
        // The other portfolio holds the same underlyings at the same prices, of a size that keeps values below 2^58.
        let y: Vec<_> = pairs
            .iter()
            .zip(&x)
            .map(|((u, noise, shift), x)| {
                let limit = x.exposure.raw().unsigned_abs().max(1);
                let size = (noise >> shift).rem_euclid(i64::try_from(limit).expect("below 2^62"));
                Underlying { exposure: Base::from_raw(if noise % 2 == 0 { size } else { -size }), ..*u }
            })
            .collect();
        let both: Vec<_> = x
            .iter()
            .zip(&y)
            .map(|(x, y)| Underlying { exposure: Base::from_raw(x.exposure.raw() + y.exposure.raw()), ..*x })
            .collect();
        let (parts, whole) = (stress(&x, &params) + stress(&y, &params), stress(&both, &params));
        prop_assert!(whole <= parts + ROUNDING_PER_UNDERLYING * pairs.len() as i128, "{whole} above {parts}");
    }

    /// The add-ons keep the axioms too, those that the engine computes.
    #[test]
    fn addons_are_homogeneous_and_subadditive(u in fresh_underlying(), part in 0..=1_000_u64, factor in 1..=1_000_i64) {
        let addons = |exposure: i64| {
            let u = Underlying { range: Ppm::ZERO, range_maint: Ppm::ZERO, addon_init: 0, ..u };
            let u = Underlying { exposure: Base::from_raw(exposure), ..u };
            i128::from(margin(&build(&[u]), &[], &RiskParameters::STRICT).expect("fits").requirement_init.raw())
        };
        let all = u.exposure.raw() >> 11;
        let some = (i128::from(all) * i128::from(part) / 1_000) as i64;
        prop_assert!(addons(all) <= addons(some) + addons(all - some), "subadditive in one direction, exactly");
        prop_assert!(addons(all) <= addons(2 * all) + addons(-all), "subadditive against a hedge, exactly");
        let many = addons(all * factor);
        let factor = i128::from(factor);
        prop_assert!(many <= factor * addons(all));
        prop_assert!(many >= factor * (addons(all) - 12), "one unit of confidence may count ten times");
    }

    /// INV-8: R rises with every group's risk, and with every correlation; less credit is more risk.
    #[test]
    fn is_monotone(
        p in portfolio(fresh_underlying(), 1..=16),
        params in parameters(),
        which in 0..16_usize,
        group in 0..8_usize,
        pair in 0..GROUP_PAIRS,
    ) {
        let before = stress(p.underlyings(), &params);
        let mut less_credit = params;
        less_credit.phi[group] = Ppm::from_raw(params.phi[group].raw() / 2);
        prop_assert!(stress(p.underlyings(), &less_credit) >= before);
        let mut less_related = params;
        less_related.rho[pair] = Ppm::from_raw(params.rho[pair].raw() / 2);
        prop_assert!(stress(p.underlyings(), &less_related) <= before);
        // More risk without a hedge: a group of its own grows.
        let mut alone: Vec<Underlying> = p.underlyings().to_vec();
        let which = which % alone.len();
        let own = alone[which].group;
        for (number, other) in alone.iter_mut().enumerate() {
            if number != which && other.group == own {
                other.exposure = Base::ZERO;
            }
        }
        let before = stress(&alone, &params);
        alone[which].range = Ppm::from_raw(alone[which].range.raw().midpoint(1_000_000));
        alone[which].range_maint = alone[which].range;
        prop_assert!(stress(&alone, &params) >= before);
    }

    /// A linear book's worst scenario is an end of its range, so none needs to be enumerated: the extreme moves, damped,
    /// change nothing.
    #[test]
    fn linear_book_is_worst_at_an_end(p in portfolio(fresh_underlying(), 0..=16), params in parameters()) {
        let report = report(&p, &[], &params).expect("fits");
        for (group, line) in (0_u8..).zip(&report.groups) {
            let shocks: Vec<i128> = p
                .underlyings()
                .iter()
                .zip(&report.underlyings)
                .filter(|(u, _)| u.group == group)
                .map(|(_, line)| i128::from(line.shock.raw()))
                .collect();
            // Three million times the loss in each scenario, exact.
            let worst = |shocks: &[i128]| {
                let loss = |move_: &Scenario| {
                    let loss = -i128::from(move_.thirds) * shocks.iter().sum::<i128>() * 1_000_000;
                    if move_.extreme { loss / 1_000_000 * i128::from(params.extreme_damping.raw()) } else { loss }
                };
                GRID.iter().map(loss).max().expect("sixteen scenarios")
            };
            prop_assert_eq!(3_000_000 * i128::from(line.netted), worst(&shocks));
            let alone: i128 = shocks.iter().map(|shock| worst(&[*shock])).sum();
            prop_assert_eq!(3_000_000 * i128::from(line.gross), alone);
            let enumerated = line.pnl.iter().map(|pnl| -i128::from(pnl.raw())).max().expect("sixteen scenarios");
            prop_assert_eq!(i128::from(line.netted), enumerated);
            let end = if shocks.iter().sum::<i128>() > 0 { 0 } else { 6 };
            prop_assert_eq!(i128::from(line.pnl[end].raw()), -i128::from(line.netted));
            let at_worst = line.worst_scenario.map(|worst| -i128::from(line.pnl[usize::from(worst)].raw()));
            prop_assert_eq!(at_worst, Some(i128::from(line.netted)).filter(|netted| *netted > 0));
        }
    }

    /// A requirement is never above the sum of its parts', and the report says by how much.
    #[test]
    fn netting_never_costs(p in portfolio(fresh_underlying(), 0..=16), params in parameters()) {
        let report = report(&p, &[], &params).expect("fits");
        prop_assert!(report.saving_init >= Quote::ZERO);
        prop_assert!(report.saving_maint >= Quote::ZERO);
        let mut init = i128::from(p.quote_addon_init);
        let mut maint = i128::from(p.quote_addon_maint);
        for (number, u) in p.underlyings().iter().enumerate() {
            let alone = margin(&build(&[*u]), &[], &params).expect("fits");
            prop_assert_eq!(alone.requirement_init, report.underlyings[number].standalone_init);
            prop_assert_eq!(alone.requirement_maint, report.underlyings[number].standalone_maint);
            init += i128::from(alone.requirement_init.raw());
            maint += i128::from(alone.requirement_maint.raw());
        }
        let saved = |sum: i128, whole: Quote| sum - i128::from(whole.raw());
        prop_assert_eq!(saved(init, report.margin.requirement_init), i128::from(report.saving_init.raw()));
        prop_assert_eq!(saved(maint, report.margin.requirement_maint), i128::from(report.saving_maint.raw()));
    }

    /// A stale asset counts zero towards init and blocks nothing: it is as if it were not there.
    #[test]
    fn stale_asset_counts_zero_towards_init(
        p in portfolio(fresh_underlying(), 1..=16), params in parameters(), which in 0..16_usize, dead in any::<bool>(),
    ) {
        let which = which % p.len();
        let (mut with, mut without) = (p, p);
        let asset = with.underlying_mut(which).expect("there");
        asset.exposure = Base::from_raw(asset.exposure.raw().saturating_abs());
        asset.has_liability = false;
        asset.freshness = if dead { Freshness::Dead } else { Freshness::Stale };
        *without.underlying_mut(which).expect("there") = Underlying::default();
        let (with, without) = (margin(&with, &[], &params), margin(&without, &[], &params));
        let (with, without) = (with.expect("fits"), without.expect("fits"));
        prop_assert_eq!(with.equity_init, without.equity_init);
        prop_assert_eq!(with.requirement_init, without.requirement_init);
        prop_assert_eq!(with.blocked_by, None);
    }

    /// A price going stale never lowers the maintenance health; one that is dead is taken as it is.
    #[test]
    fn going_stale_never_liquidates(
        p in portfolio(fresh_underlying(), 1..=16), params in parameters(), which in 0..16_usize,
    ) {
        let which = which % p.len();
        let health = |freshness| {
            let mut p = p;
            p.underlying_mut(which).expect("there").freshness = freshness;
            i128::from(margin(&p, &[], &params).expect("fits").health_maint().expect("fits").raw())
        };
        let fresh = health(Freshness::Fresh);
        // Netting rounds once per group and once at the root.
        prop_assert!(health(Freshness::Stale) >= fresh - 2, "{} below {fresh}", health(Freshness::Stale));
        prop_assert_eq!(health(Freshness::Dead), fresh);
    }

    /// How far rounding moves a requirement from the real number: up by less than two units for each shock and one for
    /// each group and for the root; down only where rounded shocks net, by less than two for each underlying.
    #[test]
    fn rounding_is_bounded(
        underlyings in proptest::collection::vec((fresh_underlying(), 0..45_u32), 1..=16), params in parameters(),
    ) {
        let underlyings: Vec<_> = underlyings.iter().map(|(u, shift)| smaller(u, *shift)).collect();
        let p = build(&underlyings);
        let mut risks = vec![int(0); MAX_GROUPS];
        for (group, risk) in risks.iter_mut().enumerate() {
            let shocks = p.underlyings().iter().filter(|u| usize::from(u.group) == group).map(|u| {
                int(u.exposure.raw()) * q48(u.observation.spot.raw()) * ppm(u.range)
            });
            let (net, gross) = shocks.fold((int(0), int(0)), |(net, gross), a| (net + &a, gross + a.abs()));
            let phi = ppm(params.phi[group]);
            *risk = &phi * net.abs() + (int(1) - phi) * gross;
        }
        let mut square = int(0);
        for g in 0..8_u8 {
            for h in 0..8_u8 {
                let rho = ppm(params.rho(g, h).expect("below 8"));
                square += rho * &risks[usize::from(g)] * &risks[usize::from(h)];
            }
        }
        let found = stress(p.underlyings(), &params);
        let count = p.len() as i128;
        let below = int((found - 2 * count - 2).max(0));
        let above = int(found + 2 * count);
        prop_assert!(&below * &below <= square, "too far above");
        prop_assert!(&above * &above >= square, "too far below");
    }

    /// The order of underlyings does not matter.
    #[test]
    fn order_does_not_matter(p in portfolio(any_underlying(), 0..=16), params in parameters()) {
        let mut backwards: Vec<Underlying> = p.underlyings().to_vec();
        backwards.reverse();
        let mut reversed = build(&backwards);
        reversed.quote = p.quote;
        (reversed.quote_addon_init, reversed.quote_addon_maint) = (p.quote_addon_init, p.quote_addon_maint);
        let (one, other) = (margin(&p, &[], &params).expect("fits"), margin(&reversed, &[], &params).expect("fits"));
        prop_assert_eq!(Margin { blocked_by: None, ..one }, Margin { blocked_by: None, ..other });
        prop_assert_eq!(one.blocked_by.is_some(), other.blocked_by.is_some());
    }

    /// Without credit inside a group and with every group fully correlated, nothing nets: R is the sum of the parts.
    #[test]
    fn full_correlation_adds_up(p in portfolio(fresh_underlying(), 0..=16)) {
        let params = RiskParameters { rho: [Ppm::ONE; GROUP_PAIRS], ..RiskParameters::STRICT };
        prop_assert_eq!(params.validate(), Ok(()));
        prop_assert_eq!(report(&p, &[], &params).expect("fits").saving_init, Quote::ZERO);
    }
}

/// Any bits at all, the enums excepted.
fn anything() -> impl Strategy<Value = Underlying> {
    let prices = (any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>());
    let ratios = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u8>());
    (any::<i64>(), any::<bool>(), prices, 0..3_u8, ratios, any::<u64>(), any::<u64>()).prop_map(
        |(exposure, has_liability, prices, freshness, ratios, addon_init, addon_maint)| Underlying {
            exposure: Base::from_raw(exposure),
            has_liability,
            observation: Observation {
                spot: Price::from_raw(prices.0),
                ema: Price::from_raw(prices.1),
                confidence: Price::from_raw(prices.2),
                publish_time: Timestamp::from_raw(prices.3),
            },
            freshness: [Freshness::Fresh, Freshness::Stale, Freshness::Dead][usize::from(freshness)],
            range: Ppm::from_raw(ratios.0),
            range_maint: Ppm::from_raw(ratios.2),
            confidence_multiplier: Ppm::from_raw(ratios.1),
            group: ratios.3,
            addon_init,
            addon_maint,
        },
    )
}

/// An underlying with one field of [`anything`]: extremes one at a time reach further.
fn one_extreme() -> impl Strategy<Value = Underlying> {
    (fresh_underlying(), anything(), 0..10_u8).prop_map(|(sane, wild, field)| match field {
        0 => Underlying { exposure: wild.exposure, ..sane },
        1 => Underlying { observation: Observation { spot: wild.observation.spot, ..sane.observation }, ..sane },
        2 => Underlying { observation: Observation { ema: wild.observation.ema, ..sane.observation }, ..sane },
        3 => {
            let observation = Observation { confidence: wild.observation.confidence, ..sane.observation };
            Underlying { observation, ..sane }
        }
        4 => Underlying { range: wild.range, range_maint: wild.range, ..sane },
        5 => Underlying { confidence_multiplier: wild.confidence_multiplier, ..sane },
        6 => Underlying { group: wild.group, ..sane },
        7 => Underlying { addon_init: wild.addon_init, ..sane },
        8 => Underlying { range_maint: wild.range_maint, ..sane },
        _ => Underlying { addon_maint: wild.addon_maint, freshness: wild.freshness, ..sane },
    })
}

/// An underlying within the engine's parameters, of a size around the largest that it takes.
fn enormous() -> impl Strategy<Value = Underlying> {
    (fresh_underlying(), any::<i64>(), 0..30_u32, any_length(60), any_length(60)).prop_map(
        |(u, noise, shift, one, other)| Underlying {
            exposure: Base::from_raw(noise >> shift),
            addon_init: one,
            addon_maint: other,
            ..u
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The engine is total: extreme inputs are errors, never panics, and what is no error is right.
    #[test]
    fn never_panics(
        underlyings in proptest::collection::vec(prop_oneof![anything(), one_extreme()], 0..=16),
        quote in any::<i64>(),
        quote_addons in any::<(u64, u64)>(),
        phi in proptest::collection::vec(any::<u32>(), MAX_GROUPS),
        rho in proptest::collection::vec(any::<u32>(), GROUP_PAIRS),
        maintenance in any::<u32>(),
        damping in any::<u32>(),
        sane in any::<bool>(),
        valid in parameters(),
    ) {
        let mut p = build(&underlyings);
        p.quote = Quote::from_raw(quote);
        (p.quote_addon_init, p.quote_addon_maint) = quote_addons;
        let wild = RiskParameters {
            phi: core::array::from_fn(|group| Ppm::from_raw(phi[group])),
            rho: core::array::from_fn(|pair| Ppm::from_raw(rho[pair])),
            maintenance_ratio: Ppm::from_raw(maintenance),
            extreme_damping: Ppm::from_raw(damping),
            quote_price: Ppm::ONE,
        };
        let _ = wild.validate();
        let params = if sane { valid } else { wild };
        if let Ok(margin) = margin(&p, &[], &params) {
            prop_assert_eq!(reference::Expected::from(&margin), reference::margin(&p, &[], &params));
            let _ = (margin.health_init(), margin.health_maint());
        }
        let _ = report(&p, &[], &params);
        for u in p.underlyings() {
            let _ = standalone_loss(u.exposure, u.observation.spot, u.range);
        }
    }

    /// Around its largest numbers the engine answers rightly or says `Overflow`, and says so only when one does not
    /// fit.
    #[test]
    fn overflow_is_exact(
        underlyings in proptest::collection::vec(prop_oneof![3 => fresh_underlying(), 1 => enormous()], 0..=4),
        stale in any::<[bool; 4]>(),
        quote in any::<i64>(),
        quote_addons in (any_length(64), any_length(64)),
        params in parameters(),
    ) {
        let mut p = build(&underlyings);
        for (number, stale) in (0..p.len()).zip(stale) {
            let u = p.underlying_mut(number).expect("there");
            u.freshness = if stale { Freshness::Stale } else { Freshness::Fresh };
        }
        p.quote = Quote::from_raw(quote);
        (p.quote_addon_init, p.quote_addon_maint) = quote_addons;
        let expected = reference::margin(&p, &[], &params);
        let found = margin(&p, &[], &params);
        if reference::fits(&p, &[], &params, &expected) {
            prop_assert_eq!(found.map(|margin| reference::Expected::from(&margin)), Ok(expected));
        } else {
            prop_assert_eq!(found, Err(Error::Overflow));
        }
    }
}

// Hand-made cases. 6-decimal base: one base unit is worth the USD price in quote units, so numbers read off the page.

/// `usd` per whole unit, for a base of six decimals.
fn price(usd: u64) -> Price {
    Price::from_raw(usd << 48)
}

fn market(exposure: i64, usd: u64, range: u32, group: u8) -> Underlying {
    Underlying {
        exposure: Base::from_raw(exposure),
        has_liability: exposure < 0,
        observation: Observation {
            spot: price(usd),
            ema: price(usd),
            confidence: Price::ZERO,
            publish_time: Timestamp::from_raw(1_700_000_000),
        },
        range: Ppm::from_raw(range),
        range_maint: Ppm::from_raw(range),
        confidence_multiplier: Ppm::ONE,
        group,
        ..Underlying::default()
    }
}

fn requirement_init(underlyings: &[Underlying], params: &RiskParameters) -> i64 {
    margin(&build(underlyings), &[], params).expect("fits").requirement_init.raw()
}

#[test]
fn hedged_deposit_costs_no_risk() {
    // 1,000 deposited and 1,000 sold short: D = 0, and only what the deposit's haircut asks for.
    let hedged = Underlying { has_liability: true, addon_init: 7, addon_maint: 5, ..market(0, 150, 300_000, 0) };
    let result = margin(&build(&[hedged]), &[], &RiskParameters::STRICT).expect("fits");
    assert_eq!(result.requirement_init, Quote::from_raw(7));
    assert_eq!(result.requirement_maint, Quote::from_raw(5));
    assert_eq!(result.equity_init, Quote::ZERO);
}

#[test]
fn one_long_position() {
    // 10 units at 150 with a range of 20 %: worth 1,500, at risk 300; at half for maintenance.
    let params = RiskParameters { maintenance_ratio: Ppm::from_raw(500_000), ..RiskParameters::STRICT };
    let result = margin(&build(&[market(10, 150, 200_000, 3)]), &[], &params).expect("fits");
    let expected = Margin {
        equity_init: Quote::from_raw(1_500),
        equity_maint: Quote::from_raw(1_500),
        requirement_init: Quote::from_raw(300),
        requirement_maint: Quote::from_raw(150),
        blocked_by: None,
    };
    assert_eq!(result, expected);
    assert_eq!(result.health_init(), Ok(Quote::from_raw(1_200)));
    assert_eq!(result.health_maint(), Ok(Quote::from_raw(1_350)));
}

#[test]
fn group_nets_as_far_as_phi() {
    // Long 300 at risk, short 200 at risk: netted 100, gross 500.
    let pair = [market(10, 150, 200_000, 1), market(-10, 100, 200_000, 1)];
    for (phi, expected) in [(0, 500), (500_000, 300), (1_000_000, 100), (333_333, 367)] {
        let mut params = RiskParameters::STRICT;
        params.phi[1] = Ppm::from_raw(phi);
        assert_eq!(requirement_init(&pair, &params), expected, "phi {phi}");
    }
}

#[test]
fn groups_add_as_far_as_rho() {
    // 300 and 400 at risk: 500 unrelated, 700 fully related, sqrt(250,000 + 2 * 0.5 * 120,000) = 608.3 between.
    let two = [market(10, 150, 200_000, 2), market(-20, 100, 200_000, 5)];
    for (rho, expected) in [(0, 500), (1_000_000, 700), (500_000, 609)] {
        let mut params = RiskParameters::STRICT;
        params.rho[pair_index(5, 2).expect("a pair")] = Ppm::from_raw(rho);
        assert_eq!(requirement_init(&two, &params), expected, "rho {rho}");
    }
}

#[test]
fn doubt_is_charged_on_net_exposure() {
    let mut long = market(10, 150, 0, 0);
    long.observation.confidence = price(2);
    long.confidence_multiplier = Ppm::from_raw(1_500_000);
    let result = margin(&build(&[long]), &[], &RiskParameters::STRICT).expect("fits");
    assert_eq!((result.requirement_init.raw(), result.requirement_maint.raw()), (30, 30), "10 * 2 * 1.5");
}

#[test]
fn ema_gap_is_charged_only_when_it_flatters() {
    // (exposure, moving average, charged towards init)
    for (exposure, ema, charged) in [(10, 140, 100), (10, 160, 0), (-10, 160, 100), (-10, 140, 0)] {
        let mut u = market(exposure, 150, 0, 0);
        u.observation.ema = price(ema);
        let result = margin(&build(&[u]), &[], &RiskParameters::STRICT).expect("fits");
        assert_eq!(result.requirement_init.raw(), charged, "{exposure} at 150, average {ema}");
        assert_eq!(result.requirement_maint.raw(), 0);
    }
}

#[test]
fn values_round_against_the_account() {
    // Half a quote unit per base unit: 3 are worth 1.5.
    for (exposure, value) in [(3, 1), (-3, -2)] {
        let mut u = market(exposure, 0, 1_000_000, 0);
        u.observation.spot = Price::from_raw(1 << 47);
        u.observation.ema = u.observation.spot;
        let result = margin(&build(&[u]), &[], &RiskParameters::STRICT).expect("fits");
        assert_eq!((result.equity_init.raw(), result.requirement_init.raw()), (value, 2));
    }
}

#[test]
fn prices_that_are_not_fresh() {
    struct Case {
        name: &'static str,
        exposure: i64,
        liability: bool,
        freshness: Freshness,
        /// equity init, requirement init, equity maint, requirement maint, blocked
        expected: (i64, i64, i64, i64, bool),
    }
    use Freshness::{Dead, Fresh, Stale};
    // 10 at 100, range 20 %, confidence 1 (10 charged), average 99 or 101 (10 charged when it flatters), add-ons 7 and
    // 5.
    let case = |name, exposure, liability, freshness, expected| Case { name, exposure, liability, freshness, expected };
    let cases = [
        case("fresh long", 10, false, Fresh, (1_000, 227, 1_000, 215, false)),
        case("stale asset", 10, false, Stale, (0, 0, 1_200, 5, false)),
        case("dead asset", 10, false, Dead, (0, 0, 1_000, 215, false)),
        case("stale long perpetual", 10, true, Stale, (1_000, 227, 1_200, 5, true)),
        case("dead long perpetual", 10, true, Dead, (1_000, 227, 1_000, 215, true)),
        case("fresh short", -10, true, Fresh, (-1_000, 217, -1_000, 215, false)),
        case("stale short", -10, true, Stale, (-1_000, 217, -800, 5, true)),
        case("dead short", -10, true, Dead, (-1_000, 217, -1_000, 215, true)),
        case("stale short, flag forgotten", -10, false, Stale, (-1_000, 217, -800, 5, true)),
        case("stale hedge", 0, true, Stale, (0, 7, 0, 5, true)),
        case("dead hedge", 0, true, Dead, (0, 7, 0, 5, true)),
        case("stale nothing", 0, false, Stale, (0, 0, 0, 5, false)),
    ];
    for case in cases {
        let mut u = market(case.exposure, 100, 200_000, 0);
        u.has_liability = case.liability;
        u.freshness = case.freshness;
        u.observation.confidence = price(1);
        u.observation.ema = price(99);
        (u.addon_init, u.addon_maint) = (7, 5);
        let result = margin(&build(&[u]), &[], &RiskParameters::STRICT).expect("fits");
        let found = (
            result.equity_init.raw(),
            result.requirement_init.raw(),
            result.equity_maint.raw(),
            result.requirement_maint.raw(),
            result.blocked_by == Some(0),
        );
        assert_eq!(found, case.expected, "{}", case.name);
    }
}

#[test]
fn blocked_by_the_first() {
    let fresh = market(-1, 100, 0, 0);
    let stale = Underlying { freshness: Freshness::Stale, ..fresh };
    let stale_asset = Underlying { exposure: Base::from_raw(1), has_liability: false, ..stale };
    let result = margin(&build(&[fresh, stale_asset, stale, stale]), &[], &RiskParameters::STRICT).expect("fits");
    assert_eq!(result.blocked_by, Some(2));
}

#[test]
fn each_bad_input_has_its_error() {
    let good = market(10, 100, 200_000, 0);
    let strict = RiskParameters::STRICT;
    let too_large = Ppm::from_raw(1_000_001);
    let cases: [(Underlying, Error); 7] = [
        (Underlying { group: 8, ..good }, Error::GroupOutOfRange),
        (Underlying { range: too_large, range_maint: too_large, ..good }, Error::RangeTooLarge),
        (Underlying { range: too_large, ..good }, Error::RangeTooLarge),
        (Underlying { range_maint: Ppm::from_raw(200_001), ..good }, Error::MaintenanceRangeTooLarge),
        (Underlying { confidence_multiplier: Ppm::from_raw(10_000_001), ..good }, Error::ConfidenceMultiplierTooLarge),
        (Underlying { exposure: Base::MIN, ..good }, Error::Overflow),
        (Underlying { addon_init: u64::MAX, ..good }, Error::Overflow),
    ];
    for (bad, error) in cases {
        assert_eq!(margin(&build(&[bad]), &[], &strict), Err(error));
        let stale = Underlying { freshness: Freshness::Dead, has_liability: true, ..bad };
        assert_eq!(margin(&build(&[stale]), &[], &strict), Err(error));
    }
    let phi = RiskParameters { phi: [Ppm::from_raw(1_000_001); MAX_GROUPS], ..strict };
    assert_eq!(margin(&build(&[good]), &[], &phi), Err(Error::PhiInvalid));
    let rho = RiskParameters { rho: [Ppm::from_raw(1_000_001); GROUP_PAIRS], ..strict };
    assert_eq!(margin(&build(&[good, market(1, 1, 1_000_000, 1)]), &[], &rho), Err(Error::RhoInvalid));
    let ratio = RiskParameters { maintenance_ratio: Ppm::from_raw(1_000_001), ..strict };
    assert_eq!(margin(&build(&[good]), &[], &ratio), Err(Error::MaintenanceRatioInvalid));
}

#[test]
fn portfolio_holds_sixteen() {
    let mut p = Portfolio::new();
    assert!(p.is_empty());
    for number in 0..16 {
        assert_eq!(p.push(market(number, 1, 0, 0)), Ok(number as usize));
    }
    assert_eq!(p.push(market(1, 1, 0, 0)), Err(Error::TooManyUnderlyings));
    assert_eq!(p.len(), 16);
    assert_eq!(p.underlying(15).map(|u| u.exposure.raw()), Ok(15));
    assert_eq!(p.underlying(16), Err(Error::UnknownUnderlying));
    assert_eq!(Portfolio::new().underlying_mut(0), Err(Error::UnknownUnderlying));
}

#[test]
fn empty_account() {
    let mut p = Portfolio::new();
    p.quote = Quote::from_raw(-5);
    let result = margin(&p, &[], &RiskParameters::STRICT).expect("fits");
    assert_eq!((result.equity_init.raw(), result.requirement_init.raw()), (-5, 0));
    assert_eq!(result.health_maint(), Ok(Quote::from_raw(-5)));
}

#[test]
fn health_that_does_not_fit() {
    let margin = Margin { equity_init: Quote::MIN, requirement_init: Quote::from_raw(1), ..Margin::default() };
    assert_eq!(margin.health_init(), Err(Error::Overflow));
    let margin = Margin { equity_maint: Quote::MIN, requirement_maint: Quote::from_raw(1), ..Margin::default() };
    assert_eq!(margin.health_maint(), Err(Error::Overflow));
}

#[test]
fn standalone_loss_of_an_inventory() {
    let range = Ppm::from_raw(200_000);
    assert_eq!(standalone_loss(Base::from_raw(-10), price(150), range), Ok(300));
    assert_eq!(standalone_loss(Base::from_raw(1), price(1), range), Ok(1), "rounded up");
    assert_eq!(standalone_loss(Base::ZERO, price(1), range), Ok(0));
    assert_eq!(standalone_loss(Base::MIN, Price::MAX, Ppm::ONE), Err(Error::Overflow));
    assert_eq!(standalone_loss(Base::ZERO, price(1), Ppm::from_raw(1_000_001)), Err(Error::RangeTooLarge));
}

/// A quote at 0.95 of a dollar: `ceil(R / 0.95)` towards init, maint and equities as they were.
#[test]
fn a_cheap_quote_scales_the_initial_requirement_up() {
    let strict = RiskParameters::STRICT;
    for (amount, price, expected) in [
        (3_750_000_000, 950_000, 3_947_368_422),
        (950_000, 950_000, 1_000_000),
        (1, 999_999, 2),
        (0, 1, 0),
        (7, 1_000_000, 7),
        (7, 1_500_000, 7),
    ] {
        let mut portfolio = Portfolio::new();
        portfolio.quote = Quote::from_raw(5);
        (portfolio.quote_addon_init, portfolio.quote_addon_maint) = (amount, amount);
        let cheap = RiskParameters { quote_price: Ppm::from_raw(price), ..strict };
        let (whole, scaled) = (margin(&portfolio, &[], &strict).unwrap(), margin(&portfolio, &[], &cheap).unwrap());
        let requirement_init = Quote::from_raw(expected);
        assert_eq!(scaled, Margin { requirement_init, ..whole }, "{amount} at {price}");
        let explained = report(&portfolio, &[], &cheap).unwrap();
        assert_eq!((explained.margin, explained.saving_init.raw()), (scaled, 0));
    }
    let mut portfolio = Portfolio::new();
    portfolio.quote_addon_init = 1;
    let worthless = RiskParameters { quote_price: Ppm::ZERO, ..strict };
    assert_eq!(margin(&portfolio, &[], &worthless), Err(Error::Overflow));
}
