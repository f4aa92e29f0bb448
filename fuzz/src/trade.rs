//! Trades against the house: no split, no round trip and no direction gains anything.
use crate::{Length, Target, part, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::trade::{TradePricing, TradeQuote, quote_trade};
use plimsoll_risk::units::{Base, Ppm, Price};

#[derive(Arbitrary, Debug)]
pub struct Input {
    wild: bool,
    charges: [u32; 3],
    scale: Length,
    spot: Length,
    skew: Length,
    size: Length,
    split: u32,
}

fn check_quote(pricing: &TradePricing, spot: u64, size: i64, quote: &TradeQuote) {
    let (cost, fee) = (i128::from(quote.cost.raw()), i128::from(quote.fee.raw()));
    let magnitude = u128::from(size.unsigned_abs());
    let notional = i128::try_from((magnitude * u128::from(spot)).div_ceil(1 << 48)).expect("fits");
    let charge = |rate: Ppm| (notional * i128::from(rate.raw()) + 999_999) / 1_000_000;
    assert_eq!(fee, charge(pricing.taker_fee));
    let average = u128::from(quote.average_price.raw()) * magnitude;
    let total = cost.unsigned_abs() << 48;
    if size > 0 {
        // Rounded up: the average times the size is the cost, or less than one step above.
        assert!(cost <= 0 || average >= total && average - total < magnitude, "average of a buy");
    } else if cost < 0 {
        assert!(average <= total && total - average < magnitude, "average of a sale");
    } else {
        assert_eq!(average, 0);
    }
}

impl Target for Input {
    fn check(self) {
        let charge = |noise: u32| Ppm::from_raw(if self.wild { noise } else { short_between(noise, 0, 100_000) });
        let pricing = TradePricing {
            half_spread: charge(self.charges[0]),
            skew_premium: charge(self.charges[1]),
            skew_scale: self.scale.up_to(if self.wild { 64 } else { 48 }),
            taker_fee: charge(self.charges[2]),
        };
        let bits = if self.wild { 63 } else { 44 };
        let (spot, skew, size) =
            (self.spot.up_to(if self.wild { 64 } else { 58 }), self.skew.signed(bits), self.size.signed(bits));
        let quote = |skew: i64, size: i64| {
            quote_trade(&pricing, Price::from_raw(spot), Base::from_raw(skew), Base::from_raw(size))
        };
        let whole = match quote(skew, size) {
            Ok(whole) => whole,
            Err(Error::SizeZero) => return assert_eq!(size, 0),
            Err(Error::SkewScaleZero) => return assert_eq!(pricing.skew_scale, 0),
            Err(error) => return assert!(matches!(error, Error::MarginalPriceNotPositive | Error::Overflow)),
        };
        reached("a trade was quoted");
        check_quote(&pricing, spot, size, &whole);
        let after = skew + size;
        if let Ok(back) = quote(after, -size) {
            reached("a round trip was quoted");
            assert!(i128::from(whole.cost.raw()) + i128::from(back.cost.raw()) >= 0, "a round trip gains");
        }
        let first = (i128::from(size) * i128::from(part(self.split).raw()) / 1_000_000) as i64;
        if let (Ok(one), Ok(two)) = (quote(skew, first), quote(skew + first, size - first)) {
            reached("a trade was split");
            let sum = |of: fn(&TradeQuote) -> i64| i128::from(of(&one)) + i128::from(of(&two));
            assert!(sum(|quote| quote.cost.raw()) >= i128::from(whole.cost.raw()), "a split is cheaper");
            assert!(sum(|quote| quote.fee.raw()) >= i128::from(whole.fee.raw()), "a split pays less fee");
        }
    }
}
