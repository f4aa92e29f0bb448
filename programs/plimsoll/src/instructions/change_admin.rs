use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, same_address},
    config::role,
    event::{AdminNominated, RoleSet},
    instruction::NominateAdminArgs,
};

use crate::{book, controls};

/// Accounts of `nominate_admin` and `accept_admin`.
#[derive(Accounts)]
pub struct ChangeAdmin {
    /// The exchange's admin, or its risk admin to take a nomination back; to accept, the nominee.
    pub authority: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

impl ChangeAdmin {
    /// `nominate_admin`.
    pub fn nominate(&mut self, args: &NominateAdminArgs) -> Result<()> {
        let is_admin = controls::is_admin(&self.exchange, self.authority.address())?;
        let takes_back = same_address(&args.nominee, &Address::default());
        require!(is_admin || takes_back, PlimsollError::OnlyTightening);
        let ready_at = controls::ready_at(&self.exchange, book::now()?)?;
        self.exchange.pending_admin = args.nominee;
        self.exchange.pending_admin_ready_at = ready_at;
        emit!(AdminNominated { exchange: *self.exchange.address(), nominee: args.nominee, ready_at });
        Ok(())
    }

    /// `accept_admin`.
    pub fn accept(&mut self) -> Result<()> {
        let nominee = self.exchange.pending_admin;
        let is_nominee = same_address(self.authority.address(), &nominee);
        require!(is_nominee && !same_address(&nominee, &Address::default()), PlimsollError::NotNominee);
        require!(book::now()?.raw() >= self.exchange.pending_admin_ready_at, PlimsollError::TimelockRunning);
        self.exchange.admin = nominee;
        self.exchange.pending_admin = Address::default();
        self.exchange.pending_admin_ready_at = 0;
        emit!(RoleSet { exchange: *self.exchange.address(), holder: nominee, role: u64::from(role::ADMIN) });
        Ok(())
    }
}
