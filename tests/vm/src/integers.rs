//! Arithmetic, casts, calls and the standard library: every operation of vm-check on every operand pair.

use vm_check::Record;

use crate::machine::Machine;
use crate::operands::{generator, pairs};

/// Bits of the operands that a group is given.
fn bits(group: &str) -> u32 {
    let digits: String = group.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect::<String>().parse().unwrap_or(128)
}

/// A result that is not the host's: which operation, on what, host's and machine's result.
#[derive(Debug)]
struct Difference {
    operation: String,
    operands: (u128, u128),
    host: (u128, u64),
    machine: (u128, u64),
}

#[derive(Default)]
struct Comparison {
    operations: usize,
    pairs: usize,
    differences: Vec<Difference>,
}

impl Comparison {
    /// Runs all operations of the groups whose name ends so.
    fn run(suffix: impl Fn(&str) -> bool) -> Self {
        let mut machine = Machine::new();
        let mut generator = generator("operands");
        let mut all = Self::default();
        let mut records = (0, Vec::new());
        for (group, operation, group_name, name) in vm_check::operations() {
            if !suffix(group_name) {
                continue;
            }
            if records.0 != bits(group_name) {
                let pairs = pairs(&mut generator, bits(group_name));
                records = (bits(group_name), pairs.into_iter().map(|(a, b)| Record::new(a, b)).collect());
            }
            let units = all.compare(&mut machine, group, operation, &format!("{group_name}::{name}"), &records.1);
            println!("{group_name}::{name}: {} pairs, {units} CU each", records.1.len());
        }
        all
    }

    /// Compute units for one pair, loop included.
    fn compare(&mut self, machine: &mut Machine, group: u8, operation: u8, name: &str, operands: &[Record]) -> u64 {
        let mut on_host = operands.to_vec();
        assert!(vm_check::run(group, operation, &mut on_host));
        let mut run = machine
            .run(&[0, group, operation], Record::slice(operands))
            .unwrap_or_else(|failure| panic!("{name}: {:?}\n{}", failure.err, failure.meta.pretty_logs()));
        let in_machine = Record::slice_mut(&mut run.data);
        assert_eq!(in_machine.len(), on_host.len());
        for (host, machine) in on_host.iter().zip(in_machine.iter()).filter(|(host, machine)| host != machine) {
            self.differences.push(Difference {
                operation: name.to_string(),
                operands: (host.a(), host.b()),
                host: host.result(),
                machine: machine.result(),
            });
        }
        self.operations += 1;
        self.pairs += operands.len();
        run.compute_units / operands.len() as u64
    }

    fn assert_same(&self) {
        println!("{} operations, {} results compared", self.operations, self.pairs);
        let shown = &self.differences[..self.differences.len().min(10)];
        assert!(self.differences.is_empty(), "{} results differ: {shown:#?}", self.differences.len());
        assert!(self.operations > 0);
    }
}

/// One test per group, so that a failure is named and tests run side by side.
macro_rules! same_on_host {
    ($($test:ident $suffix:literal;)*) => {$(
        #[test]
        fn $test() {
            Comparison::run(|group| group.ends_with($suffix)).assert_same();
        }
    )*};
}

same_on_host! {
    arithmetic_u8 "arithmetic::on_u8";
    arithmetic_u16 "arithmetic::on_u16";
    arithmetic_u32 "arithmetic::on_u32";
    arithmetic_u64 "arithmetic::on_u64";
    arithmetic_u128 "arithmetic::on_u128";
    arithmetic_i8 "arithmetic::on_i8";
    arithmetic_i16 "arithmetic::on_i16";
    arithmetic_i32 "arithmetic::on_i32";
    arithmetic_i64 "arithmetic::on_i64";
    arithmetic_i128 "arithmetic::on_i128";
    casts_u8 "casts::from_u8";
    casts_u16 "casts::from_u16";
    casts_u32 "casts::from_u32";
    casts_u64 "casts::from_u64";
    casts_u128 "casts::from_u128";
    casts_i8 "casts::from_i8";
    casts_i16 "casts::from_i16";
    casts_i32 "casts::from_i32";
    casts_i64 "casts::from_i64";
    casts_i128 "casts::from_i128";
    calls "calls::calls";
    data_in_memory "calls::data";
    standard_library "library::library";
}

/// The harness itself: a program that is wrong is found to be wrong, by as much as it is.
#[test]
fn wrong_results_are_noticed() {
    let found = Comparison::run(|group| group.ends_with("broken::broken"));
    let of = |name: &str| found.differences.iter().filter(|found| found.operation.ends_with(name)).collect::<Vec<_>>();
    let pairs = found.pairs / found.operations;
    assert_eq!(found.operations, 3);
    assert_eq!(of("always_wrong").len(), pairs);
    assert_eq!(of("wrong_flag").len(), pairs);
    let [once] = of("rarely_wrong")[..] else { panic!("one pair is wrong") };
    assert_eq!((once.operands, once.host.0, once.machine.0), ((1, 1), 2, 3));
}

/// An operation that writes nothing is noticed too: results start as what no operation writes.
#[test]
fn untouched_results_are_noticed() {
    let untouched = Record::new(1, 2);
    let mut done = [untouched];
    for (group, operation, _, name) in vm_check::operations().into_iter().filter(|(group, ..)| *group < 23) {
        done[0] = untouched;
        assert!(vm_check::run(group, operation, &mut done));
        assert_ne!(done[0], untouched, "{name}");
    }
}

#[test]
fn unknown_operations_are_refused() {
    let mut machine = Machine::new();
    for instruction in [&[0, 255, 0][..], &[0, 0, 255], &[3], &[]] {
        assert!(machine.run(instruction, Record::slice(&[Record::new(1, 2)])).is_err(), "{instruction:?}");
    }
}
