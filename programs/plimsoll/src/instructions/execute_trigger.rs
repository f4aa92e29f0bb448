use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, TriggerSlot, same_address, trigger_side, trigger_when},
    effect::trading::{Order, Parties, require_narrow},
    event::{Traded, TriggerChanged, trigger_change},
    instruction::TriggerArgs,
};
use plimsoll_risk::price::Observation;

use crate::{
    book,
    instructions::announce_funding,
    trading::{self, Execution},
};

/// Accounts of `execute_trigger`. Behind them: every other market that the margin account uses, each with its price
/// account behind it where the stored price is old, and every bank that it uses.
#[derive(Accounts)]
pub struct ExecuteTrigger {
    /// Whoever executes it.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account with the stored order.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// A price account of its feed: what the order waited for is in this transaction.
    pub oracle: UncheckedAccount,
    /// Another margin account of the executor, which gets the tip; without it the tip stays where it is.
    #[account(mut, constraint(executor.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub executor: Option<Account<MarginAccount>>,
}

impl ExecuteTrigger {
    /// The stored order, which is of this market and due.
    fn validate(&self, args: &TriggerArgs, observation: &Observation) -> Result<TriggerSlot> {
        if let Some(executor) = &self.executor {
            // Or anybody could fill a stranger's slots.
            require!(executor.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        }
        let trigger = *self.account.triggers.get(usize::from(args.index)).ok_or(PlimsollError::NoTrigger)?;
        let is_it = trigger.side != 0 && same_address(&trigger.market, self.market.address());
        require!(is_it, PlimsollError::NoTrigger);
        let spot = observation.spot.raw();
        let is_due = match trigger.when {
            trigger_when::AT_OR_BELOW => spot <= trigger.trigger_price,
            _ => spot >= trigger.trigger_price,
        };
        require!(is_due, PlimsollError::TriggerNotReached);
        // A doubtful print is no reason to sell: the next one tells.
        require_narrow(&self.market, observation)?;
        Ok(trigger)
    }

    /// What it orders: as much of the position on its side as there is.
    fn order(&self, trigger: &TriggerSlot) -> Result<Order> {
        let slot = self.account.market_slot(self.market.address()).ok_or(PlimsollError::NoPosition)?;
        let position = self.account.markets.get(slot).ok_or(PlimsollError::Corrupt)?.size;
        let is_long = trigger.side == trigger_side::LONG;
        require!(position != 0 && (position > 0) == is_long, PlimsollError::NoPosition);
        let tip = if self.executor.is_some() { trigger.tip } else { 0 };
        let tip = i64::try_from(tip).map_err(|_| PlimsollError::Overflow)?;
        Ok(Order { tip, ..Order::against(position, trigger.size, trigger.limit_price, trigger.expires_at)? })
    }

    /// See the program's instruction. The order is gone afterwards, whatever is left of the position.
    pub fn apply(&mut self, args: &TriggerArgs, remaining: &[AccountView]) -> Result<()> {
        self.account.require_not_deferred()?;
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let trigger = self.validate(args, &observation)?;
        let order = self.order(&trigger)?;
        let market_address = *self.market.address();
        let slot = self.account.triggers.get_mut(usize::from(args.index)).ok_or(PlimsollError::NoTrigger)?;
        *slot = bytemuck::Zeroable::zeroed();
        let execution = trading::execute(
            Parties {
                exchange: &self.exchange,
                account: &mut self.account,
                market_address: &market_address,
                market: &mut self.market,
            },
            remaining,
            &order,
            &observation,
            now,
        )?;
        self.pay_tip(order.tip)?;
        self.announce(args, &trigger, &order, &execution, &observation)
    }

    /// Puts the tip into the executor's cash in the market: a claim on the house has changed hands (INV-3).
    fn pay_tip(&mut self, tip: i64) -> Result<()> {
        let Some(executor) = &mut self.executor else { return Ok(()) };
        if tip == 0 {
            return Ok(());
        }
        let index = executor.market_slot_or_new(self.market.address())?;
        let slot = executor.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        slot.cash = slot.cash.checked_add(tip).ok_or(PlimsollError::Overflow)?;
        executor.touch();
        Ok(executor.release_market(index)?)
    }

    fn announce(
        &self,
        args: &TriggerArgs,
        trigger: &TriggerSlot,
        order: &Order,
        execution: &Execution,
        observation: &Observation,
    ) -> Result<()> {
        let (account, market) = (*self.account.address(), *self.market.address());
        announce_funding(&self.account, &market, execution.funding, self.market.funding_index);
        emit!(Traded {
            account,
            market,
            trader: *self.authority.address(),
            size: order.size,
            cost: execution.quote.cost.raw(),
            fee: execution.quote.fee.raw().unsigned_abs(),
            spot: observation.spot.raw(),
            position: execution.position,
            house_position: self.market.house_size,
        });
        emit!(TriggerChanged {
            account,
            market,
            index: u64::from(args.index),
            kind: trigger_change::EXECUTED,
            trigger_price: trigger.trigger_price,
            tip: order.tip.unsigned_abs(),
        });
        Ok(())
    }
}
