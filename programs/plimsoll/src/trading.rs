//! A trade of the perpetual against the house: what opening and closing have in common, and what trades of options share
//! with them.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, MarketSlot, deferral},
    config::{pause, state},
    effect::inventory,
};
use plimsoll_risk::{
    portfolio::RiskParameters,
    price::{Freshness, Observation, Width, check_limits},
    trade::{self, TradeQuote},
    units::{Base, Ppm, Price, Timestamp},
};

use crate::book::{self, Book};

/// What the trader asks for.
pub struct Order {
    /// Base units, or lots of an option, to buy, negative to sell.
    pub size: i64,
    /// Worst average price, fee not included.
    pub limit_price: Price,
    /// Unix seconds after which the order is void, zero for never.
    pub expires_at: i64,
    /// Whether it may only make the position smaller.
    pub reduce_only: bool,
    /// What the trader pays besides to whoever executes it, quote native: leaves the trader's cash here, and is for the
    /// caller to put elsewhere in the same market (INV-3). Not negative.
    pub tip: i64,
}

/// The accounts of a trade.
pub struct Parties<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The trader's margin account.
    pub account: &'a mut MarginAccount,
    /// The market's address.
    pub market_address: &'a Address,
    /// The market.
    pub market: &'a mut Market,
    /// The other markets and the banks that the account uses.
    pub views: &'a [AccountView],
}

/// What came of it.
pub struct Execution {
    /// Its price.
    pub quote: TradeQuote,
    /// The trader's position afterwards, base units.
    pub position: i64,
    /// What the position before paid in funding, quote native.
    pub funding: i64,
}

/// Whether a trade of `size` only makes `position` smaller, without crossing zero.
pub fn is_reduction(position: i64, size: i64) -> bool {
    position != 0 && (position < 0) != (size < 0) && size.unsigned_abs() <= position.unsigned_abs()
}

/// Executes an order at the price just observed: the house's spread and skew premium around spot, the trader's cash and
/// position against the house's (INV-2, INV-3), and afterwards the house within its budget and the trader within its
/// margin (INV-5).
///
/// A pure reduction is also accepted from an account whose initial margin does not suffice, or cannot be told because
/// another market's price is old, if it does not make that margin worse.
///
/// # Errors
/// Those of orders, states, prices, budgets and margin.
pub fn execute(parties: Parties<'_>, order: &Order, observation: &Observation, now: Timestamp) -> Result<Execution> {
    let exchange = parties.exchange;
    admit(exchange, parties.market, order, observation, now)?;

    let deferred = parties.account.deferral != deferral::NONE;
    let slot_index = parties.account.market_slot_or_new(parties.market_address)?;
    let slot = parties.account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    let funding = parties.market.settle_funding(slot)?;
    let before = *slot;
    let reduces = is_reduction(before.size, order.size);
    if !reduces {
        require!(!deferred, PlimsollError::LiquidationInProgress);
        let disabled = (parties.market.config.perp_enabled != 1).then_some(PlimsollError::PerpDisabled);
        require_opening_allowed(exchange, parties.market, observation, order, disabled, now)?;
    }
    let quote = price(parties.market, observation, order)?;
    let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
    slot.size = before.size.checked_add(order.size).ok_or(PlimsollError::Overflow)?;
    let paid = outlay.checked_add(order.tip).ok_or(PlimsollError::Overflow)?;
    slot.cash = before.cash.checked_sub(paid).ok_or(PlimsollError::Overflow)?;
    let after = *slot;
    let risk = exchange.risk(now);
    book_against_house(parties.market, (before.size, after.size), outlay, observation, &risk, now)?;

    // Between the two ends of a liquidation without capital, the second asks for the margin.
    if !deferred {
        let book = Book::new(parties.views, now).with_market(parties.market_address, parties.market);
        let change = Change { slot_index, before, after, option: None };
        let has_margin = require_margin(&book, parties.account, &risk, &change, reduces)?;
        // Else a sinking account could give its margin away, order by order, as the position that needs it gets smaller.
        require!(has_margin || order.tip == 0, PlimsollError::InsufficientMargin);
    }
    parties.account.release_market(slot_index)?;
    parties.account.touch();
    Ok(Execution { quote, position: after.size, funding })
}

/// Checks what any order must be, whatever it does, and stores the price that it is executed at.
///
/// # Errors
/// [`PlimsollError::Paused`], [`PlimsollError::ZeroSize`], [`PlimsollError::OrderExpired`], [`PlimsollError::OracleStale`],
/// [`PlimsollError::OracleOlderThanObservation`].
pub fn admit(
    exchange: &Exchange,
    market: &mut Market,
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<()> {
    require!(!exchange.config.is_paused(pause::TRADE), PlimsollError::Paused);
    require!(order.size != 0 && order.size != i64::MIN, PlimsollError::ZeroSize);
    require!(order.expires_at == 0 || now.raw() <= order.expires_at, PlimsollError::OrderExpired);
    let fresh = inventory::market_freshness(market, observation, now) == Freshness::Fresh;
    require!(fresh, PlimsollError::OracleStale);
    Ok(market.record(observation, now)?)
}

/// Checks that a trade that is not a reduction may happen here and now. `disabled` says that there is nothing to trade.
///
/// # Errors
/// [`PlimsollError::ReduceOnlyViolated`], [`PlimsollError::Paused`], `disabled`, [`PlimsollError::MarketReduceOnly`],
/// [`PlimsollError::OracleTooWide`].
pub fn require_opening_allowed(
    exchange: &Exchange,
    market: &Market,
    observation: &Observation,
    order: &Order,
    disabled: Option<PlimsollError>,
    now: Timestamp,
) -> Result<()> {
    require!(!order.reduce_only, PlimsollError::ReduceOnlyViolated);
    require!(!exchange.config.is_paused(pause::OPEN), PlimsollError::Paused);
    if let Some(disabled) = disabled {
        return Err(disabled.into());
    }
    require!(market.config.state == state::ACTIVE, PlimsollError::MarketReduceOnly);
    require_narrow(market, observation)?;
    Ok(exchange.require_quote_sound(now)?)
}

/// Checks that the oracle's doubt is within the market's limits.
fn require_narrow(market: &Market, observation: &Observation) -> Result<()> {
    let width = check_limits(
        observation,
        Ppm::from_raw(market.config.max_confidence_ppm),
        Ppm::from_raw(market.config.max_ema_gap_ppm),
    );
    require!(width == Width::Normal, PlimsollError::OracleTooWide);
    Ok(())
}

/// The house's price for an order, within its limit.
fn price(market: &Market, observation: &Observation, order: &Order) -> Result<TradeQuote> {
    let skew = market.house_size.checked_neg().ok_or(PlimsollError::Overflow)?;
    let quote = trade::quote_trade(
        &market.config.pricing(),
        observation.spot,
        Base::from_raw(skew),
        Base::from_raw(order.size),
    )
    .map_err(PlimsollError::from)?;
    require_limit(order, &quote)?;
    Ok(quote)
}

/// Checks that a price is within the order's limit.
///
/// # Errors
/// [`PlimsollError::LimitPrice`].
pub fn require_limit(order: &Order, quote: &TradeQuote) -> Result<()> {
    let acceptable = if order.size > 0 {
        quote.average_price <= order.limit_price
    } else {
        quote.average_price >= order.limit_price
    };
    require!(acceptable, PlimsollError::LimitPrice);
    Ok(())
}

/// Books the other side of a trade with the house, and checks open interest and the house's budget where they grow.
fn book_against_house(
    market: &mut Market,
    (position_before, position_after): (i64, i64),
    outlay: i64,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
) -> Result<()> {
    let loss_before = inventory::inventory_loss(market, observation, risk, now)?;
    let change = position_after.checked_sub(position_before).ok_or(PlimsollError::Overflow)?;
    market.house_size = market.house_size.checked_sub(change).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_add(outlay).ok_or(PlimsollError::Overflow)?;
    let grown = market.move_position(position_before, position_after)?;
    let limit = market.config.max_open_interest;
    require!(
        !grown || (market.open_interest_long <= limit && market.open_interest_short <= limit),
        PlimsollError::OpenInterestLimit
    );
    Ok(inventory::require_within_budget(market, observation, risk, now, loss_before)?)
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

/// What a trade changed in the trader's account.
pub struct Change {
    /// Index of the market's slot.
    pub slot_index: usize,
    /// The market's slot before the trade.
    pub before: MarketSlot,
    /// The market's slot after the trade.
    pub after: MarketSlot,
    /// The option that was traded.
    pub option: Option<OptionChange>,
}

/// What a trade changed in an option of the trader's account.
#[derive(Clone, Copy)]
pub struct OptionChange {
    /// Index of the board's slot.
    pub board_slot: usize,
    /// Series of the board.
    pub series: u8,
    /// Lots before the trade.
    pub before: i32,
    /// Lots after the trade.
    pub after: i32,
}

impl Change {
    /// Puts the account as it was before the trade, or as it is after it.
    fn put(&self, account: &mut MarginAccount, is_after: bool) -> Result<()> {
        let slot = account.markets.get_mut(self.slot_index).ok_or(PlimsollError::Corrupt)?;
        *slot = if is_after { self.after } else { self.before };
        if let Some(option) = self.option {
            let lots = if is_after { option.after } else { option.before };
            account.set_option(option.board_slot, option.series, lots)?;
        }
        Ok(())
    }
}

/// Checks the trader's margin after the trade; for a reduction that fails it, that it was not better before. Says whether
/// the account has its initial margin now. No slot that the trade emptied is released yet.
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
    let margin = book.margin(account, risk)?;
    let health = book::health_init(&margin)?;
    if margin.blocked_by.is_none() && health >= 0 {
        return Ok(true);
    }
    if !reduces {
        require!(margin.blocked_by.is_none(), PlimsollError::OracleStale);
        return Err(PlimsollError::InsufficientMargin.into());
    }
    change.put(account, false)?;
    let margin_before = book.margin(account, risk)?;
    change.put(account, true)?;
    require!(health >= book::health_init(&margin_before)?, PlimsollError::InsufficientMargin);
    Ok(false)
}
