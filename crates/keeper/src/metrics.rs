//! Prometheus metrics and a health endpoint on 127.0.0.1.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State as Shared, http::StatusCode, routing::get};
use prometheus::{Encoder, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::live::Live;

/// A task that should have succeeded lately.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    /// It is unwell when it has not succeeded for this long.
    patience: Duration,
    succeeded: Instant,
}

/// What is counted.
pub struct Metrics {
    registry: Registry,
    pulses: Mutex<BTreeMap<String, Pulse>>,
    live: Mutex<Option<(Arc<Live>, Duration)>>,
    /// Looks of a task by outcome: `ok` or `failed`.
    pub looks: IntCounterVec,
    /// When a task last succeeded, unix seconds.
    pub last_success: IntGaugeVec,
    /// Transactions of a task by outcome.
    pub transactions: IntCounterVec,
    /// Lamports paid for priority.
    pub priority_lamports: IntCounter,
    /// Transactions that are neither confirmed nor given up.
    pub in_flight: IntGauge,
    /// The newest slot heard of.
    pub slot: IntGauge,
    /// The chain's clock, unix seconds.
    pub chain_time: IntGauge,
    /// Margin accounts in memory.
    pub accounts: IntGauge,
    /// Whether subscriptions work.
    pub subscribed: IntGauge,
    /// Sockets opened.
    pub connections: IntCounter,
    /// Times that everything was fetched.
    pub fetches: IntCounter,
    /// Updates by what became of them.
    pub updates: IntCounterVec,
    /// Accounts below their line now.
    pub below: IntGauge,
    /// Most slots that an account which is below its line now has been so.
    pub below_slots: IntGauge,
    /// Most slots that any account was seen below its line until it was taken over or healthy.
    pub below_slots_max: IntGauge,
    /// Accounts evaluated.
    pub evaluated: IntCounter,
    /// Profit expected of what was taken over, 1e-6 USD.
    pub profit: IntGauge,
}

impl Metrics {
    /// Nothing counted yet. `prefix` begins every name.
    ///
    /// # Errors
    /// A prefix that makes no name.
    pub fn new(prefix: &str) -> prometheus::Result<Arc<Self>> {
        let registry = Registry::new_custom(Some(prefix.into()), None)?;
        let gauge = |name: &str, help: &str| register(&registry, IntGauge::new(name, help)?);
        let counter = |name: &str, help: &str| register(&registry, IntCounter::new(name, help)?);
        let counters = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        let last_success = Opts::new("task_last_success_seconds", "When a task last succeeded, unix seconds");
        Ok(Arc::new(Self {
            looks: counters("task_runs_total", "Looks of a task by outcome", &["task", "outcome"])?,
            last_success: register(&registry, IntGaugeVec::new(last_success, &["task"])?)?,
            transactions: counters("transactions_total", "Transactions by task and outcome", &["task", "outcome"])?,
            priority_lamports: counter("priority_lamports_total", "Lamports paid for priority")?,
            in_flight: gauge("in_flight", "Transactions neither confirmed nor given up")?,
            slot: gauge("slot", "The newest slot heard of")?,
            chain_time: gauge("chain_time_seconds", "The chain's clock, unix seconds")?,
            accounts: gauge("margin_accounts", "Margin accounts in memory")?,
            subscribed: gauge("subscribed", "1 while subscriptions work")?,
            connections: counter("connections_total", "Sockets opened")?,
            fetches: counter("fetches_total", "Times that everything was fetched")?,
            updates: counters("updates_total", "Updates of accounts by what became of them", &["result"])?,
            below: gauge("below_line", "Accounts below their line now")?,
            below_slots: gauge("below_line_slots", "Slots that the oldest breach has lasted")?,
            below_slots_max: gauge("below_line_slots_max", "Most slots that a breach lasted")?,
            evaluated: counter("evaluated_total", "Margins computed")?,
            profit: gauge("expected_profit_micro_usd", "Profit expected of what was taken over, 1e-6 USD")?,
            pulses: Mutex::default(),
            live: Mutex::new(None),
            registry,
        }))
    }

    /// Has `/health` tell where nothing was heard from the chain for `patience`.
    pub fn watch_live(&self, live: Arc<Live>, patience: Duration) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some((live, patience));
    }

    /// Has `/health` tell where a task has not succeeded for `patience`.
    pub fn expect(&self, task: &str, patience: Duration) {
        let pulse = Pulse { patience, succeeded: Instant::now() };
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner).insert(task.into(), pulse);
        self.looks.with_label_values(&[task, "ok"]);
    }

    /// Notes that a task looked for work, and how that ended.
    pub fn looked(&self, task: &str, ok: bool) {
        self.looks.with_label_values(&[task, if ok { "ok" } else { "failed" }]).inc();
        if !ok {
            return;
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.last_success.with_label_values(&[task]).set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        if let Some(pulse) = self.pulses.lock().unwrap_or_else(PoisonError::into_inner).get_mut(task) {
            pulse.succeeded = Instant::now();
        }
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self) -> String {
        if let Some((live, _)) = &*self.live.lock().unwrap_or_else(PoisonError::into_inner) {
            let (slot, now, accounts) = live.read(|state| (state.slot, state.snapshot.now, state.accounts.len()));
            self.slot.set(i64::try_from(slot).unwrap_or(i64::MAX));
            self.chain_time.set(now);
            self.accounts.set(i64::try_from(accounts).unwrap_or(i64::MAX));
            self.subscribed.set(i64::from(live.liveliness().is_subscribed));
        }
        let mut bytes = Vec::new();
        // Writing to memory fails only for metrics without names.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// What is wrong, nothing when all is well.
    pub fn ailments(&self) -> Vec<String> {
        let mut ailments = Vec::new();
        if let Some((live, patience)) = &*self.live.lock().unwrap_or_else(PoisonError::into_inner) {
            let silence = live.liveliness().heard.elapsed();
            if silence > *patience {
                ailments.push(format!("the chain has not been heard for {} s", silence.as_secs()));
            }
        }
        for (task, pulse) in &*self.pulses.lock().unwrap_or_else(PoisonError::into_inner) {
            let since = pulse.succeeded.elapsed();
            if since > pulse.patience {
                ailments.push(format!("{task} has not succeeded for {} s", since.as_secs()));
            }
        }
        ailments
    }

    /// Serves `/metrics` and `/health` on 127.0.0.1 until `shutdown`; answers where.
    ///
    /// # Errors
    /// A port that is not free.
    pub async fn serve(self: &Arc<Self>, port: u16, shutdown: CancellationToken) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/metrics", get(|Shared(metrics): Shared<Arc<Self>>| async move { metrics.text() }))
            .route("/health", get(health))
            .with_state(Arc::clone(self));
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!("metrics are not served any more: {error}");
            }
        });
        Ok(address)
    }
}

async fn health(Shared(metrics): Shared<Arc<Metrics>>) -> (StatusCode, Json<Value>) {
    let ailments = metrics.ailments();
    let (code, status) =
        if ailments.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unwell") };
    (code, Json(json!({ "status": status, "ailments": ailments })))
}

fn register<C: prometheus::core::Collector + Clone + 'static>(registry: &Registry, metric: C) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn metrics_and_health_are_served_on_localhost_only() {
        let metrics = Metrics::new("plimsoll_keeper").unwrap();
        let shutdown = CancellationToken::new();
        let address = metrics.serve(0, shutdown.clone()).await.unwrap();
        assert!(address.ip().is_loopback());
        metrics.expect("observe", Duration::from_secs(60));
        metrics.looked("observe", true);
        metrics.transactions.with_label_values(&["observe", "confirmed"]).inc_by(3);
        let text = get(address, "/metrics").await;
        assert!(text.contains("plimsoll_keeper_task_runs_total{outcome=\"ok\",task=\"observe\"} 1"), "{text}");
        assert!(
            text.contains("plimsoll_keeper_transactions_total{outcome=\"confirmed\",task=\"observe\"} 3"),
            "{text}"
        );
        assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"));
        metrics.expect("accrue", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        let unwell = get(address, "/health").await;
        assert!(unwell.starts_with("HTTP/1.1 503") && unwell.contains("accrue has not succeeded for 0 s"), "{unwell}");
        shutdown.cancel();
    }
}
