use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange},
    config::pause,
    effect::ledger,
    event::InsuranceFunded,
    instruction::AmountArgs,
};

use crate::{book, token};

/// Accounts of `fund_insurance`.
#[derive(Accounts)]
pub struct FundInsurance {
    /// Owner of the tokens: anyone.
    pub funder: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub bank: Account<Bank>,
    /// The bank's vault.
    #[account(mut)]
    pub vault: UncheckedAccount,
    /// The token account that pays.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// The quote mint.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
}

impl FundInsurance {
    fn validate(&self, args: &AmountArgs) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(pause::DEPOSIT), PlimsollError::Paused);
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.source.account(), &self.bank)
    }

    /// See the program's instruction. Vault and reserve rise by the same amount (INV-1), and nothing takes it out again but
    /// a loss.
    pub fn apply(&mut self, args: &AmountArgs) -> Result<()> {
        self.validate(args)?;
        let bank = &mut self.bank;
        ledger::accrue(bank, book::now()?)?;
        bank.reserve = bank.reserve.checked_add(args.amount).ok_or(PlimsollError::Overflow)?;
        ledger::receive(bank, args.amount)?;
        token::pull(
            bank,
            self.source.account(),
            self.mint.account(),
            self.vault.account(),
            self.funder.account(),
            args.amount,
        )?;
        emit!(InsuranceFunded {
            bank: *self.bank.address(),
            funder: *self.funder.address(),
            amount: args.amount,
            insurance: self.bank.reserve,
        });
        Ok(())
    }
}
