//! `swap` of a collateral against quote with the house, up to the account's margin.

use core::borrow::Borrow;

use plimsoll_risk::{
    portfolio::{Margin, RiskParameters},
    price::{Freshness, Observation},
    trade::{self, TradeQuote},
    units::{Base, Timestamp},
};

use super::{Result, inventory, ledger, margin::health_init, trading::require_narrow};
use crate::{
    Address, PlimsollError,
    accounts::{BalanceSlot, Bank, Exchange, House, MarginAccount, Market, deferral},
    bridge::{self, Side},
    config::{pause, state},
    instruction::SwapArgs,
};

/// The accounts of a swap.
pub struct Parties<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The trader's margin account.
    pub account: &'a mut MarginAccount,
    /// The exchange's house.
    pub house: &'a mut House,
    /// The exchange's quote bank.
    pub quote_bank: &'a mut Bank,
    /// Address of the bank of the mint.
    pub bank_address: &'a Address,
    /// The bank of the mint.
    pub bank: &'a mut Bank,
    /// The market that prices it.
    pub market: &'a mut Market,
}

/// What is paid for what.
pub struct Terms {
    /// Native amount of the mint.
    pub amount: u64,
    /// Whether the account buys it.
    pub buys: bool,
    /// Base units of the market, negative where the account sells.
    pub base: i64,
    /// Quote native that changes hands, fee included.
    pub paid: u64,
    /// The house's price.
    pub quote: TradeQuote,
}

/// Where the account's two balances stand.
#[derive(Clone, Copy)]
pub struct Places {
    /// Index of the mint's.
    pub bank: usize,
    /// Index of quote's.
    pub quote: usize,
}

/// What a swap did to the trader's account, before its margin is asked.
pub struct Applied {
    /// What was paid for what.
    pub terms: Terms,
    /// Where the account's two balances stand: the caller releases them.
    pub places: Places,
    /// The two balances before.
    pub before: (BalanceSlot, BalanceSlot),
    /// Whether the account borrowed.
    pub borrowed: bool,
    /// Whether the account is between the two ends of a liquidation without capital, of which the second asks for the margin.
    pub deferred: bool,
}

/// Executes a swap at the price just observed, up to the margin. No token moves: the account's balance changes hands with the
/// house's inventory of the same bank, the quote with the house's deposit (INV-1). `risk` are the exchange's parameters now.
///
/// # Errors
/// Those of orders, states, prices, caps and budgets.
#[inline(always)]
pub fn apply(
    parties: &mut Parties<'_>,
    risk: &RiskParameters,
    args: &SwapArgs,
    observation: &Observation,
    now: Timestamp,
) -> Result<Applied> {
    admit(parties, args, observation, now)?;
    parties.market.record(observation, now)?;
    ledger::accrue(parties.bank, now)?;
    ledger::accrue(parties.quote_bank, now)?;
    let terms = terms(parties, args, observation)?;
    let places = Places {
        bank: parties.account.balance_slot_or_new(parties.bank_address, Some(&parties.bank.market))?,
        quote: parties.account.balance_slot_or_new(&parties.exchange.quote_bank, None)?,
    };
    let before = balances(parties.account, places)?;
    let loss_before = inventory::inventory_loss(parties.market, observation, risk, now)?;
    let was_empty = parties.bank.inventory_shares == 0;
    let borrowed = if terms.buys { buy(parties, places, &terms)? } else { sell(parties, places, &terms)? };
    inventory::count_inventory(parties.market, parties.bank, was_empty)?;
    inventory::require_within_budget(parties.market, observation, risk, now, loss_before)?;
    parties.account.touch();
    let reduces = !borrowed && (!terms.buys || balances(parties.account, places)?.0.shares <= 0);
    let deferred = parties.account.deferral != deferral::NONE;
    if !reduces {
        if deferred {
            return Err(PlimsollError::LiquidationInProgress);
        }
        require_opening_allowed(parties, now)?;
    }
    Ok(Applied { terms, places, before, borrowed, deferred })
}

/// Checks what any swap must be, whatever it does.
fn admit(parties: &Parties<'_>, args: &SwapArgs, observation: &Observation, now: Timestamp) -> Result<()> {
    if parties.exchange.config.is_paused(pause::TRADE) {
        return Err(PlimsollError::Paused);
    }
    if args.amount == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if args.expires_at != 0 && now.raw() > args.expires_at {
        return Err(PlimsollError::OrderExpired);
    }
    if inventory::market_freshness(parties.market, observation, now) != Freshness::Fresh {
        return Err(PlimsollError::OracleStale);
    }
    if parties.bank.is_rated() && !parties.bank.rate.is_fresh(now) {
        return Err(PlimsollError::RateOld);
    }
    require_narrow(parties.market, observation)
}

/// The house's price, within the limit: spread and fee of the market, premium on the house's inventory of this mint. The
/// house buys at the rate of deposits and sells at that of debts.
///
/// The premium depends on this inventory alone. One that counted the perpetual's as well would let a trader move it by
/// the one instrument and earn it back by the other, round and round.
fn terms(parties: &Parties<'_>, args: &SwapArgs, observation: &Observation) -> Result<Terms> {
    let (amount, buys) = (args.amount.unsigned_abs(), args.amount > 0);
    let side = if buys { Side::Debt } else { Side::Deposit };
    let base = i64::try_from(bridge::base_units(amount, parties.bank, side)?).map_err(|_| PlimsollError::Overflow)?;
    if base <= 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let base = if buys { base } else { base.wrapping_neg() };
    // The inventory is not negative, so its opposite fits.
    let skew = Base::from_raw(inventory::inventory_base(parties.bank)?.wrapping_neg());
    let pricing = parties.market.config.pricing();
    let quote = trade::quote_trade(&pricing, observation.spot, skew, Base::from_raw(base))?;
    let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
    if outlay == 0 || (outlay > 0) != buys {
        return Err(PlimsollError::AmountTooSmall);
    }
    let paid = outlay.unsigned_abs();
    let acceptable = if buys { paid <= args.limit_amount } else { paid >= args.limit_amount };
    if !acceptable {
        return Err(PlimsollError::LimitPrice);
    }
    Ok(Terms { amount, buys, base, paid, quote })
}

/// The account's two balances.
fn balances(account: &MarginAccount, places: Places) -> Result<(BalanceSlot, BalanceSlot)> {
    let at = |index: usize| account.balances.get(index).copied().ok_or(PlimsollError::Corrupt);
    Ok((at(places.bank)?, at(places.quote)?))
}

fn put_balances(account: &mut MarginAccount, places: Places, (bank, quote): (BalanceSlot, BalanceSlot)) -> Result<()> {
    *account.balances.get_mut(places.bank).ok_or(PlimsollError::Corrupt)? = bank;
    *account.balances.get_mut(places.quote).ok_or(PlimsollError::Corrupt)? = quote;
    Ok(())
}

/// Quote for the mint. Says whether the account borrowed.
fn buy(parties: &mut Parties<'_>, places: Places, terms: &Terms) -> Result<bool> {
    let Parties { account, house, quote_bank, bank, .. } = parties;
    ledger::inventory_debit(bank, terms.amount)?;
    if ledger::credit(account, places.bank, bank, terms.amount)? == 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let debit = ledger::debit(account, places.quote, quote_bank, terms.paid)?;
    ledger::require_borrow_allowed(quote_bank, debit)?;
    ledger::house_credit(house, quote_bank, terms.paid)?;
    Ok(debit.borrowed > 0)
}

/// The mint for quote. Says whether the account borrowed. The house keeps within the bank's cap.
fn sell(parties: &mut Parties<'_>, places: Places, terms: &Terms) -> Result<bool> {
    let Parties { account, house, quote_bank, bank, .. } = parties;
    let debit = ledger::debit(account, places.bank, bank, terms.amount)?;
    ledger::require_borrow_allowed(bank, debit)?;
    ledger::inventory_credit(bank, terms.amount)?;
    if debit.borrowed > 0 {
        ledger::require_deposit_allowed(bank)?;
    }
    if ledger::house_inventory(bank)? > bank.config.swap_cap {
        return Err(PlimsollError::SwapCap);
    }
    ledger::house_debit(house, quote_bank, terms.paid)?;
    ledger::credit(account, places.quote, quote_bank, terms.paid)?;
    Ok(debit.borrowed > 0)
}

/// Checks that a swap that is more than a sale of a deposit or a repayment may happen here and now.
fn require_opening_allowed(parties: &Parties<'_>, now: Timestamp) -> Result<()> {
    if parties.exchange.config.is_paused(pause::OPEN) {
        return Err(PlimsollError::Paused);
    }
    if parties.market.config.state != state::ACTIVE {
        return Err(PlimsollError::MarketReduceOnly);
    }
    if parties.bank.config.state != state::ACTIVE {
        return Err(PlimsollError::BankReduceOnly);
    }
    parties.exchange.require_quote_sound(now)
}

/// Checks the margin after a swap (INV-5), unless the account owes nothing; and for a swap without a borrow that fails it,
/// that it was not better before. What is borrowed here, the account may withdraw: as in a withdrawal, no unpaid gain may
/// stand for it. `assess` looks a margin up, `require_settled` checks that it does not rest on such gains.
///
/// # Errors
/// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`]; those of the margin and of `require_settled`.
#[inline(always)]
pub fn require_margin<A: Borrow<Margin>, E: From<PlimsollError>>(
    assess: impl Fn(&MarginAccount) -> core::result::Result<A, E>,
    require_settled: impl FnOnce(&MarginAccount, &A) -> core::result::Result<(), E>,
    account: &mut MarginAccount,
    applied: &Applied,
) -> core::result::Result<(), E> {
    if account.has_no_liability() {
        return Ok(());
    }
    let assessment = assess(account)?;
    let margin: &Margin = assessment.borrow();
    let (health, is_blocked) = (health_init(margin)?, margin.blocked_by.is_some());
    if !is_blocked && health >= 0 {
        return if applied.borrowed { require_settled(account, &assessment) } else { Ok(()) };
    }
    if applied.borrowed {
        return Err(if is_blocked { PlimsollError::OracleStale } else { PlimsollError::InsufficientMargin }.into());
    }
    let after = balances(account, applied.places)?;
    put_balances(account, applied.places, applied.before)?;
    let before = assess(account);
    put_balances(account, applied.places, after)?;
    if health < health_init(before?.borrow())? {
        return Err(PlimsollError::InsufficientMargin.into());
    }
    Ok(())
}
