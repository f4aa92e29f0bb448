//! What instructions do to accounts: the program calls it and stores the result, a client calls it to say what an instruction
//! would do. Loading and checking accounts, moving tokens, events and the margin's look-ups are the caller's.

use crate::PlimsollError;

pub mod arrays;
pub mod balance;
pub mod inventory;
pub mod ledger;
pub mod margin;
pub mod option_trading;
pub mod series;
pub mod settlement;
pub mod swap;
pub mod trading;

pub(crate) type Result<T> = core::result::Result<T, PlimsollError>;
