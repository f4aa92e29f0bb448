//! `plimsoll house`: the pool that is the counterparty of every trade; joining and leaving it with tickets.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Address, Error, Keyed, Snapshot,
    accounts::{House, Ticket, ticket_kind},
    address, decode,
    instruction::{
        TOKEN_PROGRAM, associated_token_account, associated_token_account_of,
        house::{self, Asset},
    },
    risk::interest,
};
use plimsoll_migrations::fields;
use serde_json::{Value, json};
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Refusal,
    format::{self, number},
    select,
};

/// How many of an owner's tickets are looked for.
const TICKETS_MAX: u16 = 64;
/// Decimals of shares.
const SHARE_DECIMALS: u8 = 6;

/// Subcommands of `plimsoll house`.
#[derive(Subcommand)]
pub enum Command {
    /// The house: what it is worth, its shares, its inventory.
    #[command(after_help = "Example:
  plimsoll house show --json")]
    Show,
    /// Value the house at the prices of now. Anyone may.
    #[command(after_help = "Example:
  plimsoll house value")]
    Value,
    /// Ask to put dollars into the house for shares. What comes of it is claimed once the delay is over.
    #[command(after_help = "Examples:
  plimsoll house provide 1000
  plimsoll house tickets                 see when it can be executed
  plimsoll house execute 0
  plimsoll house claim 0")]
    Provide(AmountArgs),
    /// Ask to give shares back for dollars.
    #[command(after_help = "Examples:
  plimsoll house redeem 500
  plimsoll house redeem all")]
    Redeem(AmountArgs),
    /// Tickets of a wallet, and what each waits for.
    #[command(after_help = "Examples:
  plimsoll house tickets
  plimsoll house tickets --owner <WALLET> --json")]
    Tickets(TicketsArgs),
    /// Value the house and execute a ticket whose delay is over. Anyone may.
    #[command(after_help = "Example:
  plimsoll house execute 0")]
    Execute(TicketArgs),
    /// Take what came of an executed ticket.
    #[command(after_help = "Example:
  plimsoll house claim 0")]
    Claim(TicketArgs),
    /// Take back what was put into a ticket that was not executed.
    #[command(after_help = "Example:
  plimsoll house cancel 0")]
    Cancel(TicketArgs),
}

/// How much.
#[derive(Args)]
pub struct AmountArgs {
    /// Dollars or shares; `all` for everything in the wallet.
    amount: String,
    /// Number of the ticket [default: the first that is free].
    #[arg(long)]
    ticket: Option<u16>,
}

/// Whose.
#[derive(Args)]
pub struct TicketsArgs {
    /// Whose tickets [default: the signer's].
    #[arg(long, value_name = "WALLET")]
    owner: Option<Address>,
}

/// Which one.
#[derive(Args)]
pub struct TicketArgs {
    /// Number of the ticket.
    ticket: u16,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    match command {
        Command::Show => show(context, &snapshot),
        Command::Value => {
            let confirmed = context.send(&[snapshot.value_house()], &context.signer()?)?;
            let house = context.rpc.get::<House>(&address::house(&snapshot.exchange.address))?.data;
            let signature = confirmed.signature.to_string();
            let report = json!({ "nav": house.nav.to_string(), "nav_at": house.nav_at, "signature": signature });
            context.answer(&report, format!("worth {} USD\n{signature}", format::usd(house.nav)))
        }
        Command::Provide(args) => request(args, context, &snapshot, Asset::Quote),
        Command::Redeem(args) => request(args, context, &snapshot, Asset::Shares),
        Command::Tickets(args) => tickets(args, context, &snapshot),
        Command::Execute(args) => execute(args, context, &snapshot),
        Command::Claim(args) => close(args, context, &snapshot, true),
        Command::Cancel(args) => close(args, context, &snapshot, false),
    }
}

fn show(context: &Context, snapshot: &Snapshot) -> Result<()> {
    let address = address::house(&snapshot.exchange.address);
    let house = snapshot.house.ok_or(Error::Missing { what: "house", address })?;
    let quote = snapshot.banks.get(&snapshot.exchange.data.quote_bank);
    let cash = quote.map(|bank| interest::deposit_amount(house.quote_shares, bank.deposit_index()));
    let cash = cash.transpose().map_err(Error::from)?.unwrap_or(0);
    let price = share_price(&house);
    let mut table = format::table(&["market", "size", "cash USD", "spot inventory", "risk budget USD", "in force USD"]);
    let signed = |native: u64| i64::try_from(native).unwrap_or(i64::MAX);
    for (_, market) in select::sorted_markets(snapshot) {
        table.add_row(vec![
            decode::symbol(market).into(),
            number(format::amount(market.house_size, market.base_decimals)),
            number(format::usd(market.house_cash)),
            number(format::amount(market.house_inventory, market.base_decimals)),
            number(format::usd(signed(market.config.risk_budget))),
            number(format::usd(signed(market.budget_in_force()))),
        ]);
    }
    let text = format!(
        "house     {address}\nworth     {} USD at {}\ncash      {} USD\nshares    {}\nper share {}\n{table}",
        format::usd(house.nav),
        format::moment(house.nav_at),
        format::usd(signed(cash)),
        fields::decimal(u128::from(house.share_supply), SHARE_DECIMALS),
        price.map_or_else(|| "?".into(), |ppm| fields::decimal(ppm, 6)),
    );
    let report = json!({
        "address": address.to_string(),
        "share_mint": house.share_mint.to_string(),
        "nav": house.nav.to_string(),
        "nav_at": house.nav_at,
        "cash": cash.to_string(),
        "share_supply": house.share_supply.to_string(),
        "share_price_ppm": price.map(|ppm| ppm.to_string()),
        "pending_quote": house.pending_quote.to_string(),
        "version": house.version,
    });
    context.answer(&report, text)
}

/// Dollars a share, ppm, rounded down.
fn share_price(house: &House) -> Option<u128> {
    let nav = u128::try_from(house.nav).ok()?;
    nav.checked_mul(1_000_000)?.checked_div(u128::from(house.share_supply))
}

/// The tickets of an owner, by number.
fn tickets_of(context: &Context, snapshot: &Snapshot, owner: &Address) -> Result<Vec<(u16, Option<Keyed<Ticket>>)>> {
    let house = address::house(&snapshot.exchange.address);
    let addresses: Vec<Address> = (0..TICKETS_MAX).map(|index| address::ticket(&house, owner, index)).collect();
    let found = context.rpc.client().get_multiple_accounts(&addresses);
    let found = found.map_err(|error| Error::Rpc(error.to_string()))?;
    let rows = (0u16..).zip(addresses).zip(found).map(|((index, address), account)| {
        let ticket = account.map(|account| {
            plimsoll_client::decode::account::<Ticket>(&address, &account.owner, &account.data)
                .map(|data| Keyed { address, data })
        });
        Ok((index, ticket.transpose()?))
    });
    rows.collect()
}

fn request(args: &AmountArgs, context: &Context, snapshot: &Snapshot, asset: Asset) -> Result<()> {
    let signer = context.signer()?;
    let owner = signer.pubkey();
    let free = || -> Result<u16> {
        let tickets = tickets_of(context, snapshot, &owner)?;
        let free = tickets.into_iter().find(|(_, ticket)| ticket.is_none()).map(|(index, _)| index);
        free.ok_or_else(|| Refusal::NotFound(format!("all of your first {TICKETS_MAX} tickets are taken")).into())
    };
    let index = args.ticket.map_or_else(free, Ok)?;
    let ticket = snapshot.ticket(owner, index);
    let source = match asset {
        Asset::Quote => associated_token_account_of(&owner, &ticket.quote_mint, &ticket.token_program),
        Asset::Shares => associated_token_account(&owner, &address::share_mint(&ticket.house())),
    };
    let amount = if args.amount == "all" {
        context.balance(&source)?.unwrap_or(0)
    } else {
        select::amount(&args.amount, SHARE_DECIMALS)?
    };
    let instruction = match asset {
        Asset::Quote => ticket.provide(source, amount),
        Asset::Shares => ticket.redeem(source, amount),
    };
    let confirmed = context.send(&[instruction], &signer)?;
    let found = context.rpc.get::<Ticket>(&ticket.address())?.data;
    let signature = confirmed.signature.to_string();
    let from = format::moment(found.executable_from);
    let mut report = ticket_json(&ticket.address(), &found, snapshot.now);
    report["signature"] = signature.as_str().into();
    context.answer(&report, format!("ticket {index}: plimsoll house execute {index} from {from} on\n{signature}"))
}

fn ticket_json(address: &Address, ticket: &Ticket, now: i64) -> Value {
    json!({
        "address": address.to_string(),
        "index": ticket.index,
        "kind": if ticket.kind == ticket_kind::PROVIDE { "provide" } else { "redeem" },
        "amount": ticket.amount.to_string(),
        "proceeds": ticket.proceeds.to_string(),
        "requested_at": ticket.requested_at,
        "executable_from": ticket.executable_from,
        "expires_at": ticket.expires_at,
        "status": status(ticket, now),
    })
}

/// What a ticket waits for.
fn status(ticket: &Ticket, now: i64) -> &'static str {
    match ticket.executed_at {
        0 if now > ticket.expires_at => "lapsed: cancel it",
        0 if now >= ticket.executable_from => "ripe: execute it",
        0 => "waits",
        _ => "executed: claim it",
    }
}

fn tickets(args: &TicketsArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let owner = args.owner.map_or_else(|| context.signer().map(|signer| signer.pubkey()), Ok)?;
    let all = tickets_of(context, snapshot, &owner)?;
    let mut table = format::table(&["#", "kind", "put in", "came of it", "executable from", "status"]);
    let mut rows = Vec::new();
    for (index, ticket) in all.iter().filter_map(|(index, ticket)| Some((index, ticket.as_ref()?))) {
        let units = |native: u64| number(fields::decimal(u128::from(native), SHARE_DECIMALS));
        let report = ticket_json(&ticket.address, &ticket.data, snapshot.now);
        table.add_row(vec![
            number(index.to_string()),
            report["kind"].as_str().unwrap_or_default().into(),
            units(ticket.data.amount),
            units(ticket.data.proceeds),
            format::moment(ticket.data.executable_from).into(),
            status(&ticket.data, snapshot.now).into(),
        ]);
        rows.push(report);
    }
    context.answer(&Value::from(rows), table.to_string())
}

fn execute(args: &TicketArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let signer = context.signer()?;
    let ticket = snapshot.ticket(signer.pubkey(), args.ticket);
    let confirmed = context.send(&[snapshot.value_house(), ticket.execute()], &signer)?;
    let found = context.rpc.get::<Ticket>(&ticket.address())?.data;
    let signature = confirmed.signature.to_string();
    let mut report = ticket_json(&ticket.address(), &found, snapshot.now);
    report["signature"] = signature.as_str().into();
    let proceeds = fields::decimal(u128::from(found.proceeds), SHARE_DECIMALS);
    let what = if found.holds_quote() { "USD" } else { "shares" };
    let number = args.ticket;
    context.answer(&report, format!("{proceeds} {what} wait: plimsoll house claim {number}\n{signature}"))
}

fn close(args: &TicketArgs, context: &Context, snapshot: &Snapshot, claims: bool) -> Result<()> {
    let signer = context.signer()?;
    let owner = signer.pubkey();
    let ticket: house::Ticket = snapshot.ticket(owner, args.ticket);
    let found = context.rpc.get::<Ticket>(&ticket.address())?.data;
    let (asset, mint, program) = if found.holds_quote() {
        (Asset::Quote, ticket.quote_mint, ticket.token_program)
    } else {
        (Asset::Shares, address::share_mint(&ticket.house()), TOKEN_PROGRAM)
    };
    let destination = associated_token_account_of(&owner, &mint, &program);
    let mut instructions = Vec::new();
    if context.rpc.raw(&destination)?.is_none() {
        instructions.push(context.create_token_account(&owner, &mint, &program));
    }
    instructions.push(if claims { ticket.claim(asset, destination) } else { ticket.cancel(asset, destination) });
    let confirmed = context.send(&instructions, &signer)?;
    let signature = confirmed.signature.to_string();
    let amount = fields::decimal(u128::from(found.holding()), SHARE_DECIMALS);
    let what = if found.holds_quote() { "USD" } else { "shares" };
    let report = json!({ "received_native": found.holding().to_string(), "what": what, "signature": signature });
    context.answer(&report, format!("received {amount} {what}\n{signature}"))
}
