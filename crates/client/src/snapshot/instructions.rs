//! Instructions, packed.

use std::collections::BTreeMap;

use plimsoll_interface::{
    Address,
    accounts::{Board, MarginAccount},
    address,
    config::MarketConfig,
    instruction::{
        AssertHealthArgs, CloseOptionArgs, ClosePositionArgs, CreateMarketArgs, DeleverageArgs, FillArgs,
        FillOrdersArgs, LiquidateArgs, OpenOptionArgs, OpenPositionArgs, SwapArgs,
    },
};
use solana_instruction::{AccountMeta, Instruction};

use super::Snapshot;
use crate::{
    Error, Keyed,
    instruction::{
        TOKEN_PROGRAM, account, collateral, controls, house, lien, liquidation as liquidate, market, option, trade,
        trigger, venue, waterfall,
    },
    remaining::{Pack, PriceAddresses},
};

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

    pub(super) fn price_of(&self, market: &Address) -> Result<Address, Error> {
        let missing = Error::Missing { what: "price account in the snapshot for the market", address: *market };
        self.prices.get(market).map(|price| price.address).ok_or(missing)
    }

    pub(super) fn board_of(&self, board: &Address) -> Result<&Board, Error> {
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
