//! The series of a board: what one is worth, and how many lots are open.

use plimsoll_risk::{
    black::{self, Greeks},
    options::NetVega,
    units::{Fraction, Lots, Price, Timestamp, Volatility},
};

use super::Result;
use crate::{
    PlimsollError,
    accounts::{Board, MAX_STRIKES, Market},
    board::{VolatilityBand, forward, series_kind, series_strike},
};

/// What one base unit of a series is worth at `spot`, and its sensitivities: Black-76 at the strike's volatility.
///
/// # Errors
/// [`PlimsollError::UnknownSeries`], [`PlimsollError::BoardStale`].
#[inline(never)]
pub fn mark(market: &Market, board: &Board, series: usize, spot: Price, now: Timestamp) -> Result<Greeks> {
    let index = series_strike(series);
    let strike = *board.strikes.get(index).ok_or(PlimsollError::UnknownSeries)?;
    if strike == 0 {
        return Err(PlimsollError::UnknownSeries);
    }
    if !board.is_refreshed(index) {
        return Err(PlimsollError::BoardStale);
    }
    let posted = *board.volatilities_ppm.get(index).ok_or(PlimsollError::Corrupt)?;
    let terms = black::Terms {
        forward: forward(spot, board.basis_ppm)?,
        strike: board.series_strike(series)?,
        // As in the risk arrays: never further from the market's own than the keeper may post.
        volatility: VolatilityBand::of(market, now).clamp(Volatility::from_raw(posted)),
        time: Timestamp::from_raw(board.expiry).since(now),
        discount: Fraction::ONE,
    };
    Ok(black::greeks(&terms, series_kind(series))?)
}

/// The traders' net vega of a board: minus the house's.
///
/// # Errors
/// [`PlimsollError::BoardStale`], [`PlimsollError::Overflow`].
pub fn traders_vega(board: &Board) -> Result<NetVega> {
    let mut vega = NetVega::default();
    for index in 0..MAX_STRIKES {
        let (pairs, _) = board.house_lots.as_chunks::<2>();
        let [calls, puts] = *pairs.get(index).ok_or(PlimsollError::Corrupt)?;
        let house = calls.checked_add(puts).ok_or(PlimsollError::Overflow)?;
        if house != 0 {
            let traders = house.checked_neg().ok_or(PlimsollError::Overflow)?;
            vega.add(board.array(index)?, Lots::from_raw(traders))?;
        }
    }
    Ok(vega)
}

/// Checks that a series' open lots are within the market's limit on either side.
///
/// # Errors
/// [`PlimsollError::OpenLotsLimit`].
pub fn require_open_lots(market: &Market, board: &Board, series: usize) -> Result<()> {
    let long = *board.long_lots.get(series).ok_or(PlimsollError::Corrupt)?;
    let house_lots = *board.house_lots.get(series).ok_or(PlimsollError::Corrupt)?;
    // The house's lots are the short ones less the long ones.
    let short = long.checked_add_signed(house_lots).ok_or(PlimsollError::Corrupt)?;
    let limit = market.config.options.max_open_lots;
    if !(long <= limit && short <= limit) {
        return Err(PlimsollError::OpenLotsLimit);
    }
    Ok(())
}

/// Moves one account's lots in the series' long lots, and says whether the account's position grew on either side.
///
/// # Errors
/// [`PlimsollError::Corrupt`].
pub fn move_open_lots(board: &mut Board, series: usize, before: i64, after: i64) -> Result<bool> {
    let long = |lots: i64| if lots > 0 { lots.unsigned_abs() } else { 0 };
    let total = board.long_lots.get_mut(series).ok_or(PlimsollError::Corrupt)?;
    let rest = total.checked_sub(long(before)).ok_or(PlimsollError::Corrupt)?;
    *total = rest.checked_add(long(after)).ok_or(PlimsollError::Corrupt)?;
    Ok(after > before.max(0) || after < before.min(0))
}
