//! The exchange: created by anyone, configured by its admin.

use plimsoll_interface::{
    Address, address,
    config::ExchangeConfig,
    instruction::{ConfigureExchangeArgs, CreateExchangeArgs, tag},
};
use solana_instruction::Instruction;

use super::{SYSTEM_PROGRAM, Use, build, controls::proposal};

/// Opens an exchange. Its creator pays for it and becomes its admin.
#[derive(Clone, Debug)]
pub struct Create {
    /// Who creates it.
    pub creator: Address,
    /// The mint that counts as 1 USD, 6 decimals.
    pub quote_mint: Address,
    /// Which of the creator's exchanges it is.
    pub index: u16,
    /// Its parameters.
    pub config: ExchangeConfig,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CREATE_EXCHANGE,
            &CreateExchangeArgs { index: self.index, config: self.config },
            [
                (self.creator, Use::SignWrite),
                (address::exchange(&self.creator, self.index), Use::Write),
                (self.quote_mint, Use::Read),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Replaces an exchange's parameters.
#[derive(Clone, Debug)]
pub struct Configure {
    /// The exchange's admin, or its risk admin to tighten.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The parameters that replace the old ones.
    pub config: ExchangeConfig,
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
            tag::CONFIGURE_EXCHANGE,
            &ConfigureExchangeArgs { config: self.config },
            [(self.admin, Use::SignWrite), (self.exchange, Use::Write), proposal(&self.exchange, proposed)],
            &[],
        )
    }
}
