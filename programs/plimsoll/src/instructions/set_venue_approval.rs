use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{MarginAccount, Venue},
    event::VenueApproved,
    instruction::SetVenueApprovalArgs,
};

/// Accounts of `set_venue_approval`.
#[derive(Accounts)]
pub struct SetVenueApproval {
    /// The margin account's owner.
    #[account(address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The margin account.
    #[account(mut)]
    pub account: Account<MarginAccount>,
    /// The venue.
    #[account(constraint(venue.exchange == account.exchange @ PlimsollError::WrongExchange))]
    pub venue: Account<Venue>,
}

impl SetVenueApproval {
    /// See the program's instruction. A withdrawal counts from the next instruction on, whatever state the venue is in.
    pub fn apply(&mut self, args: &SetVenueApprovalArgs) -> Result<()> {
        self.account.require_not_deferred()?;
        let venue = *self.venue.address();
        self.account.approve_venue(&venue, args.limit)?;
        self.account.touch();
        emit!(VenueApproved { account: *self.account.address(), venue, limit: args.limit });
        Ok(())
    }
}
