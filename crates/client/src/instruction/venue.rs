//! Trades of two margin accounts with each other: directly, by signed orders, through a venue.

use plimsoll_interface::{
    Address, ID,
    accounts::Board,
    address,
    board::{series_strike, strike_price},
    instruction::{
        CancelOrdersArgs, Contract, FillArgs, FillOrdersArgs, SetVenueApprovalArgs, StrikePrice, VenueArgs, tag,
    },
    order::{ED25519_PROGRAM, INSTRUCTIONS_SYSVAR, Order, verification},
};
use solana_instruction::{AccountMeta, Instruction};

use super::{SYSTEM_PROGRAM, Use, build, controls::proposal};

/// What a fill is of, by the account that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traded {
    /// A market's perpetual.
    Perpetual(Address),
    /// A board's option.
    Option(Address),
    /// A bank's mint, against quote.
    Spot(Address),
}

impl From<&Address> for Traded {
    /// A market's perpetual.
    fn from(market: &Address) -> Self {
        Self::Perpetual(*market)
    }
}

/// The terms of one series of a board, as fills and signed orders name it; `None` where its strike is not listed.
/// `base_decimals` are the market's.
pub fn contract_of(board: &Board, series: u8, base_decimals: u8) -> Option<Contract> {
    let listed = *board.strikes.get(series_strike(usize::from(series)))?;
    let expiry_day = Contract::day_of(board.expiry)?;
    let price = |strike| strike_price(strike, base_decimals).map_or(0, |price| price.raw());
    let of_exponent = |exponent| {
        let digits: Vec<u16> = (100..=999).collect();
        let at = digits.binary_search_by_key(&listed, |digits| price(StrikePrice { digits: *digits, exponent }));
        at.ok().and_then(|at| digits.get(at).copied()).map(|digits| StrikePrice { digits, exponent })
    };
    let strike = (-12..=12).filter(|_| listed != 0).find_map(of_exponent)?;
    Some(Contract { expiry_day, strike })
}

/// What two accounts that trade with each other share.
#[derive(Clone, Debug)]
pub struct FillAccounts {
    /// The exchange.
    pub exchange: Address,
    /// The margin account that buys.
    pub buyer: Address,
    /// The margin account that sells.
    pub seller: Address,
    /// The market.
    pub market: Address,
    /// The market's price account.
    pub oracle: Address,
    /// Writable, an option's board, or spot's bank, quote bank and house; then all other markets, banks and boards of both
    /// accounts: [`crate::remaining::Pack::filling`].
    pub remaining: Vec<AccountMeta>,
}

/// Two accounts that both sign trade with each other.
#[derive(Clone, Debug)]
pub struct Fill {
    /// Owner or delegate of the buyer.
    pub buyer_authority: Address,
    /// Owner or delegate of the seller.
    pub seller_authority: Address,
    /// The other accounts.
    pub accounts: FillAccounts,
    /// Size, price, who takes.
    pub args: FillArgs,
}

impl Fill {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = &self.accounts;
        build(
            tag::FILL,
            &self.args,
            [
                (self.buyer_authority, Use::Sign),
                (self.seller_authority, Use::Sign),
                (accounts.exchange, Use::Read),
                (accounts.buyer, Use::Write),
                (accounts.seller, Use::Write),
                (accounts.market, Use::Write),
                (accounts.oracle, Use::Read),
            ],
            &accounts.remaining,
        )
    }
}

/// A venue's program fills between two accounts that approved it: the instruction that it calls.
#[derive(Clone, Debug)]
pub struct VenueFill {
    /// The venue's program.
    pub program: Address,
    /// The other accounts.
    pub accounts: FillAccounts,
    /// Size, price, who takes.
    pub args: FillArgs,
}

impl VenueFill {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let accounts = &self.accounts;
        build(
            tag::VENUE_FILL,
            &self.args,
            [
                (address::venue_signer(&self.program), Use::Sign),
                (accounts.exchange, Use::Read),
                (address::venue(&accounts.exchange, &self.program), Use::Write),
                (accounts.buyer, Use::Write),
                (accounts.seller, Use::Write),
                (accounts.market, Use::Write),
                (accounts.oracle, Use::Read),
            ],
            &accounts.remaining,
        )
    }
}

/// Fills a signed order against another, or against the submitter's account.
#[derive(Clone, Debug)]
pub struct FillOrders {
    /// The venue that an order names, or anybody; owner or delegate of the taker where that has no order.
    pub submitter: Address,
    /// The exchange.
    pub exchange: Address,
    /// The margin account whose order rests.
    pub maker: Address,
    /// The margin account on the other side.
    pub taker: Address,
    /// Whether the taker's side is a signed order too.
    pub taker_signed: bool,
    /// The market.
    pub market: Address,
    /// The market's price account.
    pub oracle: Address,
    /// Size, and where the transaction verifies the orders: [`verify`].
    pub args: FillOrdersArgs,
    /// Writable, an option's board, or spot's bank, quote bank and house; then all other markets, banks and boards of both
    /// accounts: [`crate::remaining::Pack::filling`].
    pub remaining: Vec<AccountMeta>,
}

impl FillOrders {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let taker_orders = if self.taker_signed { (address::orders(&self.taker), Use::Write) } else { (ID, Use::Read) };
        build(
            tag::FILL_ORDERS,
            &self.args,
            [
                (self.submitter, Use::Sign),
                (self.exchange, Use::Read),
                (self.maker, Use::Write),
                (self.taker, Use::Write),
                (address::orders(&self.maker), Use::Write),
                taker_orders,
                (self.market, Use::Write),
                (self.oracle, Use::Read),
                (INSTRUCTIONS_SYSVAR, Use::Read),
            ],
            &self.remaining,
        )
    }
}

/// The instruction that verifies an order which `signer` has signed. Its number in the transaction goes into
/// [`FillOrdersArgs`].
pub fn verify(signer: &Address, signature: &[u8; 64], order: &Order) -> Instruction {
    Instruction { program_id: ED25519_PROGRAM, accounts: vec![], data: verification(signer, signature, order).to_vec() }
}

/// Has an order signed, and gives the instruction that verifies it. `sign` makes the Ed25519 signature of the bytes.
pub fn signed(signer: &Address, order: &Order, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Instruction {
    verify(signer, &sign(&order.to_bytes()), order)
}

/// Makes the account that keeps what a margin account's signed orders have filled.
#[derive(Clone, Copy, Debug)]
pub struct CreateOrders {
    /// Who pays for it.
    pub payer: Address,
    /// The margin account.
    pub account: Address,
}

impl CreateOrders {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [
            (self.payer, Use::SignWrite),
            (self.account, Use::Read),
            (address::orders(&self.account), Use::Write),
            (SYSTEM_PROGRAM, Use::Read),
        ];
        build(tag::CREATE_ORDERS, &(), declared, &[])
    }
}

/// Voids all signed orders with a nonce below a floor.
#[derive(Clone, Copy, Debug)]
pub struct CancelOrders {
    /// Owner or delegate.
    pub authority: Address,
    /// The margin account.
    pub account: Address,
    /// The new floor.
    pub floor: u64,
}

impl CancelOrders {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared =
            [(self.authority, Use::Sign), (self.account, Use::Read), (address::orders(&self.account), Use::Write)];
        build(tag::CANCEL_ORDERS, &CancelOrdersArgs { floor: self.floor }, declared, &[])
    }
}

/// Registers a program as a venue.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// The exchange's admin, who pays.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The venue's program.
    pub program: Address,
    /// Limits and state.
    pub args: VenueArgs,
}

impl Register {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [
            (self.admin, Use::SignWrite),
            (self.exchange, Use::Read),
            (self.program, Use::Read),
            (address::venue(&self.exchange, &self.program), Use::Write),
            (SYSTEM_PROGRAM, Use::Read),
        ];
        build(tag::REGISTER_VENUE, &self.args, declared, &[])
    }
}

/// Replaces a venue's limits and state.
#[derive(Clone, Copy, Debug)]
pub struct Configure {
    /// The exchange's admin, or its risk admin to tighten.
    pub admin: Address,
    /// The exchange.
    pub exchange: Address,
    /// The venue's program.
    pub program: Address,
    /// Limits and state.
    pub args: VenueArgs,
}

impl Configure {
    /// The instruction for a change that only tightens, or where there is no timelock.
    pub fn instruction(&self) -> Instruction {
        self.build(false)
    }

    /// The instruction for a change that was proposed. Closes the proposal.
    pub fn proposed(&self) -> Instruction {
        self.build(true)
    }

    fn build(&self, proposed: bool) -> Instruction {
        let venue = address::venue(&self.exchange, &self.program);
        let declared =
            [(self.admin, Use::SignWrite), (self.exchange, Use::Read), (venue, Use::Write), proposal(&venue, proposed)];
        build(tag::CONFIGURE_VENUE, &self.args, declared, &[])
    }
}

/// Approves a venue for an account, or withdraws the approval.
#[derive(Clone, Copy, Debug)]
pub struct SetApproval {
    /// The margin account's owner.
    pub owner: Address,
    /// The margin account.
    pub account: Address,
    /// The venue.
    pub venue: Address,
    /// Notional allowed from now on, quote native; zero for none.
    pub limit: u64,
}

impl SetApproval {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let declared = [(self.owner, Use::Sign), (self.account, Use::Write), (self.venue, Use::Read)];
        build(tag::SET_VENUE_APPROVAL, &SetVenueApprovalArgs { limit: self.limit }, declared, &[])
    }
}
