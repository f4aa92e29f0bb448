//! Instructions: their one-byte discriminators and their arguments. The accounts that each wants are in the program's
//! `instructions` folder, and the client's builders pass them.

use solana_address::Address;

use crate::{
    accounts::{MAX_PROPOSAL, MAX_STRIKES},
    config::{AdapterConfig, BankConfig, ExchangeConfig, MarketConfig, RateSource, VenueConfig, limits},
};

/// Declares the instructions' tags, and their list.
macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        /// First byte of the instruction data. Each is the program's instruction of that name.
        #[allow(missing_docs)]
        pub mod tag {
            $(pub const $name: u8 = $number;)*

            /// Every instruction there is, in the order of their tags.
            pub const ALL: &[u8] = &[$($name),*];
            /// Their names, in the same order.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

tags! {
    CREATE_EXCHANGE = 0,
    CONFIGURE_EXCHANGE = 1,
    CREATE_MARKET = 2,
    CONFIGURE_MARKET = 3,
    CREATE_BANK = 4,
    CONFIGURE_BANK = 5,
    CREATE_HOUSE = 6,
    CREATE_ACCOUNT = 9,
    SET_DELEGATE = 10,
    CLOSE_ACCOUNT = 11,
    DEPOSIT = 12,
    WITHDRAW = 13,
    OPEN_POSITION = 14,
    CLOSE_POSITION = 15,
    OBSERVE = 16,
    ACCRUE = 17,
    SETTLE = 18,
    FLAG_LIQUIDATION = 19,
    LIQUIDATE = 20,

    // Boards and options.
    CREATE_BOARD = 21,
    LIST_STRIKES = 22,
    POST_VOLATILITIES = 23,
    REFRESH_BOARD = 24,
    SAMPLE_EXPIRY = 25,
    SETTLE_BOARD = 26,
    CLOSE_BOARD = 27,
    OPEN_OPTION = 28,
    CLOSE_OPTION = 29,
    SETTLE_OPTION = 30,

    // Volatility and funding.
    POST_FORECAST = 31,
    ACCRUE_FUNDING = 32,

    // The house as a pool.
    VALUE_HOUSE = 35,
    REQUEST_PROVIDE = 36,
    REQUEST_REDEEM = 37,
    EXECUTE_TICKET = 38,
    CANCEL_TICKET = 39,
    CLAIM_TICKET = 40,

    // Controls and guards.
    NOMINATE_ADMIN = 45,
    ACCEPT_ADMIN = 46,
    SET_ROLE = 47,
    PROPOSE = 48,
    CANCEL_PROPOSAL = 49,
    SET_PAUSES = 50,
    WIND_DOWN_POSITION = 51,
    RETIRE_MARKET = 52,
    RETIRE_BANK = 53,
    OBSERVE_QUOTE = 54,
    ASSERT_HEALTH = 55,
    ASSERT_SEQUENCE = 56,
    ASSERT_PRICE = 57,
    SET_QUOTE_FEED = 58,

    // The waterfall.
    FUND_INSURANCE = 61,
    BUY_RESERVE = 62,
    RESOLVE = 63,
    DELEVERAGE = 64,
    BEGIN_LIQUIDATION = 65,
    END_LIQUIDATION = 66,

    // Fills and venues.
    FILL = 71,
    FILL_ORDERS = 72,
    REGISTER_VENUE = 73,
    SET_VENUE_APPROVAL = 74,
    VENUE_FILL = 75,
    CREATE_ORDERS = 76,
    CANCEL_ORDERS = 77,
    CONFIGURE_VENUE = 78,

    // Collateral.
    UPDATE_RATE = 81,
    SET_RATE_SOURCE = 82,
    SWAP = 83,
    REGISTER_ADAPTER = 84,
    CONFIGURE_ADAPTER = 85,
    OPEN_LIEN = 86,
    UPDATE_LIEN = 87,
    RELEASE_LIEN = 88,
    SEIZE_LIEN = 89,

    // Layouts.
    UPGRADE_ACCOUNT = 91,

    // Stored orders.
    PLACE_TRIGGER = 93,
    CANCEL_TRIGGER = 94,
    EXECUTE_TRIGGER = 95,
}

macro_rules! args {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[cfg_attr(
            feature = "anchor",
            derive(anchor_lang::AnchorSerialize, anchor_lang::AnchorDeserialize, anchor_lang::IdlType)
        )]
        #[cfg_attr(feature = "client", derive(borsh::BorshSerialize, borsh::BorshDeserialize))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

args! {
    /// Arguments of `create_exchange`.
    CreateExchangeArgs {
        /// Which of the creator's exchanges this is.
        index: u16,
        /// Its parameters.
        config: ExchangeConfig,
    }
}
args! {
    /// Arguments of `configure_exchange`.
    ConfigureExchangeArgs {
        /// The parameters that replace the old ones.
        config: ExchangeConfig,
    }
}
args! {
    /// Arguments of `create_market`.
    CreateMarketArgs {
        /// Name for people, ASCII padded with zeros.
        symbol: [u8; 16],
        /// Pyth feed id; for a legacy price account, its address; for house shares, the house.
        feed_id: [u8; 32],
        /// The program that owns the price account: one of the receivers, the legacy oracle, or for house shares this
        /// program.
        oracle_owner: Address,
        /// One of [`crate::accounts::oracle_kind`].
        oracle_kind: u8,
        /// Decimals of the base unit, 0 to 12.
        base_decimals: u8,
        /// Its parameters.
        config: MarketConfig,
    }
}
args! {
    /// Arguments of `configure_market`.
    ConfigureMarketArgs {
        /// The parameters that replace the old ones.
        config: MarketConfig,
    }
}
args! {
    /// Arguments of `create_bank`.
    CreateBankArgs {
        /// Its parameters.
        config: BankConfig,
    }
}
args! {
    /// Arguments of `configure_bank`.
    ConfigureBankArgs {
        /// The parameters that replace the old ones.
        config: BankConfig,
    }
}
args! {
    /// Arguments of `nominate_admin`.
    NominateAdminArgs {
        /// Who may become the admin, zero to take a nomination back.
        nominee: Address,
    }
}
args! {
    /// Arguments of `set_role`.
    SetRoleArgs {
        /// One of [`crate::config::role`].
        role: u8,
        /// Who holds it from now on, zero for nobody.
        holder: Address,
    }
}
args! {
    /// Arguments of `propose`.
    ProposeArgs {
        /// One of [`crate::change::kind`].
        kind: u8,
        /// [`crate::change::Change::content`].
        content: [u8; MAX_PROPOSAL],
    }
}
args! {
    /// Arguments of `set_pauses`.
    SetPausesArgs {
        /// Kinds of action to pause, bits of [`crate::config::pause`].
        set: u32,
        /// Kinds of action to resume; one that is in both is paused.
        clear: u32,
    }
}
args! {
    /// Arguments of `set_quote_feed`.
    SetQuoteFeedArgs {
        /// One of [`crate::accounts::oracle_kind`].
        oracle_kind: u8,
        /// Pyth feed id of the quote against the dollar; for a legacy price account, its address.
        feed_id: [u8; 32],
        /// The program that owns the price account, zero for no feed.
        oracle_owner: Address,
    }
}
args! {
    /// Arguments of `assert_health`.
    AssertHealthArgs {
        /// 0 for initial health, 1 for maintenance.
        kind: u8,
        /// Least health accepted, quote native.
        minimum: i64,
    }
}
args! {
    /// Arguments of `assert_sequence`.
    AssertSequenceArgs {
        /// The account's sequence as it must be.
        sequence: u64,
    }
}
args! {
    /// Arguments of `assert_price`.
    AssertPriceArgs {
        /// Lowest price accepted, Q16.48 quote native per base unit.
        minimum: u64,
        /// Highest price accepted, Q16.48 quote native per base unit.
        maximum: u64,
        /// Oldest price accepted, seconds.
        max_age_seconds: u32,
    }
}
args! {
    /// Arguments of `create_account`.
    CreateAccountArgs {
        /// Which of the owner's accounts this is.
        index: u16,
    }
}
args! {
    /// Arguments of `set_delegate`.
    SetDelegateArgs {
        /// Who may act for the owner, zero for nobody.
        delegate: Address,
        /// What it may do, one of [`crate::accounts::delegate_scope`].
        scope: u8,
    }
}
args! {
    /// Arguments of `deposit` and `fund_insurance`.
    AmountArgs {
        /// Native amount of the mint.
        amount: u64,
    }
}
args! {
    /// Arguments of `withdraw`.
    WithdrawArgs {
        /// Native amount of the mint. [`u64::MAX`] withdraws the whole deposit and borrows nothing.
        amount: u64,
    }
}
args! {
    /// Arguments of `open_position`.
    OpenPositionArgs {
        /// Base units to buy, negative to sell.
        size: i64,
        /// Worst average price accepted, spread and premium included and the fee not, Q16.48 quote native per base unit.
        limit_price: u64,
        /// Unix seconds after which the order is void, zero for never.
        expires_at: i64,
        /// Whether the trade may only make the position smaller.
        reduce_only: u8,
    }
}
args! {
    /// Arguments of `close_position`.
    ClosePositionArgs {
        /// Base units to close at most; [`u64::MAX`] closes all.
        size: u64,
        /// Worst average price accepted, as in [`OpenPositionArgs`].
        limit_price: u64,
        /// Unix seconds after which the order is void, zero for never.
        expires_at: i64,
    }
}
args! {
    /// Arguments of `liquidate`.
    LiquidateArgs {
        /// Largest fraction of the account to take over, Q32; the closed form is used where it is smaller.
        max_fraction: u64,
        /// Largest payment accepted, quote native.
        max_payment: u64,
    }
}
args! {
    /// Arguments of `create_board`.
    CreateBoardArgs {
        /// When the options expire, unix seconds: 08:00 UTC of a day.
        expiry: i64,
        /// Which of the market's boards this is, below [`crate::accounts::MAX_MARKET_BOARDS`].
        slot: u8,
    }
}
args! {
    /// A strike in decimal: `digits * 10^exponent` USD for one whole unit of the underlying.
    ///
    /// Three digits are the tick: steps of 0.1 % to 1 % of the price, as venues have them, at every price from BONK's to
    /// BTC's, and one way only to write a strike, so that two listings of one price are the same number to the bit.
    StrikePrice {
        /// 100 to 999; zero leaves the slot as it is.
        digits: u16,
        /// Power of ten, -12 to 12.
        exponent: i8,
    }
}
args! {
    /// Arguments of `list_strikes`.
    ListStrikesArgs {
        /// What each slot of the board gets.
        strikes: [StrikePrice; MAX_STRIKES],
    }
}
args! {
    /// Arguments of `post_volatilities`.
    PostVolatilitiesArgs {
        /// Volatility of each strike, ppm a year; what stands at a free slot is not looked at.
        volatilities_ppm: [u32; MAX_STRIKES],
        /// The forward over spot less one, ppm.
        basis_ppm: i32,
    }
}
args! {
    /// Arguments of `refresh_board`.
    RefreshBoardArgs {
        /// How many strikes to compute at most; zero for all.
        max_strikes: u8,
    }
}
args! {
    /// Arguments of `request_provide` and `request_redeem`.
    RequestArgs {
        /// Which of the owner's tickets this is.
        index: u16,
        /// Quote native to provide, or house shares to redeem.
        amount: u64,
    }
}
args! {
    /// Arguments of `open_option`.
    OpenOptionArgs {
        /// Lots to buy, negative to sell.
        lots: i64,
        /// Worst average price accepted, spread and premium included and the fee not, Q16.48 quote native per base unit of
        /// the underlying.
        limit_price: u64,
        /// Unix seconds after which the order is void, zero for never.
        expires_at: i64,
        /// Series of the board: `2 i` for the call of strike `i`, `2 i + 1` for its put.
        series: u8,
        /// Whether the trade may only make the position smaller.
        reduce_only: u8,
    }
}
args! {
    /// Arguments of `close_option`.
    CloseOptionArgs {
        /// Lots to close at most; [`u64::MAX`] closes all.
        lots: u64,
        /// Worst average price accepted, as in [`OpenOptionArgs`].
        limit_price: u64,
        /// Unix seconds after which the order is void, zero for never.
        expires_at: i64,
        /// Series of the board.
        series: u8,
    }
}
args! {
    /// Arguments of `buy_reserve`.
    BuyReserveArgs {
        /// Native amount of the bank's mint; [`u64::MAX`] buys the whole reserve.
        amount: u64,
        /// Largest payment accepted, quote native.
        max_payment: u64,
    }
}
args! {
    /// Arguments of `deleverage`.
    DeleverageArgs {
        /// Base units to close at most; [`u64::MAX`] closes as much as both have.
        size: u64,
    }
}
args! {
    /// Arguments of `place_trigger`.
    PlaceTriggerArgs {
        /// Oracle price that the order waits for, Q16.48 quote native per base unit.
        trigger_price: u64,
        /// Worst average price accepted then, as in [`OpenPositionArgs`]; 0 for any sale, [`u64::MAX`] for any purchase.
        limit_price: u64,
        /// Base units to close at most; [`u64::MAX`] closes all.
        size: u64,
        /// What whoever executes it gets, quote native.
        tip: u64,
        /// Unix seconds after which it is void, zero for never.
        expires_at: i64,
        /// One of [`crate::accounts::trigger_side`].
        side: u8,
        /// One of [`crate::accounts::trigger_when`].
        when: u8,
    }
}
args! {
    /// Arguments of `cancel_trigger` and `execute_trigger`.
    TriggerArgs {
        /// Number of the stored order.
        index: u8,
    }
}
args! {
    /// Arguments of `register_adapter` and `configure_adapter`.
    AdapterArgs {
        /// Its limits.
        config: AdapterConfig,
    }
}
args! {
    /// Arguments of `open_lien`.
    OpenLienArgs {
        /// Native amount to claim.
        amount: u64,
    }
}
args! {
    /// Arguments of `release_lien`.
    ReleaseLienArgs {
        /// Native amount to give up; [`u64::MAX`] for all.
        amount: u64,
        /// How many of the accounts passed last are for the adapter's program.
        adapter_accounts: u8,
    }
}
args! {
    /// Arguments of `seize_lien`.
    SeizeLienArgs {
        /// How many of the accounts passed last are for the adapter's program.
        adapter_accounts: u8,
    }
}
args! {
    /// Arguments of `set_rate_source`.
    SetRateSourceArgs {
        /// Where the rate is read from now on.
        source: RateSource,
    }
}
args! {
    /// Arguments of `swap`.
    SwapArgs {
        /// Native amount of the mint to buy, negative to sell.
        amount: i64,
        /// Most quote to pay or least to receive, fee included, quote native.
        limit_amount: u64,
        /// Unix seconds after which the order is void, zero for never.
        expires_at: i64,
    }
}

/// What is filled between two accounts.
pub mod instrument {
    /// The market's perpetual.
    pub const PERP: u8 = 0;
    /// A call of one of the market's boards: [`super::Contract`] says which.
    pub const CALL: u8 = 1;
    /// A put of one of the market's boards.
    pub const PUT: u8 = 2;
    /// A balance of a bank that the market prices, against quote.
    pub const SPOT: u8 = 3;

    /// Whether it is a call or a put.
    pub const fn is_option(instrument: u8) -> bool {
        instrument == CALL || instrument == PUT
    }
}

args! {
    /// Which call or put is traded, by its terms: not by its place in an account, which another may have tomorrow.
    Contract {
        /// The day that it expires on, at 08:00 UTC, counted from 1970-01-01; zero for what is no option.
        expiry_day: u16,
        /// Its strike, as listed; zero for what is no option.
        strike: StrikePrice,
    }
}

impl Contract {
    /// That of what is no option.
    pub const NONE: Self = Self { expiry_day: 0, strike: StrikePrice { digits: 0, exponent: 0 } };
    /// Seconds of a day.
    const DAY: i64 = 86_400;

    /// When it expires, unix seconds.
    pub const fn expiry(&self) -> i64 {
        // A 16-bit day is below 2^33 seconds.
        (self.expiry_day as i64).wrapping_mul(Self::DAY).wrapping_add(limits::EXPIRY_SECOND_OF_DAY)
    }

    /// The day of an expiry, `None` where it is none that a board can have.
    pub fn day_of(expiry: i64) -> Option<u16> {
        let day = expiry.checked_sub(limits::EXPIRY_SECOND_OF_DAY)?;
        if day.checked_rem_euclid(Self::DAY)? == 0 { u16::try_from(day.checked_div(Self::DAY)?).ok() } else { None }
    }
}

args! {
    /// Arguments of `fill` and `venue_fill`.
    FillArgs {
        /// One of [`instrument`].
        instrument: u8,
        /// 1 where the seller takes and pays the fee, 0 where the buyer does.
        seller_takes: u8,
        /// What the buyer receives: base units of a perpetual, lots of an option, native units of a bank's mint.
        size: u64,
        /// Agreed price, Q16.48 quote native per base unit of the market: of an option its premium.
        price: u64,
        /// Unix seconds after which the agreement is void, zero for never.
        expires_at: i64,
        /// Which option, [`Contract::NONE`] for what is none.
        contract: Contract,
    }
}
args! {
    /// Arguments of `fill_orders`.
    FillOrdersArgs {
        /// What to fill: base units, lots of an option, native units of a bank's mint.
        size: u64,
        /// Which of the transaction's instructions verifies the maker's order.
        maker_instruction: u8,
        /// Which of them verifies the taker's; not read where the submitter takes in its own name.
        taker_instruction: u8,
    }
}
args! {
    /// Arguments of `cancel_orders`.
    CancelOrdersArgs {
        /// Orders with a nonce below this are void from now on.
        floor: u64,
    }
}
args! {
    /// Arguments of `register_venue` and `configure_venue`.
    VenueArgs {
        /// Its limits and state.
        config: VenueConfig,
    }
}
args! {
    /// Arguments of `set_venue_approval`.
    SetVenueApprovalArgs {
        /// Notional that the venue may fill for the account from now on, quote native; zero withdraws the approval,
        /// [`u64::MAX`] sets no limit.
        limit: u64,
    }
}
args! {
    /// Arguments of `post_forecast`.
    PostForecastArgs {
        /// Volatility, ppm a year.
        volatility_ppm: u32,
    }
}
