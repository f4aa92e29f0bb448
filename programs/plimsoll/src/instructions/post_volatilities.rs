use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market},
    board::{VolatilityBand, may_move},
    config::limits,
    event::VolatilitiesPosted,
    instruction::PostVolatilitiesArgs,
};
use plimsoll_risk::units::{Timestamp, Volatility};

use crate::{board, book};

/// Accounts of `post_volatilities`.
#[derive(Accounts)]
pub struct PostVolatilities {
    /// The exchange's keeper or admin.
    pub authority: Signer,
    /// The exchange.
    #[account(constraint(board::is_keeper(&exchange, authority.address()) @ PlimsollError::NotKeeper))]
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
}

impl PostVolatilities {
    fn validate(&self, args: &PostVolatilitiesArgs, now: Timestamp) -> Result<()> {
        let board = &self.board;
        board::require_open(board, now)?;
        let since = now.raw().checked_sub(board.posted_at).ok_or(PlimsollError::Overflow)?;
        require!(since >= limits::POST_SECONDS_MIN, PlimsollError::PostTooFast);
        require!(args.basis_ppm.unsigned_abs() <= limits::BASIS_PPM_MAX, PlimsollError::VolatilityOutOfBounds);
        let step = args.basis_ppm.abs_diff(board.basis_ppm);
        require!(step <= limits::POST_BASIS_STEP_PPM_MAX, PlimsollError::PostTooFast);
        let band = VolatilityBand::of(&self.market, now);
        let slots = board.strikes.iter().zip(&board.volatilities_ppm).zip(&args.volatilities_ppm);
        for ((_, last), posted) in slots.filter(|((strike, _), _)| **strike != 0) {
            let (last, posted) = (Volatility::from_raw(*last), Volatility::from_raw(*posted));
            require!(band.contains(posted), PlimsollError::VolatilityOutOfBounds);
            // From where a refresh would put the last one: what the band itself has moved is no step of the keeper's.
            require!(may_move(band.clamp(last), posted), PlimsollError::PostTooFast);
        }
        Ok(())
    }

    /// See the program's instruction. What is under way of a refresh begins anew: its volatilities are others now.
    pub fn apply(&mut self, args: &PostVolatilitiesArgs) -> Result<()> {
        let now = book::now()?;
        self.validate(args, now)?;
        let board = &mut *self.board;
        let slots = board.strikes.iter().zip(&mut board.volatilities_ppm).zip(&args.volatilities_ppm);
        for ((_, volatility), posted) in slots.filter(|((strike, _), _)| **strike != 0) {
            *volatility = *posted;
        }
        board.basis_ppm = args.basis_ppm;
        board.posted_at = now.raw();
        board.next_refreshed = 0;
        emit!(VolatilitiesPosted {
            board: *self.board.address(),
            authority: *self.authority.address(),
            volatilities_ppm: self.board.volatilities_ppm,
            basis_ppm: i64::from(args.basis_ppm),
        });
        Ok(())
    }
}
