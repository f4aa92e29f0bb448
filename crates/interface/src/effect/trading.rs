//! A trade of the perpetual against the house: what opening and closing have in common, and what trades of options share
//! with them.

use plimsoll_risk::{
    portfolio::{Margin, RiskParameters},
    price::{Freshness, Observation, Width, check_limits},
    trade::{self, TradeQuote},
    units::{Base, Ppm, Price, Timestamp},
};

use super::{Result, inventory, margin::health_init};
use crate::{
    Address, PlimsollError,
    accounts::{Exchange, MarginAccount, Market, MarketSlot, deferral},
    config::{pause, state},
    instruction::{ClosePositionArgs, OpenPositionArgs},
};

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

impl Order {
    /// What `open_position` orders; `reduces` where whoever signs may only reduce.
    pub fn opening(args: &OpenPositionArgs, reduces: bool) -> Self {
        Self {
            size: args.size,
            limit_price: Price::from_raw(args.limit_price),
            expires_at: args.expires_at,
            reduce_only: reduces || args.reduce_only != 0,
            tip: 0,
        }
    }

    /// What `close_position` orders of the account's position in a market.
    ///
    /// # Errors
    /// [`PlimsollError::ZeroSize`], [`PlimsollError::NoPosition`].
    pub fn closing(account: &MarginAccount, market: &Address, args: &ClosePositionArgs) -> Result<Self> {
        if args.size == 0 {
            return Err(PlimsollError::ZeroSize);
        }
        let slot = account.market_slot(market).ok_or(PlimsollError::NoPosition)?;
        let position = account.markets.get(slot).ok_or(PlimsollError::Corrupt)?.size;
        Self::against(position, args.size, args.limit_price, args.expires_at)
    }

    /// An order for at most `size` against a position, which may not be more than that.
    ///
    /// # Errors
    /// [`PlimsollError::NoPosition`].
    pub fn against(position: i64, size: u64, limit_price: u64, expires_at: i64) -> Result<Self> {
        if position == 0 {
            return Err(PlimsollError::NoPosition);
        }
        let size = i64::try_from(size.min(position.unsigned_abs())).map_err(|_| PlimsollError::Overflow)?;
        let size = if position > 0 { size.checked_neg().ok_or(PlimsollError::Overflow)? } else { size };
        Ok(Self { size, limit_price: Price::from_raw(limit_price), expires_at, reduce_only: true, tip: 0 })
    }
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
}

/// Whether a trade of `size` only makes `position` smaller, without crossing zero.
pub fn is_reduction(position: i64, size: i64) -> bool {
    position != 0 && (position < 0) != (size < 0) && size.unsigned_abs() <= position.unsigned_abs()
}

/// What an order did to the trader's account, before its margin is asked.
pub struct Applied {
    /// Its price.
    pub quote: TradeQuote,
    /// What the position before paid in funding, quote native.
    pub funding: i64,
    /// What changed.
    pub change: Change,
    /// Whether the position only got smaller.
    pub reduces: bool,
    /// Whether the account is between the two ends of a liquidation without capital, of which the second asks for the margin.
    pub deferred: bool,
}

/// Executes an order at the price just observed, up to the margin: the house's spread and skew premium around spot, the
/// trader's cash and position against the house's (INV-2, INV-3), and afterwards the house within its budget. `risk` are
/// the exchange's parameters now. The caller asks for the trader's margin (INV-5), and then releases the market's slot.
///
/// # Errors
/// Those of orders, states, prices and budgets.
#[inline(always)]
pub fn apply(
    parties: &mut Parties<'_>,
    risk: &RiskParameters,
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<Applied> {
    let Parties { exchange, account, market_address, market } = parties;
    admit(exchange, market, order, observation, now)?;

    let deferred = account.deferral != deferral::NONE;
    let slot_index = account.market_slot_or_new(market_address)?;
    let slot = account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    let funding = market.settle_funding(slot)?;
    let before = *slot;
    let reduces = is_reduction(before.size, order.size);
    if !reduces {
        if deferred {
            return Err(PlimsollError::LiquidationInProgress);
        }
        let disabled = (market.config.perp_enabled != 1).then_some(PlimsollError::PerpDisabled);
        require_opening_allowed(exchange, market, observation, order, disabled, now)?;
    }
    let quote = price(market, observation, order)?;
    let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
    slot.size = before.size.checked_add(order.size).ok_or(PlimsollError::Overflow)?;
    let paid = outlay.checked_add(order.tip).ok_or(PlimsollError::Overflow)?;
    slot.cash = before.cash.checked_sub(paid).ok_or(PlimsollError::Overflow)?;
    let after = *slot;
    book_against_house(market, (before.size, after.size), outlay, observation, risk, now)?;
    Ok(Applied { quote, funding, change: Change { slot_index, before, after, option: None }, reduces, deferred })
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
    if exchange.config.is_paused(pause::TRADE) {
        return Err(PlimsollError::Paused);
    }
    if order.size == 0 || order.size == i64::MIN {
        return Err(PlimsollError::ZeroSize);
    }
    if order.expires_at != 0 && now.raw() > order.expires_at {
        return Err(PlimsollError::OrderExpired);
    }
    if inventory::market_freshness(market, observation, now) != Freshness::Fresh {
        return Err(PlimsollError::OracleStale);
    }
    market.record(observation, now)
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
    if order.reduce_only {
        return Err(PlimsollError::ReduceOnlyViolated);
    }
    if exchange.config.is_paused(pause::OPEN) {
        return Err(PlimsollError::Paused);
    }
    if let Some(disabled) = disabled {
        return Err(disabled);
    }
    if market.config.state != state::ACTIVE {
        return Err(PlimsollError::MarketReduceOnly);
    }
    require_narrow(market, observation)?;
    exchange.require_quote_sound(now)
}

/// Checks that the oracle's doubt is within the market's limits.
///
/// # Errors
/// [`PlimsollError::OracleTooWide`].
pub fn require_narrow(market: &Market, observation: &Observation) -> Result<()> {
    let width = check_limits(
        observation,
        Ppm::from_raw(market.config.max_confidence_ppm),
        Ppm::from_raw(market.config.max_ema_gap_ppm),
    );
    if width != Width::Normal {
        return Err(PlimsollError::OracleTooWide);
    }
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
    )?;
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
    if !acceptable {
        return Err(PlimsollError::LimitPrice);
    }
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
    if grown && (market.open_interest_long > limit || market.open_interest_short > limit) {
        return Err(PlimsollError::OpenInterestLimit);
    }
    inventory::require_within_budget(market, observation, risk, now, loss_before)
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

/// Checks the trader's margin after the trade; for a reduction that fails it, that it was not better before: a pure reduction is
/// also accepted from an account whose initial margin does not suffice, or cannot be told because another market's price is
/// old, if it does not make that margin worse. Says whether the account has its initial margin now. `margin` looks a margin
/// up; no slot that the trade emptied is released yet.
///
/// # Errors
/// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`]; those of the margin.
pub fn require_margin<E: From<PlimsollError>>(
    margin: impl Fn(&MarginAccount) -> core::result::Result<Margin, E>,
    account: &mut MarginAccount,
    change: &Change,
    reduces: bool,
) -> core::result::Result<bool, E> {
    let after = margin(account)?;
    let health = health_init(&after)?;
    if after.blocked_by.is_none() && health >= 0 {
        return Ok(true);
    }
    if !reduces {
        let is_blocked = after.blocked_by.is_some();
        return Err(if is_blocked { PlimsollError::OracleStale } else { PlimsollError::InsufficientMargin }.into());
    }
    change.put(account, false)?;
    let before = margin(account);
    change.put(account, true)?;
    if health < health_init(&before?)? {
        return Err(PlimsollError::InsufficientMargin.into());
    }
    Ok(false)
}
