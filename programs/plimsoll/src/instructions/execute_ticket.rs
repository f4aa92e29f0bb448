use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, Ticket, ticket_kind},
    config::pause,
    effect::ledger,
    event::ticket_status,
};
use plimsoll_risk::{house as shares, units::Timestamp};

use crate::{book, house, ticket, token};

/// Accounts of `execute_ticket`. None of them is the ticket owner's to choose: what comes of the ticket waits to be claimed,
/// so that its owner cannot keep it from being executed.
#[derive(Accounts)]
pub struct ExecuteTicket {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The ticket.
    #[account(mut, constraint(ticket.house == *house.address() @ PlimsollError::WrongExchange))]
    pub ticket: Account<Ticket>,
    /// The mint of the house's shares.
    #[account(mut, address = house.share_mint @ PlimsollError::WrongMint)]
    pub share_mint: UncheckedAccount,
    /// The house's escrow.
    #[account(mut, address = house.escrow @ PlimsollError::WrongEscrow)]
    pub escrow: UncheckedAccount,
    /// The mint's token program.
    pub token_program: Program<Token>,
}

impl ExecuteTicket {
    /// The net asset value that the ticket is executed at.
    fn validate(&self, now: Timestamp) -> Result<u64> {
        let (house, ticket) = (&self.house, &self.ticket);
        let paused_by = if ticket.kind == ticket_kind::PROVIDE { pause::DEPOSIT } else { pause::WITHDRAW };
        require!(!self.exchange.config.is_paused(paused_by | pause::HOUSE), PlimsollError::Paused);
        require!(ticket.executed_at == 0, PlimsollError::TicketExecuted);
        require!(now.raw() <= ticket.expires_at, PlimsollError::TicketExpired);
        house::require_nav_known(house, now)?;
        // Where nobody has shares there is nobody whom an old price could rob.
        let from = if house.share_supply == 0 { ticket.requested_at } else { ticket.executable_from };
        require!(house.nav_at >= from, PlimsollError::TicketTooEarly);
        require!(house.nav > 0 || (house.nav == 0 && house.share_supply == 0), PlimsollError::HouseInsolvent);
        Ok(house.nav.unsigned_abs())
    }

    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        let now = book::now()?;
        let nav = self.validate(now)?;
        ledger::accrue(&mut self.quote_bank, now)?;
        let proceeds =
            if self.ticket.kind == ticket_kind::PROVIDE { self.provide(nav)? } else { self.redeem(nav, now)? };
        self.ticket.proceeds = proceeds;
        self.ticket.executed_at = now.raw();
        ticket::announce(self.ticket.address(), &self.ticket, ticket_status::EXECUTED);
        Ok(())
    }

    /// The quote becomes the house's deposit, and shares are made for it.
    fn provide(&mut self, nav: u64) -> Result<u64> {
        let (amount, house, bank) = (self.ticket.amount, &mut self.house, &mut self.quote_bank);
        let issued = shares::shares_to_issue(amount, house.share_supply, nav).map_err(PlimsollError::from)?;
        require!(issued > 0, PlimsollError::AmountTooSmall);
        house.pending_quote = house.pending_quote.checked_sub(amount).ok_or(PlimsollError::Corrupt)?;
        ledger::receive(bank, amount)?;
        ledger::house_credit(house, bank, amount)?;
        let signed = i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?;
        house.nav = house.nav.checked_add(signed).ok_or(PlimsollError::Overflow)?;
        house.share_supply = house.share_supply.checked_add(issued).ok_or(PlimsollError::Overflow)?;
        house.escrow_shares = house.escrow_shares.checked_add(issued).ok_or(PlimsollError::Overflow)?;
        token::mint(&self.exchange, self.share_mint.account(), self.escrow.account(), issued)?;
        Ok(issued)
    }

    /// The shares are destroyed, and their part of the house's deposit waits for its owner.
    fn redeem(&mut self, nav: u64, now: Timestamp) -> Result<u64> {
        let (amount, house, bank) = (self.ticket.amount, &mut self.house, &mut self.quote_bank);
        let paid = shares::redemption(amount, house.share_supply, nav).map_err(PlimsollError::from)?;
        require!(paid > 0, PlimsollError::AmountTooSmall);
        house.escrow_shares = house.escrow_shares.checked_sub(amount).ok_or(PlimsollError::Corrupt)?;
        house.share_supply = house.share_supply.checked_sub(amount).ok_or(PlimsollError::Corrupt)?;
        let signed = i64::try_from(paid).map_err(|_| PlimsollError::Overflow)?;
        house.nav = house.nav.checked_sub(signed).ok_or(PlimsollError::Overflow)?;
        house::require_budgets_covered(house)?;
        ledger::house_debit(house, bank, paid)?;
        ledger::pay_out(bank, paid, now)?;
        house.pending_quote = house.pending_quote.checked_add(paid).ok_or(PlimsollError::Overflow)?;
        token::burn(&self.exchange, self.share_mint.account(), self.escrow.account(), amount)?;
        Ok(paid)
    }
}
