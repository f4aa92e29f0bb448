use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Proposal},
    change::{Change, QuoteFeed},
    event::{Configured, QuoteObserved},
    instruction::SetQuoteFeedArgs,
    oracle,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Accounts of `set_quote_feed`.
#[derive(Accounts)]
pub struct SetQuoteFeed {
    /// The exchange's admin. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl SetQuoteFeed {
    /// See the program's instruction. What the old feed said is forgotten, so no change of feed tightens.
    pub fn apply(&mut self, args: &SetQuoteFeedArgs) -> Result<()> {
        let feed = QuoteFeed { oracle_kind: args.oracle_kind, feed_id: args.feed_id, oracle_owner: args.oracle_owner };
        feed.validate()?;
        let subject = *self.exchange.address();
        let change = &Change::QuoteFeed(feed);
        let wanted = Wanted { authority: &self.authority, subject: &subject, change, loosens: true };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        let exchange = &mut self.exchange;
        exchange.quote_oracle_kind = feed.oracle_kind;
        exchange.quote_feed_id = feed.feed_id;
        exchange.quote_oracle_owner = feed.oracle_owner;
        exchange.quote_price_ppm = 0;
        exchange.quote_publish_time = 0;
        emit!(Configured { exchange: subject, subject, admin: *self.authority.address() });
        Ok(())
    }
}

/// Accounts of `observe_quote`.
#[derive(Accounts)]
pub struct ObserveQuote {
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// A price account of its quote's feed.
    pub oracle: UncheckedAccount,
}

impl ObserveQuote {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let now = book::now()?;
        let view = self.oracle.account();
        let data = view.try_borrow()?;
        let (price_ppm, published) = oracle::read_quote(&self.exchange, view.address(), view.owner(), &data, now)?;
        require!(published.raw() >= self.exchange.quote_publish_time, PlimsollError::OracleOlderThanObservation);
        self.exchange.quote_price_ppm = price_ppm;
        self.exchange.quote_publish_time = published.raw();
        emit!(QuoteObserved {
            exchange: *self.exchange.address(),
            price_ppm: u64::from(price_ppm),
            publish_time: published.raw(),
        });
        Ok(())
    }
}
