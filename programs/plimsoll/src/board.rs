//! What listing strikes, posting volatilities and refreshing boards have in common.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, Exchange, Market, board_state, same_address},
    config::state,
};
use plimsoll_risk::{price::Observation, units::Timestamp};

use crate::book;

/// Checks that boards and strikes may be added to a market: it has options, and neither only reduces nor winds down.
///
/// # Errors
/// [`PlimsollError::OptionsDisabled`], [`PlimsollError::MarketReduceOnly`].
pub fn require_listing(market: &Market) -> Result<()> {
    require!(market.config.options.enabled == 1, PlimsollError::OptionsDisabled);
    require!(market.config.state == state::ACTIVE, PlimsollError::MarketReduceOnly);
    Ok(())
}

/// Whether a signer may list boards and post volatilities: the keeper or the admin.
pub fn is_keeper(exchange: &Exchange, signer: &Address) -> bool {
    same_address(signer, &exchange.keeper) || same_address(signer, &exchange.admin)
}

/// Checks that strikes may be listed and volatilities posted: before the expiry.
///
/// # Errors
/// [`PlimsollError::BoardSettled`], [`PlimsollError::BoardExpired`].
pub fn require_open(board: &Board, now: Timestamp) -> Result<()> {
    require!(board.state != board_state::SETTLED, PlimsollError::BoardSettled);
    require!(now.raw() < board.expiry, PlimsollError::BoardExpired);
    Ok(())
}

/// The market's observation, or that of a price account where one is passed and is younger.
///
/// # Errors
/// [`PlimsollError::OracleNeverObserved`], or what is wrong with the price account.
pub fn observed(market: &Market, oracle: &Option<UncheckedAccount>, now: Timestamp) -> Result<Observation> {
    let observation = match oracle {
        Some(oracle) => book::younger(market, oracle.account(), now)?,
        None => market.observation(),
    };
    require!(observation.spot.raw() != 0, PlimsollError::OracleNeverObserved);
    Ok(observation)
}
