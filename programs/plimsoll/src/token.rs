//! Moving tokens in and out of vaults, of either token program.

use anchor_lang::prelude::*;
use pinocchio::cpi::{Seed, Signer as CpiSigner};
use pinocchio_token::instructions::{BurnChecked, MintToChecked, TransferChecked};
use pinocchio_token_2022::instructions::{
    InitializeAccount3, InitializeImmutableOwner, transfer_fee::TransferCheckedWithFee,
};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, same_address},
    address,
    config::limits,
    event::TransferFeeWithheld,
    token::{self, Mint, TOKEN_2022_PROGRAM, TransferFee},
};

use crate::book;

/// Reads a mint and holds it to what a bank accepts.
///
/// # Errors
/// Those of [`Mint::read`].
pub fn read_mint(view: &AccountView) -> Result<Mint> {
    let owner = owner_of(view);
    Ok(Mint::read(&owner, &view.try_borrow()?)?)
}

/// Checks that a user's token account is of the bank's mint.
///
/// # Errors
/// [`PlimsollError::WrongTokenAccount`].
pub fn require_token_account(view: &AccountView, bank: &Bank) -> Result<()> {
    require_token_account_of(view, &bank.mint, &bank.token_program)
}

/// Checks that a user's token account is of a mint.
///
/// # Errors
/// [`PlimsollError::WrongTokenAccount`].
pub fn require_token_account_of(view: &AccountView, mint: &Address, token_program: &Address) -> Result<()> {
    let data = view.try_borrow()?;
    let of_mint = data.get(..32).is_some_and(|its| its == mint.as_ref());
    require!(
        view.owned_by(token_program) && token::is_token_account(&data) && of_mint,
        PlimsollError::WrongTokenAccount
    );
    Ok(())
}

/// Checks that vault, mint and token program are the bank's.
///
/// # Errors
/// [`PlimsollError::WrongVault`], [`PlimsollError::WrongMint`], [`PlimsollError::WrongTokenProgram`].
pub fn require_banks(bank: &Bank, vault: &Address, mint: &Address, token_program: &Address) -> Result<()> {
    require!(same_address(vault, &bank.vault), PlimsollError::WrongVault);
    require!(same_address(mint, &bank.mint), PlimsollError::WrongMint);
    require!(same_address(token_program, &bank.token_program), PlimsollError::WrongTokenProgram);
    Ok(())
}

/// Checks that a token program is that of house shares.
///
/// # Errors
/// [`PlimsollError::WrongTokenProgram`].
pub fn require_shares_program(token_program: &Address) -> Result<()> {
    require!(same_address(token_program, &token::TOKEN_PROGRAM), PlimsollError::WrongTokenProgram);
    Ok(())
}

/// What a mint takes out of transfers in this epoch.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Its fee, where it may charge any.
    fee: Option<TransferFee>,
    /// Whether tokens may come into its vault: neither that fee nor the one to come is too high.
    is_allowed: bool,
}

impl Terms {
    /// Nothing, as the SPL Token program's mints and every quote mint.
    pub const FREE: Self = Self { fee: None, is_allowed: true };

    /// A mint's.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidMint`].
    #[inline]
    pub fn of(mint: &AccountView) -> Result<Self> {
        // No mint of the SPL Token program is longer.
        if mint.data_len() == token::MINT_LEN { Ok(Self::FREE) } else { Self::read(mint) }
    }

    #[inline(never)]
    fn read(mint: &AccountView) -> Result<Self> {
        if !mint.owned_by(&TOKEN_2022_PROGRAM) {
            return Ok(Self::FREE);
        }
        let Some(fees) = token::transfer_fees(&TOKEN_2022_PROGRAM, &mint.try_borrow()?)? else {
            return Ok(Self::FREE);
        };
        let epoch = book::epoch()?;
        Ok(Self { fee: Some(fees.at(epoch)), is_allowed: fees.require_allowed(epoch).is_ok() })
    }

    /// Native units that arrive when `sent` leave an account.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`].
    #[inline]
    pub fn received(&self, sent: u64) -> Result<u64> {
        self.fee.map_or(Ok(sent), |fee| Ok(fee.received(sent)?))
    }

    /// Checks that tokens may come into a vault of the mint.
    ///
    /// # Errors
    /// [`PlimsollError::TransferFeeTooHigh`].
    pub fn require_allowed(&self) -> Result<()> {
        require!(self.is_allowed, PlimsollError::TransferFeeTooHigh);
        Ok(())
    }
}

/// A transfer of one mint's tokens.
pub struct Transfer<'a> {
    /// The token account that pays.
    pub source: &'a AccountView,
    /// The mint.
    pub mint: &'a AccountView,
    /// The token account that receives.
    pub destination: &'a AccountView,
    /// Who signs for the source.
    pub authority: &'a AccountView,
    /// The mint's token program.
    pub token_program: &'a Address,
    /// The mint's decimals.
    pub decimals: u8,
}

impl Transfer<'_> {
    /// Takes `sent` from the source, of which the destination gets what the mint's terms say.
    ///
    /// # Errors
    /// [`PlimsollError::TransferMismatch`]; the token program's.
    pub fn send(&self, sent: u64, terms: &Terms, signers: &[CpiSigner]) -> Result<()> {
        if same_address(self.token_program, &TOKEN_2022_PROGRAM) {
            return self.send_2022(sent, terms, signers);
        }
        TransferChecked::new(self.source, self.mint, self.destination, self.authority, sent, self.decimals)
            .invoke_signed(signers)
    }

    /// The same by the Token-2022 program: told the fee, which it checks, and then checked against both balances. What a
    /// token account holds, the books count, so nothing here rests on one reading of the mint alone.
    #[inline(never)]
    fn send_2022(&self, sent: u64, terms: &Terms, signers: &[CpiSigner]) -> Result<()> {
        let received = terms.received(sent)?;
        let fee = sent.checked_sub(received).ok_or(PlimsollError::Overflow)?;
        let before = (amount_of(self.source)?, amount_of(self.destination)?);
        if terms.fee.is_some() {
            TransferCheckedWithFee::<AccountView>::new(
                self.token_program,
                self.source,
                self.mint,
                self.destination,
                self.authority,
                sent,
                self.decimals,
                fee,
            )
            .invoke_signed(signers)?;
        } else {
            pinocchio_token_2022::instructions::TransferChecked {
                from: self.source,
                mint: self.mint,
                to: self.destination,
                authority: self.authority,
                amount: sent,
                decimals: self.decimals,
                token_program: self.token_program,
            }
            .invoke_signed(signers)?;
        }
        let after = (before.0.checked_sub(sent), before.1.checked_add(received));
        let after = after.0.zip(after.1).ok_or(PlimsollError::TransferMismatch)?;
        let is_exact = (amount_of(self.source)?, amount_of(self.destination)?) == after;
        require!(is_exact, PlimsollError::TransferMismatch);
        if fee > 0 {
            emit!(TransferFeeWithheld {
                mint: *self.mint.address(),
                source: *self.source.address(),
                destination: *self.destination.address(),
                sent,
                received,
            });
        }
        Ok(())
    }
}

/// What a token account holds, native.
///
/// # Errors
/// [`PlimsollError::WrongTokenAccount`].
pub fn amount_of(view: &AccountView) -> Result<u64> {
    Ok(token::token_amount(&view.try_borrow()?).ok_or(PlimsollError::WrongTokenAccount)?)
}

fn owner_of(view: &AccountView) -> Address {
    let programs = [token::TOKEN_PROGRAM, TOKEN_2022_PROGRAM];
    programs.into_iter().find(|program| view.owned_by(program)).unwrap_or_default()
}

/// Moves `amount` of a mint without fees, as the quote is, from a user's token account into the vault, signed by the user.
pub fn pull(
    bank: &Bank,
    source: &AccountView,
    mint: &AccountView,
    vault: &AccountView,
    user: &AccountView,
    amount: u64,
) -> Result<()> {
    let transfer = Transfer {
        source,
        mint,
        destination: vault,
        authority: user,
        token_program: &bank.token_program,
        decimals: bank.decimals,
    };
    transfer.send(amount, &Terms::FREE, &[])
}

/// Takes `amount` out of the vault for a user's token account, signed by the exchange, which is every vault's authority.
/// Where the mint charges a fee, the user receives that much less.
pub fn push(
    exchange: &Account<Exchange>,
    bank: &Bank,
    vault: &AccountView,
    mint: &AccountView,
    destination: &AccountView,
    amount: u64,
) -> Result<()> {
    let terms = Terms::of(mint)?;
    let transfer = Transfer {
        source: vault,
        mint,
        destination,
        authority: exchange.account(),
        token_program: &bank.token_program,
        decimals: bank.decimals,
    };
    signed(exchange, |signer| transfer.send(amount, &terms, signer))
}

/// Makes house shares into the escrow, signed by the exchange, which is their mint's authority.
pub fn mint(exchange: &Account<Exchange>, mint: &AccountView, escrow: &AccountView, amount: u64) -> Result<()> {
    let decimals = limits::HOUSE_SHARE_DECIMALS;
    signed(exchange, |signer| {
        MintToChecked::new(mint, escrow, exchange.account(), amount, decimals).invoke_signed(signer)
    })
}

/// Destroys house shares of the escrow, signed by the exchange, which is its authority.
pub fn burn(exchange: &Account<Exchange>, mint: &AccountView, escrow: &AccountView, amount: u64) -> Result<()> {
    let decimals = limits::HOUSE_SHARE_DECIMALS;
    signed(exchange, |signer| {
        BurnChecked::new(escrow, mint, exchange.account(), amount, decimals).invoke_signed(signer)
    })
}

/// Calls `f` with the exchange's signature.
#[inline(always)]
pub fn signed(exchange: &Account<Exchange>, f: impl FnOnce(&[CpiSigner]) -> Result<()>) -> Result<()> {
    let index = exchange.index.to_le_bytes();
    let bump = [exchange.bump];
    let seeds =
        [Seed::from(address::EXCHANGE), Seed::from(exchange.creator.as_ref()), Seed::from(&index), Seed::from(&bump)];
    f(&[CpiSigner::from(&seeds)])
}

/// A token account that is to be made at an address of the program.
pub struct NewVault<'a> {
    /// Who pays.
    pub payer: &'a AccountView,
    /// Where it is made.
    pub vault: &'a AccountView,
    /// Its mint.
    pub mint: &'a AccountView,
    /// Its authority.
    pub authority: &'a Address,
    /// The mint's token program.
    pub token_program: &'a Address,
    /// Its bytes: [`Mint::account_len`].
    pub len: usize,
}

impl NewVault<'_> {
    /// Makes it. In the Token-2022 program its owner can never be changed.
    pub fn create(&self, seeds: &[&[u8]]) -> Result<()> {
        let (account, mint, token_program) = (self.vault, self.mint, self.token_program);
        anchor_lang::create_account_with_signers(self.payer, account, self.len, token_program, Some(seeds), None)?;
        if same_address(token_program, &TOKEN_2022_PROGRAM) {
            InitializeImmutableOwner { account, token_program }.invoke()?;
        }
        InitializeAccount3 { account, mint, owner: self.authority, token_program }.invoke()
    }
}
