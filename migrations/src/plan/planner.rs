//! Goes through the file in the order of the work and notes what the chain lacks.

use plimsoll_client::{
    Address,
    accounts::{Exchange, Market},
    address,
    config::{ExchangeConfig, RateSource, role},
    instruction::{
        associated_token_account, associated_token_account_of, bank, collateral, controls, create_token_account,
        exchange, house, market,
    },
    interface::instruction::CreateMarketArgs,
};
use solana_instruction::{AccountMeta, Instruction};

use super::{
    Action, Busy, Change, Plan, PlanError, PlanOptions, State, Step,
    wish::{Law, Wanted, Wish, quote_feed},
};
use crate::{
    BankSpec, Deployment, MarketSpec,
    fields::{self, Field, FieldChange},
};

/// What brings the chain from `state` to `deployment`. It looks only at the chain, so that the same file asked for twice
/// plans nothing, and after a failure at any step it goes on where the chain stands.
///
/// `admin` creates the exchange or administers it, and pays.
///
/// # Errors
/// [`PlanError`].
pub fn plan(deployment: &Deployment, state: &State, admin: &Address, options: &PlanOptions) -> Result<Plan, PlanError> {
    if let Some(symbol) = deployment.missing_mints().first() {
        return Err(PlanError::MissingMint((*symbol).into()));
    }
    let exchange = state.address.unwrap_or_else(|| deployment.address(admin));
    let law = Law {
        admin: *admin,
        exchange,
        timelock: state.exchange.map_or(0, |exchange| exchange.config.timelock_seconds),
        now: state.now,
        options,
    };
    let plan = Plan { exchange, changes: Vec::new(), unchanged: 0 };
    let mut planner = Planner { deployment, state, law, plan, markets: Vec::new(), busy: Busy::new() };
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
    Ok(planner.plan)
}

pub(super) struct Planner<'a> {
    pub deployment: &'a Deployment,
    pub state: &'a State,
    pub law: Law<'a>,
    pub plan: Plan,
    /// Markets that stand when the next step runs, by index.
    markets: Vec<Standing<'a>>,
    busy: Busy,
}

/// A market that stands, and what the file says of it.
struct Standing<'a> {
    address: Address,
    spec: Option<&'a MarketSpec>,
}

impl<'a> Planner<'a> {
    /// Notes a change of one or more transactions; none of them and no fields where the subject is as wanted.
    pub fn note(
        &mut self,
        subject: String,
        address: Address,
        action: Action,
        fields: Vec<FieldChange>,
        steps: Vec<Step>,
    ) {
        self.plan.changes.push(Change { subject, address, action, fields, steps });
    }

    /// Fulfils the wishes on one subject, and answers whether each is fulfilled by this plan.
    fn fulfil(&mut self, subject: &Address, wishes: Vec<Wish>) -> Vec<bool> {
        let outcome = self.law.fulfil(subject, wishes, self.state.proposals.get(subject), &mut self.busy);
        self.plan.changes.extend(outcome.changes);
        outcome.done
    }

    fn exchange(&mut self) -> Result<(), PlanError> {
        let quote_mint = self.deployment.quote.mint;
        let Some(found) = &self.state.exchange else {
            self.create_exchange();
            return Ok(());
        };
        if found.admin != self.law.admin {
            return Err(PlanError::OtherAdmin { admin: found.admin, signer: self.law.admin });
        }
        if found.quote_mint != quote_mint {
            return Err(PlanError::Fixed { what: "the exchange".into(), field: "quote mint" });
        }
        self.markets = existing_markets(self.state, self.deployment);
        let config = self.config_now(found);
        let groups = &self.deployment.groups;
        let mut wishes = Vec::new();
        if found.config != config {
            let difference =
                fields::difference(&fields::exchange(&found.config, groups), &fields::exchange(&config, groups));
            wishes.push(wish("the exchange", Wanted::Exchange(config), config.loosens(&found.config), difference));
        }
        wishes.extend(self.roles(found));
        let feed = self.deployment.quote_feed.map(|spec| spec.feed);
        if let Some(feed) = feed.filter(|feed| *feed != quote_feed(found)) {
            let difference = fields::difference(&fields::quote_feed(&quote_feed(found)), &fields::quote_feed(&feed));
            wishes.push(wish("the quote's feed", Wanted::QuoteFeed(feed), true, difference));
        }
        self.plan.unchanged += usize::from(wishes.is_empty());
        let sets_feed = wishes.last().is_some_and(|wish| matches!(wish.wanted, Wanted::QuoteFeed(_)));
        let exchange = self.plan.exchange;
        let done = self.fulfil(&exchange, wishes);
        let is_set = feed == Some(quote_feed(found)) || (sets_feed && done.last() == Some(&true));
        self.observe_quote(is_set && (sets_feed || found.quote_price_ppm == 0));
        Ok(())
    }

    /// The parameters that the exchange gets before everything else. A pause is an operator's act, not a part of the file:
    /// it stays. Where there is no timelock yet, it comes last, as in a new exchange.
    fn config_now(&self, found: &Exchange) -> ExchangeConfig {
        let wanted = self.deployment.exchange;
        let timelock_seconds = if found.config.timelock_seconds == 0 { 0 } else { wanted.timelock_seconds };
        ExchangeConfig { pauses: found.config.pauses, timelock_seconds, ..wanted }
    }

    fn create_exchange(&mut self) {
        let wanted = self.deployment.exchange;
        // Setting up loosens what is created at no weight: the timelock comes last.
        let config = ExchangeConfig { timelock_seconds: 0, ..wanted };
        let (creator, quote_mint) = (self.law.admin, self.deployment.quote.mint);
        let create = exchange::Create { creator, quote_mint, index: self.deployment.index, config };
        let all = fields::created(fields::exchange(&config, &self.deployment.groups));
        let steps = vec![one("create the exchange", create.instruction())];
        let exchange = self.plan.exchange;
        self.note("the exchange".into(), exchange, Action::Create, all, steps);
        // Who creates an exchange holds every role to begin with.
        let new =
            Exchange { risk_admin: creator, keeper: creator, forecaster: creator, ..bytemuck::Zeroable::zeroed() };
        let mut wishes: Vec<Wish> = self.roles(&new);
        if let Some(spec) = self.deployment.quote_feed {
            let difference = fields::difference(&[], &fields::quote_feed(&spec.feed));
            wishes.push(wish("the quote's feed", Wanted::QuoteFeed(spec.feed), true, difference));
        }
        self.fulfil(&exchange, wishes);
        self.observe_quote(self.deployment.quote_feed.is_some());
    }

    fn roles(&self, found: &Exchange) -> Vec<Wish> {
        let holds = |role: u8| match role {
            role::RISK_ADMIN => found.risk_admin,
            role::KEEPER => found.keeper,
            _ => found.forecaster,
        };
        let wanted = self.deployment.roles.iter().filter(|wanted| wanted.holder != holds(wanted.role));
        let wish_for = |wanted: &plimsoll_client::interface::change::RoleHolder| {
            let key = fields::role_name(wanted.role);
            let field = |holder: &Address| vec![Field { key: key.into(), value: fields::holder(holder) }];
            let difference = fields::difference(&field(&holds(wanted.role)), &field(&wanted.holder));
            wish(&format!("the role {key}"), Wanted::Role(*wanted), wanted.loosens(), difference)
        };
        wanted.map(wish_for).collect()
    }

    fn observe_quote(&mut self, is_wanted: bool) {
        let Some(spec) = self.deployment.quote_feed.filter(|_| is_wanted) else { return };
        let observe = controls::ObserveQuote { exchange: self.plan.exchange, oracle: spec.price_account };
        let steps = vec![one("observe the quote", observe.instruction())];
        let exchange = self.plan.exchange;
        self.note("the quote's price".into(), exchange, Action::Change, Vec::new(), steps);
    }

    /// Sets the timelock of an exchange that has none.
    fn lock(&mut self) {
        let found = self.state.exchange.map(|exchange| exchange.config);
        let (pauses, timelock_seconds) = found.map_or((0, 0), |config| (config.pauses, config.timelock_seconds));
        let config = ExchangeConfig { pauses, ..self.deployment.exchange };
        if timelock_seconds != 0 || config.timelock_seconds == 0 {
            return;
        }
        let (admin, exchange) = (self.law.admin, self.plan.exchange);
        let configure = exchange::Configure { admin, exchange, config };
        let field = |seconds: u32| vec![Field { key: "timelock_seconds".into(), value: seconds.to_string() }];
        let difference = fields::difference(&field(0), &field(config.timelock_seconds));
        let steps = vec![one("set the timelock", configure.instruction())];
        self.note("the timelock".into(), exchange, Action::Change, difference, steps);
    }

    fn house(&mut self) {
        let (admin, exchange, quote_mint) = (self.law.admin, self.plan.exchange, self.deployment.quote.mint);
        let address = address::house(&exchange);
        let mut steps = Vec::new();
        let mut all = Vec::new();
        if self.state.house.is_none() {
            steps.push(one("create the house", house::Create { admin, exchange }.instruction()));
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
            steps.push(Step { name: "provide the house".into(), instructions });
            let value = fields::decimal(u128::from(amount), 6);
            all = fields::created(vec![Field { key: "initial_deposit_usd".into(), value }]);
        }
        if steps.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        let action = if self.state.house.is_none() { Action::Create } else { Action::Change };
        self.note("the house".into(), address, action, all, steps);
    }

    fn market(&mut self, spec: &'a MarketSpec) -> Result<(), PlanError> {
        let found = self.state.markets.iter().find(|(_, market)| market.symbol == spec.args.symbol);
        let address = match found {
            Some((address, market)) => {
                check_fixed(spec, market)?;
                *address
            }
            None => self.create_market(spec),
        };
        let name = format!("the market {}", spec.symbol);
        if let Some((_, market)) = found
            && market.spot == 0
        {
            let steps = vec![self.observe(spec, address)];
            self.note(format!("the price of {}", spec.symbol), address, Action::Change, Vec::new(), steps);
        }
        // A new market starts without a risk budget.
        let standing = found.map_or(spec.args.config.starting(), |(_, market)| market.config);
        let config = spec.args.config;
        let mut wishes = Vec::new();
        if standing != config {
            let describe = |config| fields::market(config, spec.args.base_decimals, &self.deployment.groups);
            let difference = fields::difference(&describe(&standing), &describe(&config));
            let mut wish = wish(&name, Wanted::Market(config), config.loosens(&standing), difference);
            // A risk budget is raised only right after the house was valued.
            wish.before.extend((config.risk_budget > standing.risk_budget).then(|| self.value_house()));
            wishes.push(wish);
        }
        self.plan.unchanged += usize::from(found.is_some() && wishes.is_empty());
        let done = self.fulfil(&address, wishes);
        let lists = if done.first().copied().unwrap_or(true) { config } else { standing };
        self.boards(spec, address, found.map(|(_, market)| market), &lists);
        Ok(())
    }

    /// Creates and observes a market, and answers its address.
    fn create_market(&mut self, spec: &'a MarketSpec) -> Address {
        let index = u16::try_from(self.markets.len()).unwrap_or(u16::MAX);
        let exchange = self.plan.exchange;
        let args = CreateMarketArgs { config: spec.args.config.starting(), ..spec.args };
        let create = market::Create { admin: self.law.admin, exchange, index, args };
        let address = address::market(&exchange, index);
        self.markets.push(Standing { address, spec: Some(spec) });
        let name = format!("the market {}", spec.symbol);
        let steps = vec![one(&format!("create {name}"), create.instruction()), self.observe(spec, address)];
        let all = fields::market(&args.config, args.base_decimals, &self.deployment.groups);
        self.note(name, address, Action::Create, fields::created(all), steps);
        address
    }

    fn observe(&self, spec: &MarketSpec, market: Address) -> Step {
        let observe = market::Observe { market, oracle: spec.price_account };
        one(&format!("observe the market {}", spec.symbol), observe.instruction())
    }

    fn value_house(&self) -> Instruction {
        let mut remaining = Vec::new();
        for market in &self.markets {
            remaining.push(AccountMeta::new(market.address, false));
            remaining.extend(market.spec.map(|spec| AccountMeta::new_readonly(spec.price_account, false)));
            // Its inventory in what the market prices is valued with it.
            let held = |bank: &&(&Address, &plimsoll_client::accounts::Bank)| {
                bank.1.market == market.address && bank.1.inventory_shares != 0
            };
            let mut banks: Vec<_> = self.state.banks.iter().filter(|bank| held(&bank)).collect();
            banks.sort_unstable_by_key(|(_, bank)| bank.index);
            remaining.extend(banks.into_iter().map(|(address, _)| AccountMeta::new(*address, false)));
        }
        let (exchange, quote_mint) = (self.plan.exchange, self.deployment.quote.mint);
        house::Value { exchange, quote_mint, remaining }.instruction()
    }

    fn bank(&mut self, spec: &BankSpec) -> Result<(), PlanError> {
        let address = address::bank(&self.plan.exchange, &spec.mint);
        let market = spec.market.as_deref().map(|symbol| self.market_address(symbol));
        let found = self.state.banks.get(&address);
        // A new collateral starts at no weight.
        let starting = if market.is_some() { spec.config.starting() } else { spec.config };
        let name = format!("the bank {}", spec.symbol);
        if found.is_none() {
            let create = bank::Create {
                admin: self.law.admin,
                exchange: self.plan.exchange,
                mint: spec.mint,
                token_program: self.state.token_program(&spec.mint),
                market,
                config: starting,
            };
            let all = fields::created(fields::bank(&starting, spec.decimals));
            let steps = vec![one(&format!("create {name}"), create.instruction())];
            self.note(name.clone(), address, Action::Create, all, steps);
        }
        if market.is_some_and(|market| found.is_some_and(|found| market != found.market)) {
            return Err(PlanError::Fixed { what: name, field: "market" });
        }
        let rate_changed = self.rate(spec, address, market);
        let standing = found.map_or(starting, |found| found.config);
        let mut wishes = Vec::new();
        if standing != spec.config {
            let difference =
                fields::difference(&fields::bank(&standing, spec.decimals), &fields::bank(&spec.config, spec.decimals));
            wishes.push(wish(&name, Wanted::Bank(spec.config), spec.config.loosens(&standing), difference));
        }
        self.plan.unchanged += usize::from(found.is_some() && wishes.is_empty() && !rate_changed);
        self.fulfil(&address, wishes);
        Ok(())
    }

    /// Where the bank's exchange rate is read, before anything counts for it. Answers whether something is to change.
    fn rate(&mut self, spec: &BankSpec, address: Address, market: Option<Address>) -> bool {
        let (Some(rate), Some(market)) = (&spec.rate, market) else { return false };
        let found = self.state.banks.get(&address);
        let standing = found.map_or(RateSource::NONE, |bank| bank.rate.source);
        let name = format!("the exchange rate of {}", spec.symbol);
        let mut is_set = true;
        if standing != rate.source {
            let difference = fields::difference(&fields::rate(&standing), &fields::rate(&rate.source));
            let wish = wish(&name, Wanted::RateSource(rate.source), true, difference);
            is_set = self.fulfil(&address, vec![wish]) == [true];
        } else if found.is_some_and(|bank| bank.rate.deposit != 0) {
            return false;
        }
        if is_set {
            let price = self.deployment.markets.iter().find(|other| Some(&other.symbol) == spec.market.as_ref());
            let update = collateral::UpdateRate {
                bank: address,
                market,
                source: rate.source.pool,
                oracle: price.map(|price| price.price_account),
                feed: rate.price_account,
            };
            let steps = vec![one(&format!("update {name}"), update.instruction())];
            self.note(name, address, Action::Change, Vec::new(), steps);
        }
        true
    }

    /// Where the market of a symbol stands by the time that its bank is made. The file was checked to have it.
    fn market_address(&self, symbol: &str) -> Address {
        let is_it = |market: &&Standing<'_>| market.spec.is_some_and(|spec| spec.symbol == symbol);
        self.markets.iter().find(is_it).map_or_else(Address::default, |market| market.address)
    }
}

/// A transaction of one instruction.
pub(super) fn one(name: &str, instruction: Instruction) -> Step {
    Step { name: name.into(), instructions: vec![instruction] }
}

fn wish(subject: &str, wanted: Wanted, loosens: bool, fields: Vec<FieldChange>) -> Wish {
    let verb = match wanted {
        Wanted::Exchange(_) | Wanted::Market(_) | Wanted::Bank(_) => "configure",
        Wanted::Role(_) | Wanted::QuoteFeed(_) | Wanted::RateSource(_) => "set",
    };
    Wish { subject: subject.into(), name: format!("{verb} {subject}"), wanted, loosens, fields, before: Vec::new() }
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
