//! Everything the program can answer besides success: one cause, one code, never reused. On-chain a code is
//! `Custom(6000 + number)`; the message reaches people through the IDL and the clients.

use plimsoll_risk::Error as RiskError;

/// First code of the program's errors, after Anchor's own.
pub const ERROR_OFFSET: u32 = 6000;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $number:tt, $message:tt;)*) => {
        /// What the program answers besides success.
        #[cfg(feature = "anchor")]
        #[anchor_lang::error_code(offset = 6000)]
        #[derive(Debug, PartialEq, Eq)]
        pub enum PlimsollError {
            $(#[doc = $message] #[msg($message)] $name = $number,)*
        }

        /// What the program answers besides success.
        #[cfg(not(feature = "anchor"))]
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum PlimsollError {
            $(#[doc = $message] $name = $number,)*
        }

        impl PlimsollError {
            /// Every error, in the order of their numbers.
            pub const ALL: &'static [PlimsollError] = &[$(PlimsollError::$name),*];

            /// The code as the chain reports it. Numbers are below a thousand, so the sum does not wrap.
            pub const fn code(self) -> u32 {
                ERROR_OFFSET.wrapping_add(self as u32)
            }

            /// The error with the given code, if it is one of ours.
            pub fn from_code(code: u32) -> Option<Self> {
                Self::ALL.iter().copied().find(|error| error.code() == code)
            }

            /// The name, for logs and tests.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What is wrong and what to do.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

errors! {
    // Who may, and which accounts.
    NotAdmin = 0, "The signer is not the exchange's admin: sign with the admin key";
    NotOwner = 1, "The signer is not the owner of the margin account or ticket: only the owner may do this";
    NotOwnerOrDelegate = 2, "The signer is neither the margin account's owner nor its delegate";
    WrongExchange = 3, "An account belongs to another exchange: pass accounts of one exchange";
    WrongVault = 4, "The vault is not the bank's: pass the vault that the bank names";
    WrongMint = 5, "The mint is not the one expected: pass the bank's mint";
    WrongTokenAccount = 6, "The token account is of another mint or owner: pass one of the bank's mint";
    WrongQuoteBank = 8, "The bank is not the exchange's quote bank";
    WrongTokenProgram = 9, "The token program is not the bank's";
    MissingBank = 10, "A bank that the margin account has a balance in was not passed: pass every bank and market it uses";
    MissingMarket = 11, "A market that the margin account uses was not passed: pass every bank and market it uses";
    UnknownAccount = 12, "A remaining account is no market, price account, bank or board: pass only those, each price account after its market";
    NotWritable = 13, "An account that is to change was passed read-only: pass it writable";
    SameAccount = 14, "Taker and liquidated account are the same, or of one owner: nobody liquidates himself";
    WrongMarket = 15, "The board belongs to another market: pass the market that the board names";
    InvalidSlot = 16, "A market has board slots 0 to 7: choose one that is free";

    // States.
    Paused = 20, "This kind of action is paused by the admin: wait until it is resumed";
    MarketReduceOnly = 21, "The market only accepts trades that reduce a position";
    PerpDisabled = 22, "The market has no perpetual: it only prices collateral";
    BankReduceOnly = 23, "The bank only accepts repayments and withdrawals of deposits";
    AccountNotEmpty = 24, "The margin account still holds balances, positions or cash: withdraw, close and settle first";

    // Prices.
    OracleWrongOwner = 40, "The price account is not owned by the market's oracle program";
    OracleWrongAccount = 41, "The price account is not one of the market's format";
    OracleNotFull = 42, "The price update is only partially verified: pass one with full verification";
    OracleWrongFeed = 43, "The price account is of another feed: pass the market's feed";
    OracleNotTrading = 44, "The feed is not trading: wait until it publishes again";
    OraclePriceNotPositive = 45, "The oracle's price or average is not positive";
    OracleExponent = 46, "The oracle's exponent is outside of the supported range";
    OracleTooWide = 47, "The oracle's confidence or its gap to the average is beyond the market's limit: only reductions are accepted until it narrows";
    OracleStale = 48, "The price of a market that this depends on is too old: observe it or pass a fresh price account";
    OracleInFuture = 49, "The price's publish time is ahead of the chain's clock";
    OracleOlderThanObservation = 50, "The market has already observed a younger price: pass a newer update";
    OraclePriceOutOfRange = 51, "The price cannot be represented with the market's base decimals";
    OracleNeverObserved = 52, "The market has no observation yet: observe it first";

    // Trading.
    ZeroSize = 60, "The size is zero";
    LimitPrice = 61, "The price is worse than the limit";
    OrderExpired = 62, "The order's time has passed";
    ReduceOnlyViolated = 63, "A reduce-only order would open, enlarge or flip the position";
    HouseRiskBudget = 64, "The house's inventory would exceed the market's risk budget: trade a smaller size";
    OpenInterestLimit = 65, "The market's open interest would exceed its limit: trade a smaller size";
    NoPosition = 66, "There is no position to close";
    SkewTooLarge = 67, "The skew is so large that the price would not be positive: trade a smaller size";

    // Margin and liquidation.
    InsufficientMargin = 80, "The initial margin would be insufficient: deposit more or do less";
    AccountHealthy = 81, "The account is above its maintenance line: it cannot be liquidated";
    AccountInsolvent = 82, "The account's equity is not positive and the insurance can pay nobody to take it over: resolve it";
    TakerUnhealthy = 83, "The taker would not have the initial margin for what it takes over";
    TooManyBalances = 84, "The margin account has no free balance slot: withdraw a balance first";
    TooManyMarkets = 85, "The margin account has no free market slot: close and settle a market first";
    PaymentLimit = 86, "The payment would exceed the taker's limit";
    UnsettledGain = 87, "The withdrawal would rest on a gain that is not settled: settle it first, or withdraw less";

    // Lending.
    ZeroAmount = 100, "The amount is zero";
    DepositCap = 101, "The bank's deposit cap would be exceeded";
    BorrowCap = 102, "The bank's borrow cap would be exceeded";
    VaultInsufficient = 103, "The bank has not enough tokens that are not lent out: withdraw less or wait";
    HouseInsufficient = 104, "The house has not enough quote for this";
    HouseBudgets = 105, "The house's net asset value would fall below the sum of the markets' risk budgets";
    NothingToSettle = 106, "The account has nothing to settle in this market";
    AmountTooSmall = 107, "The amount is smaller than one share: use a larger amount";

    // Configuration.
    InvalidRiskParameters = 120, "The risk groups' parameters are invalid: phi and rho in 0..=1, rho positive semi-definite, maintenance ratio in 0.1..=1";
    InvalidLiquidationParameters = 121, "The liquidation parameters are invalid";
    InvalidMarketParameters = 122, "The market's parameters are invalid or beyond a hard ceiling";
    InvalidBankParameters = 123, "The bank's parameters are invalid or beyond a hard ceiling";
    InvalidPauses = 124, "A pause bit has no meaning";
    UnsupportedDecimals = 125, "The decimals are not supported: 6 for the quote, 0 to 9 for a collateral and at most the market's, up to 12 for a market";
    UnsupportedOracle = 126, "The oracle program is not one that the exchange accepts for this format";
    InvalidSymbol = 129, "The symbol must be 1 to 16 bytes of printable ASCII, padded with zeros";
    BankHasMarket = 130, "The quote bank is priced by no market: pass none";
    BankNeedsMarket = 131, "A collateral bank is priced by a market: pass it";
    TooMany = 132, "The exchange cannot have more banks or markets";
    InvalidExchangeParameters = 133, "The exchange's delays, quote thresholds or loss mode are invalid or beyond a hard ceiling";

    // Arithmetic and what must not happen.
    Overflow = 150, "A number does not fit: use smaller amounts";
    ClockWentBack = 151, "The chain's clock is before the last accrual";
    Corrupt = 152, "The account contradicts itself: this is a defect, please report it";

    // Boards.
    NotKeeper = 160, "The signer is neither the exchange's keeper nor its admin";
    OptionsDisabled = 161, "The market has no options: the admin enables them in its parameters";
    InvalidExpiry = 162, "A board expires at 08:00 UTC, from one hour to one year ahead";
    ExpiryTaken = 163, "The market has a board of this expiry already";
    InvalidLot = 164, "A lot of the market must be worth from 1 to 100,000 USD when strikes are listed: configure another lot";
    InvalidStrike = 165, "A strike has three digits, 100 to 999, times a power of ten, and is from a fifth of the spot to five times the spot";
    DuplicateStrike = 166, "The board has this strike already";
    StrikeInUse = 167, "The strike has open options: list the new one in another slot";
    VolatilityOutOfBounds = 168, "A volatility is too far from the market's own, or the basis is above 5 %";
    PostTooFast = 169, "The post comes too soon after the last one, or moves a volatility or the basis too far from it";
    BoardExpired = 170, "The board is past its expiry: nothing is listed or posted any more";
    BoardSettled = 171, "The board is settled: it does not change any more";
    SettlementPending = 172, "The board cannot be settled yet: wait for its expiry and for enough samples, or a day";
    BoardNotEmpty = 173, "The board has open options: wait until all accounts are settled";
    SampleRefused = 174, "The print is not in a part of the sampling window that still wants a sample";

    // Options.
    MissingBoard = 175, "A board that the margin account has options of was not passed: pass every bank, market and board it uses";
    BoardStale = 176, "The risk arrays of a board are too old or too far from the price: refresh the board first, in the same transaction";
    HouseBoardStale = 177, "What the house's options of a board are worth is too old or too far from the price: refresh the board first, in the same transaction";
    UnknownSeries = 178, "The board has no strike for this series";
    OptionExpired = 179, "The option is past its expiry: it is settled in cash";
    TooManyBoards = 181, "The margin account has no free board slot: close or settle the options of a board first";
    TooManyOptions = 182, "The margin account has no free option slot: close or settle an option first";
    TooManyLots = 183, "An account, or the house, may have 2^30 lots of one board: trade a smaller size";
    OpenLotsLimit = 184, "The series' open lots would exceed the market's limit: trade a smaller size";
    BoardNotSettled = 185, "The board is not settled yet: settle it first";

    // Volatility and funding.
    NotForecaster = 190, "The signer is neither the exchange's forecaster nor its admin";
    ForecastTooFast = 191, "The forecast is further from the last one than the market's rate limits allow: post one nearer to it";
    ForecastOutOfBounds = 192, "The forecast is below the volatility estimate or the floor, or above the cap: post one in between";
    ForecastUnused = 193, "Nothing in this market follows a volatility: its shock range is fixed and it has no options";

    // The house as a pool.
    HouseRoundOrder = 200, "The markets do not go on where the valuation of the house stands: pass all of them, or those that it wants next, in the order of their indexes";
    HouseNavStale = 201, "The house has not been valued within the last minute: value it first";
    HouseInsolvent = 202, "The house has no net asset value: nobody can join or leave it";
    TicketTooEarly = 203, "The house's valuation began before the ticket's delay was over: wait, and value it again";
    TicketExpired = 204, "The ticket was not executed in time: cancel it";
    TicketBound = 205, "The ticket's price is about to be known: it can be cancelled earlier, or when its time has passed";
    TicketExecuted = 206, "The ticket is executed: claim what came of it";
    TicketNotExecuted = 207, "The ticket is not executed yet: execute it first";
    WrongEscrow = 208, "The token account is not the house's escrow: pass the one that the house names";

    // Controls and guards.
    NewBankHasWeight = 220, "A new bank counts for nothing: create it with haircuts and borrow weights of 100 % and configure it afterwards";
    NewMarketHasRisk = 221, "A new market carries no risk: create it without a risk budget and without options and configure it afterwards";
    NotRiskAdmin = 222, "The signer is neither the exchange's admin nor its risk admin";
    OnlyTightening = 223, "The risk admin only tightens and pauses: sign with the admin key";
    ProposalWanted = 224, "The change does more than tighten: propose it, wait out the timelock, and pass the proposal";
    ProposalMismatch = 225, "The proposal is for another change: pass the one that proposes exactly this";
    TimelockRunning = 226, "The time announced has not come yet: wait until it has";
    NotNominee = 227, "The signer is not whom the admin has nominated";
    UnknownKind = 228, "The kind of change, role or health, or what stands behind it, has no meaning";
    OutflowLimit = 229, "More would leave the bank than may in one window: withdraw less, or wait until the window is over";
    QuoteDepegged = 230, "The quote is worth too little for new risk: reduce, repay, or wait until its price recovers";
    NoQuoteFeed = 231, "The exchange has no price feed of its quote";
    WindDownNotDue = 232, "The market is not winding down, or the time that was announced has not come";
    NotEmpty = 233, "Something is left in it, or it is not winding down: it can be retired when all is closed, settled and withdrawn";
    Retired = 234, "It is retired for good: create another";
    HealthAssertion = 235, "The account's health is below what the transaction asserts";
    SequenceAssertion = 236, "The account has changed since: its sequence is not the one that the transaction asserts";
    PriceAssertion = 237, "The market's price is outside of what the transaction asserts, or older";

    // The waterfall.
    ReserveInsufficient = 240, "The bank's reserve is smaller than this: buy less";
    WrongBankMarket = 241, "The market is not the one that prices the bank";
    AccountSolvent = 242, "The account has equity left: it is for the auction";
    InsuranceSuffices = 243, "The insurance can pay what is due for the account: liquidate it";
    InsolvencyTooYoung = 244, "Deposits bear a loss only when an account has been insolvent for as long as its auction lasts: flag it and wait";
    LossTooLarge = 245, "Deposits cannot bear more of this loss: fund the insurance";
    NotDeleveraging = 246, "The exchange covers losses from deposits, not by deleveraging: resolve the account";
    HouseNotSpent = 247, "The house is above its floor: resolve the account first";
    NotOpposite = 248, "The two accounts have no opposite positions in this market";
    NoGain = 249, "The counterparty has no unsettled gain in this market";
    NotMostProfitable = 250, "Another candidate has gained more per unit: deleverage that one first";
    CounterpartyUnhealthy = 251, "The counterparty would not have its initial margin and require more than before: choose another";
    WrongSysvar = 252, "The account is not the instructions sysvar";
    LiquidationNotTopLevel = 253, "A liquidation without capital begins at the top level of a transaction: do not call it from a program";
    LiquidationWithoutEnd = 254, "No later instruction of the transaction ends this account's liquidation: append end_liquidation";
    LiquidationInProgress = 255, "The account is in a liquidation without capital: until its end it may only take over, reduce, deposit and settle";
    LiquidationNotBegun = 256, "The account is in no liquidation without capital: begin one first";

    // Fills and venues.
    UnsupportedInstrument = 260, "There is no such instrument: name a perpetual, a call, a put or spot";
    FillPriceBand = 261, "The agreed price is further from the oracle's than the market allows";
    DelegatePrice = 262, "A delegate may not agree to a price that is worse than the oracle's by more than the house's half spread";
    PoorPrice = 263, "An account without its initial margin may not agree to a price that is worse than the oracle's";
    OrderSignatureMissing = 264, "The transaction's instruction of this number is no Ed25519 verification: put the order's there";
    OrderSignatureMalformed = 265, "The verification must be of one signature, with key, signature and order in its own data at the usual places";
    OrderMalformed = 266, "The signed message is not an order of this version and program";
    OrderWrongExchange = 267, "The order is for another exchange";
    OrderWrongAccount = 268, "The order is of another margin account";
    OrderWrongMarket = 269, "The order is for another market";
    OrderCancelled = 270, "The order is cancelled: its nonce is below the account's floor";
    OrderOverfilled = 271, "The order has not as much left: fill a smaller size";
    OrderNonceTaken = 272, "Another order of the account has this nonce: sign one with a nonce of its own";
    TooManyOrders = 273, "The account has too many partly filled orders: wait until one expires, or raise the floor";
    OrdersNotCrossing = 274, "The two orders are of one side, or their limits do not meet";
    OrderWrongVenue = 275, "The order may only be submitted by the venue that it names";
    OrderLifetime = 276, "A signed order expires, and within 30 days: sign one with an expiry";
    OrderMakerOnly = 277, "The order only makes: it is not filled as the taker";
    WrongOrders = 278, "The orders are of another margin account: pass the account's own";
    FloorNotRaised = 279, "The new floor is not above the old one";

    // Collateral.
    InvalidRateSource = 280, "The exchange rate's parameters are invalid: a kind, an age of 1 s to 7 days, a rise of at most 1 % a day, a feed of a program that the exchange accepts";
    RateSourceInvalid = 281, "The account is no stake pool of the bank's mint, or of a program that is not accepted";
    RateSourceInUse = 282, "The bank has deposits that count, or debts: its rate source may only change before, or while its haircut is full";
    RateNotConfigured = 283, "The bank has no exchange rate: it is priced by its market alone";
    RateWrongSource = 284, "The account is not the stake pool that the bank, or its new source, names";
    RateWrongMarket = 285, "The market is not the one that prices the bank";
    RatePoolOld = 286, "The stake pool was updated in neither this epoch nor the last: update the pool first";
    RateOutOfRange = 287, "The stake pool is empty, or its rate or the token's own price is outside of the supported range";
    RateFeedMissing = 288, "The token's own feed caps its rate: pass a price account of that feed";
    RateNeverUpdated = 289, "The bank's exchange rate was never updated, so nothing can be owed in it: update the rate first";
    RateOld = 290, "The exchange rate of the bank is too old: update it first";
    SwapCap = 291, "The house would hold more of the mint than its swap cap: swap less";
    SwapInventory = 292, "The house does not hold as much of the mint: swap less";
    InvalidAdapterParameters = 295, "The adapter's parameters are invalid: a haircut of at most 100 %, a grace of 1 second to an hour, a state with a meaning";
    NewAdapterHasCap = 296, "A new adapter carries nothing: register it with a cap of zero and configure it afterwards";
    AdapterClosed = 297, "The adapter takes no new liens";
    AdapterCap = 298, "The adapter's liens, and what it failed to deliver, would exceed its cap: claim less";
    LienRecordInvalid = 299, "The account is no lien record of the adapter's program";
    LienRecordMismatch = 300, "The lien record is of another margin account, mint or beneficiary";
    LienShort = 301, "The adapter's record holds less than the lien claims: lock more, or claim less";
    TooManyLiens = 302, "The margin account has as many liens as it may: release one first";
    LiensFirst = 303, "Liens of the account still count: seize them first, or update them once their grace is over";
    WrongAdapter = 304, "The adapter is not that of the bank or of the lien";
    WrongLienAuthority = 305, "The account is not what signs to this adapter's program";
    WrongAdapterProgram = 306, "The program is not the adapter's";
    WrongLienRecord = 307, "The record is not the lien's";
    WrongLien = 308, "The lien is of another margin account";
    AdapterAccounts = 309, "The adapter is given more accounts than are passed, or more than 16";
    LienInLiquidation = 310, "The account's liquidation has started: deposit, or flag the account once it is healthy again";

    // Stored orders and delegation.
    InvalidTrigger = 311, "The stored order is invalid: a side and a direction, a price and a size above zero, a tip of at most 100 USD, a time that is not past";
    TooManyTriggers = 312, "The margin account has no room for another stored order: cancel one first";
    NoTrigger = 313, "There is no stored order of that number and market";
    TriggerNotReached = 314, "The price has not reached what the stored order waits for";
    InvalidScope = 315, "The delegate's scope has no meaning: 0 to trade, 1 to reduce only";

    // Venues.
    VenueNotApproved = 330, "The margin account has not approved the venue";
    VenueLimit = 331, "The fill exceeds one of the venue's limits";
    VenueAllowance = 332, "The fill exceeds what the margin account allows the venue";
    VenueSuspended = 333, "The venue is suspended";
    TooManyVenues = 334, "The margin account has no free venue slot: withdraw an approval first";
    InvalidVenueParameters = 335, "The venue's parameters are invalid: window of 1 second to 30 days, a state with a meaning";
    NotVenueSigner = 336, "The signer is not the venue's: its program signs with its address of the seed plimsoll-venue";
    NotAProgram = 337, "The venue must be a program";
    VenueNotSuspended = 338, "Where there is a timelock a new venue starts suspended: register it so, and propose to make it active";

    // Mints.
    InvalidMint = 340, "The account is not an initialised mint of the SPL Token or the Token-2022 program";
    MintTransferHook = 341, "Transfers of the mint call another program, or may come to: have its hook and the hook's authority given up";
    MintPermanentDelegate = 342, "Somebody may move or burn the mint's tokens in any account, a vault too: have the permanent delegate given up";
    MintCloseAuthority = 343, "Somebody may close the mint and make it anew with other properties: have its close authority given up";
    MintFrozenByDefault = 344, "New token accounts of the mint are frozen, and its vault would be";
    MintNonTransferable = 345, "Tokens of the mint cannot be transferred";
    MintConfidential = 346, "Amounts of the mint may be hidden, so that what there is of it cannot be counted";
    MintPausable = 347, "Somebody may stop all transfers of the mint: have the pausing authority given up";
    MintScaled = 348, "The mint displays other amounts than its native ones, so that a price would be of another unit: list a wrapped mint";
    MintUnknownExtension = 349, "The mint has an extension that is not known to be harmless";
    TransferFeeTooHigh = 350, "The fee of the mint's transfers is, or will be, above 1 %: withdraw and repay, but deposit no more";
    QuoteTransferFee = 351, "Transfers of the quote mint charge a fee, or may come to: choose another quote mint";
    TransferMismatch = 352, "The token program moved another amount than the mint's terms say";

    // Fills of options and spot.
    FillWrongBoard = 356, "The board expires at another time than the option agreed on: pass the board of its expiry";

    // Layouts.
    LayoutCurrent = 360, "The account has the layout of this version: there is nothing to upgrade";
    LayoutUnknown = 361, "The account is none of the program's, or of a type whose layout never changed";
}

/// The one place where the engine's causes become the program's codes.
impl From<RiskError> for PlimsollError {
    fn from(error: RiskError) -> Self {
        use RiskError as E;
        match error {
            E::Overflow | E::IndexOverflow => Self::Overflow,
            E::PriceOwnerMismatch => Self::OracleWrongOwner,
            E::PriceLengthInvalid
            | E::PriceDiscriminatorMismatch
            | E::PriceMagicMismatch
            | E::PriceVersionUnsupported
            | E::PriceTypeMismatch => Self::OracleWrongAccount,
            E::PriceNotFullyVerified => Self::OracleNotFull,
            E::PriceFeedMismatch => Self::OracleWrongFeed,
            E::PriceNotTrading => Self::OracleNotTrading,
            E::PublishTimeInFuture => Self::OracleInFuture,
            E::PriceNotPositive | E::EmaNotPositive => Self::OraclePriceNotPositive,
            E::ExponentOutOfRange => Self::OracleExponent,
            E::PriceOutOfRange | E::EmaOutOfRange | E::ConfidenceOutOfRange => Self::OraclePriceOutOfRange,
            E::DecimalsOutOfRange => Self::UnsupportedDecimals,
            E::ForwardOutOfRange => Self::OraclePriceOutOfRange,
            E::StrikeOutOfRange => Self::InvalidStrike,
            E::VolatilityOutOfRange => Self::VolatilityOutOfBounds,
            E::ExpiryOutOfRange => Self::InvalidExpiry,
            E::LotInvalid => Self::InvalidLot,
            E::OptimalUtilisationInvalid | E::RatesNotOrdered | E::RateTooHigh | E::ReserveFactorInvalid => {
                Self::InvalidBankParameters
            }
            E::TooManyUnderlyings => Self::TooManyMarkets,
            E::IndexInvalid | E::UnknownUnderlying | E::FractionInvalid => Self::Corrupt,
            E::GroupOutOfRange | E::RangeTooLarge | E::ConfidenceMultiplierTooLarge => Self::InvalidMarketParameters,
            E::HalfSpreadTooLarge | E::SkewPremiumTooLarge | E::SkewScaleZero | E::TakerFeeTooLarge => {
                Self::InvalidMarketParameters
            }
            E::PhiInvalid | E::RhoInvalid | E::RhoNotPositiveSemiDefinite | E::MaintenanceRatioInvalid => {
                Self::InvalidRiskParameters
            }
            E::ExtremeDampingInvalid => Self::InvalidRiskParameters,
            E::MaintenanceRangeTooLarge
            | E::ConcentrationInvalid
            | E::ShortMinimumInvalid
            | E::VolatilityShockInvalid
            | E::OptionRangeInvalid
            | E::VolatilityBoundsInvalid
            | E::HalfLifeInvalid
            | E::JumpLimitInvalid
            | E::SamplingInvalid
            | E::RangeParametersInvalid
            | E::ForecastParametersInvalid => Self::InvalidMarketParameters,
            E::HaircutsInvalid | E::BorrowWeightsInvalid => Self::InvalidBankParameters,
            E::StakePoolInvalid | E::StakePoolMintMismatch => Self::RateSourceInvalid,
            E::ExchangeRateOutOfRange => Self::RateOutOfRange,
            E::OptionsOutOfOrder | E::LogarithmOfZero | E::AccountSolvent => Self::Corrupt,
            E::ForecastTooFast => Self::ForecastTooFast,
            E::ForecastOutOfBounds => Self::ForecastOutOfBounds,
            // No instruction gives these.
            E::DiscountFactorInvalid | E::OptionPriceOutOfRange => Self::Corrupt,
            E::ArraysOutOfReach | E::ArraysTooOld => Self::BoardStale,
            E::TooManyLots => Self::TooManyLots,
            E::ExponentTooLarge => Self::Overflow,
            E::AccountInsolvent => Self::AccountInsolvent,
            E::NotLiquidatable => Self::AccountHealthy,
            E::DiscountInvalid | E::BufferInvalid | E::DurationInvalid | E::RewardInvalid => {
                Self::InvalidLiquidationParameters
            }
            E::SizeZero => Self::ZeroSize,
            E::MarginalPriceNotPositive => Self::SkewTooLarge,
        }
    }
}
