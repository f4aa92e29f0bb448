//! `open_position` and `close_position`, `open_option` and `close_option`: the trade, and then the trader's margin.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::MarginAccount,
    instruction::{CloseOptionArgs, ClosePositionArgs, OpenOptionArgs, OpenPositionArgs},
};
use plimsoll_risk::units::Price;

use super::{
    Effect, Result, Traded, health_init,
    option_trading::{self, OptionParties},
    trading::{self, Change, Order},
};
use crate::Snapshot;

/// `open_position`, signed by the owner.
pub(crate) fn open(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    market: &Address,
    args: &OpenPositionArgs,
) -> Result<Effect> {
    let order = Order {
        size: args.size,
        limit_price: Price::from_raw(args.limit_price),
        expires_at: args.expires_at,
        reduce_only: args.reduce_only != 0,
    };
    execute(scene, account, market, &order)
}

/// `close_position`.
pub(crate) fn close(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    market: &Address,
    args: &ClosePositionArgs,
) -> Result<Effect> {
    if args.size == 0 {
        return Err(PlimsollError::ZeroSize);
    }
    let slot = account.market_slot(market).ok_or(PlimsollError::NoPosition)?;
    let order = closing(account.markets[slot].size, args.size, args.limit_price, args.expires_at)?;
    execute(scene, account, market, &order)
}

/// An order for at most `size` against a position.
fn closing(position: i64, size: u64, limit_price: u64, expires_at: i64) -> Result<Order> {
    if position == 0 {
        return Err(PlimsollError::NoPosition);
    }
    let size = i64::try_from(size.min(position.unsigned_abs())).map_err(|_| PlimsollError::Overflow)?;
    let size = if position > 0 { size.checked_neg().ok_or(PlimsollError::Overflow)? } else { size };
    Ok(Order { size, limit_price: Price::from_raw(limit_price), expires_at, reduce_only: true })
}

fn execute(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address, order: &Order) -> Result<Effect> {
    let observation = scene.declared_price(address)?;
    let mut market = scene.market_copy(address)?;
    let now = scene.timestamp();
    let applied = trading::apply(&scene.exchange.data, account, (address, &mut market), order, &observation, now)?;
    scene.markets.insert(*address, market);
    let margin = match applied.deferred {
        true => Ok(()),
        false => require_margin(scene, account, &applied.change, applied.reduces),
    };
    account.release_market(applied.change.slot_index)?;
    account.touch();
    let traded = Traded { observation, mid_price: observation.spot.raw(), base: order.size, quote: applied.quote };
    Ok(Effect::checked(Some(traded), margin))
}

/// `open_option`, signed by the owner.
pub(crate) fn open_option(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    board: &Address,
    args: &OpenOptionArgs,
) -> Result<Effect> {
    let order = Order {
        size: args.lots,
        limit_price: Price::from_raw(args.limit_price),
        expires_at: args.expires_at,
        reduce_only: args.reduce_only != 0,
    };
    execute_option(scene, account, board, args.series, &order)
}

/// `close_option`.
pub(crate) fn close_option(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    board: &Address,
    args: &CloseOptionArgs,
) -> Result<Effect> {
    if args.lots == 0 {
        return Err(PlimsollError::ZeroSize);
    }
    let slot = account.board_slot(board).ok_or(PlimsollError::NoPosition)?;
    let position = i64::from(account.option_lots(slot, args.series)?);
    let order = closing(position, args.lots, args.limit_price, args.expires_at)?;
    execute_option(scene, account, board, args.series, &order)
}

fn execute_option(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    board_address: &Address,
    series: u8,
    order: &Order,
) -> Result<Effect> {
    let mut board = scene.board_copy(board_address)?;
    let market_address = board.market;
    let observation = scene.declared_price(&market_address)?;
    let mut market = scene.market_copy(&market_address)?;
    let now = scene.timestamp();
    let mut parties = OptionParties {
        exchange: &scene.exchange.data,
        account: &mut *account,
        market_address: &market_address,
        market: &mut market,
        board_address,
        board: &mut board,
        series,
    };
    let applied = option_trading::apply(&mut parties, order, &observation, now)?;
    scene.markets.insert(market_address, market);
    scene.boards.insert(*board_address, board);
    let margin = match applied.deferred {
        true => Ok(()),
        false => require_margin(scene, account, &applied.change, applied.reduces),
    };
    account.release_board(applied.option.board_slot)?;
    account.touch();
    let lot = i64::try_from(board.lot).map_err(|_| PlimsollError::Overflow)?;
    let base = order.size.checked_mul(lot).ok_or(PlimsollError::Overflow)?;
    let traded = Traded { observation, mid_price: applied.mid_price, base, quote: applied.quote };
    Ok(Effect::checked(Some(traded), margin))
}

/// Checks the trader's margin after the trade; for a reduction that fails it, that it was not better before. No slot that
/// the trade emptied is released yet.
fn require_margin(scene: &Snapshot, account: &mut MarginAccount, change: &Change, reduces: bool) -> Result<()> {
    let margin = scene.margin_or_refusal(account)?;
    let health = health_init(&margin)?;
    if margin.blocked_by.is_none() && health >= 0 {
        return Ok(());
    }
    if !reduces {
        let is_blocked = margin.blocked_by.is_some();
        return Err(if is_blocked { PlimsollError::OracleStale } else { PlimsollError::InsufficientMargin });
    }
    change.put(account, false)?;
    let before = scene.margin_or_refusal(account);
    change.put(account, true)?;
    if health < health_init(&before?)? { Err(PlimsollError::InsufficientMargin) } else { Ok(()) }
}
