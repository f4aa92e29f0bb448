use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::MarginAccount,
    event::{AccountChanged, account_change},
};

/// Accounts of `close_account`.
#[derive(Accounts)]
pub struct CloseAccount {
    /// The margin account's owner, who gets the rent.
    #[account(mut, address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The margin account.
    #[account(mut, close = owner)]
    pub account: Account<MarginAccount>,
}

impl CloseAccount {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        self.account.require_not_deferred()?;
        require!(self.account.is_empty(), PlimsollError::AccountNotEmpty);
        emit!(AccountChanged {
            account: *self.account.address(),
            owner: *self.owner.address(),
            delegate: self.account.delegate,
            kind: account_change::CLOSED,
            delegate_scope: u64::from(self.account.delegate_scope),
        });
        Ok(())
    }
}
