//! An exchange in the virtual machine with sixteen markets and sixteen banks, its accounts written directly so that a
//! portfolio of any shape is one assignment away.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use bytemuck::Zeroable;
use litesvm::LiteSVM;
use plimsoll_client::{
    Address, ID, Keyed, Snapshot,
    accounts::{
        AccountType, Bank, Board, BoardTerms, Exchange, House, MAX_MARKET_BOARDS, MAX_STRIKES, MarginAccount, Market,
        board_state, oracle_kind,
    },
    address,
    config::{BankConfig, ExchangeConfig, FundingConfig, MarketConfig, OptionConfig, VolatilityConfig},
    instruction::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_account},
    interface::board::terms_at,
    price::{PriceAccount, PriceUpdate},
    remaining::PriceAddresses,
    risk::{
        options::{Nodes, Refresh},
        pyth,
        units::{Price, Timestamp, Volatility},
    },
};
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_pack::Pack;
use solana_signer::Signer;
use solana_transaction::Transaction;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};

/// Markets of the exchange, and collateral banks next to the quote bank.
pub const MARKETS: usize = 16;
/// The clock of the machine, unix seconds.
pub const NOW: i64 = 1_750_000_000;
/// One token of every collateral: 9 decimals.
pub const TOKEN: u64 = 1_000_000_000;
/// One dollar of quote.
pub const DOLLAR: u64 = 1_000_000;

const INDEX_ONE: u64 = 1 << 48;
const PLENTY: u64 = 1_000_000_000_000_000;

/// The machine and the addresses in it.
pub struct World {
    pub vm: LiteSVM,
    pub admin: Keypair,
    pub exchange: Address,
    pub quote_mint: Address,
    pub quote_bank: Address,
    pub mints: Vec<Address>,
    pub banks: Vec<Address>,
    pub markets: Vec<Address>,
    pub oracles: Vec<Address>,
}

/// Parameters of the exchange: three groups in use.
pub fn exchange_config() -> ExchangeConfig {
    ExchangeConfig {
        liquidation_dust: DOLLAR,
        phi_ppm: [700_000; 8],
        rho_ppm: [400_000; 28],
        maintenance_ratio_ppm: 600_000,
        liquidation_buffer_ppm: 100_000,
        liquidation_discount_min_ppm: 10_000,
        liquidation_discount_max_ppm: 200_000,
        liquidation_duration_seconds: 300,
        pauses: 0,
        house_floor: 0,
        extreme_damping_ppm: 333_333,
        insolvency_reward_max_ppm: 50_000,
        insolvency_duration_seconds: 300,
        house_delay_seconds: 60,
        timelock_seconds: 0,
        quote_scale_below_ppm: 990_000,
        quote_refuse_below_ppm: 900_000,
        loss_mode: 0,
        _padding: [0; 3],
    }
}

/// Parameters of a market in a group.
pub fn market_config(group: u8) -> MarketConfig {
    MarketConfig {
        risk_budget: 10_000_000 * DOLLAR,
        max_open_interest: 1_000_000 * TOKEN,
        skew_scale: 1_000_000 * TOKEN,
        options: option_config(),
        volatility: VolatilityConfig::fixed_range(150_000),
        funding: FundingConfig::NONE,
        confidence_multiplier_ppm: 1_000_000,
        max_confidence_ppm: 20_000,
        max_ema_gap_ppm: 100_000,
        half_spread_ppm: 500,
        skew_premium_ppm: 10_000,
        taker_fee_ppm: 300,
        max_age_seconds: 60,
        dead_age_seconds: 3_600,
        concentration_ppm: 0,
        group,
        state: 0,
        perp_enabled: 1,
        _padding: 0,
    }
}

/// Options in lots of a tenth of a token.
fn option_config() -> OptionConfig {
    OptionConfig {
        lot: TOKEN / 10,
        vega_scale: 1_000_000 * DOLLAR,
        max_open_lots: 1 << 24,
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

/// Parameters of the quote bank.
pub fn quote_config() -> BankConfig {
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

/// Parameters of a collateral's bank.
pub fn bank_config() -> BankConfig {
    BankConfig {
        deposit_cap: PLENTY,
        borrow_cap: PLENTY,
        outflow_limit: u64::MAX,
        swap_cap: PLENTY,
        haircut_init_ppm: 50_000,
        haircut_maint_ppm: 30_000,
        haircut_init_full_ppm: 50_000,
        haircut_maint_full_ppm: 30_000,
        borrow_weight_init_ppm: 50_000,
        borrow_weight_maint_ppm: 30_000,
        optimal_utilisation_ppm: 800_000,
        base_rate_ppm: 10_000,
        optimal_rate_ppm: 80_000,
        max_rate_ppm: 1_000_000,
        reserve_factor_ppm: 100_000,
        outflow_window_seconds: 0,
        state: 0,
        _padding: [0; 7],
    }
}

fn numbered(kind: u8, index: usize) -> Address {
    let mut bytes = [kind; 32];
    bytes[1] = u8::try_from(index).unwrap_or(u8::MAX);
    Address::new_from_array(bytes)
}

impl World {
    /// Loads the program from `so` and writes the exchange.
    pub fn new(so: &Path) -> Result<Self> {
        let mut vm = LiteSVM::new();
        let program = std::fs::read(so).with_context(|| format!("{} is missing: run `make program`", so.display()))?;
        vm.add_program(ID, &program).map_err(|error| anyhow!("the program does not load: {error:?}"))?;
        let mut clock = vm.get_sysvar::<Clock>();
        clock.unix_timestamp = NOW;
        vm.set_sysvar(&clock);
        let admin = Keypair::new_from_array([7; 32]);
        vm.airdrop(&admin.pubkey(), 1_000_000_000_000).map_err(|error| anyhow!("no funds: {:?}", error.err))?;
        let exchange = address::exchange(&admin.pubkey(), 0);
        let quote_mint = numbered(1, 0);
        let mints: Vec<_> = (0..MARKETS).map(|index| numbered(2, index)).collect();
        let mut world = Self {
            vm,
            exchange,
            quote_bank: address::bank(&exchange, &quote_mint),
            banks: mints.iter().map(|mint| address::bank(&exchange, mint)).collect(),
            markets: (0..MARKETS).map(|index| address::market(&exchange, index as u16)).collect(),
            oracles: (0..MARKETS).map(|index| numbered(3, index)).collect(),
            admin,
            quote_mint,
            mints,
        };
        world.write_exchange()?;
        Ok(world)
    }

    /// Loads another program.
    pub fn add_program(&mut self, address: Address, so: &Path) -> Result<()> {
        let program = std::fs::read(so).with_context(|| format!("{} is missing: run `make programs`", so.display()))?;
        self.vm.add_program(address, &program).map_err(|error| anyhow!("the program does not load: {error:?}"))
    }

    fn write_exchange(&mut self) -> Result<()> {
        let exchange = Exchange {
            config: exchange_config(),
            admin: self.admin.pubkey(),
            creator: self.admin.pubkey(),
            quote_mint: self.quote_mint,
            quote_bank: self.quote_bank,
            market_count: MARKETS as u16,
            bank_count: MARKETS as u16 + 1,
            bump: bump(&[address::EXCHANGE, self.admin.pubkey().as_ref(), &0u16.to_le_bytes()]),
            version: 1,
            ..Exchange::zeroed()
        };
        self.put(self.exchange, &exchange)?;
        self.write_bank(self.quote_mint, Address::default(), 6, 0, true)?;
        for index in 0..MARKETS {
            self.write_market(index)?;
            self.write_bank(self.mints[index], self.markets[index], 9, 0, false)?;
        }
        let shares = 100_000_000 * DOLLAR;
        let address = address::house(&self.exchange);
        let house = House {
            quote_shares: shares,
            share_supply: shares,
            share_mint: address::share_mint(&address),
            escrow: address::escrow(&address),
            risk_budget_total: MARKETS as u64 * market_config(0).risk_budget / 2,
            exchange: self.exchange,
            bump: bump(&[address::HOUSE, self.exchange.as_ref()]),
            version: 1,
            ..House::zeroed()
        };
        self.put(address, &house)
    }

    /// Writes the mint of the house's shares, its escrow, and all shares to the admin's wallet, whose address it gives.
    pub fn write_shares(&mut self) -> Result<Address> {
        let house: House = self.get(&address::house(&self.exchange))?;
        let (mint, admin) = (house.share_mint, self.admin.pubkey());
        let state = Mint {
            mint_authority: Some(self.exchange).into(),
            supply: house.share_supply,
            decimals: 6,
            is_initialized: true,
            ..Mint::default()
        };
        let mut data = vec![0; Mint::LEN];
        state.pack_into_slice(&mut data);
        self.put_raw(mint, TOKEN_PROGRAM, data)?;
        self.write_tokens(house.escrow, mint, self.exchange)?;
        let wallet = associated_token_account(&admin, &mint);
        self.write_tokens(wallet, mint, admin)?;
        Ok(wallet)
    }

    /// Lets time pass, and publishes every price anew.
    pub fn wait(&mut self, seconds: i64) -> Result<()> {
        let mut clock = self.vm.get_sysvar::<Clock>();
        clock.unix_timestamp += seconds;
        self.vm.set_sysvar(&clock);
        for index in 0..MARKETS {
            self.set_price(index, 100, clock.unix_timestamp - 5)?;
        }
        Ok(())
    }

    fn write_market(&mut self, index: usize) -> Result<()> {
        let feed_id = numbered(4, index);
        let market = Market {
            config: market_config((index % 3) as u8),
            exchange: self.exchange,
            feed_id: feed_id.to_bytes(),
            oracle_owner: Address::new_from_array(pyth::RECEIVER_PROGRAM_ID),
            symbol: *b"ABC\0\0\0\0\0\0\0\0\0\0\0\0\0",
            index: index as u16,
            base_decimals: 9,
            oracle_kind: oracle_kind::PRICE_UPDATE_V2,
            bump: bump(&[address::MARKET, self.exchange.as_ref(), &(index as u16).to_le_bytes()]),
            version: 1,
            ..Market::zeroed()
        };
        self.put(self.markets[index], &market)?;
        self.set_price(index, 100, NOW - 5)
    }

    /// Unix seconds of the machine's clock.
    pub fn now(&self) -> i64 {
        self.vm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Publishes a price of whole dollars for a market, and stores it in the market as `observe` would.
    pub fn set_price(&mut self, index: usize, dollars: i64, publish_time: i64) -> Result<()> {
        let mut market: Market = self.get(&self.markets[index])?;
        let price = dollars * 100_000_000;
        let update = PriceUpdate {
            feed_id: market.feed_id,
            price,
            confidence: price.unsigned_abs() * 3 / 10_000,
            ema_price: price - price / 500,
            exponent: -8,
            publish_time,
        };
        let owner = market.oracle_owner;
        self.put_raw(self.oracles[index], owner, update.encode())?;
        let account = PriceAccount { address: self.oracles[index], owner, data: update.encode() };
        let observation = account.observation(&market, self.now()).map_err(|error| anyhow!("{}", error.message()))?;
        market.spot = observation.spot.raw();
        market.ema = observation.ema.raw();
        market.confidence = observation.confidence.raw();
        market.publish_time = observation.publish_time.raw();
        self.put(self.markets[index], &market)
    }

    fn write_bank(&mut self, mint: Address, market: Address, decimals: u8, index: u16, is_quote: bool) -> Result<()> {
        let bank = address::bank(&self.exchange, &mint);
        let vault = address::vault(&bank);
        let data = Bank {
            config: if is_quote { quote_config() } else { bank_config() },
            deposit_index: INDEX_ONE + INDEX_ONE / 7,
            borrow_index: INDEX_ONE + INDEX_ONE / 5,
            deposit_shares: PLENTY / 2,
            borrow_shares: PLENTY / 4,
            vault_amount: PLENTY / 2,
            accrued_at: NOW - 60,
            exchange: self.exchange,
            mint,
            vault,
            market,
            token_program: TOKEN_PROGRAM,
            index,
            decimals,
            is_quote: u8::from(is_quote),
            bump: bump(&[address::BANK, self.exchange.as_ref(), mint.as_ref()]),
            vault_bump: bump(&[address::VAULT, bank.as_ref()]),
            version: 1,
            ..Bank::zeroed()
        };
        self.put(bank, &data)?;
        self.write_mint(mint, decimals)?;
        self.write_tokens(vault, mint, self.exchange)?;
        let owner = self.admin.pubkey();
        self.write_tokens(associated_token_account(&owner, &mint), mint, owner)
    }

    /// Writes a mint.
    pub fn write_mint(&mut self, mint: Address, decimals: u8) -> Result<()> {
        let state = Mint { supply: u64::MAX, decimals, is_initialized: true, ..Mint::default() };
        let mut data = vec![0; Mint::LEN];
        state.pack_into_slice(&mut data);
        self.put_raw(mint, TOKEN_PROGRAM, data)
    }

    /// A token account with plenty of a mint.
    pub fn write_tokens(&mut self, address: Address, mint: Address, owner: Address) -> Result<()> {
        let state =
            TokenAccount { mint, owner, amount: PLENTY, state: AccountState::Initialized, ..TokenAccount::default() };
        let mut data = vec![0; TokenAccount::LEN];
        state.pack_into_slice(&mut data);
        self.put_raw(address, TOKEN_PROGRAM, data)
    }

    /// Makes a collateral's mint one of Token-2022, with a transfer fee of 0.5 % where `with_fee`.
    pub fn make_2022(&mut self, index: usize, with_fee: bool) -> Result<()> {
        let mint = self.mints[index];
        self.change(&self.banks[index].clone(), |bank: &mut Bank| bank.token_program = TOKEN_2022_PROGRAM)?;
        let bank: Bank = self.get(&self.banks[index])?;
        // An address whose issuer may change the fee, another for what was withheld, then twice epoch, maximum, points.
        let fee = [&[0; 8][..], &u64::MAX.to_le_bytes(), &50u16.to_le_bytes()].concat();
        let config = [&[6; 64][..], &[0; 8], &fee, &fee].concat();
        self.extend(mint, if with_fee { Some((1, 1, config)) } else { None })?;
        for tokens in [bank.vault, self.tokens(&mint)] {
            self.extend(tokens, with_fee.then(|| (2, 2, vec![0; 8])))?;
        }
        Ok(())
    }

    /// Gives an account to Token-2022, with one extension of a kind of account, a type and a value.
    fn extend(&mut self, address: Address, extension: Option<(u8, u16, Vec<u8>)>) -> Result<()> {
        let mut data = self.vm.get_account(&address).context("no such account")?.data;
        if let Some((kind, number, value)) = extension {
            data.resize(TokenAccount::LEN, 0);
            data.push(kind);
            data.extend(number.to_le_bytes());
            data.extend(u16::try_from(value.len())?.to_le_bytes());
            data.extend(value);
        }
        self.put_raw(address, TOKEN_2022_PROGRAM, data)
    }

    /// The admin's token account of a mint.
    pub fn tokens(&self, mint: &Address) -> Address {
        associated_token_account(&self.admin.pubkey(), mint)
    }

    /// Price accounts of all markets, to be passed behind them.
    pub fn prices(&self) -> PriceAddresses {
        self.markets.iter().copied().zip(self.oracles.iter().copied()).collect()
    }

    /// A margin account of `owner` with `collaterals` balances, the first of them quote, and `perps` positions. The perps
    /// take the markets after those of the collaterals, as far as there are sixteen, and then share them.
    pub fn portfolio(&self, owner: Address, collaterals: usize, perps: usize) -> Result<MarginAccount> {
        let mut account = MarginAccount { exchange: self.exchange, owner, version: 1, ..MarginAccount::zeroed() };
        let fail = |error: plimsoll_client::PlimsollError| anyhow!("{}", error.message());
        if collaterals > 0 {
            let slot = account.balance_slot_or_new(&self.quote_bank, None).map_err(fail)?;
            account.balances[slot].shares = (100_000 * DOLLAR) as i64;
        }
        for index in 0..collaterals.saturating_sub(1) {
            let slot = account.balance_slot_or_new(&self.banks[index], Some(&self.markets[index])).map_err(fail)?;
            account.balances[slot].shares = (100 * TOKEN) as i64;
        }
        for index in 0..perps {
            let market = (collaterals.saturating_sub(1) + index) % MARKETS;
            let slot = account.market_slot_or_new(&self.markets[market]).map_err(fail)?;
            let size = if index % 2 == 0 { 10 } else { -10 } * TOKEN as i64;
            account.markets[slot].size = size;
            account.markets[slot].cash = -size / 10;
        }
        Ok(account)
    }

    /// Puts options into an account, as many of each of so many boards: one board in each of the account's last markets, with
    /// expiries of 30 days and more, puts and calls, bought and sold, of strikes around the price.
    pub fn add_options(
        &mut self,
        account: &mut MarginAccount,
        options: usize,
        boards: usize,
        apart: bool,
    ) -> Result<()> {
        let fail = |error: plimsoll_client::PlimsollError| anyhow!("{}", error.message());
        let used: Vec<Address> =
            account.markets.iter().filter(|slot| slot.in_use == 1).map(|slot| slot.market).collect();
        let markets: Vec<Address> = used.iter().rev().take(boards).copied().collect();
        for index in 0..boards {
            let market = markets[index % markets.len()];
            let address = self.write_board(&market, index)?;
            let slot = account.board_slot_or_new(&address, &market).map_err(fail)?;
            for number in 0..options / boards {
                let lots = if number % 3 == 0 { -2 } else { 2 };
                let series = if apart { 2 * number + number % 2 } else { number };
                account.set_option(slot, u8::try_from(series)?, lots).map_err(fail)?;
            }
        }
        Ok(())
    }

    /// Writes a board of sixteen strikes with its arrays of a minute ago, unless it is there.
    fn write_board(&mut self, market_address: &Address, index: usize) -> Result<Address> {
        let slot = u8::try_from(index % MAX_MARKET_BOARDS)?;
        let address = address::board(market_address, slot);
        if self.vm.get_account(&address).is_some() {
            return Ok(address);
        }
        let mut market: Market = self.get(market_address)?;
        market.range_ppm = market.config.volatility.initial_range_ppm();
        market.range_maint_ppm = market.range_ppm;
        market.boards |= 1 << slot;
        self.put(*market_address, &market)?;
        let mut board = Board {
            market: *market_address,
            exchange: self.exchange,
            expiry: NOW + (30 + 7 * index as i64) * 86_400,
            lot: market.config.options.lot,
            state: board_state::ACTIVE,
            slot,
            version: 1,
            volatilities_ppm: [800_000; MAX_STRIKES],
            ..Board::zeroed()
        };
        for (place, strike) in (0u64..).zip(&mut board.strikes) {
            *strike = market.spot / 100 * (76 + 3 * place);
        }
        let fail = |error: plimsoll_client::risk::Error| anyhow!("{}", error.message());
        let spot = Price::from_raw(market.spot);
        let terms = terms_at(&market, &board, spot, Timestamp::from_raw(NOW - 60))
            .map_err(|error| anyhow!("{}", error.message()))?;
        let nodes = Nodes::new(terms.range).map_err(fail)?;
        let mut refresh = Refresh::new(&terms, &nodes).map_err(fail)?;
        for (strike, array) in board.strikes.iter().zip(&mut board.arrays) {
            let computed = refresh.array(Price::from_raw(*strike), Volatility::from_raw(800_000)).map_err(fail)?;
            *array = computed.values;
        }
        board.terms = BoardTerms::from(refresh.terms());
        board.refreshed = board.listed();
        self.put(address, &board)?;
        Ok(address)
    }

    /// Writes a margin account, and the house's side and the open interest of its positions.
    pub fn put_account(&mut self, index: u16, account: &MarginAccount) -> Result<Address> {
        let address = address::margin_account(&self.exchange, &account.owner, index);
        for slot in account.markets.iter().filter(|slot| slot.in_use == 1) {
            let mut market: Market = self.get(&slot.market)?;
            market.house_size -= slot.size;
            market.house_cash -= slot.cash;
            if slot.size > 0 {
                market.open_interest_long += slot.size.unsigned_abs();
            } else {
                market.open_interest_short += slot.size.unsigned_abs();
            }
            self.put(slot.market, &market)?;
        }
        for option in account.options.iter().filter(|option| option.lots != 0) {
            let address = account.boards[usize::from(option.board_slot)].board;
            let mut board: Board = self.get(&address)?;
            let series = usize::from(option.series);
            board.house_lots[series] -= i64::from(option.lots);
            board.long_lots[series] += u64::from(option.lots.max(0).unsigned_abs());
            self.put(address, &board)?;
        }
        let bump = bump(&[address::MARGIN, self.exchange.as_ref(), account.owner.as_ref(), &index.to_le_bytes()]);
        self.put(address, &MarginAccount { index, bump, ..*account })?;
        Ok(address)
    }

    /// The account of type `T` at an address.
    pub fn get<T: AccountType>(&self, address: &Address) -> Result<T> {
        let account = self.vm.get_account(address).with_context(|| format!("no account at {address}"))?;
        T::read(&account.data).copied().with_context(|| format!("another account at {address}"))
    }

    /// Changes an account of the program.
    pub fn change<T: AccountType>(&mut self, address: &Address, change: impl FnOnce(&mut T)) -> Result<()> {
        let mut account = self.get(address)?;
        change(&mut account);
        self.put(*address, &account)
    }

    /// Writes an account of the program.
    pub fn put<T: AccountType>(&mut self, address: Address, account: &T) -> Result<()> {
        let mut data = T::DISCRIMINATOR.to_vec();
        data.extend_from_slice(bytemuck::bytes_of(account));
        self.put_raw(address, ID, data)
    }

    /// Writes a margin account of layout version 1, with the rent of its size.
    pub fn put_version_1(&mut self) -> Result<Address> {
        let address = Address::new_unique();
        self.put_raw(address, ID, include_bytes!("../../e2e/fixtures/margin_account_v1.bin").to_vec())?;
        Ok(address)
    }

    /// Writes an account of any program.
    pub fn put_raw(&mut self, address: Address, owner: Address, data: Vec<u8>) -> Result<()> {
        let lamports = self.vm.minimum_balance_for_rent_exemption(data.len());
        let account = Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX };
        self.vm.set_account(address, account).map_err(|error| anyhow!("{error:?}"))
    }

    /// Sends one instruction signed by the admin, and by `others`, and gives its compute units.
    pub fn send(&mut self, instruction: Instruction, others: &[&Keypair]) -> Result<u64> {
        self.send_all(&[instruction], others)
    }

    /// Sends instructions in one transaction signed by the admin, and by `others`, and gives its compute units.
    pub fn send_all(&mut self, instructions: &[Instruction], others: &[&Keypair]) -> Result<u64> {
        let message = Message::new(instructions, Some(&self.admin.pubkey()));
        let mut signers: Vec<&Keypair> = vec![&self.admin];
        signers.extend(others);
        let transaction = Transaction::new(&signers, message, self.vm.latest_blockhash());
        let outcome = self.vm.send_transaction(transaction);
        self.vm.expire_blockhash();
        match outcome {
            Ok(meta) => Ok(meta.compute_units_consumed),
            Err(failed) => Err(anyhow!("{:?}\n{}", failed.err, failed.meta.logs.join("\n"))),
        }
    }
}

/// The bump of an address.
pub fn bump(seeds: &[&[u8]]) -> u8 {
    Address::find_program_address(seeds, &ID).1
}

/// The exchange as a client sees it.
pub fn snapshot(world: &World) -> Result<Snapshot> {
    let mut banks = std::collections::BTreeMap::new();
    for bank in world.banks.iter().chain([&world.quote_bank]) {
        banks.insert(*bank, world.get(bank)?);
    }
    let mut markets = std::collections::BTreeMap::new();
    for market in &world.markets {
        markets.insert(*market, world.get(market)?);
    }
    let mut boards = std::collections::BTreeMap::new();
    for market in &world.markets {
        for slot in 0..MAX_MARKET_BOARDS as u8 {
            let address = address::board(market, slot);
            if world.vm.get_account(&address).is_some() {
                boards.insert(address, world.get(&address)?);
            }
        }
    }
    Ok(Snapshot {
        exchange: Keyed { address: world.exchange, data: world.get(&world.exchange)? },
        house: None,
        banks,
        markets,
        boards,
        prices: std::collections::BTreeMap::new(),
        now: NOW,
    })
}
