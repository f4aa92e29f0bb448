//! At what prices an account goes below its line.

use plimsoll_interface::{Address, accounts::MarginAccount};
use plimsoll_risk::units::Price;

use super::{
    Snapshot,
    prices::{MILLION, markets_of},
};
use crate::Error;

/// The largest rise that is looked at: to a hundred times the price.
pub const RISE_MAX: u64 = 100;
/// The largest fall that is looked at: to a hundredth of the price.
pub const FALL_MAX: u64 = 100;
/// Step of the search while there are options, whose health may cross its line more than once: 4 %. A pocket that is narrower
/// than a step may be missed.
const STEP_WITH_OPTIONS: (u64, u64) = (26, 25);
/// Step while there are none: health is then concave in a price, so above its line it crosses at most once on either side.
const STEP: (u64, u64) = (2, 1);

/// Where an account's maintenance health crosses zero if only one market's price moves.
///
/// The move is taken to be published at once and boards to be refreshed at it; every other price, all shock ranges, posted
/// volatilities, interest and funding stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationPrices {
    /// The market.
    pub market: Address,
    /// Its price now.
    pub spot: Price,
    /// Maintenance health at that price, quote native.
    pub health: i64,
    /// The highest price below [`Self::spot`] on the other side of the line: where the account may be liquidated, or, for one
    /// that may be now, where it may be no more. `None` where there is none down to a [`FALL_MAX`]th of the spot.
    pub below: Option<Price>,
    /// The lowest price above, likewise. `None` where there is none up to [`RISE_MAX`] times the spot.
    pub above: Option<Price>,
}

/// Where an account's maintenance health crosses zero if several markets' prices move by the same part of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiquidationMove {
    /// The risk group whose markets move; `None` for all markets.
    pub group: Option<u8>,
    /// The markets that move.
    pub markets: Vec<Address>,
    /// Maintenance health without a move, quote native.
    pub health: i64,
    /// The smallest fall on the other side of the line, in millionths of the prices, positive; `None` where there is none.
    pub fall_ppm: Option<u64>,
    /// The smallest rise on the other side of the line, in millionths; `None` where there is none up to [`RISE_MAX`] times.
    pub rise_ppm: Option<u64>,
}

/// Prices of liquidation.
impl Snapshot {
    /// For every market that an account depends on, where it would be liquidated if only that market's price moved.
    ///
    /// # Errors
    /// [`Error::Program`] where the account has no margin now that could be told.
    pub fn liquidation_prices(&self, account: &MarginAccount) -> Result<Vec<LiquidationPrices>, Error> {
        let part = self.part_of(account);
        markets_of(account).iter().map(|market| part.liquidation_price(account, market)).collect()
    }

    /// Where an account would be liquidated if only this market's price moved.
    ///
    /// # Errors
    /// As [`Self::liquidation_prices`]; [`Error::Missing`] for a market that is not in the snapshot.
    pub fn liquidation_price(&self, account: &MarginAccount, market: &Address) -> Result<LiquidationPrices, Error> {
        let part = self.part_of(account);
        let spot = part.seen_price(market)?.spot;
        let health_at =
            |raw: u64| -> Result<i64, Error> { part.at_price(market, Price::from_raw(raw))?.health_maint(account) };
        let health = health_at(spot.raw())?;
        let search = Search { from: spot.raw(), is_healthy: health >= 0, step: step(account) };
        let least = (spot.raw() / FALL_MAX).max(Price::MIN_SPOT.raw());
        let most = spot.raw().saturating_mul(RISE_MAX).min(u64::MAX >> 1);
        Ok(LiquidationPrices {
            market: *market,
            spot,
            health,
            below: search.towards(least, &health_at)?.map(Price::from_raw),
            above: search.towards(most, &health_at)?.map(Price::from_raw),
        })
    }

    /// For every risk group that the account's markets are of, and at the end for all markets together, how far prices must
    /// move by the same part of themselves until the account would be liquidated.
    ///
    /// # Errors
    /// As [`Self::liquidation_prices`].
    pub fn liquidation_moves(&self, account: &MarginAccount) -> Result<Vec<LiquidationMove>, Error> {
        let part = self.part_of(account);
        let markets = markets_of(account);
        let group_of = |market: &Address| part.markets.get(market).map(|market| market.config.group);
        let mut groups: Vec<u8> = markets.iter().filter_map(group_of).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut moves = Vec::new();
        for group in groups {
            let members = markets.iter().filter(|market| group_of(market) == Some(group)).copied().collect();
            moves.push(part.liquidation_move(account, Some(group), members)?);
        }
        moves.push(part.liquidation_move(account, None, markets)?);
        Ok(moves)
    }

    fn liquidation_move(
        &self,
        account: &MarginAccount,
        group: Option<u8>,
        markets: Vec<Address>,
    ) -> Result<LiquidationMove, Error> {
        let one = MILLION.unsigned_abs();
        // By a factor in millionths: one million is no move.
        let health_at = |factor: u64| -> Result<i64, Error> {
            let move_ppm = i64::try_from(factor).unwrap_or(i64::MAX).saturating_sub(MILLION);
            self.at_move(&markets, move_ppm, 0)?.health_maint(account)
        };
        let health = health_at(one)?;
        let search = Search { from: one, is_healthy: health >= 0, step: step(account) };
        let fall = search.towards(one / FALL_MAX, &health_at)?;
        let rise = search.towards(one * RISE_MAX, &health_at)?;
        Ok(LiquidationMove {
            group,
            markets,
            health,
            fall_ppm: fall.map(|factor| one - factor),
            rise_ppm: rise.map(|factor| factor - one),
        })
    }

    /// `H_maint` of an account, quote native.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn health_maint(&self, account: &MarginAccount) -> Result<i64, Error> {
        Ok(self.margin(account)?.health_maint()?.raw())
    }
}

/// By what factor a search goes on.
fn step(account: &MarginAccount) -> (u64, u64) {
    if account.boards.iter().any(|slot| slot.in_use == 1) { STEP_WITH_OPTIONS } else { STEP }
}

/// A search outwards for the first point on the other side of the line.
struct Search {
    from: u64,
    is_healthy: bool,
    step: (u64, u64),
}

impl Search {
    /// The point nearest to the start whose health is of the other sign than the start's, while the point before it is of the
    /// same: by steps up to `end`, then by bisection. A point without a margin, beyond what the engine can reckon with, ends
    /// the search.
    fn towards(&self, end: u64, health_at: &dyn Fn(u64) -> Result<i64, Error>) -> Result<Option<u64>, Error> {
        let is_beyond = |at: u64| health_at(at).map(|health| (health >= 0) != self.is_healthy);
        let mut near = self.from;
        while near != end {
            let at = self.next(near, end);
            match is_beyond(at) {
                Ok(false) => near = at,
                Ok(true) => return bisect(near, at, is_beyond).map(Some),
                Err(Error::Program(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn next(&self, near: u64, end: u64) -> u64 {
        let (more, less) = self.step;
        let scale = |up: u64, down: u64| u64::try_from(u128::from(near) * u128::from(up) / u128::from(down));
        if end > self.from {
            scale(more, less).unwrap_or(u64::MAX).max(near.saturating_add(1)).min(end)
        } else {
            scale(less, more).unwrap_or(0).min(near.saturating_sub(1)).max(end)
        }
    }
}

/// Two neighbours, of which the one nearer to `near` is not beyond and the other is: the latter.
fn bisect(mut near: u64, mut far: u64, is_beyond: impl Fn(u64) -> Result<bool, Error>) -> Result<u64, Error> {
    while near.abs_diff(far) > 1 {
        let middle = near.midpoint(far);
        if is_beyond(middle)? {
            far = middle;
        } else {
            near = middle;
        }
    }
    Ok(far)
}
