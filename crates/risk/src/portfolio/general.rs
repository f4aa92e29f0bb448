//! Equity and requirement in general: options, two ranges, prices that are not fresh.
//!
//! One pass over the underlyings sums values and add-ons, then one for each side of the requirement sums shocks and nets
//! scenarios. Each frame of the machine holds 4,096 bytes, so the passes are functions of their own, and the largest
//! arrays are the 16 scenarios of one group.
use super::aggregation::{Shock, Shocks, maintenance, stress};
use super::margin::{equity, requirement, sum};
use super::value::{Valued, check_addons, value, value_with_options};
use super::{
    MAX_EXTREME_DAMPING, MAX_GROUPS, MAX_UNDERLYINGS, MAX_VALUE, Margin, Portfolio, RiskParameters, Underlying,
};
use crate::Error;
use crate::grid::linear;
use crate::math::mul_ppm_ceil_bounded;
use crate::options::{OptionRisk, SCENARIOS};
use crate::price::Freshness;
use crate::units::{Ppm, Quote};

/// Which positions are stressed, and at which ranges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What counts towards init, at the ranges towards init.
    Init,
    /// What counts towards init, at the ranges towards maint.
    InitSlow,
    /// What counts towards maint, at the ranges towards maint.
    Maint,
}

impl Side {
    /// Whether an underlying's risk counts on this side.
    fn counts(self, underlying: &Underlying, committed: bool) -> bool {
        match self {
            Self::Init | Self::InitSlow => committed || underlying.freshness == Freshness::Fresh,
            Self::Maint => underlying.freshness != Freshness::Stale,
        }
    }

    /// The options' gains at this side's range.
    pub(super) const fn pnl(self, options: &OptionRisk) -> &[Quote; SCENARIOS] {
        match self {
            Self::Init => &options.pnl_init,
            Self::InitSlow | Self::Maint => &options.pnl_maint,
        }
    }
}

/// The linear exposure of one underlying, before its range.
#[derive(Clone, Copy, Default)]
struct Linear {
    /// Whether it is below zero.
    short: bool,
    /// `ceil(|D_u| spot)`, at most [`MAX_VALUE`].
    gross: u64,
}

impl Linear {
    /// `a_u` at the range of a side, at most [`MAX_VALUE`] either way.
    fn shock(self, underlying: &Underlying, side: Side) -> i64 {
        let range = if side == Side::Init { underlying.range } else { underlying.range_maint };
        let loss = mul_ppm_ceil_bounded(self.gross, range).cast_signed();
        if self.short { loss.wrapping_neg() } else { loss }
    }
}

/// The options of the groups on one side.
#[derive(Clone, Copy, Default)]
pub(super) struct Groups {
    /// Groups with options, a bit for each.
    with_options: u32,
    /// Groups with options in more than one underlying.
    several: u32,
    /// The loss of the last underlying with options, by group.
    losses: [u64; MAX_GROUPS],
}

impl Groups {
    /// Adds an underlying with options.
    #[inline(always)]
    pub(super) fn add(&mut self, group: u8, loss: u64) -> Result<(), Error> {
        let last = self.losses.get_mut(usize::from(group)).ok_or(Error::GroupOutOfRange)?;
        *last = loss;
        let bit = 1_u32.wrapping_shl(u32::from(group));
        self.several |= self.with_options & bit;
        self.with_options |= bit;
        Ok(())
    }
}

/// An account whose inputs are checked, valued at last prices.
pub(super) struct Book<'a> {
    /// The account.
    portfolio: &'a Portfolio,
    /// Its options, in order.
    options: &'a [OptionRisk],
    /// What the exchange configures.
    parameters: &'a RiskParameters,
    /// The damping of extreme moves, checked where there are options and without effect where there are none.
    extreme_damping: Ppm,
    /// The linear exposures, by number.
    linears: [Linear; MAX_UNDERLYINGS],
}

/// What is summed over the underlyings.
///
/// Sixteen values within [`MAX_VALUE`], each moved by a favourable move within the same, and 48 add-ons: the sums stay
/// within 2^63 and below 2^64.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    /// Values towards init.
    values_init: i64,
    /// Values towards maint.
    values_maint: i64,
    /// Add-ons towards init.
    addons_init: u64,
    /// Add-ons towards maint.
    addons_maint: u64,
    /// First underlying that blocks new risk.
    blocked_by: Option<u8>,
    /// Whether a price is not fresh, so that the two sides hold different positions.
    differ_in_positions: bool,
    /// Whether an underlying has two ranges, or options whose gains differ, so that the two sides stress differently.
    differ_in_stress: bool,
}

/// [`super::margin`] in general.
#[cold]
#[inline(never)]
pub(super) fn margin_in_general(
    portfolio: &Portfolio,
    options: &[OptionRisk],
    parameters: &RiskParameters,
) -> Result<Margin, Error> {
    let mut totals = Totals::default();
    let book = Book::new(portfolio, options, parameters, &mut totals)?;
    let (stress_init, stress_maint) = book.stresses(&totals)?;
    let addons_init = sum(totals.addons_init, portfolio.quote_addon_init)?;
    let addons_maint = sum(totals.addons_maint, portfolio.quote_addon_maint)?;
    Ok(Margin {
        equity_init: equity(portfolio.quote, totals.values_init)?,
        equity_maint: equity(portfolio.quote, totals.values_maint)?,
        requirement_init: parameters.in_quote(requirement(stress_init, addons_init)?)?,
        requirement_maint: requirement(maintenance(stress_maint, parameters)?, addons_maint)?,
        blocked_by: totals.blocked_by,
    })
}

impl<'a> Book<'a> {
    /// Checks the inputs and values them, summing into `totals`.
    #[inline(never)]
    pub(super) fn new(
        portfolio: &'a Portfolio,
        options: &'a [OptionRisk],
        parameters: &'a RiskParameters,
        totals: &mut Totals,
    ) -> Result<Self, Error> {
        check_options(portfolio, options, parameters)?;
        let extreme_damping = parameters.extreme_damping.min(MAX_EXTREME_DAMPING);
        let linears = [Linear::default(); MAX_UNDERLYINGS];
        let mut book = Self { portfolio, options, parameters, extreme_damping, linears };
        let mut rest = options;
        for (number, (underlying, linear)) in (0_u8..).zip(portfolio.underlyings().iter().zip(&mut book.linears)) {
            let options = next_options(&mut rest, number);
            *linear = totals.add(number, underlying, options, extreme_damping)?;
        }
        Ok(book)
    }

    /// `R` towards init and towards maint, the second before the maintenance ratio.
    ///
    /// Towards init it is the larger of two, at either range: a maximum of functions that keep the axioms keeps them, and
    /// it is never below the one towards maint, which a larger range alone does not ensure (see the module's page).
    #[inline(never)]
    pub(super) fn stresses(&self, totals: &Totals) -> Result<(u64, u64), Error> {
        let init = self.stress(Side::Init)?;
        if !totals.differ_in_stress {
            let maint = if totals.differ_in_positions { self.stress(Side::Maint)? } else { init };
            return Ok((init, maint));
        }
        let maint = self.stress(Side::Maint)?;
        let slow = if totals.differ_in_positions { self.stress(Side::InitSlow)? } else { maint };
        Ok((init.max(slow), maint))
    }

    /// `R` of one side.
    #[inline(never)]
    fn stress(&self, side: Side) -> Result<u64, Error> {
        let mut shocks = Shocks::default();
        let groups = self.add_shocks(&mut shocks, side)?;
        self.net(&mut shocks, &groups, side);
        stress(&shocks, self.parameters)
    }

    /// Sums the shocks and the losses of one side, and says which groups have what.
    #[inline(never)]
    pub(super) fn add_shocks(&self, shocks: &mut Shocks, side: Side) -> Result<Groups, Error> {
        let mut rest = self.options;
        let mut groups = Groups::default();
        for (number, (underlying, linear)) in (0_u8..).zip(self.portfolio.underlyings().iter().zip(&self.linears)) {
            let options = next_options(&mut rest, number);
            if side.counts(underlying, is_committed(underlying, options)) {
                let shock = linear.shock(underlying, side);
                let loss = match options {
                    Some(options) => {
                        let loss = bounded(self.worst(shock, options, side).loss.max(options.short_minimum))?;
                        groups.add(underlying.group, loss)?;
                        loss
                    }
                    None => shock.unsigned_abs(),
                };
                add_shock_and_loss(shocks, underlying.group, shock, loss)?;
            }
        }
        Ok(groups)
    }

    /// `a_u` of one underlying on one side, whether it counts there or not.
    pub(super) fn shock(&self, number: usize, side: Side) -> i64 {
        match (self.portfolio.underlyings().get(number), self.linears.get(number)) {
            (Some(underlying), Some(linear)) => linear.shock(underlying, side),
            _ => 0,
        }
    }

    /// The worst scenario of one underlying's shock and options.
    pub(super) fn worst(&self, shock: i64, options: &OptionRisk, side: Side) -> Worst {
        worst(&total(shock, side.pnl(options), self.extreme_damping))
    }

    /// Puts `N_g` in the place of the net shock of each group that has options.
    ///
    /// Where one underlying has options and all of the group's loss, every other has a shock of zero, and `N_g` is that
    /// loss.
    #[inline(never)]
    fn net(&self, shocks: &mut Shocks, groups: &Groups, side: Side) {
        let (mut with_options, mut several) = (groups.with_options, groups.several);
        for ((group, loss), shock) in (0_u8..).zip(groups.losses).zip(shocks.iter_mut()) {
            if with_options == 0 {
                return;
            }
            // Without a loss in any of its underlyings, a group has none netted either.
            if with_options & 1 != 0 && shock.gross != 0 {
                shock.net = if several & 1 == 0 && loss == shock.gross {
                    loss.cast_signed()
                } else {
                    let (pnl, minimum) = self.scenarios(group, shock, side);
                    // At most the gross loss, 2^62: see the module's page.
                    worst(&pnl).loss.max(minimum).cast_signed()
                };
            }
            (with_options, several) = (with_options >> 1, several >> 1);
        }
    }

    /// A group's P&L in every scenario, and the short-option minimum of its underlyings.
    ///
    /// The shock and each scenario's sum are within 2^62, being sixteen of at most [`MAX_VALUE`] either way, so their sum
    /// is within 2^63 - 32; the minima sum to less than 2^62.
    #[inline(never)]
    pub(super) fn scenarios(&self, group: u8, shock: &Shock, side: Side) -> ([i64; SCENARIOS], u64) {
        let mut pnl = linear(shock.net, self.extreme_damping);
        let mut minimum = 0_u64;
        for options in self.options {
            let underlying = self.portfolio.underlyings().get(usize::from(options.underlying));
            if underlying.is_some_and(|underlying| underlying.group == group && side.counts(underlying, true)) {
                add_pnl(&mut pnl, side.pnl(options));
                minimum = minimum.wrapping_add(options.short_minimum);
            }
        }
        (pnl, minimum)
    }
}

impl Totals {
    /// Adds one underlying, and says what its linear exposure is.
    #[inline(never)]
    fn add(
        &mut self,
        number: u8,
        underlying: &Underlying,
        options: Option<&OptionRisk>,
        extreme_damping: Ppm,
    ) -> Result<Linear, Error> {
        if underlying.range_maint > underlying.range {
            return Err(Error::MaintenanceRangeTooLarge);
        }
        check_addons(underlying)?;
        let committed = is_committed(underlying, options);
        let fresh = underlying.freshness == Freshness::Fresh;
        if !fresh && committed && self.blocked_by.is_none() {
            self.blocked_by = Some(number);
        }
        self.differ_in_positions |= !fresh;
        self.differ_in_stress |= underlying.range_maint != underlying.range || options.is_some_and(has_two_ranges);
        let (valued, short) = match options {
            // The sum was checked when it was valued.
            Some(options) => (
                value_with_options(underlying, options)?,
                underlying.exposure.raw().wrapping_add(options.exposure.raw()) < 0,
            ),
            None => (value(underlying)?, underlying.exposure.is_negative()),
        };
        let linear = Linear { short, gross: valued.gross };
        if fresh || committed {
            self.add_init(underlying, &valued);
        }
        let favour = if underlying.freshness == Freshness::Stale {
            Some(favourable(linear.shock(underlying, Side::Maint), options, extreme_damping)?)
        } else {
            None
        };
        self.add_maint(underlying, &valued, favour);
        Ok(linear)
    }

    /// Adds an underlying towards init, at its last price.
    fn add_init(&mut self, underlying: &Underlying, valued: &Valued) {
        self.values_init = self.values_init.wrapping_add(valued.value);
        let doubt = valued.confidence.wrapping_add(valued.ema_gap);
        self.addons_init = self.addons_init.wrapping_add(doubt).wrapping_add(underlying.addon_init);
    }

    /// Adds an underlying towards maint: at its last price, or, stale, moved one range in the account's favour and without
    /// the oracle's doubt.
    fn add_maint(&mut self, underlying: &Underlying, valued: &Valued, favour: Option<u64>) {
        let (move_in_favour, doubt) = favour.map_or((0, valued.confidence), |favour| (favour, 0));
        self.values_maint = self.values_maint.wrapping_add(valued.value).wrapping_add_unsigned(move_in_favour);
        self.addons_maint = self.addons_maint.wrapping_add(doubt).wrapping_add(underlying.addon_maint);
    }
}

/// `L_u` of a shock and options towards init.
pub(super) fn loss_alone(shock: i64, options: &OptionRisk, extreme_damping: Ppm) -> Result<u64, Error> {
    bounded(worst(&total(shock, &options.pnl_init, extreme_damping)).loss.max(options.short_minimum))
}

/// Puts `N_g` towards init in the place of the net shock of each group that has options, all prices fresh and the damping
/// checked.
#[inline(never)]
pub(super) fn net_groups(
    shocks: &mut Shocks,
    groups: &Groups,
    portfolio: &Portfolio,
    options: &[OptionRisk],
    parameters: &RiskParameters,
) {
    let extreme_damping = parameters.extreme_damping;
    let linears = [Linear::default(); MAX_UNDERLYINGS];
    Book { portfolio, options, parameters, extreme_damping, linears }.net(shocks, groups, Side::Init);
}

/// Whether the gains towards maint are others than those towards init. Word by word: the compiler would call a comparison
/// of bytes.
#[inline(always)]
pub(super) fn has_two_ranges(options: &OptionRisk) -> bool {
    let pairs = options.pnl_init.iter().zip(&options.pnl_maint);
    pairs.fold(0, |bits, (init, maint)| bits | (init.raw() ^ maint.raw())) != 0
}

/// What the best scenario gains: the loss of the opposite position, at most [`MAX_VALUE`].
fn favourable(shock: i64, options: Option<&OptionRisk>, extreme_damping: Ppm) -> Result<u64, Error> {
    let Some(options) = options else {
        return Ok(shock.unsigned_abs());
    };
    let gain = best(&total(shock, &options.pnl_maint, extreme_damping));
    bounded(gain.max(options.long_minimum))
}

/// The options of an underlying, when they are the next of the rest.
pub(super) fn next_options<'a>(rest: &mut &'a [OptionRisk], number: u8) -> Option<&'a OptionRisk> {
    let (first, after) = rest.split_first()?;
    if first.underlying != number {
        return None;
    }
    *rest = after;
    Some(first)
}

/// Whether something is owed or open in an underlying, options included.
fn is_committed(underlying: &Underlying, options: Option<&OptionRisk>) -> bool {
    options.is_some() || underlying.is_committed()
}

/// Checks that each underlying's options come once and in order, and that their numbers are within [`MAX_VALUE`]. Says
/// whether any has other gains towards maint than towards init.
#[inline(never)]
pub(super) fn check_options(
    portfolio: &Portfolio,
    options: &[OptionRisk],
    parameters: &RiskParameters,
) -> Result<bool, Error> {
    if !options.is_empty() && parameters.extreme_damping > MAX_EXTREME_DAMPING {
        return Err(Error::ExtremeDampingInvalid);
    }
    let mut next = 0_usize;
    let mut differ = false;
    for options in options {
        next = portfolio.after(options.underlying, next)?;
        bounded(options.short_minimum)?;
        bounded(options.long_minimum)?;
        check_pnl(&options.pnl_init)?;
        if has_two_ranges(options) {
            check_pnl(&options.pnl_maint)?;
            differ = true;
        }
    }
    Ok(differ)
}

/// Refuses a P&L beyond [`MAX_VALUE`].
fn check_pnl(pnl: &[Quote; SCENARIOS]) -> Result<(), Error> {
    for pnl in pnl {
        if exceeds(pnl.raw()) {
            return Err(Error::Overflow);
        }
    }
    Ok(())
}

/// Whether an amount is above [`MAX_VALUE`] either way, by one comparison: what is not, lies in the words from 0 to twice
/// that once it is shifted up by it.
#[inline(always)]
pub(crate) const fn exceeds(amount: i64) -> bool {
    amount.wrapping_add(MAX_VALUE.cast_signed()).cast_unsigned() > 2 * MAX_VALUE
}

/// Refuses an amount above [`MAX_VALUE`].
fn bounded(amount: u64) -> Result<u64, Error> {
    if amount > MAX_VALUE { Err(Error::Overflow) } else { Ok(amount) }
}

/// Adds one underlying's shock and loss to its group's.
pub(super) fn add_shock_and_loss(shocks: &mut Shocks, group: u8, shock: i64, loss: u64) -> Result<(), Error> {
    let sums = shocks.get_mut(usize::from(group)).ok_or(Error::GroupOutOfRange)?;
    // Sixteen of at most MAX_VALUE each.
    sums.gross = sums.gross.wrapping_add(loss);
    sums.net = sums.net.wrapping_add(shock);
    Ok(())
}

/// P&L of one underlying in every scenario: twice [`MAX_VALUE`] at most, either way.
#[inline(never)]
fn total(shock: i64, pnl: &[Quote; SCENARIOS], extreme_damping: Ppm) -> [i64; SCENARIOS] {
    let mut total = linear(shock, extreme_damping);
    add_pnl(&mut total, pnl);
    total
}

/// Adds the options' gains scenario by scenario; the callers name the bounds.
fn add_pnl(total: &mut [i64; SCENARIOS], pnl: &[Quote; SCENARIOS]) {
    for (total, pnl) in total.iter_mut().zip(pnl) {
        *total = total.wrapping_add(pnl.raw());
    }
}

/// What the worst scenario loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worst {
    /// The loss, zero when no scenario loses.
    pub loss: u64,
    /// The first scenario with that loss; `None` when no scenario loses.
    pub scenario: Option<u8>,
}

/// The worst of the scenarios. None is below -2^63 + 32, so that each has an opposite.
pub(super) fn worst(pnl: &[i64; SCENARIOS]) -> Worst {
    let (mut lowest, mut scenario) = (0_i64, None);
    for (number, pnl) in (0_u8..).zip(pnl) {
        if *pnl < lowest {
            (lowest, scenario) = (*pnl, Some(number));
        }
    }
    Worst { loss: lowest.unsigned_abs(), scenario }
}

/// What the best of the scenarios gains, at least zero.
fn best(pnl: &[i64; SCENARIOS]) -> u64 {
    pnl.iter().fold(0_i64, |best, pnl| best.max(*pnl)).unsigned_abs()
}
