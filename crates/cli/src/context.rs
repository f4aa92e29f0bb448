//! What every command shares: which cluster, whose key, how to answer. The conventions are those of the Solana tools.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::Exchange,
    instruction,
    interface::token::token_amount,
    rpc::{Confirmed, Rpc},
};
use plimsoll_keeper::config::Commitment;
use serde::Deserialize;
use serde_json::Value;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;

use crate::{failure::Refusal, output, progress::Progress, wallet};

/// The cluster where neither the command line nor a configuration file names one.
const LOCALHOST: &str = "http://127.0.0.1:8899";

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Cluster: a URL, or one of localhost, devnet, testnet, mainnet-beta (l, d, t, m) [default: the Solana tools']
    #[arg(short = 'u', long, global = true, value_name = "URL_OR_MONIKER", help_heading = "Global options")]
    pub url: Option<String>,
    /// WebSocket server of the cluster [default: the one that belongs to the URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub ws: Option<String>,
    /// Key pair file of whoever signs and pays [default: the Solana tools']
    #[arg(short = 'k', long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub keypair: Option<PathBuf>,
    /// Configuration file of the Solana tools [default: ~/.config/solana/cli/config.yml]
    #[arg(short = 'C', long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// How settled what is read must be, and how long a transaction is waited for
    #[arg(long, global = true, value_enum, default_value_t = Commitment::Confirmed, help_heading = "Global options")]
    pub commitment: Commitment,
    /// The exchange, where the cluster has several
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Global options")]
    pub exchange: Option<Address>,
    /// Answer in JSON: one document, or a line for each thing that happens; errors too, on stderr
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
}

/// The part of the Solana tools' configuration file that matters here.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
struct SolanaConfig {
    #[serde(default)]
    json_rpc_url: String,
    #[serde(default)]
    websocket_url: String,
    #[serde(default)]
    keypair_path: String,
}

/// A command's surroundings.
pub struct Context {
    /// The connection.
    pub rpc: Rpc,
    /// URL of JSON-RPC.
    pub url: String,
    /// URL of WebSocket.
    pub ws_url: String,
    /// How settled what is read must be.
    pub commitment: Commitment,
    /// Whether answers are JSON.
    pub json: bool,
    keypair: Option<PathBuf>,
    exchange: Option<Address>,
}

impl Context {
    /// From the command line and the Solana tools' configuration.
    ///
    /// # Errors
    /// A configuration file that was named and cannot be read.
    pub fn new(global: &Global) -> Result<Self> {
        let config = read_config(global.config.as_deref())?;
        let given = |text: String| (!text.is_empty()).then_some(text);
        let named = global.url.is_some();
        let url = global.url.clone().or_else(|| given(config.json_rpc_url)).unwrap_or_else(|| LOCALHOST.into());
        let url = url_of(&url);
        // The file's WebSocket server belongs to the file's URL.
        let ws = global.ws.clone().or_else(|| given(config.websocket_url).filter(|_| !named));
        let ws_url = ws.unwrap_or_else(|| ws_url_of(&url));
        let keypair = global.keypair.clone().or_else(|| given(config.keypair_path).map(PathBuf::from));
        let commitment = global.commitment;
        let rpc = Rpc::with_commitment(&url, commitment.config());
        let exchange = global.exchange;
        Ok(Self { rpc, url, ws_url, commitment, json: global.json, keypair, exchange })
    }

    /// Who signs and pays.
    ///
    /// # Errors
    /// No key pair file anywhere, or one that is none.
    pub fn signer(&self) -> Result<Keypair> {
        wallet::read(&self.signer_file()?)
    }

    /// The key pair file of who signs and pays.
    ///
    /// # Errors
    /// None is named, and nobody knows where the usual one would be.
    pub fn signer_file(&self) -> Result<PathBuf> {
        let usual = home().map(|home| home.join(".config/solana/id.json"));
        let path = self
            .keypair
            .clone()
            .or(usual)
            .ok_or_else(|| Refusal::File("name a key pair file with --keypair".into()))?;
        Ok(expand(&path))
    }

    /// The exchange that is meant: the one named, or the only one there is.
    ///
    /// # Errors
    /// None, or several and none named.
    pub fn exchange(&self) -> Result<Keyed<Exchange>> {
        if let Some(address) = &self.exchange {
            return Ok(self.rpc.get(address)?);
        }
        let mut exchanges = self.rpc.exchanges()?;
        match (exchanges.pop(), exchanges.len()) {
            (None, _) => Err(Refusal::NotFound("there is no exchange on this cluster".into()).into()),
            (Some(only), 0) => Ok(only),
            (Some(_), more) => {
                let cause = format!("there are {} exchanges: name one with --exchange", more + 1);
                Err(Refusal::Usage(cause).into())
            }
        }
    }

    /// The least settled state of which there is a history.
    pub fn history_commitment(&self) -> CommitmentConfig {
        match self.commitment {
            Commitment::Processed => CommitmentConfig::confirmed(),
            settled => settled.config(),
        }
    }

    /// The exchange that the command line names, if it does.
    pub fn named_exchange(&self) -> Option<Address> {
        self.exchange
    }

    /// The exchange that is meant with everything that belongs to it.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        let exchange = self.exchange()?;
        Ok(self.rpc.snapshot(&exchange.address)?)
    }

    /// Sends one transaction and waits until it is confirmed.
    ///
    /// # Errors
    /// What the program or the cluster refuses.
    pub fn send(&self, instructions: &[Instruction], signer: &Keypair) -> Result<Confirmed> {
        let names: Vec<_> = instructions.iter().filter_map(|one| instruction::name(&one.data)).collect();
        let progress = Progress::spinner(&format!("Sending {}", names.join(", ")));
        let confirmed = self.rpc.send(instructions, signer, &[])?;
        drop(progress);
        Ok(confirmed)
    }

    /// What is in a token account, native units; `None` where there is none.
    ///
    /// # Errors
    /// What the cluster refuses.
    pub fn balance(&self, token_account: &Address) -> Result<Option<u64>> {
        Ok(self.rpc.raw(token_account)?.and_then(|account| token_amount(&account.data)))
    }

    /// Makes a wallet's token account of a mint of either token program.
    pub fn create_token_account(&self, owner: &Address, mint: &Address, token_program: &Address) -> Instruction {
        let mut create = instruction::create_token_account(owner, owner, mint);
        create.accounts[1].pubkey = instruction::associated_token_account_of(owner, mint, token_program);
        create.accounts[5].pubkey = *token_program;
        create
    }

    /// Answers the command: as JSON, or as text.
    ///
    /// # Errors
    /// A reader that went away.
    pub fn answer(&self, json: &Value, text: impl AsRef<str>) -> Result<()> {
        if self.json { output::line(format_args!("{json:#}")) } else { output::line(format_args!("{}", text.as_ref())) }
    }

    /// Answers one of many: as a line of JSON, or as text.
    ///
    /// # Errors
    /// A reader that went away.
    pub fn tell(&self, json: &Value, text: impl AsRef<str>) -> Result<()> {
        if self.json { output::line(format_args!("{json}")) } else { output::line(format_args!("{}", text.as_ref())) }
    }
}

/// Reads the configuration file that is named, or the usual one if there is one.
fn read_config(named: Option<&Path>) -> Result<SolanaConfig> {
    let usual = home().map(|home| home.join(".config/solana/cli/config.yml"));
    let Some(path) = named.map(Path::to_path_buf).or(usual) else { return Ok(SolanaConfig::default()) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if named.is_none() => return Ok(SolanaConfig::default()),
        Err(error) => return Err(Refusal::File(format!("{}: {error}", path.display())).into()),
    };
    serde_yaml_ng::from_str(&text)
        .map_err(|_| Refusal::File(format!("{}: not a configuration of the Solana tools", path.display())).into())
}

fn home() -> Option<PathBuf> {
    env::home_dir()
}

/// `~/` at the beginning of a path, as the configuration file may have it.
fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_path_buf(),
    }
}

/// The URL that a moniker stands for; any other text is one itself.
fn url_of(text: &str) -> String {
    match text {
        "l" | "localhost" => LOCALHOST.into(),
        "d" | "devnet" => "https://api.devnet.solana.com".into(),
        "t" | "testnet" => "https://api.testnet.solana.com".into(),
        "m" | "mainnet-beta" => "https://api.mainnet-beta.solana.com".into(),
        url => url.into(),
    }
}

/// The WebSocket server beside a JSON-RPC server: the next port where the URL names one, otherwise the same host.
fn ws_url_of(url: &str) -> String {
    let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => ("wss://", rest),
        (_, Some(rest)) => ("ws://", rest),
        _ => ("ws://", url),
    };
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let slash = if path.is_empty() { "" } else { "/" };
    let next = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?.checked_add(1)?)));
    match next {
        Some((name, port)) => format!("{scheme}{name}:{port}{slash}{path}"),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monikers_and_urls() {
        assert_eq!(url_of("l"), LOCALHOST);
        assert_eq!(url_of("mainnet-beta"), url_of("m"));
        assert_eq!(url_of("http://127.0.0.1:5"), "http://127.0.0.1:5");
    }

    #[test]
    fn the_websocket_server_stands_beside() {
        assert_eq!(ws_url_of("http://127.0.0.1:8899"), "ws://127.0.0.1:8900");
        assert_eq!(ws_url_of("https://example.org/key"), "wss://example.org/key");
        assert_eq!(ws_url_of("https://example.org:1/key"), "wss://example.org:2/key");
    }

    fn context(text: &str, url: Option<&str>) -> Result<Context> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let global = Global { config: Some(file.path().into()), url: url.map(String::from), ..Global::default() };
        Context::new(&global)
    }

    #[test]
    fn the_solana_tools_configuration_says_what_the_command_line_does_not() {
        let text = "---\njson_rpc_url: http://127.0.0.1:1\nwebsocket_url: ws://127.0.0.1:9\nkeypair_path: ~/k.json\naddress_labels:\n  a: b\ncommitment: confirmed\n";
        let found = context(text, None).unwrap();
        assert_eq!((found.url.as_str(), found.ws_url.as_str()), ("http://127.0.0.1:1", "ws://127.0.0.1:9"));
        assert_eq!(found.keypair, Some("~/k.json".into()));
        let named = context(text, Some("http://127.0.0.1:5")).unwrap();
        assert_eq!(named.ws_url, "ws://127.0.0.1:6");
        // The tools leave the WebSocket server empty where it follows from the URL.
        let found = context("json_rpc_url: http://127.0.0.1:1\nwebsocket_url: ''\n", None).unwrap();
        assert_eq!(found.ws_url, "ws://127.0.0.1:2");
    }

    #[test]
    fn a_configuration_that_is_none_is_named() {
        let error = context("[", None).err().unwrap().to_string();
        assert!(error.ends_with("not a configuration of the Solana tools"), "{error}");
        let global = Global { config: Some("nowhere.yml".into()), ..Global::default() };
        assert!(Context::new(&global).err().unwrap().to_string().starts_with("nowhere.yml: "));
    }
}
