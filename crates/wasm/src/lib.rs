//! The Rust SDK for browsers and node: the same accounts, the same margin, the same instructions, behind a typed
//! JavaScript interface. Nothing is calculated here that the chain decides: this crate feeds [`plimsoll_client::Snapshot`]
//! with accounts and turns what it answers into plain objects.
//!
//! Every 64-bit integer is a `bigint` in its unit on chain (native units of a mint, base units of a market, Q16.48 prices);
//! beside it stands, where a person reads it, a `number` in whole tokens or dollars that is for display alone.
//!
//! | module | what |
//! |---|---|
//! | [`action`] | what a user does, and the instructions of it |
//! | [`engine`] | `Engine`: fed with accounts, answers everything else |
//! | [`matching`] | trades of two accounts with each other, signed orders |
//! | [`state`] | the accounts that it was fed |
//! | [`view`] | what it answers with |
//! | [`pack`] | instructions as JavaScript sends them |
//! | [`words`] | errors and events in words |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod action;
pub mod engine;
pub mod matching;
pub mod pack;
pub mod state;
pub mod view;
pub mod words;
