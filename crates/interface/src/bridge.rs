//! The one bridge between accounts and mathematics: turns a margin account, and the banks and markets that it names,
//! into a [`Portfolio`]. The program calls it with accounts that it has checked, a client with accounts that it has
//! fetched; both then call the same engine, so their margins agree to the last unit (INV-7).

use plimsoll_risk::{
    interest,
    math::{self, mul_ppm_ceil, mul_shift_ceil, mul_shift_floor},
    portfolio::{Portfolio, Underlying},
    price::{self, Observation},
    units::{Base, Ppm, Price, Q48, Quote, Seconds, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    accounts::{BalanceSlot, Bank, MAX_MARKETS, MarginAccount, Market, MarketSlot, NO_MARKET},
};

/// A market and the price at which this transaction sees it: the stored observation, or a younger one.
pub struct MarketInput<'a> {
    /// The market.
    pub market: &'a Market,
    /// The price.
    pub observation: Observation,
}

/// Where the bridge finds banks and markets.
pub trait Inputs {
    /// The bank at an address. `hint` is the place where it stands if the caller listed accounts in slot order.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBank`].
    fn bank(&self, address: &Address, hint: usize) -> Result<&Bank, PlimsollError>;

    /// The market at an address, likewise.
    ///
    /// # Errors
    /// [`PlimsollError::MissingMarket`], or what was wrong with its price account.
    fn market(&self, address: &Address, hint: usize) -> Result<MarketInput<'_>, PlimsollError>;
}

/// The portfolio of `account` at time `now`, written into `portfolio`, which must be new.
///
/// Deposits are valued down and borrows up, to the unit of their mint; interest is what the banks have accrued so far.
///
/// # Errors
/// What `inputs` answers; [`PlimsollError::OracleNeverObserved`]; [`PlimsollError::Overflow`].
pub fn portfolio<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    portfolio: &mut Portfolio,
) -> Result<(), PlimsollError> {
    let mut position_of_slot = [0usize; MAX_MARKETS];
    let mut price_of_slot = [Price::from_raw(0); MAX_MARKETS];
    let mut hint = 0usize;
    for ((slot, position), price) in account.markets.iter().zip(&mut position_of_slot).zip(&mut price_of_slot) {
        if slot.in_use == 0 {
            continue;
        }
        let input = inputs.market(&slot.market, hint)?;
        hint = hint.wrapping_add(1);
        *price = input.observation.spot;
        *position = portfolio.push(underlying(slot, &input, now)?)?;
        portfolio.quote = add_quote(portfolio.quote, slot.cash)?;
    }
    let mut hint = 0usize;
    for slot in &account.balances {
        if slot.in_use == 0 {
            continue;
        }
        let bank = inputs.bank(&slot.bank, hint)?;
        hint = hint.wrapping_add(1);
        let market_slot = usize::from(slot.market_slot);
        if slot.market_slot == NO_MARKET {
            add_quote_balance(portfolio, slot, bank)?;
        } else {
            let position = *position_of_slot.get(market_slot).ok_or(PlimsollError::Corrupt)?;
            let price = *price_of_slot.get(market_slot).ok_or(PlimsollError::Corrupt)?;
            add_balance(portfolio.underlying_mut(position)?, slot, bank, price)?;
        }
    }
    Ok(())
}

/// The underlying of a market slot, with its position and without balances.
#[inline(always)]
fn underlying(slot: &MarketSlot, input: &MarketInput<'_>, now: Timestamp) -> Result<Underlying, PlimsollError> {
    let config = &input.market.config;
    if input.observation.spot.raw() == 0 {
        return Err(PlimsollError::OracleNeverObserved);
    }
    let freshness = price::freshness(
        input.observation.publish_time,
        now,
        Seconds::from_raw(i64::from(config.max_age_seconds)),
        Seconds::from_raw(i64::from(config.dead_age_seconds)),
    );
    Ok(Underlying {
        exposure: Base::from_raw(slot.size),
        has_liability: slot.size != 0,
        observation: input.observation,
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

fn add_balance(
    underlying: &mut Underlying,
    slot: &BalanceSlot,
    bank: &Bank,
    price: Price,
) -> Result<(), PlimsollError> {
    let (amount, is_borrow) = balance_amount(slot, bank)?;
    let scale = math::pow10(u32::from(bank.scale_decimals)).ok_or(PlimsollError::Corrupt)?;
    let base = amount.checked_mul(scale).ok_or(PlimsollError::Overflow)?;
    let signed = i64::try_from(base).map_err(|_| PlimsollError::Overflow)?;
    let exposure = underlying.exposure.raw();
    let config = &bank.config;
    if is_borrow {
        underlying.has_liability = true;
        underlying.exposure = Base::from_raw(exposure.checked_sub(signed).ok_or(PlimsollError::Overflow)?);
        let value = mul_shift_ceil(base, price.raw(), Q48).ok_or(PlimsollError::Overflow)?;
        add_weight(&mut underlying.addon_init, value, config.borrow_weight_init_ppm)?;
        add_weight(&mut underlying.addon_maint, value, config.borrow_weight_maint_ppm)
    } else {
        underlying.exposure = Base::from_raw(exposure.checked_add(signed).ok_or(PlimsollError::Overflow)?);
        let value = mul_shift_floor(base, price.raw(), Q48).ok_or(PlimsollError::Overflow)?;
        add_weight(&mut underlying.addon_init, value, config.haircut_init_ppm)?;
        add_weight(&mut underlying.addon_maint, value, config.haircut_maint_ppm)
    }
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
