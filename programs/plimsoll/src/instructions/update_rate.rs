use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Market, same_address},
    effect::inventory,
    event::RateUpdated,
    rate,
};
use plimsoll_risk::{
    price::{Freshness, Observation},
    units::Timestamp,
};

use crate::book;

/// Accounts of `update_rate`.
#[derive(Accounts)]
pub struct UpdateRate {
    /// The bank of the staked token.
    #[account(mut)]
    pub bank: Account<Bank>,
    /// The market that prices it.
    #[account(address = bank.market @ PlimsollError::RateWrongMarket)]
    pub market: Account<Market>,
    /// The stake pool that the bank names.
    pub source: UncheckedAccount,
    /// A price account of the market's feed, where its stored price is old and the token's own feed caps the rate.
    pub oracle: Option<UncheckedAccount>,
    /// A price account of the token's own feed, where the bank names one.
    pub feed: Option<UncheckedAccount>,
}

impl UpdateRate {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        require!(self.bank.is_rated(), PlimsollError::RateNotConfigured);
        require!(same_address(self.source.address(), &self.bank.rate.source.pool), PlimsollError::RateWrongSource);
        let clock = Clock::get()?;
        let now = Timestamp::from_raw(clock.unix_timestamp);
        let source = self.source.account();
        let pool = rate::read_pool(&self.bank.mint, source.owner(), &source.try_borrow()?)?;
        let prices = self.prices(now)?;
        let prices = prices.as_ref().map(|(own, market)| (own, market));
        let source_rate = rate::update(&mut self.bank, &pool, prices, clock.epoch, now)?;
        emit!(RateUpdated {
            bank: *self.bank.address(),
            source_rate,
            borrow_rate: self.bank.rate.borrow,
            deposit_rate: self.bank.rate.deposit,
            epoch: pool.last_update_epoch,
        });
        Ok(())
    }

    /// The prices of the token's own feed and of the market, both fresh by the market's limit, where the former caps the rate.
    fn prices(&self, now: Timestamp) -> Result<Option<(Observation, Observation)>> {
        if self.bank.rate.source.has_feed == 0 {
            return Ok(None);
        }
        let feed = self.feed.as_ref().ok_or(PlimsollError::RateFeedMissing)?.account();
        let data = feed.try_borrow()?;
        let own =
            rate::read_own_feed(&self.bank.rate.source, &self.market, (feed.address(), feed.owner(), &data), now)?;
        let mut spot = self.market.observation();
        if let Some(oracle) = &self.oracle {
            spot = book::younger(&self.market, oracle.account(), now)?;
        }
        for observation in [&own, &spot] {
            let fresh = inventory::market_freshness(&self.market, observation, now) == Freshness::Fresh;
            require!(fresh, PlimsollError::OracleStale);
        }
        Ok(Some((own, spot)))
    }
}
