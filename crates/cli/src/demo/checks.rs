//! What must hold, computed from the accounts as they stand on the chain and from its events.

use anyhow::Result;
use comfy_table::{Cell, Color, Table};
use plimsoll_client::{
    Address, Error,
    config::ExchangeConfig,
    event::{Event, Liquidated, LiquidationFlagged},
    risk::{
        liquidation,
        units::{Fraction, Ppm, Quote},
    },
};

use crate::format;
pub use plimsoll_localnet::books::{Books, Check};
use plimsoll_localnet::world::{self, World};

/// INV-7: what the chain computes for an account is what the client computes, to the unit. The chain says it in the event
/// of `flag_liquidation`, which anyone may call and which does nothing to a healthy account.
pub fn same_margin(world: &mut World, name: &str, account: &Address) -> Result<Check> {
    let account = world.account(account)?;
    let snapshot = world.snapshot()?;
    let margin = snapshot.margin(&account.data)?;
    let admin = world.admin.insecure_clone();
    let confirmed = world.send(&[snapshot.flag_liquidation(&account)], &admin)?;
    let LiquidationFlagged { equity, requirement, .. } = world::event(&confirmed, |event| match event {
        Event::LiquidationFlagged(event) => Some(*event),
        _ => None,
    })?;
    let ours = (margin.equity_maint.raw(), margin.requirement_maint.raw());
    Ok(Check::new(
        "INV-7",
        format!("{name}: equity and requirement, chain = client"),
        format!("{equity} = {}, {requirement} = {}", ours.0, ours.1),
        (equity, requirement) == ours,
    ))
}

/// INV-6: a liquidation happened below the line, for no more than the fraction and for just the price that the closed form
/// says.
pub fn right_liquidation(config: &ExchangeConfig, event: &Liquidated) -> Result<Check> {
    let (equity, requirement) = (Quote::from_raw(event.equity), Quote::from_raw(event.requirement));
    let discount = Ppm::from_raw(u32::try_from(event.discount_ppm)?);
    let fraction = liquidation::fraction(equity, requirement, discount, &config.liquidation()).map_err(Error::from)?;
    let payment =
        liquidation::payment(Fraction::from_raw(event.fraction), equity, requirement, discount).map_err(Error::from)?;
    let holds = event.equity < event.requirement
        && event.fraction <= fraction.raw()
        && payment.raw().unsigned_abs() == event.payment;
    Ok(Check::new(
        "INV-6",
        format!(
            "liquidation of {} at {} of its requirement",
            format::fraction(event.fraction),
            format::percent(event.discount_ppm)
        ),
        format!("{} < {}, paid {}", event.equity, event.requirement, event.payment),
        holds,
    ))
}

/// The checks as a table.
pub fn table(checks: &[Check]) -> Table {
    let mut table = format::table(&["invariant", "rule", "found, in native units", ""]);
    for check in checks {
        let verdict =
            if check.holds { Cell::new("holds").fg(Color::Green) } else { Cell::new("BROKEN").fg(Color::Red) };
        table.add_row(vec![Cell::new(&check.name), Cell::new(&check.rule), Cell::new(&check.found), verdict]);
    }
    table
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn a_liquidation_is_held_to_the_closed_form() {
        let config = ExchangeConfig { liquidation_buffer_ppm: 100_000, ..ExchangeConfig::zeroed() };
        let (equity, requirement) = (1_000_000_000, 2_000_000_000);
        let fraction = liquidation::fraction(
            Quote::from_raw(equity),
            Quote::from_raw(requirement),
            Ppm::from_raw(10_000),
            &config.liquidation(),
        )
        .unwrap();
        let payment = liquidation::payment(
            fraction,
            Quote::from_raw(equity),
            Quote::from_raw(requirement),
            Ppm::from_raw(10_000),
        )
        .unwrap();
        let event = Liquidated {
            equity,
            requirement,
            fraction: fraction.raw(),
            payment: payment.raw().unsigned_abs(),
            discount_ppm: 10_000,
            ..Liquidated::zeroed()
        };
        assert!(right_liquidation(&config, &event).unwrap().holds);
        assert!(!right_liquidation(&config, &Liquidated { payment: event.payment + 1, ..event }).unwrap().holds);
        assert!(!right_liquidation(&config, &Liquidated { fraction: event.fraction + 1, ..event }).unwrap().holds);
    }
}
