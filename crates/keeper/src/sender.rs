//! Transactions: simulated to learn what they use and whether they would be refused, priced by policy, sent again until they
//! are confirmed or have expired. The same work is never under way twice.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use plimsoll_client::{
    Address, Error, PlimsollError,
    event::{self, Event},
    transaction::{self, Format, Plan},
};
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig, RpcTransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};
use tokio::time::sleep;
use tracing::debug;

use crate::{
    config::{Fees, Priority},
    metrics::Metrics,
};

/// What a transaction may use at most.
const COMPUTE_LIMIT_MAX: u32 = 1_400_000;
/// Used by the two instructions that set limit and price, and some room.
const COMPUTE_OVERHEAD: u32 = 1_000;
/// How long a block hash is used for new transactions.
const BLOCKHASH_AGE: Duration = Duration::from_secs(5);
/// How long what was paid lately counts as lately.
const FEES_AGE: Duration = Duration::from_secs(10);
/// For so long nothing is sent again that was decided on by the same state.
const REMEMBERED: Duration = Duration::from_secs(10);

/// One transaction that is to be sent.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it is about: one of the same subject is not begun while this one is under way, and failures are counted by it.
    pub subject: String,
    /// What it was decided on. The same of the same subject is not done again within ten seconds, so that a decision on
    /// what the chain has not told yet costs no second transaction.
    pub basis: u64,
    /// The instructions; where they are refused the next are tried.
    pub alternatives: Vec<Vec<Instruction>>,
}

impl Work {
    /// Work without alternatives.
    pub fn new(subject: impl Into<String>, basis: u64, instructions: Vec<Instruction>) -> Self {
        Self { subject: subject.into(), basis, alternatives: vec![instructions] }
    }
}

/// What became of a transaction.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its signature.
    pub signature: Signature,
    /// The slot that it landed in.
    pub slot: u64,
}

/// Why a transaction was not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The same is under way, or was done a moment ago.
    #[error("the same is under way")]
    Duplicate,
    /// The program, or another one, refuses.
    #[error("{0}")]
    Refused(Error),
    /// It was not confirmed while its block hash was valid.
    #[error("it has expired")]
    Expired,
    /// The server does not answer.
    #[error("{0}")]
    Rpc(String),
}

impl SendError {
    /// The program's error, if it is one.
    pub fn program(&self) -> Option<PlimsollError> {
        match self {
            Self::Refused(Error::Program(error)) => Some(*error),
            _ => None,
        }
    }

    /// Its name among the metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Refused(_) => "refused",
            Self::Expired => "expired",
            Self::Rpc(_) => "unsent",
        }
    }
}

/// Sends for one key.
pub struct Sender {
    rpc: Arc<RpcClient>,
    keypair: Keypair,
    fees: Fees,
    tables: Vec<AddressLookupTableAccount>,
    metrics: Arc<Metrics>,
    blockhash: Mutex<Option<(Instant, Recent)>>,
    /// What was signed with that block hash.
    signed: Mutex<HashSet<Signature>>,
    paid: Mutex<Option<(Instant, u64)>>,
    work: Mutex<Desk>,
}

/// A block hash and the last block height at which it is accepted.
#[derive(Clone, Copy)]
struct Recent {
    hash: Hash,
    last_valid_height: u64,
}

/// What is under way, and what was done a moment ago.
#[derive(Default)]
struct Desk {
    under_way: HashMap<String, Instant>,
    done: HashMap<(String, u64), Instant>,
}

impl Desk {
    fn begin(&mut self, work: &Work) -> bool {
        self.done.retain(|_, at| at.elapsed() < REMEMBERED);
        let is_new =
            !self.under_way.contains_key(&work.subject) && !self.done.contains_key(&(work.subject.clone(), work.basis));
        if is_new {
            self.under_way.insert(work.subject.clone(), Instant::now());
        }
        is_new
    }

    fn end(&mut self, work: &Work, is_done: bool) {
        self.under_way.remove(&work.subject);
        if is_done {
            self.done.insert((work.subject.clone(), work.basis), Instant::now());
        }
    }
}

impl Sender {
    /// Sends over `rpc` what `keypair` signs and pays for, with the lookup tables that `fees` names.
    ///
    /// # Errors
    /// A table that is not there; a server that does not answer.
    pub async fn new(
        rpc: Arc<RpcClient>,
        keypair: Keypair,
        fees: &Fees,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let mut tables = Vec::new();
        for table in &fees.lookup_tables {
            let address: Address = table.parse()?;
            let account = rpc.get_account(&address).await.with_context(|| format!("lookup table {table}"))?;
            tables.push(transaction::decode_table(&address, &account.data)?);
        }
        let (blockhash, signed, paid, work) = Default::default();
        Ok(Self { rpc, keypair, fees: fees.clone(), tables, metrics, blockhash, signed, paid, work })
    }

    /// Who signs and pays.
    pub fn payer(&self) -> Address {
        self.keypair.pubkey()
    }

    /// The connection.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Whether one of the same subject is under way.
    pub fn is_under_way(&self, work: &Work) -> bool {
        lock(&self.work).under_way.contains_key(&work.subject)
    }

    /// How many transactions are under way.
    pub fn in_flight(&self) -> usize {
        lock(&self.work).under_way.len()
    }

    /// Sends one transaction and waits until it is confirmed or cannot be any more.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, task: &str, work: &Work) -> Result<Sent, SendError> {
        if !lock(&self.work).begin(work) {
            return Err(SendError::Duplicate);
        }
        self.metrics.in_flight.inc();
        let sent = self.first_accepted(work).await;
        lock(&self.work).end(work, sent.is_ok());
        self.metrics.in_flight.dec();
        let outcome = sent.as_ref().map_or_else(SendError::outcome, |_| "confirmed");
        self.metrics.transactions.with_label_values(&[task, outcome]).inc();
        sent
    }

    /// Sends the first of the alternatives that is not refused.
    async fn first_accepted(&self, work: &Work) -> Result<Sent, SendError> {
        let mut refused = SendError::Refused(Error::Transaction("there is nothing to send".into()));
        for instructions in &work.alternatives {
            match self.attempt(instructions).await {
                Err(error @ SendError::Refused(_)) => refused = error,
                ended => return ended,
            }
        }
        Err(refused)
    }

    async fn attempt(&self, instructions: &[Instruction]) -> Result<Sent, SendError> {
        let units = self.simulate(instructions).await?;
        let limit = f64::from(units) * (1.0 + self.fees.compute_margin);
        let limit = (limit.ceil() as u32).saturating_add(COMPUTE_OVERHEAD).min(COMPUTE_LIMIT_MAX);
        let price = self.price(instructions).await;
        let recent = self.recent().await?;
        let transaction = self.sign_anew(instructions, limit, price, recent.hash)?;
        let sent = self.deliver(&transaction, recent.last_valid_height).await?;
        let lamports = u128::from(price) * u128::from(limit) / 1_000_000;
        self.metrics.priority_lamports.inc_by(u64::try_from(lamports).unwrap_or(u64::MAX));
        Ok(sent)
    }

    /// Compute units that instructions use.
    ///
    /// # Errors
    /// [`SendError::Refused`] where they would fail.
    pub async fn simulate(&self, instructions: &[Instruction]) -> Result<u32, SendError> {
        let recent = self.recent().await?;
        let transaction = self.sign(instructions, COMPUTE_LIMIT_MAX, 0, recent.hash)?;
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(CommitmentConfig::processed()),
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self.rpc.simulate_transaction_with_config(&transaction, config).await.map_err(rpc_error)?.value;
        if let Some(error) = answer.err {
            let error = solana_transaction_error::TransactionError::from(error);
            return Err(SendError::Refused(Error::from(&error)));
        }
        let units = answer.units_consumed.unwrap_or(u64::from(COMPUTE_LIMIT_MAX));
        Ok(u32::try_from(units).unwrap_or(COMPUTE_LIMIT_MAX))
    }

    /// The smallest transaction of the instructions that there is, signed.
    fn sign(
        &self,
        instructions: &[Instruction],
        limit: u32,
        micro_lamports: u64,
        blockhash: Hash,
    ) -> Result<VersionedTransaction, SendError> {
        let plan = Plan {
            payer: self.payer(),
            instructions,
            compute_unit_limit: Some(limit),
            micro_lamports_per_unit: micro_lamports,
            tables: &self.tables,
            format: Format::Smallest,
        };
        let message = plan.message(blockhash).map_err(SendError::Refused)?;
        VersionedTransaction::try_new(message, &[&self.keypair])
            .map_err(|error| SendError::Refused(Error::Transaction(format!("a signature is missing: {error}"))))
    }

    /// A transaction unlike those signed before: of two with the same bytes the chain executes one, so the same instructions
    /// within the life of a block hash ask for one compute unit more.
    fn sign_anew(
        &self,
        instructions: &[Instruction],
        mut limit: u32,
        micro_lamports: u64,
        blockhash: Hash,
    ) -> Result<VersionedTransaction, SendError> {
        loop {
            let transaction = self.sign(instructions, limit, micro_lamports, blockhash)?;
            if lock(&self.signed).insert(transaction.signatures.first().copied().unwrap_or_default()) {
                return Ok(transaction);
            }
            limit = limit.saturating_add(1);
        }
    }

    /// Sends a transaction again and again until it is confirmed or its block hash has expired.
    async fn deliver(&self, transaction: &VersionedTransaction, last_valid_height: u64) -> Result<Sent, SendError> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
        let begun = Instant::now();
        let mut sent_at: Option<Instant> = None;
        while begun.elapsed() < Duration::from_secs(self.fees.give_up_seconds) {
            if sent_at.is_none_or(|at| at.elapsed() >= Duration::from_millis(self.fees.resend_ms)) {
                // The height first: a transaction that landed in the last moment is seen below.
                let height = self.rpc.get_block_height().await;
                let is_over = height.is_ok_and(|height| height > last_valid_height);
                if is_over && sent_at.is_some() {
                    return self.status(&signature).await?.ok_or(SendError::Expired);
                }
                if is_over {
                    *lock(&self.blockhash) = None;
                    return Err(SendError::Expired);
                }
                if let Err(error) = self.rpc.send_transaction_with_config(transaction, config).await {
                    debug!("sending {signature}: {error}");
                }
                sent_at = Some(Instant::now());
            }
            match self.status(&signature).await {
                Ok(Some(sent)) => return Ok(sent),
                // While the server does not answer, nobody knows: it may have landed.
                Ok(None) | Err(SendError::Rpc(_)) => sleep(Duration::from_millis(self.fees.confirm_ms)).await,
                Err(error) => return Err(error),
            }
        }
        Err(SendError::Expired)
    }

    /// Where a transaction landed, `None` while it has not.
    async fn status(&self, signature: &Signature) -> Result<Option<Sent>, SendError> {
        let answer = self.rpc.get_signature_statuses(&[*signature]).await.map_err(rpc_error)?;
        let Some(status) = answer.value.into_iter().next().flatten() else { return Ok(None) };
        if let Some(error) = &status.err {
            return Err(SendError::Refused(Error::from(error)));
        }
        let is_there = status.satisfies_commitment(CommitmentConfig::confirmed());
        Ok(is_there.then_some(Sent { signature: *signature, slot: status.slot }))
    }

    /// The program's events of a confirmed transaction.
    ///
    /// # Errors
    /// [`SendError::Rpc`].
    pub async fn events(&self, signature: &Signature) -> Result<Vec<Event>, SendError> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(1),
        };
        let answer = self.rpc.get_transaction_with_config(signature, config).await.map_err(rpc_error)?;
        Ok(match answer.transaction.meta.map(|meta| meta.log_messages) {
            Some(OptionSerializer::Some(logs)) => event::from_logs(&logs),
            _ => Vec::new(),
        })
    }

    async fn recent(&self) -> Result<Recent, SendError> {
        if let Some((at, recent)) = *lock(&self.blockhash)
            && at.elapsed() < BLOCKHASH_AGE
        {
            return Ok(recent);
        }
        let commitment = CommitmentConfig::confirmed();
        let (hash, last_valid_height) =
            self.rpc.get_latest_blockhash_with_commitment(commitment).await.map_err(rpc_error)?;
        let recent = Recent { hash, last_valid_height };
        let known = lock(&self.blockhash).replace((Instant::now(), recent));
        if known.is_none_or(|(_, known)| known.hash != hash) {
            lock(&self.signed).clear();
        }
        Ok(recent)
    }

    /// Price of a compute unit by policy, 1e-6 lamports. Where the server does not tell what was paid, the least.
    async fn price(&self, instructions: &[Instruction]) -> u64 {
        if self.fees.priority == Priority::Fixed {
            return self.fees.micro_lamports;
        }
        if let Some((at, price)) = *lock(&self.paid)
            && at.elapsed() < FEES_AGE
        {
            return price;
        }
        let written: Vec<Address> = instructions
            .iter()
            .flat_map(|instruction| &instruction.accounts)
            .filter(|meta| meta.is_writable)
            .map(|meta| meta.pubkey)
            .take(128)
            .collect();
        let paid = self.rpc.get_recent_prioritization_fees(&written).await.unwrap_or_default();
        let price = percentile(paid.into_iter().map(|fee| fee.prioritization_fee).collect(), self.fees.percentile);
        let price = price.clamp(self.fees.micro_lamports, self.fees.micro_lamports_max);
        *lock(&self.paid) = Some((Instant::now(), price));
        price
    }
}

/// The value below which `percent` of them are, zero of none.
fn percentile(mut values: Vec<u64>, percent: u8) -> u64 {
    values.sort_unstable();
    let at = values.len().saturating_sub(1) * usize::from(percent.min(100)) / 100;
    values.get(at).copied().unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rpc_error(error: solana_rpc_client_api::client_error::Error) -> SendError {
    SendError::Rpc(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_paid() {
        assert_eq!(percentile(vec![], 75), 0);
        assert_eq!(percentile(vec![9], 75), 9);
        assert_eq!(percentile((1..=101).rev().collect(), 75), 76);
        assert_eq!(percentile(vec![1, 2, 3], 100), 3);
    }

    #[tokio::test]
    async fn the_same_instructions_make_another_transaction() {
        let rpc = Arc::new(RpcClient::new_mock("succeeds".into()));
        let metrics = Metrics::new("test").unwrap();
        let sender = Sender::new(rpc, Keypair::new(), &Fees::default(), metrics).await.unwrap();
        let observe = Instruction { program_id: plimsoll_client::ID, accounts: vec![], data: vec![1] };
        let sign = || sender.sign_anew(core::slice::from_ref(&observe), 20_000, 1, Hash::default()).unwrap();
        let signatures: HashSet<_> = [sign(), sign(), sign()].iter().map(|one| one.signatures[0]).collect();
        assert_eq!(signatures.len(), 3);
    }

    #[test]
    fn the_same_work_is_not_begun_twice() {
        let mut desk = Desk::default();
        let work = |basis| Work::new("observe SOL", basis, vec![]);
        assert!(desk.begin(&work(1)));
        assert!(!desk.begin(&work(2)), "one of the subject is under way");
        desk.end(&work(1), true);
        assert!(!desk.begin(&work(1)), "it was done on the same grounds");
        assert!(desk.begin(&work(2)));
        desk.end(&work(2), false);
        assert!(desk.begin(&work(2)), "it failed, so it may be tried again");
    }
}
