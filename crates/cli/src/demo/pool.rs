//! Who stands behind the house: a provider of liquidity, who comes before the crash and leaves after it.

use anyhow::{Result, anyhow};
use plimsoll_client::{
    address,
    event::{Event, TicketChanged},
    instruction::{associated_token_account, create_token_account, house},
    interface::event::ticket_status,
    rpc::Confirmed,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::checks::Check;
use crate::{format, output::say};
use plimsoll_localnet::world::{self, World};

/// What the provider puts in, quote native: 250,000 USD.
const PROVIDED: u64 = 250_000_000_000;

/// A provider of liquidity.
pub struct Provider {
    wallet: Keypair,
    shares: u64,
}

impl Provider {
    /// A new wallet that puts quote into the house and gets shares for it, a delay later.
    pub fn enter(world: &mut World) -> Result<Self> {
        let wallet = world.wallet()?;
        let owner = wallet.pubkey();
        let quote = world.deployment.quote.symbol.clone();
        let source = world.give(&owner, &quote, PROVIDED)?;
        let ticket = world.snapshot()?.ticket(owner, 0);
        // A second thought: the request of another ticket is taken back at once.
        let other = world.snapshot()?.ticket(owner, 1);
        let first = PROVIDED / 2;
        world.send(&[other.provide(source, first), other.cancel(house::Asset::Quote, source)], &wallet)?;
        world.send(&[ticket.provide(source, PROVIDED)], &wallet)?;
        let mint = address::share_mint(&ticket.house());
        let shares = associated_token_account(&owner, &mint);
        let create = create_token_account(&owner, &owner, &mint);
        wait_and_value(world)?;
        let instructions = [create, ticket.execute(), ticket.claim(house::Asset::Shares, shares)];
        let claimed = claimed(&world.send(&instructions, &wallet)?)?;
        say!(
            "  {:<10} puts {} USD into the house and gets {} shares",
            "provider",
            format::usd(PROVIDED.cast_signed()),
            format::usd(claimed.proceeds.cast_signed())
        );
        Ok(Self { wallet, shares: claimed.proceeds })
    }

    /// Gives all shares back for what they are worth by then.
    pub fn leave(&self, world: &mut World, checks: &mut Vec<Check>) -> Result<()> {
        let owner = self.wallet.pubkey();
        let snapshot = world.snapshot()?;
        let ticket = snapshot.ticket(owner, 0);
        let shares = associated_token_account(&owner, &address::share_mint(&ticket.house()));
        let quote = associated_token_account(&owner, &snapshot.exchange.data.quote_mint);
        world.send(&[ticket.redeem(shares, self.shares)], &self.wallet)?;
        wait_and_value(world)?;
        let house = world.snapshot()?.house.ok_or_else(|| anyhow!("the house is gone"))?;
        let instructions = [ticket.execute(), ticket.claim(house::Asset::Quote, quote)];
        let claimed = claimed(&world.send(&instructions, &self.wallet)?)?;
        say!(
            "  {:<10} gets {} USD for the {} shares that cost {} USD",
            "provider",
            format::usd(claimed.proceeds.cast_signed()),
            format::usd(self.shares.cast_signed()),
            format::usd(PROVIDED.cast_signed()),
        );
        let part = u128::from(house.nav.unsigned_abs()) * u128::from(self.shares) / u128::from(house.share_supply);
        let found = u128::from(claimed.proceeds);
        checks.push(Check::new(
            "INV-13",
            "a redemption pays no more than its part of the house, and no less than a cent below it",
            format!("{found} <= {part}"),
            found <= part && part - found < 10_000 + part / 1_000_000,
        ));
        Ok(())
    }
}

/// Lets the house's delay pass, and values the house at prices of then.
fn wait_and_value(world: &mut World) -> Result<()> {
    let delay = world.snapshot()?.exchange.data.config.house_delay_seconds;
    world.chain.travel(delay.saturating_add(1))?;
    world.publish()?;
    let anyone = world.admin.insecure_clone();
    let value = world.snapshot()?.value_house();
    for event in &world.send(&[value], &anyone)?.events {
        if let Event::HouseValued(event) = event {
            say!(
                "  {:<10} is worth {} USD, {} of it earned lately",
                "house",
                format::usd(event.nav),
                format::usd(event.change)
            );
        }
    }
    Ok(())
}

fn claimed(confirmed: &Confirmed) -> Result<TicketChanged> {
    world::event(confirmed, |event| match event {
        Event::TicketChanged(event) if event.status == ticket_status::CLAIMED => Some(*event),
        _ => None,
    })
}
