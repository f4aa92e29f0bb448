//! What must hold after every transaction, from raw account data alone.

use std::collections::BTreeMap;

use plimsoll_client::decode::{self, AnyAccount};
use plimsoll_interface::{
    Address,
    accounts::{
        Adapter, Bank, Board, Exchange, House, Lien, MAX_SERIES, MarginAccount, Market, NO_MARKET, Orders, Ticket,
        board_state, deferral,
    },
    address,
    event::{LossCovered, loss_source},
};
use plimsoll_risk::interest;

use solana_account::Account;

use crate::{chain::Chain, raw, world::World};

/// Where accounts are, whatever runs them.
pub trait Ledger {
    /// The account at an address.
    fn account(&self, address: &Address) -> Option<Account>;
    /// Addresses that have been dealt with.
    fn known(&self) -> impl Iterator<Item = &Address>;
    /// Transactions sent so far.
    fn sent(&self) -> u32;
}

impl Ledger for Chain {
    fn account(&self, address: &Address) -> Option<Account> {
        Chain::account(self, address)
    }

    fn known(&self) -> impl Iterator<Item = &Address> {
        Chain::known(self).iter()
    }

    fn sent(&self) -> u32 {
        Chain::sent(self)
    }
}

/// The program's accounts, decoded.
#[derive(Default)]
struct Books {
    accounts: Vec<(Address, MarginAccount)>,
    markets: BTreeMap<Address, Market>,
    banks: BTreeMap<Address, Bank>,
    boards: BTreeMap<Address, Board>,
    houses: Vec<(Address, House)>,
    tickets: Vec<Ticket>,
    orders: Vec<(Address, Orders)>,
    adapters: BTreeMap<Address, Adapter>,
    liens: Vec<Lien>,
}

impl Books {
    fn read(chain: &impl Ledger) -> Self {
        let mut books = Self::default();
        for address in chain.known() {
            let Some(account) = chain.account(address) else { continue };
            match decode::any(address, &account.owner, &decode::upgraded(&account.data)) {
                Ok(AnyAccount::MarginAccount(account)) => books.accounts.push((*address, *account)),
                Ok(AnyAccount::Market(market)) => drop(books.markets.insert(*address, *market)),
                Ok(AnyAccount::Bank(bank)) => drop(books.banks.insert(*address, *bank)),
                Ok(AnyAccount::Board(board)) => drop(books.boards.insert(*address, *board)),
                Ok(AnyAccount::House(house)) => books.houses.push((*address, *house)),
                Ok(AnyAccount::Ticket(ticket)) => books.tickets.push(*ticket),
                Ok(AnyAccount::Orders(orders)) => books.orders.push((*address, *orders)),
                Ok(AnyAccount::Adapter(adapter)) => drop(books.adapters.insert(*address, *adapter)),
                Ok(AnyAccount::Lien(lien)) => books.liens.push(*lien),
                _ => {}
            }
        }
        books
    }
}

/// Checks every exchange among the known accounts.
///
/// # Panics
/// Where an invariant is broken.
pub fn check(chain: &impl Ledger) {
    let books = Books::read(chain);
    for (address, bank) in &books.banks {
        let vault = chain.account(&bank.vault).map_or(0, |account| raw::token_amount(&account));
        check_bank(address, bank, &books, vault, chain.sent());
    }
    for (address, market) in &books.markets {
        check_market(address, market, &books);
        check_boards_of(address, market, &books);
    }
    for (address, board) in &books.boards {
        check_board(address, board, &books);
    }
    for (address, house) in &books.houses {
        check_house(chain, address, house, &books);
    }
    for (address, account) in &books.accounts {
        check_account(address, account, &books);
        check_options(address, account, &books);
        check_venues(address, account);
        check_liens(address, account, &books);
    }
    for (address, adapter) in &books.adapters {
        let claimed: u64 = books.liens.iter().filter(|lien| lien.adapter == *address).map(|lien| lien.claim).sum();
        assert_eq!(adapter.claimed, claimed, "INV-14: claims on {address}");
    }
    for (address, bank) in &books.banks {
        let claimed = books.adapters.values().filter(|adapter| adapter.bank == *address).map(|adapter| adapter.claimed);
        assert_eq!(bank.lien_claims, claimed.sum::<u64>(), "INV-14: claims of {address}");
    }
    for (address, orders) in &books.orders {
        check_orders(address, orders);
    }
}

/// INV-1: vault + borrows >= deposits + reserve, by no more than what each transaction may round; the vault holds at
/// least what the bank says and what tickets have in it; the bank's shares are those of its accounts and the house.
fn check_bank(address: &Address, bank: &Bank, books: &Books, vault: u64, transactions: u32) {
    let houses = books.houses.iter().map(|(_, house)| house).filter(|house| house.exchange == bank.exchange);
    let pending = if bank.is_quote == 1 { houses.map(|house| house.pending_quote).sum() } else { 0 };
    assert!(vault >= bank.vault_amount + pending, "INV-1: {address} counts more tokens than its vault holds");
    let borrows = interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).expect("borrows fit");
    let deposits = interest::deposit_amount(bank.deposit_shares, bank.deposit_index()).expect("deposits fit");
    let (assets, claims) = (bank.vault_amount + borrows, deposits + bank.reserve);
    assert!(assets >= claims, "INV-1: {address} has {assets} for claims of {claims}");
    // A transaction rounds a handful of conversions, each by less than one share, worth up to an index.
    let index = 1 + (bank.deposit_index().raw().max(bank.borrow_index().raw()) >> 48);
    let dust = u64::from(transactions + 40) * 4 * index;
    assert!(assets - claims <= dust, "INV-1: {address} has {} more than dust", assets - claims);

    let held = books.accounts.iter().flat_map(|(_, account)| &account.balances).filter(|slot| slot.bank == *address);
    let (mut deposit_shares, mut borrow_shares) = (0, 0);
    for slot in held {
        let shares = slot.shares.unsigned_abs();
        if slot.shares > 0 { deposit_shares += shares } else { borrow_shares += shares }
    }
    deposit_shares += bank.inventory_shares;
    if bank.is_quote == 1 {
        let houses = books.houses.iter().filter(|(_, house)| house.exchange == bank.exchange);
        deposit_shares += houses.map(|(_, house)| house).map(|house| house.quote_shares).sum::<u64>();
    }
    assert_eq!(bank.deposit_shares, deposit_shares, "{address}: deposit shares are not those of its accounts");
    assert_eq!(bank.borrow_shares, borrow_shares, "{address}: borrow shares are not those of its accounts");
}

/// INV-13: what tickets hold is what the house counts; no more shares exist than it counts, and its escrow has those of the
/// tickets.
fn check_house(chain: &impl Ledger, address: &Address, house: &House, books: &Books) {
    let tickets = || books.tickets.iter().filter(|ticket| ticket.house == *address);
    let held = |quote| tickets().filter(|ticket| ticket.holds_quote() == quote).map(Ticket::holding).sum::<u64>();
    assert_eq!((house.pending_quote, house.escrow_shares), (held(true), held(false)), "INV-13: tickets of {address}");
    // Who has shares may destroy them, or send them to the escrow: nobody else is the poorer.
    let supply = chain.account(&house.share_mint).map_or(0, |mint| raw::mint_supply(&mint));
    assert!(supply <= house.share_supply, "INV-13: {address} counts {} shares of {supply}", house.share_supply);
    let escrow = chain.account(&house.escrow).map_or(0, |account| raw::token_amount(&account));
    assert!(escrow >= house.escrow_shares, "INV-13: the escrow of {address} has {escrow}");
}

/// No test has as many accounts with a position in one market, and its rounding.
const ACCOUNTS: i128 = 16;

/// INV-2 and INV-3: positions and cash of all accounts and the house sum to zero; open interest is their sum. INV-12: the
/// market knows what its accounts owe in funding, and what they will pay is no less, by less than a unit each.
fn check_market(address: &Address, market: &Market, books: &Books) {
    let slots = books.accounts.iter().flat_map(|(_, account)| &account.markets);
    let (mut size, mut cash, mut long, mut short) = (0i128, 0i128, 0, 0);
    let (mut paid, mut owed) = (0i128, 0i128);
    for slot in slots.filter(|slot| slot.market == *address) {
        size += i128::from(slot.size);
        cash += i128::from(slot.cash);
        paid += i128::from(slot.size) * i128::from(slot.funding_index);
        owed += i128::from(slot.cash) - i128::from(slot.cash_after_funding(market).expect("funding fits").raw());
        if slot.size > 0 { long += slot.size.unsigned_abs() } else { short += slot.size.unsigned_abs() }
    }
    assert_eq!(size + i128::from(market.house_size), 0, "INV-2: sizes in {address}");
    assert_eq!(cash + i128::from(market.house_cash), 0, "INV-3: cash in {address}");
    assert_eq!((market.open_interest_long, market.open_interest_short), (long, short), "open interest of {address}");
    assert_eq!(market.funding_paid(), paid, "INV-12: funding paid in {address}");
    let due = i128::from(market.unsettled_funding().expect("funding fits"));
    assert!((due..=due + ACCOUNTS).contains(&owed), "INV-12: {owed} is owed in {address}, {due} is counted");
    assert!(market.range_maint_ppm <= market.range_ppm, "INV-9: ranges of {address}");
    let priced = || books.banks.values().filter(|bank| bank.market == *address);
    let inventory = priced().map(|bank| bank.inventory_counted).sum::<i64>();
    let banks = priced().filter(|bank| bank.inventory_shares != 0).count();
    assert_eq!(
        (market.house_inventory, market.inventory_banks),
        (inventory, banks as u64),
        "INV-2: inventory of {address}"
    );
}

/// INV-2 for options: lots of all accounts and the house sum to zero in each series, and long lots are their sum; only
/// listed strikes have any, and they have arrays. The market knows the board by its slot.
fn check_board(address: &Address, board: &Board, books: &Books) {
    let (mut lots, mut long) = ([0i64; MAX_SERIES], [0u64; MAX_SERIES]);
    for (_, account) in &books.accounts {
        let Some(slot) = account.board_slot(address) else { continue };
        for option in &account.options[account.options_of(slot).expect("the slots agree")] {
            let series = usize::from(option.series);
            lots[series] += i64::from(option.lots);
            long[series] += u64::from(option.lots.max(0).unsigned_abs());
        }
    }
    assert_eq!(board.house_lots.map(|lots| -lots), lots, "INV-2: lots of {address}");
    assert_eq!(board.long_lots, long, "INV-2: long lots of {address}");
    let traded = (0..MAX_SERIES).filter(|series| board.house_lots[*series] != 0 || long[*series] != 0);
    for series in traded {
        assert!(board.strikes[series / 2] != 0, "{address}: options of a strike that is not listed");
        assert!(board.state == board_state::SETTLED || board.is_refreshed(series / 2), "{address}: no array");
    }
    let (market, slot) = (&books.markets[&board.market], usize::from(board.slot));
    assert_eq!(*address, address::board(&board.market, board.slot), "{address} is not where its slot is");
    assert_eq!((market.boards >> slot & 1, market.board_expiries[slot]), (1, board.expiry), "{address}: its market");
}

/// What a market says of its boards is what they say: no bit, no expiry and no worth without a board, and the gains of all
/// boards together.
fn check_boards_of(address: &Address, market: &Market, books: &Books) {
    let boards: Vec<_> = books.boards.values().filter(|board| board.market == *address).collect();
    for slot in 0..market.house_boards.len() {
        if boards.iter().all(|board| usize::from(board.slot) != slot) {
            assert_eq!((market.boards >> slot & 1, market.board_expiries[slot]), (0, 0), "{address}: board {slot}");
            assert_eq!(market.house_boards[slot], bytemuck::Zeroable::zeroed(), "{address}: worth of board {slot}");
        }
    }
    for (index, gain) in market.house_gains.iter().enumerate() {
        let sum: i64 = boards.iter().map(|board| board.house_gains[index]).sum();
        assert_eq!(*gain, sum, "{address}: gains in scenario {index}");
    }
}

/// Options stand in the order of their boards' slots, by rising series, and no free slot before a taken one; each board
/// knows how many there are, and each market how many boards.
fn check_options(address: &Address, account: &MarginAccount, books: &Books) {
    let mut position = 0;
    for (index, slot) in account.boards.iter().enumerate() {
        if slot.in_use == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 40], "{address}: free board {index} is not zero");
            continue;
        }
        assert!(slot.options != 0, "{address}: board {index} is empty and not free");
        let again = account.boards.iter().filter(|other| other.board == slot.board).count();
        assert_eq!(again, 1, "{address}: board {index} is there twice");
        let board = &books.boards[&slot.board];
        let market = &account.markets[usize::from(slot.market_slot)];
        assert_eq!((market.in_use, market.market), (1, board.market), "{address}: board {index}");
        let own = &account.options[position..position + usize::from(slot.options)];
        assert!(own.iter().all(|option| option.lots != 0 && usize::from(option.board_slot) == index), "{address}");
        assert!(own.is_sorted_by(|one, other| one.series < other.series), "{address}: series of board {index}");
        position += own.len();
    }
    let free = &account.options[position..];
    assert!(free.iter().all(|option| bytemuck::bytes_of(option) == [0; 8]), "{address}: a free option is not zero");
    for (index, slot) in account.markets.iter().enumerate() {
        let boards = account.boards.iter().filter(|board| board.in_use == 1 && usize::from(board.market_slot) == index);
        assert_eq!(usize::from(slot.boards), boards.count(), "{address}: boards of market {index}");
    }
}

/// Slots do not contradict one another: none twice, free ones zero, each market knows how many balances it prices, and
/// each balance names the market of its bank.
fn check_account(address: &Address, account: &MarginAccount, books: &Books) {
    assert_eq!(account.deferral, deferral::NONE, "{address}: a liquidation without capital outlived its transaction");
    for (index, slot) in account.balances.iter().enumerate() {
        if slot.in_use == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 56], "{address}: free balance {index} is not zero");
            continue;
        }
        assert!(slot.shares != 0 || slot.lien != 0, "{address}: balance {index} is empty and not free");
        let again = account.balances.iter().filter(|other| other.bank == slot.bank).count();
        assert_eq!(again, 1, "{address}: balance {index} is there twice");
        let bank = &books.banks[&slot.bank];
        assert_eq!(bank.exchange, account.exchange, "{address}: balance {index} is of another exchange");
        match slot.market_slot {
            NO_MARKET => assert_eq!(bank.is_quote, 1, "{address}: balance {index} has no market"),
            market => assert_eq!(account.markets[usize::from(market)].market, bank.market, "{address}: {index}"),
        }
    }
    for (index, slot) in account.markets.iter().enumerate() {
        if slot.in_use == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 64], "{address}: free market {index} is not zero");
            continue;
        }
        assert!(!slot.is_empty(), "{address}: market {index} is empty and not free");
        let again = account.markets.iter().filter(|other| other.market == slot.market).count();
        assert_eq!(again, 1, "{address}: market {index} is there twice");
        let priced = |balance: &&_| priced_by(balance, index);
        let balances = account.balances.iter().filter(priced).count();
        assert_eq!(usize::from(slot.balances), balances, "{address}: market {index} prices {balances} balances");
    }
}

fn priced_by(balance: &plimsoll_interface::accounts::BalanceSlot, market: usize) -> bool {
    balance.in_use == 1 && usize::from(balance.market_slot) == market
}

/// INV-14: an account's balances count of its liens what they say, never more than they claim, and there are as many as it
/// says.
fn check_liens(address: &Address, account: &MarginAccount, books: &Books) {
    let own: Vec<_> = books.liens.iter().filter(|lien| lien.account == *address).collect();
    assert_eq!(usize::from(account.liens), own.len(), "INV-14: liens of {address}");
    assert!(own.iter().all(|lien| lien.recognised <= lien.claim && lien.claim > 0), "INV-14: a lien of {address}");
    for slot in &account.balances {
        let of_bank = own.iter().filter(|lien| books.adapters[&lien.adapter].bank == slot.bank);
        let recognised: u64 = of_bank.map(|lien| lien.recognised).sum();
        assert_eq!(slot.lien, recognised, "INV-14: liens of {address} in {}", slot.bank);
    }
    let counted: u64 = account.balances.iter().map(|slot| slot.lien).sum();
    assert_eq!(counted, own.iter().map(|lien| lien.recognised).sum::<u64>(), "INV-14: liens of {address}");
}

/// Who bears losses, and what each has: quote native of the insurance, of the house and of all deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Losses {
    /// The quote bank's reserve.
    pub insurance: u64,
    /// The house's quote deposit, rounded down.
    pub house: u64,
    /// What the house keeps.
    pub house_floor: u64,
    /// Deposits of the quote bank, in units of 2^-48.
    pub deposits: u128,
    /// Deposits of the quote bank, shares.
    pub deposit_shares: u64,
    /// Borrows of the quote bank, rounded up.
    pub borrows: u64,
    /// Tokens in its vault.
    pub vault: u64,
}

impl Losses {
    /// As they are now.
    pub fn of(world: &World) -> Self {
        let bank = world.bank(&world.places().usdc);
        Self {
            insurance: bank.reserve,
            house: world.house_quote(),
            house_floor: world.read::<Exchange>(&world.places().exchange).config.house_floor,
            deposits: u128::from(bank.deposit_shares) * u128::from(bank.deposit_index),
            deposit_shares: bank.deposit_shares,
            borrows: interest::borrow_amount(bank.borrow_shares, bank.borrow_index()).expect("borrows fit"),
            vault: bank.vault_amount,
        }
    }
}

/// INV-10: a loss is borne in the order insurance, house above its floor, deposits; and what one step takes from one is
/// what another gets. The bank's interest had been accrued before.
///
/// # Panics
/// Where it is broken.
pub fn check_losses(before: &Losses, after: &Losses, event: &LossCovered) {
    let amount = event.amount;
    assert!(amount > 0 && event.equity <= 0, "INV-10: nothing was lost: {event:?}");
    assert_eq!((after.insurance, after.house), (event.insurance, event.house), "INV-10: {event:?}");
    assert_eq!(after.vault, before.vault, "INV-10: a step moved tokens");
    let missing = event.due.saturating_sub(before.insurance);
    let unit = 1u128 << 48;
    let lost = before.deposits - after.deposits;
    match event.source {
        loss_source::INSURANCE => {
            assert_eq!((missing, amount), (0, event.due), "INV-10: {event:?}");
            assert_eq!(after.insurance + amount, before.insurance, "INV-10: {event:?}");
            assert!((amount - 1..=amount).contains(&(before.borrows - after.borrows)), "INV-10: {event:?}");
            assert_eq!(lost, 0, "INV-10: {event:?}");
        }
        loss_source::HOUSE => {
            let above_floor = before.house - before.house_floor;
            assert_eq!(amount, missing.min(above_floor), "INV-10: {event:?}");
            assert_eq!(after.insurance, before.insurance + amount, "INV-10: {event:?}");
            assert!(after.house >= before.house_floor.saturating_sub(2), "INV-10: {event:?}");
            assert!(lost >= u128::from(amount) * unit && lost < u128::from(amount + 2) * unit, "INV-10: {event:?}");
        }
        loss_source::DEPOSITS => {
            assert!(missing > 0 && before.house <= before.house_floor, "INV-10: {event:?}");
            assert_eq!(after.insurance, before.insurance + amount, "INV-10: {event:?}");
            assert_eq!(after.deposit_shares, before.deposit_shares, "INV-10: {event:?}");
            assert!(amount <= missing + 1 + (before.deposit_shares >> 48), "INV-10: {event:?}");
            assert!(lost >= u128::from(amount) * unit && lost < u128::from(amount + 1) * unit, "INV-10: {event:?}");
        }
        other => panic!("INV-10: source {other}"),
    }
}
/// INV-20: no venue fills for an account beyond its allowance, and none is approved twice.
fn check_venues(address: &Address, account: &MarginAccount) {
    for (index, slot) in account.venues.iter().enumerate() {
        if slot.limit == 0 {
            assert_eq!(bytemuck::bytes_of(slot), &[0; 48], "{address}: free venue {index} is not zero");
            continue;
        }
        assert!(slot.used <= slot.limit, "INV-20: {address} allows venue {index} less than it has used");
        let again = account.venues.iter().filter(|other| other.limit != 0 && other.venue == slot.venue).count();
        assert_eq!(again, 1, "{address}: venue {index} is there twice");
    }
}

/// INV-20: of one order there is one count of what it has filled.
fn check_orders(address: &Address, orders: &Orders) {
    for (index, slot) in orders.slots.iter().enumerate().filter(|(_, slot)| slot.filled != 0) {
        let one = |other: &&plimsoll_interface::accounts::OrderSlot| {
            other.filled != 0 && (other.nonce, other.expires_at) == (slot.nonce, slot.expires_at)
        };
        assert_eq!(orders.slots.iter().filter(one).count(), 1, "INV-20: {address} counts order {index} twice");
    }
}
