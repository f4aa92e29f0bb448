//! A trade of an option against the house: what opening and closing have in common.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, MarketSlot, board_state, deferral},
    board::series_strike,
    config::pause,
    effect::{arrays, inventory, series},
};
use plimsoll_risk::{
    black::Greeks,
    options::{ArrayTerms, OptionTrade, quote_option},
    portfolio::RiskParameters,
    price::Observation,
    trade::TradeQuote,
    units::{Lots, Timestamp},
};

use crate::{
    book::Book,
    trading::{self, Change, OptionChange, Order, Parties},
};

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

/// What came of it.
pub struct OptionExecution {
    /// Its price.
    pub quote: TradeQuote,
    /// Black-76 price of one base unit, Q16.48.
    pub mid_price: u64,
    /// The trader's lots of the series afterwards.
    pub position: i32,
    /// The house's lots of the series afterwards.
    pub house_lots: i64,
}

/// Executes an order at the price just observed: Black-76 at that price and the strike's volatility, and the house's
/// charges around it; the trader's cash and lots against the house's (INV-2, INV-3), and afterwards the house within its
/// budget and the trader within its margin (INV-5).
///
/// A pure reduction is also accepted from an account whose initial margin does not suffice, or cannot be told because
/// another market's price is old, if it does not make that margin worse.
///
/// # Errors
/// Those of orders, states, prices, boards, budgets and margin.
pub fn execute(
    mut trade: OptionParties<'_>,
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<OptionExecution> {
    let exchange = trade.parties.exchange;
    require!(!exchange.config.is_paused(pause::OPTION), PlimsollError::Paused);
    trading::admit(exchange, trade.parties.market, order, observation, now)?;
    let is_open = trade.board.state == board_state::ACTIVE && now.raw() < trade.board.expiry;
    require!(is_open, PlimsollError::OptionExpired);

    let account = &mut *trade.parties.account;
    let board_slot = account.board_slot_or_new(trade.board_address, trade.parties.market_address)?;
    let slot_index = usize::from(account.boards.get(board_slot).ok_or(PlimsollError::Corrupt)?.market_slot);
    let lots = account.option_lots(board_slot, trade.series)?;
    let reduces = trading::is_reduction(i64::from(lots), order.size);
    let deferred = account.deferral != deferral::NONE;
    if !reduces {
        require!(!deferred, PlimsollError::LiquidationInProgress);
        let market = &*trade.parties.market;
        let disabled = (market.config.options.enabled != 1).then_some(PlimsollError::OptionsDisabled);
        trading::require_opening_allowed(exchange, market, observation, order, disabled, now)?;
    }
    let (quote, greeks) = price(&trade, order, observation, now)?;
    // For nothing the house takes what somebody wants to be rid of, but nobody goes short.
    require!(reduces || !quote.cost.is_zero(), PlimsollError::SkewTooLarge);
    let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
    let change = apply(&mut trade, slot_index, board_slot, (lots, order.size), outlay)?;
    let risk = exchange.risk(now);
    let option = change.option.ok_or(PlimsollError::Corrupt)?;
    let house_lots = book_against_house(&mut trade, &option, outlay, observation, &risk, now)?;

    let Parties { account, market_address, market, views, .. } = trade.parties;
    // Between the two ends of a liquidation without capital, the second asks for the margin.
    if !deferred {
        let book =
            Book::new(views, now).with_market(market_address, market).with_board(trade.board_address, trade.board);
        trading::require_margin(&book, account, &risk, &change, reduces)?;
    }
    account.release_board(board_slot)?;
    account.touch();
    Ok(OptionExecution { quote, mid_price: greeks.price.raw(), position: option.after, house_lots })
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
    let walk = series::traders_vega(board)?
        .walk(&ArrayTerms::from(&board.terms), board.array(index)?, lots)
        .map_err(PlimsollError::from)?;
    let pricing = trade.parties.market.config.option_pricing();
    let order_of = OptionTrade { greeks, spot: observation.spot, lot: board.lot, lots, walk };
    let quote = quote_option(&pricing, &order_of).map_err(PlimsollError::from)?;
    trading::require_limit(order, &quote)?;
    Ok((quote, greeks))
}

/// Changes the trader's cash and lots.
fn apply(
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
