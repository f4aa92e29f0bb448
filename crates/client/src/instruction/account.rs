//! Margin accounts: opened, filled, emptied and closed by their owner.

use plimsoll_interface::{
    Address, address,
    instruction::{AmountArgs, CreateAccountArgs, SetDelegateArgs, WithdrawArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{SYSTEM_PROGRAM, Use, build};

/// Opens a margin account.
#[derive(Clone, Copy, Debug)]
pub struct Create {
    /// Who pays for it.
    pub payer: Address,
    /// Whose it will be.
    pub owner: Address,
    /// The exchange.
    pub exchange: Address,
    /// Which of the owner's accounts it is.
    pub index: u16,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CREATE_ACCOUNT,
            &CreateAccountArgs { index: self.index },
            [
                (self.payer, Use::SignWrite),
                (self.owner, Use::Sign),
                (self.exchange, Use::Read),
                (address::margin_account(&self.exchange, &self.owner, self.index), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Lets another key trade for the owner, never withdraw.
#[derive(Clone, Copy, Debug)]
pub struct SetDelegate {
    /// The account's owner.
    pub owner: Address,
    /// The margin account.
    pub account: Address,
    /// Who may act for the owner; zero for nobody.
    pub delegate: Address,
    /// What it may do, one of [`plimsoll_interface::accounts::delegate_scope`].
    pub scope: u8,
}

impl SetDelegate {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::SET_DELEGATE,
            &SetDelegateArgs { delegate: self.delegate, scope: self.scope },
            [(self.owner, Use::Sign), (self.account, Use::Write)],
            &[],
        )
    }
}

/// Closes an empty margin account; its rent goes to the owner.
#[derive(Clone, Copy, Debug)]
pub struct Close {
    /// The account's owner.
    pub owner: Address,
    /// The margin account.
    pub account: Address,
}

impl Close {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::CLOSE_ACCOUNT, &(), [(self.owner, Use::SignWrite), (self.account, Use::Write)], &[])
    }
}

/// Puts tokens into a margin account, repaying a borrow of theirs first.
#[derive(Clone, Copy, Debug)]
pub struct Deposit {
    /// Owner or delegate, who also owns the source.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The mint.
    pub mint: Address,
    /// The mint's token program, which owns it: [`Bank::token_program`](plimsoll_interface::accounts::Bank::token_program).
    pub token_program: Address,
    /// Token account that they come from.
    pub source: Address,
    /// Native units of the mint that leave the source; what a fee of the mint leaves of them is deposited.
    pub amount: u64,
}

impl Deposit {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let bank = address::bank(&self.exchange, &self.mint);
        build(
            tag::DEPOSIT,
            &AmountArgs { amount: self.amount },
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (bank, Use::Write),
                (address::vault(&bank), Use::Write),
                (self.source, Use::Write),
                (self.mint, Use::Read),
                (self.token_program, Use::Read),
            ],
            &[],
        )
    }
}

/// Takes tokens out of a margin account, borrowing what is beyond its deposit.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The account's owner.
    pub owner: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The mint.
    pub mint: Address,
    /// The mint's token program, which owns it: [`Bank::token_program`](plimsoll_interface::accounts::Bank::token_program).
    pub token_program: Address,
    /// Token account that they go to.
    pub destination: Address,
    /// Native units of the mint that leave the vault; what a fee of the mint leaves of them arrives. [`u64::MAX`] takes the whole deposit and borrows nothing.
    pub amount: u64,
    /// All other markets and banks of the account, unless it has no liability afterwards:
    /// [`crate::remaining::Pack::withdrawing`].
    pub remaining: Vec<AccountMeta>,
}

impl Withdraw {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let bank = address::bank(&self.exchange, &self.mint);
        build(
            tag::WITHDRAW,
            &WithdrawArgs { amount: self.amount },
            [
                (self.owner, Use::Sign),
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (bank, Use::Write),
                (address::vault(&bank), Use::Write),
                (self.destination, Use::Write),
                (self.mint, Use::Read),
                (self.token_program, Use::Read),
            ],
            &self.remaining,
        )
    }
}

/// Rewrites an account of an earlier layout, of whatever type. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    /// Pays the rent of what it grows by.
    pub payer: Address,
    /// The account.
    pub account: Address,
}

impl Upgrade {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::UPGRADE_ACCOUNT,
            &(),
            [(self.payer, Use::SignWrite), (self.account, Use::Write), (SYSTEM_PROGRAM, Use::Read)],
            &[],
        )
    }
}
