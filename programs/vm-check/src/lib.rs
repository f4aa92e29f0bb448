//! A program that tests run to prove the toolchain: integer arithmetic, memory, calls, panics and the parts of the
//! standard library that tools/sbf changes. It is never deployed.
//!
//! The same source is compiled for the virtual machine and for the host. `tests/vm` hands the same operands to both
//! and compares every result. It uses std on purpose: the real program does not, so only this one shows that the
//! patched standard library works.
//!
//! An instruction names what to do; operands and results are in the data of its only account:
//!
//! | bytes | work | account data |
//! |---|---|---|
//! | 0, group, operation | [`run`] | [`Record`]s |
//! | 1, operation, size as u32 | [`memory::run`] | cases, see there |
//! | 2, panic | [`panics::run`] | one [`Record`] |

mod arithmetic;
mod calls;
mod casts;
mod library;
pub mod memory;
pub mod panics;
mod record;
#[cfg(target_os = "solana")]
mod runtime;

pub use record::{NONE, OVERFLOWED, PLAIN, Record};

macro_rules! groups {
    ($($index:literal = $module:path),* $(,)?) => {
        /// Runs one operation on all records. False if there is no such operation.
        pub fn run(group: u8, operation: u8, records: &mut [Record]) -> bool {
            match group {
                $($index => {
                    use $module as module;
                    module::run(operation, records)
                })*
                _ => false,
            }
        }

        /// All operations: group, operation, name of the group, name.
        pub fn operations() -> Vec<(u8, u8, &'static str, &'static str)> {
            let mut all = Vec::new();
            $({
                use $module as module;
                all.extend((0..).zip(module::NAMES).map(|(operation, name)| ($index, operation, module::GROUP, *name)));
            })*
            all
        }
    };
}

groups! {
    0 = arithmetic::on_u8,
    1 = arithmetic::on_u16,
    2 = arithmetic::on_u32,
    3 = arithmetic::on_u64,
    4 = arithmetic::on_u128,
    5 = arithmetic::on_i8,
    6 = arithmetic::on_i16,
    7 = arithmetic::on_i32,
    8 = arithmetic::on_i64,
    9 = arithmetic::on_i128,
    10 = casts::from_u8,
    11 = casts::from_u16,
    12 = casts::from_u32,
    13 = casts::from_u64,
    14 = casts::from_u128,
    15 = casts::from_i8,
    16 = casts::from_i16,
    17 = casts::from_i32,
    18 = casts::from_i64,
    19 = casts::from_i128,
    20 = calls::calls,
    21 = calls::data,
    22 = library::library,
    23 = panics::on_u8,
    24 = panics::on_u16,
    25 = panics::on_u32,
    26 = panics::on_u64,
    27 = panics::on_u128,
    28 = panics::on_i8,
    29 = panics::on_i16,
    30 = panics::on_i32,
    31 = panics::on_i64,
    32 = panics::on_i128,
    33 = broken::broken,
}

/// Wrong on purpose, in the virtual machine only: shows that the comparison notices.
mod broken {
    use crate::record::operations;

    operations! { broken: u128,
        // Wrong for one operand pair in many, and by one bit.
        rarely_wrong = |a, b| -> u128 {
            a.wrapping_add(b) ^ u128::from(cfg!(target_os = "solana") && a == 1 && b == 1)
        }
        always_wrong = |a, b| -> u128 { a.wrapping_mul(b) ^ u128::from(cfg!(target_os = "solana")) << 127 }
        wrong_flag = |a, b| -> Option<u128> { if cfg!(target_os = "solana") { None } else { Some(a & b & 0) } }
    }
}
