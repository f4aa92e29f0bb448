//! The accounts that a margin computation reads: what an instruction declares, and what was passed behind it.
//!
//! Nothing here is trusted by its place in the list. A bank or market counts only if its address is the one that the
//! margin account's slot names; a slot's address was checked, owner and type included, when the slot was taken, and the
//! program never closes a bank or a market. A price account is checked against the market before it. Whoever lists the
//! accounts in slot order pays one address comparison for each; any other order is right too. What no slot names is
//! never looked at.

use core::cell::Cell;

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, Board, MarginAccount, Market, same_address},
    bridge::{self, Inputs},
    oracle,
};
use plimsoll_risk::{
    portfolio::{self, Margin, Portfolio, RiskParameters},
    price::Observation,
    units::Timestamp,
};

/// Everything that a margin computation may look up.
pub struct Book<'a> {
    /// What was passed behind the declared accounts.
    listing: Listing<'a>,
    /// The bank that the instruction declares.
    bank: Option<(&'a Address, &'a Bank)>,
    /// Another bank that the instruction declares, looked at after what was passed.
    other_bank: Option<(&'a Address, &'a Bank)>,
    /// The market that the instruction declares.
    market: Option<(&'a Address, &'a Market)>,
    /// The chain's clock.
    now: Timestamp,
}

impl<'a> Book<'a> {
    /// The accounts passed behind the declared ones.
    pub fn new(views: &'a [AccountView], now: Timestamp) -> Self {
        Self { listing: Listing::new(views), bank: None, other_bank: None, market: None, now }
    }

    /// With a bank that the instruction declares.
    #[must_use]
    pub fn with_bank(self, bank: &'a Account<Bank>) -> Self {
        Self { bank: Some((bank.address(), bank)), ..self }
    }

    /// With a second bank that the instruction declares.
    #[must_use]
    pub fn with_other_bank(self, bank: &'a Account<Bank>) -> Self {
        Self { other_bank: Some((bank.address(), bank)), ..self }
    }

    /// With a market that the instruction declares, and whose stored observation counts.
    #[must_use]
    pub fn with_market(self, address: &'a Address, market: &'a Market) -> Self {
        Self { market: Some((address, market)), ..self }
    }
}

/// The accounts passed behind the declared ones, looked up one after the other.
pub struct Listing<'a> {
    /// All of them.
    views: &'a [AccountView],
    /// Where the next look-up looks first: what follows the account that was looked up last.
    rest: Cell<&'a [AccountView]>,
}

impl<'a> Listing<'a> {
    /// Starts at the first account.
    pub fn new(views: &'a [AccountView]) -> Self {
        Self { views, rest: Cell::new(views) }
    }

    /// The account at an address.
    #[inline(always)]
    pub fn find(&self, address: &Address) -> Option<&'a AccountView> {
        if let Some((view, rest)) = self.rest.get().split_first()
            && same_address(view.address(), address)
        {
            self.rest.set(rest);
            return Some(view);
        }
        self.search(address)
    }

    /// [`Self::find`] where the next account is another: behind it, then from the start.
    #[inline(never)]
    fn search(&self, address: &Address) -> Option<&'a AccountView> {
        let is_it = |view: &AccountView| same_address(view.address(), address);
        let rest = self.rest.get();
        let tail = match rest.iter().position(is_it) {
            Some(index) => rest.get(index..)?,
            None => self.views.get(self.views.iter().position(is_it)?..)?,
        };
        let (view, rest) = tail.split_first()?;
        self.rest.set(rest);
        Some(view)
    }
}

/// Reads an account whose address is known to be one of type `T`. Private, and called by [`Book`]'s look-ups alone.
///
/// Not by `try_borrow`: counting the reference in and out is a dozen instructions for each of the two accounts of a
/// collateral.
#[inline(always)]
fn read<T: AccountType>(view: &AccountView) -> core::result::Result<&T, PlimsollError> {
    if view.is_borrowed_mut() {
        return Err(PlimsollError::SameAccount);
    }
    // SAFETY: nobody writes to the account's data while the reference lives. An account loaded for writing says so in its
    // borrow state, which was just read, so no writer is alive now. None comes to life before the reference dies: the
    // look-ups are called by the bridge alone, under `Book::margin` and `Book::unsettled_gain`, which keep no reference
    // beyond the slot at hand, load nothing for writing and call no program.
    let data = unsafe { view.borrow_unchecked() };
    T::read(data).ok_or(PlimsollError::UnknownAccount)
}

impl Book<'_> {
    /// The second declared bank, if it is the one at `address`.
    #[cold]
    fn find_other_bank(&self, address: &Address) -> core::result::Result<&Bank, PlimsollError> {
        match self.other_bank {
            Some((declared, bank)) if same_address(declared, address) => Ok(bank),
            _ => Err(PlimsollError::MissingBank),
        }
    }
}

impl Inputs for Book<'_> {
    type BankRef<'b>
        = &'b Bank
    where
        Self: 'b;
    type MarketRef<'b>
        = &'b Market
    where
        Self: 'b;

    #[inline(always)]
    fn bank(&self, address: &Address) -> core::result::Result<&Bank, PlimsollError> {
        if let Some((declared, bank)) = self.bank
            && same_address(declared, address)
        {
            return Ok(bank);
        }
        match self.listing.find(address) {
            Some(view) => read(view),
            None => self.find_other_bank(address),
        }
    }

    #[inline(always)]
    fn market(&self, address: &Address) -> core::result::Result<(&Market, Observation), PlimsollError> {
        if let Some((declared, market)) = self.market
            && same_address(declared, address)
        {
            return Ok((market, market.observation()));
        }
        let market: &Market = read(self.listing.find(address).ok_or(PlimsollError::MissingMarket)?)?;
        if let Some((price, rest)) = self.listing.rest.get().split_first()
            && is_price_account(price)
        {
            self.listing.rest.set(rest);
            return Ok((market, younger(market, price, self.now)?));
        }
        Ok((market, market.observation()))
    }
}

/// Whether an account behind a market is meant as its price account: whatever is not of the size of a market, a bank or a
/// board, which differ from all price accounts in size.
#[inline(always)]
pub fn is_price_account(view: &AccountView) -> bool {
    let length = view.data_len();
    length != Market::SPACE && length != Bank::SPACE && length != Board::SPACE
}

/// The younger one of a market's stored observation and its price account; of two of one age the price account's.
///
/// # Errors
/// One code per cause, `Oracle…`.
#[inline(always)]
pub fn younger(
    market: &Market,
    view: &AccountView,
    now: Timestamp,
) -> core::result::Result<Observation, PlimsollError> {
    let read = read_price(market, view, now)?;
    Ok(if read.publish_time.raw() >= market.publish_time { read } else { market.observation() })
}

/// Reads the price account of a market.
///
/// # Errors
/// One code per cause, `Oracle…`.
#[inline(never)]
pub fn read_price(
    market: &Market,
    view: &AccountView,
    now: Timestamp,
) -> core::result::Result<Observation, PlimsollError> {
    if view.is_borrowed_mut() {
        return Err(PlimsollError::OracleWrongAccount);
    }
    // SAFETY: nobody writes to the account's data while the reference lives. Who could has it loaded for writing now, which
    // its borrow state was just seen to deny; and the reference dies with this call, which reads bytes and nothing else.
    let data = unsafe { view.borrow_unchecked() };
    oracle::read(market, view.address(), view.owner(), data, now)
}

/// Loads an account for writing.
///
/// # Errors
/// [`PlimsollError::NotWritable`], [`PlimsollError::SameAccount`] where it is loaded already, or Anchor's errors for
/// another owner or type.
pub fn load_mut<T>(view: AccountView) -> Result<Account<T>>
where
    T: AccountType + Owner + Discriminator,
{
    require!(view.is_writable(), PlimsollError::NotWritable);
    require!(!view.is_borrowed(), PlimsollError::SameAccount);
    // SAFETY: `load_mut` asks that no other reference to the account's data is alive. The runtime's borrow state, which
    // every `Account` and every `Ref` sets while it lives and which was just found clear, says so.
    unsafe { Account::<T>::load_mut(view) }
}

impl Book<'_> {
    /// The margin of an account at the prices of this transaction.
    #[inline(never)]
    pub fn margin(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<Margin> {
        self.listing.rest.set(self.listing.views);
        let mut portfolio = Portfolio::new();
        let has_old_rate = bridge::portfolio(account, self, self.now, &mut portfolio)?;
        let margin = portfolio::margin(&portfolio, &[], risk).map_err(PlimsollError::from)?;
        if has_old_rate { self.margin_at_old_rates(account, risk, margin) } else { Ok(margin) }
    }

    /// `margin`, its initial side without what stands at an old exchange rate.
    #[inline(never)]
    fn margin_at_old_rates(&self, account: &MarginAccount, risk: &RiskParameters, margin: Margin) -> Result<Margin> {
        self.listing.rest.set(self.listing.views);
        let mut portfolio = Portfolio::new();
        bridge::portfolio_at_init(account, self, self.now, &mut portfolio)?;
        let init = portfolio::margin(&portfolio, &[], risk).map_err(PlimsollError::from)?;
        Ok(bridge::with_init_of(margin, &init))
    }

    /// What the house owes the account and has not paid, quote native.
    fn unsettled_gain(&self, account: &MarginAccount) -> Result<i64> {
        self.listing.rest.set(self.listing.views);
        Ok(bridge::unsettled_gain(account, self)?)
    }

    /// Checks that tokens may leave against an account: every price that its debts and positions depend on is fresh, and
    /// `H_init >= 0` (INV-5), also without the gains that the house has not paid.
    ///
    /// # Errors
    /// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`], [`PlimsollError::UnsettledGain`].
    pub fn require_withdrawal_margin(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<()> {
        let margin = self.margin(account, risk)?;
        require!(margin.blocked_by.is_none(), PlimsollError::OracleStale);
        let health = health_init(&margin)?;
        require!(health >= 0, PlimsollError::InsufficientMargin);
        self.require_settled(account, health)
    }

    /// Checks that initial health does not rest on gains that the house has not paid.
    ///
    /// # Errors
    /// [`PlimsollError::UnsettledGain`].
    pub fn require_settled(&self, account: &MarginAccount, health: i64) -> Result<()> {
        require!(health >= self.unsettled_gain(account)?, PlimsollError::UnsettledGain);
        Ok(())
    }
}

/// `H_init` of a margin, quote native.
pub fn health_init(margin: &Margin) -> Result<i64> {
    Ok(margin.health_init().map_err(PlimsollError::from)?.raw())
}

/// `H_maint` of a margin, quote native.
pub fn health_maint(margin: &Margin) -> Result<i64> {
    Ok(margin.health_maint().map_err(PlimsollError::from)?.raw())
}

/// The chain's clock.
pub fn now() -> Result<Timestamp> {
    Ok(Timestamp::from_raw(Clock::get()?.unix_timestamp))
}
