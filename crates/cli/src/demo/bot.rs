//! The liquidator's process: this same program, started again, which is told a URL and given a key, nothing else.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use plimsoll_client::Address;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;

use crate::wallet;

/// How long it may take to open its account.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// It ends by itself after this long, should this process not live to end it.
const LIFETIME_SECONDS: u64 = 300;

/// A running liquidator. Dropping it ends its process.
pub struct Bot {
    /// Owner of its margin account.
    pub wallet: Address,
    child: Child,
    reports: Arc<Mutex<Vec<Value>>>,
    read: usize,
    _folder: TempDir,
}

impl Bot {
    /// Starts a liquidator with a wallet and waits until it watches.
    pub fn start(url: &str, ws_url: &str, keypair: &Keypair) -> Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the liquidator's key")?;
        let path = folder.path().join("liquidator.json");
        wallet::write(keypair, &path)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["liquidate", "--json", "--interval", "150", "--url", url, "--ws", ws_url, "--keypair"])
            .arg(&path)
            .args(["--timeout", &LIFETIME_SECONDS.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it warns of there is that this chain's time jumps; what it does it says on stdout.
            .stderr(Stdio::null())
            .spawn()
            .context("the liquidator's process")?;
        let stdout = child.stdout.take().ok_or_else(|| anyhow!("the liquidator's process has no output"))?;
        let reports = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&reports);
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            for report in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).push(report);
            }
        });
        let mut bot = Self { wallet: keypair.pubkey(), child, reports, read: 0, _folder: folder };
        bot.wait_for_watching()?;
        Ok(bot)
    }

    /// Number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has said since the last call.
    pub fn news(&mut self) -> Vec<Value> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let news = reports.get(self.read..).unwrap_or_default().to_vec();
        self.read = reports.len();
        news
    }

    /// Fails if its process has ended.
    pub fn require_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the liquidator ended by itself ({status})"),
            None => Ok(()),
        }
    }

    fn wait_for_watching(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if self.news().iter().any(|report| report["event"] == "watching") {
                return Ok(());
            }
            self.require_alive()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the liquidator did not open its account within {} s", START_TIMEOUT.as_secs())
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
