//! Accounts below their line: seen, waited for, and what they lack covered.

use plimsoll_client::{
    Address, Keyed,
    accounts::{Adapter, Lien, MarginAccount, MarketSlot},
    config::{adapter_state, loss_mode},
    interface::{instruction::DeleverageArgs, lien::LienRecord},
    risk::units::Base,
    snapshot::Resolution,
};
use solana_instruction::Instruction;

use super::{View, part_of};
use crate::{priced::Priced, sender::Work};

/// Accounts whose auction has to start, to go on or to end.
pub fn flag(view: &View<'_>) -> Vec<Work> {
    let config = &view.snapshot().exchange.data.config;
    let shortest = config.liquidation_duration_seconds.min(config.insolvency_duration_seconds);
    let remembered = part_of(i64::from(shortest), view.due.flag_at);
    let priced = Priced::new(view.snapshot(), &view.snapshot().boards);
    let mut due = Vec::new();
    for account in view.state.accounts.values() {
        let Ok(health) = priced.margin(&account.data).and_then(|margin| Ok(margin.health_maint()?)) else { continue };
        let is_running = account.data.liquidation_started_at != 0;
        let is_forgotten = view.now().saturating_sub(account.data.liquidation_seen_at) >= remembered;
        let is_due = if health.is_negative() { !is_running || is_forgotten } else { is_running };
        if is_due {
            let flag = view.snapshot().flag_liquidation(account);
            due.push((
                health,
                Work::new(format!("flag {}", account.address), view.basis(&account.address), vec![flag]),
            ));
        }
    }
    due.sort_by_key(|(health, _)| *health);
    due.into_iter().map(|(_, work)| work).collect()
}

/// Liens that count for other than they should.
pub fn update_liens(view: &View<'_>) -> Vec<Work> {
    let mut due = Vec::new();
    for (address, lien) in &view.state.liens {
        let Some(account) = view.state.accounts.get(&lien.account) else { continue };
        let Some(adapter) = view.state.adapters.get(&lien.adapter) else { continue };
        let is_waited_for = account.data.liquidation_started_at != 0
            && view.now().saturating_sub(account.data.liquidation_started_at)
                >= i64::from(adapter.config.grace_seconds);
        let wanted = if is_waited_for { 0 } else { recognised(view, lien, adapter) };
        if wanted != lien.recognised {
            let update = view.snapshot().update_lien(account, &adapter.mint, adapter.program, lien.record);
            due.push(Work::new(format!("lien {address}"), view.basis(address), vec![update]));
        }
    }
    due
}

/// What a lien's record covers of its claim, after the haircut; of a closed adapter never more than before.
fn recognised(view: &View<'_>, lien: &Lien, adapter: &Adapter) -> u64 {
    let record = view.state.watched.get(&lien.record);
    let record = record.and_then(|raw| LienRecord::read(&adapter.program, &raw.owner, &raw.data).ok());
    let is_it = |record: &LienRecord| {
        record.beneficiary == adapter.authority && record.account == lien.account && record.mint == adapter.mint
    };
    let held = record.filter(is_it).map_or(0, |record| record.amount);
    let worth = adapter.recognised(lien.claim.min(held));
    if adapter.config.state == adapter_state::ACTIVE { worth } else { worth.min(lien.recognised) }
}

/// Accounts without equity whose loss somebody has to bear now.
pub fn resolve(view: &View<'_>) -> Vec<Work> {
    let mut due = Vec::new();
    for account in view.state.accounts.values().filter(|account| account.data.liquidation_started_at != 0) {
        let Ok(Some(resolution)) = view.snapshot().resolution(&account.data) else { continue };
        let is_by_gains = view.snapshot().exchange.data.config.loss_mode == loss_mode::DELEVERAGE;
        let mut alternatives = Vec::new();
        if matches!(resolution, Resolution::Deposits(_) | Resolution::Wait(_)) && is_by_gains {
            alternatives.extend(deleverage(view, account).map(|instruction| vec![instruction]));
        }
        if matches!(resolution, Resolution::Repay(_) | Resolution::House(_) | Resolution::Deposits(_)) {
            alternatives.push(vec![view.snapshot().resolve(account)]);
        }
        if !alternatives.is_empty() {
            let subject = format!("loss of {}", account.address);
            due.push(Work { subject, basis: view.basis(&account.address), alternatives });
        }
    }
    due
}

/// Closes the largest position of an account without equity against who has gained most on the other side.
fn deleverage(view: &View<'_>, account: &Keyed<MarginAccount>) -> Option<Instruction> {
    let value = |slot: &MarketSlot| {
        let price = view.price(&slot.market)?;
        price.spot.value_floor(Base::from_raw(slot.size)).map(|value| value.raw().unsigned_abs())
    };
    let open = account.data.markets.iter().filter(|slot| slot.in_use == 1 && slot.size != 0);
    let largest = open.max_by_key(|slot| value(slot).unwrap_or(0))?;
    let mut gainers: Vec<(f64, Address)> = Vec::new();
    for other in view.state.accounts.values().filter(|other| other.address != account.address) {
        let Some(slot) = other.data.market_slot(&largest.market).map(|slot| &other.data.markets[slot]) else {
            continue;
        };
        if slot.size == 0 || (slot.size > 0) == (largest.size > 0) {
            continue;
        }
        let worth = view.price(&slot.market)?.spot.value_floor(Base::from_raw(slot.size))?.raw();
        let gain = slot.cash.saturating_add(worth);
        if gain > 0 {
            gainers.push((gain as f64 / slot.size.unsigned_abs() as f64, other.address));
        }
    }
    gainers.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let (_, first) = gainers.first()?;
    let candidates: Vec<Address> = gainers.iter().skip(1).take(3).map(|(_, address)| *address).collect();
    let counterparty = view.state.accounts.get(first)?;
    let args = DeleverageArgs { size: u64::MAX };
    view.snapshot().deleverage(account, counterparty, &largest.market, args, &candidates).ok()
}
