use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, Ticket, same_address},
    config::{limits, pause},
    event::ticket_status,
};

use crate::{book, ticket, token};

/// Accounts of `cancel_ticket` and `claim_ticket`.
#[derive(Accounts)]
pub struct CloseTicket {
    /// The ticket's owner, who gets the rent.
    #[account(mut, address = ticket.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The ticket.
    #[account(mut, close = owner, constraint(ticket.house == *house.address() @ PlimsollError::WrongExchange))]
    pub ticket: Account<Ticket>,
    /// What holds it: the quote bank's vault, or the house's escrow.
    #[account(mut)]
    pub custody: UncheckedAccount,
    /// The token account that receives.
    #[account(mut)]
    pub destination: UncheckedAccount,
    /// The quote mint, or that of the house's shares.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
}

impl CloseTicket {
    /// `cancel_ticket`: before any valuation may have begun that it could be executed at, and before any price is published
    /// that such a valuation may use; or when its time has passed.
    pub fn cancel(&mut self) -> Result<()> {
        require!(self.ticket.executed_at == 0, PlimsollError::TicketExecuted);
        let now = book::now()?.raw();
        let age = i64::from(limits::HOUSE_PRICE_AGE_SECONDS_MAX);
        let early = self.ticket.executable_from.checked_sub(age).ok_or(PlimsollError::Overflow)?;
        require!(now <= early || now > self.ticket.expires_at, PlimsollError::TicketBound);
        self.pay(ticket_status::CANCELLED)
    }

    /// `claim_ticket`.
    pub fn claim(&mut self) -> Result<()> {
        require!(self.ticket.executed_at != 0, PlimsollError::TicketNotExecuted);
        self.pay(ticket_status::CLAIMED)
    }

    /// Gives what the ticket holds to its owner.
    fn pay(&mut self, status: u64) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::WITHDRAW), PlimsollError::Paused);
        let (holding, house) = (self.ticket.holding(), &mut self.house);
        let (custody, mint) = (self.custody.address(), self.mint.address());
        if self.ticket.holds_quote() {
            token::require_banks(&self.quote_bank, custody, mint, self.token_program.address())?;
            house.pending_quote = house.pending_quote.checked_sub(holding).ok_or(PlimsollError::Corrupt)?;
        } else {
            require!(same_address(mint, &house.share_mint), PlimsollError::WrongMint);
            require!(same_address(custody, &house.escrow), PlimsollError::WrongEscrow);
            token::require_shares_program(self.token_program.address())?;
            house.escrow_shares = house.escrow_shares.checked_sub(holding).ok_or(PlimsollError::Corrupt)?;
        }
        token::require_token_account_of(self.destination.account(), mint, self.token_program.address())?;
        let transfer = token::Transfer {
            source: self.custody.account(),
            mint: self.mint.account(),
            destination: self.destination.account(),
            authority: self.exchange.account(),
            token_program: self.token_program.address(),
            decimals: limits::HOUSE_SHARE_DECIMALS,
        };
        token::signed(&self.exchange, |signer| transfer.send(holding, &token::Terms::FREE, signer))?;
        ticket::announce(self.ticket.address(), &self.ticket, status);
        Ok(())
    }
}
