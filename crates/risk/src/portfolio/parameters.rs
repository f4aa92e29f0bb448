//! What the exchange configures for aggregation, and its validation as a whole.
use super::{GROUP_PAIRS, MAX_GROUPS};
use crate::Error;
use crate::math::{mul_div_ceil, positive};
use crate::units::{Ppm, Quote};

/// How far below zero an eigenvalue of the correlation matrix may be, in ppm: room for entries rounded to one ppm.
pub const RHO_TOLERANCE: Ppm = Ppm::from_raw(10);

/// Largest part of an extreme move's gain or loss that may count: three times it stays below one, so that a linear book
/// is never worst beyond its range.
pub const MAX_EXTREME_DAMPING: Ppm = Ppm::from_raw(333_333);

/// What the exchange configures for aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct RiskParameters {
    /// Credit for correlation inside each group: 0 none, [`Ppm::ONE`] full netting.
    pub phi: [Ppm; MAX_GROUPS],
    /// Correlation between groups, the strict lower triangle row by row: (1,0), (2,0), (2,1), (3,0), ... See
    /// [`pair_index`]. The diagonal is one.
    pub rho: [Ppm; GROUP_PAIRS],
    /// Maintenance over initial stress requirement, above 0 and at most [`Ppm::ONE`].
    pub maintenance_ratio: Ppm,
    /// Which part of the gain or loss of a move by three ranges counts, at most [`MAX_EXTREME_DAMPING`].
    pub extreme_damping: Ppm,
    /// What one unit of quote is worth, of a dollar, above 0. Below [`Ppm::ONE`] the requirement towards init grows by its
    /// reciprocal; above, it counts as one.
    pub quote_price: Ppm,
}

/// Where the correlation of two different groups is in [`RiskParameters::rho`]; `None` for one group twice or a group
/// that does not exist.
pub const fn pair_index(one: u8, other: u8) -> Option<usize> {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    if low == high || high as usize >= MAX_GROUPS {
        return None;
    }
    Some(row_start(high as usize).wrapping_add(low as usize))
}

/// Start of a group's row in [`RiskParameters::rho`]: `g (g - 1) / 2`.
#[inline(always)]
const fn row_start(group: usize) -> usize {
    group.wrapping_mul(group.wrapping_sub(1)) >> 1
}

impl RiskParameters {
    /// No credit for correlation inside a group, groups unrelated, maintenance at the initial requirement, extreme moves
    /// damped least.
    pub const STRICT: Self = Self {
        phi: [Ppm::ZERO; MAX_GROUPS],
        rho: [Ppm::ZERO; GROUP_PAIRS],
        maintenance_ratio: Ppm::ONE,
        extreme_damping: MAX_EXTREME_DAMPING,
        quote_price: Ppm::ONE,
    };

    /// `ceil(requirement / quote_price)`: what the account must be worth in a quote that is worth less than it counts for.
    /// Equity is counted in quote at its face, so a requirement of dollars takes more of it.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`], also for a price of zero.
    #[inline(always)]
    pub(super) fn in_quote(&self, requirement: Quote) -> Result<Quote, Error> {
        if self.quote_price >= Ppm::ONE {
            return Ok(requirement);
        }
        let (amount, one) = (requirement.unsigned_abs(), u64::from(Ppm::ONE.raw()));
        let scaled = mul_div_ceil(amount, one, u64::from(self.quote_price.raw())).ok_or(Error::Overflow)?;
        positive(scaled).map(Quote::from_raw).ok_or(Error::Overflow)
    }

    /// Correlation of two groups; one on the diagonal, `None` for a group that does not exist.
    pub fn rho(&self, one: u8, other: u8) -> Option<Ppm> {
        if one == other && usize::from(one) < MAX_GROUPS {
            return Some(Ppm::ONE);
        }
        pair_index(one, other).and_then(|index| self.rho.get(index).copied())
    }

    /// Checks the parameters as a whole.
    ///
    /// The matrix is positive semi-definite when no eigenvalue is negative. Entries are rounded to one ppm, which moves
    /// an eigenvalue by up to 4 ppm, so [`RHO_TOLERANCE`] is granted. The decision is exact but
    /// for smallest eigenvalues between -10.03 and -9.97 ppm.
    ///
    /// # Errors
    ///
    /// [`Error::PhiInvalid`], [`Error::RhoInvalid`], [`Error::MaintenanceRatioInvalid`],
    /// [`Error::ExtremeDampingInvalid`], [`Error::RhoNotPositiveSemiDefinite`].
    pub fn validate(&self) -> Result<(), Error> {
        if self.phi.iter().any(|phi| *phi > Ppm::ONE) {
            return Err(Error::PhiInvalid);
        }
        if self.rho.iter().any(|rho| *rho > Ppm::ONE) {
            return Err(Error::RhoInvalid);
        }
        if self.maintenance_ratio.is_zero() || self.maintenance_ratio > Ppm::ONE {
            return Err(Error::MaintenanceRatioInvalid);
        }
        if self.extreme_damping > MAX_EXTREME_DAMPING {
            return Err(Error::ExtremeDampingInvalid);
        }
        if !self.is_positive_semi_definite() {
            return Err(Error::RhoNotPositiveSemiDefinite);
        }
        Ok(())
    }

    /// Whether no eigenvalue of the correlation matrix is below minus [`RHO_TOLERANCE`].
    ///
    /// Gaussian elimination of `A = rho + tolerance I` by symmetric steps (`L D L^T`), in integers of 2^-11 ppm: `A` is
    /// positive definite exactly when every pivot is positive. Each step replaces `a_ij` by `a_ij - a_ik a_jk / a_kk`
    /// with one rounding of at most one integer step, so the pivots are those of a matrix that differs from `A` by at
    /// most 7 steps per entry, hence by at most 8 * 7 steps = 0.03 ppm in every eigenvalue, however small the pivots.
    /// The decision is therefore exact for a smallest eigenvalue outside -10.03 ..= -9.97 ppm.
    ///
    /// In a positive definite matrix no entry is above the diagonal's largest, and no diagonal rises: an entry above
    /// that is refused at once, which also bounds every product below 2^63.
    fn is_positive_semi_definite(&self) -> bool {
        const STEPS: i64 = 1 << 11;
        const DIAGONAL: i64 = 1_000_010 * STEPS;
        let mut a = [[0_i64; MAX_GROUPS]; MAX_GROUPS];
        for (row, line) in (0_u8..).zip(a.iter_mut()) {
            for (column, entry) in (0_u8..).zip(line.iter_mut()) {
                *entry = if row == column {
                    DIAGONAL
                } else {
                    // At most 10^6 ppm, checked by the caller; above it the bound below refuses.
                    let rho = self.rho(row, column).unwrap_or(Ppm::ONE);
                    i64::from(rho.raw()).saturating_mul(STEPS)
                };
            }
        }
        let mut rest: &mut [[i64; MAX_GROUPS]] = &mut a;
        let mut first = 0_usize;
        while let Some((pivot_row, below)) = rest.split_first_mut() {
            let Some(&pivot) = pivot_row.get(first) else {
                return false;
            };
            if pivot <= 0 {
                return false;
            }
            for line in below.iter_mut() {
                let Some(&factor) = line.get(first) else {
                    return false;
                };
                for (entry, above) in line.iter_mut().zip(pivot_row.iter()).skip(first.wrapping_add(1)) {
                    let Some(eliminated) = factor
                        .checked_mul(*above)
                        .map(|product| divide_toward_zero(product, pivot))
                        .and_then(|part| entry.checked_sub(part))
                    else {
                        return false;
                    };
                    if eliminated.unsigned_abs() > DIAGONAL.unsigned_abs() {
                        return false;
                    }
                    *entry = eliminated;
                }
            }
            first = first.wrapping_add(1);
            rest = below;
        }
        true
    }
}

/// `numerator / denominator` rounded toward zero, for a positive denominator: by magnitudes, as the machine has no
/// signed division.
const fn divide_toward_zero(numerator: i64, denominator: i64) -> i64 {
    // At most 2^63 / 1; only -2^63 / 1 is 2^63, which the cast and the negation turn back into itself.
    let magnitude = match numerator.unsigned_abs().checked_div(denominator.unsigned_abs()) {
        Some(magnitude) => magnitude.cast_signed(),
        None => 0,
    };
    if numerator < 0 { magnitude.wrapping_neg() } else { magnitude }
}
