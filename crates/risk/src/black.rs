//! European options on a forward: Black's formula of 1976, its Greeks and its inverse.
//!
//! With the forward `F`, the strike `K`, the annualised volatility `s`, the years to expiry `t` (of 365 days) and the
//! discount factor `D`, and `w = s sqrt(t)` the total standard deviation:
//!
//! ```text
//! d1 = ln(F / K) / w + w / 2          d2 = d1 - w
//! call = D (F N(d1) - K N(d2))        put = D (K N(-d2) - F N(-d1))        call - put = D (F - K)
//! ```
//!
//! (F. Black, The pricing of commodity contracts, Journal of Financial Economics 3, 1976.)
//!
//! # What is computed
//!
//! The *smaller* of the two, the option out of the money; the other follows by parity and so keeps every digit of its
//! intrinsic value. Swapping `F` and `K` turns a put into a call: `d1` becomes `-d2`. So there is one kernel, for
//! `a = min(F, K)`, `b = max(F, K)`, `x = ln(b / a) / w >= 0` and `h = w / 2`:
//!
//! ```text
//! smaller = D (a N(h - x) - b N(-h - x))
//! ```
//!
//! # Domain
//!
//! `F >=` [`Price::MIN_SPOT`], `F / 50 <= K <= 50 F`, volatility 1 % to 500 %, time one second to two years, `0 < D <= 1`.
//! So `1.78e-6 <= w <= 7.08` and `ln(b / a) < 3.92`.
//!
//! # Errors and rounding
//!
//! | result | unit | rounding | error at most |
//! |---|---|---|---|
//! | [`price`] | [`Price`] | nearest | 1e-9 of the forward, and one raw unit; two in the money, or held to its upper bound |
//! | [`Greeks::delta`] | Q32 | nearest | 1e-9, 5e-9 below `w = 1e-4` |
//! | [`Greeks::gamma`] | Q32 | down | `1e-9 / w`, `5e-9 / w` below `w = 1e-4`; and two units |
//! | [`Greeks::vega`] | [`Price`] | down | 1e-9 of the forward, and four raw units |
//! | [`Greeks::theta`] | Q48 a day | to zero | see there |
//!
//! Exactly: `D (F - K) <= call <= D F`, `0 <= call`, `D (K - F) <= put <= D K`, `0 <= put`, and the difference of call and
//! put is `D |F - K|` rounded up, with its sign. (Where `D min(F, K)` is below one raw unit there may be no price between
//! the bounds; then it is one raw unit above.) Prices are monotone in all arguments up to the error above.
//!
//! Why a shift of `d1` and `d2` together does no harm: `F n(d1) = K n(d2)`, so the price does not change in first order,
//! and in second order by `F n(d1) w / 2` times the square. An error of `x` up to 1e-8 is such a shift. Only the error of
//! `h` counts (2^-33), and those of `N` (1.2e-11), once for `F` and once for `K <= 50 F`.
use crate::error::Error;
use crate::functions::{TAIL_BITS, density, ln_raw, normalised, upper_tail};
use crate::math::{isqrt_normalised, mul_shift_floor, mul_wide};
use crate::units::{Fraction, Price, Seconds, Volatility};

/// The smallest volatility that is priced, 1 %.
pub const MIN_VOLATILITY: Volatility = Volatility::from_raw(10_000);
/// The largest volatility that is priced, 500 %.
pub const MAX_VOLATILITY: Volatility = Volatility::from_raw(5_000_000);
/// The longest time to expiry that is priced, two years of 365 days.
pub const MAX_EXPIRY: Seconds = Seconds::from_raw(63_072_000);
/// Strike over forward and forward over strike are at most this.
pub const MAX_MONEYNESS: u64 = 50;

/// Right to buy or to sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionKind {
    /// Pays forward less strike, if positive.
    Call,
    /// Pays strike less forward, if positive.
    Put,
}

/// What a price needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Forward price of the underlying, at least [`Price::MIN_SPOT`].
    pub forward: Price,
    /// Strike, between 1/50 and 50 times the forward.
    pub strike: Price,
    /// Annualised volatility, [`MIN_VOLATILITY`] to [`MAX_VOLATILITY`].
    pub volatility: Volatility,
    /// Time to expiry, one second to [`MAX_EXPIRY`].
    pub time: Seconds,
    /// What one quote unit at expiry is worth now, above 0 and at most 1.
    pub discount: Fraction,
}

/// Price and sensitivities of one option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greeks {
    /// What [`price`] says.
    pub price: Price,
    /// Change of the price per change of the forward, Q32: `D N(d1)` of a call, `D (N(d1) - 1)` of a put.
    pub delta: i64,
    /// Change of delta per *relative* change of the forward, Q32: `F d2price/dF2 = D n(d1) / w`. A move of the forward by
    /// 1 % changes delta by a hundredth of it.
    pub gamma: u64,
    /// Change of the price per 1.00 of volatility, at this rate: `D F n(d1) sqrt(t)`. A hundredth of it is the change for
    /// one point, 1 %.
    pub vega: Price,
    /// Change of the price in one day, at this rate, forward and discount factor held: `-D F n(d1) s / (2 sqrt(t)) / 365`.
    /// A price in Q48, never positive; `-i64::MAX` stands for anything below. Its relative error is 4e-8 and what one raw
    /// unit is of `D F n(d1)`.
    pub theta: i64,
}

/// The square root of a time to expiry, shared by all series of one expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootTime {
    /// `sqrt(seconds) 2^(32 + halves)`, at least 2^63, down or one more.
    root: u64,
    /// Half of how far the seconds were shifted, 19 to 31.
    halves: u32,
}

impl RootTime {
    /// The root of `time`.
    ///
    /// # Errors
    ///
    /// [`Error::ExpiryOutOfRange`] below one second and above [`MAX_EXPIRY`].
    #[inline(never)]
    pub fn new(time: Seconds) -> Result<Self, Error> {
        if !time.is_positive() || time > MAX_EXPIRY {
            return Err(Error::ExpiryOutOfRange);
        }
        let seconds = time.unsigned_abs();
        let (_, zeros) = normalised(seconds);
        // Below 2^26, shifted by an even number to at least 2^62.
        let shift = zeros & 62;
        let shifted = seconds << shift;
        // One step of Zimmermann's root, as in `math::isqrt_ceil`: s^2 + r = shifted, r <= 2 s < 2^33, q <= 2^32.
        let s = isqrt_normalised(shifted);
        let r = shifted.wrapping_sub(s.wrapping_mul(s));
        // And q < 2^32, so that the sum fits: q = 2^32 takes r = 2 s, so shifted = s (s + 2), a multiple of 2^36; of two
        // even numbers two apart one is no multiple of 4, and the other would be one of 2^35.
        let q = (r << 31).checked_div(s).unwrap_or(0);
        Ok(Self { root: (s << 32).wrapping_add(q), halves: shift >> 1 })
    }

    /// `sqrt(years)`, Q62, below 1.42.
    #[inline]
    pub fn years(self) -> u64 {
        // sqrt(seconds) 2^(32 + halves) 2^76 / sqrt(31 536 000) / 2^64.
        self.shifted(13_454_772_750_962_975_448)
    }

    /// `root factor / 2^64`, down by at most two, shifted down to what `halves = 18` would give.
    ///
    /// The carries of the low halves are left out: the compiler would make a call of the whole product, 44 CU instead
    /// of 20.
    #[inline(always)]
    fn shifted(self, factor: u64) -> u64 {
        let (a1, a0, b1, b0) = (self.root >> 32, self.root & LOW, factor >> 32, factor & LOW);
        // At most the high word of the product.
        let high = a1.wrapping_mul(b1).wrapping_add(a1.wrapping_mul(b0) >> 32).wrapping_add(a0.wrapping_mul(b1) >> 32);
        // 18 to 31 halves: at most 13.
        high >> (self.halves.wrapping_sub(18) & 63)
    }
}

/// The total standard deviation `w = volatility sqrt(time)` and its reciprocal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// `w`, Q60, between 1.78e-6 and 7.08. Relative error 1e-12.
    total: u64,
    /// `2^(3 - zeros) / w`, Q32, between a half and one. Relative error 2^-31.
    reciprocal: u64,
    /// Leading zeros of `total`, 1 to 23.
    zeros: u32,
}

impl Deviation {
    /// The largest logarithm over deviation that [`Deviation::quotient`] tells apart.
    const QUOTIENT_MAX: u64 = 16 << 32;

    /// The deviation of `volatility` over the time of `root`.
    ///
    /// # Errors
    ///
    /// [`Error::VolatilityOutOfRange`] outside [`MIN_VOLATILITY`] and [`MAX_VOLATILITY`].
    #[inline]
    pub fn new(volatility: Volatility, root: RootTime) -> Result<Self, Error> {
        if volatility < MIN_VOLATILITY || volatility > MAX_VOLATILITY {
            return Err(Error::VolatilityOutOfRange);
        }
        Ok(Self::within(volatility, root))
    }

    /// [`Deviation::new`] of a volatility within the domain.
    #[inline(always)]
    fn within(volatility: Volatility, root: RootTime) -> Self {
        /// `2^74 / (10^6 sqrt(31 536 000))`, nearest: times 5 000 000 it is below 2^64.
        const PER_MILLION: u64 = 3_363_693_187_741;
        let total = root.shifted(PER_MILLION.wrapping_mul(u64::from(volatility.raw())));
        let (mantissa, zeros) = normalised(total);
        // Nearest, 2^31 ..= 2^32; the reciprocal then 2^31 ..= 2^32, nearest.
        let short = (mantissa >> 1).wrapping_add(1 << 30) >> 31;
        let reciprocal = (1_u64 << 63).wrapping_add(short >> 1).checked_div(short).unwrap_or(0);
        Self { total, reciprocal, zeros }
    }

    /// `w`, Q60.
    #[inline(always)]
    pub const fn total(self) -> u64 {
        self.total
    }

    /// `w / 2`, Q32, nearest.
    #[inline(always)]
    pub const fn half(self) -> u64 {
        self.total.wrapping_add(1 << 28) >> 29
    }

    /// `1 / w` as `(mantissa, exponent)` with `1 / w = mantissa 2^(exponent - 32)`: a mantissa of `2^31 ..= 2^32`, an
    /// exponent of -2 to 20. Relative error 2^-31.
    #[inline(always)]
    pub const fn reciprocal(self) -> (u64, i32) {
        (self.reciprocal, self.zeros.cast_signed().wrapping_sub(3))
    }

    /// `logarithm / w` for a logarithm in Q40, as an argument of the normal distribution, Q32. Relative error 2^-30.
    ///
    /// From 8 on in magnitude it is 16. For a price nothing is lost: with `|logarithm| <= 8`, `w` is at most one there, so
    /// that both `d1` and `d2` are beyond 7.5, where `N` is within 4e-14 of its end.
    #[inline(always)]
    pub const fn standardised(self, logarithm: i64) -> i64 {
        let magnitude = logarithm.unsigned_abs();
        // 2^46 is 64: beyond every limit.
        let magnitude = if magnitude > 1 << 46 { 1 << 46 } else { magnitude };
        let quotient = self.quotient(magnitude << 16).cast_signed();
        if logarithm < 0 { quotient.wrapping_neg() } else { quotient }
    }

    /// `logarithm / w` for a logarithm in Q56, Q32; 16 from 8 on.
    ///
    /// With `y = logarithm 2^zeros`: the quotient is `y reciprocal 2^-59`. As `8 w` in Q56 is half of `w` in Q60, which is
    /// below `2^(64 - zeros)`, `y` is below `2^63`.
    #[inline(always)]
    pub(crate) const fn quotient(self, logarithm: u64) -> u64 {
        if logarithm >= self.total >> 1 {
            return Self::QUOTIENT_MAX;
        }
        let y = logarithm << self.zeros;
        // By halves: below 2^32 and below 2^31, times at most 2^32; the sum is at most 2^64 - 2.
        let high = (y >> 31).wrapping_mul(self.reciprocal);
        let low = (y & 0x7FFF_FFFF).wrapping_mul(self.reciprocal) >> 31;
        high.wrapping_add(low) >> 28
    }
}

/// What call and put of one strike share, whatever the volatility.
#[derive(Clone, Copy)]
struct Pair {
    /// The smaller of forward and strike.
    low: u64,
    /// The larger.
    high: u64,
    /// `ln(high / low)`, Q56.
    logarithm: u64,
    /// `D (high - low)`, up.
    intrinsic: u64,
    /// The most that the option out of the money may cost: `D high`, down, less the intrinsic value.
    cap: u64,
    /// Discount factor, Q32.
    discount: u64,
    /// Whether the call is the one out of the money (or both are at it).
    call_is_out: bool,
}

impl Pair {
    /// Checks forward, strike and discount factor.
    #[inline(always)]
    fn new(terms: &Terms) -> Result<Self, Error> {
        let (forward, strike, discount) = (terms.forward.raw(), terms.strike.raw(), terms.discount.raw());
        if terms.forward < Price::MIN_SPOT {
            return Err(Error::ForwardOutOfRange);
        }
        // 50 strike < forward, or strike > 50 forward. Neither is zero where it is decreased.
        if strike <= forward.wrapping_sub(1) / MAX_MONEYNESS || strike.wrapping_sub(1) / MAX_MONEYNESS >= forward {
            return Err(Error::StrikeOutOfRange);
        }
        if discount == 0 || terms.discount > Fraction::ONE {
            return Err(Error::DiscountFactorInvalid);
        }
        let call_is_out = strike >= forward;
        let (low, high) = if call_is_out { (forward, strike) } else { (strike, forward) };
        // Rises with its argument up to 2^-45, so that the difference may be below zero by that.
        let logarithm = ln_raw(high).wrapping_sub(ln_raw(low)).max(0).cast_unsigned();
        let intrinsic = discounted(high.wrapping_sub(low), discount, ROUND_UP);
        // 0 at least where D low is a raw unit or more, as D high = D (high - low) + D low.
        let cap = discounted(high, discount, 0).saturating_sub(intrinsic);
        Ok(Self { low, high, logarithm, intrinsic, cap, discount, call_is_out })
    }

    /// The price of the option out of the money. From a quotient of [`Deviation::QUOTIENT_MAX`] on both tails are zero, as
    /// the price is: at most `low N(-7.7)`, see [`Deviation::standardised`].
    #[inline(always)]
    fn out(&self, quotient: u64, half: u64) -> u64 {
        let (near, far) = tails(quotient, half);
        self.value(near, far)
    }

    /// [`Pair::out`] from both probabilities.
    #[inline(always)]
    fn value(&self, near: u64, far: u64) -> u64 {
        let value = discounted(difference(self.low, near, self.high, far), self.discount, ROUND_NEAREST);
        if value > self.cap { self.cap } else { value }
    }

    /// [`Pair::out`] at a volatility within the domain: a body of its own for who asks again and again.
    #[inline(never)]
    fn out_at(&self, root: RootTime, volatility: u32) -> u64 {
        let deviation = Deviation::within(Volatility::from_raw(volatility), root);
        self.out(deviation.quotient(self.logarithm), deviation.half())
    }

    /// The price of `kind`, from that of the option out of the money.
    #[inline(always)]
    fn price(&self, out: u64, kind: OptionKind) -> u64 {
        if self.call_is_out == matches!(kind, OptionKind::Call) {
            out
        } else {
            // At most D high, by the cap; or the intrinsic value itself, where the cap is zero.
            out.wrapping_add(self.intrinsic)
        }
    }
}

/// Half a unit, and a unit less one, of the product in [`discounted`].
const ROUND_NEAREST: u64 = 1 << 31;
const ROUND_UP: u64 = 0xFFFF_FFFF;

/// `value discount` for a Q32 discount of at most one: by halves, both products at most `2^64 - 2^32`.
#[inline(always)]
const fn discounted(value: u64, discount: u64, rounding: u64) -> u64 {
    let low = (value & 0xFFFF_FFFF).wrapping_mul(discount).wrapping_add(rounding);
    (value >> 32).wrapping_mul(discount).wrapping_add(low >> 32)
}

/// The low 32 bits.
const LOW: u64 = 0xFFFF_FFFF;

/// One, in the format of [`upper_tail`].
const CERTAIN: u64 = 1 << TAIL_BITS;

/// `N(half - quotient)` and `N(-half - quotient)`, Q45.
#[inline(always)]
fn tails(quotient: u64, half: u64) -> (u64, u64) {
    let near = if quotient >= half {
        upper_tail(quotient.wrapping_sub(half))
    } else {
        CERTAIN.wrapping_sub(upper_tail(half.wrapping_sub(quotient)))
    };
    (near, upper_tail(half.wrapping_add(quotient)))
}

/// `a p - b q` for probabilities in Q45, nearest, zero when negative. At most `a <= b`, as `p` is at most one.
///
/// By halves, `a = a1 2^32 + a0` and `p = p1 2^32 + p0`, the difference at each place and not of the products: it is
///
/// ```text
/// a p - b q = (a1 p1 - b1 q1) 2^64 + (a1 p0 + a0 p1 - b1 q0 - b0 q1) 2^32 + a0 p0 - b0 q0
/// ```
///
/// With `a, b < 2^62` and `p1 <= 2^13` both sums in the middle are below `2^63`, with the high words of the last products
/// as well. Two thirds of what two wide products and their difference take. What the low words would add is `2^-13` units.
#[inline(always)]
fn difference(a: u64, p: u64, b: u64, q: u64) -> u64 {
    if b >> 62 != 0 {
        return difference_wide(a, p, b, q);
    }
    let (a1, a0, b1, b0) = (a >> 32, a & LOW, b >> 32, b & LOW);
    let (p1, p0, q1, q0) = (p >> 32, p & LOW, q >> 32, q & LOW);
    let gained = a1.wrapping_mul(p0).wrapping_add(a0.wrapping_mul(p1)).wrapping_add(a0.wrapping_mul(p0) >> 32);
    let paid = b1.wrapping_mul(q0).wrapping_add(b0.wrapping_mul(q1)).wrapping_add(b0.wrapping_mul(q0) >> 32);
    // Differences of numbers below 2^63 and below 2^45, at places 32 and 64; the result is in place 45. Rounding is half of
    // 2^13.
    let middle = gained.wrapping_sub(paid).wrapping_add(1 << 12).cast_signed() >> 13;
    let high = a1.wrapping_mul(p1).wrapping_sub(b1.wrapping_mul(q1)).cast_signed() << 19;
    // Between -b and a, so above -2^63 and below 2^63: modulo 2^64 on purpose.
    high.wrapping_add(middle).max(0).cast_unsigned()
}

/// [`difference`] of any numbers.
#[cold]
#[inline(never)]
fn difference_wide(a: u64, p: u64, b: u64, q: u64) -> u64 {
    let (high, low) = mul_wide(a, p);
    let (less_high, less_low) = mul_wide(b, q);
    if (high, low) <= (less_high, less_low) {
        return 0;
    }
    let borrow = u64::from(low < less_low);
    // Modulo 2^64 on purpose: the borrow takes it up.
    let low = low.wrapping_sub(less_low);
    let high = high.wrapping_sub(less_high).wrapping_sub(borrow);
    let (low, carry) = low.overflowing_add(CERTAIN >> 1);
    let high = high.wrapping_add(u64::from(carry));
    (high << 19) | (low >> TAIL_BITS)
}

/// The price of an option, nearest: within 1e-9 of the forward and one raw unit (two in the money, where the intrinsic
/// value is rounded up), and within the bounds that the page states.
///
/// # Errors
///
/// [`Error::ForwardOutOfRange`], [`Error::StrikeOutOfRange`], [`Error::DiscountFactorInvalid`],
/// [`Error::ExpiryOutOfRange`] and [`Error::VolatilityOutOfRange`], in this order: see [`Terms`].
#[inline]
pub fn price(terms: &Terms, kind: OptionKind) -> Result<Price, Error> {
    let pair = Pair::new(terms)?;
    let deviation = Deviation::new(terms.volatility, RootTime::new(terms.time)?)?;
    let out = pair.out(deviation.quotient(pair.logarithm), deviation.half());
    Ok(Price::from_raw(pair.price(out, kind)))
}

/// `floor(a b / 2^62)` of a product that fits.
#[inline(always)]
fn mul_q62_floor(a: u64, b: u64) -> u64 {
    let (high, low) = mul_wide(a, b);
    (high << 2) | (low >> 62)
}

/// Price and Greeks of an option.
///
/// # Errors
///
/// Those of [`price`].
pub fn greeks(terms: &Terms, kind: OptionKind) -> Result<Greeks, Error> {
    let pair = Pair::new(terms)?;
    let root = RootTime::new(terms.time)?;
    let deviation = Deviation::new(terms.volatility, root)?;
    let (quotient, half) = (deviation.quotient(pair.logarithm), deviation.half());
    // d1 is half - quotient for a call out of the money, half + quotient for one in it.
    let (near, far) = tails(quotient, half);
    let price = Price::from_raw(pair.price(pair.value(near, far), kind));
    let (probability, d1) = if pair.call_is_out {
        (near, quotient.abs_diff(half))
    } else {
        (CERTAIN.wrapping_sub(far), quotient.wrapping_add(half))
    };
    let n = density(d1);
    // Q45 to Q32, nearest; at most one.
    let call_delta = discounted(probability, pair.discount, ROUND_NEAREST).wrapping_add(1 << 12) >> 13;
    let delta = match kind {
        OptionKind::Call => call_delta.cast_signed(),
        OptionKind::Put => call_delta.cast_signed().wrapping_sub(pair.discount.cast_signed()),
    };
    // Q33 below 2^31.7, times at most 2^32: n 2^(zeros - 3) / w of Q65, so down by 33 + 3 - zeros, 13 to 35.
    let gamma = (n >> 29).wrapping_mul(deviation.reciprocal) >> (36_u32.wrapping_sub(deviation.zeros) & 63);
    // D F n(d1), at most 0.4 F.
    let flow = mul_q62_floor(terms.forward.raw(), n);
    let flow = discounted(flow, pair.discount, ROUND_NEAREST);
    // At most 0.57 F.
    let vega = mul_q62_floor(flow, root.years());
    // w / (2 t) a day: w 43 200 / seconds, Q44. w is below 2^3 and 43 200 below 2^16.
    let decay = (deviation.total >> 16).wrapping_mul(43_200).checked_div(terms.time.unsigned_abs()).unwrap_or(0);
    let theta = mul_shift_floor(flow, decay, 44).and_then(|theta| i64::try_from(theta).ok()).unwrap_or(i64::MAX);
    Ok(Greeks {
        price,
        delta,
        gamma: discounted(gamma, pair.discount, 0),
        vega: Price::from_raw(vega),
        theta: theta.wrapping_neg(),
    })
}

/// The volatility that gives `price`; that of `terms` is not read.
///
/// Bisection in whole ppm, at most 23 steps. Of the two neighbouring volatilities whose prices enclose `price`, the one
/// whose own price is nearer; an end of the domain when the price there is `price`, or beyond it by no more than the error
/// of [`price`]. So [`price`] of the result is within half of what 1 ppm of volatility is worth there, at most 3e-7 of the
/// forward, and 1e-9 of the forward and a raw unit besides.
///
/// # Errors
///
/// [`Error::OptionPriceOutOfRange`] for a price outside the bounds without arbitrage, and for one below the price at
/// [`MIN_VOLATILITY`] or above that at [`MAX_VOLATILITY`]; the others are those of [`price`], but for the volatility's.
pub fn implied_volatility(terms: &Terms, kind: OptionKind, price: Price) -> Result<Volatility, Error> {
    let pair = Pair::new(terms)?;
    let root = RootTime::new(terms.time)?;
    // The price of the option out of the money, by parity.
    let price = price.raw().checked_sub(pair.price(0, kind)).filter(|price| *price <= pair.cap);
    let price = price.ok_or(Error::OptionPriceOutOfRange)?;
    let at = |volatility: u32| pair.out_at(root, volatility);
    let (mut low, mut high) = (MIN_VOLATILITY.raw(), MAX_VOLATILITY.raw());
    let (mut below, mut above) = (at(low), at(high));
    let slack = (terms.forward.raw() >> 30).wrapping_add(1);
    if price <= below || price >= above {
        let (end, off) = if price <= below {
            (MIN_VOLATILITY, below.wrapping_sub(price))
        } else {
            (MAX_VOLATILITY, price.wrapping_sub(above))
        };
        return if off <= slack { Ok(end) } else { Err(Error::OptionPriceOutOfRange) };
    }
    // The price at `low` is below, the price at `high` is not: whether prices rise strictly does not matter.
    while high.wrapping_sub(low) > 1 {
        let middle = low.midpoint(high);
        let found = at(middle);
        if found < price {
            (low, below) = (middle, found);
        } else {
            (high, above) = (middle, found);
        }
    }
    let nearer = if price.abs_diff(below) < above.abs_diff(price) { low } else { high };
    Ok(Volatility::from_raw(nearer))
}
