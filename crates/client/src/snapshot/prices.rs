//! The snapshot at other prices, volatilities and times.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Board, MarginAccount, Market, board_state},
    board::VolatilityBand,
    effect::arrays,
};
use plimsoll_risk::{
    black::{MAX_VOLATILITY, MIN_VOLATILITY},
    math,
    units::{Ppm, Price, Timestamp, Volatility},
};

use super::Snapshot;
use crate::Error;

/// Moves are parts of a million of the price now.
pub(super) const MILLION: i64 = 1_000_000;

impl Snapshot {
    /// The snapshot with a market's price at `spot`, as if that had just been published and every active board of the market
    /// that is in the snapshot refreshed at it. Average and confidence keep their proportion to the spot; shock ranges,
    /// posted volatilities and everything else stand still.
    ///
    /// # Errors
    /// [`Error::Missing`] for a market that is not in the snapshot; [`Error::Program`] where a board cannot be computed.
    pub fn at_price(&self, market: &Address, spot: Price) -> Result<Self, Error> {
        let mut moved = self.clone();
        moved.set_price(market, spot)?;
        moved.refresh_boards(market, 0)?;
        Ok(moved)
    }

    /// Every board that needs it ([`Self::needs_refresh`]) refreshed at the price that an instruction sees: what follows from
    /// [`Self::refresh_instructions`].
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub fn refreshed(&self) -> Result<Self, Error> {
        let mut fresh = self.clone();
        for address in self.boards.keys().filter(|address| self.needs_refresh(address).is_some()) {
            fresh.refresh(address)?;
        }
        Ok(fresh)
    }

    /// What `refresh_board` of all strikes does, at the price account in the snapshot or else the stored price.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board is not in the snapshot; [`Error::Program`] with what the chain would answer.
    pub fn refresh(&mut self, address: &Address) -> Result<(), Error> {
        let now = self.timestamp();
        let mut board = *self.board_of(address)?;
        if board.state == board_state::SETTLED {
            return Err(Error::Program(PlimsollError::BoardSettled));
        }
        let observation = self.seen_price(&board.market)?;
        let mut market = self.market_copy(&board.market)?;
        if observation.spot.is_zero() {
            return Err(Error::Program(PlimsollError::OracleNeverObserved));
        }
        let damping = Ppm::from_raw(self.exchange.data.config.extreme_damping_ppm);
        arrays::refresh_at(&mut market, &mut board, damping, &observation, now, 0)?;
        self.markets.insert(board.market, market);
        self.boards.insert(*address, board);
        Ok(())
    }

    /// Puts a market's price.
    pub(super) fn set_price(&mut self, address: &Address, spot: Price) -> Result<(), Error> {
        let now = self.now;
        let missing = Error::Missing { what: "market in the snapshot", address: *address };
        let before = self.seen_price(address).ok();
        let market = self.markets.get_mut(address).ok_or(missing)?;
        let observation = before.unwrap_or(market.observation());
        let old = observation.spot.raw().max(1);
        let in_proportion = |value: Price| math::mul_div_floor(value.raw(), spot.raw(), old).unwrap_or(u64::MAX);
        (market.ema, market.confidence) = (in_proportion(observation.ema), in_proportion(observation.confidence));
        (market.spot, market.publish_time) = (spot.raw(), now);
        self.prices.remove(address);
        Ok(())
    }

    /// Refreshes the active boards of a market at its stored price, volatilities moved by a part of a million of themselves.
    pub(super) fn refresh_boards(&mut self, address: &Address, shock_ppm: i64) -> Result<(), Error> {
        let now = self.timestamp();
        let Some(market) = self.markets.get(address) else { return Ok(()) };
        let is_active = |board: &&mut Board| board.market == *address && board.state != board_state::SETTLED;
        for board in self.boards.values_mut().filter(is_active) {
            let mut market = *market;
            if shock_ppm != 0 {
                shock_volatilities(&mut market, board, shock_ppm, now);
            }
            arrays::refresh(&market, board, Price::from_raw(market.spot), now, 0)?;
        }
        Ok(())
    }

    /// The price of a market as an instruction sees it, moved by a part of a million of itself.
    pub(super) fn moved_price(&self, market: &Address, move_ppm: i64) -> Result<Price, Error> {
        let spot = self.seen_price(market)?.spot.raw();
        let factor = u64::try_from(MILLION.saturating_add(move_ppm)).unwrap_or(0);
        let raw = math::mul_div_floor(spot, factor, MILLION.unsigned_abs()).unwrap_or(u64::MAX);
        Ok(Price::from_raw(raw.max(Price::MIN_SPOT.raw())))
    }
}

/// Moves a board's volatilities by a part of a million of themselves, from where the arrays take them, and lets the arrays
/// take them there.
pub(super) fn shock_volatilities(market: &mut Market, board: &mut Board, shock_ppm: i64, now: Timestamp) {
    let band = VolatilityBand::of(market, now);
    let factor = u64::try_from(MILLION.saturating_add(shock_ppm)).unwrap_or(0);
    for volatility in &mut board.volatilities_ppm {
        let used = band.clamp(Volatility::from_raw(*volatility)).raw();
        let moved = math::mul_div_floor(u64::from(used), factor, MILLION.unsigned_abs()).unwrap_or(u64::MAX);
        let moved = u32::try_from(moved).unwrap_or(u32::MAX);
        *volatility = moved.clamp(MIN_VOLATILITY.raw(), MAX_VOLATILITY.raw());
    }
    market.config.options.volatility_ratio_max_ppm = u32::MAX;
    // What was computed with the volatilities before is of no use.
    board.next_refreshed = 0;
}

/// Markets that an account depends on, in slot order.
pub(super) fn markets_of(account: &MarginAccount) -> Vec<Address> {
    account.markets.iter().filter(|slot| slot.in_use == 1).map(|slot| slot.market).collect()
}
