//! Work that comes round again.
//!
//! A task looks at the state at its interval, says what is due, and sends it. What fails is left alone for a while, longer
//! each time, and only it: neither the task's other work nor any other task waits for it. A task as a whole backs off when
//! nothing can be known or sent.

use std::{
    collections::HashMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    backoff::Backoff,
    config::TaskTable,
    live::{Live, State},
    metrics::Metrics,
    sender::{SendError, Sender, Work},
};

/// State that is older than this is nothing to decide on.
pub const STATE_AGE_MAX: Duration = Duration::from_secs(15);

/// What a task needs to send.
#[derive(Clone)]
pub struct Context {
    /// What is known.
    pub live: Arc<Live>,
    /// What sends.
    pub sender: Arc<Sender>,
    /// What counts.
    pub metrics: Arc<Metrics>,
    /// When to end.
    pub shutdown: CancellationToken,
}

/// Runs `look` again and again until `shutdown`: after its interval while it succeeds, later and later while it fails.
/// What it has begun it finishes.
pub async fn repeat<F, Fut>(name: &str, interval: Duration, longest: Duration, shutdown: CancellationToken, mut look: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let mut backoff = Backoff::new(interval, longest);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(backoff.pause()) => {}
        }
        if look().await {
            backoff.succeed();
        } else {
            backoff.fail();
            debug!(task = name, failures = backoff.failures(), "will look again in {:?}", backoff.nominal());
        }
    }
}

/// What failed lately, by subject, and until when it is left alone.
#[derive(Debug)]
pub struct Grudges {
    interval: Duration,
    longest: Duration,
    by_subject: HashMap<String, (Backoff, Instant)>,
}

impl Grudges {
    /// Leaves alone what failed for `interval` at first, and for `longest` at most.
    pub fn new(interval: Duration, longest: Duration) -> Self {
        Self { interval, longest, by_subject: HashMap::new() }
    }

    /// Whether a subject is left alone for now.
    pub fn is_left_alone(&self, subject: &str) -> bool {
        self.by_subject.get(subject).is_some_and(|(_, until)| Instant::now() < *until)
    }

    /// Forgets what has failed.
    pub fn forgive(&mut self, subject: &str) {
        self.by_subject.remove(subject);
    }

    /// Leaves a subject alone, for longer each time.
    pub fn hold(&mut self, subject: &str) {
        let fresh = (Backoff::new(self.interval, self.longest), Instant::now());
        let (backoff, until) = self.by_subject.entry(subject.into()).or_insert(fresh);
        backoff.fail();
        *until = Instant::now() + backoff.pause();
        // What has not failed for long is forgotten, so that subjects that are gone take no memory.
        let longest = self.longest;
        self.by_subject.retain(|_, (_, until)| until.elapsed() < longest || *until > Instant::now());
    }
}

/// Runs one task of the keeper until `context.shutdown`.
pub async fn run<D>(name: &'static str, table: TaskTable, context: Context, due: D)
where
    D: Fn(&State) -> Vec<Work> + Send + Sync + 'static,
{
    let longest = Duration::from_secs(table.backoff_max_seconds);
    let grudges = tokio::sync::Mutex::new(Grudges::new(table.interval(), longest));
    let (due, context, grudges) = (&due, &context, &grudges);
    repeat(name, table.interval(), longest, context.shutdown.clone(), || async move {
        let ok = look(name, table.at_once.max(1), context, due, &mut *grudges.lock().await).await;
        context.metrics.looked(name, ok);
        ok
    })
    .await;
}

/// One look: what is due is sent, several at once. Whether the chain was there for it.
async fn look<D>(name: &str, at_once: usize, context: &Context, due: &D, grudges: &mut Grudges) -> bool
where
    D: Fn(&State) -> Vec<Work>,
{
    if !context.live.is_fresh(STATE_AGE_MAX) {
        warn!(task = name, "nothing was heard from the chain for {STATE_AGE_MAX:?}: nothing is decided");
        return false;
    }
    let mut work = context.live.read(due);
    work.retain(|work| !grudges.is_left_alone(&work.subject));
    work.truncate(at_once);
    let mut sending = Vec::new();
    for work in work {
        sending.push(async move {
            let sent = context.sender.send(name, &work).await;
            (work, sent)
        });
    }
    let ended: Vec<_> = stream::iter(sending).buffer_unordered(at_once).collect().await;
    let (mut unsent, all) = (0, ended.len());
    for (work, sent) in ended {
        match sent {
            Ok(sent) => {
                info!(task = name, subject = work.subject, signature = %sent.signature, slot = sent.slot, "done");
                grudges.forgive(&work.subject);
            }
            Err(SendError::Duplicate) => {}
            Err(error) => {
                let is_unsent = matches!(error, SendError::Rpc(_));
                unsent += usize::from(is_unsent);
                warn!(task = name, subject = work.subject, "{error}");
                if !is_unsent {
                    grudges.hold(&work.subject);
                }
            }
        }
    }
    all == 0 || unsent < all
}

/// Waits for tasks to end; one that panics takes the others with it, as nobody would notice otherwise.
///
/// # Errors
/// What the task that panicked said.
pub async fn join(mut tasks: JoinSet<()>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut failed = None;
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            shutdown.cancel();
            failed = Some(anyhow::anyhow!("a task has failed: {error}"));
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// How often a task looks in `seconds` of virtual time.
    async fn looks(seconds: u64, ok: bool) -> u32 {
        let (count, shutdown) = (AtomicU32::new(0), CancellationToken::new());
        let (count, cancelled) = (&count, shutdown.clone());
        let task = repeat("test", Duration::from_secs(1), Duration::from_secs(60), shutdown, || async move {
            count.fetch_add(1, Ordering::Relaxed);
            ok
        });
        tokio::join!(task, async move {
            sleep(Duration::from_secs(seconds)).await;
            cancelled.cancel();
        });
        count.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_succeeds_keeps_its_interval() {
        let looked = looks(100, true).await;
        assert!((99..=100).contains(&looked), "{looked}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_backs_off_and_never_spins() {
        // 1, 2, 4, … 64 → 60 s each with a quarter of jitter: in an hour 6 while it grows and about 59 more.
        let looked = looks(3_600, false).await;
        assert!((55..=85).contains(&looked), "{looked}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_left_alone_and_nothing_else() {
        let mut grudges = Grudges::new(Duration::from_millis(50), Duration::from_secs(1));
        grudges.hold("one");
        assert!(grudges.is_left_alone("one") && !grudges.is_left_alone("other"));
        grudges.forgive("one");
        assert!(!grudges.is_left_alone("one"));
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_the_others() {
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let cancelled = shutdown.clone();
        tasks.spawn(async move { cancelled.cancelled().await });
        tasks.spawn(async { panic!("a defect") });
        assert!(join(tasks, &shutdown).await.is_err());
    }
}
