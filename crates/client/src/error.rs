//! What can go wrong, in words: the client's own errors and the chain's.

use plimsoll_interface::{Address, PlimsollError, error::ERROR_OFFSET};
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

/// What the client answers besides success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The account belongs to another program.
    #[error("account {address} is owned by {owner}, not by the Plimsoll program")]
    NotOurs {
        /// The account.
        address: Address,
        /// Its owner.
        owner: Address,
    },
    /// The account is one of the program's, of another type or of another version.
    #[error("account {address} is not a {expected} of this version")]
    WrongAccountType {
        /// The account.
        address: Address,
        /// What it was to be.
        expected: &'static str,
    },
    /// The account is of a layout that the program had before.
    #[error("account {address} has the layout of an earlier version: send upgrade_account for it first, as anyone may")]
    Outdated {
        /// The account.
        address: Address,
    },
    /// The account's discriminator or size is none of the program's.
    #[error("account {address} is of no type that this version knows")]
    UnknownAccountType {
        /// The account.
        address: Address,
    },
    /// There is no account at the address.
    #[error("there is no {what} at {address}")]
    Missing {
        /// What was to be there.
        what: &'static str,
        /// The address.
        address: Address,
    },
    /// The program, or the code that it shares with the client, refuses.
    #[error("{}: {}", .0.name(), .0.message())]
    Program(PlimsollError),
    /// The cluster refused or failed a transaction for a reason that is not the program's.
    #[error("transaction failed: {0}")]
    Transaction(String),
    /// The instructions do not fit one transaction.
    #[error("{0}")]
    TooLarge(String),
    /// The transaction's blockhash is too old by now: it was not executed and never will be. Sending it anew is safe.
    #[error(
        "transaction {0} expired: it was not executed within the blocks that it was valid for, so nothing has changed"
    )]
    Expired(String),
    /// The cluster could not be reached or answered nonsense.
    #[error("RPC: {0}")]
    Rpc(String),
}

impl From<PlimsollError> for Error {
    fn from(error: PlimsollError) -> Self {
        Self::Program(error)
    }
}

impl From<plimsoll_risk::Error> for Error {
    fn from(error: plimsoll_risk::Error) -> Self {
        Self::Program(error.into())
    }
}

impl From<&TransactionError> for Error {
    fn from(error: &TransactionError) -> Self {
        match program_error(error) {
            Some(error) => Self::Program(error),
            None => Self::Transaction(describe(error)),
        }
    }
}

/// The program's error in a failed transaction, if it is one.
pub fn program_error(error: &TransactionError) -> Option<PlimsollError> {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => PlimsollError::from_code(*code),
        _ => None,
    }
}

/// A failed transaction in one line: which instruction, which error, what it means.
pub fn describe(error: &TransactionError) -> String {
    match error {
        TransactionError::InstructionError(index, InstructionError::Custom(code)) => {
            format!("instruction {index}: {}", describe_code(*code))
        }
        TransactionError::InstructionError(index, cause) => format!("instruction {index}: {cause}"),
        other => other.to_string(),
    }
}

/// A custom code in words: the program's, or Anchor's for a declared account that breaks its constraint.
pub fn describe_code(code: u32) -> String {
    if let Some(error) = PlimsollError::from_code(code) {
        return format!("{} ({code}): {}", error.name(), error.message());
    }
    match anchor_message(code) {
        Some(message) => format!("account constraint ({code}): {message}"),
        None if code < ERROR_OFFSET => format!("custom error {code}, of another program"),
        None => format!("custom error {code}, which this version does not know"),
    }
}

/// Anchor's codes for declared accounts.
fn anchor_message(code: u32) -> Option<&'static str> {
    Some(match code {
        2000 => "an account that is to change was passed read-only",
        2001 => "an account does not name another one that was passed",
        2003 => "an account breaks a rule of the instruction",
        2005 => "an account is not rent exempt",
        2012 => "an account is not at the expected address",
        2019 => "an account has another size than expected",
        2040 => "one account was passed twice where it is to change",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name_and_message() {
        for error in PlimsollError::ALL {
            let text = describe_code(error.code());
            assert!(text.starts_with(error.name()) && text.ends_with(error.message()), "{text}");
        }
    }

    #[test]
    fn a_failed_instruction_becomes_the_programs_error() {
        let code = PlimsollError::AccountHealthy.code();
        let failed = TransactionError::InstructionError(1, InstructionError::Custom(code));
        assert_eq!(program_error(&failed), Some(PlimsollError::AccountHealthy));
        assert_eq!(Error::from(&failed), Error::Program(PlimsollError::AccountHealthy));
        assert!(describe(&failed).starts_with("instruction 1: AccountHealthy (6081): "));
    }

    #[test]
    fn foreign_errors_are_not_taken_for_ours() {
        let token = TransactionError::InstructionError(0, InstructionError::Custom(1));
        assert_eq!(program_error(&token), None);
        assert_eq!(describe(&token), "instruction 0: custom error 1, of another program");
        assert_eq!(describe_code(7999), "custom error 7999, which this version does not know");
        assert!(describe_code(2040).contains("twice"));
    }
}
