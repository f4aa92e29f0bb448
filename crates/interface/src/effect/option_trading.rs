//! A trade of an option against the house: what opening and closing have in common.

use plimsoll_risk::{
    black::Greeks,
    options::{ArrayTerms, OptionTrade, quote_option},
    portfolio::RiskParameters,
    price::Observation,
    trade::TradeQuote,
    units::{Lots, Price, Timestamp},
};

use super::{
    Result, arrays, inventory, series,
    trading::{self, Change, OptionChange, Order, Parties},
};
use crate::{
    Address, PlimsollError,
    accounts::{Board, MarginAccount, MarketSlot, board_state, deferral},
    board::series_strike,
    config::pause,
    instruction::{CloseOptionArgs, OpenOptionArgs},
};

impl Order {
    /// What `open_option` orders; `reduces` where whoever signs may only reduce.
    pub fn opening_option(args: &OpenOptionArgs, reduces: bool) -> Self {
        Self {
            size: args.lots,
            limit_price: Price::from_raw(args.limit_price),
            expires_at: args.expires_at,
            reduce_only: reduces || args.reduce_only != 0,
            tip: 0,
        }
    }

    /// What `close_option` orders of the account's options of a board.
    ///
    /// # Errors
    /// [`PlimsollError::ZeroSize`], [`PlimsollError::NoPosition`].
    pub fn closing_option(account: &MarginAccount, board: &Address, args: &CloseOptionArgs) -> Result<Self> {
        if args.lots == 0 {
            return Err(PlimsollError::ZeroSize);
        }
        let slot = account.board_slot(board).ok_or(PlimsollError::NoPosition)?;
        let position = i64::from(account.option_lots(slot, args.series)?);
        Self::against(position, args.lots, args.limit_price, args.expires_at)
    }
}

/// The accounts of a trade of an option.
pub struct OptionParties<'a> {
    /// Those that a trade of the perpetual has, too.
    pub parties: Parties<'a>,
    /// The board's address.
    pub board_address: &'a Address,
    /// The board.
    pub board: &'a mut Board,
    /// Series of the board.
    pub series: u8,
}

/// What an order did to the trader's account, before its margin is asked.
pub struct OptionApplied {
    /// Its price.
    pub quote: TradeQuote,
    /// Black-76 price of one base unit, Q16.48.
    pub mid_price: u64,
    /// What changed.
    pub change: Change,
    /// The option that was traded.
    pub option: OptionChange,
    /// The house's lots of the series afterwards.
    pub house_lots: i64,
    /// Whether the position only got smaller.
    pub reduces: bool,
    /// Whether the account is between the two ends of a liquidation without capital, of which the second asks for the margin.
    pub deferred: bool,
}

/// Executes an order at the price just observed, up to the margin: Black-76 at that price and the strike's volatility, and
/// the house's charges around it; the trader's cash and lots against the house's (INV-2, INV-3), and afterwards the house
/// within its budget. `risk` are the exchange's parameters now. The caller asks for the trader's margin (INV-5), and then
/// releases the board's slot.
///
/// # Errors
/// Those of orders, states, prices, boards and budgets.
#[inline(always)]
pub fn apply(
    trade: &mut OptionParties<'_>,
    risk: &RiskParameters,
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<OptionApplied> {
    let exchange = trade.parties.exchange;
    if exchange.config.is_paused(pause::OPTION) {
        return Err(PlimsollError::Paused);
    }
    trading::admit(exchange, trade.parties.market, order, observation, now)?;
    if trade.board.state != board_state::ACTIVE || now.raw() >= trade.board.expiry {
        return Err(PlimsollError::OptionExpired);
    }

    let account = &mut *trade.parties.account;
    let board_slot = account.board_slot_or_new(trade.board_address, trade.parties.market_address)?;
    let slot_index = usize::from(account.boards.get(board_slot).ok_or(PlimsollError::Corrupt)?.market_slot);
    let lots = account.option_lots(board_slot, trade.series)?;
    let reduces = trading::is_reduction(i64::from(lots), order.size);
    let deferred = account.deferral != deferral::NONE;
    if !reduces {
        if deferred {
            return Err(PlimsollError::LiquidationInProgress);
        }
        let market = &*trade.parties.market;
        let disabled = (market.config.options.enabled != 1).then_some(PlimsollError::OptionsDisabled);
        trading::require_opening_allowed(exchange, market, observation, order, disabled, now)?;
    }
    let (quote, greeks) = price(trade, order, observation, now)?;
    // For nothing the house takes what somebody wants to be rid of, but nobody goes short.
    if !reduces && quote.cost.is_zero() {
        return Err(PlimsollError::SkewTooLarge);
    }
    let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
    let change = change_account(trade, slot_index, board_slot, (lots, order.size), outlay)?;
    let option = change.option.ok_or(PlimsollError::Corrupt)?;
    let house_lots = book_against_house(trade, &option, outlay, observation, risk, now)?;
    Ok(OptionApplied { quote, mid_price: greeks.price.raw(), change, option, house_lots, reduces, deferred })
}

/// The house's price for an order, within its limit: Black-76 of one base unit, and what the order costs.
#[inline(never)]
fn price(
    trade: &OptionParties<'_>,
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<(TradeQuote, Greeks)> {
    let (board, series) = (&*trade.board, usize::from(trade.series));
    let greeks = series::mark(trade.parties.market, board, series, observation.spot, now)?;
    let index = series_strike(series);
    let lots = Lots::from_raw(order.size);
    let walk = series::traders_vega(board)?.walk(&ArrayTerms::from(&board.terms), board.array(index)?, lots)?;
    let pricing = trade.parties.market.config.option_pricing();
    let order_of = OptionTrade { greeks, spot: observation.spot, lot: board.lot, lots, walk };
    let quote = quote_option(&pricing, &order_of)?;
    trading::require_limit(order, &quote)?;
    Ok((quote, greeks))
}

/// Changes the trader's cash and lots.
fn change_account(
    trade: &mut OptionParties<'_>,
    slot_index: usize,
    board_slot: usize,
    (lots, size): (i32, i64),
    outlay: i64,
) -> Result<Change> {
    let account = &mut *trade.parties.account;
    let slot = account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    let before = *slot;
    slot.cash = before.cash.checked_sub(outlay).ok_or(PlimsollError::Overflow)?;
    let after: MarketSlot = *slot;
    let sum = i64::from(lots).checked_add(size).ok_or(PlimsollError::Overflow)?;
    let position = i32::try_from(sum).map_err(|_| PlimsollError::TooManyLots)?;
    account.set_option(board_slot, trade.series, position)?;
    let option = OptionChange { board_slot, series: trade.series, before: lots, after: position };
    Ok(Change { slot_index, before, after, option: Some(option) })
}

/// Books the other side of a trade with the house, values its options anew, and checks open lots and the house's budget
/// where they grow. Gives the house's lots of the series.
fn book_against_house(
    trade: &mut OptionParties<'_>,
    change: &OptionChange,
    outlay: i64,
    observation: &Observation,
    risk: &RiskParameters,
    now: Timestamp,
) -> Result<i64> {
    let (market, board) = (&mut *trade.parties.market, &mut *trade.board);
    let loss_before = inventory::inventory_loss(market, observation, risk, now)?;
    let series = usize::from(change.series);
    let (before, after) = (i64::from(change.before), i64::from(change.after));
    let lots = board.house_lots.get_mut(series).ok_or(PlimsollError::Corrupt)?;
    *lots = before.checked_sub(after).and_then(|moved| lots.checked_add(moved)).ok_or(PlimsollError::Overflow)?;
    let house_lots = *lots;
    market.house_cash = market.house_cash.checked_add(outlay).ok_or(PlimsollError::Overflow)?;
    if series::move_open_lots(board, series, before, after)? {
        series::require_open_lots(market, board, series)?;
    }
    arrays::revalue_house(market, board, risk.extreme_damping, observation.spot, now)?;
    inventory::require_within_budget(market, observation, risk, now, loss_before)?;
    Ok(house_lots)
}
