//! `create_market`, `configure_market`, `observe`.

use plimsoll_client::event::Event;
use plimsoll_e2e_tests::{
    Asset, E, World, raw,
    raw::Price,
    world::{PRICE_USD, Places, SOL, USD, create_market_args, market_config},
};
use plimsoll_interface::{
    accounts::{Exchange, House, Market, oracle_kind},
    address,
    config::{MarketConfig, OptionConfig, VolatilityConfig, state},
    event::{Configured, Observed},
    instruction::CreateMarketArgs,
};

type Change = fn(&mut MarketConfig);

/// Parameters that neither instruction accepts.
const INVALID: [Change; 24] = [
    |config| config.volatility = VolatilityConfig::fixed_range(999),
    |config| config.volatility = VolatilityConfig::fixed_range(800_001),
    |config| config.confidence_multiplier_ppm = 10_000_001,
    |config| config.max_confidence_ppm = 0,
    |config| config.max_confidence_ppm = 50_001,
    |config| config.max_ema_gap_ppm = 0,
    |config| config.max_ema_gap_ppm = 200_001,
    |config| config.half_spread_ppm = 50_001,
    |config| config.taker_fee_ppm = 50_001,
    |config| config.skew_premium_ppm = 100_001,
    |config| config.max_age_seconds = 0,
    |config| config.max_age_seconds = 601,
    |config| config.dead_age_seconds = config.max_age_seconds - 1,
    |config| config.dead_age_seconds = 86_401,
    |config| config.group = 8,
    |config| config.state = state::LAST + 1,
    |config| config.perp_enabled = 2,
    |config| config._padding = 1,
    |config| config.skew_scale = 0,
    |config| config.skew_scale = config.max_open_interest / 5 - 1,
    |config| config.max_open_interest = u64::MAX,
    |config| (config.max_open_interest, config.skew_scale) = (1 << 61, 1 << 61),
    |config| config.volatility = VolatilityConfig::fixed_range(u32::MAX),
    |config| config.dead_age_seconds = u32::MAX,
];

/// A fourth market, without a risk budget.
fn args(p: &Places) -> CreateMarketArgs {
    create_market_args(&p.sol, "WIF", 6, MarketConfig { risk_budget: 0, ..market_config(1_000_000) })
}

#[test]
fn a_market_is_made_for_a_feed() {
    let (mut w, p) = World::new();
    let args = args(&p);
    let outcome = w.ok(w.stored().create_market(args));
    let address = address::market(&p.exchange, 3);
    let expected = Configured { exchange: p.exchange, subject: address, admin: p.admin };
    assert_eq!(outcome.event(), Event::Configured(expected));
    let made: Market = w.read(&address);
    assert_eq!((made.exchange, made.index, made.base_decimals, made.version), (p.exchange, 3, 6, 1));
    assert_eq!((made.feed_id, made.oracle_owner, made.oracle_kind), (p.sol.feed_id, raw::RECEIVER, 0));
    assert_eq!((&made.symbol[..4], made.spot, made.publish_time), (b"WIF\0".as_slice(), 0, 0));
    assert_eq!(made.config, args.config);
    assert_eq!(w.read::<Exchange>(&p.exchange).market_count, 4);
    assert_eq!(w.house().risk_budget_total, 600_000 * USD as u64);
}

#[test]
fn invalid_parameters_are_refused_when_created_and_when_configured() {
    let (mut w, p) = World::new();
    for change in INVALID {
        let mut config = market_config(SOL);
        change(&mut config);
        w.refuses(w.stored().create_market(CreateMarketArgs { config, ..args(&p) }), E::InvalidMarketParameters);
        w.refuses(w.stored().configure_market(&p.sol.market, config), E::InvalidMarketParameters);
    }
}

#[test]
fn a_market_that_only_prices_collateral_needs_no_skew_scale() {
    let (mut w, p) = World::new();
    let config = MarketConfig { perp_enabled: 0, skew_scale: 0, max_open_interest: u64::MAX, ..args(&p).config };
    w.ok(w.stored().create_market(CreateMarketArgs { config, ..args(&p) }));
}

#[test]
fn a_new_market_carries_no_risk() {
    let (mut w, p) = World::new();
    let options = OptionConfig { lot: 1, vega_scale: 1, volatility_ratio_max_ppm: 1_000_000, ..OptionConfig::NONE };
    let with_options = MarketConfig { options: OptionConfig { enabled: 1, ..options }, ..args(&p).config };
    for config in [MarketConfig { risk_budget: 1, ..args(&p).config }, with_options] {
        w.refuses(w.stored().create_market(CreateMarketArgs { config, ..args(&p) }), E::NewMarketHasRisk);
    }
    let config = MarketConfig { options, ..args(&p).config };
    w.ok(w.stored().create_market(CreateMarketArgs { config, ..args(&p) }));
}

#[test]
fn feeds_decimals_and_symbols_that_are_refused() {
    let (mut w, p) = World::new();
    let args = args(&p);
    let symbol = |bytes: &[u8]| {
        let mut symbol = [0; 16];
        symbol[..bytes.len()].copy_from_slice(bytes);
        CreateMarketArgs { symbol, ..args }
    };
    let refused = [
        (CreateMarketArgs { base_decimals: 13, ..args }, E::UnsupportedDecimals),
        (CreateMarketArgs { oracle_owner: p.mallory, ..args }, E::UnsupportedOracle),
        (CreateMarketArgs { oracle_owner: raw::LEGACY, ..args }, E::UnsupportedOracle),
        (CreateMarketArgs { oracle_kind: oracle_kind::LEGACY, ..args }, E::UnsupportedOracle),
        (CreateMarketArgs { oracle_kind: oracle_kind::LAST + 1, ..args }, E::UnsupportedOracle),
        (symbol(b""), E::InvalidSymbol),
        (symbol(b"A B"), E::InvalidSymbol),
        (symbol(b"A\0B"), E::InvalidSymbol),
        (symbol("É".as_bytes()), E::InvalidSymbol),
    ];
    for (args, error) in refused {
        w.refuses(w.stored().create_market(args), error);
    }
    w.ok(w.stored().create_market(CreateMarketArgs { oracle_owner: raw::RECEIVER_2, ..symbol(&[b'~'; 16]) }));
}

/// The house has a million, of which the three markets take 600,000.
#[test]
fn budgets_together_stay_within_what_the_house_is_worth() {
    let (mut w, p) = World::new();
    let free = 400_000 * USD as u64;
    let raised = |risk_budget| MarketConfig { risk_budget, ..market_config(SOL) };
    w.refuses(w.stored().configure_market(&p.sol.market, raised(200_000 * USD as u64 + free + 1)), E::HouseBudgets);
    w.refuses(w.stored().configure_market(&p.sol.market, raised(u64::MAX)), E::Overflow);
    w.ok(w.stored().configure_market(&p.sol.market, raised(200_000 * USD as u64 + free)));
    assert_eq!(w.house().risk_budget_total, 1_000_000 * USD as u64);
}

/// The house has a million and the three budgets are 200,000 each. A valuation of the last minute is what counts.
#[test]
fn a_budget_is_raised_up_to_what_the_house_was_worth_within_the_last_minute() {
    let (mut w, p) = World::new();
    let raised = |budget: i64| MarketConfig { risk_budget: budget as u64, ..market_config(SOL) };
    w.refuses(w.stored().configure_market(&p.sol.market, raised(600_000 * USD + 1)), E::HouseBudgets);
    w.pass(61);
    w.refuses(w.stored().configure_market(&p.sol.market, raised(200_000 * USD + 1)), E::HouseNavStale);
    w.value_house();
    w.ok(w.stored().configure_market(&p.sol.market, raised(600_000 * USD)));
    assert_eq!(w.house().risk_budget_total, 1_000_000 * USD as u64);
    w.refuses(w.stored().configure_market(&p.sol.market, raised(600_000 * USD + 1)), E::HouseBudgets);
}

#[test]
fn a_lower_budget_needs_no_valuation() {
    let (mut w, p) = World::new();
    w.pass(61);
    let config =
        MarketConfig { risk_budget: 1, volatility: VolatilityConfig::fixed_range(300_000), ..market_config(SOL) };
    let outcome = w.ok(w.stored().configure_market(&p.sol.market, config));
    let expected = Configured { exchange: p.exchange, subject: p.sol.market, admin: p.admin };
    assert_eq!(outcome.event(), Event::Configured(expected));
    assert_eq!(w.market(&p.sol).config, config);
    assert_eq!(w.house().risk_budget_total, 400_000 * USD as u64 + 1);
}

/// Inventory in SOL and an old price: nobody knows what the house is worth.
#[test]
fn a_budget_is_not_raised_at_an_old_price() {
    let (mut w, p) = World::new();
    w.deposit(&p.alice, &p.usdc, 10_000 * USD as u64);
    w.open(&p.alice, &p.sol, SOL);
    w.pass(61);
    let raised = MarketConfig { risk_budget: 200_001 * USD as u64, ..market_config(SOL) };
    w.refuses(w.stored().value_house(), E::OracleStale);
    w.refuses(w.stored().configure_market(&p.btc.market, raised), E::HouseNavStale);
    w.set_price(&p.sol, 125);
    w.ok(w.stored().value_house());
    w.ok(w.stored().configure_market(&p.btc.market, raised));
}

#[test]
fn an_exchange_has_room_for_as_many_markets_as_it_can_count() {
    let (mut w, p) = World::new();
    w.edit::<Exchange>(&p.exchange, |exchange| exchange.market_count = u16::MAX);
    w.refuses(w.stored().create_market(args(&p)), E::TooMany);
}

#[test]
fn a_market_takes_its_budget_back_from_the_house_it_was_counted_in() {
    let (mut w, p) = World::new();
    w.edit::<House>(&p.house, |house| house.risk_budget_total = 0);
    let config = MarketConfig { risk_budget: 0, ..market_config(SOL) };
    w.refuses(w.stored().configure_market(&p.sol.market, config), E::Overflow);
}

#[test]
fn observing_stores_price_average_and_confidence() {
    let (mut w, p) = World::new();
    w.pass(5);
    let price = Price { price: 250 * PRICE_USD, ema: 125 * PRICE_USD, confidence: 5 * PRICE_USD as u64, ..w.price(0) };
    for (asset, unit) in [(p.sol, 1u64 << 48), (p.eth, 1 << 48), (p.btc, 10 << 48)] {
        w.publish(&asset, price);
        let outcome = w.observe(&asset);
        let market = w.market(&asset);
        // 250 USD with 9 decimals are 0.25 quote native per base unit, with 8 decimals 2.5.
        assert_eq!((market.spot, market.ema, market.publish_time), (unit / 4, unit / 8, w.now()));
        assert_eq!(market.confidence, unit.div_ceil(200));
        let Market { spot, ema, confidence, publish_time, .. } = market;
        let expected = Observed { market: asset.market, spot, ema, confidence, publish_time };
        assert_eq!(outcome.event(), Event::Observed(expected));
    }
}

/// What a feed may say, and what it may not.
#[test]
fn prices_that_are_refused() {
    let (mut w, p) = World::new();
    let good = w.price(125);
    let refused = [
        (Price { price: 0, ..good }, E::OraclePriceNotPositive),
        (Price { price: -1, ..good }, E::OraclePriceNotPositive),
        (Price { ema: 0, ..good }, E::OraclePriceNotPositive),
        (Price { ema: -5, ..good }, E::OraclePriceNotPositive),
        (Price { exponent: 1, ..good }, E::OracleExponent),
        (Price { exponent: -19, ..good }, E::OracleExponent),
        (Price { price: 1, ..good }, E::OraclePriceOutOfRange),
        (Price { ema: 1, ..good }, E::OraclePriceOutOfRange),
        (Price { price: i64::MAX, exponent: 0, ..good }, E::OraclePriceOutOfRange),
        (Price { confidence: u64::MAX, exponent: 0, ..good }, E::OraclePriceOutOfRange),
        (Price { publish_time: w.now() + 11, ..good }, E::OracleInFuture),
        (Price { publish_time: i64::MAX, ..good }, E::OracleInFuture),
        (Price { publish_time: w.now() - 1, ..good }, E::OracleOlderThanObservation),
    ];
    for asset in [p.sol, p.eth] {
        for (price, error) in refused {
            w.publish(&asset, price);
            w.refuses(w.observe_ix(&asset), error);
        }
        w.publish(&asset, Price { publish_time: w.now() + 10, ..good });
        w.observe(&asset);
    }
}

/// Offsets of the two formats, each with a byte that spoils it.
#[test]
fn price_accounts_that_are_refused() {
    let (mut w, p) = World::new();
    let spoils: [(Asset, usize, u8, E); 9] = [
        (p.sol, 0, 0, E::OracleWrongAccount),
        // Verification: partial, and nothing that exists.
        (p.sol, 40, 0, E::OracleNotFull),
        (p.sol, 40, 2, E::OracleNotFull),
        (p.sol, 72, 0, E::OracleWrongFeed),
        (p.eth, 0, 0, E::OracleWrongAccount),
        (p.eth, 4, 3, E::OracleWrongAccount),
        (p.eth, 8, 2, E::OracleWrongAccount),
        (p.eth, 224, 0, E::OracleNotTrading),
        (p.eth, 224, 2, E::OracleNotTrading),
    ];
    for (asset, at, byte, error) in spoils {
        let mut account = asset.price_account(&w.price(125));
        assert_ne!(account.data[at], byte);
        account.data[at] = byte;
        w.set_account(asset.oracle, account);
        w.refuses(w.observe_ix(&asset), error);
    }
    for asset in [p.sol, p.eth] {
        let mut account = asset.price_account(&w.price(125));
        account.data.pop();
        w.set_account(asset.oracle, account.clone());
        w.refuses(w.observe_ix(&asset), E::OracleWrongAccount);
        w.set_account(asset.oracle, raw::account(raw::RECEIVER_2, account.data));
        w.refuses(w.observe_ix(&asset), E::OracleWrongOwner);
    }
}

/// A partial update carries one byte more before the feed id, so a reader of fixed offsets would read nonsense.
#[test]
fn a_partially_verified_update_is_refused_in_its_own_layout() {
    let (mut w, p) = World::new();
    let mut account = p.sol.price_account(&w.price(125));
    account.data.insert(41, 5);
    account.data.pop();
    account.data[40] = 0;
    w.set_account(p.sol.oracle, account);
    w.refuses(w.observe_ix(&p.sol), E::OracleNotFull);
}

/// SOL's feed as it stood on mainnet, owner and bytes.
#[test]
fn a_real_price_account_is_read() {
    let (mut w, p) = World::new();
    let bytes = include_bytes!("../fixtures/pyth_push_sol_price.bin");
    let feed_id: [u8; 32] = bytes[41..73].try_into().unwrap();
    let at = i64::from_le_bytes(bytes[93..101].try_into().unwrap());
    w.edit::<Market>(&p.sol.market, |market| (market.feed_id, market.publish_time) = (feed_id, 0));
    w.set_account(p.sol.oracle, raw::account(raw::RECEIVER, bytes.to_vec()));
    w.set_now(at + 1);
    w.observe(&p.sol);
    // 156.79769099 USD.
    let expected = (15_679_769_099u128 << 48) / 10u128.pow(11);
    let market = w.market(&p.sol);
    assert_eq!((market.spot, market.publish_time), (expected as u64, at));
}
