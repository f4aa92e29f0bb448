//! Parameters that an administrator sets. Each struct is one account's parameters as a whole: `configure_*` replaces all
//! of them and the whole is validated again, so no path can leave a half-checked mixture.
//!
//! Ratios are parts per million (`_ppm`), times are seconds, quote amounts are 1e-6 USD.

use plimsoll_risk::{
    interest::RateModel,
    liquidation::LiquidationParameters,
    portfolio::{GROUP_PAIRS, MAX_GROUPS, RiskParameters},
    trade::TradePricing,
    units::{Ppm, Seconds},
};

use crate::PlimsollError;

/// Ceilings and floors that no role can exceed.
pub mod limits {
    /// Largest shock range of a market: 95 %.
    pub const RANGE_PPM_MAX: u32 = 950_000;
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
    /// Part of the gain or loss of a move by three ranges that counts: a third, the most that leaves linear books as they
    /// are.
    pub const EXTREME_DAMPING_PPM: u32 = 333_333;
    /// Largest buffer above the line that a liquidation restores: 100 %.
    pub const LIQUIDATION_BUFFER_PPM_MAX: u32 = 1_000_000;
    /// Largest liquidation discount: 50 % of the requirement taken over.
    pub const LIQUIDATION_DISCOUNT_PPM_MAX: u32 = 500_000;
    /// Longest auction: 1 hour.
    pub const LIQUIDATION_DURATION_SECONDS_MAX: u32 = 3_600;
    /// Largest threshold of payments below which an account is liquidated as a whole: 1,000 USD.
    pub const LIQUIDATION_DUST_MAX: u64 = 1_000_000_000;
    /// Decimals of a market's base unit.
    pub const BASE_DECIMALS_MAX: u8 = 12;
    /// Decimals of a collateral mint.
    pub const MINT_DECIMALS_MAX: u8 = 9;
    /// Decimals of the quote mint: quote native is 1e-6 USD.
    pub const QUOTE_DECIMALS: u8 = 6;
}

/// Kinds of action that an administrator may pause, as bits of [`ExchangeConfig::pauses`].
pub mod pause {
    /// Deposits of collateral and of the house.
    pub const DEPOSIT: u32 = 1 << 0;
    /// Withdrawals of collateral and of the house.
    pub const WITHDRAW: u32 = 1 << 1;
    /// Trades that open or enlarge a position. Reducing stays possible.
    pub const OPEN: u32 = 1 << 2;
    /// Every trade, reductions too.
    pub const TRADE: u32 = 1 << 3;
    /// Liquidations.
    pub const LIQUIDATE: u32 = 1 << 4;
    /// Settlement of cash.
    pub const SETTLE: u32 = 1 << 5;
    /// Every bit that has a meaning.
    pub const ALL: u32 = DEPOSIT | WITHDRAW | OPEN | TRADE | LIQUIDATE | SETTLE;
}

/// What a market or a bank accepts, as stored in `state`.
pub mod state {
    /// Everything.
    pub const ACTIVE: u8 = 0;
    /// Only what makes exposure smaller: reductions, repayments, withdrawals, liquidations.
    pub const REDUCE_ONLY: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = REDUCE_ONLY;
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
}

impl ExchangeConfig {
    /// The engine's view of the risk parameters.
    pub fn risk(&self) -> RiskParameters {
        RiskParameters {
            phi: self.phi_ppm.map(Ppm::from_raw),
            rho: self.rho_ppm.map(Ppm::from_raw),
            maintenance_ratio: Ppm::from_raw(self.maintenance_ratio_ppm),
            extreme_damping: Ppm::from_raw(limits::EXTREME_DAMPING_PPM),
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

    /// Checks every field against its range and the fields against one another.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidRiskParameters`], [`PlimsollError::InvalidLiquidationParameters`] or
    /// [`PlimsollError::InvalidPauses`].
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
        {
            return Err(PlimsollError::InvalidLiquidationParameters);
        }
        if self.pauses & !pause::ALL != 0 {
            return Err(PlimsollError::InvalidPauses);
        }
        Ok(())
    }

    /// Whether any of the given kinds of action is paused.
    pub fn is_paused(&self, kinds: u32) -> bool {
        self.pauses & kinds != 0
    }
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
    /// Shock range `s_u`: how far the price may move over the margin period, ppm of the price.
    pub range_ppm: u32,
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
    /// Fee on every trade, paid to the house, ppm of the notional.
    pub taker_fee_ppm: u32,
    /// Age up to which a price is fresh, seconds.
    pub max_age_seconds: u32,
    /// Age from which a stopped feed's last price is taken at its word by liquidations, seconds.
    pub dead_age_seconds: u32,
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
    /// The engine's view of the house's price making.
    pub fn pricing(&self) -> TradePricing {
        TradePricing {
            half_spread: Ppm::from_raw(self.half_spread_ppm),
            skew_premium: Ppm::from_raw(self.skew_premium_ppm),
            skew_scale: self.skew_scale,
            taker_fee: Ppm::from_raw(self.taker_fee_ppm),
        }
    }

    /// Checks every field against its range and the fields against one another.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidMarketParameters`].
    pub fn validate(&self) -> Result<(), PlimsollError> {
        use limits::*;
        let perp = self.perp_enabled == 1;
        let in_range = (RANGE_PPM_MIN..=RANGE_PPM_MAX).contains(&self.range_ppm)
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
    /// Share of a deposit's value that does not count for initial margin, ppm in 0..=1e6.
    pub haircut_init_ppm: u32,
    /// Share of a deposit's value that does not count for maintenance margin, ppm, at most the initial one.
    pub haircut_maint_ppm: u32,
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
    /// One of [`state`].
    pub state: u8,
    /// Zero.
    pub _padding: [u8; 3],
}

impl BankConfig {
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
        let one = Ppm::ONE.raw();
        let in_range = self.haircut_init_ppm <= one
            && self.haircut_maint_ppm <= self.haircut_init_ppm
            && self.borrow_weight_init_ppm <= one
            && self.borrow_weight_maint_ppm <= self.borrow_weight_init_ppm
            && self.max_rate_ppm <= limits::RATE_PPM_MAX
            && self.state <= state::LAST
            && self._padding == [0; 3];
        if in_range && self.rates().validate().is_ok() { Ok(()) } else { Err(PlimsollError::InvalidBankParameters) }
    }

    /// Checks what the quote bank's parameters must be besides: quote counts at its amount, as a deposit and as a borrow.
    ///
    /// # Errors
    /// [`PlimsollError::InvalidBankParameters`].
    pub fn validate_quote(&self) -> Result<(), PlimsollError> {
        let weights =
            [self.haircut_init_ppm, self.haircut_maint_ppm, self.borrow_weight_init_ppm, self.borrow_weight_maint_ppm];
        if weights == [0; 4] { Ok(()) } else { Err(PlimsollError::InvalidBankParameters) }
    }
}
