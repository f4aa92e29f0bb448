//! What must hold of an exchange, computed from its accounts as they stand on the chain.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use plimsoll_client::{
    Address, Error, Keyed, Snapshot,
    accounts::{Bank, Board, House, MAX_SERIES, MarginAccount, Market},
    address,
    decode::symbol,
    interface::token::token_amount,
    risk::interest,
    rpc::Rpc,
};
use solana_program_pack::Pack;
use spl_token_interface::state::{Account as TokenAccount, Mint};

/// One thing that must hold.
pub struct Check {
    /// Number of the invariant, or what it is about.
    pub name: String,
    /// The rule.
    pub rule: String,
    /// The numbers.
    pub found: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Check {
    /// A check from its parts.
    pub fn new(name: &str, rule: impl Into<String>, found: impl Into<String>, holds: bool) -> Self {
        Self { name: name.into(), rule: rule.into(), found: found.into(), holds }
    }
}

/// Everything that the books of an exchange are checked by.
pub struct Books {
    snapshot: Snapshot,
    accounts: Vec<Keyed<MarginAccount>>,
    vaults: BTreeMap<Address, u64>,
    /// House shares that exist, and those in the house's escrow.
    shares: [u64; 2],
}

impl Books {
    /// Fetches every account of an exchange, which nobody may change meanwhile.
    ///
    /// # Errors
    /// What the chain answers; an account that is not there.
    pub fn fetch(rpc: &Rpc, exchange: &Address) -> Result<Self> {
        let snapshot = rpc.snapshot(exchange)?;
        let accounts = rpc.margin_accounts(exchange, None)?;
        let raw =
            |what: &str, address: &Address| rpc.raw(address)?.ok_or_else(|| anyhow!("the {what} {address} is gone"));
        let mut vaults = BTreeMap::new();
        for (address, bank) in &snapshot.banks {
            let tokens = token_amount(&raw("vault", &bank.vault)?.data);
            vaults.insert(*address, tokens.ok_or_else(|| anyhow!("{} is no token account", bank.vault))?);
        }
        let house = address::house(exchange);
        let minted = Mint::unpack(&raw("mint", &address::share_mint(&house))?.data)?.supply;
        let escrow = TokenAccount::unpack(&raw("escrow", &address::escrow(&house))?.data)?.amount;
        Ok(Self { snapshot, accounts, vaults, shares: [minted, escrow] })
    }

    /// INV-1 of every bank, INV-2, INV-3 and INV-12 of every market, INV-2 of every board, INV-13 of the house. `when`
    /// stands before each rule.
    ///
    /// # Errors
    /// Shares that are worth more than fits.
    pub fn checks(&self, when: &str) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        let mut banks: Vec<_> = self.snapshot.banks.iter().collect();
        banks.sort_unstable_by_key(|(_, bank)| bank.index);
        for (address, bank) in banks {
            checks.extend(self.bank(address, bank)?);
        }
        let mut markets: Vec<_> = self.snapshot.markets.iter().collect();
        markets.sort_unstable_by_key(|(_, market)| market.index);
        for (address, market) in markets {
            checks.extend(self.market(address, market));
        }
        checks.extend(self.snapshot.boards.iter().map(|(address, board)| self.board(address, board)));
        checks.extend(self.snapshot.house.as_ref().map(|house| self.house(house)).into_iter().flatten());
        for check in &mut checks {
            check.rule.insert_str(0, when);
        }
        Ok(checks)
    }

    fn bank(&self, address: &Address, bank: &Bank) -> Result<[Check; 3]> {
        let market = self.snapshot.markets.get(&bank.market);
        let name = market.map_or_else(|| "quote".into(), symbol);
        let tokens = self.vaults.get(address).copied().unwrap_or_default();
        let pending = if bank.is_quote == 1 { self.snapshot.house.map_or(0, |house| house.pending_quote) } else { 0 };
        let counted = bank.vault_amount.saturating_add(pending);
        let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).map_err(Error::from)?;
        let borrows = interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).map_err(Error::from)?;
        let assets = u128::from(bank.vault_amount) + u128::from(borrows);
        let claims = u128::from(deposits) + u128::from(bank.reserve);
        let (mut positive, mut negative) = (0i128, 0i128);
        for slot in self.accounts.iter().flat_map(|account| &account.data.balances) {
            if slot.in_use == 1 && slot.bank == *address {
                let side = if slot.shares > 0 { &mut positive } else { &mut negative };
                *side += i128::from(slot.shares.unsigned_abs());
            }
        }
        positive += i128::from(bank.inventory_shares);
        if bank.is_quote == 1 {
            positive += i128::from(self.snapshot.house.map_or(0, |house| house.quote_shares));
        }
        let shares = [i128::from(bank.deposit_shares), i128::from(bank.borrow_shares)];
        Ok([
            Check::new(
                "INV-1",
                format!("{name}: tokens in the vault >= counted, and what tickets have in it"),
                format!("{tokens} >= {counted}"),
                tokens >= counted,
            ),
            Check::new(
                "INV-1",
                format!("{name}: vault + borrows >= deposits + reserve"),
                format!("{assets} >= {claims}"),
                assets >= claims,
            ),
            Check::new(
                "INV-1",
                format!("{name}: shares of all accounts and the house = totals"),
                format!("{positive} = {}, {negative} = {}", shares[0], shares[1]),
                [positive, negative] == shares,
            ),
        ])
    }

    fn board(&self, address: &Address, board: &Board) -> Check {
        let (mut lots, mut long) = ([0i64; MAX_SERIES], [0u64; MAX_SERIES]);
        for account in &self.accounts {
            for option in account.data.options.iter().filter(|option| option.lots != 0) {
                let slot = account.data.boards.get(usize::from(option.board_slot));
                if slot.is_some_and(|slot| slot.in_use == 1 && slot.board == *address) {
                    lots[usize::from(option.series)] += i64::from(option.lots);
                    long[usize::from(option.series)] += u64::from(option.lots.max(0).unsigned_abs());
                }
            }
        }
        let of_accounts: i64 = lots.iter().sum();
        let of_house: i64 = board.house_lots.iter().sum();
        Check::new(
            "INV-2",
            "options: lots of all accounts + house = 0 in every series, long lots are their sum",
            format!(
                "{of_accounts} + {of_house} = 0, {} = {}",
                board.long_lots.iter().sum::<u64>(),
                long.iter().sum::<u64>()
            ),
            lots.iter().zip(board.house_lots).all(|(lots, house)| lots + house == 0) && board.long_lots == long,
        )
    }

    fn house(&self, house: &House) -> [Check; 2] {
        let [minted, escrow] = self.shares;
        [
            Check::new(
                "INV-13",
                "house: no more shares exist than it counts",
                format!("{minted} <= {}", house.share_supply),
                minted <= house.share_supply,
            ),
            Check::new(
                "INV-13",
                "house: its escrow has the shares of the tickets",
                format!("{escrow} >= {}", house.escrow_shares),
                escrow >= house.escrow_shares,
            ),
        ]
    }

    fn market(&self, address: &Address, market: &Market) -> [Check; 4] {
        let name = symbol(market);
        let (mut long, mut short, mut cash, mut paid) = (0i128, 0i128, 0i128, 0i128);
        for slot in self.accounts.iter().flat_map(|account| &account.data.markets) {
            if slot.in_use == 1 && slot.market == *address {
                let side = if slot.size > 0 { &mut long } else { &mut short };
                *side += i128::from(slot.size.unsigned_abs());
                cash += i128::from(slot.cash);
                paid += i128::from(slot.size) * i128::from(slot.funding_index);
            }
        }
        let (house, house_cash) = (i128::from(market.house_size), i128::from(market.house_cash));
        let interest = [i128::from(market.open_interest_long), i128::from(market.open_interest_short)];
        [
            Check::new(
                "INV-2",
                format!("{name}: sizes of all accounts + house = 0"),
                format!("{} + {house} = 0", long - short),
                long - short + house == 0,
            ),
            Check::new(
                "INV-3",
                format!("{name}: cash of all accounts + house = 0"),
                format!("{cash} + {house_cash} = 0"),
                cash + house_cash == 0,
            ),
            Check::new(
                "INV-2",
                format!("{name}: open interest = sums of longs and shorts"),
                format!("{} = {long}, {} = {short}", interest[0], interest[1]),
                interest == [long, short],
            ),
            Check::new(
                "INV-12",
                format!("{name}: funding paid = sum of sizes at the index each has paid up to"),
                format!("{} = {paid}", market.funding_paid()),
                market.funding_paid() == paid,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use plimsoll_client::{accounts::Exchange, risk::units::Index};

    use super::*;

    /// One bank with a deposit and a borrow, one market with a long against the house and an option of a board, a house with
    /// shares; everything in order.
    fn books() -> Books {
        let [bank_address, market_address, board_address] = [(); 3].map(|()| Address::new_unique());
        let one = Index::ONE.raw();
        let bank = Bank {
            market: market_address,
            deposit_index: one,
            borrow_index: one,
            deposit_shares: 100,
            borrow_shares: 40,
            vault_amount: 60,
            ..Bank::zeroed()
        };
        let market = Market { house_size: -7, house_cash: 9, open_interest_long: 7, ..Market::zeroed() };
        let mut account = MarginAccount::zeroed();
        account.balance_slot_or_new(&bank_address, Some(&market_address)).unwrap();
        account.balances[0].shares = 100;
        (account.markets[0].size, account.markets[0].cash) = (7, -9);
        let slot = account.board_slot_or_new(&board_address, &market_address).unwrap();
        account.set_option(slot, 3, 5).unwrap();
        let mut board = Board { market: market_address, ..Board::zeroed() };
        (board.house_lots[3], board.long_lots[3]) = (-5, 5);
        let house = House { share_supply: 50, escrow_shares: 10, ..House::zeroed() };
        let mut debtor = MarginAccount::zeroed();
        debtor.balance_slot_or_new(&bank_address, Some(&market_address)).unwrap();
        debtor.balances[0].shares = -40;
        let accounts = [account, debtor].map(|data| Keyed { address: Address::new_unique(), data }).to_vec();
        let snapshot = Snapshot {
            exchange: Keyed { address: Address::new_unique(), data: Exchange::zeroed() },
            house: Some(house),
            banks: [(bank_address, bank)].into(),
            markets: [(market_address, market)].into(),
            boards: [(board_address, board)].into(),
            prices: BTreeMap::new(),
            now: 0,
        };
        Books { snapshot, accounts, vaults: [(bank_address, 60)].into(), shares: [50, 10] }
    }

    /// Places of the checks that do not hold.
    fn broken(books: &Books) -> Vec<usize> {
        let checks = books.checks("").unwrap();
        checks.iter().enumerate().filter(|(_, check)| !check.holds).map(|(place, _)| place).collect()
    }

    /// What spoils the books, and the places of the checks that must find it.
    type Fault = (fn(&mut Books), &'static [usize]);

    #[test]
    fn books_in_order_hold_and_each_fault_is_found() {
        assert!(broken(&books()).is_empty());
        let faults: [Fault; 12] = [
            (|books| *books.vaults.values_mut().next().unwrap() -= 1, &[0]),
            (|books| books.snapshot.banks.values_mut().next().unwrap().reserve = 1, &[1]),
            (|books| books.accounts[0].data.balances[0].shares += 1, &[2]),
            (|books| books.snapshot.markets.values_mut().next().unwrap().house_size = -6, &[3]),
            (|books| books.accounts[0].data.markets[0].cash += 1, &[4]),
            (|books| books.snapshot.markets.values_mut().next().unwrap().open_interest_short = 1, &[5]),
            (|books| books.accounts[0].data.markets[0].size = 8, &[3, 5]),
            (|books| books.accounts[0].data.markets[0].funding_index = 1, &[6]),
            (|books| books.accounts[0].data.options[0].lots = 4, &[7]),
            (|books| books.snapshot.boards.values_mut().next().unwrap().long_lots[4] = 1, &[7]),
            (|books| books.shares[0] = 51, &[8]),
            (|books| books.shares[1] = 9, &[9]),
        ];
        for (spoil, expected) in faults {
            let mut books = books();
            spoil(&mut books);
            assert_eq!(broken(&books), expected);
        }
    }
}
