use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{MarginAccount, Market, TriggerSlot, trigger_side, trigger_when},
    config::limits,
    event::{TriggerChanged, trigger_change},
    instruction::PlaceTriggerArgs,
};

use crate::book;

/// Accounts of `place_trigger`.
#[derive(Accounts)]
pub struct PlaceTrigger {
    /// Owner or delegate of the margin account.
    #[account(constraint(account.may_reduce(authority.address()) @ PlimsollError::NotOwnerOrDelegate))]
    pub authority: Signer,
    /// The margin account.
    #[account(mut)]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(constraint(market.exchange == account.exchange @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
}

impl PlaceTrigger {
    fn validate(&self, args: &PlaceTriggerArgs) -> Result<()> {
        let valid = (trigger_side::LONG..=trigger_side::SHORT).contains(&args.side)
            && (trigger_when::AT_OR_BELOW..=trigger_when::AT_OR_ABOVE).contains(&args.when)
            && args.trigger_price > 0
            && args.size > 0
            && args.tip <= limits::TRIGGER_TIP_MAX
            && (args.expires_at == 0 || args.expires_at >= book::now()?.raw());
        require!(valid, PlimsollError::InvalidTrigger);
        Ok(())
    }

    /// See the program's instruction. There need be no position yet: one that is not there when the time comes is not
    /// closed.
    pub fn apply(&mut self, args: &PlaceTriggerArgs) -> Result<()> {
        self.validate(args)?;
        let market = *self.market.address();
        let slots = self.account.triggers.iter_mut().enumerate();
        let free = slots.into_iter().find(|(_, slot)| slot.side == 0);
        let (index, slot) = free.ok_or(PlimsollError::TooManyTriggers)?;
        *slot = TriggerSlot {
            market,
            trigger_price: args.trigger_price,
            limit_price: args.limit_price,
            size: args.size,
            tip: args.tip,
            expires_at: args.expires_at,
            side: args.side,
            when: args.when,
            _padding: [0; 6],
        };
        self.account.touch();
        emit!(TriggerChanged {
            account: *self.account.address(),
            market,
            index: u64::try_from(index).map_err(|_| PlimsollError::Corrupt)?,
            kind: trigger_change::PLACED,
            trigger_price: args.trigger_price,
            tip: 0,
        });
        Ok(())
    }
}
