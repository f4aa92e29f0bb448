use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market, board_state},
    effect::{arrays, inventory},
    event::BoardRefreshed,
    instruction::RefreshBoardArgs,
};
use plimsoll_risk::{price::Freshness, units::Ppm};

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
    ///
    /// A wide price is as good as any: margin marks at it, so the arrays must follow it there, or accounts with options
    /// could neither be reduced nor liquidated until it narrows; its doubt is charged on the exposure. Neither has a feed
    /// that is dead another price to offer: liquidations take its last one at its word, and so do the arrays.
    pub fn apply(&mut self, args: &RefreshBoardArgs) -> Result<()> {
        let now = book::now()?;
        require!(self.board.state != board_state::SETTLED, PlimsollError::BoardSettled);
        let observation = board::observed(&self.market, &self.oracle, now)?;
        let age = inventory::market_freshness(&self.market, &observation, now);
        require!(age != Freshness::Stale, PlimsollError::OracleStale);
        self.market.record(&observation, now)?;
        let progress = arrays::refresh(&self.market, &mut self.board, observation.spot, now, args.max_strikes)?;
        if progress.in_force {
            let damping = Ppm::from_raw(self.exchange.config.extreme_damping_ppm);
            arrays::revalue_house(&mut self.market, &mut self.board, damping, observation.spot, now)?;
        }
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
