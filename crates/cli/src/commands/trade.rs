//! `plimsoll trade`: perpetuals, options and swaps against the house.

use anyhow::Result;
use plimsoll_client::{
    Error,
    snapshot::Trade,
    words::{self, Names},
};
use serde_json::json;
use solana_signer::Signer;

use crate::{commands::what_if, context::Context, event_json, order::Order};

/// Runs the command. What the chain would refuse is not sent.
pub fn run(order: &Order, context: &Context) -> Result<()> {
    let signer = context.signer()?;
    let prepared = order.prepare(context)?;
    if let Some(refused) = prepared.what_if.refused {
        return Err(anyhow::Error::new(Error::Program(refused)).context("nothing was sent: the chain would refuse it"));
    }
    let (snapshot, account, trade) = (&prepared.snapshot, &prepared.account, &prepared.what_if.trade);
    let wallet = signer.pubkey();
    let trade_instruction = snapshot.instruction(wallet, account, trade, wallet)?;
    let confirmed = context.send(&snapshot.with_refreshes(&[trade_instruction])?, &signer)?;
    let told = |event: &&plimsoll_client::event::Event| match trade {
        Trade::Settle { .. } => event.name() == "Settled",
        _ => ["Traded", "OptionTraded", "Swapped"].contains(&event.name()),
    };
    let events: Vec<_> = confirmed.events.iter().filter(told).collect();
    let after = context.rpc.get(&account.address)?;
    let now = context.rpc.snapshot(&snapshot.exchange.address)?;
    let margin = now.margin(&after.data).ok();
    let report = json!({
        "signature": confirmed.signature.to_string(),
        "account": account.address.to_string(),
        "events": events.iter().map(|event| event_json::of(event)).collect::<Vec<_>>(),
        "margin": margin.as_ref().map(what_if::margin_json),
    });
    let names = Names::of(snapshot).for_owner([account.address]);
    let mut lines: Vec<String> = events.iter().map(|event| words::sentence(event, &names)).collect();
    lines.extend(margin.as_ref().map(|margin| what_if::margin_line("after", margin)));
    lines.push(confirmed.signature.to_string());
    context.answer(&report, lines.join("\n"))
}
