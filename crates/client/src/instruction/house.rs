//! The house: created, filled and emptied by the admin.

use plimsoll_interface::{
    Address, address,
    instruction::{AmountArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{SYSTEM_PROGRAM, TOKEN_PROGRAM, Use, build};

/// Creates the exchange's house.
#[derive(Clone, Copy, Debug)]
pub struct Create {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CREATE_HOUSE,
            &(),
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (address::house(&self.exchange), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Puts quote into the house.
#[derive(Clone, Copy, Debug)]
pub struct Deposit {
    /// The exchange's admin, who owns the source.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// Token account that it comes from.
    pub source: Address,
    /// Quote native.
    pub amount: u64,
}

impl Deposit {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let args = AmountArgs { amount: self.amount };
        let declared = declared(self.admin, self.exchange, self.quote_mint, self.source);
        build(tag::HOUSE_DEPOSIT, &args, declared, &[])
    }
}

/// Takes quote out of the house, as far as its net asset value stays above the markets' risk budgets.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// Token account that it goes to.
    pub destination: Address,
    /// Quote native.
    pub amount: u64,
    /// Every market of the exchange, each optionally followed by its price account.
    pub remaining: Vec<AccountMeta>,
}

impl Withdraw {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let args = AmountArgs { amount: self.amount };
        let declared = declared(self.admin, self.exchange, self.quote_mint, self.destination);
        build(tag::HOUSE_WITHDRAW, &args, declared, &self.remaining)
    }
}

fn declared(admin: Address, exchange: Address, mint: Address, token_account: Address) -> [(Address, Use); 8] {
    let bank = address::bank(&exchange, &mint);
    [
        (admin, Use::Sign),
        (exchange, Use::Read),
        (address::house(&exchange), Use::Write),
        (bank, Use::Write),
        (address::vault(&bank), Use::Write),
        (token_account, Use::Write),
        (mint, Use::Read),
        (TOKEN_PROGRAM, Use::Read),
    ]
}
