//! What happens in a market with every price and every second: its observation, its volatility and shock ranges, its
//! funding. The program calls it, and a client that wants to know what a market will be.

use plimsoll_risk::{
    funding::{self, FundingIndex},
    price::{self, Observation},
    units::{Base, Ppm, Price, Quote, Timestamp, Volatility},
    volatility::{self, Estimate, Forecast, VolatilityParameters},
};

use crate::{
    PlimsollError,
    accounts::{Market, MarketSlot, VolatilityEstimate, VolatilityForecast},
    config::MarketConfig,
};

impl From<VolatilityEstimate> for Estimate {
    fn from(stored: VolatilityEstimate) -> Self {
        let VolatilityEstimate {
            variance,
            price,
            publish_time,
            pending_price,
            pending_time,
            variance_before,
            variance_confirmed,
            samples,
        } = stored;
        Self {
            variance,
            price,
            publish_time,
            pending_price,
            pending_time,
            variance_before,
            variance_confirmed,
            samples,
        }
    }
}

impl From<Estimate> for VolatilityEstimate {
    fn from(estimate: Estimate) -> Self {
        let Estimate {
            variance,
            price,
            publish_time,
            pending_price,
            pending_time,
            variance_before,
            variance_confirmed,
            samples,
        } = estimate;
        Self {
            variance,
            price,
            publish_time,
            pending_price,
            pending_time,
            variance_before,
            variance_confirmed,
            samples,
        }
    }
}

impl From<VolatilityForecast> for Forecast {
    fn from(stored: VolatilityForecast) -> Self {
        let VolatilityForecast { volatility_ppm, ramped, posted_at, expires_at, ramp_left, .. } = stored;
        Self { volatility: volatility_ppm, _reserved: 0, ramped, posted_at, expires_at, ramp_left }
    }
}

impl From<Forecast> for VolatilityForecast {
    fn from(forecast: Forecast) -> Self {
        let Forecast { volatility, ramped, posted_at, expires_at, ramp_left, .. } = forecast;
        Self { volatility_ppm: volatility, _padding: 0, ramped, posted_at, expires_at, ramp_left }
    }
}

/// Prices.
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

    /// Stores an observation, unless the stored one is younger: the one place where a market takes a price. Funding is
    /// accrued up to now at the price that was known until now; volatility and ranges follow the new one.
    ///
    /// # Errors
    /// [`PlimsollError::OracleOlderThanObservation`].
    pub fn record(&mut self, observation: &Observation, now: Timestamp) -> Result<(), PlimsollError> {
        if observation.publish_time.raw() < self.publish_time {
            return Err(PlimsollError::OracleOlderThanObservation);
        }
        self.accrue_funding(now);
        self.spot = observation.spot.raw();
        self.ema = observation.ema.raw();
        self.confidence = observation.confidence.raw();
        self.publish_time = observation.publish_time.raw();
        if self.config.measures_volatility() { self.sample(observation, now) } else { Ok(()) }
    }
}

/// Volatility and the shock ranges.
impl Market {
    /// Takes a recorded price into the volatility estimate, and the ranges where they change with it.
    ///
    /// A price of which the oracle itself says that it does not know it, by a confidence beyond the market's limit, is no
    /// sample: the noise of such prints would be taken for volatility. The estimate keeps its last sample, so what such
    /// prints hide counts whole with the first that is narrow again. A gap between spot and average is no reason to wait,
    /// as every crash opens one.
    ///
    /// The ranges depend on estimate, forecast and time alone, and on time only while there is a forecast: else they stand.
    #[inline(never)]
    fn sample(&mut self, observation: &Observation, now: Timestamp) -> Result<(), PlimsollError> {
        let mut changed = self.forecast.expires_at != 0;
        let parameters = self.config.volatility.parameters();
        if !price::is_doubtful(observation, Ppm::from_raw(self.config.max_confidence_ppm)) {
            let mut estimate = Estimate::from(self.estimate);
            if estimate.update(&parameters, observation.spot, observation.publish_time)? {
                self.estimate = estimate.into();
                changed = true;
            }
        }
        if changed {
            self.update_ranges(&parameters, now);
        }
        Ok(())
    }

    /// The volatility that the estimate says, before floor and cap: where it starts, until there is a first sample.
    pub fn estimated_volatility(&self) -> Volatility {
        if self.estimate.price == 0 {
            return Volatility::from_raw(self.config.volatility.initial_ppm);
        }
        Estimate::from(self.estimate).volatility()
    }

    /// The volatilities that are in use now.
    pub fn used_volatility(&self, now: Timestamp) -> volatility::Used {
        let parameters = self.config.volatility.parameters();
        volatility::used(self.estimated_volatility(), &self.forecast.into(), &parameters, now)
    }

    /// Ranges of the volatilities in use now. A forecast that has expired is forgotten, so that ranges stand still again.
    fn update_ranges(&mut self, parameters: &VolatilityParameters, now: Timestamp) {
        let forecast = Forecast::from(self.forecast);
        if !forecast.is_alive(now) {
            self.forecast = Forecast::default().into();
        }
        let used = volatility::used(self.estimated_volatility(), &forecast, parameters, now);
        self.range_ppm = volatility::range(used.init, parameters).raw();
        self.range_maint_ppm =
            if used.maint == used.init { self.range_ppm } else { volatility::range(used.maint, parameters).raw() };
    }

    /// Replaces the forecast by `volatility`, within the engine's bounds. The range towards initial margin follows at once,
    /// the one towards maintenance over the ramp.
    ///
    /// # Errors
    /// [`PlimsollError::ForecastUnused`], [`PlimsollError::ForecastOutOfBounds`], [`PlimsollError::ForecastTooFast`].
    pub fn post_forecast(&mut self, volatility: Volatility, now: Timestamp) -> Result<(), PlimsollError> {
        if !self.config.measures_volatility() {
            return Err(PlimsollError::ForecastUnused);
        }
        let parameters = self.config.volatility.parameters();
        let last = Forecast::from(self.forecast);
        self.forecast = last.post(volatility, self.estimated_volatility(), &parameters, now)?.into();
        self.update_ranges(&parameters, now);
        Ok(())
    }

    /// Replaces the parameters: funding is accrued by the old ones first, the ranges are those of the new ones at once.
    ///
    /// Estimate and forecast go on, put between the new floor and cap. Where the new parameters measure no volatility they
    /// are forgotten: a sample of before would count all that the price did in between as one return.
    pub fn configure(&mut self, config: &MarketConfig, now: Timestamp) {
        self.accrue_funding(now);
        self.config = *config;
        if !config.measures_volatility() {
            self.estimate = Estimate::default().into();
            self.forecast = Forecast::default().into();
        }
        self.update_ranges(&config.volatility.parameters(), now);
    }
}

/// Funding.
impl Market {
    /// The traders' skew: the sum of their positions, minus the house's.
    #[inline(always)]
    fn traders_skew(&self) -> Base {
        Base::from_raw(self.house_size.wrapping_neg())
    }

    /// The rate at which funding is running, 1e-12 of the notional a day. Positive: longs pay.
    pub fn funding_rate_per_day(&self) -> i64 {
        funding::rate_per_day(&self.config.funding(), self.traders_skew())
    }

    /// Accrues funding up to `now`, at the stored price and the skew there has been since the last accrual.
    ///
    /// Time counts until the stored price is dead: who cannot trade, as there is no price, is not charged for staying. What
    /// is not counted is never made up for.
    #[inline(always)]
    pub fn accrue_funding(&mut self, now: Timestamp) {
        let since = self.funding_accrued_at;
        if now.raw() > since {
            self.funding_accrued_at = now.raw();
            if self.house_size != 0 && self.config.funding.max_rate_per_day_ppm != 0 {
                self.move_funding_index(since, now.raw());
            }
        }
    }

    #[inline(never)]
    fn move_funding_index(&mut self, since: i64, now: i64) {
        let dead_at = self.publish_time.saturating_add(i64::from(self.config.dead_age_seconds));
        let elapsed = u64::try_from(now.min(dead_at).saturating_sub(since)).unwrap_or(0);
        let index = FundingIndex { value: self.funding_index, remainder: self.funding_remainder };
        let index = funding::accrue(index, self.funding_rate_per_day(), Price::from_raw(self.spot), elapsed);
        self.funding_index = index.value;
        self.funding_remainder = index.remainder;
    }

    /// Moves what a position owes in funding from its account's cash to the house's (INV-3 stays), rounded up against the
    /// account, and says how much. Comes before every change of a position, see [`Self::move_position`].
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`].
    pub fn settle_funding(&mut self, slot: &mut MarketSlot) -> Result<i64, PlimsollError> {
        let paid_up_to = slot.funding_index;
        slot.funding_index = self.funding_index;
        if slot.size == 0 || paid_up_to == self.funding_index {
            return Ok(0);
        }
        let size = Base::from_raw(slot.size);
        let payment = funding::payment(size, paid_up_to, self.funding_index)?.raw();
        slot.cash = slot.cash.checked_sub(payment).ok_or(PlimsollError::Overflow)?;
        self.house_cash = self.house_cash.checked_add(payment).ok_or(PlimsollError::Overflow)?;
        let moved = self.funding_index.checked_sub(paid_up_to).ok_or(PlimsollError::Overflow)?;
        self.add_funding_paid(funding::weighted(size, moved))?;
        Ok(payment)
    }

    /// Counts the change of one account's position from `before` to `after`, whose funding is settled, in the open interest
    /// and in what has been paid in funding. Says whether the account's part of the open interest grew.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`], [`PlimsollError::Overflow`].
    pub fn move_position(&mut self, before: i64, after: i64) -> Result<bool, PlimsollError> {
        let long = |position: i64| if position > 0 { position.unsigned_abs() } else { 0 };
        let short = |position: i64| if position < 0 { position.unsigned_abs() } else { 0 };
        let shift = |total: u64, from: u64, to: u64| total.checked_sub(from)?.checked_add(to);
        self.open_interest_long =
            shift(self.open_interest_long, long(before), long(after)).ok_or(PlimsollError::Corrupt)?;
        self.open_interest_short =
            shift(self.open_interest_short, short(before), short(after)).ok_or(PlimsollError::Corrupt)?;
        if self.funding_index != 0 {
            let change = after.checked_sub(before).ok_or(PlimsollError::Overflow)?;
            self.add_funding_paid(funding::weighted(Base::from_raw(change), self.funding_index))?;
        }
        Ok(long(after) > long(before) || short(after) > short(before))
    }

    /// Sum over all accounts of position times the funding index that it has paid up to.
    pub fn funding_paid(&self) -> i128 {
        let [low, high] = self.funding_paid;
        ((u128::from(high) << 64) | u128::from(low)).cast_signed()
    }

    fn add_funding_paid(&mut self, change: i128) -> Result<(), PlimsollError> {
        let sum = self.funding_paid().checked_add(change).ok_or(PlimsollError::Overflow)?.cast_unsigned();
        let word = |part: u128| u64::try_from(part & u128::from(u64::MAX)).unwrap_or(0);
        self.funding_paid = [word(sum), word(sum >> 64)];
        Ok(())
    }

    /// What traders owe the house in funding up to the last accrual and have not paid, quote native, rounded down: the
    /// house's net asset value counts it, as the accounts' equities do.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`].
    pub fn unsettled_funding(&self) -> Result<i64, PlimsollError> {
        if self.funding_index == 0 && self.funding_paid == [0; 2] {
            return Ok(0);
        }
        Ok(funding::unsettled(self.traders_skew(), self.funding_index, self.funding_paid())?.raw())
    }
}

impl MarketSlot {
    /// Cash of the slot after the funding that its position owes in `market`, quote native: what [`Market::settle_funding`]
    /// will leave.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`].
    #[inline(always)]
    pub fn cash_after_funding(&self, market: &Market) -> Result<Quote, PlimsollError> {
        if self.funding_index == market.funding_index || self.size == 0 {
            return Ok(Quote::from_raw(self.cash));
        }
        unsettled_cash(self, market.funding_index)
    }
}

#[inline(never)]
fn unsettled_cash(slot: &MarketSlot, index: i64) -> Result<Quote, PlimsollError> {
    let payment = funding::payment(Base::from_raw(slot.size), slot.funding_index, index)?;
    Quote::from_raw(slot.cash).checked_sub(payment).ok_or(PlimsollError::Overflow)
}
