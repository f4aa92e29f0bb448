//! Option boards: listed and posted by the keeper, refreshed by anyone.

use plimsoll_interface::{
    Address, ID, address,
    instruction::{CreateBoardArgs, ListStrikesArgs, PostVolatilitiesArgs, RefreshBoardArgs, tag},
};
use solana_instruction::Instruction;

use super::{SYSTEM_PROGRAM, Use, build};

/// Adds an expiry to a market.
#[derive(Clone, Copy, Debug)]
pub struct Create {
    /// The exchange's keeper or admin, who pays.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// Expiry and slot.
    pub args: CreateBoardArgs,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CREATE_BOARD,
            &self.args,
            [
                (self.authority, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.market, Use::Write),
                (address::board(&self.market, self.args.slot), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Lists strikes of a board.
#[derive(Clone, Copy, Debug)]
pub struct ListStrikes {
    /// The exchange's keeper or admin.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
    /// The market's price account; `None` for the stored observation.
    pub oracle: Option<Address>,
    /// What each slot gets.
    pub args: ListStrikesArgs,
}

impl ListStrikes {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::LIST_STRIKES,
            &self.args,
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.market, Use::Read),
                (self.board, Use::Write),
                (self.oracle.unwrap_or(ID), Use::Read),
            ],
            &[],
        )
    }
}

/// Posts a board's volatilities and basis.
#[derive(Clone, Copy, Debug)]
pub struct PostVolatilities {
    /// The exchange's keeper or admin.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
    /// What is posted.
    pub args: PostVolatilitiesArgs,
}

impl PostVolatilities {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::POST_VOLATILITIES,
            &self.args,
            [
                (self.authority, Use::Sign),
                (self.exchange, Use::Read),
                (self.market, Use::Read),
                (self.board, Use::Write),
            ],
            &[],
        )
    }
}

/// Computes a board's risk arrays. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
    /// The market's price account; `None` for the stored observation.
    pub oracle: Option<Address>,
    /// How many strikes at most; zero for all.
    pub max_strikes: u8,
}

impl Refresh {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::REFRESH_BOARD,
            &RefreshBoardArgs { max_strikes: self.max_strikes },
            [
                (self.exchange, Use::Read),
                (self.market, Use::Write),
                (self.board, Use::Write),
                (self.oracle.unwrap_or(ID), Use::Read),
            ],
            &[],
        )
    }
}

/// Counts the market's price towards a board's settlement. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
    /// The market's price account.
    pub oracle: Address,
}

impl Sample {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [(self.market, Use::Read), (self.board, Use::Write), (self.oracle, Use::Read)];
        build(tag::SAMPLE_EXPIRY, &(), declared, &[])
    }
}

/// Fixes what a board's options are settled at. Anyone may.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
}

impl Settle {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [(self.exchange, Use::Read), (self.market, Use::Write), (self.board, Use::Write)];
        build(tag::SETTLE_BOARD, &(), declared, &[])
    }
}

/// Closes a board without open options.
#[derive(Clone, Copy, Debug)]
pub struct Close {
    /// The exchange's keeper or admin, who gets the rent.
    pub authority: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The board.
    pub board: Address,
}

impl Close {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CLOSE_BOARD,
            &(),
            [
                (self.authority, Use::SignWrite),
                (self.exchange, Use::Read),
                (self.market, Use::Write),
                (self.board, Use::Write),
            ],
            &[],
        )
    }
}
