use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange},
    event::Configured,
    instruction::ConfigureBankArgs,
};

use crate::{book, ledger};

/// Accounts of `configure_bank`.
#[derive(Accounts)]
pub struct ConfigureBank {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
}

impl ConfigureBank {
    /// See the program's instruction. Interest up to now is accrued at the old rates.
    pub fn apply(&mut self, args: &ConfigureBankArgs) -> Result<()> {
        args.config.validate()?;
        if self.bank.is_quote == 1 {
            args.config.validate_quote()?;
        }
        if self.bank.is_house_share == 1 {
            args.config.validate_house_share()?;
        }
        ledger::accrue(&mut self.bank, book::now()?)?;
        self.bank.config = args.config;
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.bank.address(),
            admin: *self.admin.address(),
        });
        Ok(())
    }
}
