//! The waterfall: who pays for an account without equity, and liquidation without capital.

use plimsoll_interface::{
    Address, address,
    instruction::{AmountArgs, BuyReserveArgs, DeleverageArgs, tag},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{INSTRUCTIONS_SYSVAR, Use, build};

/// Puts quote into the insurance. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct FundInsurance {
    /// Who owns the source.
    pub funder: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// The quote mint's token program.
    pub token_program: Address,
    /// Token account that it comes from.
    pub source: Address,
    /// Quote native.
    pub amount: u64,
}

impl FundInsurance {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let bank = address::bank(&self.exchange, &self.quote_mint);
        build(
            tag::FUND_INSURANCE,
            &AmountArgs { amount: self.amount },
            [
                (self.funder, Use::Sign),
                (self.exchange, Use::Read),
                (bank, Use::Write),
                (address::vault(&bank), Use::Write),
                (self.source, Use::Write),
                (self.quote_mint, Use::Read),
                (self.token_program, Use::Read),
            ],
            &[],
        )
    }
}

/// Buys tokens of a bank's reserve for quote. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct BuyReserve {
    /// Who owns the source.
    pub buyer: Address,
    /// The exchange.
    pub exchange: Address,
    /// Mint of the tokens bought.
    pub mint: Address,
    /// Its token program.
    pub token_program: Address,
    /// Token account of that mint that they go to.
    pub destination: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// Its token program.
    pub quote_token_program: Address,
    /// Token account of the quote mint that pays.
    pub source: Address,
    /// The market that prices the tokens.
    pub market: Address,
    /// Its price account.
    pub oracle: Address,
    /// Amount and largest payment.
    pub args: BuyReserveArgs,
}

impl BuyReserve {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let bank = address::bank(&self.exchange, &self.mint);
        let quote_bank = address::bank(&self.exchange, &self.quote_mint);
        build(
            tag::BUY_RESERVE,
            &self.args,
            [
                (self.buyer, Use::Sign),
                (self.exchange, Use::Read),
                (bank, Use::Write),
                (address::vault(&bank), Use::Write),
                (self.destination, Use::Write),
                (self.mint, Use::Read),
                (quote_bank, Use::Write),
                (address::vault(&quote_bank), Use::Write),
                (self.source, Use::Write),
                (self.quote_mint, Use::Read),
                (self.market, Use::Read),
                (self.oracle, Use::Read),
                (self.token_program, Use::Read),
                (self.quote_token_program, Use::Read),
            ],
            &[],
        )
    }
}

/// One step of covering the loss of an account without equity. Anyone may.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// The exchange.
    pub exchange: Address,
    /// The margin account.
    pub account: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// Markets and banks of the account, without the quote bank: [`crate::remaining::Pack::resolving`].
    pub remaining: Vec<AccountMeta>,
}

impl Resolve {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::RESOLVE,
            &(),
            [
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (address::bank(&self.exchange, &self.quote_mint), Use::Write),
                (address::house(&self.exchange), Use::Write),
            ],
            &self.remaining,
        )
    }
}

/// Closes a position of an account without equity against one in profit. Anyone may.
#[derive(Clone, Debug)]
pub struct Deleverage {
    /// The exchange.
    pub exchange: Address,
    /// The margin account without equity.
    pub account: Address,
    /// The margin account in profit.
    pub counterparty: Address,
    /// The market.
    pub market: Address,
    /// The exchange's quote mint.
    pub quote_mint: Address,
    /// The market's price account.
    pub oracle: Address,
    /// Size.
    pub args: DeleverageArgs,
    /// Markets and banks of both accounts, without the market and the quote bank, and behind them the margin accounts that
    /// the counterparty is compared with: [`crate::remaining::Pack::deleveraging`].
    pub remaining: Vec<AccountMeta>,
}

impl Deleverage {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::DELEVERAGE,
            &self.args,
            [
                (self.exchange, Use::Read),
                (self.account, Use::Write),
                (self.counterparty, Use::Write),
                (self.market, Use::Write),
                (address::bank(&self.exchange, &self.quote_mint), Use::Write),
                (address::house(&self.exchange), Use::Read),
                (self.oracle, Use::Read),
            ],
            &self.remaining,
        )
    }
}

/// Begins a liquidation without capital. [`End`] for the same taker must follow in the same transaction, both at its top
/// level.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    /// Owner or delegate of the taker.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account that will take over.
    pub taker: Address,
}

impl Begin {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::BEGIN_LIQUIDATION,
            &(),
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.taker, Use::Write),
                (INSTRUCTIONS_SYSVAR, Use::Read),
            ],
            &[],
        )
    }
}

/// Ends a liquidation without capital.
#[derive(Clone, Debug)]
pub struct End {
    /// Owner or delegate of the taker.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account that took over.
    pub taker: Address,
    /// Markets and banks of the taker as they are then: [`crate::remaining::Pack::of`] of what it holds by then. What it
    /// holds no longer may be among them.
    pub remaining: Vec<AccountMeta>,
}

impl End {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [(self.authority, Use::Sign), (self.exchange, Use::Read), (self.taker, Use::Write)];
        build(tag::END_LIQUIDATION, &(), declared, &self.remaining)
    }
}
