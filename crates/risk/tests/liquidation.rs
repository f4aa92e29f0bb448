//! Liquidation: every function against exact numbers, parts against the whole, and whole accounts before and after
//! (INV-6).
mod common;

use common::{any_length, build, fresh_underlying, int, parameters, ppm, ratio};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use plimsoll_risk::Error;
use plimsoll_risk::liquidation::{
    InsolvencyParameters, LiquidationParameters, MAX_DISCOUNT, MAX_REWARD, discount, fraction, insolvent_due,
    insolvent_fraction, insolvent_payout, insolvent_reward, payment, pro_rata_ceil, pro_rata_floor, pro_rata_signed,
    reward, shortfall,
};
use plimsoll_risk::portfolio::{Margin, Portfolio, RiskParameters, Underlying, margin};
use plimsoll_risk::units::{Base, Fraction, Ppm, Quote, Seconds};
use proptest::prelude::*;

const PARAMETERS: LiquidationParameters = LiquidationParameters {
    buffer: Ppm::from_raw(100_000),
    discount_min: Ppm::from_raw(5_000),
    discount_max: Ppm::from_raw(105_000),
    duration: Seconds::from_raw(600),
    dust: 1_000,
};

const INSOLVENCY: InsolvencyParameters = InsolvencyParameters {
    reward_min: Ppm::ZERO,
    reward_max: Ppm::from_raw(60_000),
    duration: Seconds::from_raw(1_200),
};

const TEN_PERCENT: Ppm = Ppm::from_raw(100_000);

fn auctions() -> impl Strategy<Value = LiquidationParameters> {
    (0..=1_000_000_u32, 0..=500_000_u32, 0..=500_000_u32, 0..=86_400_i64, any_length(20)).prop_map(
        |(buffer, one, other, duration, dust)| LiquidationParameters {
            buffer: Ppm::from_raw(buffer),
            discount_min: Ppm::from_raw(one.min(other)),
            discount_max: Ppm::from_raw(one.max(other)),
            duration: Seconds::from_raw(duration),
            dust,
        },
    )
}

/// Discounts and rewards, the ends included more often.
fn rates() -> impl Strategy<Value = Ppm> {
    prop_oneof![1 => Just(0), 1 => Just(500_000), 6 => 0..=500_000_u32].prop_map(Ppm::from_raw)
}

/// What takers want of an account, one after the other.
fn parts() -> impl Strategy<Value = Vec<Fraction>> {
    let part = prop_oneof![1 => 1..1_000_u64, 4 => 1..=1_u64 << 32].prop_map(Fraction::from_raw);
    proptest::collection::vec(part, 2..=6)
}

/// An equity above zero and a requirement above it.
fn below_the_line() -> impl Strategy<Value = (i64, i64)> {
    (any_length(60), any_length(60)).prop_map(|(equity, more)| {
        let equity = equity.max(1) as i64;
        (equity, equity + more.max(1) as i64)
    })
}

fn quote(raw: i64) -> Quote {
    Quote::from_raw(raw)
}

/// A fraction, exactly.
fn part_of(f: Fraction) -> BigRational {
    ratio(f.raw(), Fraction::ONE.raw())
}

/// What of one does not belong to `x`.
fn rest(x: &BigRational) -> BigRational {
    BigRational::one() - x
}

#[test]
fn discount_rises_with_time() {
    for (elapsed, expected) in
        [(i64::MIN, 5_000), (-1, 5_000), (0, 5_000), (1, 5_166), (300, 55_000), (600, 105_000), (i64::MAX, 105_000)]
    {
        assert_eq!(discount(&PARAMETERS, Seconds::from_raw(elapsed)), Ppm::from_raw(expected), "{elapsed} s");
    }
    let at_once = LiquidationParameters { duration: Seconds::ZERO, ..PARAMETERS };
    assert_eq!(discount(&at_once, Seconds::ZERO), at_once.discount_max);
}

#[test]
fn insolvent_reward_rises_with_time() {
    for (elapsed, expected) in
        [(i64::MIN, 0), (-1, 0), (0, 0), (1, 50), (7, 350), (600, 30_000), (1_200, 60_000), (i64::MAX, 60_000)]
    {
        assert_eq!(insolvent_reward(&INSOLVENCY, Seconds::from_raw(elapsed)), Ppm::from_raw(expected), "{elapsed} s");
    }
    let at_once = InsolvencyParameters { duration: Seconds::ZERO, ..INSOLVENCY };
    assert_eq!(insolvent_reward(&at_once, Seconds::ZERO), at_once.reward_max);
}

#[test]
fn liquidation_by_hand() {
    // E = 850, R = 1,000, b = 10 %, d = 10 %: the reward is 100, f = (1,100 - 850) / (1,100 - 100) = 1/4.
    let none = LiquidationParameters { dust: 0, ..PARAMETERS };
    assert_eq!(reward(quote(850), quote(1_000), TEN_PERCENT), Ok(quote(100)));
    let f = Fraction::from_raw(Fraction::ONE.raw() / 4);
    assert_eq!(fraction(quote(850), quote(1_000), TEN_PERCENT, &none), Ok(f));
    // It pays 750 / 4 = 187.5, up. What is left: E' = 825, R' = 750, 10 % apart.
    assert_eq!(payment(f, quote(850), quote(1_000), TEN_PERCENT), Ok(quote(188)));
}

/// At E = d R the closed form is one; below it everything is taken over for nothing.
#[test]
fn an_account_worth_less_than_the_reward_is_taken_whole_for_nothing() {
    let none = LiquidationParameters { dust: 0, ..PARAMETERS };
    for equity in [1, 2, 99_999, 100_000] {
        assert_eq!(reward(quote(equity), quote(1_000_000), TEN_PERCENT), Ok(quote(equity)));
        assert_eq!(fraction(quote(equity), quote(1_000_000), TEN_PERCENT, &none), Ok(Fraction::ONE));
        for f in [1, 1 << 31, 1 << 32].map(Fraction::from_raw) {
            assert_eq!(payment(f, quote(equity), quote(1_000_000), TEN_PERCENT), Ok(Quote::ZERO));
        }
    }
    assert_eq!(reward(quote(100_001), quote(1_000_000), TEN_PERCENT), Ok(quote(100_000)));
    let f = fraction(quote(100_001), quote(1_000_000), TEN_PERCENT, &none).expect("below the line");
    assert!(f < Fraction::ONE);
}

#[test]
fn dust_is_taken_whole() {
    // 10 % of a million: 100,000 of reward, and less than 1,000 to pay.
    assert_eq!(fraction(quote(100_999), quote(1_000_000), TEN_PERCENT, &PARAMETERS), Ok(Fraction::ONE));
    assert_eq!(payment(Fraction::ONE, quote(100_999), quote(1_000_000), TEN_PERCENT), Ok(quote(999)));
    let f = fraction(quote(101_000), quote(1_000_000), TEN_PERCENT, &PARAMETERS).expect("below the line");
    assert!(f < Fraction::ONE);
    // An equity below dust leaves less than that to pay.
    assert_eq!(fraction(quote(999), quote(1_000), Ppm::ZERO, &PARAMETERS), Ok(Fraction::ONE));
}

/// The rule before this one, a reward of d E, and dust measured by E, were worth splitting for: see decision 12.
#[test]
fn parts_do_not_turn_an_account_into_dust() {
    let (mut equity, mut requirement) = (101_000_i64, 1_000_000_i64);
    let small = Fraction::from_raw(Fraction::ONE.raw() / 20);
    for _ in 0..40 {
        let whole = fraction(quote(equity), quote(requirement), TEN_PERCENT, &PARAMETERS).expect("below the line");
        assert!(whole < Fraction::ONE, "{equity} of {requirement}");
        let paid = payment(small, quote(equity), quote(requirement), TEN_PERCENT).expect("solvent");
        equity += paid.raw() - pro_rata_signed(equity, small).expect("a fraction");
        requirement -= pro_rata_signed(requirement, small).expect("a fraction");
    }
    assert!(equity < 15_000 && requirement < 130_000, "{equity} of {requirement}");
}

#[test]
fn insolvency_by_hand() {
    // E = -300, R = 1,000, a reward of 2 %: 320 are due.
    let two = Ppm::from_raw(20_000);
    let (e, r) = (quote(-300), quote(1_000));
    assert_eq!(insolvent_due(e, r, two), Ok(320));
    assert_eq!(insolvent_payout(Fraction::ONE, e, r, two), Ok(320));
    assert_eq!(insolvent_payout(Fraction::from_raw(1 << 31), e, r, two), Ok(160));
    // A quarter and a unit less of it: 80 - 2^-32.
    assert_eq!(insolvent_payout(Fraction::from_raw((1 << 30) - 1), e, r, two), Ok(79));
    for (available, f, left) in
        [(0, 0, 320), (80, 1 << 30, 240), (160, 1 << 31, 160), (320, 1 << 32, 0), (u64::MAX, 1 << 32, 0)]
    {
        assert_eq!(insolvent_fraction(e, r, two, available), Ok(Fraction::from_raw(f)), "{available}");
        assert_eq!(shortfall(e, r, two, available), Ok(left), "{available}");
    }
    // A debt and nothing else requires nothing, and is due as it is.
    assert_eq!(insolvent_due(quote(-1), Quote::ZERO, MAX_REWARD), Ok(1));
    assert_eq!(insolvent_due(quote(-7), quote(-6), MAX_REWARD), Ok(7));
    // Nothing at all to pay: an empty fund takes care of it.
    assert_eq!(insolvent_fraction(Quote::ZERO, quote(1_000), Ppm::ZERO, 0), Ok(Fraction::ONE));
}

/// What the whole account gains its taker at the start of either auction falls to zero with the equity, and stays
/// there.
#[test]
fn sinking_through_zero_gains_nothing() {
    let start = |equity: i64| {
        let r = quote(1_000_000);
        if equity > 0 {
            reward(quote(equity), r, TEN_PERCENT).expect("solvent").raw()
        } else {
            let rate = insolvent_reward(&INSOLVENCY, Seconds::ZERO);
            insolvent_due(quote(equity), r, rate).expect("insolvent") as i64 + equity
        }
    };
    let gains: Vec<i64> = (-5..200_000).map(start).collect();
    assert!(gains.windows(2).all(|two| two[1] == two[0] || two[1] == two[0] + 1), "continuous and never falling");
    assert_eq!((start(-5), start(0), start(1), start(100_000), start(199_999)), (0, 0, 1, 100_000, 100_000));
}

#[test]
fn each_bad_input_has_its_error() {
    let take = |equity, requirement| fraction(quote(equity), quote(requirement), Ppm::ZERO, &PARAMETERS);
    let pay = |equity, requirement| payment(Fraction::ONE, quote(equity), quote(requirement), Ppm::ZERO);
    let gain = |equity, requirement| reward(quote(equity), quote(requirement), Ppm::ZERO);
    for (equity, requirement, error) in [
        (0, 1, Error::AccountInsolvent),
        (i64::MIN, 1, Error::AccountInsolvent),
        (5_000, 5_000, Error::NotLiquidatable),
        (5_000, -1, Error::NotLiquidatable),
    ] {
        assert_eq!(take(equity, requirement), Err(error));
        assert_eq!(pay(equity, requirement), Err(error));
        assert_eq!(gain(equity, requirement), Err(error));
    }
    let deep = Ppm::from_raw(MAX_DISCOUNT.raw() + 1);
    assert_eq!(fraction(quote(1), quote(2), deep, &PARAMETERS), Err(Error::DiscountInvalid));
    assert_eq!(payment(Fraction::ONE, quote(1), quote(2), deep), Err(Error::DiscountInvalid));
    assert_eq!(reward(quote(1), quote(2), deep), Err(Error::DiscountInvalid));
    let more = Fraction::from_raw(Fraction::ONE.raw() + 1);
    assert_eq!(payment(more, quote(1), quote(2), Ppm::ZERO), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_floor(0, more), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_ceil(0, more), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_signed(0, more), Err(Error::FractionInvalid));
    let wide = LiquidationParameters { buffer: Ppm::MAX, ..PARAMETERS };
    assert_eq!(fraction(quote(i64::MAX - 1), Quote::MAX, Ppm::ZERO, &wide), Err(Error::Overflow));
}

#[test]
fn each_bad_insolvent_input_has_its_error() {
    let deep = Ppm::from_raw(MAX_REWARD.raw() + 1);
    for (equity, requirement, rate, error) in [
        (1, 2, Ppm::ZERO, Error::AccountSolvent),
        (i64::MAX, i64::MIN, deep, Error::AccountSolvent),
        (0, 0, Ppm::ZERO, Error::NotLiquidatable),
        (-7, -7, deep, Error::NotLiquidatable),
        (-1, 0, deep, Error::RewardInvalid),
    ] {
        let (e, r) = (quote(equity), quote(requirement));
        assert_eq!(insolvent_due(e, r, rate), Err(error));
        assert_eq!(insolvent_payout(Fraction::ONE, e, r, rate), Err(error));
        assert_eq!(insolvent_fraction(e, r, rate, 1), Err(error));
        assert_eq!(shortfall(e, r, rate, 1), Err(error));
    }
    let more = Fraction::from_raw(Fraction::ONE.raw() + 1);
    assert_eq!(insolvent_payout(more, quote(-1), quote(1), Ppm::ZERO), Err(Error::FractionInvalid));
    // The largest of everything fits.
    assert_eq!(insolvent_due(Quote::MIN, Quote::MAX, MAX_REWARD), Ok((1 << 63) + (1 << 62) - 1));
}

#[test]
fn each_bad_parameter_has_its_error() {
    let solvent = [
        (LiquidationParameters { buffer: Ppm::from_raw(1_000_001), ..PARAMETERS }, Error::BufferInvalid),
        (LiquidationParameters { discount_min: Ppm::from_raw(105_001), ..PARAMETERS }, Error::DiscountInvalid),
        (LiquidationParameters { discount_max: Ppm::from_raw(500_001), ..PARAMETERS }, Error::DiscountInvalid),
        (LiquidationParameters { duration: Seconds::from_raw(-1), ..PARAMETERS }, Error::DurationInvalid),
        (LiquidationParameters { duration: Seconds::from_raw(86_401), ..PARAMETERS }, Error::DurationInvalid),
    ];
    assert_eq!(PARAMETERS.validate(), Ok(()));
    for (parameters, error) in solvent {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
    let insolvent = [
        (InsolvencyParameters { reward_min: Ppm::from_raw(60_001), ..INSOLVENCY }, Error::RewardInvalid),
        (InsolvencyParameters { reward_max: Ppm::from_raw(500_001), ..INSOLVENCY }, Error::RewardInvalid),
        (InsolvencyParameters { duration: Seconds::from_raw(-1), ..INSOLVENCY }, Error::DurationInvalid),
        (InsolvencyParameters { duration: Seconds::from_raw(86_401), ..INSOLVENCY }, Error::DurationInvalid),
    ];
    assert_eq!(INSOLVENCY.validate(), Ok(()));
    for (parameters, error) in insolvent {
        assert_eq!(parameters.validate(), Err(error), "{parameters:?}");
    }
}

#[test]
fn pro_rata_at_the_ends() {
    for amount in [0, 1, i64::MAX, i64::MIN, i64::MIN + 1, -1] {
        assert_eq!(pro_rata_signed(amount, Fraction::ONE), Ok(amount));
        assert_eq!(pro_rata_signed(amount, Fraction::ZERO), Ok(0));
    }
    assert_eq!(pro_rata_floor(u64::MAX, Fraction::ONE), Ok(u64::MAX));
    assert_eq!(pro_rata_ceil(u64::MAX, Fraction::ONE), Ok(u64::MAX));
    let half = Fraction::from_raw(Fraction::ONE.raw() / 2);
    // 3 lots long and 3 short: the taker takes 1 and 2.
    assert_eq!(pro_rata_signed(3, half), Ok(1));
    assert_eq!(pro_rata_signed(-3, half), Ok(-2));
    assert_eq!(pro_rata_ceil(3, half), Ok(2));
    let least = Fraction::from_raw(1);
    assert_eq!((pro_rata_signed(1, least), pro_rata_signed(-1, least)), (Ok(0), Ok(-1)));
    assert_eq!(pro_rata_signed(i64::MIN, least), Ok(-(1 << 31)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn schedules_are_the_line_rounded_down(auction in auctions(), elapsed in -10..90_000_i64) {
        prop_assert_eq!(auction.validate(), Ok(()));
        let (min, max) = (int(auction.discount_min.raw()), int(auction.discount_max.raw()));
        let time = elapsed.clamp(0, auction.duration.raw());
        let line = if auction.duration.raw() == 0 {
            max
        } else {
            &min + (max - &min) * ratio(time, auction.duration.raw())
        };
        let found = discount(&auction, Seconds::from_raw(elapsed));
        prop_assert_eq!(BigInt::from(found.raw()), common::floor(&line));
        let insolvency = InsolvencyParameters {
            reward_min: auction.discount_min,
            reward_max: auction.discount_max,
            duration: auction.duration,
        };
        prop_assert_eq!(insolvency.validate(), Ok(()));
        prop_assert_eq!(insolvent_reward(&insolvency, Seconds::from_raw(elapsed)), found);
    }

    #[test]
    fn pro_rata_is_exact(amount in any_length(64), part in 0..=1_u64 << 32) {
        let exact = int(amount) * ratio(part, 1_u64 << 32);
        let f = Fraction::from_raw(part);
        prop_assert_eq!(pro_rata_floor(amount, f).map(BigInt::from), Ok(common::floor(&exact)));
        prop_assert_eq!(pro_rata_ceil(amount, f).map(BigInt::from), Ok(common::ceil(&exact)));
        for signed in [amount.cast_signed(), amount.cast_signed().wrapping_neg()] {
            let exact = int(signed) * ratio(part, 1_u64 << 32);
            prop_assert_eq!(pro_rata_signed(signed, f).map(BigInt::from), Ok(common::floor(&exact)));
        }
    }

    /// Of an amount, parts never move more than one taking of the same fraction, and less by less than one unit each.
    #[test]
    fn parts_move_no_more_than_the_whole(amount in any::<i64>(), parts in parts()) {
        let (mut left, mut kept) = (amount, BigRational::one());
        for f in &parts {
            left -= pro_rata_signed(left, *f).expect("a fraction");
            kept *= rest(&part_of(*f));
        }
        let moved = int(amount) - int(left);
        let whole = int(amount) * rest(&kept);
        prop_assert!(moved <= whole && &moved + int(parts.len() as u64) > whole);
        prop_assert!(int(left) >= int(amount) * kept);
    }

    /// The fraction is the closed form rounded up, and not by more than 2^-32 and the rounding of the target.
    #[test]
    fn fraction_is_the_closed_form((equity, requirement) in below_the_line(), auction in auctions(), d in rates()) {
        let (e, r) = (quote(equity), quote(requirement));
        let gain = reward(e, r, d).expect("below the line").raw();
        prop_assert_eq!(BigInt::from(gain), common::floor(&(int(requirement) * ppm(d))).min(equity.into()));
        let f = fraction(e, r, d, &auction).expect("below the line");
        prop_assert!(f > Fraction::ZERO && f <= Fraction::ONE);
        prop_assert_eq!(payment(Fraction::ONE, e, r, d), Ok(quote(equity - gain)));
        let paid = payment(f, e, r, d).expect("solvent");
        prop_assert_eq!(BigInt::from(paid.raw()), common::ceil(&(part_of(f) * int(equity - gain))));
        if equity == gain || ((equity - gain) as u64) < auction.dust {
            prop_assert_eq!(f, Fraction::ONE);
            return Ok(());
        }
        let target = int(requirement) * (int(1) + ppm(auction.buffer));
        let exact = (&target - int(equity)) / (&target - int(gain));
        prop_assert!(part_of(f) >= exact);
        prop_assert!(part_of(f) < exact + ratio(1, 1_u64 << 32) + int(1) / (&target - int(gain)));
        // So the account ends at its buffer, and that the integer payment is no less.
        let after = rest(&part_of(f)) * int(equity) + int(paid.raw());
        prop_assert!(after >= rest(&part_of(f)) * target);
    }

    #[test]
    fn fraction_falls_with_equity_and_rises_with_requirement_discount_and_buffer(
        (equity, requirement) in below_the_line(), auction in auctions(), [d, more] in [rates(), rates()],
        other in any_length(60), buffer in 0..=1_000_000_u32,
    ) {
        let take = |equity, requirement, d, auction: &LiquidationParameters| {
            fraction(quote(equity), quote(requirement), d, auction).expect("below the line")
        };
        let auction = LiquidationParameters { dust: 0, ..auction };
        let f = take(equity, requirement, d, &auction);
        prop_assert!(take((other as i64).clamp(1, equity), requirement, d, &auction) >= f);
        prop_assert!(take(equity, requirement + other as i64, d, &auction) >= f);
        prop_assert!(take(equity, requirement, d.max(more), &auction) >= f);
        let wider = LiquidationParameters { buffer: auction.buffer.max(Ppm::from_raw(buffer)), ..auction };
        prop_assert!(take(equity, requirement, d, &wider) >= f);
    }

    /// INV-6 for any fraction that a taker may choose, with the payment in integers.
    #[test]
    fn ratio_never_worsens_and_no_part_makes_insolvent(
        (equity, requirement) in below_the_line(), d in rates(), f in 0..1_u64 << 32,
    ) {
        let f = Fraction::from_raw(f);
        let paid = payment(f, quote(equity), quote(requirement), d).expect("solvent");
        let e = rest(&part_of(f)) * int(equity) + int(paid.raw());
        let r = rest(&part_of(f)) * int(requirement);
        prop_assert!(&e * int(requirement) >= int(equity) * &r);
        prop_assert!(e > BigRational::zero());
    }
}

/// An account of real numbers that is measured as the engine measures: equity rounded down, requirement up.
struct Real {
    equity: BigRational,
    requirement: BigRational,
    /// What is left of the account that there was at first.
    kept: BigRational,
    /// What takers have gained together.
    gained: BigRational,
}

impl Real {
    fn new(equity: i64, requirement: i64) -> Self {
        let kept = BigRational::one();
        Self { equity: int(equity), requirement: int(requirement), kept, gained: BigRational::zero() }
    }

    fn measured(&self) -> (Quote, Quote) {
        let word = |value: BigInt| quote(i64::try_from(value).expect("it only shrinks"));
        (word(common::floor(&self.equity)), word(common::ceil(&self.requirement)))
    }

    /// `f` changes hands for `paid`, negative where the taker is paid.
    fn take(&mut self, f: Fraction, paid: &BigRational) {
        let taken = part_of(f) * &self.equity;
        self.gained += &taken - paid;
        self.equity += paid - taken;
        self.requirement *= rest(&part_of(f));
        self.kept *= rest(&part_of(f));
    }

    /// What of the account at first has changed hands.
    fn taken(&self) -> BigRational {
        rest(&self.kept)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Any parts, by anyone, gain together what one taking of the same part of the account gains, and no more than two
    /// units for each part, which the rounding of equity and requirement between them is worth. The last takes all it
    /// may.
    #[test]
    fn nobody_gains_by_splitting(
        (equity, requirement) in below_the_line(), auction in auctions(), d in rates(), parts in parts(),
    ) {
        let gain = (int(requirement) * ppm(d)).min(int(equity));
        let whole = fraction(quote(equity), quote(requirement), d, &auction).expect("below the line");
        let mut account = Real::new(equity, requirement);
        let mut count = 0;
        for want in parts.into_iter().chain([Fraction::ONE]) {
            let (e, r) = account.measured();
            // Healthy again, or nothing left of it that counts.
            if e >= r || !e.is_positive() {
                break;
            }
            let f = fraction(e, r, d, &auction).expect("below the line").min(want);
            let paid = payment(f, e, r, d).expect("solvent").raw();
            account.take(f, &int(paid));
            count += 1;
        }
        let units = int(2 * count);
        prop_assert!(account.gained <= account.taken() * &gain + &units, "{} of {gain}", account.gained);
        prop_assert!(account.gained >= account.taken() * &gain - &units);
        prop_assert!(account.equity >= int(equity) - account.taken() * &gain - &units);
        // Nor do they take more of it, but for the next 2^-32 and the units: less than one requirement's worth.
        if whole < Fraction::ONE {
            let target = int(requirement) * (int(1) + ppm(auction.buffer));
            let slack = ratio(1, 1_u64 << 31) + (units + int(4)) / (target - gain);
            prop_assert!(account.taken() <= part_of(whole) + slack);
        }
    }

    /// An early part at a lower discount, and the rest later, gain no more than all of it later.
    #[test]
    fn nobody_gains_by_taking_before_the_discount_rises(
        (equity, requirement) in below_the_line(), auction in auctions(), [one, other] in [rates(), rates()],
        part in 1..=1_u64 << 32,
    ) {
        let (early, late) = (one.min(other), one.max(other));
        let auction = LiquidationParameters { dust: 0, ..auction };
        let target = int(requirement) * (int(1) + ppm(auction.buffer));
        let gain = (int(requirement) * ppm(late)).min(int(equity));
        let at_once = (&target - int(equity)) / (&target - &gain) * &gain;
        let mut account = Real::new(equity, requirement);
        for (d, want) in [(early, Fraction::from_raw(part)), (late, Fraction::ONE)] {
            let (e, r) = account.measured();
            if e >= r || !e.is_positive() {
                break;
            }
            let f = fraction(e, r, d, &auction).expect("below the line").min(want);
            let paid = payment(f, e, r, d).expect("solvent").raw();
            account.take(f, &int(paid));
        }
        // Rounding f up to the next 2^-32 takes that much more.
        prop_assert!(account.gained <= at_once + gain * ratio(2, 1_u64 << 32) + int(6));
    }

    /// Payout and what is left to pay add up to what is due; the fund pays what it has, and no larger fraction.
    #[test]
    fn insolvent_payouts_are_conserved(
        equity in any_length(63), requirement in any_length(63), rate in rates(), part in 0..=1_u64 << 32,
        fund in any_length(64),
    ) {
        let (e, r) = (quote(-(equity as i64)), quote(requirement as i64));
        prop_assume!(e < r);
        let due = insolvent_due(e, r, rate).expect("insolvent");
        prop_assert_eq!(BigInt::from(due), BigInt::from(equity) + common::floor(&(int(requirement) * ppm(rate))));
        let f = Fraction::from_raw(part);
        let paid = insolvent_payout(f, e, r, rate).expect("insolvent");
        let rest_due = common::ceil(&(rest(&part_of(f)) * int(due)));
        prop_assert_eq!(BigInt::from(paid) + rest_due, due.into());

        let f = insolvent_fraction(e, r, rate, fund).expect("insolvent");
        let paid = insolvent_payout(f, e, r, rate).expect("insolvent");
        prop_assert!(paid <= fund, "the payout is never above what there is");
        prop_assert_eq!(shortfall(e, r, rate, fund), Ok(due - paid));
        if due <= fund {
            prop_assert_eq!((f, paid), (Fraction::ONE, due));
            return Ok(());
        }
        prop_assert!(part_of(f) * int(due) <= int(fund), "in full");
        let next = part_of(Fraction::from_raw(f.raw() + 1));
        prop_assert!(next * int(due) > int(fund), "the largest");
        // What is unspent pays for no 2^-32 more.
        prop_assert!(int(fund - paid) < int(1) + int(due) * ratio(1, 1_u64 << 32));
    }

    /// Parts of an insolvent account are paid together what one taking of them is paid, or up to two units for each
    /// less or one more, which the rounding of equity and requirement between them is worth. A reward that rises adds
    /// nothing.
    #[test]
    fn nobody_gains_by_splitting_an_insolvency(
        equity in any_length(60), requirement in any_length(60), rates in proptest::collection::vec(rates(), 6),
        parts in parts(),
    ) {
        let (equity, requirement) = (-(equity as i64), requirement.max(1) as i64);
        let mut rates = rates;
        rates.sort();
        let mut account = Real::new(equity, requirement);
        let mut last = Ppm::ZERO;
        let mut count = 0;
        for (f, rate) in parts.iter().zip(&rates) {
            let (e, r) = account.measured();
            if e >= r {
                break;
            }
            let paid = insolvent_payout(*f, e, r, *rate).expect("insolvent");
            account.take(*f, &-int(paid));
            last = *rate;
            count += 1;
        }
        let most = account.taken() * int(requirement) * ppm(last);
        prop_assert!(account.gained <= &most + int(2 * count), "{} of {most}", account.gained);
        if rates[0] == last {
            prop_assert!(account.gained >= most - int(2 * count));
        }
    }

    /// Any bits: an answer or an error, never a panic.
    #[test]
    fn liquidation_is_total(
        equity in any::<i64>(), requirement in any::<i64>(), ratios in any::<[u32; 4]>(), duration in any::<i64>(),
        elapsed in any::<i64>(), dust in any::<u64>(), part in any::<u64>(),
    ) {
        let parameters = LiquidationParameters {
            buffer: Ppm::from_raw(ratios[0]),
            discount_min: Ppm::from_raw(ratios[1]),
            discount_max: Ppm::from_raw(ratios[2]),
            duration: Seconds::from_raw(duration),
            dust,
        };
        let insolvency = InsolvencyParameters {
            reward_min: parameters.discount_min,
            reward_max: parameters.discount_max,
            duration: parameters.duration,
        };
        let _ = (parameters.validate(), insolvency.validate());
        let _ = discount(&parameters, Seconds::from_raw(elapsed));
        let _ = insolvent_reward(&insolvency, Seconds::from_raw(elapsed));
        let (e, r, f) = (quote(equity), quote(requirement), Fraction::from_raw(part));
        for rate in [ratios[3], ratios[3] % 500_001].map(Ppm::from_raw) {
            let _ = (fraction(e, r, rate, &parameters), payment(f, e, r, rate), reward(e, r, rate));
            let _ = (insolvent_due(e, r, rate), insolvent_payout(f, e, r, rate));
            let _ = (insolvent_fraction(e, r, rate, dust), shortfall(e, r, rate, dust));
        }
        let _ = pro_rata_signed(equity, f);
    }
}

/// An account balance by balance: what a liquidation really moves.
#[derive(Clone, Debug)]
struct Account {
    /// Per market: deposit, borrow, perpetual size. The haircut of the deposit and the weight of the borrow are 5 %.
    markets: Vec<(Underlying, u64, u64, i64)>,
    /// Quote balance and cash, each rounded alone.
    quote: i64,
    cash: i64,
}

impl Account {
    fn portfolio(&self) -> Portfolio {
        let underlyings: Vec<Underlying> = self
            .markets
            .iter()
            .map(|(market, deposit, borrow, size)| {
                let value = market.observation.spot.magnitude_ceil(Base::from_raw((deposit + borrow) as i64));
                let addon = value.expect("below 2^58").div_ceil(20);
                Underlying {
                    exposure: Base::from_raw(*deposit as i64 - *borrow as i64 + size),
                    has_liability: true,
                    addon_init: addon,
                    addon_maint: addon,
                    ..*market
                }
            })
            .collect();
        let mut portfolio = build(&underlyings);
        portfolio.quote = Quote::from_raw(self.quote + self.cash);
        portfolio
    }

    /// Moves `f` of every balance out, as the program does: the account is left with the rest and the payment.
    fn give(&self, f: Fraction, payment: i64) -> (Self, Self) {
        let signed = |amount: i64| pro_rata_signed(amount, f).expect("a fraction");
        let owed = |amount: u64| signed(-(amount as i64)).unsigned_abs();
        let held = |amount: u64| signed(amount as i64).unsigned_abs();
        let moved = Self {
            markets: self.markets.iter().map(|(m, d, b, s)| (*m, held(*d), owed(*b), signed(*s))).collect(),
            quote: signed(self.quote) - payment,
            cash: signed(self.cash),
        };
        let left = Self {
            markets: self
                .markets
                .iter()
                .zip(&moved.markets)
                .map(|((m, d, b, s), (_, dm, bm, sm))| (*m, d - dm, b - bm, s - sm))
                .collect(),
            quote: self.quote - moved.quote,
            cash: self.cash - moved.cash,
        };
        (left, moved)
    }

    fn margin(&self, params: &RiskParameters) -> Margin {
        margin(&self.portfolio(), &[], params).expect("below 2^58")
    }

    /// The same account with the quote that makes its equity `depth` millionths of its requirement, and its margin;
    /// `None` where nothing is required.
    fn sunk(mut self, depth: i64, params: &RiskParameters) -> Option<(Self, Margin)> {
        let bare = self.margin(params);
        let requirement = bare.requirement_maint.raw();
        if requirement <= 1 {
            return None;
        }
        let equity = (i128::from(requirement) * i128::from(depth) / 1_000_000) as i64;
        self.quote = equity - bare.equity_maint.raw();
        let margin = self.margin(params);
        assert_eq!(margin.equity_maint.raw(), equity);
        Some((self, margin))
    }

    /// What the bundle that rounding leaves with the account is worth at most: less than one native unit of the
    /// deposit, the borrow and the size of each market.
    fn bundle(&self) -> BigRational {
        let unit = |m: &Underlying| int(m.observation.spot.magnitude_ceil(Base::from_raw(1)).expect("small"));
        self.markets.iter().map(|(m, ..)| unit(m)).sum::<BigRational>() * int(3)
    }

    /// What valuing it rounds at most, quote native: a value, a shock, a confidence, two add-ons of each market, the
    /// group sums and the root.
    fn units(&self) -> BigRational {
        int(4 * self.markets.len() as i64 + 8)
    }
}

fn accounts() -> impl Strategy<Value = Account> {
    let market = (fresh_underlying(), any::<[bool; 3]>(), 0..4_u32).prop_map(|(u, signs, shift)| {
        let size = u.exposure.raw().unsigned_abs() >> 2;
        let market =
            Underlying { range: Ppm::from_raw(u.range.raw() / 2), range_maint: Ppm::from_raw(u.range.raw() / 2), ..u };
        let deposit = if signs[0] { size } else { 0 };
        let borrow = if signs[1] { size >> shift } else { 0 };
        (market, deposit, borrow, if signs[2] { (size >> 1) as i64 } else { -(size as i64) })
    });
    (proptest::collection::vec(market, 1..6), any::<u32>()).prop_map(|(markets, noise)| Account {
        markets,
        quote: 0,
        cash: i64::from(noise as i32),
    })
}

/// What a bundle can raise the requirement by, for each quote unit of its value: a range of 50 %, a confidence of 5 %
/// of the price tenfold, and add-ons of 5 %.
fn bundle_risk() -> BigRational {
    ratio(105, 100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// INV-6 on whole accounts: the account ends at its buffer, its ratio never worsens, and nothing is lost.
    #[test]
    fn liquidated_account_reaches_its_buffer(
        account in accounts(), params in parameters(), auction in auctions(), d in rates(), depth in 1..1_000_000_i64,
    ) {
        let Some((account, before)) = account.sunk(depth, &params) else { return Ok(()) };
        prop_assume!(before.equity_maint.is_positive());
        let (e, r) = (before.equity_maint, before.requirement_maint);
        let f = fraction(e, r, d, &auction).expect("below its line");
        let paid = payment(f, e, r, d).expect("solvent");
        let (left, moved) = account.give(f, paid.raw());
        let (after, taken) = (left.margin(&params), moved.margin(&params));
        // Conservation of what changes hands, up to rounding values down on each side.
        let sum = i128::from(after.equity_maint.raw()) + i128::from(taken.equity_maint.raw());
        prop_assert!(sum <= i128::from(e.raw()), "INV-4");
        prop_assert!(sum >= i128::from(e.raw()) - 2 * account.markets.len() as i128);

        let (bundle, units) = (account.bundle(), account.units());
        let (e, r) = (int(e.raw()), int(r.raw()));
        let (e_after, r_after) = (int(after.equity_maint.raw()), int(after.requirement_maint.raw()));
        let gain = int(reward(before.equity_maint, before.requirement_maint, d).expect("solvent").raw());
        // The equity is what the formula says and the bundle, the requirement too but for what the bundle requires.
        let formula = &e - part_of(f) * &gain;
        prop_assert!(e_after >= &formula - &units && e_after <= &formula + &bundle + &units);
        let slack = &bundle * bundle_risk() + &units;
        prop_assert!(r_after <= rest(&part_of(f)) * &r + &slack);
        let buffered = &r_after * (int(1) + ppm(auction.buffer));
        prop_assert!(&e_after + &slack * int(2) >= buffered, "the buffer: {after:?}");
        prop_assert!((&e_after + &slack) * &r >= &e * (&r_after - &slack), "the ratio: {before:?} {after:?}");
        if f == Fraction::ONE {
            prop_assert_eq!(after.requirement_maint, Quote::ZERO);
            prop_assert_eq!(after.equity_maint, paid);
        }
    }

    /// Parts by two takers in turn gain together no more than one taking of the same part of the account, up to the
    /// units of valuing it between two parts: no native unit's worth, as each is rounded against the taker.
    #[test]
    fn takers_gain_nothing_by_splitting_an_account(
        account in accounts(), params in parameters(), auction in auctions(), d in rates(), depth in 1..1_000_000_i64,
        parts in parts(),
    ) {
        let Some((account, before)) = account.sunk(depth, &params) else { return Ok(()) };
        let (mut left, mut now) = (account.clone(), before);
        let (mut gains, mut kept, mut count) = ([0_i64; 2], BigRational::one(), 0_i64);
        for want in parts.into_iter().chain([Fraction::ONE]) {
            let (e, r) = (now.equity_maint, now.requirement_maint);
            if e >= r || !e.is_positive() {
                break;
            }
            let f = fraction(e, r, d, &auction).expect("below its line").min(want);
            let paid = payment(f, e, r, d).expect("solvent");
            let (rest_of_it, moved) = left.give(f, paid.raw());
            gains[usize::from(count % 2 == 0)] += moved.margin(&params).equity_maint.raw();
            kept *= rest(&part_of(f));
            left = rest_of_it;
            now = left.margin(&params);
            count += 1;
        }
        prop_assume!(count > 0);
        let (e, r) = (before.equity_maint.raw(), before.requirement_maint.raw());
        let most = rest(&kept) * (int(r) * ppm(d)).min(int(e));
        let units = account.units() * int(count);
        let gained = int(gains[0]) + int(gains[1]);
        prop_assert!(gained <= &most + &units, "{gained} of {most} in {count} parts");
        prop_assert!(gained >= &most - &units - account.bundle() * int(count));
        // What they do not gain, the account has.
        prop_assert!(int(now.equity_maint.raw()) >= int(e) - &most - units);
    }

    /// An account that has nothing left: the fund pays what is due, the debt changes hands, and parts gain nothing.
    #[test]
    fn an_insolvent_account_is_taken_over_for_what_is_due(
        account in accounts(), params in parameters(), rate in rates(), depth in -3_000_000..=0_i64, parts in parts(),
        fund in 1..=2_000_000_i64,
    ) {
        let Some((account, before)) = account.sunk(depth, &params) else { return Ok(()) };
        let (e, r) = (before.equity_maint, before.requirement_maint);
        let due = insolvent_due(e, r, rate).expect("insolvent");
        let mut fund = (u128::from(due) * fund as u128 / 1_000_000) as u64;
        let (mut left, mut now, mut gained, mut kept) = (account.clone(), before, 0_i64, BigRational::one());
        let mut count = 0_i64;
        for want in parts {
            if now.equity_maint.is_positive() || now.equity_maint >= now.requirement_maint {
                break;
            }
            let (e, r) = (now.equity_maint, now.requirement_maint);
            let f = insolvent_fraction(e, r, rate, fund).expect("insolvent").min(want);
            let paid = insolvent_payout(f, e, r, rate).expect("insolvent");
            prop_assert!(paid <= fund);
            fund -= paid;
            // The taker is paid by the fund, not by the account.
            let (rest_of_it, moved) = left.give(f, 0);
            gained += moved.margin(&params).equity_maint.raw() + paid as i64;
            kept *= rest(&part_of(f));
            left = rest_of_it;
            now = left.margin(&params);
            count += 1;
        }
        let most = rest(&kept) * int(r.raw()) * ppm(rate);
        let units = account.units() * int(count);
        prop_assert!(int(gained) <= &most + &units, "{gained} of {most}");
        prop_assert!(int(gained) >= &most - &units - account.bundle() * int(count));
        prop_assert!(int(now.equity_maint.raw()) >= int(e.raw()) * &kept - units, "no part deepens the hole");
    }
}
