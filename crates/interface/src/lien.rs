//! What a program is asked that keeps tokens of its users under liens: the interface of an adapter.
//!
//! A user who wants to margin at Plimsoll against tokens that another program holds has that program write a
//! [`LienRecord`]: so many of its user's tokens are locked for a margin account, and nobody but the record's beneficiary
//! lets go of them. The beneficiary is an address of Plimsoll's that exists for this exchange, bank and program alone, so
//! its signature is worth nothing anywhere else. The program promises two things:
//!
//! * the record's amount falls only in an instruction that the beneficiary has signed, which is one of the two below, and
//!   as many tokens stay behind it;
//! * both instructions succeed whenever the beneficiary signs, whatever the user wants and in whatever state the program
//!   is, and do nothing beyond what is said here.
//!
//! | data | what | accounts |
//! |---|---|---|
//! | [`RELEASE`], amount u64 | unlocks `amount` for the user; the record's amount falls by it | beneficiary (s), record (w), then what the program wants |
//! | [`SEIZE`], amount u64 | moves `amount` of tokens to the destination; the record's amount falls by it | beneficiary (s), record (w), destination token account (w), token program, then what the program wants |
//!
//! How tokens are locked, and by whom, is the program's affair. The record starts at the first byte of its account and more
//! may stand behind it. Both discriminators and the record's first bytes are what Anchor gives a program with an account
//! `LienRecord` and instructions `plimsoll_release` and `plimsoll_seize`.
//!
//! A program that breaks its promise costs whoever relied on it at most the adapter's cap: see docs/liens.md.

use solana_address::Address;

use crate::PlimsollError;

/// First eight bytes of a record: of the SHA-256 of `account:LienRecord`.
pub const RECORD: [u8; 8] = [127, 205, 255, 44, 95, 77, 158, 224];
/// First eight bytes of the data that unlocks: of the SHA-256 of `global:plimsoll_release`.
pub const RELEASE: [u8; 8] = [126, 198, 12, 44, 159, 54, 248, 251];
/// First eight bytes of the data that calls in: of the SHA-256 of `global:plimsoll_seize`.
pub const SEIZE: [u8; 8] = [77, 88, 3, 240, 172, 181, 97, 237];
/// The version of this interface.
pub const VERSION: u64 = 1;
/// Bytes of the data of either instruction.
pub const DATA_LEN: usize = 16;
/// Accounts that a program may want besides those of the interface.
pub const MAX_ADAPTER_ACCOUNTS: usize = 16;

/// What an adapter's program says about tokens that it has locked, behind the eight bytes of [`RECORD`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct LienRecord {
    /// [`VERSION`].
    pub version: u64,
    /// Who alone may release or seize: the adapter's authority at Plimsoll.
    pub beneficiary: Address,
    /// The margin account that the tokens stand for.
    pub account: Address,
    /// Their mint.
    pub mint: Address,
    /// How many are locked, native.
    pub amount: u64,
}

/// Bytes of a record, [`RECORD`] included.
pub const RECORD_LEN: usize = 8 + size_of::<LienRecord>();
const _: () = assert!(RECORD_LEN == 120);

impl LienRecord {
    /// The record in an account of `owner` with these bytes, which must be `program`'s.
    ///
    /// # Errors
    /// [`PlimsollError::LienRecordInvalid`].
    pub fn read(program: &Address, owner: &Address, data: &[u8]) -> Result<Self, PlimsollError> {
        let record = data.get(..RECORD_LEN).and_then(|data| data.split_first_chunk::<8>());
        let (discriminator, body) = record.ok_or(PlimsollError::LienRecordInvalid)?;
        let record: Self = bytemuck::try_pod_read_unaligned(body).map_err(|_| PlimsollError::LienRecordInvalid)?;
        let is_one = owner == program && *discriminator == RECORD && record.version == VERSION;
        if is_one { Ok(record) } else { Err(PlimsollError::LienRecordInvalid) }
    }
}

/// The data of either instruction: [`RELEASE`] or [`SEIZE`], and how much.
pub fn data(instruction: [u8; 8], amount: u64) -> [u8; DATA_LEN] {
    let mut data = [0; DATA_LEN];
    let (discriminator, rest) = data.split_at_mut(8);
    discriminator.copy_from_slice(&instruction);
    rest.copy_from_slice(&amount.to_le_bytes());
    data
}
