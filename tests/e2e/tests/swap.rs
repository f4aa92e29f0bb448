//! `swap`: collateral for quote and quote for collateral, against the house's inventory.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    Asset, E, Trader, World,
    raw::Price,
    world::{ETH, Places, SOL, USD},
};
use plimsoll_interface::{
    accounts::{Exchange, House},
    config::{pause, state},
    event::Swapped,
    instruction::SwapArgs,
};
use solana_instruction::Instruction;

use crate::staking;

const TEN: i64 = 10 * SOL;
/// What ten SOL at 125 USD fetch from a house that has none: 1,250 less 1.25 of spread, less the premium of 1 % at 10,000
/// SOL over a walk of ten, 125 * 10^2 / (2 * 10,000) / 100 = 0.00625, less a fee of 0.625.
const FETCHED: u64 = 1_248_118_750;
/// What they cost from a house that has them: 1,250 and 1.25 and 0.625, less the same premium.
const COST: u64 = 1_251_868_750;

/// Any price, for ever.
pub fn any(amount: i64) -> SwapArgs {
    SwapArgs { amount, limit_amount: if amount > 0 { u64::MAX } else { 0 }, expires_at: 0 }
}

pub fn swap_ix(w: &World, trader: &Trader, asset: &Asset, args: SwapArgs) -> Instruction {
    w.priced().swap(trader.owner, &w.keyed(trader), &asset.mint, args).expect("a swap")
}

fn swap(w: &mut World, trader: &Trader, asset: &Asset, amount: i64) -> Swapped {
    match w.ok(swap_ix(w, trader, asset, any(amount))).event() {
        Event::Swapped(swapped) => swapped,
        other => panic!("{other:?}"),
    }
}

/// Alice has 100 SOL.
fn with_sol() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    (w, p)
}

#[test]
fn a_collateral_is_sold_and_bought_back() {
    let (mut w, p) = with_sol();
    let (vaults, funds) =
        (|w: &World| [p.sol.vault, p.usdc.vault].map(|vault| w.tokens_at(&vault)), w.house().quote_shares);
    let before = vaults(&w);
    let sold = swap(&mut w, &p.alice, &p.sol, -TEN);
    let expected = Swapped {
        account: p.alice.account,
        bank: p.sol.bank,
        trader: p.alice.owner,
        amount: -TEN,
        paid: -(FETCHED as i64),
        fee: 625_000,
        spot: 1 << 45,
        inventory: TEN as u64,
    };
    assert_eq!(sold, expected);
    assert_eq!((w.shares(&p.alice, &p.sol), w.shares(&p.alice, &p.usdc)), (90 * SOL, FETCHED as i64));
    assert_eq!((w.bank(&p.sol).inventory_shares, w.house().quote_shares), (TEN as u64, funds - FETCHED));
    assert_eq!(vaults(&w), before, "no token moves");
    w.deposit(&p.alice, &p.usdc, 100 * USD as u64);
    let bought = swap(&mut w, &p.alice, &p.sol, TEN);
    assert_eq!((bought.paid, bought.fee, bought.inventory), (COST as i64, 625_000, 0));
    assert_eq!((w.bank(&p.sol).inventory_shares, w.house().quote_shares), (0, funds - FETCHED + COST));
    assert_eq!(w.shares(&p.alice, &p.sol), 100 * SOL);
}

/// INV-4: neither a round trip nor splitting one earns anything.
#[test]
fn splitting_a_swap_earns_nothing() {
    let (mut w, p) = with_sol();
    let mut fetched = 0;
    for part in [3 * SOL, 2 * SOL - 100_001, 5 * SOL, 100_001] {
        fetched -= swap(&mut w, &p.alice, &p.sol, -part).paid;
    }
    assert!(fetched <= FETCHED as i64, "{fetched}");
    assert!(swap(&mut w, &p.alice, &p.sol, 4 * SOL).paid > fetched / 10 * 4);
}

#[test]
fn limits_times_and_signers_that_are_refused() {
    let (mut w, p) = with_sol();
    let with = |change: fn(&mut SwapArgs)| {
        let mut args = any(-TEN);
        change(&mut args);
        args
    };
    w.refuses(swap_ix(&w, &p.alice, &p.sol, with(|args| args.amount = 0)), E::ZeroAmount);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, with(|args| args.limit_amount = FETCHED + 1)), E::LimitPrice);
    let mut late = any(-TEN);
    late.expires_at = w.now() - 1;
    w.refuses(swap_ix(&w, &p.alice, &p.sol, late), E::OrderExpired);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, with(|args| args.amount = i64::MIN)), E::Overflow);
    // A lamport is worth less than a unit of quote.
    w.refuses(swap_ix(&w, &p.alice, &p.sol, with(|args| args.amount = -1)), E::AmountTooSmall);
    let bobs = w.priced().swap(p.bob.owner, &w.keyed(&p.alice), &p.sol.mint, any(-TEN)).unwrap();
    w.refuses(&bobs, E::NotOwnerOrDelegate);
    late.expires_at = w.now();
    late.limit_amount = FETCHED;
    w.ok(swap_ix(&w, &p.alice, &p.sol, late));
    w.deposit(&p.alice, &p.usdc, 100 * USD as u64);
    let buy = |limit_amount| SwapArgs { limit_amount, ..any(TEN) };
    w.refuses(swap_ix(&w, &p.alice, &p.sol, buy(COST - 1)), E::LimitPrice);
    w.ok(swap_ix(&w, &p.alice, &p.sol, buy(COST)));
}

#[test]
fn prices_that_are_refused() {
    let (mut w, p) = with_sol();
    let sell = |w: &World| swap_ix(w, &p.alice, &p.sol, any(-TEN));
    let price = w.price(125);
    w.publish(&p.sol, Price { confidence: 3 * 100_000_000, ..price });
    w.refuses(sell(&w), E::OracleTooWide);
    w.publish(&p.sol, Price { ema: 132 * 100_000_000, ..price });
    w.refuses(sell(&w), E::OracleTooWide);
    w.publish(&p.sol, price);
    w.pass(61);
    w.refuses(sell(&w), E::OracleStale);
}

#[test]
fn pauses_and_states_let_deposits_be_sold() {
    let (mut w, p) = with_sol();
    w.deposit(&p.alice, &p.usdc, 2_000 * USD as u64);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-TEN)), E::Paused);
    w.configure(|config| config.pauses = pause::OPEN);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(SOL)), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    swap(&mut w, &p.alice, &p.sol, -SOL);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(SOL)), E::MarketReduceOnly);
    w.configure_market(&p.sol, |config| config.state = state::ACTIVE);
    w.configure_bank(&p.sol, |config| config.state = state::REDUCE_ONLY);
    swap(&mut w, &p.alice, &p.sol, -SOL);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(SOL)), E::BankReduceOnly);
    w.configure_bank(&p.sol, |config| config.state = state::ACTIVE);
    swap(&mut w, &p.alice, &p.sol, SOL);
}

#[test]
fn the_house_holds_up_to_its_cap_and_gives_what_it_has() {
    let (mut w, p) = with_sol();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(1_000)), E::SwapInventory);
    w.configure_bank(&p.sol, |config| config.swap_cap = TEN as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-TEN - 1)), E::SwapCap);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-100_000)), E::SwapCap);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(TEN + 1)), E::SwapInventory);
    w.configure_bank(&p.sol, |config| config.swap_cap = 0);
    swap(&mut w, &p.alice, &p.sol, TEN);
}

/// A range of 20 % of 1,250 USD is 250 USD.
#[test]
fn the_houses_inventory_counts_against_the_markets_budget() {
    let (mut w, p) = with_sol();
    w.configure_market(&p.sol, |config| config.risk_budget = 250 * USD as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-TEN - 100_000)), E::HouseRiskBudget);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    // Long perpetuals of traders are the house's short ones: they hedge what it holds.
    w.deposit(&p.bob, &p.usdc, 10_000 * USD as u64);
    w.open(&p.bob, &p.sol, TEN);
    swap(&mut w, &p.alice, &p.sol, -TEN);
}

#[test]
fn the_house_pays_with_what_it_has() {
    let (mut w, p) = with_sol();
    let spare = w.house().quote_shares - FETCHED + 1;
    let (house, bank) = (p.house, p.usdc.bank);
    w.edit::<House>(&house, |house| house.quote_shares -= spare);
    w.edit::<plimsoll_interface::accounts::Bank>(&bank, |bank| {
        bank.deposit_shares -= spare;
        bank.vault_amount -= spare;
    });
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-TEN)), E::HouseInsufficient);
    swap(&mut w, &p.alice, &p.sol, -TEN + 1_000_000);
}

/// 100 SOL carry 12,500 less 2,500 of stress and 1,250 of haircut.
#[test]
fn a_swap_beyond_the_deposit_is_a_borrow_within_the_initial_margin() {
    let (mut w, p) = with_sol();
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    swap(&mut w, &p.bob, &p.sol, -90 * SOL);
    w.deposit(&p.bob, &p.usdc, 10_000 * USD as u64);
    // Alice buys 25 more SOL on credit.
    swap(&mut w, &p.alice, &p.sol, 25 * SOL);
    assert!(w.shares(&p.alice, &p.usdc) < 0);
    assert!(w.margin(&p.alice).health_init().unwrap().raw() >= 0);
    w.withdraw(&p.alice, &p.usdc, 7_000 * USD as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(40 * SOL)), E::InsufficientMargin);
    // What is borrowed is sold: a debt in SOL.
    swap(&mut w, &p.bob, &p.sol, -15 * SOL);
    assert_eq!(w.shares(&p.bob, &p.sol), -5 * SOL);
    let withdraw = w.withdraw_ix(&p.alice, &p.usdc, 1_000 * USD as u64);
    w.refuses(withdraw, E::InsufficientMargin);
}

/// Deleveraging: Alice owes 8,700 USD against 100 SOL that have fallen to 115 USD.
#[test]
fn an_account_below_its_initial_margin_sells_what_makes_it_healthier() {
    let (mut w, p) = with_sol();
    w.deposit(&p.alice, &p.eth, ETH as u64 / 100);
    w.withdraw(&p.alice, &p.usdc, 8_700 * USD as u64);
    w.set_price(&p.sol, 115);
    let health = |w: &World| w.margin(&p.alice).health_init().unwrap().raw();
    let before = health(&w);
    assert!(before < 0);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(1_000_000)), E::SwapInventory);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    let after = health(&w);
    assert!(after > before && after < 0);
    // Selling on credit is new risk, whatever it does to the debt.
    w.deposit(&p.bob, &p.eth, ETH as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.eth, any(-ETH / 10)), E::InsufficientMargin);
    // A house that buys at 6 % less makes a sale dearer than the margin that it frees.
    w.configure_market(&p.eth, |config| (config.half_spread_ppm, config.taker_fee_ppm) = (50_000, 50_000));
    w.configure_bank(&p.eth, |config| *config = config.with_haircuts(0, 0));
    w.configure_market(&p.eth, |config| {
        config.volatility = plimsoll_interface::config::VolatilityConfig::fixed_range(50_000)
    });
    w.refuses(swap_ix(&w, &p.alice, &p.eth, any(-100_000)), E::InsufficientMargin);
}

#[test]
fn a_debt_at_an_old_price_stops_a_swap_on_credit() {
    let (mut w, p) = with_sol();
    w.deposit(&p.bob, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.bob, &p.sol, 50 * SOL as u64);
    w.open(&p.bob, &p.btc, 1_000_000);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.pass(61);
    w.set_price(&p.sol, 125);
    // Without a credit: sold from the deposit, however old Bitcoin's price is.
    swap(&mut w, &p.bob, &p.sol, -TEN);
    w.refuses(swap_ix(&w, &p.bob, &p.sol, any(-50 * SOL)), E::OracleStale);
    w.set_price(&p.btc, 60_000);
    swap(&mut w, &p.bob, &p.sol, -50 * SOL);
}

/// Alice's gain is the house's to pay: until it does, nothing is borrowed against it.
#[test]
fn no_unpaid_gain_stands_for_a_swap_on_credit() {
    let (mut w, p) = World::new();
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    swap(&mut w, &p.bob, &p.sol, -100 * SOL);
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    w.open(&p.alice, &p.sol, 20 * SOL);
    w.set_price(&p.sol, 250);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(5 * SOL)), E::UnsettledGain);
    w.settle(&p.alice, &p.sol);
    swap(&mut w, &p.alice, &p.sol, 5 * SOL);
}

#[test]
fn nothing_new_is_bought_while_the_quote_is_not_worth_it() {
    let (mut w, p) = with_sol();
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.config.quote_refuse_below_ppm = 1_000_001);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(SOL)), E::QuoteDepegged);
    swap(&mut w, &p.alice, &p.sol, -TEN);
}

/// At 1.25 SOL per token ten tokens fetch what 12.5 SOL do, and one that its own feed caps costs the pool's rate.
#[test]
fn staked_tokens_are_swapped_at_their_rates() {
    let (mut w, p, lst) = staking::staked();
    w.deposit(&p.alice, &lst, 100 * SOL as u64);
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    let tokens = swap(&mut w, &p.alice, &lst, -TEN);
    let sol = swap(&mut w, &p.bob, &p.sol, -TEN / 4 * 5);
    assert_eq!(tokens.paid, sol.paid);
    w.pass(3_601);
    w.set_price(&p.sol, 125);
    w.refuses(swap_ix(&w, &p.alice, &lst, any(-TEN)), E::RateOld);
    w.refuses(swap_ix(&w, &p.alice, &lst, any(SOL)), E::RateOld);
    w.ok(staking::update(&lst));
    w.edit::<plimsoll_interface::accounts::Bank>(&lst.bank, |bank| bank.rate.deposit = 1 << 48);
    // Sold at one, bought at five quarters.
    let sold = swap(&mut w, &p.alice, &lst, -SOL);
    let bought = swap(&mut w, &p.alice, &lst, SOL);
    assert!((-sold.paid) < 125 * USD && bought.paid > 156 * USD, "{sold:?} {bought:?}");
}

/// A delegate trades, so it swaps.
#[test]
fn a_delegate_swaps() {
    let (mut w, p) = with_sol();
    let (owner, account) = (p.alice.owner, p.alice.account);
    let set = plimsoll_client::instruction::account::SetDelegate {
        owner,
        account,
        delegate: p.bob.owner,
        scope: plimsoll_interface::accounts::delegate_scope::TRADE,
    };
    w.ok(set.instruction());
    let bobs = w.priced().swap(p.bob.owner, &w.keyed(&p.alice), &p.sol.mint, any(-TEN)).unwrap();
    w.ok(&bobs);
}

/// The house pays 1,248.11875 USD for what is worth 1,250, and owes 0.00625 of it to who buys it back: it has earned the spread
/// and the fee.
#[test]
fn the_house_is_worth_what_it_holds() {
    let (mut w, p) = with_sol();
    w.value_house();
    let before = w.house().nav;
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.value_house();
    assert_eq!(w.house().nav - before, 1_875_000);
    // It wins and loses with the price.
    w.set_price(&p.sol, 250);
    w.value_house();
    // The premium, too, is of the price.
    assert_eq!(w.house().nav - before, 1_875_000 + 1_250 * USD - 6_250);
    swap(&mut w, &p.alice, &p.sol, -90 * SOL);
    let house = w.house().quote_shares as i64;
    w.value_house();
    // 100 SOL at 250 less a premium of 1 % * 100^2 / (2 * 10,000) of 250.
    assert_eq!(w.house().nav, house + 25_000 * USD - 1_250_000);
}

#[test]
fn a_valuation_wants_every_bank_that_the_house_has_inventory_in() {
    let (mut w, p, lst) = staking::staked();
    w.deposit(&p.alice, &lst, 100 * SOL as u64);
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    swap(&mut w, &p.alice, &lst, -TEN);
    swap(&mut w, &p.bob, &p.sol, -TEN);
    let value = w.priced().value_house();
    let place = |address| value.accounts.iter().position(|meta| meta.pubkey == address).expect("in the instruction");
    let (sol, staked) = (place(p.sol.bank), place(lst.bank));
    for missing in [sol, staked] {
        let mut without = value.clone();
        without.accounts.remove(missing);
        w.refuses(without, E::MissingBank);
    }
    let changed = |change: &dyn Fn(&mut Instruction)| {
        let mut instruction = value.clone();
        change(&mut instruction);
        instruction
    };
    w.refuses(changed(&|value| value.accounts.swap(sol, staked)), E::HouseRoundOrder);
    w.refuses(changed(&|value| value.accounts[sol].is_writable = false), E::NotWritable);
    let eth_bank = solana_instruction::AccountMeta::new(p.eth.bank, false);
    w.refuses(changed(&|value| value.accounts.insert(staked + 1, eth_bank.clone())), E::WrongBankMarket);
    w.refuses(changed(&|value| value.accounts.push(eth_bank.clone())), E::HouseRoundOrder);
    w.ok(&value);
    // A rate that nobody has updated says nothing.
    w.pass(3_601);
    for asset in [p.sol, p.btc, p.eth] {
        w.set_price(&asset, 125);
    }
    w.refuses(w.priced().value_house(), E::RateOld);
    w.ok(staking::update(&lst));
    w.value_house();
}

#[test]
fn a_swap_voids_a_valuation_in_parts() {
    let (mut w, p) = with_sol();
    swap(&mut w, &p.alice, &p.sol, -TEN);
    let part = |w: &World| w.priced().value_house_part(0..2);
    let rest = |w: &World| w.priced().value_house_part(2..u16::MAX);
    let valued = w.house().nav_at;
    w.ok(part(&w));
    w.ok(rest(&w));
    swap(&mut w, &p.alice, &p.sol, -TEN);
    let event = w.ok(part(&w)).event();
    assert!(matches!(event, Event::HouseRoundVoided(_)) && w.house().nav_at == valued, "{event:?}");
}

/// A range of 20 % of 1,250 USD is the whole budget of 250 USD: nobody may sell more to the house, by whatever instrument.
#[test]
fn perpetuals_are_held_to_what_inventory_leaves_of_the_budget() {
    let (mut w, p) = with_sol();
    w.configure_market(&p.sol, |config| config.risk_budget = 250 * USD as u64);
    swap(&mut w, &p.alice, &p.sol, -TEN);
    w.deposit(&p.bob, &p.usdc, 10_000 * USD as u64);
    w.refuses(w.open_ix(&p.bob, &p.sol, -SOL), E::HouseRiskBudget);
    w.open(&p.bob, &p.sol, 2 * TEN);
    // Short 10 SOL now: who buys the inventory would leave it short 20.
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(TEN)), E::HouseRiskBudget);
}
