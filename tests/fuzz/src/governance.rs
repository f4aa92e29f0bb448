//! What those do who run the exchange: announce changes and make them, hand roles on, publish the quote's price, wind a
//! market down.

use plimsoll_client::instruction as build;
use plimsoll_e2e_tests::{
    Asset, Trader,
    raw::{self, Price},
    world::{ETH, Places, SOL},
};
use plimsoll_interface::{
    Address,
    accounts::Proposal,
    change::{Change, QuoteFeed, RoleHolder},
    config::{ExchangeConfig, MarketConfig, OptionConfig, limits, loss_mode, role, state},
    instruction::OpenPositionArgs,
};
use rand::Rng;
use solana_instruction::Instruction;

use crate::{
    actions::{Attempt, Rule},
    walk::Walk,
};

/// The quote's price account, and its feed.
pub const QUOTE_ORACLE: Address = Address::new_from_array([b'Q'; 32]);

/// The quote's feed.
fn quote_feed() -> QuoteFeed {
    QuoteFeed { oracle_kind: 0, feed_id: QUOTE_ORACLE.to_bytes(), oracle_owner: raw::RECEIVER }
}

/// What a walk begins in, besides everybody's deposits: chance alone rarely gets there, or not back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// An account is insolvent, and gainers bear what insurance lacks, or the house.
    Plight {
        /// Whether it is the house.
        by_house: bool,
    },
    /// What loosens waits for a minute.
    Timelock,
    /// The quote has a price of its own.
    QuoteFeed,
    /// ETH winds down.
    WindDown,
}

impl Setting {
    /// Each for every fourth seed.
    pub const fn of(seed: u64) -> Self {
        match seed % 4 {
            0 => Self::Plight { by_house: seed.is_multiple_of(8) },
            1 => Self::Timelock,
            2 => Self::QuoteFeed,
            _ => Self::WindDown,
        }
    }
}

fn attempt(instruction: Instruction) -> Option<Attempt> {
    Attempt::new(instruction, Rule::Books)
}

/// Alice buys so much of an asset, base units, and Bob sells it.
fn positions(walk: &Walk, asset: &Asset, size: i64) -> Vec<Instruction> {
    let (snapshot, Places { alice, bob, .. }) = (walk.priced(), walk.places);
    let open = |trader: Trader, size: i64, limit_price| {
        let account = walk.account(&trader).expect("everybody has an account");
        let args = OpenPositionArgs { size, limit_price, expires_at: 0, reduce_only: 0 };
        let open = snapshot.open_position(trader.owner, &account, &asset.market, args);
        open.expect("the market has a price account")
    };
    vec![open(alice, size, u64::MAX), open(bob, -size, 0)]
}

/// Instructions that lead into a setting.
pub fn begin(walk: &Walk) -> Vec<Instruction> {
    let (snapshot, places) = (walk.priced(), walk.places);
    let (admin, exchange) = (places.admin, places.exchange);
    match walk.setting {
        // The largest position that Alice's dollars carry.
        Setting::Plight { by_house } => {
            let (loss_mode, house_floor) =
                if by_house { (loss_mode::SOCIALISE, 0) } else { (loss_mode::DELEVERAGE, u64::MAX) };
            let config = ExchangeConfig { loss_mode, house_floor, ..snapshot.exchange.data.config };
            let configure = build::exchange::Configure { admin, exchange, config };
            [vec![configure.instruction()], positions(walk, &places.sol, 550 * SOL)].concat()
        }
        Setting::Timelock => {
            let config = ExchangeConfig { timelock_seconds: 60, ..snapshot.exchange.data.config };
            vec![build::exchange::Configure { admin, exchange, config }.instruction()]
        }
        Setting::QuoteFeed => {
            let feed = quote_feed();
            vec![build::controls::SetQuoteFeed { admin, exchange, feed, proposed: false }.instruction()]
        }
        Setting::WindDown => {
            let market = MarketConfig {
                state: state::WIND_DOWN,
                risk_budget: 0,
                options: OptionConfig::NONE,
                ..snapshot.markets[&places.eth.market].config
            };
            let mut config = snapshot.banks[&places.eth.bank].config;
            config.state = state::WIND_DOWN;
            let bank = build::bank::Configure { admin, exchange, bank: places.eth.bank, config };
            let ends = vec![snapshot.configure_market(&places.eth.market, market), bank.instruction()];
            [positions(walk, &places.eth, ETH), ends].concat()
        }
    }
}

/// How long after [`begin`] the walk goes on, seconds, and at what price of SOL, per mille.
pub fn then(setting: Setting) -> (i64, i64) {
    match setting {
        Setting::Plight { .. } => (10, 660),
        Setting::Timelock | Setting::QuoteFeed => (1, 1_000),
        Setting::WindDown => (i64::from(limits::WIND_DOWN_NOTICE_SECONDS_MIN), 1_000),
    }
}

/// Announces a change, now and then one that nobody may make.
pub fn propose(walk: &mut Walk) -> Option<Attempt> {
    let (snapshot, places) = (walk.snapshot(), walk.places);
    let (asset, _) = walk.market();
    let (subject, change) = match walk.rng.random_range(0..5) {
        0 => {
            let maintenance_ratio_ppm = walk.rng.random_range(300_000..=600_000);
            let config = ExchangeConfig { maintenance_ratio_ppm, ..snapshot.exchange.data.config };
            (places.exchange, Change::Exchange(config))
        }
        1 => {
            let half_spread_ppm = walk.rng.random_range(0..52_000);
            let config = MarketConfig { half_spread_ppm, ..snapshot.markets.get(&asset.market)?.config };
            (asset.market, Change::Market(config))
        }
        2 => {
            let mut config = snapshot.banks.get(&asset.bank)?.config;
            config.borrow_cap = config.borrow_cap.saturating_add(walk.rng.random_range(0..1_000));
            (asset.bank, Change::Bank(config))
        }
        3 => (places.exchange, Change::Role(any_role(walk))),
        _ => (places.exchange, Change::QuoteFeed(quote_feed())),
    };
    walk.pending = Some((subject, change));
    let admin = if walk.rng.random_range(0..10) == 0 { places.mallory } else { places.admin };
    attempt(build::controls::Propose { admin, exchange: places.exchange, subject, change }.instruction())
}

/// Makes the change that was announced last.
pub fn enact(walk: &mut Walk) -> Option<Attempt> {
    let (subject, change) = walk.pending?;
    let (admin, exchange) = (walk.places.admin, walk.places.exchange);
    attempt(match change {
        Change::Exchange(config) => build::exchange::Configure { admin, exchange, config }.proposed(),
        Change::Market(config) => build::market::Configure { admin, exchange, market: subject, config }.proposed(),
        Change::Bank(config) => build::bank::Configure { admin, exchange, bank: subject, config }.proposed(),
        Change::Role(RoleHolder { role, holder }) => {
            build::controls::SetRole { authority: admin, exchange, role, holder, proposed: true }.instruction()
        }
        Change::QuoteFeed(feed) => {
            build::controls::SetQuoteFeed { admin, exchange, feed, proposed: true }.instruction()
        }
        // Nobody announces these here.
        Change::RateSource(_) | Change::Venue(_) | Change::Adapter(_) => return None,
    })
}

/// Takes back what was announced, or what was not.
pub fn cancel_proposal(walk: &mut Walk) -> Option<Attempt> {
    let subject = walk.pending.map_or(walk.places.exchange, |(subject, _)| subject);
    let has_one = walk.get::<Proposal>(&plimsoll_interface::address::proposal(&subject)).is_some();
    if has_one && walk.rng.random() {
        return None;
    }
    let (authority, exchange) = (walk.places.admin, walk.places.exchange);
    attempt(build::controls::CancelProposal { authority, exchange, subject }.instruction())
}

fn any_role(walk: &mut Walk) -> RoleHolder {
    let holders = [walk.places.admin, walk.trader().owner, Address::default()];
    let holder = walk.one_of(&holders);
    RoleHolder { role: walk.rng.random_range(0..=role::LAST), holder }
}

/// Gives a role away, or takes it.
pub fn set_role(walk: &mut Walk) -> Option<Attempt> {
    let RoleHolder { role, holder } = any_role(walk);
    let (authority, exchange) = (walk.places.admin, walk.places.exchange);
    attempt(build::controls::SetRole { authority, exchange, role, holder, proposed: false }.instruction())
}

/// Nominates the admin again, so that the walk's admin stays who it is, or nobody; or somebody accepts.
pub fn hand_over(walk: &mut Walk) -> Option<Attempt> {
    let (authority, exchange) = (walk.places.admin, walk.places.exchange);
    match walk.rng.random_range(0..4) {
        0 => {
            let nominee = Address::default();
            attempt(build::controls::NominateAdmin { authority, exchange, nominee }.instruction())
        }
        1 => attempt(build::controls::NominateAdmin { authority, exchange, nominee: authority }.instruction()),
        2 => attempt(build::controls::AcceptAdmin { nominee: authority, exchange }.instruction()),
        _ => attempt(build::controls::AcceptAdmin { nominee: walk.trader().owner, exchange }.instruction()),
    }
}

/// Publishes the quote's price and has it observed; where the quote has no feed, that is refused.
pub fn observe_quote(walk: &mut Walk) -> Option<Attempt> {
    let price = if walk.rng.random_range(0..8) == 0 {
        walk.rng.random_range(90_000_000..110_000_000)
    } else {
        walk.rng.random_range(99_500_000..100_500_000)
    };
    let now = walk.machine.now();
    let price = Price { price, confidence: 10_000, ema: price, exponent: -8, publish_time: now, posted_slot: 1 };
    let data = raw::price_update_v2(&QUOTE_ORACLE.to_bytes(), &price);
    walk.machine.put(QUOTE_ORACLE, raw::account(raw::RECEIVER, data)).ok()?;
    attempt(build::controls::ObserveQuote { exchange: walk.places.exchange, oracle: QUOTE_ORACLE }.instruction())
}

/// Gives the quote its feed, or takes it away.
pub fn set_quote_feed(walk: &mut Walk) -> Option<Attempt> {
    let feed = if walk.rng.random() { quote_feed() } else { QuoteFeed::NONE };
    let (admin, exchange) = (walk.places.admin, walk.places.exchange);
    attempt(build::controls::SetQuoteFeed { admin, exchange, feed, proposed: false }.instruction())
}

/// Closes somebody's position in a market that winds down, or in one that does not.
pub fn wind_down_position(walk: &mut Walk) -> Option<Attempt> {
    let eth = walk.places.eth;
    let asset = if walk.setting == Setting::WindDown { eth } else { walk.market().0 };
    let (exchange, account) = (walk.places.exchange, walk.trader().account);
    let (market, oracle) = (asset.market, asset.oracle);
    attempt(build::controls::WindDownPosition { exchange, account, market, oracle }.instruction())
}

/// Ends a market, or a bank.
pub fn retire(walk: &mut Walk) -> Option<Attempt> {
    let (admin, exchange, eth) = (walk.places.admin, walk.places.exchange, walk.places.eth);
    attempt(if walk.rng.random() {
        build::controls::RetireMarket { admin, exchange, market: eth.market }.instruction()
    } else {
        build::controls::RetireBank { admin, exchange, bank: eth.bank }.instruction()
    })
}
