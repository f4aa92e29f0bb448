//! Risk parameters: each rule, and the correlation matrix against exact elimination.
mod common;

use common::{int, ratio};
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use plimsoll_risk::Error;
use plimsoll_risk::parameters::{BankParameters, MarketParameters};
use plimsoll_risk::portfolio::{GROUP_PAIRS, MAX_GROUPS, RiskParameters, pair_index};
use plimsoll_risk::units::Ppm;
use plimsoll_risk::volatility::VolatilityParameters;
use proptest::prelude::*;

const STRICT: RiskParameters = RiskParameters::STRICT;

fn with_rho(rho: [u32; GROUP_PAIRS]) -> RiskParameters {
    RiskParameters { rho: rho.map(Ppm::from_raw), ..STRICT }
}

/// Three groups, the first correlated with both others, those two not with one another.
fn triangle(rho: u32) -> RiskParameters {
    let mut all = [0; GROUP_PAIRS];
    all[pair_index(0, 1).expect("a pair")] = rho;
    all[pair_index(0, 2).expect("a pair")] = rho;
    with_rho(all)
}

/// Whether the matrix plus `shift` ppm on its diagonal is positive semi-definite: elimination in rational numbers, a
/// zero pivot needing a zero column.
fn is_semi_definite(parameters: &RiskParameters, shift: &BigRational) -> bool {
    let entry = |row: u8, column: u8| {
        let shift = if row == column { shift.clone() } else { int(0) };
        int(parameters.rho(row, column).expect("below 8").raw()) + shift
    };
    let mut a: Vec<Vec<BigRational>> = (0..8).map(|row| (0..8).map(|column| entry(row, column)).collect()).collect();
    for k in 0..MAX_GROUPS {
        let pivot = a[k][k].clone();
        if pivot.is_negative() || (pivot.is_zero() && a[k].iter().skip(k).any(|entry| !entry.is_zero())) {
            return false;
        }
        if pivot.is_zero() {
            continue;
        }
        let above = a[k].clone();
        for row in a.iter_mut().skip(k + 1) {
            let factor = &row[k] / &pivot;
            for (entry, above) in row.iter_mut().zip(&above) {
                *entry -= &factor * above;
            }
        }
    }
    true
}

#[test]
fn pairs_are_packed_row_by_row() {
    let mut expected = 0;
    for high in 1..8 {
        for low in 0..high {
            assert_eq!(pair_index(low, high), Some(expected));
            assert_eq!(pair_index(high, low), Some(expected));
            expected += 1;
        }
    }
    assert_eq!(expected, GROUP_PAIRS);
    assert_eq!(pair_index(3, 3), None);
    assert_eq!(pair_index(0, 8), None);
    assert_eq!(pair_index(255, 0), None);
    assert_eq!(STRICT.rho(7, 7), Some(Ppm::ONE));
    assert_eq!(STRICT.rho(8, 8), None);
    assert_eq!(STRICT.rho(0, 8), None);
}

#[test]
fn each_bad_parameter_has_its_error() {
    let above = Ppm::from_raw(1_000_001);
    let mut phi = STRICT;
    phi.phi[7] = above;
    let mut rho = STRICT;
    rho.rho[27] = above;
    let cases = [
        (phi, Error::PhiInvalid),
        (rho, Error::RhoInvalid),
        (RiskParameters { maintenance_ratio: Ppm::ZERO, ..STRICT }, Error::MaintenanceRatioInvalid),
        (RiskParameters { maintenance_ratio: above, ..STRICT }, Error::MaintenanceRatioInvalid),
        (RiskParameters { extreme_damping: Ppm::from_raw(333_334), ..STRICT }, Error::ExtremeDampingInvalid),
        (triangle(1_000_000), Error::RhoNotPositiveSemiDefinite),
    ];
    for (parameters, error) in cases {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
}

#[test]
fn known_matrices() {
    assert_eq!(STRICT.validate(), Ok(()), "unrelated");
    assert_eq!(with_rho([1_000_000; GROUP_PAIRS]).validate(), Ok(()), "one factor, rank one");
    assert_eq!(with_rho([999_999; GROUP_PAIRS]).validate(), Ok(()));
    // Eigenvalues 1 and 1 +- sqrt(2) rho: semi-definite up to rho = 1 / sqrt(2) = 0.70710678...
    assert_eq!(triangle(707_106).validate(), Ok(()));
    // 1 - sqrt(2) * 0.707113 = -8.8e-6, within the tolerance; 0.707115 gives -11.6e-6.
    assert_eq!(triangle(707_113).validate(), Ok(()));
    assert_eq!(triangle(707_115).validate(), Err(Error::RhoNotPositiveSemiDefinite));
}

const SOL: MarketParameters = MarketParameters {
    confidence_multiplier: Ppm::ONE,
    short_minimum: Ppm::from_raw(10_000),
    volatility_up: Ppm::from_raw(450_000),
    volatility_down: Ppm::from_raw(300_000),
    volatility_power_short: Ppm::from_raw(300_000),
    volatility_power_long: Ppm::from_raw(130_000),
    concentration: Ppm::from_raw(20_000),
    group: 7,
    volatility: VolatilityParameters::DEFAULT,
};

const SOL_BANK: BankParameters = BankParameters {
    haircut_init_empty: Ppm::from_raw(50_000),
    haircut_init_full: Ppm::from_raw(150_000),
    haircut_maint_empty: Ppm::from_raw(20_000),
    haircut_maint_full: Ppm::from_raw(80_000),
    borrow_weight_init: Ppm::from_raw(50_000),
    borrow_weight_maint: Ppm::from_raw(20_000),
};

#[test]
fn each_bad_market_has_its_error() {
    use Error::*;
    assert_eq!(SOL.validate(), Ok(()));
    assert_eq!(MarketParameters::default().validate(), Ok(()), "nothing charged");
    let ppm = Ppm::from_raw;
    let cases = [
        (MarketParameters { group: 8, ..SOL }, GroupOutOfRange),
        (MarketParameters { confidence_multiplier: ppm(10_000_001), ..SOL }, ConfidenceMultiplierTooLarge),
        (MarketParameters { short_minimum: ppm(100_001), ..SOL }, ShortMinimumInvalid),
        (MarketParameters { volatility_up: ppm(4_000_001), ..SOL }, VolatilityShockInvalid),
        (
            MarketParameters { volatility_up: ppm(950_000), volatility_down: ppm(900_001), ..SOL },
            VolatilityShockInvalid,
        ),
        (MarketParameters { volatility_down: ppm(450_001), ..SOL }, VolatilityShockInvalid),
        (MarketParameters { volatility_power_short: ppm(1_000_001), ..SOL }, VolatilityShockInvalid),
        (MarketParameters { volatility_power_long: ppm(300_001), ..SOL }, VolatilityShockInvalid),
        (MarketParameters { concentration: ppm(1_000_001), ..SOL }, ConcentrationInvalid),
        (
            MarketParameters { volatility: VolatilityParameters { jump_limit: ppm(1), ..SOL.volatility }, ..SOL },
            JumpLimitInvalid,
        ),
    ];
    for (parameters, error) in cases {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
}

#[test]
fn each_bad_bank_has_its_error() {
    use Error::*;
    assert_eq!(SOL_BANK.validate(), Ok(()));
    assert_eq!(BankParameters::WORTHLESS.validate(), Ok(()));
    assert_eq!(BankParameters::default().validate(), Ok(()), "the quote bank");
    let ppm = Ppm::from_raw;
    let cases = [
        (BankParameters { haircut_init_full: ppm(1_000_001), ..SOL_BANK }, HaircutsInvalid),
        (
            BankParameters { haircut_init_full: ppm(49_999), haircut_maint_full: ppm(20_000), ..SOL_BANK },
            HaircutsInvalid,
        ),
        (BankParameters { haircut_maint_full: ppm(19_999), ..SOL_BANK }, HaircutsInvalid),
        (BankParameters { haircut_maint_empty: ppm(50_001), ..SOL_BANK }, HaircutsInvalid),
        (BankParameters { haircut_maint_full: ppm(150_001), ..SOL_BANK }, HaircutsInvalid),
        (BankParameters { borrow_weight_maint: ppm(50_001), ..SOL_BANK }, BorrowWeightsInvalid),
        (BankParameters { borrow_weight_init: ppm(1_000_001), ..SOL_BANK }, BorrowWeightsInvalid),
    ];
    for (parameters, error) in cases {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The integer decision is the exact one for any matrix away from the tolerance by its stated error.
    #[test]
    fn semi_definiteness_is_decided_exactly(
        rho in proptest::collection::vec(0..=1_000_000_u32, GROUP_PAIRS),
        weights in proptest::collection::vec(0..=1_000_u32, MAX_GROUPS),
        mixed in 0..=40_u32,
    ) {
        // A one-factor matrix, disturbed: some are semi-definite and some are not.
        let mut entries = [0; GROUP_PAIRS];
        for high in 1..8_u8 {
            for low in 0..high {
                let pair = pair_index(low, high).expect("a pair");
                let factor = weights[usize::from(low)] * weights[usize::from(high)];
                entries[pair] = (factor * (100 - mixed) + (rho[pair] / 100) * mixed * 100) / 100;
            }
        }
        let parameters = with_rho(entries.map(|entry| entry.min(1_000_000)));
        let accepted = parameters.validate() == Ok(());
        if accepted {
            prop_assert!(is_semi_definite(&parameters, &ratio(1_003, 100)), "accepted below -10.03 ppm");
        } else {
            prop_assert!(!is_semi_definite(&parameters, &ratio(997, 100)), "refused above -9.97 ppm");
        }
    }

    /// Any bits: an answer, never a panic.
    #[test]
    fn validate_is_total(
        phi in any::<[u32; MAX_GROUPS]>(), rho in any::<[u32; GROUP_PAIRS]>(),
        maintenance in any::<u32>(), damping in any::<u32>(),
    ) {
        let parameters = RiskParameters {
            phi: phi.map(Ppm::from_raw),
            rho: rho.map(Ppm::from_raw),
            maintenance_ratio: Ppm::from_raw(maintenance),
            extreme_damping: Ppm::from_raw(damping),
            quote_price: Ppm::ONE,
        };
        let _ = parameters.validate();
        let _ = RiskParameters { rho: rho.map(|rho| Ppm::from_raw(rho % 1_000_001)), ..STRICT }.validate();
    }
}
