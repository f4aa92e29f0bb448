//! Fuzz targets of the risk engine.
//!
//! Each module is a target: an [`Input`](arbitrary::Arbitrary) that the fuzzer's bytes are read as, and what must hold of
//! it, whatever it is. Most inputs come in two kinds: *near* the domain, so that most executions get past the first error,
//! and *wild*, any bits at all. [`reached`] counts how far executions got, and the counts are printed at the end: a target
//! whose executions all end in an error proves nothing.
//!
//! The binaries in `fuzz_targets` hand libFuzzer's inputs to [`Target::check`]; `tests/replay.rs` hands it those that once
//! failed, without libFuzzer.
use arbitrary::{Arbitrary, Unstructured};
use std::cell::RefCell;
use std::fmt::Debug;

pub mod black;
pub mod functions;
pub mod interest;
pub mod liquidation;
pub mod options;
pub mod portfolio;
pub mod pyth;
pub mod trade;
pub mod volatility;

/// One fuzz target: an input and what must hold of it.
pub trait Target: for<'a> Arbitrary<'a> + Debug {
    /// Panics when something does not hold.
    fn check(self);
}

/// Checks an input that libFuzzer has kept, read as libFuzzer's binaries read it. With DEBUG set, prints how.
pub fn replay<T: Target>(data: &[u8]) {
    if let Ok(input) = T::arbitrary_take_rest(Unstructured::new(data)) {
        if std::env::var_os("DEBUG").is_some() {
            println!("{input:#?}");
        }
        input.check();
    }
}

/// Checks one input, given as bytes.
pub type Replay = fn(&[u8]);

/// Every target by name, with its [`replay`].
pub const TARGETS: [(&str, Replay); 9] = [
    ("pyth", replay::<pyth::Input>),
    ("functions", replay::<functions::Input>),
    ("black", replay::<black::Input>),
    ("options", replay::<options::Input>),
    ("portfolio", replay::<portfolio::Input>),
    ("volatility", replay::<volatility::Input>),
    ("liquidation", replay::<liquidation::Input>),
    ("trade", replay::<trade::Input>),
    ("interest", replay::<interest::Input>),
];

/// How often each place was reached; printed when the fuzzer's thread ends.
struct Counts(Vec<(&'static str, u64)>);

impl Drop for Counts {
    fn drop(&mut self) {
        for (place, count) in &self.0 {
            eprintln!("reached: {count:>10}  {place}");
        }
    }
}

thread_local! {
    static COUNTS: RefCell<Counts> = const { RefCell::new(Counts(Vec::new())) };
}

/// Counts an execution that got to a place.
pub fn reached(place: &'static str) {
    COUNTS.with_borrow_mut(|counts| match counts.0.iter_mut().find(|(known, _)| *known == place) {
        Some((_, count)) => *count += 1,
        None => counts.0.push((place, 1)),
    });
}

/// A number of any length: small ones are as frequent as large ones.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Length {
    bits: u8,
    noise: u64,
}

impl Length {
    /// Of up to so many bits, at most 64.
    pub fn up_to(self, bits: u32) -> u64 {
        match u32::from(self.bits) % (bits + 1) {
            0 => 0,
            bits => self.noise >> (64 - bits),
        }
    }

    /// Of up to so many bits besides the sign, at most 63.
    pub fn signed(self, bits: u32) -> i64 {
        let magnitude = self.up_to(bits.min(63)).cast_signed();
        if self.bits & 0x80 == 0 { magnitude } else { -magnitude }
    }
}

/// A number between two others, both included.
pub fn between(noise: u64, low: u64, high: u64) -> u64 {
    match (high - low).checked_add(1) {
        Some(count) => low + noise % count,
        None => noise,
    }
}

/// As [`between`], for ratios and other short numbers. The ends are as frequent as all that is within.
pub fn short_between(noise: u32, low: u32, high: u32) -> u32 {
    match noise & 7 {
        0 => low,
        1 => high,
        _ => between(u64::from(noise >> 3), u64::from(low), u64::from(high)) as u32,
    }
}

/// A ratio in ppm, from zero to one.
pub fn part(noise: u32) -> plimsoll_risk::units::Ppm {
    plimsoll_risk::units::Ppm::from_raw(short_between(noise, 0, 1_000_000))
}
