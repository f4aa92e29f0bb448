//! The accounts that a margin computation reads: what an instruction declares, and what was passed behind it.
//!
//! Nothing here is trusted by its place in the list. A bank or market counts only if its address is the one that the
//! margin account's slot names, and a slot's address was checked when it was taken; owner and discriminator are checked
//! on loading; a price account is checked against the market before it. Whoever lists the accounts in slot order pays
//! for one address comparison each, and any other order is right too.

use alloc::vec::Vec;

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, MarginAccount, Market, same_address},
    bridge::{self, Inputs, MarketInput},
    oracle,
};
use plimsoll_risk::{
    portfolio::{self, Margin, Portfolio, RiskParameters},
    price::Observation,
    units::Timestamp,
};

/// A market passed behind the declared accounts, and the price at which this transaction sees it.
pub struct ListedMarket {
    /// The market.
    pub account: Account<Market>,
    /// Its stored observation, or that of the price account behind it where that is younger.
    pub observation: Observation,
}

/// The banks and markets passed behind the declared accounts.
pub struct Listed {
    /// In the order in which they were passed.
    pub banks: Vec<Account<Bank>>,
    /// In the order in which they were passed.
    pub markets: Vec<ListedMarket>,
}

impl Listed {
    /// Loads accounts that are only read.
    pub fn load(views: &[AccountView], now: Timestamp) -> Result<Self> {
        Self::load_with(views, now, |view| Account::<Bank>::load(view), |view| Account::<Market>::load(view))
    }

    /// Loads banks and markets that will be written.
    pub fn load_mut(views: &[AccountView], now: Timestamp) -> Result<Self> {
        Self::load_with(views, now, load_mut::<Bank>, load_mut::<Market>)
    }

    fn load_with(
        views: &[AccountView],
        now: Timestamp,
        load_bank: impl Fn(AccountView) -> Result<Account<Bank>>,
        load_market: impl Fn(AccountView) -> Result<Account<Market>>,
    ) -> Result<Self> {
        let mut listed = Self { banks: Vec::with_capacity(views.len()), markets: Vec::with_capacity(views.len()) };
        for view in views {
            // The sizes of the two kinds differ from one another and from those of price accounts: they choose what to
            // load the account as, and loading checks that it is that.
            match view.data_len() {
                Bank::SPACE => listed.banks.push(load_bank(*view)?),
                Market::SPACE => {
                    let account = load_market(*view)?;
                    let observation = account.observation();
                    listed.markets.push(ListedMarket { account, observation });
                }
                _ => listed.markets.last_mut().ok_or(PlimsollError::UnknownAccount)?.update(view, now)?,
            }
        }
        Ok(listed)
    }

    /// Index of a bank, by its address, looking first where a list in slot order has it.
    pub fn find_bank(&self, address: &Address, hint: usize) -> Option<usize> {
        find(&self.banks, address, hint, |bank| bank.address())
    }

    /// Index of a market, likewise.
    pub fn find_market(&self, address: &Address, hint: usize) -> Option<usize> {
        find(&self.markets, address, hint, |market| market.account.address())
    }
}

impl ListedMarket {
    /// Takes the price of the account behind the market unless what is stored is younger.
    fn update(&mut self, view: &AccountView, now: Timestamp) -> Result<()> {
        self.observation = Self::younger(&self.account, self.observation, view, now)?;
        Ok(())
    }

    /// The younger one of a stored observation and a price account; of two of one age the price account's.
    pub fn younger(market: &Market, stored: Observation, view: &AccountView, now: Timestamp) -> Result<Observation> {
        let read = read_price(market, view, now)?;
        Ok(if read.publish_time >= stored.publish_time { read } else { stored })
    }
}

/// Loads an account for writing.
///
/// # Errors
/// [`PlimsollError::NotWritable`], [`PlimsollError::SameAccount`] where it is loaded already, or Anchor's errors for
/// another owner or type.
fn load_mut<T>(view: AccountView) -> Result<Account<T>>
where
    T: AccountType + Owner + Discriminator,
{
    require!(view.is_writable(), PlimsollError::NotWritable);
    require!(!view.is_borrowed(), PlimsollError::SameAccount);
    // SAFETY: `load_mut` asks that no other reference to the account's data is alive. The runtime's borrow state, which
    // every `Account` sets while it lives and which was just found clear, says so.
    unsafe { Account::<T>::load_mut(view) }
}

/// Reads the price account of a market.
///
/// # Errors
/// One code per cause, `Oracle…`.
pub fn read_price(market: &Market, view: &AccountView, now: Timestamp) -> Result<Observation> {
    let data = view.try_borrow()?;
    Ok(oracle::read(market, view.address(), view.owner(), &data, now)?)
}

#[inline(always)]
fn find<T>(list: &[T], address: &Address, hint: usize, key: impl Fn(&T) -> &Address) -> Option<usize> {
    match list.get(hint) {
        Some(entry) if same_address(key(entry), address) => Some(hint),
        _ => list.iter().position(|entry| same_address(key(entry), address)),
    }
}

/// Everything that a margin computation may look up: the listed accounts and those that the instruction declares.
pub struct Book<'a> {
    /// Passed behind the declared accounts.
    pub listed: &'a Listed,
    /// The bank that the instruction declares.
    pub bank: Option<(&'a Address, &'a Bank)>,
    /// The market that the instruction declares.
    pub market: Option<(&'a Address, &'a Market)>,
}

impl Inputs for Book<'_> {
    #[inline(always)]
    fn bank(&self, address: &Address, hint: usize) -> core::result::Result<&Bank, PlimsollError> {
        if let Some((declared, bank)) = self.bank
            && same_address(declared, address)
        {
            return Ok(bank);
        }
        let index = self.listed.find_bank(address, hint).ok_or(PlimsollError::MissingBank)?;
        Ok(self.listed.banks.get(index).ok_or(PlimsollError::MissingBank)?)
    }

    #[inline(always)]
    fn market(&self, address: &Address, hint: usize) -> core::result::Result<MarketInput<'_>, PlimsollError> {
        if let Some((declared, market)) = self.market
            && same_address(declared, address)
        {
            return Ok(MarketInput { market, observation: market.observation() });
        }
        let index = self.listed.find_market(address, hint).ok_or(PlimsollError::MissingMarket)?;
        let listed = self.listed.markets.get(index).ok_or(PlimsollError::MissingMarket)?;
        Ok(MarketInput { market: &listed.account, observation: listed.observation })
    }
}

impl Book<'_> {
    /// The margin of an account at the prices of this transaction.
    #[inline(never)]
    pub fn margin(&self, account: &MarginAccount, risk: &RiskParameters, now: Timestamp) -> Result<Margin> {
        let mut portfolio = Portfolio::new();
        bridge::portfolio(account, self, now, &mut portfolio)?;
        Ok(portfolio::margin(&portfolio, risk).map_err(PlimsollError::from)?)
    }

    /// Checks that an account may take risk on: every price that its debts and positions depend on is fresh, and
    /// `H_init >= 0` (INV-5).
    ///
    /// # Errors
    /// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`].
    pub fn require_initial_margin(&self, account: &MarginAccount, risk: &RiskParameters, now: Timestamp) -> Result<()> {
        let margin = self.margin(account, risk, now)?;
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
