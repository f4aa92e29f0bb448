//! Every error that the program can give is asserted somewhere in these tests.

use std::{fs, path::Path};

use plimsoll_interface::{PlimsollError, instruction::tag};

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

/// `file::test` wherever it stands between backticks.
fn named_tests(page: &str) -> Vec<(&str, &str)> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once("::")).filter(|(file, _)| file.chars().all(char::is_lowercase)).collect()
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/security.md")).unwrap();
    let named = named_tests(&page);
    assert!(named.len() > 50, "only {} tests are named", named.len());
    let missing: Vec<_> = named
        .into_iter()
        .filter(|(file, test)| {
            let source = fs::read_to_string(root.join(format!("tests/{file}.rs"))).unwrap_or_default();
            !source.contains(&format!("fn {test}()"))
        })
        .collect();
    assert_eq!(missing, [("", ""); 0]);
}

#[test]
fn every_instruction_has_its_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/instructions");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let pages: String = files.collect();
    let headings: Vec<&str> = pages.lines().filter(|line| line.starts_with('#')).collect();
    let is_there = |name: &str| headings.iter().any(|line| line.contains(&format!("`{name}`")));
    let names = tag::NAMES.iter().map(|name| name.to_lowercase());
    let missing: Vec<String> = names.filter(|name| !is_there(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_instruction_is_in_the_table_of_pauses() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/instructions/controls.md");
    let page = fs::read_to_string(path).unwrap();
    let section = page.split("## What pauses what").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let names = tag::NAMES.iter().map(|name| name.to_lowercase());
    let missing: Vec<String> = names.filter(|name| !section.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, [""; 0]);
}
