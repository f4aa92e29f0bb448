use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, Market, Proposal},
    change::Change,
    config::{limits, state},
    event::Configured,
    instruction::ConfigureMarketArgs,
};
use plimsoll_risk::units::Timestamp;

use crate::{
    book,
    controls::{self, Wanted},
    house,
};

/// Accounts of `configure_market`. Behind them, where the risk budget rises: every other market of the exchange in the
/// order of their indexes, each with its price account behind it where the stored price is old.
#[derive(Accounts)]
pub struct ConfigureMarket {
    /// The exchange's admin, or its risk admin to tighten. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// Its quote bank.
    #[account(address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl ConfigureMarket {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &ConfigureMarketArgs, remaining: &[AccountView]) -> Result<()> {
        args.config.validate()?;
        require!(self.market.config.state != state::RETIRED, PlimsollError::Retired);
        let now = book::now()?;
        let wanted = Wanted {
            authority: &self.authority,
            subject: self.market.address(),
            change: &Change::Market(args.config),
            loosens: args.config.loosens(&self.market.config),
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, now)?;
        self.announce_wind_down(args.config.state, now)?;
        let (old, new) = (self.market.config.risk_budget, args.config.risk_budget);
        let total = self
            .house
            .risk_budget_total
            .checked_sub(old)
            .and_then(|rest| rest.checked_add(new))
            .ok_or(PlimsollError::Overflow)?;
        self.house.risk_budget_total = total;
        let now = book::now()?;
        if new > old {
            let declared = Some((self.market.address(), &*self.market));
            let value =
                house::net_asset_value(&self.exchange, &self.house, &self.quote_bank, remaining, declared, now)?;
            house::require_budgets_covered(&self.house, value)?;
        }
        self.market.configure(&args.config, now);
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.market.address(),
            admin: *self.authority.address(),
        });
        Ok(())
    }

    /// Sets when positions may be closed for their holders, where the market begins to wind down.
    fn announce_wind_down(&mut self, new_state: u8, now: Timestamp) -> Result<()> {
        if new_state != state::WIND_DOWN {
            self.market.wind_down_at = 0;
        } else if self.market.config.state != state::WIND_DOWN {
            let notice = self.exchange.config.timelock_seconds.max(limits::WIND_DOWN_NOTICE_SECONDS_MIN);
            self.market.wind_down_at = now.raw().checked_add(i64::from(notice)).ok_or(PlimsollError::Overflow)?;
        }
        Ok(())
    }
}
