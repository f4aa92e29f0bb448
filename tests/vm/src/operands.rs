//! The operand pairs: all pairs of values at the edges of a type, and random ones.

use std::env;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random pairs for each operation.
pub const RANDOM_PAIRS: usize = 10_000;

/// Where limbs, halves and signs begin and end, and what is beside that.
const EXPONENTS: [u32; 36] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 31, 32, 33, 40, 47, 48, 49, 55, 62, 63, 64, 65, 79, 80, 95, 96, 97,
    111, 112, 125, 126, 127,
];

pub fn generator(purpose: &str) -> StdRng {
    let seed = env::var("PLIMSOLL_SEED").map_or(20_261_122, |seed| seed.parse().expect("PLIMSOLL_SEED is a number"));
    println!("{purpose}: PLIMSOLL_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

fn mask(bits: u32) -> u128 {
    u128::MAX >> (128 - bits)
}

/// Zero, 2^k - 1, 2^k, 2^k + 1 and their negatives (so the least and greatest value of the signed and the unsigned type),
/// the divisors that programs use, all in a type of that many bits.
pub fn edges(bits: u32) -> Vec<u128> {
    let powers = EXPONENTS.into_iter().filter(|k| *k < bits).map(|k| 1u128 << k);
    let scales = [3, 6, 10, 100, 1_000, 10_000, 1_000_000, 1_000_000_000, 1_000_000_000_000_000_000];
    let mut values: Vec<u128> = powers
        .flat_map(|power| [power - 1, power, power + 1])
        .chain(scales)
        .flat_map(|value| [value, value.wrapping_neg()])
        .map(|value| value & mask(bits))
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Half of them over all bits, half of a random length and sign, so that divisions of every shape occur.
pub fn random(generator: &mut StdRng, bits: u32) -> u128 {
    let value: u128 = generator.random::<u128>() & mask(bits);
    if generator.random() {
        return value;
    }
    let short = value >> generator.random_range(0..bits);
    if generator.random() { short } else { short.wrapping_neg() & mask(bits) }
}

pub fn pairs(generator: &mut StdRng, bits: u32) -> Vec<(u128, u128)> {
    let edges = edges(bits);
    let all_edges = edges.iter().flat_map(|a| edges.iter().map(|b| (*a, *b)));
    let random_pairs = (0..RANDOM_PAIRS).map(|_| (random(generator, bits), random(generator, bits)));
    all_edges.collect::<Vec<_>>().into_iter().chain(random_pairs).collect()
}
