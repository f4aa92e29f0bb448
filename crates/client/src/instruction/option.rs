//! Trades of options against the house, and their settlement in cash.

use plimsoll_interface::{
    Address,
    instruction::{CloseOptionArgs, OpenOptionArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{Use, build};

/// Accounts of a trade of an option.
#[derive(Clone, Debug)]
pub struct OptionAccounts {
    /// Owner or delegate.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
    /// The market's price account.
    pub oracle: Address,
    /// All other markets, all banks and all other boards of the account: [`crate::remaining::Pack::trading`].
    pub remaining: Vec<AccountMeta>,
}

impl OptionAccounts {
    fn declared(&self) -> [(Address, Use); 6] {
        [
            (self.authority, Use::Sign),
            (self.exchange, Use::Read),
            (self.account, Use::Write),
            (self.market, Use::Write),
            (self.board, Use::Write),
            (self.oracle, Use::Read),
        ]
    }
}

/// Buys or sells.
#[derive(Clone, Debug)]
pub struct Open {
    /// Accounts.
    pub accounts: OptionAccounts,
    /// Series, lots, limit, expiry.
    pub args: OpenOptionArgs,
}

impl Open {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::OPEN_OPTION, &self.args, self.accounts.declared(), &self.accounts.remaining)
    }
}

/// Closes a position or a part of it.
#[derive(Clone, Debug)]
pub struct Close {
    /// Accounts.
    pub accounts: OptionAccounts,
    /// Series, lots, limit, expiry.
    pub args: CloseOptionArgs,
}

impl Close {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::CLOSE_OPTION, &self.args, self.accounts.declared(), &self.accounts.remaining)
    }
}

/// Pays an account's options of a settled board in cash. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The board's market.
    pub market: Address,
    /// The board.
    pub board: Address,
}

impl Settle {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [
            (self.exchange, Use::Read),
            (self.account, Use::Write),
            (self.market, Use::Write),
            (self.board, Use::Write),
        ];
        build(tag::SETTLE_OPTION, &(), declared, &[])
    }
}
