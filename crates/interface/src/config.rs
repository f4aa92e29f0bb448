//! Parameters that an administrator sets. Each struct is one account's parameters as a whole: `configure_*` replaces all
//! of them and the whole is validated again, so no path can leave a half-checked mixture.
//!
//! Ratios are parts per million (`_ppm`), times are seconds, quote amounts are 1e-6 USD.

use plimsoll_risk::{
    funding::FundingParameters,
    interest::RateModel,
    liquidation::{InsolvencyParameters, LiquidationParameters},
    options::OptionPricing,
    parameters::{BankParameters, MarketParameters},
    portfolio::{GROUP_PAIRS, MAX_GROUPS, RiskParameters},
    trade::TradePricing,
    units::{Ppm, Seconds, Volatility},
    volatility::{self, VolatilityParameters},
};

use solana_address::Address;

use crate::{PlimsollError, oracle::ORACLE_PROGRAMS};

/// Ceilings and floors that no role can exceed.
pub mod limits {
    /// Largest shock range of a market: 80 %, the most that risk arrays reach.
    pub const RANGE_PPM_MAX: u32 = 800_000;
    /// Smallest shock range of a market: 0.1 %, so that no exposure is ever free of risk.
    pub const RANGE_PPM_MIN: u32 = 1_000;
    /// Widest oracle confidence, over price, that may still be traded on: 5 %.
    pub const CONFIDENCE_PPM_MAX: u32 = 50_000;
    /// Widest gap of spot and EMA, over EMA, that may still be traded on: 20 %.
    pub const EMA_GAP_PPM_MAX: u32 = 200_000;
    /// Confidence multiplier: at most 10 times.
    pub const CONFIDENCE_MULTIPLIER_PPM_MAX: u32 = 10_000_000;
    /// Half spread and taker fee: at most 5 % each.
    pub const TRADE_COST_PPM_MAX: u32 = 50_000;
    /// Skew premium at a skew of one scale: at most 10 %.
    pub const SKEW_PREMIUM_PPM_MAX: u32 = 100_000;
    /// Oldest price that may be called fresh: 10 minutes.
    pub const MAX_AGE_SECONDS_MAX: u32 = 600;
    /// Longest time that liquidations give a stopped feed the benefit of the doubt: 1 day.
    pub const DEAD_AGE_SECONDS_MAX: u32 = 86_400;
    /// Highest borrow rate per year: 1,000 %.
    pub const RATE_PPM_MAX: u32 = 10_000_000;
    /// Smallest maintenance ratio: 10 % of the initial requirement.
    pub const MAINTENANCE_RATIO_PPM_MIN: u32 = 100_000;
    /// Largest buffer above the line that a liquidation restores: 100 %.
    pub const LIQUIDATION_BUFFER_PPM_MAX: u32 = 1_000_000;
    /// Largest liquidation discount: 50 % of the requirement taken over.
    pub const LIQUIDATION_DISCOUNT_PPM_MAX: u32 = 500_000;
    /// Longest auction: 1 hour.
    pub const LIQUIDATION_DURATION_SECONDS_MAX: u32 = 3_600;
    /// Largest threshold of payments below which an account is liquidated as a whole: 1,000 USD.
    pub const LIQUIDATION_DUST_MAX: u64 = 1_000_000_000;
    /// Longest auction of an insolvent account, until the reward is at its largest: 1 hour.
    pub const INSOLVENCY_DURATION_SECONDS_MAX: u32 = 3_600;
    /// What who buys tokens of a bank's reserve pays above the oracle's price, ppm: 0.5 %.
    pub const RESERVE_PREMIUM_PPM: u32 = 5_000;
    /// Fastest funding at a skew of one scale, and largest funding rate: 100 % of the notional a day.
    pub const FUNDING_PPM_PER_DAY_MAX: u32 = 1_000_000;
    /// Option volatilities may differ from the market's by at most this factor, ppm: 10 times.
    pub const OPTION_VOLATILITY_RATIO_PPM_MAX: u32 = 10_000_000;
    /// Half spread and skew premium of option volatilities: at most 50 points of volatility each.
    pub const OPTION_SPREAD_PPM_MAX: u32 = 500_000;
    /// Largest limit of open lots in one series: with all 32 series of a board at it, the house has 2^30 lots there, the most
    /// that the engine sums.
    pub const OPTION_OPEN_LOTS_MAX: u64 = 1 << 25;
    /// Time of day at which options expire: 08:00 UTC, as on the large venues.
    pub const EXPIRY_SECOND_OF_DAY: i64 = 28_800;
    /// A board is created at least this long before its expiry: 1 hour.
    pub const EXPIRY_SECONDS_MIN: i64 = 3_600;
    /// And at most this long: 1 year.
    pub const EXPIRY_SECONDS_MAX: i64 = 31_536_000;
    /// A strike is listed from spot over this to spot times this.
    pub const STRIKE_RATIO_MAX: u64 = 5;
    /// A lot is worth at least this when a strike is listed: 1 USD. The engine goes on down to 0.01 USD.
    pub const LOT_VALUE_MIN: u64 = 1_000_000;
    /// A lot is worth at most this when a strike is listed: 100,000 USD. The engine goes on up to 100 million.
    pub const LOT_VALUE_MAX: u64 = 100_000_000_000;
    /// Least time between two posts of a board's volatilities, seconds.
    pub const POST_SECONDS_MIN: i64 = 60;
    /// How far one post may move a volatility, relative, ppm: 25 %.
    pub const POST_VOLATILITY_STEP_PPM_MAX: u32 = 250_000;
    /// How far one post may move the basis, ppm of spot: 1 %.
    pub const POST_BASIS_STEP_PPM_MAX: u32 = 10_000;
    /// Largest basis either way, ppm of spot: 5 %.
    pub const BASIS_PPM_MAX: u32 = 50_000;
    /// Length of one part of the sampling window before an expiry, which has as many as there may be samples: 60 seconds.
    pub const SAMPLE_SECONDS: i64 = 60;
    /// Samples that a settlement wants: where the window has brought fewer, it goes on behind the expiry until they are there.
    pub const SAMPLES_MIN: u64 = 10;
    /// How long behind the expiry prints of the window may still come in before the board can be settled: 1 minute.
    pub const SETTLE_DELAY_SECONDS: i64 = 60;
    /// How long behind the expiry a board waits for samples before it is settled with what there is: 1 day.
    pub const SETTLE_ANYWAY_SECONDS: i64 = 86_400;
    /// Largest outflow window: 7 days.
    pub const OUTFLOW_WINDOW_SECONDS_MAX: u32 = 604_800;
    /// Longest timelock: 30 days.
    pub const TIMELOCK_SECONDS_MAX: u32 = 2_592_000;
    /// Shortest wait of house shares' issue and redemption: no price is older than that when the house is valued, so what is
    /// known at the request is in every price.
    pub const HOUSE_DELAY_SECONDS_MIN: u32 = HOUSE_PRICE_AGE_SECONDS_MAX;
    /// Oldest price that the house is valued at: 1 minute.
    pub const HOUSE_PRICE_AGE_SECONDS_MAX: u32 = 60;
    /// Longest that a valuation of the house may take, and longest that it counts, from its beginning on: 1 minute.
    pub const HOUSE_NAV_AGE_SECONDS_MAX: u32 = 60;
    /// How much a price may have moved between the two looks of a valuation in parts: 0.1 %.
    pub const HOUSE_NAV_MOVE_PPM_MAX: u32 = 1_000;
    /// How long a ticket may be executed once its delay is over: 1 day.
    pub const TICKET_LIFE_SECONDS: u32 = 86_400;
    /// Decimals of the house's shares: at par a share is a dollar.
    pub const HOUSE_SHARE_DECIMALS: u8 = 6;
    /// Least haircut of house shares as a collateral, towards maintenance too: 30 %.
    pub const HOUSE_SHARE_HAIRCUT_PPM_MIN: u32 = 300_000;
    /// How long a low price of the quote counts where nobody stores a newer one: 1 day, seconds.
    pub const QUOTE_MEMORY_SECONDS: i64 = 86_400;
    /// Shortest time between the announcement that a market winds down and the first position closed for its holder: 1
    /// day, seconds.
    pub const WIND_DOWN_NOTICE_SECONDS_MIN: u32 = 86_400;
    /// Longest wait of house shares' issue and redemption: 7 days.
    pub const HOUSE_DELAY_SECONDS_MAX: u32 = 604_800;
    /// Largest tip of a stored order: 100 USD.
    pub const TRIGGER_TIP_MAX: u64 = 100_000_000;
    /// Longest life of a signed order: 30 days. What it has filled is kept as long.
    pub const ORDER_SECONDS_MAX: u32 = 2_592_000;
    /// Longest window of a venue's limit: 30 days.
    pub const VENUE_WINDOW_SECONDS_MAX: u32 = 2_592_000;
    /// Highest fee of a mint's transfers at which tokens come into its bank, basis points: 1 %.
    pub const TRANSFER_FEE_BPS_MAX: u16 = 100;
    /// Longest time that a liquidation waits for an adapter: an hour.
    pub const LIEN_GRACE_SECONDS_MAX: u32 = 3_600;
    /// Oldest exchange rate that may be called fresh: 7 days.
    pub const RATE_AGE_SECONDS_MAX: u32 = 604_800;
    /// Fastest rise of an exchange rate that may be believed: 1 % a day.
    pub const RATE_RISE_PER_DAY_PPM_MAX: u32 = plimsoll_risk::staking::MAX_RISE_PER_DAY.raw();
    /// Decimals of a market's base unit.
    pub const BASE_DECIMALS_MAX: u8 = 12;
    /// Decimals of a collateral mint.
    pub const MINT_DECIMALS_MAX: u8 = 9;
    /// Decimals of the quote mint: quote native is 1e-6 USD.
    pub const QUOTE_DECIMALS: u8 = 6;
}

/// Kinds of action that an administrator may pause, as bits of [`ExchangeConfig::pauses`].
pub mod pause {
    /// Deposits, new liens, quote for house shares and what anyone puts into the insurance.
    pub const DEPOSIT: u32 = 1 << 0;
    /// Withdrawals, released liens, house shares for quote, what tickets give back, and sales of reserves.
    pub const WITHDRAW: u32 = 1 << 1;
    /// Trades, fills and swaps that open or enlarge. Reducing stays possible.
    pub const OPEN: u32 = 1 << 2;
    /// Every trade, fill and swap, reductions too, and positions closed in a market that winds down.
    pub const TRADE: u32 = 1 << 3;
    /// Liquidations, and liens called in.
    pub const LIQUIDATE: u32 = 1 << 4;
    /// Settlement of cash and of options.
    pub const SETTLE: u32 = 1 << 5;
    /// Every trade and fill of options, reductions too.
    pub const OPTION: u32 = 1 << 6;
    /// Issue and redemption of house shares.
    pub const HOUSE: u32 = 1 << 7;
    /// Covering the loss of an account without equity: `resolve` and `deleverage`.
    pub const RESOLVE: u32 = 1 << 8;
    /// Every bit that has a meaning.
    pub const ALL: u32 = DEPOSIT | WITHDRAW | OPEN | TRADE | LIQUIDATE | SETTLE | OPTION | HOUSE | RESOLVE;
}

/// What covers a loss when insurance and house are spent, as stored in [`ExchangeConfig::loss_mode`].
pub mod loss_mode {
    /// All deposits of the quote bank, in proportion.
    pub const SOCIALISE: u8 = 0;
    /// The gains of accounts with opposite positions, whose positions are reduced.
    pub const DELEVERAGE: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = DELEVERAGE;
}

/// What a market or a bank accepts, as stored in `state`.
pub mod state {
    /// Everything.
    pub const ACTIVE: u8 = 0;
    /// Only what makes exposure smaller: reductions, repayments, withdrawals, liquidations.
    pub const REDUCE_ONLY: u8 = 1;
    /// As [`REDUCE_ONLY`]; a market's positions may be closed for their holders once the announced time has come, and a
    /// market or bank without any may be retired.
    pub const WIND_DOWN: u8 = 2;
    /// The largest value that may be configured.
    pub const LAST: u8 = WIND_DOWN;
    /// Empty for good: set by `retire_market` and `retire_bank`, and never left. The account stays where it is, so that
    /// whatever names it finds it.
    pub const RETIRED: u8 = 3;

    /// Whether going from one state to another lets in risk or takes away a position: everything but from
    /// [`ACTIVE`] to [`REDUCE_ONLY`].
    pub(super) fn loosens(new: u8, old: u8) -> bool {
        new != old && (old, new) != (ACTIVE, REDUCE_ONLY)
    }
}

/// Roles besides the admin, as arguments of `set_role`.
pub mod role {
    /// Tightens parameters and pauses.
    pub const RISK_ADMIN: u8 = 0;
    /// Creates and closes boards, lists strikes, posts the volatilities of options.
    pub const KEEPER: u8 = 1;
    /// Posts volatility forecasts.
    pub const FORECASTER: u8 = 2;
    /// The largest value with a meaning as an argument.
    pub const LAST: u8 = FORECASTER;
    /// The admin: in events only.
    pub const ADMIN: u8 = 255;
}

/// Parameters of the whole exchange.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct ExchangeConfig {
    /// A liquidation takes the whole account when it would pay less than this for it, in quote native.
    pub liquidation_dust: u64,
    /// What the house keeps when losses are written off against it, quote native.
    pub house_floor: u64,
    /// Credit for netting inside each risk group, `phi`, ppm in 0..=1e6.
    pub phi_ppm: [u32; MAX_GROUPS],
    /// Correlation of two groups' requirements, `rho`, ppm in 0..=1e6: the triangle below the
    /// diagonal row by row, (1,0), (2,0), (2,1) …
    pub rho_ppm: [u32; GROUP_PAIRS],
    /// Maintenance over initial requirement of the grid, ppm.
    pub maintenance_ratio_ppm: u32,
    /// How far above the maintenance line a liquidation brings an account, ppm of its requirement.
    pub liquidation_buffer_ppm: u32,
    /// Discount at the start of the auction, ppm of the requirement taken over.
    pub liquidation_discount_min_ppm: u32,
    /// Discount at the end of the auction, ppm of the requirement taken over.
    pub liquidation_discount_max_ppm: u32,
    /// Seconds in which the discount grows from its minimum to its maximum.
    pub liquidation_duration_seconds: u32,
    /// Paused kinds of action, bits of [`pause`].
    pub pauses: u32,
    /// Part of the gain or loss of a move by three ranges that counts, ppm: at most a third, which leaves linear books as
    /// they are.
    pub extreme_damping_ppm: u32,
    /// Largest reward of who takes over an insolvent account, ppm of the requirement taken over; at most
    /// `liquidation_discount_max_ppm`. It starts at nothing.
    pub insolvency_reward_max_ppm: u32,
    /// Seconds in which that reward grows to its largest, above zero.
    pub insolvency_duration_seconds: u32,
    /// Least time between the request and the execution of an issue or redemption of house shares, seconds.
    pub house_delay_seconds: u32,
    /// Least time between the proposal of a change that loosens and its execution, seconds.
    pub timelock_seconds: u32,
    /// Price of the quote's own feed below which initial requirements are scaled up, ppm of a dollar.
    pub quote_scale_below_ppm: u32,
    /// Price of the quote's own feed below which new risk is refused, ppm of a dollar, at most the one above.
    pub quote_refuse_below_ppm: u32,
    /// What covers a loss when insurance and house are spent, one of [`loss_mode`].
    pub loss_mode: u8,
    /// Zero.
    pub _padding: [u8; 3],
}

impl ExchangeConfig {
    /// The engine's view of the risk parameters, for a quote of its full worth. Margins want those of the moment,
    /// [`crate::accounts::Exchange::risk`].
    pub fn risk(&self) -> RiskParameters {
        RiskParameters {
            phi: self.phi_ppm.map(Ppm::from_raw),
            rho: self.rho_ppm.map(Ppm::from_raw),
            maintenance_ratio: Ppm::from_raw(self.maintenance_ratio_ppm),
            extreme_damping: Ppm::from_raw(self.extreme_damping_ppm),
            quote_price: Ppm::ONE,
        }
    }

    /// The engine's view of the liquidation parameters.
    pub fn liquidation(&self) -> LiquidationParameters {
        LiquidationParameters {
            buffer: Ppm::from_raw(self.liquidation_buffer_ppm),
            discount_min: Ppm::from_raw(self.liquidation_discount_min_ppm),
            discount_max: Ppm::from_raw(self.liquidation_discount_max_ppm),
            duration: Seconds::from_raw(i64::from(self.liquidation_duration_seconds)),
            dust: self.liquidation_dust,
        }
    }

    /// The engine's view of what who takes over an insolvent account is paid.
    pub fn insolvency(&self) -> InsolvencyParameters {
        InsolvencyParameters {
            reward_min: Ppm::ZERO,
            reward_max: Ppm::from_raw(self.insolvency_reward_max_ppm),
            duration: Seconds::from_raw(i64::from(self.insolvency_duration_seconds)),
        }
    }

    /// Checks every field against its range and the fields against one another.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidRiskParameters`], [`PlimsollError::InvalidLiquidationParameters`],
    /// [`PlimsollError::InvalidPauses`] or [`PlimsollError::InvalidExchangeParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        use limits::*;
        if self.maintenance_ratio_ppm < MAINTENANCE_RATIO_PPM_MIN || self.risk().validate().is_err() {
            return Err(PlimsollError::InvalidRiskParameters);
        }
        if self.liquidation().validate().is_err()
            || self.liquidation_buffer_ppm > LIQUIDATION_BUFFER_PPM_MAX
            || self.liquidation_discount_max_ppm > LIQUIDATION_DISCOUNT_PPM_MAX
            || self.liquidation_duration_seconds > LIQUIDATION_DURATION_SECONDS_MAX
            || self.liquidation_dust > LIQUIDATION_DUST_MAX
            || self.insolvency().validate().is_err()
            || self.insolvency_reward_max_ppm > self.liquidation_discount_max_ppm
            || !(1..=INSOLVENCY_DURATION_SECONDS_MAX).contains(&self.insolvency_duration_seconds)
        {
            return Err(PlimsollError::InvalidLiquidationParameters);
        }
        if self.pauses & !pause::ALL != 0 {
            return Err(PlimsollError::InvalidPauses);
        }
        if !(HOUSE_DELAY_SECONDS_MIN..=HOUSE_DELAY_SECONDS_MAX).contains(&self.house_delay_seconds)
            || self.timelock_seconds > TIMELOCK_SECONDS_MAX
            || self.quote_scale_below_ppm > Ppm::ONE.raw()
            || self.quote_refuse_below_ppm > self.quote_scale_below_ppm
            || self.loss_mode > loss_mode::LAST
            || self._padding != [0; 3]
        {
            return Err(PlimsollError::InvalidExchangeParameters);
        }
        Ok(())
    }

    /// Whether replacing `from` by this does anything but tighten. What tightens takes nothing from anybody who has a
    /// position: it only refuses new risk. What is not named here loosens either way; so does a field that is new.
    ///
    /// | field | tightens | either way waits, because |
    /// |---|---|---|
    /// | `timelock_seconds` | up | |
    /// | `quote_scale_below_ppm`, `quote_refuse_below_ppm` | up | |
    /// | `phi_ppm`, `rho_ppm`, `maintenance_ratio_ppm`, `extreme_damping_ppm` | | one way lends more, the other moves the maintenance line under accounts that stand: whoever holds the key could liquidate them |
    /// | `liquidation_*`, `insolvency_*` | | they divide a sinking account between its owner, its taker and whoever bears the loss |
    /// | `house_floor`, `loss_mode` | | they divide a loss between the house and the depositors |
    /// | `house_delay_seconds` | | shorter lets in whoever trades on a price that is known already, longer holds those who leave |
    /// | `pauses` | not counted | `set_pauses` alone changes them |
    pub fn loosens(&self, from: &Self) -> bool {
        let falls = self.timelock_seconds < from.timelock_seconds
            || self.quote_scale_below_ppm < from.quote_scale_below_ppm
            || self.quote_refuse_below_ppm < from.quote_refuse_below_ppm;
        let rest = Self {
            pauses: from.pauses,
            timelock_seconds: from.timelock_seconds,
            quote_scale_below_ppm: from.quote_scale_below_ppm,
            quote_refuse_below_ppm: from.quote_refuse_below_ppm,
            ..*self
        };
        falls || rest != *from
    }

    /// Whether any of the given kinds of action is paused.
    pub fn is_paused(&self, kinds: u32) -> bool {
        self.pauses & kinds != 0
    }
}

/// How a market's volatility is estimated and forecast, and the shock range that it gives. Meaning and bounds of each field
/// are those of the engine's [`VolatilityParameters`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct VolatilityConfig {
    /// No used volatility is below this, ppm a year.
    pub floor_ppm: u32,
    /// No used volatility is above this, ppm a year.
    pub cap_ppm: u32,
    /// Where the estimate starts, ppm a year.
    pub initial_ppm: u32,
    /// Standard deviations, ppm, beyond which a return is a jump that waits for its confirmation.
    pub jump_limit_ppm: u32,
    /// Standard deviations that the shock range covers, ppm.
    pub confidence_level_ppm: u32,
    /// Least shock range, ppm of the price.
    pub range_min_ppm: u32,
    /// Largest shock range, ppm of the price.
    pub range_max_ppm: u32,
    /// How much a forecast may rise in an hour, ppm of the last one.
    pub rise_per_hour_ppm: u32,
    /// How much a forecast may fall in a day, ppm of the last one.
    pub fall_per_day_ppm: u32,
    /// When a return has half the weight that it had, seconds.
    pub half_life_seconds: u32,
    /// Samples nearer to the last one than this are skipped, seconds.
    pub sample_spacing_seconds: u32,
    /// A longer time between two samples counts as this long, seconds.
    pub longest_gap_seconds: u32,
    /// How long after a jump an observation may confirm it, seconds.
    pub confirmation_seconds: u32,
    /// How long an account may take to be closed out: what the range covers, seconds.
    pub margin_period_seconds: u32,
    /// How long a forecast lives, seconds.
    pub forecast_expiry_seconds: u32,
    /// How long a forecast takes to reach the maintenance range, seconds.
    pub forecast_ramp_seconds: u32,
}

impl VolatilityConfig {
    /// The engine's calibrated parameters with a shock range that is always the same: for a market whose range an
    /// administrator sets by hand.
    pub const fn fixed_range(range_ppm: u32) -> Self {
        Self { range_min_ppm: range_ppm, range_max_ppm: range_ppm, ..Self::DEFAULT }
    }

    /// The engine's calibrated parameters, see [`VolatilityParameters::DEFAULT`].
    pub const DEFAULT: Self = Self {
        floor_ppm: 400_000,
        cap_ppm: 4_000_000,
        initial_ppm: 1_000_000,
        jump_limit_ppm: 5_000_000,
        confidence_level_ppm: 3_500_000,
        range_min_ppm: 30_000,
        range_max_ppm: 800_000,
        rise_per_hour_ppm: 250_000,
        fall_per_day_ppm: 50_000,
        half_life_seconds: 172_800,
        sample_spacing_seconds: 300,
        longest_gap_seconds: 3_600,
        confirmation_seconds: 10,
        margin_period_seconds: 28_800,
        forecast_expiry_seconds: 43_200,
        forecast_ramp_seconds: 14_400,
    };

    /// The engine's view.
    pub fn parameters(&self) -> VolatilityParameters {
        let seconds = |value: u32| Seconds::from_raw(i64::from(value));
        VolatilityParameters {
            floor: Volatility::from_raw(self.floor_ppm),
            cap: Volatility::from_raw(self.cap_ppm),
            initial: Volatility::from_raw(self.initial_ppm),
            jump_limit: Ppm::from_raw(self.jump_limit_ppm),
            confidence_level: Ppm::from_raw(self.confidence_level_ppm),
            range_min: Ppm::from_raw(self.range_min_ppm),
            range_max: Ppm::from_raw(self.range_max_ppm),
            rise_per_hour: Ppm::from_raw(self.rise_per_hour_ppm),
            fall_per_day: Ppm::from_raw(self.fall_per_day_ppm),
            _reserved: 0,
            half_life: seconds(self.half_life_seconds),
            sample_spacing: seconds(self.sample_spacing_seconds),
            longest_gap: seconds(self.longest_gap_seconds),
            confirmation: seconds(self.confirmation_seconds),
            margin_period: seconds(self.margin_period_seconds),
            expiry: seconds(self.forecast_expiry_seconds),
            ramp: seconds(self.forecast_ramp_seconds),
        }
    }

    /// The range of a market that nobody has observed yet.
    pub fn initial_range_ppm(&self) -> u32 {
        volatility::range(Volatility::from_raw(self.initial_ppm), &self.parameters()).raw()
    }
}

/// A market's options: what is listed, how they are margined, and how the house prices them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct OptionConfig {
    /// One lot, base units. Every board of the market has it.
    pub lot: u64,
    /// Vega of the house in one board, quote native for a volatility of 1, at which the premium is
    /// `skew_volatility_ppm`.
    pub vega_scale: u64,
    /// Largest sum of all accounts' long lots, and of all short ones, in one series; at most
    /// [`limits::OPTION_OPEN_LOTS_MAX`].
    pub max_open_lots: u64,
    /// Short-option minimum, ppm of the value of what is sold.
    pub short_minimum_ppm: u32,
    /// Relative shock of the volatility up at 30 days, ppm.
    pub volatility_up_ppm: u32,
    /// Relative shock of the volatility down at 30 days, ppm.
    pub volatility_down_ppm: u32,
    /// Power of the shocks' term structure below 30 days, ppm.
    pub volatility_power_short_ppm: u32,
    /// Power of the shocks' term structure above 30 days, ppm.
    pub volatility_power_long_ppm: u32,
    /// Half of the house's spread, ppm of volatility a year: 20,000 is two points.
    pub half_spread_volatility_ppm: u32,
    /// Premium on the volatility when the house's vega is `vega_scale`, ppm of volatility a year.
    pub skew_volatility_ppm: u32,
    /// Fee, ppm of the underlying's notional, and never more than an eighth of the premium.
    pub fee_ppm: u32,
    /// A posted volatility is within this factor of the market's used volatility, either way, ppm from 1e6 on.
    pub volatility_ratio_max_ppm: u32,
    /// 1 where options may be opened.
    pub enabled: u8,
    /// Zero.
    pub _padding: [u8; 3],
}

impl OptionConfig {
    /// A market without options.
    pub const NONE: Self = Self {
        lot: 0,
        vega_scale: 0,
        max_open_lots: 0,
        short_minimum_ppm: 0,
        volatility_up_ppm: 0,
        volatility_down_ppm: 0,
        volatility_power_short_ppm: 0,
        volatility_power_long_ppm: 0,
        half_spread_volatility_ppm: 0,
        skew_volatility_ppm: 0,
        fee_ppm: 0,
        volatility_ratio_max_ppm: 0,
        enabled: 0,
        _padding: [0; 3],
    };

    /// Whether every field is within its range.
    fn is_valid(&self) -> bool {
        use limits::*;
        let lists = self.lot > 0
            && self.vega_scale > 0
            && self.max_open_lots <= OPTION_OPEN_LOTS_MAX
            && (Ppm::ONE.raw()..=OPTION_VOLATILITY_RATIO_PPM_MAX).contains(&self.volatility_ratio_max_ppm);
        self.half_spread_volatility_ppm <= OPTION_SPREAD_PPM_MAX
            && self.skew_volatility_ppm <= OPTION_SPREAD_PPM_MAX
            && self.fee_ppm <= TRADE_COST_PPM_MAX
            && self.enabled <= 1
            && (self.enabled == 0 || lists)
            && self._padding == [0; 3]
    }
}

/// Funding of a market's perpetual, driven by the traders' skew.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct FundingConfig {
    /// Rate at a skew of one `skew_scale`, ppm of the notional a day.
    pub skew_rate_per_day_ppm: u32,
    /// Largest rate, either way, ppm of the notional a day.
    pub max_rate_per_day_ppm: u32,
}

impl FundingConfig {
    /// No funding.
    pub const NONE: Self = Self { skew_rate_per_day_ppm: 0, max_rate_per_day_ppm: 0 };
}

/// Parameters of one market.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct MarketConfig {
    /// Largest standalone loss `L_u` of the house's inventory in this market, quote native.
    pub risk_budget: u64,
    /// Largest sum of all long positions, and of all short positions, in base units.
    pub max_open_interest: u64,
    /// Skew, in base units, at which the premium is `skew_premium_ppm`.
    pub skew_scale: u64,
    /// Options.
    pub options: OptionConfig,
    /// Volatility, its forecasts and the shock range.
    pub volatility: VolatilityConfig,
    /// Funding.
    pub funding: FundingConfig,
    /// How many times the oracle's confidence is charged on net exposure, ppm (1e6 is once).
    pub confidence_multiplier_ppm: u32,
    /// Confidence over price above which the market is reduce-only, ppm.
    pub max_confidence_ppm: u32,
    /// |spot - EMA| over EMA above which the market is reduce-only, ppm.
    pub max_ema_gap_ppm: u32,
    /// Half of the house's spread, ppm of the notional.
    pub half_spread_ppm: u32,
    /// Marginal premium at a skew of `skew_scale`, ppm of the price.
    pub skew_premium_ppm: u32,
    /// Fee of whoever takes, on trades, fills and swaps, paid to the house, ppm of the notional.
    pub taker_fee_ppm: u32,
    /// Age up to which a price is fresh, seconds.
    pub max_age_seconds: u32,
    /// Age from which a stopped feed's last price is taken at its word by liquidations, seconds.
    pub dead_age_seconds: u32,
    /// Charge on a perpetual position when the open interest is at its limit, ppm of the position's value.
    pub concentration_ppm: u32,
    /// Risk group, below [`MAX_GROUPS`].
    pub group: u8,
    /// One of [`state`].
    pub state: u8,
    /// 1 where the perpetual may be traded, 0 where the market only prices collateral.
    pub perp_enabled: u8,
    /// Zero.
    pub _padding: u8,
}

impl MarketConfig {
    /// Whether observations feed the volatility estimate: where something follows it, the shock range or what options may be
    /// priced at. Otherwise they cost nothing for it.
    #[inline(always)]
    pub fn measures_volatility(&self) -> bool {
        self.volatility.range_min_ppm < self.volatility.range_max_ppm || self.options.enabled == 1
    }

    /// The engine's view of funding.
    pub fn funding(&self) -> FundingParameters {
        FundingParameters {
            skew_rate_per_day: Ppm::from_raw(self.funding.skew_rate_per_day_ppm),
            max_rate_per_day: Ppm::from_raw(self.funding.max_rate_per_day_ppm),
            skew_scale: self.skew_scale,
        }
    }

    /// The same without a risk budget and without options: what a new market must be.
    #[must_use]
    pub const fn starting(self) -> Self {
        Self { risk_budget: 0, options: OptionConfig { enabled: 0, ..self.options }, ..self }
    }

    /// Whether replacing `from` by this does anything but tighten. What tightens takes nothing from anybody who has a
    /// position: it only refuses new risk. What is not named here loosens either way; so does a field that is new.
    ///
    /// | field | tightens | either way waits, because |
    /// |---|---|---|
    /// | `risk_budget` | down | |
    /// | `max_open_interest` | down, where `concentration_ppm` is zero | otherwise a lower limit charges every position more |
    /// | `max_confidence_ppm`, `max_ema_gap_ppm` | down | |
    /// | `perp_enabled`, `options.enabled` | down | |
    /// | `options.max_open_lots`, `options.volatility_ratio_max_ppm` | down | |
    /// | `half_spread_ppm`, `options.half_spread_volatility_ppm` | up | |
    /// | `state` | active to reduce-only | winding down takes positions away, every other step lets risk in |
    /// | `skew_premium_ppm`, `skew_scale`, `options.vega_scale`, `options.skew_volatility_ppm` | | whoever holds the house's opposite side closes at the premium: a higher one is paid to him |
    /// | `taker_fee_ppm`, `options.fee_ppm` | | lower invites trades that the spread no longer pays for, higher taxes who has to close: no limit price covers it |
    /// | `volatility`, `group`, `confidence_multiplier_ppm`, `concentration_ppm`, `options.short_minimum_ppm`, `options.volatility_*` | | one way lends more, the other moves the maintenance line under accounts that stand |
    /// | `max_age_seconds`, `dead_age_seconds` | | longer takes an old price at its word, shorter gives an account below its line the benefit of the doubt, or ends it |
    /// | `funding` | | it moves money between longs and shorts |
    /// | `options.lot` | | boards of two lots do not compare |
    pub fn loosens(&self, from: &Self) -> bool {
        let (new, old) = (&self.options, &from.options);
        let rises = self.risk_budget > from.risk_budget
            || self.max_open_interest > from.max_open_interest
            || (self.max_open_interest < from.max_open_interest && from.concentration_ppm != 0)
            || self.max_confidence_ppm > from.max_confidence_ppm
            || self.max_ema_gap_ppm > from.max_ema_gap_ppm
            || self.perp_enabled > from.perp_enabled
            || new.enabled > old.enabled
            || new.max_open_lots > old.max_open_lots
            || new.volatility_ratio_max_ppm > old.volatility_ratio_max_ppm;
        let falls = self.half_spread_ppm < from.half_spread_ppm
            || new.half_spread_volatility_ppm < old.half_spread_volatility_ppm;
        let options = OptionConfig {
            max_open_lots: old.max_open_lots,
            half_spread_volatility_ppm: old.half_spread_volatility_ppm,
            volatility_ratio_max_ppm: old.volatility_ratio_max_ppm,
            enabled: old.enabled,
            ..*new
        };
        let rest = Self {
            risk_budget: from.risk_budget,
            max_open_interest: from.max_open_interest,
            options,
            max_confidence_ppm: from.max_confidence_ppm,
            max_ema_gap_ppm: from.max_ema_gap_ppm,
            half_spread_ppm: from.half_spread_ppm,
            state: from.state,
            perp_enabled: from.perp_enabled,
            ..*self
        };
        rises || falls || state::loosens(self.state, from.state) || rest != *from
    }

    /// The engine's view of the house's price making.
    pub fn pricing(&self) -> TradePricing {
        TradePricing {
            half_spread: Ppm::from_raw(self.half_spread_ppm),
            skew_premium: Ppm::from_raw(self.skew_premium_ppm),
            skew_scale: self.skew_scale,
            taker_fee: Ppm::from_raw(self.taker_fee_ppm),
        }
    }

    /// The engine's view of the house's price making in options.
    pub fn option_pricing(&self) -> OptionPricing {
        OptionPricing {
            half_spread_volatility: Ppm::from_raw(self.options.half_spread_volatility_ppm),
            skew_volatility: Ppm::from_raw(self.options.skew_volatility_ppm),
            vega_scale: self.options.vega_scale,
            half_spread: Ppm::from_raw(self.half_spread_ppm),
            fee: Ppm::from_raw(self.options.fee_ppm),
        }
    }

    /// The engine's view of how positions are margined.
    pub fn parameters(&self) -> MarketParameters {
        let ppm = Ppm::from_raw;
        MarketParameters {
            confidence_multiplier: ppm(self.confidence_multiplier_ppm),
            short_minimum: ppm(self.options.short_minimum_ppm),
            volatility_up: ppm(self.options.volatility_up_ppm),
            volatility_down: ppm(self.options.volatility_down_ppm),
            volatility_power_short: ppm(self.options.volatility_power_short_ppm),
            volatility_power_long: ppm(self.options.volatility_power_long_ppm),
            concentration: ppm(self.concentration_ppm),
            group: self.group,
            volatility: self.volatility.parameters(),
        }
    }

    /// Checks every field against its range and the fields against one another.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidMarketParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        use limits::*;
        let perp = self.perp_enabled == 1;
        let in_range = self.volatility.range_min_ppm >= RANGE_PPM_MIN
            && self.volatility.range_max_ppm <= RANGE_PPM_MAX
            && self.parameters().validate().is_ok()
            && self.options.is_valid()
            && self.funding.skew_rate_per_day_ppm <= FUNDING_PPM_PER_DAY_MAX
            && self.funding.max_rate_per_day_ppm <= FUNDING_PPM_PER_DAY_MAX
            && self.confidence_multiplier_ppm <= CONFIDENCE_MULTIPLIER_PPM_MAX
            && (1..=CONFIDENCE_PPM_MAX).contains(&self.max_confidence_ppm)
            && (1..=EMA_GAP_PPM_MAX).contains(&self.max_ema_gap_ppm)
            && self.half_spread_ppm <= TRADE_COST_PPM_MAX
            && self.taker_fee_ppm <= TRADE_COST_PPM_MAX
            && self.skew_premium_ppm <= SKEW_PREMIUM_PPM_MAX
            && (1..=MAX_AGE_SECONDS_MAX).contains(&self.max_age_seconds)
            && (self.max_age_seconds..=DEAD_AGE_SECONDS_MAX).contains(&self.dead_age_seconds)
            && usize::from(self.group) < MAX_GROUPS
            && self.state <= state::LAST
            && self.perp_enabled <= 1
            && self._padding == 0;
        // The marginal price P (1 +- half spread + premium * skew / scale) stays positive at every skew that the
        // open-interest limit allows: the skew is at most five scales, so the premium is at most 5 * 10 % and the
        // spread 5 %.
        let premium_bounded = !perp
            || (self.skew_scale > 0
                && self.max_open_interest / 5 <= self.skew_scale
                && self.max_open_interest <= i64::MAX.unsigned_abs() / 4);
        if in_range && premium_bounded { Ok(()) } else { Err(PlimsollError::InvalidMarketParameters) }
    }

    /// Checks what the parameters of the market of house shares must be besides: it prices collateral and nothing else, for
    /// the house must not hold what is made of itself.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidMarketParameters`].
    pub fn validate_house_share(&self) -> Result<(), PlimsollError> {
        let valid = self.perp_enabled == 0 && self.options.enabled == 0 && self.risk_budget == 0;
        if valid { Ok(()) } else { Err(PlimsollError::InvalidMarketParameters) }
    }
}

/// Where a bank's exchange rate is read, and how far it is believed. All zero for a bank without one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct RateSource {
    /// The stake pool.
    pub pool: Address,
    /// Pyth feed id of the token's own feed; for a legacy price account, the address of that account.
    pub feed_id: [u8; 32],
    /// The program that must own the own feed's price account, zero for no feed.
    pub feed_owner: Address,
    /// Age up to which the rate is fresh, seconds.
    pub max_age_seconds: u32,
    /// Fastest rise that is believed, ppm a day.
    pub rise_per_day_ppm: u32,
    /// One of [`rate_kind`].
    pub kind: u8,
    /// Format of the own feed's price account, one of [`crate::accounts::oracle_kind`].
    pub feed_kind: u8,
    /// 1 where the token's own feed caps the rate of deposits.
    pub has_feed: u8,
    /// Zero.
    pub _padding: [u8; 5],
}

/// What says a bank's exchange rate, as stored in [`RateSource::kind`].
pub mod rate_kind {
    /// Nothing: one unit of the mint is one of the underlying.
    pub const NONE: u8 = 0;
    /// An SPL stake pool.
    pub const STAKE_POOL: u8 = 1;
}

impl RateSource {
    /// No exchange rate.
    pub const NONE: Self = Self {
        pool: Address::new_from_array([0; 32]),
        feed_id: [0; 32],
        feed_owner: Address::new_from_array([0; 32]),
        max_age_seconds: 0,
        rise_per_day_ppm: 0,
        kind: rate_kind::NONE,
        feed_kind: 0,
        has_feed: 0,
        _padding: [0; 5],
    };

    /// Checks every field by itself and with the others.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidRateSource`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        let without_feed =
            Self { feed_id: [0; 32], feed_owner: Address::new_from_array([0; 32]), feed_kind: 0, has_feed: 0, ..*self };
        let feed_is_valid = match self.has_feed {
            0 => *self == without_feed,
            1 => ORACLE_PROGRAMS.contains(&(self.feed_owner, self.feed_kind)),
            _ => false,
        };
        let is_pool = self.kind == rate_kind::STAKE_POOL
            && self._padding == [0; 5]
            && feed_is_valid
            && (1..=limits::RATE_AGE_SECONDS_MAX).contains(&self.max_age_seconds)
            && self.rise_per_day_ppm <= limits::RATE_RISE_PER_DAY_PPM_MAX;
        if is_pool || *self == Self::NONE { Ok(()) } else { Err(PlimsollError::InvalidRateSource) }
    }
}

/// Parameters of one bank.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct BankConfig {
    /// Largest total of deposits, native.
    pub deposit_cap: u64,
    /// Largest total of borrows, native.
    pub borrow_cap: u64,
    /// Largest net amount that may leave in one outflow window, native. [`u64::MAX`] for no limit.
    pub outflow_limit: u64,
    /// Largest amount that the house holds from spot swaps, native. Zero: it takes nothing, and only gives what it has.
    pub swap_cap: u64,
    /// Share of a deposit's value that does not count for initial margin while the bank is empty, ppm in 0..=1e6.
    pub haircut_init_ppm: u32,
    /// Share of a deposit's value that does not count for maintenance margin while the bank is empty, ppm, at most the
    /// initial one.
    pub haircut_maint_ppm: u32,
    /// The same for initial margin when deposits are at their cap, ppm, at least that of the empty bank, and above it by at
    /// most what it leaves of the whole: `2 full - empty <= 1`, so that a deposit is never worth less than what it takes
    /// from the deposits that are there already.
    pub haircut_init_full_ppm: u32,
    /// The same for maintenance margin when deposits are at their cap, ppm, at most the initial one, and within the same
    /// bound. Above that of the empty bank, deposits of some raise the line of others.
    pub haircut_maint_full_ppm: u32,
    /// Share of a borrow's value charged on top for initial margin, ppm in 0..=1e6.
    pub borrow_weight_init_ppm: u32,
    /// Share of a borrow's value charged on top for maintenance margin, ppm, at most the initial one.
    pub borrow_weight_maint_ppm: u32,
    /// Utilisation at the kink of the rate curve, ppm in 1..1e6.
    pub optimal_utilisation_ppm: u32,
    /// Borrow rate per year at no utilisation, ppm.
    pub base_rate_ppm: u32,
    /// Borrow rate per year at the kink, ppm.
    pub optimal_rate_ppm: u32,
    /// Borrow rate per year at full utilisation, ppm.
    pub max_rate_ppm: u32,
    /// Share of the interest kept in the bank's reserve, ppm in 0..=1e6.
    pub reserve_factor_ppm: u32,
    /// Length of an outflow window, seconds; zero where there is no limit.
    pub outflow_window_seconds: u32,
    /// One of [`state`].
    pub state: u8,
    /// Zero.
    pub _padding: [u8; 7],
}

impl BankConfig {
    /// The same with deposits that count for nothing and borrows that count twice: what a new bank must be, but for the
    /// quote's.
    #[must_use]
    pub const fn starting(self) -> Self {
        let one = Ppm::ONE.raw();
        Self { borrow_weight_init_ppm: one, borrow_weight_maint_ppm: one, ..self.with_haircuts(one, one) }
    }

    /// Whether replacing `from` by this does anything but tighten. What tightens takes nothing from anybody who has a
    /// balance: it only refuses new risk. What is not named here loosens either way; so does a field that is new.
    ///
    /// | field | tightens | either way waits, because |
    /// |---|---|---|
    /// | `deposit_cap` | down, where the maintenance haircut is the same however full the bank is | otherwise a lower cap lowers what deposits count for |
    /// | `borrow_cap`, `outflow_limit`, `swap_cap` | down | |
    /// | `outflow_window_seconds` | up | |
    /// | `haircut_init_ppm`, `haircut_init_full_ppm`, `borrow_weight_init_ppm` | up | |
    /// | `state` | active to reduce-only | every other step lets risk in, or ends the bank |
    /// | `haircut_maint_ppm`, `haircut_maint_full_ppm`, `borrow_weight_maint_ppm` | | lower lends more, higher moves the maintenance line under accounts that stand: whoever holds the key could liquidate them |
    /// | rates, `optimal_utilisation_ppm`, `reserve_factor_ppm` | | they move money between borrowers, depositors and the exchange |
    pub fn loosens(&self, from: &Self) -> bool {
        let is_cap_in_line = from.haircut_maint_ppm != from.haircut_maint_full_ppm;
        let rises = self.deposit_cap > from.deposit_cap
            || (self.deposit_cap < from.deposit_cap && is_cap_in_line)
            || self.borrow_cap > from.borrow_cap
            || self.outflow_limit > from.outflow_limit
            || self.swap_cap > from.swap_cap;
        let falls = self.outflow_window_seconds < from.outflow_window_seconds
            || self.haircut_init_ppm < from.haircut_init_ppm
            || self.haircut_init_full_ppm < from.haircut_init_full_ppm
            || self.borrow_weight_init_ppm < from.borrow_weight_init_ppm;
        let rest = Self {
            deposit_cap: from.deposit_cap,
            borrow_cap: from.borrow_cap,
            outflow_limit: from.outflow_limit,
            swap_cap: from.swap_cap,
            haircut_init_ppm: from.haircut_init_ppm,
            haircut_init_full_ppm: from.haircut_init_full_ppm,
            borrow_weight_init_ppm: from.borrow_weight_init_ppm,
            outflow_window_seconds: from.outflow_window_seconds,
            state: from.state,
            ..*self
        };
        rises || falls || state::loosens(self.state, from.state) || rest != *from
    }

    /// With haircuts that are the same however full the bank is, ppm.
    #[must_use]
    pub const fn with_haircuts(self, init_ppm: u32, maint_ppm: u32) -> Self {
        Self {
            haircut_init_ppm: init_ppm,
            haircut_maint_ppm: maint_ppm,
            haircut_init_full_ppm: init_ppm,
            haircut_maint_full_ppm: maint_ppm,
            ..self
        }
    }

    /// The engine's view of haircuts and weights.
    pub fn weights(&self) -> BankParameters {
        BankParameters {
            haircut_init_empty: Ppm::from_raw(self.haircut_init_ppm),
            haircut_init_full: Ppm::from_raw(self.haircut_init_full_ppm),
            haircut_maint_empty: Ppm::from_raw(self.haircut_maint_ppm),
            haircut_maint_full: Ppm::from_raw(self.haircut_maint_full_ppm),
            borrow_weight_init: Ppm::from_raw(self.borrow_weight_init_ppm),
            borrow_weight_maint: Ppm::from_raw(self.borrow_weight_maint_ppm),
        }
    }

    /// The engine's view of the rate curve.
    pub fn rates(&self) -> RateModel {
        RateModel {
            optimal_utilisation: Ppm::from_raw(self.optimal_utilisation_ppm),
            base_rate: Ppm::from_raw(self.base_rate_ppm),
            optimal_rate: Ppm::from_raw(self.optimal_rate_ppm),
            max_rate: Ppm::from_raw(self.max_rate_ppm),
            reserve_factor: Ppm::from_raw(self.reserve_factor_ppm),
        }
    }

    /// Checks every field against its range and the fields against one another.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidBankParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        let weights = self.weights();
        let in_range = weights.validate().is_ok()
            && leaves_every_deposit_its_worth(weights.haircut_init_empty, weights.haircut_init_full)
            && leaves_every_deposit_its_worth(weights.haircut_maint_empty, weights.haircut_maint_full)
            && (self.outflow_window_seconds > 0 || self.outflow_limit == u64::MAX)
            && self.outflow_window_seconds <= limits::OUTFLOW_WINDOW_SECONDS_MAX
            && self.max_rate_ppm <= limits::RATE_PPM_MAX
            && self.state <= state::LAST
            && self._padding == [0; 7];
        if in_range && self.rates().validate().is_ok() { Ok(()) } else { Err(PlimsollError::InvalidBankParameters) }
    }

    /// Checks what the parameters of the bank of house shares must be besides: a haircut that stands in for what the share's
    /// price does not show, and no borrowing, because whoever owes shares could redeem them at a valuation that is old.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidBankParameters`].
    pub fn validate_house_share(&self) -> Result<(), PlimsollError> {
        let haircut = self.haircut_maint_ppm.min(self.haircut_maint_full_ppm);
        let valid = haircut >= limits::HOUSE_SHARE_HAIRCUT_PPM_MIN && self.borrow_cap == 0 && self.swap_cap == 0;
        if valid { Ok(()) } else { Err(PlimsollError::InvalidBankParameters) }
    }

    /// Checks what the quote bank's parameters must be besides: quote counts at its amount, as a deposit and as a borrow.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidBankParameters`].
    pub fn validate_quote(&self) -> Result<(), PlimsollError> {
        if self.weights() == BankParameters::default() { Ok(()) } else { Err(PlimsollError::InvalidBankParameters) }
    }
}

/// What a venue accepts, as stored in [`VenueConfig::state`].
pub mod venue_state {
    /// Fills.
    pub const ACTIVE: u8 = 0;
    /// Nothing.
    pub const SUSPENDED: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = SUSPENDED;
}

/// Limits of a venue. All count the notional of fills at their price, whether they open or close.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct VenueConfig {
    /// Largest notional of one fill, quote native.
    pub fill_limit: u64,
    /// Largest notional of all fills of one window, quote native.
    pub window_limit: u64,
    /// Largest notional of all fills ever, quote native; [`u64::MAX`] for no limit.
    pub total_limit: u64,
    /// Length of a window, seconds.
    pub window_seconds: u32,
    /// One of [`venue_state`].
    pub state: u8,
    /// Zero.
    pub _padding: [u8; 3],
}

impl VenueConfig {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidVenueParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        let in_range = (1..=limits::VENUE_WINDOW_SECONDS_MAX).contains(&self.window_seconds)
            && self.state <= venue_state::LAST
            && self._padding == [0; 3];
        if in_range { Ok(()) } else { Err(PlimsollError::InvalidVenueParameters) }
    }

    /// Whether replacing `from` by this does anything but tighten: let less through. Positions stay as they are either way.
    ///
    /// | field | tightens |
    /// |---|---|
    /// | `fill_limit`, `window_limit`, `total_limit` | down |
    /// | `window_seconds` | up: the same notional in more time |
    /// | `state` | active to suspended |
    pub fn loosens(&self, from: &Self) -> bool {
        let rises = self.fill_limit > from.fill_limit
            || self.window_limit > from.window_limit
            || self.total_limit > from.total_limit;
        rises
            || self.window_seconds < from.window_seconds
            || (self.state != from.state && self.state != venue_state::SUSPENDED)
            || self._padding != from._padding
    }
}

/// Limits of a program that keeps tokens under liens.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[cfg_attr(
    feature = "anchor",
    derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
)]
#[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
pub struct AdapterConfig {
    /// Largest total of what its liens claim and what it failed to deliver, native: the most that the exchange can lose by
    /// it.
    pub cap: u64,
    /// Part of a claim that does not count, ppm, before the bank's own haircuts.
    pub haircut_ppm: u32,
    /// How long a liquidation waits for the adapter to deliver before its liens count for nothing, seconds.
    pub grace_seconds: u32,
    /// One of [`adapter_state`].
    pub state: u8,
    /// Zero.
    pub _padding: [u8; 7],
}

/// States of an adapter, as stored in [`AdapterConfig::state`].
pub mod adapter_state {
    /// Takes new liens.
    pub const ACTIVE: u8 = 0;
    /// Takes none, and none counts for more than it did.
    pub const CLOSED: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = CLOSED;
}

impl AdapterConfig {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidAdapterParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        let in_range = self.haircut_ppm <= Ppm::ONE.raw()
            && (1..=limits::LIEN_GRACE_SECONDS_MAX).contains(&self.grace_seconds)
            && self.state <= adapter_state::LAST
            && self._padding == [0; 7];
        if in_range { Ok(()) } else { Err(PlimsollError::InvalidAdapterParameters) }
    }

    /// Whether anything but tightening changes: a lower cap and a closed adapter refuse new liens and do nothing else. A
    /// haircut moves the maintenance line of whoever has a lien.
    pub fn loosens(&self, old: &Self) -> bool {
        let tightened = Self { cap: self.cap, state: self.state, ..*old };
        *self != tightened || self.cap > old.cap || self.state < old.state
    }
}

/// Whether a deposit never takes from its own bank's deposits more than it adds, where one account holds all of them. At a
/// total of `T`, of which one account has `A <= T <= cap`, a unit more adds `1 - rate(T)` and raises the rate on the `A`
/// by `(full - empty) A / cap`: at least `1 - full - (full - empty)` in all.
fn leaves_every_deposit_its_worth(empty: Ppm, full: Ppm) -> bool {
    let growth = full.raw().saturating_sub(empty.raw());
    full.raw().saturating_add(growth) <= Ppm::ONE.raw()
}
