//! Events as people read them, and as JSON.

use std::collections::HashMap;

use plimsoll_client::{
    Address, Snapshot,
    accounts::{MAX_STRIKES, ticket_kind},
    decode,
    event::{self, Event},
    interface::event::{account_change, board_change, loss_source, ticket_status, trigger_change},
};
use plimsoll_migrations::fields;
use serde_json::{Map, Value, json};

use crate::{format, select, show};

/// A field of an event as JSON: addresses and numbers of 64 bits as texts, which every reader takes exactly.
trait Field {
    fn json(&self) -> Value;
}

impl Field for Address {
    fn json(&self) -> Value {
        self.to_string().into()
    }
}

impl Field for u64 {
    fn json(&self) -> Value {
        self.to_string().into()
    }
}

impl Field for i64 {
    fn json(&self) -> Value {
        self.to_string().into()
    }
}

impl Field for [u64; MAX_STRIKES] {
    fn json(&self) -> Value {
        self.iter().map(Field::json).collect()
    }
}

impl Field for [u32; MAX_STRIKES] {
    fn json(&self) -> Value {
        self.iter().copied().map(Value::from).collect()
    }
}

macro_rules! events {
    ($($name:ident { $($field:ident),* $(,)? },)*) => {
        /// Every field of an event by its name.
        pub fn fields_of(event: &Event) -> Map<String, Value> {
            let mut all = Map::new();
            match event {
                $(Event::$name(event::$name { $($field),* }) => {
                    $(all.insert(stringify!($field).into(), Field::json($field));)*
                })*
            }
            all
        }

        /// The names of all events.
        pub const KINDS: &[&str] = &[$(stringify!($name)),*];
    };
}

#[rustfmt::skip]
mod table {
    use super::*;
    events! {
        Configured { exchange, subject, admin },
        Observed { market, spot, ema, confidence, publish_time },
        Accrued { bank, deposit_index, borrow_index, reserve, accrued_at },
        Proposed { exchange, subject, ready_at, kind },
        ProposalCancelled { exchange, subject, authority },
        AdminNominated { exchange, nominee, ready_at },
        RoleSet { exchange, holder, role },
        PausesSet { exchange, authority, pauses },
        QuoteObserved { exchange, price_ppm, publish_time },
        PositionWoundDown { account, market, size, value, spot },
        Retired { exchange, subject },
        AccountChanged { account, owner, delegate, kind, delegate_scope },
        BalanceChanged { account, bank, amount, shares },
        Traded { account, market, trader, size, cost, fee, spot, position, house_position },
        Settled { account, market, amount, spot },
        LiquidationFlagged { account, equity, requirement, started_at, insolvent_since },
        Liquidated { account, taker, equity, requirement, fraction, payment, discount_ppm },
        BoardChanged { market, board, authority, expiry, lot, kind },
        StrikesListed { board, authority, strikes },
        VolatilitiesPosted { board, authority, volatilities_ppm, basis_ppm },
        BoardRefreshed { board, spot, forward, time, computed, in_force },
        ExpirySampled { board, price, publish_time, count },
        BoardSettled { board, settlement_price, samples, house_value },
        OptionTraded {
            account, market, board, trader, series, lots, cost, fee, mid_price, spot, position, house_lots
        },
        OptionsSettled { account, market, board, amount, settlement_price, series },
        Filled {
            market, buyer, seller, venue, size, price, cost, fee, seller_takes, spot, buyer_position,
            seller_position
        },
        OptionFilled {
            market, board, buyer, seller, venue, series, lots, price, cost, fee, seller_takes, mark, spot,
            buyer_lots, seller_lots
        },
        SpotFilled {
            bank, buyer, seller, venue, amount, price, cost, fee, seller_takes, spot, buyer_shares, seller_shares
        },
        OrderFilled { account, signer, nonce, size, filled },
        OrdersCancelled { account, authority, floor },
        VenueApproved { account, venue, limit },
        HouseValued { house, round, nav, change, supply, budgets, nav_at },
        HouseRoundVoided { house, subject, round },
        TicketChanged { ticket, house, owner, amount, proceeds, kind, status },
        InsuranceFunded { bank, funder, amount, insurance },
        ReserveBought { bank, buyer, amount, payment, spot, reserve, insurance },
        InsolventLiquidated { account, taker, equity, requirement, fraction, payout, reward_ppm, insurance },
        LossCovered { account, source, equity, due, amount, insurance, house, deposit_index },
        Deleveraged { account, counterparty, market, closed, spot, gain, position, taken, deficit },
        LiquidationDeferred { taker, health, begun },
        TriggerChanged { account, market, index, kind, trigger_price, tip },
        RateUpdated { bank, source_rate, borrow_rate, deposit_rate, epoch },
        Swapped { account, bank, trader, amount, paid, fee, spot, inventory },
        LienChanged { account, adapter, record, claim, recognised },
        LienSeized { account, adapter, record, claim, received },
        ForecastPosted { market, forecaster, volatility_ppm, expires_at, range_ppm, range_maint_ppm },
        FundingAccrued { market, index, rate_per_day, accrued_at },
        FundingPaid { account, market, amount, index },
        TransferFeeWithheld { mint, source, destination, sent, received },
        AccountUpgraded { account, payer, from_version },
    }
}
pub use table::{KINDS, fields_of};

/// An event as JSON.
pub fn json(event: &Event) -> Value {
    json!({ "event": event.name(), "fields": fields_of(event) })
}

/// What addresses of an exchange are called.
pub struct Names<'a> {
    snapshot: &'a Snapshot,
    accounts: HashMap<Address, String>,
}

impl<'a> Names<'a> {
    /// As the exchange itself calls them.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, accounts: HashMap::new() }
    }

    /// The same, with names for some accounts.
    pub fn with_accounts(self, accounts: impl IntoIterator<Item = (Address, String)>) -> Self {
        Self { accounts: accounts.into_iter().collect(), ..self }
    }

    fn account(&self, account: &Address) -> String {
        self.accounts.get(account).cloned().unwrap_or_else(|| format::short(account))
    }

    fn symbol(&self, market: &Address) -> String {
        self.snapshot.markets.get(market).map_or_else(|| format::short(market), |market| decode::symbol(market))
    }

    fn price(&self, market: &Address, raw: u64) -> String {
        self.snapshot
            .markets
            .get(market)
            .map_or_else(|| raw.to_string(), |market| format::price(raw, market.base_decimals))
    }

    fn size(&self, market: &Address, size: i64) -> String {
        let decimals = self.snapshot.markets.get(market).map(|market| market.base_decimals);
        decimals.map_or_else(|| size.to_string(), |decimals| format::amount(size, decimals))
    }

    fn tokens(&self, bank: &Address, native: i64) -> String {
        match self.snapshot.banks.get(bank) {
            Some(bank) => {
                format!("{} {}", format::amount(native, bank.decimals), select::bank_symbol(self.snapshot, bank))
            }
            None => format!("{native} of {}", format::short(bank)),
        }
    }

    fn board(&self, board: &Address) -> String {
        match self.snapshot.boards.get(board) {
            Some(found) => format!("{} {}", self.symbol(&found.market), select::day(found.expiry)),
            None => format::short(board),
        }
    }

    fn series(&self, board: &Address, series: u64) -> String {
        let found = self.snapshot.boards.get(board).zip(u8::try_from(series).ok());
        let decimals = |market| self.snapshot.markets.get(market).map_or(0, |market| market.base_decimals);
        match found {
            Some((found, series)) => {
                format!("{} {}", self.board(board), show::series(found, series, decimals(&found.market)))
            }
            None => format!("series {series} of {}", self.board(board)),
        }
    }
}

fn usd(native: u64) -> String {
    format::usd(native.try_into().unwrap_or(i64::MAX))
}

fn bought(amount: i64) -> &'static str {
    if amount < 0 { "sold" } else { "bought" }
}

/// An event in one sentence.
pub fn sentence(event: &Event, names: &Names<'_>) -> String {
    if let Some(text) = trading(event, names).or_else(|| risk(event, names)).or_else(|| operation(event, names)) {
        return text;
    }
    // What has no sentence of its own says its fields.
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    let all = fields_of(event).into_iter().map(|(key, value)| format!("{key} {}", text(value)));
    format!("{}: {}", event.name(), all.collect::<Vec<_>>().join(", "))
}

/// What accounts do.
fn trading(event: &Event, names: &Names<'_>) -> Option<String> {
    let who = |account: &Address| names.account(account);
    Some(match event {
        Event::AccountChanged(event) => match event.kind {
            account_change::OPENED => format!("{} was opened by {}", who(&event.account), event.owner),
            account_change::CLOSED => format!("{} was closed", who(&event.account)),
            _ => format!("{} has the delegate {}", who(&event.account), fields::holder(&event.delegate)),
        },
        Event::BalanceChanged(event) => {
            let word = if event.amount < 0 { "withdrew" } else { "deposited" };
            let amount = names.tokens(&event.bank, event.amount.saturating_abs());
            format!("{} {word} {amount}", who(&event.account))
        }
        Event::Traded(event) => format!(
            "{} {} {} {}-PERP for {} USD, fee {} USD, and has {}",
            who(&event.account),
            bought(event.size),
            names.size(&event.market, event.size.saturating_abs()),
            names.symbol(&event.market),
            usd(event.cost.unsigned_abs()),
            usd(event.fee),
            names.size(&event.market, event.position),
        ),
        Event::OptionTraded(event) => format!(
            "{} {} {} lots of {} for {} USD, fee {} USD, and has {}",
            who(&event.account),
            bought(event.lots),
            event.lots.unsigned_abs(),
            names.series(&event.board, event.series),
            usd(event.cost.unsigned_abs()),
            usd(event.fee),
            event.position,
        ),
        Event::Swapped(event) => format!(
            "{} {} {} for {} USD, fee {} USD",
            who(&event.account),
            bought(event.amount),
            names.tokens(&event.bank, event.amount.saturating_abs()),
            usd(event.paid.unsigned_abs()),
            usd(event.fee),
        ),
        Event::Settled(event) => {
            format!(
                "{} settled {} USD of {}",
                who(&event.account),
                format::usd(event.amount),
                names.symbol(&event.market)
            )
        }
        Event::OptionsSettled(event) => format!(
            "{} was paid {} USD for options of {}",
            who(&event.account),
            format::usd(event.amount),
            names.board(&event.board),
        ),
        Event::FundingPaid(event) => format!(
            "{} paid {} USD of funding in {}",
            who(&event.account),
            format::usd(event.amount),
            names.symbol(&event.market),
        ),
        Event::Filled(event) => format!(
            "{} bought {} {}-PERP of {} at {} USD",
            who(&event.buyer),
            names.size(&event.market, event.size.try_into().unwrap_or(i64::MAX)),
            names.symbol(&event.market),
            who(&event.seller),
            names.price(&event.market, event.price),
        ),
        Event::TriggerChanged(event) => {
            let word = match event.kind {
                trigger_change::PLACED => "stored",
                trigger_change::CANCELLED => "cancelled",
                _ => "had executed",
            };
            let price = names.price(&event.market, event.trigger_price);
            let symbol = names.symbol(&event.market);
            format!("{} {word} order {} in {symbol}, which waits for {price} USD", who(&event.account), event.index)
        }
        Event::TicketChanged(event) => {
            let word = match event.status {
                ticket_status::REQUESTED => "asked",
                ticket_status::EXECUTED => "is executed",
                ticket_status::CANCELLED => "cancelled",
                _ => "claimed",
            };
            let is_provide = event.kind == u64::from(ticket_kind::PROVIDE);
            let what = if is_provide { "join the house with" } else { "leave the house with shares of" };
            format!("{} {word}: to {what} {}", who(&event.owner), usd(event.amount))
        }
        _ => return None,
    })
}

/// What happens to accounts below their line.
fn risk(event: &Event, names: &Names<'_>) -> Option<String> {
    let who = |account: &Address| names.account(account);
    Some(match event {
        Event::LiquidationFlagged(event) if event.started_at == 0 => {
            format!("{} is above its line again", who(&event.account))
        }
        Event::LiquidationFlagged(event) => format!(
            "{} is below its line: equity {} USD, requirement {} USD",
            who(&event.account),
            format::usd(event.equity),
            format::usd(event.requirement),
        ),
        Event::Liquidated(event) => format!(
            "{} took over {} of {} for {} USD, a discount of {} of its requirement",
            who(&event.taker),
            format::fraction(event.fraction),
            who(&event.account),
            usd(event.payment),
            format::percent(event.discount_ppm),
        ),
        Event::InsolventLiquidated(event) => format!(
            "{} took over {} of {}, which lacked {} USD: the insurance paid {} USD",
            who(&event.taker),
            format::fraction(event.fraction),
            who(&event.account),
            usd(event.equity.unsigned_abs()),
            usd(event.payout),
        ),
        Event::LossCovered(event) => {
            let source = match event.source {
                loss_source::INSURANCE => "the insurance",
                loss_source::HOUSE => "the house",
                _ => "all deposits",
            };
            format!("{source} paid {} USD of the loss of {}", usd(event.amount), who(&event.account))
        }
        Event::Deleveraged(event) => format!(
            "{} of {} in {} were closed against {}, which gave up {} USD of its gain",
            names.size(&event.market, event.closed.try_into().unwrap_or(i64::MAX)),
            who(&event.account),
            names.symbol(&event.market),
            who(&event.counterparty),
            usd(event.taken),
        ),
        _ => return None,
    })
}

/// What keepers and administrators do.
fn operation(event: &Event, names: &Names<'_>) -> Option<String> {
    Some(match event {
        Event::Observed(event) => {
            format!("{} is {} USD", names.symbol(&event.market), names.price(&event.market, event.spot))
        }
        Event::Configured(event) => format!("{} was configured by {}", format::short(&event.subject), event.admin),
        Event::Proposed(event) => {
            format!("a change of {} is announced for {}", event.subject, fields::moment(event.ready_at))
        }
        Event::BoardChanged(event) => {
            let word = if event.kind == board_change::CREATED { "created" } else { "closed" };
            format!("the board {} {} was {word}", names.symbol(&event.market), select::day(event.expiry))
        }
        Event::BoardRefreshed(event) => format!("the arrays of {} were computed", names.board(&event.board)),
        Event::BoardSettled(event) => {
            let market = names.snapshot.boards.get(&event.board).map(|board| board.market).unwrap_or_default();
            let price = names.price(&market, event.settlement_price);
            format!("{} is settled at {price} USD, of {} samples", names.board(&event.board), event.samples)
        }
        Event::HouseValued(event) => format!("the house is worth {} USD", format::usd(event.nav)),
        Event::FundingAccrued(event) => format!("funding of {} was accrued", names.symbol(&event.market)),
        Event::Accrued(event) => match names.snapshot.banks.get(&event.bank) {
            Some(bank) => format!("interest of {} was accrued", select::bank_symbol(names.snapshot, bank)),
            None => format!("interest of {} was accrued", format::short(&event.bank)),
        },
        Event::InsuranceFunded(event) => {
            format!("{} put {} USD into the insurance", format::short(&event.funder), usd(event.amount))
        }
        _ => return None,
    })
}
