use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, MarginAccount, Market},
    effect::settlement::{self, Parties},
    event::Settled,
};

use crate::{book, instructions::announce_funding};

/// Accounts of `settle`.
#[derive(Accounts)]
pub struct Settle {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The exchange's house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// A price account of the market's feed, where the stored price is old and there is a position.
    pub oracle: Option<UncheckedAccount>,
}

impl Settle {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let now = book::now()?;
        let address = *self.market.address();
        let parties = Parties {
            exchange: &self.exchange,
            account: &mut self.account,
            market_address: &address,
            market: &mut self.market,
            quote_bank: &mut self.quote_bank,
            house: &mut self.house,
        };
        let oracle = self.oracle.as_ref();
        let settled = settlement::settle(
            parties,
            |market| match oracle {
                Some(oracle) => book::younger(market, oracle.account(), now),
                None => Ok(market.observation()),
            },
            now,
        )?;
        announce_funding(&self.account, &address, settled.funding, self.market.funding_index);
        emit!(Settled {
            account: *self.account.address(),
            market: address,
            amount: settled.amount,
            spot: settled.spot.raw(),
        });
        Ok(())
    }
}
