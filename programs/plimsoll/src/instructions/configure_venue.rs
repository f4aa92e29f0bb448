use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Proposal, Venue},
    change::Change,
    event::Configured,
    instruction::VenueArgs,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `configure_venue`.
#[derive(Accounts)]
pub struct ConfigureVenue {
    /// The exchange's admin, or its risk admin to tighten. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The venue.
    #[account(mut, constraint(venue.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub venue: Account<Venue>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl ConfigureVenue {
    /// See the program's instruction. What the venue has filled so far stays counted.
    pub fn apply(&mut self, args: &VenueArgs) -> Result<()> {
        args.config.validate()?;
        let wanted = Wanted {
            authority: &self.authority,
            subject: self.venue.address(),
            change: &Change::Venue(args.config),
            loosens: args.config.loosens(&self.venue.config),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        self.venue.config = args.config;
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.venue.address(),
            admin: *self.authority.address(),
        });
        Ok(())
    }
}
