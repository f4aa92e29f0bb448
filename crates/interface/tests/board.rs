//! Strikes, bands and sampling windows, by themselves.

use bytemuck::Zeroable;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Board, BoardTerms},
    board::{SamplePart, VolatilityBand, array_strike, forward, may_move, strike_price},
    config::limits,
    instruction::StrikePrice,
};
use plimsoll_risk::{
    options::ArrayTerms,
    units::{Price, Timestamp, Volatility},
};

const EXPIRY: i64 = 1_800_000_000;

fn price(digits: u16, exponent: i8, decimals: u8) -> Result<u64, PlimsollError> {
    strike_price(StrikePrice { digits, exponent }, decimals).map(Price::raw)
}

#[test]
fn a_strike_is_its_decimal_to_the_nearest_unit() {
    // 125 USD per unit of 9, 8, 6 and 12 decimals.
    assert_eq!(price(125, 0, 9), Ok(1 << 45));
    assert_eq!(price(125, 0, 8), Ok((5 << 48) / 4));
    assert_eq!(price(125, 0, 6), Ok(125 << 48));
    assert_eq!(price(125, 0, 12), Ok(((125 << 48) + 500_000) / 1_000_000));
    // 62,500 USD, and BONK at 0.0000187 with 5 decimals: 0.000187 native per base unit.
    assert_eq!(price(625, 2, 8), Ok(625 << 48));
    assert_eq!(price(187, -7, 5), Ok(((187 << 48) + 500_000) / 1_000_000));
    for digits in 100..=999 {
        for exponent in -6..=2 {
            let raw = price(digits, exponent, 9).unwrap() as f64 / 2f64.powi(48);
            let exact = f64::from(digits) * 10f64.powi(i32::from(exponent) - 3);
            assert!((raw / exact - 1.0).abs() < 1e-6, "{digits} {exponent}: {raw}");
        }
    }
}

#[test]
fn two_decimals_are_two_strikes() {
    let mut strikes: Vec<u64> =
        (-6..=3).flat_map(|exponent| (100..=999).map(move |digits| price(digits, exponent, 9).unwrap())).collect();
    let listed = strikes.len();
    strikes.dedup();
    assert_eq!(strikes.len(), listed);
    assert!(strikes.is_sorted());
}

#[test]
fn what_is_no_strike() {
    for (digits, exponent, decimals) in [
        (0, 0, 9),
        (99, 0, 9),
        (1_000, 0, 9),
        (125, 13, 9),
        (125, -13, 9),
        (125, i8::MIN, 9),
        // Too dear and too cheap for a price.
        (125, 12, 6),
        (100, -12, 12),
    ] {
        assert_eq!(price(digits, exponent, decimals), Err(PlimsollError::InvalidStrike), "{digits} {exponent}");
    }
}

#[test]
fn a_band_lies_around_the_markets_volatility() {
    let band = |used, ratio| {
        let band = VolatilityBand::around(Volatility::from_raw(used), ratio);
        (band.least.raw(), band.most.raw())
    };
    assert_eq!(band(1_000_000, 3_000_000), (333_334, 3_000_000));
    assert_eq!(band(1_000_000, 1_000_000), (1_000_000, 1_000_000));
    // Within what the engine prices, and a ratio below one is none.
    assert_eq!(band(4_000_000, 10_000_000), (400_000, 5_000_000));
    assert_eq!(band(20_000, 10_000_000), (10_000, 200_000));
    assert_eq!(band(800_000, 0), (800_000, 800_000));
    let band = VolatilityBand::around(Volatility::from_raw(1_000_000), 2_000_000);
    for (volatility, clamped) in [(0, 500_000), (500_000, 500_000), (2_000_000, 2_000_000), (u32::MAX, 2_000_000)] {
        assert_eq!(band.clamp(Volatility::from_raw(volatility)).raw(), clamped);
        assert_eq!(band.contains(Volatility::from_raw(volatility)), volatility == clamped);
    }
}

#[test]
fn one_post_moves_a_volatility_by_a_quarter() {
    let may = |last, posted| may_move(Volatility::from_raw(last), Volatility::from_raw(posted));
    assert!(may(1_000_000, 1_250_000) && may(1_000_000, 750_000) && may(7, 8) && may(3, 3));
    assert!(!may(1_000_000, 1_250_001) && !may(1_000_000, 749_999) && !may(3, 4) && !may(u32::MAX, 0));
}

#[test]
fn a_forward_stays_within_what_the_engine_prices() {
    let spot = Price::from_raw(1 << 45);
    assert_eq!(forward(spot, 0), Ok(spot));
    // 2^45 is 12 more than a multiple of 20; of the 12, 5 % are 0.6.
    assert_eq!(forward(spot, 50_000), Ok(Price::from_raw((1 << 45) / 20 * 21 + 12)));
    assert_eq!(forward(Price::MIN_SPOT, -50_000), Ok(Price::MIN_SPOT));
    assert_eq!(forward(Price::from_raw(u64::MAX), 50_000), Ok(Price::from_raw(u64::MAX >> 1)));
    assert_eq!(forward(spot, -1_000_001), Err(PlimsollError::Corrupt));
}

#[test]
fn strikes_that_the_market_has_left_behind_are_brought_in() {
    let at = Price::from_raw(1 << 45);
    assert_eq!(array_strike(at, at), at);
    assert_eq!(array_strike(Price::from_raw(1), at).raw(), (1 << 33) + 1);
    assert_eq!(array_strike(Price::from_raw(u64::MAX), at).raw(), 50 << 45);
}

#[test]
fn terms_are_stored_as_they_are() {
    let terms = ArrayTerms {
        spot: Price::from_raw(1),
        forward: Price::from_raw(2),
        lot: 4,
        time: Timestamp::from_raw(5),
        max_drift: 7,
        step: 8,
        scale: -9,
        ..ArrayTerms::default()
    };
    assert_eq!(ArrayTerms::from(&BoardTerms::from(&terms)), terms);
}

/// Thirty parts before the expiry, each once and in any order; behind it one part after the other, up to ten in all.
#[test]
fn the_sampling_window() {
    let mut board = Board { expiry: EXPIRY, ..Board::zeroed() };
    let begin = EXPIRY - 30 * limits::SAMPLE_SECONDS;
    assert_eq!((board.wanting(begin - 1), board.wanting(i64::MIN), board.wanting(i64::MAX)), (None, None, None));
    for time in [begin, begin + 59] {
        assert_eq!(board.wanting(time), Some(SamplePart::Window(0)));
    }
    for part in (0..30).rev().take(9) {
        let time = begin + 60 * i64::from(part) + 30;
        assert_eq!(board.wanting(time), Some(SamplePart::Window(part)));
        board.add_sample(SamplePart::Window(part), Price::from_raw(100)).unwrap();
        assert_eq!(board.wanting(time), None);
    }
    assert!(!board.may_settle(Timestamp::from_raw(EXPIRY + 60)));
    let late = EXPIRY + 60 * 5_000 + 10;
    assert_eq!(board.wanting(late), Some(SamplePart::Late(EXPIRY + 60 * 5_001)));
    board.add_sample(SamplePart::Late(EXPIRY + 60 * 5_001), Price::from_raw(200)).unwrap();
    // Ten are there: enough behind the expiry. A late print of the window still counts.
    assert_eq!((board.wanting(late + 60), board.wanting(begin)), (None, Some(SamplePart::Window(0))));
    assert!(board.may_settle(Timestamp::from_raw(EXPIRY + 60)) && !board.may_settle(Timestamp::from_raw(EXPIRY + 59)));
    assert_eq!(board.sampled_price(), Some(Price::from_raw(100)));
    for part in 0..20 {
        board.add_sample(SamplePart::Window(part), Price::from_raw(100)).unwrap();
    }
    let full = board.add_sample(SamplePart::Window(20), Price::from_raw(100));
    assert_eq!(full, Err(PlimsollError::Corrupt));
}

/// Calls and puts of a strike of 0.125 quote native per base unit, settled at 0.15; amounts against who holds them.
#[test]
fn settled_options_are_worth_what_they_pay() {
    let mut board = Board { lot: 1_000_000_000, settlement_price: ((150 << 48) + 500) / 1_000, ..Board::zeroed() };
    board.strikes[3] = 1 << 45;
    let value = |board: &Board, series, lots| board.settled_value(series, lots).unwrap().raw();
    assert_eq!((value(&board, 6, 2), value(&board, 6, -2)), (49_999_999, -50_000_000));
    assert_eq!((value(&board, 7, 2), value(&board, 7, -2)), (0, 0));
    board.settlement_price = 0;
    assert_eq!((value(&board, 6, 2), value(&board, 7, 1), value(&board, 7, -1)), (0, 125_000_000, -125_000_000));
    assert_eq!(board.settled_value(6, i64::MAX), Err(PlimsollError::Overflow));
    assert_eq!(board.settled_value(32, 1), Err(PlimsollError::Corrupt));
}
