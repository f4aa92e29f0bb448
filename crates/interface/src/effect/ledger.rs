//! Balances of the banks: what a deposit, a withdrawal, a payment between accounts and an accrual do to shares and
//! totals. Every rounding favours the bank: deposits become shares rounded down, withdrawals and borrows burn or make
//! shares rounded up. All functions keep INV-1, vault + borrows >= deposits + reserve.

use plimsoll_risk::{
    interest::{self, Accrual},
    units::Timestamp,
};

use super::Result;
use crate::{
    PlimsollError,
    accounts::{Bank, House, MarginAccount},
    config::state,
};

/// Accrues a bank's interest up to `now`.
///
/// # Errors
/// [`PlimsollError::ClockWentBack`], [`PlimsollError::Overflow`].
pub fn accrue(bank: &mut Bank, now: Timestamp) -> Result<()> {
    let elapsed = now.raw().checked_sub(bank.accrued_at).ok_or(PlimsollError::Overflow)?;
    let elapsed = u64::try_from(elapsed).map_err(|_| PlimsollError::ClockWentBack)?;
    if elapsed == 0 {
        return Ok(());
    }
    let Accrual { deposit_index, borrow_index, reserve_delta } = interest::accrue(
        &bank.config.rates(),
        bank.deposit_index(),
        bank.borrow_index(),
        bank.deposit_shares,
        bank.borrow_shares,
        elapsed,
    )?;
    bank.reserve = bank.reserve.checked_add(reserve_delta).ok_or(PlimsollError::Overflow)?;
    bank.deposit_index = deposit_index.raw();
    bank.borrow_index = borrow_index.raw();
    bank.accrued_at = now.raw();
    Ok(())
}

/// The bank's deposits, native, rounded up: what it owes at most.
pub fn total_deposits(bank: &Bank) -> Result<u64> {
    Ok(interest::borrow_amount(bank.deposit_shares, bank.deposit_index())?)
}

/// The bank's borrows, native, rounded up.
pub fn total_borrows(bank: &Bank) -> Result<u64> {
    Ok(interest::borrow_amount(bank.borrow_shares, bank.borrow_index())?)
}

/// What taking an amount out of a balance did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Debit {
    /// Native amount of it that was newly borrowed.
    pub borrowed: u64,
}

/// Puts `amount` into the balance at `index`: repays its borrow first, then deposits. Gives the shares burnt and minted:
/// none where the amount is worth less than one, in which case the bank keeps it.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn credit(account: &mut MarginAccount, index: usize, bank: &mut Bank, amount: u64) -> Result<u64> {
    let slot = account.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
    let mut rest = amount;
    let mut changed = 0u64;
    if slot.shares < 0 {
        let shares = slot.shares.unsigned_abs();
        let owed = interest::borrow_amount(shares, bank.borrow_index())?;
        let (repaid, burnt) =
            if rest >= owed { (owed, shares) } else { (rest, interest::shares_to_repay(rest, bank.borrow_index())?) };
        rest = rest.checked_sub(repaid).ok_or(PlimsollError::Overflow)?;
        bank.borrow_shares = bank.borrow_shares.checked_sub(burnt).ok_or(PlimsollError::Corrupt)?;
        slot.shares = slot.shares.checked_add_unsigned(burnt).ok_or(PlimsollError::Corrupt)?;
        changed = burnt;
    }
    if rest > 0 {
        let minted = interest::shares_for_deposit(rest, bank.deposit_index())?;
        bank.deposit_shares = bank.deposit_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
        slot.shares = slot.shares.checked_add_unsigned(minted).ok_or(PlimsollError::Overflow)?;
        changed = changed.checked_add(minted).ok_or(PlimsollError::Overflow)?;
    }
    Ok(changed)
}

/// Takes `amount` out of the balance at `index`: from its deposit first, then as a borrow.
///
/// # Errors
/// [`PlimsollError::BankReduceOnly`] and [`PlimsollError::BorrowCap`] where a borrow is not accepted.
pub fn debit(account: &mut MarginAccount, index: usize, bank: &mut Bank, amount: u64) -> Result<Debit> {
    let slot = account.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
    let mut rest = amount;
    if slot.shares > 0 {
        let shares = slot.shares.unsigned_abs();
        let held = interest::deposit_amount(shares, bank.deposit_index())?;
        let (taken, burnt) = if rest >= held {
            (held, shares)
        } else {
            (rest, interest::shares_to_burn_for_withdraw(rest, bank.deposit_index())?.min(shares))
        };
        rest = rest.checked_sub(taken).ok_or(PlimsollError::Overflow)?;
        bank.deposit_shares = bank.deposit_shares.checked_sub(burnt).ok_or(PlimsollError::Corrupt)?;
        slot.shares = slot.shares.checked_sub_unsigned(burnt).ok_or(PlimsollError::Corrupt)?;
    }
    if rest > 0 {
        let minted = interest::shares_for_borrow(rest, bank.borrow_index())?;
        bank.borrow_shares = bank.borrow_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
        slot.shares = slot.shares.checked_sub_unsigned(minted).ok_or(PlimsollError::Overflow)?;
    }
    Ok(Debit { borrowed: rest })
}

/// Checks that a bank may carry what was just borrowed from it.
///
/// # Errors
/// [`PlimsollError::BankReduceOnly`], [`PlimsollError::BorrowCap`].
pub fn require_borrow_allowed(bank: &Bank, debit: Debit) -> Result<()> {
    if debit.borrowed == 0 {
        return Ok(());
    }
    if bank.config.state != state::ACTIVE {
        return Err(PlimsollError::BankReduceOnly);
    }
    if total_borrows(bank)? > bank.config.borrow_cap {
        return Err(PlimsollError::BorrowCap);
    }
    Ok(())
}

/// Checks that a bank may take what was just deposited into it.
///
/// # Errors
/// [`PlimsollError::BankReduceOnly`], [`PlimsollError::DepositCap`].
pub fn require_deposit_allowed(bank: &Bank) -> Result<()> {
    require_room(bank, 0)
}

/// Checks that a bank may take deposits of `more` besides what it has.
///
/// # Errors
/// [`PlimsollError::BankReduceOnly`], [`PlimsollError::DepositCap`].
pub fn require_room(bank: &Bank, more: u64) -> Result<()> {
    if bank.config.state != state::ACTIVE {
        return Err(PlimsollError::BankReduceOnly);
    }
    if total_deposits(bank)?.checked_add(more).ok_or(PlimsollError::Overflow)? > bank.config.deposit_cap {
        return Err(PlimsollError::DepositCap);
    }
    Ok(())
}

/// Takes `paid` out of the balance at `from_index` and puts `received` of it, no more, into the balance at `to_index` of
/// another account; the difference is the caller's to put elsewhere in the bank (INV-1). What the payer has not, it borrows,
/// as if it withdrew it and the receiver deposited it: so no more than the vault holds, within the borrow cap, and, as
/// deposits may rise by it, within the deposit cap. Without a borrow no total of the bank rises.
///
/// # Errors
/// [`PlimsollError::BankReduceOnly`], [`PlimsollError::BorrowCap`], [`PlimsollError::VaultInsufficient`],
/// [`PlimsollError::DepositCap`], [`PlimsollError::AmountTooSmall`].
pub fn pay(
    (from, from_index): (&mut MarginAccount, usize),
    (to, to_index): (&mut MarginAccount, usize),
    bank: &mut Bank,
    (paid, received): (u64, u64),
) -> Result<Debit> {
    let debit = debit(from, from_index, bank, paid)?;
    require_borrow_allowed(bank, debit)?;
    if debit.borrowed > bank.vault_amount {
        return Err(PlimsollError::VaultInsufficient);
    }
    let changed = credit(to, to_index, bank, received)?;
    if changed == 0 && received != 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let is_deposit = to.balances.get(to_index).is_some_and(|slot| slot.shares > 0);
    if debit.borrowed > 0 && is_deposit {
        require_deposit_allowed(bank)?;
    }
    Ok(debit)
}

/// Counts tokens that come into the vault. Every path where they do goes through here.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn receive(bank: &mut Bank, amount: u64) -> Result<()> {
    bank.vault_amount = bank.vault_amount.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    bank.outflow = bank.outflow.saturating_sub(amount);
    Ok(())
}

/// Counts tokens that leave the vault, against the limit of the running window. Every path where they do goes through
/// here; what only changes hands inside a bank does not. A window starts with the first token that leaves after the last
/// one is over, so twice the limit may leave around its end, and never more.
///
/// # Errors
/// [`PlimsollError::VaultInsufficient`], [`PlimsollError::OutflowLimit`].
pub fn pay_out(bank: &mut Bank, amount: u64, now: Timestamp) -> Result<()> {
    bank.vault_amount = bank.vault_amount.checked_sub(amount).ok_or(PlimsollError::VaultInsufficient)?;
    if bank.config.outflow_limit == u64::MAX {
        return Ok(());
    }
    let elapsed = now.raw().checked_sub(bank.outflow_window_start).ok_or(PlimsollError::Overflow)?;
    if elapsed >= i64::from(bank.config.outflow_window_seconds) {
        bank.outflow_window_start = now.raw();
        bank.outflow = 0;
    }
    bank.outflow = bank.outflow.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    if bank.outflow > bank.config.outflow_limit {
        return Err(PlimsollError::OutflowLimit);
    }
    Ok(())
}

/// The house's quote deposit, native, rounded down.
pub fn house_quote(house: &House, bank: &Bank) -> Result<u64> {
    Ok(interest::deposit_amount(house.quote_shares, bank.deposit_index())?)
}

/// Puts `amount` of quote into the house's deposit. Gives the shares minted: none where the amount is worth less than
/// one, in which case the bank keeps it.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn house_credit(house: &mut House, bank: &mut Bank, amount: u64) -> Result<u64> {
    let minted = interest::shares_for_deposit(amount, bank.deposit_index())?;
    house.quote_shares = house.quote_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
    bank.deposit_shares = bank.deposit_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
    Ok(minted)
}

/// Takes `amount` of quote out of the house's deposit.
///
/// # Errors
/// [`PlimsollError::HouseInsufficient`].
pub fn house_debit(house: &mut House, bank: &mut Bank, amount: u64) -> Result<()> {
    let burnt = interest::shares_to_burn_for_withdraw(amount, bank.deposit_index())?;
    house.quote_shares = house.quote_shares.checked_sub(burnt).ok_or(PlimsollError::HouseInsufficient)?;
    bank.deposit_shares = bank.deposit_shares.checked_sub(burnt).ok_or(PlimsollError::Corrupt)?;
    Ok(())
}

/// What the house holds of a collateral from spot swaps, native, rounded down.
pub fn house_inventory(bank: &Bank) -> Result<u64> {
    Ok(interest::deposit_amount(bank.inventory_shares, bank.deposit_index())?)
}

/// Puts `amount` of a collateral into the house's inventory.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn inventory_credit(bank: &mut Bank, amount: u64) -> Result<()> {
    let minted = interest::shares_for_deposit(amount, bank.deposit_index())?;
    bank.inventory_shares = bank.inventory_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
    bank.deposit_shares = bank.deposit_shares.checked_add(minted).ok_or(PlimsollError::Overflow)?;
    Ok(())
}

/// Takes `amount` of a collateral out of the house's inventory.
///
/// # Errors
/// [`PlimsollError::SwapInventory`].
pub fn inventory_debit(bank: &mut Bank, amount: u64) -> Result<()> {
    let burnt = interest::shares_to_burn_for_withdraw(amount, bank.deposit_index())?;
    bank.inventory_shares = bank.inventory_shares.checked_sub(burnt).ok_or(PlimsollError::SwapInventory)?;
    bank.deposit_shares = bank.deposit_shares.checked_sub(burnt).ok_or(PlimsollError::Corrupt)?;
    Ok(())
}

/// Moves `shares` of the balance at `from_index` to the balance at `to_index` of another account: deposits where they
/// are positive, borrows where negative. Shares move as they are where the receiving balance has the same sign or is
/// empty, so that the two amounts add up exactly; otherwise the receiver's opposite balance is paid down first, rounded
/// in the bank's favour. No total of the bank rises, so no cap is asked.
///
/// # Errors
/// [`PlimsollError::Overflow`], [`PlimsollError::Corrupt`].
pub fn transfer_shares(
    from: &mut MarginAccount,
    from_index: usize,
    to: &mut MarginAccount,
    to_index: usize,
    bank: &mut Bank,
    shares: i64,
) -> Result<()> {
    let source = from.balances.get_mut(from_index).ok_or(PlimsollError::Corrupt)?;
    source.shares = source.shares.checked_sub(shares).ok_or(PlimsollError::Overflow)?;
    let target = to.balances.get_mut(to_index).ok_or(PlimsollError::Corrupt)?;
    let opposite = target.shares != 0 && shares != 0 && (target.shares < 0) != (shares < 0);
    if !opposite {
        target.shares = target.shares.checked_add(shares).ok_or(PlimsollError::Overflow)?;
        return Ok(());
    }
    let moved = shares.unsigned_abs();
    if shares > 0 {
        let amount = interest::deposit_amount(moved, bank.deposit_index())?;
        bank.deposit_shares = bank.deposit_shares.checked_sub(moved).ok_or(PlimsollError::Corrupt)?;
        credit(to, to_index, bank, amount).map(|_| ())
    } else {
        let amount = interest::borrow_amount(moved, bank.borrow_index())?;
        bank.borrow_shares = bank.borrow_shares.checked_sub(moved).ok_or(PlimsollError::Corrupt)?;
        debit(to, to_index, bank, amount).map(|_| ())
    }
}
