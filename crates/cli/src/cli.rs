//! The command line: what there is, and where it goes.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    commands::{
        account, bank, board, completions, doctor, events, exchange, house, liquidate, liquidations, localnet, market,
        stress, trade, what_if,
    },
    context::{Context, Global},
    demo,
    order::Order,
};

/// Plimsoll: one margin account for spot, borrowing, perpetuals and options on Solana.
#[derive(Parser)]
#[command(name = "plimsoll", version, max_term_width = 120, propagate_version = true)]
#[command(after_help = "Examples:
  plimsoll demo                            a crash on a local chain, from nothing to a liquidation
  plimsoll localnet --rpc-port 8899        a local chain with an open exchange, until Ctrl-C
  plimsoll exchange plan deployment.toml   what applying a file would do
  plimsoll account deposit 1000 USDC       put dollars into your margin account
  plimsoll what-if perp buy 2.5 SOL        margin and liquidation price after a trade
  plimsoll trade perp buy 2.5 SOL          the trade itself
  plimsoll stress --svg grid.svg           your account at other prices and volatilities
  plimsoll doctor                          whether everything is in order

Exit codes:
  0 done  1 failed  2 wrong command line  3 no answer from the cluster  4 the program refuses
  5 a transaction failed otherwise  6 not found  7 a wrong file  8 not confirmed by you

With --json errors are {\"error\":{\"code\":…,\"name\":…,\"message\":…}} on stderr; the code is the program's own where it
refuses, and the exit code otherwise.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
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
  plimsoll demo --keep --rpc-port 8899 --ws-port 8900 --page app/web/dist
  plimsoll demo --so path/to/plimsoll.so --deployment migrations/localnet.toml")]
    Demo(demo::Options),
    /// Start a local chain with an open exchange and keep it running.
    #[command(after_help = "Examples:
  plimsoll localnet
  plimsoll localnet --fund <WALLET> --rpc-port 8899 --ws-port 8900 --admin admin.json
  plimsoll localnet --page app/web/dist --keeper")]
    Localnet(localnet::Options),
    /// Set an exchange up from a file, change it, look at it.
    #[command(subcommand)]
    Exchange(exchange::Command),
    /// Collaterals: their lending and their parameters.
    #[command(subcommand)]
    Bank(bank::Command),
    /// Markets: their prices and their parameters.
    #[command(subcommand)]
    Market(market::Command),
    /// Expiries of options.
    #[command(subcommand)]
    Board(board::Command),
    /// Margin accounts: open, fill, look at, close.
    #[command(subcommand)]
    Account(account::Command),
    /// Trade against the house.
    #[command(subcommand)]
    Trade(Order),
    /// What an account would be after a trade, without sending it.
    #[command(after_help = "Examples:
  plimsoll what-if perp buy 2.5 SOL
  plimsoll what-if perp buy 1 SOL --max
  plimsoll what-if withdraw 250 USDC --json")]
    WhatIf(what_if::Options),
    /// What an account would be worth at other prices and volatilities.
    #[command(after_help = "Examples:
  plimsoll stress
  plimsoll stress <ACCOUNT> --range 60% --steps 6 --svg grid.svg
  plimsoll stress --market SOL --json")]
    Stress(stress::Options),
    /// Accounts near their line, and what was taken over.
    #[command(subcommand)]
    Liquidations(liquidations::Command),
    /// Watch every margin account and take over what sinks below its line.
    ///
    /// Runs the liquidator of `plimsoll-liquidator`, which has a file for everything that it decides, with the wallet's first
    /// margin account: opens it where there is none, puts the wallet's quote tokens there, and takes over what pays.
    #[command(after_help = "Examples:
  plimsoll liquidate -u http://127.0.0.1:8899 -k bot.json
  plimsoll liquidate -k bot.json --once --timeout 60 --json
  plimsoll liquidate -k bot.json --unwind close --min-discount 15000")]
    Liquidate(liquidate::Options),
    /// What happens on the exchange.
    #[command(subcommand)]
    Events(events::Command),
    /// The pool that every trade is against: join it, leave it.
    #[command(subcommand)]
    House(house::Command),
    /// Check everything that an exchange needs, and say what to do.
    ///
    /// Exits with 1 if a check fails; warnings do not fail.
    #[command(after_help = "Examples:
  plimsoll doctor
  plimsoll doctor -u mainnet-beta --so target/deploy/plimsoll.so --json")]
    Doctor(doctor::Options),
    /// A script that completes this command in a shell.
    #[command(after_help = "Examples:
  plimsoll completions bash > /etc/bash_completion.d/plimsoll
  plimsoll completions zsh > ~/.zfunc/_plimsoll
  plimsoll completions fish > ~/.config/fish/completions/plimsoll.fish")]
    Completions(completions::Options),
}

/// Runs what the command line says.
///
/// # Errors
/// Whatever goes wrong.
pub fn run(cli: &Cli) -> Result<()> {
    if let Command::Completions(options) = &cli.command {
        return completions::run(options);
    }
    let context = Context::new(&cli.global)?;
    match &cli.command {
        Command::Demo(options) => demo::run(options, &context),
        Command::Localnet(options) => localnet::run(options, &context),
        Command::Exchange(command) => exchange::run(command, &context),
        Command::Bank(command) => bank::run(command, &context),
        Command::Market(command) => market::run(command, &context),
        Command::Board(command) => board::run(command, &context),
        Command::Account(command) => account::run(command, &context),
        Command::Trade(order) => trade::run(order, &context),
        Command::WhatIf(options) => what_if::run(options, &context),
        Command::Stress(options) => stress::run(options, &context),
        Command::Liquidations(command) => liquidations::run(command, &context),
        Command::Liquidate(options) => liquidate::run(options, &context),
        Command::Events(command) => events::run(command, &context),
        Command::House(command) => house::run(command, &context),
        Command::Doctor(options) => doctor::run(options, &context),
        Command::Completions(options) => completions::run(options),
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

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if !command.has_subcommands() {
            let has_example = command.get_after_help().is_some_and(|text| text.to_string().contains("Example"));
            let name = format!("{}{}", if has_example { "" } else { "without an example: " }, path.trim());
            found.push(name);
        }
        command.get_subcommands().for_each(|one| leaves(one, &path, found));
    }

    #[test]
    fn every_command_shows_an_example() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        assert!(found.len() > 40, "{found:?}");
        let without: Vec<_> = found.iter().filter(|name| name.starts_with("without")).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    /// Every example is a command line that this parser takes.
    #[test]
    fn every_example_parses() {
        fn check(command: &clap::Command) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines().map(str::trim).filter(|line| line.starts_with("plimsoll ")) {
                // What follows two spaces is a comment, and what stands behind a pipe is another program's.
                let line = line.split("  ").next().and_then(|line| line.split(" | ").next()).unwrap_or(line);
                let line = line.split(" > ").next().unwrap_or(line);
                let key = "11111111111111111111111111111111";
                let words = line.split(' ').map(|word| if word.starts_with('<') { key } else { word });
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{line}: {error}");
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
