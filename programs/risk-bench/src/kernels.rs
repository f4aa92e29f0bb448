//! The functions that are measured, each as a kernel: how its input is made of operands, and the call itself.
//!
//! Operands are named in the order in which they stand in [`Operands`]; what a function takes as a smaller integer, or
//! as one with a unit, takes the low bits of the word.

use core::hint::black_box;
use core::mem::MaybeUninit;

use plimsoll_risk::black::{Greeks, OptionKind, Terms};
use plimsoll_risk::interest::{Accrual, RateModel, accrue};
use plimsoll_risk::liquidation::{LiquidationParameters, fraction, payment, pro_rata_signed};
use plimsoll_risk::options::{ArrayTerms, Board, BoardSum, Nodes, OptionRisk, Reading, Refresh, RiskArray};
use plimsoll_risk::portfolio::{GROUP_PAIRS, MAX_GROUPS, Margin, Portfolio, RiskParameters, Underlying, margin};
use plimsoll_risk::price::{Freshness, Observation};
use plimsoll_risk::pyth::{
    PRICE_UPDATE_V2_DISCRIMINATOR, PRICE_UPDATE_V2_WORDS, PythPrice, normalise, read_price_update_v2_words,
};
use plimsoll_risk::units::{Base, Fraction, Index, Lots, Ppm, Price, Quote, Seconds, Timestamp, Volatility};
use plimsoll_risk::volatility::{Estimate, Forecast, Used, VolatilityParameters};
use plimsoll_risk::{Error, black, functions, math, volatility};

use crate::record::{Operands, Outcome, Record, Words, fields};
#[cfg(target_os = "solana")]
use crate::runtime::{park, remaining};

/// One function to measure.
pub struct Kernel {
    pub name: &'static str,
    /// Runs it on a record's operands and writes result and units.
    pub(crate) run: fn(&mut Record),
}

/// What is between the two readings: reads an input, writes an output.
type Body = unsafe fn(input: *mut (), output: *mut ());

/// Runs `body` between two readings of the compute meter and returns their difference; zero on the host.
///
/// One function for all bodies, which it calls by a pointer that it knows nothing of: so what it adds is the same for
/// all, and nothing of a body can move out of the call.
///
/// # Safety
/// What the body wants of its pointers.
#[inline(never)]
unsafe fn measure(body: Body, input: *mut (), output: *mut ()) -> u64 {
    let before = remaining();
    // SAFETY: the caller's promise.
    unsafe { body(input, output) };
    before.wrapping_sub(remaining())
}

#[cfg(not(target_os = "solana"))]
fn remaining() -> u64 {
    0
}

/// A value that a kernel's input refers to.
#[cfg(not(target_os = "solana"))]
fn park<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The cheapest body: copies a word.
///
/// # Safety
/// Both pointers are to a word.
#[inline(never)]
unsafe fn copy(input: *mut (), output: *mut ()) {
    // SAFETY: the caller's promise.
    unsafe { output.cast::<u64>().write(input.cast::<u64>().read()) };
}

/// What [`measure`] adds to a body: its figure for [`copy`], less the two instructions of the copy.
fn overhead() -> u64 {
    let (mut input, mut output) = (0_u64, 0_u64);
    // SAFETY: both are words.
    let copied = unsafe { measure(black_box(copy), (&raw mut input).cast(), (&raw mut output).cast()) };
    black_box(output);
    copied.wrapping_sub(2)
}

/// Declares kernels: `name: |operands| -> Input { how the input is made } |input| -> Output { what is measured }`.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident: |$operands:pat_param| -> $input:ty $prepare:block
        |$pattern:pat_param| -> $output:ty $body:block)*) => {
        /// All kernels; a kernel's number is its place.
        pub const KERNELS: &[Kernel] = &[$(Kernel { name: stringify!($name), run: $name::run }),*];

        $(
            $(#[$doc])*
            mod $name {
                use super::*;

                #[inline(never)]
                fn prepare($operands: &Operands) -> $input $prepare

                #[inline(always)]
                fn kernel($pattern: &mut $input) -> $output $body

                /// # Safety
                /// The pointers are to an input and to room for an output.
                #[inline(never)]
                unsafe fn body(input: *mut (), output: *mut ()) {
                    // SAFETY: the caller's promise.
                    unsafe { output.cast::<$output>().write(kernel(&mut *input.cast::<$input>())) };
                }

                #[inline(never)]
                pub fn run(record: &mut Record) {
                    let mut input = prepare(&record.operands);
                    let mut output = MaybeUninit::<$output>::uninit();
                    // SAFETY: the types are the body's.
                    let units =
                        unsafe { measure(black_box(body), (&raw mut input).cast(), output.as_mut_ptr().cast()) };
                    // SAFETY: the body has written it.
                    record.result = Words::of(unsafe { output.assume_init_ref() });
                    record.units = if cfg!(target_os = "solana") { units.wrapping_sub(overhead()) } else { 0 };
                }
            }
        )*
    };
}

impl Outcome for Nodes {
    /// Its fields are its own; what strikes make of them is compared.
    fn put(&self, _: &mut Words) {}
}

fields! {
    Accrual: deposit_index, borrow_index, reserve_delta;
    Greeks: price, delta, gamma, vega, theta;
    RiskArray: values;
    OptionRisk: exposure, value, delta, pnl_init, pnl_maint, short_minimum, long_minimum;
    Estimate: variance, price, publish_time, pending_price, pending_time, variance_before, variance_confirmed, samples;
    Used: init, maint;
    Margin: equity_init, equity_maint, requirement_init, requirement_maint, blocked_by;
    Observation: spot, ema, confidence, publish_time;
    PythPrice: price, confidence, ema_price, ema_confidence, publish_time;
}

kernels! {
    /// Two words.
    mul_wide: |o| -> (u64, u64) { (o[0], o[1]) }
        |(a, b)| -> (u64, u64) { math::mul_wide(*a, *b) }
    /// Two words.
    mul_shift_floor: |o| -> (u64, u64) { (o[0], o[1]) }
        |(a, b)| -> Option<u64> { math::mul_shift_floor(*a, *b, 48) }
    /// Two words.
    mul_q48_floor: |o| -> (u64, u64) { (o[0], o[1]) }
        |(a, b)| -> Option<u64> { math::mul_q48_floor(*a, *b) }
    /// Value, ratio.
    mul_ppm_floor: |o| -> (u64, Ppm) { (o[0], ppm(o[1])) }
        |(value, ratio)| -> Option<u64> { math::mul_ppm_floor(*value, *ratio) }
    /// High word, low word, divisor.
    div_wide: |o| -> (u64, u64, u64) { (o[0], o[1], o[2]) }
        |(high, low, d)| -> Option<(u64, u64)> { math::div_wide(*high, *low, *d) }
    /// Two factors, divisor.
    mul_div_floor: |o| -> (u64, u64, u64) { (o[0], o[1], o[2]) }
        |(a, b, d)| -> Option<u64> { math::mul_div_floor(*a, *b, *d) }
    /// High word, low word.
    isqrt_ceil: |o| -> (u64, u64) { (o[0], o[1]) }
        |(high, low)| -> Option<u64> { math::isqrt_ceil_u128(u128::from(*high) << 64 | u128::from(*low)) }
    /// Q32.
    normal_distribution: |o| -> i64 { o[0].cast_signed() }
        |x| -> u64 { functions::normal_distribution(*x) }
    /// Q32.
    normal_density: |o| -> i64 { o[0].cast_signed() }
        |x| -> u64 { functions::normal_density(*x) }
    /// Q40.
    exp: |o| -> i64 { o[0].cast_signed() }
        |x| -> Result<u64, Error> { functions::exp(*x) }
    /// Q40, sign turned.
    exp_minus: |o| -> u64 { o[0] }
        |x| -> u64 { functions::exp_minus(*x) }
    /// Q32.
    ln: |o| -> u64 { o[0] }
        |x| -> Result<i64, Error> { functions::ln(*x) }
    /// Two words.
    ln_ratio: |o| -> (u64, u64) { (o[0], o[1]) }
        |(numerator, denominator)| -> Result<i64, Error> { functions::ln_ratio(*numerator, *denominator) }
    /// Q32.
    sqrt_floor: |o| -> u64 { o[0] }
        |x| -> u64 { functions::sqrt_floor(*x) }
    /// Spot, exposure.
    value_floor: |o| -> (Price, Base) { (Price::from_raw(o[0]), Base::from_raw(o[1].cast_signed())) }
        |(spot, exposure)| -> Option<Quote> { spot.value_floor(*exposure) }
    /// Price, confidence, exponent (negated), moving average, its confidence, time, feed id's words.
    read_price_update_v2: |o| -> ([u64; PRICE_UPDATE_V2_WORDS], [u8; 32]) { price_account(o) }
        |(words, feed)| -> Result<PythPrice, Error> { read_price_update_v2_words(words, feed) }
    /// Price, confidence, exponent (negated), moving average, decimals.
    normalise_price: |o| -> (PythPrice, u8) { (pyth_price(o), o[4] as u8) }
        |(price, decimals)| -> Result<Observation, Error> { normalise(price, *decimals) }
    /// Model (five ratios), deposit index, borrow index, deposit shares, borrow shares, seconds.
    accrue_interest: |o| -> (RateModel, [u64; 5]) { (rate_model(o), [o[5], o[6], o[7], o[8], o[9]]) }
        |(model, [deposit, borrow, deposits, borrows, seconds])| -> Result<Accrual, Error> {
            accrue(model, Index::from_raw(*deposit), Index::from_raw(*borrow), *deposits, *borrows, *seconds)
        }
    /// Equity, requirement, discount, buffer, dust.
    liquidation_fraction: |o| -> (Quote, Quote, Ppm, LiquidationParameters) {
            (quote(o[0]), quote(o[1]), ppm(o[2]), LiquidationParameters {
                buffer: ppm(o[3]),
                discount_min: Ppm::ZERO,
                discount_max: ppm(o[2]),
                duration: Seconds::from_raw(300),
                dust: o[4],
            })
        }
        |(equity, requirement, discount, parameters)| -> Result<Fraction, Error> {
            fraction(*equity, *requirement, *discount, parameters)
        }
    /// Fraction, equity, discount, requirement.
    liquidation_payment: |o| -> (Fraction, Quote, Quote, Ppm) {
            (Fraction::from_raw(o[0]), quote(o[1]), quote(o[3]), ppm(o[2]))
        }
        |(fraction, equity, requirement, discount)| -> Result<Quote, Error> {
            payment(*fraction, *equity, *requirement, *discount)
        }
    /// Amount, fraction.
    pro_rata: |o| -> (i64, Fraction) { (o[0].cast_signed(), Fraction::from_raw(o[1])) }
        |(amount, fraction)| -> Result<i64, Error> { pro_rata_signed(*amount, *fraction) }
    /// Forward, strike, volatility, time, discount factor, whether a put, price.
    price: |o| -> (Terms, OptionKind) { (terms(o), kind(o)) }
        |(terms, kind)| -> Result<Price, Error> { black::price(terms, *kind) }
    /// As `price`.
    greeks: |o| -> (Terms, OptionKind) { (terms(o), kind(o)) }
        |(terms, kind)| -> Result<Greeks, Error> { black::greeks(terms, *kind) }
    /// As `price`, of a price that the volatility gives.
    implied_volatility: |o| -> (Terms, OptionKind, Price) {
            (terms(o), kind(o), black::price(&terms(o), kind(o)).unwrap_or(Price::from_raw(o[6])))
        }
        |(terms, kind, price)| -> Result<Volatility, Error> { black::implied_volatility(terms, *kind, *price) }
    /// Range.
    array_nodes: |o| -> Ppm { ppm(o[7]) }
        |range| -> Result<Nodes, Error> { Nodes::new(*range) }
    /// Forward, strike, volatility, time, discount factor, whether a put, volatility shock up, range, lot, spot,
    /// volatility shock down.
    array_board: |o| -> (Board, Option<Nodes>) { (board(o), Nodes::new(ppm(o[7])).ok()) }
        |(board, nodes)| -> Result<(), Error> {
            match nodes {
                Some(nodes) => Refresh::new(board, nodes).map(|refresh| { core::hint::black_box(refresh); }),
                None => Err(Error::OptionRangeInvalid),
            }
        }
    /// As `array_board`.
    strike_arrays: |o| -> (Result<Refresh<'static>, Error>, Price, Volatility) {
            let nodes = Nodes::new(ppm(o[7]));
            let refresh = nodes.and_then(|nodes| Refresh::new(&board(o), park(nodes)));
            (refresh, Price::from_raw(o[1]), Volatility::from_raw(o[2] as u32))
        }
        |(refresh, strike, volatility)| -> Result<RiskArray, Error> {
            match refresh {
                Ok(refresh) => refresh.array(*strike, *volatility),
                Err(error) => Err(*error),
            }
        }
    /// As `array_board`, lots.
    option_margin: |o| -> (BoardSum, RiskArray, OptionKind, Price, Lots) {
            let (array, _) = strike_array(o);
            (BoardSum::new(), array, kind(o), Price::from_raw(o[1]), Lots::from_raw(o[11].cast_signed()))
        }
        |(sum, array, kind, strike, lots)| -> Result<(), Error> {
            sum.add(array, *kind, *strike, *lots)
        }
    /// As `option_margin`, range to read at towards init, towards maint, damping, minimum.
    board_margin: |o| -> (BoardSum, ArrayTerms, Reading, OptionRisk) { board_sum(o) }
        |(sum, terms, reading, risk)| -> Result<OptionRisk, Error> {
            sum.finish(terms, reading, risk).map(|()| *risk)
        }
    /// Seed.
    estimate_update: |o| -> (Estimate, VolatilityParameters, Price, Timestamp) { estimate(o) }
        |(estimate, parameters, price, time)| -> Result<(bool, Estimate), Error> {
            estimate.update(parameters, *price, *time).map(|changed| (changed, *estimate))
        }
    /// Seed.
    estimate_volatility: |o| -> Estimate { estimate(o).0 }
        |estimate| -> Volatility { estimate.volatility() }
    /// Volatility.
    volatility_range: |o| -> (Volatility, VolatilityParameters) {
            (Volatility::from_raw(o[0] as u32), VolatilityParameters::DEFAULT)
        }
        |(sigma, parameters)| -> Ppm { volatility::range(*sigma, parameters) }
    /// Estimate, forecast, what of it has ramped, seconds since the post, whether alive.
    volatility_used: |o| -> (Volatility, Forecast, VolatilityParameters, Timestamp) {
            let forecast = Forecast {
                volatility: o[1] as u32,
                ramped: o[2].min(o[1] & 0xFFFF_FFFF) << 32,
                posted_at: 1_750_000_000,
                expires_at: 1_750_000_000 + 43_200 * i64::from(o[4] != 0),
                ramp_left: 14_400 << 16,
                ..Forecast::default()
            };
            let now = Timestamp::from_raw(1_750_000_000 + (o[3] as u32 as i64));
            (Volatility::from_raw(o[0] as u32), forecast, VolatilityParameters::DEFAULT, now)
        }
        |(estimate, forecast, parameters, now)| -> Used { volatility::used(*estimate, forecast, parameters, *now) }
    /// Number of underlyings, of groups, of stale prices; seed of the rest.
    margin_linear: |o| -> (Portfolio, RiskParameters) { linear_portfolio(o) }
        |(portfolio, parameters)| -> Result<Margin, Error> { margin(portfolio, &[], parameters) }
    /// As `margin_linear`; number of underlyings with options up to 4, and 8 more where the gains towards maint are others.
    margin_options: |o| -> (Portfolio, RiskParameters, [OptionRisk; 4], usize) {
            let (portfolio, parameters) = linear_portfolio(o);
            (portfolio, parameters, option_risks(o), (o[4] & 7).min(4) as usize)
        }
        |(portfolio, parameters, options, count)| -> Result<Margin, Error> {
            margin(portfolio, options.get(..*count).unwrap_or_default(), parameters)
        }
}

fn terms(o: &Operands) -> Terms {
    Terms {
        forward: Price::from_raw(o[0]),
        strike: Price::from_raw(o[1]),
        volatility: Volatility::from_raw(o[2] as u32),
        time: Seconds::from_raw(o[3].cast_signed()),
        discount: Fraction::from_raw(o[4]),
    }
}

fn kind(o: &Operands) -> OptionKind {
    if o[5] & 1 == 0 { OptionKind::Call } else { OptionKind::Put }
}

fn board(o: &Operands) -> Board {
    Board {
        spot: Price::from_raw(o[9]),
        forward: Price::from_raw(o[0]),
        discount: Fraction::from_raw(o[4]),
        lot: o[8],
        time: Seconds::from_raw(o[3].cast_signed()),
        now: Timestamp::from_raw(1_750_000_000),
        range: ppm(o[7]),
        volatility_up: ppm(o[6]),
        volatility_down: ppm(o[10]),
    }
}

/// Zero where there are none.
#[inline(never)]
fn strike_array(o: &Operands) -> (RiskArray, ArrayTerms) {
    let Ok(nodes) = Nodes::new(ppm(o[7])) else {
        return Default::default();
    };
    let Ok(mut refresh) = Refresh::new(&board(o), &nodes) else {
        return Default::default();
    };
    let array = refresh.array(Price::from_raw(o[1]), Volatility::from_raw(o[2] as u32)).unwrap_or_default();
    (array, *refresh.terms())
}

#[inline(never)]
fn board_sum(o: &Operands) -> (BoardSum, ArrayTerms, Reading, OptionRisk) {
    let (array, terms) = strike_array(o);
    let mut sum = BoardSum::new();
    let added = sum.add(&array, kind(o), Price::from_raw(o[1]), Lots::from_raw(o[11].cast_signed()));
    // A position that is refused leaves the sum without it.
    core::hint::black_box(added.is_ok());
    let reading = Reading {
        spot: Price::from_raw(o[9].wrapping_add(o[9] >> 9)),
        now: Timestamp::from_raw(1_750_000_010),
        range: ppm(o[12]),
        range_maint: ppm(o[13]),
        extreme_damping: ppm(o[14]),
        short_minimum: ppm(o[15]),
    };
    (sum, terms, reading, OptionRisk::default())
}

/// A sample some time after another, small moves and jumps.
fn estimate(o: &Operands) -> (Estimate, VolatilityParameters, Price, Timestamp) {
    let mut random = Random(o[0]);
    let parameters = VolatilityParameters::DEFAULT;
    let (mut price, mut time) = (random.between(1 << 40, 1 << 46), 1_750_000_000);
    let mut estimate = Estimate::default();
    for _ in 0..3 {
        let updated = estimate.update(&parameters, Price::from_raw(price), Timestamp::from_raw(time));
        assert!(updated.is_ok());
        let part = if random.below(8) == 0 { price >> 3 } else { price >> 7 };
        price = price - part + random.below(part << 1);
        time += random.between(5, 4_000).cast_signed();
    }
    (estimate, parameters, Price::from_raw(price), Timestamp::from_raw(time))
}

fn option_risks(o: &Operands) -> [OptionRisk; 4] {
    let mut random = Random(o[3] ^ 1);
    let mut gain = || Quote::from_raw(random.below(1 << 40).cast_signed() - (1 << 39));
    let two_ranges = o[4] & 8 != 0;
    core::array::from_fn(|number| {
        let pnl_init = core::array::from_fn(|_| gain());
        OptionRisk {
            underlying: number as u8,
            exposure: Base::from_raw(gain().raw()),
            value: gain(),
            delta: Base::from_raw(gain().raw()),
            pnl_init,
            pnl_maint: if two_ranges { core::array::from_fn(|_| gain()) } else { pnl_init },
            short_minimum: gain().unsigned_abs() >> 6,
            long_minimum: gain().unsigned_abs() >> 6,
        }
    })
}

fn ppm(word: u64) -> Ppm {
    Ppm::from_raw(word as u32)
}

fn quote(word: u64) -> Quote {
    Quote::from_raw(word.cast_signed())
}

fn rate_model(o: &Operands) -> RateModel {
    RateModel {
        optimal_utilisation: ppm(o[0]),
        base_rate: ppm(o[1]),
        optimal_rate: ppm(o[2]),
        max_rate: ppm(o[3]),
        reserve_factor: ppm(o[4]),
    }
}

fn pyth_price(o: &Operands) -> PythPrice {
    PythPrice {
        feed_id: [0; 32],
        price: o[0].cast_signed(),
        confidence: o[1],
        exponent: -(o[2] as i32),
        ema_price: o[3].cast_signed(),
        ema_confidence: o[1],
        publish_time: 1_750_000_000,
    }
}

/// The account's bytes as words, and its feed id.
fn price_account(o: &Operands) -> ([u64; PRICE_UPDATE_V2_WORDS], [u8; 32]) {
    let mut bytes = [0_u8; 8 * PRICE_UPDATE_V2_WORDS];
    let mut feed = [0_u8; 32];
    for (bytes, word) in feed.chunks_exact_mut(8).zip(&o[6..10]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &PRICE_UPDATE_V2_DISCRIMINATOR);
    put(40, &[1]);
    put(41, &feed);
    put(73, &o[0].to_le_bytes());
    put(81, &o[1].to_le_bytes());
    put(89, &(o[2] as i32).wrapping_neg().to_le_bytes());
    put(93, &o[5].to_le_bytes());
    put(109, &o[3].to_le_bytes());
    put(117, &o[4].to_le_bytes());
    let mut words = [0; PRICE_UPDATE_V2_WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    (words, feed)
}

/// Underlyings with what a portfolio on mainnet has: mixed signs, prices of tokens with 6 and 9 decimals.
fn linear_portfolio(o: &Operands) -> (Portfolio, RiskParameters) {
    let (count, groups, stale, mut random) = (o[0], o[1].clamp(1, MAX_GROUPS as u64), o[2], Random(o[3]));
    let mut portfolio = Portfolio::new();
    for index in 0..count {
        let spot = random.below(1 << 34) + (1 << 40);
        let size = random.below(1 << 44).cast_signed();
        let range = random.below(500_000);
        let pushed = portfolio.push(Underlying {
            exposure: Base::from_raw(if random.below(2) == 0 { size } else { -size }),
            has_liability: true,
            observation: Observation {
                spot: Price::from_raw(spot),
                ema: Price::from_raw(spot - (spot >> 5) + random.below(spot >> 4)),
                confidence: Price::from_raw(spot >> 9),
                publish_time: Timestamp::ZERO,
            },
            freshness: if index < stale { Freshness::Stale } else { Freshness::Fresh },
            range: ppm(range),
            range_maint: ppm(range),
            confidence_multiplier: Ppm::ONE,
            group: (index % groups) as u8,
            addon_init: random.below(1 << 30),
            addon_maint: random.below(1 << 29),
        });
        assert!(pushed.is_ok());
    }
    portfolio.quote = Quote::from_raw(random.below(1 << 50).cast_signed());
    let parameters = RiskParameters {
        phi: [Ppm::from_raw(700_000); MAX_GROUPS],
        rho: [Ppm::from_raw(400_000); GROUP_PAIRS],
        maintenance_ratio: Ppm::from_raw(600_000),
        extreme_damping: Ppm::from_raw(300_000),
        quote_price: Ppm::ONE,
    };
    (portfolio, parameters)
}

/// Steele, Lea and Flood's SplitMix64 (2014): the same numbers in the machine and on the host.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below a bound; the bias of the remainder does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound.max(1)
    }

    /// Between two bounds, the second not included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from))
    }

    /// A word of any length: the bits are random, and so is how many there are.
    pub fn any(&mut self) -> u64 {
        self.word() >> self.below(64)
    }
}
