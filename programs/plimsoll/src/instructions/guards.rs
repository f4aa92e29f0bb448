use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market},
    instruction::{AssertHealthArgs, AssertPriceArgs, AssertSequenceArgs},
};

use crate::book::{self, Book};

/// Accounts of `assert_health`. Behind them: every market that the margin account uses, each with its price account
/// behind it where the stored price is old, and every bank that it uses.
#[derive(Accounts)]
pub struct AssertHealth {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
}

impl AssertHealth {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &AssertHealthArgs, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        let margin = Book::new(remaining, now).margin(&self.account, &self.exchange.risk(now))?;
        let health = match args.kind {
            0 => {
                require!(margin.blocked_by.is_none(), PlimsollError::OracleStale);
                book::health_init(&margin)?
            }
            1 => book::health_maint(&margin)?,
            _ => return Err(PlimsollError::UnknownKind.into()),
        };
        require!(health >= args.minimum, PlimsollError::HealthAssertion);
        Ok(())
    }
}

/// Accounts of `assert_sequence`.
#[derive(Accounts)]
pub struct AssertSequence {
    /// The margin account.
    pub account: Account<MarginAccount>,
}

impl AssertSequence {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &AssertSequenceArgs) -> Result<()> {
        require!(self.account.sequence == args.sequence, PlimsollError::SequenceAssertion);
        Ok(())
    }
}

/// Accounts of `assert_price`.
#[derive(Accounts)]
pub struct AssertPrice {
    /// The market.
    pub market: Account<Market>,
    /// A price account of its feed; none to ask the stored price.
    pub oracle: Option<UncheckedAccount>,
}

impl AssertPrice {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &AssertPriceArgs) -> Result<()> {
        let now = book::now()?;
        let observation = match &self.oracle {
            Some(oracle) => book::younger(&self.market, oracle.account(), now)?,
            None => self.market.observation(),
        };
        let age = now.raw().saturating_sub(observation.publish_time.raw());
        let is_as_asserted = (args.minimum..=args.maximum).contains(&observation.spot.raw())
            && age <= i64::from(args.max_age_seconds)
            && observation.spot.raw() != 0;
        require!(is_as_asserted, PlimsollError::PriceAssertion);
        Ok(())
    }
}
