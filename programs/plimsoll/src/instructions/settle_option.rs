use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, MarginAccount, Market},
    effect::settlement,
    event::OptionsSettled,
};

use crate::book;

/// Accounts of `settle_option`.
#[derive(Accounts)]
pub struct SettleOption {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board, settled.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
}

impl SettleOption {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let address = *self.board.address();
        let board = (&address, &mut *self.board);
        let paid = settlement::settle_option(&self.exchange, &mut self.account, &mut self.market, board, book::now()?)?;
        emit!(OptionsSettled {
            account: *self.account.address(),
            market: *self.market.address(),
            board: address,
            amount: paid.amount,
            settlement_price: self.board.settlement_price,
            series: paid.series as u64,
        });
        Ok(())
    }
}
