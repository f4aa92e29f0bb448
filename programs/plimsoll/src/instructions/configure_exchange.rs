use anchor_lang::prelude::*;
use plimsoll_interface::{
    accounts::{Exchange, Proposal},
    change::Change,
    config::ExchangeConfig,
    event::Configured,
    instruction::ConfigureExchangeArgs,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `configure_exchange`.
#[derive(Accounts)]
pub struct ConfigureExchange {
    /// The exchange's admin, or its risk admin to tighten. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl ConfigureExchange {
    /// See the program's instruction. What is paused stays as it is: a change that was announced before a pause must not
    /// end it.
    pub fn apply(&mut self, args: &ConfigureExchangeArgs) -> Result<()> {
        args.config.validate()?;
        let subject = *self.exchange.address();
        let wanted = Wanted {
            authority: &self.authority,
            subject: &subject,
            change: &Change::Exchange(args.config),
            loosens: args.config.loosens(&self.exchange.config),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        self.exchange.config = ExchangeConfig { pauses: self.exchange.config.pauses, ..args.config };
        emit!(Configured { exchange: subject, subject, admin: *self.authority.address() });
        Ok(())
    }
}
