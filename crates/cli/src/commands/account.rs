//! `plimsoll account`: one's margin accounts, and what goes in and out of them.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use plimsoll_client::{
    Address, Error, Snapshot,
    accounts::{MarginAccount, delegate_scope},
    address,
    event::Event,
    instruction::{account, associated_token_account_of},
};
use plimsoll_migrations::fields;
use serde_json::{Value, json};
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Refusal,
    format::{self, number},
    select, show,
};

/// Subcommands of `plimsoll account`.
#[derive(Subcommand)]
pub enum Command {
    /// Balances, positions and margin of one account, or of all accounts of a wallet.
    #[command(after_help = "Examples:
  plimsoll account show                  account 0 of your own
  plimsoll account show <ADDRESS>        any margin account, or a wallet's
  plimsoll account show 1 --json")]
    Show(ShowArgs),
    /// Margin accounts at a glance: your own, a wallet's, or all.
    #[command(after_help = "Examples:
  plimsoll account list
  plimsoll account list --owner <WALLET>
  plimsoll account list --all --json")]
    List(ListArgs),
    /// Open a margin account.
    #[command(after_help = "Examples:
  plimsoll account create
  plimsoll account create --index 1 -k wallet.json")]
    Create(CreateArgs),
    /// Close an empty margin account and get its rent back.
    #[command(after_help = "Example:
  plimsoll account close 1")]
    Close(WhichArgs),
    /// Put tokens into a margin account. It is opened if it is not there yet.
    #[command(after_help = "Examples:
  plimsoll account deposit 1000 USDC
  plimsoll account deposit 2.5 SOL --account 1")]
    Deposit(MoveArgs),
    /// Take tokens out of a margin account, borrowing what is beyond the deposit.
    #[command(after_help = "Examples:
  plimsoll account withdraw 250 USDC
  plimsoll account withdraw all SOL --account 1")]
    Withdraw(MoveArgs),
    /// Let another key trade for you, never withdraw; or nobody.
    #[command(after_help = "Examples:
  plimsoll account delegate <KEY> --scope trade
  plimsoll account delegate none")]
    Delegate(DelegateArgs),
}

/// Which one, or whose.
#[derive(Args)]
pub struct ShowArgs {
    /// A margin account, a wallet that owns some, or the number of one of your own.
    #[arg(default_value = "0")]
    address: String,
}

/// Whose.
#[derive(Args)]
pub struct ListArgs {
    /// Those of this wallet.
    #[arg(long, value_name = "WALLET")]
    owner: Option<Address>,
    /// Those of everybody.
    #[arg(long, conflicts_with = "owner")]
    all: bool,
}

/// A new one.
#[derive(Args)]
pub struct CreateArgs {
    /// Which of your accounts it is.
    #[arg(long, default_value_t = 0)]
    index: u16,
}

/// Which one.
#[derive(Args)]
pub struct WhichArgs {
    /// Its address, or its number among your own.
    account: String,
}

/// How much of what, and which account.
#[derive(Args)]
pub struct MoveArgs {
    /// In whole tokens; `all` for everything.
    amount: String,
    /// Symbol or mint.
    token: String,
    /// The margin account: its address, or its number among your own.
    #[arg(short, long, default_value = "0")]
    account: String,
}

/// Who, and what he may do.
#[derive(Args)]
pub struct DelegateArgs {
    /// The key, or `none`.
    key: String,
    /// What it may do.
    #[arg(long, value_enum, default_value_t = Scope::Trade)]
    scope: Scope,
    /// The margin account: its address, or its number among your own.
    #[arg(short, long, default_value = "0")]
    account: String,
}

/// What a delegate may do.
#[derive(Clone, Copy, ValueEnum)]
enum Scope {
    /// Everything but withdraw.
    Trade,
    /// Only what makes positions smaller.
    Reduce,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Show(args) => show_account(args, context),
        Command::List(args) => list(args, context),
        Command::Create(args) => create(args, context),
        Command::Close(args) => close(args, context),
        Command::Deposit(args) => deposit(args, context),
        Command::Withdraw(args) => withdraw(args, context),
        Command::Delegate(args) => delegate(args, context),
    }
}

fn show_account(args: &ShowArgs, context: &Context) -> Result<()> {
    let address = match args.address.parse::<u16>() {
        Ok(index) => address::margin_account(&context.exchange()?.address, &context.signer()?.pubkey(), index),
        Err(_) => select::parse_address(&args.address)?,
    };
    show::account(context, &address)
}

fn list(args: &ListArgs, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    let owner = match (args.all, args.owner) {
        (true, _) => None,
        (false, Some(owner)) => Some(owner),
        (false, None) => Some(context.signer()?.pubkey()),
    };
    let accounts = context.rpc.margin_accounts(&snapshot.exchange.address, owner.as_ref())?;
    let mut table = format::table(&["account", "owner", "#", "equity USD", "required USD", "health maint USD"]);
    let mut rows = Vec::new();
    for account in &accounts {
        let row = Row::of(&snapshot, &account.data);
        table.add_row(vec![
            account.address.to_string().into(),
            format::short(&account.data.owner).into(),
            number(account.data.index.to_string()),
            number(row.text(row.equity)),
            number(row.text(row.requirement)),
            number(row.text(row.health)),
        ]);
        rows.push(json!({
            "address": account.address.to_string(),
            "owner": account.data.owner.to_string(),
            "index": account.data.index,
            "equity_maint": row.equity.map(|raw| raw.to_string()),
            "requirement_maint": row.requirement.map(|raw| raw.to_string()),
            "health_maint": row.health.map(|raw| raw.to_string()),
            "blocked": row.blocked,
        }));
    }
    context.answer(&Value::from(rows), table.to_string())
}

/// Margin of one account, or why there is none now.
pub struct Row {
    /// Maintenance equity, quote native.
    pub equity: Option<i64>,
    /// Maintenance requirement, quote native.
    pub requirement: Option<i64>,
    /// What is between them.
    pub health: Option<i64>,
    /// What the chain would say to a margin.
    pub blocked: Option<String>,
}

impl Row {
    /// The margin of an account as the chain would compute it.
    pub fn of(snapshot: &Snapshot, account: &MarginAccount) -> Self {
        match snapshot.margin(account) {
            Ok(margin) => Self {
                equity: Some(margin.equity_maint.raw()),
                requirement: Some(margin.requirement_maint.raw()),
                health: margin.health_maint().ok().map(|health| health.raw()),
                blocked: None,
            },
            Err(error) => Self { equity: None, requirement: None, health: None, blocked: Some(error.to_string()) },
        }
    }

    /// A value in dollars.
    pub fn text(&self, value: Option<i64>) -> String {
        value.map_or_else(|| "?".into(), format::usd)
    }
}

fn create(args: &CreateArgs, context: &Context) -> Result<()> {
    let (exchange, signer) = (context.exchange()?.address, context.signer()?);
    let owner = signer.pubkey();
    let create = account::Create { payer: owner, owner, exchange, index: args.index };
    let confirmed = context.send(&[create.instruction()], &signer)?;
    let address = address::margin_account(&exchange, &owner, args.index).to_string();
    let signature = confirmed.signature.to_string();
    context.answer(&json!({ "account": address, "signature": signature }), format!("opened {address}\n{signature}"))
}

fn close(args: &WhichArgs, context: &Context) -> Result<()> {
    let (exchange, signer) = (context.exchange()?.address, context.signer()?);
    let found = select::account(context, &exchange, &args.account)?;
    let close = account::Close { owner: signer.pubkey(), account: found.address };
    let confirmed = context.send(&[close.instruction()], &signer)?;
    let (address, signature) = (found.address.to_string(), confirmed.signature.to_string());
    context.answer(&json!({ "account": address, "signature": signature }), format!("closed {address}\n{signature}"))
}

fn deposit(args: &MoveArgs, context: &Context) -> Result<()> {
    let (snapshot, signer) = (context.snapshot()?, context.signer()?);
    let (_, bank) = select::bank(&snapshot, &args.token)?;
    let (owner, exchange) = (signer.pubkey(), snapshot.exchange.address);
    let address = select::account_address(context, &exchange, &args.account)?;
    let source = associated_token_account_of(&owner, &bank.mint, &bank.token_program);
    let amount = if args.amount == "all" {
        let held = context.balance(&source)?;
        held.filter(|held| *held > 0).ok_or_else(|| Refusal::NotFound(format!("the wallet has no {}", args.token)))?
    } else {
        select::amount(&args.amount, bank.decimals)?
    };
    let mut instructions = Vec::new();
    if context.rpc.raw(&address)?.is_none()
        && let Ok(index) = args.account.parse()
    {
        instructions.push(account::Create { payer: owner, owner, exchange, index }.instruction());
    }
    instructions.push(snapshot.deposit(owner, &address, &bank.mint, source, amount)?);
    let confirmed = context.send(&instructions, &signer)?;
    moved(context, &args.token, &address, bank.decimals, &confirmed, "deposited")
}

fn withdraw(args: &MoveArgs, context: &Context) -> Result<()> {
    let (snapshot, signer) = (context.snapshot()?, context.signer()?);
    let (_, bank) = select::bank(&snapshot, &args.token)?;
    let account = select::account(context, &snapshot.exchange.address, &args.account)?;
    let amount = if args.amount == "all" { u64::MAX } else { select::amount(&args.amount, bank.decimals)? };
    let owner = signer.pubkey();
    let destination = associated_token_account_of(&owner, &bank.mint, &bank.token_program);
    let mut instructions = Vec::new();
    if context.rpc.raw(&destination)?.is_none() {
        instructions.push(context.create_token_account(&owner, &bank.mint, &bank.token_program));
    }
    instructions.push(snapshot.withdraw(&account, &bank.mint, destination, amount)?);
    let confirmed = context.send(&instructions, &signer)?;
    moved(context, &args.token, &account.address, bank.decimals, &confirmed, "withdrew")
}

/// Answers what went in or out, as the chain's event says.
fn moved(
    context: &Context,
    token: &str,
    account: &Address,
    decimals: u8,
    confirmed: &plimsoll_client::rpc::Confirmed,
    word: &str,
) -> Result<()> {
    let moved = confirmed.events.iter().find_map(|event| match event {
        Event::BalanceChanged(event) if event.account == *account => Some(event.amount),
        _ => None,
    });
    let missing = || Error::Transaction(format!("{} has no event of it", confirmed.signature));
    let native = moved.ok_or_else(missing)?;
    let amount = fields::decimal(u128::from(native.unsigned_abs()), decimals);
    let signature = confirmed.signature.to_string();
    let report = json!({
        "account": account.to_string(),
        "token": token,
        "amount_native": native.to_string(),
        "signature": signature,
    });
    context.answer(&report, format!("{word} {amount} {token}\naccount {account}\n{signature}"))
}

fn delegate(args: &DelegateArgs, context: &Context) -> Result<()> {
    let (exchange, signer) = (context.exchange()?.address, context.signer()?);
    let account = select::account(context, &exchange, &args.account)?;
    let delegate = if args.key == "none" { Address::default() } else { select::parse_address(&args.key)? };
    let scope = match args.scope {
        Scope::Trade => delegate_scope::TRADE,
        Scope::Reduce => delegate_scope::REDUCE,
    };
    let set = account::SetDelegate { owner: signer.pubkey(), account: account.address, delegate, scope };
    let confirmed = context.send(&[set.instruction()], &signer)?;
    let (who, signature) = (fields::holder(&delegate), confirmed.signature.to_string());
    let report = json!({ "account": account.address.to_string(), "delegate": who, "signature": signature });
    context.answer(&report, format!("{who} may act for {}\n{signature}", account.address))
}
