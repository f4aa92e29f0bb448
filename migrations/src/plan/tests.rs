use plimsoll_client::{
    instruction::TOKEN_2022_PROGRAM,
    interface::{
        PlimsollError,
        instruction::{
            ConfigureBankArgs, ConfigureExchangeArgs, ConfigureMarketArgs, CreateBankArgs, CreateExchangeArgs, tag,
        },
    },
};

use super::*;

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
                self.state.exchange = Some(Exchange { config, admin, quote_mint, ..bytemuck_zeroed() });
            }
            tag::CONFIGURE_EXCHANGE => {
                let args: ConfigureExchangeArgs = Self::args(step);
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
                let market = self.state.markets.get_mut(&account(3)).unwrap();
                assert!(self.valued || args.config.risk_budget <= market.config.risk_budget);
                market.config = args.config;
            }
            tag::OBSERVE => self.state.markets.get_mut(&account(0)).unwrap().spot = 1,
            other => panic!("{other}"),
        }
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
    Deployment::parse("localnet.toml", include_str!("../../localnet.toml")).unwrap().with_mints(&mints.into())
}

fn chain() -> Fake {
    Fake { admin: Address::new_unique(), ..Fake::default() }
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
