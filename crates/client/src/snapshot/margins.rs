//! What an account is worth and must be worth, and why.

use plimsoll_interface::{
    PlimsollError,
    accounts::{MAX_BOARDS, MarginAccount, board_state},
    bridge::{self, Inputs},
};
use plimsoll_risk::{
    greeks::{self, OptionGreeks, PortfolioGreeks},
    options::{ArrayTerms, BoardSum, OptionRisk, Reading},
    portfolio::{self, Margin, Portfolio, Report, RiskParameters, Standalone},
    units::{Ppm, Timestamp},
};

use super::Snapshot;
use crate::Error;

/// Equity and requirement of an account, to the unit what the chain computes, and the marks of its options; from whatever
/// lends banks, markets and boards.
///
/// # Errors
/// What the chain would answer.
pub fn assess<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    risk: &RiskParameters,
) -> Result<(Margin, i64), PlimsollError> {
    let mut portfolio = Portfolio::new();
    let mut storage = [OptionRisk::NONE; MAX_BOARDS];
    let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
    let has_old_rate = bridge::portfolio(account, inputs, now, &mut portfolio, Some(&mut options))?;
    let margin = portfolio::margin(&portfolio, options.as_slice(), risk)?;
    let marks = options.marks();
    if !has_old_rate {
        return Ok((margin, marks));
    }
    let mut at_init = Portfolio::new();
    let mut storage = [OptionRisk::NONE; MAX_BOARDS];
    let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
    bridge::portfolio_at_init(account, inputs, now, &mut at_init, Some(&mut options))?;
    Ok((bridge::with_init_of(margin, &portfolio::margin(&at_init, options.as_slice(), risk)?), marks))
}

/// Margins.
impl Snapshot {
    /// The account as the engine sees it: what it holds by underlying, and what its options are worth and could lose.
    /// Exchange rates are taken as they are, however old: as maintenance margin sees it.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn portfolio(&self, account: &MarginAccount) -> Result<(Portfolio, Vec<OptionRisk>), Error> {
        let mut portfolio = Portfolio::new();
        let mut storage = [OptionRisk::NONE; MAX_BOARDS];
        let mut options = bridge::Options::new(&mut storage, self.risk().extreme_damping);
        bridge::portfolio(account, self, Timestamp::from_raw(self.now), &mut portfolio, Some(&mut options))?;
        Ok((portfolio, options.as_slice().to_vec()))
    }

    /// Equity and requirement of an account, to the unit what the chain computes.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn margin(&self, account: &MarginAccount) -> Result<Margin, Error> {
        Ok(self.assess(account)?.0)
    }

    /// The margin, and the marks of the account's options.
    pub(super) fn assess(&self, account: &MarginAccount) -> Result<(Margin, i64), Error> {
        Ok(assess(account, self, Timestamp::from_raw(self.now), &self.risk())?)
    }

    /// The risk parameters at this moment: the exchange's, and what its quote is worth.
    pub(super) fn risk(&self) -> RiskParameters {
        self.exchange.data.risk(Timestamp::from_raw(self.now))
    }

    /// Health that a withdrawal must leave at zero or above, quote native: initial health without the gains that the house
    /// has not paid. Where `blocked_by` of [`Self::margin`] names a price, no withdrawal is accepted.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn withdrawal_health(&self, account: &MarginAccount) -> Result<i64, Error> {
        let (margin, marks) = self.assess(account)?;
        let health = margin.health_init().map_err(PlimsollError::from)?;
        let gain = bridge::unsettled_gain(account, self, marks)?;
        health.raw().checked_sub(gain).ok_or(Error::Program(PlimsollError::Overflow))
    }

    /// Where the requirement comes from, by underlying and by risk group.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn report(&self, account: &MarginAccount) -> Result<Report, Error> {
        let (portfolio, options) = self.portfolio(account)?;
        Ok(portfolio::report(&portfolio, &options, &self.risk())?)
    }

    /// Delta, gamma, vega and theta of an account, by underlying and in all. Settled options have none.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn greeks(&self, account: &MarginAccount) -> Result<PortfolioGreeks, Error> {
        let (portfolio, _) = self.portfolio(account)?;
        let mut options: Vec<OptionGreeks> = Vec::new();
        // Underlyings are numbered by the slots in use, in their order.
        let slots = account.markets.iter().enumerate().filter(|(_, slot)| slot.in_use != 0);
        for ((number, (index, slot)), underlying) in (0u8..).zip(slots).zip(portfolio.underlyings()) {
            let (market, observation) = self.market(&slot.market)?;
            let reading = Reading {
                spot: observation.spot,
                now: Timestamp::from_raw(self.now),
                range: underlying.range,
                range_maint: underlying.range_maint,
                extreme_damping: self.risk().extreme_damping,
                short_minimum: Ppm::from_raw(market.config.options.short_minimum_ppm),
            };
            let mut own = OptionGreeks { underlying: number, ..OptionGreeks::default() };
            for position in self.boards_in(account, index) {
                self.add_greeks(account, position, &reading, &mut own)?;
            }
            options.push(own);
        }
        Ok(greeks::greeks(&portfolio, &options)?)
    }

    /// Indexes of the account's board slots in a market slot.
    fn boards_in(&self, account: &MarginAccount, market_slot: usize) -> Vec<usize> {
        let is_in = |index: &usize| {
            let slot = &account.boards[*index];
            slot.in_use != 0 && usize::from(slot.market_slot) == market_slot
        };
        (0..account.boards.len()).filter(is_in).collect()
    }

    fn add_greeks(
        &self,
        account: &MarginAccount,
        board_slot: usize,
        reading: &Reading,
        sum: &mut OptionGreeks,
    ) -> Result<(), Error> {
        let board = self.board(&account.boards[board_slot].board)?;
        if board.state == board_state::SETTLED {
            return Ok(());
        }
        let mut lots = BoardSum::new();
        bridge::add_options(&mut lots, board, &account.options[account.options_of(board_slot)?])?;
        Ok(lots.add_greeks(&ArrayTerms::from(&board.terms), reading, sum)?)
    }

    /// What the account's balances and positions would require if each stood in an account of its own, and what netting
    /// saves against that: hedges inside an underlying included, which [`Report::saving_init`] does not count.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn standalone(&self, account: &MarginAccount) -> Result<Standalone, Error> {
        let whole = self.margin(account)?;
        let parts = parts(account).iter().map(|part| self.portfolio(part)).collect::<Result<Vec<_>, _>>()?;
        let parts = parts.iter().map(|(portfolio, options)| (portfolio, options.as_slice()));
        Ok(portfolio::standalone(&whole, parts, &self.risk())?)
    }

    /// The requirements of [`Self::standalone`], initial and maintenance, quote native.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn requirement_alone(&self, account: &MarginAccount) -> Result<(u64, u64), Error> {
        let alone = self.standalone(account)?;
        Ok((alone.requirement_init.unsigned_abs(), alone.requirement_maint.unsigned_abs()))
    }
}

/// The account cut into accounts of one balance, one position or one option each.
fn parts(account: &MarginAccount) -> Vec<MarginAccount> {
    let mut bare = *account;
    for slot in &mut bare.markets {
        slot.size = 0;
        slot.cash = 0;
        slot.boards = 0;
    }
    bare.balances = bytemuck::Zeroable::zeroed();
    bare.boards = bytemuck::Zeroable::zeroed();
    bare.options = bytemuck::Zeroable::zeroed();
    let part = |change: &dyn Fn(&mut MarginAccount)| {
        let mut part = bare;
        change(&mut part);
        part
    };
    let balances = (0..account.balances.len()).filter(|index| account.balances[*index].in_use == 1);
    let balances = balances.map(|index| part(&|part| part.balances[index] = account.balances[index]));
    let positions = (0..account.markets.len()).filter(|index| account.markets[*index].size != 0);
    let positions = positions.map(|index| {
        part(&|part| {
            part.markets[index] = account.markets[index];
            part.markets[index].boards = 0;
        })
    });
    let options = account.options.iter().filter(|option| option.lots != 0).map(|option| {
        part(&|part| {
            let board = usize::from(option.board_slot);
            part.boards[board] = account.boards[board];
            part.boards[board].options = 1;
            part.markets[usize::from(account.boards[board].market_slot)].boards = 1;
            part.options[0] = *option;
        })
    });
    balances.chain(positions).chain(options).collect()
}
