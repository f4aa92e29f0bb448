//! `plimsoll-liquidator`: takes over accounts that have sunk below their line.
#![forbid(unsafe_code)]

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::Parser;
use plimsoll_keeper::{config::LiquidatorFile, liquidator, run, shutdown};

/// Watches every margin account of an exchange, takes over what sinks below its line as long as that pays, and unwinds it.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  plimsoll-liquidator --config liquidator.toml
  plimsoll-liquidator --rpc http://127.0.0.1:8899 --ws ws://127.0.0.1:8900 --keypair id.json --dry-run
  plimsoll-liquidator --config liquidator.toml --log plimsoll_keeper=debug --json

Ends with code 0 on SIGINT or SIGTERM, after what is in flight."
)]
struct Options {
    /// File of its settings; without it, those that liquidator.toml shows.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    connection: run::Overrides,
    /// Say what would be done, send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Take over also what is expected to lose money.
    #[arg(long)]
    allow_loss: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    run::finish(liquidate(options))
}

fn liquidate(options: Options) -> Result<()> {
    let mut file = options.config.as_deref().map_or_else(|| Ok(LiquidatorFile::default()), LiquidatorFile::read)?;
    if !options.connection.apply(&mut file.connection, &mut file.metrics)? {
        return Ok(());
    }
    file.policy.dry_run |= options.dry_run;
    file.policy.allow_loss |= options.allow_loss;
    run::block_on(async move { liquidator::run(file, shutdown::on_signal()?, Arc::new(|_| ())).await })
}
