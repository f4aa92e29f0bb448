//! What the walks have reached: instructions sent and accepted, and the errors that they gave.

use std::{collections::BTreeMap, fmt, time::Duration};

use plimsoll_client::event::Event;
use plimsoll_interface::{PlimsollError, instruction::tag};

/// How often something was sent, and how often it succeeded.
#[derive(Clone, Copy, Default)]
struct Count {
    sent: u64,
    succeeded: u64,
    compute_units_max: u64,
}

/// Counts over any number of walks.
#[derive(Clone, Default)]
pub struct Coverage {
    /// By tag.
    instructions: BTreeMap<u8, Count>,
    /// By code, the runtime's own errors under their text.
    errors: BTreeMap<String, u64>,
    /// Fills of perpetuals, options and spot.
    pub fills: [u64; 3],
    /// Actions taken.
    pub actions: u64,
    /// Of these, with an instruction that was tampered with.
    pub tampered: u64,
    /// Trades of which the client said what would come of them, and the program said the same: accepted and refused, by tag.
    pub foretold: BTreeMap<u8, [u64; 2]>,
    /// How long it took.
    pub time: Duration,
}

impl Coverage {
    /// Notes what came of a transaction.
    pub fn note(&mut self, tag: u8, result: Result<(), String>, compute_units: u64) {
        let count = self.instructions.entry(tag).or_default();
        self.actions += 1;
        count.sent += 1;
        match result {
            Ok(()) => {
                count.succeeded += 1;
                count.compute_units_max = count.compute_units_max.max(compute_units);
            }
            Err(error) => *self.errors.entry(error).or_default() += 1,
        }
    }

    /// Notes what was filled.
    pub fn note_fills(&mut self, events: &[Event]) {
        for event in events {
            let [perpetuals, options, spot] = &mut self.fills;
            match event {
                Event::Filled(_) => *perpetuals += 1,
                Event::OptionFilled(_) => *options += 1,
                Event::SpotFilled(_) => *spot += 1,
                _ => {}
            }
        }
    }

    /// Notes a trade of which the client said rightly whether it would be accepted.
    pub fn note_foretold(&mut self, tag: u8, accepted: bool) {
        self.foretold.entry(tag).or_default()[usize::from(!accepted)] += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (tag, count) in &other.instructions {
            let sum = self.instructions.entry(*tag).or_default();
            sum.sent += count.sent;
            sum.succeeded += count.succeeded;
            sum.compute_units_max = sum.compute_units_max.max(count.compute_units_max);
        }
        for (error, count) in &other.errors {
            *self.errors.entry(error.clone()).or_default() += count;
        }
        for (sum, count) in self.fills.iter_mut().zip(other.fills) {
            *sum += count;
        }
        for (tag, [accepted, refused]) in &other.foretold {
            let sum = self.foretold.entry(*tag).or_default();
            (sum[0], sum[1]) = (sum[0] + accepted, sum[1] + refused);
        }
        self.actions += other.actions;
        self.tampered += other.tampered;
    }

    /// How many distinct errors of the program were seen.
    pub fn program_errors(&self) -> usize {
        PlimsollError::ALL.iter().filter(|error| self.errors.contains_key(error.name())).count()
    }

    /// Instructions that have never succeeded, by name.
    pub fn never_succeeded(&self) -> Vec<&'static str> {
        let succeeded = |tag: &u8| self.instructions.get(tag).is_some_and(|count| count.succeeded > 0);
        let all = tag::ALL.iter().zip(tag::NAMES);
        all.filter(|(tag, _)| !succeeded(tag)).map(|(_, name)| *name).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:24} {:>9} {:>9} {:>9}", "instruction", "sent", "accepted", "CU at most")?;
        for (tag, name) in tag::ALL.iter().zip(tag::NAMES) {
            let count = self.instructions.get(tag).copied().unwrap_or_default();
            let name = name.to_lowercase();
            writeln!(f, "{name:24} {:>9} {:>9} {:>9}", count.sent, count.succeeded, count.compute_units_max)?;
        }
        writeln!(f, "\n{:44} {:>9}", "error", "times")?;
        for (error, times) in &self.errors {
            writeln!(f, "{error:44} {times:>9}")?;
        }
        let [perpetuals, options, spot] = self.fills;
        writeln!(f, "\nfills: {perpetuals} of perpetuals, {options} of options, {spot} of spot")?;
        writeln!(f, "\n{:24} {:>9} {:>9}", "foretold by what_if", "accepted", "refused")?;
        for (tag, [accepted, refused]) in &self.foretold {
            let name = tag::ALL.iter().zip(tag::NAMES).find(|(one, _)| *one == tag).map_or("", |(_, name)| name);
            writeln!(f, "{:24} {accepted:>9} {refused:>9}", name.to_lowercase())?;
        }
        let seconds = self.time.as_secs_f64().max(1e-9);
        let (all, seen) = (PlimsollError::ALL.len(), self.program_errors());
        writeln!(f, "\n{} actions, {} of them tampered with, {seen} of {all} errors", self.actions, self.tampered)?;
        write!(f, "{:.0} s, {:.0} actions a second", seconds, self.actions as f64 / seconds)
    }
}
