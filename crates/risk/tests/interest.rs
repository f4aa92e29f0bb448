//! Interest: the rate model, and the books of a bank through random lives (INV-1).
mod common;

use common::{any_length, int, ppm, q48, ratio};
use fixed::types::U64F64;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use plimsoll_risk::Error;
use plimsoll_risk::interest::{
    Accrual, MAX_RATE, RateModel, SECONDS_PER_YEAR, accrue, borrow_amount, deposit_amount, shares_for_borrow,
    shares_for_deposit, shares_to_burn_for_withdraw, shares_to_repay, utilisation,
};
use plimsoll_risk::units::{Index, Ppm};
use plimsoll_risk::waterfall::MIN_DEPOSIT_INDEX;
use proptest::prelude::*;

const MODEL: RateModel = RateModel {
    optimal_utilisation: Ppm::from_raw(800_000),
    base_rate: Ppm::from_raw(10_000),
    optimal_rate: Ppm::from_raw(90_000),
    max_rate: Ppm::from_raw(1_090_000),
    reserve_factor: Ppm::from_raw(200_000),
};

fn models() -> impl Strategy<Value = RateModel> {
    let rates = proptest::collection::vec(0..=MAX_RATE.raw(), 3);
    (1..=1_000_000_u32, rates, common::part()).prop_map(|(optimal, mut rates, reserve_factor)| {
        rates.sort_unstable();
        let model = RateModel {
            optimal_utilisation: Ppm::from_raw(optimal),
            base_rate: Ppm::from_raw(rates[0]),
            optimal_rate: Ppm::from_raw(rates[1]),
            max_rate: Ppm::from_raw(rates[2]),
            reserve_factor,
        };
        assert_eq!(model.validate(), Ok(()));
        model
    })
}

#[test]
fn rate_at_its_corners() {
    for (utilisation, rate) in
        [(0, 10_000), (400_000, 50_000), (800_000, 90_000), (900_000, 590_000), (1_000_000, 1_090_000)]
    {
        assert_eq!(MODEL.rate(Ppm::from_raw(utilisation)), Ppm::from_raw(rate), "{utilisation}");
    }
    assert_eq!(MODEL.rate(Ppm::MAX), MODEL.max_rate);
    assert_eq!(MODEL.rate(Ppm::from_raw(1)), Ppm::from_raw(10_001), "rounded up");
    let full = RateModel { optimal_utilisation: Ppm::ONE, ..MODEL };
    assert_eq!(full.rate(Ppm::ONE), full.optimal_rate, "no upper leg");
}

#[test]
fn utilisation_at_its_corners() {
    assert_eq!(utilisation(0, 0), Ppm::ZERO);
    assert_eq!(utilisation(0, 1), Ppm::ONE);
    assert_eq!(utilisation(5, 9), Ppm::ONE);
    assert_eq!(utilisation(3, 1), Ppm::from_raw(333_333));
    assert_eq!(utilisation(u64::MAX, u64::MAX - 1), Ppm::from_raw(999_999));
}

#[test]
fn each_bad_model_has_its_error() {
    let cases = [
        (RateModel { optimal_utilisation: Ppm::ZERO, ..MODEL }, Error::OptimalUtilisationInvalid),
        (RateModel { optimal_utilisation: Ppm::from_raw(1_000_001), ..MODEL }, Error::OptimalUtilisationInvalid),
        (RateModel { base_rate: Ppm::from_raw(90_001), ..MODEL }, Error::RatesNotOrdered),
        (RateModel { max_rate: Ppm::from_raw(89_999), ..MODEL }, Error::RatesNotOrdered),
        (RateModel { max_rate: Ppm::from_raw(10_000_001), ..MODEL }, Error::RateTooHigh),
        (RateModel { reserve_factor: Ppm::from_raw(1_000_001), ..MODEL }, Error::ReserveFactorInvalid),
    ];
    for (model, error) in cases {
        assert_eq!(model.validate(), Err(error), "{model:?}");
    }
}

#[test]
fn one_year_by_hand() {
    // 1,000,000 deposited, 800,000 lent at 9 %: 72,000 interest, a fifth of it the exchange's.
    let result = accrue(&MODEL, Index::ONE, Index::ONE, 1_000_000, 800_000, SECONDS_PER_YEAR).expect("fits");
    assert_eq!(borrow_amount(800_000, result.borrow_index), Ok(872_000 + 1), "9 % has no exact index");
    assert_eq!(deposit_amount(1_000_000, result.deposit_index), Ok(1_057_600), "four fifths: the index has the room");
    assert_eq!(result.reserve_delta, 14_400);
}

#[test]
fn nothing_accrues_without_time_or_borrows() {
    let unchanged = Accrual { deposit_index: Index::ONE, borrow_index: Index::ONE, reserve_delta: 0 };
    assert_eq!(accrue(&MODEL, Index::ONE, Index::ONE, 1_000, 500, 0), Ok(unchanged));
    assert_eq!(accrue(&MODEL, Index::ONE, Index::ONE, 1_000, 0, 1_000), Ok(unchanged));
}

#[test]
fn all_interest_is_the_reserves_without_deposits() {
    let result = accrue(&MODEL, Index::ONE, Index::ONE, 0, 1_000_000, SECONDS_PER_YEAR).expect("fits");
    assert_eq!(result.deposit_index, Index::ONE);
    assert_eq!(result.reserve_delta, 1_090_000, "109 %");
}

/// Deposits that bore a loss of half: 2,000,000 shares are worth 1,000,000, and earn what those earn.
#[test]
fn deposits_that_bore_a_loss_earn_interest_on_what_is_left() {
    let half = Index::from_raw(Index::ONE.raw() / 2);
    let result = accrue(&MODEL, half, Index::ONE, 2_000_000, 800_000, SECONDS_PER_YEAR).expect("fits");
    assert_eq!(deposit_amount(2_000_000, result.deposit_index), Ok(1_057_600));
    assert_eq!(result.reserve_delta, 14_400);
}

#[test]
fn dust_deposits_do_not_blow_up_their_index() {
    // One unit deposited beside a large loan out of the reserve: its rate is at most the borrowers'.
    let result = accrue(&MODEL, Index::ONE, Index::ONE, 1, 1 << 60, SECONDS_PER_YEAR).expect("fits");
    assert!(result.deposit_index < result.borrow_index);
}

#[test]
fn each_bad_accrual_has_its_error() {
    let low = Index::from_raw(MIN_DEPOSIT_INDEX.raw() - 1);
    assert_eq!(accrue(&MODEL, low, Index::ONE, 1, 1, 1), Err(Error::IndexInvalid));
    let low = Index::from_raw(Index::ONE.raw() - 1);
    assert_eq!(accrue(&MODEL, Index::ONE, low, 1, 1, 1), Err(Error::IndexInvalid));
    assert_eq!(accrue(&MODEL, Index::ONE, Index::ZERO, 1, 1, 1), Err(Error::IndexInvalid));
    assert_eq!(accrue(&MODEL, Index::ONE, Index::ONE, 1, 1, u64::MAX), Err(Error::IndexOverflow));
    assert_eq!(accrue(&MODEL, Index::ONE, Index::MAX, 1, 1, 1_000), Err(Error::IndexOverflow));
    assert_eq!(accrue(&MODEL, Index::MAX, Index::ONE, u64::MAX, 1, 1), Err(Error::Overflow));
    let greedy = RateModel { reserve_factor: Ppm::from_raw(1_000_001), ..MODEL };
    assert_eq!(accrue(&greedy, Index::ONE, Index::ONE, 1, 1, 1), Err(Error::ReserveFactorInvalid));
}

#[test]
fn shares_round_in_the_banks_favour() {
    let index = Index::from_raw(Index::ONE.raw() * 3 / 2);
    assert_eq!(shares_for_deposit(10, index), Ok(6));
    assert_eq!(shares_to_burn_for_withdraw(10, index), Ok(7));
    assert_eq!(shares_for_borrow(10, index), Ok(7));
    assert_eq!(shares_to_repay(10, index), Ok(6));
    assert_eq!(deposit_amount(7, index), Ok(10));
    assert_eq!(borrow_amount(7, index), Ok(11));
    assert_eq!(shares_for_deposit(u64::MAX, Index::ONE), Ok(u64::MAX));
    assert_eq!(shares_for_deposit(1, Index::ZERO), Err(Error::Overflow));
    assert_eq!(shares_for_borrow(u64::MAX, Index::from_raw(1)), Err(Error::Overflow));
    assert_eq!(deposit_amount(u64::MAX, Index::MAX), Err(Error::Overflow));
    assert_eq!(borrow_amount(u64::MAX, Index::MAX), Err(Error::Overflow));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The rate never falls as utilisation rises, stays between base and max, and is the line rounded up.
    #[test]
    fn rate_is_the_line_rounded_up(model in models(), u in 0..=1_000_000_u32, more in 0..=1_000_000_u32) {
        let rate = model.rate(Ppm::from_raw(u));
        prop_assert!(rate >= model.base_rate && rate <= model.max_rate);
        prop_assert!(model.rate(Ppm::from_raw(u.max(more))) >= rate);
        let kink = i64::from(model.optimal_utilisation.raw());
        let (from, to, run, width) = if i64::from(u) <= kink {
            (model.base_rate, model.optimal_rate, i64::from(u), kink)
        } else {
            (model.optimal_rate, model.max_rate, i64::from(u) - kink, 1_000_000 - kink)
        };
        let slope = ratio(i64::from(to.raw()) - i64::from(from.raw()), width);
        let line = int(from.raw()) + slope * int(run);
        prop_assert_eq!(common::ceil(&line), BigInt::from(rate.raw()));
    }

    /// Shares against exact quotients, and amounts against exact products.
    #[test]
    fn conversions_are_exact(value in any_length(64), index in any_length(64)) {
        let index = Index::from_raw(index.max(Index::ONE.raw()));
        let shares = int(value) / q48(index.raw());
        let amount = int(value) * q48(index.raw());
        let word = |value: BigInt| u64::try_from(value).map_err(|_| Error::Overflow);
        prop_assert_eq!(shares_for_deposit(value, index), word(common::floor(&shares)));
        prop_assert_eq!(shares_to_repay(value, index), word(common::floor(&shares)));
        prop_assert_eq!(shares_for_borrow(value, index), word(common::ceil(&shares)));
        prop_assert_eq!(shares_to_burn_for_withdraw(value, index), word(common::ceil(&shares)));
        prop_assert_eq!(deposit_amount(value, index), word(common::floor(&amount)));
        prop_assert_eq!(borrow_amount(value, index), word(common::ceil(&amount)));
    }

    /// No round trip earns a unit.
    #[test]
    fn round_trips_never_earn(amount in any_length(60), index in any_length(60)) {
        let index = Index::from_raw(index.max(Index::ONE.raw()));
        let minted = shares_for_deposit(amount, index).expect("index above one");
        prop_assert!(deposit_amount(minted, index).expect("below the deposit") <= amount);
        prop_assert!(shares_to_burn_for_withdraw(amount, index).expect("fits") >= minted);
        let owed = shares_for_borrow(amount, index).expect("fits");
        prop_assert!(borrow_amount(owed, index).expect("fits") >= amount);
        prop_assert!(shares_to_repay(amount, index).expect("fits") <= owed);
    }

    /// INV-1: what depositors and the reserve gain is at most what borrowers owe more, in real numbers; and the rates
    /// are those of the model to 1e-9 of a rate.
    #[test]
    fn accrual_conserves(
        model in models(),
        deposit_index in Index::ONE.raw()..(1 << 60),
        borrow_index in Index::ONE.raw()..(1 << 60),
        deposit_shares in any_length(46),
        borrow_shares in any_length(46),
        seconds in any_length(27),
    ) {
        let (before_d, before_b) = (Index::from_raw(deposit_index), Index::from_raw(borrow_index));
        let after = accrue(&model, before_d, before_b, deposit_shares, borrow_shares, seconds);
        let after = match after {
            Ok(after) => after,
            // 2^27 s at 1,000 % multiply an index by up to 43, which takes 2^60 over the word.
            Err(error) => {
                prop_assert_eq!(error, Error::IndexOverflow);
                return Ok(());
            }
        };
        prop_assert!(after.deposit_index >= before_d && after.borrow_index >= before_b);
        let gained = int(deposit_shares) * q48(after.deposit_index.raw() - deposit_index) + int(after.reserve_delta);
        let owed = int(borrow_shares) * q48(after.borrow_index.raw() - borrow_index);
        prop_assert!(gained <= owed, "claims grew by more than debts");
        prop_assert!(&owed - &gained < int(1) || borrow_shares == 0, "and by less than one unit less");
        // The deposit side never grows faster than the borrow side.
        let growth = |after: Index, before: u64| ratio(after.raw(), before);
        prop_assert!(growth(after.deposit_index, deposit_index) <= growth(after.borrow_index, borrow_index));
        if borrow_shares == 0 || seconds == 0 {
            return Ok(());
        }
        let deposits = deposit_amount(deposit_shares, before_d).expect("fits");
        let borrows = borrow_amount(borrow_shares, before_b).expect("fits");
        let rate = ppm(model.rate(utilisation(deposits, borrows)));
        let exact = q48(borrow_index) * rate * ratio(seconds, SECONDS_PER_YEAR);
        let found = q48(after.borrow_index.raw() - borrow_index);
        prop_assert!(found >= exact && &found - &exact < q48(1), "the borrow index is the line rounded up by one step");
    }

    /// The borrow index against the reference fixed-point library.
    #[test]
    fn borrow_index_agrees_with_fixed(u in 0..1_000_000_u64, seconds in 0..SECONDS_PER_YEAR) {
        let after = accrue(&MODEL, Index::ONE, Index::ONE, 1_000_000, u, seconds).expect("fits");
        let rate = U64F64::from_num(MODEL.rate(utilisation(1_000_000, u)).raw()) / 1_000_000;
        let expected = U64F64::ONE + rate * U64F64::from_num(seconds) / U64F64::from_num(SECONDS_PER_YEAR);
        let found = U64F64::from_bits(u128::from(after.borrow_index.raw()) << 16);
        let step = U64F64::from_bits(1 << 17);
        let expected = if u == 0 { U64F64::ONE } else { expected };
        prop_assert!(found <= expected + step && found + step >= expected, "{found} and {expected}");
    }

    /// Any bits: an answer, never a panic.
    #[test]
    fn accrue_is_total(
        ratios in any::<[u32; 5]>(), indexes in any::<(u64, u64)>(), shares in any::<(u64, u64)>(),
        seconds in any::<u64>(),
    ) {
        let model = RateModel {
            optimal_utilisation: Ppm::from_raw(ratios[0]),
            base_rate: Ppm::from_raw(ratios[1]),
            optimal_rate: Ppm::from_raw(ratios[2]),
            max_rate: Ppm::from_raw(ratios[3]),
            reserve_factor: Ppm::from_raw(ratios[4]),
        };
        let _ = model.validate();
        let (deposit, borrow) = (Index::from_raw(indexes.0), Index::from_raw(indexes.1));
        let _ = accrue(&model, deposit, borrow, shares.0, shares.1, seconds);
        let _ = accrue(&model, deposit, borrow, shares.0, shares.1, seconds >> 32);
        for index in [deposit, borrow] {
            let _ = (shares_for_deposit(shares.0, index), shares_for_borrow(shares.0, index));
            let _ = (deposit_amount(shares.0, index), borrow_amount(shares.0, index));
        }
    }
}

/// A bank and its users, as the program keeps them.
#[derive(Debug)]
struct Bank {
    vault: u64,
    reserve: u64,
    deposit_index: Index,
    borrow_index: Index,
    /// Per user: deposit shares, borrow shares.
    users: [(u64, u64); 3],
}

#[derive(Clone, Debug)]
enum Step {
    Deposit(usize, u64),
    Withdraw(usize, u64),
    WithdrawAll(usize),
    Borrow(usize, u64),
    Repay(usize, u64),
    RepayAll(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let user = 0..3_usize;
    prop_oneof![
        (user.clone(), any_length(40)).prop_map(|(user, amount)| Step::Deposit(user, amount)),
        (user.clone(), any_length(40)).prop_map(|(user, amount)| Step::Withdraw(user, amount)),
        user.clone().prop_map(Step::WithdrawAll),
        (user.clone(), any_length(40)).prop_map(|(user, amount)| Step::Borrow(user, amount)),
        (user.clone(), any_length(40)).prop_map(|(user, amount)| Step::Repay(user, amount)),
        user.prop_map(Step::RepayAll),
        any_length(22).prop_map(Step::Wait),
        any_length(3).prop_map(Step::Wait),
    ]
}

impl Bank {
    fn shares(&self) -> (u64, u64) {
        self.users.iter().fold((0, 0), |sum, user| (sum.0 + user.0, sum.1 + user.1))
    }

    fn apply(&mut self, model: &RateModel, step: &Step) {
        match *step {
            Step::Deposit(user, amount) => {
                self.users[user].0 += shares_for_deposit(amount, self.deposit_index).expect("fits");
                self.vault += amount;
            }
            Step::Withdraw(user, amount) => {
                let burnt = shares_to_burn_for_withdraw(amount, self.deposit_index).expect("fits");
                if amount <= self.vault && burnt <= self.users[user].0 {
                    self.users[user].0 -= burnt;
                    self.vault -= amount;
                }
            }
            Step::WithdrawAll(user) => {
                let amount = deposit_amount(self.users[user].0, self.deposit_index).expect("fits");
                if amount <= self.vault {
                    self.users[user].0 = 0;
                    self.vault -= amount;
                }
            }
            Step::Borrow(user, amount) => {
                if amount <= self.vault {
                    self.users[user].1 += shares_for_borrow(amount, self.borrow_index).expect("fits");
                    self.vault -= amount;
                }
            }
            Step::Repay(user, amount) => {
                let burnt = shares_to_repay(amount, self.borrow_index).expect("fits");
                if burnt <= self.users[user].1 {
                    self.users[user].1 -= burnt;
                    self.vault += amount;
                }
            }
            Step::RepayAll(user) => {
                self.vault += borrow_amount(self.users[user].1, self.borrow_index).expect("fits");
                self.users[user].1 = 0;
            }
            Step::Wait(seconds) => {
                let (deposits, borrows) = self.shares();
                let after =
                    accrue(model, self.deposit_index, self.borrow_index, deposits, borrows, seconds).expect("fits");
                (self.deposit_index, self.borrow_index) = (after.deposit_index, after.borrow_index);
                self.reserve += after.reserve_delta;
            }
        }
    }

    /// What the bank has beyond what it owes, in real numbers.
    fn surplus(&self) -> BigRational {
        let (deposits, borrows) = self.shares();
        let assets = int(self.vault) + int(borrows) * q48(self.borrow_index.raw());
        assets - int(deposits) * q48(self.deposit_index.raw()) - int(self.reserve)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// INV-1 after every step of a bank's life: in real numbers, with rounded totals, and user by user.
    #[test]
    fn books_hold(model in models(), steps in proptest::collection::vec(steps(), 1..60)) {
        let mut bank =
            Bank { vault: 0, reserve: 0, deposit_index: Index::ONE, borrow_index: Index::ONE, users: [(0, 0); 3] };
        for step in &steps {
            let before = bank.surplus();
            bank.apply(&model, step);
            prop_assert!(bank.surplus() >= BigRational::zero(), "{step:?} left {bank:?}");
            // Rounding is dust, not profit: less than one share and one unit a step.
            let share = q48(bank.deposit_index.max(bank.borrow_index).raw());
            prop_assert!(bank.surplus() - before < share + int(1), "{step:?} gained too much");
            let (deposits, borrows) = bank.shares();
            let owed = deposit_amount(deposits, bank.deposit_index).expect("fits");
            let owed = u128::from(owed) + u128::from(bank.reserve);
            let has = u128::from(bank.vault) + u128::from(borrow_amount(borrows, bank.borrow_index).expect("fits"));
            prop_assert!(has >= owed, "rounded totals");
            let claims: u128 = bank
                .users
                .iter()
                .map(|user| u128::from(deposit_amount(user.0, bank.deposit_index).expect("fits")))
                .sum();
            let debts: u128 = bank
                .users
                .iter()
                .map(|user| u128::from(borrow_amount(user.1, bank.borrow_index).expect("fits")))
                .sum();
            prop_assert!(u128::from(bank.vault) + debts >= claims + u128::from(bank.reserve), "user by user");
        }
    }
}
