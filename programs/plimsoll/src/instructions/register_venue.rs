use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Venue},
    address,
    event::Configured,
    instruction::VenueArgs,
};

/// Accounts of `register_venue`.
#[derive(Accounts)]
pub struct RegisterVenue {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The venue's program.
    #[account(constraint(program.account().executable() @ PlimsollError::NotAProgram))]
    pub program: UncheckedAccount,
    /// The new venue.
    #[account(
        init,
        payer = admin,
        seeds = [address::VENUE, exchange.address().as_ref(), program.address().as_ref()],
        bump
    )]
    pub venue: Account<Venue>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl RegisterVenue {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &VenueArgs, bump: u8) -> Result<()> {
        args.config.validate()?;
        let exchange = *self.exchange.address();
        let program = *self.program.address();
        let venue = &mut self.venue;
        venue.config = args.config;
        venue.exchange = exchange;
        venue.program = program;
        venue.signer = Address::find_program_address(&[address::VENUE_SIGNER], &program).0;
        venue.bump = bump;
        venue.version = 1;
        emit!(Configured { exchange, subject: *venue.address(), admin: *self.admin.address() });
        Ok(())
    }
}
