//! Every instruction, in one binary: linking the runtime is most of what building a test takes.

mod account;
mod attacks;
mod bank;
mod board;
mod collateral;
mod controls;
mod coverage;
mod exchange;
mod house;
mod liquidation;
mod margin;
mod market;
mod option;
mod scenario;
mod settle;
mod staking;
mod substitution;
mod swap;
mod timelock;
mod trade;
mod trigger;
mod venue;
mod walk;
mod waterfall;
