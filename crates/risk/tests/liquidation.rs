//! Liquidation: the fraction against exact numbers, and whole accounts before and after (INV-6).
mod common;

use common::{any_length, build, fresh_underlying, int, parameters, ppm, ratio};
use num_bigint::BigInt;
use num_rational::BigRational;
use plimsoll_risk::Error;
use plimsoll_risk::liquidation::{
    LiquidationParameters, MAX_DISCOUNT, discount, fraction, payment, pro_rata_ceil, pro_rata_floor, pro_rata_signed,
};
use plimsoll_risk::portfolio::{Margin, Portfolio, RiskParameters, Underlying, margin};
use plimsoll_risk::units::{Base, Fraction, Ppm, Quote, Seconds};
use proptest::prelude::*;

const PARAMETERS: LiquidationParameters = LiquidationParameters {
    buffer: Ppm::from_raw(50_000),
    discount_min: Ppm::from_raw(5_000),
    discount_max: Ppm::from_raw(105_000),
    duration: Seconds::from_raw(600),
    dust: 1_000,
};

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

fn quote(raw: i64) -> Quote {
    Quote::from_raw(raw)
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
fn fraction_by_hand() {
    // E = 900, R = 1,000, b = 5 %, d = 10 %: f = (1,050 - 900) / (1,050 - 90) = 0.15625, exactly.
    let none = LiquidationParameters { dust: 0, ..PARAMETERS };
    let f = fraction(quote(900), quote(1_000), Ppm::from_raw(100_000), &none).expect("below the line");
    assert_eq!(f, Fraction::from_raw((Fraction::ONE.raw() / 32) * 5));
    // It pays 0.15625 * 900 * 0.9 = 126.5625, up. What is left: E' = 885.9, R' = 843.75, 5 % apart.
    assert_eq!(payment(f, quote(900), Ppm::from_raw(100_000)), Ok(quote(127)));
}

#[test]
fn dust_is_taken_whole() {
    assert_eq!(fraction(quote(999), quote(1_000_000), Ppm::ZERO, &PARAMETERS), Ok(Fraction::ONE));
    let f = fraction(quote(1_000), quote(1_000_000), Ppm::ZERO, &PARAMETERS).expect("below the line");
    assert!(f < Fraction::ONE);
}

#[test]
fn each_bad_input_has_its_error() {
    let take = |equity, requirement| fraction(quote(equity), quote(requirement), Ppm::ZERO, &PARAMETERS);
    assert_eq!(take(0, 1), Err(Error::AccountInsolvent));
    assert_eq!(take(i64::MIN, 1), Err(Error::AccountInsolvent));
    assert_eq!(take(5_000, 5_000), Err(Error::NotLiquidatable));
    assert_eq!(take(5_000, -1), Err(Error::NotLiquidatable));
    let deep = Ppm::from_raw(MAX_DISCOUNT.raw() + 1);
    assert_eq!(fraction(quote(1), quote(2), deep, &PARAMETERS), Err(Error::DiscountInvalid));
    assert_eq!(payment(Fraction::ONE, quote(1), deep), Err(Error::DiscountInvalid));
    assert_eq!(payment(Fraction::ONE, quote(0), Ppm::ZERO), Err(Error::AccountInsolvent));
    let more = Fraction::from_raw(Fraction::ONE.raw() + 1);
    assert_eq!(payment(more, quote(1), Ppm::ZERO), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_floor(0, more), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_ceil(0, more), Err(Error::FractionInvalid));
    assert_eq!(pro_rata_signed(0, more), Err(Error::FractionInvalid));
    let wide = LiquidationParameters { buffer: Ppm::MAX, ..PARAMETERS };
    assert_eq!(fraction(quote(i64::MAX - 1), Quote::MAX, Ppm::ZERO, &wide), Err(Error::Overflow));
}

#[test]
fn each_bad_parameter_has_its_error() {
    let cases = [
        (LiquidationParameters { buffer: Ppm::from_raw(1_000_001), ..PARAMETERS }, Error::BufferInvalid),
        (LiquidationParameters { discount_min: Ppm::from_raw(105_001), ..PARAMETERS }, Error::DiscountInvalid),
        (LiquidationParameters { discount_max: Ppm::from_raw(500_001), ..PARAMETERS }, Error::DiscountInvalid),
        (LiquidationParameters { duration: Seconds::from_raw(-1), ..PARAMETERS }, Error::DurationInvalid),
        (LiquidationParameters { duration: Seconds::from_raw(86_401), ..PARAMETERS }, Error::DurationInvalid),
    ];
    assert_eq!(PARAMETERS.validate(), Ok(()));
    for (parameters, error) in cases {
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
    assert_eq!(pro_rata_signed(-3, half), Ok(-1));
    assert_eq!(pro_rata_ceil(3, half), Ok(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn discount_is_the_line_rounded_down(auction in auctions(), elapsed in -10..90_000_i64) {
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
    }

    #[test]
    fn pro_rata_is_exact(amount in any_length(64), part in 0..=1_u64 << 32) {
        let exact = int(amount) * ratio(part, 1_u64 << 32);
        let f = Fraction::from_raw(part);
        prop_assert_eq!(pro_rata_floor(amount, f).map(BigInt::from), Ok(common::floor(&exact)));
        prop_assert_eq!(pro_rata_ceil(amount, f).map(BigInt::from), Ok(common::ceil(&exact)));
        let moved = pro_rata_signed(-((amount >> 1) as i64), f).expect("a fraction");
        prop_assert_eq!(moved, -(pro_rata_floor(amount >> 1, f).expect("a fraction") as i64));
    }

    /// The fraction is the closed form rounded up, and not by more than 2^-32 and the two roundings inside.
    #[test]
    fn fraction_is_the_closed_form(
        equity in any_length(60), more in any_length(60), auction in auctions(), elapsed in 0..90_000_i64,
    ) {
        let equity = equity.max(1);
        let requirement = equity + more.max(1);
        let d = discount(&auction, Seconds::from_raw(elapsed));
        let f = fraction(quote(equity as i64), quote(requirement as i64), d, &auction).expect("below the line");
        prop_assert!(f > Fraction::ZERO && f <= Fraction::ONE);
        if equity < auction.dust {
            prop_assert_eq!(f, Fraction::ONE);
            return Ok(());
        }
        let target = int(requirement) * (int(1) + ppm(auction.buffer));
        let exact = (&target - int(equity)) / (&target - int(equity) * ppm(d));
        let found = ratio(f.raw(), Fraction::ONE.raw());
        prop_assert!(found >= exact);
        // Each rounding inside moves the quotient by less than 1 / (T - dE).
        let slack = ratio(1, 1_u64 << 32) + int(2) / (&target - int(equity) * ppm(d));
        prop_assert!(found < &exact + slack);
        // So the account ends at its buffer, in real numbers: E (1 - f d) >= (1 + b) (1 - f) R.
        let after = int(equity) * (int(1) - &found * ppm(d));
        prop_assert!(after >= (int(1) - &found) * target);
        let paid = payment(f, quote(equity as i64), d).expect("solvent");
        let due = &found * int(equity) * (int(1) - ppm(d));
        prop_assert!(int(paid.raw()) >= due && int(paid.raw()) < due + int(2));
    }

    /// Any bits: an answer, never a panic.
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
        let _ = parameters.validate();
        let _ = discount(&parameters, Seconds::from_raw(elapsed));
        let _ = fraction(quote(equity), quote(requirement), Ppm::from_raw(ratios[3] % 500_001), &parameters);
        let _ = payment(Fraction::from_raw(part), quote(equity), Ppm::from_raw(ratios[3]));
        let _ = pro_rata_signed(equity, Fraction::from_raw(part));
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

    /// Moves `f` of every balance out; the account is left with the rest and the payment.
    fn give(&self, f: Fraction, payment: Quote) -> (Self, Self) {
        let part = |amount: u64| pro_rata_floor(amount, f).expect("a fraction");
        let signed = |amount: i64| pro_rata_signed(amount, f).expect("a fraction");
        let moved = Self {
            markets: self.markets.iter().map(|(m, d, b, s)| (*m, part(*d), part(*b), signed(*s))).collect(),
            quote: signed(self.quote) - payment.raw(),
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

    /// How much one native unit of every balance is worth at most: what rounding the moves may cost.
    fn unit_value(&self) -> BigRational {
        let unit = |m: &Underlying| int(m.observation.spot.magnitude_ceil(Base::from_raw(1)).expect("small"));
        self.markets.iter().map(|(m, ..)| unit(m)).sum::<BigRational>()
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// INV-6 on whole accounts: the account ends at its buffer, its ratio never worsens, and nothing is lost.
    #[test]
    fn liquidated_account_reaches_its_buffer(
        account in accounts(), params in parameters(), auction in auctions(), elapsed in 0..90_000_i64,
        depth in 1..1_000_000_u64,
    ) {
        // Give it the quote that leaves it somewhere between insolvent and its line.
        let mut account = account;
        let bare = account.margin(&params);
        let requirement = bare.requirement_maint.raw();
        prop_assume!(requirement > 1);
        let equity = (i128::from(requirement) * i128::from(depth) / 1_000_000).max(1) as i64;
        account.quote = equity - bare.equity_maint.raw();
        let before = account.margin(&params);
        prop_assert_eq!(before.equity_maint.raw(), equity);

        let d = discount(&auction, Seconds::from_raw(elapsed));
        let f = fraction(before.equity_maint, before.requirement_maint, d, &auction).expect("below its line");
        let paid = payment(f, before.equity_maint, d).expect("solvent");
        let (left, moved) = account.give(f, paid);
        let (after, taken) = (left.margin(&params), moved.margin(&params));

        // Conservation of what changes hands, up to rounding values down on each side.
        let sum = i128::from(after.equity_maint.raw()) + i128::from(taken.equity_maint.raw());
        prop_assert!(sum <= i128::from(equity), "INV-4");
        prop_assert!(sum >= i128::from(equity) - 2 * account.markets.len() as i128);

        // Each balance is moved to within one native unit, and each formula rounds a few quote units per market.
        let count = account.markets.len() as i64;
        let slack = account.unit_value() * int(12) + int(12 * count + 4);
        let (e, r) = (int(equity), int(requirement));
        let (e_after, r_after) = (int(after.equity_maint.raw()), int(after.requirement_maint.raw()));
        prop_assert!(&e_after + &slack >= &r_after * (int(1) + ppm(auction.buffer)), "the buffer: {after:?}");
        prop_assert!((&e_after + &slack) * &r >= &e * (&r_after - &slack), "the ratio: {before:?} {after:?}");
        if f == Fraction::ONE {
            prop_assert_eq!(after.requirement_maint, Quote::ZERO);
            prop_assert_eq!(after.equity_maint, paid);
        }
    }
}
