//! Where a requirement comes from.
use super::aggregation::{Shock, Shocks, group_risk, maintenance};
use super::general::{Book, Side, Totals, worst};
use super::margin::{margin, requirement, sum};
use super::value::{Valued, value, value_with_options};
use super::{MAX_GROUPS, MAX_UNDERLYINGS, Margin, Portfolio, RiskParameters, Underlying};
use crate::Error;
use crate::options::{OptionRisk, SCENARIOS};
use crate::price::Freshness;
use crate::units::{Ppm, Quote};

/// One underlying in a [`Report`], at its last price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderlyingReport {
    /// `V_u` and the value of the options.
    pub value: Quote,
    /// `a_u` at the range towards init: the linear shock with the exposure's sign. Its magnitude is `L_u` where there are
    /// no options.
    pub shock: Quote,
    /// `L_u` at the range towards init, the short-option minimum included.
    pub loss_init: u64,
    /// `L_u` at the range towards maint, the short-option minimum included.
    pub loss_maint: u64,
    /// The scenario of the range towards init that loses most, the first of several, an index into
    /// [`GRID`](crate::grid::GRID); `None` when none loses.
    pub worst_scenario: Option<u8>,
    /// `C_u`, quote native.
    pub confidence: u64,
    /// `M_u`, quote native.
    pub ema_gap: u64,
    /// `S_u`, the short-option minimum, quote native.
    pub short_minimum: u64,
    /// What init would want of this underlying alone: the larger `L_u`, `C_u + M_u` and the add-on towards init.
    pub standalone_init: Quote,
    /// What maint would want of this underlying alone: `ceil(maintenance_ratio L_u) + C_u + addon_maint_u`.
    pub standalone_maint: Quote,
}

/// One risk group in a [`Report`], every price taken as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupReport {
    /// `N_g`, the short-option minimum included.
    pub netted: u64,
    /// `A_g`.
    pub gross: u64,
    /// `R_g`.
    pub risk: u64,
    /// The sum of `S_u` over the group.
    pub short_minimum: u64,
    /// The group's P&L in every scenario, every underlying moving by the same: scenarios as
    /// [`GRID`](crate::grid::GRID).
    pub pnl: [Quote; SCENARIOS],
    /// The scenario that loses most, the first of several; `None` when none loses.
    pub worst_scenario: Option<u8>,
}

/// Where a requirement comes from. For clients: slower and larger than [`margin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Exactly what [`margin`] returns.
    pub margin: Margin,
    /// The underlyings, by number; the rest is zero.
    pub underlyings: [UnderlyingReport; MAX_UNDERLYINGS],
    /// The risk groups, every underlying at its last price and its range towards init.
    pub groups: [GroupReport; MAX_GROUPS],
    /// The risk groups, every underlying at its last price and its range towards maint.
    pub groups_maint: [GroupReport; MAX_GROUPS],
    /// `R` towards init of all underlyings at their last prices.
    pub stress: u64,
    /// `R` towards maint of all underlyings at their last prices, before the maintenance ratio.
    pub stress_maint: u64,
    /// What init would want if every underlying stood alone, quote borrow weight included.
    pub standalone_init: Quote,
    /// What maint would want if every underlying stood alone, quote borrow weight included.
    pub standalone_maint: Quote,
    /// `standalone_init` less what the portfolio wants at last prices: what netting saves, never negative.
    pub saving_init: Quote,
    /// `standalone_maint` less what the portfolio wants at last prices: what netting saves, never negative.
    pub saving_maint: Quote,
}

/// Where the requirement comes from.
///
/// Groups, standalone requirements and savings are taken at last prices whatever their age, and with a quote of its full
/// worth, so that a report does not jump when a feed pauses; [`Report::margin`] follows the rules for prices that are not
/// fresh and for a quote below its worth.
///
/// # Errors
///
/// As [`margin`]; and [`Error::GroupOutOfRange`] for any underlying, also one without exposure.
pub fn report(portfolio: &Portfolio, options: &[OptionRisk], parameters: &RiskParameters) -> Result<Report, Error> {
    let margin_now = margin(portfolio, options, parameters)?;
    let mut at_last = *portfolio;
    for number in 0..at_last.len() {
        at_last.underlying_mut(number)?.freshness = Freshness::Fresh;
    }
    let whole = margin(&at_last, options, &RiskParameters { quote_price: Ppm::ONE, ..*parameters })?;
    let mut totals = Totals::default();
    let book = Book::new(&at_last, options, parameters, &mut totals)?;
    let (stress, stress_maint) = book.stresses(&totals)?;
    let underlyings = underlying_reports(&at_last, options, parameters, &book)?;
    let (mut init, mut maint) = (portfolio.quote_addon_init, portfolio.quote_addon_maint);
    for line in &underlyings {
        init = sum(init, line.standalone_init.unsigned_abs())?;
        maint = sum(maint, line.standalone_maint.unsigned_abs())?;
    }
    let (standalone_init, standalone_maint) = (requirement(0, init)?, requirement(0, maint)?);
    Ok(Report {
        margin: margin_now,
        underlyings,
        groups: group_reports(&book, parameters, Side::Init)?,
        groups_maint: group_reports(&book, parameters, Side::Maint)?,
        stress,
        stress_maint,
        standalone_init,
        standalone_maint,
        saving_init: standalone_init.checked_sub(whole.requirement_init).ok_or(Error::Overflow)?,
        saving_maint: standalone_maint.checked_sub(whole.requirement_maint).ok_or(Error::Overflow)?,
    })
}

/// The underlyings of a [`Report`].
fn underlying_reports(
    portfolio: &Portfolio,
    options: &[OptionRisk],
    parameters: &RiskParameters,
    book: &Book,
) -> Result<[UnderlyingReport; MAX_UNDERLYINGS], Error> {
    let mut lines = [UnderlyingReport::default(); MAX_UNDERLYINGS];
    for (number, (line, underlying)) in lines.iter_mut().zip(portfolio.underlyings()).enumerate() {
        let options = options.iter().find(|options| usize::from(options.underlying) == number);
        let valued = match options {
            Some(options) => value_with_options(underlying, options)?,
            None => value(underlying)?,
        };
        let minimum = options.map_or(0, |options| options.short_minimum);
        let (shock, maint) = (book.shock(number, Side::Init), book.shock(number, Side::Maint));
        let none = OptionRisk::default();
        let worst_init = book.worst(shock, options.unwrap_or(&none), Side::Init);
        let worst_maint = book.worst(maint, options.unwrap_or(&none), Side::Maint);
        *line = UnderlyingReport {
            value: Quote::from_raw(valued.value),
            shock: Quote::from_raw(shock),
            loss_init: worst_init.loss.max(minimum),
            loss_maint: worst_maint.loss.max(minimum),
            worst_scenario: worst_init.scenario,
            confidence: valued.confidence,
            ema_gap: valued.ema_gap,
            short_minimum: minimum,
            ..UnderlyingReport::default()
        };
        stand_alone(line, underlying, &valued, parameters)?;
    }
    Ok(lines)
}

/// Fills in what an underlying would want alone.
fn stand_alone(
    line: &mut UnderlyingReport,
    underlying: &Underlying,
    valued: &Valued,
    parameters: &RiskParameters,
) -> Result<(), Error> {
    let addons_init = sum(sum(valued.confidence, valued.ema_gap)?, underlying.addon_init)?;
    let addons_maint = sum(valued.confidence, underlying.addon_maint)?;
    line.standalone_init = requirement(line.loss_init.max(line.loss_maint), addons_init)?;
    line.standalone_maint = requirement(maintenance(line.loss_maint, parameters)?, addons_maint)?;
    Ok(())
}

/// The groups of a [`Report`], at the ranges of one side.
fn group_reports(book: &Book, parameters: &RiskParameters, side: Side) -> Result<[GroupReport; MAX_GROUPS], Error> {
    let mut shocks = Shocks::default();
    book.add_shocks(&mut shocks, side)?;
    let mut lines = [GroupReport::default(); MAX_GROUPS];
    for (group, (line, (shock, phi))) in (0_u8..).zip(lines.iter_mut().zip(shocks.iter().zip(&parameters.phi))) {
        let (pnl, short_minimum) = book.scenarios(group, shock, side);
        let worst = worst(&pnl);
        let netted = worst.loss.max(short_minimum);
        // N_g is at most A_g, 2^62.
        let netted_shock = Shock { net: netted.cast_signed(), gross: shock.gross };
        let risk = if shock.gross == 0 { 0 } else { group_risk(&netted_shock, *phi)? };
        *line = GroupReport {
            netted,
            gross: shock.gross,
            risk,
            short_minimum,
            pnl: pnl.map(Quote::from_raw),
            worst_scenario: worst.scenario,
        };
    }
    Ok(lines)
}
