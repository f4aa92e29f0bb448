use anchor_lang::prelude::*;
use plimsoll_interface::{
    PlimsollError,
    accounts::{Exchange, MarginAccount, Market, Orders, same_address},
    event::OrderFilled,
    instruction::{FillOrdersArgs, instrument},
    order::{self, INSTRUCTIONS_SYSVAR, MAKER_ONLY, Order, REDUCE_ONLY},
};
use plimsoll_risk::{
    fill::Side,
    units::{Price, Timestamp},
};

use crate::{
    book,
    matching::{self, Counterparties, Counterparty, Deal, Mandate},
};

/// Accounts of `fill_orders`. Behind them: as in `fill`.
#[derive(Accounts)]
pub struct FillOrders {
    /// The venue that an order names, or else anybody. Without `taker_orders`, owner or delegate of the taker's account.
    pub submitter: Signer,
    /// The exchange.
    pub exchange: Account<Exchange>,
    /// The margin account whose order rests: the trade is at its limit price.
    #[account(mut, constraint(maker.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub maker: Account<MarginAccount>,
    /// The margin account on the other side, which pays the fee.
    #[account(mut, constraint(taker.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub taker: Account<MarginAccount>,
    /// What the maker's orders have filled.
    #[account(mut, constraint(maker_orders.account == *maker.address() @ PlimsollError::WrongOrders))]
    pub maker_orders: Account<Orders>,
    /// What the taker's orders have filled, unless the submitter takes in its own name.
    #[account(mut, constraint(taker_orders.account == *taker.address() @ PlimsollError::WrongOrders))]
    pub taker_orders: Option<Account<Orders>>,
    /// The market.
    #[account(mut, constraint(market.exchange == *exchange.address() @ PlimsollError::WrongExchange))]
    pub market: Account<Market>,
    /// A price account of its feed.
    pub oracle: UncheckedAccount,
    /// The transaction's instructions, among them the verifications of the orders.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount,
}

/// An order that was found signed, and what its signer may agree to.
struct Signed {
    signer: Address,
    order: Order,
    mandate: Mandate,
}

impl Signed {
    /// The side that its account trades on.
    fn side(&self) -> Side {
        if self.order.size > 0 { Side::Buyer } else { Side::Seller }
    }
}

impl FillOrders {
    /// Reads the order that instruction `index` verifies, and checks that it is one of `account` for this market, or for the
    /// bank that stands first in `views`, and that this submission may fill it.
    #[inline(never)]
    fn read(&self, index: u8, account: &Account<MarginAccount>, views: &[AccountView]) -> Result<Signed> {
        let (signer, order) = {
            let sysvar = self.instructions.account().try_borrow()?;
            order::signed_order(&sysvar, index)?
        };
        require!(same_address(&order.exchange, self.exchange.address()), PlimsollError::OrderWrongExchange);
        require!(same_address(&order.account, account.address()), PlimsollError::OrderWrongAccount);
        let traded = match order.instrument {
            instrument::SPOT => views.first().ok_or(PlimsollError::MissingBank)?.address(),
            _ => self.market.address(),
        };
        require!(same_address(&order.market, traded), PlimsollError::OrderWrongMarket);
        let may_submit = order.venue == Address::default() || same_address(&order.venue, self.submitter.address());
        require!(may_submit, PlimsollError::OrderWrongVenue);
        require!(order.size != 0, PlimsollError::ZeroSize);
        let mut mandate = Mandate::of(account, &signer)?;
        mandate.reduce_only |= order.flags & REDUCE_ONLY != 0;
        Ok(Signed { signer, order, mandate })
    }

    /// The taker's side: its order, whose limit the maker's price meets, or the submitter's own word.
    #[inline(never)]
    fn read_taker(
        &self,
        args: &FillOrdersArgs,
        maker: &Signed,
        views: &[AccountView],
    ) -> Result<(Mandate, Option<Signed>)> {
        if self.taker_orders.is_none() {
            return Ok((Mandate::of(&self.taker, self.submitter.address())?, None));
        }
        let taker = self.read(args.taker_instruction, &self.taker, views)?;
        require!(taker.order.flags & MAKER_ONLY == 0, PlimsollError::OrderMakerOnly);
        let (price, limit) = (maker.order.limit_price, taker.order.limit_price);
        let crosses = match maker.side() {
            Side::Seller => taker.side() == Side::Buyer && price <= limit,
            Side::Buyer => taker.side() == Side::Seller && price >= limit,
        };
        let same_instrument =
            maker.order.instrument == taker.order.instrument && maker.order.contract == taker.order.contract;
        require!(crosses && same_instrument, PlimsollError::OrdersNotCrossing);
        Ok((taker.mandate, Some(taker)))
    }

    /// See the program's instruction.
    pub fn apply(&mut self, args: &FillOrdersArgs, remaining: &[AccountView]) -> Result<()> {
        require!(args.size > 0, PlimsollError::ZeroSize);
        let now = book::now()?;
        let maker = self.read(args.maker_instruction, &self.maker, remaining)?;
        let (taker_mandate, taker) = self.read_taker(args, &maker, remaining)?;
        note(&mut self.maker_orders, &maker, args.size, now)?;
        if let (Some(orders), Some(taker)) = (&mut self.taker_orders, &taker) {
            note(orders, taker, args.size, now)?;
        }
        self.trade(args, &maker, taker_mandate, remaining, now)
    }

    #[inline(never)]
    fn trade(
        &mut self,
        args: &FillOrdersArgs,
        maker: &Signed,
        taker_mandate: Mandate,
        remaining: &[AccountView],
        now: Timestamp,
    ) -> Result<()> {
        let observation = book::read_price(&self.market, self.oracle.account(), now)?;
        let market_address = *self.market.address();
        let maker_side = Counterparty::new(&mut self.maker, maker.mandate);
        let taker_side = Counterparty::new(&mut self.taker, taker_mandate);
        let (buyer, seller, taker) = match maker.side() {
            Side::Buyer => (maker_side, taker_side, Side::Seller),
            Side::Seller => (taker_side, maker_side, Side::Buyer),
        };
        let deal = Deal {
            instrument: maker.order.instrument,
            contract: maker.order.contract,
            size: args.size,
            price: Price::from_raw(maker.order.limit_price),
            taker,
            expires_at: 0,
        };
        let parties = Counterparties {
            exchange: &self.exchange,
            buyer,
            seller,
            venue: Address::default(),
            market_address: &market_address,
            market: &mut self.market,
            views: remaining,
        };
        matching::execute(parties, &deal, &observation, now)
    }
}

/// Counts a fill of an order and says so.
#[inline(never)]
fn note(orders: &mut Orders, signed: &Signed, size: u64, now: Timestamp) -> Result<()> {
    let order = &signed.order;
    let filled = orders.fill(order.nonce, size, order.size.unsigned_abs(), order.expires_at, now)?;
    emit!(OrderFilled { account: order.account, signer: signed.signer, nonce: order.nonce, size: order.size, filled });
    Ok(())
}
