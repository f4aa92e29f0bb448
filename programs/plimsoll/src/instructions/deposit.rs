use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, MarginAccount},
    effect::balance,
    event::BalanceChanged,
    instruction::AmountArgs,
};

use crate::{book, token};

/// Accounts of `deposit`.
#[derive(Accounts)]
pub struct Deposit {
    /// Owner or delegate of the margin account, and owner of the tokens.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The bank of the mint.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The bank's vault.
    #[account(mut)]
    pub vault: UncheckedAccount,
    /// The token account that pays.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// The bank's mint.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
}

impl Deposit {
    fn validate(&self, args: &AmountArgs) -> Result<()> {
        balance::admit_deposit(&self.exchange, args.amount)?;
        require!(self.account.may_reduce(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.source.account(), &self.bank)
    }

    /// See the program's instruction. What arrives in the vault is what counts, behind the fee that the mint may withhold.
    /// Repaying a borrow is accepted whatever the bank's state and cap, and whatever the mint's fee.
    pub fn apply(&mut self, args: &AmountArgs) -> Result<()> {
        self.validate(args)?;
        let bank = &mut self.bank;
        let address = *bank.address();
        let terms = token::Terms::of(self.mint.account())?;
        let received = terms.received(args.amount)?;
        let shares = balance::deposit(&mut self.account, (&address, bank), received, book::now()?)?;
        if shares > 0 {
            terms.require_allowed()?;
        }
        let transfer = token::Transfer {
            source: self.source.account(),
            mint: self.mint.account(),
            destination: self.vault.account(),
            authority: self.authority.account(),
            token_program: &bank.token_program,
            decimals: bank.decimals,
        };
        transfer.send(args.amount, &terms, &[])?;
        emit!(BalanceChanged {
            account: *self.account.address(),
            bank: address,
            amount: i64::try_from(received).map_err(|_| PlimsollError::Overflow)?,
            shares,
        });
        Ok(())
    }
}
