//! A gap: a price that falls further in one moment than an account was margined for. The insurance pays, and nobody else.

use anyhow::{Result, anyhow};
use plimsoll_client::{
    Address, Error,
    accounts::Bank,
    event::Event,
    instruction::{TOKEN_PROGRAM, waterfall},
    interface::event::loss_source,
    risk::interest,
};
use solana_signer::Signer;

use super::{checks::Check, scene::Trader};
use crate::{format, output::say};
use plimsoll_localnet::World;

/// What the admin puts into the insurance, quote native: 20,000 USD.
const INSURANCE: u64 = 20_000_000_000;

/// Prices after the gap, thousandths of where they started.
pub const GAP: super::crash::Step = super::crash::Step { sol: 480, btc: 720 };

/// What must not change hands when the insurance pays.
pub struct Before {
    deposit_index: u64,
    house_shares: u64,
    insurance: u64,
}

/// Pays into the insurance, and opens an account that is as long as it may be.
pub fn enter(world: &mut World) -> Result<Trader> {
    let admin = world.admin.insecure_clone();
    let quote = world.deployment.quote.symbol.clone();
    let source = world.give(&admin.pubkey(), &quote, INSURANCE)?;
    let quote_mint = world.mint(&quote)?;
    let fund = waterfall::FundInsurance {
        funder: admin.pubkey(),
        exchange: world.exchange,
        quote_mint,
        token_program: TOKEN_PROGRAM,
        source,
        amount: INSURANCE,
    };
    world.send(&[fund.instruction()], &admin)?;
    say!("  {:<10} puts {} USD into the insurance", "admin", format::usd(INSURANCE.cast_signed()));
    let gambler = Trader::open(world, "gambler")?;
    gambler.deposit(world, &quote, 2_500_000_000)?;
    gambler.trade(world, "SOL", 250_000_000_000)?;
    Ok(gambler)
}

impl Before {
    /// As it is now.
    pub fn now(world: &World) -> Result<Self> {
        let bank = quote_bank(world)?;
        let house = world.snapshot()?.house.ok_or_else(|| anyhow!("there is no house"))?;
        Ok(Self { deposit_index: bank.deposit_index, house_shares: house.quote_shares, insurance: bank.reserve })
    }

    /// INV-10: the insurance has paid exactly what the events say, and neither house nor deposits have.
    pub fn compare(&self, world: &World, events: &[Event], gambler: &Address) -> Result<Vec<Check>> {
        let bank = quote_bank(world)?;
        let mut paid = 0u64;
        let (mut others, mut rescued, mut left) = (0usize, false, self.insurance);
        for event in events {
            match event {
                Event::InsolventLiquidated(event) => {
                    paid = paid.saturating_add(event.payout);
                    left = event.insurance;
                    rescued |= event.account == *gambler && event.equity <= 0;
                }
                Event::LossCovered(event) if event.source == loss_source::INSURANCE => {
                    paid = paid.saturating_add(event.amount);
                    left = event.insurance;
                }
                Event::LossCovered(_) | Event::Deleveraged(_) => others += 1,
                _ => {}
            }
        }
        let house = world.snapshot()?.house.ok_or_else(|| anyhow!("there is no house"))?;
        let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).map_err(Error::from)?;
        Ok(vec![
            Check::new(
                "demo",
                "an account lost more than it had, and was taken over",
                if rescued { "insolvent, then empty" } else { "no" },
                rescued,
            ),
            Check::new(
                "INV-10",
                "the insurance paid for it, and had enough",
                format!("{paid} of {}, {left} left", self.insurance),
                paid > 0 && left > 0 && left.saturating_add(paid) >= self.insurance,
            ),
            Check::new(
                "INV-10",
                "no loss reached house or deposits",
                format!("{others} steps, deposits are worth {deposits}"),
                others == 0 && bank.deposit_index >= self.deposit_index && house.quote_shares == self.house_shares,
            ),
        ])
    }
}

fn quote_bank(world: &World) -> Result<Bank> {
    let snapshot = world.snapshot()?;
    let bank = snapshot.banks.get(&snapshot.exchange.data.quote_bank);
    bank.copied().ok_or_else(|| anyhow!("there is no quote bank"))
}
