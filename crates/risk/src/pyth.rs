//! Pyth price accounts from bytes, and their normalisation to the engine's scale.
//!
//! Two formats: `PriceUpdateV2` of the receiver programs, and the legacy price account. Both are read by hand: the
//! readers cost a few dozen instructions and link nothing. Every check has its own error.
//!
//! The caller checks the account's owner with [`check_owner`], reads with one of the readers, compares the publish time
//! with the clock ([`crate::price::check_publish_time`]) and normalises ([`normalise`]).
use crate::Error;
use crate::math::{self, mul_div_ceil, mul_div_floor};
use crate::price::Observation;
use crate::units::{Price, Timestamp};

/// First receiver program, owner of `PriceUpdateV2` accounts: rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ.
pub const RECEIVER_PROGRAM_ID: [u8; 32] = [
    0x0c, 0xb7, 0xfa, 0xbb, 0x52, 0xf7, 0xa6, 0x48, 0xbb, 0x5b, 0x31, 0x7d, 0x9a, 0x01, 0x8b, 0x90, 0x57, 0xcb, 0x02,
    0x47, 0x74, 0xfa, 0xfe, 0x01, 0xe6, 0xc4, 0xdf, 0x98, 0xcc, 0x38, 0x58, 0x81,
];
/// Second receiver program: rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp.
pub const RECEIVER_PROGRAM_ID_2: [u8; 32] = [
    0x0c, 0xb7, 0xfa, 0x7a, 0x5d, 0xa6, 0x28, 0xfb, 0xac, 0xa9, 0x9a, 0xea, 0x99, 0xf7, 0xbf, 0x3b, 0xdc, 0x36, 0x89,
    0x68, 0x60, 0x2a, 0xbf, 0x41, 0x4d, 0x4e, 0x8b, 0xa5, 0x67, 0xbb, 0xb0, 0xbf,
];
/// First push oracle program, which derives the addresses of sponsored feeds: pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT.
pub const PUSH_ORACLE_PROGRAM_ID: [u8; 32] = [
    0x0c, 0x4a, 0xa0, 0x12, 0x8e, 0x95, 0xd3, 0xe1, 0x62, 0x2a, 0xa5, 0x01, 0xc5, 0x85, 0xa9, 0xeb, 0x07, 0xb3, 0x73,
    0x54, 0xc1, 0x08, 0xea, 0x0b, 0x79, 0x1b, 0x45, 0x6d, 0xc7, 0xee, 0xa3, 0x36,
];
/// Second push oracle program: pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou.
pub const PUSH_ORACLE_PROGRAM_ID_2: [u8; 32] = [
    0x0c, 0x4a, 0x9c, 0xb1, 0x9f, 0x9e, 0xfc, 0x25, 0x39, 0xfe, 0x69, 0x02, 0x35, 0xd8, 0xe9, 0xb5, 0x02, 0xef, 0xce,
    0x4c, 0xcb, 0xe1, 0xf2, 0x26, 0x73, 0x4b, 0xff, 0x7a, 0x13, 0x8c, 0xd2, 0x6c,
];
/// Legacy oracle program on mainnet: FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH.
pub const LEGACY_PROGRAM_ID: [u8; 32] = [
    0xdc, 0xe5, 0xeb, 0xe1, 0xe4, 0x9c, 0x3b, 0x9f, 0x11, 0x4c, 0xb5, 0x54, 0x4c, 0x50, 0xa9, 0x9e, 0xc0, 0xd6, 0x92,
    0xd6, 0x3f, 0x56, 0x79, 0x5a, 0xe0, 0x29, 0xac, 0x83, 0xd9, 0xea, 0x8b, 0xe2,
];

/// Length of a `PriceUpdateV2` account.
pub const PRICE_UPDATE_V2_LEN: usize = 134;
/// First eight bytes of a `PriceUpdateV2` account.
pub const PRICE_UPDATE_V2_DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
/// Smallest length of a legacy price account.
pub const LEGACY_LEN: usize = 3312;
/// First four bytes of a legacy account, little endian.
pub const LEGACY_MAGIC: u32 = 0xa1b2_c3d4;

/// Tag of the verification level `Full`.
const VERIFICATION_FULL: u8 = 1;
/// The one legacy version there is a layout for.
const LEGACY_VERSION: u32 = 2;
/// Legacy account type of a price.
const LEGACY_TYPE_PRICE: u32 = 3;
/// Legacy status of a trading price.
const LEGACY_STATUS_TRADING: u32 = 1;

/// Smallest exponent that [`normalise`] accepts.
pub const MIN_EXPONENT: i32 = -18;
/// Largest exponent that [`normalise`] accepts.
pub const MAX_EXPONENT: i32 = 0;
/// Most decimals of a base unit that [`normalise`] accepts.
pub const MAX_BASE_DECIMALS: u8 = 18;
/// Decimals of the quote mint.
pub const QUOTE_DECIMALS: u8 = 6;

/// What a Pyth account says, in Pyth's own scale: `price * 10^exponent` USD per whole unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PythPrice {
    /// Feed identifier; zero for a legacy account, whose address is its identity.
    pub feed_id: [u8; 32],
    /// Aggregate price.
    pub price: i64,
    /// Half width of the confidence interval.
    pub confidence: u64,
    /// Power of ten of all four numbers.
    pub exponent: i32,
    /// Moving average of the price.
    pub ema_price: i64,
    /// Moving average of the confidence.
    pub ema_confidence: u64,
    /// When it was published, Unix seconds.
    pub publish_time: i64,
}

/// `N` bytes at a fixed place.
#[inline(always)]
fn bytes<const N: usize>(data: &[u8], at: usize) -> Result<[u8; N], Error> {
    data.get(at..).and_then(|tail| tail.first_chunk::<N>()).copied().ok_or(Error::PriceLengthInvalid)
}

/// A little-endian `u32` at a fixed place.
#[inline(always)]
fn u32_at(data: &[u8], at: usize) -> Result<u32, Error> {
    bytes(data, at).map(u32::from_le_bytes)
}

/// A little-endian `i32` at a fixed place.
#[inline(always)]
fn i32_at(data: &[u8], at: usize) -> Result<i32, Error> {
    bytes(data, at).map(i32::from_le_bytes)
}

/// A little-endian `u64` at a fixed place.
#[inline(always)]
fn u64_at(data: &[u8], at: usize) -> Result<u64, Error> {
    bytes(data, at).map(u64::from_le_bytes)
}

/// A little-endian `i64` at a fixed place.
#[inline(always)]
fn i64_at(data: &[u8], at: usize) -> Result<i64, Error> {
    bytes(data, at).map(i64::from_le_bytes)
}

/// Refuses an account that is not owned by the program that the market expects.
///
/// # Errors
///
/// [`Error::PriceOwnerMismatch`].
#[inline(always)]
pub fn check_owner(owner: &[u8; 32], expected_owner: &[u8; 32]) -> Result<(), Error> {
    if owner == expected_owner { Ok(()) } else { Err(Error::PriceOwnerMismatch) }
}

/// Reads a `PriceUpdateV2` account: the receiver's, or a sponsored feed of a push oracle (same layout, same owner).
///
/// Layout: discriminator 0, write authority 8, verification tag 40 (1 = full; 0 = partial, which shifts the rest by
/// one), feed id 41, price 73, confidence 81, exponent 89, publish time 93, previous publish time 101, moving average
/// 109, its confidence 117, posted slot 125 (not a measure of freshness), one slack byte 133.
///
/// # Errors
///
/// In this order: [`Error::PriceLengthInvalid`], [`Error::PriceDiscriminatorMismatch`],
/// [`Error::PriceNotFullyVerified`], [`Error::PriceFeedMismatch`].
#[inline]
pub fn read_price_update_v2(data: &[u8], expected_feed_id: &[u8; 32]) -> Result<PythPrice, Error> {
    if data.len() != PRICE_UPDATE_V2_LEN {
        return Err(Error::PriceLengthInvalid);
    }
    let mut words = [0_u64; PRICE_UPDATE_V2_WORDS];
    for (word, bytes) in words.iter_mut().zip(data.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    read_price_update_v2_words(&words, expected_feed_id)
}

/// Whole words of a `PriceUpdateV2` account that hold all that is read.
pub const PRICE_UPDATE_V2_WORDS: usize = 16;

/// [`read_price_update_v2`] of an account of the right length whose data lie on a word boundary, given as little-endian
/// words: the fields do not, and byte by byte a field would take 22 instructions instead of 5.
///
/// # Errors
///
/// As [`read_price_update_v2`], except for the length.
#[inline(always)]
pub fn read_price_update_v2_words(
    words: &[u64; PRICE_UPDATE_V2_WORDS],
    expected_feed_id: &[u8; 32],
) -> Result<PythPrice, Error> {
    let [discriminator, _, _, _, _, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = words.map(u64::from_le);
    if discriminator != u64::from_le_bytes(PRICE_UPDATE_V2_DISCRIMINATOR) {
        return Err(Error::PriceDiscriminatorMismatch);
    }
    if w5 & 0xFF != u64::from(VERIFICATION_FULL) {
        return Err(Error::PriceNotFullyVerified);
    }
    let feed_id = [straddling(w5, w6, 1), straddling(w6, w7, 1), straddling(w7, w8, 1), straddling(w8, w9, 1)];
    let (expected, _) = expected_feed_id.as_chunks::<8>();
    if feed_id.iter().zip(expected).any(|(word, expected)| *word != u64::from_le_bytes(*expected)) {
        return Err(Error::PriceFeedMismatch);
    }
    Ok(PythPrice {
        feed_id: *expected_feed_id,
        price: straddling(w9, w10, 1).cast_signed(),
        confidence: straddling(w10, w11, 1),
        exponent: low_half(w11 >> 8).cast_signed(),
        ema_price: straddling(w13, w14, 5).cast_signed(),
        ema_confidence: straddling(w14, w15, 5),
        publish_time: straddling(w11, w12, 5).cast_signed(),
    })
}

/// The word that begins at byte `at` of one word, between 1 and 7, and ends in the next.
#[inline(always)]
const fn straddling(word: u64, next: u64, at: u32) -> u64 {
    let bits = at.wrapping_mul(8);
    (word >> bits) | (next << 64_u32.wrapping_sub(bits))
}

/// The low half of a word.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
const fn low_half(word: u64) -> u32 {
    word as u32
}

/// Reads a legacy price account. Its address is its identity: the caller compares the key with the market's.
///
/// Layout: magic 0, version 4, type 8, exponent 20, moving average 48, its confidence 72, timestamp 96, aggregate price
/// 208, confidence 216, status 224. A price that is not trading is refused: the account would otherwise carry an older
/// price that nobody stands for.
///
/// # Errors
///
/// In this order: [`Error::PriceLengthInvalid`], [`Error::PriceMagicMismatch`], [`Error::PriceVersionUnsupported`],
/// [`Error::PriceTypeMismatch`], [`Error::PriceNotTrading`].
#[inline]
pub fn read_legacy(data: &[u8]) -> Result<PythPrice, Error> {
    if data.len() < LEGACY_LEN {
        return Err(Error::PriceLengthInvalid);
    }
    if u32_at(data, 0)? != LEGACY_MAGIC {
        return Err(Error::PriceMagicMismatch);
    }
    if u32_at(data, 4)? != LEGACY_VERSION {
        return Err(Error::PriceVersionUnsupported);
    }
    if u32_at(data, 8)? != LEGACY_TYPE_PRICE {
        return Err(Error::PriceTypeMismatch);
    }
    if u32_at(data, 224)? != LEGACY_STATUS_TRADING {
        return Err(Error::PriceNotTrading);
    }
    Ok(PythPrice {
        feed_id: [0; 32],
        price: i64_at(data, 208)?,
        confidence: u64_at(data, 216)?,
        exponent: i32_at(data, 20)?,
        ema_price: i64_at(data, 48)?,
        ema_confidence: u64_at(data, 72)?,
        publish_time: i64_at(data, 96)?,
    })
}

/// Converts a Pyth price to quote native per base native unit, Q16.48.
///
/// A whole unit is `10^base_decimals` base native units and a USD is 10^6 quote native units, so with
/// `k = base_decimals - 6 - exponent`:
///
/// ```text
/// raw = price * 10^exponent * 10^6 / 10^base_decimals * 2^48 = price * 2^48 / 10^k = price * 2^(48 - k) / 5^k
/// ```
///
/// Spot and moving average are the exact floor, confidence the exact ceiling. For `0 <= k <= 12`, which is every liquid
/// feed, a conversion is two plain divisions.
///
/// # Errors
///
/// In this order: [`Error::PriceNotPositive`], [`Error::EmaNotPositive`], [`Error::ExponentOutOfRange`] (outside -18
/// ..= 0), [`Error::DecimalsOutOfRange`] (above 18), [`Error::PriceOutOfRange`] (spot below [`Price::MIN_SPOT`] or above
/// [`Price::MAX`]), [`Error::EmaOutOfRange`] (likewise), [`Error::ConfidenceOutOfRange`] (above [`Price::MAX`]).
#[inline]
pub fn normalise(price: &PythPrice, base_decimals: u8) -> Result<Observation, Error> {
    if price.price <= 0 {
        return Err(Error::PriceNotPositive);
    }
    if price.ema_price <= 0 {
        return Err(Error::EmaNotPositive);
    }
    if price.exponent < MIN_EXPONENT || price.exponent > MAX_EXPONENT {
        return Err(Error::ExponentOutOfRange);
    }
    if base_decimals > MAX_BASE_DECIMALS {
        return Err(Error::DecimalsOutOfRange);
    }
    // Between -6 and 30: the two checks above bound it.
    let power = i32::from(base_decimals).wrapping_sub(i32::from(QUOTE_DECIMALS)).wrapping_sub(price.exponent);
    let scale = Scale::new(power);
    let in_domain = |raw: &u64| *raw >= Price::MIN_SPOT.raw();
    let spot = scale.down(price.price.unsigned_abs()).filter(in_domain).ok_or(Error::PriceOutOfRange)?;
    let ema = scale.down(price.ema_price.unsigned_abs()).filter(in_domain).ok_or(Error::EmaOutOfRange)?;
    let confidence = scale.up(price.confidence).ok_or(Error::ConfidenceOutOfRange)?;
    Ok(Observation {
        spot: Price::from_raw(spot),
        ema: Price::from_raw(ema),
        confidence: Price::from_raw(confidence),
        publish_time: Timestamp::from_raw(price.publish_time),
    })
}

/// `5^0 ..= 5^12`: the powers with `5^k 2^(48 - k) < 2^64`.
const POWERS_OF_FIVE: [u64; 13] =
    [1, 5, 25, 125, 625, 3_125, 15_625, 78_125, 390_625, 1_953_125, 9_765_625, 48_828_125, 244_140_625];

/// The factor `2^48 / 10^power` of a conversion.
#[derive(Clone, Copy)]
struct Scale {
    /// `5^power`, or zero where the general way has to be taken.
    five: u64,
    /// `48 - power`, between 36 and 48.
    shift: u32,
    /// The power of ten.
    power: i32,
}

impl Scale {
    /// The factor for one power of ten.
    #[inline(always)]
    fn new(power: i32) -> Self {
        let five = usize::try_from(power).ok().and_then(|index| POWERS_OF_FIVE.get(index)).copied().unwrap_or(0);
        Self { five, shift: 48_u32.wrapping_sub(power.unsigned_abs()), power }
    }

    /// `floor(value 2^48 / 10^power)`, or `None` when it does not fit.
    #[inline(always)]
    fn down(self, value: u64) -> Option<u64> {
        if self.five == 0 {
            return scale(value, self.power, false);
        }
        self.split(value).map(|(quotient, _)| quotient)
    }

    /// `ceil(value 2^48 / 10^power)`, or `None` when it does not fit.
    #[inline(always)]
    fn up(self, value: u64) -> Option<u64> {
        if self.five == 0 {
            return scale(value, self.power, true);
        }
        let (quotient, exact) = self.split(value)?;
        if exact { Some(quotient) } else { quotient.checked_add(1) }
    }

    /// `floor(value 2^shift / five)` and whether it is exact: `value = q five + r` gives `q 2^shift`, and `r 2^shift / five`
    /// below `2^shift`, whose numerator is below `five 2^shift < 2^64`. 14 CU.
    #[inline(always)]
    fn split(self, value: u64) -> Option<(u64, bool)> {
        let whole = value.checked_div(self.five)?;
        if whole >> 64_u32.wrapping_sub(self.shift) != 0 {
            return None;
        }
        let rest = value.wrapping_sub(whole.wrapping_mul(self.five)) << self.shift;
        let part = rest.checked_div(self.five)?;
        Some(((whole << self.shift) | part, part.wrapping_mul(self.five) == rest))
    }
}

/// `value 2^48 / 10^power`, rounded down or up, or `None` when it does not fit: for any power.
#[cold]
#[inline(never)]
fn scale(value: u64, power: i32, up: bool) -> Option<u64> {
    if power < 0 { scale_up(value, power.unsigned_abs()) } else { scale_far_down(value, power.unsigned_abs(), up) }
}

/// `value 2^48 10^power`: exact.
#[cold]
fn scale_up(value: u64, power: u32) -> Option<u64> {
    math::mul_shift_floor(value, math::pow10(power)?, 0).filter(|whole| *whole < 1 << 16).map(|whole| whole << 48)
}

/// [`scale`] for a `power` from 0 to 30.
#[cold]
fn scale_far_down(value: u64, power: u32, up: bool) -> Option<u64> {
    // 5^27 is the largest power of five in a word. Dividing further is a second exact step: the floor of a floor, and
    // the ceiling of a ceiling, is that of the whole.
    let (first, second) = if power > 27 { (27, power.wrapping_sub(27)) } else { (power, 0) };
    let five = 5_u64.checked_pow(first)?;
    let rest = 10_u64.checked_pow(second)?;
    // value 2^(48 - first) / 5^first, then / 10^second.
    let factor = 1_u64.checked_shl(48_u32.checked_sub(first)?)?;
    if up {
        mul_div_ceil(value, factor, five).map(|scaled| scaled.div_ceil(rest))
    } else {
        mul_div_floor(value, factor, five)?.checked_div(rest)
    }
}
