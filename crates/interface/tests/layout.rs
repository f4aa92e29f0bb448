//! Layouts are an interface: where a field stands, how large an account is and what its first bytes are never changes
//! within a version.

use core::mem::{offset_of, size_of};

use bytemuck::Zeroable;
use plimsoll_interface::accounts::{
    AccountType, Adapter, BalanceSlot, Bank, Board, BoardSlot, BoardTerms, Exchange, ExchangeRate, House, HouseBoard,
    Lien, MarginAccount, Market, MarketSlot, OptionSlot, OrderSlot, Orders, Proposal, Ticket, TriggerSlot, Venue,
    VenueSlot, VolatilityEstimate, VolatilityForecast,
};
use plimsoll_interface::config::{AdapterConfig, BankConfig, ExchangeConfig, MarketConfig, RateSource, VenueConfig};
use plimsoll_interface::lien::{LienRecord, RECORD_LEN};

/// Asserts offsets within the struct, behind the eight bytes of the discriminator.
macro_rules! offsets {
    ($type:ty: $($field:ident = $offset:expr),* $(,)?) => {
        $(assert_eq!(offset_of!($type, $field), $offset, concat!(stringify!($type), ".", stringify!($field)));)*
    };
}

#[test]
fn exchange_fields_stand_where_clients_read_them() {
    assert_eq!(Exchange::SPACE, 1000);
    assert_eq!(size_of::<ExchangeConfig>(), 216);
    offsets!(Exchange: config = 0, admin = 216, pending_admin = 248, risk_admin = 280, keeper = 312, forecaster = 344,
        creator = 376, quote_mint = 408, quote_bank = 440, market_count = 472, bank_count = 474, index = 476,
        bump = 478, version = 479, pending_admin_ready_at = 480, quote_publish_time = 488, quote_feed_id = 496,
        quote_oracle_owner = 528, quote_price_ppm = 560, quote_oracle_kind = 564);
    offsets!(ExchangeConfig: liquidation_dust = 0, house_floor = 8, phi_ppm = 16, rho_ppm = 48,
        maintenance_ratio_ppm = 160, liquidation_buffer_ppm = 164, liquidation_discount_min_ppm = 168,
        liquidation_discount_max_ppm = 172, liquidation_duration_seconds = 176, pauses = 180, extreme_damping_ppm = 184,
        insolvency_reward_max_ppm = 188, insolvency_duration_seconds = 192, house_delay_seconds = 196,
        timelock_seconds = 200, quote_scale_below_ppm = 204, quote_refuse_below_ppm = 208, loss_mode = 212);
}

#[test]
fn market_fields_stand_where_clients_read_them() {
    assert_eq!(Market::SPACE, 1688);
    assert_eq!(size_of::<MarketConfig>(), 200);
    assert_eq!(
        (size_of::<VolatilityEstimate>(), size_of::<VolatilityForecast>(), size_of::<HouseBoard>()),
        (64, 40, 64)
    );
    offsets!(Market: config = 0, spot = 200, ema = 208, confidence = 216, publish_time = 224, house_size = 232,
        house_cash = 240, open_interest_long = 248, open_interest_short = 256, estimate = 264, forecast = 328,
        funding_index = 368, funding_remainder = 376, funding_accrued_at = 384, funding_paid = 392, range_ppm = 408,
        range_maint_ppm = 412, house_boards = 416, house_gains = 928, exchange = 1056, feed_id = 1088,
        oracle_owner = 1120, symbol = 1152, index = 1168, base_decimals = 1170, oracle_kind = 1171, bump = 1172,
        version = 1173, boards = 1174, board_expiries = 1176, wind_down_at = 1240, nav_spot = 1248, nav_size = 1256, nav_cash = 1264, nav_round = 1272,
        budget_withheld = 1280, nav_inventory_shares = 1288, house_inventory = 1296, inventory_banks = 1304);
    offsets!(MarketConfig: risk_budget = 0, max_open_interest = 8, skew_scale = 16, options = 24, volatility = 88,
        funding = 152, confidence_multiplier_ppm = 160, max_confidence_ppm = 164, max_ema_gap_ppm = 168,
        half_spread_ppm = 172, skew_premium_ppm = 176, taker_fee_ppm = 180, max_age_seconds = 184,
        dead_age_seconds = 188, concentration_ppm = 192, group = 196, state = 197, perp_enabled = 198);
}

#[test]
fn bank_fields_stand_where_clients_read_them() {
    assert_eq!(Bank::SPACE, 584);
    assert_eq!(size_of::<BankConfig>(), 88);
    offsets!(Bank: config = 0, deposit_index = 88, borrow_index = 96, deposit_shares = 104, borrow_shares = 112,
        vault_amount = 120, reserve = 128, accrued_at = 136, outflow_window_start = 144, outflow = 152, exchange = 160,
        mint = 192, vault = 224, market = 256, token_program = 288, index = 320, decimals = 322, scale_decimals = 323,
        is_quote = 324, bump = 325, vault_bump = 326, version = 327, rate = 328, inventory_shares = 472, inventory_counted = 480,
        lien_claims = 488, is_house_share = 496);
    assert_eq!(size_of::<ExchangeRate>(), 144);
    offsets!(ExchangeRate: deposit = 0, borrow = 8, updated_at = 16, allowance = 24, source = 32);
    offsets!(RateSource: pool = 0, feed_id = 32, feed_owner = 64, max_age_seconds = 96, rise_per_day_ppm = 100,
        kind = 104, feed_kind = 105, has_feed = 106);
}

#[test]
fn board_fields_stand_where_clients_read_them() {
    assert_eq!(Board::SPACE, 6464);
    assert_eq!(size_of::<BoardTerms>(), 64);
    offsets!(Board: market = 0, exchange = 32, expiry = 64, lot = 72, terms = 80, next_terms = 144,
        next_range_ppm = 208, refreshed = 212, next_refreshed = 214, strikes = 216, volatilities_ppm = 344,
        basis_ppm = 408, state = 412, slot = 413, bump = 414, version = 415, posted_at = 416, house_lots = 424,
        long_lots = 680, samples = 936, sampled = 1176, sampled_until = 1184, sample_count = 1192, settlement_price = 1200,
        arrays = 1208, next_arrays = 3704, house_gains = 6200, next_volatility_ppm = 6328,
        next_volatility_up_ppm = 6332, next_volatility_down_ppm = 6336);
}

#[test]
fn house_and_margin_account_fields_stand_where_clients_read_them() {
    assert_eq!((House::SPACE, Ticket::SPACE, MarginAccount::SPACE), (456, 192, 4096));
    assert_eq!((size_of::<BalanceSlot>(), size_of::<MarketSlot>()), (56, 64));
    offsets!(House: quote_shares = 0, risk_budget_total = 8, share_supply = 16, escrow_shares = 24, pending_quote = 32,
        nav = 40, nav_at = 48, round = 56, round_started_at = 64, round_value = 72, round_quote_shares = 80,
        exchange = 88, share_mint = 120, escrow = 152, round_next = 184, round_phase = 186, bump = 187, version = 188);
    offsets!(Ticket: amount = 0, proceeds = 8, requested_at = 16, executable_from = 24, expires_at = 32,
        executed_at = 40, house = 48, owner = 80, index = 112, kind = 114, bump = 115, version = 116);
    offsets!(BalanceSlot: bank = 0, shares = 32, in_use = 40, market_slot = 41, lien = 48);
    assert_eq!((size_of::<BoardSlot>(), size_of::<OptionSlot>()), (40, 8));
    offsets!(MarketSlot: market = 0, size = 32, cash = 40, in_use = 48, balances = 49, boards = 50, funding_index = 56);
    offsets!(BoardSlot: board = 0, in_use = 32, market_slot = 33, options = 34);
    offsets!(OptionSlot: lots = 0, board_slot = 4, series = 5);
    offsets!(MarginAccount: balances = 0, markets = 896, boards = 1920, options = 2240, liquidation_started_at = 2496,
        liquidation_seen_at = 2504, exchange = 2512, owner = 2544, delegate = 2576, index = 2608, bump = 2610,
        version = 2611, deferral = 2612, delegate_scope = 2613, liens = 2614, sequence = 2616, insolvent_since = 2624,
        triggers = 2632, venues = 3272);
    assert_eq!(size_of::<TriggerSlot>(), 80);
    offsets!(TriggerSlot: market = 0, trigger_price = 32, limit_price = 40, size = 48, tip = 56, expires_at = 64, side = 72,
        when = 73);
}

#[test]
fn orders_and_venue_fields_stand_where_clients_read_them() {
    assert_eq!((Orders::SPACE, Venue::SPACE, size_of::<VenueConfig>()), (888, 296, 32));
    assert_eq!((size_of::<OrderSlot>(), size_of::<VenueSlot>()), (24, 48));
    offsets!(Orders: account = 0, floor = 32, slots = 40, bump = 808, version = 809);
    offsets!(OrderSlot: nonce = 0, filled = 8, expires_at = 16);
    offsets!(Venue: config = 0, exchange = 32, program = 64, signer = 96, window_start = 128, window_notional = 136,
        total_notional = 144, bump = 152, version = 153);
    offsets!(VenueConfig: fill_limit = 0, window_limit = 8, total_limit = 16, window_seconds = 24, state = 28);
    offsets!(VenueSlot: venue = 0, limit = 32, used = 40);
}

/// Program account sizes choose what an account behind the declared ones is looked at as.
#[test]
fn banks_markets_boards_and_price_accounts_differ_in_size() {
    let sizes = [Market::SPACE, Bank::SPACE, Board::SPACE, Proposal::SPACE, House::SPACE, Ticket::SPACE, 134, 3_312];
    for (index, size) in sizes.iter().enumerate() {
        assert!(!sizes[..index].contains(size));
    }
}

#[test]
fn an_account_is_read_only_with_its_own_discriminator_and_size() {
    let house = House { quote_shares: 7, ..House::zeroed() };
    let mut data = House::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&house));
    // Account data is aligned to eight on the chain; a copy in memory may not be.
    let mut aligned = vec![0u64; data.len() / 8];
    bytemuck::cast_slice_mut(&mut aligned).copy_from_slice(&data);
    let bytes: &[u8] = bytemuck::cast_slice(&aligned);
    assert_eq!(House::read(bytes), Some(&house));
    assert_eq!(Bank::read(bytes), None);
    assert_eq!(House::read(&bytes[..bytes.len() - 8]), None);
    assert_eq!(House::read(&bytes[..4]), None);
}

#[test]
fn fields_of_liens_stand_where_clients_read_them() {
    assert_eq!((Adapter::SPACE, Lien::SPACE, RECORD_LEN), (280, 160, 120));
    assert_eq!(size_of::<AdapterConfig>(), 24);
    offsets!(AdapterConfig: cap = 0, haircut_ppm = 8, grace_seconds = 12, state = 16);
    offsets!(Adapter: config = 0, exchange = 24, bank = 56, mint = 88, program = 120, authority = 152, claimed = 184,
        lost = 192, bump = 200, authority_bump = 201, version = 202);
    offsets!(Lien: account = 0, adapter = 32, record = 64, claim = 96, recognised = 104, bump = 112, version = 113);
    offsets!(LienRecord: version = 0, beneficiary = 8, account = 40, mint = 72, amount = 104);
}
