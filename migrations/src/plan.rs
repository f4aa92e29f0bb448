//! What is to be done to bring the chain from where it stands to what the file wants.

use std::collections::BTreeMap;

use plimsoll_client::{
    Address, Snapshot,
    accounts::{Bank, Exchange, House, Market},
    address,
    config::MarketConfig,
    instruction::{
        TOKEN_PROGRAM, associated_token_account, associated_token_account_of, bank, create_token_account, exchange,
        house, market,
    },
    interface::instruction::CreateMarketArgs,
};
use solana_instruction::{AccountMeta, Instruction};

use crate::{BankSpec, Deployment, MarketSpec};

/// What the chain has of a deployment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// Its house.
    pub house: Option<House>,
    /// Its banks by address.
    pub banks: BTreeMap<Address, Bank>,
    /// Its markets by address.
    pub markets: BTreeMap<Address, Market>,
    /// Token programs of the file's mints, which own them; a mint that is not here is of the SPL Token program.
    pub token_programs: BTreeMap<Address, Address>,
}

impl State {
    /// The token program of a mint.
    pub fn token_program(&self, mint: &Address) -> Address {
        self.token_programs.get(mint).copied().unwrap_or(TOKEN_PROGRAM)
    }
}

impl From<Snapshot> for State {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { exchange, house, banks, markets, .. } = snapshot;
        Self { exchange: Some(exchange.data), house, banks, markets, token_programs: BTreeMap::new() }
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

/// The steps that bring the chain from `state` to `deployment`, in order. None if it is there already.
///
/// `admin` creates the exchange or administers it, and pays.
///
/// # Errors
/// [`PlanError`].
pub fn plan(deployment: &Deployment, state: &State, admin: &Address) -> Result<Vec<Step>, PlanError> {
    if let Some(symbol) = deployment.missing_mints().first() {
        return Err(PlanError::MissingMint((*symbol).into()));
    }
    let exchange = deployment.address(admin);
    let mut planner = Planner { deployment, state, admin: *admin, exchange, steps: Vec::new(), markets: Vec::new() };
    planner.exchange()?;
    planner.bank(&deployment.quote)?;
    planner.house();
    for spec in &deployment.markets {
        planner.market(spec)?;
    }
    for spec in &deployment.banks {
        planner.bank(spec)?;
    }
    planner.lock();
    Ok(planner.steps)
}

struct Planner<'a> {
    deployment: &'a Deployment,
    state: &'a State,
    admin: Address,
    exchange: Address,
    steps: Vec<Step>,
    /// Markets that stand when the next step runs, by index.
    markets: Vec<Standing<'a>>,
}

/// A market that stands, and what the file says of it.
struct Standing<'a> {
    address: Address,
    spec: Option<&'a MarketSpec>,
}

impl<'a> Planner<'a> {
    fn step(&mut self, name: String, instruction: Instruction) {
        self.steps.push(Step { name, instructions: vec![instruction] });
    }

    fn exchange(&mut self) -> Result<(), PlanError> {
        let (wanted, quote_mint) = (self.deployment.exchange, self.deployment.quote.mint);
        let Some(found) = &self.state.exchange else {
            // Setting up loosens what is created at no weight: the timelock comes last.
            let config = plimsoll_client::config::ExchangeConfig { timelock_seconds: 0, ..wanted };
            let create = exchange::Create { creator: self.admin, quote_mint, index: self.deployment.index, config };
            self.step("create the exchange".into(), create.instruction());
            return Ok(());
        };
        if found.admin != self.admin {
            return Err(PlanError::OtherAdmin { admin: found.admin, signer: self.admin });
        }
        if found.quote_mint != quote_mint {
            return Err(PlanError::Fixed { what: "the exchange".into(), field: "quote mint" });
        }
        self.markets = existing_markets(self.state, self.deployment);
        // A pause is an operator's act, not a part of the file: it stays.
        // A longer timelock comes last, as in a new exchange.
        let timelock_seconds = wanted.timelock_seconds.min(found.config.timelock_seconds);
        let config =
            plimsoll_client::config::ExchangeConfig { pauses: found.config.pauses, timelock_seconds, ..wanted };
        if found.config != config {
            let configure = exchange::Configure { admin: self.admin, exchange: self.exchange, config };
            self.step("configure the exchange".into(), configure.instruction());
        }
        Ok(())
    }

    /// Sets a longer timelock.
    fn lock(&mut self) {
        let found = self.state.exchange.map(|exchange| exchange.config);
        let (pauses, timelock_seconds) = found.map_or((0, 0), |config| (config.pauses, config.timelock_seconds));
        let config = plimsoll_client::config::ExchangeConfig { pauses, ..self.deployment.exchange };
        if config.timelock_seconds > timelock_seconds {
            let configure = exchange::Configure { admin: self.admin, exchange: self.exchange, config };
            self.step("set the timelock".into(), configure.instruction());
        }
    }

    fn house(&mut self) {
        let (admin, exchange, quote_mint) = (self.admin, self.exchange, self.deployment.quote.mint);
        if self.state.house.is_none() {
            self.step("create the house".into(), house::Create { admin, exchange }.instruction());
        }
        let has_traded = |market: &Market| market.house_size != 0 || market.house_cash != 0;
        // Who holds no shares yet needs not wait: the first provider has them in one transaction.
        let is_new = self.state.house.is_none_or(|house| house.share_supply == 0)
            && !self.state.markets.values().any(has_traded);
        let amount = self.deployment.house_deposit;
        if is_new && amount > 0 {
            let token_program = self.state.token_program(&quote_mint);
            let source = associated_token_account_of(&admin, &quote_mint, &token_program);
            let ticket = house::Ticket { owner: admin, exchange, quote_mint, token_program, index: 0 };
            let share_mint = address::share_mint(&ticket.house());
            let shares = associated_token_account(&admin, &share_mint);
            let instructions = vec![
                create_token_account(&admin, &admin, &share_mint),
                ticket.provide(source, amount),
                self.value_house(),
                ticket.execute(),
                ticket.claim(house::Asset::Shares, shares),
            ];
            self.steps.push(Step { name: "provide the house".into(), instructions });
        }
    }

    fn market(&mut self, spec: &'a MarketSpec) -> Result<(), PlanError> {
        let found = self.state.markets.iter().find(|(_, market)| market.symbol == spec.args.symbol);
        let is_observed = found.is_some_and(|(_, market)| market.spot != 0);
        let address = match found {
            Some((address, market)) => {
                check_fixed(spec, market)?;
                *address
            }
            None => {
                let index = self.markets.len();
                let index = u16::try_from(index).unwrap_or(u16::MAX);
                let instruction = self.create_market(index, spec.args);
                self.step(format!("create the market {}", spec.symbol), instruction);
                let address = address::market(&self.exchange, index);
                self.markets.push(Standing { address, spec: Some(spec) });
                address
            }
        };
        if !is_observed {
            let observe = market::Observe { market: address, oracle: spec.price_account };
            self.step(format!("observe the market {}", spec.symbol), observe.instruction());
        }
        // A new market starts without a risk budget.
        let standing = found.map_or(spec.args.config.starting(), |(_, market)| market.config);
        if standing != spec.args.config {
            let instruction = self.configure_market(address, spec.args.config);
            let raises = spec.args.config.risk_budget > standing.risk_budget;
            self.budget_step(format!("configure the market {}", spec.symbol), instruction, raises);
        }
        Ok(())
    }

    /// A step that may raise a risk budget, for which the house must have been valued lately.
    fn budget_step(&mut self, name: String, instruction: Instruction, raises: bool) {
        let value = raises.then(|| self.value_house());
        self.steps.push(Step { name, instructions: value.into_iter().chain([instruction]).collect() });
    }

    fn value_house(&self) -> Instruction {
        let mut remaining = Vec::new();
        for market in &self.markets {
            remaining.push(AccountMeta::new(market.address, false));
            remaining.extend(market.spec.map(|spec| AccountMeta::new_readonly(spec.price_account, false)));
        }
        let (exchange, quote_mint) = (self.exchange, self.deployment.quote.mint);
        house::Value { exchange, quote_mint, remaining }.instruction()
    }

    fn create_market(&self, index: u16, args: CreateMarketArgs) -> Instruction {
        let create = market::Create {
            admin: self.admin,
            exchange: self.exchange,
            index,
            args: CreateMarketArgs { config: args.config.starting(), ..args },
        };
        create.instruction()
    }

    fn configure_market(&self, market: Address, config: MarketConfig) -> Instruction {
        let configure = market::Configure { admin: self.admin, exchange: self.exchange, market, config };
        configure.instruction()
    }

    fn bank(&mut self, spec: &BankSpec) -> Result<(), PlanError> {
        let address = address::bank(&self.exchange, &spec.mint);
        let market = spec.market.as_deref().map(|symbol| self.market_address(symbol));
        let found = self.state.banks.get(&address);
        // A new collateral starts at no weight.
        let starting = if market.is_some() { spec.config.starting() } else { spec.config };
        if found.is_none() {
            let create = bank::Create {
                admin: self.admin,
                exchange: self.exchange,
                mint: spec.mint,
                token_program: self.state.token_program(&spec.mint),
                market,
                config: starting,
            };
            self.step(format!("create the bank {}", spec.symbol), create.instruction());
        }
        if market.is_some_and(|market| found.is_some_and(|found| market != found.market)) {
            return Err(PlanError::Fixed { what: format!("the bank {}", spec.symbol), field: "market" });
        }
        if found.map_or(starting, |found| found.config) != spec.config {
            let configure =
                bank::Configure { admin: self.admin, exchange: self.exchange, bank: address, config: spec.config };
            self.step(format!("configure the bank {}", spec.symbol), configure.instruction());
        }
        Ok(())
    }

    /// Where the market of a symbol stands by the time that its bank is made. The file was checked to have it.
    fn market_address(&self, symbol: &str) -> Address {
        let is_it = |market: &&Standing<'_>| market.spec.is_some_and(|spec| spec.symbol == symbol);
        self.markets.iter().find(is_it).map_or_else(Address::default, |market| market.address)
    }
}

fn existing_markets<'a>(state: &State, deployment: &'a Deployment) -> Vec<Standing<'a>> {
    let mut markets: Vec<_> = state.markets.iter().collect();
    markets.sort_unstable_by_key(|(_, market)| market.index);
    let spec = |market: &Market| deployment.markets.iter().find(|spec| spec.args.symbol == market.symbol);
    markets.into_iter().map(|(address, market)| Standing { address: *address, spec: spec(market) }).collect()
}

fn check_fixed(spec: &MarketSpec, found: &Market) -> Result<(), PlanError> {
    let fixed = |field| Err(PlanError::Fixed { what: format!("the market {}", spec.symbol), field });
    if found.feed_id != spec.args.feed_id {
        return fixed("feed");
    }
    if (found.oracle_owner, found.oracle_kind) != (spec.args.oracle_owner, spec.args.oracle_kind) {
        return fixed("oracle");
    }
    if found.base_decimals != spec.args.base_decimals {
        return fixed("number of base decimals");
    }
    Ok(())
}

/// A chain that can be read and written. The client's RPC connection is one, a test's virtual machine another.
pub trait Chain {
    /// What goes wrong in it.
    type Error: std::error::Error + 'static;

    /// What it has of an exchange.
    ///
    /// # Errors
    /// The chain's own.
    fn state(&mut self, exchange: &Address) -> Result<State, Self::Error>;

    /// The owner of an account: of a mint, its token program. `None` where there is no account.
    ///
    /// # Errors
    /// The chain's own.
    fn owner(&mut self, account: &Address) -> Result<Option<Address>, Self::Error>;

    /// Sends one step, signed by the admin, and waits until it is confirmed.
    ///
    /// # Errors
    /// The chain's own.
    fn send(&mut self, step: &Step) -> Result<(), Self::Error>;
}

/// Why a migration stopped. Run it again: it goes on where the chain stands.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E: std::error::Error + 'static> {
    /// The file and the chain contradict one another.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The chain could not be read.
    #[error("cannot read the exchange: {0}")]
    Read(E),
    /// A step failed.
    #[error("cannot {step}: {cause}")]
    Step {
        /// What it was to do.
        step: String,
        /// Why not.
        cause: E,
    },
}

/// Brings a chain to what the file wants and answers how many steps that took. `on_step` hears of each before it is sent.
///
/// # Errors
/// [`RunError`].
pub fn run<C: Chain>(
    deployment: &Deployment,
    admin: &Address,
    chain: &mut C,
    mut on_step: impl FnMut(&Step),
) -> Result<usize, RunError<C::Error>> {
    let mut state = chain.state(&deployment.address(admin)).map_err(RunError::Read)?;
    for bank in std::iter::once(&deployment.quote).chain(&deployment.banks) {
        let owner = chain.owner(&bank.mint).map_err(RunError::Read)?;
        state.token_programs.extend(owner.map(|owner| (bank.mint, owner)));
    }
    let steps = plan(deployment, &state, admin)?;
    for step in &steps {
        on_step(step);
        chain.send(step).map_err(|cause| RunError::Step { step: step.name.clone(), cause })?;
    }
    Ok(steps.len())
}

#[cfg(test)]
mod tests;
