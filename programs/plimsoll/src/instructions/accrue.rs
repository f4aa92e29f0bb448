use anchor_lang::prelude::*;
use plimsoll_interface::{accounts::Bank, effect::ledger, event::Accrued};

use crate::book;

/// Accounts of `accrue`.
#[derive(Accounts)]
pub struct Accrue {
    /// The bank.
    #[account(mut)]
    pub bank: Account<Bank>,
}

impl Accrue {
    /// See the program's instruction.
    pub fn apply(&mut self) -> Result<()> {
        ledger::accrue(&mut self.bank, book::now()?)?;
        emit!(Accrued {
            bank: *self.bank.address(),
            deposit_index: self.bank.deposit_index,
            borrow_index: self.bank.borrow_index,
            reserve: self.bank.reserve,
            accrued_at: self.bank.accrued_at,
        });
        Ok(())
    }
}
