//! Copying, moving, filling, comparing: every small size and some large, every alignment.

use rand::RngCore;
use vm_check::memory::{CASES, CONSTANT_SIZES, OPERATIONS, Operation, run, stride};

use crate::machine::Machine;
use crate::operands::generator;

/// Around powers of two and of the lengths at which copying goes over to whole words.
const LARGE: [usize; 14] = [95, 96, 97, 127, 128, 129, 200, 255, 256, 257, 1_000, 1_024, 4_097, 9_999];

fn sizes() -> impl Iterator<Item = usize> {
    (0..=80).chain(LARGE)
}

/// Places where the machine's bytes are not the host's.
fn differences(machine: &mut Machine, operation: Operation, size: usize, buffer: &[u8]) -> usize {
    let mut instruction = vec![1, operation as u8];
    instruction.extend((size as u32).to_le_bytes());
    let in_machine = machine
        .run(&instruction, buffer)
        .unwrap_or_else(|failure| panic!("{operation:?} {size}: {:?}\n{}", failure.err, failure.meta.pretty_logs()));
    let mut on_host = buffer.to_vec();
    run(operation, size, &mut on_host);
    assert_eq!(in_machine.data.len(), on_host.len());
    in_machine.data.iter().zip(&on_host).filter(|(one, other)| one != other).count()
}

fn random_buffer(generator: &mut impl RngCore, size: usize) -> Vec<u8> {
    let mut buffer = vec![0; CASES * stride(size)];
    generator.fill_bytes(&mut buffer);
    buffer
}

fn all_sizes_are_as_on_host(operation: Operation) {
    let mut machine = Machine::new();
    let mut generator = generator("bytes");
    let mut cases = 0;
    for size in sizes().chain(CONSTANT_SIZES.iter().copied()).filter(|size| operation.takes(*size)) {
        let buffer = random_buffer(&mut generator, size);
        assert_eq!(differences(&mut machine, operation, size, &buffer), 0, "{operation:?} of {size} bytes");
        cases += CASES;
    }
    println!("{operation:?}: {cases} cases compared");
}

#[test]
fn copies() {
    all_sizes_are_as_on_host(Operation::Copy);
}

#[test]
fn overlapping_moves() {
    all_sizes_are_as_on_host(Operation::Move);
}

#[test]
fn fills() {
    all_sizes_are_as_on_host(Operation::Fill);
}

#[test]
fn comparisons() {
    all_sizes_are_as_on_host(Operation::Compare);
}

#[test]
fn copies_through_the_heap() {
    // The heap has 32 KiB, and cases run one after another in it.
    all_sizes_are_as_on_host(Operation::ThroughHeap);
}

#[test]
fn copies_of_known_size() {
    all_sizes_are_as_on_host(Operation::CopyConstant);
}

#[test]
fn fills_of_known_size() {
    all_sizes_are_as_on_host(Operation::FillConstant);
}

#[test]
fn arrays_by_value() {
    all_sizes_are_as_on_host(Operation::ArrayByValue);
}

/// On the host each operation changes most cases: two sides that did nothing would agree as well.
#[test]
fn operations_do_something() {
    let mut generator = generator("bytes");
    for operation in OPERATIONS {
        let before = random_buffer(&mut generator, 33);
        let mut after = before.clone();
        run(operation, 33, &mut after);
        assert!(before.iter().zip(&after).filter(|(one, other)| one != other).count() > CASES / 2, "{operation:?}");
    }
}
