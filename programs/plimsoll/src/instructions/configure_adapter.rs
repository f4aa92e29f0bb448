use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Exchange, Proposal},
    change::Change,
    event::Configured,
    instruction::AdapterArgs,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `configure_adapter`.
#[derive(Accounts)]
pub struct ConfigureAdapter {
    /// The exchange's admin, or its risk admin to tighten. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The adapter.
    #[account(mut, constraint(adapter.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub adapter: Account<Adapter>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl ConfigureAdapter {
    /// See the program's instruction. What liens count for already stays until each is updated.
    pub fn apply(&mut self, args: &AdapterArgs) -> Result<()> {
        args.config.validate()?;
        let wanted = Wanted {
            authority: &self.authority,
            subject: self.adapter.address(),
            change: &Change::Adapter(args.config),
            loosens: args.config.loosens(&self.adapter.config),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        self.adapter.config = args.config;
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.adapter.address(),
            admin: *self.authority.address(),
        });
        Ok(())
    }
}
