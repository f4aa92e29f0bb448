//! The keeper's tasks: what is due, read off the state. Each is a function from what is known to transactions, and knows no
//! network; [`crate::task`] runs them.
//!
//! | task | instructions | due |
//! |---|---|---|
//! | `observe` | `observe` | the stored price is old, or has been left behind |
//! | `observe_quote` | `observe_quote` | the same of the quote's own feed |
//! | `accrue` | `accrue` | a bank with debts has not accrued for long |
//! | `accrue_funding` | `accrue_funding` | a market with a skew has not accrued for long |
//! | `update_rate` | `update_rate` | an exchange rate grows old |
//! | `refresh_board` | `refresh_board` | risk arrays are old, left behind, missing, or of old volatilities |
//! | `sample_expiry` | `sample_expiry` | a price wants to count towards a settlement |
//! | `settle_board` | `settle_board` | the samples are complete |
//! | `settle_option` | `settle_option` | an account has options of a settled board |
//! | `close_board` | `close_board` | nobody has options of a settled board; only with the exchange's keeper key |
//! | `settle` | `settle` | an account has gained or lost enough in a market |
//! | `wind_down` | `wind_down_position` | a market that winds down still has positions |
//! | `value_house` | `value_house` | the house's value is old, or a ticket waits for one |
//! | `execute_ticket` | `execute_ticket` | a ticket has its valuation |
//! | `execute_trigger` | `execute_trigger` | a stored order's price is reached |
//! | `flag_liquidation` | `flag_liquidation` | an account has sunk below its line, is not seen there any more, or soon forgotten |
//! | `update_lien` | `update_lien` | a lien counts for other than its record says, or its adapter has been waited for |
//! | `resolve` | `resolve`, `deleverage` | a loss has to be covered by who comes next |
//! | `upgrade_account` | `upgrade_account` | an account is of an earlier layout |

mod accounts;
pub mod boards;
mod house;
mod losses;
mod prices;

use plimsoll_client::{
    Address, Snapshot,
    decode::symbol,
    interface::bridge::Inputs,
    risk::{
        price::{self, Freshness, Observation},
        units::{Ppm, Seconds, Timestamp},
    },
};

use crate::{config, live::State, sender::Work};

/// What a task looks at.
pub struct View<'a> {
    /// What is known.
    pub state: &'a State,
    /// When work is due.
    pub due: &'a config::Due,
    /// Who signs.
    pub payer: Address,
}

/// One task.
#[derive(Clone, Copy)]
pub struct Crank {
    /// Its name in files and metrics.
    pub name: &'static str,
    /// What is due, the most urgent first.
    pub due: fn(&View<'_>) -> Vec<Work>,
}

/// All of them.
pub const CRANKS: [Crank; 19] = [
    Crank { name: "observe", due: prices::observe },
    Crank { name: "observe_quote", due: prices::observe_quote },
    Crank { name: "accrue", due: prices::accrue },
    Crank { name: "accrue_funding", due: prices::accrue_funding },
    Crank { name: "update_rate", due: prices::update_rate },
    Crank { name: "refresh_board", due: boards::refresh },
    Crank { name: "sample_expiry", due: boards::sample },
    Crank { name: "settle_board", due: boards::settle },
    Crank { name: "settle_option", due: boards::settle_options },
    Crank { name: "close_board", due: boards::close },
    Crank { name: "settle", due: accounts::settle },
    Crank { name: "wind_down", due: accounts::wind_down },
    Crank { name: "value_house", due: house::value },
    Crank { name: "execute_ticket", due: house::execute_tickets },
    Crank { name: "execute_trigger", due: accounts::execute_triggers },
    Crank { name: "flag_liquidation", due: losses::flag },
    Crank { name: "update_lien", due: losses::update_liens },
    Crank { name: "resolve", due: losses::resolve },
    Crank { name: "upgrade_account", due: accounts::upgrade },
];

/// Names of all tasks.
pub fn names() -> Vec<&'static str> {
    CRANKS.iter().map(|crank| crank.name).collect()
}

impl View<'_> {
    fn snapshot(&self) -> &Snapshot {
        &self.state.snapshot
    }

    fn now(&self) -> i64 {
        self.state.snapshot.now
    }

    fn exchange(&self) -> Address {
        self.state.snapshot.exchange.address
    }

    /// The state that a decision on an account rests on.
    fn basis(&self, address: &Address) -> u64 {
        self.state.changed_at(address)
    }

    /// The price that an instruction with the price account would see.
    fn price(&self, market: &Address) -> Option<Observation> {
        Inputs::market(self.snapshot(), market).ok().map(|(_, observation)| observation)
    }

    /// How old that is.
    fn freshness(&self, address: &Address) -> Option<Freshness> {
        let market = self.snapshot().markets.get(address)?;
        let observation = self.price(address)?;
        let seconds = |limit: u32| Seconds::from_raw(i64::from(limit));
        let (max, dead) = (seconds(market.config.max_age_seconds), seconds(market.config.dead_age_seconds));
        Some(price::freshness(observation.publish_time, Timestamp::from_raw(self.now()), max, dead))
    }

    /// Whether a market's price is fresh, and not in doubt by its own account.
    fn is_narrow(&self, address: &Address) -> bool {
        let Some((market, observation)) = self.snapshot().markets.get(address).zip(self.price(address)) else {
            return false;
        };
        let limit = |ppm: u32| Ppm::from_raw(ppm);
        let width = price::check_limits(
            &observation,
            limit(market.config.max_confidence_ppm),
            limit(market.config.max_ema_gap_ppm),
        );
        self.freshness(address) == Some(Freshness::Fresh) && width == price::Width::Normal
    }

    /// The price account to pass with an instruction that may also take the stored price: where it is the younger one.
    fn oracle(&self, address: &Address) -> Option<Address> {
        let market = self.snapshot().markets.get(address)?;
        let price = self.snapshot().prices.get(address)?;
        let observation = price.observation(market, self.now()).ok()?;
        (observation.publish_time.raw() >= market.publish_time).then_some(price.address)
    }
}

/// A part of a limit in seconds, at least one.
fn part_of(seconds: i64, part: f64) -> i64 {
    ((seconds as f64 * part) as i64).max(1)
}

/// How far one number is from another, as a part of that.
fn relative_move(from: u64, to: u64) -> f64 {
    if from == 0 { f64::INFINITY } else { from.abs_diff(to) as f64 / from as f64 }
}
