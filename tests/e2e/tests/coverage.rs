//! Every error that the program can give is asserted somewhere in these tests.

use std::{fs, path::Path};

use plimsoll_interface::PlimsollError;

/// Errors that nothing can bring about, and why.
const UNREACHABLE: [(&str, &str); 5] = [
    ("WrongMarket", "no code gives it: a market is found by the address in a slot, or constrained by its exchange"),
    ("HouseMissing", "no code gives it: Anchor refuses what is no house"),
    ("QuoteBankMissing", "no code gives it: Anchor refuses what is no bank, WrongQuoteBank the rest"),
    ("UnsupportedMint", "no code gives it: Anchor refuses what is no mint"),
    ("QuoteBankExists", "no code gives it: a second bank of a mint has the first one's address"),
];

/// All tests but this file.
fn sources() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.ends_with("coverage.rs")).map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Whether `E::name` stands in the sources, as a whole word.
fn is_asserted(sources: &str, name: &str) -> bool {
    let wanted = format!("E::{name}");
    sources.match_indices(&wanted).any(|(at, _)| {
        let next = sources[at + wanted.len()..].chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
    })
}

#[test]
fn every_error_is_asserted_or_known_to_be_unreachable() {
    let sources = sources();
    for error in PlimsollError::ALL {
        let reason = UNREACHABLE.iter().find(|(name, _)| *name == error.name());
        match (is_asserted(&sources, error.name()), reason) {
            (false, None) => panic!("no test asserts {}", error.name()),
            (true, Some(_)) => panic!("{} is asserted: take it off the list", error.name()),
            _ => {}
        }
    }
}

#[test]
fn what_is_listed_as_unreachable_still_exists() {
    for (name, _) in UNREACHABLE {
        assert!(PlimsollError::ALL.iter().any(|error| error.name() == name), "{name} is gone: take it off the list");
    }
}
