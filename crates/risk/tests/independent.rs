//! The engine against an independent second implementation, on random accounts of up to 16 collaterals, 8 perpetuals and
//! 64 options: from deposits, lots, strikes and volatilities to equity, requirement and health.
//!
//! An account is a seed. A failure prints the seed and the account; put the seed into [`FAILED_ONCE`].
mod common;

use common::account::{Account, Refreshed, account};
use common::independent::{self, Expected, Method, is_far};
use plimsoll_risk::Error;
use plimsoll_risk::portfolio::{MAX_VALUE, Margin, report};
use std::sync::Mutex;

/// Seeds of accounts that failed once, for either comparison.
const FAILED_ONCE: [u64; 0] = [];

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    accounts: u64,
    compared: u64,
    overflowed: u64,
    out_of_reach: u64,
    options: u64,
    most_options: usize,
    most_collaterals: usize,
    most_perpetuals: usize,
    with_options: u64,
    with_puts: u64,
    with_shorts: u64,
    with_64_options: u64,
    with_several_boards: u64,
    with_old_prices: u64,
    blocked: u64,
    with_groups: u64,
    with_borrows: u64,
    with_perpetuals: u64,
    two_ranges: u64,
    unhealthy: u64,
    insolvent: u64,
    /// Worst error of each part, of its bound.
    worst: [f64; 4],
    /// Worst error of each part relative to the largest gross amount of an underlying, where that is above 10 million USD.
    relative: [f64; 4],
    /// The seeds of the worst.
    seeds: [u64; 4],
}

impl Seen {
    fn count(&mut self, account: &Account) {
        self.accounts += 1;
        let options = account.options().count();
        let collaterals = account.markets.iter().map(|market| market.balances.len()).sum::<usize>();
        let perpetuals = account.markets.iter().filter(|market| market.perpetual.is_some()).count();
        self.options += options as u64;
        self.most_options = self.most_options.max(options);
        self.most_collaterals = self.most_collaterals.max(collaterals);
        self.most_perpetuals = self.most_perpetuals.max(perpetuals);
        let groups = |group: u8| account.markets.iter().filter(|market| market.group == group).count();
        let old = |publish_time: i64| publish_time < common::account::NOW - common::account::MAX_AGE;
        for (count, here) in [
            (&mut self.with_options, options > 0),
            (&mut self.with_64_options, options == 64),
            (&mut self.with_puts, account.options().any(|(_, _, series)| series.put)),
            (&mut self.with_shorts, account.options().any(|(_, _, series)| series.lots < 0)),
            (&mut self.with_several_boards, account.markets.iter().any(|market| market.boards.len() > 1)),
            (&mut self.with_old_prices, account.markets.iter().any(|market| old(market.publish_time))),
            (&mut self.with_groups, (0..8).any(|group| groups(group) > 1)),
            (&mut self.with_borrows, account.markets.iter().flat_map(|m| &m.balances).any(|b| b.amount < 0)),
            (&mut self.with_perpetuals, perpetuals > 0),
            (&mut self.two_ranges, account.markets.iter().any(|market| market.range_maint != market.range)),
        ] {
            *count += u64::from(here);
        }
    }

    fn compare(&mut self, seed: u64, account: &Account, expected: &Expected, margin: &Margin) {
        self.compared += 1;
        self.blocked += u64::from(margin.blocked_by.is_some());
        self.unhealthy += u64::from(margin.health_maint().is_ok_and(|health| health.is_negative()));
        self.insolvent += u64::from(margin.equity_maint.is_negative());
        assert_eq!(margin.blocked_by, expected.blocked_by, "seed {seed}: {account:#?}");
        for (number, (name, between, value)) in expected.parts(margin).into_iter().enumerate() {
            let off = between.off(value);
            assert!(off <= 1.0, "seed {seed}: {name} is {value}, not {between:?}: {off} of the bound: {account:#?}");
            if off > self.worst[number] {
                (self.worst[number], self.seeds[number]) = (off, seed);
            }
            if expected.largest > 1e13 {
                let relative = (value as f64 - between.at).abs() / expected.largest;
                self.relative[number] = self.relative[number].max(relative);
            }
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.accounts, other.accounts),
            (&mut self.compared, other.compared),
            (&mut self.overflowed, other.overflowed),
            (&mut self.out_of_reach, other.out_of_reach),
            (&mut self.options, other.options),
            (&mut self.with_options, other.with_options),
            (&mut self.with_puts, other.with_puts),
            (&mut self.with_shorts, other.with_shorts),
            (&mut self.with_64_options, other.with_64_options),
            (&mut self.with_several_boards, other.with_several_boards),
            (&mut self.with_old_prices, other.with_old_prices),
            (&mut self.blocked, other.blocked),
            (&mut self.with_groups, other.with_groups),
            (&mut self.with_borrows, other.with_borrows),
            (&mut self.with_perpetuals, other.with_perpetuals),
            (&mut self.two_ranges, other.two_ranges),
            (&mut self.unhealthy, other.unhealthy),
            (&mut self.insolvent, other.insolvent),
        ] {
            *sum += more;
        }
        self.most_options = self.most_options.max(other.most_options);
        self.most_collaterals = self.most_collaterals.max(other.most_collaterals);
        self.most_perpetuals = self.most_perpetuals.max(other.most_perpetuals);
        for part in 0..4 {
            if other.worst[part] > self.worst[part] {
                (self.worst[part], self.seeds[part]) = (other.worst[part], other.seeds[part]);
            }
            self.relative[part] = self.relative[part].max(other.relative[part]);
        }
    }

    /// That the accounts were worth comparing.
    fn assert_meaningful(&self) {
        let at_least = |count: u64, part: f64| assert!(count as f64 >= part * self.accounts as f64, "{self:#?}");
        at_least(self.compared, 0.9);
        at_least(self.with_options, 0.6);
        at_least(self.with_puts, 0.5);
        at_least(self.with_shorts, 0.5);
        at_least(self.with_several_boards, 0.2);
        at_least(self.with_64_options, 0.03);
        at_least(self.with_old_prices, 0.25);
        at_least(self.blocked, 0.15);
        at_least(self.with_groups, 0.5);
        at_least(self.with_borrows, 0.4);
        at_least(self.with_perpetuals, 0.5);
        at_least(self.two_ranges, 0.5);
        at_least(self.unhealthy, 0.1);
        at_least(self.insolvent, 0.1);
        at_least(self.compared - self.unhealthy, 0.2);
        assert_eq!((self.most_options, self.most_collaterals, self.most_perpetuals), (64, 16, 8), "{self:#?}");
    }
}

/// Whether the arrays of some board are too far from where the market is.
fn out_of_reach(account: &Account, arrays: &common::account::Arrays) -> bool {
    account.markets.iter().zip(arrays).any(|(market, arrays)| {
        market.has_options() && market.boards.iter().zip(arrays).any(|(board, (terms, _))| is_far(market, board, terms))
    })
}

/// Compares one account. The engine may only refuse what is beyond its domain or its arrays.
fn check(seed: u64, refreshed: Refreshed, method: Method, seen: &mut Seen) {
    let account = account(seed, refreshed);
    seen.count(&account);
    let arrays = account.arrays().unwrap_or_else(|error| panic!("seed {seed}: {error:?}, {account:#?}"));
    let expected = independent::margin(&account, method);
    match account.margin(&arrays) {
        Ok(margin) => seen.compare(seed, &account, &expected, &margin),
        Err(Error::Overflow) => {
            seen.overflowed += 1;
            // Gross amounts: what nets may pass the bound on the way.
            let large = expected.largest > 0.2 * MAX_VALUE as f64 || expected.largest_base > 0.2 * i64::MAX as f64;
            assert!(large, "seed {seed}: {expected:?}, {account:#?}");
        }
        Err(error) => {
            seen.out_of_reach += 1;
            assert_eq!(error, Error::ArraysOutOfReach, "seed {seed}: {account:#?}");
            assert!(out_of_reach(&account, &arrays), "seed {seed}: {account:#?}");
        }
    }
}

/// Compares many accounts on two threads, the seeds from `first` on.
fn compare(first: u64, count: u64, refreshed: Refreshed, method: Method) -> Seen {
    let all = Mutex::new(Seen::default());
    std::thread::scope(|scope| {
        for part in 0..2 {
            let all = &all;
            scope.spawn(move || {
                let mut seen = Seen::default();
                (first..first + count)
                    .filter(|seed| seed % 2 == part)
                    .for_each(|seed| check(seed, refreshed, method, &mut seen));
                all.lock().expect("no other panicked").add(&seen);
            });
        }
    });
    let seen = *all.lock().expect("no thread panicked");
    println!("{refreshed:?}, {method:?}: {seen:#?}");
    seen.assert_meaningful();
    seen
}

/// Boards refreshed at the current spot, range and moment: only rounding is between the two.
#[test]
fn agrees_with_a_second_implementation() {
    compare(0, 100_000, Refreshed::Now, Method::Chords);
}

/// Boards refreshed elsewhere: within the page's bound of the chord, to the side that it names, and the mark's remainder.
#[test]
fn agrees_within_the_chord_where_arrays_were_made_elsewhere() {
    compare(1 << 40, 40_000, Refreshed::Elsewhere, Method::Revaluation);
}

/// Full revaluation of arrays made here: what the chord of the extreme moves is worth.
#[test]
fn agrees_within_the_chord_where_arrays_were_made_here() {
    compare(1 << 41, 20_000, Refreshed::Now, Method::Revaluation);
}

#[test]
#[ignore = "long: make test-long"]
fn agrees_with_a_second_implementation_long() {
    compare(1 << 42, 2_000_000, Refreshed::Now, Method::Chords);
}

#[test]
#[ignore = "long: make test-long"]
fn agrees_within_the_chord_where_arrays_were_made_elsewhere_long() {
    compare(1 << 43, 1_000_000, Refreshed::Elsewhere, Method::Revaluation);
}

#[test]
fn accounts_that_failed_once() {
    let mut seen = Seen::default();
    for seed in FAILED_ONCE {
        check(seed, Refreshed::Now, Method::Chords, &mut seen);
        check(seed, Refreshed::Elsewhere, Method::Revaluation, &mut seen);
    }
}

/// The report's margin is the margin, whatever is held.
#[test]
fn report_agrees_with_the_margin() {
    for seed in 0..3_000 {
        let account = account(seed, Refreshed::Any);
        let arrays = account.arrays().expect("listed");
        let Ok((portfolio, options)) = account.inputs(&arrays) else { continue };
        let margin = plimsoll_risk::portfolio::margin(&portfolio, &options, &account.parameters);
        match report(&portfolio, &options, &account.parameters) {
            Ok(report) => assert_eq!(Ok(report.margin), margin, "seed {seed}"),
            // The report takes every price as fresh, besides.
            Err(error) => assert_eq!(error, Error::Overflow, "seed {seed}"),
        }
    }
}
