//! What a user gets wrong ends in one clear line on stderr and a non-zero exit.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
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

    /// Exit code and the one line that `plimsoll demo` ends with.
    fn demo(&self, so: &Path, deployment: &Path, more: &[&str]) -> (i32, String) {
        let (so, deployment) = (so.to_str().unwrap(), deployment.to_str().unwrap());
        refused(&[["demo", "--so", so, "--deployment", deployment].as_slice(), more].concat())
    }
}

/// Runs the command, without anybody's configuration of the Solana tools.
fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).env("HOME", "/nonexistent").output().unwrap()
}

/// Runs the command, which must fail, and answers its exit code and the one line that it says on stderr.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{text}");
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    assert!(text.starts_with("plimsoll: "), "{text}");
    (output.status.code().unwrap(), text.trim_end().to_string())
}

#[test]
fn a_missing_or_wrong_program() {
    let files = Files::new();
    let (_, line) = files.demo(&files.path("none.so"), &files.path("exchange.toml"), &[]);
    assert!(line.contains("none.so: No such file or directory") && line.contains("make program"), "{line}");
    let (_, line) = files.demo(&files.path("exchange.toml"), &files.path("exchange.toml"), &[]);
    assert!(line.ends_with("exchange.toml: not a program: no ELF file"), "{line}");
    let own = PathBuf::from(env!("CARGO_BIN_EXE_plimsoll"));
    let (_, line) = files.demo(&own, &files.path("exchange.toml"), &[]);
    assert!(line.contains("built for another machine"), "{line}");
}

#[test]
fn a_bad_key_and_a_bad_value() {
    let files = Files::new();
    fs::write(files.path("bad.toml"), LOCALNET.replacen("maintenance_ratio", "maintenence_ratio", 1)).unwrap();
    let (_, line) = files.demo(&files.path("program.so"), &files.path("bad.toml"), &[]);
    assert!(line.contains("bad.toml, line ") && line.contains("unknown field `maintenence_ratio`"), "{line}");
    fs::write(files.path("bad.toml"), LOCALNET.replacen("range_min = 0.06", "range_min = 15", 1)).unwrap();
    let (_, line) = files.demo(&files.path("program.so"), &files.path("bad.toml"), &[]);
    assert!(
        line.contains("bad.toml: markets.SOL.volatility.range_min: 15 is not allowed: a ratio from 0.001 to 0.8"),
        "{line}"
    );
    let (_, line) = files.demo(&files.path("program.so"), &files.path("none.toml"), &[]);
    assert!(line.contains("none.toml: No such file"), "{line}");
}

#[test]
fn a_busy_port() {
    let files = Files::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--rpc-port", "--ws-port"] {
        let (_, line) = files.demo(&files.path("program.so"), &files.path("exchange.toml"), &[option, &port]);
        let expected = format!("port {port} on 127.0.0.1 is not free: choose another with {option}");
        assert!(line.contains(&expected), "{line}");
    }
}

#[test]
fn a_server_that_is_not_there_and_a_key_that_is_none() {
    let files = Files::new();
    let url = "http://127.0.0.1:1";
    let (code, line) = refused(&["exchange", "show", "--url", url]);
    assert_eq!((code, line.as_str()), (3, "plimsoll: RPC: no server answers at the given URL"));
    let key = files.path("exchange.toml");
    let (code, line) = refused(&["liquidate", "--url", url, "--keypair", key.to_str().unwrap()]);
    assert!(code == 7 && line.contains("exchange.toml: not a key pair file"), "{code} {line}");
    let (code, line) = refused(&["exchange", "plan", files.path("none.toml").to_str().unwrap()]);
    assert!(code == 7 && line.ends_with("none.toml: No such file or directory (os error 2)"), "{code} {line}");
}

/// The error that a command ends with in JSON, and its exit code.
fn error_json(arguments: &[&str]) -> (i32, serde_json::Value) {
    let output = run(&[arguments, &["--json"]].concat());
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    (output.status.code().unwrap(), error["error"].clone())
}

#[test]
fn errors_in_json_have_a_code_a_name_and_a_message() {
    let (code, error) = error_json(&["bank", "list", "-u", "http://127.0.0.1:1"]);
    assert_eq!(code, 3);
    let expected =
        serde_json::json!({ "code": 3, "name": "Rpc", "message": "RPC: no server answers at the given URL" });
    assert_eq!(error, expected);
    let (code, error) = error_json(&["account", "deposit"]);
    assert_eq!((code, error["name"].as_str()), (2, Some("Usage")));
    let (code, error) = error_json(&["board", "list", "-C", "nowhere.yml"]);
    assert_eq!((code, error["message"].as_str()), (7, Some("nowhere.yml: No such file or directory (os error 2)")));
}

#[test]
fn shells_complete_every_command() {
    for (shell, sign) in [("bash", "complete -F"), ("zsh", "#compdef plimsoll"), ("fish", "complete -c plimsoll")] {
        let output = run(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains(sign), "{shell}");
        for word in ["what-if", "post-volatilities", "cancel-proposals"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let text = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(text.contains("Examples:") && text.contains("Exit codes:") && text.contains("--keypair"), "{text}");
    let text = String::from_utf8(run(&["board", "create", "--help"]).stdout).unwrap();
    assert!(text.contains("plimsoll board create SOL 2027-03-26 -k keeper.json"), "{text}");
}
