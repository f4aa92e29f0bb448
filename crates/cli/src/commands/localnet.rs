//! `plimsoll localnet`: a local chain with an open exchange, for as long as it is wanted.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use plimsoll_client::{Address, ID};

use plimsoll_localnet::World;

use crate::{LocalChainOptions, output::say};

/// How often prices are published anew, so that they stay fresh.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(10);
/// What a funded wallet gets of every token, whole tokens.
const FUND_TOKENS: u64 = 10_000;
/// What a funded wallet gets in lamports: 1,000 SOL.
const FUND_LAMPORTS: u64 = 1_000_000_000_000;

/// Options of `plimsoll localnet`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    chain: LocalChainOptions,
    /// Give a wallet lamports and 10,000 of every token; may be repeated.
    #[arg(long, value_name = "WALLET")]
    fund: Vec<Address>,
}

/// Runs the command.
pub fn run(options: &Options) -> Result<()> {
    let world = options.chain.open()?;
    for wallet in &options.fund {
        world.chain.fund(wallet, FUND_LAMPORTS)?;
        let banks = std::iter::once(&world.deployment.quote).chain(&world.deployment.banks);
        for bank in banks {
            world.give(wallet, &bank.symbol, FUND_TOKENS * 10u64.pow(u32::from(bank.decimals)))?;
        }
        say!("Funded {wallet}");
    }
    keep(&world)
}

/// Keeps a chain running and its prices fresh until the process is ended.
pub fn keep(world: &World) -> Result<()> {
    say!("\nJSON-RPC    {}", world.chain.url());
    say!("WebSocket   {}", world.chain.ws_url());
    say!("program     {ID}");
    say!("exchange    {}", world.exchange);
    for bank in std::iter::once(&world.deployment.quote).chain(&world.deployment.banks) {
        say!("mint {:<6} {}", bank.symbol, bank.mint);
    }
    say!("\nThe chain runs until Ctrl-C. Look around in another terminal:");
    say!("  plimsoll exchange show --url {}", world.chain.url());
    loop {
        world.publish()?;
        std::thread::sleep(PUBLISH_INTERVAL);
    }
}
