use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, MarginAccount, Market},
    config::pause,
    effect::{inventory, ledger},
    event::Settled,
};
use plimsoll_risk::{price::Freshness, units::Base};

use crate::{book, instructions::announce_funding};

/// Accounts of `settle`.
#[derive(Accounts)]
pub struct Settle {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The exchange's house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// A price account of the market's feed, where the stored price is old and there is a position.
    pub oracle: Option<UncheckedAccount>,
}

impl Settle {
    /// See the program's instruction. A gain is paid out of the house's deposit, as far as that goes: nobody withdraws a
    /// profit that no loser has paid for. A loss that exceeds the quote balance becomes a borrow, which the margin has
    /// counted all along.
    pub fn apply(&mut self) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::SETTLE), PlimsollError::Paused);
        let now = book::now()?;
        let address = *self.market.address();
        let slot_index = self.account.market_slot(&address).ok_or(PlimsollError::NothingToSettle)?;
        self.market.accrue_funding(now);
        let slot = self.account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
        let funding = self.market.settle_funding(slot)?;
        let slot = *slot;
        let mut observation = self.market.observation();
        if let Some(oracle) = &self.oracle {
            observation = book::younger(&self.market, oracle.account(), now)?;
        }
        let mut worth = slot.cash;
        if slot.size != 0 {
            let fresh = inventory::market_freshness(&self.market, &observation, now) == Freshness::Fresh;
            require!(fresh, PlimsollError::OracleStale);
            let value = observation.spot.value_floor(Base::from_raw(slot.size)).ok_or(PlimsollError::Overflow)?;
            worth = worth.checked_add(value.raw()).ok_or(PlimsollError::Overflow)?;
        }
        require!(worth != 0, PlimsollError::NothingToSettle);
        ledger::accrue(&mut self.quote_bank, now)?;
        let quote_bank = *self.quote_bank.address();
        let balance = self.account.balance_slot_or_new(&quote_bank, None)?;
        let settled = if worth > 0 { self.pay_gain(balance, worth)? } else { self.collect_loss(balance, worth)? };
        let slot = self.account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
        slot.cash = slot.cash.checked_sub(settled).ok_or(PlimsollError::Overflow)?;
        self.market.house_cash = self.market.house_cash.checked_add(settled).ok_or(PlimsollError::Overflow)?;
        self.account.release_balance(balance)?;
        self.account.release_market(slot_index)?;
        self.account.touch();
        announce_funding(&self.account, &address, funding, self.market.funding_index);
        emit!(Settled {
            account: *self.account.address(),
            market: address,
            amount: settled,
            spot: observation.spot.raw(),
        });
        Ok(())
    }

    fn pay_gain(&mut self, balance: usize, worth: i64) -> Result<i64> {
        let available = ledger::house_quote(&self.house, &self.quote_bank)?;
        let amount = worth.unsigned_abs().min(available);
        require!(amount > 0, PlimsollError::HouseInsufficient);
        ledger::house_debit(&mut self.house, &mut self.quote_bank, amount)?;
        ledger::credit(&mut self.account, balance, &mut self.quote_bank, amount)?;
        Ok(i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?)
    }

    fn collect_loss(&mut self, balance: usize, worth: i64) -> Result<i64> {
        let amount = worth.unsigned_abs();
        ledger::debit(&mut self.account, balance, &mut self.quote_bank, amount)?;
        ledger::house_credit(&mut self.house, &mut self.quote_bank, amount)?;
        Ok(worth)
    }
}
