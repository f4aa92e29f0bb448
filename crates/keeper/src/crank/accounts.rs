//! Cash, positions that wind down, stored orders.

use plimsoll_client::{
    Address, Keyed,
    accounts::{MarginAccount, MarketSlot, TriggerSlot, trigger_side, trigger_when},
    address,
    instruction::controls,
    risk::{price::Freshness, units::Base},
};

use super::View;
use crate::sender::Work;

/// Accounts that have gained or lost enough in a market, the largest sums first.
pub fn settle(view: &View<'_>) -> Vec<Work> {
    let least = (view.due.settle_usd * 1e6) as u64;
    let mut due = Vec::new();
    for account in view.state.accounts.values() {
        for slot in account.data.markets.iter().filter(|slot| slot.in_use == 1) {
            let Some(worth) = worth(view, slot) else { continue };
            if worth != 0 && worth.unsigned_abs() >= least {
                let settle = view.snapshot().settle(&account.address, &slot.market);
                let subject = format!("cash of {} in {}", account.address, slot.market);
                due.push((worth.unsigned_abs(), Work::new(subject, view.basis(&account.address), vec![settle])));
            }
        }
    }
    due.sort_by_key(|(worth, _)| core::cmp::Reverse(*worth));
    due.into_iter().map(|(_, work)| work).collect()
}

/// What an account has gained in a market and not been paid, quote native; `None` where no price is good enough to pay by.
fn worth(view: &View<'_>, slot: &MarketSlot) -> Option<i64> {
    let market = view.snapshot().markets.get(&slot.market)?;
    let cash = slot.cash_after_funding(market).ok()?.raw();
    if slot.size == 0 {
        return Some(cash);
    }
    if view.freshness(&slot.market)? != Freshness::Fresh {
        return None;
    }
    let value = view.price(&slot.market)?.spot.value_floor(Base::from_raw(slot.size))?;
    cash.checked_add(value.raw())
}

/// Positions of markets that have wound down.
pub fn wind_down(view: &View<'_>) -> Vec<Work> {
    let snapshot = view.snapshot();
    let mut due = Vec::new();
    for account in view.state.accounts.values() {
        for slot in account.data.markets.iter().filter(|slot| slot.in_use == 1 && slot.size != 0) {
            let Some(market) = snapshot.markets.get(&slot.market) else { continue };
            let Some(price) = snapshot.prices.get(&slot.market) else { continue };
            if market.wind_down_at == 0 || market.wind_down_at > view.now() {
                continue;
            }
            let (exchange, oracle) = (view.exchange(), price.address);
            let close = controls::WindDownPosition { exchange, account: account.address, market: slot.market, oracle };
            let subject = format!("position of {} in {}", account.address, slot.market);
            due.push(Work::new(subject, view.basis(&account.address), vec![close.instruction()]));
        }
    }
    due
}

/// Stored orders whose price is reached, for their tip where the payer has a margin account, the largest tips first.
pub fn execute_triggers(view: &View<'_>) -> Vec<Work> {
    let own = address::margin_account(&view.exchange(), &view.payer, 0);
    let executor = view.state.accounts.contains_key(&own).then_some(own);
    let mut due = Vec::new();
    for account in view.state.accounts.values() {
        for (index, order) in (0u8..).zip(&account.data.triggers) {
            if !is_due(view, account, order) {
                continue;
            }
            let executor = executor.filter(|executor| *executor != account.address);
            // An account below its line pays no tip: its order is executed all the same.
            let mut recipients = vec![None];
            recipients.splice(0..0, executor.map(Some));
            let alternatives: Vec<_> = recipients
                .into_iter()
                .filter_map(|executor| view.snapshot().execute_trigger(view.payer, account, index, executor).ok())
                .map(|instruction| vec![instruction])
                .collect();
            let subject = format!("stored order {index} of {}", account.address);
            due.push((order.tip, Work { subject, basis: view.basis(&account.address), alternatives }));
        }
    }
    due.sort_by_key(|(tip, _)| core::cmp::Reverse(*tip));
    due.into_iter().map(|(_, work)| work).collect()
}

fn is_due(view: &View<'_>, account: &Keyed<MarginAccount>, order: &TriggerSlot) -> bool {
    let size = |market: &Address| account.data.market_slot(market).map_or(0, |slot| account.data.markets[slot].size);
    let has_position = match order.side {
        trigger_side::LONG => size(&order.market) > 0,
        trigger_side::SHORT => size(&order.market) < 0,
        _ => false,
    };
    let is_alive = order.expires_at == 0 || view.now() <= order.expires_at;
    let Some(observation) = view.price(&order.market).filter(|_| has_position && is_alive) else { return false };
    let is_reached = match order.when {
        trigger_when::AT_OR_BELOW => observation.spot.raw() <= order.trigger_price,
        _ => observation.spot.raw() >= order.trigger_price,
    };
    is_reached && view.is_narrow(&order.market)
}
