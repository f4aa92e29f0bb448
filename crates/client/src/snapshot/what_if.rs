//! What an account would be after a trade, as the chain would leave it.

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::MarginAccount,
    address,
    instruction::{CloseOptionArgs, ClosePositionArgs, OpenOptionArgs, OpenPositionArgs, SwapArgs},
};
use plimsoll_risk::{
    math,
    portfolio::Margin,
    units::{Base, Ppm, Price},
};
use solana_instruction::Instruction;

use super::{LiquidationPrices, Snapshot};
use crate::{
    Error, Keyed,
    effect::{Effect, Traded, balance, orders, settlement, swap},
};

/// Something that the owner of a margin account can do with it, with what the instruction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// `deposit`.
    Deposit {
        /// The mint.
        mint: Address,
        /// Native units that arrive in the vault: of a mint that withholds a fee, less than what is sent.
        amount: u64,
    },
    /// `withdraw`; beyond the deposit a borrow.
    Withdraw {
        /// The mint.
        mint: Address,
        /// Native units that leave the vault, [`u64::MAX`] for the whole deposit.
        amount: u64,
    },
    /// `open_position`.
    OpenPosition {
        /// The market.
        market: Address,
        /// The order.
        args: OpenPositionArgs,
    },
    /// `close_position`.
    ClosePosition {
        /// The market.
        market: Address,
        /// The order.
        args: ClosePositionArgs,
    },
    /// `open_option`.
    OpenOption {
        /// The board.
        board: Address,
        /// The order.
        args: OpenOptionArgs,
    },
    /// `close_option`.
    CloseOption {
        /// The board.
        board: Address,
        /// The order.
        args: CloseOptionArgs,
    },
    /// `swap` of a collateral against quote.
    Swap {
        /// The collateral's mint.
        mint: Address,
        /// The order.
        args: SwapArgs,
    },
    /// `settle` of the cash in a market.
    Settle {
        /// The market.
        market: Address,
    },
    /// `settle_option` of the options of a settled board.
    SettleOption {
        /// The board.
        board: Address,
    },
}

/// Orders at any price. What is sent should have a limit: [`WhatIf::with_slippage`] makes one of what came out.
impl Trade {
    /// Opens, enlarges or turns a position: base units to buy, negative to sell.
    pub fn position(market: Address, size: i64) -> Self {
        let args = OpenPositionArgs { size, limit_price: any_price(size > 0), expires_at: 0, reduce_only: 0 };
        Self::OpenPosition { market, args }
    }

    /// Closes at most `size` base units of a position; `is_long` says of which.
    pub fn close(market: Address, size: u64, is_long: bool) -> Self {
        Self::ClosePosition {
            market,
            args: ClosePositionArgs { size, limit_price: any_price(!is_long), expires_at: 0 },
        }
    }

    /// Opens, enlarges or turns a position in a series of a board: lots to buy, negative to sell.
    pub fn option(board: Address, series: u8, lots: i64) -> Self {
        let args = OpenOptionArgs { series, lots, limit_price: any_price(lots > 0), expires_at: 0, reduce_only: 0 };
        Self::OpenOption { board, args }
    }

    /// Buys (positive) or sells native units of a collateral for quote.
    pub fn swap(mint: Address, amount: i64) -> Self {
        let limit_amount = if amount > 0 { u64::MAX } else { 0 };
        Self::Swap { mint, args: SwapArgs { amount, limit_amount, expires_at: 0 } }
    }

    /// How much is traded: native units, base units or lots, whichever way; zero for settlements.
    pub fn size(&self) -> u64 {
        match self {
            Self::Deposit { amount, .. } | Self::Withdraw { amount, .. } => *amount,
            Self::OpenPosition { args, .. } => args.size.unsigned_abs(),
            Self::ClosePosition { args, .. } => args.size,
            Self::OpenOption { args, .. } => args.lots.unsigned_abs(),
            Self::CloseOption { args, .. } => args.lots,
            Self::Swap { args, .. } => args.amount.unsigned_abs(),
            Self::Settle { .. } | Self::SettleOption { .. } => 0,
        }
    }

    /// The same trade the same way, of another size; of settlements, which have none, a copy.
    #[must_use]
    pub fn with_size(&self, size: u64) -> Self {
        let signed = |like: i64| {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            if like < 0 { -size } else { size }
        };
        let mut trade = *self;
        match &mut trade {
            Self::Deposit { amount, .. } | Self::Withdraw { amount, .. } => *amount = size,
            Self::OpenPosition { args, .. } => args.size = signed(args.size),
            Self::ClosePosition { args, .. } => args.size = size,
            Self::OpenOption { args, .. } => args.lots = signed(args.lots),
            Self::CloseOption { args, .. } => args.lots = size,
            Self::Swap { args, .. } => args.amount = signed(args.amount),
            Self::Settle { .. } | Self::SettleOption { .. } => {}
        }
        trade
    }
}

/// The limit that every price is within.
fn any_price(buys: bool) -> u64 {
    if buys { u64::MAX } else { 0 }
}

/// What a trade is made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The market's price, Q16.48 quote native per base unit.
    pub spot: Price,
    /// What one base unit is worth without any charge: spot, or an option's Black-76 price. Q16.48.
    pub mid_price: Price,
    /// What one base unit costs or brings, spread and premium included and the fee not. Q16.48.
    pub average_price: Price,
    /// Base units bought, negative for a sale: of an option its lots times their size.
    pub base: i64,
    /// What is paid without the fee, quote native; negative for what is received.
    pub cost: i64,
    /// The fee, quote native.
    pub fee: u64,
    /// What the cost is beyond the worth at [`Self::mid_price`], quote native: half the spread and the premium for skew, or
    /// the charges on an option. Negative where the trade earns more premium than it pays spread.
    pub charge: i64,
    /// The part of [`Self::charge`] that the house's skew makes, quote native: negative for who takes it away. Zero for
    /// options, whose charges do not part.
    pub premium: i64,
}

impl Execution {
    fn of(traded: &Traded, half_spread: Option<Ppm>) -> Option<Self> {
        let mid_price = Price::from_raw(traded.mid_price);
        let (cost, base) = (traded.quote.cost.raw(), Base::from_raw(traded.base));
        let charge = cost.checked_sub(mid_price.value_ceil(base)?.raw())?;
        let premium = match half_spread {
            Some(half_spread) => {
                let spread = math::mul_ppm_ceil(mid_price.magnitude_ceil(base)?, half_spread)?;
                charge.checked_sub_unsigned(spread)?
            }
            None => 0,
        };
        Some(Self {
            spot: traded.observation.spot,
            mid_price,
            average_price: traded.quote.average_price,
            base: traded.base,
            cost,
            fee: traded.quote.fee.unsigned_abs(),
            charge,
            premium,
        })
    }
}

/// What an account would be after a trade.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The trade.
    pub trade: Trade,
    /// Why the chain would refuse it; `None` where it would accept it.
    pub refused: Option<PlimsollError>,
    /// Whether [`Self::account`], [`Self::snapshot`] and [`Self::margin`] show the trade: they do where it is accepted, and
    /// where only the account's margin refuses it.
    pub is_applied: bool,
    /// The account afterwards, byte for byte.
    pub account: MarginAccount,
    /// What of the exchange the account and the trade depend on, as the trade leaves it.
    pub snapshot: Snapshot,
    /// The margin before; `None` where it cannot be told, for an old board or a price that is wrong.
    pub margin_before: Option<Margin>,
    /// The margin afterwards; `None` where it cannot be told.
    pub margin: Option<Margin>,
    /// At what price, for what trades at one.
    pub execution: Option<Execution>,
}

impl WhatIf {
    /// Whether the chain would accept the trade.
    pub fn is_accepted(&self) -> bool {
        self.refused.is_none()
    }

    /// The refusal in words.
    pub fn reason(&self) -> Option<String> {
        self.refused.map(|error| Error::Program(error).to_string())
    }

    /// Where the account would be liquidated after the trade.
    ///
    /// # Errors
    /// As [`Snapshot::liquidation_prices`].
    pub fn liquidation_prices(&self) -> Result<Vec<LiquidationPrices>, Error> {
        self.snapshot.liquidation_prices(&self.account)
    }

    /// The trade with a limit: `slippage` worse than what came out, as a part of it. Trades without a price, or that came
    /// to none, stay as they are.
    #[must_use]
    pub fn with_slippage(&self, slippage: Ppm) -> Trade {
        let mut trade = self.trade;
        let Some(execution) = self.execution else { return trade };
        let limit = |value: u64, buys: bool| {
            let slack = math::mul_ppm_ceil(value, slippage).unwrap_or(u64::MAX);
            if buys { value.saturating_add(slack) } else { value.saturating_sub(slack) }
        };
        let (price, buys) = (execution.average_price.raw(), execution.base > 0);
        match &mut trade {
            Trade::OpenPosition { args, .. } => args.limit_price = limit(price, buys),
            Trade::ClosePosition { args, .. } => args.limit_price = limit(price, buys),
            Trade::OpenOption { args, .. } => args.limit_price = limit(price, buys),
            Trade::CloseOption { args, .. } => args.limit_price = limit(price, buys),
            Trade::Swap { args, .. } => {
                let outlay = execution.cost.saturating_add_unsigned(execution.fee);
                args.limit_amount = limit(outlay.unsigned_abs(), buys);
            }
            Trade::Deposit { .. } | Trade::Withdraw { .. } | Trade::Settle { .. } | Trade::SettleOption { .. } => {}
        }
        trade
    }
}

/// Trades before they are made.
impl Snapshot {
    /// What `account` would be after `trade`, made by its owner now, with the price accounts of this snapshot: to the unit what
    /// the chain would leave and say. Boards count as they are: where one is old, put its refresh before
    /// ([`Self::refreshed`]).
    ///
    /// What the token program refuses is not looked at: the wallet's balance, a mint's fee that is above what is accepted.
    ///
    /// # Errors
    /// [`Error::Missing`] for what is not in the snapshot: a bank, market, board, the house, or the price account that a
    /// trade declares.
    pub fn what_if(&self, account: &MarginAccount, trade: &Trade) -> Result<WhatIf, Error> {
        let margin_before = self.margin(account).ok();
        let mut snapshot = self.around(account, trade)?;
        let mut after = *account;
        let effect = snapshot.make(&mut after, trade);
        let (is_applied, refused, traded) = match effect {
            Ok(Effect { execution, refused }) => (true, refused, execution),
            Err(refused) => {
                after = *account;
                (false, Some(refused), None)
            }
        };
        let margin = snapshot.margin(&after).ok();
        let execution = traded.and_then(|traded| Execution::of(&traded, self.half_spread(trade)));
        Ok(WhatIf { trade: *trade, refused, is_applied, account: after, snapshot, margin_before, margin, execution })
    }

    /// The instruction of a trade, signed by `authority`; `wallet` is the token account that pays a deposit or receives a
    /// withdrawal.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Program`], as those of the single instructions.
    pub fn instruction(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        trade: &Trade,
        wallet: Address,
    ) -> Result<Instruction, Error> {
        match trade {
            Trade::Deposit { mint, amount } => self.deposit(authority, &account.address, mint, wallet, *amount),
            Trade::Withdraw { mint, amount } => self.withdraw(account, mint, wallet, *amount),
            Trade::OpenPosition { market, args } => self.open_position(authority, account, market, *args),
            Trade::ClosePosition { market, args } => self.close_position(authority, account, market, *args),
            Trade::OpenOption { board, args } => self.open_option(authority, account, board, *args),
            Trade::CloseOption { board, args } => self.close_option(authority, account, board, *args),
            Trade::Swap { mint, args } => self.swap(authority, account, mint, *args),
            Trade::Settle { market } => Ok(self.settle(&account.address, market)),
            Trade::SettleOption { board } => self.settle_option(&account.address, board),
        }
    }

    /// Makes a trade: changes this snapshot and `account` as the program would. After an error either may be half changed.
    fn make(&mut self, account: &mut MarginAccount, trade: &Trade) -> Result<Effect, PlimsollError> {
        let bank = |snapshot: &Self, mint: &Address| address::bank(&snapshot.exchange.address, mint);
        match trade {
            Trade::Deposit { mint, amount } => {
                let bank = bank(self, mint);
                balance::deposit(self, account, &bank, *amount)
            }
            Trade::Withdraw { mint, amount } => {
                let bank = bank(self, mint);
                balance::withdraw(self, account, &bank, *amount)
            }
            Trade::OpenPosition { market, args } => orders::open(self, account, market, args),
            Trade::ClosePosition { market, args } => orders::close(self, account, market, args),
            Trade::OpenOption { board, args } => orders::open_option(self, account, board, args),
            Trade::CloseOption { board, args } => orders::close_option(self, account, board, args),
            Trade::Swap { mint, args } => {
                let bank = bank(self, mint);
                swap::swap(self, account, &bank, args)
            }
            Trade::Settle { market } => settlement::settle(self, account, market),
            Trade::SettleOption { board } => settlement::settle_option(self, account, board),
        }
    }

    /// Half the spread of a trade's market, relative to spot; `None` for an option's.
    fn half_spread(&self, trade: &Trade) -> Option<Ppm> {
        let market = match trade {
            Trade::OpenPosition { market, .. } | Trade::ClosePosition { market, .. } => *market,
            Trade::Swap { mint, .. } => self.banks.get(&address::bank(&self.exchange.address, mint))?.market,
            _ => return None,
        };
        Some(self.markets.get(&market)?.config.pricing().half_spread)
    }

    /// The part of the snapshot that an account and a trade depend on.
    fn around(&self, account: &MarginAccount, trade: &Trade) -> Result<Self, Error> {
        let mut part = self.part_of(account);
        match trade {
            Trade::Deposit { mint, .. } | Trade::Withdraw { mint, .. } => drop(part.take_bank(self, mint)?),
            Trade::OpenPosition { market, .. } | Trade::ClosePosition { market, .. } => {
                self.price_of(market)?;
                part.take_market(self, market)?;
            }
            Trade::OpenOption { board, .. } | Trade::CloseOption { board, .. } => {
                let market = part.take_board(self, board)?;
                self.price_of(&market)?;
            }
            Trade::Swap { mint, .. } => {
                let market = part.take_bank(self, mint)?;
                self.price_of(&market)?;
                part.take_quote(self)?;
            }
            Trade::Settle { market } => {
                part.take_market(self, market)?;
                part.take_quote(self)?;
            }
            Trade::SettleOption { board } => drop(part.take_board(self, board)?),
        }
        Ok(part)
    }

    /// The part of the snapshot that an account depends on; what is missing is missing.
    pub(super) fn part_of(&self, account: &MarginAccount) -> Self {
        let mut part = Self {
            exchange: self.exchange,
            house: self.house,
            banks: Default::default(),
            markets: Default::default(),
            boards: Default::default(),
            prices: Default::default(),
            now: self.now,
        };
        for slot in account.balances.iter().filter(|slot| slot.in_use == 1) {
            part.banks.extend(self.banks.get_key_value(&slot.bank));
        }
        for slot in account.markets.iter().filter(|slot| slot.in_use == 1) {
            part.markets.extend(self.markets.get_key_value(&slot.market));
            part.prices.extend(self.prices.get(&slot.market).map(|price| (slot.market, price.clone())));
        }
        for slot in account.boards.iter().filter(|slot| slot.in_use == 1) {
            part.boards.extend(self.boards.get_key_value(&slot.board));
        }
        part
    }

    /// Adds a bank and the market that prices it, and says which that is.
    fn take_bank(&mut self, whole: &Self, mint: &Address) -> Result<Address, Error> {
        let address = address::bank(&whole.exchange.address, mint);
        let bank = whole.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?;
        self.banks.insert(address, *bank);
        if bank.is_quote == 0 {
            self.take_market(whole, &bank.market)?;
        }
        Ok(bank.market)
    }

    fn take_market(&mut self, whole: &Self, address: &Address) -> Result<(), Error> {
        let missing = Error::Missing { what: "market in the snapshot", address: *address };
        self.markets.insert(*address, *whole.markets.get(address).ok_or(missing)?);
        self.prices.extend(whole.prices.get(address).map(|price| (*address, price.clone())));
        Ok(())
    }

    /// Adds a board and its market, and says which that is.
    fn take_board(&mut self, whole: &Self, address: &Address) -> Result<Address, Error> {
        let board = *whole.board_of(address)?;
        self.boards.insert(*address, board);
        self.take_market(whole, &board.market)?;
        Ok(board.market)
    }

    /// Adds the quote bank; the house is there.
    fn take_quote(&mut self, whole: &Self) -> Result<(), Error> {
        let address = address::house(&whole.exchange.address);
        whole.house.as_ref().ok_or(Error::Missing { what: "house", address })?;
        self.banks.insert(whole.exchange.data.quote_bank, *whole.quote_bank()?);
        Ok(())
    }
}
