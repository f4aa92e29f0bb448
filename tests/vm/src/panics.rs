//! What panics on the host fails in the machine, with message and place in the log; what does not, does not.

use std::fs;
use std::path::Path;

use vm_check::panics::{FAILURES, Failure};
use vm_check::{NONE, Record};

use crate::machine::Machine;
use crate::operands::edges;

/// As cargo names it to the compiler: from the workspace in `programs/`.
const SOURCE: &str = "vm-check/src/panics.rs";

/// The operators: name, the checked form in `arithmetic`, and what the panic says.
const OPERATORS: [(&str, &str, &str); 7] = [
    ("add", "checked_add", "attempt to add with overflow"),
    ("sub", "checked_sub", "attempt to subtract with overflow"),
    ("mul", "checked_mul", "attempt to multiply with overflow"),
    ("div", "checked_div", "attempt to divide"),
    ("rem", "checked_rem", "attempt to calculate the remainder with"),
    ("shl", "checked_shl", "attempt to shift left with overflow"),
    ("shr", "checked_shr", "attempt to shift right with overflow"),
];

fn operation(group: &str, name: &str) -> (u8, u8) {
    let all = vm_check::operations();
    let found = all.iter().find(|(_, _, g, n)| g.ends_with(group) && *n == name);
    let (group, operation, ..) = found.unwrap_or_else(|| panic!("no operation {group}::{name}"));
    (*group, *operation)
}

/// The few edges that decide whether an operator panics.
fn few_edges(bits: u32) -> Vec<u128> {
    let (top, all) = (1u128 << (bits - 1), u128::MAX >> (128 - bits));
    let few = [0, 1, 2, 5, 127, top - 1, top, top + 1, all - 1, all, (1u128 << (bits / 2)) - 1, 1u128 << (bits / 2)];
    let edges = edges(bits);
    assert!(few.iter().filter(|value| edges.contains(value)).count() > 6);
    few.to_vec()
}

fn operators_panic_exactly_where_there_is_no_result(integer: &str) {
    let mut machine = Machine::new();
    let bits = integer[1..].parse().unwrap();
    let edges = few_edges(bits);
    let (mut panics, mut results) = (0, 0);
    for (name, checked, message) in OPERATORS {
        let plain = operation(&format!("panics::on_{integer}"), name);
        let checked = operation(&format!("arithmetic::on_{integer}"), checked);
        for (a, b) in edges.iter().flat_map(|a| edges.iter().map(|b| (*a, *b))) {
            let operands = [Record::new(a, b)];
            let mut expected = operands;
            assert!(vm_check::run(checked.0, checked.1, &mut expected));
            let done = machine.run(&[0, plain.0, plain.1], Record::slice(&operands));
            let context = format!("{integer} {name} {a:#x} {b:#x}");
            if expected[0].result().1 == NONE {
                let failure = done.err().unwrap_or_else(|| panic!("{context} did not panic"));
                let logs = failure.meta.logs.join("\n");
                assert!(logs.contains(message) && logs.contains(SOURCE), "{context}: {logs}");
                panics += 1;
            } else {
                let mut done = done.unwrap_or_else(|failure| panic!("{context}: {}", failure.meta.pretty_logs()));
                assert_eq!(Record::slice_mut(&mut done.data), &expected, "{context}");
                results += 1;
            }
        }
    }
    println!("{integer}: {panics} panics, {results} results");
    assert!(panics > 50 && results > 300);
}

macro_rules! operators {
    ($($integer:ident)*) => {$(
        #[test]
        fn $integer() {
            operators_panic_exactly_where_there_is_no_result(stringify!($integer));
        }
    )*};
}

mod operators {
    use super::operators_panic_exactly_where_there_is_no_result;

    operators! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 }
}

/// `...src/panics.rs:LINE:COLUMN` in a log.
fn reported_line(logs: &str) -> Option<usize> {
    logs.split_once(&format!("{SOURCE}:"))?.1.split(':').next()?.parse().ok()
}

fn check_failure(machine: &mut Machine, index: usize, failure: Failure, source: &[&str]) {
    let operands = [Record::new(7, 0)];
    let failed = machine.run(&[2, index as u8], Record::slice(&operands));
    let logs = failed.err().unwrap_or_else(|| panic!("{failure:?} did not fail")).meta.logs.join("\n");
    assert!(logs.contains(failure.message), "{failure:?}: {logs}");
    assert!(logs.contains("failed"), "{failure:?}: {logs}");
    if source.iter().any(|line| line.contains(&format!("/* {} */", failure.name))) {
        let line = reported_line(&logs).unwrap_or_else(|| panic!("{failure:?} names no line: {logs}"));
        assert!(source[line - 1].contains(failure.name), "{failure:?} names line {line}: {logs}");
    }
}

/// Every way to panic ends the transaction, and the log says why and where.
#[test]
fn failures_report_message_and_place() {
    let mut machine = Machine::new();
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs").join(SOURCE)).unwrap();
    let source: Vec<_> = source.lines().collect();
    for (index, failure) in FAILURES.iter().enumerate() {
        check_failure(&mut machine, index, *failure, &source);
    }
}
