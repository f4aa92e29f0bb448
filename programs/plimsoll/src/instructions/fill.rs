use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market},
    instruction::FillArgs,
};

use crate::{
    book,
    matching::{self, Counterparties, Counterparty, Deal, Mandate},
};

/// Accounts of `fill`. Behind them what the instrument is kept in, writable: of an option its board; of spot the bank, the
/// quote bank and the house. Then every other market that either margin account uses, each with its price account behind it
/// where the stored price is old, and every other bank and board that either uses.
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
        let parties = Counterparties {
            exchange: &self.exchange,
            buyer: Counterparty::new(&mut self.buyer, buyer),
            seller: Counterparty::new(&mut self.seller, seller),
            venue: Address::default(),
            market_address: &market_address,
            market: &mut self.market,
            views: remaining,
        };
        matching::execute(parties, &Deal::from(args), &observation, now)
    }
}
