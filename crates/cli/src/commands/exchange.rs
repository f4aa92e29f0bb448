//! `plimsoll exchange`: set one up from a file, change it, look at it.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Address,
    config::pause,
    words::{PAUSES, paused},
};
use plimsoll_migrations::{
    Action, Change, Deployment, Plan, PlanOptions, RpcChain, State, Step, fetch_state, fields, observe_chain, plan,
    run_plan,
};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{context::Context, failure::Refusal, format, output, progress::Progress, show};

/// Subcommands of `plimsoll exchange`.
#[derive(Subcommand)]
pub enum Command {
    /// Markets, banks and house of an exchange.
    #[command(after_help = "Examples:
  plimsoll exchange show
  plimsoll exchange show -u http://127.0.0.1:8899 --json")]
    Show,
    /// The exchanges of the cluster.
    #[command(after_help = "Example:
  plimsoll exchange list -u localhost")]
    List,
    /// What applying a file would do, without doing it.
    ///
    /// Compares the file with the chain and lists what is new, what changes from what to what, and what must wait for the
    /// timelock. Exits with 0 whether or not something is to be done.
    #[command(after_help = "Examples:
  plimsoll exchange plan migrations/localnet.toml
  plimsoll exchange plan mainnet.toml -u mainnet-beta -k admin.json --full
  plimsoll exchange plan mainnet.toml --json | jq '.changes[].fields'")]
    Plan(PlanArgs),
    /// Bring an exchange to what a file says.
    ///
    /// Shows the plan and asks, unless --yes is given. May be repeated at any time: what is done is not done again, and
    /// after a failure it goes on where the chain stands. Under a timelock, what loosens is announced; apply the same file
    /// again when it is ripe.
    #[command(after_help = "Examples:
  plimsoll exchange apply migrations/localnet.toml
  plimsoll exchange apply mainnet.toml -u mainnet-beta -k admin.json --yes
  plimsoll exchange apply mainnet.toml --cancel-proposals")]
    Apply(ApplyArgs),
    /// Pause or resume kinds of action, at once.
    #[command(after_help = "Examples:
  plimsoll exchange pause --set open,option -k risk.json
  plimsoll exchange pause --clear all -k admin.json")]
    Pause(PauseArgs),
}

/// Which file, and how.
#[derive(Args)]
pub struct PlanArgs {
    /// The deployment file.
    file: PathBuf,
    /// Take back proposals that the file does not want.
    #[arg(long)]
    cancel_proposals: bool,
    /// The mint of a symbol for which the file gives none; what stands on the chain already is found there. May be repeated.
    #[arg(long, value_name = "SYMBOL=MINT", value_parser = symbol_and_mint)]
    mint: Vec<(String, Address)>,
    /// List every parameter of what is new.
    #[arg(long)]
    full: bool,
}

/// The same, carried out.
#[derive(Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    plan: PlanArgs,
    /// Do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
}

/// What to pause and to resume.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct PauseArgs {
    /// Kinds to pause: deposit, withdraw, open, trade, liquidate, settle, option, house, resolve, or all.
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    set: Vec<String>,
    /// Kinds to resume.
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    clear: Vec<String>,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Show => show::exchange(context),
        Command::List => list(context),
        Command::Plan(args) => {
            let planned = Planned::of(args, context)?;
            context.answer(&planned.json(None), planned.plan.text(args.full).to_string())
        }
        Command::Apply(args) => apply(args, context),
        Command::Pause(args) => set_pauses(args, context),
    }
}

fn list(context: &Context) -> Result<()> {
    let exchanges = context.rpc.exchanges()?;
    let rows = exchanges.iter().map(|exchange| {
        json!({
            "address": exchange.address.to_string(),
            "admin": exchange.data.admin.to_string(),
            "creator": exchange.data.creator.to_string(),
            "index": exchange.data.index,
            "markets": exchange.data.market_count,
            "banks": exchange.data.bank_count,
        })
    });
    let mut table = crate::format::table(&["exchange", "admin", "markets", "banks"]);
    for exchange in &exchanges {
        table.add_row(vec![
            exchange.address.to_string(),
            exchange.data.admin.to_string(),
            exchange.data.market_count.to_string(),
            exchange.data.bank_count.to_string(),
        ]);
    }
    context.answer(&Value::from(rows.collect::<Vec<_>>()), table.to_string())
}

fn symbol_and_mint(text: &str) -> Result<(String, Address), String> {
    let (symbol, mint) = text.split_once('=').ok_or("SYMBOL=MINT is wanted")?;
    let mint = mint.parse().map_err(|_| format!("{mint} is no address"))?;
    Ok((symbol.into(), mint))
}

/// Mints of the banks that stand: the quote's, and of each market that prices one bank, in the file as on the chain.
fn standing_mints(deployment: &Deployment, state: &State) -> BTreeMap<String, Address> {
    let mut mints = BTreeMap::new();
    if let Some(exchange) = &state.exchange {
        mints.insert(deployment.quote.symbol.clone(), exchange.quote_mint);
    }
    for spec in &deployment.banks {
        let is_only = deployment.banks.iter().filter(|other| other.market == spec.market).count() == 1;
        let wanted = deployment.markets.iter().find(|market| Some(&market.symbol) == spec.market.as_ref());
        let market = wanted.and_then(|wanted| {
            state.markets.iter().find(|(_, found)| found.symbol == wanted.args.symbol).map(|(address, _)| *address)
        });
        let mut banks = state.banks.values().filter(|bank| Some(bank.market) == market);
        if let (true, Some(bank), None) = (is_only, banks.next(), banks.next()) {
            mints.insert(spec.symbol.clone(), bank.mint);
        }
    }
    mints
}

/// A plan, and what it was made from.
struct Planned {
    plan: Plan,
    admin: Keypair,
}

impl Planned {
    fn of(args: &PlanArgs, context: &Context) -> Result<Self> {
        let mut deployment = Deployment::read(&args.file)?;
        let admin = context.signer()?;
        let progress = Progress::spinner("Comparing the file with the chain");
        let exchange = context.named_exchange().unwrap_or_else(|| deployment.address(&admin.pubkey()));
        deployment = deployment.with_mints(&args.mint.iter().cloned().collect());
        if !deployment.missing_mints().is_empty() {
            let standing = fetch_state(&context.rpc, &exchange)?;
            let mints = standing_mints(&deployment, &standing);
            deployment = deployment.with_mints(&mints);
        }
        let mut chain = RpcChain { rpc: &context.rpc, admin: &admin, on_confirmed: |_: &Step, _: &_| {} };
        let state: State = observe_chain(&deployment, &exchange, &admin.pubkey(), &mut chain)?;
        let options = PlanOptions { cancel_proposals: args.cancel_proposals };
        let plan = plan(&deployment, &state, &admin.pubkey(), &options)?;
        drop(progress);
        Ok(Self { plan, admin })
    }

    /// The plan as JSON; `applied` is how many of its transactions were sent.
    fn json(&self, applied: Option<usize>) -> Value {
        let mut report = json!({
            "exchange": self.plan.exchange.to_string(),
            "changes": self.plan.changes.iter().map(change_json).collect::<Vec<_>>(),
            "unchanged": self.plan.unchanged,
            "transactions": self.plan.steps().count(),
            "next_at": self.plan.next_at(),
        });
        if let Some(applied) = applied {
            report["applied"] = applied.into();
        }
        report
    }
}

fn change_json(change: &Change) -> Value {
    let field = |field: &fields::FieldChange| json!({ "key": field.key, "old": field.old, "new": field.new });
    let mut report = json!({
        "subject": change.subject,
        "address": change.address.to_string(),
        "action": change.action.word(),
        "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        "steps": change.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
    });
    match &change.action {
        Action::Propose { ready_at } | Action::Wait { ready_at } | Action::Stale { ready_at } => {
            report["ready_at"] = (*ready_at).into();
        }
        Action::Blocked { reason } => report["reason"] = reason.as_str().into(),
        _ => {}
    }
    report
}

fn apply(args: &ApplyArgs, context: &Context) -> Result<()> {
    let planned = Planned::of(&args.plan, context)?;
    if !context.json {
        output::line(format_args!("{}", planned.plan.text(args.plan.full)))?;
    }
    if planned.plan.is_empty() {
        return if context.json { context.answer(&planned.json(Some(0)), "") } else { Ok(()) };
    }
    if !args.yes {
        confirm()?;
    }
    let progress = Progress::of(planned.plan.steps().count(), "");
    let mut chain =
        RpcChain { rpc: &context.rpc, admin: &planned.admin, on_confirmed: |_: &Step, _: &_| progress.step() };
    let mut lines = Vec::new();
    let applied = run_plan(&planned.plan, &mut chain, |step| {
        progress.say(&step.name);
        lines.push(step.name.clone());
    })?;
    drop(progress);
    let mut text: Vec<String> = lines.iter().map(|line| format!("done: {line}")).collect();
    if let Some(at) = planned.plan.next_at() {
        text.push(format!(
            "Apply the same file again from {} on: what was announced is executed then.",
            format::moment(at)
        ));
    }
    context.answer(&planned.json(Some(applied)), text.join("\n"))
}

/// Asks on the terminal.
///
/// # Errors
/// [`Refusal::Declined`], also where nobody can be asked.
fn confirm() -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(Refusal::Declined.into());
    }
    eprint!("Send these transactions? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let is_yes = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    if is_yes { Ok(()) } else { Err(Refusal::Declined.into()) }
}

fn pause_bits(names: &[String]) -> Result<u32> {
    let all = || PAUSES.into_iter().chain([("all", pause::ALL)]);
    let mut bits = 0;
    for name in names {
        match all().find(|(known, _)| known == name) {
            Some((_, bit)) => bits |= bit,
            None => {
                let known: Vec<_> = all().map(|(name, _)| name).collect();
                return Err(Refusal::Usage(format!("{name} cannot be paused: one of {}", known.join(", "))).into());
            }
        }
    }
    Ok(bits)
}

fn set_pauses(args: &PauseArgs, context: &Context) -> Result<()> {
    use plimsoll_client::instruction::controls::SetPauses;
    let (set, clear) = (pause_bits(&args.set)?, pause_bits(&args.clear)?);
    let signer = context.signer()?;
    let exchange: Address = context.exchange()?.address;
    let pauses = SetPauses { authority: signer.pubkey(), exchange, set, clear };
    let confirmed = context.send(&[pauses.instruction()], &signer)?;
    let now = paused(context.rpc.get::<plimsoll_client::accounts::Exchange>(&exchange)?.data.config.pauses);
    let list = if now.is_empty() { "nothing".into() } else { now.join(", ") };
    let report = json!({ "signature": confirmed.signature.to_string(), "paused": now });
    context.answer(&report, format!("Paused: {list}\n{}", confirmed.signature))
}
