//! What administrators do: parameters, roles, pauses.

use plimsoll_interface::{
    Address,
    change::kind,
    config::{pause, role},
    event::{AdminNominated, Configured, PausesSet, ProposalCancelled, Proposed, Retired, RoleSet},
};

use super::{
    Names, capital,
    number::{moment, short},
};

/// Names of the kinds of action that can be paused, and their bits.
pub const PAUSES: [(&str, u32); 9] = [
    ("deposit", pause::DEPOSIT),
    ("withdraw", pause::WITHDRAW),
    ("open", pause::OPEN),
    ("trade", pause::TRADE),
    ("liquidate", pause::LIQUIDATE),
    ("settle", pause::SETTLE),
    ("option", pause::OPTION),
    ("house", pause::HOUSE),
    ("resolve", pause::RESOLVE),
];

/// Names of what is paused.
pub fn paused(pauses: u32) -> Vec<&'static str> {
    PAUSES.iter().filter(|(_, bit)| pauses & bit != 0).map(|(name, _)| *name).collect()
}

/// What a thing is at the beginning of a sentence: `the house` with a large letter, a symbol as it is.
fn subject(names: &Names<'_>, address: &Address) -> String {
    let thing = names.thing(address);
    if thing.starts_with("the ") { capital(&thing) } else { thing }
}

fn role_name(value: u64) -> String {
    const NAMES: [(u8, &str); 4] = [
        (role::RISK_ADMIN, "risk admin"),
        (role::KEEPER, "keeper"),
        (role::FORECASTER, "forecaster"),
        (role::ADMIN, "admin"),
    ];
    let known = NAMES.iter().find(|(role, _)| u64::from(*role) == value);
    known.map_or_else(|| format!("role {value}"), |(_, name)| (*name).into())
}

fn change_name(value: u64) -> &'static str {
    match u8::try_from(value) {
        Ok(kind::EXCHANGE) => "the exchange's parameters",
        Ok(kind::MARKET) => "a market's parameters",
        Ok(kind::BANK) => "a bank's parameters",
        Ok(kind::ROLE) => "a role",
        Ok(kind::QUOTE_FEED) => "the quote's feed",
        Ok(kind::RATE_SOURCE) => "a staked token's rate",
        Ok(kind::VENUE) => "a venue's limits",
        Ok(kind::ADAPTER) => "an adapter's limits",
        _ => "something that this version does not know",
    }
}

pub fn configured(event: &Configured, names: &Names<'_>) -> String {
    format!("{} was created or configured by {}", subject(names, &event.subject), short(&event.admin))
}

pub fn proposed(event: &Proposed, names: &Names<'_>) -> String {
    let (what, subject) = (change_name(event.kind), names.thing(&event.subject));
    format!("A change of {what} was announced for {subject}: it may be made from {} on", moment(event.ready_at))
}

pub fn proposal_cancelled(event: &ProposalCancelled, names: &Names<'_>) -> String {
    format!("An announced change of {} was taken back by {}", names.thing(&event.subject), short(&event.authority))
}

pub fn admin_nominated(event: &AdminNominated) -> String {
    if event.nominee == Address::default() {
        return "The nomination of an admin was taken back".into();
    }
    format!("{} was nominated as admin, and may accept from {} on", short(&event.nominee), moment(event.ready_at))
}

pub fn role_set(event: &RoleSet) -> String {
    let role = role_name(event.role);
    if event.holder == Address::default() {
        return format!("Nobody is {role} any more");
    }
    format!("{} is {role} now", short(&event.holder))
}

pub fn pauses_set(event: &PausesSet) -> String {
    match paused(event.pauses as u32).as_slice() {
        [] => format!("Nothing is paused any more, by {}", short(&event.authority)),
        paused => format!("Paused by {}: {}", short(&event.authority), paused.join(", ")),
    }
}

pub fn retired(event: &Retired, names: &Names<'_>) -> String {
    format!("{} was retired", subject(names, &event.subject))
}
