use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{MarginAccount, Orders},
    event::OrdersCancelled,
    instruction::CancelOrdersArgs,
};

/// Accounts of `cancel_orders`.
#[derive(Accounts)]
pub struct CancelOrders {
    /// Owner or delegate of the margin account.
    pub authority: Signer,
    /// The margin account.
    #[account(constraint(account.may_reduce(authority.address()) @ PlimsollError::NotOwnerOrDelegate))]
    pub account: Account<MarginAccount>,
    /// What its signed orders have filled.
    #[account(mut, constraint(orders.account == *account.address() @ PlimsollError::WrongOrders))]
    pub orders: Account<Orders>,
}

impl CancelOrders {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &CancelOrdersArgs) -> Result<()> {
        require!(args.floor > self.orders.floor, PlimsollError::FloorNotRaised);
        self.orders.floor = args.floor;
        emit!(OrdersCancelled {
            account: *self.account.address(),
            authority: *self.authority.address(),
            floor: args.floor,
        });
        Ok(())
    }
}
