use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, Market, same_address},
    bridge::{self, Side},
    config::{limits, pause},
    effect::{inventory, ledger},
    event::ReserveBought,
    instruction::BuyReserveArgs,
};
use plimsoll_risk::{
    price::{Freshness, Observation, Width, check_limits},
    units::{Base, Ppm, Timestamp},
    waterfall,
};

use crate::{book, token};

/// Accounts of `buy_reserve`.
#[derive(Accounts)]
pub struct BuyReserve {
    /// Owner of the tokens paid: anyone.
    pub buyer: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank whose reserve is sold: any but the quote bank.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The bank's vault.
    #[account(mut)]
    pub vault: UncheckedAccount,
    /// The token account that receives.
    #[account(mut)]
    pub destination: UncheckedAccount,
    /// The bank's mint.
    pub mint: UncheckedAccount,
    /// The exchange's quote bank.
    #[account(mut, address = exchange.quote_bank @ PlimsollError::WrongQuoteBank)]
    pub quote_bank: Account<Bank>,
    /// The quote bank's vault.
    #[account(mut)]
    pub quote_vault: UncheckedAccount,
    /// The token account that pays.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// The quote mint.
    pub quote_mint: UncheckedAccount,
    /// The market that prices the bank.
    pub market: Account<Market>,
    /// A price account of its feed: a sale is always priced by one in the same transaction.
    pub oracle: UncheckedAccount,
    /// The bank's mint's token program.
    pub token_program: UncheckedAccount,
    /// The quote mint's token program.
    pub quote_token_program: UncheckedAccount,
}

impl BuyReserve {
    fn validate(&self, args: &BuyReserveArgs) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(pause::WITHDRAW), PlimsollError::Paused);
        // The quote bank is priced by no market, so it is not for sale.
        require!(same_address(self.market.address(), &self.bank.market), PlimsollError::WrongBankMarket);
        token::require_banks(&self.bank, self.vault.address(), self.mint.address(), self.token_program.address())?;
        token::require_token_account(self.destination.account(), &self.bank)?;
        let (vault, program) = (self.quote_vault.address(), self.quote_token_program.address());
        token::require_banks(&self.quote_bank, vault, self.quote_mint.address(), program)?;
        token::require_token_account(self.source.account(), &self.quote_bank)
    }

    /// The price in this transaction: fresh and narrow, or nothing is sold at it.
    fn observation(&self, now: Timestamp) -> Result<Observation> {
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let fresh = inventory::market_freshness(&self.market, &observation, now) == Freshness::Fresh;
        require!(fresh, PlimsollError::OracleStale);
        require!(observation.publish_time.raw() >= self.market.publish_time, PlimsollError::OracleOlderThanObservation);
        let config = &self.market.config;
        let width =
            check_limits(&observation, Ppm::from_raw(config.max_confidence_ppm), Ppm::from_raw(config.max_ema_gap_ppm));
        require!(width == Width::Normal, PlimsollError::OracleTooWide);
        Ok(observation)
    }

    /// See the program's instruction. The amount is the vault's: a fee that the mint withholds is the buyer's. The bank's vault
    /// and reserve fall by the tokens sold, the quote bank's rise by what they cost (INV-1 of both).
    pub fn apply(&mut self, args: &BuyReserveArgs) -> Result<()> {
        self.validate(args)?;
        let now = book::now()?;
        let observation = self.observation(now)?;
        ledger::accrue(&mut self.bank, now)?;
        ledger::accrue(&mut self.quote_bank, now)?;
        let amount = if args.amount == u64::MAX { self.bank.reserve } else { args.amount };
        require!(amount > 0, PlimsollError::ZeroAmount);
        require!(!self.bank.is_rated() || self.bank.rate.is_fresh(now), PlimsollError::RateOld);
        let base = bridge::base_units(amount, &self.bank, Side::Debt)?;
        let base = Base::from_raw(i64::try_from(base).map_err(|_| PlimsollError::Overflow)?);
        let payment = waterfall::reserve_cost(base, &observation, Ppm::from_raw(limits::RESERVE_PREMIUM_PPM))
            .map_err(PlimsollError::from)?;
        require!(payment <= args.max_payment, PlimsollError::PaymentLimit);
        let (bank, quote) = (&mut self.bank, &mut self.quote_bank);
        bank.reserve = bank.reserve.checked_sub(amount).ok_or(PlimsollError::ReserveInsufficient)?;
        ledger::pay_out(bank, amount, now)?;
        quote.reserve = quote.reserve.checked_add(payment).ok_or(PlimsollError::Overflow)?;
        ledger::receive(quote, payment)?;
        self.exchange_tokens(amount, payment)?;
        emit!(ReserveBought {
            bank: *self.bank.address(),
            buyer: *self.buyer.address(),
            amount,
            payment,
            spot: observation.spot.raw(),
            reserve: self.bank.reserve,
            insurance: self.quote_bank.reserve,
        });
        Ok(())
    }

    fn exchange_tokens(&self, amount: u64, payment: u64) -> Result<()> {
        token::pull(
            &self.quote_bank,
            self.source.account(),
            self.quote_mint.account(),
            self.quote_vault.account(),
            self.buyer.account(),
            payment,
        )?;
        token::push(
            &self.exchange,
            &self.bank,
            self.vault.account(),
            self.mint.account(),
            self.destination.account(),
            amount,
        )
    }
}
