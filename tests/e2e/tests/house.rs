//! `create_house`, `house_deposit`, `house_withdraw`.

use plimsoll_client::{
    event::Event,
    instruction::{exchange, house},
};
use plimsoll_e2e_tests::{
    E, I, World,
    world::{Places, SOL, USD, exchange_config},
};
use plimsoll_interface::{
    accounts::{Bank, House},
    address,
    config::{pause, state},
    event::{BalanceChanged, Configured},
};
use solana_instruction::{AccountMeta, Instruction};

const MILLION: u64 = 1_000_000 * USD as u64;

fn deposit_ix(p: &Places, amount: u64) -> Instruction {
    let (admin, exchange, quote_mint) = (p.admin, p.exchange, p.usdc.mint);
    house::Deposit { admin, exchange, quote_mint, source: p.usdc.tokens_of(&admin), amount }.instruction()
}

fn withdraw_ix(w: &World, p: &Places, amount: u64) -> Instruction {
    w.priced().house_withdraw(p.usdc.tokens_of(&p.admin), amount)
}

#[test]
fn a_house_is_made_once() {
    let (mut w, p) = World::new();
    let (creator, quote_mint) = (p.admin, p.usdc.mint);
    w.ok(exchange::Create { creator, quote_mint, index: 1, config: exchange_config() }.instruction());
    let exchange = address::exchange(&p.admin, 1);
    let ix = house::Create { admin: p.admin, exchange }.instruction();
    let outcome = w.ok(&ix);
    let address = address::house(&exchange);
    assert_eq!(outcome.event(), Event::Configured(Configured { exchange, subject: address, admin: p.admin }));
    let made: House = w.read(&address);
    assert_eq!((made.exchange, made.quote_shares, made.risk_budget_total, made.version), (exchange, 0, 0, 1));
    w.refuses(&ix, I::Custom(0));
}

#[test]
fn a_deposit_makes_shares_of_the_quote_bank() {
    let (mut w, p) = World::new();
    let outcome = w.ok(deposit_ix(&p, 5 * USD as u64));
    let shares = (MILLION + 5 * USD as u64) as i64;
    let expected = BalanceChanged { account: p.house, bank: p.usdc.bank, amount: 5 * USD, shares };
    assert_eq!(outcome.event(), Event::BalanceChanged(expected));
    assert_eq!(w.house().quote_shares, shares as u64);
    assert_eq!(w.bank(&p.usdc).vault_amount, shares as u64);
    assert_eq!(w.tokens_at(&p.usdc.vault), shares as u64);
}

#[test]
fn deposits_that_are_refused() {
    let (mut w, p) = World::new();
    w.refuses(deposit_ix(&p, 0), E::ZeroAmount);
    // More than the wallet holds: the token program's "insufficient funds".
    w.refuses(deposit_ix(&p, 100 * MILLION), I::Custom(1));
    w.configure(|config| config.pauses = pause::DEPOSIT);
    w.refuses(deposit_ix(&p, 1), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.configure_bank(&p.usdc, |config| config.deposit_cap = MILLION + 1);
    w.refuses(deposit_ix(&p, 2), E::DepositCap);
    w.ok(deposit_ix(&p, 1));
    w.configure_bank(&p.usdc, |config| config.state = state::REDUCE_ONLY);
    w.refuses(deposit_ix(&p, 1), E::BankReduceOnly);
}

#[test]
fn a_deposit_of_less_than_a_share_is_refused() {
    let (mut w, p) = World::new();
    w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 2 << 48);
    w.refuses(deposit_ix(&p, 1), E::AmountTooSmall);
    w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 1 << 48);
}

#[test]
fn amounts_and_shares_that_do_not_fit_are_refused() {
    let (mut w, p) = World::new();
    w.refuses(deposit_ix(&p, u64::MAX), E::Overflow);
    w.pass(-1);
    w.refuses(deposit_ix(&p, 1), E::ClockWentBack);
    w.refuses(withdraw_ix(&w, &p, 1), E::ClockWentBack);
}

/// The house has a million; the three markets' budgets are 200,000 each.
#[test]
fn what_the_budgets_leave_free_is_withdrawn_and_not_a_unit_more() {
    let (mut w, p) = World::new();
    let before = w.tokens(&p.admin, &p.usdc);
    w.refuses(withdraw_ix(&w, &p, 400_000 * USD as u64 + 1), E::HouseBudgets);
    let outcome = w.ok(withdraw_ix(&w, &p, 400_000 * USD as u64));
    let (amount, shares) = (-400_000 * USD, 600_000 * USD);
    let expected = BalanceChanged { account: p.house, bank: p.usdc.bank, amount, shares };
    assert_eq!(outcome.event(), Event::BalanceChanged(expected));
    assert_eq!(w.house().quote_shares, shares as u64);
    assert_eq!(w.tokens(&p.admin, &p.usdc), before + 400_000 * USD as u64);
    w.refuses(withdraw_ix(&w, &p, 1), E::HouseBudgets);
}

#[test]
fn withdrawals_that_are_refused() {
    let (mut w, p) = World::new();
    w.refuses(withdraw_ix(&w, &p, 0), E::ZeroAmount);
    w.refuses(withdraw_ix(&w, &p, MILLION + 1), E::HouseInsufficient);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.refuses(withdraw_ix(&w, &p, 1), E::Paused);
}

/// Alice owes the house's dollars: 990,000 of the million are lent out.
#[test]
fn what_is_lent_out_is_not_withdrawn() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100_000 * SOL as u64);
    w.withdraw(&p.alice, &p.usdc, 990_000 * USD as u64);
    w.refuses(withdraw_ix(&w, &p, 10_001 * USD as u64), E::VaultInsufficient);
    w.ok(withdraw_ix(&w, &p, 10_000 * USD as u64));
}

/// Every market must be listed once, in the order of their indexes.
#[test]
fn a_withdrawal_lists_every_market_once() {
    let (mut w, p) = World::new();
    let read = |address| AccountMeta::new_readonly(address, false);
    let list = |markets: &[_]| {
        let mut ix = w.stored().house_withdraw(p.usdc.tokens_of(&p.admin), 1);
        ix.accounts.truncate(8);
        ix.accounts.extend(markets.iter().copied().map(read));
        ix
    };
    let [sol, btc, eth] = [p.sol, p.btc, p.eth].map(|asset| asset.market);
    let refused = [
        (list(&[]), E::MissingMarket),
        (list(&[sol, btc]), E::MissingMarket),
        (list(&[sol, btc, btc]), E::SameAccount),
        (list(&[btc, sol, eth]), E::SameAccount),
        (list(&[sol, btc, eth, p.other.sol.market]), E::WrongExchange),
        (list(&[sol, p.btc.oracle, btc, eth]), E::OracleWrongFeed),
    ];
    // What is no market is not looked at.
    let valid = list(&[p.sol.bank, sol, btc, eth]);
    for (ix, error) in refused {
        w.refuses(&ix, error);
    }
    w.ok(&valid);
}

/// Alice is long 100 SOL at 125 USD and SOL doubles: the house owes her 12,500 USD less what she paid for the trade.
#[test]
fn what_the_house_owes_counts_against_it_at_a_fresh_price() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.set_price(&p.sol, 250);
    let (size, cash) = w.position(&p.alice, &p.sol);
    assert_eq!(size, 100 * SOL);
    // 100 SOL at 250 USD are worth 25,000 USD.
    let free = 400_000 * USD - 25_000 * USD - cash;
    w.refuses(withdraw_ix(&w, &p, free as u64 + 1), E::HouseBudgets);
    w.pass(61);
    let stale = withdraw_ix(&w, &p, 1);
    w.refuses(&stale, E::OracleStale);
    let price = w.price(250);
    w.publish(&p.sol, price);
    w.ok(withdraw_ix(&w, &p, free as u64));
}
