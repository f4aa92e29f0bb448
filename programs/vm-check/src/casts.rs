//! Conversions between every two integer types: by `as` (cut or extended) and checked.

use crate::record::operations;

macro_rules! casts {
    ($($module:ident $type:ty;)*) => {$(
        operations! { $module: $type,
            to_u8 = |a, b| -> u8 { a as u8 }
            to_u16 = |a, b| -> u16 { a as u16 }
            to_u32 = |a, b| -> u32 { a as u32 }
            to_u64 = |a, b| -> u64 { a as u64 }
            to_u128 = |a, b| -> u128 { a as u128 }
            to_i8 = |a, b| -> i8 { a as i8 }
            to_i16 = |a, b| -> i16 { a as i16 }
            to_i32 = |a, b| -> i32 { a as i32 }
            to_i64 = |a, b| -> i64 { a as i64 }
            to_i128 = |a, b| -> i128 { a as i128 }

            try_u8 = |a, b| -> Option<u8> { a.try_into().ok() }
            try_u16 = |a, b| -> Option<u16> { a.try_into().ok() }
            try_u32 = |a, b| -> Option<u32> { a.try_into().ok() }
            try_u64 = |a, b| -> Option<u64> { a.try_into().ok() }
            try_u128 = |a, b| -> Option<u128> { a.try_into().ok() }
            try_i8 = |a, b| -> Option<i8> { a.try_into().ok() }
            try_i16 = |a, b| -> Option<i16> { a.try_into().ok() }
            try_i32 = |a, b| -> Option<i32> { a.try_into().ok() }
            try_i64 = |a, b| -> Option<i64> { a.try_into().ok() }
            try_i128 = |a, b| -> Option<i128> { a.try_into().ok() }

            // There and back, and products that need the wider type.
            through_i64 = |a, b| -> u128 { a as i64 as i128 as u128 }
            through_u32 = |a, b| -> i128 { a as u32 as i32 as i128 }
            widening_mul = |a, b| -> u128 { (a as u64 as u128).wrapping_mul(b as u64 as u128) }
            widening_signed_mul = |a, b| -> i128 { (a as i64 as i128).wrapping_mul(b as i64 as i128) }
            widening_compare = |a, b| -> bool { (a as i128) < (b as i64 as i128) }
        }
    )*};
}

casts! {
    from_u8 u8;
    from_u16 u16;
    from_u32 u32;
    from_u64 u64;
    from_u128 u128;
    from_i8 i8;
    from_i16 i16;
    from_i32 i32;
    from_i64 i64;
    from_i128 i128;
}
