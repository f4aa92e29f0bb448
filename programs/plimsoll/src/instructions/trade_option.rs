use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, MarginAccount, Market},
    effect::{
        option_trading::OptionParties,
        trading::{Order, Parties},
    },
    event::OptionTraded,
    instruction::{CloseOptionArgs, OpenOptionArgs},
};

use crate::{book, option_trading};

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
        self.execute(&Order::opening_option(args, reduces), args.series, remaining)
    }

    /// `close_option`.
    pub fn close(&mut self, args: &CloseOptionArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate()?;
        let order = Order::closing_option(&self.account, self.board.address(), args)?;
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
        };
        let trade = OptionParties { parties, board_address: &board_address, board: &mut self.board, series };
        let execution = option_trading::execute(trade, remaining, order, &observation, now)?;
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
