use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount},
    event::LiquidationFlagged,
};

use crate::{
    auction,
    book::{self, Book},
};

/// Accounts of `flag_liquidation`. Behind them: every market that the margin account uses, each with its price account
/// behind it where the stored price is old, and every bank that it uses.
#[derive(Accounts)]
pub struct FlagLiquidation {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
}

impl FlagLiquidation {
    /// See the program's instruction.
    pub fn apply(&mut self, remaining: &[AccountView]) -> Result<()> {
        self.account.require_not_deferred()?;
        let now = book::now()?;
        let margin = Book::new(remaining, now).margin(&self.account, &self.exchange.risk(now))?;
        auction::update(&mut self.account, &self.exchange.config, &margin, now)?;
        self.account.touch();
        emit!(LiquidationFlagged {
            account: *self.account.address(),
            equity: margin.equity_maint.raw(),
            requirement: margin.requirement_maint.raw(),
            started_at: self.account.liquidation_started_at,
            insolvent_since: self.account.insolvent_since,
        });
        Ok(())
    }
}
