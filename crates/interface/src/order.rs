//! Orders that are signed off-chain, and how the chain sees that they were.
//!
//! A signed order is [`ORDER_LEN`] bytes, numbers little endian:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 16 | [`ORDER_PREFIX`]: `0xff`, `plimsoll order`, version 1. No transaction starts with `0xff`, so no wallet can be made to sign one by showing it an order, or the other way round |
//! | 16 | 32 | the Plimsoll program |
//! | 48 | 32 | the exchange |
//! | 80 | 32 | the margin account |
//! | 112 | 32 | the market; for spot the bank |
//! | 144 | 32 | the venue: whose signature a submission needs, zero for anybody's |
//! | 176 | 8 | size, i64: positive to buy, negative to sell; base units of a perpetual, lots of an option, native units of a bank's mint |
//! | 184 | 8 | limit price, Q16.48 quote native per base unit, u64, of an option its premium, of a staked token its own price; the fee not included |
//! | 192 | 8 | nonce, u64: one for each order, never used again |
//! | 200 | 8 | expiry, unix seconds, i64: good up to and including it |
//! | 208 | 1 | instrument: 0 perpetual, 1 call, 2 put, 3 spot |
//! | 209 | 1 | flags: 1 reduce-only, 2 only as maker |
//! | 210 | 2 | of an option the day of its expiry, u16, counted from 1970-01-01; else zero |
//! | 212 | 2 | of an option its strike's digits, u16; else zero |
//! | 214 | 1 | of an option its strike's exponent, i8; else zero |
//! | 215 | 1 | zero |
//!
//! No cluster is named: program and exchange are addresses, and an exchange's derives from its creator's key. Who deploys one
//! exchange under the same keys on two clusters lets orders of one be filled on the other.
//!
//! **Verification.** The chain cannot verify Ed25519 cheaply by itself; the runtime's native program does, as an instruction
//! of the same transaction, and fails the transaction where a signature is wrong. The program then reads that instruction
//! through the instructions sysvar. Its data name by offsets what was verified, and may point into other instructions: so
//! [`signed_order`] accepts exactly one form, one signature with key, signature and message in the instruction's own data at
//! fixed places, and reads what it uses from those very places.

use solana_address::Address;

use crate::{
    ID, PlimsollError,
    instruction::{Contract, StrikePrice, instrument},
};

/// Bytes of an order.
pub const ORDER_LEN: usize = 216;
/// First bytes of an order.
pub const ORDER_PREFIX: [u8; 16] = *b"\xffplimsoll order\x01";
/// The order may only make the position smaller.
pub const REDUCE_ONLY: u8 = 1;
/// The order is filled only where it rests.
pub const MAKER_ONLY: u8 = 2;

/// The runtime's program that verifies Ed25519 signatures: `Ed25519SigVerify111111111111111111111111111`.
pub const ED25519_PROGRAM: Address = Address::new_from_array([
    3, 125, 70, 214, 124, 147, 251, 190, 18, 249, 66, 143, 131, 141, 64, 255, 5, 112, 116, 73, 39, 244, 138, 100, 252,
    202, 112, 68, 128, 0, 0, 0,
]);
/// The transaction's instructions: `Sysvar1nstructions1111111111111111111111111`.
pub const INSTRUCTIONS_SYSVAR: Address = Address::new_from_array([
    6, 167, 213, 23, 24, 123, 209, 102, 53, 218, 212, 4, 85, 253, 194, 192, 193, 36, 198, 143, 33, 86, 117, 165, 219,
    186, 203, 95, 8, 0, 0, 0,
]);

/// Where key, signature and message stand in a verification's data, behind one block of offsets.
const KEY_AT: usize = 16;
const SIGNATURE_AT: usize = KEY_AT + 32;
const MESSAGE_AT: usize = SIGNATURE_AT + 64;
/// Bytes of a verification of one order.
pub const VERIFICATION_LEN: usize = MESSAGE_AT + ORDER_LEN;

/// How a verification's data begin: one signature, padding, and seven numbers that say where it, its key and its message
/// are, each in this instruction, which is what `0xffff` says.
const VERIFICATION_HEAD: [u8; KEY_AT] = [1, 0, 48, 0, 255, 255, 16, 0, 255, 255, 112, 0, 216, 0, 255, 255];
const _: () = assert!(KEY_AT == 16 && SIGNATURE_AT == 48 && MESSAGE_AT == 112 && ORDER_LEN == 216);

/// A signed order. The module's page says how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The exchange.
    pub exchange: Address,
    /// Whose order it is.
    pub account: Address,
    /// What is traded: the market, for spot the bank.
    pub market: Address,
    /// Whose signature a submission needs, zero for anybody's.
    pub venue: Address,
    /// Base units to buy, negative to sell; of an option lots, of a bank's mint native units.
    pub size: i64,
    /// Highest price to buy at, lowest to sell at, Q16.48 quote native per base unit: of an option its premium.
    pub limit_price: u64,
    /// One for each order.
    pub nonce: u64,
    /// Good up to and including this moment, unix seconds.
    pub expires_at: i64,
    /// One of [`crate::instruction::instrument`].
    pub instrument: u8,
    /// [`REDUCE_ONLY`], [`MAKER_ONLY`].
    pub flags: u8,
    /// Which option, [`Contract::NONE`] for what is none.
    pub contract: Contract,
}

impl Order {
    /// What is signed.
    pub fn to_bytes(&self) -> [u8; ORDER_LEN] {
        let mut bytes = [0; ORDER_LEN];
        let mut rest = bytes.as_mut_slice();
        let mut put = |part: &[u8]| {
            // The parts are as long as the whole, so no split fails.
            if let Some((head, tail)) = core::mem::take(&mut rest).split_at_mut_checked(part.len()) {
                head.copy_from_slice(part);
                rest = tail;
            }
        };
        put(&ORDER_PREFIX);
        for address in [&ID, &self.exchange, &self.account, &self.market, &self.venue] {
            put(address.as_array());
        }
        put(&self.size.to_le_bytes());
        put(&self.limit_price.to_le_bytes());
        put(&self.nonce.to_le_bytes());
        put(&self.expires_at.to_le_bytes());
        let Contract { expiry_day, strike } = self.contract;
        let ([day, later_day], [digits, more_digits]) = (expiry_day.to_le_bytes(), strike.digits.to_le_bytes());
        let exponent = strike.exponent.cast_unsigned();
        put(&[self.instrument, self.flags, day, later_day, digits, more_digits, exponent]);
        bytes
    }

    /// Reads what was signed.
    ///
    /// # Errors
    /// [`PlimsollError::OrderMalformed`] for another prefix, program or length, a flag without meaning, an option's terms
    /// where there is none, or padding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlimsollError> {
        Self::parse(bytes).ok_or(PlimsollError::OrderMalformed)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<16>()?;
        let (addresses, rest) = rest.split_first_chunk::<160>()?;
        let (numbers, rest) = rest.split_first_chunk::<32>()?;
        let [instrument, flags, day, later_day, digits, more_digits, exponent, 0] = *rest else { return None };
        let strike =
            StrikePrice { digits: u16::from_le_bytes([digits, more_digits]), exponent: exponent.cast_signed() };
        let contract = Contract { expiry_day: u16::from_le_bytes([day, later_day]), strike };
        if !instrument::is_option(instrument) && contract != Contract::NONE {
            return None;
        }
        let [program, exchange, account, market, venue] = *addresses.as_chunks::<32>().0 else { return None };
        let [size, limit_price, nonce, expires_at] = *numbers.as_chunks::<8>().0 else { return None };
        if *prefix != ORDER_PREFIX || program != *ID.as_array() || flags & !(REDUCE_ONLY | MAKER_ONLY) != 0 {
            return None;
        }
        Some(Self {
            exchange: Address::new_from_array(exchange),
            account: Address::new_from_array(account),
            market: Address::new_from_array(market),
            venue: Address::new_from_array(venue),
            size: i64::from_le_bytes(size),
            limit_price: u64::from_le_bytes(limit_price),
            nonce: u64::from_le_bytes(nonce),
            expires_at: i64::from_le_bytes(expires_at),
            instrument,
            flags,
            contract,
        })
    }
}

/// Data of the native program's instruction that verifies an order.
pub fn verification(signer: &Address, signature: &[u8; 64], order: &Order) -> [u8; VERIFICATION_LEN] {
    let mut data = [0; VERIFICATION_LEN];
    let (head, rest) = data.split_at_mut(KEY_AT);
    let (key, rest) = rest.split_at_mut(32);
    let (signed, message) = rest.split_at_mut(64);
    head.copy_from_slice(&VERIFICATION_HEAD);
    key.copy_from_slice(signer.as_array());
    signed.copy_from_slice(signature);
    message.copy_from_slice(&order.to_bytes());
    data
}

/// Who signed which order, by the transaction's instruction `index`, as the instructions sysvar has it in `sysvar`. That
/// the transaction runs at all says that the signature is right.
///
/// # Errors
/// [`PlimsollError::OrderSignatureMissing`] where that instruction is none of the native program;
/// [`PlimsollError::OrderSignatureMalformed`] where it is not of the one form accepted;
/// [`PlimsollError::OrderMalformed`].
pub fn signed_order(sysvar: &[u8], index: u8) -> Result<(Address, Order), PlimsollError> {
    let (program, data) = instruction(sysvar, index).ok_or(PlimsollError::OrderSignatureMissing)?;
    if program != *ED25519_PROGRAM.as_array() {
        return Err(PlimsollError::OrderSignatureMissing);
    }
    let (head, rest) = data.split_first_chunk::<KEY_AT>().ok_or(PlimsollError::OrderSignatureMalformed)?;
    if *head != VERIFICATION_HEAD || data.len() != VERIFICATION_LEN {
        return Err(PlimsollError::OrderSignatureMalformed);
    }
    let (key, rest) = rest.split_first_chunk::<32>().ok_or(PlimsollError::OrderSignatureMalformed)?;
    let (_, message) = rest.split_first_chunk::<64>().ok_or(PlimsollError::OrderSignatureMalformed)?;
    Ok((Address::new_from_array(*key), Order::from_bytes(message)?))
}

/// Program and data of one of the transaction's instructions: in the sysvar the count, the instructions' offsets, and at
/// each the accounts of 33 bytes, the program, the data; counts and offsets of two bytes.
fn instruction(sysvar: &[u8], index: u8) -> Option<([u8; 32], &[u8])> {
    let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    if usize::from(index) >= number(sysvar)? {
        return None;
    }
    let at = number(sysvar.get(usize::from(index).checked_mul(2)?.checked_add(2)?..)?)?;
    let start = sysvar.get(at..)?;
    let accounts = number(start)?.checked_mul(33)?;
    let (program, rest) = start.get(accounts.checked_add(2)?..)?.split_first_chunk::<32>()?;
    let length = number(rest)?;
    Some((*program, rest.get(2..)?.get(..length)?))
}
