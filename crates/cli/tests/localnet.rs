//! `plimsoll localnet` as a user runs it.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn fetch(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_the_chain_and_the_page_and_funds_wallets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "the page").unwrap();
    let (page, admin) = (folder.path().display().to_string(), folder.path().join("admin.json").display().to_string());
    let wallet = Keypair::new().pubkey().to_string();
    common::program();
    let child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["localnet", "--json", "--page", &page, "--admin", &admin, "--fund", &wallet])
        .current_dir(common::root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let text = |key: &str| said[key].as_str().unwrap();
    assert!(fetch(text("page"), "/anything").ends_with("the page"));
    let answer = fetch(text("page"), "/config.json");
    let config: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    for key in ["rpc", "ws", "exchange"] {
        assert_eq!(config[key], said[key], "{key}");
    }
    // The file that it opened is what its admin finds on the chain, mints and all.
    let output =
        common::run(&["exchange", "plan", "migrations/localnet.toml", "-u", text("rpc"), "-k", &admin, "--json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&plan["transactions"], &plan["exchange"]), (&Value::from(0), &said["exchange"]));
    let output = common::run(&["doctor", "-u", text("rpc"), "-k", &admin]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
