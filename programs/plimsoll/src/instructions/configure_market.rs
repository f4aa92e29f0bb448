use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, Market},
    event::Configured,
    instruction::ConfigureMarketArgs,
};

use crate::{book, house};

/// Accounts of `configure_market`. Behind them, where the risk budget rises: every other market of the exchange in the
/// order of their indexes, each with its price account behind it where the stored price is old.
#[derive(Accounts)]
pub struct ConfigureMarket {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
}

impl ConfigureMarket {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &ConfigureMarketArgs, remaining: &[AccountView]) -> Result<()> {
        args.config.validate()?;
        let (old, new) = (self.market.config.risk_budget, args.config.risk_budget);
        let total = self
            .house
            .risk_budget_total
            .checked_sub(old)
            .and_then(|rest| rest.checked_add(new))
            .ok_or(PlimsollError::Overflow)?;
        self.house.risk_budget_total = total;
        let now = book::now()?;
        if new > old {
            let declared = Some((self.market.address(), &*self.market));
            let value =
                house::net_asset_value(&self.exchange, &self.house, &self.quote_bank, remaining, declared, now)?;
            house::require_budgets_covered(&self.house, value)?;
        }
        self.market.configure(&args.config, now);
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.market.address(),
            admin: *self.admin.address(),
        });
        Ok(())
    }
}
