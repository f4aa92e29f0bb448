//! What the house is worth, and what its inventory may risk.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, Exchange, House, HouseBoard, Market, same_address},
    bridge::{self, Side},
};
use plimsoll_risk::{
    math,
    portfolio::{self, RiskParameters},
    price::{Freshness, Observation, freshness},
    units::{Base, Fraction, Ppm, Price, Seconds, Timestamp},
};

use crate::{book, ledger};

/// How old an observation is by its market's limits.
pub fn market_freshness(market: &Market, observation: &Observation, now: Timestamp) -> Freshness {
    freshness(
        observation.publish_time,
        now,
        Seconds::from_raw(i64::from(market.config.max_age_seconds)),
        Seconds::from_raw(i64::from(market.config.dead_age_seconds)),
    )
}

/// The worth of the house's inventory in one market: `cash + size * price`, and the funding that traders owe it, rounded
/// down, quote native.
///
/// # Errors
/// [`PlimsollError::OracleStale`] where there is inventory and no fresh price for it.
fn inventory_value(market: &Market, observation: &Observation, now: Timestamp) -> Result<i64> {
    let cash = market.house_cash.checked_add(market.unsettled_funding()?).ok_or(PlimsollError::Overflow)?;
    if market.house_size == 0 {
        return Ok(cash);
    }
    require!(market_freshness(market, observation, now) == Freshness::Fresh, PlimsollError::OracleStale);
    let value = observation.spot.value_floor(Base::from_raw(market.house_size)).ok_or(PlimsollError::Overflow)?;
    Ok(value.raw().checked_add(cash).ok_or(PlimsollError::Overflow)?)
}

/// What the house holds of a bank's mint from spot swaps, base units of its market, at the rate of deposits.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn inventory_base(bank: &Bank) -> Result<i64> {
    let base = bridge::base_units(ledger::house_inventory(bank)?, bank, Side::Deposit)?;
    Ok(i64::try_from(base).map_err(|_| PlimsollError::Overflow)?)
}

/// A market that is not among the listed ones because the instruction declares it.
pub type Declared<'a> = Option<(&'a Address, &'a Market)>;

/// The house's net asset value: its quote deposit and its inventory in every market of the exchange, each of which must
/// be there exactly once. A gain that the house has not settled counts, as it would for any account.
///
/// # Errors
/// [`PlimsollError::MissingMarket`], [`PlimsollError::WrongExchange`], [`PlimsollError::SameAccount`],
/// [`PlimsollError::OracleStale`].
pub fn net_asset_value(
    exchange: &Account<Exchange>,
    house: &House,
    quote_bank: &Bank,
    views: &[AccountView],
    declared: Declared<'_>,
    now: Timestamp,
) -> Result<i64> {
    let deposit = ledger::house_quote(house, quote_bank)?;
    let mut value = i64::try_from(deposit).map_err(|_| PlimsollError::Overflow)?;
    let mut count = 0usize;
    if let Some((_, market)) = declared {
        value = add(value, inventory_value(market, &market.observation(), now)?)?;
        count = 1;
    }
    let declared_index = declared.map(|(_, market)| market.index);
    let mut next_index = 0u32;
    for (position, view) in views.iter().enumerate() {
        if view.data_len() != Market::SPACE {
            continue;
        }
        let market = Account::<Market>::load(*view)?;
        require!(same_address(&market.exchange, exchange.address()), PlimsollError::WrongExchange);
        // Ascending indexes, none of them the declared one: no market counts twice.
        require!(u32::from(market.index) >= next_index, PlimsollError::SameAccount);
        require!(declared_index != Some(market.index), PlimsollError::SameAccount);
        next_index = u32::from(market.index).saturating_add(1);
        let mut observation = market.observation();
        if let Some(price) = views.get(position.wrapping_add(1)).filter(|view| book::is_price_account(view)) {
            observation = book::younger(&market, price, now)?;
        }
        value = add(value, inventory_value(&market, &observation, now)?)?;
        count = count.saturating_add(1);
    }
    require!(count == usize::from(exchange.market_count), PlimsollError::MissingMarket);
    Ok(value)
}

/// Checks that the house's net asset value covers all risk budgets together.
///
/// # Errors
/// [`PlimsollError::HouseBudgets`].
pub fn require_budgets_covered(house: &House, net_asset_value: i64) -> Result<()> {
    let budgets = i64::try_from(house.risk_budget_total).map_err(|_| PlimsollError::Overflow)?;
    require!(net_asset_value >= budgets, PlimsollError::HouseBudgets);
    Ok(())
}

/// The standalone loss `L_u` of the house's whole inventory in a market, perpetual and options, quote native.
///
/// # Errors
/// [`PlimsollError::HouseBoardStale`] where options of the house were valued too long ago, or too far from the price.
pub fn inventory_loss(
    market: &Market,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
) -> Result<u64> {
    inventory_loss_with(market, 0, observation, risk, now)
}

/// The same with `spot_inventory` base units besides, which the house holds in a bank.
///
/// # Errors
/// As [`inventory_loss`].
pub fn inventory_loss_with(
    market: &Market,
    spot_inventory: i64,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
) -> Result<u64> {
    let linear = add(market.house_size, spot_inventory)?;
    let (range, spot) = (Ppm::from_raw(market.range_ppm), observation.spot);
    if market.boards == 0 {
        let loss = portfolio::standalone_loss(Base::from_raw(linear), spot, range);
        return Ok(loss.map_err(PlimsollError::from)?);
    }
    let (mut exposure, mut short_minimum) = (linear, 0u64);
    for board in market.house_boards.iter().filter(|board| board.valid_until != 0) {
        require!(is_valid(board, spot, now), PlimsollError::HouseBoardStale);
        exposure = add(exposure, board.exposure)?;
        short_minimum = short_minimum.checked_add(board.short_minimum).ok_or(PlimsollError::Overflow)?;
    }
    let loss = portfolio::standalone_loss_with_options(
        Base::from_raw(exposure),
        spot,
        range,
        &market.house_gains,
        short_minimum,
        risk.extreme_damping,
    );
    Ok(loss.map_err(PlimsollError::from)?)
}

/// Whether the worth of the house's options of a board may be used now: a settled one's always.
fn is_valid(board: &HouseBoard, spot: Price, now: Timestamp) -> bool {
    if board.valid_until == i64::MAX {
        return true;
    }
    let drift = math::mul_div_ceil(spot.raw().abs_diff(board.spot), Fraction::ONE.raw(), board.spot);
    now.raw() <= board.valid_until && drift.is_some_and(|drift| drift <= board.max_drift)
}

/// Checks that the house's inventory in a market is within its risk budget, unless a trade has made its loss no larger
/// than `before`.
///
/// # Errors
/// [`PlimsollError::HouseRiskBudget`]; those of [`inventory_loss`].
pub fn require_within_budget(
    market: &Market,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
    before: u64,
) -> Result<()> {
    let loss = inventory_loss(market, observation, risk, now)?;
    require!(loss <= before || loss <= market.config.risk_budget, PlimsollError::HouseRiskBudget);
    Ok(())
}

fn add(a: i64, b: i64) -> Result<i64> {
    Ok(a.checked_add(b).ok_or(PlimsollError::Overflow)?)
}
