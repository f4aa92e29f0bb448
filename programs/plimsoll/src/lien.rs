//! Liens at other programs: reading an adapter's record, what one counts for, and calling the adapter.

use anchor_lang::prelude::*;
use pinocchio::{
    cpi::{Seed, Signer as CpiSigner, invoke_signed_with_bounds},
    instruction::{InstructionAccount, InstructionView},
};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, MarginAccount, same_address},
    address,
    lien::{self, LienRecord, MAX_ADAPTER_ACCOUNTS},
};

/// Accounts of a call at most: beneficiary, record, destination, token program, and the adapter's own.
const MAX_ACCOUNTS: usize = 4 + MAX_ADAPTER_ACCOUNTS;

/// The record in an account of the adapter's program.
///
/// # Errors
/// [`PlimsollError::LienRecordInvalid`].
pub fn read(adapter: &Adapter, view: &AccountView) -> Result<LienRecord> {
    let data = view.try_borrow()?;
    Ok(LienRecord::read(&adapter.program, view.owner(), &data)?)
}

/// Whether a record is of the margin account, for this exchange and bank, and of the adapter's mint.
pub fn is_of(record: &LienRecord, adapter: &Adapter, account: &Address) -> bool {
    same_address(&record.beneficiary, &adapter.authority)
        && same_address(&record.account, account)
        && same_address(&record.mint, &adapter.mint)
}

/// What an account of the adapter's program says that is locked for the margin account, native: nothing where it is no
/// record any more, or another's.
pub fn held(adapter: &Adapter, account: &Address, view: &AccountView) -> u64 {
    read(adapter, view).ok().filter(|record| is_of(record, adapter, account)).map_or(0, |record| record.amount)
}

/// Has a lien of the bank's mint count `after` and no longer `before`.
///
/// # Errors
/// [`PlimsollError::TooManyBalances`], [`PlimsollError::TooManyMarkets`], [`PlimsollError::Overflow`].
pub fn recognise(account: &mut MarginAccount, bank: &Account<Bank>, before: u64, after: u64) -> Result<()> {
    let market = if bank.is_quote == 1 { None } else { Some(&bank.market) };
    Ok(account.recognise(bank.address(), market, before, after)?)
}

/// Counts what a new lien claims, at its adapter and in the bank.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn claim(adapter: &mut Adapter, bank: &mut Bank, amount: u64) -> Result<()> {
    adapter.claimed = adapter.claimed.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    bank.lien_claims = bank.lien_claims.checked_add(amount).ok_or(PlimsollError::Overflow)?;
    Ok(())
}

/// Counts that a lien claims `amount` less.
///
/// # Errors
/// [`PlimsollError::Corrupt`].
pub fn give_up(adapter: &mut Adapter, bank: &mut Bank, amount: u64) -> Result<()> {
    adapter.claimed = adapter.claimed.checked_sub(amount).ok_or(PlimsollError::Corrupt)?;
    bank.lien_claims = bank.lien_claims.checked_sub(amount).ok_or(PlimsollError::Corrupt)?;
    Ok(())
}

/// What was passed for the margin, and the last `count` accounts, which are for the adapter.
///
/// # Errors
/// [`PlimsollError::AdapterAccounts`].
pub fn split(remaining: &[AccountView], count: u8) -> Result<(&[AccountView], &[AccountView])> {
    let count = usize::from(count);
    require!(count <= MAX_ADAPTER_ACCOUNTS, PlimsollError::AdapterAccounts);
    let at = remaining.len().checked_sub(count).ok_or(PlimsollError::AdapterAccounts)?;
    Ok(remaining.split_at_checked(at).ok_or(PlimsollError::AdapterAccounts)?)
}

/// A call of an adapter's program.
pub struct Call<'a> {
    /// The adapter.
    pub adapter: &'a Account<Adapter>,
    /// What signs.
    pub authority: &'a AccountView,
    /// The record.
    pub record: &'a AccountView,
    /// Where tokens go, and the token program, to call a lien in.
    pub destination: Option<(&'a AccountView, &'a AccountView)>,
}

impl Call<'_> {
    /// Calls the program, signed by the adapter's authority and by nobody else: whoever signed the transaction does not
    /// sign to a program that he may never have heard of.
    ///
    /// The authority owns nothing, signs to this program alone, and is another for every adapter: a program that hands its
    /// signature on gains what it has anyway.
    #[inline(never)]
    pub fn invoke(&self, instruction: [u8; 8], amount: u64, others: &[AccountView]) -> Result<()> {
        let mut views = [self.authority; MAX_ACCOUNTS];
        let mut metas: [InstructionAccount<'_>; MAX_ACCOUNTS] =
            core::array::from_fn(|_| InstructionAccount::readonly_signer(self.authority.address()));
        let mut len = 1usize;
        let mut push = |view, is_writable| -> Result<()> {
            let view: &AccountView = view;
            *views.get_mut(len).ok_or(PlimsollError::AdapterAccounts)? = view;
            let meta = InstructionAccount::new(view.address(), is_writable, false);
            *metas.get_mut(len).ok_or(PlimsollError::AdapterAccounts)? = meta;
            len = len.saturating_add(1);
            Ok(())
        };
        push(self.record, true)?;
        if let Some((destination, token_program)) = self.destination {
            push(destination, true)?;
            push(token_program, false)?;
        }
        for view in others {
            push(view, view.is_writable())?;
        }
        let bump = [self.adapter.authority_bump];
        let seeds =
            [Seed::from(address::LIEN_AUTHORITY), Seed::from(self.adapter.address().as_ref()), Seed::from(&bump)];
        let call = InstructionView {
            program_id: &self.adapter.program,
            data: &lien::data(instruction, amount),
            accounts: metas.get(..len).ok_or(PlimsollError::AdapterAccounts)?,
        };
        let views = views.get(..len).ok_or(PlimsollError::AdapterAccounts)?;
        invoke_signed_with_bounds::<MAX_ACCOUNTS, _>(&call, views, &[CpiSigner::from(&seeds)])
    }
}
