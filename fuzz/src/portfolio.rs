//! Portfolio evaluation: margin and report of accounts with and without options, and the axioms.
use crate::{Length, Target, part, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::grid::{GRID, linear_pnl};
use plimsoll_risk::options::{OptionRisk, SCENARIOS};
use plimsoll_risk::portfolio::{
    GROUP_PAIRS, MAX_GROUPS, MAX_UNDERLYINGS, Margin, Portfolio, RiskParameters, Underlying, margin, report, standalone,
};
use plimsoll_risk::price::{Freshness, Observation};
use plimsoll_risk::units::{Base, Ppm, Price, Quote, Timestamp};

/// A requirement rounds each shock up by less than two units, and each scenario, group and root by one.
fn rounding(underlyings: usize) -> i64 {
    4 * underlyings as i64 + 4
}

#[derive(Arbitrary, Debug)]
pub enum Input {
    Near(Box<Near>),
    Wild(Box<Wild>),
}

/// Two accounts in the same markets.
#[derive(Arbitrary, Debug)]
pub struct Near {
    phi: [u32; MAX_GROUPS],
    weights: [u16; MAX_GROUPS],
    ratio: u32,
    damping: u32,
    quote: Length,
    holdings: Vec<Holding>,
}

/// A market, and what the two accounts hold there.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Holding {
    spot: Length,
    gap: i32,
    confidence: u32,
    multiplier: u32,
    range: u32,
    range_maint: u32,
    group: u8,
    freshness: u8,
    liability: bool,
    addon: Length,
    addon_maint: u32,
    exposures: [Length; 2],
    series: Option<Series>,
}

/// What a lot gains in every scenario at either range, and what the accounts hold of it.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Series {
    exposure: Length,
    delta: Length,
    value: Length,
    pnl: [Length; SCENARIOS],
    pnl_maint: [i8; SCENARIOS],
    minimum: Length,
    lots: [i8; 2],
}

impl Series {
    fn risk(&self, underlying: u8, lots: i64) -> OptionRisk {
        let maint = |k: usize| self.pnl[k].signed(48) / 128 * i64::from(self.pnl_maint[k]);
        OptionRisk {
            underlying,
            exposure: Base::from_raw(self.exposure.signed(32) * lots),
            value: Quote::from_raw(self.value.signed(48) * lots),
            delta: Base::from_raw(self.delta.signed(32) * lots),
            pnl_init: core::array::from_fn(|k| Quote::from_raw(self.pnl[k].signed(48) * lots)),
            pnl_maint: core::array::from_fn(|k| Quote::from_raw(maint(k) * lots)),
            short_minimum: self.minimum.up_to(48) * (-lots).max(0).unsigned_abs(),
            long_minimum: self.minimum.up_to(48) * lots.max(0).unsigned_abs(),
        }
    }
}

impl Holding {
    fn underlying(&self, exposure: i64) -> Underlying {
        // Below 2^56, so that exposures below 2^42 have values below 2^50.
        let spot = self.spot.up_to(56).max(1 << 20);
        let relative = |millionths: i64| (i128::from(spot) * i128::from(millionths) / 1_000_000) as i64;
        let ema = spot.saturating_add_signed(relative(i64::from(self.gap % 200_000)));
        let range = part(self.range).raw();
        let addon = self.addon.up_to(50);
        Underlying {
            exposure: Base::from_raw(exposure),
            has_liability: self.liability || exposure < 0,
            observation: Observation {
                spot: Price::from_raw(spot),
                ema: Price::from_raw(ema),
                confidence: Price::from_raw(relative(i64::from(self.confidence % 50_000)).unsigned_abs()),
                publish_time: Timestamp::from_raw(1_700_000_000),
            },
            freshness: match self.freshness % 8 {
                0 => Freshness::Stale,
                1 => Freshness::Dead,
                _ => Freshness::Fresh,
            },
            range: Ppm::from_raw(range),
            range_maint: Ppm::from_raw(short_between(self.range_maint, 0, range)),
            confidence_multiplier: Ppm::from_raw(short_between(self.multiplier, 1_000_000, 10_000_000)),
            group: self.group % MAX_GROUPS as u8,
            addon_init: addon,
            addon_maint: addon - u64::from(self.addon_maint).min(addon),
        }
    }

    fn exposure(&self, account: usize) -> i64 {
        self.exposures[account].signed(40)
    }

    fn lots(&self, account: usize) -> i64 {
        self.series.map_or(0, |series| i64::from(series.lots[account]))
    }
}

/// An account and its options.
#[derive(Clone)]
struct Account {
    portfolio: Portfolio,
    options: Vec<OptionRisk>,
}

impl Account {
    fn margin(&self, parameters: &RiskParameters) -> Margin {
        margin(&self.portfolio, &self.options, parameters).expect("fits")
    }

    /// The same account with its underlyings from the last to the first.
    fn reversed(&self) -> Self {
        let mut account = Self { portfolio: Portfolio::new(), options: self.options.clone() };
        for underlying in self.portfolio.underlyings().iter().rev() {
            account.portfolio.push(*underlying).expect("as many");
        }
        account.portfolio.quote = self.portfolio.quote;
        account.portfolio.quote_addon_init = self.portfolio.quote_addon_init;
        account.portfolio.quote_addon_maint = self.portfolio.quote_addon_maint;
        account.options.reverse();
        let last = self.portfolio.len().saturating_sub(1) as u8;
        account.options.iter_mut().for_each(|options| options.underlying = last - options.underlying);
        account
    }

    /// The same account, each price as fresh as said.
    fn at(&self, freshness: impl Fn(usize) -> Freshness) -> Self {
        let mut account = self.clone();
        for number in 0..account.portfolio.len() {
            account.portfolio.underlying_mut(number).expect("in use").freshness = freshness(number);
        }
        account
    }
}

impl Near {
    fn parameters(&self) -> RiskParameters {
        // One factor: rho_gh = w_g w_h is positive semi-definite, whatever the weights.
        let weight = |group: usize| u32::from(self.weights[group] % 1_001);
        let mut rho = [Ppm::ZERO; GROUP_PAIRS];
        let pairs = (1..MAX_GROUPS).flat_map(|high| (0..high).map(move |low| (high, low)));
        for (entry, (high, low)) in rho.iter_mut().zip(pairs) {
            *entry = Ppm::from_raw(weight(high) * weight(low));
        }
        RiskParameters {
            phi: self.phi.map(part),
            rho,
            maintenance_ratio: Ppm::from_raw(short_between(self.ratio, 1, 1_000_000)),
            extreme_damping: Ppm::from_raw(short_between(self.damping, 0, 333_333)),
            quote_price: Ppm::ONE,
        }
    }

    /// An account holding so much of each market, without add-ons of balances when bare.
    fn account(&self, exposure: impl Fn(&Holding) -> i64, lots: impl Fn(&Holding) -> i64, bare: bool) -> Account {
        let mut account = Account { portfolio: Portfolio::new(), options: Vec::new() };
        account.portfolio.quote = Quote::from_raw(self.quote.signed(50));
        for holding in self.holdings.iter().take(MAX_UNDERLYINGS) {
            let mut underlying = holding.underlying(exposure(holding));
            if bare {
                underlying = Underlying { addon_init: 0, addon_maint: 0, freshness: Freshness::Fresh, ..underlying };
            }
            let number = account.portfolio.push(underlying).expect("sixteen at most");
            if let Some(series) = &holding.series {
                account.options.push(series.risk(number as u8, lots(holding)));
            }
        }
        account
    }

    fn check(&self) {
        let parameters = self.parameters();
        assert_eq!(parameters.validate(), Ok(()));
        let account = self.account(|holding| holding.exposure(0), |holding| holding.lots(0), false);
        let found = account.margin(&parameters);
        reached("a margin was computed");
        if !account.options.is_empty() {
            reached("a margin with options was computed");
        }
        assert!(found.requirement_init >= Quote::ZERO && found.requirement_maint >= Quote::ZERO);
        self.check_report(&account, &parameters);
        let other = account.reversed().margin(&parameters);
        assert_eq!(Margin { blocked_by: None, ..found }, Margin { blocked_by: None, ..other }, "order");
        assert_eq!(found.blocked_by.is_some(), other.blocked_by.is_some());
        self.check_freshness(&account, &parameters);
        self.check_subadditive(&parameters);
        self.check_grid(parameters.extreme_damping);
    }

    fn check_report(&self, account: &Account, parameters: &RiskParameters) {
        let found = account.margin(parameters);
        let report = report(&account.portfolio, &account.options, parameters).expect("as the margin");
        assert_eq!(report.margin, found);
        assert!(report.saving_init >= Quote::ZERO && report.saving_maint >= Quote::ZERO, "netting costs");
        for line in report.groups.iter().chain(&report.groups_maint) {
            assert!(line.netted <= line.risk && line.risk <= line.gross, "{line:?}");
            let worst = line.pnl.iter().map(|pnl| -pnl.raw()).max().unwrap_or(0).max(0).unsigned_abs();
            assert_eq!(line.netted, worst.max(line.short_minimum));
        }
        let whole = standalone(&found, [(&account.portfolio, &*account.options)], parameters).expect("as the margin");
        assert_eq!((whole.saving_init, whole.saving_maint), (Quote::ZERO, Quote::ZERO));
    }

    /// INV-9 with every price fresh; going stale never lowers the health towards maint, being dead leaves it.
    fn check_freshness(&self, account: &Account, parameters: &RiskParameters) {
        let fresh = account.at(|_| Freshness::Fresh).margin(parameters);
        assert!(fresh.requirement_maint <= fresh.requirement_init);
        assert_eq!((fresh.equity_init, fresh.blocked_by), (fresh.equity_maint, None));
        let health = |margin: Margin| margin.health_maint().expect("fits").raw();
        let dead = account.at(|_| Freshness::Dead).margin(parameters);
        assert_eq!(health(dead), health(fresh));
        for stale in 0..account.portfolio.len() {
            let one = account.at(|number| if number == stale { Freshness::Stale } else { Freshness::Fresh });
            let now = health(one.margin(parameters));
            assert!(now >= health(fresh) - rounding(1), "stale {stale}: {now} below {}", health(fresh));
        }
    }

    /// INV-8: two accounts require no less than one account with the positions of both.
    fn check_subadditive(&self, parameters: &RiskParameters) {
        let one = self.account(|holding| holding.exposure(0), |holding| holding.lots(0), true);
        let other = self.account(|holding| holding.exposure(1), |holding| holding.lots(1), true);
        let exposure = |holding: &Holding| holding.exposure(0) + holding.exposure(1);
        let both = self.account(exposure, |holding| holding.lots(0) + holding.lots(1), true);
        let [one, other, both] = [one, other, both].map(|account| account.margin(parameters));
        let slack = rounding(self.holdings.len().min(MAX_UNDERLYINGS));
        let init = one.requirement_init.raw() + other.requirement_init.raw() + slack;
        assert!(both.requirement_init.raw() <= init, "{both:?} above {one:?} and {other:?}");
        let maint = one.requirement_maint.raw() + other.requirement_maint.raw() + slack;
        assert!(both.requirement_maint.raw() <= maint, "{both:?} above {one:?} and {other:?}");
    }

    /// A linear exposure in every scenario, against exact thirds.
    fn check_grid(&self, damping: Ppm) {
        let shock = self.quote.signed(63);
        let found = linear_pnl(Quote::from_raw(shock), damping).expect("within its domain");
        for (pnl, scenario) in found.iter().zip(GRID) {
            let (top, bottom) = if scenario.extreme { (i128::from(damping.raw()), 3_000_000) } else { (1, 3) };
            let exact = (i128::from(shock) * i128::from(scenario.thirds) * top).div_euclid(bottom);
            assert_eq!(i128::from(pnl.raw()), exact, "{shock} in {scenario:?}");
        }
    }
}

/// Any bits.
#[derive(Arbitrary, Debug)]
pub struct Wild {
    phi: [u32; MAX_GROUPS],
    rho: Vec<u32>,
    ratio: u32,
    damping: u32,
    quote: [Length; 3],
    underlyings: Vec<WildUnderlying>,
    options: Vec<WildOptions>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct WildUnderlying {
    exposure: Length,
    prices: [Length; 3],
    addons: [Length; 2],
    ratios: [u32; 3],
    group: u8,
    flags: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct WildOptions {
    underlying: u8,
    sums: [Length; 3],
    minimums: [Length; 2],
    pnl: [Length; SCENARIOS],
}

impl WildUnderlying {
    fn underlying(&self) -> Underlying {
        // A fourth of the ratios are any bits, the rest within their limits.
        let ratio = |noise: u32, most| if noise & 3 == 0 { noise >> 2 } else { short_between(noise >> 2, 0, most) };
        let range = ratio(self.ratios[0], 1_000_000);
        Underlying {
            exposure: Base::from_raw(self.exposure.signed(63)),
            has_liability: self.flags & 1 != 0,
            observation: Observation {
                spot: Price::from_raw(self.prices[0].up_to(64)),
                ema: Price::from_raw(self.prices[1].up_to(64)),
                confidence: Price::from_raw(self.prices[2].up_to(64)),
                publish_time: Timestamp::ZERO,
            },
            freshness: [Freshness::Fresh, Freshness::Fresh, Freshness::Stale, Freshness::Dead]
                [usize::from(self.flags >> 1 & 3)],
            range: Ppm::from_raw(range),
            range_maint: Ppm::from_raw(ratio(self.ratios[1], range)),
            confidence_multiplier: Ppm::from_raw(ratio(self.ratios[2], 10_000_000)),
            group: self.group % 9,
            addon_init: self.addons[0].up_to(64),
            addon_maint: self.addons[1].up_to(64),
        }
    }
}

impl Wild {
    fn check(&self) {
        let mut portfolio = Portfolio::new();
        for underlying in &self.underlyings {
            let full = portfolio.len() == MAX_UNDERLYINGS;
            let pushed = portfolio.push(underlying.underlying());
            assert_eq!(pushed.err(), full.then_some(Error::TooManyUnderlyings));
        }
        portfolio.quote = Quote::from_raw(self.quote[0].signed(63));
        portfolio.quote_addon_init = self.quote[1].up_to(64);
        portfolio.quote_addon_maint = self.quote[2].up_to(64);
        let ratio = |noise: u32, most| if noise & 7 == 0 { noise >> 3 } else { short_between(noise >> 3, 0, most) };
        let mut rho = [Ppm::ZERO; GROUP_PAIRS];
        rho.iter_mut().zip(&self.rho).for_each(|(entry, noise)| *entry = Ppm::from_raw(ratio(*noise, 1_000_000)));
        let parameters = RiskParameters {
            phi: self.phi.map(|noise| Ppm::from_raw(ratio(noise, 1_000_000))),
            rho,
            maintenance_ratio: Ppm::from_raw(ratio(self.ratio, 1_000_000)),
            extreme_damping: Ppm::from_raw(ratio(self.damping, 333_333)),
            quote_price: Ppm::ONE,
        };
        if parameters.validate().is_ok() {
            reached("wild parameters were valid");
        }
        let options: Vec<_> = self.options.iter().map(WildOptions::risk).collect();
        let found = margin(&portfolio, &options, &parameters);
        let report = report(&portfolio, &options, &parameters);
        match (&found, &report) {
            (Ok(found), Ok(report)) => {
                reached("a wild margin was reported");
                assert_eq!(found, &report.margin);
            }
            // A report takes every price as fresh and every market as used: it also sees what the margin leaves out, and
            // what stands alone may be too large a sum.
            (Ok(_), Err(error)) => {
                let unused = |underlying: &Underlying| {
                    underlying.freshness != Freshness::Fresh
                        || underlying.exposure.is_zero() && usize::from(underlying.group) >= MAX_GROUPS
                };
                assert!(*error == Error::Overflow || portfolio.underlyings().iter().any(unused), "{error:?}");
            }
            (Err(error), report) => assert_eq!(Some(*error), report.err()),
        }
        if let Ok(found) = found {
            reached("a wild margin was computed");
            assert!(found.requirement_init >= Quote::ZERO && found.requirement_maint >= Quote::ZERO);
        }
    }
}

impl WildOptions {
    fn risk(&self) -> OptionRisk {
        let [exposure, value, delta] = self.sums.map(|sum| sum.signed(63));
        OptionRisk {
            underlying: self.underlying % 17,
            exposure: Base::from_raw(exposure),
            value: Quote::from_raw(value),
            delta: Base::from_raw(delta),
            pnl_init: self.pnl.map(|pnl| Quote::from_raw(pnl.signed(63))),
            pnl_maint: self.pnl.map(|pnl| Quote::from_raw(pnl.signed(63) / 2)),
            short_minimum: self.minimums[0].up_to(64),
            long_minimum: self.minimums[1].up_to(64),
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
