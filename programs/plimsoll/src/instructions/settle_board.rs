use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market, board_state},
    effect::arrays,
    event::BoardSettled,
};
use plimsoll_risk::units::{Ppm, Price};

use crate::book;

/// Accounts of `settle_board`.
#[derive(Accounts)]
pub struct SettleBoard {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
}

impl SettleBoard {
    /// See the program's instruction. A board that has not got a single sample in a day is settled at the market's last
    /// moving average: an average it is, too, and no one print moves it far.
    pub fn apply(&mut self) -> Result<()> {
        let now = book::now()?;
        let board = &mut *self.board;
        require!(board.state != board_state::SETTLED, PlimsollError::BoardSettled);
        require!(board.may_settle(now), PlimsollError::SettlementPending);
        let price = board.sampled_price().unwrap_or(Price::from_raw(self.market.ema));
        require!(price.raw() != 0, PlimsollError::OracleNeverObserved);
        board.settlement_price = price.raw();
        board.state = board_state::SETTLED;
        let damping = Ppm::from_raw(self.exchange.config.extreme_damping_ppm);
        arrays::revalue_house(&mut self.market, board, damping, price, now)?;
        let entry = self.market.house_boards.get(usize::from(board.slot)).ok_or(PlimsollError::Corrupt)?;
        emit!(BoardSettled {
            board: *self.board.address(),
            settlement_price: price.raw(),
            samples: self.board.sample_count,
            house_value: entry.value,
        });
        Ok(())
    }
}
