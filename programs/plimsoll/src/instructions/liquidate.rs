use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, Exchange, MAX_BALANCES, MAX_MARKETS, MarginAccount, Market, same_address},
    config::pause,
    event::Liquidated,
    instruction::LiquidateArgs,
};
use plimsoll_risk::{
    liquidation,
    portfolio::Margin,
    units::{Fraction, Ppm, Timestamp},
};

use crate::{
    auction,
    book::{self, Book, Listing},
    ledger, trading,
};

/// Accounts of `liquidate`. Behind them, writable: every market that either margin account uses, each with its price
/// account behind it where the stored price is old, and every bank that either uses, the quote bank excepted.
#[derive(Accounts)]
pub struct Liquidate {
    /// Owner or delegate of the taker's margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account that takes over.
    #[account(mut, constraint(taker.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub taker: Account<MarginAccount>,
    /// The margin account that is below its line.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
}

/// What is taken over, and for how much.
struct Terms {
    fraction: Fraction,
    payment: u64,
    discount: Ppm,
}

impl Liquidate {
    fn validate(&self, args: &LiquidateArgs) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::LIQUIDATE), PlimsollError::Paused);
        require!(self.taker.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        require!(!same_address(&self.taker.owner, &self.account.owner), PlimsollError::SameAccount);
        require!(args.max_fraction > 0, PlimsollError::ZeroAmount);
        Ok(())
    }

    /// See the program's instruction (INV-6): only below the line, up to the buffer above it, and the taker has its
    /// initial margin afterwards.
    pub fn apply(&mut self, args: &LiquidateArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate(args)?;
        let now = book::now()?;
        ledger::accrue(&mut self.quote_bank, now)?;
        for view in remaining.iter().filter(|view| view.data_len() == Bank::SPACE) {
            ledger::accrue(&mut *book::load_mut::<Bank>(*view)?, now)?;
        }
        let margin = self.margin(remaining, &self.account, now)?;
        require!(book::health_maint(&margin)? < 0, PlimsollError::AccountHealthy);
        auction::update(&mut self.account, &self.exchange.config, true, now)?;
        // What the taker takes over may stand at an old price, or a dead feed would make an account unliquidatable: it
        // counts at its last value, with its full risk. Old prices of the taker's own stop it.
        let may_be_old = margin.blocked_by.is_some() && !self.is_blocked(remaining, &self.taker, now)?;
        let terms = self.terms(args, &margin, now)?;
        self.take_over(remaining, terms.fraction)?;
        let borrowed = self.pay(terms.payment)?;

        let after = self.margin(remaining, &self.account, now)?;
        auction::update(&mut self.account, &self.exchange.config, book::health_maint(&after)? < 0, now)?;
        let taker = self.margin(remaining, &self.taker, now)?;
        require!(taker.blocked_by.is_none() || may_be_old, PlimsollError::OracleStale);
        let health = book::health_init(&taker)?;
        require!(health >= 0, PlimsollError::TakerUnhealthy);
        if borrowed {
            // What is borrowed here, the account may withdraw: as in a withdrawal, no unpaid gain may stand for it.
            self.book(remaining, now).require_settled(&self.taker, health)?;
        }
        self.account.touch();
        self.taker.touch();
        emit!(Liquidated {
            account: *self.account.address(),
            taker: *self.taker.address(),
            equity: margin.equity_maint.raw(),
            requirement: margin.requirement_maint.raw(),
            fraction: terms.fraction.raw(),
            payment: terms.payment,
            discount_ppm: u64::from(terms.discount.raw()),
        });
        Ok(())
    }

    fn margin(&self, views: &[AccountView], account: &MarginAccount, now: Timestamp) -> Result<Margin> {
        self.book(views, now).margin(account, &self.exchange.risk(now))
    }

    fn book<'a>(&'a self, views: &'a [AccountView], now: Timestamp) -> Book<'a> {
        Book::new(views, now).with_bank(&self.quote_bank)
    }

    /// Whether something that an account owes or has open stands at an old price.
    fn is_blocked(&self, views: &[AccountView], account: &MarginAccount, now: Timestamp) -> Result<bool> {
        Ok(self.margin(views, account, now)?.blocked_by.is_some())
    }

    /// The fraction that brings the account back to its buffer, or what the taker wants of it, at the auction's discount.
    fn terms(&self, args: &LiquidateArgs, margin: &Margin, now: Timestamp) -> Result<Terms> {
        let parameters = self.exchange.config.liquidation();
        let discount = liquidation::discount(&parameters, auction::elapsed(&self.account, now)?);
        let (equity, requirement) = (margin.equity_maint, margin.requirement_maint);
        let full = liquidation::fraction(equity, requirement, discount, &parameters).map_err(PlimsollError::from)?;
        let fraction = full.min(Fraction::from_raw(args.max_fraction));
        let payment = liquidation::payment(fraction, equity, requirement, discount).map_err(PlimsollError::from)?;
        let payment = payment.raw().unsigned_abs();
        require!(payment <= args.max_payment, PlimsollError::PaymentLimit);
        Ok(Terms { fraction, payment, discount })
    }

    /// Moves the fraction of every balance, position and cash, so that hedges stay hedged; each rounded against the taker.
    fn take_over(&mut self, views: &[AccountView], fraction: Fraction) -> Result<()> {
        let listing = Listing::new(views);
        for index in 0..MAX_MARKETS {
            self.take_market(&listing, index, fraction)?;
        }
        for index in 0..MAX_BALANCES {
            self.take_balance(&listing, index, fraction)?;
        }
        Ok(())
    }

    fn take_market(&mut self, listing: &Listing<'_>, index: usize, fraction: Fraction) -> Result<()> {
        let slot = *self.account.markets.get(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 {
            return Ok(());
        }
        let size = pro_rata(slot.size, fraction)?;
        let cash = pro_rata(slot.cash, fraction)?;
        if size == 0 && cash == 0 {
            return Ok(());
        }
        let view = listing.find(&slot.market);
        let mut market = book::load_mut::<Market>(*view.ok_or(PlimsollError::MissingMarket)?)?;
        let taker_index = self.taker.market_slot_or_new(&slot.market)?;
        let source = self.account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        let target = self.taker.markets.get_mut(taker_index).ok_or(PlimsollError::Corrupt)?;
        let (source_before, target_before) = (source.size, target.size);
        source.size = source.size.checked_sub(size).ok_or(PlimsollError::Overflow)?;
        source.cash = source.cash.checked_sub(cash).ok_or(PlimsollError::Overflow)?;
        target.size = target.size.checked_add(size).ok_or(PlimsollError::Overflow)?;
        target.cash = target.cash.checked_add(cash).ok_or(PlimsollError::Overflow)?;
        trading::move_open_interest(&mut market, source_before, source.size)?;
        trading::move_open_interest(&mut market, target_before, target.size)?;
        self.taker.release_market(taker_index)?;
        Ok(self.account.release_market(index)?)
    }

    fn take_balance(&mut self, listing: &Listing<'_>, index: usize, fraction: Fraction) -> Result<()> {
        let slot = *self.account.balances.get(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 {
            return Ok(());
        }
        let shares = pro_rata(slot.shares, fraction)?;
        if shares == 0 {
            return Ok(());
        }
        if same_address(&slot.bank, self.quote_bank.address()) {
            let (account, taker) = (&mut self.account, &mut self.taker);
            return move_balance(account, index, taker, &slot.bank, &mut self.quote_bank, shares);
        }
        let view = listing.find(&slot.bank);
        let mut bank = book::load_mut::<Bank>(*view.ok_or(PlimsollError::MissingBank)?)?;
        move_balance(&mut self.account, index, &mut self.taker, &slot.bank, &mut bank, shares)
    }

    /// Moves the payment from the taker's quote balance to the account's, and says whether the taker borrowed for it.
    /// Nothing is paid for an account whose equity is the reward.
    fn pay(&mut self, payment: u64) -> Result<bool> {
        if payment == 0 {
            return Ok(false);
        }
        let quote_bank = *self.quote_bank.address();
        let from = self.taker.balance_slot_or_new(&quote_bank, None)?;
        let debit = ledger::debit(&mut self.taker, from, &mut self.quote_bank, payment)?;
        ledger::require_borrow_allowed(&self.quote_bank, debit)?;
        self.taker.release_balance(from)?;
        let to = self.account.balance_slot_or_new(&quote_bank, None)?;
        ledger::credit(&mut self.account, to, &mut self.quote_bank, payment)?;
        self.account.release_balance(to)?;
        Ok(debit.borrowed > 0)
    }
}

/// Moves shares of a balance to the taker's balance of the same bank.
fn move_balance(
    account: &mut MarginAccount,
    index: usize,
    taker: &mut MarginAccount,
    address: &Address,
    bank: &mut Bank,
    shares: i64,
) -> Result<()> {
    let market = bank.market;
    let taker_index = taker.balance_slot_or_new(address, (bank.is_quote == 0).then_some(&market))?;
    ledger::transfer_shares(account, index, taker, taker_index, bank, shares)?;
    taker.release_balance(taker_index)?;
    Ok(account.release_balance(index)?)
}

fn pro_rata(amount: i64, fraction: Fraction) -> Result<i64> {
    Ok(liquidation::pro_rata_signed(amount, fraction).map_err(PlimsollError::from)?)
}
