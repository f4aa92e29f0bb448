use anchor_lang::prelude::*;
use bytemuck::Zeroable;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, ExchangeRate, RATED, rate_kind},
    config::limits,
    event::Configured,
    instruction::SetRateSourceArgs,
    oracle::ORACLE_PROGRAMS,
    rate,
};

/// Decimals of lamports: a stake pool's rate is one of equal units only where its mint has as many.
const LAMPORT_DECIMALS: u8 = 9;

/// Accounts of `set_rate_source`.
#[derive(Accounts)]
pub struct SetRateSource {
    /// The exchange's admin.
    #[account(address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The bank of the staked token.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The stake pool that issues it; none to take the source away.
    pub source: Option<UncheckedAccount>,
}

impl SetRateSource {
    fn validate(&self, args: &SetRateSourceArgs) -> Result<()> {
        require!(self.bank.is_quote == 0 && is_valid(args), PlimsollError::InvalidRateSource);
        // What counts for something would change its value at once.
        let is_idle = self.bank.borrow_shares == 0 && (self.bank.deposit_shares == 0 || self.bank.has_no_weight());
        require!(is_idle, PlimsollError::RateSourceInUse);
        let has_source = args.kind != rate_kind::NONE;
        require!(has_source == self.source.is_some(), PlimsollError::RateSourceInvalid);
        if let Some(source) = &self.source {
            require!(self.bank.decimals == LAMPORT_DECIMALS, PlimsollError::UnsupportedDecimals);
            rate::read_pool(&self.bank.mint, source.account().owner(), &source.account().try_borrow()?)?;
        }
        Ok(())
    }

    /// See the program's instruction. The bank has no rate until the first update.
    pub fn apply(&mut self, args: &SetRateSourceArgs) -> Result<()> {
        self.validate(args)?;
        let bank = &mut self.bank;
        bank.rate = ExchangeRate::zeroed();
        bank.scale_decimals &= !RATED;
        if let Some(source) = &self.source {
            bank.scale_decimals |= RATED;
            bank.rate.source = *source.address();
            bank.rate.kind = args.kind;
            bank.rate.has_feed = args.has_feed;
            bank.rate.feed_kind = args.feed_kind;
            bank.rate.feed_id = args.feed_id;
            bank.rate.feed_owner = args.feed_owner;
            bank.rate.max_age_seconds = args.max_age_seconds;
            bank.rate.rise_per_day_ppm = args.rise_per_day_ppm;
        }
        emit!(Configured {
            exchange: *self.exchange.address(),
            subject: *self.bank.address(),
            admin: *self.admin.address(),
        });
        Ok(())
    }
}

/// Whether every argument is within its range.
fn is_valid(args: &SetRateSourceArgs) -> bool {
    let feed_is_valid = if args.has_feed == 1 {
        ORACLE_PROGRAMS.contains(&(args.feed_owner, args.feed_kind))
    } else {
        args.has_feed == 0 && args.feed_id == [0; 32] && args.feed_owner == Address::default() && args.feed_kind == 0
    };
    let is_none = args.kind == rate_kind::NONE && args.has_feed == 0;
    args.kind <= rate_kind::LAST
        && feed_is_valid
        && (is_none
            || (args.kind != rate_kind::NONE
                && (1..=limits::RATE_AGE_SECONDS_MAX).contains(&args.max_age_seconds)
                && args.rise_per_day_ppm <= limits::RATE_RISE_PER_DAY_PPM_MAX))
}
