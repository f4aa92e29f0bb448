//! Trades against the house: exact costs, and that no splitting and no round trip pays.
mod common;

use common::{any_length, int, ppm, q48, ratio};
use num_rational::BigRational;
use num_traits::Signed;
use plimsoll_risk::Error;
use plimsoll_risk::trade::{TradePricing, TradeQuote, quote_trade};
use plimsoll_risk::units::{Base, Ppm, Price, Quote};
use proptest::prelude::*;

const PRICING: TradePricing = TradePricing {
    half_spread: Ppm::from_raw(1_000),
    skew_premium: Ppm::from_raw(10_000),
    skew_scale: 1_000_000,
    taker_fee: Ppm::from_raw(500),
};

/// One quote unit per base unit.
const ONE: Price = Price::from_raw(1 << 48);

fn trade(skew: i64, size: i64) -> Result<TradeQuote, Error> {
    quote_trade(&PRICING, ONE, Base::from_raw(skew), Base::from_raw(size))
}

#[test]
fn buy_by_hand() {
    // From no skew to half the scale: 500,000 + spread 500 + premium 1 % * 500,000 / 4 = 1,250, fee 250.
    let bought = trade(0, 500_000).expect("fits");
    assert_eq!(bought.cost, Quote::from_raw(501_750));
    assert_eq!(bought.fee, Quote::from_raw(250));
    assert_eq!(bought.average_price, Price::from_raw(((501_750_u128 << 48).div_ceil(500_000)) as u64));
    // Back again: the premium comes back, the spread does not.
    let sold = trade(500_000, -500_000).expect("fits");
    assert_eq!(sold.cost, Quote::from_raw(-500_750));
    assert_eq!(sold.fee, Quote::from_raw(250));
    assert_eq!(sold.average_price, Price::from_raw(((500_750_u128 << 48) / 500_000) as u64));
}

#[test]
fn trade_that_reduces_the_skew_is_cheaper() {
    let with = trade(-500_000, 1_000).expect("fits").cost;
    let without = trade(0, 1_000).expect("fits").cost;
    let against = trade(500_000, 1_000).expect("fits").cost;
    assert!(with < without && without < against);
}

#[test]
fn dust_can_always_be_closed() {
    // A tenth of a quote unit: the spread's ceiling eats the proceeds, and the trade still goes through.
    let tenth = Price::from_raw((1 << 48) / 10);
    let sold = quote_trade(&PRICING, tenth, Base::from_raw(1), Base::from_raw(-1)).expect("fits");
    assert_eq!(sold.average_price, Price::ZERO);
    assert!(sold.cost.raw() <= 3, "{sold:?}");
}

#[test]
fn each_bad_input_has_its_error() {
    assert_eq!(trade(5, 0), Err(Error::SizeZero));
    assert_eq!(trade(i64::MAX, 1), Err(Error::Overflow));
    assert_eq!(trade(0, i64::MIN), Err(Error::MarginalPriceNotPositive));
    let flat = TradePricing { skew_premium: Ppm::ZERO, ..PRICING };
    let huge = quote_trade(&flat, Price::MAX, Base::ZERO, Base::MAX);
    assert_eq!(huge, Err(Error::Overflow));
    let no_scale = TradePricing { skew_scale: 0, ..PRICING };
    assert_eq!(quote_trade(&no_scale, ONE, Base::ZERO, Base::from_raw(1)), Err(Error::SkewScaleZero));
}

#[test]
fn marginal_price_stays_positive() {
    // The premium reaches 99.9 % at 99.9 times the scale; with the spread of 0.1 % that is the price itself.
    assert_eq!(trade(-99_900_000, 1), Err(Error::MarginalPriceNotPositive));
    assert_eq!(trade(99_899_000, 1_000), Err(Error::MarginalPriceNotPositive), "the far end counts");
    assert!(trade(-99_899_900, 1).expect("still positive").cost > Quote::ZERO);
}

#[test]
fn each_bad_pricing_has_its_error() {
    let above = Ppm::from_raw(100_001);
    let cases = [
        (TradePricing { half_spread: above, ..PRICING }, Error::HalfSpreadTooLarge),
        (TradePricing { skew_premium: above, ..PRICING }, Error::SkewPremiumTooLarge),
        (TradePricing { skew_scale: 0, ..PRICING }, Error::SkewScaleZero),
        (TradePricing { taker_fee: above, ..PRICING }, Error::TakerFeeTooLarge),
    ];
    assert_eq!(PRICING.validate(), Ok(()));
    for (pricing, error) in cases {
        assert_eq!(pricing.validate(), Err(error), "{pricing:?}");
    }
}

fn pricings() -> impl Strategy<Value = TradePricing> {
    (0..=100_000_u32, 0..=100_000_u32, 1..1_u64 << 40, 0..=100_000_u32).prop_map(|(spread, premium, scale, fee)| {
        let pricing = TradePricing {
            half_spread: Ppm::from_raw(spread),
            skew_premium: Ppm::from_raw(premium),
            skew_scale: scale,
            taker_fee: Ppm::from_raw(fee),
        };
        assert_eq!(pricing.validate(), Ok(()));
        pricing
    })
}

/// A signed number of any length.
fn signed(bits: u32) -> impl Strategy<Value = i64> {
    (any_length(bits), any::<bool>()).prop_map(|(value, minus)| if minus { -(value as i64) } else { value as i64 })
}

/// Whether premium and spread stay below the price at `skew`, in rationals.
fn quotable(pricing: &TradePricing, skew: i64) -> bool {
    let premium = ppm(pricing.skew_premium) * int(skew).abs() / int(pricing.skew_scale);
    // The engine rounds the premium up to a millionth.
    ((premium * int(1_000_000)).ceil() / int(1_000_000)) + ppm(pricing.half_spread) < int(1)
}

/// Walks the legs from `skew`: cost and fee together, and where it ends. `None` where a leg begins or ends at a skew
/// that cannot be quoted, which must be refused by name.
fn walk(pricing: &TradePricing, spot: Price, skew: i64, legs: &[i64]) -> Option<(i128, i128, i64)> {
    let mut at = skew;
    let (mut cost, mut fee) = (0_i128, 0_i128);
    for size in legs {
        let found = quote_trade(pricing, spot, Base::from_raw(at), Base::from_raw(*size));
        if !(quotable(pricing, at) && quotable(pricing, at + size)) {
            assert_eq!(found, Err(Error::MarginalPriceNotPositive), "{at} {size}");
            return None;
        }
        let leg = found.expect("a walk between skews that can be quoted");
        cost += i128::from(leg.cost.raw());
        fee += i128::from(leg.fee.raw());
        at += size;
    }
    Some((cost, fee, at))
}

/// A pricing, a skew within twice its scale, and sizes of which each is within twice its scale or tiny: a walk over
/// all of them may leave what can be quoted.
fn markets(legs: usize) -> impl Strategy<Value = (TradePricing, Price, i64, Vec<i64>)> {
    pricings().prop_flat_map(move |pricing| {
        let limit = 2 * pricing.skew_scale as i64;
        let sizes = proptest::collection::vec(prop_oneof![-limit..=limit, -3..=3_i64], 1..=legs);
        (Just(pricing), 1_u64 << 20..1 << 62, -limit..=limit, sizes).prop_map(|(pricing, spot, skew, sizes)| {
            (pricing, Price::from_raw(spot), skew, sizes.into_iter().map(|x| if x == 0 { 1 } else { x }).collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The cost is the integral, rounded against the trader by less than five units; the fee by less than two.
    #[test]
    fn cost_is_the_integral((pricing, spot, skew, sizes) in markets(1)) {
        let size = sizes[0];
        let found = quote_trade(&pricing, spot, Base::from_raw(skew), Base::from_raw(size)).expect("fits");
        let price = q48(spot.raw());
        let notional = int(size) * &price;
        let phi = |skew: i64| {
            ppm(pricing.skew_premium) * &price * int(skew) * int(skew) / (int(2) * int(pricing.skew_scale))
        };
        let exact = &notional + notional.abs() * ppm(pricing.half_spread) + phi(skew + size) - phi(skew);
        let cost = int(found.cost.raw());
        prop_assert!(cost >= exact, "{found:?} below {}", common::float(&exact));
        prop_assert!(cost < &exact + int(5), "{found:?} far above {}", common::float(&exact));
        let fee = notional.abs() * ppm(pricing.taker_fee);
        prop_assert!(int(found.fee.raw()) >= fee && int(found.fee.raw()) < fee + int(2));
        let average = int(found.cost.raw()) / int(size);
        let shown = q48(found.average_price.raw());
        if size > 0 {
            prop_assert!(shown >= average && shown < average + q48(1));
        } else if average.is_positive() {
            prop_assert!(shown <= average && shown > average - q48(1));
        } else {
            prop_assert_eq!(found.average_price, Price::ZERO);
        }
    }

    /// An order in parts never costs less than the order whole, whatever the parts, also parts that go back and forth.
    #[test]
    fn splitting_never_pays((pricing, spot, skew, sizes) in markets(6)) {
        let whole: i64 = sizes.iter().sum();
        prop_assume!(whole != 0);
        let Some((cost, fee, _)) = walk(&pricing, spot, skew, &sizes) else { return Ok(()) };
        let one = quote_trade(&pricing, spot, Base::from_raw(skew), Base::from_raw(whole)).expect("fits");
        prop_assert!(cost >= i128::from(one.cost.raw()));
        prop_assert!(fee >= i128::from(one.fee.raw()));
    }

    /// No walk that comes back to where it began earns anything.
    #[test]
    fn round_trip_never_earns((pricing, spot, skew, sizes) in markets(5)) {
        let back: i64 = -sizes.iter().sum::<i64>();
        let legs: Vec<i64> = sizes.into_iter().chain([back]).filter(|size| *size != 0).collect();
        let Some((cost, _, end)) = walk(&pricing, spot, skew, &legs) else { return Ok(()) };
        prop_assert_eq!(end, skew);
        prop_assert!(cost >= 0);
    }

    /// The deeper into the skew, the dearer.
    #[test]
    fn premium_rises_with_the_skew((pricing, spot, skew, sizes) in markets(1), more in any_length(40)) {
        let size = Base::from_raw(sizes[0]);
        let here = quote_trade(&pricing, spot, Base::from_raw(skew), size).expect("fits").cost.raw();
        let there = skew.saturating_add(more as i64).min(2 * pricing.skew_scale as i64).max(skew);
        let there = quote_trade(&pricing, spot, Base::from_raw(there), size).expect("fits").cost.raw();
        if sizes[0] > 0 {
            prop_assert!(there >= here - 4, "up to the rounding of two walks");
        } else {
            prop_assert!(there <= here + 4, "a seller gets more where buyers crowd");
        }
    }

    /// Any bits: an answer, never a panic.
    #[test]
    fn quote_is_total(
        ratios in any::<[u32; 3]>(), scale in any::<u64>(), spot in any::<u64>(), skew in signed(63),
        size in any::<i64>(),
    ) {
        let pricing = TradePricing {
            half_spread: Ppm::from_raw(ratios[0]),
            skew_premium: Ppm::from_raw(ratios[1]),
            skew_scale: scale,
            taker_fee: Ppm::from_raw(ratios[2]),
        };
        let _ = pricing.validate();
        let _ = quote_trade(&pricing, Price::from_raw(spot), Base::from_raw(skew), Base::from_raw(size));
        let sane = TradePricing { skew_scale: scale, ..PRICING };
        let _ = quote_trade(&sane, Price::from_raw(spot >> 16), Base::from_raw(skew >> 20), Base::from_raw(size >> 20));
    }
}

/// Marginal price at both ends of the walk, to see that the sign of a cost is the sign of its size.
#[test]
fn sign_of_the_cost() {
    let fair = |cost: Quote, size: i64| ratio(cost.raw(), size);
    let cheapest: BigRational = fair(trade(-99_000_000, 1_000).expect("fits").cost, 1_000);
    assert!(cheapest.is_positive() && cheapest < ratio(1, 50), "about 1 % of spot is left");
    let dearest = fair(trade(98_999_000, 1_000).expect("fits").cost, 1_000);
    assert!(dearest > ratio(198, 100), "about twice spot");
}
