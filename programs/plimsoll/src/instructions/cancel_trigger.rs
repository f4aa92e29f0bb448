use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::MarginAccount,
    event::{TriggerChanged, trigger_change},
    instruction::TriggerArgs,
};

/// Accounts of `cancel_trigger`.
#[derive(Accounts)]
pub struct CancelTrigger {
    /// Owner or delegate of the margin account.
    #[account(constraint(account.may_reduce(authority.address()) @ PlimsollError::NotOwnerOrDelegate))]
    pub authority: Signer,
    /// The margin account.
    #[account(mut)]
    pub account: Account<MarginAccount>,
}

impl CancelTrigger {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &TriggerArgs) -> Result<()> {
        let slot = self.account.triggers.get_mut(usize::from(args.index)).ok_or(PlimsollError::NoTrigger)?;
        require!(slot.side != 0, PlimsollError::NoTrigger);
        let cancelled = *slot;
        *slot = bytemuck::Zeroable::zeroed();
        self.account.touch();
        emit!(TriggerChanged {
            account: *self.account.address(),
            market: cancelled.market,
            index: u64::from(args.index),
            kind: trigger_change::CANCELLED,
            trigger_price: cancelled.trigger_price,
            tip: 0,
        });
        Ok(())
    }
}
