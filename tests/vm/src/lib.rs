//! Runs `programs/vm-check` in the virtual machine and compares all it does with the same source compiled for the host.
//!
//! Random operands come from a seed that every test prints; `PLIMSOLL_SEED` sets another one.
#![cfg(test)]

mod integers;
mod machine;
mod memory;
mod operands;
mod panics;
