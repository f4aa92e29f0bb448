//! What is to be done to bring the chain from where it stands to what the file wants: as data, to be shown and to be carried
//! out.

mod board;
mod planner;
mod render;
mod run;
mod wish;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_client::{
    Address, Snapshot,
    accounts::{Bank, Board, Exchange, House, Market, Proposal},
    instruction::TOKEN_PROGRAM,
};
use solana_instruction::Instruction;

pub use self::{
    planner::plan,
    run::{Chain, RunError, observe_chain, run, run_plan},
};
use crate::fields::FieldChange;

/// What the chain has of a deployment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Address of the exchange, where it is not the one that the file's index and the signer say: once an exchange has
    /// another admin than its creator.
    pub address: Option<Address>,
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// Its house.
    pub house: Option<House>,
    /// Its banks by address.
    pub banks: BTreeMap<Address, Bank>,
    /// Its markets by address.
    pub markets: BTreeMap<Address, Market>,
    /// Its markets' boards by address.
    pub boards: BTreeMap<Address, Board>,
    /// What is proposed for the exchange, a bank or a market, by that.
    pub proposals: BTreeMap<Address, Proposal>,
    /// Token programs of the file's mints, which own them; a mint that is not here is of the SPL Token program.
    pub token_programs: BTreeMap<Address, Address>,
    /// The chain's clock, unix seconds.
    pub now: i64,
}

impl State {
    /// The token program of a mint.
    pub fn token_program(&self, mint: &Address) -> Address {
        self.token_programs.get(mint).copied().unwrap_or(TOKEN_PROGRAM)
    }
}

impl From<Snapshot> for State {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { exchange, house, banks, markets, boards, now, .. } = snapshot;
        let (address, exchange) = (Some(exchange.address), Some(exchange.data));
        Self { address, exchange, house, banks, markets, boards, now, ..Self::default() }
    }
}

/// One transaction of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does, for people.
    pub name: String,
    /// Its instructions, of one transaction, which the admin signs.
    pub instructions: Vec<Instruction>,
}

/// How a change comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something new is made.
    Create,
    /// What stands is changed at once: there is no timelock, or the change tightens.
    Change,
    /// The change loosens: it is announced, and may be made from this moment on, unix seconds.
    Propose {
        /// From when on.
        ready_at: i64,
    },
    /// The change was announced and has waited out the timelock: it is made.
    Execute,
    /// The change is announced and waits, until this moment, unix seconds: nothing is to be done.
    Wait {
        /// Until when.
        ready_at: i64,
    },
    /// The change cannot be made now, for this reason.
    Blocked {
        /// Why, and what to do.
        reason: String,
    },
    /// A proposal that the file does not want is taken back.
    Cancel,
    /// A proposal that the file does not want stays: taking it back was not asked for.
    Stale {
        /// From when on it may be executed, unix seconds.
        ready_at: i64,
    },
}

impl Action {
    /// A word for it, the same in every output.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Propose { .. } => "propose",
            Self::Execute => "execute",
            Self::Wait { .. } => "wait",
            Self::Blocked { .. } => "blocked",
            Self::Cancel => "cancel",
            Self::Stale { .. } => "stale",
        }
    }
}

/// What happens to one subject of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The subject, for people: "the market SOL".
    pub subject: String,
    /// Where it stands or will stand.
    pub address: Address,
    /// How it comes about.
    pub action: Action,
    /// Which keys of the file change, in the file's units.
    pub fields: Vec<FieldChange>,
    /// The transactions that it takes, in order.
    pub steps: Vec<Step>,
}

/// Everything that lies between the chain and the file.
///
/// Its order is that of the work. What concerns the layout of accounts that stand comes first, as everything else reads
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The exchange.
    pub exchange: Address,
    /// What is different, in the order in which it is done.
    pub changes: Vec<Change>,
    /// How many subjects of the file are as it wants them.
    pub unchanged: usize,
}

impl Plan {
    /// The transactions, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.changes.iter().flat_map(|change| &change.steps)
    }

    /// Whether nothing is to be sent.
    pub fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }

    /// The moment from which on something that waits can be executed, unix seconds; `None` where nothing waits.
    pub fn next_at(&self) -> Option<i64> {
        let ready_at = |change: &Change| match change.action {
            Action::Propose { ready_at } | Action::Wait { ready_at } => Some(ready_at),
            _ => None,
        };
        self.changes.iter().filter_map(ready_at).min()
    }
}

/// What a plan may do besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Takes back proposals that the file does not want, and replaces those that stand in the way of what it wants.
    pub cancel_proposals: bool,
}

/// Why the chain cannot be brought to what the file wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A bank has no mint.
    #[error("no mint is known for {0}: give it in the file")]
    MissingMint(String),
    /// Somebody else administers the exchange.
    #[error("the exchange's admin is {admin}, not {signer}: sign with the admin's key")]
    OtherAdmin {
        /// The exchange's admin.
        admin: Address,
        /// Who wants to migrate.
        signer: Address,
    },
    /// What cannot be changed any more is different.
    #[error("{what} exists with another {field}, which cannot be changed")]
    Fixed {
        /// The market, bank or exchange.
        what: String,
        /// What differs.
        field: &'static str,
    },
}

/// Subjects whose one place for a proposal is taken.
type Busy = BTreeSet<Address>;

#[cfg(test)]
mod tests;
