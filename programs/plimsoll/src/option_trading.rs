//! A trade of an option against the house, up to the trader's margin.

use anchor_lang::prelude::*;
use plimsoll_interface::effect::{
    option_trading::{self, OptionParties},
    trading::{Order, Parties},
};
use plimsoll_risk::{price::Observation, trade::TradeQuote, units::Timestamp};

use crate::{book::Book, trading};

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

/// Executes an order at the price just observed, and asks for the trader's margin afterwards (INV-5), for which `views` are
/// the other markets, boards and the banks that the account uses.
///
/// # Errors
/// Those of orders, states, prices, boards, budgets and margin.
pub fn execute(
    mut trade: OptionParties<'_>,
    views: &[AccountView],
    order: &Order,
    observation: &Observation,
    now: Timestamp,
) -> Result<OptionExecution> {
    let risk = trade.parties.exchange.risk(now);
    let applied = option_trading::apply(&mut trade, &risk, order, observation, now)?;
    let Parties { account, market_address, market, .. } = trade.parties;
    // Between the two ends of a liquidation without capital, the second asks for the margin.
    if !applied.deferred {
        let book =
            Book::new(views, now).with_market(market_address, market).with_board(trade.board_address, trade.board);
        trading::require_margin(&book, account, &risk, &applied.change, applied.reduces)?;
    }
    account.release_board(applied.option.board_slot)?;
    account.touch();
    Ok(OptionExecution {
        quote: applied.quote,
        mid_price: applied.mid_price,
        position: applied.option.after,
        house_lots: applied.house_lots,
    })
}
