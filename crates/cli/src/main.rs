//! The `plimsoll` command.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod context;
mod cranks;
mod demo;
mod event_json;
mod failure;
mod format;
mod order;
mod output;
mod page;
mod progress;
mod select;
mod show;
mod wallet;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, failure::Failure};

fn main() -> ExitCode {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are answers, and usage in prose is clap's own.
        Err(error) if !as_json || !error.use_stderr() => error.exit(),
        Err(error) => return Failure::usage(&error.to_string()).report(true),
    };
    match cli::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::FAILURE,
        Err(error) => Failure::of(&error).report(as_json),
    }
}
