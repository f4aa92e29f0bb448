use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market},
    effect::arrays,
    event::{BoardChanged, board_change},
};
use plimsoll_risk::units::{Ppm, Price};

use crate::{board, book};

/// Accounts of `close_board`.
#[derive(Accounts)]
pub struct CloseBoard {
    /// The exchange's keeper or admin, who gets the rent.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    #[account(constraint(board::is_keeper(&exchange, authority.address()) @ PlimsollError::NotKeeper))]
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board.
    #[account(mut, close = authority, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
}

impl CloseBoard {
    /// See the program's instruction. Without open options no account names the board any more, so its address may be a new
    /// board's. Not for anyone: a board that has not traded yet would be closed under its keeper's hands.
    pub fn apply(&mut self) -> Result<()> {
        require!(self.board.is_empty(), PlimsollError::BoardNotEmpty);
        let board = &mut *self.board;
        // Without lots it takes out what the board had in the market, whatever the price.
        arrays::revalue_house(&mut self.market, board, Ppm::ZERO, Price::ZERO, book::now()?)?;
        let market = &mut self.market;
        market.boards &= !(1u8.checked_shl(u32::from(board.slot)).ok_or(PlimsollError::Corrupt)?);
        *market.board_expiries.get_mut(usize::from(board.slot)).ok_or(PlimsollError::Corrupt)? = 0;
        let (expiry, lot) = (board.expiry, board.lot);
        emit!(BoardChanged {
            market: *self.market.address(),
            board: *self.board.address(),
            authority: *self.authority.address(),
            expiry,
            lot,
            kind: board_change::CLOSED,
        });
        Ok(())
    }
}
