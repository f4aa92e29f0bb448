use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, Proposal},
    change::Change,
    config::state,
    effect::ledger,
    event::Configured,
    instruction::ConfigureBankArgs,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `configure_bank`.
#[derive(Accounts)]
pub struct ConfigureBank {
    /// The exchange's admin, or its risk admin to tighten. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
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
        require!(self.bank.config.state != state::RETIRED, PlimsollError::Retired);
        let now = book::now()?;
        let wanted = Wanted {
            authority: &self.authority,
            subject: self.bank.address(),
            change: &Change::Bank(args.config),
            loosens: args.config.loosens(&self.bank.config),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, now)?;
        ledger::accrue(&mut self.bank, now)?;
        self.bank.config = args.config;
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.bank.address(),
            admin: *self.authority.address(),
        });
        Ok(())
    }
}
