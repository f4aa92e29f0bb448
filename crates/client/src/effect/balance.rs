//! `deposit` and `withdraw`.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::MarginAccount,
    effect::{balance, margin},
};

use super::{Effect, Result, program_error};
use crate::Snapshot;

/// `deposit` of `received` native units behind the mint's fee.
pub(crate) fn deposit(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    address: &Address,
    received: u64,
) -> Result<Effect> {
    balance::admit_deposit(&scene.exchange.data, received)?;
    let mut bank = scene.bank_copy(address)?;
    balance::deposit(account, (address, &mut bank), received, scene.timestamp())?;
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
    balance::admit_withdrawal(&scene.exchange.data, account, amount)?;
    let mut bank = scene.bank_copy(address)?;
    balance::withdraw(account, (address, &mut bank), amount, scene.timestamp())?;
    scene.banks.insert(*address, bank);
    Ok(Effect::checked(None, require_withdrawal_margin(scene, account)))
}

/// Checks that tokens may leave against an account.
fn require_withdrawal_margin(scene: &Snapshot, account: &MarginAccount) -> Result<()> {
    if account.has_no_liability() {
        return Ok(());
    }
    scene.exchange.data.require_quote_sound(scene.timestamp())?;
    margin::require_init(&scene.margin_or_refusal(account)?)?;
    require_settled(scene, account)
}

/// Checks that initial health does not rest on gains that the house has not paid.
pub(crate) fn require_settled(scene: &Snapshot, account: &MarginAccount) -> Result<()> {
    if scene.withdrawal_health(account).map_err(program_error)? < 0 {
        return Err(PlimsollError::UnsettledGain);
    }
    Ok(())
}
