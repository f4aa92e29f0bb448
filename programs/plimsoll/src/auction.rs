//! The auctions of an account below its line: when each started, and how long it has run.

use anchor_lang::prelude::*;
use plimsoll_interface::{PlimsollError, accounts::MarginAccount, config::ExchangeConfig};
use plimsoll_risk::{
    portfolio::Margin,
    units::{Seconds, Timestamp},
};

use crate::book;

/// Starts, continues or ends the auction, as the account's health is; and within it the insolvency, as its equity is. An
/// account that nobody has seen so for as long as the auction lasts starts anew: it may have been healthy, or have had
/// equity, in between.
///
/// The insolvency has a start of its own, so that who lets an account sink through zero starts at no reward, and an
/// account that comes back above zero is where its auction was.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn update(account: &mut MarginAccount, config: &ExchangeConfig, margin: &Margin, now: Timestamp) -> Result<()> {
    if book::health_maint(margin)? >= 0 {
        account.liquidation_started_at = 0;
        account.liquidation_seen_at = 0;
        account.insolvent_since = 0;
        return Ok(());
    }
    let unseen = now.raw().checked_sub(account.liquidation_seen_at).ok_or(PlimsollError::Overflow)?;
    let lapsed = |duration_seconds: u32| unseen > i64::from(duration_seconds);
    if account.liquidation_started_at == 0 || lapsed(config.liquidation_duration_seconds) {
        account.liquidation_started_at = now.raw();
    }
    if margin.equity_maint.is_positive() {
        account.insolvent_since = 0;
    } else if account.insolvent_since == 0 || lapsed(config.insolvency_duration_seconds) {
        account.insolvent_since = now.raw();
    }
    account.liquidation_seen_at = now.raw();
    Ok(())
}

/// Time since the auction started.
pub fn elapsed(account: &MarginAccount, now: Timestamp) -> Result<Seconds> {
    since(account.liquidation_started_at, now)
}

/// Time since the account was first seen without equity.
pub fn insolvent_for(account: &MarginAccount, now: Timestamp) -> Result<Seconds> {
    since(account.insolvent_since, now)
}

fn since(start: i64, now: Timestamp) -> Result<Seconds> {
    Ok(Seconds::from_raw(now.raw().checked_sub(start).ok_or(PlimsollError::Overflow)?))
}
