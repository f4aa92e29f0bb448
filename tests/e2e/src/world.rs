//! The exchange that tests start from. Real instructions set it up once; every test starts from the accounts they left.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::LazyLock,
};

use plimsoll_client::{
    Keyed, Snapshot,
    decode::{self, AnyAccount, Named},
    instruction::{
        self as build, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_account, associated_token_account_of,
    },
    price::PriceAccount,
};
use plimsoll_interface::{
    Address, ID,
    accounts::{
        AccountType, Bank, Board, BoardSlot, Exchange, House, MAX_STRIKES, MarginAccount, Market, OptionSlot, Ticket,
        oracle_kind,
    },
    address,
    config::{BankConfig, ExchangeConfig, FundingConfig, MarketConfig, OptionConfig, VolatilityConfig},
    instruction::{
        BuyReserveArgs, CloseOptionArgs, ClosePositionArgs, CreateBoardArgs, CreateMarketArgs, DeleverageArgs,
        LiquidateArgs, ListStrikesArgs, OpenOptionArgs, OpenPositionArgs, PostVolatilitiesArgs, StrikePrice,
    },
    token::TransferFee,
};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_signer::Signer;

use crate::{
    chain::{self, Chain, Expected, Outcome},
    invariants,
    raw::{self, Price},
};

/// Quote native of one USD.
pub const USD: i64 = 1_000_000;
/// Base units of one SOL.
pub const SOL: i64 = 1_000_000_000;
/// Base units of one BTC.
pub const BTC: i64 = 100_000_000;
/// Base units of one ETH.
pub const ETH: i64 = 1_000_000_000;
/// Exponent of all prices here.
pub const EXPONENT: i32 = -8;
/// One USD in a price account.
pub const PRICE_USD: i64 = 100_000_000;

/// A mint with its bank and, unless it is the quote, its market.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its mint.
    pub mint: Address,
    /// Its bank.
    pub bank: Address,
    /// The bank's vault.
    pub vault: Address,
    /// Its market; zero for the quote.
    pub market: Address,
    /// The market's price account; zero for the quote.
    pub oracle: Address,
    /// The mint's token program.
    pub token_program: Address,
    /// What the market takes for its feed; zero for the quote.
    pub feed_id: [u8; 32],
    /// The price account's format.
    pub oracle_kind: u8,
}

impl Asset {
    /// The owner's token account of the mint.
    pub fn tokens_of(&self, owner: &Address) -> Address {
        associated_token_account_of(owner, &self.mint, &self.token_program)
    }

    /// The price account's owner and bytes that say `price`.
    pub fn price_account(&self, price: &Price) -> Account {
        match self.oracle_kind {
            oracle_kind::LEGACY => raw::account(raw::LEGACY, raw::legacy(price)),
            _ => raw::account(raw::RECEIVER, raw::price_update_v2(&self.feed_id, price)),
        }
    }

    /// The bank's and the market's addresses in `exchange`.
    fn of(exchange: &Address, mint: Address, feed: Option<(u16, Address, u8)>) -> Self {
        let bank = address::bank(exchange, &mint);
        let (market, oracle, oracle_kind) = match feed {
            Some((index, oracle, kind)) => (address::market(exchange, index), oracle, kind),
            None => (Address::default(), Address::default(), 0),
        };
        // For the tests a feed's id is its price account's address, which the legacy format demands.
        Self {
            mint,
            bank,
            vault: address::vault(&bank),
            token_program: TOKEN_PROGRAM,
            market,
            oracle,
            feed_id: oracle.to_bytes(),
            oracle_kind,
        }
    }
}

/// Somebody with a margin account and tokens of every mint.
#[derive(Clone, Copy, Debug)]
pub struct Trader {
    /// The owner's key.
    pub owner: Address,
    /// Sub-account 0.
    pub account: Address,
}

/// Addresses of the exchange and of a second one beside it.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The exchange's admin.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// Its house.
    pub house: Address,
    /// Mint of its house's shares.
    pub share_mint: Address,
    /// The dollar.
    pub usdc: Asset,
    /// SOL: 9 decimals, `PriceUpdateV2`, group 0.
    pub sol: Asset,
    /// BTC: 8 decimals, `PriceUpdateV2`, group 0.
    pub btc: Asset,
    /// ETH: mint of 8 decimals, market of 9, legacy price account, group 1.
    pub eth: Asset,
    /// A trader.
    pub alice: Trader,
    /// Another.
    pub bob: Trader,
    /// Another, who liquidates.
    pub carol: Trader,
    /// Has nothing to do with the exchange but is admin of the other one.
    pub mallory: Address,
    /// The other exchange.
    pub other: Other,
}

/// Another exchange: the same dollar, its own SOL market and bank, a house, and a margin account of `alice`.
#[derive(Clone, Copy, Debug)]
pub struct Other {
    /// The exchange.
    pub exchange: Address,
    /// Its house.
    pub house: Address,
    /// The same mint, its bank.
    pub usdc: Asset,
    /// The same mint and price account, its market and bank.
    pub sol: Asset,
    /// `alice`'s margin account there.
    pub alice: Trader,
}

/// A key that a name stands for; see [`Chain::key`].
const NAMES: [&str; 5] = ["admin", "alice", "bob", "carol", "mallory"];

/// What ETH's mint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EthMint {
    /// Of the SPL Token program, as all others.
    Plain,
    /// Of Token-2022, with [`ETH_FEE`].
    WithFee,
}

impl EthMint {
    fn token_program(self) -> Address {
        if self == Self::Plain { TOKEN_PROGRAM } else { TOKEN_2022_PROGRAM }
    }
}

/// The fee of ETH's mint in [`World::with_fee`]: 0.5 %, at most 0.02 ETH, which 4 ETH pay.
pub const ETH_FEE: TransferFee = TransferFee { bps: 50, maximum: 2_000_000 };

fn places(chain: &mut Chain, eth_mint: EthMint) -> Places {
    let [admin, alice, bob, carol, mallory] = NAMES.map(|name| chain.key(name));
    let named = |name: &str| {
        let mut bytes = [b'.'; 32];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Address::new_from_array(bytes)
    };
    let v2 = oracle_kind::PRICE_UPDATE_V2;
    let exchange = address::exchange(&admin, 0);
    let trader = |exchange, owner| Trader { owner, account: address::margin_account(exchange, &owner, 0) };
    let asset = |exchange, name, feed: Option<(u16, u8)>| {
        let feed = feed.map(|(index, kind)| (index, named(&format!("{name} price")), kind));
        Asset::of(exchange, named(&format!("{name} mint")), feed)
    };
    let elsewhere = address::exchange(&mallory, 0);
    let other = Other {
        exchange: elsewhere,
        house: address::house(&elsewhere),
        usdc: asset(&elsewhere, "usdc", None),
        sol: asset(&elsewhere, "sol", Some((0, v2))),
        alice: trader(&elsewhere, alice),
    };
    Places {
        admin,
        exchange,
        house: address::house(&exchange),
        share_mint: address::share_mint(&address::house(&exchange)),
        usdc: asset(&exchange, "usdc", None),
        sol: asset(&exchange, "sol", Some((0, v2))),
        btc: asset(&exchange, "btc", Some((1, v2))),
        eth: Asset {
            token_program: eth_mint.token_program(),
            ..asset(&exchange, "eth", Some((2, oracle_kind::LEGACY)))
        },
        alice: trader(&exchange, alice),
        bob: trader(&exchange, bob),
        carol: trader(&exchange, carol),
        mallory,
        other,
    }
}

/// The exchange's parameters: maintenance at half of the grid's requirement, buffer 10 %, discount 1 % to 10 % in 100 s,
/// dust below 10 USD to pay; full credit for netting inside a group, groups 0 and 1 correlated by a half.
pub fn exchange_config() -> ExchangeConfig {
    let mut rho_ppm = [0; plimsoll_risk::portfolio::GROUP_PAIRS];
    rho_ppm[0] = 500_000;
    ExchangeConfig {
        liquidation_dust: 10 * USD as u64,
        phi_ppm: [1_000_000; plimsoll_risk::portfolio::MAX_GROUPS],
        rho_ppm,
        maintenance_ratio_ppm: 500_000,
        liquidation_buffer_ppm: 100_000,
        liquidation_discount_min_ppm: 10_000,
        liquidation_discount_max_ppm: 100_000,
        liquidation_duration_seconds: 100,
        pauses: 0,
        house_floor: 0,
        extreme_damping_ppm: 333_333,
        insolvency_reward_max_ppm: 50_000,
        insolvency_duration_seconds: 100,
        house_delay_seconds: 60,
        timelock_seconds: 0,
        quote_scale_below_ppm: 990_000,
        quote_refuse_below_ppm: 900_000,
        loss_mode: 0,
        _padding: [0; 3],
    }
}

/// A market of range 20 %: half spread 0.1 %, fee 0.05 %, premium 1 % at a skew of 10,000 whole units, which is the
/// largest open interest too; budget 200,000 USD; fresh for 60 s, dead after an hour.
pub fn market_config(whole: i64) -> MarketConfig {
    MarketConfig {
        risk_budget: 200_000 * USD as u64,
        max_open_interest: 10_000 * whole as u64,
        skew_scale: 10_000 * whole as u64,
        options: OptionConfig::NONE,
        volatility: VolatilityConfig::fixed_range(200_000),
        funding: FundingConfig::NONE,
        confidence_multiplier_ppm: 1_000_000,
        max_confidence_ppm: 20_000,
        max_ema_gap_ppm: 50_000,
        half_spread_ppm: 1_000,
        skew_premium_ppm: 10_000,
        taker_fee_ppm: 500,
        max_age_seconds: 60,
        dead_age_seconds: 3_600,
        concentration_ppm: 0,
        group: 0,
        state: 0,
        perp_enabled: 1,
        _padding: 0,
    }
}

/// Options in lots of `lot` base units: half spread of 2 points, premium of 5 points at a vega of 100,000 USD, fee 0.03 %,
/// volatilities shocked by +45 % and -30 % at 30 days, a short-option minimum of 1 %, at most 10,000 lots in a series, and
/// volatilities from a third of the market's to three times it. The market's is 100 %.
pub fn option_config(lot: i64) -> OptionConfig {
    OptionConfig {
        lot: lot as u64,
        vega_scale: 100_000 * USD as u64,
        max_open_lots: 10_000,
        short_minimum_ppm: 10_000,
        volatility_up_ppm: 450_000,
        volatility_down_ppm: 300_000,
        volatility_power_short_ppm: 300_000,
        volatility_power_long_ppm: 130_000,
        half_spread_volatility_ppm: 20_000,
        skew_volatility_ppm: 50_000,
        fee_ppm: 300,
        volatility_ratio_max_ppm: 3_000_000,
        enabled: 1,
        _padding: [0; 3],
    }
}

/// A strike of whole dollars, which must be three digits and zeros.
pub fn strike(dollars: i64) -> StrikePrice {
    let (mut digits, mut exponent) = (dollars, 0);
    while digits >= 1_000 {
        assert_eq!(digits % 10, 0, "{dollars} is no strike");
        (digits, exponent) = (digits / 10, exponent + 1);
    }
    while digits < 100 {
        (digits, exponent) = (digits * 10, exponent - 1);
    }
    StrikePrice { digits: digits as u16, exponent }
}

/// Strikes of whole dollars in the first slots.
pub fn strikes(dollars: &[i64]) -> ListStrikesArgs {
    let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
    for (slot, dollars) in strikes.iter_mut().zip(dollars) {
        *slot = strike(*dollars);
    }
    ListStrikesArgs { strikes }
}

/// A bank of haircut 10 % and 5 %, borrow weight 4 % and 2 %, rates 0, 8 % at 80 %, 100 %, of which a tenth is kept.
pub fn bank_config() -> BankConfig {
    BankConfig {
        deposit_cap: u64::MAX / 4,
        borrow_cap: u64::MAX / 4,
        outflow_limit: u64::MAX,
        swap_cap: u64::MAX / 4,
        haircut_init_ppm: 100_000,
        haircut_maint_ppm: 50_000,
        haircut_init_full_ppm: 100_000,
        haircut_maint_full_ppm: 50_000,
        borrow_weight_init_ppm: 40_000,
        borrow_weight_maint_ppm: 20_000,
        optimal_utilisation_ppm: 800_000,
        base_rate_ppm: 0,
        optimal_rate_ppm: 80_000,
        max_rate_ppm: 1_000_000,
        reserve_factor_ppm: 100_000,
        outflow_window_seconds: 0,
        state: 0,
        _padding: [0; 7],
    }
}

/// The dollar's bank: no haircut and no borrow weight.
pub fn quote_bank_config() -> BankConfig {
    BankConfig {
        haircut_init_ppm: 0,
        haircut_maint_ppm: 0,
        haircut_init_full_ppm: 0,
        haircut_maint_full_ppm: 0,
        borrow_weight_init_ppm: 0,
        borrow_weight_maint_ppm: 0,
        ..bank_config()
    }
}

/// Arguments that create the market of an asset.
pub fn create_market_args(asset: &Asset, symbol: &str, base_decimals: u8, config: MarketConfig) -> CreateMarketArgs {
    let mut padded = [0; 16];
    padded[..symbol.len()].copy_from_slice(symbol.as_bytes());
    let oracle_owner = if asset.oracle_kind == oracle_kind::LEGACY { raw::LEGACY } else { raw::RECEIVER };
    CreateMarketArgs {
        symbol: padded,
        feed_id: asset.feed_id,
        oracle_owner,
        oracle_kind: asset.oracle_kind,
        base_decimals,
        config,
    }
}

/// SOL at 125 (which Q16.48 holds exactly), BTC at 60,000, ETH at 3,000 USD, moving averages there too, no doubt.
fn first_prices(places: &Places) -> [(Asset, i64); 3] {
    [(places.sol, 125), (places.btc, 60_000), (places.eth, 3_000)]
}

/// What must be there before the first instruction: wallets, mints, tokens, price accounts.
fn accounts_of_others(chain: &mut Chain, places: &Places) {
    let Places { usdc, sol, btc, eth, .. } = *places;
    let people = NAMES.map(|name| chain.key(name));
    for person in people {
        chain.set_account(person, raw::wallet());
    }
    for (asset, decimals) in [(usdc, 6u8), (sol, 9), (btc, 8), (eth, 8)] {
        let has_fee = asset.token_program == TOKEN_2022_PROGRAM;
        let mint = if has_fee { raw::mint_2022(decimals, &[raw::transfer_fee(ETH_FEE)]) } else { raw::mint(decimals) };
        chain.set_account(asset.mint, mint);
        for person in people {
            let amount = 10_000_000 * 10u64.pow(decimals.into());
            let tokens = if has_fee {
                raw::token_account_2022(&asset.mint, &person, amount, &[raw::WITHHELD])
            } else {
                raw::token_account(&asset.mint, &person, amount)
            };
            chain.set_account(asset.tokens_of(&person), tokens);
        }
    }
    for (asset, dollars) in first_prices(places) {
        chain.set_account(asset.oracle, asset.price_account(&price_at(dollars, chain::START)));
    }
}

fn price_at(dollars: i64, publish_time: i64) -> Price {
    let price = dollars * PRICE_USD;
    Price { price, confidence: 0, ema: price, exponent: EXPONENT, publish_time, posted_slot: 1 }
}

/// Exchange, quote bank, house with `funds` of quote, for which the admin has shares. The first provider needs not wait.
fn set_up_root(chain: &mut Chain, admin: Address, exchange: Address, usdc: &Asset, funds: u64) {
    let (quote_mint, config) = (usdc.mint, exchange_config());
    chain.ok(&build::exchange::Create { creator: admin, quote_mint, index: 0, config }.instruction());
    set_up_bank(chain, admin, exchange, usdc, None, quote_bank_config());
    chain.ok(&build::house::Create { admin, exchange }.instruction());
    let ticket =
        build::house::Ticket { owner: admin, exchange, quote_mint, token_program: usdc.token_program, index: 0 };
    let share_mint = address::share_mint(&ticket.house());
    for person in NAMES.map(|name| chain.key(name)) {
        let tokens = raw::token_account(&share_mint, &person, 0);
        chain.set_account(associated_token_account(&person, &share_mint), tokens);
    }
    chain.ok(&ticket.provide(usdc.tokens_of(&admin), funds));
    chain.ok(&build::house::Value { exchange, quote_mint, remaining: vec![] }.instruction());
    chain.ok(&ticket.execute());
    let shares = associated_token_account(&admin, &share_mint);
    chain.ok(&ticket.claim(build::house::Asset::Shares, shares));
}

fn set_up_bank(
    chain: &mut Chain,
    admin: Address,
    exchange: Address,
    asset: &Asset,
    market: Option<Address>,
    config: BankConfig,
) {
    let starting = if market.is_some() { config.starting() } else { config };
    chain.ok(&build::bank::Create {
        admin,
        exchange,
        mint: asset.mint,
        market,
        config: starting,
        token_program: asset.token_program,
    }
    .instruction());
    chain.ok(&build::bank::Configure { admin, exchange, bank: asset.bank, config }.instruction());
}

/// Market number `index` with its first observation and its parameters, then the bank that it prices.
fn set_up_market(
    chain: &mut Chain,
    admin: Address,
    exchange: Address,
    asset: &Asset,
    args: CreateMarketArgs,
    index: u16,
) {
    let config = args.config;
    let args = CreateMarketArgs { config: config.starting(), ..args };
    chain.ok(&build::market::Create { admin, exchange, index, args }.instruction());
    chain.ok(&build::market::Observe { market: asset.market, oracle: asset.oracle }.instruction());
    let market = asset.market;
    chain.ok(&build::market::Configure { admin, exchange, market, config }.instruction());
    set_up_bank(chain, admin, exchange, asset, Some(asset.market), bank_config());
}

fn set_up(chain: &mut Chain, eth_mint: EthMint) -> Places {
    let places = places(chain, eth_mint);
    let Places { admin, exchange, usdc, sol, btc, eth, mallory, other, .. } = places;
    accounts_of_others(chain, &places);
    set_up_root(chain, admin, exchange, &usdc, 1_000_000 * USD as u64);
    let eth_config = MarketConfig { group: 1, ..market_config(ETH) };
    let sol_args = create_market_args(&sol, "SOL", 9, market_config(SOL));
    set_up_market(chain, admin, exchange, &sol, sol_args, 0);
    let btc_args = create_market_args(&btc, "BTC", 8, market_config(BTC));
    set_up_market(chain, admin, exchange, &btc, btc_args, 1);
    let eth_args = create_market_args(&eth, "ETH", 9, eth_config);
    set_up_market(chain, admin, exchange, &eth, eth_args, 2);
    for trader in [places.alice, places.bob, places.carol] {
        set_up_account(chain, exchange, trader.owner);
    }
    set_up_root(chain, mallory, other.exchange, &other.usdc, 1_000_000 * USD as u64);
    let other_args = create_market_args(&other.sol, "SOL", 9, market_config(SOL));
    set_up_market(chain, mallory, other.exchange, &other.sol, other_args, 0);
    set_up_account(chain, other.exchange, places.alice.owner);
    places
}

fn set_up_account(chain: &mut Chain, exchange: Address, owner: Address) {
    chain.ok(&build::account::Create { payer: owner, owner, exchange, index: 0 }.instruction());
}

fn decode_at<T: Named>(chain: &Chain, address: &Address) -> T {
    let account = chain.account(address).unwrap_or_else(|| panic!("no account at {address}"));
    decode::account(address, &account.owner, &account.data).expect("the account is of the type")
}

/// The state that every test starts from.
static GENESIS: LazyLock<Vec<(Address, Account)>> = LazyLock::new(|| from_nothing(EthMint::Plain));

/// The same with a fee on ETH's transfers.
static GENESIS_WITH_FEE: LazyLock<Vec<(Address, Account)>> = LazyLock::new(|| from_nothing(EthMint::WithFee));

fn from_nothing(eth_mint: EthMint) -> Vec<(Address, Account)> {
    let mut chain = Chain::new([]);
    set_up(&mut chain, eth_mint);
    let there = chain.bytes().into_iter().filter_map(|(address, account)| Some((address, account?)));
    there.filter(|(_, account)| !account.executable).collect()
}

/// Every account of the state of [`World::with_fee`], for another machine than this one, and where everything stands.
pub fn genesis() -> (Vec<(Address, Account)>, Places) {
    let accounts = GENESIS_WITH_FEE.clone();
    (accounts, places(&mut Chain::new([]), EthMint::WithFee))
}

/// The signature of one of the people of every world.
pub fn sign(owner: &Address, message: &[u8]) -> Option<[u8; 64]> {
    let keys = NAMES.iter().map(|name| chain::named_key(name));
    let key = keys.into_iter().find(|key| key.pubkey() == *owner)?;
    Some(key.sign_message(message).into())
}

/// An exchange with a funded house, three markets, four banks and three traders. Its invariants are checked when it ends.
pub struct World {
    chain: Chain,
    places: Places,
    /// Banks that a test added.
    added: Vec<Address>,
}

impl Deref for World {
    type Target = Chain;
    fn deref(&self) -> &Chain {
        &self.chain
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            invariants::check(&self.chain);
        }
    }
}

impl World {
    /// The exchange as it was set up, and where everything stands.
    #[allow(clippy::new_ret_no_self)]
    pub fn new() -> (Self, Places) {
        Self::from(Chain::new(GENESIS.iter().cloned()), EthMint::Plain)
    }

    /// The same where ETH is a mint of Token-2022 whose transfers cost [`ETH_FEE`].
    pub fn with_fee() -> (Self, Places) {
        Self::from(Chain::new(GENESIS_WITH_FEE.iter().cloned()), EthMint::WithFee)
    }

    /// The same where the Token-2022 program says yes to everything and does nothing.
    pub fn with_idle_token_program() -> (Self, Places) {
        Self::from(Chain::with_idle_token_program(GENESIS_WITH_FEE.iter().cloned()), EthMint::WithFee)
    }

    /// The same with the example of a venue at [`chain::VENUE_PROGRAM`].
    pub fn with_venue() -> (Self, Places) {
        Self::from(Chain::with_venue(GENESIS.iter().cloned()), EthMint::Plain)
    }

    fn from(mut chain: Chain, eth_mint: EthMint) -> (Self, Places) {
        let places = places(&mut chain, eth_mint);
        (Self { chain, places, added: Vec::new() }, places)
    }

    /// The same with the example of an adapter at [`chain::ADAPTER_PROGRAM`].
    pub fn with_adapter() -> (Self, Places) {
        Self::from(Chain::with_adapter(GENESIS.iter().cloned()), EthMint::Plain)
    }

    /// Where everything stands.
    pub fn places(&self) -> Places {
        self.places
    }
}

/// Reading.
impl World {
    /// A decoded account.
    pub fn read<T: Named>(&self, address: &Address) -> T {
        decode_at(&self.chain, address)
    }

    /// A bank.
    pub fn bank(&self, asset: &Asset) -> Bank {
        self.read(&asset.bank)
    }

    /// A board of the asset's market.
    pub fn board_of(&self, asset: &Asset, slot: u8) -> Board {
        self.read(&address::board(&asset.market, slot))
    }

    /// A market.
    pub fn market(&self, asset: &Asset) -> Market {
        self.read(&asset.market)
    }

    /// The house.
    pub fn house(&self) -> House {
        self.read(&self.places.house)
    }

    /// A margin account.
    pub fn margin_account(&self, trader: &Trader) -> MarginAccount {
        self.read(&trader.account)
    }

    /// A margin account and its address.
    pub fn keyed(&self, trader: &Trader) -> Keyed<MarginAccount> {
        Keyed { address: trader.account, data: self.margin_account(trader) }
    }

    /// The account's shares in the asset's bank, negative for a borrow.
    pub fn shares(&self, trader: &Trader, asset: &Asset) -> i64 {
        let account = self.margin_account(trader);
        account.balance_slot(&asset.bank).map_or(0, |slot| account.balances[slot].shares)
    }

    /// The account's position and cash in the asset's market.
    pub fn position(&self, trader: &Trader, asset: &Asset) -> (i64, i64) {
        let account = self.margin_account(trader);
        account
            .market_slot(&asset.market)
            .map_or((0, 0), |slot| (account.markets[slot].size, account.markets[slot].cash))
    }

    /// The account's lots of a series of the asset's board in `slot`.
    pub fn option_lots(&self, trader: &Trader, asset: &Asset, slot: u8, series: u8) -> i32 {
        let account = self.margin_account(trader);
        let board = account.board_slot(&address::board(&asset.market, slot));
        board.map_or(0, |board| account.option_lots(board, series).expect("the slots agree"))
    }

    /// Tokens in the owner's wallet.
    pub fn tokens(&self, owner: &Address, asset: &Asset) -> u64 {
        self.tokens_at(&asset.tokens_of(owner))
    }

    /// Tokens in a token account.
    pub fn tokens_at(&self, address: &Address) -> u64 {
        raw::token_amount(&self.account(address).expect("a token account"))
    }

    /// Every board of the exchange.
    pub fn boards(&self) -> BTreeMap<Address, Board> {
        let known: Vec<Address> = self.known().iter().copied().collect();
        let there = known.into_iter().filter_map(|address| Some((address, self.account(&address)?)));
        let boards =
            there.filter_map(|(address, account)| match decode::any(&address, &account.owner, &account.data) {
                Ok(AnyAccount::Board(board)) => Some((address, *board)),
                _ => None,
            });
        boards.filter(|(_, board)| board.exchange == self.places.exchange).collect()
    }

    /// The exchange as a client sees it that knows no price account.
    pub fn stored(&self) -> Snapshot {
        let Places { usdc, sol, btc, eth, exchange, house, .. } = self.places;
        Snapshot {
            exchange: Keyed { address: exchange, data: self.read(&exchange) },
            house: Some(self.read(&house)),
            banks: [usdc, sol, btc, eth]
                .iter()
                .map(|asset| asset.bank)
                .chain(self.added.iter().copied())
                .map(|bank| (bank, self.read(&bank)))
                .collect(),
            markets: [sol, btc, eth].iter().map(|asset| (asset.market, self.market(asset))).collect(),
            boards: self.boards(),
            prices: Default::default(),
            now: self.now(),
        }
    }

    /// The same, when the asset's market cannot be read.
    pub fn stored_without(&self, asset: &Asset) -> Snapshot {
        let Places { usdc, sol, btc, eth, .. } = self.places;
        let banks = [usdc, sol, btc, eth].iter().map(|asset| (asset.bank, self.bank(asset))).collect();
        let others = [sol, btc, eth].into_iter().filter(|other| other.market != asset.market);
        let markets = others.map(|asset| (asset.market, self.market(&asset))).collect();
        let exchange = Keyed { address: self.places.exchange, data: self.read(&self.places.exchange) };
        let (boards, now) = (self.boards(), self.now());
        Snapshot { exchange, house: None, banks, markets, boards, prices: Default::default(), now }
    }

    /// The exchange as a client sees it that passes every price account.
    pub fn priced(&self) -> Snapshot {
        let Places { sol, btc, eth, .. } = self.places;
        let price = |asset: Asset| {
            let account = self.account(&asset.oracle).expect("a price account");
            (asset.market, PriceAccount { address: asset.oracle, owner: account.owner, data: account.data })
        };
        Snapshot { prices: [sol, btc, eth].into_iter().map(price).collect(), ..self.stored() }
    }

    /// The account's margin at the price accounts, by the client.
    pub fn margin(&self, trader: &Trader) -> plimsoll_risk::portfolio::Margin {
        self.priced().margin(&self.margin_account(trader)).expect("a margin")
    }
}

/// Changing what no instruction changes.
impl World {
    /// Adds a bank of a new mint that `market` prices, and gives everybody ten million tokens of it.
    pub fn add_bank(&mut self, mint: Address, decimals: u8, market: Address, config: BankConfig) -> Asset {
        let Places { admin, exchange, .. } = self.places;
        let asset = Asset { market, ..Asset::of(&exchange, mint, None) };
        self.set_account(mint, raw::mint(decimals));
        for person in NAMES.map(|name| self.chain.key(name)) {
            let tokens = raw::token_account(&mint, &person, 10_000_000 * 10u64.pow(decimals.into()));
            self.set_account(asset.tokens_of(&person), tokens);
        }
        set_up_bank(&mut self.chain, admin, exchange, &asset, Some(market), config);
        self.added.push(asset.bank);
        asset
    }

    /// Lets time pass.
    pub fn pass(&mut self, seconds: i64) {
        let now = self.now();
        self.set_now(now + seconds);
    }

    /// Writes a price account.
    pub fn publish(&mut self, asset: &Asset, price: Price) {
        self.set_account(asset.oracle, asset.price_account(&price));
    }

    /// A price published now, without doubt and with its average where it is.
    pub fn price(&self, dollars: i64) -> Price {
        price_at(dollars, self.now())
    }

    /// Publishes a price now, and has the market observe it.
    pub fn set_price(&mut self, asset: &Asset, dollars: i64) {
        let price = self.price(dollars);
        self.publish(asset, price);
        self.observe(asset);
    }

    /// Writes one of the program's accounts directly, for states that would take many instructions.
    pub fn edit<T: AccountType + Named>(&mut self, address: &Address, change: impl FnOnce(&mut T)) {
        let mut account = self.account(address).expect("the account exists");
        let mut data: T = self.read(address);
        change(&mut data);
        account.data = decode::encode(&data);
        self.set_account(*address, account);
    }

    /// Gives an account lots of a series at no price, the house the opposite.
    pub fn give_options(&mut self, trader: &Trader, asset: &Asset, slot: u8, series: u8, lots: i32) {
        let board = address::board(&asset.market, slot);
        self.edit::<MarginAccount>(&trader.account, |account| {
            let market = account.market_slot_or_new(&asset.market).expect("a market slot");
            let named = account.boards.iter().position(|slot| slot.in_use == 1 && slot.board == board);
            let index = named.unwrap_or_else(|| {
                let index = account.boards.iter().position(|slot| slot.in_use == 0).expect("a board slot");
                account.markets[market].boards += 1;
                account.boards[index] =
                    BoardSlot { board, in_use: 1, market_slot: market as u8, options: 0, _padding: [0; 5] };
                index
            });
            account.boards[index].options += 1;
            let option = account.options.iter_mut().find(|option| option.lots == 0).expect("an option slot");
            *option = OptionSlot { lots, board_slot: index as u8, series, _padding: [0; 2] };
        });
        self.edit::<Board>(&board, |board| {
            board.house_lots[usize::from(series)] -= i64::from(lots);
            board.long_lots[usize::from(series)] += u64::from(lots.max(0).unsigned_abs());
        });
    }

    /// Takes all options of a board from an account and the house.
    pub fn take_options(&mut self, trader: &Trader, asset: &Asset, slot: u8) {
        let board = address::board(&asset.market, slot);
        let mut taken = Vec::new();
        self.edit::<MarginAccount>(&trader.account, |account| {
            let index = account.boards.iter().position(|slot| slot.in_use == 1 && slot.board == board);
            let index = index.expect("options of the board");
            let of_board = |option: &&mut OptionSlot| option.lots != 0 && usize::from(option.board_slot) == index;
            for option in account.options.iter_mut().filter(of_board) {
                taken.push((usize::from(option.series), option.lots));
                *option = bytemuck::Zeroable::zeroed();
            }
            let market = usize::from(account.boards[index].market_slot);
            account.boards[index] = bytemuck::Zeroable::zeroed();
            account.markets[market].boards -= 1;
            account.release_market(market).expect("consistent slots");
        });
        self.edit::<Board>(&board, |board| {
            for (series, lots) in taken {
                board.house_lots[series] += i64::from(lots);
                board.long_lots[series] -= u64::from(lots.max(0).unsigned_abs());
            }
        });
    }

    /// Puts a new account of the program.
    pub fn put<T: AccountType>(&mut self, address: Address, data: &T) {
        self.set_account(address, raw::account(ID, decode::encode(data)));
    }
}

/// Instructions as their senders would build them: valid unless the state forbids it.
impl World {
    /// Deposits from the owner's wallet.
    pub fn deposit_ix(&self, trader: &Trader, asset: &Asset, amount: u64) -> Instruction {
        build::account::Deposit {
            authority: trader.owner,
            exchange: self.places.exchange,
            account: trader.account,
            mint: asset.mint,
            token_program: asset.token_program,
            source: asset.tokens_of(&trader.owner),
            amount,
        }
        .instruction()
    }

    /// Withdraws to the owner's wallet.
    pub fn withdraw_ix(&self, trader: &Trader, asset: &Asset, amount: u64) -> Instruction {
        let destination = asset.tokens_of(&trader.owner);
        self.priced().withdraw(&self.keyed(trader), &asset.mint, destination, amount).expect("a withdrawal")
    }

    /// Adds a board in a slot, by the keeper.
    pub fn create_board_ix(&self, asset: &Asset, slot: u8, expiry: i64) -> Instruction {
        let args = CreateBoardArgs { expiry, slot };
        let Places { admin, exchange, .. } = self.places;
        build::board::Create { authority: admin, exchange, market: asset.market, args }.instruction()
    }

    /// Lists strikes at the price account's price, by the keeper.
    pub fn list_strikes_ix(&self, asset: &Asset, slot: u8, args: ListStrikesArgs) -> Instruction {
        let Places { admin, exchange, .. } = self.places;
        let board = address::board(&asset.market, slot);
        let (market, oracle) = (asset.market, Some(asset.oracle));
        build::board::ListStrikes { authority: admin, exchange, market, board, oracle, args }.instruction()
    }

    /// Posts volatilities, by the keeper.
    pub fn post_volatilities_ix(&self, asset: &Asset, slot: u8, args: PostVolatilitiesArgs) -> Instruction {
        let Places { admin, exchange, .. } = self.places;
        let board = address::board(&asset.market, slot);
        build::board::PostVolatilities { authority: admin, exchange, market: asset.market, board, args }.instruction()
    }

    /// Refreshes a board at the price account's price: so many strikes, zero for all.
    pub fn refresh_ix(&self, asset: &Asset, slot: u8, max_strikes: u8) -> Instruction {
        let board = address::board(&asset.market, slot);
        let (exchange, market, oracle) = (self.places.exchange, asset.market, Some(asset.oracle));
        build::board::Refresh { exchange, market, board, oracle, max_strikes }.instruction()
    }

    /// Samples the price account's price for a board's settlement.
    pub fn sample_ix(&self, asset: &Asset, slot: u8) -> Instruction {
        let board = address::board(&asset.market, slot);
        build::board::Sample { market: asset.market, board, oracle: asset.oracle }.instruction()
    }

    /// Settles a board.
    pub fn settle_board_ix(&self, asset: &Asset, slot: u8) -> Instruction {
        let board = address::board(&asset.market, slot);
        build::board::Settle { exchange: self.places.exchange, market: asset.market, board }.instruction()
    }

    /// Closes a board, by the keeper.
    pub fn close_board_ix(&self, asset: &Asset, slot: u8) -> Instruction {
        let Places { admin, exchange, .. } = self.places;
        let board = address::board(&asset.market, slot);
        build::board::Close { authority: admin, exchange, market: asset.market, board }.instruction()
    }

    /// Trades at any price.
    pub fn open_ix(&self, trader: &Trader, asset: &Asset, size: i64) -> Instruction {
        self.order_ix(trader, asset, order(size))
    }

    /// Trades as `args` says.
    pub fn order_ix(&self, trader: &Trader, asset: &Asset, args: OpenPositionArgs) -> Instruction {
        let account = self.keyed(trader);
        self.priced().open_position(trader.owner, &account, &asset.market, args).expect("an order")
    }

    /// Closes at any price.
    pub fn close_ix(&self, trader: &Trader, asset: &Asset, size: u64) -> Instruction {
        let account = self.keyed(trader);
        let position = self.position(trader, asset).0;
        let args = ClosePositionArgs { size, limit_price: if position > 0 { 0 } else { u64::MAX }, expires_at: 0 };
        self.priced().close_position(trader.owner, &account, &asset.market, args).expect("an order")
    }

    /// Trades an option of the asset's board in `slot`, at any price.
    pub fn open_option_ix(&self, trader: &Trader, asset: &Asset, slot: u8, series: u8, lots: i64) -> Instruction {
        self.option_order_ix(trader, asset, slot, option_order(series, lots))
    }

    /// Trades an option as `args` says.
    pub fn option_order_ix(&self, trader: &Trader, asset: &Asset, slot: u8, args: OpenOptionArgs) -> Instruction {
        let board = address::board(&asset.market, slot);
        self.priced().open_option(trader.owner, &self.keyed(trader), &board, args).expect("an order")
    }

    /// Closes an option at any price.
    pub fn close_option_ix(&self, trader: &Trader, asset: &Asset, slot: u8, series: u8, lots: u64) -> Instruction {
        let limit_price = if self.option_lots(trader, asset, slot, series) > 0 { 0 } else { u64::MAX };
        let args = CloseOptionArgs { lots, limit_price, expires_at: 0, series };
        let board = address::board(&asset.market, slot);
        self.priced().close_option(trader.owner, &self.keyed(trader), &board, args).expect("an order")
    }

    /// Pays an account's options of a settled board.
    pub fn settle_option_ix(&self, trader: &Trader, asset: &Asset, slot: u8) -> Instruction {
        let board = address::board(&asset.market, slot);
        self.stored().settle_option(&trader.account, &board).expect("a settlement")
    }

    /// Stores the price account's price.
    pub fn observe_ix(&self, asset: &Asset) -> Instruction {
        build::market::Observe { market: asset.market, oracle: asset.oracle }.instruction()
    }

    /// Posts a volatility forecast, by the admin, who is the forecaster too.
    pub fn forecast_ix(&self, asset: &Asset, volatility_ppm: u32) -> Instruction {
        let Places { admin: forecaster, exchange, .. } = self.places;
        build::market::PostForecast { forecaster, exchange, market: asset.market, volatility_ppm }.instruction()
    }

    /// Accrues a market's funding.
    pub fn accrue_funding_ix(&self, asset: &Asset) -> Instruction {
        build::market::AccrueFunding { market: asset.market }.instruction()
    }

    /// Accrues a bank's interest.
    pub fn accrue_ix(&self, asset: &Asset) -> Instruction {
        build::bank::Accrue { bank: asset.bank }.instruction()
    }

    /// Settles at the price account's price.
    pub fn settle_ix(&self, trader: &Trader, asset: &Asset) -> Instruction {
        self.priced().settle(&trader.account, &asset.market)
    }

    /// Flags at the price accounts' prices.
    pub fn flag_ix(&self, trader: &Trader) -> Instruction {
        self.priced().flag_liquidation(&self.keyed(trader))
    }

    /// Liquidates as much as the program allows.
    pub fn liquidate_ix(&self, taker: &Trader, account: &Trader) -> Instruction {
        self.liquidate_args_ix(taker, account, LiquidateArgs { max_fraction: 1 << 32, max_payment: u64::MAX })
    }

    /// Liquidates as `args` says.
    pub fn liquidate_args_ix(&self, taker: &Trader, account: &Trader, args: LiquidateArgs) -> Instruction {
        self.priced().liquidate(taker.owner, &self.keyed(taker), &self.keyed(account), args)
    }
}

/// The waterfall's.
impl World {
    /// Puts quote into the insurance, from the owner's wallet.
    pub fn fund_ix(&self, funder: &Address, amount: u64) -> Instruction {
        let Places { exchange, usdc, .. } = self.places;
        let source = usdc.tokens_of(funder);
        build::waterfall::FundInsurance {
            funder: *funder,
            exchange,
            quote_mint: usdc.mint,
            token_program: usdc.token_program,
            source,
            amount,
        }
        .instruction()
    }

    /// Buys of the asset's reserve at any price.
    pub fn buy_reserve_ix(&self, buyer: &Address, asset: &Asset, amount: u64) -> Instruction {
        let Places { exchange, usdc, .. } = self.places;
        build::waterfall::BuyReserve {
            buyer: *buyer,
            exchange,
            mint: asset.mint,
            token_program: asset.token_program,
            destination: asset.tokens_of(buyer),
            quote_mint: usdc.mint,
            quote_token_program: usdc.token_program,
            source: usdc.tokens_of(buyer),
            market: asset.market,
            oracle: asset.oracle,
            args: BuyReserveArgs { amount, max_payment: u64::MAX },
        }
        .instruction()
    }

    /// Covers a loss, by one step.
    pub fn resolve_ix(&self, account: &Trader) -> Instruction {
        self.priced().resolve(&self.keyed(account))
    }

    /// Closes `size` of an insolvent account's position against another's.
    pub fn deleverage_ix(
        &self,
        account: &Trader,
        counterparty: &Trader,
        asset: &Asset,
        size: u64,
        candidates: &[Trader],
    ) -> Instruction {
        let candidates: Vec<Address> = candidates.iter().map(|trader| trader.account).collect();
        let (account, counterparty) = (self.keyed(account), self.keyed(counterparty));
        let args = DeleverageArgs { size };
        self.priced().deleverage(&account, &counterparty, &asset.market, args, &candidates).expect("a price account")
    }

    /// The beginning and the end of a liquidation without capital.
    pub fn without_capital(&self, taker: &Trader, account: &Trader) -> (Instruction, Instruction) {
        self.priced().without_capital(taker.owner, &self.keyed(taker), &self.keyed(account))
    }

    /// The quote bank's reserve.
    pub fn insurance(&self) -> u64 {
        self.bank(&self.places.usdc).reserve
    }

    /// The house's quote deposit, rounded down.
    pub fn house_quote(&self) -> u64 {
        let index = self.bank(&self.places.usdc).deposit_index();
        plimsoll_risk::interest::deposit_amount(self.house().quote_shares, index).expect("it fits")
    }
}

/// An order at any price, for ever.
pub fn order(size: i64) -> OpenPositionArgs {
    OpenPositionArgs { size, limit_price: if size > 0 { u64::MAX } else { 0 }, expires_at: 0, reduce_only: 0 }
}

/// An order for options at any price, for ever.
pub fn option_order(series: u8, lots: i64) -> OpenOptionArgs {
    let limit_price = if lots > 0 { u64::MAX } else { 0 };
    OpenOptionArgs { lots, limit_price, expires_at: 0, series, reduce_only: 0 }
}

/// The house: who joins it and who leaves it.
impl World {
    /// A ticket of somebody's.
    pub fn ticket(&self, owner: &Address, index: u16) -> build::house::Ticket {
        self.stored().ticket(*owner, index)
    }

    /// A ticket as it stands.
    pub fn ticket_data(&self, owner: &Address, index: u16) -> Ticket {
        self.read(&self.ticket(owner, index).address())
    }

    /// Somebody's token account of house shares.
    pub fn shares_of(&self, owner: &Address) -> Address {
        associated_token_account(owner, &self.places.share_mint)
    }

    /// House shares in somebody's wallet.
    pub fn house_shares(&self, owner: &Address) -> u64 {
        self.tokens_at(&self.shares_of(owner))
    }

    /// Asks to provide, from the owner's wallet.
    pub fn request_provide_ix(&self, owner: &Address, index: u16, amount: u64) -> Instruction {
        self.ticket(owner, index).provide(self.places.usdc.tokens_of(owner), amount)
    }

    /// Asks to redeem, from the owner's wallet.
    pub fn request_redeem_ix(&self, owner: &Address, index: u16, shares: u64) -> Instruction {
        self.ticket(owner, index).redeem(self.shares_of(owner), shares)
    }

    /// Values the house at the price accounts' prices, all markets at once.
    #[track_caller]
    pub fn value_house(&mut self) -> Outcome {
        self.ok(self.priced().value_house())
    }

    /// Publishes every price anew as it is, at the chain's time, and values the house.
    #[track_caller]
    pub fn value_house_freshly(&mut self) -> Outcome {
        let Places { sol, btc, eth, .. } = self.places;
        for asset in [sol, btc, eth] {
            let observed = self.priced();
            let (market, seen) =
                plimsoll_interface::bridge::Inputs::market(&observed, &asset.market).expect("a market");
            // Back to the feed's units, to the nearest.
            let scale = u128::from(10u64.pow(u32::from(market.base_decimals)));
            let raw = (u128::from(seen.spot.raw()) * scale * 100 + (1 << 47)) >> 48;
            let price = i64::try_from(raw).expect("a price");
            let now = self.now();
            self.publish(
                &asset,
                Price { price, confidence: 0, ema: price, exponent: EXPONENT, publish_time: now, posted_slot: 1 },
            );
        }
        self.value_house()
    }

    /// Asks to provide, waits, values the house and has the shares.
    #[track_caller]
    pub fn provide(&mut self, owner: &Address, amount: u64) -> u64 {
        let before = self.house_shares(owner);
        self.ok(self.request_provide_ix(owner, 0, amount));
        self.pass(60);
        self.value_house_freshly();
        self.ok(self.ticket(owner, 0).execute());
        self.ok(self.ticket(owner, 0).claim(build::house::Asset::Shares, self.shares_of(owner)));
        self.house_shares(owner) - before
    }

    /// Asks to redeem, waits, values the house and has the quote.
    #[track_caller]
    pub fn redeem(&mut self, owner: &Address, shares: u64) -> u64 {
        let usdc = self.places.usdc;
        let before = self.tokens(owner, &usdc);
        self.ok(self.request_redeem_ix(owner, 0, shares));
        self.pass(60);
        self.value_house_freshly();
        self.ok(self.ticket(owner, 0).execute());
        self.ok(self.ticket(owner, 0).claim(build::house::Asset::Quote, usdc.tokens_of(owner)));
        self.tokens(owner, &usdc) - before
    }
}

/// The same, sent, and to succeed.
impl World {
    /// See [`Chain::ok`]. Inherent, so that its argument may be built from the world itself.
    #[track_caller]
    pub fn ok(&mut self, instruction: impl Borrow<Instruction>) -> Outcome {
        self.chain.ok(instruction.borrow())
    }

    /// See [`Chain::refuses`].
    #[track_caller]
    pub fn refuses(&mut self, instruction: impl Borrow<Instruction>, expected: impl Into<Expected>) {
        self.chain.refuses(instruction.borrow(), expected);
    }

    /// See [`Self::deposit_ix`].
    #[track_caller]
    pub fn deposit(&mut self, trader: &Trader, asset: &Asset, amount: u64) -> Outcome {
        self.ok(self.deposit_ix(trader, asset, amount))
    }

    /// See [`Self::withdraw_ix`].
    #[track_caller]
    pub fn withdraw(&mut self, trader: &Trader, asset: &Asset, amount: u64) -> Outcome {
        self.ok(self.withdraw_ix(trader, asset, amount))
    }

    /// Gives a market options in lots of `lot` base units, see [`option_config`].
    #[track_caller]
    pub fn enable_options(&mut self, asset: &Asset, lot: i64) {
        self.configure_market(asset, |config| config.options = option_config(lot));
    }

    /// A board of a market with options, in its first free slot, that expires in so many days: listed and refreshed. The
    /// tests' clock starts at 08:00 UTC.
    #[track_caller]
    pub fn board(&mut self, asset: &Asset, days: i64, dollars: &[i64]) -> Address {
        let slot = self.market(asset).boards.trailing_ones() as u8;
        let expiry = (self.now() - chain::START).div_euclid(86_400) * 86_400 + chain::START + days * 86_400;
        self.ok(self.create_board_ix(asset, slot, expiry));
        self.ok(self.list_strikes_ix(asset, slot, strikes(dollars)));
        self.refresh(asset, slot);
        address::board(&asset.market, slot)
    }

    /// See [`Self::refresh_ix`]: all strikes.
    #[track_caller]
    pub fn refresh(&mut self, asset: &Asset, slot: u8) -> Outcome {
        self.ok(self.refresh_ix(asset, slot, 0))
    }

    /// See [`Self::open_ix`].
    #[track_caller]
    pub fn open(&mut self, trader: &Trader, asset: &Asset, size: i64) -> Outcome {
        self.ok(self.open_ix(trader, asset, size))
    }

    /// See [`Self::close_ix`].
    #[track_caller]
    pub fn close(&mut self, trader: &Trader, asset: &Asset, size: u64) -> Outcome {
        self.ok(self.close_ix(trader, asset, size))
    }

    /// See [`Self::open_option_ix`].
    #[track_caller]
    pub fn open_option(&mut self, trader: &Trader, asset: &Asset, slot: u8, series: u8, lots: i64) -> Outcome {
        self.ok(self.open_option_ix(trader, asset, slot, series, lots))
    }

    /// See [`Self::close_option_ix`].
    #[track_caller]
    pub fn close_option(&mut self, trader: &Trader, asset: &Asset, slot: u8, series: u8, lots: u64) -> Outcome {
        self.ok(self.close_option_ix(trader, asset, slot, series, lots))
    }

    /// See [`Self::settle_option_ix`].
    #[track_caller]
    pub fn settle_option(&mut self, trader: &Trader, asset: &Asset, slot: u8) -> Outcome {
        self.ok(self.settle_option_ix(trader, asset, slot))
    }

    /// See [`Self::observe_ix`].
    #[track_caller]
    pub fn observe(&mut self, asset: &Asset) -> Outcome {
        self.ok(self.observe_ix(asset))
    }

    /// See [`Self::forecast_ix`].
    #[track_caller]
    pub fn forecast(&mut self, asset: &Asset, volatility_ppm: u32) -> Outcome {
        self.ok(self.forecast_ix(asset, volatility_ppm))
    }

    /// See [`Self::accrue_funding_ix`].
    #[track_caller]
    pub fn accrue_funding(&mut self, asset: &Asset) -> Outcome {
        self.ok(self.accrue_funding_ix(asset))
    }

    /// See [`Self::accrue_ix`].
    #[track_caller]
    pub fn accrue(&mut self, asset: &Asset) -> Outcome {
        self.ok(self.accrue_ix(asset))
    }

    /// See [`Self::settle_ix`].
    #[track_caller]
    pub fn settle(&mut self, trader: &Trader, asset: &Asset) -> Outcome {
        self.ok(self.settle_ix(trader, asset))
    }

    /// See [`Self::flag_ix`].
    #[track_caller]
    pub fn flag(&mut self, trader: &Trader) -> Outcome {
        self.ok(self.flag_ix(trader))
    }

    /// See [`Self::liquidate_ix`].
    #[track_caller]
    pub fn liquidate(&mut self, taker: &Trader, account: &Trader) -> Outcome {
        self.ok(self.liquidate_ix(taker, account))
    }

    /// Replaces the exchange's parameters, and what is paused.
    #[track_caller]
    pub fn configure(&mut self, change: impl FnOnce(&mut ExchangeConfig)) -> Outcome {
        let Places { admin, exchange, .. } = self.places;
        let before = self.read::<Exchange>(&exchange).config;
        let mut config = before;
        change(&mut config);
        if config.pauses != before.pauses {
            let (set, clear) = (config.pauses, !config.pauses & before.pauses);
            self.ok(build::controls::SetPauses { authority: admin, exchange, set, clear }.instruction());
        }
        self.ok(build::exchange::Configure { admin, exchange, config }.instruction())
    }

    /// Replaces a bank's parameters.
    #[track_caller]
    pub fn configure_bank(&mut self, asset: &Asset, change: impl FnOnce(&mut BankConfig)) -> Outcome {
        let Places { admin, exchange, .. } = self.places;
        let mut config = self.bank(asset).config;
        change(&mut config);
        self.ok(build::bank::Configure { admin, exchange, bank: asset.bank, config }.instruction())
    }

    /// Replaces a market's parameters. Values the house before, where that raises the market's budget.
    #[track_caller]
    pub fn configure_market(&mut self, asset: &Asset, change: impl FnOnce(&mut MarketConfig)) -> Outcome {
        let mut config = self.market(asset).config;
        let budget = config.risk_budget;
        change(&mut config);
        if config.risk_budget > budget {
            self.value_house();
        }
        let instruction = self.priced().configure_market(&asset.market, config);
        self.ok(&instruction)
    }
}
