//! For every instruction: every account replaced by a wrong one. What a complete table is, [`Table`] says.

use plimsoll_client::instruction::{
    TOKEN_2022_PROGRAM, TOKEN_PROGRAM, account, bank, collateral, controls, exchange, house, lien as build_lien,
    trigger, venue,
};
use plimsoll_e2e_tests::{
    Asset, E, Expected, I, Trader, World,
    chain::{self, COMPANION},
    custody, raw,
    substitution::Table,
    world::{BTC, ETH, Places, SOL, USD, bank_config, create_market_args, exchange_config, market_config, strikes},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{Bank, Board, MAX_STRIKES, Venue, board_state, trigger_side, trigger_when},
    address,
    change::{Change, QuoteFeed, RoleHolder},
    config::{AdapterConfig, MarketConfig, VenueConfig, VolatilityConfig, limits, role, state},
    instruction::{
        AssertHealthArgs, AssertPriceArgs, Contract, FillArgs, FillOrdersArgs, PlaceTriggerArgs, PostVolatilitiesArgs,
        VenueArgs, instrument, tag,
    },
    order::Order,
};
use solana_instruction::Instruction;

use crate::{lien, staking, swap};

/// An address with nothing at it.
const NOWHERE: Address = Address::new_from_array([b'?'; 32]);
/// Anchor's "an account that is to change was passed read-only".
const CONSTRAINT_MUT: I = I::Custom(2000);
/// Anchor's "an account is not at the expected address".
const ADDRESS: I = I::Custom(2012);
/// The clock.
const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Anchor's "an account is no program".
const NOT_EXECUTABLE: I = I::Custom(2007);
/// Anchor's "one account was passed twice where it is to change".
const DUPLICATE: I = I::Custom(2040);

macro_rules! tables {
    ($($name:ident = $tag:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let (mut w, p) = World::new();
                let table = table::$name(&mut w, &p);
                assert_eq!(table.tag(), tag::$tag);
                let cases = table.run(&mut w);
                println!("{cases} substitutions");
            }
        )*

        #[test]
        fn every_instruction_has_a_table() {
            let mut tags = vec![$(tag::$tag),*];
            tags.extend(WITH_ADAPTER);
            tags.sort();
            // What is filled brings accounts of its own: a table for each.
            tags.dedup();
            assert_eq!(tags, tag::ALL);
        }
    };
}

tables! {
    create_exchange = CREATE_EXCHANGE,
    configure_exchange = CONFIGURE_EXCHANGE,
    create_market = CREATE_MARKET,
    configure_market = CONFIGURE_MARKET,
    create_bank = CREATE_BANK,
    configure_bank = CONFIGURE_BANK,
    create_house = CREATE_HOUSE,
    create_account = CREATE_ACCOUNT,
    set_delegate = SET_DELEGATE,
    close_account = CLOSE_ACCOUNT,
    deposit = DEPOSIT,
    withdraw = WITHDRAW,
    open_position = OPEN_POSITION,
    close_position = CLOSE_POSITION,
    observe = OBSERVE,
    accrue = ACCRUE,
    settle = SETTLE,
    flag_liquidation = FLAG_LIQUIDATION,
    liquidate = LIQUIDATE,
    nominate_admin = NOMINATE_ADMIN,
    accept_admin = ACCEPT_ADMIN,
    set_role = SET_ROLE,
    propose = PROPOSE,
    cancel_proposal = CANCEL_PROPOSAL,
    set_pauses = SET_PAUSES,
    wind_down_position = WIND_DOWN_POSITION,
    retire_market = RETIRE_MARKET,
    retire_bank = RETIRE_BANK,
    observe_quote = OBSERVE_QUOTE,
    assert_health = ASSERT_HEALTH,
    assert_sequence = ASSERT_SEQUENCE,
    assert_price = ASSERT_PRICE,
    set_quote_feed = SET_QUOTE_FEED,
    create_board = CREATE_BOARD,
    list_strikes = LIST_STRIKES,
    post_volatilities = POST_VOLATILITIES,
    refresh_board = REFRESH_BOARD,
    sample_expiry = SAMPLE_EXPIRY,
    settle_board = SETTLE_BOARD,
    close_board = CLOSE_BOARD,
    open_option = OPEN_OPTION,
    close_option = CLOSE_OPTION,
    settle_option = SETTLE_OPTION,
    post_forecast = POST_FORECAST,
    accrue_funding = ACCRUE_FUNDING,
    fund_insurance = FUND_INSURANCE,
    buy_reserve = BUY_RESERVE,
    resolve = RESOLVE,
    deleverage = DELEVERAGE,
    begin_liquidation = BEGIN_LIQUIDATION,
    end_liquidation = END_LIQUIDATION,
    place_trigger = PLACE_TRIGGER,
    cancel_trigger = CANCEL_TRIGGER,
    execute_trigger = EXECUTE_TRIGGER,
    fill = FILL,
    fill_of_an_option = FILL,
    fill_of_spot = FILL,
    fill_orders = FILL_ORDERS,
    fill_orders_of_an_option = FILL_ORDERS,
    register_venue = REGISTER_VENUE,
    set_venue_approval = SET_VENUE_APPROVAL,
    venue_fill = VENUE_FILL,
    venue_fill_of_spot = VENUE_FILL,
    create_orders = CREATE_ORDERS,
    cancel_orders = CANCEL_ORDERS,
    configure_venue = CONFIGURE_VENUE,
    value_house = VALUE_HOUSE,
    request_provide = REQUEST_PROVIDE,
    request_redeem = REQUEST_REDEEM,
    execute_ticket = EXECUTE_TICKET,
    cancel_ticket = CANCEL_TICKET,
    claim_ticket = CLAIM_TICKET,
    upgrade_account = UPGRADE_ACCOUNT,
    update_rate = UPDATE_RATE,
    set_rate_source = SET_RATE_SOURCE,
    swap = SWAP,
    register_adapter = REGISTER_ADAPTER,
    configure_adapter = CONFIGURE_ADAPTER,
}

/// Tables whose world has the example of an adapter.
macro_rules! adapter_tables {
    ($($name:ident = $tag:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let (mut w, p, table) = table::$name();
                let _: Places = p;
                assert_eq!(table.tag(), tag::$tag);
                let cases = table.run(&mut w);
                println!("{cases} substitutions");
            }
        )*

        const WITH_ADAPTER: &[u8] = &[$(tag::$tag),*];
    };
}

adapter_tables! {
    open_lien = OPEN_LIEN,
    update_lien = UPDATE_LIEN,
    release_lien = RELEASE_LIEN,
    seize_lien = SEIZE_LIEN,
}

/// Wrong programs in the place of a program.
fn wrong_program(table: Table, index: usize, right: Address) -> Table {
    let other = if right == TOKEN_PROGRAM { TOKEN_2022_PROGRAM } else { TOKEN_PROGRAM };
    table
        .other(index, "another program", other, I::IncorrectProgramId)
        .other(index, "Plimsoll itself", ID, I::IncorrectProgramId)
        .other(index, "no program", NOWHERE, NOT_EXECUTABLE)
}

/// Wrong programs in the place of a bank's token program.
fn wrong_token_program(table: Table, index: usize) -> Table {
    table
        .other(index, "the other token program", TOKEN_2022_PROGRAM, E::WrongTokenProgram)
        .other(index, "another program", Address::default(), E::WrongTokenProgram)
        .other(index, "Plimsoll itself", ID, E::WrongTokenProgram)
        .other(index, "no program", NOWHERE, E::WrongTokenProgram)
}

/// What is no account of the program at all in the place of one: the very bytes under another program, and nothing.
fn foreign(table: Table, w: &mut World, index: usize) -> Table {
    let (address, is_writable) = table.account(index);
    let mut account = w.account(&address).expect("the account exists");
    account.owner = TOKEN_PROGRAM;
    let mut counterfeit = address.to_bytes();
    counterfeit[0] ^= 1;
    w.set_account(counterfeit.into(), account);
    let nothing = if is_writable { I::AccountDataTooSmall } else { I::UninitializedAccount };
    table.other(index, "a counterfeit", counterfeit.into(), I::IllegalOwner).other(index, "nothing", NOWHERE, nothing)
}

/// The same for several accounts.
fn foreign_all(table: Table, w: &mut World, indexes: &[usize]) -> Table {
    indexes.iter().fold(table, |table, index| foreign(table, w, *index))
}

/// Wrong exchanges where the exchange's administrator signs.
fn administrated(table: Table, w: &mut World, p: &Places, admin: usize, exchange: usize) -> Table {
    foreign(table, w, exchange)
        .other(admin, "another's admin", p.mallory, E::NotAdmin)
        .unsigned(admin, I::MissingRequiredSignature)
        .other(exchange, "a margin account", p.alice.account, I::InvalidAccountData)
        .other(exchange, "a market", p.other.sol.market, I::InvalidAccountData)
}

/// Wrong banks, vaults, token accounts, mints and token programs of a transfer in `asset`, which is not `other`. The
/// bank stands at `bank`, the others behind it. `strangers` are the tokens of somebody who does not sign.
fn transfer(table: Table, p: &Places, bank: usize, other: &Asset) -> Table {
    let (vault, token_account, mint, token_program) = (bank + 1, bank + 2, bank + 3, bank + 4);
    let table = table
        .read_only(bank, CONSTRAINT_MUT)
        .other(vault, "another bank's", other.vault, E::WrongVault)
        .other(vault, "another exchange's", p.other.usdc.vault, E::WrongVault)
        .other(vault, "a wallet's", p.usdc.tokens_of(&p.bob.owner), E::WrongVault)
        .read_only(vault, CONSTRAINT_MUT)
        .other(token_account, "of another mint", other.tokens_of(&p.alice.owner), E::WrongTokenAccount)
        .other(token_account, "a mint", other.mint, E::WrongTokenAccount)
        .other(token_account, "another program's", p.bob.account, E::WrongTokenAccount)
        .other(token_account, "nothing", NOWHERE, E::WrongTokenAccount)
        .read_only(token_account, CONSTRAINT_MUT)
        .same(token_account, vault, DUPLICATE)
        .other(mint, "another mint", other.mint, E::WrongMint)
        .other(mint, "nothing", NOWHERE, E::WrongMint);
    wrong_token_program(table, token_program)
}

mod table {
    use super::*;

    pub fn create_exchange(_: &mut World, p: &Places) -> Table {
        let create =
            exchange::Create { creator: p.admin, quote_mint: p.usdc.mint, index: 1, config: exchange_config() };
        let table = Table::new(create.instruction())
            .other(0, "another", p.mallory, I::InvalidSeeds)
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.exchange, I::InvalidSeeds)
            .other(1, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(1, I::PrivilegeEscalation)
            .same(1, 0, DUPLICATE)
            .other(2, "a wallet", p.mallory, E::InvalidMint)
            .other(2, "a token account", p.usdc.vault, E::InvalidMint)
            .other(2, "a bank", p.usdc.bank, E::InvalidMint)
            .other(2, "of other decimals", p.sol.mint, E::UnsupportedDecimals);
        wrong_program(table, 3, Address::default())
    }

    pub fn configure_exchange(w: &mut World, p: &Places) -> Table {
        let configure = exchange::Configure { admin: p.admin, exchange: p.exchange, config: exchange_config() };
        administrated(Table::new(configure.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(1, CONSTRAINT_MUT)
            .other(2, "no proposal", p.alice.account, CONSTRAINT_MUT)
    }

    pub fn create_market(w: &mut World, p: &Places) -> Table {
        let args = create_market_args(&p.sol, "NEW", 9, market_config(SOL).starting());
        let table = Table::new(w.priced().create_market(args));
        let table = administrated(table, w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(1, CONSTRAINT_MUT)
            .other(1, "another exchange", p.other.exchange, I::InvalidSeeds)
            .other(2, "another market", p.sol.market, I::InvalidSeeds)
            .other(2, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(2, I::PrivilegeEscalation)
            .same(2, 0, DUPLICATE);
        wrong_program(table, 3, Address::default())
    }

    /// Markets that stand behind an instruction which computes the house's worth, and their price accounts.
    fn markets(mut table: Table, p: &Places, indexes: [usize; 3]) -> Table {
        let feeds = [
            (p.btc.oracle, E::OracleWrongFeed),
            (p.sol.oracle, E::OracleWrongFeed),
            (p.sol.oracle, E::OracleWrongOwner),
        ];
        for (index, (feed, error)) in indexes.into_iter().zip(feeds) {
            table = table
                .other(index, "another exchange's", p.other.sol.market, E::WrongExchange)
                .read_only(index, E::NotWritable)
                .other(index + 1, "of another feed", feed, error)
                .other(index + 1, "no price account", p.usdc.mint, E::OracleWrongOwner);
        }
        // Without the last market it is the first part of a valuation.
        for index in [indexes[0], indexes[1]] {
            table = table.other(index, "a bank", p.sol.bank, E::HouseRoundOrder).other(
                index,
                "nothing",
                NOWHERE,
                E::HouseRoundOrder,
            );
        }
        table.same(indexes[1], indexes[0], E::HouseRoundOrder)
    }

    pub fn configure_market(w: &mut World, p: &Places) -> Table {
        let raised = MarketConfig { risk_budget: 200_001 * USD as u64, ..market_config(SOL) };
        let table = Table::new(w.priced().configure_market(&p.sol.market, raised));
        let table = administrated(table, w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another exchange's", p.other.house, E::WrongExchange)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(3, "the house of another", p.other.house, I::AccountDataTooSmall)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "no proposal", p.alice.account, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE);
        foreign_all(table, w, &[2, 3])
    }

    pub fn create_bank(w: &mut World, p: &Places) -> Table {
        w.set_account(NOWHERE_MINT, raw::mint(6));
        w.set_account(OTHER_MINT, raw::mint(6));
        let create = bank::Create {
            admin: p.admin,
            exchange: p.exchange,
            mint: NOWHERE_MINT,
            token_program: TOKEN_PROGRAM,
            market: Some(p.sol.market),
            config: bank_config().starting(),
        };
        let table = administrated(Table::new(create.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(1, CONSTRAINT_MUT)
            .other(1, "another exchange", p.other.exchange, I::InvalidSeeds)
            .other(2, "another mint", OTHER_MINT, I::InvalidSeeds)
            .other(2, "a wallet", p.mallory, I::InvalidSeeds)
            .other(2, "a token account", p.usdc.vault, I::InvalidSeeds)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(3, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .other(3, "none", ID, E::BankNeedsMarket)
            .other(4, "another bank", p.sol.bank, I::InvalidSeeds)
            .other(4, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(4, I::PrivilegeEscalation)
            .same(4, 0, DUPLICATE)
            .other(5, "another vault", p.sol.vault, I::InvalidSeeds)
            .other(5, "the owner's", p.usdc.tokens_of(&p.admin), I::InvalidSeeds)
            .read_only(5, CONSTRAINT_MUT);
        let table = wrong_token_program(foreign(table, w, 3), 6);
        wrong_program(table, 7, Address::default())
    }

    const NOWHERE_MINT: Address = Address::new_from_array([b'1'; 32]);
    const OTHER_MINT: Address = Address::new_from_array([b'2'; 32]);

    pub fn configure_bank(w: &mut World, p: &Places) -> Table {
        let configure =
            bank::Configure { admin: p.admin, exchange: p.exchange, bank: p.sol.bank, config: bank_config() };
        let table = administrated(Table::new(configure.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .other(2, "a market", p.sol.market, I::InvalidAccountData)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "no proposal", p.alice.account, CONSTRAINT_MUT);
        foreign(table, w, 2)
    }

    /// Who signs, where the risk admin may too.
    fn controlled(table: Table, w: &mut World, p: &Places, writable: &[usize]) -> Table {
        let table = foreign(table, w, 1)
            .other(0, "another's admin", p.mallory, E::NotRiskAdmin)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::NotRiskAdmin)
            .other(1, "a market", p.other.sol.market, I::InvalidAccountData);
        writable.iter().fold(table, |table, index| table.read_only(*index, CONSTRAINT_MUT))
    }

    pub fn nominate_admin(w: &mut World, p: &Places) -> Table {
        let nominate = controls::NominateAdmin { authority: p.admin, exchange: p.exchange, nominee: p.bob.owner };
        controlled(Table::new(nominate.instruction()), w, p, &[1])
    }

    pub fn accept_admin(w: &mut World, p: &Places) -> Table {
        let nominate = controls::NominateAdmin { authority: p.admin, exchange: p.exchange, nominee: p.bob.owner };
        w.ok(nominate.instruction());
        let accept = controls::AcceptAdmin { nominee: p.bob.owner, exchange: p.exchange };
        foreign(Table::new(accept.instruction()), w, 1)
            .other(0, "the admin", p.admin, E::NotNominee)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::NotNominee)
            .other(1, "a market", p.sol.market, I::InvalidAccountData)
            .read_only(1, CONSTRAINT_MUT)
    }

    /// A timelock of a day, a proposal of `change`, and the day gone by.
    fn proposed(w: &mut World, p: &Places, subject: Address, change: Change) {
        w.configure(|config| config.timelock_seconds = 86_400);
        w.ok(controls::Propose { admin: p.admin, exchange: p.exchange, subject, change }.instruction());
        w.pass(86_400);
    }

    /// Wrong proposals at an index, where the exchange's own is wanted.
    fn wrong_proposals(table: Table, w: &mut World, p: &Places, index: usize) -> Table {
        let change = Change::Bank(bank_config());
        w.ok(controls::Propose { admin: p.admin, exchange: p.exchange, subject: p.sol.bank, change }.instruction());
        foreign(table, w, index)
            .other(index, "another one", address::proposal(&p.sol.bank), E::ProposalMismatch)
            .other(index, "none", ID, E::ProposalWanted)
            .other(index, "a margin account", p.alice.account, I::InvalidAccountData)
            .read_only(index, CONSTRAINT_MUT)
    }

    pub fn set_role(w: &mut World, p: &Places) -> Table {
        let (role, holder) = (role::KEEPER, p.bob.owner);
        proposed(w, p, p.exchange, Change::Role(RoleHolder { role, holder }));
        let set = controls::SetRole { authority: p.admin, exchange: p.exchange, role, holder, proposed: true };
        let table = administrated(Table::new(set.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(1, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE);
        wrong_proposals(table, w, p, 2)
    }

    pub fn set_quote_feed(w: &mut World, p: &Places) -> Table {
        let feed = QuoteFeed { oracle_kind: 0, feed_id: [7; 32], oracle_owner: raw::RECEIVER };
        proposed(w, p, p.exchange, Change::QuoteFeed(feed));
        let set = controls::SetQuoteFeed { admin: p.admin, exchange: p.exchange, feed, proposed: true };
        let table = administrated(Table::new(set.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(1, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE);
        wrong_proposals(table, w, p, 2)
    }

    pub fn propose(w: &mut World, p: &Places) -> Table {
        let change = Change::Bank(bank_config());
        let propose = controls::Propose { admin: p.admin, exchange: p.exchange, subject: p.sol.bank, change };
        let table = administrated(Table::new(propose.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .other(2, "another bank", p.btc.bank, I::InvalidSeeds)
            .other(3, "another bank's", address::proposal(&p.btc.bank), I::InvalidSeeds)
            .other(3, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(3, I::PrivilegeEscalation)
            .same(3, 0, DUPLICATE);
        wrong_program(table, 4, Address::default())
    }

    pub fn cancel_proposal(w: &mut World, p: &Places) -> Table {
        proposed(w, p, p.sol.bank, Change::Bank(bank_config()));
        let (admin, exchange, subject) = (p.mallory, p.other.exchange, p.other.sol.bank);
        let elsewhere = controls::Propose { admin, exchange, subject, change: Change::Bank(bank_config()) };
        w.ok(elsewhere.instruction());
        let cancel = controls::CancelProposal { authority: p.admin, exchange: p.exchange, subject: p.sol.bank };
        let table = Table::new(cancel.instruction())
            .other(0, "another's admin", p.mallory, E::NotRiskAdmin)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(1, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(2, "another exchange's", address::proposal(&subject), E::WrongExchange)
            .other(2, "a margin account", p.alice.account, I::InvalidAccountData)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 0, DUPLICATE);
        foreign_all(table, w, &[1, 2])
    }

    pub fn set_pauses(w: &mut World, p: &Places) -> Table {
        let pauses = controls::SetPauses { authority: p.admin, exchange: p.exchange, set: 1, clear: 2 };
        controlled(Table::new(pauses.instruction()), w, p, &[1])
    }

    pub fn wind_down_position(w: &mut World, p: &Places) -> Table {
        w.deposit(&p.alice, &p.usdc, 1_000 * USD as u64);
        w.open(&p.alice, &p.sol, SOL);
        w.configure_market(&p.sol, |config| config.state = state::WIND_DOWN);
        w.pass(limits::WIND_DOWN_NOTICE_SECONDS_MIN.into());
        w.set_price(&p.sol, 125);
        w.set_price(&p.btc, 60_000);
        let (exchange, account, market, oracle) = (p.exchange, p.alice.account, p.sol.market, p.sol.oracle);
        let wind_down = controls::WindDownPosition { exchange, account, market, oracle };
        let table = exchange_of_account(Table::new(wind_down.instruction()), w, p, 0, 1)
            .other(1, "another's", p.bob.account, E::NoPosition)
            .other(2, "another market", p.btc.market, E::OracleWrongFeed)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE)
            .other(3, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(3, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(3, "nothing", NOWHERE, E::OracleWrongOwner);
        foreign(table, w, 2)
    }

    pub fn retire_market(w: &mut World, p: &Places) -> Table {
        w.configure_market(&p.sol, |config| (config.state, config.risk_budget) = (state::WIND_DOWN, 0));
        let retire = controls::RetireMarket { admin: p.admin, exchange: p.exchange, market: p.sol.market };
        let table = administrated(Table::new(retire.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .other(2, "another market", p.btc.market, E::NotEmpty)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT);
        foreign(table, w, 2)
    }

    pub fn retire_bank(w: &mut World, p: &Places) -> Table {
        w.configure_bank(&p.sol, |config| config.state = state::WIND_DOWN);
        let retire = controls::RetireBank { admin: p.admin, exchange: p.exchange, bank: p.sol.bank };
        let table = administrated(Table::new(retire.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .other(2, "another bank", p.btc.bank, E::NotEmpty)
            .other(2, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .other(2, "a market", p.sol.market, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT);
        foreign(table, w, 2)
    }

    pub fn observe_quote(w: &mut World, p: &Places) -> Table {
        let feed = QuoteFeed { oracle_kind: 0, feed_id: p.sol.feed_id, oracle_owner: raw::RECEIVER };
        w.ok(controls::SetQuoteFeed { admin: p.admin, exchange: p.exchange, feed, proposed: false }.instruction());
        let table = Table::new(controls::ObserveQuote { exchange: p.exchange, oracle: p.sol.oracle }.instruction())
            .other(0, "one without a feed", p.other.exchange, E::NoQuoteFeed)
            .other(0, "a market", p.sol.market, I::InvalidAccountData)
            .read_only(0, CONSTRAINT_MUT)
            .other(1, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(1, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(1, "nothing", NOWHERE, E::OracleWrongOwner);
        foreign(table, w, 0)
    }

    pub fn assert_health(w: &mut World, p: &Places) -> Table {
        position(w, p);
        let args = AssertHealthArgs { kind: 0, minimum: USD };
        let table = Table::new(w.priced().assert_health(&w.keyed(&p.alice), args));
        let table = foreign_all(table, w, &[0, 1])
            .other(0, "another exchange", p.other.exchange, E::WrongExchange)
            .other(0, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(1, "another's", p.bob.account, E::HealthAssertion)
            .other(1, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(1, "a bank", p.sol.bank, I::AccountDataTooSmall);
        // Behind: SOL, ETH and BTC, each with its price account, then the banks of SOL and ETH.
        listed(table, p, [2, 4, 6], &[8, 9])
    }

    pub fn assert_sequence(w: &mut World, p: &Places) -> Table {
        w.deposit(&p.alice, &p.usdc, 1);
        let assert = controls::AssertSequence { account: p.alice.account, sequence: 1 };
        foreign(Table::new(assert.instruction()), w, 0)
            .other(0, "another's", p.bob.account, E::SequenceAssertion)
            .other(0, "a market", p.sol.market, I::AccountDataTooSmall)
    }

    pub fn assert_price(w: &mut World, p: &Places) -> Table {
        let args = AssertPriceArgs { minimum: 1, maximum: 1 << 45, max_age_seconds: 0 };
        let assert = controls::AssertPrice { market: p.sol.market, oracle: Some(p.sol.oracle), args };
        foreign(Table::new(assert.instruction()), w, 0)
            .other(0, "another market", p.btc.market, E::OracleWrongFeed)
            .other(0, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .other(1, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(1, "nothing", NOWHERE, E::OracleWrongOwner)
    }

    pub fn set_rate_source(w: &mut World, p: &Places) -> Table {
        let lst = rated(w, p);
        let source = staking::plain();
        proposed(w, p, lst.bank, Change::RateSource(source));
        let set = collateral::SetRateSource { proposed: true, ..staking::source(p, &lst, source) };
        let table = Table::new(set.instruction());
        w.set_account(NOWHERE_MINT, raw::stake_pool(&OTHER_MINT, 5, 4, 0));
        let table = administrated(table, w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .other(2, "another bank", p.sol.bank, E::RateSourceInvalid)
            .other(2, "a market", p.sol.market, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "nothing", NOWHERE, E::RateWrongSource)
            .other(3, "another mint's pool", NOWHERE_MINT, E::RateWrongSource)
            .other(3, "a price account", p.sol.oracle, E::RateWrongSource);
        let table = foreign(table, w, 2).read_only(0, I::MissingRequiredSignature).same(4, 2, DUPLICATE);
        wrong_proposals(table, w, p, 4)
    }

    fn adapter_config() -> AdapterConfig {
        AdapterConfig { cap: 0, ..lien::config() }
    }

    pub fn register_adapter(w: &mut World, p: &Places) -> Table {
        let (admin, exchange, bank, config) = (p.admin, p.exchange, p.sol.bank, adapter_config());
        let register = build_lien::RegisterAdapter { admin, exchange, bank, program: ID, config };
        let table = administrated(Table::new(register.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::NotAdmin)
            .other(2, "another bank", p.btc.bank, I::InvalidSeeds)
            .other(2, "another exchange's", p.other.sol.bank, I::InvalidSeeds)
            .other(2, "a market", p.btc.market, I::InvalidAccountData)
            .other(3, "another program", TOKEN_PROGRAM, I::InvalidSeeds)
            .other(3, "no program", NOWHERE, I::InvalidSeeds)
            .other(4, "another adapter", address::adapter(&p.sol.bank, &TOKEN_PROGRAM), I::InvalidSeeds)
            .other(4, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(4, I::PrivilegeEscalation)
            .same(4, 0, DUPLICATE);
        wrong_program(foreign(table, w, 2), 5, Address::default())
    }

    pub fn configure_adapter(w: &mut World, p: &Places) -> Table {
        let (admin, exchange, bank, config) = (p.admin, p.exchange, p.sol.bank, adapter_config());
        w.ok(build_lien::RegisterAdapter { admin, exchange, bank, program: ID, config }.instruction());
        let elsewhere = (p.mallory, p.other.exchange, p.other.sol.bank);
        let (admin, exchange, bank) = elsewhere;
        w.ok(build_lien::RegisterAdapter { admin, exchange, bank, program: ID, config }.instruction());
        let (adapter, foreigner) = (address::adapter(&p.sol.bank, &ID), address::adapter(&bank, &ID));
        let config = lien::config();
        proposed(w, p, adapter, Change::Adapter(config));
        let (authority, exchange) = (p.admin, p.exchange);
        let configure = build_lien::ConfigureAdapter { authority, exchange, adapter, config, proposed: true };
        let table = administrated(Table::new(configure.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another exchange's", foreigner, E::WrongExchange)
            .other(2, "a margin account", p.alice.account, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE);
        wrong_proposals(foreign(table, w, 2), w, p, 3)
    }

    /// A second adapter of the same program, of BTC's bank, and a lien of Bob's with the first.
    fn strangers(w: &mut World, p: &Places) -> [Address; 2] {
        let (admin, exchange, bank, config) = (p.admin, p.exchange, p.btc.bank, adapter_config());
        let program = chain::ADAPTER_PROGRAM;
        w.ok(build_lien::RegisterAdapter { admin, exchange, bank, program, config }.instruction());
        let bobs = lien::lien_of(w, &p.bob, &p.sol, lien::OTHER_POSITION, SOL as u64);
        [address::adapter(&bank, &program), bobs]
    }

    pub fn open_lien() -> (World, Places, Table) {
        let (mut w, p) = lien::locked();
        let [adapter, bobs] = strangers(&mut w, &p);
        let ix = lien::open(&w, &p.alice, &p.sol, lien::POSITION, SOL as u64);
        let table = exchange_of_account(Table::new(ix), &mut w, &p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwner)
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwner)
            .other(3, "another bank", p.btc.bank, E::WrongAdapter)
            .other(3, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .other(3, "a market", p.sol.market, I::InvalidAccountData)
            .other(4, "another bank's", adapter, E::WrongAdapter)
            .other(4, "a bank", p.btc.bank, I::InvalidAccountData)
            .read_only(3, CONSTRAINT_MUT)
            .read_only(4, CONSTRAINT_MUT)
            .other(5, "another's record", lien::OTHER_POSITION, I::InvalidSeeds)
            .other(5, "nothing", NOWHERE, I::InvalidSeeds)
            .other(6, "another's", bobs, I::InvalidSeeds)
            .other(6, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(6, I::PrivilegeEscalation)
            .same(6, 0, DUPLICATE);
        let table = wrong_program(foreign_all(table, &mut w, &[3, 4]), 7, Address::default());
        (w, p, table)
    }

    /// Wrong banks, adapters and liens: what all three instructions of a lien have in common.
    fn of_a_lien(table: Table, w: &mut World, p: &Places, [bank, adapter, record, lien]: [usize; 4]) -> Table {
        let [other, bobs] = strangers(w, p);
        let table = table
            .other(bank, "another bank", p.btc.bank, E::WrongAdapter)
            .other(bank, "another exchange's", p.other.sol.bank, E::WrongAdapter)
            .other(bank, "a market", p.btc.market, I::InvalidAccountData)
            .other(adapter, "another bank's", other, E::WrongAdapter)
            .other(adapter, "a bank", p.btc.bank, I::InvalidAccountData)
            .other(record, "another's", lien::OTHER_POSITION, E::WrongLienRecord)
            .other(record, "nothing", NOWHERE, E::WrongLienRecord)
            .other(lien, "another's", bobs, E::WrongLienRecord)
            .other(lien, "a bank", p.btc.bank, I::InvalidAccountData)
            .read_only(lien, CONSTRAINT_MUT);
        foreign_all(table, w, &[bank, adapter, lien])
    }

    pub fn update_lien() -> (World, Places, Table) {
        let (mut w, p) = lien::sinking();
        let ix = lien::update(&w, &p.alice, &p.sol, lien::POSITION);
        let table =
            exchange_of_account(Table::new(ix), &mut w, &p, 0, 1).other(1, "another's", p.bob.account, E::WrongLien);
        let table = of_a_lien(table, &mut w, &p, [2, 3, 4, 5]);
        // Behind: SOL and its price account, then the dollar's bank.
        let table = behind(table, &p, &[6], 8);
        (w, p, table)
    }

    pub fn release_lien() -> (World, Places, Table) {
        let (mut w, p) = lien::opened();
        w.withdraw(&p.alice, &p.usdc, USD as u64);
        let ix = lien::release(&w, &p.alice, &p.sol, lien::POSITION, 1);
        let table = exchange_of_account(Table::new(ix), &mut w, &p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwner)
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwner)
            .read_only(3, CONSTRAINT_MUT)
            .read_only(4, CONSTRAINT_MUT)
            .other(5, "another", p.mallory, E::WrongLienAuthority)
            .other(6, "another program", TOKEN_PROGRAM, E::WrongAdapterProgram)
            .read_only(7, CONSTRAINT_MUT);
        let table = of_a_lien(table, &mut w, &p, [3, 4, 7, 8]);
        // Behind: SOL and its price account, then the dollar's bank.
        let table = behind(table, &p, &[9], 11);
        (w, p, table)
    }

    pub fn seize_lien() -> (World, Places, Table) {
        let (mut w, p) = lien::sinking();
        let ix = lien::seize(&w, &p.alice, &p.sol, lien::POSITION);
        let table = exchange_of_account(Table::new(ix), &mut w, &p, 0, 1)
            .other(1, "another's", p.bob.account, E::NotOwner)
            .other(2, "another", p.mallory, E::NotOwner)
            .read_only(2, CONSTRAINT_MUT)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "another bank's", p.btc.vault, E::WrongVault)
            .other(4, "Mallory's", p.sol.tokens_of(&p.mallory), E::WrongVault)
            .read_only(4, CONSTRAINT_MUT)
            .read_only(5, CONSTRAINT_MUT)
            .other(6, "another", p.mallory, E::WrongLienAuthority)
            .other(7, "another program", TOKEN_PROGRAM, E::WrongAdapterProgram)
            .read_only(8, CONSTRAINT_MUT);
        let table = wrong_token_program(of_a_lien(table, &mut w, &p, [3, 5, 8, 9]), 10);
        // Behind: SOL and its price account, then the dollar's bank; last what the example wants.
        let table = behind(table, &p, &[11], 13)
            .other(14, "another's vault", custody::vault(&lien::OTHER_POSITION), I::Custom(4))
            .read_only(14, I::PrivilegeEscalation)
            .other(15, "another", p.mallory, I::PrivilegeEscalation);
        (w, p, table)
    }

    /// A bank of a staked token, and the pool that says its rate.
    fn rated(w: &mut World, p: &Places) -> Asset {
        let lst = w.add_bank(staking::MINT, 9, p.sol.market, bank_config());
        staking::pool(w, 1_250, 0);
        lst
    }

    pub fn swap(w: &mut World, p: &Places) -> Table {
        position(w, p);
        let ix = swap::swap_ix(w, &p.alice, &p.eth, swap::any(-ETH / 1_000));
        let table = exchange_of_account(Table::new(ix), w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(3, "another exchange's", p.other.house, E::WrongExchange)
            .other(3, "a market", p.btc.market, I::InvalidAccountData)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(4, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(4, CONSTRAINT_MUT)
            .other(5, "of another market", p.btc.bank, E::RateWrongMarket)
            .other(5, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .read_only(5, CONSTRAINT_MUT)
            .same(5, 4, DUPLICATE)
            .other(6, "another market", p.btc.market, E::RateWrongMarket)
            .other(6, "another exchange's", p.other.sol.market, E::RateWrongMarket)
            .read_only(6, CONSTRAINT_MUT)
            .other(7, "of another program's feed", p.btc.oracle, E::OracleWrongOwner)
            .other(7, "nothing", NOWHERE, E::OracleWrongOwner);
        let table = foreign_all(table, w, &[3, 4, 5, 6]);
        // Behind: SOL and BTC, each with its price account, then the bank of SOL.
        listed(table, p, [8, 10, 8], &[12])
    }

    pub fn update_rate(w: &mut World, p: &Places) -> Table {
        let lst = rated(w, p);
        w.ok(staking::source(p, &lst, staking::capped()).instruction());
        let price = raw::price_update_v2(&staking::FEED.to_bytes(), &w.price(160));
        w.set_account(staking::FEED, raw::account(raw::RECEIVER, price));
        let table = Table::new(staking::update_capped(p, &lst))
            .other(0, "a bank without a rate", p.sol.bank, E::RateNotConfigured)
            .other(0, "another exchange's", p.other.sol.bank, E::RateWrongMarket)
            .other(0, "a market", p.btc.market, I::InvalidAccountData)
            .read_only(0, CONSTRAINT_MUT)
            .other(1, "another market", p.btc.market, E::RateWrongMarket)
            .other(1, "another exchange's", p.other.sol.market, E::RateWrongMarket)
            .other(1, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .other(2, "nothing", NOWHERE, E::RateWrongSource)
            .other(2, "a price account", p.sol.oracle, E::RateWrongSource)
            .other(3, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(3, "nothing", NOWHERE, E::OracleWrongOwner)
            .other(4, "none", ID, E::RateFeedMissing)
            .other(4, "of another feed", p.sol.oracle, E::OracleWrongFeed)
            .other(4, "nothing", NOWHERE, E::OracleWrongOwner);
        foreign_all(table, w, &[0, 1])
    }

    pub fn create_house(w: &mut World, p: &Places) -> Table {
        let (creator, quote_mint) = (p.admin, p.usdc.mint);
        w.ok(exchange::Create { creator, quote_mint, index: 1, config: exchange_config() }.instruction());
        let exchange = address::exchange(&p.admin, 1);
        let table = Table::new(house::Create { admin: p.admin, exchange }.instruction());
        let table = administrated(table, w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "one that has a house", p.exchange, I::InvalidSeeds)
            .other(1, "another exchange", p.other.exchange, I::InvalidSeeds)
            .other(2, "another house", p.house, I::InvalidSeeds)
            .other(2, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(2, I::PrivilegeEscalation)
            .same(2, 0, DUPLICATE)
            .other(3, "another mint", p.share_mint, I::InvalidSeeds)
            .other(3, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(3, I::PrivilegeEscalation)
            .other(4, "another escrow", w.house().escrow, I::InvalidSeeds)
            .other(4, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(4, I::PrivilegeEscalation);
        let table = wrong_program(table, 5, TOKEN_PROGRAM);
        wrong_program(table, 6, Address::default())
    }

    pub fn value_house(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.priced().value_house())
            .other(0, "another exchange", p.other.exchange, E::WrongExchange)
            .other(0, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(1, "another exchange's", p.other.house, E::WrongExchange)
            .other(1, "a bank", p.sol.bank, I::InvalidAccountData)
            .read_only(1, CONSTRAINT_MUT)
            .other(2, "another bank", p.sol.bank, E::WrongQuoteBank)
            .other(2, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE);
        markets(foreign_all(table, w, &[0, 1, 2]), p, [3, 5, 7])
    }

    /// Wrong roots where a ticket's owner signs first.
    fn ticket_roots(table: Table, w: &mut World, p: &Places, other_house: impl Into<Expected>) -> Table {
        let table = table
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(1, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(2, "another exchange's", p.other.house, other_house)
            .other(2, "a bank", p.sol.bank, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another bank", p.sol.bank, E::WrongQuoteBank)
            .other(3, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .same(3, 2, DUPLICATE);
        foreign_all(table, w, &[1, 2, 3])
    }

    /// Tickets at 4 that are another's, another house's, or none.
    fn of_another(table: Table, w: &mut World, p: &Places) -> Table {
        let mut there = w.ticket_data(&p.admin, 1);
        (there.house, there.amount, there.proceeds) = (p.other.house, 0, 0);
        let elsewhere = Address::new_from_array([b'3'; 32]);
        w.put(elsewhere, &there);
        let table = table
            .other(4, "another house's", elsewhere, E::WrongExchange)
            .other(4, "a house", p.other.house, I::InvalidAccountData)
            .read_only(4, CONSTRAINT_MUT);
        foreign(table, w, 4)
    }

    /// What a ticket puts aside or gives back: custody, the owner's token account, mint and token program.
    fn put_aside(table: Table, p: &Places, at: [usize; 4], other: &Asset, wrong: E) -> Table {
        let [custody, tokens, mint, program] = at;
        let table = table
            .other(custody, "another bank's", other.vault, wrong)
            .other(custody, "another exchange's", p.other.usdc.vault, wrong)
            .other(custody, "a wallet's", p.usdc.tokens_of(&p.bob.owner), wrong)
            .read_only(custody, CONSTRAINT_MUT)
            .other(tokens, "of another mint", other.tokens_of(&p.admin), E::WrongTokenAccount)
            .other(tokens, "a mint", other.mint, E::WrongTokenAccount)
            .other(tokens, "nothing", NOWHERE, E::WrongTokenAccount)
            .read_only(tokens, CONSTRAINT_MUT)
            .same(tokens, custody, DUPLICATE)
            .other(mint, "another mint", other.mint, E::WrongMint)
            .other(mint, "nothing", NOWHERE, E::WrongMint);
        wrong_token_program(table, program)
    }

    fn request(table: Table, w: &mut World, p: &Places, other: &Asset, wrong: E) -> Table {
        let table = ticket_roots(table, w, p, I::InvalidSeeds)
            .other(0, "another's", p.mallory, I::InvalidSeeds)
            .read_only(0, I::MissingRequiredSignature)
            .other(4, "another ticket", w.ticket(&p.admin, 9).address(), I::InvalidSeeds)
            .other(4, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(4, I::PrivilegeEscalation)
            .same(4, 2, DUPLICATE);
        let table = put_aside(table, p, [6, 5, 7, 8], other, wrong);
        wrong_program(table, 9, Address::default())
    }

    pub fn request_provide(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.request_provide_ix(&p.admin, 0, 1));
        request(table, w, p, &p.sol, E::WrongVault)
            // The token program's "owner does not match".
            .other(5, "another's tokens", p.usdc.tokens_of(&p.alice.owner), I::Custom(4))
            .other(7, "the shares'", p.share_mint, E::WrongMint)
    }

    pub fn request_redeem(w: &mut World, p: &Places) -> Table {
        let hers = w.shares_of(&p.alice.owner);
        w.set_account(hers, raw::token_account(&p.share_mint, &p.alice.owner, 1));
        let table = Table::new(w.request_redeem_ix(&p.admin, 0, 1));
        request(table, w, p, &p.usdc, E::WrongEscrow)
            .other(5, "another's tokens", w.shares_of(&p.alice.owner), I::Custom(4))
            .other(7, "the other house's", address::share_mint(&p.other.house), E::WrongMint)
    }

    /// Tickets 0, 1 and 2 of the admin: to be executed; not executed; executed.
    fn tickets(w: &mut World, p: &Places) {
        w.ok(w.request_provide_ix(&p.admin, 0, USD as u64));
        w.ok(w.request_redeem_ix(&p.admin, 2, USD as u64));
        w.pass(60);
        w.value_house_freshly();
        w.ok(w.ticket(&p.admin, 2).execute());
        w.ok(w.request_provide_ix(&p.admin, 1, USD as u64));
    }

    pub fn execute_ticket(w: &mut World, p: &Places) -> Table {
        tickets(w, p);
        let table = Table::new(w.ticket(&p.admin, 0).execute())
            .other(0, "another exchange", p.other.exchange, E::WrongExchange)
            .other(0, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(1, "another exchange's", p.other.house, E::WrongExchange)
            .other(1, "a bank", p.sol.bank, I::InvalidAccountData)
            .read_only(1, CONSTRAINT_MUT)
            .other(2, "another bank", p.sol.bank, E::WrongQuoteBank)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE)
            .other(3, "one whose time has not come", w.ticket(&p.admin, 1).address(), E::TicketTooEarly)
            .other(3, "one that is executed", w.ticket(&p.admin, 2).address(), E::TicketExecuted)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "another mint", p.usdc.mint, E::WrongMint)
            .other(4, "the other house's", address::share_mint(&p.other.house), E::WrongMint)
            .read_only(4, CONSTRAINT_MUT)
            .other(5, "the vault", p.usdc.vault, E::WrongEscrow)
            .other(5, "the other house's", address::escrow(&p.other.house), E::WrongEscrow)
            .read_only(5, CONSTRAINT_MUT)
            .same(5, 4, DUPLICATE);
        let mut there = w.ticket_data(&p.admin, 0);
        (there.house, there.amount, there.proceeds) = (p.other.house, 0, 0);
        let elsewhere = Address::new_from_array([b'3'; 32]);
        w.put(elsewhere, &there);
        let table = table.other(3, "another house's", elsewhere, E::WrongExchange);
        wrong_program(foreign_all(table, w, &[0, 1, 2, 3]), 6, TOKEN_PROGRAM)
    }

    pub fn cancel_ticket(w: &mut World, p: &Places) -> Table {
        tickets(w, p);
        let asset = house::Asset::Quote;
        let table = Table::new(w.ticket(&p.admin, 1).cancel(asset, p.usdc.tokens_of(&p.admin)));
        let table = ticket_roots(table, w, p, E::WrongExchange)
            .other(0, "another", p.mallory, E::NotOwner)
            .read_only(0, I::MissingRequiredSignature)
            .other(4, "one that is bound", w.ticket(&p.admin, 0).address(), E::TicketBound)
            .other(4, "one that is executed", w.ticket(&p.admin, 2).address(), E::TicketExecuted);
        put_aside(of_another(table, w, p), p, [5, 6, 7, 8], &p.sol, E::WrongVault)
    }

    pub fn claim_ticket(w: &mut World, p: &Places) -> Table {
        tickets(w, p);
        w.ok(w.ticket(&p.admin, 0).execute());
        let shares = w.shares_of(&p.admin);
        let table = Table::new(w.ticket(&p.admin, 0).claim(house::Asset::Shares, shares));
        let table = ticket_roots(table, w, p, E::WrongExchange)
            .other(0, "another", p.mallory, E::NotOwner)
            .read_only(0, I::MissingRequiredSignature)
            .other(4, "one that is not executed", w.ticket(&p.admin, 1).address(), E::TicketNotExecuted)
            // It holds quote, and the vault was not passed.
            .other(4, "one that holds quote", w.ticket(&p.admin, 2).address(), E::WrongVault);
        put_aside(of_another(table, w, p), p, [5, 6, 7, 8], &p.usdc, E::WrongEscrow)
    }

    pub fn create_account(w: &mut World, p: &Places) -> Table {
        let create = account::Create { payer: p.bob.owner, owner: p.alice.owner, exchange: p.exchange, index: 1 };
        let table = Table::new(create.instruction())
            // The system program's "not enough lamports".
            .other(0, "a pauper", w.key("pauper"), I::Custom(1))
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another owner", p.carol.owner, I::InvalidSeeds)
            .unsigned(1, I::MissingRequiredSignature)
            .other(2, "another exchange", p.other.exchange, I::InvalidSeeds)
            .other(2, "a market", p.sol.market, I::InvalidAccountData)
            .other(3, "another account", p.alice.account, I::InvalidSeeds)
            .other(3, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(3, I::PrivilegeEscalation)
            .same(3, 0, DUPLICATE);
        wrong_program(foreign(table, w, 2), 4, Address::default())
    }

    pub fn upgrade_account(w: &mut World, p: &Places) -> Table {
        let mut old = w.account(&p.alice.account).unwrap();
        old.data = raw::as_version_1(&w.margin_account(&p.alice));
        old.lamports = (3_968 + 128) * 6_960;
        w.set_account(p.alice.account, old);
        let table = Table::new(account::Upgrade { payer: p.bob.owner, account: p.alice.account }.instruction())
            // The system program's "not enough lamports".
            .other(0, "a pauper", w.key("pauper"), I::Custom(1))
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "one of this layout", p.bob.account, E::LayoutCurrent)
            .other(1, "a market", p.sol.market, E::LayoutUnknown)
            .other(1, "nowhere", NOWHERE, E::LayoutUnknown)
            .read_only(1, CONSTRAINT_MUT)
            .same(1, 0, DUPLICATE);
        wrong_program(table, 2, Address::default())
    }

    /// Wrong margin accounts where their owner signs.
    fn owned(table: Table, w: &mut World, p: &Places, owner: usize, account: usize) -> Table {
        foreign(table, w, account)
            .other(owner, "another", p.bob.owner, E::NotOwner)
            .unsigned(owner, I::MissingRequiredSignature)
            .other(account, "another's", p.bob.account, E::NotOwner)
            .other(account, "a market", p.sol.market, I::AccountDataTooSmall)
            .read_only(account, CONSTRAINT_MUT)
    }

    pub fn set_delegate(w: &mut World, p: &Places) -> Table {
        let (owner, account) = (p.alice.owner, p.alice.account);
        let set = account::SetDelegate { owner, account, delegate: p.bob.owner, scope: 0 };
        owned(Table::new(set.instruction()), w, p, 0, 1)
    }

    pub fn close_account(w: &mut World, p: &Places) -> Table {
        let close = account::Close { owner: p.alice.owner, account: p.alice.account };
        owned(Table::new(close.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .same(1, 0, DUPLICATE)
    }

    pub fn deposit(w: &mut World, p: &Places) -> Table {
        let table = exchange_of_account(Table::new(w.deposit_ix(&p.alice, &p.usdc, 1)), w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(3, "another bank", p.sol.bank, E::WrongVault)
            .other(3, "another exchange's", p.other.usdc.bank, E::WrongExchange)
            .other(3, "a market", p.sol.market, I::InvalidAccountData)
            .other(5, "another's tokens", p.usdc.tokens_of(&p.bob.owner), I::Custom(4))
            .same(3, 2, DUPLICATE)
            .same(5, 4, DUPLICATE);
        transfer(foreign(table, w, 3), p, 3, &p.sol)
    }

    /// Wrong exchanges and wrong margin accounts beside one another.
    fn exchange_of_account(table: Table, w: &mut World, p: &Places, exchange: usize, account: usize) -> Table {
        foreign_all(table, w, &[exchange, account])
            .other(exchange, "another exchange", p.other.exchange, E::WrongExchange)
            .other(exchange, "a margin account", p.bob.account, I::InvalidAccountData)
            .other(exchange, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(account, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(account, "a bank", p.other.sol.bank, I::AccountDataTooSmall)
            .read_only(account, CONSTRAINT_MUT)
    }

    /// Alice holds SOL and ETH and is long BTC.
    fn position(w: &mut World, p: &Places) {
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.deposit(&p.alice, &p.eth, ETH as u64 / 10);
        w.open(&p.alice, &p.btc, BTC / 100);
    }

    pub fn withdraw(w: &mut World, p: &Places) -> Table {
        position(w, p);
        let table = exchange_of_account(Table::new(w.withdraw_ix(&p.alice, &p.usdc, 1)), w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwner)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwner)
            .other(3, "another bank", p.sol.bank, DUPLICATE)
            .other(3, "a bank that Alice does not use", p.btc.bank, E::WrongVault)
            .other(3, "another exchange's", p.other.usdc.bank, E::WrongExchange)
            .other(3, "a market", p.other.sol.market, I::InvalidAccountData)
            .same(3, 2, DUPLICATE)
            .same(5, 4, DUPLICATE);
        let table = transfer(foreign(table, w, 3), p, 3, &p.sol);
        // Behind: SOL, ETH and BTC, each with its price account, then the banks of SOL and ETH.
        let table = listed(table, p, [8, 10, 12], &[14, 15]);
        table.same(14, 3, DUPLICATE).same(14, 2, DUPLICATE)
    }

    /// Markets that a margin account uses, their price accounts, and its banks.
    fn listed(mut table: Table, p: &Places, markets: [usize; 3], banks: &[usize]) -> Table {
        for index in markets {
            table = table
                .other(index, "another exchange's", p.other.sol.market, E::MissingMarket)
                .other(index, "a bank", p.other.sol.bank, E::MissingMarket)
                .other(index, "nothing", NOWHERE, E::MissingMarket)
                .other(index + 1, "no price account", p.usdc.mint, E::OracleWrongOwner)
                .other(index + 1, "nothing", NOWHERE, E::OracleWrongOwner);
        }
        for index in banks {
            table = table
                .other(*index, "another exchange's", p.other.sol.bank, E::MissingBank)
                .other(*index, "a market", p.other.sol.market, E::MissingBank)
                .other(*index, "nothing", NOWHERE, E::MissingBank);
        }
        table
    }

    /// Wrong accounts of a trade in SOL.
    fn trade(table: Table, w: &mut World, p: &Places) -> Table {
        let table = exchange_of_account(table, w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(3, "a margin account", p.carol.account, I::InvalidAccountData)
            .other(3, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(3, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE)
            .other(4, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(4, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(4, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(4, "nothing", NOWHERE, E::OracleWrongOwner);
        foreign(table, w, 3)
    }

    pub fn open_position(w: &mut World, p: &Places) -> Table {
        position(w, p);
        w.deposit(&p.alice, &p.usdc, 1);
        let table = trade(Table::new(w.open_ix(&p.alice, &p.sol, SOL)), w, p).other(
            3,
            "another market",
            p.btc.market,
            DUPLICATE,
        );
        // Behind: ETH and BTC with their price accounts, then SOL's bank, ETH's and the dollar's.
        trade_list(table, p)
    }

    pub fn close_position(w: &mut World, p: &Places) -> Table {
        position(w, p);
        w.deposit(&p.alice, &p.usdc, 1);
        w.open(&p.alice, &p.sol, SOL);
        w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
        w.open(&p.bob, &p.sol, SOL);
        let table = trade(Table::new(w.close_ix(&p.alice, &p.sol, u64::MAX)), w, p).other(
            3,
            "another market",
            p.btc.market,
            DUPLICATE,
        );
        trade_list(table, p)
    }

    fn trade_list(table: Table, p: &Places) -> Table {
        let table = listed(table, p, [5, 7, 5], &[9, 10, 11]);
        table
            .other(6, "of another feed", p.btc.oracle, E::OracleWrongOwner)
            .other(8, "of another feed", p.sol.oracle, E::OracleWrongFeed)
            .same(5, 3, DUPLICATE)
            .same(9, 2, DUPLICATE)
    }

    /// A stop loss for a long position in SOL that is due at any price.
    fn stop() -> PlaceTriggerArgs {
        let (side, when) = (trigger_side::LONG, trigger_when::AT_OR_BELOW);
        PlaceTriggerArgs { trigger_price: u64::MAX, limit_price: 0, size: u64::MAX, tip: 1, expires_at: 0, side, when }
    }

    pub fn place_trigger(w: &mut World, p: &Places) -> Table {
        let (authority, account, market) = (p.alice.owner, p.alice.account, p.sol.market);
        let place = trigger::Place { authority, account, market, args: stop() };
        let table = Table::new(place.instruction())
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(1, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(1, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(1, CONSTRAINT_MUT)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .same(2, 1, DUPLICATE);
        foreign_all(table, w, &[1, 2])
    }

    pub fn cancel_trigger(w: &mut World, p: &Places) -> Table {
        let (authority, account, market) = (p.alice.owner, p.alice.account, p.sol.market);
        w.ok(trigger::Place { authority, account, market, args: stop() }.instruction());
        let table = Table::new(trigger::Cancel { authority, account, index: 0 }.instruction())
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(1, "a market", p.sol.market, I::AccountDataTooSmall)
            .read_only(1, CONSTRAINT_MUT);
        foreign(table, w, 1)
    }

    pub fn execute_trigger(w: &mut World, p: &Places) -> Table {
        position(w, p);
        w.deposit(&p.alice, &p.usdc, 1);
        w.open(&p.alice, &p.sol, SOL);
        w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
        w.open(&p.bob, &p.sol, SOL);
        let (account, market) = (p.alice.account, p.sol.market);
        w.ok(trigger::Place { authority: p.alice.owner, account, market, args: stop() }.instruction());
        let (carol, keyed) = (p.carol, w.keyed(&p.alice));
        let execute = w.priced().execute_trigger(carol.owner, &keyed, 0, Some(carol.account)).expect("an order");
        let table = exchange_of_account(Table::new(execute), w, p, 1, 2)
            .other(0, "not the executor's", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NoTrigger)
            .other(3, "another market", p.btc.market, DUPLICATE)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(3, "a margin account", p.carol.account, DUPLICATE)
            .read_only(3, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE)
            .other(4, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(4, "nothing", NOWHERE, E::OracleWrongOwner)
            .other(5, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(5, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(5, "a market", p.other.sol.market, I::AccountDataTooSmall)
            .read_only(5, CONSTRAINT_MUT)
            .same(5, 2, DUPLICATE);
        let table = foreign_all(table, w, &[3, 5]);
        // Behind: ETH and BTC with their price accounts, then SOL's bank, ETH's and the dollar's.
        let table = listed(table, p, [6, 8, 6], &[10, 11, 12]);
        table.same(6, 3, DUPLICATE).same(10, 2, DUPLICATE)
    }

    pub fn observe(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.observe_ix(&p.sol))
            .other(0, "another market", p.btc.market, E::OracleWrongFeed)
            .other(0, "of another format", p.eth.market, E::OracleWrongOwner)
            .other(0, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(0, CONSTRAINT_MUT)
            .other(1, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(1, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(1, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(1, "nothing", NOWHERE, E::OracleWrongOwner)
            .same(1, 0, DUPLICATE);
        foreign(table, w, 0)
    }

    pub fn accrue(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.accrue_ix(&p.sol))
            .other(0, "a market", p.sol.market, I::InvalidAccountData)
            .other(0, "a house", p.house, I::AccountDataTooSmall)
            .read_only(0, CONSTRAINT_MUT);
        foreign(table, w, 0)
    }

    pub fn post_forecast(w: &mut World, p: &Places) -> Table {
        w.configure_market(&p.sol, |config| config.volatility = VolatilityConfig::DEFAULT);
        let table = Table::new(w.forecast_ix(&p.sol, 1_000_000))
            .other(0, "another", p.mallory, E::NotForecaster)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another market", p.btc.market, E::ForecastUnused)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT);
        foreign_all(table, w, &[1, 2])
    }

    pub fn accrue_funding(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.accrue_funding_ix(&p.sol))
            .other(0, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .other(0, "a margin account", p.alice.account, I::InvalidAccountData)
            .read_only(0, CONSTRAINT_MUT);
        foreign(table, w, 0)
    }

    pub fn settle(w: &mut World, p: &Places) -> Table {
        position(w, p);
        let table = exchange_of_account(Table::new(w.settle_ix(&p.alice, &p.btc)), w, p, 0, 1)
            .other(1, "another's", p.bob.account, E::NothingToSettle)
            .other(2, "another market", p.eth.market, E::OracleWrongOwner)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another bank", p.sol.bank, E::WrongQuoteBank)
            .other(3, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "another exchange's", p.other.house, E::WrongExchange)
            .other(4, "a bank", p.sol.bank, I::InvalidAccountData)
            .read_only(4, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE)
            .same(4, 3, DUPLICATE)
            .other(5, "of another feed", p.sol.oracle, E::OracleWrongFeed)
            .other(5, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(5, "nothing", NOWHERE, E::OracleWrongOwner);
        foreign_all(table, w, &[2, 3, 4])
    }

    /// Boards of SOL and BTC that expire in a day, both in slot 0; the one of BTC.
    fn boards(w: &mut World, p: &Places) -> Address {
        w.enable_options(&p.sol, SOL);
        w.enable_options(&p.btc, BTC / 100);
        w.board(&p.sol, 1, &[125]);
        w.board(&p.btc, 1, &[60_000])
    }

    /// Wrong keepers at 0 and exchanges at 1.
    fn kept(table: Table, w: &mut World, p: &Places) -> Table {
        foreign(table, w, 1)
            .other(0, "another's admin", p.mallory, E::NotKeeper)
            .other(0, "a trader", p.alice.owner, E::NotKeeper)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::NotKeeper)
            .other(1, "a margin account", p.alice.account, I::InvalidAccountData)
            .other(1, "a market", p.other.sol.market, I::InvalidAccountData)
    }

    /// Wrong markets and boards, the board's behind the market's.
    fn of_market(table: Table, w: &mut World, p: &Places, market: usize, other: Address) -> Table {
        foreign_all(table, w, &[market, market + 1])
            .other(market, "another market", p.btc.market, E::WrongMarket)
            .other(market, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .other(market, "a margin account", p.alice.account, I::InvalidAccountData)
            .other(market + 1, "another market's", other, E::WrongMarket)
            .other(market + 1, "a margin account", p.alice.account, I::AccountDataTooSmall)
            .read_only(market + 1, CONSTRAINT_MUT)
    }

    /// Wrong price accounts of SOL.
    fn priced(table: Table, p: &Places, oracle: usize) -> Table {
        table
            .other(oracle, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(oracle, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(oracle, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(oracle, "nothing", NOWHERE, E::OracleWrongOwner)
    }

    pub fn create_board(w: &mut World, p: &Places) -> Table {
        w.enable_options(&p.sol, SOL);
        w.enable_options(&p.btc, BTC / 100);
        let other = w.board(&p.btc, 1, &[60_000]);
        let table = Table::new(w.create_board_ix(&p.sol, 0, w.now() + 86_400));
        let table = kept(table, w, p)
            .read_only(0, I::MissingRequiredSignature)
            .other(2, "another market", p.btc.market, I::InvalidSeeds)
            .other(2, "another exchange's", p.other.sol.market, I::InvalidSeeds)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another board", other, I::InvalidSeeds)
            .other(3, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(3, I::PrivilegeEscalation)
            .same(3, 2, DUPLICATE);
        wrong_program(foreign(table, w, 2), 4, Address::default())
    }

    pub fn list_strikes(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        w.pass(1);
        let price = w.price(125);
        w.publish(&p.sol, price);
        let table = kept(Table::new(w.list_strikes_ix(&p.sol, 0, strikes(&[150]))), w, p);
        let table = of_market(table, w, p, 2, other).other(2, "another's", p.other.sol.market, E::WrongExchange);
        priced(table, p, 4)
    }

    pub fn post_volatilities(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        let args = PostVolatilitiesArgs { volatilities_ppm: [1_000_000; MAX_STRIKES], basis_ppm: 0 };
        let table = kept(Table::new(w.post_volatilities_ix(&p.sol, 0, args)), w, p);
        of_market(table, w, p, 2, other).other(2, "another's", p.other.sol.market, E::WrongExchange)
    }

    pub fn refresh_board(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        let table = foreign(Table::new(w.refresh_ix(&p.sol, 0, 0)), w, 0)
            .other(0, "another exchange", p.other.exchange, E::WrongExchange)
            .other(0, "a market", p.other.sol.market, I::InvalidAccountData)
            .read_only(1, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE);
        let table = of_market(table, w, p, 1, other).other(1, "another's", p.other.sol.market, E::WrongExchange);
        priced(table, p, 3)
    }

    pub fn sample_expiry(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        w.pass(86_400 - 100);
        for asset in [p.sol, p.btc] {
            w.set_price(&asset, if asset.market == p.sol.market { 125 } else { 60_000 });
        }
        priced(of_market(Table::new(w.sample_ix(&p.sol, 0)), w, p, 0, other), p, 2)
    }

    pub fn settle_board(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        w.pass(2 * 86_400);
        let table = foreign(Table::new(w.settle_board_ix(&p.sol, 0)), w, 0)
            .other(0, "another exchange", p.other.exchange, E::WrongExchange)
            .other(0, "a market", p.other.sol.market, I::InvalidAccountData)
            .read_only(1, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE);
        of_market(table, w, p, 1, other).other(1, "another's", p.other.sol.market, E::WrongExchange)
    }

    pub fn close_board(w: &mut World, p: &Places) -> Table {
        let other = boards(w, p);
        let table = kept(Table::new(w.close_board_ix(&p.sol, 0)), w, p)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(2, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE);
        of_market(table, w, p, 2, other).other(2, "another's", p.other.sol.market, E::WrongExchange)
    }

    pub fn flag_liquidation(w: &mut World, p: &Places) -> Table {
        position(w, p);
        let table = exchange_of_account(Table::new(w.flag_ix(&p.alice)), w, p, 0, 1);
        // Behind: SOL, ETH and BTC, each with its price account, then the banks of SOL and ETH.
        listed(table, p, [2, 4, 6], &[8, 9]).same(8, 1, DUPLICATE)
    }

    /// Alice holds SOL and is long BTC, which has fallen; Carol holds dollars and ETH.
    pub fn liquidate(w: &mut World, p: &Places) -> Table {
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.open(&p.alice, &p.btc, BTC / 2);
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.deposit(&p.carol, &p.eth, ETH as u64 / 10);
        w.set_price(&p.btc, 43_000);
        let table = exchange_of_account(Table::new(w.liquidate_ix(&p.carol, &p.alice)), w, p, 1, 3)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .other(0, "the owner of the account", p.alice.owner, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(2, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(2, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 3, DUPLICATE)
            .other(3, "a healthy one", p.bob.account, E::AccountHealthy)
            .other(4, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(4, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(4, CONSTRAINT_MUT)
            .same(4, 3, DUPLICATE);
        // Behind: SOL, BTC and ETH, each with its price account, then the banks of SOL and ETH.
        listed(foreign_all(table, w, &[2, 4]), p, [5, 7, 9], &[11, 12])
            .may_be_read_only(5, "SOL's market only prices collateral here: nothing is written")
            .may_be_read_only(9, "ETH's likewise")
            .read_only(7, E::NotWritable)
            .read_only(11, E::NotWritable)
            .read_only(12, E::NotWritable)
            .same(11, 4, DUPLICATE)
    }

    /// SOL has boards in slots 0 and 1; Alice has an option of each, Bob has 10,000 USD.
    fn options(w: &mut World, p: &Places) {
        w.enable_options(&p.sol, SOL);
        w.enable_options(&p.btc, BTC / 100);
        w.board(&p.btc, 30, &[60_000]);
        for (slot, days) in [(0, 30), (1, 60)] {
            w.board(&p.sol, days, &[100, 125]);
            for trader in [p.alice, p.bob] {
                w.deposit(&trader, &p.usdc, 10_000 * USD as u64);
            }
            w.open_option(&p.alice, &p.sol, slot, 1, 5);
        }
    }

    fn trade_option(table: Table, w: &mut World, p: &Places) -> Table {
        let table = exchange_of_account(table, w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(3, "another market", p.btc.market, E::WrongMarket)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(3, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(3, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE)
            .other(4, "of another market", address::board(&p.btc.market, 0), E::WrongMarket)
            .other(4, "the other one", address::board(&p.sol.market, 1), DUPLICATE)
            .other(4, "a market", p.btc.market, I::AccountDataTooSmall)
            .read_only(4, CONSTRAINT_MUT)
            .same(4, 3, DUPLICATE)
            .other(5, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(5, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(5, "nothing", NOWHERE, E::OracleWrongOwner)
            // Behind: the dollar's bank and the other board.
            .other(6, "another bank", p.btc.bank, E::MissingBank)
            .other(6, "nothing", NOWHERE, E::MissingBank)
            .other(7, "of another market", address::board(&p.btc.market, 0), E::MissingBoard)
            .other(7, "nothing", NOWHERE, E::MissingBoard);
        foreign_all(table, w, &[3, 4])
    }

    pub fn open_option(w: &mut World, p: &Places) -> Table {
        options(w, p);
        trade_option(Table::new(w.open_option_ix(&p.alice, &p.sol, 0, 2, 1)), w, p)
    }

    pub fn close_option(w: &mut World, p: &Places) -> Table {
        options(w, p);
        trade_option(Table::new(w.close_option_ix(&p.alice, &p.sol, 0, 1, u64::MAX)), w, p)
    }

    pub fn settle_option(w: &mut World, p: &Places) -> Table {
        options(w, p);
        w.edit::<Board>(&address::board(&p.sol.market, 0), |board| {
            (board.state, board.settlement_price) = (board_state::SETTLED, 1 << 45);
        });
        let table = exchange_of_account(Table::new(w.settle_option_ix(&p.alice, &p.sol, 0)), w, p, 0, 1)
            .other(1, "another's", p.bob.account, E::NothingToSettle)
            .other(2, "another market", p.btc.market, E::WrongMarket)
            .other(2, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE)
            .other(3, "one that is not settled", address::board(&p.sol.market, 1), E::BoardNotSettled)
            .other(3, "of another market", address::board(&p.btc.market, 0), E::WrongMarket)
            .read_only(3, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE);
        foreign_all(table, w, &[2, 3])
    }

    pub fn fund_insurance(w: &mut World, p: &Places) -> Table {
        let table = Table::new(w.fund_ix(&p.carol.owner, 1))
            // The token program's "owner does not match".
            .other(0, "another", p.mallory, I::Custom(4))
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongQuoteBank)
            .other(1, "a market", p.sol.market, I::InvalidAccountData)
            .other(2, "another bank", p.sol.bank, E::WrongQuoteBank)
            .other(2, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .other(4, "another's tokens", p.usdc.tokens_of(&p.alice.owner), I::Custom(4));
        transfer(foreign_all(table, w, &[1, 2]), p, 2, &p.sol)
    }

    pub fn buy_reserve(w: &mut World, p: &Places) -> Table {
        // SOL's bank owes nobody a tenth of a token that is in its vault.
        w.deposit(&p.alice, &p.sol, SOL as u64);
        let mut account = w.margin_account(&p.alice);
        account.balances[0].shares -= SOL / 10;
        w.put(p.alice.account, &account);
        w.edit::<Bank>(&p.sol.bank, |bank| {
            (bank.deposit_shares, bank.reserve) = (bank.deposit_shares - SOL as u64 / 10, SOL as u64 / 10);
        });
        let table = Table::new(w.buy_reserve_ix(&p.bob.owner, &p.sol, 1_000))
            .other(0, "another", p.mallory, I::Custom(4))
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(1, "a market", p.sol.market, I::InvalidAccountData)
            .other(2, "another bank", p.btc.bank, E::WrongBankMarket)
            .other(2, "the quote bank", p.usdc.bank, DUPLICATE)
            .other(2, "another exchange's", p.other.sol.bank, E::WrongExchange)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another bank's", p.btc.vault, E::WrongVault)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "of another mint", p.btc.tokens_of(&p.bob.owner), E::WrongTokenAccount)
            .other(4, "nothing", NOWHERE, E::WrongTokenAccount)
            .read_only(4, CONSTRAINT_MUT)
            .same(4, 3, DUPLICATE)
            .other(5, "another mint", p.btc.mint, E::WrongMint)
            .other(6, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(6, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(6, CONSTRAINT_MUT)
            .other(7, "another bank's", p.btc.vault, E::WrongVault)
            .read_only(7, CONSTRAINT_MUT)
            .other(8, "of another mint", p.btc.tokens_of(&p.bob.owner), E::WrongTokenAccount)
            .other(8, "another's tokens", p.usdc.tokens_of(&p.alice.owner), I::Custom(4))
            .read_only(8, CONSTRAINT_MUT)
            .same(8, 7, DUPLICATE)
            .other(9, "another mint", p.btc.mint, E::WrongMint)
            .other(10, "another market", p.btc.market, E::WrongBankMarket)
            .other(10, "another exchange's", p.other.sol.market, E::WrongBankMarket)
            .other(11, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(11, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(11, "nothing", NOWHERE, E::OracleWrongOwner);
        wrong_token_program(wrong_token_program(foreign_all(table, w, &[1, 2, 6, 10]), 12), 13)
    }

    /// Alice holds SOL and is long BTC, which has fallen below what she has; Carol is short as much.
    fn insolvent(w: &mut World, p: &Places) {
        w.deposit(&p.alice, &p.sol, 100 * SOL as u64);
        w.open(&p.alice, &p.btc, BTC / 2);
        w.deposit(&p.carol, &p.usdc, 50_000 * USD as u64);
        w.open(&p.carol, &p.btc, -BTC / 2);
        w.set_price(&p.btc, 34_000);
    }

    pub fn resolve(w: &mut World, p: &Places) -> Table {
        insolvent(w, p);
        let table = exchange_of_account(Table::new(w.resolve_ix(&p.alice)), w, p, 0, 1)
            .other(1, "a healthy one", p.bob.account, E::AccountHealthy)
            .other(2, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(2, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "another exchange's", p.other.house, E::WrongExchange)
            .other(3, "a bank", p.sol.bank, I::InvalidAccountData)
            .read_only(3, CONSTRAINT_MUT)
            .same(3, 2, DUPLICATE);
        // Behind: SOL and BTC, each with its price account, then SOL's bank.
        behind(foreign_all(table, w, &[2, 3]), p, &[4, 6], 8)
    }

    /// Markets with their price accounts, and a bank.
    fn behind(mut table: Table, p: &Places, markets: &[usize], bank: usize) -> Table {
        for index in markets {
            table = table
                .other(*index, "another exchange's", p.other.sol.market, E::MissingMarket)
                .other(*index, "nothing", NOWHERE, E::MissingMarket)
                .other(index + 1, "no price account", p.usdc.mint, E::OracleWrongOwner);
        }
        table.other(bank, "another exchange's", p.other.sol.bank, E::MissingBank).other(
            bank,
            "nothing",
            NOWHERE,
            E::MissingBank,
        )
    }

    pub fn deleverage(w: &mut World, p: &Places) -> Table {
        insolvent(w, p);
        w.configure(|config| (config.loss_mode, config.house_floor) = (1, u64::MAX));
        let create = account::Create { payer: p.mallory, owner: p.mallory, exchange: p.exchange, index: 0 };
        w.ok(create.instruction());
        let candidate = Trader { owner: p.mallory, account: address::margin_account(&p.exchange, &p.mallory, 0) };
        let ix = w.deleverage_ix(&p.alice, &p.carol, &p.btc, u64::MAX, &[candidate]);
        let table = exchange_of_account(Table::new(ix), w, p, 0, 1)
            .other(1, "a healthy one", p.bob.account, E::AccountHealthy)
            .other(2, "one without a position", p.bob.account, E::NotOpposite)
            .other(2, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(2, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 1, DUPLICATE)
            .other(3, "another market", p.eth.market, E::OracleWrongOwner)
            .other(3, "another exchange's", p.other.sol.market, E::WrongExchange)
            .read_only(3, CONSTRAINT_MUT)
            .other(4, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(4, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .read_only(4, CONSTRAINT_MUT)
            .same(4, 2, DUPLICATE)
            .other(5, "another exchange's", p.other.house, E::WrongExchange)
            .other(5, "a bank", p.sol.bank, I::InvalidAccountData)
            .other(6, "of another feed", p.sol.oracle, E::OracleWrongFeed)
            .other(6, "no price account", p.usdc.mint, E::OracleWrongOwner)
            // Behind: SOL with its price account, SOL's bank, the candidate.
            .other(10, "another exchange's", p.other.alice.account, E::WrongExchange);
        behind(foreign_all(table, w, &[2, 3, 4, 5]), p, &[7], 9)
    }

    /// Bob is Carol's delegate, and signs the other end of what Carol signs.
    fn without_capital(w: &mut World, p: &Places) -> [Instruction; 3] {
        w.deposit(&p.carol, &p.sol, SOL as u64);
        w.deposit(&p.carol, &p.usdc, 1);
        let set =
            account::SetDelegate { owner: p.carol.owner, account: p.carol.account, delegate: p.bob.owner, scope: 0 };
        w.ok(set.instruction());
        let (begin, end) = w.without_capital(&p.carol, &p.alice);
        let mut delegates = end.clone();
        delegates.accounts[0].pubkey = p.bob.owner;
        [begin, end, delegates]
    }

    pub fn begin_liquidation(w: &mut World, p: &Places) -> Table {
        let [begin, end, mut behind] = without_capital(w, p);
        behind.accounts[2].is_writable = false;
        let table = exchange_of_account(Table::new(begin.clone()), w, p, 1, 2)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.alice.account, E::NotOwnerOrDelegate)
            .other(3, "no sysvar", p.usdc.mint, E::WrongSysvar)
            .other(3, "nothing", NOWHERE, E::WrongSysvar);
        table.between(vec![], vec![behind], vec![begin, end])
    }

    pub fn end_liquidation(w: &mut World, p: &Places) -> Table {
        let [mut begin, end, behind] = without_capital(w, p);
        begin.accounts[0].pubkey = p.bob.owner;
        let table = foreign_all(Table::new(end.clone()), w, &[1, 2])
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(1, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(2, "another's", p.alice.account, E::NotOwnerOrDelegate)
            .other(2, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(2, "a bank", p.sol.bank, I::AccountDataTooSmall)
            .may_be_read_only(2, "the beginning writes it in the same transaction")
            .other(6, "another exchange's", p.other.usdc.bank, E::MissingBank)
            .other(6, "nothing", NOWHERE, E::MissingBank);
        // Behind: SOL with its price account, SOL's bank, the quote bank.
        self::behind(table, p, &[3], 5).between(vec![begin.clone()], vec![behind], vec![begin, end])
    }

    /// Alice holds SOL and ETH and is long BTC, Bob holds dollars.
    fn two_parties(w: &mut World, p: &Places) {
        position(w, p);
        w.deposit(&p.alice, &p.usdc, 1);
        w.deposit(&p.bob, &p.usdc, 1_000 * USD as u64);
    }

    /// A SOL that Alice buys from Bob at the oracle's price.
    fn deal() -> FillArgs {
        FillArgs {
            instrument: 0,
            seller_takes: 0,
            size: SOL as u64,
            price: 1 << 45,
            expires_at: 0,
            contract: Contract::NONE,
        }
    }

    /// Wrong accounts of a trade of two accounts in SOL. The exchange stands at `at`, then, behind `between` accounts, the
    /// two margin accounts; the market and its price account at `market`.
    fn parties(table: Table, w: &mut World, p: &Places, at: usize, accounts: usize, market: usize) -> Table {
        let (one, other) = (accounts, accounts + 1);
        foreign_all(table, w, &[at, one, other, market])
            .other(at, "another exchange", p.other.exchange, E::WrongExchange)
            .other(at, "a margin account", p.carol.account, I::InvalidAccountData)
            .other(at, "a market", p.other.sol.market, I::InvalidAccountData)
            .other(one, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(one, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(one, CONSTRAINT_MUT)
            .other(other, "another exchange's", p.other.alice.account, E::WrongExchange)
            .other(other, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(other, CONSTRAINT_MUT)
            .same(other, one, DUPLICATE)
            .other(market, "another exchange's", p.other.sol.market, E::WrongExchange)
            .other(market, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(market, CONSTRAINT_MUT)
            .same(market, other, DUPLICATE)
            .other(market + 1, "of another feed", p.btc.oracle, E::OracleWrongFeed)
            .other(market + 1, "of the legacy program", p.eth.oracle, E::OracleWrongOwner)
            .other(market + 1, "no price account", p.usdc.mint, E::OracleWrongOwner)
            .other(market + 1, "nothing", NOWHERE, E::OracleWrongOwner)
    }

    pub fn fill(w: &mut World, p: &Places) -> Table {
        two_parties(w, p);
        let signers = [p.alice.owner, p.bob.owner];
        let fill = w.priced().fill(signers, &w.keyed(&p.alice), &w.keyed(&p.bob), &p.sol.market, deal()).unwrap();
        let table = parties(Table::new(fill), w, p, 2, 3, 5)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(1, I::MissingRequiredSignature)
            .other(3, "another's", p.carol.account, E::NotOwnerOrDelegate)
            .other(4, "another's", p.carol.account, E::NotOwnerOrDelegate)
            .other(5, "another market", p.btc.market, DUPLICATE);
        // Behind: ETH and BTC with their price accounts, then SOL's bank, ETH's and the dollar's.
        listed(table, p, [7, 9, 7], &[11, 12, 13]).same(7, 5, DUPLICATE).same(11, 3, DUPLICATE)
    }

    /// A call of SOL at 125 on the board in slot 0, at what it is about worth.
    fn option_deal(w: &World, p: &Places) -> FillArgs {
        let board = w.board_of(&p.sol, 0);
        let contract = venue::contract_of(&board, 2, 9).unwrap();
        FillArgs { instrument: instrument::CALL, size: 1, price: 1 << 42, contract, ..deal() }
    }

    /// Wrong boards of a fill of an option, at `at`; behind it the dollar's bank and Alice's other board.
    fn kept_in_board(table: Table, w: &mut World, p: &Places, at: usize, market: usize) -> Table {
        foreign(table, w, at)
            .other(at, "of another market", address::board(&p.btc.market, 0), E::WrongMarket)
            .other(at, "of another expiry", address::board(&p.sol.market, 1), E::FillWrongBoard)
            .other(at, "a bank", p.btc.bank, I::AccountDataTooSmall)
            .read_only(at, E::NotWritable)
            .same(at, market, DUPLICATE)
            .other(at + 1, "another bank", p.btc.bank, E::MissingBank)
            .other(at + 1, "nothing", NOWHERE, E::MissingBank)
            .other(at + 2, "of another market", address::board(&p.btc.market, 0), E::MissingBoard)
            .other(at + 2, "nothing", NOWHERE, E::MissingBoard)
    }

    pub fn fill_of_an_option(w: &mut World, p: &Places) -> Table {
        options(w, p);
        let (signers, args) = ([p.alice.owner, p.bob.owner], option_deal(w, p));
        let board = venue::Traded::Option(address::board(&p.sol.market, 0));
        let fill = w.priced().fill(signers, &w.keyed(&p.alice), &w.keyed(&p.bob), board, args).unwrap();
        let table = parties(Table::new(fill), w, p, 2, 3, 5)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(1, I::MissingRequiredSignature)
            .other(5, "another market", p.btc.market, E::OracleWrongFeed);
        kept_in_board(table, w, p, 7, 5)
    }

    /// Wrong banks and houses of a fill of spot, at `at` and behind; then ETH and BTC with their price accounts, and ETH's
    /// bank.
    fn kept_in_banks(table: Table, w: &mut World, p: &Places, at: usize, market: usize) -> Table {
        let table = foreign_all(table, w, &[at + 1, at + 2])
            .other(at, "of another market", p.btc.bank, E::WrongBankMarket)
            .other(at, "another exchange's", p.other.sol.bank, E::WrongBankMarket)
            .other(at, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(at, E::NotWritable)
            .same(at, market, DUPLICATE)
            .other(at + 1, "another bank", p.btc.bank, E::WrongQuoteBank)
            .other(at + 1, "another exchange's", p.other.usdc.bank, E::WrongQuoteBank)
            .other(at + 1, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(at + 1, E::NotWritable)
            .same(at + 1, at, E::SameAccount)
            .other(at + 2, "another exchange's", p.other.house, E::WrongExchange)
            .other(at + 2, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(at + 2, E::NotWritable)
            .same(at + 2, at + 1, E::SameAccount);
        listed(table, p, [at + 3, at + 5, at + 3], &[at + 7])
    }

    pub fn fill_of_spot(w: &mut World, p: &Places) -> Table {
        two_parties(w, p);
        w.deposit(&p.bob, &p.sol, SOL as u64);
        let (signers, args) = ([p.alice.owner, p.bob.owner], FillArgs { instrument: instrument::SPOT, ..deal() });
        let bank = venue::Traded::Spot(p.sol.bank);
        let fill = w.priced().fill(signers, &w.keyed(&p.alice), &w.keyed(&p.bob), bank, args).unwrap();
        let table = parties(Table::new(fill), w, p, 2, 3, 5)
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(1, I::MissingRequiredSignature)
            .other(5, "another market", p.btc.market, DUPLICATE);
        kept_in_banks(foreign(table, w, 7), w, p, 7, 5)
    }

    pub fn fill_orders_of_an_option(w: &mut World, p: &Places) -> Table {
        options(w, p);
        for trader in [p.alice, p.bob, p.carol] {
            w.ok(venue::CreateOrders { payer: p.carol.owner, account: trader.account }.instruction());
        }
        let (now, deal) = (w.now(), option_deal(w, p));
        let verified = [(p.alice, 1), (p.bob, -1)].map(|(trader, size)| {
            let order = Order {
                exchange: p.exchange,
                account: trader.account,
                market: p.sol.market,
                venue: p.carol.owner,
                size,
                limit_price: deal.price,
                nonce: 1,
                expires_at: now + 100,
                instrument: deal.instrument,
                contract: deal.contract,
                flags: 0,
            };
            venue::signed(&trader.owner, &order, |message| w.sign(&trader.owner, message))
        });
        w.companions = verified.to_vec();
        let args = FillOrdersArgs { size: 1, maker_instruction: COMPANION, taker_instruction: COMPANION + 1 };
        let (maker, taker) = (w.keyed(&p.alice), w.keyed(&p.bob));
        let board = venue::Traded::Option(address::board(&p.sol.market, 0));
        let fill = w.priced().fill_orders(p.carol.owner, &maker, &taker, true, board, args).unwrap();
        let carols = address::orders(&p.carol.account);
        let table = parties(Table::new(fill), w, p, 1, 2, 6)
            .other(0, "another", p.mallory, E::OrderWrongVenue)
            .unsigned(0, I::MissingRequiredSignature)
            .other(4, "another's", carols, E::WrongOrders)
            .read_only(4, CONSTRAINT_MUT)
            .other(5, "another's", carols, E::WrongOrders)
            .read_only(5, CONSTRAINT_MUT)
            .other(6, "another market", p.btc.market, E::OrderWrongMarket)
            .other(8, "another sysvar", CLOCK, ADDRESS);
        kept_in_board(table, w, p, 9, 6)
    }

    pub fn fill_orders(w: &mut World, p: &Places) -> Table {
        two_parties(w, p);
        for trader in [p.alice, p.bob, p.carol, p.other.alice] {
            w.ok(venue::CreateOrders { payer: p.carol.owner, account: trader.account }.instruction());
        }
        let now = w.now();
        let order = |trader: &Trader, size| Order {
            exchange: p.exchange,
            account: trader.account,
            market: p.sol.market,
            venue: p.carol.owner,
            size,
            limit_price: 1 << 45,
            nonce: 1,
            expires_at: now + 100,
            instrument: 0,
            contract: Contract::NONE,
            flags: 0,
        };
        let verified = [(p.alice, SOL), (p.bob, -SOL)].map(|(trader, size)| {
            venue::signed(&trader.owner, &order(&trader, size), |message| w.sign(&trader.owner, message))
        });
        w.companions = verified.to_vec();
        let args = FillOrdersArgs { size: SOL as u64, maker_instruction: COMPANION, taker_instruction: COMPANION + 1 };
        let (maker, taker) = (w.keyed(&p.alice), w.keyed(&p.bob));
        let fill = w.priced().fill_orders(p.carol.owner, &maker, &taker, true, &p.sol.market, args).unwrap();
        let [other, carols] = [p.other.alice, p.carol].map(|trader| address::orders(&trader.account));
        let table = parties(Table::new(fill), w, p, 1, 2, 6);
        let table = foreign(foreign(table, w, 4), w, 5)
            .other(0, "another", p.mallory, E::OrderWrongVenue)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another's", p.carol.account, E::WrongOrders)
            .other(3, "another's", p.carol.account, E::WrongOrders)
            .other(4, "another's", carols, E::WrongOrders)
            .other(4, "another exchange's", other, E::WrongOrders)
            .other(4, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(4, CONSTRAINT_MUT)
            .same(4, 5, DUPLICATE)
            .other(5, "another's", carols, E::WrongOrders)
            .other(5, "none, so that the submitter takes", ID, E::NotOwnerOrDelegate)
            .read_only(5, CONSTRAINT_MUT)
            .other(6, "another market", p.btc.market, DUPLICATE)
            .other(8, "another sysvar", CLOCK, ADDRESS)
            .other(8, "nothing", NOWHERE, ADDRESS);
        listed(table, p, [9, 11, 9], &[13, 14, 15]).same(9, 6, DUPLICATE).same(13, 2, DUPLICATE)
    }

    fn venue_args() -> VenueArgs {
        let config = VenueConfig {
            fill_limit: u64::MAX,
            window_limit: u64::MAX,
            total_limit: u64::MAX,
            window_seconds: 60,
            state: 0,
            _padding: [0; 3],
        };
        VenueArgs { config }
    }

    /// Plimsoll itself is a venue of both exchanges: of the venue's program only that it is one is asked here.
    fn registered(w: &mut World, p: &Places) -> [Address; 2] {
        [(p.admin, p.exchange), (p.mallory, p.other.exchange)].map(|(admin, exchange)| {
            w.ok(venue::Register { admin, exchange, program: ID, args: venue_args() }.instruction());
            address::venue(&exchange, &ID)
        })
    }

    pub fn register_venue(w: &mut World, p: &Places) -> Table {
        let register = venue::Register { admin: p.admin, exchange: p.exchange, program: ID, args: venue_args() };
        let table = administrated(Table::new(register.instruction()), w, p, 0, 1)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another exchange", p.other.exchange, I::InvalidSeeds)
            .other(2, "another program", TOKEN_PROGRAM, I::InvalidSeeds)
            .other(2, "no program", NOWHERE, I::InvalidSeeds)
            .other(3, "another venue", address::venue(&p.exchange, &TOKEN_PROGRAM), I::InvalidSeeds)
            .other(3, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(3, I::PrivilegeEscalation)
            .same(3, 0, DUPLICATE);
        wrong_program(table, 4, Address::default())
    }

    pub fn configure_venue(w: &mut World, p: &Places) -> Table {
        let [_, foreigner] = registered(w, p);
        let configure = venue::Configure { admin: p.admin, exchange: p.exchange, program: ID, args: venue_args() };
        let table = administrated(Table::new(configure.instruction()), w, p, 0, 1)
            .other(1, "another exchange", p.other.exchange, E::WrongExchange)
            .other(2, "another exchange's", foreigner, E::WrongExchange)
            .other(2, "a margin account", p.alice.account, I::InvalidAccountData)
            .read_only(0, I::MissingRequiredSignature)
            .read_only(2, CONSTRAINT_MUT)
            .other(3, "no proposal", p.alice.account, CONSTRAINT_MUT);
        foreign(table, w, 2)
    }

    pub fn set_venue_approval(w: &mut World, p: &Places) -> Table {
        let [venue, foreigner] = registered(w, p);
        let (owner, account) = (p.alice.owner, p.alice.account);
        let set = venue::SetApproval { owner, account, venue, limit: 1 };
        let table = owned(Table::new(set.instruction()), w, p, 0, 1)
            .other(1, "of another exchange", p.other.alice.account, E::WrongExchange)
            .other(2, "another exchange's", foreigner, E::WrongExchange)
            .other(2, "a margin account", p.bob.account, I::InvalidAccountData);
        foreign(table, w, 2)
    }

    pub fn venue_fill_of_spot(w: &mut World, p: &Places) -> Table {
        w.deposit(&p.bob, &p.sol, SOL as u64);
        let args = FillArgs { instrument: instrument::SPOT, ..deal() };
        let table = by_venue(w, p, venue::Traded::Spot(p.sol.bank), args);
        // Read for what the venue's limits count, before it is written.
        let table = table.other(7, "nothing", NOWHERE, I::UninitializedAccount);
        kept_in_banks(table, w, p, 7, 5)
    }

    pub fn venue_fill(w: &mut World, p: &Places) -> Table {
        let table = by_venue(w, p, venue::Traded::Perpetual(p.sol.market), deal());
        listed(table, p, [7, 9, 7], &[11, 12, 13]).same(7, 5, DUPLICATE).same(11, 3, DUPLICATE)
    }

    /// In the place of the program's address a key signs, which the venue is made to name.
    fn by_venue(w: &mut World, p: &Places, traded: venue::Traded, args: FillArgs) -> Table {
        two_parties(w, p);
        let [venue, foreigner] = registered(w, p);
        for trader in [p.alice, p.bob] {
            let (owner, account) = (trader.owner, trader.account);
            w.ok(venue::SetApproval { owner, account, venue, limit: u64::MAX }.instruction());
        }
        for venue in [venue, foreigner] {
            w.edit::<Venue>(&venue, |venue| venue.signer = p.carol.owner);
        }
        let (buyer, seller) = (w.keyed(&p.alice), w.keyed(&p.bob));
        let mut fill = w.priced().venue_fill(ID, &buyer, &seller, traded, args).unwrap();
        fill.accounts[0].pubkey = p.carol.owner;
        let table = parties(Table::new(fill), w, p, 1, 3, 5);
        foreign(table, w, 2)
            .other(0, "another", p.mallory, E::NotVenueSigner)
            .unsigned(0, I::MissingRequiredSignature)
            .other(2, "another exchange's", foreigner, E::WrongExchange)
            .other(2, "a margin account", p.carol.account, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT)
            .same(2, 3, DUPLICATE)
            .other(3, "another's", p.carol.account, E::VenueNotApproved)
            .other(4, "another's", p.carol.account, E::VenueNotApproved)
            .other(5, "another market", p.btc.market, DUPLICATE)
    }

    pub fn create_orders(w: &mut World, p: &Places) -> Table {
        let create = venue::CreateOrders { payer: p.carol.owner, account: p.alice.account };
        let table = Table::new(create.instruction())
            // The system program's "not enough lamports".
            .other(0, "a pauper", w.key("pauper"), I::Custom(1))
            .unsigned(0, I::MissingRequiredSignature)
            .read_only(0, I::MissingRequiredSignature)
            .other(1, "another's", p.bob.account, I::InvalidSeeds)
            .other(1, "a market", p.sol.market, I::AccountDataTooSmall)
            .other(2, "another's", address::orders(&p.bob.account), I::InvalidSeeds)
            .other(2, "nowhere", NOWHERE, I::InvalidSeeds)
            .read_only(2, I::PrivilegeEscalation)
            .same(2, 0, DUPLICATE);
        wrong_program(foreign(table, w, 1), 3, Address::default())
    }

    pub fn cancel_orders(w: &mut World, p: &Places) -> Table {
        for trader in [p.alice, p.bob] {
            w.ok(venue::CreateOrders { payer: p.carol.owner, account: trader.account }.instruction());
        }
        let (authority, account) = (p.alice.owner, p.alice.account);
        let cancel = venue::CancelOrders { authority, account, floor: 1 };
        let table = Table::new(cancel.instruction())
            .other(0, "another", p.mallory, E::NotOwnerOrDelegate)
            .unsigned(0, I::MissingRequiredSignature)
            .other(1, "another's", p.bob.account, E::NotOwnerOrDelegate)
            .other(1, "a market", p.sol.market, I::AccountDataTooSmall)
            .other(2, "another's", address::orders(&p.bob.account), E::WrongOrders)
            .other(2, "a margin account", p.bob.account, I::InvalidAccountData)
            .read_only(2, CONSTRAINT_MUT);
        foreign_all(table, w, &[1, 2])
    }
}
