#![allow(unused_variables)] // Anchor's derive binds more than it uses.

use anchor_lang::prelude::*;
use plimsoll_interface::{ID, PlimsollError, event::AccountUpgraded, upgrade::Step};

/// Accounts of `upgrade_account`.
#[derive(Accounts)]
pub struct UpgradeAccount {
    /// Pays the rent of what the account grows by.
    #[account(mut)]
    pub payer: Signer,
    /// The account of an earlier layout: no type of this version reads it, so `validate` does.
    #[account(mut)]
    pub account: UncheckedAccount,
    /// Moves the rent.
    pub system_program: Program<System>,
}

impl UpgradeAccount {
    /// The account is the program's, and its bytes say from which layout it comes.
    fn validate(&self) -> Result<&'static Step> {
        let view = self.account.account();
        require!(view.owned_by(&ID), PlimsollError::LayoutUnknown);
        Ok(Step::of(&view.try_borrow()?)?)
    }

    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let step = self.validate()?;
        let mut view = *self.account.account();
        anchor_lang::realloc_account(&mut view, step.to_space, self.payer.account(), true)?;
        step.apply(&mut view.try_borrow_mut()?)?;
        emit!(AccountUpgraded {
            account: *view.address(),
            payer: *self.payer.address(),
            from_version: u64::from(step.from_version),
        });
        Ok(())
    }
}
