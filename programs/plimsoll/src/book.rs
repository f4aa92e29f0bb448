//! The accounts that a margin computation reads: what an instruction declares, and what was passed behind it.
//!
//! Nothing here is trusted by its place in the list. A bank or market counts only if its address is the one that the
//! margin account's slot names; a slot's address was checked, owner and type included, when the slot was taken, and the
//! program never closes a bank or a market. A price account is checked against the market before it. Whoever lists the
//! accounts in slot order pays one address comparison for each; any other order is right too. What no slot names is
//! never looked at.

use core::{cell::Cell, ops::Deref};

use anchor_lang::prelude::*;
use pinocchio::account::Ref;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, MarginAccount, Market, same_address},
    bridge::{self, Inputs},
    oracle,
};
use plimsoll_risk::{
    portfolio::{self, Margin, Portfolio, RiskParameters},
    price::Observation,
    units::Timestamp,
};

/// An account of the program, declared by the instruction or passed behind.
pub enum Borrowed<'a, T> {
    /// Declared.
    Declared(&'a T),
    /// Passed behind.
    Listed(Ref<'a, T>),
}

impl<T> Deref for Borrowed<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        match self {
            Self::Declared(account) => account,
            Self::Listed(account) => account,
        }
    }
}

/// Everything that a margin computation may look up.
pub struct Book<'a> {
    /// What was passed behind the declared accounts.
    views: &'a [AccountView],
    /// The bank that the instruction declares.
    bank: Option<(&'a Address, &'a Bank)>,
    /// The market that the instruction declares.
    market: Option<(&'a Address, &'a Market)>,
    /// The chain's clock.
    now: Timestamp,
    /// Where the next look-up looks first.
    cursor: Cell<usize>,
}

impl<'a> Book<'a> {
    /// The accounts passed behind the declared ones.
    pub fn new(views: &'a [AccountView], now: Timestamp) -> Self {
        Self { views, bank: None, market: None, now, cursor: Cell::new(0) }
    }

    /// With a bank that the instruction declares.
    #[must_use]
    pub fn with_bank(self, bank: &'a Account<Bank>) -> Self {
        Self { bank: Some((bank.address(), bank)), ..self }
    }

    /// With a market that the instruction declares, and whose stored observation counts.
    #[must_use]
    pub fn with_market(self, address: &'a Address, market: &'a Market) -> Self {
        Self { market: Some((address, market)), ..self }
    }

    /// Index of the account at an address.
    #[inline(always)]
    fn find(&self, address: &Address) -> Option<usize> {
        let cursor = self.cursor.get();
        let index = match self.views.get(cursor) {
            Some(view) if same_address(view.address(), address) => cursor,
            _ => find(self.views, address)?,
        };
        self.cursor.set(index.wrapping_add(1));
        Some(index)
    }
}

/// Index of the account at an address.
#[inline(never)]
pub fn find(views: &[AccountView], address: &Address) -> Option<usize> {
    views.iter().position(|view| same_address(view.address(), address))
}

/// Borrows an account whose address is known to be one of type `T`.
#[inline(always)]
fn borrow<T: AccountType>(view: &AccountView) -> core::result::Result<Ref<'_, T>, PlimsollError> {
    let data = view.try_borrow().map_err(|_| PlimsollError::SameAccount)?;
    Ref::filter_map(data, T::read).map_err(|_| PlimsollError::UnknownAccount)
}

impl Inputs for Book<'_> {
    type BankRef<'b>
        = Borrowed<'b, Bank>
    where
        Self: 'b;
    type MarketRef<'b>
        = Borrowed<'b, Market>
    where
        Self: 'b;

    #[inline(always)]
    fn bank(&self, address: &Address) -> core::result::Result<Borrowed<'_, Bank>, PlimsollError> {
        if let Some((declared, bank)) = self.bank
            && same_address(declared, address)
        {
            return Ok(Borrowed::Declared(bank));
        }
        let view = self.find(address).and_then(|index| self.views.get(index)).ok_or(PlimsollError::MissingBank)?;
        Ok(Borrowed::Listed(borrow(view)?))
    }

    #[inline(always)]
    fn market(&self, address: &Address) -> core::result::Result<(Borrowed<'_, Market>, Observation), PlimsollError> {
        if let Some((declared, market)) = self.market
            && same_address(declared, address)
        {
            return Ok((Borrowed::Declared(market), market.observation()));
        }
        let index = self.find(address).ok_or(PlimsollError::MissingMarket)?;
        let market: Ref<'_, Market> = borrow(self.views.get(index).ok_or(PlimsollError::MissingMarket)?)?;
        let mut observation = market.observation();
        let next = index.wrapping_add(1);
        if let Some(price) = self.views.get(next)
            && is_price_account(price)
        {
            observation = younger(&market, observation, price, self.now)?;
            self.cursor.set(next.wrapping_add(1));
        }
        Ok((Borrowed::Listed(market), observation))
    }
}

/// Whether an account behind a market is meant as its price account: whatever is not of the size of a market or a bank,
/// which differ from all price accounts in size.
#[inline(always)]
pub fn is_price_account(view: &AccountView) -> bool {
    let length = view.data_len();
    length != Market::SPACE && length != Bank::SPACE
}

/// The younger one of a stored observation and a price account; of two of one age the price account's.
///
/// # Errors
/// One code per cause, `Oracle…`.
#[inline(never)]
pub fn younger(
    market: &Market,
    stored: Observation,
    view: &AccountView,
    now: Timestamp,
) -> core::result::Result<Observation, PlimsollError> {
    let read = read_price(market, view, now)?;
    Ok(if read.publish_time >= stored.publish_time { read } else { stored })
}

/// Reads the price account of a market.
///
/// # Errors
/// One code per cause, `Oracle…`.
#[inline(always)]
pub fn read_price(
    market: &Market,
    view: &AccountView,
    now: Timestamp,
) -> core::result::Result<Observation, PlimsollError> {
    let data = view.try_borrow().map_err(|_| PlimsollError::OracleWrongAccount)?;
    oracle::read(market, view.address(), view.owner(), &data, now)
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
        self.cursor.set(0);
        let mut portfolio = Portfolio::new();
        bridge::portfolio(account, self, self.now, &mut portfolio)?;
        Ok(portfolio::margin(&portfolio, risk).map_err(PlimsollError::from)?)
    }

    /// Checks that an account may take risk on: every price that its debts and positions depend on is fresh, and
    /// `H_init >= 0` (INV-5).
    ///
    /// # Errors
    /// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`].
    pub fn require_initial_margin(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<()> {
        let margin = self.margin(account, risk)?;
        require!(margin.blocked_by.is_none(), PlimsollError::OracleStale);
        require!(health_init(&margin)? >= 0, PlimsollError::InsufficientMargin);
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
