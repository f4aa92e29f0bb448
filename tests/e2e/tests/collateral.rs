//! `deposit`, `withdraw`.

use plimsoll_client::{event::Event, instruction::account};
use plimsoll_e2e_tests::{
    E, I, Trader, World, raw,
    world::{ETH, Places, SOL, USD, create_market_args, market_config},
};
use plimsoll_interface::{
    Address,
    accounts::{Bank, MAX_BALANCES, MAX_MARKETS, Market},
    address,
    config::{MarketConfig, pause, state},
    event::BalanceChanged,
};
use solana_instruction::{AccountMeta, Instruction};

fn delegate(w: &mut World, trader: &Trader, delegate: Address) {
    w.ok(account::SetDelegate { owner: trader.owner, account: trader.account, delegate, scope: 0 }.instruction());
}

/// Puts a bank with one native unit of the trader's in it, which no instruction made. SOL's market prices it.
fn fill_balance(w: &mut World, p: &Places, trader: &Trader, number: u8) {
    let (address, vault) = (Address::new_from_array([number; 32]), Address::new_from_array([128 + number; 32]));
    let mint = Address::new_from_array([64 + number; 32]);
    let sol = w.bank(&p.sol);
    w.put(address, &Bank { mint, vault, vault_amount: 1, deposit_shares: 1, borrow_shares: 0, ..sol });
    w.set_account(vault, raw::token_account(&mint, &p.exchange, 1));
    w.edit(&trader.account, |account: &mut plimsoll_interface::accounts::MarginAccount| {
        let slot = account.balance_slot_or_new(&address, Some(&p.sol.market)).unwrap();
        account.balances[slot].shares = 1;
    });
}

/// Puts a market in which the trader has gained one unit that is not settled.
fn fill_market(w: &mut World, p: &Places, trader: &Trader, number: u8) {
    let address = Address::new_from_array([32 + number; 32]);
    let btc = w.market(&p.btc);
    w.put(address, &Market { house_cash: -1, index: 100 + u16::from(number), ..btc });
    w.edit(&trader.account, |account: &mut plimsoll_interface::accounts::MarginAccount| {
        let slot = account.market_slot_or_new(&address).unwrap();
        account.markets[slot].cash = 1;
    });
}

mod deposit {
    use super::*;

    #[test]
    fn tokens_move_to_the_vault_and_become_shares() {
        let (mut w, p) = World::new();
        let before = w.tokens(&p.alice.owner, &p.sol);
        // At an index of one a share is a native unit.
        let (amount, bank) = (10 * SOL, p.sol.bank);
        let outcome = w.deposit(&p.alice, &p.sol, amount as u64);
        let expected = BalanceChanged { account: p.alice.account, bank, amount, shares: amount };
        assert_eq!(outcome.event(), Event::BalanceChanged(expected));
        assert_eq!(w.tokens(&p.alice.owner, &p.sol), before - amount as u64);
        assert_eq!(w.tokens_at(&p.sol.vault), amount as u64);
        let bank = w.bank(&p.sol);
        assert_eq!((bank.vault_amount, bank.deposit_shares), (amount as u64, amount as u64));
        assert_eq!(w.shares(&p.alice, &p.sol), amount);
    }

    #[test]
    fn a_delegate_deposits_its_own_tokens() {
        let (mut w, p) = World::new();
        delegate(&mut w, &p.alice, p.bob.owner);
        let deposit = account::Deposit {
            authority: p.bob.owner,
            exchange: p.exchange,
            account: p.alice.account,
            mint: p.usdc.mint,
            token_program: p.usdc.token_program,
            source: p.usdc.tokens_of(&p.bob.owner),
            amount: 7,
        };
        w.ok(deposit.instruction());
        assert_eq!(w.shares(&p.alice, &p.usdc), 7);
        // The owner's tokens are not the delegate's to move: the token program's "owner does not match".
        let source = p.usdc.tokens_of(&p.alice.owner);
        w.refuses(account::Deposit { source, ..deposit }.instruction(), I::Custom(4));
        let stranger = account::Deposit { authority: p.carol.owner, ..deposit };
        w.refuses(stranger.instruction(), E::NotOwnerOrDelegate);
    }

    #[test]
    fn a_borrow_is_repaid_first_and_the_rest_is_a_deposit() {
        let (mut w, p) = World::new();
        w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 30);
        assert_eq!(w.shares(&p.alice, &p.usdc), -30);
        w.deposit(&p.alice, &p.usdc, 20);
        assert_eq!(w.shares(&p.alice, &p.usdc), -10);
        w.deposit(&p.alice, &p.usdc, 15);
        assert_eq!(w.shares(&p.alice, &p.usdc), 5);
        assert_eq!(w.bank(&p.usdc).borrow_shares, 0);
    }

    #[test]
    fn a_repayment_to_the_last_unit_frees_the_slot() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 30);
        w.deposit(&p.alice, &p.usdc, 30);
        assert_eq!(w.margin_account(&p.alice).balance_slot(&p.usdc.bank), None);
    }

    #[test]
    fn a_repayment_is_taken_by_a_bank_that_takes_no_deposit() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 30);
        w.configure_bank(&p.usdc, |config| (config.state, config.deposit_cap) = (state::REDUCE_ONLY, 0));
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 31), E::BankReduceOnly);
        w.deposit(&p.alice, &p.usdc, 30);
        w.configure_bank(&p.usdc, |config| config.state = state::ACTIVE);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1), E::DepositCap);
    }

    #[test]
    fn amounts_that_are_refused() {
        let (mut w, p) = World::new();
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 0), E::ZeroAmount);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, u64::MAX), E::Overflow);
        // More than the wallet holds: the token program's "insufficient funds".
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1 << 60), I::Custom(1));
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 2 << 48);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1), E::AmountTooSmall);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.deposit_index = 1 << 48);
        w.configure_bank(&p.sol, |config| config.deposit_cap = 10);
        w.refuses(w.deposit_ix(&p.alice, &p.sol, 11), E::DepositCap);
        w.deposit(&p.alice, &p.sol, 10);
    }

    #[test]
    fn times_and_states_that_are_refused() {
        let (mut w, p) = World::new();
        w.configure(|config| config.pauses = pause::DEPOSIT);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1), E::Paused);
        w.configure(|config| config.pauses = pause::ALL & !pause::DEPOSIT);
        w.deposit(&p.alice, &p.usdc, 1);
        w.pass(-1);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 1), E::ClockWentBack);
    }

    #[test]
    fn an_account_holds_sixteen_balances() {
        let (mut w, p) = World::new();
        for number in 1..=MAX_BALANCES as u8 {
            fill_balance(&mut w, &p, &p.alice, number);
        }
        w.refuses(w.deposit_ix(&p.alice, &p.sol, 1), E::TooManyBalances);
    }

    #[test]
    fn an_account_depends_on_sixteen_markets() {
        let (mut w, p) = World::new();
        for number in 1..=MAX_MARKETS as u8 {
            fill_market(&mut w, &p, &p.alice, number);
        }
        w.refuses(w.deposit_ix(&p.alice, &p.sol, 1), E::TooManyMarkets);
        // The quote depends on none.
        w.deposit(&p.alice, &p.usdc, 1);
    }

    #[test]
    fn a_bank_that_contradicts_itself_is_reported() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 30);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.borrow_shares = 29);
        w.refuses(w.deposit_ix(&p.alice, &p.usdc, 30), E::Corrupt);
        w.edit::<Bank>(&p.usdc.bank, |bank| bank.borrow_shares = 30);
    }
}

mod withdraw {
    use super::*;

    #[test]
    fn tokens_come_back() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        let before = w.tokens(&p.alice.owner, &p.sol);
        let outcome = w.withdraw(&p.alice, &p.sol, 4 * SOL as u64);
        let (account, bank, amount, shares) = (p.alice.account, p.sol.bank, -4 * SOL, 6 * SOL);
        let expected = BalanceChanged { account, bank, amount, shares };
        assert_eq!(outcome.event(), Event::BalanceChanged(expected));
        assert_eq!(w.tokens(&p.alice.owner, &p.sol), before + 4 * SOL as u64);
        let bank = w.bank(&p.sol);
        assert_eq!((bank.vault_amount, bank.deposit_shares), (6 * SOL as u64, 6 * SOL as u64));
    }

    #[test]
    fn the_largest_amount_takes_the_whole_deposit_and_borrows_nothing() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10 * SOL as u64);
        w.withdraw(&p.alice, &p.sol, u64::MAX);
        assert!(w.margin_account(&p.alice).is_empty());
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, u64::MAX), E::ZeroAmount);
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.withdraw(&p.alice, &p.usdc, 1);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, u64::MAX), E::ZeroAmount);
    }

    /// 100 SOL are 12,500 USD; haircut 10 % and range 20 % leave 8,750.
    #[test]
    fn a_borrow_goes_as_far_as_the_initial_margin() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 8_750_000_001), E::InsufficientMargin);
        let outcome = w.withdraw(&p.alice, &p.usdc, 8_750_000_000);
        let (amount, bank) = (-8_750_000_000, p.usdc.bank);
        let expected = BalanceChanged { account: p.alice.account, bank, amount, shares: amount };
        assert_eq!(outcome.event(), Event::BalanceChanged(expected));
        assert_eq!(w.bank(&p.usdc).borrow_shares, 8_750_000_000);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::InsufficientMargin);
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, 1), E::InsufficientMargin);
    }

    #[test]
    fn a_delegate_withdraws_nothing() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.usdc, 10);
        delegate(&mut w, &p.alice, p.bob.owner);
        let mut ix = w.withdraw_ix(&p.alice, &p.usdc, 1);
        ix.accounts[0].pubkey = p.bob.owner;
        w.refuses(&ix, E::NotOwner);
    }

    #[test]
    fn amounts_and_states_that_are_refused() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, 0), E::ZeroAmount);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, u64::MAX - 1), E::Overflow);
        w.configure_bank(&p.usdc, |config| config.borrow_cap = 99);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 100), E::BorrowCap);
        w.withdraw(&p.alice, &p.usdc, 99);
        w.configure_bank(&p.usdc, |config| config.state = state::REDUCE_ONLY);
        w.refuses(w.withdraw_ix(&p.alice, &p.usdc, 1), E::BankReduceOnly);
        w.configure(|config| config.pauses = pause::WITHDRAW);
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, 1), E::Paused);
        w.configure(|config| config.pauses = pause::ALL & !pause::WITHDRAW);
        w.withdraw(&p.alice, &p.sol, 1);
        w.pass(-1);
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, 1), E::ClockWentBack);
    }

    #[test]
    fn deposits_leave_a_bank_that_only_reduces() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10);
        w.configure_bank(&p.sol, |config| config.state = state::REDUCE_ONLY);
        w.withdraw(&p.alice, &p.sol, 10);
    }

    /// The bank counts a hundred, Alice has borrowed ninety of them.
    #[test]
    fn what_is_lent_out_is_not_withdrawn() {
        let (mut w, p) = World::new();
        w.deposit(&p.bob, &p.sol, 100);
        w.deposit(&p.alice, &p.usdc, 1_000);
        w.withdraw(&p.alice, &p.sol, 90);
        w.refuses(w.withdraw_ix(&p.bob, &p.sol, 11), E::VaultInsufficient);
        w.withdraw(&p.bob, &p.sol, 10);
    }

    /// Alice holds SOL and ETH, is long BTC and borrows dollars: everything but what she withdraws must be listed.
    fn leveraged() -> (World, Places) {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.deposit(&p.alice, &p.eth, ETH as u64);
        w.open(&p.alice, &p.btc, 1_000_000);
        w.withdraw(&p.alice, &p.usdc, 1_000 * USD as u64);
        (w, p)
    }

    #[test]
    fn every_market_and_bank_must_be_listed() {
        let (mut w, p) = leveraged();
        let ix = w.stored().withdraw(&w.keyed(&p.alice), &p.usdc.mint, p.usdc.tokens_of(&p.alice.owner), 1).unwrap();
        let without = |address: Address| {
            let mut ix = ix.clone();
            ix.accounts.retain(|meta| meta.pubkey != address);
            assert_eq!(ix.accounts.len(), 12);
            ix
        };
        for asset in [p.sol, p.btc, p.eth] {
            w.refuses(without(asset.market), E::MissingMarket);
        }
        for asset in [p.sol, p.eth] {
            w.refuses(without(asset.bank), E::MissingBank);
        }
        w.ok(&ix);
    }

    #[test]
    fn any_order_of_the_list_is_right() {
        let (mut w, p) = leveraged();
        let mut ix =
            w.stored().withdraw(&w.keyed(&p.alice), &p.usdc.mint, p.usdc.tokens_of(&p.alice.owner), 1).unwrap();
        ix.accounts[8..].reverse();
        w.ok(&ix);
    }

    #[test]
    fn wrong_accounts_in_the_list_are_refused() {
        let (mut w, p) = leveraged();
        let ix = w.priced().withdraw(&w.keyed(&p.alice), &p.usdc.mint, p.usdc.tokens_of(&p.alice.owner), 1).unwrap();
        let at = |index: usize, address: Address| {
            let mut ix = ix.clone();
            ix.accounts[index].pubkey = address;
            ix
        };
        // 8 SOL's market, 9 its price, 10 ETH's market, 11 its price, 12 BTC's, 13 its price, 14 and 15 the banks.
        w.refuses(at(9, p.btc.oracle), E::OracleWrongFeed);
        w.refuses(at(9, p.eth.oracle), E::OracleWrongOwner);
        w.refuses(at(9, p.usdc.mint), E::OracleWrongOwner);
        w.refuses(at(8, p.other.sol.market), E::MissingMarket);
        w.refuses(at(14, p.other.sol.bank), E::MissingBank);
        w.refuses(at(14, p.usdc.bank), I::Custom(2040));
        // What nothing names is not looked at.
        let mut more = ix.clone();
        for stranger in [p.other.sol.market, p.other.sol.bank, p.bob.account, p.mallory] {
            more.accounts.push(AccountMeta::new_readonly(stranger, false));
        }
        w.ok(&more);
        // A margin account is never read as a price, wherever it stands: the stored one counts.
        w.ok(at(9, p.bob.account));
    }

    #[test]
    fn a_price_is_wanted_where_something_is_owed() {
        let (mut w, p) = leveraged();
        w.pass(61);
        let ix = |w: &World| {
            w.stored().withdraw(&w.keyed(&p.alice), &p.usdc.mint, p.usdc.tokens_of(&p.alice.owner), 1).unwrap()
        };
        w.refuses(ix(&w), E::OracleStale);
        w.set_price(&p.btc, 60_000);
        // SOL and ETH are old and count zero, which is too little for the debt.
        w.refuses(ix(&w), E::InsufficientMargin);
        w.set_price(&p.sol, 125);
        w.ok(ix(&w));
    }

    #[test]
    fn a_market_that_was_never_observed_prices_nothing() {
        let (mut w, p) = World::new();
        let config = MarketConfig { risk_budget: 0, ..market_config(SOL) };
        w.ok(w.stored().create_market(create_market_args(&p.sol, "NEW", 9, config)));
        let market = address::market(&p.exchange, 3);
        w.edit::<Bank>(&p.eth.bank, |bank| bank.market = market);
        w.deposit(&p.alice, &p.eth, ETH as u64);
        w.deposit(&p.alice, &p.sol, SOL as u64);
        let listed = |w: &World| -> Instruction {
            let mut snapshot = w.stored();
            snapshot.markets.insert(market, w.read(&market));
            snapshot.withdraw(&w.keyed(&p.alice), &p.usdc.mint, p.usdc.tokens_of(&p.alice.owner), 1).unwrap()
        };
        w.refuses(listed(&w), E::OracleNeverObserved);
        // Without a liability nothing is priced at all.
        w.withdraw(&p.alice, &p.sol, SOL as u64);
    }

    #[test]
    fn a_borrow_needs_a_free_slot() {
        let (mut w, p) = World::new();
        for number in 1..=MAX_BALANCES as u8 {
            fill_balance(&mut w, &p, &p.alice, number);
        }
        let withdraw = account::Withdraw {
            owner: p.alice.owner,
            exchange: p.exchange,
            account: p.alice.account,
            mint: p.sol.mint,
            token_program: p.sol.token_program,
            destination: p.sol.tokens_of(&p.alice.owner),
            amount: 1,
            remaining: Vec::new(),
        };
        w.refuses(withdraw.instruction(), E::TooManyBalances);
        for number in 1..=MAX_MARKETS as u8 {
            fill_market(&mut w, &p, &p.bob, number);
        }
        let (owner, account) = (p.bob.owner, p.bob.account);
        w.refuses(account::Withdraw { owner, account, ..withdraw }.instruction(), E::TooManyMarkets);
    }

    #[test]
    fn the_token_program_is_the_banks() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10);
        let both = [w.deposit_ix(&p.alice, &p.sol, 10), w.withdraw_ix(&p.alice, &p.sol, 10)];
        w.edit::<Bank>(&p.sol.bank, |bank| bank.token_program = p.mallory);
        for ix in both {
            w.refuses(ix, E::WrongTokenProgram);
        }
    }

    #[test]
    fn a_bank_that_contradicts_itself_is_reported() {
        let (mut w, p) = World::new();
        w.deposit(&p.alice, &p.sol, 10);
        w.edit::<Bank>(&p.sol.bank, |bank| bank.deposit_shares = 9);
        w.refuses(w.withdraw_ix(&p.alice, &p.sol, 10), E::Corrupt);
        w.edit::<Bank>(&p.sol.bank, |bank| bank.deposit_shares = 10);
    }
}
