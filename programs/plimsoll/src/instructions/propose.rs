use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Adapter, Bank, Exchange, Market, Proposal, Venue, same_address},
    address,
    change::Change,
    event::Proposed,
    instruction::ProposeArgs,
};

use crate::{book, controls};

/// Accounts of `propose`.
#[derive(Accounts)]
pub struct Propose {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ PlimsollError::NotAdmin)]
    pub admin: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// What is to change: the exchange itself, a market, a bank or a venue.
    /// What is to change: the exchange itself, a market, a bank or an adapter.
    pub subject: UncheckedAccount,
    /// The new proposal.
    #[account(init, payer = admin, seeds = [address::PROPOSAL, subject.address().as_ref()], bump)]
    pub proposal: Account<Proposal>,
    /// Makes the account.
    pub system_program: Program<System>,
}

impl Propose {
    /// Checks the change as a whole, and that the subject is of its kind and of this exchange.
    fn validate(&self, args: &ProposeArgs) -> Result<()> {
        let change = Change::read(args.kind, &args.content)?;
        change.validate()?;
        let exchange = self.exchange.address();
        let belongs = match change {
            Change::Market(_) => Account::<Market>::load(*self.subject.account())?.exchange == *exchange,
            Change::Bank(config) => {
                let bank = Account::<Bank>::load(*self.subject.account())?;
                if bank.is_quote == 1 {
                    config.validate_quote()?;
                }
                bank.exchange == *exchange
            }
            Change::Adapter(_) => Account::<Adapter>::load(*self.subject.account())?.exchange == *exchange,
            Change::RateSource(_) => Account::<Bank>::load(*self.subject.account())?.exchange == *exchange,
            Change::Venue(_) => Account::<Venue>::load(*self.subject.account())?.exchange == *exchange,
            Change::Exchange(_) | Change::Role(_) | Change::QuoteFeed(_) => {
                same_address(self.subject.address(), exchange)
            }
        };
        require!(belongs, PlimsollError::WrongExchange);
        Ok(())
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &ProposeArgs, bump: u8) -> Result<()> {
        self.validate(args)?;
        let ready_at = controls::ready_at(&self.exchange, book::now()?)?;
        let proposal = &mut self.proposal;
        proposal.exchange = *self.exchange.address();
        proposal.subject = *self.subject.address();
        proposal.ready_at = ready_at;
        proposal.kind = args.kind;
        proposal.bump = bump;
        proposal.version = 1;
        proposal.content = args.content;
        emit!(Proposed {
            exchange: *self.exchange.address(),
            subject: *self.subject.address(),
            ready_at,
            kind: u64::from(args.kind),
        });
        Ok(())
    }
}
