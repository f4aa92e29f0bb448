//! Add-ons: exact, sublinear in the position, growing with the total.
mod common;

use common::{any_length, ceil, int, part, ppm, q48, ratio};
use plimsoll_risk::Error;
use plimsoll_risk::addons::{
    concentration_charge, concentration_rate, liquidity_haircut, short_lots, short_minimum, weighted,
};
use plimsoll_risk::parameters::BankParameters;
use plimsoll_risk::units::{Base, Lots, Ppm, Price};
use proptest::prelude::*;

const FIVE: Ppm = Ppm::from_raw(50_000);
const FIFTEEN: Ppm = Ppm::from_raw(150_000);

#[test]
fn haircut_grows_with_the_total() {
    let rate = |total, cap| liquidity_haircut(FIVE, FIFTEEN, total, cap).raw();
    assert_eq!(rate(0, 1_000), 50_000);
    assert_eq!(rate(500, 1_000), 100_000);
    assert_eq!(rate(1_000, 1_000), 150_000);
    assert_eq!(rate(u64::MAX, 1_000), 150_000, "a cap that was lowered below the total");
    assert_eq!(rate(1, 3_000_000), 50_001, "rounded up");
    assert_eq!(rate(0, 0), 150_000, "a cap of nothing is reached");
    assert_eq!(rate(u64::MAX - 1, u64::MAX), 150_000);
    assert_eq!(liquidity_haircut(FIFTEEN, FIVE, 1, 1), FIFTEEN, "never below the empty bank's");
    assert_eq!(concentration_rate(FIFTEEN, 500, 1_000).raw(), 75_000);
}

#[test]
fn charges_by_hand() {
    let price = Price::from_raw(150 << 48);
    assert_eq!(weighted(1_001, FIVE), Ok(51));
    assert_eq!(concentration_charge(Base::from_raw(-10), price, FIVE), Ok(75));
    assert_eq!(concentration_charge(Base::MIN, Price::MAX, FIVE), Err(Error::Overflow));
    assert_eq!(short_minimum(Ppm::from_raw(10_000), 10, price), Ok(15));
    assert_eq!(short_minimum(Ppm::ONE, u64::MAX, Price::MAX), Err(Error::Overflow));
    assert_eq!(weighted(u64::MAX, Ppm::from_raw(1_000_001)), Err(Error::Overflow));
    for (lots, short) in [(-3, 3), (3, 0), (0, 0), (i64::MIN, 1 << 63)] {
        assert_eq!(short_lots(Lots::from_raw(lots)), short);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The rate is the ceiling of the line, for any total and cap, and lies between its ends.
    #[test]
    fn haircut_is_the_line(one in part(), other in part(), total in any_length(64), cap in any_length(64)) {
        let (empty, full) = (one.min(other), one.max(other));
        let found = liquidity_haircut(empty, full, total, cap);
        let used = if total >= cap { int(1) } else { ratio(total, cap) };
        let line = int(empty.raw()) + int(full.raw() - empty.raw()) * used;
        prop_assert_eq!(ceil(&line), found.raw().into());
        prop_assert!(empty <= found && found <= full);
    }

    /// The rate rises with the total and falls with the cap, and towards maint it is at most the one towards init.
    #[test]
    fn haircut_is_monotone(
        rates in proptest::array::uniform4(part()),
        total in any_length(64), more in any_length(63), cap in any_length(64),
    ) {
        let mut rates = rates;
        rates.sort();
        let bank = BankParameters {
            haircut_maint_empty: rates[0],
            haircut_maint_full: rates[1].min(rates[2]),
            haircut_init_empty: rates[1].min(rates[2]),
            haircut_init_full: rates[3],
            ..BankParameters::WORTHLESS
        };
        prop_assert_eq!(bank.validate(), Ok(()));
        let (init, maint) = bank.haircuts(total, cap);
        prop_assert!(maint <= init);
        let fuller = bank.haircuts(total.saturating_add(more), cap);
        prop_assert!(init <= fuller.0 && maint <= fuller.1);
        let roomier = bank.haircuts(total, cap.saturating_add(more).max(1));
        prop_assert!(init >= roomier.0 && maint >= roomier.1);
    }

    /// The charge on a position is sublinear in it, up to one unit for each rounding, and exactly so in one direction.
    #[test]
    fn charges_keep_the_axioms(
        x in any::<i64>(), y in any::<i64>(), shift in 13..63_u32, factor in 0..=1_000_i64, rate in part(),
        price in any_length(50),
    ) {
        let (x, y, spot) = (x >> shift, y >> shift, Price::from_raw(price));
        let charge = |size: i64| i128::from(concentration_charge(Base::from_raw(size), spot, rate).expect("fits"));
        prop_assert!(charge(x + y) <= charge(x) + charge(y));
        let many = charge(x * factor);
        prop_assert!(many <= i128::from(factor) * charge(x));
        prop_assert!(many >= i128::from(factor) * (charge(x) - 2));
        let short = |lots: i64| {
            i128::from(short_minimum(rate, short_lots(Lots::from_raw(lots)), spot).expect("fits"))
        };
        prop_assert!(short(x + y) <= short(x) + short(y));
        let many = short(x * factor);
        prop_assert!(many <= i128::from(factor) * short(x));
        prop_assert!(many >= i128::from(factor) * (short(x) - 2));
    }

    /// Each charge is the formula.
    #[test]
    fn charges_are_exact(size in any::<i64>(), shift in 0..64_u32, rate in part(), price in any_length(64)) {
        let (size, spot) = (Base::from_raw(size >> shift), Price::from_raw(price));
        let value = ceil(&(int(size.unsigned_abs()) * q48(price)));
        let expected = u64::try_from(&value).ok().and_then(|_| u64::try_from(ceil(&(int(value) * ppm(rate)))).ok());
        prop_assert_eq!(concentration_charge(size, spot, rate).ok(), expected);
        prop_assert_eq!(short_minimum(rate, size.unsigned_abs(), spot).ok(), expected);
    }
}
