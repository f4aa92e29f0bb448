//! What is measured: every instruction, and those that read a portfolio by its number of collaterals and perps.

use std::path::Path;

use anyhow::{Context, Result};
use plimsoll_client::{
    Address, ID,
    accounts::{
        BalanceSlot, Bank, Board, Exchange, MAX_SERIES, MAX_STRIKES, MarginAccount, Market, Venue, board_state,
        trigger_side, trigger_when,
    },
    address,
    config::{
        AdapterConfig, BankConfig, ExchangeConfig, FundingConfig, RateSource, VenueConfig, VolatilityConfig,
        adapter_state, limits, loss_mode, rate_kind, role, state,
    },
    instruction::{
        TOKEN_PROGRAM, account, bank, board, collateral as build_collateral, controls as build, exchange, house, lien,
        liquidation, market, option, trade, trigger, venue, waterfall,
    },
    interface::{
        board::strike_price,
        change::{Change, QuoteFeed},
        instruction::{
            AssertHealthArgs, AssertPriceArgs, BuyReserveArgs, CloseOptionArgs, ClosePositionArgs, Contract,
            CreateBoardArgs, CreateMarketArgs, DeleverageArgs, FillArgs, FillOrdersArgs, LiquidateArgs,
            ListStrikesArgs, OpenOptionArgs, OpenPositionArgs, PlaceTriggerArgs, PostVolatilitiesArgs, StrikePrice,
            SwapArgs, VenueArgs, instrument,
        },
        lien::{LienRecord, RECORD, VERSION},
        order::Order,
    },
    price::PriceUpdate,
    remaining::{Pack, PriceAddresses},
    risk::{pyth, staking},
};
use solana_instruction::AccountMeta;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::world::{DOLLAR, NOW, TOKEN, World, bank_config, exchange_config, market_config, quote_config};

/// One measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The instruction.
    pub instruction: &'static str,
    /// What is special about it, empty for nothing.
    pub variant: &'static str,
    /// Balances of the margin account, quote included.
    pub collaterals: usize,
    /// Positions of the margin account.
    pub perps: usize,
    /// Compute units.
    pub units: u64,
}

impl Row {
    /// The key under which the figure is committed.
    pub fn key(&self) -> String {
        let variant = if self.variant.is_empty() { String::new() } else { format!("[{}]", self.variant) };
        format!("{}{variant}/c{:02}/p{:02}", self.instruction, self.collaterals, self.perps)
    }
}

/// Shapes of portfolio: one, four, eight and sixteen of each kind, and both together.
const SHAPES: [(usize, usize); 10] =
    [(1, 0), (4, 0), (8, 0), (16, 0), (1, 1), (1, 4), (1, 8), (1, 16), (8, 8), (16, 16)];

/// A portfolio with options.
#[derive(Clone, Copy, Debug)]
struct OptionShape {
    collaterals: usize,
    perps: usize,
    options: usize,
    boards: usize,
    /// Whether each option has a strike of its own; else calls stand beside the puts of their strikes.
    apart: bool,
    variant: &'static str,
}

/// Portfolios with options: none else, the one that the budgets name, and the largest that there is.
const OPTION_SHAPES: [OptionShape; 8] = [
    OptionShape { collaterals: 1, perps: 1, options: 4, boards: 1, apart: false, variant: "4 options of 1 board" },
    OptionShape { collaterals: 1, perps: 1, options: 8, boards: 1, apart: false, variant: "8 options of 1 board" },
    OptionShape { collaterals: 1, perps: 1, options: 16, boards: 1, apart: false, variant: "16 options of 1 board" },
    OptionShape { collaterals: 1, perps: 1, options: 8, boards: 1, apart: true, variant: "8 strikes of 1 board" },
    OptionShape { collaterals: 1, perps: 1, options: 16, boards: 1, apart: true, variant: "16 strikes of 1 board" },
    OptionShape { collaterals: 8, perps: 8, options: 16, boards: 2, apart: false, variant: "16 options of 2 boards" },
    OptionShape { collaterals: 8, perps: 8, options: 16, boards: 2, apart: true, variant: "16 strikes of 2 boards" },
    OptionShape { collaterals: 16, perps: 16, options: 32, boards: 8, apart: false, variant: "32 options of 8 boards" },
];

/// Measures everything.
pub fn measure(so: &Path) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    setting_up(so, &mut rows)?;
    controls(so, &mut rows)?;
    cranks(so, &mut rows)?;
    waterfall_rows(so, &mut rows)?;
    token_rows(so, &mut rows)?;
    boards(so, &mut rows)?;
    venues(so, &mut rows)?;
    collateral(so, &mut rows)?;
    liens(so, &mut rows)?;
    for (collaterals, perps) in SHAPES {
        portfolio(so, collaterals, perps, &mut rows)
            .with_context(|| format!("{collaterals} collaterals, {perps} perps"))?;
    }
    for shape in OPTION_SHAPES {
        with_options(so, &shape, &mut rows).with_context(|| format!("{} of {shape:?}", shape.variant))?;
    }
    Ok(rows)
}

/// Prints the rows whose key contains a text.
pub fn print(rows: &[Row], text: &str) {
    for row in rows.iter().filter(|row| row.key().contains(text)) {
        println!("{:>7}  {}", row.units, row.key());
    }
}

fn single(rows: &mut Vec<Row>, instruction: &'static str, variant: &'static str, units: u64) {
    rows.push(Row { instruction, variant, collaterals: 0, perps: 0, units });
}

/// What an administrator does, from an empty chain on.
fn setting_up(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let admin = world.admin.pubkey();
    let quote_mint = world.quote_mint;
    let create = exchange::Create { creator: admin, quote_mint, index: 1, config: exchange_config() };
    single(rows, "create_exchange", "", world.send(create.instruction(), &[])?);
    let exchange = address::exchange(&admin, 1);
    let configure = exchange::Configure { admin, exchange, config: exchange_config() };
    single(rows, "configure_exchange", "", world.send(configure.instruction(), &[])?);
    let config = bank_config();
    let create = bank::Create {
        admin,
        exchange,
        mint: quote_mint,
        token_program: TOKEN_PROGRAM,
        market: None,
        config: quote_config(),
    };
    single(rows, "create_bank", "quote", world.send(create.instruction(), &[])?);
    let create = house::Create { admin, exchange };
    single(rows, "create_house", "", world.send(create.instruction(), &[])?);
    let source = world.tokens(&quote_mint);
    let ticket = house::Ticket { owner: admin, exchange, quote_mint, token_program: TOKEN_PROGRAM, index: 0 };
    world.send(ticket.provide(source, 50_000_000 * DOLLAR), &[])?;
    world.send(house::Value { exchange, quote_mint, remaining: vec![] }.instruction(), &[])?;
    world.send(ticket.execute(), &[])?;
    let args = CreateMarketArgs {
        symbol: *b"SOL\0\0\0\0\0\0\0\0\0\0\0\0\0",
        feed_id: [9; 32],
        oracle_owner: Address::new_from_array(pyth::RECEIVER_PROGRAM_ID),
        oracle_kind: 0,
        base_decimals: 9,
        config: market_config(0).starting(),
    };
    let create = market::Create { admin, exchange, index: 0, args };
    single(rows, "create_market", "", world.send(create.instruction(), &[])?);
    let market = address::market(&exchange, 0);
    let configure = market::Configure { admin, exchange, market, config: market_config(0) };
    single(rows, "configure_market", "", world.send(configure.instruction(), &[])?);
    let mint = world.mints[0];
    let create = bank::Create {
        admin,
        exchange,
        mint,
        token_program: TOKEN_PROGRAM,
        market: Some(market),
        config: config.starting(),
    };
    single(rows, "create_bank", "collateral", world.send(create.instruction(), &[])?);
    let configure = bank::Configure { admin, exchange, bank: address::bank(&exchange, &mint), config };
    single(rows, "configure_bank", "", world.send(configure.instruction(), &[])?);
    let create = account::Create { payer: admin, owner: admin, exchange, index: 0 };
    single(rows, "create_account", "", world.send(create.instruction(), &[])?);
    let account = address::margin_account(&exchange, &admin, 0);
    let delegate = account::SetDelegate { owner: admin, account, delegate: exchange, scope: 0 };
    single(rows, "set_delegate", "", world.send(delegate.instruction(), &[])?);
    let (size, when, side) = (u64::MAX, 1, 1);
    let args = PlaceTriggerArgs { trigger_price: 1, limit_price: 0, size, tip: DOLLAR, expires_at: 0, side, when };
    let place = trigger::Place { authority: admin, account, market, args };
    single(rows, "place_trigger", "", world.send(place.instruction(), &[])?);
    let cancel = trigger::Cancel { authority: admin, account, index: 0 };
    single(rows, "cancel_trigger", "", world.send(cancel.instruction(), &[])?);
    let upgrade = account::Upgrade { payer: admin, account: world.put_version_1()? };
    single(rows, "upgrade_account", "", world.send(upgrade.instruction(), &[])?);
    let close = account::Close { owner: admin, account };
    single(rows, "close_account", "", world.send(close.instruction(), &[])?);
    Ok(())
}

/// What an administrator does under a timelock, and what anyone may assert.
fn controls(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (admin, exchange) = (world.admin.pubkey(), world.exchange);
    let market: Market = world.get(&world.markets[0])?;
    let feed = QuoteFeed { oracle_kind: 0, feed_id: market.feed_id, oracle_owner: market.oracle_owner };
    let set = build::SetQuoteFeed { admin, exchange, feed, proposed: false };
    single(rows, "set_quote_feed", "", world.send(set.instruction(), &[])?);
    let config = ExchangeConfig { timelock_seconds: 60, ..exchange_config() };
    world.send(exchange::Configure { admin, exchange, config }.instruction(), &[])?;
    let nominate = build::NominateAdmin { authority: admin, exchange, nominee: admin };
    single(rows, "nominate_admin", "", world.send(nominate.instruction(), &[])?);
    let take = build::SetRole {
        authority: admin,
        exchange,
        role: role::FORECASTER,
        holder: Address::default(),
        proposed: false,
    };
    single(rows, "set_role", "taken away", world.send(take.instruction(), &[])?);
    let pauses = build::SetPauses { authority: admin, exchange, set: 1, clear: 1 };
    single(rows, "set_pauses", "", world.send(pauses.instruction(), &[])?);
    let resume = build::SetPauses { authority: admin, exchange, set: 0, clear: 1 };
    world.send(resume.instruction(), &[])?;
    let subject = world.banks[0];
    let wish = BankConfig { borrow_cap: 7, haircut_init_ppm: 40_000, ..bank_config() };
    let propose = build::Propose { admin, exchange, subject, change: Change::Bank(wish) };
    single(rows, "propose", "", world.send(propose.instruction(), &[])?);
    let cancel = build::CancelProposal { authority: admin, exchange, subject };
    single(rows, "cancel_proposal", "", world.send(cancel.instruction(), &[])?);
    world.send(propose.instruction(), &[])?;
    let account = world.portfolio(admin, 8, 8)?;
    let address = world.put_account(0, &account)?;
    let remaining = Pack::of(&account).metas(&PriceAddresses::new());
    let args = AssertHealthArgs { kind: 1, minimum: i64::MIN };
    let health = build::AssertHealth { exchange, account: address, args, remaining };
    single(rows, "assert_health", "8 collaterals, 8 perps", world.send(health.instruction(), &[])?);
    let sequence = build::AssertSequence { account: address, sequence: 0 };
    single(rows, "assert_sequence", "", world.send(sequence.instruction(), &[])?);
    let args = AssertPriceArgs { minimum: 0, maximum: u64::MAX, max_age_seconds: 60 };
    let price = build::AssertPrice { market: world.markets[0], oracle: None, args };
    single(rows, "assert_price", "", world.send(price.instruction(), &[])?);
    winding_down(&mut world, &account, address, rows)?;
    let configure = bank::Configure { admin, exchange, bank: subject, config: wish };
    single(rows, "configure_bank", "proposed", world.send(configure.proposed(), &[])?);
    Ok(())
}

/// The end of a position, a market and a bank, and the quote's price; a day later than everything else.
fn winding_down(world: &mut World, account: &MarginAccount, address: Address, rows: &mut Vec<Row>) -> Result<()> {
    let (admin, exchange) = (world.admin.pubkey(), world.exchange);
    let slot = account.markets.iter().rev().find(|slot| slot.size != 0).context("no position")?;
    let index = world.markets.iter().position(|market| *market == slot.market).context("no market")?;
    let end = NOW + i64::from(limits::WIND_DOWN_NOTICE_SECONDS_MIN);
    let mut data: Market = world.get(&world.markets[index])?;
    (data.config.state, data.config.risk_budget, data.wind_down_at) = (state::WIND_DOWN, 0, end);
    world.put(world.markets[index], &data)?;
    let mut data: Bank = world.get(&world.banks[index])?;
    (data.config.state, data.deposit_shares, data.borrow_shares) = (state::WIND_DOWN, 0, 0);
    world.put(world.banks[index], &data)?;
    let mut clock = world.vm.get_sysvar::<solana_clock::Clock>();
    clock.unix_timestamp = end;
    world.vm.set_sysvar(&clock);
    for index in [0, index] {
        world.set_price(index, 1, end)?;
    }
    let accept = build::AcceptAdmin { nominee: admin, exchange };
    single(rows, "accept_admin", "", world.send(accept.instruction(), &[])?);
    let observe = build::ObserveQuote { exchange, oracle: world.oracles[0] };
    single(rows, "observe_quote", "", world.send(observe.instruction(), &[])?);
    let (market, oracle) = (slot.market, world.oracles[index]);
    let wind_down = build::WindDownPosition { exchange, account: address, market, oracle };
    single(rows, "wind_down_position", "", world.send(wind_down.instruction(), &[])?);
    let mut data: Market = world.get(&market)?;
    (data.house_size, data.house_cash, data.open_interest_long, data.open_interest_short) = (0, 0, 0, 0);
    data.config.options.enabled = 0;
    world.put(market, &data)?;
    let retire = build::RetireMarket { admin, exchange, market };
    single(rows, "retire_market", "", world.send(retire.instruction(), &[])?);
    let retire = build::RetireBank { admin, exchange, bank: world.banks[index] };
    single(rows, "retire_bank", "", world.send(retire.instruction(), &[])?);
    Ok(())
}

/// What anyone may do to keep the exchange up to date, and who joins and leaves the house.
fn cranks(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (market, oracle) = (world.markets[0], world.oracles[0]);
    single(rows, "observe", "", world.send(market::Observe { market, oracle }.instruction(), &[])?);
    volatility_and_funding(so, rows)?;
    let accrue = bank::Accrue { bank: world.banks[0] };
    single(rows, "accrue", "", world.send(accrue.instruction(), &[])?);
    let account = world.portfolio(world.admin.pubkey(), 1, 1)?;
    let account = world.put_account(0, &account)?;
    let (exchange, quote_mint) = (world.exchange, world.quote_mint);
    let market = world.markets[0];
    let settle = trade::Settle { exchange, account, market, quote_mint, oracle: Some(oracle) };
    single(rows, "settle", "", world.send(settle.instruction(), &[])?);
    pool(&mut world, rows)
}

/// Who joins and leaves the house, and its valuation over sixteen markets.
fn pool(world: &mut World, rows: &mut Vec<Row>) -> Result<()> {
    let (exchange, quote_mint, owner) = (world.exchange, world.quote_mint, world.admin.pubkey());
    let source = world.tokens(&quote_mint);
    let ticket = |index| house::Ticket { owner, exchange, quote_mint, token_program: TOKEN_PROGRAM, index };
    let shares = world.write_shares()?;
    single(rows, "request_provide", "", world.send(ticket(0).provide(source, DOLLAR), &[])?);
    single(rows, "request_redeem", "", world.send(ticket(1).redeem(shares, DOLLAR), &[])?);
    world.send(ticket(2).redeem(shares, DOLLAR), &[])?;
    let cancel = ticket(2).cancel(house::Asset::Shares, shares);
    single(rows, "cancel_ticket", "", world.send(cancel, &[])?);
    world.wait(60)?;
    let value = |markets: &[Address]| house::Value {
        exchange,
        quote_mint,
        remaining: markets.iter().map(|market| AccountMeta::new(*market, false)).collect(),
    };
    let (first, rest) = world.markets.split_at(8);
    let (first, rest, all) = (value(first), value(rest), value(&world.markets));
    single(rows, "value_house", "8 of 16 markets", world.send(first.instruction(), &[])?);
    world.send(rest.instruction(), &[])?;
    single(rows, "value_house", "8 of 16 markets, checked", world.send(first.instruction(), &[])?);
    single(rows, "value_house", "16 markets", world.send(all.instruction(), &[])?);
    single(rows, "execute_ticket", "provide", world.send(ticket(0).execute(), &[])?);
    single(rows, "execute_ticket", "redeem", world.send(ticket(1).execute(), &[])?);
    single(rows, "claim_ticket", "", world.send(ticket(1).claim(house::Asset::Quote, source), &[])?);
    Ok(())
}

/// A market whose range follows its price, with a forecast that is on its ramp, and with funding.
fn volatility_and_funding(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (market, oracle, exchange) = (world.markets[0], world.oracles[0], world.exchange);
    world.change(&market, |market: &mut Market| {
        market.config.volatility = VolatilityConfig::DEFAULT;
        market.config.funding = FundingConfig { skew_rate_per_day_ppm: 10_000, max_rate_per_day_ppm: 10_000 };
        market.funding_accrued_at = NOW - 60;
        market.house_size = -777 * TOKEN as i64;
    })?;
    let observe = market::Observe { market, oracle }.instruction();
    let accrue = market::AccrueFunding { market }.instruction();
    single(rows, "accrue_funding", "", world.send(accrue, &[])?);
    single(rows, "observe", "first sample", world.send(observe.clone(), &[])?);
    let earlier = |market: &mut Market| {
        market.estimate.publish_time -= 600;
        market.estimate.price -= market.estimate.price / 500;
        market.funding_accrued_at -= 60;
    };
    world.change(&market, earlier)?;
    single(rows, "observe", "sample", world.send(observe.clone(), &[])?);
    let volatility_ppm = world.get::<Market>(&market)?.estimated_volatility().raw() / 10 * 12;
    let post = market::PostForecast { forecaster: world.admin.pubkey(), exchange, market, volatility_ppm };
    single(rows, "post_forecast", "", world.send(post.instruction(), &[])?);
    world.change(&market, earlier)?;
    world.change(&market, |market: &mut Market| market.forecast.posted_at -= 3_600)?;
    single(rows, "observe", "sample, forecast", world.send(observe, &[])?);
    Ok(())
}

/// The same portfolio where every position owes funding and is charged for concentration, and every haircut grows.
fn flag_charged(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let address = world.put_account(0, account)?;
    for market in world.markets.clone() {
        world.change(&market, |market: &mut Market| {
            market.config.concentration_ppm = 20_000;
            market.funding_index = 12_345_678_901;
        })?;
    }
    for bank in world.banks.clone() {
        world.change(&bank, |bank: &mut Bank| {
            bank.config.haircut_init_full_ppm = 150_000;
            bank.config.haircut_maint_full_ppm = 80_000;
        })?;
    }
    let remaining = Pack::of(account).metas(prices);
    world.send(liquidation::Flag { exchange: world.exchange, account: address, remaining }.instruction(), &[])
}

/// The waterfall's, but for those that read a whole portfolio.
fn waterfall_rows(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (admin, exchange, quote_mint) = (world.admin.pubkey(), world.exchange, world.quote_mint);
    let source = world.tokens(&quote_mint);
    let fund = waterfall::FundInsurance {
        funder: admin,
        exchange,
        quote_mint,
        token_program: TOKEN_PROGRAM,
        source,
        amount: DOLLAR,
    };
    single(rows, "fund_insurance", "", world.send(fund.instruction(), &[])?);
    let mut bank: Bank = world.get(&world.banks[0])?;
    bank.reserve = TOKEN;
    world.put(world.banks[0], &bank)?;
    let buy = waterfall::BuyReserve {
        buyer: admin,
        exchange,
        mint: world.mints[0],
        token_program: TOKEN_PROGRAM,
        destination: world.tokens(&world.mints[0]),
        quote_mint,
        quote_token_program: TOKEN_PROGRAM,
        source,
        market: world.markets[0],
        oracle: world.oracles[0],
        args: BuyReserveArgs { amount: TOKEN, max_payment: u64::MAX },
    };
    single(rows, "buy_reserve", "", world.send(buy.instruction(), &[])?);
    Ok(())
}

/// A deposit and a withdrawal of a collateral's own tokens, of the three kinds of mints: what differs is the mint.
fn token_rows(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let kinds =
        [("own tokens", None), ("own tokens, Token-2022", Some(false)), ("own tokens, transfer fee", Some(true))];
    for (variant, with_fee) in kinds {
        let mut world = World::new(so)?;
        if let Some(with_fee) = with_fee {
            world.make_2022(0, with_fee)?;
        }
        let (mint, bank): (_, Bank) = (world.mints[0], world.get(&world.banks[0])?);
        let owner = world.admin.pubkey();
        let account = world.portfolio(owner, 2, 0)?;
        let account = world.put_account(0, &account)?;
        let (exchange, token_program, tokens) = (world.exchange, bank.token_program, world.tokens(&mint));
        let (source, amount) = (tokens, TOKEN);
        let deposit =
            account::Deposit { authority: owner, exchange, account, mint, token_program, source, amount }.instruction();
        single(rows, "deposit", variant, world.send(deposit, &[])?);
        let (destination, remaining) = (tokens, Vec::new());
        let withdraw =
            account::Withdraw { owner, exchange, account, mint, token_program, destination, amount, remaining };
        single(rows, "withdraw", variant, world.send(withdraw.instruction(), &[])?);
    }
    Ok(())
}

/// An account of the shape without equity, owned by a stranger: it owes what it is worth, and 100,000 USD.
fn insolvent(world: &World, account: &MarginAccount) -> Result<MarginAccount> {
    let stranger = Keypair::new_from_array([8; 32]);
    let mut sinking = MarginAccount { owner: stranger.pubkey(), ..*account };
    let quote = sinking.balance_slot(&world.quote_bank).context("no quote balance")?;
    sink(world, &mut sinking, quote)?;
    let margin = crate::world::snapshot(world)?.margin(&sinking).map_err(|error| anyhow::anyhow!("{error}"))?;
    let owed = margin.equity_maint.raw() + (100_000 * DOLLAR) as i64;
    sinking.balances[quote].shares -= owed;
    Ok(sinking)
}

/// Puts `insurance` into the quote bank's reserve.
fn insure(world: &mut World, insurance: u64) -> Result<()> {
    let mut bank: Bank = world.get(&world.quote_bank)?;
    bank.reserve = insurance;
    world.put(world.quote_bank, &bank)
}

fn liquidate_insolvent(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let sinking = insolvent(world, account)?;
    insure(world, 10_000_000 * DOLLAR)?;
    take_over(world, account, &sinking, prices)
}

fn resolve(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let sinking = insolvent(world, account)?;
    let address = world.put_account(0, &sinking)?;
    let remaining = Pack::resolving(&sinking, &world.quote_bank).metas(prices);
    let (exchange, quote_mint) = (world.exchange, world.quote_mint);
    let resolve = waterfall::Resolve { exchange, account: address, quote_mint, remaining };
    world.send(resolve.instruction(), &[])
}

/// Against an account of the same shape with the opposite position in one market, and all that it has gained unsettled.
fn deleverage(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let mut exchange: Exchange = world.get(&world.exchange)?;
    (exchange.config.loss_mode, exchange.config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX);
    world.put(world.exchange, &exchange)?;
    let sinking = insolvent(world, account)?;
    let index = traded(world, account);
    let (market, oracle) = (world.markets[index], world.oracles[index]);
    let mut gainer = *account;
    let slot = gainer.market_slot(&market).context("no slot")?;
    gainer.markets[slot].size = -sinking.markets[slot].size;
    gainer.markets[slot].cash = (1_000_000 * DOLLAR) as i64;
    let (address, counterparty) = (world.put_account(0, &sinking)?, world.put_account(0, &gainer)?);
    let quote_bank = world.quote_bank;
    let deleverage = waterfall::Deleverage {
        exchange: world.exchange,
        account: address,
        counterparty,
        market,
        quote_mint: world.quote_mint,
        oracle,
        args: DeleverageArgs { size: u64::MAX },
        remaining: Pack::deleveraging(&sinking, &gainer, &market, &oracle, &quote_bank, &[]).metas(prices),
    };
    world.send(deleverage.instruction(), &[])
}

/// Both ends with nothing between them: the second computes the margin of the taker.
fn without_capital(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let taker = world.put_account(0, account)?;
    let (authority, exchange) = (account.owner, world.exchange);
    let begin = waterfall::Begin { authority, exchange, taker }.instruction();
    let end = waterfall::End { authority, exchange, taker, remaining: Pack::of(account).metas(prices) };
    world.send_all(&[begin, end.instruction()], &[])
}

/// Lists a strike of 50 to 95 dollars in each of the given slots; the market is at 100.
fn listing(slots: std::ops::Range<u16>) -> ListStrikesArgs {
    let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
    for slot in slots {
        strikes[usize::from(slot)] = StrikePrice { digits: 500 + 30 * slot, exponent: -1 };
    }
    ListStrikesArgs { strikes }
}

/// The life of an option board: of one strike, of sixteen, and with the house in all of its series.
fn boards(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (authority, exchange, market) = (world.admin.pubkey(), world.exchange, world.markets[0]);
    let (oracle, board) = (Some(world.oracles[0]), address::board(&market, 0));
    let args = CreateBoardArgs { expiry: NOW.div_euclid(86_400) * 86_400 + 30 * 86_400 + 28_800, slot: 0 };
    let create = board::Create { authority, exchange, market, args };
    single(rows, "create_board", "", world.send(create.instruction(), &[])?);
    let list = |args| board::ListStrikes { authority, exchange, market, board, oracle, args }.instruction();
    world.send(list(listing(0..1)), &[])?;
    let refresh = board::Refresh { exchange, market, board, oracle, max_strikes: 0 }.instruction();
    single(rows, "refresh_board", "1 strike", world.send(refresh.clone(), &[])?);
    single(rows, "list_strikes", "15 strikes", world.send(list(listing(1..16)), &[])?);
    let args = PostVolatilitiesArgs { volatilities_ppm: [1_100_000; MAX_STRIKES], basis_ppm: 1_000 };
    let post = board::PostVolatilities { authority, exchange, market, board, args };
    single(rows, "post_volatilities", "16 strikes", world.send(post.instruction(), &[])?);
    single(rows, "refresh_board", "16 strikes", world.send(refresh.clone(), &[])?);
    let mut full: Board = world.get(&board)?;
    full.house_lots = std::array::from_fn(|series| if series % 3 == 0 { 5 } else { -7 });
    world.put(board, &full)?;
    single(rows, "refresh_board", "16 strikes, house in 32 series", world.send(refresh, &[])?);
    // As if it expired in a minute, then as if it had.
    let mut late: Board = world.get(&board)?;
    late.expiry = NOW + 60;
    world.put(board, &late)?;
    let sample = board::Sample { market, board, oracle: world.oracles[0] };
    single(rows, "sample_expiry", "", world.send(sample.instruction(), &[])?);
    let mut over: Board = world.get(&board)?;
    over.expiry = NOW - 60;
    over.samples = std::array::from_fn(|index| over.samples[0] + index as u64 * 7_919 % 30);
    over.sample_count = over.samples.len() as u64;
    world.put(board, &over)?;
    let settle = board::Settle { exchange, market, board };
    single(rows, "settle_board", "30 samples, house in 32 series", world.send(settle.instruction(), &[])?);
    let mut empty: Board = world.get(&board)?;
    empty.house_lots = [0; MAX_SERIES];
    world.put(board, &empty)?;
    let close = board::Close { authority, exchange, market, board };
    single(rows, "close_board", "", world.send(close.instruction(), &[])?);
    Ok(())
}

/// Staked tokens and swaps. The first bank is of a staked token; its pool and its own feed are written directly.
fn collateral(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (bank, mint, market, oracle) = (world.banks[0], world.mints[0], world.markets[0], world.oracles[0]);
    let (pool, feed) = (Address::new_from_array([5; 32]), Address::new_from_array([6; 32]));
    let mut data = vec![0; 611];
    data[0] = 1;
    data[162..194].copy_from_slice(mint.as_ref());
    data[258..266].copy_from_slice(&(5 * TOKEN).to_le_bytes());
    data[266..274].copy_from_slice(&(4 * TOKEN).to_le_bytes());
    world.put_raw(pool, Address::new_from_array(staking::STAKE_POOL_PROGRAM_ID), data)?;
    let receiver = Address::new_from_array(pyth::RECEIVER_PROGRAM_ID);
    let price = 125 * 100_000_000;
    let update = PriceUpdate {
        feed_id: feed.to_bytes(),
        price,
        confidence: 3_000_000,
        ema_price: price,
        exponent: -8,
        publish_time: NOW,
    };
    world.put_raw(feed, receiver, update.encode())?;
    let mut unused: Bank = world.get(&bank)?;
    (unused.deposit_shares, unused.borrow_shares) = (0, 0);
    world.put(bank, &unused)?;
    let source = RateSource {
        pool,
        has_feed: 1,
        feed_id: feed.to_bytes(),
        feed_owner: receiver,
        max_age_seconds: 3_600,
        rise_per_day_ppm: 1_000,
        kind: rate_kind::STAKE_POOL,
        ..RateSource::NONE
    };
    let (authority, exchange) = (world.admin.pubkey(), world.exchange);
    let set = build_collateral::SetRateSource { authority, exchange, bank, source, proposed: false };
    single(rows, "set_rate_source", "", world.send(set.instruction(), &[])?);
    let update = build_collateral::UpdateRate { bank, market, source: pool, oracle: Some(oracle), feed: Some(feed) };
    single(rows, "update_rate", "capped by a feed", world.send(update.instruction(), &[])?);
    let mut held: Bank = world.get(&bank)?;
    held.deposit_shares = 1_000 * TOKEN;
    held.inventory_shares = 10 * TOKEN;
    held.vault_amount = 2_000 * TOKEN;
    world.put(bank, &held)?;
    // The next swap counts what it is worth.
    world.change::<Market>(&market, |market| market.inventory_banks = 1)?;
    let account = world.portfolio(authority, 2, 0)?;
    let flag_account = world.put_account(1, &account)?;
    let remaining = Pack::of(&account).metas(&PriceAddresses::new());
    let flag = liquidation::Flag { exchange, account: flag_account, remaining };
    single(rows, "flag_liquidation", "2 collaterals, one rated", world.send(flag.instruction(), &[])?);
    for (variant, amount) in [("sell", -(TOKEN as i64)), ("buy", TOKEN as i64)] {
        let account = world.portfolio(authority, 8, 8)?;
        let address = world.put_account(0, &account)?;
        let limit_amount = if amount > 0 { u64::MAX } else { 0 };
        let quote_bank = world.quote_bank;
        let swap = build_collateral::Swap {
            authority,
            exchange,
            account: address,
            quote_mint: world.quote_mint,
            mint,
            market,
            oracle,
            args: SwapArgs { amount, limit_amount, expires_at: 0 },
            remaining: Pack::swapping(&account, &quote_bank, &bank, &market, &oracle).metas(&PriceAddresses::new()),
        };
        let units = world.send(swap.instruction(), &[])?;
        rows.push(Row { instruction: "swap", variant, collaterals: 8, perps: 8, units });
    }
    Ok(())
}

/// Liens with the example of an adapter, which is called; what it and the token program consume is in the figures.
fn liens(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let program = Address::new_from_array([b'k'; 32]);
    world.add_program(program, &so.with_file_name("example_adapter.so"))?;
    let (admin, exchange, bank, mint) = (world.admin.pubkey(), world.exchange, world.banks[0], world.mints[0]);
    let config = AdapterConfig {
        cap: 0,
        haircut_ppm: 100_000,
        grace_seconds: 60,
        state: adapter_state::ACTIVE,
        _padding: [0; 7],
    };
    let register = lien::RegisterAdapter { admin, exchange, bank, program, config };
    single(rows, "register_adapter", "", world.send(register.instruction(), &[])?);
    let (adapter, config) = (address::adapter(&bank, &program), AdapterConfig { cap: 1_000 * TOKEN, ..config });
    let configure = lien::ConfigureAdapter { authority: admin, exchange, adapter, config, proposed: false };
    single(rows, "configure_adapter", "", world.send(configure.instruction(), &[])?);

    let portfolio = world.portfolio(admin, 8, 8)?;
    let account = world.put_account(0, &portfolio)?;
    let (record, vault) = (Address::new_from_array([b'P'; 32]), Address::new_from_array([b'V'; 32]));
    let (custodian, bump) = Address::find_program_address(&[b"custodian"], &program);
    let locked = LienRecord {
        version: VERSION,
        beneficiary: address::lien_authority(&adapter),
        account,
        mint,
        amount: 100 * TOKEN,
    };
    // As the example keeps a position: the record, whose it is, its vault, nothing free, the custodian's bump.
    let free = [[0; 8], [bump, 0, 0, 0, 0, 0, 0, 0]].concat();
    let position = [&RECORD, bytemuck::bytes_of(&locked), admin.as_ref(), vault.as_ref(), &free].concat();
    world.put_raw(record, program, position)?;
    world.write_tokens(vault, mint, custodian)?;
    let accounts = lien::LienAccounts { owner: admin, exchange, account, bank, program, record };
    let open = lien::Open { accounts, amount: 100 * TOKEN };
    single(rows, "open_lien", "", world.send(open.instruction(), &[])?);
    let flag = liquidation::Flag { exchange, account, remaining: Pack::of(&portfolio).metas(&PriceAddresses::new()) };
    let units = world.send(flag.instruction(), &[])?;
    rows.push(Row { instruction: "flag_liquidation", variant: "a lien", collaterals: 8, perps: 8, units });
    let update = lien::Update { accounts, remaining: Vec::new() };
    single(rows, "update_lien", "", world.send(update.instruction(), &[])?);
    let remaining = Pack::seizing(&portfolio, &bank).metas(&PriceAddresses::new());
    let release = lien::Release { accounts, amount: TOKEN, remaining: remaining.clone(), for_adapter: Vec::new() };
    let row = |instruction, units| Row { instruction, variant: "", collaterals: 8, perps: 8, units };
    rows.push(row("release_lien", world.send(release.instruction(), &[])?));
    let quote = portfolio.balance_slot(&world.quote_bank).context("no quote balance")?;
    world.change::<MarginAccount>(&account, |account| {
        account.balances[quote].shares = -((10_000_000 * DOLLAR) as i64)
    })?;
    let for_adapter = vec![AccountMeta::new(vault, false), AccountMeta::new_readonly(custodian, false)];
    let seize = lien::Seize { accounts, token_program: TOKEN_PROGRAM, remaining, for_adapter };
    rows.push(row("seize_lien", world.send(seize.instruction(), &[])?));
    Ok(())
}

/// What reads a whole portfolio.
fn portfolio(so: &Path, collaterals: usize, perps: usize, rows: &mut Vec<Row>) -> Result<()> {
    let mut measure = |instruction, variant, f: fn(&mut World, &MarginAccount, &PriceAddresses) -> Result<u64>| {
        let mut world = World::new(so)?;
        let account = world.portfolio(world.admin.pubkey(), collaterals, perps)?;
        let prices = if variant == "price accounts" { world.prices() } else { PriceAddresses::new() };
        let units = f(&mut world, &account, &prices).with_context(|| format!("{instruction} {variant}"))?;
        rows.push(Row { instruction, variant, collaterals, perps, units });
        anyhow::Ok(())
    };
    measure("flag_liquidation", "", flag)?;
    measure("flag_liquidation", "funding, concentration, growing haircuts", flag_charged)?;
    if 2 * (collaterals - 1).max(1) + 2 * perps + collaterals <= 50 {
        measure("flag_liquidation", "price accounts", flag)?;
    }
    measure("deposit", "", deposit)?;
    measure("withdraw", "", withdraw)?;
    measure("open_position", "", open)?;
    if perps > 0 {
        measure("close_position", "", close)?;
        measure("execute_trigger", "for a tip", execute_trigger)?;
    }
    measure("liquidate", "", liquidate)?;
    measure("liquidate", "insolvent", liquidate_insolvent)?;
    measure("resolve", "house", resolve)?;
    if perps > 0 {
        measure("deleverage", "", deleverage)?;
    }
    measure("begin_liquidation", "and end_liquidation", without_capital)?;
    measure("fill", "", fill)?;
    measure("fill_orders", "two orders", fill_orders)?;
    if collaterals > 1 {
        measure("fill", "spot", fill_spot)?;
    }
    Ok(())
}

/// What registers venues and keeps orders.
fn venues(so: &Path, rows: &mut Vec<Row>) -> Result<()> {
    let mut world = World::new(so)?;
    let (admin, exchange) = (world.admin.pubkey(), world.exchange);
    let account = world.portfolio(admin, 1, 0)?;
    let account = world.put_account(0, &account)?;
    let create = venue::CreateOrders { payer: admin, account };
    single(rows, "create_orders", "", world.send(create.instruction(), &[])?);
    let cancel = venue::CancelOrders { authority: admin, account, floor: 1 };
    single(rows, "cancel_orders", "", world.send(cancel.instruction(), &[])?);
    let config = VenueConfig {
        fill_limit: u64::MAX,
        window_limit: u64::MAX,
        total_limit: u64::MAX,
        window_seconds: 3_600,
        state: 0,
        _padding: [0; 3],
    };
    let args = VenueArgs { config };
    let register = venue::Register { admin, exchange, program: ID, args };
    single(rows, "register_venue", "", world.send(register.instruction(), &[])?);
    let configure = venue::Configure { admin, exchange, program: ID, args };
    single(rows, "configure_venue", "", world.send(configure.instruction(), &[])?);
    let venue = address::venue(&exchange, &ID);
    let approve = venue::SetApproval { owner: admin, account, venue, limit: u64::MAX };
    single(rows, "set_venue_approval", "", world.send(approve.instruction(), &[])?);
    venue_fill(&mut world, rows, venue)
}

/// Between two accounts that hold quote alone; the admin stands in for the venue program's address.
fn venue_fill(world: &mut World, rows: &mut Vec<Row>, venue: Address) -> Result<()> {
    let admin = world.admin.pubkey();
    let mut data: Venue = world.get(&venue)?;
    data.signer = admin;
    world.put(venue, &data)?;
    let mut account = world.portfolio(admin, 1, 0)?;
    account.approve_venue(&venue, u64::MAX).map_err(|error| anyhow::anyhow!(error.message()))?;
    let (buyer, seller) = (world.put_account(0, &account)?, world.put_account(1, &account)?);
    let accounts = fill_accounts(world, &account, buyer, seller, &PriceAddresses::new())?;
    let args = fill_args(world, &accounts.market)?;
    let mut fill = venue::VenueFill { program: ID, accounts, args }.instruction();
    fill.accounts[0].pubkey = admin;
    single(rows, "venue_fill", "", world.send(fill, &[])?);
    Ok(())
}

/// What reads a portfolio with options.
fn with_options(so: &Path, shape: &OptionShape, rows: &mut Vec<Row>) -> Result<()> {
    let OptionShape { collaterals, perps, options, boards, apart, variant } = *shape;
    let mut measure = |instruction, f: fn(&mut World, &MarginAccount, &PriceAddresses) -> Result<u64>| {
        let mut world = World::new(so)?;
        let mut account = world.portfolio(world.admin.pubkey(), collaterals, perps)?;
        world.add_options(&mut account, options, boards, apart)?;
        let units = f(&mut world, &account, &PriceAddresses::new()).with_context(|| instruction)?;
        rows.push(Row { instruction, variant, collaterals, perps, units });
        anyhow::Ok(())
    };
    measure("flag_liquidation", flag)?;
    measure("withdraw", withdraw)?;
    measure("open_position", open)?;
    if options < 32 {
        measure("open_option", open_option)?;
    }
    measure("close_option", close_option)?;
    measure("settle_option", settle_option)?;
    measure("fill", fill_option)?;
    measure("liquidate", liquidate)
}

/// A call of the account's first board, of which the buyer closes a part and the seller sells more. The board gets an expiry
/// and a strike that terms can name.
fn fill_option(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let board_address = account.boards[0].board;
    let market: Market = world.get(&world.get::<Board>(&board_address)?.market)?;
    let strike = StrikePrice { digits: 760, exponent: -1 };
    let fail = |error: plimsoll_client::PlimsollError| anyhow::anyhow!("{}", error.message());
    let price = strike_price(strike, market.base_decimals).map_err(fail)?;
    anyhow::ensure!(price.raw().abs_diff(market.spot / 100 * 76) <= 100, "no strike of 76 % of the spot");
    world.change::<Board>(&board_address, |board| {
        board.expiry = board.expiry / 86_400 * 86_400 + limits::EXPIRY_SECOND_OF_DAY;
        board.strikes[0] = price.raw();
    })?;
    let board: Board = world.get(&board_address)?;
    let contract = venue::contract_of(&board, 0, market.base_decimals).context("no terms")?;
    let accounts = option_accounts(world, account, prices)?;
    let mut remaining = vec![AccountMeta::new(board_address, false)];
    remaining.extend(accounts.remaining);
    let args = FillArgs {
        instrument: instrument::CALL,
        seller_takes: 0,
        size: 1,
        price: market.spot / 100 * 26,
        expires_at: NOW + 60,
        contract,
    };
    let accounts = venue::FillAccounts {
        exchange: world.exchange,
        buyer: accounts.account,
        seller: world.put_account(1, account)?,
        market: accounts.market,
        oracle: accounts.oracle,
        remaining,
    };
    let (buyer_authority, seller_authority) = (account.owner, account.owner);
    world.send(venue::Fill { buyer_authority, seller_authority, accounts, args }.instruction(), &[])
}

/// A part of the first collateral that has a price.
fn fill_spot(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let priced = |slot: &&BalanceSlot| slot.in_use == 1 && slot.bank != world.quote_bank;
    let bank = account.balances.iter().find(priced).context("no collateral")?.bank;
    let index = world.banks.iter().position(|other| *other == bank).context("no bank")?;
    let (market, oracle) = (world.markets[index], world.oracles[index]);
    let (buyer, seller) = (world.put_account(0, account)?, world.put_account(1, account)?);
    let kept = [bank, world.quote_bank, address::house(&world.exchange)];
    let mut pack = Pack::filling(account, account, &market, &oracle);
    for address in &kept {
        pack = pack.without(address);
    }
    let mut remaining: Vec<_> = kept.into_iter().map(|address| AccountMeta::new(address, false)).collect();
    remaining.extend(pack.metas(prices));
    let args = FillArgs { instrument: instrument::SPOT, size: TOKEN / 10, ..fill_args(world, &market)? };
    let accounts = venue::FillAccounts { exchange: world.exchange, buyer, seller, market, oracle, remaining };
    let (buyer_authority, seller_authority) = (account.owner, account.owner);
    world.send(venue::Fill { buyer_authority, seller_authority, accounts, args }.instruction(), &[])
}

fn option_accounts(
    world: &mut World,
    account: &MarginAccount,
    prices: &PriceAddresses,
) -> Result<option::OptionAccounts> {
    let board = account.boards[0].board;
    let market = world.get::<Board>(&board)?.market;
    let index = world.markets.iter().position(|other| *other == market).context("no market")?;
    let oracle = world.oracles[index];
    Ok(option::OptionAccounts {
        authority: account.owner,
        exchange: world.exchange,
        account: world.put_account(0, account)?,
        market,
        board,
        oracle,
        remaining: Pack::trading(account, &market, &oracle).without(&board).metas(prices),
    })
}

fn open_option(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let accounts = option_accounts(world, account, prices)?;
    let args = OpenOptionArgs { lots: 1, limit_price: u64::MAX, expires_at: 0, series: 20, reduce_only: 0 };
    world.send(option::Open { accounts, args }.instruction(), &[])
}

fn close_option(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let accounts = option_accounts(world, account, prices)?;
    // The second of the first board: bought.
    let args = CloseOptionArgs { lots: u64::MAX, limit_price: 0, expires_at: 0, series: account.options[1].series };
    world.send(option::Close { accounts, args }.instruction(), &[])
}

fn settle_option(world: &mut World, account: &MarginAccount, _: &PriceAddresses) -> Result<u64> {
    let address = world.put_account(0, account)?;
    let board_address = account.boards[0].board;
    let mut board: Board = world.get(&board_address)?;
    (board.state, board.settlement_price) = (board_state::SETTLED, board.terms.spot);
    world.put(board_address, &board)?;
    let (exchange, market) = (world.exchange, board.market);
    let settle = option::Settle { exchange, account: address, market, board: board_address };
    world.send(settle.instruction(), &[])
}

fn flag(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let address = world.put_account(0, account)?;
    let remaining = Pack::of(account).metas(prices);
    world.send(liquidation::Flag { exchange: world.exchange, account: address, remaining }.instruction(), &[])
}

fn deposit(world: &mut World, account: &MarginAccount, _: &PriceAddresses) -> Result<u64> {
    let address = world.put_account(0, account)?;
    let mint = world.quote_mint;
    let deposit = account::Deposit {
        authority: account.owner,
        exchange: world.exchange,
        account: address,
        mint,
        token_program: TOKEN_PROGRAM,
        source: world.tokens(&mint),
        amount: 5 * DOLLAR,
    };
    world.send(deposit.instruction(), &[])
}

/// Borrows quote against the rest, so that the margin is needed.
fn withdraw(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let mut account = *account;
    let slot = account.balance_slot(&world.quote_bank).context("no quote balance")?;
    if account.markets.iter().any(|slot| slot.in_use == 1) {
        account.balances[slot].shares = 0;
    }
    let is_plain = account.markets.iter().all(|slot| slot.in_use == 0);
    let borrower = account.balances.iter().filter(|slot| slot.in_use == 1).count() > 1;
    let amount = if is_plain || !borrower { DOLLAR } else { 5 * DOLLAR };
    if !borrower {
        account.balances[slot].shares = (100_000 * DOLLAR) as i64;
    }
    let address = world.put_account(0, &account)?;
    let mint = world.quote_mint;
    let remaining = Pack::of(&account).without(&world.quote_bank).metas(prices);
    let withdraw = account::Withdraw {
        owner: account.owner,
        exchange: world.exchange,
        account: address,
        mint,
        token_program: TOKEN_PROGRAM,
        destination: world.tokens(&mint),
        amount,
        remaining,
    };
    world.send(withdraw.instruction(), &[])
}

/// The market that a portfolio trades in: its last, or the first one where it uses none.
fn traded(world: &World, account: &MarginAccount) -> usize {
    let last = account.markets.iter().rev().find(|slot| slot.in_use == 1);
    last.and_then(|slot| world.markets.iter().position(|market| *market == slot.market)).unwrap_or(0)
}

fn trade_accounts(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<trade::TradeAccounts> {
    let index = traded(world, account);
    let (market, oracle) = (world.markets[index], world.oracles[index]);
    Ok(trade::TradeAccounts {
        authority: account.owner,
        exchange: world.exchange,
        account: world.put_account(0, account)?,
        market,
        oracle,
        remaining: Pack::trading(account, &market, &oracle).metas(prices),
    })
}

fn open(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let accounts = trade_accounts(world, account, prices)?;
    let args =
        OpenPositionArgs { size: (2 * TOKEN) as i64, limit_price: u64::MAX, expires_at: NOW + 60, reduce_only: 0 };
    world.send(trade::Open { accounts, args }.instruction(), &[])
}

fn close(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let position = account.market_slot(&world.markets[traded(world, account)]).context("no slot")?;
    let limit_price = if account.markets[position].size > 0 { 0 } else { u64::MAX };
    let accounts = trade_accounts(world, account, prices)?;
    let args = ClosePositionArgs { size: u64::MAX, limit_price, expires_at: 0 };
    world.send(trade::Close { accounts, args }.instruction(), &[])
}

/// A stored order that closes a position, for a tip to another account.
fn execute_trigger(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let mut account = *account;
    let position = account.market_slot(&world.markets[traded(world, &account)]).context("no slot")?;
    let is_long = account.markets[position].size > 0;
    let trigger = &mut account.triggers[0];
    trigger.market = account.markets[position].market;
    (trigger.trigger_price, trigger.when) = (1, trigger_when::AT_OR_ABOVE);
    (trigger.side, trigger.limit_price) =
        if is_long { (trigger_side::LONG, 0) } else { (trigger_side::SHORT, u64::MAX) };
    (trigger.size, trigger.tip) = (u64::MAX, DOLLAR / 100);
    let accounts = trade_accounts(world, &account, prices)?;
    let executor = world.portfolio(world.admin.pubkey(), 1, 0)?;
    let executor = world.put_account(1, &executor)?;
    let trade::TradeAccounts { authority, exchange, account, market, oracle, remaining } = accounts;
    let execute = trigger::Execute {
        authority,
        exchange,
        account,
        market,
        oracle,
        executor: Some(executor),
        index: 0,
        remaining,
    };
    world.send(execute.instruction(), &[])
}

/// Two accounts of one shape trade in the market that a trade with the house would be in.
fn fill_accounts(
    world: &World,
    account: &MarginAccount,
    buyer: Address,
    seller: Address,
    prices: &PriceAddresses,
) -> Result<venue::FillAccounts> {
    let index = traded(world, account);
    let (market, oracle) = (world.markets[index], world.oracles[index]);
    let remaining = Pack::filling(account, account, &market, &oracle).metas(prices);
    Ok(venue::FillAccounts { exchange: world.exchange, buyer, seller, market, oracle, remaining })
}

fn fill_args(world: &World, market: &Address) -> Result<FillArgs> {
    let price = world.get::<Market>(market)?.spot;
    Ok(FillArgs {
        instrument: 0,
        seller_takes: 0,
        size: 2 * TOKEN,
        price,
        expires_at: NOW + 60,
        contract: Contract::NONE,
    })
}

fn fill(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let (buyer, seller) = (world.put_account(0, account)?, world.put_account(1, account)?);
    let accounts = fill_accounts(world, account, buyer, seller, prices)?;
    let args = fill_args(world, &accounts.market)?;
    let (buyer_authority, seller_authority) = (account.owner, account.owner);
    world.send(venue::Fill { buyer_authority, seller_authority, accounts, args }.instruction(), &[])
}

/// Two orders of one key for two of its accounts: what verifies them stands before, and costs no compute units.
fn fill_orders(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let (maker, taker) = (world.put_account(0, account)?, world.put_account(1, account)?);
    let accounts = fill_accounts(world, account, maker, taker, prices)?;
    let args = fill_args(world, &accounts.market)?;
    let signer = account.owner;
    let verified = [(maker, args.size.cast_signed()), (taker, -args.size.cast_signed())].map(|(account, size)| {
        let order = Order {
            exchange: world.exchange,
            account,
            market: accounts.market,
            venue: Address::default(),
            size,
            limit_price: args.price,
            nonce: 1,
            expires_at: NOW + 60,
            instrument: 0,
            contract: Contract::NONE,
            flags: 0,
        };
        venue::signed(&signer, &order, |message| world.admin.sign_message(message).into())
    });
    for account in [maker, taker] {
        world.send(venue::CreateOrders { payer: signer, account }.instruction(), &[])?;
    }
    let fill = venue::FillOrders {
        submitter: signer,
        exchange: world.exchange,
        maker,
        taker,
        taker_signed: true,
        market: accounts.market,
        oracle: accounts.oracle,
        args: FillOrdersArgs { size: args.size, maker_instruction: 0, taker_instruction: 1 },
        remaining: accounts.remaining,
    };
    let [one, other] = verified;
    world.send_all(&[one, other, fill.instruction()], &[])
}

/// Both accounts have the shape; the one to be liquidated owes quote enough to be below its line, or, without anything
/// else, holds a large position in the first market.
fn liquidate(world: &mut World, account: &MarginAccount, prices: &PriceAddresses) -> Result<u64> {
    let stranger = Keypair::new_from_array([8; 32]);
    world.vm.airdrop(&stranger.pubkey(), TOKEN).map_err(|failed| anyhow::anyhow!("{:?}", failed.err))?;
    let mut sinking = MarginAccount { owner: stranger.pubkey(), ..*account };
    let quote = sinking.balance_slot(&world.quote_bank).context("no quote balance")?;
    sink(world, &mut sinking, quote)?;
    take_over(world, account, &sinking, prices)
}

/// An account of the shape with much quote besides takes over as much of the other as the program allows.
fn take_over(
    world: &mut World,
    account: &MarginAccount,
    sinking: &MarginAccount,
    prices: &PriceAddresses,
) -> Result<u64> {
    let mut taker = *account;
    let quote = taker.balance_slot(&world.quote_bank).context("no quote balance")?;
    taker.balances[quote].shares = (10_000_000 * DOLLAR) as i64;
    let address = world.put_account(0, sinking)?;
    let taker_address = world.put_account(0, &taker)?;
    let remaining = Pack::liquidating(sinking, &taker, &world.quote_bank).metas(prices);
    let liquidate = liquidation::Liquidate {
        authority: taker.owner,
        exchange: world.exchange,
        taker: taker_address,
        account: address,
        quote_mint: world.quote_mint,
        args: LiquidateArgs { max_fraction: 1 << 32, max_payment: u64::MAX },
        remaining,
    };
    world.send(liquidate.instruction(), &[])
}

/// Brings an account below its line with its equity still positive: by a debt just short of its equity.
fn sink(world: &World, account: &mut MarginAccount, quote: usize) -> Result<()> {
    if account.markets.iter().all(|slot| slot.in_use == 0) {
        let slot = account.market_slot_or_new(&world.markets[0]).map_err(|e| anyhow::anyhow!(e.message()))?;
        account.markets[slot].size = (10 * TOKEN) as i64;
        account.markets[slot].cash = -((990 * DOLLAR) as i64);
        account.balances[quote].shares = 0;
    }
    account.balances[quote].shares = 0;
    let snapshot = crate::world::snapshot(world)?;
    let margin = snapshot.margin(account).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (equity, requirement) = (margin.equity_maint.raw(), margin.requirement_maint.raw());
    let debt = equity - requirement / 2;
    let index = (1u64 << 48) + (1u64 << 48) / if debt > 0 { 5 } else { 7 };
    let shares = i128::from(debt) * (1i128 << 48) / i128::from(index);
    account.balances[quote].shares = -i64::try_from(shares)?;
    Ok(())
}
