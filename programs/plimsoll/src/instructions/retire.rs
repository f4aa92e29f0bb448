use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, Market},
    config::state,
    event::Retired,
};

/// Accounts of `retire_market`.
#[derive(Accounts)]
pub struct RetireMarket {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
}

impl RetireMarket {
    /// See the program's instruction. The account stays, and is observed as before: banks that it prices, and slots that
    /// name it, find it.
    pub fn apply(&mut self) -> Result<()> {
        let market = &mut self.market;
        let is_empty = market.config.state == state::WIND_DOWN
            && market.config.risk_budget == 0
            && market.config.options.enabled == 0
            && (market.open_interest_long, market.open_interest_short) == (0, 0)
            && (market.house_size, market.house_cash, market.inventory_banks) == (0, 0, 0)
            && market.boards == 0;
        require!(is_empty, PlimsollError::NotEmpty);
        market.config.state = state::RETIRED;
        emit!(Retired { exchange: *self.exchange.address(), subject: *self.market.address() });
        Ok(())
    }
}

/// Accounts of `retire_bank`.
#[derive(Accounts)]
pub struct RetireBank {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
}

impl RetireBank {
    /// See the program's instruction. The account stays, and its vault with what interest was kept.
    pub fn apply(&mut self) -> Result<()> {
        let bank = &mut self.bank;
        let is_empty = bank.config.state == state::WIND_DOWN
            && bank.is_quote == 0
            && (bank.deposit_shares, bank.borrow_shares, bank.lien_claims) == (0, 0, 0);
        require!(is_empty, PlimsollError::NotEmpty);
        bank.config.state = state::RETIRED;
        emit!(Retired { exchange: *self.exchange.address(), subject: *self.bank.address() });
        Ok(())
    }
}
