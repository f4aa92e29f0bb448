//! A trade of two margin accounts with each other, whoever arranged it: both signed the transaction, both signed orders, or
//! both approved the venue that calls.

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, MarketSlot},
    instruction::{FillArgs, instrument},
};
use plimsoll_risk::{
    fill::{self, FillQuote, Side},
    price::Observation,
    units::{Ppm, Price, Timestamp},
};

use crate::{
    book::Book,
    trading::{self, Change, Order},
};

/// What two accounts agreed on.
#[derive(Clone, Copy)]
pub struct Deal {
    /// One of [`instrument`].
    pub instrument: u8,
    /// Base units that the buyer receives.
    pub size: u64,
    /// What it pays for each.
    pub price: Price,
    /// Who pays the fee, and against whom the cost is rounded.
    pub taker: Side,
    /// Unix seconds after which the agreement is void, zero for never.
    pub expires_at: i64,
}

impl Deal {
    /// The buyer's side of it.
    fn order(&self, reduce_only: bool) -> Result<Order> {
        let size = i64::try_from(self.size).map_err(|_| PlimsollError::Overflow)?;
        Ok(Order { size, limit_price: self.price, expires_at: self.expires_at, reduce_only, tip: 0 })
    }
}

impl From<&FillArgs> for Deal {
    fn from(args: &FillArgs) -> Self {
        Self {
            instrument: args.instrument,
            size: args.size,
            price: Price::from_raw(args.price),
            taker: if args.seller_takes == 0 { Side::Buyer } else { Side::Seller },
            expires_at: args.expires_at,
        }
    }
}

/// On whose word a side trades.
#[derive(Clone, Copy, Default)]
pub struct Mandate {
    /// The delegate agreed to the price, not the owner or a venue of the owner's choice.
    pub by_delegate: bool,
    /// It may only make the position smaller.
    pub reduce_only: bool,
}

impl Mandate {
    /// What `signer` may agree to for `account`.
    ///
    /// # Errors
    /// [`PlimsollError::NotOwnerOrDelegate`].
    pub fn of(account: &MarginAccount, signer: &Address) -> Result<Self> {
        // Nobody's key is zero, but zero is a point of the curve, and stands for "no delegate".
        let is_somebody = *signer != Address::default();
        require!(is_somebody && account.may_reduce(signer), PlimsollError::NotOwnerOrDelegate);
        Ok(Self { by_delegate: account.owner != *signer, reduce_only: !account.may_trade(signer) })
    }
}

/// One side of a fill.
pub struct Counterparty<'a> {
    /// Its margin account.
    pub account: &'a mut MarginAccount,
    /// On whose word it trades.
    pub mandate: Mandate,
}

/// The accounts of a fill.
pub struct Counterparties<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Who buys.
    pub buyer: Counterparty<'a>,
    /// Who sells.
    pub seller: Counterparty<'a>,
    /// The market's address.
    pub market_address: &'a Address,
    /// The market.
    pub market: &'a mut Market,
    /// The other markets and the banks that either account uses.
    pub views: &'a [AccountView],
}

/// What came of it.
pub struct Filled {
    /// What the buyer paid the seller, and the taker the house.
    pub quote: FillQuote,
    /// The buyer's position afterwards, base units.
    pub buyer_position: i64,
    /// The seller's position afterwards, base units.
    pub seller_position: i64,
}

/// What a side's slot was and is.
#[derive(Clone, Copy)]
struct Booking {
    index: usize,
    before: MarketSlot,
    after: MarketSlot,
    reduces: bool,
}

/// Executes a deal: positions and cash move between the two accounts (INV-2, INV-3), the fee to the house, and afterwards
/// each has its initial margin (INV-5), or has only reduced, not for the worse, and at no worse a price than the oracle's.
///
/// # Errors
/// Those of states, prices, limits and margin.
#[inline(never)]
pub fn execute(
    mut parties: Counterparties<'_>,
    deal: &Deal,
    observation: &Observation,
    now: Timestamp,
) -> Result<Filled> {
    // In a liquidation without capital the taker's margin is held to later: meanwhile it trades with the house alone.
    parties.buyer.account.require_not_deferred()?;
    parties.seller.account.require_not_deferred()?;
    require!(deal.instrument == instrument::PERP, PlimsollError::UnsupportedInstrument);
    trading::admit(parties.exchange, parties.market, &deal.order(false)?, observation, now)?;
    let fee = Ppm::from_raw(parties.market.config.taker_fee_ppm);
    let quote = fill::quote_fill(deal.price, deal.size, deal.taker, fee).map_err(PlimsollError::from)?;
    require_price(&parties, deal, observation.spot)?;

    let buyer = book_side(&mut parties, Side::Buyer, deal, &quote, observation, now)?;
    let seller = book_side(&mut parties, Side::Seller, deal, &quote, observation, now)?;
    move_market(parties.market, [&buyer, &seller], &quote)?;

    require_margin(&mut parties, Side::Buyer, &buyer, deal.price, observation.spot, now)?;
    require_margin(&mut parties, Side::Seller, &seller, deal.price, observation.spot, now)?;
    parties.buyer.account.release_market(buyer.index)?;
    parties.seller.account.release_market(seller.index)?;
    parties.buyer.account.touch();
    parties.seller.account.touch();
    Ok(Filled { quote, buyer_position: buyer.after.size, seller_position: seller.after.size })
}

/// Checks that the price is within the market's band of the oracle's, and that no delegate gives more away than by trading
/// with the house: who may trade but not withdraw, may not pay out through an accomplice either.
fn require_price(parties: &Counterparties<'_>, deal: &Deal, spot: Price) -> Result<()> {
    let config = &parties.market.config;
    for (side, mandate) in [(Side::Buyer, parties.buyer.mandate), (Side::Seller, parties.seller.mandate)] {
        let within = |limit_ppm| fill::is_within(deal.price, spot, side, Ppm::from_raw(limit_ppm));
        require!(within(config.max_ema_gap_ppm), PlimsollError::FillPriceBand);
        require!(!mandate.by_delegate || within(config.half_spread_ppm), PlimsollError::DelegatePrice);
    }
    Ok(())
}

/// Books one side's position and cash, and checks that it may trade in this direction here and now.
#[inline(never)]
fn book_side(
    parties: &mut Counterparties<'_>,
    side: Side,
    deal: &Deal,
    quote: &FillQuote,
    observation: &Observation,
    now: Timestamp,
) -> Result<Booking> {
    let signed = |magnitude: u64| i64::try_from(magnitude).map_err(|_| PlimsollError::Overflow);
    let (party, size, cost) = match side {
        Side::Buyer => (&mut parties.buyer, signed(deal.size)?, signed(quote.cost)?),
        Side::Seller => (&mut parties.seller, signed(deal.size)?.wrapping_neg(), signed(quote.cost)?.wrapping_neg()),
    };
    let fee = if deal.taker == side { signed(quote.fee)? } else { 0 };
    let outlay = cost.checked_add(fee).ok_or(PlimsollError::Overflow)?;
    let index = party.account.market_slot_or_new(parties.market_address)?;
    let slot = party.account.markets.get_mut(index).ok_or(PlimsollError::Corrupt)?;
    parties.market.settle_funding(slot)?;
    let before = *slot;
    let reduces = trading::is_reduction(before.size, size);
    if !reduces {
        let order = deal.order(party.mandate.reduce_only)?;
        let disabled = (parties.market.config.perp_enabled != 1).then_some(PlimsollError::PerpDisabled);
        trading::require_opening_allowed(parties.exchange, parties.market, observation, &order, disabled, now)?;
    }
    slot.size = before.size.checked_add(size).ok_or(PlimsollError::Overflow)?;
    slot.cash = before.cash.checked_sub(outlay).ok_or(PlimsollError::Overflow)?;
    Ok(Booking { index, before, after: *slot, reduces })
}

/// Moves the market's open interest, within its limit where either side's part of it grew, and the fee to the house's cash.
fn move_market(market: &mut Market, bookings: [&Booking; 2], quote: &FillQuote) -> Result<()> {
    let mut grown = false;
    for booking in bookings {
        grown |= market.move_position(booking.before.size, booking.after.size)?;
    }
    let limit = market.config.max_open_interest;
    require!(
        !grown || (market.open_interest_long <= limit && market.open_interest_short <= limit),
        PlimsollError::OpenInterestLimit
    );
    let fee = i64::try_from(quote.fee).map_err(|_| PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_add(fee).ok_or(PlimsollError::Overflow)?;
    Ok(())
}

/// Checks one side's margin. An account without its initial margin reduces only at a price that is no worse for it than the
/// oracle's: a reduction frees margin, so at a worse one it could give value away with every step and still be no worse off
/// by its margin, up to the loss that others would bear.
#[inline(never)]
fn require_margin(
    parties: &mut Counterparties<'_>,
    side: Side,
    booking: &Booking,
    price: Price,
    spot: Price,
    now: Timestamp,
) -> Result<()> {
    let account = match side {
        Side::Buyer => &mut *parties.buyer.account,
        Side::Seller => &mut *parties.seller.account,
    };
    let book = Book::new(parties.views, now).with_market(parties.market_address, parties.market);
    let risk = parties.exchange.risk(now);
    let change = Change { slot_index: booking.index, before: booking.before, after: booking.after, option: None };
    let sufficient = trading::require_margin(&book, account, &risk, &change, booking.reduces)?;
    require!(sufficient || fill::deviation(price, spot, side) == 0, PlimsollError::PoorPrice);
    Ok(())
}
