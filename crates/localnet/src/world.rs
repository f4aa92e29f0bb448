//! A local chain with the program on it, mints, prices and an open exchange: what `demo` and `localnet` start with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use plimsoll_client::{
    Address, Error, ID, Keyed, Snapshot,
    accounts::MarginAccount,
    event::Event,
    instruction::{self, associated_token_account, market},
    price::PriceUpdate,
    rpc::{Confirmed, Rpc},
};
use plimsoll_migrations::{Deployment, MarketSpec, RpcChain, RunError, Step};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::chain::{self, LocalChain, Ports};

/// Prices that a local chain starts with, in whole dollars; any other market starts at one dollar.
const START_PRICES: [(&str, i64); 3] = [("BTC", 30_000), ("ETH", 1_800), ("SOL", 40)];
/// Exponent of the published prices, as Pyth's for crypto.
const EXPONENT: i32 = -8;
/// One dollar at that exponent.
const DOLLAR: i64 = 100_000_000;
/// Published confidence: this fraction of the price.
const CONFIDENCE_DIVISOR: u64 = 1_000;
/// Lamports that a wallet of the local chain starts with.
const WALLET_LAMPORTS: u64 = 100_000_000_000;

/// Supply of a new mint, whole tokens.
const SUPPLY_TOKENS: u64 = 1_000_000_000;

/// A price feed of the local chain, which publishes it itself in Pyth's place.
struct Feed {
    spec: MarketSpec,
    start: i64,
    price: i64,
    ema: i64,
}

/// Compute units by kind of instruction, in order of the program's tags.
#[derive(Default)]
pub struct Meter(BTreeMap<u8, Vec<u64>>);

impl Meter {
    /// Notes what a confirmed transaction's instructions used.
    pub fn record(&mut self, instructions: &[Instruction], compute_units: &[u64]) {
        let ours = instructions.iter().filter(|instruction| instruction.program_id == ID);
        for (instruction, units) in ours.zip(compute_units) {
            self.note(instruction.data.first().copied().unwrap_or(u8::MAX), *units);
        }
    }

    /// Notes what one instruction used.
    pub fn note(&mut self, tag: u8, units: u64) {
        self.0.entry(tag).or_default().push(units);
    }

    /// Name and compute units of each kind.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &[u64])> {
        self.0.iter().map(|(tag, units)| (instruction::name(&[*tag]).unwrap_or("unknown"), units.as_slice()))
    }
}

/// What a local chain starts with.
#[derive(Clone, Debug)]
pub struct Options {
    /// File of the program to deploy.
    pub so: PathBuf,
    /// Deployment file of the exchange to open.
    pub config: PathBuf,
    /// Ports to serve on.
    pub ports: Ports,
    /// Milliseconds between blocks.
    pub slot_time_ms: u64,
}

/// Where progress goes, a line at a time; an error ends the work.
pub type Progress<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

/// The local chain and what is on it.
pub struct World {
    /// The chain.
    pub chain: LocalChain,
    /// Key of the exchange's admin.
    pub admin: Keypair,
    /// What was opened.
    pub deployment: Deployment,
    /// Address of the exchange.
    pub exchange: Address,
    /// Compute units so far.
    pub meter: Meter,
    feeds: Vec<Feed>,
}

impl World {
    /// Starts a chain, deploys, makes mints and prices, and opens the exchange; tells `progress` so.
    ///
    /// # Errors
    /// One line for each thing that may be wrong with program, file or ports; whatever the chain refuses.
    pub fn open(options: &Options, progress: Progress<'_>) -> Result<Self> {
        let program = chain::read_program(&options.so)?;
        let wanted = Deployment::read(&options.config)?;
        progress("Starting a local chain")?;
        let chain = LocalChain::start(options.ports, options.slot_time_ms)?;
        progress(&format!("Deploying {} ({} bytes)", options.so.display(), program.len()))?;
        chain.deploy(&ID, &program).with_context(|| options.so.display().to_string())?;
        let admin = Keypair::new();
        chain.fund(&admin.pubkey(), WALLET_LAMPORTS)?;
        progress("Making mints and price accounts")?;
        let deployment = with_new_mints(wanted, &chain, &admin.pubkey())?;
        let feeds = deployment.markets.iter().cloned().map(Feed::new).collect();
        let exchange = deployment.address(&admin.pubkey());
        let mut world = Self { chain, admin, deployment, exchange, meter: Meter::default(), feeds };
        world.publish()?;
        let quote = world.deployment.quote.symbol.clone();
        world.give(&world.admin.pubkey(), &quote, world.deployment.house_deposit)?;
        progress("Opening the exchange")?;
        world.migrate(progress).map_err(|error| hint(error, &options.so))?;
        Ok(world)
    }

    /// A connection to the chain.
    pub fn rpc(&self) -> &Rpc {
        self.chain.rpc()
    }

    /// Brings the exchange to what the file wants, and answers how many steps that took.
    ///
    /// # Errors
    /// The step that failed, and why.
    pub fn migrate(&mut self, progress: Progress<'_>) -> Result<usize, RunError<Error>> {
        let deployment = self.deployment.clone();
        let admin = self.admin.insecure_clone();
        let meter = &mut self.meter;
        let on_confirmed =
            |step: &Step, confirmed: &Confirmed| meter.record(&step.instructions, &confirmed.compute_units);
        let mut sender = RpcChain { rpc: self.chain.rpc(), admin: &admin, on_confirmed };
        plimsoll_migrations::run(&deployment, &admin.pubkey(), &mut sender, |step: &Step| {
            // A reader that is gone is found out by the next line that can fail.
            let _ = progress(&format!("  {}", step.name));
        })
    }

    /// A new wallet with lamports.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn wallet(&self) -> Result<Keypair> {
        let wallet = Keypair::new();
        self.chain.fund(&wallet.pubkey(), WALLET_LAMPORTS)?;
        Ok(wallet)
    }

    /// Puts native units of a mint into a wallet's token account, in place of what was there.
    ///
    /// # Errors
    /// A symbol without a bank; what the chain refuses.
    pub fn give(&self, wallet: &Address, symbol: &str, amount: u64) -> Result<Address> {
        let mint = self.mint(symbol)?;
        let address = associated_token_account(wallet, &mint);
        self.chain.set_token_account(&address, wallet, &mint, amount)?;
        Ok(address)
    }

    /// The mint of a symbol.
    ///
    /// # Errors
    /// A symbol without a bank.
    pub fn mint(&self, symbol: &str) -> Result<Address> {
        let mut banks = std::iter::once(&self.deployment.quote).chain(&self.deployment.banks);
        let bank = banks.find(|bank| bank.symbol == symbol);
        bank.map(|bank| bank.mint).ok_or_else(|| anyhow!("the exchange has no bank {symbol}"))
    }

    /// The exchange as it is now.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Missing`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(self.rpc().snapshot(&self.exchange)?)
    }

    /// A margin account as it is now.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Missing`].
    pub fn account(&self, address: &Address) -> Result<Keyed<MarginAccount>> {
        Ok(self.rpc().get(address)?)
    }

    /// Sends one transaction and notes its compute units.
    ///
    /// # Errors
    /// What the program or the chain refuses, with the instructions' names.
    pub fn send(&mut self, instructions: &[Instruction], payer: &Keypair) -> Result<Confirmed> {
        let names: Vec<_> =
            instructions.iter().map(|one| instruction::name(&one.data).unwrap_or("another program")).collect();
        let confirmed = self.rpc().send(instructions, payer, &[]).with_context(|| names.join(" and "))?;
        self.meter.record(instructions, &confirmed.compute_units);
        Ok(confirmed)
    }

    /// Sets a market's price to a permille of where it started.
    pub fn set_price(&mut self, symbol: &str, permille: i64) {
        for feed in self.feeds.iter_mut().filter(|feed| feed.spec.symbol == symbol) {
            feed.price = feed.start / 1_000 * permille;
            // An average with about the weight that an hour has in Pyth's after a step of four.
            feed.ema = (feed.ema + 3 * feed.price) / 4;
        }
    }

    /// Sets a market's price to a multiple of where it started.
    pub fn set_price_factor(&mut self, symbol: &str, factor: f64) {
        for feed in self.feeds.iter_mut().filter(|feed| feed.spec.symbol == symbol) {
            feed.price = ((feed.start as f64 * factor) as i64).max(1);
            feed.ema = (feed.ema + 3 * feed.price) / 4;
        }
    }

    /// A market's price in thousandths of where it started, rounded down.
    ///
    /// # Errors
    /// A symbol without a market.
    pub fn price(&self, symbol: &str) -> Result<i64> {
        let feed = self.feeds.iter().find(|feed| feed.spec.symbol == symbol);
        feed.map(|feed| feed.price * 1_000 / feed.start).ok_or_else(|| anyhow!("the exchange has no market {symbol}"))
    }

    /// Publishes every price at the chain's time: stands in for Pyth's own publishing.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn publish(&self) -> Result<()> {
        let now = self.rpc().now()?;
        for feed in &self.feeds {
            let owner = feed.spec.args.oracle_owner;
            self.chain.set_account(&feed.spec.price_account, &owner, &feed.update(now).encode())?;
        }
        Ok(())
    }

    /// Observes every market.
    ///
    /// # Errors
    /// What the program or the chain refuses.
    pub fn observe(&mut self) -> Result<Vec<Event>> {
        let snapshot = self.snapshot()?;
        let instructions: Vec<Instruction> = snapshot
            .prices
            .iter()
            .map(|(market, price)| market::Observe { market: *market, oracle: price.address }.instruction())
            .collect();
        let admin = self.admin.insecure_clone();
        Ok(self.send(&instructions, &admin)?.events)
    }
}

/// What `pick` takes of a confirmed transaction's events: of the first that it takes anything of.
///
/// # Errors
/// There is none.
pub fn event<T>(confirmed: &Confirmed, pick: impl FnMut(&Event) -> Option<T>) -> Result<T> {
    let found = confirmed.events.iter().find_map(pick);
    found.ok_or_else(|| anyhow!("{} has not the event that was expected", confirmed.signature))
}

impl Feed {
    fn new(spec: MarketSpec) -> Self {
        let start = START_PRICES.iter().find(|(symbol, _)| *symbol == spec.symbol).map_or(1, |(_, dollars)| *dollars);
        let price = start * DOLLAR;
        Self { spec, start: price, price, ema: price }
    }

    fn update(&self, now: i64) -> PriceUpdate {
        PriceUpdate {
            feed_id: self.spec.args.feed_id,
            price: self.price,
            confidence: self.price.unsigned_abs() / CONFIDENCE_DIVISOR,
            ema_price: self.ema,
            exponent: EXPONENT,
            publish_time: now,
        }
    }
}

/// What a first step that fails in a way unknown to the program may mean.
fn hint(error: RunError<Error>, so: &Path) -> anyhow::Error {
    let is_strange = matches!(&error, RunError::Step { cause: Error::Transaction(_), .. });
    let error = anyhow::Error::new(error);
    if is_strange { error.context(format!("is {} the Plimsoll program of this version?", so.display())) } else { error }
}

/// Makes a mint for every bank that the file gives none.
fn with_new_mints(deployment: Deployment, chain: &LocalChain, authority: &Address) -> Result<Deployment> {
    let mut mints = BTreeMap::new();
    for bank in std::iter::once(&deployment.quote).chain(&deployment.banks) {
        let mint = Keypair::new().pubkey();
        let is_given = !deployment.missing_mints().contains(&bank.symbol.as_str());
        let address = if is_given { bank.mint } else { mint };
        let supply = SUPPLY_TOKENS * 10u64.pow(u32::from(bank.decimals));
        chain.set_mint(&address, authority, bank.decimals, supply)?;
        mints.insert(bank.symbol.clone(), mint);
    }
    Ok(deployment.with_mints(&mints))
}
