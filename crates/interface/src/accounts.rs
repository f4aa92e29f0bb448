//! Account layouts. Every account is an 8-byte discriminator followed by one `repr(C)` struct without padding, read in
//! place on-chain and off. Sizes are asserted below the structs and the offsets that clients read are held by tests.
//!
//! Who writes a field is said with the field. Amounts called native are the mint's smallest unit; quote native is
//! 1e-6 USD; base units are a market's 10^-base_decimals.

use core::ops::Range;

use plimsoll_risk::{
    house,
    options::{MAX_SAMPLES, SCENARIOS, VALUES},
    portfolio::RiskParameters,
    units::{Fraction, Index, Ppm, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    config::{AdapterConfig, BankConfig, ExchangeConfig, MarketConfig, RateSource, VenueConfig, limits},
};

/// Collateral mints that one margin account may hold or owe.
pub const MAX_BALANCES: usize = 16;
/// Distinct markets that one margin account may depend on, by a position or by a collateral.
pub const MAX_MARKETS: usize = plimsoll_risk::portfolio::MAX_UNDERLYINGS;
/// Boards that one margin account may have options of.
pub const MAX_BOARDS: usize = 8;
/// Stored orders of one margin account.
pub const MAX_TRIGGERS: usize = 8;
/// Option positions of one margin account.
pub const MAX_OPTIONS: usize = 32;
/// Boards of one market.
pub const MAX_MARKET_BOARDS: usize = 8;
/// Strikes of one board.
pub const MAX_STRIKES: usize = 16;
/// Venues that one margin account may approve.
pub const MAX_VENUES: usize = 4;
/// Partly or wholly filled orders of one margin account that still live.
pub const MAX_ORDERS: usize = 32;
/// Series of one board: a call and a put of each strike. Series `2 i` is the call of strike `i`, `2 i + 1` its put.
pub const MAX_SERIES: usize = 2 * MAX_STRIKES;
/// [`BalanceSlot::market_slot`] of a quote balance, which no market prices.
pub const NO_MARKET: u8 = u8::MAX;
/// Liens of other programs that one margin account may have: each is called in by an instruction of its own before the
/// account is liquidated.
pub const MAX_LIENS: u8 = 4;
/// Bytes of a proposal's content: the largest of what may be proposed, and some room.
pub const MAX_PROPOSAL: usize = 384;
/// Bytes of an account's discriminator.
pub const DISCRIMINATOR_LEN: usize = 8;

/// An account type of the program.
pub trait AccountType: bytemuck::Pod {
    /// First eight bytes of the account: of the SHA-256 of `account:Name`, as Anchor has it.
    const DISCRIMINATOR: [u8; DISCRIMINATOR_LEN];
    /// Size of the whole account, discriminator included.
    const SPACE: usize = DISCRIMINATOR_LEN + size_of::<Self>();

    /// The account in `data`, or `None` where size or discriminator are another's. The caller checks the owner.
    fn read(data: &[u8]) -> Option<&Self> {
        let (discriminator, body) = data.split_at_checked(DISCRIMINATOR_LEN)?;
        (discriminator == Self::DISCRIMINATOR).then(|| bytemuck::try_from_bytes(body).ok())?
    }
}

/// Declares the discriminator and holds it to Anchor's.
macro_rules! account_type {
    ($name:ident, $discriminator:expr, $space:expr) => {
        impl AccountType for $name {
            const DISCRIMINATOR: [u8; DISCRIMINATOR_LEN] = $discriminator;
        }
        const _: () = assert!(<$name as AccountType>::SPACE == $space);
        #[cfg(feature = "anchor")]
        const _: () = {
            let (ours, anchors) = ($discriminator, <$name as anchor_lang::Discriminator>::DISCRIMINATOR);
            let ours: [u8; DISCRIMINATOR_LEN] = ours;
            assert!(
                u64::from_le_bytes(ours) == {
                    let mut bytes = [0; DISCRIMINATOR_LEN];
                    bytes.copy_from_slice(anchors);
                    u64::from_le_bytes(bytes)
                }
            );
        };
    };
}

/// Whether two addresses are the same, word by word: comparing them as byte arrays calls `memcmp`, ten times as dear.
#[inline(always)]
pub fn same_address(a: &Address, b: &Address) -> bool {
    let (a, b) = (a.as_array().as_chunks::<8>().0, b.as_array().as_chunks::<8>().0);
    a.iter().zip(b).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
}

/// One deployment's root: who administers it, its risk groups, what is paused. Read-only on every hot path.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Parameters, written by `configure_exchange`.
    pub config: ExchangeConfig,
    /// May configure everything. Written by `create_exchange`.
    pub admin: Address,
    /// Becomes the admin once it accepts, zero for nobody. Written by `nominate_admin`.
    pub pending_admin: Address,
    /// May tighten parameters and pause. The creator to begin with, like the next two.
    pub risk_admin: Address,
    /// Creates and closes boards, lists strikes, posts the volatilities of options.
    pub keeper: Address,
    /// Posts volatility forecasts.
    pub forecaster: Address,
    /// Who created the exchange: part of its address, no power.
    pub creator: Address,
    /// The mint that counts as 1 USD, 6 decimals. Written by `create_exchange`.
    pub quote_mint: Address,
    /// The bank of the quote mint, zero until `create_bank` makes it.
    pub quote_bank: Address,
    /// Number of markets created so far: the index of the next. Written by `create_market`.
    pub market_count: u16,
    /// Number of banks created so far: the index of the next. Written by `create_bank`.
    pub bank_count: u16,
    /// Which of its creator's exchanges this is: part of its address.
    pub index: u16,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// From when on the nominee may accept, unix seconds.
    pub pending_admin_ready_at: i64,
    /// When the price of the quote was published, unix seconds. Written by `observe_quote`.
    pub quote_publish_time: i64,
    /// Pyth feed id of the quote against the dollar; for a legacy price account, its address. Written by
    /// `set_quote_feed`.
    pub quote_feed_id: [u8; 32],
    /// The program that must own the price account, zero where the quote has no feed.
    pub quote_oracle_owner: Address,
    /// Last price of the quote, ppm of a dollar, rounded down; zero until observed.
    pub quote_price_ppm: u32,
    /// Format of the price account, one of [`oracle_kind`].
    pub quote_oracle_kind: u8,
    /// Zero.
    pub _padding: [u8; 3],
    /// Room for later.
    pub _reserved: [u8; 424],
}
account_type!(Exchange, [30, 200, 220, 149, 3, 61, 104, 50], 1000);

impl Exchange {
    /// The price of the quote that margins reckon with, ppm of a dollar: the last one observed where that is below
    /// `quote_scale_below_ppm`, otherwise one.
    ///
    /// A low price counts until a newer one says otherwise, though not longer than [`limits::QUOTE_MEMORY_SECONDS`]: a feed
    /// that nobody stores must not free anybody from it, and one that died must not hold the exchange for ever.
    #[inline(always)]
    pub fn quote_price(&self, now: Timestamp) -> Ppm {
        let price = self.quote_price_ppm;
        if price == 0 || price >= self.config.quote_scale_below_ppm {
            return Ppm::ONE;
        }
        let age = now.raw().saturating_sub(self.quote_publish_time);
        if age > limits::QUOTE_MEMORY_SECONDS { Ppm::ONE } else { Ppm::from_raw(price) }
    }

    /// The engine's view of the risk parameters at a moment.
    #[inline(always)]
    pub fn risk(&self, now: Timestamp) -> RiskParameters {
        RiskParameters { quote_price: self.quote_price(now), ..self.config.risk() }
    }

    /// Checks that the quote is worth enough for new risk. Asked by whatever opens or enlarges a position, borrows, or
    /// withdraws against a liability; never by what reduces, repays or liquidates.
    ///
    /// # Errors
    /// [`PlimsollError::QuoteDepegged`].
    pub fn require_quote_sound(&self, now: Timestamp) -> Result<(), PlimsollError> {
        let refused = self.quote_price(now).raw() < self.config.quote_refuse_below_ppm;
        if refused { Err(PlimsollError::QuoteDepegged) } else { Ok(()) }
    }
}

/// One underlying: its feed and last observation, its shock range, and its perpetual with the house's inventory.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Market {
    /// Parameters, written by `configure_market`.
    pub config: MarketConfig,
    /// Last observed spot price, Q16.48 quote native per base unit; of a market of house shares, what one is worth. Zero
    /// until first observed. Written by `observe` and by whatever takes a price account to store: trades, fills, swaps,
    /// `refresh_board`.
    pub spot: u64,
    /// Exponential moving average published with it, same unit.
    pub ema: u64,
    /// Confidence (one standard deviation) published with it, same unit.
    pub confidence: u64,
    /// When it was published, unix seconds.
    pub publish_time: i64,
    /// The house's position, base units: minus the sum of all accounts' positions (INV-2).
    pub house_size: i64,
    /// The house's cash, quote native: minus the sum of all accounts' cash (INV-3).
    pub house_cash: i64,
    /// Sum of all accounts' long positions, base units.
    pub open_interest_long: u64,
    /// Sum of all accounts' short positions, base units, as a positive number.
    pub open_interest_short: u64,
    /// Volatility estimate, written by every recorded observation that is narrow enough.
    pub estimate: VolatilityEstimate,
    /// Volatility forecast, written by `post_forecast`.
    pub forecast: VolatilityForecast,
    /// Funding paid by one long base unit since the market began, Q16.48 quote native. Written by every accrual.
    pub funding_index: i64,
    /// What of it is beyond its last place, see [`plimsoll_risk::funding::FundingIndex`].
    pub funding_remainder: u64,
    /// Up to when funding is accrued, unix seconds.
    pub funding_accrued_at: i64,
    /// Sum over all accounts of position times the funding index that it has paid up to, Q16.48 quote native, as a 128-bit
    /// two's complement number, low word first. With it, what traders owe in funding and have not paid is
    /// `-house_size * funding_index - funding_paid`.
    pub funding_paid: [u64; 2],
    /// Shock range towards initial margin, ppm. Written with the observation, from the volatility used at that moment.
    pub range_ppm: u32,
    /// Shock range towards maintenance margin, ppm, at most that.
    pub range_maint_ppm: u32,
    /// What the house's options of each board are worth. An entry is zero where the house has none.
    pub house_boards: [HouseBoard; MAX_MARKET_BOARDS],
    /// Gain of the house's options of all boards in each scenario, quote native, as of each board's last refresh or trade.
    pub house_gains: [i64; SCENARIOS],
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Pyth feed id; for a legacy price account, the address of that account; for house shares, the address of the house.
    pub feed_id: [u8; 32],
    /// The program that must own the price account; for house shares, this program.
    pub oracle_owner: Address,
    /// Name for people, ASCII padded with zeros: `SOL`.
    pub symbol: [u8; 16],
    /// Which of its exchange's markets this is: part of its address.
    pub index: u16,
    /// Decimals of the base unit.
    pub base_decimals: u8,
    /// Format of the price account, one of [`oracle_kind`].
    pub oracle_kind: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Bit `i` is set where the market has a board of slot `i`.
    pub boards: u8,
    /// Zero.
    pub _padding: u8,
    /// Expiry of the board of each slot, unix seconds; zero where there is none. No two are the same.
    pub board_expiries: [i64; MAX_MARKET_BOARDS],
    /// From when on anyone may close positions at the oracle's price, unix seconds; zero unless it is winding down.
    /// Written by `configure_market`.
    pub wind_down_at: i64,
    /// Spot at which the house's inventory was valued, Q16.48. Written by `value_house`, like the next four.
    pub nav_spot: u64,
    /// The house's position then, base units.
    pub nav_size: i64,
    /// The house's cash then, quote native.
    pub nav_cash: i64,
    /// In which valuation: [`House::round`].
    pub nav_round: u64,
    /// Part of the risk budget that the house's net asset value does not cover, Q32. Nothing is withheld from a new market.
    pub budget_withheld: u64,
    /// Shares of the house's inventory then, of all banks that the market prices together.
    pub nav_inventory_shares: u64,
    /// What the house holds of what the market prices from spot swaps, base units, as of each bank's last swap or valuation.
    pub house_inventory: i64,
    /// How many banks that is in.
    pub inventory_banks: u64,
    /// Room for later.
    pub _reserved: [u8; 368],
}
account_type!(Market, [219, 190, 213, 55, 0, 227, 198, 154], 1688);

/// [`plimsoll_risk::volatility::Estimate`] as an account stores it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct VolatilityEstimate {
    /// Annualised variance, Q56, a pending jump counted clamped.
    pub variance: u64,
    /// Price of the last sample, Q16.48. Zero: none yet.
    pub price: u64,
    /// Publish time of the last sample, unix seconds.
    pub publish_time: i64,
    /// Price that jumped and waits for its confirmation, Q16.48. Zero: none.
    pub pending_price: u64,
    /// Publish time of the pending price, unix seconds.
    pub pending_time: i64,
    /// Variance without the pending jump, Q56.
    pub variance_before: u64,
    /// Variance with the pending jump as a whole, Q56.
    pub variance_confirmed: u64,
    /// Returns counted so far.
    pub samples: u64,
}

/// [`plimsoll_risk::volatility::Forecast`] as an account stores it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct VolatilityForecast {
    /// What was posted, ppm a year.
    pub volatility_ppm: u32,
    /// Zero.
    pub _padding: u32,
    /// What of it the maintenance range saw when it was posted, Q32 of ppm a year.
    pub ramped: u64,
    /// When it was posted, unix seconds.
    pub posted_at: i64,
    /// From this moment on it counts for nothing, unix seconds.
    pub expires_at: i64,
    /// How long after its post it reaches the maintenance range, Q16 seconds.
    pub ramp_left: u64,
}

/// What the house's options of one board were worth when the board was last refreshed or traded.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct HouseBoard {
    /// Until when these values may be used, unix seconds: [`i64::MAX`] for a settled board.
    pub valid_until: i64,
    /// Spot at which they were computed, Q16.48.
    pub spot: u64,
    /// How far the spot may have moved since, relative, Q32.
    pub max_drift: u64,
    /// Worth of the house's options at that spot, puts as a whole, quote native, rounded down.
    pub value: i64,
    /// Their delta, puts included, base units: what the worth changes by per unit of price.
    pub delta: i64,
    /// The part of that delta that puts add to linear exposure, base units.
    pub exposure: i64,
    /// Their short-option minimum, quote native, rounded up.
    pub short_minimum: u64,
    /// Room for their vega.
    pub _reserved: u64,
}

/// Formats of a price account, as stored in [`Market::oracle_kind`].
pub mod oracle_kind {
    /// `PriceUpdateV2` of the Pyth receiver and push-oracle programs.
    pub const PRICE_UPDATE_V2: u8 = 0;
    /// Price account of the legacy Pyth program.
    pub const LEGACY: u8 = 1;
    /// The house of the exchange: the price is that of one house share.
    pub const HOUSE: u8 = 2;
    /// The largest value with a meaning.
    pub const LAST: u8 = HOUSE;
}

impl Market {
    /// Whether it prices house shares: by the exchange's house and not by an oracle.
    #[inline(always)]
    pub fn is_of_house_shares(&self) -> bool {
        self.oracle_kind == oracle_kind::HOUSE
    }

    /// The risk budget as far as the house's net asset value covers it, quote native.
    pub fn budget_in_force(&self) -> u64 {
        house::budget_in_force(self.config.risk_budget, Fraction::from_raw(self.budget_withheld))
    }
}

/// One option expiry of a market: its strikes, their volatilities and risk arrays, and the house's inventory in them.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Board {
    /// The market.
    pub market: Address,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// When its options expire, unix seconds. Written by `create_board`.
    pub expiry: i64,
    /// One lot, base units: the market's when the board was created.
    pub lot: u64,
    /// What the arrays in force were computed at. Written by `refresh_board`.
    pub terms: BoardTerms,
    /// What the arrays under way are computed at.
    pub next_terms: BoardTerms,
    /// Shock range that the arrays under way are computed at, ppm.
    pub next_range_ppm: u32,
    /// Bit `i`: strike `i` has an array in force.
    pub refreshed: u16,
    /// Bit `i`: strike `i` has an array under way.
    pub next_refreshed: u16,
    /// Strikes, Q16.48 quote native per base unit; zero where the slot is free.
    pub strikes: [u64; MAX_STRIKES],
    /// Volatility of each strike, ppm a year. Written by `post_volatilities`.
    pub volatilities_ppm: [u32; MAX_STRIKES],
    /// The forward over spot less one, ppm. Written by `post_volatilities`.
    pub basis_ppm: i32,
    /// One of [`board_state`].
    pub state: u8,
    /// Which of its market's boards this is: part of its address, and its place in [`Market::house_boards`].
    pub slot: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// When the volatilities were posted, unix seconds.
    pub posted_at: i64,
    /// Lots of the house in each series: minus the sum of all accounts' (INV-2).
    pub house_lots: [i64; MAX_SERIES],
    /// Sum of all accounts' long lots in each series.
    pub long_lots: [u64; MAX_SERIES],
    /// Settlement samples, Q16.48, in the order in which they came; the first `sample_count` of them.
    pub samples: [u64; MAX_SAMPLES],
    /// Bit `i`: the `i`-th part of the sampling window has its sample.
    pub sampled: u64,
    /// End of the last part behind the expiry that has its sample, unix seconds.
    pub sampled_until: i64,
    /// Number of samples.
    pub sample_count: u64,
    /// What the options are settled at, Q16.48; zero until settled.
    pub settlement_price: u64,
    /// Risk arrays in force, one for each strike: [`plimsoll_risk::options::RiskArray`].
    pub arrays: [[u32; VALUES]; MAX_STRIKES],
    /// Risk arrays under way.
    pub next_arrays: [[u32; VALUES]; MAX_STRIKES],
    /// What this board adds to [`Market::house_gains`].
    pub house_gains: [i64; SCENARIOS],
    /// The market's used volatility that the arrays under way are computed at, ppm a year.
    pub next_volatility_ppm: u32,
    /// Relative shock of the volatility up in the arrays under way, ppm.
    pub next_volatility_up_ppm: u32,
    /// Relative shock of the volatility down in the arrays under way, ppm.
    pub next_volatility_down_ppm: u32,
    /// Zero.
    pub _padding: u32,
    /// Room for later.
    pub _reserved: [u8; 112],
}
account_type!(Board, [79, 48, 160, 63, 153, 132, 240, 56], 6464);

/// What a board accepts, as stored in [`Board::state`].
pub mod board_state {
    /// Trading, until its expiry.
    pub const ACTIVE: u8 = 1;
    /// Settled: its options are worth what the settlement price says.
    pub const SETTLED: u8 = 2;
}

/// [`plimsoll_risk::options::ArrayTerms`] as an account stores it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct BoardTerms {
    /// The spot that the arrays' nodes are relative to, Q16.48. Zero: never computed.
    pub spot: u64,
    /// The forward at that spot, Q16.48.
    pub forward: u64,
    /// Discount factor to the expiry, Q32.
    pub discount: u64,
    /// One lot, base units.
    pub lot: u64,
    /// When they were computed, unix seconds.
    pub time: i64,
    /// How old they may become, seconds.
    pub max_age_seconds: i64,
    /// How far the spot may move, relative, Q32.
    pub max_drift: u64,
    /// A sixth of the range, Q30.
    pub step: u32,
    /// Values are in units of `2^-scale` quote native.
    pub scale: i32,
}

/// One collateral mint: its vault, interest indexes, haircuts and caps.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Bank {
    /// Parameters, written by `configure_bank`.
    pub config: BankConfig,
    /// Native amount per deposit share, Q16.48. Written by every accrual, which raises it, and by `resolve`, which lowers
    /// it where deposits bear a loss.
    pub deposit_index: u64,
    /// Native amount per borrow share, Q16.48, only ever rising. Written by every accrual.
    pub borrow_index: u64,
    /// Sum of all deposit shares: margin accounts' and the house's.
    pub deposit_shares: u64,
    /// Sum of all borrow shares.
    pub borrow_shares: u64,
    /// Native tokens in the vault by our own count. Tokens sent to the vault from outside are not in it.
    pub vault_amount: u64,
    /// Native amount of interest kept for the exchange. That of the quote bank is the insurance.
    pub reserve: u64,
    /// When interest was last accrued, unix seconds.
    pub accrued_at: i64,
    /// When the running outflow window began, unix seconds.
    pub outflow_window_start: i64,
    /// Net amount that left in it, native, never below zero.
    pub outflow: u64,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// The mint.
    pub mint: Address,
    /// The token account that holds its deposits; its authority is the exchange.
    pub vault: Address,
    /// The market that prices it, zero for the quote bank.
    pub market: Address,
    /// The token program of the mint.
    pub token_program: Address,
    /// Which of its exchange's banks this is.
    pub index: u16,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Decimals of the market's base unit minus those of the mint: amounts scale up by this power of ten. With [`RATED`]
    /// where [`Self::rate`] applies besides: so a bank where neither does is told by one comparison with zero.
    pub scale_decimals: u8,
    /// 1 for the quote bank, otherwise 0.
    pub is_quote: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the vault's address.
    pub vault_bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// What one unit of the mint is in units of the market's underlying, where that is not one.
    pub rate: ExchangeRate,
    /// Deposit shares of the house: its inventory from spot swaps. Written by `swap`.
    pub inventory_shares: u64,
    /// What of [`Market::house_inventory`] is this bank's, base units.
    pub inventory_counted: i64,
    /// What all its adapters' liens claim, native: the sum of [`Adapter::claimed`].
    pub lien_claims: u64,
    /// 1 where the mint is that of the house's shares, otherwise 0.
    pub is_house_share: u8,
    /// Room for later.
    pub _reserved: [u8; 79],
}
account_type!(Bank, [142, 49, 166, 242, 50, 66, 97, 188], 584);

/// Set in [`Bank::scale_decimals`] where the bank has an exchange rate.
pub const RATED: u8 = 1 << 7;

/// What a staked token is worth in the asset that its market prices, and where that is read. All zero for none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct ExchangeRate {
    /// What a deposit counts at: Q16.48 units of the underlying per unit of the mint. Zero until first updated. Written by
    /// `update_rate`, like the three below.
    pub deposit: u64,
    /// What a debt counts at, same unit, at least that.
    pub borrow: u64,
    /// When both were updated, unix seconds.
    pub updated_at: i64,
    /// Seconds of rise not used then.
    pub allowance: u64,
    /// Where it is read. Written by `set_rate_source`.
    pub source: RateSource,
}

impl ExchangeRate {
    /// Whether the rate is young enough to base new risk on.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.deposit != 0
            && now.since(Timestamp::from_raw(self.updated_at)).raw() <= i64::from(self.source.max_age_seconds)
    }
}

impl Bank {
    /// Whether an exchange rate applies.
    #[inline(always)]
    pub fn is_rated(&self) -> bool {
        self.scale_decimals & RATED != 0
    }

    /// Whether its deposits count for nothing, towards maintenance too: neither value nor risk.
    #[inline(always)]
    pub fn has_no_weight(&self) -> bool {
        self.config.haircut_maint_ppm >= 1_000_000
    }

    /// The deposit index in the engine's type.
    #[inline(always)]
    pub fn deposit_index(&self) -> Index {
        Index::from_raw(self.deposit_index)
    }

    /// The borrow index in the engine's type.
    #[inline(always)]
    pub fn borrow_index(&self) -> Index {
        Index::from_raw(self.borrow_index)
    }
}

/// The pool that is the counterparty of every trade. Its inventory lives in the markets, its parts are tokens.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct House {
    /// Deposit shares of the quote bank. Written by `execute_ticket`, `settle`, `swap`, `resolve` and fills of spot.
    pub quote_shares: u64,
    /// Sum of the risk budgets of all markets, quote native. Written by `configure_market`.
    pub risk_budget_total: u64,
    /// House shares in circulation, by our own count: 1e-6 of a share. Written by `execute_ticket`.
    pub share_supply: u64,
    /// House shares in the escrow that are tickets', by our own count.
    pub escrow_shares: u64,
    /// Quote native in the quote bank's vault that is tickets': in neither the bank's `vault_amount` nor the net asset
    /// value, and never lent out.
    pub pending_quote: u64,
    /// Net asset value, quote native: of the last complete valuation, and what tickets have added and taken since, less the
    /// losses of insolvent accounts that it has covered since.
    pub nav: i64,
    /// When that valuation began, unix seconds. Zero: never.
    pub nav_at: i64,
    /// Counts valuations begun.
    pub round: u64,
    /// When the valuation under way began, unix seconds.
    pub round_started_at: i64,
    /// Sum of its markets so far, quote native.
    pub round_value: i64,
    /// `quote_shares` when it began.
    pub round_quote_shares: u64,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Mint of the shares. Written by `create_house`.
    pub share_mint: Address,
    /// Token account of the shares in tickets. Written by `create_house`.
    pub escrow: Address,
    /// Index of the market that the valuation under way wants next.
    pub round_next: u16,
    /// One of [`round_phase`].
    pub round_phase: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 3],
    /// Room for later.
    pub _reserved: [u8; 256],
}
account_type!(House, [21, 145, 94, 109, 254, 199, 210, 151], 456);

/// How far a valuation is, as stored in [`House::round_phase`].
pub mod round_phase {
    /// None is under way.
    pub const NONE: u8 = 0;
    /// Markets are being valued.
    pub const VALUES: u8 = 1;
    /// Every market is valued; whether any has changed since is being checked.
    pub const CHECKS: u8 = 2;
}

/// Somebody who wants to join the house or to leave it, and waits.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Quote native to provide, or house shares to redeem.
    pub amount: u64,
    /// House shares issued for it, or quote native paid; zero until executed.
    pub proceeds: u64,
    /// When it was asked for, unix seconds.
    pub requested_at: i64,
    /// It is executed at a valuation that began at this time or later, unix seconds.
    pub executable_from: i64,
    /// After this time it is not executed any more, unix seconds.
    pub expires_at: i64,
    /// When it was executed, unix seconds; zero until then.
    pub executed_at: i64,
    /// The house.
    pub house: Address,
    /// Whose it is.
    pub owner: Address,
    /// Which of its owner's tickets this is: part of its address.
    pub index: u16,
    /// One of [`ticket_kind`].
    pub kind: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 3],
    /// Room for later.
    pub _reserved: [u8; 64],
}
account_type!(Ticket, [41, 228, 24, 165, 78, 90, 235, 200], 192);

/// What a ticket is for, as stored in [`Ticket::kind`].
pub mod ticket_kind {
    /// Quote for shares.
    pub const PROVIDE: u8 = 1;
    /// Shares for quote.
    pub const REDEEM: u8 = 2;
}

impl Ticket {
    /// Whether what it holds now is quote, and not house shares.
    pub fn holds_quote(&self) -> bool {
        (self.kind == ticket_kind::PROVIDE) == (self.executed_at == 0)
    }

    /// How much of it: what was put in, or what came of it.
    pub fn holding(&self) -> u64 {
        if self.executed_at == 0 { self.amount } else { self.proceeds }
    }
}

/// A change that loosens and waits out the timelock: announced by `propose`, closed by the instruction that makes it.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The exchange.
    pub exchange: Address,
    /// What is to change: the exchange, a market, a bank, a venue or an adapter. Part of the address, so each has one
    /// proposal at a time.
    pub subject: Address,
    /// From when on the change may be made, unix seconds.
    pub ready_at: i64,
    /// What kind of change, one of [`crate::change::kind`].
    pub kind: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 5],
    /// What it is to be, as [`crate::change::kind`] says; zeros behind it.
    pub content: [u8; MAX_PROPOSAL],
}
account_type!(Proposal, [26, 94, 189, 187, 116, 136, 53, 33], 472);

/// One collateral or debt of a margin account.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct BalanceSlot {
    /// The bank, zero where the slot is free.
    pub bank: Address,
    /// Deposit shares where positive, borrow shares where negative.
    pub shares: i64,
    /// 1 where the slot is taken.
    pub in_use: u8,
    /// Index into [`MarginAccount::markets`] of the market that prices it, [`NO_MARKET`] for the quote.
    pub market_slot: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// What liens of the bank's mint at other programs count for, native: as a deposit would. Written by `open_lien`,
    /// `update_lien`, `release_lien` and `seize_lien`.
    pub lien: u64,
}

/// One market that a margin account depends on: its perpetual position and cash there, and how many balances it prices.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct MarketSlot {
    /// The market, zero where the slot is free.
    pub market: Address,
    /// Perpetual position, base units, positive long.
    pub size: i64,
    /// What the account has gained, less what it has paid, in this market and not yet settled, quote native. The
    /// position's equity is `cash + size * price`.
    pub cash: i64,
    /// 1 where the slot is taken.
    pub in_use: u8,
    /// How many of the account's balances this market prices.
    pub balances: u8,
    /// How many of the account's boards are of this market.
    pub boards: u8,
    /// Zero.
    pub _padding: [u8; 5],
    /// The market's funding index up to which the position has paid, Q16.48 quote native.
    pub funding_index: i64,
}

impl MarketSlot {
    /// Whether nothing is left in the slot.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.size == 0 && self.cash == 0 && self.balances == 0 && self.boards == 0
    }
}

/// One board that a margin account has options of.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct BoardSlot {
    /// The board, zero where the slot is free.
    pub board: Address,
    /// 1 where the slot is taken.
    pub in_use: u8,
    /// Index into [`MarginAccount::markets`] of its market.
    pub market_slot: u8,
    /// How many of the account's options are of this board.
    pub options: u8,
    /// Zero.
    pub _padding: [u8; 5],
}

/// One option position of a margin account. Positions of one board stand together, in the order of the boards' slots.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct OptionSlot {
    /// Lots, positive long; zero where the slot is free.
    pub lots: i32,
    /// Index into [`MarginAccount::boards`].
    pub board_slot: u8,
    /// Series of the board, below [`MAX_SERIES`].
    pub series: u8,
    /// Zero.
    pub _padding: [u8; 2],
}

/// An order that waits for a price: it only ever makes a position smaller, and counts for nothing until then.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct TriggerSlot {
    /// The market, zero where the slot is free.
    pub market: Address,
    /// Oracle price that it waits for, Q16.48 quote native per base unit.
    pub trigger_price: u64,
    /// Worst average price accepted then, as in an order, Q16.48 quote native per base unit.
    pub limit_price: u64,
    /// Base units to close at most; [`u64::MAX`] closes all.
    pub size: u64,
    /// What whoever executes it gets, quote native.
    pub tip: u64,
    /// Unix seconds after which it is void, zero for never.
    pub expires_at: i64,
    /// The position that it closes, one of [`trigger_side`]; zero where the slot is free.
    pub side: u8,
    /// When it is due, one of [`trigger_when`].
    pub when: u8,
    /// Zero.
    pub _padding: [u8; 6],
}

/// Values of [`TriggerSlot::side`].
pub mod trigger_side {
    /// Closes a long position.
    pub const LONG: u8 = 1;
    /// Closes a short position.
    pub const SHORT: u8 = 2;
}

/// Values of [`TriggerSlot::when`].
pub mod trigger_when {
    /// Once the price is at or below the trigger: a long position's stop loss, a short one's take profit.
    pub const AT_OR_BELOW: u8 = 1;
    /// Once the price is at or above the trigger: a short position's stop loss, a long one's take profit.
    pub const AT_OR_ABOVE: u8 = 2;
}

/// Values of [`MarginAccount::delegate_scope`].
pub mod delegate_scope {
    /// Trades, deposits and liquidates; signs, stores and cancels orders.
    pub const TRADE: u8 = 0;
    /// Makes positions smaller, and deposits; stores and cancels orders.
    pub const REDUCE: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = REDUCE;
}

/// One venue that a margin account has approved.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct VenueSlot {
    /// The venue, zero where the slot is free.
    pub venue: Address,
    /// Notional that it may fill for the account, quote native; [`u64::MAX`] for no limit, never zero in a taken slot.
    pub limit: u64,
    /// Notional that it has filled since the approval, quote native.
    pub used: u64,
}

/// One portfolio of one owner.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct MarginAccount {
    /// Collateral and debts.
    pub balances: [BalanceSlot; MAX_BALANCES],
    /// Markets with positions, or that price a balance.
    pub markets: [MarketSlot; MAX_MARKETS],
    /// Boards with options.
    pub boards: [BoardSlot; MAX_BOARDS],
    /// Options.
    pub options: [OptionSlot; MAX_OPTIONS],
    /// When the account was first seen below its line in the running auction, unix seconds; zero when it is not in one.
    pub liquidation_started_at: i64,
    /// When it was last seen below its line in the running auction, unix seconds.
    pub liquidation_seen_at: i64,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Whose it is. May do everything.
    pub owner: Address,
    /// May do what [`Self::delegate_scope`] says, never withdraw. Zero for nobody.
    pub delegate: Address,
    /// Which of its owner's accounts this is: part of its address.
    pub index: u16,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 2: [`crate::upgrade`] has what was before.
    pub version: u8,
    /// Where the account is in a liquidation without capital, one of [`deferral`].
    pub deferral: u8,
    /// What the delegate may do, one of [`delegate_scope`].
    pub delegate_scope: u8,
    /// How many liens it has, whatever they count for.
    pub liens: u8,
    /// Zero.
    pub _padding: [u8; 1],
    /// Counts every instruction that changed the account.
    pub sequence: u64,
    /// When the account was first seen without equity in the running insolvency, unix seconds; zero while it has some.
    pub insolvent_since: i64,
    /// Orders that wait for a price.
    pub triggers: [TriggerSlot; MAX_TRIGGERS],
    /// Venues that may fill for the account. Written by `set_venue_approval`, and by every fill of theirs.
    pub venues: [VenueSlot; MAX_VENUES],
    /// Room for later.
    pub _reserved: [u8; 624],
}
account_type!(MarginAccount, [133, 220, 173, 213, 179, 211, 43, 238], 4096);

/// A walk over an account's options of one board, from the last series down: see [`MarginAccount::options_from_last`].
#[derive(Clone, Copy, Debug)]
pub struct OptionWalk {
    /// The board's slot.
    board_slot: usize,
    /// Where its options begin.
    start: usize,
    /// The last option that was looked at; before the first look the one behind the board's last.
    at: usize,
}

impl OptionWalk {
    /// The option to look at next.
    fn below(&self) -> Option<usize> {
        self.at.checked_sub(1).filter(|below| *below >= self.start)
    }
}

/// Where an account is between `begin_liquidation` and `end_liquidation`, as stored in [`MarginAccount::deferral`]. Outside
/// of a transaction every account is at [`NONE`](deferral::NONE).
pub mod deferral {
    /// Nowhere: its margin is asked for as always.
    pub const NONE: u8 = 0;
    /// It may take over and reduce; its margin is asked for at the end.
    pub const BEGUN: u8 = 1;
    /// The same, and it has borrowed for a payment: no unpaid gain may stand for that at the end.
    pub const BORROWED: u8 = 2;
}

/// Slots, and what follows from what is in them.
impl MarginAccount {
    /// Checks that the account is not between `begin_liquidation` and `end_liquidation`, where its margin says nothing.
    ///
    /// # Errors
    /// [`PlimsollError::LiquidationInProgress`].
    pub fn require_not_deferred(&self) -> Result<(), PlimsollError> {
        if self.deferral == deferral::NONE { Ok(()) } else { Err(PlimsollError::LiquidationInProgress) }
    }

    /// The quote debt of an account that has nothing else, in borrow shares.
    pub fn bare_debt(&self) -> Option<u64> {
        let mut used = self.balances.iter().filter(|slot| slot.in_use == 1);
        let slot = used.next()?;
        let bare = used.next().is_none()
            && slot.market_slot == NO_MARKET
            && slot.shares < 0
            && self.markets.iter().all(|slot| slot.in_use == 0);
        bare.then(|| slot.shares.unsigned_abs())
    }

    /// Index of the balance of `bank`.
    pub fn balance_slot(&self, bank: &Address) -> Option<usize> {
        self.balances.iter().position(|slot| slot.in_use == 1 && same_address(&slot.bank, bank))
    }

    /// Index of the slot of `market`.
    pub fn market_slot(&self, market: &Address) -> Option<usize> {
        self.markets.iter().position(|slot| slot.in_use == 1 && same_address(&slot.market, market))
    }

    /// Index of the slot of `market`, taking a free one where there is none.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyMarkets`].
    pub fn market_slot_or_new(&mut self, market: &Address) -> Result<usize, PlimsollError> {
        if let Some(index) = self.market_slot(market) {
            return Ok(index);
        }
        let (index, slot) = self
            .markets
            .iter_mut()
            .enumerate()
            .find(|(_, slot)| slot.in_use == 0)
            .ok_or(PlimsollError::TooManyMarkets)?;
        *slot = bytemuck::Zeroable::zeroed();
        slot.market = *market;
        slot.in_use = 1;
        Ok(index)
    }

    /// Index of the balance of `bank`, taking a free slot where there is none. `market` prices the bank; `None` for the
    /// quote.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyBalances`], [`PlimsollError::TooManyMarkets`].
    pub fn balance_slot_or_new(&mut self, bank: &Address, market: Option<&Address>) -> Result<usize, PlimsollError> {
        if let Some(index) = self.balance_slot(bank) {
            return Ok(index);
        }
        let index = self.balances.iter().position(|slot| slot.in_use == 0).ok_or(PlimsollError::TooManyBalances)?;
        let market_slot = match market {
            None => NO_MARKET,
            Some(market) => {
                let position = self.market_slot_or_new(market)?;
                let slot = self.markets.get_mut(position).ok_or(PlimsollError::Corrupt)?;
                slot.balances = slot.balances.checked_add(1).ok_or(PlimsollError::Corrupt)?;
                u8::try_from(position).map_err(|_| PlimsollError::Corrupt)?
            }
        };
        let slot = self.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        *slot = BalanceSlot { bank: *bank, shares: 0, in_use: 1, market_slot, _padding: [0; 6], lien: 0 };
        Ok(index)
    }

    /// Frees the balance at `index` if nothing is left in it, and its market's slot likewise.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] where the slots contradict one another.
    pub fn release_balance(&mut self, index: usize) -> Result<(), PlimsollError> {
        let slot = self.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 || slot.shares != 0 || slot.lien != 0 {
            return Ok(());
        }
        let market_slot = slot.market_slot;
        *slot = bytemuck::Zeroable::zeroed();
        if market_slot == NO_MARKET {
            return Ok(());
        }
        let position = usize::from(market_slot);
        let market = self.markets.get_mut(position).ok_or(PlimsollError::Corrupt)?;
        market.balances = market.balances.checked_sub(1).ok_or(PlimsollError::Corrupt)?;
        self.release_market(position)
    }

    /// Frees the market slot at `index` if nothing is left in it.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`].
    pub fn release_market(&mut self, index: usize) -> Result<(), PlimsollError> {
        let slot = self.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 1 && slot.is_empty() {
            *slot = bytemuck::Zeroable::zeroed();
        }
        Ok(())
    }

    /// Counts an instruction that changes the account. Every handler that writes to it calls this once.
    #[inline(always)]
    pub fn touch(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Index of the slot of `board`.
    pub fn board_slot(&self, board: &Address) -> Option<usize> {
        self.boards.iter().position(|slot| slot.in_use == 1 && same_address(&slot.board, board))
    }

    /// Index of the slot of `board`, taking a free one where there is none. `market` is the board's.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyBoards`], [`PlimsollError::TooManyMarkets`].
    pub fn board_slot_or_new(&mut self, board: &Address, market: &Address) -> Result<usize, PlimsollError> {
        if let Some(index) = self.board_slot(board) {
            return Ok(index);
        }
        let index = self.boards.iter().position(|slot| slot.in_use == 0).ok_or(PlimsollError::TooManyBoards)?;
        let position = self.market_slot_or_new(market)?;
        let market = self.markets.get_mut(position).ok_or(PlimsollError::Corrupt)?;
        market.boards = market.boards.checked_add(1).ok_or(PlimsollError::Corrupt)?;
        let market_slot = u8::try_from(position).map_err(|_| PlimsollError::Corrupt)?;
        let slot = self.boards.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        *slot = BoardSlot { board: *board, in_use: 1, market_slot, options: 0, _padding: [0; 5] };
        Ok(index)
    }

    /// Frees the board slot at `index` if no option of it is left, and its market's slot likewise.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] where the slots contradict one another.
    pub fn release_board(&mut self, index: usize) -> Result<(), PlimsollError> {
        let slot = self.boards.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 || slot.options != 0 {
            return Ok(());
        }
        let position = usize::from(slot.market_slot);
        *slot = bytemuck::Zeroable::zeroed();
        let market = self.markets.get_mut(position).ok_or(PlimsollError::Corrupt)?;
        market.boards = market.boards.checked_sub(1).ok_or(PlimsollError::Corrupt)?;
        self.release_market(position)
    }

    /// Where the options of the board slot at `index` stand in [`Self::options`].
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`].
    pub fn options_of(&self, index: usize) -> Result<Range<usize>, PlimsollError> {
        let before = self.boards.get(..index).ok_or(PlimsollError::Corrupt)?;
        let own = self.boards.get(index).ok_or(PlimsollError::Corrupt)?;
        // At most nine counts of at most 255.
        let start = before.iter().fold(0usize, |start, slot| start.wrapping_add(usize::from(slot.options)));
        let end = start.wrapping_add(usize::from(own.options));
        if end > MAX_OPTIONS { Err(PlimsollError::Corrupt) } else { Ok(start..end) }
    }

    /// Lots of a series of the board slot at `board_slot`: zero where the account has none.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`].
    pub fn option_lots(&self, board_slot: usize, series: u8) -> Result<i32, PlimsollError> {
        let options = self.options.get(self.options_of(board_slot)?).ok_or(PlimsollError::Corrupt)?;
        Ok(options.iter().find(|option| option.series == series).map_or(0, |option| option.lots))
    }

    /// Sets the lots of a series of the board slot at `board_slot`: takes an option slot where there was none, frees it
    /// where none are left. Options stand in the order of their boards' slots, those of one board by rising series, and no
    /// free slot before a taken one.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyOptions`]; [`PlimsollError::Corrupt`].
    pub fn set_option(&mut self, board_slot: usize, series: u8, lots: i32) -> Result<(), PlimsollError> {
        let range = self.options_of(board_slot)?;
        let own = self.options.get_mut(range.clone()).ok_or(PlimsollError::Corrupt)?;
        // Those before it, within the board.
        let offset = own.iter().take_while(|option| option.series < series).count();
        let at = range.start.wrapping_add(offset);
        let found = own.get_mut(offset).filter(|option| option.series == series);
        let counted = match (found, lots) {
            (Some(option), lots) if lots != 0 => {
                option.lots = lots;
                return Ok(());
            }
            (None, 0) => return Ok(()),
            (Some(_), _) => {
                self.remove_option(at)?;
                i8::wrapping_neg(1)
            }
            (None, _) => {
                let board_slot = u8::try_from(board_slot).map_err(|_| PlimsollError::Corrupt)?;
                self.insert_option(at, OptionSlot { lots, board_slot, series, _padding: [0; 2] })?;
                1
            }
        };
        self.count_option(board_slot, counted)
    }

    /// Puts an option at `index` and moves those from there on up by one.
    fn insert_option(&mut self, index: usize, option: OptionSlot) -> Result<(), PlimsollError> {
        if self.options.last().is_none_or(|last| last.lots != 0) {
            return Err(PlimsollError::TooManyOptions);
        }
        let mut next = option;
        for slot in self.options.get_mut(index..).ok_or(PlimsollError::Corrupt)? {
            core::mem::swap(slot, &mut next);
            if next.lots == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Takes the option at `index` out and moves those behind it down by one, up to the first free slot.
    fn remove_option(&mut self, index: usize) -> Result<(), PlimsollError> {
        let mut slots = self.options.get_mut(index..).ok_or(PlimsollError::Corrupt)?.iter_mut();
        let mut free = slots.next().ok_or(PlimsollError::Corrupt)?;
        for slot in slots {
            if slot.lots == 0 {
                break;
            }
            *free = *slot;
            free = slot;
        }
        *free = bytemuck::Zeroable::zeroed();
        Ok(())
    }

    /// A walk over the options of the board slot at `board_slot`, from the last series down.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`].
    pub fn options_from_last(&self, board_slot: usize) -> Result<OptionWalk, PlimsollError> {
        let Range { start, end } = self.options_of(board_slot)?;
        Ok(OptionWalk { board_slot, start, at: end })
    }

    /// Adds lots to a series of the walk's board, which must not be above one that the walk has seen, and says what they
    /// were before and are afterwards: [`Self::option_lots`] and [`Self::set_option`] without a search for each.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyLots`], [`PlimsollError::TooManyOptions`]; [`PlimsollError::Corrupt`].
    pub fn add_lots(&mut self, walk: &mut OptionWalk, series: u8, lots: i32) -> Result<(i32, i32), PlimsollError> {
        while let Some(below) = walk.below()
            && let Some(option) = self.options.get_mut(below)
            && option.series >= series
        {
            walk.at = below;
            if option.series == series {
                let before = option.lots;
                let after = before.checked_add(lots).ok_or(PlimsollError::TooManyLots)?;
                option.lots = after;
                if after == 0 {
                    self.remove_option(below)?;
                    self.count_option(walk.board_slot, i8::wrapping_neg(1))?;
                }
                return Ok((before, after));
            }
        }
        if lots != 0 {
            let board_slot = u8::try_from(walk.board_slot).map_err(|_| PlimsollError::Corrupt)?;
            self.insert_option(walk.at, OptionSlot { lots, board_slot, series, _padding: [0; 2] })?;
            self.count_option(walk.board_slot, 1)?;
        }
        Ok((0, lots))
    }

    /// Takes lots from the option at `position`, which is one of the board slot at `board_slot`, and frees it where
    /// none are left. Says what they were before and are afterwards.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyLots`]; [`PlimsollError::Corrupt`].
    pub fn take_lots(&mut self, board_slot: usize, position: usize, lots: i32) -> Result<(i32, i32), PlimsollError> {
        let option = self.options.get_mut(position).ok_or(PlimsollError::Corrupt)?;
        let before = option.lots;
        let after = before.checked_sub(lots).ok_or(PlimsollError::TooManyLots)?;
        option.lots = after;
        if after == 0 {
            self.remove_option(position)?;
            self.count_option(board_slot, i8::wrapping_neg(1))?;
        }
        Ok((before, after))
    }

    /// Counts an option of a board more or less.
    fn count_option(&mut self, board_slot: usize, counted: i8) -> Result<(), PlimsollError> {
        let slot = self.boards.get_mut(board_slot).ok_or(PlimsollError::Corrupt)?;
        slot.options = slot.options.checked_add_signed(counted).ok_or(PlimsollError::Corrupt)?;
        Ok(())
    }

    /// Whether a signer may trade and liquidate for the account: its owner, or its delegate if that is its scope.
    pub fn may_trade(&self, signer: &Address) -> bool {
        same_address(signer, &self.owner)
            || (self.delegate_scope == delegate_scope::TRADE && same_address(signer, &self.delegate))
    }

    /// Whether a signer may deposit for the account and make its positions smaller: its owner or its delegate.
    pub fn may_reduce(&self, signer: &Address) -> bool {
        same_address(signer, &self.owner) || same_address(signer, &self.delegate)
    }

    /// Whether the account has nothing to lose but its deposits and the options that it has bought: no borrow, no perpetual
    /// position, no option sold, no negative cash.
    pub fn has_no_liability(&self) -> bool {
        self.balances.iter().all(|slot| slot.shares >= 0)
            && self.markets.iter().all(|slot| slot.size == 0 && slot.cash >= 0)
            && self.options.iter().all(|slot| slot.lots >= 0)
    }

    /// Whether every slot is free, and no lien is left.
    pub fn is_empty(&self) -> bool {
        self.liens == 0
            && self.balances.iter().all(|slot| slot.in_use == 0)
            && self.markets.iter().all(|slot| slot.in_use == 0)
            && self.boards.iter().all(|slot| slot.in_use == 0)
    }
}

/// Liens of other programs.
impl MarginAccount {
    /// Checks that no lien counts for anything: what is taken over of an account, or paid for it by others, cannot be what
    /// another program still holds.
    ///
    /// # Errors
    /// [`PlimsollError::LiensFirst`].
    pub fn require_no_liens(&self) -> Result<(), PlimsollError> {
        if self.balances.iter().all(|slot| slot.lien == 0) { Ok(()) } else { Err(PlimsollError::LiensFirst) }
    }

    /// Has a lien of `bank`'s mint, which `market` prices, count `after` and no longer `before`, native.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyBalances`], [`PlimsollError::TooManyMarkets`], [`PlimsollError::Overflow`];
    /// [`PlimsollError::Corrupt`] where it did not count `before`.
    pub fn recognise(
        &mut self,
        bank: &Address,
        market: Option<&Address>,
        before: u64,
        after: u64,
    ) -> Result<(), PlimsollError> {
        if before == after {
            return Ok(());
        }
        let index = self.balance_slot_or_new(bank, market)?;
        let slot = self.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        let others = slot.lien.checked_sub(before).ok_or(PlimsollError::Corrupt)?;
        slot.lien = others.checked_add(after).ok_or(PlimsollError::Overflow)?;
        self.release_balance(index)
    }
}

/// Approvals of venues.
impl MarginAccount {
    /// Allows `venue` fills of `limit` from now on, or none where it is zero.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyVenues`]; [`PlimsollError::VenueNotApproved`] where there is nothing to withdraw.
    pub fn approve_venue(&mut self, venue: &Address, limit: u64) -> Result<(), PlimsollError> {
        let mut slots = self.venues.iter_mut();
        let known = slots.find(|slot| slot.limit != 0 && same_address(&slot.venue, venue));
        if limit == 0 {
            *known.ok_or(PlimsollError::VenueNotApproved)? = bytemuck::Zeroable::zeroed();
            return Ok(());
        }
        let slot = match known {
            Some(slot) => slot,
            None => self.venues.iter_mut().find(|slot| slot.limit == 0).ok_or(PlimsollError::TooManyVenues)?,
        };
        *slot = VenueSlot { venue: *venue, limit, used: 0 };
        Ok(())
    }

    /// Counts a fill of `notional` by `venue` against the account's allowance.
    ///
    /// # Errors
    /// [`PlimsollError::VenueNotApproved`], [`PlimsollError::VenueAllowance`].
    pub fn use_venue(&mut self, venue: &Address, notional: u64) -> Result<(), PlimsollError> {
        let mut slots = self.venues.iter_mut();
        let slot = slots.find(|slot| slot.limit != 0 && same_address(&slot.venue, venue));
        let slot = slot.ok_or(PlimsollError::VenueNotApproved)?;
        slot.used = slot.used.saturating_add(notional);
        if slot.used > slot.limit { Err(PlimsollError::VenueAllowance) } else { Ok(()) }
    }
}

/// What one signed order has filled.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(feature = "anchor", derive(anchor_lang::IdlType))]
pub struct OrderSlot {
    /// The order's nonce.
    pub nonce: u64,
    /// What is filled of it, in the order's units; zero where the slot is free.
    pub filled: u64,
    /// When the order expires, unix seconds.
    pub expires_at: i64,
}

/// What a margin account's signed orders have filled, and which of them are cancelled. It is never closed: a floor that was
/// forgotten would bring cancelled orders back to life.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Orders {
    /// The margin account.
    pub account: Address,
    /// Orders with a nonce below this are void. Written by `cancel_orders`, only ever rising.
    pub floor: u64,
    /// Orders that have filled. Written by `fill_orders`.
    pub slots: [OrderSlot; MAX_ORDERS],
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// Room for later.
    pub _reserved: [u8; 64],
}
account_type!(Orders, [3, 215, 50, 3, 146, 247, 45, 36], 888);

impl Orders {
    /// Counts a fill of `size` of the order `nonce` over `total` in all, and gives what is filled of it so far.
    ///
    /// A slot is kept until its order has expired or is below the floor: only then could forgetting it do no harm.
    ///
    /// # Errors
    /// [`PlimsollError::OrderExpired`], [`PlimsollError::OrderLifetime`], [`PlimsollError::OrderCancelled`],
    /// [`PlimsollError::OrderNonceTaken`], [`PlimsollError::OrderOverfilled`], [`PlimsollError::TooManyOrders`].
    pub fn fill(
        &mut self,
        nonce: u64,
        size: u64,
        total: u64,
        expires_at: i64,
        now: Timestamp,
    ) -> Result<u64, PlimsollError> {
        let now = now.raw();
        if expires_at == 0 || expires_at.saturating_sub(now) > i64::from(limits::ORDER_SECONDS_MAX) {
            return Err(PlimsollError::OrderLifetime);
        }
        if now > expires_at {
            return Err(PlimsollError::OrderExpired);
        }
        let floor = self.floor;
        if nonce < floor {
            return Err(PlimsollError::OrderCancelled);
        }
        let lives = |slot: &OrderSlot| slot.filled != 0 && slot.expires_at >= now && slot.nonce >= floor;
        let index = match self.slots.iter().position(|slot| lives(slot) && slot.nonce == nonce) {
            Some(index) => index,
            None => self.slots.iter().position(|slot| !lives(slot)).ok_or(PlimsollError::TooManyOrders)?,
        };
        let slot = self.slots.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        let mut filled = 0;
        if lives(slot) {
            // Two orders of one nonce would share what is filled.
            if slot.expires_at != expires_at {
                return Err(PlimsollError::OrderNonceTaken);
            }
            filled = slot.filled;
        }
        let filled =
            filled.checked_add(size).filter(|filled| *filled <= total).ok_or(PlimsollError::OrderOverfilled)?;
        *slot = OrderSlot { nonce, filled, expires_at };
        Ok(filled)
    }
}

/// A program that may fill between accounts which have approved it.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Venue {
    /// Limits and state, written by `register_venue` and `configure_venue`.
    pub config: VenueConfig,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// The venue's program.
    pub program: Address,
    /// What signs its calls: the program's address of the seed `plimsoll-venue`.
    pub signer: Address,
    /// When the running window began, unix seconds. Written by every fill.
    pub window_start: i64,
    /// Notional filled in it, quote native.
    pub window_notional: u64,
    /// Notional filled ever, quote native.
    pub total_notional: u64,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// Room for later.
    pub _reserved: [u8; 128],
}
account_type!(Venue, [8, 155, 85, 226, 234, 173, 42, 242], 296);

impl Venue {
    /// Counts a fill of `notional` against the venue's limits.
    ///
    /// # Errors
    /// [`PlimsollError::VenueLimit`].
    pub fn count(&mut self, notional: u64, now: Timestamp) -> Result<(), PlimsollError> {
        let since = now.raw().saturating_sub(self.window_start);
        if since >= i64::from(self.config.window_seconds) {
            self.window_start = now.raw();
            self.window_notional = 0;
        }
        self.window_notional = self.window_notional.saturating_add(notional);
        self.total_notional = self.total_notional.saturating_add(notional);
        let within = notional <= self.config.fill_limit
            && self.window_notional <= self.config.window_limit
            && self.total_notional <= self.config.total_limit;
        if within { Ok(()) } else { Err(PlimsollError::VenueLimit) }
    }
}

/// A program that keeps tokens of one bank's mint under liens of margin accounts.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its cap, haircut and grace. Written by `configure_adapter`.
    pub config: AdapterConfig,
    /// The exchange. Written by `register_adapter`, like all addresses here.
    pub exchange: Address,
    /// The bank that is credited what is called in.
    pub bank: Address,
    /// The bank's mint.
    pub mint: Address,
    /// The program.
    pub program: Address,
    /// Who signs to the program for this exchange and bank, and is the beneficiary of its records.
    pub authority: Address,
    /// What all its liens claim, native. Written by `open_lien`, `release_lien` and `seize_lien`.
    pub claimed: u64,
    /// What it did not deliver when it was called in, native. It stays counted against the cap.
    pub lost: u64,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the authority.
    pub authority_bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 5],
    /// Room for later.
    pub _reserved: [u8; 64],
}
account_type!(Adapter, [218, 97, 146, 51, 83, 14, 30, 252], 280);

impl Adapter {
    /// What of the cap is left, native.
    pub fn room(&self) -> u64 {
        self.config.cap.saturating_sub(self.claimed).saturating_sub(self.lost)
    }

    /// What a claim counts for, native, rounded down.
    pub fn recognised(&self, claim: u64) -> u64 {
        const MILLION: u128 = 1_000_000;
        let kept = MILLION.saturating_sub(u128::from(self.config.haircut_ppm));
        // At most the claim, so it fits.
        u64::try_from(u128::from(claim).saturating_mul(kept) / MILLION).unwrap_or(claim)
    }
}

/// A margin account's lien on tokens that an adapter keeps.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Lien {
    /// The margin account. Written by `open_lien`, like all addresses here.
    pub account: Address,
    /// The adapter.
    pub adapter: Address,
    /// The adapter's record of it.
    pub record: Address,
    /// What it claims, native: what `seize_lien` calls in.
    pub claim: u64,
    /// What it counts for in the margin account, native.
    pub recognised: u64,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// Room for later.
    pub _reserved: [u8; 32],
}
account_type!(Lien, [42, 39, 130, 104, 109, 197, 122, 174], 160);
