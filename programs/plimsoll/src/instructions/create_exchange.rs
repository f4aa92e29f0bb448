#![allow(unused_variables)] // Anchor's derive binds `args` in one function more than uses it.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError, accounts::Exchange, address, config::limits, event::Configured, instruction::CreateExchangeArgs,
};

use crate::token;

/// Accounts of `create_exchange`.
#[derive(Accounts)]
#[instruction(args: CreateExchangeArgs)]
pub struct CreateExchange {
    /// Pays, and becomes the admin.
    #[account(mut)]
    pub creator: Signer,
    /// The new exchange.
    #[account(init, payer = creator, seeds = [address::EXCHANGE, creator.address().as_ref(), &args.index.to_le_bytes()], bump)]
    pub exchange: Account<Exchange>,
    /// The mint that will count as 1 USD.
    pub quote_mint: UncheckedAccount,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateExchange {
    fn validate(&self, args: &CreateExchangeArgs) -> Result<()> {
        let mint = token::read_mint(self.quote_mint.account())?;
        mint.require_quote()?;
        require!(mint.decimals == limits::QUOTE_DECIMALS, PlimsollError::UnsupportedDecimals);
        Ok(args.config.validate()?)
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &CreateExchangeArgs, bump: u8) -> Result<()> {
        self.validate(args)?;
        let exchange = &mut self.exchange;
        exchange.config = args.config;
        exchange.admin = *self.creator.address();
        exchange.creator = *self.creator.address();
        exchange.risk_admin = *self.creator.address();
        exchange.keeper = *self.creator.address();
        exchange.forecaster = *self.creator.address();
        exchange.quote_mint = *self.quote_mint.address();
        exchange.index = args.index;
        exchange.bump = bump;
        exchange.version = 1;
        let address = *self.exchange.address();
        emit!(Configured { exchange: address, subject: address, admin: *self.creator.address() });
        Ok(())
    }
}
