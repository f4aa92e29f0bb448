//! What must be brought up to date before an instruction of this snapshot is accepted.

use std::collections::BTreeSet;

use plimsoll_interface::{
    Address, ID,
    accounts::{Board, Market, board_state},
    bridge::Inputs,
    effect::inventory,
    instruction::tag,
};
use plimsoll_risk::{math, price::Freshness, units::Fraction};
use solana_instruction::Instruction;

use super::Snapshot;
use crate::{Error, instruction::board};

/// Why a board must be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshCause {
    /// It never was, or a strike was listed since.
    Incomplete,
    /// Its arrays are too old.
    Old,
    /// The price has moved too far from theirs.
    Moved,
    /// What the market knows of the house's options is too old, or too far from the price.
    House,
}

/// What is left of the life of a board's arrays below which they are refreshed ahead of time: an eighth. An instruction is
/// executed later than it was built.
const SLACK: i64 = 8;

/// Refreshes.
impl Snapshot {
    /// Why a board must be refreshed before an instruction that reads it, at the price that the instruction sees; `None` where it
    /// need not, or is settled.
    pub fn needs_refresh(&self, board: &Address) -> Option<RefreshCause> {
        let board = self.boards.get(board).filter(|board| board.state != board_state::SETTLED)?;
        let (market, observation) = self.market(&board.market).ok()?;
        let (terms, spot) = (&board.terms, observation.spot.raw());
        if board.refreshed != board.listed() || terms.spot == 0 {
            return (board.listed() != 0).then_some(RefreshCause::Incomplete);
        }
        let life = terms.max_age_seconds.saturating_sub(terms.max_age_seconds / SLACK);
        if self.now.saturating_sub(terms.time) > life {
            return Some(RefreshCause::Old);
        }
        let drift = |from: u64| math::mul_div_ceil(spot.abs_diff(from), Fraction::ONE.raw(), from).unwrap_or(u64::MAX);
        if drift(terms.spot) > terms.max_drift - terms.max_drift / SLACK.unsigned_abs() {
            return Some(RefreshCause::Moved);
        }
        let entry = market.house_boards.get(usize::from(board.slot))?;
        let is_valid = entry.valid_until == 0 || inventory::is_valid(entry, observation.spot, self.timestamp());
        (!is_valid).then_some(RefreshCause::House)
    }

    /// `refresh_board` of all strikes at the price account in the snapshot, or else at the stored price.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board is not in the snapshot.
    pub fn refresh_board(&self, board: &Address) -> Result<Instruction, Error> {
        let market = self.board_of(board)?.market;
        let oracle = self.prices.get(&market).map(|price| price.address);
        let exchange = self.exchange.address;
        Ok(board::Refresh { exchange, market, board: *board, oracle, max_strikes: 0 }.instruction())
    }

    /// What must go before `instructions`, in the same transaction: `observe` for every market that they name whose stored price
    /// is too old and whose price account none of them brings, and `refresh_board` for every board that they name, and every
    /// board of the house in a market that they trade in, whose arrays would be refused.
    ///
    /// # Errors
    /// None but those of boards that vanish from the snapshot.
    pub fn refresh_instructions(&self, instructions: &[Instruction]) -> Result<Vec<Instruction>, Error> {
        let ours = instructions.iter().filter(|instruction| instruction.program_id == ID);
        let ours: Vec<&Instruction> = ours.filter(|instruction| reads_prices(instruction)).collect();
        let named: BTreeSet<Address> = ours.iter().flat_map(|one| &one.accounts).map(|meta| meta.pubkey).collect();
        let mut before = Vec::new();
        for (address, market) in self.markets.iter().filter(|(address, _)| named.contains(address)) {
            if self.is_old(market)
                && let Some(price) = self.prices.get(address)
                && !named.contains(&price.address)
            {
                before.push(self.observe(address)?);
            }
        }
        let traded = |board: &Board| {
            // A trade declares its market writable, and asks for all the house's options in it.
            ours.iter().flat_map(|one| &one.accounts).any(|meta| meta.is_writable && meta.pubkey == board.market)
        };
        for (address, board) in &self.boards {
            let cause = self.needs_refresh(address);
            let wanted = match cause {
                None => false,
                Some(RefreshCause::House) => named.contains(address) || traded(board),
                Some(_) => named.contains(address) || (traded(board) && self.is_house_stale(board)),
            };
            if wanted {
                before.push(self.refresh_board(address)?);
            }
        }
        Ok(before)
    }

    /// `instructions` behind what must go before them.
    ///
    /// # Errors
    /// As [`Self::refresh_instructions`].
    pub fn with_refreshes(&self, instructions: &[Instruction]) -> Result<Vec<Instruction>, Error> {
        let mut all = self.refresh_instructions(instructions)?;
        all.extend_from_slice(instructions);
        Ok(all)
    }

    /// Whether a market's stored price is too old for new risk.
    fn is_old(&self, market: &Market) -> bool {
        inventory::market_freshness(market, &market.observation(), self.timestamp()) != Freshness::Fresh
    }

    /// Whether what a board's market knows of the house's options of it may not be used.
    fn is_house_stale(&self, board: &Board) -> bool {
        let Ok((market, observation)) = self.market(&board.market) else { return false };
        let entry = market.house_boards.get(usize::from(board.slot));
        let stale = |entry| !inventory::is_valid(entry, observation.spot, self.timestamp());
        entry.is_some_and(|entry| entry.valid_until != 0 && stale(entry))
    }
}

/// Whether an instruction of ours is refused at old prices or arrays; the cranks that bring them up to date are not.
fn reads_prices(instruction: &Instruction) -> bool {
    let cranks = [tag::OBSERVE, tag::REFRESH_BOARD, tag::SAMPLE_EXPIRY, tag::SETTLE_BOARD, tag::ACCRUE_FUNDING];
    instruction.data.first().is_some_and(|tag| !cranks.contains(tag))
}
