//! A cluster behind JSON-RPC as a migration sees it.

use std::{collections::BTreeMap, mem::offset_of};

use plimsoll_client::{
    Address, Error,
    accounts::{AccountType, DISCRIMINATOR_LEN, MarginAccount, Proposal},
    address,
    rpc::{Confirmed, Rpc},
    transaction::decode_table,
};
use solana_keypair::Keypair;
use solana_rpc_client_api::{
    client_error::Error as ClientError,
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    response::UiAccountEncoding,
};

use crate::{Chain, State, Step, Tables};

/// Keeps lookup tables.
const LOOKUP_TABLE_PROGRAM: Address = Address::from_str_const("AddressLookupTab1e1111111111111111111111111");
/// Where a table's authority stands: behind its type, two slots, an index and the mark that there is one.
const AUTHORITY_AT: usize = 4 + 8 + 8 + 1 + 1;
/// Accounts that one request may ask for.
const ACCOUNTS_MAX: usize = 100;

/// What a cluster has of an exchange: nothing where there is none.
///
/// # Errors
/// [`Error::Rpc`]; [`Error::WrongAccountType`] where something else stands there.
pub fn fetch_state(rpc: &Rpc, exchange: &Address) -> Result<State, Error> {
    let mut state: State = match rpc.snapshot(exchange) {
        Ok(snapshot) => snapshot.into(),
        Err(Error::Missing { .. }) => return Ok(State { now: rpc.now()?, ..State::default() }),
        Err(error) => return Err(error),
    };
    state.outdated = outdated(rpc, exchange)?;
    let subjects: Vec<Address> =
        std::iter::once(exchange).chain(state.banks.keys()).chain(state.markets.keys()).copied().collect();
    for part in subjects.chunks(ACCOUNTS_MAX) {
        let addresses: Vec<Address> = part.iter().map(address::proposal).collect();
        let found = rpc.client().get_multiple_accounts(&addresses).map_err(|error| Error::Rpc(error.to_string()))?;
        for (subject, account) in part.iter().zip(found) {
            let proposal = account.filter(|account| account.owner == plimsoll_client::ID);
            let proposal = proposal.and_then(|account| Some((*subject, read_proposal(&account.data)?)));
            state.proposals.extend(proposal);
        }
    }
    Ok(state)
}

/// Accounts of an exchange whose layout is of an earlier version.
fn outdated(rpc: &Rpc, exchange: &Address) -> Result<Vec<Address>, Error> {
    // Whose a margin account is stands in the part that every layout of it has had.
    const AT: usize = DISCRIMINATOR_LEN + offset_of!(MarginAccount, exchange);
    let mut own = Vec::new();
    for part in rpc.outdated()?.chunks(ACCOUNTS_MAX) {
        let found = rpc.client().get_multiple_accounts(part).map_err(|error| Error::Rpc(error.to_string()))?;
        for (address, account) in part.iter().zip(found) {
            let Some(account) = account else { continue };
            let is_margin_account = account.data.starts_with(&MarginAccount::DISCRIMINATOR);
            let belongs = account.data.get(AT..).is_some_and(|tail| tail.starts_with(exchange.as_ref()));
            if belongs || !is_margin_account {
                own.push(*address);
            }
        }
    }
    own.sort_unstable();
    Ok(own)
}

fn read_proposal(data: &[u8]) -> Option<Proposal> {
    let (discriminator, body) = data.split_at_checked(Proposal::DISCRIMINATOR.len())?;
    (discriminator == Proposal::DISCRIMINATOR).then(|| bytemuck::try_pod_read_unaligned(body).ok())?
}

/// Lookup tables that `authority` may extend.
///
/// # Errors
/// [`Error::Rpc`], also of servers that list no tables.
pub fn fetch_tables(rpc: &Rpc, authority: &Address) -> Result<Tables, Error> {
    let client = rpc.client();
    let failed = |error: ClientError| Error::Rpc(error.to_string());
    let config = RpcProgramAccountsConfig {
        filters: Some(vec![RpcFilterType::Memcmp(Memcmp::new_base58_encoded(AUTHORITY_AT, authority.as_ref()))]),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            ..RpcAccountInfoConfig::default()
        },
        ..RpcProgramAccountsConfig::default()
    };
    let found = client.get_program_ui_accounts_with_config(&LOOKUP_TABLE_PROGRAM, config).map_err(failed)?;
    let mut standing = BTreeMap::new();
    for (address, account) in found {
        let data = account.to_account().map(|account| account.data).unwrap_or_default();
        standing.insert(address, decode_table(&address, &data)?.addresses);
    }
    // The newest may still be without a block.
    let recent_slot = client.get_slot().map_err(failed)?.saturating_sub(1);
    Ok(Tables { standing, recent_slot })
}

/// A cluster, and who signs on it.
pub struct RpcChain<'a, F> {
    /// The connection.
    pub rpc: &'a Rpc,
    /// Creates the exchange or administers it, and pays.
    pub admin: &'a Keypair,
    /// Hears of each step that was confirmed.
    pub on_confirmed: F,
}

impl<F: FnMut(&Step, &Confirmed)> Chain for RpcChain<'_, F> {
    type Error = Error;

    fn state(&mut self, exchange: &Address) -> Result<State, Error> {
        fetch_state(self.rpc, exchange)
    }

    fn owner(&mut self, account: &Address) -> Result<Option<Address>, Error> {
        Ok(self.rpc.raw(account)?.map(|account| account.owner))
    }

    fn tables(&mut self, authority: &Address) -> Result<Tables, Error> {
        fetch_tables(self.rpc, authority)
    }

    fn send(&mut self, step: &Step) -> Result<(), Error> {
        let confirmed = self.rpc.send(&step.instructions, self.admin, &[])?;
        (self.on_confirmed)(step, &confirmed);
        Ok(())
    }
}
