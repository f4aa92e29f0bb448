//! What a user does, as JavaScript says it, and the instructions of it.

use plimsoll_client::{
    Address, Error, Trade,
    accounts::{MarginAccount, OptionSlot, delegate_scope, ticket_kind},
    address,
    instruction::{account, associated_token_account_of, bank, board, controls, house, trigger, venue},
    interface::instruction::{
        AssertHealthArgs, CloseOptionArgs, ClosePositionArgs, LiquidateArgs, OpenOptionArgs, OpenPositionArgs,
        PlaceTriggerArgs, SwapArgs,
    },
    risk::units::Fraction,
};
use serde::{Deserialize, Serialize};
use solana_instruction::Instruction;
use tsify::Tsify;

use crate::{
    engine::parse,
    matching::{self, Instrument, SignedOrder},
    pack::PackedAccount,
    state::State,
};

/// What a user does. Addresses are base58; amounts are native units of a mint, sizes base units of a market, prices Q16.48
/// quote native per base unit, times unix seconds. Whoever signs is given beside it.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[tsify(large_number_types_as_bigints)]
pub enum Action {
    /// Opens a margin account of the signer.
    CreateAccount {
        /// Which of the owner's accounts it is to be.
        index: u16,
    },
    /// Closes an empty margin account.
    CloseAccount {
        /// The margin account.
        account: String,
    },
    /// Lets another key act for the owner.
    SetDelegate {
        /// The margin account.
        account: String,
        /// Who; nothing for nobody.
        #[serde(default)]
        #[tsify(optional)]
        delegate: Option<String>,
        /// Whether it may only make positions smaller.
        #[serde(default)]
        #[tsify(optional)]
        reduce_only: bool,
    },
    /// Puts tokens into a margin account.
    Deposit {
        /// The margin account.
        account: String,
        /// The mint.
        mint: String,
        /// How much leaves the token account.
        amount: u64,
        /// The token account that pays; without one the signer's associated one.
        #[serde(default)]
        #[tsify(optional)]
        source: Option<String>,
    },
    /// Takes tokens out of a margin account, and borrows what is beyond its deposit.
    Withdraw {
        /// The margin account.
        account: String,
        /// The mint.
        mint: String,
        /// How much; nothing for the whole deposit and no borrow.
        #[serde(default)]
        #[tsify(optional)]
        amount: Option<u64>,
        /// The token account that is paid; without one the signer's associated one.
        #[serde(default)]
        #[tsify(optional)]
        destination: Option<String>,
    },
    /// Buys or sells a perpetual against the house.
    OpenPosition {
        /// The margin account.
        account: String,
        /// The market.
        market: String,
        /// Base units to buy, negative to sell.
        size: i64,
        /// Worst average price accepted. May be left out where only `whatIf` or `maxSize` is asked.
        #[serde(default)]
        #[tsify(optional)]
        limit_price: Option<u64>,
        /// When the order lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
        /// Whether it may only make the position smaller.
        #[serde(default)]
        #[tsify(optional)]
        reduce_only: bool,
    },
    /// Closes a perpetual position.
    ClosePosition {
        /// The margin account.
        account: String,
        /// The market.
        market: String,
        /// Base units at most; nothing for all.
        #[serde(default)]
        #[tsify(optional)]
        size: Option<u64>,
        /// Worst average price accepted. May be left out where only `whatIf` or `maxSize` is asked.
        #[serde(default)]
        #[tsify(optional)]
        limit_price: Option<u64>,
        /// When the order lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
    },
    /// Buys or sells an option against the house.
    OpenOption {
        /// The margin account.
        account: String,
        /// The board.
        board: String,
        /// The series.
        series: u8,
        /// Lots to buy, negative to sell.
        lots: i64,
        /// Worst average price accepted, per base unit of the underlying. May be left out where only `whatIf` or `maxSize` is
        /// asked.
        #[serde(default)]
        #[tsify(optional)]
        limit_price: Option<u64>,
        /// When the order lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
        /// Whether it may only make the position smaller.
        #[serde(default)]
        #[tsify(optional)]
        reduce_only: bool,
    },
    /// Closes an option position.
    CloseOption {
        /// The margin account.
        account: String,
        /// The board.
        board: String,
        /// The series.
        series: u8,
        /// Lots at most; nothing for all.
        #[serde(default)]
        #[tsify(optional)]
        lots: Option<u64>,
        /// Worst average price accepted, per base unit of the underlying. May be left out where only `whatIf` or `maxSize` is
        /// asked.
        #[serde(default)]
        #[tsify(optional)]
        limit_price: Option<u64>,
        /// When the order lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
    },
    /// Exchanges a collateral for quote, or quote for it.
    Swap {
        /// The margin account.
        account: String,
        /// The collateral's mint.
        mint: String,
        /// How much of it to buy, negative to sell.
        amount: i64,
        /// Most quote to pay, or least to receive. May be left out where only `whatIf` or `maxSize` is asked.
        #[serde(default)]
        #[tsify(optional)]
        limit_amount: Option<u64>,
        /// When the order lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
    },
    /// Turns the cash of a market into a quote balance.
    Settle {
        /// The margin account.
        account: String,
        /// The market.
        market: String,
    },
    /// Pays options of a settled board in cash.
    SettleOption {
        /// The margin account.
        account: String,
        /// The board.
        board: String,
    },
    /// Stores an order that closes a position once the price is there.
    PlaceTrigger {
        /// The margin account.
        account: String,
        /// The market.
        market: String,
        /// The position that it closes: 1 long, 2 short.
        side: u8,
        /// When it is due: 1 at or below its price, 2 at or above.
        when: u8,
        /// The price that it waits for.
        trigger_price: u64,
        /// Worst average price accepted then; nothing for any.
        #[serde(default)]
        #[tsify(optional)]
        limit_price: Option<u64>,
        /// Base units at most; nothing for all.
        #[serde(default)]
        #[tsify(optional)]
        size: Option<u64>,
        /// What whoever executes it gets, quote native.
        tip: u64,
        /// When it lapses.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
    },
    /// Removes a stored order.
    CancelTrigger {
        /// The margin account.
        account: String,
        /// Its number.
        index: u8,
    },
    /// Executes a stored order that is due.
    ExecuteTrigger {
        /// The margin account that it is stored in.
        account: String,
        /// Its number.
        index: u8,
        /// The margin account that gets the tip.
        #[serde(default)]
        #[tsify(optional)]
        executor: Option<String>,
    },
    /// Starts, continues or ends the auction of an account.
    FlagLiquidation {
        /// The margin account.
        account: String,
    },
    /// Takes over a fraction of an account that is below its line.
    Liquidate {
        /// The signer's margin account.
        taker: String,
        /// The margin account that is below its line.
        account: String,
        /// The largest fraction, Q32; nothing for as much as it takes.
        #[serde(default)]
        #[tsify(optional)]
        max_fraction: Option<u64>,
        /// The largest payment, quote native; nothing for any.
        #[serde(default)]
        #[tsify(optional)]
        max_payment: Option<u64>,
    },
    /// Puts quote aside that is to become house shares.
    RequestProvide {
        /// Which of the owner's tickets it is to be.
        index: u16,
        /// Quote native.
        amount: u64,
        /// The token account that pays; without one the signer's associated one.
        #[serde(default)]
        #[tsify(optional)]
        source: Option<String>,
    },
    /// Puts house shares aside that are to become quote.
    RequestRedeem {
        /// Which of the owner's tickets it is to be.
        index: u16,
        /// 1e-6 of a share.
        amount: u64,
        /// The token account that pays; without one the signer's associated one.
        #[serde(default)]
        #[tsify(optional)]
        source: Option<String>,
    },
    /// Executes a ticket at the house's valuation.
    ExecuteTicket {
        /// The ticket.
        ticket: String,
    },
    /// Takes back what was put aside.
    CancelTicket {
        /// The ticket.
        ticket: String,
    },
    /// Takes what came of a ticket.
    ClaimTicket {
        /// The ticket.
        ticket: String,
    },
    /// Values the house.
    ValueHouse,
    /// Stores a market's price.
    Observe {
        /// The market.
        market: String,
    },
    /// Accrues a bank's interest.
    Accrue {
        /// The bank.
        bank: String,
    },
    /// Computes a board's risk arrays.
    RefreshBoard {
        /// The board.
        board: String,
    },
    /// Approves a venue for an account, or withdraws the approval.
    SetVenueApproval {
        /// The margin account.
        account: String,
        /// The venue's program.
        program: String,
        /// Notional that it may fill, quote native; zero withdraws the approval; nothing for no limit.
        #[serde(default)]
        #[tsify(optional)]
        limit: Option<u64>,
    },
    /// Two margin accounts trade with each other at a price that both have agreed on. Both sign.
    Fill {
        /// The margin account that buys.
        buyer: String,
        /// The margin account that sells.
        seller: String,
        /// What is traded.
        instrument: Instrument,
        /// What the buyer receives: base units of a perpetual, lots of an option, native units of a mint.
        size: u64,
        /// The price, of an option its premium per base unit of the underlying.
        price: u64,
        /// Whether the seller takes, and pays the fee; the buyer otherwise.
        #[serde(default)]
        #[tsify(optional)]
        seller_takes: bool,
        /// When the agreement is void.
        #[serde(default)]
        #[tsify(optional)]
        expires_at: Option<i64>,
        /// Who signs for the buyer; without one its owner.
        #[serde(default)]
        #[tsify(optional)]
        buyer_authority: Option<String>,
        /// Who signs for the seller; without one its owner.
        #[serde(default)]
        #[tsify(optional)]
        seller_authority: Option<String>,
    },
    /// Makes the account that keeps what signed orders of a margin account have filled: once, before the first of them.
    CreateOrders {
        /// The margin account.
        account: String,
    },
    /// Voids signed orders of a margin account.
    CancelOrders {
        /// The margin account.
        account: String,
        /// Those with a nonce below this.
        floor: u64,
    },
    /// Fills a signed order against another, or against the signer's own account.
    FillOrders {
        /// The order that rests.
        maker: Box<SignedOrder>,
        /// The order that takes; without one the signer takes with `taker_account`.
        #[serde(default)]
        #[tsify(optional)]
        taker: Option<Box<SignedOrder>>,
        /// The margin account that takes; of a signed order the one that it names.
        #[serde(default)]
        #[tsify(optional)]
        taker_account: Option<String>,
        /// How much: base units, lots of an option, native units of a mint.
        size: u64,
    },
    /// Has tokens count that another program has locked for a margin account.
    OpenLien {
        /// The margin account.
        account: String,
        /// The lien.
        lien: LienTerms,
        /// How much is claimed, native.
        amount: u64,
    },
    /// Has a lien count what its record and its adapter's limits say now.
    UpdateLien {
        /// The margin account.
        account: String,
        /// The lien.
        lien: LienTerms,
    },
    /// Lets go of tokens under a lien.
    ReleaseLien {
        /// The margin account.
        account: String,
        /// The lien.
        lien: LienTerms,
        /// How much, native; nothing for all.
        #[serde(default)]
        #[tsify(optional)]
        amount: Option<u64>,
        /// What the adapter's program wants besides.
        #[serde(default)]
        #[tsify(optional)]
        for_adapter: Vec<PackedAccount>,
    },
    /// Calls in the tokens under a lien of an account that is below its line.
    SeizeLien {
        /// The margin account.
        account: String,
        /// The lien.
        lien: LienTerms,
        /// What the adapter's program wants besides.
        #[serde(default)]
        #[tsify(optional)]
        for_adapter: Vec<PackedAccount>,
    },
    /// Moves an account without equity on by one step.
    Resolve {
        /// The margin account.
        account: String,
    },
    /// Rewrites an account of an earlier layout; the signer pays the rent of what it grows by.
    UpgradeAccount {
        /// The account, of whatever type.
        account: String,
    },
    /// Fails unless an account has the health that is asserted.
    AssertHealth {
        /// The margin account.
        account: String,
        /// Whether maintenance health is meant; initial otherwise.
        maintenance: bool,
        /// Least health accepted, quote native.
        minimum: i64,
    },
    /// Fails unless an account is as it was.
    AssertSequence {
        /// The margin account.
        account: String,
        /// Its sequence.
        sequence: u64,
    },
}

/// Which lien.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LienTerms {
    /// The mint of the tokens.
    pub mint: String,
    /// The program that keeps them.
    pub program: String,
    /// Its record of them.
    pub record: String,
}

/// Instructions of actions that follow one another in a transaction signed by `signer`, behind what must be verified, upgraded,
/// observed and refreshed for them. Each is packed for what those before it leave: a trade behind the `createAccount` and the deposit that
/// make it possible.
///
/// # Errors
/// [`Error::Missing`] for an account that the state does not hold; [`Error::Program`] where the program would refuse what
/// can be told without sending it; [`Error::Transaction`] for an address that is none.
pub fn instructions(state: &State, signer: Address, actions: Vec<Action>) -> Result<Vec<Instruction>, Error> {
    let mut scene = state.clone();
    let (mut all, mut verifications) = (Vec::new(), Vec::new());
    let count = actions.len();
    for (index, action) in actions.into_iter().enumerate() {
        all.push(match &action {
            Action::FillOrders { .. } => matching::fill_orders(&scene, signer, &action, &mut verifications)?,
            _ => instruction(&scene, signer, action.clone())?,
        });
        if index + 1 < count {
            scene.follow(&signer, &action);
        }
    }
    // An order's fill names the place of its verification, so these are the first of the transaction.
    verifications.extend(upgrades(state, signer, &all));
    verifications.extend(state.snapshot.with_refreshes(&all)?);
    Ok(verifications)
}

/// `upgrade_account` for every account of an earlier layout that instructions name, but those that are upgraded by them.
fn upgrades(state: &State, payer: Address, instructions: &[Instruction]) -> Vec<Instruction> {
    let of = |account: &Address| account::Upgrade { payer, account: *account }.instruction();
    let is_named = |address: &&Address| {
        let named = instructions.iter().flat_map(|one| &one.accounts).any(|meta| meta.pubkey == **address);
        named && !instructions.contains(&of(address))
    };
    state.outdated.iter().filter(is_named).map(of).collect()
}

fn instruction(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    if let Some(trade) = trade(state, &action)? {
        return of_trade(state, signer, &action, &trade);
    }
    match action {
        Action::CreateAccount { .. }
        | Action::CloseAccount { .. }
        | Action::SetDelegate { .. }
        | Action::UpgradeAccount { .. } => of_account(state, signer, action),
        Action::Fill { .. } | Action::CreateOrders { .. } | Action::CancelOrders { .. } => {
            matching::instruction(state, signer, &action)
        }
        Action::OpenLien { .. } | Action::UpdateLien { .. } | Action::ReleaseLien { .. } | Action::SeizeLien { .. } => {
            of_lien(state, action)
        }
        Action::PlaceTrigger { .. } | Action::CancelTrigger { .. } | Action::ExecuteTrigger { .. } => {
            of_trigger(state, signer, action)
        }
        Action::FlagLiquidation { .. } | Action::Liquidate { .. } | Action::Resolve { .. } => {
            of_liquidation(state, signer, action)
        }
        Action::RequestProvide { .. } | Action::RequestRedeem { .. } => of_new_ticket(state, signer, action),
        Action::ExecuteTicket { .. } | Action::CancelTicket { .. } | Action::ClaimTicket { .. } => {
            of_ticket(state, action)
        }
        Action::ValueHouse | Action::Observe { .. } | Action::Accrue { .. } | Action::RefreshBoard { .. } => {
            of_crank(state, action)
        }
        _ => of_guard(state, signer, action),
    }
}

/// An action that its dispatcher does not know: a defect here, as `instructions` sends each to its own.
pub(crate) fn misplaced() -> Error {
    Error::Transaction("the action is none of its kind".into())
}

fn of_account(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    let exchange = state.snapshot.exchange.address;
    Ok(match action {
        Action::CreateAccount { index } => {
            account::Create { payer: signer, owner: signer, exchange, index }.instruction()
        }
        Action::CloseAccount { account } => account::Close { owner: signer, account: parse(&account)? }.instruction(),
        Action::SetDelegate { account, delegate, reduce_only } => account::SetDelegate {
            owner: signer,
            account: parse(&account)?,
            delegate: delegate.as_deref().map_or(Ok(Address::default()), parse)?,
            scope: if reduce_only { delegate_scope::REDUCE } else { delegate_scope::TRADE },
        }
        .instruction(),
        Action::UpgradeAccount { account } => {
            account::Upgrade { payer: signer, account: parse(&account)? }.instruction()
        }
        _ => return Err(misplaced()),
    })
}

fn of_lien(state: &State, action: Action) -> Result<Instruction, Error> {
    let (Action::OpenLien { account, lien, .. }
    | Action::UpdateLien { account, lien }
    | Action::ReleaseLien { account, lien, .. }
    | Action::SeizeLien { account, lien, .. }) = &action
    else {
        return Err(misplaced());
    };
    let (snapshot, account) = (&state.snapshot, state.account(&parse(account)?)?);
    let (mint, program, record) = (parse(&lien.mint)?, parse(&lien.program)?, parse(&lien.record)?);
    let metas = |accounts: &[PackedAccount]| accounts.iter().map(PackedAccount::unpack).collect::<Result<Vec<_>, _>>();
    Ok(match &action {
        Action::OpenLien { amount, .. } => snapshot.open_lien(&account, &mint, program, record, *amount),
        Action::ReleaseLien { amount, for_adapter, .. } => {
            let amount = amount.unwrap_or(u64::MAX);
            snapshot.release_lien(&account, &mint, program, record, amount, metas(for_adapter)?)
        }
        Action::SeizeLien { for_adapter, .. } => {
            snapshot.seize_lien(&account, &mint, program, record, metas(for_adapter)?)
        }
        _ => snapshot.update_lien(&account, &mint, program, record),
    })
}

/// The token account that is named, or else the associated one of an owner.
fn token_account(state: &State, named: Option<&str>, owner: &Address, mint: &Address) -> Result<Address, Error> {
    if let Some(named) = named {
        return parse(named);
    }
    let address = address::bank(&state.snapshot.exchange.address, mint);
    let bank = state.snapshot.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?;
    Ok(associated_token_account_of(owner, mint, &bank.token_program))
}

/// Of an action that [`trade`] knows: carried by the margin account that it names.
fn of_trade(state: &State, signer: Address, action: &Action, trade: &Trade) -> Result<Instruction, Error> {
    let wallet = match action {
        Action::Deposit { mint, source: wallet, .. } | Action::Withdraw { mint, destination: wallet, .. } => {
            token_account(state, wallet.as_deref(), &signer, &parse(mint)?)?
        }
        _ => Address::default(),
    };
    if !is_limited(action) {
        return Err(Error::Transaction("the order has no limit: take the one that whatIf answers".into()));
    }
    let address = account_of(action)?;
    // These ask for nothing that stands in the margin account.
    match trade {
        Trade::Deposit { mint, amount } => state.snapshot.deposit(signer, &address, mint, wallet, *amount),
        Trade::Settle { market } => Ok(state.snapshot.settle(&address, market)),
        Trade::SettleOption { board } => state.snapshot.settle_option(&address, board),
        _ => state.snapshot.instruction(signer, &state.account(&address)?, trade, wallet),
    }
}

/// The same action with the limit that its trade carries.
pub fn limited(mut action: Action, trade: &Trade) -> Action {
    match (&mut action, trade) {
        (Action::OpenPosition { limit_price, .. }, Trade::OpenPosition { args, .. }) => {
            *limit_price = Some(args.limit_price);
        }
        (Action::ClosePosition { limit_price, .. }, Trade::ClosePosition { args, .. }) => {
            *limit_price = Some(args.limit_price);
        }
        (Action::OpenOption { limit_price, .. }, Trade::OpenOption { args, .. }) => {
            *limit_price = Some(args.limit_price);
        }
        (Action::CloseOption { limit_price, .. }, Trade::CloseOption { args, .. }) => {
            *limit_price = Some(args.limit_price);
        }
        (Action::Swap { limit_amount, .. }, Trade::Swap { args, .. }) => *limit_amount = Some(args.limit_amount),
        _ => {}
    }
    action
}

/// Whether an order says at what price at worst.
fn is_limited(action: &Action) -> bool {
    match action {
        Action::OpenPosition { limit_price: limit, .. }
        | Action::ClosePosition { limit_price: limit, .. }
        | Action::OpenOption { limit_price: limit, .. }
        | Action::CloseOption { limit_price: limit, .. }
        | Action::Swap { limit_amount: limit, .. } => limit.is_some(),
        _ => true,
    }
}

/// The margin account of an action that [`trade`] knows.
///
/// # Errors
/// [`Error::Transaction`] for another action, or an address that is none.
pub fn account_of(action: &Action) -> Result<Address, Error> {
    match action {
        Action::Deposit { account, .. }
        | Action::Withdraw { account, .. }
        | Action::OpenPosition { account, .. }
        | Action::ClosePosition { account, .. }
        | Action::OpenOption { account, .. }
        | Action::CloseOption { account, .. }
        | Action::Swap { account, .. }
        | Action::Settle { account, .. }
        | Action::SettleOption { account, .. } => parse(account),
        _ => Err(Error::Transaction("only of trades can be told what they would change".into())),
    }
}

/// The trade that an action is, at any price where it has no limit; `None` for one that is none.
///
/// # Errors
/// [`Error::Transaction`] for an address that is none; [`Error::Missing`] for an account that the state does not hold.
pub fn trade(state: &State, action: &Action) -> Result<Option<Trade>, Error> {
    let any = |buys: bool| if buys { u64::MAX } else { 0 };
    Ok(Some(match action {
        Action::Deposit { mint, amount, .. } => Trade::Deposit { mint: parse(mint)?, amount: *amount },
        Action::Withdraw { mint, amount, .. } => {
            Trade::Withdraw { mint: parse(mint)?, amount: amount.unwrap_or(u64::MAX) }
        }
        Action::OpenPosition { market, size, limit_price, expires_at, reduce_only, .. } => {
            let limit_price = limit_price.unwrap_or(any(*size > 0));
            let (size, expires_at, reduce_only) = (*size, expires_at.unwrap_or(0), (*reduce_only).into());
            let args = OpenPositionArgs { size, limit_price, expires_at, reduce_only };
            Trade::OpenPosition { market: parse(market)?, args }
        }
        Action::ClosePosition { account, market, size, limit_price, expires_at } => {
            let market = parse(market)?;
            let account = state.account(&parse(account)?)?.data;
            let is_long = account.market_slot(&market).is_some_and(|slot| account.markets[slot].size > 0);
            let (size, expires_at) = (size.unwrap_or(u64::MAX), expires_at.unwrap_or(0));
            let args = ClosePositionArgs { size, limit_price: limit_price.unwrap_or(any(!is_long)), expires_at };
            Trade::ClosePosition { market, args }
        }
        Action::OpenOption { board, series, lots, limit_price, expires_at, reduce_only, .. } => {
            let limit_price = limit_price.unwrap_or(any(*lots > 0));
            let (lots, expires_at, reduce_only) = (*lots, expires_at.unwrap_or(0), (*reduce_only).into());
            let args = OpenOptionArgs { lots, limit_price, expires_at, series: *series, reduce_only };
            Trade::OpenOption { board: parse(board)?, args }
        }
        Action::CloseOption { account, board, series, lots, limit_price, expires_at } => {
            let board = parse(board)?;
            let is_long = is_long_option(&state.account(&parse(account)?)?.data, &board, *series);
            let (lots, expires_at) = (lots.unwrap_or(u64::MAX), expires_at.unwrap_or(0));
            let limit_price = limit_price.unwrap_or(any(!is_long));
            Trade::CloseOption { board, args: CloseOptionArgs { lots, limit_price, expires_at, series: *series } }
        }
        Action::Swap { mint, amount, limit_amount, expires_at, .. } => {
            let (amount, expires_at) = (*amount, expires_at.unwrap_or(0));
            let limit_amount = limit_amount.unwrap_or(any(amount > 0));
            Trade::Swap { mint: parse(mint)?, args: SwapArgs { amount, limit_amount, expires_at } }
        }
        Action::Settle { market, .. } => Trade::Settle { market: parse(market)? },
        Action::SettleOption { board, .. } => Trade::SettleOption { board: parse(board)? },
        _ => return Ok(None),
    }))
}

fn is_long_option(account: &MarginAccount, board: &Address, series: u8) -> bool {
    let Some(slot) = account.board_slot(board) else { return false };
    let is_of = |option: &&OptionSlot| usize::from(option.board_slot) == slot && option.series == series;
    account.options.iter().filter(|option| option.lots != 0).find(is_of).is_some_and(|option| option.lots > 0)
}

fn of_trigger(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    match action {
        Action::PlaceTrigger { account, market, side, when, trigger_price, limit_price, size, tip, expires_at } => {
            // Any price: none is too low for who sells, none too high for who buys.
            let any = if side == plimsoll_client::accounts::trigger_side::LONG { 0 } else { u64::MAX };
            let args = PlaceTriggerArgs {
                trigger_price,
                limit_price: limit_price.unwrap_or(any),
                size: size.unwrap_or(u64::MAX),
                tip,
                expires_at: expires_at.unwrap_or(0),
                side,
                when,
            };
            let (account, market) = (parse(&account)?, parse(&market)?);
            Ok(trigger::Place { authority: signer, account, market, args }.instruction())
        }
        Action::CancelTrigger { account, index } => {
            Ok(trigger::Cancel { authority: signer, account: parse(&account)?, index }.instruction())
        }
        Action::ExecuteTrigger { account, index, executor } => {
            let executor = executor.as_deref().map(parse).transpose()?;
            state.snapshot.execute_trigger(signer, &state.account(&parse(&account)?)?, index, executor)
        }
        _ => Err(misplaced()),
    }
}

fn of_liquidation(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    match action {
        Action::FlagLiquidation { account } => Ok(state.snapshot.flag_liquidation(&state.account(&parse(&account)?)?)),
        Action::Liquidate { taker, account, max_fraction, max_payment } => {
            let args = LiquidateArgs {
                max_fraction: max_fraction.unwrap_or(Fraction::ONE.raw()),
                max_payment: max_payment.unwrap_or(u64::MAX),
            };
            let (taker, account) = (state.account(&parse(&taker)?)?, state.account(&parse(&account)?)?);
            Ok(state.snapshot.liquidate(signer, &taker, &account, args))
        }
        Action::Resolve { account } => Ok(state.snapshot.resolve(&state.account(&parse(&account)?)?)),
        _ => Err(misplaced()),
    }
}

fn of_new_ticket(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    let quote = state.snapshot.exchange.data.quote_mint;
    match action {
        Action::RequestProvide { index, amount, source } => {
            let source = token_account(state, source.as_deref(), &signer, &quote)?;
            Ok(state.snapshot.ticket(signer, index).provide(source, amount))
        }
        Action::RequestRedeem { index, amount, source } => {
            let source = match source {
                Some(named) => parse(&named)?,
                None => share_account(state, &signer),
            };
            Ok(state.snapshot.ticket(signer, index).redeem(source, amount))
        }
        _ => Err(misplaced()),
    }
}

/// The associated account of house shares of an owner.
fn share_account(state: &State, owner: &Address) -> Address {
    let shares = address::share_mint(&address::house(&state.snapshot.exchange.address));
    associated_token_account_of(owner, &shares, &plimsoll_client::instruction::TOKEN_PROGRAM)
}

fn of_ticket(state: &State, action: Action) -> Result<Instruction, Error> {
    let (Action::ExecuteTicket { ticket } | Action::CancelTicket { ticket } | Action::ClaimTicket { ticket }) = &action
    else {
        return Err(misplaced());
    };
    let address = parse(ticket)?;
    let data = state.tickets.get(&address).ok_or(Error::Missing { what: "ticket in the engine", address })?;
    let ticket = state.snapshot.ticket(data.owner, data.index);
    if matches!(action, Action::ExecuteTicket { .. }) {
        return Ok(ticket.execute());
    }
    // By what the action means, not by how the ticket is now: one transaction may execute and claim it.
    let is_claimed = matches!(action, Action::ClaimTicket { .. });
    let (asset, destination) = if (data.kind == ticket_kind::REDEEM) == is_claimed {
        let quote = state.snapshot.exchange.data.quote_mint;
        (house::Asset::Quote, token_account(state, None, &data.owner, &quote)?)
    } else {
        (house::Asset::Shares, share_account(state, &data.owner))
    };
    Ok(match action {
        Action::CancelTicket { .. } => ticket.cancel(asset, destination),
        _ => ticket.claim(asset, destination),
    })
}

fn of_crank(state: &State, action: Action) -> Result<Instruction, Error> {
    let snapshot = &state.snapshot;
    match action {
        Action::ValueHouse => Ok(snapshot.value_house()),
        Action::Observe { market } => snapshot.observe(&parse(&market)?),
        Action::Accrue { bank } => Ok(bank::Accrue { bank: parse(&bank)? }.instruction()),
        Action::RefreshBoard { board } => {
            let address = parse(&board)?;
            let data = snapshot.boards.get(&address).ok_or(Error::Missing { what: "board in the engine", address })?;
            let refresh = board::Refresh {
                exchange: snapshot.exchange.address,
                market: data.market,
                board: address,
                oracle: snapshot.prices.get(&data.market).map(|price| price.address),
                max_strikes: 0,
            };
            Ok(refresh.instruction())
        }
        _ => Err(misplaced()),
    }
}

fn of_guard(state: &State, signer: Address, action: Action) -> Result<Instruction, Error> {
    let exchange = state.snapshot.exchange.address;
    match action {
        Action::SetVenueApproval { account, program, limit } => {
            let (account, program) = (parse(&account)?, parse(&program)?);
            let limit = limit.unwrap_or(u64::MAX);
            Ok(venue::SetApproval { owner: signer, account, venue: address::venue(&exchange, &program), limit }
                .instruction())
        }
        Action::AssertHealth { account, maintenance, minimum } => {
            let args = AssertHealthArgs { kind: maintenance.into(), minimum };
            Ok(state.snapshot.assert_health(&state.account(&parse(&account)?)?, args))
        }
        Action::AssertSequence { account, sequence } => {
            Ok(controls::AssertSequence { account: parse(&account)?, sequence }.instruction())
        }
        _ => Err(misplaced()),
    }
}
