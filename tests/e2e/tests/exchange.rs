//! `create_exchange`, `configure_exchange`.

use plimsoll_client::{event::Event, instruction::exchange};
use plimsoll_e2e_tests::{
    E, I, World,
    world::{exchange_config, order},
};
use plimsoll_interface::{accounts::Exchange, address, config::ExchangeConfig, event::Configured};

type Change = fn(&mut ExchangeConfig);

/// Parameters that neither instruction accepts.
const INVALID: [(Change, E); 19] = [
    (|config| config.phi_ppm[7] = 1_000_001, E::InvalidRiskParameters),
    (|config| config.rho_ppm[27] = 1_000_001, E::InvalidRiskParameters),
    // Groups 0 and 1 alike, 1 and 2 alike, 0 and 2 unrelated: no such three variables exist.
    (|config| config.rho_ppm[..3].copy_from_slice(&[1_000_000, 0, 1_000_000]), E::InvalidRiskParameters),
    (|config| config.maintenance_ratio_ppm = 99_999, E::InvalidRiskParameters),
    (|config| config.maintenance_ratio_ppm = 1_000_001, E::InvalidRiskParameters),
    (|config| config.liquidation_buffer_ppm = 1_000_001, E::InvalidLiquidationParameters),
    (|config| config.liquidation_discount_min_ppm = 100_001, E::InvalidLiquidationParameters),
    (|config| config.liquidation_discount_max_ppm = 500_001, E::InvalidLiquidationParameters),
    (|config| config.liquidation_duration_seconds = 3_601, E::InvalidLiquidationParameters),
    (|config| config.liquidation_dust = 1_000_000_001, E::InvalidLiquidationParameters),
    (|config| config.insolvency_reward_max_ppm = 100_001, E::InvalidLiquidationParameters),
    (|config| config.insolvency_duration_seconds = 0, E::InvalidLiquidationParameters),
    (|config| config.house_delay_seconds = 604_801, E::InvalidExchangeParameters),
    (|config| config.timelock_seconds = 2_592_001, E::InvalidExchangeParameters),
    (|config| config.quote_refuse_below_ppm = 990_001, E::InvalidExchangeParameters),
    (|config| config.loss_mode = 2, E::InvalidExchangeParameters),
    (|config| config.pauses = 1 << 9, E::InvalidPauses),
    (|config| config.pauses = u32::MAX, E::InvalidPauses),
    (|config| config.pauses = 1 << 31, E::InvalidPauses),
];

fn create(w: &World) -> exchange::Create {
    exchange::Create {
        creator: w.places().mallory,
        quote_mint: w.places().usdc.mint,
        index: 7,
        config: exchange_config(),
    }
}

#[test]
fn an_exchange_is_made_with_its_creator_as_admin() {
    let (mut w, p) = World::new();
    let outcome = w.ok(create(&w).instruction());
    let address = address::exchange(&p.mallory, 7);
    let expected = Configured { exchange: address, subject: address, admin: p.mallory };
    assert_eq!(outcome.event(), Event::Configured(expected));
    let made: Exchange = w.read(&address);
    assert_eq!((made.admin, made.creator, made.quote_mint), (p.mallory, p.mallory, p.usdc.mint));
    assert_eq!((made.index, made.version, made.market_count, made.bank_count), (7, 1, 0, 0));
    assert_eq!(made.quote_bank, Default::default());
    assert_eq!(made.config, exchange_config());
}

#[test]
fn an_exchange_is_made_once() {
    let (mut w, _) = World::new();
    w.ok(create(&w).instruction());
    w.refuses(create(&w).instruction(), I::Custom(0));
}

#[test]
fn the_quote_has_six_decimals() {
    let (mut w, p) = World::new();
    w.refuses(exchange::Create { quote_mint: p.sol.mint, ..create(&w) }.instruction(), E::UnsupportedDecimals);
}

#[test]
fn invalid_parameters_are_refused_when_created_and_when_configured() {
    let (mut w, p) = World::new();
    for (change, error) in INVALID {
        let mut config = exchange_config();
        change(&mut config);
        w.refuses(exchange::Create { config, ..create(&w) }.instruction(), error);
        w.refuses(exchange::Configure { admin: p.admin, exchange: p.exchange, config }.instruction(), error);
    }
}

#[test]
fn parameters_are_replaced_as_a_whole() {
    let (mut w, p) = World::new();
    let before: Exchange = w.read(&p.exchange);
    let config = ExchangeConfig { loss_mode: 1, liquidation_buffer_ppm: 5, ..exchange_config() };
    let outcome = w.ok(exchange::Configure { admin: p.admin, exchange: p.exchange, config }.instruction());
    let expected = Configured { exchange: p.exchange, subject: p.exchange, admin: p.admin };
    assert_eq!(outcome.event(), Event::Configured(expected));
    assert_eq!(w.read::<Exchange>(&p.exchange), Exchange { config, ..before });
}

#[test]
fn data_that_is_no_instruction_is_refused() {
    let (mut w, p) = World::new();
    let mut ix = w.order_ix(&p.alice, &p.sol, order(1));
    ix.data[0] = 200;
    w.refuses(&ix, I::InvalidInstructionData);
    ix.data[0] = u8::MAX;
    w.refuses(&ix, I::InvalidInstructionData);
    let mut short = w.deposit_ix(&p.alice, &p.usdc, 1);
    short.data.pop();
    w.refuses(&short, I::InvalidInstructionData);
    short.data.clear();
    w.refuses(&short, I::InvalidInstructionData);
}

#[test]
#[allow(deprecated, reason = "the chain still reports it by its old name")]
fn an_instruction_that_lacks_accounts_is_refused() {
    let (mut w, p) = World::new();
    let mut ix = w.deposit_ix(&p.alice, &p.usdc, 1);
    ix.accounts.pop();
    w.refuses(&ix, I::NotEnoughAccountKeys);
}
