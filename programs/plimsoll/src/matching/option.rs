//! An option: lots and the premium move as a perpetual's position and its cost do. The house is no party, so its lots, its
//! worth and its budget stay what they were; the board's open lots are the accounts' and move.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, board_state, same_address},
    config::pause,
    effect::{
        series,
        trading::{self, Change, OptionChange},
    },
    event::OptionFilled,
};
use plimsoll_risk::{
    black::Greeks,
    fill::{FillQuote, Side},
    options,
    price::Observation,
    units::{Price, Timestamp},
};

use super::{Booking, Counterparties, Deal, Limits, outlay, require_fair, signed_size, take_fee};
use crate::book::{self, Book};

/// What is traded.
struct Traded<'a> {
    board: &'a mut Account<Board>,
    series: u8,
    mark: Greeks,
    quote: FillQuote,
}

/// See [`super::execute`].
#[inline(never)]
pub fn execute(parties: &mut Counterparties<'_>, deal: &Deal, observation: &Observation, now: Timestamp) -> Result<()> {
    require!(!parties.exchange.config.is_paused(pause::OPTION), PlimsollError::Paused);
    trading::admit(parties.exchange, parties.market, &deal.order(false)?, observation, now)?;
    let (view, rest) = parties.views.split_first().ok_or(PlimsollError::MissingBoard)?;
    let mut board = book::load_mut::<Board>(*view)?;
    parties.views = rest;
    let mut traded = terms(parties, &mut board, deal, observation.spot, now)?;

    let buyer = book_side(parties, Side::Buyer, deal, &mut traded, observation, now)?;
    let seller = book_side(parties, Side::Seller, deal, &mut traded, observation, now)?;
    move_board(parties, [&buyer, &seller], &mut traded)?;
    require_margin(parties, Side::Buyer, deal, &buyer, &traded, now)?;
    require_margin(parties, Side::Seller, deal, &seller, &traded, now)?;
    let (buyer, seller) = (changed(&buyer)?, changed(&seller)?);
    parties.buyer.account.release_board(buyer.board_slot)?;
    parties.seller.account.release_board(seller.board_slot)?;
    emit!(OptionFilled {
        market: *parties.market_address,
        board: *traded.board.address(),
        buyer: parties.buyer.address,
        seller: parties.seller.address,
        venue: parties.venue,
        series: u64::from(traded.series),
        lots: deal.size,
        price: deal.price.raw(),
        cost: traded.quote.cost,
        fee: traded.quote.fee,
        seller_takes: u64::from(deal.taker == Side::Seller),
        mark: traded.mark.price.raw(),
        spot: observation.spot.raw(),
        buyer_lots: i64::from(buyer.after),
        seller_lots: i64::from(seller.after),
    });
    Ok(())
}

/// The series that the terms name, before its expiry, what it is worth and what the deal costs, at a price within the
/// limits. The band is the perpetual's, in quote a base unit and not relative to the premium: it bounds what can be given
/// away with a notional, and an option that is worth next to nothing may still be worth more to somebody.
#[inline(never)]
fn terms<'a>(
    parties: &Counterparties<'_>,
    board: &'a mut Account<Board>,
    deal: &Deal,
    spot: Price,
    now: Timestamp,
) -> Result<Traded<'a>> {
    let market = &*parties.market;
    require!(same_address(&board.market, parties.market_address), PlimsollError::WrongMarket);
    let series = board.series_of(&deal.contract, deal.instrument, market.base_decimals)?;
    let is_open = board.state == board_state::ACTIVE && now.raw() < board.expiry;
    require!(is_open, PlimsollError::OptionExpired);
    let mark = series::mark(market, board, usize::from(series), spot, now)?;
    let pricing = market.config.option_pricing();
    let units = deal.size.checked_mul(board.lot).ok_or(PlimsollError::Overflow)?;
    let quote = options::quote_option_fill(&pricing, deal.price, spot, units, deal.taker);
    let delegate = options::half_spread(&pricing, &mark, spot).map_err(PlimsollError::from)?;
    let limits = Limits { delegate, ..Limits::of(market, spot) };
    limits.require(parties, deal.price, [mark.price; 2])?;
    Ok(Traded { board, series, mark, quote: quote.map_err(PlimsollError::from)? })
}

/// Books one side's lots and premium, and checks that it may trade in this direction here and now.
#[inline(never)]
fn book_side(
    parties: &mut Counterparties<'_>,
    side: Side,
    deal: &Deal,
    traded: &mut Traded<'_>,
    observation: &Observation,
    now: Timestamp,
) -> Result<Booking> {
    let (size, outlay) = (signed_size(side, deal)?, outlay(side, deal, &traded.quote)?);
    let (exchange, market_address, market) = (parties.exchange, parties.market_address, &*parties.market);
    let party = match side {
        Side::Buyer => &mut parties.buyer,
        Side::Seller => &mut parties.seller,
    };
    let board_slot = party.account.board_slot_or_new(traded.board.address(), market_address)?;
    let slot = party.account.boards.get(board_slot).ok_or(PlimsollError::Corrupt)?;
    let slot_index = usize::from(slot.market_slot);
    let lots = party.account.option_lots(board_slot, traded.series)?;
    let reduces = trading::is_reduction(i64::from(lots), size);
    if !reduces {
        let order = deal.order(party.mandate.reduce_only)?;
        let disabled = (market.config.options.enabled != 1).then_some(PlimsollError::OptionsDisabled);
        trading::require_opening_allowed(exchange, market, observation, &order, disabled, now)?;
    }
    let sum = i64::from(lots).checked_add(size).ok_or(PlimsollError::Overflow)?;
    let position = i32::try_from(sum).map_err(|_| PlimsollError::TooManyLots)?;
    party.account.set_option(board_slot, traded.series, position)?;
    let slot = party.account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    let before = *slot;
    slot.cash = before.cash.checked_sub(outlay).ok_or(PlimsollError::Overflow)?;
    let option = OptionChange { board_slot, series: traded.series, before: lots, after: position };
    Ok(Booking { change: Change { slot_index, before, after: *slot, option: Some(option) }, reduces })
}

/// Moves the board's open lots, within their limit where either side's part of them grew, and the fee to the house's cash.
fn move_board(parties: &mut Counterparties<'_>, bookings: [&Booking; 2], traded: &mut Traded<'_>) -> Result<()> {
    let (series, mut grown) = (usize::from(traded.series), false);
    for booking in bookings {
        let option = changed(booking)?;
        let (before, after) = (i64::from(option.before), i64::from(option.after));
        grown |= series::move_open_lots(traded.board, series, before, after)?;
    }
    if grown {
        series::require_open_lots(parties.market, traded.board, series)?;
    }
    take_fee(parties.market, &traded.quote)
}

#[inline(never)]
fn require_margin(
    parties: &mut Counterparties<'_>,
    side: Side,
    deal: &Deal,
    booking: &Booking,
    traded: &Traded<'_>,
    now: Timestamp,
) -> Result<()> {
    let book = Book::new(parties.views, now)
        .with_market(parties.market_address, parties.market)
        .with_board(traded.board.address(), traded.board);
    let risk = parties.exchange.risk(now);
    let account = match side {
        Side::Buyer => &mut *parties.buyer.account,
        Side::Seller => &mut *parties.seller.account,
    };
    let has_margin = crate::trading::require_margin(&book, account, &risk, &booking.change, booking.reduces)?;
    require_fair(has_margin, deal.price, traded.mark.price, side)
}

fn changed(booking: &Booking) -> Result<OptionChange> {
    Ok(booking.change.option.ok_or(PlimsollError::Corrupt)?)
}
