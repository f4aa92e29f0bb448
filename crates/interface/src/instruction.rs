//! Instructions: their one-byte discriminators and their arguments. The accounts that each wants are in the program's
//! file of the same name, and the client's builders pass them.

use solana_address::Address;

use crate::config::{BankConfig, ExchangeConfig, MarketConfig};

/// First byte of the instruction data.
pub mod tag {
    /// See the program's `create_exchange`.
    pub const CREATE_EXCHANGE: u8 = 0;
    /// See the program's `configure_exchange`.
    pub const CONFIGURE_EXCHANGE: u8 = 1;
    /// See the program's `create_market`.
    pub const CREATE_MARKET: u8 = 2;
    /// See the program's `configure_market`.
    pub const CONFIGURE_MARKET: u8 = 3;
    /// See the program's `create_bank`.
    pub const CREATE_BANK: u8 = 4;
    /// See the program's `configure_bank`.
    pub const CONFIGURE_BANK: u8 = 5;
    /// See the program's `create_house`.
    pub const CREATE_HOUSE: u8 = 6;
    /// See the program's `house_deposit`.
    pub const HOUSE_DEPOSIT: u8 = 7;
    /// See the program's `house_withdraw`.
    pub const HOUSE_WITHDRAW: u8 = 8;
    /// See the program's `create_account`.
    pub const CREATE_ACCOUNT: u8 = 9;
    /// See the program's `set_delegate`.
    pub const SET_DELEGATE: u8 = 10;
    /// See the program's `close_account`.
    pub const CLOSE_ACCOUNT: u8 = 11;
    /// See the program's `deposit`.
    pub const DEPOSIT: u8 = 12;
    /// See the program's `withdraw`.
    pub const WITHDRAW: u8 = 13;
    /// See the program's `open_position`.
    pub const OPEN_POSITION: u8 = 14;
    /// See the program's `close_position`.
    pub const CLOSE_POSITION: u8 = 15;
    /// See the program's `observe`.
    pub const OBSERVE: u8 = 16;
    /// See the program's `accrue`.
    pub const ACCRUE: u8 = 17;
    /// See the program's `settle`.
    pub const SETTLE: u8 = 18;
    /// See the program's `flag_liquidation`.
    pub const FLAG_LIQUIDATION: u8 = 19;
    /// See the program's `liquidate`.
    pub const LIQUIDATE: u8 = 20;
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
        /// Pyth feed id; for a legacy price account, its address.
        feed_id: [u8; 32],
        /// The program that owns the price account: one of the receivers, or the legacy oracle.
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
    /// Arguments of `create_account`.
    CreateAccountArgs {
        /// Which of the owner's accounts this is.
        index: u16,
    }
}
args! {
    /// Arguments of `set_delegate`.
    SetDelegateArgs {
        /// Who may trade for the owner, zero for nobody.
        delegate: Address,
    }
}
args! {
    /// Arguments of `deposit`, `house_deposit` and `house_withdraw`.
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
