//! `plimsoll localnet`: a local chain with an open exchange, for as long as it is wanted.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use plimsoll_client::{Address, ID, risk::pyth};
use plimsoll_localnet::{Ports, World};
use serde_json::json;

use crate::{
    context::Context,
    output::{self, say},
    page::{self, PageConfig},
    progress::Progress,
    wallet,
};

/// How often prices are published anew, so that they stay fresh.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(10);
/// What a funded wallet gets of every token, whole tokens.
const FUND_TOKENS: u64 = 10_000;
/// What a funded wallet gets in lamports: 1,000 SOL.
const FUND_LAMPORTS: u64 = 1_000_000_000_000;
/// Where the publish time stands in a fully verified `PriceUpdateV2`: behind discriminator, write authority, level, feed id,
/// price, confidence and exponent.
const PUBLISH_TIME_AT: usize = 8 + 32 + 1 + 32 + 8 + 8 + 4;

/// The local chain, and what it starts with.
#[derive(Args, Clone)]
pub struct LocalChainOptions {
    /// The program to deploy.
    #[arg(long, value_name = "FILE", default_value = "target/deploy/plimsoll.so")]
    so: PathBuf,
    /// The exchange to open.
    #[arg(long, value_name = "FILE", default_value = "migrations/localnet.toml")]
    deployment: PathBuf,
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
    /// Opens the exchange on a local chain, with progress on stdout; on stderr where answers are JSON.
    pub fn open(&self, as_json: bool) -> Result<World> {
        let options = plimsoll_localnet::Options {
            so: self.so.clone(),
            config: self.deployment.clone(),
            ports: Ports { rpc: self.rpc_port, ws: self.ws_port },
            slot_time_ms: self.slot_time,
        };
        if as_json {
            let progress = Progress::spinner("Starting a local chain");
            return World::open(&options, &mut |line| {
                progress.say(line.trim());
                Ok(())
            });
        }
        World::open(&options, &mut |line| output::line(format_args!("{line}")))
    }
}

/// The web page beside the chain.
#[derive(Args, Clone)]
pub struct PageOptions {
    /// Serve the web page that was built into this folder.
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Port for the page; a free one where it is not given.
    #[arg(long, value_name = "PORT", requires = "page")]
    page_port: Option<u16>,
}

/// Options of `plimsoll localnet`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    chain: LocalChainOptions,
    #[command(flatten)]
    page: PageOptions,
    /// Give a wallet lamports and 10,000 of every token; may be repeated.
    #[arg(long, value_name = "WALLET")]
    fund: Vec<Address>,
    /// Write the key of the exchange's admin into this file.
    #[arg(long, value_name = "FILE")]
    admin: Option<PathBuf>,
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let world = options.chain.open(context.json)?;
    for wallet in &options.fund {
        world.chain.fund(wallet, FUND_LAMPORTS)?;
        let banks = std::iter::once(&world.deployment.quote).chain(&world.deployment.banks);
        for bank in banks {
            world.give(wallet, &bank.symbol, FUND_TOKENS * 10u64.pow(u32::from(bank.decimals)))?;
        }
        if !context.json {
            say!("Funded {wallet}");
        }
    }
    if let Some(file) = &options.admin {
        wallet::write(&world.admin, file)?;
    }
    keep(&world, &options.page, context)
}

/// Keeps a chain running and its prices fresh until the process is ended.
pub fn keep(world: &World, page: &PageOptions, context: &Context) -> Result<()> {
    let (rpc, ws) = (world.chain.url().to_string(), world.chain.ws_url().to_string());
    let config = PageConfig { rpc: rpc.clone(), ws: ws.clone(), exchange: world.exchange.to_string() };
    let page = page.page.as_deref().map(|folder| page::serve(folder, page.page_port, &config)).transpose()?;
    let banks = || std::iter::once(&world.deployment.quote).chain(&world.deployment.banks);
    if context.json {
        let mints = banks().map(|bank| (bank.symbol.clone(), bank.mint.to_string().into()));
        say!(
            "{}",
            json!({
                "rpc": rpc,
                "ws": ws,
                "page": page,
                "program": ID.to_string(),
                "exchange": config.exchange,
                "mints": mints.collect::<serde_json::Map<_, _>>(),
            })
        );
    } else {
        say!("\nJSON-RPC    {rpc}\nWebSocket   {ws}");
        if let Some(url) = &page {
            say!("page        {url}");
        }
        say!("program     {ID}\nexchange    {}", world.exchange);
        for bank in banks() {
            say!("mint {:<6} {}", bank.symbol, bank.mint);
        }
        say!("\nThe chain runs until Ctrl-C. Look around in another terminal:");
        say!("  plimsoll exchange show --url {rpc}");
    }
    loop {
        republish(world)?;
        std::thread::sleep(PUBLISH_INTERVAL);
    }
}

/// Gives every price account the chain's time and leaves the rest of it: whoever sets another price there wins.
fn republish(world: &World) -> Result<()> {
    let now = world.rpc().now()?;
    for market in &world.deployment.markets {
        let Some(account) = world.rpc().raw(&market.price_account)? else { continue };
        let mut data = account.data;
        if account.owner.to_bytes() == pyth::LEGACY_PROGRAM_ID {
            continue;
        }
        set_time(&mut data, now).with_context(|| format!("the price account of {}", market.symbol))?;
        world.chain.set_account(&market.price_account, &account.owner, &data)?;
    }
    Ok(())
}

/// Sets the publish time in a `PriceUpdateV2`, and the one before to a second less.
fn set_time(data: &mut [u8], now: i64) -> Result<()> {
    let times = data.get_mut(PUBLISH_TIME_AT..PUBLISH_TIME_AT + 16).context("is too short")?;
    times[..8].copy_from_slice(&now.to_le_bytes());
    times[8..].copy_from_slice(&now.saturating_sub(1).to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use plimsoll_client::price::PriceUpdate;

    use super::*;

    #[test]
    fn a_price_keeps_everything_but_its_time() {
        let update = |publish_time| PriceUpdate {
            feed_id: [7; 32],
            price: 15_000_000_000,
            confidence: 10_000_000,
            ema_price: 14_900_000_000,
            exponent: -8,
            publish_time,
        };
        let mut data = update(1_700_000_000).encode();
        set_time(&mut data, 1_700_000_777).unwrap();
        assert_eq!(data, update(1_700_000_777).encode());
        assert_eq!(set_time(&mut [0; 10], 1).unwrap_err().to_string(), "is too short");
    }
}
