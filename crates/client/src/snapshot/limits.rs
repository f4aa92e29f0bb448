//! The largest trades that the chain would accept.

use plimsoll_interface::{Address, PlimsollError, accounts::MarginAccount, address, bridge, effect::ledger};
use plimsoll_risk::units::Timestamp;

use super::{Snapshot, Trade, WhatIf};
use crate::Error;

/// The largest size of a trade.
#[derive(Clone, Debug)]
pub struct MaxSize {
    /// The largest size that the chain would accept, zero for none: native units, base units or lots.
    pub size: u64,
    /// What refuses one unit more; `None` where any size is accepted.
    pub limit: Option<PlimsollError>,
    /// What the account would be after a trade of that size; `None` for a size of zero.
    pub what_if: Option<WhatIf>,
}

/// Largest sizes.
impl Snapshot {
    /// The largest size at which the chain would accept `trade`, whose own size says no more than the direction.
    ///
    /// A size is looked for among the powers of two, as small ones may be refused that a larger one is not: one that hedges, or
    /// one that is worth a unit. From the largest accepted on, what is refused is refused for being too large, and
    /// bisection finds the last that is not.
    ///
    /// # Errors
    /// As [`Self::what_if`].
    pub fn max_size(&self, account: &MarginAccount, trade: &Trade) -> Result<MaxSize, Error> {
        self.max_size_within(account, trade, size_limit(trade))
    }

    /// The largest part of a deposit that the chain would let go, native: nothing is borrowed.
    ///
    /// # Errors
    /// As [`Self::what_if`].
    pub fn max_withdraw(&self, account: &MarginAccount, mint: &Address) -> Result<MaxSize, Error> {
        let held = self.deposit_of(account, mint)?;
        self.max_size_within(account, &Trade::Withdraw { mint: *mint, amount: 0 }, held)
    }

    /// The most that the chain would let an account withdraw beyond its deposit, native: [`MaxSize::what_if`] is after the
    /// withdrawal of both.
    ///
    /// # Errors
    /// As [`Self::what_if`].
    pub fn max_borrow(&self, account: &MarginAccount, mint: &Address) -> Result<MaxSize, Error> {
        let held = self.deposit_of(account, mint)?;
        let most = self.max_size(account, &Trade::Withdraw { mint: *mint, amount: 0 })?;
        let size = most.size.saturating_sub(held);
        Ok(MaxSize { size, what_if: most.what_if.filter(|_| size > 0), ..most })
    }

    /// An account's deposit in the bank of a mint, with interest up to now, native.
    ///
    /// # Errors
    /// [`Error::Missing`] for a mint without a bank.
    pub fn deposit_of(&self, account: &MarginAccount, mint: &Address) -> Result<u64, Error> {
        let address = address::bank(&self.exchange.address, mint);
        let mut bank = *self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?;
        ledger::accrue(&mut bank, Timestamp::from_raw(self.now))?;
        let Some(index) = account.balance_slot(&address) else { return Ok(0) };
        let (amount, is_borrow) = bridge::balance_amount(&account.balances[index], &bank)?;
        Ok(if is_borrow { 0 } else { amount })
    }

    fn max_size_within(&self, account: &MarginAccount, trade: &Trade, most: u64) -> Result<MaxSize, Error> {
        let of = |size: u64| self.what_if(account, &trade.with_size(size));
        let mut best: Option<WhatIf> = None;
        let mut limit = None;
        let powers = (0..u64::BITS).map(|bit| 1u64 << bit).take_while(|size| *size < most);
        for size in powers.chain((most > 0).then_some(most)) {
            let what_if = of(size)?;
            match what_if.refused {
                None => (best, limit) = (Some(what_if), None),
                Some(refused) => limit = limit.or(Some((size, refused))),
            }
        }
        // Where none is accepted, what refuses the least.
        let Some(mut best) = best else {
            return Ok(MaxSize { size: 0, limit: limit.map(|(_, refused)| refused), what_if: None });
        };
        if let Some((mut above, _)) = limit {
            while above - best.trade.size() > 1 {
                let middle = best.trade.size().midpoint(above);
                let what_if = of(middle)?;
                match what_if.refused {
                    None => best = what_if,
                    Some(refused) => (above, limit) = (middle, Some((middle, refused))),
                }
            }
        }
        Ok(MaxSize { size: best.trade.size(), limit: limit.map(|(_, refused)| refused), what_if: Some(best) })
    }
}

/// The largest size that the trade's instruction can say.
fn size_limit(trade: &Trade) -> u64 {
    match trade {
        // The largest number asks for the whole deposit.
        Trade::Withdraw { .. } => u64::MAX - 1,
        Trade::Deposit { .. } => u64::MAX,
        Trade::OpenPosition { .. } | Trade::Swap { .. } => i64::MAX.unsigned_abs(),
        Trade::OpenOption { .. } => i32::MAX.unsigned_abs().into(),
        // More than the position closes the position.
        Trade::ClosePosition { .. } => i64::MAX.unsigned_abs(),
        Trade::CloseOption { .. } => i32::MAX.unsigned_abs().into(),
        Trade::Settle { .. } | Trade::SettleOption { .. } => 1,
    }
}
