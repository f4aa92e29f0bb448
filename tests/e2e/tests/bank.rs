//! `create_bank`, `configure_bank`, `accrue`.

use plimsoll_client::{
    event::Event,
    instruction::{TOKEN_PROGRAM, bank},
};
use plimsoll_e2e_tests::{
    E, I, World, raw,
    world::{Places, SOL, USD, bank_config},
};
use plimsoll_interface::{
    Address,
    accounts::{Bank, Exchange},
    address,
    config::{BankConfig, state},
    event::{Accrued, Configured},
};

type Change = fn(&mut BankConfig);

/// Parameters that neither instruction accepts.
const INVALID: [Change; 13] = [
    |config| config.haircut_init_ppm = 1_000_001,
    |config| config.haircut_maint_ppm = config.haircut_init_ppm + 1,
    |config| config.borrow_weight_init_ppm = 1_000_001,
    |config| config.borrow_weight_maint_ppm = config.borrow_weight_init_ppm + 1,
    |config| config.optimal_utilisation_ppm = 0,
    |config| config.optimal_utilisation_ppm = 1_000_001,
    |config| config.base_rate_ppm = config.optimal_rate_ppm + 1,
    |config| config.optimal_rate_ppm = config.max_rate_ppm + 1,
    |config| config.max_rate_ppm = 10_000_001,
    |config| config.reserve_factor_ppm = 1_000_001,
    |config| config.state = state::LAST + 1,
    |config| config._padding = [0, 0, 0, 0, 0, 0, 1],
    |config| config.max_rate_ppm = u32::MAX,
];

const MINT: Address = Address::new_from_array([b'm'; 32]);

/// A new mint of five decimals, priced by SOL's market, which has nine.
fn create(w: &mut World, p: &Places) -> bank::Create {
    w.set_account(MINT, raw::mint(5));
    let (admin, exchange, market) = (p.admin, p.exchange, Some(p.sol.market));
    bank::Create { admin, exchange, mint: MINT, token_program: TOKEN_PROGRAM, market, config: bank_config().starting() }
}

#[test]
fn a_bank_is_made_with_its_vault() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    let outcome = w.ok(create.instruction());
    let address = address::bank(&p.exchange, &MINT);
    let expected = Configured { exchange: p.exchange, subject: address, admin: p.admin };
    assert_eq!(outcome.event(), Event::Configured(expected));
    let made: Bank = w.read(&address);
    assert_eq!((made.exchange, made.mint, made.market), (p.exchange, MINT, p.sol.market));
    assert_eq!((made.decimals, made.scale_decimals, made.is_quote, made.index), (5, 4, 0, 4));
    assert_eq!((made.deposit_index, made.borrow_index, made.accrued_at), (1 << 48, 1 << 48, w.now()));
    assert_eq!((made.vault, made.config), (address::vault(&address), bank_config().starting()));
    assert_eq!(w.read::<Exchange>(&p.exchange).bank_count, 5);
    let vault = w.account(&made.vault).unwrap();
    assert_eq!((&vault.data[..32], &vault.data[32..64]), (MINT.as_ref(), p.exchange.as_ref()));
}

#[test]
fn a_mint_has_one_bank() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    w.ok(create.instruction());
    w.refuses(create.instruction(), I::Custom(0));
}

#[test]
fn a_collateral_needs_a_market() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    w.refuses(bank::Create { market: None, ..create }.instruction(), E::BankNeedsMarket);
}

/// The quote bank exists before any market does, so only another quote mint could bring this about.
#[test]
fn the_quote_bank_has_no_market() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.quote_mint = MINT);
    w.refuses(create.instruction(), E::BankHasMarket);
}

#[test]
fn a_mint_of_more_decimals_than_its_market_or_than_nine_is_refused() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    w.set_account(MINT, raw::mint(9));
    w.refuses(bank::Create { market: Some(p.btc.market), ..create.clone() }.instruction(), E::UnsupportedDecimals);
    w.set_account(MINT, raw::mint(10));
    w.refuses(create.instruction(), E::UnsupportedDecimals);
}

#[test]
fn invalid_parameters_are_refused_when_created_and_when_configured() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    for change in INVALID {
        let mut config = bank_config();
        change(&mut config);
        w.refuses(bank::Create { config, ..create.clone() }.instruction(), E::InvalidBankParameters);
        let configure = bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.sol.bank, config };
        w.refuses(configure.instruction(), E::InvalidBankParameters);
    }
}

/// Whoever holds the admin's key lists what he likes, and nothing counts for it.
#[test]
fn a_new_bank_counts_for_nothing() {
    let (mut w, p) = World::new();
    let create = create(&mut w, &p);
    let changes: [Change; 6] = [
        |config| config.haircut_maint_ppm = 999_999,
        |config| (config.haircut_init_ppm, config.haircut_maint_ppm) = (999_999, 999_999),
        |config| config.haircut_maint_full_ppm = 999_999,
        |config| config.borrow_weight_maint_ppm = 999_999,
        |config| (config.borrow_weight_init_ppm, config.borrow_weight_maint_ppm) = (999_999, 999_999),
        |config| *config = bank_config(),
    ];
    for change in changes {
        let mut config = create.config;
        change(&mut config);
        let error = if config.validate().is_ok() { E::NewBankHasWeight } else { E::InvalidBankParameters };
        w.refuses(bank::Create { config, ..create.clone() }.instruction(), error);
    }
    w.ok(create.instruction());
}

#[test]
fn an_exchange_has_room_for_as_many_banks_as_it_can_count() {
    let (mut w, p) = World::new();
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.bank_count = u16::MAX);
    let create = create(&mut w, &p);
    w.refuses(create.instruction(), E::TooMany);
}

/// Bob lends 100 SOL, Alice borrows 40 of them against dollars.
fn lending() -> (World, Places) {
    let (mut w, p) = World::new();
    w.deposit(&p.bob, &p.sol, 100 * SOL as u64);
    w.deposit(&p.alice, &p.usdc, 20_000 * USD as u64);
    w.withdraw(&p.alice, &p.sol, 40 * SOL as u64);
    (w, p)
}

#[test]
fn accruing_raises_the_indexes_and_says_so() {
    let (mut w, p) = lending();
    w.pass(31_536_000);
    let outcome = w.accrue(&p.sol);
    let bank = w.bank(&p.sol);
    // Utilisation 40 % is half way to the kink at 80 % and 8 %: 4 % for the year on 40 SOL is 1.6 SOL, a tenth of which is
    // kept and 1.44 of which go to 100 SOL.
    let one = 1u64 << 48;
    assert_eq!(bank.borrow_index, (u128::from(one) * 104).div_ceil(100) as u64);
    assert!(bank.deposit_index.abs_diff((u128::from(one) * 10_144 / 10_000) as u64) <= 1, "{}", bank.deposit_index);
    assert_eq!(bank.reserve, 160_000_000);
    let expected = Accrued {
        bank: p.sol.bank,
        deposit_index: bank.deposit_index,
        borrow_index: bank.borrow_index,
        reserve: bank.reserve,
        accrued_at: w.now(),
    };
    assert_eq!(outcome.event(), Event::Accrued(expected));
}

#[test]
fn accruing_twice_at_one_moment_is_accruing_once() {
    let (mut w, p) = lending();
    w.pass(1_000);
    w.accrue(&p.sol);
    let bank = w.bank(&p.sol);
    w.accrue(&p.sol);
    assert_eq!(w.bank(&p.sol), bank);
}

#[test]
fn a_clock_that_went_back_is_refused() {
    let (mut w, p) = lending();
    w.pass(-1);
    w.refuses(w.accrue_ix(&p.sol), E::ClockWentBack);
    let configure = bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.sol.bank, config: bank_config() };
    w.refuses(configure.instruction(), E::ClockWentBack);
}

#[test]
fn an_index_that_would_not_fit_is_refused() {
    let (mut w, p) = lending();
    w.edit::<Bank>(&p.sol.bank, |bank| bank.borrow_index = u64::MAX - 1);
    w.pass(31_536_000);
    w.refuses(w.accrue_ix(&p.sol), E::Overflow);
    w.edit::<Bank>(&p.sol.bank, |bank| bank.borrow_index = 1 << 48);
}

#[test]
fn configuring_accrues_at_the_old_rates_first() {
    let (mut w, p) = lending();
    w.pass(31_536_000);
    let mut twin = lending().0;
    twin.pass(31_536_000);
    twin.accrue(&p.sol);
    let config = BankConfig { max_rate_ppm: 2_000_000, optimal_rate_ppm: 1_000_000, ..bank_config() };
    let configure = bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.sol.bank, config };
    let outcome = w.ok(configure.instruction());
    let expected = Configured { exchange: p.exchange, subject: p.sol.bank, admin: p.admin };
    assert_eq!(outcome.event(), Event::Configured(expected));
    assert_eq!(w.bank(&p.sol), Bank { config, ..twin.bank(&p.sol) });
}

/// Quote counts at its amount: with a weight on it, whoever settles another's loss into a borrow would lower his health.
#[test]
fn the_quote_bank_has_no_weight() {
    let (mut w, p) = World::new();
    let changes: [Change; 3] = [
        |config| config.haircut_init_ppm = 1,
        |config| config.borrow_weight_init_ppm = 1,
        |config| (config.borrow_weight_init_ppm, config.borrow_weight_maint_ppm) = (1, 1),
    ];
    for change in changes {
        let mut config = w.bank(&p.usdc).config;
        change(&mut config);
        let configure = bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.usdc.bank, config };
        w.refuses(configure.instruction(), E::InvalidBankParameters);
    }
}
