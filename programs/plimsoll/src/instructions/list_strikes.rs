use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market},
    board::{VolatilityBand, strike_price, used_volatility},
    config::limits,
    effect::inventory,
    event::StrikesListed,
    instruction::{ListStrikesArgs, StrikePrice},
};
use plimsoll_risk::{
    price::Freshness,
    units::{Base, Price},
};

use crate::{board, book};

/// Accounts of `list_strikes`.
#[derive(Accounts)]
pub struct ListStrikes {
    /// The exchange's keeper or admin.
    pub authority: Signer,
    /// The exchange.
    #[account(constraint(board::is_keeper(&exchange, authority.address()) @ PlimsollError::NotKeeper))]
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// The board.
    #[account(mut, constraint(board.market == *market.address() @ PlimsollError::WrongMarket))]
    pub board: Account<Board>,
    /// A price account of the market's feed, where the stored price is old.
    pub oracle: Option<UncheckedAccount>,
}

impl ListStrikes {
    /// The market's price, which must be fresh: strikes and lot are held to it.
    fn validate(&self) -> Result<Price> {
        let now = book::now()?;
        board::require_open(&self.board, now)?;
        board::require_listing(&self.market)?;
        let observation = board::observed(&self.market, &self.oracle, now)?;
        let fresh = inventory::market_freshness(&self.market, &observation, now) == Freshness::Fresh;
        require!(fresh, PlimsollError::OracleStale);
        let lot = i64::try_from(self.board.lot).map_err(|_| PlimsollError::InvalidLot)?;
        let value = observation.spot.magnitude_ceil(Base::from_raw(lot)).ok_or(PlimsollError::InvalidLot)?;
        let in_range = (limits::LOT_VALUE_MIN..=limits::LOT_VALUE_MAX).contains(&value);
        require!(in_range, PlimsollError::InvalidLot);
        Ok(observation.spot)
    }

    /// See the program's instruction. What is under way of a refresh begins anew: its strikes are others now.
    pub fn apply(&mut self, args: &ListStrikesArgs) -> Result<()> {
        let spot = self.validate()?;
        let used = used_volatility(&self.market, book::now()?).init;
        let band = VolatilityBand::around(used, self.market.config.options.volatility_ratio_max_ppm);
        let volatility_ppm = band.clamp(used).raw();
        for (index, strike) in args.strikes.iter().enumerate().filter(|(_, strike)| strike.digits != 0) {
            self.list(index, *strike, spot, volatility_ppm)?;
        }
        self.board.next_refreshed = 0;
        emit!(StrikesListed {
            board: *self.board.address(),
            authority: *self.authority.address(),
            strikes: self.board.strikes,
        });
        Ok(())
    }

    /// Lists one strike, with the market's volatility until another is posted.
    fn list(&mut self, index: usize, strike: StrikePrice, spot: Price, volatility_ppm: u32) -> Result<()> {
        let strike = strike_price(strike, self.market.base_decimals)?.raw();
        let near = strike.saturating_mul(limits::STRIKE_RATIO_MAX) >= spot.raw()
            && strike <= spot.raw().saturating_mul(limits::STRIKE_RATIO_MAX);
        require!(near, PlimsollError::InvalidStrike);
        let board = &mut self.board;
        require!(board.is_untraded(index), PlimsollError::StrikeInUse);
        require!(!board.strikes.contains(&strike), PlimsollError::DuplicateStrike);
        *board.strikes.get_mut(index).ok_or(PlimsollError::Corrupt)? = strike;
        *board.volatilities_ppm.get_mut(index).ok_or(PlimsollError::Corrupt)? = volatility_ppm;
        board.refreshed &= !(1u16 << index);
        Ok(())
    }
}
