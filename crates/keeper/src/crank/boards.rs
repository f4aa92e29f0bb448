//! Option boards, from their first risk array to their end.

use plimsoll_client::{
    Address,
    accounts::{Board, board_state},
    instruction::board,
    risk::{price::Freshness, units::Timestamp},
};
use solana_instruction::Instruction;

use super::{View, part_of};
use crate::sender::Work;

/// One in the fixed point of drifts.
const Q32: f64 = 4_294_967_296.0;

/// Boards whose risk arrays are old, left behind by the price, missing, or of older volatilities than posted.
pub fn refresh(view: &View<'_>) -> Vec<Work> {
    let mut due = Vec::new();
    for (address, board) in &view.snapshot().boards {
        let Some(used) = staleness(view, board) else { continue };
        if used >= view.due.refresh_at {
            due.push((
                used,
                Work::new(
                    subject("refresh", address),
                    view.basis(&board.market),
                    vec![instruction(view, address, board)],
                ),
            ));
        }
    }
    due.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    due.into_iter().map(|(_, work)| work).collect()
}

/// `refresh_board` of all strikes.
pub fn instruction(view: &View<'_>, address: &Address, board: &Board) -> Instruction {
    let refresh = board::Refresh {
        exchange: view.exchange(),
        market: board.market,
        board: *address,
        oracle: view.oracle(&board.market),
        max_strikes: 0,
    };
    refresh.instruction()
}

/// What part of its age or of its reach a board has used up, beyond one where it must be refreshed before it is good for
/// anything; `None` for one that cannot be refreshed or need not.
pub fn staleness(view: &View<'_>, board: &Board) -> Option<f64> {
    let has_price = matches!(view.freshness(&board.market)?, Freshness::Fresh | Freshness::Dead);
    if board.state != board_state::ACTIVE || board.listed() == 0 || !has_price {
        return None;
    }
    let terms = &board.terms;
    if board.refreshed & board.listed() != board.listed() || terms.spot == 0 || board.posted_at > terms.time {
        return Some(f64::INFINITY);
    }
    let age = view.now().saturating_sub(terms.time) as f64 / part_of(terms.max_age_seconds, 1.0) as f64;
    let spot = view.price(&board.market)?.spot.raw();
    let moved = terms.spot.abs_diff(spot) as f64 / terms.spot as f64 * Q32;
    Some(age.max(moved / (terms.max_drift.max(1)) as f64))
}

/// Boards that a price wants to count for.
pub fn sample(view: &View<'_>) -> Vec<Work> {
    let snapshot = view.snapshot();
    let mut due = Vec::new();
    for (address, board) in snapshot.boards.iter().filter(|(_, board)| board.state == board_state::ACTIVE) {
        let Some(price) = snapshot.prices.get(&board.market) else { continue };
        let observation =
            snapshot.markets.get(&board.market).and_then(|market| price.observation(market, view.now()).ok());
        let Some(published) = observation.map(|observation| observation.publish_time.raw()) else { continue };
        if board.wanting(published).is_some() && view.is_narrow(&board.market) {
            let sample = board::Sample { market: board.market, board: *address, oracle: price.address };
            let basis = published.unsigned_abs();
            due.push(Work::new(subject("sample", address), basis, vec![sample.instruction()]));
        }
    }
    due
}

/// Boards with enough samples, or that have waited for them long enough.
pub fn settle(view: &View<'_>) -> Vec<Work> {
    let now = Timestamp::from_raw(view.now());
    let boards = view.snapshot().boards.iter();
    let due = boards.filter(|(_, board)| board.state == board_state::ACTIVE && board.may_settle(now));
    due.map(|(address, board)| {
        let settle = board::Settle { exchange: view.exchange(), market: board.market, board: *address };
        Work::new(subject("settle", address), view.basis(address), vec![settle.instruction()])
    })
    .collect()
}

/// Accounts with options of settled boards.
pub fn settle_options(view: &View<'_>) -> Vec<Work> {
    let snapshot = view.snapshot();
    let is_settled =
        |board: &Address| snapshot.boards.get(board).is_some_and(|board| board.state == board_state::SETTLED);
    let mut due = Vec::new();
    for account in view.state.accounts.values() {
        for slot in account.data.boards.iter().filter(|slot| slot.in_use == 1 && is_settled(&slot.board)) {
            let Ok(settle) = snapshot.settle_option(&account.address, &slot.board) else { continue };
            let basis = view.basis(&account.address);
            due.push(Work::new(format!("options of {} in {}", account.address, slot.board), basis, vec![settle]));
        }
    }
    due
}

/// Settled boards that nobody has options of, where the key is the exchange's keeper or admin.
pub fn close(view: &View<'_>) -> Vec<Work> {
    let exchange = &view.snapshot().exchange.data;
    if view.payer != exchange.keeper && view.payer != exchange.admin {
        return Vec::new();
    }
    let is_due = |board: &Board| board.state == board_state::SETTLED && board.is_empty();
    let due = view.snapshot().boards.iter().filter(|(_, board)| is_due(board));
    due.map(|(address, board)| {
        let (authority, exchange) = (view.payer, view.exchange());
        let close = board::Close { authority, exchange, market: board.market, board: *address };
        Work::new(subject("close", address), view.basis(address), vec![close.instruction()])
    })
    .collect()
}

fn subject(what: &str, board: &Address) -> String {
    format!("{what} board {board}")
}
