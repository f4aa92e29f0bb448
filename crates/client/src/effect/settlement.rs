//! `settle` and `settle_option`.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, Board, House, MarginAccount, board_state},
    config::pause,
    effect::{arrays, inventory, ledger, series},
};
use plimsoll_risk::{
    price::Freshness,
    units::{Base, Ppm, Price},
};

use super::{Effect, Result};
use crate::Snapshot;

/// `settle` of the account's cash in a market.
pub(crate) fn settle(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address) -> Result<Effect> {
    if scene.exchange.data.config.is_paused(pause::SETTLE) {
        return Err(PlimsollError::Paused);
    }
    let now = scene.timestamp();
    let slot_index = account.market_slot(address).ok_or(PlimsollError::NothingToSettle)?;
    let mut market = scene.market_copy(address)?;
    market.accrue_funding(now);
    market.settle_funding(&mut account.markets[slot_index])?;
    let slot = account.markets[slot_index];
    let observation = scene.seen_price(address)?;
    let mut worth = slot.cash;
    if slot.size != 0 {
        if inventory::market_freshness(&market, &observation, now) != Freshness::Fresh {
            return Err(PlimsollError::OracleStale);
        }
        let value = observation.spot.value_floor(Base::from_raw(slot.size)).ok_or(PlimsollError::Overflow)?;
        worth = worth.checked_add(value.raw()).ok_or(PlimsollError::Overflow)?;
    }
    if worth == 0 {
        return Err(PlimsollError::NothingToSettle);
    }
    let quote_address = scene.exchange.data.quote_bank;
    let (mut quote_bank, mut house) = (scene.bank_copy(&quote_address)?, scene.house_copy()?);
    ledger::accrue(&mut quote_bank, now)?;
    let balance = account.balance_slot_or_new(&quote_address, None)?;
    let settled = move_cash(account, balance, &mut quote_bank, &mut house, worth)?;
    let slot = &mut account.markets[slot_index];
    slot.cash = slot.cash.checked_sub(settled).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_add(settled).ok_or(PlimsollError::Overflow)?;
    account.release_balance(balance)?;
    account.release_market(slot_index)?;
    account.touch();
    scene.banks.insert(quote_address, quote_bank);
    scene.markets.insert(*address, market);
    scene.house = Some(house);
    Ok(Effect::default())
}

/// Pays a gain out of the house's deposit as far as it goes, or collects a loss. Gives what was settled.
fn move_cash(
    account: &mut MarginAccount,
    balance: usize,
    bank: &mut Bank,
    house: &mut House,
    worth: i64,
) -> Result<i64> {
    if worth < 0 {
        ledger::debit(account, balance, bank, worth.unsigned_abs())?;
        ledger::house_credit(house, bank, worth.unsigned_abs())?;
        return Ok(worth);
    }
    let amount = worth.unsigned_abs().min(ledger::house_quote(house, bank)?);
    if amount == 0 {
        return Err(PlimsollError::HouseInsufficient);
    }
    ledger::house_debit(house, bank, amount)?;
    ledger::credit(account, balance, bank, amount)?;
    i64::try_from(amount).map_err(|_| PlimsollError::Overflow)
}

/// `settle_option` of the account's options of a settled board.
pub(crate) fn settle_option(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address) -> Result<Effect> {
    if scene.exchange.data.config.is_paused(pause::SETTLE) {
        return Err(PlimsollError::Paused);
    }
    let mut board = scene.board_copy(address)?;
    if board.state != board_state::SETTLED {
        return Err(PlimsollError::BoardNotSettled);
    }
    let mut market = scene.market_copy(&board.market)?;
    let board_slot = account.board_slot(address).ok_or(PlimsollError::NothingToSettle)?;
    let slot_index = usize::from(account.boards[board_slot].market_slot);
    let mut paid = 0i64;
    // From the last on: what is taken out moves those behind it.
    for index in account.options_of(board_slot)?.rev() {
        let option = account.options[index];
        account.set_option(board_slot, option.series, 0)?;
        let worth = close(&mut board, usize::from(option.series), i64::from(option.lots))?;
        paid = paid.checked_add(worth).ok_or(PlimsollError::Overflow)?;
    }
    let slot = account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
    slot.cash = slot.cash.checked_add(paid).ok_or(PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_sub(paid).ok_or(PlimsollError::Overflow)?;
    account.release_board(board_slot)?;
    account.touch();
    let damping = Ppm::from_raw(scene.exchange.data.config.extreme_damping_ppm);
    let price = Price::from_raw(board.settlement_price);
    arrays::revalue_house(&mut market, &mut board, damping, price, scene.timestamp())?;
    scene.markets.insert(board.market, market);
    scene.boards.insert(*address, board);
    Ok(Effect::default())
}

/// Takes the lots of one series out of the board, and says what they pay.
fn close(board: &mut Board, series: usize, lots: i64) -> Result<i64> {
    let worth = board.settled_value(series, lots)?;
    series::move_open_lots(board, series, lots, 0)?;
    let house = board.house_lots.get_mut(series).ok_or(PlimsollError::Corrupt)?;
    *house = house.checked_add(lots).ok_or(PlimsollError::Corrupt)?;
    Ok(worth.raw())
}
