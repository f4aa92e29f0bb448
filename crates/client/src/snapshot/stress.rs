//! What an account would be worth at other prices and volatilities, for tables, heat maps and curves.

use plimsoll_interface::{
    Address,
    accounts::{MarginAccount, board_state},
};
use plimsoll_risk::units::Price;

use super::{Snapshot, prices::markets_of};
use crate::Error;

/// What a stress grid is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StressAxes {
    /// Moves of prices, millionths of them: -200,000 is a fall by a fifth. Above -1,000,000.
    pub moves_ppm: Vec<i64>,
    /// Moves of options' volatilities, millionths of them.
    pub volatility_shocks_ppm: Vec<i64>,
    /// The markets whose prices move together; empty for all that the account depends on. Volatilities move in the same.
    pub markets: Vec<Address>,
}

impl Default for StressAxes {
    /// Prices by up to 40 % either way in steps of 5 %, volatilities down and up by a quarter and a half, all markets.
    fn default() -> Self {
        Self {
            moves_ppm: (-8..=8).map(|step| step * 50_000).collect(),
            volatility_shocks_ppm: vec![-500_000, -250_000, 0, 250_000, 500_000],
            markets: Vec::new(),
        }
    }
}

/// One cell of a stress grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StressCell {
    /// Equity, quote native.
    pub equity: i64,
    /// Equity less that without a move, quote native.
    pub pnl: i64,
    /// Initial health, quote native.
    pub health_init: i64,
    /// Maintenance health, quote native: below zero the account could be liquidated there.
    pub health_maint: i64,
}

/// What an account would be at moved prices and volatilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stress {
    /// What the grid is over, the markets written out.
    pub axes: StressAxes,
    /// Equity without a move, every price that may move taken as fresh, quote native.
    pub equity: i64,
    /// Rows by volatility shock, in each a cell by move of price; `None` where a price or value is beyond the engine's numbers.
    pub cells: Vec<Vec<Option<StressCell>>>,
}

/// One point of a payoff curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayoffPoint {
    /// Price of the market.
    pub spot: Price,
    /// Equity if that were the price now, quote native; `None` where it is beyond the engine's numbers.
    pub now: Option<i64>,
    /// Equity if that were the price at the expiry, quote native.
    pub at_expiry: Option<i64>,
}

/// What an account would be worth over one market's price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payoff {
    /// The market.
    pub market: Address,
    /// Its price now.
    pub spot: Price,
    /// The expiry that [`PayoffPoint::at_expiry`] is of, unix seconds; `None` where the account has no option of the market
    /// that is not settled.
    pub expiry: Option<i64>,
    /// The curve, in the order of the prices asked for.
    pub points: Vec<PayoffPoint>,
}

/// Stress.
impl Snapshot {
    /// What an account would be if prices and volatilities moved at once: fresh prices, refreshed boards, shock ranges,
    /// interest and funding as they are.
    ///
    /// # Errors
    /// [`Error::Program`] where the account has no margin without a move, [`Error::Missing`] for a market that is not in the
    /// snapshot.
    pub fn stress(&self, account: &MarginAccount, axes: &StressAxes) -> Result<Stress, Error> {
        let mut axes = axes.clone();
        if axes.markets.is_empty() {
            axes.markets = markets_of(account);
        }
        let part = self.part_of(account);
        let base = part.at_move(&axes.markets, 0, 0)?.cell(account, 0)?.equity;
        let cell = |move_ppm: i64, shock_ppm: i64| match part.at_move(&axes.markets, move_ppm, shock_ppm) {
            Ok(moved) => Ok(moved.cell(account, base).ok()),
            Err(Error::Program(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let row = |shock_ppm: &i64| axes.moves_ppm.iter().map(|move_ppm| cell(*move_ppm, *shock_ppm)).collect();
        let cells = axes.volatility_shocks_ppm.iter().map(row).collect::<Result<_, Error>>()?;
        Ok(Stress { axes, equity: base, cells })
    }

    /// What an account would be worth over one market's price, now and at the first expiry of its options of it.
    ///
    /// At the expiry, options of that expiry are worth what they pay, and later ones what they are worth with as much less
    /// time.
    ///
    /// # Errors
    /// [`Error::Missing`] for a market that is not in the snapshot.
    pub fn payoff(&self, account: &MarginAccount, market: &Address, prices: &[Price]) -> Result<Payoff, Error> {
        let part = self.part_of(account);
        let spot = part.seen_price(market)?.spot;
        let live = part.boards.values().filter(|board| board.market == *market && board.state != board_state::SETTLED);
        let expiry = live.map(|board| board.expiry).min();
        let at = |snapshot: &Self, price: Price| -> Option<i64> {
            Some(snapshot.at_price(market, price).ok()?.margin(account).ok()?.equity_maint.raw())
        };
        let point = |price: &Price| {
            let then = expiry.and_then(|expiry| part.at_expiry(market, expiry, *price).ok());
            let at_expiry = then.and_then(|then| Some(then.margin(account).ok()?.equity_maint.raw()));
            PayoffPoint { spot: *price, now: at(&part, *price), at_expiry }
        };
        Ok(Payoff { market: *market, spot, expiry, points: prices.iter().map(point).collect() })
    }

    /// The snapshot with markets' prices and their options' volatilities moved by parts of a million of themselves, as
    /// [`Self::at_price`] moves one.
    ///
    /// # Errors
    /// As [`Self::at_price`].
    pub fn at_move(&self, markets: &[Address], move_ppm: i64, shock_ppm: i64) -> Result<Self, Error> {
        let mut moved = self.clone();
        for market in markets {
            let spot = self.moved_price(market, move_ppm)?;
            moved.set_price(market, spot)?;
            moved.refresh_boards(market, shock_ppm)?;
        }
        Ok(moved)
    }

    fn cell(&self, account: &MarginAccount, base: i64) -> Result<StressCell, Error> {
        let margin = self.margin(account)?;
        let equity = margin.equity_maint.raw();
        Ok(StressCell {
            equity,
            pnl: equity.saturating_sub(base),
            health_init: margin.health_init()?.raw(),
            health_maint: margin.health_maint()?.raw(),
        })
    }

    /// The snapshot at an expiry of a market, its price at `spot` and all others' as they are.
    fn at_expiry(&self, market: &Address, expiry: i64, spot: Price) -> Result<Self, Error> {
        let mut then = self.clone();
        then.now = self.now.max(expiry);
        for address in self.markets.keys() {
            let price = if address == market { spot } else { self.seen_price(address)?.spot };
            then.set_price(address, price)?;
        }
        for board in then.boards.values_mut().filter(|board| board.expiry <= then.now) {
            if board.state != board_state::SETTLED {
                board.state = board_state::SETTLED;
                board.settlement_price = then.markets.get(&board.market).map_or(0, |market| market.spot);
            }
        }
        for address in self.markets.keys() {
            then.refresh_boards(address, 0)?;
        }
        Ok(then)
    }
}
