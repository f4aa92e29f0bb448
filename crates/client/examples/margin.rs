//! An account's margin: what it is worth, what it must be worth, and where it would be liquidated.
//!
//! `cargo run -p plimsoll-client --example margin -- http://127.0.0.1:8899 EXCHANGE OWNER`

use std::{env, error::Error, str::FromStr};

use plimsoll_client::{Address, Snapshot, accounts::MarginAccount, rpc::Rpc};

/// Prints every margin account that `owner` has in `exchange`.
pub fn run(url: &str, exchange: &Address, owner: &Address) -> Result<(), Box<dyn Error>> {
    let rpc = Rpc::new(url);
    // Everything that a margin depends on, at one moment.
    let snapshot = rpc.snapshot(exchange)?;
    for account in rpc.margin_accounts(exchange, Some(owner))? {
        println!("{}", account.address);
        print_margin(&snapshot, &account.data)?;
    }
    Ok(())
}

fn print_margin(snapshot: &Snapshot, account: &MarginAccount) -> Result<(), Box<dyn Error>> {
    // The same function on the same bytes as on the chain: equal to the last unit.
    let margin = snapshot.margin(account)?;
    println!("  equity              {:>18}", usd(margin.equity_init.raw()));
    println!("  initial health      {:>18}", usd(margin.health_init()?.raw()));
    println!("  maintenance health  {:>18}", usd(margin.health_maint()?.raw()));
    for price in snapshot.liquidation_prices(account)? {
        let relative = |at: Option<plimsoll_client::risk::units::Price>| match at {
            Some(at) => format!("{:.1} %", 100.0 * at.raw() as f64 / price.spot.raw() as f64),
            None => "never".into(),
        };
        let (below, above) = (relative(price.below), relative(price.above));
        println!("  liquidated in {} at {below} of its price, or at {above}", price.market);
    }
    Ok(())
}

/// Quote native units as dollars.
fn usd(native: i64) -> String {
    format!("{:.2} USD", native as f64 / 1e6)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, exchange, owner] = arguments.as_slice() else { return Err("usage: margin URL EXCHANGE OWNER".into()) };
    run(url, &Address::from_str(exchange)?, &Address::from_str(owner)?)
}
