//! What has been tried on others, tried here. docs/security.md says which test answers which lesson; those that belong to
//! one instruction stand with it.

use plimsoll_client::instruction::account;
use plimsoll_e2e_tests::{
    E, I, World, raw,
    world::{Places, SOL, Trader, USD, order},
};
use plimsoll_interface::{Address, address, instruction::OpenPositionArgs};

/// Alice and Bob with 100,000 USD each.
fn funded() -> (World, Places) {
    let (mut w, p) = World::new();
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 100_000 * USD as u64);
    }
    (w, p)
}

fn equity(w: &World, trader: &Trader) -> i64 {
    w.margin(trader).equity_maint.raw()
}

/// The price has moved from 125 to `next`; whoever knows buys what the budget lets him before the exchange does, and sells
/// at once after. Gives what he has gained.
fn front_run(next: i64, size: i64) -> i64 {
    let (mut w, p) = funded();
    let before = equity(&w, &p.alice);
    w.open(&p.alice, &p.sol, size);
    let price = raw::Price { price: next, ema: next, ..w.price(0) };
    w.publish(&p.sol, price);
    w.close(&p.alice, &p.sol, u64::MAX);
    equity(&w, &p.alice) - before
}

/// A half spread and a fee each way are 0.3 % of the notional: whoever sees a print before the exchange and trades on the
/// one before gains nothing as long as the two differ by less, and of a larger move only what is beyond.
#[test]
fn a_print_seen_early_is_worth_no_more_than_what_exceeds_the_spread() {
    let quarter_percent = 12_531_250_000;
    assert!(front_run(quarter_percent, 100 * SOL) < 0);
    let half_percent = 12_562_500_000;
    let gained = front_run(half_percent, 100 * SOL);
    // 0.5 % of 12,500 USD less 0.3 %: 25 USD, and a little less for costs at the higher price.
    assert!((24 * USD..25 * USD).contains(&gained), "{gained}");
}

/// Nobody chooses among old prints: once the market has seen a newer one, an older account is refused.
#[test]
fn an_older_print_cannot_be_chosen() {
    let (mut w, p) = funded();
    let older = w.account(&p.sol.oracle).unwrap();
    w.pass(10);
    w.set_price(&p.sol, 130);
    w.set_account(p.sol.oracle, older);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::OracleOlderThanObservation);
    w.refuses(w.observe_ix(&p.sol), E::OracleOlderThanObservation);
}

/// Buy before a victim, sell after it: the premium of 1 % a 10,000 SOL pays 0.05 % of the notional for a victim of 500 SOL,
/// and spread and fees take 0.3 %. The victim's limit stops even that.
#[test]
fn sandwiching_the_skew_costs_more_than_it_brings() {
    let (mut w, p) = funded();
    let before = equity(&w, &p.alice);
    w.open(&p.alice, &p.sol, 500 * SOL);
    // The price for 500 SOL without the sandwich: 125 (1 + 0.1 % + 0.025 %), less one unit 2^-48 a base unit.
    let limit_price = (12_515_625u128 << 48).div_ceil(100_000_000) as u64;
    let limited = OpenPositionArgs { limit_price, ..order(500 * SOL) };
    w.refuses(w.order_ix(&p.bob, &p.sol, limited), E::LimitPrice);
    w.open(&p.bob, &p.sol, 500 * SOL);
    w.close(&p.alice, &p.sol, u64::MAX);
    let lost = before - equity(&w, &p.alice);
    // 62,500 USD: costs of 187.5 and a little, premium of 31.25.
    assert!((156 * USD..157 * USD).contains(&lost), "{lost}");
}

/// Nobody fills another's slots with dust: deposits are the owner's and the delegate's, and settling needs something to
/// settle.
#[test]
fn a_stranger_puts_no_dust_into_an_account() {
    let (mut w, p) = funded();
    let gift = plimsoll_client::instruction::account::Deposit {
        authority: p.mallory,
        exchange: p.exchange,
        account: p.alice.account,
        mint: p.sol.mint,
        token_program: p.sol.token_program,
        source: p.sol.tokens_of(&p.mallory),
        amount: 1,
    };
    w.refuses(gift.instruction(), E::NotOwnerOrDelegate);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::NothingToSettle);
    assert_eq!(w.margin_account(&p.alice).balances.iter().filter(|slot| slot.in_use == 1).count(), 1);
}

/// Lamports sent to an address before its account exists do not keep it from being made.
#[test]
fn lamports_sent_ahead_do_not_block_an_account() {
    let (mut w, p) = World::new();
    let (exchange, owner, index) = (p.exchange, p.alice.owner, 3);
    let ahead = address::margin_account(&exchange, &owner, index);
    w.set_account(ahead, solana_account_with(1_000_000));
    w.ok(account::Create { payer: p.bob.owner, owner, exchange, index }.instruction());
    let trader = Trader { owner, account: ahead };
    w.deposit(&trader, &p.usdc, USD as u64);
}

fn solana_account_with(lamports: u64) -> solana_account::Account {
    solana_account::Account { lamports, ..raw::account(Address::default(), Vec::new()) }
}

/// An account that is closed and opened again is another: nothing of the old one is left, its delegate included.
#[test]
fn a_reopened_account_remembers_nothing() {
    let (mut w, p) = World::new();
    let (exchange, owner) = (p.exchange, p.alice.owner);
    let set = account::SetDelegate { owner, account: p.alice.account, delegate: p.mallory, scope: 0 };
    w.ok(set.instruction());
    w.ok(account::Close { owner, account: p.alice.account }.instruction());
    w.ok(account::Create { payer: owner, owner, exchange, index: 0 }.instruction());
    assert_eq!(w.margin_account(&p.alice).delegate, Address::default());
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    let keyed = w.keyed(&p.alice);
    let order = w.priced().open_position(p.mallory, &keyed, &p.sol.market, order(SOL)).unwrap();
    w.refuses(order, E::NotOwnerOrDelegate);
}

/// A market's own price stands in the transaction once: what was traded at is what the margin is computed at. The market
/// passed once more, with a cheaper price account behind it, is refused.
#[test]
fn a_trade_is_priced_once() {
    let (mut w, p) = funded();
    w.withdraw(&p.alice, &p.usdc, 97_600 * USD as u64);
    // 2,400 USD carry 96 SOL short of costs: a margin of 20 % of 125 each.
    w.refuses(w.open_ix(&p.alice, &p.sol, 96 * SOL), E::InsufficientMargin);
    let mut instruction = w.open_ix(&p.alice, &p.sol, 96 * SOL);
    let cheap = Address::new_from_array([b'c'; 32]);
    let price = raw::Price { price: 6_250_000_000, ema: 6_250_000_000, ..w.price(0) };
    w.set_account(cheap, p.sol.price_account(&price));
    for listed in [p.sol.market, cheap] {
        instruction.accounts.push(solana_instruction::AccountMeta::new_readonly(listed, false));
    }
    // The framework's: an account that is to change was passed twice.
    w.refuses(instruction, I::Custom(2040));
}
