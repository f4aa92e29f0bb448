//! The house's shares and its valuation, against integers of twice the width.

use plimsoll_risk::{
    Error, house,
    trade::{TradePricing, premium_owed, quote_trade},
    units::{Base, Fraction, Ppm, Price, Quote},
};
use proptest::prelude::*;

const VIRTUAL: u128 = 1_000_000;

fn wide(value: u64) -> u128 {
    u128::from(value)
}

#[test]
fn a_share_costs_a_dollar_first() {
    assert_eq!(house::shares_to_issue(123_456_789, 0, 0), Ok(123_456_789));
    assert_eq!(house::share_price(0, 0), Ok(Price::from_raw(1 << 48)));
    assert_eq!(house::redemption(7, 7, 7), Ok(7));
}

/// 1,000 shares worth 1,500 USD, and one of each that is nobody's: 1,501 USD for 1,001 shares.
#[test]
fn shares_by_hand() {
    let (supply, nav) = (1_000_000_000, 1_500_000_000);
    // 100 USD * 1,001 / 1,501 = 66.688874...
    assert_eq!(house::shares_to_issue(100_000_000, supply, nav), Ok(66_688_874));
    // 100 shares * 1,501 / 1,001 = 149.950049...; their part would be 150.
    assert_eq!(house::redemption(100_000_000, supply, nav), Ok(149_950_049));
    // Below par the part is less: 100 * 0.5 and not 100 * 501 / 1,001.
    assert_eq!(house::redemption(100_000_000, supply, 500_000_000), Ok(50_000_000));
    assert_eq!(house::share_price(supply, 500_000_000), Ok(Price::from_raw(1 << 47)));
}

#[test]
fn what_does_not_fit_is_an_error() {
    assert_eq!(house::shares_to_issue(1, u64::MAX, 0), Err(Error::Overflow));
    assert_eq!(house::shares_to_issue(u64::MAX, 10_000_000, 0), Err(Error::Overflow));
    assert_eq!(house::redemption(1, 0, 1), Err(Error::Overflow));
    assert_eq!(house::redemption(1, 1, u64::MAX), Err(Error::Overflow));
    // A millionth of a unit of quote for a share, and less.
    assert_eq!(house::share_price(1 << 60, 1), Err(Error::PriceOutOfRange));
    let far = house::marked(Quote::MAX, Base::from_raw(1 << 48), Price::from_raw(1), Price::from_raw(2));
    assert_eq!(far, Err(Error::Overflow));
    assert_eq!(
        premium_owed(&TradePricing::default(), Price::from_raw(1), Base::from_raw(1)),
        Err(Error::SkewScaleZero)
    );
    assert_eq!(premium_owed(&TradePricing::default(), Price::from_raw(1), Base::ZERO), Ok(Quote::ZERO));
}

#[test]
fn moves_at_their_limit() {
    let price = Price::from_raw;
    assert!(!house::has_moved(price(1_000_000), price(1_001_000), Ppm::from_raw(1_000)));
    assert!(house::has_moved(price(1_000_000), price(998_999), Ppm::from_raw(1_000)));
}

#[test]
fn budgets_at_their_limits() {
    assert_eq!(house::uncovered(Quote::from_raw(600), 600), Fraction::ZERO);
    assert_eq!(house::uncovered(Quote::from_raw(300), 600), Fraction::from_raw(1 << 31));
    assert_eq!(house::uncovered(Quote::from_raw(-1), 600), Fraction::ONE);
    assert_eq!(house::uncovered(Quote::ZERO, 0), Fraction::ZERO);
    assert_eq!(house::budget_in_force(600, Fraction::ZERO), 600);
    assert_eq!(house::budget_in_force(600, Fraction::from_raw(1 << 31)), 300);
    assert_eq!(house::budget_in_force(u64::MAX, Fraction::ONE), 0);
}

/// Amounts up to 2^50, which is a billion dollars: of any length.
fn amount() -> impl Strategy<Value = u64> {
    (1u32..=50, any::<u64>()).prop_map(|(bits, raw)| raw >> (64 - bits))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// To the unit, with their rounding.
    #[test]
    fn shares_are_what_wide_integers_say(a in amount(), supply in amount(), nav in amount()) {
        let (s, n) = (wide(supply) + VIRTUAL, wide(nav) + VIRTUAL);
        let issued = wide(a) * s / n;
        prop_assert_eq!(house::shares_to_issue(a, supply, nav).ok(), u64::try_from(issued).ok());
        if supply > 0 && a <= supply {
            let paid = (wide(a) * n / s).min(wide(a) * wide(nav) / wide(supply));
            prop_assert_eq!(house::redemption(a, supply, nav).map(wide), Ok(paid));
            prop_assert!(paid <= wide(nav));
        }
    }

    /// Who provides and redeems at once has no more than before, whatever the house is worth.
    #[test]
    fn no_round_trip_gains(a in amount(), supply in amount(), nav in amount()) {
        let Ok(issued) = house::shares_to_issue(a, supply, nav) else { return Ok(()) };
        if issued == 0 || issued >= 1 << 62 {
            return Ok(());
        }
        let back = house::redemption(issued, supply + issued, nav + a).expect("fits");
        prop_assert!(back <= a, "{} for {}", back, a);
        // Nor in parts.
        let first = issued / 3;
        let (supply, nav) = (supply + issued, nav + a);
        let one = house::redemption(first, supply, nav).expect("fits");
        let two = house::redemption(issued - first, supply - first, nav - one).expect("fits");
        prop_assert!(one + two <= a, "{} and {} for {}", one, two, a);
    }

    /// Neither who joins nor who leaves takes from who stays: `(N + V) / (S + V)` does not fall.
    #[test]
    fn who_stays_does_not_lose(a in amount(), supply in amount(), nav in amount()) {
        let no_less = |before: (u64, u64), after: (u64, u64)| {
            (wide(after.1) + VIRTUAL) * (wide(before.0) + VIRTUAL) >= (wide(before.1) + VIRTUAL) * (wide(after.0) + VIRTUAL)
        };
        if let Ok(issued) = house::shares_to_issue(a, supply, nav)
            && issued < 1 << 62
        {
            prop_assert!(no_less((supply, nav), (supply + issued, nav + a)));
        }
        if a <= supply && supply > 0 {
            let paid = house::redemption(a, supply, nav).expect("fits");
            prop_assert!(no_less((supply, nav), (supply - a, nav - paid)));
            // The plain price neither: what is left for a share is no less.
            prop_assert!(wide(nav - paid) * wide(supply) >= wide(nav) * wide(supply - a));
        }
    }

    /// The bound of the module's page: holding `S_0` shares and giving `D` away makes a later provider lose at most
    /// `1 + D / V` and a unit, and loses the giver at least the virtual shares' part of it.
    #[test]
    fn inflating_the_share_costs_more_than_it_takes(held in 0u64..=1_000_000, given in amount(), a in amount()) {
        let (supply, nav) = (held, held + given);
        let Ok(issued) = house::shares_to_issue(a, supply, nav) else { return Ok(()) };
        let (supply, nav) = (supply + issued, nav + a);
        if issued > 0 {
            let back = house::redemption(issued, supply, nav).expect("fits");
            prop_assert!(a - back <= 2 + given / 1_000_000, "lost {} of {}", a - back, a);
        } else {
            // Refused: nothing is lost.
            prop_assert!(a <= 1 + given / 1_000_000);
        }
        if held > 0 {
            let kept = house::redemption(held, supply, nav).expect("fits");
            let taken = 2 + given / 1_000_000;
            let lost = wide(given) * VIRTUAL / (wide(held) + VIRTUAL);
            prop_assert!(wide(kept) <= wide(held) + wide(given) - lost + wide(taken) + 1);
        }
    }

    /// The price that margins use is what one of many shares fetches.
    #[test]
    fn the_price_is_what_a_share_fetches(supply in 1_000_000u64..1 << 50, nav in 1_000_000u64..1 << 50) {
        let Ok(price) = house::share_price(supply, nav) else { return Ok(()) };
        let paid = house::redemption(supply, supply, nav).expect("fits");
        let worth = price.value_floor(Base::from_raw(supply as i64)).expect("fits").raw() as u64;
        prop_assert!(worth <= paid && paid - worth <= 1 + (supply >> 48), "{} for {}", worth, paid);
    }

    #[test]
    fn marks_are_what_wide_integers_say(value in -1i64 << 50..1 << 50, delta in -1i64 << 40..1 << 40, then in 1u64 << 20..1 << 50, spot in 1u64 << 20..1 << 50) {
        let change = (i128::from(delta) * (i128::from(spot) - i128::from(then))) >> 48;
        let marked = house::marked(Quote::from_raw(value), Base::from_raw(delta), Price::from_raw(then), Price::from_raw(spot));
        prop_assert_eq!(marked.map(|mark| i128::from(mark.raw())), Ok(i128::from(value) + change));
    }

    /// Budgets in force together are within the net asset value.
    #[test]
    fn what_is_in_force_is_covered(nav in 0i64..1 << 50, budgets in prop::collection::vec(amount(), 1..8)) {
        let total: u64 = budgets.iter().sum();
        let withheld = house::uncovered(Quote::from_raw(nav), total);
        let in_force: u64 = budgets.iter().map(|budget| house::budget_in_force(*budget, withheld)).sum();
        prop_assert!(in_force <= nav.unsigned_abs() || total <= nav.unsigned_abs());
        prop_assert!(in_force <= total);
    }

    /// The house's cash less what it owes in premium is not moved by who opens and closes, but by spread and fee.
    #[test]
    fn a_position_that_is_undone_gives_its_premium_back(before in -1i64 << 30..1 << 30, size in 1i64..1 << 30) {
        let pricing = TradePricing {
            half_spread: Ppm::ZERO,
            skew_premium: Ppm::from_raw(10_000),
            skew_scale: 1 << 32,
            taker_fee: Ppm::ZERO,
        };
        let (spot, skew) = (Price::from_raw(1 << 48), Base::from_raw);
        let owed = |at: i64| premium_owed(&pricing, spot, skew(at)).expect("fits").raw();
        let paid = quote_trade(&pricing, spot, skew(before), skew(size)).expect("fits").cost.raw() - size;
        // What came in is what is owed more, up to the rounding of both ends.
        prop_assert!((paid - (owed(before + size) - owed(before))).abs() <= 4);
    }
}
