//! Fills of options and spot. What they share with those of perpetuals is in `venue.rs`.

use plimsoll_client::{
    event::{Event, OptionFilled, OptionTraded, SpotFilled},
    instruction::{
        account,
        venue::{Traded, contract_of},
    },
};
use plimsoll_e2e_tests::{
    E, I, Outcome, Trader, World,
    chain::{COMPANION, VENUE_PROGRAM},
    world::{BTC, Places, SOL, USD, strike, strikes},
};
use plimsoll_interface::{
    Address,
    accounts::{Board, MAX_BOARDS, MAX_OPTIONS, MarginAccount, Orders, Venue, board_state, deferral, delegate_scope},
    address,
    config::{pause, state},
    instruction::{Contract, FillArgs, FillOrdersArgs, StrikePrice, instrument},
    order::{Order, REDUCE_ONLY},
};
use plimsoll_risk::interest;
use solana_instruction::Instruction;

use crate::{
    staking::staked,
    venue::{approval, quote_of, signed, take_of, with_orders, with_venue},
};

/// 125 USD a SOL: 0.125 quote native a base unit.
const SPOT: u64 = 1 << 45;
/// 5 % of that: the market's band.
const BAND: u64 = SPOT / 20;
/// 15.625 USD a SOL: 1.38 above what a call at 125 is worth.
const PREMIUM: u64 = 1 << 42;
/// A dollar a SOL, to a part in 10^11.
const DOLLAR: u64 = SPOT / 125;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// The call and the put of strike 125.
const CALL: u8 = 2;
const PUT: u8 = 3;

/// SOL has options: a board of 30 days with strikes at 100, 125 and 150, in lots of one SOL, at a volatility of 100 %.
fn list((mut w, p): (World, Places)) -> (World, Places) {
    w.enable_options(&p.sol, SOL);
    w.board(&p.sol, 30, &[100, 125, 150]);
    (w, p)
}

fn listed() -> (World, Places) {
    let (mut w, p) = list(World::new());
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 1_000_000 * USD as u64);
    }
    (w, p)
}

fn board(p: &Places) -> Address {
    address::board(&p.sol.market, 0)
}

/// The terms of the strike at 125.
fn contract(w: &World) -> Contract {
    let board = w.board_of(&w.places().sol, 0);
    Contract { expiry_day: Contract::day_of(board.expiry).unwrap(), strike: strike(125) }
}

/// Lots of the call at 125, the buyer takes.
fn calls(w: &World, lots: u64, price: u64) -> FillArgs {
    let contract = contract(w);
    FillArgs { instrument: instrument::CALL, seller_takes: 0, size: lots, price, expires_at: 0, contract }
}

fn puts(w: &World, lots: u64, price: u64) -> FillArgs {
    FillArgs { instrument: instrument::PUT, ..calls(w, lots, price) }
}

fn fill_as(w: &World, signers: [Address; 2], sides: [&Trader; 2], traded: Traded, args: FillArgs) -> Instruction {
    let [buyer, seller] = sides.map(|trader| w.keyed(trader));
    w.priced().fill(signers, &buyer, &seller, traded, args).unwrap()
}

/// A fill of options that both owners sign.
fn fill(w: &World, buyer: &Trader, seller: &Trader, args: FillArgs) -> Instruction {
    fill_as(w, [buyer.owner, seller.owner], [buyer, seller], Traded::Option(board(&w.places())), args)
}

fn option_event(outcome: &Outcome) -> OptionFilled {
    match outcome.events.last() {
        Some(Event::OptionFilled(event)) => *event,
        other => panic!("{other:?}"),
    }
}

/// Ten calls at 15.625 are 156.25 USD; the fee of 0.03 % of 1,250 USD is the house's. Black-76 is what the house would have
/// traded around.
#[test]
fn a_fill_moves_lots_and_premium_and_leaves_the_house_its_fee() {
    let (mut w, p) = listed();
    let outcome = w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 10, PREMIUM)));
    let Event::OptionTraded(OptionTraded { mid_price, .. }) =
        listed().0.open_option(&p.alice, &p.sol, 0, CALL, 1).event()
    else {
        panic!("no trade")
    };
    let (cost, fee) = (156_250_000, 375_000);
    let expected = OptionFilled {
        market: p.sol.market,
        board: board(&p),
        buyer: p.alice.account,
        seller: p.bob.account,
        venue: Address::default(),
        series: u64::from(CALL),
        lots: 10,
        price: PREMIUM,
        cost,
        fee,
        seller_takes: 0,
        mark: mid_price,
        spot: SPOT,
        buyer_lots: 10,
        seller_lots: -10,
    };
    assert_eq!(option_event(&outcome), expected);
    assert_eq!(w.position(&p.alice, &p.sol), (0, -156_625_000));
    assert_eq!(w.position(&p.bob, &p.sol), (0, 156_250_000));
    let lots = |w: &World, trader| w.option_lots(trader, &p.sol, 0, CALL);
    assert_eq!((lots(&w, &p.alice), lots(&w, &p.bob)), (10, -10));
    let (market, board) = (w.market(&p.sol), w.board_of(&p.sol, 0));
    assert_eq!((market.house_cash, market.house_boards[0].valid_until), (375_000, 0));
    assert_eq!((board.house_lots[2], board.long_lots[2]), (0, 10));
    // A part of it back, then the rest, the other side taking: nothing but the fees is left.
    w.ok(fill(&w, &p.bob, &p.alice, calls(&w, 4, PREMIUM)));
    assert_eq!((lots(&w, &p.alice), lots(&w, &p.bob), w.board_of(&p.sol, 0).long_lots[2]), (6, -6, 6));
    w.ok(fill(&w, &p.bob, &p.alice, FillArgs { seller_takes: 1, ..calls(&w, 6, PREMIUM) }));
    // Bob took four: 0.15 USD. Alice took ten and six.
    assert_eq!((w.position(&p.bob, &p.sol), w.position(&p.alice, &p.sol)), ((0, -150_000), (0, -600_000)));
    assert!(w.margin_account(&p.alice).boards.iter().all(|slot| slot.in_use == 0));
    assert_eq!(w.board_of(&p.sol, 0).long_lots[2], 0);
}

/// One raw unit above 2^-6 a base unit is 36 millionths on ten SOL.
#[test]
fn the_premium_is_rounded_against_the_taker() {
    let (mut w, p) = listed();
    let outcome = w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 10, PREMIUM + 1)));
    assert_eq!(option_event(&outcome).cost, 156_250_001);
    let outcome = w.ok(fill(&w, &p.alice, &p.bob, FillArgs { seller_takes: 1, ..calls(&w, 10, PREMIUM + 1) }));
    assert_eq!(option_event(&outcome).cost, 156_250_000);
}

/// Far out of the money the eighth of the premium is less than 0.03 % of the notional.
#[test]
fn the_fee_is_an_eighth_of_the_premium_at_most() {
    let (mut w, p) = listed();
    let contract = Contract { strike: strike(100), ..contract(&w) };
    let far = |w: &World, price| FillArgs { contract, ..puts(w, 10, price) };
    let outcome = w.ok(fill(&w, &p.alice, &p.bob, far(&w, SPOT / 1_000)));
    let event = option_event(&outcome);
    assert_eq!((event.series, event.cost, event.fee), (u64::from(PUT) - 2, 1_250_000, 156_250));
    // For nothing, which is within the band of what it is worth, somebody may go short.
    let event = option_event(&w.ok(fill(&w, &p.alice, &p.bob, far(&w, 0))));
    assert_eq!((event.cost, event.fee, event.seller_lots), (0, 0, -20));
}

/// The band is 5 % of the spot on either side of Black-76, and a delegate's 2 points of volatility and 0.1 % of the delta.
#[test]
fn a_premium_is_within_the_band_of_what_the_option_is_worth() {
    let (mut w, p) = listed();
    let mark = option_event(&w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 1, PREMIUM)))).mark;
    w.refuses(fill(&w, &p.alice, &p.bob, calls(&w, 1, mark + BAND + 1)), E::FillPriceBand);
    w.refuses(fill(&w, &p.alice, &p.bob, calls(&w, 1, mark - BAND - 1)), E::FillPriceBand);
    w.refuses(fill(&w, &p.alice, &p.bob, calls(&w, 1, SPOT)), E::FillPriceBand);
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 1, mark + BAND)));
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 1, mark - BAND)));

    let (owner, delegate) = (p.alice.owner, p.carol.owner);
    let set = account::SetDelegate { owner, account: p.alice.account, delegate, scope: delegate_scope::TRADE };
    w.ok(set.instruction());
    let option = Traded::Option(board(&p));
    let buys = |w: &World, price| fill_as(w, [delegate, p.bob.owner], [&p.alice, &p.bob], option, calls(w, 1, price));
    let sells = |w: &World, price| fill_as(w, [p.bob.owner, delegate], [&p.bob, &p.alice], option, calls(w, 1, price));
    // Vega 125 n(d1) sqrt(t) = 14.1491, delta N(d1) = 0.55700 at d1 = sqrt(30 / 365) / 2: 0.28298 and 0.06963 dollars.
    let spread = (DOLLAR as f64 * 0.35261) as u64;
    w.refuses(buys(&w, mark + spread + DOLLAR / 10_000), E::DelegatePrice);
    w.ok(buys(&w, mark + spread - DOLLAR / 10_000));
    w.ok(buys(&w, mark - BAND));
    w.refuses(sells(&w, mark - spread - DOLLAR / 10_000), E::DelegatePrice);
    w.ok(sells(&w, mark - spread + DOLLAR / 10_000));
    w.ok(sells(&w, mark + BAND));
}

#[test]
fn an_option_is_named_by_its_terms() {
    let (mut w, p) = listed();
    let good = calls(&w, 1, PREMIUM);
    let with = |contract| FillArgs { contract, ..good };
    let Contract { expiry_day, .. } = good.contract;
    for expiry_day in [0, expiry_day - 1, expiry_day + 1, u16::MAX] {
        w.refuses(fill(&w, &p.alice, &p.bob, with(Contract { expiry_day, ..good.contract })), E::FillWrongBoard);
    }
    w.refuses(fill(&w, &p.alice, &p.bob, with(Contract::NONE)), E::FillWrongBoard);
    for (strike, error) in [
        (strike(120), E::UnknownSeries),
        (StrikePrice { digits: 125, exponent: 1 }, E::UnknownSeries),
        (StrikePrice { digits: 0, exponent: 0 }, E::InvalidStrike),
        (StrikePrice { digits: 1_250, exponent: -1 }, E::InvalidStrike),
    ] {
        w.refuses(fill(&w, &p.alice, &p.bob, with(Contract { strike, ..good.contract })), error);
    }
    for (size, error) in [(0, E::ZeroSize), (u64::MAX, E::Overflow), (1 << 63, E::Overflow), (1 << 40, E::Overflow)] {
        w.refuses(fill(&w, &p.alice, &p.bob, FillArgs { size, ..good }), error);
    }
    w.refuses(fill(&w, &p.alice, &p.bob, FillArgs { size: 1 << 31, ..good }), E::TooManyLots);
    w.refuses(fill(&w, &p.alice, &p.bob, FillArgs { expires_at: w.now() - 1, ..good }), E::OrderExpired);
    let mut bare = fill(&w, &p.alice, &p.bob, good);
    bare.accounts.truncate(7);
    w.refuses(bare, E::MissingBoard);
    // The client finds the terms that a board's series has.
    let listed = w.board_of(&p.sol, 0);
    for (series, dollars) in [(0, 100), (1, 100), (CALL, 125), (5, 150)] {
        let strike = strike(dollars);
        assert_eq!(contract_of(&listed, series, 9), Some(Contract { strike, ..good.contract }));
    }
    assert_eq!((contract_of(&listed, 6, 9), contract_of(&listed, 32, 9)), (None, None));
    w.ok(fill(&w, &p.alice, &p.bob, good));
}

#[test]
fn pauses_and_states_let_through_reductions_of_both() {
    let (mut w, p) = listed();
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 10, PREMIUM)));
    let opens = |w: &World| fill(w, &p.alice, &p.bob, calls(w, 1, PREMIUM));
    let closes = |w: &World| fill(w, &p.bob, &p.alice, calls(w, 1, PREMIUM));
    w.deposit(&p.carol, &p.usdc, 1_000 * USD as u64);
    let half = |w: &World| fill(w, &p.carol, &p.alice, calls(w, 1, PREMIUM));
    for bit in [pause::TRADE, pause::OPTION] {
        w.configure(|config| config.pauses = bit);
        w.refuses(closes(&w), E::Paused);
    }
    w.configure(|config| config.pauses = pause::OPEN);
    w.refuses(opens(&w), E::Paused);
    w.refuses(half(&w), E::Paused);
    w.ok(closes(&w));
    w.configure(|config| config.pauses = 0);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(opens(&w), E::MarketReduceOnly);
    w.refuses(half(&w), E::MarketReduceOnly);
    w.ok(closes(&w));
    w.configure_market(&p.sol, |config| (config.state, config.options.enabled) = (state::ACTIVE, 0));
    w.refuses(opens(&w), E::OptionsDisabled);
    w.ok(closes(&w));
    for trader in [p.alice, p.bob] {
        w.edit::<MarginAccount>(&trader.account, |account| account.deferral = deferral::BEGUN);
        w.refuses(closes(&w), E::LiquidationInProgress);
        w.edit::<MarginAccount>(&trader.account, |account| account.deferral = deferral::NONE);
    }
}

/// A board trades until its expiry, settled or not.
#[test]
fn nothing_is_filled_from_the_expiry_on() {
    let (mut w, p) = listed();
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 2, PREMIUM)));
    w.edit::<Board>(&board(&p), |board| board.state = board_state::SETTLED);
    w.refuses(fill(&w, &p.bob, &p.alice, calls(&w, 1, PREMIUM)), E::OptionExpired);
    w.edit::<Board>(&board(&p), |board| board.state = board_state::ACTIVE);
    w.pass(30 * DAY - 1);
    w.set_price(&p.sol, 125);
    w.refresh(&p.sol, 0);
    w.ok(fill(&w, &p.bob, &p.alice, calls(&w, 1, DOLLAR)));
    w.pass(1);
    w.set_price(&p.sol, 125);
    w.refresh(&p.sol, 0);
    w.refuses(fill(&w, &p.bob, &p.alice, calls(&w, 1, 0)), E::OptionExpired);
}

/// The house has ten calls of its own trading, which are no party to what others do.
#[test]
fn the_houses_inventory_and_budget_are_not_asked() {
    let (mut w, p) = listed();
    w.open_option(&p.alice, &p.sol, 0, CALL, -10);
    let (market, before) = (w.market(&p.sol), w.board_of(&p.sol, 0));
    w.configure_market(&p.sol, |config| config.risk_budget = 1);
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 100, PREMIUM)));
    let (after, board) = (w.market(&p.sol), w.board_of(&p.sol, 0));
    assert_eq!((board.house_lots, board.house_gains), (before.house_lots, before.house_gains));
    assert_eq!((after.house_boards, after.house_gains), (market.house_boards, market.house_gains));
    assert_eq!((before.long_lots[2], board.long_lots[2]), (0, 90));
    // Bob's hundred are short; the house's ten are the other longs.
    w.configure_market(&p.sol, |config| config.options.max_open_lots = 100);
    w.refuses(fill(&w, &p.alice, &p.bob, calls(&w, 1, PREMIUM)), E::OpenLotsLimit);
    w.ok(fill(&w, &p.bob, &p.alice, calls(&w, 1, PREMIUM)));
}

#[test]
fn both_sides_have_their_initial_margin_afterwards() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 200 * USD as u64);
    // Ten calls short, at 125, lose more than 200 dollars in the worst scenario.
    w.refuses(fill(&w, &p.alice, &p.carol, calls(&w, 20, PREMIUM)), E::InsufficientMargin);
    // Bought at the dear end of the band they cost 41 dollars more than they are worth to carry.
    w.ok(fill(&w, &p.carol, &p.alice, calls(&w, 10, PREMIUM)));
    w.refuses(fill(&w, &p.carol, &p.alice, calls(&w, 20, PREMIUM + BAND / 2)), E::InsufficientMargin);
}

/// Carol, who lacks her margin, sells to an accomplice what is left of her below what it is worth: a step that would free
/// more margin than it gives away. Nor does she open anything.
#[test]
fn an_account_without_its_margin_gives_no_option_away() {
    let (mut w, p) = listed();
    w.deposit(&p.carol, &p.usdc, 900 * USD as u64);
    w.ok(fill(&w, &p.alice, &p.carol, calls(&w, 20, PREMIUM)));
    w.set_price(&p.sol, 160);
    w.refresh(&p.sol, 0);
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    let mark = option_event(&w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 1, 40 * DOLLAR)))).mark;
    w.refuses(fill(&w, &p.carol, &p.alice, calls(&w, 1, mark + BAND / 2)), E::PoorPrice);
    w.refuses(fill(&w, &p.carol, &p.alice, calls(&w, 1, mark + 1)), E::PoorPrice);
    w.refuses(fill(&w, &p.alice, &p.carol, calls(&w, 1, mark)), E::InsufficientMargin);
    w.refuses(fill(&w, &p.carol, &p.alice, puts(&w, 1, 8 * DOLLAR)), E::InsufficientMargin);
    w.ok(fill(&w, &p.carol, &p.alice, calls(&w, 1, mark)));
    w.ok(fill(&w, &p.carol, &p.alice, calls(&w, 1, mark - 1)));
    // Alice has all she needs and may be generous.
    w.ok(fill(&w, &p.carol, &p.alice, calls(&w, 1, mark - BAND / 2)));
}

#[test]
fn a_board_must_be_refreshed_first() {
    let (mut w, p) = listed();
    w.ok(fill(&w, &p.alice, &p.bob, calls(&w, 10, PREMIUM)));
    w.set_price(&p.sol, 130);
    let more = |w: &World| fill(w, &p.alice, &p.bob, calls(w, 1, PREMIUM + 2 * DOLLAR));
    w.refuses(more(&w), E::BoardStale);
    w.refresh(&p.sol, 0);
    w.ok(more(&w));
    let mut args = strikes(&[]);
    args.strikes[3] = strike(175);
    w.ok(w.list_strikes_ix(&p.sol, 0, args));
    let new = Contract { strike: strike(175), ..contract(&w) };
    let args = FillArgs { contract: new, ..calls(&w, 1, 4 * DOLLAR) };
    w.refuses(fill(&w, &p.alice, &p.bob, args), E::BoardStale);
}

/// Eight boards and 32 options fill an account, whatever brings them.
#[test]
fn the_limits_of_boards_and_options_hold() {
    let (mut w, p) = listed();
    let good = fill(&w, &p.alice, &p.bob, calls(&w, 1, PREMIUM));
    let before = w.margin_account(&p.bob);
    w.edit::<MarginAccount>(&p.bob.account, |account| {
        for number in 0..MAX_BOARDS as u8 {
            let index = account.board_slot_or_new(&Address::new_from_array([number + 1; 32]), &p.sol.market).unwrap();
            account.set_option(index, 0, 1).unwrap();
        }
    });
    w.refuses(&good, E::TooManyBoards);
    w.edit::<MarginAccount>(&p.bob.account, |account| {
        *account = before;
        let other = account.board_slot_or_new(&Address::new_from_array([1; 32]), &p.sol.market).unwrap();
        for series in 0..MAX_OPTIONS as u8 {
            account.set_option(other, series, 1).unwrap();
        }
    });
    w.refuses(&good, E::TooManyOptions);
    w.edit::<MarginAccount>(&p.bob.account, |account| *account = before);
    w.ok(good);
}

// Signed orders.

/// An order for calls at 125 for an hour, with nonce 7.
fn order(w: &World, trader: &Trader, lots: i64, limit_price: u64) -> Order {
    let p = w.places();
    Order {
        exchange: p.exchange,
        account: trader.account,
        market: p.sol.market,
        venue: Address::default(),
        size: lots,
        limit_price,
        nonce: 7,
        expires_at: w.now() + 3_600,
        instrument: instrument::CALL,
        contract: contract(w),
        flags: 0,
    }
}

/// Alice rests, Bob takes; Carol submits.
fn cross(w: &mut World, traded: Traded, maker: &Order, taker: &Order, size: u64) -> Instruction {
    let p = w.places();
    w.companions = vec![signed(w, p.alice.owner, maker), signed(w, p.bob.owner, taker)];
    let args = FillOrdersArgs { size, maker_instruction: COMPANION, taker_instruction: COMPANION + 1 };
    w.priced().fill_orders(p.carol.owner, &w.keyed(&p.alice), &w.keyed(&p.bob), true, traded, args).unwrap()
}

#[test]
fn signed_orders_of_an_option_trade_in_parts() {
    let (mut w, p) = list(with_orders());
    let option = Traded::Option(board(&p));
    let (buy, sell) = (order(&w, &p.alice, 10, PREMIUM), order(&w, &p.bob, -6, PREMIUM - DOLLAR));
    let ix = cross(&mut w, option, &buy, &sell, 4);
    let event = option_event(&w.ok(ix));
    assert_eq!((event.price, event.seller_takes, event.lots, event.cost), (PREMIUM, 1, 4, 62_500_000));
    let ix = cross(&mut w, option, &buy, &sell, 3);
    w.refuses(ix, E::OrderOverfilled);
    let ix = cross(&mut w, option, &buy, &sell, 2);
    w.ok(ix);
    assert_eq!(w.option_lots(&p.alice, &p.sol, 0, CALL), 6);
    let filled = w.read::<Orders>(&address::orders(&p.alice.account)).slots[0].filled;
    assert_eq!(filled, 6);
    // Another strike, another day, a put, a perpetual: no order for this.
    let fresh = Order { nonce: 8, ..sell };
    let other_strike = Contract { strike: strike(150), ..sell.contract };
    let other_day = Contract { expiry_day: sell.contract.expiry_day + 1, ..sell.contract };
    for changed in [
        Order { contract: other_strike, ..fresh },
        Order { contract: other_day, ..fresh },
        Order { instrument: instrument::PUT, ..fresh },
        Order { instrument: instrument::PERP, contract: Contract::NONE, ..fresh },
    ] {
        let ix = cross(&mut w, option, &buy, &changed, 1);
        w.refuses(ix, E::OrdersNotCrossing);
    }
    let ix = cross(&mut w, option, &buy, &Order { flags: REDUCE_ONLY, ..fresh }, 1);
    w.refuses(ix, E::ReduceOnlyViolated);
    let both = [buy, fresh].map(|order| Order { contract: other_day, nonce: 9, ..order });
    let ix = cross(&mut w, option, &both[0], &both[1], 1);
    w.refuses(ix, E::FillWrongBoard);
    let ix = cross(&mut w, option, &buy, &fresh, 4);
    w.ok(ix);
}

/// Bob takes Alice's order by his own signature on the transaction, and with it closes what he has.
#[test]
fn a_signed_order_of_an_option_is_taken_by_a_signing_account() {
    let (mut w, p) = list(with_orders());
    let sell = order(&w, &p.alice, -10, PREMIUM);
    w.companions = vec![signed(&w, p.alice.owner, &sell)];
    let args = FillOrdersArgs { size: 4, maker_instruction: COMPANION, taker_instruction: 0 };
    let take = |w: &World, traded| {
        w.priced().fill_orders(p.bob.owner, &w.keyed(&p.alice), &w.keyed(&p.bob), false, traded, args).unwrap()
    };
    let ix = take(&w, Traded::Option(board(&p)));
    let event = option_event(&w.ok(&ix));
    assert_eq!((event.seller_takes, event.buyer_lots, event.seller_lots), (0, 4, -4));
    let mut bare = take(&w, Traded::Perpetual(p.sol.market));
    bare.accounts.truncate(9);
    w.refuses(bare, E::MissingBoard);
}

// Venues.

/// Instrument and terms as the example's desk keeps them.
fn desk_terms(instrument: u8, contract: &Contract) -> [u8; 8] {
    let ([day, later], [digits, more]) = (contract.expiry_day.to_le_bytes(), contract.strike.digits.to_le_bytes());
    [instrument, day, later, digits, more, contract.strike.exponent as u8, 0, 0]
}

/// 800 calls are on 100,000 USD of SOL: a fill's limit, whatever they cost.
#[test]
fn a_venues_limits_count_what_an_option_is_on() {
    let (mut w, p) = list(with_venue());
    let terms = desk_terms(instrument::CALL, &contract(&w));
    w.ok(quote_of(&w, &p.bob, p.sol.market, terms, -1_000, PREMIUM));
    let take = |w: &World, lots| take_of(w, &p.alice, [&p.alice, &p.bob], Traded::Option(board(&p)), lots);
    w.refuses(take(&w, 801), E::VenueLimit);
    let event = option_event(&w.ok(take(&w, 100)));
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    assert_eq!((event.venue, event.seller_takes, event.lots), (venue, 0, 100));
    let counted = w.read::<Venue>(&venue);
    assert_eq!((counted.window_notional, counted.total_notional), (12_500_000_000, 12_500_000_000));
    assert_eq!(w.margin_account(&p.bob).venues[0].used, 12_500_000_000);
    w.ok(approval(&p, &p.alice, 125 * USD as u64));
    w.refuses(take(&w, 2), E::VenueAllowance);
    w.ok(take(&w, 1));
    // The price is agreed within the band only.
    w.ok(approval(&p, &p.alice, u64::MAX));
    w.ok(quote_of(&w, &p.bob, p.sol.market, terms, -1_000, PREMIUM + BAND));
    w.refuses(take(&w, 1), E::FillPriceBand);
    let mut bare = take(&w, 1);
    bare.accounts.truncate(10);
    w.refuses(bare, E::MissingBoard);
}

// Spot.

/// Alice has a million dollars, Bob that and 100 SOL.
fn spot_world() -> (World, Places) {
    stock(World::new())
}

fn stock((mut w, p): (World, Places)) -> (World, Places) {
    for trader in [p.alice, p.bob] {
        if w.shares(&trader, &p.usdc) == 0 {
            w.deposit(&trader, &p.usdc, 1_000_000 * USD as u64);
        }
    }
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    (w, p)
}

fn sols(amount: i64, price: u64) -> FillArgs {
    let contract = Contract::NONE;
    let size = amount.unsigned_abs();
    FillArgs { instrument: instrument::SPOT, seller_takes: 0, size, price, expires_at: 0, contract }
}

fn swap(w: &World, buyer: &Trader, seller: &Trader, args: FillArgs) -> Instruction {
    let bank = w.places().sol.bank;
    fill_as(w, [buyer.owner, seller.owner], [buyer, seller], Traded::Spot(bank), args)
}

/// What an account has in a bank, native, negative for a debt.
fn held(w: &World, trader: &Trader, asset: &plimsoll_e2e_tests::world::Asset) -> i64 {
    let (bank, shares) = (w.bank(asset), w.shares(trader, asset));
    let magnitude = shares.unsigned_abs();
    if shares < 0 {
        -(interest::borrow_amount(magnitude, bank.borrow_index()).unwrap() as i64)
    } else {
        interest::deposit_amount(magnitude, bank.deposit_index()).unwrap() as i64
    }
}

/// 40 SOL at 125 USD are 5,000 USD; the taker's fee of 0.05 % is 2.50 USD, and the house has it in its deposit.
#[test]
fn spot_changes_hands_for_quote_inside_the_banks() {
    let (mut w, p) = spot_world();
    let (house, vaults) = (w.house_quote(), [p.sol, p.usdc].map(|asset| w.bank(&asset).vault_amount));
    let outcome = w.ok(swap(&w, &p.alice, &p.bob, sols(40 * SOL, SPOT)));
    let expected = SpotFilled {
        bank: p.sol.bank,
        buyer: p.alice.account,
        seller: p.bob.account,
        venue: Address::default(),
        amount: 40 * SOL as u64,
        price: SPOT,
        cost: 5_000_000_000,
        fee: 2_500_000,
        seller_takes: 0,
        spot: SPOT,
        buyer_shares: 40 * SOL,
        seller_shares: 60 * SOL,
    };
    assert_eq!(outcome.event(), Event::SpotFilled(expected));
    assert_eq!((held(&w, &p.alice, &p.sol), held(&w, &p.bob, &p.sol)), (40 * SOL, 60 * SOL));
    let dollars = |w: &World, trader| held(w, trader, &p.usdc);
    assert_eq!((dollars(&w, &p.alice), dollars(&w, &p.bob)), (994_997_500_000, 1_005_000_000_000));
    assert_eq!(w.house_quote() - house, 2_500_000);
    assert_eq!([p.sol, p.usdc].map(|asset| w.bank(&asset).vault_amount), vaults);
    assert_eq!(w.market(&p.sol).house_cash, 0);
    // Back, Alice taking: she is paid the cost less the fee, and nothing of SOL is left to her.
    w.ok(swap(&w, &p.bob, &p.alice, FillArgs { seller_takes: 1, ..sols(40 * SOL, SPOT) }));
    assert_eq!((dollars(&w, &p.alice), dollars(&w, &p.bob)), (999_995_000_000, 1_000_000_000_000));
    assert!(w.margin_account(&p.alice).market_slot(&p.sol.market).is_none());
    assert_eq!(w.house_quote() - house, 5_000_000);
}

/// Three units are worth 0.375: one for a buyer who takes, nothing for a seller who does, and who has the fee to pay besides.
#[test]
fn the_cost_of_spot_is_rounded_against_the_taker() {
    let (mut w, p) = spot_world();
    let before = held(&w, &p.bob, &p.usdc);
    w.ok(swap(&w, &p.alice, &p.bob, sols(3, SPOT)));
    assert_eq!((held(&w, &p.bob, &p.usdc) - before, held(&w, &p.alice, &p.sol)), (1, 3));
    w.refuses(swap(&w, &p.alice, &p.bob, FillArgs { seller_takes: 1, ..sols(3, SPOT) }), E::AmountTooSmall);
    w.configure_market(&p.sol, |config| config.taker_fee_ppm = 0);
    w.ok(swap(&w, &p.alice, &p.bob, FillArgs { seller_takes: 1, ..sols(3, SPOT) }));
    assert_eq!((held(&w, &p.bob, &p.usdc) - before, held(&w, &p.alice, &p.sol)), (1, 6));
}

/// BTC's mint has as many decimals as its market, ETH's nine: an amount counts in the market's units.
#[test]
fn an_amount_counts_in_the_markets_base_units() {
    let (mut w, p) = spot_world();
    w.deposit(&p.bob, &p.btc, BTC as u64);
    let args = FillArgs { price: 600 << 48, ..sols(BTC / 2, 0) };
    let signers = [p.alice.owner, p.bob.owner];
    let ix = fill_as(&w, signers, [&p.alice, &p.bob], Traded::Spot(p.btc.bank), args);
    let Event::SpotFilled(event) = w.ok(ix).event() else { panic!("no fill") };
    assert_eq!((event.cost, event.fee, held(&w, &p.alice, &p.btc)), (30_000_000_000, 15_000_000, BTC / 2));
}

#[test]
fn spots_price_is_within_the_band_and_a_delegates_within_the_spread() {
    let (mut w, p) = spot_world();
    for price in [SPOT + BAND + 1, SPOT - BAND - 1, 0] {
        w.refuses(swap(&w, &p.alice, &p.bob, sols(SOL, price)), E::FillPriceBand);
    }
    w.ok(swap(&w, &p.alice, &p.bob, sols(SOL, SPOT + BAND)));
    w.ok(swap(&w, &p.alice, &p.bob, sols(SOL, SPOT - BAND)));
    let set = |scope| {
        let (owner, account, delegate) = (p.bob.owner, p.bob.account, p.carol.owner);
        account::SetDelegate { owner, account, delegate, scope }.instruction()
    };
    w.ok(set(delegate_scope::TRADE));
    let (spot, spread) = (Traded::Spot(p.sol.bank), SPOT / 1_000);
    let sells =
        |w: &World, price| fill_as(w, [p.alice.owner, p.carol.owner], [&p.alice, &p.bob], spot, sols(SOL, price));
    w.refuses(sells(&w, SPOT - spread - 1), E::DelegatePrice);
    w.ok(sells(&w, SPOT - spread));
    // One that only reduces positions has no business with collateral.
    w.ok(set(delegate_scope::REDUCE));
    w.refuses(sells(&w, SPOT), E::NotOwnerOrDelegate);
    let buys = fill_as(&w, [p.carol.owner, p.alice.owner], [&p.bob, &p.alice], spot, sols(SOL, SPOT));
    w.refuses(buys, E::NotOwnerOrDelegate);
}

/// A staked token is worth five quarters of a SOL: 156.25 USD, around which its own price is agreed. At an old rate it is not
/// traded.
#[test]
fn a_staked_tokens_price_is_its_own() {
    let (mut w, p, lst) = staked();
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.bob, &lst, 100 * SOL as u64);
    let worth = SPOT / 4 * 5;
    let signers = [p.alice.owner, p.bob.owner];
    let trade =
        |w: &World, price| fill_as(w, signers, [&p.alice, &p.bob], Traded::Spot(lst.bank), sols(10 * SOL, price));
    w.refuses(trade(&w, SPOT), E::FillPriceBand);
    w.refuses(trade(&w, worth + worth / 20 + 1), E::FillPriceBand);
    let Event::SpotFilled(event) = w.ok(trade(&w, worth)).event() else { panic!("no fill") };
    assert_eq!((event.cost, event.fee, event.buyer_shares), (1_562_500_000, 781_250, 10 * SOL));
    w.pass(3_601);
    w.set_price(&p.sol, 125);
    w.refuses(trade(&w, worth), E::RateOld);
}

/// Nobody sells tokens that nobody has deposited, nor more than the bank lends.
#[test]
fn what_is_not_held_is_borrowed_as_a_withdrawal_would() {
    let (mut w, p) = spot_world();
    w.deposit(&p.carol, &p.usdc, 1_000_000 * USD as u64);
    let short = |w: &World, amount| swap(w, &p.alice, &p.carol, sols(amount, SPOT));
    // 100 SOL are in the vault.
    w.refuses(short(&w, 100 * SOL + 1), E::VaultInsufficient);
    w.configure_bank(&p.sol, |config| config.borrow_cap = 20 * SOL as u64 - 1);
    w.refuses(short(&w, 20 * SOL), E::BorrowCap);
    w.configure_bank(&p.sol, |config| config.borrow_cap = 20 * SOL as u64);
    // Carol's debt makes Alice's deposit: 120 in all.
    w.configure_bank(&p.sol, |config| config.deposit_cap = 120 * SOL as u64 - 1);
    w.refuses(short(&w, 20 * SOL), E::DepositCap);
    w.configure_bank(&p.sol, |config| config.deposit_cap = 120 * SOL as u64);
    w.ok(short(&w, 20 * SOL));
    assert_eq!((held(&w, &p.carol, &p.sol), held(&w, &p.alice, &p.sol)), (-20 * SOL, 20 * SOL));
    // What there is already changes hands above the cap, too, and a debt is paid back by it.
    w.configure_bank(&p.sol, |config| config.deposit_cap = 1);
    w.ok(swap(&w, &p.alice, &p.bob, sols(SOL, SPOT)));
    w.ok(swap(&w, &p.carol, &p.bob, sols(5 * SOL, SPOT)));
    assert_eq!(held(&w, &p.carol, &p.sol), -15 * SOL);
    // On credit: Carol has 1,001,874 dollars.
    let dear = |w: &World| swap(w, &p.carol, &p.bob, sols(15 * SOL, SPOT));
    w.withdraw(&p.carol, &p.usdc, 999_374 * USD as u64);
    w.configure_bank(&p.usdc, |config| config.borrow_cap = 0);
    let more = |w: &World| swap(w, &p.carol, &p.bob, sols(25 * SOL, SPOT));
    w.refuses(more(&w), E::BorrowCap);
    w.ok(dear(&w));
}

/// A sale of a deposit and a repayment out of one go on where nothing is taken on any more.
#[test]
fn pauses_and_states_let_through_sales_and_repayments() {
    let (mut w, p) = spot_world();
    w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
    w.ok(swap(&w, &p.alice, &p.carol, sols(20 * SOL, SPOT)));
    let opens = |w: &World| swap(w, &p.alice, &p.bob, sols(SOL, SPOT));
    let shorts = |w: &World| swap(w, &p.alice, &p.carol, sols(SOL, SPOT));
    let closes = |w: &World| swap(w, &p.carol, &p.bob, sols(SOL, SPOT));
    w.configure(|config| config.pauses = pause::TRADE);
    w.refuses(closes(&w), E::Paused);
    w.configure(|config| config.pauses = pause::OPEN);
    w.refuses(opens(&w), E::Paused);
    w.refuses(shorts(&w), E::Paused);
    w.ok(closes(&w));
    w.configure(|config| config.pauses = 0);
    w.configure_market(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(opens(&w), E::MarketReduceOnly);
    w.ok(closes(&w));
    w.configure_market(&p.sol, |config| config.state = state::ACTIVE);
    w.configure_bank(&p.sol, |config| config.state = state::REDUCE_ONLY);
    w.refuses(opens(&w), E::BankReduceOnly);
    w.refuses(shorts(&w), E::BankReduceOnly);
    w.ok(closes(&w));
    w.configure_bank(&p.sol, |config| config.state = state::ACTIVE);
    let wide = plimsoll_e2e_tests::raw::Price { confidence: 3 * 100_000_000, ..w.price(125) };
    w.publish(&p.sol, wide);
    w.refuses(opens(&w), E::OracleTooWide);
    w.ok(closes(&w));
    w.pass(61);
    w.refuses(closes(&w), E::OracleStale);
    w.set_price(&p.sol, 125);
    w.edit::<MarginAccount>(&p.bob.account, |account| account.deferral = deferral::BEGUN);
    w.refuses(closes(&w), E::LiquidationInProgress);
    w.edit::<MarginAccount>(&p.bob.account, |account| account.deferral = deferral::NONE);
    w.ok(closes(&w));
}

#[test]
fn spot_is_no_deal_without_its_banks() {
    let (mut w, p) = spot_world();
    let good = swap(&w, &p.alice, &p.bob, sols(SOL, SPOT));
    let mut bare = good.clone();
    bare.accounts.truncate(9);
    w.refuses(bare, E::MissingBank);
    for (size, error) in [(0, E::ZeroSize), (u64::MAX, E::Overflow), (1 << 63, E::Overflow)] {
        w.refuses(swap(&w, &p.alice, &p.bob, FillArgs { size, ..sols(1, SPOT) }), error);
    }
    w.refuses(swap(&w, &p.alice, &p.bob, FillArgs { expires_at: w.now() - 1, ..sols(1, SPOT) }), E::OrderExpired);
    w.ok(good);
}

/// Bob's 100 SOL and 12,000 dollars of debt: nothing is left for a worse price.
#[test]
fn spot_leaves_both_their_initial_margin() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.carol, &p.usdc, 1_000 * USD as u64);
    w.deposit(&p.bob, &p.sol, 1_000 * SOL as u64);
    // 20 % and the haircut of 10 %: Carol's thousand carries 26.6 SOL on credit.
    w.refuses(swap(&w, &p.carol, &p.bob, sols(27 * SOL, SPOT)), E::InsufficientMargin);
    w.ok(swap(&w, &p.carol, &p.bob, sols(26 * SOL, SPOT)));
    assert!(held(&w, &p.carol, &p.usdc) < -2_000 * USD);
    // Sold short: 20 % and the borrow weight of 4 %.
    w.deposit(&p.bob, &p.usdc, 1);
    w.refuses(swap(&w, &p.alice, &p.carol, sols(100 * SOL, SPOT)), E::InsufficientMargin);
}

/// Carol owes 9,000 dollars against 100 SOL, which fall to 100 dollars. What she sold to an accomplice for less than they are
/// worth would free margin with every step.
#[test]
fn an_account_without_its_margin_gives_no_collateral_away() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.carol, &p.sol, 100 * SOL as u64);
    w.withdraw(&p.carol, &p.usdc, 8_700 * USD as u64);
    w.set_price(&p.sol, 100);
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    let spot = w.market(&p.sol).spot;
    let sells = |w: &World, price| swap(w, &p.alice, &p.carol, sols(SOL, price));
    w.refuses(sells(&w, spot - spot / 25), E::PoorPrice);
    w.refuses(sells(&w, spot - 1), E::PoorPrice);
    w.refuses(swap(&w, &p.carol, &p.alice, sols(1_000, spot)), E::InsufficientMargin);
    w.ok(sells(&w, spot));
    w.ok(sells(&w, spot + 1));
    w.ok(swap(&w, &p.alice, &p.carol, sols(50 * SOL, spot)));
    // With all of it sold she may be as generous as she likes.
    w.ok(swap(&w, &p.alice, &p.carol, sols(40 * SOL, spot)));
    w.ok(sells(&w, spot - spot / 25));
}

/// A hundred SOL hedge a hundred short: sold, even at their price, they leave the other leg open.
#[test]
fn a_sale_that_makes_a_poor_account_poorer_is_refused() {
    let (mut w, p) = spot_world();
    w.deposit(&p.carol, &p.sol, 100 * SOL as u64);
    let perpetual = FillArgs { instrument: instrument::PERP, ..sols(100 * SOL, SPOT) };
    let owners = [p.alice.owner, p.carol.owner];
    w.ok(fill_as(&w, owners, [&p.alice, &p.carol], Traded::Perpetual(p.sol.market), perpetual));
    w.withdraw(&p.carol, &p.usdc, 11_000 * USD as u64);
    w.configure_bank(&p.sol, |config| *config = config.with_haircuts(150_000, 50_000));
    assert!(w.margin(&p.carol).health_init().unwrap().raw() < 0);
    w.refuses(swap(&w, &p.alice, &p.carol, sols(SOL, SPOT)), E::InsufficientMargin);
}

/// Carol's gain of BTC is not paid yet. She may not sell her collateral below its price on the strength of it: what she gives
/// away would leave for good.
#[test]
fn an_unpaid_gain_stands_for_nothing_that_is_given_away() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
    w.deposit(&p.carol, &p.sol, 60 * SOL as u64);
    w.open(&p.carol, &p.btc, BTC / 5);
    w.set_price(&p.btc, 70_000);
    let gain = |w: &World| {
        let (size, cash) = w.position(&p.carol, &p.btc);
        cash + ((i128::from(size) * i128::from(w.market(&p.btc).spot)) >> 48) as i64
    };
    let free = w.margin(&p.carol).health_init().unwrap().raw() - gain(&w);
    w.withdraw(&p.carol, &p.usdc, free as u64 - 100);
    w.set_price(&p.btc, 72_000);
    assert!(w.margin(&p.carol).health_init().unwrap().raw() > 2_000 * USD);
    let sells = |w: &World, amount, price| swap(w, &p.alice, &p.carol, sols(amount, price));
    w.refuses(sells(&w, SOL / 10, SPOT - 1), E::UnsettledGain);
    w.refuses(sells(&w, SOL / 10, SPOT - BAND), E::UnsettledGain);
    w.ok(sells(&w, SOL / 10, SPOT));
    // Nor borrow for a purchase.
    w.refuses(swap(&w, &p.carol, &p.alice, sols(SOL / 10, SPOT)), E::UnsettledGain);
}

#[test]
fn signed_orders_of_spot_name_the_bank() {
    let (mut w, p) = stock(list(with_orders()));
    let spot = Traded::Spot(p.sol.bank);
    let of = |w: &World, trader: &Trader, size| {
        let order = order(w, trader, size, SPOT);
        Order { market: p.sol.bank, instrument: instrument::SPOT, contract: Contract::NONE, ..order }
    };
    let (buy, sell) = (of(&w, &p.alice, 10 * SOL), of(&w, &p.bob, -4 * SOL));
    let ix = cross(&mut w, spot, &Order { market: p.sol.market, ..buy }, &sell, 1);
    w.refuses(ix, E::OrderWrongMarket);
    let ix = cross(&mut w, spot, &buy, &Order { market: p.btc.bank, ..sell }, 1);
    w.refuses(ix, E::OrderWrongMarket);
    // Reduce-only, spot sells what is held and takes nothing on.
    let ix = cross(&mut w, spot, &Order { flags: REDUCE_ONLY, ..buy }, &sell, SOL as u64);
    w.refuses(ix, E::ReduceOnlyViolated);
    let ix = cross(&mut w, spot, &buy, &Order { flags: REDUCE_ONLY, ..sell }, 3 * SOL as u64);
    w.ok(ix);
    let ix = cross(&mut w, spot, &buy, &sell, SOL as u64 + 1);
    w.refuses(ix, E::OrderOverfilled);
    let ix = cross(&mut w, spot, &buy, &sell, SOL as u64);
    let Some(Event::SpotFilled(event)) = w.ok(ix).events.last().copied() else { panic!("no fill") };
    assert_eq!((event.seller_takes, event.buyer_shares, event.seller_shares), (1, 4 * SOL, 96 * SOL));
    // Bob takes the rest by his own signature.
    w.companions = vec![signed(&w, p.alice.owner, &buy)];
    let args = FillOrdersArgs { size: 6 * SOL as u64, maker_instruction: COMPANION, taker_instruction: 0 };
    let (alice, bob) = (w.keyed(&p.alice), w.keyed(&p.bob));
    let ix = w.priced().fill_orders(p.bob.owner, &alice, &bob, false, spot, args).unwrap();
    let mut bare = ix.clone();
    bare.accounts.truncate(9);
    w.refuses(bare, E::MissingBank);
    w.ok(ix);
    assert_eq!(held(&w, &p.alice, &p.sol), 10 * SOL);
}

/// 100 SOL are 12,500 USD.
#[test]
fn a_venue_clears_spot_within_its_limits() {
    let (mut w, p) = stock(with_venue());
    let terms = desk_terms(instrument::SPOT, &Contract::NONE);
    w.ok(quote_of(&w, &p.bob, p.sol.bank, terms, -100 * SOL, SPOT));
    let take = |w: &World, size| take_of(w, &p.alice, [&p.alice, &p.bob], Traded::Spot(p.sol.bank), size);
    w.ok(approval(&p, &p.alice, 1_250 * USD as u64));
    w.refuses(take(&w, 10 * SOL + 8), E::VenueAllowance);
    let outcome = w.ok(take(&w, 10 * SOL));
    let venue = address::venue(&p.exchange, &VENUE_PROGRAM);
    let Event::SpotFilled(event) = outcome.event() else { panic!("{outcome:?}") };
    assert_eq!(
        (event.venue, event.cost, w.read::<Venue>(&venue).total_notional),
        (venue, 1_250 * 1_000_000, 1_250_000_000)
    );
    w.refuses(take(&w, 1), E::VenueAllowance);
    // The desk's quote is of this bank.
    w.deposit(&p.bob, &p.btc, BTC as u64);
    let other = take_of(&w, &p.alice, [&p.alice, &p.bob], Traded::Spot(p.btc.bank), 1);
    w.refuses(other, I::Custom(4));
    let mut bare = take(&w, 1);
    bare.accounts.truncate(10);
    w.refuses(bare, I::Custom(4));
}
