//! The `plimsoll` command.
#![forbid(unsafe_code)]

mod demo;
mod format;
mod liquidate;
mod localnet;
mod output;
mod show;
mod wallet;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use plimsoll_client::Address;
use plimsoll_localnet::{Ports, World};

/// Plimsoll: one margin account for spot, borrowing and perpetuals on Solana.
#[derive(Parser)]
#[command(name = "plimsoll", version, max_term_width = 120)]
#[command(after_help = "Examples:
  plimsoll demo                          a crash on a local chain, from nothing to a liquidation
  plimsoll localnet --rpc-port 8899      a local chain with an open exchange, until Ctrl-C
  plimsoll exchange show                 markets and banks of the exchange behind --url
  plimsoll account show <ADDRESS>        balances, positions and margin of one account
  plimsoll liquidate --keypair bot.json  take over what sinks below its line")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a crash on a local chain and check everything afterwards.
    ///
    /// Starts a chain inside this process, deploys the program, opens an exchange from one TOML file, lets three wallets
    /// trade, walks the prices down the shape of a real crash, and watches a liquidator in another process. Exits with 0
    /// only if the liquidation happened and every invariant holds.
    #[command(after_help = "Examples:
  plimsoll demo
  plimsoll demo --keep --rpc-port 8899 --ws-port 8900
  plimsoll demo --so path/to/plimsoll.so --config migrations/localnet.toml")]
    Demo(demo::Options),
    /// Start a local chain with an open exchange and keep it running.
    #[command(after_help = "Examples:
  plimsoll localnet
  plimsoll localnet --fund <WALLET> --rpc-port 8899 --ws-port 8900")]
    Localnet(localnet::Options),
    /// Show exchanges.
    #[command(subcommand)]
    Exchange(ExchangeCommand),
    /// Show margin accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Watch every margin account and take over what sinks below its line.
    #[command(after_help = "Examples:
  plimsoll liquidate --url http://127.0.0.1:8899 --keypair bot.json
  plimsoll liquidate --keypair bot.json --once --timeout 60 --json")]
    Liquidate(liquidate::Options),
}

#[derive(Subcommand)]
enum ExchangeCommand {
    /// Markets, banks and house of an exchange.
    #[command(after_help = "Example:
  plimsoll exchange show --url http://127.0.0.1:8899")]
    Show(show::ExchangeOptions),
}

#[derive(Subcommand)]
enum AccountCommand {
    /// Balances, positions and margin of one account, or of all accounts of a wallet.
    #[command(after_help = "Examples:
  plimsoll account show <MARGIN ACCOUNT OR WALLET>
  plimsoll account show <ADDRESS> --json")]
    Show(show::AccountOptions),
}

/// Which cluster.
#[derive(Args, Clone)]
struct Connection {
    /// JSON-RPC server of the cluster.
    #[arg(long, default_value = "http://127.0.0.1:8899", value_name = "URL")]
    url: String,
    /// The exchange, where the cluster has several.
    #[arg(long, value_name = "ADDRESS")]
    exchange: Option<Address>,
}

/// The local chain, and what it starts with.
#[derive(Args, Clone)]
struct LocalChainOptions {
    /// The program to deploy.
    #[arg(long, value_name = "FILE", default_value = "target/deploy/plimsoll.so")]
    so: PathBuf,
    /// The exchange to open.
    #[arg(long, value_name = "FILE", default_value = "migrations/localnet.toml")]
    config: PathBuf,
    /// Port for JSON-RPC; a free one where it is not given.
    #[arg(long, value_name = "PORT")]
    rpc_port: Option<u16>,
    /// Port for WebSocket; a free one where it is not given.
    #[arg(long, value_name = "PORT")]
    ws_port: Option<u16>,
    /// Milliseconds between blocks.
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(10..=2000))]
    slot_time: u64,
}

impl LocalChainOptions {
    /// Opens the exchange on a local chain, with progress on stdout.
    fn open(&self) -> Result<World> {
        let options = plimsoll_localnet::Options {
            so: self.so.clone(),
            config: self.config.clone(),
            ports: Ports { rpc: self.rpc_port, ws: self.ws_port },
            slot_time_ms: self.slot_time,
        };
        World::open(&options, &mut |line| output::line(format_args!("{line}")))
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("plimsoll: {}", format::one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Localnet(options) => localnet::run(&options),
        Command::Exchange(ExchangeCommand::Show(options)) => show::exchange(&options),
        Command::Account(AccountCommand::Show(options)) => show::account(&options),
        Command::Liquidate(options) => liquidate::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        let mut cli = Cli::command();
        for path in [["demo"].as_slice(), &["localnet"], &["liquidate"], &["exchange", "show"], &["account", "show"]] {
            let command = path.iter().fold(&mut cli, |command, name| command.find_subcommand_mut(name).unwrap());
            assert!(command.render_help().to_string().contains("Example"), "{path:?}");
        }
    }
}
