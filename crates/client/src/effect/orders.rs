//! `open_position` and `close_position`, `open_option` and `close_option`: the trade, and then the trader's margin.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::MarginAccount,
    effect::{
        option_trading::{self, OptionParties},
        trading::{self, Change, Order, Parties},
    },
    instruction::{CloseOptionArgs, ClosePositionArgs, OpenOptionArgs, OpenPositionArgs},
};

use super::{Effect, Result, Traded};
use crate::Snapshot;

/// `open_position`, signed by the owner.
pub(crate) fn open(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    market: &Address,
    args: &OpenPositionArgs,
) -> Result<Effect> {
    execute(scene, account, market, &Order::opening(args, false))
}

/// `close_position`.
pub(crate) fn close(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    market: &Address,
    args: &ClosePositionArgs,
) -> Result<Effect> {
    let order = Order::closing(account, market, args)?;
    execute(scene, account, market, &order)
}

fn execute(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address, order: &Order) -> Result<Effect> {
    let observation = scene.declared_price(address)?;
    let mut market = scene.market_copy(address)?;
    let (exchange, now) = (&scene.exchange.data, scene.timestamp());
    let mut parties = Parties { exchange, account, market_address: address, market: &mut market };
    let applied = trading::apply(&mut parties, &exchange.risk(now), order, &observation, now)?;
    scene.markets.insert(*address, market);
    let margin = require_margin(scene, account, &applied.change, applied.reduces, applied.deferred);
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
    execute_option(scene, account, board, args.series, &Order::opening_option(args, false))
}

/// `close_option`.
pub(crate) fn close_option(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    board: &Address,
    args: &CloseOptionArgs,
) -> Result<Effect> {
    let order = Order::closing_option(account, board, args)?;
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
    let (exchange, now) = (&scene.exchange.data, scene.timestamp());
    let parties = Parties { exchange, account, market_address: &market_address, market: &mut market };
    let mut trade = OptionParties { parties, board_address, board: &mut board, series };
    let applied = option_trading::apply(&mut trade, &exchange.risk(now), order, &observation, now)?;
    scene.markets.insert(market_address, market);
    scene.boards.insert(*board_address, board);
    let margin = require_margin(scene, account, &applied.change, applied.reduces, applied.deferred);
    account.release_board(applied.option.board_slot)?;
    account.touch();
    let lot = i64::try_from(board.lot).map_err(|_| PlimsollError::Overflow)?;
    let base = order.size.checked_mul(lot).ok_or(PlimsollError::Overflow)?;
    let traded = Traded { observation, mid_price: applied.mid_price, base, quote: applied.quote };
    Ok(Effect::checked(Some(traded), margin))
}

/// Checks the trader's margin after the trade, unless a later instruction does.
fn require_margin(
    scene: &Snapshot,
    account: &mut MarginAccount,
    change: &Change,
    reduces: bool,
    deferred: bool,
) -> Result<()> {
    if deferred {
        return Ok(());
    }
    trading::require_margin(|account| scene.margin_or_refusal(account), account, change, reduces).map(|_| ())
}
