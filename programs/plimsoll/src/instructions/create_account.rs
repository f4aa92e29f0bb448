#![allow(unused_variables)] // Anchor's derive binds `args` in one function more than uses it.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    accounts::{Exchange, MarginAccount},
    address,
    event::{AccountChanged, account_change},
    instruction::CreateAccountArgs,
};

/// Accounts of `create_account`.
#[derive(Accounts)]
#[instruction(args: CreateAccountArgs)]
pub struct CreateAccount {
    /// Pays the rent. May be the owner: the program writes to neither, it only hands the payer to the system program,
    /// so a payer that is passed twice is harmless.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Whose account it will be. Signs, so that nobody fills another's sub-account indexes.
    pub owner: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The new margin account.
    #[account(
        init,
        payer = payer,
        seeds = [address::MARGIN, exchange.address().as_ref(), owner.address().as_ref(), &args.index.to_le_bytes()],
        bump
    )]
    pub account: Account<MarginAccount>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateAccount {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &CreateAccountArgs, bump: u8) -> Result<()> {
        let account = &mut self.account;
        account.exchange = *self.exchange.address();
        account.owner = *self.owner.address();
        account.index = args.index;
        account.bump = bump;
        account.version = 2;
        emit!(AccountChanged {
            account: *self.account.address(),
            owner: *self.owner.address(),
            delegate: Address::default(),
            kind: account_change::OPENED,
            delegate_scope: 0,
        });
        Ok(())
    }
}
