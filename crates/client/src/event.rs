//! Events from a transaction's log.

use base64::{Engine, engine::general_purpose::STANDARD};
use plimsoll_interface::{ID, event::EventType};

pub use plimsoll_interface::event::{
    AccountChanged, AccountUpgraded, Accrued, AdminNominated, BalanceChanged, BoardChanged, BoardRefreshed,
    BoardSettled, Configured, Deleveraged, ExpirySampled, Filled, ForecastPosted, FundingAccrued, FundingPaid,
    HouseRoundVoided, HouseValued, InsolventLiquidated, InsuranceFunded, LienChanged, LienSeized, Liquidated,
    LiquidationDeferred, LiquidationFlagged, LossCovered, Observed, OptionFilled, OptionTraded, OptionsSettled,
    OrderFilled, OrdersCancelled, PausesSet, PositionWoundDown, ProposalCancelled, Proposed, QuoteObserved,
    RateUpdated, ReserveBought, Retired, RoleSet, Settled, SpotFilled, StrikesListed, Swapped, TicketChanged, Traded,
    TransferFeeWithheld, TriggerChanged, VenueApproved, VolatilitiesPosted,
};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Any event of the program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $name($name),)* }

        impl Event {
            /// The event in one decoded `Program data:` entry, or `None` if it is none of ours.
            pub fn read(entry: &[u8]) -> Option<Self> {
                $(if let Some(event) = $name::read(entry) {
                    return Some(Self::$name(event));
                })*
                None
            }

            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::NAME,)* }
            }
        }
    };
}
events!(
    /// An account of the exchange was created or reconfigured.
    Configured,
    /// A price was observed.
    Observed,
    /// Interest was accrued.
    Accrued,
    /// A change that loosens was announced.
    Proposed,
    /// A proposal was taken back.
    ProposalCancelled,
    /// An admin was nominated, or a nomination taken back.
    AdminNominated,
    /// A role changed hands.
    RoleSet,
    /// Kinds of action were paused or resumed.
    PausesSet,
    /// The quote's price was observed.
    QuoteObserved,
    /// A position was closed because its market winds down.
    PositionWoundDown,
    /// A market or bank was retired.
    Retired,
    /// A margin account was opened or closed, or its delegate set.
    AccountChanged,
    /// A deposit or a withdrawal.
    BalanceChanged,
    /// A trade against the house.
    Traded,
    /// Cash moved to or from a quote balance.
    Settled,
    /// An auction started, went on or ended.
    LiquidationFlagged,
    /// A fraction of an account was taken over.
    Liquidated,
    /// A board was created or closed.
    BoardChanged,
    /// Strikes were listed.
    StrikesListed,
    /// A board's volatilities were posted.
    VolatilitiesPosted,
    /// Risk arrays of a board were computed.
    BoardRefreshed,
    /// A price counts towards a board's settlement.
    ExpirySampled,
    /// A board was settled.
    BoardSettled,
    /// A trade of an option against the house.
    OptionTraded,
    /// Options of a settled board were paid in cash.
    OptionsSettled,
    /// Somebody put quote into the insurance.
    InsuranceFunded,
    /// Tokens of a reserve became insurance.
    ReserveBought,
    /// A fraction of an insolvent account was taken over.
    InsolventLiquidated,
    /// One step of covering a loss.
    LossCovered,
    /// Two positions were closed against one another.
    Deleveraged,
    /// A liquidation without capital began or ended.
    LiquidationDeferred,
    /// An order was stored, cancelled or executed.
    TriggerChanged,
    /// Two accounts traded with each other.
    Filled,
    /// Two accounts traded an option with each other.
    OptionFilled,
    /// Two accounts traded a balance of a bank for quote with each other.
    SpotFilled,
    /// A signed order was filled, wholly or in part.
    OrderFilled,
    /// Signed orders were cancelled.
    OrdersCancelled,
    /// A venue was approved, or its approval withdrawn.
    VenueApproved,
    /// What a lien claims or counts for changed.
    LienChanged,
    /// A lien was called in.
    LienSeized,
    /// A bank's exchange rate was updated.
    RateUpdated,
    /// A collateral was swapped against the house.
    Swapped,
    /// A volatility forecast was posted.
    ForecastPosted,
    /// Funding was accrued.
    FundingAccrued,
    /// A position paid or received funding.
    FundingPaid,
    /// The house was valued.
    HouseValued,
    /// A valuation of the house is void.
    HouseRoundVoided,
    /// A ticket to join or leave the house was made, executed, cancelled or claimed.
    TicketChanged,
    /// A mint withheld its fee out of a transfer.
    TransferFeeWithheld,
    /// An account of an earlier layout was rewritten.
    AccountUpgraded,
);

/// The program's events in a transaction's log, in order.
///
/// Only what the program itself logged counts: another program in the same transaction can write the same bytes.
pub fn from_logs<S: AsRef<str>>(logs: &[S]) -> Vec<Event> {
    let program = ID.to_string();
    let mut running: Vec<&str> = Vec::new();
    let mut events = Vec::new();
    for line in logs.iter().map(AsRef::as_ref) {
        if let Some(entry) = line.strip_prefix("Program data: ") {
            if running.last() == Some(&program.as_str()) {
                events.extend(STANDARD.decode(entry.trim()).ok().and_then(|bytes| Event::read(&bytes)));
            }
            continue;
        }
        let mut words = line.split(' ');
        if words.next() != Some("Program") {
            continue;
        }
        // "Program <id> invoke [<depth>]", "Program <id> success", "Program <id> failed: …"; all else is text.
        match (words.next(), words.next()) {
            (Some("log:"), _) => {}
            (Some(id), Some("invoke")) => running.push(id),
            (Some(id), Some("success" | "failed:")) if running.last() == Some(&id) => {
                running.pop();
            }
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use plimsoll_interface::Address;

    use super::*;

    fn settled() -> Settled {
        Settled { account: Address::new_unique(), market: Address::new_unique(), amount: -5, spot: 1 << 40 }
    }

    fn line(event: &Settled) -> String {
        let bytes = [Settled::DISCRIMINATOR.as_slice(), bytemuck::bytes_of(event)].concat();
        format!("Program data: {}", STANDARD.encode(bytes))
    }

    #[test]
    fn reads_what_the_program_logged() {
        let event = settled();
        let logs = [
            format!("Program {ID} invoke [1]"),
            "Program Token invoke [2]".into(),
            "Program log: invoke [3]".into(),
            "Program Token success".into(),
            line(&event),
            format!("Program {ID} consumed 900 of 200000 compute units"),
            format!("Program {ID} success"),
        ];
        assert_eq!(from_logs(&logs), [Event::Settled(event)]);
        assert_eq!(Event::Settled(event).name(), "Settled");
    }

    #[test]
    fn ignores_what_another_program_logged() {
        let logs = [
            format!("Program {ID} invoke [1]"),
            "Program Other invoke [2]".into(),
            line(&settled()),
            "Program Other success".into(),
            format!("Program {ID} success"),
            line(&settled()),
        ];
        assert_eq!(from_logs(&logs), []);
    }

    #[test]
    fn ignores_entries_that_are_no_event() {
        let logs = [format!("Program {ID} invoke [1]"), "Program data: AAAA".into(), "Program data: %%%".into()];
        assert_eq!(from_logs(&logs), []);
    }
}
