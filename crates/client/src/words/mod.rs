//! Events in words, one sentence each: for a terminal, a log, a page. The only place where they are written.

mod control;
mod loss;
pub mod number;
mod trading;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};

pub use control::{PAUSES, paused};
use plimsoll_interface::{
    Address,
    accounts::{Board, Market},
    board::{series_kind, series_strike},
};
use plimsoll_risk::black::OptionKind;

use self::number::{day, decimal, grouped, price, short};
use crate::{Snapshot, decode, event::Event};

/// What addresses of an exchange are called, and in what units its amounts are.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    snapshot: Option<&'a Snapshot>,
    mints: BTreeMap<Address, String>,
    accounts: BTreeMap<Address, String>,
    own: BTreeSet<Address>,
}

impl<'a> Names<'a> {
    /// As the exchange itself calls them. Without one ([`Names::default`]) amounts are native units and names addresses.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        Self { snapshot: Some(snapshot), ..Self::default() }
    }

    /// The same, with names for mints. Others are called as their market, and the quote's `USD`.
    pub fn with_mints(self, mints: impl IntoIterator<Item = (Address, String)>) -> Self {
        Self { mints: mints.into_iter().collect(), ..self }
    }

    /// The same, with names for margin accounts.
    pub fn with_accounts(self, accounts: impl IntoIterator<Item = (Address, String)>) -> Self {
        Self { accounts: accounts.into_iter().collect(), ..self }
    }

    /// The same for somebody whose wallet and margin accounts these are: what they do is told without saying who.
    pub fn for_owner(self, own: impl IntoIterator<Item = Address>) -> Self {
        Self { own: own.into_iter().collect(), ..self }
    }

    /// A margin account within a sentence.
    fn account(&self, account: &Address) -> String {
        match self.accounts.get(account) {
            Some(name) => name.clone(),
            None if self.own.contains(account) => "your account".into(),
            None => format!("account {}", short(account)),
        }
    }

    /// A margin account at the beginning of a sentence.
    fn subject(&self, account: &Address) -> String {
        capital(&self.account(account))
    }

    /// What a margin account does, at the beginning of a sentence.
    fn does(&self, account: &Address, verb: &str) -> String {
        if self.own.contains(account) { capital(verb) } else { format!("{} {verb}", self.subject(account)) }
    }

    /// The same of a wallet.
    fn wallet_does(&self, wallet: &Address, verb: &str) -> String {
        if self.own.contains(wallet) { capital(verb) } else { format!("{} {verb}", short(wallet)) }
    }

    fn market(&self, market: &Address) -> Option<&'a Market> {
        self.snapshot?.markets.get(market)
    }

    fn symbol(&self, market: &Address) -> String {
        self.market(market).map_or_else(|| short(market), decode::symbol)
    }

    /// A bank by the name of its mint.
    fn bank(&self, address: &Address) -> String {
        let Some(bank) = self.snapshot.and_then(|snapshot| snapshot.banks.get(address)) else { return short(address) };
        let usual = || if bank.is_quote == 1 { "USD".into() } else { self.symbol(&bank.market) };
        self.mints.get(&bank.mint).cloned().unwrap_or_else(usual)
    }

    /// Whatever is configured or announced.
    fn thing(&self, address: &Address) -> String {
        let Some(snapshot) = self.snapshot else { return short(address) };
        if snapshot.exchange.address == *address {
            return "the exchange".into();
        }
        if plimsoll_interface::address::house(&snapshot.exchange.address) == *address {
            return "the house".into();
        }
        match (snapshot.markets.get(address), snapshot.boards.get(address)) {
            (Some(market), _) => decode::symbol(market),
            (_, Some(_)) => self.board(address),
            _ => self.bank(address),
        }
    }

    /// Native units of a bank's mint, without a sign.
    fn tokens(&self, bank: &Address, native: u64) -> String {
        match self.snapshot.and_then(|snapshot| snapshot.banks.get(bank)) {
            Some(known) => format!("{} {}", decimal(native, known.decimals), self.bank(bank)),
            None => format!("{} native units of bank {}", grouped(native), short(bank)),
        }
    }

    /// Base units of a market as contracts of its perpetual.
    fn contracts(&self, market: &Address, size: u64) -> String {
        match self.market(market) {
            Some(known) => format!("{} {}-PERP", decimal(size, known.base_decimals), decode::symbol(known)),
            None => format!("{} base units of market {}", grouped(size), short(market)),
        }
    }

    /// A position after a trade.
    fn position(&self, market: &Address, size: i64) -> String {
        decimal(size, self.market(market).map_or(0, |known| known.base_decimals))
    }

    /// A price of a market.
    fn price(&self, market: &Address, raw: u64) -> String {
        match self.market(market) {
            Some(known) => format!("{} USD", price(raw, known.base_decimals)),
            None => format!("{raw}/2^48 quote native per base unit"),
        }
    }

    fn board_of(&self, board: &Address) -> Option<&'a Board> {
        self.snapshot?.boards.get(board)
    }

    /// A price of a board's market.
    fn board_price(&self, board: &Address, raw: u64) -> String {
        self.price(&self.board_of(board).map_or(*board, |known| known.market), raw)
    }

    /// A board: `SOL options of 2026-12-25`.
    fn board(&self, board: &Address) -> String {
        match self.board_of(board) {
            Some(known) => format!("{} options of {}", self.symbol(&known.market), day(known.expiry)),
            None => format!("options of board {}", short(board)),
        }
    }

    /// A series: `SOL call 40.00 USD of 2026-12-25`.
    fn series(&self, board: &Address, series: u64) -> String {
        let found = self.board_of(board).zip(usize::try_from(series).ok());
        let strike = found.and_then(|(known, series)| known.strikes.get(series_strike(series)).zip(Some(known)));
        let Some((strike, known)) = strike else { return format!("series {series} of {}", self.board(board)) };
        let kind = match series_kind(series as usize) {
            OptionKind::Call => "call",
            OptionKind::Put => "put",
        };
        let (symbol, strike) = (self.symbol(&known.market), self.price(&known.market, *strike));
        format!("{symbol} {kind} {strike} of {}", day(known.expiry))
    }
}

/// With a large letter at the beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An event in one sentence, without a full stop.
pub fn sentence(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::AccountChanged(event) => trading::account_changed(event, names),
        Event::AccountUpgraded(event) => upkeep::account_upgraded(event),
        Event::Accrued(event) => upkeep::accrued(event, names),
        Event::AdminNominated(event) => control::admin_nominated(event),
        Event::BalanceChanged(event) => trading::balance_changed(event, names),
        Event::BoardChanged(event) => upkeep::board_changed(event, names),
        Event::BoardRefreshed(event) => upkeep::board_refreshed(event, names),
        Event::BoardSettled(event) => upkeep::board_settled(event, names),
        Event::Configured(event) => control::configured(event, names),
        Event::Deleveraged(event) => loss::deleveraged(event, names),
        Event::ExpirySampled(event) => upkeep::expiry_sampled(event, names),
        Event::Filled(event) => trading::filled(event, names),
        Event::ForecastPosted(event) => upkeep::forecast_posted(event, names),
        Event::FundingAccrued(event) => upkeep::funding_accrued(event, names),
        Event::FundingPaid(event) => trading::funding_paid(event, names),
        Event::HouseRoundVoided(event) => upkeep::house_round_voided(event, names),
        Event::HouseValued(event) => upkeep::house_valued(event),
        Event::InsolventLiquidated(event) => loss::insolvent_liquidated(event, names),
        Event::InsuranceFunded(event) => loss::insurance_funded(event, names),
        Event::LienChanged(event) => loss::lien_changed(event, names),
        Event::LienSeized(event) => loss::lien_seized(event, names),
        Event::Liquidated(event) => loss::liquidated(event, names),
        Event::LiquidationDeferred(event) => loss::liquidation_deferred(event, names),
        Event::LiquidationFlagged(event) => loss::liquidation_flagged(event, names),
        Event::LossCovered(event) => loss::loss_covered(event, names),
        Event::Observed(event) => upkeep::observed(event, names),
        Event::OptionFilled(event) => trading::option_filled(event, names),
        Event::OptionTraded(event) => trading::option_traded(event, names),
        Event::OptionsSettled(event) => trading::options_settled(event, names),
        Event::OrderFilled(event) => trading::order_filled(event, names),
        Event::OrdersCancelled(event) => trading::orders_cancelled(event, names),
        Event::PausesSet(event) => control::pauses_set(event),
        Event::PositionWoundDown(event) => trading::position_wound_down(event, names),
        Event::ProposalCancelled(event) => control::proposal_cancelled(event, names),
        Event::Proposed(event) => control::proposed(event, names),
        Event::QuoteObserved(event) => upkeep::quote_observed(event),
        Event::RateUpdated(event) => upkeep::rate_updated(event, names),
        Event::ReserveBought(event) => loss::reserve_bought(event, names),
        Event::Retired(event) => control::retired(event, names),
        Event::RoleSet(event) => control::role_set(event),
        Event::Settled(event) => trading::settled(event, names),
        Event::SpotFilled(event) => trading::spot_filled(event, names),
        Event::StrikesListed(event) => upkeep::strikes_listed(event, names),
        Event::Swapped(event) => trading::swapped(event, names),
        Event::TicketChanged(event) => trading::ticket_changed(event, names),
        Event::Traded(event) => trading::traded(event, names),
        Event::TransferFeeWithheld(event) => upkeep::transfer_fee_withheld(event),
        Event::TriggerChanged(event) => trading::trigger_changed(event, names),
        Event::VenueApproved(event) => trading::venue_approved(event, names),
        Event::VolatilitiesPosted(event) => upkeep::volatilities_posted(event, names),
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use plimsoll_interface::{
        accounts::{Bank, Exchange},
        event::{BalanceChanged, Configured, Liquidated, OptionTraded, OptionsSettled, Traded},
    };

    use super::*;
    use crate::Keyed;

    const EXPIRY: i64 = 1_798_185_600;

    fn key(number: u8) -> Address {
        Address::new_from_array([number; 32])
    }

    /// An exchange with a market SOL, a bank of it, and a board with a strike of 40 USD.
    fn snapshot() -> Snapshot {
        let mut symbol = [0; 16];
        symbol[..3].copy_from_slice(b"SOL");
        let market = Market { symbol, base_decimals: 9, ..Market::zeroed() };
        let bank = Bank { market: key(1), mint: key(9), decimals: 9, ..Bank::zeroed() };
        let mut board = Board { market: key(1), expiry: EXPIRY, ..Board::zeroed() };
        board.strikes[0] = (1 << 48) / 25;
        Snapshot {
            exchange: Keyed { address: key(7), data: Exchange::zeroed() },
            house: None,
            banks: BTreeMap::from([(key(2), bank)]),
            markets: BTreeMap::from([(key(1), market)]),
            boards: BTreeMap::from([(key(3), board)]),
            prices: BTreeMap::new(),
            now: 0,
        }
    }

    fn trade() -> Event {
        let (account, market) = (key(4), key(1));
        let (size, cost, fee, spot, position) = (-2_500_000_000, -99_987_654, 50_000, (1 << 48) / 25, -500_000_000);
        Event::Traded(Traded { account, market, size, cost, fee, spot, position, ..Traded::zeroed() })
    }

    #[test]
    fn a_trade_says_who_what_and_for_how_much() {
        let snapshot = snapshot();
        let rest =
            "sold 2.5 SOL-PERP for 99.987654 USD at an oracle price of 40.00 USD, fee 0.05 USD, position now -0.5";
        let names = Names::of(&snapshot);
        assert_eq!(sentence(&trade(), &names), format!("Account {} {rest}", short(&key(4))));
        let named = names.clone().with_accounts([(key(4), "the writer".into())]);
        assert_eq!(sentence(&trade(), &named), format!("The writer {rest}"));
        assert_eq!(sentence(&trade(), &names.for_owner([key(4)])), capital(rest));
    }

    #[test]
    fn of_an_unknown_exchange_amounts_are_native() {
        let text = sentence(&trade(), &Names::default());
        assert!(text.contains("sold 2,500,000,000 base units of market "), "{text}");
        assert!(text.contains("at an oracle price of 11258999068426/2^48 quote native per base unit"), "{text}");
    }

    #[test]
    fn mints_are_called_as_they_are_named_or_as_their_market() {
        let snapshot = snapshot();
        let change = BalanceChanged { account: key(4), bank: key(2), amount: -1_000, ..BalanceChanged::zeroed() };
        let said = |names: Names<'_>| sentence(&Event::BalanceChanged(change), &names.for_owner([key(4)]));
        assert_eq!(said(Names::of(&snapshot)), "Withdrew 0.000001 SOL");
        assert_eq!(said(Names::of(&snapshot).with_mints([(key(9), "mSOL".into())])), "Withdrew 0.000001 mSOL");
    }

    #[test]
    fn options_are_named_by_kind_strike_and_day() {
        let snapshot = snapshot();
        let names = Names::of(&snapshot).for_owner([key(4)]);
        let (account, market, board) = (key(4), key(1), key(3));
        let traded = OptionTraded { account, market, board, series: 1, lots: 1_000, ..OptionTraded::zeroed() };
        assert_eq!(
            sentence(&Event::OptionTraded(traded), &names),
            "Bought 1,000 lots of SOL put 40.00 USD of 2026-12-25 for 0 USD, fee 0 USD, position now 0"
        );
        // Its `series` is how many there were, not which.
        let settled = OptionsSettled { account, market, board, amount: -5, series: 1, ..OptionsSettled::zeroed() };
        assert_eq!(
            sentence(&Event::OptionsSettled(settled), &names),
            "Paid 0.000005 USD for SOL options of 2026-12-25, settled at 0.00 USD"
        );
    }

    #[test]
    fn others_and_own_accounts_are_told_apart() {
        let (account, taker) = (key(4), key(5));
        let (fraction, payment, discount_ppm) = (1 << 31, 12_000_000, 12_500);
        let event = Liquidated { account, taker, fraction, payment, discount_ppm, ..Liquidated::zeroed() };
        let said = sentence(&Event::Liquidated(event), &Names::default().for_owner([account]));
        let rest = "took over 50.0 % of your account for 12 USD, a discount of 1.25 % of its requirement";
        assert_eq!(said, format!("Account {} {rest}", short(&taker)));
    }

    #[test]
    fn what_is_configured_is_named() {
        let snapshot = snapshot();
        let said = |subject: Address| {
            let event = Configured { subject, ..Configured::zeroed() };
            let text = sentence(&Event::Configured(event), &Names::of(&snapshot));
            text.split(" was created").next().map(str::to_owned)
        };
        let house = plimsoll_interface::address::house(&key(7));
        let all = [key(7), house, key(1), key(2), key(3)].map(said);
        let wanted = ["The exchange", "The house", "SOL", "SOL", "SOL options of 2026-12-25"];
        assert_eq!(all, wanted.map(|name| Some(name.into())));
    }
}
