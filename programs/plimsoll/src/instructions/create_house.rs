use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, House},
    address,
    event::Configured,
};

/// Accounts of `create_house`.
#[derive(Accounts)]
pub struct CreateHouse {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The new house.
    #[account(init, payer = admin, seeds = [address::HOUSE, exchange.address().as_ref()], bump)]
    pub house: Account<House>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateHouse {
    /// See the program's instruction.
    pub fn apply(&mut self, bump: u8) -> Result<()> {
        let exchange = *self.exchange.address();
        let house = &mut self.house;
        house.exchange = exchange;
        house.bump = bump;
        house.version = 1;
        emit!(Configured { exchange, subject: *self.house.address(), admin: *self.admin.address() });
        Ok(())
    }
}
