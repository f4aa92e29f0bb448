//! What the client says of a trade before it is made, held to what the program makes of it: the same bytes in every account
//! that the trade changes, or the same error.

use plimsoll_client::{Snapshot, Trade, WhatIf, decode::Named, error::program_error};
use plimsoll_interface::{
    Address, PlimsollError,
    instruction::tag,
    token::{TransferFee, transfer_fees},
};
use solana_instruction::Instruction;
use solana_transaction_error::TransactionError;

use crate::{actions::Attempt, machine::Sent, walk::Walk};

/// What the client says.
pub struct Prediction {
    /// The margin account.
    account: Address,
    /// What it would be.
    what_if: WhatIf,
    /// How many instructions are sent: the trade is the last.
    count: usize,
}

impl Prediction {
    /// Of an attempt whose last instruction is a trade, signed by the account's owner, behind refreshes of boards that
    /// succeed.
    pub fn of(walk: &Walk, attempt: &Attempt) -> Option<Self> {
        if attempt.tampered {
            return None;
        }
        let (last, before) = attempt.instructions.split_last()?;
        let mut snapshot = walk.priced();
        for instruction in before {
            refresh(&mut snapshot, instruction)?;
        }
        let request = snapshot.request(last)?;
        let account = walk.get::<plimsoll_interface::accounts::MarginAccount>(&request.account)?;
        if request.authority.is_some_and(|authority| authority != account.owner) {
            return None;
        }
        let trade = match request.trade {
            Trade::Deposit { mint, amount } if amount > 0 => {
                Trade::Deposit { mint, amount: fee(walk, &mint).received(amount).ok()? }
            }
            // A mint whose fee takes all of a deposit is refused for another reason than a deposit of nothing.
            other => other,
        };
        let is_nothing =
            matches!((request.trade, trade), (Trade::Deposit { amount: 1.., .. }, Trade::Deposit { amount: 0, .. }));
        let what_if = snapshot.what_if(&account, &trade).ok().filter(|_| !is_nothing)?;
        Some(Self { account: request.account, what_if, count: attempt.instructions.len() })
    }

    /// What differs from what came of it. Says whether the program accepted the trade, where it had its say.
    ///
    /// # Errors
    /// The difference.
    pub fn check(&self, walk: &Walk, sent: &Sent) -> Result<Option<bool>, String> {
        let trade = &self.what_if.trade;
        match &sent.result {
            Ok(()) => {
                if let Some(refused) = self.what_if.refused {
                    return Err(format!("what_if: {trade:?} was accepted, and said to be {}", refused.name()));
                }
                self.same_accounts(walk).map_err(|what| format!("what_if: {what} after {trade:?}"))?;
                Ok(Some(true))
            }
            Err(error) => {
                let Some(told) = self.refusal(error) else { return Ok(None) };
                let said = self.what_if.refused;
                if said != Some(told) {
                    let said = said.map_or("accepted", PlimsollError::name);
                    return Err(format!("what_if: {trade:?} was {}, and said to be {said}", told.name()));
                }
                Ok(Some(false))
            }
        }
    }

    /// What the program says against the trade itself; `None` where a refresh before it failed, or the token program, or a mint's
    /// fee is too high.
    fn refusal(&self, error: &TransactionError) -> Option<PlimsollError> {
        // The compute limit stands before.
        let TransactionError::InstructionError(index, _) = error else { return None };
        let told = program_error(error).filter(|_| usize::from(*index) == self.count)?;
        (told != PlimsollError::TransferFeeTooHigh).then_some(told)
    }

    fn same_accounts(&self, walk: &Walk) -> Result<(), String> {
        let WhatIf { account, snapshot, margin, .. } = &self.what_if;
        same(walk, &self.account, account)?;
        if walk.priced().margin(account).ok() != *margin {
            return Err(format!("the margin is not {margin:?}"));
        }
        for (address, bank) in &snapshot.banks {
            same(walk, address, bank)?;
        }
        for (address, market) in &snapshot.markets {
            same(walk, address, market)?;
        }
        for (address, board) in &snapshot.boards {
            same(walk, address, board)?;
        }
        match &snapshot.house {
            Some(house) => same(walk, &walk.places.house, house),
            None => Ok(()),
        }
    }
}

fn same<T: Named + PartialEq>(walk: &Walk, address: &Address, said: &T) -> Result<(), String> {
    if walk.get::<T>(address).as_ref() == Some(said) { Ok(()) } else { Err(format!("{} {address} differs", T::NAME)) }
}

/// Applies a refresh of all strikes; `None` for any other instruction, or one that fails.
fn refresh(snapshot: &mut Snapshot, instruction: &Instruction) -> Option<()> {
    let board = instruction.accounts.get(2)?.pubkey;
    if instruction.data != [tag::REFRESH_BOARD, 0] {
        return None;
    }
    snapshot.refresh(&board).ok()
}

/// What a mint withholds in this epoch.
fn fee(walk: &Walk, mint: &Address) -> TransferFee {
    let account = plimsoll_e2e_tests::invariants::Ledger::account(&walk.machine, mint);
    let fees = account.and_then(|account| transfer_fees(&account.owner, &account.data).ok().flatten());
    fees.map_or_else(TransferFee::default, |fees| fees.at(walk.machine.epoch()))
}
