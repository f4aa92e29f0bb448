//! Trades before they are made: margins afterwards, largest sizes, prices of liquidation, stress and payoff.

use plimsoll_client::{
    Address, Error, Keyed, Snapshot, Trade, WhatIf,
    interface::bridge::Inputs,
    risk::units::{Ppm, Price},
    snapshot::{Execution, LiquidationMove, LiquidationPrices, MaxSize, Payoff, Stress},
};
use serde::Serialize;
use tsify::Tsify;

use super::{account::AccountView, price_usd, risk::MarginView, symbol};
use crate::{
    state::{OptionQuote, State},
    words::ErrorWords,
};

/// What an account would be after a trade.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct WhatIfView {
    /// Why the chain would refuse it; `undefined` where it would accept it.
    pub refused: Option<ErrorWords>,
    /// Whether what follows shows the trade: where it is accepted, or where only the margin refuses it.
    pub is_applied: bool,
    /// The margin before; `undefined` where it cannot be told, for an old board or a price that is wrong.
    pub margin_before: Option<MarginView>,
    /// The margin afterwards, likewise.
    pub margin: Option<MarginView>,
    /// At what price, for what trades at one.
    pub execution: Option<ExecutionView>,
    /// The worst price (of a swap, amount) that is within the slippage asked for: what the order should carry; `undefined` for what
    /// has no price.
    pub limit: Option<u64>,
    /// The account afterwards.
    pub account: AccountView,
    /// Where it would be liquidated afterwards, by market.
    pub liquidation_prices: Vec<LiquidationView>,
}

/// What a trade is made at.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct ExecutionView {
    /// The oracle's price, dollars.
    pub spot_usd: f64,
    /// What a whole unit is worth without any charge, dollars.
    pub mid_usd: f64,
    /// What a whole unit costs or brings, spread and premium included and the fee not, dollars.
    pub average_usd: f64,
    /// The same, Q16.48 quote native per base unit.
    pub average_price: u64,
    /// Base units bought, negative for a sale.
    pub base: i64,
    /// What is paid without the fee, quote native; negative for what is received.
    pub cost: i64,
    /// The fee, quote native.
    pub fee: u64,
    /// What the cost is beyond the worth, quote native: spread and premium; negative where the trade earns.
    pub charge: i64,
}

/// Where an account would be liquidated if one price moved.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct LiquidationView {
    /// The market.
    pub market: String,
    /// The market's name.
    pub symbol: String,
    /// Its price now, dollars.
    pub spot_usd: f64,
    /// Maintenance health now, quote native.
    pub health: i64,
    /// Its price now, Q16.48 quote native per base unit.
    pub spot: u64,
    /// The nearest price below at which the account is on the other side of its line, Q16.48; `undefined` for none.
    pub below: Option<u64>,
    /// The nearest above, likewise.
    pub above: Option<u64>,
    /// The nearest price below at which the account is on the other side of its line, dollars; `undefined` for none.
    pub below_usd: Option<f64>,
    /// The nearest above, likewise.
    pub above_usd: Option<f64>,
}

/// How far prices must move together until an account would be liquidated.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct LiquidationMoveView {
    /// The risk group whose markets move; `undefined` for all markets.
    pub group: Option<u8>,
    /// The markets that move.
    pub markets: Vec<String>,
    /// Maintenance health without a move, quote native.
    pub health: i64,
    /// The smallest fall on the other side of the line, percent; `undefined` for none.
    pub fall_percent: Option<f64>,
    /// The smallest rise, likewise.
    pub rise_percent: Option<f64>,
}

/// The largest size of a trade.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct MaxSizeView {
    /// The largest size that the chain would accept, zero for none: native units, base units or lots.
    pub size: u64,
    /// What refuses one unit more; `undefined` where any size is accepted.
    pub limit: Option<ErrorWords>,
}

/// Equity and health at moved prices and volatilities.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct StressView {
    /// Moves of prices, percent: the columns.
    pub moves_percent: Vec<f64>,
    /// Moves of options' volatilities, percent of them: the rows.
    pub volatility_percent: Vec<f64>,
    /// The markets that move together.
    pub markets: Vec<String>,
    /// Equity without a move, quote native.
    pub equity: i64,
    /// Rows of cells; `undefined` where a value is beyond the engine's numbers.
    pub cells: Vec<Vec<Option<StressCellView>>>,
}

/// One cell of a stress grid, quote native.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct StressCellView {
    /// Equity.
    pub equity: i64,
    /// Equity less that without a move.
    pub pnl: i64,
    /// Initial health.
    pub health_init: i64,
    /// Maintenance health: below zero the account could be liquidated.
    pub health_maint: i64,
}

/// What an account would be worth over one market's price.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct PayoffView {
    /// Its price now, dollars.
    pub spot_usd: f64,
    /// The first expiry of the account's options of it, unix seconds; `undefined` without.
    pub expiry: Option<i64>,
    /// The curve, by rising price.
    pub points: Vec<PayoffPointView>,
}

/// One point of a payoff curve.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct PayoffPointView {
    /// Price, dollars.
    pub price_usd: f64,
    /// Equity if that were the price now, quote native; `undefined` where it is beyond the engine's numbers.
    pub now: Option<i64>,
    /// Equity if that were the price at the expiry, likewise.
    pub at_expiry: Option<i64>,
}

impl WhatIfView {
    /// Of a trade of an account.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Program`]: what is needed to show the account.
    pub fn new(state: &State, address: &Address, what_if: &WhatIf, slippage: Ppm) -> Result<Self, Error> {
        let after = Keyed { address: *address, data: what_if.account };
        let margin = |margin| MarginView::new(&what_if.account, &margin);
        let prices = what_if.liquidation_prices().unwrap_or_default();
        let prices = prices.iter().map(|prices| LiquidationView::new(&what_if.snapshot, prices));
        Ok(Self {
            refused: what_if.refused.map(|error| ErrorWords::new(error.code())),
            is_applied: what_if.is_applied,
            margin_before: what_if.margin_before.map(margin).transpose()?,
            margin: what_if.margin.map(margin).transpose()?,
            execution: what_if.execution.as_ref().map(|execution| ExecutionView::new(state, &what_if.trade, execution)),
            limit: limit(&what_if.with_slippage(slippage)).filter(|_| what_if.execution.is_some()),
            account: AccountView::new(state, &what_if.snapshot, &after)?,
            liquidation_prices: prices.collect::<Result<_, _>>()?,
        })
    }
}

/// The worst price or amount that a trade carries.
fn limit(trade: &Trade) -> Option<u64> {
    match trade {
        Trade::OpenPosition { args, .. } => Some(args.limit_price),
        Trade::ClosePosition { args, .. } => Some(args.limit_price),
        Trade::OpenOption { args, .. } => Some(args.limit_price),
        Trade::CloseOption { args, .. } => Some(args.limit_price),
        Trade::Swap { args, .. } => Some(args.limit_amount),
        _ => None,
    }
}

impl ExecutionView {
    fn new(state: &State, trade: &Trade, execution: &Execution) -> Self {
        let decimals = state.base_decimals(trade);
        let dollars = |price: Price| price_usd(price.raw(), decimals);
        Self {
            spot_usd: dollars(execution.spot),
            mid_usd: dollars(execution.mid_price),
            average_usd: dollars(execution.average_price),
            average_price: execution.average_price.raw(),
            base: execution.base,
            cost: execution.cost,
            fee: execution.fee,
            charge: execution.charge,
        }
    }
}

impl State {
    /// Decimals of the base unit that a trade's price is for.
    fn base_decimals(&self, trade: &Trade) -> u8 {
        let snapshot = &self.snapshot;
        let market = match trade {
            Trade::OpenPosition { market, .. } | Trade::ClosePosition { market, .. } | Trade::Settle { market } => {
                *market
            }
            Trade::OpenOption { board, .. } | Trade::CloseOption { board, .. } | Trade::SettleOption { board } => {
                snapshot.boards.get(board).map_or(Address::default(), |board| board.market)
            }
            Trade::Swap { mint, .. } | Trade::Deposit { mint, .. } | Trade::Withdraw { mint, .. } => {
                let bank = plimsoll_client::address::bank(&snapshot.exchange.address, mint);
                snapshot.banks.get(&bank).map_or(Address::default(), |bank| bank.market)
            }
        };
        snapshot.markets.get(&market).map_or(0, |market| market.base_decimals)
    }
}

impl LiquidationView {
    /// Of a market of a snapshot.
    ///
    /// # Errors
    /// [`Error::Program`] without the market.
    pub fn new(snapshot: &Snapshot, prices: &LiquidationPrices) -> Result<Self, Error> {
        let (market, _) = snapshot.market(&prices.market)?;
        let dollars = |price: Price| price_usd(price.raw(), market.base_decimals);
        Ok(Self {
            market: prices.market.to_string(),
            symbol: symbol(market),
            spot_usd: dollars(prices.spot),
            health: prices.health,
            spot: prices.spot.raw(),
            below: prices.below.map(Price::raw),
            above: prices.above.map(Price::raw),
            below_usd: prices.below.map(dollars),
            above_usd: prices.above.map(dollars),
        })
    }
}

/// Millionths as percent.
fn percent(ppm: i64) -> f64 {
    ppm as f64 / 1e4
}

impl From<&LiquidationMove> for LiquidationMoveView {
    fn from(moved: &LiquidationMove) -> Self {
        let part = |ppm: Option<u64>| ppm.map(|ppm| percent(ppm.cast_signed()));
        Self {
            group: moved.group,
            markets: moved.markets.iter().map(Address::to_string).collect(),
            health: moved.health,
            fall_percent: part(moved.fall_ppm),
            rise_percent: part(moved.rise_ppm),
        }
    }
}

impl From<&MaxSize> for MaxSizeView {
    fn from(max: &MaxSize) -> Self {
        Self { size: max.size, limit: max.limit.map(|error| ErrorWords::new(error.code())) }
    }
}

impl From<&Stress> for StressView {
    fn from(stress: &Stress) -> Self {
        let cell = |cell: &Option<plimsoll_client::snapshot::StressCell>| {
            cell.as_ref().map(|cell| StressCellView {
                equity: cell.equity,
                pnl: cell.pnl,
                health_init: cell.health_init,
                health_maint: cell.health_maint,
            })
        };
        Self {
            moves_percent: stress.axes.moves_ppm.iter().copied().map(percent).collect(),
            volatility_percent: stress.axes.volatility_shocks_ppm.iter().copied().map(percent).collect(),
            markets: stress.axes.markets.iter().map(Address::to_string).collect(),
            equity: stress.equity,
            cells: stress.cells.iter().map(|row| row.iter().map(cell).collect()).collect(),
        }
    }
}

impl PayoffView {
    /// Of a curve over a market with that many decimals.
    pub fn new(payoff: &Payoff, base_decimals: u8) -> Self {
        let points = payoff.points.iter().map(|point| PayoffPointView {
            price_usd: price_usd(point.spot.raw(), base_decimals),
            now: point.now,
            at_expiry: point.at_expiry,
        });
        let spot_usd = price_usd(payoff.spot.raw(), base_decimals);
        Self { spot_usd, expiry: payoff.expiry, points: points.collect() }
    }
}

/// What one series costs and brings, for the size that was asked for.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(large_number_types_as_bigints)]
pub struct OptionQuoteView {
    /// The series.
    pub series: u8,
    /// What a sale brings for a base unit of the underlying, Q16.48 quote native; `undefined` where the house does not buy.
    pub bid: Option<u64>,
    /// What a purchase costs, likewise.
    pub ask: Option<u64>,
    /// What a sale brings for a whole token of the underlying, dollars.
    pub bid_usd: Option<f64>,
    /// What a purchase costs, likewise.
    pub ask_usd: Option<f64>,
    /// What it is worth between them, likewise.
    pub mark_usd: Option<f64>,
}

impl OptionQuoteView {
    /// Of a series of a market with that many decimals.
    pub fn new(series: u8, quote: &OptionQuote, base_decimals: u8) -> Self {
        let dollars = |price: Option<u64>| price.map(|price| price_usd(price, base_decimals));
        let (bid_usd, ask_usd, mark_usd) = (dollars(quote.bid), dollars(quote.ask), dollars(quote.mark));
        Self { series, bid: quote.bid, ask: quote.ask, bid_usd, ask_usd, mark_usd }
    }
}
