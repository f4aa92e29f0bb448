//! Layout versions, and how an account of an earlier one becomes one of the present.
//!
//! A type's layout is told by its discriminator and its size, so every layout that a type ever had is of a size of its own, and
//! all code reads the present one only: an account of an earlier layout is refused until `upgrade_account` has rewritten it,
//! which anyone may do for it. What fits a layout's `_reserved` bytes is no new layout: zeros there mean what was so before.
//!
//! To change a layout: give the type another size and the next `version`, and add a [`Step`] here from the size that it had.
//! The steps stay for ever, and golden dumps of every version that ever was (`tests/e2e/fixtures`) hold them.

use core::{
    mem::{offset_of, size_of},
    ops::Range,
};

use crate::{
    PlimsollError,
    accounts::{AccountType, DISCRIMINATOR_LEN, MarginAccount, TriggerSlot, VenueSlot},
};

/// One version of a type's layout to the next.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Discriminator of the type.
    pub discriminator: [u8; DISCRIMINATOR_LEN],
    /// Size of the whole account before, bytes.
    pub from_space: usize,
    /// Size of the whole account afterwards, bytes: larger.
    pub to_space: usize,
    /// The version before; the next one afterwards.
    pub from_version: u8,
    /// Moves the fields of an account that has its new size, zeros behind what it was.
    rewrite: fn(&mut [u8]) -> Option<()>,
}

/// Every change of a layout that there was.
pub const STEPS: [Step; 1] = [Step {
    discriminator: MarginAccount::DISCRIMINATOR,
    from_space: 3968,
    to_space: MarginAccount::SPACE,
    from_version: 1,
    rewrite: margin_account_1,
}];

impl Step {
    /// The step that an account's bytes want.
    ///
    /// # Errors
    /// [`PlimsollError::LayoutCurrent`] for the present layout of a type that had others; [`PlimsollError::LayoutUnknown`] for
    /// any other bytes.
    pub fn of(data: &[u8]) -> Result<&'static Self, PlimsollError> {
        let is_wanted = |step: &&Self| step.from_space == data.len() && data.starts_with(&step.discriminator);
        let none = if is_current(data) { PlimsollError::LayoutCurrent } else { PlimsollError::LayoutUnknown };
        STEPS.iter().find(is_wanted).ok_or(none)
    }

    /// Rewrites an account that has been given its new size, with zeros behind what it was.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] where `data` is not of that size.
    pub fn apply(&self, data: &mut [u8]) -> Result<(), PlimsollError> {
        let is_sized = data.len() == self.to_space;
        is_sized.then(|| (self.rewrite)(data)).flatten().ok_or(PlimsollError::Corrupt)
    }
}

/// Whether an account is of a type that has had several layouts, and of the present one.
fn is_current(data: &[u8]) -> bool {
    let last = STEPS.iter().rev().find(|step| data.starts_with(&step.discriminator));
    last.is_some_and(|step| step.to_space == data.len())
}

/// Version 2 of a margin account has eight stored orders instead of four; approved venues follow them.
fn margin_account_1(data: &mut [u8]) -> Option<()> {
    const ORDERS_BEFORE: usize = 4;
    const TRIGGERS: usize = DISCRIMINATOR_LEN + offset_of!(MarginAccount, triggers);
    const BEFORE: usize = TRIGGERS + ORDERS_BEFORE * size_of::<TriggerSlot>();
    const AFTER: usize = DISCRIMINATOR_LEN + offset_of!(MarginAccount, venues);
    const VENUES: Range<usize> = BEFORE..BEFORE + 4 * size_of::<VenueSlot>();
    const VERSION: usize = DISCRIMINATOR_LEN + offset_of!(MarginAccount, version);
    const { assert!(VENUES.end <= AFTER, "the venues' old place and their new one do not overlap") };

    let (before, after) = data.split_at_mut_checked(AFTER)?;
    let (venues, old) = (after.get_mut(..VENUES.len())?, before.get_mut(VENUES)?);
    venues.copy_from_slice(old);
    old.fill(0);
    *before.get_mut(VERSION)? = 2;
    Some(())
}
