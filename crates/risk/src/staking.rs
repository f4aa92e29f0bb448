//! What a token of a stake pool is worth in the staked asset: the exchange rate that the pool's own account says, and how
//! fast an exchange believes that it rises.
//!
//! # The rates
//!
//! A pool owns `L` lamports and has issued `T` tokens; a token redeems for, and is minted at, `L / T`. So
//!
//! ```text
//! pool    = floor(2^48 L / T)                                          Q16.48, within [MIN_RATE, MAX_RATE]
//! ceiling = last + floor(last rise_per_day allowance / day)            allowance: unused seconds, at most a week
//! borrow  = min(pool, ceiling)                                         what a debt counts at
//! deposit = min(borrow, floor(2^48 (feed - confidence) / spot))        what a deposit counts at
//! ```
//!
//! A fall takes effect at once. A rise is a claim that the tokens became worth more, and stake earns below 0.03 % a day: what
//! is faster is not earned, whatever the pool's account says, and waits.
//!
//! **A debt counts at the pool's rate, not at the market's.** Whoever has to buy the token back may mint it at the pool's rate,
//! so it never costs more for long; and where it trades below, the lower figure would be charged to nobody. A deposit counts
//! at the lower of the two: selling it takes a buyer.
//!
//! # The allowance
//!
//! Pools change their rate once an epoch, two days. A limit by the time since the last update would let whoever updates a
//! second before the epoch ends hold the rate back. So unused seconds are kept, at most [`ALLOWANCE_SECONDS_MAX`], and a
//! rise uses as many as it needs, rounded up: many small updates never reach more than one (a test holds it).
use crate::Error;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::units::{Ppm, Price, Q48};

/// The SPL stake pool program, `SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy`.
pub const STAKE_POOL_PROGRAM_ID: [u8; 32] = [
    6, 129, 78, 212, 202, 246, 138, 23, 70, 114, 253, 172, 134, 3, 26, 99, 232, 78, 161, 94, 250, 29, 68, 183, 34, 147,
    246, 219, 219, 0, 22, 80,
];
/// Sanctum's first deployment of the same program, `SP12tWFxD9oJsVWNavTTBZvMbA6gkAmxtVgxdqvyvhY`.
pub const STAKE_POOL_PROGRAM_ID_2: [u8; 32] = [
    6, 128, 101, 118, 150, 203, 141, 230, 229, 49, 220, 24, 253, 217, 103, 121, 95, 26, 30, 153, 11, 48, 230, 21, 152,
    92, 131, 207, 1, 115, 34, 51,
];
/// Sanctum's second deployment of the same program, `SPMBzsVUuoHA4Jm6KunbsotaahvVikZs1JyTW6iJvbn`.
pub const STAKE_POOL_PROGRAM_ID_3: [u8; 32] = [
    6, 128, 202, 15, 153, 129, 125, 198, 134, 8, 196, 172, 91, 156, 165, 34, 163, 58, 89, 41, 241, 107, 218, 130, 68,
    164, 28, 3, 22, 185, 8, 237,
];

/// Smallest rate that is believed: a sixteenth.
pub const MIN_RATE: u64 = 1 << (Q48 - 4);
/// Largest rate that is believed: sixteen.
pub const MAX_RATE: u64 = 1 << (Q48 + 4);
/// Most seconds of rise that are kept: a week.
pub const ALLOWANCE_SECONDS_MAX: u64 = 604_800;
/// Fastest rise that may be configured: 1 % a day.
pub const MAX_RISE_PER_DAY: Ppm = Ppm::from_raw(10_000);

/// Seconds of a day times parts of a million.
const DAY_PPM: u64 = 86_400 * 1_000_000;
/// Account type of a stake pool; a validator list is 2.
const STAKE_POOL_TYPE: u8 = 1;

/// What a stake pool's account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StakePool {
    /// Lamports that it owns, staked and not, as of its last update.
    pub total_lamports: u64,
    /// Tokens that it has issued, as of its last update.
    pub pool_token_supply: u64,
    /// Epoch of that update.
    pub last_update_epoch: u64,
}

/// `N` bytes at a fixed place.
fn bytes<const N: usize>(data: &[u8], at: usize) -> Result<[u8; N], Error> {
    data.get(at..).and_then(|tail| tail.first_chunk::<N>()).copied().ok_or(Error::StakePoolInvalid)
}

/// Reads the state of an SPL stake pool whose tokens are of `mint`.
///
/// Borsh layout: account type 0 (1 is a pool), manager 1, staker 33, deposit authority 65, bump 97, validator list 98,
/// reserve stake 130, pool mint 162, fee account 194, token program 226, total lamports 258, pool token supply 266, last
/// update epoch 274; lockup and fees behind.
///
/// # Errors
///
/// [`Error::StakePoolInvalid`], [`Error::StakePoolMintMismatch`].
pub fn read_stake_pool(data: &[u8], mint: &[u8; 32]) -> Result<StakePool, Error> {
    if data.first() != Some(&STAKE_POOL_TYPE) {
        return Err(Error::StakePoolInvalid);
    }
    if &bytes::<32>(data, 162)? != mint {
        return Err(Error::StakePoolMintMismatch);
    }
    Ok(StakePool {
        total_lamports: u64::from_le_bytes(bytes(data, 258)?),
        pool_token_supply: u64::from_le_bytes(bytes(data, 266)?),
        last_update_epoch: u64::from_le_bytes(bytes(data, 274)?),
    })
}

impl StakePool {
    /// Lamports per token, Q16.48, rounded down.
    ///
    /// # Errors
    ///
    /// [`Error::ExchangeRateOutOfRange`] for an empty pool and for a rate outside [`MIN_RATE`] ..= [`MAX_RATE`].
    pub fn rate(&self) -> Result<u64, Error> {
        mul_div_floor(self.total_lamports, 1 << Q48, self.pool_token_supply)
            .filter(|rate| (MIN_RATE..=MAX_RATE).contains(rate))
            .ok_or(Error::ExchangeRateOutOfRange)
    }

    /// Whether the pool was updated in `epoch` or the one before: pools are updated once in each, some time after it begins.
    pub const fn is_current(&self, epoch: u64) -> bool {
        self.last_update_epoch.saturating_add(1) >= epoch
    }
}

/// The rate that is believed, and how many seconds of the allowance are left, when `last` was believed before, the pool says
/// `pool` and `allowance` seconds are unused. A `last` of zero is no rate: `pool` is believed as it is, and nothing is left.
/// See the module's page.
///
/// # Errors
///
/// [`Error::Overflow`], which takes a rate above [`MAX_RATE`] or a rise above [`MAX_RISE_PER_DAY`].
pub fn limit_rise(last: u64, pool: u64, rise_per_day: Ppm, allowance: u64) -> Result<(u64, u64), Error> {
    if last == 0 {
        return Ok((pool, 0));
    }
    let allowance = allowance.min(ALLOWANCE_SECONDS_MAX);
    if pool <= last {
        return Ok((pool, allowance));
    }
    let scale = rise_per_day.wide().checked_mul(allowance).ok_or(Error::Overflow)?;
    let most = mul_div_floor(last, scale, DAY_PPM).ok_or(Error::Overflow)?;
    let rise = pool.saturating_sub(last).min(most);
    if rise == 0 {
        return Ok((last, allowance));
    }
    // rise <= most, so at most the allowance.
    let used = mul_div_ceil(allowance, rise, most).ok_or(Error::Overflow)?;
    let rate = last.checked_add(rise).ok_or(Error::Overflow)?;
    Ok((rate, allowance.saturating_sub(used)))
}

/// `rate`, or what the token's own feed says where that is less: the lower end of its confidence interval over the spot of
/// the staked asset, rounded down. Zero where the interval reaches zero.
pub fn cap_by_feed(rate: u64, feed: Price, confidence: Price, spot: Price) -> u64 {
    let low = feed.raw().saturating_sub(confidence.raw());
    // What does not fit is above any rate.
    mul_div_floor(low, 1 << Q48, spot.raw()).map_or(rate, |cap| rate.min(cap))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    const ONE: u64 = 1 << Q48;
    const DAY: u64 = 86_400;

    fn pool(total_lamports: u64, pool_token_supply: u64) -> StakePool {
        StakePool { total_lamports, pool_token_supply, last_update_epoch: 700 }
    }

    #[test]
    fn a_rate_is_lamports_per_token() {
        assert_eq!(pool(5_000, 4_000).rate(), Ok(ONE + ONE / 4));
        // Rounded down: 1 / 3 has no finite binary fraction.
        assert_eq!(pool(1_000, 3_000).rate(), Ok(ONE / 3));
        assert_eq!(pool(u64::MAX, u64::MAX / 16 + 1).rate(), Ok(MAX_RATE - 1));
        for (lamports, supply) in [(0, 0), (1, 0), (0, 1), (1, 17), (17, 1), (u64::MAX, 1)] {
            assert_eq!(pool(lamports, supply).rate(), Err(Error::ExchangeRateOutOfRange), "{lamports} {supply}");
        }
    }

    #[test]
    fn a_pool_is_current_for_its_epoch_and_the_next() {
        let pool = pool(1, 1);
        assert_eq!([699, 700, 701, 702].map(|epoch| pool.is_current(epoch)), [true, true, true, false]);
        assert!(StakePool { last_update_epoch: u64::MAX, ..pool }.is_current(u64::MAX));
    }

    #[test]
    fn the_state_is_read_at_its_places() {
        let mut data = vec![0u8; 611];
        data[0] = 1;
        data[162..194].copy_from_slice(&[7; 32]);
        data[258..266].copy_from_slice(&5u64.to_le_bytes());
        data[266..274].copy_from_slice(&4u64.to_le_bytes());
        data[274..282].copy_from_slice(&9u64.to_le_bytes());
        let read = StakePool { total_lamports: 5, pool_token_supply: 4, last_update_epoch: 9 };
        assert_eq!(read_stake_pool(&data, &[7; 32]), Ok(read));
        assert_eq!(read_stake_pool(&data[..282], &[7; 32]), Ok(read));
        assert_eq!(read_stake_pool(&data[..281], &[7; 32]), Err(Error::StakePoolInvalid));
        assert_eq!(read_stake_pool(&data, &[8; 32]), Err(Error::StakePoolMintMismatch));
        for kind in [0, 2, 3] {
            data[0] = kind;
            assert_eq!(read_stake_pool(&data, &[7; 32]), Err(Error::StakePoolInvalid));
        }
        assert_eq!(read_stake_pool(&[], &[7; 32]), Err(Error::StakePoolInvalid));
    }

    #[test]
    fn a_fall_takes_effect_at_once_and_a_rise_by_the_allowance() {
        let rise = Ppm::from_raw(1_000);
        assert_eq!(limit_rise(ONE, ONE / 2, rise, 5), Ok((ONE / 2, 5)));
        // 0.1 % a day, half a day: 0.05 %.
        let half = ONE * 500 / 1_000_000;
        assert_eq!(limit_rise(ONE, 2 * ONE, rise, DAY / 2), Ok((ONE + half, 0)));
        // A quarter of what the day allows takes a quarter of the day.
        let quarter = ONE * 250 / 1_000_000;
        assert_eq!(limit_rise(ONE, ONE + quarter, rise, DAY), Ok((ONE + quarter, DAY - DAY / 4)));
        // A year unused is a week.
        let week = ONE * 7_000 / 1_000_000;
        assert_eq!(limit_rise(ONE, 2 * ONE, rise, 365 * DAY), Ok((ONE + week, 0)));
        assert_eq!(limit_rise(ONE, 2 * ONE, rise, 0), Ok((ONE, 0)));
        assert_eq!(limit_rise(0, 2 * ONE, rise, DAY), Ok((2 * ONE, 0)));
    }

    #[test]
    fn many_updates_never_reach_more_than_the_days_passed_allow() {
        let rise = Ppm::from_raw(1_000);
        let mut state = 1u64;
        let (mut rate, mut left) = (ONE, 0);
        let mut elapsed = 0u64;
        for _ in 0..5_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let seconds = state >> 54;
            let wanted = rate + (state >> 30) % (1 << 34);
            elapsed += seconds;
            (rate, left) = limit_rise(rate, wanted, rise, left + seconds).unwrap();
            // Each step compounds: e^x is above (1 + x / n)^n.
            let most = (0.001 * elapsed as f64 / DAY as f64).exp();
            assert!(rate as f64 / ONE as f64 <= most * (1.0 + 1e-9), "{rate} after {elapsed}");
        }
        assert!(rate > ONE + ONE / 100, "the rate did rise");
    }

    #[test]
    fn a_deposit_is_never_worth_more_than_its_own_feed_says() {
        let price = |dollars: u64| Price::from_raw(dollars << 40);
        let cap = |rate, feed, confidence| cap_by_feed(rate, price(feed), price(confidence), price(100));
        assert_eq!(cap(ONE, 120, 0), ONE);
        assert_eq!(cap(2 * ONE, 125, 0), ONE + ONE / 4);
        assert_eq!(cap(2 * ONE, 130, 5), ONE + ONE / 4);
        assert_eq!(cap(2 * ONE, 5, 5), 0);
        assert_eq!(cap_by_feed(ONE, Price::MAX, Price::ZERO, Price::MIN_SPOT), ONE);
    }
}
