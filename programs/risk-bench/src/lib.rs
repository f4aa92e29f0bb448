//! A program that measures the risk engine: what one function costs in the virtual machine, without the instruction
//! around it. It is never deployed.
//!
//! The instruction's data is one byte, a kernel's number in [`KERNELS`]; the data of its only account are [`Record`]s.
//! For each of them the kernel runs once on the record's operands, and its result and its cost are written back. The
//! same source is compiled for the host: `tests/compute` runs both and wants the same results, bit for bit.
//!
//! # What is measured
//!
//! ```text
//! input = prepare(operands)                          not measured
//! before = sol_remaining_compute_units()
//! body(&input, &mut output)
//! after = sol_remaining_compute_units()
//! cost = before - after - (the same for a body that copies one word - 2)
//! ```
//!
//! So neither the system call, nor the call of the body, nor its return is in the cost. What is: the engine's function
//! with everything it calls, one instruction for each operand that it reads from memory, and those that store the
//! result (an `Option<u64>` takes two). The two readings stand in one function for all kernels, which calls the body by
//! a pointer from [`core::hint::black_box`]: the compiler sees neither the body there nor the operands in the body, and
//! can do nothing of it before or after.
//!
//! Functions that the engine marks `#[inline]` are inlined into the body, as they are into their callers in the engine;
//! there they may be cheaper, when an operand is a constant, or dearer, when registers run out.

mod kernels;
mod record;
#[cfg(target_os = "solana")]
mod runtime;

pub use kernels::{KERNELS, Kernel, Random};
pub use record::{OPERANDS, Operands, RESULTS, Record};

/// Runs one kernel on all records. False if there is no such kernel.
pub fn run(kernel: u8, records: &mut [Record]) -> bool {
    let Some(kernel) = KERNELS.get(usize::from(kernel)) else {
        return false;
    };
    for record in records {
        (kernel.run)(record);
    }
    true
}

/// Number of the kernel with this name.
pub fn find(name: &str) -> Option<u8> {
    KERNELS.iter().position(|kernel| kernel.name == name).and_then(|index| u8::try_from(index).ok())
}
