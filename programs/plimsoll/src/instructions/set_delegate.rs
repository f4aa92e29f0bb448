use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{MarginAccount, delegate_scope},
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
        require!(args.scope <= delegate_scope::LAST, PlimsollError::InvalidScope);
        self.account.require_not_deferred()?;
        self.account.delegate = args.delegate;
        self.account.delegate_scope = args.scope;
        self.account.touch();
        emit!(AccountChanged {
            account: *self.account.address(),
            owner: *self.owner.address(),
            delegate: args.delegate,
            kind: account_change::DELEGATE_SET,
            delegate_scope: u64::from(args.scope),
        });
        Ok(())
    }
}
