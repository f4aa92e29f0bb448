use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::MarginAccount,
    event::{AccountChanged, account_change},
    instruction::SetDelegateArgs,
};

/// Accounts of `set_delegate`.
#[derive(Accounts)]
pub struct SetDelegate {
    /// The margin account's owner.
    #[account(address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The margin account.
    #[account(mut)]
    pub account: Account<MarginAccount>,
}

impl SetDelegate {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &SetDelegateArgs) -> Result<()> {
        self.account.delegate = args.delegate;
        self.account.touch();
        emit!(AccountChanged {
            account: *self.account.address(),
            owner: *self.owner.address(),
            delegate: args.delegate,
            kind: account_change::DELEGATE_SET,
        });
        Ok(())
    }
}
