//! Copying, moving, filling and comparing bytes, at every size and alignment that the caller asks for.
//!
//! One call runs [`CASES`] cases of one size. Each case has its own part of the buffer, `stride(size)` bytes long, and
//! works at its own alignments in it; the bytes around must stay as they were.

use core::hint::black_box;
use core::ptr;

/// 8 alignments of the one operand times 16 placements of the other.
pub const CASES: usize = 128;
const MARGIN: usize = 40;

pub const fn stride(size: usize) -> usize {
    2 * size.next_multiple_of(8) + 3 * MARGIN
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// memcpy between two places.
    Copy,
    /// memmove over itself, forwards and backwards by up to [`SHIFTS`].
    Move,
    /// memset.
    Fill,
    /// memcmp and equality, with no difference or one at various places.
    Compare,
    /// memcpy into a vector on the heap and back out.
    ThroughHeap,
    /// memcpy of a size known to the compiler; of [`CONSTANT_SIZES`] only.
    CopyConstant,
    /// memset of such a size.
    FillConstant,
    /// Arrays moved by value, through the stack.
    ArrayByValue,
}

pub const OPERATIONS: [Operation; 8] = [
    Operation::Copy,
    Operation::Move,
    Operation::Fill,
    Operation::Compare,
    Operation::ThroughHeap,
    Operation::CopyConstant,
    Operation::FillConstant,
    Operation::ArrayByValue,
];

/// Distances of a move, by which source and destination overlap in most sizes.
pub const SHIFTS: [isize; 16] = [-33, -16, -9, -8, -7, -4, -3, -1, 0, 1, 2, 5, 8, 9, 15, 24];

impl Operation {
    pub fn takes(self, size: usize) -> bool {
        match self {
            Self::CopyConstant | Self::FillConstant | Self::ArrayByValue => CONSTANT_SIZES.contains(&size),
            _ => true,
        }
    }
}

pub fn run(operation: Operation, size: usize, buffer: &mut [u8]) {
    assert_eq!(buffer.len(), CASES * stride(size));
    for (index, case) in buffer.chunks_exact_mut(stride(size)).enumerate() {
        run_case(operation, black_box(size), case, index % 8, index / 8);
    }
}

/// `first` is the source's alignment, `other` chooses the destination's or what else varies.
fn run_case(operation: Operation, size: usize, case: &mut [u8], first: usize, other: usize) {
    // The near place has room for a move by the largest shift on both sides; the far one lies behind it.
    let near = MARGIN + first;
    let far = 2 * MARGIN + size.next_multiple_of(8) + other;
    let start = case.as_mut_ptr();
    // SAFETY: both places with `size` bytes, and the near one shifted, lie within `stride(size)`; they do not overlap.
    let (source, target) = unsafe { (start.add(near), start.add(far)) };
    match operation {
        // SAFETY: see above.
        Operation::Copy => unsafe { ptr::copy_nonoverlapping(source, target, size) },
        // SAFETY: see above.
        Operation::Move => unsafe { ptr::copy(source, source.offset(SHIFTS[other]), size) },
        // SAFETY: see above.
        Operation::Fill => unsafe { ptr::write_bytes(source, other as u8 * 17, size) },
        Operation::Compare => compare(size, case, near, far, other),
        Operation::ThroughHeap => {
            let vector = black_box(case[near..near + size].to_vec());
            case[far..far + size].copy_from_slice(&vector);
        }
        // SAFETY: see above.
        Operation::CopyConstant => unsafe { copy_constant(size, source, target) },
        // SAFETY: see above.
        Operation::FillConstant => unsafe { fill_constant(size, source, other as u8 * 17) },
        // SAFETY: see above.
        Operation::ArrayByValue => unsafe { array_by_value(size, source, target) },
    }
}

/// Makes the far place equal to the near one save for at most one byte, and writes what comparing them says in front.
fn compare(size: usize, case: &mut [u8], near: usize, far: usize, other: usize) {
    case.copy_within(near..near + size, far);
    let place = match other / 2 {
        0 => size,
        1 => 0,
        2 => 1,
        3 => size / 2,
        4 => size.wrapping_sub(1),
        5 => size.wrapping_sub(2),
        6 => size.wrapping_sub(7),
        _ => size.wrapping_sub(9),
    };
    if place < size {
        case[far + place] = case[far + place].wrapping_add(if other.is_multiple_of(2) { 1 } else { 0x80 });
    }
    let (one, two) = (black_box(&case[near..near + size]), black_box(&case[far..far + size]));
    let (order, equal) = (one.cmp(two), one == two);
    case[0] = order as i8 as u8;
    case[1] = equal.into();
}

/// Takes an array apart and passes it on by value.
#[inline(never)]
fn reversed<const SIZE: usize>(mut array: [u8; SIZE]) -> [u8; SIZE] {
    array.reverse();
    array
}

macro_rules! constant_sizes {
    ($($size:literal)*) => {
        /// Sizes known to the compiler, which expands such copies in place.
        pub const CONSTANT_SIZES: &[usize] = &[$($size),*];

        /// # Safety
        /// `size` bytes can be read at `source` and written at `target`, and do not overlap.
        unsafe fn copy_constant(size: usize, source: *const u8, target: *mut u8) {
            match size {
                // SAFETY: the caller's.
                $($size => unsafe { ptr::copy_nonoverlapping(source, target, $size) },)*
                _ => panic!("no constant size: {size}"),
            }
        }

        /// # Safety
        /// `size` bytes can be written at `target`.
        unsafe fn fill_constant(size: usize, target: *mut u8, value: u8) {
            match size {
                // SAFETY: the caller's.
                $($size => unsafe { ptr::write_bytes(target, value, $size) },)*
                _ => panic!("no constant size: {size}"),
            }
        }

        /// # Safety
        /// `size` bytes can be read at `source` and written at `target`.
        unsafe fn array_by_value(size: usize, source: *const u8, target: *mut u8) {
            match size {
                $($size => {
                    // SAFETY: the caller's; an array of bytes needs no alignment.
                    let array = reversed::<$size>(unsafe { source.cast::<[u8; $size]>().read() });
                    // SAFETY: the caller's.
                    unsafe { target.cast::<[u8; $size]>().write(array) };
                })*
                _ => panic!("no constant size: {size}"),
            }
        }
    };
}

constant_sizes! {
    0 1 2 3 4 5 6 7 8 9 10 12 15 16 17 20 23 24 25 31 32 33 39 40 41 48 56 63 64 65 80 96 127 128 129 200 256
}
