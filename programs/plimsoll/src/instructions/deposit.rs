use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, MarginAccount},
    config::pause,
    event::BalanceChanged,
    instruction::AmountArgs,
};

use crate::{book, ledger, token};

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
    pub token_program: Program<Token>,
}

impl Deposit {
    fn validate(&self, args: &AmountArgs) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(pause::DEPOSIT), PlimsollError::Paused);
        require!(self.account.may_reduce(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.source.account(), &self.bank)
    }

    /// See the program's instruction. Repaying a borrow is accepted whatever the bank's state and cap.
    pub fn apply(&mut self, args: &AmountArgs) -> Result<()> {
        self.validate(args)?;
        let bank = &mut self.bank;
        let address = *bank.address();
        ledger::accrue(bank, book::now()?)?;
        let market = bank.market;
        let market = if bank.is_quote == 1 { None } else { Some(&market) };
        let index = self.account.balance_slot_or_new(&address, market)?;
        let changed = ledger::credit(&mut self.account, index, bank, args.amount)?;
        require!(changed > 0, PlimsollError::AmountTooSmall);
        let shares = self.account.balances.get(index).ok_or(PlimsollError::Corrupt)?.shares;
        if shares > 0 {
            ledger::require_deposit_allowed(bank)?;
        }
        self.account.release_balance(index)?;
        self.account.touch();
        ledger::receive(bank, args.amount)?;
        token::pull(
            bank,
            self.source.account(),
            self.mint.account(),
            self.vault.account(),
            self.authority.account(),
            args.amount,
        )?;
        emit!(BalanceChanged {
            account: *self.account.address(),
            bank: address,
            amount: i64::try_from(args.amount).map_err(|_| PlimsollError::Overflow)?,
            shares,
        });
        Ok(())
    }
}
