//! Fills between accounts: `fill`, signed orders, venues.

use plimsoll_client::{
    event::{Event, Filled, OrderFilled, OrdersCancelled, VenueApproved},
    instruction::{account, venue},
};
use plimsoll_e2e_tests::{
    E, I, Trader, World,
    chain::{COMPANION, VENUE_PROGRAM},
    raw::{self, Price},
    world::{BTC, PRICE_USD, Places, SOL, USD},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{MAX_ORDERS, MAX_VENUES, MarginAccount, Orders, Venue, deferral, delegate_scope},
    address,
    config::{VenueConfig, limits, pause, state, venue_state},
    instruction::{Contract, FillArgs, FillOrdersArgs, VenueArgs, instrument},
    order::{MAKER_ONLY, Order, REDUCE_ONLY, VERIFICATION_LEN},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_transaction_error::TransactionError;

/// 125 USD a SOL: 0.125 quote native a base unit.
const SPOT: u64 = 1 << 45;
/// 60,000 USD a BTC: 600 quote native a base unit.
const BTC_SPOT: u64 = 600 << 48;
/// 5 % of that: the market's band.
const BAND: u64 = SPOT / 20;

/// Alice and Bob with a million dollars each.
fn funded() -> (World, Places) {
    fund(World::new())
}

fn fund((mut w, p): (World, Places)) -> (World, Places) {
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 1_000_000 * USD as u64);
    }
    (w, p)
}

/// The buyer takes.
fn deal(size: i64, price: u64) -> FillArgs {
    FillArgs {
        instrument: instrument::PERP,
        seller_takes: 0,
        size: size.unsigned_abs(),
        price,
        expires_at: 0,
        contract: Contract::NONE,
    }
}

fn seller_takes(size: i64, price: u64) -> FillArgs {
    FillArgs { seller_takes: 1, ..deal(size, price) }
}

fn fill_as(w: &World, signers: [Address; 2], buyer: &Trader, seller: &Trader, args: FillArgs) -> Instruction {
    let market = w.places().sol.market;
    w.priced().fill(signers, &w.keyed(buyer), &w.keyed(seller), &market, args).unwrap()
}

/// A fill in SOL that both owners sign.
fn fill(w: &World, buyer: &Trader, seller: &Trader, args: FillArgs) -> Instruction {
    fill_as(w, [buyer.owner, seller.owner], buyer, seller, args)
}

fn btc_fill(w: &World, buyer: &Trader, seller: &Trader, args: FillArgs) -> Instruction {
    let market = w.places().btc.market;
    let (one, other) = (w.keyed(buyer), w.keyed(seller));
    w.priced().fill([buyer.owner, seller.owner], &one, &other, &market, args).unwrap()
}

/// 100 SOL at 125 USD are 12,500 USD; the taker's fee of 0.05 % is 6.25 USD, and the house has it.
#[test]
fn a_fill_moves_one_cost_between_two_accounts_and_the_fee_to_the_house() {
    let (mut w, p) = funded();
    let outcome = w.ok(fill(&w, &p.alice, &p.bob, deal(100 * SOL, SPOT)));
    let (cost, fee) = (12_500_000_000, 6_250_000);
    let expected = Filled {
        market: p.sol.market,
        buyer: p.alice.account,
        seller: p.bob.account,
        venue: Address::default(),
        size: 100 * SOL as u64,
        price: SPOT,
        cost,
        fee,
        seller_takes: 0,
        spot: SPOT,
        buyer_position: 100 * SOL,
        seller_position: -100 * SOL,
    };
    assert_eq!(outcome.event(), Event::Filled(expected));
    assert_eq!(w.position(&p.alice, &p.sol), (100 * SOL, -12_506_250_000));
    assert_eq!(w.position(&p.bob, &p.sol), (-100 * SOL, 12_500_000_000));
    let market = w.market(&p.sol);
    assert_eq!((market.house_size, market.house_cash), (0, fee as i64));
    assert_eq!((market.open_interest_long, market.open_interest_short), (100 * SOL as u64, 100 * SOL as u64));
    // Back, the other side taking: nothing but the fees is left of it.
    w.ok(fill(&w, &p.bob, &p.alice, seller_takes(100 * SOL, SPOT)));
    assert_eq!((w.position(&p.alice, &p.sol), w.position(&p.bob, &p.sol)), ((0, -12_500_000), (0, 0)));
    assert!(w.margin_account(&p.bob).market_slot(&p.sol.market).is_none());
    assert_eq!(w.market(&p.sol).open_interest_long, 0);
}

/// Three base units are worth 0.375 quote native.
#[test]
fn the_cost_is_rounded_against_the_taker() {
    let (mut w, p) = funded();
    w.ok(fill(&w, &p.alice, &p.bob, deal(3, SPOT)));
    assert_eq!((w.position(&p.alice, &p.sol), w.position(&p.bob, &p.sol)), ((3, -2), (-3, 1)));
    w.ok(fill(&w, &p.alice, &p.bob, seller_takes(3, SPOT)));
    assert_eq!((w.position(&p.alice, &p.sol), w.position(&p.bob, &p.sol)), ((6, -2), (-6, 0)));
}

#[test]
fn a_price_is_within_the_band_of_the_oracles_on_either_side() {
    let (mut w, p) = funded();
    w.refuses(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT + BAND + 1)), E::FillPriceBand);
    w.refuses(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT - BAND - 1)), E::FillPriceBand);
    w.refuses(fill(&w, &p.alice, &p.bob, deal(SOL, 0)), E::FillPriceBand);
    w.ok(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT + BAND)));
    w.ok(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT - BAND)));
}

#[test]
fn both_sign_for_themselves() {
    let (mut w, p) = funded();
    let (alice, bob, carol) = (p.alice.owner, p.bob.owner, p.carol.owner);
    for signers in [[carol, bob], [alice, carol], [bob, bob], [alice, alice]] {
        w.refuses(fill_as(&w, signers, &p.alice, &p.bob, deal(SOL, SPOT)), E::NotOwnerOrDelegate);
    }
    let set =
        account::SetDelegate { owner: bob, account: p.bob.account, delegate: alice, scope: delegate_scope::TRADE };
    w.ok(set.instruction());
    w.ok(fill_as(&w, [alice, alice], &p.alice, &p.bob, deal(SOL, SPOT)));
}

/// The house's half spread is 0.1 %. Who may trade but not withdraw, does not pay out through an accomplice.
#[test]
fn a_delegate_gives_no_more_away_than_by_trading_with_the_house() {
    let (mut w, p) = funded();
    let delegate = p.carol.owner;
    w.ok(account::SetDelegate {
        owner: p.alice.owner,
        account: p.alice.account,
        delegate,
        scope: delegate_scope::TRADE,
    }
    .instruction());
    let spread = SPOT / 1_000;
    let buys = |w: &World, price| fill_as(w, [delegate, p.bob.owner], &p.alice, &p.bob, deal(SOL, price));
    w.refuses(buys(&w, SPOT + spread + 1), E::DelegatePrice);
    w.ok(buys(&w, SPOT + spread));
    w.ok(buys(&w, SPOT - BAND));
    let sells = |w: &World, price| fill_as(w, [p.bob.owner, delegate], &p.bob, &p.alice, deal(SOL, price));
    w.refuses(sells(&w, SPOT - spread - 1), E::DelegatePrice);
    w.ok(sells(&w, SPOT - spread));
    w.ok(sells(&w, SPOT + BAND));
}

/// A delegate that may only reduce agrees to reductions, on the transaction and in an order.
#[test]
fn a_delegate_that_only_reduces_fills_reductions_only() {
    let (mut w, p) = with_orders();
    let (owner, delegate) = (p.alice.owner, p.carol.owner);
    let set = account::SetDelegate { owner, account: p.alice.account, delegate, scope: delegate_scope::REDUCE };
    w.ok(set.instruction());
    let fills = |w: &World, buyer: &Trader, seller: &Trader| {
        let signers = if buyer.owner == owner { [delegate, seller.owner] } else { [buyer.owner, delegate] };
        fill_as(w, signers, buyer, seller, deal(SOL, SPOT))
    };
    w.refuses(fills(&w, &p.alice, &p.bob), E::ReduceOnlyViolated);
    w.ok(fill(&w, &p.alice, &p.bob, deal(4 * SOL, SPOT)));
    w.refuses(fills(&w, &p.alice, &p.bob), E::ReduceOnlyViolated);
    w.ok(fills(&w, &p.bob, &p.alice));
    let (buy, sell) = (order(&w, &p.alice, SOL, SPOT), order(&w, &p.alice, -SOL, SPOT));
    let (bobs_sell, bobs_buy) = (order(&w, &p.bob, -SOL, SPOT), order(&w, &p.bob, SOL, SPOT));
    let ix = cross_as(&mut w, [delegate, p.bob.owner], &buy, &bobs_sell, SOL);
    w.refuses(ix, E::ReduceOnlyViolated);
    let ix = cross_as(&mut w, [delegate, p.bob.owner], &sell, &bobs_buy, SOL);
    w.ok(ix);
}

#[test]
fn what_is_no_deal_is_refused() {
    let (mut w, p) = funded();
    let with = |change: fn(&mut FillArgs)| {
        let mut args = deal(SOL, SPOT);
        change(&mut args);
        args
    };
    for unknown in [4, 5, 255] {
        let args = FillArgs { instrument: unknown, ..deal(SOL, SPOT) };
        w.refuses(fill(&w, &p.alice, &p.bob, args), E::UnsupportedInstrument);
    }
    w.refuses(fill(&w, &p.alice, &p.bob, with(|args| args.size = 0)), E::ZeroSize);
    w.refuses(fill(&w, &p.alice, &p.bob, with(|args| args.size = u64::MAX)), E::Overflow);
    w.refuses(fill(&w, &p.alice, &p.bob, with(|args| args.size = 1 << 63)), E::Overflow);
    let now = w.now();
    let until = |expires_at| FillArgs { expires_at, ..deal(SOL, SPOT) };
    w.refuses(fill(&w, &p.alice, &p.bob, until(now - 1)), E::OrderExpired);
    w.ok(fill(&w, &p.alice, &p.bob, until(now)));
}

#[test]
fn pauses_and_states_let_through_reductions_of_both() {
    let (mut w, p) = funded();
    w.ok(fill(&w, &p.alice, &p.bob, deal(10 * SOL, SPOT)));
    let (opens, closes) = (
        |w: &World| fill(w, &p.alice, &p.bob, deal(SOL, SPOT)),
        |w: &World| fill(w, &p.bob, &p.alice, deal(SOL, SPOT)),
    );
    // Alice reduces, Carol opens.
    w.deposit(&p.carol, &p.usdc, 1_000 * USD as u64);
    let half = |w: &World| fill(w, &p.carol, &p.alice, deal(SOL, SPOT));
    w.configure(|config| config.pauses = pause::OPEN);
    w.refuses(opens(&w), E::Paused);
    w.refuses(half(&w), E::Paused);
    w.ok(closes(&w));
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(closes(&w), E::Paused);
    w.configure(|config| config.pauses = 0);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(opens(&w), E::MarketReduceOnly);
    w.refuses(half(&w), E::MarketReduceOnly);
    w.ok(closes(&w));
    w.configure_market(&p.sol, |config| (config.state, config.perp_enabled) = (state::ACTIVE, 0));
    w.refuses(opens(&w), E::PerpDisabled);
    w.ok(closes(&w));
}

#[test]
fn a_fill_wants_a_fresh_and_narrow_price_of_its_own() {
    let (mut w, p) = funded();
    w.ok(fill(&w, &p.alice, &p.bob, deal(10 * SOL, SPOT)));
    let opens = |w: &World| fill(w, &p.alice, &p.bob, deal(SOL, SPOT));
    let good = w.price(125);
    w.publish(&p.sol, Price { confidence: 125 * PRICE_USD as u64 / 50 + 1, ..good });
    w.refuses(opens(&w), E::OracleTooWide);
    w.ok(fill(&w, &p.bob, &p.alice, deal(SOL, SPOT)));
    w.publish(&p.sol, good);
    w.pass(61);
    w.refuses(opens(&w), E::OracleStale);
    w.set_price(&p.sol, 125);
    let old = Price { publish_time: w.now() - 1, ..w.price(125) };
    w.publish(&p.sol, old);
    w.refuses(opens(&w), E::OracleOlderThanObservation);
    let next = w.price(125);
    w.publish(&p.sol, next);
    w.ok(opens(&w));
    assert_eq!(w.market(&p.sol).publish_time, w.now());
}

/// The house would carry 8,000 SOL; it is no party to a fill. Open interest is limited to 10,000 on each side.
#[test]
fn open_interest_is_limited_and_the_houses_budget_is_not_asked() {
    let (mut w, p) = funded();
    w.ok(fill(&w, &p.alice, &p.bob, deal(10_000 * SOL, SPOT)));
    w.refuses(fill(&w, &p.alice, &p.bob, deal(1, SPOT)), E::OpenInterestLimit);
    w.configure_market(&p.sol, |config| config.max_open_interest = 1);
    w.ok(fill(&w, &p.bob, &p.alice, deal(SOL, SPOT)));
}

#[test]
fn both_sides_have_their_initial_margin_afterwards() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 1_000_000 * USD as u64);
    w.deposit(&p.bob, &p.usdc, 2_500 * USD as u64);
    // Bob's 2,500 USD carry 100 SOL at 20 %, and not the fee on top.
    w.refuses(fill(&w, &p.bob, &p.alice, deal(100 * SOL, SPOT)), E::InsufficientMargin);
    w.refuses(fill(&w, &p.alice, &p.bob, seller_takes(100 * SOL, SPOT)), E::InsufficientMargin);
    // Nor a price that gives away what it stands on.
    w.refuses(fill(&w, &p.alice, &p.bob, deal(100 * SOL, SPOT - (1 << 20))), E::InsufficientMargin);
    w.ok(fill(&w, &p.alice, &p.bob, deal(100 * SOL, SPOT)));
    assert_eq!(w.margin(&p.bob).health_init().unwrap().raw(), 0);
}

/// Alice has 5,000 USD and 0.4 BTC, which fall from 60,000 to 58,000: 4,200 USD against 4,640 required. A reduction of 0.01
/// frees 116 USD of margin: at 2 % below the market she would give 11.60 USD away and be better off by her margin, and so
/// on until nothing is left for her creditors.
#[test]
fn an_account_without_its_margin_gives_nothing_away() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 5_000 * USD as u64);
    w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
    w.ok(btc_fill(&w, &p.alice, &p.bob, seller_takes(40 * BTC / 100, BTC_SPOT)));
    w.set_price(&p.btc, 58_000);
    assert_eq!(w.margin(&p.alice).health_init().unwrap().raw(), -440 * USD);
    let spot = 580 << 48;
    let part = BTC / 100;
    w.refuses(btc_fill(&w, &p.bob, &p.alice, deal(part, spot - spot / 50)), E::PoorPrice);
    w.refuses(btc_fill(&w, &p.bob, &p.alice, deal(part, spot - 1)), E::PoorPrice);
    w.refuses(btc_fill(&w, &p.alice, &p.bob, deal(1, spot)), E::InsufficientMargin);
    w.ok(btc_fill(&w, &p.bob, &p.alice, deal(part, spot)));
    w.ok(btc_fill(&w, &p.bob, &p.alice, deal(part, spot + 1)));
    // Bob has all he needs and may be generous.
    w.ok(btc_fill(&w, &p.bob, &p.alice, deal(part, spot + spot / 50)));
}

/// 100 SOL in deposit and 100 short need the haircut alone; closing the short opens the other leg.
#[test]
fn a_reduction_that_makes_a_poor_account_poorer_is_refused() {
    let (mut w, p) = funded();
    w.deposit(&p.carol, &p.sol, 100 * SOL as u64);
    w.ok(fill(&w, &p.alice, &p.carol, deal(100 * SOL, SPOT)));
    w.withdraw(&p.carol, &p.usdc, 10_700 * USD as u64);
    w.configure_bank(&p.sol, |config| *config = config.with_haircuts(300_000, 50_000));
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    w.refuses(fill(&w, &p.carol, &p.alice, seller_takes(SOL, SPOT)), E::InsufficientMargin);
}

/// Its margin is held to at the end of its liquidation, not here: what it gave away in between would be gone.
#[test]
fn an_account_amid_a_liquidation_without_capital_fills_nothing() {
    let (mut w, p) = funded();
    w.ok(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT)));
    for trader in [p.alice, p.bob] {
        w.edit::<MarginAccount>(&trader.account, |account| account.deferral = deferral::BEGUN);
        w.refuses(fill(&w, &p.alice, &p.bob, deal(SOL, SPOT)), E::LiquidationInProgress);
        w.refuses(fill(&w, &p.bob, &p.alice, deal(SOL, SPOT)), E::LiquidationInProgress);
        w.edit::<MarginAccount>(&trader.account, |account| account.deferral = deferral::NONE);
    }
}

#[test]
fn what_either_account_uses_must_be_listed() {
    let (mut w, p) = funded();
    w.deposit(&p.bob, &p.btc, BTC as u64);
    let whole = fill(&w, &p.alice, &p.bob, deal(SOL, SPOT));
    let without = |address: Address| {
        let mut ix = whole.clone();
        ix.accounts.retain(|meta| meta.pubkey != address);
        ix
    };
    w.refuses(without(p.usdc.bank), E::MissingBank);
    w.refuses(without(p.btc.bank), E::MissingBank);
    w.refuses(without(p.btc.market), E::MissingMarket);
    w.ok(without(p.btc.oracle));
}

// Signed orders.

/// Alice and Bob can have orders filled.
pub(crate) fn with_orders() -> (World, Places) {
    let (mut w, p) = funded();
    for trader in [p.alice, p.bob] {
        w.ok(venue::CreateOrders { payer: p.carol.owner, account: trader.account }.instruction());
    }
    (w, p)
}

/// An order in SOL for an hour, with nonce 7: positive sizes buy.
fn order(w: &World, trader: &Trader, size: i64, limit_price: u64) -> Order {
    let p = w.places();
    Order {
        exchange: p.exchange,
        account: trader.account,
        market: p.sol.market,
        venue: Address::default(),
        size,
        limit_price,
        nonce: 7,
        expires_at: w.now() + 3_600,
        instrument: instrument::PERP,
        contract: Contract::NONE,
        flags: 0,
    }
}

pub(crate) fn signed(w: &World, signer: Address, order: &Order) -> Instruction {
    venue::signed(&signer, order, |message| w.sign(&signer, message))
}

/// `fill_orders` of two orders, submitted by Carol, the maker's first, verified behind it.
fn cross_as(w: &mut World, signers: [Address; 2], maker: &Order, taker: &Order, size: i64) -> Instruction {
    let p = w.places();
    w.companions = vec![signed(w, signers[0], maker), signed(w, signers[1], taker)];
    cross_accounts(w, &p.alice, &p.bob, p.carol.owner, size)
}

fn cross_accounts(w: &World, maker: &Trader, taker: &Trader, submitter: Address, size: i64) -> Instruction {
    let market = w.places().sol.market;
    let args = FillOrdersArgs { size: size as u64, maker_instruction: COMPANION, taker_instruction: COMPANION + 1 };
    w.priced().fill_orders(submitter, &w.keyed(maker), &w.keyed(taker), true, &market, args).unwrap()
}

/// Alice rests, Bob takes.
fn cross(w: &mut World, maker: &Order, taker: &Order, size: i64) -> Instruction {
    let p = w.places();
    cross_as(w, [p.alice.owner, p.bob.owner], maker, taker, size)
}

/// Alice would buy 100 at 126, Bob sell 60 at 124: they trade at 126, the price that rested, and Bob pays the fee.
#[test]
fn two_signed_orders_trade_at_the_makers_price_whoever_submits_them() {
    let (mut w, p) = with_orders();
    let (above, below) = (SPOT / 125 * 126, SPOT / 125 * 124);
    let (buy, sell) = (order(&w, &p.alice, 100 * SOL, above), order(&w, &p.bob, -60 * SOL, below));
    let ix = cross(&mut w, &buy, &sell, 60 * SOL);
    let outcome = w.ok(ix);
    let filled = |trader: &Trader, size, filled: i64| {
        let filled = filled as u64;
        Event::OrderFilled(OrderFilled { account: trader.account, signer: trader.owner, nonce: 7, size, filled })
    };
    assert_eq!(outcome.events[..2], [filled(&p.alice, 100 * SOL, 60 * SOL), filled(&p.bob, -60 * SOL, 60 * SOL)]);
    let Event::Filled(event) = outcome.events[2] else { panic!("{outcome:?}") };
    assert_eq!((event.price, event.seller_takes, event.cost), (above, 1, 7_560_000_000 - 1));
    assert_eq!(w.position(&p.alice, &p.sol), (60 * SOL, -(event.cost as i64)));
    assert_eq!(w.position(&p.bob, &p.sol), (-60 * SOL, event.cost as i64 - 3_780_000));
    assert_eq!(w.market(&p.sol).house_cash, 3_780_000);
    // Bob's is used up; Alice's has 40 left.
    let again = cross(&mut w, &buy, &sell, 1);
    w.refuses(again, E::OrderOverfilled);
    let other = Order { nonce: 8, ..sell };
    let too_much = cross(&mut w, &buy, &other, 40 * SOL + 1);
    w.refuses(too_much, E::OrderOverfilled);
    let rest = cross(&mut w, &buy, &other, 40 * SOL);
    w.ok(rest);
    assert_eq!(w.position(&p.alice, &p.sol).0, 100 * SOL);
}

/// Bob takes Alice's order by his own signature on the transaction: he needs no order and no account of orders.
#[test]
fn a_signed_order_is_taken_by_a_signing_account() {
    let (mut w, p) = with_orders();
    let sell = order(&w, &p.alice, -10 * SOL, SPOT);
    w.companions = vec![signed(&w, p.alice.owner, &sell)];
    let args = FillOrdersArgs { size: 4 * SOL as u64, maker_instruction: COMPANION, taker_instruction: 0 };
    let take = |w: &World, who: Address, args| {
        let market = p.sol.market;
        w.priced().fill_orders(who, &w.keyed(&p.alice), &w.keyed(&p.bob), false, &market, args).unwrap()
    };
    w.refuses(take(&w, p.carol.owner, args), E::NotOwnerOrDelegate);
    w.ok(take(&w, p.bob.owner, args));
    assert_eq!((w.position(&p.alice, &p.sol).0, w.position(&p.bob, &p.sol).0), (-4 * SOL, 4 * SOL));
    w.refuses(take(&w, p.bob.owner, FillOrdersArgs { size: 0, ..args }), E::ZeroSize);
    w.refuses(take(&w, p.bob.owner, FillOrdersArgs { size: 6 * SOL as u64 + 1, ..args }), E::OrderOverfilled);
    w.refuses(take(&w, p.bob.owner, FillOrdersArgs { size: u64::MAX, ..args }), E::OrderOverfilled);
    // A delegate of the taker's takes under the delegate's rule: at the band's edge it would give too much.
    w.ok(account::SetDelegate {
        owner: p.bob.owner,
        account: p.bob.account,
        delegate: p.carol.owner,
        scope: delegate_scope::TRADE,
    }
    .instruction());
    w.companions = vec![signed(&w, p.alice.owner, &Order { limit_price: SPOT + BAND, nonce: 8, ..sell })];
    w.refuses(take(&w, p.carol.owner, args), E::DelegatePrice);
}

#[test]
fn an_order_lives_until_its_time_or_until_the_floor_rises() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 100 * SOL, SPOT), order(&w, &p.bob, -100 * SOL, SPOT));
    let now = w.now();
    for (expires_at, error) in [
        (0, E::OrderLifetime),
        (now + i64::from(limits::ORDER_SECONDS_MAX) + 1, E::OrderLifetime),
        (now - 1, E::OrderExpired),
        (-5, E::OrderExpired),
    ] {
        let ix = cross(&mut w, &Order { expires_at, ..buy }, &sell, SOL);
        w.refuses(ix, error);
        let ix = cross(&mut w, &buy, &Order { expires_at, ..sell }, SOL);
        w.refuses(ix, error);
    }
    let ix = cross(&mut w, &Order { expires_at: now, ..buy }, &sell, SOL);
    w.ok(ix);
    // One nonce is one order while it lives.
    let ix = cross(&mut w, &buy, &sell, SOL);
    w.refuses(ix, E::OrderNonceTaken);

    let cancel = |who: Address, floor| venue::CancelOrders { authority: who, account: p.bob.account, floor };
    w.companions = vec![];
    w.refuses(cancel(p.carol.owner, 8).instruction(), E::NotOwnerOrDelegate);
    w.refuses(cancel(p.bob.owner, 0).instruction(), E::FloorNotRaised);
    let outcome = w.ok(cancel(p.bob.owner, 7).instruction());
    let expected = OrdersCancelled { account: p.bob.account, authority: p.bob.owner, floor: 7 };
    assert_eq!(outcome.event(), Event::OrdersCancelled(expected));
    w.refuses(cancel(p.bob.owner, 7).instruction(), E::FloorNotRaised);
    let fresh = Order { nonce: 9, ..buy };
    let ix = cross(&mut w, &fresh, &sell, SOL);
    w.ok(ix);
    w.companions = vec![];
    w.ok(account::SetDelegate {
        owner: p.bob.owner,
        account: p.bob.account,
        delegate: p.carol.owner,
        scope: delegate_scope::TRADE,
    }
    .instruction());
    w.ok(cancel(p.carol.owner, 8).instruction());
    let ix = cross(&mut w, &fresh, &sell, SOL);
    w.refuses(ix, E::OrderCancelled);
    let ix = cross(&mut w, &fresh, &Order { nonce: 8, ..sell }, SOL);
    w.ok(ix);
}

#[test]
fn an_order_is_for_one_exchange_account_market_and_signer() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    for (changed, error) in [
        (Order { exchange: p.other.exchange, ..buy }, E::OrderWrongExchange),
        (Order { account: p.bob.account, ..buy }, E::OrderWrongAccount),
        (Order { account: p.other.alice.account, ..buy }, E::OrderWrongAccount),
        (Order { market: p.btc.market, ..buy }, E::OrderWrongMarket),
        (Order { venue: p.mallory, ..buy }, E::OrderWrongVenue),
        (Order { size: 0, ..buy }, E::ZeroSize),
        (Order { flags: 4, ..buy }, E::OrderMalformed),
        (Order { instrument: instrument::CALL, ..buy }, E::OrdersNotCrossing),
        (Order { instrument: instrument::SPOT, ..buy }, E::OrderWrongMarket),
    ] {
        let ix = cross(&mut w, &changed, &sell, SOL);
        w.refuses(ix, error);
    }
    let others = Order { exchange: p.other.exchange, ..sell };
    let ix = cross(&mut w, &buy, &others, SOL);
    w.refuses(ix, E::OrderWrongExchange);
    // Another's key, whosever it is.
    for signers in [[p.bob.owner, p.bob.owner], [p.alice.owner, p.alice.owner], [p.mallory, p.bob.owner]] {
        let ix = cross_as(&mut w, signers, &buy, &sell, SOL);
        w.refuses(ix, E::NotOwnerOrDelegate);
    }
    let unknown = [buy, sell].map(|order| Order { instrument: instrument::SPOT + 1, ..order });
    let ix = cross(&mut w, &unknown[0], &unknown[1], SOL);
    w.refuses(ix, E::UnsupportedInstrument);
    // The venue that an order names submits it.
    let ours = Order { venue: p.carol.owner, ..buy };
    let ix = cross(&mut w, &ours, &sell, SOL);
    w.ok(ix);
    let ix = cross_accounts(&w, &p.alice, &p.bob, p.mallory, SOL);
    w.refuses(ix, E::OrderWrongVenue);
}

/// A delegate signs orders as long as it is the delegate.
#[test]
fn a_former_delegates_orders_are_void() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    let set = |delegate| {
        account::SetDelegate { owner: p.alice.owner, account: p.alice.account, delegate, scope: delegate_scope::TRADE }
            .instruction()
    };
    w.ok(set(p.mallory));
    let ix = cross_as(&mut w, [p.mallory, p.bob.owner], &buy, &sell, SOL);
    w.ok(&ix);
    // At a price that its own would not let it give: the market has moved under its resting order.
    let dear = Order { limit_price: SPOT + SPOT / 500, nonce: 8, ..buy };
    let ix_dear = cross_as(&mut w, [p.mallory, p.bob.owner], &dear, &sell, SOL);
    w.refuses(ix_dear, E::DelegatePrice);
    w.companions = vec![];
    w.ok(set(Address::default()));
    let ix = cross_as(&mut w, [p.mallory, p.bob.owner], &buy, &sell, SOL);
    w.refuses(ix, E::NotOwnerOrDelegate);
}

/// Zero is a point of the curve, and "no delegate": nobody signs in its name. Whether the runtime lets such a signature
/// pass is not relied on.
#[test]
fn the_zero_key_is_nobodys_delegate() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    let ix = cross(&mut w, &buy, &sell, SOL);
    let forged = venue::verify(&Address::default(), &[0; 64], &buy);
    w.companions[0] = forged;
    w.refuses(ix, E::NotOwnerOrDelegate);
}

/// What was signed is what is filled: a changed bit fails the transaction in the native program, wherever it stands in it.
#[test]
fn a_tampered_order_fails_the_transaction() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    let ix = cross(&mut w, &buy, &sell, SOL);
    let honest = w.companions.clone();
    // The signature, and in the order size, price, nonce and expiry, each by a bit that keeps it fillable.
    for at in [50, 100, 112 + 180, 112 + 184, 112 + 192, 112 + 201] {
        w.companions = honest.clone();
        w.companions[0].data[at] ^= 1;
        let before = w.bytes();
        let (result, logs) = w.send(&ix);
        assert!(
            matches!(result, Err(TransactionError::InstructionError(2, I::Custom(_)))),
            "byte {at}: {result:?} {logs:#?}"
        );
        let after = w.bytes();
        assert!(before.iter().all(|(address, account)| after[address] == *account));
    }
    w.companions = honest;
    w.ok(ix);
}

/// What the native program verified may be anywhere: offsets that point elsewhere prove nothing about these bytes.
#[test]
fn a_verification_that_points_elsewhere_proves_nothing() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    let ix = cross(&mut w, &buy, &sell, SOL);
    let honest = w.companions.clone();
    // Mallory's own signature of her own message stands in a third instruction, and all offsets point there; in the place
    // of key and order stands what Alice never signed.
    let hers = Order { account: p.mallory, ..buy };
    let mut forged = venue::verify(&p.alice.owner, &[0; 64], &buy);
    for index in [2 + 2, 2 + 6, 2 + 12] {
        forged.data[index..index + 2].copy_from_slice(&4u16.to_le_bytes());
    }
    w.companions = vec![forged, honest[1].clone(), signed(&w, p.mallory, &hers)];
    w.refuses(&ix, E::OrderSignatureMalformed);
    // Two signatures, none, another place for the message, bytes behind it.
    let bend = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bent = honest.clone();
        change(&mut bent[0].data);
        bent
    };
    for (at, value) in [(0, 2), (0, 0), (10, 113), (12, 215)] {
        w.companions = bend(&|data| data[at] = value);
        w.refuses(&ix, E::OrderSignatureMalformed);
    }
    for length in [0, 15, 40, VERIFICATION_LEN - 1, VERIFICATION_LEN + 1] {
        w.companions = bend(&|data| data.resize(length, 0));
        w.refuses(&ix, E::OrderSignatureMalformed);
    }
    // No verification at all: the compute budget's instruction, this very one, and none.
    for index in [0, 1, 4, 255] {
        w.companions = honest.clone();
        let market = p.sol.market;
        let args = FillOrdersArgs { size: 1, maker_instruction: index, taker_instruction: COMPANION + 1 };
        let keyed = (w.keyed(&p.alice), w.keyed(&p.bob));
        let missing = w.priced().fill_orders(p.carol.owner, &keyed.0, &keyed.1, true, &market, args).unwrap();
        w.refuses(missing, E::OrderSignatureMissing);
    }
    w.ok(ix);
}

#[test]
fn orders_that_do_not_meet_are_not_filled() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    for (maker, taker, error) in [
        (buy, Order { limit_price: SPOT + 1, ..sell }, E::OrdersNotCrossing),
        (buy, Order { size: 10 * SOL, ..sell }, E::OrdersNotCrossing),
        (Order { size: -10 * SOL, ..buy }, sell, E::OrdersNotCrossing),
        (Order { size: -SOL, ..buy }, Order { size: SOL, limit_price: SPOT - 1, ..sell }, E::OrdersNotCrossing),
        (buy, Order { flags: MAKER_ONLY, ..sell }, E::OrderMakerOnly),
        (Order { flags: REDUCE_ONLY, ..buy }, sell, E::ReduceOnlyViolated),
        (buy, Order { flags: REDUCE_ONLY, ..sell }, E::ReduceOnlyViolated),
        (Order { limit_price: SPOT + BAND + 1, ..buy }, sell, E::FillPriceBand),
        (Order { size: i64::MIN, limit_price: 0, ..buy }, Order { size: 10 * SOL, ..sell }, E::FillPriceBand),
    ] {
        let ix = cross(&mut w, &maker, &taker, SOL);
        w.refuses(ix, error);
    }
    let maker = Order { flags: MAKER_ONLY, ..buy };
    let ix = cross(&mut w, &maker, &sell, 10 * SOL);
    w.ok(ix);
    let back = Order { size: -10 * SOL, flags: REDUCE_ONLY | MAKER_ONLY, nonce: 8, ..buy };
    let ix = cross(&mut w, &back, &Order { size: 10 * SOL, flags: REDUCE_ONLY, nonce: 8, ..sell }, 10 * SOL);
    w.ok(ix);
}

/// Thirty-two orders that have filled something fill the window. One that has expired, or is below the floor, makes room.
#[test]
fn the_window_of_orders_is_bounded() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    let until = w.now() + 100;
    w.edit::<Orders>(&address::orders(&p.alice.account), |orders| {
        for (index, slot) in orders.slots.iter_mut().enumerate() {
            (slot.nonce, slot.filled, slot.expires_at) = (100 + index as u64, 1, until + index as i64);
        }
        assert_eq!(orders.slots.len(), MAX_ORDERS);
    });
    let ix = cross(&mut w, &buy, &sell, SOL);
    w.refuses(ix, E::TooManyOrders);
    w.pass(60);
    w.set_price(&p.sol, 125);
    let known = Order { nonce: 101, expires_at: until + 1, ..buy };
    let ix = cross(&mut w, &known, &sell, SOL);
    w.ok(ix);
    w.companions = vec![];
    w.pass(41);
    w.set_price(&p.sol, 125);
    let ix = cross(&mut w, &buy, &sell, SOL);
    w.ok(ix);
    // The expired order's slot is taken; the order itself stays dead.
    let dead = Order { nonce: 100, expires_at: until, ..buy };
    let ix = cross(&mut w, &dead, &sell, SOL);
    w.refuses(ix, E::OrderExpired);
    let another = Order { nonce: 200, ..buy };
    let ix = cross(&mut w, &another, &sell, SOL);
    w.refuses(&ix, E::TooManyOrders);
    let companions = std::mem::take(&mut w.companions);
    w.ok(venue::CancelOrders { authority: p.alice.owner, account: p.alice.account, floor: 103 }.instruction());
    w.companions = companions;
    w.ok(ix);
}

/// A floor outlives the margin account: the orders of one that is closed and opened anew stay cancelled.
#[test]
fn cancelled_orders_stay_cancelled_when_the_account_is_opened_anew() {
    let (mut w, p) = with_orders();
    let (buy, sell) = (order(&w, &p.alice, 10 * SOL, SPOT), order(&w, &p.bob, -10 * SOL, SPOT));
    w.ok(venue::CancelOrders { authority: p.alice.owner, account: p.alice.account, floor: 50 }.instruction());
    w.withdraw(&p.alice, &p.usdc, u64::MAX);
    w.ok(account::Close { owner: p.alice.owner, account: p.alice.account }.instruction());
    let (payer, owner) = (p.alice.owner, p.alice.owner);
    w.ok(account::Create { payer, owner, exchange: p.exchange, index: 0 }.instruction());
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    let ix = cross(&mut w, &buy, &sell, SOL);
    w.refuses(ix, E::OrderCancelled);
}

// Venues.

/// Up to 100,000 USD a fill, 150,000 USD an hour, 400,000 USD ever.
pub(crate) fn venue_config() -> VenueConfig {
    VenueConfig {
        fill_limit: 100_000 * USD as u64,
        window_limit: 150_000 * USD as u64,
        total_limit: 400_000 * USD as u64,
        window_seconds: 3_600,
        state: venue_state::ACTIVE,
        _padding: [0; 3],
    }
}

const QUOTE: Address = Address::new_from_array([b'q'; 32]);

/// The example of a venue is registered and approved by Alice and Bob without limit.
pub(crate) fn with_venue() -> (World, Places) {
    let (mut w, p) = fund(World::with_venue());
    let args = VenueArgs { config: venue_config() };
    let (admin, exchange, program) = (p.admin, p.exchange, VENUE_PROGRAM);
    w.ok(venue::Register { admin, exchange, program, args }.instruction());
    for trader in [p.alice, p.bob] {
        w.ok(approval(&p, &trader, u64::MAX));
    }
    let mut quote = raw::account(VENUE_PROGRAM, vec![0; 96]);
    quote.lamports = raw::RENT;
    w.set_account(QUOTE, quote);
    (w, p)
}

pub(crate) fn approval(p: &Places, trader: &Trader, limit: u64) -> Instruction {
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    venue::SetApproval { owner: trader.owner, account: trader.account, venue, limit }.instruction()
}

/// Leaves a quote in SOL with the example's desk.
fn quote(w: &World, maker: &Trader, size: i64, price: u64) -> Instruction {
    quote_of(w, maker, w.places().sol.market, [0; 8], size, price)
}

/// The same of a market or bank, with the instrument and its terms.
pub(crate) fn quote_of(
    w: &World,
    maker: &Trader,
    market: Address,
    terms: [u8; 8],
    size: i64,
    price: u64,
) -> Instruction {
    let mut data = vec![0];
    data.extend(size.to_le_bytes());
    data.extend(price.to_le_bytes());
    data.extend((w.now() + 60).to_le_bytes());
    data.extend(terms);
    let accounts = vec![
        AccountMeta::new_readonly(maker.owner, true),
        AccountMeta::new_readonly(maker.account, false),
        AccountMeta::new_readonly(market, false),
        AccountMeta::new(QUOTE, false),
    ];
    Instruction { program_id: VENUE_PROGRAM, accounts, data }
}

/// Takes a part of the desk's quote: `buyer` and `seller` as the quote's sign says.
fn take(w: &World, taker: &Trader, buyer: &Trader, seller: &Trader, size: i64) -> Instruction {
    let market = w.places().sol.market;
    take_of(w, taker, [buyer, seller], venue::Traded::Perpetual(market), size)
}

/// The same of whatever is traded.
pub(crate) fn take_of(
    w: &World,
    taker: &Trader,
    [buyer, seller]: [&Trader; 2],
    traded: venue::Traded,
    size: i64,
) -> Instruction {
    let clearing = w.priced().venue_fill(VENUE_PROGRAM, &w.keyed(buyer), &w.keyed(seller), traded, deal(1, 1)).unwrap();
    let mut data = vec![1];
    data.extend(size.to_le_bytes());
    data.push(Address::find_program_address(&[address::VENUE_SIGNER], &VENUE_PROGRAM).1);
    let mut accounts = vec![
        AccountMeta::new_readonly(taker.owner, true),
        AccountMeta::new(QUOTE, false),
        AccountMeta::new_readonly(ID, false),
    ];
    // The desk signs for itself, in its call.
    let clearing = clearing.accounts.into_iter().map(|meta| AccountMeta { is_signer: false, ..meta });
    accounts.extend(clearing.enumerate().map(|(index, meta)| match index {
        0 => AccountMeta::new_readonly(meta.pubkey, false),
        _ => meta,
    }));
    Instruction { program_id: VENUE_PROGRAM, accounts, data }
}

/// Bob quotes to sell 200 SOL at 125.5; Alice takes 100 through the desk's own program: 12,550 USD, the fee of 6.275 hers.
#[test]
fn a_venues_program_clears_here() {
    let (mut w, p) = with_venue();
    let price = SPOT / 250 * 251;
    w.ok(quote(&w, &p.bob, -200 * SOL, price));
    let outcome = w.ok(take(&w, &p.alice, &p.alice, &p.bob, 100 * SOL));
    let Event::Filled(filled) = outcome.event() else { panic!("{outcome:?}") };
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    assert_eq!((filled.venue, filled.seller_takes, filled.price), (venue, 0, price));
    let cost = filled.cost as i64;
    assert!((12_549_999_990..=12_550_000_000).contains(&cost), "{cost}");
    assert_eq!(w.position(&p.bob, &p.sol), (-100 * SOL, cost));
    assert_eq!(w.position(&p.alice, &p.sol), (100 * SOL, -cost - 6_275_000));
    let counted = w.read::<Venue>(&venue);
    assert_eq!((counted.window_notional, counted.total_notional), (filled.cost, filled.cost));
    assert_eq!(w.margin_account(&p.alice).venues[0].used, filled.cost);
    // The desk's own rules: not another's account, not more than was quoted.
    w.refuses(take(&w, &p.carol, &p.alice, &p.bob, SOL), I::Custom(1));
    w.refuses(take(&w, &p.alice, &p.alice, &p.bob, 100 * SOL + 1), I::Custom(3));
    w.refuses(take(&w, &p.bob, &p.bob, &p.alice, SOL), I::Custom(4));
    w.refuses(quote(&w, &p.alice, SOL, SPOT), I::Custom(2));
    w.pass(61);
    w.set_price(&p.sol, 125);
    w.refuses(take(&w, &p.alice, &p.alice, &p.bob, SOL), E::OrderExpired);
}

/// The venue is trusted with the price inside the band, and with nothing else.
#[test]
fn a_venue_is_held_to_band_margin_and_states() {
    let (mut w, p) = with_venue();
    for price in [SPOT + BAND + 1, SPOT - BAND - 1] {
        w.ok(quote(&w, &p.bob, -200 * SOL, price));
        w.refuses(take(&w, &p.alice, &p.alice, &p.bob, SOL), E::FillPriceBand);
    }
    w.ok(quote(&w, &p.bob, -200 * SOL, SPOT));
    w.withdraw(&p.alice, &p.usdc, 999_990 * USD as u64);
    w.refuses(take(&w, &p.alice, &p.alice, &p.bob, SOL), E::InsufficientMargin);
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(take(&w, &p.alice, &p.alice, &p.bob, SOL), E::Paused);
}

/// 12,500 USD are 100 SOL.
#[test]
fn a_venue_is_held_to_its_limits() {
    let (mut w, p) = with_venue();
    w.ok(quote(&w, &p.bob, -9_000 * SOL, SPOT));
    let takes = |w: &World, size| take(w, &p.alice, &p.alice, &p.bob, size);
    w.refuses(takes(&w, 800 * SOL + 8), E::VenueLimit);
    w.ok(takes(&w, 800 * SOL));
    w.refuses(takes(&w, 400 * SOL + 8), E::VenueLimit);
    w.ok(takes(&w, 400 * SOL));
    w.refuses(takes(&w, 8), E::VenueLimit);
    for _ in 0..2 {
        w.pass(3_600);
        w.set_price(&p.sol, 125);
        w.ok(quote(&w, &p.bob, -9_000 * SOL, SPOT));
        w.ok(takes(&w, 800 * SOL));
    }
    // 350,000 USD so far.
    w.refuses(takes(&w, 400 * SOL + 8), E::VenueLimit);
    w.ok(takes(&w, 400 * SOL));
    w.pass(3_600);
    w.set_price(&p.sol, 125);
    w.ok(quote(&w, &p.bob, -9_000 * SOL, SPOT));
    w.refuses(takes(&w, 8), E::VenueLimit);
    let configure = |config| {
        let args = VenueArgs { config };
        venue::Configure { admin: p.admin, exchange: p.exchange, program: VENUE_PROGRAM, args }.instruction()
    };
    w.ok(configure(VenueConfig { total_limit: u64::MAX, ..venue_config() }));
    w.ok(takes(&w, SOL));
    w.ok(configure(VenueConfig { state: venue_state::SUSPENDED, ..venue_config() }));
    w.refuses(takes(&w, SOL), E::VenueSuspended);
}

#[test]
fn an_account_leaves_a_venue_at_once_and_limits_what_it_may_do() {
    let (mut w, p) = with_venue();
    w.ok(quote(&w, &p.bob, -9_000 * SOL, SPOT));
    let takes = |w: &World, size| take(w, &p.alice, &p.alice, &p.bob, size);
    let outcome = w.ok(approval(&p, &p.alice, 12_500 * USD as u64));
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    let expected = VenueApproved { account: p.alice.account, venue, limit: 12_500 * USD as u64 };
    assert_eq!(outcome.event(), Event::VenueApproved(expected));
    w.refuses(takes(&w, 100 * SOL + 8), E::VenueAllowance);
    w.ok(takes(&w, 60 * SOL));
    w.refuses(takes(&w, 40 * SOL + 8), E::VenueAllowance);
    w.ok(takes(&w, 40 * SOL));
    w.refuses(takes(&w, 1), E::VenueAllowance);
    // Anew, it starts from nothing.
    w.ok(approval(&p, &p.alice, 12_500 * USD as u64));
    w.ok(takes(&w, 100 * SOL));
    // The other side's word counts as much.
    let config = VenueConfig { state: venue_state::SUSPENDED, ..venue_config() };
    let args = VenueArgs { config };
    let (admin, exchange, program) = (p.admin, p.exchange, VENUE_PROGRAM);
    w.ok(venue::Configure { admin, exchange, program, args }.instruction());
    w.ok(approval(&p, &p.bob, 0));
    w.ok(venue::Configure { admin, exchange, program, args: VenueArgs { config: venue_config() } }.instruction());
    w.ok(approval(&p, &p.alice, u64::MAX));
    w.refuses(takes(&w, 1), E::VenueNotApproved);
    w.refuses(approval(&p, &p.bob, 0), E::VenueNotApproved);
    assert_eq!(bytemuck::bytes_of(&w.margin_account(&p.bob).venues), &[0; 192]);
}

#[test]
fn an_account_approves_four_venues_at_most() {
    let (mut w, p) = with_venue();
    w.edit::<MarginAccount>(&p.carol.account, |account| {
        for number in 0..MAX_VENUES as u8 {
            account.approve_venue(&Address::new_from_array([number + 1; 32]), 5).unwrap();
        }
    });
    w.refuses(approval(&p, &p.carol, 1), E::TooManyVenues);
    w.edit::<MarginAccount>(&p.carol.account, |account| {
        account.approve_venue(&Address::new_from_array([2; 32]), 0).unwrap();
    });
    w.ok(approval(&p, &p.carol, 1));
    let (owner, account) = (p.carol.owner, p.carol.account);
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    let by = venue::SetApproval { owner: p.bob.owner, account, venue, limit: 1 };
    w.refuses(by.instruction(), E::NotOwner);
    w.ok(account::SetDelegate { owner, account, delegate: p.bob.owner, scope: delegate_scope::TRADE }.instruction());
    w.refuses(by.instruction(), E::NotOwner);
    let elsewhere = p.other.alice;
    let foreign = venue::SetApproval { owner: elsewhere.owner, account: elsewhere.account, venue, limit: 1 };
    w.refuses(foreign.instruction(), E::WrongExchange);
}

#[test]
fn a_venue_is_registered_by_the_admin_and_is_a_program() {
    let (mut w, p) = with_venue();
    let venue = w.read::<Venue>(&address::venue(&p.exchange, &VENUE_PROGRAM));
    assert_eq!((venue.program, venue.signer), (VENUE_PROGRAM, address::venue_signer(&VENUE_PROGRAM)));
    assert_eq!((venue.exchange, venue.config), (p.exchange, venue_config()));
    let (admin, exchange) = (p.admin, p.exchange);
    let register =
        |admin, program, config| venue::Register { admin, exchange, program, args: VenueArgs { config } }.instruction();
    w.refuses(register(p.mallory, ID, venue_config()), E::NotAdmin);
    w.refuses(register(admin, p.alice.owner, venue_config()), E::NotAProgram);
    let good = venue_config();
    for config in [
        VenueConfig { window_seconds: 0, ..good },
        VenueConfig { window_seconds: limits::VENUE_WINDOW_SECONDS_MAX + 1, ..good },
        VenueConfig { state: venue_state::LAST + 1, ..good },
        VenueConfig { _padding: [0, 0, 1], ..good },
    ] {
        w.refuses(register(admin, ID, config), E::InvalidVenueParameters);
        let args = VenueArgs { config };
        let configure = venue::Configure { admin, exchange, program: VENUE_PROGRAM, args };
        w.refuses(configure.instruction(), E::InvalidVenueParameters);
    }
    w.ok(register(admin, ID, good));
}

/// Nobody but the venue's program signs with the venue's address; another registered venue signs with its own.
#[test]
fn nobody_else_fills_in_a_venues_name() {
    let (mut w, p) = with_venue();
    let market = p.sol.market;
    let (alice, bob) = (w.keyed(&p.alice), w.keyed(&p.bob));
    let mut ix = w.priced().venue_fill(VENUE_PROGRAM, &alice, &bob, &market, deal(SOL, SPOT)).unwrap();
    ix.accounts[0].is_signer = false;
    w.refuses(&ix, I::MissingRequiredSignature);
    ix.accounts[0] = AccountMeta::new_readonly(p.mallory, true);
    w.refuses(&ix, E::NotVenueSigner);
}

/// What a venue can lose an account that trusts it, it is told beforehand: the band of what the account allows it.
#[test]
fn a_venue_that_turns_on_an_account_takes_the_band_of_its_allowance_at_most() {
    let (mut w, p) = with_venue();
    let allowance = 100_000 * USD;
    w.ok(approval(&p, &p.alice, allowance as u64));
    let before = w.margin(&p.alice).equity_init.raw();
    let mut filled = 0;
    // Buys dear from the accomplice and sells cheap to it, until the allowance is spent.
    for round in 0..20 {
        let size = 39 * SOL;
        let (price, sign) = if round % 2 == 0 { (SPOT + BAND, -1) } else { (SPOT - BAND, 1) };
        w.ok(quote(&w, &p.bob, sign * size, price));
        let (buyer, seller) = if sign < 0 { (p.alice, p.bob) } else { (p.bob, p.alice) };
        let ix = take(&w, &p.alice, &buyer, &seller, size);
        if w.margin_account(&p.alice).venues[0].used + 5_200 * USD as u64 > allowance as u64 {
            w.refuses(ix, E::VenueAllowance);
            break;
        }
        filled += 1;
        w.ok(ix);
    }
    assert!(filled > 15, "{filled}");
    let lost = before - w.margin(&p.alice).equity_init.raw();
    // The band of 5 % is of the oracle's price; of what is bought at the dear end and sold at the cheap one it is up to
    // 5.27 %; the fee is 0.05 %.
    assert!(lost <= allowance / 10_000 * 532, "{lost}");
}
