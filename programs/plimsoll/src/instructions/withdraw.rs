use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, MarginAccount},
    effect::balance::{self, Withdrawn},
    event::BalanceChanged,
    instruction::WithdrawArgs,
};

use crate::{
    book::{self, Book},
    token,
};

/// Accounts of `withdraw`. Behind them, unless the margin account owes nothing afterwards: every market that it uses,
/// each with its price account behind it where the stored price is old, and every other bank that it uses.
#[derive(Accounts)]
pub struct Withdraw {
    /// Owner of the margin account.
    #[account(address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
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
    /// The token account that receives.
    #[account(mut)]
    pub destination: UncheckedAccount,
    /// The bank's mint.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
}

impl Withdraw {
    fn validate(&self, args: &WithdrawArgs) -> Result<()> {
        balance::admit_withdrawal(&self.exchange, &self.account, args.amount)?;
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.destination.account(), &self.bank)
    }

    /// See the program's instruction. The amount is the vault's: where the mint withholds a fee, the destination receives
    /// that much less.
    pub fn apply(&mut self, args: &WithdrawArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate(args)?;
        let now = book::now()?;
        let address = *self.bank.address();
        let Withdrawn { amount, shares } =
            balance::withdraw(&mut self.account, (&address, &mut self.bank), args.amount, now)?;
        if !self.account.has_no_liability() {
            self.exchange.require_quote_sound(now)?;
            let book = Book::new(remaining, now).with_bank(&self.bank);
            book.require_withdrawal_margin(&self.account, &self.exchange.risk(now))?;
        }
        token::push(
            &self.exchange,
            &self.bank,
            self.vault.account(),
            self.mint.account(),
            self.destination.account(),
            amount,
        )?;
        let amount = i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?;
        emit!(BalanceChanged {
            account: *self.account.address(),
            bank: address,
            amount: amount.checked_neg().ok_or(PlimsollError::Overflow)?,
            shares,
        });
        Ok(())
    }
}
