use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, MarginAccount},
    config::pause,
    effect::ledger,
    event::{LossCovered, loss_source},
};
use plimsoll_risk::{interest, units::Timestamp, waterfall};

use crate::{
    auction,
    book::{self, Book},
    insolvency,
};

/// Accounts of `resolve`. Behind them: every market that the margin account uses, each with its price account behind it
/// where the stored price is old, and every bank that it uses, the quote bank excepted.
#[derive(Accounts)]
pub struct Resolve {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account without equity.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The exchange's house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
}

impl Resolve {
    /// See the program's instruction: one step of the waterfall (INV-10), in the order insurance, house above its floor,
    /// deposits.
    pub fn apply(&mut self, remaining: &[AccountView]) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::RESOLVE), PlimsollError::Paused);
        self.account.require_not_deferred()?;
        self.account.require_no_liens()?;
        let now = book::now()?;
        ledger::accrue(&mut self.quote_bank, now)?;
        let config = self.exchange.config;
        let book = Book::new(remaining, now).with_bank(&self.quote_bank);
        let margin = book.margin(&self.account, &self.exchange.risk(now))?;
        insolvency::require_insolvent(&book, &self.account, &margin, now)?;
        auction::update(&mut self.account, &config, &margin, now)?;
        let due = insolvency::due(&self.account, &margin, &config, now)?;
        let (source, amount) = self.step(due, now)?;
        self.account.touch();
        emit!(LossCovered {
            account: *self.account.address(),
            source,
            equity: margin.equity_maint.raw(),
            due,
            amount,
            insurance: self.quote_bank.reserve,
            house: ledger::house_quote(&self.house, &self.quote_bank)?,
            deposit_index: self.quote_bank.deposit_index,
        });
        Ok(())
    }

    /// The next step: who bears it, and how much.
    fn step(&mut self, due: u64, now: Timestamp) -> Result<(u64, u64)> {
        let missing = waterfall::missing(due, self.quote_bank.reserve);
        let bare_debt = self.account.bare_debt();
        if missing == 0 {
            let shares = bare_debt.ok_or(PlimsollError::InsuranceSuffices)?;
            return Ok((loss_source::INSURANCE, self.repay(shares)?));
        }
        let config = &self.exchange.config;
        let above_floor = insolvency::house_above_floor(&self.house, &self.quote_bank, config)?;
        if above_floor > 0 {
            return Ok((loss_source::HOUSE, self.take_from_house(missing.min(above_floor))?));
        }
        // A print that is wrong for a moment may cost nobody his deposit. What is owed in quote alone is no print's matter.
        let is_due = bare_debt.is_some() || insolvency::has_run_out(&self.account, config, now)?;
        require!(is_due, PlimsollError::InsolvencyTooYoung);
        Ok((loss_source::DEPOSITS, self.take_from_deposits(missing)?))
    }

    /// The insurance repays a quote debt that is all that is left of the account: reserve and borrows fall by the same.
    fn repay(&mut self, shares: u64) -> Result<u64> {
        let bank = &mut self.quote_bank;
        let owed = interest::borrow_amount(shares, bank.borrow_index()).map_err(PlimsollError::from)?;
        bank.reserve = bank.reserve.checked_sub(owed).ok_or(PlimsollError::AccountInsolvent)?;
        let address = *bank.address();
        let slot = self.account.balance_slot(&address).ok_or(PlimsollError::Corrupt)?;
        ledger::credit(&mut self.account, slot, bank, owed)?;
        self.account.release_balance(slot)?;
        self.account.liquidation_started_at = 0;
        self.account.liquidation_seen_at = 0;
        self.account.insolvent_since = 0;
        Ok(owed)
    }

    /// Deposits fall by at least what the reserve gains: the house's shares are burnt rounded up.
    fn take_from_house(&mut self, amount: u64) -> Result<u64> {
        ledger::house_debit(&mut self.house, &mut self.quote_bank, amount)?;
        // At once, so that nobody redeems shares at what the house was worth before.
        let loss = i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?;
        self.house.nav = self.house.nav.checked_sub(loss).ok_or(PlimsollError::Overflow)?;
        self.fill(amount)
    }

    /// Every deposit falls in the same proportion, the house's too; the reserve gains what they lose, rounded down.
    fn take_from_deposits(&mut self, missing: u64) -> Result<u64> {
        let bank = &mut self.quote_bank;
        let written = waterfall::write_off(bank.deposit_index(), bank.deposit_shares, missing);
        let written = written.map_err(PlimsollError::from)?;
        require!(written.amount > 0, PlimsollError::LossTooLarge);
        // The house has lost too: nobody joins or leaves it before it is valued anew.
        self.house.nav_at = 0;
        bank.deposit_index = written.deposit_index.raw();
        self.fill(written.amount)
    }

    fn fill(&mut self, amount: u64) -> Result<u64> {
        let reserve = self.quote_bank.reserve.checked_add(amount).ok_or(PlimsollError::Overflow)?;
        self.quote_bank.reserve = reserve;
        Ok(amount)
    }
}
