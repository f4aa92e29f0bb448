//! Greeks of portfolios.
mod common;

use common::{any_length, build, floor, int, q48, ratio};
use plimsoll_risk::Error;
use plimsoll_risk::greeks::{Greeks, OptionGreeks, UnderlyingGreeks, greeks};
use plimsoll_risk::portfolio::Underlying;
use plimsoll_risk::price::Observation;
use plimsoll_risk::units::{Base, Price, Quote};
use proptest::prelude::*;

fn market(exposure: i64, spot: u64) -> Underlying {
    let observation = Observation { spot: Price::from_raw(spot), ..Observation::default() };
    Underlying { exposure: Base::from_raw(exposure), observation, ..Underlying::default() }
}

fn options(underlying: u8, delta: i64, others: [i64; 3]) -> OptionGreeks {
    let [gamma, vega, theta] = others.map(Quote::from_raw);
    OptionGreeks { underlying, delta: Base::from_raw(delta), gamma, vega, theta }
}

fn quote(numbers: [i64; 4]) -> Greeks {
    let [delta, gamma, vega, theta] = numbers.map(Quote::from_raw);
    Greeks { delta, gamma, vega, theta }
}

#[test]
fn a_small_book() {
    // 10 SOL at 150 against calls with a delta of -4; 2 BTC short at 60,000 and puts with a delta of -1.
    let p = build(&[market(10, 150 << 48), market(0, 1 << 48), market(-2, 60_000 << 48)]);
    let options = [options(0, -4, [-1_250, -9_950, 33]), options(2, -1, [1_299, 10_049, -70])];
    let found = greeks(&p, &options).expect("fits");
    let expected = [
        UnderlyingGreeks { delta: Base::from_raw(6), quote: quote([900, -13, -100, 33]) },
        UnderlyingGreeks::default(),
        UnderlyingGreeks { delta: Base::from_raw(-3), quote: quote([-180_000, 12, 100, -70]) },
    ];
    assert_eq!(found.underlyings[..3], expected);
    assert_eq!(found.total, quote([-179_100, 0, 0, -37]), "49 and 99 hundredths, to the floor");
}

#[test]
fn each_bad_input_has_its_error() {
    let p = build(&[market(1, 1 << 48), market(1, 1 << 48)]);
    let at = |underlying| options(underlying, 0, [0; 3]);
    assert_eq!(greeks(&p, &[at(1), at(0)]), Err(Error::OptionsOutOfOrder));
    assert_eq!(greeks(&p, &[at(1), at(1)]), Err(Error::OptionsOutOfOrder));
    assert_eq!(greeks(&p, &[at(2)]), Err(Error::UnknownUnderlying));
    assert_eq!(greeks(&p, &[options(0, i64::MAX, [0; 3])]), Err(Error::Overflow));
    assert_eq!(greeks(&build(&[market(i64::MAX, u64::MAX)]), &[]), Err(Error::Overflow));
    let most = [options(0, 0, [i64::MAX, 0, 0]), options(1, 0, [1, 0, 0])];
    assert_eq!(greeks(&p, &most), Err(Error::Overflow));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Totals are the sums, rounded once.
    #[test]
    fn totals_are_exact_sums(
        books in proptest::collection::vec((any::<[i64; 5]>(), any_length(60), 8..63_u32, any::<bool>()), 0..=16),
    ) {
        let mut underlyings = Vec::new();
        let mut with_options = Vec::new();
        let mut sums = [int(0), int(0), int(0), int(0)];
        for (number, (raw, spot, shift, has_options)) in (0_u8..).zip(books) {
            let [exposure, delta, gamma, vega, theta] = raw.map(|x| x >> shift >> 14);
            underlyings.push(market(exposure, spot));
            let own = if has_options { [delta, gamma, vega, theta] } else { [0; 4] };
            if has_options {
                with_options.push(options(number, delta, [gamma, vega, theta]));
            }
            sums[0] += int(floor(&(int(exposure + own[0]) * q48(spot))));
            sums[1] += ratio(own[1], 100);
            sums[2] += ratio(own[2], 100);
            sums[3] += int(own[3]);
        }
        let found = greeks(&build(&underlyings), &with_options).expect("fits").total;
        let found = [found.delta, found.gamma, found.vega, found.theta];
        for (found, sum) in found.iter().zip(&sums) {
            prop_assert_eq!(floor(sum), found.raw().into());
        }
    }

    /// Any bits: an answer or an error, never a panic.
    #[test]
    fn never_panics(
        books in proptest::collection::vec((any::<[i64; 5]>(), any::<u64>(), any::<u8>(), 0..64_u32), 0..=16),
    ) {
        let underlyings: Vec<_> = books.iter().map(|(raw, spot, _, shift)| market(raw[0] >> shift, *spot)).collect();
        let own = |raw: &[i64; 5], number: u8| options(number % 20, raw[1], [raw[2], raw[3], raw[4]]);
        let options: Vec<_> = books.iter().map(|(raw, _, number, _)| own(raw, *number)).collect();
        let _ = greeks(&build(&underlyings), &options);
    }
}
