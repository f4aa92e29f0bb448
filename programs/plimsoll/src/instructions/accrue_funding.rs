use anchor_lang::prelude::*;
use plimsoll_interface::{
    accounts::{MarginAccount, Market},
    event::{FundingAccrued, FundingPaid},
};

use crate::book;

/// Accounts of `accrue_funding`.
#[derive(Accounts)]
pub struct AccrueFunding {
    /// The market.
    #[account(mut)]
    pub market: Account<Market>,
}

impl AccrueFunding {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        self.market.accrue_funding(book::now()?);
        emit!(FundingAccrued {
            market: *self.market.address(),
            index: self.market.funding_index,
            rate_per_day: self.market.funding_rate_per_day(),
            accrued_at: self.market.funding_accrued_at,
        });
        Ok(())
    }
}

/// Tells of a payment of funding, if there was one.
pub fn announce_funding(account: &Account<MarginAccount>, market: &Address, amount: i64, index: i64) {
    if amount != 0 {
        emit!(FundingPaid { account: *account.address(), market: *market, amount, index });
    }
}
