use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError, accounts::Exchange, config::pause, event::PausesSet, instruction::SetPausesArgs,
};

use crate::controls;

/// Accounts of `set_pauses`.
#[derive(Accounts)]
pub struct SetPauses {
    /// The exchange's admin, or its risk admin to pause.
    pub authority: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

impl SetPauses {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &SetPausesArgs) -> Result<()> {
        require!((args.set | args.clear) & !pause::ALL == 0, PlimsollError::InvalidPauses);
        let is_admin = controls::is_admin(&self.exchange, self.authority.address())?;
        require!(is_admin || args.clear == 0, PlimsollError::OnlyTightening);
        let pauses = self.exchange.config.pauses & !args.clear | args.set;
        self.exchange.config.pauses = pauses;
        emit!(PausesSet {
            exchange: *self.exchange.address(),
            authority: *self.authority.address(),
            pauses: u64::from(pauses),
        });
        Ok(())
    }
}
