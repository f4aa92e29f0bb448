//! Trades of options against the house: exact costs, and that no splitting and no round trip pays; what settled options
//! pay; the standalone loss of an inventory with options.
mod common;

use common::{any_length, int, ppm, q48, ratio};
use num_rational::BigRational;
use plimsoll_risk::Error;
use plimsoll_risk::black::{Greeks, OptionKind};
use plimsoll_risk::fill::{FillQuote, Side};
use plimsoll_risk::options::{
    ArrayTerms, MAX_LOTS, NetVega, OptionPricing, OptionRisk, OptionTrade, RiskArray, SCENARIOS, VALUES, VegaWalk,
    half_spread, payoff, quote_option, quote_option_fill, units_of,
};
use plimsoll_risk::portfolio::{
    MAX_VALUE, Portfolio, RiskParameters, Underlying, margin, standalone_loss, standalone_loss_with_options,
};
use plimsoll_risk::price::Observation;
use plimsoll_risk::trade::TradeQuote;
use plimsoll_risk::units::{Base, Fraction, Lots, Ppm, Price, Quote};
use proptest::prelude::*;

/// Two points of spread, five points of premium at a vega of 1,000,000 units, 0.1 % on the delta, 0.03 % fee.
const PRICING: OptionPricing = OptionPricing {
    half_spread_volatility: Ppm::from_raw(20_000),
    skew_volatility: Ppm::from_raw(50_000),
    vega_scale: 1_000_000,
    half_spread: Ppm::from_raw(1_000),
    fee: Ppm::from_raw(300),
};

/// A hundred units of quote for a base unit.
const SPOT: Price = Price::from_raw(100 << 48);

/// An option worth 5 with half a delta; a lot is ten base units.
fn trade(lots: i64, walk: VegaWalk) -> OptionTrade {
    let greeks = Greeks { price: Price::from_raw(5 << 48), delta: 1 << 31, ..Greeks::default() };
    OptionTrade { greeks, spot: SPOT, lot: 10, lots: Lots::from_raw(lots), walk }
}

fn walk(before: i64, after: i64) -> VegaWalk {
    VegaWalk { before: Quote::from_raw(before), after: Quote::from_raw(after), moved: before.abs_diff(after) }
}

/// 1,000 lots of ten at 5: 50,000. Vega from nothing to 200,000: 2 % of it, 4,000; 5 % of 200,000^2 / 2,000,000, 1,000.
/// Delta 5,000 at 100, 0.1 % of 500,000, 500. Fee 0.03 % of 1,000,000, 300, as an eighth of 50,000 is more.
#[test]
fn a_purchase_by_hand() {
    let bought = quote_option(&PRICING, &trade(1_000, walk(0, 200_000))).unwrap();
    assert_eq!((bought.cost.raw(), bought.fee.raw()), (55_500, 300));
    assert_eq!(bought.average_price.raw(), ((55_500_u128 << 48).div_ceil(10_000)) as u64);
    // And back: the premium comes back, up to the mid price; both spreads do not.
    let sold = quote_option(&PRICING, &trade(-1_000, walk(200_000, 0))).unwrap();
    assert_eq!((sold.cost.raw(), sold.fee.raw()), (-(50_000 - 4_500 + 1_000), 300));
    assert_eq!(sold.average_price.raw(), ((46_500_u128 << 48) / 10_000) as u64);
}

#[test]
fn the_fee_is_an_eighth_of_a_small_premium() {
    let dear = OptionPricing { fee: Ppm::from_raw(50_000), ..PRICING };
    // 5 % of 100 is 5 a unit, an eighth of the premium 5 / 8.
    assert_eq!(quote_option(&dear, &trade(1, walk(0, 0))).unwrap().fee.raw(), 7);
    // 0.625 % of spot is exactly an eighth.
    let even = OptionPricing { fee: Ppm::from_raw(6_250), ..PRICING };
    assert_eq!(quote_option(&even, &trade(8, walk(0, 0))).unwrap().fee.raw(), 50);
}

/// 10,000 units at an agreed 4.5: 45,000, an eighth of which is more than 0.03 % of a notional of 1,000,000.
#[test]
fn a_fill_at_an_agreed_premium_by_hand() {
    let fill = |pricing, price, units, taker| quote_option_fill(pricing, Price::from_raw(price), SPOT, units, taker);
    let agreed = 9 << 47;
    for side in [Side::Buyer, Side::Seller] {
        assert_eq!(fill(&PRICING, agreed, 10_000, side), Ok(FillQuote { cost: 45_000, fee: 300 }));
    }
    // A seventh of a unit: rounded against the taker, and the fee is an eighth of it, rounded up.
    let seventh = (1 << 48) / 7;
    assert_eq!(fill(&PRICING, seventh, 10, Side::Buyer), Ok(FillQuote { cost: 2, fee: 1 }));
    assert_eq!(fill(&PRICING, seventh, 10, Side::Seller), Ok(FillQuote { cost: 1, fee: 1 }));
    let dear = OptionPricing { fee: Ppm::from_raw(50_000), ..PRICING };
    assert_eq!(fill(&dear, 5 << 48, 80, Side::Seller), Ok(FillQuote { cost: 400, fee: 50 }));
    assert_eq!(fill(&PRICING, 0, 10, Side::Buyer), Ok(FillQuote { cost: 0, fee: 0 }));
    assert_eq!(fill(&PRICING, agreed, 0, Side::Buyer), Err(Error::SizeZero));
    assert_eq!(fill(&PRICING, u64::MAX, u64::MAX, Side::Buyer), Err(Error::Overflow));
}

/// 2 % of a vega of 12.5 and 0.1 % of half a delta at 100.
#[test]
fn the_houses_spreads_on_one_unit_by_hand() {
    let greeks = Greeks { vega: Price::from_raw(25 << 47), delta: -(1 << 31), ..Greeks::default() };
    let expected = (1u64 << 48) / 4 + (1u64 << 48) / 20;
    let spread = half_spread(&PRICING, &greeks, SPOT).unwrap();
    assert!(spread <= expected && expected - spread <= 2, "{spread} of {expected}");
    let none = OptionPricing { half_spread_volatility: Ppm::ZERO, half_spread: Ppm::ZERO, ..PRICING };
    assert_eq!(half_spread(&none, &greeks, SPOT), Ok(0));
}

#[test]
fn neither_side_deals_beyond_the_mid_price() {
    // A purchase where the traders are far short of vega, a sale where they are far long: rebates of 40,000 and more.
    let bought = quote_option(&PRICING, &trade(1_000, walk(-5_000_000, -4_800_000))).unwrap();
    assert_eq!(bought.cost.raw(), 50_000);
    let sold = quote_option(&PRICING, &trade(-1_000, walk(5_000_000, 4_800_000))).unwrap();
    assert_eq!(sold.cost.raw(), -50_000);
}

#[test]
fn nothing_is_free_and_nothing_costs_the_seller() {
    let worthless = |lots, walk| OptionTrade { greeks: Greeks::default(), ..trade(lots, walk) };
    assert_eq!(quote_option(&PRICING, &worthless(7, walk(0, 0))).unwrap().cost.raw(), 7);
    let given = quote_option(&PRICING, &worthless(-7, walk(0, 0))).unwrap();
    assert_eq!((given.cost.raw(), given.fee.raw(), given.average_price), (0, 0, Price::ZERO));
    assert_eq!(quote_option(&PRICING, &worthless(-7, walk(-100, -200))).unwrap().cost.raw(), 0);
}

/// A unit of vega costs 2 % and 5 % of what the traders are short already, over 1,000,000. 1,000 lots at 50,000 have
/// 200,000 of vega and 500 of hedge: the price is 50,000 - 4,500 - 0.05 x / 1,000,000 * 200,000, zero at x = -4,550,000.
#[test]
fn a_sale_across_the_zero_is_refused() {
    let sale = |before, after| quote_option(&PRICING, &trade(-1_000, walk(before, after)));
    // The premium is 44,500.
    assert_eq!(sale(-4_350_000, -4_550_000).unwrap().cost.raw(), -999);
    assert_eq!(sale(-4_350_001, -4_550_001), Err(Error::MarginalPriceNotPositive));
    assert_eq!(sale(-4_549_000, -4_749_000), Err(Error::MarginalPriceNotPositive));
    assert_eq!(sale(-4_550_000, -4_750_000).unwrap().cost.raw(), 0);
}

#[test]
fn each_bad_input_has_its_error() {
    assert_eq!(quote_option(&PRICING, &trade(0, walk(0, 0))), Err(Error::SizeZero));
    let no_lot = OptionTrade { lot: 0, ..trade(1, walk(0, 0)) };
    assert_eq!(quote_option(&PRICING, &no_lot), Err(Error::SizeZero));
    let no_scale = OptionPricing { vega_scale: 0, ..PRICING };
    assert_eq!(quote_option(&no_scale, &trade(1, walk(0, 0))), Err(Error::SkewScaleZero));
    let huge = OptionTrade { lot: u64::MAX >> 1, ..trade(3, walk(0, 0)) };
    assert_eq!(quote_option(&PRICING, &huge), Err(Error::Overflow));
    assert_eq!(quote_option(&PRICING, &trade(1, walk(0, i64::MAX))), Err(Error::Overflow));
}

fn array(vega: u32) -> RiskArray {
    let mut array = RiskArray { values: [0; VALUES] };
    array.values[VALUES - 2] = vega;
    array
}

#[test]
fn the_walk_is_exact_and_rounded_down() {
    let terms = ArrayTerms { scale: 1, ..ArrayTerms::default() };
    let (low, high) = (array(7), array(11));
    let mut net = NetVega::default();
    net.add(&low, Lots::from_raw(3)).unwrap();
    net.add(&high, Lots::from_raw(-4)).unwrap();
    // 21 - 44 = -23 halves; two more of seven make -9 halves; they are 14 halves.
    let expected = VegaWalk { before: Quote::from_raw(-12), after: Quote::from_raw(-5), moved: 7 };
    assert_eq!(net.walk(&terms, &low, Lots::from_raw(2)), Ok(expected));
    let odd = net.walk(&terms, &low, Lots::from_raw(-1)).unwrap();
    assert_eq!((odd.before.raw(), odd.after.raw(), odd.moved), (-12, -15, 4));
    assert_eq!(net.add(&low, Lots::from_raw(MAX_LOTS as i64)), Err(Error::TooManyLots));
    assert_eq!(net.add(&low, Lots::from_raw(i64::MIN)), Err(Error::TooManyLots));
    assert_eq!(net.walk(&terms, &low, Lots::from_raw(-(MAX_LOTS as i64) - 1)), Err(Error::TooManyLots));
}

#[test]
fn what_a_settled_option_pays() {
    let dollars = |dollars: u64| Price::from_raw((dollars << 48) / 1_000);
    let pays =
        |kind, settlement, units| payoff(kind, dollars(150), dollars(settlement), Base::from_raw(units)).unwrap().raw();
    assert_eq!(pays(OptionKind::Call, 170, 1_000_000), 19_999);
    assert_eq!(pays(OptionKind::Call, 170, -1_000_000), -20_000);
    assert_eq!(pays(OptionKind::Call, 150, 1_000_000), 0);
    assert_eq!(pays(OptionKind::Call, 140, -1_000_000), 0);
    assert_eq!(pays(OptionKind::Put, 140, 1_000_000), 10_000);
    assert_eq!(pays(OptionKind::Put, 140, -1_000_000), -10_001);
    assert_eq!(pays(OptionKind::Put, 160, -1_000_000), 0);
    let huge = payoff(OptionKind::Call, Price::ZERO, Price::MAX, Base::MAX);
    assert_eq!(huge, Err(Error::Overflow));
    assert_eq!(units_of(Lots::from_raw(-3), 5), Ok(Base::from_raw(-15)));
    assert_eq!(units_of(Lots::from_raw(3), u64::MAX), Err(Error::Overflow));
}

#[test]
fn the_standalone_loss_has_its_errors() {
    let loss = |gain, damping| {
        standalone_loss_with_options(Base::ZERO, SPOT, Ppm::ONE, &[gain; SCENARIOS], 0, Ppm::from_raw(damping))
    };
    assert_eq!(loss(0, 333_334), Err(Error::ExtremeDampingInvalid));
    assert_eq!(loss(-(MAX_VALUE as i64) - 1, 0), Err(Error::Overflow));
    assert_eq!(loss(-(MAX_VALUE as i64), 0), Ok(MAX_VALUE));
    let range = Ppm::from_raw(1_000_001);
    let wide = standalone_loss_with_options(Base::ZERO, SPOT, range, &[0; SCENARIOS], 0, Ppm::ZERO);
    assert_eq!(wide, Err(Error::RangeTooLarge));
}

/// A board's state and trades in one direction, all of them lots of one series: price, delta, vega of a lot in 2^-scale.
#[derive(Clone, Debug)]
struct Case {
    pricing: OptionPricing,
    spot: Price,
    greeks: Greeks,
    lot: u64,
    terms: ArrayTerms,
    vega: u32,
    /// The traders' lots before.
    before: i64,
    /// Lots of each trade.
    trades: Vec<i64>,
}

impl Case {
    fn quote(&self, before: i64, lots: i64) -> Result<TradeQuote, Error> {
        let mut net = NetVega::default();
        net.add(&array(self.vega), Lots::from_raw(before)).unwrap();
        let walk = net.walk(&self.terms, &array(self.vega), Lots::from_raw(lots)).unwrap();
        let (greeks, spot, lot) = (self.greeks, self.spot, self.lot);
        quote_option(&self.pricing, &OptionTrade { greeks, spot, lot, lots: Lots::from_raw(lots), walk })
    }
}

fn cases(trades: usize) -> impl Strategy<Value = Case> {
    let pricing = (0..=500_000_u32, 0..=500_000_u32, 1..1_u64 << 44, 0..=50_000_u32, 0..=50_000_u32);
    let option = (1_u64 << 20..1 << 56, 0..=1_100_000_u64, -(1_i64 << 32)..=1 << 32, 1_u64..1 << 30);
    let vega = (0..=24_i32, any_length(32), -100_000_i64..=100_000);
    let sizes = (any::<bool>(), proptest::collection::vec(1..=30_000_i64, 1..=trades));
    (pricing, option, vega, sizes).prop_map(|(pricing, (spot, part, delta, lot), (scale, vega, before), sizes)| Case {
        pricing: OptionPricing {
            half_spread_volatility: Ppm::from_raw(pricing.0),
            skew_volatility: Ppm::from_raw(pricing.1),
            vega_scale: pricing.2,
            half_spread: Ppm::from_raw(pricing.3),
            fee: Ppm::from_raw(pricing.4),
        },
        spot: Price::from_raw(spot),
        greeks: Greeks {
            price: Price::from_raw((u128::from(spot) * u128::from(part) / 1_000_000) as u64),
            delta,
            ..Greeks::default()
        },
        lot,
        terms: ArrayTerms { scale, ..ArrayTerms::default() },
        vega: vega as u32,
        before,
        trades: sizes.1.iter().map(|lots| if sizes.0 { *lots } else { -lots }).collect(),
    })
}

/// `raw` of the engine's page, exactly.
fn exact(case: &Case, lots: i64) -> (BigRational, BigRational) {
    let pricing = &case.pricing;
    let units = int(lots.unsigned_abs()) * int(case.lot);
    let mid = &units * q48(case.greeks.price.raw());
    let vega = |lots: i64| int(lots) * int(case.vega) / int(1_u64 << case.terms.scale);
    let volatility = ppm(pricing.half_spread_volatility) * vega(lots.abs());
    let delta = ratio(case.greeks.delta.unsigned_abs(), 1_u64 << 32);
    let hedge = ppm(pricing.half_spread) * &units * delta * q48(case.spot.raw());
    let phi = |lots: i64| ppm(pricing.skew_volatility) * vega(lots) * vega(lots) / (int(2) * int(pricing.vega_scale));
    let charges = volatility + hedge + phi(case.before + lots) - phi(case.before);
    (if lots < 0 { charges - &mid } else { charges + &mid }, mid)
}

proptest! {
    #![proptest_config(cases!(1_500))]

    /// Whatever is agreed on, a fill in two parts serves its taker no better than the whole.
    #[test]
    fn splitting_a_fill_of_options_earns_its_taker_nothing(
        price in any_length(50), one in 1u64..1 << 40, other in 1u64..1 << 40, fee in 0u32..100_000,
    ) {
        let pricing = OptionPricing { fee: Ppm::from_raw(fee), ..PRICING };
        let quote = |units, side| quote_option_fill(&pricing, Price::from_raw(price), SPOT, units, side);
        let parts = |side| Some((quote(one, side).ok()?, quote(other, side).ok()?, quote(one + other, side).ok()?));
        if let Some((a, b, whole)) = parts(Side::Buyer) {
            prop_assert!(a.cost + b.cost >= whole.cost && a.fee + b.fee >= whole.fee);
        }
        if let Some((a, b, whole)) = parts(Side::Seller) {
            prop_assert!(a.cost + b.cost <= whole.cost && a.fee + b.fee >= whole.fee);
        }
    }

    /// The cost is the formula's, rounded against the trader by a few units, and by what a unit of vega is worth.
    #[test]
    fn cost_is_the_formula(case in cases(1)) {
        let lots = case.trades[0];
        let Ok(found) = case.quote(case.before, lots) else { return Ok(()) };
        let (raw, mid) = exact(&case, lots);
        let floor = if lots > 0 { mid.clone().max(int(lots)) } else { -mid.clone() };
        let zero = int(0);
        let expected = if lots > 0 { raw.max(floor) } else { raw.max(floor).min(zero.clone()) };
        let cost = int(found.cost.raw());
        // The walk's ends are whole units: the slope of phi there, twice.
        let ends = case.before.unsigned_abs().max((case.before + lots).unsigned_abs());
        let slope = ppm(case.pricing.skew_volatility) * (int(ends) * int(case.vega) / int(1_u64 << case.terms.scale) + int(1))
            / int(case.pricing.vega_scale);
        let slack = int(12) + int(2) * slope + ppm(case.pricing.half_spread) * int(case.lot) * int(lots.abs()) / int(1_u64 << 48);
        prop_assert!(cost.clone() + &slack > expected, "{} below {}", common::float(&cost), common::float(&expected));
        prop_assert!(cost < &expected + &slack, "{} above {}", common::float(&cost), common::float(&expected));
        let units = int(lots.unsigned_abs()) * int(case.lot);
        let fee = (&units * q48(case.spot.raw()) * ppm(case.pricing.fee)).min(mid / int(8));
        prop_assert!(int(found.fee.raw()) >= fee && int(found.fee.raw()) < fee + int(2));
    }

    /// An order in parts of its direction never costs less than the order whole, or brings more. Where a part is worth
    /// nothing, its rounding may be a few units.
    #[test]
    fn splitting_never_pays(case in cases(6)) {
        let whole: i64 = case.trades.iter().sum();
        let Ok(one) = case.quote(case.before, whole) else { return Ok(()) };
        let (mut at, mut cost, mut fee, mut zeros) = (case.before, 0_i128, 0_i128, 0);
        for lots in &case.trades {
            let leg = case.quote(at, *lots);
            prop_assume!(leg.is_ok());
            let leg = leg.unwrap();
            zeros += i128::from(*lots < 0 && leg.cost.is_zero());
            cost += i128::from(leg.cost.raw());
            fee += i128::from(leg.fee.raw());
            at += lots;
        }
        prop_assert!(cost + 4 * zeros >= i128::from(one.cost.raw()));
        prop_assert!(fee >= i128::from(one.fee.raw()));
    }

    /// Nobody who comes back to where he began has gained, whatever the others did to the skew in between.
    #[test]
    fn a_round_trip_never_gains(case in cases(5), skews in proptest::collection::vec(-100_000_i64..=100_000, 6)) {
        let back = -case.trades.iter().sum::<i64>();
        let mut cost = 0_i128;
        for (lots, skew) in case.trades.iter().chain([&back]).zip(&skews) {
            let Ok(leg) = case.quote(*skew, *lots) else { return Ok(()) };
            cost += i128::from(leg.cost.raw()) + i128::from(leg.fee.raw());
        }
        prop_assert!(cost >= 0, "{cost}");
    }

    /// Any bits: an answer, never a panic.
    #[test]
    fn quote_is_total(
        ratios in any::<[u32; 4]>(), words in any::<[u64; 3]>(), lots in any::<i64>(), delta in any::<i64>(),
        ends in any::<[i64; 2]>(), price in any::<u64>(),
    ) {
        let pricing = OptionPricing {
            half_spread_volatility: Ppm::from_raw(ratios[0]),
            skew_volatility: Ppm::from_raw(ratios[1]),
            vega_scale: words[0],
            half_spread: Ppm::from_raw(ratios[2]),
            fee: Ppm::from_raw(ratios[3]),
        };
        let greeks = Greeks { price: Price::from_raw(price), delta, ..Greeks::default() };
        let walk = VegaWalk { before: Quote::from_raw(ends[0]), after: Quote::from_raw(ends[1]), moved: words[1] };
        let trade =
            OptionTrade { greeks, spot: Price::from_raw(words[2]), lot: words[1] >> 40, lots: Lots::from_raw(lots), walk };
        let _ = quote_option(&pricing, &trade);
        let small = VegaWalk {
            before: Quote::from_raw(ends[0] >> 24), after: Quote::from_raw(ends[1] >> 24), moved: words[1] >> 24,
        };
        let _ = quote_option(&pricing, &OptionTrade { lots: Lots::from_raw(lots >> 40), walk: small, ..trade });
    }

    /// The house's loss is the `L_u` that an account of the same inventory would have.
    #[test]
    fn the_standalone_loss_is_an_accounts(
        exposure in -(1_i64 << 40)..1 << 40, range in 0..=800_000_u32, minimum in any_length(50),
        gains in proptest::array::uniform16(-(1_i64 << 50)..1 << 50), damping in 0..=333_333_u32,
    ) {
        let (spot, range) = (Price::from_raw(3 << 48), Ppm::from_raw(range));
        let mut portfolio = Portfolio::new();
        let observation = Observation { spot, ema: spot, ..Observation::default() };
        let exposure = Base::from_raw(exposure);
        portfolio
            .push(Underlying { exposure, observation, range, range_maint: range, ..Underlying::default() })
            .unwrap();
        let pnl = gains.map(Quote::from_raw);
        let options = [OptionRisk { pnl_init: pnl, pnl_maint: pnl, short_minimum: minimum, ..OptionRisk::NONE }];
        let damping = Ppm::from_raw(damping);
        let risk = RiskParameters { extreme_damping: damping, ..RiskParameters::STRICT };
        let account = margin(&portfolio, &options, &risk).unwrap().requirement_init.raw();
        let loss = standalone_loss_with_options(exposure, spot, range, &gains, minimum, damping).unwrap();
        prop_assert_eq!(account, loss as i64);
        let linear = standalone_loss_with_options(exposure, spot, range, &[0; SCENARIOS], 0, damping);
        prop_assert_eq!(linear, standalone_loss(exposure, spot, range));
    }
}

/// The discount of a board's terms plays no part in a vega.
#[test]
fn the_walk_knows_the_scale_alone() {
    let terms = ArrayTerms { scale: -3, discount: Fraction::ONE, ..ArrayTerms::default() };
    let walk = NetVega::default().walk(&terms, &array(5), Lots::from_raw(1)).unwrap();
    assert_eq!((walk.after.raw(), walk.moved), (40, 40));
}
