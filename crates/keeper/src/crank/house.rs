//! The house: its value, and who joins and leaves it.

use std::ops::Range;

use plimsoll_client::{
    accounts::{House, Ticket, round_phase},
    config::limits,
};

use super::{View, boards};
use crate::sender::Work;

/// The house's value, where it is old or a ticket waits for one: at once, or the next part of a round.
pub fn value(view: &View<'_>) -> Vec<Work> {
    let Some(house) = &view.snapshot().house else { return Vec::new() };
    let Some(part) = part(view, house) else { return Vec::new() };
    let value = view.snapshot().value_house_part(part.clone());
    // Where the house has options, it is valued by boards: those that are too old come first.
    let mut refreshed: Vec<_> = view
        .snapshot()
        .boards
        .iter()
        .filter(|(_, board)| board.house_lots.iter().any(|lots| *lots != 0))
        .filter(|(_, board)| boards::staleness(view, board).is_some_and(|used| used >= view.due.refresh_at))
        .take(4)
        .map(|(address, board)| boards::instruction(view, address, board))
        .collect();
    refreshed.push(value.clone());
    let alternatives = vec![vec![value], refreshed];
    let basis = house.round.wrapping_mul(1 << 20).wrapping_add(u64::from(part.start)) ^ view.now().unsigned_abs();
    vec![Work { subject: "value the house".into(), basis, alternatives }]
}

/// Indexes of the markets that are to be valued now.
fn part(view: &View<'_>, house: &House) -> Option<Range<u16>> {
    let markets = view.snapshot().exchange.data.market_count;
    let most = view.due.value_markets;
    let next = |from: u16| from..from.saturating_add(most);
    let is_under_way = house.round_phase != round_phase::NONE
        && view.now().saturating_sub(house.round_started_at) <= i64::from(limits::HOUSE_NAV_AGE_SECONDS_MAX);
    if is_under_way && markets > most {
        return Some(next(house.round_next));
    }
    let is_waited_for = |ticket: &&Ticket| {
        ticket.executed_at == 0
            && ticket.executable_from <= view.now()
            && view.now() <= ticket.expires_at
            && house.nav_at < ticket.executable_from
    };
    let is_old = view.now().saturating_sub(house.nav_at) >= view.due.value_seconds;
    (is_old || view.state.tickets.values().any(|ticket| is_waited_for(&ticket)))
        .then(|| if markets > most { next(0) } else { 0..u16::MAX })
}

/// Tickets for which there is a valuation.
pub fn execute_tickets(view: &View<'_>) -> Vec<Work> {
    let Some(house) = &view.snapshot().house else { return Vec::new() };
    let is_young = view.now().saturating_sub(house.nav_at) <= i64::from(limits::HOUSE_NAV_AGE_SECONDS_MAX);
    let mut due = Vec::new();
    for (address, ticket) in &view.state.tickets {
        // The first shares need no delay.
        let from = if house.share_supply == 0 { ticket.requested_at } else { ticket.executable_from };
        if ticket.executed_at == 0 && is_young && house.nav_at >= from && view.now() <= ticket.expires_at {
            let execute = view.snapshot().ticket(ticket.owner, ticket.index).execute();
            due.push(Work::new(format!("ticket {address}"), house.nav_at.unsigned_abs(), vec![execute]));
        }
    }
    due
}
