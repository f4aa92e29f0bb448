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
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcTransactionConfig},
    filter::{Memcmp, RpcFilterType},
    request::{RpcError, RpcResponseErrorData},
    response::{UiAccount, UiAccountEncoding},
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};

use crate::{
    Error, Keyed, Snapshot,
    decode::{self, Named},
    error::describe,
    event::{self, Event},
    price::{self, PriceAccount},
};

/// The clock sysvar.
const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// How long a transaction may take to be confirmed.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(60);
/// How often its status is asked for.
const CONFIRM_POLL: Duration = Duration::from_millis(40);

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
        let commitment = CommitmentConfig::confirmed();
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
    /// others that must sign.
    ///
    /// # Errors
    /// [`Error::Program`] where the program refuses, [`Error::Transaction`] where something else in it fails,
    /// [`Error::Rpc`].
    pub fn send(
        &self,
        instructions: &[Instruction],
        payer: &Keypair,
        signers: &[&Keypair],
    ) -> Result<Confirmed, Error> {
        let blockhash = self.client.get_latest_blockhash().map_err(rpc_error)?;
        let message = Message::new_with_blockhash(instructions, Some(&payer.pubkey()), &blockhash);
        let mut transaction = Transaction::new_unsigned(message);
        let mut all = vec![payer];
        all.extend(signers.iter().filter(|signer| signer.pubkey() != payer.pubkey()));
        transaction
            .try_sign(&all, blockhash)
            .map_err(|error| Error::Transaction(format!("a signature is missing: {error}")))?;
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(CommitmentLevel::Processed),
            ..RpcSendTransactionConfig::default()
        };
        let signature = self.client.send_transaction_with_config(&transaction, config).map_err(send_error)?;
        self.confirm(&signature)?;
        self.transaction(signature)
    }

    /// Waits until a transaction is confirmed.
    fn confirm(&self, signature: &Signature) -> Result<(), Error> {
        let deadline = Instant::now() + CONFIRM_TIMEOUT;
        while Instant::now() < deadline {
            let statuses = self.client.get_signature_statuses(&[*signature]).map_err(rpc_error)?.value;
            if let Some(Some(status)) = statuses.into_iter().next() {
                if let Some(error) = &status.err {
                    return Err(Error::from(error));
                }
                if status.satisfies_commitment(self.commitment) {
                    return Ok(());
                }
            }
            std::thread::sleep(CONFIRM_POLL);
        }
        Err(Error::Transaction(format!("{signature} was not confirmed within {} s", CONFIRM_TIMEOUT.as_secs())))
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
    let logs = result.logs.as_ref()?;
    logs.iter().rev().find_map(|line| line.strip_prefix("Program log: ")).map(String::from)
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
