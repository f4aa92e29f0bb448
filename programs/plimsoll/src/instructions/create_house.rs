use anchor_lang::prelude::*;
use anchor_spl::{
    mint::{self, Mint},
    token::{self, Token, TokenAccount},
};
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
    /// The new mint of its shares, with six decimals. Nobody can freeze them.
    #[account(
        init,
        payer = admin,
        seeds = [address::SHARES, house.address().as_ref()],
        bump,
        mint::decimals = 6,
        mint::authority = exchange
    )]
    pub share_mint: Account<Mint>,
    /// The new token account of shares in tickets.
    #[account(
        init,
        payer = admin,
        seeds = [address::ESCROW, house.address().as_ref()],
        bump,
        token::mint = share_mint,
        token::authority = exchange
    )]
    pub escrow: Account<TokenAccount>,
    /// The shares' token program.
    pub token_program: Program<Token>,
    /// Makes the accounts.
    pub system_program: Program<System>,
}

impl CreateHouse {
    /// See the program's instruction.
    pub fn apply(&mut self, bump: u8) -> Result<()> {
        let exchange = *self.exchange.address();
        let house = &mut self.house;
        house.exchange = exchange;
        house.share_mint = *self.share_mint.address();
        house.escrow = *self.escrow.address();
        house.bump = bump;
        house.version = 1;
        emit!(Configured { exchange, subject: *self.house.address(), admin: *self.admin.address() });
        Ok(())
    }
}
