use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, Market, same_address},
    address,
    config::limits,
    event::Configured,
    instruction::CreateBankArgs,
    token::Mint,
};
use plimsoll_risk::units::Index;

use crate::{book, token};

/// Accounts of `create_bank`.
#[derive(Accounts)]
pub struct CreateBank {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<Exchange>,
    /// The collateral's mint.
    pub mint: UncheckedAccount,
    /// The market that prices it; none for the quote mint.
    #[account(constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Option<Account<Market>>,
    /// The new bank.
    #[account(init, payer = admin, seeds = [address::BANK, exchange.address().as_ref(), mint.address().as_ref()], bump)]
    pub bank: Account<Bank>,
    /// Its new vault.
    #[account(mut, seeds = [address::VAULT, bank.address().as_ref()], bump)]
    pub vault: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
    /// Makes the accounts.
    pub system_program: Program<System>,
}

impl CreateBank {
    /// Decimals by which native amounts scale up to the market's base units.
    fn validate(&self, args: &CreateBankArgs, mint: &Mint) -> Result<u8> {
        args.config.validate()?;
        require!(self.mint.account().owned_by(self.token_program.address()), PlimsollError::WrongTokenProgram);
        let decimals = mint.decimals;
        let is_quote = same_address(self.mint.address(), &self.exchange.quote_mint);
        match (&self.market, is_quote) {
            (None, true) => {
                args.config.validate_quote()?;
                mint.require_quote()?;
                Ok(0)
            }
            (Some(_), true) => Err(PlimsollError::BankHasMarket.into()),
            (None, false) => Err(PlimsollError::BankNeedsMarket.into()),
            (Some(market), false) => {
                if market.is_of_house_shares() {
                    self.validate_house_share(args, market)?;
                }
                require!(args.config == args.config.starting(), PlimsollError::NewBankHasWeight);
                if let Some(fees) = mint.fees {
                    fees.require_allowed(book::epoch()?)?;
                }
                require!(decimals <= limits::MINT_DECIMALS_MAX, PlimsollError::UnsupportedDecimals);
                Ok(market.base_decimals.checked_sub(decimals).ok_or(PlimsollError::UnsupportedDecimals)?)
            }
        }
    }

    /// What a market of house shares prices is their mint.
    #[inline(never)]
    fn validate_house_share(&self, args: &CreateBankArgs, market: &Market) -> Result<()> {
        args.config.validate_house_share()?;
        let (shares, _) = Address::find_program_address(&[address::SHARES, &market.feed_id], &crate::ID);
        require!(same_address(self.mint.address(), &shares), PlimsollError::WrongMint);
        Ok(())
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &CreateBankArgs, bump: u8, vault_bump: u8) -> Result<()> {
        let mint = token::read_mint(self.mint.account())?;
        let scale_decimals = self.validate(args, &mint)?;
        self.create_vault(&mint, vault_bump)?;
        let exchange = *self.exchange.address();
        let address = *self.bank.address();
        let bank = &mut self.bank;
        bank.config = args.config;
        bank.deposit_index = Index::ONE.raw();
        bank.borrow_index = Index::ONE.raw();
        bank.accrued_at = book::now()?.raw();
        bank.exchange = exchange;
        bank.mint = *self.mint.address();
        bank.vault = *self.vault.address();
        bank.token_program = *self.token_program.address();
        bank.index = self.exchange.bank_count;
        bank.decimals = mint.decimals;
        bank.scale_decimals = scale_decimals;
        bank.bump = bump;
        bank.vault_bump = vault_bump;
        bank.version = 1;
        match &self.market {
            Some(market) => {
                bank.market = *market.address();
                bank.is_house_share = u8::from(market.is_of_house_shares());
            }
            None => {
                bank.is_quote = 1;
                self.exchange.quote_bank = address;
            }
        }
        self.exchange.bank_count = self.exchange.bank_count.checked_add(1).ok_or(PlimsollError::TooMany)?;
        emit!(Configured { exchange, subject: address, admin: *self.admin.address() });
        Ok(())
    }

    /// The vault, with room for what the mint's extensions want in its token accounts.
    fn create_vault(&self, mint: &Mint, bump: u8) -> Result<()> {
        let vault = token::NewVault {
            payer: self.admin.account(),
            vault: self.vault.account(),
            mint: self.mint.account(),
            authority: self.exchange.address(),
            token_program: self.token_program.address(),
            len: usize::from(mint.account_len),
        };
        vault.create(&[address::VAULT, self.bank.address().as_ref(), &[bump]])
    }
}
