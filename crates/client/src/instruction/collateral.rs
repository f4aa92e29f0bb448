//! Collateral beyond plain deposits: staked tokens, swaps against the house.

use plimsoll_interface::{
    Address, ID, address,
    config::RateSource,
    instruction::{SetRateSourceArgs, SwapArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{Use, build, controls::proposal};

/// Says where a bank's exchange rate is read.
#[derive(Clone, Copy, Debug)]
pub struct SetRateSource {
    /// The exchange's admin.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The bank of the staked token.
    pub bank: Address,
    /// The stake pool and limits; [`RateSource::NONE`] takes the source away.
    pub source: RateSource,
    /// Whether the proposal of it is passed.
    pub proposed: bool,
}

impl SetRateSource {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::SET_RATE_SOURCE,
            &SetRateSourceArgs { source: self.source },
            [
                (self.authority, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.bank, Use::Write),
                (self.source.pool, Use::Read),
                proposal(&self.bank, self.proposed),
            ],
            &[],
        )
    }
}

/// Takes over a bank's exchange rate. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct UpdateRate {
    /// The bank of the staked token.
    pub bank: Address,
    /// The market that prices it.
    pub market: Address,
    /// The stake pool.
    pub source: Address,
    /// A price account of the market's feed; `None` to take the stored observation.
    pub oracle: Option<Address>,
    /// A price account of the token's own feed, where the bank names one.
    pub feed: Option<Address>,
}

impl UpdateRate {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::UPDATE_RATE,
            &(),
            [
                (self.bank, Use::Write),
                (self.market, Use::Read),
                (self.source, Use::Read),
                (self.oracle.unwrap_or(ID), Use::Read),
                (self.feed.unwrap_or(ID), Use::Read),
            ],
            &[],
        )
    }
}

/// Exchanges a collateral for quote, or quote for it, against the house.
#[derive(Clone, Debug)]
pub struct Swap {
    /// Owner or delegate.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// The collateral's mint.
    pub mint: Address,
    /// The market that prices it.
    pub market: Address,
    /// The market's price account.
    pub oracle: Address,
    /// Amount, limit, expiry.
    pub args: SwapArgs,
    /// All other markets and banks of the account: [`crate::remaining::Pack::swapping`].
    pub remaining: Vec<AccountMeta>,
}

impl Swap {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::SWAP,
            &self.args,
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (address::house(&self.exchange), Use::Write),
                (address::bank(&self.exchange, &self.quote_mint), Use::Write),
                (address::bank(&self.exchange, &self.mint), Use::Write),
                (self.market, Use::Write),
                (self.oracle, Use::Read),
            ],
            &self.remaining,
        )
    }
}
