use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market, board_state},
    effect::arrays,
    event::BoardRefreshed,
    instruction::RefreshBoardArgs,
};
use plimsoll_risk::units::Ppm;

use crate::{board, book};

/// Accounts of `refresh_board`.
#[derive(Accounts)]
pub struct RefreshBoard {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
    /// A price account of the market's feed, where the stored price is old.
    pub oracle: Option<UncheckedAccount>,
}

impl RefreshBoard {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &RefreshBoardArgs) -> Result<()> {
        let now = book::now()?;
        require!(self.board.state != board_state::SETTLED, PlimsollError::BoardSettled);
        let observation = board::observed(&self.market, &self.oracle, now)?;
        let (market, board) = (&mut self.market, &mut self.board);
        let damping = Ppm::from_raw(self.exchange.config.extreme_damping_ppm);
        let progress = arrays::refresh_at(market, board, damping, &observation, now, args.max_strikes)?;
        let terms = if progress.in_force { &self.board.terms } else { &self.board.next_terms };
        emit!(BoardRefreshed {
            board: *self.board.address(),
            spot: terms.spot,
            forward: terms.forward,
            time: terms.time,
            computed: u64::from(progress.computed),
            in_force: u64::from(progress.in_force),
        });
        Ok(())
    }
}
