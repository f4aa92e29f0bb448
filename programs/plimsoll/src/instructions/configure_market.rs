use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, House, Market, Proposal},
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

/// Accounts of `configure_market`. Where the risk budget rises, the house must have been valued within the last minute.
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
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The proposal of exactly this change, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl ConfigureMarket {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &ConfigureMarketArgs) -> Result<()> {
        args.config.validate()?;
        if self.market.is_of_house_shares() {
            args.config.validate_house_share()?;
        }
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
        house::move_budget(&mut self.house, self.market.config.risk_budget, args.config.risk_budget, now)?;
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
