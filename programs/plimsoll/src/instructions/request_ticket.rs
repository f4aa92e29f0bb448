#![allow(unused_variables)] // Anchor's derive binds `args` in one function more than uses it.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, Ticket, same_address, ticket_kind},
    address,
    config::{limits, pause},
    effect::ledger,
    event::ticket_status,
    instruction::RequestArgs,
};

use crate::{book, ticket, token};

/// Accounts of `request_provide` and `request_redeem`.
#[derive(Accounts)]
#[instruction(args: RequestArgs)]
pub struct RequestTicket {
    /// Whose ticket it will be, who owns what is put in and pays the rent.
    #[account(mut)]
    pub owner: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The new ticket.
    #[account(
        init,
        payer = owner,
        seeds = [address::TICKET, house.address().as_ref(), owner.address().as_ref(), &args.index.to_le_bytes()],
        bump
    )]
    pub ticket: Account<Ticket>,
    /// The token account that pays quote or house shares.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// What holds it until then: the quote bank's vault, or the house's escrow.
    #[account(mut)]
    pub custody: UncheckedAccount,
    /// The quote mint, or that of the house's shares.
    pub mint: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
    /// Makes the ticket.
    pub system_program: Program<System>,
}

impl RequestTicket {
    fn validate(&self, args: &RequestArgs, paused_by: u32) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(paused_by | pause::HOUSE), PlimsollError::Paused);
        token::require_token_account_of(self.source.account(), self.mint.address(), self.token_program.address())
    }

    /// `request_provide`.
    pub fn provide(&mut self, args: &RequestArgs, bump: u8) -> Result<()> {
        let bank = &self.quote_bank;
        token::require_banks(bank, self.custody.address(), self.mint.address(), self.token_program.address())?;
        self.validate(args, pause::DEPOSIT)?;
        let pending = self.house.pending_quote.checked_add(args.amount).ok_or(PlimsollError::Overflow)?;
        // What waits is counted already, so that nobody's ticket fails for want of room later.
        ledger::require_room(bank, pending)?;
        self.house.pending_quote = pending;
        self.pull(args.amount)?;
        self.write(args, ticket_kind::PROVIDE, bump)
    }

    /// `request_redeem`.
    pub fn redeem(&mut self, args: &RequestArgs, bump: u8) -> Result<()> {
        require!(same_address(self.mint.address(), &self.house.share_mint), PlimsollError::WrongMint);
        require!(same_address(self.custody.address(), &self.house.escrow), PlimsollError::WrongEscrow);
        token::require_shares_program(self.token_program.address())?;
        self.validate(args, pause::WITHDRAW)?;
        let escrow = self.house.escrow_shares.checked_add(args.amount).ok_or(PlimsollError::Overflow)?;
        self.house.escrow_shares = escrow;
        self.pull(args.amount)?;
        self.write(args, ticket_kind::REDEEM, bump)
    }

    fn pull(&self, amount: u64) -> Result<()> {
        let transfer = token::Transfer {
            source: self.source.account(),
            mint: self.mint.account(),
            destination: self.custody.account(),
            authority: self.owner.account(),
            token_program: self.token_program.address(),
            // The quote has as many.
            decimals: limits::HOUSE_SHARE_DECIMALS,
        };
        transfer.send(amount, &token::Terms::FREE, &[])
    }

    fn write(&mut self, args: &RequestArgs, kind: u8, bump: u8) -> Result<()> {
        let now = book::now()?.raw();
        let delay = i64::from(self.exchange.config.house_delay_seconds);
        let executable_from = now.checked_add(delay).ok_or(PlimsollError::Overflow)?;
        let life = i64::from(limits::TICKET_LIFE_SECONDS);
        let ticket = &mut self.ticket;
        ticket.amount = args.amount;
        ticket.requested_at = now;
        ticket.executable_from = executable_from;
        ticket.expires_at = executable_from.checked_add(life).ok_or(PlimsollError::Overflow)?;
        ticket.house = *self.house.address();
        ticket.owner = *self.owner.address();
        ticket.index = args.index;
        ticket.kind = kind;
        ticket.bump = bump;
        ticket.version = 1;
        ticket::announce(self.ticket.address(), &self.ticket, ticket_status::REQUESTED);
        Ok(())
    }
}
