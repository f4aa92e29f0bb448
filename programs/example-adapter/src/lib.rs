//! Custody whose tokens count as collateral at Plimsoll, as an example of an adapter: what stands here for staking, lending
//! or a vault is a token account that the program keeps for each user.
//!
//! | data | what | accounts |
//! |---|---|---|
//! | 0, bump u8 | opens a position | owner (s), position (w, an account of this program, all zero), its vault |
//! | 1, amount u64 | puts tokens in | owner (s), position (w), vault (w), source (w), token program |
//! | 2, amount u64 | takes tokens out that are not locked | owner (s), position (w), vault (w), destination (w), custodian, token program |
//! | 3, amount u64 | locks tokens for a margin account | owner (s), position (w), margin account, beneficiary |
//! | [`RELEASE`], amount u64 | unlocks | beneficiary (s), position (w) |
//! | [`SEIZE`], amount u64 | pays out | beneficiary (s), position (w), destination (w), token program, vault (w), custodian |
//!
//! The bump is that of `["custodian"]`, the address that owns all vaults. The last two are what Plimsoll asks: they look at
//! nobody's wish but the beneficiary's.

use bytemuck::{Pod, Zeroable};
use pinocchio::{
    AccountView, Address, ProgramResult,
    account::RefMut,
    cpi::{Seed, Signer},
    error::ProgramError,
};
use pinocchio_token::{instructions::Transfer, state::Account as TokenAccount};
use plimsoll_interface::lien::{LienRecord, RECORD, RELEASE, SEIZE, VERSION};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
pinocchio::entrypoint!(process);

/// Seed of the address that owns all vaults.
pub const CUSTODIAN: &[u8] = b"custodian";

/// What the program answers besides success, as custom codes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustodyError {
    /// The position is open already, or is none.
    NoPosition = 1,
    /// The signer does not own the position.
    NotOwner = 2,
    /// The signer is not whom the tokens are locked for.
    NotBeneficiary = 3,
    /// The vault or its owner is another's.
    WrongVault = 4,
    /// Not as many tokens are free, or locked.
    TooFew = 5,
    /// Tokens are locked for another account or beneficiary.
    LockedElsewhere = 6,
}

impl From<CustodyError> for ProgramError {
    fn from(error: CustodyError) -> Self {
        Self::Custom(error as u32)
    }
}

/// A user's tokens here. It begins with the record that Plimsoll reads.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Position {
    /// [`RECORD`], zero before the position is opened.
    pub discriminator: [u8; 8],
    /// What is locked, and for whom.
    pub record: LienRecord,
    /// Whose it is.
    pub owner: Address,
    /// The token account that holds what is locked and what is free.
    pub vault: Address,
    /// Tokens that are not locked, native.
    pub free: u64,
    /// Bump of the custodian.
    pub bump: u8,
    /// Zero.
    pub _padding: [u8; 7],
}

/// The program's entrypoint.
///
/// # Errors
/// [`CustodyError`], and whatever the token program answers.
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    if let Some((instruction, rest)) = data.split_first_chunk::<8>() {
        match *instruction {
            RELEASE => return release(program, accounts, rest),
            SEIZE => return seize(program, accounts, rest),
            _ => {}
        }
    }
    match data.split_first() {
        Some((0, rest)) => open(program, accounts, rest),
        Some((1, rest)) => put(program, accounts, rest),
        Some((2, rest)) => take(program, accounts, rest),
        Some((3, rest)) => lock(program, accounts, rest),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn open(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [owner, position, vault] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    let [bump] = *data else { return Err(ProgramError::InvalidInstructionData) };
    let custodian = Address::create_program_address(&[CUSTODIAN, &[bump]], program)?;
    let mint = {
        let vault = TokenAccount::from_account_view(vault)?;
        if *vault.owner() != custodian || vault.amount() != 0 {
            return Err(CustodyError::WrongVault.into());
        }
        *vault.mint()
    };
    if !owner.is_signer() {
        return Err(CustodyError::NotOwner.into());
    }
    let mut bytes = bytes(program, position)?;
    let new: &mut Position = bytemuck::from_bytes_mut(&mut bytes);
    if new.discriminator != [0; 8] {
        return Err(CustodyError::NoPosition.into());
    }
    new.discriminator = RECORD;
    new.record = LienRecord { version: VERSION, mint, ..LienRecord::zeroed() };
    new.owner = *owner.address();
    new.vault = *vault.address();
    new.bump = bump;
    Ok(())
}

fn put(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [owner, position, vault, source, _token_program] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let amount = number(data)?;
    change(program, position, |position| {
        require_owner(position, owner)?;
        require_vault(position, vault)?;
        position.free = position.free.checked_add(amount).ok_or(ProgramError::ArithmeticOverflow)?;
        Ok(())
    })?;
    Transfer::new(source, vault, owner, amount).invoke()
}

fn take(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [owner, position, vault, destination, custodian, _token_program] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let amount = number(data)?;
    let bump = change(program, position, |position| {
        require_owner(position, owner)?;
        require_vault(position, vault)?;
        position.free = position.free.checked_sub(amount).ok_or(CustodyError::TooFew)?;
        Ok(position.bump)
    })?;
    pay(vault, destination, custodian, amount, bump)
}

fn lock(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [owner, position, account, beneficiary] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    let amount = number(data)?;
    change(program, position, |position| {
        require_owner(position, owner)?;
        let record = &mut position.record;
        let is_same = record.account == *account.address() && record.beneficiary == *beneficiary.address();
        if record.amount != 0 && !is_same {
            return Err(CustodyError::LockedElsewhere.into());
        }
        position.free = position.free.checked_sub(amount).ok_or(CustodyError::TooFew)?;
        record.amount = record.amount.checked_add(amount).ok_or(ProgramError::ArithmeticOverflow)?;
        record.account = *account.address();
        record.beneficiary = *beneficiary.address();
        Ok(())
    })
}

fn release(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [beneficiary, position, ..] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    let amount = number(data)?;
    change(program, position, |position| {
        unlock(position, beneficiary, amount)?;
        position.free = position.free.checked_add(amount).ok_or(ProgramError::ArithmeticOverflow)?;
        Ok(())
    })
}

fn seize(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [beneficiary, position, destination, _token_program, vault, custodian, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let amount = number(data)?;
    let bump = change(program, position, |position| {
        require_vault(position, vault)?;
        unlock(position, beneficiary, amount)?;
        Ok(position.bump)
    })?;
    // Should tokens be missing, who has a lien gets what is there.
    let held = TokenAccount::from_account_view(vault)?.amount();
    pay(vault, destination, custodian, amount.min(held), bump)
}

/// Takes `amount` out of what is locked, for whom it is locked and nobody else.
fn unlock(position: &mut Position, beneficiary: &AccountView, amount: u64) -> ProgramResult {
    if position.record.beneficiary != *beneficiary.address() || !beneficiary.is_signer() {
        return Err(CustodyError::NotBeneficiary.into());
    }
    position.record.amount = position.record.amount.checked_sub(amount).ok_or(CustodyError::TooFew)?;
    Ok(())
}

/// Pays out of a vault, which the custodian owns.
fn pay(
    vault: &AccountView,
    destination: &AccountView,
    custodian: &AccountView,
    amount: u64,
    bump: u8,
) -> ProgramResult {
    let bump = [bump];
    let seeds = [Seed::from(CUSTODIAN), Seed::from(&bump)];
    Transfer::new(vault, destination, custodian, amount).invoke_signed(&[Signer::from(&seeds)])
}

/// Reads a position that is open, and changes it.
fn change<T>(
    program: &Address,
    position: &mut AccountView,
    with: impl FnOnce(&mut Position) -> Result<T, ProgramError>,
) -> Result<T, ProgramError> {
    let mut bytes = bytes(program, position)?;
    let position: &mut Position = bytemuck::from_bytes_mut(&mut bytes);
    if position.discriminator != RECORD {
        return Err(CustodyError::NoPosition.into());
    }
    with(position)
}

/// The bytes of an account of this program that is as long as a position.
fn bytes<'a>(program: &Address, position: &'a mut AccountView) -> Result<RefMut<'a, [u8]>, ProgramError> {
    if !position.owned_by(program) || position.data_len() != size_of::<Position>() {
        return Err(CustodyError::NoPosition.into());
    }
    position.try_borrow_mut()
}

fn require_owner(position: &Position, signer: &AccountView) -> ProgramResult {
    if position.owner == *signer.address() && signer.is_signer() { Ok(()) } else { Err(CustodyError::NotOwner.into()) }
}

fn require_vault(position: &Position, vault: &AccountView) -> ProgramResult {
    if position.vault == *vault.address() { Ok(()) } else { Err(CustodyError::WrongVault.into()) }
}

fn number(data: &[u8]) -> Result<u64, ProgramError> {
    let number = <[u8; 8]>::try_from(data).map_err(|_| ProgramError::InvalidInstructionData)?;
    Ok(u64::from_le_bytes(number))
}
