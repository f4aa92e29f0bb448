//! From shocks to the requirement of the whole: groups, then `R`.
use super::{MAX_GROUPS, RiskParameters};
use crate::Error;
use crate::math::{isqrt_ceil, mul_wide};
use crate::units::Ppm;

/// Shocks of one group.
#[derive(Clone, Copy, Default)]
pub(super) struct Shock {
    /// `sum a_u`, and where there are options, once the scenarios are netted, `N_g`. Of magnitude at most `gross` then.
    pub net: i64,
    /// `A_g = sum L_u`, at most 2^62: 16 losses of at most [`super::MAX_VALUE`].
    pub gross: u64,
}

/// Shocks of every group. Over all groups the gross shocks are at most 2^62.
pub(super) type Shocks = [Shock; MAX_GROUPS];

/// Adds the shock of one underlying to its group.
#[inline(always)]
pub(super) fn add_shock<const SHORT: bool>(shocks: &mut Shocks, group: u8, loss: u64) -> Result<(), Error> {
    let shock = shocks.get_mut(usize::from(group)).ok_or(Error::GroupOutOfRange)?;
    // |net| <= gross <= 2^62 at every step, so neither wraps.
    shock.gross = shock.gross.wrapping_add(loss);
    let loss = loss.cast_signed();
    shock.net = if SHORT { shock.net.wrapping_sub(loss) } else { shock.net.wrapping_add(loss) };
    Ok(())
}

/// `R_g` of one group.
///
/// `ceil(phi N + (1 - phi) A) = A - floor(phi (A - N))`, as `A` is an integer; and `A >= N`.
#[inline(always)]
pub(super) fn group_risk(shock: &Shock, phi: Ppm) -> Result<u64, Error> {
    if phi > Ppm::ONE {
        return Err(Error::PhiInvalid);
    }
    let offset = shock.gross.wrapping_sub(shock.net.unsigned_abs());
    let (credit, _) = split_ppm(offset, phi);
    Ok(shock.gross.wrapping_sub(credit))
}

/// `floor(value ratio)` and the millionths left over, for `value <= 2^62` and a ratio of at most one: neither product
/// wraps.
#[inline(always)]
const fn split_ppm(value: u64, ratio: Ppm) -> (u64, u64) {
    let (millions, rest) = divide_by_million(value);
    let (carry, millionths) = divide_by_million(rest.wrapping_mul(ratio.wide()));
    (millions.wrapping_mul(ratio.wide()).wrapping_add(carry), millionths)
}

/// Quotient and remainder of a division by one million.
#[inline(always)]
const fn divide_by_million(value: u64) -> (u64, u64) {
    let millions = value / MILLION;
    (millions, value.wrapping_sub(millions.wrapping_mul(MILLION)))
}

/// One million.
const MILLION: u64 = 1_000_000;

/// A group's risk `R_g = millions 10^6 + rest`, split so that its product with a ratio in ppm needs one word a part.
#[derive(Clone, Copy, Default)]
struct Risk {
    /// At most `2^62 / 10^6`.
    millions: u64,
    /// Below 10^6.
    rest: u64,
}

/// `R` of the shocks.
pub(super) fn stress(shocks: &Shocks, parameters: &RiskParameters) -> Result<u64, Error> {
    let mut risks = [Risk::default(); MAX_GROUPS];
    let (mut groups, mut last) = (0_u32, 0_u64);
    for (risk, (shock, phi)) in risks.iter_mut().zip(shocks.iter().zip(&parameters.phi)) {
        if shock.gross != 0 {
            last = group_risk(shock, *phi)?;
            (risk.millions, risk.rest) = divide_by_million(last);
            groups = groups.wrapping_add(1);
        }
    }
    // One group alone: R is its R_g.
    if groups <= 1 { Ok(last) } else { aggregate(&risks, parameters) }
}

/// `R = ceil(sqrt(sum_gh rho_gh R_g R_h))`, exact: one rounding, at the end.
///
/// Row by row, `sum_gh = sum_g R_g (R_g + 2 sum_{h<g} rho_gh R_h)`. With each risk split into millions `q` and a rest
/// `r`, and correlations in ppm, `rho R = q rho + r rho / 10^6`, so that products of single words are enough:
///
/// ```text
/// 2 sum_{h<g} rho_gh R_h = w + m / 10^6          0 <= m < 10^6
/// row                    = R_g (R_g + w) + q_g m + r_g m / 10^6
/// ```
///
/// and the millionths of all rows are summed before the one ceiling. For an integer `k`, `k^2 >= x` exactly when
/// `k^2 >= ceil(x)`, so taking the ceiling before the root changes nothing.
///
/// The `R_g` sum to at most 2^62 and no correlation is above one, so `R_g + w < 2^64`, the `q m` sum to at most 2^62
/// and the whole sum is at most `2^124`: no addition here wraps.
#[inline(never)]
fn aggregate(risks: &[Risk; MAX_GROUPS], parameters: &RiskParameters) -> Result<u64, Error> {
    let (mut high, mut low) = (0_u64, 0_u64);
    let (mut units, mut millionths) = (0_u64, 0_u64);
    let mut rows: &[Ppm] = &parameters.rho;
    let mut group = 0_usize;
    for risk in risks {
        let (row, next_rows) = rows.split_at_checked(group).unwrap_or((rows, &[]));
        rows = next_rows;
        group = group.wrapping_add(1);
        let own = risk.millions.wrapping_mul(MILLION).wrapping_add(risk.rest);
        if own == 0 {
            continue;
        }
        let (whole, part) = correlated(risks, row)?;
        let (row_high, row_low) = mul_wide(own, own.wrapping_add(whole));
        (high, low) = add_wide(high, low, row_high, row_low);
        units = units.wrapping_add(risk.millions.wrapping_mul(part));
        // Eight times below 10^12.
        millionths = millionths.wrapping_add(risk.rest.wrapping_mul(part));
    }
    units = units.wrapping_add(millionths.div_ceil(MILLION));
    (high, low) = add_wide(high, low, 0, units);
    isqrt_ceil(high, low).ok_or(Error::Overflow)
}

/// `2 sum_{h<g} rho_gh R_h`, as units and millionths. The row ends the sum: it has as many entries as groups before
/// `g`.
#[inline(always)]
fn correlated(risks: &[Risk; MAX_GROUPS], row: &[Ppm]) -> Result<(u64, u64), Error> {
    let (mut whole, mut part) = (0_u64, 0_u64);
    for (rho, other) in row.iter().zip(risks) {
        if *rho > Ppm::ONE {
            return Err(Error::RhoInvalid);
        }
        whole = whole.wrapping_add(other.millions.wrapping_mul(rho.wide()));
        // At most 7 terms below 10^12.
        part = part.wrapping_add(other.rest.wrapping_mul(rho.wide()));
    }
    let (carry, part) = divide_by_million(part.wrapping_add(part));
    Ok((whole.wrapping_add(whole).wrapping_add(carry), part))
}

/// Sum of two double words that fits one.
#[inline(always)]
const fn add_wide(high: u64, low: u64, more_high: u64, more_low: u64) -> (u64, u64) {
    let low = low.wrapping_add(more_low);
    let carry = (low < more_low) as u64;
    (high.wrapping_add(more_high).wrapping_add(carry), low)
}

/// `ceil(maintenance_ratio R)`, for `R` up to 2^62.
#[inline(always)]
pub(super) fn maintenance(stress: u64, parameters: &RiskParameters) -> Result<u64, Error> {
    if parameters.maintenance_ratio > Ppm::ONE {
        return Err(Error::MaintenanceRatioInvalid);
    }
    let (floor, millionths) = split_ppm(stress, parameters.maintenance_ratio);
    Ok(floor.wrapping_add(u64::from(millionths != 0)))
}
