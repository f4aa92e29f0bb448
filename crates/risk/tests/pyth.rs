//! Pyth accounts: real ones, damaged ones, and the legacy reader against Pyth's own.
mod common;

use common::{any_length, base58, fixture, json_account};
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::ToPrimitive;
use plimsoll_risk::Error;
use plimsoll_risk::price::{Freshness, Observation, Width, check_limits, check_publish_time, freshness};
use plimsoll_risk::pyth::{
    LEGACY_PROGRAM_ID, PUSH_ORACLE_PROGRAM_ID, PUSH_ORACLE_PROGRAM_ID_2, PythPrice, RECEIVER_PROGRAM_ID,
    RECEIVER_PROGRAM_ID_2, check_owner, normalise, read_legacy, read_price_update_v2,
};
use plimsoll_risk::units::{Ppm, Price, Seconds, Timestamp};
use proptest::prelude::*;
use pyth_sdk_solana::state::load_price_account;

const SOL_FEED: &str = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
const USDC_FEED: &str = "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a";

fn feed(hex: &str) -> [u8; 32] {
    core::array::from_fn(|byte| u8::from_str_radix(&hex[2 * byte..2 * byte + 2], 16).expect("hex"))
}

fn sol_update() -> Vec<u8> {
    fixture("pyth_push_sol_price.bin")
}

/// The real legacy account, whose status is not trading.
fn legacy() -> Vec<u8> {
    json_account("sol_pyth_oracle.json").0
}

/// The same account, trading.
fn legacy_trading() -> Vec<u8> {
    let mut data = legacy();
    data[224] = 1;
    data
}

#[test]
fn program_ids_are_the_published_ones() {
    for (id, text) in [
        (RECEIVER_PROGRAM_ID, "rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
        (RECEIVER_PROGRAM_ID_2, "rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
        (PUSH_ORACLE_PROGRAM_ID, "pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"),
        (PUSH_ORACLE_PROGRAM_ID_2, "pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou"),
        (LEGACY_PROGRAM_ID, "FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH"),
    ] {
        assert_eq!(id, base58(text), "{text}");
    }
}

#[test]
fn owner_must_match() {
    let (_, owner) = json_account("sol_pyth_price_feed.json");
    assert_eq!(check_owner(&owner, &RECEIVER_PROGRAM_ID), Ok(()));
    assert_eq!(check_owner(&owner, &RECEIVER_PROGRAM_ID_2), Err(Error::PriceOwnerMismatch));
}

#[test]
fn reads_real_updates() {
    let sol = PythPrice {
        feed_id: feed(SOL_FEED),
        price: 15_679_769_099,
        confidence: 16_197_271,
        exponent: -8,
        ema_price: 15_660_921_800,
        ema_confidence: 15_919_247,
        publish_time: 1_721_133_402,
    };
    assert_eq!(read_price_update_v2(&sol_update(), &feed(SOL_FEED)), Ok(sol));
    let usdc = PythPrice {
        feed_id: feed(USDC_FEED),
        price: 100_004_997,
        confidence: 67_956,
        exponent: -8,
        ema_price: 100_003_409,
        ema_confidence: 73_279,
        publish_time: 1_747_165_253,
    };
    assert_eq!(read_price_update_v2(&fixture("pyth_push_usdc_price.bin"), &feed(USDC_FEED)), Ok(usdc));
    let (data, _) = json_account("sol_pyth_price_feed.json");
    let read = read_price_update_v2(&data, &feed(SOL_FEED)).expect("a real account");
    assert_eq!((read.price, read.confidence, read.exponent), (21_568_137_069, 20_134_469, -8));
    assert_eq!((read.ema_price, read.ema_confidence, read.publish_time), (21_616_020_100, 18_045_331, 1_735_984_087));
}

#[test]
fn update_must_be_of_the_feed() {
    assert_eq!(read_price_update_v2(&sol_update(), &feed(USDC_FEED)), Err(Error::PriceFeedMismatch));
}

#[test]
fn update_must_be_fully_verified() {
    let mut data = sol_update();
    data[40] = 0;
    assert_eq!(read_price_update_v2(&data, &feed(SOL_FEED)), Err(Error::PriceNotFullyVerified));
    // A well-formed partial verification: tag 0, number of signatures, everything after it shifted by one.
    let mut partial = sol_update();
    partial.copy_within(41..133, 42);
    (partial[40], partial[41]) = (0, 13);
    assert_eq!(read_price_update_v2(&partial, &feed(SOL_FEED)), Err(Error::PriceNotFullyVerified));
}

#[test]
fn every_other_length_of_update_is_refused() {
    let mut data = sol_update();
    for length in 0..data.len() {
        assert_eq!(read_price_update_v2(&data[..length], &feed(SOL_FEED)), Err(Error::PriceLengthInvalid), "{length}");
    }
    data.push(0);
    assert_eq!(read_price_update_v2(&data, &feed(SOL_FEED)), Err(Error::PriceLengthInvalid));
    assert_eq!(read_price_update_v2(&legacy(), &feed(SOL_FEED)), Err(Error::PriceLengthInvalid));
}

/// What damage to byte `at` of an update must lead to: its error, or a change of exactly one number.
#[test]
fn every_damaged_byte_of_an_update() {
    let good = read_price_update_v2(&sol_update(), &feed(SOL_FEED)).expect("a real account");
    for at in 0..134 {
        for flip in [0x01, 0x80, 0xFF] {
            let mut data = sol_update();
            data[at] ^= flip;
            let read = read_price_update_v2(&data, &feed(SOL_FEED));
            let error = match at {
                0..8 => Some(Error::PriceDiscriminatorMismatch),
                40 => Some(Error::PriceNotFullyVerified),
                41..73 => Some(Error::PriceFeedMismatch),
                _ => None,
            };
            if let Some(error) = error {
                assert_eq!(read, Err(error), "byte {at}");
                continue;
            }
            let read = read.expect("no check covers this byte");
            let repaired = match at {
                73..81 => PythPrice { price: good.price, ..read },
                81..89 => PythPrice { confidence: good.confidence, ..read },
                89..93 => PythPrice { exponent: good.exponent, ..read },
                93..101 => PythPrice { publish_time: good.publish_time, ..read },
                109..117 => PythPrice { ema_price: good.ema_price, ..read },
                117..125 => PythPrice { ema_confidence: good.ema_confidence, ..read },
                // Write authority, previous publish time, posted slot, slack: not read.
                _ => read,
            };
            assert_eq!(repaired, good, "byte {at}");
            let covered = matches!(at, 73..101 | 109..125);
            assert_eq!(read != good, covered, "byte {at}");
        }
    }
}

#[test]
fn reads_the_real_legacy_account() {
    assert_eq!(read_legacy(&legacy()), Err(Error::PriceNotTrading), "its status is unknown");
    let expected = PythPrice {
        feed_id: [0; 32],
        price: 11_923_378_000,
        confidence: 16_676_631,
        exponent: -8,
        ema_price: 12_068_220_500,
        ema_confidence: 13_079_402,
        publish_time: 1_730_534_860,
    };
    assert_eq!(read_legacy(&legacy_trading()), Ok(expected));
    let mut longer = legacy_trading();
    longer.push(0);
    assert_eq!(read_legacy(&longer), Ok(expected));
}

#[test]
fn every_truncation_of_legacy_is_refused() {
    let data = legacy_trading();
    for length in 0..data.len() {
        assert_eq!(read_legacy(&data[..length]), Err(Error::PriceLengthInvalid), "{length}");
    }
}

#[test]
fn every_damaged_byte_of_legacy() {
    let good = read_legacy(&legacy_trading()).expect("trading");
    for at in 0..3312 {
        let mut data = legacy_trading();
        data[at] ^= 0x42;
        let read = read_legacy(&data);
        match at {
            0..4 => assert_eq!(read, Err(Error::PriceMagicMismatch)),
            4..8 => assert_eq!(read, Err(Error::PriceVersionUnsupported)),
            8..12 => assert_eq!(read, Err(Error::PriceTypeMismatch)),
            224..228 => assert_eq!(read, Err(Error::PriceNotTrading)),
            20..24 | 48..56 | 72..80 | 96..104 | 208..224 => {
                assert_ne!(read.expect("no check covers this byte"), good, "byte {at}");
            }
            _ => assert_eq!(read, Ok(good), "byte {at}"),
        }
    }
}

/// Pyth's own reader on the same bytes. It wants them aligned.
fn read_with_sdk(data: &[u8]) -> Option<PythPrice> {
    let mut aligned = vec![0_u64; data.len().div_ceil(8)];
    for (word, chunk) in aligned.iter_mut().zip(data.chunks(8)) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_ne_bytes(bytes);
    }
    let account = load_price_account::<32, ()>(&bytemuck::cast_slice(&aligned)[..data.len()]).ok()?;
    Some(PythPrice {
        feed_id: [0; 32],
        price: account.agg.price,
        confidence: account.agg.conf,
        exponent: account.expo,
        ema_price: account.ema_price.val,
        ema_confidence: account.ema_conf.val as u64,
        publish_time: account.timestamp,
    })
}

#[test]
fn legacy_reader_agrees_with_the_sdk() {
    assert_eq!(read_with_sdk(&legacy_trading()), read_legacy(&legacy_trading()).ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Damage anywhere: both readers refuse, or both read the same. The status is ours to check, so it stays.
    #[test]
    fn legacy_reader_agrees_with_the_sdk_on_damage(
        damage in proptest::collection::vec((prop_oneof![0..240_usize, 0..3312_usize], any::<u8>()), 0..8),
        cut in prop_oneof![3 => Just(3312_usize), 1 => 0..3312_usize],
    ) {
        let mut data = legacy_trading();
        for (at, byte) in damage {
            data[at] = byte;
        }
        data[224..228].copy_from_slice(&[1, 0, 0, 0]);
        let data = &data[..cut];
        prop_assert_eq!(read_with_sdk(data), read_legacy(data).ok());
    }

    /// Any bytes: an answer, never a panic.
    #[test]
    fn readers_are_total(data in proptest::collection::vec(any::<u8>(), 0..300), feed in any::<[u8; 32]>()) {
        prop_assert_eq!(read_legacy(&data), Err(Error::PriceLengthInvalid));
        prop_assert!(read_price_update_v2(&data, &feed).is_err());
    }
}

fn pyth_price(price: i64, confidence: u64, exponent: i32) -> PythPrice {
    PythPrice { price, confidence, exponent, ema_price: price, ..PythPrice::default() }
}

#[test]
fn normalises_real_prices() {
    let sol = read_price_update_v2(&sol_update(), &feed(SOL_FEED)).expect("a real account");
    let observation = normalise(&sol, 9).expect("in range");
    // 156.79769099 USD per 10^9 lamports is 0.15679769099 quote units per lamport.
    let expected = (15_679_769_099_u128 << 48) / 100_000_000_000;
    assert_eq!(u128::from(observation.spot.raw()), expected);
    assert_eq!(observation.publish_time, Timestamp::from_raw(1_721_133_402));
    let usdc = read_price_update_v2(&fixture("pyth_push_usdc_price.bin"), &feed(USDC_FEED)).expect("a real account");
    let observation = normalise(&usdc, 6).expect("in range");
    assert_eq!(u128::from(observation.spot.raw()), (100_004_997_u128 << 48) / 100_000_000, "about one");
}

/// `value 10^exponent 10^6 / 10^decimals 2^48`, exactly, down and up.
fn scaled(value: u64, exponent: i32, decimals: u8) -> (BigUint, BigUint) {
    let ten = BigUint::from(10_u8);
    let numerator: BigUint = (BigUint::from(value) * ten.pow(6)) << 48;
    let denominator = ten.pow(u32::from(decimals)) * ten.pow(exponent.unsigned_abs());
    (numerator.div_floor(&denominator), numerator.div_ceil(&denominator))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Every price, exponent and number of decimals: exact, or the error that its cause has.
    #[test]
    fn normalises_exactly(
        price in any_length(63), ema in any_length(63), confidence in any_length(64),
        exponent in -18..=0_i32, decimals in 0..=18_u8,
    ) {
        let pyth = PythPrice {
            price: price as i64, ema_price: ema as i64, confidence, exponent, publish_time: 5, ..PythPrice::default()
        };
        let (spot, _) = scaled(price, exponent, decimals);
        let (average, _) = scaled(ema, exponent, decimals);
        let (_, doubt) = scaled(confidence, exponent, decimals);
        let in_domain = |raw: &BigUint| raw.to_u64().filter(|raw| *raw >= 1 << 20);
        let expected = if price == 0 {
            Err(Error::PriceNotPositive)
        } else if ema == 0 {
            Err(Error::EmaNotPositive)
        } else {
            match (in_domain(&spot), in_domain(&average), doubt.to_u64()) {
                (None, _, _) => Err(Error::PriceOutOfRange),
                (_, None, _) => Err(Error::EmaOutOfRange),
                (_, _, None) => Err(Error::ConfidenceOutOfRange),
                (Some(spot), Some(ema), Some(confidence)) => Ok(Observation {
                    spot: Price::from_raw(spot),
                    ema: Price::from_raw(ema),
                    confidence: Price::from_raw(confidence),
                    publish_time: Timestamp::from_raw(5),
                }),
            }
        };
        prop_assert_eq!(normalise(&pyth, decimals), expected);
    }

    /// Any bits: an answer, never a panic.
    #[test]
    fn normalise_is_total(
        price in any::<i64>(), ema_price in any::<i64>(), confidence in any::<u64>(), exponent in any::<i32>(),
        decimals in any::<u8>(),
    ) {
        let _ = normalise(&PythPrice { price, ema_price, confidence, exponent, ..PythPrice::default() }, decimals);
    }

    /// Limits are compared exactly.
    #[test]
    fn limits_are_exact(
        spot in any_length(64), ema in any_length(64), confidence in any_length(64),
        limits in (0..=2_000_000_u32, 0..=2_000_000_u32),
    ) {
        let observation = Observation {
            spot: Price::from_raw(spot), ema: Price::from_raw(ema), confidence: Price::from_raw(confidence),
            publish_time: Timestamp::ZERO,
        };
        let above = |value: u64, limit: u32| u128::from(value) * 1_000_000 > u128::from(spot) * u128::from(limit);
        let wide = above(confidence, limits.0) || above(spot.abs_diff(ema), limits.1);
        let found = check_limits(&observation, Ppm::from_raw(limits.0), Ppm::from_raw(limits.1));
        prop_assert_eq!(found, if wide { Width::Wide } else { Width::Normal });
    }
}

#[test]
fn each_bad_price_has_its_error() {
    let good = pyth_price(15_000_000_000, 10_000_000, -8);
    assert!(normalise(&good, 9).is_ok());
    let cases = [
        (PythPrice { price: 0, ..good }, 9, Error::PriceNotPositive),
        (PythPrice { price: -1, ..good }, 9, Error::PriceNotPositive),
        (PythPrice { ema_price: 0, ..good }, 9, Error::EmaNotPositive),
        (PythPrice { ema_price: i64::MIN, ..good }, 9, Error::EmaNotPositive),
        (PythPrice { exponent: 1, ..good }, 9, Error::ExponentOutOfRange),
        (PythPrice { exponent: -19, ..good }, 9, Error::ExponentOutOfRange),
        (PythPrice { exponent: i32::MIN, ..good }, 9, Error::ExponentOutOfRange),
        (good, 19, Error::DecimalsOutOfRange),
        (pyth_price(i64::MAX, 0, 0), 0, Error::PriceOutOfRange),
        (pyth_price(1, 0, -18), 18, Error::PriceOutOfRange),
        (PythPrice { ema_price: i64::MAX, ..good }, 4, Error::EmaOutOfRange),
        (PythPrice { ema_price: 1, ..good }, 9, Error::EmaOutOfRange),
        (PythPrice { confidence: u64::MAX, ..good }, 9, Error::ConfidenceOutOfRange),
    ];
    for (price, decimals, error) in cases {
        assert_eq!(normalise(&price, decimals), Err(error), "{price:?}, {decimals} decimals");
    }
}

#[test]
fn confidence_at_its_limit_is_normal() {
    let at = |confidence, ema| Observation {
        spot: Price::from_raw(1_000_000_000),
        ema: Price::from_raw(ema),
        confidence: Price::from_raw(confidence),
        publish_time: Timestamp::ZERO,
    };
    let check = |observation| check_limits(&observation, Ppm::from_raw(20_000), Ppm::from_raw(100_000));
    assert_eq!(check(at(20_000_000, 1_100_000_000)), Width::Normal);
    assert_eq!(check(at(20_000_001, 1_000_000_000)), Width::Wide);
    assert_eq!(check(at(0, 1_100_000_001)), Width::Wide);
    assert_eq!(check(at(0, 899_999_999)), Width::Wide);
}

#[test]
fn age_of_a_price() {
    let age = |age: i64| {
        let now = Timestamp::from_raw(1_700_000_000);
        let published = Timestamp::from_raw(1_700_000_000 - age);
        (freshness(published, now, Seconds::from_raw(60), Seconds::from_raw(600)), check_publish_time(published, now))
    };
    assert_eq!(age(0), (Freshness::Fresh, Ok(())));
    assert_eq!(age(60), (Freshness::Fresh, Ok(())));
    assert_eq!(age(61), (Freshness::Stale, Ok(())));
    assert_eq!(age(600), (Freshness::Stale, Ok(())));
    assert_eq!(age(601), (Freshness::Dead, Ok(())));
    assert_eq!(age(-10), (Freshness::Fresh, Ok(())));
    assert_eq!(age(-11), (Freshness::Stale, Err(Error::PublishTimeInFuture)));
}

#[test]
fn age_at_the_ends_of_time() {
    let limits = (Seconds::from_raw(60), Seconds::from_raw(600));
    let at = |published, now| freshness(published, now, limits.0, limits.1);
    assert_eq!(at(Timestamp::from_raw(i64::MIN), Timestamp::MAX), Freshness::Dead);
    assert_eq!(at(Timestamp::MAX, Timestamp::from_raw(i64::MIN)), Freshness::Stale);
    let future = check_publish_time(Timestamp::MAX, Timestamp::from_raw(i64::MIN));
    assert_eq!(future, Err(Error::PublishTimeInFuture));
}
