//! `deposit` and `withdraw`.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, MarginAccount},
    bridge,
    config::pause,
    effect::{ledger, margin::health_init},
};

use super::{Effect, Result, program_error};
use crate::Snapshot;

/// The market that prices a bank, as a balance's slot wants it.
fn pricing_market(bank: &Bank) -> Option<&Address> {
    (bank.is_quote == 0).then_some(&bank.market)
}

/// `deposit` of `received` native units behind the mint's fee.
pub(crate) fn deposit(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    address: &Address,
    received: u64,
) -> Result<Effect> {
    if received == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if scene.exchange.data.config.is_paused(pause::DEPOSIT) {
        return Err(PlimsollError::Paused);
    }
    let mut bank = scene.bank_copy(address)?;
    ledger::accrue(&mut bank, scene.timestamp())?;
    let index = account.balance_slot_or_new(address, pricing_market(&bank))?;
    if ledger::credit(account, index, &mut bank, received)? == 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    if account.balances[index].shares > 0 {
        ledger::require_deposit_allowed(&bank)?;
    }
    account.release_balance(index)?;
    account.touch();
    ledger::receive(&mut bank, received)?;
    scene.banks.insert(*address, bank);
    Ok(Effect::default())
}

/// `withdraw` of `amount` native units, [`u64::MAX`] for the whole deposit.
pub(crate) fn withdraw(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    address: &Address,
    amount: u64,
) -> Result<Effect> {
    if amount == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if scene.exchange.data.config.is_paused(pause::WITHDRAW) {
        return Err(PlimsollError::Paused);
    }
    account.require_not_deferred()?;
    let now = scene.timestamp();
    let mut bank = scene.bank_copy(address)?;
    ledger::accrue(&mut bank, now)?;
    let index = account.balance_slot_or_new(address, pricing_market(&bank))?;
    let amount = match amount {
        u64::MAX => whole_deposit(account, index, &bank)?,
        amount => amount,
    };
    let debit = ledger::debit(account, index, &mut bank, amount)?;
    ledger::require_borrow_allowed(&bank, debit)?;
    ledger::pay_out(&mut bank, amount, now)?;
    account.touch();
    account.release_balance(index)?;
    scene.banks.insert(*address, bank);
    Ok(Effect::checked(None, require_withdrawal_margin(scene, account)))
}

fn whole_deposit(account: &MarginAccount, index: usize, bank: &Bank) -> Result<u64> {
    let (held, is_borrow) = bridge::balance_amount(&account.balances[index], bank)?;
    if held == 0 || is_borrow { Err(PlimsollError::ZeroAmount) } else { Ok(held) }
}

/// Checks that tokens may leave against an account.
fn require_withdrawal_margin(scene: &Snapshot, account: &MarginAccount) -> Result<()> {
    if account.has_no_liability() {
        return Ok(());
    }
    scene.exchange.data.require_quote_sound(scene.timestamp())?;
    let margin = scene.margin_or_refusal(account)?;
    if margin.blocked_by.is_some() {
        return Err(PlimsollError::OracleStale);
    }
    if health_init(&margin)? < 0 {
        return Err(PlimsollError::InsufficientMargin);
    }
    require_settled(scene, account)
}

/// Checks that initial health does not rest on gains that the house has not paid.
pub(crate) fn require_settled(scene: &Snapshot, account: &MarginAccount) -> Result<()> {
    if scene.withdrawal_health(account).map_err(program_error)? < 0 {
        return Err(PlimsollError::UnsettledGain);
    }
    Ok(())
}
