//! The steps of the waterfall against exact numbers: what is taken is what is received.
use plimsoll_risk::Error;
use plimsoll_risk::price::Observation;
use plimsoll_risk::units::{Base, Index, Ppm, Price, Quote};
use plimsoll_risk::waterfall::{
    Gainer, MIN_DEPOSIT_INDEX, WriteOff, deficit, gain_taken, missing, reserve_cost, write_off,
};
use proptest::prelude::*;

const ONE: u64 = 1 << 48;

#[test]
fn what_is_missing_and_what_is_owed() {
    assert_eq!((missing(100, 30), missing(100, 100), missing(100, 101)), (70, 0, 0));
    assert_eq!((missing(u64::MAX, 0), missing(0, u64::MAX)), (u64::MAX, 0));
    assert_eq!(deficit(Quote::from_raw(-100), 30), 70);
    assert_eq!((deficit(Quote::from_raw(-100), 200), deficit(Quote::from_raw(1), 0)), (0, 0));
    assert_eq!(deficit(Quote::from_raw(i64::MIN), 1), (1 << 63) - 1);
}

/// 1,000,000 at an index of one: 250,000 is a quarter of the index. A third of them has no exact index: the cut is
/// rounded up, and what it takes is 333,333 and less than a unit.
#[test]
fn a_write_off_by_hand() {
    let index = Index::ONE;
    let quarter = WriteOff { deposit_index: Index::from_raw(ONE / 4 * 3), amount: 250_000 };
    assert_eq!(write_off(index, 1_000_000, 250_000), Ok(quarter));
    let third = write_off(index, 1_000_000, 333_333).unwrap();
    assert_eq!(third.amount, 333_333);
    assert_eq!(ONE - third.deposit_index.raw(), (333_333 * u128::from(ONE)).div_ceil(1_000_000) as u64);
    assert_eq!(write_off(index, 1_000_000, 0), Ok(WriteOff { deposit_index: index, amount: 0 }));
}

#[test]
fn one_step_takes_at_most_half_and_never_everything() {
    let half = WriteOff { deposit_index: Index::from_raw(ONE / 2), amount: 500_000 };
    for missing in [500_000, 500_001, 1_000_000, u64::MAX] {
        assert_eq!(write_off(Index::ONE, 1_000_000, missing), Ok(half), "{missing}");
    }
    let mut index = Index::from_raw(ONE + 12_345);
    for _ in 0..20 {
        index = write_off(index, 1_000_000, u64::MAX).unwrap().deposit_index;
        assert!(index >= MIN_DEPOSIT_INDEX);
    }
    assert_eq!(index, MIN_DEPOSIT_INDEX);
    assert_eq!(write_off(index, 1_000_000, 1), Ok(WriteOff { deposit_index: index, amount: 0 }));
}

#[test]
fn nobodys_deposits_bear_nothing() {
    assert_eq!(write_off(Index::ONE, 0, 5), Ok(WriteOff { deposit_index: Index::ONE, amount: 0 }));
    let low = Index::from_raw(MIN_DEPOSIT_INDEX.raw() - 1);
    assert_eq!(write_off(low, 1, 1), Err(Error::IndexInvalid));
    assert_eq!(write_off(Index::MAX, (1 << 63) + 1, u64::MAX), Err(Error::Overflow));
}

/// Long 8 with a gain of 100: closing 3 costs it at most 37.5 of it.
#[test]
fn a_gain_taken_by_hand() {
    let gainer = Gainer { gain: 100, size: 8 };
    assert_eq!(gain_taken(&gainer, 3, u64::MAX), Ok(37));
    assert_eq!(gain_taken(&gainer, 8, u64::MAX), Ok(100));
    assert_eq!(gain_taken(&gainer, 8, 60), Ok(60));
    assert_eq!(gain_taken(&gainer, 0, 60), Ok(0));
    assert_eq!(gain_taken(&gainer, 9, 60), Err(Error::Overflow));
    assert_eq!(gain_taken(&Gainer { gain: 100, size: 0 }, 0, 60), Err(Error::SizeZero));
}

#[test]
fn who_is_ahead_is_so_per_unit() {
    let small = Gainer { gain: 10, size: 1 };
    let large = Gainer { gain: 90, size: 10 };
    assert!(small.is_ahead_of(&large) && !large.is_ahead_of(&small));
    assert!(!small.is_ahead_of(&small));
    let most = Gainer { gain: u64::MAX, size: u64::MAX - 1 };
    assert!(most.is_ahead_of(&Gainer { gain: u64::MAX, size: u64::MAX }));
}

/// 10 units at 150 with a confidence of 1 and a premium of 0.5 %: 1,510 and 7.55.
#[test]
fn reserve_tokens_cost_the_top_of_the_interval_and_the_premium() {
    let observation = Observation {
        spot: Price::from_raw(150 << 48),
        confidence: Price::from_raw(1 << 48),
        ..Observation::default()
    };
    let premium = Ppm::from_raw(5_000);
    assert_eq!(reserve_cost(Base::from_raw(10), &observation, premium), Ok(1_518));
    assert_eq!(reserve_cost(Base::from_raw(0), &observation, premium), Ok(0));
    let wide = Observation { spot: Price::from_raw(u64::MAX), ..observation };
    assert_eq!(reserve_cost(Base::from_raw(10), &wide, premium), Err(Error::Overflow));
    assert_eq!(reserve_cost(Base::from_raw(i64::MAX), &observation, premium), Err(Error::Overflow));
}

proptest! {
    /// INV-1 exactly: what the reserve gains is at most what deposits lose, and less than a unit below it; and at least
    /// what was missing where no limit cut it short.
    #[test]
    fn a_write_off_conserves(index in MIN_DEPOSIT_INDEX.raw()..=ONE * 100, shares in 0u64..=1 << 57, missing in any::<u64>(), shift in 0u32..64) {
        let missing = missing >> shift;
        let result = write_off(Index::from_raw(index), shares, missing).unwrap();
        let after = result.deposit_index.raw();
        prop_assert!(after >= index.div_ceil(2) && after >= MIN_DEPOSIT_INDEX.raw() && after <= index);
        let lost = u128::from(shares) * u128::from(index - after);
        let gained = u128::from(result.amount) << 48;
        prop_assert!(gained <= lost && lost - gained < u128::from(ONE));
        let limited = after == index - (index / 2).min(index - MIN_DEPOSIT_INDEX.raw());
        prop_assert!(result.amount >= missing || limited || shares == 0);
        // Not more than a unit, and what one step of the index is worth, beyond it.
        prop_assert!(u128::from(result.amount) <= u128::from(missing) + 1 + u128::from(shares >> 48));
    }

    /// A gainer keeps what stands behind the part that is not closed, and parts take no more than the whole.
    #[test]
    fn a_gainer_never_ends_below_its_entry(gain in 1u64..=1 << 62, size in 1u64..=1 << 62, part in any::<u64>(), deficit in any::<u64>()) {
        let closed = part % (size + 1);
        let taken = gain_taken(&Gainer { gain, size }, closed, deficit).unwrap();
        prop_assert!(taken <= deficit);
        let (left, rest) = (u128::from(gain - taken), u128::from(size - closed));
        prop_assert!(left * u128::from(size) >= u128::from(gain) * rest);
        if rest > 0 && gain > taken {
            let rest = Gainer { gain: gain - taken, size: size - closed };
            let again = gain_taken(&rest, size - closed, deficit - taken).unwrap();
            let whole = gain_taken(&Gainer { gain, size }, size, deficit).unwrap();
            prop_assert!(again + taken <= whole);
        }
    }
}
