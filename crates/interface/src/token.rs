//! Mints and token accounts of both token programs, read from their bytes: which mints a bank may hold, and what a mint
//! takes out of a transfer. The same on-chain and off; docs/decisions/0022-token-2022.md says why it is our own reader.
//!
//! A mint without extensions has 82 bytes in either program: decimals at 44, initialised at 45. With extensions it is
//! padded to the 165 of a token account, says at 165 which of the two it is, and goes on with entries of type u16, length
//! u16 and as many bytes, until the type is zero or the bytes end.

use solana_address::Address;

use crate::{PlimsollError, accounts::same_address, config::limits};

type Result<T> = core::result::Result<T, PlimsollError>;

/// The SPL Token program.
pub const TOKEN_PROGRAM: Address = Address::new_from_array([
    6, 221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70, 206, 235, 121, 172, 28, 180, 133, 237, 95, 91, 55, 145,
    58, 140, 245, 133, 126, 255, 0, 169,
]);
/// The Token-2022 program.
pub const TOKEN_2022_PROGRAM: Address = Address::new_from_array([
    6, 221, 246, 225, 238, 117, 143, 222, 24, 66, 93, 188, 228, 108, 205, 218, 182, 26, 252, 77, 131, 185, 13, 39, 254,
    189, 249, 40, 216, 161, 139, 252,
]);

/// Bytes of a mint without extensions.
pub const MINT_LEN: usize = 82;
/// Bytes of a token account without extensions.
pub const TOKEN_ACCOUNT_LEN: usize = 165;
/// Bytes of a multisig, which no mint and no token account has.
const MULTISIG_LEN: usize = 355;
/// Where a mint's decimals stand, and behind them whether it is initialised.
const DECIMALS: usize = 44;
/// Where an account with extensions says what it is.
const KIND: usize = TOKEN_ACCOUNT_LEN;
/// It is a mint.
const KIND_MINT: u8 = 1;
/// It is a token account.
const KIND_ACCOUNT: u8 = 2;
/// Where the first extension stands.
const EXTENSIONS: usize = KIND + 1;
/// Bytes of an extension's type and length.
const HEADER: usize = 4;
/// A hundred per cent in basis points.
const BPS_ONE: u64 = 10_000;

/// Types of extensions that a mint may have, as Token-2022 numbers them.
pub mod extension {
    /// A fee is withheld out of every transfer.
    pub const TRANSFER_FEE_CONFIG: u16 = 1;
    /// Somebody may close the mint while its supply is zero.
    pub const MINT_CLOSE_AUTHORITY: u16 = 3;
    /// Amounts may be hidden.
    pub const CONFIDENTIAL_TRANSFER_MINT: u16 = 4;
    /// What state new token accounts are in.
    pub const DEFAULT_ACCOUNT_STATE: u16 = 6;
    /// No transfers at all.
    pub const NON_TRANSFERABLE: u16 = 9;
    /// Displayed amounts grow by an interest rate.
    pub const INTEREST_BEARING: u16 = 10;
    /// Somebody may transfer and burn what anybody has.
    pub const PERMANENT_DELEGATE: u16 = 12;
    /// Every transfer calls a program.
    pub const TRANSFER_HOOK: u16 = 14;
    /// Fees of hidden amounts.
    pub const CONFIDENTIAL_TRANSFER_FEE: u16 = 16;
    /// Where the metadata are.
    pub const METADATA_POINTER: u16 = 18;
    /// Metadata.
    pub const TOKEN_METADATA: u16 = 19;
    /// Where the group is.
    pub const GROUP_POINTER: u16 = 20;
    /// A group of mints.
    pub const TOKEN_GROUP: u16 = 21;
    /// Where the membership is.
    pub const GROUP_MEMBER_POINTER: u16 = 22;
    /// Membership in a group.
    pub const TOKEN_GROUP_MEMBER: u16 = 23;
    /// Minting and burning of hidden amounts.
    pub const CONFIDENTIAL_MINT_BURN: u16 = 24;
    /// Displayed amounts are the native ones times a factor.
    pub const SCALED_UI_AMOUNT: u16 = 25;
    /// Somebody may stop all transfers.
    pub const PAUSABLE: u16 = 26;
}

/// What a mint withholds of a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferFee {
    /// Basis points of what is sent.
    pub bps: u16,
    /// Most that is withheld of one transfer, native.
    pub maximum: u64,
}

impl TransferFee {
    /// Native units withheld when `sent` leave an account: `ceil(sent bps / 10,000)`, at most the maximum. That is how
    /// Token-2022 rounds, in the issuer's favour.
    ///
    /// With `sent = 10,000 q + r` it is `q bps + ceil(r bps / 10,000)`, whose parts fit 64 bits.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`] where it would be more than `sent`, which no mint of Token-2022 says.
    pub fn of(self, sent: u64) -> Result<u64> {
        let bps = u64::from(self.bps);
        if bps > BPS_ONE {
            return Err(PlimsollError::Overflow);
        }
        let whole = sent.checked_div(BPS_ONE).and_then(|quotient| quotient.checked_mul(bps));
        let part = sent.checked_rem(BPS_ONE).and_then(|rest| rest.checked_mul(bps)).map(|part| part.div_ceil(BPS_ONE));
        let fee = whole.zip(part).and_then(|(whole, part)| whole.checked_add(part)).ok_or(PlimsollError::Overflow)?;
        Ok(fee.min(self.maximum))
    }

    /// Native units that arrive when `sent` leave an account.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn received(self, sent: u64) -> Result<u64> {
        sent.checked_sub(self.of(sent)?).ok_or(PlimsollError::Overflow)
    }

    /// The fewest native units that must be sent for `received` to arrive: what repays a borrow to the last unit.
    ///
    /// What arrives is the larger of `floor(sent (10,000 - bps) / 10,000)` and `sent - maximum`, so the fewest is the
    /// smaller of what either alone wants.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`] where it does not fit.
    pub fn to_send(self, received: u64) -> Result<u64> {
        if self.bps == 0 || received == 0 {
            return Ok(received);
        }
        let kept = BPS_ONE.checked_sub(u64::from(self.bps)).ok_or(PlimsollError::Overflow)?;
        let by_rate = (kept > 0).then(|| (u128::from(received)).saturating_mul(u128::from(BPS_ONE)));
        let by_rate = by_rate.map(|scaled| scaled.div_ceil(u128::from(kept)));
        let by_rate = by_rate.and_then(|sent| u64::try_from(sent).ok()).unwrap_or(u64::MAX);
        let by_maximum = received.saturating_add(self.maximum);
        let sent = by_rate.min(by_maximum);
        if self.received(sent)? < received { Err(PlimsollError::Overflow) } else { Ok(sent) }
    }
}

/// A mint's transfer fees: a change by the issuer takes effect two epochs after it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferFees {
    /// Until the younger one takes effect.
    pub older: TransferFee,
    /// The younger one.
    pub newer: TransferFee,
    /// The epoch from which it holds.
    pub newer_from_epoch: u64,
    /// Whether somebody may still change them.
    pub is_changeable: bool,
}

impl TransferFees {
    fn read(value: &[u8]) -> Result<Self> {
        let fee = |at: usize| -> Result<(u64, TransferFee)> {
            let fields = value.get(at..).ok_or(PlimsollError::InvalidMint)?;
            let (epoch, fields) = fields.split_first_chunk().ok_or(PlimsollError::InvalidMint)?;
            let (maximum, fields) = fields.split_first_chunk().ok_or(PlimsollError::InvalidMint)?;
            let bps = fields.first_chunk().ok_or(PlimsollError::InvalidMint)?;
            let fee = TransferFee { bps: u16::from_le_bytes(*bps), maximum: u64::from_le_bytes(*maximum) };
            Ok((u64::from_le_bytes(*epoch), fee))
        };
        let ((_, older), (newer_from_epoch, newer)) = (fee(72)?, fee(90)?);
        Ok(Self { older, newer, newer_from_epoch, is_changeable: is_set(value, 0)? })
    }

    /// The fee of an epoch.
    pub const fn at(&self, epoch: u64) -> TransferFee {
        if epoch >= self.newer_from_epoch { self.newer } else { self.older }
    }

    /// The highest that is known for an epoch and those after it, basis points.
    pub fn highest_bps(&self, epoch: u64) -> u16 {
        self.at(epoch).bps.max(self.newer.bps)
    }

    /// Checks that tokens may come into a vault of the mint.
    ///
    /// # Errors
    /// [`PlimsollError::TransferFeeTooHigh`].
    pub fn require_allowed(&self, epoch: u64) -> Result<()> {
        if self.highest_bps(epoch) > limits::TRANSFER_FEE_BPS_MAX {
            return Err(PlimsollError::TransferFeeTooHigh);
        }
        Ok(())
    }

    /// Checks that a transfer of the mint moves all that it says, now and for ever.
    fn require_none(&self) -> Result<()> {
        if self.is_changeable || (self.older.bps, self.newer.bps) != (0, 0) {
            return Err(PlimsollError::QuoteTransferFee);
        }
        Ok(())
    }
}

/// A mint that a bank may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Its decimals.
    pub decimals: u8,
    /// Bytes of a token account of it whose owner does not change.
    pub account_len: u16,
    /// What it withholds of transfers, if it may.
    pub fees: Option<TransferFees>,
}

impl Mint {
    /// Reads a mint of either program, and holds its extensions to what a bank accepts: the fee of a transfer and what
    /// says nothing about tokens (metadata, groups), and of the others those that do nothing and that nobody can make do
    /// anything any more.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidMint`], and one for each kind of extension that is refused.
    pub fn read(owner: &Address, data: &[u8]) -> Result<Self> {
        let is_2022 = same_address(owner, &TOKEN_2022_PROGRAM);
        let is_plain = data.len() == MINT_LEN;
        if !(is_2022 || (is_plain && same_address(owner, &TOKEN_PROGRAM))) {
            return Err(PlimsollError::InvalidMint);
        }
        let decimals = match data.get(DECIMALS..) {
            Some([decimals, 1, ..]) => *decimals,
            _ => return Err(PlimsollError::InvalidMint),
        };
        let plain = u16::try_from(TOKEN_ACCOUNT_LEN).map_err(|_| PlimsollError::Overflow)?;
        let mut mint = Self { decimals, account_len: plain, fees: None };
        if is_2022 {
            // What it is, and that its owner does not change.
            mint.grow(1)?;
            mint.grow(HEADER)?;
        }
        if !is_plain {
            for entry in Extensions::of(data)? {
                let (kind, value) = entry?;
                mint.accept(kind, value)?;
            }
        }
        Ok(mint)
    }

    fn grow(&mut self, bytes: usize) -> Result<()> {
        let bytes = u16::try_from(bytes).map_err(|_| PlimsollError::Overflow)?;
        self.account_len = self.account_len.checked_add(bytes).ok_or(PlimsollError::Overflow)?;
        Ok(())
    }

    /// The policy. What a token account of the mint must have room for is added to its length.
    fn accept(&mut self, kind: u16, value: &[u8]) -> Result<()> {
        use extension::*;
        let refused = |is_refused: bool, error| if is_refused { Err(error) } else { Ok(()) };
        match kind {
            METADATA_POINTER | TOKEN_METADATA | GROUP_POINTER | TOKEN_GROUP | GROUP_MEMBER_POINTER
            | TOKEN_GROUP_MEMBER => Ok(()),
            TRANSFER_FEE_CONFIG => {
                self.fees = Some(TransferFees::read(value)?);
                self.grow(HEADER.wrapping_add(8))
            }
            TRANSFER_HOOK => {
                refused(is_set(value, 0)? || is_set(value, 32)?, PlimsollError::MintTransferHook)?;
                self.grow(HEADER.wrapping_add(1))
            }
            PAUSABLE => {
                refused(is_set(value, 0)? || value.get(32) != Some(&0), PlimsollError::MintPausable)?;
                self.grow(HEADER)
            }
            MINT_CLOSE_AUTHORITY => refused(is_set(value, 0)?, PlimsollError::MintCloseAuthority),
            PERMANENT_DELEGATE => refused(is_set(value, 0)?, PlimsollError::MintPermanentDelegate),
            DEFAULT_ACCOUNT_STATE => refused(value.first() != Some(&1), PlimsollError::MintFrozenByDefault),
            INTEREST_BEARING | SCALED_UI_AMOUNT => {
                refused(!is_displayed_as_is(kind, value)?, PlimsollError::MintScaled)
            }
            NON_TRANSFERABLE => Err(PlimsollError::MintNonTransferable),
            CONFIDENTIAL_TRANSFER_MINT | CONFIDENTIAL_TRANSFER_FEE | CONFIDENTIAL_MINT_BURN => {
                Err(PlimsollError::MintConfidential)
            }
            _ => Err(PlimsollError::MintUnknownExtension),
        }
    }

    /// Checks that the mint may be an exchange's quote, every payment of which moves exactly what it says.
    ///
    /// # Errors
    /// [`PlimsollError::QuoteTransferFee`].
    pub fn require_quote(&self) -> Result<()> {
        self.fees.map_or(Ok(()), |fees| fees.require_none())
    }
}

/// Whether an address in an extension's value is not all zeros.
fn is_set(value: &[u8], at: usize) -> Result<bool> {
    let address = value.get(at..).and_then(|rest| rest.first_chunk::<32>()).ok_or(PlimsollError::InvalidMint)?;
    Ok(address.iter().any(|byte| *byte != 0))
}

/// Whether displayed amounts are the native ones and stay so: nobody may change it, and both rates are zero or both
/// factors one.
fn is_displayed_as_is(kind: u16, value: &[u8]) -> Result<bool> {
    if is_set(value, 0)? {
        return Ok(false);
    }
    if kind == extension::INTEREST_BEARING {
        return Ok(value.get(40..42) == Some(&[0; 2]) && value.get(50..52) == Some(&[0; 2]));
    }
    let one = 1f64.to_le_bytes();
    Ok(value.get(32..40) == Some(&one) && value.get(48..56) == Some(&one))
}

/// What a mint withholds of transfers, whatever else it has.
///
/// # Errors
/// [`PlimsollError::InvalidMint`] where the bytes contradict themselves.
pub fn transfer_fees(owner: &Address, data: &[u8]) -> Result<Option<TransferFees>> {
    if data.len() == MINT_LEN || !same_address(owner, &TOKEN_2022_PROGRAM) {
        return Ok(None);
    }
    for entry in Extensions::of(data)? {
        let (kind, value) = entry?;
        if kind == extension::TRANSFER_FEE_CONFIG {
            return TransferFees::read(value).map(Some);
        }
    }
    Ok(None)
}

/// Whether the bytes are a token account's, of whichever of the two programs owns them.
pub fn is_token_account(data: &[u8]) -> bool {
    let len = data.len();
    len == TOKEN_ACCOUNT_LEN || (len > KIND && len != MULTISIG_LEN && data.get(KIND) == Some(&KIND_ACCOUNT))
}

/// The amount in a token account.
pub fn token_amount(data: &[u8]) -> Option<u64> {
    data.get(64..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The extensions of a mint, one after the other.
struct Extensions<'a> {
    rest: &'a [u8],
}

impl<'a> Extensions<'a> {
    fn of(data: &'a [u8]) -> Result<Self> {
        let is_mint = data.len() != MULTISIG_LEN && data.get(KIND) == Some(&KIND_MINT);
        let rest = data.get(EXTENSIONS..).filter(|_| is_mint).ok_or(PlimsollError::InvalidMint)?;
        Ok(Self { rest })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.rest.split_first_chunk()?;
        let kind = u16::from_le_bytes(*kind);
        if kind == 0 {
            return None;
        }
        let entry = rest.split_first_chunk().and_then(|(len, rest)| {
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
            self.rest = rest;
            Some((kind, value))
        });
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(PlimsollError::InvalidMint))
    }
}
