//! Margins, reports and Greeks.

use plimsoll_client::{
    Error, PlimsollError, Snapshot,
    accounts::MarginAccount,
    interface::bridge::Inputs,
    risk::{
        greeks::Greeks,
        grid::{GRID, VolatilityMove},
        portfolio::{Margin, Report, Standalone},
    },
};
use serde::Serialize;
use tsify::Tsify;

use super::{symbol, usd};

/// Equity, requirement and health: to the unit what the chain computes. Quote native: 1e-6 USD.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct MarginView {
    /// Equity towards initial margin.
    pub equity_init: i64,
    /// Equity towards maintenance margin.
    pub equity_maint: i64,
    /// Requirement towards initial margin.
    pub requirement_init: i64,
    /// Requirement towards maintenance margin.
    pub requirement_maint: i64,
    /// Equity less requirement: new risk wants it at zero or above.
    pub health_init: i64,
    /// The same towards maintenance: below zero anyone may liquidate.
    pub health_maint: i64,
    /// The market whose old price keeps the account from new risk; `undefined` for none.
    pub blocked_by: Option<String>,
}

/// Where a requirement comes from.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct ReportView {
    /// The margin.
    pub margin: MarginView,
    /// By underlying, in the order of the account's markets.
    pub underlyings: Vec<UnderlyingView>,
    /// By risk group; those without anything are left out.
    pub groups: Vec<GroupView>,
    /// The scenarios that `scenarioPnl` of a group is by.
    pub scenarios: Vec<ScenarioView>,
    /// What initial margin would want if every underlying stood alone, quote native.
    pub standalone_init: i64,
    /// What netting between underlyings saves of that, quote native.
    pub saving_init: i64,
}

/// One underlying of an account.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct UnderlyingView {
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// What all in it is worth, quote native.
    pub value: i64,
    /// The same in dollars.
    pub value_usd: f64,
    /// The largest loss in a scenario, towards initial margin, quote native.
    pub loss_init: u64,
    /// The same towards maintenance.
    pub loss_maint: u64,
    /// What it would require alone, towards initial margin, quote native.
    pub standalone_init: i64,
    /// The same towards maintenance.
    pub standalone_maint: i64,
}

/// One risk group.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct GroupView {
    /// Its number.
    pub group: u8,
    /// What it requires, quote native.
    pub risk: u64,
    /// What it would require if nothing in it netted, quote native.
    pub gross: u64,
    /// What the group gains in each scenario, quote native.
    pub scenario_pnl: Vec<i64>,
    /// The scenario that loses most; `undefined` when none loses.
    pub worst_scenario: Option<u8>,
}

/// One stress scenario.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioView {
    /// The move of every price, in shock ranges: -1 is one range down.
    pub price_ranges: f64,
    /// `up` or `down`.
    pub volatility: &'static str,
    /// Whether only a part of what is gained or lost counts.
    pub is_extreme: bool,
}

/// What an account would require in parts, and what netting saves. Quote native.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct StandaloneView {
    /// Sum of what each balance, position and option would require alone, towards initial margin.
    pub requirement_init: i64,
    /// The same towards maintenance.
    pub requirement_maint: i64,
    /// What netting saves of that towards initial margin.
    pub saving_init: i64,
    /// The same towards maintenance.
    pub saving_maint: i64,
}

/// Sensitivities, dollars.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct GreeksView {
    /// The value of the linear exposure with the same gain: a rise of 1 % gains a hundredth.
    pub delta_usd: f64,
    /// By how much delta grows when the price rises by 1 %.
    pub gamma_usd: f64,
    /// Gain when the volatility rises by one point.
    pub vega_usd: f64,
    /// Gain when a day passes.
    pub theta_usd: f64,
}

/// Sensitivities of an account, in all and by underlying.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct AccountGreeks {
    /// As if all prices moved by the same percentage.
    pub total: GreeksView,
    /// By underlying, in the order of the account's markets.
    pub underlyings: Vec<UnderlyingGreeksView>,
}

/// Sensitivities to one underlying.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct UnderlyingGreeksView {
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// Its sensitivities.
    pub greeks: GreeksView,
}

/// The markets of an account in the order in which the engine numbers them.
fn markets(account: &MarginAccount) -> impl Iterator<Item = &plimsoll_client::Address> {
    account.markets.iter().filter(|slot| slot.in_use != 0).map(|slot| &slot.market)
}

impl MarginView {
    /// Of a margin of an account.
    ///
    /// # Errors
    /// [`Error::Program`]: overflow.
    pub fn new(account: &MarginAccount, margin: &Margin) -> Result<Self, Error> {
        let blocked = margin.blocked_by.and_then(|number| markets(account).nth(usize::from(number)));
        Ok(Self {
            equity_init: margin.equity_init.raw(),
            equity_maint: margin.equity_maint.raw(),
            requirement_init: margin.requirement_init.raw(),
            requirement_maint: margin.requirement_maint.raw(),
            health_init: margin.health_init().map_err(PlimsollError::from)?.raw(),
            health_maint: margin.health_maint().map_err(PlimsollError::from)?.raw(),
            blocked_by: blocked.map(|market| market.to_string()),
        })
    }
}

impl ReportView {
    /// Of a report of an account.
    ///
    /// # Errors
    /// [`Error::Program`]: overflow, a market that is missing.
    pub fn new(snapshot: &Snapshot, account: &MarginAccount, report: &Report) -> Result<Self, Error> {
        let underlyings = markets(account).zip(&report.underlyings).map(|(address, line)| {
            Ok(UnderlyingView {
                market: address.to_string(),
                symbol: symbol(snapshot.market(address)?.0),
                value: line.value.raw(),
                value_usd: usd(line.value.raw()),
                loss_init: line.loss_init,
                loss_maint: line.loss_maint,
                standalone_init: line.standalone_init.raw(),
                standalone_maint: line.standalone_maint.raw(),
            })
        });
        let groups = (0u8..).zip(&report.groups).filter(|(_, line)| line.gross != 0).map(|(group, line)| GroupView {
            group,
            risk: line.risk,
            gross: line.gross,
            scenario_pnl: line.pnl.iter().map(|pnl| pnl.raw()).collect(),
            worst_scenario: line.worst_scenario,
        });
        Ok(Self {
            margin: MarginView::new(account, &report.margin)?,
            underlyings: underlyings.collect::<Result<_, Error>>()?,
            groups: groups.collect(),
            scenarios: GRID.iter().map(ScenarioView::new).collect(),
            standalone_init: report.standalone_init.raw(),
            saving_init: report.saving_init.raw(),
        })
    }
}

impl ScenarioView {
    fn new(scenario: &plimsoll_client::risk::grid::Scenario) -> Self {
        Self {
            price_ranges: f64::from(scenario.thirds) / 3.0,
            volatility: if scenario.volatility == VolatilityMove::Up { "up" } else { "down" },
            is_extreme: scenario.extreme,
        }
    }
}

impl From<&Standalone> for StandaloneView {
    fn from(alone: &Standalone) -> Self {
        Self {
            requirement_init: alone.requirement_init.raw(),
            requirement_maint: alone.requirement_maint.raw(),
            saving_init: alone.saving_init.raw(),
            saving_maint: alone.saving_maint.raw(),
        }
    }
}

impl From<&Greeks> for GreeksView {
    fn from(greeks: &Greeks) -> Self {
        Self {
            delta_usd: usd(greeks.delta.raw()),
            gamma_usd: usd(greeks.gamma.raw()),
            vega_usd: usd(greeks.vega.raw()),
            theta_usd: usd(greeks.theta.raw()),
        }
    }
}

impl AccountGreeks {
    /// Of an account of a snapshot.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn new(snapshot: &Snapshot, account: &MarginAccount) -> Result<Self, Error> {
        let greeks = snapshot.greeks(account)?;
        let underlyings = markets(account).zip(&greeks.underlyings).map(|(address, line)| {
            let (market, greeks) = (address.to_string(), GreeksView::from(&line.quote));
            Ok(UnderlyingGreeksView { market, symbol: symbol(snapshot.market(address)?.0), greeks })
        });
        Ok(Self { total: (&greeks.total).into(), underlyings: underlyings.collect::<Result<_, Error>>()? })
    }
}
