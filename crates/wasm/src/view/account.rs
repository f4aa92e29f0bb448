//! Margin accounts and tickets.

use bytemuck::Zeroable;
use plimsoll_client::{
    Error, Keyed, Snapshot,
    accounts::{MAX_BOARDS, MarginAccount, OptionSlot, Ticket, TriggerSlot, ticket_kind, trigger_side, trigger_when},
    interface::bridge::{self, Inputs, Options, Side, base_units},
    risk::{
        options::OptionRisk,
        portfolio::Portfolio,
        units::{Base, Timestamp},
    },
};
use serde::Serialize;
use tsify::Tsify;

use super::{price_usd, some, symbol, tokens, usd};
use crate::state::State;

/// A margin account in human terms.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct AccountView {
    /// Its address.
    pub address: String,
    /// Whose it is.
    pub owner: String,
    /// Who may act for the owner; `undefined` for nobody.
    pub delegate: Option<String>,
    /// Which of the owner's accounts it is.
    pub index: u16,
    /// Counts every instruction that changed it.
    pub sequence: u64,
    /// Since when it is below its line, unix seconds; zero where it is not known to be.
    pub liquidation_started_at: i64,
    /// What it holds and owes.
    pub balances: Vec<BalanceView>,
    /// Its perpetual positions, and cash that is not settled.
    pub positions: Vec<PositionView>,
    /// Its options.
    pub options: Vec<OptionView>,
    /// Its stored orders.
    pub triggers: Vec<TriggerView>,
}

/// A deposit or a borrow.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct BalanceView {
    /// Its bank.
    pub bank: String,
    /// Its mint.
    pub mint: String,
    /// The mint's name.
    pub symbol: String,
    /// Native amount with interest up to now, negative for a borrow.
    pub amount: i64,
    /// The same in whole tokens.
    pub amount_tokens: f64,
    /// What it is worth, dollars.
    pub value_usd: f64,
    /// What liens count for besides, native.
    pub lien: u64,
}

/// A perpetual position, and cash.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct PositionView {
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// Base units, positive long.
    pub size: i64,
    /// The same in whole tokens.
    pub size_tokens: f64,
    /// Cash in the market that is not settled, funding up to now included, quote native.
    pub cash: i64,
    /// What the position is worth, dollars; negative short.
    pub value_usd: f64,
    /// What it has gained and not settled: cash and value, dollars.
    pub gain_usd: f64,
    /// The price at which that would be nothing, dollars; `undefined` without a position.
    pub break_even_usd: Option<f64>,
}

/// Options of one series.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct OptionView {
    /// Its board.
    pub board: String,
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// Its series of the board.
    pub series: u8,
    /// Whether it is a call; a put otherwise.
    pub is_call: bool,
    /// Its strike, dollars.
    pub strike_usd: f64,
    /// When it expires, unix seconds.
    pub expiry: i64,
    /// Whether its board is settled.
    pub is_settled: bool,
    /// Lots, positive long.
    pub lots: i32,
    /// The same in whole tokens of the underlying.
    pub size_tokens: f64,
    /// What it counts for in the equity, quote native; `undefined` while its board waits for a refresh.
    pub mark: Option<i64>,
    /// The same in dollars.
    pub mark_usd: Option<f64>,
}

/// A stored order.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct TriggerView {
    /// Its number.
    pub index: u8,
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// What it closes: `long` or `short`.
    pub side: &'static str,
    /// When it is due: the price `at-or-below` or `at-or-above` its own.
    pub when: &'static str,
    /// The price that it waits for, dollars.
    pub trigger_usd: f64,
    /// Base units to close at most; `undefined` for all.
    pub size: Option<u64>,
    /// What whoever executes it gets, quote native.
    pub tip: u64,
    /// When it lapses, unix seconds; `undefined` for never.
    pub expires_at: Option<i64>,
}

/// Somebody who wants to join the house or to leave it.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct TicketView {
    /// Its address.
    pub address: String,
    /// Whose it is.
    pub owner: String,
    /// Which of the owner's tickets it is.
    pub index: u16,
    /// `provide` (quote for shares) or `redeem` (shares for quote).
    pub kind: &'static str,
    /// What was put in: quote native, or 1e-6 of a share.
    pub amount: u64,
    /// What came of it, in the other unit; zero until executed.
    pub proceeds: u64,
    /// When it was asked for, unix seconds.
    pub requested_at: i64,
    /// From when on a valuation executes it, unix seconds.
    pub executable_from: i64,
    /// After this it is executed no more, unix seconds.
    pub expires_at: i64,
    /// When it was executed, unix seconds; `undefined` until then.
    pub executed_at: Option<i64>,
}

impl AccountView {
    /// Of an account of a state, interest and funding up to now in `snapshot`.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn new(state: &State, snapshot: &Snapshot, account: &Keyed<MarginAccount>) -> Result<Self, Error> {
        let data = &account.data;
        Ok(Self {
            address: account.address.to_string(),
            owner: data.owner.to_string(),
            delegate: some(&data.delegate),
            index: data.index,
            sequence: data.sequence,
            liquidation_started_at: data.liquidation_started_at,
            balances: balances(state, snapshot, data)?,
            positions: positions(snapshot, data)?,
            options: options(snapshot, data)?,
            triggers: triggers(snapshot, data)?,
        })
    }
}

fn balances(state: &State, snapshot: &Snapshot, account: &MarginAccount) -> Result<Vec<BalanceView>, Error> {
    let slots = account.balances.iter().filter(|slot| slot.in_use == 1);
    let view = |slot: &plimsoll_client::accounts::BalanceSlot| {
        let bank = snapshot.bank(&slot.bank)?;
        let (amount, is_borrow) = bridge::balance_amount(slot, bank)?;
        let side = if is_borrow { Side::Debt } else { Side::Deposit };
        let value = match bank.is_quote {
            1 => amount.cast_signed(),
            _ => {
                let base = base_units(amount, bank, side)?.cast_signed();
                snapshot.market(&bank.market)?.1.spot.value_floor(Base::from_raw(base)).map_or(i64::MAX, |v| v.raw())
            }
        };
        let sign = if is_borrow { -1 } else { 1 };
        Ok(BalanceView {
            bank: slot.bank.to_string(),
            mint: bank.mint.to_string(),
            symbol: state.bank_symbol(bank),
            amount: sign * amount.cast_signed(),
            amount_tokens: tokens(sign * amount.cast_signed(), bank.decimals),
            value_usd: usd(sign * value),
            lien: slot.lien,
        })
    };
    slots.map(view).collect()
}

fn positions(snapshot: &Snapshot, account: &MarginAccount) -> Result<Vec<PositionView>, Error> {
    let slots = account.markets.iter().filter(|slot| slot.in_use == 1 && (slot.size != 0 || slot.cash != 0));
    let view = |slot: &plimsoll_client::accounts::MarketSlot| {
        let (market, seen) = snapshot.market(&slot.market)?;
        let cash = slot.cash_after_funding(market)?.raw();
        let value = seen.spot.value_floor(Base::from_raw(slot.size)).map_or(i64::MAX, |value| value.raw());
        let size_tokens = tokens(slot.size, market.base_decimals);
        Ok(PositionView {
            market: slot.market.to_string(),
            symbol: symbol(market),
            size: slot.size,
            size_tokens,
            cash,
            value_usd: usd(value),
            gain_usd: usd(cash.saturating_add(value)),
            break_even_usd: (slot.size != 0).then(|| -usd(cash) / size_tokens),
        })
    };
    slots.map(view).collect()
}

fn options(snapshot: &Snapshot, account: &MarginAccount) -> Result<Vec<OptionView>, Error> {
    let slots = account.options.iter().filter(|slot| slot.lots != 0);
    let view = |slot: &OptionSlot| {
        let own = &account.boards[usize::from(slot.board_slot)];
        let board = snapshot.board(&own.board)?;
        let (market, _) = snapshot.market(&board.market)?;
        let strike = board.series_strike(usize::from(slot.series))?;
        let mark = mark(snapshot, account, slot);
        Ok(OptionView {
            board: own.board.to_string(),
            market: board.market.to_string(),
            symbol: symbol(market),
            series: slot.series,
            is_call: slot.series & 1 == 0,
            strike_usd: price_usd(strike.raw(), market.base_decimals),
            expiry: board.expiry,
            is_settled: board.state == plimsoll_client::accounts::board_state::SETTLED,
            lots: slot.lots,
            size_tokens: f64::from(slot.lots) * tokens(board.lot.cast_signed(), market.base_decimals),
            mark,
            mark_usd: mark.map(usd),
        })
    };
    slots.map(view).collect()
}

/// What one option counts for: the mark of an account that has nothing else.
fn mark(snapshot: &Snapshot, account: &MarginAccount, option: &OptionSlot) -> Option<i64> {
    let mut alone = MarginAccount::zeroed();
    alone.boards[0] = plimsoll_client::accounts::BoardSlot {
        market_slot: 0,
        options: 1,
        ..account.boards[usize::from(option.board_slot)]
    };
    let market_slot = usize::from(account.boards[usize::from(option.board_slot)].market_slot);
    let market = account.markets[market_slot].market;
    alone.markets[0].market = market;
    (alone.markets[0].in_use, alone.markets[0].boards) = (1, 1);
    alone.options[0] = OptionSlot { board_slot: 0, ..*option };
    let mut storage = [OptionRisk::NONE; MAX_BOARDS];
    let now = Timestamp::from_raw(snapshot.now);
    let mut options = Options::new(&mut storage, snapshot.exchange.data.risk(now).extreme_damping);
    bridge::option_marks(&alone, 0, snapshot, now, &mut Portfolio::new(), &mut options).ok()
}

fn triggers(snapshot: &Snapshot, account: &MarginAccount) -> Result<Vec<TriggerView>, Error> {
    let slots = (0u8..).zip(&account.triggers).filter(|(_, slot)| slot.side != 0);
    let view = |(index, slot): (u8, &TriggerSlot)| {
        let (market, _) = snapshot.market(&slot.market)?;
        Ok(TriggerView {
            index,
            market: slot.market.to_string(),
            symbol: symbol(market),
            side: if slot.side == trigger_side::LONG { "long" } else { "short" },
            when: if slot.when == trigger_when::AT_OR_BELOW { "at-or-below" } else { "at-or-above" },
            trigger_usd: price_usd(slot.trigger_price, market.base_decimals),
            size: (slot.size != u64::MAX).then_some(slot.size),
            tip: slot.tip,
            expires_at: (slot.expires_at != 0).then_some(slot.expires_at),
        })
    };
    slots.map(view).collect()
}

impl TicketView {
    /// Of a ticket.
    pub fn new(address: &plimsoll_client::Address, ticket: &Ticket) -> Self {
        Self {
            address: address.to_string(),
            owner: ticket.owner.to_string(),
            index: ticket.index,
            kind: if ticket.kind == ticket_kind::PROVIDE { "provide" } else { "redeem" },
            amount: ticket.amount,
            proceeds: ticket.proceeds,
            requested_at: ticket.requested_at,
            executable_from: ticket.executable_from,
            expires_at: ticket.expires_at,
            executed_at: (ticket.executed_at != 0).then_some(ticket.executed_at),
        }
    }
}
