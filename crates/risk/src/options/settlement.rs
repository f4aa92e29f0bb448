//! What options are settled at: a trimmed mean of samples of the oracle's price.
//!
//! ```text
//! n samples in order, k = floor(n / 5):   price = floor( (p[k] + ... + p[n - 1 - k]) / (n - 2 k) )
//! ```
//!
//! With at most `k` wild samples, however wild and on whichever side, the price is between the lowest and the highest of
//! the others: what is left after `k` were taken off each end lies between the `k + 1`-th lowest and highest of all, and
//! these are between the lowest and the highest of the `n - k` others. A plain mean moves by a wild sample's error over `n`
//! instead, without any bound. A median bears nearly `n / 2` of them, but hangs on one or two samples only: the mean of the
//! middle three fifths moves by at most `5 / (3 n)` of what one of its samples is moved by.
//!
//! Rounded down: a unit of `2^-48` against calls and for puts, which favours nobody.
use crate::units::Price;

/// Most samples of one settlement.
pub const MAX_SAMPLES: usize = 30;
/// What part of the samples is left out at each end: a fifth.
const TRIMMED: usize = 5;

/// The price of settlement. `None` without samples, or with more than [`MAX_SAMPLES`].
pub fn settlement_price(samples: &[u64]) -> Option<Price> {
    let mut sorted = [0; MAX_SAMPLES];
    let sorted = sorted.get_mut(..samples.len())?;
    sorted.copy_from_slice(samples);
    sorted.sort_unstable();
    let trimmed = sorted.len().checked_div(TRIMMED)?;
    let kept = sorted.get(trimmed..sorted.len().checked_sub(trimmed)?)?;
    let count = u64::try_from(kept.len()).ok()?;
    // With p = q count + r the sum is count times the sum of q, at most the mean, plus that of r, below count^2.
    let (mut whole, mut rest) = (0_u64, 0_u64);
    for price in kept {
        whole = whole.checked_add(price.checked_div(count)?)?;
        rest = rest.checked_add(price.checked_rem(count)?)?;
    }
    whole.checked_add(rest.checked_div(count)?).map(Price::from_raw)
}
