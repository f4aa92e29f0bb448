use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Market, oracle_kind, same_address},
    address,
    config::limits,
    event::Configured,
    instruction::CreateMarketArgs,
    oracle::ORACLE_PROGRAMS,
};

/// Accounts of `create_market`.
#[derive(Accounts)]
pub struct CreateMarket {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// The new market.
    #[account(init, payer = admin, seeds = [address::MARKET, exchange.address().as_ref(), &exchange.market_count.to_le_bytes()], bump)]
    pub market: Account<Market>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl CreateMarket {
    fn validate(&self, args: &CreateMarketArgs) -> Result<()> {
        args.config.validate()?;
        require!(args.base_decimals <= limits::BASE_DECIMALS_MAX, PlimsollError::UnsupportedDecimals);
        require!(ORACLE_PROGRAMS.contains(&(args.oracle_owner, args.oracle_kind)), PlimsollError::UnsupportedOracle);
        require!(is_symbol(&args.symbol), PlimsollError::InvalidSymbol);
        require!(args.config == args.config.starting(), PlimsollError::NewMarketHasRisk);
        if args.oracle_kind == oracle_kind::HOUSE { self.validate_house_share(args) } else { Ok(()) }
    }

    /// Shares of this exchange's house, in their own decimals, as a collateral and nothing else.
    #[inline(never)]
    fn validate_house_share(&self, args: &CreateMarketArgs) -> Result<()> {
        args.config.validate_house_share()?;
        let (house, _) = Address::find_program_address(&[address::HOUSE, self.exchange.address().as_ref()], &crate::ID);
        let feed = Address::new_from_array(args.feed_id);
        require!(same_address(&feed, &house), PlimsollError::UnsupportedOracle);
        require!(args.base_decimals == limits::HOUSE_SHARE_DECIMALS, PlimsollError::UnsupportedDecimals);
        Ok(())
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &CreateMarketArgs, bump: u8) -> Result<()> {
        self.validate(args)?;
        let exchange = *self.exchange.address();
        let market = &mut self.market;
        market.config = args.config;
        market.range_ppm = args.config.volatility.initial_range_ppm();
        market.range_maint_ppm = market.range_ppm;
        market.exchange = exchange;
        market.feed_id = args.feed_id;
        market.oracle_owner = args.oracle_owner;
        market.oracle_kind = args.oracle_kind;
        market.symbol = args.symbol;
        market.index = self.exchange.market_count;
        market.base_decimals = args.base_decimals;
        market.bump = bump;
        market.version = 1;
        self.exchange.market_count = self.exchange.market_count.checked_add(1).ok_or(PlimsollError::TooMany)?;
        emit!(Configured { exchange, subject: *self.market.address(), admin: *self.admin.address() });
        Ok(())
    }
}

/// One to sixteen printable ASCII bytes without blanks, then zeros.
fn is_symbol(symbol: &[u8; 16]) -> bool {
    let length = symbol.iter().position(|byte| *byte == 0).unwrap_or(symbol.len());
    let (name, padding) = symbol.split_at(length);
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic) && padding.iter().all(|byte| *byte == 0)
}
