//! The one bridge between accounts and mathematics: turns a margin account, and the banks and markets that it names,
//! into a [`Portfolio`]. The program calls it with accounts that it has checked, a client with accounts that it has
//! fetched; both then call the same engine, so their margins agree to the last unit (INV-7).

use core::ops::Deref;

use plimsoll_risk::{
    interest,
    math::{self, mul_ppm_ceil, mul_shift_ceil, mul_shift_floor},
    portfolio::{Portfolio, Underlying},
    price::{self, Observation},
    units::{Base, Ppm, Q48, Quote, Seconds, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    accounts::{BalanceSlot, Bank, MAX_MARKETS, MarginAccount, Market, MarketSlot, NO_MARKET},
};

/// Where the bridge finds banks and markets.
pub trait Inputs {
    /// How it lends a bank.
    type BankRef<'a>: Deref<Target = Bank>
    where
        Self: 'a;
    /// How it lends a market.
    type MarketRef<'a>: Deref<Target = Market>
    where
        Self: 'a;

    /// The bank at an address.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBank`].
    fn bank(&self, address: &Address) -> Result<Self::BankRef<'_>, PlimsollError>;

    /// The market at an address, and the price at which this transaction sees it: the stored observation, or a younger
    /// one.
    ///
    /// # Errors
    /// [`PlimsollError::MissingMarket`], or what was wrong with its price account.
    fn market(&self, address: &Address) -> Result<(Self::MarketRef<'_>, Observation), PlimsollError>;
}

/// The portfolio of `account` at time `now`, written into `portfolio`, which must be new. Markets are asked for in slot
/// order, then banks in slot order.
///
/// Deposits are valued down and borrows up, to the unit of their mint; interest is what the banks have accrued so far.
///
/// # Errors
/// What `inputs` answers; [`PlimsollError::OracleNeverObserved`]; [`PlimsollError::Overflow`].
#[inline(always)]
pub fn portfolio<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    portfolio: &mut Portfolio,
) -> Result<(), PlimsollError> {
    let mut position_of_slot = [u8::MAX; MAX_MARKETS];
    let mut quote = portfolio.quote.raw();
    for (slot, position) in account.markets.iter().zip(&mut position_of_slot) {
        if slot.in_use == 0 {
            continue;
        }
        let (market, observation) = inputs.market(&slot.market)?;
        let index = portfolio.push(underlying(slot, &market, observation, now)?)?;
        *position = u8::try_from(index).map_err(|_| PlimsollError::Corrupt)?;
        quote = quote.checked_add(slot.cash).ok_or(PlimsollError::Overflow)?;
    }
    portfolio.quote = Quote::from_raw(quote);
    for slot in &account.balances {
        if slot.in_use == 0 {
            continue;
        }
        let bank = inputs.bank(&slot.bank)?;
        if slot.market_slot == NO_MARKET {
            add_quote_balance(portfolio, slot, &bank)?;
        } else {
            let position = *position_of_slot.get(usize::from(slot.market_slot)).ok_or(PlimsollError::Corrupt)?;
            add_balance(portfolio.underlying_mut(usize::from(position))?, slot, &bank)?;
        }
    }
    Ok(())
}

/// The underlying of a market slot, with its position and without balances.
#[inline(always)]
fn underlying(
    slot: &MarketSlot,
    market: &Market,
    observation: Observation,
    now: Timestamp,
) -> Result<Underlying, PlimsollError> {
    let config = &market.config;
    if observation.spot.raw() == 0 {
        return Err(PlimsollError::OracleNeverObserved);
    }
    let freshness = price::freshness(
        observation.publish_time,
        now,
        Seconds::from_raw(i64::from(config.max_age_seconds)),
        Seconds::from_raw(i64::from(config.dead_age_seconds)),
    );
    Ok(Underlying {
        exposure: Base::from_raw(slot.size),
        has_liability: slot.size != 0,
        observation,
        freshness,
        range: Ppm::from_raw(config.range_ppm),
        confidence_multiplier: Ppm::from_raw(config.confidence_multiplier_ppm),
        group: config.group,
        addon_init: 0,
        addon_maint: 0,
    })
}

/// A balance's native amount, deposits rounded down and borrows up, and whether it is a borrow.
#[inline(always)]
pub fn balance_amount(slot: &BalanceSlot, bank: &Bank) -> Result<(u64, bool), PlimsollError> {
    let shares = slot.shares.unsigned_abs();
    if slot.shares < 0 {
        Ok((interest::borrow_amount(shares, bank.borrow_index())?, true))
    } else {
        Ok((interest::deposit_amount(shares, bank.deposit_index())?, false))
    }
}

fn add_quote_balance(portfolio: &mut Portfolio, slot: &BalanceSlot, bank: &Bank) -> Result<(), PlimsollError> {
    let (amount, is_borrow) = balance_amount(slot, bank)?;
    let amount = i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?;
    if is_borrow {
        let value = amount.unsigned_abs();
        portfolio.quote = add_quote(portfolio.quote, amount.checked_neg().ok_or(PlimsollError::Overflow)?)?;
        add_weight(&mut portfolio.quote_addon_init, value, bank.config.borrow_weight_init_ppm)?;
        add_weight(&mut portfolio.quote_addon_maint, value, bank.config.borrow_weight_maint_ppm)
    } else {
        portfolio.quote = add_quote(portfolio.quote, amount)?;
        Ok(())
    }
}

#[inline(always)]
fn add_balance(underlying: &mut Underlying, slot: &BalanceSlot, bank: &Bank) -> Result<(), PlimsollError> {
    let (amount, is_borrow) = balance_amount(slot, bank)?;
    let base = scale_up(amount, bank.scale_decimals)?;
    let signed = i64::try_from(base).map_err(|_| PlimsollError::Overflow)?;
    let exposure = underlying.exposure.raw();
    let price = underlying.observation.spot.raw();
    let config = &bank.config;
    if is_borrow {
        underlying.has_liability = true;
        underlying.exposure = Base::from_raw(exposure.checked_sub(signed).ok_or(PlimsollError::Overflow)?);
        let value = mul_shift_ceil(base, price, Q48).ok_or(PlimsollError::Overflow)?;
        add_weight(&mut underlying.addon_init, value, config.borrow_weight_init_ppm)?;
        add_weight(&mut underlying.addon_maint, value, config.borrow_weight_maint_ppm)
    } else {
        underlying.exposure = Base::from_raw(exposure.checked_add(signed).ok_or(PlimsollError::Overflow)?);
        let value = mul_shift_floor(base, price, Q48).ok_or(PlimsollError::Overflow)?;
        add_weight(&mut underlying.addon_init, value, config.haircut_init_ppm)?;
        add_weight(&mut underlying.addon_maint, value, config.haircut_maint_ppm)
    }
}

/// A native amount in base units of the bank's market.
#[inline(always)]
fn scale_up(amount: u64, decimals: u8) -> Result<u64, PlimsollError> {
    if decimals == 0 {
        return Ok(amount);
    }
    let scale = math::pow10(u32::from(decimals)).ok_or(PlimsollError::Corrupt)?;
    math::mul_checked(amount, scale).ok_or(PlimsollError::Overflow)
}

/// Adds `value * weight`, rounded up: an add-on is a requirement.
#[inline(always)]
fn add_weight(addon: &mut u64, value: u64, weight_ppm: u32) -> Result<(), PlimsollError> {
    if weight_ppm != 0 {
        let weighted = mul_ppm_ceil(value, Ppm::from_raw(weight_ppm)).ok_or(PlimsollError::Overflow)?;
        *addon = addon.checked_add(weighted).ok_or(PlimsollError::Overflow)?;
    }
    Ok(())
}

#[inline(always)]
fn add_quote(quote: Quote, amount: i64) -> Result<Quote, PlimsollError> {
    quote.raw().checked_add(amount).map(Quote::from_raw).ok_or(PlimsollError::Overflow)
}
