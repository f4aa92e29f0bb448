//! What a user gets wrong ends in one clear line on stderr and a non-zero exit.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const LOCALNET: &str = include_str!("../../../migrations/localnet.toml");

struct Files {
    folder: TempDir,
}

impl Files {
    /// A folder with the example file and what begins like a program.
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let mut elf = vec![0; 64];
        elf[..4].copy_from_slice(b"\x7fELF");
        elf[18..20].copy_from_slice(&263u16.to_le_bytes());
        fs::write(files.path("program.so"), elf).unwrap();
        fs::write(files.path("exchange.toml"), LOCALNET).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The one line that `plimsoll demo` ends with.
    fn demo(&self, so: &Path, config: &Path, more: &[&str]) -> String {
        let (so, config) = (so.to_str().unwrap(), config.to_str().unwrap());
        refused(&[["demo", "--so", so, "--config", config].as_slice(), more].concat())
    }
}

/// Runs the command, which must fail, and answers the one line that it says on stderr.
fn refused(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    assert!(text.starts_with("plimsoll: "), "{text}");
    text.trim_end().to_string()
}

#[test]
fn a_missing_or_wrong_program() {
    let files = Files::new();
    let line = files.demo(&files.path("none.so"), &files.path("exchange.toml"), &[]);
    assert!(line.contains("none.so: No such file or directory") && line.contains("make program"), "{line}");
    let line = files.demo(&files.path("exchange.toml"), &files.path("exchange.toml"), &[]);
    assert!(line.ends_with("exchange.toml: not a program: no ELF file"), "{line}");
    let own = PathBuf::from(env!("CARGO_BIN_EXE_plimsoll"));
    let line = files.demo(&own, &files.path("exchange.toml"), &[]);
    assert!(line.contains("built for another machine"), "{line}");
}

#[test]
fn a_bad_key_and_a_bad_value() {
    let files = Files::new();
    fs::write(files.path("bad.toml"), LOCALNET.replacen("maintenance_ratio", "maintenence_ratio", 1)).unwrap();
    let line = files.demo(&files.path("program.so"), &files.path("bad.toml"), &[]);
    assert!(line.contains("bad.toml, line ") && line.contains("unknown field `maintenence_ratio`"), "{line}");
    fs::write(files.path("bad.toml"), LOCALNET.replacen("range_min = 0.06", "range_min = 15", 1)).unwrap();
    let line = files.demo(&files.path("program.so"), &files.path("bad.toml"), &[]);
    assert!(
        line.contains("bad.toml: markets.SOL.volatility.range_min: 15 is not allowed: a ratio from 0.001 to 0.8"),
        "{line}"
    );
    let line = files.demo(&files.path("program.so"), &files.path("none.toml"), &[]);
    assert!(line.contains("none.toml: No such file"), "{line}");
}

#[test]
fn a_busy_port() {
    let files = Files::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--rpc-port", "--ws-port"] {
        let line = files.demo(&files.path("program.so"), &files.path("exchange.toml"), &[option, &port]);
        let expected = format!("port {port} on 127.0.0.1 is not free: choose another with {option}");
        assert!(line.contains(&expected), "{line}");
    }
}

#[test]
fn a_server_that_is_not_there_and_a_key_that_is_none() {
    let files = Files::new();
    let url = "http://127.0.0.1:1";
    let line = refused(&["exchange", "show", "--url", url]);
    assert_eq!(line, "plimsoll: RPC: no server answers at the given URL");
    let key = files.path("exchange.toml");
    let line = refused(&["liquidate", "--url", url, "--keypair", key.to_str().unwrap()]);
    assert!(line.contains("exchange.toml: not a key pair file"), "{line}");
}
