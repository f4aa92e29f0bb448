//! A cluster behind JSON-RPC as a migration sees it.

use plimsoll_client::{
    Address, Error,
    accounts::{AccountType, Proposal},
    address,
    rpc::{Confirmed, Rpc},
};
use solana_keypair::Keypair;

use crate::{Chain, State, Step};

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

fn read_proposal(data: &[u8]) -> Option<Proposal> {
    let (discriminator, body) = data.split_at_checked(Proposal::DISCRIMINATOR.len())?;
    (discriminator == Proposal::DISCRIMINATOR).then(|| bytemuck::try_pod_read_unaligned(body).ok())?
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

    fn send(&mut self, step: &Step) -> Result<(), Error> {
        let confirmed = self.rpc.send(&step.instructions, self.admin, &[])?;
        (self.on_confirmed)(step, &confirmed);
        Ok(())
    }
}
