//! `plimsoll liquidate`: the liquidator of `plimsoll-liquidator` in this process, with this command's connection and answers.

use std::{future::pending, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use plimsoll_client::{
    Address, address,
    event::Event,
    words::{self, Names},
};
use plimsoll_keeper::{
    config::{Connection, Endpoint, LiquidatorFile, Policy, Unwind},
    liquidator::{self, Report},
    run as bots,
    sender::Sent,
    shutdown,
};
use serde_json::{Value, json};
use solana_signer::Signer;
use tokio::{sync::mpsc, time::sleep};

use crate::{context::Context, event_json, format, wallet};

/// Options of `plimsoll liquidate`.
#[derive(Args)]
pub struct Options {
    /// End after the first take-over, or as soon as no account is below its line.
    #[arg(long)]
    once: bool,
    /// End after this many seconds; with --once that is a failure, as an account is still below its line.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Milliseconds between two looks; prices that are told in between are looked at at once.
    #[arg(long, value_name = "MS", default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..))]
    interval: u64,
    /// Wait until the auction's discount, or the reward for an account without equity, has grown to this, in parts per
    /// million of the requirement.
    #[arg(long, value_name = "PPM", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    min_discount: u32,
    /// What is done with what was taken over, and with whatever else is in the wallet's first margin account.
    #[arg(long, value_enum, default_value_t = Unwind::Keep)]
    unwind: Unwind,
}

impl Options {
    fn file(&self, context: &Context, keypair: PathBuf, exchange: &Address) -> LiquidatorFile {
        LiquidatorFile {
            connection: Connection {
                rpc: context.url.clone(),
                ws: Some(context.ws_url.clone()),
                exchange: Some(exchange.to_string()),
                keypair,
                commitment: context.commitment,
                clock_ms: self.interval,
                ..Connection::default()
            },
            metrics: Endpoint { port: None, ..Endpoint::default() },
            policy: Policy {
                discount_min: f64::from(self.min_discount) / 1e6,
                unwind: self.unwind,
                // Without capital the whole account is closed against the house.
                without_capital: self.unwind != Unwind::Keep,
                look_ms: self.interval,
                ..Policy::default()
            },
            ..LiquidatorFile::default()
        }
    }
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    // A file that is none, or an exchange that is not there, is said at once: the bot itself would wait for the cluster.
    let keypair = context.signer_file()?;
    let owner = wallet::read(&keypair)?.pubkey();
    let snapshot = context.snapshot()?;
    let file = options.file(context, keypair, &snapshot.exchange.address);
    bots::log("warn", context.json)?;
    let own = address::margin_account(&snapshot.exchange.address, &owner, 0);
    let teller = Teller { context, names: Names::of(&snapshot).for_owner([owner, own]) };
    bots::block_on(watch(file, options, &teller))
}

/// Runs the liquidator until it is asked to end, and tells what it reports.
async fn watch(file: LiquidatorFile, options: &Options, teller: &Teller<'_>) -> Result<()> {
    let end = shutdown::on_signal()?;
    let (sender, mut reports) = mpsc::unbounded_channel();
    // Nobody listens any more once this function has failed, and then the bot ends with its runtime.
    let reporter: liquidator::Reporter = Arc::new(move |report| drop(sender.send(report.clone())));
    let bot = tokio::spawn(liquidator::run(file, end.clone(), reporter));
    let timeout = async {
        match options.timeout {
            Some(seconds) => sleep(Duration::from_secs(seconds)).await,
            None => pending().await,
        }
    };
    tokio::pin!(timeout);
    let (mut is_done, mut is_late) = (false, false);
    loop {
        tokio::select! {
            report = reports.recv() => {
                let Some(report) = report else { break };
                let is_last = matches!(report, Report::TakenOver(..) | Report::Idle);
                if is_last && options.once {
                    is_done = true;
                    end.cancel();
                }
                if options.once || !matches!(report, Report::Idle) {
                    teller.tell(&report)?;
                }
            }
            () = &mut timeout, if !is_late => {
                is_late = true;
                end.cancel();
            }
        }
    }
    bot.await??;
    let is_in_vain = options.once && is_late && !is_done;
    ensure!(!is_in_vain, "nothing was taken over within {} s", options.timeout.unwrap_or_default());
    Ok(())
}

/// Tells what the liquidator does, as the chain's events say it.
struct Teller<'a> {
    context: &'a Context,
    names: Names<'a>,
}

impl Teller<'_> {
    fn tell(&self, report: &Report) -> Result<()> {
        match report {
            Report::Watching { account, deposited } => {
                let text = format!(
                    "watching with {} USD of new collateral",
                    format::usd((*deposited).try_into().unwrap_or(i64::MAX))
                );
                let json = json!({ "event": "watching", "account": account.to_string(), "deposit": deposited });
                self.context.tell(&json, text)
            }
            Report::Idle => self.context.tell(&json!({ "event": "idle" }), "no account is below its line"),
            // Of dry runs, which this command has none of.
            Report::Planned(_) => Ok(()),
            Report::TakenOver(plan, sent, events) => self.sent(&plan.work.subject, sent, events),
            Report::Cleared(subject, sent, events) => self.sent(subject, sent, events),
        }
    }

    fn sent(&self, subject: &str, sent: &Sent, events: &[Event]) -> Result<()> {
        // Of several the last one: a take-over stands behind the auction that it starts.
        let told = events.iter().rev().find_map(|event| kind(event).map(|(kind, account)| (event, kind, account)));
        let mut json = json!({ "signature": sent.signature.to_string(), "slot": sent.slot, "subject": subject });
        let Some((event, kind, account)) = told else {
            json["event"] = "cleared".into();
            return self.context.tell(&json, format!("{subject}: {}", sent.signature));
        };
        json["event"] = kind.into();
        json["account"] = account.to_string().into();
        json["fields"] = Value::Object(event_json::fields(event));
        self.context.tell(&json, words::sentence(event, &self.names))
    }
}

/// What a liquidator has done to which account, if the event is of that.
fn kind(event: &Event) -> Option<(&'static str, Address)> {
    match event {
        Event::LiquidationFlagged(event) => Some(("flagged", event.account)),
        Event::Liquidated(event) => Some(("liquidated", event.account)),
        Event::InsolventLiquidated(event) => Some(("liquidated", event.account)),
        Event::LossCovered(event) => Some(("resolved", event.account)),
        _ => None,
    }
}
