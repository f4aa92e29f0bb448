//! How a command fails: an exit code that scripts can rely on, one line for people, one object for programs.

use std::process::ExitCode;

use plimsoll_client::Error;
use plimsoll_migrations::{FileError, PlanError};
use serde_json::{Value, json};

use crate::format;

/// Exit codes, as `plimsoll help` lists them.
pub mod exit {
    /// Anything that is not one of the others; findings of `doctor` too.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// No server answers, or not as one.
    pub const RPC: u8 = 3;
    /// The program refuses.
    pub const PROGRAM: u8 = 4;
    /// A transaction failed for another reason.
    pub const TRANSACTION: u8 = 5;
    /// What was named is not there, or is something else.
    pub const NOT_FOUND: u8 = 6;
    /// A file is wrong, or contradicts the chain.
    pub const FILE: u8 = 7;
    /// Nobody said yes.
    pub const DECLINED: u8 = 8;
}

/// What a command says by itself, beyond the client's errors.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody said yes.
    #[error("not confirmed: nothing was sent (say y, or give --yes)")]
    Declined,
    /// What was named is not there.
    #[error("{0}")]
    NotFound(String),
    /// The command line fits no command, beyond what its parser sees.
    #[error("{0}")]
    Usage(String),
    /// A file that is wrong.
    #[error("{0}")]
    File(String),
}

/// A failure as it is reported.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The process's exit code.
    pub exit: u8,
    /// The program's error number where it refused, otherwise the exit code.
    pub code: u32,
    /// A stable name.
    pub name: String,
    /// One line.
    pub message: String,
}

impl Failure {
    /// What an error is.
    pub fn of(error: &anyhow::Error) -> Self {
        let message = format::one_line(&format!("{error:#}"));
        let make = |exit: u8, name: &str| Self { exit, code: exit.into(), name: name.into(), message: message.clone() };
        for cause in error.chain() {
            if let Some(error) = cause.downcast_ref::<Error>() {
                return match error {
                    Error::Program(error) => Self { code: error.code(), ..make(exit::PROGRAM, error.name()) },
                    Error::Rpc(_) => make(exit::RPC, "Rpc"),
                    Error::Missing { .. }
                    | Error::NotOurs { .. }
                    | Error::WrongAccountType { .. }
                    | Error::UnknownAccountType { .. } => make(exit::NOT_FOUND, "NotFound"),
                    _ => make(exit::TRANSACTION, "Transaction"),
                };
            }
            if let Some(refusal) = cause.downcast_ref::<Refusal>() {
                return match refusal {
                    Refusal::Declined => make(exit::DECLINED, "Declined"),
                    Refusal::NotFound(_) => make(exit::NOT_FOUND, "NotFound"),
                    Refusal::Usage(_) => make(exit::USAGE, "Usage"),
                    Refusal::File(_) => make(exit::FILE, "File"),
                };
            }
            if cause.is::<FileError>() || cause.is::<PlanError>() {
                return make(exit::FILE, "File");
            }
        }
        make(exit::FAILED, "Failed")
    }

    /// A wrong command line.
    pub fn usage(message: &str) -> Self {
        let message = format::one_line(message);
        Self { exit: exit::USAGE, code: exit::USAGE.into(), name: "Usage".into(), message }
    }

    fn json(&self) -> Value {
        json!({ "error": { "code": self.code, "name": self.name, "message": self.message } })
    }

    /// Says it on stderr, and answers the exit code.
    pub fn report(&self, as_json: bool) -> ExitCode {
        if as_json {
            eprintln!("{}", self.json());
        } else {
            eprintln!("plimsoll: {}", self.message);
        }
        ExitCode::from(self.exit)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use plimsoll_client::PlimsollError;

    use super::*;

    #[test]
    fn what_the_program_refuses_has_its_number_and_name() {
        let error = Err::<(), _>(Error::Program(PlimsollError::AccountHealthy)).context("liquidate").unwrap_err();
        let failure = Failure::of(&error);
        assert_eq!((failure.exit, failure.code, failure.name.as_str()), (4, 6081, "AccountHealthy"));
        assert!(failure.json()["error"]["message"].as_str().unwrap().starts_with("liquidate: AccountHealthy: "));
    }

    #[test]
    fn everything_else_has_the_exit_codes_number() {
        for (error, exit, name) in [
            (anyhow!(Error::Rpc("x".into())), 3, "Rpc"),
            (anyhow!(Error::Transaction("x".into())), 5, "Transaction"),
            (anyhow!(Refusal::Declined), 8, "Declined"),
            (anyhow!(Refusal::NotFound("x".into())), 6, "NotFound"),
            (anyhow!(PlanError::MissingMint("x".into())), 7, "File"),
            (anyhow!("x"), 1, "Failed"),
        ] {
            let failure = Failure::of(&error);
            assert_eq!((failure.exit, failure.code, failure.name.as_str()), (exit, exit.into(), name));
        }
    }
}
