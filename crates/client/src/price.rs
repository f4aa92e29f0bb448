//! Price accounts: where they are, and what is in them.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Market, oracle_kind},
    oracle,
};
use plimsoll_risk::{price::Observation, pyth, units::Timestamp};

/// A price account as fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceAccount {
    /// Its address.
    pub address: Address,
    /// The program that owns it.
    pub owner: Address,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl PriceAccount {
    /// The observation in it, as the chain reads it at time `now` (unix seconds).
    ///
    /// # Errors
    /// What is wrong with it, one of `Oracle…`.
    pub fn observation(&self, market: &Market, now: i64) -> Result<Observation, PlimsollError> {
        oracle::read(market, &self.address, &self.owner, &self.data, Timestamp::from_raw(now))
    }
}

/// Where a market's price account stands if it is a sponsored one: for a legacy feed its own address, for house shares the
/// house, for
/// `PriceUpdateV2` the push oracle's account of shard 0. `None` where the owner is no program that is known here.
///
/// Any other account of the same feed and owner is as good.
pub fn usual_address(market: &Market) -> Option<Address> {
    usual_address_of(market.oracle_kind, &market.oracle_owner, &market.feed_id)
}

/// As [`usual_address`], for a market that does not exist yet.
pub fn usual_address_of(kind: u8, owner: &Address, feed_id: &[u8; 32]) -> Option<Address> {
    if kind == oracle_kind::LEGACY || kind == oracle_kind::HOUSE {
        return Some(Address::new_from_array(*feed_id));
    }
    let push_oracle = match *owner.as_array() {
        pyth::RECEIVER_PROGRAM_ID => pyth::PUSH_ORACLE_PROGRAM_ID,
        pyth::RECEIVER_PROGRAM_ID_2 => pyth::PUSH_ORACLE_PROGRAM_ID_2,
        _ => return None,
    };
    let shard = 0u16.to_le_bytes();
    Some(Address::find_program_address(&[&shard, feed_id], &Address::new_from_array(push_oracle)).0)
}

/// What a `PriceUpdateV2` account says, fully verified. For tests and local chains, which publish their own prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceUpdate {
    /// Pyth feed id.
    pub feed_id: [u8; 32],
    /// Price, in units of `10^exponent` USD.
    pub price: i64,
    /// Half width of the confidence interval, same unit.
    pub confidence: u64,
    /// Moving average of the price, same unit.
    pub ema_price: i64,
    /// Power of ten of the three.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
}

impl PriceUpdate {
    /// The account's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(pyth::PRICE_UPDATE_V2_LEN);
        data.extend_from_slice(&pyth::PRICE_UPDATE_V2_DISCRIMINATOR);
        data.extend_from_slice(&[0; 32]); // write authority
        data.push(1); // fully verified
        data.extend_from_slice(&self.feed_id);
        data.extend_from_slice(&self.price.to_le_bytes());
        data.extend_from_slice(&self.confidence.to_le_bytes());
        data.extend_from_slice(&self.exponent.to_le_bytes());
        data.extend_from_slice(&self.publish_time.to_le_bytes());
        data.extend_from_slice(&self.publish_time.saturating_sub(1).to_le_bytes());
        data.extend_from_slice(&self.ema_price.to_le_bytes());
        data.extend_from_slice(&self.confidence.to_le_bytes()); // of the average
        data.extend_from_slice(&[0; 8]); // posted slot, which says nothing about age
        data.push(0); // slack
        data
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn what_is_encoded_is_what_the_chain_reads() {
        let owner = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
        let market = Market { base_decimals: 9, feed_id: [7; 32], oracle_owner: owner, ..Market::zeroed() };
        let update = PriceUpdate {
            feed_id: [7; 32],
            price: 15_000_000_000,
            confidence: 10_000_000,
            ema_price: 14_900_000_000,
            exponent: -8,
            publish_time: 1_700_000_000,
        };
        let account = PriceAccount { address: Address::new_unique(), owner, data: update.encode() };
        let read = account.observation(&market, 1_700_000_001).unwrap();
        // 150 USD with 9 decimals is 0.15 quote native per base unit.
        assert_eq!(read.spot.raw(), (15u128 * (1 << 48) / 100) as u64);
        assert_eq!(read.publish_time.raw(), 1_700_000_000);
        let foreign = PriceAccount { owner: Address::new_unique(), ..account.clone() };
        assert_eq!(foreign.observation(&market, 1_700_000_001), Err(PlimsollError::OracleWrongOwner));
        let other = Market { feed_id: [8; 32], ..market };
        assert_eq!(account.observation(&other, 1_700_000_001), Err(PlimsollError::OracleWrongFeed));
    }

    /// The address of SOL/USD on mainnet.
    #[test]
    fn the_usual_address_is_the_push_oracles() {
        let feed_id = [
            0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39, 0x2a, 0x0d,
            0x2f, 0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
        ];
        let owner = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
        let market = Market { oracle_owner: owner, feed_id, ..Market::zeroed() };
        let expected = Address::from_str_const("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
        assert_eq!(usual_address(&market), Some(expected));
        let legacy = Market { oracle_kind: oracle_kind::LEGACY, ..market };
        assert_eq!(usual_address(&legacy), Some(Address::new_from_array(feed_id)));
        assert_eq!(usual_address(&Market { oracle_owner: Address::new_unique(), ..market }), None);
    }
}
