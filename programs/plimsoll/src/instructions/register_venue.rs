use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Venue},
    address,
    config::venue_state,
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
    /// See the program's instruction. Where there is a timelock a new venue fills nothing before a proposal to make it active
    /// has waited it out.
    pub fn apply(&mut self, args: &VenueArgs, bump: u8) -> Result<()> {
        args.config.validate()?;
        let may_start = self.exchange.config.timelock_seconds == 0 || args.config.state == venue_state::SUSPENDED;
        require!(may_start, PlimsollError::VenueNotSuspended);
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
