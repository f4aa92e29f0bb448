//! `flag_liquidation`, `liquidate`.

use plimsoll_client::{
    event::Event,
    instruction::{account, trade},
};
use plimsoll_e2e_tests::{
    E, I, Trader, World,
    chain::with_meta,
    world::{BTC, Places, SOL, USD},
};
use plimsoll_interface::{
    Address,
    accounts::{Bank, MarginAccount, Market},
    address,
    config::{pause, state},
    event::{Liquidated, LiquidationFlagged},
    instruction::LiquidateArgs,
};
use plimsoll_risk::portfolio::Margin;
use solana_instruction::Instruction;

/// Equity and requirement of Alice at 52,000 USD: 10,000 - 48,072.0192 + 41,600, and half of 20 % of 41,600.
const EQUITY: i64 = 3_527_980_800;
const REQUIREMENT: i64 = 4_160_000_000;

/// Alice has 10,000 USD and has bought 0.8 BTC at 60,000: 48,000, half spread 48, premium 1 % of 48,000 for 0.8 of
/// 10,000 and half of it, 0.0192, fee 24. Carol, a stranger, has 50,000 USD. BTC falls to `dollars`.
fn sinking(dollars: i64) -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.btc, 8 * BTC / 10);
    assert_eq!(w.position(&p.alice, &p.btc).1, -48_072_019_200);
    w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
    w.set_price(&p.btc, dollars);
    (w, p)
}

fn sunk() -> (World, Places) {
    sinking(52_000)
}

fn liquidated(outcome: &plimsoll_e2e_tests::Outcome) -> Liquidated {
    match outcome.event() {
        Event::Liquidated(event) => event,
        other => panic!("{other:?}"),
    }
}

fn started_at(w: &World, trader: &Trader) -> i64 {
    w.margin_account(trader).liquidation_started_at
}

/// How far the maintenance equity is above the line with its buffer, quote native.
fn above_buffer(margin: &Margin) -> i64 {
    let line = i128::from(margin.requirement_maint.raw()) * 11 / 10;
    i64::try_from(i128::from(margin.equity_maint.raw()) - line).unwrap()
}

mod flag {
    use super::*;

    #[test]
    fn an_account_below_its_line_enters_the_auction() {
        let (mut w, p) = sunk();
        let outcome = w.flag(&p.alice);
        let expected = LiquidationFlagged {
            account: p.alice.account,
            equity: EQUITY,
            requirement: REQUIREMENT,
            started_at: w.now(),
            insolvent_since: 0,
        };
        assert_eq!(outcome.event(), Event::LiquidationFlagged(expected));
        let account = w.margin_account(&p.alice);
        assert_eq!((account.liquidation_started_at, account.liquidation_seen_at), (w.now(), w.now()));
    }

    #[test]
    fn an_account_above_its_line_is_in_none() {
        let (mut w, p) = sinking(54_000);
        let outcome = w.flag(&p.alice);
        assert!(matches!(outcome.event(), Event::LiquidationFlagged(event) if event.started_at == 0));
        assert_eq!(started_at(&w, &p.alice), 0);
    }

    #[test]
    fn an_account_that_recovers_leaves_the_auction() {
        let (mut w, p) = sunk();
        w.flag(&p.alice);
        w.set_price(&p.btc, 60_000);
        w.flag(&p.alice);
        let account = w.margin_account(&p.alice);
        assert_eq!((account.liquidation_started_at, account.liquidation_seen_at), (0, 0));
    }

    /// An auction lasts 100 s. Whoever is not seen below the line for longer may have been healthy in between.
    #[test]
    fn an_auction_that_nobody_looked_at_starts_anew() {
        let (mut w, p) = sunk();
        let start = w.now();
        w.flag(&p.alice);
        w.pass(100);
        w.set_price(&p.btc, 52_000);
        w.flag(&p.alice);
        assert_eq!(started_at(&w, &p.alice), start);
        w.pass(101);
        w.set_price(&p.btc, 52_000);
        w.flag(&p.alice);
        assert_eq!(started_at(&w, &p.alice), start + 201);
    }

    #[test]
    fn what_the_account_uses_must_be_listed() {
        let (mut w, p) = sunk();
        let ix = w.flag_ix(&p.alice);
        let without = |addresses: &[Address]| {
            let mut ix = ix.clone();
            ix.accounts.retain(|meta| !addresses.contains(&meta.pubkey));
            ix
        };
        w.refuses(without(&[p.usdc.bank]), E::MissingBank);
        w.refuses(without(&[p.btc.market, p.btc.oracle]), E::MissingMarket);
        w.refuses(without(&[p.btc.market]), E::MissingMarket);
        w.ok(without(&[p.btc.oracle]));
    }

    /// No instruction can bring this about.
    #[test]
    fn a_market_that_is_none_is_reported() {
        let (mut w, p) = sunk();
        let market = w.account(&p.btc.market).unwrap();
        let bank = w.account(&p.btc.bank).unwrap();
        w.set_account(p.btc.market, bank);
        w.refuses(w.stored_without(&p.btc).flag_liquidation(&w.keyed(&p.alice)), E::UnknownAccount);
        w.set_account(p.btc.market, market);
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let (mut w, p) = sunk();
        w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].cash = i64::MAX);
        w.refuses(w.flag_ix(&p.alice), E::Overflow);
        w.edit::<MarginAccount>(&p.alice.account, |account| account.markets[0].cash = -48_072_019_200);
    }
}

mod liquidate {
    use super::*;

    /// T = 1.1 R = 4,576; f = (T - E) / (T - d R) at d = 1 %: 1,048.0192 / 4,534.4 = 23.11 %, for f (E - d R).
    #[test]
    fn a_stranger_brings_an_account_to_its_buffer_in_one_step() {
        let (mut w, p) = sunk();
        let fraction = (1_048_019_200u128 << 32).div_ceil(4_534_400_000) as u64;
        let payment = (3_486_380_800 * u128::from(fraction)).div_ceil(1 << 32) as u64;
        let outcome = w.liquidate(&p.carol, &p.alice);
        let expected = Liquidated {
            account: p.alice.account,
            taker: p.carol.account,
            equity: EQUITY,
            requirement: REQUIREMENT,
            fraction,
            payment,
            discount_ppm: 10_000,
        };
        assert_eq!(liquidated(&outcome), expected);
        let above = above_buffer(&w.margin(&p.alice));
        // Within rounding of the buffer: the last base unit of BTC alone is worth 520 quote native.
        assert!((0..1_000).contains(&above), "{above}");
        assert_eq!(started_at(&w, &p.alice), 0);
        let taken = ((80_000_000 * u128::from(fraction)) >> 32) as i64;
        assert_eq!(w.position(&p.carol, &p.btc).0, taken);
        assert_eq!(w.position(&p.alice, &p.btc).0, 80_000_000 - taken);
    }

    #[test]
    fn what_one_loses_the_other_gains() {
        let (mut w, p) = sunk();
        let equity = |w: &World, trader| w.margin(trader).equity_init.raw();
        let before = equity(&w, &p.alice) + equity(&w, &p.carol);
        let market = w.market(&p.btc);
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        let after = equity(&w, &p.alice) + equity(&w, &p.carol);
        assert!((-1..=0).contains(&(after - before)), "INV-4: {before} became {after}");
        // The taker gains the discount on what it took: 1 % of f R, less up to a base unit of BTC.
        let gain = equity(&w, &p.carol) - 50_000 * USD;
        let discount = ((i128::from(REQUIREMENT) * i128::from(event.fraction)) >> 32) as i64 / 100;
        assert!((-525..=0).contains(&(gain - discount)), "{gain} for {discount}");
        let after = w.market(&p.btc);
        assert_eq!((after.house_size, after.house_cash), (market.house_size, market.house_cash));
    }

    #[test]
    fn a_healthy_account_is_left_alone() {
        let (mut w, p) = sinking(54_000);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
    }

    /// At the line itself: equity equals requirement. 0.8 BTC at P: 10,000 - 48,072.0192 + 0.72 P = 0 at 52,877.8044.
    #[test]
    fn the_line_itself_is_healthy() {
        let (mut w, p) = sinking(52_000);
        w.deposit(&p.alice, &p.usdc, (REQUIREMENT - EQUITY) as u64);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
        w.settle(&p.alice, &p.btc);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
    }

    #[test]
    fn an_account_that_was_liquidated_to_its_buffer_is_healthy() {
        let (mut w, p) = sunk();
        w.liquidate(&p.carol, &p.alice);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
    }

    /// 10,000 - 48,072.0192 + 0.8 P is zero at 47,590.024.
    #[test]
    fn an_account_without_equity_is_refused() {
        let (mut w, p) = sinking(47_590);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountInsolvent);
    }

    /// At 47,650 USD Alice is left with 47.9808 USD. Less 1 % of 3,812 that is less than the 10 of dust.
    #[test]
    fn dust_is_taken_over_as_a_whole() {
        let (mut w, p) = sinking(47_650);
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        assert_eq!((event.equity, event.fraction, event.payment), (47_980_800, 1 << 32, 9_860_800));
        let account = w.margin_account(&p.alice);
        assert_eq!(account.markets.iter().filter(|slot| slot.in_use == 1).count(), 0);
        assert_eq!(w.shares(&p.alice, &p.usdc), 9_860_800);
        assert_eq!(w.position(&p.carol, &p.btc), (8 * BTC / 10, -48_072_019_200));
        // A dollar more, and it is not.
        let (mut w, p) = sinking(47_651);
        assert!(liquidated(&w.liquidate(&p.carol, &p.alice)).fraction < 1 << 32);
    }

    /// At 47,600 USD Alice is left with 7.9808 USD, which is less than 1 % of 3,808.
    #[test]
    fn an_account_worth_less_than_the_reward_is_taken_over_for_nothing() {
        let (mut w, p) = sinking(47_600);
        let half = LiquidateArgs { max_fraction: 1 << 31, max_payment: 0 };
        let event = liquidated(&w.ok(w.liquidate_args_ix(&p.carol, &p.alice, half)));
        assert_eq!((event.equity, event.fraction, event.payment), (7_980_800, 1 << 31, 0));
        assert_eq!(w.position(&p.alice, &p.btc), (4 * BTC / 10, -24_036_009_600));
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        assert_eq!((event.equity, event.fraction, event.payment), (3_990_400, 1 << 32, 0));
        let account = w.margin_account(&p.alice);
        assert_eq!(account.markets.iter().filter(|slot| slot.in_use == 1).count(), 0);
        assert_eq!(account.balances.iter().filter(|slot| slot.in_use == 1).count(), 0);
        assert_eq!(w.margin(&p.carol).equity_init.raw(), 50_007_980_800);
    }

    /// Alice is long and sinks with the price, or short and sinks as it rises. One taking gains its taker f d R less
    /// what is rounded against it, up to a base unit of BTC; three by two strangers gain them no more than f d R
    /// either. With a discount on the equity those of the long account gained 8.71 USD together where one taking gained
    /// 8.14.
    #[test]
    fn nobody_gains_by_splitting_a_liquidation() {
        for (size, dollars) in [(8, 52_000), (-8, 68_000)] {
            let start = || {
                let (mut w, p) = World::new();
                w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
                w.open(&p.alice, &p.btc, size * BTC / 10);
                w.deposit(&p.bob, &p.usdc, 50_000 * USD as u64);
                w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
                w.set_price(&p.btc, dollars);
                (w, p)
            };
            let equity = |w: &World, trader: &Trader| w.margin(trader).equity_maint.raw();
            let (mut w, p) = start();
            let event = liquidated(&w.liquidate(&p.carol, &p.alice));
            let most = ((i128::from(event.requirement) * i128::from(event.fraction)) >> 32) as i64 / 100;
            let (gain, left) = (equity(&w, &p.carol) - 50_000 * USD, equity(&w, &p.alice));
            assert!((-680..=0).contains(&(gain - most)), "{gain} of {most}");
            let (mut w, p) = start();
            for (taker, max_fraction) in [(p.bob, 1 << 28), (p.carol, 1 << 27), (p.bob, 1 << 32)] {
                let args = LiquidateArgs { max_fraction, max_payment: u64::MAX };
                w.ok(w.liquidate_args_ix(&taker, &p.alice, args));
            }
            let gains = equity(&w, &p.bob) + equity(&w, &p.carol) - 100_000 * USD;
            assert!((-3 * 680..=0).contains(&(gains - most)), "{gains} of {most} in parts, {gain} at once");
            assert!((equity(&w, &p.alice) - left).abs() <= 3 * 680);
            assert!(above_buffer(&w.margin(&p.alice)) >= 0);
        }
    }

    #[test]
    fn a_taker_takes_no_more_than_it_wants() {
        let (mut w, p) = sunk();
        let args = LiquidateArgs { max_fraction: 1 << 28, max_payment: u64::MAX };
        w.flag(&p.alice);
        let start = w.now();
        w.pass(10);
        let event = liquidated(&w.ok(w.liquidate_args_ix(&p.carol, &p.alice, args)));
        assert_eq!(event.fraction, 1 << 28);
        assert_eq!(w.position(&p.carol, &p.btc).0, 5_000_000);
        // Still below its line, so still in the same auction, and its ratio is better than before (INV-6).
        assert_eq!((started_at(&w, &p.alice), w.margin_account(&p.alice).liquidation_seen_at), (start, start + 10));
        let after = w.margin(&p.alice);
        let (equity, requirement) = (after.equity_maint.raw(), after.requirement_maint.raw());
        assert!(i128::from(equity) * i128::from(REQUIREMENT) > i128::from(EQUITY) * i128::from(requirement));
        w.liquidate(&p.carol, &p.alice);
        assert!(above_buffer(&w.margin(&p.alice)) >= 0);
    }

    #[test]
    fn a_taker_pays_no_more_than_it_wants() {
        let (mut w, p) = sunk();
        let mut twin = sunk().0;
        let payment = liquidated(&twin.liquidate(&p.carol, &p.alice)).payment;
        let up_to = |w: &World, max_payment| {
            w.liquidate_args_ix(&p.carol, &p.alice, LiquidateArgs { max_fraction: 1 << 32, max_payment })
        };
        w.refuses(up_to(&w, payment - 1), E::PaymentLimit);
        w.ok(up_to(&w, payment));
    }

    /// From 1 % to 10 % in 100 s.
    #[test]
    fn the_discount_grows_with_time() {
        for (seconds, discount) in [(0, 10_000), (1, 10_900), (50, 55_000), (99, 99_100), (100, 100_000)] {
            let (mut w, p) = sunk();
            w.flag(&p.alice);
            w.pass(seconds);
            w.set_price(&p.btc, 52_000);
            assert_eq!(liquidated(&w.liquidate(&p.carol, &p.alice)).discount_ppm, discount);
        }
    }

    #[test]
    fn an_auction_that_lapsed_starts_at_the_smallest_discount() {
        let (mut w, p) = sunk();
        w.flag(&p.alice);
        w.pass(101);
        w.set_price(&p.btc, 52_000);
        assert_eq!(liquidated(&w.liquidate(&p.carol, &p.alice)).discount_ppm, 10_000);
    }

    #[test]
    fn nobody_liquidates_himself() {
        let (mut w, p) = sunk();
        let create = account::Create { payer: p.alice.owner, owner: p.alice.owner, exchange: p.exchange, index: 1 };
        w.ok(create.instruction());
        let second = Trader { account: address::margin_account(&p.exchange, &p.alice.owner, 1), ..p.alice };
        w.deposit(&second, &p.usdc, 50_000 * USD as u64);
        w.refuses(w.liquidate_ix(&second, &p.alice), E::SameAccount);
        // The account itself: Anchor's "duplicate mutable account".
        w.refuses(w.liquidate_ix(&p.alice, &p.alice), I::Custom(2040));
    }

    #[test]
    fn a_delegate_of_the_taker_liquidates() {
        let (mut w, p) = sunk();
        let mut ix = w.liquidate_ix(&p.carol, &p.alice);
        ix.accounts[0].pubkey = p.bob.owner;
        w.refuses(&ix, E::NotOwnerOrDelegate);
        let set =
            account::SetDelegate { owner: p.carol.owner, account: p.carol.account, delegate: p.bob.owner, scope: 0 };
        w.ok(set.instruction());
        w.ok(&ix);
    }

    #[test]
    fn arguments_and_states_that_are_refused() {
        let (mut w, p) = sunk();
        let none = LiquidateArgs { max_fraction: 0, max_payment: u64::MAX };
        w.refuses(w.liquidate_args_ix(&p.carol, &p.alice, none), E::ZeroAmount);
        w.configure(|config| config.pauses = pause::LIQUIDATE);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::Paused);
        w.configure(|config| config.pauses = pause::ALL & !pause::LIQUIDATE);
        w.liquidate(&p.carol, &p.alice);
        w.pass(-1);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::ClockWentBack);
    }

    /// Alice holds 100 SOL and 0.5 BTC bought at 60,000: at 43,000 USD her equity is 12,500 - 30,045.0075 + 21,500, her
    /// requirement 10 % of 34,000 and 5 % of 12,500. Whoever takes over a part of that pays in dollars.
    #[test]
    fn a_taker_must_carry_what_it_takes() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.open(&p.alice, &p.btc, BTC / 2);
        w.set_price(&p.btc, 43_000);
        w.deposit(&p.bob, &p.usdc, USD as u64);
        w.refuses(w.liquidate_ix(&p.bob, &p.alice), E::TakerUnhealthy);
        w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
        // With SOL for collateral the payment is a borrow, as far as the bank lends.
        w.configure_bank(&p.usdc, |config| config.borrow_cap = 100 * USD as u64);
        w.refuses(w.liquidate_ix(&p.bob, &p.alice), E::BorrowCap);
        w.configure_bank(&p.usdc, |config| config.state = state::REDUCE_ONLY);
        w.refuses(w.liquidate_ix(&p.bob, &p.alice), E::BankReduceOnly);
        w.configure_bank(&p.usdc, |config| (config.state, config.borrow_cap) = (state::ACTIVE, u64::MAX));
        let event = liquidated(&w.liquidate(&p.bob, &p.alice));
        assert_eq!((event.equity, event.requirement), (3_954_992_500, 4_025_000_000));
        assert_eq!(w.shares(&p.bob, &p.usdc), USD - event.payment as i64);
    }

    #[test]
    fn a_taker_with_an_old_price_takes_no_risk() {
        let (mut w, p) = sunk();
        w.open(&p.carol, &p.sol, SOL);
        w.pass(61);
        w.set_price(&p.btc, 52_000);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::OracleStale);
        let price = w.price(125);
        w.publish(&p.sol, price);
        w.liquidate(&p.carol, &p.alice);
    }

    /// Carol is short what Alice is long, and owes the SOL that Alice holds.
    #[test]
    fn what_is_opposite_at_the_taker_shrinks() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 8_900 * USD as u64);
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        w.open(&p.alice, &p.btc, 8 * BTC / 10);
        w.deposit(&p.carol, &p.usdc, 90_000 * USD as u64);
        w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.carol, &p.sol, 50 * SOL as u64);
        w.open(&p.carol, &p.btc, -BTC / 2);
        w.set_price(&p.btc, 52_000);
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        let part = |amount: i64| ((u128::from(amount.unsigned_abs()) * u128::from(event.fraction)) >> 32) as i64;
        let (btc, sol) = (part(8 * BTC / 10), part(10 * SOL));
        assert_eq!(w.position(&p.carol, &p.btc).0, btc - BTC / 2);
        let market = w.market(&p.btc);
        assert_eq!(market.open_interest_long, (8 * BTC / 10 - btc) as u64);
        assert_eq!(market.open_interest_short, (BTC / 2 - btc) as u64);
        assert_eq!(w.shares(&p.carol, &p.sol), sol - 50 * SOL);
        assert_eq!(w.bank(&p.sol).borrow_shares, (50 * SOL - sol) as u64);
        assert_eq!(w.bank(&p.sol).deposit_shares, (110 * SOL - sol) as u64);
    }

    /// Alice owes SOL; Carol holds some. The debt that changes hands is paid from Carol's deposit.
    #[test]
    fn a_debt_taken_over_is_paid_from_the_takers_deposit() {
        let (mut w, p) = World::new();
        w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.withdraw(&p.alice, &p.sol, 60 * SOL as u64);
        w.deposit(&p.carol, &p.sol, 40 * SOL as u64);
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        // 60 SOL owed at 156.25 USD: E = 625, R = 937.5 + 2 %.
        w.publish(&p.sol, plimsoll_e2e_tests::raw::Price { price: 15_625_000_000, ema: 15_625_000_000, ..w.price(1) });
        let event = liquidated(&w.liquidate(&p.carol, &p.alice));
        assert_eq!(event.equity, 625 * USD);
        // Rounded against the taker: up.
        let owed = (60_000_000_000 * u128::from(event.fraction)).div_ceil(1 << 32) as i64;
        assert!(owed > 0);
        assert_eq!(w.shares(&p.carol, &p.sol), 40 * SOL - owed);
        assert_eq!(w.shares(&p.alice, &p.sol), owed - 60 * SOL);
    }

    #[test]
    fn what_both_use_must_be_listed_writable() {
        let (mut w, p) = sunk();
        w.deposit(&p.alice, &p.eth, 1_000);
        w.deposit(&p.carol, &p.sol, 1_000);
        let ix = w.stored().liquidate(
            p.carol.owner,
            &w.keyed(&p.carol),
            &w.keyed(&p.alice),
            LiquidateArgs { max_fraction: 1 << 32, max_payment: u64::MAX },
        );
        let listed = [
            (p.btc.market, E::MissingMarket, true),
            // These two only price collateral.
            (p.eth.market, E::MissingMarket, false),
            (p.sol.market, E::MissingMarket, false),
            (p.eth.bank, E::MissingBank, true),
            (p.sol.bank, E::MissingBank, true),
        ];
        for (address, error, is_written) in listed {
            let index = ix.accounts.iter().position(|meta| meta.pubkey == address).unwrap();
            let mut without = ix.clone();
            without.accounts.remove(index);
            w.refuses(&without, error);
            if is_written {
                w.refuses(with_meta(&ix, index, |meta| meta.is_writable = false), E::NotWritable);
            }
        }
        let mut twice = ix.clone();
        twice.accounts.extend(ix.accounts[5..].iter().cloned());
        w.ok(&twice);
    }

    #[test]
    fn a_taker_needs_free_slots() {
        let (mut w, p) = sunk();
        let fill = |w: &mut World, in_use| {
            w.edit::<MarginAccount>(&p.carol.account, |account| {
                account.markets.iter_mut().for_each(|slot| slot.in_use = in_use);
            });
        };
        fill(&mut w, 1);
        let mut ix = sunk().0.liquidate_ix(&p.carol, &p.alice);
        w.refuses(&ix, E::TooManyMarkets);
        fill(&mut w, 0);
        w.deposit(&p.alice, &p.sol, 1_000);
        ix = w.liquidate_ix(&p.carol, &p.alice);
        let fill = |w: &mut World, in_use| {
            w.edit::<MarginAccount>(&p.carol.account, |account| {
                account.balances[1..].iter_mut().for_each(|slot| slot.in_use = in_use);
            });
        };
        fill(&mut w, 1);
        w.refuses(&ix, E::TooManyBalances);
        fill(&mut w, 0);
        w.ok(&ix);
    }

    #[test]
    fn a_payment_of_less_than_a_share_stays_in_the_bank() {
        let (mut w, p) = sunk();
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 2 << 48);
        w.edit::<MarginAccount>(&p.alice.account, |account| account.balances[0].shares /= 2);
        let args = LiquidateArgs { max_fraction: 1, max_payment: u64::MAX };
        w.edit::<MarginAccount>(&p.carol.account, |account| account.balances[0].shares -= 5_000 * USD);
        assert_eq!(liquidated(&w.ok(w.liquidate_args_ix(&p.carol, &p.alice, args))).payment, 1);
        // One share changed hands, another was burnt for the payment.
        assert_eq!(w.shares(&p.alice, &p.usdc), 5_000 * USD - 1);
        assert_eq!(w.shares(&p.carol, &p.usdc), 45_000 * USD);
        w.edit::<MarginAccount>(&p.alice.account, |account| account.balances[0].shares += 10_000 * USD);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 1 << 48);
    }

    #[test]
    fn accounts_that_contradict_themselves_are_reported() {
        let (mut w, p) = sunk();
        let long = w.market(&p.btc).open_interest_long;
        w.edit::<Market>(&p.btc.market, |market| market.open_interest_long = 0);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::Corrupt);
        w.edit::<Market>(&p.btc.market, |market| market.open_interest_long = long);
        w.edit::<MarginAccount>(&p.carol.account, |account| account.balances[0].shares = i64::MAX - 1);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::Overflow);
        w.edit::<MarginAccount>(&p.carol.account, |account| account.balances[0].shares = 50_000 * USD);
    }

    /// Both instructions, from their addresses alone.
    #[test]
    fn anyone_may_settle_the_loss_of_an_account_that_sinks() {
        let (mut w, p) = sunk();
        let settle = trade::Settle {
            exchange: p.exchange,
            account: p.alice.account,
            market: p.btc.market,
            quote_mint: p.usdc.mint,
            oracle: Some(p.btc.oracle),
        };
        let before = w.margin(&p.alice);
        let ix: Instruction = settle.instruction();
        w.ok(&ix);
        assert_eq!(w.margin(&p.alice), before);
        w.liquidate(&p.carol, &p.alice);
        assert!(above_buffer(&w.margin(&p.alice)) >= 0);
    }
}
