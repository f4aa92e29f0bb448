//! Moving tokens in and out of vaults.

use anchor_lang::prelude::*;
use pinocchio::cpi::{Seed, Signer as CpiSigner};
use pinocchio_token::instructions::TransferChecked;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Exchange, same_address},
    address,
};

/// Bytes of a token account of the SPL Token program.
const TOKEN_ACCOUNT_LEN: usize = 165;
/// Where a token account says its amount.
const TOKEN_AMOUNT: core::ops::Range<usize> = 64..72;

/// Checks that a user's token account is of the bank's mint.
///
/// # Errors
/// [`PlimsollError::WrongTokenAccount`].
pub fn require_token_account(view: &AccountView, bank: &Bank) -> Result<()> {
    let data = view.try_borrow()?;
    let of_mint = data.get(..32).is_some_and(|mint| mint == bank.mint.as_ref());
    require!(
        view.owned_by(&bank.token_program) && data.len() == TOKEN_ACCOUNT_LEN && of_mint,
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

/// What a token account of the SPL Token program holds, native.
///
/// # Errors
/// [`PlimsollError::WrongTokenAccount`].
pub fn amount(view: &AccountView) -> Result<u64> {
    let data = view.try_borrow()?;
    let amount = data.get(TOKEN_AMOUNT).and_then(|amount| amount.first_chunk::<8>());
    Ok(u64::from_le_bytes(*amount.ok_or(PlimsollError::WrongTokenAccount)?))
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
    TransferChecked::new(source, mint, vault, user, amount, bank.decimals).invoke()
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
    let index = exchange.index.to_le_bytes();
    let bump = [exchange.bump];
    let seeds =
        [Seed::from(address::EXCHANGE), Seed::from(exchange.creator.as_ref()), Seed::from(&index), Seed::from(&bump)];
    TransferChecked::new(vault, mint, destination, exchange.account(), amount, bank.decimals)
        .invoke_signed(&[CpiSigner::from(&seeds)])
}
