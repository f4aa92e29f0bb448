use anchor_lang::prelude::*;
use plimsoll_interface::{PlimsollError, accounts::Exchange, event::Configured, instruction::ConfigureExchangeArgs};

/// Accounts of `configure_exchange`.
#[derive(Accounts)]
pub struct ConfigureExchange {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

impl ConfigureExchange {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &ConfigureExchangeArgs) -> Result<()> {
        args.config.validate()?;
        self.exchange.config = args.config;
        let address = *self.exchange.address();
        emit!(Configured { exchange: address, subject: address, admin: *self.admin.address() });
        Ok(())
    }
}
