//! Interest and funding up to now.

use plimsoll_interface::effect::ledger;
use plimsoll_risk::units::Timestamp;

use super::Snapshot;
use crate::Error;

/// Interest and funding.
impl Snapshot {
    /// Brings every bank's interest and every market's funding up to [`Self::now`], as `accrue` and `accrue_funding` do for
    /// one and `liquidate` for those it touches.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn accrue(&mut self) -> Result<(), Error> {
        for bank in self.banks.values_mut() {
            ledger::accrue(bank, Timestamp::from_raw(self.now))?;
        }
        for market in self.markets.values_mut() {
            market.accrue_funding(Timestamp::from_raw(self.now));
        }
        Ok(())
    }
}
