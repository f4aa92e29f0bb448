//! Who takes part: wallets with different collaterals, and what they trade.

use anyhow::{Result, anyhow};
use plimsoll_client::{
    Address, Error, Keyed,
    accounts::{MarginAccount, Market},
    address, decode,
    event::Event,
    instruction::account,
    interface::instruction::{CloseOptionArgs, ClosePositionArgs, OpenOptionArgs, OpenPositionArgs, SwapArgs},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::expiry::Expiry;
use crate::{format, output::say, show};
use plimsoll_localnet::world::{self, World};

/// A wallet and its margin account.
pub struct Trader {
    /// What to call it.
    pub name: &'static str,
    /// Its key.
    pub wallet: Keypair,
    /// Its margin account.
    pub account: Address,
}

/// Whole tokens and their native units.
fn native(whole: u64, decimals: u8) -> u64 {
    whole.saturating_mul(10u64.pow(u32::from(decimals)))
}

/// Everybody with a margin account.
pub struct Cast {
    /// Deposits SOL and shorts as much.
    pub hedged: Trader,
    /// Is long four times what it has.
    pub leveraged: Trader,
    /// Borrows dollars against bitcoin.
    pub borrower: Trader,
    /// Holds puts, and their delta the other way round in the perpetual.
    pub neutral: Trader,
    /// Has sold puts against a mixed book.
    pub writer: Trader,
}

impl Cast {
    /// Opens the accounts, and their positions; options on `expiry`.
    pub fn enter(world: &mut World, expiry: &Expiry) -> Result<Self> {
        let quote = world.deployment.quote.symbol.clone();
        let hedged = Trader::open(world, "hedged")?;
        hedged.deposit(world, "SOL", native(400, 9))?;
        hedged.trade(world, "SOL", -400_000_000_000)?;

        let leveraged = Trader::open(world, "leveraged")?;
        leveraged.deposit(world, &quote, native(10_000, 6))?;
        leveraged.trade(world, "SOL", 1_000_000_000_000)?;

        let borrower = Trader::open(world, "borrower")?;
        borrower.deposit(world, "BTC", native(1, 8))?;
        borrower.withdraw(world, "borrows", &quote, native(6_000, 6))?;
        borrower.trade(world, "BTC", -40_000_000)?;

        let neutral = Trader::open(world, "neutral")?;
        neutral.deposit(world, &quote, native(5_000, 6))?;
        neutral.trade_option(world, expiry, expiry.put(40)?, 5_000)?;
        neutral.trade_option(world, expiry, expiry.put(40)?, -1_000)?;
        let naked = greeks(world, &neutral)?;
        neutral.trade(world, "SOL", 190_000_000_000)?;
        say!("  {:<10} had {naked}; hedged, it has {}", "", greeks(world, &neutral)?);

        let writer = Trader::open(world, "writer")?;
        writer.deposit(world, "SOL", native(100, 9))?;
        writer.deposit(world, "BTC", 10_000_000)?;
        writer.trade(world, "SOL", -150_000_000_000)?;
        writer.trade(world, "BTC", 5_000_000)?;
        writer.trade_option(world, expiry, expiry.put(36)?, -8_000)?;
        writer.trade_option(world, expiry, expiry.call(48)?, -500)?;
        Ok(Self { hedged, leveraged, borrower, neutral, writer })
    }

    /// All of them.
    pub fn all(&self) -> [&Trader; 5] {
        [&self.hedged, &self.leveraged, &self.borrower, &self.neutral, &self.writer]
    }
}

/// What an account gains when all prices rise by all of themselves, to first order, and what when volatility rises by a point.
fn greeks(world: &World, trader: &Trader) -> Result<String> {
    let total = world.snapshot()?.greeks(&trader.now(world)?.data)?.total;
    Ok(format!("delta {} USD, vega {} USD", format::usd(total.delta.raw()), format::usd(total.vega.raw())))
}

impl Trader {
    /// A new wallet with a margin account.
    pub fn open(world: &mut World, name: &'static str) -> Result<Self> {
        let wallet = world.wallet()?;
        let owner = wallet.pubkey();
        let account = address::margin_account(&world.exchange, &owner, 0);
        let create = account::Create { payer: owner, owner, exchange: world.exchange, index: 0 };
        world.send(&[create.instruction()], &wallet)?;
        Ok(Self { name, wallet, account })
    }

    /// Puts native units of a token into the account.
    pub fn deposit(&self, world: &mut World, symbol: &str, amount: u64) -> Result<()> {
        let authority = self.wallet.pubkey();
        let source = world.give(&authority, symbol, amount)?;
        let mint = world.mint(symbol)?;
        let deposit = world.snapshot()?.deposit(authority, &self.account, &mint, source, amount)?;
        world.send(&[deposit], &self.wallet)?;
        say!("  {:<10} deposits {}", self.name, spoken(world, symbol, amount));
        Ok(())
    }

    /// Takes native units of a token out, or borrows them where it has none; `verb` says which.
    pub fn withdraw(&self, world: &mut World, verb: &str, symbol: &str, amount: u64) -> Result<()> {
        let destination = world.give(&self.wallet.pubkey(), symbol, 0)?;
        let account = self.now(world)?;
        let withdrawal = world.snapshot()?.withdraw(&account, &world.mint(symbol)?, destination, amount)?;
        world.send(&[withdrawal], &self.wallet)?;
        say!("  {:<10} {verb} {}", self.name, spoken(world, symbol, amount));
        Ok(())
    }

    /// Buys base units, or sells where negative, within 2 % of the price.
    pub fn trade(&self, world: &mut World, symbol: &str, size: i64) -> Result<()> {
        world.publish()?;
        let snapshot = world.snapshot()?;
        let (market, decimals, spot) = find(&snapshot.markets, symbol)?;
        let limit_price = if size > 0 { spot / 50 * 51 } else { spot / 50 * 49 };
        let args = OpenPositionArgs { size, limit_price, expires_at: 0, reduce_only: 0 };
        let account = self.now(world)?;
        let order = snapshot.open_position(self.wallet.pubkey(), &account, &market, args)?;
        world.send(&[order], &self.wallet)?;
        let verb = if size > 0 { "buys" } else { "sells" };
        let magnitude = i64::try_from(size.unsigned_abs())?;
        say!("  {:<10} {verb} {} {symbol}-PERP", self.name, format::amount(magnitude, decimals));
        Ok(())
    }

    /// Buys lots of a series of an expiry, or sells where negative, for anything between a unit and a quarter of the spot.
    pub fn trade_option(&self, world: &mut World, expiry: &Expiry, series: u8, lots: i64) -> Result<()> {
        world.publish()?;
        let snapshot = world.snapshot()?;
        let (_, decimals, spot) = find(&snapshot.markets, &expiry.symbol)?;
        let limit_price = if lots > 0 { spot / 4 } else { 1 };
        let account = self.now(world)?;
        let board = snapshot.boards.get(&expiry.board).ok_or_else(|| anyhow!("the board is gone"))?;
        let held = match account.data.board_slot(&expiry.board) {
            Some(slot) => i64::from(account.data.option_lots(slot, series).map_err(Error::from)?),
            None => 0,
        };
        let name = show::series(board, series, decimals);
        let order = if held != 0 && (held > 0) != (lots > 0) && held.unsigned_abs() >= lots.unsigned_abs() {
            let args = CloseOptionArgs { lots: lots.unsigned_abs(), limit_price, expires_at: 0, series };
            snapshot.close_option(self.wallet.pubkey(), &account, &expiry.board, args)?
        } else {
            let args = OpenOptionArgs { lots, limit_price, expires_at: 0, series, reduce_only: 0 };
            snapshot.open_option(self.wallet.pubkey(), &account, &expiry.board, args)?
        };
        let confirmed = world.send(&[expiry.refresh_ix(&snapshot)?, order], &self.wallet)?;
        let traded = world::event(&confirmed, |event| match event {
            Event::OptionTraded(event) => Some(*event),
            _ => None,
        })?;
        let base = lots.saturating_mul(i64::try_from(board.lot)?);
        say!(
            "  {:<10} {} {} of the {name} for {} USD, {} USD fee",
            self.name,
            if lots > 0 { "buys" } else { "sells" },
            format::amount(base.saturating_abs(), decimals),
            format::usd(traded.cost.saturating_abs()),
            format::usd(i64::try_from(traded.fee)?),
        );
        Ok(())
    }

    /// Closes its position in a market, and settles what that left.
    pub fn close_and_settle(&self, world: &mut World, symbol: &str) -> Result<()> {
        let snapshot = world.snapshot()?;
        let (market, _, spot) = find(&snapshot.markets, symbol)?;
        let account = self.now(world)?;
        let position = account.data.market_slot(&market).map_or(0, |slot| account.data.markets[slot].size);
        let limit_price = if position < 0 { spot / 50 * 51 } else { spot / 50 * 49 };
        let args = ClosePositionArgs { size: u64::MAX, limit_price, expires_at: 0 };
        let order = snapshot.close_position(self.wallet.pubkey(), &account, &market, args)?;
        world.send(&[order], &self.wallet)?;
        let settle = world.snapshot()?.settle(&self.account, &market);
        world.send(&[settle], &self.wallet)?;
        say!("  {:<10} closes {symbol}-PERP and settles", self.name);
        Ok(())
    }

    /// Sells native units of a collateral to the house for quote.
    pub fn sell_collateral(&self, world: &mut World, symbol: &str, amount: u64) -> Result<()> {
        let mint = world.mint(symbol)?;
        let args = SwapArgs { amount: i64::try_from(amount)?.saturating_neg(), limit_amount: 0, expires_at: 0 };
        let swap = world.snapshot()?.swap(self.wallet.pubkey(), &self.now(world)?, &mint, args)?;
        let confirmed = world.send(&[swap], &self.wallet)?;
        let swapped = world::event(&confirmed, |event| match event {
            Event::Swapped(event) => Some(*event),
            _ => None,
        })?;
        let (sold, paid) = (spoken(world, symbol, amount), format::usd(swapped.paid.saturating_neg()));
        say!("  {:<10} swaps {sold} for {paid} USD", self.name);
        Ok(())
    }

    /// Sets a delegate; opens and closes a second account.
    pub fn delegate_and_second_account(&self, world: &mut World) -> Result<()> {
        let owner = self.wallet.pubkey();
        let delegate = Keypair::new().pubkey();
        let set = account::SetDelegate { owner, account: self.account, delegate, scope: 0 };
        world.send(&[set.instruction()], &self.wallet)?;
        let create = account::Create { payer: owner, owner, exchange: world.exchange, index: 1 };
        world.send(&[create.instruction()], &self.wallet)?;
        let second = address::margin_account(&world.exchange, &owner, 1);
        world.send(&[account::Close { owner, account: second }.instruction()], &self.wallet)?;
        say!("  {:<10} names a delegate, opens a second account and closes it", self.name);
        Ok(())
    }

    /// Its margin account as it is now.
    pub fn now(&self, world: &World) -> Result<Keyed<MarginAccount>> {
        world.account(&self.account)
    }
}

/// Address, decimals and spot of the market of a symbol.
pub fn find<'a>(
    markets: impl IntoIterator<Item = (&'a Address, &'a Market)>,
    symbol: &str,
) -> Result<(Address, u8, u64)> {
    let mut markets = markets.into_iter();
    let found = markets.find(|(_, market)| decode::symbol(market) == symbol);
    let (address, market) = found.ok_or_else(|| anyhow!("the demonstration needs a market {symbol} in the file"))?;
    Ok((*address, market.base_decimals, market.spot))
}

fn spoken(world: &World, symbol: &str, amount: u64) -> String {
    let mut banks = std::iter::once(&world.deployment.quote).chain(&world.deployment.banks);
    let decimals = banks.find(|bank| bank.symbol == symbol).map_or(0, |bank| bank.decimals);
    format!("{} {symbol}", format::amount(i64::try_from(amount).unwrap_or(i64::MAX), decimals))
}
