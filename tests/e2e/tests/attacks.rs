//! What has been tried on others, tried here. docs/security.md says which test answers which lesson; those that belong to
//! one instruction stand with it.

use plimsoll_client::{
    event::{Event, HouseValued},
    instruction::{account, house, trigger, venue::Traded},
};
use plimsoll_e2e_tests::{
    Asset, E, I, World, raw,
    world::{BTC, Places, SOL, Trader, USD, order},
};
use plimsoll_interface::{
    Address,
    accounts::{trigger_side, trigger_when},
    address,
    config::{FundingConfig, OptionConfig},
    instruction::{Contract, FillArgs, OpenPositionArgs, PlaceTriggerArgs, SwapArgs, instrument},
};

use crate::{
    house_shares, staking,
    swap::{any, swap_ix},
};

/// Alice and Bob with 100,000 USD each.
fn funded() -> (World, Places) {
    let (mut w, p) = World::new();
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.usdc, 100_000 * USD as u64);
    }
    (w, p)
}

fn equity(w: &World, trader: &Trader) -> i64 {
    w.margin(trader).equity_maint.raw()
}

/// The price has moved from 125 to `next`; whoever knows buys what the budget lets him before the exchange does, and sells
/// at once after. Gives what he has gained.
fn front_run(next: i64, size: i64) -> i64 {
    let (mut w, p) = funded();
    let before = equity(&w, &p.alice);
    w.open(&p.alice, &p.sol, size);
    let price = raw::Price { price: next, ema: next, ..w.price(0) };
    w.publish(&p.sol, price);
    w.close(&p.alice, &p.sol, u64::MAX);
    equity(&w, &p.alice) - before
}

/// A half spread and a fee each way are 0.3 % of the notional: whoever sees a print before the exchange and trades on the
/// one before gains nothing as long as the two differ by less, and of a larger move only what is beyond.
#[test]
fn a_print_seen_early_is_worth_no_more_than_what_exceeds_the_spread() {
    let quarter_percent = 12_531_250_000;
    assert!(front_run(quarter_percent, 100 * SOL) < 0);
    let half_percent = 12_562_500_000;
    let gained = front_run(half_percent, 100 * SOL);
    // 0.5 % of 12,500 USD less 0.3 %: 25 USD, and a little less for costs at the higher price.
    assert!((24 * USD..25 * USD).contains(&gained), "{gained}");
}

/// Nobody chooses among old prints: once the market has seen a newer one, an older account is refused.
#[test]
fn an_older_print_cannot_be_chosen() {
    let (mut w, p) = funded();
    let older = w.account(&p.sol.oracle).unwrap();
    w.pass(10);
    w.set_price(&p.sol, 130);
    w.set_account(p.sol.oracle, older);
    w.refuses(w.open_ix(&p.alice, &p.sol, SOL), E::OracleOlderThanObservation);
    w.refuses(w.observe_ix(&p.sol), E::OracleOlderThanObservation);
}

/// Buy before a victim, sell after it: the premium of 1 % a 10,000 SOL pays 0.05 % of the notional for a victim of 500 SOL,
/// and spread and fees take 0.3 %. The victim's limit stops even that.
#[test]
fn sandwiching_the_skew_costs_more_than_it_brings() {
    let (mut w, p) = funded();
    let before = equity(&w, &p.alice);
    w.open(&p.alice, &p.sol, 500 * SOL);
    // The price for 500 SOL without the sandwich: 125 (1 + 0.1 % + 0.025 %), less one unit 2^-48 a base unit.
    let limit_price = (12_515_625u128 << 48).div_ceil(100_000_000) as u64;
    let limited = OpenPositionArgs { limit_price, ..order(500 * SOL) };
    w.refuses(w.order_ix(&p.bob, &p.sol, limited), E::LimitPrice);
    w.open(&p.bob, &p.sol, 500 * SOL);
    w.close(&p.alice, &p.sol, u64::MAX);
    let lost = before - equity(&w, &p.alice);
    // 62,500 USD: costs of 187.5 and a little, premium of 31.25.
    assert!((156 * USD..157 * USD).contains(&lost), "{lost}");
}

/// Nobody fills another's slots with dust: deposits are the owner's and the delegate's, and settling needs something to
/// settle.
#[test]
fn a_stranger_puts_no_dust_into_an_account() {
    let (mut w, p) = funded();
    let gift = plimsoll_client::instruction::account::Deposit {
        authority: p.mallory,
        exchange: p.exchange,
        account: p.alice.account,
        mint: p.sol.mint,
        token_program: p.sol.token_program,
        source: p.sol.tokens_of(&p.mallory),
        amount: 1,
    };
    w.refuses(gift.instruction(), E::NotOwnerOrDelegate);
    w.refuses(w.settle_ix(&p.alice, &p.sol), E::NothingToSettle);
    assert_eq!(w.margin_account(&p.alice).balances.iter().filter(|slot| slot.in_use == 1).count(), 1);
}

/// Lamports sent to an address before its account exists do not keep it from being made.
#[test]
fn lamports_sent_ahead_do_not_block_an_account() {
    let (mut w, p) = World::new();
    let (exchange, owner, index) = (p.exchange, p.alice.owner, 3);
    let ahead = address::margin_account(&exchange, &owner, index);
    w.set_account(ahead, solana_account_with(1_000_000));
    w.ok(account::Create { payer: p.bob.owner, owner, exchange, index }.instruction());
    let trader = Trader { owner, account: ahead };
    w.deposit(&trader, &p.usdc, USD as u64);
}

fn solana_account_with(lamports: u64) -> solana_account::Account {
    solana_account::Account { lamports, ..raw::account(Address::default(), Vec::new()) }
}

/// An account that is closed and opened again is another: nothing of the old one is left, its delegate included.
#[test]
fn a_reopened_account_remembers_nothing() {
    let (mut w, p) = World::new();
    let (exchange, owner) = (p.exchange, p.alice.owner);
    let set = account::SetDelegate { owner, account: p.alice.account, delegate: p.mallory, scope: 0 };
    w.ok(set.instruction());
    w.ok(account::Close { owner, account: p.alice.account }.instruction());
    w.ok(account::Create { payer: owner, owner, exchange, index: 0 }.instruction());
    assert_eq!(w.margin_account(&p.alice).delegate, Address::default());
    w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
    let keyed = w.keyed(&p.alice);
    let order = w.priced().open_position(p.mallory, &keyed, &p.sol.market, order(SOL)).unwrap();
    w.refuses(order, E::NotOwnerOrDelegate);
}

/// A market's own price stands in the transaction once: what was traded at is what the margin is computed at. The market
/// passed once more, with a cheaper price account behind it, is refused.
#[test]
fn a_trade_is_priced_once() {
    let (mut w, p) = funded();
    w.withdraw(&p.alice, &p.usdc, 97_600 * USD as u64);
    // 2,400 USD carry 96 SOL short of costs: a margin of 20 % of 125 each.
    w.refuses(w.open_ix(&p.alice, &p.sol, 96 * SOL), E::InsufficientMargin);
    let mut instruction = w.open_ix(&p.alice, &p.sol, 96 * SOL);
    let cheap = Address::new_from_array([b'c'; 32]);
    let price = raw::Price { price: 6_250_000_000, ema: 6_250_000_000, ..w.price(0) };
    w.set_account(cheap, p.sol.price_account(&price));
    for listed in [p.sol.market, cheap] {
        instruction.accounts.push(solana_instruction::AccountMeta::new_readonly(listed, false));
    }
    // The framework's: an account that is to change was passed twice.
    w.refuses(instruction, I::Custom(2040));
}

/// Sells (negative) or buys at the house's price.
#[track_caller]
fn swap(w: &mut World, trader: &Trader, asset: &Asset, amount: i64) {
    w.ok(swap_ix(w, trader, asset, any(amount)));
}

/// Values the house.
#[track_caller]
fn value(w: &mut World) -> HouseValued {
    match w.value_house().event() {
        Event::HouseValued(valued) => valued,
        other => panic!("{other:?}"),
    }
}

/// The house has 200 SOL. Bob buys 100 of them at 125 USD, knowing that the next price is `next`, and sells them at that. Gives
/// what he has gained.
fn front_run_by_swap(next: i64) -> i64 {
    let (mut w, p) = funded();
    w.deposit(&p.alice, &p.sol, 200 * SOL as u64);
    swap(&mut w, &p.alice, &p.sol, -200 * SOL);
    let before = w.shares(&p.bob, &p.usdc);
    swap(&mut w, &p.bob, &p.sol, 100 * SOL);
    let price = raw::Price { price: next, ema: next, ..w.price(0) };
    w.publish(&p.sol, price);
    swap(&mut w, &p.bob, &p.sol, -100 * SOL);
    assert_eq!(w.shares(&p.bob, &p.sol), 0);
    w.shares(&p.bob, &p.usdc) - before
}

/// A swap costs what a position costs, and is worth no more to who knows the next print.
#[test]
fn a_print_seen_early_is_worth_no_more_in_a_swap() {
    assert!(front_run_by_swap(12_531_250_000) < 0);
    let gained = front_run_by_swap(12_562_500_000);
    assert!((24 * USD..25 * USD).contains(&gained), "{gained}");
}

/// Sell before a victim's sale, buy back after it: the premium on the house's inventory pays 31.25 USD, spread and fees take
/// 187.50. The victim's limit stops even that.
#[test]
fn sandwiching_a_swap_costs_more_than_it_brings() {
    let (mut w, p) = funded();
    for trader in [p.alice, p.bob] {
        w.deposit(&trader, &p.sol, 500 * SOL as u64);
    }
    let before = w.shares(&p.alice, &p.usdc);
    swap(&mut w, &p.alice, &p.sol, -500 * SOL);
    // 62,500 USD less 0.15 % and a premium of 15.625: what 500 SOL fetch without the sandwich, and a unit less.
    let limited = SwapArgs { limit_amount: 62_390_624_999, ..any(-500 * SOL) };
    w.refuses(swap_ix(&w, &p.bob, &p.sol, limited), E::LimitPrice);
    swap(&mut w, &p.bob, &p.sol, -500 * SOL);
    swap(&mut w, &p.alice, &p.sol, 500 * SOL);
    let lost = before - w.shares(&p.alice, &p.usdc);
    assert!((156 * USD..157 * USD).contains(&lost), "{lost}");
}

/// Bob has a third of the house and redeems it. In one of two worlds he makes `before` just before the valuation and undoes it
/// after his ticket's execution. Gives how much more he is paid, and what it cost him.
fn around_a_valuation(set_up: fn(&mut World), before: fn(&mut World), after: fn(&mut World)) -> (i64, i64) {
    let results = [false, true].map(|acts| {
        let (mut w, p) = World::new();
        let shares = w.provide(&p.bob.owner, 500_000 * USD as u64);
        w.deposit(&p.bob, &p.usdc, 500_000 * USD as u64);
        set_up(&mut w);
        w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
        w.pass(60);
        w.value_house_freshly();
        if acts {
            before(&mut w);
            w.value_house();
        }
        w.ok(w.ticket(&p.bob.owner, 0).execute());
        if acts {
            after(&mut w);
            w.settle(&p.bob, &p.sol);
        }
        (w.ticket_data(&p.bob.owner, 0).proceeds as i64, equity(&w, &p.bob))
    });
    let [(plain, rich), (paid, poor)] = results;
    (paid - plain, rich - poor)
}

/// He sells 4,000 SOL to the house and buys them back: a premium of 1,000 USD in between, of which his shares have nothing. Of
/// spread and fee, 750 USD each way, they have a third once.
#[test]
fn a_swap_around_a_valuation_gains_nothing() {
    let results = [false, true].map(|acts| {
        let (mut w, p) = World::new();
        let shares = w.provide(&p.bob.owner, 500_000 * USD as u64);
        w.deposit(&p.bob, &p.sol, 4_000 * SOL as u64);
        w.deposit(&p.bob, &p.usdc, 10_000 * USD as u64);
        w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
        w.pass(60);
        w.value_house_freshly();
        if acts {
            swap(&mut w, &p.bob, &p.sol, -4_000 * SOL);
            w.value_house();
        }
        w.ok(w.ticket(&p.bob.owner, 0).execute());
        if acts {
            swap(&mut w, &p.bob, &p.sol, 4_000 * SOL);
        }
        (w.ticket_data(&p.bob.owner, 0).proceeds as i64, w.shares(&p.bob, &p.usdc))
    });
    let [(plain, before), (paid, after)] = results;
    assert!((249 * USD..=250 * USD).contains(&(paid - plain)), "{}", paid - plain);
    assert!((1_500 * USD..1_500 * USD + 10).contains(&(before - after)), "{}", before - after);
}

/// Options without any spread: only the premium on vega stands between buying and selling. It is not given back beyond the mid
/// price, so it is the shares' at once: he has a third of 200 USD, and has paid them.
#[test]
fn an_option_around_a_valuation_gains_nothing() {
    let set_up = |w: &mut World| {
        let sol = w.places().sol;
        w.enable_options(&sol, SOL);
        w.board(&sol, 30, &[100, 125, 150]);
        w.configure_market(&sol, |config| {
            let options = OptionConfig { half_spread_volatility_ppm: 0, fee_ppm: 0, ..config.options };
            (config.options, config.half_spread_ppm, config.taker_fee_ppm) = (options, 0, 0);
        });
    };
    let before = |w: &mut World| {
        let p = w.places();
        w.refresh(&p.sol, 0);
        w.open_option(&p.bob, &p.sol, 0, 2, 2_000);
    };
    let after = |w: &mut World| {
        let p = w.places();
        w.close_option(&p.bob, &p.sol, 0, 2, u64::MAX);
    };
    let (gained, lost) = around_a_valuation(set_up, before, after);
    assert!((200 * USD..201 * USD).contains(&lost), "{lost}");
    assert!((66 * USD..67 * USD).contains(&gained), "{gained}");
}

/// Two banks of one market are swapped at premiums of their own. Taken off together they would be 156.25 USD too much: a cheap
/// moment to provide, for who brings it about.
#[test]
fn swaps_of_two_banks_make_no_valuation_cheap() {
    let (mut w, p, lst) = staking::staked();
    w.deposit(&p.alice, &lst, 1_000 * SOL as u64);
    w.deposit(&p.alice, &p.sol, 1_000 * SOL as u64);
    w.value_house();
    swap(&mut w, &p.alice, &lst, -1_000 * SOL);
    swap(&mut w, &p.alice, &p.sol, -1_000 * SOL);
    // Spread and fee of 0.15 % of 2,250 SOL at 125 USD, and nothing else.
    let change = value(&mut w).change;
    assert!((421_875_000 - 5..=421_875_000).contains(&change), "{change}");
}

/// Alice's long of 1,000 SOL pays 125 USD an hour, which nobody has accrued for 50 minutes. It is in the valuation all the
/// same: who provides now pays for it.
#[test]
fn funding_is_of_the_shares_of_its_time() {
    let (mut w, p) = funded();
    w.configure_market(&p.sol, |config| {
        config.funding = FundingConfig { skew_rate_per_day_ppm: 240_000, max_rate_per_day_ppm: 24_000 };
    });
    w.open(&p.alice, &p.sol, 1_000 * SOL);
    w.pass(1);
    value(&mut w);
    w.pass(3_000);
    let price = w.price(125);
    w.publish(&p.sol, price);
    let change = value(&mut w).change;
    assert!((104 * USD..105 * USD).contains(&change), "{change}");
    w.accrue_funding(&p.sol);
    assert_eq!(value(&mut w).change, 0);
}

/// Bob, who has a third of the house, fills against himself before the valuation that pays him: of the fee that makes the shares
/// dearer he gets a third back.
#[test]
fn a_fill_before_a_valuation_pays_the_house_more_than_its_holder() {
    let (mut w, p) = World::new();
    let shares = w.provide(&p.bob.owner, 500_000 * USD as u64);
    w.deposit(&p.bob, &p.usdc, 200_000 * USD as u64);
    w.deposit(&p.alice, &p.sol, 1_000 * SOL as u64);
    w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
    w.pass(60);
    w.value_house_freshly();
    let (contract, price) = (Contract::NONE, 1 << 45);
    let size = 1_000 * SOL as u64;
    let args = FillArgs { instrument: instrument::SPOT, seller_takes: 0, size, price, expires_at: 0, contract };
    let [buyer, seller] = [w.keyed(&p.bob), w.keyed(&p.alice)];
    let signers = [p.bob.owner, p.alice.owner];
    w.ok(w.priced().fill(signers, &buyer, &seller, Traded::Spot(p.sol.bank), args).unwrap());
    // 0.05 % of 125,000 USD.
    assert_eq!(value(&mut w).change, 62_500_000);
    w.ok(w.ticket(&p.bob.owner, 0).execute());
    let gained = w.ticket_data(&p.bob.owner, 0).proceeds as i64 - 500_000 * USD;
    assert!((20 * USD..=62_500_000 / 3).contains(&gained), "{gained}");
}

/// Alice's debt is 472.0192 USD beyond what she has, and the insurance is empty. Bob, who has a third of the house, asks to leave
/// the moment that he sees it. Anybody lets the house bear it within his delay; in the other world nobody does.
fn leaves_before_a_loss(resolves: bool) -> i64 {
    let (mut w, p) = World::new();
    let shares = w.provide(&p.bob.owner, 500_000 * USD as u64);
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.btc, 8 * BTC / 10);
    w.pass(1);
    w.set_price(&p.btc, 47_000);
    w.ok(w.request_redeem_ix(&p.bob.owner, 0, shares));
    w.value_house();
    w.refuses(w.ticket(&p.bob.owner, 0).execute(), E::TicketTooEarly);
    if resolves {
        let (before, house) = (w.house().nav, w.house_quote());
        let outcome = w.ok(w.resolve_ix(&p.alice));
        let Event::LossCovered(covered) = outcome.event() else { panic!("{outcome:?}") };
        assert_eq!((covered.amount, house - w.house_quote()), (472_019_200, 472_019_200));
        // At once, and not at the next valuation.
        assert_eq!(before - w.house().nav, 472_019_200);
    }
    w.pass(60);
    w.value_house_freshly();
    w.ok(w.ticket(&p.bob.owner, 0).execute());
    w.ticket_data(&p.bob.owner, 0).proceeds as i64
}

#[test]
fn who_leaves_before_a_loss_bears_his_part_of_it() {
    let (bears, flees) = (leaves_before_a_loss(true), leaves_before_a_loss(false));
    assert!((157 * USD..158 * USD).contains(&(flees - bears)), "{}", flees - bears);
}

/// Alice's collateral is house shares. She pays the house spread and fee of a round trip, to make them dearer: her part of that
/// is a hundredth.
#[test]
fn shares_are_not_made_dearer_by_ones_own_trades() {
    let (mut w, p) = house_shares::alice_with_shares();
    let before = house_shares::health(&w, &p);
    let seen = |w: &World| house_shares::seen(w, &p);
    let args = order(50 * SOL);
    let open = seen(&w).open_position(p.alice.owner, &w.keyed(&p.alice), &p.sol.market, args).unwrap();
    w.ok(open);
    let args = order(-50 * SOL);
    let back = seen(&w).open_position(p.alice.owner, &w.keyed(&p.alice), &p.sol.market, args).unwrap();
    w.ok(back);
    w.pass(1);
    let value = seen(&w).value_house();
    w.ok(value);
    w.ok(w.observe_ix(&house_shares::share(&p)));
    // 18.75 USD paid, of which the shares have 0.19, half of it after range and haircut.
    let lost = before - house_shares::health(&w, &p);
    assert!((18_600_000..18_750_000).contains(&lost), "{lost}");
}

/// What a swap brings leaves through the same window, and what is only asked for and taken back makes no room in it.
#[test]
fn neither_a_swap_nor_a_ticket_widens_the_window_of_outflows() {
    let (mut w, p) = funded();
    w.configure_bank(&p.usdc, |config| {
        (config.outflow_limit, config.outflow_window_seconds) = (1_000 * USD as u64, 3_600);
    });
    w.configure(|config| config.house_delay_seconds = 100);
    w.deposit(&p.carol, &p.sol, 20 * SOL as u64);
    swap(&mut w, &p.carol, &p.sol, -20 * SOL);
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, 1_000 * USD as u64 + 1), E::OutflowLimit);
    w.withdraw(&p.carol, &p.usdc, 1_000 * USD as u64);
    w.ok(w.request_provide_ix(&p.bob.owner, 0, 5_000 * USD as u64));
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, 1), E::OutflowLimit);
    w.ok(w.ticket(&p.bob.owner, 0).cancel(house::Asset::Quote, p.usdc.tokens_of(&p.bob.owner)));
    w.refuses(w.withdraw_ix(&p.carol, &p.usdc, 1), E::OutflowLimit);
    assert_eq!(w.bank(&p.usdc).outflow, 1_000 * USD as u64);
}

/// What nobody may borrow to withdraw, nobody may borrow to sell.
#[test]
fn a_swap_is_no_way_around_the_borrow_cap() {
    let (mut w, p) = funded();
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    w.configure_bank(&p.sol, |config| config.borrow_cap = 5 * SOL as u64);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-5 * SOL - 1_000)), E::BorrowCap);
    swap(&mut w, &p.alice, &p.sol, -5 * SOL);
    w.refuses(swap_ix(&w, &p.alice, &p.sol, any(-SOL)), E::BorrowCap);
}

/// Between the ends of a liquidation without capital nothing is bought from the house, and nothing filled.
#[test]
fn a_deferred_margin_carries_no_swap_and_no_fill() {
    let (mut w, p) = funded();
    w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
    swap(&mut w, &p.alice, &p.sol, -50 * SOL);
    let (begin, end) = w.without_capital(&p.bob, &p.alice);
    let buys = swap_ix(&w, &p.bob, &p.sol, any(SOL));
    w.refuses_at(&[begin.clone(), buys, end.clone()], 1, E::LiquidationInProgress);
    let borrows = swap_ix(&w, &p.bob, &p.sol, any(-SOL));
    w.refuses_at(&[begin.clone(), borrows, end.clone()], 1, E::LiquidationInProgress);
    let (contract, price) = (Contract::NONE, 1 << 45);
    let size = SOL as u64;
    let args = FillArgs { instrument: instrument::SPOT, seller_takes: 0, size, price, expires_at: 0, contract };
    let [buyer, seller] = [w.keyed(&p.bob), w.keyed(&p.alice)];
    let signers = [p.bob.owner, p.alice.owner];
    let fill = w.priced().fill(signers, &buyer, &seller, Traded::Spot(p.sol.bank), args).unwrap();
    w.refuses_at(&[begin, fill, end], 1, E::LiquidationInProgress);
}

/// Alice has 500 USD left of what carried 100 SOL. Each order that closes 5 of them frees 102 USD of margin, and would give 100
/// USD to an accomplice: 1,900 USD in all, of her 500. Below her initial margin it gives nothing, and is executed all the same.
#[test]
fn tips_carry_no_margin_away() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 2_820 * USD as u64);
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.set_price(&p.sol, 102);
    let margin = w.margin(&p.alice);
    assert!(margin.health_init().unwrap().raw() < 0 && margin.equity_maint.raw() < 600 * USD);
    let args = PlaceTriggerArgs {
        trigger_price: u64::MAX,
        limit_price: 0,
        size: 5 * SOL as u64,
        tip: 100 * USD as u64,
        expires_at: 0,
        side: trigger_side::LONG,
        when: trigger_when::AT_OR_BELOW,
    };
    let place = trigger::Place { authority: p.alice.owner, account: p.alice.account, market: p.sol.market, args };
    w.ok(place.instruction());
    let tipped = w.priced().execute_trigger(p.carol.owner, &w.keyed(&p.alice), 0, Some(p.carol.account)).unwrap();
    w.refuses(tipped, E::InsufficientMargin);
    w.ok(w.priced().execute_trigger(p.carol.owner, &w.keyed(&p.alice), 0, None).unwrap());
    assert_eq!(w.position(&p.alice, &p.sol).0, 95 * SOL);
}

/// A gift to a stake pool doubles its rate. The house pays no more for the token than before.
#[test]
fn a_rate_that_is_pushed_up_sells_no_dearer() {
    let (mut w, p, lst) = staking::staked();
    w.deposit(&p.alice, &lst, 20 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    swap(&mut w, &p.alice, &lst, -10 * SOL);
    let fetched = w.shares(&p.alice, &p.usdc) - 10_000 * USD;
    staking::pool(&mut w, 2_500, staking::EPOCH);
    w.ok(staking::update(&lst));
    swap(&mut w, &p.alice, &lst, -10 * SOL);
    let again = w.shares(&p.alice, &p.usdc) - 10_000 * USD - fetched;
    assert!(again <= fetched, "{again} after {fetched}");
}

/// Lamports sent to a ticket's address do not keep it from being made, and a ticket that is closed leaves nothing to the next.
#[test]
fn a_ticket_is_neither_blocked_nor_remembered() {
    let (mut w, p) = World::new();
    let (owner, amount) = (p.alice.owner, 1_000 * USD as u64);
    let ticket = w.ticket(&owner, 0);
    w.set_account(ticket.address(), solana_account_with(1_000_000));
    w.ok(w.request_provide_ix(&owner, 0, amount));
    w.pass(60);
    w.value_house_freshly();
    w.ok(ticket.execute());
    w.ok(ticket.claim(house::Asset::Shares, w.shares_of(&owner)));
    w.ok(w.request_redeem_ix(&owner, 0, amount));
    w.refuses(ticket.claim(house::Asset::Quote, p.usdc.tokens_of(&owner)), E::TicketNotExecuted);
    w.refuses(ticket.execute(), E::TicketTooEarly);
}

/// A ticket is due, and the oracle doubts its own price by 3 % of it. The house is not valued at such a print, so nobody has shares
/// at it; a market that the house has nothing in is nobody's concern.
#[test]
fn no_ticket_meets_a_doubtful_print() {
    let (mut w, p) = funded();
    w.open(&p.alice, &p.sol, 100 * SOL);
    w.ok(w.request_redeem_ix(&p.admin, 0, USD as u64));
    w.pass(60);
    for (asset, dollars) in [(p.sol, 125), (p.btc, 60_000)] {
        let price = w.price(dollars);
        w.publish(&asset, raw::Price { confidence: price.price as u64 / 100 * 3, ..price });
    }
    w.refuses(w.priced().value_house(), E::OracleTooWide);
    w.refuses(w.priced().value_house_part(0..1), E::OracleTooWide);
    w.refuses(w.ticket(&p.admin, 0).execute(), E::TicketTooEarly);
    w.set_price(&p.sol, 125);
    w.value_house();
    w.ok(w.ticket(&p.admin, 0).execute());
}
