use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{BalanceSlot, Bank, Exchange, House, MarginAccount, Market, deferral},
    bridge::{self, Side},
    config::{pause, state},
    effect::{inventory, ledger},
    event::Swapped,
    instruction::SwapArgs,
};
use plimsoll_risk::{
    price::{Freshness, Observation, Width, check_limits},
    trade,
    units::{Base, Ppm, Timestamp},
};

use crate::book::{self, Assessment, Book};

/// Accounts of `swap`. Behind them, unless the margin account owes nothing afterwards: every other market that it uses,
/// each with its price account behind it where the stored price is old, and every other bank that it uses.
#[derive(Accounts)]
pub struct Swap {
    /// Owner or delegate of the margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The exchange's house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The bank of the mint.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The market that prices it.
    #[account(mut, address = bank.market @ PlimsollError::RateWrongMarket)]
    pub market: Account<Market>,
    /// A price account of its feed: a swap is always priced by one in the same transaction.
    pub oracle: UncheckedAccount,
}

/// What is paid for what.
#[derive(Clone, Copy)]
struct Terms {
    /// Native amount of the mint.
    amount: u64,
    /// Whether the account buys it.
    buys: bool,
    /// Quote native that changes hands, fee included.
    quote: u64,
    /// Fee, quote native.
    fee: u64,
}

/// Where the account's two balances stand.
#[derive(Clone, Copy)]
struct Places {
    bank: usize,
    quote: usize,
}

impl Swap {
    fn validate(&self, args: &SwapArgs, observation: &Observation, now: Timestamp) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::TRADE), PlimsollError::Paused);
        require!(self.account.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        require!(args.amount != 0, PlimsollError::ZeroAmount);
        require!(args.expires_at == 0 || now.raw() <= args.expires_at, PlimsollError::OrderExpired);
        let fresh = inventory::market_freshness(&self.market, observation, now) == Freshness::Fresh;
        require!(fresh, PlimsollError::OracleStale);
        require!(!self.bank.is_rated() || self.bank.rate.is_fresh(now), PlimsollError::RateOld);
        let config = &self.market.config;
        let width =
            check_limits(observation, Ppm::from_raw(config.max_confidence_ppm), Ppm::from_raw(config.max_ema_gap_ppm));
        require!(width == Width::Normal, PlimsollError::OracleTooWide);
        Ok(())
    }

    /// See the program's instruction. No token moves: the account's balance changes hands with the house's inventory of the
    /// same bank, the quote with the house's deposit (INV-1).
    pub fn apply(&mut self, args: &SwapArgs, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        self.validate(args, &observation, now)?;
        self.market.record(&observation, now)?;
        ledger::accrue(&mut self.bank, now)?;
        ledger::accrue(&mut self.quote_bank, now)?;
        let terms = self.terms(args, &observation)?;
        let market = self.bank.market;
        let places = Places {
            bank: self.account.balance_slot_or_new(self.bank.address(), Some(&market))?,
            quote: self.account.balance_slot_or_new(self.quote_bank.address(), None)?,
        };
        let before = self.balances(places)?;
        let loss_before = inventory::inventory_loss(&self.market, &observation, &self.exchange.risk(now), now)?;
        let was_empty = self.bank.inventory_shares == 0;
        let borrowed = if terms.buys { self.buy(places, terms)? } else { self.sell(places, terms)? };
        inventory::count_inventory(&mut self.market, &mut self.bank, was_empty)?;
        inventory::require_within_budget(&self.market, &observation, &self.exchange.risk(now), now, loss_before)?;
        self.account.touch();
        let reduces = !borrowed && (!terms.buys || self.balances(places)?.0.shares <= 0);
        let deferred = self.account.deferral != deferral::NONE;
        if !reduces {
            require!(!deferred, PlimsollError::LiquidationInProgress);
            self.require_opening_allowed(now)?;
        }
        // A liquidation without capital asks at its end.
        if !deferred {
            self.require_margin(places, before, borrowed, remaining, now)?;
        }
        self.account.release_balance(places.bank)?;
        self.account.release_balance(places.quote)?;
        let paid = i64::try_from(terms.quote).map_err(|_| PlimsollError::Overflow)?;
        emit!(Swapped {
            account: *self.account.address(),
            bank: *self.bank.address(),
            trader: *self.authority.address(),
            amount: args.amount,
            paid: if terms.buys { paid } else { paid.wrapping_neg() },
            fee: terms.fee,
            spot: observation.spot.raw(),
            inventory: ledger::house_inventory(&self.bank)?,
        });
        Ok(())
    }

    /// The house's price, within the limit: spread and fee of the market, premium on the house's inventory of this mint. The
    /// house buys at the rate of deposits and sells at that of debts.
    ///
    /// The premium depends on this inventory alone. One that counted the perpetual's as well would let a trader move it by
    /// the one instrument and earn it back by the other, round and round.
    fn terms(&self, args: &SwapArgs, observation: &Observation) -> Result<Terms> {
        let (amount, buys) = (args.amount.unsigned_abs(), args.amount > 0);
        let side = if buys { Side::Debt } else { Side::Deposit };
        let base = i64::try_from(bridge::base_units(amount, &self.bank, side)?).map_err(|_| PlimsollError::Overflow)?;
        require!(base > 0, PlimsollError::AmountTooSmall);
        let size = Base::from_raw(if buys { base } else { base.wrapping_neg() });
        // The inventory is not negative, so its opposite fits.
        let skew = Base::from_raw(inventory::inventory_base(&self.bank)?.wrapping_neg());
        let quote = trade::quote_trade(&self.market.config.pricing(), observation.spot, skew, size)
            .map_err(PlimsollError::from)?;
        let outlay = quote.cost.raw().checked_add(quote.fee.raw()).ok_or(PlimsollError::Overflow)?;
        require!(outlay != 0 && (outlay > 0) == buys, PlimsollError::AmountTooSmall);
        let paid = outlay.unsigned_abs();
        let acceptable = if buys { paid <= args.limit_amount } else { paid >= args.limit_amount };
        require!(acceptable, PlimsollError::LimitPrice);
        Ok(Terms { amount, buys, quote: paid, fee: quote.fee.raw().unsigned_abs() })
    }

    /// The account's two balances.
    fn balances(&self, places: Places) -> Result<(BalanceSlot, BalanceSlot)> {
        let at = |index: usize| self.account.balances.get(index).copied().ok_or(PlimsollError::Corrupt);
        Ok((at(places.bank)?, at(places.quote)?))
    }

    /// Quote for the mint. Says whether the account borrowed.
    fn buy(&mut self, places: Places, terms: Terms) -> Result<bool> {
        ledger::inventory_debit(&mut self.bank, terms.amount)?;
        let changed = ledger::credit(&mut self.account, places.bank, &mut self.bank, terms.amount)?;
        require!(changed > 0, PlimsollError::AmountTooSmall);
        let debit = ledger::debit(&mut self.account, places.quote, &mut self.quote_bank, terms.quote)?;
        ledger::require_borrow_allowed(&self.quote_bank, debit)?;
        ledger::house_credit(&mut self.house, &mut self.quote_bank, terms.quote)?;
        Ok(debit.borrowed > 0)
    }

    /// The mint for quote. Says whether the account borrowed. The house keeps within the bank's cap.
    fn sell(&mut self, places: Places, terms: Terms) -> Result<bool> {
        let debit = ledger::debit(&mut self.account, places.bank, &mut self.bank, terms.amount)?;
        ledger::require_borrow_allowed(&self.bank, debit)?;
        ledger::inventory_credit(&mut self.bank, terms.amount)?;
        if debit.borrowed > 0 {
            ledger::require_deposit_allowed(&self.bank)?;
        }
        require!(ledger::house_inventory(&self.bank)? <= self.bank.config.swap_cap, PlimsollError::SwapCap);
        ledger::house_debit(&mut self.house, &mut self.quote_bank, terms.quote)?;
        ledger::credit(&mut self.account, places.quote, &mut self.quote_bank, terms.quote)?;
        Ok(debit.borrowed > 0)
    }

    /// Checks that a swap that is more than a sale of a deposit or a repayment may happen here and now.
    fn require_opening_allowed(&self, now: Timestamp) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::OPEN), PlimsollError::Paused);
        require!(self.market.config.state == state::ACTIVE, PlimsollError::MarketReduceOnly);
        require!(self.bank.config.state == state::ACTIVE, PlimsollError::BankReduceOnly);
        Ok(self.exchange.require_quote_sound(now)?)
    }

    /// Checks the margin afterwards (INV-5), unless the account owes nothing; and for a swap without a borrow that fails it,
    /// that it was not better before. What is borrowed here, the account may withdraw: as in a withdrawal, no unpaid gain may
    /// stand for it.
    fn require_margin(
        &mut self,
        places: Places,
        before: (BalanceSlot, BalanceSlot),
        borrowed: bool,
        views: &[AccountView],
        now: Timestamp,
    ) -> Result<()> {
        if self.account.has_no_liability() {
            return Ok(());
        }
        let assessment = self.assess(views, now)?;
        let health = book::health_init(&assessment.margin)?;
        let is_blocked = assessment.margin.blocked_by.is_some();
        if !is_blocked && health >= 0 {
            return if borrowed { self.book(views, now).require_settled(&self.account, &assessment) } else { Ok(()) };
        }
        if borrowed {
            require!(!is_blocked, PlimsollError::OracleStale);
            return Err(PlimsollError::InsufficientMargin.into());
        }
        let after = self.balances(places)?;
        self.put_balances(places, before)?;
        let health_before = book::health_init(&self.assess(views, now)?.margin)?;
        self.put_balances(places, after)?;
        require!(health >= health_before, PlimsollError::InsufficientMargin);
        Ok(())
    }

    fn put_balances(&mut self, places: Places, (bank, quote): (BalanceSlot, BalanceSlot)) -> Result<()> {
        *self.account.balances.get_mut(places.bank).ok_or(PlimsollError::Corrupt)? = bank;
        *self.account.balances.get_mut(places.quote).ok_or(PlimsollError::Corrupt)? = quote;
        Ok(())
    }

    fn book<'a>(&'a self, views: &'a [AccountView], now: Timestamp) -> Book<'a> {
        Book::new(views, now)
            .with_bank(&self.bank)
            .with_other_bank(&self.quote_bank)
            .with_market(self.market.address(), &self.market)
    }

    fn assess(&self, views: &[AccountView], now: Timestamp) -> Result<Assessment> {
        self.book(views, now).assess(&self.account, &self.exchange.risk(now))
    }
}
