//! What keeps an exchange going: prices, interest, boards, the house's value.

use plimsoll_interface::event::{
    AccountUpgraded, Accrued, BoardChanged, BoardRefreshed, BoardSettled, ExpirySampled, ForecastPosted,
    FundingAccrued, HouseRoundVoided, HouseValued, Observed, QuoteObserved, RateUpdated, StrikesListed,
    TransferFeeWithheld, VolatilitiesPosted, board_change,
};

use super::{
    Names,
    number::{day, dollars, grouped, moment, percent, q48, short},
};

pub fn observed(event: &Observed, names: &Names<'_>) -> String {
    format!("{} was observed at {}", names.symbol(&event.market), names.price(&event.market, event.spot))
}

pub fn quote_observed(event: &QuoteObserved) -> String {
    format!("The quote was observed at {} of a dollar", percent(event.price_ppm))
}

pub fn rate_updated(event: &RateUpdated, names: &Names<'_>) -> String {
    format!("One {} counts as {} of its underlying", names.bank(&event.bank), q48(event.deposit_rate))
}

pub fn accrued(event: &Accrued, names: &Names<'_>) -> String {
    format!("Interest of {} was accrued up to {}", names.bank(&event.bank), moment(event.accrued_at))
}

pub fn funding_accrued(event: &FundingAccrued, names: &Names<'_>) -> String {
    format!("Funding of {} was accrued up to {}", names.symbol(&event.market), moment(event.accrued_at))
}

pub fn forecast_posted(event: &ForecastPosted, names: &Names<'_>) -> String {
    format!(
        "A volatility of {} was forecast for {}, until {}",
        percent(event.volatility_ppm),
        names.symbol(&event.market),
        moment(event.expires_at),
    )
}

pub fn board_changed(event: &BoardChanged, names: &Names<'_>) -> String {
    let done = if event.kind == board_change::CREATED { "created" } else { "closed" };
    format!("A board was {done}: {} options of {}", names.symbol(&event.market), day(event.expiry))
}

pub fn strikes_listed(event: &StrikesListed, names: &Names<'_>) -> String {
    let listed = event.strikes.iter().filter(|strike| **strike != 0).map(|strike| {
        let price = names.board_price(&event.board, *strike);
        price.strip_suffix(" USD").map(str::to_owned).unwrap_or(price)
    });
    format!("Strikes of {} were listed: {}", names.board(&event.board), listed.collect::<Vec<_>>().join(", "))
}

pub fn volatilities_posted(event: &VolatilitiesPosted, names: &Names<'_>) -> String {
    format!("Volatilities of {} were posted; they count from the next refresh on", names.board(&event.board))
}

pub fn board_refreshed(event: &BoardRefreshed, names: &Names<'_>) -> String {
    let (board, spot) = (names.board(&event.board), names.board_price(&event.board, event.spot));
    format!("The arrays of {board} were computed at {spot}")
}

pub fn expiry_sampled(event: &ExpirySampled, names: &Names<'_>) -> String {
    let (board, price) = (names.board(&event.board), names.board_price(&event.board, event.price));
    format!("Sample {} for settling {board} is {price}", event.count)
}

pub fn board_settled(event: &BoardSettled, names: &Names<'_>) -> String {
    let (board, price) = (names.board(&event.board), names.board_price(&event.board, event.settlement_price));
    let of = match event.samples {
        0 => "the market's last moving average".into(),
        samples => format!("the mean of {samples} samples"),
    };
    format!("The {board} were settled at {price}, {of}")
}

pub fn house_valued(event: &HouseValued) -> String {
    let verb = if event.change < 0 { "lost" } else { "earned" };
    let change = dollars(event.change.unsigned_abs());
    format!("The house is worth {}, having {verb} {change} since its last valuation", dollars(event.nav))
}

pub fn house_round_voided(event: &HouseRoundVoided, names: &Names<'_>) -> String {
    format!("Valuation {} of the house is void: {} changed meanwhile", event.round, names.thing(&event.subject))
}

pub fn transfer_fee_withheld(event: &TransferFeeWithheld) -> String {
    let (kept, sent) = (event.sent.saturating_sub(event.received), event.sent);
    format!("The mint {} kept {} of {} native units as its fee", short(&event.mint), grouped(kept), grouped(sent))
}

pub fn account_upgraded(event: &AccountUpgraded) -> String {
    format!("Account {} was brought to the present layout from version {}", short(&event.account), event.from_version)
}
