use plimsoll_client::{
    address,
    config::{ExchangeConfig, role},
    instruction::TOKEN_2022_PROGRAM,
    interface::{
        PlimsollError,
        change::RoleHolder,
        instruction::{
            ConfigureBankArgs, ConfigureExchangeArgs, ConfigureMarketArgs, CreateBankArgs, CreateExchangeArgs,
            CreateMarketArgs, ProposeArgs, SetRoleArgs, tag,
        },
    },
};

use super::*;
use crate::Deployment;

/// A moment at which everything here happens: 2026-11-23 06:00 UTC.
const NOW: i64 = 1_795_413_600;

/// A chain that does what the program would, as far as a migration can see.
#[derive(Default)]
struct Fake {
    admin: Address,
    state: State,
    sent: Vec<String>,
    valued: bool,
    fails_at: Option<usize>,
    mint_owner: Option<Address>,
    token_programs: Vec<Address>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the chain is down")]
struct Down;

impl Fake {
    fn args<T: borsh_args::Read>(step: &Instruction) -> T {
        T::read(&step.data[1..])
    }

    fn apply(&mut self, step: &Instruction) {
        let account = |index: usize| step.accounts[index].pubkey;
        if step.program_id != plimsoll_client::ID {
            return;
        }
        match step.data[0] {
            tag::CREATE_EXCHANGE => {
                let args: CreateExchangeArgs = Self::args(step);
                let (admin, quote_mint) = (account(0), account(2));
                let config = args.config;
                self.state.exchange = Some(Exchange { config, admin, quote_mint, keeper: admin, ..bytemuck_zeroed() });
            }
            tag::PROPOSE => {
                let ProposeArgs { kind, content } = Self::args(step);
                let ready_at = NOW + i64::from(self.state.exchange.unwrap().config.timelock_seconds);
                let proposal = Proposal { subject: account(2), ready_at, kind, content, ..bytemuck_zeroed() };
                assert!(self.state.proposals.insert(account(2), proposal).is_none());
            }
            tag::CANCEL_PROPOSAL => {
                self.state.proposals.retain(|subject, _| address::proposal(subject) != account(2));
            }
            tag::SET_ROLE => {
                let args: SetRoleArgs = Self::args(step);
                assert_eq!(args.role, role::KEEPER);
                self.state.exchange.as_mut().unwrap().keeper = args.holder;
                self.use_proposal(account(2));
            }
            tag::CONFIGURE_EXCHANGE => {
                let args: ConfigureExchangeArgs = Self::args(step);
                self.use_proposal(account(2));
                self.state.exchange.as_mut().unwrap().config = args.config;
            }
            tag::CREATE_BANK => {
                let args: CreateBankArgs = Self::args(step);
                let (mint, market) = (account(2), account(3));
                self.token_programs.push(account(6));
                self.state.banks.insert(account(4), Bank { config: args.config, mint, market, ..bytemuck_zeroed() });
            }
            tag::CONFIGURE_BANK => {
                let args: ConfigureBankArgs = Self::args(step);
                self.state.banks.get_mut(&account(2)).unwrap().config = args.config;
            }
            tag::CREATE_HOUSE => self.state.house = Some(bytemuck_zeroed()),
            tag::VALUE_HOUSE => {
                assert!(step.accounts.len() >= 3 + self.state.markets.len());
                self.valued = true;
            }
            tag::EXECUTE_TICKET => {
                assert!(self.valued);
                self.state.house.as_mut().unwrap().share_supply += 1;
            }
            tag::REQUEST_PROVIDE | tag::CLAIM_TICKET => {}
            tag::CREATE_MARKET => {
                let args: CreateMarketArgs = Self::args(step);
                let index = self.state.markets.len() as u16;
                let market = Market {
                    config: args.config,
                    symbol: args.symbol,
                    feed_id: args.feed_id,
                    oracle_owner: args.oracle_owner,
                    base_decimals: args.base_decimals,
                    index,
                    ..bytemuck_zeroed()
                };
                assert_eq!(account(2), address::market(&account(1), index));
                assert_eq!(step.accounts.len(), 4);
                self.state.markets.insert(account(2), market);
            }
            tag::CONFIGURE_MARKET => {
                let args: ConfigureMarketArgs = Self::args(step);
                self.use_proposal(account(4));
                let market = self.state.markets.get_mut(&account(3)).unwrap();
                assert!(self.valued || args.config.risk_budget <= market.config.risk_budget);
                market.config = args.config;
            }
            tag::OBSERVE => self.state.markets.get_mut(&account(0)).unwrap().spot = 1,
            other => panic!("{other}"),
        }
    }
}

impl Fake {
    /// Closes a proposal that an instruction passes, as the program does.
    fn use_proposal(&mut self, passed: Address) {
        self.state.proposals.retain(|subject, proposal| {
            let is_it = address::proposal(subject) == passed;
            assert!(!is_it || proposal.ready_at <= self.state.now);
            !is_it
        });
    }
}

mod borsh_args {
    /// Decodes arguments.
    pub trait Read {
        fn read(bytes: &[u8]) -> Self;
    }
    impl<T: borsh::BorshDeserialize> Read for T {
        fn read(bytes: &[u8]) -> Self {
            borsh::from_slice(bytes).unwrap()
        }
    }
}

fn bytemuck_zeroed<T: bytemuck::Zeroable>() -> T {
    T::zeroed()
}

impl Chain for Fake {
    type Error = Down;

    fn state(&mut self, _exchange: &Address) -> Result<State, Down> {
        Ok(self.state.clone())
    }

    fn owner(&mut self, _account: &Address) -> Result<Option<Address>, Down> {
        Ok(self.mint_owner)
    }

    fn send(&mut self, step: &Step) -> Result<(), Down> {
        if self.fails_at == Some(self.sent.len()) {
            return Err(Down);
        }
        // A valuation is for its own transaction.
        self.valued = false;
        for instruction in &step.instructions {
            assert!(instruction.accounts.iter().all(|meta| !meta.is_signer || meta.pubkey == self.admin));
            self.apply(instruction);
        }
        self.sent.push(step.name.clone());
        Ok(())
    }
}

fn deployment() -> Deployment {
    let mints = ["USDC", "BTC", "SOL"].map(|symbol| (symbol.to_string(), Address::new_unique()));
    let mut deployment =
        Deployment::parse("localnet.toml", include_str!("../../localnet.toml")).unwrap().with_mints(&mints.into());
    // Boards are tried on a real chain.
    deployment.markets.iter_mut().for_each(|market| market.boards.clear());
    deployment
}

fn chain() -> Fake {
    Fake { admin: Address::new_unique(), state: State { now: NOW, ..State::default() }, ..Fake::default() }
}

fn planned(deployment: &Deployment, chain: &Fake, options: PlanOptions) -> Plan {
    plan(deployment, &chain.state, &chain.admin, &options).unwrap()
}

/// A plan's text without the line of the exchange's address.
fn text(plan: &Plan) -> String {
    plan.text(false).to_string().lines().skip(1).collect::<Vec<_>>().join("\n")
}

/// An exchange under a timelock of a day, and the file that it is as.
fn locked() -> (Deployment, Fake) {
    let (mut deployment, mut chain) = (deployment(), chain());
    deployment.exchange.timelock_seconds = 86_400;
    migrate(&deployment, &mut chain).unwrap();
    chain.sent.clear();
    (deployment, chain)
}

fn migrate(deployment: &Deployment, chain: &mut Fake) -> Result<usize, RunError<Down>> {
    let admin = chain.admin;
    run(deployment, &admin, chain, |_| {})
}

const ALL: [&str; 14] = [
    "create the exchange",
    "create the bank USDC",
    "create the house",
    "provide the house",
    "create the market BTC",
    "observe the market BTC",
    "configure the market BTC",
    "create the market SOL",
    "observe the market SOL",
    "configure the market SOL",
    "create the bank BTC",
    "configure the bank BTC",
    "create the bank SOL",
    "configure the bank SOL",
];

#[test]
fn from_nothing_to_trading_and_then_nothing_more() {
    let (deployment, mut chain) = (deployment(), chain());
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), ALL.len());
    assert_eq!(chain.sent, ALL);
    let [btc, sol] = [0, 1].map(|index| address::market(&deployment.address(&chain.admin), index));
    let markets: Vec<Address> = deployment
        .banks
        .iter()
        .map(|bank| chain.state.banks[&address::bank(&deployment.address(&chain.admin), &bank.mint)].market)
        .collect();
    assert_eq!(markets, [btc, sol]);
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

#[test]
fn it_goes_on_after_a_failure_at_any_step() {
    for (failing, step) in ALL.iter().enumerate() {
        let (deployment, mut chain) = (deployment(), chain());
        chain.fails_at = Some(failing);
        let stopped = migrate(&deployment, &mut chain).unwrap_err().to_string();
        assert_eq!(stopped, format!("cannot {step}: the chain is down"));
        chain.fails_at = None;
        assert_eq!(migrate(&deployment, &mut chain).unwrap(), ALL.len() - failing);
        assert_eq!(chain.sent, ALL);
    }
}

#[test]
fn what_differs_is_configured_and_a_pause_stays() {
    let (mut deployment, mut chain) = (deployment(), chain());
    migrate(&deployment, &mut chain).unwrap();
    chain.sent.clear();
    chain.state.exchange.as_mut().unwrap().config.pauses = 1;
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
    deployment.exchange.liquidation_dust += 1;
    deployment.quote.config.deposit_cap += 1;
    deployment.markets[1].args.config.volatility.range_max_ppm += 1;
    deployment.banks[0].config.haircut_init_ppm += 1;
    migrate(&deployment, &mut chain).unwrap();
    let expected = ["the exchange", "the bank USDC", "the market SOL", "the bank BTC"];
    assert_eq!(chain.sent, expected.map(|what| format!("configure {what}")));
    assert_eq!(chain.state.exchange.unwrap().config.pauses, 1);
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

#[test]
fn a_house_that_was_emptied_is_not_filled_again() {
    let (deployment, mut chain) = (deployment(), chain());
    migrate(&deployment, &mut chain).unwrap();
    chain.state.house.as_mut().unwrap().share_supply = 0;
    chain.state.markets.values_mut().next().unwrap().house_cash = -1;
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

#[test]
fn what_cannot_be_done_is_said() {
    let mut chain = chain();
    let mut wanted = deployment();
    wanted.banks[0].mint = Address::default();
    let text = migrate(&wanted, &mut chain).unwrap_err().to_string();
    assert_eq!(text, "no mint is known for BTC: give it in the file");
    let mut wanted = deployment();
    migrate(&wanted, &mut chain).unwrap();
    wanted.markets[0].args.base_decimals = 9;
    let text = migrate(&wanted, &mut chain).unwrap_err().to_string();
    assert_eq!(text, "the market BTC exists with another number of base decimals, which cannot be changed");
    chain.state.exchange.as_mut().unwrap().admin = Address::default();
    let refused = migrate(&wanted, &mut chain).unwrap_err();
    assert!(matches!(refused, RunError::Plan(PlanError::OtherAdmin { .. })));
    // The words that the program would use are not needed: the plan fails first.
    assert!(!refused.to_string().contains(PlimsollError::NotAdmin.name()));
}

#[test]
fn a_new_exchange_is_locked_last() {
    let (mut deployment, mut chain) = (deployment(), chain());
    deployment.exchange.timelock_seconds = 86_400;
    chain.fails_at = Some(ALL.len() - 2);
    migrate(&deployment, &mut chain).unwrap_err();
    chain.fails_at = None;
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 3);
    assert_eq!(chain.sent.last().unwrap(), "set the timelock");
    assert_eq!(chain.state.exchange.unwrap().config, deployment.exchange);
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

/// The file says nothing about token programs: a mint's owner is one.
#[test]
fn banks_are_made_with_the_program_that_owns_their_mint() {
    for (owner, program) in [(None, TOKEN_PROGRAM), (Some(TOKEN_2022_PROGRAM), TOKEN_2022_PROGRAM)] {
        let mut chain = Fake { mint_owner: owner, ..chain() };
        migrate(&deployment(), &mut chain).unwrap();
        assert!(!chain.token_programs.is_empty());
        assert!(chain.token_programs.iter().all(|its| *its == program));
    }
}

#[test]
fn a_plan_reads_as_what_differs() {
    let (mut deployment, mut chain) = (deployment(), chain());
    migrate(&deployment, &mut chain).unwrap();
    assert_eq!(
        text(&planned(&deployment, &chain, PlanOptions::default())),
        "Nothing to do: all 7 subjects of the file are as it wants them."
    );
    deployment.exchange.liquidation_dust = 30_000_000;
    deployment.markets[1].args.config.taker_fee_ppm = 400;
    deployment.markets[1].args.config.options.lot = 1_000_000_000;
    deployment.banks[0].config.deposit_cap *= 2;
    let expected = "  ~ change the exchange
      liquidation_dust_usd  25 → 30
  ~ change the market SOL
      perpetual.taker_fee  0.0005 → 0.0004
      options.lot          0.1 → 1
  ~ change the bank BTC
      lending.deposit_cap  1000 → 2000
3 changes in 3 transactions; 4 unchanged.";
    assert_eq!(text(&planned(&deployment, &chain, PlanOptions::default())), expected);
}

#[test]
fn a_new_market_shows_its_first_parameters() {
    let (deployment, mut chain) = (deployment(), chain());
    let without = Deployment { markets: deployment.markets[..1].to_vec(), banks: Vec::new(), ..deployment.clone() };
    migrate(&without, &mut chain).unwrap();
    let with = Deployment { banks: Vec::new(), ..deployment };
    let expected = "  + create the market SOL
      group                  majors
      state                  active
      confidence_multiplier  2
      max_confidence         0.02
      and 42 more
  ~ change the market SOL
      perpetual.risk_budget_usd  0 → 500_000
      options                    off → on
2 changes in 3 transactions; 4 unchanged.";
    assert_eq!(text(&planned(&with, &chain, PlanOptions::default())), expected);
}

#[test]
fn what_tightens_is_done_at_once_and_what_loosens_is_announced_and_waits() {
    let (mut deployment, mut chain) = locked();
    deployment.markets[0].args.config.max_confidence_ppm = 10_000;
    deployment.markets[1].args.config.risk_budget *= 2;
    let expected = "  ~ change the market BTC
      max_confidence  0.02 → 0.01
  … propose the market SOL
      perpetual.risk_budget_usd  500_000 → 1_000_000
      is announced now, and can be executed from 2026-11-24 06:00 UTC on
2 changes in 2 transactions; 5 unchanged.";
    assert_eq!(text(&planned(&deployment, &chain, PlanOptions::default())), expected);
    migrate(&deployment, &mut chain).unwrap();
    assert_eq!(chain.sent, ["configure the market BTC", "propose to configure the market SOL"]);
    let waiting = planned(&deployment, &chain, PlanOptions::default());
    assert_eq!((waiting.is_empty(), waiting.next_at()), (true, Some(NOW + 86_400)));
    chain.state.now += 86_400;
    let ripe = planned(&deployment, &chain, PlanOptions::default());
    assert_eq!(ripe.changes[0].action, Action::Execute);
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 1);
    assert!(chain.state.proposals.is_empty());
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

#[test]
fn a_proposal_that_the_file_no_longer_wants_is_taken_back_only_when_told() {
    let (deployment, mut chain) = locked();
    let mut other = deployment.clone();
    other.markets[1].args.config.risk_budget *= 2;
    migrate(&other, &mut chain).unwrap();
    let stale = planned(&deployment, &chain, PlanOptions::default());
    assert_eq!(stale.changes[0].action, Action::Stale { ready_at: NOW + 86_400 });
    assert!(stale.is_empty());
    let cancels = planned(&deployment, &chain, PlanOptions { cancel_proposals: true });
    assert_eq!(cancels.changes[0].action, Action::Cancel);
    // And where something else is wanted of the same market, it takes its place.
    other.markets[1].args.config.risk_budget *= 2;
    let blocked = planned(&other, &chain, PlanOptions::default());
    assert!(matches!(&blocked.changes[0].action, Action::Blocked { reason } if reason.contains("--cancel-proposals")));
    let replaced = planned(&other, &chain, PlanOptions { cancel_proposals: true });
    assert_eq!(replaced.changes.len(), 1);
    assert_eq!(replaced.changes[0].steps[0].instructions.len(), 2);
}

/// The exchange has one place for a proposal: its changes wait for one another.
#[test]
fn changes_of_one_subject_are_announced_one_after_the_other() {
    let (mut deployment, mut chain) = locked();
    let keeper = Address::new_unique();
    deployment.exchange.liquidation_dust += 1;
    deployment.roles = vec![RoleHolder { role: role::KEEPER, holder: keeper }];
    let first = planned(&deployment, &chain, PlanOptions::default());
    assert!(matches!(first.changes[0].action, Action::Propose { .. }));
    assert!(matches!(&first.changes[1].action, Action::Blocked { reason } if reason.contains("apply again then")));
    migrate(&deployment, &mut chain).unwrap();
    // A pause in between does not matter.
    chain.state.exchange.as_mut().unwrap().config.pauses = 1;
    chain.state.now += 86_400;
    migrate(&deployment, &mut chain).unwrap();
    let sent = ["propose to configure the exchange", "configure the exchange", "propose to set the role keeper"];
    assert_eq!(chain.sent, sent);
    chain.state.now += 86_400;
    migrate(&deployment, &mut chain).unwrap();
    assert_eq!(chain.state.exchange.unwrap().keeper, keeper);
    assert_eq!(migrate(&deployment, &mut chain).unwrap(), 0);
}

#[test]
fn a_shorter_timelock_waits_for_the_longer_one() {
    let (mut deployment, chain) = locked();
    deployment.exchange.timelock_seconds = 0;
    let plan = planned(&deployment, &chain, PlanOptions::default());
    assert_eq!(plan.changes[0].action, Action::Propose { ready_at: NOW + 86_400 });
    let config = ExchangeConfig { timelock_seconds: 172_800, ..deployment.exchange };
    let plan = planned(&Deployment { exchange: config, ..deployment }, &chain, PlanOptions::default());
    assert_eq!(plan.changes[0].action, Action::Change);
}
