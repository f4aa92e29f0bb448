//! Controls of an exchange: who holds which role, what is announced and paused, the quote's feed, winding down; and the
//! assertions that a transaction may carry.

use plimsoll_interface::{
    Address, ID, address,
    change::{Change, QuoteFeed},
    instruction::{
        AssertHealthArgs, AssertPriceArgs, AssertSequenceArgs, NominateAdminArgs, ProposeArgs, SetPausesArgs,
        SetQuoteFeedArgs, SetRoleArgs, tag,
    },
};
use solana_instruction::{AccountMeta, Instruction};

use super::{SYSTEM_PROGRAM, Use, build};

/// The proposal to change a subject, where there is to be one, as an optional account.
pub(super) fn proposal(subject: &Address, passed: bool) -> (Address, Use) {
    if passed { (address::proposal(subject), Use::Write) } else { (ID, Use::Read) }
}

/// Nominates an admin, or takes the nomination back.
#[derive(Clone, Copy, Debug)]
pub struct NominateAdmin {
    /// The exchange's admin, or its risk admin to take a nomination back.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// Who may become the admin, zero for nobody.
    pub nominee: Address,
}

impl NominateAdmin {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.authority, Use::Sign), (self.exchange, Use::Write)];
        build(tag::NOMINATE_ADMIN, &NominateAdminArgs { nominee: self.nominee }, accounts, &[])
    }
}

/// Accepts the nomination.
#[derive(Clone, Copy, Debug)]
pub struct AcceptAdmin {
    /// The nominee.
    pub nominee: Address,
    /// The exchange.
    pub exchange: Address,
}

impl AcceptAdmin {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::ACCEPT_ADMIN, &(), [(self.nominee, Use::Sign), (self.exchange, Use::Write)], &[])
    }
}

/// Gives a role to somebody.
#[derive(Clone, Copy, Debug)]
pub struct SetRole {
    /// The exchange's admin, or its risk admin to take a role away.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// One of [`plimsoll_interface::config::role`].
    pub role: u8,
    /// Who holds it from now on, zero for nobody.
    pub holder: Address,
    /// Whether the proposal of it is passed.
    pub proposed: bool,
}

impl SetRole {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts =
            [(self.authority, Use::SignWrite), (self.exchange, Use::Write), proposal(&self.exchange, self.proposed)];
        build(tag::SET_ROLE, &SetRoleArgs { role: self.role, holder: self.holder }, accounts, &[])
    }
}

/// Announces a change that does more than tighten.
#[derive(Clone, Copy, Debug)]
pub struct Propose {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange, market, bank or venue that is to change.
    pub subject: Address,
    /// What it is to be.
    pub change: Change,
}

impl Propose {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::PROPOSE,
            &ProposeArgs { kind: self.change.kind(), content: self.change.content() },
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.subject, Use::Read),
                (address::proposal(&self.subject), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Takes an announced change back.
#[derive(Clone, Copy, Debug)]
pub struct CancelProposal {
    /// The exchange's admin or its risk admin, who gets the rent.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange, market, bank or venue that stays as it is.
    pub subject: Address,
}

impl CancelProposal {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [
            (self.authority, Use::SignWrite),
            (self.exchange, Use::Read),
            (address::proposal(&self.subject), Use::Write),
        ];
        build(tag::CANCEL_PROPOSAL, &(), accounts, &[])
    }
}

/// Pauses or resumes kinds of action.
#[derive(Clone, Copy, Debug)]
pub struct SetPauses {
    /// The exchange's admin, or its risk admin to pause.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// Kinds to pause, bits of [`plimsoll_interface::config::pause`].
    pub set: u32,
    /// Kinds to resume.
    pub clear: u32,
}

impl SetPauses {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.authority, Use::Sign), (self.exchange, Use::Write)];
        build(tag::SET_PAUSES, &SetPausesArgs { set: self.set, clear: self.clear }, accounts, &[])
    }
}

/// Sets the price feed of the quote.
#[derive(Clone, Copy, Debug)]
pub struct SetQuoteFeed {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The feed, [`QuoteFeed::NONE`] for none.
    pub feed: QuoteFeed,
    /// Whether the proposal of it is passed.
    pub proposed: bool,
}

impl SetQuoteFeed {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let QuoteFeed { oracle_kind, feed_id, oracle_owner } = self.feed;
        let accounts =
            [(self.admin, Use::SignWrite), (self.exchange, Use::Write), proposal(&self.exchange, self.proposed)];
        build(tag::SET_QUOTE_FEED, &SetQuoteFeedArgs { oracle_kind, feed_id, oracle_owner }, accounts, &[])
    }
}

/// Stores the price of the quote's price account in the exchange.
#[derive(Clone, Copy, Debug)]
pub struct ObserveQuote {
    /// The exchange.
    pub exchange: Address,
    /// The price account.
    pub oracle: Address,
}

impl ObserveQuote {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::OBSERVE_QUOTE, &(), [(self.exchange, Use::Write), (self.oracle, Use::Read)], &[])
    }
}

/// Closes an account's position in a market that winds down.
#[derive(Clone, Copy, Debug)]
pub struct WindDownPosition {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The market.
    pub market: Address,
    /// Its price account.
    pub oracle: Address,
}

impl WindDownPosition {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [
            (self.exchange, Use::Read),
            (self.account, Use::Write),
            (self.market, Use::Write),
            (self.oracle, Use::Read),
        ];
        build(tag::WIND_DOWN_POSITION, &(), accounts, &[])
    }
}

/// Ends a market that is wound down and empty.
#[derive(Clone, Copy, Debug)]
pub struct RetireMarket {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
}

impl RetireMarket {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.admin, Use::Sign), (self.exchange, Use::Read), (self.market, Use::Write)];
        build(tag::RETIRE_MARKET, &(), accounts, &[])
    }
}

/// Ends a bank that is wound down and empty.
#[derive(Clone, Copy, Debug)]
pub struct RetireBank {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The bank.
    pub bank: Address,
}

impl RetireBank {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.admin, Use::Sign), (self.exchange, Use::Read), (self.bank, Use::Write)];
        build(tag::RETIRE_BANK, &(), accounts, &[])
    }
}

/// Fails the transaction unless an account is as healthy as asserted.
#[derive(Clone, Debug)]
pub struct AssertHealth {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// Which health, and how much of it.
    pub args: AssertHealthArgs,
    /// Every market that the account uses, each optionally followed by its price account, and every bank.
    pub remaining: Vec<AccountMeta>,
}

impl AssertHealth {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.exchange, Use::Read), (self.account, Use::Read)];
        build(tag::ASSERT_HEALTH, &self.args, accounts, &self.remaining)
    }
}

/// Fails the transaction unless an account is as it was.
#[derive(Clone, Copy, Debug)]
pub struct AssertSequence {
    /// The margin account.
    pub account: Address,
    /// Its sequence as it must be.
    pub sequence: u64,
}

impl AssertSequence {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let args = AssertSequenceArgs { sequence: self.sequence };
        build(tag::ASSERT_SEQUENCE, &args, [(self.account, Use::Read)], &[])
    }
}

/// Fails the transaction unless a market's price is as asserted.
#[derive(Clone, Copy, Debug)]
pub struct AssertPrice {
    /// The market.
    pub market: Address,
    /// A price account of its feed, `None` for the stored price.
    pub oracle: Option<Address>,
    /// The prices and the age that are accepted.
    pub args: AssertPriceArgs,
}

impl AssertPrice {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = [(self.market, Use::Read), (self.oracle.unwrap_or(ID), Use::Read)];
        build(tag::ASSERT_PRICE, &self.args, accounts, &[])
    }
}
