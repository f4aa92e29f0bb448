//! Plimsoll: one margin account for many collaterals and positions, one engine that says how much more it can carry.
//!
//! This crate is the on-chain side: it checks accounts, calls the engine and stores the result. `instructions` has a file
//! for each instruction, always in the order accounts, validate, apply, event; arguments, account layouts, events, errors
//! and what a client can ask for before it signs are in `plimsoll-interface`; all mathematics is in `plimsoll-risk`.
#![cfg_attr(not(any(test, feature = "idl-build")), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate alloc;

use anchor_lang::prelude::*;
pub use plimsoll_interface::{ID, PlimsollError, accounts::*, event::*, id, instruction::*};

mod auction;
mod board;
mod book;
mod controls;
mod house;
mod insolvency;
mod instructions;
mod lien;
mod matching;
mod option_trading;
mod ticket;
mod token;
mod trading;
mod valuation;

use instructions::*;

/// The instructions. Discriminators are those of `plimsoll_interface::instruction::tag`.
#[program]
pub mod plimsoll {
    use super::*;

    /// Makes an exchange whose admin is its creator.
    #[discrim = 0]
    pub fn create_exchange(ctx: &mut Context<CreateExchange>, args: CreateExchangeArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.exchange)
    }

    /// Replaces an exchange's parameters.
    #[discrim = 1]
    pub fn configure_exchange(ctx: &mut Context<ConfigureExchange>, args: ConfigureExchangeArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Adds a market to an exchange, without a risk budget.
    #[discrim = 2]
    pub fn create_market(ctx: &mut Context<CreateMarket>, args: CreateMarketArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.market)
    }

    /// Replaces a market's parameters.
    #[discrim = 3]
    pub fn configure_market(ctx: &mut Context<ConfigureMarket>, args: ConfigureMarketArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Adds a collateral mint, at no weight, or the quote mint, to an exchange.
    #[discrim = 4]
    pub fn create_bank(ctx: &mut Context<CreateBank>, args: CreateBankArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.bank, ctx.bumps.vault)
    }

    /// Replaces a bank's parameters.
    #[discrim = 5]
    pub fn configure_bank(ctx: &mut Context<ConfigureBank>, args: ConfigureBankArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Makes an exchange's house.
    #[discrim = 6]
    pub fn create_house(ctx: &mut Context<CreateHouse>) -> Result<()> {
        ctx.accounts.apply(ctx.bumps.house)
    }

    /// Opens a margin account.
    #[discrim = 9]
    pub fn create_account(ctx: &mut Context<CreateAccount>, args: CreateAccountArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.account)
    }

    /// Names who may trade for the owner.
    #[discrim = 10]
    pub fn set_delegate(ctx: &mut Context<SetDelegate>, args: SetDelegateArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Closes an empty margin account.
    #[discrim = 11]
    pub fn close_account(ctx: &mut Context<CloseAccount>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Deposits collateral or repays a borrow.
    #[discrim = 12]
    pub fn deposit(ctx: &mut Context<Deposit>, args: AmountArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Withdraws collateral, and borrows beyond it where the margin allows.
    #[discrim = 13]
    pub fn withdraw(ctx: &mut Context<Withdraw>, args: WithdrawArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Buys or sells a perpetual against the house.
    #[discrim = 14]
    pub fn open_position(ctx: &mut Context<Trade>, args: OpenPositionArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.open(&args, &remaining)
    }

    /// Closes a perpetual position, or a part of it, against the house.
    #[discrim = 15]
    pub fn close_position(ctx: &mut Context<Trade>, args: ClosePositionArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.close(&args, &remaining)
    }

    /// Stores a market's price. Anyone may.
    #[discrim = 16]
    pub fn observe(ctx: &mut Context<Observe>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Accrues a bank's interest. Anyone may.
    #[discrim = 17]
    pub fn accrue(ctx: &mut Context<Accrue>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Moves what an account has gained or lost in a market to its quote balance. Anyone may.
    #[discrim = 18]
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Starts, continues or ends an account's auction, as its health is. Anyone may.
    #[discrim = 19]
    pub fn flag_liquidation(ctx: &mut Context<FlagLiquidation>) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&remaining)
    }

    /// Takes over a fraction of an account that is below its line. Anyone may who can carry it.
    #[discrim = 20]
    pub fn liquidate(ctx: &mut Context<Liquidate>, args: LiquidateArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    // Boards and options.

    /// Adds an option expiry to a market. The keeper may, and the admin.
    #[discrim = 21]
    pub fn create_board(ctx: &mut Context<CreateBoard>, args: CreateBoardArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.board)
    }

    /// Lists strikes of a board. The keeper may, and the admin.
    #[discrim = 22]
    pub fn list_strikes(ctx: &mut Context<ListStrikes>, args: ListStrikesArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Sets the volatilities and the forward that a board's next refresh computes with. The keeper may, and the admin.
    #[discrim = 23]
    pub fn post_volatilities(ctx: &mut Context<PostVolatilities>, args: PostVolatilitiesArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Computes a board's risk arrays at the market's price. Anyone may.
    #[discrim = 24]
    pub fn refresh_board(ctx: &mut Context<RefreshBoard>, args: RefreshBoardArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Counts the oracle's price towards the price that a board's options are settled at. Anyone may.
    #[discrim = 25]
    pub fn sample_expiry(ctx: &mut Context<SampleExpiry>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Fixes the price that a board's options are settled at, after its expiry. Anyone may.
    #[discrim = 26]
    pub fn settle_board(ctx: &mut Context<SettleBoard>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Closes a board without open options. The keeper may, and the admin.
    #[discrim = 27]
    pub fn close_board(ctx: &mut Context<CloseBoard>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Buys or sells an option against the house.
    #[discrim = 28]
    pub fn open_option(ctx: &mut Context<TradeOption>, args: OpenOptionArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.open(&args, &remaining)
    }

    /// Closes an option position, or a part of it, against the house.
    #[discrim = 29]
    pub fn close_option(ctx: &mut Context<TradeOption>, args: CloseOptionArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.close(&args, &remaining)
    }

    /// Pays an account's options of a settled board in cash. Anyone may.
    #[discrim = 30]
    pub fn settle_option(ctx: &mut Context<SettleOption>) -> Result<()> {
        ctx.accounts.apply()
    }

    // Volatility and funding.

    /// Posts a volatility forecast for a market.
    #[discrim = 31]
    pub fn post_forecast(ctx: &mut Context<PostForecast>, args: PostForecastArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Accrues a market's funding. Anyone may.
    #[discrim = 32]
    pub fn accrue_funding(ctx: &mut Context<AccrueFunding>) -> Result<()> {
        ctx.accounts.apply()
    }

    // The house as a pool.

    /// Values the house, or goes on doing so. Anyone may.
    #[discrim = 35]
    pub fn value_house(ctx: &mut Context<ValueHouse>) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&remaining)
    }

    /// Puts quote aside that is to become house shares after the delay.
    #[discrim = 36]
    pub fn request_provide(ctx: &mut Context<RequestTicket>, args: RequestArgs) -> Result<()> {
        ctx.accounts.provide(&args, ctx.bumps.ticket)
    }

    /// Puts house shares aside that are to become quote after the delay.
    #[discrim = 37]
    pub fn request_redeem(ctx: &mut Context<RequestTicket>, args: RequestArgs) -> Result<()> {
        ctx.accounts.redeem(&args, ctx.bumps.ticket)
    }

    /// Executes a ticket at the house's latest net asset value. Anyone may.
    #[discrim = 38]
    pub fn execute_ticket(ctx: &mut Context<ExecuteTicket>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Takes back what was put aside, while or once nothing can come of it.
    #[discrim = 39]
    pub fn cancel_ticket(ctx: &mut Context<CloseTicket>) -> Result<()> {
        ctx.accounts.cancel()
    }

    /// Takes what came of a ticket.
    #[discrim = 40]
    pub fn claim_ticket(ctx: &mut Context<CloseTicket>) -> Result<()> {
        ctx.accounts.claim()
    }

    // Controls and guards.

    /// Nominates an admin, who may accept once the timelock is over; or takes a nomination back.
    #[discrim = 45]
    pub fn nominate_admin(ctx: &mut Context<ChangeAdmin>, args: NominateAdminArgs) -> Result<()> {
        ctx.accounts.nominate(&args)
    }

    /// Makes the nominee the admin.
    #[discrim = 46]
    pub fn accept_admin(ctx: &mut Context<ChangeAdmin>) -> Result<()> {
        ctx.accounts.accept()
    }

    /// Gives a role to somebody, or takes it away.
    #[discrim = 47]
    pub fn set_role(ctx: &mut Context<SetRole>, args: SetRoleArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Announces a change that does more than tighten.
    #[discrim = 48]
    pub fn propose(ctx: &mut Context<Propose>, args: ProposeArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.proposal)
    }

    /// Takes an announced change back.
    #[discrim = 49]
    pub fn cancel_proposal(ctx: &mut Context<CancelProposal>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Pauses or resumes kinds of action.
    #[discrim = 50]
    pub fn set_pauses(ctx: &mut Context<SetPauses>, args: SetPausesArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Closes a position in a market that winds down, at the oracle's price. Anyone may once the announced time has come.
    #[discrim = 51]
    pub fn wind_down_position(ctx: &mut Context<WindDownPosition>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Ends a market that is wound down and empty.
    #[discrim = 52]
    pub fn retire_market(ctx: &mut Context<RetireMarket>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Ends a bank that is wound down and empty.
    #[discrim = 53]
    pub fn retire_bank(ctx: &mut Context<RetireBank>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Stores the price of the quote. Anyone may.
    #[discrim = 54]
    pub fn observe_quote(ctx: &mut Context<ObserveQuote>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Fails unless an account has the health that is asserted. Anyone may.
    #[discrim = 55]
    pub fn assert_health(ctx: &mut Context<AssertHealth>, args: AssertHealthArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Fails unless an account is as it was. Anyone may.
    #[discrim = 56]
    pub fn assert_sequence(ctx: &mut Context<AssertSequence>, args: AssertSequenceArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Fails unless a market's price is within what is asserted. Anyone may.
    #[discrim = 57]
    pub fn assert_price(ctx: &mut Context<AssertPrice>, args: AssertPriceArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Sets the price feed of the quote.
    #[discrim = 58]
    pub fn set_quote_feed(ctx: &mut Context<SetQuoteFeed>, args: SetQuoteFeedArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    // The waterfall.

    /// Puts quote into the insurance. Anyone may, and nobody takes it out again.
    #[discrim = 61]
    pub fn fund_insurance(ctx: &mut Context<FundInsurance>, args: AmountArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Buys tokens of a bank's reserve for quote, which becomes insurance. Anyone may.
    #[discrim = 62]
    pub fn buy_reserve(ctx: &mut Context<BuyReserve>, args: BuyReserveArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// One step of covering the loss of an account without equity that the insurance cannot pay for. Anyone may.
    #[discrim = 63]
    pub fn resolve(ctx: &mut Context<Resolve>) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&remaining)
    }

    /// Closes a position of an account without equity against one in profit. Anyone may.
    #[discrim = 64]
    pub fn deleverage(ctx: &mut Context<Deleverage>, args: DeleverageArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    // Fills and venues.

    /// Lets two accounts that both signed trade with each other at their price.
    #[discrim = 71]
    pub fn fill(ctx: &mut Context<Fill>, args: FillArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Begins a liquidation without capital: until its end in the same transaction the taker's margin is not asked for.
    #[discrim = 65]
    pub fn begin_liquidation(ctx: &mut Context<BeginLiquidation>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Ends it: the taker has its initial margin.
    #[discrim = 66]
    pub fn end_liquidation(ctx: &mut Context<EndLiquidation>) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&remaining)
    }

    /// Fills a signed order against another, or against the submitter's account. Anyone may.
    #[discrim = 72]
    pub fn fill_orders(ctx: &mut Context<FillOrders>, args: FillOrdersArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Registers a program that may fill between accounts which approve it.
    #[discrim = 73]
    pub fn register_venue(ctx: &mut Context<RegisterVenue>, args: VenueArgs) -> Result<()> {
        ctx.accounts.apply(&args, ctx.bumps.venue)
    }

    /// Approves a venue for an account, up to a notional, or withdraws the approval.
    #[discrim = 74]
    pub fn set_venue_approval(ctx: &mut Context<SetVenueApproval>, args: SetVenueApprovalArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Lets two accounts that approved a venue trade with each other. The venue's program calls it.
    #[discrim = 75]
    pub fn venue_fill(ctx: &mut Context<VenueFill>, args: FillArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Makes the account that keeps what a margin account's signed orders have filled. Anyone may.
    #[discrim = 76]
    pub fn create_orders(ctx: &mut Context<CreateOrders>) -> Result<()> {
        ctx.accounts.apply(ctx.bumps.orders)
    }

    /// Voids all signed orders of an account with a nonce below a floor.
    #[discrim = 77]
    pub fn cancel_orders(ctx: &mut Context<CancelOrders>, args: CancelOrdersArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Replaces a venue's limits and state.
    #[discrim = 78]
    pub fn configure_venue(ctx: &mut Context<ConfigureVenue>, args: VenueArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    // Collateral.

    /// Takes over the exchange rate of a staked token from its stake pool. Anyone may.
    #[discrim = 81]
    pub fn update_rate(ctx: &mut Context<UpdateRate>) -> Result<()> {
        ctx.accounts.apply()
    }

    /// Says where a bank's exchange rate is read.
    #[discrim = 82]
    pub fn set_rate_source(ctx: &mut Context<SetRateSource>, args: SetRateSourceArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Exchanges a collateral for quote, or quote for it, against the house.
    #[discrim = 83]
    pub fn swap(ctx: &mut Context<Swap>, args: SwapArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Registers a program that keeps tokens of a bank's mint under liens; it carries none yet.
    #[discrim = 84]
    pub fn register_adapter(ctx: &mut Context<RegisterAdapter>, args: AdapterArgs) -> Result<()> {
        let bump = ctx.bumps.adapter;
        ctx.accounts.apply(&args, bump)
    }

    /// Replaces an adapter's limits and state.
    #[discrim = 85]
    pub fn configure_adapter(ctx: &mut Context<ConfigureAdapter>, args: AdapterArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Recognises tokens that an adapter has locked for a margin account.
    #[discrim = 86]
    pub fn open_lien(ctx: &mut Context<OpenLien>, args: OpenLienArgs) -> Result<()> {
        let bump = ctx.bumps.lien;
        ctx.accounts.apply(&args, bump)
    }

    /// Has a lien count what its adapter's record and limits say now. Anyone may.
    #[discrim = 87]
    pub fn update_lien(ctx: &mut Context<UpdateLien>) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&remaining)
    }

    /// Gives up a lien, or a part of it.
    #[discrim = 88]
    pub fn release_lien(ctx: &mut Context<ReleaseLien>, args: ReleaseLienArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    /// Calls a lien of an account below its line in: the tokens become its deposit. Anyone may.
    #[discrim = 89]
    pub fn seize_lien(ctx: &mut Context<SeizeLien>, args: SeizeLienArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }

    // Layouts.

    /// Rewrites an account of an earlier layout. Anyone may.
    #[discrim = 91]
    pub fn upgrade_account(ctx: &mut Context<UpgradeAccount>) -> Result<()> {
        ctx.accounts.apply()
    }

    // Stored orders.

    /// Stores an order that closes a position once the oracle's price is where it waits for it.
    #[discrim = 93]
    pub fn place_trigger(ctx: &mut Context<PlaceTrigger>, args: PlaceTriggerArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Removes a stored order.
    #[discrim = 94]
    pub fn cancel_trigger(ctx: &mut Context<CancelTrigger>, args: TriggerArgs) -> Result<()> {
        ctx.accounts.apply(&args)
    }

    /// Executes a stored order that is due, for its tip. Anyone may.
    #[discrim = 95]
    pub fn execute_trigger(ctx: &mut Context<ExecuteTrigger>, args: TriggerArgs) -> Result<()> {
        let remaining = ctx.remaining_accounts()?;
        ctx.accounts.apply(&args, &remaining)
    }
}
