//! A local chain inside the process, and an exchange that is open on it: what the `plimsoll` command, the bots' tests and the
//! simulations start with.
//!
//! | module | what |
//! |---|---|
//! | [`chain`] | Surfpool's virtual machine with JSON-RPC and WebSocket on 127.0.0.1, and what only a local chain can do |
//! | [`books`] | the invariants of an exchange, checked from its accounts |
//! | [`world`] | the program deployed, mints and price feeds made, the exchange opened from a deployment file |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod books;
pub mod chain;
pub mod world;

pub use chain::{LocalChain, Ports};
pub use world::{Options, World};
