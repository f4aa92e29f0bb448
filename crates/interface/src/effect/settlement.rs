//! `settle` and `settle_option`: what an account has won or lost becomes a deposit or a debt of quote.

use plimsoll_risk::{
    price::{Freshness, Observation},
    units::{Base, Ppm, Price, Timestamp},
};

use super::{Result, arrays, inventory, ledger, series};
use crate::{
    Address, PlimsollError,
    accounts::{Bank, Board, Exchange, House, MarginAccount, Market, board_state},
    config::pause,
};

/// The accounts of `settle`.
pub struct Parties<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The margin account.
    pub account: &'a mut MarginAccount,
    /// The market's address.
    pub market_address: &'a Address,
    /// The market.
    pub market: &'a mut Market,
    /// The exchange's quote bank.
    pub quote_bank: &'a mut Bank,
    /// The exchange's house.
    pub house: &'a mut House,
}

/// What `settle` did.
pub struct Settled {
    /// Quote native that the account received, negative where it paid.
    pub amount: i64,
    /// What its position paid in funding before, quote native.
    pub funding: i64,
    /// The market's price.
    pub spot: Price,
}

/// Settles the account's cash in a market and its position's value at the price that `observe` sees. A gain is paid out of
/// the house's deposit, as far as that goes: nobody withdraws a profit that no loser has paid for. A loss that exceeds the
/// quote balance becomes a borrow, which the margin has counted all along.
///
/// # Errors
/// [`PlimsollError::Paused`], [`PlimsollError::NothingToSettle`], [`PlimsollError::OracleStale`],
/// [`PlimsollError::HouseInsufficient`]; those of `observe`.
#[inline(always)]
pub fn settle(
    parties: Parties<'_>,
    observe: impl FnOnce(&Market) -> Result<Observation>,
    now: Timestamp,
) -> Result<Settled> {
    let Parties { exchange, account, market_address, market, quote_bank, house } = parties;
    if exchange.config.is_paused(pause::SETTLE) {
        return Err(PlimsollError::Paused);
    }
    let slot_index = account.market_slot(market_address).ok_or(PlimsollError::NothingToSettle)?;
    market.accrue_funding(now);
    let slot = account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    let funding = market.settle_funding(slot)?;
    let slot = *slot;
    let observation = observe(market)?;
    let mut worth = slot.cash;
    if slot.size != 0 {
        if inventory::market_freshness(market, &observation, now) != Freshness::Fresh {
            return Err(PlimsollError::OracleStale);
        }
        let value = observation.spot.value_floor(Base::from_raw(slot.size)).ok_or(PlimsollError::Overflow)?;
        worth = worth.checked_add(value.raw()).ok_or(PlimsollError::Overflow)?;
    }
    if worth == 0 {
        return Err(PlimsollError::NothingToSettle);
    }
    ledger::accrue(quote_bank, now)?;
    let balance = account.balance_slot_or_new(&exchange.quote_bank, None)?;
    let amount = if worth > 0 {
        pay_gain(account, balance, quote_bank, house, worth)?
    } else {
        collect_loss(account, balance, quote_bank, house, worth)?
    };
    let slot = account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    slot.cash = slot.cash.checked_sub(amount).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    account.release_balance(balance)?;
    account.release_market(slot_index)?;
    account.touch();
    Ok(Settled { amount, funding, spot: observation.spot })
}

fn pay_gain(
    account: &mut MarginAccount,
    balance: usize,
    bank: &mut Bank,
    house: &mut House,
    worth: i64,
) -> Result<i64> {
    let amount = worth.unsigned_abs().min(ledger::house_quote(house, bank)?);
    if amount == 0 {
        return Err(PlimsollError::HouseInsufficient);
    }
    ledger::house_debit(house, bank, amount)?;
    ledger::credit(account, balance, bank, amount)?;
    i64::try_from(amount).map_err(|_| PlimsollError::Overflow)
}

fn collect_loss(
    account: &mut MarginAccount,
    balance: usize,
    bank: &mut Bank,
    house: &mut House,
    worth: i64,
) -> Result<i64> {
    let amount = worth.unsigned_abs();
    ledger::debit(account, balance, bank, amount)?;
    ledger::house_credit(house, bank, amount)?;
    Ok(worth)
}

/// What `settle_option` did.
pub struct OptionsPaid {
    /// Quote native that the account received in cash of the market, negative where it paid.
    pub amount: i64,
    /// Series that it had.
    pub series: usize,
}

/// Turns the account's options of a settled board into cash of the market. Each is paid as the margin has counted it since
/// the board was settled: what a long one is paid is rounded down, what a short one pays up.
///
/// # Errors
/// [`PlimsollError::Paused`], [`PlimsollError::BoardNotSettled`], [`PlimsollError::NothingToSettle`].
#[inline(always)]
pub fn settle_option(
    exchange: &Exchange,
    account: &mut MarginAccount,
    market: &mut Market,
    (board_address, board): (&Address, &mut Board),
    now: Timestamp,
) -> Result<OptionsPaid> {
    if exchange.config.is_paused(pause::SETTLE) {
        return Err(PlimsollError::Paused);
    }
    if board.state != board_state::SETTLED {
        return Err(PlimsollError::BoardNotSettled);
    }
    let board_slot = account.board_slot(board_address).ok_or(PlimsollError::NothingToSettle)?;
    let slot_index = account.boards.get(board_slot).ok_or(PlimsollError::Corrupt)?.market_slot;
    let range = account.options_of(board_slot)?;
    let mut amount = 0i64;
    // From the last on: what is taken out moves those behind it.
    for index in range.clone().rev() {
        let option = *account.options.get(index).ok_or(PlimsollError::Corrupt)?;
        account.set_option(board_slot, option.series, 0)?;
        let paid = close(board, usize::from(option.series), i64::from(option.lots))?;
        amount = amount.checked_add(paid).ok_or(PlimsollError::Overflow)?;
    }
    let slot = account.markets.get_mut(usize::from(slot_index)).ok_or(PlimsollError::Corrupt)?;
    slot.cash = slot.cash.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_sub(amount).ok_or(PlimsollError::Overflow)?;
    account.release_board(board_slot)?;
    account.touch();
    let price = Price::from_raw(board.settlement_price);
    arrays::revalue_house(market, board, Ppm::from_raw(exchange.config.extreme_damping_ppm), price, now)?;
    Ok(OptionsPaid { amount, series: range.len() })
}

/// Takes the lots of one series out of the board, and says what they pay.
fn close(board: &mut Board, series: usize, lots: i64) -> Result<i64> {
    let worth = board.settled_value(series, lots)?;
    series::move_open_lots(board, series, lots, 0)?;
    let house = board.house_lots.get_mut(series).ok_or(PlimsollError::Corrupt)?;
    *house = house.checked_add(lots).ok_or(PlimsollError::Corrupt)?;
    Ok(worth.raw())
}
