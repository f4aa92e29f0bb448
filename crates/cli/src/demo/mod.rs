//! `plimsoll demo`: a crash on a local chain, from nothing over liquidations by another process and an insolvency to the
//! expiry of options, and everything checked afterwards.

mod bot;
mod checks;
mod crash;
mod expiry;
mod gap;
mod pool;
mod scene;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use comfy_table::Table;
use plimsoll_client::{
    Error, Keyed,
    accounts::MarginAccount,
    address, decode,
    event::Event,
    instruction::{bank, exchange},
    interface::instruction::tag,
    words::{self, Names},
};
use serde_json::Value;
use solana_signer::Signer;

use self::{
    bot::Bot,
    checks::{Books, Check},
    crash::{CRASH, STEP_HOURS, Step},
    expiry::Expiry,
    pool::Provider,
    scene::{Cast, Trader},
};
use crate::{
    commands::localnet::{self, LocalChainOptions, PageOptions},
    context::Context,
    cranks::Cranks,
    format::{self, number},
    output::{self, say},
    show,
};
use plimsoll_localnet::World;

/// What the liquidator starts with, quote native: 50,000 USD.
const LIQUIDATOR_QUOTE: u64 = 50_000_000_000;
/// How long the liquidator may take to bring an account back above its line.
const LIQUIDATION_TIMEOUT: Duration = Duration::from_secs(30);
/// What the hedged account takes out at the end, lamports: half of its 400 SOL.
const HEDGE_WITHDRAWAL: u64 = 200_000_000_000;

/// And what it swaps for dollars, lamports: 50 SOL.
const HEDGE_SWAP: u64 = 50_000_000_000;

/// Options of `plimsoll demo`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    chain: LocalChainOptions,
    #[command(flatten)]
    page: PageOptions,
    /// Leave the chain running afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let started = Instant::now();
    let mut world = options.chain.open(false)?;
    say!("Chain at {}", world.chain.url());
    let mut checks = Vec::new();

    say!("\nLiquidity, options and positions");
    let provider = Provider::enter(&mut world)?;
    let lifetime = i64::from(STEP_HOURS) * 3600 * i64::try_from(CRASH.len())?;
    let expiry = Expiry::open(&mut world, lifetime)?;
    let cast = Cast::enter(&mut world, &expiry)?;
    world.observe()?;
    expiry.refresh(&mut world)?;
    let again = world.migrate(&mut |line| output::line(format_args!("{line}")))?;
    checks.push(Check::new("demo", "opening the exchange again changes nothing", format!("{again} steps"), again == 0));
    report(&mut world, "Before", &cast.all(), &mut checks)?;

    let mut theatre = Theatre::open(&mut world, expiry)?;
    crash(&mut world, &mut theatre, &cast, &mut checks)?;
    report(&mut world, "After the crash", &cast.all(), &mut checks)?;
    checks.extend(Books::fetch(world.rpc(), &world.exchange)?.checks("then, ")?);

    insolvency(&mut world, &mut theatre, &cast, &mut checks)?;
    say!("\nExpiry");
    theatre.expiry.settle(&mut world, &mut checks)?;
    world.publish()?;
    report(&mut world, "After the expiry", &cast.all(), &mut checks)?;
    epilogue(&mut world, &cast)?;
    provider.leave(&mut world, &mut checks)?;

    say!("\nCompute units by instruction\n{}", compute_units(&world));
    checks.extend(Books::fetch(world.rpc(), &world.exchange)?.checks("")?);
    say!("\nInvariants, from the accounts as they stand on the chain\n{}", checks::table(&checks));
    verdict(&checks)?;
    say!(
        "\nAll {} checks hold; {} take-overs by another process; {} s.",
        checks.len(),
        theatre.take_overs(),
        started.elapsed().as_secs()
    );
    if !options.keep {
        return Ok(());
    }
    let _cranks = Cranks::start(&world)?;
    localnet::keep(&world, &options.page, true, context)
}

/// Fails unless every check holds.
fn verdict(checks: &[Check]) -> Result<()> {
    let broken = checks.iter().filter(|check| !check.holds).count();
    ensure!(broken == 0, "{broken} of {} checks failed", checks.len());
    Ok(())
}

/// Prints the accounts, and checks that the chain sees them as the client does.
fn report(world: &mut World, title: &str, traders: &[&Trader], checks: &mut Vec<Check>) -> Result<()> {
    for trader in traders {
        checks.push(checks::same_margin(world, &format!("{title}, {}", trader.name), &trader.account)?);
    }
    let snapshot = world.snapshot()?;
    let accounts = traders.iter().map(|trader| Ok((trader.name.to_string(), trader.now(world)?)));
    let accounts = accounts.collect::<Result<Vec<(String, Keyed<MarginAccount>)>>>()?;
    let prices: Vec<String> = show::sorted_markets(&snapshot)
        .into_iter()
        .map(|(_, market)| format!("{} {}", decode::symbol(market), format::price(market.spot, market.base_decimals)))
        .collect();
    say!("\n{title}: {}\n{}", prices.join(", "), show::margins(&snapshot, &accounts)?);
    Ok(())
}

/// What plays on: the liquidator and what it has done, and the options that somebody must keep fresh.
struct Theatre {
    bot: Bot,
    expiry: Expiry,
    done: Vec<Event>,
}

impl Theatre {
    /// Starts the liquidator.
    fn open(world: &mut World, expiry: Expiry) -> Result<Self> {
        say!("\nStarting the liquidator");
        let keypair = world.wallet()?;
        let quote = world.deployment.quote.symbol.clone();
        world.give(&keypair.pubkey(), &quote, LIQUIDATOR_QUOTE)?;
        let bot = Bot::start(world.chain.url(), world.chain.ws_url(), &keypair)?;
        say!("It is process {}, and knows {} and its key\n", bot.process(), world.chain.url());
        Ok(Self { bot, expiry, done: Vec::new() })
    }

    fn take_overs(&self) -> usize {
        let is_take_over = |event: &&Event| matches!(event, Event::Liquidated(_) | Event::InsolventLiquidated(_));
        self.done.iter().filter(is_take_over).count()
    }

    /// Events of the liquidations of one account.
    fn of(&self, trader: &Trader) -> usize {
        let is_of = |event: &&Event| matches!(event, Event::Liquidated(event) if event.account == trader.account);
        self.done.iter().filter(is_of).count()
    }

    /// One step down: publishes, observes, refreshes, and prints and answers every account's maintenance health, quote
    /// native.
    fn fall(&self, world: &mut World, traders: &[&Trader], step: Step, hour: u32) -> Result<Vec<i64>> {
        world.set_price("SOL", step.sol);
        world.set_price("BTC", step.btc);
        world.publish()?;
        world.observe()?;
        self.expiry.refresh(world)?;
        let health = health(world, traders)?;
        let snapshot = world.snapshot()?;
        let price = |symbol: &str| {
            let mut markets = snapshot.markets.values();
            let market = markets.find(|market| decode::symbol(market) == symbol);
            market.map_or_else(String::new, |market| format::price(market.spot, market.base_decimals))
        };
        let all: String = health.iter().map(|health| format!(" {:>12}", format::usd(*health))).collect();
        say!("{hour:>5} {:>9} {:>11}  {all}", price("SOL"), price("BTC"));
        Ok(health)
    }

    /// Waits until the liquidator has brought every account back above its line.
    fn wait_for_liquidator(&mut self, world: &mut World, traders: &[&Trader]) -> Result<()> {
        let deadline = Instant::now() + LIQUIDATION_TIMEOUT;
        while Instant::now() < deadline {
            self.bot.require_alive()?;
            self.tell(world, traders)?;
            if health(world, traders)?.iter().all(|health| *health >= 0) {
                // What it did is on the chain; it may still be about to say so.
                std::thread::sleep(Duration::from_millis(200));
                return self.tell(world, traders);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("nobody liquidated an account below its line within {} s", LIQUIDATION_TIMEOUT.as_secs())
    }

    /// Prints what the liquidator did, as the chain has it, and collects its events.
    fn tell(&mut self, world: &mut World, traders: &[&Trader]) -> Result<()> {
        let snapshot = world.snapshot()?;
        let own = address::margin_account(&world.exchange, &self.bot.wallet, 0);
        let called = traders.iter().map(|trader| (trader.account, trader.name.to_string()));
        let names = Names::of(&snapshot).with_accounts(called.chain([(own, "the liquidator".into())]));
        for news in self.bot.news() {
            let Some(signature) = signature(&news)? else { continue };
            let confirmed = world.rpc().transaction(signature)?;
            let units = confirmed.compute_units.first().copied().unwrap_or_default();
            for event in confirmed.events {
                let tag = match &event {
                    Event::LiquidationFlagged(_) => tag::FLAG_LIQUIDATION,
                    Event::Liquidated(_) | Event::InsolventLiquidated(_) => tag::LIQUIDATE,
                    Event::LossCovered(_) => tag::RESOLVE,
                    _ => continue,
                };
                world.meter.note(tag, units);
                say!("      {}", words::sentence(&event, &names));
                self.done.push(event);
            }
        }
        Ok(())
    }
}

/// Walks the prices down, and watches the liquidator at work.
fn crash(world: &mut World, theatre: &mut Theatre, cast: &Cast, checks: &mut Vec<Check>) -> Result<()> {
    let traders = cast.all();
    heading(&traders)?;
    let mut held = [true; 2];
    for (step, hour) in CRASH.iter().zip((0..).step_by(STEP_HOURS as usize)) {
        if hour > 0 {
            world.chain.travel(STEP_HOURS * 3600)?;
        }
        let health = theatre.fall(world, &traders, *step, hour)?;
        held[0] &= health[0] >= 0;
        held[1] &= health[3] >= 0;
        if health.iter().any(|health| *health < 0) {
            theatre.wait_for_liquidator(world, &traders)?;
        }
    }
    theatre.tell(world, &traders)?;
    for event in &theatre.done {
        if let Event::Liquidated(event) = event {
            checks.push(checks::right_liquidation(&world.deployment.exchange, event)?);
        }
    }
    for (trader, what) in [
        (&cast.leveraged, "the leveraged account"),
        (&cast.writer, "the mixed book of options, perpetuals and collateral"),
    ] {
        let count = theatre.of(trader);
        let found = format!("{count} liquidations by process {}", theatre.bot.process());
        checks.push(Check::new(
            "demo",
            format!("{what} was liquidated over RPC from another process"),
            found,
            count > 0,
        ));
    }
    for (held, what) in held.into_iter().zip(["the hedged account", "the account with puts and their hedge"]) {
        let found = if held { "at every step" } else { "not at every step" };
        checks.push(Check::new("demo", format!("{what} stayed above its line"), found, held));
    }
    Ok(())
}

fn heading(traders: &[&Trader]) -> Result<()> {
    say!("{:>5} {:>9} {:>11}   health above the maintenance line, USD", "hour", "SOL", "BTC");
    let names: String = traders.iter().map(|trader| format!(" {:>12}", trader.name)).collect();
    say!("{:>27}  {names}", "");
    Ok(())
}

/// A price that gaps through an account's margin: the insurance pays, and nobody else.
fn insolvency(world: &mut World, theatre: &mut Theatre, cast: &Cast, checks: &mut Vec<Check>) -> Result<()> {
    say!("\nA gap");
    world.publish()?;
    cast.leveraged.close_and_settle(world, "SOL")?;
    let gambler = gap::enter(world)?;
    theatre.expiry.refresh(world)?;
    let before = gap::Before::now(world)?;
    let told = theatre.done.len();
    let [hedged, leveraged, borrower, neutral, writer] = cast.all();
    let traders = [hedged, leveraged, borrower, neutral, writer, &gambler];
    heading(&traders)?;
    world.chain.travel(60)?;
    let hour = STEP_HOURS * u32::try_from(CRASH.len() - 1)?;
    theatre.fall(world, &traders, gap::GAP, hour)?;
    theatre.wait_for_liquidator(world, &traders)?;
    let events = theatre.done.get(told..).unwrap_or_default();
    checks.extend(before.compare(world, events, &gambler.account)?);
    Ok(())
}

fn health(world: &World, traders: &[&Trader]) -> Result<Vec<i64>> {
    let snapshot = world.snapshot()?;
    let one = |trader: &&Trader| -> Result<i64> {
        let margin = snapshot.margin(&trader.now(world)?.data)?;
        Ok(margin.health_maint().map_err(Error::from)?.raw())
    };
    traders.iter().map(one).collect()
}

fn signature(news: &Value) -> Result<Option<solana_signature::Signature>> {
    let Some(text) = news["signature"].as_str() else { return Ok(None) };
    text.parse().map(Some).map_err(|error| anyhow!("the liquidator named no signature: {error}"))
}

/// Unwinds, and calls what has not been called yet.
fn epilogue(world: &mut World, cast: &Cast) -> Result<()> {
    say!("\nUnwinding");
    world.publish()?;
    cast.hedged.close_and_settle(world, "SOL")?;
    cast.hedged.withdraw(world, "withdraws", "SOL", HEDGE_WITHDRAWAL)?;
    cast.hedged.sell_collateral(world, "SOL", HEDGE_SWAP)?;
    cast.borrower.delegate_and_second_account(world)?;
    let snapshot = world.snapshot()?;
    let admin = world.admin.insecure_clone();
    let root = &snapshot.exchange;
    let mut calls = vec![
        exchange::Configure { admin: admin.pubkey(), exchange: root.address, config: root.data.config }.instruction(),
    ];
    calls.extend(snapshot.markets.iter().map(|(address, market)| snapshot.configure_market(address, market.config)));
    for (address, found) in &snapshot.banks {
        let configure =
            bank::Configure { admin: admin.pubkey(), exchange: root.address, bank: *address, config: found.config };
        calls.extend([bank::Accrue { bank: *address }.instruction(), configure.instruction()]);
    }
    for call in calls {
        world.send(&[call], &admin)?;
    }
    say!("  {:<10} configures everything anew", "admin");
    Ok(())
}

fn compute_units(world: &World) -> Table {
    let mut table = format::table(&["instruction", "calls", "least", "most"]);
    for (name, units) in world.meter.kinds() {
        let (least, most) = (units.iter().min().copied(), units.iter().max().copied());
        table.add_row(vec![
            name.into(),
            number(units.len().to_string()),
            number(format::grouped(least.unwrap_or_default())),
            number(format::grouped(most.unwrap_or_default())),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_check_fails_the_demonstration() {
        let good = || Check::new("INV-1", "a", "b", true);
        assert!(verdict(&[good(), good()]).is_ok());
        let broken = verdict(&[good(), Check::new("INV-2", "a", "b", false)]).unwrap_err();
        assert_eq!(broken.to_string(), "1 of 2 checks failed");
    }

    #[test]
    fn the_crash_starts_where_the_prices_start() {
        assert_eq!((CRASH[0].sol, CRASH[0].btc), (1000, 1000));
        assert!(CRASH.iter().any(|step| step.sol < 700));
    }
}
