//! Bytes of accounts that other programs own, built from their documented layouts.

use std::mem::{offset_of, size_of};

use plimsoll_client::{
    decode,
    instruction::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use plimsoll_interface::{
    Address,
    accounts::{DISCRIMINATOR_LEN, MarginAccount, TriggerSlot},
    token::{TransferFee, extension},
};
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

/// An extension of a mint or a token account: its type and its value.
pub type Extension = (u16, Vec<u8>);

/// What a token account of a mint with transfer fees withholds for the issuer: nothing yet.
pub const WITHHELD: (u16, [u8; 8]) = (2, [0; 8]);

/// A mint's transfer fee, which somebody may change: authority 0, authority over what was withheld 32, withheld 64, then
/// twice epoch, maximum and basis points, 72 and 90.
pub fn transfer_fee(fee: TransferFee) -> Extension {
    transfer_fees(Some(ISSUER), fee, fee, 0)
}

/// The same with a fee that another replaces from an epoch on.
pub fn transfer_fees(authority: Option<Address>, older: TransferFee, newer: TransferFee, from_epoch: u64) -> Extension {
    let mut value = authority.unwrap_or_default().to_bytes().to_vec();
    value.extend(ISSUER.to_bytes());
    value.extend(0u64.to_le_bytes());
    for (epoch, fee) in [(0, older), (from_epoch, newer)] {
        value.extend(epoch.to_le_bytes());
        value.extend(fee.maximum.to_le_bytes());
        value.extend(fee.bps.to_le_bytes());
    }
    (extension::TRANSFER_FEE_CONFIG, value)
}

/// Who may do what extensions allow.
pub const ISSUER: Address = Address::new_from_array([b'i'; 32]);

/// Puts extensions behind the 165 bytes that mints and token accounts have in common: what it is, then type, length and
/// value of each.
fn extended<V: AsRef<[u8]>>(mut data: Vec<u8>, kind: u8, extensions: &[(u16, V)]) -> Vec<u8> {
    data.resize(165, 0);
    data.push(kind);
    for (kind, value) in extensions {
        let value = value.as_ref();
        data.extend(kind.to_le_bytes());
        data.extend(u16::try_from(value.len()).expect("a short value").to_le_bytes());
        data.extend(value);
    }
    data
}

/// An initialised mint of the Token-2022 program; without extensions it has 82 bytes as another.
pub fn mint_2022(decimals: u8, extensions: &[Extension]) -> Account {
    let plain = mint(decimals).data;
    let data = if extensions.is_empty() { plain } else { extended(plain, 1, extensions) };
    account(TOKEN_2022_PROGRAM, data)
}

/// An initialised token account of the Token-2022 program.
pub fn token_account_2022<V: AsRef<[u8]>>(
    mint: &Address,
    owner: &Address,
    amount: u64,
    extensions: &[(u16, V)],
) -> Account {
    let plain = token_account(mint, owner, amount).data;
    account(TOKEN_2022_PROGRAM, if extensions.is_empty() { plain } else { extended(plain, 2, extensions) })
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

/// The bytes of an account as layout version 1 had it, for one that has no more orders than that could hold.
pub fn as_version_1(account: &MarginAccount) -> Vec<u8> {
    let mut old = decode::encode(&MarginAccount { version: 1, ..*account });
    let triggers = DISCRIMINATOR_LEN + offset_of!(MarginAccount, triggers);
    let more = triggers + 4 * size_of::<TriggerSlot>()..triggers + 8 * size_of::<TriggerSlot>();
    assert!(old[more.clone()].iter().all(|byte| *byte == 0), "the account has orders that version 1 had no room for");
    old.drain(more);
    // The room for later was larger.
    old.resize(3968, 0);
    old
}
