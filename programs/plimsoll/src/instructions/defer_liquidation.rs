use anchor_lang::prelude::*;
use pinocchio::sysvars::instructions::{INSTRUCTIONS_ID, Instructions};
use plimsoll_interface::{
    ID, PlimsollError,
    accounts::{Exchange, MarginAccount, deferral, same_address},
    config::pause,
    event::LiquidationDeferred,
    instruction::tag,
};

use crate::book::{self, Book};

/// Where the taker stands among the accounts of `end_liquidation`.
const TAKER_INDEX: usize = 2;

/// Accounts of `begin_liquidation`.
#[derive(Accounts)]
pub struct BeginLiquidation {
    /// Owner or delegate of the taker's margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account that will take over.
    #[account(mut, constraint(taker.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub taker: Account<MarginAccount>,
    /// The instructions sysvar.
    #[account(address = INSTRUCTIONS_ID @ PlimsollError::WrongSysvar)]
    pub instructions: UncheckedAccount,
}

/// Accounts of `end_liquidation`. Behind them: every market that the taker uses, each with its price account behind it where
/// the stored price is old, and every bank that it uses.
#[derive(Accounts)]
pub struct EndLiquidation {
    /// Owner or delegate of the taker's margin account.
    pub authority: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account that took over.
    #[account(mut, constraint(taker.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub taker: Account<MarginAccount>,
}

impl BeginLiquidation {
    /// See the program's instruction.
    ///
    /// The deferral does not survive the transaction: it is set here alone, where a later instruction of the same
    /// transaction, at its top level, is an `end_liquidation` of this account. The runtime executes that one or fails the
    /// whole transaction, and it clears the deferral or fails. No instruction that this account accepts in between closes
    /// it or hands it on.
    pub fn apply(&mut self) -> Result<()> {
        require!(!self.exchange.config.is_paused(pause::LIQUIDATE), PlimsollError::Paused);
        require!(self.taker.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        self.taker.require_not_deferred()?;
        self.require_end()?;
        self.taker.deferral = deferral::BEGUN;
        self.taker.touch();
        emit!(LiquidationDeferred { taker: *self.taker.address(), health: 0, begun: 1 });
        Ok(())
    }

    /// Checks that this instruction stands at the transaction's top level, and a later one ends what it begins.
    fn require_end(&self) -> Result<()> {
        let instructions = Instructions::try_from(self.instructions.account())?;
        let current = usize::from(instructions.load_current_index());
        // Called by a program, the transaction's instruction is that program's.
        let is_ours = same_address(instructions.load_instruction_at(current)?.get_program_id(), &ID);
        require!(is_ours, PlimsollError::LiquidationNotTopLevel);
        for index in current.saturating_add(1)..instructions.num_instructions() {
            let later = instructions.load_instruction_at(index)?;
            if same_address(later.get_program_id(), &ID)
                && later.get_instruction_data().first() == Some(&tag::END_LIQUIDATION)
                && later.num_account_metas() > TAKER_INDEX
                && same_address(&later.get_instruction_account_at(TAKER_INDEX)?.key, self.taker.address())
            {
                return Ok(());
            }
        }
        Err(PlimsollError::LiquidationWithoutEnd.into())
    }
}

impl EndLiquidation {
    /// See the program's instruction: what every step in between would have asked for, asked for once (INV-5).
    pub fn apply(&mut self, remaining: &[AccountView]) -> Result<()> {
        require!(self.taker.may_trade(self.authority.address()), PlimsollError::NotOwnerOrDelegate);
        let state = self.taker.deferral;
        require!(state != deferral::NONE, PlimsollError::LiquidationNotBegun);
        self.taker.deferral = deferral::NONE;
        self.taker.touch();
        let now = book::now()?;
        let book = Book::new(remaining, now);
        let taker = book.assess(&self.taker, &self.exchange.risk(now))?;
        require!(taker.margin.blocked_by.is_none(), PlimsollError::OracleStale);
        let health = book::health_init(&taker.margin)?;
        require!(health >= 0, PlimsollError::TakerUnhealthy);
        if state == deferral::BORROWED {
            book.require_settled(&self.taker, &taker)?;
        }
        emit!(LiquidationDeferred { taker: *self.taker.address(), health, begun: 0 });
        Ok(())
    }
}
