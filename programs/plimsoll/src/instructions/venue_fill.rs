use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, Venue},
    config::venue_state,
    instruction::FillArgs,
};
use plimsoll_risk::units::Timestamp;

use crate::{
    book,
    matching::{self, Counterparties, Counterparty, Deal, Mandate},
};

/// Accounts of `venue_fill`. Behind them: as in `fill`.
#[derive(Accounts)]
pub struct VenueFill {
    /// The venue program's address of the seed `plimsoll-venue`.
    #[account(address = venue.signer @ PlimsollError::NotVenueSigner)]
    pub venue_signer: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The venue.
    #[account(mut, constraint(venue.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub venue: Account<Venue>,
    /// The margin account that buys.
    #[account(mut, constraint(buyer.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub buyer: Account<MarginAccount>,
    /// The margin account that sells.
    #[account(mut, constraint(seller.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub seller: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// A price account of its feed.
    pub oracle: UncheckedAccount,
}

impl VenueFill {
    /// Counts the notional against the venue's limits and what each account allows it.
    fn count(&mut self, notional: u64, now: Timestamp) -> Result<()> {
        require!(self.venue.config.state == venue_state::ACTIVE, PlimsollError::VenueSuspended);
        let venue = *self.venue.address();
        self.buyer.use_venue(&venue, notional)?;
        self.seller.use_venue(&venue, notional)?;
        Ok(self.venue.count(notional, now)?)
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &FillArgs, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let deal = Deal::from(args);
        self.count(deal.notional(observation.spot, remaining)?, now)?;
        let market_address = *self.market.address();
        let parties = Counterparties {
            exchange: &self.exchange,
            buyer: Counterparty::new(&mut self.buyer, Mandate::default()),
            seller: Counterparty::new(&mut self.seller, Mandate::default()),
            venue: *self.venue.address(),
            market_address: &market_address,
            market: &mut self.market,
            views: remaining,
        };
        matching::execute(parties, &deal, &observation, now)
    }
}
