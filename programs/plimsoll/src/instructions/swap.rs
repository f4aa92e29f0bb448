use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, House, MarginAccount, Market},
    effect::{
        ledger,
        swap::{self, Parties, Terms},
    },
    event::Swapped,
    instruction::SwapArgs,
};
use plimsoll_risk::price::Observation;

use crate::book::{self, Book};

/// Accounts of `swap`. Behind them, unless the margin account owes nothing afterwards: every other market that it uses,
/// each with its price account behind it where the stored price is old, and every other bank that it uses.
#[derive(Accounts)]
pub struct Swap {
    /// Owner or delegate of the margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The exchange's house.
    #[account(mut, constraint(house.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub house: Account<House>,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The bank of the mint.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The market that prices it.
    #[account(mut, address = bank.market @ PlimsollError::RateWrongMarket)]
    pub market: Account<Market>,
    /// A price account of its feed: a swap is always priced by one in the same transaction.
    pub oracle: UncheckedAccount,
}

impl Swap {
    /// See the program's instruction.
    pub fn apply(&mut self, args: &SwapArgs, remaining: &[AccountView]) -> Result<()> {
        require!(self.account.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        let now = book::now()?;
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let risk = self.exchange.risk(now);
        let bank_address = *self.bank.address();
        let mut parties = Parties {
            exchange: &self.exchange,
            account: &mut self.account,
            house: &mut self.house,
            quote_bank: &mut self.quote_bank,
            bank_address: &bank_address,
            bank: &mut self.bank,
            market: &mut self.market,
        };
        let applied = swap::apply(&mut parties, &risk, args, &observation, now)?;
        // A liquidation without capital asks at its end.
        if !applied.deferred {
            let book = Book::new(remaining, now)
                .with_bank(&self.bank)
                .with_other_bank(&self.quote_bank)
                .with_market(self.market.address(), &self.market);
            swap::require_margin(
                |account| book.assess(account, &risk),
                |account, assessment| book.require_settled(account, assessment),
                &mut self.account,
                &applied,
            )?;
        }
        self.account.release_balance(applied.places.bank)?;
        self.account.release_balance(applied.places.quote)?;
        self.announce(args, &applied.terms, &observation)
    }

    fn announce(&self, args: &SwapArgs, terms: &Terms, observation: &Observation) -> Result<()> {
        let paid = i64::try_from(terms.paid).map_err(|_| PlimsollError::Overflow)?;
        emit!(Swapped {
            account: *self.account.address(),
            bank: *self.bank.address(),
            trader: *self.authority.address(),
            amount: args.amount,
            paid: if terms.buys { paid } else { paid.wrapping_neg() },
            fee: terms.quote.fee.raw().unsigned_abs(),
            spot: observation.spot.raw(),
            inventory: ledger::house_inventory(&self.bank)?,
        });
        Ok(())
    }
}
