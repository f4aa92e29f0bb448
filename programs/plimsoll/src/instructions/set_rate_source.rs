use anchor_lang::prelude::*;
use bytemuck::Zeroable;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, ExchangeRate, Proposal, RATED, same_address},
    change::Change,
    config::{RateSource, rate_kind},
    event::Configured,
    instruction::SetRateSourceArgs,
    rate,
};

use crate::{
    book,
    controls::{self, Wanted},
};

/// Decimals of lamports: a stake pool's rate is one of equal units only where its mint has as many.
const LAMPORT_DECIMALS: u8 = 9;

/// Accounts of `set_rate_source`.
#[derive(Accounts)]
pub struct SetRateSource {
    /// The exchange's admin. Gets the rent of the proposal.
    #[account(mut)]
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank of the staked token.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The stake pool that issues it; not looked at where the source is taken away.
    pub pool: UncheckedAccount,
    /// The proposal of exactly this source, where it waited out the timelock.
    #[account(mut)]
    pub proposal: Option<Account<Proposal>>,
}

impl SetRateSource {
    fn validate(&self, source: &RateSource) -> Result<()> {
        source.validate()?;
        require!(self.bank.is_quote == 0, PlimsollError::InvalidRateSource);
        // What counts for something would change its value at once.
        let has_collateral = self.bank.deposit_shares != 0 || self.bank.lien_claims != 0;
        let is_idle = self.bank.borrow_shares == 0 && (!has_collateral || self.bank.has_no_weight());
        require!(is_idle, PlimsollError::RateSourceInUse);
        if source.kind != rate_kind::NONE {
            require!(self.bank.decimals == LAMPORT_DECIMALS, PlimsollError::UnsupportedDecimals);
            require!(same_address(self.pool.address(), &source.pool), PlimsollError::RateWrongSource);
            rate::read_pool(&self.bank.mint, self.pool.account().owner(), &self.pool.account().try_borrow()?)?;
        }
        Ok(())
    }

    /// See the program's instruction. The bank has no rate until the first update.
    ///
    /// A source waits as weights do: whoever announced weights could otherwise change what they weigh in the hour in which
    /// they come into force.
    pub fn apply(&mut self, args: &SetRateSourceArgs) -> Result<()> {
        self.validate(&args.source)?;
        let wanted = Wanted {
            authority: &self.authority,
            subject: self.bank.address(),
            change: &Change::RateSource(args.source),
            loosens: true,
        };
        controls::authorise(&self.exchange, &wanted, &mut self.proposal, book::now()?)?;
        let bank = &mut self.bank;
        bank.rate = ExchangeRate { source: args.source, ..ExchangeRate::zeroed() };
        bank.scale_decimals &= !RATED;
        if args.source.kind != rate_kind::NONE {
            bank.scale_decimals |= RATED;
        }
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.bank.address(),
            admin: *self.authority.address(),
        });
        Ok(())
    }
}
