//! Every integer type's arithmetic, in all the forms that report or absorb an overflow. The forms that panic are in
//! `panics`.

use core::cmp::Ordering;

use crate::record::operations;

/// Operations that all integers have; `$more` are those of the signed or of the unsigned only.
macro_rules! integer {
    ($module:ident, $type:ty, { $($more:tt)* }) => {
        operations! { $module: $type,
            wrapping_add = |a, b| -> $type { a.wrapping_add(b) }
            wrapping_sub = |a, b| -> $type { a.wrapping_sub(b) }
            wrapping_mul = |a, b| -> $type { a.wrapping_mul(b) }
            wrapping_neg = |a, b| -> $type { a.wrapping_neg() }
            wrapping_shl = |a, b| -> $type { a.wrapping_shl(b as _) }
            wrapping_shr = |a, b| -> $type { a.wrapping_shr(b as _) }
            wrapping_pow = |a, b| -> $type { a.wrapping_pow(b as u32 % 40) }
            wrapping_div = |a, b| -> $type { if b == 0 { a } else { a.wrapping_div(b) } }
            wrapping_rem = |a, b| -> $type { if b == 0 { a } else { a.wrapping_rem(b) } }

            checked_add = |a, b| -> Option<$type> { a.checked_add(b) }
            checked_sub = |a, b| -> Option<$type> { a.checked_sub(b) }
            checked_mul = |a, b| -> Option<$type> { a.checked_mul(b) }
            checked_div = |a, b| -> Option<$type> { a.checked_div(b) }
            checked_rem = |a, b| -> Option<$type> { a.checked_rem(b) }
            checked_neg = |a, b| -> Option<$type> { a.checked_neg() }
            checked_shl = |a, b| -> Option<$type> { a.checked_shl(b as _) }
            checked_shr = |a, b| -> Option<$type> { a.checked_shr(b as _) }
            checked_pow = |a, b| -> Option<$type> { a.checked_pow(b as u32 % 40) }
            checked_div_euclid = |a, b| -> Option<$type> { a.checked_div_euclid(b) }
            checked_rem_euclid = |a, b| -> Option<$type> { a.checked_rem_euclid(b) }
            checked_ilog2 = |a, b| -> Option<u32> { a.checked_ilog2() }
            checked_ilog10 = |a, b| -> Option<u32> { a.checked_ilog10() }

            overflowing_add = |a, b| -> ($type, bool) { a.overflowing_add(b) }
            overflowing_sub = |a, b| -> ($type, bool) { a.overflowing_sub(b) }
            overflowing_mul = |a, b| -> ($type, bool) { a.overflowing_mul(b) }
            overflowing_neg = |a, b| -> ($type, bool) { a.overflowing_neg() }
            overflowing_shl = |a, b| -> ($type, bool) { a.overflowing_shl(b as _) }
            overflowing_shr = |a, b| -> ($type, bool) { a.overflowing_shr(b as _) }
            overflowing_div = |a, b| -> ($type, bool) { if b == 0 { (a, true) } else { a.overflowing_div(b) } }
            overflowing_rem = |a, b| -> ($type, bool) { if b == 0 { (a, true) } else { a.overflowing_rem(b) } }

            saturating_add = |a, b| -> $type { a.saturating_add(b) }
            saturating_sub = |a, b| -> $type { a.saturating_sub(b) }
            saturating_mul = |a, b| -> $type { a.saturating_mul(b) }
            saturating_div = |a, b| -> $type { if b == 0 { a } else { a.saturating_div(b) } }

            // Both results of one division: the compiler may merge the two.
            div_and_rem = |a, b| -> $type { if b == 0 { a } else { a.wrapping_div(b) ^ a.wrapping_rem(b) } }
            // Constant divisors become multiplications.
            div_by_ten = |a, b| -> $type { a / 10 ^ a % 10 }
            div_by_scale = |a, b| -> $type { a / 100 ^ b % 100 }
            mul_by_scale = |a, b| -> Option<$type> { a.checked_mul(100)?.checked_add(b) }
            shl_by_constants = |a, b| -> $type { a.wrapping_shl(7) ^ b.wrapping_shl(<$type>::BITS - 1) }
            shr_by_constants = |a, b| -> $type { (a >> 3) ^ (b >> (<$type>::BITS - 1)) }

            and = |a, b| -> $type { a & b }
            or = |a, b| -> $type { a | b }
            xor = |a, b| -> $type { a ^ b }
            not = |a, b| -> $type { !a }
            rotate_left = |a, b| -> $type { a.rotate_left(b as u32 % <$type>::BITS) }
            rotate_right = |a, b| -> $type { a.rotate_right(b as u32 % <$type>::BITS) }
            swap_bytes = |a, b| -> $type { a.swap_bytes() }
            reverse_bits = |a, b| -> $type { a.reverse_bits() }
            count_ones = |a, b| -> u32 { a.count_ones() }
            leading_zeros = |a, b| -> u32 { a.leading_zeros() }
            trailing_zeros = |a, b| -> u32 { a.trailing_zeros() }

            eq = |a, b| -> bool { a == b }
            ne = |a, b| -> bool { a != b }
            lt = |a, b| -> bool { a < b }
            le = |a, b| -> bool { a <= b }
            gt = |a, b| -> bool { a > b }
            ge = |a, b| -> bool { a >= b }
            cmp = |a, b| -> Ordering { a.cmp(&b) }
            min = |a, b| -> $type { a.min(b) }
            max = |a, b| -> $type { a.max(b) }
            is_zero = |a, b| -> bool { a == 0 }
            sign_test = |a, b| -> bool { a < 0 }
            select = |a, b| -> $type { if a > b { a.wrapping_sub(b) } else { b.wrapping_sub(a) } }

            $($more)*
        }
    };
}

macro_rules! unsigned {
    ($module:ident, $type:ty, $signed:ty) => {
        integer! { $module, $type, {
            abs_diff = |a, b| -> $type { a.abs_diff(b) }
            isqrt = |a, b| -> $type { a.isqrt() }
            div_ceil = |a, b| -> $type { if b == 0 { a } else { a.div_ceil(b) } }
            is_power_of_two = |a, b| -> bool { a.is_power_of_two() }
            checked_next_power_of_two = |a, b| -> Option<$type> { a.checked_next_power_of_two() }
            checked_next_multiple_of = |a, b| -> Option<$type> { a.checked_next_multiple_of(b) }
            checked_add_signed = |a, b| -> Option<$type> { a.checked_add_signed(b as $signed) }
            saturating_add_signed = |a, b| -> $type { a.saturating_add_signed(b as $signed) }
        } }
    };
}

macro_rules! signed {
    ($module:ident, $type:ty, $unsigned:ty) => {
        integer! { $module, $type, {
            abs_diff = |a, b| -> $unsigned { a.abs_diff(b) }
            wrapping_abs = |a, b| -> $type { a.wrapping_abs() }
            checked_abs = |a, b| -> Option<$type> { a.checked_abs() }
            overflowing_abs = |a, b| -> ($type, bool) { a.overflowing_abs() }
            saturating_abs = |a, b| -> $type { a.saturating_abs() }
            saturating_neg = |a, b| -> $type { a.saturating_neg() }
            unsigned_abs = |a, b| -> $unsigned { a.unsigned_abs() }
            signum = |a, b| -> $type { a.signum() }
            checked_isqrt = |a, b| -> Option<$type> { a.checked_isqrt() }
            checked_add_unsigned = |a, b| -> Option<$type> { a.checked_add_unsigned(b as $unsigned) }
            checked_sub_unsigned = |a, b| -> Option<$type> { a.checked_sub_unsigned(b as $unsigned) }
            saturating_add_unsigned = |a, b| -> $type { a.saturating_add_unsigned(b as $unsigned) }
        } }
    };
}

unsigned!(on_u8, u8, i8);
unsigned!(on_u16, u16, i16);
unsigned!(on_u32, u32, i32);
unsigned!(on_u64, u64, i64);
unsigned!(on_u128, u128, i128);
signed!(on_i8, i8, u8);
signed!(on_i16, i16, u16);
signed!(on_i32, i32, u32);
signed!(on_i64, i64, u64);
signed!(on_i128, i128, u128);
