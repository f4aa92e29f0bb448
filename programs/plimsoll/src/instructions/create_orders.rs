use anchor_lang::prelude::*;
use plimsoll_interface::{
    accounts::{MarginAccount, Orders},
    address,
    event::OrdersCancelled,
};

/// Accounts of `create_orders`.
#[derive(Accounts)]
pub struct CreateOrders {
    /// Pays the rent: anyone, since nobody gets it back.
    #[account(mut)]
    pub payer: Signer,
    /// The margin account.
    pub account: Account<MarginAccount>,
    /// What its signed orders have filled.
    #[account(init, payer = payer, seeds = [address::ORDERS, account.address().as_ref()], bump)]
    pub orders: Account<Orders>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateOrders {
    /// See the program's instruction.
    pub fn apply(&mut self, bump: u8) -> Result<()> {
        let account = *self.account.address();
        self.orders.account = account;
        self.orders.bump = bump;
        self.orders.version = 1;
        emit!(OrdersCancelled { account, authority: *self.payer.address(), floor: 0 });
        Ok(())
    }
}
