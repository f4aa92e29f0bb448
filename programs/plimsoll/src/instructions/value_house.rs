use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House},
    effect::ledger,
};

use crate::{book, valuation::Valuation};

/// Accounts of `value_house`. Behind them: all markets of the exchange in the order of their indexes, or those that the
/// valuation under way wants next, writable, each with its price account behind it where the stored price is old, and behind that the banks, writable, that the house
/// has inventory in from swaps, by rising index.
#[derive(Accounts)]
pub struct ValueHouse {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
}

impl ValueHouse {
    /// See the program's instruction.
    pub fn apply(&mut self, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        ledger::accrue(&mut self.quote_bank, now)?;
        let (exchange, address) = (*self.exchange.address(), *self.house.address());
        let mut valuation = Valuation {
            exchange: &exchange,
            market_count: self.exchange.market_count,
            address: &address,
            house: &mut self.house,
            quote_bank: &self.quote_bank,
            views: remaining,
            now,
        };
        valuation.go_on()
    }
}
