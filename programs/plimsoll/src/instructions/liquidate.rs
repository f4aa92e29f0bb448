use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{
        AccountType, Bank, Board, Exchange, MAX_BALANCES, MAX_BOARDS, MAX_MARKETS, MarginAccount, Market, OptionSlot,
        deferral, same_address,
    },
    config::pause,
    effect::{ledger, series},
    event::{InsolventLiquidated, Liquidated},
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
    insolvency,
    instructions::announce_funding,
};

/// Accounts of `liquidate`. Behind them, writable: every market that either margin account uses, each with its price
/// account behind it where the stored price is old, every bank that either uses, the quote bank excepted, and every board.
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
        self.account.require_not_deferred()?;
        self.account.require_no_liens()?;
        require!(!same_address(&self.taker.owner, &self.account.owner), PlimsollError::SameAccount);
        require!(args.max_fraction > 0, PlimsollError::ZeroAmount);
        Ok(())
    }

    /// See the program's instruction (INV-6): only below the line, up to the buffer above it, and the taker has its
    /// initial margin afterwards. Of an account without equity, as much as the insurance can pay for.
    pub fn apply(&mut self, args: &LiquidateArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate(args)?;
        let now = book::now()?;
        ledger::accrue(&mut self.quote_bank, now)?;
        accrue(remaining, now)?;
        let margin = self.margin(remaining, &self.account, now)?;
        require!(book::health_maint(&margin)? < 0, PlimsollError::AccountHealthy);
        auction::update(&mut self.account, &self.exchange.config, &margin, now)?;
        if !margin.equity_maint.is_positive() {
            return self.take_insolvent(args, &margin, remaining, now);
        }
        // What the taker takes over may stand at an old price, or a dead feed would make an account unliquidatable: it
        // counts at its last value, with its full risk. Old prices of the taker's own stop it.
        let may_be_old = margin.blocked_by.is_some() && !self.is_blocked(remaining, &self.taker, now)?;
        let terms = self.terms(args, &margin, now)?;
        self.take_over(remaining, terms.fraction)?;
        let borrowed = self.pay(terms.payment)?;
        self.finish(remaining, may_be_old, borrowed, now)?;
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

    /// The same of an account without equity, for which the insurance pays who takes it over.
    #[inline(never)]
    fn take_insolvent(
        &mut self,
        args: &LiquidateArgs,
        margin: &Margin,
        remaining: &[AccountView],
        now: Timestamp,
    ) -> Result<()> {
        insolvency::require_insolvent(&self.book(remaining, now), &self.account, margin, now)?;
        let (insurance, config) = (self.quote_bank.reserve, &self.exchange.config);
        let terms = insolvency::terms(&self.account, margin, config, insurance, args.max_fraction, now)?;
        let may_be_old = margin.blocked_by.is_some() && !self.is_blocked(remaining, &self.taker, now)?;
        self.take_over(remaining, terms.fraction)?;
        self.receive(terms.payout)?;
        self.finish(remaining, may_be_old, false, now)?;
        emit!(InsolventLiquidated {
            account: *self.account.address(),
            taker: *self.taker.address(),
            equity: margin.equity_maint.raw(),
            requirement: margin.requirement_maint.raw(),
            fraction: terms.fraction.raw(),
            payout: terms.payout,
            reward_ppm: u64::from(terms.reward.raw()),
            insurance: self.quote_bank.reserve,
        });
        Ok(())
    }

    /// Checks both accounts after the take-over: the one leaves the auction where it is in order, the other has its initial
    /// margin, now or, in a liquidation without capital, at its end.
    fn finish(&mut self, remaining: &[AccountView], may_be_old: bool, borrowed: bool, now: Timestamp) -> Result<()> {
        let after = self.margin(remaining, &self.account, now)?;
        auction::update(&mut self.account, &self.exchange.config, &after, now)?;
        self.account.touch();
        self.taker.touch();
        if self.taker.deferral != deferral::NONE {
            if borrowed {
                self.taker.deferral = deferral::BORROWED;
            }
            return Ok(());
        }
        let book = self.book(remaining, now);
        let taker = book.assess(&self.taker, &self.exchange.risk(now))?;
        require!(taker.margin.blocked_by.is_none() || may_be_old, PlimsollError::OracleStale);
        require!(book::health_init(&taker.margin)? >= 0, PlimsollError::TakerUnhealthy);
        if borrowed {
            // What is borrowed here, the account may withdraw: as in a withdrawal, no unpaid gain may stand for it.
            book.require_settled(&self.taker, &taker)?;
        }
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

    /// Moves the fraction of every balance, position, option and cash, so that hedges stay hedged; each rounded against the
    /// taker.
    fn take_over(&mut self, views: &[AccountView], fraction: Fraction) -> Result<()> {
        let listing = Listing::new(views);
        for index in 0..MAX_MARKETS {
            self.take_market(&listing, index, fraction)?;
        }
        for index in 0..MAX_BALANCES {
            self.take_balance(&listing, index, fraction)?;
        }
        for index in 0..MAX_BOARDS {
            self.take_board(&listing, index, fraction)?;
        }
        Ok(())
    }

    /// Moves the fraction of one market's position and cash, both accounts' funding settled first: what the account owes up
    /// to now is in the cash that it is a fraction of.
    fn take_market(&mut self, listing: &Listing<'_>, index: usize, fraction: Fraction) -> Result<()> {
        let slot = self.account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        if slot.size == 0 && slot.cash == 0 {
            return Ok(());
        }
        let address = slot.market;
        let view = listing.find(&address);
        let mut market = book::load_mut::<Market>(*view.ok_or(PlimsollError::MissingMarket)?)?;
        let funding = market.settle_funding(slot)?;
        let size = pro_rata(slot.size, fraction)?;
        let cash = pro_rata(slot.cash, fraction)?;
        announce_funding(&self.account, &address, funding, market.funding_index);
        if size == 0 && cash == 0 {
            return Ok(self.account.release_market(index)?);
        }
        let taker_index = self.taker.market_slot_or_new(&address)?;
        let source = self.account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        let target = self.taker.markets.get_mut(taker_index).ok_or(PlimsollError::Corrupt)?;
        let taker_funding = market.settle_funding(target)?;
        let (source_before, target_before) = (source.size, target.size);
        source.size = source.size.checked_sub(size).ok_or(PlimsollError::Overflow)?;
        source.cash = source.cash.checked_sub(cash).ok_or(PlimsollError::Overflow)?;
        target.size = target.size.checked_add(size).ok_or(PlimsollError::Overflow)?;
        target.cash = target.cash.checked_add(cash).ok_or(PlimsollError::Overflow)?;
        market.move_position(source_before, source.size)?;
        market.move_position(target_before, target.size)?;
        announce_funding(&self.taker, &address, taker_funding, market.funding_index);
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

    fn take_board(&mut self, listing: &Listing<'_>, index: usize, fraction: Fraction) -> Result<()> {
        let slot = *self.account.boards.get(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 {
            return Ok(());
        }
        let view = listing.find(&slot.board);
        let mut board = book::load_mut::<Board>(*view.ok_or(PlimsollError::MissingBoard)?)?;
        let market = board.market;
        let taker_index = self.taker.board_slot_or_new(&slot.board, &market)?;
        let mut target = self.taker.options_from_last(taker_index)?;
        // From the last on: what is taken out moves those behind it.
        for position in self.account.options_of(index)?.rev() {
            let OptionSlot { series, lots, .. } = *self.account.options.get(position).ok_or(PlimsollError::Corrupt)?;
            let lots = i32::try_from(pro_rata(i64::from(lots), fraction)?).map_err(|_| PlimsollError::Overflow)?;
            if lots != 0 {
                let given = self.account.take_lots(index, position, lots)?;
                let taken = self.taker.add_lots(&mut target, series, lots)?;
                move_open_lots(&mut board, series, given)?;
                move_open_lots(&mut board, series, taken)?;
            }
        }
        self.taker.release_board(taker_index)?;
        Ok(self.account.release_board(index)?)
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

/// Accrues the interest of every bank and the funding of every market that is to change: one that only prices collateral may
/// be passed read-only.
fn accrue(views: &[AccountView], now: Timestamp) -> Result<()> {
    for view in views {
        if view.data_len() == Bank::SPACE {
            ledger::accrue(&mut *book::load_mut::<Bank>(*view)?, now)?;
        } else if view.data_len() == Market::SPACE && view.is_writable() {
            book::load_mut::<Market>(*view)?.accrue_funding(now);
        }
    }
    Ok(())
}

impl Liquidate {
    /// Moves the payout from the insurance to the taker's quote balance: the reserve falls by what deposits rise by, or
    /// borrows fall by, at most (INV-1).
    fn receive(&mut self, payout: u64) -> Result<()> {
        if payout == 0 {
            return Ok(());
        }
        let bank = &mut self.quote_bank;
        bank.reserve = bank.reserve.checked_sub(payout).ok_or(PlimsollError::AccountInsolvent)?;
        let address = *bank.address();
        let slot = self.taker.balance_slot_or_new(&address, None)?;
        ledger::credit(&mut self.taker, slot, bank, payout)?;
        Ok(self.taker.release_balance(slot)?)
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

/// Moves the board's long lots of a series with one account's lots of it, before and after.
fn move_open_lots(board: &mut Board, series: u8, (before, after): (i32, i32)) -> Result<()> {
    series::move_open_lots(board, usize::from(series), i64::from(before), i64::from(after))?;
    Ok(())
}

fn pro_rata(amount: i64, fraction: Fraction) -> Result<i64> {
    Ok(liquidation::pro_rata_signed(amount, fraction).map_err(PlimsollError::from)?)
}
