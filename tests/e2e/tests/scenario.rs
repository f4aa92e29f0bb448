//! What users come for, and what others have lost money by. Amounts by hand; prices that Q16.48 holds exactly where the
//! arithmetic is to be exact.

use plimsoll_client::{event::Event, instruction::TOKEN_PROGRAM};
use plimsoll_e2e_tests::{
    Asset, E, Trader, World,
    raw::Price,
    world::{BTC, ETH, PRICE_USD, Places, SOL, USD},
};
use plimsoll_interface::{
    Address,
    accounts::Bank,
    event::{LiquidationFlagged, Settled},
};
use solana_instruction::{AccountMeta, Instruction};

/// Maintenance equity and requirement, and whether the account is in an auction: the program's own numbers.
fn flagged(w: &mut World, trader: &Trader) -> (i64, i64, bool) {
    match w.flag(trader).event() {
        Event::LiquidationFlagged(LiquidationFlagged { equity, requirement, started_at, .. }) => {
            (equity, requirement, started_at != 0)
        }
        other => panic!("{other:?}"),
    }
}

/// 100 SOL held and 100 SOL sold short. Alone the deposit would require 20 % of 12,500 and its haircut of 10 %, the
/// short 20 % of 12,500: 6,250. Together nothing is at risk but the haircut: 1,250, or 625 for maintenance.
#[test]
fn a_hedged_account_pays_for_its_hedge_only_once() {
    // SETUP
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    w.open(&p.alice, &p.sol, -100 * SOL);
    // TEST
    assert_eq!(w.margin(&p.alice).requirement_init.raw(), 1_250 * USD);
    let (alone, _) = w.priced().requirement_alone(&w.margin_account(&p.alice)).unwrap();
    assert_eq!(alone, 6_250 * USD as u64);
    // The short brought 12,500 - 12.50 - 0.625 - 6.25, and that is what the account is worth wherever SOL goes.
    for (dollars, haircut) in [(125, 625), (250, 1_250), (1_000, 5_000)] {
        w.set_price(&p.sol, dollars);
        assert_eq!(flagged(&mut w, &p.alice), (12_480_625_000, haircut * USD, false));
    }
    // So the proceeds can be withdrawn: 12,480.625 less the haircut of 1,250.
    w.set_price(&p.sol, 125);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 11_230_625_001), E::InsufficientMargin);
    w.withdraw(&p.alice, &p.usdc, 11_230_625_000);
}

/// 1 BTC long against 480 SOL short, 60,000 USD each, on 5,000 USD. Both rise by 20 %: 12,000 gained, 12,000 lost.
#[test]
fn gains_in_one_market_carry_a_loss_in_another() {
    // SETUP
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 5_000 * USD as u64);
    for (btc, sol) in [(40, 384), (60, 96)] {
        w.open(&p.alice, &p.btc, btc * BTC / 100);
        w.open(&p.alice, &p.sol, -sol * SOL);
    }
    w.deposit(&p.bob, &p.usdc, 13_000 * USD as u64);
    w.open(&p.bob, &p.sol, -480 * SOL);
    let (before, ..) = flagged(&mut w, &p.alice);
    // TEST
    w.set_price(&p.btc, 72_000);
    w.set_price(&p.sol, 150);
    let (after, requirement, in_auction) = flagged(&mut w, &p.alice);
    assert!((after - before).abs() <= 2, "{before} became {after}");
    assert!(requirement <= 1 && !in_auction, "{requirement}");
    let (.., in_auction) = flagged(&mut w, &p.bob);
    assert!(in_auction, "the same short alone has sunk");
    // Settled or not makes no difference: the loss becomes a borrow, which the gain covers.
    w.settle(&p.alice, &p.sol);
    assert!(w.shares(&p.alice, &p.usdc) < 0);
    assert_eq!(flagged(&mut w, &p.alice).0, after);
}

mod stale {
    use super::*;

    const LONG: i64 = 1_000_000;

    /// Nobody has published for days, and nobody has to.
    #[test]
    fn whoever_owes_nothing_deposits_and_withdraws() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.deposit(&p.alice, &p.usdc, USD as u64);
        w.pass(LONG);
        w.deposit(&p.alice, &p.sol, 1);
        w.withdraw(&p.alice, &p.sol, u64::MAX);
        w.withdraw(&p.alice, &p.usdc, u64::MAX);
        assert!(w.margin_account(&p.alice).is_empty());
    }

    /// ETH held has an old price: it counts zero, and BTC and dollars go on.
    #[test]
    fn an_asset_counts_zero_and_blocks_nothing() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.eth, 10 * ETH as u64 / 10);
        w.deposit(&p.alice, &p.usdc, 13_000 * USD as u64);
        w.pass(61);
        w.set_price(&p.btc, 60_000);
        w.open(&p.alice, &p.btc, BTC);
        // 13,000 less the trade's costs of 60 + 30 + 0.03 less 12,000.
        assert_eq!(w.margin(&p.alice).health_init().unwrap().raw(), 909_970_000);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 909_970_001), E::InsufficientMargin);
        w.withdraw(&p.alice, &p.usdc, 909_970_000);
        // What counts for nothing is not needed.
        w.withdraw(&p.alice, &p.eth, u64::MAX);
    }

    /// A SOL position with an old price.
    fn old_position() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
        w.open(&p.alice, &p.sol, 10 * SOL);
        w.open(&p.alice, &p.btc, BTC / 10);
        w.deposit(&p.bob, &p.eth, 10 * ETH as u64);
        w.withdraw(&p.alice, &p.eth, 1_000);
        w.pass(61);
        for (asset, dollars) in [(p.btc, 60_000), (p.eth, 3_000)] {
            w.set_price(&asset, dollars);
        }
        (w, p)
    }

    #[test]
    fn a_position_blocks_new_risk_with_its_own_error() {
        let (mut w, p) = old_position();
        w.refuses(w.open_ix(&p.alice, &p.btc, 1), E::OracleStale);
        w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::OracleStale);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::OracleStale);
        w.refuses(w.settle_ix(&p.alice, &p.sol), E::OracleStale);
        let price = w.price(125);
        w.publish(&p.sol, price);
        w.open(&p.alice, &p.btc, 1);
        w.withdraw(&p.alice, &p.usdc, 1);
    }

    #[test]
    fn a_position_blocks_neither_deposits_nor_repayments_nor_reductions_elsewhere() {
        let (mut w, p) = old_position();
        w.deposit(&p.alice, &p.usdc, 1);
        w.deposit(&p.alice, &p.eth, 1_000);
        assert_eq!(w.shares(&p.alice, &p.eth), 0);
        w.settle(&p.alice, &p.btc);
        w.close(&p.alice, &p.btc, BTC as u64 / 20);
        w.close(&p.alice, &p.btc, u64::MAX);
    }

    #[test]
    fn a_debt_blocks_new_risk_and_no_repayment() {
        let (mut w, p) = old_position();
        w.close(&p.alice, &p.btc, u64::MAX);
        let price = w.price(125);
        w.publish(&p.sol, price);
        w.close(&p.alice, &p.sol, u64::MAX);
        w.pass(61);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::OracleStale);
        w.deposit(&p.alice, &p.eth, 1_000);
        for asset in [p.sol, p.btc] {
            w.settle(&p.alice, &asset);
        }
        w.withdraw(&p.alice, &p.usdc, u64::MAX);
    }

    /// Alice's 0.8 BTC on 10,000 USD, sunk at 52,000; Carol has 50,000 USD.
    fn sunk() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.open(&p.alice, &p.btc, 8 * BTC / 10);
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.set_price(&p.btc, 52_000);
        (w, p)
    }

    /// At an old price BTC counts one range, 20 %, in Alice's favour and without risk: 41,600 * 1.2.
    #[test]
    fn an_old_price_within_its_range_liquidates_nobody() {
        let (mut w, p) = sunk();
        assert!(flagged(&mut w, &p.alice).2);
        w.pass(61);
        let favoured = 10_000_000_000 - 48_072_019_200 + 49_920_000_000;
        assert_eq!(flagged(&mut w, &p.alice), (favoured, 0, false));
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountHealthy);
    }

    /// After an hour the feed is dead and its last price is taken at its word.
    #[test]
    fn a_dead_feed_makes_nobody_unliquidatable() {
        let (mut w, p) = sunk();
        w.pass(3_600);
        assert!(!flagged(&mut w, &p.alice).2);
        w.pass(1);
        assert_eq!(flagged(&mut w, &p.alice), (3_527_980_800, 4_160_000_000, true));
        w.liquidate(&p.carol, &p.alice);
        assert!(!flagged(&mut w, &p.alice).2);
    }

    /// Sunk by SOL, whose price is fresh, so far that BTC's range does not help: 10 BTC-dollars of favour, 3,000 of loss.
    #[test]
    fn a_loss_beyond_the_range_of_an_old_price_is_liquidated() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 3_000 * USD as u64);
        w.open(&p.alice, &p.btc, BTC / 1_000);
        w.open(&p.alice, &p.sol, 100 * SOL);
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.pass(61);
        w.set_price(&p.sol, 105);
        assert!(flagged(&mut w, &p.alice).2);
        w.liquidate(&p.carol, &p.alice);
        assert!(!flagged(&mut w, &p.alice).2);
    }

    /// A slot says when it was posted, not when it was true.
    #[test]
    fn a_fresh_slot_makes_no_old_price_fresh() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.pass(1_000);
        for asset in [p.sol, p.eth] {
            let old = Price { publish_time: w.now() - 61, posted_slot: u64::MAX, ..w.price(125) };
            w.publish(&asset, old);
            w.refuses(w.open_ix(&p.alice, &asset, SOL), E::OracleStale);
            w.publish(&asset, Price { publish_time: w.now() - 60, posted_slot: 0, ..old });
            w.open(&p.alice, &asset, SOL);
        }
    }
}

/// Every instruction that reads a price account reads it the same way.
#[test]
fn no_instruction_takes_a_partially_verified_price() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.deposit(&p.alice, &p.btc, 1);
    w.deposit(&p.carol, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, SOL);
    let mut partial = w.account(&p.sol.oracle).unwrap();
    partial.data[40] = 0;
    w.set_account(p.sol.oracle, partial);
    w.refuses(w.observe_ix(&p.sol), E::OracleNotFull);
    w.refuses(w.open_ix(&p.alice, &p.sol, 1), E::OracleNotFull);
    w.refuses(w.close_ix(&p.alice, &p.sol, 1), E::OracleNotFull);
    w.refuses(w.open_ix(&p.alice, &p.eth, 1), E::OracleNotFull);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::OracleNotFull);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::OracleNotFull);
    w.refuses(w.flag_ix(&p.alice), E::OracleNotFull);
    w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::OracleNotFull);
    w.refuses(w.priced().value_house(), E::OracleNotFull);
}

/// An independent account of interest: floating point, from the published curve. 40 % to 41 % of 100 SOL lent out, the
/// rate half way to 8 % at 80 %, a tenth kept, week by week.
#[test]
fn a_year_of_interest_is_what_the_curve_says() {
    // SETUP
    let (mut w, p) = World::new();
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.withdraw(&p.alice, &p.sol, 40 * SOL as u64);
    let (mut deposits, mut borrows, mut kept) = (100e9, 40e9, 0.0);
    // TEST
    for _ in 0..52 {
        w.pass(7 * 86_400);
        w.accrue(&p.sol);
        let utilisation = (borrows / deposits * 1e6_f64).floor() / 1e6;
        let rate = (utilisation / 0.8 * 0.08 * 1e6_f64).ceil() / 1e6;
        let interest = borrows * rate * 7.0 / 365.0;
        borrows += interest;
        deposits += interest * 0.9;
        kept += interest * 0.1;
    }
    let bank = w.bank(&p.sol);
    let worth = |shares: u64, index: u64| shares as f64 * index as f64 / (1u64 << 48) as f64;
    let close = |a: f64, b: f64| assert!((a - b).abs() < 100.0, "{a} for {b}");
    close(worth(bank.borrow_shares, bank.borrow_index), borrows);
    close(worth(bank.deposit_shares, bank.deposit_index), deposits);
    close(bank.reserve as f64, kept);
    // Alice pays back and Bob takes everything: the reserve and some dust are left.
    w.deposit(&p.alice, &p.sol, borrows as u64 + 100);
    w.withdraw(&p.bob, &p.sol, u64::MAX);
    w.withdraw(&p.alice, &p.sol, u64::MAX);
    let bank = w.bank(&p.sol);
    assert_eq!((bank.deposit_shares, bank.borrow_shares), (0, 0));
    assert!((0..200).contains(&(bank.vault_amount - bank.reserve)), "{} left", bank.vault_amount - bank.reserve);
}

/// A plain transfer of the token program.
fn transfer(from: &Address, asset: &Asset, decimals: u8, to: Address, amount: u64) -> Instruction {
    let accounts = vec![
        AccountMeta::new(asset.tokens_of(from), false),
        AccountMeta::new_readonly(asset.mint, false),
        AccountMeta::new(to, false),
        AccountMeta::new_readonly(*from, true),
    ];
    let data = [&[12], amount.to_le_bytes().as_slice(), &[decimals]].concat();
    Instruction { program_id: TOKEN_PROGRAM, accounts, data }
}

#[test]
fn a_donation_to_a_vault_changes_nothing() {
    // SETUP: Bob lends 100 SOL, of which Alice borrows 40.
    let (mut w, p) = World::new();
    let mut twin = World::new().0;
    for world in [&mut w, &mut twin] {
        world.deposit(&p.bob, &p.sol, 100 * SOL as u64);
        world.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
        world.withdraw(&p.alice, &p.sol, 40 * SOL as u64);
    }
    // TEST: Mallory sends a thousand to one of the two vaults.
    let before: Bank = w.bank(&p.sol);
    w.ok(transfer(&p.mallory, &p.sol, 9, p.sol.vault, 1_000 * SOL as u64));
    assert_eq!(w.bank(&p.sol), before);
    for world in [&mut w, &mut twin] {
        world.pass(1_000_000);
        world.accrue(&p.sol);
    }
    assert_eq!(w.bank(&p.sol), twin.bank(&p.sol));
    assert_eq!(w.margin(&p.alice), twin.margin(&p.alice));
    w.refuses(w.withdraw_ix(&p.bob, &p.sol, 61 * SOL as u64), E::VaultInsufficient);
}

/// The same 700 SOL in one order and in parts, buying and selling, with the house empty, long or short before.
#[test]
fn splitting_an_order_is_never_cheaper() {
    for before in [0, 333 * SOL + 1, -333 * SOL - 1] {
        for side in [1, -1] {
            let cash = |parts: &[i64]| {
                let (mut w, p) = World::new();
                w.deposit(&p.alice, &p.usdc, 1_000_000 * USD as u64);
                w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
                if before != 0 {
                    w.open(&p.bob, &p.sol, before);
                }
                for part in parts {
                    w.open(&p.alice, &p.sol, side * part);
                }
                w.position(&p.alice, &p.sol).1
            };
            let whole = cash(&[700 * SOL]);
            for parts in [&[350 * SOL, 350 * SOL][..], &[1, 700 * SOL - 1], &[7, 123_456_789, 699_876_543_204]] {
                assert_eq!(parts.iter().sum::<i64>(), 700 * SOL);
                let split = cash(parts);
                assert!(split <= whole && whole - split < 20, "{split} for {whole}");
            }
        }
    }
}

/// Nearly all of the house's shares are redeemed after its budgets were taken back, then SOL doubles and the rest of the
/// house's deposit is paid to Alice: what she has gained besides nobody has lost yet. Bob's dollars are in the bank, and he
/// is long of BTC.
fn unpaid_profit() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.deposit(&p.bob, &p.usdc, 100_000 * USD as u64);
    w.open(&p.bob, &p.btc, BTC / 100);
    for asset in [p.sol, p.btc, p.eth] {
        w.configure_market(&asset, |config| config.risk_budget = 0);
    }
    w.redeem(&p.admin, 999_900 * USD as u64);
    w.set_price(&p.sol, 250);
    let left = w.house().quote_shares;
    assert!(left < 100 * USD as u64);
    w.settle(&p.alice, &p.sol);
    assert_eq!(w.house().quote_shares, 0);
    (w, p)
}

#[test]
fn a_profit_is_not_settled_before_somebody_has_paid_it() {
    let (mut w, p) = unpaid_profit();
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::HouseInsufficient);
    w.close(&p.alice, &p.sol, u64::MAX);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::HouseInsufficient);
    // BTC falls to 50,000: what Bob loses, 100 USD and what the trade cost, is what Alice is paid with.
    w.set_price(&p.btc, 50_000);
    let paid = w.settle(&p.bob, &p.btc);
    let Event::Settled(Settled { amount: lost, .. }) = paid.event() else { panic!() };
    assert!((-101 * USD..-100 * USD).contains(&lost), "{lost}");
    let outcome = w.settle(&p.alice, &p.sol);
    assert!(matches!(outcome.event(), Event::Settled(Settled { amount, .. }) if amount == -lost));
}

/// Alice has deposited 20,000 USD and was paid some more; what is beyond that is Bob's.
#[test]
fn a_profit_that_nobody_has_paid_is_not_borrowed_against() {
    let (mut w, p) = unpaid_profit();
    let held = w.shares(&p.alice, &p.usdc);
    w.refuses(w.withdraw_ix(&p.alice, &p.usdc, (held + USD) as u64), E::UnsettledGain);
}

/// Anyone may settle. 1,000 SOL held; 400 sold short at 125 USD lose 50,000 USD and costs at 250, which no dollars are there to
/// pay: settled, they are a borrow, which weighs nothing as all quote.
#[test]
fn settling_a_loss_lowers_nobodys_health() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 1_000 * SOL as u64);
    w.open(&p.alice, &p.sol, -400 * SOL);
    w.set_price(&p.sol, 250);
    let before = w.margin(&p.alice);
    w.settle(&p.alice, &p.sol);
    let after = w.margin(&p.alice);
    assert_eq!(after.health_maint(), before.health_maint());
    assert_eq!(after.health_init(), before.health_init());
}

/// Collateral that counts for nothing must not count for less. New collateral starts that way.
#[test]
fn a_deposit_never_lowers_health() {
    for (init, maint) in [(1_000_000, 1_000_000), (1_000_000, 999_999), (900_000, 850_000)] {
        let (mut w, p) = World::new();
        w.configure_bank(&p.sol, |config| *config = config.with_haircuts(init, maint));
        w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
        let before = w.margin(&p.alice);
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        let after = w.margin(&p.alice);
        assert!(after.health_maint().unwrap() >= before.health_maint().unwrap());
        assert!(after.health_init().unwrap() >= before.health_init().unwrap());
        // A full haircut for both counts for nothing, neither value nor credit for netting.
        assert_eq!(after == before, maint == 1_000_000);
    }
}

/// The doubt is charged on what is not hedged: 10 of 100 SOL at 1 % confidence, 12.50 USD, for maintenance too; and 2 %
/// above the average for the initial margin alone.
#[test]
fn the_oracles_doubt_is_charged_on_net_exposure() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    w.open(&p.alice, &p.sol, -90 * SOL);
    let before = w.margin(&p.alice);
    let sure = w.price(125);
    w.publish(&p.sol, Price { confidence: PRICE_USD as u64 * 125 / 100, ema: PRICE_USD * 1225 / 10, ..sure });
    let after = w.margin(&p.alice);
    let charged = |a: plimsoll_risk::units::Quote, b: plimsoll_risk::units::Quote| a.raw() - b.raw();
    // 10 SOL: confidence 1.25 USD each, spot above the average 2.50 each. Both round up in Q16.48.
    assert!((12_500_000..=12_500_001).contains(&charged(after.requirement_maint, before.requirement_maint)));
    assert!((37_500_000..=37_500_002).contains(&charged(after.requirement_init, before.requirement_init)));
    // A gap that does not flatter costs nothing.
    w.publish(&p.sol, Price { ema: PRICE_USD * 1275 / 10, ..sure });
    assert_eq!(w.margin(&p.alice), before);
}

/// A delegate does everything but take: Bob cannot move what Alice owns to himself.
#[test]
fn a_delegate_trades_and_deposits_and_never_withdraws() {
    use plimsoll_client::instruction::account;
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    let (owner, account) = (p.alice.owner, p.alice.account);
    w.ok(account::SetDelegate { owner, account, delegate: p.bob.owner, scope: 0 }.instruction());
    let as_bob = |mut ix: Instruction| {
        ix.accounts[0].pubkey = p.bob.owner;
        ix
    };
    w.ok(as_bob(w.open_ix(&p.alice, &p.sol, SOL)));
    w.ok(as_bob(w.close_ix(&p.alice, &p.sol, 1)));
    let source = p.usdc.tokens_of(&p.bob.owner);
    w.ok(w.stored().deposit(p.bob.owner, &account, &p.usdc.mint, source, 1).unwrap());
    w.refuses(as_bob(w.withdraw_ix(&p.alice, &p.usdc, 1)), E::NotOwner);
    // As owner of a margin account of his own he is a stranger to Alice's.
    w.ok(account::SetDelegate { owner, account, delegate: Address::default(), scope: 0 }.instruction());
    w.refuses(as_bob(w.open_ix(&p.alice, &p.sol, SOL)), E::NotOwnerOrDelegate);
}
