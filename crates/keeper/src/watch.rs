//! Which accounts are below their line: computed anew for those whose prices, banks, boards or own contents have changed, on
//! all cores.

use std::collections::HashMap;

use plimsoll_client::{Address, Error, Keyed, PlimsollError, accounts::MarginAccount, risk::portfolio::Margin};

use crate::{
    live::State,
    priced::{Accrued, ByAddress, Priced},
};

/// What is known of one account.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// Its margin, or why there is none: an old board, a price that the program would refuse.
    pub margin: Result<Margin, PlimsollError>,
    /// The slot in which it was first seen below its line, zero while it is above.
    pub below_since: u64,
}

impl Verdict {
    /// Whether it is below its line.
    pub fn is_below(&self) -> bool {
        self.margin.is_ok_and(|margin| margin.health_maint().is_ok_and(|health| health.is_negative()))
    }
}

/// Every account's margin.
#[derive(Default)]
pub struct Watch {
    verdicts: ByAddress<Verdict>,
    /// [`State::version`] that they are of.
    version: u64,
    /// Most slots that a breach lasted until it was over.
    longest_breach: u64,
}

impl Watch {
    /// Brings it up to `state`: only what has changed since the last time, unless `all`; interest and the age of prices
    /// change without a notice, so now and then `all` is wanted. Answers how many margins were computed.
    ///
    /// # Errors
    /// What the chain would answer to an accrual.
    pub fn update(&mut self, state: &State, all: bool, threads: usize) -> Result<usize, Error> {
        let accrued = Accrued::new(&state.snapshot)?;
        let priced = accrued.priced(&state.snapshot.boards);
        let touched = Touched::since(state, self.version);
        let all = all || touched.exchange;
        let wanted: Vec<&Keyed<MarginAccount>> =
            state.accounts.values().filter(|account| all || touched.has(state, account)).collect();
        let computed = compute(&priced, &wanted, threads);
        self.verdicts.retain(|address, _| state.accounts.contains_key(address));
        for (address, margin) in &computed {
            let verdict = self.verdicts.entry(*address).or_insert(Verdict { margin: *margin, below_since: 0 });
            verdict.margin = *margin;
            match (verdict.is_below(), verdict.below_since) {
                (true, 0) => verdict.below_since = state.slot.max(1),
                (false, since) if since != 0 => {
                    self.longest_breach = self.longest_breach.max(state.slot.saturating_sub(since));
                    verdict.below_since = 0;
                }
                _ => {}
            }
        }
        self.version = state.version;
        Ok(computed.len())
    }

    /// What is known of an account.
    pub fn verdict(&self, account: &Address) -> Option<&Verdict> {
        self.verdicts.get(account)
    }

    /// Accounts below their line.
    pub fn below(&self) -> impl Iterator<Item = (&Address, &Verdict)> {
        self.verdicts.iter().filter(|(_, verdict)| verdict.is_below())
    }

    /// Accounts whose margin is not known, and why.
    pub fn unknown(&self) -> impl Iterator<Item = (&Address, PlimsollError)> {
        self.verdicts.iter().filter_map(|(address, verdict)| Some((address, verdict.margin.err()?)))
    }

    /// Most slots that a breach lasted until the account was taken over or healthy again.
    pub fn longest_breach(&self) -> u64 {
        self.longest_breach
    }

    /// Slots that the oldest breach has lasted by now.
    pub fn oldest_breach(&self, slot: u64) -> u64 {
        self.below().map(|(_, verdict)| slot.saturating_sub(verdict.below_since)).max().unwrap_or(0)
    }
}

/// What has changed since a version of the state.
struct Touched {
    exchange: bool,
    since: u64,
    changed: HashMap<Address, ()>,
}

impl Touched {
    fn since(state: &State, since: u64) -> Self {
        let snapshot = &state.snapshot;
        let has_changed = |address: &&Address| state.changed_at(address) > since;
        let all = snapshot.banks.keys().chain(snapshot.markets.keys()).chain(snapshot.boards.keys());
        let changed = all.filter(has_changed).map(|address| (*address, ())).collect();
        Self { exchange: has_changed(&&snapshot.exchange.address), since, changed }
    }

    /// Whether an account depends on something that has changed, or has changed itself.
    fn has(&self, state: &State, account: &Keyed<MarginAccount>) -> bool {
        let data = &account.data;
        state.changed_at(&account.address) > self.since
            || data.markets.iter().any(|slot| slot.in_use != 0 && self.changed.contains_key(&slot.market))
            || data.balances.iter().any(|slot| slot.in_use != 0 && self.changed.contains_key(&slot.bank))
            || data.boards.iter().any(|slot| slot.in_use != 0 && self.changed.contains_key(&slot.board))
    }
}

/// An account and its margin, or why it has none.
pub type Computed = (Address, Result<Margin, PlimsollError>);

/// Margins of many accounts, on `threads` threads.
pub fn compute(priced: &Priced<'_>, accounts: &[&Keyed<MarginAccount>], threads: usize) -> Vec<Computed> {
    let margins = |part: &[&Keyed<MarginAccount>]| -> Vec<Computed> {
        part.iter().map(|account| (account.address, priced.margin(&account.data))).collect()
    };
    // Below a few hundred, starting threads takes longer than the margins.
    if threads <= 1 || accounts.len() < 512 {
        return margins(accounts);
    }
    let part = accounts.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = accounts.chunks(part).map(|part| scope.spawn(move || margins(part))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}
