//! A trade of two margin accounts with each other, whoever arranged it: both signed the transaction, both signed orders, or
//! both approved the venue that calls. Here what every instrument has in common, and the perpetual.

mod option;
mod spot;

use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Bank, Board, Exchange, MarginAccount, Market},
    bridge,
    effect::trading::{self, Change, Order},
    event::Filled,
    instruction::{Contract, FillArgs, instrument},
};
use plimsoll_risk::{
    fill::{self, FillQuote, Side},
    price::Observation,
    units::{Base, Ppm, Price, Timestamp},
};

use crate::{book::Book, trading::require_margin};

/// What two accounts agreed on.
#[derive(Clone, Copy)]
pub struct Deal {
    /// One of [`instrument`].
    pub instrument: u8,
    /// Which option.
    pub contract: Contract,
    /// What the buyer receives: base units, lots of an option, native units of a bank's mint.
    pub size: u64,
    /// What it pays for each base unit.
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

    /// What a venue's limits count of it, quote native, rounded up: the agreed price of what is traded, and of options the
    /// oracle's of what they are on. So the band, a part of the same price, is that part of what is counted.
    ///
    /// # Errors
    /// [`PlimsollError::MissingBoard`], [`PlimsollError::MissingBank`]; [`PlimsollError::Overflow`].
    #[inline(never)]
    pub fn notional(&self, spot: Price, views: &[AccountView]) -> Result<u64> {
        let size = i64::try_from(self.size).map_err(|_| PlimsollError::Overflow)?;
        let (price, base) = match self.instrument {
            instrument::CALL | instrument::PUT => {
                let board = Account::<Board>::load(*views.first().ok_or(PlimsollError::MissingBoard)?)?;
                let lot = i64::try_from(board.lot).map_err(|_| PlimsollError::Overflow)?;
                (spot, size.checked_mul(lot).ok_or(PlimsollError::Overflow)?)
            }
            instrument::SPOT => {
                let bank = Account::<Bank>::load(*views.first().ok_or(PlimsollError::MissingBank)?)?;
                let units = bridge::token_units(self.size, &bank)?;
                (self.price, i64::try_from(units).map_err(|_| PlimsollError::Overflow)?)
            }
            _ => (self.price, size),
        };
        Ok(price.magnitude_ceil(Base::from_raw(base)).ok_or(PlimsollError::Overflow)?)
    }
}

impl From<&FillArgs> for Deal {
    fn from(args: &FillArgs) -> Self {
        Self {
            instrument: args.instrument,
            contract: args.contract,
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
    /// The delegate that agreed only makes positions smaller, which collateral is none of.
    pub by_reducer: bool,
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
        let by_reducer = !account.may_trade(signer);
        Ok(Self { by_delegate: account.owner != *signer, reduce_only: by_reducer, by_reducer })
    }
}

/// One side of a fill.
pub struct Counterparty<'a> {
    /// Address of its margin account.
    pub address: Address,
    /// Its margin account.
    pub account: &'a mut MarginAccount,
    /// On whose word it trades.
    pub mandate: Mandate,
}

impl<'a> Counterparty<'a> {
    /// A margin account's side.
    pub fn new(account: &'a mut Account<MarginAccount>, mandate: Mandate) -> Self {
        Self { address: *account.address(), account, mandate }
    }
}

/// The accounts of a fill.
pub struct Counterparties<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Who buys.
    pub buyer: Counterparty<'a>,
    /// Who sells.
    pub seller: Counterparty<'a>,
    /// The venue that fills, zero for none.
    pub venue: Address,
    /// The market's address.
    pub market_address: &'a Address,
    /// The market.
    pub market: &'a mut Market,
    /// What the instrument is kept in: of an option its board, of spot the bank, the quote bank and the house. Behind it the
    /// other markets, banks and boards that either account uses.
    pub views: &'a [AccountView],
}

impl<'a> Counterparties<'a> {
    /// One of the two.
    fn side(&mut self, side: Side) -> &mut Counterparty<'a> {
        match side {
            Side::Buyer => &mut self.buyer,
            Side::Seller => &mut self.seller,
        }
    }
}

/// What one side's account was and is.
struct Booking {
    change: Change,
    reduces: bool,
}

/// Executes a deal: what is traded and what is paid for it move between the two accounts (INV-1, INV-2, INV-3), the fee to
/// the house, and afterwards each has its initial margin (INV-5), or has only reduced, not for the worse, and at no worse a
/// price than the oracle's.
///
/// # Errors
/// Those of states, prices, limits and margin.
#[inline(never)]
pub fn execute(mut parties: Counterparties<'_>, deal: &Deal, observation: &Observation, now: Timestamp) -> Result<()> {
    // In a liquidation without capital the taker's margin is held to later: meanwhile it trades with the house alone.
    parties.buyer.account.require_not_deferred()?;
    parties.seller.account.require_not_deferred()?;
    match deal.instrument {
        instrument::PERP => perpetual(&mut parties, deal, observation, now)?,
        instrument::CALL | instrument::PUT => option::execute(&mut parties, deal, observation, now)?,
        instrument::SPOT => spot::execute(&mut parties, deal, observation, now)?,
        _ => return Err(PlimsollError::UnsupportedInstrument.into()),
    }
    parties.buyer.account.touch();
    parties.seller.account.touch();
    Ok(())
}

fn perpetual(parties: &mut Counterparties<'_>, deal: &Deal, observation: &Observation, now: Timestamp) -> Result<()> {
    trading::admit(parties.exchange, parties.market, &deal.order(false)?, observation, now)?;
    let config = &parties.market.config;
    let fee = Ppm::from_raw(config.taker_fee_ppm);
    let quote = fill::quote_fill(deal.price, deal.size, deal.taker, fee).map_err(PlimsollError::from)?;
    let limits = Limits::of(parties.market, observation.spot);
    limits.require(parties, deal.price, [observation.spot; 2])?;

    let buyer = book_side(parties, Side::Buyer, deal, &quote, observation, now)?;
    let seller = book_side(parties, Side::Seller, deal, &quote, observation, now)?;
    move_market(parties.market, [&buyer, &seller], &quote)?;

    for (side, booking) in [(Side::Buyer, &buyer), (Side::Seller, &seller)] {
        let book = Book::new(parties.views, now).with_market(parties.market_address, parties.market);
        let risk = parties.exchange.risk(now);
        let account = match side {
            Side::Buyer => &mut *parties.buyer.account,
            Side::Seller => &mut *parties.seller.account,
        };
        let sufficient = require_margin(&book, account, &risk, &booking.change, booking.reduces)?;
        require_fair(sufficient, deal.price, observation.spot, side)?;
    }
    parties.buyer.account.release_market(buyer.change.slot_index)?;
    parties.seller.account.release_market(seller.change.slot_index)?;
    emit!(Filled {
        market: *parties.market_address,
        buyer: parties.buyer.address,
        seller: parties.seller.address,
        venue: parties.venue,
        size: deal.size,
        price: deal.price.raw(),
        cost: quote.cost,
        fee: quote.fee,
        seller_takes: u64::from(deal.taker == Side::Seller),
        spot: observation.spot.raw(),
        buyer_position: buyer.change.after.size,
        seller_position: seller.change.after.size,
    });
    Ok(())
}

/// How far an agreed price may be from what is traded is worth, quote native Q16.48 a base unit.
struct Limits {
    /// For everybody.
    band: u64,
    /// For whoever has a delegate agree.
    delegate: u64,
}

impl Limits {
    /// Parts of the oracle's price: the market's gap, and the half spread of the house.
    fn of(market: &Market, spot: Price) -> Self {
        let part = |ppm| fill::part_of(spot, Ppm::from_raw(ppm));
        Self { band: part(market.config.max_ema_gap_ppm), delegate: part(market.config.half_spread_ppm) }
    }

    /// Checks that the price is within the market's band of what is traded is worth to the buyer and to the seller, and that
    /// no delegate gives more away than by trading with the house: who may trade but not withdraw, may not pay out through an
    /// accomplice either.
    fn require(&self, parties: &Counterparties<'_>, price: Price, [buyers, sellers]: [Price; 2]) -> Result<()> {
        let (buyer, seller) = (parties.buyer.mandate, parties.seller.mandate);
        for (side, mandate, mark) in [(Side::Buyer, buyer, buyers), (Side::Seller, seller, sellers)] {
            let worse = fill::deviation(price, mark, side);
            require!(worse <= self.band, PlimsollError::FillPriceBand);
            require!(!mandate.by_delegate || worse <= self.delegate, PlimsollError::DelegatePrice);
        }
        Ok(())
    }
}

/// Checks that an account without its initial margin, which may only reduce, does so at a price that is no worse for it than
/// what is traded is worth: a reduction frees margin, so at a worse one it could give value away with every step and still
/// be no worse off by its margin, up to the loss that others would bear.
fn require_fair(has_margin: bool, price: Price, mark: Price, side: Side) -> Result<()> {
    require!(has_margin || fill::deviation(price, mark, side) == 0, PlimsollError::PoorPrice);
    Ok(())
}

/// What a side pays, quote native, negative where it is paid: the cost, and the fee where it takes.
fn outlay(side: Side, deal: &Deal, quote: &FillQuote) -> Result<i64> {
    let signed = |magnitude: u64| i64::try_from(magnitude).map_err(|_| PlimsollError::Overflow);
    let cost = match side {
        Side::Buyer => signed(quote.cost)?,
        Side::Seller => signed(quote.cost)?.wrapping_neg(),
    };
    let fee = if deal.taker == side { signed(quote.fee)? } else { 0 };
    Ok(cost.checked_add(fee).ok_or(PlimsollError::Overflow)?)
}

/// The size by which a side's position changes.
fn signed_size(side: Side, deal: &Deal) -> Result<i64> {
    let size = i64::try_from(deal.size).map_err(|_| PlimsollError::Overflow)?;
    Ok(match side {
        Side::Buyer => size,
        Side::Seller => size.wrapping_neg(),
    })
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
    let (size, outlay) = (signed_size(side, deal)?, outlay(side, deal, quote)?);
    let party = match side {
        Side::Buyer => &mut parties.buyer,
        Side::Seller => &mut parties.seller,
    };
    let slot_index = party.account.market_slot_or_new(parties.market_address)?;
    let slot = party.account.markets.get_mut(slot_index).ok_or(PlimsollError::Corrupt)?;
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
    Ok(Booking { change: Change { slot_index, before, after: *slot, option: None }, reduces })
}

/// Moves the market's open interest, within its limit where either side's part of it grew, and the fee to the house's cash.
fn move_market(market: &mut Market, bookings: [&Booking; 2], quote: &FillQuote) -> Result<()> {
    let mut grown = false;
    for Booking { change, .. } in bookings {
        grown |= market.move_position(change.before.size, change.after.size)?;
    }
    let limit = market.config.max_open_interest;
    require!(
        !grown || (market.open_interest_long <= limit && market.open_interest_short <= limit),
        PlimsollError::OpenInterestLimit
    );
    take_fee(market, quote)
}

/// The fee, to the house's cash.
fn take_fee(market: &mut Market, quote: &FillQuote) -> Result<()> {
    let fee = i64::try_from(quote.fee).map_err(|_| PlimsollError::Overflow)?;
    market.house_cash = market.house_cash.checked_add(fee).ok_or(PlimsollError::Overflow)?;
    Ok(())
}
