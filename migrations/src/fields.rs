//! Parameters as the file writes them: the same keys, the same units. A plan shows by them what differs.

use std::collections::BTreeMap;

use plimsoll_client::{
    Address,
    accounts::MAX_STRIKES,
    config::{BankConfig, ExchangeConfig, MarketConfig, RateSource, limits, loss_mode, rate_kind, role, state},
    interface::{accounts::oracle_kind, change::QuoteFeed},
    risk::portfolio::{MAX_GROUPS, pair_index},
    words::number::moment,
};

/// One key of a subject's table, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key, as in the file, below the subject's table.
    pub key: String,
    /// The value, in the file's units.
    pub value: String,
}

/// A key whose value changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The key, as in the file, below the subject's table.
    pub key: String,
    /// What the chain has; `None` for something new.
    pub old: Option<String>,
    /// What the file wants.
    pub new: String,
}

/// Collects fields; each method writes one unit.
struct Fields(Vec<Field>);

impl Fields {
    fn text(&mut self, key: &str, value: impl ToString) {
        self.0.push(Field { key: key.into(), value: value.to_string() });
    }

    fn ratio(&mut self, key: &str, ppm: u32) {
        self.text(key, decimal(u128::from(ppm), 6));
    }

    fn amount(&mut self, key: &str, native: u64, decimals: u8) {
        self.text(key, decimal(u128::from(native), decimals));
    }

    fn usd(&mut self, key: &str, native: u64) {
        self.amount(key, native, limits::QUOTE_DECIMALS);
    }

    fn number(&mut self, key: &str, value: impl Into<u64>) {
        self.text(key, grouped(u128::from(value.into())));
    }
}

/// What differs between two lists of the same kind of subject.
pub fn difference(old: &[Field], new: &[Field]) -> Vec<FieldChange> {
    let before: BTreeMap<&str, &str> = old.iter().map(|field| (field.key.as_str(), field.value.as_str())).collect();
    let change = |field: &Field| {
        let old = before.get(field.key.as_str()).copied();
        (old != Some(&field.value)).then(|| FieldChange {
            key: field.key.clone(),
            old: Some(old.unwrap_or("none").into()),
            new: field.value.clone(),
        })
    };
    let gone = |field: &&Field| !new.iter().any(|other| other.key == field.key);
    let removed = old.iter().filter(gone).map(|field| FieldChange {
        key: field.key.clone(),
        old: Some(field.value.clone()),
        new: "none".into(),
    });
    new.iter().filter_map(change).chain(removed).collect()
}

/// Everything of something new.
pub fn created(new: Vec<Field>) -> Vec<FieldChange> {
    new.into_iter().map(|field| FieldChange { key: field.key, old: None, new: field.value }).collect()
}

/// An exchange's parameters. What is paused is an operator's act and stands in no file.
pub fn exchange(config: &ExchangeConfig, groups: &BTreeMap<u8, String>) -> Vec<Field> {
    let mut fields = Fields(Vec::new());
    fields.ratio("maintenance_ratio", config.maintenance_ratio_ppm);
    fields.usd("liquidation_dust_usd", config.liquidation_dust);
    fields.ratio("liquidation_buffer", config.liquidation_buffer_ppm);
    fields.ratio("liquidation_discount_min", config.liquidation_discount_min_ppm);
    fields.ratio("liquidation_discount_max", config.liquidation_discount_max_ppm);
    fields.number("liquidation_duration_seconds", config.liquidation_duration_seconds);
    fields.ratio("extreme_damping", config.extreme_damping_ppm);
    fields.ratio("insolvency_reward_max", config.insolvency_reward_max_ppm);
    fields.number("insolvency_duration_seconds", config.insolvency_duration_seconds);
    fields.usd("house_floor_usd", config.house_floor);
    fields.number("house_delay_seconds", config.house_delay_seconds);
    fields.number("timelock_seconds", config.timelock_seconds);
    fields.text("loss_mode", if config.loss_mode == loss_mode::DELEVERAGE { "deleverage" } else { "socialise" });
    fields.ratio("quote_scale_below", config.quote_scale_below_ppm);
    fields.ratio("quote_refuse_below", config.quote_refuse_below_ppm);
    let name = |group: u8| groups.get(&group).cloned().unwrap_or_else(|| group.to_string());
    let numbers = || (0u8..).take(MAX_GROUPS);
    for (group, phi) in numbers().zip(config.phi_ppm) {
        if phi != 0 || groups.contains_key(&group) {
            fields.ratio(&format!("groups.{}.netting", name(group)), phi);
        }
    }
    for (first, second) in numbers().flat_map(|first| (0..first).map(move |second| (first, second))) {
        let rho = pair_index(first, second).and_then(|pair| config.rho_ppm.get(pair)).copied().unwrap_or(0);
        if rho != 0 {
            fields.ratio(&format!("correlations.{}.{}", name(second), name(first)), rho);
        }
    }
    fields.0
}

/// A market's parameters; group numbers by their names, amounts with the market's decimals.
pub fn market(config: &MarketConfig, base_decimals: u8, groups: &BTreeMap<u8, String>) -> Vec<Field> {
    let mut fields = Fields(Vec::new());
    fields.text("group", groups.get(&config.group).cloned().unwrap_or_else(|| config.group.to_string()));
    fields.text("state", state_name(config.state));
    fields.ratio("confidence_multiplier", config.confidence_multiplier_ppm);
    fields.ratio("max_confidence", config.max_confidence_ppm);
    fields.ratio("max_ema_gap", config.max_ema_gap_ppm);
    fields.number("max_age_seconds", config.max_age_seconds);
    fields.number("dead_age_seconds", config.dead_age_seconds);
    volatility(&mut fields, config);
    fields.text("perpetual", on_off(config.perp_enabled));
    fields.usd("perpetual.risk_budget_usd", config.risk_budget);
    fields.amount("perpetual.max_open_interest", config.max_open_interest, base_decimals);
    fields.amount("perpetual.skew_scale", config.skew_scale, base_decimals);
    fields.ratio("perpetual.skew_premium", config.skew_premium_ppm);
    fields.ratio("perpetual.half_spread", config.half_spread_ppm);
    fields.ratio("perpetual.taker_fee", config.taker_fee_ppm);
    fields.ratio("perpetual.funding_per_day", config.funding.skew_rate_per_day_ppm);
    fields.ratio("perpetual.funding_per_day_max", config.funding.max_rate_per_day_ppm);
    fields.ratio("perpetual.concentration", config.concentration_ppm);
    options(&mut fields, config, base_decimals);
    fields.0
}

fn volatility(fields: &mut Fields, config: &MarketConfig) {
    let volatility = &config.volatility;
    for (key, ppm) in [
        ("floor", volatility.floor_ppm),
        ("cap", volatility.cap_ppm),
        ("initial", volatility.initial_ppm),
        ("jump_limit", volatility.jump_limit_ppm),
        ("confidence_level", volatility.confidence_level_ppm),
        ("range_min", volatility.range_min_ppm),
        ("range_max", volatility.range_max_ppm),
        ("rise_per_hour", volatility.rise_per_hour_ppm),
        ("fall_per_day", volatility.fall_per_day_ppm),
    ] {
        fields.ratio(&format!("volatility.{key}"), ppm);
    }
    for (key, seconds) in [
        ("half_life", volatility.half_life_seconds),
        ("sample_spacing", volatility.sample_spacing_seconds),
        ("longest_gap", volatility.longest_gap_seconds),
        ("confirmation", volatility.confirmation_seconds),
        ("margin_period", volatility.margin_period_seconds),
        ("forecast_expiry", volatility.forecast_expiry_seconds),
        ("forecast_ramp", volatility.forecast_ramp_seconds),
    ] {
        fields.number(&format!("volatility.{key}_seconds"), seconds);
    }
}

fn options(fields: &mut Fields, config: &MarketConfig, base_decimals: u8) {
    let options = &config.options;
    fields.text("options", on_off(options.enabled));
    fields.amount("options.lot", options.lot, base_decimals);
    fields.number("options.max_open_lots", options.max_open_lots);
    fields.usd("options.vega_scale_usd", options.vega_scale);
    fields.ratio("options.short_minimum", options.short_minimum_ppm);
    fields.ratio("options.volatility_up", options.volatility_up_ppm);
    fields.ratio("options.volatility_down", options.volatility_down_ppm);
    fields.ratio("options.volatility_power_short", options.volatility_power_short_ppm);
    fields.ratio("options.volatility_power_long", options.volatility_power_long_ppm);
    fields.ratio("options.half_spread", options.half_spread_volatility_ppm);
    fields.ratio("options.skew_premium", options.skew_volatility_ppm);
    fields.ratio("options.fee", options.fee_ppm);
    fields.ratio("options.volatility_ratio_max", options.volatility_ratio_max_ppm);
}

/// A bank's parameters, amounts with the mint's decimals.
pub fn bank(config: &BankConfig, decimals: u8) -> Vec<Field> {
    let mut fields = Fields(Vec::new());
    fields.ratio("haircut_init", config.haircut_init_ppm);
    fields.ratio("haircut_init_full", config.haircut_init_full_ppm);
    fields.ratio("haircut_maint", config.haircut_maint_ppm);
    fields.ratio("haircut_maint_full", config.haircut_maint_full_ppm);
    fields.ratio("borrow_weight_init", config.borrow_weight_init_ppm);
    fields.ratio("borrow_weight_maint", config.borrow_weight_maint_ppm);
    fields.amount("swap_cap", config.swap_cap, decimals);
    fields.amount("lending.deposit_cap", config.deposit_cap, decimals);
    fields.amount("lending.borrow_cap", config.borrow_cap, decimals);
    fields.ratio("lending.optimal_utilisation", config.optimal_utilisation_ppm);
    fields.ratio("lending.base_rate", config.base_rate_ppm);
    fields.ratio("lending.optimal_rate", config.optimal_rate_ppm);
    fields.ratio("lending.max_rate", config.max_rate_ppm);
    fields.ratio("lending.reserve_factor", config.reserve_factor_ppm);
    fields.text("lending.state", state_name(config.state));
    if config.outflow_limit != u64::MAX {
        fields.amount("lending.outflow.limit", config.outflow_limit, decimals);
    }
    fields.number("lending.outflow.window_seconds", config.outflow_window_seconds);
    fields.0
}

/// A price feed of the quote; nothing where there is none.
pub fn quote_feed(feed: &QuoteFeed) -> Vec<Field> {
    let mut fields = Fields(Vec::new());
    if *feed != QuoteFeed::NONE {
        feed_fields(&mut fields, "", feed.oracle_kind, &feed.oracle_owner, &feed.feed_id);
    }
    fields.0
}

/// Where a bank's exchange rate is read; nothing where there is none.
pub fn rate(source: &RateSource) -> Vec<Field> {
    let mut fields = Fields(Vec::new());
    if source.kind != rate_kind::NONE {
        fields.text("rate.stake_pool", source.pool);
        fields.number("rate.max_age_seconds", source.max_age_seconds);
        fields.ratio("rate.rise_per_day", source.rise_per_day_ppm);
        if source.has_feed == 1 {
            feed_fields(&mut fields, "rate.feed.", source.feed_kind, &source.feed_owner, &source.feed_id);
        }
    }
    fields.0
}

fn feed_fields(fields: &mut Fields, prefix: &str, kind: u8, owner: &Address, feed_id: &[u8; 32]) {
    fields.text(&format!("{prefix}oracle_owner"), owner);
    let id = if kind == oracle_kind::LEGACY { Address::new_from_array(*feed_id).to_string() } else { hex(feed_id) };
    fields.text(&format!("{prefix}feed_id"), id);
}

/// A board's expiry, and its strikes with their volatilities.
pub fn board(expiry: i64, basis_ppm: i32, strikes: &[(String, u32)]) -> Vec<Field> {
    debug_assert!(strikes.len() <= MAX_STRIKES);
    let mut fields = Fields(Vec::new());
    fields.text("expiry", moment(expiry));
    let sign = if basis_ppm < 0 { "-" } else { "" };
    fields.text("basis", format!("{sign}{}", decimal(u128::from(basis_ppm.unsigned_abs()), 6)));
    for (strike, volatility) in strikes {
        fields.ratio(&format!("volatility at {strike}"), *volatility);
    }
    fields.0
}

/// The key of a role in the file.
pub fn role_name(role: u8) -> &'static str {
    match role {
        role::RISK_ADMIN => "risk_admin",
        role::KEEPER => "keeper",
        role::FORECASTER => "forecaster",
        _ => "unknown",
    }
}

/// Who holds a role.
pub fn holder(holder: &Address) -> String {
    if *holder == Address::default() { "nobody".into() } else { holder.to_string() }
}

/// What a market or bank accepts.
pub fn state_name(value: u8) -> &'static str {
    match value {
        state::ACTIVE => "active",
        state::REDUCE_ONLY => "reduce-only",
        state::WIND_DOWN => "wind-down",
        state::RETIRED => "retired",
        _ => "unknown",
    }
}

fn on_off(flag: u8) -> &'static str {
    if flag == 1 { "on" } else { "off" }
}

/// An amount of `10^-decimals` in whole units, exactly.
pub fn decimal(native: u128, decimals: u8) -> String {
    let one = 10u128.pow(u32::from(decimals.min(38)));
    let digits = format!("{:0width$}", native % one, width = usize::from(decimals));
    let fraction = digits.trim_end_matches('0');
    let whole = grouped(native / one);
    if decimals == 0 || fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
}

/// Thousands apart, from ten thousand on, as the file may write them.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let parts: Vec<&str> = {
        let first = digits.len() % 3;
        let (head, tail) = digits.split_at(first);
        let rest = tail.as_bytes().chunks(3).map(|chunk| std::str::from_utf8(chunk).unwrap_or_default());
        (!head.is_empty()).then_some(head).into_iter().chain(rest).collect()
    };
    parts.join("_")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use bytemuck::Pod;

    use super::*;
    use crate::Deployment;

    fn example() -> Deployment {
        Deployment::parse("localnet.toml", include_str!("../localnet.toml")).unwrap()
    }

    /// Offsets of the bytes whose change no field shows.
    fn hidden<T: Pod>(config: T, fields: impl Fn(&T) -> Vec<Field>) -> Vec<usize> {
        let before = fields(&config);
        let is_hidden = |index: &usize| {
            let mut bytes = bytemuck::bytes_of(&config).to_vec();
            bytes[*index] ^= 1;
            difference(&before, &fields(&bytemuck::pod_read_unaligned(&bytes))).is_empty()
        };
        (0..size_of::<T>()).filter(is_hidden).collect()
    }

    #[test]
    fn every_parameter_is_shown() {
        use std::mem::offset_of;
        let example = example();
        let pauses = offset_of!(ExchangeConfig, pauses)..offset_of!(ExchangeConfig, pauses) + 4;
        let padding = offset_of!(ExchangeConfig, _padding)..size_of::<ExchangeConfig>();
        // Of `loss_mode` and the like only the values with a meaning are told apart.
        let expected: Vec<usize> = pauses.chain(padding).collect();
        assert_eq!(hidden(example.exchange, |config| exchange(config, &example.groups)), expected);
        let sol = &example.markets[1];
        let padding = std::mem::offset_of!(MarketConfig, options._padding);
        let expected: Vec<usize> = (padding..padding + 3).chain([offset_of!(MarketConfig, _padding)]).collect();
        assert_eq!(hidden(sol.args.config, |config| market(config, 9, &example.groups)), expected);
        let expected: Vec<usize> = (offset_of!(BankConfig, _padding)..size_of::<BankConfig>()).collect();
        assert_eq!(hidden(example.banks[1].config, |config| bank(config, 9)), expected);
    }

    #[test]
    fn numbers_are_written_as_in_the_file() {
        assert_eq!(decimal(150_000, 6), "0.15");
        assert_eq!(decimal(2_000_000_000_000, 6), "2_000_000");
        assert_eq!(decimal(1_234_500_000, 6), "1234.5");
        assert_eq!(decimal(12_345_600_000, 6), "12_345.6");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn a_difference_names_old_and_new() {
        let groups = BTreeMap::new();
        let old = example().markets[0].args.config;
        let new = MarketConfig { taker_fee_ppm: 400, ..old };
        let change =
            FieldChange { key: "perpetual.taker_fee".into(), old: Some("0.0005".into()), new: "0.0004".into() };
        assert_eq!(difference(&market(&old, 8, &groups), &market(&new, 8, &groups)), [change]);
        let old = example().quote.config;
        let new = BankConfig { outflow_limit: u64::MAX, ..old };
        let change =
            FieldChange { key: "lending.outflow.limit".into(), old: Some("10_000_000".into()), new: "none".into() };
        assert_eq!(difference(&bank(&old, 6), &bank(&new, 6)), [change]);
    }
}
