//! `plimsoll events`: what happens on an exchange, as it happens and as it happened.

use std::{
    collections::{BTreeSet, VecDeque},
    mem::ManuallyDrop,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Address, Error, ID, Snapshot,
    event::{self, Event},
    words::{self, Names},
};
use serde_json::{Value, json};
use solana_pubsub_client::pubsub_client::PubsubClient;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};
use solana_signature::Signature;

use crate::{context::Context, event_json, failure::Refusal, output, select};

/// Transactions that one request for history answers at most.
const PAGE: usize = 1_000;
/// Signatures remembered so that nothing is told twice.
const SEEN_MAX: usize = 10_000;
/// Longest pause before another try to connect.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How long it listens before it looks whether it is to end.
const TICK: Duration = Duration::from_millis(200);

/// Subcommands of `plimsoll events`.
#[derive(Subcommand)]
pub enum Command {
    /// Events as they happen, over WebSocket. It connects again by itself and then tells what it missed.
    #[command(after_help = "Examples:
  plimsoll events tail
  plimsoll events tail --kind Traded,Liquidated --market SOL
  plimsoll events tail --account <ADDRESS> --since 1h --json
  plimsoll events tail --count 1 --timeout 60")]
    Tail(TailArgs),
    /// Events of the past, oldest first, and nothing more.
    #[command(after_help = "Examples:
  plimsoll events history --since 30m
  plimsoll events history --since 1d --kind Liquidated,LossCovered --json")]
    History(HistoryArgs),
}

/// Which events.
#[derive(Args, Clone)]
pub struct Filter {
    /// Only those that name this address: an account, its owner, anything.
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// Only those of this market, its boards and banks.
    #[arg(long, value_name = "SYMBOL")]
    market: Option<String>,
    /// Only those of these kinds, as the JSON names them: Traded, Liquidated, …
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
}

/// Options of `plimsoll events tail`.
#[derive(Args)]
pub struct TailArgs {
    #[command(flatten)]
    filter: Filter,
    /// Tell first what happened in this time: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End after so many events.
    #[arg(long, value_name = "COUNT")]
    count: Option<usize>,
    /// End after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// Options of `plimsoll events history`.
#[derive(Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    filter: Filter,
    /// How far back: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    since: String,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Tail(args) => tail(args, context),
        Command::History(args) => {
            let since = duration(&args.since)?;
            let snapshot = context.snapshot()?;
            let sieve = Sieve::new(&args.filter, &snapshot)?;
            for told in history(context, snapshot.now.saturating_sub(since))? {
                for event in told.events.iter().filter(|event| sieve.passes(event)) {
                    tell(context, &snapshot, &told, event)?;
                }
            }
            Ok(())
        }
    }
}

/// A time as 30s, 10m, 2h or 1d, seconds.
///
/// # Errors
/// Another text.
pub fn duration(text: &str) -> Result<i64> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = units.iter().find_map(|(unit, seconds)| {
        let number: i64 = text.strip_suffix(*unit)?.parse().ok()?;
        number.checked_mul(*seconds).filter(|seconds| *seconds > 0)
    });
    match parsed {
        Some(seconds) => Ok(seconds),
        None => Err(Refusal::Usage(format!("{text} is no time: write it as 30s, 10m, 2h or 1d")).into()),
    }
}

/// A transaction's events.
pub struct Told {
    /// The transaction.
    pub signature: Signature,
    /// Its block's time, unix seconds, where the server says it.
    pub time: Option<i64>,
    /// What the program logged.
    pub events: Vec<Event>,
}

/// What the program logged since a moment, oldest first.
///
/// # Errors
/// What the cluster refuses.
pub fn history(context: &Context, since: i64) -> Result<Vec<Told>> {
    let progress = crate::progress::Progress::spinner("Reading the history");
    let mut all: VecDeque<(Signature, Option<i64>)> = VecDeque::new();
    let mut before = None;
    loop {
        let config = GetConfirmedSignaturesForAddress2Config {
            before,
            limit: Some(PAGE),
            commitment: Some(context.history_commitment()),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let page = context.rpc.client().get_signatures_for_address_with_config(&ID, config);
        let page = page.map_err(|error| Error::Rpc(error.to_string()))?;
        let is_last = page.len() < PAGE;
        for entry in page {
            let signature: Signature = entry.signature.parse().map_err(|_| Error::Rpc("no signature".into()))?;
            before = Some(signature);
            if entry.block_time.is_some_and(|time| time < since) {
                return fetch(context, all);
            }
            if entry.err.is_none() {
                all.push_front((signature, entry.block_time));
            }
        }
        progress.say(&format!("Reading the history: {} transactions", all.len()));
        if is_last {
            return fetch(context, all);
        }
    }
}

fn fetch(context: &Context, signatures: VecDeque<(Signature, Option<i64>)>) -> Result<Vec<Told>> {
    let progress = crate::progress::Progress::of(signatures.len(), "transactions");
    let mut all = Vec::new();
    for (signature, time) in signatures {
        progress.step();
        all.push(Told { signature, time, events: context.rpc.transaction(signature)?.events });
    }
    Ok(all)
}

/// Decides which events are wanted.
struct Sieve {
    kinds: BTreeSet<String>,
    account: Option<String>,
    /// Addresses of the market that is wanted: itself, its boards, its banks.
    market: Option<BTreeSet<String>>,
    /// Addresses of the exchange; what names one of another exchange is not wanted.
    own: BTreeSet<String>,
}

/// Fields by which an event names its exchange.
const PLACES: [&str; 5] = ["exchange", "market", "bank", "board", "house"];

impl Sieve {
    fn new(filter: &Filter, snapshot: &Snapshot) -> Result<Self> {
        for kind in &filter.kind {
            if !event_json::KINDS.contains(&kind.as_str()) {
                let cause = format!("{kind} is no kind of event: one of {}", event_json::KINDS.join(", "));
                return Err(Refusal::Usage(cause).into());
            }
        }
        let market = match &filter.market {
            None => None,
            Some(name) => {
                let (market, _) = select::market(snapshot, name)?;
                let boards =
                    snapshot.boards.iter().filter(|(_, board)| board.market == market).map(|(address, _)| *address);
                let banks =
                    snapshot.banks.iter().filter(|(_, bank)| bank.market == market).map(|(address, _)| *address);
                Some(boards.chain(banks).chain([market]).map(|address| address.to_string()).collect())
            }
        };
        let exchange = snapshot.exchange.address;
        let own = [exchange, plimsoll_client::address::house(&exchange)];
        let all = snapshot.markets.keys().chain(snapshot.banks.keys()).chain(snapshot.boards.keys()).copied();
        Ok(Self {
            kinds: filter.kind.iter().cloned().collect(),
            account: filter.account.map(|account| account.to_string()),
            market,
            own: all.chain(own).map(|address| address.to_string()).collect(),
        })
    }

    fn passes(&self, event: &Event) -> bool {
        let fields = event_json::fields(event);
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        // A board or market that is newer than the snapshot is let through by what else it names.
        let mut places = PLACES.iter().filter_map(|key| text(key)).peekable();
        let is_own = places.peek().is_none() || places.any(|place| self.own.contains(place));
        let is_kind = self.kinds.is_empty() || self.kinds.contains(event.name());
        let names = |wanted: &String| fields.values().any(|value| value.as_str() == Some(wanted));
        let of_market =
            |wanted: &BTreeSet<String>| PLACES.iter().filter_map(|key| text(key)).any(|it| wanted.contains(it));
        is_own && is_kind && self.account.as_ref().is_none_or(names) && self.market.as_ref().is_none_or(of_market)
    }
}

fn tell(context: &Context, snapshot: &Snapshot, told: &Told, event: &Event) -> Result<()> {
    let mut report = event_json::of(event);
    report["signature"] = told.signature.to_string().into();
    report["time"] = told.time.into();
    let time = told.time.map_or_else(String::new, |time| format!("{}  ", clock(time)));
    context.tell(&report, format!("{time}{}", words::sentence(event, &Names::of(snapshot))))
}

/// A moment to the second.
fn clock(unix_seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(unix_seconds, 0);
    time.map_or_else(|| unix_seconds.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// What is being listened to.
struct Listener<'a> {
    context: &'a Context,
    args: &'a TailArgs,
    snapshot: Snapshot,
    sieve: Sieve,
    seen: VecDeque<Signature>,
    told: usize,
    deadline: Option<Instant>,
}

fn tail(args: &TailArgs, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    let mut listener = Listener {
        context,
        args,
        sieve: Sieve::new(&args.filter, &snapshot)?,
        snapshot,
        seen: VecDeque::new(),
        told: 0,
        deadline: args.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
    };
    let mut since = args.since.as_deref().map(duration).transpose()?.map(|since| listener.snapshot.now - since);
    let mut pause = Duration::from_millis(500);
    while !listener.is_over() {
        match listener.listen(since) {
            Ok(()) => return Ok(()),
            Err(error) if output::is_closed(&error) => return Err(error),
            Err(error) => {
                if listener.told == 0 && since.is_none() && listener.seen.is_empty() && pause > Duration::from_secs(4) {
                    return Err(error);
                }
                context.tell(&json!({ "event": "reconnecting" }), format!("connecting again: {error:#}"))?;
                std::thread::sleep(pause);
                pause = (pause * 2).min(BACKOFF_MAX);
                // What happened since the connection was lost is told from the history.
                since = since.or(Some(listener.snapshot.now));
            }
        }
    }
    Ok(())
}

impl Listener<'_> {
    fn is_over(&self) -> bool {
        self.args.count.is_some_and(|count| self.told >= count)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Listens until the connection is lost, or until it is over. What lies between the history and the subscription is in
    /// both, and told once.
    fn listen(&mut self, since: Option<i64>) -> Result<()> {
        let filter = RpcTransactionLogsFilter::Mentions(vec![ID.to_string()]);
        let commitment = Some(self.context.commitment.config());
        let subscription =
            PubsubClient::logs_subscribe(self.context.ws_url.as_str(), filter, RpcTransactionLogsConfig { commitment });
        let (subscription, receiver) = subscription.map_err(|error| Error::Rpc(format!("WebSocket: {error}")))?;
        // Its end would wait for the next message. The connection closes with the process, or is lost already.
        let _subscription = ManuallyDrop::new(subscription);
        self.context.tell(&json!({ "event": "listening" }), format!("listening to {}", self.context.ws_url))?;
        if let Some(since) = since {
            for told in history(self.context, since)? {
                self.pass_on(&told)?;
            }
        }
        while !self.is_over() {
            match receiver.recv_timeout(TICK) {
                Ok(message) => {
                    let Ok(signature) = message.value.signature.parse() else { continue };
                    if message.value.err.is_none() {
                        let events = event::from_logs(&message.value.logs);
                        self.pass_on(&Told { signature, time: None, events })?;
                    }
                }
                Err(error) if error.is_timeout() => {}
                Err(_) => return Err(Error::Rpc("WebSocket: the connection was lost".into()).into()),
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, told: &Told) -> Result<()> {
        if self.seen.contains(&told.signature) {
            return Ok(());
        }
        self.seen.push_back(told.signature);
        if self.seen.len() > SEEN_MAX {
            self.seen.pop_front();
        }
        for event in &told.events {
            if !self.is_over() && self.sieve.passes(event) {
                tell(self.context, &self.snapshot, told, event)?;
                self.told += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("90s").unwrap(), 90);
        assert_eq!(duration("2d").unwrap(), 172_800);
        for text in ["5", "0s", "-1h", "x", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
