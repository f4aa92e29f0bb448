//! One module for each command.

pub mod account;
pub mod bank;
pub mod board;
pub mod completions;
pub mod doctor;
pub mod events;
pub mod exchange;
pub mod house;
pub mod liquidate;
pub mod liquidations;
pub mod localnet;
pub mod market;
pub mod stress;
pub mod trade;
pub mod what_if;
