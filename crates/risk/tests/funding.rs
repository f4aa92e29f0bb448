//! Funding: exact against rationals, independent of how often it is accrued, conserved between accounts and house.
mod common;

use common::{any_length, ceil, floor, int, ratio};
use num_bigint::BigInt;
use num_rational::BigRational;
use plimsoll_risk::Error;
use plimsoll_risk::funding::{
    FundingIndex, FundingParameters, MAX_ELAPSED, MAX_INDEX, PARTS_PER_DAY, accrue, payment, rate_per_day, unsettled,
    weighted,
};
use plimsoll_risk::units::{Base, Ppm, Price};
use proptest::prelude::*;

/// 1 % a day at a skew of 1,000, at most 3 %.
const PARAMETERS: FundingParameters = FundingParameters {
    skew_rate_per_day: Ppm::from_raw(10_000),
    max_rate_per_day: Ppm::from_raw(30_000),
    skew_scale: 1_000,
};

/// Two quote units per base unit.
const TWO: Price = Price::from_raw(2 << 48);

fn rate(skew: i64) -> i64 {
    rate_per_day(&PARAMETERS, Base::from_raw(skew))
}

#[test]
fn the_rate_follows_the_skew_up_to_its_limit() {
    assert_eq!(rate(0), 0);
    assert_eq!(rate(1_000), 10_000_000_000, "1 % in 1e-12");
    assert_eq!(rate(-1_000), -10_000_000_000);
    assert_eq!(rate(1), 10_000_000);
    assert_eq!(rate(3_000), 30_000_000_000);
    assert_eq!(rate(3_001), 30_000_000_000, "the limit");
    assert_eq!(rate(i64::MIN), -30_000_000_000);
    assert_eq!(rate(i64::MAX), 30_000_000_000);
    let none = FundingParameters { skew_scale: 0, ..PARAMETERS };
    assert_eq!(rate_per_day(&none, Base::from_raw(5)), 0, "no scale, no funding");
    let third = FundingParameters { skew_scale: 3, ..PARAMETERS };
    assert_eq!(rate_per_day(&third, Base::from_raw(-1)), -3_333_333_333, "toward zero");
    let beyond = FundingParameters { skew_rate_per_day: Ppm::MAX, max_rate_per_day: Ppm::MAX, skew_scale: 1 };
    assert_eq!(rate_per_day(&beyond, Base::MAX), 1_000_000_000_000, "never above the whole notional a day");
}

#[test]
fn a_day_at_one_percent_by_hand() {
    // 1 % of 2 quote is 0.02 for each base unit, 5.6e12 and a bit in 2^-48.
    let day = accrue(FundingIndex::default(), rate(1_000), TWO, 86_400);
    assert_eq!(day.value, (1_i64 << 49) / 100);
    assert_eq!(day.remainder, PARTS_PER_DAY / 100 * ((1 << 49) % 100));
    // 1,000 long pay 20 and the rounding; 400 short receive 8 less the rounding.
    assert_eq!(payment(Base::from_raw(1_000), 0, day.value).expect("fits").raw(), 20);
    assert_eq!(payment(Base::from_raw(-400), 0, day.value).expect("fits").raw(), -7);
    assert_eq!(payment(Base::from_raw(-400), 0, day.value + 1).expect("fits").raw(), -8);
    assert_eq!(payment(Base::from_raw(1), 0, 1).expect("fits").raw(), 1, "up, against the account");
    assert_eq!(payment(Base::from_raw(-1), 0, 1).expect("fits").raw(), 0);
    assert_eq!(payment(Base::from_raw(0), 0, day.value).expect("fits").raw(), 0);
    assert_eq!(payment(Base::from_raw(7), 5, 5).expect("fits").raw(), 0);
    // And back again at the opposite rate: nothing is left.
    assert_eq!(accrue(day, rate(-1_000), TWO, 86_400), FundingIndex::default());
}

#[test]
fn time_counts_for_a_day_at_most() {
    let day = accrue(FundingIndex::default(), rate(500), TWO, MAX_ELAPSED);
    assert_eq!(accrue(FundingIndex::default(), rate(500), TWO, u64::MAX), day);
    assert_eq!(accrue(day, rate(500), TWO, 0), day);
    assert_eq!(accrue(day, 0, TWO, 1_000), day);
    assert_eq!(accrue(day, rate(500), Price::ZERO, 1_000), day);
}

/// The dearest price at the whole notional a day reaches the bound in a day, and a hundred years later it still stands there:
/// nothing wraps, and it comes back.
#[test]
fn the_index_stops_at_its_bounds_and_comes_back() {
    for sign in [1, -1] {
        let all = sign * 1_000_000_000_000;
        let mut index = FundingIndex::default();
        for _ in 0..36_500 {
            index = accrue(index, all, Price::MAX, u64::MAX);
        }
        assert_eq!(index, FundingIndex { value: sign * MAX_INDEX, remainder: 0 });
        let back = accrue(index, -all, TWO, MAX_ELAPSED);
        assert_eq!(back.value, sign * (MAX_INDEX - (2 << 48)));
        assert!(payment(Base::from_raw(1), -MAX_INDEX, MAX_INDEX).is_ok());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(payment(Base::MAX, 0, MAX_INDEX), Err(Error::Overflow));
    assert_eq!(payment(Base::MIN, 0, MAX_INDEX), Err(Error::Overflow));
    assert_eq!(payment(Base::from_raw(1), i64::MIN, 1), Err(Error::Overflow));
    assert_eq!(unsettled(Base::MAX, MAX_INDEX, 0), Err(Error::Overflow));
    assert_eq!(unsettled(Base::from_raw(1), 0, i128::MIN), Err(Error::Overflow));
    assert_eq!(weighted(Base::MIN, i64::MIN), 1 << 126);
    assert_eq!(weighted(Base::MIN, 1), -(1 << 63));
}

fn exact(index: FundingIndex) -> BigRational {
    int(index.value) + ratio(index.remainder, PARTS_PER_DAY)
}

/// Rate, spot and time of one interval.
fn interval() -> impl Strategy<Value = (i64, Price, u64)> {
    let rate =
        prop_oneof![Just(1_000_000_000_000_i64), Just(-1_000_000_000_000), -1_000_000_000_000_i64..=1_000_000_000_000];
    (rate, any_length(57).prop_map(Price::from_raw), prop_oneof![0..=86_400_u64, 1..10_u64])
}

proptest! {
    #![proptest_config(cases!(1_000))]

    /// The index is the sum, to the last part, whatever the order and number of intervals.
    #[test]
    fn the_index_is_the_sum(intervals in prop::collection::vec(interval(), 0..30)) {
        let mut index = FundingIndex::default();
        let mut sum = int(0);
        for (rate, spot, elapsed) in &intervals {
            index = accrue(index, *rate, *spot, *elapsed);
            sum += ratio(BigInt::from(*rate) * spot.raw() * *elapsed, PARTS_PER_DAY);
            prop_assert!(index.remainder < PARTS_PER_DAY);
            prop_assert_eq!(exact(index), sum.clone());
        }
    }

    /// Who accrues often gains nothing on who accrues once.
    #[test]
    fn parts_of_an_interval_are_the_whole((rate, spot, elapsed) in interval(), at in 0..=86_400_u64) {
        let at = at.min(elapsed);
        let start = FundingIndex { value: -3, remainder: PARTS_PER_DAY - 1 };
        let parts = accrue(accrue(start, rate, spot, at), rate, spot, elapsed - at);
        prop_assert_eq!(parts, accrue(start, rate, spot, elapsed));
    }

    /// The rate is the line, toward zero, within its limit; and it has the sign of the skew.
    #[test]
    fn the_rate_is_the_line(
        skew in any::<i64>(), scale in any_length(64), slope in 0..=1_000_000_u32, most in 0..=1_000_000_u32,
    ) {
        let parameters = FundingParameters {
            skew_rate_per_day: Ppm::from_raw(slope),
            max_rate_per_day: Ppm::from_raw(most),
            skew_scale: scale,
        };
        let rate = rate_per_day(&parameters, Base::from_raw(skew));
        prop_assert!(i128::from(rate) * i128::from(skew) >= 0);
        if scale > 0 {
            let line = floor(&ratio(BigInt::from(slope) * 1_000_000 * skew.unsigned_abs(), scale));
            prop_assert_eq!(BigInt::from(rate.unsigned_abs()), line.min(BigInt::from(most) * 1_000_000));
        }
    }

    /// A payment is the ceiling of the product: against the account, by less than a unit.
    #[test]
    fn a_payment_is_rounded_against_the_account(
        size in any_length(40), short in any::<bool>(), from in any::<i64>(), to in any::<i64>(),
    ) {
        let (from, to) = (from >> 2, to >> 2);
        let size = if short { -(size as i64) } else { size as i64 };
        let wanted = ceil(&ratio(BigInt::from(size) * (BigInt::from(to) - from), BigInt::from(1_u64 << 48)));
        match payment(Base::from_raw(size), from, to) {
            Ok(paid) => prop_assert_eq!(BigInt::from(paid.raw()), wanted),
            Err(error) => {
                prop_assert_eq!(error, Error::Overflow);
                prop_assert!(wanted > BigInt::from(i64::MAX) || wanted <= BigInt::from(i64::MIN));
            }
        }
    }

    /// Accounts change their positions and settle whenever they like. What they pay in all, and still owe by the house's
    /// books, is the exact sum of what is due from the skew, and above it by less than a unit for each settlement.
    #[test]
    fn what_accounts_pay_is_what_the_house_receives(
        steps in prop::collection::vec((0..4_usize, -1_000_000_000_i64..1_000_000_000, interval()), 1..40),
    ) {
        let mut accounts = [(0_i64, 0_i64); 4];
        let (mut index, mut paid, mut received, mut settlements) = (FundingIndex::default(), 0_i128, 0_i128, 0_i128);
        let mut due = int(0);
        for (who, size, (rate, spot, elapsed)) in steps {
            let spot = Price::from_raw(spot.raw() >> 8);
            let skew: i64 = accounts.iter().map(|(size, _)| size).sum();
            let next = accrue(index, rate, spot, elapsed);
            due += int(skew) * ratio(BigInt::from(next.value) - index.value, BigInt::from(1_u64 << 48));
            index = next;
            let (before, paid_up_to) = accounts[who];
            let payment = payment(Base::from_raw(before), paid_up_to, index.value).expect("fits");
            received += i128::from(payment.raw());
            paid += weighted(Base::from_raw(before), index.value - paid_up_to);
            paid += weighted(Base::from_raw(size - before), index.value);
            settlements += 1;
            accounts[who] = (size, index.value);
            let skew: i64 = accounts.iter().map(|(size, _)| size).sum();
            let held: i128 = accounts.iter().map(|(size, paid)| weighted(Base::from_raw(*size), *paid)).sum();
            prop_assert_eq!(paid, held);
            let owed = unsettled(Base::from_raw(skew), index.value, paid).expect("fits").raw();
            let exact = floor(&due);
            let counted = BigInt::from(received + i128::from(owed));
            prop_assert!(counted >= exact.clone(), "{} of {}", counted, exact);
            prop_assert!(counted <= exact + settlements, "no more than a unit a settlement");
        }
    }
}
