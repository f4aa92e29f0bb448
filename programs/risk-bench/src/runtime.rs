//! What a program without a framework brings along: entrypoint, allocator, panic reporter. As in `vm-check`, with
//! nothing on the heap.

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::ptr;

use solana_define_syscall::definitions::{sol_log_, sol_remaining_compute_units};

use crate::Record;

const OK: u64 = 0;
const INVALID_INSTRUCTION: u64 = 3 << 32;
const INVALID_ACCOUNT: u64 = 4 << 32;

/// # Safety
/// `input` is what the loader passes: accounts, then instruction data, then the program's address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    const DATA_LENGTH: usize = 8 + 8 + 32 + 32 + 8;
    const DATA: usize = DATA_LENGTH + 8;
    const GROWTH_ROOM: usize = 10_240;
    // SAFETY: the loader's layout, for one account that is not a duplicate.
    let (data, instruction) = unsafe {
        if input.cast::<u64>().read() != 1 {
            return INVALID_ACCOUNT;
        }
        let length = input.add(DATA_LENGTH).cast::<u64>().read() as usize;
        let rent_epoch = DATA + (length + GROWTH_ROOM).next_multiple_of(8);
        let instruction_length = input.add(rent_epoch + 8).cast::<u64>().read() as usize;
        (
            core::slice::from_raw_parts_mut(input.add(DATA), length),
            core::slice::from_raw_parts(input.add(rent_epoch + 16), instruction_length),
        )
    };
    match *instruction {
        [kernel] if crate::run(kernel, Record::slice_mut(data)) => OK,
        _ => INVALID_INSTRUCTION,
    }
}

/// Compute units that the transaction has left.
#[inline(always)]
pub fn remaining() -> u64 {
    // SAFETY: takes nothing and returns a number.
    unsafe { sol_remaining_compute_units() }
}

/// Keeps a value that a kernel's input refers to: one at a time, on the heap that nothing else uses.
pub fn park<T: Copy>(value: T) -> &'static T {
    const HEAP: usize = 0x3_0000_0000;
    const { assert!(size_of::<T>() <= 32 * 1024) };
    let place = ptr::with_exposed_provenance_mut::<T>(HEAP);
    // SAFETY: the heap is writable and aligned, has room, and no allocator uses it. The reference to the value before is
    // gone: it lived in a run that has ended.
    unsafe {
        place.write(value);
        &*place
    }
}

/// Gives nothing: no kernel allocates.
struct Empty;

// SAFETY: no region is ever handed out.
unsafe impl GlobalAlloc for Empty {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Empty = Empty;

/// Called by the patched standard library before it aborts.
#[unsafe(no_mangle)]
fn custom_panic(info: &PanicInfo<'_>) {
    let file = info.location().map_or("", |place| place.file());
    // SAFETY: the text lives as long as the program.
    unsafe { sol_log_(file.as_ptr(), file.len() as u64) };
}
