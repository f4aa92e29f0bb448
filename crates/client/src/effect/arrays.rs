//! A board's risk arrays, and what the house's options of it are worth: kept in the market, so that whoever needs the
//! house's worth or risk there needs no board. The same on-chain and off.

use plimsoll_risk::{
    math::mul_div_ceil,
    options::{Nodes, OptionRisk, Reading, Refresh, SCENARIOS},
    units::{Ppm, Price, Q32, Quote, Timestamp, Volatility},
};

use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, BoardTerms, HouseBoard, Market, board_state},
    board::{VolatilityBand, array_strike, terms_at, used_volatility},
};

type Result<T> = core::result::Result<T, PlimsollError>;

/// `refresh_board` of all strikes at `spot`: they come into force together.
///
/// Posted volatilities that the market's own has run away from count as the nearest one within the band.
///
/// # Errors
/// Those of the engine where the market's parameters do not fit the price.
pub fn refresh(market: &Market, board: &mut Board, spot: Price, now: Timestamp) -> Result<()> {
    let used = used_volatility(market, now).init;
    let terms = terms_at(market, board, spot, now)?;
    let nodes = Nodes::new(terms.range)?;
    let mut refresh = Refresh::new(&terms, &nodes)?;
    let band = VolatilityBand::around(used, market.config.options.volatility_ratio_max_ppm);
    let slots = board.strikes.iter().zip(&board.volatilities_ppm).zip(&mut board.next_arrays);
    for ((strike, volatility), array) in slots.filter(|((strike, _), _)| **strike != 0) {
        let strike = array_strike(Price::from_raw(*strike), terms.forward);
        *array = refresh.array(strike, band.clamp(Volatility::from_raw(*volatility)))?.values;
    }
    board.next_terms = BoardTerms::from(refresh.terms());
    board.next_range_ppm = terms.range.raw();
    board.next_volatility_ppm = used.raw();
    board.next_volatility_up_ppm = terms.volatility_up.raw();
    board.next_volatility_down_ppm = terms.volatility_down.raw();
    board.terms = board.next_terms;
    board.arrays.copy_from_slice(&board.next_arrays);
    board.refreshed = board.listed();
    board.next_refreshed = 0;
    Ok(())
}

/// Brings what the market says about the house's options of one board up to date: after a refresh, after every trade or
/// settlement that moved [`Board::house_lots`]. `spot` is the market's price now, `extreme_damping` the exchange's.
///
/// # Errors
/// [`PlimsollError::Overflow`]; those of the engine where the arrays do not reach the spot or are too old: refresh first.
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
