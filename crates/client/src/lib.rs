//! Rust SDK for Plimsoll: reads its accounts, events and errors, builds its instructions, and computes the same margin
//! as the chain does.
//!
//! The core is plain data in, plain data out: it knows bytes, addresses and instructions, and no network. Feature `rpc`
//! (default) adds `rpc`, which fetches, simulates and sends over JSON-RPC, and `transaction`, which writes messages of every
//! format.
//!
//! | module | what |
//! |---|---|
//! | [`decode`] | typed accounts from owner and bytes |
//! | [`instruction`] | one struct per instruction, one module per noun |
//! | [`remaining`] | packs the accounts that stand behind the declared ones |
//! | [`snapshot`] | an exchange at one moment: margins, what a trade would do, prices of liquidation, packed instructions |
//! | [`budget`] | how many compute units to ask for |
//! | [`price`] | where price accounts are, and what is in them |
//! | [`event`] | events from a transaction's log |
//! | [`error`] | what went wrong, in words |
//! | [`words`] | events in words, and numbers as people read them |
//!
//! ```
//! use plimsoll_client::{Address, address, instruction::{TOKEN_PROGRAM, account}};
//!
//! let (exchange, owner, mint) = (Address::new_unique(), Address::new_unique(), Address::new_unique());
//! let deposit = account::Deposit {
//!     authority: owner,
//!     exchange,
//!     account: address::margin_account(&exchange, &owner, 0),
//!     mint,
//!     token_program: TOKEN_PROGRAM,
//!     source: Address::new_unique(),
//!     amount: 1_000_000,
//! };
//! assert_eq!(deposit.instruction().program_id, plimsoll_client::ID);
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod budget;
pub mod decode;
mod effect;
pub mod error;
pub mod event;
pub mod instruction;
pub mod price;
pub mod remaining;
#[cfg(feature = "rpc")]
pub mod rpc;
pub mod snapshot;
#[cfg(feature = "rpc")]
pub mod transaction;
pub mod words;

pub use decode::Keyed;
pub use error::Error;
pub use plimsoll_interface::{self as interface, Address, ID, PlimsollError, accounts, address, config};
pub use plimsoll_risk as risk;
pub use snapshot::{Snapshot, Trade, WhatIf};
