//! What the Plimsoll program and everything that talks to it share, and nothing that either side could get wrong on its
//! own: account layouts, instruction arguments, events, error codes, addresses, price accounts, mints, signed orders and
//! records of liens as bytes, what instructions do to accounts, and the one bridge from accounts to the risk engine.
//!
//! The crate knows neither Anchor nor RPC. Feature `anchor` (on-chain) adds Anchor's traits to the same types; feature
//! `client` (off-chain) adds the borsh encoding of the arguments.
// The IDL build is a test that prints: see tools/idl.
#![cfg_attr(not(all(test, feature = "idl-build")), no_std)]
// Anchor's account derive marks the structs as plain data with `unsafe impl`; nothing else here is unsafe.
#![cfg_attr(not(feature = "anchor"), forbid(unsafe_code))]
#![warn(missing_docs)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod accounts;
pub mod address;
pub mod board;
pub mod bridge;
pub mod change;
pub mod config;
pub mod effect;
pub mod error;
pub mod event;
pub mod instruction;
pub mod lien;
pub mod market;
pub mod oracle;
pub mod order;
pub mod rate;
pub mod token;
pub mod upgrade;

pub use error::PlimsollError;
pub use solana_address::Address;

/// The program's address on local chains. A deployment of its own key runs `anchor keys sync` first.
pub const ID: Address = Address::new_from_array([
    89, 191, 30, 218, 222, 22, 90, 119, 68, 24, 214, 247, 160, 32, 109, 133, 79, 172, 180, 174, 168, 187, 219, 10, 116,
    225, 186, 5, 12, 188, 163, 150,
]);

#[cfg(feature = "anchor")]
#[doc(hidden)]
pub const fn id() -> Address {
    ID
}
