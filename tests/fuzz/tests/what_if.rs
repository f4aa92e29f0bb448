//! What the client says of trades, sizes and prices, held to the real program: an exchange with options in every market,
//! and people who trade at random.

use std::path::{Path, PathBuf};

use plimsoll_client::{
    Keyed, Snapshot, Trade, WhatIf, address,
    instruction::board,
    interface::instruction::{CreateBoardArgs, ListStrikesArgs, StrikePrice},
    snapshot::{LiquidationPrices, MaxSize},
};
use plimsoll_e2e_tests::{Asset, Trader, world::Places};
use plimsoll_exchange_fuzz::{
    actions::{Attempt, Rule},
    machine::{Machine, Sent},
    walk::Walk,
    what_if::Prediction,
};
use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{MAX_STRIKES, MarginAccount},
    instruction::{CloseOptionArgs, OpenOptionArgs},
};
use plimsoll_risk::units::Price;
use rand::Rng;

const DAY: i64 = 86_400;

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy/plimsoll.so")
}

/// A walk's first state, and in each market a board that expires in ten days, of five strikes around the price.
fn with_boards(seed: u64) -> Walk {
    let (machine, places) = Machine::new(&program()).unwrap();
    let mut walk = Walk::new(&machine, places, seed);
    for (asset, digits, exponent) in [(places.sol, 100, 0), (places.btc, 500, 2), (places.eth, 250, 1)] {
        walk.publish_near(&asset);
        let expiry = (walk.machine.now() / DAY + 10) * DAY + 8 * 3_600;
        let (authority, exchange, market) = (places.admin, places.exchange, asset.market);
        let board = address::board(&market, 0);
        let oracle = Some(asset.oracle);
        let create = board::Create { authority, exchange, market, args: CreateBoardArgs { expiry, slot: 0 } };
        let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
        for (step, strike) in (0..5).zip(&mut strikes) {
            *strike = StrikePrice { digits: digits + digits / 10 * step, exponent };
        }
        let args = ListStrikesArgs { strikes };
        let list = board::ListStrikes { authority, exchange, market, board, oracle, args };
        let refresh = board::Refresh { exchange, market, board, oracle, max_strikes: 0 };
        let sent = walk.machine.send(&[create.instruction(), list.instruction(), refresh.instruction()]);
        assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
    }
    walk
}

/// Lets some seconds pass, and prices move a little.
fn pass(walk: &mut Walk, seconds: i64) {
    walk.machine.set_now(walk.machine.now() + seconds);
    for asset in walk.markets() {
        walk.publish_near(&asset);
    }
}

/// Somebody's account, and the exchange as who trades sees it: at the price accounts, behind refreshes.
fn look(walk: &Walk, trader: &Trader) -> (Keyed<MarginAccount>, Snapshot) {
    (walk.account(trader).unwrap(), walk.priced().refreshed().unwrap())
}

/// The trade as its owner sends it, behind what must go before it.
fn attempt(walk: &Walk, trader: &Trader, asset: &Asset, trade: &Trade) -> Attempt {
    let (account, snapshot) = (walk.account(trader).unwrap(), walk.priced());
    let wallet = asset.tokens_of(&trader.owner);
    let instruction = snapshot.instruction(trader.owner, &account, trade, wallet).unwrap();
    let instructions = snapshot.with_refreshes(&[instruction]).unwrap();
    Attempt { instructions, rule: Rule::Books, tampered: false }
}

/// Sends a trade on a copy of the machine.
fn try_it(walk: &Walk, trader: &Trader, asset: &Asset, trade: &Trade) -> Sent {
    walk.machine.clone().send(&attempt(walk, trader, asset, trade).instructions)
}

/// A trade of some size around one that an account could carry, or what closes one.
fn any_trade(walk: &mut Walk, trader: &Trader) -> (Asset, Trade) {
    let (asset, lot) = walk.market();
    let board = address::board(&asset.market, 0);
    let factor = walk.rng.random_range(-150..=150);
    let series = walk.rng.random_range(0..10);
    let lots = factor * walk.rng.random_range(1..=12);
    let trade = match walk.rng.random_range(0..10) {
        0..=4 => Trade::option(board, series, lots),
        5 => close_any(walk, trader, board),
        6 | 7 => Trade::position(asset.market, lot / 10 * factor),
        8 => Trade::Withdraw { mint: asset.mint, amount: lot.unsigned_abs() / 100 * factor.unsigned_abs() },
        _ => Trade::swap(asset.mint, lot / 100 * factor),
    };
    (asset, trade)
}

fn close_any(walk: &mut Walk, trader: &Trader, board: Address) -> Trade {
    let account = walk.account(trader).unwrap().data;
    let held = account.options.iter().find(|option| option.lots != 0);
    let (series, limit_price) = held.map_or((0, 0), |held| (held.series, if held.lots > 0 { 0 } else { u64::MAX }));
    let board = held.map_or(board, |held| account.boards[usize::from(held.board_slot)].board);
    Trade::CloseOption { board, args: CloseOptionArgs { lots: 200, limit_price, expires_at: 0, series } }
}

/// People trade at random; with each trade, what the client said of it is held to what came.
fn trade_at_random(walk: &mut Walk, trades: usize) -> [usize; 2] {
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..trades {
        if walk.rng.random_range(0..3) == 0 {
            let seconds = walk.rng.random_range(0..3_000);
            pass(walk, seconds);
        }
        let trader = walk.trader();
        let (asset, trade) = any_trade(walk, &trader);
        let attempt = attempt(walk, &trader, &asset, &trade);
        let foretold = Prediction::of(walk, &attempt).unwrap();
        let sent = walk.machine.send(&attempt.instructions);
        match foretold.check(walk, &sent).unwrap_or_else(|what| panic!("{what}\n{}", sent.logs.join("\n"))) {
            Some(true) => accepted += 1,
            Some(false) => refused += 1,
            None => panic!("the trade never came to be judged: {}", sent.logs.join("\n")),
        }
    }
    [accepted, refused]
}

#[test]
fn what_the_client_says_of_a_trade_is_what_the_program_makes_of_it() {
    let mut walk = with_boards(21);
    let [accepted, refused] = trade_at_random(&mut walk, 500);
    assert!(accepted >= 150 && refused >= 50, "{accepted} accepted, {refused} refused");
    let options = walk.traders.iter().flat_map(|trader| walk.account(trader).unwrap().data.options);
    assert!(options.filter(|option| option.lots != 0).count() >= 10);
}

/// Of the size found one is accepted, and of one unit more the chain says what the client says.
fn hold(walk: &Walk, trader: &Trader, asset: &Asset, found: &MaxSize, trade: &Trade) {
    if found.size > 0 {
        let sent = try_it(walk, trader, asset, &trade.with_size(found.size));
        assert!(sent.result.is_ok(), "{:?}\n{}", trade.with_size(found.size), sent.logs.join("\n"));
    }
    let Some(limit) = found.limit else { return };
    let one_more = trade.with_size(found.size + 1);
    let (account, snapshot) = look(walk, trader);
    assert_eq!(snapshot.what_if(&account.data, &one_more).unwrap().refused, Some(limit));
    let sent = try_it(walk, trader, asset, &one_more);
    let told = sent.result.as_ref().err().and_then(plimsoll_client::error::program_error);
    assert_eq!(told, Some(limit), "{one_more:?}\n{}", sent.logs.join("\n"));
}

#[test]
fn the_largest_size_is_accepted_and_one_unit_more_is_not() {
    let mut walk = with_boards(22);
    let mut found_any = 0;
    for _ in 0..12 {
        trade_at_random(&mut walk, 15);
        let (trader, (asset, _)) = (walk.trader(), walk.market());
        let (account, snapshot) = look(&walk, &trader);
        let board = address::board(&asset.market, 0);
        let Places { usdc, .. } = walk.places;
        let orders = [1, -1].map(|way| Trade::position(asset.market, way));
        let options = [1, -1].map(|way| Trade::option(board, 4, way));
        let swaps = [1, -1].map(|way| Trade::swap(asset.mint, way));
        for trade in orders.iter().chain(&options).chain(&swaps) {
            let found = snapshot.max_size(&account.data, trade).unwrap();
            found_any += usize::from(found.size > 0);
            hold(&walk, &trader, &asset, &found, trade);
        }
        let withdraw = Trade::Withdraw { mint: usdc.mint, amount: 0 };
        let all = snapshot.max_size(&account.data, &withdraw).unwrap();
        hold(&walk, &trader, &usdc, &all, &withdraw);
        let [own, borrowed] = [
            snapshot.max_withdraw(&account.data, &usdc.mint).unwrap().size,
            snapshot.max_borrow(&account.data, &usdc.mint).unwrap().size,
        ];
        assert_eq!(own + borrowed, all.size);
    }
    assert!(found_any >= 40, "{found_any}");
}

/// Whether maintenance health is not negative at a price.
fn is_healthy(snapshot: &Snapshot, account: &MarginAccount, market: &Address, price: u64) -> bool {
    let moved = snapshot.at_price(market, Price::from_raw(price)).unwrap();
    moved.health_maint(account).unwrap() >= 0
}

#[test]
fn health_crosses_its_line_at_the_price_of_liquidation() {
    let mut walk = with_boards(28);
    let (mut crossings, mut searched) = (0, 0);
    for _ in 0..20 {
        trade_at_random(&mut walk, 12);
        let trader = walk.trader();
        let (account, snapshot) = look(&walk, &trader);
        for LiquidationPrices { market, spot, health, below, above } in
            snapshot.liquidation_prices(&account.data).unwrap()
        {
            searched += 2;
            let healthy = health >= 0;
            for (price, before) in [(below, 1), (above, -1)] {
                let Some(price) = price.map(Price::raw) else { continue };
                crossings += 1;
                assert_eq!(price < spot.raw(), before > 0);
                assert_eq!(is_healthy(&snapshot, &account.data, &market, price), !healthy);
                let nearer = price.checked_add_signed(before).unwrap();
                assert_eq!(is_healthy(&snapshot, &account.data, &market, nearer), healthy);
            }
        }
        for moved in snapshot.liquidation_moves(&account.data).unwrap() {
            let at = |move_ppm: i64| {
                let there = snapshot.at_move(&moved.markets, move_ppm, 0).unwrap();
                there.health_maint(&account.data).unwrap() >= 0
            };
            let fall = moved.fall_ppm.map(|fall| (-fall.cast_signed(), 1));
            let rise = moved.rise_ppm.map(|rise| (rise.cast_signed(), -1));
            for (far, nearer) in fall.into_iter().chain(rise) {
                crossings += 1;
                assert_eq!([at(far), at(far + nearer)], [moved.health < 0, moved.health >= 0]);
            }
        }
    }
    assert!(crossings >= 20, "{crossings} of {searched}");
}

#[test]
fn stress_is_what_the_account_is_worth_there() {
    let mut walk = with_boards(24);
    trade_at_random(&mut walk, 120);
    for trader in walk.traders.clone() {
        let (account, snapshot) = look(&walk, &trader);
        let stress = snapshot.stress(&account.data, &Default::default()).unwrap();
        let middle = stress.cells[2][8].unwrap();
        assert_eq!((middle.pnl, middle.equity), (0, stress.equity));
        let market = walk.places.sol.market;
        let spot = snapshot.markets[&market].spot;
        let prices: Vec<Price> = (50..=150).step_by(10).map(|percent| Price::from_raw(spot / 100 * percent)).collect();
        let payoff = snapshot.payoff(&account.data, &market, &prices).unwrap();
        for point in &payoff.points {
            let there = snapshot.at_price(&market, point.spot).unwrap().margin(&account.data).unwrap();
            assert_eq!(point.now, Some(there.equity_maint.raw()));
            assert!(point.at_expiry.is_some() == payoff.expiry.is_some());
        }
    }
}

#[test]
fn a_price_with_slippage_is_still_accepted_and_the_reason_is_in_words() {
    let walk = with_boards(25);
    let (trader, sol) = (walk.places.alice, walk.places.sol);
    let (account, snapshot) = look(&walk, &trader);
    let trade = Trade::position(sol.market, 5_000_000_000);
    let what_if = snapshot.what_if(&account.data, &trade).unwrap();
    let execution = what_if.execution.unwrap();
    assert!(execution.average_price > execution.spot && execution.charge > 0 && execution.fee > 0);
    let limited = what_if.with_slippage(plimsoll_risk::units::Ppm::from_raw(1_000));
    assert_ne!(limited, trade);
    assert!(try_it(&walk, &trader, &sol, &limited).result.is_ok());
    let none = OpenOptionArgs { series: 31, lots: 1, limit_price: u64::MAX, expires_at: 0, reduce_only: 0 };
    let unknown = Trade::OpenOption { board: address::board(&sol.market, 0), args: none };
    let WhatIf { refused, is_applied, .. } = snapshot.what_if(&account.data, &unknown).unwrap();
    assert_eq!((refused, is_applied), (Some(PlimsollError::UnknownSeries), false));
    let reason = snapshot.what_if(&account.data, &unknown).unwrap().reason().unwrap();
    assert!(reason.starts_with("UnknownSeries: "), "{reason}");
}
