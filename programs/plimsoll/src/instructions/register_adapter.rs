use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange},
    address,
    event::Configured,
    instruction::AdapterArgs,
};

/// Accounts of `register_adapter`.
#[derive(Accounts)]
pub struct RegisterAdapter {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank of the tokens.
    #[account(constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The program that keeps them.
    #[account(constraint(program.account().executable() @ PlimsollError::NotAProgram))]
    pub program: UncheckedAccount,
    /// The new adapter.
    #[account(
        init,
        payer = admin,
        seeds = [address::ADAPTER, bank.address().as_ref(), program.address().as_ref()],
        bump
    )]
    pub adapter: Account<Adapter>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl RegisterAdapter {
    /// See the program's instruction. What is new carries nothing, so nobody needs to be told before.
    pub fn apply(&mut self, args: &AdapterArgs, bump: u8) -> Result<()> {
        args.config.validate()?;
        require!(args.config.cap == 0, PlimsollError::NewAdapterHasCap);
        let exchange = *self.exchange.address();
        let address = *self.adapter.address();
        let (authority, authority_bump) =
            Address::find_program_address(&[address::LIEN_AUTHORITY, address.as_ref()], &crate::ID);
        let adapter = &mut self.adapter;
        adapter.config = args.config;
        adapter.exchange = exchange;
        adapter.bank = *self.bank.address();
        adapter.mint = self.bank.mint;
        adapter.program = *self.program.address();
        adapter.authority = authority;
        adapter.bump = bump;
        adapter.authority_bump = authority_bump;
        adapter.version = 1;
        emit!(Configured { exchange, subject: address, admin: *self.admin.address() });
        Ok(())
    }
}
