//! A local chain with the real program, and the command run against it.
#![allow(dead_code, reason = "not every test file uses everything")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use plimsoll_localnet::{Options, Ports, World};
use serde_json::Value;
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use tempfile::TempDir;

/// The example file.
pub const LOCALNET: &str = include_str!("../../../../migrations/localnet.toml");

/// The folder of the whole project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program that `make program` built.
pub fn program() -> PathBuf {
    let so = root().join("target/deploy/plimsoll.so");
    assert!(so.exists(), "build the program first: make program");
    so
}

/// An open exchange, and wallets with key files.
pub struct Stage {
    pub world: World,
    pub folder: TempDir,
}

impl Stage {
    /// Opens the exchange of the example file.
    pub fn open() -> Self {
        Self::of(LOCALNET)
    }

    /// Opens the exchange of a file's text.
    pub fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("exchange.toml");
        std::fs::write(&config, text).unwrap();
        let options = Options { so: program(), config, ports: Ports::default(), slot_time_ms: 20 };
        let world = World::open(&options, &mut |_| Ok(())).unwrap();
        write_keypair_file(&world.admin, folder.path().join("admin.json")).unwrap();
        Self { world, folder }
    }

    /// A file of the stage.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A wallet with so many dollars and SOL, native, and its key in `name`.
    pub fn wallet(&self, name: &str, quote: u64, sol: u64) -> Keypair {
        let wallet = self.world.wallet().unwrap();
        write_keypair_file(&wallet, self.path(name)).unwrap();
        self.world.give(&wallet.pubkey(), "USDC", quote).unwrap();
        self.world.give(&wallet.pubkey(), "SOL", sol).unwrap();
        wallet
    }

    fn run(&self, key: &str, arguments: &[&str]) -> Output {
        let key = self.path(key);
        let more = ["-u", self.world.chain.url(), "--ws", self.world.chain.ws_url(), "-k", &key];
        run(&[arguments, &more].concat())
    }

    /// What the command says as text; it must succeed.
    pub fn text(&self, key: &str, arguments: &[&str]) -> String {
        let output = self.run(key, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    }

    /// What the command says as JSON; it must succeed.
    pub fn json(&self, key: &str, arguments: &[&str]) -> Value {
        let text = self.text(key, &[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Lines of JSON that the command says; it must succeed.
    pub fn lines(&self, key: &str, arguments: &[&str]) -> Vec<Value> {
        let text = self.text(key, &[arguments, &["--json"]].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Exit code and error of a command that must fail.
    pub fn refused(&self, key: &str, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(key, &[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?} did not fail");
        let error: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (output.status.code().unwrap(), error["error"].clone())
    }
}

/// Runs the command in the project's folder, without anybody's configuration of the Solana tools.
pub fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).current_dir(root()).env("HOME", "/nonexistent").output().unwrap()
}

/// A number in a JSON text.
pub fn number(value: &Value) -> i64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}
