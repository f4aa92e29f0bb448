//! Stateful fuzzing of the whole exchange: the real program in a virtual machine, many users, all instructions in random
//! order, prices that move, grow old, widen and break. After each action the invariants are checked from raw account data.
//!
//! A run is a number of walks from the same first state. The seed of walk `i` is the run's seed plus `i`, so a broken walk
//! is seen again by itself: `make fuzz-exchange SEED=... ACTIONS=...`.
//!
//! | module | what |
//! |---|---|
//! | [`machine`] | the virtual machine |
//! | [`actions`] | what people do, and how often |
//! | [`governance`] | what those do who run the exchange |
//! | [`walk`] | one walk, and what must hold after each step |
//! | [`what_if`] | what the client says of a trade beforehand |
//! | [`coverage`] | instructions and errors that were reached |

pub mod actions;
pub mod coverage;
pub mod governance;
pub mod machine;
pub mod walk;
pub mod what_if;

use std::{path::Path, thread, time::Instant};

use anyhow::{Result, anyhow};

use crate::{coverage::Coverage, machine::Machine, walk::Walk};

/// Actions of one walk.
pub const WALK: u64 = 2_000;

/// Takes `actions` actions in walks of [`WALK`], in `threads` threads, and calls `told` after each walk with how many were
/// taken so far.
///
/// # Errors
/// The first broken promise, with the seed that shows it again.
pub fn run(so: &Path, seed: u64, actions: u64, threads: u64, told: impl Fn(u64) + Sync) -> Result<Coverage> {
    let began = Instant::now();
    let (machine, places) = Machine::new(so)?;
    let walks = actions.div_ceil(WALK);
    let done = std::sync::atomic::AtomicU64::new(0);
    let part = |thread: u64| -> Result<Coverage> {
        let mut coverage = Coverage::default();
        for number in (thread..walks).step_by(usize::try_from(threads)?) {
            let seed = seed.wrapping_add(number);
            let length = WALK.min(actions - number * WALK);
            let mut walk = Walk::new(&machine, places, seed);
            walk.run(seed, length)
                .map_err(|broken| anyhow!("SEED={} ACTIONS={}: {}", broken.seed, broken.action + 1, broken.what))?;
            coverage.add(&walk.coverage);
            told(done.fetch_add(length, std::sync::atomic::Ordering::Relaxed) + length);
        }
        Ok(coverage)
    };
    let mut all = Coverage::default();
    let parts = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        handles.into_iter().map(|handle| handle.join().expect("checks are caught")).collect::<Vec<_>>()
    });
    for part in parts {
        all.add(&part?);
    }
    all.time = began.elapsed();
    Ok(all)
}
