use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market},
    effect::trading::{Order, Parties},
    event::Traded,
    instruction::{ClosePositionArgs, OpenPositionArgs},
};

use crate::{book, instructions::announce_funding, trading};

/// Accounts of `open_position` and `close_position`. Behind them: every other market that the margin account uses, each
/// with its price account behind it where the stored price is old, and every bank that it uses.
#[derive(Accounts)]
pub struct Trade {
    /// Owner or delegate of the margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// A price account of its feed: a trade is always priced by one in the same transaction.
    pub oracle: UncheckedAccount,
}

impl Trade {
    /// `open_position`. What a delegate of that scope orders only reduces.
    pub fn open(&mut self, args: &OpenPositionArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate()?;
        let reduces = !self.account.may_trade(self.authority.address());
        self.execute(&Order::opening(args, reduces), remaining)
    }

    /// `close_position`.
    pub fn close(&mut self, args: &ClosePositionArgs, remaining: &[AccountView]) -> Result<()> {
        self.validate()?;
        let order = Order::closing(&self.account, self.market.address(), args)?;
        self.execute(&order, remaining)
    }

    fn validate(&self) -> Result<()> {
        require!(self.account.may_reduce(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        Ok(())
    }

    fn execute(&mut self, order: &Order, remaining: &[AccountView]) -> Result<()> {
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let market_address = *self.market.address();
        let execution = trading::execute(
            Parties {
                exchange: &self.exchange,
                account: &mut self.account,
                market_address: &market_address,
                market: &mut self.market,
            },
            remaining,
            order,
            &observation,
            now,
        )?;
        announce_funding(&self.account, &market_address, execution.funding, self.market.funding_index);
        emit!(Traded {
            account: *self.account.address(),
            market: market_address,
            trader: *self.authority.address(),
            size: order.size,
            cost: execution.quote.cost.raw(),
            fee: execution.quote.fee.raw().unsigned_abs(),
            spot: observation.spot.raw(),
            position: execution.position,
            house_position: self.market.house_size,
        });
        Ok(())
    }
}
