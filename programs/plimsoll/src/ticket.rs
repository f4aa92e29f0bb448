//! What is said of a ticket.

use anchor_lang::prelude::*;
use plimsoll_interface::{accounts::Ticket, event::TicketChanged};

/// Emits what a ticket is now.
pub fn announce(address: &Address, ticket: &Ticket, status: u64) {
    emit!(TicketChanged {
        ticket: *address,
        house: ticket.house,
        owner: ticket.owner,
        amount: ticket.amount,
        proceeds: ticket.proceeds,
        kind: u64::from(ticket.kind),
        status,
    });
}
