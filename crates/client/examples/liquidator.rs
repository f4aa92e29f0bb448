//! A liquidator in one page: finds who is below the line, and takes over as much as its own margin carries. The real one is
//! `plimsoll-liquidator`.
//!
//! `cargo run -p plimsoll-client --example liquidator -- http://127.0.0.1:8899 EXCHANGE KEYPAIR_FILE`

use std::{env, error::Error, str::FromStr, thread, time::Duration};

use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::MarginAccount,
    address,
    budget::PortfolioSize,
    interface::instruction::LiquidateArgs,
    rpc::{ComputeLimit, Rpc, SendOptions},
};
use solana_keypair::{Keypair, read_keypair_file};
use solana_signer::Signer;

/// A whole account, Q32.
const WHOLE: u64 = 1 << 32;

/// Looks once, and liquidates whoever can be. The accounts that were.
pub fn run(url: &str, exchange: &Address, wallet: &Keypair) -> Result<Vec<Address>, Box<dyn Error>> {
    let rpc = Rpc::new(url);
    let own = address::margin_account(exchange, &wallet.pubkey(), 0);
    let snapshot = rpc.snapshot(exchange)?;
    let below = |account: &Keyed<MarginAccount>| snapshot.health_maint(&account.data).is_ok_and(|health| health < 0);
    let mut liquidated = Vec::new();
    for account in rpc.margin_accounts(exchange, None)?.into_iter().filter(below) {
        let taker: Keyed<MarginAccount> = rpc.get(&own)?;
        if liquidate(&rpc, &snapshot, wallet, &taker, &account)? {
            liquidated.push(account.address);
        }
    }
    Ok(liquidated)
}

/// Takes over the whole, or half of it, and so on, until the chain accepts.
fn liquidate(
    rpc: &Rpc,
    snapshot: &Snapshot,
    wallet: &Keypair,
    taker: &Keyed<MarginAccount>,
    account: &Keyed<MarginAccount>,
) -> Result<bool, Box<dyn Error>> {
    let size = PortfolioSize::of(&taker.data).and(PortfolioSize::of(&account.data));
    let options = SendOptions { compute: ComputeLimit::Bound(size), ..SendOptions::default() };
    let mut max_fraction = WHOLE;
    while max_fraction > WHOLE >> 6 {
        let args = LiquidateArgs { max_fraction, max_payment: u64::MAX };
        let instructions = snapshot.with_refreshes(&[snapshot.liquidate(wallet.pubkey(), taker, account, args)])?;
        let simulation = rpc.simulate(&instructions, &wallet.pubkey(), &options)?;
        match simulation.message {
            None => {
                rpc.send_with(&instructions, wallet, &[], &options)?;
                return Ok(true);
            }
            Some(message) => println!("{}: {message}", account.address),
        }
        max_fraction /= 2;
    }
    Ok(false)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, exchange, keypair] = arguments.as_slice() else {
        return Err("usage: liquidator URL EXCHANGE KEYPAIR_FILE".into());
    };
    let (exchange, wallet) = (Address::from_str(exchange)?, read_keypair_file(keypair)?);
    loop {
        for account in run(url, &exchange, &wallet)? {
            println!("liquidated {account}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}
