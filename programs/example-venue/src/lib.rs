//! A venue in two instructions, as an example of how one clears at Plimsoll: a request-for-quote desk.
//!
//! A maker leaves a quote, two-sided in nothing but its sign: so much of a perpetual, an option or a bank's mint at one price
//! until a time. A taker takes a
//! part of it, and the desk has Plimsoll book the trade by `venue_fill`. What the desk answers for is who quoted and who
//! took; positions, cash, margin, price band and limits are Plimsoll's, and so is the money.
//!
//! | data | what | accounts |
//! |---|---|---|
//! | 0, size i64, price u64, expiry i64, instrument u8, contract of 5 bytes, 2 zeros | leaves a quote, or replaces one's own | maker (s), its margin account, the market or for spot the bank, the quote (w), an account of this program |
//! | 1, size u64, bump u8 | takes `size` of a quote | taker (s), the quote (w), Plimsoll, then the accounts of `venue_fill` |
//!
//! The bump is that of `["plimsoll-venue"]`, the address with which the desk signs its calls.

use bytemuck::{Pod, Zeroable};
use pinocchio::{
    AccountView, Address, ProgramResult,
    cpi::{Seed, Signer, invoke_signed_with_slice},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
};
use plimsoll_interface::{
    ID as PLIMSOLL,
    accounts::{AccountType, MarginAccount},
    address::VENUE_SIGNER,
    instruction::{instrument, tag},
};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
pinocchio::entrypoint!(process);

/// What the desk answers besides success, as custom codes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskError {
    /// The signer does not own the margin account.
    NotOwner = 1,
    /// The quote is another account's.
    QuoteTaken = 2,
    /// The quote has run out, or has not as much left.
    NoQuote = 3,
    /// The accounts of the trade are not those of the quote.
    WrongAccounts = 4,
}

impl From<DeskError> for ProgramError {
    fn from(error: DeskError) -> Self {
        Self::Custom(error as u32)
    }
}

/// A maker's quote.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Quote {
    /// The maker's margin account, zero where there is no quote.
    pub account: [u8; 32],
    /// The market, for spot the bank.
    pub market: [u8; 32],
    /// What the maker still buys, negative sells, in the instrument's units.
    pub size: i64,
    /// Its price, Q16.48 quote native per base unit.
    pub price: u64,
    /// Good up to and including this moment, unix seconds.
    pub expires_at: i64,
    /// The instrument, and of an option its terms as Plimsoll's instruction has them.
    pub terms: [u8; 8],
}

impl Quote {
    fn instrument(&self) -> u8 {
        self.terms[0]
    }

    fn contract(&self) -> [u8; 5] {
        let [_, contract @ .., _, _] = self.terms;
        contract
    }
}

/// The program's entrypoint.
///
/// # Errors
/// [`DeskError`], and whatever Plimsoll answers.
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    match data.split_first() {
        Some((0, rest)) => quote(program, accounts, rest),
        Some((1, rest)) => take(program, accounts, rest),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn quote(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [maker, account, market, quote] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    let [size, price, expires_at, terms] = words(data)?;
    require_owner(maker, account)?;
    let mut quote = open(program, quote)?;
    let quote = bytemuck::from_bytes_mut::<Quote>(&mut quote);
    let is_free = quote.account == [0; 32] || quote.account == *account.address().as_array();
    if !is_free {
        return Err(DeskError::QuoteTaken.into());
    }
    *quote = Quote {
        account: *account.address().as_array(),
        market: *market.address().as_array(),
        size: i64::from_le_bytes(size),
        price: u64::from_le_bytes(price),
        expires_at: i64::from_le_bytes(expires_at),
        terms,
    };
    Ok(())
}

fn take(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let (size, bump) = data.split_first_chunk::<8>().ok_or(ProgramError::InvalidInstructionData)?;
    let size = u64::from_le_bytes(*size);
    let [bump] = *bump else { return Err(ProgramError::InvalidInstructionData) };
    let [taker, quote, plimsoll, clearing @ ..] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    if *plimsoll.address() != PLIMSOLL {
        return Err(ProgramError::IncorrectProgramId);
    }
    let taken = reserve(program, quote, size)?;
    let [_, _, _, buyer, seller, market, _, rest @ ..] = &*clearing else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let market = match rest.first() {
        Some(bank) if taken.instrument() == instrument::SPOT => bank,
        _ => market,
    };
    let (maker, other) = if taken.size > 0 { (buyer, seller) } else { (seller, buyer) };
    if maker.address().as_array() != &taken.account || market.address().as_array() != &taken.market {
        return Err(DeskError::WrongAccounts.into());
    }
    require_owner(taker, other)?;
    clear(clearing, &taken, size, bump)
}

/// Takes `size` out of a quote, and gives the quote as it was.
fn reserve(program: &Address, quote: &mut AccountView, size: u64) -> Result<Quote, ProgramError> {
    let mut quote = open(program, quote)?;
    let quote = bytemuck::from_bytes_mut::<Quote>(&mut quote);
    let taken = *quote;
    let signed = i64::try_from(size).map_err(|_| DeskError::NoQuote)?;
    let left = taken.size.unsigned_abs().checked_sub(signed.unsigned_abs()).ok_or(DeskError::NoQuote)?;
    let left = i64::try_from(left).map_err(|_| DeskError::NoQuote)?;
    quote.size = if taken.size > 0 { left } else { left.wrapping_neg() };
    Ok(taken)
}

/// Has Plimsoll book the trade: the maker rested, so the other side takes. Plimsoll checks the quote's time, as it checks
/// the price against the market's band and both margins.
fn clear(accounts: &[AccountView], quote: &Quote, size: u64, bump: u8) -> ProgramResult {
    let mut data = Vec::with_capacity(32);
    data.extend_from_slice(&[tag::VENUE_FILL, quote.instrument(), u8::from(quote.size > 0)]);
    data.extend_from_slice(&size.to_le_bytes());
    data.extend_from_slice(&quote.price.to_le_bytes());
    data.extend_from_slice(&quote.expires_at.to_le_bytes());
    data.extend_from_slice(&quote.contract());
    let metas = accounts.iter().enumerate().map(|(index, view)| {
        // The first is the desk's own address.
        InstructionAccount::new(view.address(), view.is_writable(), index == 0)
    });
    let metas: Vec<_> = metas.collect();
    let bump = [bump];
    let seeds = [Seed::from(VENUE_SIGNER), Seed::from(&bump)];
    let instruction = InstructionView { program_id: &PLIMSOLL, data: &data, accounts: &metas };
    let views: Vec<&AccountView> = accounts.iter().collect();
    invoke_signed_with_slice(&instruction, &views, &[Signer::from(&seeds)])
}

/// The bytes of a quote of this program.
fn open<'a>(
    program: &Address,
    quote: &'a mut AccountView,
) -> Result<pinocchio::account::RefMut<'a, [u8]>, ProgramError> {
    if !quote.owned_by(program) || quote.data_len() != size_of::<Quote>() {
        return Err(ProgramError::InvalidAccountData);
    }
    quote.try_borrow_mut()
}

/// Checks that `signer` signs and owns a margin account.
fn require_owner(signer: &AccountView, account: &AccountView) -> ProgramResult {
    let data = account.try_borrow()?;
    let owns = account.owned_by(&PLIMSOLL)
        && MarginAccount::read(&data).is_some_and(|account| account.owner == *signer.address());
    if owns && signer.is_signer() { Ok(()) } else { Err(DeskError::NotOwner.into()) }
}

/// `data` as four words.
fn words(data: &[u8]) -> Result<[[u8; 8]; 4], ProgramError> {
    let (words, rest) = data.as_chunks::<8>();
    match (words, rest) {
        ([a, b, c, d], []) => Ok([*a, *b, *c, *d]),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}
