//! Which mints a bank may hold, and fees that mints take out of transfers, with the real Token-2022 program.

use plimsoll_client::{
    event::Event,
    instruction::{
        TOKEN_2022_PROGRAM, TOKEN_PROGRAM, account, associated_token_account_of, bank, exchange, house, waterfall,
    },
};
use plimsoll_e2e_tests::{
    Asset, E, I, Outcome, Trader, World,
    raw::{self, Extension, ISSUER, WITHHELD},
    world::{ETH_FEE, Places, SOL, USD, bank_config, exchange_config, quote_bank_config},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{Bank, Exchange},
    address,
    event::{BalanceChanged, TransferFeeWithheld},
    token::{TransferFee, extension},
};
use plimsoll_risk::interest;

const MINT: Address = Address::new_from_array([b'm'; 32]);
/// Native units of one ETH: its mint has eight decimals.
const ETHER: u64 = 100_000_000;
/// What depositing one ETH leaves of it: 0.5 % less.
const ONE_DEPOSITED: u64 = 99_500_000;
/// The token program's "the account is frozen".
const FROZEN: I = I::Custom(17);
/// Token-2022's "no memo in the instruction before".
const NO_MEMO: I = I::Custom(36);
/// Token-2022's "the owner has locked transfers out of other programs".
const CPI_GUARD: I = I::Custom(42);

fn create(w: &mut World, p: &Places, extensions: &[Extension]) -> bank::Create {
    w.set_account(MINT, raw::mint_2022(6, extensions));
    bank::Create {
        admin: p.admin,
        exchange: p.exchange,
        mint: MINT,
        token_program: TOKEN_2022_PROGRAM,
        market: Some(p.sol.market),
        config: bank_config().starting(),
    }
}

/// An extension that names somebody first, and goes on with `rest`.
fn named(kind: u16, rest: &[u8]) -> Extension {
    (kind, [ISSUER.as_ref(), rest].concat())
}

/// The same once the authority was given up.
fn given_up(kind: u16, rest: &[u8]) -> Extension {
    (kind, [&[0; 32], rest].concat())
}

/// `rate_authority`, when it started, the rate before, when it changed, the rate.
fn interest_bearing(authority: Address, rate: i16) -> Extension {
    let fields = [&[0; 8][..], &[0; 2], &[0; 8], &rate.to_le_bytes()].concat();
    (extension::INTEREST_BEARING, [authority.as_ref(), &fields].concat())
}

/// Authority, factor, when the next one starts, the next one.
fn scaled(authority: Address, factor: f64) -> Extension {
    let fields = [&1f64.to_le_bytes()[..], &[0; 8], &factor.to_le_bytes()].concat();
    (extension::SCALED_UI_AMOUNT, [authority.as_ref(), &fields].concat())
}

fn fee(bps: u16) -> TransferFee {
    TransferFee { bps, maximum: u64::MAX }
}

mod policy {
    use super::*;

    #[test]
    fn every_extension_that_endangers_a_vault_is_refused_by_its_own_name() {
        let (mut w, p) = World::new();
        let nobody = Address::default();
        let refused = [
            (named(extension::TRANSFER_HOOK, &[0; 32]), E::MintTransferHook),
            (given_up(extension::TRANSFER_HOOK, ISSUER.as_ref()), E::MintTransferHook),
            (named(extension::PERMANENT_DELEGATE, &[]), E::MintPermanentDelegate),
            (named(extension::MINT_CLOSE_AUTHORITY, &[]), E::MintCloseAuthority),
            ((extension::DEFAULT_ACCOUNT_STATE, vec![2]), E::MintFrozenByDefault),
            ((extension::NON_TRANSFERABLE, vec![]), E::MintNonTransferable),
            ((extension::CONFIDENTIAL_TRANSFER_MINT, vec![0; 65]), E::MintConfidential),
            ((extension::CONFIDENTIAL_TRANSFER_FEE, vec![0; 129]), E::MintConfidential),
            ((extension::CONFIDENTIAL_MINT_BURN, vec![0; 196]), E::MintConfidential),
            (named(extension::PAUSABLE, &[0]), E::MintPausable),
            (given_up(extension::PAUSABLE, &[1]), E::MintPausable),
            (interest_bearing(ISSUER, 0), E::MintScaled),
            (interest_bearing(nobody, 1), E::MintScaled),
            (scaled(ISSUER, 1.0), E::MintScaled),
            (scaled(nobody, 2.0), E::MintScaled),
            // Burning that somebody must agree to, and what is not known at all.
            ((28, vec![0; 32]), E::MintUnknownExtension),
            ((9_999, vec![]), E::MintUnknownExtension),
            (raw::transfer_fee(fee(101)), E::TransferFeeTooHigh),
            (raw::transfer_fees(None, fee(0), fee(101), 9), E::TransferFeeTooHigh),
        ];
        for (extension, error) in refused {
            let create = create(&mut w, &p, std::slice::from_ref(&extension));
            w.refuses(create.instruction(), error);
            // Nor behind one that is accepted.
            let create = self::create(&mut w, &p, &[named(extension::METADATA_POINTER, &[0; 32]), extension]);
            w.refuses(create.instruction(), error);
        }
    }

    #[test]
    fn what_is_no_mint_is_refused() {
        let (mut w, p) = World::new();
        let create = create(&mut w, &p, &[raw::transfer_fee(fee(1))]);
        let good = w.account(&MINT).unwrap();
        let cut = |len: usize| {
            let mut account = good.clone();
            account.data.truncate(len);
            account
        };
        let foreign = solana_account::Account { owner: p.mallory, ..good.clone() };
        let tokens = raw::token_account_2022(&MINT, &p.admin, 1, &[WITHHELD]);
        let mut unborn = raw::mint_2022(6, &[]);
        unborn.data[45] = 0;
        for wrong in [cut(200), cut(165), cut(81), foreign, tokens, unborn] {
            let program = if wrong.owner == p.mallory { p.mallory } else { TOKEN_2022_PROGRAM };
            w.set_account(MINT, wrong);
            w.refuses(bank::Create { token_program: program, ..create.clone() }.instruction(), E::InvalidMint);
        }
    }

    #[test]
    fn the_token_program_is_the_mints_owner() {
        let (mut w, p) = World::new();
        let create = create(&mut w, &p, &[]);
        let wrong = bank::Create { token_program: TOKEN_PROGRAM, ..create.clone() };
        w.refuses(wrong.instruction(), E::WrongTokenProgram);
        w.set_account(MINT, raw::mint(6));
        w.refuses(create.instruction(), E::WrongTokenProgram);
        w.ok(wrong.instruction());
    }

    /// A token account of `MINT`, of a margin account's owner, with what the mint's extensions want in it.
    fn give(w: &mut World, owner: &Address, extensions: &[Extension]) -> Address {
        let address = associated_token_account_of(owner, &MINT, &TOKEN_2022_PROGRAM);
        w.set_account(address, raw::token_account_2022(&MINT, owner, 1_000, extensions));
        address
    }

    /// The vault of each is made, takes tokens and gives them back, by the real token program.
    #[test]
    fn what_nobody_can_use_any_more_is_accepted() {
        // Extensions of the mint, those of its token accounts, and what they add to a vault's 170 bytes.
        let accepted: [(Vec<Extension>, Vec<Extension>, usize); 12] = [
            (vec![], vec![], 0),
            (vec![given_up(extension::TRANSFER_HOOK, &[0; 32])], vec![(15, vec![0])], 5),
            (vec![given_up(extension::PERMANENT_DELEGATE, &[])], vec![], 0),
            (vec![given_up(extension::MINT_CLOSE_AUTHORITY, &[])], vec![], 0),
            (vec![(extension::DEFAULT_ACCOUNT_STATE, vec![1])], vec![], 0),
            (vec![given_up(extension::PAUSABLE, &[0])], vec![(27, vec![])], 4),
            (vec![interest_bearing(Address::default(), 0)], vec![], 0),
            (vec![scaled(Address::default(), 1.0)], vec![], 0),
            (vec![named(extension::METADATA_POINTER, &[0; 32])], vec![], 0),
            (vec![named(extension::GROUP_POINTER, &[0; 32])], vec![], 0),
            (vec![named(extension::GROUP_MEMBER_POINTER, &[0; 32])], vec![], 0),
            (
                vec![raw::transfer_fee(fee(0)), given_up(extension::PAUSABLE, &[0])],
                vec![(2, vec![0; 8]), (27, vec![])],
                16,
            ),
        ];
        for (mint, tokens, more) in accepted {
            let (mut w, p) = World::new();
            let create = create(&mut w, &p, &mint);
            w.ok(create.instruction());
            let bank = address::bank(&p.exchange, &MINT);
            let made: Bank = w.read(&bank);
            let vault = w.account(&made.vault).unwrap();
            assert_eq!((made.token_program, made.decimals), (TOKEN_2022_PROGRAM, 6));
            assert_eq!((vault.owner, vault.data.len()), (TOKEN_2022_PROGRAM, 170 + more), "{mint:?}");
            assert_eq!((&vault.data[..32], &vault.data[32..64]), (MINT.as_ref(), p.exchange.as_ref()));
            // Immutable owner, the first of its extensions.
            assert_eq!(vault.data[165..170], [2, 7, 0, 0, 0]);
            let source = give(&mut w, &p.alice.owner, &tokens);
            let mut snapshot = w.stored();
            snapshot.banks.insert(bank, made);
            w.ok(snapshot.deposit(p.alice.owner, &p.alice.account, &MINT, source, 900).unwrap());
            assert_eq!((w.tokens_at(&made.vault), w.tokens_at(&source)), (900, 100), "{mint:?}");
            w.ok(snapshot.withdraw(&w.keyed(&p.alice), &MINT, source, u64::MAX).unwrap());
            assert_eq!((w.tokens_at(&made.vault), w.tokens_at(&source)), (0, 1_000), "{mint:?}");
        }
    }

    /// Every payment of the exchange moves what it says, so the quote's mint may never come to charge.
    #[test]
    fn a_quote_mint_charges_nothing_for_ever() {
        let (mut w, p) = World::new();
        let create = exchange::Create { creator: p.admin, quote_mint: MINT, index: 1, config: exchange_config() };
        let charging = [
            raw::transfer_fee(fee(0)),
            raw::transfer_fees(None, fee(1), fee(0), 0),
            raw::transfer_fees(None, fee(0), fee(1), 9),
        ];
        for extension in &charging {
            w.set_account(MINT, raw::mint_2022(6, std::slice::from_ref(extension)));
            w.refuses(create.instruction(), E::QuoteTransferFee);
        }
        w.set_account(MINT, raw::mint_2022(6, &[raw::transfer_fees(None, fee(0), fee(0), 0)]));
        w.ok(create.instruction());
        // What an exchange of an earlier day may have, its bank refuses.
        let bank = self::create(&mut w, &p, &charging[..1]);
        w.edit::<Exchange>(&p.exchange, |exchange| exchange.quote_mint = MINT);
        let bank = bank::Create { market: None, config: quote_bank_config(), ..bank };
        w.refuses(bank.instruction(), E::QuoteTransferFee);
        w.edit::<Exchange>(&p.exchange, |exchange| exchange.quote_mint = p.usdc.mint);
    }

    #[test]
    fn a_quote_of_token_2022_is_paid_in_and_out() {
        let (mut w, p) = World::new();
        w.set_account(MINT, raw::mint_2022(6, &[named(extension::METADATA_POINTER, &[0; 32])]));
        let (admin, owner, token_program) = (p.admin, p.alice.owner, TOKEN_2022_PROGRAM);
        w.ok(exchange::Create { creator: admin, quote_mint: MINT, index: 1, config: exchange_config() }.instruction());
        let exchange = address::exchange(&admin, 1);
        let config = quote_bank_config();
        w.ok(bank::Create { admin, exchange, mint: MINT, token_program, market: None, config }.instruction());
        w.ok(account::Create { payer: owner, owner, exchange, index: 0 }.instruction());
        let account = address::margin_account(&exchange, &owner, 0);
        let source = give(&mut w, &owner, &[]);
        let amount = 700;
        let deposit =
            account::Deposit { authority: owner, exchange, account, mint: MINT, token_program, source, amount };
        w.ok(deposit.instruction());
        let fund =
            waterfall::FundInsurance { funder: owner, exchange, quote_mint: MINT, token_program, source, amount: 50 };
        w.ok(fund.instruction());
        let withdraw = account::Withdraw {
            owner,
            exchange,
            account,
            mint: MINT,
            token_program,
            destination: source,
            amount: 300,
            remaining: vec![],
        };
        w.ok(withdraw.instruction());
        let vault = address::vault(&address::bank(&exchange, &MINT));
        assert_eq!((w.tokens_at(&source), w.tokens_at(&vault)), (550, 450));
        // Into the house and back: a ticket's quote is of the bank's program, its shares are of SPL Token's.
        w.ok(house::Create { admin, exchange }.instruction());
        let ticket = house::Ticket { owner, exchange, quote_mint: MINT, token_program, index: 0 };
        w.ok(ticket.provide(source, 200));
        assert_eq!((w.tokens_at(&source), w.tokens_at(&vault)), (350, 650));
        w.ok(ticket.cancel(house::Asset::Quote, source));
        assert_eq!((w.tokens_at(&source), w.tokens_at(&vault)), (550, 450));
        let wrong = house::Ticket { token_program: TOKEN_PROGRAM, ..ticket };
        w.refuses(wrong.provide(source, 200), E::WrongTokenProgram);
    }
}

/// The events of a transfer with a fee, of which the vault's side is `amount`.
fn events(p: &Places, who: &Trader, amount: i64, sent: u64, received: u64, shares: i64) -> [Event; 2] {
    let (wallet, vault) = (p.eth.tokens_of(&who.owner), p.eth.vault);
    let (source, destination) = if amount > 0 { (wallet, vault) } else { (vault, wallet) };
    [
        Event::TransferFeeWithheld(TransferFeeWithheld { mint: p.eth.mint, source, destination, sent, received }),
        Event::BalanceChanged(BalanceChanged { account: who.account, bank: p.eth.bank, amount, shares }),
    ]
}

/// The tokens in ETH's vault, which are all that its bank counts.
fn vault(w: &World, asset: &Asset) -> u64 {
    let tokens = w.tokens_at(&asset.vault);
    assert_eq!(w.bank(asset).vault_amount, tokens);
    tokens
}

/// The issuer's new fee, which replaces [`ETH_FEE`] from an epoch on.
fn announce(w: &mut World, p: &Places, fee: TransferFee, epoch: u64) {
    let fees = raw::transfer_fees(Some(ISSUER), ETH_FEE, fee, epoch);
    w.set_account(p.eth.mint, raw::mint_2022(8, &[fees]));
}

mod fees {
    use super::*;

    #[test]
    fn a_deposit_counts_what_arrived() {
        let (mut w, p) = World::with_fee();
        let before = w.tokens(&p.alice.owner, &p.eth);
        let outcome = w.deposit(&p.alice, &p.eth, ETHER);
        let amount = ONE_DEPOSITED as i64;
        assert_eq!(outcome.events, events(&p, &p.alice, amount, ETHER, ONE_DEPOSITED, amount));
        assert_eq!((w.shares(&p.alice, &p.eth), vault(&w, &p.eth)), (amount, ONE_DEPOSITED));
        assert_eq!(w.tokens(&p.alice.owner, &p.eth), before - ETHER);
        // Ten would be charged 0.05: the maximum is 0.02.
        w.deposit(&p.alice, &p.eth, 10 * ETHER);
        assert_eq!(vault(&w, &p.eth), ONE_DEPOSITED + 998_000_000);
        // A fee is rounded up: of 199 units one, of 201 two.
        for (sent, received) in [(199, 198), (200, 199), (201, 199)] {
            let before = vault(&w, &p.eth);
            w.deposit(&p.alice, &p.eth, sent);
            assert_eq!(vault(&w, &p.eth) - before, received);
        }
        assert_eq!(w.shares(&p.alice, &p.eth), vault(&w, &p.eth) as i64);
    }

    #[test]
    fn a_deposit_that_is_all_fee_is_refused() {
        let (mut w, p) = World::with_fee();
        w.refuses(w.deposit_ix(&p.alice, &p.eth, 1), E::AmountTooSmall);
        w.deposit(&p.alice, &p.eth, 2);
        assert_eq!(vault(&w, &p.eth), 1);
    }

    #[test]
    fn a_withdrawal_takes_the_amount_from_the_vault_and_the_fee_from_who_receives() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, ETHER);
        let before = w.tokens(&p.alice.owner, &p.eth);
        let outcome = w.withdraw(&p.alice, &p.eth, ETHER / 2);
        let left = ONE_DEPOSITED - ETHER / 2;
        assert_eq!(outcome.events, events(&p, &p.alice, -50_000_000, 50_000_000, 49_750_000, left as i64));
        assert_eq!((vault(&w, &p.eth), w.tokens(&p.alice.owner, &p.eth)), (left, before + 49_750_000));
        // All of it: 49,500,000, of which 247,500 are withheld.
        w.withdraw(&p.alice, &p.eth, u64::MAX);
        assert!(w.margin_account(&p.alice).is_empty());
        assert_eq!((vault(&w, &p.eth), w.tokens(&p.alice.owner, &p.eth)), (0, before + 49_750_000 + 49_252_500));
    }

    #[test]
    fn caps_and_windows_count_the_vaults_amounts() {
        let (mut w, p) = World::with_fee();
        w.configure_bank(&p.eth, |config| {
            (config.deposit_cap, config.outflow_limit, config.outflow_window_seconds) = (ONE_DEPOSITED, ETHER / 2, 60);
        });
        w.deposit(&p.alice, &p.eth, ETHER);
        w.refuses(w.deposit_ix(&p.alice, &p.eth, 2), E::DepositCap);
        w.refuses(w.withdraw_ix(&p.alice, &p.eth, ETHER / 2 + 1), E::OutflowLimit);
        w.withdraw(&p.alice, &p.eth, ETHER / 2);
        w.refuses(w.withdraw_ix(&p.alice, &p.eth, 1), E::OutflowLimit);
    }

    #[test]
    fn the_epochs_fee_is_paid() {
        let (mut w, p) = World::with_fee();
        announce(&mut w, &p, fee(100), 2);
        for (epoch, received) in [(0, ONE_DEPOSITED), (1, ONE_DEPOSITED), (2, 99_000_000), (7, 99_000_000)] {
            w.set_epoch(epoch);
            let before = vault(&w, &p.eth);
            w.deposit(&p.alice, &p.eth, ETHER);
            assert_eq!(vault(&w, &p.eth) - before, received, "epoch {epoch}");
        }
    }

    /// Above the cap nothing more comes in, from the day that it is announced, and everything goes out.
    #[test]
    fn a_fee_that_rises_above_the_cap_closes_the_bank_to_deposits_alone() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, ETHER);
        announce(&mut w, &p, fee(101), 2);
        w.refuses(w.deposit_ix(&p.alice, &p.eth, ETHER), E::TransferFeeTooHigh);
        let before = w.tokens(&p.alice.owner, &p.eth);
        w.withdraw(&p.alice, &p.eth, 1_000_000);
        assert_eq!(w.tokens(&p.alice.owner, &p.eth), before + 995_000);
        w.set_epoch(2);
        w.refuses(w.deposit_ix(&p.alice, &p.eth, ETHER), E::TransferFeeTooHigh);
        w.withdraw(&p.alice, &p.eth, 1_000_000);
        assert_eq!(w.tokens(&p.alice.owner, &p.eth), before + 995_000 + 989_900);
        // Even where the issuer keeps all.
        announce(&mut w, &p, fee(10_000), 2);
        w.withdraw(&p.alice, &p.eth, u64::MAX);
        assert_eq!((vault(&w, &p.eth), w.tokens(&p.alice.owner, &p.eth)), (0, before + 995_000 + 989_900));
        // Lowered again, it is open again.
        announce(&mut w, &p, fee(100), 2);
        w.deposit(&p.alice, &p.eth, ETHER);
    }

    /// Who borrows an ETH owes one and gets 0.5 % less; who repays sends 0.5 % more. Whatever the fee, a debt can be paid.
    #[test]
    fn a_borrow_is_repaid_to_the_last_unit_whatever_the_fee() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.bob, &p.eth, 5 * ETHER);
        w.deposit(&p.alice, &p.usdc, 100_000 * USD as u64);
        let before = w.tokens(&p.alice.owner, &p.eth);
        w.withdraw(&p.alice, &p.eth, ETHER);
        assert_eq!(
            (w.shares(&p.alice, &p.eth), w.tokens(&p.alice.owner, &p.eth)),
            (-(ETHER as i64), before + ONE_DEPOSITED)
        );
        announce(&mut w, &p, fee(250), 0);
        w.deposit(&p.alice, &p.eth, ETHER / 2);
        assert_eq!(w.shares(&p.alice, &p.eth), 48_750_000 - ETHER as i64);
        let bank = w.bank(&p.eth);
        let owed = interest::borrow_amount(w.shares(&p.alice, &p.eth).unsigned_abs(), bank.borrow_index()).unwrap();
        assert_eq!(owed, 51_250_000);
        // 51,250,000 / 0.975, rounded up.
        assert_eq!(fee(250).to_send(owed), Ok(52_564_103));
        let more = fee(250).to_send(owed + 1).unwrap();
        w.refuses(w.deposit_ix(&p.alice, &p.eth, more), E::TransferFeeTooHigh);
        w.deposit(&p.alice, &p.eth, 52_564_103);
        assert_eq!(w.shares(&p.alice, &p.eth), 0);
        assert_eq!(w.bank(&p.eth).borrow_shares, 0);
    }

    fn has_fee(outcome: &Outcome) -> bool {
        outcome.events.iter().any(|event| matches!(event, Event::TransferFeeWithheld(_)))
    }

    /// A liquidator takes deposits over, not tokens: no fee is due until somebody takes them out.
    #[test]
    fn a_liquidation_moves_deposits_and_its_fee_is_paid_at_the_withdrawal() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, 10 * ETHER);
        w.withdraw(&p.alice, &p.usdc, 20_000 * USD as u64);
        w.deposit(&p.carol, &p.usdc, 100_000 * USD as u64);
        w.set_price(&p.eth, 2_200);
        let (held, vault_before) = (w.shares(&p.alice, &p.eth), vault(&w, &p.eth));
        assert_eq!(held, 998_000_000);
        let outcome = w.liquidate(&p.carol, &p.alice);
        let taken = w.shares(&p.carol, &p.eth);
        assert!(!has_fee(&outcome) && taken > 0);
        assert_eq!((w.shares(&p.alice, &p.eth) + taken, vault(&w, &p.eth)), (held, vault_before));
        let before = w.tokens(&p.carol.owner, &p.eth);
        assert!(has_fee(&w.withdraw(&p.carol, &p.eth, u64::MAX)));
        let taken = taken.unsigned_abs();
        assert_eq!(vault(&w, &p.eth), vault_before - taken);
        assert_eq!(w.tokens(&p.carol.owner, &p.eth) - before, taken - (taken * 50).div_ceil(10_000).min(2_000_000));
    }

    /// The reserve falls by what leaves the vault, which is what is paid for.
    #[test]
    fn who_buys_a_reserve_bears_the_fee() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, ETHER);
        let mut account = w.margin_account(&p.alice);
        account.balances[0].shares -= 2_000_000;
        w.put(p.alice.account, &account);
        w.edit::<Bank>(&p.eth.bank, |bank| {
            (bank.deposit_shares, bank.reserve) = (bank.deposit_shares - 2_000_000, 2_000_000);
        });
        let (tokens, dollars) = (w.tokens(&p.bob.owner, &p.eth), w.tokens(&p.bob.owner, &p.usdc));
        let outcome = w.ok(w.buy_reserve_ix(&p.bob.owner, &p.eth, 1_000_000));
        assert!(has_fee(&outcome));
        assert_eq!(w.tokens(&p.bob.owner, &p.eth), tokens + 995_000);
        // 0.01 ETH at 3,000 USD and half a per cent above it.
        assert_eq!(dollars - w.tokens(&p.bob.owner, &p.usdc), 30_150_000);
        assert_eq!((w.bank(&p.eth).reserve, vault(&w, &p.eth)), (1_000_000, ONE_DEPOSITED - 1_000_000));
    }

    #[test]
    fn another_token_program_is_refused() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, ETHER);
        for program in [TOKEN_PROGRAM, Address::default(), ID] {
            for mut ix in [w.deposit_ix(&p.alice, &p.eth, 10), w.withdraw_ix(&p.alice, &p.eth, 10)] {
                ix.accounts[7].pubkey = program;
                w.refuses(&ix, E::WrongTokenProgram);
            }
        }
        // A token account of the other program, of an address of one's choosing: the bytes alone count for nothing.
        let twin = Address::new_from_array([b't'; 32]);
        w.set_account(twin, raw::token_account(&p.eth.mint, &p.alice.owner, ETHER));
        for mut ix in [w.deposit_ix(&p.alice, &p.eth, 10), w.withdraw_ix(&p.alice, &p.eth, 10)] {
            ix.accounts[5].pubkey = twin;
            w.refuses(&ix, E::WrongTokenAccount);
        }
    }
}

mod token_accounts {
    use super::*;

    fn with(w: &mut World, p: &Places, extension: (u16, [u8; 1])) -> Address {
        let address = p.eth.tokens_of(&p.alice.owner);
        let extensions = [(WITHHELD.0, WITHHELD.1.to_vec()), (extension.0, extension.1.to_vec())];
        w.set_account(address, raw::token_account_2022(&p.eth.mint, &p.alice.owner, 10 * ETHER, &extensions));
        address
    }

    /// Only its owner can demand it of a token account. A vault's owner is the exchange, which signs transfers alone.
    #[test]
    fn who_demands_memos_withdraws_to_another_account() {
        let (mut w, p) = World::with_fee();
        w.deposit(&p.alice, &p.eth, ETHER);
        with(&mut w, &p, (8, [1]));
        w.refuses(w.withdraw_ix(&p.alice, &p.eth, 10), NO_MEMO);
        with(&mut w, &p, (8, [0]));
        w.withdraw(&p.alice, &p.eth, 10);
    }

    #[test]
    fn who_guards_his_tokens_from_programs_deposits_none() {
        let (mut w, p) = World::with_fee();
        with(&mut w, &p, (11, [1]));
        w.refuses(w.deposit_ix(&p.alice, &p.eth, ETHER), CPI_GUARD);
        with(&mut w, &p, (11, [0]));
        w.deposit(&p.alice, &p.eth, ETHER);
        with(&mut w, &p, (11, [1]));
        w.withdraw(&p.alice, &p.eth, 10);
    }

    /// A mint may have a freeze authority, as the dollar has. What it freezes stays in its bank; nothing else does.
    #[test]
    fn a_frozen_vault_stops_its_own_bank_alone() {
        for (mut w, p) in [World::new(), World::with_fee()] {
            w.deposit(&p.alice, &p.eth, ETHER);
            w.deposit(&p.alice, &p.sol, SOL as u64);
            let mut account = w.account(&p.eth.vault).unwrap();
            account.data[108] = 2;
            w.set_account(p.eth.vault, account);
            w.refuses(w.withdraw_ix(&p.alice, &p.eth, 10), FROZEN);
            w.refuses(w.deposit_ix(&p.alice, &p.eth, 10), FROZEN);
            w.withdraw(&p.alice, &p.sol, SOL as u64);
        }
    }

    /// Whoever could change the token program could change balances too; what it moved is looked at all the same.
    #[test]
    fn a_transfer_that_moved_another_amount_is_refused() {
        let (mut honest, p) = World::with_fee();
        honest.deposit(&p.alice, &p.eth, ETHER);
        let (mut w, _) = World::with_idle_token_program();
        w.refuses(w.deposit_ix(&p.alice, &p.eth, ETHER), E::TransferMismatch);
        let ours = |owner: Address| owner == ID || owner == TOKEN_2022_PROGRAM;
        for (address, account) in honest.bytes() {
            if let Some(account) = account.filter(|account| ours(account.owner)) {
                w.set_account(address, account);
            }
        }
        w.refuses(w.withdraw_ix(&p.alice, &p.eth, 10), E::TransferMismatch);
    }
}
