use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Market, same_address},
    event::ForecastPosted,
    instruction::PostForecastArgs,
};
use plimsoll_risk::units::Volatility;

use crate::book;

/// Accounts of `post_forecast`.
#[derive(Accounts)]
pub struct PostForecast {
    /// The exchange's forecaster or admin.
    pub forecaster: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
}

impl PostForecast {
    fn validate(&self) -> Result<()> {
        let signer = self.forecaster.address();
        let may_post = same_address(signer, &self.exchange.forecaster) || same_address(signer, &self.exchange.admin);
        require!(may_post, PlimsollError::NotForecaster);
        Ok(())
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &PostForecastArgs) -> Result<()> {
        self.validate()?;
        self.market.post_forecast(Volatility::from_raw(args.volatility_ppm), book::now()?)?;
        emit!(ForecastPosted {
            market: *self.market.address(),
            forecaster: *self.forecaster.address(),
            volatility_ppm: u64::from(args.volatility_ppm),
            expires_at: self.market.forecast.expires_at,
            range_ppm: u64::from(self.market.range_ppm),
            range_maint_ppm: u64::from(self.market.range_maint_ppm),
        });
        Ok(())
    }
}
