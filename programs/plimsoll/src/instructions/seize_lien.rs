use anchor_lang::{AccountClose, prelude::*};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange, Lien, MarginAccount},
    config::pause,
    effect::ledger,
    event::LienSeized,
    instruction::SeizeLienArgs,
    lien::SEIZE,
};

use crate::{
    auction,
    book::{self, Book},
    lien::{self, Call},
    token,
};

/// Accounts of `seize_lien`. Behind them: every market that the margin account uses, each with its price account behind it
/// where the stored price is old, and every other bank that it uses; last what the adapter's program wants.
#[derive(Accounts)]
pub struct SeizeLien {
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// Its owner, who gets the lien's rent.
    #[account(mut, address = account.owner @ PlimsollError::NotOwner)]
    pub owner: UncheckedAccount,
    /// The bank of the tokens.
    #[account(mut, address = adapter.bank @ PlimsollError::WrongAdapter)]
    pub bank: Account<Bank>,
    /// The bank's vault.
    #[account(mut, address = bank.vault @ PlimsollError::WrongVault)]
    pub vault: UncheckedAccount,
    /// The adapter.
    #[account(mut, address = lien.adapter @ PlimsollError::WrongAdapter)]
    pub adapter: Account<Adapter>,
    /// What signs to its program.
    #[account(address = adapter.authority @ PlimsollError::WrongLienAuthority)]
    pub authority: UncheckedAccount,
    /// Its program.
    #[account(address = adapter.program @ PlimsollError::WrongAdapterProgram)]
    pub program: UncheckedAccount,
    /// Its record.
    #[account(mut, address = lien.record @ PlimsollError::WrongLienRecord)]
    pub record: UncheckedAccount,
    /// The lien.
    #[account(mut, constraint(lien.account == *account.address() @ PlimsollError::WrongLien))]
    pub lien: Account<Lien>,
    /// The mint's token program.
    #[account(address = bank.token_program @ PlimsollError::WrongTokenProgram)]
    pub token_program: UncheckedAccount,
}

impl SeizeLien {
    /// See the program's instruction (INV-14): whatever arrives is a deposit of the account, whatever does not is lost to
    /// it and stays on the adapter's account.
    pub fn apply(&mut self, args: &SeizeLienArgs, remaining: &[AccountView]) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::LIQUIDATE), PlimsollError::Paused);
        self.account.require_not_deferred()?;
        let (remaining, for_adapter) = lien::split(remaining, args.adapter_accounts)?;
        let now = book::now()?;
        ledger::accrue(&mut self.bank, now)?;
        let margin = Book::new(remaining, now).with_bank(&self.bank).margin(&self.account, &self.exchange.risk(now))?;
        require!(book::health_maint(&margin)? < 0, PlimsollError::AccountHealthy);
        auction::update(&mut self.account, &self.exchange.config, &margin, now)?;
        let claim = self.lien.claim;
        let received = self.call_in(claim, for_adapter)?;
        self.credit(received)?;
        lien::give_up(&mut self.adapter, &mut self.bank, claim)?;
        let adapter = &mut self.adapter;
        let missing = claim.saturating_sub(received);
        adapter.lost = adapter.lost.checked_add(missing).ok_or(PlimsollError::Overflow)?;
        emit!(LienSeized {
            account: *self.account.address(),
            adapter: *self.adapter.address(),
            record: *self.record.address(),
            claim,
            received,
        });
        self.lien.close(*self.owner.account())
    }

    /// Has the adapter pay `claim` into the vault. Gives what arrived.
    fn call_in(&self, claim: u64, for_adapter: &[AccountView]) -> Result<u64> {
        let before = token::amount_of(self.vault.account())?;
        let call = Call {
            adapter: &self.adapter,
            authority: self.authority.account(),
            record: self.record.account(),
            destination: Some((self.vault.account(), self.token_program.account())),
        };
        call.invoke(SEIZE, claim, for_adapter)?;
        let after = token::amount_of(self.vault.account())?;
        Ok(after.checked_sub(before).ok_or(PlimsollError::WrongVault)?)
    }

    /// The lien counts no longer, what arrived does. No cap is asked: nobody may be kept from calling a lien in.
    fn credit(&mut self, received: u64) -> Result<()> {
        lien::recognise(&mut self.account, &self.bank, self.lien.recognised, 0)?;
        self.account.liens = self.account.liens.checked_sub(1).ok_or(PlimsollError::Corrupt)?;
        self.account.touch();
        if received == 0 {
            return Ok(());
        }
        let address = *self.bank.address();
        let market = self.bank.market;
        let market = if self.bank.is_quote == 1 { None } else { Some(&market) };
        let index = self.account.balance_slot_or_new(&address, market)?;
        ledger::credit(&mut self.account, index, &mut self.bank, received)?;
        self.account.release_balance(index)?;
        Ok(ledger::receive(&mut self.bank, received)?)
    }
}
