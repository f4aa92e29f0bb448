//! Keeps [`Live`] up to date: subscriptions over WebSocket, and polling for what they do not bring.
//!
//! Everything is fetched once at the start and again whenever a socket was opened, as nobody knows what was missed without
//! one; and now and then besides, because notifications get lost and closed accounts have none. Clock and prices are always
//! polled too, so a socket that falls silent costs time but no truth.

use std::{
    collections::BTreeSet,
    mem::offset_of,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use futures_util::{Stream, StreamExt, stream::SelectAll};
use plimsoll_client::{
    Address, ID, Keyed,
    accounts::{
        AccountType, Adapter, Bank, Board, DISCRIMINATOR_LEN, Exchange, House, Lien, MarginAccount, Market, Ticket,
    },
    address, decode,
};
use solana_account::Account;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    request::RpcRequest,
    response::{OptionalContext, RpcKeyedAccount, UiAccount, UiAccountEncoding},
};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    backoff::Backoff,
    config::Connection,
    live::{self, Applied, CLOCK, Live, State},
    metrics::Metrics,
};

/// Accounts in one `getMultipleAccounts`.
const ACCOUNTS_AT_ONCE: usize = 100;
/// A notification that claims the slot of the one before it, this many slots later, is of a server that repeats the slot at
/// which it was subscribed to.
const STUCK_SLOTS: u64 = 8;

/// The connection that an exchange is read by.
pub struct Feed {
    /// JSON-RPC.
    pub rpc: Arc<RpcClient>,
    connection: Connection,
    metrics: Arc<Metrics>,
}

/// What a socket says.
enum Notice {
    /// The slot that it is of, as it says itself; an account, if it still exists.
    Account(u64, Address, Box<Option<Account>>),
    Slot(u64),
    /// One of the subscriptions has ended.
    End,
}

impl Feed {
    /// A connection. Nothing is sent yet.
    pub fn new(connection: &Connection, metrics: Arc<Metrics>) -> Self {
        let wait = Duration::from_millis(connection.timeout_ms);
        let commitment = connection.commitment.config();
        let rpc = RpcClient::new_with_timeout_and_commitment(connection.rpc.clone(), wait, commitment);
        Self { rpc: Arc::new(rpc), connection: connection.clone(), metrics }
    }

    /// Finds the exchange and fetches everything of it. While the server does not answer it is asked again, until `shutdown`.
    ///
    /// # Errors
    /// An exchange that is not there; `shutdown`.
    pub async fn open(&self, shutdown: &CancellationToken) -> Result<Arc<Live>> {
        let mut backoff = self.backoff();
        let exchange = loop {
            match self.scan::<Exchange>(&[]).await {
                Ok((_, exchanges)) => break self.choose(exchanges)?,
                Err(error) => self.wait(&mut backoff, &error, shutdown).await?,
            }
        };
        let live = Arc::new(Live::new(State::new(exchange)));
        while let Err(error) = self.fetch(&live).await {
            self.wait(&mut backoff, &error, shutdown).await?;
        }
        let (accounts, now) = live.read(|state| (state.accounts.len(), state.snapshot.now));
        info!(exchange = %exchange.address, accounts, chain_time = now, "everything fetched");
        Ok(live)
    }

    fn choose(&self, exchanges: Vec<(Address, Account)>) -> Result<Keyed<Exchange>> {
        let decoded = exchanges.into_iter().map(|(address, account)| {
            let data = decode::account::<Exchange>(&address, &account.owner, &account.data)?;
            Ok(Keyed { address, data })
        });
        let wanted = self.connection.exchange.as_deref().and_then(|text| text.parse().ok());
        Ok(live::choose(decoded.collect::<Result<_>>()?, wanted.as_ref())?)
    }

    async fn wait(&self, backoff: &mut Backoff, error: &anyhow::Error, shutdown: &CancellationToken) -> Result<()> {
        backoff.fail();
        let pause = backoff.pause();
        warn!("will ask again in {:.1} s: {error:#}", pause.as_secs_f64());
        tokio::select! {
            () = sleep(pause) => Ok(()),
            () = shutdown.cancelled() => Err(anyhow!("ended before the chain was reached")),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(Duration::from_millis(250), Duration::from_secs(self.connection.retry_max_seconds))
    }

    /// Keeps `live` up to date until `shutdown`.
    pub async fn run(&self, live: &Live, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = async { tokio::join!(self.keep_clock(live), self.keep_polling(live), self.keep_subscribed(live)); } => {}
        }
    }

    /// Polls clock and prices, always.
    async fn keep_clock(&self, live: &Live) {
        let mut ticks = ticks(Duration::from_millis(self.connection.clock_ms));
        let mut backoff = self.backoff();
        loop {
            ticks.tick().await;
            match self.fetch_watched(live).await {
                Ok(()) => backoff.succeed(),
                Err(error) => {
                    backoff.fail();
                    debug!("clock and prices: {error:#}");
                    sleep(backoff.pause()).await;
                }
            }
        }
    }

    /// Fetches everything: often while nothing is subscribed to, rarely otherwise.
    async fn keep_polling(&self, live: &Live) {
        let mut backoff = Backoff::new(
            Duration::from_millis(self.connection.poll_ms),
            Duration::from_secs(self.connection.retry_max_seconds),
        );
        loop {
            sleep(backoff.pause()).await;
            let age = if live.liveliness().is_subscribed { self.connection.reconcile_seconds } else { 0 };
            if live.liveliness().fetched.elapsed() < Duration::from_secs(age) {
                continue;
            }
            match self.fetch(live).await {
                Ok(()) => backoff.succeed(),
                Err(error) => {
                    backoff.fail();
                    warn!("fetching everything: {error:#}");
                }
            }
        }
    }

    /// Keeps a socket open.
    async fn keep_subscribed(&self, live: &Live) {
        let Some(url) = self.connection.ws.clone() else { return std::future::pending().await };
        let mut backoff = self.backoff();
        loop {
            let opened = Instant::now();
            let ended = self.subscribe(live, &url).await;
            live.subscribed(false);
            match ended {
                Ok(()) => backoff.succeed(),
                Err(error) => {
                    // A socket that had held for a while is no reason to wait long for the next.
                    if opened.elapsed() > Duration::from_secs(self.connection.silence_seconds) {
                        backoff.succeed();
                    }
                    backoff.fail();
                    warn!("subscriptions: {error:#}; polling meanwhile");
                    sleep(backoff.pause()).await;
                }
            }
        }
    }

    /// Opens a socket and listens to it until it breaks, or other accounts are wanted.
    async fn subscribe(&self, live: &Live, url: &str) -> Result<()> {
        let wait = Duration::from_millis(self.connection.timeout_ms);
        let client = timeout(wait, PubsubClient::new(url)).await.context("no answer")??;
        self.metrics.connections.inc();
        let wanted = live.read(State::wanted);
        let mut notices = timeout(wait, self.notices(&client, &wanted)).await.context("no answer")??;
        // Subscribed first and fetched then, so that nothing falls in between.
        self.fetch(live).await?;
        live.subscribed(true);
        info!(accounts = wanted.len(), "subscribed");
        let silence = Duration::from_secs(self.connection.silence_seconds);
        let (mut slots, mut stamps) = (0, Stamper::default());
        loop {
            let notice = timeout(silence, notices.next()).await.map_err(|_| anyhow!("the socket has fallen silent"))?;
            live.heard();
            match notice {
                Some(Notice::Slot(slot)) => {
                    stamps.announced = stamps.announced.max(slot);
                    live.write(|state| state.slot = state.slot.max(slot));
                    slots += 1;
                    if slots % STUCK_SLOTS == 0 && live.read(State::wanted) != wanted {
                        return Ok(());
                    }
                }
                Some(Notice::Account(claimed, address, account)) => {
                    let slot = stamps.slot(claimed);
                    let applied = live.write(|state| state.apply(&address, slot, account.as_ref().as_ref()));
                    self.count(applied);
                    if applied == Applied::Older {
                        // Old or of a server that does not know its slots: the account itself tells.
                        self.fetch_accounts(live, &[address]).await?;
                    }
                }
                Some(Notice::End) | None => return Err(anyhow!("the socket was closed")),
            }
        }
    }

    /// Everything that is subscribed to, as one stream.
    async fn notices<'a>(
        &self,
        client: &'a PubsubClient,
        wanted: &BTreeSet<Address>,
    ) -> Result<SelectAll<std::pin::Pin<Box<dyn Stream<Item = Notice> + Send + 'a>>>> {
        let end = || futures_util::stream::once(async { Notice::End });
        let mut all: SelectAll<std::pin::Pin<Box<dyn Stream<Item = Notice> + Send + 'a>>> = SelectAll::new();
        let (slots, _) = client.slot_subscribe().await?;
        all.push(Box::pin(slots.map(|info| Notice::Slot(info.slot)).chain(end())));
        let config = RpcProgramAccountsConfig { account_config: self.account_config(), ..Default::default() };
        let (own, _) = client.program_subscribe(&ID, Some(config)).await?;
        all.push(Box::pin(own.map(|notice| keyed(notice.context.slot, notice.value)).chain(end())));
        for address in wanted.iter().copied() {
            let (stream, _) = client.account_subscribe(&address, Some(self.account_config())).await?;
            let notices = stream
                .map(move |notice| Notice::Account(notice.context.slot, address, Box::new(notice.value.to_account())));
            all.push(Box::pin(notices.chain(end())));
        }
        Ok(all)
    }

    fn count(&self, applied: Applied) {
        let result = match applied {
            Applied::Taken => "taken",
            Applied::Same => "same",
            Applied::Older => "older",
            Applied::Foreign => "foreign",
        };
        self.metrics.updates.with_label_values(&[result]).inc();
    }

    /// Fetches everything of the exchange.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn fetch(&self, live: &Live) -> Result<()> {
        let exchange = live.read(|state| state.snapshot.exchange.address);
        let house = address::house(&exchange);
        let of = |offset: usize| vec![(offset, exchange)];
        let scans = [
            self.scan::<Market>(&of(offset_of!(Market, exchange))).await?,
            self.scan::<Bank>(&of(offset_of!(Bank, exchange))).await?,
            self.scan::<Board>(&of(offset_of!(Board, exchange))).await?,
            self.scan::<MarginAccount>(&of(offset_of!(MarginAccount, exchange))).await?,
            self.scan::<Ticket>(&[(offset_of!(Ticket, house), house)]).await?,
            self.scan::<Adapter>(&of(offset_of!(Adapter, exchange))).await?,
            self.scan::<Lien>(&[]).await?,
            self.scan::<House>(&of(offset_of!(House, exchange))).await?,
        ];
        let oldest = scans.iter().map(|(slot, _)| *slot).min().unwrap_or(0);
        live.write(|state| {
            let mut gone = state.known_before(oldest);
            for (slot, accounts) in &scans {
                for (address, account) in accounts {
                    gone.remove(address);
                    self.count(state.apply(address, *slot, Some(account)));
                }
            }
            for address in gone {
                self.count(state.apply(&address, oldest, None));
            }
        });
        self.metrics.fetches.inc();
        self.fetch_watched(live).await?;
        live.fetched();
        Ok(())
    }

    /// Fetches the clock, the prices, and the exchange itself.
    async fn fetch_watched(&self, live: &Live) -> Result<()> {
        let mut wanted: Vec<Address> =
            live.read(State::wanted).into_iter().filter(|address| *address != CLOCK).collect();
        // The clock last, so that no price is of a moment after it.
        wanted.push(live.read(|state| state.snapshot.exchange.address));
        wanted.push(CLOCK);
        self.fetch_accounts(live, &wanted).await
    }

    /// Fetches some accounts.
    async fn fetch_accounts(&self, live: &Live, addresses: &[Address]) -> Result<()> {
        for chunk in addresses.chunks(ACCOUNTS_AT_ONCE) {
            let answer =
                self.rpc.get_multiple_accounts_with_commitment(chunk, self.connection.commitment.config()).await?;
            live.write(|state| {
                for (address, account) in chunk.iter().zip(&answer.value) {
                    self.count(state.apply(address, answer.context.slot, account.as_ref()));
                }
            });
        }
        live.heard();
        Ok(())
    }

    fn account_config(&self) -> RpcAccountInfoConfig {
        RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(self.connection.commitment.config()),
            ..RpcAccountInfoConfig::default()
        }
    }

    /// All accounts of type `T` with the given addresses at the given offsets, and the slot that the answer is of.
    async fn scan<T: AccountType>(&self, fields: &[(usize, Address)]) -> Result<(u64, Vec<(Address, Account)>)> {
        let bytes = |offset, bytes: &[u8]| RpcFilterType::Memcmp(Memcmp::new_base58_encoded(offset, bytes));
        let mut filters = vec![RpcFilterType::DataSize(T::SPACE as u64), bytes(0, &T::DISCRIMINATOR)];
        filters.extend(fields.iter().map(|(offset, address)| bytes(DISCRIMINATOR_LEN + offset, address.as_ref())));
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: self.account_config(),
            with_context: Some(true),
            ..RpcProgramAccountsConfig::default()
        };
        let request = serde_json::json!([ID.to_string(), config]);
        let answer: OptionalContext<Vec<RpcKeyedAccount>> =
            self.rpc.send(RpcRequest::GetProgramAccounts, request).await?;
        let (slot, found) = match answer {
            OptionalContext::Context(response) => (response.context.slot, response.value),
            // Too new a slot costs one more look at what is then notified, too old a one would hide what is new.
            OptionalContext::NoContext(found) => (self.rpc.get_slot().await?, found),
        };
        let decode = |keyed: RpcKeyedAccount| {
            let account: UiAccount = keyed.account;
            Some((keyed.pubkey.parse().ok()?, account.to_account()?))
        };
        Ok((slot, found.into_iter().filter_map(decode).collect()))
    }
}

fn keyed(slot: u64, keyed: RpcKeyedAccount) -> Notice {
    let address = keyed.pubkey.parse().unwrap_or_default();
    Notice::Account(slot, address, Box::new(keyed.account.to_account()))
}

/// The slots that notifications of one socket are of.
#[derive(Default)]
struct Stamper {
    announced: u64,
    claimed: u64,
    since: u64,
    is_stuck: bool,
}

impl Stamper {
    /// The slot of a notification that claims to be of `claimed`: the one that the socket announced last where the server
    /// claims the same for all.
    fn slot(&mut self, claimed: u64) -> u64 {
        if claimed != self.claimed {
            (self.claimed, self.since, self.is_stuck) = (claimed, self.announced, false);
        } else if self.announced >= self.since.saturating_add(STUCK_SLOTS) {
            self.is_stuck = true;
        }
        if self.is_stuck { self.announced } else { claimed }
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_of_the_slot_that_they_claim() {
        let mut stamper = Stamper { announced: 100, ..Stamper::default() };
        assert_eq!(stamper.slot(98), 98);
        stamper.announced = 103;
        assert_eq!((stamper.slot(98), stamper.slot(102)), (98, 102));
    }

    #[test]
    fn a_server_that_repeats_one_slot_is_not_believed() {
        let mut stamper = Stamper { announced: 100, ..Stamper::default() };
        assert_eq!(stamper.slot(99), 99);
        stamper.announced = 107;
        assert_eq!(stamper.slot(99), 99);
        stamper.announced = 108;
        assert_eq!(stamper.slot(99), 108);
    }
}
