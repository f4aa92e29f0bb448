//! Getting rid of what was taken over: trades against the house, and what they are expected to cost.

use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::{Bank, MAX_BOARDS, MarginAccount, Market, NO_MARKET, board_state},
    interface::{
        bridge::{self, Inputs, Side},
        instruction::{CloseOptionArgs, ClosePositionArgs, OpenPositionArgs, SwapArgs},
    },
    risk::{
        interest, trade,
        units::{Base, Price},
    },
};
use solana_instruction::Instruction;

use crate::{
    config::{Policy, Unwind},
    sender::Work,
};

/// One dollar, quote native.
const DOLLAR: f64 = 1e6;
/// Bits behind the point of a price.
const Q48: u32 = 48;

/// What is done with the bot's own account.
pub struct Unwinding<'a> {
    /// The exchange, with prices.
    pub snapshot: &'a Snapshot,
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

    fn spot(&self, market: &Address) -> Option<Price> {
        self.snapshot.market(market).ok().map(|(_, observation)| observation.spot)
    }

    /// The worst price accepted of a trade in one direction.
    fn limit(&self, spot: Price, buys: bool) -> u64 {
        let factor = if buys { 1.0 + self.policy.slippage } else { 1.0 - self.policy.slippage };
        (spot.raw() as f64 * factor) as u64
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

    fn closing_of_positions(&self) -> Vec<Work> {
        let mut due = Vec::new();
        for slot in self.account.data.markets.iter().filter(|slot| slot.in_use == 1 && slot.size != 0) {
            let close =
                |size: u64| self.close_position(self.account, &slot.market, slot.size, size).map(|one| vec![one]);
            let whole = slot.size.unsigned_abs();
            // Where the house takes not all, it may take a part.
            let alternatives: Vec<_> = [u64::MAX, whole / 2, whole / 8].into_iter().filter_map(close).collect();
            due.push(self.work("position in", &slot.market, alternatives));
        }
        due
    }

    /// `close_position` of `size` of what `account` has in a market.
    pub fn close_position(
        &self,
        account: &Keyed<MarginAccount>,
        market: &Address,
        position: i64,
        size: u64,
    ) -> Option<Instruction> {
        let limit_price = self.limit(self.spot(market)?, position < 0);
        let args = ClosePositionArgs { size, limit_price, expires_at: 0 };
        self.snapshot.close_position(self.authority, account, market, args).ok()
    }

    fn closing_of_options(&self) -> Vec<Work> {
        let mut due = Vec::new();
        for option in self.account.data.options.iter().filter(|option| option.lots != 0) {
            let Some(slot) = self.account.data.boards.get(usize::from(option.board_slot)) else { continue };
            let Some(board) = self.snapshot.boards.get(&slot.board) else { continue };
            if board.state == board_state::SETTLED {
                if let Ok(settle) = self.snapshot.settle_option(&self.account.address, &slot.board) {
                    due.push(self.work("options of", &slot.board, vec![vec![settle]]));
                }
                continue;
            }
            let whole = u64::from(option.lots.unsigned_abs());
            let close = |lots: u64| {
                self.close_option(self.account, &slot.board, option.series, option.lots, lots).map(|one| vec![one])
            };
            let alternatives: Vec<_> = [whole, whole / 2, whole / 8].into_iter().filter_map(close).collect();
            due.push(self.work(&format!("series {} of", option.series), &slot.board, alternatives));
        }
        due
    }

    /// `close_option` of `lots` of what `account` has of a series, at half or one and a half times what it is worth.
    pub fn close_option(
        &self,
        account: &Keyed<MarginAccount>,
        board: &Address,
        series: u8,
        held: i32,
        lots: u64,
    ) -> Option<Instruction> {
        let terms = self.snapshot.boards.get(board)?;
        let spot = self.spot(&terms.market)?.raw() as f64;
        let mark = self.mark(account, board, series).unwrap_or(0.0);
        let slack = spot * self.policy.slippage;
        let limit_price = if held > 0 { (mark / 2.0 - slack).max(1.0) } else { mark * 1.5 + slack };
        let args = CloseOptionArgs { lots, limit_price: limit_price as u64, expires_at: 0, series };
        self.snapshot.close_option(self.authority, account, board, args).ok()
    }

    /// What one base unit of a series is worth by the engine, Q16.48.
    fn mark(&self, account: &Keyed<MarginAccount>, board: &Address, series: u8) -> Option<f64> {
        let mut alone = empty(&account.data);
        let terms = self.snapshot.boards.get(board)?;
        let slot = alone.board_slot_or_new(board, &terms.market).ok()?;
        alone.set_option(slot, series, 1 << 16).ok()?;
        let margin = self.snapshot.margin(&alone).ok()?;
        let units = terms.lot as f64 * f64::from(1 << 16);
        Some(margin.equity_maint.raw() as f64 / units * 2f64.powi(Q48 as i32))
    }

    /// Deposits sold and debts bought back.
    fn swaps(&self) -> Vec<Work> {
        let mut due = Vec::new();
        for slot in self.account.data.balances.iter().filter(|slot| slot.in_use == 1 && slot.market_slot != NO_MARKET) {
            let Some(bank) = self.snapshot.banks.get(&slot.bank) else { continue };
            let Ok((amount, is_debt)) = bridge::balance_amount(slot, bank) else { continue };
            let Some(value) = self.value(bank, amount) else { continue };
            if self.is_dust(value) {
                continue;
            }
            let swap = |amount: u64| self.swap(self.account, bank, amount, is_debt).map(|one| vec![one]);
            let alternatives: Vec<_> = [amount, amount / 2, amount / 8].into_iter().filter_map(swap).collect();
            due.push(self.work("balance of", &bank.mint, alternatives));
        }
        due
    }

    /// `swap` of so much of a deposit for quote, or of quote for so much of a debt.
    pub fn swap(&self, account: &Keyed<MarginAccount>, bank: &Bank, amount: u64, buys: bool) -> Option<Instruction> {
        let value = self.value(bank, amount)?.unsigned_abs() as f64;
        let signed = i64::try_from(amount).ok().filter(|amount| *amount > 0)?;
        let args = if buys {
            SwapArgs { amount: signed, limit_amount: (value * (1.0 + self.policy.slippage)) as u64 + 1, expires_at: 0 }
        } else {
            let limit_amount = (value * (1.0 - self.policy.slippage)) as u64;
            SwapArgs { amount: -signed, limit_amount, expires_at: 0 }
        };
        self.snapshot.swap(self.authority, account, &bank.mint, args).ok()
    }

    fn value(&self, bank: &Bank, amount: u64) -> Option<i64> {
        let base = bridge::base_units(amount, bank, Side::Deposit).ok()?;
        let base = Base::from_raw(i64::try_from(base).ok()?);
        self.spot(&bank.market)?.value_floor(base).map(|value| value.raw())
    }

    /// Trades of perpetuals that take away what the account gains or loses with the price, collateral and options included.
    fn hedges(&self) -> Vec<Work> {
        let Ok(greeks) = self.snapshot.greeks(&self.account.data) else { return Vec::new() };
        let mut due = Vec::new();
        let slots = self.account.data.markets.iter().filter(|slot| slot.in_use != 0);
        for (slot, own) in slots.zip(&greeks.underlyings) {
            let Some(market) = self.snapshot.markets.get(&slot.market) else { continue };
            let Some(spot) = self.spot(&slot.market) else { continue };
            if market.config.perp_enabled == 0 || self.is_dust(own.quote.delta.raw()) {
                continue;
            }
            let size = own.delta.raw().saturating_neg();
            let limit_price = self.limit(spot, size > 0);
            let args = OpenPositionArgs { size, limit_price, expires_at: 0, reduce_only: 0 };
            if let Ok(trade) = self.snapshot.open_position(self.authority, self.account, &slot.market, args) {
                due.push(self.work("delta in", &slot.market, vec![vec![trade]]));
            }
        }
        due
    }
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

/// What closing everything in `account` against the house is expected to cost, quote native: half spreads, premiums and
/// fees, of options by their vega. What the house does not trade costs nothing here: it is kept.
pub fn cost(snapshot: &Snapshot, account: &MarginAccount) -> i64 {
    let mut cost = 0i64;
    for slot in account.markets.iter().filter(|slot| slot.in_use == 1 && slot.size != 0) {
        cost = cost.saturating_add(cost_of_position(snapshot, &slot.market, slot.size).unwrap_or(0));
    }
    for slot in account.balances.iter().filter(|slot| slot.in_use == 1 && slot.market_slot != NO_MARKET) {
        cost = cost.saturating_add(cost_of_balance(snapshot, slot).unwrap_or(0));
    }
    for index in 0..MAX_BOARDS {
        cost = cost.saturating_add(cost_of_options(snapshot, account, index).unwrap_or(0));
    }
    cost
}

/// What a trade costs above the price.
fn charge(market: &Market, spot: Price, skew: i64, size: i64) -> Option<i64> {
    let quote = trade::quote_trade(&market.config.pricing(), spot, Base::from_raw(skew), Base::from_raw(size)).ok()?;
    let value = spot.value_floor(Base::from_raw(size))?;
    quote.cost.raw().checked_add(quote.fee.raw())?.checked_sub(value.raw())
}

fn cost_of_position(snapshot: &Snapshot, address: &Address, size: i64) -> Option<i64> {
    let (market, observation) = snapshot.market(address).ok()?;
    charge(market, observation.spot, market.house_size.checked_neg()?, size.checked_neg()?)
}

fn cost_of_balance(snapshot: &Snapshot, slot: &plimsoll_client::accounts::BalanceSlot) -> Option<i64> {
    let bank = snapshot.banks.get(&slot.bank)?;
    let (market, observation) = snapshot.market(&bank.market).ok()?;
    let (amount, is_debt) = bridge::balance_amount(slot, bank).ok()?;
    let base = i64::try_from(bridge::base_units(amount, bank, Side::Deposit).ok()?).ok()?;
    let inventory = interest::deposit_amount(bank.inventory_shares, bank.deposit_index()).ok()?;
    let inventory = i64::try_from(bridge::base_units(inventory, bank, Side::Deposit).ok()?).ok()?;
    if base == 0 {
        return Some(0);
    }
    charge(market, observation.spot, -inventory, if is_debt { base } else { -base })
}

/// Half a spread of volatility on the vega, half a spread of the perpetual and the fee on the notional.
fn cost_of_options(snapshot: &Snapshot, account: &MarginAccount, index: usize) -> Option<i64> {
    let slot = account.boards.get(index).filter(|slot| slot.in_use == 1)?;
    let board = snapshot.boards.get(&slot.board)?;
    if board.state == board_state::SETTLED {
        return Some(0);
    }
    let (market, observation) = snapshot.market(&board.market).ok()?;
    let options = &market.config.options;
    let mut cost = 0f64;
    for option in &account.options[account.options_of(index).ok()?] {
        let mut alone = empty(account);
        let own = alone.board_slot_or_new(&slot.board, &board.market).ok()?;
        alone.set_option(own, option.series, option.lots).ok()?;
        let greeks = snapshot.greeks(&alone).ok()?.total;
        let base = i64::from(option.lots).checked_mul(i64::try_from(board.lot).ok()?)?;
        let notional = observation.spot.value_floor(Base::from_raw(base))?.raw().unsigned_abs() as f64;
        let ppm = |ppm: u32| f64::from(ppm) / 1e6;
        // Vega is quote for a point of volatility.
        cost += greeks.vega.raw().unsigned_abs() as f64 * ppm(options.half_spread_volatility_ppm) * 100.0
            + greeks.delta.raw().unsigned_abs() as f64 * ppm(market.config.half_spread_ppm)
            + notional * ppm(options.fee_ppm);
    }
    Some(cost as i64)
}
