//! What the suites share: rational numbers, random portfolios, and a second implementation of the margin.
#![allow(dead_code)]

pub mod account;
pub mod independent;
pub mod options;
pub mod random;
pub mod reference;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use plimsoll_risk::portfolio::{GROUP_PAIRS, MAX_GROUPS, Portfolio, RiskParameters, Underlying};
use plimsoll_risk::price::{Freshness, Observation};
use plimsoll_risk::units::{Base, Ppm, Price, Quote, Timestamp};
use proptest::prelude::*;

/// Proptest's configuration for so many cases: what failed once is kept in `proptest-regressions/`, one file a suite, and
/// tried first ever after.
#[macro_export]
macro_rules! cases {
    ($cases:expr) => {
        proptest::test_runner::Config {
            cases: $cases,
            max_global_rejects: 10 * $cases,
            failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::Direct(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/proptest-regressions/",
                module_path!(),
                ".txt"
            )))),
            ..proptest::test_runner::Config::default()
        }
    };
}

/// `value`, exactly.
pub fn int(value: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(value.into())
}

/// `numerator / denominator`, exactly.
pub fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

/// A ratio in ppm, exactly.
pub fn ppm(value: Ppm) -> BigRational {
    ratio(value.raw(), 1_000_000)
}

/// A Q16.48 number, exactly.
pub fn q48(raw: u64) -> BigRational {
    ratio(raw, 1_u64 << 48)
}

pub fn floor(value: &BigRational) -> BigInt {
    value.floor().to_integer()
}

pub fn ceil(value: &BigRational) -> BigInt {
    value.ceil().to_integer()
}

/// Nearest float, for messages.
pub fn float(value: &BigRational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// Numbers of every length, so that small and huge ones are as likely.
pub fn any_length(bits: u32) -> impl Strategy<Value = u64> {
    (0..=bits, any::<u64>(), 0..8_u8).prop_map(|(length, noise, shape)| {
        let mask = if length == 0 { 0 } else { u64::MAX >> (64 - length) };
        match shape {
            // The edges: all ones, and a lone top bit.
            0 => mask,
            1 => mask ^ (mask >> 1),
            _ => noise & mask,
        }
    })
}

/// A price of the engine's domain whose products with `exposure_bits` bits stay below 2^58.
fn market() -> impl Strategy<Value = (Observation, i64)> {
    (20..63_u32).prop_flat_map(|bits| {
        let spot = (1_u64 << bits)..(1_u64 << (bits + 1));
        let exposure = any_length((58 + 48 - bits - 1).min(62));
        (spot, exposure, any::<bool>(), 0..50_000_u64, -200_000..200_000_i64).prop_map(
            |(spot, exposure, short, confidence, gap)| {
                let gap = i128::from(spot) * i128::from(gap) / 1_000_000;
                let ema = u64::try_from(i128::from(spot) + gap).unwrap_or(u64::MAX);
                let observation = Observation {
                    spot: Price::from_raw(spot),
                    ema: Price::from_raw(ema),
                    confidence: Price::from_raw((u128::from(spot) * u128::from(confidence) / 1_000_000) as u64),
                    publish_time: Timestamp::from_raw(1_700_000_000),
                };
                (observation, if short { -(exposure as i64) } else { exposure as i64 })
            },
        )
    })
}

/// A ratio from zero to one, the ends included more often.
pub fn part() -> impl Strategy<Value = Ppm> {
    prop_oneof![1 => Just(Ppm::ZERO), 1 => Just(Ppm::ONE), 6 => (0..=1_000_000_u32).prop_map(Ppm::from_raw)]
}

/// A plausible underlying with a fresh price.
pub fn fresh_underlying() -> impl Strategy<Value = Underlying> {
    let multiplier = prop_oneof![Just(1_000_000_u32), 0..=10_000_000_u32];
    (market(), any::<bool>(), part(), multiplier, 0..8_u8, any_length(50), part()).prop_map(
        |((observation, exposure), liability, range, multiplier, group, addon, kept)| Underlying {
            range_maint: range,
            exposure: Base::from_raw(exposure),
            has_liability: liability || exposure < 0,
            observation,
            freshness: Freshness::Fresh,
            range,
            confidence_multiplier: Ppm::from_raw(multiplier),
            group,
            addon_init: addon,
            addon_maint: (u128::from(addon) * u128::from(kept.raw()) / 1_000_000) as u64,
        },
    )
}

/// A plausible underlying whose price may be stale or dead.
pub fn any_underlying() -> impl Strategy<Value = Underlying> {
    let freshness = prop_oneof![2 => Just(Freshness::Fresh), 1 => Just(Freshness::Stale), 1 => Just(Freshness::Dead)];
    (fresh_underlying(), freshness).prop_map(|(underlying, freshness)| Underlying { freshness, ..underlying })
}

/// A portfolio of the given underlyings.
pub fn portfolio(
    underlying: impl Strategy<Value = Underlying>,
    count: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Portfolio> {
    let quote = (any_length(58), any::<bool>()).prop_map(|(q, owed)| if owed { -(q as i64) } else { q as i64 });
    (proptest::collection::vec(underlying, count), quote, any_length(40), any_length(40)).prop_map(
        |(underlyings, quote, addon, less)| {
            let mut portfolio = build(&underlyings);
            portfolio.quote = Quote::from_raw(quote);
            portfolio.quote_addon_init = addon;
            portfolio.quote_addon_maint = addon.saturating_sub(less);
            portfolio
        },
    )
}

/// Parameters that pass `validate`: a one-factor correlation matrix, `rho_gh = w_g w_h`, is positive semi-definite.
pub fn parameters() -> impl Strategy<Value = RiskParameters> {
    let groups = proptest::collection::vec(part(), MAX_GROUPS);
    let weights = proptest::collection::vec(0..=1_000_u32, MAX_GROUPS);
    (groups, weights, 1..=1_000_000_u32, 0..=333_333_u32).prop_map(|(phi, weights, maintenance, damping)| {
        let mut rho = [Ppm::ZERO; GROUP_PAIRS];
        let mut index = 0;
        for high in 1..MAX_GROUPS {
            for low in 0..high {
                rho[index] = Ppm::from_raw(weights[low] * weights[high]);
                index += 1;
            }
        }
        let parameters = RiskParameters {
            phi: phi.try_into().expect("eight"),
            rho,
            maintenance_ratio: Ppm::from_raw(maintenance),
            extreme_damping: Ppm::from_raw(damping),
            quote_price: Ppm::ONE,
        };
        assert_eq!(parameters.validate(), Ok(()));
        parameters
    })
}

/// A portfolio of these underlyings and nothing else.
pub fn build(underlyings: &[Underlying]) -> Portfolio {
    let mut portfolio = Portfolio::new();
    for underlying in underlyings {
        portfolio.push(*underlying).expect("at most 16");
    }
    portfolio
}

/// The bytes of a fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The account data and owner of a JSON fixture: `"data": ["<base64>", "base64"], "owner": "<base58>"`.
pub fn json_account(name: &str) -> (Vec<u8>, [u8; 32]) {
    let text = String::from_utf8(fixture(name)).expect("text");
    let strings: Vec<&str> = text.split('"').collect();
    let after = |key: &str, skip: usize| {
        let at = strings.iter().position(|part| *part == key).expect("key");
        strings[at + skip]
    };
    (base64(after("data", 2)), base58(after("owner", 2)))
}

/// Decodes standard base64.
pub fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|known| *known == digit).expect("base64 digit");
        held = (held << 6) | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

/// Decodes a base58 key of 32 bytes.
pub fn base58(text: &str) -> [u8; 32] {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut number = BigInt::from(0);
    for digit in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit).expect("base58 digit");
        number = number * 58 + value;
    }
    let (_, bytes) = number.to_bytes_be();
    let mut key = [0; 32];
    key[32 - bytes.len()..].copy_from_slice(&bytes);
    key
}
