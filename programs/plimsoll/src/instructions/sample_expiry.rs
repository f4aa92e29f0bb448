use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Market, board_state},
    effect::inventory,
    event::ExpirySampled,
};
use plimsoll_risk::{
    price::{Freshness, Width, check_limits},
    units::Ppm,
};

use crate::book;

/// Accounts of `sample_expiry`.
#[derive(Accounts)]
pub struct SampleExpiry {
    /// The market.
    pub market: Account<Market>,
    /// The board.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
    /// A price account of the market's feed.
    pub oracle: UncheckedAccount,
}

impl SampleExpiry {
    /// See the program's instruction. The print must be fresh, so that nobody picks with hindsight among more than the last
    /// `max_age_seconds`, and narrow, so that none is further off than the market's limits allow.
    pub fn apply(&mut self) -> Result<()> {
        require!(self.board.state != board_state::SETTLED, PlimsollError::BoardSettled);
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let part = self.board.wanting(observation.publish_time.raw()).ok_or(PlimsollError::SampleRefused)?;
        let fresh = inventory::market_freshness(&self.market, &observation, now) == Freshness::Fresh;
        require!(fresh, PlimsollError::OracleStale);
        let config = &self.market.config;
        let (confidence, gap) = (Ppm::from_raw(config.max_confidence_ppm), Ppm::from_raw(config.max_ema_gap_ppm));
        let narrow = check_limits(&observation, confidence, gap) == Width::Normal;
        require!(narrow, PlimsollError::OracleTooWide);
        self.board.add_sample(part, observation.spot)?;
        emit!(ExpirySampled {
            board: *self.board.address(),
            price: observation.spot.raw(),
            publish_time: observation.publish_time.raw(),
            count: self.board.sample_count,
        });
        Ok(())
    }
}
