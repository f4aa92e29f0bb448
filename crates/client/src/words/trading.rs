//! What accounts do: balances, trades, orders, settlements, tickets.

use plimsoll_interface::{
    Address,
    accounts::{delegate_scope, ticket_kind},
    event::{
        AccountChanged, BalanceChanged, Filled, FundingPaid, OptionFilled, OptionTraded, OptionsSettled, OrderFilled,
        OrdersCancelled, PositionWoundDown, Settled, SpotFilled, Swapped, TicketChanged, Traded, TriggerChanged,
        VenueApproved, account_change, ticket_status, trigger_change,
    },
};

use super::{
    Names,
    number::{decimal, dollars, grouped, short},
};

fn bought(amount: i64) -> &'static str {
    if amount < 0 { "sold" } else { "bought" }
}

/// A venue behind a fill; nothing where the two signed.
fn through(venue: &Address) -> String {
    if *venue == Address::default() { String::new() } else { format!(" through venue {}", short(venue)) }
}

pub fn account_changed(event: &AccountChanged, names: &Names<'_>) -> String {
    let account = names.subject(&event.account);
    match event.kind {
        account_change::OPENED => format!("{account} was opened by {}", short(&event.owner)),
        account_change::CLOSED => format!("{account} was closed"),
        _ if event.delegate == Address::default() => format!("{account} has no delegate any more"),
        _ => {
            let only_reduces = event.delegate_scope == u64::from(delegate_scope::REDUCE);
            let may = if only_reduces { "reduce positions" } else { "trade" };
            format!("{account} has the delegate {}, who may {may}", short(&event.delegate))
        }
    }
}

pub fn balance_changed(event: &BalanceChanged, names: &Names<'_>) -> String {
    let verb = if event.amount < 0 { "withdrew" } else { "deposited" };
    format!("{} {}", names.does(&event.account, verb), names.tokens(&event.bank, event.amount.unsigned_abs()))
}

pub fn traded(event: &Traded, names: &Names<'_>) -> String {
    format!(
        "{} {} for {} at an oracle price of {}, fee {}, position now {}",
        names.does(&event.account, bought(event.size)),
        names.contracts(&event.market, event.size.unsigned_abs()),
        dollars(event.cost.unsigned_abs()),
        names.price(&event.market, event.spot),
        dollars(event.fee),
        names.position(&event.market, event.position),
    )
}

pub fn option_traded(event: &OptionTraded, names: &Names<'_>) -> String {
    format!(
        "{} {} lots of {} for {}, fee {}, position now {}",
        names.does(&event.account, bought(event.lots)),
        grouped(event.lots.unsigned_abs()),
        names.series(&event.board, event.series),
        dollars(event.cost.unsigned_abs()),
        dollars(event.fee),
        decimal(event.position, 0),
    )
}

pub fn swapped(event: &Swapped, names: &Names<'_>) -> String {
    format!(
        "{} {} for {}, of which {} are the fee",
        names.does(&event.account, bought(event.amount)),
        names.tokens(&event.bank, event.amount.unsigned_abs()),
        dollars(event.paid.unsigned_abs()),
        dollars(event.fee),
    )
}

/// A trade of two accounts; `what` they traded.
fn between([buyer, seller, venue]: [&Address; 3], what: &str, [cost, fee]: [u64; 2], names: &Names<'_>) -> String {
    let (does, seller) = (names.does(buyer, "bought"), names.account(seller));
    format!("{does} {what} from {seller} for {}, fee {}{}", dollars(cost), dollars(fee), through(venue))
}

pub fn filled(event: &Filled, names: &Names<'_>) -> String {
    let what = names.contracts(&event.market, event.size);
    between([&event.buyer, &event.seller, &event.venue], &what, [event.cost, event.fee], names)
}

pub fn option_filled(event: &OptionFilled, names: &Names<'_>) -> String {
    let what = format!("{} lots of {}", grouped(event.lots), names.series(&event.board, event.series));
    between([&event.buyer, &event.seller, &event.venue], &what, [event.cost, event.fee], names)
}

pub fn spot_filled(event: &SpotFilled, names: &Names<'_>) -> String {
    let what = names.tokens(&event.bank, event.amount);
    between([&event.buyer, &event.seller, &event.venue], &what, [event.cost, event.fee], names)
}

pub fn order_filled(event: &OrderFilled, names: &Names<'_>) -> String {
    format!(
        "Signed order {} of {} was filled, {} of {} units so far",
        event.nonce,
        names.account(&event.account),
        grouped(event.filled),
        grouped(event.size.unsigned_abs()),
    )
}

pub fn orders_cancelled(event: &OrdersCancelled, names: &Names<'_>) -> String {
    let account = names.account(&event.account);
    format!("All signed orders of {account} with a nonce below {} are void", event.floor)
}

pub fn trigger_changed(event: &TriggerChanged, names: &Names<'_>) -> String {
    let done = match event.kind {
        trigger_change::PLACED => "placed",
        trigger_change::CANCELLED => "cancelled",
        _ => "executed",
    };
    let (account, symbol) = (names.account(&event.account), names.symbol(&event.market));
    let price = names.price(&event.market, event.trigger_price);
    format!("Stored order {} of {account} in {symbol}, which waits for {price}, was {done}", event.index)
}

pub fn venue_approved(event: &VenueApproved, names: &Names<'_>) -> String {
    let (venue, account) = (short(&event.venue), names.account(&event.account));
    match event.limit {
        0 => format!("Venue {venue} may not fill for {account} any more"),
        u64::MAX => format!("Venue {venue} may fill for {account} without a limit"),
        limit => format!("Venue {venue} may fill for {account} up to {}", dollars(limit)),
    }
}

pub fn settled(event: &Settled, names: &Names<'_>) -> String {
    let (what, way) = if event.amount < 0 { ("loss", "from") } else { ("gain", "to") };
    let (does, symbol) = (names.does(&event.account, "settled"), names.symbol(&event.market));
    format!("{does} a {what} of {} in {symbol}, {way} the quote balance", dollars(event.amount.unsigned_abs()))
}

pub fn options_settled(event: &OptionsSettled, names: &Names<'_>) -> String {
    format!(
        "{} {} for {}, settled at {}",
        names.does(&event.account, if event.amount < 0 { "paid" } else { "received" }),
        dollars(event.amount.unsigned_abs()),
        names.board(&event.board),
        names.price(&event.market, event.settlement_price),
    )
}

pub fn funding_paid(event: &FundingPaid, names: &Names<'_>) -> String {
    let verb = if event.amount < 0 { "received" } else { "paid" };
    let (does, symbol) = (names.does(&event.account, verb), names.symbol(&event.market));
    format!("{does} {} of funding for the position in {symbol}", dollars(event.amount.unsigned_abs()))
}

pub fn position_wound_down(event: &PositionWoundDown, names: &Names<'_>) -> String {
    format!(
        "{} of {} were closed at {}, as the market winds down",
        names.contracts(&event.market, event.size.unsigned_abs()),
        names.account(&event.account),
        names.price(&event.market, event.spot),
    )
}

pub fn ticket_changed(event: &TicketChanged, names: &Names<'_>) -> String {
    let is_provide = event.kind == u64::from(ticket_kind::PROVIDE);
    let shares = |amount: u64| format!("{} house shares", decimal(amount, 6));
    let (put, got) = match is_provide {
        true => (dollars(event.amount), shares(event.proceeds)),
        false => (shares(event.amount), dollars(event.proceeds)),
    };
    let of = if names.own.contains(&event.owner) { String::new() } else { format!(" of {}", short(&event.owner)) };
    match event.status {
        ticket_status::REQUESTED => {
            format!("{put}{of} were put aside to {} the house", if is_provide { "join" } else { "leave" })
        }
        ticket_status::EXECUTED => format!("{put}{of} became {got}, ready to be claimed"),
        ticket_status::CANCELLED => format!("{put}{of} were taken back from the house"),
        _ => format!("{got}{of} were claimed"),
    }
}
