//! Every parameter is refused just outside its range and accepted at its edge.

use plimsoll_interface::{
    PlimsollError,
    config::{BankConfig, ExchangeConfig, MarketConfig, limits, pause},
};

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
    }
}

fn market() -> MarketConfig {
    MarketConfig {
        risk_budget: 1_000_000_000,
        max_open_interest: 1_000_000_000_000,
        skew_scale: 1_000_000_000_000,
        range_ppm: 150_000,
        confidence_multiplier_ppm: 1_000_000,
        max_confidence_ppm: 20_000,
        max_ema_gap_ppm: 100_000,
        half_spread_ppm: 500,
        skew_premium_ppm: 10_000,
        taker_fee_ppm: 300,
        max_age_seconds: 60,
        dead_age_seconds: 3_600,
        group: 0,
        state: 0,
        perp_enabled: 1,
        _padding: 0,
    }
}

fn bank() -> BankConfig {
    BankConfig {
        deposit_cap: u64::MAX,
        borrow_cap: u64::MAX,
        haircut_init_ppm: 50_000,
        haircut_maint_ppm: 30_000,
        borrow_weight_init_ppm: 50_000,
        borrow_weight_maint_ppm: 30_000,
        optimal_utilisation_ppm: 800_000,
        base_rate_ppm: 0,
        optimal_rate_ppm: 80_000,
        max_rate_ppm: 1_000_000,
        reserve_factor_ppm: 100_000,
        state: 0,
        _padding: [0; 3],
    }
}

/// Asserts that a struct is accepted with the first values of a field and refused with the second ones.
macro_rules! edges {
    ($make:ident, $error:ident: $($field:ident: [$($good:expr),*] not [$($bad:expr),*];)*) => {
        $(
            $({ let mut config = $make(); config.$field = $good;
                assert_eq!(config.validate(), Ok(()), concat!(stringify!($field), " = ", stringify!($good))); })*
            $({ let mut config = $make(); config.$field = $bad;
                assert_eq!(config.validate(), Err(PlimsollError::$error),
                    concat!(stringify!($field), " = ", stringify!($bad))); })*
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
        range_ppm: [limits::RANGE_PPM_MIN, limits::RANGE_PPM_MAX]
            not [limits::RANGE_PPM_MIN - 1, limits::RANGE_PPM_MAX + 1];
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
        state: [0, 1] not [2];
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
        haircut_init_ppm: [30_000, 1_000_000] not [29_999, 1_000_001];
        haircut_maint_ppm: [0, 50_000] not [50_001];
        borrow_weight_init_ppm: [30_000, 1_000_000] not [29_999, 1_000_001];
        borrow_weight_maint_ppm: [0, 50_000] not [50_001];
        optimal_utilisation_ppm: [1, 999_999] not [0, 1_000_001];
        base_rate_ppm: [0, 80_000] not [80_001];
        optimal_rate_ppm: [0, 1_000_000] not [1_000_001];
        max_rate_ppm: [80_000, limits::RATE_PPM_MAX] not [79_999, limits::RATE_PPM_MAX + 1];
        reserve_factor_ppm: [0, 1_000_000] not [1_000_001];
        state: [0, 1] not [2];
        _padding: [[0; 3]] not [[0, 0, 1]];
    );
}
