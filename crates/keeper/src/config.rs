//! The files of the keeper and of the liquidator. Times say their unit in their name, money is US dollars, ratios are
//! decimals (`0.01` is 1 %). An unknown key is refused by name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;
use plimsoll_client::Address;
use serde::{Deserialize, de::DeserializeOwned};
use solana_commitment_config::CommitmentConfig;

use crate::crank;

/// What is wrong with a file, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// The file is not TOML, or a key is unknown, missing or of another type.
    #[error("{file}, line {line}: {key}: {cause}")]
    Malformed {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Key or table.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// A value is outside of what is allowed.
    #[error("{file}: {key}: {cause}")]
    NotAllowed {
        /// The file.
        file: String,
        /// Key or table.
        key: String,
        /// What was given and what is allowed.
        cause: String,
    },
}

/// Where the chain is, and who acts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connection {
    /// URL of JSON-RPC.
    pub rpc: String,
    /// URL of WebSocket; without it, everything is polled.
    pub ws: Option<String>,
    /// Address of the exchange; the only one of the cluster where it is not given.
    pub exchange: Option<String>,
    /// Key pair file of who signs and pays.
    pub keypair: PathBuf,
    /// `processed`, `confirmed` or `finalized`: what is read, and what counts as sent.
    pub commitment: Commitment,
    /// How often clock and prices are fetched, besides what is subscribed to.
    pub clock_ms: u64,
    /// How often everything is fetched while no subscription works.
    pub poll_ms: u64,
    /// How often everything is fetched while subscriptions work, against what they lost.
    pub reconcile_seconds: u64,
    /// A socket that says nothing for this long is given up.
    pub silence_seconds: u64,
    /// How long a request may take.
    pub timeout_ms: u64,
    /// Longest pause between two attempts to reach the server.
    pub retry_max_seconds: u64,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            rpc: "http://127.0.0.1:8899".into(),
            ws: None,
            exchange: None,
            keypair: PathBuf::new(),
            commitment: Commitment::Confirmed,
            clock_ms: 1_000,
            poll_ms: 2_000,
            reconcile_seconds: 60,
            silence_seconds: 10,
            timeout_ms: 10_000,
            retry_max_seconds: 30,
        }
    }
}

/// How settled what is read must be.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// Seen by the server.
    Processed,
    /// Voted for by two thirds of the stake.
    #[default]
    Confirmed,
    /// Never rolled back.
    Finalized,
}

impl Commitment {
    /// As the RPC client has it.
    pub fn config(self) -> CommitmentConfig {
        match self {
            Self::Processed => CommitmentConfig::processed(),
            Self::Confirmed => CommitmentConfig::confirmed(),
            Self::Finalized => CommitmentConfig::finalized(),
        }
    }
}

/// What a transaction pays for, and how long it is tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fees {
    /// How the price of a compute unit is found.
    pub priority: Priority,
    /// Price of a compute unit where it is fixed, and the least otherwise, 1e-6 lamports.
    pub micro_lamports: u64,
    /// The most, 1e-6 lamports.
    pub micro_lamports_max: u64,
    /// Which percentile of the fees that were paid lately for the same accounts.
    pub percentile: u8,
    /// What the compute limit is above what a simulation used.
    pub compute_margin: f64,
    /// How often a transaction that is not confirmed is sent again.
    pub resend_ms: u64,
    /// How often it is asked whether it is confirmed.
    pub confirm_ms: u64,
    /// After this long it is given up, even if it may still land.
    pub give_up_seconds: u64,
    /// Addresses of lookup tables, for transactions that name many accounts on clusters without v1 transactions.
    pub lookup_tables: Vec<String>,
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            priority: Priority::Percentile,
            micro_lamports: 1_000,
            micro_lamports_max: 1_000_000,
            percentile: 75,
            compute_margin: 0.1,
            resend_ms: 2_000,
            confirm_ms: 200,
            give_up_seconds: 90,
            lookup_tables: Vec::new(),
        }
    }
}

/// How the price of a compute unit is found.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Always the same.
    Fixed,
    /// A percentile of what was paid lately.
    Percentile,
}

/// The endpoint of metrics and health.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// Port on 127.0.0.1; zero for any, nothing for none.
    pub port: Option<u16>,
    /// A task that has not succeeded for this many of its intervals is unwell.
    pub unhealthy_after_intervals: u32,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { port: Some(9_184), unhealthy_after_intervals: 10 }
    }
}

/// One task of the keeper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskTable {
    /// Whether it runs.
    pub enabled: bool,
    /// How often it looks for work.
    pub interval_ms: u64,
    /// Longest pause after failures.
    pub backoff_max_seconds: u64,
    /// How many transactions one look sends at most.
    pub at_once: usize,
}

impl Default for TaskTable {
    fn default() -> Self {
        Self { enabled: true, interval_ms: 2_000, backoff_max_seconds: 60, at_once: 8 }
    }
}

impl TaskTable {
    /// How often it looks for work.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

/// When the keeper's work is due.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Due {
    /// A stored price is renewed at this part of the age up to which it is fresh.
    pub observe_at_age: f64,
    /// Or when the price has moved by this much.
    pub observe_at_move: f64,
    /// A bank's interest is accrued after this long.
    pub accrue_seconds: i64,
    /// A market's funding is accrued after this long.
    pub funding_seconds: i64,
    /// A board is refreshed at this part of the age, or of the move, up to which it is good.
    pub refresh_at: f64,
    /// Cash is settled from this much on.
    pub settle_usd: f64,
    /// The house is valued after this long.
    pub value_seconds: i64,
    /// How many markets one valuation passes at most.
    pub value_markets: u16,
    /// An exchange rate is renewed at this part of the age up to which it is fresh.
    pub rate_at_age: f64,
    /// A running auction is seen again after this part of its duration.
    pub flag_at: f64,
}

impl Default for Due {
    fn default() -> Self {
        Self {
            observe_at_age: 0.5,
            observe_at_move: 0.002,
            accrue_seconds: 3_600,
            funding_seconds: 3_600,
            refresh_at: 0.5,
            settle_usd: 100.0,
            value_seconds: 30,
            value_markets: 10,
            rate_at_age: 0.5,
            flag_at: 0.25,
        }
    }
}

/// The keeper's file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeeperFile {
    /// Where the chain is, and who acts.
    pub connection: Connection,
    /// What a transaction pays for.
    pub fees: Fees,
    /// The endpoint of metrics and health.
    pub metrics: Endpoint,
    /// When work is due.
    pub due: Due,
    /// Tasks by name; those that are not named run with defaults.
    pub tasks: BTreeMap<String, TaskTable>,
}

/// What is done with what was taken over, and with whatever else the margin account has.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Unwind {
    /// Positions and options are closed against the house, collateral is sold and debts are repaid by swaps.
    Close,
    /// It stays, and perpetuals are traded against its delta.
    Hedge,
    /// It stays.
    Keep,
}

/// How the liquidator decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Say what would be done, send nothing.
    pub dry_run: bool,
    /// Take over also what is expected to lose money.
    pub allow_loss: bool,
    /// Take over from this expected profit on.
    pub profit_min_usd: f64,
    /// Take over from this discount on, or this reward of the insurance, as a part of the requirement.
    pub discount_min: f64,
    /// What a lamport of fees is worth, as dollars per SOL.
    pub sol_usd: f64,
    /// What is done with what was taken over.
    pub unwind: Unwind,
    /// How far the price of the underlying may move while an unwinding trade is under way, as a part of it.
    pub slippage: f64,
    /// Holdings below this value are left where they are.
    pub dust_usd: f64,
    /// Which of the owner's margin accounts it uses.
    pub account: u16,
    /// The wallet's quote tokens are deposited at the start.
    pub deposit: bool,
    /// Liquidate without capital where the own margin allows nothing.
    pub without_capital: bool,
    /// How often everything is computed anew, even without a price.
    pub look_ms: u64,
    /// How many accounts are taken over at once.
    pub at_once: usize,
    /// Have losses of accounts without equity covered by who comes next.
    pub resolve: bool,
    /// What adapters want besides to pay out a lien: their accounts, by program.
    pub adapters: BTreeMap<String, Vec<AdapterAccount>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            dry_run: false,
            allow_loss: false,
            profit_min_usd: 0.0,
            discount_min: 0.0,
            sol_usd: 150.0,
            unwind: Unwind::Close,
            slippage: 0.02,
            dust_usd: 1.0,
            account: 0,
            deposit: true,
            without_capital: true,
            look_ms: 1_000,
            at_once: 8,
            resolve: true,
            adapters: BTreeMap::new(),
        }
    }
}

/// One account that an adapter's program wants: always the same, or another for each record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterAccount {
    /// Its address, where it is always the same.
    pub address: Option<String>,
    /// Where in the record's data its address stands, where each record names its own: a vault, most often.
    pub record_offset: Option<usize>,
    /// Whether it is written.
    pub writable: bool,
}

impl AdapterAccount {
    /// Its address; `None` where the record is too short to name one.
    pub fn address(&self, record: &[u8]) -> Option<Address> {
        match (&self.address, self.record_offset) {
            (Some(text), _) => text.parse().ok(),
            (None, Some(offset)) => record.get(offset..)?.first_chunk().copied().map(Address::new_from_array),
            (None, None) => None,
        }
    }
}

/// The liquidator's file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiquidatorFile {
    /// Where the chain is, and who acts.
    pub connection: Connection,
    /// What a transaction pays for.
    pub fees: Fees,
    /// The endpoint of metrics and health.
    pub metrics: Endpoint,
    /// How it decides.
    pub policy: Policy,
}

impl KeeperFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&path.display().to_string(), &text(path)?)
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let parsed: Self = parse(file, text)?;
        let check = Check { file };
        check.common(&parsed.connection, &parsed.fees, &parsed.metrics)?;
        for (name, task) in &parsed.tasks {
            let key = format!("tasks.{name}");
            let names = crank::names().join(", ");
            check.that(&key, crank::names().contains(&name.as_str()), || format!("no such task; there are {names}"))?;
            check.at_least_one(&format!("{key}.interval_ms"), task.interval_ms)?;
            check.at_least_one(&format!("{key}.at_once"), task.at_once as u64)?;
        }
        let due = &parsed.due;
        for (key, part) in [
            ("due.observe_at_age", due.observe_at_age),
            ("due.refresh_at", due.refresh_at),
            ("due.rate_at_age", due.rate_at_age),
            ("due.flag_at", due.flag_at),
        ] {
            check.within(key, part, 0.0, 1.0)?;
        }
        check.within("due.observe_at_move", due.observe_at_move, 0.0, 1.0)?;
        check.within("due.settle_usd", due.settle_usd, 0.0, 1e12)?;
        check.at_least_one("due.value_markets", u64::from(due.value_markets))?;
        Ok(parsed)
    }

    /// A task's table.
    pub fn task(&self, name: &str) -> TaskTable {
        self.tasks.get(name).cloned().unwrap_or_default()
    }
}

impl LiquidatorFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&path.display().to_string(), &text(path)?)
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let parsed: Self = parse(file, text)?;
        let check = Check { file };
        check.common(&parsed.connection, &parsed.fees, &parsed.metrics)?;
        let policy = &parsed.policy;
        check.within("policy.slippage", policy.slippage, 0.0, 0.5)?;
        check.within("policy.profit_min_usd", policy.profit_min_usd, -1e12, 1e12)?;
        check.within("policy.discount_min", policy.discount_min, 0.0, 1.0)?;
        check.within("policy.dust_usd", policy.dust_usd, 0.0, 1e12)?;
        check.within("policy.sol_usd", policy.sol_usd, 0.0, 1e9)?;
        check.at_least_one("policy.look_ms", policy.look_ms)?;
        check.at_least_one("policy.at_once", policy.at_once as u64)?;
        for (program, accounts) in &policy.adapters {
            check.address("policy.adapters", program)?;
            for account in accounts {
                let key = format!("policy.adapters.{program}");
                let is_one = account.address.is_some() != account.record_offset.is_some();
                check.that(&key, is_one, || "each account has either an address or a record_offset".into())?;
                account.address.iter().try_for_each(|address| check.address(&key, address))?;
            }
        }
        Ok(parsed)
    }
}

/// Checks of one file.
struct Check<'a> {
    file: &'a str,
}

impl Check<'_> {
    fn that(&self, key: &str, holds: bool, cause: impl Fn() -> String) -> Result<(), ConfigError> {
        if holds {
            return Ok(());
        }
        Err(ConfigError::NotAllowed { file: self.file.into(), key: key.into(), cause: cause() })
    }

    fn within(&self, key: &str, value: f64, least: f64, most: f64) -> Result<(), ConfigError> {
        self.that(key, value >= least && value <= most, || format!("{value} is not between {least} and {most}"))
    }

    fn at_least_one(&self, key: &str, value: u64) -> Result<(), ConfigError> {
        self.that(key, value > 0, || "0 is not allowed: at least 1".into())
    }

    fn address(&self, key: &str, text: &str) -> Result<(), ConfigError> {
        self.that(key, text.parse::<Address>().is_ok(), || format!("{text} is not an address"))
    }

    fn common(&self, connection: &Connection, fees: &Fees, endpoint: &Endpoint) -> Result<(), ConfigError> {
        let is_url = |url: &str, schemes: [&str; 2]| schemes.iter().any(|scheme| url.starts_with(scheme));
        self.that("connection.rpc", is_url(&connection.rpc, ["http://", "https://"]), || {
            format!("{:?} is not a URL: it begins with http:// or https://", connection.rpc)
        })?;
        if let Some(ws) = &connection.ws {
            self.that("connection.ws", is_url(ws, ["ws://", "wss://"]), || {
                format!("{ws:?} is not a URL: it begins with ws:// or wss://")
            })?;
        }
        if let Some(exchange) = &connection.exchange {
            self.address("connection.exchange", exchange)?;
        }
        for (key, value) in [
            ("connection.clock_ms", connection.clock_ms),
            ("connection.poll_ms", connection.poll_ms),
            ("connection.reconcile_seconds", connection.reconcile_seconds),
            ("connection.silence_seconds", connection.silence_seconds),
            ("connection.timeout_ms", connection.timeout_ms),
            ("fees.resend_ms", fees.resend_ms),
            ("fees.confirm_ms", fees.confirm_ms),
            ("fees.give_up_seconds", fees.give_up_seconds),
            ("metrics.unhealthy_after_intervals", u64::from(endpoint.unhealthy_after_intervals)),
        ] {
            self.at_least_one(key, value)?;
        }
        for table in &fees.lookup_tables {
            self.address("fees.lookup_tables", table)?;
        }
        self.within("fees.percentile", f64::from(fees.percentile), 0.0, 100.0)?;
        self.within("fees.compute_margin", fees.compute_margin, 0.0, 10.0)?;
        self.that("fees.micro_lamports_max", fees.micro_lamports_max >= fees.micro_lamports, || {
            format!("{} is below micro_lamports, {}", fees.micro_lamports_max, fees.micro_lamports)
        })
    }
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let file = path.display().to_string();
    std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { file, cause: error.to_string() })
}

/// Reads the tables of `text`; `file` names it in errors.
fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    let malformed = |key: String, error: &toml::de::Error| ConfigError::Malformed {
        file: file.into(),
        line: error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1),
        key,
        cause: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let document = toml::de::Deserializer::parse(text).map_err(|error| malformed("not TOML".into(), &error))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        malformed(key, error.inner())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_files_are_right() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let keeper = KeeperFile::read(&root.join("keeper.toml")).unwrap();
        assert!(crank::names().iter().all(|name| keeper.tasks.contains_key(*name)), "a task is not in keeper.toml");
        LiquidatorFile::read(&root.join("liquidator.toml")).unwrap();
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let error = |text: &str| KeeperFile::parse("k.toml", text).unwrap_err().to_string();
        assert_eq!(
            error("[fees]\npercentil = 3"),
            "k.toml, line 2: fees.percentil: unknown field `percentil`, expected one of `priority`, `micro_lamports`, `micro_lamports_max`, `percentile`, `compute_margin`, `resend_ms`, `confirm_ms`, `give_up_seconds`, `lookup_tables`"
        );
        assert_eq!(
            error("[tasks.observ]"),
            format!("k.toml: tasks.observ: no such task; there are {}", crank::names().join(", "))
        );
        assert_eq!(
            error("[tasks.observe]\ninterval_ms = 0"),
            "k.toml: tasks.observe.interval_ms: 0 is not allowed: at least 1"
        );
        assert_eq!(
            error("[connection]\nrpc = \"localhost\""),
            "k.toml: connection.rpc: \"localhost\" is not a URL: it begins with http:// or https://"
        );
        assert_eq!(
            error("[fees]\nmicro_lamports = 5\nmicro_lamports_max = 4"),
            "k.toml: fees.micro_lamports_max: 4 is below micro_lamports, 5"
        );
        assert_eq!(error("[due]\nrefresh_at = 1.5"), "k.toml: due.refresh_at: 1.5 is not between 0 and 1");
        assert!(error("[fees").starts_with("k.toml, line 1: not TOML: "));
        let missing = KeeperFile::read(Path::new("/nowhere/k.toml")).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/k.toml: "), "{missing}");
    }

    #[test]
    fn the_liquidators_addresses_are_checked() {
        let error = |text: &str| LiquidatorFile::parse("l.toml", text).unwrap_err().to_string();
        assert_eq!(error("[policy.adapters]\nnobody = []"), "l.toml: policy.adapters: nobody is not an address");
        let both =
            format!("[policy.adapters]\n{0} = [{{ address = \"{0}\", record_offset = 152 }}]", Address::default());
        let expected = "each account has either an address or a record_offset";
        assert_eq!(error(&both), format!("l.toml: policy.adapters.{}: {expected}", Address::default()));
        assert_eq!(error("[policy]\nslippage = 0.9"), "l.toml: policy.slippage: 0.9 is not between 0 and 0.5");
        assert!(error("[policy]\nunwind = \"run\"").contains("policy.unwind"));
    }
}
