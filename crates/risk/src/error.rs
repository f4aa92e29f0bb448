//! One cause, one code. Numbers are part of the interface and are never reused.
use core::fmt;

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $text:literal;)+) => {
        /// Why the engine refused. The doc of each variant says what to do about it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Error {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl Error {
            /// Every error, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The rule that was broken, in a few words.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// The stable number of this error.
            pub const fn code(self) -> u32 {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

errors! {
    /// An amount, a sum or a requirement does not fit 64 bits, or a value of one underlying is above the engine's
    /// largest. Make the position or the amount smaller.
    Overflow = 1, "a value must be within the engine's range";
    /// An interest index would pass 65536. Wind the bank down: its index has no room left.
    IndexOverflow = 2, "an interest index must stay below 65536";

    /// The account is not owned by the price program that the market expects. Pass the market's own price account.
    PriceOwnerMismatch = 10, "a price account must be owned by the configured price program";
    /// The account's length is not that of a price account of the expected kind. Pass the market's price account.
    PriceLengthInvalid = 11, "a price account must have its kind's length";
    /// The account does not begin as a `PriceUpdateV2` does. Pass the market's price account.
    PriceDiscriminatorMismatch = 12, "a price update must begin with its discriminator";
    /// The update was not verified by the full guardian set. Post it again with full verification.
    PriceNotFullyVerified = 13, "a price update must be fully verified";
    /// The update is for another feed. Pass the market's price account.
    PriceFeedMismatch = 14, "a price update must be of the market's feed";
    /// The account does not begin with the legacy magic number. Pass the market's price account.
    PriceMagicMismatch = 15, "a legacy price account must begin with its magic number";
    /// The legacy account has another version than 2. No reader for it exists here.
    PriceVersionUnsupported = 16, "a legacy price account must be version 2";
    /// The legacy account is a mapping or a product, not a price. Pass the price account.
    PriceTypeMismatch = 17, "a legacy account must be a price account";
    /// The legacy feed is not trading now. Wait until it is.
    PriceNotTrading = 18, "a legacy price must be trading";
    /// The publish time is more than 10 s ahead of the clock. Wait for the next update.
    PublishTimeInFuture = 19, "a publish time must not be in the future";
    /// The price is zero or negative. Wait for the next update.
    PriceNotPositive = 20, "a price must be positive";
    /// The exponent is outside -18 ..= 0. The feed cannot be used.
    ExponentOutOfRange = 21, "a price exponent must be between -18 and 0";
    /// The market's base decimals are above 18. Configure the market with fewer.
    DecimalsOutOfRange = 22, "base decimals must be at most 18";
    /// The price per base unit is below 2^20 or above 2^64 - 1 raw units. Configure other base decimals.
    PriceOutOfRange = 23, "a price must be representable to 1e-6";
    /// The moving average is zero or negative. Wait for the next update.
    EmaNotPositive = 24, "a moving average price must be positive";
    /// The moving average per base unit does not fit the price domain. Configure other base decimals.
    EmaOutOfRange = 25, "a moving average price must be representable to 1e-6";
    /// The confidence interval does not fit a price. Wait for the next update.
    ConfidenceOutOfRange = 26, "a confidence interval must fit a price";

    /// The optimal utilisation is zero or above one. Choose one in between.
    OptimalUtilisationInvalid = 40, "optimal utilisation must be above 0 and at most 1";
    /// The rates do not rise: base, optimal, max. Order them.
    RatesNotOrdered = 41, "rates must rise from base through optimal to max";
    /// The maximal rate is above the engine's ceiling. Lower it.
    RateTooHigh = 42, "a rate must not be above the ceiling";
    /// The reserve factor is above one. Lower it.
    ReserveFactorInvalid = 43, "a reserve factor must be at most 1";
    /// An index is below one. It was never initialised.
    IndexInvalid = 44, "a borrow index must be at least 1, a deposit index at least 2^-16";

    /// The portfolio has 16 underlyings already. Close one first.
    TooManyUnderlyings = 60, "a portfolio must have at most 16 underlyings";
    /// There is no underlying with this number in the portfolio.
    UnknownUnderlying = 61, "an underlying must be in the portfolio";
    /// A market's risk group is not one of the 8. Configure the market.
    GroupOutOfRange = 62, "a risk group must be below 8";
    /// A shock range is above 100 %. Configure the market.
    RangeTooLarge = 63, "a shock range must be at most 1";
    /// A confidence multiplier is above 10. Configure the market.
    ConfidenceMultiplierTooLarge = 64, "a confidence multiplier must be at most 10";
    /// A group's credit for correlation is above one. Lower it.
    PhiInvalid = 65, "phi must be at most 1";
    /// A correlation between groups is above one. Lower it.
    RhoInvalid = 66, "rho must be at most 1";
    /// The correlation matrix has an eigenvalue below -1e-5. Choose correlations that can exist together.
    RhoNotPositiveSemiDefinite = 67, "rho must be positive semi-definite";
    /// The maintenance ratio is zero or above one. Choose one in between.
    MaintenanceRatioInvalid = 68, "the maintenance ratio must be above 0 and at most 1";
    /// A shock range towards maint is above the one towards init. Configure the market.
    MaintenanceRangeTooLarge = 69, "a range towards maint must be at most the range towards init";
    /// The damping of extreme moves is above a third. Lower it.
    ExtremeDampingInvalid = 70, "the damping of extreme moves must be at most 1/3";
    /// The options of one underlying were given twice, or out of the order of the underlyings. Sum them first.
    OptionsOutOfOrder = 71, "options must be given once for each underlying, in order";
    /// The haircuts do not rise with the bank's total and from maint to init, or one is above one. Order them.
    HaircutsInvalid = 72, "haircuts must rise with the total and from maint to init, to at most 1";
    /// The borrow weights do not rise from maint to init, or one is above one. Order them.
    BorrowWeightsInvalid = 73, "borrow weights must rise from maint to init, to at most 1";
    /// The charge for concentration is above one. Lower it.
    ConcentrationInvalid = 74, "a concentration charge must be at most 1";
    /// The short-option minimum is above 10 %. Lower it.
    ShortMinimumInvalid = 75, "a short-option minimum must be at most 0.1";
    /// The volatility shocks are outside what the grid computes with. Choose others.
    VolatilityShockInvalid = 76, "volatility shocks must be within the grid's domain";

    /// The equity is zero or negative. The account goes through the waterfall, not through liquidation.
    AccountInsolvent = 80, "an account to liquidate must have equity above 0";
    /// The account is at or above its maintenance line. Leave it alone.
    NotLiquidatable = 81, "an account to liquidate must be below its maintenance line";
    /// The discounts do not rise, or the largest is above 50 %. Choose others.
    DiscountInvalid = 82, "discounts must rise and be at most 0.5";
    /// The buffer is above one. Lower it.
    BufferInvalid = 83, "a liquidation buffer must be at most 1";
    /// The auction's duration is negative or above one day. Choose another.
    DurationInvalid = 84, "an auction must last between 0 s and one day";
    /// A fraction is above one. Pass what the engine returned.
    FractionInvalid = 85, "a fraction must be at most 1";
    /// The account has equity left. Liquidate it, the waterfall is for accounts that have none.
    AccountSolvent = 86, "an insolvent account must have no equity";
    /// The rewards do not rise, or the largest is above the engine's ceiling. Choose others.
    RewardInvalid = 87, "rewards must rise and be at most 0.5";

    /// The size is zero. Trade something.
    SizeZero = 100, "a trade must have a size";
    /// The half spread is above 10 %. Lower it.
    HalfSpreadTooLarge = 101, "a half spread must be at most 0.1";
    /// The skew premium is above 10 %. Lower it.
    SkewPremiumTooLarge = 102, "a skew premium must be at most 0.1";
    /// The skew scale is zero. Choose the open interest at which the full premium is due.
    SkewScaleZero = 103, "a skew scale must be above 0";
    /// The taker fee is above 10 %. Lower it.
    TakerFeeTooLarge = 104, "a taker fee must be at most 0.1";
    /// Spread and premium together reach the price itself. Make the trade smaller.
    MarginalPriceNotPositive = 105, "a marginal price must be positive";

    /// A logarithm of zero. Pass a number above zero.
    LogarithmOfZero = 120, "a logarithm needs a number above 0";
    /// The exponential does not fit. Pass a smaller exponent.
    ExponentTooLarge = 121, "an exponential must fit its result";

    /// The forward is outside the price domain. The market cannot be priced.
    ForwardOutOfRange = 130, "a forward must be within the price domain";
    /// The strike is above 50 times the forward or below 1/50 of it; in risk arrays, below 1/4096. Choose another series.
    StrikeOutOfRange = 131, "a strike must be between 1/50 (in risk arrays 1/4096) and 50 times the forward";
    /// The volatility is not between 1 % and 500 %. Post another.
    VolatilityOutOfRange = 132, "a volatility must be between 0.01 and 5";
    /// The time to expiry is not between one second and two years. The series cannot be priced.
    ExpiryOutOfRange = 133, "a time to expiry must be between 1 s and 2 years";
    /// The discount factor is zero or above one. Configure the board.
    DiscountFactorInvalid = 134, "a discount factor must be above 0 and at most 1";
    /// No volatility within the domain gives this option price. Quote another price.
    OptionPriceOutOfRange = 135, "an option price must be one that a volatility gives";

    /// The shock range of an underlying with options is not between 0.1 % and 80 %. Configure the market.
    OptionRangeInvalid = 150, "the range of an underlying with options must be between 0.001 and 0.8";
    /// A lot is worth too little or too much for the risk arrays. Configure the board with another lot.
    LotInvalid = 151, "a lot must be worth between 0.01 and 100 million quote";
    /// The price or the range has moved out of the reach of the risk arrays. Refresh the board first.
    ArraysOutOfReach = 152, "risk arrays must reach the current price and range";
    /// The risk arrays are too old for their time to expiry. Refresh the board first.
    ArraysTooOld = 153, "risk arrays must be young against their time to expiry";
    /// A board has more than 2^30 lots, long and short together. Make the position smaller.
    TooManyLots = 154, "a board's positions must be at most 2^30 lots";

    /// The floor of a volatility is above its cap, or outside 1 % ..= 500 %. Order them.
    VolatilityBoundsInvalid = 170, "a volatility's floor and cap must be ordered and between 0.01 and 5";
    /// The half life of the estimate is outside its limits. Choose another.
    HalfLifeInvalid = 171, "a half life must be between 10 minutes and 90 days";
    /// The limit of a jump is outside its limits. Choose another.
    JumpLimitInvalid = 172, "a jump limit must be between 2 and 20 standard deviations";
    /// The sampling times are not ordered. Choose others.
    SamplingInvalid = 173, "the time between samples must be above 0 and at most the longest gap";
    /// The confidence level, margin period or range limits are outside their limits. Choose others.
    RangeParametersInvalid = 174, "the parameters of a range must be within the engine's limits";
    /// The forecast's rate limits, expiry or ramp are outside their limits. Choose others.
    ForecastParametersInvalid = 175, "the parameters of forecasts must be within the engine's limits";
    /// The forecast is further from the last one than the rate limits allow. Post one nearer to it.
    ForecastTooFast = 176, "a forecast must stay within its rate limits";
    /// The forecast is below the floor or the estimate, or above the cap. Post one in between.
    ForecastOutOfBounds = 177, "a forecast must be between the estimate and the cap";

    /// The account is no stake pool. Pass the bank's stake pool.
    StakePoolInvalid = 200, "a stake pool account must be of its type and length";
    /// The stake pool issues another token. Pass the pool of the bank's mint.
    StakePoolMintMismatch = 201, "a stake pool must issue the bank's mint";
    /// The pool is empty, or its rate is not between 1/16 and 16. The token cannot be priced by it.
    ExchangeRateOutOfRange = 202, "an exchange rate must be between 1/16 and 16";
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}
