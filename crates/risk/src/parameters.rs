//! What the exchange configures for one market and for one bank, each validated as a whole.
use crate::Error;
use crate::portfolio::{MAX_CONFIDENCE_MULTIPLIER, MAX_GROUPS};
use crate::units::Ppm;
use crate::volatility::VolatilityParameters;

/// Largest short-option minimum, of the underlying's value. SPAN's minima are around 1 % of the underlying; ten times that
/// is a floor no more.
pub const MAX_SHORT_MINIMUM: Ppm = Ppm::from_raw(100_000);
/// Largest shock of the volatility up, at 30 days, relative: fivefold. Above it the shocked volatility is at its cap from
/// anything above 80 %.
pub const MAX_VOLATILITY_UP: Ppm = Ppm::from_raw(4_000_000);
/// Largest shock of the volatility down, at 30 days, relative: something must be left.
pub const MAX_VOLATILITY_DOWN: Ppm = Ppm::from_raw(900_000);
/// Largest power of the term structure. At 1/2, a shock changes the standard deviation up to expiry by the same at every
/// expiry (of equal volatility), as by one move on one day; more than that is beyond anything observed.
pub const MAX_VOLATILITY_POWER: Ppm = Ppm::ONE;

/// How a market's positions are margined.
///
/// | field | plausible for SOL | why |
/// |---|---|---|
/// | `confidence_multiplier` | 1 | Pyth's interval is one standard deviation; of a Laplace distribution 2.12 hold 95 % |
/// | `short_minimum` | 1 % | SPAN's short option minimum; Deribit and Derive ask 1 % of the underlying |
/// | `volatility_up` | 45 % | Derive, at 30 days, relative; Deribit 38 % either way |
/// | `volatility_down` | 30 % | Derive: volatility jumps up and seeps down |
/// | `volatility_power_short` | 0.3 | Deribit and Derive: the shock rises by `(30 d / T)^0.3` towards expiry |
/// | `volatility_power_long` | 0.13 | Derive: it falls slower beyond 30 days |
/// | `concentration` | 2 % | the average cost of closing the whole open interest: half of its price impact (Kyle 1985) |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct MarketParameters {
    /// How many of the oracle's confidence half widths are charged on net exposure, at most
    /// [`MAX_CONFIDENCE_MULTIPLIER`].
    pub confidence_multiplier: Ppm,
    /// Short-option minimum, of the value of what is sold, at most [`MAX_SHORT_MINIMUM`].
    pub short_minimum: Ppm,
    /// Relative shock of the volatility up at 30 days, at most [`MAX_VOLATILITY_UP`].
    pub volatility_up: Ppm,
    /// Relative shock of the volatility down at 30 days, at most [`MAX_VOLATILITY_DOWN`], and at most the one up: a
    /// volatility that falls by half has to double to come back.
    pub volatility_down: Ppm,
    /// Power of the term structure below 30 days, at most [`MAX_VOLATILITY_POWER`].
    pub volatility_power_short: Ppm,
    /// Power of the term structure above 30 days, at most the one below: near expiries react more than far ones.
    pub volatility_power_long: Ppm,
    /// Charge on a perpetual position when the open interest is at its cap, of the position's value, at most one.
    pub concentration: Ppm,
    /// Risk group, below [`MAX_GROUPS`].
    pub group: u8,
    /// Volatility, its forecasts, and the ranges that it gives.
    pub volatility: VolatilityParameters,
}

impl MarketParameters {
    /// Checks the parameters as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::GroupOutOfRange`], [`Error::ConfidenceMultiplierTooLarge`], [`Error::ShortMinimumInvalid`],
    /// [`Error::VolatilityShockInvalid`], [`Error::ConcentrationInvalid`]; those of [`VolatilityParameters::validate`].
    pub fn validate(&self) -> Result<(), Error> {
        if usize::from(self.group) >= MAX_GROUPS {
            return Err(Error::GroupOutOfRange);
        }
        if self.confidence_multiplier > MAX_CONFIDENCE_MULTIPLIER {
            return Err(Error::ConfidenceMultiplierTooLarge);
        }
        if self.short_minimum > MAX_SHORT_MINIMUM {
            return Err(Error::ShortMinimumInvalid);
        }
        if self.volatility_up > MAX_VOLATILITY_UP
            || self.volatility_down > MAX_VOLATILITY_DOWN
            || self.volatility_down > self.volatility_up
            || self.volatility_power_short > MAX_VOLATILITY_POWER
            || self.volatility_power_long > self.volatility_power_short
        {
            return Err(Error::VolatilityShockInvalid);
        }
        if self.concentration > Ppm::ONE {
            return Err(Error::ConcentrationInvalid);
        }
        self.volatility.validate()
    }
}

/// How a bank's balances are margined, besides the stress of its market.
///
/// | field | plausible for SOL | why |
/// |---|---|---|
/// | haircuts of an empty bank | 5 %, 2 % | spread and fees of a forced sale of any size |
/// | haircuts of a full bank | 15 %, 8 % | and the average price impact of selling all that the cap lets in |
/// | borrow weights | 5 %, 2 % | the same for buying back; collected in a squeeze |
///
/// Towards maint each is at most what it is towards init, so that an account which was let in is not at its line, and so
/// that R_maint <= R_init (INV-9). As both rates are linear between the ends, the ends are enough to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct BankParameters {
    /// Haircut towards init of a bank without deposits.
    pub haircut_init_empty: Ppm,
    /// Haircut towards init of a bank at its cap.
    pub haircut_init_full: Ppm,
    /// Haircut towards maint of a bank without deposits.
    pub haircut_maint_empty: Ppm,
    /// Haircut towards maint of a bank at its cap.
    pub haircut_maint_full: Ppm,
    /// Share of a borrow's value charged on top, towards init.
    pub borrow_weight_init: Ppm,
    /// Share of a borrow's value charged on top, towards maint.
    pub borrow_weight_maint: Ppm,
}

impl BankParameters {
    /// A bank whose deposits count for nothing: where new collateral starts.
    pub const WORTHLESS: Self = Self {
        haircut_init_empty: Ppm::ONE,
        haircut_init_full: Ppm::ONE,
        haircut_maint_empty: Ppm::ONE,
        haircut_maint_full: Ppm::ONE,
        borrow_weight_init: Ppm::ONE,
        borrow_weight_maint: Ppm::ONE,
    };

    /// Checks the parameters as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::HaircutsInvalid`], [`Error::BorrowWeightsInvalid`].
    pub fn validate(&self) -> Result<(), Error> {
        let rising = |low: Ppm, high: Ppm| low <= high && high <= Ppm::ONE;
        if !rising(self.haircut_init_empty, self.haircut_init_full)
            || !rising(self.haircut_maint_empty, self.haircut_maint_full)
            || !rising(self.haircut_maint_empty, self.haircut_init_empty)
            || !rising(self.haircut_maint_full, self.haircut_init_full)
        {
            return Err(Error::HaircutsInvalid);
        }
        if !rising(self.borrow_weight_maint, self.borrow_weight_init) {
            return Err(Error::BorrowWeightsInvalid);
        }
        Ok(())
    }

    /// Haircut rates towards init and maint of a bank with `total` deposits against their `cap`.
    pub fn haircuts(&self, total: u64, cap: u64) -> (Ppm, Ppm) {
        let rate = |empty, full| crate::addons::liquidity_haircut(empty, full, total, cap);
        (rate(self.haircut_init_empty, self.haircut_init_full), rate(self.haircut_maint_empty, self.haircut_maint_full))
    }
}
