//! What the bots of an exchange are made of, and the two that everybody needs: the keeper, which turns the cranks that anyone
//! may turn, and the liquidator, which takes over what sinks below its line.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the files of both, errors named by file and key |
//! | [`live`] | everything of one exchange in memory, from subscriptions, from polling where there are none |
//! | [`feed`] | what keeps it so: WebSocket, polling, reconnecting |
//! | [`sender`] | transactions at a priority fee and a compute limit by policy, sent again until they expire, never twice |
//! | [`task`] | work that comes round again: intervals, backing off, one's failure never another's |
//! | [`metrics`] | Prometheus and a health endpoint on 127.0.0.1 |
//! | [`shutdown`] | the end, when it is asked for: nothing new is begun, what is in flight is finished |
//! | [`crank`] | the keeper's tasks |
//! | [`priced`] | an exchange at one moment with every look-up done, for margins by the hundred thousand |
//! | [`watch`] | which accounts are below their line, computed anew with every price |
//! | [`liquidator`] | what to take over, how, and what to do with it afterwards |
//! | [`run`] | what the two programs' `main` share |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod backoff;
pub mod config;
pub mod crank;
pub mod feed;
pub mod liquidator;
pub mod live;
pub mod metrics;
pub mod priced;
pub mod run;
pub mod sender;
pub mod shutdown;
pub mod task;
pub mod watch;
