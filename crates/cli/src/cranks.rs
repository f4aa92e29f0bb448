//! The keeper beside a local chain: the same as `plimsoll-keeper`, on a thread of this process, with a wallet of its own.

use anyhow::{Context, Result};
use plimsoll_keeper::{
    config::{Connection, Endpoint, KeeperFile},
    run,
};
use plimsoll_localnet::World;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::wallet;

/// A keeper that runs until this is dropped.
pub struct Cranks {
    shutdown: CancellationToken,
    _key: TempDir,
}

impl Cranks {
    /// Starts it.
    pub fn start(world: &World) -> Result<Self> {
        let key = tempfile::tempdir().context("a folder for the keeper's key")?;
        let path = key.path().join("keeper.json");
        let wallet = world.wallet()?;
        wallet::write(&wallet, &path)?;
        let file = KeeperFile {
            connection: Connection {
                rpc: world.chain.url().into(),
                ws: Some(world.chain.ws_url().into()),
                exchange: Some(world.exchange.to_string()),
                keypair: path,
                ..Connection::default()
            },
            metrics: Endpoint { port: None, ..Endpoint::default() },
            ..KeeperFile::default()
        };
        let shutdown = CancellationToken::new();
        let end = shutdown.clone();
        std::thread::Builder::new().name(format!("keeper {}", wallet.pubkey())).spawn(move || {
            if let Err(error) = run::block_on(run::keeper(file, end)) {
                eprintln!("plimsoll: the keeper has ended: {error:#}");
            }
        })?;
        Ok(Self { shutdown, _key: key })
    }
}

impl Drop for Cranks {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
