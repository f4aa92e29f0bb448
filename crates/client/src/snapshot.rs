//! An exchange as seen at one moment, and what follows from it: margins, reports, ready-packed instructions.

use std::collections::BTreeMap;

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, Board, Exchange, House, MAX_BOARDS, MarginAccount, Market, board_state},
    address,
    bridge::{self, Inputs},
    config::MarketConfig,
    instruction::{
        AssertHealthArgs, CloseOptionArgs, ClosePositionArgs, CreateMarketArgs, DeleverageArgs, FillArgs,
        FillOrdersArgs, LiquidateArgs, OpenOptionArgs, OpenPositionArgs, SwapArgs,
    },
};
use plimsoll_risk::{
    greeks::{self, OptionGreeks, PortfolioGreeks},
    interest, liquidation,
    options::{ArrayTerms, BoardSum, OptionRisk, Reading},
    portfolio::{self, Margin, Portfolio, Report, RiskParameters, Standalone},
    price::Observation,
    units::{Fraction, Ppm, Seconds, Timestamp},
    waterfall as risk,
};
use solana_instruction::{AccountMeta, Instruction};

use crate::{
    Error, Keyed,
    instruction::{
        TOKEN_PROGRAM, account, collateral, controls, house, lien, liquidation as liquidate, market, option, trade,
        trigger, venue, waterfall,
    },
    price::PriceAccount,
    remaining::{Pack, PriceAddresses},
};

/// One exchange with its banks and markets at one moment.
///
/// A price account in [`Self::prices`] is read exactly where an instruction that carries it would read it: it replaces
/// the market's stored observation unless it is older. The instructions built here carry all of them, so what
/// [`Self::margin`] says is what the chain will say (INV-7).
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The exchange.
    pub exchange: Keyed<Exchange>,
    /// Its house, once there is one.
    pub house: Option<House>,
    /// Its banks by address.
    pub banks: BTreeMap<Address, Bank>,
    /// Its markets by address.
    pub markets: BTreeMap<Address, Market>,
    /// Its markets' option boards by address.
    pub boards: BTreeMap<Address, Board>,
    /// Price accounts by market, for those markets that are to be priced by them.
    pub prices: BTreeMap<Address, PriceAccount>,
    /// The chain's clock, unix seconds.
    pub now: i64,
}

impl Inputs for Snapshot {
    type BankRef<'a> = &'a Bank;
    type MarketRef<'a> = &'a Market;
    type BoardRef<'a> = &'a Board;

    fn bank(&self, address: &Address) -> Result<&Bank, PlimsollError> {
        self.banks.get(address).ok_or(PlimsollError::MissingBank)
    }

    fn market(&self, address: &Address) -> Result<(&Market, Observation), PlimsollError> {
        let market = self.markets.get(address).ok_or(PlimsollError::MissingMarket)?;
        let stored = market.observation();
        let observation = match self.prices.get(address) {
            Some(price) => {
                let passed = price.observation(market, self.now)?;
                if passed.publish_time >= stored.publish_time { passed } else { stored }
            }
            None => stored,
        };
        Ok((market, observation))
    }

    fn board(&self, address: &Address) -> Result<&Board, PlimsollError> {
        self.boards.get(address).ok_or(PlimsollError::MissingBoard)
    }
}

/// Equity and requirement of an account, to the unit what the chain computes, and the marks of its options; from whatever
/// lends banks, markets and boards.
///
/// # Errors
/// What the chain would answer.
pub fn assess<I: Inputs>(
    account: &MarginAccount,
    inputs: &I,
    now: Timestamp,
    risk: &RiskParameters,
) -> Result<(Margin, i64), PlimsollError> {
    let mut portfolio = Portfolio::new();
    let mut storage = [OptionRisk::NONE; MAX_BOARDS];
    let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
    let has_old_rate = bridge::portfolio(account, inputs, now, &mut portfolio, Some(&mut options))?;
    let margin = portfolio::margin(&portfolio, options.as_slice(), risk)?;
    let marks = options.marks();
    if !has_old_rate {
        return Ok((margin, marks));
    }
    let mut at_init = Portfolio::new();
    let mut storage = [OptionRisk::NONE; MAX_BOARDS];
    let mut options = bridge::Options::new(&mut storage, risk.extreme_damping);
    bridge::portfolio_at_init(account, inputs, now, &mut at_init, Some(&mut options))?;
    Ok((bridge::with_init_of(margin, &portfolio::margin(&at_init, options.as_slice(), risk)?), marks))
}

/// Margins.
impl Snapshot {
    /// The account as the engine sees it: what it holds by underlying, and what its options are worth and could lose.
    /// Exchange rates are taken as they are, however old: as maintenance margin sees it.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn portfolio(&self, account: &MarginAccount) -> Result<(Portfolio, Vec<OptionRisk>), Error> {
        let mut portfolio = Portfolio::new();
        let mut storage = [OptionRisk::NONE; MAX_BOARDS];
        let mut options = bridge::Options::new(&mut storage, self.risk().extreme_damping);
        bridge::portfolio(account, self, Timestamp::from_raw(self.now), &mut portfolio, Some(&mut options))?;
        Ok((portfolio, options.as_slice().to_vec()))
    }

    /// Equity and requirement of an account, to the unit what the chain computes.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn margin(&self, account: &MarginAccount) -> Result<Margin, Error> {
        Ok(self.assess(account)?.0)
    }

    /// The margin, and the marks of the account's options.
    fn assess(&self, account: &MarginAccount) -> Result<(Margin, i64), Error> {
        Ok(assess(account, self, Timestamp::from_raw(self.now), &self.risk())?)
    }

    /// The risk parameters at this moment: the exchange's, and what its quote is worth.
    fn risk(&self) -> RiskParameters {
        self.exchange.data.risk(Timestamp::from_raw(self.now))
    }

    /// Health that a withdrawal must leave at zero or above, quote native: initial health without the gains that the house
    /// has not paid. Where `blocked_by` of [`Self::margin`] names a price, no withdrawal is accepted.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn withdrawal_health(&self, account: &MarginAccount) -> Result<i64, Error> {
        let (margin, marks) = self.assess(account)?;
        let health = margin.health_init().map_err(PlimsollError::from)?;
        let gain = bridge::unsettled_gain(account, self, marks)?;
        health.raw().checked_sub(gain).ok_or(Error::Program(PlimsollError::Overflow))
    }

    /// Where the requirement comes from, by underlying and by risk group.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn report(&self, account: &MarginAccount) -> Result<Report, Error> {
        let (portfolio, options) = self.portfolio(account)?;
        Ok(portfolio::report(&portfolio, &options, &self.risk())?)
    }

    /// Delta, gamma, vega and theta of an account, by underlying and in all. Settled options have none.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn greeks(&self, account: &MarginAccount) -> Result<PortfolioGreeks, Error> {
        let (portfolio, _) = self.portfolio(account)?;
        let mut options: Vec<OptionGreeks> = Vec::new();
        // Underlyings are numbered by the slots in use, in their order.
        let slots = account.markets.iter().enumerate().filter(|(_, slot)| slot.in_use != 0);
        for ((number, (index, slot)), underlying) in (0u8..).zip(slots).zip(portfolio.underlyings()) {
            let (market, observation) = self.market(&slot.market)?;
            let reading = Reading {
                spot: observation.spot,
                now: Timestamp::from_raw(self.now),
                range: underlying.range,
                range_maint: underlying.range_maint,
                extreme_damping: self.risk().extreme_damping,
                short_minimum: Ppm::from_raw(market.config.options.short_minimum_ppm),
            };
            let mut own = OptionGreeks { underlying: number, ..OptionGreeks::default() };
            for position in self.boards_in(account, index) {
                self.add_greeks(account, position, &reading, &mut own)?;
            }
            options.push(own);
        }
        Ok(greeks::greeks(&portfolio, &options)?)
    }

    /// Indexes of the account's board slots in a market slot.
    fn boards_in(&self, account: &MarginAccount, market_slot: usize) -> Vec<usize> {
        let is_in = |index: &usize| {
            let slot = &account.boards[*index];
            slot.in_use != 0 && usize::from(slot.market_slot) == market_slot
        };
        (0..account.boards.len()).filter(is_in).collect()
    }

    fn add_greeks(
        &self,
        account: &MarginAccount,
        board_slot: usize,
        reading: &Reading,
        sum: &mut OptionGreeks,
    ) -> Result<(), Error> {
        let board = self.board(&account.boards[board_slot].board)?;
        if board.state == board_state::SETTLED {
            return Ok(());
        }
        let mut lots = BoardSum::new();
        bridge::add_options(&mut lots, board, &account.options[account.options_of(board_slot)?])?;
        Ok(lots.add_greeks(&ArrayTerms::from(&board.terms), reading, sum)?)
    }

    /// What the account's balances and positions would require if each stood in an account of its own, and what netting
    /// saves against that: hedges inside an underlying included, which [`Report::saving_init`] does not count.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn standalone(&self, account: &MarginAccount) -> Result<Standalone, Error> {
        let whole = self.margin(account)?;
        let parts = parts(account).iter().map(|part| self.portfolio(part)).collect::<Result<Vec<_>, _>>()?;
        let parts = parts.iter().map(|(portfolio, options)| (portfolio, options.as_slice()));
        Ok(portfolio::standalone(&whole, parts, &self.risk())?)
    }

    /// The requirements of [`Self::standalone`], initial and maintenance, quote native.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn requirement_alone(&self, account: &MarginAccount) -> Result<(u64, u64), Error> {
        let alone = self.standalone(account)?;
        Ok((alone.requirement_init.unsigned_abs(), alone.requirement_maint.unsigned_abs()))
    }
}

/// What who takes over an account without equity is due, and what the insurance pays of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insolvency {
    /// Part of the requirement taken over that is paid besides the debt.
    pub reward: Ppm,
    /// What is due for the whole account, quote native.
    pub due: u64,
    /// The largest fraction that the insurance can pay for.
    pub fraction: Fraction,
    /// What it pays for that fraction, quote native.
    pub payout: u64,
    /// What is due beyond that, quote native.
    pub shortfall: u64,
}

/// What the next `resolve` of an account does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The insurance suffices: who takes the account over is paid by it.
    Liquidate,
    /// The insurance repays the debt of this much quote native that is all that is left.
    Repay(u64),
    /// The house pays this much quote native into the insurance.
    House(u64),
    /// All deposits pay this much quote native into the insurance.
    Deposits(u64),
    /// Deposits pay from this moment on, unix seconds, if the account is seen insolvent until then.
    Wait(i64),
}

/// Accounts without equity.
impl Snapshot {
    /// Since when the account counts as insolvent for an instruction that is sent now, unix seconds.
    fn insolvent_since(&self, account: &MarginAccount) -> i64 {
        let duration = i64::from(self.exchange.data.config.insolvency_duration_seconds);
        let lapsed = self.now.saturating_sub(account.liquidation_seen_at) > duration;
        if account.insolvent_since == 0 || lapsed { self.now } else { account.insolvent_since }
    }

    /// What is due for an account without equity; `None` for one that has some, or is above its line.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer, [`Error::Missing`] without the quote bank.
    pub fn insolvency(&self, account: &MarginAccount) -> Result<Option<Insolvency>, Error> {
        let margin = self.margin(account)?;
        let (equity, requirement) = (margin.equity_maint, margin.requirement_maint);
        if equity.is_positive() || equity >= requirement {
            return Ok(None);
        }
        let elapsed = Seconds::from_raw(self.now.saturating_sub(self.insolvent_since(account)));
        let reward = liquidation::insolvent_reward(&self.exchange.data.config.insolvency(), elapsed);
        let insurance = self.quote_bank()?.reserve;
        let fraction = liquidation::insolvent_fraction(equity, requirement, reward, insurance)?;
        Ok(Some(Insolvency {
            reward,
            due: liquidation::insolvent_due(equity, requirement, reward)?,
            fraction,
            payout: liquidation::insolvent_payout(fraction, equity, requirement, reward)?,
            shortfall: liquidation::shortfall(equity, requirement, reward, insurance)?,
        }))
    }

    /// What the next `resolve` of an account does; `None` for one that has equity, or is above its line.
    ///
    /// # Errors
    /// As [`Self::insolvency`]; [`Error::Missing`] without the house.
    pub fn resolution(&self, account: &MarginAccount) -> Result<Option<Resolution>, Error> {
        let Some(insolvency) = self.insolvency(account)? else { return Ok(None) };
        account.require_no_liens()?;
        let (config, bank) = (&self.exchange.data.config, self.quote_bank()?);
        let missing = risk::missing(insolvency.due, bank.reserve);
        let bare_debt = account.bare_debt();
        if missing == 0 {
            return Ok(Some(match bare_debt {
                Some(shares) => Resolution::Repay(interest::borrow_amount(shares, bank.borrow_index())?),
                None => Resolution::Liquidate,
            }));
        }
        let address = address::house(&self.exchange.address);
        let house = self.house.as_ref().ok_or(Error::Missing { what: "house", address })?;
        let above_floor =
            interest::deposit_amount(house.quote_shares, bank.deposit_index())?.saturating_sub(config.house_floor);
        if above_floor > 0 {
            return Ok(Some(Resolution::House(missing.min(above_floor))));
        }
        let since = self.insolvent_since(account);
        let from = since.saturating_add(i64::from(config.insolvency_duration_seconds));
        if bare_debt.is_none() && self.now < from {
            return Ok(Some(Resolution::Wait(from)));
        }
        let written = risk::write_off(bank.deposit_index(), bank.deposit_shares, missing)?;
        Ok(Some(Resolution::Deposits(written.amount)))
    }

    fn quote_bank(&self) -> Result<&Bank, Error> {
        let address = self.exchange.data.quote_bank;
        self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })
    }
}

/// Interest and funding.
impl Snapshot {
    /// Brings every bank's interest and every market's funding up to [`Self::now`], as `accrue` and `accrue_funding` do for
    /// one and `liquidate` for those it touches.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn accrue(&mut self) -> Result<(), Error> {
        for bank in self.banks.values_mut() {
            let elapsed = u64::try_from(self.now.saturating_sub(bank.accrued_at));
            let accrual = interest::accrue(
                &bank.config.rates(),
                bank.deposit_index(),
                bank.borrow_index(),
                bank.deposit_shares,
                bank.borrow_shares,
                elapsed.map_err(|_| PlimsollError::ClockWentBack)?,
            )?;
            bank.reserve = bank.reserve.checked_add(accrual.reserve_delta).ok_or(PlimsollError::Overflow)?;
            bank.deposit_index = accrual.deposit_index.raw();
            bank.borrow_index = accrual.borrow_index.raw();
            bank.accrued_at = self.now;
        }
        for market in self.markets.values_mut() {
            market.accrue_funding(Timestamp::from_raw(self.now));
        }
        Ok(())
    }
}

/// The account cut into accounts of one balance, one position or one option each.
fn parts(account: &MarginAccount) -> Vec<MarginAccount> {
    let mut bare = *account;
    for slot in &mut bare.markets {
        slot.size = 0;
        slot.cash = 0;
        slot.boards = 0;
    }
    bare.balances = bytemuck::Zeroable::zeroed();
    bare.boards = bytemuck::Zeroable::zeroed();
    bare.options = bytemuck::Zeroable::zeroed();
    let part = |change: &dyn Fn(&mut MarginAccount)| {
        let mut part = bare;
        change(&mut part);
        part
    };
    let balances = (0..account.balances.len()).filter(|index| account.balances[*index].in_use == 1);
    let balances = balances.map(|index| part(&|part| part.balances[index] = account.balances[index]));
    let positions = (0..account.markets.len()).filter(|index| account.markets[*index].size != 0);
    let positions = positions.map(|index| {
        part(&|part| {
            part.markets[index] = account.markets[index];
            part.markets[index].boards = 0;
        })
    });
    let options = account.options.iter().filter(|option| option.lots != 0).map(|option| {
        part(&|part| {
            let board = usize::from(option.board_slot);
            part.boards[board] = account.boards[board];
            part.boards[board].options = 1;
            part.markets[usize::from(account.boards[board].market_slot)].boards = 1;
            part.options[0] = *option;
        })
    });
    balances.chain(positions).chain(options).collect()
}

/// Instructions, with everything that stands behind the declared accounts.
impl Snapshot {
    /// `withdraw`: takes `amount` (native units; [`u64::MAX`] for the whole deposit) of `mint` to `destination`.
    ///
    /// # Errors
    /// [`Error::Missing`] for a mint without a bank; [`Error::Program`] where the account has no slot left.
    pub fn withdraw(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        destination: Address,
        amount: u64,
    ) -> Result<Instruction, Error> {
        let address = address::bank(&self.exchange.address, mint);
        let bank = self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?;
        let market = (bank.is_quote == 0).then_some(&bank.market);
        let pack = Pack::withdrawing(&account.data, &address, market)?;
        let withdraw = account::Withdraw {
            owner: account.data.owner,
            exchange: self.exchange.address,
            account: account.address,
            mint: *mint,
            token_program: bank.token_program,
            destination,
            amount,
            remaining: pack.metas(&self.price_addresses()),
        };
        Ok(withdraw.instruction())
    }

    /// `deposit` of `amount` native units of `mint`, of which the mint may keep a fee, from `source`, which `authority` owns.
    ///
    /// # Errors
    /// [`Error::Missing`] where the mint has no bank in the snapshot.
    pub fn deposit(
        &self,
        authority: Address,
        account: &Address,
        mint: &Address,
        source: Address,
        amount: u64,
    ) -> Result<Instruction, Error> {
        let address = address::bank(&self.exchange.address, mint);
        let bank = self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?;
        let deposit = account::Deposit {
            authority,
            exchange: self.exchange.address,
            account: *account,
            mint: *mint,
            token_program: bank.token_program,
            source,
            amount,
        };
        Ok(deposit.instruction())
    }

    /// `open_position` in `market`, signed by `authority`.
    ///
    /// # Errors
    /// [`Error::Missing`] where no price account of the market is in the snapshot.
    pub fn open_position(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        market: &Address,
        args: OpenPositionArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.trade_accounts(authority, account, market)?;
        Ok(trade::Open { accounts, args }.instruction())
    }

    /// `close_position` in `market`, signed by `authority`.
    ///
    /// # Errors
    /// [`Error::Missing`] where no price account of the market is in the snapshot.
    pub fn close_position(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        market: &Address,
        args: ClosePositionArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.trade_accounts(authority, account, market)?;
        Ok(trade::Close { accounts, args }.instruction())
    }

    /// `swap` of `mint`, signed by `authority`.
    ///
    /// # Errors
    /// [`Error::Missing`] for a mint without a bank, or where no price account of its market is in the snapshot.
    pub fn swap(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        args: SwapArgs,
    ) -> Result<Instruction, Error> {
        let address = address::bank(&self.exchange.address, mint);
        let market = self.banks.get(&address).ok_or(Error::Missing { what: "bank", address })?.market;
        let oracle = self.price_of(&market)?;
        let quote_bank = &self.exchange.data.quote_bank;
        let swap = collateral::Swap {
            authority,
            exchange: self.exchange.address,
            account: account.address,
            quote_mint: self.exchange.data.quote_mint,
            mint: *mint,
            market,
            oracle,
            args,
            remaining: Pack::swapping(&account.data, quote_bank, &address, &market, &oracle)
                .metas(&self.price_addresses()),
        };
        Ok(swap.instruction())
    }

    /// `open_lien` of `amount` that `program` has locked in `record`, of `mint`.
    pub fn open_lien(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        program: Address,
        record: Address,
        amount: u64,
    ) -> Instruction {
        lien::Open { accounts: self.lien_accounts(account, mint, program, record), amount }.instruction()
    }

    /// `update_lien` of what `program` has locked in `record`, of `mint`.
    pub fn update_lien(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        program: Address,
        record: Address,
    ) -> Instruction {
        let accounts = self.lien_accounts(account, mint, program, record);
        let remaining = if account.data.liquidation_started_at == 0 {
            Vec::new()
        } else {
            Pack::seizing(&account.data, &accounts.bank).metas(&self.price_addresses())
        };
        lien::Update { accounts, remaining }.instruction()
    }

    /// `release_lien` of `amount` ([`u64::MAX`] for all) of what `program` has locked in `record`, of `mint`; its program
    /// wants `for_adapter` besides.
    pub fn release_lien(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        program: Address,
        record: Address,
        amount: u64,
        for_adapter: Vec<AccountMeta>,
    ) -> Instruction {
        let accounts = self.lien_accounts(account, mint, program, record);
        let remaining = Pack::seizing(&account.data, &accounts.bank).metas(&self.price_addresses());
        lien::Release { accounts, amount, remaining, for_adapter }.instruction()
    }

    /// `seize_lien` of what `program` has locked in `record`, of `mint`; its program wants `for_adapter` besides.
    pub fn seize_lien(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        program: Address,
        record: Address,
        for_adapter: Vec<AccountMeta>,
    ) -> Instruction {
        let accounts = self.lien_accounts(account, mint, program, record);
        let remaining = Pack::seizing(&account.data, &accounts.bank).metas(&self.price_addresses());
        let token_program = self.banks.get(&accounts.bank).map_or(TOKEN_PROGRAM, |bank| bank.token_program);
        lien::Seize { accounts, token_program, remaining, for_adapter }.instruction()
    }

    fn lien_accounts(
        &self,
        account: &Keyed<MarginAccount>,
        mint: &Address,
        program: Address,
        record: Address,
    ) -> lien::LienAccounts {
        lien::LienAccounts {
            owner: account.data.owner,
            exchange: self.exchange.address,
            account: account.address,
            bank: address::bank(&self.exchange.address, mint),
            program,
            record,
        }
    }

    /// `open_option` on `board`, signed by `authority`.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board, or a price account of its market, is not in the snapshot.
    pub fn open_option(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        board: &Address,
        args: OpenOptionArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.option_accounts(authority, account, board)?;
        Ok(option::Open { accounts, args }.instruction())
    }

    /// `close_option` on `board`, signed by `authority`.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board, or a price account of its market, is not in the snapshot.
    pub fn close_option(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        board: &Address,
        args: CloseOptionArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.option_accounts(authority, account, board)?;
        Ok(option::Close { accounts, args }.instruction())
    }

    /// `settle_option` of an account's options of a settled `board`.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board is not in the snapshot.
    pub fn settle_option(&self, account: &Address, board: &Address) -> Result<Instruction, Error> {
        let market = self.board_of(board)?.market;
        let exchange = self.exchange.address;
        Ok(option::Settle { exchange, account: *account, market, board: *board }.instruction())
    }

    /// `execute_trigger`: the stored order number `index` of `account`, by `authority`, the tip to the margin account
    /// `executor`.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no such order, or no price account of its market in the snapshot.
    pub fn execute_trigger(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        index: u8,
        executor: Option<Address>,
    ) -> Result<Instruction, Error> {
        let missing = Error::Missing { what: "stored order of that number", address: account.address };
        let trigger = account.data.triggers.get(usize::from(index)).filter(|slot| slot.side != 0).ok_or(missing)?;
        let accounts = self.trade_accounts(authority, account, &trigger.market)?;
        let execute = trigger::Execute {
            authority,
            exchange: accounts.exchange,
            account: accounts.account,
            market: accounts.market,
            oracle: accounts.oracle,
            executor,
            index,
            remaining: accounts.remaining,
        };
        Ok(execute.instruction())
    }

    /// What a fill between two accounts declares and what stands behind it.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board or bank, or a price account of its market, is not in the snapshot.
    pub fn fill_accounts(
        &self,
        buyer: &Keyed<MarginAccount>,
        seller: &Keyed<MarginAccount>,
        traded: impl Into<venue::Traded>,
    ) -> Result<venue::FillAccounts, Error> {
        let (exchange, quote_bank) = (self.exchange.address, self.exchange.data.quote_bank);
        let (market, kept_in) = match traded.into() {
            venue::Traded::Perpetual(market) => (market, vec![]),
            venue::Traded::Option(board) => (self.board_of(&board)?.market, vec![board]),
            venue::Traded::Spot(bank) => {
                let missing = Error::Missing { what: "bank", address: bank };
                let market = self.banks.get(&bank).ok_or(missing)?.market;
                (market, vec![bank, quote_bank, address::house(&exchange)])
            }
        };
        let oracle = self.price_of(&market)?;
        let mut pack = Pack::filling(&buyer.data, &seller.data, &market, &oracle);
        for address in &kept_in {
            pack = pack.without(address);
        }
        let mut remaining: Vec<_> = kept_in.iter().map(|address| AccountMeta::new(*address, false)).collect();
        remaining.extend(pack.metas(&self.price_addresses()));
        Ok(venue::FillAccounts { exchange, buyer: buyer.address, seller: seller.address, market, oracle, remaining })
    }

    /// `fill` of two accounts that trade with each other, signed by `authorities`: the buyer's, then the seller's.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board or bank, or a price account of its market, is not in the snapshot.
    pub fn fill(
        &self,
        authorities: [Address; 2],
        buyer: &Keyed<MarginAccount>,
        seller: &Keyed<MarginAccount>,
        traded: impl Into<venue::Traded>,
        args: FillArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.fill_accounts(buyer, seller, traded)?;
        let [buyer_authority, seller_authority] = authorities;
        Ok(venue::Fill { buyer_authority, seller_authority, accounts, args }.instruction())
    }

    /// `fill_orders` of a resting order of `maker` against `taker`, whose side is a signed order too where `taker_signed`.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board or bank, or a price account of its market, is not in the snapshot.
    pub fn fill_orders(
        &self,
        submitter: Address,
        maker: &Keyed<MarginAccount>,
        taker: &Keyed<MarginAccount>,
        taker_signed: bool,
        traded: impl Into<venue::Traded>,
        args: FillOrdersArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.fill_accounts(maker, taker, traded)?;
        let fill = venue::FillOrders {
            submitter,
            exchange: accounts.exchange,
            maker: maker.address,
            taker: taker.address,
            taker_signed,
            market: accounts.market,
            oracle: accounts.oracle,
            args,
            remaining: accounts.remaining,
        };
        Ok(fill.instruction())
    }

    /// `venue_fill` as the venue's program `program` calls it.
    ///
    /// # Errors
    /// [`Error::Missing`] where the board or bank, or a price account of its market, is not in the snapshot.
    pub fn venue_fill(
        &self,
        program: Address,
        buyer: &Keyed<MarginAccount>,
        seller: &Keyed<MarginAccount>,
        traded: impl Into<venue::Traded>,
        args: FillArgs,
    ) -> Result<Instruction, Error> {
        let accounts = self.fill_accounts(buyer, seller, traded)?;
        Ok(venue::VenueFill { program, accounts, args }.instruction())
    }

    /// `settle` of an account's cash in `market`, at the price account in the snapshot or else the stored observation.
    pub fn settle(&self, account: &Address, market: &Address) -> Instruction {
        let settle = trade::Settle {
            exchange: self.exchange.address,
            account: *account,
            market: *market,
            quote_mint: self.exchange.data.quote_mint,
            oracle: self.prices.get(market).map(|price| price.address),
        };
        settle.instruction()
    }

    /// `observe` of a market.
    ///
    /// # Errors
    /// [`Error::Missing`] where no price account of the market is in the snapshot.
    pub fn observe(&self, market: &Address) -> Result<Instruction, Error> {
        let oracle = self.price_of(market)?;
        Ok(market::Observe { market: *market, oracle }.instruction())
    }

    /// `flag_liquidation` of an account.
    pub fn flag_liquidation(&self, account: &Keyed<MarginAccount>) -> Instruction {
        let flag = liquidate::Flag {
            exchange: self.exchange.address,
            account: account.address,
            remaining: Pack::of(&account.data).metas(&self.price_addresses()),
        };
        flag.instruction()
    }

    /// `assert_health`: fails unless the account's health is at least as asserted.
    pub fn assert_health(&self, account: &Keyed<MarginAccount>, args: AssertHealthArgs) -> Instruction {
        let assert = controls::AssertHealth {
            exchange: self.exchange.address,
            account: account.address,
            args,
            remaining: Pack::of(&account.data).metas(&self.price_addresses()),
        };
        assert.instruction()
    }

    /// `liquidate`: `taker`, signed for by `authority`, takes over a part of `account`.
    pub fn liquidate(
        &self,
        authority: Address,
        taker: &Keyed<MarginAccount>,
        account: &Keyed<MarginAccount>,
        args: LiquidateArgs,
    ) -> Instruction {
        let quote_bank = &self.exchange.data.quote_bank;
        let pack = Pack::liquidating(&account.data, &taker.data, quote_bank);
        let liquidation = liquidate::Liquidate {
            authority,
            exchange: self.exchange.address,
            taker: taker.address,
            account: account.address,
            quote_mint: self.exchange.data.quote_mint,
            args,
            remaining: pack.metas(&self.price_addresses()),
        };
        liquidation.instruction()
    }

    /// `resolve` of an account without equity: the next step.
    pub fn resolve(&self, account: &Keyed<MarginAccount>) -> Instruction {
        let pack = Pack::resolving(&account.data, &self.exchange.data.quote_bank);
        let resolve = waterfall::Resolve {
            exchange: self.exchange.address,
            account: account.address,
            quote_mint: self.exchange.data.quote_mint,
            remaining: pack.metas(&self.price_addresses()),
        };
        resolve.instruction()
    }

    /// `deleverage` of an account without equity against `counterparty` in `market`. The counterparty must have gained more
    /// per base unit than each of `candidates`.
    ///
    /// # Errors
    /// [`Error::Missing`] where no price account of the market is in the snapshot.
    pub fn deleverage(
        &self,
        account: &Keyed<MarginAccount>,
        counterparty: &Keyed<MarginAccount>,
        market: &Address,
        args: DeleverageArgs,
        candidates: &[Address],
    ) -> Result<Instruction, Error> {
        let oracle = self.price_of(market)?;
        let quote_bank = &self.exchange.data.quote_bank;
        let pack = Pack::deleveraging(&account.data, &counterparty.data, market, &oracle, quote_bank, candidates);
        let deleverage = waterfall::Deleverage {
            exchange: self.exchange.address,
            account: account.address,
            counterparty: counterparty.address,
            market: *market,
            quote_mint: self.exchange.data.quote_mint,
            oracle,
            args,
            remaining: pack.metas(&self.price_addresses()),
        };
        Ok(deleverage.instruction())
    }

    /// `begin_liquidation` and `end_liquidation` around what `taker`, signed for by `authority`, does with `account`.
    pub fn without_capital(
        &self,
        authority: Address,
        taker: &Keyed<MarginAccount>,
        account: &Keyed<MarginAccount>,
    ) -> (Instruction, Instruction) {
        let exchange = self.exchange.address;
        let begin = waterfall::Begin { authority, exchange, taker: taker.address };
        let mut pack = Pack::ending(&account.data, &taker.data);
        pack.add_bank(self.exchange.data.quote_bank);
        let remaining = pack.metas(&self.price_addresses());
        let end = waterfall::End { authority, exchange, taker: taker.address, remaining };
        (begin.instruction(), end.instruction())
    }

    /// `value_house` over all markets.
    pub fn value_house(&self) -> Instruction {
        self.value_house_part(0..u16::MAX)
    }

    /// `value_house` over the markets whose indexes are in `range`, where all together are too many for one transaction.
    pub fn value_house_part(&self, range: core::ops::Range<u16>) -> Instruction {
        let house = address::house(&self.exchange.address);
        let markets: BTreeMap<u16, Address> =
            self.markets.iter().map(|(address, market)| (market.index, *address)).collect();
        let mut remaining = Vec::new();
        for (_, market) in markets.range(range) {
            remaining.push(AccountMeta::new(*market, false));
            // The house is the price account of its own shares' market, and declared.
            let price = self.prices.get(market).map(|price| price.address).filter(|price| *price != house);
            remaining.extend(price.map(|price| AccountMeta::new_readonly(price, false)));
            let banks = self.banks.iter().filter(|(_, bank)| bank.market == *market && bank.inventory_shares != 0);
            let banks: BTreeMap<u16, Address> = banks.map(|(address, bank)| (bank.index, *address)).collect();
            remaining.extend(banks.into_values().map(|bank| AccountMeta::new(bank, false)));
        }
        let (exchange, quote_mint) = (self.exchange.address, self.exchange.data.quote_mint);
        house::Value { exchange, quote_mint, remaining }.instruction()
    }

    /// A ticket of `owner`'s.
    pub fn ticket(&self, owner: Address, index: u16) -> house::Ticket {
        let (exchange, quote_mint) = (self.exchange.address, self.exchange.data.quote_mint);
        let bank = self.banks.get(&self.exchange.data.quote_bank);
        let token_program = bank.map_or(TOKEN_PROGRAM, |bank| bank.token_program);
        house::Ticket { owner, exchange, quote_mint, token_program, index }
    }

    /// `create_market`: the exchange's next.
    pub fn create_market(&self, args: CreateMarketArgs) -> Instruction {
        let create = market::Create {
            admin: self.exchange.data.admin,
            exchange: self.exchange.address,
            index: self.exchange.data.market_count,
            args,
        };
        create.instruction()
    }

    /// `configure_market`.
    pub fn configure_market(&self, market: &Address, config: MarketConfig) -> Instruction {
        let configure = market::Configure {
            admin: self.exchange.data.admin,
            exchange: self.exchange.address,
            market: *market,
            config,
        };
        configure.instruction()
    }

    /// Addresses of the price accounts in the snapshot, by market.
    pub fn price_addresses(&self) -> PriceAddresses {
        self.prices.iter().map(|(market, price)| (*market, price.address)).collect()
    }

    fn price_of(&self, market: &Address) -> Result<Address, Error> {
        let missing = Error::Missing { what: "price account in the snapshot for the market", address: *market };
        self.prices.get(market).map(|price| price.address).ok_or(missing)
    }

    fn board_of(&self, board: &Address) -> Result<&Board, Error> {
        self.boards.get(board).ok_or(Error::Missing { what: "board in the snapshot", address: *board })
    }

    fn option_accounts(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        board: &Address,
    ) -> Result<option::OptionAccounts, Error> {
        let market = self.board_of(board)?.market;
        let oracle = self.price_of(&market)?;
        let pack = Pack::trading(&account.data, &market, &oracle).without(board);
        Ok(option::OptionAccounts {
            authority,
            exchange: self.exchange.address,
            account: account.address,
            market,
            board: *board,
            oracle,
            remaining: pack.metas(&self.price_addresses()),
        })
    }

    fn trade_accounts(
        &self,
        authority: Address,
        account: &Keyed<MarginAccount>,
        market: &Address,
    ) -> Result<trade::TradeAccounts, Error> {
        let oracle = self.price_of(market)?;
        Ok(trade::TradeAccounts {
            authority,
            exchange: self.exchange.address,
            account: account.address,
            market: *market,
            oracle,
            remaining: Pack::trading(&account.data, market, &oracle).metas(&self.price_addresses()),
        })
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use plimsoll_interface::accounts::NO_MARKET;
    use plimsoll_risk::units::Index;

    use super::*;
    use crate::price::PriceUpdate;

    const NOW: i64 = 1_700_000_000;
    /// 150 USD with 9 decimals, Q16.48.
    const SOL_AT_150: u64 = ((15u128 << 48) / 100) as u64;

    struct Example {
        snapshot: Snapshot,
        sol: Address,
        sol_mint: Address,
        account: Keyed<MarginAccount>,
    }

    /// An exchange with a quote bank and SOL, and an account with 10 SOL and a short of 10 SOL.
    fn example() -> Example {
        let [exchange, sol, sol_mint, quote_mint] = std::array::from_fn(|_| Address::new_unique());
        let mut root = Exchange { quote_mint, quote_bank: address::bank(&exchange, &quote_mint), ..Exchange::zeroed() };
        root.config.maintenance_ratio_ppm = 500_000;
        let mut market = Market {
            spot: SOL_AT_150,
            ema: SOL_AT_150,
            publish_time: NOW,
            base_decimals: 9,
            exchange,
            ..Market::zeroed()
        };
        (market.range_ppm, market.range_maint_ppm) = (200_000, 200_000);
        market.config.max_age_seconds = 60;
        market.config.dead_age_seconds = 600;
        let one = Index::ONE.raw();
        let quote = Bank { deposit_index: one, borrow_index: one, is_quote: 1, decimals: 6, ..Bank::zeroed() };
        let bank = Bank { deposit_index: one, borrow_index: one, market: sol, decimals: 9, ..Bank::zeroed() };
        let sol_bank = address::bank(&exchange, &sol_mint);
        let mut account = MarginAccount { exchange, owner: Address::new_unique(), ..MarginAccount::zeroed() };
        let balance = account.balance_slot_or_new(&sol_bank, Some(&sol)).unwrap();
        account.balances[balance].shares = 10_000_000_000;
        account.markets[0].size = -10_000_000_000;
        account.markets[0].cash = 1_500_000_000;
        let snapshot = Snapshot {
            banks: [(root.quote_bank, quote), (sol_bank, bank)].into(),
            markets: [(sol, market)].into(),
            boards: BTreeMap::new(),
            prices: BTreeMap::new(),
            exchange: Keyed { address: exchange, data: root },
            house: None,
            now: NOW,
        };
        let account = Keyed { address: Address::new_unique(), data: account };
        Example { snapshot, sol, sol_mint, account }
    }

    #[test]
    fn a_hedge_is_free_and_its_parts_are_not() {
        let Example { snapshot, account, .. } = example();
        let margin = snapshot.margin(&account.data).unwrap();
        assert_eq!(margin.equity_init.raw(), 1_500_000_000);
        assert_eq!(margin.requirement_init.raw(), 0);
        assert_eq!(snapshot.report(&account.data).unwrap().margin, margin);
        // Each leg alone: 20 % of 1,500 USD, rounded up to 1e-6 USD.
        let (init, maint) = snapshot.requirement_alone(&account.data).unwrap();
        assert!((600_000_000..=600_000_004).contains(&init), "{init}");
        assert!((300_000_000..=300_000_004).contains(&maint), "{maint}");
        let alone = snapshot.standalone(&account.data).unwrap();
        assert_eq!(alone.saving_init, alone.requirement_init, "the whole requires nothing");
    }

    #[test]
    fn a_price_account_counts_unless_it_is_older_than_what_is_stored() {
        let Example { mut snapshot, sol, .. } = example();
        let owner = snapshot.markets[&sol].oracle_owner;
        let update = PriceUpdate {
            feed_id: [0; 32],
            price: 30_000,
            confidence: 1,
            ema_price: 30_000,
            exponent: -2,
            publish_time: NOW - 1,
        };
        let account =
            |update: PriceUpdate| PriceAccount { address: Address::new_unique(), owner, data: update.encode() };
        snapshot.prices.insert(sol, account(update));
        assert_eq!(snapshot.market(&sol).unwrap().1.spot.raw(), SOL_AT_150);
        snapshot.prices.insert(sol, account(PriceUpdate { publish_time: NOW, ..update }));
        assert!(snapshot.market(&sol).unwrap().1.spot.raw() > SOL_AT_150);
        snapshot.prices.insert(sol, account(PriceUpdate { feed_id: [1; 32], ..update }));
        assert_eq!(snapshot.market(&sol).err(), Some(PlimsollError::OracleWrongFeed));
    }

    #[test]
    fn the_house_wants_markets_by_index() {
        let Example { mut snapshot, sol, .. } = example();
        let later: Vec<Address> = (1..6).map(|_| Address::new_unique()).collect();
        for (index, address) in later.iter().rev().enumerate() {
            snapshot.markets.insert(*address, Market { index: 5 - index as u16, ..Market::zeroed() });
        }
        let metas = snapshot.value_house().accounts;
        assert!(metas[3..].iter().all(|meta| meta.is_writable));
        let passed: Vec<Address> = metas[3..].iter().map(|meta| meta.pubkey).collect();
        let part: Vec<Address> = snapshot.value_house_part(2..4).accounts[3..].iter().map(|meta| meta.pubkey).collect();
        assert_eq!(part, later[1..3]);
        assert_eq!(passed, [vec![sol], later].concat());
    }

    #[test]
    fn interest_accrues_as_on_chain() {
        let Example { mut snapshot, .. } = example();
        let bank = snapshot.banks.values_mut().next().unwrap();
        (bank.deposit_shares, bank.borrow_shares, bank.accrued_at) = (1_000_000, 500_000, NOW - 31_536_000);
        (bank.config.optimal_utilisation_ppm, bank.config.optimal_rate_ppm) = (500_000, 100_000);
        bank.config.max_rate_ppm = 100_000;
        let address = *snapshot.banks.keys().next().unwrap();
        snapshot.accrue().unwrap();
        let bank = &snapshot.banks[&address];
        // A year at 10 % on half of the deposits.
        assert_eq!(bank.borrow_index().raw(), (Index::ONE.raw() * 11).div_ceil(10));
        assert_eq!(bank.accrued_at, NOW);
        snapshot.now -= 1;
        assert_eq!(snapshot.accrue(), Err(Error::Program(PlimsollError::ClockWentBack)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let Example { mut snapshot, sol, sol_mint, account } = example();
        let nowhere = Address::new_unique();
        let address = address::bank(&snapshot.exchange.address, &nowhere);
        let refused = snapshot.withdraw(&account, &nowhere, Address::new_unique(), 1);
        assert_eq!(refused, Err(Error::Missing { what: "bank", address }));
        let refused = snapshot.observe(&sol).unwrap_err().to_string();
        assert_eq!(refused, format!("there is no price account in the snapshot for the market at {sol}"));
        let bank = address::bank(&snapshot.exchange.address, &sol_mint);
        snapshot.banks.remove(&bank);
        assert_eq!(snapshot.margin(&account.data), Err(Error::Program(PlimsollError::MissingBank)));
    }

    #[test]
    fn the_quote_needs_no_market() {
        let Example { snapshot, account, .. } = example();
        let quote_mint = snapshot.exchange.data.quote_mint;
        let withdrawal = snapshot.withdraw(&account, &quote_mint, Address::new_unique(), 1).unwrap();
        // The eight declared accounts, SOL's market and SOL's bank.
        assert_eq!(withdrawal.accounts.len(), 10);
        let mut slots = account.data;
        let index = slots.balance_slot_or_new(&snapshot.exchange.data.quote_bank, None).unwrap();
        assert_eq!(slots.balances[index].market_slot, NO_MARKET);
    }
}
