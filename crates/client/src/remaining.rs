//! Packs the accounts that stand behind an instruction's declared ones: the markets in slot order, each followed by its
//! price account where one is given, then the banks and then the boards in slot order; nothing twice and nothing that is declared already.
//!
//! Any order is right for the program; slot order is the cheapest, as each account is then found at the first look.

use std::collections::BTreeMap;

use plimsoll_interface::{Address, PlimsollError, accounts::MarginAccount};
use solana_instruction::AccountMeta;

/// Addresses of price accounts, by market.
pub type PriceAddresses = BTreeMap<Address, Address>;

/// What stands behind the declared accounts of one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pack {
    markets: Vec<Address>,
    banks: Vec<Address>,
    boards: Vec<Address>,
    candidates: Vec<Address>,
    declared: Vec<Address>,
    writable: bool,
}

impl Pack {
    /// Every market, bank and board that an account uses: for `flag_liquidation`.
    pub fn of(account: &MarginAccount) -> Self {
        let mut pack = Self::default();
        pack.add(account);
        pack
    }

    /// For `withdraw` from `bank`, which `market` prices (`None` for the quote). The bank may be one that the account
    /// has no balance in yet: it is then borrowed from.
    ///
    /// # Errors
    /// [`PlimsollError::TooManyBalances`], [`PlimsollError::TooManyMarkets`], as the program would answer.
    pub fn withdrawing(
        account: &MarginAccount,
        bank: &Address,
        market: Option<&Address>,
    ) -> Result<Self, PlimsollError> {
        let mut after = *account;
        after.balance_slot_or_new(bank, market)?;
        Ok(Self::of(&after).without(bank))
    }

    /// For `open_position` and `close_position` in `market`, whose price account is `oracle`; for `open_option` and
    /// `close_option` without the board besides.
    pub fn trading(account: &MarginAccount, market: &Address, oracle: &Address) -> Self {
        Self::of(account).without(market).without(oracle)
    }

    /// For `swap` of `bank`, which `market` prices by `oracle`, against the quote bank.
    pub fn swapping(
        account: &MarginAccount,
        quote_bank: &Address,
        bank: &Address,
        market: &Address,
        oracle: &Address,
    ) -> Self {
        Self::of(account).without(quote_bank).without(bank).without(market).without(oracle)
    }

    /// For `update_lien`, `release_lien` and `seize_lien` of tokens of `bank`.
    pub fn seizing(account: &MarginAccount, bank: &Address) -> Self {
        Self::of(account).without(bank)
    }

    /// For `fill`, `fill_orders` and `venue_fill` in `market`, whose price account is `oracle`: what either account uses.
    pub fn filling(buyer: &MarginAccount, seller: &MarginAccount, market: &Address, oracle: &Address) -> Self {
        let mut pack = Self::of(buyer);
        pack.add(seller);
        pack.without(market).without(oracle)
    }

    /// For `liquidate`: both accounts' markets, banks and boards, writable, without the quote bank, which is declared.
    pub fn liquidating(account: &MarginAccount, taker: &MarginAccount, quote_bank: &Address) -> Self {
        let mut pack = Self { writable: true, ..Self::of(account) };
        pack.add(taker);
        pack.without(quote_bank)
    }

    /// For `resolve`: the account's markets and banks, without the quote bank, which is declared.
    pub fn resolving(account: &MarginAccount, quote_bank: &Address) -> Self {
        Self::of(account).without(quote_bank)
    }

    /// For `deleverage` in `market`, whose price account is `oracle`: both accounts' markets and banks, and behind them the
    /// margin accounts that the counterparty is compared with.
    pub fn deleveraging(
        account: &MarginAccount,
        counterparty: &MarginAccount,
        market: &Address,
        oracle: &Address,
        quote_bank: &Address,
        candidates: &[Address],
    ) -> Self {
        let mut pack = Self::of(account);
        pack.add(counterparty);
        let mut pack = pack.without(market).without(oracle).without(quote_bank);
        for candidate in candidates {
            push(&mut pack.candidates, *candidate);
        }
        pack
    }

    /// For `end_liquidation`: what an account will use that takes over another.
    pub fn ending(account: &MarginAccount, taker: &MarginAccount) -> Self {
        let mut pack = Self::of(account);
        pack.add(taker);
        pack
    }

    /// The same without an account that the instruction declares.
    #[must_use]
    pub fn without(mut self, address: &Address) -> Self {
        self.markets.retain(|market| market != address);
        self.banks.retain(|bank| bank != address);
        self.boards.retain(|board| board != address);
        self.declared.push(*address);
        self
    }

    /// The accounts, each market followed by its price account where `prices` has one.
    pub fn metas(&self, prices: &PriceAddresses) -> Vec<AccountMeta> {
        let own = |address| AccountMeta { pubkey: address, is_signer: false, is_writable: self.writable };
        let mut metas: Vec<AccountMeta> =
            Vec::with_capacity(2 * self.markets.len() + self.banks.len() + self.boards.len());
        for market in &self.markets {
            metas.push(own(*market));
            if let Some(price) = prices.get(market)
                && !self.declared.contains(price)
                && metas.iter().all(|meta| meta.pubkey != *price)
            {
                metas.push(AccountMeta::new_readonly(*price, false));
            }
        }
        metas.extend(self.banks.iter().chain(&self.boards).copied().map(own));
        metas.extend(self.candidates.iter().map(|address| AccountMeta::new_readonly(*address, false)));
        metas
    }

    /// Adds a bank that an account will use.
    pub fn add_bank(&mut self, bank: Address) {
        push(&mut self.banks, bank);
    }

    fn add(&mut self, account: &MarginAccount) {
        for slot in account.markets.iter().filter(|slot| slot.in_use == 1) {
            push(&mut self.markets, slot.market);
        }
        for slot in account.balances.iter().filter(|slot| slot.in_use == 1) {
            push(&mut self.banks, slot.bank);
        }
        for slot in account.boards.iter().filter(|slot| slot.in_use == 1) {
            push(&mut self.boards, slot.board);
        }
    }
}

fn push(list: &mut Vec<Address>, address: Address) {
    if !list.contains(&address) {
        list.push(address);
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    struct Example {
        account: MarginAccount,
        quote_bank: Address,
        sol: Address,
        sol_bank: Address,
        btc: Address,
    }

    /// A quote balance, a SOL balance, a position in BTC.
    fn example() -> Example {
        let [quote_bank, sol, sol_bank, btc] = std::array::from_fn(|_| Address::new_unique());
        let mut account = MarginAccount::zeroed();
        account.balance_slot_or_new(&quote_bank, None).unwrap();
        account.balance_slot_or_new(&sol_bank, Some(&sol)).unwrap();
        let slot = account.market_slot_or_new(&btc).unwrap();
        account.markets[slot].size = 5;
        Example { account, quote_bank, sol, sol_bank, btc }
    }

    fn addresses(metas: &[AccountMeta]) -> Vec<Address> {
        metas.iter().map(|meta| meta.pubkey).collect()
    }

    #[test]
    fn markets_come_first_each_with_its_price_account() {
        let Example { account, quote_bank, sol, sol_bank, btc } = example();
        let price = Address::new_unique();
        let metas = Pack::of(&account).metas(&PriceAddresses::from([(sol, price)]));
        assert_eq!(addresses(&metas), [sol, price, btc, quote_bank, sol_bank]);
        assert!(metas.iter().all(|meta| !meta.is_writable && !meta.is_signer));
    }

    #[test]
    fn what_is_declared_is_left_out() {
        let Example { account, quote_bank, sol, sol_bank, btc } = example();
        let oracle = Address::new_unique();
        let shared = PriceAddresses::from([(sol, oracle), (btc, oracle)]);
        let trade = Pack::trading(&account, &btc, &oracle).metas(&shared);
        assert_eq!(addresses(&trade), [sol, quote_bank, sol_bank]);
        let withdrawal = Pack::withdrawing(&account, &sol_bank, Some(&sol)).unwrap().metas(&PriceAddresses::new());
        assert_eq!(addresses(&withdrawal), [sol, btc, quote_bank]);
    }

    #[test]
    fn a_bank_that_is_borrowed_from_brings_its_market() {
        let Example { account, quote_bank, sol, sol_bank, btc } = example();
        let (eth, eth_bank) = (Address::new_unique(), Address::new_unique());
        let pack = Pack::withdrawing(&account, &eth_bank, Some(&eth)).unwrap();
        assert_eq!(addresses(&pack.metas(&PriceAddresses::new())), [sol, btc, eth, quote_bank, sol_bank]);
    }

    #[test]
    fn liquidation_takes_the_union_writable_and_prices_read_only() {
        let Example { account, quote_bank, sol, sol_bank, btc } = example();
        let mut taker = MarginAccount::zeroed();
        let (eth, price) = (Address::new_unique(), Address::new_unique());
        taker.balance_slot_or_new(&quote_bank, None).unwrap();
        taker.market_slot_or_new(&eth).unwrap();
        taker.market_slot_or_new(&btc).unwrap();
        let metas = Pack::liquidating(&account, &taker, &quote_bank).metas(&PriceAddresses::from([(eth, price)]));
        assert_eq!(addresses(&metas), [sol, btc, eth, price, sol_bank]);
        assert!(metas.iter().all(|meta| meta.is_writable == (meta.pubkey != price)));
    }

    #[test]
    fn boards_come_last_and_once() {
        let Example { mut account, quote_bank, sol, sol_bank, btc } = example();
        let (board, other) = (Address::new_unique(), Address::new_unique());
        for board in [board, other] {
            let slot = account.board_slot_or_new(&board, &btc).unwrap();
            account.set_option(slot, 3, 1).unwrap();
        }
        let metas = Pack::liquidating(&account, &account, &quote_bank).metas(&PriceAddresses::new());
        assert_eq!(addresses(&metas), [sol, btc, sol_bank, board, other]);
        let oracle = Address::new_unique();
        let trade = Pack::trading(&account, &btc, &oracle).without(&board).metas(&PriceAddresses::new());
        assert_eq!(addresses(&trade), [sol, quote_bank, sol_bank, other]);
    }

    #[test]
    fn a_full_account_is_refused_as_the_program_would() {
        let mut account = MarginAccount::zeroed();
        for _ in 0..plimsoll_interface::accounts::MAX_BALANCES {
            account.balance_slot_or_new(&Address::new_unique(), None).unwrap();
        }
        let refused = Pack::withdrawing(&account, &Address::new_unique(), None);
        assert_eq!(refused, Err(PlimsollError::TooManyBalances));
    }
}
