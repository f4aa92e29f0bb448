//! Operators that panic where there is no result, and every other way to panic.

use core::hint::black_box;

use crate::record::{Record, each, operations};

/// The operators as they are written in programs. `arithmetic` has the form that tells whether they panic.
macro_rules! operators {
    ($($module:ident $type:ty;)*) => {$(
        operations! { $module: $type,
            add = |a, b| -> $type { a + b }
            sub = |a, b| -> $type { a - b }
            mul = |a, b| -> $type { a * b }
            div = |a, b| -> $type { a / b }
            rem = |a, b| -> $type { a % b }
            shl = |a, b| -> $type { a << (b as u32) }
            shr = |a, b| -> $type { a >> (b as u32) }
            sum = |a, b| -> $type { [a, b, 1].iter().sum() }
        }
    )*};
}

operators! {
    on_u8 u8;
    on_u16 u16;
    on_u32 u32;
    on_u64 u64;
    on_u128 u128;
    on_i8 i8;
    on_i16 i16;
    on_i32 i32;
    on_i64 i64;
    on_i128 i128;
}

/// One way to fail: its name and what the log must hold.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub name: &'static str,
    pub message: &'static str,
}

macro_rules! failures {
    ($($index:literal $name:ident $message:literal |$a:ident, $b:ident| $body:block)*) => {
        pub const FAILURES: &[Failure] = &[$(Failure { name: stringify!($name), message: $message }),*];

        /// Fails in the way of that number; returns false if there is none.
        pub fn fail(index: u8, records: &mut [Record]) -> bool {
            match index {
                $($index => each(records, |$a, $b| {
                    let ($a, $b) = black_box(($a, $b));
                    // What comes out is stored, so that it cannot be left out.
                    let value = { $body };
                    black_box(value);
                    $a ^ $b
                }),)*
                _ => return false,
            }
            true
        }
    };
}

#[inline(never)]
fn recurse(a: u128, b: u128) -> u128 {
    let frame = black_box([a; 8]);
    if b == u128::MAX {
        return a;
    }
    recurse(frame[(b % 8) as usize].wrapping_add(1), b).wrapping_add(frame[0])
}

// The last three end without a message: there the machine stops the program. Each with the operands 7 and 0. One line each: a test looks for the name in the line that the panic reports.
#[rustfmt::skip]
failures! {
    0 formatted "vm-check panics: 7, -1 and \"text\"" |a, b| { if b == 0 { panic!("vm-check panics: {a}, {} and {:?}", (b as i128) - 1, "text") /* formatted */ } }
    1 plain "only words" |a, b| { if b == 0 { panic!("only words") /* plain */ } }
    2 unwrap_none "called `Option::unwrap()` on a `None` value" |a, b| { a.checked_div(b).unwrap() /* unwrap_none */ }
    3 expect_none "there is a quotient" |a, b| { a.checked_div(b).expect("there is a quotient") /* expect_none */ }
    4 unwrap_error "called `Result::unwrap()` on an `Err` value: TryFromIntError(())" |a, b| { u8::try_from(a << 100).unwrap() /* unwrap_error */ }
    5 index "index out of bounds: the len is 5 but the index is 7" |a, b| { [1u8, 2, 3, 4, b as u8][a as usize] /* index */ }
    6 slice "range end index 7 out of range for slice of length 4" |a, b| { black_box(&[0u8; 4][..])[..a as usize].len() /* slice */ }
    7 slice_order "slice index starts at 7 but ends at 0" |a, b| { black_box(&[0u8; 9][..])[a as usize..b as usize].len() /* slice_order */ }
    8 copy_lengths "copy_from_slice: source slice length (7) does not match destination slice length (0)" |a, b| { black_box(&mut [0u8; 9][..b as usize]).copy_from_slice(&black_box([1u8; 9])[..a as usize]) /* copy_lengths */ }
    9 assert_equal "assertion `left == right` failed: seven is not nothing" |a, b| { assert_eq!(a, b, "seven is not nothing") /* assert_equal */ }
    10 assert_false "assertion failed: a < b" |a, b| { assert!(a < b) /* assert_false */ }
    11 unreachable "internal error: entered unreachable code: 7" |a, b| { if b == 0 { unreachable!("{a}") /* unreachable */ } }
    12 divide_u64 "attempt to divide by zero" |a, b| { a as u64 / b as u64 /* divide_u64 */ }
    13 divide_i128 "attempt to divide by zero" |a, b| { a as i128 / b as i128 /* divide_i128 */ }
    14 remainder_u128 "attempt to calculate the remainder with a divisor of zero" |a, b| { a % b /* remainder_u128 */ }
    15 divide_overflow_i64 "attempt to divide with overflow" |a, b| { (i64::MIN + b as i64) / (a as i64 - 8) /* divide_overflow_i64 */ }
    16 divide_overflow_i128 "attempt to divide with overflow" |a, b| { (i128::MIN + b as i128) / (a as i128 - 8) /* divide_overflow_i128 */ }
    17 remainder_overflow_i128 "attempt to calculate the remainder with overflow" |a, b| { (i128::MIN + b as i128) % (a as i128 - 8) /* remainder_overflow_i128 */ }
    18 negate_i64 "attempt to negate with overflow" |a, b| { -(i64::MIN + b as i64) /* negate_i64 */ }
    19 negate_i128 "attempt to negate with overflow" |a, b| { -(i128::MIN + b as i128) /* negate_i128 */ }
    20 absolute_i128 "attempt to negate with overflow" |a, b| { (i128::MIN + b as i128).abs() }
    21 power_u128 "attempt to multiply with overflow" |a, b| { (a + b).pow(46) }
    22 character_boundary "byte index 1 is not a char boundary" |a, b| { "é"[b as usize + 1..].len() /* character_boundary */ }
    23 borrowed "already borrowed" |a, b| { let cell = core::cell::RefCell::new(b); let held = cell.borrow_mut(); *cell.borrow_mut() + *held /* borrowed */ }
    24 out_of_memory "" |a, b| { vec![b; a as usize * 62_500].len() }
    25 call_depth "" |a, b| { recurse(a, b) }
    26 wild_pointer "" |a, b| { unsafe { core::ptr::with_exposed_provenance::<u64>((a as usize + 2) << 32 | b as usize).read_volatile() } }
}
