//! What a loss that nobody's margin covers costs whom: the arithmetic of the steps behind [`crate::liquidation`].
//!
//! An insolvent account owes `-E`, and who takes it over is due `reward R` besides. The insurance pays that while it can.
//! What it lacks, [`missing`], comes from the house, then from all deposits ([`write_off`]) or from the gains on the
//! other side of the account's positions ([`gain_taken`]). Each function says to the unit what is taken from whom; what
//! is taken and what is received are the same number, so the books that add up before add up after.
//!
//! # Deposits bear a loss
//!
//! With `D` deposit shares at the index `d`, an amount `m` moves from all deposits, in proportion, to the reserve `r`:
//!
//! ```text
//! cut = ceil(m 2^48 / D)           d' = d - cut           r' = r + floor(D cut / 2^48)
//! ```
//!
//! In units of `2^-48`, deposits fall by `D cut`, and the reserve rises by at most that: `v + B b >= D d + r` stays
//! (INV-1). And `floor(D cut / 2^48) >= m`, as `D cut >= m 2^48` and `m` is an integer; it is above `m` by less than
//! `1 + D / 2^48`. One call cuts at most half of the index and never below [`MIN_DEPOSIT_INDEX`], so no deposit is ever
//! worth nothing by it, and what is left of a deposit is the same part of every deposit.
//!
//! # Gains bear a loss
//!
//! An account and one of the opposite sign close `n` base units with one another at the spot: one number, the value of
//! `n` rounded in the gainer's favour, leaves one's cash and enters the other's. With `W > 0` what the gainer has
//! gained in the market and not been paid, `cash + size spot`, and `N` its size, it gives up besides
//!
//! ```text
//! g = min(floor(W n / N), deficit)
//! ```
//!
//! so `W' = W - g >= W (N - n) / N >= 0`: in this market it never ends below where it came in, and what it has been paid
//! before is its own. The deficit is what the account owes beyond the insurance, `-E - available`, so the account's
//! equity never rises above `-available <= 0`: nobody is paid out of another's gain.
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor, mul_ppm_ceil, mul_shift_floor, mul_wide};
use crate::price::Observation;
use crate::units::{Base, Index, Ppm, Price, Q48, Quote};

/// No deposit index is below this: `2^-16` per share.
pub const MIN_DEPOSIT_INDEX: Index = Index::from_raw(1 << 32);

/// What `due` lacks of what is available, quote native.
pub const fn missing(due: u64, available: u64) -> u64 {
    due.saturating_sub(available)
}

/// What an account owes beyond what is available, `max(-E - available, 0)`, quote native.
pub const fn deficit(equity: Quote, available: u64) -> u64 {
    if equity.is_positive() { 0 } else { equity.unsigned_abs().saturating_sub(available) }
}

/// What deposits lose in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOff {
    /// The deposit index after.
    pub deposit_index: Index,
    /// What the reserve gains, native units: all that deposits lose, rounded down.
    pub amount: u64,
}

/// Moves `missing` from all deposits to the reserve, or as much as one step may. Derived on the module's page.
///
/// # Errors
///
/// [`Error::IndexInvalid`] for an index below [`MIN_DEPOSIT_INDEX`]; [`Error::Overflow`] where what deposits lose does
/// not fit.
pub fn write_off(deposit_index: Index, deposit_shares: u64, missing: u64) -> Result<WriteOff, Error> {
    // At least zero for a valid index; half of it is below it.
    let room = deposit_index.raw().checked_sub(MIN_DEPOSIT_INDEX.raw()).ok_or(Error::IndexInvalid)?;
    let most = room.min(deposit_index.raw() >> 1);
    let wanted = if deposit_shares == 0 { None } else { mul_div_ceil(missing, 1 << Q48, deposit_shares) };
    // What does not fit a word is more than any index.
    let cut = match wanted {
        Some(cut) => cut.min(most),
        None if deposit_shares == 0 => 0,
        None => most,
    };
    let amount = mul_shift_floor(deposit_shares, cut, Q48).ok_or(Error::Overflow)?;
    // cut <= index.
    Ok(WriteOff { deposit_index: Index::from_raw(deposit_index.raw().wrapping_sub(cut)), amount })
}

/// One side of a position in profit: what it has gained and not been paid, and its magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gainer {
    /// `cash + size spot` above zero, quote native.
    pub gain: u64,
    /// Magnitude of the position, base units, above zero.
    pub size: u64,
}

impl Gainer {
    /// Whether it has gained more per base unit than another.
    pub fn is_ahead_of(&self, other: &Self) -> bool {
        // gain / size > other.gain / other.size
        mul_wide(self.gain, other.size) > mul_wide(other.gain, self.size)
    }
}

/// What a gainer gives up for `closed` base units of its position, at most `deficit`: quote native, rounded down.
///
/// # Errors
///
/// [`Error::SizeZero`] for a gainer without position; [`Error::Overflow`] where more is closed than there is.
pub fn gain_taken(gainer: &Gainer, closed: u64, deficit: u64) -> Result<u64, Error> {
    if gainer.size == 0 {
        return Err(Error::SizeZero);
    }
    if closed > gainer.size {
        return Err(Error::Overflow);
    }
    Ok(mul_div_floor(gainer.gain, closed, gainer.size).ok_or(Error::Overflow)?.min(deficit))
}

/// What tokens of a reserve cost who buys them: at the top of the oracle's interval of doubt, and `premium` of that on
/// top, so that a price that is a moment old is no bargain. Each rounded up, quote native.
///
/// # Errors
///
/// [`Error::Overflow`].
pub fn reserve_cost(amount: Base, observation: &Observation, premium: Ppm) -> Result<u64, Error> {
    let price = observation.spot.raw().checked_add(observation.confidence.raw()).ok_or(Error::Overflow)?;
    let value = Price::from_raw(price).magnitude_ceil(amount).ok_or(Error::Overflow)?;
    let charge = mul_ppm_ceil(value, premium).ok_or(Error::Overflow)?;
    value.checked_add(charge).ok_or(Error::Overflow)
}
