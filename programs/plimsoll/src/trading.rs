//! A trade of the perpetual against the house, up to the trader's margin.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{MarginAccount, Market},
    config::state,
    effect::{
        inventory,
        trading::{self, Change, Order, Parties, require_narrow},
    },
};
use plimsoll_risk::{
    portfolio::RiskParameters,
    price::{Freshness, Observation},
    trade::TradeQuote,
    units::{Base, Timestamp},
};

use crate::book::Book;

/// What came of it.
pub struct Execution {
    /// Its price.
    pub quote: TradeQuote,
    /// The trader's position afterwards, base units.
    pub position: i64,
    /// What the position before paid in funding, quote native.
    pub funding: i64,
}

/// Executes an order at the price just observed, and asks for the trader's margin afterwards (INV-5), for which `views` are
/// the other markets and the banks that the account uses.
///
/// # Errors
/// Those of orders, states, prices, budgets and margin.
pub fn execute(
    mut parties: Parties<'_>,
    views: &[AccountView],
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<Execution> {
    let risk = parties.exchange.risk(now);
    let applied = trading::apply(&mut parties, &risk, order, observation, now)?;
    let Parties { account, market_address, market, .. } = parties;
    // Between the two ends of a liquidation without capital, the second asks for the margin.
    if !applied.deferred {
        let book = Book::new(views, now).with_market(market_address, market);
        let has_margin = require_margin(&book, account, &risk, &applied.change, applied.reduces)?;
        // Else a sinking account could give its margin away, order by order, as the position that needs it gets smaller.
        require!(has_margin || order.tip == 0, PlimsollError::InsufficientMargin);
    }
    account.release_market(applied.change.slot_index)?;
    account.touch();
    Ok(Execution { quote: applied.quote, position: applied.change.after.size, funding: applied.funding })
}

/// [`trading::require_margin`] at the prices of this transaction.
///
/// # Errors
/// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`]; those of the margin.
pub fn require_margin(
    book: &Book<'_>,
    account: &mut MarginAccount,
    risk: &RiskParameters,
    change: &Change,
    reduces: bool,
) -> Result<bool> {
    trading::require_margin(|account| book.margin(account, risk), account, change, reduces)
}

/// A position that was closed.
pub struct Closed {
    /// What it was, base units.
    pub size: i64,
    /// What it was worth at the price, quote native, rounded down: now cash of the account.
    pub value: i64,
    /// What it paid in funding before, quote native.
    pub funding: i64,
}

/// Closes a position whole at the oracle's price, without spread, premium or fee, in a market that winds down and whose
/// announced time has come. Its value becomes cash, so the account's equity is what it was, but for rounding against it
/// (INV-2, INV-3, INV-4).
///
/// The house's budget is not asked: of two opposite positions one is closed first, and the house holds the other side
/// until that is closed too, which anyone may do in the same transaction.
///
/// # Errors
/// [`PlimsollError::WindDownNotDue`], [`PlimsollError::OracleStale`], [`PlimsollError::OracleTooWide`],
/// [`PlimsollError::NoPosition`].
pub fn close_at_spot(
    account: &mut MarginAccount,
    market_address: &Address,
    market: &mut Market,
    observation: &Observation,
    now: Timestamp,
) -> Result<Closed> {
    let is_due = market.config.state == state::WIND_DOWN && now.raw() >= market.wind_down_at;
    require!(is_due, PlimsollError::WindDownNotDue);
    require!(inventory::market_freshness(market, observation, now) == Freshness::Fresh, PlimsollError::OracleStale);
    require_narrow(market, observation)?;
    market.record(observation, now)?;
    let index = account.market_slot(market_address).ok_or(PlimsollError::NoPosition)?;
    let slot = account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
    let size = slot.size;
    require!(size != 0, PlimsollError::NoPosition);
    let funding = market.settle_funding(slot)?;
    let value = observation.spot.value_floor(Base::from_raw(size)).ok_or(PlimsollError::Overflow)?.raw();
    slot.size = 0;
    slot.cash = slot.cash.checked_add(value).ok_or(PlimsollError::Overflow)?;
    market.house_size = market.house_size.checked_add(size).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_sub(value).ok_or(PlimsollError::Overflow)?;
    market.move_position(size, 0)?;
    account.release_market(index)?;
    Ok(Closed { size, value, funding })
}
