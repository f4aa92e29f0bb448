//! Integers with their unit in the type, so that adding base to quote does not compile.
//!
//! | type | holds | scale | range |
//! |---|---|---|---|
//! | [`Quote`] | signed quote native units | 1e-6 USD | `i64` |
//! | [`Base`] | signed base native units of one market | `10^-base_decimals` of the underlying | `i64` |
//! | [`Price`] | quote native per ONE base native unit | Q16.48 | `0 ..` [`Price::MAX`]; a spot is at least [`Price::MIN_SPOT`] |
//! | [`Index`] | amount per share | Q16.48 | starts at [`Index::ONE`]; falls only where deposits bear a loss |
//! | [`Ppm`] | ratio (haircut, fee, range, correlation) | 1e-6 | `u32`, mostly `0 ..=` [`Ppm::ONE`] |
//! | [`Fraction`] | part of a portfolio | Q32 | `0 ..=` [`Fraction::ONE`] |
//! | [`Volatility`] | annualised volatility | 1e-6 | `u32`; priced between 1 % and 500 % |
//! | [`Lots`] | signed option lots of one series | a board's lot, in base units | `i64` |
//! | [`Seconds`] | a duration | 1 s | `i64` |
//! | [`Timestamp`] | a moment, Unix time | 1 s | `i64` |
//!
//! # Legal products
//!
//! Amounts of a balance are plain `u64`: a bank's native units, whose mint only the caller knows.
//!
//! | left | right | result | function | rounding |
//! |---|---|---|---|---|
//! | [`Base`] | [`Price`] | [`Quote`] | [`Price::value_floor`] | toward minus infinity: assets down, liabilities up |
//! | [`Base`] | [`Price`] | [`Quote`] | [`Price::value_ceil`] | toward plus infinity |
//! | abs([`Base`]) | [`Price`] | `u64` quote | [`Price::magnitude_ceil`] | up |
//! | `u64` | [`Ppm`] | `u64`, same unit | [`crate::math::mul_ppm_floor`], [`crate::math::mul_ppm_ceil`] | named |
//! | `u64` shares | [`Index`] | `u64` amount | [`crate::interest::deposit_amount`], [`crate::interest::borrow_amount`] | down, up |
//! | `u64` amount | 1 / [`Index`] | `u64` shares | [`crate::interest::shares_for_deposit`] and its three siblings | named there |
//! | amount | [`Fraction`] | amount | [`crate::liquidation::pro_rata_floor`], [`crate::liquidation::pro_rata_ceil`] | named |
//! | signed amount | [`Fraction`] | amount | [`crate::liquidation::pro_rata_signed`] | toward minus infinity: against the taker |
//! | [`Timestamp`] | - [`Timestamp`] | [`Seconds`] | [`Timestamp::since`] | exact |
use crate::math;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name($inner);

        impl $name {
            /// Zero of this unit.
            pub const ZERO: Self = Self(0);
            /// The largest value that the integer holds.
            pub const MAX: Self = Self(<$inner>::MAX);

            /// Puts the unit on a bare integer. For the instruction boundary and stored fields.
            #[inline(always)]
            pub const fn from_raw(raw: $inner) -> Self {
                Self(raw)
            }

            /// Takes the unit off.
            #[inline(always)]
            pub const fn raw(self) -> $inner {
                self.0
            }

            /// Sum, or `None` when it does not fit.
            #[inline(always)]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// Difference, or `None` when it does not fit.
            #[inline(always)]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// Whether this is zero.
            #[inline(always)]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }
    };
}

macro_rules! signed {
    ($name:ident) => {
        impl $name {
            /// The smallest value that the integer holds.
            pub const MIN: Self = Self(i64::MIN);

            /// The opposite, or `None` for the one value that has none.
            #[inline(always)]
            pub const fn checked_neg(self) -> Option<Self> {
                match self.0.checked_neg() {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// The magnitude, without its unit.
            #[inline(always)]
            pub const fn unsigned_abs(self) -> u64 {
                self.0.unsigned_abs()
            }

            /// Whether this is below zero.
            #[inline(always)]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Whether this is above zero.
            #[inline(always)]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }
        }
    };
}

unit! {
    /// Signed quote native units, 1e-6 USD each. Assets positive, liabilities negative.
    Quote(i64)
}
signed!(Quote);

unit! {
    /// Signed base native units of one market, `10^-base_decimals` of the underlying each. Long positive, short negative.
    Base(i64)
}
signed!(Base);

unit! {
    /// Quote native units per ONE base native unit, Q16.48. SOL at 150 USD with 9 decimals is 0.15, so `0.15 * 2^48`.
    Price(u64)
}

unit! {
    /// Amount per share of a bank, Q16.48. Starts at [`Index::ONE`]; a borrow index never falls, a deposit index only where
    /// deposits bear a loss ([`crate::waterfall`]).
    Index(u64)
}

unit! {
    /// A ratio in parts per million.
    Ppm(u32)
}

unit! {
    /// A part of the whole, Q32, between zero and [`Fraction::ONE`].
    Fraction(u64)
}

unit! {
    /// A duration in seconds.
    Seconds(i64)
}
signed!(Seconds);

unit! {
    /// A moment in Unix seconds.
    Timestamp(i64)
}

unit! {
    /// An annualised volatility in parts per million: 800 000 is 80 % a year of 365 days.
    Volatility(u32)
}

unit! {
    /// Signed option lots of one series. Long positive, short negative.
    Lots(i64)
}
signed!(Lots);

/// Fractional bits of [`Price`] and [`Index`].
pub const Q48: u32 = 48;

/// Fractional bits of [`Fraction`].
pub const Q32: u32 = 32;

impl Price {
    /// The smallest spot that the engine prices: below it one raw unit is more than 1e-6 of the price.
    pub const MIN_SPOT: Self = Self(1 << 20);

    /// What `exposure` is worth, rounded toward minus infinity: assets down, liabilities up. `None` when it does not
    /// fit an `i64`.
    #[inline]
    pub fn value_floor(self, exposure: Base) -> Option<Quote> {
        let magnitude = exposure.unsigned_abs();
        if exposure.is_negative() {
            math::negative(math::mul_shift_ceil(magnitude, self.0, Q48)?).map(Quote)
        } else {
            math::positive(math::mul_shift_floor(magnitude, self.0, Q48)?).map(Quote)
        }
    }

    /// What `exposure` costs, rounded toward plus infinity. `None` when it does not fit an `i64`.
    #[inline]
    pub fn value_ceil(self, exposure: Base) -> Option<Quote> {
        let magnitude = exposure.unsigned_abs();
        if exposure.is_negative() {
            math::negative(math::mul_shift_floor(magnitude, self.0, Q48)?).map(Quote)
        } else {
            math::positive(math::mul_shift_ceil(magnitude, self.0, Q48)?).map(Quote)
        }
    }

    /// The magnitude of the value of `exposure`, quote native, rounded up. `None` when it does not fit a `u64`.
    #[inline]
    pub fn magnitude_ceil(self, exposure: Base) -> Option<u64> {
        math::mul_shift_ceil(exposure.unsigned_abs(), self.0, Q48)
    }
}

impl Index {
    /// One unit of amount per share: every bank starts here.
    pub const ONE: Self = Self(1 << Q48);
}

impl Ppm {
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// `1 - self`, or `None` above one.
    #[inline(always)]
    pub const fn complement(self) -> Option<Self> {
        Self::ONE.checked_sub(self)
    }

    /// As a `u64`, for arithmetic.
    #[inline(always)]
    pub(crate) const fn wide(self) -> u64 {
        self.0 as u64
    }
}

impl Fraction {
    /// The whole.
    pub const ONE: Self = Self(1 << Q32);
}

impl Timestamp {
    /// How long after `earlier` this is; negative when before. Saturates at the ends of `i64`.
    #[inline(always)]
    pub const fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }
}
