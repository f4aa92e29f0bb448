//! The liquidator: looks at every margin account with every price, takes over what is below its line as long as that pays,
//! the most profitable first, and gets rid of what it took over.

pub mod plan;
pub mod takeover;
pub mod unwind;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use plimsoll_client::{
    Address, Keyed, PlimsollError, Snapshot,
    accounts::MarginAccount,
    event::Event,
    instruction::{TOKEN_PROGRAM, account, associated_token_account_of},
    interface::token::token_amount,
};
use solana_instruction::Instruction;
use tokio::{task::JoinSet, time::sleep};
use tracing::{debug, info, warn};

use self::{
    plan::{Means, Plan, Planner, Step},
    unwind::Unwinding,
};
use crate::{
    config::{LiquidatorFile, Policy, Unwind},
    crank::{View, boards},
    live::State,
    run,
    sender::{SendError, Sent, Work},
    task::{Context, Grudges, STATE_AGE_MAX},
    watch::Watch,
};

/// Name of the task that looks, among the metrics.
const LOOK: &str = "liquidate";
/// Name of the task that unwinds.
const UNWIND: &str = "unwind";
/// Prices that come within this time are looked at together.
const GATHER: Duration = Duration::from_millis(5);
/// How long what failed is left alone at first, and at most.
const LEFT_ALONE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];

/// What the liquidator has done, or would do in a dry run.
#[derive(Clone, Debug)]
pub enum Report {
    /// It watches.
    Watching {
        /// Its margin account.
        account: Address,
        /// Quote tokens of the wallet that it has put there, native.
        deposited: u64,
    },
    /// A look has found no account below its line, and nothing is under way.
    Idle,
    /// It would take over an account.
    Planned(Box<Plan>),
    /// It has taken over an account; with the events of that.
    TakenOver(Box<Plan>, Sent, Vec<Event>),
    /// It has cleared the way: auctions started, liens called in, boards refreshed, losses covered; with the events of that.
    Cleared(String, Sent, Vec<Event>),
}

/// Where reports go.
pub type Reporter = Arc<dyn Fn(&Report) + Send + Sync>;

/// Runs the liquidator until `shutdown`.
///
/// # Errors
/// What keeps it from starting; a task that failed.
pub async fn run(
    file: LiquidatorFile,
    shutdown: tokio_util::sync::CancellationToken,
    reporter: Reporter,
) -> Result<()> {
    let connected =
        run::connect("plimsoll_liquidator", &file.connection, &file.fees, &file.metrics, shutdown.clone()).await;
    let Some(mut bot) = run::unless_ended(connected, &shutdown)? else { return Ok(()) };
    let patience = Duration::from_millis(file.policy.look_ms).saturating_mul(file.metrics.unhealthy_after_intervals);
    for task in [LOOK, UNWIND] {
        bot.context.metrics.expect(task, patience.max(Duration::from_secs(5)));
    }
    let liquidator = Arc::new(Liquidator {
        context: bot.context.clone(),
        micro_lamports: file.fees.micro_lamports,
        policy: file.policy,
        reporter,
        watch: Mutex::default(),
        grudges: Mutex::new(Grudges::new(LEFT_ALONE[0], LEFT_ALONE[1])),
        taking: AtomicUsize::new(0),
    });
    let deposited = match liquidator.policy.dry_run {
        true => 0,
        false => liquidator.open_account().await.context("the liquidator's margin account")?,
    };
    let account = liquidator.own();
    info!(%account, dry_run = liquidator.policy.dry_run, "watching");
    (liquidator.reporter)(&Report::Watching { account, deposited });
    let (looker, unwinder) = (Arc::clone(&liquidator), liquidator);
    bot.spawn(async move { looker.look_again().await });
    bot.spawn(async move { unwinder.unwind_again().await });
    bot.join().await
}

/// The liquidator.
struct Liquidator {
    context: Context,
    policy: Policy,
    reporter: Reporter,
    micro_lamports: u64,
    watch: Mutex<Watch>,
    grudges: Mutex<Grudges>,
    /// Take-overs under way.
    taking: AtomicUsize,
}

impl Liquidator {
    fn own(&self) -> Address {
        let owner = self.context.sender.payer();
        self.context.live.read(|state| plan::own_account(&state.snapshot, &owner, &self.policy))
    }

    /// The bot's account; in a dry run without one, an empty one.
    fn taker(&self, state: &State) -> Keyed<MarginAccount> {
        let owner = self.context.sender.payer();
        let address = plan::own_account(&state.snapshot, &owner, &self.policy);
        let exchange = state.snapshot.exchange.address;
        let none = MarginAccount { exchange, owner, index: self.policy.account, ..bytemuck::Zeroable::zeroed() };
        state.accounts.get(&address).copied().unwrap_or(Keyed { address, data: none })
    }

    /// Opens the margin account where there is none, and puts the wallet's quote tokens into it; answers how many, native.
    async fn open_account(&self) -> Result<u64> {
        let (owner, own) = (self.context.sender.payer(), self.own());
        let exchange = self.context.live.read(|state| state.snapshot.exchange);
        let rpc = self.context.sender.rpc();
        let known = rpc.get_multiple_accounts(&[own, exchange.data.quote_mint]).await?;
        let token_program = known.get(1).cloned().flatten().map_or(TOKEN_PROGRAM, |mint| mint.owner);
        let mut instructions: Vec<Instruction> = Vec::new();
        if known.first().is_none_or(Option::is_none) {
            let create =
                account::Create { payer: owner, owner, exchange: exchange.address, index: self.policy.account };
            instructions.push(create.instruction());
        }
        let source = associated_token_account_of(&owner, &exchange.data.quote_mint, &token_program);
        let tokens = rpc.get_multiple_accounts(&[source]).await?.pop().flatten();
        let amount = tokens.and_then(|tokens| token_amount(&tokens.data)).unwrap_or(0);
        let amount = if self.policy.deposit { amount } else { 0 };
        if amount > 0 {
            let deposit = self
                .context
                .live
                .read(|state| state.snapshot.deposit(owner, &own, &exchange.data.quote_mint, source, amount))?;
            instructions.push(deposit);
        }
        if !instructions.is_empty() {
            self.context.sender.send(LOOK, &Work::new("own account", 0, instructions)).await?;
            info!(account = %own, deposited = amount, "opened");
        }
        // What was just made is known before anything is decided.
        let deadline = Instant::now() + STATE_AGE_MAX;
        while Instant::now() < deadline && self.context.live.read(|state| !state.accounts.contains_key(&own)) {
            sleep(Duration::from_millis(50)).await;
        }
        Ok(amount)
    }

    /// Looks with every change, and at least every `look_ms`.
    async fn look_again(self: Arc<Self>) {
        let mut changes = self.context.live.changes();
        let mut sending: JoinSet<()> = JoinSet::new();
        let period = Duration::from_millis(self.policy.look_ms);
        let mut whole_at: Option<Instant> = None;
        loop {
            tokio::select! {
                () = self.context.shutdown.cancelled() => break,
                _ = changes.changed() => sleep(GATHER).await,
                () = sleep(period) => {}
            }
            while sending.try_join_next().is_some() {}
            let all = whole_at.is_none_or(|at| at.elapsed() >= period);
            if all {
                whole_at = Some(Instant::now());
            }
            let is_fresh = self.context.live.is_fresh(STATE_AGE_MAX);
            let ok = is_fresh && self.look(all, &mut sending);
            self.context.metrics.looked(LOOK, ok);
            if !is_fresh {
                warn!("nothing was heard from the chain for {STATE_AGE_MAX:?}: nothing is decided");
                sleep(period).await;
            }
        }
        // What is in flight is finished.
        while sending.join_next().await.is_some() {}
    }

    /// One look. Whether margins could be computed.
    fn look(self: &Arc<Self>, all: bool, sending: &mut JoinSet<()>) -> bool {
        let steps = tokio::task::block_in_place(|| self.context.live.read(|state| self.steps(state, all)));
        let steps = match steps {
            Ok(steps) => steps,
            Err(error) => {
                warn!("margins: {error}");
                return false;
            }
        };
        if steps.is_empty() && sending.is_empty() {
            (self.reporter)(&Report::Idle);
        }
        for (account, step) in steps {
            match step {
                Step::TakeOver(plan) if self.policy.dry_run => {
                    self.say_plan("would take over", &plan, None);
                    (self.reporter)(&Report::Planned(plan));
                }
                Step::TakeOver(plan) => {
                    let liquidator = Arc::clone(self);
                    self.taking.fetch_add(1, Ordering::Relaxed);
                    sending.spawn(async move {
                        liquidator.take_over(*plan).await;
                        liquidator.taking.fetch_sub(1, Ordering::Relaxed);
                    });
                }
                Step::Clear(work) if self.policy.dry_run => info!(subject = work.subject, "would be cleared"),
                Step::Clear(work) if self.is_left_alone(&work) => {}
                Step::Clear(work) => self.spawn_clearing(work, sending),
                Step::Leave(why) => debug!(%account, "left alone: {why}"),
            }
        }
        true
    }

    /// What is to be done about every account that is below its line, or that cannot be told for an old board.
    fn steps(&self, state: &State, all: bool) -> Result<Vec<(Address, Step)>, plimsoll_client::Error> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let computed = watch.update(state, all, threads)?;
        let metrics = &self.context.metrics;
        metrics.evaluated.inc_by(computed as u64);
        let to_i64 = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        metrics.below.set(to_i64(watch.below().count() as u64));
        metrics.below_slots.set(to_i64(watch.oldest_breach(state.slot)));
        metrics.below_slots_max.set(to_i64(watch.longest_breach()));
        let below: Vec<Address> = watch.below().map(|(address, _)| *address).collect();
        let has_old_boards = watch.unknown().any(|(_, error)| error == PlimsollError::BoardStale);
        drop(watch);
        let mut steps = Vec::new();
        if has_old_boards {
            steps.extend(self.refreshes(state).into_iter().map(|work| (Address::default(), Step::Clear(work))));
        }
        if below.is_empty() {
            return Ok(steps);
        }
        let mut accrued = state.snapshot.clone();
        accrued.accrue()?;
        let tradable = unwind::tradable(&accrued)?;
        let taker = self.taker(state);
        let mut plans = Vec::new();
        for account in below.iter().filter_map(|address| state.accounts.get(address)) {
            match self.planner(state, [&accrued, &tradable], &taker).step(account) {
                Ok(Step::TakeOver(plan)) => plans.push(*plan),
                Ok(step) => steps.push((account.address, step)),
                Err(error) => steps.push((account.address, Step::Leave(error.to_string()))),
            }
        }
        let is_open = |plan: &Plan| !self.is_left_alone(&plan.work) && !self.context.sender.is_under_way(&plan.work);
        let (plans, held): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(is_open);
        let text = "it is under way, or has failed a moment ago";
        steps.extend(held.into_iter().map(|plan| (plan.account, Step::Leave(text.into()))));
        steps.extend(self.one_after_the_other(state, [&accrued, &tradable], taker, plans)?);
        Ok(steps)
    }

    /// As many of the plans as may be under way, the most profitable first: each with what those before it leave of the own
    /// margin.
    fn one_after_the_other(
        &self,
        state: &State,
        [accrued, tradable]: [&Snapshot; 2],
        mut taker: Keyed<MarginAccount>,
        mut plans: Vec<Plan>,
    ) -> Result<Vec<(Address, Step)>, plimsoll_client::Error> {
        plan::rank(&mut plans);
        plans.truncate(self.policy.at_once.saturating_sub(self.taking.load(Ordering::Relaxed)));
        let mut steps = Vec::new();
        for account in plans.iter().filter_map(|plan| state.accounts.get(&plan.account)) {
            let step = self.planner(state, [accrued, tradable], &taker).step(account)?;
            if let Step::TakeOver(plan) = &step
                && plan.means == Means::Margin
            {
                taker.data = takeover::after(accrued, &taker.data, &account.data, plan.fraction, plan.payment)?;
            }
            steps.push((account.address, step));
        }
        Ok(steps)
    }

    fn planner<'a>(
        &'a self,
        state: &'a State,
        [accrued, tradable]: [&'a Snapshot; 2],
        taker: &'a Keyed<MarginAccount>,
    ) -> Planner<'a> {
        let (policy, micro_lamports) = (&self.policy, self.micro_lamports);
        Planner { state, accrued, tradable, policy, authority: self.context.sender.payer(), taker, micro_lamports }
    }

    /// Boards that are good for nothing any more.
    fn refreshes(&self, state: &State) -> Vec<Work> {
        let due = crate::config::Due { refresh_at: 1.0, ..crate::config::Due::default() };
        boards::refresh(&View { state, due: &due, payer: self.context.sender.payer() })
    }

    fn say_plan(&self, what: &str, plan: &Plan, sent: Option<&Sent>) {
        info!(
            account = %plan.account,
            slot = sent.map(|sent| sent.slot),
            fraction = plan.fraction.raw() as f64 / 4_294_967_296.0,
            payment_usd = plan.payment as f64 / 1e6,
            reward_usd = plan.reward as f64 / 1e6,
            unwinding_usd = plan.unwinding as f64 / 1e6,
            profit_usd = plan.expected_profit() as f64 / 1e6,
            means = ?plan.means,
            "{what}"
        );
    }

    fn with_grudges<T>(&self, with: impl FnOnce(&mut Grudges) -> T) -> T {
        with(&mut self.grudges.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_left_alone(&self, work: &Work) -> bool {
        self.with_grudges(|grudges| grudges.is_left_alone(&work.subject))
    }

    async fn take_over(&self, plan: Plan) {
        match self.context.sender.send(LOOK, &plan.work).await {
            Ok(sent) => {
                self.with_grudges(|grudges| grudges.forgive(&plan.work.subject));
                self.say_plan("took over", &plan, Some(&sent));
                self.context.metrics.profit.add(plan.expected_profit());
                let events = self.context.sender.events(&sent.signature).await.unwrap_or_default();
                (self.reporter)(&Report::TakenOver(Box::new(plan), sent, events));
            }
            Err(SendError::Duplicate) => {}
            // Somebody was faster, or the price came back.
            Err(error) if error.program() == Some(PlimsollError::AccountHealthy) => {
                debug!(account = %plan.account, "is healthy again");
            }
            Err(error) => {
                warn!(account = %plan.account, means = ?plan.means, "not taken over: {error}");
                self.with_grudges(|grudges| grudges.hold(&plan.work.subject));
            }
        }
    }

    fn spawn_clearing(self: &Arc<Self>, work: Work, sending: &mut JoinSet<()>) {
        let liquidator = Arc::clone(self);
        sending.spawn(async move {
            match liquidator.context.sender.send(LOOK, &work).await {
                Ok(sent) => {
                    info!(subject = work.subject, signature = %sent.signature, "cleared");
                    let events = liquidator.context.sender.events(&sent.signature).await.unwrap_or_default();
                    (liquidator.reporter)(&Report::Cleared(work.subject.clone(), sent, events));
                }
                Err(SendError::Duplicate) => {}
                Err(error) => {
                    warn!(subject = work.subject, "{error}");
                    liquidator.with_grudges(|grudges| grudges.hold(&work.subject));
                }
            }
        });
    }

    /// Unwinds what the own account has, by policy, again and again.
    async fn unwind_again(self: Arc<Self>) {
        let period = Duration::from_millis(self.policy.look_ms);
        let name = UNWIND;
        crate::task::repeat(name, period, Duration::from_secs(30), self.context.shutdown.clone(), || async {
            let keeps = self.policy.dry_run || self.policy.unwind == Unwind::Keep;
            let ok = keeps || self.unwind().await;
            self.context.metrics.looked(UNWIND, ok);
            ok
        })
        .await;
    }

    async fn unwind(&self) -> bool {
        if !self.context.live.is_fresh(STATE_AGE_MAX) {
            return false;
        }
        let due = self.context.live.read(|state| {
            let account = self.taker(state);
            let basis = state.changed_at(&account.address) ^ state.snapshot.now.unsigned_abs().rotate_left(32);
            let authority = self.context.sender.payer();
            let snapshot = &state.snapshot;
            let mut accrued = snapshot.clone();
            accrued.accrue()?;
            let tradable = &unwind::tradable(&accrued)?;
            let (policy, account) = (&self.policy, &account);
            Ok::<_, plimsoll_client::Error>(Unwinding { snapshot, tradable, policy, authority, account, basis }.due())
        });
        let due = match due {
            Ok(due) => due,
            Err(error) => {
                warn!("unwinding: {error}");
                return false;
            }
        };
        let mut unsent = 0;
        let all = due.len();
        // One after the other: each changes the account that the next one is decided on.
        for work in due.into_iter().filter(|work| !self.is_left_alone(work)) {
            match self.context.sender.send(UNWIND, &work).await {
                Ok(sent) => info!(subject = work.subject, signature = %sent.signature, "unwound"),
                Err(SendError::Rpc(error)) => {
                    unsent += 1;
                    warn!(subject = work.subject, "{error}");
                }
                Err(error) => {
                    debug!(subject = work.subject, "{error}");
                    self.with_grudges(|grudges| grudges.hold(&work.subject));
                }
            }
        }
        all == 0 || unsent < all
    }
}
