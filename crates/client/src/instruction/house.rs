//! The house: created by the admin, valued by anyone, joined and left by liquidity providers with tickets.

use plimsoll_interface::{
    Address, address,
    instruction::{RequestArgs, tag},
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
        let house = address::house(&self.exchange);
        build(
            tag::CREATE_HOUSE,
            &(),
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (house, Use::Write),
                (address::share_mint(&house), Use::Write),
                (address::escrow(&house), Use::Write),
                (TOKEN_PROGRAM, Use::Read),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Values the house: at once where all markets are passed, otherwise in parts.
#[derive(Clone, Debug)]
pub struct Value {
    /// The exchange.
    pub exchange: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// All markets in the order of their indexes, or those that the valuation under way wants next, writable, each
    /// optionally followed by its price account.
    pub remaining: Vec<AccountMeta>,
}

impl Value {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [
            (self.exchange, Use::Read),
            (address::house(&self.exchange), Use::Write),
            (address::bank(&self.exchange, &self.quote_mint), Use::Write),
        ];
        build(tag::VALUE_HOUSE, &(), declared, &self.remaining)
    }
}

/// A ticket of an exchange's house.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// Whose it is.
    pub owner: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// The quote mint's token program.
    pub token_program: Address,
    /// Which of the owner's tickets it is.
    pub index: u16,
}

/// What the house gives and takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    /// Quote, in the quote bank's vault.
    Quote,
    /// House shares, in the house's escrow.
    Shares,
}

impl Ticket {
    /// Its address.
    pub fn address(&self) -> Address {
        address::ticket(&self.house(), &self.owner, self.index)
    }

    /// The house.
    pub fn house(&self) -> Address {
        address::house(&self.exchange)
    }

    fn bank(&self) -> Address {
        address::bank(&self.exchange, &self.quote_mint)
    }

    /// What holds an asset while it is a ticket's, the asset's mint, and the mint's token program.
    fn custody(&self, asset: Asset) -> (Address, Address, Address) {
        match asset {
            Asset::Quote => (address::vault(&self.bank()), self.quote_mint, self.token_program),
            Asset::Shares => (address::escrow(&self.house()), address::share_mint(&self.house()), TOKEN_PROGRAM),
        }
    }

    /// `request_provide`: puts `amount` quote native of `source` aside, to become house shares.
    pub fn provide(&self, source: Address, amount: u64) -> Instruction {
        self.request(tag::REQUEST_PROVIDE, Asset::Quote, source, amount)
    }

    /// `request_redeem`: puts `amount` house shares of `source` aside, to become quote.
    pub fn redeem(&self, source: Address, amount: u64) -> Instruction {
        self.request(tag::REQUEST_REDEEM, Asset::Shares, source, amount)
    }

    fn request(&self, tag: u8, asset: Asset, source: Address, amount: u64) -> Instruction {
        let (custody, mint, token_program) = self.custody(asset);
        build(
            tag,
            &RequestArgs { index: self.index, amount },
            [
                (self.owner, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.house(), Use::Write),
                (self.bank(), Use::Read),
                (self.address(), Use::Write),
                (source, Use::Write),
                (custody, Use::Write),
                (mint, Use::Read),
                (token_program, Use::Read),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }

    /// `execute_ticket`, which anyone may.
    pub fn execute(&self) -> Instruction {
        let (escrow, share_mint, token_program) = self.custody(Asset::Shares);
        build(
            tag::EXECUTE_TICKET,
            &(),
            [
                (self.exchange, Use::Read),
                (self.house(), Use::Write),
                (self.bank(), Use::Write),
                (self.address(), Use::Write),
                (share_mint, Use::Write),
                (escrow, Use::Write),
                (token_program, Use::Read),
            ],
            &[],
        )
    }

    /// `cancel_ticket`: takes back what was put aside, to `destination`.
    pub fn cancel(&self, asset: Asset, destination: Address) -> Instruction {
        self.close(tag::CANCEL_TICKET, asset, destination)
    }

    /// `claim_ticket`: takes what came of it, to `destination`.
    pub fn claim(&self, asset: Asset, destination: Address) -> Instruction {
        self.close(tag::CLAIM_TICKET, asset, destination)
    }

    fn close(&self, tag: u8, asset: Asset, destination: Address) -> Instruction {
        let (custody, mint, token_program) = self.custody(asset);
        build(
            tag,
            &(),
            [
                (self.owner, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.house(), Use::Write),
                (self.bank(), Use::Read),
                (self.address(), Use::Write),
                (custody, Use::Write),
                (destination, Use::Write),
                (mint, Use::Read),
                (token_program, Use::Read),
            ],
            &[],
        )
    }
}
