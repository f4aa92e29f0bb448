//! A local chain with an exchange, people who trade on it, and bots as processes of their own.
#![allow(dead_code, reason = "every test takes what it needs")]

pub mod proxy;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use plimsoll_client::{
    Address, Error, Keyed,
    accounts::{Board, MAX_STRIKES, MarginAccount},
    address,
    decode::symbol,
    instruction::{account, board},
    interface::instruction::{CreateBoardArgs, ListStrikesArgs, OpenOptionArgs, OpenPositionArgs, StrikePrice},
};
use plimsoll_localnet::{Options, Ports, World};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;

/// What the bots log: what the liquidator leaves alone, too.
const LOG: &str = "info,plimsoll_keeper::liquidator=debug";
/// How long anything that a bot is to do may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A local chain with a block every `slot_time_ms`, and the exchange of the localnet's file.
pub fn world(slot_time_ms: u64) -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let options = Options {
        so: root.join("target/deploy/plimsoll.so"),
        config: root.join("migrations/localnet.toml"),
        ports: Ports::default(),
        slot_time_ms,
    };
    World::open(&options, &mut |_| Ok(())).unwrap()
}

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not within {} s", PATIENCE.as_secs())
}

/// A bot's process. Dropping it ends it.
pub struct Bot {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    _folder: TempDir,
}

impl Bot {
    /// Starts the keeper with a file of `settings`, its connection not among them.
    pub fn keeper(url: &str, ws: &str, keypair: &Keypair, settings: &str) -> Self {
        Self::start(env!("CARGO_BIN_EXE_plimsoll-keeper"), url, ws, keypair, settings)
    }

    /// The same of the liquidator.
    pub fn liquidator(url: &str, ws: &str, keypair: &Keypair, settings: &str) -> Self {
        Self::start(env!("CARGO_BIN_EXE_plimsoll-liquidator"), url, ws, keypair, settings)
    }

    fn start(program: &str, url: &str, ws: &str, keypair: &Keypair, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, config) = (folder.path().join("key.json"), folder.path().join("bot.toml"));
        std::fs::write(&key, serde_json::to_string(&keypair.to_bytes().to_vec()).unwrap()).unwrap();
        std::fs::write(&config, settings).unwrap();
        let mut child = Command::new(program)
            .args(["--rpc", url, "--ws", ws, "--metrics-port", "0", "--json", "--log", LOG, "--keypair"])
            .arg(&key)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if std::env::var_os("PLIMSOLL_TEST_LOG").is_some() {
                    eprintln!("{line}");
                }
                sink.lock().unwrap().push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { child, lines, _folder: folder }
    }

    /// Texts of what it has logged.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().map(Value::to_string).collect()
    }

    /// Waits until it has logged something with `text` in it.
    pub fn wait_for_log(&self, text: &str) -> String {
        wait_for(text, || self.log().into_iter().find(|line| line.contains(text)))
    }

    /// What its endpoint answers.
    pub fn get(&self, path: &str) -> String {
        let line = self.wait_for_log("metrics at http://");
        let from = line.find("metrics at http://").unwrap() + "metrics at http://".len();
        let address = line[from..].split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of a metric, with its labels as they are printed; zero where there is none yet.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = self.get("/metrics");
        let line = answer.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    /// Asks it to end, and waits for that.
    pub fn terminate(&mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        wait_for("the bot ends", || self.child.try_wait().unwrap())
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A wallet with a margin account.
pub struct Trader {
    pub wallet: Keypair,
    pub account: Address,
}

impl Trader {
    pub fn open(world: &mut World) -> Self {
        let wallet = world.wallet().unwrap();
        let owner = wallet.pubkey();
        let create = account::Create { payer: owner, owner, exchange: world.exchange, index: 0 };
        world.send(&[create.instruction()], &wallet).unwrap();
        Self { account: address::margin_account(&world.exchange, &owner, 0), wallet }
    }

    pub fn deposit(&self, world: &mut World, symbol: &str, amount: u64) {
        let source = world.give(&self.wallet.pubkey(), symbol, amount).unwrap();
        let mint = world.mint(symbol).unwrap();
        let deposit = world.snapshot().unwrap().deposit(self.wallet.pubkey(), &self.account, &mint, source, amount);
        world.send(&[deposit.unwrap()], &self.wallet).unwrap();
    }

    /// Buys base units, or sells where negative, within 2 % of the price.
    pub fn trade(&self, world: &mut World, symbol: &str, size: i64) {
        world.publish().unwrap();
        let (market, snapshot) = (market(world, symbol), world.snapshot().unwrap());
        let spot = plimsoll_client::interface::bridge::Inputs::market(&snapshot, &market).unwrap().1.spot.raw();
        let limit_price = if size > 0 { spot / 50 * 51 } else { spot / 50 * 49 };
        let args = OpenPositionArgs { size, limit_price, expires_at: 0, reduce_only: 0 };
        let order = snapshot.open_position(self.wallet.pubkey(), &self.now(world), &market, args).unwrap();
        world.send(&[order], &self.wallet).unwrap();
    }

    /// Buys lots of a series, or sells where negative, at any price.
    pub fn trade_option(&self, world: &mut World, board: &Address, series: u8, lots: i64) {
        world.publish().unwrap();
        let snapshot = world.snapshot().unwrap();
        let limit_price = if lots > 0 { u64::MAX >> 8 } else { 1 };
        let args = OpenOptionArgs { lots, limit_price, expires_at: 0, series, reduce_only: 0 };
        let order = snapshot.open_option(self.wallet.pubkey(), &self.now(world), board, args).unwrap();
        world.send(&[refresh(world, board), order], &self.wallet).unwrap();
    }

    pub fn now(&self, world: &World) -> Keyed<MarginAccount> {
        world.account(&self.account).unwrap()
    }

    /// Its maintenance health.
    pub fn health(&self, world: &World) -> Result<i64, Error> {
        let margin = world.snapshot().unwrap().margin(&self.now(world).data)?;
        Ok(margin.health_maint().map_err(|error| Error::Program(error.into()))?.raw())
    }
}

/// Address of the market of a symbol.
pub fn market(world: &World, name: &str) -> Address {
    let snapshot = world.snapshot().unwrap();
    snapshot.markets.iter().find(|(_, market)| symbol(market) == name).map(|(address, _)| *address).unwrap()
}

/// `refresh_board` at the price account's price.
pub fn refresh(world: &World, board: &Address) -> solana_instruction::Instruction {
    let snapshot = world.snapshot().unwrap();
    let market = snapshot.boards[board].market;
    let oracle = snapshot.prices.get(&market).map(|price| price.address);
    board::Refresh { exchange: world.exchange, market, board: *board, oracle, max_strikes: 0 }.instruction()
}

/// A board of SOL that expires at the next 08:00 UTC that is at least `seconds` away.
pub fn open_board(world: &mut World, seconds: i64) -> (Address, Board) {
    open_board_at(world, 0, seconds)
}

/// The same in a slot of the market.
pub fn open_board_at(world: &mut World, slot: u8, seconds: i64) -> (Address, Board) {
    let (market, now) = (market(world, "SOL"), world.rpc().now().unwrap());
    let expiry = ((now + seconds - 28_800).div_euclid(86_400) + 1) * 86_400 + 28_800;
    let (authority, exchange, board) = (world.admin.pubkey(), world.exchange, address::board(&market, slot));
    let create = board::Create { authority, exchange, market, args: CreateBoardArgs { expiry, slot } };
    let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
    for (slot, dollars) in strikes.iter_mut().zip([28, 32, 36, 40, 44, 48]) {
        *slot = StrikePrice { digits: dollars * 10, exponent: -1 };
    }
    let oracle = world.snapshot().unwrap().prices.get(&market).map(|price| price.address);
    let list = board::ListStrikes { authority, exchange, market, board, oracle, args: ListStrikesArgs { strikes } };
    let admin = world.admin.insecure_clone();
    world.send(&[create.instruction(), list.instruction()], &admin).unwrap();
    world.send(&[refresh(world, &board)], &admin).unwrap();
    (board, world.rpc().get::<Board>(&board).unwrap().data)
}

/// Where the repository is.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
