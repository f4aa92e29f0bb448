//! Spot: a balance of a bank against quote. No token moves and the vaults stay as they are: each leg does what a withdrawal by
//! one account and a deposit by the other would, shares rounded in the bank's favour, and is held to what those are held to.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{BalanceSlot, Bank, House, MarginAccount, same_address},
    bridge,
    config::state,
    effect::{ledger, trading},
    event::SpotFilled,
};
use plimsoll_risk::{
    fill::{self, FillQuote, Side},
    price::Observation,
    units::{Ppm, Price, Timestamp},
};

use super::{Counterparties, Counterparty, Deal, Limits, require_fair};
use crate::book::{self, Assessment, Book};

/// What is traded, and for what.
struct Banks {
    bank: Account<Bank>,
    quote_bank: Account<Bank>,
    house: Account<House>,
}

/// One side's two balances: where they are, what they were, and what the trade did.
struct Holding {
    bank: usize,
    quote: usize,
    before: [BalanceSlot; 2],
    borrowed: bool,
    opens: bool,
}

/// See [`super::execute`].
#[inline(never)]
pub fn execute(parties: &mut Counterparties<'_>, deal: &Deal, observation: &Observation, now: Timestamp) -> Result<()> {
    let by_reducer = parties.buyer.mandate.by_reducer || parties.seller.mandate.by_reducer;
    require!(!by_reducer, PlimsollError::NotOwnerOrDelegate);
    trading::admit(parties.exchange, parties.market, &deal.order(false)?, observation, now)?;
    let mut banks = load(parties, now)?;
    // As the house would trade it: a token that has a rate is bought at that of debts and sold at that of deposits.
    let buyers = bridge::token_price(observation.spot, &banks.bank, bridge::Side::Debt)?;
    let sellers = bridge::token_price(observation.spot, &banks.bank, bridge::Side::Deposit)?;
    let quote = price(parties, &banks.bank, deal, [buyers, sellers])?;
    let mut buyer = hold(&mut parties.buyer, &banks)?;
    let mut seller = hold(&mut parties.seller, &banks)?;
    exchange(parties, &mut banks, deal, &quote, (&mut buyer, &mut seller))?;
    for (side, holding, mark) in [(Side::Buyer, &buyer, buyers), (Side::Seller, &seller, sellers)] {
        if holding.opens {
            require_opening_allowed(parties, side, &banks, deal, observation, now)?;
        }
        require_margin(parties, side, holding, &banks, (deal.price, mark), now)?;
    }
    let buyer_shares = release(parties.buyer.account, &buyer)?;
    let seller_shares = release(parties.seller.account, &seller)?;
    emit!(SpotFilled {
        bank: *banks.bank.address(),
        buyer: parties.buyer.address,
        seller: parties.seller.address,
        venue: parties.venue,
        amount: deal.size,
        price: deal.price.raw(),
        cost: quote.cost,
        fee: quote.fee,
        seller_takes: u64::from(deal.taker == Side::Seller),
        spot: observation.spot.raw(),
        buyer_shares,
        seller_shares,
    });
    Ok(())
}

/// The bank that the market prices, the exchange's quote bank and its house, interest accrued.
#[inline(never)]
fn load(parties: &mut Counterparties<'_>, now: Timestamp) -> Result<Banks> {
    let [bank, quote_bank, house, rest @ ..] = parties.views else { return Err(PlimsollError::MissingBank.into()) };
    parties.views = rest;
    let mut banks = Banks {
        bank: book::load_mut::<Bank>(*bank)?,
        quote_bank: book::load_mut::<Bank>(*quote_bank)?,
        house: book::load_mut::<House>(*house)?,
    };
    // A market's banks are of its exchange.
    require!(same_address(&banks.bank.market, parties.market_address), PlimsollError::WrongBankMarket);
    let is_quote = same_address(banks.quote_bank.address(), &parties.exchange.quote_bank);
    require!(is_quote, PlimsollError::WrongQuoteBank);
    require!(same_address(&banks.house.exchange, &parties.market.exchange), PlimsollError::WrongExchange);
    require!(!banks.bank.is_rated() || banks.bank.rate.is_fresh(now), PlimsollError::RateOld);
    ledger::accrue(&mut banks.bank, now)?;
    ledger::accrue(&mut banks.quote_bank, now)?;
    Ok(banks)
}

/// What the deal costs, at a price within the limits.
fn price(parties: &Counterparties<'_>, bank: &Bank, deal: &Deal, marks: [Price; 2]) -> Result<FillQuote> {
    let units = bridge::token_units(deal.size, bank)?;
    let fee = Ppm::from_raw(parties.market.config.taker_fee_ppm);
    let quote = fill::quote_fill(deal.price, units, deal.taker, fee).map_err(PlimsollError::from)?;
    let [_, lower] = marks;
    Limits::of(parties.market, lower).require(parties, deal.price, marks)?;
    Ok(quote)
}

/// Finds or takes a side's two balances.
#[inline(never)]
fn hold(party: &mut Counterparty<'_>, banks: &Banks) -> Result<Holding> {
    let bank = party.account.balance_slot_or_new(banks.bank.address(), Some(&banks.bank.market))?;
    let quote = party.account.balance_slot_or_new(banks.quote_bank.address(), None)?;
    let before = [balance(party.account, bank)?, balance(party.account, quote)?];
    Ok(Holding { bank, quote, before, borrowed: false, opens: false })
}

/// Moves the amount to the buyer, and what it costs to the seller and the house. What is more than selling a deposit and
/// repaying a debt out of one opens: a borrow, a larger deposit of what has a price.
#[inline(never)]
fn exchange(
    parties: &mut Counterparties<'_>,
    banks: &mut Banks,
    deal: &Deal,
    quote: &FillQuote,
    (buyer, seller): (&mut Holding, &mut Holding),
) -> Result<()> {
    let (of_buyer, of_seller) = (&mut *parties.buyer.account, &mut *parties.seller.account);
    let (amounts, bank) = ((deal.size, deal.size), &mut banks.bank);
    let sold = ledger::pay((of_seller, seller.bank), (of_buyer, buyer.bank), bank, amounts)?;
    let (paid, received) = match deal.taker {
        Side::Buyer => (quote.cost.checked_add(quote.fee).ok_or(PlimsollError::Overflow)?, quote.cost),
        Side::Seller => (quote.cost, quote.cost.checked_sub(quote.fee).ok_or(PlimsollError::AmountTooSmall)?),
    };
    let (amounts, bank) = ((paid, received), &mut banks.quote_bank);
    let bought = ledger::pay((of_buyer, buyer.quote), (of_seller, seller.quote), bank, amounts)?;
    ledger::house_credit(&mut banks.house, bank, quote.fee)?;
    (seller.borrowed, buyer.borrowed) = (sold.borrowed > 0, bought.borrowed > 0);
    seller.opens = seller.borrowed;
    buyer.opens = buyer.borrowed || balance(of_buyer, buyer.bank)?.shares > 0;
    Ok(())
}

/// Checks that a side may take on what it did here and now. More of a collateral is taken on in banks that are active.
fn require_opening_allowed(
    parties: &Counterparties<'_>,
    side: Side,
    banks: &Banks,
    deal: &Deal,
    observation: &Observation,
    now: Timestamp,
) -> Result<()> {
    let mandate = match side {
        Side::Buyer => parties.buyer.mandate,
        Side::Seller => parties.seller.mandate,
    };
    let order = deal.order(mandate.reduce_only)?;
    let disabled = (banks.bank.config.state != state::ACTIVE).then_some(PlimsollError::BankReduceOnly);
    Ok(trading::require_opening_allowed(parties.exchange, parties.market, observation, &order, disabled, now)?)
}

/// Checks one side's margin, as a withdrawal does where it pays with what it borrows or at a price that gives something away:
/// no unpaid gain stands for what leaves for good.
#[inline(never)]
fn require_margin(
    parties: &mut Counterparties<'_>,
    side: Side,
    holding: &Holding,
    banks: &Banks,
    (price, mark): (Price, Price),
    now: Timestamp,
) -> Result<()> {
    if parties.side(side).account.has_no_liability() {
        return Ok(());
    }
    let assessment = assess(parties, side, banks, now)?;
    let (health, is_blocked) = (book::health_init(&assessment.margin)?, assessment.margin.blocked_by.is_some());
    if !is_blocked && health >= 0 {
        let gives = holding.borrowed || fill::deviation(price, mark, side) != 0;
        return if gives { require_settled(parties, side, banks, &assessment, now) } else { Ok(()) };
    }
    if holding.opens {
        require!(!is_blocked, PlimsollError::OracleStale);
        return Err(PlimsollError::InsufficientMargin.into());
    }
    let account = &mut *parties.side(side).account;
    let after = [balance(account, holding.bank)?, balance(account, holding.quote)?];
    put(account, holding, holding.before)?;
    let health_before = book::health_init(&assess(parties, side, banks, now)?.margin)?;
    put(parties.side(side).account, holding, after)?;
    require!(health >= health_before, PlimsollError::InsufficientMargin);
    require_fair(false, price, mark, side)
}

#[inline(never)]
fn assess(parties: &Counterparties<'_>, side: Side, banks: &Banks, now: Timestamp) -> Result<Assessment> {
    book_of(parties, banks, now).assess(account_of(parties, side), &parties.exchange.risk(now))
}

#[inline(never)]
fn require_settled(
    parties: &Counterparties<'_>,
    side: Side,
    banks: &Banks,
    assessment: &Assessment,
    now: Timestamp,
) -> Result<()> {
    book_of(parties, banks, now).require_settled(account_of(parties, side), assessment)
}

fn book_of<'b>(parties: &'b Counterparties<'_>, banks: &'b Banks, now: Timestamp) -> Book<'b> {
    Book::new(parties.views, now)
        .with_bank(&banks.bank)
        .with_other_bank(&banks.quote_bank)
        .with_market(parties.market_address, parties.market)
}

fn account_of<'b>(parties: &'b Counterparties<'_>, side: Side) -> &'b MarginAccount {
    match side {
        Side::Buyer => parties.buyer.account,
        Side::Seller => parties.seller.account,
    }
}

fn balance(account: &MarginAccount, index: usize) -> Result<BalanceSlot> {
    Ok(*account.balances.get(index).ok_or(PlimsollError::Corrupt)?)
}

fn put(account: &mut MarginAccount, holding: &Holding, [bank, quote]: [BalanceSlot; 2]) -> Result<()> {
    *account.balances.get_mut(holding.bank).ok_or(PlimsollError::Corrupt)? = bank;
    *account.balances.get_mut(holding.quote).ok_or(PlimsollError::Corrupt)? = quote;
    Ok(())
}

/// Frees what is empty, and gives the shares of the bank.
fn release(account: &mut MarginAccount, holding: &Holding) -> Result<i64> {
    let shares = balance(account, holding.bank)?.shares;
    account.release_balance(holding.bank)?;
    account.release_balance(holding.quote)?;
    Ok(shares)
}
