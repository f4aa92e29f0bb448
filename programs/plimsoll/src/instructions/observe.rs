use anchor_lang::prelude::*;
use plimsoll_interface::{accounts::Market, event::Observed};

use crate::book;

/// Accounts of `observe`.
#[derive(Accounts)]
pub struct Observe {
    /// The market.
    #[account(mut)]
    pub market: Account<Market>,
    /// A price account of its feed.
    pub oracle: UncheckedAccount,
}

impl Observe {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        self.market.record(&observation, now)?;
        emit!(Observed {
            market: *self.market.address(),
            spot: self.market.spot,
            ema: self.market.ema,
            confidence: self.market.confidence,
            publish_time: self.market.publish_time,
        });
        Ok(())
    }
}
