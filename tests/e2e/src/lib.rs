//! Harness of the end-to-end tests: the program's own .so in the runtime of solana-program-test, with the real SPL Token
//! program, real price account bytes, and an exchange that was set up by real instructions.
//!
//! | module | what |
//! |---|---|
//! | [`chain`] | one bank of the runtime: keys, clock, sending, exact errors, bytes before and after |
//! | [`raw`] | bytes of accounts that other programs own: mints, token accounts, price accounts |
//! | [`world`] | the exchange that tests start from, and its people |
//! | [`invariants`] | what must hold after every transaction, from raw account data; checked when a world ends |
//! | [`substitution`] | every account of an instruction replaced by a wrong one |

pub mod chain;
pub mod custody;
pub mod invariants;
pub mod raw;
pub mod substitution;
pub mod world;

pub use chain::{Chain, Expected, Outcome};
pub use plimsoll_interface::PlimsollError as E;
pub use solana_instruction::error::InstructionError as I;
pub use world::{Asset, Trader, World};
