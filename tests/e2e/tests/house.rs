//! `create_house`, `value_house`, tickets: the house as a pool.

use plimsoll_client::{
    event::Event,
    instruction::{TOKEN_PROGRAM, exchange, house},
};
use plimsoll_e2e_tests::{
    E, I, World, raw,
    world::{BTC, Places, SOL, USD, exchange_config},
};
use plimsoll_interface::{
    Address,
    accounts::{Bank, House, HouseBoard, Market, round_phase, ticket_kind},
    address,
    config::{pause, state},
    event::{Configured, HouseRoundVoided, HouseValued, TicketChanged, ticket_status},
};
use plimsoll_risk::house::redemption;
use solana_instruction::{AccountMeta, Instruction};

const MILLION: u64 = 1_000_000 * USD as u64;

/// The admin's only ticket, executed now at a valuation of now.
fn execute(w: &mut World, p: &Places) -> u64 {
    w.value_house_freshly();
    w.ok(w.ticket(&p.admin, 0).execute());
    w.ticket_data(&p.admin, 0).proceeds
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
    assert_eq!((made.share_mint, made.escrow), (address::share_mint(&address), address::escrow(&address)));
    // A mint of six decimals whose authority is the exchange, and that nobody freezes.
    let mint = w.account(&made.share_mint).unwrap().data;
    assert_eq!((&mint[4..36], mint[44], &mint[46..50]), (exchange.as_ref(), 6, &[0; 4][..]));
    w.refuses(&ix, I::Custom(0));
}

/// The first provider gets a share for a dollar and needs not wait; the second gets as many, after the delay.
#[test]
fn who_provides_gets_shares_after_the_delay() {
    let (mut w, p) = World::new();
    assert_eq!((w.house().share_supply, w.house_shares(&p.admin)), (MILLION, MILLION));
    let (alice, amount) = (p.alice.owner, 5_000 * USD as u64);
    let wallet = w.tokens(&alice, &p.usdc);
    let outcome = w.ok(w.request_provide_ix(&alice, 7, amount));
    let ticket = w.ticket(&alice, 7);
    let said = TicketChanged {
        ticket: ticket.address(),
        house: p.house,
        owner: alice,
        amount,
        proceeds: 0,
        kind: u64::from(ticket_kind::PROVIDE),
        status: ticket_status::REQUESTED,
    };
    assert_eq!(outcome.event(), Event::TicketChanged(said));
    // Waiting money is in the vault, and nobody's deposit.
    assert_eq!(
        (w.house().pending_quote, w.house().quote_shares, w.bank(&p.usdc).vault_amount),
        (amount, MILLION, MILLION)
    );
    assert_eq!((w.tokens(&alice, &p.usdc), w.tokens_at(&p.usdc.vault)), (wallet - amount, MILLION + amount));
    w.pass(59);
    w.value_house_freshly();
    w.refuses(ticket.execute(), E::TicketTooEarly);
    w.pass(1);
    // The valuation of a second ago began too early.
    w.refuses(ticket.execute(), E::TicketTooEarly);
    w.value_house_freshly();
    let outcome = w.ok(ticket.execute());
    let done = TicketChanged { proceeds: amount, status: ticket_status::EXECUTED, ..said };
    assert_eq!(outcome.event(), Event::TicketChanged(done));
    let after = w.house();
    assert_eq!((after.share_supply, after.escrow_shares, after.pending_quote), (MILLION + amount, amount, 0));
    assert_eq!((after.nav, after.quote_shares), ((MILLION + amount) as i64, MILLION + amount));
    assert_eq!(w.bank(&p.usdc).vault_amount, MILLION + amount);
    w.refuses(ticket.execute(), E::TicketExecuted);
    let outcome = w.ok(ticket.claim(house::Asset::Shares, w.shares_of(&alice)));
    assert_eq!(outcome.event(), Event::TicketChanged(TicketChanged { status: ticket_status::CLAIMED, ..done }));
    assert_eq!((w.house_shares(&alice), w.house().escrow_shares), (amount, 0));
    assert!(w.account(&ticket.address()).is_none());
    assert_eq!(raw::mint_supply(&w.account(&p.share_mint).unwrap()), w.house().share_supply);
}

#[test]
fn who_redeems_gets_the_shares_part_after_the_delay() {
    let (mut w, p) = World::new();
    let (shares, ticket) = (1_000 * USD as u64, w.ticket(&p.admin, 0));
    let wallet = w.tokens(&p.admin, &p.usdc);
    w.ok(w.request_redeem_ix(&p.admin, 0, shares));
    assert_eq!((w.house_shares(&p.admin), w.house().escrow_shares), (MILLION - shares, shares));
    w.pass(60);
    // At par: a dollar for a share.
    assert_eq!(execute(&mut w, &p), shares);
    let after = w.house();
    assert_eq!((after.share_supply, after.escrow_shares, after.pending_quote), (MILLION - shares, 0, shares));
    assert_eq!(w.bank(&p.usdc).vault_amount, MILLION - shares);
    assert_eq!(raw::mint_supply(&w.account(&p.share_mint).unwrap()), MILLION - shares);
    w.ok(ticket.claim(house::Asset::Quote, p.usdc.tokens_of(&p.admin)));
    assert_eq!((w.tokens(&p.admin, &p.usdc), w.house().pending_quote), (wallet + shares, 0));
    assert_eq!(w.tokens_at(&p.usdc.vault), MILLION - shares);
}

#[test]
fn requests_that_are_refused() {
    let (mut w, p) = World::new();
    let provide = |w: &World, amount| w.request_provide_ix(&p.admin, 0, amount);
    let redeem = |w: &World, amount| w.request_redeem_ix(&p.admin, 0, amount);
    w.refuses(provide(&w, 0), E::ZeroAmount);
    w.refuses(redeem(&w, 0), E::ZeroAmount);
    // More than the wallet holds: the token program's "insufficient funds".
    w.refuses(provide(&w, 100 * MILLION), I::Custom(1));
    w.refuses(redeem(&w, MILLION + 1), I::Custom(1));
    w.refuses(provide(&w, u64::MAX), E::Overflow);
    w.configure(|config| config.pauses = pause::DEPOSIT);
    w.refuses(provide(&w, 1), E::Paused);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.refuses(redeem(&w, 1), E::Paused);
    w.configure(|config| config.pauses = pause::HOUSE);
    w.refuses(provide(&w, 1), E::Paused);
    w.refuses(redeem(&w, 1), E::Paused);
    w.configure(|config| config.pauses = 0);
    // What waits counts.
    w.configure_bank(&p.usdc, |config| config.deposit_cap = MILLION + 1);
    w.refuses(provide(&w, 2), E::DepositCap);
    w.ok(provide(&w, 1));
    w.refuses(w.request_provide_ix(&p.admin, 1, 1), E::DepositCap);
    w.configure_bank(&p.usdc, |config| config.state = state::REDUCE_ONLY);
    w.refuses(w.request_provide_ix(&p.admin, 1, 1), E::BankReduceOnly);
    // The same ticket once more: the system program's "already in use".
    w.refuses(redeem(&w, 1), I::Custom(0));
}

#[test]
fn executions_that_are_refused() {
    let (mut w, p) = World::new();
    let ticket = w.ticket(&p.admin, 0);
    w.ok(w.request_provide_ix(&p.admin, 0, USD as u64));
    w.ok(w.request_redeem_ix(&p.admin, 1, USD as u64));
    w.pass(60);
    w.refuses(ticket.execute(), E::TicketTooEarly);
    w.pass(1);
    w.refuses(ticket.execute(), E::HouseNavStale);
    w.value_house_freshly();
    w.configure(|config| config.pauses = pause::DEPOSIT);
    w.refuses(ticket.execute(), E::Paused);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.refuses(w.ticket(&p.admin, 1).execute(), E::Paused);
    w.configure(|config| config.pauses = pause::HOUSE);
    w.refuses(ticket.execute(), E::Paused);
    w.refuses(w.ticket(&p.admin, 1).execute(), E::Paused);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.ok(ticket.execute());
    w.refuses(ticket.claim(house::Asset::Shares, w.shares_of(&p.admin)), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.pass(86_399);
    w.value_house_freshly();
    w.pass(1);
    w.refuses(w.ticket(&p.admin, 1).execute(), E::TicketExpired);
    let back = w.ticket(&p.admin, 1).cancel(house::Asset::Shares, w.shares_of(&p.admin));
    w.ok(back);
}

/// Nobody may look at what the price will be and then choose: a ticket is cancelled as long as every price that it could
/// meet is still to be published, and again when its time has passed.
#[test]
fn a_ticket_is_bound_once_its_price_may_be_known() {
    let (mut w, p) = World::new();
    w.configure(|config| config.house_delay_seconds = 100);
    let (ticket, wallet) = (w.ticket(&p.admin, 0), w.tokens(&p.admin, &p.usdc));
    let cancel = ticket.cancel(house::Asset::Quote, p.usdc.tokens_of(&p.admin));
    w.ok(w.request_provide_ix(&p.admin, 0, USD as u64));
    w.refuses(ticket.claim(house::Asset::Shares, w.shares_of(&p.admin)), E::TicketNotExecuted);
    w.pass(40);
    let outcome = w.ok(&cancel);
    assert!(matches!(outcome.event(), Event::TicketChanged(said) if said.status == ticket_status::CANCELLED));
    assert_eq!((w.tokens(&p.admin, &p.usdc), w.house().pending_quote), (wallet, 0));
    w.ok(w.request_provide_ix(&p.admin, 0, USD as u64));
    w.pass(41);
    w.refuses(&cancel, E::TicketBound);
    w.pass(59 + 86_400);
    w.refuses(&cancel, E::TicketBound);
    w.pass(1);
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.refuses(&cancel, E::Paused);
    w.configure(|config| config.pauses = 0);
    w.ok(&cancel);
    // The same for shares.
    w.ok(w.request_redeem_ix(&p.admin, 0, USD as u64));
    let cancel = ticket.cancel(house::Asset::Shares, w.shares_of(&p.admin));
    w.ok(&cancel);
    assert_eq!((w.house_shares(&p.admin), w.house().escrow_shares), (MILLION, 0));
    w.ok(w.request_redeem_ix(&p.admin, 0, USD as u64));
    w.pass(100);
    execute(&mut w, &p);
    w.refuses(&cancel, E::TicketExecuted);
    w.ok(ticket.claim(house::Asset::Quote, p.usdc.tokens_of(&p.admin)));
}

/// The house has a million and the budgets are 200,000 each: 400,000 may leave, and not a unit more.
#[test]
fn no_redemption_takes_what_covers_the_budgets() {
    let (mut w, p) = World::new();
    w.ok(w.request_redeem_ix(&p.admin, 0, 400_000 * USD as u64));
    w.ok(w.request_redeem_ix(&p.admin, 1, 1));
    w.ok(w.request_redeem_ix(&p.admin, 2, 400_000 * USD as u64 + 1));
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.admin, 2).execute(), E::HouseBudgets);
    w.ok(w.ticket(&p.admin, 0).execute());
    // What others took counts at once, without another valuation.
    w.refuses(w.ticket(&p.admin, 1).execute(), E::HouseBudgets);
    assert_eq!((w.house().nav, w.house().risk_budget_total), (600_000 * USD, 600_000 * USD as u64));
    // A budget that is taken back is free at once.
    w.configure_market(&p.sol, |config| config.risk_budget -= 1);
    w.ok(w.ticket(&p.admin, 1).execute());
}

/// Alice owes the house's dollars: 990,000 of the million are lent out.
#[test]
fn what_is_lent_out_is_not_paid() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100_000 * SOL as u64);
    w.withdraw(&p.alice, &p.usdc, 990_000 * USD as u64);
    w.ok(w.request_redeem_ix(&p.admin, 0, 10_001 * USD as u64));
    w.ok(w.request_redeem_ix(&p.admin, 1, 9_999 * USD as u64));
    // What waits is not the house's yet, and not to be lent out: Alice cannot borrow it.
    w.ok(w.request_provide_ix(&p.bob.owner, 0, 50_000 * USD as u64));
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 10_001 * USD as u64), E::VaultInsufficient);
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.admin, 0).execute(), E::VaultInsufficient);
    w.ok(w.ticket(&p.admin, 1).execute());
    w.ok(w.ticket(&p.bob.owner, 0).execute());
    w.ok(w.ticket(&p.admin, 0).execute());
}

/// Alice is long 100 SOL at 125 USD and has paid 19.375 USD for the trade; nothing is settled and SOL halves. The house is
/// worth 6,250 more that it has not got.
#[test]
fn a_redemption_is_paid_out_of_the_deposit_alone() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    for asset in [p.sol, p.btc, p.eth] {
        w.configure_market(&asset, |config| config.risk_budget = 0);
    }
    w.pass(1);
    w.set_price(&p.sol, 62);
    w.ok(w.request_redeem_ix(&p.admin, 0, 999_999 * USD as u64));
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.admin, 0).execute(), E::HouseInsufficient);
    w.settle(&p.alice, &p.sol);
    w.ok(w.ticket(&p.admin, 0).execute());
}

/// Alice is long 100 SOL at 125 USD and SOL doubles, by hand: the deposit of a million, her 12,519.375 USD less what is due
/// for the position, 25,000, less the premium that is hers when she leaves, 1.25: 1 % of 25,000 at 10,000 SOL, at 100 SOL a
/// hundredth of it, and half for the mean.
#[test]
fn the_net_asset_value_is_deposit_cash_and_inventory_at_a_fresh_price() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.pass(1);
    w.set_price(&p.sol, 250);
    let outcome = w.value_house();
    let nav = 1_000_000 * USD + 12_519_375_000 - 25_000 * USD - 1_250_000;
    let (house, supply, budgets) = (p.house, MILLION, 600_000 * USD as u64);
    let change = nav - 1_000_000 * USD;
    let said = HouseValued { house, round: 2, nav, change, supply, budgets, nav_at: w.now() };
    assert_eq!(outcome.event(), Event::HouseValued(said));
    assert_eq!((w.house().nav, w.house().nav_at), (nav, w.now()));
    let market = w.market(&p.sol);
    assert_eq!((market.nav_spot, market.nav_size, market.nav_round), (1 << 46, -100 * SOL, 2));
    // A second look at the same price finds no change.
    let outcome = w.value_house();
    assert_eq!(outcome.event(), Event::HouseValued(HouseValued { round: 3, change: 0, ..said }));
    // With inventory a price of a minute ago is too old, whatever the market takes for fresh.
    w.configure_market(&p.sol, |config| config.max_age_seconds = 600);
    w.pass(61);
    w.refuses(w.priced().value_house(), E::OracleStale);
    let price = w.price(250);
    w.publish(&p.sol, price);
    // The stored price is old, the passed one is not.
    w.refuses(w.stored().value_house(), E::OracleStale);
    w.value_house();
}

/// What the house earns shows: spread and fee of a trade that is opened and closed, 0.3 % of 12,500 USD at the same price,
/// and the share is worth as much more.
#[test]
fn spread_and_fee_are_the_shares_gain() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.pass(1);
    let Event::HouseValued(open) = w.value_house().event() else { panic!() };
    // 12.50 spread and 6.25 fee of the opening; the premium is not earned.
    assert_eq!(open.change, 18_750_000);
    w.close(&p.alice, &p.sol, u64::MAX);
    let Event::HouseValued(closed) = w.value_house().event() else { panic!() };
    assert_eq!(closed.change, 18_750_000);
    w.settle(&p.alice, &p.sol);
    let Event::HouseValued(settled) = w.value_house().event() else { panic!() };
    assert_eq!((settled.change, settled.nav), (0, 1_000_000 * USD + 37_500_000));
    // A million shares: 1.0000375 USD each, of which the virtual share has its part.
    let paid = w.redeem(&p.admin, 100_000 * USD as u64);
    assert_eq!(paid, 100_000 * USD as u64 + 3_749_996);
}

/// Traders pay funding to the house: 3 units of Q16.48 a base unit for a short of 100 SOL that has paid none of it.
#[test]
fn funding_that_is_not_paid_counts() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.pass(1);
    let Event::HouseValued(before) = w.value_house().event() else { panic!() };
    // A long owes the index times its size: 100e9 * 3 * 2^48 / 2^48 / 1000.
    w.edit::<Market>(&p.sol.market, |market| market.funding_index = (3 << 48) / 1000);
    let Event::HouseValued(after) = w.value_house().event() else { panic!() };
    // Rounded down in the index and in the sum.
    assert_eq!(after.nav - before.nav, 299_999_999);
    // Half of it paid: the paid sum is minus the house's size times half the index.
    w.edit::<Market>(&p.sol.market, |market| {
        let paid = i128::from(100 * SOL) * i128::from(market.funding_index / 2);
        market.funding_paid = [paid as u64, (paid >> 64) as u64];
    });
    let Event::HouseValued(half) = w.value_house().event() else { panic!() };
    assert_eq!((half.nav - before.nav + 500) / 1000, 150_000);
    w.edit::<Market>(&p.sol.market, |market| (market.funding_index, market.funding_paid) = (0, [0; 2]));
}

/// The house's options of a board: 1,000 USD and a delta of 10 SOL at 125 USD.
#[test]
fn the_options_of_a_board_count_while_they_are_known() {
    let (mut w, p) = World::new();
    let until = w.now() + 30;
    let entry = HouseBoard {
        valid_until: until,
        spot: 1 << 45,
        max_drift: (1 << 32) / 50,
        value: 1_000 * USD,
        delta: 10 * SOL,
        exposure: 0,
        short_minimum: 0,
        _reserved: 0,
    };
    let put = |w: &mut World, entry| w.edit::<Market>(&p.sol.market, |market| market.house_boards[3] = entry);
    put(&mut w, entry);
    w.pass(1);
    assert!(matches!(w.value_house().event(), Event::HouseValued(said) if said.nav == 1_001_000 * USD));
    // One dollar up is 10 USD more.
    w.set_price(&p.sol, 126);
    let Event::HouseValued(up) = w.value_house().event() else { panic!() };
    assert!((1_001_010 * USD - 1..=1_001_010 * USD).contains(&up.nav), "{}", up.nav);
    w.set_price(&p.sol, 128);
    w.refuses(w.priced().value_house(), E::HouseBoardStale);
    w.set_price(&p.sol, 125);
    w.pass(30);
    w.refuses(w.priced().value_house(), E::HouseBoardStale);
    // A settled board is known for ever; any inventory wants a fresh price all the same.
    put(&mut w, HouseBoard { valid_until: i64::MAX, delta: 0, max_drift: 0, ..entry });
    w.set_price(&p.sol, 250);
    assert!(matches!(w.value_house().event(), Event::HouseValued(said) if said.nav == 1_001_000 * USD));
    put(&mut w, HouseBoard { valid_until: 0, spot: 0, max_drift: 0, value: 0, delta: 0, ..entry });
}

/// The parts of a valuation, markets by index.
fn part(w: &World, range: core::ops::Range<u16>) -> Instruction {
    w.priced().value_house_part(range)
}

#[test]
fn a_valuation_in_parts_goes_over_the_markets_twice() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.pass(10);
    let before = w.house();
    let began = w.now();
    // It begins with the first market, and goes on with the next.
    for wrong in [part(&w, 1..2), part(&w, 1..3)] {
        w.refuses(wrong, E::HouseRoundOrder);
    }
    assert_eq!(w.ok(part(&w, 0..1)).events, []);
    w.refuses(part(&w, 0..1), E::HouseRoundOrder);
    w.refuses(part(&w, 2..3), E::HouseRoundOrder);
    w.ok(part(&w, 1..3));
    assert_eq!(w.house().round_phase, round_phase::CHECKS);
    // The price moves by 0.08 %: within the limit.
    w.pass(20);
    let near = raw::Price { price: 12_510_000_000, ..w.price(125) };
    w.publish(&p.sol, near);
    w.ok(part(&w, 0..2));
    assert_eq!((w.house().nav, w.house().nav_at), (before.nav, before.nav_at));
    w.refuses(part(&w, 0..2), E::HouseRoundOrder);
    let outcome = w.ok(part(&w, 2..3));
    // As of the first look: the deposit, and spread and fee of the trade; as old as its beginning.
    let Event::HouseValued(said) = outcome.event() else { panic!() };
    assert_eq!((said.nav, said.nav_at, said.round), (1_000_018_750_000, began, 2));
    assert_eq!(w.house().round_phase, round_phase::NONE);
}

/// A valuation that has valued all three markets, and is to be checked.
fn to_be_checked() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.pass(10);
    w.ok(part(&w, 0..2));
    w.ok(part(&w, 2..3));
    (w, p)
}

fn is_voided(w: &mut World, p: &Places, range: core::ops::Range<u16>, subject: Address) {
    let nav_at = w.house().nav_at;
    let outcome = w.ok(part(w, range));
    let said = HouseRoundVoided { house: p.house, subject, round: 2 };
    assert_eq!(outcome.event(), Event::HouseRoundVoided(said));
    assert_eq!((w.house().round_phase, w.house().nav_at), (round_phase::NONE, nav_at));
    w.value_house();
}

/// 0.2 % where 0.1 % is allowed.
#[test]
fn a_price_that_moves_in_between_voids_a_valuation_in_parts() {
    let (mut w, p) = to_be_checked();
    let far = raw::Price { price: 12_525_000_000, ..w.price(125) };
    w.publish(&p.sol, far);
    is_voided(&mut w, &p, 0..1, p.sol.market);
}

/// Who trades between the two looks gains nothing by it.
#[test]
fn a_trade_in_between_voids_a_valuation_in_parts() {
    let (mut w, p) = to_be_checked();
    w.open(&p.alice, &p.btc, BTC / 100);
    w.ok(part(&w, 0..1));
    is_voided(&mut w, &p, 1..3, p.btc.market);
}

/// Cash that moves from a market to the deposit shows in the market, or, where it had been checked, in the deposit.
#[test]
fn a_settlement_in_between_voids_a_valuation_in_parts() {
    let (mut w, p) = to_be_checked();
    w.settle(&p.alice, &p.sol);
    is_voided(&mut w, &p, 0..1, p.sol.market);
    let (mut w, p) = to_be_checked();
    w.ok(part(&w, 0..1));
    w.settle(&p.alice, &p.sol);
    is_voided(&mut w, &p, 1..3, p.house);
}

#[test]
fn a_market_that_was_not_valued_voids_a_valuation_in_parts() {
    let (mut w, p) = to_be_checked();
    w.edit::<Market>(&p.eth.market, |market| market.nav_round = 1);
    w.ok(part(&w, 0..2));
    is_voided(&mut w, &p, 2..3, p.eth.market);
}

/// A minute from beginning to end. Afterwards anyone begins anew.
#[test]
fn a_valuation_in_parts_that_takes_too_long_is_begun_anew() {
    let (mut w, p) = to_be_checked();
    w.pass(60);
    let price = w.price(125);
    w.publish(&p.sol, price);
    w.ok(part(&w, 0..1));
    assert_eq!((w.house().round, w.house().round_next), (2, 1));
    w.pass(1);
    w.refuses(part(&w, 1..2), E::HouseRoundOrder);
    w.ok(part(&w, 0..2));
    assert_eq!((w.house().round, w.house().round_next, w.house().round_phase), (3, 2, round_phase::VALUES));
}

/// Whoever begins a valuation and leaves it there, or begins one after the other, keeps nobody from valuing the house.
#[test]
fn all_markets_at_once_is_a_valuation_whatever_is_under_way() {
    let (mut w, _) = to_be_checked();
    let Event::HouseValued(said) = w.value_house().event() else { panic!() };
    assert_eq!((said.round, w.house().round_phase), (3, round_phase::NONE));
}

/// The house has lost half: the million is worth 500,000 and the budgets are 600,000. A sixth of each is withheld.
#[test]
fn liquidity_withdraws_itself_when_the_house_has_lost() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 1_000_000 * USD as u64);
    w.configure_market(&p.sol, |config| config.risk_budget = 200_000 * USD as u64);
    w.open(&p.alice, &p.sol, 4_000 * SOL);
    w.pass(1);
    // 4,000 SOL at 125 + x; NAV is to be 500,000: the house is short, so SOL at about 250.
    w.set_price(&p.sol, 250);
    w.value_house();
    let (nav, market) = (w.house().nav, w.market(&p.sol));
    assert!((499_000 * USD..500_000 * USD).contains(&nav), "{nav}");
    let expected = 1.0 - nav as f64 / (600_000 * USD) as f64;
    assert!((market.budget_withheld as f64 / (1u64 << 32) as f64 - expected).abs() < 1e-9);
    let in_force = market.budget_in_force();
    assert_eq!(in_force, w.market(&p.btc).budget_in_force());
    assert!((166_000 * USD as u64..166_667 * USD as u64).contains(&in_force), "{in_force}");
    // BTC at 60,000 and a range of 20 %: 12,000 a coin, so that 13.9 fit the budget in force and 14.2 do not.
    w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
    let coins = |loss: u64| (loss as i128 * BTC as i128 / (12_000 * USD) as i128) as i64;
    w.refuses(w.open_ix(&p.bob, &p.btc, coins(in_force) + 1), E::HouseRiskBudget);
    w.open(&p.bob, &p.btc, coins(in_force));
    // Nothing is to be redeemed below the budgets, nor are they raised.
    w.refuses(
        w.priced().configure_market(&p.eth.market, {
            let mut c = w.market(&p.eth).config;
            c.risk_budget += 1;
            c
        }),
        E::HouseBudgets,
    );
    w.ok(w.request_redeem_ix(&p.admin, 0, USD as u64));
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.admin, 0).execute(), E::HouseBudgets);
    // It comes back by itself.
    w.set_price(&p.sol, 125);
    w.value_house_freshly();
    assert_eq!(w.market(&p.sol).budget_withheld, 0);
    w.ok(w.ticket(&p.admin, 0).execute());
}

/// The house is worth less than nothing: nobody joins, nobody leaves.
#[test]
fn a_house_without_value_takes_nobody_in_and_pays_nobody() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 1_000_000 * USD as u64);
    w.open(&p.alice, &p.sol, 8_000 * SOL);
    w.ok(w.request_provide_ix(&p.admin, 0, USD as u64));
    w.ok(w.request_redeem_ix(&p.admin, 1, USD as u64));
    w.pass(60);
    w.set_price(&p.sol, 260);
    w.value_house();
    assert!(w.house().nav < 0);
    assert_eq!(w.market(&p.btc).budget_in_force(), 0);
    w.refuses(w.ticket(&p.admin, 0).execute(), E::HouseInsolvent);
    w.refuses(w.ticket(&p.admin, 1).execute(), E::HouseInsolvent);
}

/// A plain transfer of the token program.
fn transfer(from: Address, owner: Address, mint: Address, to: Address, amount: u64) -> Instruction {
    let accounts = vec![
        AccountMeta::new(from, false),
        AccountMeta::new_readonly(mint, false),
        AccountMeta::new(to, false),
        AccountMeta::new_readonly(owner, true),
    ];
    let data = [&[12], amount.to_le_bytes().as_slice(), &[6]].concat();
    Instruction { program_id: TOKEN_PROGRAM, accounts, data }
}

/// The SPL Token program's `BurnChecked` of one's own tokens.
fn burn(from: Address, owner: Address, mint: Address, amount: u64) -> Instruction {
    let accounts =
        vec![AccountMeta::new(from, false), AccountMeta::new(mint, false), AccountMeta::new_readonly(owner, true)];
    let data = [&[15], amount.to_le_bytes().as_slice(), &[6]].concat();
    Instruction { program_id: TOKEN_PROGRAM, accounts, data }
}

/// What is sent to the vault or the escrow, or burnt, is lost to who sent it and changes no price.
#[test]
fn a_donation_or_a_burnt_share_moves_no_price() {
    let (mut w, p) = World::new();
    let shares = w.shares_of(&p.admin);
    w.pass(1);
    w.value_house();
    let before = w.house();
    w.ok(transfer(p.usdc.tokens_of(&p.mallory), p.mallory, p.usdc.mint, p.usdc.vault, MILLION));
    w.ok(transfer(shares, p.admin, p.share_mint, before.escrow, 1_000 * USD as u64));
    w.ok(burn(shares, p.admin, p.share_mint, 1_000 * USD as u64));
    let outcome = w.value_house();
    assert!(matches!(outcome.event(), Event::HouseValued(said) if said.change == 0 && said.supply == MILLION));
    assert_eq!(w.house(), House { round: before.round + 1, ..before });
    // Neither what was sent nor what was burnt is anybody's: a dollar still buys one share.
    assert_eq!(w.provide(&p.alice.owner, 1_000 * USD as u64), 1_000 * USD as u64);
    assert_eq!(w.redeem(&p.alice.owner, 1_000 * USD as u64), 1_000 * USD as u64);
}

/// The house is empty. Mallory is its first provider with one unit, gives it 10,000 USD, and waits for Alice's 1,000 USD to
/// be rounded away. She loses less than one share, a cent; he loses all but a cent.
#[test]
fn the_first_provider_cannot_inflate_the_share() {
    let (mut w, p) = World::new();
    for asset in [p.sol, p.btc, p.eth] {
        w.configure_market(&asset, |config| config.risk_budget = 0);
    }
    assert_eq!(w.redeem(&p.admin, MILLION), MILLION);
    assert_eq!((w.house().share_supply, w.house().nav), (0, 0));
    // The first provider needs not wait.
    w.ok(w.request_provide_ix(&p.mallory, 0, 1));
    w.value_house_freshly();
    w.ok(w.ticket(&p.mallory, 0).execute());
    w.ok(w.ticket(&p.mallory, 0).claim(house::Asset::Shares, w.shares_of(&p.mallory)));
    assert_eq!(w.house_shares(&p.mallory), 1);
    // As if he had lost it in a trade, and it was settled.
    let given = 10_000 * USD as u64;
    w.ok(transfer(p.usdc.tokens_of(&p.mallory), p.mallory, p.usdc.mint, p.usdc.vault, given));
    w.edit::<House>(&p.house, |house| house.quote_shares += given);
    w.edit::<Bank>(&p.usdc.bank, |bank| (bank.deposit_shares, bank.vault_amount) = (1 + given, 1 + given));
    let shares = w.provide(&p.alice.owner, 1_000 * USD as u64);
    // 1e9 * (1e6 + 1) / (1e10 + 1 + 1e6), rounded down.
    assert_eq!(shares, 99_990);
    let back = w.redeem(&p.alice.owner, shares);
    let lost = 1_000 * USD as u64 - back;
    assert!(lost <= 10_001, "{lost}");
    let kept = w.redeem(&p.mallory, 1);
    assert!(kept <= 10_001, "{kept}");
}

/// Alice is long 1,000 SOL at 125 USD. SOL falls to 112.50 USD everywhere but at the oracle: the house has gained 12,500 USD
/// that its price does not show. Bob provides 500,000 USD at once. Executed at the old price he would have a third of the gain,
/// 4,167 USD; after the delay he pays for it.
#[test]
fn who_knows_the_price_before_the_oracle_gains_nothing_by_providing() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.open(&p.alice, &p.sol, 1_000 * SOL);
    w.pass(1);
    w.value_house();
    let (amount, old) = (MILLION / 2, w.house());
    w.ok(w.request_provide_ix(&p.bob.owner, 0, amount));
    w.refuses(w.ticket(&p.bob.owner, 0).execute(), E::TicketTooEarly);
    // A minute later no price of the time of his request is accepted any more.
    w.pass(60);
    w.refuses(w.ticket(&p.bob.owner, 0).execute(), E::TicketTooEarly);
    w.publish(&p.sol, raw::Price { price: 11_250_000_000, ema: 11_250_000_000, ..w.price(0) });
    w.value_house();
    let new = w.house();
    assert!(new.nav - old.nav > 12_499 * USD);
    w.ok(w.ticket(&p.bob.owner, 0).execute());
    let issued = w.ticket_data(&p.bob.owner, 0).proceeds;
    let worth = |shares: u64| redemption(shares, w.house().share_supply, w.house().nav as u64).unwrap() as i64;
    let (at_once, waited) = (i128::from(amount) * i128::from(old.share_supply) / i128::from(old.nav), worth(issued));
    assert!((amount as i64 - 1_000..=amount as i64).contains(&waited), "{waited}");
    // What he would have had, of the same pool, for the price of the moment of his request.
    let pool = i128::from(new.nav) + i128::from(amount);
    let gain = (at_once * pool / (i128::from(old.share_supply) + at_once)) as i64 - amount as i64;
    assert!((4_000 * USD..4_200 * USD).contains(&gain), "{gain}");
}

/// The same the other way round: SOL rises to 137.50 USD, the house has lost 12,500 USD, and Bob, who has a third of it, asks to
/// leave before the oracle knows. He bears his third.
#[test]
fn who_knows_the_price_before_the_oracle_gains_nothing_by_redeeming() {
    let (mut w, p) = World::new();
    let shares = w.provide(&p.bob.owner, MILLION / 2);
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.open(&p.alice, &p.sol, 1_000 * SOL);
    w.pass(1);
    w.value_house();
    w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
    w.refuses(w.ticket(&p.bob.owner, 0).execute(), E::TicketTooEarly);
    w.pass(60);
    w.publish(&p.sol, raw::Price { price: 13_750_000_000, ema: 13_750_000_000, ..w.price(0) });
    w.value_house();
    w.ok(w.ticket(&p.bob.owner, 0).execute());
    let lost = (MILLION / 2) as i64 - w.ticket_data(&p.bob.owner, 0).proceeds as i64;
    // A third of 12,500 less a third of spread and fee of the trade, 187.50.
    assert!((4_100 * USD..4_110 * USD).contains(&lost), "{lost}");
}

/// Bob has a third of the house and redeems it. In one of two worlds he buys 8,000 SOL before the valuation and sells them after
/// his ticket's execution: he has paid 4,000 USD of premium in between. It is not in the price of his shares; what is, is his
/// third of spread and fee, 1,500 USD, of which he pays all.
#[test]
fn a_trade_around_a_valuation_gains_nothing() {
    let mut results = Vec::new();
    for sandwiches in [false, true] {
        let (mut w, p) = World::new();
        let shares = w.provide(&p.bob.owner, MILLION / 2);
        w.deposit(&p.bob, &p.usdc, 500_000 * USD as u64);
        w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
        w.pass(60);
        w.value_house_freshly();
        if sandwiches {
            w.open(&p.bob, &p.sol, 8_000 * SOL);
            w.value_house();
        }
        w.ok(w.ticket(&p.bob.owner, 0).execute());
        if sandwiches {
            w.close(&p.bob, &p.sol, u64::MAX);
            w.settle(&p.bob, &p.sol);
        }
        results.push((w.ticket_data(&p.bob.owner, 0).proceeds as i64, w.margin(&p.bob).equity_maint.raw()));
    }
    let [(plain, before), (sandwiched, after)] = results[..] else { panic!() };
    assert_eq!(plain, 500_000 * USD);
    // A third of 1,500 USD: 0.15 % of a million.
    let gained = sandwiched - plain;
    assert!((499_999_000..=500 * USD).contains(&gained), "{gained}");
    // Spread and fee twice.
    assert_eq!(before - after, 3_000 * USD);
}

/// Bob asks for the cheaper of two moments: he does not execute his ticket when its time has come, but anybody does.
#[test]
fn a_ticket_is_executed_by_anybody_and_its_owner_cannot_prevent_it() {
    let (mut w, p) = World::new();
    w.ok(w.request_provide_ix(&p.bob.owner, 0, USD as u64));
    // He closes his account of house shares: the proceeds wait.
    let shares = w.shares_of(&p.bob.owner);
    w.set_account(shares, raw::account(Address::default(), vec![]));
    w.pass(60);
    w.value_house_freshly();
    let execute = w.ticket(&p.bob.owner, 0).execute();
    assert!(execute.accounts.iter().all(|meta| !meta.is_signer));
    w.ok(execute);
    assert_eq!(w.house().escrow_shares, USD as u64);
}

#[test]
fn amounts_of_less_than_a_share_or_a_unit_are_refused() {
    let (mut w, p) = World::new();
    w.provide(&p.alice.owner, USD as u64);
    // A share is worth 1.5 units.
    w.edit::<House>(&p.house, |house| house.quote_shares += MILLION / 2);
    w.edit::<Bank>(&p.usdc.bank, |bank| {
        (bank.deposit_shares, bank.vault_amount) = (bank.deposit_shares + MILLION / 2, bank.vault_amount + MILLION / 2)
    });
    let vault = raw::token_account(&p.usdc.mint, &p.exchange, w.bank(&p.usdc).vault_amount + 10);
    w.set_account(p.usdc.vault, vault);
    w.ok(w.request_provide_ix(&p.alice.owner, 0, 1));
    w.pass(60);
    w.value_house_freshly();
    w.refuses(w.ticket(&p.alice.owner, 0).execute(), E::AmountTooSmall);
}

#[test]
fn a_clock_that_went_back_is_refused() {
    let (mut w, _) = World::new();
    w.pass(-1);
    w.refuses(w.priced().value_house(), E::ClockWentBack);
}
