//! `swap` of a collateral against quote with the house.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{BalanceSlot, Bank, House, MarginAccount, Market, deferral},
    bridge::{self, Side},
    config::{pause, state},
    effect::{
        inventory::{self, market_freshness},
        ledger,
        margin::health_init,
        trading::require_narrow,
    },
    instruction::SwapArgs,
};
use plimsoll_risk::{
    price::{Freshness, Observation},
    trade::{self, TradeQuote},
    units::Base,
};

use super::{Effect, Result, Traded, balance::require_settled};
use crate::Snapshot;

/// What is paid for what.
struct Terms {
    /// Native amount of the mint.
    amount: u64,
    /// Base units of the market, negative where the account sells.
    base: i64,
    /// Whether the account buys it.
    buys: bool,
    /// Quote native that changes hands, fee included.
    quote: u64,
    /// The house's price.
    trade: TradeQuote,
}

/// Where the account's two balances stand.
#[derive(Clone, Copy)]
struct Places {
    bank: usize,
    quote: usize,
}

/// The accounts of a swap besides the trader's.
struct Parties {
    market: Market,
    bank: Bank,
    quote_bank: Bank,
    house: House,
}

/// `swap`, signed by the owner.
pub(crate) fn swap(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    address: &Address,
    args: &SwapArgs,
) -> Result<Effect> {
    let now = scene.timestamp();
    let (exchange, quote_address) = (scene.exchange.data, scene.exchange.data.quote_bank);
    let bank = scene.bank_copy(address)?;
    let observation = scene.declared_price(&bank.market)?;
    let (market, quote_bank) = (scene.market_copy(&bank.market)?, scene.bank_copy(&quote_address)?);
    let mut parties = Parties { market, bank, quote_bank, house: scene.house_copy()? };
    validate(scene, &parties, args, &observation)?;
    parties.market.record(&observation, now)?;
    ledger::accrue(&mut parties.bank, now)?;
    ledger::accrue(&mut parties.quote_bank, now)?;
    let terms = terms(&parties, args, &observation)?;
    let places = Places {
        bank: account.balance_slot_or_new(address, Some(&bank.market))?,
        quote: account.balance_slot_or_new(&quote_address, None)?,
    };
    let before = balances(account, places);
    let risk = exchange.risk(now);
    let loss_before = inventory::inventory_loss(&parties.market, &observation, &risk, now)?;
    let was_empty = parties.bank.inventory_shares == 0;
    let borrowed = if terms.buys {
        buy(&mut parties, account, places, &terms)?
    } else {
        sell(&mut parties, account, places, &terms)?
    };
    inventory::count_inventory(&mut parties.market, &mut parties.bank, was_empty)?;
    inventory::require_within_budget(&parties.market, &observation, &risk, now, loss_before)?;
    account.touch();
    let reduces = !borrowed && (!terms.buys || account.balances[places.bank].shares <= 0);
    let deferred = account.deferral != deferral::NONE;
    if !reduces {
        if deferred {
            return Err(PlimsollError::LiquidationInProgress);
        }
        require_opening_allowed(scene, &parties)?;
    }
    scene.markets.insert(parties.bank.market, parties.market);
    scene.banks.insert(*address, parties.bank);
    scene.banks.insert(quote_address, parties.quote_bank);
    scene.house = Some(parties.house);
    let margin = if deferred { Ok(()) } else { require_margin(scene, account, places, before, borrowed) };
    account.release_balance(places.bank)?;
    account.release_balance(places.quote)?;
    let traded = Traded { observation, mid_price: observation.spot.raw(), base: terms.base, quote: terms.trade };
    Ok(Effect::checked(Some(traded), margin))
}

fn validate(scene: &Snapshot, parties: &Parties, args: &SwapArgs, observation: &Observation) -> Result<()> {
    let now = scene.timestamp();
    if scene.exchange.data.config.is_paused(pause::TRADE) {
        return Err(PlimsollError::Paused);
    }
    if args.amount == 0 {
        return Err(PlimsollError::ZeroAmount);
    }
    if args.expires_at != 0 && now.raw() > args.expires_at {
        return Err(PlimsollError::OrderExpired);
    }
    if market_freshness(&parties.market, observation, now) != Freshness::Fresh {
        return Err(PlimsollError::OracleStale);
    }
    if parties.bank.is_rated() && !parties.bank.rate.is_fresh(now) {
        return Err(PlimsollError::RateOld);
    }
    require_narrow(&parties.market, observation)
}

/// The house's price, within the limit.
fn terms(parties: &Parties, args: &SwapArgs, observation: &Observation) -> Result<Terms> {
    let (amount, buys) = (args.amount.unsigned_abs(), args.amount > 0);
    let side = if buys { Side::Debt } else { Side::Deposit };
    let bank = &parties.bank;
    let base = i64::try_from(bridge::base_units(amount, bank, side)?).map_err(|_| PlimsollError::Overflow)?;
    if base <= 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let base = if buys { base } else { base.wrapping_neg() };
    let skew = Base::from_raw(inventory::inventory_base(bank)?.wrapping_neg());
    let pricing = parties.market.config.pricing();
    let trade = trade::quote_trade(&pricing, observation.spot, skew, Base::from_raw(base))?;
    let outlay = trade.cost.raw().checked_add(trade.fee.raw()).ok_or(PlimsollError::Overflow)?;
    if outlay == 0 || (outlay > 0) != buys {
        return Err(PlimsollError::AmountTooSmall);
    }
    let paid = outlay.unsigned_abs();
    let acceptable = if buys { paid <= args.limit_amount } else { paid >= args.limit_amount };
    if !acceptable {
        return Err(PlimsollError::LimitPrice);
    }
    Ok(Terms { amount, base, buys, quote: paid, trade })
}

fn balances(account: &MarginAccount, places: Places) -> (BalanceSlot, BalanceSlot) {
    (account.balances[places.bank], account.balances[places.quote])
}

/// Quote for the mint. Says whether the account borrowed.
fn buy(parties: &mut Parties, account: &mut MarginAccount, places: Places, terms: &Terms) -> Result<bool> {
    let Parties { bank, quote_bank, house, .. } = parties;
    ledger::inventory_debit(bank, terms.amount)?;
    if ledger::credit(account, places.bank, bank, terms.amount)? == 0 {
        return Err(PlimsollError::AmountTooSmall);
    }
    let debit = ledger::debit(account, places.quote, quote_bank, terms.quote)?;
    ledger::require_borrow_allowed(quote_bank, debit)?;
    ledger::house_credit(house, quote_bank, terms.quote)?;
    Ok(debit.borrowed > 0)
}

/// The mint for quote. Says whether the account borrowed.
fn sell(parties: &mut Parties, account: &mut MarginAccount, places: Places, terms: &Terms) -> Result<bool> {
    let Parties { bank, quote_bank, house, .. } = parties;
    let debit = ledger::debit(account, places.bank, bank, terms.amount)?;
    ledger::require_borrow_allowed(bank, debit)?;
    ledger::inventory_credit(bank, terms.amount)?;
    if debit.borrowed > 0 {
        ledger::require_deposit_allowed(bank)?;
    }
    if ledger::house_inventory(bank)? > bank.config.swap_cap {
        return Err(PlimsollError::SwapCap);
    }
    ledger::house_debit(house, quote_bank, terms.quote)?;
    ledger::credit(account, places.quote, quote_bank, terms.quote)?;
    Ok(debit.borrowed > 0)
}

/// Checks that a swap that is more than a sale of a deposit or a repayment may happen here and now.
fn require_opening_allowed(scene: &Snapshot, parties: &Parties) -> Result<()> {
    let exchange = &scene.exchange.data;
    if exchange.config.is_paused(pause::OPEN) {
        return Err(PlimsollError::Paused);
    }
    if parties.market.config.state != state::ACTIVE {
        return Err(PlimsollError::MarketReduceOnly);
    }
    if parties.bank.config.state != state::ACTIVE {
        return Err(PlimsollError::BankReduceOnly);
    }
    exchange.require_quote_sound(scene.timestamp())
}

/// Checks the margin afterwards, unless the account owes nothing; and for a swap without a borrow that fails it, that it was
/// not better before.
fn require_margin(
    scene: &Snapshot,
    account: &mut MarginAccount,
    places: Places,
    (bank, quote): (BalanceSlot, BalanceSlot),
    borrowed: bool,
) -> Result<()> {
    if account.has_no_liability() {
        return Ok(());
    }
    let margin = scene.margin_or_refusal(account)?;
    let (health, is_blocked) = (health_init(&margin)?, margin.blocked_by.is_some());
    if !is_blocked && health >= 0 {
        return if borrowed { require_settled(scene, account) } else { Ok(()) };
    }
    if borrowed {
        return Err(if is_blocked { PlimsollError::OracleStale } else { PlimsollError::InsufficientMargin });
    }
    let mut before = *account;
    (before.balances[places.bank], before.balances[places.quote]) = (bank, quote);
    if health < health_init(&scene.margin_or_refusal(&before)?)? {
        return Err(PlimsollError::InsufficientMargin);
    }
    Ok(())
}
