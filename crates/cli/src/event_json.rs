//! Events as JSON.

use plimsoll_client::{
    Address,
    accounts::MAX_STRIKES,
    event::{self, Event},
};
use serde_json::{Map, Value, json};

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
        pub fn fields(event: &Event) -> Map<String, Value> {
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
pub use table::{KINDS, fields};

/// An event as JSON.
pub fn of(event: &Event) -> Value {
    json!({ "event": event.name(), "fields": fields(event) })
}
