//! What the file wants to be different of one subject, and how that comes about under a timelock.

use plimsoll_client::{
    Address,
    accounts::{Exchange, Proposal},
    config::{BankConfig, ExchangeConfig, MarketConfig, RateSource},
    instruction::{bank, collateral, controls, exchange, market},
    interface::change::{self, QuoteFeed, RoleHolder},
};
use solana_instruction::Instruction;

use super::{Action, Busy, Change, PlanOptions, Step};
use crate::fields::FieldChange;

/// What of the file a proposal may hold.
#[derive(Clone, Copy)]
pub enum Wanted {
    Exchange(ExchangeConfig),
    Market(MarketConfig),
    Bank(BankConfig),
    Role(RoleHolder),
    QuoteFeed(QuoteFeed),
    RateSource(RateSource),
}

impl Wanted {
    fn change(&self) -> change::Change {
        match *self {
            Self::Exchange(config) => change::Change::Exchange(config),
            Self::Market(config) => change::Change::Market(config),
            Self::Bank(config) => change::Change::Bank(config),
            Self::Role(holder) => change::Change::Role(holder),
            Self::QuoteFeed(feed) => change::Change::QuoteFeed(feed),
            Self::RateSource(source) => change::Change::RateSource(source),
        }
    }

    /// What a proposal announced, if it is this change: to the byte, as its execution wants it. An exchange's pauses are not
    /// part of a change, though of its bytes.
    fn announced(&self, proposal: &Proposal) -> Option<Self> {
        let announced = change::Change::read(proposal.kind, &proposal.content).ok()?;
        match (announced, *self) {
            (change::Change::Exchange(announced), Self::Exchange(wanted)) => {
                let is_same = ExchangeConfig { pauses: wanted.pauses, ..announced } == wanted;
                is_same.then_some(Self::Exchange(announced))
            }
            (announced, _) => (announced == self.change()).then_some(*self),
        }
    }
}

/// One change that is wanted.
pub struct Wish {
    /// What it is called: "the market SOL".
    pub subject: String,
    /// What to do: "configure the market SOL".
    pub name: String,
    /// What it is to be.
    pub wanted: Wanted,
    /// Whether the program lets it through only after the timelock.
    pub loosens: bool,
    /// What differs.
    pub fields: Vec<FieldChange>,
    /// What must run before it in the same transaction.
    pub before: Vec<Instruction>,
}

/// Who signs for what, and whether loosening waits.
pub struct Law<'a> {
    pub admin: Address,
    pub exchange: Address,
    /// The exchange's timelock in force, seconds.
    pub timelock: u32,
    pub now: i64,
    pub options: &'a PlanOptions,
}

/// The outcome for the wishes on one subject.
pub struct Outcome {
    pub changes: Vec<Change>,
    /// Whether each wish is fulfilled once the plan is carried out.
    pub done: Vec<bool>,
}

impl Law<'_> {
    /// Fulfils the wishes on `subject`. What was proposed goes first: each subject has one place for a proposal.
    pub fn fulfil(
        &self,
        subject: &Address,
        wishes: Vec<Wish>,
        proposal: Option<&Proposal>,
        busy: &mut Busy,
    ) -> Outcome {
        let announced = |wish: &Wish| proposal.is_some_and(|proposal| wish.wanted.announced(proposal).is_some());
        let first = wishes.iter().position(|wish| self.waits(wish) && announced(wish));
        let mut order: Vec<usize> = (0..wishes.len()).collect();
        order.sort_by_key(|index| Some(*index) != first);
        let mut place = Place { proposal, stale: proposal.is_some() && first.is_none() };
        let mut slots: Vec<Option<Change>> = wishes.iter().map(|_| None).collect();
        for index in order {
            slots[index] = Some(self.fulfil_one(subject, &wishes[index], &mut place, busy));
        }
        let mut changes: Vec<Change> = slots.into_iter().flatten().collect();
        let done = changes.iter().map(|change| matches!(change.action, Action::Change | Action::Execute)).collect();
        // An execution makes room for a proposal: it comes before.
        changes.sort_by_key(|change| change.action != Action::Execute);
        if place.stale {
            changes.extend(self.stale(subject, proposal));
        }
        Outcome { changes, done }
    }

    fn waits(&self, wish: &Wish) -> bool {
        self.timelock > 0 && wish.loosens
    }

    fn fulfil_one(&self, subject: &Address, wish: &Wish, place: &mut Place<'_>, busy: &mut Busy) -> Change {
        let step = |instructions: Vec<Instruction>| Step { name: wish.name.clone(), instructions };
        let make = |action, steps| Change {
            subject: wish.subject.clone(),
            address: *subject,
            action,
            fields: wish.fields.clone(),
            steps,
        };
        if !self.waits(wish) {
            let instruction = self.instruction(subject, &wish.wanted, false);
            return make(Action::Change, vec![step([wish.before.clone(), vec![instruction]].concat())]);
        }
        let announced = place.proposal.and_then(|proposal| Some((proposal, wish.wanted.announced(proposal)?)));
        if let Some((proposal, announced)) = announced {
            if proposal.ready_at > self.now {
                busy.insert(*subject);
                return make(Action::Wait { ready_at: proposal.ready_at }, Vec::new());
            }
            place.proposal = None;
            let instruction = self.instruction(subject, &announced, true);
            return make(Action::Execute, vec![step([wish.before.clone(), vec![instruction]].concat())]);
        }
        if busy.contains(subject) {
            let reason = "waits until what is proposed for the same subject is executed: apply again then".into();
            return make(Action::Blocked { reason }, Vec::new());
        }
        let mut instructions = Vec::new();
        if place.stale {
            if !self.options.cancel_proposals {
                let reason = "another change of it is proposed: take that back with --cancel-proposals".into();
                return make(Action::Blocked { reason }, Vec::new());
            }
            place.stale = false;
            place.proposal = None;
            instructions.push(self.cancel(subject));
        }
        busy.insert(*subject);
        let (admin, exchange, change) = (self.admin, self.exchange, wish.wanted.change());
        instructions.push(controls::Propose { admin, exchange, subject: *subject, change }.instruction());
        let ready_at = self.now.saturating_add(i64::from(self.timelock));
        make(Action::Propose { ready_at }, vec![Step { name: format!("propose to {}", wish.name), instructions }])
    }

    /// A proposal that nothing in the file wants.
    fn stale(&self, subject: &Address, proposal: Option<&Proposal>) -> Option<Change> {
        let proposal = proposal?;
        let name = format!("the proposal for {subject}");
        let (action, steps) = if self.options.cancel_proposals {
            let step = Step { name: format!("take back {name}"), instructions: vec![self.cancel(subject)] };
            (Action::Cancel, vec![step])
        } else {
            (Action::Stale { ready_at: proposal.ready_at }, Vec::new())
        };
        Some(Change { subject: name, address: *subject, action, fields: Vec::new(), steps })
    }

    fn cancel(&self, subject: &Address) -> Instruction {
        controls::CancelProposal { authority: self.admin, exchange: self.exchange, subject: *subject }.instruction()
    }

    fn instruction(&self, subject: &Address, wanted: &Wanted, proposed: bool) -> Instruction {
        let (admin, exchange) = (self.admin, self.exchange);
        match *wanted {
            Wanted::Exchange(config) => {
                let configure = exchange::Configure { admin, exchange, config };
                if proposed { configure.proposed() } else { configure.instruction() }
            }
            Wanted::Market(config) => {
                let configure = market::Configure { admin, exchange, market: *subject, config };
                if proposed { configure.proposed() } else { configure.instruction() }
            }
            Wanted::Bank(config) => {
                let configure = bank::Configure { admin, exchange, bank: *subject, config };
                if proposed { configure.proposed() } else { configure.instruction() }
            }
            Wanted::Role(RoleHolder { role, holder }) => {
                controls::SetRole { authority: admin, exchange, role, holder, proposed }.instruction()
            }
            Wanted::QuoteFeed(feed) => controls::SetQuoteFeed { admin, exchange, feed, proposed }.instruction(),
            Wanted::RateSource(source) => {
                collateral::SetRateSource { authority: admin, exchange, bank: *subject, source, proposed }.instruction()
            }
        }
    }
}

/// The one place that a subject has for a proposal.
struct Place<'a> {
    proposal: Option<&'a Proposal>,
    /// Whether what is in it is nothing that the file wants.
    stale: bool,
}

/// What an exchange's quote is priced by.
pub fn quote_feed(exchange: &Exchange) -> QuoteFeed {
    QuoteFeed {
        oracle_kind: exchange.quote_oracle_kind,
        feed_id: exchange.quote_feed_id,
        oracle_owner: exchange.quote_oracle_owner,
    }
}
