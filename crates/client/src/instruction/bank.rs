//! Banks: created and configured by the admin, accrued by anyone.

use plimsoll_interface::{
    Address, ID, address,
    config::BankConfig,
    instruction::{ConfigureBankArgs, CreateBankArgs, tag},
};
use solana_instruction::Instruction;

use super::{SYSTEM_PROGRAM, Use, build, controls::proposal};

/// Adds a bank and its vault to an exchange.
#[derive(Clone, Debug)]
pub struct Create {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The collateral mint.
    pub mint: Address,
    /// The mint's token program, which owns it.
    pub token_program: Address,
    /// The market that prices it; `None` for the quote mint.
    pub market: Option<Address>,
    /// Its parameters, but for the quote those of [`BankConfig::starting`].
    pub config: BankConfig,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let bank = address::bank(&self.exchange, &self.mint);
        build(
            tag::CREATE_BANK,
            &CreateBankArgs { config: self.config },
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Write),
                (self.mint, Use::Read),
                // An optional account that is absent is, in Anchor's convention, the program's own address.
                (self.market.unwrap_or(ID), Use::Read),
                (bank, Use::Write),
                (address::vault(&bank), Use::Write),
                (self.token_program, Use::Read),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Replaces a bank's parameters.
#[derive(Clone, Debug)]
pub struct Configure {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The bank.
    pub bank: Address,
    /// The parameters that replace the old ones.
    pub config: BankConfig,
}

impl Configure {
    /// The instruction, for a change that tightens, or where there is no timelock.
    pub fn instruction(&self) -> Instruction {
        self.build(false)
    }

    /// The instruction, for a change that was proposed and waited out the timelock.
    pub fn proposed(&self) -> Instruction {
        self.build(true)
    }

    fn build(&self, proposed: bool) -> Instruction {
        build(
            tag::CONFIGURE_BANK,
            &ConfigureBankArgs { config: self.config },
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.bank, Use::Write),
                proposal(&self.bank, proposed),
            ],
            &[],
        )
    }
}

/// Brings a bank's interest up to now.
#[derive(Clone, Copy, Debug)]
pub struct Accrue {
    /// The bank.
    pub bank: Address,
}

impl Accrue {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::ACCRUE, &(), [(self.bank, Use::Write)], &[])
    }
}
