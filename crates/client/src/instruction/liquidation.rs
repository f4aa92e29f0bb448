//! Liquidation: anyone flags an account below its line, anyone takes a part of it over.

use plimsoll_interface::{
    Address, address,
    instruction::{LiquidateArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{Use, build};

/// Starts an account's auction, or ends it where the account is healthy again.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// All markets and banks of the account: [`crate::remaining::Pack::of`].
    pub remaining: Vec<AccountMeta>,
}

impl Flag {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [(self.exchange, Use::Read), (self.account, Use::Write)];
        build(tag::FLAG_LIQUIDATION, &(), declared, &self.remaining)
    }
}

/// Takes over a fraction of an account that is below its line.
#[derive(Clone, Debug)]
pub struct Liquidate {
    /// Owner or delegate of the taker.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account that takes over.
    pub taker: Address,
    /// The margin account that is liquidated.
    pub account: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// Largest fraction and largest payment.
    pub args: LiquidateArgs,
    /// Markets and banks of both accounts, writable, without the quote bank: [`crate::remaining::Pack::liquidating`].
    pub remaining: Vec<AccountMeta>,
}

impl Liquidate {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::LIQUIDATE,
            &self.args,
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.taker, Use::Write),
                (self.account, Use::Write),
                (address::bank(&self.exchange, &self.quote_mint), Use::Write),
            ],
            &self.remaining,
        )
    }
}
