//! Collateral beyond plain deposits: staked tokens.

use plimsoll_interface::{
    Address, ID,
    instruction::{SetRateSourceArgs, tag},
};
use solana_instruction::Instruction;

use super::{Use, build};

/// Says where a bank's exchange rate is read.
#[derive(Clone, Debug)]
pub struct SetRateSource {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The bank of the staked token.
    pub bank: Address,
    /// The stake pool; `None` to take the source away.
    pub source: Option<Address>,
    /// Kind, own feed, limits.
    pub args: SetRateSourceArgs,
}

impl SetRateSource {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::SET_RATE_SOURCE,
            &self.args,
            [
                (self.admin, Use::Sign),
                (self.exchange, Use::Read),
                (self.bank, Use::Write),
                (self.source.unwrap_or(ID), Use::Read),
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
