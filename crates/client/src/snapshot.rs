//! An exchange as seen at one moment, and what follows from it: margins, reports, ready-packed instructions.

use std::collections::BTreeMap;

use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Bank, Exchange, House, MarginAccount, Market},
    address,
    bridge::{self, Inputs},
    config::MarketConfig,
    instruction::{ClosePositionArgs, CreateMarketArgs, LiquidateArgs, OpenPositionArgs, SwapArgs},
};
use plimsoll_risk::{
    interest,
    portfolio::{self, Margin, Portfolio, Report, RiskParameters, Standalone},
    price::Observation,
    units::Timestamp,
};
use solana_instruction::Instruction;

use crate::{
    Error, Keyed,
    instruction::{account, collateral, house, liquidation, market, trade},
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
    /// Price accounts by market, for those markets that are to be priced by them.
    pub prices: BTreeMap<Address, PriceAccount>,
    /// The chain's clock, unix seconds.
    pub now: i64,
}

impl Inputs for Snapshot {
    type BankRef<'a> = &'a Bank;
    type MarketRef<'a> = &'a Market;

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
}

/// Margins.
impl Snapshot {
    /// The account as the engine sees it, exchange rates taken as they are, however old: as maintenance margin sees it.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn portfolio(&self, account: &MarginAccount) -> Result<Portfolio, Error> {
        let mut portfolio = Portfolio::new();
        bridge::portfolio(account, self, Timestamp::from_raw(self.now), &mut portfolio)?;
        Ok(portfolio)
    }

    /// Equity and requirement of an account, to the unit what the chain computes.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn margin(&self, account: &MarginAccount) -> Result<Margin, Error> {
        let risk = self.risk();
        let now = Timestamp::from_raw(self.now);
        let mut portfolio = Portfolio::new();
        let has_old_rate = bridge::portfolio(account, self, now, &mut portfolio)?;
        let margin = portfolio::margin(&portfolio, &[], &risk)?;
        if !has_old_rate {
            return Ok(margin);
        }
        let mut at_init = Portfolio::new();
        bridge::portfolio_at_init(account, self, now, &mut at_init)?;
        Ok(bridge::with_init_of(margin, &portfolio::margin(&at_init, &[], &risk)?))
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
        let health = self.margin(account)?.health_init().map_err(PlimsollError::from)?;
        let gain = bridge::unsettled_gain(account, self)?;
        health.raw().checked_sub(gain).ok_or(Error::Program(PlimsollError::Overflow))
    }

    /// Where the requirement comes from, by underlying and by risk group.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn report(&self, account: &MarginAccount) -> Result<Report, Error> {
        Ok(portfolio::report(&self.portfolio(account)?, &[], &self.risk())?)
    }

    /// What the account's balances and positions would require if each stood in an account of its own, and what netting
    /// saves against that: hedges inside an underlying included, which [`Report::saving_init`] does not count.
    ///
    /// # Errors
    /// [`Error::Program`] with what the chain would answer.
    pub fn standalone(&self, account: &MarginAccount) -> Result<Standalone, Error> {
        let whole = self.margin(account)?;
        let parts = parts(account).iter().map(|part| self.portfolio(part)).collect::<Result<Vec<_>, _>>()?;
        let parts = parts.iter().map(|part| (part, [].as_slice()));
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

/// Interest.
impl Snapshot {
    /// Brings every bank's interest up to [`Self::now`], as `accrue` does for one and `liquidate` for those it touches.
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
        Ok(())
    }
}

/// The account cut into accounts of one balance or one position each.
fn parts(account: &MarginAccount) -> Vec<MarginAccount> {
    let mut without_positions = *account;
    for slot in &mut without_positions.markets {
        slot.size = 0;
        slot.cash = 0;
    }
    let free = |index: usize, part: &mut MarginAccount| {
        for (other, slot) in part.balances.iter_mut().enumerate() {
            if other != index {
                *slot = bytemuck::Zeroable::zeroed();
            }
        }
    };
    let balances = (0..account.balances.len()).filter(|index| account.balances[*index].in_use == 1).map(|index| {
        let mut part = without_positions;
        free(index, &mut part);
        part
    });
    let positions = (0..account.markets.len()).filter(|index| account.markets[*index].size != 0).map(|index| {
        let mut part = without_positions;
        free(usize::MAX, &mut part);
        part.markets[index] = account.markets[index];
        part
    });
    balances.chain(positions).collect()
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
            destination,
            amount,
            remaining: pack.metas(&self.price_addresses()),
        };
        Ok(withdraw.instruction())
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
        let flag = liquidation::Flag {
            exchange: self.exchange.address,
            account: account.address,
            remaining: Pack::of(&account.data).metas(&self.price_addresses()),
        };
        flag.instruction()
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
        let liquidate = liquidation::Liquidate {
            authority,
            exchange: self.exchange.address,
            taker: taker.address,
            account: account.address,
            quote_mint: self.exchange.data.quote_mint,
            args,
            remaining: pack.metas(&self.price_addresses()),
        };
        liquidate.instruction()
    }

    /// `house_withdraw` of `amount` quote native to `destination`.
    pub fn house_withdraw(&self, destination: Address, amount: u64) -> Instruction {
        let withdraw = house::Withdraw {
            admin: self.exchange.data.admin,
            exchange: self.exchange.address,
            quote_mint: self.exchange.data.quote_mint,
            destination,
            amount,
            remaining: self.pack_markets().metas(&self.price_addresses()),
        };
        withdraw.instruction()
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
        let others = self.pack_markets().without(market);
        let configure = market::Configure {
            admin: self.exchange.data.admin,
            exchange: self.exchange.address,
            quote_bank: self.exchange.data.quote_bank,
            market: *market,
            config,
            remaining: others.metas(&self.price_addresses()),
        };
        configure.instruction()
    }

    /// Addresses of the price accounts in the snapshot, by market.
    pub fn price_addresses(&self) -> PriceAddresses {
        self.prices.iter().map(|(market, price)| (*market, price.address)).collect()
    }

    /// All markets, in the order of their indexes, as the house's net asset value wants them.
    fn pack_markets(&self) -> Pack {
        let mut markets: Vec<_> = self.markets.iter().map(|(address, market)| (market.index, *address)).collect();
        markets.sort_unstable();
        Pack::markets(markets.into_iter().map(|(_, address)| address))
    }

    fn price_of(&self, market: &Address) -> Result<Address, Error> {
        let missing = Error::Missing { what: "price account in the snapshot for the market", address: *market };
        self.prices.get(market).map(|price| price.address).ok_or(missing)
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
        let metas = snapshot.house_withdraw(Address::new_unique(), 1).accounts;
        let passed: Vec<Address> = metas[8..].iter().map(|meta| meta.pubkey).collect();
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
