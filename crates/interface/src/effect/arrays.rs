//! A board's risk arrays, and what the house's options of it are worth: kept in the market, so that whoever needs the
//! house's worth or risk there needs no board.

use plimsoll_risk::{
    math::mul_div_ceil,
    options::{self, Nodes, OptionRisk, Reading, Refresh, SCENARIOS},
    price::{Freshness, Observation},
    units::{Ppm, Price, Q32, Quote, Timestamp, Volatility},
};

use super::{Result, inventory::market_freshness};
use crate::{
    PlimsollError,
    accounts::{Board, BoardTerms, HouseBoard, Market, board_state},
    board::{VolatilityBand, array_strike, terms_at, used_volatility},
};

/// What one call computed.
pub struct Progress {
    /// Strikes, one bit each.
    pub computed: u16,
    /// Whether the board's arrays are all of one moment and in force now.
    pub in_force: bool,
}

/// Computes risk arrays of a board at `spot`: of all strikes for `max_strikes = 0`, else of so many more, in slot order.
/// They come into force together, when none is missing.
///
/// A call for all strikes begins anew, unless another one of this second left some done; so whoever asks for all gets
/// arrays of now, whatever others have left unfinished. A partial call goes on where the last one stopped while nothing
/// that the arrays depend on has changed and half of their life is left, and begins anew otherwise.
///
/// # Errors
/// Those of the engine where the market's parameters do not fit the price.
#[inline(never)]
pub fn refresh(market: &Market, board: &mut Board, spot: Price, now: Timestamp, max_strikes: u8) -> Result<Progress> {
    let listed = board.listed();
    let is_partial = max_strikes != 0 && u32::from(max_strikes) < listed.count_ones();
    let resumed = resumable(market, board, spot, now, is_partial)?;
    let used = used_volatility(market, now).init;
    let terms = match resumed {
        Some(terms) => terms,
        None => terms_at(market, board, spot, now)?,
    };
    let nodes = Nodes::new(terms.range)?;
    let mut refresh = Refresh::new(&terms, &nodes)?;
    if resumed.is_some() {
        refresh.resume(&(&board.next_terms).into())?;
    } else {
        board.next_refreshed = 0;
    }
    let band = VolatilityBand::around(used, market.config.options.volatility_ratio_max_ppm);
    let limit = if is_partial { max_strikes } else { u8::MAX };
    let computed = arrays(board, &mut refresh, terms.forward, &band, listed, limit)?;
    board.next_terms = BoardTerms::from(refresh.terms());
    board.next_range_ppm = terms.range.raw();
    board.next_volatility_ppm = used.raw();
    board.next_volatility_up_ppm = terms.volatility_up.raw();
    board.next_volatility_down_ppm = terms.volatility_down.raw();
    let in_force = board.next_refreshed == listed;
    if in_force {
        board.terms = board.next_terms;
        board.arrays.copy_from_slice(&board.next_arrays);
        board.refreshed = listed;
        board.next_refreshed = 0;
    }
    Ok(Progress { computed, in_force })
}

/// [`refresh`] of an unsettled board at the price just observed, which the market records; and once the arrays are in force,
/// what the house's options of the board are worth by them.
///
/// A wide price is as good as any: margin marks at it, so the arrays must follow it there, or accounts with options could
/// neither be reduced nor liquidated until it narrows; its doubt is charged on the exposure. Neither has a feed that is dead
/// another price to offer: liquidations take its last one at its word, and so do the arrays.
///
/// # Errors
/// [`PlimsollError::OracleStale`], [`PlimsollError::OracleOlderThanObservation`]; those of [`refresh`].
#[inline(always)]
pub fn refresh_at(
    market: &mut Market,
    board: &mut Board,
    extreme_damping: Ppm,
    observation: &Observation,
    now: Timestamp,
    max_strikes: u8,
) -> Result<Progress> {
    if market_freshness(market, observation, now) == Freshness::Stale {
        return Err(PlimsollError::OracleStale);
    }
    market.record(observation, now)?;
    let progress = refresh(market, board, observation.spot, now, max_strikes)?;
    if progress.in_force {
        revalue_house(market, board, extreme_damping, observation.spot, now)?;
    }
    Ok(progress)
}

/// The terms of the arrays under way, if a call may go on with them.
fn resumable(
    market: &Market,
    board: &Board,
    spot: Price,
    now: Timestamp,
    is_partial: bool,
) -> Result<Option<options::Board>> {
    let next = &board.next_terms;
    let begun = Timestamp::from_raw(next.time);
    let longest = if is_partial { next.max_age_seconds >> 1 } else { 0 };
    if board.next_refreshed == 0 || !(0..=longest).contains(&now.since(begun).raw()) || next.spot != spot.raw() {
        return Ok(None);
    }
    let terms = terms_at(market, board, spot, begun)?;
    let same = terms.forward.raw() == next.forward
        && terms.range.raw() == board.next_range_ppm
        && terms.volatility_up.raw() == board.next_volatility_up_ppm
        && terms.volatility_down.raw() == board.next_volatility_down_ppm
        && used_volatility(market, now).init.raw() == board.next_volatility_ppm;
    Ok(same.then_some(terms))
}

/// Arrays of the next strikes that have none yet, at most `limit`. Posted volatilities that the market's own has run away
/// from count as the nearest one within the band: a keeper who has stopped does not fix the price of risk.
fn arrays(
    board: &mut Board,
    refresh: &mut Refresh<'_>,
    forward: Price,
    band: &VolatilityBand,
    listed: u16,
    limit: u8,
) -> Result<u16> {
    let mut computed = 0u16;
    let slots = board.strikes.iter().zip(&board.volatilities_ppm).zip(&mut board.next_arrays);
    for (index, ((strike, volatility), array)) in slots.enumerate() {
        let bit = 1u16 << index;
        if listed & bit == 0 || board.next_refreshed & bit != 0 || computed.count_ones() >= u32::from(limit) {
            continue;
        }
        let strike = array_strike(Price::from_raw(*strike), forward);
        let volatility = band.clamp(Volatility::from_raw(*volatility));
        *array = refresh.array(strike, volatility)?.values;
        computed |= bit;
    }
    board.next_refreshed |= computed;
    Ok(computed)
}

/// Brings what the market says about the house's options of one board up to date: after a refresh, after every trade or
/// settlement that moved [`Board::house_lots`]. `spot` is the market's price now, `extreme_damping` the exchange's.
///
/// # Errors
/// [`PlimsollError::Overflow`]; those of the engine where the arrays do not reach the spot or are too old: refresh first.
#[inline(never)]
pub fn revalue_house(
    market: &mut Market,
    board: &mut Board,
    extreme_damping: Ppm,
    spot: Price,
    now: Timestamp,
) -> Result<()> {
    let (entry, gains) = if board.house_lots.iter().all(|lots| *lots == 0) {
        (bytemuck::Zeroable::zeroed(), [0; SCENARIOS])
    } else if board.state == board_state::SETTLED {
        (settled_entry(board)?, [0; SCENARIOS])
    } else {
        let mut risk = OptionRisk::default();
        house_risk(market, board, extreme_damping, spot, now, &mut risk)?;
        (entry_of(board, &risk, spot)?, risk.pnl_init.map(Quote::raw))
    };
    for ((sum, old), new) in market.house_gains.iter_mut().zip(&mut board.house_gains).zip(gains) {
        let rest = sum.checked_sub(*old).ok_or(PlimsollError::Overflow)?;
        *sum = rest.checked_add(new).ok_or(PlimsollError::Overflow)?;
        *old = new;
    }
    *market.house_boards.get_mut(usize::from(board.slot)).ok_or(PlimsollError::Corrupt)? = entry;
    Ok(())
}

/// The house's options of a board, as any account's.
#[inline(never)]
fn house_risk(
    market: &Market,
    board: &Board,
    extreme_damping: Ppm,
    spot: Price,
    now: Timestamp,
    risk: &mut OptionRisk,
) -> Result<()> {
    let reading = Reading {
        spot,
        now,
        range: Ppm::from_raw(market.range_ppm),
        range_maint: Ppm::from_raw(market.range_maint_ppm),
        extreme_damping,
        short_minimum: Ppm::from_raw(market.config.options.short_minimum_ppm),
    };
    let sum = board.house_sum()?;
    Ok(sum.finish(&(&board.terms).into(), &reading, risk)?)
}

/// What the market keeps of an active board, at the price at which it was read off.
///
/// The arrays reach `max_drift` from their own spot `A`. From the current one `S`, `d` away, they reach
/// `(max_drift - d) A / S`, and as `d` is at most 1/32, `A / S` is at least 31/32.
fn entry_of(board: &Board, risk: &OptionRisk, spot: Price) -> Result<HouseBoard> {
    let terms = &board.terms;
    let drift = mul_div_ceil(spot.raw().abs_diff(terms.spot), 1 << Q32, terms.spot).ok_or(PlimsollError::Overflow)?;
    let left = terms.max_drift.saturating_sub(drift);
    let puts = spot.value_floor(risk.exposure).ok_or(PlimsollError::Overflow)?;
    Ok(HouseBoard {
        valid_until: terms.time.checked_add(terms.max_age_seconds).ok_or(PlimsollError::Overflow)?,
        spot: spot.raw(),
        max_drift: if drift == 0 { left } else { left.saturating_sub(left >> 5) },
        value: risk.value.checked_add(puts).ok_or(PlimsollError::Overflow)?.raw(),
        delta: risk.delta.checked_add(risk.exposure).ok_or(PlimsollError::Overflow)?.raw(),
        exposure: risk.exposure.raw(),
        short_minimum: risk.short_minimum,
        _reserved: 0,
    })
}

/// What the market keeps of a settled board: a sum of money, for ever.
fn settled_entry(board: &Board) -> Result<HouseBoard> {
    let mut value = 0i64;
    for (series, lots) in board.house_lots.iter().enumerate().filter(|(_, lots)| **lots != 0) {
        let worth = board.settled_value(series, *lots)?.raw();
        value = value.checked_add(worth).ok_or(PlimsollError::Overflow)?;
    }
    Ok(HouseBoard { valid_until: i64::MAX, value, ..bytemuck::Zeroable::zeroed() })
}
