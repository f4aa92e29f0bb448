//! Operands and result of one operation, and how every kind of result is written down.

use core::cmp::Ordering;

/// 128-bit values as pairs of u64, low half first: i128 in a stored struct would need 16-byte alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    a: [u64; 2],
    b: [u64; 2],
    value: [u64; 2],
    flag: u64,
}

const _: () = assert!(size_of::<Record>() == 56 && align_of::<Record>() == 8);

/// A bare value, or one that did not overflow.
pub const PLAIN: u64 = 1;
/// No value.
pub const NONE: u64 = 2;
/// A value with the overflow mark.
pub const OVERFLOWED: u64 = 3;

impl Record {
    /// Result fields hold what no operation writes, so that one which writes nothing is noticed.
    pub fn new(a: u128, b: u128) -> Self {
        Self { a: halves(a), b: halves(b), value: [0xAAAA_AAAA_AAAA_AAAA; 2], flag: u64::MAX }
    }

    pub fn a(&self) -> u128 {
        whole(self.a)
    }

    pub fn b(&self) -> u128 {
        whole(self.b)
    }

    pub fn result(&self) -> (u128, u64) {
        (whole(self.value), self.flag)
    }

    pub fn slice(records: &[Self]) -> &[u8] {
        // SAFETY: a Record has no padding and every byte of it is initialised.
        unsafe { core::slice::from_raw_parts(records.as_ptr().cast(), size_of_val(records)) }
    }

    /// `bytes` begin at an address that is a multiple of 8; bytes after the last whole record are left out.
    pub fn slice_mut(bytes: &mut [u8]) -> &mut [Self] {
        assert!(bytes.as_ptr().addr().is_multiple_of(8));
        // SAFETY: the address is aligned, the length is within `bytes`, and all bit patterns are valid.
        unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / size_of::<Self>()) }
    }
}

fn halves(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn whole(halves: [u64; 2]) -> u128 {
    u128::from(halves[0]) | u128::from(halves[1]) << 64
}

/// What an operation may return.
pub trait Outcome {
    fn outcome(self) -> (u128, u64);
}

macro_rules! integer_outcomes {
    ($($type:ty)*) => {$(
        impl Outcome for $type {
            /// Signed values are sign-extended.
            fn outcome(self) -> (u128, u64) {
                (self as u128, PLAIN)
            }
        }
    )*};
}

integer_outcomes! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 bool }

impl Outcome for Ordering {
    fn outcome(self) -> (u128, u64) {
        (self as i8).outcome()
    }
}

impl<T: Outcome> Outcome for Option<T> {
    fn outcome(self) -> (u128, u64) {
        self.map_or((0, NONE), T::outcome)
    }
}

impl<T: Outcome> Outcome for (T, bool) {
    fn outcome(self) -> (u128, u64) {
        (self.0.outcome().0, if self.1 { OVERFLOWED } else { PLAIN })
    }
}

pub fn each<R: Outcome>(records: &mut [Record], operation: impl Fn(u128, u128) -> R) {
    for record in records {
        let (value, flag) = operation(record.a(), record.b()).outcome();
        record.value = halves(value);
        record.flag = flag;
    }
}

/// A module of operations on two operands of one type. Each is a function that is never inlined, so that nothing is
/// known about its operands and they pass through the calling convention.
macro_rules! operations {
    ($module:ident: $type:ty, $($name:ident = |$a:ident, $b:ident| -> $result:ty $body:block)*) => {
        #[allow(clippy::all, unused_comparisons, unused_variables, non_camel_case_types, dead_code)]
        pub mod $module {
            use crate::record::{Record, each};
            #[allow(unused_imports)]
            use super::*;

            pub const GROUP: &str = module_path!();
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            #[repr(u8)]
            enum Operation {
                $($name),*
            }

            $(
                #[inline(never)]
                fn $name($a: $type, $b: $type) -> $result $body
            )*

            pub fn run(operation: u8, records: &mut [Record]) -> bool {
                match operation {
                    $(x if x == Operation::$name as u8 => {
                        each(records, |a, b| $name(a as $type, b as $type))
                    })*
                    _ => return false,
                }
                true
            }
        }
    };
}

pub(crate) use operations;
