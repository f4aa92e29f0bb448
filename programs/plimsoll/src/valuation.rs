//! What the house is worth: its quote deposit and its inventory in every market, looked at in one transaction or, where the
//! markets do not fit one, in several.
//!
//! Several are one look in time only if nothing changes in between. So they go over the markets twice: the second pass finds
//! that no price has moved by more than a limit and that the house's size and cash in no market have changed since the
//! first. As a cash movement shows on one of the two sides, the quote deposit is compared likewise. Anything else makes the
//! valuation void.

use anchor_lang::prelude::*;
use bytemuck::Zeroable;
use plimsoll_interface::{
    PlimsollError,
    accounts::{AccountType, Bank, House, HouseBoard, Market, round_phase, same_address},
    config::limits,
    effect::{inventory, ledger},
    event::{HouseRoundVoided, HouseValued},
};
use plimsoll_risk::{
    house as shares,
    price::{Freshness, Observation, is_doubtful},
    trade,
    units::{Base, Fraction, Ppm, Price, Quote, Timestamp},
};

use crate::book;

/// One call of the valuation.
pub struct Valuation<'a> {
    /// Address of the exchange.
    pub exchange: &'a Address,
    /// Its number of markets.
    pub market_count: u16,
    /// Address of the house.
    pub address: &'a Address,
    /// The house.
    pub house: &'a mut House,
    /// The quote bank, accrued.
    pub quote_bank: &'a Bank,
    /// The markets, each with its price account behind it where the stored price is old, and the banks that the house has
    /// inventory in.
    pub views: &'a [AccountView],
    /// The chain's clock.
    pub now: Timestamp,
}

impl Valuation<'_> {
    /// Values the house at once where all markets are passed, whatever is under way: nobody can keep others from a valuation
    /// by beginning one. Otherwise goes on with the one that is under way, or begins one where none is or it took too long.
    ///
    /// # Errors
    /// [`PlimsollError::HouseRoundOrder`], [`PlimsollError::WrongExchange`], [`PlimsollError::OracleStale`],
    /// [`PlimsollError::HouseBoardStale`], and what is wrong with a price account.
    pub fn go_on(&mut self) -> Result<()> {
        let (first, count) = self.listed()?;
        if count == usize::from(self.market_count) {
            require!(first == 0, PlimsollError::HouseRoundOrder);
            self.begin()?;
            self.value()?;
            let nav = self.net_asset_value()?;
            self.withhold(nav)?;
            return self.finish(nav);
        }
        if !self.is_under_way() {
            require!(first == 0, PlimsollError::HouseRoundOrder);
            self.begin()?;
        }
        if self.house.round_phase == round_phase::CHECKS {
            return self.check();
        }
        self.value()?;
        if self.house.round_next == self.market_count {
            self.house.round_phase = round_phase::CHECKS;
            self.house.round_next = 0;
        }
        Ok(())
    }

    /// Index of the first market that was passed, and how many were.
    fn listed(&self) -> Result<(u16, usize)> {
        let mut markets = self.views.iter().filter(|view| view.data_len() == Market::SPACE);
        let Some(first) = markets.next() else { return Ok((0, 0)) };
        Ok((Account::<Market>::load(*first)?.index, markets.count().saturating_add(1)))
    }

    fn is_under_way(&self) -> bool {
        let age = self.now.since(Timestamp::from_raw(self.house.round_started_at)).raw();
        self.house.round_phase != round_phase::NONE && age <= i64::from(limits::HOUSE_NAV_AGE_SECONDS_MAX)
    }

    fn begin(&mut self) -> Result<()> {
        let house = &mut *self.house;
        house.round = house.round.checked_add(1).ok_or(PlimsollError::Overflow)?;
        house.round_started_at = self.now.raw();
        house.round_value = 0;
        house.round_quote_shares = house.quote_shares;
        house.round_next = 0;
        house.round_phase = round_phase::VALUES;
        Ok(())
    }

    /// Adds the markets that were passed, and notes what they were valued at.
    fn value(&mut self) -> Result<()> {
        let (now, house) = (self.now, &mut *self.house);
        let round = house.round;
        house.round_next = for_each_market(self.exchange, self.views, Some(now), house.round_next, |market, seen| {
            // What traders owe until now is the shares': who chooses when to accrue it must not choose whose it is.
            market.accrue_funding(now);
            let (spot_inventory, observation) = (seen.inventory(market, now)?, &seen.observation);
            let value = inventory_value(market, spot_inventory, observation, now)?;
            house.round_value = house.round_value.checked_add(value).ok_or(PlimsollError::Overflow)?;
            market.nav_spot = observation.spot.raw();
            market.nav_size = market.house_size;
            market.nav_cash = market.house_cash;
            market.nav_inventory_shares = spot_inventory.shares;
            market.nav_round = round;
            Ok(true)
        })?
        .next;
        Ok(())
    }

    /// Compares the markets that were passed with what they were valued at, and finishes behind the last.
    fn check(&mut self) -> Result<()> {
        let nav = self.net_asset_value()?;
        let withheld = self.uncovered(nav);
        let (round, next) = (self.house.round, self.house.round_next);
        let now = self.now;
        let walk = for_each_market(self.exchange, self.views, Some(now), next, |market, seen| {
            market.budget_withheld = withheld.raw();
            let shares = seen.inventory(market, now)?.shares;
            Ok(market.nav_inventory_shares == shares && is_as_valued(market, &seen.observation, round))
        })?;
        self.house.round_next = walk.next;
        if let Some(market) = walk.stopped_at {
            return self.void(market);
        }
        if self.house.round_next != self.market_count {
            return Ok(());
        }
        if self.house.round_quote_shares != self.house.quote_shares {
            return self.void(*self.address);
        }
        self.finish(nav)
    }

    /// The deposit, rounded down, and the markets valued so far.
    fn net_asset_value(&self) -> Result<i64> {
        let deposit = ledger::house_quote(self.house, self.quote_bank)?;
        let deposit = i64::try_from(deposit).map_err(|_| PlimsollError::Overflow)?;
        Ok(deposit.checked_add(self.house.round_value).ok_or(PlimsollError::Overflow)?)
    }

    fn uncovered(&self, nav: i64) -> Fraction {
        shares::uncovered(Quote::from_raw(nav), self.house.risk_budget_total)
    }

    /// Notes in every market how much of its budget is not covered.
    fn withhold(&mut self, nav: i64) -> Result<()> {
        let withheld = self.uncovered(nav).raw();
        for_each_market(self.exchange, self.views, None, 0, |market, _| {
            market.budget_withheld = withheld;
            Ok(true)
        })?;
        Ok(())
    }

    fn finish(&mut self, nav: i64) -> Result<()> {
        let change = nav.checked_sub(self.house.nav).ok_or(PlimsollError::Overflow)?;
        let house = &mut *self.house;
        house.nav = nav;
        house.nav_at = house.round_started_at;
        house.round_phase = round_phase::NONE;
        emit!(HouseValued {
            house: *self.address,
            round: house.round,
            nav,
            change,
            supply: house.share_supply,
            budgets: house.risk_budget_total,
            nav_at: house.nav_at,
        });
        Ok(())
    }

    fn void(&mut self, subject: Address) -> Result<()> {
        self.house.round_phase = round_phase::NONE;
        emit!(HouseRoundVoided { house: *self.address, subject, round: self.house.round });
        Ok(())
    }
}

/// How far [`for_each_market`] came.
struct Walk {
    /// Index behind the last market.
    next: u16,
    /// The market at which it was told to stop.
    stopped_at: Option<Address>,
}

/// A market as the transaction shows it.
struct Seen<'a> {
    address: &'a Address,
    observation: Observation,
    /// What stands between it and the next market.
    behind: &'a [AccountView],
}

/// What the house holds of what a market prices from spot swaps.
#[derive(Clone, Copy, Default)]
struct SpotInventory {
    /// Base units.
    base: i64,
    /// Deposit shares of all its banks.
    shares: u64,
    /// Premiums that traders get back when they undo their swaps, quote native. A swap's premium is on its own bank's
    /// inventory: the premium on the sum would be larger, and a valuation too low is cheap to who provides.
    premium_owed: i64,
}

impl Seen<'_> {
    /// Counts the house's inventory anew in every bank that has some: all of them must stand behind the market, by rising
    /// index.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBank`], [`PlimsollError::WrongBankMarket`], [`PlimsollError::HouseRoundOrder`],
    /// [`PlimsollError::RateOld`].
    fn inventory(&self, market: &mut Market, now: Timestamp) -> Result<SpotInventory> {
        let (mut all, mut count, mut next_index) = (SpotInventory::default(), 0u64, 0u32);
        for view in self.behind.iter().filter(|view| view.data_len() == Bank::SPACE) {
            let mut bank = book::load_mut::<Bank>(*view)?;
            require!(same_address(&bank.market, self.address), PlimsollError::WrongBankMarket);
            let in_order = u32::from(bank.index) >= next_index && bank.inventory_shares != 0;
            require!(in_order, PlimsollError::HouseRoundOrder);
            require!(!bank.is_rated() || bank.rate.is_fresh(now), PlimsollError::RateOld);
            ledger::accrue(&mut bank, now)?;
            let base = inventory::count_inventory(market, &mut bank, false)?;
            all.base = add(all.base, base)?;
            all.premium_owed = add(all.premium_owed, premium_owed(market, base, self.observation.spot)?)?;
            all.shares = all.shares.checked_add(bank.inventory_shares).ok_or(PlimsollError::Overflow)?;
            next_index = u32::from(bank.index).saturating_add(1);
            count = count.saturating_add(1);
        }
        require!(count == market.inventory_banks, PlimsollError::MissingBank);
        Ok(all)
    }
}

/// Calls `f` for the markets among `views`, which must go on from index `next` without a gap, with the price that this
/// transaction sees where `now` is given, until it answers `false`.
fn for_each_market(
    exchange: &Address,
    views: &[AccountView],
    now: Option<Timestamp>,
    mut next: u16,
    mut f: impl FnMut(&mut Market, &Seen<'_>) -> Result<bool>,
) -> Result<Walk> {
    for (position, view) in views.iter().enumerate() {
        if view.data_len() != Market::SPACE {
            continue;
        }
        let mut market = book::load_mut::<Market>(*view)?;
        require!(same_address(&market.exchange, exchange), PlimsollError::WrongExchange);
        require!(market.index == next, PlimsollError::HouseRoundOrder);
        let mut observation = market.observation();
        if let Some(now) = now
            && let Some(price) = views.get(position.wrapping_add(1)).filter(|view| book::is_price_account(view))
        {
            observation = book::younger(&market, price, now)?;
        }
        let behind = views.get(position.wrapping_add(1)..).unwrap_or_default();
        let end = behind.iter().position(|view| view.data_len() == Market::SPACE).unwrap_or(behind.len());
        let seen = Seen { address: view.address(), observation, behind: behind.get(..end).unwrap_or_default() };
        if !f(&mut market, &seen)? {
            return Ok(Walk { next, stopped_at: Some(*view.address()) });
        }
        next = next.checked_add(1).ok_or(PlimsollError::Overflow)?;
    }
    Ok(Walk { next, stopped_at: None })
}

/// Whether a market is as it was when the valuation looked at it first.
fn is_as_valued(market: &Market, observation: &Observation, round: u64) -> bool {
    let limit = Ppm::from_raw(limits::HOUSE_NAV_MOVE_PPM_MAX);
    market.nav_round == round
        && market.nav_size == market.house_size
        && market.nav_cash == market.house_cash
        && !shares::has_moved(Price::from_raw(market.nav_spot), observation.spot, limit)
}

/// What the house's inventory in one market is worth, rounded down, quote native: cash, position, funding, options and what
/// it holds of it (`spot_inventory`), less the premiums that traders get back when they undo their skew, in the
/// perpetual and in swaps. Without that, who opens a large position before a
/// valuation and closes it after would raise the shares' price at no cost in between.
///
/// # Errors
/// [`PlimsollError::OracleStale`] and [`PlimsollError::OracleTooWide`] where there is inventory and no price for it that is
/// fresh and narrow, [`PlimsollError::HouseBoardStale`].
fn inventory_value(
    market: &Market,
    spot_inventory: SpotInventory,
    observation: &Observation,
    now: Timestamp,
) -> Result<i64> {
    let mut value = market.house_cash;
    let is_empty = HouseBoard::zeroed();
    let has_options = market.house_boards.iter().any(|board| *board != is_empty);
    if market.house_size == 0 && spot_inventory.base == 0 && !has_options {
        return add(value, market.unsettled_funding()?);
    }
    require_price(market, observation, now)?;
    let spot = observation.spot;
    let perpetual = (market.house_size, premium_owed(market, market.house_size, spot)?);
    for (base, owed) in [perpetual, (spot_inventory.base, spot_inventory.premium_owed)] {
        let position = spot.value_floor(Base::from_raw(base)).ok_or(PlimsollError::Overflow)?;
        value = add(value, position.raw())?;
        value = value.checked_sub(owed).ok_or(PlimsollError::Overflow)?;
    }
    value = add(value, market.unsettled_funding()?)?;
    for board in market.house_boards.iter().filter(|board| **board != is_empty) {
        value = add(value, options_value(board, spot, now)?)?;
    }
    Ok(value)
}

/// The premium that traders get back when they undo a skew of `base` units against the house.
fn premium_owed(market: &Market, base: i64, spot: Price) -> Result<i64> {
    let owed = trade::premium_owed(&market.config.pricing(), spot, Base::from_raw(base));
    Ok(owed.map_err(PlimsollError::from)?.raw())
}

/// Checks that the price is one that the house may be valued at: fresh by its market, no older than shares' price may be, and
/// within the market's limit of confidence.
fn require_price(market: &Market, observation: &Observation, now: Timestamp) -> Result<()> {
    let fresh = inventory::market_freshness(market, observation, now) == Freshness::Fresh
        && now.since(observation.publish_time).raw() <= i64::from(limits::HOUSE_PRICE_AGE_SECONDS_MAX);
    require!(fresh, PlimsollError::OracleStale);
    // Who waits for a valuation must not choose a print of which the oracle itself says that it does not know it.
    let doubtful = is_doubtful(observation, Ppm::from_raw(market.config.max_confidence_ppm));
    require!(!doubtful, PlimsollError::OracleTooWide);
    Ok(())
}

/// What the house's options of one board are worth at `spot`, rounded down.
fn options_value(board: &HouseBoard, spot: Price, now: Timestamp) -> Result<i64> {
    let (value, delta, then) = (Quote::from_raw(board.value), Base::from_raw(board.delta), Price::from_raw(board.spot));
    if board.valid_until == i64::MAX && delta.is_zero() {
        return Ok(value.raw());
    }
    require!(inventory::is_valid(board, spot, now), PlimsollError::HouseBoardStale);
    Ok(shares::marked(value, delta, then, spot).map_err(PlimsollError::from)?.raw())
}

fn add(a: i64, b: i64) -> Result<i64> {
    Ok(a.checked_add(b).ok_or(PlimsollError::Overflow)?)
}
