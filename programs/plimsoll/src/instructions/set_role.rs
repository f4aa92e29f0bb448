use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Proposal},
    change::{Change, RoleHolder},
    config::role,
    event::RoleSet,
    instruction::SetRoleArgs,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `set_role`.
#[derive(Accounts)]
pub struct SetRole {
    /// The exchange's admin, or its risk admin to take a role away. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl SetRole {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &SetRoleArgs) -> Result<()> {
        let wish = RoleHolder { role: args.role, holder: args.holder };
        wish.validate()?;
        let subject = *self.exchange.address();
        let wanted = Wanted {
            authority: &self.authority,
            subject: &subject,
            change: &Change::Role(wish),
            loosens: wish.loosens(),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        let holder = match args.role {
            role::RISK_ADMIN => &mut self.exchange.risk_admin,
            role::KEEPER => &mut self.exchange.keeper,
            role::FORECASTER => &mut self.exchange.forecaster,
            _ => return Err(PlimsollError::UnknownKind.into()),
        };
        *holder = args.holder;
        emit!(RoleSet { exchange: subject, holder: args.holder, role: u64::from(args.role) });
        Ok(())
    }
}
