//! Trades as people write them, for `plimsoll trade` and `plimsoll what-if` alike.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use plimsoll_client::{
    Keyed, Snapshot,
    accounts::MarginAccount,
    interface::instruction::CloseOptionArgs,
    risk::{black::OptionKind, units::Ppm},
    snapshot::{Trade, WhatIf},
};

use crate::{context::Context, failure::Refusal, select};

/// What to trade.
#[derive(Subcommand)]
pub enum Order {
    /// Buy or sell a perpetual.
    #[command(after_help = "Examples:
  plimsoll trade perp buy 2.5 SOL
  plimsoll trade perp sell 0.1 BTC --limit 64000 --reduce-only
  plimsoll what-if perp buy 100 SOL --max")]
    Perp(PerpArgs),
    /// Buy or sell an option.
    #[command(after_help = "Examples:
  plimsoll trade option buy 5 SOL 2027-03-26 160 call
  plimsoll what-if option sell 10 SOL 2027-03-26 120 put --json")]
    Option(OptionArgs),
    /// Swap a collateral for dollars, or dollars for it, against the house.
    #[command(after_help = "Examples:
  plimsoll trade swap sell 3 SOL
  plimsoll trade swap buy 0.01 BTC --slippage 0.2%")]
    Swap(SwapArgs),
    /// Close a position, or a part of it; of an option where expiry, strike and kind are given.
    #[command(after_help = "Examples:
  plimsoll trade close SOL
  plimsoll trade close SOL --size 1
  plimsoll trade close SOL 2027-03-26 160 call")]
    Close(CloseArgs),
    /// Move a market's cash to or from the dollar balance.
    #[command(after_help = "Example:
  plimsoll trade settle SOL")]
    Settle(SettleArgs),
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Pay dollars.
    Buy,
    /// Receive dollars.
    Sell,
}

impl Side {
    fn signed(self, amount: u64) -> Result<i64> {
        let amount = i64::try_from(amount)?;
        Ok(if self == Self::Buy { amount } else { -amount })
    }
}

/// A call or a put.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

impl From<Kind> for OptionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Call => Self::Call,
            Kind::Put => Self::Put,
        }
    }
}

/// What every order has.
#[derive(Args)]
pub struct Terms {
    /// The margin account: its address, or its number among your own.
    #[arg(short, long, default_value = "0")]
    pub account: String,
    /// Worst average price, in dollars per whole unit; of a swap the most to pay or least to receive in all.
    #[arg(long, value_name = "USD", conflicts_with = "slippage")]
    limit: Option<String>,
    /// How much worse than now the price may be.
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    slippage: String,
    /// Void after this time: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

/// An order for a perpetual.
#[derive(Args)]
pub struct PerpArgs {
    /// Which way.
    side: Side,
    /// In whole units of the underlying.
    size: String,
    /// Symbol or address of the market.
    market: String,
    /// Only make a position smaller.
    #[arg(long)]
    reduce_only: bool,
    #[command(flatten)]
    terms: Terms,
}

/// An order for an option.
#[derive(Args)]
pub struct OptionArgs {
    /// Which way.
    side: Side,
    /// In whole units of the underlying, a multiple of the board's lot.
    size: String,
    /// Symbol or address of the market.
    market: String,
    /// Day of the expiry, slot, or address of the board.
    expiry: String,
    /// Strike in dollars.
    strike: String,
    /// Which kind.
    kind: Kind,
    /// Only make a position smaller.
    #[arg(long)]
    reduce_only: bool,
    #[command(flatten)]
    terms: Terms,
}

/// A swap.
#[derive(Args)]
pub struct SwapArgs {
    /// Which way: buy or sell the token.
    side: Side,
    /// In whole tokens.
    amount: String,
    /// Symbol or mint.
    token: String,
    #[command(flatten)]
    terms: Terms,
}

/// What to close.
#[derive(Args)]
pub struct CloseArgs {
    /// Symbol or address of the market.
    market: String,
    /// Day of the option's expiry, slot, or address of the board.
    #[arg(requires = "strike")]
    expiry: Option<String>,
    /// The option's strike in dollars.
    #[arg(requires = "kind")]
    strike: Option<String>,
    /// The option's kind.
    kind: Option<Kind>,
    /// How much, in whole units of the underlying [default: all].
    #[arg(long)]
    size: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

/// What to settle.
#[derive(Args)]
pub struct SettleArgs {
    /// Symbol or address of the market.
    market: String,
    /// The margin account: its address, or its number among your own.
    #[arg(short, long, default_value = "0")]
    account: String,
}

/// An order that is understood: of which account, and what the chain would make of it.
pub struct Prepared {
    /// The account as it is.
    pub account: Keyed<MarginAccount>,
    /// The exchange with its boards refreshed, as the transaction will see it.
    pub snapshot: Snapshot,
    /// The outcome, with the order's limits.
    pub what_if: WhatIf,
}

impl Order {
    fn account(&self) -> &str {
        match self {
            Self::Perp(args) => &args.terms.account,
            Self::Option(args) => &args.terms.account,
            Self::Swap(args) => &args.terms.account,
            Self::Close(args) => &args.terms.account,
            Self::Settle(args) => &args.account,
        }
    }

    fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Perp(args) => Some(&args.terms),
            Self::Option(args) => Some(&args.terms),
            Self::Swap(args) => Some(&args.terms),
            Self::Close(args) => Some(&args.terms),
            Self::Settle(_) => None,
        }
    }

    /// Finds what the order names and computes what the chain would make of it.
    ///
    /// # Errors
    /// What is not there; what the cluster refuses. That the chain would refuse the order is no error.
    pub fn prepare(&self, context: &Context) -> Result<Prepared> {
        let fetched = context.snapshot()?;
        let account = select::account(context, &fetched.exchange.address, self.account())?;
        let trade = self.trade(&fetched, &account.data)?;
        let snapshot = fetched.refreshed()?;
        let free = snapshot.what_if(&account.data, &trade)?;
        let mut trade = match self.terms() {
            Some(terms) => free.with_slippage(Ppm::from_raw(select::share(&terms.slippage)?)),
            None => free.trade,
        };
        if let Some(terms) = self.terms() {
            set_terms(&mut trade, terms, &fetched)?;
        }
        let what_if = snapshot.what_if(&account.data, &trade)?;
        Ok(Prepared { account, snapshot: fetched, what_if })
    }

    /// The order at any price.
    fn trade(&self, snapshot: &Snapshot, account: &MarginAccount) -> Result<Trade> {
        match self {
            Self::Perp(args) => {
                let (market, found) = select::market(snapshot, &args.market)?;
                let size = args.side.signed(select::amount(&args.size, found.base_decimals)?)?;
                let mut trade = Trade::position(market, size);
                if let Trade::OpenPosition { args: order, .. } = &mut trade {
                    order.reduce_only = args.reduce_only.into();
                }
                Ok(trade)
            }
            Self::Option(args) => {
                let (market, found) = select::market(snapshot, &args.market)?;
                let (board, listed) = select::board(snapshot, &market, &args.expiry)?;
                let series = select::series(listed, found.base_decimals, &args.strike, args.kind.into())?;
                let lots = lots(&args.size, found.base_decimals, listed.lot)?;
                let mut trade = Trade::option(board, series, args.side.signed(lots)?);
                if let Trade::OpenOption { args: order, .. } = &mut trade {
                    order.reduce_only = args.reduce_only.into();
                }
                Ok(trade)
            }
            Self::Swap(args) => {
                let (_, bank) = select::bank(snapshot, &args.token)?;
                Ok(Trade::swap(bank.mint, args.side.signed(select::amount(&args.amount, bank.decimals)?)?))
            }
            Self::Close(args) => close(args, snapshot, account),
            Self::Settle(args) => Ok(Trade::Settle { market: select::market(snapshot, &args.market)?.0 }),
        }
    }
}

fn close(args: &CloseArgs, snapshot: &Snapshot, account: &MarginAccount) -> Result<Trade> {
    let (market, found) = select::market(snapshot, &args.market)?;
    let (Some(expiry), Some(strike), Some(kind)) = (&args.expiry, &args.strike, args.kind) else {
        let size = args.size.as_deref().map_or(Ok(u64::MAX), |size| select::amount(size, found.base_decimals))?;
        let position = account.markets.iter().find(|slot| slot.in_use == 1 && slot.market == market);
        return Ok(Trade::close(market, size, position.is_some_and(|slot| slot.size > 0)));
    };
    let (board, listed) = select::board(snapshot, &market, expiry)?;
    let series = select::series(listed, found.base_decimals, strike, kind.into())?;
    let lots = args.size.as_deref().map_or(Ok(u64::MAX), |size| lots(size, found.base_decimals, listed.lot))?;
    let slot = account.boards.iter().position(|slot| slot.in_use == 1 && slot.board == board);
    let held = slot.and_then(|slot| {
        let is_it = |option: &&plimsoll_client::accounts::OptionSlot| {
            option.lots != 0 && usize::from(option.board_slot) == slot && option.series == series
        };
        account.options.iter().find(is_it).map(|option| option.lots)
    });
    let limit_price = if held.is_some_and(|lots| lots < 0) { u64::MAX } else { 0 };
    Ok(Trade::CloseOption { board, args: CloseOptionArgs { lots, limit_price, expires_at: 0, series } })
}

/// A size in whole units as lots.
fn lots(size: &str, base_decimals: u8, lot: u64) -> Result<u64> {
    let base = select::amount(size, base_decimals)?;
    match base.checked_div(lot).filter(|lots| lots.checked_mul(lot) == Some(base)) {
        Some(lots) => Ok(lots),
        None => {
            let lot = plimsoll_migrations::fields::decimal(u128::from(lot), base_decimals);
            Err(Refusal::Usage(format!("{size} is no whole number of lots of {lot}")).into())
        }
    }
}

/// Limit and expiry as the order says them.
fn set_terms(trade: &mut Trade, terms: &Terms, snapshot: &Snapshot) -> Result<()> {
    let seconds = terms.expires.as_deref().map(crate::commands::events::duration).transpose()?;
    let void_at = seconds.map_or(0, |seconds| snapshot.now.saturating_add(seconds));
    let decimals = |market| snapshot.markets.get(market).map_or(0, |market| market.base_decimals);
    let (limit, expires_at, decimals) = match trade {
        Trade::OpenPosition { market, args } => (&mut args.limit_price, &mut args.expires_at, decimals(market)),
        Trade::ClosePosition { market, args } => (&mut args.limit_price, &mut args.expires_at, decimals(market)),
        Trade::OpenOption { board, args } => {
            (&mut args.limit_price, &mut args.expires_at, decimals(&snapshot.boards[board].market))
        }
        Trade::CloseOption { board, args } => {
            (&mut args.limit_price, &mut args.expires_at, decimals(&snapshot.boards[board].market))
        }
        Trade::Swap { args, .. } => {
            args.expires_at = void_at;
            if let Some(limit) = &terms.limit {
                args.limit_amount = select::amount(limit, 6)?;
            }
            return Ok(());
        }
        Trade::Deposit { .. } | Trade::Withdraw { .. } | Trade::Settle { .. } | Trade::SettleOption { .. } => {
            return Ok(());
        }
    };
    *expires_at = void_at;
    if let Some(text) = &terms.limit {
        *limit = select::price(text, decimals)?;
    }
    Ok(())
}
