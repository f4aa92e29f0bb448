//! Orders that wait for a price.

use plimsoll_interface::{
    Address, ID,
    instruction::{PlaceTriggerArgs, TriggerArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{Use, build};

/// Stores an order.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Owner or delegate.
    pub authority: Address,
    /// The margin account.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// What it waits for, and what it closes then.
    pub args: PlaceTriggerArgs,
}

impl Place {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.authority, Use::Sign), (self.account, Use::Write), (self.market, Use::Read)];
        build(tag::PLACE_TRIGGER, &self.args, accounts, &[])
    }
}

/// Removes a stored order.
#[derive(Clone, Copy, Debug)]
pub struct Cancel {
    /// Owner or delegate.
    pub authority: Address,
    /// The margin account.
    pub account: Address,
    /// Number of the stored order.
    pub index: u8,
}

impl Cancel {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.authority, Use::Sign), (self.account, Use::Write)];
        build(tag::CANCEL_TRIGGER, &TriggerArgs { index: self.index }, accounts, &[])
    }
}

/// Executes a stored order that is due.
#[derive(Clone, Debug)]
pub struct Execute {
    /// Who executes it: signs, and may trade for `executor`.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account with the stored order.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// The market's price account.
    pub oracle: Address,
    /// Another margin account, which gets the tip.
    pub executor: Option<Address>,
    /// Number of the stored order.
    pub index: u8,
    /// All other markets and all banks of the account: [`crate::remaining::Pack::trading`].
    pub remaining: Vec<AccountMeta>,
}

impl Execute {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [
            (self.authority, Use::Sign),
            (self.exchange, Use::Read),
            (self.account, Use::Write),
            (self.market, Use::Write),
            (self.oracle, Use::Read),
            self.executor.map_or((ID, Use::Read), |executor| (executor, Use::Write)),
        ];
        build(tag::EXECUTE_TRIGGER, &TriggerArgs { index: self.index }, accounts, &self.remaining)
    }
}
