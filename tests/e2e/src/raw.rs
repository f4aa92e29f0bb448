//! Bytes of accounts that other programs own, built from their documented layouts.

use plimsoll_client::instruction::TOKEN_PROGRAM;
use plimsoll_interface::Address;
use plimsoll_risk::{pyth, staking};
use solana_account::Account;

/// Lamports that make any account here rent exempt.
pub const RENT: u64 = 100_000_000;
/// Where the amount stands in a token account.
const TOKEN_AMOUNT: usize = 64;

/// An account of any program.
pub fn account(owner: Address, data: Vec<u8>) -> Account {
    Account { lamports: RENT, data, owner, executable: false, rent_epoch: u64::MAX }
}

/// A wallet with lamports.
pub fn wallet() -> Account {
    Account { lamports: 1_000 * 1_000_000_000, ..account(Address::default(), Vec::new()) }
}

/// An initialised mint of the SPL Token program: authority 0, supply 36, decimals 44, initialised 45, freeze 46.
pub fn mint(decimals: u8) -> Account {
    let mut data = vec![0; 82];
    data[36..44].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    data[44] = decimals;
    data[45] = 1;
    account(TOKEN_PROGRAM, data)
}

/// An initialised token account of the SPL Token program: mint 0, owner 32, amount 64, state 108.
pub fn token_account(mint: &Address, owner: &Address, amount: u64) -> Account {
    let mut data = vec![0; 165];
    data[..32].copy_from_slice(mint.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[TOKEN_AMOUNT..TOKEN_AMOUNT + 8].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1;
    account(TOKEN_PROGRAM, data)
}

/// The amount in a token account.
pub fn token_amount(account: &Account) -> u64 {
    u64::from_le_bytes(account.data[TOKEN_AMOUNT..TOKEN_AMOUNT + 8].try_into().expect("eight bytes"))
}

/// The supply of a mint.
pub fn mint_supply(account: &Account) -> u64 {
    u64::from_le_bytes(account.data[36..44].try_into().expect("eight bytes"))
}

/// A Pyth price in Pyth's own terms.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// In units of `10^exponent` USD.
    pub price: i64,
    /// Half width of the confidence interval, same unit.
    pub confidence: u64,
    /// Moving average, same unit.
    pub ema: i64,
    /// Power of ten.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
    /// Slot in which it was posted, which says nothing about its age.
    pub posted_slot: u64,
}

/// The 134 bytes of a fully verified `PriceUpdateV2`: discriminator 0, write authority 8, verification 40, feed id 41,
/// price 73, confidence 81, exponent 89, publish time 93, the one before 101, average 109, its confidence 117, slot 125.
pub fn price_update_v2(feed_id: &[u8; 32], price: &Price) -> Vec<u8> {
    let mut data = vec![0; 134];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd]);
    put(8, &[7; 32]);
    put(40, &[1]);
    put(41, feed_id);
    put(73, &price.price.to_le_bytes());
    put(81, &price.confidence.to_le_bytes());
    put(89, &price.exponent.to_le_bytes());
    put(93, &price.publish_time.to_le_bytes());
    put(101, &(price.publish_time - 1).to_le_bytes());
    put(109, &price.ema.to_le_bytes());
    put(117, &price.confidence.to_le_bytes());
    put(125, &price.posted_slot.to_le_bytes());
    data
}

/// The 3,312 bytes of a trading price of the legacy program: magic 0, version 4, type 8, exponent 20, average 48, its
/// confidence 72, timestamp 96, price 208, confidence 216, status 224, slot 232.
pub fn legacy(price: &Price) -> Vec<u8> {
    let mut data = vec![0; 3312];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &0xa1b2_c3d4_u32.to_le_bytes());
    put(4, &2_u32.to_le_bytes());
    put(8, &3_u32.to_le_bytes());
    put(20, &price.exponent.to_le_bytes());
    put(48, &price.ema.to_le_bytes());
    put(72, &price.confidence.to_le_bytes());
    put(96, &price.publish_time.to_le_bytes());
    put(208, &price.price.to_le_bytes());
    put(216, &price.confidence.to_le_bytes());
    put(224, &1_u32.to_le_bytes());
    put(232, &price.posted_slot.to_le_bytes());
    data
}

/// Owner of `PriceUpdateV2` accounts.
pub const RECEIVER: Address = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
/// Another owner of `PriceUpdateV2` accounts.
pub const RECEIVER_2: Address = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID_2);
/// Owner of legacy price accounts.
pub const LEGACY: Address = Address::new_from_array(pyth::LEGACY_PROGRAM_ID);

/// The SPL stake pool program.
pub const STAKE_POOL: Address = Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID);

/// The 611 bytes of an SPL stake pool: account type 0 (1 is a pool), pool mint 162, total lamports 258, pool token supply
/// 266, last update epoch 274.
pub fn stake_pool(mint: &Address, total_lamports: u64, pool_token_supply: u64, last_update_epoch: u64) -> Account {
    let mut data = vec![0; 611];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[1]);
    put(1, &[9; 161]);
    put(162, mint.as_ref());
    put(194, &[8; 64]);
    put(258, &total_lamports.to_le_bytes());
    put(266, &pool_token_supply.to_le_bytes());
    put(274, &last_update_epoch.to_le_bytes());
    account(STAKE_POOL, data)
}
