//! Markets: created and configured by the admin, observed and their funding accrued by anyone, their volatility forecast by
//! the forecaster.

use plimsoll_interface::{
    Address, address,
    config::MarketConfig,
    instruction::{ConfigureMarketArgs, CreateMarketArgs, PostForecastArgs, tag},
};
use solana_instruction::Instruction;

use super::{SYSTEM_PROGRAM, Use, build, controls::proposal};

/// Adds a market to an exchange.
#[derive(Clone, Debug)]
pub struct Create {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The exchange's `market_count`: the new market's index.
    pub index: u16,
    /// Symbol, feed, decimals and parameters, those of [`MarketConfig::starting`].
    pub args: CreateMarketArgs,
}

impl Create {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::CREATE_MARKET,
            &self.args,
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Write),
                (address::market(&self.exchange, self.index), Use::Write),
                (SYSTEM_PROGRAM, Use::Read),
            ],
            &[],
        )
    }
}

/// Replaces a market's parameters.
#[derive(Clone, Debug)]
pub struct Configure {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// The parameters that replace the old ones.
    pub config: MarketConfig,
}

impl Configure {
    /// The instruction, for a change that tightens, or where there is no timelock.
    pub fn instruction(&self) -> Instruction {
        self.build(false)
    }

    /// The instruction, for a change that was proposed and waited out the timelock.
    pub fn proposed(&self) -> Instruction {
        self.build(true)
    }

    fn build(&self, proposed: bool) -> Instruction {
        build(
            tag::CONFIGURE_MARKET,
            &ConfigureMarketArgs { config: self.config },
            [
                (self.admin, Use::SignWrite),
                (self.exchange, Use::Read),
                (address::house(&self.exchange), Use::Write),
                (self.market, Use::Write),
                proposal(&self.market, proposed),
            ],
            &[],
        )
    }
}

/// Stores the price of a market's price account in the market.
#[derive(Clone, Copy, Debug)]
pub struct Observe {
    /// The market.
    pub market: Address,
    /// Its price account.
    pub oracle: Address,
}

impl Observe {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::OBSERVE, &(), [(self.market, Use::Write), (self.oracle, Use::Read)], &[])
    }
}

/// Posts a volatility forecast for a market.
#[derive(Clone, Copy, Debug)]
pub struct PostForecast {
    /// The exchange's forecaster or admin.
    pub forecaster: Address,
    /// The exchange.
    pub exchange: Address,
    /// The market.
    pub market: Address,
    /// Volatility, ppm a year.
    pub volatility_ppm: u32,
}

impl PostForecast {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(
            tag::POST_FORECAST,
            &PostForecastArgs { volatility_ppm: self.volatility_ppm },
            [(self.forecaster, Use::Sign), (self.exchange, Use::Read), (self.market, Use::Write)],
            &[],
        )
    }
}

/// Accrues a market's funding.
#[derive(Clone, Copy, Debug)]
pub struct AccrueFunding {
    /// The market.
    pub market: Address,
}

impl AccrueFunding {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        build(tag::ACCRUE_FUNDING, &(), [(self.market, Use::Write)], &[])
    }
}
