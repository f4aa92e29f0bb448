use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market},
    config::pause,
    event::PositionWoundDown,
};

use crate::{book, instructions::announce_funding, trading};

/// Accounts of `wind_down_position`.
#[derive(Accounts)]
pub struct WindDownPosition {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market that winds down.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// A price account of its feed.
    pub oracle: UncheckedAccount,
}

impl WindDownPosition {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::TRADE), PlimsollError::Paused);
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let address = *self.market.address();
        let closed = trading::close_at_spot(&mut self.account, &address, &mut self.market, &observation, now)?;
        self.account.touch();
        announce_funding(&self.account, &address, closed.funding, self.market.funding_index);
        emit!(PositionWoundDown {
            account: *self.account.address(),
            market: address,
            size: closed.size,
            value: closed.value,
            spot: observation.spot.raw(),
        });
        Ok(())
    }
}
