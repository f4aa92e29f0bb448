//! Boards: expiries of a market's options, from the file to trading.

use plimsoll_client::{
    Address,
    accounts::{Board, MAX_STRIKES, Market, board_state},
    address,
    config::{MarketConfig, limits},
    instruction::board,
    interface::{
        board::{strike_price, used_volatility},
        instruction::{CreateBoardArgs, ListStrikesArgs, PostVolatilitiesArgs, StrikePrice},
    },
    risk::units::Timestamp,
    words::number::moment,
};
use solana_instruction::Instruction;

use super::{
    Action, Step,
    planner::{Planner, one},
};
use crate::{
    BoardSpec, MarketSpec,
    fields::{self, FieldChange, decimal},
};

/// Nothing in a strike's slot.
const NO_STRIKE: StrikePrice = StrikePrice { digits: 0, exponent: 0 };

/// What one board lacks.
struct Work {
    create: Option<i64>,
    strikes: [StrikePrice; MAX_STRIKES],
    volatilities_ppm: [u32; MAX_STRIKES],
    lists: bool,
    posts: bool,
    refreshes: bool,
}

impl Planner<'_> {
    /// Creates boards, lists their strikes, posts their first volatilities and computes their arrays. What the keeper has
    /// posted since stays.
    pub fn boards(&mut self, spec: &MarketSpec, market: Address, found: Option<&Market>, config: &MarketConfig) {
        for wanted in &spec.boards {
            let expiry = wanted.expiry.at(self.state.now);
            let address = address::board(&market, wanted.slot);
            let standing = self.state.boards.get(&address);
            let subject = match standing {
                Some(board) => format!("the board {} {}", spec.symbol, moment(board.expiry)),
                None => format!("the board {} {}", spec.symbol, moment(expiry)),
            };
            if let Some(reason) = self.hindrance(wanted, standing, expiry, config) {
                self.note(subject, address, Action::Blocked { reason }, Vec::new(), Vec::new());
                continue;
            }
            let work = self.work(spec, wanted, standing, found, expiry);
            let steps = self.board_steps(spec, market, wanted, &work, &subject);
            if steps.is_empty() {
                self.plan.unchanged += 1;
                continue;
            }
            let action = if standing.is_none() { Action::Create } else { Action::Change };
            let fields = listed(spec, wanted, &work, expiry);
            self.note(subject, address, action, fields, steps);
        }
    }

    /// Why nothing can be done for a board.
    fn hindrance(
        &self,
        wanted: &BoardSpec,
        standing: Option<&Board>,
        expiry: i64,
        config: &MarketConfig,
    ) -> Option<String> {
        let Some(board) = standing else {
            if config.options.enabled == 0 {
                return Some("the market's options are not enabled yet: apply again when they are".into());
            }
            let left = expiry.saturating_sub(self.state.now);
            let is_far = left >= limits::EXPIRY_SECONDS_MIN;
            return (!is_far).then(|| "expires in less than an hour or has expired: give a later expiry".into());
        };
        if board.state == board_state::SETTLED || board.expiry <= self.state.now {
            let slot = wanted.slot;
            return Some(format!("the board of slot {slot} has expired: it makes room once it is settled and closed"));
        }
        let is_other = matches!(wanted.expiry, crate::Expiry::At(at) if at != board.expiry);
        is_other.then(|| format!("slot {} is taken by this board until it is settled and closed", wanted.slot))
    }

    fn work(
        &self,
        spec: &MarketSpec,
        wanted: &BoardSpec,
        standing: Option<&Board>,
        found: Option<&Market>,
        expiry: i64,
    ) -> Work {
        let mut work = Work {
            create: standing.is_none().then_some(expiry),
            strikes: [NO_STRIKE; MAX_STRIKES],
            volatilities_ppm: standing.map_or([0; MAX_STRIKES], |board| board.volatilities_ppm),
            lists: false,
            posts: standing.is_none_or(|board| board.posted_at == 0),
            refreshes: standing.is_none_or(|board| board.refreshed != board.listed()),
        };
        let mut slots = standing.map_or([0; MAX_STRIKES], |board| board.strikes);
        let reach = Reach::of(found, spec, self.state.now);
        let never_posted = work.posts;
        for (strike, volatility) in &wanted.strikes {
            let Ok(price) = strike_price(*strike, spec.args.base_decimals) else { continue };
            let listed = slots.iter().position(|slot| *slot == price.raw());
            let Some(slot) = listed.or_else(|| slots.iter().position(|slot| *slot == 0)) else { continue };
            if listed.is_none() {
                slots[slot] = price.raw();
                work.strikes[slot] = *strike;
                work.lists = true;
            }
            if listed.is_none() || never_posted {
                work.volatilities_ppm[slot] = reach.nearest(*volatility);
            }
        }
        work.posts |= work.lists;
        work.refreshes |= work.posts;
        work
    }

    fn board_steps(
        &self,
        spec: &MarketSpec,
        market: Address,
        wanted: &BoardSpec,
        work: &Work,
        subject: &str,
    ) -> Vec<Step> {
        let (authority, exchange, board) = (self.law.admin, self.plan.exchange, address::board(&market, wanted.slot));
        let oracle = Some(spec.price_account);
        let mut instructions: Vec<Instruction> = Vec::new();
        if let Some(expiry) = work.create {
            let args = CreateBoardArgs { expiry, slot: wanted.slot };
            instructions.push(board::Create { authority, exchange, market, args }.instruction());
        }
        if work.lists {
            let args = ListStrikesArgs { strikes: work.strikes };
            instructions.push(board::ListStrikes { authority, exchange, market, board, oracle, args }.instruction());
        }
        if work.posts {
            let args = PostVolatilitiesArgs { volatilities_ppm: work.volatilities_ppm, basis_ppm: wanted.basis_ppm };
            instructions.push(board::PostVolatilities { authority, exchange, market, board, args }.instruction());
        }
        let mut steps = Vec::new();
        if !instructions.is_empty() {
            let verb = if work.create.is_some() { "create" } else { "list" };
            steps.push(Step { name: format!("{verb} {subject}"), instructions });
        }
        if work.refreshes {
            let refresh = board::Refresh { exchange, market, board, oracle, max_strikes: 0 };
            steps.push(one(&format!("refresh {subject}"), refresh.instruction()));
        }
        steps
    }
}

/// What one post may take a volatility to: a quarter away from the market's, where a strike starts. The keeper's later posts
/// go on from there.
struct Reach {
    least: u32,
    most: u32,
}

impl Reach {
    fn of(found: Option<&Market>, spec: &MarketSpec, now: i64) -> Self {
        let initial = spec.args.config.volatility.initial_ppm;
        let used = found.map_or(initial, |market| used_volatility(market, Timestamp::from_raw(now)).init.raw());
        // A little inside: the market's own may move until the post.
        let step = u32::try_from(u64::from(used) * 24 / 100).unwrap_or(u32::MAX);
        Self { least: used.saturating_sub(step), most: used.saturating_add(step) }
    }

    fn nearest(&self, volatility_ppm: u32) -> u32 {
        volatility_ppm.clamp(self.least, self.most)
    }
}

/// What of the file a board's steps bring to the chain.
fn listed(spec: &MarketSpec, wanted: &BoardSpec, work: &Work, expiry: i64) -> Vec<FieldChange> {
    let price = |strike: &StrikePrice| strike_text(*strike);
    let volatilities = wanted.strikes.iter().filter_map(|(strike, _)| {
        let at = strike_price(*strike, spec.args.base_decimals).ok()?;
        let slot = (0..MAX_STRIKES)
            .find(|slot| strike_price(work.strikes[*slot], spec.args.base_decimals).is_ok_and(|price| price == at))?;
        Some((price(strike), work.volatilities_ppm[slot]))
    });
    let volatilities: Vec<(String, u32)> = volatilities.collect();
    let all = fields::board(expiry, wanted.basis_ppm, &volatilities);
    if work.create.is_some() {
        return fields::created(all);
    }
    fields::created(all.into_iter().filter(|field| field.key.starts_with("volatility")).collect())
}

/// A strike in dollars.
fn strike_text(strike: StrikePrice) -> String {
    let digits = u128::from(strike.digits);
    match u32::try_from(strike.exponent) {
        Ok(exponent) => decimal(digits.saturating_mul(10u128.saturating_pow(exponent)), 0),
        Err(_) => decimal(digits, strike.exponent.unsigned_abs()),
    }
}
