//! What people do. Each action has a weight, and builds instructions as their senders would: often valid, often not.

use plimsoll_client::{
    Keyed, address, instruction as build,
    instruction::venue::{Traded, contract_of},
    remaining::Pack,
};
use plimsoll_e2e_tests::{
    Asset, Trader,
    chain::ADAPTER_PROGRAM,
    custody,
    invariants::Ledger,
    raw,
    world::{SOL, order, sign},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{
        Board, MAX_SERIES, MAX_STRIKES, MAX_TRIGGERS, MarginAccount, Market, Orders, board_state, trigger_when,
    },
    board::used_volatility,
    config::{AdapterConfig, RateSource, VenueConfig, adapter_state, loss_mode, pause, rate_kind, state, venue_state},
    instruction::{
        AssertHealthArgs, AssertPriceArgs, BuyReserveArgs, CloseOptionArgs, ClosePositionArgs, Contract,
        CreateBoardArgs, DeleverageArgs, FillArgs, FillOrdersArgs, LiquidateArgs, ListStrikesArgs, OpenOptionArgs,
        OpenPositionArgs, PlaceTriggerArgs, PostVolatilitiesArgs, StrikePrice, SwapArgs, VenueArgs, instrument, tag,
    },
    order::{ED25519_PROGRAM, MAKER_ONLY, Order, REDUCE_ONLY},
};
use plimsoll_risk::units::Timestamp;
use rand::{Rng, seq::IndexedRandom};
use solana_instruction::Instruction;

use crate::{governance, walk::Walk};

/// What a success is held to, besides the invariants of the books.
pub enum Rule {
    /// Nothing more.
    Books,
    /// INV-5: the trader has its initial margin afterwards.
    InitialMargin(Trader),
    /// INV-5 of both sides of a fill, each with what it had of it before: who only reduced may lack its margin.
    Fill([(Trader, i64); 2], Filled),
    /// INV-7: what the program says of the account's margin is what the client says.
    Flag(Trader),
    /// INV-5 of the taker and INV-6 of the account.
    Liquidation {
        /// Who was below its line.
        account: Trader,
        /// Who took over.
        taker: Trader,
    },
}

/// What is filled.
#[derive(Clone, Copy)]
pub struct Filled {
    /// By the account that names it.
    pub traded: Traded,
    /// Which series of a board.
    pub series: u8,
}

impl Filled {
    /// What an account has of it, in its units.
    pub fn held(&self, account: &MarginAccount) -> i64 {
        match self.traded {
            Traded::Perpetual(market) => account.market_slot(&market).map_or(0, |slot| account.markets[slot].size),
            Traded::Spot(bank) => account.balance_slot(&bank).map_or(0, |slot| account.balances[slot].shares),
            Traded::Option(board) => {
                let lots = account.board_slot(&board).and_then(|slot| account.option_lots(slot, self.series).ok());
                lots.map_or(0, i64::from)
            }
        }
    }
}

/// Instructions of one transaction.
pub struct Attempt {
    /// The instructions; the last is what is counted.
    pub instructions: Vec<Instruction>,
    /// What a success is held to.
    pub rule: Rule,
    /// Whether it was changed at random, so that only the books are held to anything.
    pub tampered: bool,
}

impl Attempt {
    /// One instruction.
    pub fn new(instruction: Instruction, rule: Rule) -> Option<Self> {
        Some(Self { instructions: vec![instruction], rule, tampered: false })
    }
}

type Action = fn(&mut Walk) -> Option<Attempt>;

/// All actions and how often each is chosen, in parts of their sum.
const ACTIONS: &[(u32, Action)] = &[
    (12, any_deposit),
    (2, create_board),
    (3, list_strikes),
    (2, post_volatilities),
    (10, refresh_board),
    (4, sample_expiry),
    (4, settle_board),
    (1, close_board),
    (14, open_option),
    (6, close_option),
    (4, settle_option),
    (2, post_forecast),
    (2, accrue_funding),
    (2, assert_health),
    (1, assert_sequence),
    (1, assert_price),
    (12, any_withdrawal),
    (14, any_order),
    (8, any_swap),
    (10, largest_order),
    (10, any_close),
    (8, any_settlement),
    (6, any_observation),
    (3, any_accrual),
    (6, any_flag),
    (20, liquidate_sunk),
    (3, liquidate_anyone),
    (2, open_account),
    (2, close_account),
    (2, set_delegate),
    (3, request_ticket),
    (3, value_house),
    (3, execute_ticket),
    (5, close_ticket),
    (4, place_trigger),
    (1, cancel_trigger),
    (6, execute_trigger),
    (2, governance::propose),
    (2, governance::enact),
    (1, governance::cancel_proposal),
    (1, governance::set_role),
    (1, governance::hand_over),
    (2, governance::observe_quote),
    (1, governance::set_quote_feed),
    (3, governance::wind_down_position),
    (2, governance::retire),
    (2, configure_exchange),
    (2, configure_market),
    (2, configure_bank),
    (2, fund_insurance),
    (2, buy_reserve),
    (10, resolve_sunk),
    (16, deleverage_sunk),
    (6, without_capital),
    (10, any_fill),
    (10, any_signed_fill),
    (3, create_orders),
    (1, cancel_orders),
    (1, register_venue),
    (1, configure_venue),
    (4, approve_venue),
    (8, any_venue_fill),
    (1, set_rate_source),
    (4, update_rate),
    (1, register_adapter),
    (2, configure_adapter),
    (8, open_lien),
    (4, update_lien),
    (3, release_lien),
    (12, seize_sunk),
    (1, break_adapter),
    (1, upgrade_account),
];

/// One of them.
pub fn any(walk: &mut Walk) -> Option<Attempt> {
    let sum: u32 = ACTIONS.iter().map(|(weight, _)| weight).sum();
    let mut at = walk.rng.random_range(0..sum);
    for (weight, action) in ACTIONS {
        if at < *weight {
            return action(walk);
        }
        at -= weight;
    }
    None
}

/// A deposit from the owner's wallet.
pub fn deposit(walk: &Walk, trader: &Trader, asset: &Asset, amount: u64) -> Instruction {
    build::account::Deposit {
        authority: trader.owner,
        exchange: walk.places.exchange,
        account: trader.account,
        mint: asset.mint,
        token_program: asset.token_program,
        source: asset.tokens_of(&trader.owner),
        amount,
    }
    .instruction()
}

/// An amount around a parcel: mostly parts and multiples of it, sometimes an extreme.
fn amount(walk: &mut Walk, parcel: u64) -> u64 {
    match walk.rng.random_range(0..40) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => u64::MAX / 2,
        _ => parcel / 100 * walk.rng.random_range(1..=2_000),
    }
}

fn any_deposit(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, parcel)) = (walk.trader(), walk.bank());
    let amount = amount(walk, parcel);
    Attempt::new(deposit(walk, &trader, &asset, amount), Rule::Books)
}

fn any_withdrawal(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, parcel)) = (walk.trader(), walk.bank());
    let (account, amount) = (walk.account(&trader)?, amount(walk, parcel));
    let destination = asset.tokens_of(&trader.owner);
    let instruction = walk.priced().withdraw(&account, &asset.mint, destination, amount).ok()?;
    Attempt::new(instruction, Rule::InitialMargin(trader))
}

fn trade(walk: &Walk, trader: &Trader, asset: &Asset, args: OpenPositionArgs) -> Option<Attempt> {
    let account = walk.account(trader)?;
    let authority = if args.size % 3 == 0 { account.data.delegate } else { trader.owner };
    let authority = if authority == Address::default() { trader.owner } else { authority };
    let instruction = walk.priced().open_position(authority, &account, &asset.market, args).ok()?;
    Attempt::new(instruction, Rule::Books)
}

fn any_order(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, lot)) = (walk.trader(), walk.market());
    let size = match walk.rng.random_range(0..40) {
        0 => 0,
        1 => i64::MIN,
        2 => i64::MAX,
        3 => walk.rng.random_range(-3..=3),
        _ => lot / 100 * walk.rng.random_range(-2_000..=2_000),
    };
    let mut args = order(size);
    match walk.rng.random_range(0..20) {
        0 => args.limit_price = walk.rng.random(),
        1 => args.expires_at = walk.machine.now() - 1,
        2 => args.reduce_only = 1,
        _ => {}
    }
    trade(walk, &trader, &asset, args)
}

/// About as much as the initial margin carries.
fn largest_order(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, lot)) = (walk.trader(), walk.market());
    let health = walk.margin(&trader)?.health_init().ok()?.raw();
    let size = (lot as f64 * health as f64 / 215e6 * walk.rng.random_range(0.8..1.1)) as i64;
    let size = if walk.rng.random() { size } else { -size };
    trade(walk, &trader, &asset, order(size))
}

fn any_close(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, lot)) = (walk.trader(), walk.market());
    let account = walk.account(&trader)?;
    let position = account.data.market_slot(&asset.market).map_or(0, |slot| account.data.markets[slot].size);
    let size = match walk.rng.random_range(0..10) {
        0 => 0,
        1..=4 => u64::MAX,
        _ => lot.unsigned_abs() / 100 * walk.rng.random_range(1..=2_000),
    };
    let args = ClosePositionArgs { size, limit_price: if position > 0 { 0 } else { u64::MAX }, expires_at: 0 };
    Attempt::new(walk.priced().close_position(trader.owner, &account, &asset.market, args).ok()?, Rule::Books)
}

/// Spot against the house, from a deposit or on credit.
fn any_swap(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, parcel)) = (walk.trader(), walk.bank());
    let account = walk.account(&trader)?;
    let magnitude = i64::try_from(amount(walk, parcel)).unwrap_or(i64::MIN);
    let amount = if walk.rng.random_range(0..5) < 2 { magnitude } else { magnitude.wrapping_neg() };
    let limit_amount = if amount > 0 { u64::MAX } else { 0 };
    let args = SwapArgs { amount, limit_amount, expires_at: 0 };
    Attempt::new(walk.priced().swap(trader.owner, &account, &asset.mint, args).ok()?, Rule::Books)
}

fn any_settlement(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, _)) = (walk.trader(), walk.market());
    Attempt::new(walk.priced().settle(&trader.account, &asset.market), Rule::Books)
}

fn any_observation(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.market();
    Attempt::new(build::market::Observe { market: asset.market, oracle: asset.oracle }.instruction(), Rule::Books)
}

fn any_accrual(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.bank();
    Attempt::new(build::bank::Accrue { bank: asset.bank }.instruction(), Rule::Books)
}

fn any_flag(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    Attempt::new(walk.priced().flag_liquidation(&account), Rule::Flag(trader))
}

fn liquidation(walk: &mut Walk, taker: Trader, account: Trader) -> Option<Attempt> {
    let max_fraction = if walk.rng.random() { 1 << 32 } else { walk.rng.random_range(0..1 << 33) };
    let max_payment = if walk.rng.random_range(0..10) == 0 { walk.rng.random_range(0..1 << 32) } else { u64::MAX };
    let (keyed_taker, keyed) = (walk.account(&taker)?, walk.account(&account)?);
    let args = LiquidateArgs { max_fraction, max_payment };
    let instruction = walk.priced().liquidate(taker.owner, &keyed_taker, &keyed, args);
    Attempt::new(instruction, Rule::Liquidation { account, taker })
}

/// Who is below its line, of those without equity only where `insolvent`.
fn sunk(walk: &Walk, insolvent: bool) -> Vec<Trader> {
    let snapshot = walk.priced();
    let is_sunk = |trader: &&Trader| {
        let margin = walk.account(trader).and_then(|account| snapshot.margin(&account.data).ok());
        let margin = margin.filter(|margin| !insolvent || !margin.equity_maint.is_positive());
        margin.and_then(|margin| margin.health_maint().ok()).is_some_and(|health| health.raw() < 0)
    };
    walk.traders.iter().filter(is_sunk).copied().collect()
}

fn fund_insurance(walk: &mut Walk) -> Option<Attempt> {
    let (funder, places) = (walk.trader().owner, walk.places);
    let (exchange, quote_mint, source) = (places.exchange, places.usdc.mint, places.usdc.tokens_of(&funder));
    let amount = walk.rng.random_range(0..10_000_000);
    let token_program = places.usdc.token_program;
    let fund = build::waterfall::FundInsurance { funder, exchange, quote_mint, token_program, source, amount };
    Attempt::new(fund.instruction(), Rule::Books)
}

/// Of reserves that are a few units of interest, mostly all.
fn buy_reserve(walk: &mut Walk) -> Option<Attempt> {
    let (buyer, (asset, _), places) = (walk.trader().owner, walk.market(), walk.places);
    let amount = if walk.rng.random() { u64::MAX } else { walk.rng.random_range(0..1_000) };
    let buy = build::waterfall::BuyReserve {
        buyer,
        exchange: places.exchange,
        mint: asset.mint,
        token_program: asset.token_program,
        destination: asset.tokens_of(&buyer),
        quote_mint: places.usdc.mint,
        quote_token_program: places.usdc.token_program,
        source: places.usdc.tokens_of(&buyer),
        market: asset.market,
        oracle: asset.oracle,
        args: BuyReserveArgs { amount, max_payment: u64::MAX },
    };
    Attempt::new(buy.instruction(), Rule::Books)
}

fn resolve_sunk(walk: &mut Walk) -> Option<Attempt> {
    let insolvent = sunk(walk, true);
    let trader = if insolvent.is_empty() { walk.trader() } else { walk.one_of(&insolvent) };
    let account = walk.account(&trader)?;
    Attempt::new(walk.priced().resolve(&account), Rule::Books)
}

/// Against whoever has the other side of a position of an account without equity, or whoever it may be.
fn deleverage_sunk(walk: &mut Walk) -> Option<Attempt> {
    let accounts: Vec<_> = walk.traders.iter().filter_map(|trader| walk.account(trader)).collect();
    let mut pairs = Vec::new();
    for account in sunk(walk, true).iter().filter_map(|trader| walk.account(trader)) {
        for slot in account.data.markets.iter().filter(|slot| slot.size != 0) {
            let opposite = |other: &&Keyed<MarginAccount>| {
                let theirs = other.data.market_slot(&slot.market).map(|index| other.data.markets[index].size);
                theirs.is_some_and(|size| size != 0 && (size < 0) != (slot.size < 0))
            };
            pairs.extend(accounts.iter().filter(opposite).map(|other| (account, *other, slot.market)));
        }
    }
    let (account, counterparty, market) = if pairs.is_empty() {
        (walk.one_of(&accounts), walk.one_of(&accounts), walk.market().0.market)
    } else {
        walk.one_of(&pairs)
    };
    let size = if walk.rng.random() { u64::MAX } else { walk.rng.random_range(0..1_000_000_000) };
    let args = DeleverageArgs { size };
    let instruction = walk.priced().deleverage(&account, &counterparty, &market, args, &[]).ok()?;
    Attempt::new(instruction, Rule::Books)
}

/// Somebody, mostly with nothing in the account, takes over a part without being asked for margin until the end.
fn without_capital(walk: &mut Walk) -> Option<Attempt> {
    let sunk = sunk(walk, false);
    let account = if sunk.is_empty() { walk.trader() } else { walk.one_of(&sunk) };
    let taker = walk.trader();
    let (keyed_taker, keyed) = (walk.account(&taker)?, walk.account(&account)?);
    let snapshot = walk.priced();
    let (begin, end) = snapshot.without_capital(taker.owner, &keyed_taker, &keyed);
    let mut instructions = vec![begin];
    if walk.rng.random_range(0..4) > 0 {
        let args = LiquidateArgs { max_fraction: walk.rng.random_range(0..1 << 33), max_payment: u64::MAX };
        instructions.push(snapshot.liquidate(taker.owner, &keyed_taker, &keyed, args));
    }
    instructions.push(end);
    Some(Attempt { instructions, rule: Rule::InitialMargin(taker), tampered: false })
}

/// Whoever is below its line is taken over, mostly by the one who can carry it.
fn liquidate_sunk(walk: &mut Walk) -> Option<Attempt> {
    let sunk = sunk(walk, false);
    if sunk.is_empty() {
        return any_order(walk);
    }
    let account = walk.one_of(&sunk);
    let taker = if walk.rng.random_range(0..4) == 0 { walk.trader() } else { walk.places.carol };
    liquidation(walk, taker, account)
}

fn liquidate_anyone(walk: &mut Walk) -> Option<Attempt> {
    let (taker, account) = (walk.trader(), walk.trader());
    liquidation(walk, taker, account)
}

fn open_account(walk: &mut Walk) -> Option<Attempt> {
    let owner = walk.trader().owner;
    let index = walk.rng.random_range(0..4);
    let exchange = walk.places.exchange;
    let trader = Trader { owner, account: address::margin_account(&exchange, &owner, index) };
    if !walk.traders.iter().any(|known| known.account == trader.account) {
        walk.traders.push(trader);
    }
    Attempt::new(build::account::Create { payer: owner, owner, exchange, index }.instruction(), Rule::Books)
}

fn close_account(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    Attempt::new(build::account::Close { owner: trader.owner, account: trader.account }.instruction(), Rule::Books)
}

fn set_delegate(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let delegate = if walk.rng.random() { walk.trader().owner } else { Address::default() };
    let scope = walk.rng.random_range(0..3);
    let set = build::account::SetDelegate { owner: trader.owner, account: trader.account, delegate, scope };
    Attempt::new(set.instruction(), Rule::Books)
}

/// An order that waits for a price within a fifth of the market's.
fn place_trigger(walk: &mut Walk) -> Option<Attempt> {
    let (trader, (asset, lot)) = (walk.trader(), walk.market());
    let spot = walk.snapshot().markets.get(&asset.market)?.spot;
    let args = PlaceTriggerArgs {
        trigger_price: spot / 100 * walk.rng.random_range(80..=120),
        limit_price: if walk.rng.random_range(0..4) == 0 { spot } else { 0 },
        size: if walk.rng.random() { u64::MAX } else { lot.unsigned_abs() * walk.rng.random_range(0..3) },
        tip: walk.rng.random_range(0..=110_000_000),
        expires_at: if walk.rng.random() { 0 } else { walk.machine.now() + walk.rng.random_range(-10..=3_000) },
        side: if walk.rng.random_range(0..10) == 0 { 3 } else { walk.rng.random_range(1..=2) },
        when: if walk.rng.random_range(0..10) == 0 { 0 } else { walk.rng.random_range(1..=2) },
    };
    // Any price is a purchase's largest.
    let limit_price = if args.side == 2 && args.limit_price == 0 { u64::MAX } else { args.limit_price };
    let args = PlaceTriggerArgs { limit_price, ..args };
    let (authority, account, market) = (trader.owner, trader.account, asset.market);
    Attempt::new(build::trigger::Place { authority, account, market, args }.instruction(), Rule::Books)
}

fn cancel_trigger(walk: &mut Walk) -> Option<Attempt> {
    let (trader, index) = (walk.trader(), walk.rng.random_range(0..5));
    let cancel = build::trigger::Cancel { authority: trader.owner, account: trader.account, index };
    Attempt::new(cancel.instruction(), Rule::Books)
}

fn execute_trigger(walk: &mut Walk) -> Option<Attempt> {
    let (trader, executor) = (walk.trader(), walk.trader());
    let account = walk.account(&trader)?;
    let stored: Vec<usize> = (0..MAX_TRIGGERS).filter(|index| account.data.triggers[*index].side != 0).collect();
    let snapshot = walk.snapshot();
    let is_due = |index: &usize| {
        let slot = &account.data.triggers[*index];
        let spot = snapshot.markets.get(&slot.market).map_or(0, |market| market.spot);
        if slot.when == trigger_when::AT_OR_BELOW { spot <= slot.trigger_price } else { spot >= slot.trigger_price }
    };
    let due: Vec<usize> = stored.iter().copied().filter(is_due).collect();
    let stored = *if due.is_empty() { stored } else { due }.choose(&mut walk.rng)?;
    let tipped = (executor.account != trader.account).then_some(executor.account);
    let instruction =
        walk.priced().execute_trigger(executor.owner, &account, u8::try_from(stored).ok()?, tipped).ok()?;
    Attempt::new(instruction, Rule::Books)
}

/// A ticket of the admin, who has house shares, or of a trader.
fn any_ticket(walk: &mut Walk) -> build::house::Ticket {
    let owner = if walk.rng.random() { walk.places.admin } else { walk.trader().owner };
    let index = walk.rng.random_range(0..3);
    walk.priced().ticket(owner, index)
}

fn any_house_asset(walk: &mut Walk, owner: &Address) -> (build::house::Asset, Address) {
    if walk.rng.random() {
        (build::house::Asset::Quote, walk.places.usdc.tokens_of(owner))
    } else {
        (build::house::Asset::Shares, build::associated_token_account(owner, &walk.places.share_mint))
    }
}

fn request_ticket(walk: &mut Walk) -> Option<Attempt> {
    let ticket = any_ticket(walk);
    let amount = amount(walk, 1_000_000_000);
    let request = match any_house_asset(walk, &ticket.owner) {
        (build::house::Asset::Quote, source) => ticket.provide(source, amount),
        (build::house::Asset::Shares, source) => ticket.redeem(source, amount),
    };
    Attempt::new(request, Rule::Books)
}

/// Mostly over all markets, sometimes over some of them.
fn value_house(walk: &mut Walk) -> Option<Attempt> {
    let first = walk.rng.random_range(0..3);
    let whole = walk.rng.random_range(0..4) > 0;
    let priced = walk.priced();
    let value = if whole { priced.value_house() } else { priced.value_house_part(first..3) };
    Attempt::new(value, Rule::Books)
}

fn execute_ticket(walk: &mut Walk) -> Option<Attempt> {
    let ticket = any_ticket(walk);
    Some(Attempt {
        instructions: vec![walk.priced().value_house(), ticket.execute()],
        rule: Rule::Books,
        tampered: false,
    })
}

fn close_ticket(walk: &mut Walk) -> Option<Attempt> {
    let ticket = any_ticket(walk);
    let (asset, destination) = any_house_asset(walk, &ticket.owner);
    let close = if walk.rng.random_range(0..4) == 0 {
        ticket.cancel(asset, destination)
    } else {
        ticket.claim(asset, destination)
    };
    Attempt::new(close, Rule::Books)
}

/// A board of a market that has options, and its slot.
fn board(walk: &mut Walk) -> (Asset, u8, Address) {
    let (asset, _) = walk.market();
    let slot = walk.rng.random_range(0..2);
    (asset, slot, address::board(&asset.market, slot))
}

/// Within days, so that a walk lives to see some expire.
fn create_board(walk: &mut Walk) -> Option<Attempt> {
    let (asset, slot, _) = board(walk);
    let (authority, exchange) = (walk.places.admin, walk.places.exchange);
    let morning = walk.machine.now().div_euclid(86_400) * 86_400 + 28_800;
    let args = CreateBoardArgs { expiry: morning + 86_400 * walk.rng.random_range(0..4), slot };
    let create = build::board::Create { authority, exchange, market: asset.market, args };
    Attempt::new(create.instruction(), Rule::Books)
}

/// Strikes around the price, three digits each.
fn list_strikes(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    let snapshot = walk.snapshot();
    let market = snapshot.markets.get(&asset.market)?;
    let dollars = market.spot as f64 / 2f64.powi(48) * 10f64.powi(i32::from(market.base_decimals)) / 1e6;
    let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
    for slot in strikes.iter_mut().take(walk.rng.random_range(1..=5)) {
        let strike = dollars * walk.rng.random_range(0.6..1.6);
        let exponent = strike.log10().floor() as i32 - 2;
        let digits = (strike / 10f64.powi(exponent)).round() as u16;
        *slot = StrikePrice { digits, exponent: i8::try_from(exponent).ok()? };
    }
    let (authority, exchange, market) = (walk.places.admin, walk.places.exchange, asset.market);
    let (oracle, args) = (Some(asset.oracle), ListStrikesArgs { strikes });
    let list = build::board::ListStrikes { authority, exchange, market, board, oracle, args };
    Attempt::new(list.instruction(), Rule::Books)
}

fn post_volatilities(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    let last = walk.get::<Board>(&board)?.volatilities_ppm;
    let volatilities_ppm = last.map(|last| last / 100 * walk.rng.random_range(80..=120));
    let basis_ppm = walk.rng.random_range(-20_000..=20_000);
    let (authority, exchange, market) = (walk.places.admin, walk.places.exchange, asset.market);
    let args = PostVolatilitiesArgs { volatilities_ppm, basis_ppm };
    Attempt::new(build::board::PostVolatilities { authority, exchange, market, board, args }.instruction(), Rule::Books)
}

fn refresh_ix(walk: &Walk, asset: &Asset, board: Address, max_strikes: u8) -> Instruction {
    let (exchange, market, oracle) = (walk.places.exchange, asset.market, Some(asset.oracle));
    build::board::Refresh { exchange, market, board, oracle, max_strikes }.instruction()
}

fn refresh_board(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    let max_strikes = if walk.rng.random() { 0 } else { walk.rng.random_range(0..3) };
    Attempt::new(refresh_ix(walk, &asset, board, max_strikes), Rule::Books)
}

fn sample_expiry(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    // Now and then the clock goes to the window, or nothing would ever be sampled.
    let expiry = walk.get::<Board>(&board)?.expiry;
    if walk.rng.random_range(0..3) == 0 && walk.machine.now() < expiry - 1_800 {
        walk.machine.set_now(expiry - walk.rng.random_range(1..=1_700));
        walk.publish_near(&asset);
    }
    let sample = build::board::Sample { market: asset.market, board, oracle: asset.oracle };
    Attempt::new(sample.instruction(), Rule::Books)
}

fn settle_board(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    let settle = build::board::Settle { exchange: walk.places.exchange, market: asset.market, board };
    Attempt::new(settle.instruction(), Rule::Books)
}

fn close_board(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _, board) = board(walk);
    let (authority, exchange, market) = (walk.places.admin, walk.places.exchange, asset.market);
    Attempt::new(build::board::Close { authority, exchange, market, board }.instruction(), Rule::Books)
}

fn open_option(walk: &mut Walk) -> Option<Attempt> {
    let (_, _, board) = board(walk);
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    let lots = walk.rng.random_range(-300..=300) * walk.rng.random_range(1..=20);
    let series = walk.rng.random_range(0..12);
    let limit_price = if lots > 0 { u64::MAX } else { 0 };
    let args = OpenOptionArgs { lots, limit_price, expires_at: 0, series, reduce_only: 0 };
    let open = walk.priced().open_option(trader.owner, &account, &board, args).ok()?;
    Attempt::new(open, Rule::Books)
}

/// Puts refreshes of all boards that the last instruction reads, itself or by what their markets know of the house's
/// options, before it, as a client would.
pub fn refresh_first(walk: &Walk, attempt: &mut Attempt) {
    let Some(last) = attempt.instructions.last() else { return };
    let reads = |address: &Address| last.accounts.iter().any(|meta| meta.pubkey == *address);
    let boards = walk.snapshot().boards.into_iter();
    let read = boards.filter(|(address, board)| {
        (reads(address) || (reads(&board.market) && board.house_lots != [0; MAX_SERIES]))
            && board.state == board_state::ACTIVE
    });
    let refreshes = read.filter_map(|(address, board)| {
        let asset = walk.markets().into_iter().find(|asset| asset.market == board.market)?;
        Some(refresh_ix(walk, &asset, address, 0))
    });
    // What verifies signatures keeps its number.
    let (verified, rest): (Vec<_>, Vec<_>) =
        attempt.instructions.iter().cloned().partition(|instruction| instruction.program_id == ED25519_PROGRAM);
    attempt.instructions = verified.into_iter().chain(refreshes).chain(rest).collect();
}

fn close_option(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    let held: Vec<_> = account.data.options.iter().filter(|option| option.lots != 0).copied().collect();
    if held.is_empty() {
        return open_option(walk);
    }
    let option = walk.one_of(&held);
    let slot = account.data.boards[usize::from(option.board_slot)];
    let lots = if walk.rng.random() { u64::MAX } else { walk.rng.random_range(0..100) };
    let limit_price = if option.lots > 0 { 0 } else { u64::MAX };
    let args = CloseOptionArgs { lots, limit_price, expires_at: 0, series: option.series };
    let close = walk.priced().close_option(trader.owner, &account, &slot.board, args).ok()?;
    Attempt::new(close, Rule::Books)
}

fn settle_option(walk: &mut Walk) -> Option<Attempt> {
    let snapshot = walk.snapshot();
    let is_settled =
        |board: &Address| snapshot.boards.get(board).is_some_and(|board| board.state == board_state::SETTLED);
    let of_settled = walk.traders.iter().find_map(|trader| {
        let account = walk.account(trader)?.data;
        let slot = account.boards.iter().find(|slot| slot.in_use == 1 && is_settled(&slot.board))?;
        Some((*trader, slot.board))
    });
    let (_, _, any_board) = board(walk);
    let (trader, board) = of_settled.unwrap_or((walk.trader(), any_board));
    Attempt::new(walk.snapshot().settle_option(&trader.account, &board).ok()?, Rule::Books)
}

fn post_forecast(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.market();
    let (forecaster, exchange, market) = (walk.places.admin, walk.places.exchange, asset.market);
    let used =
        used_volatility(walk.snapshot().markets.get(&market)?, Timestamp::from_raw(walk.machine.now())).init.raw();
    let volatility_ppm = used / 100 * walk.rng.random_range(97..=115);
    let post = build::market::PostForecast { forecaster, exchange, market, volatility_ppm };
    Attempt::new(post.instruction(), Rule::Books)
}

fn accrue_funding(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.market();
    Attempt::new(build::market::AccrueFunding { market: asset.market }.instruction(), Rule::Books)
}

fn assert_health(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    let args = AssertHealthArgs {
        kind: walk.rng.random_range(0..=2),
        minimum: walk.rng.random_range(-1_000_000..=1_000_000_000),
    };
    let remaining = Pack::of(&account.data).metas(&walk.priced().price_addresses());
    let guard =
        build::controls::AssertHealth { exchange: walk.places.exchange, account: trader.account, args, remaining };
    Attempt::new(guard.instruction(), Rule::Books)
}

fn assert_sequence(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let sequence = walk.account(&trader)?.data.sequence + walk.rng.random_range(0..2);
    Attempt::new(build::controls::AssertSequence { account: trader.account, sequence }.instruction(), Rule::Books)
}

fn assert_price(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.market();
    let spot = walk.snapshot().markets.get(&asset.market)?.spot;
    let args = AssertPriceArgs { minimum: spot / 100 * 99, maximum: spot / 100 * 101, max_age_seconds: 60 };
    let guard = build::controls::AssertPrice { market: asset.market, oracle: Some(asset.oracle), args };
    Attempt::new(guard.instruction(), Rule::Books)
}

/// Pauses something for a while, or moves what may be moved.
fn configure_exchange(walk: &mut Walk) -> Option<Attempt> {
    let mut config = walk.snapshot().exchange.data.config;
    let (admin, exchange) = (walk.places.admin, walk.places.exchange);
    if walk.rng.random_range(0..4) > 0 {
        // What is paused for long is not tested.
        let set = if walk.rng.random_range(0..5) > 0 { 0 } else { 1 << walk.rng.random_range(0..10) };
        let clear = pause::ALL & !set;
        let pauses = build::controls::SetPauses { authority: admin, exchange, set, clear };
        return Attempt::new(pauses.instruction(), Rule::Books);
    }
    config.maintenance_ratio_ppm = walk.rng.random_range(400_000..=600_000);
    config.loss_mode = walk.rng.random_range(0..=loss_mode::LAST);
    config.house_floor = if walk.rng.random() { u64::MAX } else { 0 };
    Attempt::new(build::exchange::Configure { admin, exchange, config }.instruction(), Rule::Books)
}

/// Mostly active: what is reduce-only for long is not tested.
fn any_state(walk: &mut Walk) -> u8 {
    if walk.rng.random_range(0..8) == 0 { state::REDUCE_ONLY } else { state::ACTIVE }
}

fn configure_market(walk: &mut Walk) -> Option<Attempt> {
    let (asset, _) = walk.market();
    let snapshot = walk.priced();
    let mut config = snapshot.markets.get(&asset.market)?.config;
    if config.state >= state::WIND_DOWN {
        return None;
    }
    match walk.rng.random_range(0..4) {
        0 => config.risk_budget = walk.rng.random_range(0..400_000_000_000),
        1 => config.half_spread_ppm = walk.rng.random_range(0..5_000),
        2 => config.state = any_state(walk),
        _ => config.perp_enabled = u8::from(walk.rng.random_range(0..8) > 0),
    }
    Attempt::new(snapshot.configure_market(&asset.market, config), Rule::Books)
}

fn configure_bank(walk: &mut Walk) -> Option<Attempt> {
    let (asset, parcel) = walk.bank();
    let mut config = walk.snapshot().banks.get(&asset.bank)?.config;
    if config.state >= state::WIND_DOWN {
        return None;
    }
    match walk.rng.random_range(0..4) {
        0 => config.deposit_cap = parcel * walk.rng.random_range(0..5_000),
        1 => config.borrow_cap = parcel * walk.rng.random_range(0..500),
        2 => config.state = any_state(walk),
        _ => config.reserve_factor_ppm = walk.rng.random_range(0..=300_000),
    }
    let (admin, exchange) = (walk.places.admin, walk.places.exchange);
    Attempt::new(build::bank::Configure { admin, exchange, bank: asset.bank, config }.instruction(), Rule::Books)
}

/// Two margin accounts that would trade with each other, and what of.
struct Pair {
    buyer: (Trader, Keyed<MarginAccount>),
    seller: (Trader, Keyed<MarginAccount>),
    of: Filled,
    args: FillArgs,
}

impl Pair {
    fn rule(&self) -> Rule {
        let side = |(trader, account): &(Trader, Keyed<MarginAccount>)| (*trader, self.of.held(&account.data));
        Rule::Fill([side(&self.buyer), side(&self.seller)], self.of)
    }

    /// What an order names: the bank of spot, or the market.
    fn subject(&self, walk: &Walk) -> Address {
        match self.of.traded {
            Traded::Perpetual(address) | Traded::Spot(address) => address,
            Traded::Option(board) => walk.get::<Board>(&board).map_or(board, |board| board.market),
        }
    }
}

/// What would be filled: the instrument, its terms, about what a base unit of it is worth, and a parcel of it.
struct Offer {
    of: Filled,
    instrument: u8,
    contract: Contract,
    worth: u64,
    spot: u64,
    parcel: u64,
}

fn offer(walk: &mut Walk) -> Option<Offer> {
    let (asset, lot) = walk.market();
    let market: Market = walk.get(&asset.market)?;
    let (spot, parcel) = (market.spot, lot.unsigned_abs() / 100);
    let (contract, series) = (Contract::NONE, 0);
    match walk.rng.random_range(0..4) {
        0 | 1 => {
            let of = Filled { traded: Traded::Perpetual(asset.market), series };
            Some(Offer { of, instrument: instrument::PERP, contract, worth: spot, spot, parcel })
        }
        2 => {
            let of = Filled { traded: Traded::Spot(asset.bank), series };
            Some(Offer { of, instrument: instrument::SPOT, contract, worth: spot, spot, parcel })
        }
        _ => {
            let now = walk.machine.now();
            let trades = |board: &Board| board.listed() != 0 && board.expiry > now;
            let live: Vec<_> = walk.snapshot().boards.into_iter().filter(|(_, board)| trades(board)).collect();
            if live.is_empty() {
                return None;
            }
            let (address, board) = walk.one_of(&live);
            let market: Market = walk.get(&board.market)?;
            let series = walk.rng.random_range(0..12u8);
            let contract = contract_of(&board, series, market.base_decimals)?;
            let strike = board.strikes[usize::from(series / 2)];
            let (instrument, intrinsic) = match series % 2 {
                0 => (instrument::CALL, market.spot.saturating_sub(strike)),
                _ => (instrument::PUT, strike.saturating_sub(market.spot)),
            };
            let worth = intrinsic + market.spot / 1_000 * walk.rng.random_range(0..40);
            let of = Filled { traded: Traded::Option(address), series };
            Some(Offer { of, instrument, contract, worth, spot: market.spot, parcel: 1 })
        }
    }
}

/// Mostly different accounts, a price mostly in the market's band, a size that one of them has half of the time.
fn pair(walk: &mut Walk) -> Option<Pair> {
    let (buyer, seller) = (walk.trader(), walk.trader());
    let (one, other) = (walk.account(&buyer)?, walk.account(&seller)?);
    let Offer { of, instrument, contract, worth, spot, parcel } = offer(walk)?;
    let price = match walk.rng.random_range(0..20) {
        0 => walk.rng.random(),
        1..=9 => worth,
        _ => (worth as f64 + spot as f64 * walk.rng.random_range(-0.06..0.06)) as u64,
    };
    let held = of.held(&one.data).unsigned_abs();
    let size = match walk.rng.random_range(0..20) {
        0 => walk.rng.random_range(0..4),
        1 => u64::MAX,
        2..=9 if held > 0 => walk.rng.random_range(1..=held),
        _ if parcel == 1 => walk.rng.random_range(1..=100),
        _ => parcel * walk.rng.random_range(1..=1_000),
    };
    let expires_at = if walk.rng.random_range(0..20) == 0 { walk.machine.now() - 1 } else { 0 };
    let args = FillArgs { instrument, seller_takes: walk.rng.random_range(0..2), size, price, expires_at, contract };
    Some(Pair { buyer: (buyer, one), seller: (seller, other), of, args })
}

fn any_fill(walk: &mut Walk) -> Option<Attempt> {
    let pair = pair(walk)?;
    let by_delegate = walk.rng.random_range(0..4) == 0;
    let signer = |(trader, account): &(Trader, Keyed<MarginAccount>)| {
        if by_delegate && account.data.delegate != Address::default() { account.data.delegate } else { trader.owner }
    };
    let signers = [signer(&pair.buyer), signer(&pair.seller)];
    let fill = walk.priced().fill(signers, &pair.buyer.1, &pair.seller.1, pair.of.traded, pair.args).ok()?;
    Attempt::new(fill, pair.rule())
}

/// The maker's order, and mostly the taker's, verified before the fill: the compute budget's instruction stands first.
fn any_signed_fill(walk: &mut Walk) -> Option<Attempt> {
    let pair = pair(walk)?;
    let buyer_makes = walk.rng.random();
    let (maker, taker) = if buyer_makes { (&pair.buyer, &pair.seller) } else { (&pair.seller, &pair.buyer) };
    let market = pair.subject(walk);
    let mut signed = |side: &(Trader, Keyed<MarginAccount>), buys: bool| {
        let size = (pair.args.size.min(1 << 60) * walk.rng.random_range(1..4)).cast_signed();
        let order = Order {
            exchange: walk.places.exchange,
            account: side.0.account,
            market,
            venue: Address::default(),
            size: if buys { size } else { -size },
            limit_price: pair.args.price,
            nonce: walk.rng.random_range(0..60),
            expires_at: walk.machine.now() / 300 * 300 + walk.rng.random_range(0..4) * 300,
            instrument: pair.args.instrument,
            contract: pair.args.contract,
            flags: if walk.rng.random_range(0..5) == 0 {
                walk.rng.random_range(1..=REDUCE_ONLY | MAKER_ONLY)
            } else {
                0
            },
        };
        let signature = sign(&side.0.owner, &order.to_bytes())?;
        Some(build::venue::verify(&side.0.owner, &signature, &order))
    };
    let verified = [signed(maker, buyer_makes)?, signed(taker, !buyer_makes)?];
    let taker_signs = walk.rng.random_range(0..3) > 0;
    let submitter = if taker_signs { walk.places.mallory } else { taker.0.owner };
    let args = FillOrdersArgs { size: pair.args.size, maker_instruction: 1, taker_instruction: 2 };
    let fill = walk.priced().fill_orders(submitter, &maker.1, &taker.1, taker_signs, pair.of.traded, args).ok()?;
    let instructions = verified.into_iter().chain([fill]).collect();
    Some(Attempt { instructions, rule: pair.rule(), tampered: false })
}

/// Somebody has an account of layout version 1, with nothing in it.
fn upgrade_account(walk: &mut Walk) -> Option<Attempt> {
    let account =
        MarginAccount { exchange: walk.places.exchange, owner: walk.places.mallory, ..bytemuck::Zeroable::zeroed() };
    let address = address::margin_account(&account.exchange, &account.owner, u16::MAX);
    walk.machine.put(address, raw::account(ID, raw::as_version_1(&account))).ok()?;
    Attempt::new(build::account::Upgrade { payer: walk.places.mallory, account: address }.instruction(), Rule::Books)
}

fn create_orders(walk: &mut Walk) -> Option<Attempt> {
    let account = walk.trader().account;
    Attempt::new(build::venue::CreateOrders { payer: walk.places.mallory, account }.instruction(), Rule::Books)
}

fn cancel_orders(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let floor = walk.get::<Orders>(&address::orders(&trader.account)).map_or(0, |orders| orders.floor);
    let floor = floor + walk.rng.random_range(0..3);
    let cancel = build::venue::CancelOrders { authority: trader.owner, account: trader.account, floor };
    Attempt::new(cancel.instruction(), Rule::Books)
}

/// The program stands for a venue's: its address of the venue's seed signs, as nobody's signature is checked here.
const VENUE_PROGRAM: Address = ID;

fn venue_args(walk: &mut Walk) -> VenueArgs {
    let mut limit = |most: u64| if walk.rng.random() { u64::MAX } else { walk.rng.random_range(0..most) };
    let config = VenueConfig {
        fill_limit: limit(20_000_000_000),
        window_limit: limit(100_000_000_000),
        total_limit: limit(1_000_000_000_000),
        window_seconds: 600,
        state: venue_state::ACTIVE,
        _padding: [0; 3],
    };
    let suspended = walk.rng.random_range(0..8) == 0;
    VenueArgs { config: VenueConfig { state: u8::from(suspended), ..config } }
}

fn register_venue(walk: &mut Walk) -> Option<Attempt> {
    let (admin, exchange, args) = (walk.places.admin, walk.places.exchange, venue_args(walk));
    let register = build::venue::Register { admin, exchange, program: VENUE_PROGRAM, args };
    Attempt::new(register.instruction(), Rule::Books)
}

fn configure_venue(walk: &mut Walk) -> Option<Attempt> {
    let (admin, exchange, args) = (walk.places.admin, walk.places.exchange, venue_args(walk));
    let configure = build::venue::Configure { admin, exchange, program: VENUE_PROGRAM, args };
    Attempt::new(configure.instruction(), Rule::Books)
}

fn approve_venue(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let limit = match walk.rng.random_range(0..10) {
        0 => 0,
        1..=3 => walk.rng.random_range(1..50_000_000_000),
        _ => u64::MAX,
    };
    let venue = address::venue(&walk.places.exchange, &VENUE_PROGRAM);
    let set = build::venue::SetApproval { owner: trader.owner, account: trader.account, venue, limit };
    Attempt::new(set.instruction(), Rule::Books)
}

fn any_venue_fill(walk: &mut Walk) -> Option<Attempt> {
    let pair = pair(walk)?;
    let (buyer, seller) = (&pair.buyer.1, &pair.seller.1);
    let fill = walk.priced().venue_fill(VENUE_PROGRAM, buyer, seller, pair.of.traded, pair.args).ok()?;
    Attempt::new(fill, pair.rule())
}

/// The stake pool of SOL's mint, which is a staked token in half of all walks: as far as the bank can know.
const POOL: Address = Address::new_from_array([b'p'; 32]);

/// What each person keeps with the example of an adapter, native SOL.
const KEPT: u64 = 400 * SOL as u64;

/// Where a person's position with the example of an adapter stands.
fn position_of(trader: &Trader) -> Address {
    Address::new_from_array(trader.owner.to_bytes().map(|byte| byte ^ 85))
}

/// What stands outside of the exchange: a stake pool, and everybody's tokens with the example of an adapter.
pub fn prepare(walk: &mut Walk) {
    let sol = walk.places.sol;
    let put = |walk: &mut Walk, address, account| {
        let put = walk.machine.put(address, account);
        assert!(put.is_ok(), "{put:?}");
    };
    put(walk, POOL, raw::stake_pool(&sol.mint, 5_000_000, 4_000_000, 0));
    for trader in walk.traders.clone() {
        for (address, account) in custody::accounts(&sol, position_of(&trader)) {
            put(walk, address, account);
        }
        let sent = walk.machine.send(&custody::open(&trader, &sol, position_of(&trader), KEPT));
        assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
    }
    // Later the bank has deposits, and its source stays.
    if walk.rng.random() {
        let Some(attempt) = set_rate_source(walk) else { return };
        let sent = walk.machine.send(&attempt.instructions);
        assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
        walk.coverage.note(tag::SET_RATE_SOURCE, Ok(()), sent.compute_units);
    }
}

fn set_rate_source(walk: &mut Walk) -> Option<Attempt> {
    let (authority, exchange, bank) = (walk.places.admin, walk.places.exchange, walk.places.sol.bank);
    let source = RateSource {
        pool: POOL,
        kind: rate_kind::STAKE_POOL,
        max_age_seconds: walk.rng.random_range(1..=100_000),
        rise_per_day_ppm: walk.rng.random_range(0..=10_000),
        ..RateSource::NONE
    };
    let source = if walk.rng.random_range(0..4) == 0 { RateSource::NONE } else { source };
    let set = build::collateral::SetRateSource { authority, exchange, bank, source, proposed: false };
    Attempt::new(set.instruction(), Rule::Books)
}

/// Rewards, a slashing now and then, a pool that is empty.
fn update_rate(walk: &mut Walk) -> Option<Attempt> {
    let sol = walk.places.sol;
    let lamports = match walk.rng.random_range(0..20) {
        0 => 0,
        1 => walk.rng.random_range(1_000_000..=6_000_000),
        _ => walk.rng.random_range(4_990_000..=5_010_000),
    };
    walk.machine.put(POOL, raw::stake_pool(&sol.mint, lamports, 4_000_000, 0)).ok()?;
    let update =
        build::collateral::UpdateRate { bank: sol.bank, market: sol.market, source: POOL, oracle: None, feed: None };
    Attempt::new(update.instruction(), Rule::Books)
}

fn adapter_config(walk: &mut Walk) -> AdapterConfig {
    AdapterConfig {
        cap: walk.rng.random_range(0..=2_000) * SOL as u64,
        haircut_ppm: walk.rng.random_range(0..=300_000),
        grace_seconds: walk.rng.random_range(1..=200),
        state: if walk.rng.random_range(0..10) == 0 { adapter_state::CLOSED } else { adapter_state::ACTIVE },
        _padding: [0; 7],
    }
}

fn register_adapter(walk: &mut Walk) -> Option<Attempt> {
    let (admin, exchange, bank) = (walk.places.admin, walk.places.exchange, walk.places.sol.bank);
    let config = AdapterConfig { cap: 0, ..adapter_config(walk) };
    let register = build::lien::RegisterAdapter { admin, exchange, bank, program: ADAPTER_PROGRAM, config };
    Attempt::new(register.instruction(), Rule::Books)
}

fn configure_adapter(walk: &mut Walk) -> Option<Attempt> {
    let (authority, exchange) = (walk.places.admin, walk.places.exchange);
    let (adapter, config) = (custody::adapter(&walk.places.sol), adapter_config(walk));
    let configure = build::lien::ConfigureAdapter { authority, exchange, adapter, config, proposed: false };
    Attempt::new(configure.instruction(), Rule::Books)
}

/// Locks tokens and has them count.
fn open_lien(walk: &mut Walk) -> Option<Attempt> {
    let (trader, sol) = (walk.trader(), walk.places.sol);
    let (account, amount) = (walk.account(&trader)?, amount(walk, SOL as u64));
    let at = position_of(&trader);
    let open = walk.priced().open_lien(&account, &sol.mint, ADAPTER_PROGRAM, at, amount);
    let mut attempt = Attempt::new(open, Rule::Books)?;
    attempt.instructions.insert(0, custody::lock(&trader, &sol, at, amount));
    Some(attempt)
}

fn update_lien(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    let at = position_of(&trader);
    Attempt::new(walk.priced().update_lien(&account, &walk.places.sol.mint, ADAPTER_PROGRAM, at), Rule::Books)
}

fn release_lien(walk: &mut Walk) -> Option<Attempt> {
    let trader = walk.trader();
    let account = walk.account(&trader)?;
    let amount = if walk.rng.random() { u64::MAX } else { amount(walk, SOL as u64 / 10) };
    let (at, mint) = (position_of(&trader), &walk.places.sol.mint);
    let release = walk.priced().release_lien(&account, mint, ADAPTER_PROGRAM, at, amount, vec![]);
    Attempt::new(release, Rule::InitialMargin(trader))
}

/// Calls in what somebody has who is below the line, or anybody.
fn seize_sunk(walk: &mut Walk) -> Option<Attempt> {
    let sunk: Vec<_> = sunk(walk, false).into_iter().filter(|one| has_liens(walk, one)).collect();
    let trader = if sunk.is_empty() { walk.trader() } else { walk.one_of(&sunk) };
    let account = walk.account(&trader)?;
    let (at, mint) = (position_of(&trader), &walk.places.sol.mint);
    let seize = walk.priced().seize_lien(&account, mint, ADAPTER_PROGRAM, at, custody::for_seizing(&at));
    Attempt::new(seize, Rule::Books)
}

fn has_liens(walk: &Walk, trader: &Trader) -> bool {
    walk.account(trader).is_some_and(|account| account.data.liens > 0)
}

/// The adapter breaks its promise: tokens or the record are gone, or there are more than there were.
fn break_adapter(walk: &mut Walk) -> Option<Attempt> {
    let (trader, sol) = (walk.trader(), walk.places.sol);
    let at = position_of(&trader);
    let amount = walk.rng.random_range(0..=KEPT);
    if walk.rng.random() {
        let tokens = raw::token_account(&sol.mint, &custody::custodian().0, amount);
        walk.machine.put(custody::vault(&at), tokens).ok()?;
    } else {
        let mut position = walk.machine.account(&at)?;
        position.data[112..120].copy_from_slice(&amount.to_le_bytes());
        walk.machine.put(at, position).ok()?;
    }
    update_lien(walk)
}
