//! What a file wants, in the program's units.

use std::{collections::BTreeMap, path::Path};

use plimsoll_client::{
    Address,
    accounts::oracle_kind,
    address,
    config::{
        BankConfig, ExchangeConfig, FundingConfig, MarketConfig, OptionConfig, RateSource, VolatilityConfig, limits,
        loss_mode, rate_kind, role, state,
    },
    interface::{
        PlimsollError,
        accounts::{MAX_MARKET_BOARDS, MAX_STRIKES},
        change::{QuoteFeed, RoleHolder},
        instruction::{CreateMarketArgs, StrikePrice},
    },
    price,
    risk::{
        parameters::{MAX_SHORT_MINIMUM, MAX_VOLATILITY_DOWN, MAX_VOLATILITY_POWER, MAX_VOLATILITY_UP},
        portfolio::{GROUP_PAIRS, MAX_EXTREME_DAMPING, MAX_GROUPS, pair_index},
        pyth,
        units::{Ppm, Seconds},
    },
};

use crate::{
    FileError,
    file::{
        self, BankTable, BoardTable, FeedTable, File, LendingTable, LossValue, MarketTable, OracleValue, OutflowTable,
        PerpetualTable, QuoteTable, RateTable, RolesTable, StateValue, VolatilityTable,
    },
    value::Number,
};

/// One exchange as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Which of its creator's exchanges it is.
    pub index: u16,
    /// Parameters of the exchange.
    pub exchange: ExchangeConfig,
    /// The bank of the quote mint.
    pub quote: BankSpec,
    /// What the house is given at first, quote native.
    pub house_deposit: u64,
    /// The markets, by symbol.
    pub markets: Vec<MarketSpec>,
    /// The banks of the collaterals, by symbol.
    pub banks: Vec<BankSpec>,
    /// Who is to hold which of [`role`]; a role that is not here stays whose it is.
    pub roles: Vec<RoleHolder>,
    /// The feed of the quote; left as it is where there is none.
    pub quote_feed: Option<FeedSpec>,
    /// Names of the risk groups.
    pub groups: BTreeMap<u8, String>,
}

/// A price feed and where its price account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedSpec {
    /// The feed.
    pub feed: QuoteFeed,
    /// Its price account.
    pub price_account: Address,
}

/// One market as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketSpec {
    /// Its name.
    pub symbol: String,
    /// Everything that creates it.
    pub args: CreateMarketArgs,
    /// Where its price account stands.
    pub price_account: Address,
    /// Expiries of its options.
    pub boards: Vec<BoardSpec>,
}

/// One expiry of a market's options as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardSpec {
    /// Which of its market's boards.
    pub slot: u8,
    /// When its options expire.
    pub expiry: Expiry,
    /// Strikes, with the volatility that each starts with, ppm a year.
    pub strikes: Vec<(StrikePrice, u32)>,
    /// The forward over spot less one, ppm.
    pub basis_ppm: i32,
}

/// When options expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this moment, unix seconds.
    At(i64),
    /// At the first 08:00 UTC that is at least so many days away when the board is created.
    AfterDays(u32),
}

impl Expiry {
    /// The moment, for a board that is created now, unix seconds.
    pub fn at(self, now: i64) -> i64 {
        match self {
            Self::At(at) => at,
            Self::AfterDays(days) => {
                let earliest = now.saturating_add(i64::from(days).saturating_mul(DAY));
                let days = earliest.saturating_sub(limits::EXPIRY_SECOND_OF_DAY + 1).div_euclid(DAY) + 1;
                days.saturating_mul(DAY).saturating_add(limits::EXPIRY_SECOND_OF_DAY)
            }
        }
    }
}

/// One bank as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankSpec {
    /// Name of its mint.
    pub symbol: String,
    /// Its mint; zero until the file or [`Deployment::with_mints`] says it.
    pub mint: Address,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Symbol of the market that prices it, `None` for the quote.
    pub market: Option<String>,
    /// Its parameters.
    pub config: BankConfig,
    /// Where its exchange rate is read; left as it is where there is none.
    pub rate: Option<RateSpec>,
}

/// Where a staked token's exchange rate is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSpec {
    /// The stake pool and limits.
    pub source: RateSource,
    /// The price account of the token's own feed, where it has one.
    pub price_account: Option<Address>,
}

/// Seconds of a day.
const DAY: i64 = 86_400;
/// No mint yet.
const NO_MINT: Address = Address::new_from_array([0; 32]);

impl Deployment {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`], naming file and key.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| FileError::Unreadable { file: file.clone(), cause: error.to_string() })?;
        Self::parse(&file, &text)
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// [`FileError`], naming file and key.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        Reader { file }.deployment(&file::parse::<File>(file, text)?)
    }

    /// The same with the mints of the given symbols, for those that the file leaves open.
    #[must_use]
    pub fn with_mints(mut self, mints: &BTreeMap<String, Address>) -> Self {
        for bank in std::iter::once(&mut self.quote).chain(&mut self.banks) {
            if bank.mint == NO_MINT
                && let Some(mint) = mints.get(&bank.symbol)
            {
                bank.mint = *mint;
            }
        }
        self
    }

    /// Symbols of the banks that have no mint yet.
    pub fn missing_mints(&self) -> Vec<&str> {
        let banks = std::iter::once(&self.quote).chain(&self.banks);
        banks.filter(|bank| bank.mint == NO_MINT).map(|bank| bank.symbol.as_str()).collect()
    }

    /// Address of the exchange that `creator` makes of this.
    pub fn address(&self, creator: &Address) -> Address {
        address::exchange(creator, self.index)
    }
}

/// Converts tables, naming the key of what it refuses.
struct Reader<'a> {
    file: &'a str,
}

type Result<T, E = FileError> = std::result::Result<T, E>;

impl Reader<'_> {
    fn refuse<T>(&self, key: impl Into<String>, cause: impl Into<String>) -> Result<T> {
        Err(FileError::NotAllowed { file: self.file.into(), key: key.into(), cause: cause.into() })
    }

    /// A ratio in ppm, from `least` to `most` ppm.
    fn ratio_from(&self, key: &str, value: Number, least: u32, most: u32) -> Result<u32> {
        let ppm = value.scaled(6).and_then(|ppm| u32::try_from(ppm).ok());
        match ppm.filter(|ppm| (least..=most).contains(ppm)) {
            Some(ppm) => Ok(ppm),
            None => self.refuse(
                key,
                format!(
                    "{value} is not allowed: a ratio from {} to {} in steps of 0.000001",
                    ppm_text(least),
                    ppm_text(most)
                ),
            ),
        }
    }

    fn ratio(&self, key: &str, value: Number, most: u32) -> Result<u32> {
        self.ratio_from(key, value, 0, most)
    }

    /// An amount in units of `10^-decimals`.
    fn amount(&self, key: &str, value: Number, decimals: u8) -> Result<u64> {
        match value.scaled(u32::from(decimals)) {
            Some(amount) => Ok(amount),
            None => {
                let most = u64::MAX / 10u64.pow(u32::from(decimals.min(19)));
                self.refuse(key, format!("{value} is not allowed: from 0 to {most}, with at most {decimals} decimals"))
            }
        }
    }

    fn seconds(&self, key: &str, value: u32, least: u32, most: u32) -> Result<u32> {
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        self.refuse(key, format!("{value} is not allowed: from {least} to {most} seconds"))
    }

    fn address(&self, key: &str, text: &str) -> Result<Address> {
        match text.parse() {
            Ok(address) => Ok(address),
            Err(_) => self.refuse(key, format!("\"{text}\" is not allowed: an address of 32 bytes in base 58")),
        }
    }

    fn valid(&self, key: &str, checked: std::result::Result<(), PlimsollError>) -> Result<()> {
        checked.or_else(|error| self.refuse(key, format!("taken together the program refuses it: {}", error.message())))
    }

    fn deployment(&self, file: &File) -> Result<Deployment> {
        let groups = self.groups(file)?;
        let markets = file.markets.iter().map(|(symbol, table)| self.market(symbol, table, &groups));
        let markets = markets.collect::<Result<Vec<_>>>()?;
        let banks = file.banks.iter().map(|(symbol, table)| self.bank(symbol, table, &markets));
        let banks = banks.collect::<Result<Vec<_>>>()?;
        if file.banks.contains_key(&file.quote.symbol) {
            return self.refuse(format!("banks.{}", file.quote.symbol), "is the quote: it has its bank already");
        }
        Ok(Deployment {
            index: file.exchange.index,
            exchange: self.exchange(file, &groups)?,
            quote: self.quote(&file.quote)?,
            house_deposit: self.amount(
                "house.initial_deposit_usd",
                file.house.initial_deposit_usd,
                limits::QUOTE_DECIMALS,
            )?,
            markets,
            banks,
            roles: self.roles(&file.roles)?,
            quote_feed: file.quote.feed.as_ref().map(|feed| self.feed("quote.feed", feed)).transpose()?,
            groups: groups.into_iter().map(|(name, group)| (group, name)).collect(),
        })
    }

    fn roles(&self, table: &RolesTable) -> Result<Vec<RoleHolder>> {
        let given = [
            (role::RISK_ADMIN, "roles.risk_admin", &table.risk_admin),
            (role::KEEPER, "roles.keeper", &table.keeper),
            (role::FORECASTER, "roles.forecaster", &table.forecaster),
        ];
        let given = given.into_iter().filter_map(|(role, key, holder)| Some((role, key, holder.as_deref()?)));
        given.map(|(role, key, holder)| Ok(RoleHolder { role, holder: self.address(key, holder)? })).collect()
    }

    fn feed(&self, key: &str, table: &FeedTable) -> Result<FeedSpec> {
        let (oracle_owner, oracle_kind) = oracle(table.oracle);
        let feed_id = self.feed_id(&format!("{key}.feed_id"), &table.feed_id, oracle_kind)?;
        let key = format!("{key}.price_account");
        let price_account = match &table.price_account {
            Some(text) => Some(self.address(&key, text)?),
            None => price::usual_address_of(oracle_kind, &oracle_owner, &feed_id),
        };
        let Some(price_account) = price_account else { return self.refuse(key, "is wanted for this oracle") };
        Ok(FeedSpec { feed: QuoteFeed { oracle_kind, feed_id, oracle_owner }, price_account })
    }

    fn rate(&self, key: &str, table: &RateTable) -> Result<RateSpec> {
        let feed = table.feed.as_ref().map(|feed| self.feed(&format!("{key}.feed"), feed)).transpose()?;
        let most = limits::RATE_AGE_SECONDS_MAX;
        let source = RateSource {
            pool: self.address(&format!("{key}.stake_pool"), &table.stake_pool)?,
            max_age_seconds: self.seconds(&format!("{key}.max_age_seconds"), table.max_age_seconds, 1, most)?,
            rise_per_day_ppm: self.ratio(
                &format!("{key}.rise_per_day"),
                table.rise_per_day,
                limits::RATE_RISE_PER_DAY_PPM_MAX,
            )?,
            kind: rate_kind::STAKE_POOL,
            feed_id: feed.map_or([0; 32], |feed| feed.feed.feed_id),
            feed_owner: feed.map_or(NO_MINT, |feed| feed.feed.oracle_owner),
            feed_kind: feed.map_or(0, |feed| feed.feed.oracle_kind),
            has_feed: u8::from(feed.is_some()),
            _padding: [0; 5],
        };
        self.valid(key, source.validate())?;
        Ok(RateSpec { source, price_account: feed.map(|feed| feed.price_account) })
    }

    fn board(&self, key: &str, table: &BoardTable) -> Result<BoardSpec> {
        if usize::from(table.slot) >= MAX_MARKET_BOARDS {
            let cause = format!("{} is not allowed: from 0 to {}", table.slot, MAX_MARKET_BOARDS - 1);
            return self.refuse(format!("{key}.slot"), cause);
        }
        let count = table.strikes.len();
        if !(1..=MAX_STRIKES).contains(&count) {
            return self.refuse(format!("{key}.strikes"), format!("{count} are not allowed: from 1 to {MAX_STRIKES}"));
        }
        if table.volatilities.len() != count {
            let cause = format!("{} for {count} strikes: one for each is wanted", table.volatilities.len());
            return self.refuse(format!("{key}.volatilities"), cause);
        }
        let rows = table.strikes.iter().zip(&table.volatilities).enumerate();
        let strikes = rows.map(|(row, (strike, volatility))| {
            let strike_key = format!("{key}.strikes[{row}]");
            let Some((digits, exponent)) = strike.three_digits() else {
                return self.refuse(strike_key, format!("{strike} is not allowed: above 0, of at most three digits"));
            };
            let volatility = self.ratio_from(&format!("{key}.volatilities[{row}]"), *volatility, 1, 100_000_000)?;
            Ok((StrikePrice { digits, exponent }, volatility))
        });
        let most = limits::BASIS_PPM_MAX;
        let basis_ppm = table.basis.scaled_signed(6).and_then(|ppm| i32::try_from(ppm).ok());
        let Some(basis_ppm) = basis_ppm.filter(|ppm| ppm.unsigned_abs() <= most) else {
            let cause = format!("{} is not allowed: from -{most} to {most}", table.basis, most = ppm_text(most));
            return self.refuse(format!("{key}.basis"), cause);
        };
        Ok(BoardSpec {
            slot: table.slot,
            expiry: self.expiry(key, table)?,
            strikes: strikes.collect::<Result<_>>()?,
            basis_ppm,
        })
    }

    fn expiry(&self, key: &str, table: &BoardTable) -> Result<Expiry> {
        match (&table.expiry, table.after_days) {
            (None, Some(days @ 1..=364)) => Ok(Expiry::AfterDays(days)),
            (None, Some(days)) => {
                self.refuse(format!("{key}.after_days"), format!("{days} is not allowed: from 1 to 364"))
            }
            (Some(text), None) => match text.parse::<chrono::NaiveDate>() {
                Ok(day) => {
                    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
                    Ok(Expiry::At(midnight.saturating_add(limits::EXPIRY_SECOND_OF_DAY)))
                }
                Err(_) => {
                    self.refuse(format!("{key}.expiry"), format!("\"{text}\" is not allowed: a day as 2027-03-26"))
                }
            },
            _ => self.refuse(key, "either `expiry` or `after_days` is wanted"),
        }
    }

    /// Numbers of the groups by name.
    fn groups(&self, file: &File) -> Result<BTreeMap<String, u8>> {
        let mut names: BTreeMap<u8, &str> = BTreeMap::new();
        for (name, group) in &file.groups {
            let key = format!("groups.{name}.index");
            if usize::from(group.index) >= MAX_GROUPS {
                return self.refuse(key, format!("{} is not allowed: from 0 to {}", group.index, MAX_GROUPS - 1));
            }
            if let Some(other) = names.insert(group.index, name) {
                return self.refuse(key, format!("{} is taken by the group {other}", group.index));
            }
        }
        Ok(file.groups.iter().map(|(name, group)| (name.clone(), group.index)).collect())
    }

    fn group(&self, key: &str, name: &str, groups: &BTreeMap<String, u8>) -> Result<u8> {
        match groups.get(name) {
            Some(group) => Ok(*group),
            None => {
                let known: Vec<&str> = groups.keys().map(String::as_str).collect();
                self.refuse(key, format!("there is no group \"{name}\": one of {}", known.join(", ")))
            }
        }
    }

    fn exchange(&self, file: &File, groups: &BTreeMap<String, u8>) -> Result<ExchangeConfig> {
        use limits::*;
        let table = &file.exchange;
        let one = 1_000_000;
        let mut phi_ppm = [0; MAX_GROUPS];
        for (name, group) in &file.groups {
            phi_ppm[usize::from(group.index)] = self.ratio(&format!("groups.{name}.netting"), group.netting, one)?;
        }
        let mut rho_ppm = [0; GROUP_PAIRS];
        for (number, row) in file.correlations.iter().enumerate() {
            let key = format!("correlations[{number}].groups");
            let [first, second] = &row.groups;
            let pair = pair_index(self.group(&key, first, groups)?, self.group(&key, second, groups)?);
            let Some(pair) = pair else { return self.refuse(key, "two different groups are wanted") };
            rho_ppm[pair] = self.ratio(&format!("correlations[{number}].correlation"), row.correlation, one)?;
        }
        let dust = self.amount("exchange.liquidation_dust_usd", table.liquidation_dust_usd, QUOTE_DECIMALS)?;
        let ratio = |key: &str, value, most| self.ratio(&format!("exchange.{key}"), value, most);
        let seconds = |key: &str, value, least, most| self.seconds(&format!("exchange.{key}"), value, least, most);
        let config = ExchangeConfig {
            liquidation_dust: dust,
            phi_ppm,
            rho_ppm,
            maintenance_ratio_ppm: self.ratio_from(
                "exchange.maintenance_ratio",
                table.maintenance_ratio,
                MAINTENANCE_RATIO_PPM_MIN,
                one,
            )?,
            liquidation_buffer_ppm: ratio("liquidation_buffer", table.liquidation_buffer, LIQUIDATION_BUFFER_PPM_MAX)?,
            liquidation_discount_min_ppm: ratio(
                "liquidation_discount_min",
                table.liquidation_discount_min,
                LIQUIDATION_DISCOUNT_PPM_MAX,
            )?,
            liquidation_discount_max_ppm: ratio(
                "liquidation_discount_max",
                table.liquidation_discount_max,
                LIQUIDATION_DISCOUNT_PPM_MAX,
            )?,
            liquidation_duration_seconds: seconds(
                "liquidation_duration_seconds",
                table.liquidation_duration_seconds,
                1,
                LIQUIDATION_DURATION_SECONDS_MAX,
            )?,
            pauses: 0,
            house_floor: self.amount("exchange.house_floor_usd", table.house_floor_usd, QUOTE_DECIMALS)?,
            extreme_damping_ppm: ratio("extreme_damping", table.extreme_damping, MAX_EXTREME_DAMPING.raw())?,
            insolvency_reward_max_ppm: ratio(
                "insolvency_reward_max",
                table.insolvency_reward_max,
                LIQUIDATION_DISCOUNT_PPM_MAX,
            )?,
            insolvency_duration_seconds: seconds(
                "insolvency_duration_seconds",
                table.insolvency_duration_seconds,
                1,
                INSOLVENCY_DURATION_SECONDS_MAX,
            )?,
            house_delay_seconds: seconds("house_delay_seconds", table.house_delay_seconds, 0, HOUSE_DELAY_SECONDS_MAX)?,
            timelock_seconds: seconds("timelock_seconds", table.timelock_seconds, 0, TIMELOCK_SECONDS_MAX)?,
            quote_scale_below_ppm: ratio("quote_scale_below", table.quote_scale_below, one)?,
            quote_refuse_below_ppm: ratio("quote_refuse_below", table.quote_refuse_below, one)?,
            loss_mode: match table.loss_mode {
                LossValue::Socialise => loss_mode::SOCIALISE,
                LossValue::Deleverage => loss_mode::DELEVERAGE,
            },
            _padding: [0; 3],
        };
        self.valid("exchange", config.validate())?;
        Ok(config)
    }

    fn market(&self, symbol: &str, table: &MarketTable, groups: &BTreeMap<String, u8>) -> Result<MarketSpec> {
        let at = |key: &str| format!("markets.{symbol}.{key}");
        let (oracle_owner, oracle_kind) = oracle(table.oracle);
        let feed_id = self.feed_id(&at("feed_id"), &table.feed_id, oracle_kind)?;
        if table.base_decimals > limits::BASE_DECIMALS_MAX {
            let cause = format!("{} is not allowed: from 0 to {}", table.base_decimals, limits::BASE_DECIMALS_MAX);
            return self.refuse(at("base_decimals"), cause);
        }
        let price_account = match &table.price_account {
            Some(text) => Some(self.address(&at("price_account"), text)?),
            None => price::usual_address_of(oracle_kind, &oracle_owner, &feed_id),
        };
        let Some(price_account) = price_account else {
            return self.refuse(at("price_account"), "is wanted for this oracle");
        };
        let args = CreateMarketArgs {
            symbol: self.symbol(symbol)?,
            feed_id,
            oracle_owner,
            oracle_kind,
            base_decimals: table.base_decimals,
            config: self.market_config(symbol, table, groups)?,
        };
        let boards = table.boards.iter().enumerate();
        let boards = boards.map(|(row, board)| self.board(&at(&format!("boards[{row}]")), board));
        let boards = boards.collect::<Result<Vec<_>>>()?;
        if !boards.is_empty() && table.options.is_none() {
            return self.refuse(at("boards"), "the market has no options");
        }
        for (row, board) in boards.iter().enumerate() {
            let is_taken = boards[..row].iter().any(|other| other.slot == board.slot);
            if is_taken {
                return self.refuse(at(&format!("boards[{row}].slot")), format!("{} is taken by another", board.slot));
            }
        }
        Ok(MarketSpec { symbol: symbol.into(), args, price_account, boards })
    }

    fn market_config(&self, symbol: &str, table: &MarketTable, groups: &BTreeMap<String, u8>) -> Result<MarketConfig> {
        use limits::*;
        let at = |key: &str| format!("markets.{symbol}.{key}");
        let ratio = |key: &str, value, least, most| self.ratio_from(&at(key), value, least, most);
        let config = MarketConfig {
            volatility: self.volatility(symbol, table)?,
            options: self.options(symbol, table)?,
            confidence_multiplier_ppm: ratio(
                "confidence_multiplier",
                table.confidence_multiplier,
                0,
                CONFIDENCE_MULTIPLIER_PPM_MAX,
            )?,
            max_confidence_ppm: ratio("max_confidence", table.max_confidence, 1, CONFIDENCE_PPM_MAX)?,
            max_ema_gap_ppm: ratio("max_ema_gap", table.max_ema_gap, 1, EMA_GAP_PPM_MAX)?,
            max_age_seconds: self.seconds(&at("max_age_seconds"), table.max_age_seconds, 1, MAX_AGE_SECONDS_MAX)?,
            dead_age_seconds: self.seconds(
                &at("dead_age_seconds"),
                table.dead_age_seconds,
                table.max_age_seconds,
                DEAD_AGE_SECONDS_MAX,
            )?,
            group: self.group(&at("group"), &table.group, groups)?,
            state: state_value(table.state),
            ..self.perpetual(symbol, table.base_decimals, table.perpetual.as_ref())?
        };
        self.valid(&format!("markets.{symbol}"), config.validate())?;
        Ok(config)
    }

    /// A range that is always the same, or what it follows.
    fn volatility(&self, symbol: &str, table: &MarketTable) -> Result<VolatilityConfig> {
        use limits::*;
        use plimsoll_client::risk::volatility::*;
        let key = format!("markets.{symbol}");
        let volatility = match (table.range, &table.volatility) {
            (Some(range), None) => {
                let range = self.ratio_from(&format!("{key}.range"), range, RANGE_PPM_MIN, RANGE_PPM_MAX)?;
                return Ok(VolatilityConfig::fixed_range(range));
            }
            (None, Some(volatility)) => volatility,
            _ => return self.refuse(key, "either `range` or the table `volatility` is wanted"),
        };
        let (usual, table) = (VolatilityConfig::DEFAULT, volatility);
        let ratio = |name: &str, value: Option<Number>, usual: u32, least: Ppm, most: Ppm| match value {
            Some(value) => self.ratio_from(&format!("{key}.volatility.{name}"), value, least.raw(), most.raw()),
            None => Ok(usual),
        };
        let (low, high) = (ppm(MIN_VOLATILITY.raw()), ppm(MAX_VOLATILITY.raw()));
        let (range_low, range_high) = (ppm(RANGE_PPM_MIN), ppm(RANGE_PPM_MAX));
        let level = (MIN_CONFIDENCE_LEVEL, MAX_CONFIDENCE_LEVEL);
        let (rise, fall) = (usual.rise_per_hour_ppm, usual.fall_per_day_ppm);
        Ok(VolatilityConfig {
            floor_ppm: ratio("floor", table.floor, usual.floor_ppm, low, high)?,
            cap_ppm: ratio("cap", table.cap, usual.cap_ppm, low, high)?,
            initial_ppm: ratio("initial", table.initial, usual.initial_ppm, low, high)?,
            jump_limit_ppm: ratio(
                "jump_limit",
                table.jump_limit,
                usual.jump_limit_ppm,
                MIN_JUMP_LIMIT,
                MAX_JUMP_LIMIT,
            )?,
            confidence_level_ppm: ratio(
                "confidence_level",
                table.confidence_level,
                usual.confidence_level_ppm,
                level.0,
                level.1,
            )?,
            range_min_ppm: ratio("range_min", table.range_min, usual.range_min_ppm, range_low, range_high)?,
            range_max_ppm: ratio("range_max", table.range_max, usual.range_max_ppm, range_low, range_high)?,
            rise_per_hour_ppm: ratio("rise_per_hour", table.rise_per_hour, rise, ppm(1), MAX_RISE_PER_HOUR)?,
            fall_per_day_ppm: ratio("fall_per_day", table.fall_per_day, fall, ppm(1), MAX_FALL_PER_DAY)?,
            ..self.volatility_times(&format!("{key}.volatility"), table)?
        })
    }

    /// The times of how volatility is measured and forecast.
    fn volatility_times(&self, key: &str, table: &VolatilityTable) -> Result<VolatilityConfig> {
        use plimsoll_client::risk::volatility::*;
        let usual = VolatilityConfig::DEFAULT;
        let seconds = |name: &str, value: Option<u32>, usual: u32, least: Seconds, most: Seconds| {
            let bound = |seconds: Seconds| u32::try_from(seconds.raw()).unwrap_or(u32::MAX);
            self.seconds(&format!("{key}.{name}"), value.unwrap_or(usual), bound(least), bound(most))
        };
        let (spacing, gap) = (usual.sample_spacing_seconds, usual.longest_gap_seconds);
        let (period, expiry, ramp) =
            (usual.margin_period_seconds, usual.forecast_expiry_seconds, usual.forecast_ramp_seconds);
        let (second, longest) = (Seconds::from_raw(1), MAX_HALF_LIFE);
        Ok(VolatilityConfig {
            half_life_seconds: seconds(
                "half_life_seconds",
                table.half_life_seconds,
                usual.half_life_seconds,
                MIN_HALF_LIFE,
                MAX_HALF_LIFE,
            )?,
            sample_spacing_seconds: seconds(
                "sample_spacing_seconds",
                table.sample_spacing_seconds,
                spacing,
                second,
                longest,
            )?,
            longest_gap_seconds: seconds("longest_gap_seconds", table.longest_gap_seconds, gap, second, longest)?,
            confirmation_seconds: seconds(
                "confirmation_seconds",
                table.confirmation_seconds,
                usual.confirmation_seconds,
                Seconds::ZERO,
                longest,
            )?,
            margin_period_seconds: seconds(
                "margin_period_seconds",
                table.margin_period_seconds,
                period,
                MIN_MARGIN_PERIOD,
                MAX_MARGIN_PERIOD,
            )?,
            forecast_expiry_seconds: seconds(
                "forecast_expiry_seconds",
                table.forecast_expiry_seconds,
                expiry,
                MIN_EXPIRY,
                MAX_EXPIRY,
            )?,
            forecast_ramp_seconds: seconds(
                "forecast_ramp_seconds",
                table.forecast_ramp_seconds,
                ramp,
                MIN_RAMP,
                MAX_RAMP,
            )?,
            ..usual
        })
    }

    /// A market's options; none where there is no table.
    fn options(&self, symbol: &str, market: &MarketTable) -> Result<OptionConfig> {
        use limits::*;
        let Some(table) = &market.options else { return Ok(OptionConfig::NONE) };
        let at = |key: &str| format!("markets.{symbol}.options.{key}");
        let ratio = |key: &str, value, most: u32| self.ratio(&at(key), value, most);
        Ok(OptionConfig {
            lot: self.amount(&at("lot"), table.lot, market.base_decimals)?,
            vega_scale: self.amount(&at("vega_scale_usd"), table.vega_scale_usd, QUOTE_DECIMALS)?,
            max_open_lots: table.max_open_lots,
            short_minimum_ppm: ratio("short_minimum", table.short_minimum, MAX_SHORT_MINIMUM.raw())?,
            volatility_up_ppm: ratio("volatility_up", table.volatility_up, MAX_VOLATILITY_UP.raw())?,
            volatility_down_ppm: ratio("volatility_down", table.volatility_down, MAX_VOLATILITY_DOWN.raw())?,
            volatility_power_short_ppm: ratio(
                "volatility_power_short",
                table.volatility_power_short,
                MAX_VOLATILITY_POWER.raw(),
            )?,
            volatility_power_long_ppm: ratio(
                "volatility_power_long",
                table.volatility_power_long,
                MAX_VOLATILITY_POWER.raw(),
            )?,
            half_spread_volatility_ppm: ratio("half_spread", table.half_spread, OPTION_SPREAD_PPM_MAX)?,
            skew_volatility_ppm: ratio("skew_premium", table.skew_premium, OPTION_SPREAD_PPM_MAX)?,
            fee_ppm: ratio("fee", table.fee, TRADE_COST_PPM_MAX)?,
            volatility_ratio_max_ppm: self.ratio_from(
                &at("volatility_ratio_max"),
                table.volatility_ratio_max,
                1_000_000,
                OPTION_VOLATILITY_RATIO_PPM_MAX,
            )?,
            enabled: 1,
            _padding: [0; 3],
        })
    }

    /// The part of a market's parameters that its perpetual needs; zeros where it has none.
    fn perpetual(&self, symbol: &str, decimals: u8, table: Option<&PerpetualTable>) -> Result<MarketConfig> {
        use limits::*;
        let mut config = MarketConfig {
            risk_budget: 0,
            max_open_interest: 0,
            skew_scale: 0,
            options: OptionConfig::NONE,
            volatility: VolatilityConfig::DEFAULT,
            funding: FundingConfig::NONE,
            confidence_multiplier_ppm: 0,
            max_confidence_ppm: 0,
            max_ema_gap_ppm: 0,
            half_spread_ppm: 0,
            skew_premium_ppm: 0,
            taker_fee_ppm: 0,
            max_age_seconds: 0,
            dead_age_seconds: 0,
            concentration_ppm: 0,
            group: 0,
            state: 0,
            perp_enabled: 0,
            _padding: 0,
        };
        let Some(table) = table else { return Ok(config) };
        let at = |key: &str| format!("markets.{symbol}.perpetual.{key}");
        config.perp_enabled = 1;
        config.risk_budget = self.amount(&at("risk_budget_usd"), table.risk_budget_usd, QUOTE_DECIMALS)?;
        config.max_open_interest = self.amount(&at("max_open_interest"), table.max_open_interest, decimals)?;
        config.skew_scale = self.amount(&at("skew_scale"), table.skew_scale, decimals)?;
        config.skew_premium_ppm = self.ratio(&at("skew_premium"), table.skew_premium, SKEW_PREMIUM_PPM_MAX)?;
        config.half_spread_ppm = self.ratio(&at("half_spread"), table.half_spread, TRADE_COST_PPM_MAX)?;
        config.taker_fee_ppm = self.ratio(&at("taker_fee"), table.taker_fee, TRADE_COST_PPM_MAX)?;
        config.concentration_ppm = self.ratio(&at("concentration"), table.concentration, 1_000_000)?;
        let most = FUNDING_PPM_PER_DAY_MAX;
        config.funding = FundingConfig {
            skew_rate_per_day_ppm: self.ratio(&at("funding_per_day"), table.funding_per_day, most)?,
            max_rate_per_day_ppm: self.ratio(&at("funding_per_day_max"), table.funding_per_day_max, most)?,
        };
        if config.skew_scale == 0 || config.max_open_interest / 5 > config.skew_scale {
            return self.refuse(at("skew_scale"), "must be at least a fifth of max_open_interest");
        }
        Ok(config)
    }

    fn bank(&self, symbol: &str, table: &BankTable, markets: &[MarketSpec]) -> Result<BankSpec> {
        let at = |key: &str| format!("banks.{symbol}.{key}");
        let Some(market) = markets.iter().find(|market| market.symbol == table.market) else {
            let known: Vec<&str> = markets.iter().map(|market| market.symbol.as_str()).collect();
            let cause = format!("there is no market \"{}\": one of {}", table.market, known.join(", "));
            return self.refuse(at("market"), cause);
        };
        let most = limits::MINT_DECIMALS_MAX.min(market.args.base_decimals);
        if table.decimals > most {
            let cause = format!("{} is not allowed: from 0 to {most}, those of its market", table.decimals);
            return self.refuse(at("decimals"), cause);
        }
        let init = self.ratio(&at("haircut_init"), table.haircut_init, 1_000_000)?;
        let maint = self.ratio(&at("haircut_maint"), table.haircut_maint, init)?;
        let full = |key: &str, value: Option<Number>, empty, most| match value {
            Some(value) => self.ratio_from(&at(key), value, empty, most),
            None => Ok(empty),
        };
        let init_full = full("haircut_init_full", table.haircut_init_full, init, 1_000_000)?;
        let maint_full = full("haircut_maint_full", table.haircut_maint_full, maint, init_full)?;
        let weight = self.ratio(&at("borrow_weight_init"), table.borrow_weight_init, 1_000_000)?;
        let config = BankConfig {
            haircut_init_ppm: init,
            haircut_maint_ppm: maint,
            haircut_init_full_ppm: init_full,
            haircut_maint_full_ppm: maint_full,
            borrow_weight_init_ppm: weight,
            borrow_weight_maint_ppm: self.ratio(&at("borrow_weight_maint"), table.borrow_weight_maint, weight)?,
            swap_cap: table.swap_cap.map_or(Ok(0), |cap| self.amount(&at("swap_cap"), cap, table.decimals))?,
            ..self.lending(&at("lending"), &table.lending, table.decimals)?
        };
        self.valid(&format!("banks.{symbol}"), config.validate())?;
        Ok(BankSpec {
            symbol: symbol.into(),
            mint: self.mint(&at("mint"), table.mint.as_deref())?,
            decimals: table.decimals,
            market: Some(table.market.clone()),
            config,
            rate: table.rate.as_ref().map(|rate| self.rate(&at("rate"), rate)).transpose()?,
        })
    }

    fn quote(&self, table: &QuoteTable) -> Result<BankSpec> {
        let config = self.lending("quote.lending", &table.lending, limits::QUOTE_DECIMALS)?;
        self.valid("quote", config.validate())?;
        Ok(BankSpec {
            symbol: table.symbol.clone(),
            mint: self.mint("quote.mint", table.mint.as_deref())?,
            decimals: limits::QUOTE_DECIMALS,
            market: None,
            config,
            rate: None,
        })
    }

    fn lending(&self, table_key: &str, table: &LendingTable, decimals: u8) -> Result<BankConfig> {
        let at = |key: &str| format!("{table_key}.{key}");
        let one = 1_000_000;
        let ratio = |key: &str, value, most| self.ratio(&at(key), value, most);
        let max_rate = ratio("max_rate", table.max_rate, limits::RATE_PPM_MAX)?;
        let optimal_rate = ratio("optimal_rate", table.optimal_rate, max_rate)?;
        Ok(BankConfig {
            deposit_cap: self.amount(&at("deposit_cap"), table.deposit_cap, decimals)?,
            borrow_cap: self.amount(&at("borrow_cap"), table.borrow_cap, decimals)?,
            outflow_limit: match &table.outflow {
                Some(outflow) => self.amount(&at("outflow.limit"), outflow.limit, decimals)?,
                None => u64::MAX,
            },
            swap_cap: 0,
            haircut_init_ppm: 0,
            haircut_maint_ppm: 0,
            haircut_init_full_ppm: 0,
            haircut_maint_full_ppm: 0,
            borrow_weight_init_ppm: 0,
            borrow_weight_maint_ppm: 0,
            optimal_utilisation_ppm: self.ratio_from(
                &at("optimal_utilisation"),
                table.optimal_utilisation,
                1,
                one - 1,
            )?,
            base_rate_ppm: ratio("base_rate", table.base_rate, optimal_rate)?,
            optimal_rate_ppm: optimal_rate,
            max_rate_ppm: max_rate,
            reserve_factor_ppm: ratio("reserve_factor", table.reserve_factor, one)?,
            state: state_value(table.state),
            outflow_window_seconds: match &table.outflow {
                Some(OutflowTable { window_seconds, .. }) => {
                    let most = limits::OUTFLOW_WINDOW_SECONDS_MAX;
                    self.seconds(&at("outflow.window_seconds"), *window_seconds, 1, most)?
                }
                None => 0,
            },
            _padding: [0; 7],
        })
    }

    fn mint(&self, key: &str, text: Option<&str>) -> Result<Address> {
        text.map_or(Ok(NO_MINT), |text| self.address(key, text))
    }

    fn symbol(&self, symbol: &str) -> Result<[u8; 16]> {
        let mut bytes = [0; 16];
        let printable = !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_graphic());
        match bytes.get_mut(..symbol.len()) {
            Some(place) if printable => place.copy_from_slice(symbol.as_bytes()),
            _ => return self.refuse(format!("markets.{symbol}"), "a symbol has 1 to 16 printable ASCII characters"),
        }
        Ok(bytes)
    }

    /// A feed id in hexadecimal, or for a legacy feed the address of its account.
    fn feed_id(&self, key: &str, text: &str, kind: u8) -> Result<[u8; 32]> {
        if kind == oracle_kind::LEGACY {
            return Ok(self.address(key, text)?.to_bytes());
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return self.refuse(key, format!("\"{text}\" is not allowed: a feed id is 64 hexadecimal digits"));
        }
        for (byte, index) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[index..index + 2], 16).unwrap_or_default();
        }
        Ok(bytes)
    }
}

fn oracle(value: OracleValue) -> (Address, u8) {
    let (owner, kind) = match value {
        OracleValue::PythReceiver => (pyth::RECEIVER_PROGRAM_ID, oracle_kind::PRICE_UPDATE_V2),
        OracleValue::PythReceiver2 => (pyth::RECEIVER_PROGRAM_ID_2, oracle_kind::PRICE_UPDATE_V2),
        OracleValue::PythLegacy => (pyth::LEGACY_PROGRAM_ID, oracle_kind::LEGACY),
    };
    (Address::new_from_array(owner), kind)
}

fn state_value(value: StateValue) -> u8 {
    match value {
        StateValue::Active => state::ACTIVE,
        StateValue::ReduceOnly => state::REDUCE_ONLY,
    }
}

fn ppm(raw: u32) -> Ppm {
    Ppm::from_raw(raw)
}

/// A ratio in ppm as people write it.
fn ppm_text(ppm: u32) -> String {
    let text = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALNET: &str = include_str!("../localnet.toml");

    fn read(text: &str) -> Result<Deployment> {
        Deployment::parse("test.toml", text)
    }

    /// The error of the example file with one piece replaced.
    fn error(from: &str, to: &str) -> String {
        assert!(LOCALNET.contains(from), "{from}");
        read(&LOCALNET.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_read_in_the_programs_units() {
        let deployment = read(LOCALNET).unwrap();
        let sol = deployment.markets.iter().find(|market| market.symbol == "SOL").unwrap();
        let usual = VolatilityConfig::DEFAULT;
        let expected = VolatilityConfig { initial_ppm: 1_400_000, range_min_ppm: 60_000, ..usual };
        assert_eq!(sol.args.config.volatility, expected);
        let funding = FundingConfig { skew_rate_per_day_ppm: 2_000, max_rate_per_day_ppm: 5_000 };
        assert_eq!((sol.args.config.funding, sol.args.config.concentration_ppm), (funding, 20_000));
        let options = sol.args.config.options;
        assert_eq!((options.enabled, options.lot, options.vega_scale), (1, 100_000_000, 50_000_000_000));
        let bank = deployment.banks.iter().find(|bank| bank.symbol == "SOL").unwrap().config;
        assert_eq!((bank.haircut_init_full_ppm, bank.haircut_maint_full_ppm), (150_000, 30_000));
        assert_eq!((bank.outflow_limit, bank.outflow_window_seconds), (100_000_000_000_000, 86_400));
        assert_eq!(sol.args.base_decimals, 9);
        assert_eq!(deployment.house_deposit, 2_000_000_000_000);
        assert_eq!(deployment.missing_mints(), ["USDC", "BTC", "SOL"]);
        let usdc = Address::new_unique();
        let filled = deployment.with_mints(&BTreeMap::from([("USDC".to_string(), usdc)]));
        assert_eq!(filled.quote.mint, usdc);
        assert_eq!(filled.missing_mints(), ["BTC", "SOL"]);
    }

    #[test]
    fn the_example_for_a_real_cluster_says_everything() {
        let deployment = read(include_str!("../mainnet-example.toml")).unwrap();
        assert_eq!(deployment.missing_mints(), Vec::<&str>::new());
        assert_eq!(deployment.roles.len(), 3);
        let jito = deployment.banks.iter().find(|bank| bank.symbol == "JitoSOL").unwrap().rate.unwrap();
        assert_eq!((jito.source.has_feed, jito.price_account.is_some()), (1, true));
        let boards = &deployment.markets.iter().find(|market| market.symbol == "SOL").unwrap().boards;
        assert_eq!((boards[0].expiry, boards[0].basis_ppm), (Expiry::At(1_806_048_000), 4_000));
        assert_eq!(boards[0].strikes[0], (StrikePrice { digits: 100, exponent: 0 }, 1_050_000));
        let usdc = deployment.quote_feed.unwrap().price_account;
        assert_eq!(usdc, "Dpw1EAVrSB1ibxiDQyTAW6Zip3J4Btk2x4SgApQCeFbX".parse().unwrap());
    }

    #[test]
    fn a_relative_expiry_is_at_eight_in_the_morning() {
        // 2027-03-26 08:00 UTC is exactly a week away, or a second more.
        let eight = 1_806_048_000;
        let week = Expiry::AfterDays(7);
        assert_eq!((week.at(eight - 7 * DAY), week.at(eight - 7 * DAY + 1)), (eight, eight + DAY));
        assert_eq!(Expiry::At(5).at(eight), 5);
    }

    #[test]
    fn boards_roles_and_feeds_are_checked() {
        for (from, to, expected) in [
            (
                "after_days = 30",
                "after_days = 365",
                "markets.SOL.boards[0].after_days: 365 is not allowed: from 1 to 364",
            ),
            ("after_days = 30", "", "markets.SOL.boards[0]: either `expiry` or `after_days` is wanted"),
            (
                "after_days = 30",
                "expiry = \"soon\"",
                "markets.SOL.boards[0].expiry: \"soon\" is not allowed: a day as 2027-03-26",
            ),
            ("slot = 7", "slot = 8", "markets.SOL.boards[0].slot: 8 is not allowed: from 0 to 7"),
            (
                "[28, 32",
                "[28.25, 32",
                "markets.SOL.boards[0].strikes[0]: 28.25 is not allowed: above 0, of at most three digits",
            ),
            ("[1.6, 1.5", "[1.5", "markets.SOL.boards[0].volatilities: 6 for 7 strikes: one for each is wanted"),
            (
                "after_days = 30",
                "after_days = 30\nbasis = 0.06",
                "markets.SOL.boards[0].basis: 0.06 is not allowed: from -0.05 to 0.05",
            ),
            (
                "[quote]",
                "[roles]\nkeeper = \"me\"\n[quote]",
                "roles.keeper: \"me\" is not allowed: an address of 32 bytes in base 58",
            ),
        ] {
            assert_eq!(error(from, to), format!("test.toml: {expected}"));
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = error("maintenance_ratio =", "maintenence_ratio =");
        assert!(text.starts_with("test.toml, line ") && text.contains("`maintenence_ratio`"), "{text}");
        assert!(text.contains("exchange"), "{text}");
        assert!(!text.contains('\n'));
    }

    #[test]
    fn a_missing_key_and_a_wrong_type_are_named() {
        let text = error("base_decimals = 9", "");
        assert!(text.contains("markets.SOL: missing field `base_decimals`"), "{text}");
        let text = error("loss_mode = \"socialise\"", "loss_mode = \"forget\"");
        assert!(text.contains("exchange.loss_mode: unknown variant `forget`"), "{text}");
        let text = error("base_decimals = 9", "base_decimals = \"nine\"");
        assert!(text.contains("markets.SOL.base_decimals: invalid type"), "{text}");
        let text = error("[exchange]", "[exchange");
        assert!(text.starts_with("test.toml, line ") && text.contains("not TOML"), "{text}");
    }

    #[test]
    fn a_value_out_of_range_says_what_is_allowed() {
        for (from, to, expected) in [
            (
                "range_min = 0.06",
                "range_min = 1.5",
                "markets.SOL.volatility.range_min: 1.5 is not allowed: a ratio from 0.001 to 0.8 in steps of 0.000001",
            ),
            (
                "[markets.BTC.volatility]",
                "[markets.BTC.volatility]\nhalf_life_seconds = 599",
                "markets.BTC.volatility.half_life_seconds: 599 is not allowed: from 600 to 7776000 seconds",
            ),
            (
                "[markets.BTC.volatility]",
                "[markets.BTC.volatility]\nforecast_ramp_seconds = 604_801",
                "markets.BTC.volatility.forecast_ramp_seconds: 604801 is not allowed: from 600 to 604800 seconds",
            ),
            (
                "group = \"majors\"",
                "group = \"majors\"\nrange = 0.1",
                "markets.BTC: either `range` or the table `volatility` is wanted",
            ),
            (
                "funding_per_day = 0.002",
                "funding_per_day = 1.1",
                "markets.SOL.perpetual.funding_per_day: 1.1 is not allowed: a ratio from 0 to 1 in steps of 0.000001",
            ),
            (
                "concentration = 0.02",
                "concentration = -1",
                "markets.BTC.perpetual.concentration: -1 is not allowed: a ratio from 0 to 1 in steps of 0.000001",
            ),
            (
                "lot = 0.1 ",
                "lot = 0.0000000001 ",
                "markets.SOL.options.lot: 0.0000000001 is not allowed: from 0 to 18446744073, with at most 9 decimals",
            ),
            (
                "volatility_ratio_max = 3 ",
                "volatility_ratio_max = 0.9 ",
                "markets.SOL.options.volatility_ratio_max: 0.9 is not allowed: a ratio from 1 to 10 in steps of 0.000001",
            ),
            (
                "haircut_init_full = 0.15",
                "haircut_init_full = 0.05",
                "banks.SOL.haircut_init_full: 0.05 is not allowed: a ratio from 0.06 to 1 in steps of 0.000001",
            ),
            (
                "window_seconds = 86400",
                "window_seconds = 0",
                "quote.lending.outflow.window_seconds: 0 is not allowed: from 1 to 604800 seconds",
            ),
            (
                "extreme_damping = 0.333333",
                "extreme_damping = 0.34",
                "exchange.extreme_damping: 0.34 is not allowed: a ratio from 0 to 0.333333 in steps of 0.000001",
            ),
            (
                "insolvency_duration_seconds = 300",
                "insolvency_duration_seconds = 3601",
                "exchange.insolvency_duration_seconds: 3601 is not allowed: from 1 to 3600 seconds",
            ),
            (
                "house_delay_seconds = 60",
                "house_delay_seconds = 604801",
                "exchange.house_delay_seconds: 604801 is not allowed: from 0 to 604800 seconds",
            ),
            (
                "timelock_seconds = 0",
                "timelock_seconds = 2592001",
                "exchange.timelock_seconds: 2592001 is not allowed: from 0 to 2592000 seconds",
            ),
            (
                "quote_scale_below = 0.99",
                "quote_scale_below = 1.01",
                "exchange.quote_scale_below: 1.01 is not allowed: a ratio from 0 to 1 in steps of 0.000001",
            ),
            (
                "liquidation_duration_seconds = 300",
                "liquidation_duration_seconds = 0",
                "exchange.liquidation_duration_seconds: 0 is not allowed: from 1 to 3600 seconds",
            ),
            (
                "initial_deposit_usd = 2_000_000",
                "initial_deposit_usd = 0.0000001",
                "house.initial_deposit_usd: 0.0000001 is not allowed: from 0 to 18446744073709, with at most 6 decimals",
            ),
            (
                "group = \"majors\"",
                "group = \"minors\"",
                "markets.BTC.group: there is no group \"minors\": one of majors",
            ),
            ("market = \"SOL\"", "market = \"ETH\"", "banks.SOL.market: there is no market \"ETH\": one of BTC, SOL"),
        ] {
            assert_eq!(error(from, to), format!("test.toml: {expected}"));
        }
    }

    #[test]
    fn addresses_and_feeds_are_checked() {
        let text = error("feed_id = \"ef", "feed_id = \"zz");
        assert!(text.contains("markets.SOL.feed_id: ") && text.ends_with("64 hexadecimal digits"), "{text}");
        let text = error("symbol = \"USDC\"", "symbol = \"USDC\"\nmint = \"dollar\"");
        assert!(text.starts_with("test.toml: quote.mint: \"dollar\" is not allowed"), "{text}");
    }

    #[test]
    fn what_is_wrong_only_together_names_its_table() {
        let text = error("haircut_maint = 0.03", "haircut_maint = 0.3");
        assert!(
            text.starts_with("test.toml: banks.SOL.haircut_maint: 0.3 is not allowed: a ratio from 0 to "),
            "{text}"
        );
        for (from, to, table) in [
            ("haircut_init_full = 0.15", "haircut_init_full = 0.6", "banks.SOL"),
            ("initial = 1.4", "initial = 0.3", "markets.SOL"),
            ("volatility_up = 0.45", "volatility_up = 0.2", "markets.SOL"),
            ("quote_refuse_below = 0.95", "quote_refuse_below = 0.995", "exchange"),
            ("insolvency_reward_max = 0.05", "insolvency_reward_max = 0.2", "exchange"),
        ] {
            let text = error(from, to);
            assert!(text.starts_with(&format!("test.toml: {table}: taken together the program refuses it")), "{text}");
        }
        let text = error("liquidation_discount_min = 0.01", "liquidation_discount_min = 0.3");
        assert!(text.starts_with("test.toml: exchange: taken together the program refuses it"), "{text}");
    }

    #[test]
    fn a_file_that_is_not_there_is_one_line() {
        let error = Deployment::read(Path::new("nowhere.toml")).unwrap_err().to_string();
        assert!(error.starts_with("nowhere.toml: ") && !error.contains('\n'), "{error}");
    }
}
