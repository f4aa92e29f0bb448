//! Reading the price account of a market or of the quote, the same on-chain and off.

use plimsoll_risk::{
    house, math,
    price::{Observation, check_publish_time},
    pyth::{self, PythPrice},
    units::{Ppm, Price, Timestamp},
};
use solana_address::Address;

use crate::{
    ID, PlimsollError,
    accounts::{AccountType, DISCRIMINATOR_LEN, Exchange, House, Market, oracle_kind, same_address},
    config::limits,
};

/// Programs that may own a price account, with the format that each writes. No role can add to them.
pub const ORACLE_PROGRAMS: [(Address, u8); 4] = [
    (Address::new_from_array(pyth::RECEIVER_PROGRAM_ID), oracle_kind::PRICE_UPDATE_V2),
    (Address::new_from_array(pyth::RECEIVER_PROGRAM_ID_2), oracle_kind::PRICE_UPDATE_V2),
    (Address::new_from_array(pyth::LEGACY_PROGRAM_ID), oracle_kind::LEGACY),
    (ID, oracle_kind::HOUSE),
];

/// The observation in a market's price account.
///
/// # Errors
/// One code per cause: another owner, another format, another feed, partial verification, not trading, not positive,
/// out of range, published in the future. Age is judged by the caller, against the market's limits.
#[inline]
pub fn read(
    market: &Market,
    address: &Address,
    owner: &Address,
    data: &[u8],
    now: Timestamp,
) -> Result<Observation, PlimsollError> {
    let feed = Feed { owner: &market.oracle_owner, kind: market.oracle_kind, id: &market.feed_id };
    read_feed(feed, market.base_decimals, address, owner, data, now)
}

/// The price of the quote in its price account, ppm of a dollar, rounded down, and when it was published.
///
/// # Errors
/// [`PlimsollError::NoQuoteFeed`]; those of [`read`].
pub fn read_quote(
    exchange: &Exchange,
    address: &Address,
    owner: &Address,
    data: &[u8],
    now: Timestamp,
) -> Result<(u32, Timestamp), PlimsollError> {
    if same_address(&exchange.quote_oracle_owner, &Address::default()) {
        return Err(PlimsollError::NoQuoteFeed);
    }
    let feed =
        Feed { owner: &exchange.quote_oracle_owner, kind: exchange.quote_oracle_kind, id: &exchange.quote_feed_id };
    // One unit of the quote is 1e-6 dollars, so the price of one is Q16.48 dollars.
    let observation = read_feed(feed, limits::QUOTE_DECIMALS, address, owner, data, now)?;
    let ppm = math::mul_q48_floor(u64::from(Ppm::ONE.raw()), observation.spot.raw());
    let ppm = ppm.and_then(|ppm| u32::try_from(ppm).ok()).ok_or(PlimsollError::OraclePriceOutOfRange)?;
    Ok((ppm, observation.publish_time))
}

/// A price feed.
pub struct Feed<'a> {
    /// The program that must own its accounts.
    pub owner: &'a Address,
    /// One of [`oracle_kind`].
    pub kind: u8,
    /// Pyth feed id; for a legacy price account, its address.
    pub id: &'a [u8; 32],
}

/// The observation in a feed's price account, in quote native per `10^-base_decimals` of what it prices.
///
/// # Errors
/// As [`read`].
#[inline(always)]
pub fn read_feed(
    feed: Feed<'_>,
    base_decimals: u8,
    address: &Address,
    owner: &Address,
    data: &[u8],
    now: Timestamp,
) -> Result<Observation, PlimsollError> {
    if !same_address(owner, feed.owner) {
        return Err(PlimsollError::OracleWrongOwner);
    }
    let price = if feed.kind == oracle_kind::PRICE_UPDATE_V2 {
        read_price_update_v2(data, feed.id)?
    } else {
        if feed.kind == oracle_kind::HOUSE {
            return read_house(&feed, address, data, now);
        }
        if address.as_array() != feed.id {
            return Err(PlimsollError::OracleWrongFeed);
        }
        pyth::read_legacy(data)?
    };
    check_publish_time(Timestamp::from_raw(price.publish_time), now)?;
    Ok(pyth::normalise(&price, base_decimals)?)
}

/// Reads a `PriceUpdateV2` account by words where its data lie on a word boundary, as the runtime places every account's.
#[inline(always)]
fn read_price_update_v2(data: &[u8], feed_id: &[u8; 32]) -> Result<PythPrice, PlimsollError> {
    if data.len() == pyth::PRICE_UPDATE_V2_LEN
        && let Some((head, _)) = data.split_at_checked(size_of::<[u64; pyth::PRICE_UPDATE_V2_WORDS]>())
        && let Ok(words) = bytemuck::try_from_bytes(head)
    {
        return Ok(pyth::read_price_update_v2_words(words, feed_id)?);
    }
    Ok(pyth::read_price_update_v2(data, feed_id)?)
}

/// The price of one house share: net asset value over shares at the last complete valuation, published when that began.
///
/// The house doubts nothing and averages nothing: that the valuation is old, that it leaves convexity out and that it counts
/// what traders owe at its face is what the market's range and the bank's haircut are for.
#[inline(never)]
fn read_house(feed: &Feed<'_>, address: &Address, data: &[u8], now: Timestamp) -> Result<Observation, PlimsollError> {
    if address.as_array() != feed.id {
        return Err(PlimsollError::OracleWrongFeed);
    }
    // Not in place: off-chain the bytes stand anywhere in memory.
    let (discriminator, body) = data.split_at_checked(DISCRIMINATOR_LEN).ok_or(PlimsollError::OracleWrongAccount)?;
    if discriminator != House::DISCRIMINATOR {
        return Err(PlimsollError::OracleWrongAccount);
    }
    let house: House = bytemuck::try_pod_read_unaligned(body).map_err(|_| PlimsollError::OracleWrongAccount)?;
    if house.nav_at == 0 {
        return Err(PlimsollError::OracleNeverObserved);
    }
    let publish_time = Timestamp::from_raw(house.nav_at);
    check_publish_time(publish_time, now)?;
    let nav = u64::try_from(house.nav).map_err(|_| PlimsollError::OraclePriceNotPositive)?;
    let spot = house::share_price(house.share_supply, nav)?;
    Ok(Observation { spot, ema: spot, confidence: Price::ZERO, publish_time })
}
