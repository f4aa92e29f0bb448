#![allow(unused_variables)] // Anchor's derive binds `args` in one function more than uses it.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, MAX_MARKET_BOARDS, Market, board_state},
    address,
    config::limits,
    event::{BoardChanged, board_change},
    instruction::CreateBoardArgs,
};

use crate::{board, book};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Accounts of `create_board`.
#[derive(Accounts)]
#[instruction(args: CreateBoardArgs)]
pub struct CreateBoard {
    /// The exchange's keeper or admin, who pays.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    #[account(constraint(board::is_keeper(&exchange, authority.address()) @ PlimsollError::NotKeeper))]
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The new board.
    #[account(init, payer = authority, seeds = [address::BOARD, market.address().as_ref(), &[args.slot]], bump)]
    pub board: Account<Board>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateBoard {
    fn validate(&self, args: &CreateBoardArgs) -> Result<()> {
        require!(usize::from(args.slot) < MAX_MARKET_BOARDS, PlimsollError::InvalidSlot);
        board::require_listing(&self.market)?;
        let left = args.expiry.saturating_sub(book::now()?.raw());
        let in_time = (limits::EXPIRY_SECONDS_MIN..=limits::EXPIRY_SECONDS_MAX).contains(&left);
        let on_the_hour = args.expiry.rem_euclid(DAY) == limits::EXPIRY_SECOND_OF_DAY;
        require!(in_time && on_the_hour, PlimsollError::InvalidExpiry);
        require!(!self.market.board_expiries.contains(&args.expiry), PlimsollError::ExpiryTaken);
        Ok(())
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &CreateBoardArgs, bump: u8) -> Result<()> {
        self.validate(args)?;
        let slot = usize::from(args.slot);
        let market = &mut self.market;
        *market.board_expiries.get_mut(slot).ok_or(PlimsollError::InvalidSlot)? = args.expiry;
        market.boards |= 1u8 << slot;
        let board = &mut self.board;
        board.market = *market.address();
        board.exchange = *self.exchange.address();
        board.expiry = args.expiry;
        board.lot = market.config.options.lot;
        board.state = board_state::ACTIVE;
        board.slot = args.slot;
        board.bump = bump;
        board.version = 1;
        emit!(BoardChanged {
            market: *market.address(),
            board: *board.address(),
            authority: *self.authority.address(),
            expiry: args.expiry,
            lot: board.lot,
            kind: board_change::CREATED,
        });
        Ok(())
    }
}
