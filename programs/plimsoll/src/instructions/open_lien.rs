use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange, Lien, MAX_LIENS, MarginAccount},
    address,
    config::{adapter_state, pause, state},
    event::LienChanged,
    instruction::OpenLienArgs,
};

use crate::lien;

/// Accounts of `open_lien`.
#[derive(Accounts)]
pub struct OpenLien {
    /// Owner of the margin account, who pays.
    #[account(mut, address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The bank of the tokens.
    #[account(mut, constraint(bank.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub bank: Account<Bank>,
    /// The adapter.
    #[account(mut, constraint(adapter.bank == *bank.address() @ PlimsollError::WrongAdapter))]
    pub adapter: Account<Adapter>,
    /// The adapter's record.
    pub record: UncheckedAccount,
    /// The new lien.
    #[account(init, payer = owner, seeds = [address::LIEN, record.address().as_ref()], bump)]
    pub lien: Account<Lien>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl OpenLien {
    fn validate(&self, args: &OpenLienArgs) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(pause::DEPOSIT), PlimsollError::Paused);
        self.account.require_not_deferred()?;
        // A liquidation waits for liens: a new one every minute would hold it up for ever.
        require!(self.account.liquidation_started_at == 0, PlimsollError::LienInLiquidation);
        require!(self.adapter.config.state == adapter_state::ACTIVE, PlimsollError::AdapterClosed);
        require!(self.bank.config.state == state::ACTIVE, PlimsollError::BankReduceOnly);
        let record = lien::read(&self.adapter, self.record.account())?;
        let is_ours = lien::is_of(&record, &self.adapter, self.account.address());
        require!(is_ours, PlimsollError::LienRecordMismatch);
        require!(record.amount >= args.amount, PlimsollError::LienShort);
        require!(args.amount <= self.adapter.room(), PlimsollError::AdapterCap);
        require!(self.account.liens < MAX_LIENS, PlimsollError::TooManyLiens);
        Ok(())
    }

    /// See the program's instruction (INV-14). The record is believed from here on, within the adapter's cap.
    pub fn apply(&mut self, args: &OpenLienArgs, bump: u8) -> Result<()> {
        self.validate(args)?;
        let recognised = self.adapter.recognised(args.amount);
        lien::recognise(&mut self.account, &self.bank, 0, recognised)?;
        self.account.liens = self.account.liens.checked_add(1).ok_or(PlimsollError::TooManyLiens)?;
        self.account.touch();
        lien::claim(&mut self.adapter, &mut self.bank, args.amount)?;
        let lien = &mut self.lien;
        lien.account = *self.account.address();
        lien.adapter = *self.adapter.address();
        lien.record = *self.record.address();
        lien.claim = args.amount;
        lien.recognised = recognised;
        lien.bump = bump;
        lien.version = 1;
        emit!(LienChanged {
            account: lien.account,
            adapter: lien.adapter,
            record: lien.record,
            claim: lien.claim,
            recognised,
        });
        Ok(())
    }
}
