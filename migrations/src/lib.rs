//! Brings a deployment of Plimsoll from nothing to trading, from one TOML file.
//!
//! ```text
//! file --read--> Deployment --plan(state of the chain)--> steps --run--> chain
//! ```
//!
//! [`plan`] compares what the file wants with what the chain has and answers the steps in between, in order. It looks
//! only at the chain, so it is idempotent: run again it plans nothing, and after a failure at any step it goes on where
//! the chain stands.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod deployment;
mod file;
mod plan;
mod value;

pub use deployment::{BankSpec, Deployment, MarketSpec};
pub use file::FileError;
pub use plan::{Chain, PlanError, RunError, State, Step, plan, run};
