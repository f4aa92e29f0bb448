//! House shares as a collateral: a market that the house prices, and a bank of their mint.

use plimsoll_client::{
    Snapshot,
    instruction::{TOKEN_PROGRAM, bank, venue::Traded},
    price::PriceAccount,
};
use plimsoll_e2e_tests::{
    Asset, E, Trader, World,
    world::{Places, SOL, USD, bank_config, create_market_args, market_config},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{House, oracle_kind},
    address,
    config::{BankConfig, MarketConfig, OptionConfig, VolatilityConfig, state},
    instruction::{Contract, CreateMarketArgs, FillArgs, instrument},
};

type Change = fn(&mut House);

const THOUSAND: u64 = 1_000 * USD as u64;

/// House shares, once their market is the exchange's fourth.
pub fn share(p: &Places) -> Asset {
    let bank = address::bank(&p.exchange, &p.share_mint);
    Asset {
        token_program: TOKEN_PROGRAM,
        mint: p.share_mint,
        bank,
        vault: address::vault(&bank),
        market: address::market(&p.exchange, 3),
        oracle: p.house,
        feed_id: p.house.to_bytes(),
        oracle_kind: oracle_kind::HOUSE,
    }
}

/// A range of 20 %, no perpetual, no options, no budget.
fn share_market(p: &Places) -> CreateMarketArgs {
    let config = MarketConfig { risk_budget: 0, perp_enabled: 0, max_age_seconds: 600, ..market_config(SOL) };
    CreateMarketArgs { oracle_owner: ID, ..create_market_args(&share(p), "HOUSE", 6, config) }
}

/// A haircut of 30 %, and a cap of 100,000 shares; not lent out.
fn share_bank() -> BankConfig {
    BankConfig { deposit_cap: 100 * THOUSAND, borrow_cap: 0, swap_cap: 0, ..bank_config() }
        .with_haircuts(300_000, 300_000)
}

/// The exchange with the market and bank of house shares, as a client sees it that passes every price account.
pub fn seen(w: &World, p: &Places) -> Snapshot {
    let asset = share(p);
    let mut snapshot = w.priced();
    snapshot.markets.insert(asset.market, w.market(&asset));
    snapshot.banks.insert(asset.bank, w.bank(&asset));
    let house = w.account(&p.house).unwrap();
    snapshot.prices.insert(asset.market, PriceAccount { address: p.house, owner: house.owner, data: house.data });
    snapshot
}

/// Alice has 10,000 house shares as her only collateral.
pub fn alice_with_shares() -> (World, Places) {
    let (mut w, p) = World::new();
    assert_eq!(w.provide(&p.alice.owner, 10 * THOUSAND), 10 * THOUSAND);
    w.ok(w.priced().create_market(share_market(&p)));
    let (admin, exchange, asset) = (p.admin, p.exchange, share(&p));
    let starting = share_bank().starting();
    let create = bank::Create {
        admin,
        exchange,
        mint: p.share_mint,
        token_program: TOKEN_PROGRAM,
        market: Some(asset.market),
        config: starting,
    };
    w.ok(create.instruction());
    w.ok(bank::Configure { admin, exchange, bank: asset.bank, config: share_bank() }.instruction());
    w.ok(w.observe_ix(&asset));
    w.deposit(&p.alice, &asset, 10 * THOUSAND);
    (w, p)
}

pub fn health(w: &World, p: &Places) -> i64 {
    seen(w, p).margin(&w.margin_account(&p.alice)).unwrap().health_init().unwrap().raw()
}

/// 10,000 shares at a dollar: 20 % of range and 30 % of haircut leave 5,000 USD to borrow.
#[test]
fn shares_carry_what_range_and_haircut_leave() {
    let (mut w, p) = alice_with_shares();
    assert_eq!(w.market(&share(&p)).spot, 1 << 48);
    assert_eq!(health(&w, &p), 5_000 * USD);
    let tokens = p.usdc.tokens_of(&p.alice.owner);
    let borrow = |w: &World, amount| seen(w, &p).withdraw(&w.keyed(&p.alice), &p.usdc.mint, tokens, amount).unwrap();
    w.refuses(borrow(&w, 5 * THOUSAND + 1), E::InsufficientMargin);
    w.ok(borrow(&w, 5 * THOUSAND));
    assert_eq!(health(&w, &p), 0);
}

/// Bob is long 1,000 SOL and SOL rises by 20 USD: the house has lost 20,000 of about 1,010,000. The share follows at the next
/// valuation, and the market when it is observed, or at once where the house is passed.
#[test]
fn the_share_follows_the_houses_value() {
    let (mut w, p) = alice_with_shares();
    w.deposit(&p.bob, &p.usdc, 100 * THOUSAND);
    w.open(&p.bob, &p.sol, 1_000 * SOL);
    w.pass(1);
    w.set_price(&p.sol, 145);
    assert_eq!(health(&w, &p), 5_000 * USD);
    // All four markets, the fourth without inventory and without a price.
    let value = seen(&w, &p).value_house();
    assert_eq!(value.accounts.len(), 3 + 6 + 1);
    w.ok(value);
    let house = w.house();
    let expected = 5_000.0 * house.nav as f64 / house.share_supply as f64;
    assert!((health(&w, &p) as f64 / 1e6 - expected).abs() < 0.001, "{} for {expected}", health(&w, &p));
    assert!(expected < 4_910.0);
    assert_eq!(w.market(&share(&p)).spot, 1 << 48);
    w.ok(w.observe_ix(&share(&p)));
    assert_eq!(
        (w.market(&share(&p)).publish_time, w.market(&share(&p)).ema),
        (house.nav_at, w.market(&share(&p)).spot)
    );
    assert_eq!(w.market(&share(&p)).confidence, 0);
    // As old as the valuation is the price: new risk on an old one is refused.
    w.pass(601);
    let tokens = p.usdc.tokens_of(&p.alice.owner);
    let borrow = seen(&w, &p).withdraw(&w.keyed(&p.alice), &p.usdc.mint, tokens, 1).unwrap();
    w.refuses(borrow, E::InsufficientMargin);
}

#[test]
fn the_house_must_be_worth_something_and_be_valued() {
    let (mut w, p) = alice_with_shares();
    let asset = share(&p);
    let before = w.house();
    let observe = w.observe_ix(&asset);
    let cases: [(Change, E); 4] = [
        (|house| house.nav_at = 0, E::OracleNeverObserved),
        (|house| house.nav = -1, E::OraclePriceNotPositive),
        (|house| house.nav = 1, E::OraclePriceOutOfRange),
        (|house| house.nav_at += 1_000, E::OracleInFuture),
    ];
    for (change, error) in cases {
        w.edit(&p.house, change);
        w.refuses(&observe, error);
        w.edit(&p.house, |house| *house = before);
    }
    // Another house, and something else of the program.
    for other in [p.other.house, p.usdc.bank] {
        let mut wrong = observe.clone();
        wrong.accounts[1].pubkey = other;
        w.refuses(wrong, E::OracleWrongFeed);
    }
    let mut wrong = observe.clone();
    wrong.accounts[1].pubkey = p.sol.oracle;
    w.refuses(wrong, E::OracleWrongOwner);
    let mut data = w.account(&p.house).unwrap();
    let right = data.clone();
    data.data[0] ^= 1;
    w.set_account(p.house, data.clone());
    w.refuses(&observe, E::OracleWrongAccount);
    data.data.truncate(4);
    w.set_account(p.house, data);
    w.refuses(&observe, E::OracleWrongAccount);
    w.set_account(p.house, right);
    w.ok(observe);
}

/// The house holds nothing of itself: the market of its shares has no perpetual, no options and no budget.
#[test]
fn the_market_of_the_shares_prices_collateral_and_nothing_else() {
    let (mut w, p) = World::new();
    let right = share_market(&p);
    let with = |config| CreateMarketArgs { config, ..right };
    w.refuses(
        w.priced().create_market(with(MarketConfig { perp_enabled: 1, ..right.config })),
        E::InvalidMarketParameters,
    );
    let of_another = CreateMarketArgs { feed_id: p.other.house.to_bytes(), ..right };
    w.refuses(w.priced().create_market(of_another), E::UnsupportedOracle);
    let by_another = CreateMarketArgs { oracle_kind: oracle_kind::LEGACY, ..right };
    w.refuses(w.priced().create_market(by_another), E::UnsupportedOracle);
    w.refuses(w.priced().create_market(CreateMarketArgs { base_decimals: 9, ..right }), E::UnsupportedDecimals);
    w.ok(w.priced().create_market(right));
    let options =
        OptionConfig { lot: 1, vega_scale: 1, volatility_ratio_max_ppm: 1_000_000, enabled: 1, ..OptionConfig::NONE };
    let market = share(&p).market;
    let changes: [fn(MarketConfig, OptionConfig) -> MarketConfig; 3] = [
        |config, _| MarketConfig { perp_enabled: 1, ..config },
        |config, _| MarketConfig { risk_budget: 1, ..config },
        |config, options| MarketConfig { options, ..config },
    ];
    for change in changes {
        let config = change(right.config, options);
        w.refuses(w.stored().configure_market(&market, config), E::InvalidMarketParameters);
    }
    let wider = MarketConfig { volatility: VolatilityConfig::fixed_range(300_000), ..right.config };
    w.ok(w.stored().configure_market(&market, wider));
}

#[test]
fn the_bank_of_the_shares_has_a_haircut_and_lends_nothing() {
    let (mut w, p) = World::new();
    w.ok(w.priced().create_market(share_market(&p)));
    let (admin, exchange, asset) = (p.admin, p.exchange, share(&p));
    let create = |mint: Address, config| {
        bank::Create { admin, exchange, mint, token_program: TOKEN_PROGRAM, market: Some(asset.market), config }
            .instruction()
    };
    let starting = share_bank().starting();
    w.refuses(create(p.share_mint, BankConfig { borrow_cap: 1, ..starting }), E::InvalidBankParameters);
    w.refuses(create(p.share_mint, BankConfig { swap_cap: 1, ..starting }), E::InvalidBankParameters);
    w.refuses(create(address::share_mint(&p.other.house), starting), E::WrongMint);
    w.ok(create(p.share_mint, starting));
    assert_eq!((w.bank(&asset).is_house_share, w.bank(&p.sol).is_house_share), (1, 0));
    let configure = |config| bank::Configure { admin, exchange, bank: asset.bank, config }.instruction();
    let refused = [
        share_bank().with_haircuts(300_000, 299_999),
        BankConfig { haircut_maint_ppm: 299_999, ..share_bank() },
        BankConfig { borrow_cap: 1, ..share_bank() },
        BankConfig { swap_cap: 1, ..share_bank() },
    ];
    for config in refused {
        w.refuses(configure(config), E::InvalidBankParameters);
    }
    w.ok(configure(BankConfig { state: state::REDUCE_ONLY, ..share_bank() }));
}

/// Alice's shares are her margin against the house itself. She loses: the house gains what she loses, and her shares with it.
/// They are taken over like any collateral.
#[test]
fn shares_of_who_trades_against_the_house_are_liquidated_like_any_collateral() {
    let (mut w, p) = alice_with_shares();
    let size = 150 * SOL;
    let args = plimsoll_e2e_tests::world::order(size);
    let open = seen(&w, &p).open_position(p.alice.owner, &w.keyed(&p.alice), &p.sol.market, args).unwrap();
    w.ok(open);
    w.deposit(&p.carol, &p.usdc, 100 * THOUSAND);
    w.pass(1);
    w.set_price(&p.sol, 94);
    w.ok(seen(&w, &p).value_house());
    assert!(w.house().nav > 1_014_000 * USD);
    let margin = seen(&w, &p).margin(&w.margin_account(&p.alice)).unwrap();
    assert!(margin.health_maint().unwrap().raw() < 0, "{margin:?}");
    let args = plimsoll_interface::instruction::LiquidateArgs { max_fraction: 1 << 32, max_payment: u64::MAX };
    let take = seen(&w, &p).liquidate(p.carol.owner, &w.keyed(&p.carol), &w.keyed(&p.alice), args);
    w.ok(take);
    assert!(w.shares(&p.carol, &share(&p)) > 0);
    assert!(seen(&w, &p).margin(&w.margin_account(&p.alice)).unwrap().health_maint().unwrap().raw() >= 0);
}

/// A thousand shares at a dollar: the house prices them, and takes its fee, in one instruction. Nobody sells what he has not.
#[test]
fn shares_change_hands_by_a_fill_of_spot() {
    let (mut w, p) = alice_with_shares();
    w.deposit(&p.bob, &p.usdc, 10 * THOUSAND);
    w.deposit(&p.alice, &p.usdc, THOUSAND);
    let fill = |w: &World, signers: [&Trader; 2], size| {
        let (contract, price) = (Contract::NONE, 1 << 48);
        let args = FillArgs { instrument: instrument::SPOT, seller_takes: 0, size, price, expires_at: 0, contract };
        let [buyer, seller] = signers.map(|trader| w.keyed(trader));
        let traded = Traded::Spot(share(&p).bank);
        seen(w, &p).fill(signers.map(|trader| trader.owner), &buyer, &seller, traded, args).unwrap()
    };
    let house = w.house_quote();
    w.ok(fill(&w, [&p.bob, &p.alice], THOUSAND));
    assert_eq!((w.shares(&p.bob, &share(&p)), w.shares(&p.alice, &share(&p))), (1_000 * USD, 9_000 * USD));
    assert_eq!((w.shares(&p.bob, &p.usdc), w.house_quote() - house), (8_999_500_000, 500_000));
    w.refuses(fill(&w, [&p.alice, &p.bob], THOUSAND + 1), E::BorrowCap);
}
