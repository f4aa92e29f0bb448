//! Equity and requirement: the path for linear books at fresh prices and one range, which the chain takes most.
use super::aggregation::{Shocks, add_shock, maintenance, stress};
use super::general::{
    Groups, add_shock_and_loss, check_options, loss_alone, margin_in_general, net_groups, next_options,
};
use super::value::{check_addons, value_signed, value_with_options};
use super::{Margin, Portfolio, RiskParameters, Underlying};
use crate::Error;
use crate::math::{mul_ppm_ceil_bounded, positive};
use crate::options::OptionRisk;
use crate::price::Freshness;
use crate::units::{Ppm, Quote};

/// Sum of two unsigned amounts.
#[inline(always)]
pub(super) fn sum(one: u64, other: u64) -> Result<u64, Error> {
    one.checked_add(other).ok_or(Error::Overflow)
}

/// Equity: quote and the sum of values.
#[inline(always)]
pub(super) fn equity(quote: Quote, values: i64) -> Result<Quote, Error> {
    quote.checked_add(Quote::from_raw(values)).ok_or(Error::Overflow)
}

/// Stress requirement and add-ons as a signed amount.
#[inline(always)]
pub(super) fn requirement(stress: u64, addons: u64) -> Result<Quote, Error> {
    positive(sum(stress, addons)?).map(Quote::from_raw).ok_or(Error::Overflow)
}

/// Equity and requirement of an account, towards init and towards maint. See the module's page for the formulas.
///
/// `options` holds the account's options, summed for each underlying: each underlying at most once, by rising number.
/// A book without any, at fresh prices and with one range for both sides, costs 152 CU for each underlying; anything else
/// takes the general path.
///
/// # Errors
///
/// [`Error::Overflow`] when a value, loss or add-on of one underlying is above [`super::MAX_VALUE`], or an equity or a
/// requirement does not fit an `i64`; [`Error::OptionsOutOfOrder`], [`Error::UnknownUnderlying`] for options that are not
/// given as said above; [`Error::MaintenanceRangeTooLarge`]; [`Error::RangeTooLarge`],
/// [`Error::ConfidenceMultiplierTooLarge`], [`Error::GroupOutOfRange`], [`Error::PhiInvalid`], [`Error::RhoInvalid`],
/// [`Error::MaintenanceRatioInvalid`], [`Error::ExtremeDampingInvalid`] when a parameter that is used is out of range.
/// Never panics, whatever the input.
#[inline(never)]
pub fn margin(portfolio: &Portfolio, options: &[OptionRisk], parameters: &RiskParameters) -> Result<Margin, Error> {
    if !options.is_empty() {
        return match margin_of_fresh_options(portfolio, options, parameters)? {
            Some(margin) => Ok(margin),
            None => margin_in_general(portfolio, options, parameters),
        };
    }
    let mut sums = Sums::default();
    for underlying in portfolio.underlyings() {
        if underlying.freshness != Freshness::Fresh || underlying.range_maint != underlying.range {
            return margin_in_general(portfolio, &[], parameters);
        }
        sums.add(underlying)?;
    }
    sums.margin(portfolio, parameters)
}

/// [`margin`] of a book with options at fresh prices and with one range and one set of gains for both sides; `None` for any
/// other. One pass in which linear underlyings cost what they do without options: the general path takes three.
#[inline(never)]
fn margin_of_fresh_options(
    portfolio: &Portfolio,
    options: &[OptionRisk],
    parameters: &RiskParameters,
) -> Result<Option<Margin>, Error> {
    if check_options(portfolio, options, parameters)? {
        return Ok(None);
    }
    let mut sums = Sums::default();
    let mut groups = Groups::default();
    let mut rest = options;
    for (number, underlying) in (0_u8..).zip(portfolio.underlyings()) {
        if underlying.freshness != Freshness::Fresh || underlying.range_maint != underlying.range {
            return Ok(None);
        }
        match next_options(&mut rest, number) {
            None => sums.add(underlying)?,
            Some(own) => sums.add_with_options(underlying, own, parameters.extreme_damping, &mut groups)?,
        }
    }
    net_groups(&mut sums.shocks, &groups, portfolio, options, parameters);
    sums.margin(portfolio, parameters).map(Some)
}

/// A margin of fresh prices while it is summed. At most 16 values and 48 add-ons below 2^58: the sums stay below 2^62 and
/// 2^64.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Sum of values so far.
    values: i64,
    /// Add-ons towards init so far.
    addon_init: u64,
    /// Add-ons towards maint so far.
    addon_maint: u64,
    /// Shocks so far.
    shocks: Shocks,
}

impl Sums {
    /// The margin of what was summed.
    #[inline(always)]
    fn margin(self, portfolio: &Portfolio, parameters: &RiskParameters) -> Result<Margin, Error> {
        let Self { values, addon_init, addon_maint, shocks } = self;
        let equity = equity(portfolio.quote, values)?;
        let stress = stress(&shocks, parameters)?;
        let addon_init = sum(addon_init, portfolio.quote_addon_init)?;
        let addon_maint = sum(addon_maint, portfolio.quote_addon_maint)?;
        Ok(Margin {
            equity_init: equity,
            equity_maint: equity,
            requirement_init: parameters.in_quote(requirement(stress, addon_init)?)?,
            requirement_maint: requirement(maintenance(stress, parameters)?, addon_maint)?,
            blocked_by: None,
        })
    }

    /// Adds an underlying with options at its last price.
    #[inline(never)]
    fn add_with_options(
        &mut self,
        underlying: &Underlying,
        options: &OptionRisk,
        extreme_damping: Ppm,
        groups: &mut Groups,
    ) -> Result<(), Error> {
        check_addons(underlying)?;
        let valued = value_with_options(underlying, options)?;
        // The sum was checked when it was valued.
        let short = underlying.exposure.raw().wrapping_add(options.exposure.raw()) < 0;
        let shock = mul_ppm_ceil_bounded(valued.gross, underlying.range).cast_signed();
        let shock = if short { shock.wrapping_neg() } else { shock };
        let loss = loss_alone(shock, options, extreme_damping)?;
        groups.add(underlying.group, loss)?;
        add_shock_and_loss(&mut self.shocks, underlying.group, shock, loss)?;
        self.values = self.values.wrapping_add(valued.value);
        let init = valued.confidence.wrapping_add(valued.ema_gap).wrapping_add(underlying.addon_init);
        self.addon_init = self.addon_init.wrapping_add(init);
        self.addon_maint = self.addon_maint.wrapping_add(valued.confidence).wrapping_add(underlying.addon_maint);
        Ok(())
    }

    /// Adds an underlying at its last price: 152 CU. A call here costs two instructions and gives the callee fresh
    /// registers, where the loop would spill: 203 CU when it was inlined and both signs shared one body.
    #[inline(never)]
    fn add(&mut self, underlying: &Underlying) -> Result<(), Error> {
        if underlying.exposure.is_negative() {
            self.add_signed::<true>(underlying)
        } else {
            self.add_signed::<false>(underlying)
        }
    }

    /// [`Self::add`] for one sign.
    #[inline(always)]
    fn add_signed<const SHORT: bool>(&mut self, underlying: &Underlying) -> Result<(), Error> {
        let valued = value_signed::<SHORT>(underlying)?;
        if !underlying.exposure.is_zero() {
            self.values = self.values.wrapping_add(valued.value);
            add_shock::<SHORT>(&mut self.shocks, underlying.group, valued.loss)?;
        }
        check_addons(underlying)?;
        let init = valued.confidence.wrapping_add(valued.ema_gap).wrapping_add(underlying.addon_init);
        self.addon_init = self.addon_init.wrapping_add(init);
        self.addon_maint = self.addon_maint.wrapping_add(valued.confidence).wrapping_add(underlying.addon_maint);
        Ok(())
    }
}
