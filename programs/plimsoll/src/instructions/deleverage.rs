use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, Exchange, House, MarginAccount, Market, MarketSlot, same_address},
    config::{loss_mode, pause},
    effect::{inventory, ledger},
    event::Deleveraged,
    instruction::DeleverageArgs,
};
use plimsoll_risk::{
    portfolio::Margin,
    price::Freshness,
    units::{Base, Price, Timestamp},
    waterfall::{self, Gainer},
};

use crate::{
    auction,
    book::{self, Book},
    insolvency,
    instructions::announce_funding,
};

/// Accounts of `deleverage`. Behind them: every other market that either margin account uses, each with its price account
/// behind it where the stored price is old, and every bank that either uses, the quote bank excepted; then margin accounts
/// that the counterparty is to be compared with.
#[derive(Accounts)]
pub struct Deleverage {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account without equity.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The margin account in profit.
    #[account(mut, constraint(counterparty.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub counterparty: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The exchange's house.
    #[account(constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// A price account of the market's feed: positions are always closed at one in the same transaction.
    pub oracle: UncheckedAccount,
}

/// What is closed, and for what.
struct Closing {
    /// Base units.
    closed: u64,
    /// The counterparty's position and gain before.
    gainer: Gainer,
    /// What it gives up, quote native.
    taken: u64,
    /// What the account owed beyond the insurance, quote native.
    deficit: u64,
}

impl Deleverage {
    fn validate(&self, args: &DeleverageArgs) -> Result<()> {
        require!(args.size > 0, PlimsollError::ZeroSize);
        require!(!self.exchange.config.is_paused(pause::RESOLVE), PlimsollError::Paused);
        require!(self.exchange.config.loss_mode == loss_mode::DELEVERAGE, PlimsollError::NotDeleveraging);
        self.account.require_not_deferred()?;
        self.account.require_no_liens()?;
        Ok(self.counterparty.require_not_deferred()?)
    }

    /// See the program's instruction. Both positions become smaller by the same (INV-2), and what leaves the counterparty's
    /// cash enters the account's (INV-3); the house's side of the market stays as it is.
    pub fn apply(&mut self, args: &DeleverageArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate(args)?;
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let fresh = inventory::market_freshness(&self.market, &observation, now) == Freshness::Fresh;
        require!(fresh, PlimsollError::OracleStale);
        self.market.record(&observation, now)?;
        self.settle_funding()?;
        ledger::accrue(&mut self.quote_bank, now)?;

        let deficit = self.deficit(remaining, now)?;
        let before = book::health_init(&self.margin(remaining, &self.counterparty, now)?)?;
        let position = self.slot(&self.counterparty)?.size;
        let closing = self.closing(args, remaining, observation.spot, deficit, now)?;
        self.require_most_profitable(remaining, &closing.gainer, observation.spot)?;
        self.close(&closing, observation.spot)?;
        let after = book::health_init(&self.margin(remaining, &self.counterparty, now)?)?;
        // In order afterwards, or no worse than by what it gave up: its requirement has not grown.
        let given = i64::try_from(closing.taken).map_err(|_| PlimsollError::Overflow)?;
        let kept = after.checked_add(given).ok_or(PlimsollError::Overflow)?;
        require!(after >= 0 || kept >= before, PlimsollError::CounterpartyUnhealthy);
        let margin = self.margin(remaining, &self.account, now)?;
        auction::update(&mut self.account, &self.exchange.config, &margin, now)?;
        self.account.touch();
        self.counterparty.touch();
        self.announce(&closing, observation.spot, position);
        Ok(())
    }

    /// Settles both accounts' funding in the market, before anything of it changes.
    fn settle_funding(&mut self) -> Result<()> {
        let address = *self.market.address();
        for account in [&mut self.account, &mut self.counterparty] {
            let Some(index) = account.market_slot(&address) else { continue };
            let slot = account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
            let funding = self.market.settle_funding(slot)?;
            announce_funding(account, &address, funding, self.market.funding_index);
        }
        Ok(())
    }

    /// What the account owes beyond the insurance, once insurance and house are spent.
    fn deficit(&mut self, views: &[AccountView], now: Timestamp) -> Result<u64> {
        let config = self.exchange.config;
        let margin = self.margin(views, &self.account, now)?;
        insolvency::require_insolvent(&self.book(views, now), &self.account, &margin, now)?;
        auction::update(&mut self.account, &config, &margin, now)?;
        let deficit = waterfall::deficit(margin.equity_maint, self.quote_bank.reserve);
        require!(deficit > 0, PlimsollError::InsuranceSuffices);
        let above_floor = insolvency::house_above_floor(&self.house, &self.quote_bank, &config)?;
        require!(above_floor == 0, PlimsollError::HouseNotSpent);
        Ok(deficit)
    }

    fn book<'a>(&'a self, views: &'a [AccountView], now: Timestamp) -> Book<'a> {
        Book::new(views, now).with_bank(&self.quote_bank).with_market(self.market.address(), &self.market)
    }

    fn margin(&self, views: &[AccountView], account: &MarginAccount, now: Timestamp) -> Result<Margin> {
        self.book(views, now).margin(account, &self.exchange.risk(now))
    }

    fn slot(&self, account: &MarginAccount) -> Result<MarketSlot> {
        let index = account.market_slot(self.market.address()).ok_or(PlimsollError::NotOpposite)?;
        Ok(*account.markets.get(index).ok_or(PlimsollError::Corrupt)?)
    }

    fn closing(
        &self,
        args: &DeleverageArgs,
        views: &[AccountView],
        spot: Price,
        deficit: u64,
        now: Timestamp,
    ) -> Result<Closing> {
        let (mine, theirs) = (self.slot(&self.account)?, self.slot(&self.counterparty)?);
        let opposite = mine.size != 0 && theirs.size != 0 && (mine.size < 0) != (theirs.size < 0);
        require!(opposite, PlimsollError::NotOpposite);
        let owed = self.owed_by_options(views, &theirs, now)?;
        let gainer = gainer(&self.market, &theirs, owed, spot)?.ok_or(PlimsollError::NoGain)?;
        let closed = args.size.min(mine.size.unsigned_abs()).min(gainer.size);
        let taken = waterfall::gain_taken(&gainer, closed, deficit).map_err(PlimsollError::from)?;
        Ok(Closing { closed, gainer, taken, deficit })
    }

    /// What the counterparty's options of this market count less than nothing for: premiums that it was paid for them are no
    /// gain of its position.
    fn owed_by_options(&self, views: &[AccountView], slot: &MarketSlot, now: Timestamp) -> Result<i64> {
        if slot.boards == 0 {
            return Ok(0);
        }
        let index = self.counterparty.market_slot(self.market.address()).ok_or(PlimsollError::Corrupt)?;
        let risk = self.exchange.risk(now);
        Ok(self.book(views, now).option_marks(&self.counterparty, index, &risk)?.min(0))
    }

    /// Checks that none of the candidates that were passed has gained more per base unit on the counterparty's side. One with
    /// options of the market is no candidate: what they are worth is on boards that were not passed.
    fn require_most_profitable(&self, views: &[AccountView], chosen: &Gainer, spot: Price) -> Result<()> {
        let is_long = self.slot(&self.counterparty)?.size > 0;
        let market = self.market.address();
        for view in views.iter().filter(|view| view.data_len() == MarginAccount::SPACE) {
            let candidate = Account::<MarginAccount>::load(*view)?;
            require!(same_address(&candidate.exchange, self.exchange.address()), PlimsollError::WrongExchange);
            let slot = candidate.market_slot(market).and_then(|index| candidate.markets.get(index));
            let Some(slot) = slot.filter(|slot| slot.boards == 0 && slot.size != 0 && (slot.size > 0) == is_long)
            else {
                continue;
            };
            let is_ahead = gainer(&self.market, slot, 0, spot)?.is_some_and(|other| other.is_ahead_of(chosen));
            require!(!is_ahead, PlimsollError::NotMostProfitable);
        }
        Ok(())
    }

    /// Closes both positions against one another at the spot, and moves what the counterparty gives up.
    fn close(&mut self, closing: &Closing, spot: Price) -> Result<()> {
        let closed = i64::try_from(closing.closed).map_err(|_| PlimsollError::Overflow)?;
        let taken = i64::try_from(closing.taken).map_err(|_| PlimsollError::Overflow)?;
        let gainer_is_long = self.slot(&self.counterparty)?.size > 0;
        // What the gainer's position changes by, and what that brings it: rounded up, so that the gainer loses nothing by it.
        let change = if gainer_is_long { closed.checked_neg().ok_or(PlimsollError::Overflow)? } else { closed };
        let sold = change.checked_neg().ok_or(PlimsollError::Overflow)?;
        let proceeds = spot.value_ceil(Base::from_raw(sold)).ok_or(PlimsollError::Overflow)?.raw();
        let cash = proceeds.checked_sub(taken).ok_or(PlimsollError::Overflow)?;
        shift(&mut self.counterparty, &mut self.market, change, cash)?;
        let negated = (change.checked_neg(), cash.checked_neg());
        let (Some(change), Some(cash)) = negated else { return Err(PlimsollError::Overflow.into()) };
        shift(&mut self.account, &mut self.market, change, cash)
    }

    #[inline(never)]
    fn announce(&self, closing: &Closing, spot: Price, position: i64) {
        emit!(Deleveraged {
            account: *self.account.address(),
            counterparty: *self.counterparty.address(),
            market: *self.market.address(),
            closed: closing.closed,
            spot: spot.raw(),
            gain: closing.gainer.gain,
            position,
            taken: closing.taken,
            deficit: closing.deficit,
        });
    }
}

/// What a slot has gained in its market and not been paid, less what its options owe, rounded down; `None` where that is
/// nothing.
fn gainer(market: &Market, slot: &MarketSlot, option_marks: i64, spot: Price) -> Result<Option<Gainer>> {
    let value = spot.value_floor(Base::from_raw(slot.size)).ok_or(PlimsollError::Overflow)?;
    let cash = slot.cash_after_funding(market)?.raw();
    let gain = value.raw().checked_add(cash).and_then(|gain| gain.checked_add(option_marks));
    let gain = gain.ok_or(PlimsollError::Overflow)?;
    Ok((gain > 0).then(|| Gainer { gain: gain.unsigned_abs(), size: slot.size.unsigned_abs() }))
}

/// Changes an account's position and cash in a market, and its part of the open interest.
fn shift(account: &mut MarginAccount, market: &mut Account<Market>, size: i64, cash: i64) -> Result<()> {
    let index = account.market_slot(market.address()).ok_or(PlimsollError::Corrupt)?;
    let slot = account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
    let before = slot.size;
    slot.size = before.checked_add(size).ok_or(PlimsollError::Overflow)?;
    slot.cash = slot.cash.checked_add(cash).ok_or(PlimsollError::Overflow)?;
    let after = slot.size;
    market.move_position(before, after)?;
    Ok(account.release_market(index)?)
}
