//! What happens to accounts below their line, who pays for a loss, and liens.

use plimsoll_interface::event::{
    Deleveraged, InsolventLiquidated, InsuranceFunded, LienChanged, LienSeized, Liquidated, LiquidationDeferred,
    LiquidationFlagged, LossCovered, ReserveBought, loss_source,
};

use super::{
    Names,
    number::{dollars, fraction, grouped, moment, percent},
};

pub fn liquidation_flagged(event: &LiquidationFlagged, names: &Names<'_>) -> String {
    let account = names.subject(&event.account);
    if event.started_at == 0 {
        return format!("{account} is above its line again");
    }
    let (equity, requirement) = (dollars(event.equity), dollars(event.requirement));
    let since = moment(event.started_at);
    format!("{account} is below its line since {since}: equity {equity}, requirement {requirement}")
}

pub fn liquidated(event: &Liquidated, names: &Names<'_>) -> String {
    format!(
        "{} {} of {} for {}, a discount of {} of its requirement",
        names.does(&event.taker, "took over"),
        fraction(event.fraction),
        names.account(&event.account),
        dollars(event.payment),
        percent(event.discount_ppm),
    )
}

pub fn insolvent_liquidated(event: &InsolventLiquidated, names: &Names<'_>) -> String {
    format!(
        "{} {} of {}, which lacked {}: the insurance paid {} and has {} left",
        names.does(&event.taker, "took over"),
        fraction(event.fraction),
        names.account(&event.account),
        dollars(event.equity.unsigned_abs()),
        dollars(event.payout),
        dollars(event.insurance),
    )
}

pub fn liquidation_deferred(event: &LiquidationDeferred, names: &Names<'_>) -> String {
    let taker = names.account(&event.taker);
    match event.begun {
        1 => format!("A liquidation without capital began for {taker}"),
        _ => format!("A liquidation without capital ended, and left {taker} a health of {}", dollars(event.health)),
    }
}

pub fn loss_covered(event: &LossCovered, names: &Names<'_>) -> String {
    let source = match event.source {
        loss_source::INSURANCE => "The insurance",
        loss_source::HOUSE => "The house",
        _ => "All quote deposits together",
    };
    format!("{source} paid {} of the loss of {}", dollars(event.amount), names.account(&event.account))
}

pub fn deleveraged(event: &Deleveraged, names: &Names<'_>) -> String {
    format!(
        "{} of {} were closed against insolvent {} at {}, and {} of its gain went to the loss",
        names.contracts(&event.market, event.closed),
        names.account(&event.counterparty),
        names.account(&event.account),
        names.price(&event.market, event.spot),
        dollars(event.taken),
    )
}

pub fn insurance_funded(event: &InsuranceFunded, names: &Names<'_>) -> String {
    let does = names.wallet_does(&event.funder, "put");
    format!("{does} {} into the insurance, which has {} now", dollars(event.amount), dollars(event.insurance))
}

pub fn reserve_bought(event: &ReserveBought, names: &Names<'_>) -> String {
    let (does, tokens) = (names.wallet_does(&event.buyer, "bought"), names.tokens(&event.bank, event.amount));
    format!("{does} {tokens} of the reserve for {}, which are insurance now", dollars(event.payment))
}

pub fn lien_changed(event: &LienChanged, names: &Names<'_>) -> String {
    let account = names.account(&event.account);
    if event.claim == 0 {
        return format!("A lien of {account} was released");
    }
    let (claim, recognised) = (grouped(event.claim), grouped(event.recognised));
    format!("A lien of {account} claims {claim} native units, of which {recognised} count")
}

pub fn lien_seized(event: &LienSeized, names: &Names<'_>) -> String {
    let (account, claim, received) = (names.account(&event.account), grouped(event.claim), grouped(event.received));
    format!("A lien of {account} was called in: {received} of {claim} native units arrived")
}
