//! Operands, result and cost of one run, and how every kind of result is written down.

use plimsoll_risk::Error;
use plimsoll_risk::units::{Base, Fraction, Index, Ppm, Price, Quote, Timestamp, Volatility};

/// Words of operands.
pub const OPERANDS: usize = 16;
/// Words of a result.
pub const RESULTS: usize = 4;

/// What a kernel runs on; what they mean is said beside each kernel.
pub type Operands = [u64; OPERANDS];

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    pub operands: Operands,
    /// The first three words of the result, then all others folded into one.
    pub result: [u64; RESULTS],
    /// Compute units; zero on the host.
    pub units: u64,
}

const _: () = assert!(size_of::<Record>() == 8 * (OPERANDS + RESULTS + 1) && align_of::<Record>() == 8);

impl Record {
    /// Result fields hold what no kernel writes, so that one which writes nothing is noticed.
    pub const fn new(operands: Operands) -> Self {
        Self { operands, result: [0xAAAA_AAAA_AAAA_AAAA; RESULTS], units: u64::MAX }
    }

    pub fn bytes(records: &[Self]) -> &[u8] {
        // SAFETY: a Record has no padding and every byte of it is initialised.
        unsafe { core::slice::from_raw_parts(records.as_ptr().cast(), size_of_val(records)) }
    }

    pub fn bytes_mut(records: &mut [Self]) -> &mut [u8] {
        // SAFETY: as above, and all bit patterns are valid.
        unsafe { core::slice::from_raw_parts_mut(records.as_mut_ptr().cast(), size_of_val(records)) }
    }

    /// `bytes` begin at an address that is a multiple of 8; bytes after the last whole record are left out.
    pub fn slice_mut(bytes: &mut [u8]) -> &mut [Self] {
        assert!(bytes.as_ptr().addr().is_multiple_of(8));
        // SAFETY: the address is aligned, the length is within `bytes`, and all bit patterns are valid.
        unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / size_of::<Self>()) }
    }
}

/// Collects the words of a result.
#[derive(Default)]
pub struct Words {
    words: [u64; RESULTS],
    count: usize,
}

impl Words {
    pub fn put(&mut self, word: u64) {
        match self.words[..RESULTS - 1].get_mut(self.count) {
            Some(slot) => *slot = word,
            // FNV-1a's multiplier, and a rotation so that no bit is lost upwards.
            None => {
                let last = &mut self.words[RESULTS - 1];
                *last = (*last ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
            }
        }
        self.count += 1;
    }

    pub fn of(result: &impl Outcome) -> [u64; RESULTS] {
        let mut words = Self::default();
        result.put(&mut words);
        words.words
    }
}

/// What a kernel may return.
pub trait Outcome {
    fn put(&self, words: &mut Words);
}

macro_rules! words {
    ($($type:ty),*) => {$(
        impl Outcome for $type {
            fn put(&self, words: &mut Words) {
                words.put(*self as u64);
            }
        }
    )*};
}

words! { u8, u32, u64, i64, bool }

macro_rules! units {
    ($($type:ty),*) => {$(
        impl Outcome for $type {
            fn put(&self, words: &mut Words) {
                self.raw().put(words);
            }
        }
    )*};
}

units! { Base, Fraction, Index, Ppm, Price, Quote, Timestamp, Volatility }

/// Structs as their fields.
macro_rules! fields {
    ($($type:ty: $($field:ident),*;)*) => {$(
        impl Outcome for $type {
            fn put(&self, words: &mut Words) {
                $(self.$field.put(words);)*
            }
        }
    )*};
}

pub(crate) use fields;

impl Outcome for () {
    fn put(&self, _: &mut Words) {}
}

impl Outcome for Error {
    fn put(&self, words: &mut Words) {
        words.put(u64::from(self.code()));
    }
}

impl<T: Outcome> Outcome for Option<T> {
    fn put(&self, words: &mut Words) {
        words.put(u64::from(self.is_some()));
        if let Some(value) = self {
            value.put(words);
        }
    }
}

impl<T: Outcome> Outcome for Result<T, Error> {
    fn put(&self, words: &mut Words) {
        words.put(u64::from(self.is_ok()));
        match self {
            Ok(value) => value.put(words),
            Err(error) => error.put(words),
        }
    }
}

impl<T: Outcome, U: Outcome> Outcome for (T, U) {
    fn put(&self, words: &mut Words) {
        self.0.put(words);
        self.1.put(words);
    }
}

impl<T: Outcome, const N: usize> Outcome for [T; N] {
    fn put(&self, words: &mut Words) {
        for item in self {
            item.put(words);
        }
    }
}
