//! The accounts that a margin computation reads: what an instruction declares, and what was passed behind it.
//!
//! Nothing here is trusted by its place in the list. A bank, market or board counts only if its address is the one that the
//! margin account's slot names; a slot's address was checked, owner and type included, when the slot was taken, and the
//! program never closes a bank or a market, nor a board with options in anybody's account. A price account is checked against the market before it. Whoever lists the
//! accounts in slot order pays one address comparison for each; any other order is right too. What no slot names is
//! never looked at.

use core::{borrow::Borrow, cell::Cell};

use anchor_lang::prelude::*;
pub use plimsoll_interface::effect::margin::{health_init, health_maint};
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, Board, MAX_BOARDS, MarginAccount, Market, same_address},
    bridge::{self, Inputs},
    effect::{inventory, margin},
    oracle,
};
use plimsoll_risk::{
    options::OptionRisk,
    portfolio::{self, Margin, Portfolio, RiskParameters},
    price::{Freshness, Observation},
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
    /// The board that the instruction declares.
    board: Option<(&'a Address, &'a Board)>,
    /// The chain's clock.
    now: Timestamp,
}

impl<'a> Book<'a> {
    /// The accounts passed behind the declared ones.
    pub fn new(views: &'a [AccountView], now: Timestamp) -> Self {
        Self { listing: Listing::new(views), bank: None, other_bank: None, market: None, board: None, now }
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

    /// With a board that the instruction declares.
    #[must_use]
    pub fn with_board(self, address: &'a Address, board: &'a Board) -> Self {
        Self { board: Some((address, board)), ..self }
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
    // look-ups are called by the bridge alone, under `Book::assess` and `Book::unsettled_gain`, which keep no reference
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
    type BoardRef<'b>
        = &'b Board
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

    #[inline(always)]
    fn board(&self, address: &Address) -> core::result::Result<&Board, PlimsollError> {
        if let Some((declared, board)) = self.board
            && same_address(declared, address)
        {
            return Ok(board);
        }
        read(self.listing.find(address).ok_or(PlimsollError::MissingBoard)?)
    }
}

/// Whether an account behind a market is meant as its price account: whatever is not of the size of a market, a bank, a
/// board or a margin account, which differ from all price accounts in size.
#[inline(always)]
pub fn is_price_account(view: &AccountView) -> bool {
    let length = view.data_len();
    length != Market::SPACE && length != Bank::SPACE && length != Board::SPACE && length != MarginAccount::SPACE
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
    pub fn margin(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<Margin> {
        Ok(self.assess(account, risk)?.margin)
    }

    /// The margin of an account at the prices of this transaction, and the marks of its options.
    ///
    /// Two frames where there are any, as one holds 4,096 bytes: one has the options, the other the underlyings. Entries for
    /// two markets are a quarter of the work to clear of those for eight.
    pub fn assess(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<Assessment> {
        match account.boards.iter().filter(|slot| slot.in_use != 0).count() {
            0 => Ok(Assessment { margin: self.margin_with(account, risk, None)?, option_marks: 0 }),
            1..=2 => self.assess_with::<2>(account, risk),
            _ => self.assess_with::<MAX_BOARDS>(account, risk),
        }
    }

    #[inline(never)]
    fn assess_with<const BOARDS: usize>(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<Assessment> {
        let mut storage = [OptionRisk::NONE; BOARDS];
        let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
        let margin = self.margin_with(account, risk, Some(&mut options))?;
        Ok(Assessment { margin, option_marks: options.marks() })
    }

    #[inline(never)]
    fn margin_with(
        &self,
        account: &MarginAccount,
        risk: &RiskParameters,
        mut options: Option<&mut bridge::Options<'_>>,
    ) -> Result<Margin> {
        self.listing.rest.set(self.listing.views);
        let mut portfolio = Portfolio::new();
        let has_old_rate = bridge::portfolio(account, self, self.now, &mut portfolio, options.as_deref_mut())?;
        let options = options.map_or(&[][..], |options| options.as_slice());
        let margin = portfolio::margin(&portfolio, options, risk).map_err(PlimsollError::from)?;
        if has_old_rate { self.with_old_rates(account, risk, margin) } else { Ok(margin) }
    }

    /// `margin`, its initial side without what stands at an old exchange rate. It is rare, so there is always room for the
    /// options of all boards.
    #[inline(never)]
    fn with_old_rates(&self, account: &MarginAccount, risk: &RiskParameters, margin: Margin) -> Result<Margin> {
        let mut storage = [OptionRisk::NONE; MAX_BOARDS];
        let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
        let init = self.margin_at_init(account, risk, &mut options)?;
        Ok(bridge::with_init_of(margin, &init))
    }

    #[inline(never)]
    fn margin_at_init(
        &self,
        account: &MarginAccount,
        risk: &RiskParameters,
        options: &mut bridge::Options<'_>,
    ) -> Result<Margin> {
        self.listing.rest.set(self.listing.views);
        let mut portfolio = Portfolio::new();
        bridge::portfolio_at_init(account, self, self.now, &mut portfolio, Some(options))?;
        Ok(portfolio::margin(&portfolio, options.as_slice(), risk).map_err(PlimsollError::from)?)
    }

    /// What an account's options of the market in one of its slots are worth, quote native.
    #[inline(never)]
    pub fn option_marks(&self, account: &MarginAccount, market_slot: usize, risk: &RiskParameters) -> Result<i64> {
        // One market, one entry.
        let mut storage = [OptionRisk::NONE; 1];
        let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
        self.option_marks_with(account, market_slot, &mut options)
    }

    #[inline(never)]
    fn option_marks_with(
        &self,
        account: &MarginAccount,
        market_slot: usize,
        options: &mut bridge::Options<'_>,
    ) -> Result<i64> {
        self.listing.rest.set(self.listing.views);
        let mut portfolio = Portfolio::new();
        Ok(bridge::option_marks(account, market_slot, self, self.now, &mut portfolio, options)?)
    }

    /// How old the price of a market is at which this transaction sees it.
    ///
    /// # Errors
    /// [`PlimsollError::MissingMarket`], or what was wrong with its price account.
    pub fn freshness_of(&self, market: &Address, now: Timestamp) -> Result<Freshness> {
        let (market, observation) = self.market(market)?;
        Ok(inventory::market_freshness(market, &observation, now))
    }

    /// What the house owes the account and has not paid, quote native.
    fn unsettled_gain(&self, account: &MarginAccount, option_marks: i64) -> Result<i64> {
        self.listing.rest.set(self.listing.views);
        Ok(bridge::unsettled_gain(account, self, option_marks)?)
    }

    /// Checks that tokens may leave against an account: every price that its debts and positions depend on is fresh, and
    /// `H_init >= 0` (INV-5), also without the gains that the house has not paid.
    ///
    /// # Errors
    /// [`PlimsollError::OracleStale`], [`PlimsollError::InsufficientMargin`], [`PlimsollError::UnsettledGain`].
    pub fn require_withdrawal_margin(&self, account: &MarginAccount, risk: &RiskParameters) -> Result<()> {
        let assessment = self.assess(account, risk)?;
        margin::require_init(&assessment.margin)?;
        self.require_settled(account, &assessment)
    }

    /// Checks that initial health does not rest on gains that the house has not paid.
    ///
    /// # Errors
    /// [`PlimsollError::UnsettledGain`].
    pub fn require_settled(&self, account: &MarginAccount, assessment: &Assessment) -> Result<()> {
        let gain = self.unsettled_gain(account, assessment.option_marks)?;
        require!(health_init(&assessment.margin)? >= gain, PlimsollError::UnsettledGain);
        Ok(())
    }
}

/// What an account is worth and must be worth.
pub struct Assessment {
    /// Its margin.
    pub margin: Margin,
    /// What its options are worth, quote native, as in the margin's equity.
    option_marks: i64,
}

impl Borrow<Margin> for Assessment {
    fn borrow(&self) -> &Margin {
        &self.margin
    }
}

/// The chain's clock.
pub fn now() -> Result<Timestamp> {
    Ok(Timestamp::from_raw(Clock::get()?.unix_timestamp))
}

/// The chain's epoch.
pub fn epoch() -> Result<u64> {
    Ok(Clock::get()?.epoch)
}
