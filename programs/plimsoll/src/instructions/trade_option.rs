use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, MarginAccount, Market},
    event::OptionTraded,
    instruction::{CloseOptionArgs, OpenOptionArgs},
};
use plimsoll_risk::units::Price;

use crate::{
    book,
    option_trading::{self, OptionParties},
    trading::{Order, Parties},
};

/// Accounts of `open_option` and `close_option`. Behind them: every other market that the margin account uses, each with
/// its price account behind it where the stored price is old, every bank and every other board that it uses.
#[derive(Accounts)]
pub struct TradeOption {
    /// Owner or delegate of the margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board, its arrays up to date.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
    /// A price account of the market's feed: a trade is always priced by one in the same transaction.
    pub oracle: UncheckedAccount,
}

impl TradeOption {
    /// `open_option`. What a delegate of that scope orders only reduces.
    pub fn open(&mut self, args: &OpenOptionArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate()?;
        let reduces = !self.account.may_trade(self.authority.address());
        let order = Order {
            size: args.lots,
            limit_price: Price::from_raw(args.limit_price),
            expires_at: args.expires_at,
            reduce_only: reduces || args.reduce_only != 0,
            tip: 0,
        };
        self.execute(&order, args.series, remaining)
    }

    /// `close_option`.
    pub fn close(&mut self, args: &CloseOptionArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate()?;
        require!(args.lots != 0, PlimsollError::ZeroSize);
        let slot = self.account.board_slot(self.board.address()).ok_or(PlimsollError::NoPosition)?;
        let position = i64::from(self.account.option_lots(slot, args.series)?);
        require!(position != 0, PlimsollError::NoPosition);
        let lots = i64::try_from(args.lots.min(position.unsigned_abs())).map_err(|_| PlimsollError::Overflow)?;
        let order = Order {
            size: if position > 0 { lots.checked_neg().ok_or(PlimsollError::Overflow)? } else { lots },
            limit_price: Price::from_raw(args.limit_price),
            expires_at: args.expires_at,
            reduce_only: true,
            tip: 0,
        };
        self.execute(&order, args.series, remaining)
    }

    fn validate(&self) -> Result<()> {
        require!(self.account.may_reduce(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        Ok(())
    }

    fn execute(&mut self, order: &Order, series: u8, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let (market_address, board_address) = (*self.market.address(), *self.board.address());
        let parties = Parties {
            exchange: &self.exchange,
            account: &mut self.account,
            market_address: &market_address,
            market: &mut self.market,
            views: remaining,
        };
        let trade = OptionParties { parties, board_address: &board_address, board: &mut self.board, series };
        let execution = option_trading::execute(trade, order, &observation, now)?;
        emit!(OptionTraded {
            account: *self.account.address(),
            market: market_address,
            board: board_address,
            trader: *self.authority.address(),
            series: u64::from(series),
            lots: order.size,
            cost: execution.quote.cost.raw(),
            fee: execution.quote.fee.raw().unsigned_abs(),
            mid_price: execution.mid_price,
            spot: observation.spot.raw(),
            position: i64::from(execution.position),
            house_lots: execution.house_lots,
        });
        Ok(())
    }
}
