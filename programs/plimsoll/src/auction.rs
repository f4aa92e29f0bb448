//! The auction of an account below its line: when it started, and what discount it has reached.

use anchor_lang::prelude::*;
use plimsoll_interface::{PlimsollError, accounts::MarginAccount, config::ExchangeConfig};
use plimsoll_risk::units::{Seconds, Timestamp};

/// Starts, continues or ends the auction, as the account's health is. An account that nobody has seen below its line
/// for as long as an auction lasts starts anew: it may have been healthy in between.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn update(account: &mut MarginAccount, config: &ExchangeConfig, is_below: bool, now: Timestamp) -> Result<()> {
    if !is_below {
        account.liquidation_started_at = 0;
        account.liquidation_seen_at = 0;
        return Ok(());
    }
    let unseen = now.raw().checked_sub(account.liquidation_seen_at).ok_or(PlimsollError::Overflow)?;
    let lapsed = unseen > i64::from(config.liquidation_duration_seconds);
    if account.liquidation_started_at == 0 || lapsed {
        account.liquidation_started_at = now.raw();
    }
    account.liquidation_seen_at = now.raw();
    Ok(())
}

/// Time since the auction started.
pub fn elapsed(account: &MarginAccount, now: Timestamp) -> Result<Seconds> {
    let elapsed = now.raw().checked_sub(account.liquidation_started_at).ok_or(PlimsollError::Overflow)?;
    Ok(Seconds::from_raw(elapsed))
}
