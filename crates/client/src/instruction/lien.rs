//! Liens on tokens that other programs keep: adapters, and the liens of margin accounts.

use plimsoll_interface::{
    Address, address,
    config::AdapterConfig,
    instruction::{AdapterArgs, OpenLienArgs, ReleaseLienArgs, SeizeLienArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{SYSTEM_PROGRAM, Use, build, controls::proposal};

/// Registers a program that keeps tokens of a bank's mint under liens.
#[derive(Clone, Copy, Debug)]
pub struct RegisterAdapter {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The bank.
    pub bank: Address,
    /// The program.
    pub program: Address,
    /// Its limits, the cap zero.
    pub config: AdapterConfig,
}

impl RegisterAdapter {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::REGISTER_ADAPTER,
            &AdapterArgs { config: self.config },
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.bank, Use::Read),
                (self.program, Use::Read),
                (address::adapter(&self.bank, &self.program), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Replaces an adapter's limits.
#[derive(Clone, Copy, Debug)]
pub struct ConfigureAdapter {
    /// The exchange's admin, or its risk admin to tighten.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The adapter.
    pub adapter: Address,
    /// Its limits.
    pub config: AdapterConfig,
    /// Whether the proposal of it is passed.
    pub proposed: bool,
}

impl ConfigureAdapter {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CONFIGURE_ADAPTER,
            &AdapterArgs { config: self.config },
            [
                (self.authority, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.adapter, Use::Write),
                proposal(&self.adapter, self.proposed),
            ],
            &[],
        )
    }
}

/// What the instructions of one lien share.
#[derive(Clone, Copy, Debug)]
pub struct LienAccounts {
    /// Owner of the margin account.
    pub owner: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The bank of the tokens.
    pub bank: Address,
    /// The adapter's program.
    pub program: Address,
    /// The adapter's record.
    pub record: Address,
}

impl LienAccounts {
    fn adapter(&self) -> Address {
        address::adapter(&self.bank, &self.program)
    }
}

/// Has tokens count that an adapter has locked for a margin account.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// The accounts.
    pub accounts: LienAccounts,
    /// Native amount to claim.
    pub amount: u64,
}

impl Open {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = &self.accounts;
        build(
            tag::OPEN_LIEN,
            &OpenLienArgs { amount: self.amount },
            [
                (accounts.owner, Use::SignWrite),
                (accounts.exchange, Use::Read),
                (accounts.account, Use::Write),
                (accounts.bank, Use::Write),
                (accounts.adapter(), Use::Write),
                (accounts.record, Use::Read),
                (address::lien(&accounts.record), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Has a lien count what its record and its adapter's limits say now. Anyone may.
#[derive(Clone, Debug)]
pub struct Update {
    /// The accounts.
    pub accounts: LienAccounts,
    /// In a liquidation all markets and other banks of the account: [`crate::remaining::Pack::seizing`].
    pub remaining: Vec<AccountMeta>,
}

impl Update {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = &self.accounts;
        build(
            tag::UPDATE_LIEN,
            &(),
            [
                (accounts.exchange, Use::Read),
                (accounts.account, Use::Write),
                (accounts.bank, Use::Read),
                (accounts.adapter(), Use::Read),
                (accounts.record, Use::Read),
                (address::lien(&accounts.record), Use::Write),
            ],
            &self.remaining,
        )
    }
}

/// Gives up a lien, or a part of it.
#[derive(Clone, Debug)]
pub struct Release {
    /// The accounts.
    pub accounts: LienAccounts,
    /// Native amount; [`u64::MAX`] for all.
    pub amount: u64,
    /// All markets and other banks of the account: [`crate::remaining::Pack::seizing`].
    pub remaining: Vec<AccountMeta>,
    /// What the adapter's program wants besides.
    pub for_adapter: Vec<AccountMeta>,
}

impl Release {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let (accounts, adapter) = (&self.accounts, self.accounts.adapter());
        build(
            tag::RELEASE_LIEN,
            &ReleaseLienArgs { amount: self.amount, adapter_accounts: count(&self.for_adapter) },
            [
                (accounts.owner, Use::SignWrite),
                (accounts.exchange, Use::Read),
                (accounts.account, Use::Write),
                (accounts.bank, Use::Write),
                (adapter, Use::Write),
                (address::lien_authority(&adapter), Use::Read),
                (accounts.program, Use::Read),
                (accounts.record, Use::Write),
                (address::lien(&accounts.record), Use::Write),
            ],
            &[self.remaining.as_slice(), &self.for_adapter].concat(),
        )
    }
}

/// Calls a lien in of an account below its line. Anyone may.
#[derive(Clone, Debug)]
pub struct Seize {
    /// The accounts.
    pub accounts: LienAccounts,
    /// The mint's token program.
    pub token_program: Address,
    /// All markets and other banks of the account: [`crate::remaining::Pack::seizing`].
    pub remaining: Vec<AccountMeta>,
    /// What the adapter's program wants besides.
    pub for_adapter: Vec<AccountMeta>,
}

impl Seize {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let (accounts, adapter) = (&self.accounts, self.accounts.adapter());
        build(
            tag::SEIZE_LIEN,
            &SeizeLienArgs { adapter_accounts: count(&self.for_adapter) },
            [
                (accounts.exchange, Use::Read),
                (accounts.account, Use::Write),
                (accounts.owner, Use::Write),
                (accounts.bank, Use::Write),
                (address::vault(&accounts.bank), Use::Write),
                (adapter, Use::Write),
                (address::lien_authority(&adapter), Use::Read),
                (accounts.program, Use::Read),
                (accounts.record, Use::Write),
                (address::lien(&accounts.record), Use::Write),
                (self.token_program, Use::Read),
            ],
            &[self.remaining.as_slice(), &self.for_adapter].concat(),
        )
    }
}

/// More than a byte counts are too many for the program, too.
fn count(metas: &[AccountMeta]) -> u8 {
    u8::try_from(metas.len()).unwrap_or(u8::MAX)
}
