//! How a margin account's slots are taken and freed, and that errors and events keep their numbers apart.

use bytemuck::Zeroable;
use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{MAX_BALANCES, MAX_BOARDS, MAX_MARKETS, MAX_OPTIONS, MarginAccount, NO_MARKET},
    error::ERROR_OFFSET,
};

fn address(number: u8) -> Address {
    Address::new_from_array([number; 32])
}

#[test]
fn a_balance_takes_its_markets_slot_and_frees_it_with_the_last() {
    let mut account = MarginAccount::zeroed();
    let first = account.balance_slot_or_new(&address(1), Some(&address(9))).unwrap();
    let second = account.balance_slot_or_new(&address(2), Some(&address(9))).unwrap();
    let market = account.market_slot(&address(9)).unwrap();
    assert_eq!(account.markets[market].balances, 2);
    assert_eq!(usize::from(account.balances[second].market_slot), market);
    account.release_balance(first).unwrap();
    assert_eq!(account.markets[market].balances, 1);
    account.release_balance(second).unwrap();
    assert_eq!(account.market_slot(&address(9)), None);
    assert!(account.is_empty());
}

#[test]
fn what_is_not_empty_is_not_freed() {
    let mut account = MarginAccount::zeroed();
    let balance = account.balance_slot_or_new(&address(1), None).unwrap();
    account.balances[balance].shares = -1;
    account.release_balance(balance).unwrap();
    assert_eq!(account.balance_slot(&address(1)), Some(balance));
    assert_eq!(account.balances[balance].market_slot, NO_MARKET);
    let market = account.market_slot_or_new(&address(2)).unwrap();
    account.markets[market].cash = 1;
    account.release_market(market).unwrap();
    assert_eq!(account.market_slot(&address(2)), Some(market));
    assert!(!account.is_empty());
}

#[test]
fn the_same_address_finds_the_same_slot() {
    let mut account = MarginAccount::zeroed();
    let slot = account.balance_slot_or_new(&address(1), Some(&address(2))).unwrap();
    assert_eq!(account.balance_slot_or_new(&address(1), Some(&address(2))), Ok(slot));
    assert_eq!(account.markets[0].balances, 1);
}

#[test]
fn a_full_account_says_what_is_full() {
    let mut account = MarginAccount::zeroed();
    for number in 0..MAX_MARKETS {
        account.market_slot_or_new(&address(u8::try_from(number).unwrap() + 1)).unwrap();
    }
    assert_eq!(account.market_slot_or_new(&address(200)), Err(PlimsollError::TooManyMarkets));
    let before = account;
    assert_eq!(account.balance_slot_or_new(&address(100), Some(&address(200))), Err(PlimsollError::TooManyMarkets));
    assert_eq!(account, before);
    for number in 0..MAX_BALANCES {
        account.balance_slot_or_new(&address(u8::try_from(number).unwrap() + 100), None).unwrap();
    }
    assert_eq!(account.balance_slot_or_new(&address(99), None), Err(PlimsollError::TooManyBalances));
}

/// Series and lots of the board slot, in their order.
fn options_of(account: &MarginAccount, board_slot: usize) -> Vec<(u8, i32)> {
    let options = &account.options[account.options_of(board_slot).unwrap()];
    assert!(options.iter().all(|option| usize::from(option.board_slot) == board_slot));
    options.iter().map(|option| (option.series, option.lots)).collect()
}

#[test]
fn options_stand_in_the_order_of_their_boards_and_series() {
    let mut account = MarginAccount::zeroed();
    let first = account.board_slot_or_new(&address(1), &address(9)).unwrap();
    let second = account.board_slot_or_new(&address(2), &address(8)).unwrap();
    for (board, series, lots) in [(second, 4, 1), (first, 7, 2), (second, 0, 3), (first, 2, 4), (second, 2, -5)] {
        account.set_option(board, series, lots).unwrap();
    }
    assert_eq!(options_of(&account, first), [(2, 4), (7, 2)]);
    assert_eq!(options_of(&account, second), [(0, 3), (2, -5), (4, 1)]);
    assert_eq!((account.option_lots(second, 2), account.option_lots(second, 7)), (Ok(-5), Ok(0)));
    account.set_option(second, 2, 6).unwrap();
    account.set_option(first, 2, 0).unwrap();
    account.set_option(first, 3, 0).unwrap();
    assert_eq!(options_of(&account, first), [(7, 2)]);
    assert_eq!(options_of(&account, second), [(0, 3), (2, 6), (4, 1)]);
    assert!(account.options[4..].iter().all(|option| *option == Zeroable::zeroed()));
}

#[test]
fn a_board_takes_its_markets_slot_and_frees_it_with_the_last_option() {
    let mut account = MarginAccount::zeroed();
    let board = account.board_slot_or_new(&address(1), &address(9)).unwrap();
    assert_eq!(account.board_slot_or_new(&address(1), &address(9)), Ok(board));
    let other = account.board_slot_or_new(&address(2), &address(9)).unwrap();
    let market = account.market_slot(&address(9)).unwrap();
    assert_eq!((account.markets[market].boards, account.board_slot(&address(2))), (2, Some(other)));
    account.set_option(board, 5, 1).unwrap();
    account.release_board(board).unwrap();
    assert_eq!(account.board_slot(&address(1)), Some(board));
    account.release_board(other).unwrap();
    account.set_option(board, 5, 0).unwrap();
    assert!(!account.is_empty());
    account.release_board(board).unwrap();
    assert_eq!((account.board_slot(&address(1)), account.market_slot(&address(9))), (None, None));
    assert!(account.is_empty());
}

#[test]
fn a_full_account_says_which_options_are_full() {
    let mut account = MarginAccount::zeroed();
    for number in 0..MAX_BOARDS {
        account.board_slot_or_new(&address(u8::try_from(number).unwrap() + 1), &address(99)).unwrap();
    }
    assert_eq!(account.board_slot_or_new(&address(50), &address(99)), Err(PlimsollError::TooManyBoards));
    for series in 0..u8::try_from(MAX_OPTIONS).unwrap() {
        account.set_option(usize::from(series % 8), series, 1).unwrap();
    }
    let before = account;
    assert_eq!(account.set_option(0, 33, 1), Err(PlimsollError::TooManyOptions));
    assert_eq!(account, before);
    account.set_option(7, 31, 0).unwrap();
    account.set_option(0, 33, 1).unwrap();
    assert_eq!(options_of(&account, 0).last(), Some(&(33, 1)));
}

#[test]
fn an_option_sold_is_a_liability_and_one_bought_is_none() {
    let mut account = MarginAccount::zeroed();
    let board = account.board_slot_or_new(&address(1), &address(9)).unwrap();
    account.set_option(board, 0, 1).unwrap();
    assert!(account.has_no_liability());
    account.set_option(board, 1, -1).unwrap();
    assert!(!account.has_no_liability());
}

#[test]
fn liabilities_are_borrows_positions_and_negative_cash() {
    let mut account = MarginAccount::zeroed();
    account.balances[0].shares = 5;
    account.markets[0].cash = 5;
    assert!(account.has_no_liability());
    for liable in [
        {
            let mut a = account;
            a.balances[1].shares = -1;
            a
        },
        {
            let mut a = account;
            a.markets[1].size = 1;
            a
        },
        {
            let mut a = account;
            a.markets[1].size = -1;
            a
        },
        {
            let mut a = account;
            a.markets[1].cash = -1;
            a
        },
    ] {
        assert!(!liable.has_no_liability());
    }
}

#[test]
fn every_error_has_its_own_code_and_says_something() {
    let mut codes: Vec<u32> = PlimsollError::ALL.iter().map(|error| error.code()).collect();
    assert!(codes.is_sorted(), "errors are listed by number");
    codes.dedup();
    assert_eq!(codes.len(), PlimsollError::ALL.len());
    for error in PlimsollError::ALL {
        assert_eq!(PlimsollError::from_code(error.code()), Some(*error));
        assert!(error.message().len() > 10 && !error.name().is_empty());
    }
    assert_eq!(PlimsollError::from_code(ERROR_OFFSET + 999), None);
    // The engine's causes all have a code here.
    for cause in plimsoll_risk::Error::ALL {
        assert!(PlimsollError::ALL.contains(&PlimsollError::from(*cause)));
    }
}

/// A fraction of what one account has of a board moves to another, as a liquidation does it, against setting every option
/// by itself: the same bytes, whatever the two hold.
#[test]
fn a_walk_moves_options_as_setting_each_of_them_does() {
    let mut state = 7u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..2_000 {
        let [mut from, mut to] = [0, 1].map(|_| {
            let mut account = MarginAccount::zeroed();
            for board in 1..=3 {
                let slot = account.board_slot_or_new(&address(board), &address(9)).unwrap();
                for _ in 0..next(8) {
                    account.set_option(slot, next(10) as u8, next(7) as i32 - 3).unwrap();
                }
            }
            account
        });
        let (mut slow_from, mut slow_to, mut moved) = (from, to, vec![]);
        for slot in 0..3 {
            let mut walk = to.options_from_last(slot).unwrap();
            for position in from.options_of(slot).unwrap().rev() {
                let option = from.options[position];
                // Some of it, all of it, nothing, or more than it is: the walk takes any.
                let lots = [option.lots, option.lots / 2, 0, next(5) as i32 - 2][next(4) as usize];
                moved.push((slot, option.series, lots));
                let given = from.take_lots(slot, position, lots).unwrap();
                let taken = to.add_lots(&mut walk, option.series, lots).unwrap();
                assert_eq!((given.0 - given.1, taken.1 - taken.0), (lots, lots));
            }
        }
        for (slot, series, lots) in moved {
            let (give, take) = (slow_from.option_lots(slot, series), slow_to.option_lots(slot, series));
            slow_from.set_option(slot, series, give.unwrap() - lots).unwrap();
            slow_to.set_option(slot, series, take.unwrap() + lots).unwrap();
        }
        assert!((from, to) == (slow_from, slow_to));
    }
}

#[test]
fn a_walk_names_what_is_too_much() {
    let mut account = MarginAccount::zeroed();
    let board = account.board_slot_or_new(&address(1), &address(9)).unwrap();
    for series in 0..u8::try_from(MAX_OPTIONS).unwrap() {
        account.set_option(board, series, i32::MAX).unwrap();
    }
    let before = account;
    let mut walk = account.options_from_last(board).unwrap();
    assert_eq!(account.add_lots(&mut walk, 40, 1), Err(PlimsollError::TooManyOptions));
    assert_eq!(account.add_lots(&mut walk, 3, 1), Err(PlimsollError::TooManyLots));
    assert_eq!(account.take_lots(board, 3, -1), Err(PlimsollError::TooManyLots));
    assert_eq!(account.take_lots(board, MAX_OPTIONS, 1), Err(PlimsollError::Corrupt));
    assert_eq!(account.options_from_last(MAX_BOARDS).map(|_| ()), Err(PlimsollError::Corrupt));
    assert_eq!(account, before);
}
