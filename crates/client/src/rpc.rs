//! Fetching and sending over JSON-RPC: a thin layer between a cluster and the plain data of the rest of the crate.
//!
//! Blocking: a command line tool or a simple liquidator waits for each answer anyway. It must not be called from inside
//! an asynchronous runtime's worker; give it a thread of its own there.

use std::{
    mem::offset_of,
    time::{Duration, Instant},
};

use plimsoll_interface::{
    Address, ID,
    accounts::{Bank, Board, DISCRIMINATOR_LEN, Exchange, House, MarginAccount, Market},
    address,
    upgrade::STEPS,
};
use solana_account::Account;
use solana_clock::Clock;
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcSimulateTransactionConfig,
        RpcTransactionConfig,
    },
    filter::{Memcmp, RpcFilterType},
    request::{RpcError, RpcResponseErrorData},
    response::{UiAccount, UiAccountEncoding},
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};

use crate::{
    Error, Keyed, Snapshot,
    budget::{self, LIMIT_MAX, PortfolioSize},
    decode::{self, Named},
    error::{describe, program_error},
    event::{self, Event},
    price::{self, PriceAccount},
    transaction::{Format, Plan, accounts_of, decode_table},
};

/// The clock sysvar.
const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// How soon a transaction's status is asked for, and how often at last.
const POLL_FIRST: Duration = Duration::from_millis(40);
const POLL_MAX: Duration = Duration::from_millis(500);
/// How long the server may be silent until the wait for a transaction ends.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What a transaction asks for as its compute limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeLimit {
    /// Nothing: the runtime's 200,000 for each instruction.
    #[default]
    Default,
    /// This many units.
    Units(u32),
    /// The measured bound of the instructions, for portfolios of this size: no request more.
    Bound(PortfolioSize),
    /// What a simulation consumes, and so much per cent more. An error of the simulation is one of sending.
    Simulated {
        /// Per cent on top.
        percent: u8,
    },
}

/// How a transaction is sent.
#[derive(Clone, Copy, Debug)]
pub struct SendOptions<'a> {
    /// Whether the server simulates it first and refuses what fails there.
    pub preflight: bool,
    /// What it may consume.
    pub compute: ComputeLimit,
    /// What is paid for each unit of compute, millionths of a lamport.
    pub micro_lamports_per_unit: u64,
    /// How it is written.
    pub format: Format,
    /// Lookup tables that may be used.
    pub tables: &'a [AddressLookupTableAccount],
    /// How often it is sent again until it is confirmed.
    pub resend: Duration,
}

impl Default for SendOptions<'_> {
    /// With preflight, without a priority fee, in the smallest format, again every two seconds.
    fn default() -> Self {
        Self {
            preflight: true,
            compute: ComputeLimit::Default,
            micro_lamports_per_unit: 0,
            format: Format::Smallest,
            tables: &[],
            resend: Duration::from_secs(2),
        }
    }
}

/// What a transaction would do.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Compute units that it consumes.
    pub units: u64,
    /// Its log.
    pub logs: Vec<String>,
    /// The program's events.
    pub events: Vec<Event>,
    /// Why it fails; `None` where it does not.
    pub error: Option<Error>,
    /// That in words: which instruction, which error, what it means, what the program logged.
    pub message: Option<String>,
}

/// A connection to a cluster.
pub struct Rpc {
    client: RpcClient,
    commitment: CommitmentConfig,
}

/// A transaction that was confirmed.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// Its signature.
    pub signature: Signature,
    /// Its log.
    pub logs: Vec<String>,
    /// Compute units of each top-level instruction of the program, in order.
    pub compute_units: Vec<u64>,
    /// The program's events, in order.
    pub events: Vec<Event>,
}

impl Rpc {
    /// A connection to the JSON-RPC server at `url`. Nothing is sent yet.
    pub fn new(url: impl ToString) -> Self {
        Self::with_commitment(url, CommitmentConfig::confirmed())
    }

    /// A connection that reads what is as settled as `commitment`, and waits until a transaction is. Nothing is sent yet.
    pub fn with_commitment(url: impl ToString, commitment: CommitmentConfig) -> Self {
        let timeout = Duration::from_secs(30);
        Self { client: RpcClient::new_with_timeout_and_commitment(url, timeout, commitment), commitment }
    }

    /// The client below, for what this module does not cover.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    /// The chain's clock, unix seconds.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn now(&self) -> Result<i64, Error> {
        let account = self.raw(&CLOCK)?.ok_or(Error::Missing { what: "clock", address: CLOCK })?;
        clock_time(&account.data)
    }

    /// Owner and bytes of an account, `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn raw(&self, address: &Address) -> Result<Option<Account>, Error> {
        // The request for several, as the client's request for one wraps every failure into "account not found".
        let answer = self.client.get_multiple_accounts_with_commitment(&[*address], self.commitment);
        Ok(answer.map_err(rpc_error)?.value.pop().flatten())
    }

    /// The account at an address, `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Rpc`]; those of [`decode::account`].
    pub fn find<T: Named>(&self, address: &Address) -> Result<Option<T>, Error> {
        let Some(account) = self.raw(address)? else { return Ok(None) };
        decode::account(address, &account.owner, &account.data).map(Some)
    }

    /// The account at an address.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Rpc`]; those of [`decode::account`].
    pub fn get<T: Named>(&self, address: &Address) -> Result<Keyed<T>, Error> {
        let data = self.find(address)?.ok_or(Error::Missing { what: T::NAME, address: *address })?;
        Ok(Keyed { address: *address, data })
    }

    /// Every exchange of the program.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn exchanges(&self) -> Result<Vec<Keyed<Exchange>>, Error> {
        self.scan(&[])
    }

    /// The margin accounts of an exchange: all, or one owner's.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn margin_accounts(
        &self,
        exchange: &Address,
        owner: Option<&Address>,
    ) -> Result<Vec<Keyed<MarginAccount>>, Error> {
        let mut filters = vec![(offset_of!(MarginAccount, exchange), exchange)];
        filters.extend(owner.map(|owner| (offset_of!(MarginAccount, owner), owner)));
        self.scan(&filters)
    }

    /// Addresses of all accounts of the program whose layout is of an earlier version: `upgrade_account` is for them.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn outdated(&self) -> Result<Vec<Address>, Error> {
        let mut addresses = Vec::new();
        for step in &STEPS {
            let filters = vec![RpcFilterType::DataSize(step.from_space as u64), at(0, &step.discriminator)];
            addresses.extend(self.program_accounts(filters)?.into_iter().map(|(address, _)| address));
        }
        Ok(addresses)
    }

    /// An exchange with its house, banks, markets and boards, the price accounts that stand at their usual addresses, and the
    /// clock.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Rpc`].
    pub fn snapshot(&self, exchange: &Address) -> Result<Snapshot, Error> {
        let exchange = self.get::<Exchange>(exchange)?;
        let house = self.find::<House>(&address::house(&exchange.address))?;
        let banks = self.scan::<Bank>(&[(offset_of!(Bank, exchange), &exchange.address)])?;
        let markets = self.scan::<Market>(&[(offset_of!(Market, exchange), &exchange.address)])?;
        let boards = self.scan::<Board>(&[(offset_of!(Board, exchange), &exchange.address)])?;
        let mut snapshot = Snapshot {
            exchange,
            house,
            banks: banks.into_iter().map(|bank| (bank.address, bank.data)).collect(),
            markets: markets.into_iter().map(|market| (market.address, market.data)).collect(),
            boards: boards.into_iter().map(|board| (board.address, board.data)).collect(),
            prices: Default::default(),
            now: 0,
        };
        self.refresh_prices(&mut snapshot)?;
        Ok(snapshot)
    }

    /// Fetches the clock and the price accounts of a snapshot again, in one request, so that they belong together.
    ///
    /// A price account that the program would refuse is left out: the market's stored observation then stands.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn refresh_prices(&self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let usual: Vec<(Address, Address)> = snapshot
            .markets
            .iter()
            .filter_map(|(address, market)| Some((*address, price::usual_address(market)?)))
            .collect();
        let wanted: Vec<Address> = std::iter::once(CLOCK).chain(usual.iter().map(|(_, price)| *price)).collect();
        let answer = self.client.get_multiple_accounts_with_commitment(&wanted, self.commitment).map_err(rpc_error)?;
        let mut accounts = answer.value.into_iter();
        let clock = accounts.next().flatten().ok_or(Error::Missing { what: "clock", address: CLOCK })?;
        snapshot.now = clock_time(&clock.data)?;
        snapshot.prices.clear();
        for ((market, address), account) in usual.into_iter().zip(accounts) {
            let Some(account) = account else { continue };
            let price = PriceAccount { address, owner: account.owner, data: account.data };
            if price.observation(&snapshot.markets[&market], snapshot.now).is_ok() {
                snapshot.prices.insert(market, price);
            }
        }
        Ok(())
    }

    /// Signs and sends one transaction, and waits until it is confirmed. `payer` pays and signs; `signers` are the
    /// others that must sign. As [`Self::send_with`] with [`SendOptions::default`].
    ///
    /// # Errors
    /// As [`Self::send_with`].
    pub fn send(
        &self,
        instructions: &[Instruction],
        payer: &Keypair,
        signers: &[&Keypair],
    ) -> Result<Confirmed, Error> {
        self.send_with(instructions, payer, signers, &SendOptions::default())
    }

    /// Signs and sends one transaction, sends it again every [`SendOptions::resend`] as it may be lost on the way, and waits
    /// until it is confirmed or can be no more.
    ///
    /// # Errors
    /// [`Error::Program`] where the program refuses, [`Error::Transaction`] where something else in it fails,
    /// [`Error::TooLarge`] where it fits no format, [`Error::Expired`] where the cluster's block height has passed the last at
    /// which it could be executed, and [`Error::Rpc`].
    pub fn send_with(
        &self,
        instructions: &[Instruction],
        payer: &Keypair,
        signers: &[&Keypair],
        options: &SendOptions<'_>,
    ) -> Result<Confirmed, Error> {
        let limit = self.compute_limit(instructions, &payer.pubkey(), options)?;
        let answer = self.client.get_latest_blockhash_with_commitment(self.commitment).map_err(rpc_error)?;
        let (blockhash, last_valid_height) = answer;
        let message = plan(instructions, &payer.pubkey(), limit, options).message(blockhash)?;
        let mut all = vec![payer];
        for signer in signers {
            if all.iter().all(|known| known.pubkey() != signer.pubkey()) {
                all.push(signer);
            }
        }
        let transaction = VersionedTransaction::try_new(message, &all)
            .map_err(|error| Error::Transaction(format!("a signature is missing: {error}")))?;
        let signature = self.submit(&transaction, options.preflight)?;
        self.confirm(&transaction, last_valid_height, options.resend)?;
        self.transaction(signature)
    }

    /// What instructions would do if `payer` sent them now, without sending or signing anything.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Rpc`]. That the instructions fail is no error here: [`Simulation::error`] says it.
    pub fn simulate(
        &self,
        instructions: &[Instruction],
        payer: &Address,
        options: &SendOptions<'_>,
    ) -> Result<Simulation, Error> {
        // As much as there is, so that what is missing does not hide what is wanted.
        let plan = plan(instructions, payer, Some(LIMIT_MAX), options);
        let message = plan.message(Hash::default())?;
        let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(self.commitment),
            encoding: Some(UiTransactionEncoding::Base64),
            ..RpcSimulateTransactionConfig::default()
        };
        let transaction = VersionedTransaction { signatures, message };
        let answer = self.client.simulate_transaction_with_config(&transaction, config).map_err(rpc_error)?.value;
        let logs = answer.logs.unwrap_or_default();
        let error = answer.err.map(TransactionError::from);
        Ok(Simulation {
            units: answer.units_consumed.unwrap_or(0),
            events: event::from_logs(&logs),
            message: error.as_ref().map(|error| failure(error, &logs)),
            error: error.as_ref().map(Error::from),
            logs,
        })
    }

    /// The lookup table at an address.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongAccountType`], [`Error::Rpc`].
    pub fn lookup_table(&self, address: &Address) -> Result<AddressLookupTableAccount, Error> {
        let account = self.raw(address)?.ok_or(Error::Missing { what: "lookup table", address: *address })?;
        decode_table(address, &account.data)
    }

    /// A price for each unit of compute that got transactions executed lately which write to the same accounts: the given
    /// percentile of what was paid in the last 150 slots, millionths of a lamport.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn recent_priority_fee(&self, instructions: &[Instruction], percentile: u8) -> Result<u64, Error> {
        let writable = accounts_of(instructions).into_iter().filter(|meta| meta.is_writable);
        // As many as the method takes.
        let addresses: Vec<Address> = writable.map(|meta| meta.pubkey).take(128).collect();
        let fees = self.client.get_recent_prioritization_fees(&addresses).map_err(rpc_error)?;
        let mut fees: Vec<u64> = fees.into_iter().map(|fee| fee.prioritization_fee).collect();
        fees.sort_unstable();
        let index = fees.len().saturating_mul(usize::from(percentile.min(100))) / 100;
        Ok(fees.get(index.min(fees.len().saturating_sub(1))).copied().unwrap_or(0))
    }

    fn compute_limit(
        &self,
        instructions: &[Instruction],
        payer: &Address,
        options: &SendOptions<'_>,
    ) -> Result<Option<u32>, Error> {
        Ok(match options.compute {
            ComputeLimit::Default => None,
            ComputeLimit::Units(units) => Some(units),
            ComputeLimit::Bound(size) => Some(budget::limit(instructions, &size)),
            ComputeLimit::Simulated { percent } => {
                let simulation = self.simulate(instructions, payer, options)?;
                if let Some(error) = simulation.error {
                    return Err(error);
                }
                let units = simulation.units.saturating_mul(100 + u64::from(percent)).div_ceil(100);
                Some(u32::try_from(units).unwrap_or(u32::MAX).min(LIMIT_MAX))
            }
        })
    }

    fn submit(&self, transaction: &VersionedTransaction, preflight: bool) -> Result<Signature, Error> {
        let config = RpcSendTransactionConfig {
            skip_preflight: !preflight,
            preflight_commitment: Some(CommitmentLevel::Processed),
            // It is sent again from here, where it is known when that is in vain.
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        self.client.send_transaction_with_config(transaction, config).map_err(send_error)
    }

    /// Waits until a transaction is confirmed or has expired, and sends it again meanwhile.
    ///
    /// An answer that does not come is asked for again: while the server is gone nobody knows whether the transaction was
    /// executed. Only a silence of [`SILENCE_MAX`] ends the wait.
    fn confirm(
        &self,
        transaction: &VersionedTransaction,
        last_valid_height: u64,
        resend: Duration,
    ) -> Result<(), Error> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let (mut poll, mut sent, mut heard) = (POLL_FIRST, Instant::now(), Instant::now());
        loop {
            // The height before the status: a status that is still none at a height too high will be none for ever.
            let is_due = sent.elapsed() >= resend;
            let height = if is_due { self.client.get_block_height_with_commitment(self.commitment).ok() } else { None };
            match self.status(&signature) {
                Ok(Some(result)) => return result,
                Ok(None) if height.is_some_and(|height| height > last_valid_height) => {
                    return Err(Error::Expired(signature.to_string()));
                }
                Ok(None) => heard = Instant::now(),
                Err(error) if heard.elapsed() > SILENCE_MAX => {
                    let text = format!("{error}; whether {signature} was executed is not known");
                    return Err(Error::Rpc(text));
                }
                Err(_) => {}
            }
            if is_due {
                // That the server has it already, or that it is gone, is told by the status.
                let _ = self.submit(transaction, false);
                sent = Instant::now();
            }
            std::thread::sleep(poll);
            poll = (poll * 3 / 2).min(POLL_MAX);
        }
    }

    /// What became of a transaction: `None` while it is not confirmed.
    fn status(&self, signature: &Signature) -> Result<Option<Result<(), Error>>, Error> {
        let statuses = self.client.get_signature_statuses(&[*signature]).map_err(rpc_error)?.value;
        let Some(Some(status)) = statuses.into_iter().next() else { return Ok(None) };
        if !status.satisfies_commitment(self.commitment) {
            return Ok(None);
        }
        Ok(Some(status.err.as_ref().map_or(Ok(()), |error| Err(Error::from(error)))))
    }

    /// Log, compute units and events of a confirmed transaction.
    ///
    /// # Errors
    /// [`Error::Rpc`].
    pub fn transaction(&self, signature: Signature) -> Result<Confirmed, Error> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.commitment),
            max_supported_transaction_version: Some(1),
        };
        let answer = self.client.get_transaction_with_config(&signature, config).map_err(rpc_error)?;
        let logs = match answer.transaction.meta.map(|meta| meta.log_messages) {
            Some(OptionSerializer::Some(logs)) => logs,
            _ => Vec::new(),
        };
        Ok(Confirmed { signature, compute_units: compute_units(&logs), events: event::from_logs(&logs), logs })
    }

    /// All accounts of type `T` whose addresses at the given offsets are the given ones.
    fn scan<T: Named>(&self, fields: &[(usize, &Address)]) -> Result<Vec<Keyed<T>>, Error> {
        let mut filters = vec![RpcFilterType::DataSize(T::SPACE as u64), at(0, &T::DISCRIMINATOR)];
        filters.extend(fields.iter().map(|(offset, address)| at(DISCRIMINATOR_LEN + offset, address.as_ref())));
        let mut accounts = self
            .program_accounts(filters)?
            .into_iter()
            .map(|(address, account)| {
                Ok(Keyed { address, data: decode::account(&address, &account.owner, &account.data)? })
            })
            .collect::<Result<Vec<Keyed<T>>, Error>>()?;
        accounts.sort_by_key(|account| account.address);
        Ok(accounts)
    }

    /// The program's accounts that pass all filters.
    fn program_accounts(&self, filters: Vec<RpcFilterType>) -> Result<Vec<(Address, Account)>, Error> {
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(self.commitment),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self.client.get_program_ui_accounts_with_config(&ID, config).map_err(rpc_error)?;
        let plain = |(address, account): (Address, UiAccount)| {
            Ok((address, account.to_account().ok_or(Error::Rpc("an account is not in base64".into()))?))
        };
        found.into_iter().map(plain).collect()
    }
}

/// A filter for bytes at an offset.
fn at(offset: usize, bytes: &[u8]) -> RpcFilterType {
    RpcFilterType::Memcmp(Memcmp::new_base58_encoded(offset, bytes))
}

/// The time in the clock sysvar's bytes, unix seconds.
fn clock_time(data: &[u8]) -> Result<i64, Error> {
    let at = offset_of!(Clock, unix_timestamp);
    let bytes =
        data.get(at..).and_then(|tail| tail.first_chunk()).ok_or(Error::Rpc("the clock is too short".into()))?;
    Ok(i64::from_le_bytes(*bytes))
}

/// Compute units of each top-level instruction of the program in a transaction's log, its own calls included.
pub fn compute_units<S: AsRef<str>>(logs: &[S]) -> Vec<u64> {
    let prefix = format!("Program {ID} consumed ");
    let invoke = format!("Program {ID} invoke [");
    let mut depth = Vec::new();
    let mut units = Vec::new();
    for line in logs.iter().map(AsRef::as_ref) {
        if let Some(level) = line.strip_prefix(&invoke) {
            depth.push(level.trim_end_matches(']').parse::<u32>().unwrap_or(0));
        } else if let Some(rest) = line.strip_prefix(&prefix) {
            let consumed = rest.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            if depth.pop() == Some(1) {
                units.extend(consumed);
            }
        }
    }
    units
}

/// What a message of these instructions is made of.
fn plan<'a>(
    instructions: &'a [Instruction],
    payer: &Address,
    compute_unit_limit: Option<u32>,
    options: &SendOptions<'a>,
) -> Plan<'a> {
    Plan {
        payer: *payer,
        instructions,
        compute_unit_limit,
        micro_lamports_per_unit: options.micro_lamports_per_unit,
        tables: options.tables,
        format: options.format,
    }
}

/// A failure in words, with the last text that a program logged where the error itself does not say enough.
fn failure(error: &TransactionError, logs: &[String]) -> String {
    let told = describe(error);
    match last_text(logs) {
        Some(line) if program_error(error).is_none() => format!("{told} ({})", one_line(&line)),
        _ => told,
    }
}

/// The last text that a program logged.
fn last_text(logs: &[String]) -> Option<String> {
    logs.iter().rev().find_map(|line| line.strip_prefix("Program log: ")).map(String::from)
}

fn rpc_error(error: ClientError) -> Error {
    let text = match error.kind() {
        ErrorKind::Reqwest(cause) if cause.is_connect() => "no server answers at the given URL".into(),
        ErrorKind::RpcError(RpcError::RpcResponseError { message, .. }) => message.clone(),
        kind => kind.to_string(),
    };
    Error::Rpc(one_line(&text))
}

/// Failed transactions come back as errors of sending when the simulation before it fails.
fn send_error(error: ClientError) -> Error {
    if let Some(cause) = error.get_transaction_error() {
        let decoded = Error::from(&cause);
        if let Error::Transaction(_) = decoded
            && let Some(line) = last_log(&error)
        {
            return Error::Transaction(format!("{} ({})", describe(&cause), one_line(&line)));
        }
        return decoded;
    }
    rpc_error(error)
}

/// The last text that a program logged before a simulation failed.
fn last_log(error: &ClientError) -> Option<String> {
    let ErrorKind::RpcError(RpcError::RpcResponseError { data, .. }) = error.kind() else { return None };
    let RpcResponseErrorData::SendTransactionPreflightFailure(result) = data else { return None };
    last_text(result.logs.as_ref()?)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_units_are_those_of_top_level_instructions() {
        let logs = [
            format!("Program {ID} invoke [1]"),
            "Program Token invoke [2]".into(),
            "Program Token consumed 4500 of 190000 compute units".into(),
            "Program Token success".into(),
            format!("Program {ID} consumed 9000 of 200000 compute units"),
            format!("Program {ID} success"),
            format!("Program {ID} invoke [1]"),
            format!("Program {ID} consumed 700 of 191000 compute units"),
            format!("Program {ID} success"),
        ];
        assert_eq!(compute_units(&logs), [9000, 700]);
    }

    #[test]
    fn a_server_that_does_not_answer_is_one_clear_line() {
        let refused = Rpc::new("http://127.0.0.1:1").now().unwrap_err();
        assert_eq!(refused.to_string(), "RPC: no server answers at the given URL");
    }

    #[test]
    fn the_clocks_time_is_read_from_its_bytes() {
        let mut data = vec![0; 40];
        data[32..].copy_from_slice(&1_700_000_000i64.to_le_bytes());
        assert_eq!(clock_time(&data), Ok(1_700_000_000));
        assert!(clock_time(&data[..36]).is_err());
    }
}
