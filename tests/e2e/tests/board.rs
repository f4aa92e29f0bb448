//! `create_board`, `list_strikes`, `post_volatilities`, `refresh_board`.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    E, World,
    chain::START,
    world::{SOL, strikes},
};
use plimsoll_interface::{
    Address,
    accounts::{MAX_STRIKES, board_state},
    address,
    event::{BoardChanged, BoardRefreshed, StrikesListed, board_change},
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// 125 USD per SOL: 0.125 quote native per base unit.
const SPOT: u64 = 1 << 45;

#[test]
fn a_board_is_made_for_an_expiry() {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    let expiry = START + 30 * DAY;
    let outcome = w.ok(w.create_board_ix(&p.sol, 3, expiry));
    let address = address::board(&p.sol.market, 3);
    let expected = BoardChanged {
        market: p.sol.market,
        board: address,
        authority: p.admin,
        expiry,
        lot: SOL as u64,
        kind: board_change::CREATED,
    };
    assert_eq!(outcome.event(), Event::BoardChanged(expected));
    let board = w.board_of(&p.sol, 3);
    assert_eq!((board.market, board.exchange, board.expiry), (p.sol.market, p.exchange, expiry));
    assert_eq!((board.lot, board.state, board.slot, board.version), (SOL as u64, board_state::ACTIVE, 3, 1));
    let market = w.market(&p.sol);
    assert_eq!((market.boards, market.board_expiries), (8, [0, 0, 0, expiry, 0, 0, 0, 0]));
}

#[test]
fn strikes_are_listed_and_refreshed() {
    let (mut w, p) = World::new();
    w.enable_options(&p.sol, SOL);
    let address = w.board(&p.sol, 30, &[100, 125, 150]);
    let board = w.board_of(&p.sol, 0);
    // Dollars times 2^48 / 1000.
    assert_eq!(board.strikes[..4], [((100 << 48) + 500) / 1000, SPOT, ((150 << 48) + 500) / 1000, 0]);
    assert_eq!(board.volatilities_ppm[..4], [1_000_000, 1_000_000, 1_000_000, 0]);
    assert_eq!((board.refreshed, board.next_refreshed), (7, 0));
    assert_eq!((board.terms.spot, board.terms.forward, board.terms.time), (SPOT, SPOT, w.now()));
    let outcome = w.refresh(&p.sol, 0);
    let expected =
        BoardRefreshed { board: address, spot: SPOT, forward: SPOT, time: w.now(), computed: 7, in_force: 1 };
    assert_eq!(outcome.event(), Event::BoardRefreshed(expected));
    let outcome = w.ok(w.list_strikes_ix(&p.sol, 0, strikes(&[110])));
    let mut listed = [0; MAX_STRIKES];
    listed[..3].copy_from_slice(&[((110 << 48) + 500) / 1000, SPOT, ((150 << 48) + 500) / 1000]);
    let expected = StrikesListed { board: address, authority: p.admin, strikes: listed };
    assert_eq!(outcome.event(), Event::StrikesListed(expected));
    assert_eq!(w.board_of(&p.sol, 0).refreshed, 6);
    w.refuses(w.list_strikes_ix(&p.sol, 0, strikes(&[150])), E::DuplicateStrike);
    let _: Address = address;
}
