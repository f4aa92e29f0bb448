//! `deposit` and `withdraw`, up to the tokens and the account's margin.

use plimsoll_risk::units::Timestamp;

use super::{Result, ledger};
use crate::{
    Address, PlimsollError,
    accounts::{Bank, Exchange, MarginAccount},
    bridge,
    config::pause,
};

/// The market that prices a bank, as a balance's slot wants it.
#[inline(always)]
pub fn pricing_market(bank: &Bank) -> Option<&Address> {
    (bank.is_quote != 1).then_some(&bank.market)
}

/// Checks what any deposit must be.
///
/// # Errors
/// [`PlimsollError::ZeroAmount`], [`PlimsollError::Paused`].
pub fn admit_deposit(exchange: &Exchange, amount: u64) -> Result<()> {
    if amount == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if exchange.config.is_paused(pause::DEPOSIT) {
        return Err(PlimsollError::Paused);
    }
    Ok(())
}

/// Checks what any withdrawal must be.
///
/// # Errors
/// [`PlimsollError::ZeroAmount`], [`PlimsollError::Paused`], [`PlimsollError::LiquidationInProgress`].
pub fn admit_withdrawal(exchange: &Exchange, account: &MarginAccount, amount: u64) -> Result<()> {
    if amount == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if exchange.config.is_paused(pause::WITHDRAW) {
        return Err(PlimsollError::Paused);
    }
    account.require_not_deferred()
}

/// Puts `received` native units, which have come into the vault, into the account's balance of a bank. Gives the shares of
/// the balance afterwards, negative for a debt. Repaying a borrow is accepted whatever the bank's state and cap.
///
/// # Errors
/// [`PlimsollError::AmountTooSmall`], [`PlimsollError::BankReduceOnly`], [`PlimsollError::DepositCap`],
/// [`PlimsollError::TooManyBalances`].
#[inline(always)]
pub fn deposit(
    account: &mut MarginAccount,
    (address, bank): (&Address, &mut Bank),
    received: u64,
    now: Timestamp,
) -> Result<i64> {
    ledger::accrue(bank, now)?;
    let index = account.balance_slot_or_new(address, pricing_market(bank))?;
    if ledger::credit(account, index, bank, received)? == 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let shares = account.balances.get(index).ok_or(PlimsollError::Corrupt)?.shares;
    if shares > 0 {
        ledger::require_deposit_allowed(bank)?;
    }
    account.release_balance(index)?;
    account.touch();
    ledger::receive(bank, received)?;
    Ok(shares)
}

/// What a withdrawal took.
pub struct Withdrawn {
    /// Native units that leave the vault.
    pub amount: u64,
    /// Shares of the balance afterwards, negative for a debt.
    pub shares: i64,
}

/// Takes `amount` native units, [`u64::MAX`] for the whole deposit, out of the account's balance of a bank and of its vault;
/// what the account has not, it borrows. The caller asks for the margin.
///
/// # Errors
/// [`PlimsollError::ZeroAmount`], [`PlimsollError::BankReduceOnly`], [`PlimsollError::BorrowCap`],
/// [`PlimsollError::VaultInsufficient`], [`PlimsollError::OutflowLimit`].
#[inline(always)]
pub fn withdraw(
    account: &mut MarginAccount,
    (address, bank): (&Address, &mut Bank),
    amount: u64,
    now: Timestamp,
) -> Result<Withdrawn> {
    ledger::accrue(bank, now)?;
    let index = account.balance_slot_or_new(address, pricing_market(bank))?;
    let amount = if amount == u64::MAX { whole_deposit(account, index, bank)? } else { amount };
    let debit = ledger::debit(account, index, bank, amount)?;
    ledger::require_borrow_allowed(bank, debit)?;
    ledger::pay_out(bank, amount, now)?;
    account.touch();
    let shares = account.balances.get(index).ok_or(PlimsollError::Corrupt)?.shares;
    account.release_balance(index)?;
    Ok(Withdrawn { amount, shares })
}

fn whole_deposit(account: &MarginAccount, index: usize, bank: &Bank) -> Result<u64> {
    let slot = account.balances.get(index).ok_or(PlimsollError::Corrupt)?;
    let (held, is_borrow) = bridge::balance_amount(slot, bank)?;
    if held == 0 || is_borrow { Err(PlimsollError::ZeroAmount) } else { Ok(held) }
}
