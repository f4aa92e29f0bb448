//! The file: its keys, in human units. Ratios are decimals (`0.2` is 20 %), amounts are whole tokens, money is US
//! dollars, times are seconds. An unknown key is refused by name.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};

use crate::value::Number;

/// What is wrong with a file, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{file}: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// The file is not TOML, or a key is unknown, missing or of another type.
    #[error("{file}, line {line}: {key}: {cause}")]
    Malformed {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Key or table.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// A value is outside of what is allowed.
    #[error("{file}: {key}: {cause}")]
    NotAllowed {
        /// The file.
        file: String,
        /// Key or table.
        key: String,
        /// What was given and what is allowed.
        cause: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub exchange: ExchangeTable,
    pub groups: BTreeMap<String, GroupTable>,
    #[serde(default)]
    pub correlations: Vec<CorrelationTable>,
    pub quote: QuoteTable,
    pub house: HouseTable,
    pub markets: BTreeMap<String, MarketTable>,
    #[serde(default)]
    pub banks: BTreeMap<String, BankTable>,
    #[serde(default)]
    pub roles: RolesTable,
}

/// Who holds which role; a role that is not given stays whose it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesTable {
    pub risk_admin: Option<String>,
    pub keeper: Option<String>,
    pub forecaster: Option<String>,
}

/// A price feed besides those of markets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedTable {
    pub oracle: OracleValue,
    pub feed_id: String,
    pub price_account: Option<String>,
}

/// Where a staked token's exchange rate is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateTable {
    pub stake_pool: String,
    pub max_age_seconds: u32,
    pub rise_per_day: Number,
    pub feed: Option<FeedTable>,
}

/// One expiry of a market's options. Either `expiry` or `after_days`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardTable {
    pub slot: u8,
    pub expiry: Option<String>,
    pub after_days: Option<u32>,
    pub strikes: Vec<Number>,
    pub volatilities: Vec<Number>,
    #[serde(default)]
    pub basis: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeTable {
    pub index: u16,
    pub maintenance_ratio: Number,
    pub liquidation_dust_usd: Number,
    pub liquidation_buffer: Number,
    pub liquidation_discount_min: Number,
    pub liquidation_discount_max: Number,
    pub liquidation_duration_seconds: u32,
    pub extreme_damping: Number,
    pub insolvency_reward_max: Number,
    pub insolvency_duration_seconds: u32,
    pub house_floor_usd: Number,
    pub house_delay_seconds: u32,
    pub timelock_seconds: u32,
    pub loss_mode: LossValue,
    pub quote_scale_below: Number,
    pub quote_refuse_below: Number,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossValue {
    Socialise,
    Deleverage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTable {
    pub index: u8,
    pub netting: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrelationTable {
    pub groups: [String; 2],
    pub correlation: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseTable {
    pub initial_deposit_usd: Number,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateValue {
    #[default]
    Active,
    ReduceOnly,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OracleValue {
    PythReceiver,
    PythReceiver2,
    PythLegacy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketTable {
    pub oracle: OracleValue,
    pub feed_id: String,
    pub price_account: Option<String>,
    pub base_decimals: u8,
    pub group: String,
    /// A range that is always the same. Either this or `volatility`.
    pub range: Option<Number>,
    pub volatility: Option<VolatilityTable>,
    pub confidence_multiplier: Number,
    pub max_confidence: Number,
    pub max_ema_gap: Number,
    pub max_age_seconds: u32,
    pub dead_age_seconds: u32,
    #[serde(default)]
    pub state: StateValue,
    pub perpetual: Option<PerpetualTable>,
    pub options: Option<OptionTable>,
    #[serde(default)]
    pub boards: Vec<BoardTable>,
}

/// What is not given is the engine's calibrated default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolatilityTable {
    pub floor: Option<Number>,
    pub cap: Option<Number>,
    pub initial: Option<Number>,
    pub jump_limit: Option<Number>,
    pub confidence_level: Option<Number>,
    pub range_min: Option<Number>,
    pub range_max: Option<Number>,
    pub rise_per_hour: Option<Number>,
    pub fall_per_day: Option<Number>,
    pub half_life_seconds: Option<u32>,
    pub sample_spacing_seconds: Option<u32>,
    pub longest_gap_seconds: Option<u32>,
    pub confirmation_seconds: Option<u32>,
    pub margin_period_seconds: Option<u32>,
    pub forecast_expiry_seconds: Option<u32>,
    pub forecast_ramp_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionTable {
    pub lot: Number,
    pub max_open_lots: u64,
    pub vega_scale_usd: Number,
    pub short_minimum: Number,
    pub volatility_up: Number,
    pub volatility_down: Number,
    pub volatility_power_short: Number,
    pub volatility_power_long: Number,
    pub half_spread: Number,
    pub skew_premium: Number,
    pub fee: Number,
    pub volatility_ratio_max: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerpetualTable {
    pub risk_budget_usd: Number,
    pub max_open_interest: Number,
    pub skew_scale: Number,
    pub skew_premium: Number,
    pub half_spread: Number,
    pub taker_fee: Number,
    pub funding_per_day: Number,
    pub funding_per_day_max: Number,
    pub concentration: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteTable {
    pub symbol: String,
    pub mint: Option<String>,
    pub feed: Option<FeedTable>,
    pub lending: LendingTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankTable {
    pub market: String,
    pub decimals: u8,
    pub mint: Option<String>,
    pub haircut_init: Number,
    pub haircut_maint: Number,
    /// The same at the deposit cap; as when empty, where it is not given.
    pub haircut_init_full: Option<Number>,
    pub haircut_maint_full: Option<Number>,
    pub borrow_weight_init: Number,
    pub borrow_weight_maint: Number,
    /// What the house holds of it from swaps, at most; nothing, where it is not given.
    pub swap_cap: Option<Number>,
    pub rate: Option<RateTable>,
    pub lending: LendingTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LendingTable {
    pub deposit_cap: Number,
    pub borrow_cap: Number,
    pub optimal_utilisation: Number,
    pub base_rate: Number,
    pub optimal_rate: Number,
    pub max_rate: Number,
    pub reserve_factor: Number,
    pub outflow: Option<OutflowTable>,
    #[serde(default)]
    pub state: StateValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutflowTable {
    pub limit: Number,
    pub window_seconds: u32,
}

/// Reads the tables of `text`; `file` names it in errors.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, FileError> {
    let malformed = |key: String, error: &toml::de::Error| FileError::Malformed {
        file: file.into(),
        line: error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1),
        key,
        cause: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let document = toml::Deserializer::parse(text).map_err(|error| malformed("not TOML".into(), &error))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { "the file".into() } else { path };
        malformed(key, error.inner())
    })
}
