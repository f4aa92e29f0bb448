//! Every parameter is refused just outside its range and accepted at its edge.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::MAX_PROPOSAL,
    change::{Change, QuoteFeed, RoleHolder, kind},
    config::{
        AdapterConfig, BankConfig, ExchangeConfig, FundingConfig, MarketConfig, OptionConfig, RateSource, VenueConfig,
        VolatilityConfig, adapter_state, limits, pause, state, venue_state,
    },
};
use plimsoll_risk::parameters::BankParameters;

fn exchange() -> ExchangeConfig {
    ExchangeConfig {
        liquidation_dust: 1_000_000,
        phi_ppm: [500_000; 8],
        rho_ppm: [300_000; 28],
        maintenance_ratio_ppm: 600_000,
        liquidation_buffer_ppm: 100_000,
        liquidation_discount_min_ppm: 10_000,
        liquidation_discount_max_ppm: 200_000,
        liquidation_duration_seconds: 300,
        pauses: 0,
        house_floor: 0,
        extreme_damping_ppm: 333_333,
        insolvency_reward_max_ppm: 10_000,
        insolvency_duration_seconds: 300,
        house_delay_seconds: 60,
        timelock_seconds: 0,
        quote_scale_below_ppm: 990_000,
        quote_refuse_below_ppm: 900_000,
        loss_mode: 0,
        _padding: [0; 3],
    }
}

fn market() -> MarketConfig {
    MarketConfig {
        risk_budget: 1_000_000_000,
        max_open_interest: 1_000_000_000_000,
        skew_scale: 1_000_000_000_000,
        options: OptionConfig::NONE,
        volatility: VolatilityConfig::fixed_range(150_000),
        funding: FundingConfig::NONE,
        confidence_multiplier_ppm: 1_000_000,
        max_confidence_ppm: 20_000,
        max_ema_gap_ppm: 100_000,
        half_spread_ppm: 500,
        skew_premium_ppm: 10_000,
        taker_fee_ppm: 300,
        max_age_seconds: 60,
        dead_age_seconds: 3_600,
        concentration_ppm: 0,
        group: 0,
        state: 0,
        perp_enabled: 1,
        _padding: 0,
    }
}

fn options() -> OptionConfig {
    OptionConfig {
        lot: 10_000_000,
        vega_scale: 1_000_000_000,
        max_open_lots: 1_000_000,
        short_minimum_ppm: 10_000,
        volatility_up_ppm: 450_000,
        volatility_down_ppm: 300_000,
        volatility_power_short_ppm: 300_000,
        volatility_power_long_ppm: 130_000,
        half_spread_volatility_ppm: 20_000,
        skew_volatility_ppm: 50_000,
        fee_ppm: 300,
        volatility_ratio_max_ppm: 3_000_000,
        enabled: 1,
        _padding: [0; 3],
    }
}

fn bank() -> BankConfig {
    BankConfig {
        deposit_cap: u64::MAX,
        borrow_cap: u64::MAX,
        outflow_limit: u64::MAX,
        swap_cap: 0,
        haircut_init_ppm: 50_000,
        haircut_maint_ppm: 30_000,
        haircut_init_full_ppm: 80_000,
        haircut_maint_full_ppm: 60_000,
        borrow_weight_init_ppm: 50_000,
        borrow_weight_maint_ppm: 30_000,
        optimal_utilisation_ppm: 800_000,
        base_rate_ppm: 0,
        optimal_rate_ppm: 80_000,
        max_rate_ppm: 1_000_000,
        reserve_factor_ppm: 100_000,
        outflow_window_seconds: 0,
        state: 0,
        _padding: [0; 7],
    }
}

/// Asserts that a struct is accepted with the first values of a field and refused with the second ones.
macro_rules! edges {
    ($make:ident, $error:ident: $($field:ident: [$($good:expr),*] not [$($bad:expr),*];)*) => {
        $(
            $({ let mut config = $make(); config.$field = $good;
                assert_eq!(config.validate(), Ok(()), "{} = {}", stringify!($field), stringify!($good)); })*
            $({ let mut config = $make(); config.$field = $bad;
                assert_eq!(config.validate(), Err(PlimsollError::$error),
                    "{} = {}", stringify!($field), stringify!($bad)); })*
        )*
    };
}

#[test]
fn exchange_parameters_have_edges() {
    edges!(exchange, InvalidRiskParameters:
        phi_ppm: [[0; 8], [1_000_000; 8]] not [[1_000_001; 8]];
        rho_ppm: [[0; 28], [1_000_000; 28]] not [[1_000_001; 28]];
        maintenance_ratio_ppm: [limits::MAINTENANCE_RATIO_PPM_MIN, 1_000_000]
            not [limits::MAINTENANCE_RATIO_PPM_MIN - 1, 1_000_001, 0];
    );
    edges!(exchange, InvalidLiquidationParameters:
        liquidation_buffer_ppm: [0, limits::LIQUIDATION_BUFFER_PPM_MAX] not [limits::LIQUIDATION_BUFFER_PPM_MAX + 1];
        liquidation_discount_min_ppm: [0, 200_000] not [200_001];
        liquidation_discount_max_ppm: [10_000, limits::LIQUIDATION_DISCOUNT_PPM_MAX]
            not [9_999, limits::LIQUIDATION_DISCOUNT_PPM_MAX + 1];
        liquidation_duration_seconds: [limits::LIQUIDATION_DURATION_SECONDS_MAX]
            not [limits::LIQUIDATION_DURATION_SECONDS_MAX + 1];
        liquidation_dust: [0, limits::LIQUIDATION_DUST_MAX] not [limits::LIQUIDATION_DUST_MAX + 1];
    );
    edges!(exchange, InvalidLiquidationParameters:
        insolvency_reward_max_ppm: [0, 200_000] not [200_001];
        insolvency_duration_seconds: [1, limits::INSOLVENCY_DURATION_SECONDS_MAX]
            not [0, limits::INSOLVENCY_DURATION_SECONDS_MAX + 1];
    );
    edges!(exchange, InvalidRiskParameters: extreme_damping_ppm: [0, 333_333] not [333_334];);
    edges!(exchange, InvalidExchangeParameters:
        house_delay_seconds: [limits::HOUSE_DELAY_SECONDS_MIN, limits::HOUSE_DELAY_SECONDS_MAX]
            not [0, limits::HOUSE_DELAY_SECONDS_MIN - 1, limits::HOUSE_DELAY_SECONDS_MAX + 1];
        timelock_seconds: [0, limits::TIMELOCK_SECONDS_MAX] not [limits::TIMELOCK_SECONDS_MAX + 1];
        quote_scale_below_ppm: [900_000, 1_000_000] not [899_999, 1_000_001];
        quote_refuse_below_ppm: [0, 990_000] not [990_001];
        loss_mode: [0, 1] not [2];
        _padding: [[0; 3]] not [[0, 0, 1]];
    );
    edges!(exchange, InvalidPauses: pauses: [0, pause::ALL] not [pause::ALL + 1, 1 << 31];);
}

/// Three groups that are each other's opposite cannot all be strangers to a fourth: 1 and 2 alike, 2 and 3 alike, 1 and 3
/// unrelated is no correlation matrix.
#[test]
fn correlations_that_cannot_exist_together_are_refused() {
    let mut config = exchange();
    config.rho_ppm = [0; 28];
    // (1,0), (2,0), (2,1): an eigenvalue of 1 - 0.9 sqrt 2.
    config.rho_ppm[0] = 900_000;
    config.rho_ppm[2] = 900_000;
    assert_eq!(config.validate(), Err(PlimsollError::InvalidRiskParameters));
    config.rho_ppm[1] = 900_000;
    assert_eq!(config.validate(), Ok(()));
}

#[test]
fn market_parameters_have_edges() {
    edges!(market, InvalidMarketParameters:
        volatility: [VolatilityConfig::fixed_range(limits::RANGE_PPM_MIN), VolatilityConfig::DEFAULT,
            VolatilityConfig::fixed_range(limits::RANGE_PPM_MAX)]
            not [VolatilityConfig::fixed_range(limits::RANGE_PPM_MIN - 1),
            VolatilityConfig::fixed_range(limits::RANGE_PPM_MAX + 1),
            VolatilityConfig { floor_ppm: 1_000_001, ..VolatilityConfig::DEFAULT }];
        funding: [FundingConfig { skew_rate_per_day_ppm: limits::FUNDING_PPM_PER_DAY_MAX,
            max_rate_per_day_ppm: limits::FUNDING_PPM_PER_DAY_MAX }]
            not [FundingConfig { skew_rate_per_day_ppm: limits::FUNDING_PPM_PER_DAY_MAX + 1, max_rate_per_day_ppm: 0 },
            FundingConfig { skew_rate_per_day_ppm: 0, max_rate_per_day_ppm: limits::FUNDING_PPM_PER_DAY_MAX + 1 }];
        options: [options()] not [OptionConfig { lot: 0, ..options() }, OptionConfig { vega_scale: 0, ..options() },
            OptionConfig { volatility_ratio_max_ppm: 999_999, ..options() },
            OptionConfig { volatility_ratio_max_ppm: limits::OPTION_VOLATILITY_RATIO_PPM_MAX + 1, ..options() },
            OptionConfig { half_spread_volatility_ppm: limits::OPTION_SPREAD_PPM_MAX + 1, ..options() },
            OptionConfig { skew_volatility_ppm: limits::OPTION_SPREAD_PPM_MAX + 1, ..options() },
            OptionConfig { fee_ppm: limits::TRADE_COST_PPM_MAX + 1, ..options() },
            OptionConfig { short_minimum_ppm: 100_001, ..options() }, OptionConfig { enabled: 2, ..options() },
            OptionConfig { volatility_down_ppm: 450_001, ..options() }];
        concentration_ppm: [0, 1_000_000] not [1_000_001];
        confidence_multiplier_ppm: [0, limits::CONFIDENCE_MULTIPLIER_PPM_MAX]
            not [limits::CONFIDENCE_MULTIPLIER_PPM_MAX + 1];
        max_confidence_ppm: [1, limits::CONFIDENCE_PPM_MAX] not [0, limits::CONFIDENCE_PPM_MAX + 1];
        max_ema_gap_ppm: [1, limits::EMA_GAP_PPM_MAX] not [0, limits::EMA_GAP_PPM_MAX + 1];
        half_spread_ppm: [0, limits::TRADE_COST_PPM_MAX] not [limits::TRADE_COST_PPM_MAX + 1];
        taker_fee_ppm: [0, limits::TRADE_COST_PPM_MAX] not [limits::TRADE_COST_PPM_MAX + 1];
        skew_premium_ppm: [0, limits::SKEW_PREMIUM_PPM_MAX] not [limits::SKEW_PREMIUM_PPM_MAX + 1];
        max_age_seconds: [1, limits::MAX_AGE_SECONDS_MAX] not [0, limits::MAX_AGE_SECONDS_MAX + 1];
        dead_age_seconds: [60, limits::DEAD_AGE_SECONDS_MAX] not [59, limits::DEAD_AGE_SECONDS_MAX + 1];
        group: [0, 7] not [8, 255];
        state: [0, 1, 2] not [3];
        perp_enabled: [0, 1] not [2];
        _padding: [0] not [1];
        skew_scale: [1_000_000_000_000] not [0, 199_999_999_999];
        max_open_interest: [0, 5_000_000_000_000] not [5_000_000_000_005, u64::MAX];
    );
}

#[test]
fn a_market_without_a_perp_needs_no_skew_scale() {
    let config = MarketConfig { perp_enabled: 0, skew_scale: 0, ..market() };
    assert_eq!(config.validate(), Ok(()));
}

#[test]
fn bank_parameters_have_edges() {
    edges!(bank, InvalidBankParameters:
        haircut_init_ppm: [30_000, 80_000] not [29_999, 80_001];
        haircut_maint_ppm: [0, 50_000] not [50_001];
        haircut_init_full_ppm: [60_000, 525_000] not [59_999, 525_001];
        haircut_maint_full_ppm: [30_000, 80_000] not [29_999, 80_001];
        outflow_limit: [u64::MAX] not [0, u64::MAX - 1];
        outflow_window_seconds: [0, limits::OUTFLOW_WINDOW_SECONDS_MAX]
            not [limits::OUTFLOW_WINDOW_SECONDS_MAX + 1];
        borrow_weight_init_ppm: [30_000, 1_000_000] not [29_999, 1_000_001];
        borrow_weight_maint_ppm: [0, 50_000] not [50_001];
        optimal_utilisation_ppm: [1, 999_999] not [0, 1_000_001];
        base_rate_ppm: [0, 80_000] not [80_001];
        optimal_rate_ppm: [0, 1_000_000] not [1_000_001];
        max_rate_ppm: [80_000, limits::RATE_PPM_MAX] not [79_999, limits::RATE_PPM_MAX + 1];
        reserve_factor_ppm: [0, 1_000_000] not [1_000_001];
        state: [0, 1, 2] not [3];
        _padding: [[0; 7]] not [[0, 0, 0, 0, 0, 0, 1]];
    );
}

/// What a move of one field is: `Tightens` at once, `Waits` for the timelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Tightens,
    Waits,
}
use Move::{Tightens, Waits};

/// Asserts what moving a field up and down is, from a configuration with room on both sides.
macro_rules! moves {
    ($make:ident: $($field:ident $([$index:literal])? $(. $inner:ident)?: $up:ident, $down:ident;)*) => {
        $(
            let (mut up, mut down, from) = ($make(), $make(), $make());
            up.$field $([$index])? $(.$inner)? += 1;
            down.$field $([$index])? $(.$inner)? -= 1;
            let name = concat!(stringify!($field) $(, ".", stringify!($inner))?);
            assert_eq!(up.loosens(&from), $up == Waits, "{name} up");
            assert_eq!(down.loosens(&from), $down == Waits, "{name} down");
            assert!(!from.loosens(&from), "{name} as it was");
        )*
    };
}

fn roomy_exchange() -> ExchangeConfig {
    ExchangeConfig { house_floor: 10, timelock_seconds: 10, pauses: 1, loss_mode: 1, ..exchange() }
}

#[test]
fn each_parameter_of_the_exchange_has_its_direction() {
    moves!(roomy_exchange:
        liquidation_dust: Waits, Waits;
        house_floor: Waits, Waits;
        phi_ppm[0]: Waits, Waits;
        phi_ppm[7]: Waits, Waits;
        rho_ppm[0]: Waits, Waits;
        rho_ppm[27]: Waits, Waits;
        maintenance_ratio_ppm: Waits, Waits;
        liquidation_buffer_ppm: Waits, Waits;
        liquidation_discount_min_ppm: Waits, Waits;
        liquidation_discount_max_ppm: Waits, Waits;
        liquidation_duration_seconds: Waits, Waits;
        pauses: Tightens, Tightens;
        extreme_damping_ppm: Waits, Waits;
        insolvency_reward_max_ppm: Waits, Waits;
        insolvency_duration_seconds: Waits, Waits;
        house_delay_seconds: Waits, Waits;
        timelock_seconds: Tightens, Waits;
        quote_scale_below_ppm: Tightens, Waits;
        quote_refuse_below_ppm: Tightens, Waits;
        loss_mode: Waits, Waits;
    );
}

fn roomy_market() -> MarketConfig {
    MarketConfig {
        options: options(),
        funding: FundingConfig { skew_rate_per_day_ppm: 100, max_rate_per_day_ppm: 100 },
        group: 3,
        perp_enabled: 1,
        ..market()
    }
}

#[test]
fn each_parameter_of_a_market_has_its_direction() {
    moves!(roomy_market:
        risk_budget: Waits, Tightens;
        max_open_interest: Waits, Tightens;
        skew_scale: Waits, Waits;
        options.lot: Waits, Waits;
        options.vega_scale: Waits, Waits;
        options.max_open_lots: Waits, Tightens;
        options.short_minimum_ppm: Waits, Waits;
        options.volatility_up_ppm: Waits, Waits;
        options.volatility_down_ppm: Waits, Waits;
        options.volatility_power_short_ppm: Waits, Waits;
        options.volatility_power_long_ppm: Waits, Waits;
        options.half_spread_volatility_ppm: Tightens, Waits;
        options.skew_volatility_ppm: Waits, Waits;
        options.fee_ppm: Waits, Waits;
        options.volatility_ratio_max_ppm: Waits, Tightens;
        options.enabled: Waits, Tightens;
        volatility.floor_ppm: Waits, Waits;
        volatility.cap_ppm: Waits, Waits;
        volatility.initial_ppm: Waits, Waits;
        volatility.jump_limit_ppm: Waits, Waits;
        volatility.confidence_level_ppm: Waits, Waits;
        volatility.range_min_ppm: Waits, Waits;
        volatility.range_max_ppm: Waits, Waits;
        volatility.rise_per_hour_ppm: Waits, Waits;
        volatility.fall_per_day_ppm: Waits, Waits;
        volatility.half_life_seconds: Waits, Waits;
        volatility.sample_spacing_seconds: Waits, Waits;
        volatility.longest_gap_seconds: Waits, Waits;
        volatility.confirmation_seconds: Waits, Waits;
        volatility.margin_period_seconds: Waits, Waits;
        volatility.forecast_expiry_seconds: Waits, Waits;
        volatility.forecast_ramp_seconds: Waits, Waits;
        funding.skew_rate_per_day_ppm: Waits, Waits;
        funding.max_rate_per_day_ppm: Waits, Waits;
        confidence_multiplier_ppm: Waits, Waits;
        max_confidence_ppm: Waits, Tightens;
        max_ema_gap_ppm: Waits, Tightens;
        half_spread_ppm: Tightens, Waits;
        skew_premium_ppm: Waits, Waits;
        taker_fee_ppm: Waits, Waits;
        max_age_seconds: Waits, Waits;
        dead_age_seconds: Waits, Waits;
        group: Waits, Waits;
        perp_enabled: Waits, Tightens;
    );
    // A lower limit raises the charge on positions where there is one, and the charge itself moves the line.
    let charged = MarketConfig { concentration_ppm: 1, ..roomy_market() };
    assert!(MarketConfig { max_open_interest: charged.max_open_interest - 1, ..charged }.loosens(&charged));
    assert!(charged.loosens(&roomy_market()));
    assert!(roomy_market().loosens(&charged));
}

fn roomy_bank() -> BankConfig {
    let config = BankConfig { base_rate_ppm: 10, deposit_cap: 1_000, borrow_cap: 1_000, ..bank() };
    let limited = BankConfig { outflow_limit: 1_000, outflow_window_seconds: 60, ..config };
    BankConfig { haircut_maint_full_ppm: limited.haircut_maint_ppm, ..limited }
}

#[test]
fn each_parameter_of_a_bank_has_its_direction() {
    moves!(roomy_bank:
        deposit_cap: Waits, Tightens;
        borrow_cap: Waits, Tightens;
        outflow_limit: Waits, Tightens;
        haircut_init_ppm: Tightens, Waits;
        haircut_maint_ppm: Waits, Waits;
        haircut_init_full_ppm: Tightens, Waits;
        haircut_maint_full_ppm: Waits, Waits;
        borrow_weight_init_ppm: Tightens, Waits;
        borrow_weight_maint_ppm: Waits, Waits;
        optimal_utilisation_ppm: Waits, Waits;
        base_rate_ppm: Waits, Waits;
        optimal_rate_ppm: Waits, Waits;
        max_rate_ppm: Waits, Waits;
        reserve_factor_ppm: Waits, Waits;
        outflow_window_seconds: Tightens, Waits;
    );
    // Where the maintenance haircut grows with how full the bank is, a lower cap moves the line.
    let growing = BankConfig { haircut_maint_full_ppm: 60_000, ..roomy_bank() };
    assert!(BankConfig { deposit_cap: growing.deposit_cap - 1, ..growing }.loosens(&growing));
}

#[test]
fn only_from_active_to_reduce_only_tightens_without_taking() {
    let states = [state::ACTIVE, state::REDUCE_ONLY, state::WIND_DOWN];
    for (old, new) in states.iter().flat_map(|old| states.map(|new| (*old, new))) {
        let waits = old != new && (old, new) != (state::ACTIVE, state::REDUCE_ONLY);
        let market = |state| MarketConfig { state, ..roomy_market() };
        let bank = |state| BankConfig { state, ..roomy_bank() };
        assert_eq!(market(new).loosens(&market(old)), waits, "{old} to {new}");
        assert_eq!(bank(new).loosens(&bank(old)), waits, "{old} to {new}");
    }
}

/// Tightening one field does not hide loosening another.
#[test]
fn a_mixture_waits() {
    let from = roomy_bank();
    let mixed = BankConfig { borrow_cap: from.borrow_cap - 1, haircut_init_ppm: from.haircut_init_ppm - 1, ..from };
    assert!(mixed.loosens(&from));
    let both = BankConfig { borrow_cap: from.borrow_cap - 1, haircut_init_ppm: from.haircut_init_ppm + 1, ..from };
    assert!(!both.loosens(&from));
}

#[test]
fn what_is_new_starts_without_weight_and_without_risk() {
    let new = bank().starting();
    assert_eq!((new.validate(), new.weights()), (Ok(()), BankParameters::WORTHLESS));
    let new = roomy_market().starting();
    assert_eq!((new.validate(), new.risk_budget, new.options.enabled), (Ok(()), 0, 0));
    assert!(bank().loosens(&bank().starting()) && roomy_market().loosens(&new));
}

fn roomy_venue() -> VenueConfig {
    VenueConfig {
        fill_limit: 1_000,
        window_limit: 10_000,
        total_limit: 100_000,
        window_seconds: 600,
        state: venue_state::ACTIVE,
        _padding: [0; 3],
    }
}

#[test]
fn each_parameter_of_a_venue_has_its_direction() {
    let from = roomy_venue();
    assert!(!from.loosens(&from));
    let suspended = VenueConfig { state: venue_state::SUSPENDED, ..from };
    for (tighter, name) in [
        (VenueConfig { fill_limit: 999, ..from }, "fill_limit"),
        (VenueConfig { window_limit: 9_999, ..from }, "window_limit"),
        (VenueConfig { total_limit: 99_999, ..from }, "total_limit"),
        (VenueConfig { window_seconds: 601, ..from }, "window_seconds"),
        (suspended, "state"),
    ] {
        assert!(!tighter.loosens(&from), "{name} tightens");
        assert!(from.loosens(&tighter), "{name} loosens");
    }
    // One that loosens is enough, whatever else tightens.
    assert!(VenueConfig { fill_limit: 1_001, ..suspended }.loosens(&from));
}

#[test]
fn changes_are_read_back_from_their_bytes() {
    let holder = RoleHolder { role: 1, holder: Address::new_from_array([3; 32]) };
    let changes = [
        Change::Exchange(roomy_exchange()),
        Change::Market(roomy_market()),
        Change::Bank(roomy_bank()),
        Change::Role(holder),
        Change::QuoteFeed(QuoteFeed::NONE),
        Change::RateSource(RateSource::NONE),
        Change::Venue(roomy_venue()),
        Change::Adapter(adapter()),
    ];
    for (kind, change) in changes.into_iter().enumerate() {
        assert_eq!(usize::from(change.kind()), kind);
        let mut content = change.content();
        assert_eq!(Change::read(change.kind(), &content), Ok(change));
        assert_eq!(change.validate(), Ok(()));
        *content.last_mut().unwrap() = 1;
        assert_eq!(Change::read(change.kind(), &content), Err(PlimsollError::UnknownKind));
    }
    assert_eq!(Change::read(kind::LAST + 1, &[0; MAX_PROPOSAL]), Err(PlimsollError::UnknownKind));
}

fn adapter() -> AdapterConfig {
    AdapterConfig {
        cap: 1_000,
        haircut_ppm: 100_000,
        grace_seconds: 60,
        state: adapter_state::ACTIVE,
        _padding: [0; 7],
    }
}

#[test]
fn an_adapter_is_tightened_by_its_cap_and_state_alone() {
    let from = adapter();
    assert!(!from.loosens(&from));
    let tighter = [
        AdapterConfig { cap: 999, ..from },
        AdapterConfig { state: adapter_state::CLOSED, ..from },
        AdapterConfig { cap: 0, state: adapter_state::CLOSED, ..from },
    ];
    for to in tighter {
        assert!(!to.loosens(&from) && from.loosens(&to));
    }
    let both_ways = [
        AdapterConfig { haircut_ppm: 100_001, ..from },
        AdapterConfig { grace_seconds: 61, ..from },
        AdapterConfig { cap: 999, grace_seconds: 59, ..from },
    ];
    for to in both_ways {
        assert!(to.loosens(&from) && from.loosens(&to));
    }
}
