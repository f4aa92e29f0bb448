//! What a board's account means to the engine: the same on-chain and off, so that a client that computes a board's risk
//! arrays from the accounts gets the chain's to the last bit.

use plimsoll_risk::{
    black::{MAX_MONEYNESS, MAX_VOLATILITY, MIN_VOLATILITY, OptionKind},
    grid::volatility_shock,
    math,
    options::{self, ArrayTerms, BoardSum, MAX_SAMPLES, MIN_TIME, RiskArray},
    units::{Base, Fraction, Lots, Ppm, Price, Q48, Quote, Seconds, Timestamp, Volatility},
    volatility::{self, Estimate, Forecast, Used},
};

use crate::{
    PlimsollError,
    accounts::{Board, BoardTerms, MAX_SERIES, MAX_STRIKES, Market, VolatilityEstimate, VolatilityForecast},
    config::limits,
    instruction::{Contract, StrikePrice, instrument},
};

/// Powers of ten that a strike may have.
const EXPONENT_MAX: i32 = 12;
/// One, in ppm.
const MILLION: u64 = 1_000_000;
/// Decimals of the quote, whose native units prices count.
const QUOTE_DECIMALS: i32 = 6;

impl From<&BoardTerms> for ArrayTerms {
    fn from(terms: &BoardTerms) -> Self {
        Self {
            spot: Price::from_raw(terms.spot),
            forward: Price::from_raw(terms.forward),
            discount: Fraction::from_raw(terms.discount),
            lot: terms.lot,
            time: Timestamp::from_raw(terms.time),
            max_age: Seconds::from_raw(terms.max_age_seconds),
            max_drift: terms.max_drift,
            step: terms.step,
            scale: terms.scale,
        }
    }
}

impl From<&ArrayTerms> for BoardTerms {
    fn from(terms: &ArrayTerms) -> Self {
        Self {
            spot: terms.spot.raw(),
            forward: terms.forward.raw(),
            discount: terms.discount.raw(),
            lot: terms.lot,
            time: terms.time.raw(),
            max_age_seconds: terms.max_age.raw(),
            max_drift: terms.max_drift,
            step: terms.step,
            scale: terms.scale,
        }
    }
}

impl From<&VolatilityEstimate> for Estimate {
    fn from(stored: &VolatilityEstimate) -> Self {
        Self {
            variance: stored.variance,
            price: stored.price,
            publish_time: stored.publish_time,
            pending_price: stored.pending_price,
            pending_time: stored.pending_time,
            variance_before: stored.variance_before,
            variance_confirmed: stored.variance_confirmed,
            samples: stored.samples,
        }
    }
}

impl From<&VolatilityForecast> for Forecast {
    fn from(stored: &VolatilityForecast) -> Self {
        Self {
            volatility: stored.volatility_ppm,
            _reserved: 0,
            ramped: stored.ramped,
            posted_at: stored.posted_at,
            expires_at: stored.expires_at,
            ramp_left: stored.ramp_left,
        }
    }
}

/// Whether a series is of calls or of puts.
pub const fn series_kind(series: usize) -> OptionKind {
    if series & 1 == 0 { OptionKind::Call } else { OptionKind::Put }
}

/// The place of a series' strike in its board.
pub const fn series_strike(series: usize) -> usize {
    series >> 1
}

/// The market's volatility: the estimate, or the parameters' initial one before the first observation, or the forecast
/// where that is higher; between floor and cap.
pub fn used_volatility(market: &Market, now: Timestamp) -> Used {
    let parameters = market.config.volatility.parameters();
    let estimate =
        if market.estimate.price == 0 { parameters.initial } else { Estimate::from(&market.estimate).volatility() };
    volatility::used(estimate, &Forecast::from(&market.forecast), &parameters, now)
}

/// Between what the volatilities of a market's options are: its own divided and multiplied by the ratio that it is
/// configured with, within what the engine prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolatilityBand {
    /// The lowest, rounded up.
    pub least: Volatility,
    /// The highest, rounded down.
    pub most: Volatility,
}

impl VolatilityBand {
    /// Around a market's used volatility, for the largest ratio either way, ppm from 1e6 on.
    pub fn around(used: Volatility, ratio_ppm: u32) -> Self {
        let (used, ratio) = (u64::from(used.raw()), u64::from(ratio_ppm.max(Ppm::ONE.raw())));
        let clamp = |raw: Option<u64>| {
            let raw = raw.and_then(|raw| u32::try_from(raw).ok()).unwrap_or(u32::MAX);
            Volatility::from_raw(raw).clamp(MIN_VOLATILITY, MAX_VOLATILITY)
        };
        Self {
            least: clamp(math::mul_div_ceil(used, MILLION, ratio)),
            most: clamp(math::mul_div_floor(used, ratio, MILLION)),
        }
    }

    /// Around the used volatility of a market now.
    pub fn of(market: &Market, now: Timestamp) -> Self {
        Self::around(used_volatility(market, now).init, market.config.options.volatility_ratio_max_ppm)
    }

    /// Whether a volatility is within.
    pub fn contains(&self, volatility: Volatility) -> bool {
        (self.least..=self.most).contains(&volatility)
    }

    /// The nearest volatility within.
    pub fn clamp(&self, volatility: Volatility) -> Volatility {
        // least <= most: the ratio is at least one. If not, the highest wins.
        volatility.max(self.least).min(self.most)
    }
}

/// Whether one post may take a volatility from `last` to `posted`: by at most
/// [`limits::POST_VOLATILITY_STEP_PPM_MAX`] of the last one, either way.
pub fn may_move(last: Volatility, posted: Volatility) -> bool {
    let largest = math::mul_ppm_floor(u64::from(last.raw()), Ppm::from_raw(limits::POST_VOLATILITY_STEP_PPM_MAX));
    largest.is_some_and(|largest| u64::from(posted.raw().abs_diff(last.raw())) <= largest)
}

/// The price that a strike's decimal says, quote native per base unit, nearest.
///
/// # Errors
/// [`PlimsollError::InvalidStrike`] for other than three digits, an exponent beyond 12 either way, or a price that the
/// engine has no number for.
pub fn strike_price(strike: StrikePrice, base_decimals: u8) -> Result<Price, PlimsollError> {
    let exponent = i32::from(strike.exponent);
    if !(100..=999).contains(&strike.digits) || exponent.unsigned_abs() > EXPONENT_MAX.unsigned_abs() {
        return Err(PlimsollError::InvalidStrike);
    }
    // Below 2^58.
    let digits = u64::from(strike.digits) << Q48;
    let exponent = exponent.saturating_add(QUOTE_DECIMALS).saturating_sub(i32::from(base_decimals));
    let scale = math::pow10(exponent.unsigned_abs()).ok_or(PlimsollError::InvalidStrike)?;
    let raw = if exponent < 0 {
        digits.checked_add(scale >> 1).and_then(|sum| sum.checked_div(scale))
    } else {
        digits.checked_mul(scale)
    };
    let price = Price::from_raw(raw.ok_or(PlimsollError::InvalidStrike)?);
    if price < Price::MIN_SPOT || price.raw() > u64::MAX >> 1 {
        return Err(PlimsollError::InvalidStrike);
    }
    Ok(price)
}

/// `spot (1 + basis)`, rounded down, within what the engine prices.
///
/// # Errors
/// [`PlimsollError::Corrupt`] for a basis of -100 % and below.
pub fn forward(spot: Price, basis_ppm: i32) -> Result<Price, PlimsollError> {
    let ratio = i64::from(basis_ppm).checked_add(i64::from(Ppm::ONE.raw())).and_then(|sum| u64::try_from(sum).ok());
    let raw = math::mul_div_floor(spot.raw(), ratio.ok_or(PlimsollError::Corrupt)?, MILLION);
    Ok(Price::from_raw(raw.unwrap_or(u64::MAX).clamp(Price::MIN_SPOT.raw(), u64::MAX >> 1)))
}

/// What the engine computes a board's arrays from: the market as it is, at `spot`, for the moment `at`. Between expiry and
/// settlement options are computed as if [`MIN_TIME`] were left.
///
/// # Errors
/// [`PlimsollError::Corrupt`], [`PlimsollError::InvalidMarketParameters`].
pub fn terms_at(market: &Market, board: &Board, spot: Price, at: Timestamp) -> Result<options::Board, PlimsollError> {
    let parameters = &market.config.options;
    let time = Timestamp::from_raw(board.expiry).since(at).max(MIN_TIME);
    let shock = |base: u32| {
        volatility_shock(
            Ppm::from_raw(base),
            Ppm::from_raw(parameters.volatility_power_short_ppm),
            Ppm::from_raw(parameters.volatility_power_long_ppm),
            time,
        )
    };
    Ok(options::Board {
        spot,
        forward: forward(spot, board.basis_ppm)?,
        discount: Fraction::ONE,
        lot: board.lot,
        time,
        now: at,
        range: Ppm::from_raw(market.range_ppm),
        // Near expiries' shocks may be beyond what the engine takes, which ends in its lowest and highest volatility anyway.
        volatility_up: shock(parameters.volatility_up_ppm)?.min(options::MAX_VOLATILITY_SHOCK),
        volatility_down: shock(parameters.volatility_down_ppm)?.min(Ppm::ONE),
    })
}

/// The strike that an array is computed for: the board's, moved to the nearest one that the engine prices where the market
/// has run away from it since it was listed, so that no strike ever keeps a board from being refreshed. Listed within
/// [`limits::STRIKE_RATIO_MAX`] of the spot, that takes a rise to more than 800 times the price, or a fall to less than a
/// tenth of it, where the calls that are overstated then are worth next to nothing.
pub fn array_strike(strike: Price, forward: Price) -> Price {
    let most = forward.raw().saturating_mul(MAX_MONEYNESS);
    let least = forward.raw().div_ceil(options::MAX_DEPTH).saturating_add(1);
    Price::from_raw(strike.raw().clamp(least, most))
}

/// Whether one more sample is wanted of a print published at `publish_time`, and what has it then: a part of the window
/// before the expiry, or the time from the end of the last sampled part on behind it, in whole parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplePart {
    /// The part with this number, before the expiry.
    Window(u32),
    /// Behind the expiry: the part that ends at this moment, unix seconds.
    Late(i64),
}

impl Board {
    /// The part of the sampling window that a print is of, where it still wants a sample.
    ///
    /// Before the expiry: [`MAX_SAMPLES`] parts of [`limits::SAMPLE_SECONDS`], each with one sample. Behind it, while there
    /// are fewer than [`limits::SAMPLES_MIN`]: parts of the same length, each later than those that have one.
    pub fn wanting(&self, publish_time: i64) -> Option<SamplePart> {
        let window = i64::try_from(MAX_SAMPLES).ok()?.checked_mul(limits::SAMPLE_SECONDS)?;
        let since = publish_time.checked_sub(self.expiry.checked_sub(window)?)?;
        let part = since.checked_div_euclid(limits::SAMPLE_SECONDS)?;
        if since < 0 {
            return None;
        }
        if since < window {
            let part = u32::try_from(part).ok()?;
            return ((self.sampled >> part) & 1 == 0).then_some(SamplePart::Window(part));
        }
        let begins = part.checked_mul(limits::SAMPLE_SECONDS)?.checked_add(self.expiry.checked_sub(window)?)?;
        let late = self.sample_count < limits::SAMPLES_MIN && begins >= self.sampled_until;
        late.then_some(SamplePart::Late(begins.checked_add(limits::SAMPLE_SECONDS)?))
    }

    /// Counts a sample.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] where there are more samples than parts.
    pub fn add_sample(&mut self, part: SamplePart, price: Price) -> Result<(), PlimsollError> {
        let index = usize::try_from(self.sample_count).map_err(|_| PlimsollError::Corrupt)?;
        *self.samples.get_mut(index).ok_or(PlimsollError::Corrupt)? = price.raw();
        self.sample_count = self.sample_count.checked_add(1).ok_or(PlimsollError::Corrupt)?;
        match part {
            SamplePart::Window(part) => self.sampled |= 1 << part,
            SamplePart::Late(ends) => self.sampled_until = ends,
        }
        Ok(())
    }

    /// Whether the board may be settled: some time after its expiry with enough samples, or a day after it with any.
    pub fn may_settle(&self, now: Timestamp) -> bool {
        let since = now.raw().saturating_sub(self.expiry);
        since >= limits::SETTLE_ANYWAY_SECONDS
            || (since >= limits::SETTLE_DELAY_SECONDS && self.sample_count >= limits::SAMPLES_MIN)
    }

    /// The price of settlement by the samples, `None` without any.
    pub fn sampled_price(&self) -> Option<Price> {
        options::settlement_price(self.samples.get(..usize::try_from(self.sample_count).ok()?)?)
    }

    /// Whether no account and not the house has options of the board.
    pub fn is_empty(&self) -> bool {
        (0..MAX_STRIKES).all(|strike| self.is_untraded(strike))
    }

    /// Bit `i`: slot `i` has a strike.
    pub fn listed(&self) -> u16 {
        self.strikes.iter().enumerate().fold(0, |listed, (index, strike)| listed | (u16::from(*strike != 0) << index))
    }

    /// The array in force of a strike.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] beyond the strikes that there are.
    pub fn array(&self, strike: usize) -> Result<&RiskArray, PlimsollError> {
        Ok(bytemuck::cast_ref(self.arrays.get(strike).ok_or(PlimsollError::Corrupt)?))
    }

    /// Whether a strike has an array in force.
    pub fn is_refreshed(&self, strike: usize) -> bool {
        strike < MAX_STRIKES && (self.refreshed >> strike) & 1 == 1
    }

    /// The strike of a series.
    ///
    /// # Errors
    /// [`PlimsollError::Corrupt`] beyond the series that there are.
    pub fn series_strike(&self, series: usize) -> Result<Price, PlimsollError> {
        self.strikes.get(series_strike(series)).copied().map(Price::from_raw).ok_or(PlimsollError::Corrupt)
    }

    /// The series of a call or put, by its terms. `base_decimals` are the market's.
    ///
    /// # Errors
    /// [`PlimsollError::FillWrongBoard`] for another expiry, [`PlimsollError::UnknownSeries`] for a strike that is not
    /// listed, [`PlimsollError::InvalidStrike`] for what is no strike.
    pub fn series_of(&self, contract: &Contract, instrument: u8, base_decimals: u8) -> Result<u8, PlimsollError> {
        if contract.expiry() != self.expiry {
            return Err(PlimsollError::FillWrongBoard);
        }
        let strike = strike_price(contract.strike, base_decimals)?.raw();
        let index = self.strikes.iter().position(|listed| *listed == strike).ok_or(PlimsollError::UnknownSeries)?;
        // Below MAX_STRIKES.
        let series = index.wrapping_mul(2).wrapping_add(usize::from(instrument == instrument::PUT));
        u8::try_from(series).map_err(|_| PlimsollError::Corrupt)
    }

    /// Whether a slot's series have no open options at all: the house's lots are minus the accounts', so without any and
    /// without long ones there are no short ones.
    pub fn is_untraded(&self, strike: usize) -> bool {
        (0..MAX_SERIES).filter(|series| series_strike(*series) == strike).all(|series| {
            self.house_lots.get(series).is_none_or(|lots| *lots == 0)
                && self.long_lots.get(series).is_none_or(|lots| *lots == 0)
        })
    }

    /// The house's options of the board, summed.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`] beyond 2^30 lots.
    pub fn house_sum(&self) -> Result<BoardSum, PlimsollError> {
        let mut sum = BoardSum::new();
        for (series, lots) in self.house_lots.iter().enumerate().filter(|(_, lots)| **lots != 0) {
            let array = self.array(series_strike(series))?;
            sum.add(array, series_kind(series), self.series_strike(series)?, Lots::from_raw(*lots))?;
        }
        Ok(sum)
    }

    /// What `lots` of a series are worth at the settlement price, quote native, rounded toward minus infinity.
    ///
    /// # Errors
    /// [`PlimsollError::Overflow`].
    pub fn settled_value(&self, series: usize, lots: i64) -> Result<Quote, PlimsollError> {
        let strike = self.series_strike(series)?.raw();
        let intrinsic = match series_kind(series) {
            OptionKind::Call => self.settlement_price.saturating_sub(strike),
            OptionKind::Put => strike.saturating_sub(self.settlement_price),
        };
        let lot = i64::try_from(self.lot).map_err(|_| PlimsollError::Overflow)?;
        let base = lots.checked_mul(lot).ok_or(PlimsollError::Overflow)?;
        let value = Price::from_raw(intrinsic).value_floor(Base::from_raw(base));
        value.ok_or(PlimsollError::Overflow)
    }
}
