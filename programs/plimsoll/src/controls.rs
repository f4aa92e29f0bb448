//! Who may change what, and when: tightening at once, everything else by the admin after the timelock.

use anchor_lang::{AccountClose, prelude::*};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, Proposal, same_address},
    change::Change,
};
use plimsoll_risk::units::Timestamp;

/// A change that somebody wants to make now.
pub struct Wanted<'a> {
    /// Who signs, and gets a used proposal's rent.
    pub authority: &'a Signer,
    /// The exchange, market, bank or venue.
    pub subject: &'a Address,
    /// What it is to be.
    pub change: &'a Change,
    /// Whether it does anything but tighten.
    pub loosens: bool,
}

/// Checks that a change may be made now, and closes the proposal that announced it. The admin and the risk admin may
/// tighten at any time; anything else is the admin's, and, where there is a timelock, wants the ripe proposal of exactly
/// this change.
///
/// # Errors
/// [`PlimsollError::NotAdmin`], [`PlimsollError::OnlyTightening`], [`PlimsollError::ProposalWanted`],
/// [`PlimsollError::ProposalMismatch`], [`PlimsollError::TimelockRunning`].
#[inline(never)]
pub fn authorise(
    exchange: &Exchange,
    wanted: &Wanted<'_>,
    proposal: &mut Option<Account<Proposal>>,
    now: Timestamp,
) -> Result<()> {
    if !same_address(wanted.authority.address(), &exchange.admin) {
        require!(same_address(wanted.authority.address(), &exchange.risk_admin), PlimsollError::NotAdmin);
        require!(!wanted.loosens, PlimsollError::OnlyTightening);
    }
    if !wanted.loosens || exchange.config.timelock_seconds == 0 {
        return Ok(());
    }
    let proposal = proposal.as_mut().ok_or(PlimsollError::ProposalWanted)?;
    let is_this = same_address(&proposal.subject, wanted.subject)
        && proposal.kind == wanted.change.kind()
        && proposal.content == wanted.change.content();
    require!(is_this, PlimsollError::ProposalMismatch);
    require!(now.raw() >= proposal.ready_at, PlimsollError::TimelockRunning);
    proposal.close(*wanted.authority.account())
}

/// When a change proposed now may be made, unix seconds.
pub fn ready_at(exchange: &Exchange, now: Timestamp) -> Result<i64> {
    Ok(now.raw().checked_add(i64::from(exchange.config.timelock_seconds)).ok_or(PlimsollError::Overflow)?)
}

/// Whether a signer is the admin.
///
/// # Errors
/// [`PlimsollError::NotRiskAdmin`] for whoever is neither the admin nor the risk admin.
pub fn is_admin(exchange: &Exchange, signer: &Address) -> Result<bool> {
    let is_admin = same_address(signer, &exchange.admin);
    require!(is_admin || same_address(signer, &exchange.risk_admin), PlimsollError::NotRiskAdmin);
    Ok(is_admin)
}
