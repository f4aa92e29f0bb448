//! Exchange rates of staked tokens: reading their source, and what follows for a bank, the same on-chain and off.

use plimsoll_risk::{
    price::Observation,
    staking::{self, StakePool},
    units::{Ppm, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    accounts::{Bank, Market, same_address},
    config::RateSource,
    oracle::{self, Feed},
};

/// Programs that may own a stake pool. No role can add to them.
pub const STAKE_POOL_PROGRAMS: [Address; 3] = [
    Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID),
    Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID_2),
    Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID_3),
];

/// The stake pool of `mint` in an account.
///
/// # Errors
/// [`PlimsollError::RateSourceInvalid`] for another owner, type or mint.
pub fn read_pool(mint: &Address, owner: &Address, data: &[u8]) -> Result<StakePool, PlimsollError> {
    if !STAKE_POOL_PROGRAMS.iter().any(|program| same_address(program, owner)) {
        return Err(PlimsollError::RateSourceInvalid);
    }
    Ok(staking::read_stake_pool(data, mint.as_array())?)
}

/// The observation of a rated token's own feed, quote native per `10^-base_decimals` of the token as the market has them.
///
/// # Errors
/// One code per cause, `Oracle…`.
pub fn read_own_feed(
    source: &RateSource,
    market: &Market,
    (address, owner, data): (&Address, &Address, &[u8]),
    now: Timestamp,
) -> Result<Observation, PlimsollError> {
    let feed = Feed { id: &source.feed_id, owner: &source.feed_owner, kind: source.feed_kind };
    oracle::read_feed(feed, market.base_decimals, address, owner, data, now)
}

/// Takes over what the pool says, the rise limited and deposits capped by the prices of the token's own feed and of the
/// market. [`staking`] says why. Gives the pool's rate, Q16.48.
///
/// # Errors
/// [`PlimsollError::RatePoolOld`], [`PlimsollError::RateOutOfRange`], [`PlimsollError::ClockWentBack`].
pub fn update(
    bank: &mut Bank,
    pool: &StakePool,
    prices: Option<(&Observation, &Observation)>,
    epoch: u64,
    now: Timestamp,
) -> Result<u64, PlimsollError> {
    if !pool.is_current(epoch) {
        return Err(PlimsollError::RatePoolOld);
    }
    let said = pool.rate()?;
    let rate = &mut bank.rate;
    let elapsed = now.raw().checked_sub(rate.updated_at).ok_or(PlimsollError::Overflow)?;
    let elapsed = u64::try_from(elapsed).map_err(|_| PlimsollError::ClockWentBack)?;
    let allowance = rate.allowance.checked_add(elapsed).ok_or(PlimsollError::Overflow)?;
    let rise = Ppm::from_raw(rate.source.rise_per_day_ppm);
    let (borrow, allowance) = staking::limit_rise(rate.borrow, said, rise, allowance)?;
    rate.borrow = borrow;
    rate.allowance = allowance;
    rate.deposit = match prices {
        Some((own, market)) => staking::cap_by_feed(borrow, own.spot, own.confidence, market.spot),
        None => borrow,
    };
    if rate.deposit == 0 {
        return Err(PlimsollError::RateOutOfRange);
    }
    rate.updated_at = now.raw();
    Ok(said)
}
