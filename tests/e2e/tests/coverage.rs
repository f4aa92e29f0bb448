//! Every error that the program can give is asserted somewhere in these tests.

use std::{fs, path::Path};

use plimsoll_interface::PlimsollError;

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
fn every_error_is_asserted() {
    let sources = sources();
    let silent: Vec<&str> =
        PlimsollError::ALL.iter().map(|error| error.name()).filter(|name| !is_asserted(&sources, name)).collect();
    assert_eq!(silent, [""; 0]);
}
