//! What the two programs' `main` share.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use plimsoll_client::Address;
use solana_keypair::{Keypair, read_keypair_file};
use solana_signer::Signer as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Connection, Endpoint, Fees, KeeperFile},
    crank::{CRANKS, View},
    feed::Feed,
    live::Live,
    metrics::Metrics,
    sender::Sender,
    task::{self, Context, STATE_AGE_MAX},
};

/// Reads a key pair file as `solana-keygen` writes it.
///
/// # Errors
/// One line that says what the file is not.
pub fn keypair(path: &Path) -> Result<Keypair> {
    read_keypair_file(path).map_err(|error| anyhow!("{}: not a key pair file: {error}", path.display()))
}

/// Logs to standard error, as text or as one JSON object per line.
pub fn log(filter: &str, json: bool) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| anyhow!("--log {filter}: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        log.json().init()
    } else {
        log.with_target(false).init()
    }
    Ok(())
}

/// Runs a program to its end and says on standard error what was wrong, in one line.
pub fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A bot that is connected.
pub struct Bot {
    /// What its tasks need.
    pub context: Context,
    tasks: JoinSet<()>,
}

/// Connects: serves metrics, fetches everything, and keeps it up to date.
///
/// # Errors
/// A port that is not free, a key pair file that is none, an exchange that is not there.
pub async fn connect(
    name: &str,
    connection: &Connection,
    fees: &Fees,
    endpoint: &Endpoint,
    shutdown: CancellationToken,
) -> Result<Bot> {
    let metrics = Metrics::new(name)?;
    let keypair = keypair(&connection.keypair)?;
    if let Some(port) = endpoint.port {
        let served = metrics.serve(port, shutdown.clone()).await;
        let address = served.with_context(|| format!("port {port} on 127.0.0.1: choose another in [metrics]"))?;
        info!("metrics at http://{address}/metrics, health at http://{address}/health");
    }
    let feed = Feed::new(connection, Arc::clone(&metrics));
    let live: Arc<Live> = feed.open(&shutdown).await?;
    metrics.watch_live(Arc::clone(&live), STATE_AGE_MAX);
    let sender = Arc::new(Sender::new(Arc::clone(&feed.rpc), keypair, fees, Arc::clone(&metrics)).await?);
    let mut tasks = JoinSet::new();
    let (state, end) = (Arc::clone(&live), shutdown.clone());
    tasks.spawn(async move { feed.run(&state, end).await });
    Ok(Bot { context: Context { live, sender, metrics, shutdown }, tasks })
}

impl Bot {
    /// Runs one more task.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits until all have ended.
    ///
    /// # Errors
    /// A task that failed.
    pub async fn join(self) -> Result<()> {
        let shutdown = self.context.shutdown.clone();
        task::join(self.tasks, &shutdown).await
    }
}

/// Nothing where the end was asked for before the chain was reached, which is no failure.
///
/// # Errors
/// What kept the bot from connecting.
pub fn unless_ended(connected: Result<Bot>, shutdown: &CancellationToken) -> Result<Option<Bot>> {
    match connected {
        Err(_) if shutdown.is_cancelled() => Ok(None),
        connected => connected.map(Some),
    }
}

/// Runs the keeper until `shutdown`.
///
/// # Errors
/// What keeps it from starting; a task that failed.
pub async fn keeper(file: KeeperFile, shutdown: CancellationToken) -> Result<()> {
    let connected = connect("plimsoll_keeper", &file.connection, &file.fees, &file.metrics, shutdown.clone()).await;
    let Some(mut bot) = unless_ended(connected, &shutdown)? else { return Ok(()) };
    for crank in CRANKS {
        let table = file.task(crank.name);
        if !table.enabled {
            continue;
        }
        let patience = table.interval().saturating_mul(file.metrics.unhealthy_after_intervals);
        bot.context.metrics.expect(crank.name, patience.max(Duration::from_secs(5)));
        let (due, payer) = (file.due.clone(), bot.context.sender.payer());
        let run = task::run(crank.name, table, bot.context.clone(), move |state| {
            (crank.due)(&View { state, due: &due, payer })
        });
        bot.spawn(run);
    }
    info!(payer = %bot.context.sender.payer(), "keeping");
    bot.join().await
}

/// Options that stand above the file.
#[derive(clap::Args)]
pub struct Overrides {
    /// URL of JSON-RPC.
    #[arg(short = 'u', long, value_name = "URL")]
    rpc: Option<String>,
    /// URL of WebSocket.
    #[arg(long, value_name = "URL")]
    ws: Option<String>,
    /// Key pair file of who signs and pays.
    #[arg(short = 'k', long, value_name = "FILE")]
    keypair: Option<PathBuf>,
    /// Make the key pair file if there is none, print its address, and end.
    #[arg(long)]
    make_keypair: bool,
    /// Address of the exchange; the only one of the cluster where it is not given.
    #[arg(long, value_name = "ADDRESS")]
    exchange: Option<Address>,
    /// Port of metrics and health on 127.0.0.1; 0 for any.
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// What is logged: error, warn, info, debug, trace, or by module.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
    /// Log one JSON object per line.
    #[arg(long)]
    json: bool,
}

impl Overrides {
    /// Puts them into what the file said, and starts the log. Says whether there is more to do than that.
    ///
    /// # Errors
    /// A filter that is none; no key pair file.
    pub fn apply(self, connection: &mut Connection, endpoint: &mut Endpoint) -> Result<bool> {
        log(&self.log, self.json)?;
        if let Some(rpc) = self.rpc {
            connection.rpc = rpc;
        }
        if self.ws.is_some() {
            connection.ws = self.ws;
        }
        if let Some(keypair) = self.keypair {
            connection.keypair = keypair;
        }
        if let Some(exchange) = self.exchange {
            connection.exchange = Some(exchange.to_string());
        }
        if self.metrics_port.is_some() {
            endpoint.port = self.metrics_port;
        }
        ensure!(
            !connection.keypair.as_os_str().is_empty(),
            "no key pair file: name one with --keypair, or as keypair under [connection]"
        );
        if self.make_keypair {
            println!("{}", make_keypair(&connection.keypair)?.pubkey());
        }
        Ok(!self.make_keypair)
    }
}

/// The key pair in a file, which is made where there is none, for its owner alone to read.
fn make_keypair(path: &Path) -> Result<Keypair> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    if path.exists() {
        return keypair(path);
    }
    let made = Keypair::new();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("key pair file {}", path.display()))?;
    file.write_all(serde_json::to_string(&made.to_bytes().to_vec())?.as_bytes())?;
    Ok(made)
}

/// Runs a bot to its end on a runtime of its own.
///
/// # Errors
/// What the bot says.
pub fn block_on(bot: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bot)
}
