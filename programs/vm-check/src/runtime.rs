//! What a program without a framework brings along: entrypoint, allocator, panic reporter.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::Write;
use core::panic::PanicInfo;
use core::ptr;

use solana_define_syscall::definitions::sol_log_;

use crate::{Record, memory, panics};

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
    if dispatch(instruction, data) { OK } else { INVALID_INSTRUCTION }
}

fn dispatch(instruction: &[u8], data: &mut [u8]) -> bool {
    match *instruction {
        [0, group, operation] => crate::run(group, operation, Record::slice_mut(data)),
        [1, operation, a, b, c, d] if usize::from(operation) < memory::OPERATIONS.len() => {
            let size = u32::from_le_bytes([a, b, c, d]) as usize;
            memory::run(memory::OPERATIONS[usize::from(operation)], size, data);
            true
        }
        [2, failure] => panics::fail(failure, Record::slice_mut(data)),
        _ => false,
    }
}

/// Hands out the heap from its start, and begins anew when nothing is held any more: operations run many times in one
/// instruction, and the heap has 32 KiB. Its own first two words, zero at the start, count what is held and used.
struct Bump;

const HEAP: usize = 0x3_0000_0000;
const HEAP_SIZE: usize = 32 * 1024;

struct Counts {
    held: usize,
    used: usize,
}

// SAFETY: programs run on one thread; regions handed out are within the heap, behind the counts, and do not overlap.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the heap begins with the counts, and nothing else refers to them.
        let counts = unsafe { &mut *ptr::with_exposed_provenance_mut::<Counts>(HEAP) };
        let start = counts.used.max(size_of::<Counts>()).next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if end <= HEAP_SIZE => {
                counts.held += 1;
                counts.used = end;
                ptr::with_exposed_provenance_mut(HEAP + start)
            }
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _place: *mut u8, _layout: Layout) {
        // SAFETY: see above.
        let counts = unsafe { &mut *ptr::with_exposed_provenance_mut::<Counts>(HEAP) };
        counts.held -= 1;
        if counts.held == 0 {
            counts.used = 0;
        }
    }
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;

/// A line of a fixed length; what does not fit is cut.
struct Line {
    bytes: [u8; 512],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let count = text.len().min(self.bytes.len() - self.length);
        self.bytes[self.length..self.length + count].copy_from_slice(&text.as_bytes()[..count]);
        self.length += count;
        Ok(())
    }
}

/// Called by the patched standard library before it aborts.
#[unsafe(no_mangle)]
fn custom_panic(info: &PanicInfo<'_>) {
    let mut line = Line { bytes: [0; 512], length: 0 };
    let _ = write!(line, "{info}");
    // SAFETY: the bytes live as long as the call.
    unsafe { sol_log_(line.bytes.as_ptr(), line.length as u64) };
}
