//! Prices, interest, funding, exchange rates.

use plimsoll_client::{
    Address,
    accounts::Bank,
    config::rate_kind,
    instruction::{bank, collateral, controls, market},
    interface::oracle,
    price::usual_address_of,
    risk::units::Timestamp,
};

use super::{View, part_of, relative_move, symbol};
use crate::sender::Work;

/// Parts per million of a dollar by which the quote's price may move before it is stored anew.
const QUOTE_MOVE_PPM: u32 = 500;
/// Age from which on the quote's price is stored anew, seconds.
const QUOTE_AGE_SECONDS: i64 = 60;

/// Prices that are older, or further from the price account's, than is wanted.
pub fn observe(view: &View<'_>) -> Vec<Work> {
    let snapshot = view.snapshot();
    let mut due = Vec::new();
    for (address, market) in &snapshot.markets {
        let Some(price) = snapshot.prices.get(address) else { continue };
        let Ok(observation) = price.observation(market, view.now()) else { continue };
        if observation.publish_time.raw() <= market.publish_time {
            continue;
        }
        let age = view.now().saturating_sub(market.publish_time);
        let moved = relative_move(market.spot, observation.spot.raw());
        let is_old = age >= part_of(i64::from(market.config.max_age_seconds), view.due.observe_at_age);
        if (is_old || moved >= view.due.observe_at_move)
            && let Ok(instruction) = snapshot.observe(address)
        {
            let basis = observation.publish_time.raw().unsigned_abs();
            due.push((moved, Work::new(format!("observe {}", symbol(market)), basis, vec![instruction])));
        }
    }
    due.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    due.into_iter().map(|(_, work)| work).collect()
}

/// The quote's own price, where it has a feed.
pub fn observe_quote(view: &View<'_>) -> Vec<Work> {
    let exchange = &view.snapshot().exchange;
    let Some(price) = view.state.quote_price_address().and_then(|address| view.state.watched.get(&address)) else {
        return Vec::new();
    };
    let now = Timestamp::from_raw(view.now());
    let Ok((ppm, publish_time)) = oracle::read_quote(&exchange.data, &price.address, &price.owner, &price.data, now)
    else {
        return Vec::new();
    };
    let stored = (exchange.data.quote_price_ppm, exchange.data.quote_publish_time);
    let is_due = publish_time.raw() > stored.1
        && (ppm.abs_diff(stored.0) >= QUOTE_MOVE_PPM || publish_time.raw() - stored.1 >= QUOTE_AGE_SECONDS);
    if !is_due {
        return Vec::new();
    }
    let observe = controls::ObserveQuote { exchange: exchange.address, oracle: price.address };
    vec![Work::new("observe the quote", publish_time.raw().unsigned_abs(), vec![observe.instruction()])]
}

/// Banks with debts whose interest has not been accrued for long.
pub fn accrue(view: &View<'_>) -> Vec<Work> {
    let is_due =
        |bank: &Bank| bank.borrow_shares > 0 && view.now().saturating_sub(bank.accrued_at) >= view.due.accrue_seconds;
    let banks = view.snapshot().banks.iter().filter(|(_, bank)| is_due(bank));
    let accrue = |address: &Address| bank::Accrue { bank: *address }.instruction();
    banks.map(|(at, _)| Work::new(format!("accrue {at}"), view.basis(at), vec![accrue(at)])).collect()
}

/// Markets with a skew whose funding has not been accrued for long.
pub fn accrue_funding(view: &View<'_>) -> Vec<Work> {
    let mut due = Vec::new();
    for (address, market) in &view.snapshot().markets {
        let age = view.now().saturating_sub(market.funding_accrued_at);
        if market.house_size != 0 && market.config.funding.max_rate_per_day_ppm != 0 && age >= view.due.funding_seconds
        {
            let accrue = market::AccrueFunding { market: *address }.instruction();
            due.push(Work::new(format!("funding of {}", symbol(market)), view.basis(address), vec![accrue]));
        }
    }
    due
}

/// Exchange rates that grow old.
pub fn update_rate(view: &View<'_>) -> Vec<Work> {
    let mut due = Vec::new();
    for (address, bank) in &view.snapshot().banks {
        let source = &bank.rate.source;
        let age = view.now().saturating_sub(bank.rate.updated_at);
        let is_old = age >= part_of(i64::from(source.max_age_seconds), view.due.rate_at_age);
        if source.kind == rate_kind::NONE || !is_old || !view.state.watched.contains_key(&source.pool) {
            continue;
        }
        let has_feed = source.has_feed != 0;
        let feed = usual_address_of(source.feed_kind, &source.feed_owner, &source.feed_id).filter(|_| has_feed);
        let oracle = view.oracle(&bank.market).filter(|_| has_feed);
        let update = collateral::UpdateRate { bank: *address, market: bank.market, source: source.pool, oracle, feed };
        due.push(Work::new(format!("rate of {}", bank.mint), view.basis(address), vec![update.instruction()]));
    }
    due
}
