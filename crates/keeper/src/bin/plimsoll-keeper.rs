//! `plimsoll-keeper`: turns the cranks of an exchange that anyone may turn.
#![forbid(unsafe_code)]

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use plimsoll_keeper::{config::KeeperFile, run, shutdown};

/// Keeps an exchange going: prices, interest, funding, boards, settlements, the house's value, tickets, stored orders, auctions
/// and losses.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  plimsoll-keeper --config keeper.toml
  plimsoll-keeper --rpc http://127.0.0.1:8899 --ws ws://127.0.0.1:8900 --keypair id.json
  plimsoll-keeper --config keeper.toml --log plimsoll_keeper=debug --json

Ends with code 0 on SIGINT or SIGTERM, after what is in flight."
)]
struct Options {
    /// File of its settings; without it, those that keeper.toml shows.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    connection: run::Overrides,
}

fn main() -> ExitCode {
    let options = Options::parse();
    run::finish(keep(options))
}

fn keep(options: Options) -> Result<()> {
    let mut file = options.config.as_deref().map_or_else(|| Ok(KeeperFile::default()), KeeperFile::read)?;
    if !options.connection.apply(&mut file.connection, &mut file.metrics)? {
        return Ok(());
    }
    run::block_on(async move { run::keeper(file, shutdown::on_signal()?).await })
}
