//! Trades of two margin accounts with each other: both sign, or orders that were signed before.

use plimsoll_client::{
    Address, Error, Trade, address,
    instruction::venue::{self, Traded},
    interface::{
        bridge::Inputs,
        instruction::{Contract, FillArgs, FillOrdersArgs, instrument},
        order,
    },
};
use serde::{Deserialize, Serialize};
use solana_instruction::Instruction;
use tsify::Tsify;

use crate::{
    action::{Action, misplaced},
    engine::parse,
    pack::bytes,
    state::State,
};

/// What two accounts trade with each other.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(tag = "of", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Instrument {
    /// A market's perpetual.
    Perpetual {
        /// The market.
        market: String,
    },
    /// An option.
    Option {
        /// The board.
        board: String,
        /// The series.
        series: u8,
    },
    /// A mint, against quote.
    Spot {
        /// The mint.
        mint: String,
    },
}

/// An instrument as fills and signed orders name it.
struct Named {
    /// What it is kept in.
    traded: Traded,
    /// What an order calls its market: the market, for spot the bank.
    market: Address,
    /// One of [`instrument`].
    kind: u8,
    /// Which option.
    contract: Contract,
}

impl Instrument {
    fn named(&self, state: &State) -> Result<Named, Error> {
        Ok(match self {
            Self::Perpetual { market } => {
                let market = parse(market)?;
                Named { traded: Traded::Perpetual(market), market, kind: instrument::PERP, contract: Contract::NONE }
            }
            Self::Option { board, series } => {
                let address = parse(board)?;
                let board = state.snapshot.board(&address)?;
                let decimals = state.snapshot.market(&board.market)?.0.base_decimals;
                let missing = Error::Missing { what: "series of that number on the board", address };
                let contract = venue::contract_of(board, *series, decimals).ok_or(missing)?;
                let kind = if series % 2 == 0 { instrument::CALL } else { instrument::PUT };
                Named { traded: Traded::Option(address), market: board.market, kind, contract }
            }
            Self::Spot { mint } => {
                let bank = address::bank(&state.snapshot.exchange.address, &parse(mint)?);
                Named { traded: Traded::Spot(bank), market: bank, kind: instrument::SPOT, contract: Contract::NONE }
            }
        })
    }
}

/// An order that is signed off the chain, and filled by whoever brings it there.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[tsify(large_number_types_as_bigints)]
pub struct Order {
    /// The margin account.
    pub account: String,
    /// What is traded.
    pub instrument: Instrument,
    /// How much to buy, negative to sell: base units of a perpetual, lots of an option, native units of a mint.
    pub size: i64,
    /// Highest price to buy at, lowest to sell at: Q16.48 quote native per base unit, of an option its premium.
    pub limit_price: u64,
    /// One for each order, never used again.
    pub nonce: u64,
    /// Good up to and including this moment, unix seconds.
    pub expires_at: i64,
    /// The program whose signature a fill needs; nothing for anybody's.
    #[serde(default)]
    #[tsify(optional)]
    pub venue: Option<String>,
    /// Whether it may only make the position smaller.
    #[serde(default)]
    #[tsify(optional)]
    pub reduce_only: bool,
    /// Whether it is filled only where it rests.
    #[serde(default)]
    #[tsify(optional)]
    pub maker_only: bool,
}

impl Order {
    /// The order as it is signed.
    ///
    /// # Errors
    /// [`Error::Transaction`] for an address that is none; [`Error::Missing`] for a series that is not listed.
    pub fn terms(&self, state: &State) -> Result<order::Order, Error> {
        let named = self.instrument.named(state)?;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        Ok(order::Order {
            exchange: state.snapshot.exchange.address,
            account: parse(&self.account)?,
            market: named.market,
            venue: self.venue.as_deref().map(parse).transpose()?.unwrap_or_default(),
            size: self.size,
            limit_price: self.limit_price,
            nonce: self.nonce,
            expires_at: self.expires_at,
            instrument: named.kind,
            flags: flag(self.reduce_only, order::REDUCE_ONLY) | flag(self.maker_only, order::MAKER_ONLY),
            contract: named.contract,
        })
    }
}

/// An order with its signature.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedOrder {
    /// The order.
    pub order: Order,
    /// Who signed it: owner or delegate of its account.
    pub signer: String,
    /// The Ed25519 signature of `orderBytes`, 64 bytes.
    #[serde(with = "bytes")]
    #[tsify(type = "Uint8Array")]
    pub signature: Vec<u8>,
}

impl SignedOrder {
    /// The instruction that verifies it, behind those that there are; answers its place.
    fn verify(&self, state: &State, verifications: &mut Vec<Instruction>) -> Result<u8, Error> {
        let length = Error::Transaction("a signature has 64 bytes".into());
        let signature: &[u8; 64] = self.signature.as_slice().try_into().map_err(|_| length)?;
        let many = Error::Transaction("a transaction has no room for so many orders".into());
        let place = u8::try_from(verifications.len()).map_err(|_| many)?;
        verifications.push(venue::verify(&parse(&self.signer)?, signature, &self.order.terms(state)?));
        Ok(place)
    }
}

/// The instruction of `fillOrders`; those that verify its orders are added to `verifications`, the first of the transaction.
///
/// # Errors
/// [`Error::Transaction`] for an address or signature that is none, and where nobody takes; [`Error::Missing`] for an account
/// that the state does not hold.
pub fn fill_orders(
    state: &State,
    submitter: Address,
    action: &Action,
    verifications: &mut Vec<Instruction>,
) -> Result<Instruction, Error> {
    let Action::FillOrders { maker, taker, taker_account, size } = action else { return Err(misplaced()) };
    let maker_instruction = maker.verify(state, verifications)?;
    let taker_instruction = taker.as_ref().map(|taker| taker.verify(state, verifications)).transpose()?.unwrap_or(0);
    let nobody = Error::Transaction("nobody takes: name a signed order, or the signer's own account".into());
    let named = taker.as_ref().map(|taker| &taker.order.account).or(taker_account.as_ref()).ok_or(nobody)?;
    let (resting, taking) = (state.account(&parse(&maker.order.account)?)?, state.account(&parse(named)?)?);
    let args = FillOrdersArgs { size: *size, maker_instruction, taker_instruction };
    let traded = maker.order.instrument.named(state)?.traded;
    state.snapshot.fill_orders(submitter, &resting, &taking, taker.is_some(), traded, args)
}

/// Trades that take the same slots of the buyer's and the seller's account as a fill does: what comes behind it in a transaction
/// packs what stands in them. `None` for an action that is no fill, or one that cannot be told.
pub fn sides(state: &State, action: &Action) -> Option<[(Address, Trade); 2]> {
    let (buyer, seller, instrument, size) = match action {
        Action::Fill { buyer, seller, instrument, size, .. } => (buyer, seller, instrument, *size),
        Action::FillOrders { maker, taker, taker_account, size } => {
            let resting = &maker.order.account;
            let taking = taker.as_ref().map(|taker| &taker.order.account).or(taker_account.as_ref())?;
            let (buyer, seller) = if maker.order.size > 0 { (resting, taking) } else { (taking, resting) };
            (buyer, seller, &maker.order.instrument, *size)
        }
        _ => return None,
    };
    let lots = i64::try_from(size).ok()?;
    let (bought, sold) = match instrument {
        Instrument::Perpetual { market } => {
            let market = parse(market).ok()?;
            (Trade::position(market, lots), Trade::position(market, -lots))
        }
        Instrument::Option { board, series } => {
            let board = parse(board).ok()?;
            (Trade::option(board, *series, lots), Trade::option(board, *series, -lots))
        }
        Instrument::Spot { mint } => {
            let deposit = |mint| Trade::Deposit { mint, amount: size };
            (deposit(parse(mint).ok()?), deposit(state.snapshot.exchange.data.quote_mint))
        }
    };
    Some([(parse(buyer).ok()?, bought), (parse(seller).ok()?, sold)])
}

/// The instruction of `fill`, `createOrders` or `cancelOrders`.
///
/// # Errors
/// As [`fill_orders`].
pub fn instruction(state: &State, signer: Address, action: &Action) -> Result<Instruction, Error> {
    match action {
        Action::CreateOrders { account } => {
            Ok(venue::CreateOrders { payer: signer, account: parse(account)? }.instruction())
        }
        Action::CancelOrders { account, floor } => {
            Ok(venue::CancelOrders { authority: signer, account: parse(account)?, floor: *floor }.instruction())
        }
        Action::Fill { .. } => fill(state, action),
        _ => Err(misplaced()),
    }
}

fn fill(state: &State, action: &Action) -> Result<Instruction, Error> {
    let Action::Fill {
        buyer,
        seller,
        instrument,
        size,
        price,
        seller_takes,
        expires_at,
        buyer_authority,
        seller_authority,
    } = action
    else {
        return Err(misplaced());
    };
    let (buyer, seller) = (state.account(&parse(buyer)?)?, state.account(&parse(seller)?)?);
    let authority = |named: &Option<String>, owner| named.as_deref().map_or(Ok(owner), parse);
    let authorities = [authority(buyer_authority, buyer.data.owner)?, authority(seller_authority, seller.data.owner)?];
    let named = instrument.named(state)?;
    let args = FillArgs {
        instrument: named.kind,
        seller_takes: (*seller_takes).into(),
        size: *size,
        price: *price,
        expires_at: expires_at.unwrap_or(0),
        contract: named.contract,
    };
    state.snapshot.fill(authorities, &buyer, &seller, named.traded, args)
}
