//! Brings a deployment of Plimsoll from nothing to trading, from one TOML file, and from one state to the next.
//!
//! ```text
//! file --read--> Deployment --plan(state of the chain)--> Plan --run_plan--> chain
//! ```
//!
//! [`plan`] compares what the file wants with what the chain has and answers what differs, as data: each [`Change`] says
//! which keys of the file change from what to what, and which transactions that takes. It looks only at the chain, so it is
//! idempotent: run again it plans nothing, and after a failure at any step it goes on where the chain stands.
//!
//! Under a timelock, what loosens is proposed, and executed by a later run once it is ripe.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod deployment;
pub mod fields;
mod file;
mod plan;
mod rpc;
mod value;

pub use deployment::{BankSpec, BoardSpec, Deployment, Expiry, FeedSpec, MarketSpec, RateSpec};
pub use fields::FieldChange;
pub use file::FileError;
pub use plan::{
    Action, Chain, Change, Plan, PlanError, PlanOptions, RunError, State, Step, observe_chain, plan, run, run_plan,
};
pub use rpc::{RpcChain, fetch_state};
