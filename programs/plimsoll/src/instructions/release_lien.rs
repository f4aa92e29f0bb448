use anchor_lang::{AccountClose, prelude::*};
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange, Lien, MarginAccount},
    config::pause,
    event::LienChanged,
    instruction::ReleaseLienArgs,
    lien::RELEASE,
};
use plimsoll_risk::units::Timestamp;

use crate::{
    book::{self, Book},
    lien::{self, Call},
};

/// Accounts of `release_lien`. Behind them, unless the margin account owes nothing: every market that it uses, each with
/// its price account behind it where the stored price is old, and every other bank that it uses; last what the adapter's
/// program wants.
#[derive(Accounts)]
pub struct ReleaseLien {
    /// Owner of the margin account, who gets the rent.
    #[account(mut, address = account.owner @ PlimsollError::NotOwner)]
    pub owner: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account.
    #[account(mut, constraint(account.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub account: Account<MarginAccount>,
    /// The bank of the tokens.
    #[account(mut, address = adapter.bank @ PlimsollError::WrongAdapter)]
    pub bank: Account<Bank>,
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
}

impl ReleaseLien {
    /// See the program's instruction (INV-5): as a withdrawal, of what the lien counts for.
    pub fn apply(&mut self, args: &ReleaseLienArgs, remaining: &[AccountView]) -> Result<()> {
        require!(args.amount > 0, PlimsollError::ZeroAmount);
        require!(!self.exchange.config.is_paused(pause::WITHDRAW), PlimsollError::Paused);
        self.account.require_not_deferred()?;
        let (remaining, for_adapter) = lien::split(remaining, args.adapter_accounts)?;
        let amount = args.amount.min(self.lien.claim);
        let (before, claim) = (self.lien.recognised, self.lien.claim.saturating_sub(amount));
        let recognised = before.min(self.adapter.recognised(claim));
        lien::recognise(&mut self.account, &self.bank, before, recognised)?;
        self.account.touch();
        self.require_margin(remaining)?;
        lien::give_up(&mut self.adapter, &mut self.bank, amount)?;
        self.lien.claim = claim;
        self.lien.recognised = recognised;
        self.unlock(amount, for_adapter)?;
        emit!(LienChanged {
            account: *self.account.address(),
            adapter: *self.adapter.address(),
            record: *self.record.address(),
            claim,
            recognised,
        });
        if claim == 0 {
            self.account.liens = self.account.liens.checked_sub(1).ok_or(PlimsollError::Corrupt)?;
            self.lien.close(*self.owner.account())?;
        }
        Ok(())
    }

    /// Has the adapter unlock `amount`. Of a record that is gone, or says zero, there is nothing to unlock, and an account
    /// must be able to drop such a lien. What is still claimed afterwards must still be there.
    fn unlock(&self, amount: u64, for_adapter: &[AccountView]) -> Result<()> {
        let held = || lien::held(&self.adapter, self.account.address(), self.record.account());
        if held() > 0 {
            let call = Call {
                adapter: &self.adapter,
                authority: self.authority.account(),
                record: self.record.account(),
                destination: None,
            };
            call.invoke(RELEASE, amount, for_adapter)?;
        }
        require!(held() >= self.lien.claim, PlimsollError::LienShort);
        Ok(())
    }

    fn require_margin(&self, remaining: &[AccountView]) -> Result<()> {
        if self.account.has_no_liability() {
            return Ok(());
        }
        let now: Timestamp = book::now()?;
        self.exchange.require_quote_sound(now)?;
        let book = Book::new(remaining, now).with_bank(&self.bank);
        book.require_withdrawal_margin(&self.account, &self.exchange.risk(now))
    }
}
