//! The exchange, its markets, banks and boards.

use plimsoll_client::{
    Address, Error, Snapshot,
    accounts::{Bank, Board, MAX_STRIKES, Market, board_state},
    config::state,
    interface::{
        board::used_volatility,
        bridge::{Inputs, Side, token_price},
    },
    price,
    risk::{
        interest,
        price::{Freshness, freshness},
        units::{Price, Seconds, Timestamp},
    },
    snapshot::BudgetUse,
    words,
};
use serde::Serialize;
use tsify::Tsify;

use super::{percent, price_usd, some, symbol, tokens, usd};
use crate::state::State;

/// The root: who administers it, what is paused.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct ExchangeView {
    /// Its address.
    pub address: String,
    /// Its admin.
    pub admin: String,
    /// Its keeper.
    pub keeper: String,
    /// The mint that counts as a dollar.
    pub quote_mint: String,
    /// The bank of that mint.
    pub quote_bank: String,
    /// What is paused: `deposit`, `withdraw`, `open`, `trade`, `liquidate`, `settle`, `option`, `house`, `resolve`.
    pub paused: Vec<&'static str>,
    /// The chain's clock as last seen, unix seconds.
    pub now: i64,
    /// Seconds that a change which loosens waits.
    pub timelock_seconds: u32,
    /// What the requirement of the whole is multiplied by towards maintenance, percent.
    pub maintenance_percent: f64,
    /// What the insurance holds, quote native.
    pub insurance: u64,
    /// The house, once there is one.
    pub house: Option<HouseView>,
}

/// The liquidity pool.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct HouseView {
    /// Its address.
    pub address: String,
    /// The mint of its shares, 6 decimals.
    pub share_mint: String,
    /// Net asset value of the last valuation, quote native.
    pub nav: i64,
    /// The same in dollars.
    pub nav_usd: f64,
    /// When that valuation began, unix seconds; zero for never.
    pub nav_at: i64,
    /// Shares in circulation, 1e-6 of a share.
    pub share_supply: u64,
    /// What a share is worth, dollars; `undefined` without shares.
    pub share_price_usd: Option<f64>,
    /// Quote that waits in tickets, quote native.
    pub pending_quote: u64,
    /// Shares that wait in tickets, 1e-6 of a share.
    pub pending_shares: u64,
    /// Sum of the markets' risk budgets, quote native.
    pub risk_budget: u64,
    /// Seconds that a ticket waits.
    pub delay_seconds: u32,
}

/// One underlying and its perpetual.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct MarketView {
    /// Its address.
    pub address: String,
    /// Which of the exchange's markets it is.
    pub index: u16,
    /// Its name: `SOL`.
    pub symbol: String,
    /// Decimals of its base unit.
    pub base_decimals: u8,
    /// The price that counts, Q16.48 quote native per base unit: the price account's where that is younger.
    pub price: u64,
    /// The same in dollars for a whole token.
    pub price_usd: f64,
    /// The moving average, dollars.
    pub ema_usd: f64,
    /// Half the width of the confidence interval, dollars.
    pub confidence_usd: f64,
    /// When that price was published, unix seconds.
    pub published_at: i64,
    /// How old it is: `fresh`, `stale` (nothing new may depend on it) or `dead`.
    pub freshness: &'static str,
    /// The price account that is read, where one is known.
    pub price_account: Option<String>,
    /// Shock range towards initial margin, percent.
    pub range_percent: f64,
    /// Shock range towards maintenance margin, percent.
    pub range_maint_percent: f64,
    /// The volatility that ranges and options are reckoned with, percent a year.
    pub volatility_percent: f64,
    /// Whether it has a perpetual.
    pub has_perpetual: bool,
    /// Whether it has options.
    pub has_options: bool,
    /// What it accepts: `active`, `reduce-only`, `wind-down` or `retired`.
    pub state: &'static str,
    /// Sum of all long positions, base units.
    pub open_interest_long: u64,
    /// Sum of all short positions, base units.
    pub open_interest_short: u64,
    /// The most that either may become, base units.
    pub open_interest_max: u64,
    /// The house's position, base units.
    pub house_size: i64,
    /// Funding that longs pay, percent of the notional a day; negative where shorts pay.
    pub funding_percent_per_day: f64,
    /// Fee on a trade's notional, percent.
    pub taker_fee_percent: f64,
    /// Half the spread around the oracle's price, percent.
    pub half_spread_percent: f64,
    /// Risk group: markets of one group net with each other.
    pub group: u8,
    /// Base units in a lot of its options, zero without.
    pub option_lot: u64,
    /// Whether it prices the house's shares.
    pub is_of_house_shares: bool,
}

/// How much of a market's risk budget is used, and by what. Quote native.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct BudgetUseView {
    /// The market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// The largest loss that the house's inventory in the market may have in a stress scenario.
    pub budget: u64,
    /// The part of it that the house's net asset value covers: what counts.
    pub in_force: u64,
    /// The largest loss that the inventory could have now.
    pub used: u64,
    /// The same of the house's perpetual position alone. The parts may sum to more than `used`, as they net.
    pub perpetual: u64,
    /// The same of its options alone.
    pub options: u64,
    /// The same of what it holds from swaps alone.
    pub spot: u64,
    /// Base units that the house holds from swaps.
    pub house_inventory: i64,
}

/// One collateral mint.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct BankView {
    /// Its address.
    pub address: String,
    /// The mint.
    pub mint: String,
    /// The mint's token program.
    pub token_program: String,
    /// The mint's name as it was given to the engine, else the market's, else `quote`.
    pub symbol: String,
    /// The market that prices it; `undefined` for the quote.
    pub market: Option<String>,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Whether it is the exchange's quote.
    pub is_quote: bool,
    /// Whether its mint is that of the house's shares.
    pub is_house_share: bool,
    /// What a whole token counts at as a deposit, dollars.
    pub price_usd: f64,
    /// All deposits, native.
    pub deposits: u64,
    /// All borrows, native.
    pub borrows: u64,
    /// The most that deposits may become, native.
    pub deposit_cap: u64,
    /// The most that borrows may become, native.
    pub borrow_cap: u64,
    /// Borrows over deposits, percent.
    pub utilisation_percent: f64,
    /// What borrowers pay, percent a year.
    pub borrow_rate_percent: f64,
    /// What depositors earn, percent a year.
    pub deposit_rate_percent: f64,
    /// What of a deposit's value does not count towards initial margin, percent.
    pub haircut_percent: f64,
    /// The same towards maintenance.
    pub haircut_maint_percent: f64,
    /// What it accepts: `active`, `reduce-only`, `wind-down` or `retired`.
    pub state: &'static str,
}

/// One option expiry of a market.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct BoardView {
    /// Its address.
    pub address: String,
    /// Its market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// Which of the market's boards it is.
    pub slot: u8,
    /// When its options expire, unix seconds.
    pub expiry: i64,
    /// Base units in a lot.
    pub lot: u64,
    /// The same in whole tokens.
    pub lot_tokens: f64,
    /// Whether it is settled.
    pub is_settled: bool,
    /// What its options are settled at, dollars; `undefined` until then.
    pub settlement_price_usd: Option<f64>,
    /// When its arrays were computed, unix seconds; zero for never.
    pub refreshed_at: i64,
    /// The forward over spot less one, percent.
    pub basis_percent: f64,
    /// Its listed strikes, ascending.
    pub strikes: Vec<StrikeView>,
}

/// One strike of a board.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct StrikeView {
    /// Its place in the board: its call is series `2 index`, its put `2 index + 1`.
    pub index: u8,
    /// The strike, Q16.48 quote native per base unit.
    pub strike: u64,
    /// The same in dollars.
    pub strike_usd: f64,
    /// Its volatility, percent a year.
    pub volatility_percent: f64,
    /// Whether it has a risk array, without which it is not traded.
    pub is_refreshed: bool,
    /// Its call.
    pub call: SeriesView,
    /// Its put.
    pub put: SeriesView,
}

/// One series of a board.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct SeriesView {
    /// Its number.
    pub series: u8,
    /// Lots that accounts are long.
    pub long_lots: u64,
    /// Lots that the house has.
    pub house_lots: i64,
}

fn state_name(value: u8) -> &'static str {
    match value {
        state::ACTIVE => "active",
        state::REDUCE_ONLY => "reduce-only",
        state::WIND_DOWN => "wind-down",
        _ => "retired",
    }
}

impl ExchangeView {
    /// Of a state.
    pub fn new(state: &State) -> Self {
        let snapshot = &state.snapshot;
        let root = &snapshot.exchange.data;
        Self {
            address: snapshot.exchange.address.to_string(),
            admin: root.admin.to_string(),
            keeper: root.keeper.to_string(),
            quote_mint: root.quote_mint.to_string(),
            quote_bank: root.quote_bank.to_string(),
            paused: words::paused(root.config.pauses),
            now: snapshot.now,
            timelock_seconds: root.config.timelock_seconds,
            maintenance_percent: percent(root.config.maintenance_ratio_ppm),
            insurance: snapshot.banks.get(&root.quote_bank).map_or(0, |bank| bank.reserve),
            house: HouseView::new(snapshot),
        }
    }
}

impl HouseView {
    fn new(snapshot: &Snapshot) -> Option<Self> {
        let house = snapshot.house.as_ref()?;
        Some(Self {
            address: plimsoll_client::address::house(&snapshot.exchange.address).to_string(),
            share_mint: house.share_mint.to_string(),
            nav: house.nav,
            nav_usd: usd(house.nav),
            nav_at: house.nav_at,
            share_supply: house.share_supply,
            share_price_usd: (house.share_supply != 0).then(|| house.nav as f64 / house.share_supply as f64),
            pending_quote: house.pending_quote,
            pending_shares: house.escrow_shares,
            risk_budget: house.risk_budget_total,
            delay_seconds: snapshot.exchange.data.config.house_delay_seconds,
        })
    }
}

impl MarketView {
    /// Of a market of a snapshot.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn new(snapshot: &Snapshot, address: &Address) -> Result<Self, Error> {
        let (market, seen) = snapshot.market(address)?;
        let config = &market.config;
        let decimals = market.base_decimals;
        let now = Timestamp::from_raw(snapshot.now);
        let seconds = |count: u32| Seconds::from_raw(i64::from(count));
        let age = freshness(seen.publish_time, now, seconds(config.max_age_seconds), seconds(config.dead_age_seconds));
        let price_account = snapshot.prices.get(address).map(|price| price.address).or(price::usual_address(market));
        Ok(Self {
            address: address.to_string(),
            index: market.index,
            symbol: symbol(market),
            base_decimals: decimals,
            price: seen.spot.raw(),
            price_usd: price_usd(seen.spot.raw(), decimals),
            ema_usd: price_usd(seen.ema.raw(), decimals),
            confidence_usd: price_usd(seen.confidence.raw(), decimals),
            published_at: seen.publish_time.raw(),
            freshness: freshness_name(age),
            price_account: price_account.map(|address| address.to_string()),
            range_percent: percent(market.range_ppm),
            range_maint_percent: percent(market.range_maint_ppm),
            volatility_percent: percent(used_volatility(market, now).init.raw()),
            has_perpetual: config.perp_enabled == 1,
            has_options: config.options.enabled == 1,
            state: state_name(config.state),
            open_interest_long: market.open_interest_long,
            open_interest_short: market.open_interest_short,
            open_interest_max: config.max_open_interest,
            house_size: market.house_size,
            funding_percent_per_day: market.funding_rate_per_day() as f64 / 1e10,
            taker_fee_percent: percent(config.taker_fee_ppm),
            half_spread_percent: percent(config.half_spread_ppm),
            group: config.group,
            option_lot: config.options.lot,
            is_of_house_shares: market.is_of_house_shares(),
        })
    }
}

impl BudgetUseView {
    /// Of a market of a snapshot.
    ///
    /// # Errors
    /// Those of [`Snapshot::budget_use`].
    pub fn new(snapshot: &Snapshot, address: &Address) -> Result<Self, Error> {
        let BudgetUse { budget, in_force, used, perpetual, options, spot } = snapshot.budget_use(address)?;
        let market = snapshot.market(address)?.0;
        let (name, house_inventory) = (symbol(market), market.house_inventory);
        let market = address.to_string();
        Ok(Self { market, symbol: name, budget, in_force, used, perpetual, options, spot, house_inventory })
    }
}

fn freshness_name(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Stale => "stale",
        Freshness::Dead => "dead",
    }
}

/// What a whole token of a bank counts at as a deposit, dollars.
pub fn token_usd(snapshot: &Snapshot, bank: &Bank) -> f64 {
    if bank.is_quote == 1 {
        return 1.0;
    }
    let Ok((market, seen)) = snapshot.market(&bank.market) else { return 0.0 };
    let price = token_price(seen.spot, bank, Side::Deposit).unwrap_or(Price::ZERO);
    price_usd(price.raw(), market.base_decimals)
}

impl State {
    /// The name of a bank's mint, for people.
    pub fn bank_symbol(&self, bank: &Bank) -> String {
        let given = self.symbols.get(&bank.mint).cloned();
        given.unwrap_or_else(|| match self.snapshot.markets.get(&bank.market) {
            Some(market) => symbol(market),
            None => "quote".into(),
        })
    }
}

impl BankView {
    /// Of a bank of a state.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn new(state: &State, snapshot: &Snapshot, address: &Address, bank: &Bank) -> Result<Self, Error> {
        let config = &bank.config;
        let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index())?;
        let borrows = interest::borrow_amount(bank.borrow_shares, bank.borrow_index())?;
        let utilisation = interest::utilisation(deposits, borrows);
        let borrow_rate = percent(config.rates().rate(utilisation).raw());
        let kept = percent(config.reserve_factor_ppm) / 100.0;
        Ok(Self {
            address: address.to_string(),
            mint: bank.mint.to_string(),
            token_program: bank.token_program.to_string(),
            symbol: state.bank_symbol(bank),
            market: some(&bank.market),
            decimals: bank.decimals,
            is_quote: bank.is_quote == 1,
            is_house_share: bank.is_house_share == 1,
            price_usd: token_usd(snapshot, bank),
            deposits,
            borrows,
            deposit_cap: config.deposit_cap,
            borrow_cap: config.borrow_cap,
            utilisation_percent: percent(utilisation.raw()),
            borrow_rate_percent: borrow_rate,
            deposit_rate_percent: borrow_rate * percent(utilisation.raw()) / 100.0 * (1.0 - kept),
            haircut_percent: percent(config.haircut_init_ppm),
            haircut_maint_percent: percent(config.haircut_maint_ppm),
            state: state_name(config.state),
        })
    }
}

impl BoardView {
    /// Of a board of a snapshot.
    ///
    /// # Errors
    /// [`Error::Missing`] without its market.
    pub fn new(snapshot: &Snapshot, address: &Address, board: &Board) -> Result<Self, Error> {
        let missing = Error::Missing { what: "market of a board", address: board.market };
        let market = snapshot.markets.get(&board.market).ok_or(missing)?;
        let mut strikes: Vec<_> = (0..MAX_STRIKES)
            .filter(|index| board.strikes[*index] != 0)
            .map(|i| StrikeView::new(market, board, i))
            .collect();
        strikes.sort_by_key(|strike| strike.strike);
        let is_settled = board.state == board_state::SETTLED;
        Ok(Self {
            address: address.to_string(),
            market: board.market.to_string(),
            symbol: symbol(market),
            slot: board.slot,
            expiry: board.expiry,
            lot: board.lot,
            lot_tokens: tokens(board.lot.cast_signed(), market.base_decimals),
            is_settled,
            settlement_price_usd: is_settled.then(|| price_usd(board.settlement_price, market.base_decimals)),
            refreshed_at: board.terms.time,
            basis_percent: f64::from(board.basis_ppm) / 1e4,
            strikes,
        })
    }
}

impl StrikeView {
    fn new(market: &Market, board: &Board, index: usize) -> Self {
        let series = |series: usize| SeriesView {
            series: series as u8,
            long_lots: board.long_lots[series],
            house_lots: board.house_lots[series],
        };
        Self {
            index: index as u8,
            strike: board.strikes[index],
            strike_usd: price_usd(board.strikes[index], market.base_decimals),
            volatility_percent: percent(board.volatilities_ppm[index]),
            is_refreshed: board.is_refreshed(index),
            call: series(2 * index),
            put: series(2 * index + 1),
        }
    }
}
