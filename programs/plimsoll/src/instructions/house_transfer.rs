use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House},
    config::pause,
    event::BalanceChanged,
    instruction::AmountArgs,
};

use crate::{book, house, ledger, token};

/// Accounts of `house_deposit` and `house_withdraw`. Behind them, for the latter: every market of the exchange in the
/// order of their indexes, each with its price account behind it where the stored price is old.
#[derive(Accounts)]
pub struct HouseTransfer {
    /// The exchange's admin, and owner of the tokens paid.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub bank: Account<Bank>,
    /// The bank's vault.
    #[account(mut)]
    pub vault: UncheckedAccount,
    /// The token account that pays or receives.
    #[account(mut)]
    pub token_account: UncheckedAccount,
    /// The quote mint.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
}

impl HouseTransfer {
    fn validate(&self, args: &AmountArgs, paused_by: u32) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(paused_by), PlimsollError::Paused);
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.token_account.account(), &self.bank)
    }

    /// `house_deposit`.
    pub fn deposit(&mut self, args: &AmountArgs) -> Result<()> {
        self.validate(args, pause::DEPOSIT)?;
        ledger::accrue(&mut self.bank, book::now()?)?;
        let minted = ledger::house_credit(&mut self.house, &mut self.bank, args.amount)?;
        require!(minted > 0, PlimsollError::AmountTooSmall);
        ledger::require_deposit_allowed(&self.bank)?;
        ledger::receive(&mut self.bank, args.amount)?;
        token::pull(
            &self.bank,
            self.token_account.account(),
            self.mint.account(),
            self.vault.account(),
            self.admin.account(),
            args.amount,
        )?;
        let amount = i64::try_from(args.amount).map_err(|_| PlimsollError::Overflow)?;
        self.announce(amount)
    }

    /// `house_withdraw`.
    pub fn withdraw(&mut self, args: &AmountArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate(args, pause::WITHDRAW)?;
        let now = book::now()?;
        ledger::accrue(&mut self.bank, now)?;
        ledger::house_debit(&mut self.house, &mut self.bank, args.amount)?;
        ledger::pay_out(&mut self.bank, args.amount, now)?;
        let value = house::net_asset_value(&self.exchange, &self.house, &self.bank, remaining, None, now)?;
        house::require_budgets_covered(&self.house, value)?;
        token::push(
            &self.exchange,
            &self.bank,
            self.vault.account(),
            self.mint.account(),
            self.token_account.account(),
            args.amount,
        )?;
        let amount = i64::try_from(args.amount).map_err(|_| PlimsollError::Overflow)?;
        self.announce(amount.checked_neg().ok_or(PlimsollError::Overflow)?)
    }

    fn announce(&self, amount: i64) -> Result<()> {
        emit!(BalanceChanged {
            account: *self.house.address(),
            bank: *self.bank.address(),
            amount,
            shares: i64::try_from(self.house.quote_shares).map_err(|_| PlimsollError::Overflow)?,
        });
        Ok(())
    }
}
