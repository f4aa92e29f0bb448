//! `plimsoll liquidate`: watches every margin account of an exchange and takes over what sinks below its line. For an account
//! without equity the insurance pays it; what the insurance lacks it calls in from whoever bears the loss next.
//!
//! It knows a URL and its own key, nothing else: exchange, accounts, banks, markets and prices it finds on the chain, and
//! whether an account is below its line it computes with the same code as the program.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use plimsoll_client::{
    Address, Error, Keyed, PlimsollError, Snapshot,
    accounts::{Exchange, MarginAccount},
    address,
    event::Event,
    instruction::{TOKEN_PROGRAM, account, associated_token_account_of},
    interface::{event::loss_source, instruction::LiquidateArgs, token::token_amount},
    risk::{
        liquidation,
        units::{Fraction, Seconds},
    },
    rpc::{Confirmed, Rpc},
    snapshot::{Insolvency, Resolution},
};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{context::Context, format};

/// Longest pause after repeated failures.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Failures of the connection in a row after which it gives up.
const FAILURES_MAX: u32 = 10;

/// Options of `plimsoll liquidate`.
#[derive(Args)]
pub struct Options {
    /// End after the first liquidation.
    #[arg(long)]
    once: bool,
    /// End after this many seconds; with --once that is a failure if nothing was liquidated.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Milliseconds between two looks.
    #[arg(long, value_name = "MS", default_value_t = 400)]
    interval: u64,
    /// Wait until the auction's discount, or the reward for an account without equity, has grown to this, in parts per
    /// million of the requirement.
    #[arg(long, value_name = "PPM", default_value_t = 0)]
    min_discount: u32,
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let keypair = context.signer()?;
    let exchange = context.exchange()?;
    let mut liquidator = Liquidator { context, rpc: &context.rpc, keypair, exchange: exchange.address, options };
    liquidator.open_account(&exchange.data)?;
    liquidator.watch()
}

struct Liquidator<'a> {
    context: &'a Context,
    rpc: &'a Rpc,
    keypair: Keypair,
    exchange: Address,
    options: &'a Options,
}

impl Liquidator<'_> {
    fn margin_address(&self) -> Address {
        address::margin_account(&self.exchange, &self.keypair.pubkey(), 0)
    }

    /// Opens the liquidator's margin account and puts the wallet's quote tokens into it.
    fn open_account(&self, exchange: &Exchange) -> Result<()> {
        let wallet = self.keypair.pubkey();
        if self.rpc.find::<MarginAccount>(&self.margin_address())?.is_none() {
            let create = account::Create { payer: wallet, owner: wallet, exchange: self.exchange, index: 0 };
            self.send(create.instruction())?;
        }
        let quote_mint = self.rpc.raw(&exchange.quote_mint)?;
        let token_program = quote_mint.map_or(TOKEN_PROGRAM, |mint| mint.owner);
        let source = associated_token_account_of(&wallet, &exchange.quote_mint, &token_program);
        let tokens = self.rpc.raw(&source)?;
        let amount = tokens.and_then(|account| token_amount(&account.data)).unwrap_or(0);
        if amount > 0 {
            let deposit = account::Deposit {
                authority: wallet,
                exchange: self.exchange,
                account: self.margin_address(),
                mint: exchange.quote_mint,
                token_program,
                source,
                amount,
            };
            self.send(deposit.instruction())?;
        }
        let line =
            format!("watching with {} USD of new collateral", format::usd(amount.try_into().unwrap_or(i64::MAX)));
        self.say(json!({ "event": "watching", "deposit": amount }), &line)
    }

    /// Looks again and again. A failure of the connection is waited out, doubling the pause each time.
    fn watch(&mut self) -> Result<()> {
        let deadline = self.options.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let interval = Duration::from_millis(self.options.interval.max(10));
        let (mut pause, mut failures) = (interval, 0);
        loop {
            match self.look() {
                Ok(true) if self.options.once => return Ok(()),
                Ok(_) => (pause, failures) = (interval, 0),
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(error.context(format!("gave up after {failures} failures")));
                    }
                    pause = (pause * 2).min(BACKOFF_MAX);
                    let text = format::one_line(&format!("{error:#}"));
                    self.say(json!({ "event": "failure", "cause": text }), &format!("will try again: {text}"))?;
                }
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                if self.options.once {
                    bail!("nothing to liquidate within {} s", self.options.timeout.unwrap_or_default());
                }
                return Ok(());
            }
            std::thread::sleep(pause);
        }
    }

    /// One look at every account; whether something was liquidated.
    fn look(&self) -> Result<bool> {
        let snapshot = self.rpc.snapshot(&self.exchange)?;
        let mut accrued = snapshot.clone();
        accrued.accrue()?;
        let own = self.keypair.pubkey();
        let mut liquidated = false;
        for account in self.rpc.margin_accounts(&self.exchange, None)? {
            if account.data.owner == own || !is_below(&accrued, &account.data) {
                continue;
            }
            liquidated |= self.handle(&snapshot, &account)?;
        }
        Ok(liquidated)
    }

    /// Starts the auction of an account below its line, or takes the account over; whether it was taken over.
    fn handle(&self, snapshot: &Snapshot, account: &Keyed<MarginAccount>) -> Result<bool> {
        let margin = snapshot.margin(&account.data)?;
        if account.data.liquidation_started_at == 0 {
            let text = format!(
                "{} is below its line: equity {} USD, requirement {} USD",
                account.address,
                format::usd(margin.equity_maint.raw()),
                format::usd(margin.requirement_maint.raw()),
            );
            let confirmed = self.send(snapshot.flag_liquidation(account))?;
            self.say(self.report("flagged", account, &confirmed), &text)?;
        }
        if let Some(insolvency) = snapshot.insolvency(&account.data)? {
            return self.rescue(snapshot, account, &insolvency);
        }
        let elapsed = match account.data.liquidation_started_at {
            0 => 0,
            started => snapshot.now.saturating_sub(started),
        };
        let discount = liquidation::discount(&snapshot.exchange.data.config.liquidation(), Seconds::from_raw(elapsed));
        if discount.raw() < self.options.min_discount {
            return Ok(false);
        }
        self.take_over(snapshot, account)
    }

    fn take_over(&self, snapshot: &Snapshot, account: &Keyed<MarginAccount>) -> Result<bool> {
        let taker = self.rpc.get::<MarginAccount>(&self.margin_address())?;
        let args = LiquidateArgs { max_fraction: Fraction::ONE.raw(), max_payment: u64::MAX };
        let confirmed = match self.send(snapshot.liquidate(self.keypair.pubkey(), &taker, account, args)) {
            Ok(confirmed) => confirmed,
            // Somebody was faster, or the price came back.
            Err(Error::Program(PlimsollError::AccountHealthy)) => return Ok(false),
            Err(error) => return Err(anyhow!("{}: {error}", account.address)),
        };
        let mut report = self.report("liquidated", account, &confirmed);
        let said = confirmed.events.iter().find_map(|event| sentence(event, &account.address.to_string()));
        match confirmed.events.iter().find(|event| is_take_over(event)) {
            Some(Event::Liquidated(event)) => {
                report["fraction_q32"] = event.fraction.into();
                report["payment"] = event.payment.into();
                report["discount_ppm"] = event.discount_ppm.into();
            }
            Some(Event::InsolventLiquidated(event)) => {
                report["fraction_q32"] = event.fraction.into();
                report["payout"] = event.payout.into();
                report["reward_ppm"] = event.reward_ppm.into();
            }
            _ => bail!("{} has no event of the liquidation", confirmed.signature),
        }
        self.say(report, &said.unwrap_or_default())?;
        Ok(true)
    }

    /// Takes over an account without equity where the insurance pays for it, and otherwise has the next in the order of
    /// losses pay into it; whether it was taken over.
    fn rescue(&self, snapshot: &Snapshot, account: &Keyed<MarginAccount>, insolvency: &Insolvency) -> Result<bool> {
        if insolvency.reward.raw() < self.options.min_discount {
            return Ok(false);
        }
        match snapshot.resolution(&account.data)? {
            Some(Resolution::Liquidate) => self.take_over(snapshot, account),
            Some(Resolution::Repay(_) | Resolution::House(_) | Resolution::Deposits(_)) => {
                let confirmed = self.send(snapshot.resolve(account))?;
                let name = account.address.to_string();
                let said = confirmed.events.iter().find_map(|event| sentence(event, &name)).unwrap_or_default();
                self.say(self.report("resolved", account, &confirmed), &said)?;
                Ok(false)
            }
            Some(Resolution::Wait(_)) | None => Ok(false),
        }
    }

    fn send(&self, instruction: solana_instruction::Instruction) -> Result<Confirmed, Error> {
        self.rpc.send(&[instruction], &self.keypair, &[])
    }

    fn report(&self, event: &str, account: &Keyed<MarginAccount>, confirmed: &Confirmed) -> Value {
        json!({
            "event": event,
            "account": account.address.to_string(),
            "signature": confirmed.signature.to_string(),
            "compute_units": confirmed.compute_units,
        })
    }

    fn say(&self, report: Value, text: &str) -> Result<()> {
        self.context.tell(&report, text)
    }
}

/// Whether an account is below its line. A price that the program would refuse leaves an account alone.
fn is_below(snapshot: &Snapshot, account: &MarginAccount) -> bool {
    let Ok(margin) = snapshot.margin(account) else { return false };
    margin.health_maint().is_ok_and(|health| health.is_negative())
}

fn is_take_over(event: &Event) -> bool {
    matches!(event, Event::Liquidated(_) | Event::InsolventLiquidated(_))
}

/// What a liquidator did to `account`, in words; `None` for an event of something else.
pub fn sentence(event: &Event, account: &str) -> Option<String> {
    let usd = |native: u64| format::usd(native.try_into().unwrap_or(i64::MAX));
    Some(match event {
        Event::Liquidated(event) => format!(
            "took over {} of {account} for {} USD, a discount of {} of its requirement",
            format::fraction(event.fraction),
            usd(event.payment),
            format::percent(event.discount_ppm),
        ),
        Event::InsolventLiquidated(event) => format!(
            "took over {} of {account}, which lacked {} USD: the insurance paid {} USD and has {} USD left",
            format::fraction(event.fraction),
            usd(event.equity.unsigned_abs()),
            usd(event.payout),
            usd(event.insurance),
        ),
        Event::LossCovered(event) => format!(
            "had {} pay {} USD of the loss of {account}",
            match event.source {
                loss_source::INSURANCE => "the insurance",
                loss_source::HOUSE => "the house",
                _ => "all deposits",
            },
            usd(event.amount),
        ),
        _ => return None,
    })
}
