//! Every instruction, in one binary: linking the runtime is most of what building a test takes.

mod account;
mod attacks;
mod bank;
mod board;
mod charges;
mod collateral;
mod controls;
mod coverage;
mod exchange;
mod fill;
mod funding;
mod house;
mod liquidation;
mod margin;
mod market;
mod option;
mod scenario;
mod settle;
mod substitution;
mod timelock;
mod trade;
mod trigger;
mod venue;
mod volatility;
mod walk;
mod waterfall;
