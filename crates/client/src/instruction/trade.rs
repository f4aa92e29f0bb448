//! Trades against the house, and the settlement of their cash.

use plimsoll_interface::{
    Address, ID, address,
    instruction::{ClosePositionArgs, OpenPositionArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{Use, build};

/// Accounts of a trade.
#[derive(Clone, Debug)]
pub struct TradeAccounts {
    /// Owner or delegate.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// The market's price account.
    pub oracle: Address,
    /// All other markets and all banks of the account: [`crate::remaining::Pack::trading`].
    pub remaining: Vec<AccountMeta>,
}

impl TradeAccounts {
    fn declared(&self) -> [(Address, Use); 5] {
        [
            (self.authority, Use::Sign),
            (self.exchange, Use::Read),
            (self.account, Use::Write),
            (self.market, Use::Write),
            (self.oracle, Use::Read),
        ]
    }
}

/// Buys or sells.
#[derive(Clone, Debug)]
pub struct Open {
    /// Accounts.
    pub accounts: TradeAccounts,
    /// Size, limit, expiry.
    pub args: OpenPositionArgs,
}

impl Open {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::OPEN_POSITION, &self.args, self.accounts.declared(), &self.accounts.remaining)
    }
}

/// Closes a position or a part of it.
#[derive(Clone, Debug)]
pub struct Close {
    /// Accounts.
    pub accounts: TradeAccounts,
    /// Size, limit, expiry.
    pub args: ClosePositionArgs,
}

impl Close {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::CLOSE_POSITION, &self.args, self.accounts.declared(), &self.accounts.remaining)
    }
}

/// Moves an account's cash in a market to or from its quote balance. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// The market's price account; `None` to settle at the stored observation.
    pub oracle: Option<Address>,
}

impl Settle {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::SETTLE,
            &(),
            [
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (self.market, Use::Write),
                (address::bank(&self.exchange, &self.quote_mint), Use::Write),
                (address::house(&self.exchange), Use::Write),
                (self.oracle.unwrap_or(ID), Use::Read),
            ],
            &[],
        )
    }
}
