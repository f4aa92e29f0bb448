//! Errors and events in words.

use js_sys::Uint8Array;
use plimsoll_client::{
    Error, PlimsollError,
    error::describe_code,
    event::Event,
    words::{Names, sentence},
};
use serde::Serialize;
use tsify::Tsify;

/// An error of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ErrorWords {
    /// The code as the chain reports it: `Custom(code)`.
    pub code: u32,
    /// Its name; `undefined` where it is none of Plimsoll's.
    pub name: Option<&'static str>,
    /// What is wrong and what to do.
    pub message: String,
}

impl ErrorWords {
    /// Of a custom code.
    pub fn new(code: u32) -> Self {
        match PlimsollError::from_code(code) {
            Some(error) => Self { code, name: Some(error.name()), message: error.message().into() },
            None => Self { code, name: None, message: describe_code(code) },
        }
    }
}

/// Events in words, one sentence for each of their entries.
pub fn sentences(entries: &[Uint8Array], names: &Names<'_>) -> Vec<String> {
    let words = |event: Option<Event>| event.map(|event| sentence(&event, names));
    let unknown = || "An event that this version does not know".into();
    entries.iter().map(|entry| words(Event::read(&entry.to_vec())).unwrap_or_else(unknown)).collect()
}

/// Code and name of an error, where it is the program's.
pub fn identity(error: &Error) -> Option<(u32, &'static str)> {
    match error {
        Error::Program(cause) => Some((cause.code(), cause.name())),
        _ => None,
    }
}
