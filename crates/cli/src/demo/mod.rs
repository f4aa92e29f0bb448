//! `plimsoll demo`: a crash on a local chain, from nothing to a liquidation by another process, and everything checked
//! afterwards.

mod bot;
mod checks;
mod crash;
mod scene;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use comfy_table::Table;
use plimsoll_client::{
    Error, Keyed,
    accounts::MarginAccount,
    address,
    event::{Event, Liquidated},
    instruction::{associated_token_account, bank, exchange, house},
    interface::{event::ticket_status, instruction::tag},
};
use serde_json::Value;
use solana_signer::Signer;

use self::{
    bot::Bot,
    checks::{Books, Check},
    crash::{CRASH, STEP_HOURS, Step},
    scene::Trader,
};
use crate::{
    LocalChainOptions,
    format::{self, number},
    liquidate, localnet,
    output::say,
    show,
    world::World,
};

/// What the liquidator starts with, quote native: 50,000 USD.
const LIQUIDATOR_QUOTE: u64 = 50_000_000_000;
/// How long the liquidator may take to bring an account back above its line.
const LIQUIDATION_TIMEOUT: Duration = Duration::from_secs(30);
/// House shares that the admin redeems at the end: 1,000.
const HOUSE_SHARES: u64 = 1_000_000_000;

/// What the hedged account takes out at the end, lamports: half of its 400 SOL.
const HEDGE_WITHDRAWAL: u64 = 200_000_000_000;

/// Options of `plimsoll demo`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    chain: LocalChainOptions,
    /// Leave the chain running afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    let mut world = World::open(&options.chain)?;
    say!("Chain at {}", world.chain.url());
    say!("Three wallets take part");
    let traders = scene::enter(&mut world)?;
    world.observe()?;
    let again = world.migrate()?;
    let mut checks =
        vec![Check::new("demo", "opening the exchange again changes nothing", format!("{again} steps"), again == 0)];
    report(&mut world, "Before", &traders, &mut checks)?;

    let liquidations = crash(&mut world, &traders, &mut checks)?;
    report(&mut world, "After", &traders, &mut checks)?;
    epilogue(&mut world, &traders)?;

    say!("\nCompute units by instruction\n{}", compute_units(&world));
    checks.extend(Books::fetch(&world)?.checks()?);
    say!("\nInvariants, from the accounts as they stand on the chain\n{}", checks::table(&checks));
    verdict(&checks)?;
    say!(
        "\nAll {} checks hold; {liquidations} liquidations by another process; {} s.",
        checks.len(),
        started.elapsed().as_secs()
    );
    if options.keep { localnet::keep(&world) } else { Ok(()) }
}

/// Fails unless every check holds.
fn verdict(checks: &[Check]) -> Result<()> {
    let broken = checks.iter().filter(|check| !check.holds).count();
    ensure!(broken == 0, "{broken} of {} checks failed", checks.len());
    Ok(())
}

/// Prints the accounts, and checks that the chain sees them as the client does.
fn report(world: &mut World, title: &str, traders: &[Trader], checks: &mut Vec<Check>) -> Result<()> {
    for trader in traders {
        checks.push(checks::same_margin(world, &format!("{title}, {}", trader.name), &trader.account)?);
    }
    let snapshot = world.snapshot()?;
    let accounts = traders.iter().map(|trader| Ok((trader.name.to_string(), trader.now(world)?)));
    let accounts = accounts.collect::<Result<Vec<(String, Keyed<MarginAccount>)>>>()?;
    let prices: Vec<String> = show::sorted_markets(&snapshot)
        .into_iter()
        .map(|(_, market)| {
            format!("{} {}", format::symbol(&market.symbol), format::price(market.spot, market.base_decimals))
        })
        .collect();
    say!("\n{title}: {}\n{}", prices.join(", "), show::margins(&snapshot, &accounts)?);
    Ok(())
}

/// Walks the prices down, and watches the liquidator at work. Answers how often it worked.
fn crash(world: &mut World, traders: &[Trader; 3], checks: &mut Vec<Check>) -> Result<usize> {
    say!("\nStarting the liquidator");
    let keypair = world.wallet()?;
    let quote = world.deployment.quote.symbol.clone();
    world.give(&keypair.pubkey(), &quote, LIQUIDATOR_QUOTE)?;
    let mut bot = Bot::start(world.chain.url(), &keypair)?;
    say!("It is process {}, and knows {} and its key\n", bot.process(), world.chain.url());

    say!("{:>5} {:>9} {:>11}   health above the maintenance line, USD", "hour", "SOL", "BTC");
    say!("{:>27}   {:>12} {:>12} {:>12}", "", traders[0].name, traders[1].name, traders[2].name);
    let mut done = Vec::new();
    let mut hedge_held = true;
    for (step, hour) in CRASH.iter().zip((0..).step_by(STEP_HOURS as usize)) {
        if hour > 0 {
            world.chain.travel(STEP_HOURS * 3600)?;
        }
        let health = fall(world, traders, *step, hour)?;
        hedge_held &= health[0] >= 0;
        if health.iter().any(|health| *health < 0) {
            wait_for_liquidator(world, traders, &mut bot, &mut done)?;
        }
    }
    tell(world, traders, &mut bot, &mut done)?;
    for event in &done {
        checks.push(checks::right_liquidation(&world.deployment.exchange, event)?);
    }
    let ours = done.iter().filter(|event| event.account == traders[1].account).count();
    let found = format!("{ours} liquidations by process {}", bot.process());
    checks.push(Check::new(
        "demo",
        "the leveraged account was liquidated over RPC from another process",
        found,
        ours > 0,
    ));
    let found = if hedge_held { "at every step" } else { "not at every step" };
    checks.push(Check::new("demo", "the hedged account stayed above its line", found, hedge_held));
    Ok(done.len())
}

/// One step down: publishes, observes, and prints and answers every account's maintenance health, quote native.
fn fall(world: &mut World, traders: &[Trader; 3], step: Step, hour: u32) -> Result<[i64; 3]> {
    world.set_price("SOL", step.sol);
    world.set_price("BTC", step.btc);
    world.publish()?;
    world.observe()?;
    let health = health(world, traders)?;
    let snapshot = world.snapshot()?;
    let price = |symbol: &str| {
        let mut markets = snapshot.markets.values();
        let market = markets.find(|market| format::symbol(&market.symbol) == symbol);
        market.map_or_else(String::new, |market| format::price(market.spot, market.base_decimals))
    };
    let [a, b, c] = health.map(format::usd);
    say!("{hour:>5} {:>9} {:>11}   {a:>12} {b:>12} {c:>12}", price("SOL"), price("BTC"));
    Ok(health)
}

fn health(world: &World, traders: &[Trader; 3]) -> Result<[i64; 3]> {
    let snapshot = world.snapshot()?;
    let mut all = [0; 3];
    for (health, trader) in all.iter_mut().zip(traders) {
        let margin = snapshot.margin(&trader.now(world)?.data)?;
        *health = margin.health_maint().map_err(Error::from)?.raw();
    }
    Ok(all)
}

/// Waits until the liquidator has brought every account back above its line.
fn wait_for_liquidator(
    world: &mut World,
    traders: &[Trader; 3],
    bot: &mut Bot,
    done: &mut Vec<Liquidated>,
) -> Result<()> {
    let deadline = Instant::now() + LIQUIDATION_TIMEOUT;
    while Instant::now() < deadline {
        bot.require_alive()?;
        tell(world, traders, bot, done)?;
        if health(world, traders)?.iter().all(|health| *health >= 0) {
            // What it did is on the chain; it may still be about to say so.
            std::thread::sleep(Duration::from_millis(200));
            return tell(world, traders, bot, done);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("nobody liquidated an account below its line within {} s", LIQUIDATION_TIMEOUT.as_secs())
}

/// Prints what the liquidator did, as the chain has it, and collects its liquidations.
fn tell(world: &mut World, traders: &[Trader; 3], bot: &mut Bot, done: &mut Vec<Liquidated>) -> Result<()> {
    let name = |account| {
        let trader = traders.iter().find(|trader| trader.account == account);
        trader.map_or_else(|| account.to_string(), |trader| trader.name.to_string())
    };
    for news in bot.news() {
        let kind = news["event"].as_str().unwrap_or_default();
        if kind == "failure" {
            say!("      liquidator will try again: {}", news["cause"].as_str().unwrap_or_default());
        }
        let Some(signature) = signature(&news)? else { continue };
        let confirmed = world.rpc().transaction(signature)?;
        let units = confirmed.compute_units.first().copied().unwrap_or_default();
        for event in &confirmed.events {
            match event {
                Event::LiquidationFlagged(event) => {
                    world.meter.note(tag::FLAG_LIQUIDATION, units);
                    say!("      liquidator flagged {}", name(event.account));
                }
                Event::Liquidated(event) => {
                    world.meter.note(tag::LIQUIDATE, units);
                    say!("      liquidator {}", liquidate::sentence(event, &name(event.account)));
                    done.push(*event);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn signature(news: &Value) -> Result<Option<solana_signature::Signature>> {
    let Some(text) = news["signature"].as_str() else { return Ok(None) };
    text.parse().map(Some).map_err(|error| anyhow!("the liquidator named no signature: {error}"))
}

/// Unwinds, and calls what has not been called yet.
fn epilogue(world: &mut World, traders: &[Trader; 3]) -> Result<()> {
    say!("\nUnwinding");
    world.publish()?;
    traders[0].close_and_settle(world, "SOL")?;
    traders[0].withdraw(world, "withdraws", "SOL", HEDGE_WITHDRAWAL)?;
    traders[2].delegate_and_second_account(world)?;
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
    leave_house(world)
}

/// Redeems some of the admin's house shares: a request, the delay, a valuation, the execution, and what comes of it.
fn leave_house(world: &mut World) -> Result<()> {
    let snapshot = world.snapshot()?;
    let admin = world.admin.insecure_clone();
    let owner = admin.pubkey();
    let root = &snapshot.exchange.data;
    let ticket = snapshot.ticket(owner, 0);
    let shares = associated_token_account(&owner, &address::share_mint(&ticket.house()));
    let quote = associated_token_account(&owner, &root.quote_mint);
    let given_up = snapshot.ticket(owner, 1);
    world.send(
        &[
            ticket.redeem(shares, HOUSE_SHARES),
            given_up.redeem(shares, HOUSE_SHARES),
            given_up.cancel(house::Asset::Shares, shares),
        ],
        &admin,
    )?;
    world.chain.travel(root.config.house_delay_seconds.saturating_add(1))?;
    world.publish()?;
    let value = world.snapshot()?.value_house();
    let confirmed = world.send(&[value, ticket.execute(), ticket.claim(house::Asset::Quote, quote)], &admin)?;
    for event in &confirmed.events {
        match event {
            Event::HouseValued(event) => {
                say!(
                    "  {:<10} is worth {} USD after {} of gains",
                    "house",
                    format::usd(event.nav),
                    format::usd(event.change)
                );
            }
            Event::TicketChanged(event) if event.status == ticket_status::CLAIMED => say!(
                "  {:<10} gets {} USD for {} house shares",
                "admin",
                format::usd(event.proceeds.cast_signed()),
                format::usd(event.amount.cast_signed())
            ),
            _ => {}
        }
    }
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
