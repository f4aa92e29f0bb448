//! A position is looked at before it is opened: what it costs, what the margin would be, where it would be liquidated. Then it
//! is opened with a limit, and the chain has made of it what was said.
//!
//! `cargo run -p plimsoll-client --example open_position -- http://127.0.0.1:8899 EXCHANGE MARKET SIZE KEYPAIR_FILE`

use std::{env, error::Error, str::FromStr};

use plimsoll_client::{
    Address, Keyed, Trade,
    accounts::MarginAccount,
    address,
    budget::PortfolioSize,
    risk::units::Ppm,
    rpc::{ComputeLimit, Rpc, SendOptions},
};
use solana_keypair::{Keypair, read_keypair_file};
use solana_signer::Signer;

/// Opens `size` base units (negative: sells) for the wallet's first margin account. The account as it is then.
pub fn run(
    url: &str,
    exchange: &Address,
    market: &Address,
    size: i64,
    wallet: &Keypair,
) -> Result<Keyed<MarginAccount>, Box<dyn Error>> {
    let rpc = Rpc::new(url);
    let account: Keyed<MarginAccount> = rpc.get(&address::margin_account(exchange, &wallet.pubkey(), 0))?;
    let snapshot = rpc.snapshot(exchange)?;

    let what_if = snapshot.what_if(&account.data, &Trade::position(*market, size))?;
    if let Some(reason) = what_if.reason() {
        let most = snapshot.max_size(&account.data, &Trade::position(*market, size))?.size;
        return Err(format!("the chain would refuse it: {reason}; the largest accepted is {most}").into());
    }
    if let (Some(execution), Some(margin)) = (what_if.execution, what_if.margin) {
        println!("costs {} and a fee of {}, quote native", execution.cost, execution.fee);
        println!("leaves an initial health of {}", margin.health_init()?.raw());
    }
    for price in what_if.liquidation_prices()? {
        println!("then liquidated in {} below {:?} or above {:?}", price.market, price.below, price.above);
    }

    // At most a tenth of a per cent worse than just seen, behind what must be refreshed.
    let trade = what_if.with_slippage(Ppm::from_raw(1_000));
    let instruction = snapshot.instruction(wallet.pubkey(), &account, &trade, Address::default())?;
    let instructions = snapshot.with_refreshes(&[instruction])?;
    let options =
        SendOptions { compute: ComputeLimit::Bound(PortfolioSize::of(&account.data)), ..SendOptions::default() };
    let confirmed = rpc.send_with(&instructions, wallet, &[], &options)?;
    println!("{} consumed {:?} compute units", confirmed.signature, confirmed.compute_units);
    Ok(rpc.get(&account.address)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, exchange, market, size, keypair] = arguments.as_slice() else {
        return Err("usage: open_position URL EXCHANGE MARKET SIZE KEYPAIR_FILE".into());
    };
    let wallet = read_keypair_file(keypair)?;
    run(url, &Address::from_str(exchange)?, &Address::from_str(market)?, size.parse()?, &wallet)?;
    Ok(())
}
