use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange, Lien, MarginAccount},
    config::adapter_state,
    event::LienChanged,
};

use crate::{
    auction,
    book::{self, Book},
    lien,
};

/// Accounts of `update_lien`. Behind them, where the margin account's liquidation has started: every market that it uses,
/// each with its price account behind it where the stored price is old, and every other bank that it uses.
#[derive(Accounts)]
pub struct UpdateLien {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The bank of the tokens.
    #[account(address = adapter.bank @ PlimsollError::WrongAdapter)]
    pub bank: Account<Bank>,
    /// The adapter.
    #[account(address = lien.adapter @ PlimsollError::WrongAdapter)]
    pub adapter: Account<Adapter>,
    /// The adapter's record.
    #[account(address = lien.record @ PlimsollError::WrongLienRecord)]
    pub record: UncheckedAccount,
    /// The lien.
    #[account(mut, constraint(lien.account == *account.address() @ PlimsollError::WrongLien))]
    pub lien: Account<Lien>,
}

impl UpdateLien {
    /// See the program's instruction: what the lien counts for follows from the record, the adapter's limits, and how long
    /// the adapter has been waited for.
    pub fn apply(&mut self, remaining: &[AccountView]) -> Result<()> {
        self.account.require_not_deferred()?;
        let before = self.lien.recognised;
        let recognised = if self.is_overdue(remaining)? { 0 } else { self.worth() };
        lien::recognise(&mut self.account, &self.bank, before, recognised)?;
        self.account.touch();
        self.lien.recognised = recognised;
        emit!(LienChanged {
            account: *self.account.address(),
            adapter: *self.adapter.address(),
            record: *self.record.address(),
            claim: self.lien.claim,
            recognised,
        });
        Ok(())
    }

    /// What the record still covers of the claim, after the haircut; of a closed adapter never more than before. A record
    /// that is gone covers nothing.
    fn worth(&self) -> u64 {
        let held = lien::held(&self.adapter, self.account.address(), self.record.account());
        let worth = self.adapter.recognised(self.lien.claim.min(held));
        let may_rise = self.adapter.config.state == adapter_state::ACTIVE;
        if may_rise { worth } else { worth.min(self.lien.recognised) }
    }

    /// Whether the account is below its line and has been seen there for as long as the adapter is waited for.
    fn is_overdue(&mut self, remaining: &[AccountView]) -> Result<bool> {
        if self.account.liquidation_started_at == 0 {
            return Ok(false);
        }
        let now = book::now()?;
        let book = Book::new(remaining, now).with_bank(&self.bank);
        let margin = book.margin(&self.account, &self.exchange.risk(now))?;
        auction::update(&mut self.account, &self.exchange.config, &margin, now)?;
        Ok(self.account.liquidation_started_at != 0
            && auction::elapsed(&self.account, now)?.raw() >= i64::from(self.adapter.config.grace_seconds))
    }
}
