//! The one bridge between accounts and mathematics: turns a margin account, and the banks, markets and boards that it
//! names, into a [`Portfolio`] and its options. The program calls it with accounts that it has checked, a client with accounts that it has
//! fetched; both then call the same engine, so their margins agree to the last unit (INV-7).

use core::ops::Deref;

use plimsoll_risk::{
    addons,
    black::OptionKind,
    interest,
    math::{self, mul_q48_ceil_checked, mul_q48_floor},
    options::{ArrayTerms, BoardSum, OptionRisk, Reading, StrikeLots},
    portfolio::{MAX_VALUE, Margin, Portfolio, Underlying},
    price::{self, Freshness, Observation},
    units::{Base, Lots, Ppm, Price, Quote, Seconds, Timestamp},
};
use solana_address::Address;

use crate::{
    PlimsollError,
    accounts::{
        BalanceSlot, Bank, Board, BoardSlot, MAX_BOARDS, MAX_MARKETS, MarginAccount, Market, MarketSlot, NO_MARKET,
        OptionSlot, RATED, board_state,
    },
    board::{series_kind, series_strike},
};

/// Where the bridge finds banks, markets and boards.
pub trait Inputs {
    /// How it lends a bank.
    type BankRef<'a>: Deref<Target = Bank>
    where
        Self: 'a;
    /// How it lends a market.
    type MarketRef<'a>: Deref<Target = Market>
    where
        Self: 'a;
    /// How it lends a board.
    type BoardRef<'a>: Deref<Target = Board>
    where
        Self: 'a;

    /// The bank at an address.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBank`].
    fn bank(&self, address: &Address) -> Result<Self::BankRef<'_>, PlimsollError>;

    /// The market at an address, and the price at which this transaction sees it: the stored observation, or a younger
    /// one.
    ///
    /// # Errors
    /// [`PlimsollError::MissingMarket`], or what was wrong with its price account.
    fn market(&self, address: &Address) -> Result<(Self::MarketRef<'_>, Observation), PlimsollError>;

    /// The board at an address.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBoard`].
    fn board(&self, address: &Address) -> Result<Self::BoardRef<'_>, PlimsollError>;
}

/// The portfolio of `account` at time `now`, written into `portfolio`, and what its options are worth and could lose,
/// written into `options`; both must be new. An account without boards needs no `options`. Markets are asked for in slot
/// order, then banks in slot order, then boards in slot order.
///
/// Says whether an exchange rate in it is old: initial margin then is that of [`portfolio_at_init`], and [`with_init_of`]
/// puts the two together.
///
/// Deposits are valued down and borrows up, to the unit of their mint; interest is what the banks have accrued so far.
///
/// A board whose arrays are too old, or too far from the market's price, is an error and nothing that could be valued
/// some other way: an option has no last price. It never lasts, as anyone may refresh the board, from the market's last
/// observation where the feed is dead, in the same transaction and before. So a board cannot make an account
/// unliquidatable.
///
/// # Errors
/// What `inputs` answers; [`PlimsollError::OracleNeverObserved`]; [`PlimsollError::BoardStale`];
/// [`PlimsollError::TooManyLots`]; [`PlimsollError::RateNeverUpdated`]; [`PlimsollError::Overflow`].
#[inline(always)]
pub fn portfolio<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    portfolio: &mut Portfolio,
    options: Option<&mut Options<'_>>,
) -> Result<bool, PlimsollError> {
    let mut terms =
        Terms { position_of_slot: [u8::MAX; MAX_MARKETS], now, old_rates: OldRates::Counted, is_old: false };
    fill(account, inputs, &mut terms, portfolio, options)?;
    Ok(terms.is_old)
}

/// The same, without deposits whose exchange rate is old, and with debts of such a rate at an old price: what initial
/// margin sees. As with an old price, the deposit counts zero and blocks nothing, the debt blocks new risk.
///
/// # Errors
/// As [`portfolio`].
#[inline(never)]
pub fn portfolio_at_init<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    portfolio: &mut Portfolio,
    options: Option<&mut Options<'_>>,
) -> Result<(), PlimsollError> {
    let mut terms =
        Terms { position_of_slot: [u8::MAX; MAX_MARKETS], now, old_rates: OldRates::Refused, is_old: false };
    fill(account, inputs, &mut terms, portfolio, options)
}

/// Maintenance of `margin`, initial of `init`.
pub fn with_init_of(margin: Margin, init: &Margin) -> Margin {
    Margin {
        equity_init: init.equity_init,
        requirement_init: init.requirement_init,
        blocked_by: init.blocked_by,
        ..margin
    }
}

/// What is done with balances whose exchange rate is old.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OldRates {
    /// They count at their last rate.
    Counted,
    /// Deposits are left out, debts count as at an old price.
    Refused,
}

/// What a portfolio is made with.
struct Terms {
    /// Number of the underlying of each market slot.
    position_of_slot: [u8; MAX_MARKETS],
    /// The time.
    now: Timestamp,
    /// What is done with old exchange rates.
    old_rates: OldRates,
    /// Whether there was one.
    is_old: bool,
}

/// Adds every slot of the account.
#[inline(always)]
fn fill<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    terms: &mut Terms,
    portfolio: &mut Portfolio,
    mut options: Option<&mut Options<'_>>,
) -> Result<(), PlimsollError> {
    let now = terms.now;
    for (slot, position) in account.markets.iter().zip(&mut terms.position_of_slot) {
        if slot.in_use != 0 {
            let short_minimum = add_market_slot(portfolio, slot, inputs, now, position)?;
            if slot.boards != 0 {
                let options = options.as_deref_mut().ok_or(PlimsollError::Corrupt)?;
                options.take(*position, short_minimum)?;
            }
        }
    }
    for slot in &account.balances {
        if slot.in_use != 0 {
            add_balance_slot(portfolio, slot, inputs, terms)?;
        }
    }
    match options {
        Some(options) => add_boards(portfolio, options, account, inputs, now, &terms.position_of_slot),
        None => Ok(()),
    }
}

/// What the account's options of the market in slot `market_slot` are worth, quote native, as in the equity. `portfolio` and
/// `options` must be new.
///
/// # Errors
/// As [`portfolio`].
pub fn option_marks<I: Inputs>(
    account: &MarginAccount,
    market_slot: usize,
    inputs: &I,
    now: Timestamp,
    portfolio: &mut Portfolio,
    options: &mut Options<'_>,
) -> Result<i64, PlimsollError> {
    let slot = account.markets.get(market_slot).ok_or(PlimsollError::Corrupt)?;
    let mut position_of_slot = [u8::MAX; MAX_MARKETS];
    let position = position_of_slot.get_mut(market_slot).ok_or(PlimsollError::Corrupt)?;
    let short_minimum = add_market_slot(portfolio, slot, inputs, now, position)?;
    if slot.boards != 0 {
        options.take(*position, short_minimum)?;
        add_boards(portfolio, options, account, inputs, now, &position_of_slot)?;
    }
    Ok(options.marks())
}

/// An account's options by market: what the engine wants of them.
#[derive(Debug)]
pub struct Options<'a> {
    /// How many of `risks` are in use.
    len: usize,
    /// Entries by rising number of their underlying.
    risks: &'a mut [OptionRisk],
    /// Short-option minimum of each entry's market.
    short_minimums: [Ppm; MAX_BOARDS],
    /// What part of an extreme move counts.
    extreme_damping: Ppm,
    /// Marks of the options, settled ones at what they pay, puts' forwards at spot: quote native, as in the equity.
    marks: i64,
}

impl<'a> Options<'a> {
    /// None yet, in a `storage` of as many entries as the account has boards, each [`OptionRisk::NONE`].
    /// `extreme_damping` is the exchange's.
    #[inline]
    pub const fn new(storage: &'a mut [OptionRisk], extreme_damping: Ppm) -> Self {
        Self { len: 0, risks: storage, short_minimums: [Ppm::ZERO; MAX_BOARDS], extreme_damping, marks: 0 }
    }

    /// One entry for each market with options that are not settled, in the order that the engine wants.
    #[inline(always)]
    pub fn as_slice(&self) -> &[OptionRisk] {
        self.risks.get(..self.len).unwrap_or(&[])
    }

    /// What the options are worth, quote native, as in the equity: what [`unsettled_gain`] wants to know.
    #[inline(always)]
    pub const fn marks(&self) -> i64 {
        self.marks
    }

    /// Takes the entry of an underlying.
    fn take(&mut self, underlying: u8, short_minimum: Ppm) -> Result<(), PlimsollError> {
        let risk = self.risks.get_mut(self.len).ok_or(PlimsollError::Corrupt)?;
        risk.underlying = underlying;
        *self.short_minimums.get_mut(self.len).ok_or(PlimsollError::Corrupt)? = short_minimum;
        // Below MAX_BOARDS, as the entry exists.
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    /// Drops the entries of markets whose boards are all settled: there is nothing left to be stressed, and no price that
    /// anything depends on.
    fn keep(&mut self, live: u8) {
        let mut kept = 0usize;
        for index in 0..self.len {
            if (live >> index) & 1 == 0 {
                continue;
            }
            if kept != index
                && let Some(risk) = self.risks.get(index).copied()
                && let Some(to) = self.risks.get_mut(kept)
            {
                *to = risk;
            }
            kept = kept.wrapping_add(1);
        }
        self.len = kept;
    }
}

/// Adds the options, board by board: they stand in the order of the boards' slots, so one pass suffices.
#[inline(never)]
fn add_boards<I: Inputs>(
    portfolio: &mut Portfolio,
    options: &mut Options<'_>,
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    position_of_slot: &[u8; MAX_MARKETS],
) -> Result<(), PlimsollError> {
    let mut rest = account.options.as_slice();
    let mut live = 0u8;
    for slot in account.boards.iter().filter(|slot| slot.in_use != 0) {
        let (own, behind) = rest.split_at_checked(usize::from(slot.options)).ok_or(PlimsollError::Corrupt)?;
        rest = behind;
        let market_slot = usize::from(slot.market_slot);
        let position = *position_of_slot.get(market_slot).ok_or(PlimsollError::Corrupt)?;
        // A market that the account uses and the portfolio has not was left out on purpose: by `option_marks`.
        if position == u8::MAX && account.markets.get(market_slot).is_some_and(|market| market.in_use != 0) {
            continue;
        }
        let found = options.as_slice().iter().position(|risk| risk.underlying == position);
        let entry = found.ok_or(PlimsollError::Corrupt)?;
        match add_board(portfolio, options, slot, own, inputs, now, entry)? {
            Some(paid) => {
                portfolio.quote = Quote::from_raw(signed_sum(portfolio.quote.raw(), paid)?);
                options.marks = signed_sum(options.marks, paid)?;
            }
            None => live |= 1u8 << (entry & 7),
        }
    }
    let mut marks = options.marks;
    for risk in options.as_slice() {
        let spot = portfolio.underlying(usize::from(risk.underlying))?.observation.spot;
        let forwards = spot.value_floor(risk.exposure).ok_or(PlimsollError::Overflow)?;
        marks = signed_sum(marks, signed_sum(risk.value.raw(), forwards.raw())?)?;
    }
    options.marks = marks;
    options.keep(live);
    Ok(())
}

/// Adds the options of one board to their market's entry, or says what they pay where the board is settled.
#[inline(never)]
fn add_board<I: Inputs>(
    portfolio: &Portfolio,
    options: &mut Options<'_>,
    slot: &BoardSlot,
    own: &[OptionSlot],
    inputs: &I,
    now: Timestamp,
    entry: usize,
) -> Result<Option<i64>, PlimsollError> {
    let board = inputs.board(&slot.board)?;
    if board.state == board_state::SETTLED {
        let mut paid = 0i64;
        for option in own {
            let worth = board.settled_value(usize::from(option.series), i64::from(option.lots))?;
            paid = signed_sum(paid, worth.raw())?;
        }
        return Ok(Some(paid));
    }
    let mut sum = BoardSum::new();
    add_options(&mut sum, &board, own)?;
    let short_minimum = *options.short_minimums.get(entry).ok_or(PlimsollError::Corrupt)?;
    let risk = options.risks.get_mut(entry).ok_or(PlimsollError::Corrupt)?;
    let underlying = portfolio.underlying(usize::from(risk.underlying))?;
    let reading = Reading {
        spot: underlying.observation.spot,
        now,
        range: underlying.range,
        range_maint: underlying.range_maint,
        extreme_damping: options.extreme_damping,
        short_minimum,
    };
    sum.finish(&ArrayTerms::from(&board.terms), &reading, risk)?;
    Ok(None)
}

/// Adds an account's options of a board to their sum, as they stand in the account: by rising series.
///
/// # Errors
/// [`PlimsollError::BoardStale`]; [`PlimsollError::TooManyLots`].
#[inline(always)]
pub fn add_options(sum: &mut BoardSum, board: &Board, own: &[OptionSlot]) -> Result<(), PlimsollError> {
    let mut rest = own;
    while let Some(one) = next_strike(board, &mut rest)? {
        match next_strike(board, &mut rest)? {
            Some(other) => sum.add_two_strikes(&one, &other)?,
            None => sum.add_strike(&one)?,
        }
    }
    Ok(())
}

/// Takes the options of the next strike off the rest of a board's: they stand by rising series, a call before the put of its
/// strike.
#[inline(always)]
fn next_strike<'a>(board: &'a Board, rest: &mut &[OptionSlot]) -> Result<Option<StrikeLots<'a>>, PlimsollError> {
    let Some((option, mut behind)) = rest.split_first() else {
        return Ok(None);
    };
    let series = usize::from(option.series);
    let strike = series_strike(series);
    if !board.is_refreshed(strike) {
        return Err(PlimsollError::BoardStale);
    }
    let lots = Lots::from_raw(i64::from(option.lots));
    let (calls, puts) = match series_kind(series) {
        OptionKind::Put => (Lots::ZERO, lots),
        OptionKind::Call => match behind.split_first() {
            Some((put, after)) if usize::from(put.series) == series | 1 => {
                behind = after;
                (lots, Lots::from_raw(i64::from(put.lots)))
            }
            _ => (lots, Lots::ZERO),
        },
    };
    *rest = behind;
    Ok(Some(StrikeLots { array: board.array(strike)?, strike: board.series_strike(series)?, calls, puts }))
}

/// Adds a market slot as a new underlying, and says its number in `position` and the market's short-option minimum.
///
/// Not inlined, like [`add_balance_slot`]: a call costs two instructions and gives the callee fresh registers, where the
/// loop would spill.
#[inline(never)]
fn add_market_slot<I: Inputs>(
    portfolio: &mut Portfolio,
    slot: &MarketSlot,
    inputs: &I,
    now: Timestamp,
    position: &mut u8,
) -> Result<Ppm, PlimsollError> {
    let (market, observation) = inputs.market(&slot.market)?;
    if observation.spot.raw() == 0 {
        return Err(PlimsollError::OracleNeverObserved);
    }
    let config = &market.config;
    let freshness = price::freshness(
        observation.publish_time,
        now,
        Seconds::from_raw(i64::from(config.max_age_seconds)),
        Seconds::from_raw(i64::from(config.dead_age_seconds)),
    );
    let (index, underlying) = portfolio.grow()?;
    // Field by field: as one literal, all is read before anything is written, and spills.
    underlying.observation = observation;
    underlying.freshness = freshness;
    underlying.exposure = Base::from_raw(slot.size);
    underlying.has_liability = slot.size != 0;
    underlying.range = Ppm::from_raw(market.range_ppm);
    underlying.range_maint = Ppm::from_raw(market.range_maint_ppm);
    underlying.confidence_multiplier = Ppm::from_raw(config.confidence_multiplier_ppm);
    underlying.group = config.group;
    if slot.size != 0 && config.concentration_ppm != 0 {
        charge_concentration(underlying, slot.size, &market)?;
    }
    *position = u8::try_from(index).map_err(|_| PlimsollError::Corrupt)?;
    let short_minimum = Ppm::from_raw(config.options.short_minimum_ppm);
    // Funding that is not settled is owed, or due, all the same.
    let cash = slot.cash_after_funding(&market)?;
    portfolio.quote = Quote::from_raw(signed_sum(portfolio.quote.raw(), cash.raw())?);
    Ok(short_minimum)
}

/// Adds the charge for closing a position in a market in which its side is crowded, towards initial and maintenance margin
/// alike: at a rate that grows with the side's open interest against the limit. The sides have rates of their own, as the
/// house stands between them.
#[inline(never)]
fn charge_concentration(underlying: &mut Underlying, size: i64, market: &Market) -> Result<(), PlimsollError> {
    let total = if size > 0 { market.open_interest_long } else { market.open_interest_short };
    let config = &market.config;
    let rate = addons::concentration_rate(Ppm::from_raw(config.concentration_ppm), total, config.max_open_interest);
    let charge = addons::concentration_charge(Base::from_raw(size), underlying.observation.spot, rate)?;
    if charge > MAX_VALUE {
        return Err(PlimsollError::Overflow);
    }
    // The first of the underlying's add-ons.
    underlying.addon_init = charge;
    underlying.addon_maint = charge;
    Ok(())
}

/// Adds a balance slot to its underlying, or to the quote.
#[inline(never)]
fn add_balance_slot<I: Inputs>(
    portfolio: &mut Portfolio,
    slot: &BalanceSlot,
    inputs: &I,
    terms: &mut Terms,
) -> Result<(), PlimsollError> {
    let bank = inputs.bank(&slot.bank)?;
    // Both are rare, and one comparison tells most banks from either.
    if slot.lien | u64::from(bank.scale_decimals & RATED) != 0 {
        return add_special_balance(portfolio, slot, &bank, terms);
    }
    if slot.market_slot == NO_MARKET {
        return add_quote_balance(portfolio, slot, &bank);
    }
    let position = *terms.position_of_slot.get(usize::from(slot.market_slot)).ok_or(PlimsollError::Corrupt)?;
    let underlying = portfolio.underlying_mut(usize::from(position))?;
    add_balance(underlying, slot, &bank, |amount, _, _| scaled(amount, &bank))
}

/// The same of a bank with an exchange rate, or of a balance with liens: these count as a deposit beside it.
#[inline(never)]
fn add_special_balance(
    portfolio: &mut Portfolio,
    slot: &BalanceSlot,
    bank: &Bank,
    terms: &mut Terms,
) -> Result<(), PlimsollError> {
    if slot.market_slot == NO_MARKET {
        let lien = i64::try_from(slot.lien).map_err(|_| PlimsollError::Overflow)?;
        portfolio.quote = Quote::from_raw(signed_sum(portfolio.quote.raw(), lien)?);
        return add_quote_balance(portfolio, slot, bank);
    }
    let position = *terms.position_of_slot.get(usize::from(slot.market_slot)).ok_or(PlimsollError::Corrupt)?;
    let underlying = portfolio.underlying_mut(usize::from(position))?;
    if slot.lien != 0 && !bank.has_no_weight() {
        let base = convert(slot.lien, underlying, bank, false, terms)?;
        add_deposit(underlying, base, bank)?;
    }
    add_balance(underlying, slot, bank, |amount, underlying, is_borrow| {
        convert(amount, underlying, bank, is_borrow, terms)
    })
}

/// A balance's native amount, deposits rounded down and borrows up, and whether it is a borrow.
#[inline(always)]
pub fn balance_amount(slot: &BalanceSlot, bank: &Bank) -> Result<(u64, bool), PlimsollError> {
    let shares = slot.shares.unsigned_abs();
    if slot.shares < 0 {
        Ok((interest::borrow_amount(shares, bank.borrow_index())?, true))
    } else {
        Ok((interest::deposit_amount(shares, bank.deposit_index())?, false))
    }
}

/// Adds a quote balance. It has no price risk and no weight: `validate_quote` sees to that, because anyone may settle a
/// loss, which turns it into a quote borrow and must not lower anybody's health.
#[inline(never)]
fn add_quote_balance(portfolio: &mut Portfolio, slot: &BalanceSlot, bank: &Bank) -> Result<(), PlimsollError> {
    let (amount, is_borrow) = balance_amount(slot, bank)?;
    let amount = i64::try_from(amount).map_err(|_| PlimsollError::Overflow)?;
    let signed = if is_borrow { amount.wrapping_neg() } else { amount };
    portfolio.quote = Quote::from_raw(signed_sum(portfolio.quote.raw(), signed)?);
    Ok(())
}

/// What the house owes the account over all markets and has not paid, quote native: the sum of `cash + size * price`,
/// rounded up, and of the options at their `marks` ([`Options::marks`]), where that is positive.
///
/// A gain carries losses in other markets and margins other positions, but tokens never leave against it: `settle` pays it
/// first, as far as the house has the money. So a withdrawal wants `H_init` without it. An option that was bought is such a
/// claim, too: it can be sold back, and the cash then settled.
///
/// # Errors
/// What `inputs` answers; [`PlimsollError::Overflow`].
pub fn unsettled_gain<I: Inputs>(account: &MarginAccount, inputs: &I, marks: i64) -> Result<i64, PlimsollError> {
    let mut sum = marks;
    for slot in account.markets.iter().filter(|slot| slot.size != 0 || slot.cash != 0) {
        let mut worth = slot.cash;
        if slot.size != 0 {
            let (market, observation) = inputs.market(&slot.market)?;
            worth = slot.cash_after_funding(&market)?.raw();
            let value = observation.spot.value_ceil(Base::from_raw(slot.size)).ok_or(PlimsollError::Overflow)?;
            worth = signed_sum(worth, value.raw())?;
        }
        sum = signed_sum(sum, worth)?;
    }
    Ok(sum.max(0))
}

/// Adds a balance to its underlying.
///
/// No deposit lowers health. One with a full haircut counts for nothing, neither value nor risk nor credit for netting:
/// new collateral starts that way. Any other is charged at most what its shock range leaves of its value: of `V` it adds,
/// a deposit raises the stress requirement by at most `range V`, so a haircut of `(1 - range) V` takes the rest.
///
/// With the bank's look-up 155 CU; 241 with the standard library's checks, each of which
/// is a compare of two comparisons here, and with every product and weight by itself.
#[inline(always)]
fn add_balance(
    underlying: &mut Underlying,
    slot: &BalanceSlot,
    bank: &Bank,
    base_units: impl FnOnce(u64, &mut Underlying, bool) -> Result<u64, PlimsollError>,
) -> Result<(), PlimsollError> {
    let config = &bank.config;
    if slot.shares >= 0 {
        if config.haircut_maint_ppm >= Ppm::ONE.raw() {
            return Ok(());
        }
        let amount = mul_q48_floor(slot.shares.unsigned_abs(), bank.deposit_index).ok_or(PlimsollError::Overflow)?;
        let base = base_units(amount, underlying, false)?;
        return add_deposit(underlying, base, bank);
    }
    let amount = mul_q48_ceil_checked(slot.shares.unsigned_abs(), bank.borrow_index).ok_or(PlimsollError::Overflow)?;
    let base = signed_base(base_units(amount, underlying, true)?)?;
    let exposure = underlying.exposure.raw();
    let less = exposure.wrapping_sub(base);
    // As base is not negative, the difference wraps exactly when it is above what it was.
    if less > exposure {
        return Err(PlimsollError::Overflow);
    }
    underlying.has_liability = true;
    underlying.exposure = Base::from_raw(less);
    let price = underlying.observation.spot.raw();
    let value = mul_q48_ceil_checked(base.unsigned_abs(), price).ok_or(PlimsollError::Overflow)?;
    add_weights(underlying, value, config.borrow_weight_init_ppm, config.borrow_weight_maint_ppm)
}

/// Adds a deposit of `base` units.
#[inline(always)]
fn add_deposit(underlying: &mut Underlying, base: u64, bank: &Bank) -> Result<(), PlimsollError> {
    let base = signed_base(base)?;
    let exposure = underlying.exposure.raw();
    let more = exposure.wrapping_add(base);
    // As base is not negative, the sum wraps exactly when it is below what it was.
    if more < exposure {
        return Err(PlimsollError::Overflow);
    }
    underlying.exposure = Base::from_raw(more);
    let price = underlying.observation.spot.raw();
    let value = mul_q48_floor(base.unsigned_abs(), price).ok_or(PlimsollError::Overflow)?;
    let rest = Ppm::ONE.raw().saturating_sub(underlying.range.raw());
    let (init, maint) = haircuts(bank)?;
    add_weights(underlying, value, init.min(rest), maint.min(rest))
}

/// Haircuts of a bank's deposits towards initial and maintenance margin, ppm, by its total of deposits against their cap;
/// most banks have the same however full they are, which takes no division.
#[inline(always)]
fn haircuts(bank: &Bank) -> Result<(u32, u32), PlimsollError> {
    let config = &bank.config;
    if config.haircut_init_full_ppm == config.haircut_init_ppm
        && config.haircut_maint_full_ppm == config.haircut_maint_ppm
    {
        return Ok((config.haircut_init_ppm, config.haircut_maint_ppm));
    }
    growing_haircuts(bank)
}

#[inline(never)]
fn growing_haircuts(bank: &Bank) -> Result<(u32, u32), PlimsollError> {
    let total = mul_q48_ceil_checked(bank.deposit_shares, bank.deposit_index).ok_or(PlimsollError::Overflow)?;
    let (init, maint) = bank.config.weights().haircuts(total, bank.config.deposit_cap);
    Ok((init.raw(), maint.raw()))
}

/// Adds `value * weight`, rounded up, to both add-ons: an add-on is a requirement.
///
/// With `value = q 10^6 + m` it is `q weight + ceil(m weight / 10^6)`, at most `value`. Thirty-two of these, each at
/// most [`MAX_VALUE`], a balance and its liens for each slot, stay below 2^63, so that no sum wraps; the engine refuses one
/// above [`MAX_VALUE`].
#[inline(always)]
fn add_weights(underlying: &mut Underlying, value: u64, init_ppm: u32, maint_ppm: u32) -> Result<(), PlimsollError> {
    const MILLION: u64 = 1_000_000;
    let (init, maint) = (u64::from(init_ppm), u64::from(maint_ppm));
    if value > MAX_VALUE || init > MILLION || maint > MILLION {
        return Err(PlimsollError::Overflow);
    }
    let q = value / MILLION;
    let m = value.wrapping_sub(q.wrapping_mul(MILLION));
    let weighted =
        |weight: u64| q.wrapping_mul(weight).wrapping_add(m.wrapping_mul(weight).wrapping_add(MILLION - 1) / MILLION);
    underlying.addon_init = underlying.addon_init.wrapping_add(weighted(init));
    underlying.addon_maint = underlying.addon_maint.wrapping_add(weighted(maint));
    Ok(())
}

/// Base units as the engine has them.
#[inline(always)]
fn signed_base(base: u64) -> Result<i64, PlimsollError> {
    let base = base.cast_signed();
    if base < 0 { Err(PlimsollError::Overflow) } else { Ok(base) }
}

/// A native amount in base units of the market of a bank without an exchange rate.
#[inline(always)]
fn scaled(amount: u64, bank: &Bank) -> Result<u64, PlimsollError> {
    if bank.scale_decimals == 0 { Ok(amount) } else { base_units(amount, bank, Side::Deposit) }
}

/// [`base_units`] of a balance, and what follows where its rate is old: zero for a deposit that is left out.
#[inline(never)]
fn convert(
    amount: u64,
    underlying: &mut Underlying,
    bank: &Bank,
    is_borrow: bool,
    terms: &mut Terms,
) -> Result<u64, PlimsollError> {
    if bank.is_rated() && !bank.rate.is_fresh(terms.now) {
        terms.is_old = true;
        if terms.old_rates == OldRates::Refused {
            if !is_borrow {
                return Ok(0);
            }
            if underlying.freshness == Freshness::Fresh {
                underlying.freshness = Freshness::Stale;
            }
        }
    }
    base_units(amount, bank, if is_borrow { Side::Debt } else { Side::Deposit })
}

/// What an amount is converted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// An asset: at the rate of deposits, rounded down.
    Deposit,
    /// A debt: at the rate of debts, rounded up.
    Debt,
}

/// A native amount of a bank's mint in units of the token as fine as its market's base units: without its rate.
///
/// # Errors
/// [`PlimsollError::Overflow`].
pub fn token_units(amount: u64, bank: &Bank) -> Result<u64, PlimsollError> {
    let scale = math::pow10(u32::from(bank.scale_decimals & !RATED)).ok_or(PlimsollError::Corrupt)?;
    math::mul_checked(amount, scale).ok_or(PlimsollError::Overflow)
}

/// What such a unit is worth at the market's price: by the rate of deposits, rounded down, or of debts, rounded up.
///
/// # Errors
/// [`PlimsollError::RateNeverUpdated`], [`PlimsollError::Overflow`].
pub fn token_price(spot: Price, bank: &Bank, side: Side) -> Result<Price, PlimsollError> {
    if !bank.is_rated() {
        return Ok(spot);
    }
    let raw = match side {
        _ if bank.rate.borrow == 0 => return Err(PlimsollError::RateNeverUpdated),
        Side::Deposit => mul_q48_floor(spot.raw(), bank.rate.deposit),
        Side::Debt => mul_q48_ceil_checked(spot.raw(), bank.rate.borrow),
    };
    raw.map(Price::from_raw).ok_or(PlimsollError::Overflow)
}

/// A native amount of a bank's mint in base units of its market.
///
/// # Errors
/// [`PlimsollError::RateNeverUpdated`] for a debt, [`PlimsollError::Overflow`].
pub fn base_units(amount: u64, bank: &Bank, side: Side) -> Result<u64, PlimsollError> {
    let scaled = token_units(amount, bank)?;
    if !bank.is_rated() {
        return Ok(scaled);
    }
    let base = match side {
        Side::Deposit => mul_q48_floor(scaled, bank.rate.deposit),
        Side::Debt if bank.rate.borrow == 0 => return Err(PlimsollError::RateNeverUpdated),
        Side::Debt => mul_q48_ceil_checked(scaled, bank.rate.borrow),
    };
    base.ok_or(PlimsollError::Overflow)
}

/// Sum of two amounts. The standard library's check, a compare of two comparisons, is twice as long here.
#[inline(always)]
fn signed_sum(one: i64, other: i64) -> Result<i64, PlimsollError> {
    let sum = one.wrapping_add(other);
    // It wrapped exactly when its sign is neither one's nor other's.
    if (one ^ sum) & (other ^ sum) < 0 { Err(PlimsollError::Overflow) } else { Ok(sum) }
}
