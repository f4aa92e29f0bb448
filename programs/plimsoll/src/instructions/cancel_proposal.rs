use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Proposal},
    change::{Change, RoleHolder},
    config::role,
    event::ProposalCancelled,
};

use crate::controls;

/// Accounts of `cancel_proposal`.
#[derive(Accounts)]
pub struct CancelProposal {
    /// The exchange's admin or its risk admin. Gets the rent.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The proposal.
    #[account(mut, close = authority, constraint(proposal.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub proposal: Account<Proposal>,
}

impl CancelProposal {
    /// See the program's instruction. The risk admin cannot keep the admin from replacing him.
    pub fn apply(&mut self) -> Result<()> {
        let is_admin = controls::is_admin(&self.exchange, self.authority.address())?;
        let change = Change::read(self.proposal.kind, &self.proposal.content)?;
        let is_about_him = matches!(change, Change::Role(RoleHolder { role: role::RISK_ADMIN, .. }));
        require!(is_admin || !is_about_him, PlimsollError::NotAdmin);
        emit!(ProposalCancelled {
            exchange: *self.exchange.address(),
            subject: self.proposal.subject,
            authority: *self.authority.address(),
        });
        Ok(())
    }
}
