use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, Venue},
    config::venue_state,
    event::Filled,
    instruction::FillArgs,
};
use plimsoll_risk::units::{Base, Price, Timestamp};

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
    fn count(&mut self, args: &FillArgs, now: Timestamp) -> Result<()> {
        require!(self.venue.config.state == venue_state::ACTIVE, PlimsollError::VenueSuspended);
        let size = i64::try_from(args.size).map_err(|_| PlimsollError::Overflow)?;
        let notional = Price::from_raw(args.price).magnitude_ceil(Base::from_raw(size));
        let notional = notional.ok_or(PlimsollError::Overflow)?;
        let venue = *self.venue.address();
        self.buyer.use_venue(&venue, notional)?;
        self.seller.use_venue(&venue, notional)?;
        Ok(self.venue.count(notional, now)?)
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &FillArgs, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        self.count(args, now)?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let market_address = *self.market.address();
        let filled = matching::execute(
            Counterparties {
                exchange: &self.exchange,
                buyer: Counterparty { account: &mut self.buyer, mandate: Mandate::default() },
                seller: Counterparty { account: &mut self.seller, mandate: Mandate::default() },
                market_address: &market_address,
                market: &mut self.market,
                views: remaining,
            },
            &Deal::from(args),
            &observation,
            now,
        )?;
        emit!(Filled {
            market: market_address,
            buyer: *self.buyer.address(),
            seller: *self.seller.address(),
            venue: *self.venue.address(),
            size: args.size,
            price: args.price,
            cost: filled.quote.cost,
            fee: filled.quote.fee,
            seller_takes: u64::from(args.seller_takes != 0),
            spot: observation.spot.raw(),
            buyer_position: filled.buyer_position,
            seller_position: filled.seller_position,
        });
        Ok(())
    }
}
