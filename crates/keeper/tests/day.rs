//! A day of an exchange: accounts that trade at random, prices of a generated path with a crash in it, keeper and liquidator as
//! processes of their own, who are killed, cut off and made to miss slots. At its end the books are right, nobody is dead, and
//! nobody was left below the line.
//!
//! `PLIMSOLL_DAY_SEED` chooses another day, `PLIMSOLL_DAY_HOURS` a longer one, `PLIMSOLL_DAY_ACCOUNTS` more people.

mod common;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{Bot, market, open_board_at, proxy::Proxy, refresh};
use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::{Board, MarginAccount, Market, trigger_side, trigger_when},
    address,
    instruction::{TOKEN_PROGRAM, account, trigger, waterfall},
    interface::{
        bridge::Inputs,
        instruction::{ClosePositionArgs, OpenOptionArgs, OpenPositionArgs, PlaceTriggerArgs, SwapArgs},
    },
};
use plimsoll_keeper::priced::Accrued;
use plimsoll_localnet::{World, books::Books};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Chain time of a step, seconds; of one in the hour in which a board expires, which wants a price a minute.
const STEP_SECONDS: u32 = 120;
const STEP_SECONDS_AT_EXPIRY: u32 = 60;
/// Longest that an account may be below its line while the bots are there, seconds: the auction's discount has to cover what
/// unwinding costs first, so the five minutes that it takes to rise, and as many again.
const BELOW_SECONDS_MAX: u32 = 600;
/// How many people act in a step.
const ACTIONS: usize = 3;
/// How long a step waits for the bots, at most.
const CATCH_UP: Duration = Duration::from_millis(4_000);
/// How often the liquidator looks in a step at least, while somebody is below the line. It has a hundred times as long.
const LOOKS: f64 = 4.0;

const KEEPER: &str = "
[connection]
clock_ms = 150
poll_ms = 1000
retry_max_seconds = 2
silence_seconds = 5
[fees]
priority = \"fixed\"
confirm_ms = 60
[due]
settle_usd = 50.0
value_seconds = 300
[tasks.observe]
interval_ms = 100
[tasks.refresh_board]
interval_ms = 150
[tasks.sample_expiry]
interval_ms = 150
[tasks.flag_liquidation]
interval_ms = 200
[tasks.execute_trigger]
interval_ms = 250
";
const LIQUIDATOR: &str = "
[connection]
clock_ms = 150
poll_ms = 1000
retry_max_seconds = 2
silence_seconds = 5
[fees]
priority = \"fixed\"
confirm_ms = 60
[policy]
look_ms = 500
";

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
}

/// Prices of SOL and BTC, as multiples of where they start: returns of a GARCH(1,1) each, correlated, with jumps; and in the
/// middle of the day a crash.
struct Path {
    random: StdRng,
    factors: [f64; 2],
    /// Variance of a step's return.
    variances: [f64; 2],
    means: [f64; 2],
}

/// Steps that the crash takes, and what is left of either price after it.
const CRASH_STEPS: u32 = 15;
const CRASH: [f64; 2] = [0.72, 0.84];

impl Path {
    fn new(seed: u64) -> Self {
        let steps_of_a_year = 31_557_600.0 / f64::from(STEP_SECONDS);
        let means = [0.9f64, 0.55].map(|volatility| volatility * volatility / steps_of_a_year);
        Self { random: StdRng::seed_from_u64(seed), factors: [1.0; 2], variances: means, means }
    }

    fn step(&mut self, is_crash: bool) -> [f64; 2] {
        let [one, other]: [f64; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut self.random));
        let shocks = [one, 0.7 * one + (1.0f64 - 0.49).sqrt() * other];
        for asset in 0..2 {
            let jump = if self.random.random_bool(0.002) { self.random.random_range(-0.02..0.02) } else { 0.0 };
            let crash = if is_crash { CRASH[asset].ln() / f64::from(CRASH_STEPS) } else { 0.0 };
            let shock = self.variances[asset].sqrt() * shocks[asset];
            self.factors[asset] = (self.factors[asset] * (shock + jump + crash).exp()).clamp(0.2, 5.0);
            let squared = (shock + jump + crash).powi(2).min(100.0 * self.means[asset]);
            self.variances[asset] = 0.05 * self.means[asset] + 0.08 * squared + 0.87 * self.variances[asset];
        }
        self.factors
    }
}

/// Somebody who trades.
struct Person {
    wallet: Keypair,
    account: Address,
    /// How many times its equity it trades.
    appetite: f64,
}

/// The day.
struct Day {
    world: World,
    random: StdRng,
    people: Vec<Person>,
    markets: [Address; 2],
    boards: [Address; 2],
    /// What was done, and how often; what was refused, and why.
    done: BTreeMap<String, u32>,
    /// Of each account below its line its sequence when it was last seen, and for how many seconds it has been there by now.
    below: BTreeMap<Address, (u64, u32)>,
    longest_below: u32,
    /// Whose breach that was.
    slowest: Address,
    /// When the first board expires, unix seconds.
    expiry: i64,
}

impl Day {
    fn new(seed: u64, accounts: u64) -> Self {
        let mut world = common::world(100);
        // From 20:00 to 20:00, so that a board expires in its middle.
        let now = world.rpc().now().unwrap();
        let until = (72_000 - now.rem_euclid(86_400)).rem_euclid(86_400);
        world.chain.travel(u32::try_from(until).unwrap()).unwrap();
        world.publish().unwrap();
        world.observe().unwrap();
        let (first, Board { expiry, .. }) = open_board_at(&mut world, 0, 3_600);
        let boards = [first, open_board_at(&mut world, 1, 86_400 + 3_600).0];
        fund_insurance(&mut world, 50_000_000_000);
        let markets = ["SOL", "BTC"].map(|symbol| market(&world, symbol));
        let random = StdRng::seed_from_u64(seed ^ 0x00da_7a00);
        let (done, below) = (BTreeMap::new(), BTreeMap::new());
        let mut day = Self {
            world,
            random,
            people: vec![],
            markets,
            boards,
            done,
            below,
            longest_below: 0,
            slowest: Address::default(),
            expiry,
        };
        for number in 0..accounts {
            let person = day.enter(number);
            day.people.push(person);
        }
        day
    }

    /// Somebody new, with two or three collaterals.
    fn enter(&mut self, number: u64) -> Person {
        let wallet = self.world.wallet().unwrap();
        let owner = wallet.pubkey();
        let account = address::margin_account(&self.world.exchange, &owner, 0);
        let create = account::Create { payer: owner, owner, exchange: self.world.exchange, index: 0 };
        let mut all = vec![create.instruction()];
        let quote = self.world.deployment.quote.symbol.clone();
        let dollars = self.random.random_range(500..5_000u64);
        let sol = if !number.is_multiple_of(3) { self.random.random_range(5..80u64) * 1_000_000_000 } else { 0 };
        let btc = if number.is_multiple_of(4) { self.random.random_range(1..20u64) * 1_000_000 } else { 0 };
        let snapshot = self.world.snapshot().unwrap();
        for (symbol, amount) in [(quote.as_str(), dollars * 1_000_000), ("SOL", sol), ("BTC", btc)] {
            if amount > 0 {
                let source = self.world.give(&owner, symbol, amount).unwrap();
                let mint = self.world.mint(symbol).unwrap();
                all.push(snapshot.deposit(owner, &account, &mint, source, amount).unwrap());
            }
        }
        self.world.send(&all, &wallet).unwrap();
        Person { wallet, account, appetite: self.random.random_range(0.5..9.0) }
    }

    /// A few of them act at the same time, at the prices of `snapshot`.
    fn act(&mut self, snapshot: &Snapshot, accounts: &BTreeMap<Address, Keyed<MarginAccount>>) {
        let mut chosen: Vec<(usize, &'static str, Vec<Instruction>)> = Vec::new();
        for _ in 0..ACTIONS {
            let who = self.random.random_range(0..self.people.len());
            let Some(account) = accounts.get(&self.people[who].account) else { continue };
            let is_free = chosen.iter().all(|(other, ..)| *other != who);
            if is_free && let Some((what, instructions)) = self.choose(who, snapshot, account) {
                chosen.push((who, what, instructions));
            }
        }
        let (rpc, people) = (self.world.rpc(), &self.people);
        let sent: Vec<String> = std::thread::scope(|scope| {
            let send = |(who, what, instructions): (usize, &'static str, Vec<Instruction>)| {
                scope.spawn(move || match rpc.send(&instructions, &people[who].wallet, &[]) {
                    Ok(_) => format!("{what}: done"),
                    Err(error) => format!("{what}: {}", error.to_string().split(':').next().unwrap_or("refused")),
                })
            };
            let all: Vec<_> = chosen.into_iter().map(send).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for what in sent {
            *self.done.entry(what).or_default() += 1;
        }
    }

    /// What somebody does next.
    fn choose(
        &mut self,
        who: usize,
        snapshot: &Snapshot,
        account: &Keyed<MarginAccount>,
    ) -> Option<(&'static str, Vec<Instruction>)> {
        let authority = self.people[who].wallet.pubkey();
        let at = usize::from(self.random.random_bool(0.3));
        let market = self.markets[at];
        let spot = snapshot.market(&market).ok()?.1.spot.raw();
        let equity = snapshot.margin(&account.data).ok()?.equity_maint.raw().max(0) as f64;
        let position = account.data.market_slot(&market).map_or(0, |slot| account.data.markets[slot].size);
        let base_price = spot as f64 / 2f64.powi(48);
        let is_up = self.random.random_bool(0.6);
        Some(match self.random.random_range(0..100) {
            0..40 => {
                let notional = equity * self.people[who].appetite * self.random.random_range(0.1..1.0);
                let size = (notional / base_price) as i64 * if is_up { 1 } else { -1 };
                let limit_price = if size > 0 { spot / 50 * 51 } else { spot / 50 * 49 };
                let args = OpenPositionArgs { size, limit_price, expires_at: 0, reduce_only: 0 };
                ("open", vec![snapshot.open_position(authority, account, &market, args).ok()?])
            }
            40..55 => {
                let limit_price = if position < 0 { spot / 50 * 51 } else { spot / 50 * 49 };
                let args = ClosePositionArgs { size: position.unsigned_abs() / 2 + 1, limit_price, expires_at: 0 };
                ("close", vec![snapshot.close_position(authority, account, &market, args).ok()?])
            }
            55..75 => {
                let board = self.boards[usize::from(self.random.random_bool(0.5))];
                let lots = self.random.random_range(1..40i64) * if is_up { 1 } else { -1 };
                let limit_price = if lots > 0 { u64::MAX >> 8 } else { 1 };
                let series = self.random.random_range(0..12);
                let args = OpenOptionArgs { lots, limit_price, expires_at: 0, series, reduce_only: 0 };
                let trade = snapshot.open_option(authority, account, &board, args).ok()?;
                ("option", vec![refresh(&self.world, &board), trade])
            }
            75..82 => {
                let amount = self.random.random_range(1..10i64) * 1_000_000_000 * if is_up { -1 } else { 1 };
                let limit_amount = if amount > 0 { u64::MAX } else { 0 };
                let args = SwapArgs { amount, limit_amount, expires_at: 0 };
                ("swap", vec![snapshot.swap(authority, account, &self.world.mint("SOL").ok()?, args).ok()?])
            }
            82..92 => {
                let symbol = if is_up { self.world.deployment.quote.symbol.clone() } else { "SOL".into() };
                let amount = if is_up { equity * 0.3 } else { equity * 0.1 / base_price } as u64;
                let destination = self.world.give(&authority, &symbol, 0).ok()?;
                let mint = self.world.mint(&symbol).ok()?;
                ("borrow", vec![snapshot.withdraw(account, &mint, destination, amount + 1).ok()?])
            }
            _ => {
                let is_long = position >= 0;
                let args = PlaceTriggerArgs {
                    trigger_price: (spot as f64 * if is_long { 0.985 } else { 1.015 }) as u64,
                    limit_price: if is_long { 0 } else { u64::MAX },
                    size: u64::MAX,
                    tip: 500_000,
                    expires_at: 0,
                    side: if is_long { trigger_side::LONG } else { trigger_side::SHORT },
                    when: if is_long { trigger_when::AT_OR_BELOW } else { trigger_when::AT_OR_ABOVE },
                };
                let place = trigger::Place { authority, account: account.address, market, args };
                ("stored order", vec![place.instruction()])
            }
        })
    }

    fn accounts(&self) -> BTreeMap<Address, Keyed<MarginAccount>> {
        let all = self.world.rpc().margin_accounts(&self.world.exchange, None).unwrap();
        all.into_iter().map(|account| (account.address, account)).collect()
    }

    /// Notes who is below the line, and for `seconds` more.
    fn watch(&mut self, snapshot: &Snapshot, accounts: &BTreeMap<Address, Keyed<MarginAccount>>, seconds: u32) {
        let accrued = Accrued::new(snapshot).unwrap();
        let priced = accrued.priced(&snapshot.boards);
        let mut plain = snapshot.clone();
        plain.accrue().unwrap();
        for (address, account) in accounts {
            let margin = priced.margin(&account.data).ok();
            assert_eq!(margin, plain.margin(&account.data).ok(), "what the bots reckon with is the client's margin");
            let is_below = margin.is_some_and(|margin| margin.health_maint().is_ok_and(|health| health.is_negative()));
            if !is_below {
                self.below.remove(address);
                continue;
            }
            // Seen for the first time, it has sunk just now. With an auction from before these prices, or with nothing but an
            // auction's start behind it since, it has been there all the time; else it was taken over and sank again.
            let (auction, sequence) = (account.data.liquidation_started_at, account.data.sequence);
            let (known, lasted) = self.below.entry(*address).or_insert((sequence, 0));
            let is_older = auction != 0 && auction < snapshot.now - i64::from(seconds) / 2;
            let is_the_same = is_older || sequence - *known <= 1;
            *lasted = if is_the_same { *lasted + seconds } else { 0 };
            *known = sequence;
            if *lasted > self.longest_below {
                (self.longest_below, self.slowest) = (*lasted, *address);
            }
        }
    }

    /// Chain time until the next prices, seconds.
    fn step_seconds(&self, now: i64) -> u32 {
        let is_at_expiry = (self.expiry - 2_400..self.expiry + 600).contains(&now);
        if is_at_expiry { STEP_SECONDS_AT_EXPIRY } else { STEP_SECONDS }
    }

    /// Waits until the keeper has stored this step's prices and the liquidator has done at them what it would do in the
    /// minutes that a step stands for, or not.
    fn let_them_catch_up(&self, liquidator: &Bot) {
        let (published, deadline) = (self.world.rpc().now().unwrap() - 5, Instant::now() + CATCH_UP);
        let until = |is_done: &dyn Fn() -> bool| {
            while Instant::now() < deadline && !is_done() {
                std::thread::sleep(Duration::from_millis(25));
            }
        };
        let market = |address| self.world.rpc().get::<Market>(address).unwrap().data;
        until(&|| self.markets.iter().all(|address| market(address).publish_time >= published));
        let metric = |name: &str| liquidator.metric(&format!("plimsoll_liquidator_{name}"));
        let looks = || metric("task_runs_total{outcome=\"ok\",task=\"liquidate\"}");
        let before = looks();
        until(&|| metric("below_line") == 0.0 || (looks() >= before + LOOKS && metric("in_flight") == 0.0));
    }
}

fn fund_insurance(world: &mut World, amount: u64) {
    let admin = world.admin.insecure_clone();
    let symbol = world.deployment.quote.symbol.clone();
    let source = world.give(&admin.pubkey(), &symbol, amount).unwrap();
    let fund = waterfall::FundInsurance {
        funder: admin.pubkey(),
        exchange: world.exchange,
        quote_mint: world.mint(&symbol).unwrap(),
        token_program: TOKEN_PROGRAM,
        source,
        amount,
    };
    world.send(&[fund.instruction()], &admin).unwrap();
}

/// The two bots, behind proxies.
struct Bots {
    urls: [String; 2],
    proxies: [Proxy; 2],
    keys: [Keypair; 2],
    keeper: Option<Bot>,
    liquidator: Bot,
}

impl Bots {
    fn start(world: &World) -> Self {
        let proxies = [Proxy::of(world.chain.url()), Proxy::of(world.chain.ws_url())];
        let urls = [format!("http://127.0.0.1:{}", proxies[0].port), format!("ws://127.0.0.1:{}", proxies[1].port)];
        let taker = world.wallet().unwrap();
        world.give(&taker.pubkey(), &world.deployment.quote.symbol, 40_000_000_000).unwrap();
        let keys = [world.admin.insecure_clone(), taker];
        let keeper = Bot::keeper(&urls[0], &urls[1], &keys[0], KEEPER);
        let liquidator = Bot::liquidator(&urls[0], &urls[1], &keys[1], LIQUIDATOR);
        keeper.wait_for_log("keeping");
        liquidator.wait_for_log("watching");
        Self { urls, proxies, keys, keeper: Some(keeper), liquidator }
    }

    fn restart_keeper(&mut self) {
        let keeper = Bot::keeper(&self.urls[0], &self.urls[1], &self.keys[0], KEEPER);
        keeper.wait_for_log("keeping");
        self.keeper = Some(keeper);
    }

    /// What befalls them in a step of so many; whether they are there. A step may come twice, or not at all.
    fn suffer(&mut self, world: &World, step: u32, steps: u32) -> bool {
        let within = |percent: u32, length: u32| {
            let from = steps * percent / 100;
            (from..from + length).contains(&step)
        };
        match (within(30, 6), self.keeper.is_some()) {
            // Killed, not asked.
            (true, true) => self.keeper = None,
            (false, false) => self.restart_keeper(),
            _ => {}
        }
        self.proxies.iter().for_each(|proxy| if within(70, 6) { proxy.cut() } else { proxy.restore() });
        if within(85, 1) {
            // Slots without anything in them.
            world.chain.travel(400).unwrap();
        }
        !within(30, 8) && !within(70, 10) && !within(85, 4)
    }
}

#[test]
fn a_day_with_a_crash_leaves_the_books_right_and_nobody_below_the_line() {
    let seed = variable("PLIMSOLL_DAY_SEED", 20_261_123);
    let hours = variable("PLIMSOLL_DAY_HOURS", 24);
    println!("PLIMSOLL_DAY_SEED={seed} PLIMSOLL_DAY_HOURS={hours}");
    let begun = Instant::now();
    let mut day = Day::new(seed, variable("PLIMSOLL_DAY_ACCOUNTS", 200));
    let mut bots = Bots::start(&day.world);
    let mut path = Path::new(seed);
    let steps = u32::try_from(hours * 3_600).unwrap() / STEP_SECONDS;
    println!("{:.0} s: everybody has entered", begun.elapsed().as_secs_f64());
    let start = day.world.rpc().now().unwrap();
    let mut now = start;
    let mut step = 0;
    while step < steps {
        let are_there = bots.suffer(&day.world, step, steps);
        let seconds = day.step_seconds(now);
        day.world.chain.travel(seconds).unwrap();
        now = day.world.rpc().now().unwrap();
        step = u32::try_from((now - start) / i64::from(STEP_SECONDS)).unwrap();
        let is_crash = (steps * 2 / 5..steps * 2 / 5 + CRASH_STEPS).contains(&step);
        let [sol, btc] = path.step(is_crash);
        day.world.set_price_factor("SOL", sol);
        day.world.set_price_factor("BTC", btc);
        day.world.publish().unwrap();
        if are_there {
            day.let_them_catch_up(&bots.liquidator);
        }
        let (snapshot, accounts) = (day.world.snapshot().unwrap(), day.accounts());
        // While the bots are away nobody's patience is counted.
        day.watch(&snapshot, &accounts, if are_there { seconds } else { 0 });
        day.act(&snapshot, &accounts);
        if step % 30 == 29 {
            let (elapsed, below) = (begun.elapsed().as_secs_f64(), day.below.len());
            println!("{elapsed:.0} s: step {step} of {steps}, SOL {sol:.3}, BTC {btc:.3}, {below} below the line");
        }
    }
    conclude(day, bots);
}

/// What must hold at the end.
fn conclude(day: Day, mut bots: Bots) {
    day.world.chain.travel(1).unwrap();
    day.world.publish().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    println!("{:#?}", day.done);
    let keeper = bots.keeper.as_mut().unwrap();
    for (name, bot) in [("keeper", &mut *keeper), ("liquidator", &mut bots.liquidator)] {
        let health = bot.get("/health");
        assert!(health.starts_with("HTTP/1.1 200"), "{name}: {health}");
        for line in bot.get("/metrics").lines().filter(|line| line.contains("transactions_total{")) {
            println!("{line}");
        }
        assert!(!bot.log().iter().any(|line| line.contains("panicked") || line.contains("\"ERROR\"")), "{name}");
    }
    let taken =
        bots.liquidator.metric("plimsoll_liquidator_transactions_total{outcome=\"confirmed\",task=\"liquidate\"}");
    let slots = bots.liquidator.metric("plimsoll_liquidator_below_line_slots_max");
    println!("{taken} take-overs; longest below the line: {} s, {slots} slots", day.longest_below);
    if day.longest_below > BELOW_SECONDS_MAX {
        let about = |line: &&String| line.contains(&day.slowest.to_string());
        bots.liquidator.log().iter().filter(about).for_each(|line| println!("{line}"));
    }
    assert!(taken > 0.0, "a crash without a liquidation");
    assert!(keeper.terminate().success() && bots.liquidator.terminate().success());
    let checks = Books::fetch(day.world.rpc(), &day.world.exchange).unwrap().checks("").unwrap();
    for check in &checks {
        assert!(check.holds, "{}: {}: {}", check.name, check.rule, check.found);
    }
    let is_over = day.world.rpc().now().unwrap() > day.expiry + 3_600;
    let is_there = day.world.snapshot().unwrap().boards.contains_key(&day.boards[0]);
    assert!(!is_over || !is_there, "the first board has not been closed");
    assert!(day.longest_below <= BELOW_SECONDS_MAX, "an account was below its line for {} s", day.longest_below);
}
