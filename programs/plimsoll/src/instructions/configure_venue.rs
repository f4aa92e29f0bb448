use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Venue},
    event::Configured,
    instruction::VenueArgs,
};

/// Accounts of `configure_venue`.
#[derive(Accounts)]
pub struct ConfigureVenue {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The venue.
    #[account(mut, constraint(venue.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub venue: Account<Venue>,
}

impl ConfigureVenue {
    /// See the program's instruction. What the venue has filled so far stays counted.
    pub fn apply(&mut self, args: &VenueArgs) -> Result<()> {
        args.config.validate()?;
        self.venue.config = args.config;
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.venue.address(),
            admin: *self.admin.address(),
        });
        Ok(())
    }
}
