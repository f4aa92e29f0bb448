//! Layouts are an interface: where a field stands, how large an account is and what its first bytes are never changes
//! within a version.

use core::mem::{offset_of, size_of};

use bytemuck::Zeroable;
use plimsoll_interface::accounts::{
    AccountType, BalanceSlot, Bank, Exchange, House, MarginAccount, Market, MarketSlot,
};
use plimsoll_interface::config::{BankConfig, ExchangeConfig, MarketConfig};

/// Asserts offsets within the struct, behind the eight bytes of the discriminator.
macro_rules! offsets {
    ($type:ty: $($field:ident = $offset:expr),* $(,)?) => {
        $(assert_eq!(offset_of!($type, $field), $offset, concat!(stringify!($type), ".", stringify!($field)));)*
    };
}

#[test]
fn exchange_fields_stand_where_clients_read_them() {
    assert_eq!(Exchange::SPACE, 832);
    assert_eq!(size_of::<ExchangeConfig>(), 176);
    offsets!(Exchange: config = 0, admin = 176, creator = 208, quote_mint = 240, quote_bank = 272, market_count = 304,
        bank_count = 306, index = 308, bump = 310, version = 311);
    offsets!(ExchangeConfig: liquidation_dust = 0, phi_ppm = 8, rho_ppm = 40, maintenance_ratio_ppm = 152,
        liquidation_buffer_ppm = 156, liquidation_discount_min_ppm = 160, liquidation_discount_max_ppm = 164,
        liquidation_duration_seconds = 168, pauses = 172);
}

#[test]
fn market_fields_stand_where_clients_read_them() {
    assert_eq!(Market::SPACE, 768);
    assert_eq!(size_of::<MarketConfig>(), 64);
    offsets!(Market: config = 0, spot = 64, ema = 72, confidence = 80, publish_time = 88, house_size = 96,
        house_cash = 104, open_interest_long = 112, open_interest_short = 120, exchange = 128, feed_id = 160,
        oracle_owner = 192, symbol = 224, index = 240, base_decimals = 242, oracle_kind = 243, bump = 244,
        version = 245);
    offsets!(MarketConfig: risk_budget = 0, max_open_interest = 8, skew_scale = 16, range_ppm = 24,
        confidence_multiplier_ppm = 28, max_confidence_ppm = 32, max_ema_gap_ppm = 36, half_spread_ppm = 40,
        skew_premium_ppm = 44, taker_fee_ppm = 48, max_age_seconds = 52, dead_age_seconds = 56, group = 60, state = 61,
        perp_enabled = 62);
}

#[test]
fn bank_fields_stand_where_clients_read_them() {
    assert_eq!(Bank::SPACE, 544);
    assert_eq!(size_of::<BankConfig>(), 56);
    offsets!(Bank: config = 0, deposit_index = 56, borrow_index = 64, deposit_shares = 72, borrow_shares = 80,
        vault_amount = 88, reserve = 96, accrued_at = 104, exchange = 112, mint = 144, vault = 176, market = 208,
        token_program = 240, index = 272, decimals = 274, scale_decimals = 275, is_quote = 276, bump = 277,
        vault_bump = 278, version = 279);
}

#[test]
fn house_and_margin_account_fields_stand_where_clients_read_them() {
    assert_eq!((House::SPACE, MarginAccount::SPACE), (320, 3968));
    assert_eq!((size_of::<BalanceSlot>(), size_of::<MarketSlot>()), (48, 64));
    offsets!(House: quote_shares = 0, risk_budget_total = 8, exchange = 16, bump = 48, version = 49);
    offsets!(BalanceSlot: bank = 0, shares = 32, in_use = 40, market_slot = 41);
    offsets!(MarketSlot: market = 0, size = 32, cash = 40, in_use = 48, balances = 49);
    offsets!(MarginAccount: balances = 0, markets = 768, liquidation_started_at = 1792, liquidation_seen_at = 1800,
        exchange = 1808, owner = 1840, delegate = 1872, index = 1904, bump = 1906, version = 1907);
}

/// Program account sizes choose what an account behind the declared ones is looked at as.
#[test]
fn banks_markets_and_price_accounts_differ_in_size() {
    let sizes = [Market::SPACE, Bank::SPACE, 134, 3_312];
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
