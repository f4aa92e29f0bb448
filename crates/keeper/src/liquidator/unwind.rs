//! Getting rid of what was taken over: trades against the house, and what they are expected to cost.

use plimsoll_client::{
    Address, Error, Keyed, Snapshot,
    accounts::{BalanceSlot, Bank, MarginAccount, NO_MARKET, board_state},
    interface::{
        bridge::{self, Inputs, Side},
        instruction::CloseOptionArgs,
    },
    risk::units::{Base, Ppm},
    snapshot::{Trade, WhatIf},
};
use solana_instruction::Instruction;

use crate::{
    config::{Policy, Unwind},
    sender::Work,
};

/// One dollar, quote native.
const DOLLAR: f64 = 1e6;

/// What is done with the bot's own account.
pub struct Unwinding<'a> {
    /// The exchange, with prices.
    pub snapshot: &'a Snapshot,
    /// The same as it can be traded in.
    pub tradable: &'a Snapshot,
    /// How.
    pub policy: &'a Policy,
    /// Who signs.
    pub authority: Address,
    /// The bot's account.
    pub account: &'a Keyed<MarginAccount>,
    /// What the decision rests on.
    pub basis: u64,
}

impl Unwinding<'_> {
    /// What is to be sent now, by policy.
    pub fn due(&self) -> Vec<Work> {
        match self.policy.unwind {
            Unwind::Keep => Vec::new(),
            Unwind::Hedge => self.hedges(),
            Unwind::Close => {
                let mut due = self.settlements();
                due.extend(self.closing_of_positions());
                due.extend(self.closing_of_options());
                due.extend(self.swaps());
                due
            }
        }
    }

    fn work(&self, what: &str, about: &Address, alternatives: Vec<Vec<Instruction>>) -> Work {
        Work { subject: format!("unwind {what} {about}"), basis: self.basis, alternatives }
    }

    /// Whether so much quote native is not worth a transaction.
    fn is_dust(&self, value: i64) -> bool {
        (value.unsigned_abs() as f64) < self.policy.dust_usd * DOLLAR
    }

    /// Cash without a position, to the quote balance. Of what a position has besides, closing it settles the rest.
    fn settlements(&self) -> Vec<Work> {
        let idle = self.account.data.markets.iter().filter(|slot| slot.in_use == 1 && slot.size == 0 && slot.cash != 0);
        idle.map(|slot| {
            let settle = self.snapshot.settle(&self.account.address, &slot.market);
            self.work("cash in", &slot.market, vec![vec![settle]])
        })
        .collect()
    }

    /// `trade`, or a part of it where the house does not take all: at the prices that the house would make now.
    fn closing(&self, what: &str, about: &Address, trade: &Trade) -> Option<Work> {
        let parts = [trade.size(), trade.size() / 2, trade.size() / 8];
        let limit = |size: u64| {
            let asked = (size > 0).then(|| self.tradable.what_if(&self.account.data, &trade.with_size(size)))?.ok()?;
            let limited = asked.is_accepted().then(|| with_limit(&asked, self.policy))?;
            let one = self.snapshot.instruction(self.authority, self.account, &limited, Address::default()).ok()?;
            self.snapshot.with_refreshes(&[one]).ok()
        };
        let alternatives: Vec<_> = parts.into_iter().filter_map(limit).collect();
        (!alternatives.is_empty()).then(|| self.work(what, about, alternatives))
    }

    fn closing_of_positions(&self) -> impl Iterator<Item = Work> {
        closing_of_positions(&self.account.data)
            .filter_map(|(market, trade)| self.closing("position in", &market, &trade))
    }

    fn closing_of_options(&self) -> Vec<Work> {
        let mut due = Vec::new();
        for slot in self.account.data.boards.iter().filter(|slot| slot.in_use == 1) {
            if self.snapshot.boards.get(&slot.board).is_some_and(|board| board.state == board_state::SETTLED)
                && let Ok(settle) = self.snapshot.settle_option(&self.account.address, &slot.board)
            {
                due.push(self.work("options of", &slot.board, vec![vec![settle]]));
            }
        }
        due.extend(
            closing_of_options(self.snapshot, &self.account.data)
                .filter_map(|(board, series, trade)| self.closing(&format!("series {series} of"), &board, &trade)),
        );
        due
    }

    /// Deposits sold and debts bought back, but for dust.
    fn swaps(&self) -> Vec<Work> {
        let swaps = swaps(self.snapshot, &self.account.data);
        let large = swaps
            .filter(|(bank, trade)| value(self.snapshot, bank, trade.size()).is_some_and(|value| !self.is_dust(value)));
        large.filter_map(|(bank, trade)| self.closing("balance of", &bank.mint, &trade)).collect()
    }

    /// Trades of perpetuals that take away what the account gains or loses with the price, collateral and options included.
    fn hedges(&self) -> Vec<Work> {
        let Ok(greeks) = self.snapshot.greeks(&self.account.data) else { return Vec::new() };
        let slots = self.account.data.markets.iter().filter(|slot| slot.in_use != 0);
        let large = slots.zip(&greeks.underlyings).filter(|(slot, own)| {
            let market = self.snapshot.markets.get(&slot.market);
            market.is_some_and(|market| market.config.perp_enabled == 1) && !self.is_dust(own.quote.delta.raw())
        });
        let hedge = |market: Address, size: i64| self.closing("delta in", &market, &Trade::position(market, size));
        large.filter_map(|(slot, own)| hedge(slot.market, own.delta.raw().saturating_neg())).collect()
    }
}

/// A trade with a limit that holds while the underlying moves by the policy's slippage: of what is paid for the underlying
/// that part, of an option the same money, as its delta is at most one.
fn with_limit(asked: &WhatIf, policy: &Policy) -> Trade {
    let slippage = Ppm::from_raw((policy.slippage * 1e6) as u32);
    let Some(execution) = asked.execution else { return asked.trade };
    match asked.trade {
        Trade::CloseOption { board, args } => {
            let (price, slack) = (execution.average_price.raw(), execution.spot.raw() as f64 * policy.slippage);
            let slack = slack.ceil() as u64;
            let limit_price =
                if execution.base > 0 { price.saturating_add(slack) } else { price.saturating_sub(slack) };
            Trade::CloseOption { board, args: CloseOptionArgs { limit_price, ..args } }
        }
        _ => asked.with_slippage(slippage),
    }
}

fn closing_of_positions(account: &MarginAccount) -> impl Iterator<Item = (Address, Trade)> {
    let open = account.markets.iter().filter(|slot| slot.in_use == 1 && slot.size != 0);
    open.map(|slot| (slot.market, Trade::close(slot.market, slot.size.unsigned_abs(), slot.size > 0)))
}

/// Of every series that is still traded the board, its number and the trade.
fn closing_of_options(snapshot: &Snapshot, account: &MarginAccount) -> impl Iterator<Item = (Address, u8, Trade)> {
    account.options.iter().filter(|option| option.lots != 0).filter_map(|option| {
        let board = account.boards.get(usize::from(option.board_slot))?.board;
        if snapshot.boards.get(&board)?.state == board_state::SETTLED {
            return None;
        }
        let limit_price = if option.lots < 0 { u64::MAX } else { 0 };
        let lots = u64::from(option.lots.unsigned_abs());
        let args = CloseOptionArgs { series: option.series, lots, limit_price, expires_at: 0 };
        Some((board, option.series, Trade::CloseOption { board, args }))
    })
}

fn swaps<'a>(snapshot: &'a Snapshot, account: &'a MarginAccount) -> impl Iterator<Item = (&'a Bank, Trade)> {
    let slots = account.balances.iter().filter(|slot| slot.in_use == 1 && slot.market_slot != NO_MARKET);
    slots.filter_map(|slot: &BalanceSlot| {
        let bank = snapshot.banks.get(&slot.bank)?;
        let (amount, is_debt) = bridge::balance_amount(slot, bank).ok()?;
        let signed = i64::try_from(amount).ok().filter(|amount| *amount > 0)?;
        Some((bank, Trade::swap(bank.mint, if is_debt { signed } else { -signed })))
    })
}

/// What so many native units are worth, quote native.
fn value(snapshot: &Snapshot, bank: &Bank, amount: u64) -> Option<i64> {
    let base = bridge::base_units(amount, bank, Side::Deposit).ok()?;
    let base = Base::from_raw(i64::try_from(base).ok()?);
    let (_, observation) = snapshot.market(&bank.market).ok()?;
    observation.spot.value_floor(base).map(|value| value.raw())
}

/// An account of the same owner with nothing in it.
pub fn empty(account: &MarginAccount) -> MarginAccount {
    MarginAccount {
        exchange: account.exchange,
        owner: account.owner,
        index: account.index,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The closing of what was taken over, against the house.
pub struct Closing {
    /// The trades in the order in which they are made, each with its limit.
    pub trades: Vec<Trade>,
    /// What they cost beyond what is traded is worth: half spreads, premiums and fees, quote native. Below zero where they
    /// earn more premium than that.
    pub cost: i64,
}

/// A snapshot as a transaction would find it that refreshes what it names first: boards that would be refused are refreshed.
///
/// # Errors
/// What the chain would answer.
pub fn tradable(accrued: &Snapshot) -> Result<Snapshot, Error> {
    let mut tradable = accrued.clone();
    for board in accrued.boards.keys().filter(|board| accrued.needs_refresh(board).is_some()) {
        tradable.refresh(board)?;
    }
    Ok(tradable)
}

/// Closes of `account` what is in `taken`, as far as the house takes it: every trade as those before it leave the house. What
/// it does not take is kept, and costs nothing here. `swaps_too` says whether balances are turned into quote.
pub fn close(
    tradable: &Snapshot,
    account: &MarginAccount,
    taken: &MarginAccount,
    policy: &Policy,
    swaps_too: bool,
) -> Closing {
    let positions = closing_of_positions(taken).map(|(_, trade)| trade);
    let options = closing_of_options(tradable, taken).map(|(_, _, trade)| trade);
    let balances = swaps(tradable, taken).filter(|_| swaps_too).map(|(_, trade)| trade);
    let (mut house, mut left) = (tradable.clone(), *account);
    let mut closing = Closing { trades: Vec::new(), cost: 0 };
    for trade in positions.chain(options).chain(balances) {
        // What was taken over may have met its opposite there.
        let Ok(made) = house.what_if(&left, &trade) else { continue };
        let Some(execution) = made.execution.filter(|_| made.is_applied) else { continue };
        closing.trades.push(with_limit(&made, policy));
        closing.cost = closing.cost.saturating_add(execution.charge).saturating_add_unsigned(execution.fee);
        left = made.account;
        house.house = made.snapshot.house;
        house.banks.extend(made.snapshot.banks);
        house.markets.extend(made.snapshot.markets);
        house.boards.extend(made.snapshot.boards);
    }
    closing
}
