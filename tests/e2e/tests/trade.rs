//! `open_position`, `close_position`.

use plimsoll_client::{event::Event, instruction::account};
use plimsoll_e2e_tests::{
    Asset, E, Trader, World,
    raw::Price,
    world::{BTC, ETH, PRICE_USD, Places, SOL, USD, order},
};
use plimsoll_interface::{
    Address,
    accounts::{MAX_MARKETS, MarginAccount, Market},
    config::{pause, state},
    event::Traded,
    instruction::{ClosePositionArgs, OpenPositionArgs},
};
use solana_instruction::Instruction;

/// Alice has deposited a million dollars.
fn funded() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 1_000_000 * USD as u64);
    (w, p)
}

fn closing(w: &World, trader: &Trader, asset: &Asset, args: ClosePositionArgs) -> Instruction {
    w.priced().close_position(trader.owner, &w.keyed(trader), &asset.market, args).unwrap()
}

/// 100 SOL at 125 USD: 12,500, half spread 12.50, premium 1 % of 12,500 for 100 of 10,000, halved as it grows from zero:
/// 0.625; fee 6.25.
#[test]
fn a_buy_costs_spot_and_spread_and_premium_and_fee() {
    let (mut w, p) = funded();
    let outcome = w.open(&p.alice, &p.sol, 100 * SOL);
    let (cost, fee) = (12_513_125_000, 6_250_000);
    let expected = Traded {
        account: p.alice.account,
        market: p.sol.market,
        trader: p.alice.owner,
        size: 100 * SOL,
        cost,
        fee,
        spot: 1 << 45,
        position: 100 * SOL,
        house_position: -100 * SOL,
    };
    assert_eq!(outcome.event(), Event::Traded(expected));
    let cash = -cost - fee as i64;
    assert_eq!(w.position(&p.alice, &p.sol), (100 * SOL, cash));
    let market = w.market(&p.sol);
    assert_eq!((market.house_size, market.house_cash), (-100 * SOL, -cash));
    assert_eq!((market.open_interest_long, market.open_interest_short), (100 * SOL as u64, 0));
}

/// The same down: 12,500 less 12.50 less 0.625, less 6.25.
#[test]
fn a_sale_brings_spot_less_all_of_that() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, -100 * SOL);
    assert_eq!(w.position(&p.alice, &p.sol), (-100 * SOL, 12_486_875_000 - 6_250_000));
    let market = w.market(&p.sol);
    assert_eq!((market.open_interest_long, market.open_interest_short), (0, 100 * SOL as u64));
}

/// The premium comes back; two half spreads and two fees stay with the house: 2 * (12.50 + 6.25) = 37.50.
#[test]
fn a_round_trip_costs_two_half_spreads_and_two_fees() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 100 * SOL);
    let outcome = w.close(&p.alice, &p.sol, u64::MAX);
    let Event::Traded(traded) = outcome.event() else { panic!("{outcome:?}") };
    assert_eq!((traded.size, traded.cost, traded.fee), (-100 * SOL, -12_488_125_000, 6_250_000));
    assert_eq!((traded.position, traded.house_position), (0, 0));
    assert_eq!(w.position(&p.alice, &p.sol), (0, -37_500_000));
    assert_eq!(w.market(&p.sol).house_cash, 37_500_000);
}

#[test]
fn a_position_is_closed_in_parts_and_never_beyond_zero() {
    let (mut w, p) = funded();
    for size in [100 * SOL, -100 * SOL] {
        w.open(&p.alice, &p.sol, size);
        w.close(&p.alice, &p.sol, 30 * SOL as u64);
        assert_eq!(w.position(&p.alice, &p.sol).0, size / 10 * 7);
        w.close(&p.alice, &p.sol, 71 * SOL as u64);
        assert_eq!(w.position(&p.alice, &p.sol).0, 0);
    }
}

#[test]
fn a_position_may_flip() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.open(&p.alice, &p.sol, -150 * SOL);
    assert_eq!(w.position(&p.alice, &p.sol).0, -50 * SOL);
    let market = w.market(&p.sol);
    assert_eq!((market.open_interest_long, market.open_interest_short), (0, 50 * SOL as u64));
}

#[test]
fn a_delegate_trades() {
    let (mut w, p) = funded();
    let set = account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate: p.bob.owner, scope: 0 };
    w.ok(set.instruction());
    let keyed = w.keyed(&p.alice);
    let open = |w: &World, who| w.priced().open_position(who, &keyed, &p.sol.market, order(SOL)).unwrap();
    w.refuses(open(&w, p.carol.owner), E::NotOwnerOrDelegate);
    let outcome = w.ok(open(&w, p.bob.owner));
    assert!(matches!(outcome.event(), Event::Traded(Traded { trader, .. }) if trader == p.bob.owner));
    let args = ClosePositionArgs { size: 1, limit_price: 0, expires_at: 0 };
    let close = |w: &World, who| w.priced().close_position(who, &w.keyed(&p.alice), &p.sol.market, args).unwrap();
    w.refuses(close(&w, p.carol.owner), E::NotOwnerOrDelegate);
    w.ok(close(&w, p.bob.owner));
}

#[test]
fn sizes_that_are_refused() {
    let (mut w, p) = funded();
    w.refuses(w.open_ix(&p.alice, &p.sol, 0), E::ZeroSize);
    w.refuses(w.open_ix(&p.alice, &p.sol, i64::MIN), E::ZeroSize);
    w.refuses(w.open_ix(&p.alice, &p.sol, i64::MAX), E::SkewTooLarge);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::NoPosition);
    w.open(&p.alice, &p.sol, SOL);
    w.refuses(w.close_ix(&p.alice, &p.sol, 0), E::ZeroSize);
    w.close(&p.alice, &p.sol, SOL as u64);
    // What is left is cash.
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::NoPosition);
    w.refuses(w.close_ix(&p.alice, &p.btc, 1), E::NoPosition);
}

/// The average is 125.13125 USD for the first 100 SOL bought and 124.86875 for the first sold: 0.12513125 and
/// 0.12486875 quote native for a base unit.
#[test]
fn the_limit_price_holds_to_the_last_bit() {
    let (mut w, p) = funded();
    let limited =
        |w: &World, size, limit_price| w.order_ix(&p.alice, &p.sol, OpenPositionArgs { limit_price, ..order(size) });
    let buy = (12_513_125u128 << 48).div_ceil(100_000_000) as u64;
    let sell = ((12_486_875u128 << 48) / 100_000_000) as u64;
    w.refuses(limited(&w, 100 * SOL, buy - 1), E::LimitPrice);
    w.refuses(limited(&w, -100 * SOL, sell + 1), E::LimitPrice);
    w.ok(limited(&w, -100 * SOL, sell));
    w.close(&p.alice, &p.sol, u64::MAX);
    w.ok(limited(&w, 100 * SOL, buy));
    let args = ClosePositionArgs { size: u64::MAX, limit_price: 1 << 46, expires_at: 0 };
    w.refuses(closing(&w, &p.alice, &p.sol, args), E::LimitPrice);
}

#[test]
fn an_order_is_good_up_to_and_including_its_time() {
    let (mut w, p) = funded();
    let until = |w: &World, expires_at| w.order_ix(&p.alice, &p.sol, OpenPositionArgs { expires_at, ..order(SOL) });
    let now = w.now();
    w.refuses(until(&w, now - 1), E::OrderExpired);
    w.refuses(until(&w, -1), E::OrderExpired);
    w.ok(until(&w, now));
    let args = ClosePositionArgs { size: 1, limit_price: 0, expires_at: now - 1 };
    w.refuses(closing(&w, &p.alice, &p.sol, args), E::OrderExpired);
    w.ok(closing(&w, &p.alice, &p.sol, ClosePositionArgs { expires_at: now, ..args }));
}

#[test]
fn reduce_only_reduces_only() {
    let (mut w, p) = funded();
    let reducing = |w: &World, size| w.order_ix(&p.alice, &p.sol, OpenPositionArgs { reduce_only: 1, ..order(size) });
    w.refuses(reducing(&w, SOL), E::ReduceOnlyViolated);
    w.open(&p.alice, &p.sol, 10 * SOL);
    w.refuses(reducing(&w, 1), E::ReduceOnlyViolated);
    w.refuses(reducing(&w, -10 * SOL - 1), E::ReduceOnlyViolated);
    w.ok(reducing(&w, -10 * SOL));
}

#[test]
fn pauses_and_states_let_through_what_they_should() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 10 * SOL);
    w.configure(|config| config.pauses = pause::OPEN);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::Paused);
    w.refuses(w.open_ix(&p.alice, &p.sol, -11 * SOL), E::Paused);
    w.close(&p.alice, &p.sol, SOL as u64);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(w.open_ix(&p.alice, &p.sol, -1), E::Paused);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::Paused);
    w.configure(|config| config.pauses = pause::ALL & !pause::TRADE & !pause::OPEN);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::MarketReduceOnly);
    w.close(&p.alice, &p.sol, SOL as u64);
    w.configure_market(&p.sol, |config| config.perp_enabled = 0);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::PerpDisabled);
    w.close(&p.alice, &p.sol, SOL as u64);
}

/// Confidence above 2 % of the price, or a gap above 5 % to the average: reductions only.
#[test]
fn a_doubtful_price_lets_through_reductions_only() {
    let (mut w, p) = funded();
    let good = w.price(125);
    let percent = 125 * PRICE_USD / 100;
    let doubtful = [
        Price { confidence: 2 * percent as u64 + 1, ..good },
        Price { ema: good.price + 5 * percent + 1, ..good },
        Price { ema: good.price - 5 * percent - 1, ..good },
    ];
    w.open(&p.alice, &p.sol, 10 * SOL);
    for price in doubtful {
        w.publish(&p.sol, price);
        w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::OracleTooWide);
        w.refuses(w.open_ix(&p.alice, &p.sol, -20 * SOL), E::OracleTooWide);
        w.close(&p.alice, &p.sol, 1);
    }
    for price in [Price { confidence: 2 * percent as u64 - 1, ..good }, Price { ema: good.price + 5 * percent, ..good }]
    {
        w.publish(&p.sol, price);
        w.open(&p.alice, &p.sol, 1);
    }
}

/// A trade is priced by the account in its own transaction, which must be fresh and not older than what is known.
#[test]
fn a_trade_wants_a_fresh_price_of_its_own() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, SOL);
    w.pass(60);
    w.open(&p.alice, &p.sol, SOL);
    w.pass(1);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::OracleStale);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::OracleStale);
    w.set_price(&p.sol, 125);
    let old = Price { publish_time: w.now() - 1, ..w.price(125) };
    w.publish(&p.sol, old);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::OracleOlderThanObservation);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::OracleOlderThanObservation);
}

#[test]
fn a_trade_stores_the_price_it_was_made_at() {
    let (mut w, p) = funded();
    w.pass(7);
    let price = w.price(250);
    w.publish(&p.sol, price);
    w.open(&p.alice, &p.sol, SOL);
    let market = w.market(&p.sol);
    assert_eq!((market.spot, market.publish_time), (1 << 46, w.now()));
}

/// The house may lose 200,000 USD in SOL: 8,000 SOL at 125 USD moved by 20 %.
#[test]
fn the_house_carries_its_budget_and_not_a_unit_more() {
    for side in [1, -1] {
        let (mut w, p) = funded();
        w.refuses(w.open_ix(&p.alice, &p.sol, side * (8_000 * SOL + 1)), E::HouseRiskBudget);
        w.open(&p.alice, &p.sol, side * 8_000 * SOL);
        w.refuses(w.open_ix(&p.alice, &p.sol, side), E::HouseRiskBudget);
    }
}

#[test]
fn a_trade_that_lightens_the_house_needs_no_budget() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.configure_market(&p.sol, |config| config.risk_budget = 0);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::HouseRiskBudget);
    w.deposit(&p.bob, &p.usdc, 100_000 * USD as u64);
    w.open(&p.bob, &p.sol, -60 * SOL);
    w.close(&p.alice, &p.sol, 40 * SOL as u64);
}

/// Long and short are limited to 10,000 SOL each. Bob's shorts keep the house light.
#[test]
fn open_interest_is_limited_on_each_side() {
    let (mut w, p) = funded();
    w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
    w.open(&p.alice, &p.sol, 8_000 * SOL);
    w.open(&p.bob, &p.sol, -8_000 * SOL);
    w.refuses(w.open_ix(&p.alice, &p.sol, 2_000 * SOL + 1), E::OpenInterestLimit);
    w.refuses(w.open_ix(&p.bob, &p.sol, -2_000 * SOL - 1), E::OpenInterestLimit);
    w.open(&p.alice, &p.sol, 2_000 * SOL);
    // Beyond a limit that was lowered, reductions stay possible.
    w.configure_market(&p.sol, |config| config.max_open_interest = 1);
    w.close(&p.alice, &p.sol, 1);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::OpenInterestLimit);
}

/// 5,000 USD carry 20 % of the position less its costs: E - R = 5,000 - N (0.0015 + premium) - 0.2 N.
#[test]
fn a_position_goes_as_far_as_the_initial_margin() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 5_000 * USD as u64);
    // 198 SOL: 24,750 USD, costs 24.75 + 12.375 + 2.45025: H = 5,000 - 39.57525 - 4,950 = 10.42475.
    w.refuses(w.open_ix(&p.alice, &p.sol, 199 * SOL), E::InsufficientMargin);
    w.open(&p.alice, &p.sol, 198 * SOL);
    let margin = w.margin(&p.alice);
    assert_eq!(margin.health_init().unwrap().raw(), 10_424_750);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::InsufficientMargin);
}

/// Below its initial margin an account reduces, if that does not make it worse.
#[test]
fn a_reduction_is_accepted_below_the_initial_margin() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 5_000 * USD as u64);
    w.open(&p.alice, &p.btc, 40 * BTC / 100);
    w.set_price(&p.btc, 58_000);
    assert!(w.margin(&p.alice).health_init().unwrap().raw() < 0);
    w.refuses(w.open_ix(&p.alice, &p.btc, 1), E::InsufficientMargin);
    w.refuses(w.open_ix(&p.alice, &p.btc, -81 * BTC / 100), E::InsufficientMargin);
    w.close(&p.alice, &p.btc, 1_000_000);
}

/// A reduction so dear that it costs more than the margin it frees: a hedge's leg, whose closing opens the other.
#[test]
fn a_reduction_that_makes_a_poor_account_poorer_is_refused() {
    let (mut w, p) = World::new();
    // 100 SOL in deposit, 100 short: only the haircut of 1,250 is required.
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    w.open(&p.alice, &p.sol, -100 * SOL);
    w.withdraw(&p.alice, &p.usdc, 10_700 * USD as u64);
    w.configure_bank(&p.sol, |config| *config = config.with_haircuts(300_000, 50_000));
    assert!(w.margin(&p.alice).health_init().unwrap().raw() < 0);
    w.refuses(w.close_ix(&p.alice, &p.sol, SOL as u64), E::InsufficientMargin);
}

#[test]
fn what_the_account_uses_must_be_listed() {
    let (mut w, p) = funded();
    w.deposit(&p.alice, &p.eth, ETH as u64);
    w.open(&p.alice, &p.btc, BTC);
    w.open(&p.alice, &p.sol, SOL);
    let open = w.open_ix(&p.alice, &p.sol, SOL);
    let close = w.close_ix(&p.alice, &p.sol, 1);
    for ix in [open, close] {
        let without = |addresses: &[Address]| {
            let mut ix = ix.clone();
            ix.accounts.retain(|meta| !addresses.contains(&meta.pubkey));
            ix
        };
        w.refuses(without(&[p.usdc.bank]), E::MissingBank);
        w.refuses(without(&[p.eth.bank]), E::MissingBank);
        w.refuses(without(&[p.btc.market, p.btc.oracle]), E::MissingMarket);
        w.refuses(without(&[p.eth.market, p.eth.oracle]), E::MissingMarket);
        w.refuses(without(&[p.eth.market]), E::MissingMarket);
        w.ok(without(&[p.eth.oracle, p.btc.oracle]));
    }
}

#[test]
fn a_position_needs_a_free_market_slot() {
    let (mut w, p) = funded();
    let btc = w.market(&p.btc);
    for number in 1..=MAX_MARKETS as u8 {
        let address = Address::new_from_array([number; 32]);
        w.put(address, &Market { house_cash: -1, index: 100 + u16::from(number), ..btc });
        w.edit::<MarginAccount>(&p.alice.account, |account| {
            let slot = account.market_slot_or_new(&address).unwrap();
            account.markets[slot].cash = 1;
        });
    }
    w.edit::<Market>(&p.sol.market, |_| ());
    let mut ix = w.order_ix(&p.bob, &p.sol, order(SOL));
    (ix.accounts[0].pubkey, ix.accounts[2].pubkey) = (p.alice.owner, p.alice.account);
    w.refuses(&ix, E::TooManyMarkets);
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, SOL);
    // A skew scale so large that no premium stops the order before its value overflows.
    w.configure_market(&p.sol, |config| config.skew_scale = u64::MAX);
    w.publish(&p.sol, Price { exponent: -3, ..w.price(125) });
    w.refuses(w.open_ix(&p.alice, &p.sol, i64::MAX / 2), E::Overflow);
}

#[test]
fn a_market_that_contradicts_itself_is_reported() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, SOL);
    w.edit::<Market>(&p.sol.market, |market| market.open_interest_long = 0);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::Corrupt);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::Corrupt);
    w.edit::<Market>(&p.sol.market, |market| market.open_interest_long = SOL as u64);
}
