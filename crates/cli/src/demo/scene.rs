//! Who takes part: three wallets with different collaterals, and what they trade.

use anyhow::{Result, anyhow};
use plimsoll_client::{
    Address, Keyed,
    accounts::{MarginAccount, Market},
    address,
    instruction::account,
    interface::instruction::{ClosePositionArgs, OpenPositionArgs},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{format, output::say, world::World};

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

/// The three wallets, in their positions.
pub fn enter(world: &mut World) -> Result<[Trader; 3]> {
    let hedged = Trader::open(world, "hedged")?;
    hedged.deposit(world, "SOL", native(400, 9))?;
    hedged.trade(world, "SOL", -400_000_000_000)?;

    let leveraged = Trader::open(world, "leveraged")?;
    let quote = world.deployment.quote.symbol.clone();
    leveraged.deposit(world, &quote, native(10_000, 6))?;
    leveraged.trade(world, "SOL", 1_000_000_000_000)?;

    let borrower = Trader::open(world, "borrower")?;
    borrower.deposit(world, "BTC", native(1, 8))?;
    borrower.withdraw(world, "borrows", &quote, native(6_000, 6))?;
    borrower.trade(world, "BTC", -40_000_000)?;
    Ok([hedged, leveraged, borrower])
}

impl Trader {
    fn open(world: &mut World, name: &'static str) -> Result<Self> {
        let wallet = world.wallet()?;
        let owner = wallet.pubkey();
        let account = address::margin_account(&world.exchange, &owner, 0);
        let create = account::Create { payer: owner, owner, exchange: world.exchange, index: 0 };
        world.send(&[create.instruction()], &wallet)?;
        Ok(Self { name, wallet, account })
    }

    fn deposit(&self, world: &mut World, symbol: &str, amount: u64) -> Result<()> {
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
    fn trade(&self, world: &mut World, symbol: &str, size: i64) -> Result<()> {
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
fn find<'a>(markets: impl IntoIterator<Item = (&'a Address, &'a Market)>, symbol: &str) -> Result<(Address, u8, u64)> {
    let mut markets = markets.into_iter();
    let found = markets.find(|(_, market)| format::symbol(&market.symbol) == symbol);
    let (address, market) = found.ok_or_else(|| anyhow!("the demonstration needs a market {symbol} in the file"))?;
    Ok((*address, market.base_decimals, market.spot))
}

fn spoken(world: &World, symbol: &str, amount: u64) -> String {
    let mut banks = std::iter::once(&world.deployment.quote).chain(&world.deployment.banks);
    let decimals = banks.find(|bank| bank.symbol == symbol).map_or(0, |bank| bank.decimals);
    format!("{} {symbol}", format::amount(i64::try_from(amount).unwrap_or(i64::MAX), decimals))
}
