//! Accounts without equity: who pays, and when.

use plimsoll_interface::{
    accounts::{Bank, MarginAccount},
    address,
};
use plimsoll_risk::{
    interest, liquidation,
    units::{Fraction, Ppm, Seconds},
    waterfall as risk,
};

use super::Snapshot;
use crate::Error;

/// What who takes over an account without equity is due, and what the insurance pays of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insolvency {
    /// Part of the requirement taken over that is paid besides the debt.
    pub reward: Ppm,
    /// What is due for the whole account, quote native.
    pub due: u64,
    /// The largest fraction that the insurance can pay for.
    pub fraction: Fraction,
    /// What it pays for that fraction, quote native.
    pub payout: u64,
    /// What is due beyond that, quote native.
    pub shortfall: u64,
}

/// What the next `resolve` of an account does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The insurance suffices: who takes the account over is paid by it.
    Liquidate,
    /// The insurance repays the debt of this much quote native that is all that is left.
    Repay(u64),
    /// The house pays this much quote native into the insurance.
    House(u64),
    /// All deposits pay this much quote native into the insurance.
    Deposits(u64),
    /// Deposits pay from this moment on, unix seconds, if the account is seen insolvent until then.
    Wait(i64),
}

/// Accounts without equity.
impl Snapshot {
    /// Since when the account counts as insolvent for an instruction that is sent now, unix seconds.
    fn insolvent_since(&self, account: &MarginAccount) -> i64 {
        let duration = i64::from(self.exchange.data.config.insolvency_duration_seconds);
        let lapsed = self.now.saturating_sub(account.liquidation_seen_at) > duration;
        if account.insolvent_since == 0 || lapsed { self.now } else { account.insolvent_since }
    }

    /// What is due for an account without equity; `None` for one that has some, or is above its line.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer, [`Error::Missing`] without the quote bank.
    pub fn insolvency(&self, account: &MarginAccount) -> Result<Option<Insolvency>, Error> {
        let margin = self.margin(account)?;
        let (equity, requirement) = (margin.equity_maint, margin.requirement_maint);
        if equity.is_positive() || equity >= requirement {
            return Ok(None);
        }
        let elapsed = Seconds::from_raw(self.now.saturating_sub(self.insolvent_since(account)));
        let reward = liquidation::insolvent_reward(&self.exchange.data.config.insolvency(), elapsed);
        let insurance = self.quote_bank()?.reserve;
        let fraction = liquidation::insolvent_fraction(equity, requirement, reward, insurance)?;
        Ok(Some(Insolvency {
            reward,
            due: liquidation::insolvent_due(equity, requirement, reward)?,
            fraction,
            payout: liquidation::insolvent_payout(fraction, equity, requirement, reward)?,
            shortfall: liquidation::shortfall(equity, requirement, reward, insurance)?,
        }))
    }

    /// What the next `resolve` of an account does; `None` for one that has equity, or is above its line.
    ///
    /// # Errors
    /// As [`Self::insolvency`]; [`Error::Missing`] without the house.
    pub fn resolution(&self, account: &MarginAccount) -> Result<Option<Resolution>, Error> {
        let Some(insolvency) = self.insolvency(account)? else { return Ok(None) };
        account.require_no_liens()?;
        let (config, bank) = (&self.exchange.data.config, self.quote_bank()?);
        let missing = risk::missing(insolvency.due, bank.reserve);
        let bare_debt = account.bare_debt();
        if missing == 0 {
            return Ok(Some(match bare_debt {
                Some(shares) => Resolution::Repay(interest::borrow_amount(shares, bank.borrow_index())?),
                None => Resolution::Liquidate,
            }));
        }
        let address = address::house(&self.exchange.address);
        let house = self.house.as_ref().ok_or(Error::Missing { what: "house", address })?;
        let above_floor =
            interest::deposit_amount(house.quote_shares, bank.deposit_index())?.saturating_sub(config.house_floor);
        if above_floor > 0 {
            return Ok(Some(Resolution::House(missing.min(above_floor))));
        }
        let since = self.insolvent_since(account);
        let from = since.saturating_add(i64::from(config.insolvency_duration_seconds));
        if bare_debt.is_none() && self.now < from {
            return Ok(Some(Resolution::Wait(from)));
        }
        let written = risk::write_off(bank.deposit_index(), bank.deposit_shares, missing)?;
        Ok(Some(Resolution::Deposits(written.amount)))
    }

    pub(super) fn quote_bank(&self) -> Result<&Bank, Error> {
        let address = self.exchange.data.quote_bank;
        self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })
    }
}
