//! Moving tokens in and out of vaults.

use anchor_lang::prelude::*;
use pinocchio::cpi::{Seed, Signer as CpiSigner};
use pinocchio_token::instructions::{BurnChecked, MintToChecked, TransferChecked};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, same_address},
    address,
    config::limits,
};

/// Bytes of a token account of the SPL Token program.
const TOKEN_ACCOUNT_LEN: usize = 165;

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
        view.owned_by(token_program) && data.len() == TOKEN_ACCOUNT_LEN && of_mint,
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

/// Moves `amount` from a user's token account into the vault, signed by the user.
pub fn pull(
    bank: &Bank,
    source: &AccountView,
    mint: &AccountView,
    vault: &AccountView,
    user: &AccountView,
    amount: u64,
) -> Result<()> {
    pull_of(source, mint, vault, user, amount, bank.decimals)
}

/// Moves `amount` of a mint from a user's token account into custody, signed by the user.
pub fn pull_of(
    source: &AccountView,
    mint: &AccountView,
    custody: &AccountView,
    user: &AccountView,
    amount: u64,
    decimals: u8,
) -> Result<()> {
    TransferChecked::new(source, mint, custody, user, amount, decimals).invoke()
}

/// Moves `amount` from the vault to a user's token account, signed by the exchange, which is every vault's authority.
pub fn push(
    exchange: &Account<Exchange>,
    bank: &Bank,
    vault: &AccountView,
    mint: &AccountView,
    destination: &AccountView,
    amount: u64,
) -> Result<()> {
    push_of(exchange, vault, mint, destination, amount, bank.decimals)
}

/// Moves `amount` of a mint out of custody to a user's token account, signed by the exchange.
pub fn push_of(
    exchange: &Account<Exchange>,
    custody: &AccountView,
    mint: &AccountView,
    destination: &AccountView,
    amount: u64,
    decimals: u8,
) -> Result<()> {
    signed(exchange, |signer| {
        TransferChecked::new(custody, mint, destination, exchange.account(), amount, decimals).invoke_signed(signer)
    })
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
fn signed(exchange: &Account<Exchange>, f: impl FnOnce(&[CpiSigner]) -> Result<()>) -> Result<()> {
    let index = exchange.index.to_le_bytes();
    let bump = [exchange.bump];
    let seeds =
        [Seed::from(address::EXCHANGE), Seed::from(exchange.creator.as_ref()), Seed::from(&index), Seed::from(&bump)];
    f(&[CpiSigner::from(&seeds)])
}
