//! An account without equity: what is due to who takes it over, and when its loss may be covered by others.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{House, MarginAccount},
    config::ExchangeConfig,
    effect::ledger,
};
use plimsoll_risk::{
    liquidation,
    portfolio::Margin,
    price::Freshness,
    units::{Fraction, Ppm, Timestamp},
};

use crate::{
    auction,
    book::{self, Book},
};
use plimsoll_interface::accounts::Bank;

/// What is taken over, and what the insurance pays for it.
pub struct Terms {
    /// The fraction.
    pub fraction: Fraction,
    /// Quote native.
    pub payout: u64,
    /// Part of the requirement taken over that is paid besides the debt.
    pub reward: Ppm,
}

/// Checks that an account is below its line without equity, and that the prices which say so are fresh, or of a feed that
/// has stopped for good: where a benefit of the doubt is given, nobody else pays.
///
/// # Errors
/// [`PlimsollError::AccountHealthy`], [`PlimsollError::AccountSolvent`], [`PlimsollError::OracleStale`].
pub fn require_insolvent(book: &Book<'_>, account: &MarginAccount, margin: &Margin, now: Timestamp) -> Result<()> {
    require!(book::health_maint(margin)? < 0, PlimsollError::AccountHealthy);
    require!(!margin.equity_maint.is_positive(), PlimsollError::AccountSolvent);
    for slot in account.markets.iter().filter(|slot| slot.in_use == 1) {
        require!(book.freshness_of(&slot.market, now)? != Freshness::Stale, PlimsollError::OracleStale);
    }
    Ok(())
}

/// The reward that the insolvency has reached.
pub fn reward(account: &MarginAccount, config: &ExchangeConfig, now: Timestamp) -> Result<Ppm> {
    Ok(liquidation::insolvent_reward(&config.insolvency(), auction::insolvent_for(account, now)?))
}

/// What is due for the whole account, quote native.
pub fn due(account: &MarginAccount, margin: &Margin, config: &ExchangeConfig, now: Timestamp) -> Result<u64> {
    let reward = reward(account, config, now)?;
    let due = liquidation::insolvent_due(margin.equity_maint, margin.requirement_maint, reward);
    Ok(due.map_err(PlimsollError::from)?)
}

/// The fraction that the insurance can pay for, or what the taker wants of it, at the reward that the insolvency has
/// reached.
///
/// # Errors
/// [`PlimsollError::AccountInsolvent`] where the insurance can pay for none.
pub fn terms(
    account: &MarginAccount,
    margin: &Margin,
    config: &ExchangeConfig,
    insurance: u64,
    max_fraction: u64,
    now: Timestamp,
) -> Result<Terms> {
    let reward = reward(account, config, now)?;
    let (equity, requirement) = (margin.equity_maint, margin.requirement_maint);
    let full = liquidation::insolvent_fraction(equity, requirement, reward, insurance).map_err(PlimsollError::from)?;
    let fraction = full.min(Fraction::from_raw(max_fraction));
    require!(fraction.raw() > 0, PlimsollError::AccountInsolvent);
    let payout = liquidation::insolvent_payout(fraction, equity, requirement, reward).map_err(PlimsollError::from)?;
    Ok(Terms { fraction, payout, reward })
}

/// What of the house's quote deposit is above its floor, quote native.
pub fn house_above_floor(house: &House, quote_bank: &Bank, config: &ExchangeConfig) -> Result<u64> {
    Ok(ledger::house_quote(house, quote_bank)?.saturating_sub(config.house_floor))
}

/// Whether the insolvency has lasted as long as its auction: nobody took the account over at any reward.
pub fn has_run_out(account: &MarginAccount, config: &ExchangeConfig, now: Timestamp) -> Result<bool> {
    Ok(auction::insolvent_for(account, now)?.raw() >= i64::from(config.insolvency_duration_seconds))
}
