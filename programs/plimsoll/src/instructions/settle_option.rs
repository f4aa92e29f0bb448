use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, MarginAccount, Market, board_state},
    config::pause,
    effect::{arrays, series},
    event::OptionsSettled,
};
use plimsoll_risk::units::{Ppm, Price};

use crate::book;

/// Accounts of `settle_option`.
#[derive(Accounts)]
pub struct SettleOption {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board, settled.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
}

impl SettleOption {
    fn validate(&self) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::SETTLE), PlimsollError::Paused);
        require!(self.board.state == board_state::SETTLED, PlimsollError::BoardNotSettled);
        Ok(())
    }

    /// See the program's instruction. Each option is paid in cash, as the margin has counted it since the board was
    /// settled: what a long one is paid is rounded down, what a short one pays up.
    pub fn apply(&mut self) -> Result<()> {
        self.validate()?;
        let board_address = *self.board.address();
        let board_slot = self.account.board_slot(&board_address).ok_or(PlimsollError::NothingToSettle)?;
        let slot_index = self.account.boards.get(board_slot).ok_or(PlimsollError::Corrupt)?.market_slot;
        let range = self.account.options_of(board_slot)?;
        let mut paid = 0i64;
        // From the last on: what is taken out moves those behind it.
        for index in range.clone().rev() {
            let option = *self.account.options.get(index).ok_or(PlimsollError::Corrupt)?;
            paid =
                paid.checked_add(self.close(board_slot, option.series, option.lots)?).ok_or(PlimsollError::Overflow)?;
        }
        let slot = self.account.markets.get_mut(usize::from(slot_index)).ok_or(PlimsollError::Corrupt)?;
        slot.cash = slot.cash.checked_add(paid).ok_or(PlimsollError::Overflow)?;
        self.market.house_cash = self.market.house_cash.checked_sub(paid).ok_or(PlimsollError::Overflow)?;
        self.account.release_board(board_slot)?;
        self.account.touch();
        let price = Price::from_raw(self.board.settlement_price);
        let damping = Ppm::from_raw(self.exchange.config.extreme_damping_ppm);
        arrays::revalue_house(&mut self.market, &mut self.board, damping, price, book::now()?)?;
        emit!(OptionsSettled {
            account: *self.account.address(),
            market: *self.market.address(),
            board: board_address,
            amount: paid,
            settlement_price: self.board.settlement_price,
            series: range.len() as u64,
        });
        Ok(())
    }

    /// Takes the lots of one series out of the account and the board, and says what they pay.
    fn close(&mut self, board_slot: usize, series: u8, lots: i32) -> Result<i64> {
        self.account.set_option(board_slot, series, 0)?;
        let (index, lots) = (usize::from(series), i64::from(lots));
        let worth = self.board.settled_value(index, lots)?;
        series::move_open_lots(&mut self.board, index, lots, 0)?;
        let house = self.board.house_lots.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        *house = house.checked_add(lots).ok_or(PlimsollError::Corrupt)?;
        Ok(worth.raw())
    }
}
