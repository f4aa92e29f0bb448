//! `fund_insurance`, `buy_reserve`, `resolve`, `deleverage`, `begin_liquidation`, `end_liquidation`, and `liquidate` of
//! accounts without equity.

use plimsoll_client::{
    Keyed,
    event::Event,
    instruction::{account, trigger},
    snapshot::{Insolvency, Resolution},
};
use plimsoll_e2e_tests::{
    Asset, E, Outcome, Trader, World,
    chain::through_caller,
    invariants::{Losses, check_losses},
    raw::{self, Price},
    world::{BTC, ETH, PRICE_USD, Places, SOL, USD, order},
};
use plimsoll_interface::{
    accounts::{Bank, MarginAccount, deferral, trigger_side, trigger_when},
    config::{loss_mode, pause},
    event::{
        Deleveraged, InsolventLiquidated, InsuranceFunded, LiquidationDeferred, LossCovered, ReserveBought, loss_source,
    },
    instruction::{BuyReserveArgs, LiquidateArgs, PlaceTriggerArgs},
};
use plimsoll_risk::units::{Fraction, Ppm};
use solana_instruction::Instruction;

/// What Alice owes at 47,000 USD: 10,000 - 48,072.0192 + 37,600, and half of 20 % of 37,600.
const DEBT: u64 = 472_019_200;
const REQUIREMENT: i64 = 3_760_000_000;

/// Alice has 10,000 USD and is long 0.8 BTC from 60,000 for 48,072.0192; Carol has 50,000 USD. BTC falls to 47,000.
fn insolvent() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.btc, 8 * BTC / 10);
    w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
    w.set_price(&p.btc, 47_000);
    (w, p)
}

/// The same, and the insurance has `dollars`.
fn insured(dollars: u64) -> (World, Places) {
    let (mut w, p) = insolvent();
    w.ok(w.fund_ix(&p.admin, dollars * USD as u64));
    (w, p)
}

/// Time passes; Alice is seen insolvent at its beginning and BTC is published again at its end.
fn wait(w: &mut World, p: &Places, seconds: i64) {
    w.flag(&p.alice);
    w.pass(seconds);
    w.set_price(&p.btc, 47_000);
}

fn taken(outcome: &Outcome) -> InsolventLiquidated {
    match outcome.event() {
        Event::InsolventLiquidated(event) => event,
        other => panic!("{other:?}"),
    }
}

/// Sends `resolve` and holds it to INV-10 and to what the client said it would do.
#[track_caller]
fn resolve(w: &mut World, account: &Trader) -> LossCovered {
    w.accrue(&w.places().usdc);
    let before = Losses::of(w);
    let said = w.priced().resolution(&w.margin_account(account)).unwrap();
    let outcome = w.ok(w.resolve_ix(account));
    let Event::LossCovered(event) = outcome.event() else { panic!("{:?}", outcome.events) };
    check_losses(&before, &Losses::of(w), &event);
    let did = match event.source {
        loss_source::INSURANCE => Resolution::Repay(event.amount),
        loss_source::HOUSE => Resolution::House(event.amount),
        _ => Resolution::Deposits(event.amount),
    };
    assert_eq!(said, Some(did));
    event
}

fn is_gone(w: &World, trader: &Trader) -> bool {
    w.margin_account(trader).is_empty()
}

mod insurance {
    use super::*;

    #[test]
    fn anyone_funds_it() {
        let (mut w, p) = World::new();
        let bank = w.bank(&p.usdc);
        let outcome = w.ok(w.fund_ix(&p.mallory, 5 * USD as u64));
        let (amount, insurance) = (5 * USD as u64, 5 * USD as u64);
        let expected = InsuranceFunded { bank: p.usdc.bank, funder: p.mallory, amount, insurance };
        assert_eq!(outcome.event(), Event::InsuranceFunded(expected));
        let after = w.bank(&p.usdc);
        assert_eq!((after.reserve, after.vault_amount), (bank.reserve + amount, bank.vault_amount + amount));
        assert_eq!(w.tokens(&p.mallory, &p.usdc), 9_000_000 * USD as u64 - amount);
        w.ok(w.fund_ix(&p.alice.owner, 1));
        assert_eq!(w.insurance(), 5 * USD as u64 + 1);
    }

    #[test]
    fn what_is_refused() {
        let (mut w, p) = World::new();
        w.refuses(w.fund_ix(&p.mallory, 0), E::ZeroAmount);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.reserve = u64::MAX);
        w.refuses(w.fund_ix(&p.mallory, 1), E::Overflow);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.reserve = 0);
        w.configure(|config| config.pauses = pause::DEPOSIT);
        w.refuses(w.fund_ix(&p.mallory, 1), E::Paused);
    }

    /// SOL's bank holds 2 SOL of its own. At 125 USD and a confidence of 1, 0.5 % on top: 126.63 each, and a unit each for
    /// the confidence and for the premium, rounded up.
    fn with_reserve() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        w.edit::<MarginAccount>(&p.alice.account, |account| account.balances[0].shares = 8 * SOL);
        w.edit::<Bank>(&p.sol.bank, |bank| (bank.deposit_shares, bank.reserve) = (8 * SOL as u64, 2 * SOL as u64));
        let price = Price { confidence: PRICE_USD as u64, ..w.price(125) };
        w.publish(&p.sol, price);
        (w, p)
    }

    #[test]
    fn other_reserves_become_insurance_at_the_oracles_price_and_a_premium() {
        let (mut w, p) = with_reserve();
        let outcome = w.ok(w.buy_reserve_ix(&p.bob.owner, &p.sol, SOL as u64));
        let payment = 126_000_001 + 630_001;
        let expected = ReserveBought {
            bank: p.sol.bank,
            buyer: p.bob.owner,
            amount: SOL as u64,
            payment,
            spot: (125u128 * 1_000_000 * (1 << 48) / SOL as u128) as u64,
            reserve: SOL as u64,
            insurance: payment,
        };
        assert_eq!(outcome.event(), Event::ReserveBought(expected));
        assert_eq!(w.tokens(&p.bob.owner, &p.usdc), 10_000_000 * USD as u64 - payment);
        assert_eq!(w.tokens(&p.bob.owner, &p.sol), 10_000_001 * SOL as u64);
        assert_eq!((w.bank(&p.sol).vault_amount, w.bank(&p.sol).reserve), (9 * SOL as u64, SOL as u64));
        // The rest.
        w.ok(w.buy_reserve_ix(&p.bob.owner, &p.sol, u64::MAX));
        assert_eq!((w.bank(&p.sol).reserve, w.insurance()), (0, 2 * payment));
        w.refuses(w.buy_reserve_ix(&p.bob.owner, &p.sol, u64::MAX), E::ZeroAmount);
        w.refuses(w.buy_reserve_ix(&p.bob.owner, &p.sol, 1), E::ReserveInsufficient);
    }

    #[test]
    fn a_buyer_pays_no_more_than_it_wants() {
        let (mut w, p) = with_reserve();
        let up_to = |w: &World, max_payment| {
            let mut ix = w.buy_reserve_ix(&p.bob.owner, &p.sol, SOL as u64);
            let args = BuyReserveArgs { amount: SOL as u64, max_payment };
            ix.data.truncate(1);
            ix.data.extend(args.amount.to_le_bytes().into_iter().chain(args.max_payment.to_le_bytes()));
            ix
        };
        w.refuses(up_to(&w, 126_630_001), E::PaymentLimit);
        w.ok(up_to(&w, 126_630_002));
    }

    #[test]
    fn a_reserve_that_is_lent_out_waits() {
        let (mut w, p) = with_reserve();
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.withdraw(&p.carol, &p.sol, 9 * SOL as u64);
        w.refuses(w.buy_reserve_ix(&p.bob.owner, &p.sol, 2 * SOL as u64), E::VaultInsufficient);
        w.ok(w.buy_reserve_ix(&p.bob.owner, &p.sol, SOL as u64));
    }

    /// A price that is old, doubtful or older than one seen: whoever picks the moment would pick that one.
    #[test]
    fn a_bad_price_sells_nothing() {
        let (mut w, p) = with_reserve();
        let buy = |w: &World| w.buy_reserve_ix(&p.bob.owner, &p.sol, SOL as u64);
        let wide = Price { confidence: 3 * PRICE_USD as u64, ..w.price(125) };
        w.publish(&p.sol, wide);
        w.refuses(buy(&w), E::OracleTooWide);
        w.set_price(&p.sol, 125);
        let (older, now) = (Price { publish_time: w.now() - 1, ..w.price(120) }, w.price(125));
        w.publish(&p.sol, older);
        w.refuses(buy(&w), E::OracleOlderThanObservation);
        w.publish(&p.sol, now);
        w.refuses(w.buy_reserve_ix(&p.bob.owner, &p.sol, 0), E::ZeroAmount);
        w.configure(|config| config.pauses = pause::WITHDRAW);
        w.refuses(buy(&w), E::Paused);
        w.configure(|config| config.pauses = 0);
        w.pass(61);
        w.refuses(buy(&w), E::OracleStale);
    }

    /// A tenth of the quote bank's interest is insurance without anybody's doing.
    #[test]
    fn interest_kept_for_the_exchange_is_insurance() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 1_000 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 50_000 * USD as u64);
        w.pass(31_536_000);
        w.accrue(&p.usdc);
        // 5 % lent at 8 % / 80 * 5 = 0.5 %: 250 USD, of which a tenth, less a unit for rounding.
        assert!((24_999_998..=25_000_000).contains(&w.insurance()), "{}", w.insurance());
    }
}

mod take_over {
    use super::*;

    /// What is due is the debt, and 5 % of 3,760 after 100 s: 94 after 50, 188 after 100.
    #[test]
    fn the_insurance_pays_who_takes_over_the_debt_and_a_reward_that_grows_from_zero() {
        for (seconds, reward_ppm, reward) in
            [(0, 0, 0), (1, 500, 1_880_000), (50, 25_000, 94_000_000), (100, 50_000, 188_000_000)]
        {
            let (mut w, p) = insured(1_000);
            wait(&mut w, &p, seconds);
            let said = w.priced().insolvency(&w.margin_account(&p.alice)).unwrap();
            let due = DEBT + reward;
            let reward_of = Ppm::from_raw(reward_ppm as u32);
            let expected = Insolvency { reward: reward_of, due, fraction: Fraction::ONE, payout: due, shortfall: 0 };
            assert_eq!(said, Some(expected));
            let event = taken(&w.liquidate(&p.carol, &p.alice));
            let expected = InsolventLiquidated {
                account: p.alice.account,
                taker: p.carol.account,
                equity: -(DEBT as i64),
                requirement: REQUIREMENT,
                fraction: 1 << 32,
                payout: due,
                reward_ppm,
                insurance: 1_000 * USD as u64 - due,
            };
            assert_eq!(event, expected);
            assert!(is_gone(&w, &p.alice));
            assert_eq!(w.insurance(), 1_000 * USD as u64 - due);
            assert_eq!(w.margin(&p.carol).equity_init.raw(), 50_000 * USD + reward as i64);
            assert_eq!(w.position(&p.carol, &p.btc), (8 * BTC / 10, -48_072_019_200));
        }
    }

    /// The insolvency has a start of its own: who could have taken Alice over at a discount of 10 % and lets her sink
    /// through zero starts at nothing.
    #[test]
    fn letting_an_account_sink_through_zero_starts_at_no_reward() {
        let (mut w, p) = insured(1_000);
        w.set_price(&p.btc, 48_000);
        w.flag(&p.alice);
        w.pass(100);
        w.set_price(&p.btc, 47_000);
        let start = w.margin_account(&p.alice).liquidation_started_at;
        let mut twin = insured(1_000).0;
        assert_eq!(taken(&w.liquidate(&p.carol, &p.alice)).reward_ppm, 0);
        // Seen insolvent and then solvent again, the first auction is where it was, and the second ends.
        twin.set_price(&p.btc, 48_000);
        twin.flag(&p.alice);
        twin.pass(50);
        twin.set_price(&p.btc, 47_000);
        twin.flag(&p.alice);
        assert_eq!(twin.margin_account(&p.alice).insolvent_since, twin.now());
        twin.set_price(&p.btc, 48_000);
        twin.flag(&p.alice);
        let account = twin.margin_account(&p.alice);
        assert_eq!((account.liquidation_started_at, account.insolvent_since), (start, 0));
        twin.set_price(&p.btc, 60_000);
        twin.flag(&p.alice);
        assert_eq!(twin.margin_account(&p.alice).liquidation_started_at, 0);
    }

    #[test]
    fn an_insolvency_that_nobody_looked_at_starts_anew() {
        let (mut w, p) = insured(1_000);
        wait(&mut w, &p, 101);
        assert_eq!(taken(&w.liquidate(&p.carol, &p.alice)).reward_ppm, 0);
    }

    /// With 100 USD the insurance pays for 100 / 472.0192 of Alice, rounded down.
    #[test]
    fn no_more_is_taken_than_the_insurance_can_pay_for() {
        let (mut w, p) = insured(100);
        let fraction = ((100_000_000u128 << 32) / u128::from(DEBT)) as u64;
        let payout = ((u128::from(DEBT) * u128::from(fraction)) >> 32) as u64;
        let said = w.priced().insolvency(&w.margin_account(&p.alice)).unwrap().unwrap();
        assert_eq!((said.fraction.raw(), said.payout, said.shortfall), (fraction, payout, DEBT - payout));
        let event = taken(&w.liquidate(&p.carol, &p.alice));
        assert_eq!((event.fraction, event.payout, event.insurance), (fraction, payout, 100_000_000 - payout));
        assert!(event.insurance <= 1);
        // The rest waits, as insolvent as before, and for the account's part.
        let left = w.margin(&p.alice).equity_maint.raw();
        assert!((-(said.shortfall as i64)..-(said.shortfall as i64) + 480).contains(&left), "{left}");
        // A last unit pays for what it pays for: nothing is paid beyond what there is.
        let before = w.margin(&p.carol).equity_maint.raw();
        let event = taken(&w.liquidate(&p.carol, &p.alice));
        assert!(event.payout <= 1 && event.fraction < 16, "{event:?}");
        assert!(w.margin(&p.carol).equity_maint.raw() <= before);
    }

    #[test]
    fn an_empty_insurance_pays_nobody() {
        let (mut w, p) = insolvent();
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountInsolvent);
    }

    /// A third of what is left and then the rest, by two takers: together what one taking of all pays, to the unit.
    #[test]
    fn nobody_gains_by_taking_an_insolvent_account_in_parts() {
        let gains = |parts: &[u64]| {
            let (mut w, p) = insured(1_000);
            w.deposit(&p.bob, &p.usdc, 50_000 * USD as u64);
            wait(&mut w, &p, 100);
            let mut paid = 0;
            for (index, part) in parts.iter().enumerate() {
                let taker = [p.carol, p.bob][index % 2];
                let args = LiquidateArgs { max_fraction: *part, max_payment: 0 };
                paid += taken(&w.ok(w.liquidate_args_ix(&taker, &p.alice, args))).payout;
            }
            assert!(is_gone(&w, &p.alice));
            let equity = |trader| w.margin(trader).equity_maint.raw();
            (equity(&p.carol) + equity(&p.bob) - 100_000 * USD, paid)
        };
        let (whole, paid) = gains(&[1 << 32]);
        assert_eq!((whole, paid), (188_000_000, 660_019_200));
        let (parts, paid_in_parts) = gains(&[(1 << 32) / 3, 1 << 31, 1 << 32]);
        // Up to a base unit of BTC for each part.
        assert!((-3 * 471..=0).contains(&(parts - whole)), "{parts} of {whole}");
        assert!((0..1_500).contains(&(paid - paid_in_parts)), "{paid_in_parts} of {paid}");
    }

    #[test]
    fn a_taker_must_carry_what_it_takes() {
        let (mut w, p) = insured(1_000);
        w.refuses(w.liquidate_ix(&p.bob, &p.alice), E::TakerUnhealthy);
        // 20 % of 37,600.
        w.deposit(&p.bob, &p.usdc, 7_519_999_999);
        w.refuses(w.liquidate_ix(&p.bob, &p.alice), E::TakerUnhealthy);
        w.deposit(&p.bob, &p.usdc, 1);
        w.liquidate(&p.bob, &p.alice);
    }

    /// A price that is merely late gives the account the benefit of the doubt; nobody else pays for it. A feed that has
    /// stopped for good is taken at its word.
    #[test]
    fn a_late_price_costs_the_insurance_nothing() {
        let (mut w, p) = insured(20_000);
        w.set_price(&p.btc, 30_000);
        w.pass(61);
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::OracleStale);
        w.refuses(w.resolve_ix(&p.alice), E::OracleStale);
        w.pass(3_600);
        assert_eq!(taken(&w.liquidate(&p.carol, &p.alice)).fraction, 1 << 32);
    }
}

mod resolution {
    use super::*;

    #[test]
    fn the_house_pays_what_the_insurance_lacks() {
        let (mut w, p) = insured(100);
        let event = resolve(&mut w, &p.alice);
        let expected = LossCovered {
            account: p.alice.account,
            source: loss_source::HOUSE,
            equity: -(DEBT as i64),
            due: DEBT,
            amount: DEBT - 100_000_000,
            insurance: DEBT,
            house: 1_000_000 * USD as u64 - (DEBT - 100_000_000),
            deposit_index: 1 << 48,
        };
        assert_eq!(event, expected);
        w.refuses(w.resolve_ix(&p.alice), E::InsuranceSuffices);
        assert_eq!(taken(&w.liquidate(&p.carol, &p.alice)).payout, DEBT);
        assert!(is_gone(&w, &p.alice));
        assert_eq!(w.insurance(), 0);
        // What the house gained from Alice in the market it now has to get from Carol: its books are as they were.
        assert_eq!(w.margin(&p.carol).equity_init.raw(), 50_000 * USD);
    }

    /// As the reward grows, so does what is due: the house pays that too.
    #[test]
    fn the_house_pays_down_to_its_floor_and_deposits_the_rest() {
        let (mut w, p) = insolvent();
        w.configure(|config| config.house_floor = 999_900 * USD as u64);
        let event = resolve(&mut w, &p.alice);
        assert_eq!((event.source, event.amount, event.house), (loss_source::HOUSE, 100_000_000, 999_900_000_000));
        w.refuses(w.resolve_ix(&p.alice), E::InsolvencyTooYoung);
        let until = w.now() + 100;
        let said = w.priced().resolution(&w.margin_account(&p.alice)).unwrap();
        assert_eq!(said, Some(Resolution::Wait(until)));
        wait(&mut w, &p, 99);
        w.refuses(w.resolve_ix(&p.alice), E::InsolvencyTooYoung);
        wait(&mut w, &p, 1);
        // 660.0192 is due, 100 is there. Deposits are 999,900 of the house, 10,000 of Alice, 50,000 of Carol.
        let event = resolve(&mut w, &p.alice);
        let (missing, deposits) = (560_019_200u128, 1_059_900_000_000u128);
        let cut = ((missing << 48).div_ceil(deposits)) as u64;
        assert_eq!(
            (event.source, event.due, event.amount),
            (loss_source::DEPOSITS, DEBT + 188_000_000, missing as u64)
        );
        assert_eq!(event.deposit_index, (1 << 48) - cut);
        let carol = w.margin(&p.carol).equity_init.raw();
        assert_eq!(carol, ((50_000_000_000u128 * u128::from((1u64 << 48) - cut)) >> 48) as i64);
        // Alice's own deposit bore its part too, 5.28 USD of it: that is missing now, and less each time.
        let mut steps = 0;
        while let Some(Resolution::Deposits(_)) = w.priced().resolution(&w.margin_account(&p.alice)).unwrap() {
            resolve(&mut w, &p.alice);
            steps += 1;
        }
        assert!(steps <= 5, "{steps}");
        taken(&w.liquidate(&p.carol, &p.alice));
        assert!(is_gone(&w, &p.alice));
    }

    /// Settled first, nothing of Alice's bears a loss, and one step is all.
    #[test]
    fn a_loss_that_is_settled_first_takes_one_step_of_deposits() {
        let (mut w, p) = insolvent();
        w.settle(&p.alice, &p.btc);
        assert_eq!(w.shares(&p.alice, &p.usdc), -(DEBT as i64));
        w.configure(|config| config.house_floor = u64::MAX);
        wait(&mut w, &p, 100);
        let before = w.bank(&p.usdc).deposit_index;
        resolve(&mut w, &p.alice);
        assert!(w.bank(&p.usdc).deposit_index < before);
        w.refuses(w.resolve_ix(&p.alice), E::InsuranceSuffices);
        taken(&w.liquidate(&p.carol, &p.alice));
        assert!(is_gone(&w, &p.alice));
        // Interest accrues on the lower index as on any other.
        w.pass(1_000);
        w.accrue(&p.usdc);
    }

    /// Alice closes and settles: what is left is a debt of 10,000 - 48,072.0192 + 37,600 - 37.6 - 18.8 and the premium
    /// back, and nobody to take it over.
    fn bare_debt() -> (World, Places, u64) {
        let (mut w, p) = insolvent();
        w.close(&p.alice, &p.btc, u64::MAX);
        w.settle(&p.alice, &p.btc);
        let debt = w.shares(&p.alice, &p.usdc).unsigned_abs();
        assert_eq!(debt, DEBT + 37_600_000 + 18_800_000 - 15_040);
        assert_eq!(w.margin_account(&p.alice).bare_debt(), Some(debt));
        (w, p, debt)
    }

    #[test]
    fn the_insurance_repays_a_debt_that_is_all_that_is_left() {
        let (mut w, p, debt) = bare_debt();
        let event = resolve(&mut w, &p.alice);
        assert_eq!((event.source, event.amount, event.due), (loss_source::HOUSE, debt, debt));
        let event = resolve(&mut w, &p.alice);
        assert_eq!((event.source, event.amount, event.insurance), (loss_source::INSURANCE, debt, 0));
        assert!(is_gone(&w, &p.alice));
        assert_eq!((w.bank(&p.usdc).borrow_shares, w.bank(&p.usdc).reserve), (0, 0));
        w.refuses(w.resolve_ix(&p.alice), E::AccountHealthy);
        w.ok(account::Close { owner: p.alice.owner, account: p.alice.account }.instruction());
    }

    /// No print can be wrong about a debt in quote: deposits bear it at once.
    #[test]
    fn a_bare_debt_waits_for_nothing() {
        let (mut w, p, debt) = bare_debt();
        w.configure(|config| config.house_floor = u64::MAX);
        let event = resolve(&mut w, &p.alice);
        assert_eq!((event.source, event.amount), (loss_source::DEPOSITS, debt));
        assert_eq!(resolve(&mut w, &p.alice).source, loss_source::INSURANCE);
        assert!(is_gone(&w, &p.alice));
    }

    #[test]
    fn who_has_equity_is_not_resolved() {
        let (mut w, p) = insolvent();
        w.refuses(w.resolve_ix(&p.carol), E::AccountHealthy);
        w.set_price(&p.btc, 48_000);
        w.refuses(w.resolve_ix(&p.alice), E::AccountSolvent);
        w.set_price(&p.btc, 60_000);
        w.refuses(w.resolve_ix(&p.alice), E::AccountHealthy);
        w.set_price(&p.btc, 47_000);
        w.configure(|config| config.pauses = pause::RESOLVE);
        w.refuses(w.resolve_ix(&p.alice), E::Paused);
    }

    /// One call takes at most half of every deposit; when an index is at its least, nothing.
    #[test]
    fn deposits_bear_half_in_one_step_and_never_everything() {
        let (mut w, p, _) = bare_debt();
        w.configure(|config| config.house_floor = u64::MAX);
        // Deposits of 400 USD in all, against a debt of 528.
        let shares = w.bank(&p.usdc).deposit_shares;
        let scale = |w: &mut World, index: u64| w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = index);
        let index = ((400_000_000u128 << 48) / u128::from(shares)) as u64;
        scale(&mut w, index);
        let event = resolve(&mut w, &p.alice);
        assert!((199_999_990..=200_000_000).contains(&event.amount), "{}", event.amount);
        scale(&mut w, 1 << 32);
        w.refuses(w.resolve_ix(&p.alice), E::LossTooLarge);
        scale(&mut w, 1 << 48);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.reserve = 0);
    }
}

mod deleveraging {
    use super::*;

    /// Alice is insolvent with 0.8 BTC long; Bob is short 0.5 from 60,000 and Carol, a stranger, 0.2; neither insurance nor
    /// house pays.
    fn deleveraging() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.open(&p.alice, &p.btc, 8 * BTC / 10);
        for (trader, size) in [(p.bob, BTC / 2), (p.carol, BTC / 5)] {
            w.deposit(&trader, &p.usdc, 50_000 * USD as u64);
            w.open(&trader, &p.btc, -size);
        }
        w.set_price(&p.btc, 47_000);
        w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX));
        (w, p)
    }

    fn deleveraged(outcome: &Outcome) -> Deleveraged {
        match outcome.event() {
            Event::Deleveraged(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Bob sold half a BTC for 29,955.00525 and some: his gain at 47,000 is that less 23,500. All of Alice's debt is less
    /// than it, so he gives up that, and is worth the rest.
    #[test]
    fn a_gain_covers_the_loss_on_the_other_side() {
        let (mut w, p) = deleveraging();
        let cash = w.position(&p.bob, &p.btc).1;
        let gain = cash - 23_500 * USD;
        assert!((6_400 * USD..6_500 * USD).contains(&gain));
        let (alice, bob) = (w.margin(&p.alice).equity_maint.raw(), w.margin(&p.bob).equity_maint.raw());
        let market = w.market(&p.btc);
        let event = deleveraged(&w.ok(w.deleverage_ix(&p.alice, &p.bob, &p.btc, u64::MAX, &[])));
        let expected = Deleveraged {
            account: p.alice.account,
            counterparty: p.bob.account,
            market: p.btc.market,
            closed: BTC as u64 / 2,
            spot: (47_000u128 * 1_000_000 * (1 << 48) / BTC as u128) as u64,
            gain: gain as u64,
            position: -BTC / 2,
            taken: DEBT,
            deficit: DEBT,
        };
        assert_eq!(event, expected);
        assert_eq!(w.position(&p.bob, &p.btc), (0, gain - DEBT as i64));
        assert_eq!(w.position(&p.alice, &p.btc), (3 * BTC / 10, -48_072_019_200 + 23_500 * USD + DEBT as i64));
        assert_eq!(w.margin(&p.alice).equity_maint.raw(), alice + DEBT as i64);
        assert_eq!(w.margin(&p.bob).equity_maint.raw(), bob - DEBT as i64);
        let after = w.market(&p.btc);
        assert_eq!((after.house_size, after.house_cash), (market.house_size, market.house_cash));
        assert_eq!((after.open_interest_long, after.open_interest_short), (3 * BTC as u64 / 10, BTC as u64 / 5));
        // Nothing is owed now: who takes Alice over gets the reward alone.
        w.refuses(w.deleverage_ix(&p.alice, &p.carol, &p.btc, u64::MAX, &[]), E::InsuranceSuffices);
        taken(&w.liquidate(&p.carol, &p.alice));
    }

    /// A part of a position gives up at most that part of its gain.
    #[test]
    fn a_part_gives_up_at_most_its_part_of_the_gain() {
        let (mut w, p) = deleveraging();
        let gain = w.position(&p.bob, &p.btc).1 - 23_500 * USD;
        let event = deleveraged(&w.ok(w.deleverage_ix(&p.alice, &p.bob, &p.btc, BTC as u64 / 100, &[])));
        assert_eq!((event.closed, event.taken), (BTC as u64 / 100, gain as u64 / 50));
        let (size, cash) = w.position(&p.bob, &p.btc);
        // What is left has gained no less per unit than before.
        let left = cash - 47_000 * USD * -size / BTC;
        assert!(i128::from(left) * 50 >= i128::from(gain) * 49);
    }

    /// Alice is short and BTC has risen; Bob is long: his gain is rounded down, and what he sells is rounded up.
    #[test]
    fn the_other_way_round() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.open(&p.alice, &p.btc, -8 * BTC / 10);
        w.deposit(&p.bob, &p.usdc, 50_000 * USD as u64);
        w.open(&p.bob, &p.btc, BTC);
        let price = Price { price: 7_300_000_012_345, ema: 7_300_000_012_345, ..w.price(0) };
        w.publish(&p.btc, price);
        w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX));
        let (alice, bob) = (w.margin(&p.alice).equity_maint.raw(), w.margin(&p.bob).equity_maint.raw());
        let event = deleveraged(&w.ok(w.deleverage_ix(&p.alice, &p.bob, &p.btc, u64::MAX, &[])));
        assert_eq!((event.closed, event.position, event.taken), (8 * BTC as u64 / 10, BTC, -alice as u64));
        assert_eq!(w.margin(&p.bob).equity_maint.raw(), bob + alice);
        assert!((-1..=0).contains(&w.margin(&p.alice).equity_maint.raw()));
        assert_eq!(w.position(&p.alice, &p.btc).0, 0);
    }

    /// Dave's gain per BTC is the largest who sold at the best price: Carol, who sold last, at a lower skew, less.
    #[test]
    fn the_most_profitable_of_those_passed_comes_first() {
        let (mut w, p) = deleveraging();
        let per_unit = |w: &World, trader: &Trader| {
            let (size, cash) = w.position(trader, &p.btc);
            (cash as f64 + 47_000e6 * size as f64 / BTC as f64) / size.abs() as f64
        };
        let (first, second) =
            if per_unit(&w, &p.bob) > per_unit(&w, &p.carol) { (p.bob, p.carol) } else { (p.carol, p.bob) };
        let small = BTC as u64 / 1_000;
        w.refuses(w.deleverage_ix(&p.alice, &second, &p.btc, small, &[first]), E::NotMostProfitable);
        // Itself, and the account's own side, are no candidates.
        w.ok(w.deleverage_ix(&p.alice, &first, &p.btc, small, &[second]));
        // Nobody enforces what is not passed.
        w.ok(w.deleverage_ix(&p.alice, &second, &p.btc, small + 1, &[]));
        let foreign = [p.other.alice];
        w.refuses(w.deleverage_ix(&p.alice, &first, &p.btc, small, &foreign), E::WrongExchange);
    }

    #[test]
    fn what_is_refused() {
        let (mut w, p) = deleveraging();
        let ix = |w: &World, size| w.deleverage_ix(&p.alice, &p.bob, &p.btc, size, &[]);
        w.refuses(ix(&w, 0), E::ZeroSize);
        w.configure(|config| config.loss_mode = loss_mode::SOCIALISE);
        w.refuses(ix(&w, 1), E::NotDeleveraging);
        w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, 999_999_999_999));
        w.refuses(ix(&w, 1), E::HouseNotSpent);
        w.configure(|config| (config.house_floor, config.pauses) = (u64::MAX, pause::RESOLVE));
        w.refuses(ix(&w, 1), E::Paused);
        w.configure(|config| config.pauses = 0);
        w.refuses(w.deleverage_ix(&p.alice, &p.bob, &p.eth, 1, &[]), E::NotOpposite);
        w.refuses(w.deleverage_ix(&p.carol, &p.bob, &p.btc, 1, &[]), E::AccountHealthy);
        // Bob, paid what he has gained, has no gain left to give up.
        w.settle(&p.bob, &p.btc);
        w.refuses(ix(&w, 1), E::NoGain);
        w.open(&p.bob, &p.btc, BTC);
        w.refuses(ix(&w, 1), E::NotOpposite);
        w.ok(w.fund_ix(&p.admin, DEBT));
        w.refuses(w.deleverage_ix(&p.alice, &p.carol, &p.btc, 1, &[]), E::InsuranceSuffices);
        w.pass(61);
        w.refuses(ix(&w, 1), E::OracleStale);
        w.set_price(&p.btc, 49_000);
        w.refuses(ix(&w, 1), E::AccountSolvent);
    }

    /// Bob's short hedges his BTC: without it he would be below his initial line, so he is left alone. One whose
    /// requirement only falls is not, however low his health.
    #[test]
    fn a_counterparty_is_not_left_worse_than_by_what_it_gives_up() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.open(&p.alice, &p.btc, 8 * BTC / 10);
        w.deposit(&p.bob, &p.btc, BTC as u64);
        w.open(&p.bob, &p.btc, -BTC);
        w.withdraw(&p.bob, &p.usdc, 50_000 * USD as u64);
        w.deposit(&p.carol, &p.usdc, 6_200 * USD as u64);
        w.open(&p.carol, &p.btc, -BTC / 2);
        w.set_price(&p.btc, 47_000);
        w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX));
        let size = 8 * BTC as u64 / 10;
        w.refuses(w.deleverage_ix(&p.alice, &p.bob, &p.btc, size, &[]), E::CounterpartyUnhealthy);
        w.ok(w.deleverage_ix(&p.alice, &p.carol, &p.btc, size, &[]));
    }

    /// Bob is short 500 SOL and has sold 200 calls: what he was paid for them stands in the same cash as what his position has
    /// gained, and he may still have to pay it back. With 200 calls bought the cash is that much less, and no gain of theirs
    /// is taken for the position's.
    #[test]
    fn a_premium_for_open_options_is_no_gain_of_the_position() {
        for lots in [-200, 200] {
            let (mut w, p) = World::new();
            w.enable_options(&p.sol, SOL);
            w.board(&p.sol, 30, &[100, 125, 150]);
            w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
            w.open(&p.alice, &p.sol, 700 * SOL);
            w.deposit(&p.bob, &p.usdc, 100_000 * USD as u64);
            w.open(&p.bob, &p.sol, -500 * SOL);
            w.open_option(&p.bob, &p.sol, 0, 2, lots);
            w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX));
            w.set_price(&p.sol, 95);
            w.refresh(&p.sol, 0);
            let gain = w.position(&p.bob, &p.sol).1 - 500 * 95 * USD;
            let marks = w.margin(&p.bob).equity_maint.raw() - gain - 100_000 * USD;
            assert_eq!(marks < 0, lots < 0);
            assert!(marks.abs() > 50 * USD, "{marks}");
            let event = deleveraged(&w.ok(w.deleverage_ix(&p.alice, &p.bob, &p.sol, SOL as u64, &[])));
            assert_eq!(event.gain as i64, gain + marks.min(0));
            assert_eq!(event.taken, event.gain / 500);
        }
    }

    /// When the auction has run out, deposits bear what no gain has covered.
    #[test]
    fn deposits_bear_what_no_gain_covers() {
        let (mut w, p) = deleveraging();
        w.refuses(w.resolve_ix(&p.alice), E::InsolvencyTooYoung);
        wait(&mut w, &p, 100);
        assert_eq!(resolve(&mut w, &p.alice).source, loss_source::DEPOSITS);
    }
}

mod without_capital {
    use super::*;

    /// Alice as at her start, at 52,000 USD and with her auction at its end: equity 3,527.9808, requirement 4,160, discount
    /// 10 %. Bob has an account with nothing in it.
    fn sunk() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
        w.open(&p.alice, &p.btc, 8 * BTC / 10);
        w.set_price(&p.btc, 52_000);
        w.flag(&p.alice);
        w.pass(100);
        w.set_price(&p.btc, 52_000);
        (w, p)
    }

    /// An instruction of Bob's as if he held already what Alice holds.
    fn close_ix(w: &World, p: &Places, taker: &Trader) -> Instruction {
        let mut after = w.margin_account(&p.alice);
        after.owner = taker.owner;
        let account = Keyed { address: taker.account, data: after };
        let args = plimsoll_interface::instruction::ClosePositionArgs { size: u64::MAX, limit_price: 0, expires_at: 0 };
        w.priced().close_position(taker.owner, &account, &p.btc.market, args).unwrap()
    }

    /// Begin, take over, close everything against the house, end.
    fn liquidation(w: &World, p: &Places) -> Vec<Instruction> {
        let (begin, end) = w.without_capital(&p.bob, &p.alice);
        vec![begin, w.liquidate_ix(&p.bob, &p.alice), close_ix(w, p, &p.bob), end]
    }

    /// f = (4,576 - 3,527.9808) / (4,576 - 416) = 25.19 %: a gain of 10 % of that part of 4,160, less what the house asks
    /// for 0.2015 BTC: 0.15 % of 10,480 and a premium. No token of Bob's was there before.
    #[test]
    fn an_empty_account_takes_over_closes_and_keeps_the_profit() {
        let (mut w, p) = sunk();
        assert!(is_gone(&w, &p.bob));
        let sent = liquidation(&w, &p);
        let outcome = w.ok_all(&sent);
        let [
            Event::LiquidationDeferred(begun),
            Event::Liquidated(event),
            Event::Traded(_),
            Event::LiquidationDeferred(ended),
        ] = outcome.events[..]
        else {
            panic!("{:?}", outcome.events)
        };
        assert_eq!(begun, LiquidationDeferred { taker: p.bob.account, health: 0, begun: 1 });
        let fraction = event.fraction as f64 / (1u64 << 32) as f64;
        assert!((fraction - 1_048.019_2 / 4_160.0).abs() < 1e-6);
        let profit = 416.0 * fraction - 0.8 * fraction * 52_000.0 * 0.0015;
        assert!((ended.health as f64 / 1e6 - profit).abs() < 0.1, "{} for {profit}", ended.health);
        assert_eq!((ended.begun, w.margin_account(&p.bob).deferral), (0, deferral::NONE));
        assert_eq!(w.position(&p.bob, &p.btc).0, 0);
        // In the next transaction it is his.
        w.settle(&p.bob, &p.btc);
        let before = w.tokens(&p.bob.owner, &p.usdc);
        w.withdraw(&p.bob, &p.usdc, u64::MAX);
        assert_eq!(w.tokens(&p.bob.owner, &p.usdc) - before, ended.health.unsigned_abs());
        assert!(is_gone(&w, &p.bob));
    }

    /// The same of an account without equity: the reward of 188 pays for closing at 0.15 % of 37,600.
    #[test]
    fn an_empty_account_takes_over_an_insolvent_one() {
        let (mut w, p) = insured(1_000);
        wait(&mut w, &p, 100);
        let sent = liquidation(&w, &p);
        w.ok_all(&sent);
        assert!(is_gone(&w, &p.alice));
        w.settle(&p.bob, &p.btc);
        let left = w.shares(&p.bob, &p.usdc);
        assert!((131_000_000..132_000_000).contains(&left), "{left}");
    }

    #[test]
    fn an_end_must_follow_at_the_top_level() {
        let (mut w, p) = sunk();
        let [begin, take, close, end] = <[Instruction; 4]>::try_from(liquidation(&w, &p)).unwrap();
        w.refuses(&begin, E::LiquidationWithoutEnd);
        w.refuses(&end, E::LiquidationNotBegun);
        w.refuses_at(&[end.clone(), begin.clone()], 0, E::LiquidationNotBegun);
        // Another's end, and other instructions of the same account.
        let (_, carols) = w.without_capital(&p.carol, &p.alice);
        w.refuses_at(&[begin.clone(), take.clone(), close.clone(), carols], 0, E::LiquidationWithoutEnd);
        // An end of another program.
        let mut foreign = end.clone();
        foreign.program_id = plimsoll_client::instruction::SYSTEM_PROGRAM;
        w.refuses_at(&[begin.clone(), foreign], 0, E::LiquidationWithoutEnd);
        // Two beginnings of one, and one end of two beginnings.
        w.refuses_at(&[begin.clone(), begin.clone(), end.clone()], 1, E::LiquidationInProgress);
        w.refuses_at(&[begin.clone(), end.clone(), begin.clone()], 2, E::LiquidationWithoutEnd);
        w.refuses_at(&[begin.clone(), end.clone(), end.clone()], 2, E::LiquidationNotBegun);
        w.ok_all(&[begin.clone(), end.clone(), begin.clone(), end.clone()]);
        w.configure(|config| config.pauses = pause::LIQUIDATE);
        w.refuses_at(&[begin, end], 0, E::Paused);
    }

    /// A program that calls: the transaction shows an end, but not to whom it belongs.
    #[test]
    fn a_program_cannot_begin_one() {
        let (mut w, p) = sunk();
        let [begin, take, close, end] = <[Instruction; 4]>::try_from(liquidation(&w, &p)).unwrap();
        let called = through_caller(&begin);
        w.refuses_at(&[called, take.clone(), close.clone(), end.clone()], 0, E::LiquidationNotTopLevel);
        // An end that a program calls is none that the beginning can see.
        let ended = through_caller(&end);
        w.refuses_at(&[begin.clone(), take.clone(), close.clone(), ended], 0, E::LiquidationWithoutEnd);
        // What stands between may be called as anything else.
        w.ok_all(&[begin, through_caller(&take), close, end]);
    }

    /// What was taken over and not closed must be carried: the whole transaction is undone.
    #[test]
    fn the_end_asks_for_the_margin() {
        let (mut w, p) = sunk();
        let [begin, take, close, end] = <[Instruction; 4]>::try_from(liquidation(&w, &p)).unwrap();
        w.refuses_at(&[begin.clone(), take.clone(), end.clone()], 2, E::TakerUnhealthy);
        let mut half = close.clone();
        half.data[1..9].copy_from_slice(&(BTC as u64 / 100).to_le_bytes());
        w.refuses_at(&[begin.clone(), take.clone(), half, end.clone()], 3, E::TakerUnhealthy);
        // A deposit before the end is as good.
        let deposit = w.deposit_ix(&p.bob, &p.usdc, 10_000 * USD as u64);
        w.ok_all(&[begin, take, deposit, end]);
    }

    #[test]
    fn the_end_wants_every_price_fresh() {
        let (mut w, p) = sunk();
        w.deposit(&p.bob, &p.usdc, 50_000 * USD as u64);
        w.set_price(&p.sol, 125);
        w.open(&p.bob, &p.sol, SOL);
        w.pass(61);
        let price = w.price(52_000);
        w.publish(&p.btc, price);
        let (begin, end) = w.without_capital(&p.bob, &p.alice);
        w.refuses_at(&[begin, end], 1, E::OracleStale);
    }

    /// Nothing but taking over, reducing, depositing and settling; whoever it is that asks for it.
    #[test]
    fn nothing_else_is_accepted_in_between() {
        let (mut w, p) = sunk();
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.deposit(&p.bob, &p.usdc, 50_000 * USD as u64);
        w.configure(|config| (config.loss_mode, config.house_floor) = (loss_mode::DELEVERAGE, u64::MAX));
        w.ok(trigger::Place {
            authority: p.bob.owner,
            account: p.bob.account,
            market: p.btc.market,
            args: PlaceTriggerArgs {
                trigger_price: u64::MAX,
                limit_price: 0,
                size: u64::MAX,
                tip: 0,
                expires_at: 0,
                side: trigger_side::LONG,
                when: trigger_when::AT_OR_BELOW,
            },
        }
        .instruction());
        let (begin, end) = w.without_capital(&p.bob, &p.alice);
        let execute = w.priced().execute_trigger(p.carol.owner, &w.keyed(&p.bob), 0, None).unwrap();
        let delegate =
            account::SetDelegate { owner: p.bob.owner, account: p.bob.account, delegate: p.carol.owner, scope: 0 };
        let refused = [
            w.withdraw_ix(&p.bob, &p.usdc, 1),
            w.open_ix(&p.bob, &p.btc, BTC / 100),
            w.flag_ix(&p.bob),
            w.liquidate_ix(&p.carol, &p.bob),
            w.resolve_ix(&p.bob),
            w.deleverage_ix(&p.bob, &p.carol, &p.btc, 1, &[]),
            w.deleverage_ix(&p.alice, &p.bob, &p.btc, 1, &[]),
            execute,
            delegate.instruction(),
            account::Close { owner: p.bob.owner, account: p.bob.account }.instruction(),
            begin.clone(),
        ];
        for (index, instruction) in refused.into_iter().enumerate() {
            println!("{index}");
            w.refuses_at(&[begin.clone(), instruction, end.clone()], 1, E::LiquidationInProgress);
        }
        // A flip is no reduction, and neither is an order that opens after a close.
        let [begin, take, close, end] = <[Instruction; 4]>::try_from(liquidation(&w, &p)).unwrap();
        let mut flip = w.order_ix(&p.bob, &p.btc, order(-BTC));
        w.refuses_at(&[begin.clone(), take.clone(), flip.clone(), end.clone()], 2, E::LiquidationInProgress);
        flip.data[1..9].copy_from_slice(&(-BTC / 100).to_le_bytes());
        w.refuses_at(&[begin.clone(), take.clone(), close.clone(), flip, end.clone()], 3, E::LiquidationInProgress);
        let settle = w.settle_ix(&p.bob, &p.btc);
        let deposit = w.deposit_ix(&p.bob, &p.usdc, 1);
        w.ok_all(&[begin, take, close, settle, deposit, end]);
    }

    /// Bob's initial health rests on a gain that the house has not paid. What he borrows for the payment, Alice may
    /// withdraw: alone he is refused at once, without capital at the end; settled in between, he is not.
    #[test]
    fn no_unpaid_gain_stands_for_what_was_borrowed() {
        let (mut w, p) = World::new();
        w.deposit(&p.bob, &p.eth, 3 * ETH as u64 / 10);
        w.open(&p.bob, &p.btc, -BTC / 2);
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.open(&p.alice, &p.btc, BTC / 2);
        w.set_price(&p.btc, 43_000);
        w.set_price(&p.eth, 1_000);
        let take = w.liquidate_ix(&p.bob, &p.alice);
        w.refuses(&take, E::UnsettledGain);
        let (begin, end) = w.without_capital(&p.bob, &p.alice);
        w.refuses_at(&[begin.clone(), take.clone(), end.clone()], 2, E::UnsettledGain);
        let settle = w.settle_ix(&p.bob, &p.btc);
        w.ok_all(&[begin, take, settle, end]);
    }
}

/// Two keys of one person, on both sides of what can be earned here.
mod attacks {
    use super::*;

    fn worth(w: &World, traders: &[&Trader]) -> i64 {
        traders.iter().map(|trader| w.margin(trader).equity_init.raw()).sum()
    }

    /// Mallory owns Alice and Carol. What Carol gains by the discount, Alice loses: to the unit nothing appears.
    #[test]
    fn the_discount_of_ones_own_account_is_ones_own_loss() {
        let (mut w, p) = insolvent();
        w.set_price(&p.btc, 52_000);
        let before = worth(&w, &[&p.alice, &p.carol]);
        w.liquidate(&p.carol, &p.alice);
        assert!((-1..=0).contains(&(worth(&w, &[&p.alice, &p.carol]) - before)));
    }

    /// The moment an account is insolvent, who takes it over himself gets what it owes and no more: the insurance's loss is
    /// what the house has won from the account. Each second that everybody else leaves it lying adds 5 % / 100 of the
    /// requirement, 1.88 USD.
    #[test]
    fn taking_over_ones_own_insolvent_account_gains_nothing_at_the_start() {
        for (seconds, reward) in [(0, 0), (1, 1_880_000), (10, 18_800_000)] {
            let (mut w, p) = insured(1_000);
            wait(&mut w, &p, seconds);
            let before = worth(&w, &[&p.alice, &p.carol]);
            let event = taken(&w.liquidate(&p.carol, &p.alice));
            assert_eq!(worth(&w, &[&p.alice, &p.carol]) - before, event.payout as i64);
            assert_eq!(event.payout, DEBT + reward);
        }
    }

    /// Mallory's Alice buys as much as her margin lets her, her Bob sells as much: for any move up to the shock range the
    /// one who loses still has equity, and together they have paid the house for four trades. Whatever nobody's margin
    /// covers takes a move beyond the range before anyone has liquidated, and then it is the market's that moved.
    #[test]
    fn within_the_range_no_loss_exceeds_a_margin() {
        let enter = || {
            let (mut w, p) = World::new();
            for (trader, side) in [(p.alice, 1), (p.bob, -1)] {
                w.deposit(&trader, &p.usdc, 10_000 * USD as u64);
                // The largest that initial margin carries: 20 % of it, and costs.
                let mut size = BTC;
                loop {
                    let ix = w.open_ix(&trader, &p.btc, side * size);
                    if w.send(&ix).0.is_ok() {
                        break;
                    }
                    size -= BTC / 200;
                }
                assert!(size > 7 * BTC / 10, "{size}");
            }
            (w, p)
        };
        let deposits = 20_000 * USD;
        for dollars in [48_001, 54_000, 60_000, 66_000, 71_999] {
            let (mut w, p) = enter();
            w.set_price(&p.btc, dollars);
            for trader in [p.alice, p.bob] {
                assert!(w.margin(&trader).equity_maint.is_positive(), "{dollars}");
                w.close(&trader, &p.btc, u64::MAX);
            }
            assert!(worth(&w, &[&p.alice, &p.bob]) < deposits, "{dollars}");
        }
    }

    /// Nor does trading make one: every trade that adds risk ends with initial margin, and one that reduces costs the
    /// spread, by at most what the maintenance range leaves.
    #[test]
    fn trading_to_and_fro_makes_no_account_insolvent() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
        w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
        let mut trades = 0;
        for round in 0..60 {
            let side = if round % 2 == 0 { 1 } else { -1 };
            // Bob moves the skew against Alice before each of her trades, and back after it.
            w.open(&p.bob, &p.btc, side * 10 * BTC);
            let open = w.open_ix(&p.alice, &p.btc, side * 7 * BTC / 1_000);
            let opened = w.send(&open).0.is_ok();
            if opened {
                trades += 1;
                assert!(w.margin(&p.alice).health_init().unwrap().raw() >= 0);
            }
            w.open(&p.bob, &p.btc, -side * 10 * BTC);
            if opened {
                w.close(&p.alice, &p.btc, u64::MAX);
            }
            assert!(w.margin(&p.alice).equity_maint.is_positive());
        }
        assert!(trades > 10, "{trades}");
        assert!(worth(&w, &[&p.alice, &p.bob]) < 1_001_000 * USD);
    }

    /// A donation to the vault is nobody's insurance.
    #[test]
    fn a_donation_is_no_insurance() {
        let (mut w, p) = insolvent();
        let vault = w.account(&p.usdc.vault).unwrap();
        let amount = raw::token_amount(&vault) + 1_000 * USD as u64;
        w.set_account(p.usdc.vault, raw::token_account(&p.usdc.mint, &p.exchange, amount));
        w.refuses(w.liquidate_ix(&p.carol, &p.alice), E::AccountInsolvent);
    }
}

/// Several accounts at the limit of their margin while prices crash through their ranges. Whatever happens, every step
/// keeps the invariants, and in the end every account without equity can be resolved to nothing.
mod walk {
    use super::*;
    use plimsoll_interface::PlimsollError;
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use solana_instruction::error::InstructionError;
    use solana_transaction_error::TransactionError;

    struct Crash {
        w: World,
        p: Places,
        rng: StdRng,
        prices: [i64; 3],
        insolvencies: usize,
        steps: usize,
    }

    impl Crash {
        fn new(seed: u64) -> Self {
            let (mut w, p) = World::new();
            let mut rng = StdRng::seed_from_u64(seed);
            w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
            w.deposit(&p.bob, &p.usdc, 10_000 * USD as u64);
            w.deposit(&p.bob, &p.sol, 80 * SOL as u64);
            w.deposit(&p.carol, &p.usdc, 3_000_000 * USD as u64);
            w.deposit(&p.carol, &p.sol, 2_000 * SOL as u64);
            let floor = rng.random_range(990_000..=1_000_000) * USD as u64;
            let mode = rng.random_range(0..=1);
            w.configure(|config| (config.house_floor, config.loss_mode) = (floor, mode));
            w.ok(w.fund_ix(&p.admin, rng.random_range(1..=5_000) * USD as u64));
            let prices = [125, 60_000, 3_000].map(|dollars| dollars * PRICE_USD);
            Self { w, p, rng, prices, insolvencies: 0, steps: 0 }
        }

        fn assets(&self) -> [(Asset, i64); 3] {
            [(self.p.sol, 8 * SOL), (self.p.btc, BTC / 60), (self.p.eth, ETH / 3)]
        }

        fn publish(&mut self) {
            for (index, (asset, _)) in self.assets().into_iter().enumerate() {
                let price = Price { price: self.prices[index], ema: self.prices[index], ..self.w.price(0) };
                self.w.publish(&asset, price);
            }
        }

        fn victims(&self) -> [Trader; 2] {
            [self.p.alice, self.p.bob]
        }

        fn is_insolvent(&self, trader: &Trader) -> bool {
            let margin = self.w.margin(trader);
            margin.equity_maint.raw() <= 0 && margin.equity_maint < margin.requirement_maint
        }

        /// Sends what may fail with an error of the program's own, and checks every invariant.
        fn attempt(&mut self, instruction: &Instruction) -> Option<Outcome> {
            self.steps += 1;
            let before = Losses::of(&self.w);
            let result = self.w.send(instruction).0;
            plimsoll_e2e_tests::invariants::check(&*self.w);
            match result {
                Ok(outcome) => {
                    if let [Event::LossCovered(event)] = outcome.events[..] {
                        check_losses(&before, &Losses::of(&self.w), &event);
                    }
                    Some(outcome)
                }
                Err(TransactionError::InstructionError(1, InstructionError::Custom(code))) => {
                    let known = PlimsollError::from_code(code).is_some_and(|error| error != PlimsollError::Corrupt);
                    assert!(known || code == 2040, "{code}");
                    None
                }
                Err(other) => panic!("{other}"),
            }
        }

        /// Victims take on what their margin carries; then prices fall or rise by up to half.
        fn crash(&mut self) {
            for trader in self.victims() {
                for (asset, lot) in self.assets() {
                    let health = self.w.margin(&trader).health_init().map_or(0, |health| health.raw());
                    let part = self.rng.random_range(30..=95) as f64 / 100.0;
                    let size = (lot as f64 * part * health as f64 / (215.0 * USD as f64)) as i64;
                    let ix = self.w.order_ix(&trader, &asset, order(if self.rng.random() { size } else { -size }));
                    self.attempt(&ix);
                }
                if self.rng.random() {
                    let amount = self.rng.random_range(1..=20) * SOL as u64;
                    let ix = self.w.withdraw_ix(&trader, &self.p.sol, amount);
                    self.attempt(&ix);
                }
            }
            for index in 0..3 {
                self.prices[index] = self.prices[index] / 1_000 * self.rng.random_range(550..=1_600);
            }
            let seconds = self.rng.random_range(1..=50);
            self.w.pass(seconds);
            self.publish();
        }

        /// Anything that anyone may do about an account in trouble.
        fn anything(&mut self) {
            let victim = self.victims()[self.rng.random_range(0..2)];
            let other = [self.p.alice, self.p.bob, self.p.carol][self.rng.random_range(0..3)];
            let (asset, lot) = self.assets()[self.rng.random_range(0..3)];
            let ix = match self.rng.random_range(0..8) {
                0 => self.w.flag_ix(&victim),
                1 => self.w.settle_ix(&victim, &asset),
                2 | 3 => {
                    let max_fraction = self.rng.random_range(1..=1u64 << 32);
                    let args = LiquidateArgs { max_fraction, max_payment: u64::MAX };
                    self.w.liquidate_args_ix(&self.p.carol, &victim, args)
                }
                4 | 5 => self.w.resolve_ix(&victim),
                6 => {
                    let size = lot.unsigned_abs() * self.rng.random_range(1..=40);
                    self.w.deleverage_ix(&victim, &other, &asset, size, &[])
                }
                _ => {
                    self.w.pass(7);
                    self.publish();
                    self.w.close_ix(&victim, &asset, u64::MAX)
                }
            };
            self.attempt(&ix);
        }

        /// Every account without equity, until there is none: what the client says comes next, does.
        fn resolve_all(&mut self) {
            for victim in self.victims() {
                if self.is_insolvent(&victim) {
                    self.insolvencies += 1;
                }
                for step in 0.. {
                    assert!(step < 60, "an account cannot be resolved");
                    let accrue = self.w.accrue_ix(&self.p.usdc);
                    self.attempt(&accrue);
                    let account = self.w.margin_account(&victim);
                    let Some(next) = self.w.priced().resolution(&account).unwrap() else { break };
                    let ix = match next {
                        Resolution::Liquidate => self.w.liquidate_ix(&self.p.carol, &victim),
                        Resolution::Wait(_) => {
                            self.w.flag(&victim);
                            self.w.pass(100);
                            self.publish();
                            continue;
                        }
                        _ => self.w.resolve_ix(&victim),
                    };
                    let done = self.attempt(&ix);
                    assert!(done.is_some(), "{next:?} was refused");
                }
                assert!(!self.is_insolvent(&victim));
            }
        }

        fn run(&mut self) {
            for _ in 0..6 {
                self.crash();
                for _ in 0..12 {
                    self.anything();
                }
                self.resolve_all();
                // Who is gone starts again.
                for trader in self.victims() {
                    if self.w.margin(&trader).equity_maint.raw() < 1_000 * USD {
                        let deposit = self.w.deposit_ix(&trader, &self.p.usdc, 20_000 * USD as u64);
                        self.attempt(&deposit);
                    }
                }
            }
            println!("{} steps, {} insolvencies", self.steps, self.insolvencies);
        }
    }

    fn walk(seed: u64) {
        let mut crash = Crash::new(seed);
        crash.run();
        assert!(crash.insolvencies > 0);
    }

    #[test]
    fn every_insolvent_account_is_resolved_to_nothing_1() {
        walk(0x0f10_0d01);
    }

    #[test]
    fn every_insolvent_account_is_resolved_to_nothing_2() {
        walk(0x0f10_0d02);
    }

    #[test]
    fn every_insolvent_account_is_resolved_to_nothing_3() {
        walk(0x0f10_0d03);
    }

    #[test]
    fn every_insolvent_account_is_resolved_to_nothing_4() {
        walk(0x0f10_0d04);
    }
}
