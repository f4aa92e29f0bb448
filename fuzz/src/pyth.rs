//! Price accounts: both readers over any bytes, normalisation against wider integers, freshness and limits.
use crate::{Target, reached};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::price::{Freshness, Observation, Width, check_limits, check_publish_time, freshness};
use plimsoll_risk::pyth::{
    LEGACY_LEN, LEGACY_MAGIC, PRICE_UPDATE_V2_DISCRIMINATOR, PRICE_UPDATE_V2_LEN, PythPrice, normalise, read_legacy,
    read_price_update_v2,
};
use plimsoll_risk::units::{Ppm, Price, Seconds, Timestamp};

#[derive(Arbitrary, Debug)]
pub struct Input {
    account: Account,
    feed_id: [u8; 32],
    decimals: u8,
    now: i64,
    max_age: i64,
    dead_age: i64,
    limits: (u32, u32),
}

/// What is read.
#[derive(Arbitrary, Debug)]
enum Account {
    Bytes(Vec<u8>),
    Update(Fields, Vec<(u8, u8)>),
    Legacy(Fields, Vec<(u16, u8)>),
    /// Not read, normalised only.
    Price(Fields),
}

/// What an account says, with an exponent that is mostly one.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Fields {
    price: i64,
    confidence: u64,
    exponent: i8,
    ema_price: i64,
    ema_confidence: u64,
    publish_time: i64,
    /// Shifts the prices down.
    shift: u8,
}

impl Fields {
    fn price(&self, feed_id: [u8; 32]) -> PythPrice {
        let shift = self.shift & 63;
        PythPrice {
            feed_id,
            price: self.price >> shift,
            confidence: self.confidence >> shift,
            exponent: if self.shift & 0x80 == 0 { -i32::from(self.exponent & 15) } else { i32::from(self.exponent) },
            ema_price: self.ema_price >> shift,
            ema_confidence: self.ema_confidence,
            publish_time: self.publish_time,
        }
    }
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A price update as the receiver program writes it.
fn update(price: &PythPrice) -> Vec<u8> {
    let mut data = vec![0; PRICE_UPDATE_V2_LEN];
    put(&mut data, 0, &PRICE_UPDATE_V2_DISCRIMINATOR);
    put(&mut data, 40, &[1]);
    put(&mut data, 41, &price.feed_id);
    put(&mut data, 73, &price.price.to_le_bytes());
    put(&mut data, 81, &price.confidence.to_le_bytes());
    put(&mut data, 89, &price.exponent.to_le_bytes());
    put(&mut data, 93, &price.publish_time.to_le_bytes());
    put(&mut data, 109, &price.ema_price.to_le_bytes());
    put(&mut data, 117, &price.ema_confidence.to_le_bytes());
    data
}

/// A legacy price account.
fn legacy(price: &PythPrice) -> Vec<u8> {
    let mut data = vec![0; LEGACY_LEN];
    for (at, word) in [(0, LEGACY_MAGIC), (4, 2), (8, 3), (224, 1)] {
        put(&mut data, at, &word.to_le_bytes());
    }
    put(&mut data, 20, &price.exponent.to_le_bytes());
    put(&mut data, 48, &price.ema_price.to_le_bytes());
    put(&mut data, 72, &price.ema_confidence.to_le_bytes());
    put(&mut data, 96, &price.publish_time.to_le_bytes());
    put(&mut data, 208, &price.price.to_le_bytes());
    put(&mut data, 216, &price.confidence.to_le_bytes());
    data
}

/// What the update's reader must say of any bytes.
fn expected_update(data: &[u8], feed_id: &[u8; 32]) -> Option<Error> {
    if data.len() != PRICE_UPDATE_V2_LEN {
        Some(Error::PriceLengthInvalid)
    } else if data[..8] != PRICE_UPDATE_V2_DISCRIMINATOR {
        Some(Error::PriceDiscriminatorMismatch)
    } else if data[40] != 1 {
        Some(Error::PriceNotFullyVerified)
    } else if data[41..73] != feed_id[..] {
        Some(Error::PriceFeedMismatch)
    } else {
        None
    }
}

/// What the legacy reader must say of any bytes.
fn expected_legacy(data: &[u8]) -> Option<Error> {
    let word = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
    if data.len() < LEGACY_LEN {
        Some(Error::PriceLengthInvalid)
    } else if word(0) != LEGACY_MAGIC {
        Some(Error::PriceMagicMismatch)
    } else if word(4) != 2 {
        Some(Error::PriceVersionUnsupported)
    } else if word(8) != 3 {
        Some(Error::PriceTypeMismatch)
    } else if word(224) != 1 {
        Some(Error::PriceNotTrading)
    } else {
        None
    }
}

/// `value 2^48 / 10^power`, rounded down and up, when the latter fits a word.
fn scaled(value: u64, power: i32) -> Option<(u64, u64)> {
    let ten = 10_u128.pow(power.unsigned_abs());
    let (down, up) = if power < 0 {
        let whole = u128::from(value) * ten;
        if whole >> 16 != 0 {
            return None;
        }
        (whole << 48, whole << 48)
    } else {
        let numerator = u128::from(value) << 48;
        (numerator / ten, numerator.div_ceil(ten))
    };
    // Near the end of the word the floor may fit where the ceiling does not: told apart by the callers.
    u64::try_from(down).ok().map(|down| (down, u64::try_from(up).unwrap_or(0)))
}

/// What normalisation must say.
fn expected(price: &PythPrice, decimals: u8) -> Result<Observation, Error> {
    if price.price <= 0 {
        return Err(Error::PriceNotPositive);
    }
    if price.ema_price <= 0 {
        return Err(Error::EmaNotPositive);
    }
    if !(-18..=0).contains(&price.exponent) {
        return Err(Error::ExponentOutOfRange);
    }
    if decimals > 18 {
        return Err(Error::DecimalsOutOfRange);
    }
    let power = i32::from(decimals) - 6 - price.exponent;
    let domain = |found: Option<(u64, u64)>| found.map(|(down, _)| down).filter(|down| *down >= 1 << 20);
    let spot = domain(scaled(price.price.unsigned_abs(), power)).ok_or(Error::PriceOutOfRange)?;
    let ema = domain(scaled(price.ema_price.unsigned_abs(), power)).ok_or(Error::EmaOutOfRange)?;
    let confidence = match scaled(price.confidence, power) {
        Some((down, up)) if up >= down => up,
        _ => return Err(Error::ConfidenceOutOfRange),
    };
    Ok(Observation {
        spot: Price::from_raw(spot),
        ema: Price::from_raw(ema),
        confidence: Price::from_raw(confidence),
        publish_time: Timestamp::from_raw(price.publish_time),
    })
}

/// Whether a value is more than a part of the spot.
fn exceeds(value: u64, spot: u64, limit: u32) -> bool {
    u128::from(value) * 1_000_000 > u128::from(spot) * u128::from(limit)
}

impl Input {
    fn check_observation(&self, price: &PythPrice) {
        let observation = normalise(price, self.decimals);
        assert_eq!(observation, expected(price, self.decimals));
        let Ok(observation) = observation else { return };
        reached("a price was normalised");
        let (spot, ema, confidence) = (observation.spot.raw(), observation.ema.raw(), observation.confidence.raw());
        let wide = exceeds(confidence, spot, self.limits.0) || exceeds(spot.abs_diff(ema), spot, self.limits.1);
        let found = check_limits(&observation, Ppm::from_raw(self.limits.0), Ppm::from_raw(self.limits.1));
        assert_eq!(found == Width::Wide, wide);
        self.check_freshness(observation.publish_time);
    }

    fn check_freshness(&self, published: Timestamp) {
        let age = i128::from(self.now) - i128::from(published.raw());
        let age = age.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let (max, dead) = (i128::from(self.max_age), i128::from(self.dead_age));
        let expected = if age > dead && age > max {
            Freshness::Dead
        } else if age > max || age < -10 {
            Freshness::Stale
        } else {
            Freshness::Fresh
        };
        let now = Timestamp::from_raw(self.now);
        let found = freshness(published, now, Seconds::from_raw(self.max_age), Seconds::from_raw(self.dead_age));
        assert_eq!(found, expected);
        let future = check_publish_time(published, now);
        assert_eq!(future, if age < -10 { Err(Error::PublishTimeInFuture) } else { Ok(()) });
    }
}

impl Target for Input {
    fn check(self) {
        let (data, written) = match &self.account {
            Account::Bytes(data) => (data.clone(), None),
            Account::Update(fields, changes) => {
                let price = fields.price(self.feed_id);
                let mut data = update(&price);
                changes.iter().for_each(|(at, byte)| data[usize::from(*at) % PRICE_UPDATE_V2_LEN] ^= byte);
                (data, changes.is_empty().then_some(price))
            }
            Account::Legacy(fields, changes) => {
                let price = fields.price([0; 32]);
                let mut data = legacy(&price);
                changes.iter().for_each(|(at, byte)| data[usize::from(*at) % LEGACY_LEN] ^= byte);
                (data, changes.is_empty().then_some(price))
            }
            Account::Price(fields) => return self.check_observation(&fields.price(self.feed_id)),
        };
        let found = [read_price_update_v2(&data, &self.feed_id), read_legacy(&data)];
        assert_eq!(found[0].err(), expected_update(&data, &self.feed_id));
        assert_eq!(found[1].err(), expected_legacy(&data));
        for price in found.iter().flatten() {
            reached("an account was read");
            if let Some(written) = &written {
                assert_eq!(price, written);
            }
            self.check_observation(price);
        }
    }
}
