//! Account layouts. Every account is an 8-byte discriminator followed by one `repr(C)` struct without padding, read in
//! place on-chain and off. Sizes are asserted below the structs and the offsets that clients read are held by tests.
//!
//! Who writes a field is said with the field. Amounts called native are the mint's smallest unit; quote native is
//! 1e-6 USD; base units are a market's 10^-base_decimals.

use plimsoll_risk::{
    price::Observation,
    units::{Index, Price, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    config::{BankConfig, ExchangeConfig, MarketConfig},
};

/// Collateral mints that one margin account may hold or owe.
pub const MAX_BALANCES: usize = 16;
/// Distinct markets that one margin account may depend on, by a position or by a collateral.
pub const MAX_MARKETS: usize = plimsoll_risk::portfolio::MAX_UNDERLYINGS;
/// [`BalanceSlot::market_slot`] of a quote balance, which no market prices.
pub const NO_MARKET: u8 = u8::MAX;
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
    /// Room for roles, timelock, venues and the quote feed.
    pub _reserved: [u8; 512],
}
account_type!(Exchange, [30, 200, 220, 149, 3, 61, 104, 50], 832);

/// One underlying: its feed and last observation, its shock range, and its perpetual with the house's inventory.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Market {
    /// Parameters, written by `configure_market`.
    pub config: MarketConfig,
    /// Last observed spot price, Q16.48 quote native per base unit. Zero until first observed. Written by `observe` and
    /// by every trade.
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
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Pyth feed id; for a legacy price account, the address of that account.
    pub feed_id: [u8; 32],
    /// The program that must own the price account.
    pub oracle_owner: Address,
    /// Name for people, UTF-8 padded with zeros: `SOL`.
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
    /// Zero.
    pub _padding: [u8; 2],
    /// Room for funding, volatility and option boards.
    pub _reserved: [u8; 512],
}
account_type!(Market, [219, 190, 213, 55, 0, 227, 198, 154], 768);

/// Formats of a price account, as stored in [`Market::oracle_kind`].
pub mod oracle_kind {
    /// `PriceUpdateV2` of the Pyth receiver and push-oracle programs.
    pub const PRICE_UPDATE_V2: u8 = 0;
    /// Price account of the legacy Pyth program.
    pub const LEGACY: u8 = 1;
    /// The largest value with a meaning.
    pub const LAST: u8 = LEGACY;
}

impl Market {
    /// The stored observation.
    #[inline(always)]
    pub fn observation(&self) -> Observation {
        Observation {
            spot: Price::from_raw(self.spot),
            ema: Price::from_raw(self.ema),
            confidence: Price::from_raw(self.confidence),
            publish_time: Timestamp::from_raw(self.publish_time),
        }
    }

    /// Stores an observation, unless the stored one is younger.
    ///
    /// # Errors
    /// [`PlimsollError::OracleOlderThanObservation`].
    pub fn record(&mut self, observation: &Observation) -> Result<(), PlimsollError> {
        if observation.publish_time.raw() < self.publish_time {
            return Err(PlimsollError::OracleOlderThanObservation);
        }
        self.spot = observation.spot.raw();
        self.ema = observation.ema.raw();
        self.confidence = observation.confidence.raw();
        self.publish_time = observation.publish_time.raw();
        Ok(())
    }
}

/// One collateral mint: its vault, interest indexes, haircuts and caps.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct Bank {
    /// Parameters, written by `configure_bank`.
    pub config: BankConfig,
    /// Native amount per deposit share, Q16.48, only ever rising. Written by every accrual.
    pub deposit_index: u64,
    /// Native amount per borrow share, Q16.48, only ever rising. Written by every accrual.
    pub borrow_index: u64,
    /// Sum of all deposit shares: margin accounts' and the house's.
    pub deposit_shares: u64,
    /// Sum of all borrow shares.
    pub borrow_shares: u64,
    /// Native tokens in the vault by our own count. Tokens sent to the vault from outside are not in it.
    pub vault_amount: u64,
    /// Native amount of interest kept for the exchange.
    pub reserve: u64,
    /// When interest was last accrued, unix seconds.
    pub accrued_at: i64,
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
    /// Decimals of the market's base unit minus those of the mint: amounts scale up by this power of ten.
    pub scale_decimals: u8,
    /// 1 for the quote bank, otherwise 0.
    pub is_quote: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the vault's address.
    pub vault_bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Room for exchange rates of staked tokens, outflow limits and liens.
    pub _reserved: [u8; 256],
}
account_type!(Bank, [142, 49, 166, 242, 50, 66, 97, 188], 544);

impl Bank {
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

/// The pool that is the counterparty of every trade. Its inventory lives in the markets.
#[cfg_attr(feature = "anchor", anchor_lang::account)]
#[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable))]
#[derive(Debug, PartialEq, Eq)]
pub struct House {
    /// Deposit shares of the quote bank. Written by house deposit and withdraw and by `settle`.
    pub quote_shares: u64,
    /// Sum of the risk budgets of all markets, quote native. Written by `create_market` and `configure_market`.
    pub risk_budget_total: u64,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 6],
    /// Room for the share mint, the delay queue and the stored NAV.
    pub _reserved: [u8; 256],
}
account_type!(House, [21, 145, 94, 109, 254, 199, 210, 151], 320);

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
    /// Zero.
    pub _padding: [u8; 6],
    /// Room for the funding index.
    pub _reserved: [u8; 8],
}

impl MarketSlot {
    /// Whether nothing is left in the slot.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.size == 0 && self.cash == 0 && self.balances == 0
    }
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
    /// When the account was first seen below its line in the running auction, unix seconds; zero when it is not in one.
    pub liquidation_started_at: i64,
    /// When it was last seen below its line in the running auction, unix seconds.
    pub liquidation_seen_at: i64,
    /// The exchange it belongs to.
    pub exchange: Address,
    /// Whose it is. May do everything.
    pub owner: Address,
    /// May trade and deposit, never withdraw. Zero for nobody.
    pub delegate: Address,
    /// Which of its owner's accounts this is: part of its address.
    pub index: u16,
    /// Bump of the address.
    pub bump: u8,
    /// Layout version, 1.
    pub version: u8,
    /// Zero.
    pub _padding: [u8; 4],
    /// Room for options, triggers, venue approvals and the sequence number.
    pub _reserved: [u8; 2048],
}
account_type!(MarginAccount, [133, 220, 173, 213, 179, 211, 43, 238], 3968);

/// Slots, and what follows from what is in them.
impl MarginAccount {
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
        *slot = BalanceSlot { bank: *bank, shares: 0, in_use: 1, market_slot, _padding: [0; 6] };
        Ok(index)
    }

    /// Frees the balance at `index` if nothing is left in it, and its market's slot likewise.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] where the slots contradict one another.
    pub fn release_balance(&mut self, index: usize) -> Result<(), PlimsollError> {
        let slot = self.balances.get_mut(index).ok_or(PlimsollError::Corrupt)?;
        if slot.in_use == 0 || slot.shares != 0 {
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

    /// Whether a signer may deposit, trade and liquidate for the account: its owner or its delegate.
    pub fn may_trade(&self, signer: &Address) -> bool {
        same_address(signer, &self.owner) || same_address(signer, &self.delegate)
    }

    /// Whether the account has nothing to lose but its deposits: no borrow, no position, no negative cash.
    pub fn has_no_liability(&self) -> bool {
        self.balances.iter().all(|slot| slot.shares >= 0)
            && self.markets.iter().all(|slot| slot.size == 0 && slot.cash >= 0)
    }

    /// Whether every slot is free.
    pub fn is_empty(&self) -> bool {
        self.balances.iter().all(|slot| slot.in_use == 0) && self.markets.iter().all(|slot| slot.in_use == 0)
    }
}
