use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, House, Market},
    event::Configured,
    instruction::ConfigureMarketArgs,
};

use crate::{book, house};

/// Accounts of `configure_market`. Where the risk budget rises, the house must have been valued within the last minute.
#[derive(Accounts)]
pub struct ConfigureMarket {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// Its house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
}

impl ConfigureMarket {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &ConfigureMarketArgs) -> Result<()> {
        args.config.validate()?;
        if self.market.is_of_house_shares() {
            args.config.validate_house_share()?;
        }
        house::move_budget(&mut self.house, self.market.config.risk_budget, args.config.risk_budget, book::now()?)?;
        self.market.config = args.config;
        let bounds = args.config.volatility.range_min_ppm..=args.config.volatility.range_max_ppm;
        self.market.range_ppm = self.market.range_ppm.clamp(*bounds.start(), *bounds.end());
        self.market.range_maint_ppm = self.market.range_maint_ppm.clamp(*bounds.start(), *bounds.end());
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.market.address(),
            admin: *self.admin.address(),
        });
        Ok(())
    }
}
