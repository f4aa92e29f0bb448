//! Events: one per kind of change, with everything that a reader needs to follow an account without reading it.
//! Each is logged as Anchor does: eight bytes of discriminator, then the struct.

use solana_address::Address;

use crate::accounts::MAX_STRIKES;

#[cfg(not(feature = "anchor"))]
use bytemuck::{Pod, Zeroable};

/// An event type, as seen by a reader of logs.
pub trait EventType: bytemuck::Pod {
    /// First eight bytes of the log entry: of the SHA-256 of `event:Name`.
    const DISCRIMINATOR: [u8; 8];
    /// Its name.
    const NAME: &'static str;

    /// The event in one decoded `Program data:` entry, or `None` if it is another.
    fn read(entry: &[u8]) -> Option<Self> {
        let (discriminator, body) = entry.split_at_checked(8)?;
        (discriminator == Self::DISCRIMINATOR).then(|| bytemuck::try_pod_read_unaligned(body).ok())?
    }
}

macro_rules! event {
    ($(#[$doc:meta])* $name:ident = $discriminator:expr, { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[cfg_attr(feature = "anchor", anchor_lang::event(bytemuck))]
        #[cfg_attr(not(feature = "anchor"), repr(C), derive(Clone, Copy, Pod, Zeroable))]
        #[derive(Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl EventType for $name {
            const DISCRIMINATOR: [u8; 8] = $discriminator;
            const NAME: &'static str = stringify!($name);
        }
    };
}

event! {
    /// An account of the exchange was created or its parameters were replaced.
    Configured = [33, 54, 80, 14, 177, 137, 82, 235], {
        /// The exchange.
        exchange: Address,
        /// The exchange, market, bank, house, venue or adapter that is new or changed.
        subject: Address,
        /// Who did it.
        admin: Address,
    }
}

event! {
    /// A market's price was observed.
    Observed = [154, 65, 198, 52, 238, 11, 193, 59], {
        /// The market.
        market: Address,
        /// Spot, Q16.48 quote native per base unit.
        spot: u64,
        /// Exponential moving average, same unit.
        ema: u64,
        /// Confidence, same unit.
        confidence: u64,
        /// When it was published, unix seconds.
        publish_time: i64,
    }
}

event! {
    /// Interest was accrued on a bank.
    Accrued = [207, 152, 166, 145, 189, 39, 33, 167], {
        /// The bank.
        bank: Address,
        /// Native per deposit share, Q16.48.
        deposit_index: u64,
        /// Native per borrow share, Q16.48.
        borrow_index: u64,
        /// The bank's reserve, native.
        reserve: u64,
        /// Accrued up to, unix seconds.
        accrued_at: i64,
    }
}

event! {
    /// A change that loosens was announced.
    Proposed = [216, 37, 138, 141, 130, 208, 180, 153], {
        /// The exchange.
        exchange: Address,
        /// The exchange, market, bank, venue or adapter that is to change.
        subject: Address,
        /// From when on the change may be made, unix seconds.
        ready_at: i64,
        /// One of [`crate::change::kind`].
        kind: u64,
    }
}

event! {
    /// A proposal was taken back.
    ProposalCancelled = [253, 59, 104, 46, 129, 78, 9, 14], {
        /// The exchange.
        exchange: Address,
        /// The exchange, market, bank, venue or adapter that stays as it is.
        subject: Address,
        /// Who did it.
        authority: Address,
    }
}

event! {
    /// An admin was nominated, or a nomination taken back.
    AdminNominated = [22, 247, 53, 33, 59, 59, 68, 112], {
        /// The exchange.
        exchange: Address,
        /// Who may accept, zero for nobody.
        nominee: Address,
        /// From when on, unix seconds.
        ready_at: i64,
    }
}

event! {
    /// A role changed hands.
    RoleSet = [188, 56, 139, 81, 114, 65, 108, 196], {
        /// The exchange.
        exchange: Address,
        /// Who holds it from now on, zero for nobody.
        holder: Address,
        /// One of [`crate::config::role`].
        role: u64,
    }
}

event! {
    /// Kinds of action were paused or resumed.
    PausesSet = [16, 89, 166, 164, 26, 253, 16, 180], {
        /// The exchange.
        exchange: Address,
        /// Who did it.
        authority: Address,
        /// What is paused from now on, bits of [`crate::config::pause`].
        pauses: u64,
    }
}

event! {
    /// The quote's price was observed.
    QuoteObserved = [246, 133, 31, 188, 56, 75, 194, 57], {
        /// The exchange.
        exchange: Address,
        /// Price, ppm of a dollar.
        price_ppm: u64,
        /// When it was published, unix seconds.
        publish_time: i64,
    }
}

event! {
    /// A position was closed because its market winds down.
    PositionWoundDown = [91, 171, 195, 9, 95, 59, 226, 106], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// The position that was closed, base units.
        size: i64,
        /// What it was worth, quote native, as cash of the account.
        value: i64,
        /// Oracle price of the closing, Q16.48 quote native per base unit.
        spot: u64,
    }
}

event! {
    /// A market or bank was retired.
    Retired = [106, 202, 161, 255, 255, 39, 222, 10], {
        /// The exchange.
        exchange: Address,
        /// The market or bank.
        subject: Address,
    }
}

event! {
    /// A margin account was opened or closed, or its delegate set.
    AccountChanged = [183, 191, 16, 59, 91, 104, 1, 7], {
        /// The margin account.
        account: Address,
        /// Its owner.
        owner: Address,
        /// Its delegate, zero for nobody.
        delegate: Address,
        /// 1 opened, 2 delegate set, 3 closed.
        kind: u64,
        /// What the delegate may do, one of [`crate::accounts::delegate_scope`].
        delegate_scope: u64,
    }
}

event! {
    /// A balance changed by a deposit or a withdrawal.
    BalanceChanged = [231, 114, 125, 58, 137, 248, 148, 201], {
        /// The margin account.
        account: Address,
        /// The bank.
        bank: Address,
        /// Native amount, positive in, negative out.
        amount: i64,
        /// The balance's shares afterwards, negative for a borrow.
        shares: i64,
    }
}

event! {
    /// A trade against the house.
    Traded = [225, 202, 73, 175, 147, 43, 160, 150], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// Who signed: owner or delegate.
        trader: Address,
        /// Base units bought, negative sold.
        size: i64,
        /// Quote native paid for it, spread and premium included, negative received.
        cost: i64,
        /// Fee, quote native.
        fee: u64,
        /// Oracle price of the trade, Q16.48 quote native per base unit.
        spot: u64,
        /// The account's position afterwards, base units.
        position: i64,
        /// The house's position afterwards, base units.
        house_position: i64,
    }
}

event! {
    /// Cash moved between a margin account's market and its quote balance.
    Settled = [232, 210, 40, 17, 142, 124, 145, 238], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// Quote native to the account's quote balance, negative from it.
        amount: i64,
        /// Price at which the position was marked, Q16.48 quote native per base unit.
        spot: u64,
    }
}

event! {
    /// An account's auction started, went on or ended.
    LiquidationFlagged = [79, 38, 130, 100, 13, 183, 3, 111], {
        /// The margin account.
        account: Address,
        /// Maintenance equity, quote native.
        equity: i64,
        /// Maintenance requirement, quote native.
        requirement: i64,
        /// Start of the auction, unix seconds, zero for none.
        started_at: i64,
        /// Start of the insolvency, unix seconds, zero for none.
        insolvent_since: i64,
    }
}

event! {
    /// A fraction of an account was taken over.
    Liquidated = [231, 57, 55, 75, 0, 170, 246, 68], {
        /// The liquidated margin account.
        account: Address,
        /// The taker's margin account.
        taker: Address,
        /// Maintenance equity before, quote native.
        equity: i64,
        /// Maintenance requirement before, quote native.
        requirement: i64,
        /// Fraction taken over, Q32.
        fraction: u64,
        /// What the taker paid, quote native.
        payment: u64,
        /// Discount, ppm of the requirement taken over.
        discount_ppm: u64,
    }
}

event! {
    /// A board was created or closed.
    BoardChanged = [16, 181, 179, 125, 34, 119, 166, 202], {
        /// The market.
        market: Address,
        /// The board.
        board: Address,
        /// Who did it.
        authority: Address,
        /// Expiry, unix seconds.
        expiry: i64,
        /// One lot, base units.
        lot: u64,
        /// One of [`board_change`].
        kind: u64,
    }
}

event! {
    /// Strikes were listed.
    StrikesListed = [12, 8, 49, 250, 56, 84, 158, 252], {
        /// The board.
        board: Address,
        /// Who did it.
        authority: Address,
        /// All strikes of the board afterwards, Q16.48 quote native per base unit; zero where the slot is free.
        strikes: [u64; MAX_STRIKES],
    }
}

event! {
    /// A board's volatilities were posted. They count from its next refresh on.
    VolatilitiesPosted = [19, 73, 120, 123, 6, 61, 59, 160], {
        /// The board.
        board: Address,
        /// Who did it.
        authority: Address,
        /// Volatility of each strike, ppm a year.
        volatilities_ppm: [u32; MAX_STRIKES],
        /// The forward over spot less one, ppm.
        basis_ppm: i64,
    }
}

event! {
    /// Risk arrays of a board were computed.
    BoardRefreshed = [71, 215, 41, 220, 4, 19, 1, 197], {
        /// The board.
        board: Address,
        /// Spot that they are computed at, Q16.48 quote native per base unit.
        spot: u64,
        /// Forward, same unit.
        forward: u64,
        /// The moment that they are computed for, unix seconds.
        time: i64,
        /// Strikes that this call computed, one bit each.
        computed: u64,
        /// 1 where the board's arrays are all of this moment now, 0 where strikes are still to come.
        in_force: u64,
    }
}

event! {
    /// A price counts towards a board's settlement.
    ExpirySampled = [15, 219, 23, 139, 199, 192, 50, 188], {
        /// The board.
        board: Address,
        /// The price, Q16.48 quote native per base unit.
        price: u64,
        /// When it was published, unix seconds.
        publish_time: i64,
        /// How many samples there are now.
        count: u64,
    }
}

event! {
    /// A board was settled.
    BoardSettled = [203, 71, 130, 6, 199, 5, 183, 212], {
        /// The board.
        board: Address,
        /// What its options are settled at, Q16.48 quote native per base unit.
        settlement_price: u64,
        /// Of how many samples; zero where it is the market's last moving average.
        samples: u64,
        /// What the house's options are worth at it, quote native.
        house_value: i64,
    }
}

event! {
    /// A trade of an option against the house.
    OptionTraded = [188, 142, 35, 153, 27, 254, 127, 233], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// The board.
        board: Address,
        /// Who signed: owner or delegate.
        trader: Address,
        /// Series of the board.
        series: u64,
        /// Lots bought, negative sold.
        lots: i64,
        /// Quote native paid for them, spread and premium included, negative received.
        cost: i64,
        /// Fee, quote native.
        fee: u64,
        /// Black-76 price of one base unit at the oracle's, Q16.48 quote native.
        mid_price: u64,
        /// Oracle price of the trade, Q16.48 quote native per base unit.
        spot: u64,
        /// The account's lots of the series afterwards.
        position: i64,
        /// The house's lots of the series afterwards.
        house_lots: i64,
    }
}

event! {
    /// An account's options of a settled board were paid in cash.
    OptionsSettled = [159, 196, 67, 112, 108, 216, 100, 173], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// The board.
        board: Address,
        /// Quote native to the account's cash in the market, negative from it.
        amount: i64,
        /// Settlement price, Q16.48 quote native per base unit.
        settlement_price: u64,
        /// How many series the account had.
        series: u64,
    }
}

event! {
    /// Two accounts traded with each other.
    Filled = [134, 4, 17, 63, 221, 45, 177, 173], {
        /// The market.
        market: Address,
        /// The buyer's margin account.
        buyer: Address,
        /// The seller's margin account.
        seller: Address,
        /// The venue that filled, zero for none.
        venue: Address,
        /// Base units.
        size: u64,
        /// Agreed price, Q16.48 quote native per base unit.
        price: u64,
        /// What the buyer paid the seller, quote native.
        cost: u64,
        /// What the taker paid the house, quote native.
        fee: u64,
        /// 1 where the seller took, 0 where the buyer did.
        seller_takes: u64,
        /// Oracle price, Q16.48 quote native per base unit.
        spot: u64,
        /// The buyer's position afterwards, base units.
        buyer_position: i64,
        /// The seller's position afterwards, base units.
        seller_position: i64,
    }
}

event! {
    /// Two accounts traded an option with each other.
    OptionFilled = [131, 126, 188, 191, 46, 100, 226, 254], {
        /// The market.
        market: Address,
        /// The board.
        board: Address,
        /// The buyer's margin account.
        buyer: Address,
        /// The seller's margin account.
        seller: Address,
        /// The venue that filled, zero for none.
        venue: Address,
        /// Series of the board.
        series: u64,
        /// Lots.
        lots: u64,
        /// Agreed premium, Q16.48 quote native per base unit.
        price: u64,
        /// What the buyer paid the seller, quote native.
        cost: u64,
        /// What the taker paid the house, quote native.
        fee: u64,
        /// 1 where the seller took, 0 where the buyer did.
        seller_takes: u64,
        /// Black-76 price of one base unit, Q16.48 quote native.
        mark: u64,
        /// Oracle price, Q16.48 quote native per base unit.
        spot: u64,
        /// The buyer's lots of the series afterwards.
        buyer_lots: i64,
        /// The seller's lots of the series afterwards.
        seller_lots: i64,
    }
}

event! {
    /// Two accounts traded a balance of a bank for quote with each other.
    SpotFilled = [18, 20, 222, 7, 158, 45, 92, 125], {
        /// The bank.
        bank: Address,
        /// The buyer's margin account.
        buyer: Address,
        /// The seller's margin account.
        seller: Address,
        /// The venue that filled, zero for none.
        venue: Address,
        /// Native amount of the bank's mint.
        amount: u64,
        /// Agreed price, Q16.48 quote native per base unit.
        price: u64,
        /// What was agreed for it, quote native.
        cost: u64,
        /// What the taker paid the house of its own, quote native: on top of the cost or out of it.
        fee: u64,
        /// 1 where the seller took, 0 where the buyer did.
        seller_takes: u64,
        /// Oracle price, Q16.48 quote native per base unit.
        spot: u64,
        /// The buyer's shares of the bank afterwards, negative for a borrow.
        buyer_shares: i64,
        /// The seller's shares of the bank afterwards, negative for a borrow.
        seller_shares: i64,
    }
}

event! {
    /// A signed order was filled, wholly or in part.
    OrderFilled = [120, 124, 109, 66, 249, 116, 174, 30], {
        /// The margin account.
        account: Address,
        /// Who signed: owner or delegate.
        signer: Address,
        /// The order's nonce.
        nonce: u64,
        /// The order's size, in its own units, negative to sell.
        size: i64,
        /// Filled of it so far, likewise.
        filled: u64,
    }
}

event! {
    /// A margin account's signed orders below a nonce were cancelled.
    OrdersCancelled = [7, 134, 210, 3, 65, 222, 254, 188], {
        /// The margin account.
        account: Address,
        /// Who did it: owner or delegate.
        authority: Address,
        /// Nonces below this are void.
        floor: u64,
    }
}

event! {
    /// A margin account approved a venue, changed its allowance or withdrew the approval.
    VenueApproved = [224, 4, 67, 188, 7, 196, 137, 102], {
        /// The margin account.
        account: Address,
        /// The venue.
        venue: Address,
        /// Notional allowed from now on, quote native; zero for none.
        limit: u64,
    }
}

/// Values of [`BoardChanged::kind`].
pub mod board_change {
    /// The board was created.
    pub const CREATED: u64 = 1;
    /// The board was closed.
    pub const CLOSED: u64 = 2;
}

event! {
    /// The house was valued.
    HouseValued = [131, 5, 250, 250, 126, 181, 137, 115], {
        /// The house.
        house: Address,
        /// Number of the valuation.
        round: u64,
        /// Net asset value, quote native.
        nav: i64,
        /// What it has earned since the last valuation, quote native: without what tickets have added and taken, and without
        /// the losses of insolvent accounts that it has covered.
        change: i64,
        /// House shares in circulation.
        supply: u64,
        /// Sum of the markets' risk budgets, quote native.
        budgets: u64,
        /// When the valuation began, unix seconds.
        nav_at: i64,
    }
}

event! {
    /// A valuation of the house is void: a price, the house's inventory or its deposit changed while it went on.
    HouseRoundVoided = [127, 232, 179, 169, 192, 211, 71, 93], {
        /// The house.
        house: Address,
        /// The market that changed; the house for its deposit.
        subject: Address,
        /// Number of the valuation.
        round: u64,
    }
}

event! {
    /// A ticket to join or leave the house was made, executed, cancelled or claimed.
    TicketChanged = [73, 17, 101, 227, 252, 133, 69, 46], {
        /// The ticket.
        ticket: Address,
        /// The house.
        house: Address,
        /// Its owner.
        owner: Address,
        /// What was put in: quote native, or house shares.
        amount: u64,
        /// What came of it: house shares, or quote native.
        proceeds: u64,
        /// One of [`crate::accounts::ticket_kind`].
        kind: u64,
        /// One of [`ticket_status`].
        status: u64,
    }
}

/// Values of [`TicketChanged::status`].
pub mod ticket_status {
    /// It was asked for.
    pub const REQUESTED: u64 = 1;
    /// It was executed: its proceeds are there to be claimed.
    pub const EXECUTED: u64 = 2;
    /// It was cancelled: its owner has the amount back.
    pub const CANCELLED: u64 = 3;
    /// Its owner has the proceeds.
    pub const CLAIMED: u64 = 4;
}

event! {
    /// Somebody put quote into the insurance.
    InsuranceFunded = [158, 72, 23, 80, 138, 56, 33, 206], {
        /// The quote bank.
        bank: Address,
        /// Who paid.
        funder: Address,
        /// Quote native.
        amount: u64,
        /// The insurance afterwards, quote native.
        insurance: u64,
    }
}

event! {
    /// Tokens of a bank's reserve were sold for quote, which went into the insurance.
    ReserveBought = [137, 216, 132, 29, 129, 147, 190, 176], {
        /// The bank.
        bank: Address,
        /// Who bought.
        buyer: Address,
        /// Tokens, native.
        amount: u64,
        /// What they cost, quote native.
        payment: u64,
        /// Oracle price, Q16.48 quote native per base unit.
        spot: u64,
        /// The bank's reserve afterwards, native.
        reserve: u64,
        /// The insurance afterwards, quote native.
        insurance: u64,
    }
}

event! {
    /// A fraction of an insolvent account was taken over, and the insurance paid for it.
    InsolventLiquidated = [135, 206, 142, 140, 87, 97, 33, 156], {
        /// The liquidated margin account.
        account: Address,
        /// The taker's margin account.
        taker: Address,
        /// Maintenance equity before, quote native.
        equity: i64,
        /// Maintenance requirement before, quote native.
        requirement: i64,
        /// Fraction taken over, Q32.
        fraction: u64,
        /// What the insurance paid, quote native.
        payout: u64,
        /// Reward, ppm of the requirement taken over.
        reward_ppm: u64,
        /// The insurance afterwards, quote native.
        insurance: u64,
    }
}

event! {
    /// One step of covering an insolvent account's loss: what was taken from whom.
    LossCovered = [185, 52, 233, 55, 164, 234, 139, 131], {
        /// The margin account.
        account: Address,
        /// Who bore it, one of [`loss_source`].
        source: u64,
        /// Maintenance equity before, quote native.
        equity: i64,
        /// What was due for the whole account, quote native.
        due: u64,
        /// What was taken, quote native.
        amount: u64,
        /// The insurance afterwards, quote native.
        insurance: u64,
        /// The house's quote deposit afterwards, quote native.
        house: u64,
        /// The quote bank's deposit index afterwards, Q16.48.
        deposit_index: u64,
    }
}

event! {
    /// An insolvent account's position was closed against one in profit.
    Deleveraged = [34, 71, 31, 45, 212, 184, 131, 185], {
        /// The insolvent margin account.
        account: Address,
        /// The margin account in profit.
        counterparty: Address,
        /// The market.
        market: Address,
        /// What both positions became smaller by, base units.
        closed: u64,
        /// Price at which they were closed, Q16.48 quote native per base unit.
        spot: u64,
        /// The counterparty's unsettled gain in the market before, quote native.
        gain: u64,
        /// The counterparty's position before, base units.
        position: i64,
        /// What it gave up of its gain, quote native.
        taken: u64,
        /// What the account owed beyond the insurance before, quote native.
        deficit: u64,
    }
}

event! {
    /// A liquidation without capital began or ended.
    LiquidationDeferred = [102, 48, 149, 160, 238, 243, 103, 33], {
        /// The taker's margin account.
        taker: Address,
        /// Its initial health at the end, quote native; zero at the beginning.
        health: i64,
        /// 1 at the beginning, 0 at the end.
        begun: u64,
    }
}

/// Values of [`LossCovered::source`].
pub mod loss_source {
    /// The insurance repaid the account's quote debt, the only thing that was left of it.
    pub const INSURANCE: u64 = 1;
    /// The house's deposit, down to its floor.
    pub const HOUSE: u64 = 2;
    /// All deposits of the quote bank, in proportion.
    pub const DEPOSITS: u64 = 3;
}

event! {
    /// An order was stored, cancelled or executed. What an executed one traded is in a [`Traded`] of its own.
    TriggerChanged = [125, 228, 58, 190, 5, 18, 66, 182], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// Number of the stored order.
        index: u64,
        /// 1 placed, 2 cancelled, 3 executed.
        kind: u64,
        /// Oracle price that it waits for, Q16.48 quote native per base unit.
        trigger_price: u64,
        /// What the executor got, quote native; zero unless executed.
        tip: u64,
    }
}

/// Values of [`TriggerChanged::kind`].
pub mod trigger_change {
    /// The order was stored.
    pub const PLACED: u64 = 1;
    /// It was cancelled.
    pub const CANCELLED: u64 = 2;
    /// It was executed.
    pub const EXECUTED: u64 = 3;
}

event! {
    /// A bank's exchange rate was updated.
    RateUpdated = [215, 212, 25, 235, 152, 203, 38, 205], {
        /// The bank.
        bank: Address,
        /// What its source says, Q16.48 units of the underlying per unit of the mint.
        source_rate: u64,
        /// What debts count at, same unit.
        borrow_rate: u64,
        /// What deposits count at, same unit.
        deposit_rate: u64,
        /// Epoch of the stake pool's last update.
        epoch: u64,
    }
}

event! {
    /// A collateral was swapped against the house.
    Swapped = [217, 52, 52, 83, 147, 135, 96, 109], {
        /// The margin account.
        account: Address,
        /// The bank of the mint.
        bank: Address,
        /// Who signed: owner or delegate.
        trader: Address,
        /// Native amount bought, negative sold.
        amount: i64,
        /// Quote native paid for it, fee included, negative received.
        paid: i64,
        /// Fee, quote native.
        fee: u64,
        /// Oracle price of the swap, Q16.48 quote native per base unit.
        spot: u64,
        /// What the house holds of the mint afterwards, native.
        inventory: u64,
    }
}

event! {
    /// What a lien claims or counts for changed, or it was opened or released.
    LienChanged = [194, 7, 62, 176, 32, 40, 229, 91], {
        /// The margin account.
        account: Address,
        /// The adapter.
        adapter: Address,
        /// The adapter's record.
        record: Address,
        /// What it claims from here on, native.
        claim: u64,
        /// What it counts for from here on, native.
        recognised: u64,
    }
}

event! {
    /// A lien was called in.
    LienSeized = [86, 86, 98, 190, 63, 12, 94, 51], {
        /// The margin account.
        account: Address,
        /// The adapter.
        adapter: Address,
        /// The adapter's record.
        record: Address,
        /// What it claimed, native.
        claim: u64,
        /// What arrived in the bank's vault and is a deposit of the account now, native.
        received: u64,
    }
}

event! {
    /// A volatility forecast was posted.
    ForecastPosted = [97, 86, 42, 124, 237, 143, 152, 189], {
        /// The market.
        market: Address,
        /// Who signed: forecaster or admin.
        forecaster: Address,
        /// Volatility, ppm a year.
        volatility_ppm: u64,
        /// From this moment on it counts for nothing, unix seconds.
        expires_at: i64,
        /// Shock range towards initial margin afterwards, ppm.
        range_ppm: u64,
        /// Shock range towards maintenance margin afterwards, ppm.
        range_maint_ppm: u64,
    }
}

event! {
    /// Funding was accrued on a market.
    FundingAccrued = [245, 38, 158, 236, 129, 195, 123, 235], {
        /// The market.
        market: Address,
        /// What one long base unit has paid since the market began, Q16.48 quote native.
        index: i64,
        /// The rate that runs from here on, 1e-12 of the notional a day; positive where longs pay.
        rate_per_day: i64,
        /// Accrued up to, unix seconds.
        accrued_at: i64,
    }
}

event! {
    /// A margin account's position paid its funding, or received it.
    FundingPaid = [49, 144, 40, 44, 241, 140, 110, 154], {
        /// The margin account.
        account: Address,
        /// The market.
        market: Address,
        /// Quote native from the account's cash in the market to the house's, negative the other way.
        amount: i64,
        /// The index that it has paid up to, Q16.48 quote native.
        index: i64,
    }
}

event! {
    /// A mint withheld its fee out of a transfer into or out of a vault. Comes before the event of what the transfer was
    /// for, whose amount is the vault's.
    TransferFeeWithheld = [38, 243, 53, 144, 13, 18, 97, 232], {
        /// The mint.
        mint: Address,
        /// The token account that paid.
        source: Address,
        /// The token account that received.
        destination: Address,
        /// Native units that left the source.
        sent: u64,
        /// Native units that arrived; the rest is the fee.
        received: u64,
    }
}

event! {
    /// An account of an earlier layout was rewritten.
    AccountUpgraded = [60, 150, 189, 4, 249, 81, 82, 12], {
        /// The account.
        account: Address,
        /// Who paid for what it grew by.
        payer: Address,
        /// The version of its layout before; it has the next one now.
        from_version: u64,
    }
}

/// Values of [`AccountChanged::kind`].
pub mod account_change {
    /// The account was opened.
    pub const OPENED: u64 = 1;
    /// Its delegate was set.
    pub const DELEGATE_SET: u64 = 2;
    /// The account was closed.
    pub const CLOSED: u64 = 3;
}
