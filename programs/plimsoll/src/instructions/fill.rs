use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market},
    event::Filled,
    instruction::FillArgs,
};

use crate::{
    book,
    matching::{self, Counterparties, Counterparty, Deal, Mandate},
};

/// Accounts of `fill`. Behind them: every other market that either margin account uses, each with its price account behind
/// it where the stored price is old, and every bank that either uses.
#[derive(Accounts)]
pub struct Fill {
    /// Owner or delegate of the buyer's margin account.
    pub buyer_authority: Signer,
    /// Owner or delegate of the seller's margin account.
    pub seller_authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
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

impl Fill {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &FillArgs, remaining: &[AccountView]) -> Result<()> {
        let buyer = Mandate::of(&self.buyer, self.buyer_authority.address())?;
        let seller = Mandate::of(&self.seller, self.seller_authority.address())?;
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let market_address = *self.market.address();
        let filled = matching::execute(
            Counterparties {
                exchange: &self.exchange,
                buyer: Counterparty { account: &mut self.buyer, mandate: buyer },
                seller: Counterparty { account: &mut self.seller, mandate: seller },
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
            venue: Address::default(),
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
