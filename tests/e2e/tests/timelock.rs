//! Who may change what, and when: roles, proposals, pauses (INV-11).

use plimsoll_client::{
    decode::Named,
    event::Event,
    instruction::{bank, controls, exchange, market, venue},
};
use plimsoll_e2e_tests::{
    E, I, World, raw,
    world::{BTC, Places, SOL, USD, bank_config, create_market_args, exchange_config, market_config},
};
use plimsoll_interface::{
    Address, ID,
    accounts::{Exchange, Proposal, Venue},
    address,
    change::{Change, QuoteFeed, RoleHolder, kind},
    config::{BankConfig, ExchangeConfig, MarketConfig, VenueConfig, pause, role, state, venue_state},
    event::{AdminNominated, PausesSet, ProposalCancelled, Proposed, RoleSet},
    instruction::VenueArgs,
};
use solana_instruction::Instruction;

const DAY: i64 = 86_400;

/// A timelock of a day, and Carol as the risk admin.
fn locked() -> (World, Places) {
    let (mut w, p) = World::new();
    w.ok(set_role(&p, p.admin, role::RISK_ADMIN, p.carol.owner, false));
    w.configure(|config| config.timelock_seconds = DAY as u32);
    (w, p)
}

fn set_role(p: &Places, authority: Address, role: u8, holder: Address, proposed: bool) -> Instruction {
    controls::SetRole { authority, exchange: p.exchange, role, holder, proposed }.instruction()
}

fn propose(p: &Places, subject: Address, change: Change) -> Instruction {
    controls::Propose { admin: p.admin, exchange: p.exchange, subject, change }.instruction()
}

fn cancel(p: &Places, authority: Address, subject: Address) -> Instruction {
    controls::CancelProposal { authority, exchange: p.exchange, subject }.instruction()
}

fn exchange_of(w: &World, p: &Places) -> Exchange {
    w.read(&p.exchange)
}

fn looser_exchange() -> ExchangeConfig {
    ExchangeConfig { maintenance_ratio_ppm: 400_000, timelock_seconds: DAY as u32, ..exchange_config() }
}

fn configure_exchange(p: &Places, admin: Address, config: ExchangeConfig) -> exchange::Configure {
    exchange::Configure { admin, exchange: p.exchange, config }
}

fn configure_bank(p: &Places, admin: Address, config: BankConfig) -> bank::Configure {
    bank::Configure { admin, exchange: p.exchange, bank: p.sol.bank, config }
}

fn configure_market(p: &Places, admin: Address, config: MarketConfig) -> market::Configure {
    market::Configure { admin, exchange: p.exchange, market: p.sol.market, config }
}

#[test]
fn what_loosens_waits_out_the_timelock() {
    let (mut w, p) = locked();
    let wish = looser_exchange();
    let configure = configure_exchange(&p, p.admin, wish);
    w.refuses(configure.instruction(), E::ProposalWanted);
    let outcome = w.ok(propose(&p, p.exchange, Change::Exchange(wish)));
    let ready_at = w.now() + DAY;
    let expected = Proposed { exchange: p.exchange, subject: p.exchange, ready_at, kind: 0 };
    assert_eq!(outcome.event(), Event::Proposed(expected));
    let made: Proposal = w.read(&address::proposal(&p.exchange));
    assert_eq!((made.exchange, made.subject, made.ready_at, made.kind), (p.exchange, p.exchange, ready_at, 0));
    assert_eq!((made.version, made.content), (1, Change::Exchange(wish).content()));
    w.set_now(ready_at - 1);
    w.refuses(configure.proposed(), E::TimelockRunning);
    w.set_now(ready_at);
    w.refuses(configure.instruction(), E::ProposalWanted);
    w.ok(configure.proposed());
    assert_eq!(exchange_of(&w, &p).config, wish);
    // It is used up: its account is gone.
    assert!(w.account(&address::proposal(&p.exchange)).is_none_or(|account| account.lamports == 0));
    let back = configure_exchange(&p, p.admin, ExchangeConfig { maintenance_ratio_ppm: 500_000, ..wish });
    w.refuses(back.instruction(), E::ProposalWanted);
}

#[test]
fn banks_and_markets_wait_as_well() {
    let (mut w, p) = locked();
    let bank_wish = bank_config().with_haircuts(50_000, 50_000);
    let market_wish = MarketConfig { max_confidence_ppm: 30_000, ..market_config(SOL) };
    let (of_bank, of_market) = (configure_bank(&p, p.admin, bank_wish), configure_market(&p, p.admin, market_wish));
    w.refuses(of_bank.instruction(), E::ProposalWanted);
    w.refuses(of_market.instruction(), E::ProposalWanted);
    w.ok(propose(&p, p.sol.bank, Change::Bank(bank_wish)));
    w.ok(propose(&p, p.sol.market, Change::Market(market_wish)));
    w.refuses(of_bank.proposed(), E::TimelockRunning);
    w.refuses(of_market.proposed(), E::TimelockRunning);
    w.pass(DAY);
    w.ok(of_bank.proposed());
    w.ok(of_market.proposed());
    assert_eq!((w.bank(&p.sol).config, w.market(&p.sol).config), (bank_wish, market_wish));
}

fn venue_config() -> VenueConfig {
    VenueConfig {
        fill_limit: 1_000 * USD as u64,
        window_limit: 10_000 * USD as u64,
        total_limit: u64::MAX,
        window_seconds: 3_600,
        state: venue_state::SUSPENDED,
        _padding: [0; 3],
    }
}

fn register_venue(p: &Places, config: VenueConfig) -> Instruction {
    let (admin, exchange, args) = (p.admin, p.exchange, VenueArgs { config });
    venue::Register { admin, exchange, program: ID, args }.instruction()
}

fn configure_venue(p: &Places, admin: Address, config: VenueConfig) -> venue::Configure {
    venue::Configure { admin, exchange: p.exchange, program: ID, args: VenueArgs { config } }
}

/// Plimsoll itself stands in for the venue's program: only that it is one is asked.
#[test]
fn a_venue_starts_suspended_and_is_let_in_after_the_timelock() {
    let (mut w, p) = locked();
    let (quiet, venue) = (venue_config(), address::venue(&p.exchange, &ID));
    let active = VenueConfig { state: venue_state::ACTIVE, ..quiet };
    w.refuses(propose(&p, venue, Change::Venue(active)), I::UninitializedAccount);
    w.refuses(register_venue(&p, active), E::VenueNotSuspended);
    w.ok(register_venue(&p, quiet));
    let configure = configure_venue(&p, p.admin, active);
    w.refuses(configure.instruction(), E::ProposalWanted);
    w.refuses(propose(&p, p.sol.market, Change::Venue(active)), I::InvalidAccountData);
    w.refuses(
        propose(&p, venue, Change::Venue(VenueConfig { window_seconds: 0, ..active })),
        E::InvalidVenueParameters,
    );
    w.ok(propose(&p, venue, Change::Venue(active)));
    w.refuses(configure.proposed(), E::TimelockRunning);
    w.pass(DAY);
    let more = VenueConfig { fill_limit: active.fill_limit + 1, ..active };
    w.refuses(configure_venue(&p, p.admin, more).proposed(), E::ProposalMismatch);
    w.refuses(configure_venue(&p, p.carol.owner, active).proposed(), E::OnlyTightening);
    w.refuses(configure_venue(&p, p.mallory, active).proposed(), E::NotAdmin);
    w.ok(configure.proposed());
    assert_eq!(w.read::<Venue>(&venue).config, active);
    assert!(w.account(&address::proposal(&venue)).is_none_or(|account| account.lamports == 0));
}

#[test]
fn the_risk_admin_suspends_a_venue_at_once_and_only_the_admin_lets_it_in_again() {
    let (mut w, p) = locked();
    let (quiet, carol) = (venue_config(), p.carol.owner);
    let active = VenueConfig { state: venue_state::ACTIVE, ..quiet };
    w.ok(register_venue(&p, quiet));
    let venue = address::venue(&p.exchange, &ID);
    w.edit::<Venue>(&venue, |venue| venue.config = active);
    for tighter in [
        VenueConfig { fill_limit: 500 * USD as u64, ..active },
        VenueConfig { fill_limit: 500 * USD as u64, window_seconds: 7_200, ..active },
        VenueConfig { fill_limit: 0, window_limit: 0, total_limit: 0, window_seconds: 7_200, ..active },
    ] {
        w.ok(configure_venue(&p, carol, tighter).instruction());
        assert_eq!(w.read::<Venue>(&venue).config, tighter);
    }
    w.edit::<Venue>(&venue, |venue| venue.config = active);
    w.refuses(configure_venue(&p, p.mallory, quiet).instruction(), E::NotAdmin);
    w.ok(configure_venue(&p, carol, quiet).instruction());
    assert_eq!(w.read::<Venue>(&venue).config, quiet);
    for looser in [
        active,
        VenueConfig { fill_limit: quiet.fill_limit + 1, ..quiet },
        VenueConfig { window_limit: quiet.window_limit + 1, ..quiet },
        VenueConfig { window_seconds: quiet.window_seconds - 1, ..quiet },
    ] {
        w.refuses(configure_venue(&p, carol, looser).instruction(), E::OnlyTightening);
        w.refuses(configure_venue(&p, p.admin, looser).instruction(), E::ProposalWanted);
    }
    // What the admin announced the risk admin may take back.
    w.ok(propose(&p, venue, Change::Venue(active)));
    w.ok(cancel(&p, carol, venue));
    w.pass(DAY);
    w.refuses(configure_venue(&p, p.admin, active).instruction(), E::ProposalWanted);
}

#[test]
fn a_proposal_allows_exactly_what_it_says() {
    let (mut w, p) = locked();
    let wish = bank_config().with_haircuts(50_000, 50_000);
    w.ok(propose(&p, p.sol.bank, Change::Bank(wish)));
    w.pass(DAY);
    let other = bank_config().with_haircuts(49_999, 49_999);
    w.refuses(configure_bank(&p, p.admin, other).proposed(), E::ProposalMismatch);
    // The same wish for another bank, with the proposal of the first in its place.
    let elsewhere = bank::Configure { bank: p.btc.bank, ..configure_bank(&p, p.admin, wish) };
    let mut moved = elsewhere.proposed();
    moved.accounts[3].pubkey = address::proposal(&p.sol.bank);
    w.refuses(&moved, E::ProposalMismatch);
    w.refuses(configure_bank(&p, p.carol.owner, wish).proposed(), E::OnlyTightening);
    w.refuses(configure_bank(&p, p.mallory, wish).proposed(), E::NotAdmin);
    w.ok(configure_bank(&p, p.admin, wish).proposed());
}

#[test]
fn the_risk_admin_tightens_at_once_and_nothing_else() {
    let (mut w, p) = locked();
    let carol = p.carol.owner;
    let tighter = BankConfig { haircut_init_ppm: 1_000_000, haircut_init_full_ppm: 1_000_000, ..bank_config() };
    w.ok(configure_bank(&p, carol, tighter).instruction());
    assert_eq!(w.bank(&p.sol).config, tighter);
    let closed = MarketConfig { state: state::REDUCE_ONLY, risk_budget: 1, ..market_config(SOL) };
    w.ok(configure_market(&p, carol, closed).instruction());
    let longer = ExchangeConfig { timelock_seconds: 2 * DAY as u32, ..exchange_config() };
    w.ok(configure_exchange(&p, carol, longer).instruction());
    w.refuses(configure_bank(&p, carol, bank_config()).instruction(), E::OnlyTightening);
    w.refuses(configure_market(&p, carol, market_config(SOL)).instruction(), E::OnlyTightening);
    w.refuses(configure_exchange(&p, carol, exchange_config()).instruction(), E::OnlyTightening);
    w.refuses(propose_by(&p, carol), E::NotAdmin);
    // The admin tightens at once too, and shortening the timelock is no tightening.
    w.ok(configure_bank(&p, p.admin, BankConfig { borrow_cap: 5, ..tighter }).instruction());
    w.refuses(configure_exchange(&p, p.admin, exchange_config()).instruction(), E::ProposalWanted);
}

fn propose_by(p: &Places, admin: Address) -> Instruction {
    let change = Change::Bank(bank_config());
    controls::Propose { admin, exchange: p.exchange, subject: p.sol.bank, change }.instruction()
}

#[test]
fn no_path_skips_validation() {
    let (mut w, p) = locked();
    let invalid = BankConfig { haircut_maint_ppm: 999_999, ..bank_config() };
    let wild = MarketConfig { half_spread_ppm: 50_001, ..market_config(SOL) };
    let pauses = ExchangeConfig { pauses: 1 << 31, ..looser_exchange() };
    w.refuses(propose(&p, p.sol.bank, Change::Bank(invalid)), E::InvalidBankParameters);
    w.refuses(propose(&p, p.sol.market, Change::Market(wild)), E::InvalidMarketParameters);
    w.refuses(propose(&p, p.exchange, Change::Exchange(pauses)), E::InvalidPauses);
    w.refuses(propose(&p, p.usdc.bank, Change::Bank(bank_config())), E::InvalidBankParameters);
    let role = Change::Role(RoleHolder { role: role::LAST + 1, holder: p.bob.owner });
    w.refuses(propose(&p, p.exchange, role), E::UnknownKind);
    let feed = QuoteFeed { oracle_kind: 0, feed_id: [1; 32], oracle_owner: p.mallory };
    w.refuses(propose(&p, p.exchange, Change::QuoteFeed(feed)), E::UnsupportedOracle);
    // Were such a proposal there all the same, what it proposes would still be checked when it is made.
    let content = Change::Bank(invalid).content();
    w.ok(propose(&p, p.sol.bank, Change::Bank(bank_config())));
    w.edit::<Proposal>(&address::proposal(&p.sol.bank), |proposal| proposal.content = content);
    w.pass(DAY);
    w.refuses(configure_bank(&p, p.admin, invalid).proposed(), E::InvalidBankParameters);
}

#[test]
fn proposals_that_make_no_sense_are_refused() {
    let (mut w, p) = locked();
    let bank = Change::Bank(bank_config());
    w.refuses(propose(&p, p.other.sol.bank, bank), E::WrongExchange);
    w.refuses(propose(&p, p.other.sol.market, Change::Market(market_config(SOL))), E::WrongExchange);
    w.refuses(propose(&p, p.other.exchange, Change::Exchange(looser_exchange())), E::WrongExchange);
    w.refuses(propose(&p, p.sol.market, bank), I::InvalidAccountData);
    w.refuses(propose(&p, p.exchange, bank), I::InvalidAccountData);
    let mut garbage = propose(&p, p.sol.bank, bank);
    *garbage.data.last_mut().unwrap() = 1;
    w.refuses(&garbage, E::UnknownKind);
    let mut garbage = propose(&p, p.sol.bank, bank);
    garbage.data[1] = kind::LAST + 1;
    w.refuses(&garbage, E::UnknownKind);
    // One at a time: the first is to be taken back before the next.
    w.ok(propose(&p, p.sol.bank, bank));
    w.refuses(propose(&p, p.sol.bank, Change::Bank(bank_config().starting())), I::Custom(0));
    w.ok(cancel(&p, p.admin, p.sol.bank));
    w.ok(propose(&p, p.sol.bank, Change::Bank(bank_config().starting())));
}

#[test]
fn whoever_may_tighten_may_take_a_proposal_back() {
    let (mut w, p) = locked();
    let bank = Change::Bank(bank_config());
    w.ok(propose(&p, p.sol.bank, bank));
    w.refuses(cancel(&p, p.mallory, p.sol.bank), E::NotRiskAdmin);
    let outcome = w.ok(cancel(&p, p.carol.owner, p.sol.bank));
    let expected = ProposalCancelled { exchange: p.exchange, subject: p.sol.bank, authority: p.carol.owner };
    assert_eq!(outcome.event(), Event::ProposalCancelled(expected));
    w.pass(DAY);
    w.refuses(cancel(&p, p.admin, p.sol.bank), I::AccountDataTooSmall);
}

#[test]
fn the_risk_admin_cannot_keep_his_role() {
    let (mut w, p) = locked();
    let holder = p.bob.owner;
    w.ok(propose(&p, p.exchange, Change::Role(RoleHolder { role: role::RISK_ADMIN, holder })));
    w.refuses(cancel(&p, p.carol.owner, p.exchange), E::NotAdmin);
    w.refuses(set_role(&p, p.admin, role::RISK_ADMIN, holder, true), E::TimelockRunning);
    w.refuses(set_role(&p, p.carol.owner, role::RISK_ADMIN, Address::default(), false), E::OnlyTightening);
    w.refuses(set_role(&p, p.admin, role::RISK_ADMIN, Address::default(), false), E::ProposalWanted);
    w.pass(DAY);
    w.ok(set_role(&p, p.admin, role::RISK_ADMIN, holder, true));
    assert_eq!(exchange_of(&w, &p).risk_admin, holder);
}

#[test]
fn roles_are_given_after_the_timelock_and_taken_at_once() {
    let (mut w, p) = locked();
    for (role, of) in [(role::KEEPER, 0), (role::FORECASTER, 1)] {
        let holder = |w: &World| [exchange_of(w, &p).keeper, exchange_of(w, &p).forecaster][of];
        w.refuses(set_role(&p, p.admin, role, p.bob.owner, false), E::ProposalWanted);
        w.refuses(set_role(&p, p.mallory, role, Address::default(), false), E::NotAdmin);
        let outcome = w.ok(set_role(&p, p.carol.owner, role, Address::default(), false));
        let expected = RoleSet { exchange: p.exchange, holder: Address::default(), role: u64::from(role) };
        assert_eq!(outcome.event(), Event::RoleSet(expected));
        assert_eq!(holder(&w), Address::default());
        w.ok(propose(&p, p.exchange, Change::Role(RoleHolder { role, holder: p.bob.owner })));
        w.refuses(set_role(&p, p.admin, role, p.bob.owner, true), E::TimelockRunning);
        w.pass(DAY);
        w.ok(set_role(&p, p.admin, role, p.bob.owner, true));
        assert_eq!(holder(&w), p.bob.owner);
    }
    w.refuses(set_role(&p, p.admin, role::LAST + 1, p.bob.owner, false), E::UnknownKind);
}

#[test]
fn an_admin_is_nominated_and_accepts_in_two_steps() {
    let (mut w, p) = locked();
    let nominate =
        |authority, nominee| controls::NominateAdmin { authority, exchange: p.exchange, nominee }.instruction();
    let accept = |nominee| controls::AcceptAdmin { nominee, exchange: p.exchange }.instruction();
    let nobody = Address::default();
    w.refuses(accept(p.bob.owner), E::NotNominee);
    w.refuses(nominate(p.mallory, p.mallory), E::NotRiskAdmin);
    w.refuses(nominate(p.carol.owner, p.carol.owner), E::OnlyTightening);
    let outcome = w.ok(nominate(p.admin, p.bob.owner));
    let ready_at = w.now() + DAY;
    let expected = AdminNominated { exchange: p.exchange, nominee: p.bob.owner, ready_at };
    assert_eq!(outcome.event(), Event::AdminNominated(expected));
    w.refuses(accept(p.bob.owner), E::TimelockRunning);
    w.ok(nominate(p.carol.owner, nobody));
    w.set_now(ready_at);
    w.refuses(accept(p.bob.owner), E::NotNominee);
    w.ok(nominate(p.admin, p.bob.owner));
    w.pass(DAY);
    w.refuses(accept(p.mallory), E::NotNominee);
    let outcome = w.ok(accept(p.bob.owner));
    let expected = RoleSet { exchange: p.exchange, holder: p.bob.owner, role: u64::from(role::ADMIN) };
    assert_eq!(outcome.event(), Event::RoleSet(expected));
    assert_eq!((exchange_of(&w, &p).admin, exchange_of(&w, &p).pending_admin), (p.bob.owner, nobody));
    w.refuses(nominate(p.admin, p.admin), E::NotRiskAdmin);
}

#[test]
fn the_risk_admin_pauses_and_the_admin_resumes() {
    let (mut w, p) = locked();
    let pauses =
        |authority, set, clear| controls::SetPauses { authority, exchange: p.exchange, set, clear }.instruction();
    let carol = p.carol.owner;
    w.refuses(pauses(p.mallory, pause::DEPOSIT, 0), E::NotRiskAdmin);
    let outcome = w.ok(pauses(carol, pause::DEPOSIT, 0));
    let expected = PausesSet { exchange: p.exchange, authority: carol, pauses: u64::from(pause::DEPOSIT) };
    assert_eq!(outcome.event(), Event::PausesSet(expected));
    w.refuses(w.deposit_ix(&p.bob, &p.usdc, 1), E::Paused);
    w.refuses(pauses(carol, pause::OPEN, pause::DEPOSIT), E::OnlyTightening);
    w.refuses(pauses(p.admin, pause::ALL + 1, 0), E::InvalidPauses);
    w.refuses(pauses(p.admin, 0, pause::ALL + 1), E::InvalidPauses);
    w.ok(pauses(p.admin, pause::OPEN, pause::DEPOSIT | pause::OPEN));
    assert_eq!(exchange_of(&w, &p).config.pauses, pause::OPEN);
    w.deposit(&p.bob, &p.usdc, 1);
    w.ok(pauses(p.admin, 0, pause::ALL));
}

#[test]
fn a_proposal_from_before_a_pause_does_not_end_it() {
    let (mut w, p) = locked();
    let wish = looser_exchange();
    w.ok(propose(&p, p.exchange, Change::Exchange(wish)));
    w.configure(|config| config.pauses = pause::WITHDRAW);
    w.pass(DAY);
    w.ok(configure_exchange(&p, p.admin, wish).proposed());
    assert_eq!(exchange_of(&w, &p).config, ExchangeConfig { pauses: pause::WITHDRAW, ..wish });
}

#[test]
fn without_a_timelock_the_admin_loosens_at_once() {
    let (mut w, p) = World::new();
    w.ok(configure_exchange(&p, p.admin, ExchangeConfig { timelock_seconds: 0, ..looser_exchange() }).instruction());
    w.ok(set_role(&p, p.admin, role::KEEPER, p.bob.owner, false));
}

/// April 2026: whoever had stolen an exchange's admin key listed a token of his own as collateral, at a price of his own,
/// and borrowed everything else against it. Here the key opens nothing before the timelock is over, and the risk admin,
/// whose key it is not, takes back what it announces.
#[test]
fn a_stolen_admin_key_cannot_borrow_against_a_worthless_collateral() {
    let (mut w, p) = locked();
    w.deposit(&p.bob, &p.usdc, 1_000_000 * USD as u64);
    let worthless = Address::new_from_array([b'w'; 32]);
    w.set_account(worthless, raw::mint(9));
    w.set_account(
        plimsoll_client::instruction::associated_token_account(&p.alice.owner, &worthless),
        raw::token_account(&worthless, &p.alice.owner, 1 << 60),
    );
    // The thief lists it, priced by BTC's feed in a market of his own: neither may count for anything.
    let thiefs_market = create_market_args(&p.btc, "FAKE", 9, market_config(SOL).starting());
    let with_budget = create_market_args(&p.btc, "FAKE", 9, market_config(SOL));
    w.refuses(w.stored().create_market(with_budget), E::NewMarketHasRisk);
    w.ok(w.stored().create_market(thiefs_market));
    let market = address::market(&p.exchange, 3);
    let create = bank::Create {
        admin: p.admin,
        exchange: p.exchange,
        mint: worthless,
        token_program: plimsoll_client::instruction::TOKEN_PROGRAM,
        market: Some(market),
        config: bank_config(),
    };
    w.refuses(create.instruction(), E::NewBankHasWeight);
    w.ok(bank::Create { config: bank_config().starting(), ..create }.instruction());
    w.ok(market::Observe { market, oracle: p.btc.oracle }.instruction());
    let listed = address::bank(&p.exchange, &worthless);
    let (owner, exchange) = (p.alice.owner, p.exchange);
    let deposit = plimsoll_client::instruction::account::Deposit {
        authority: owner,
        exchange,
        account: p.alice.account,
        mint: worthless,
        token_program: plimsoll_client::instruction::TOKEN_PROGRAM,
        source: plimsoll_client::instruction::associated_token_account(&owner, &worthless),
        amount: 1 << 40,
    };
    w.ok(deposit.instruction());
    let loot = |w: &World| {
        let mut snapshot = w.stored();
        snapshot.banks.insert(listed, w.read(&listed));
        snapshot.markets.insert(market, w.read(&market));
        let destination = p.usdc.tokens_of(&owner);
        snapshot.withdraw(&w.keyed(&p.alice), &p.usdc.mint, destination, USD as u64).unwrap()
    };
    w.refuses(loot(&w), E::InsufficientMargin);
    // Every way out of it waits.
    let weigh = bank::Configure { admin: p.admin, exchange, bank: listed, config: bank_config() };
    w.refuses(weigh.instruction(), E::ProposalWanted);
    let unlock = ExchangeConfig { timelock_seconds: 0, ..exchange_config() };
    w.refuses(configure_exchange(&p, p.admin, unlock).instruction(), E::ProposalWanted);
    w.refuses(set_role(&p, p.admin, role::RISK_ADMIN, p.alice.owner, false), E::ProposalWanted);
    w.ok(propose(&p, listed, Change::Bank(bank_config())));
    w.pass(DAY - 1);
    w.refuses(weigh.proposed(), E::TimelockRunning);
    w.ok(cancel(&p, p.carol.owner, listed));
    w.pass(1);
    w.refuses(weigh.instruction(), E::ProposalWanted);
    for asset in [p.sol, p.btc, p.eth] {
        let price = if asset.market == p.btc.market { 60_000 } else { 125 };
        w.set_price(&asset, price);
    }
    w.ok(market::Observe { market, oracle: p.btc.oracle }.instruction());
    w.refuses(loot(&w), E::InsufficientMargin);
}

/// Nor can the key liquidate anybody: what moves the maintenance line waits, whichever way.
#[test]
fn a_stolen_admin_key_cannot_move_the_line_under_an_account() {
    let (mut w, p) = locked();
    w.deposit(&p.alice, &p.btc, BTC as u64);
    let changes: [fn(&mut BankConfig); 3] = [
        |config| config.haircut_maint_ppm = 100_000,
        |config| config.haircut_maint_full_ppm = 100_000,
        |config| config.borrow_weight_maint_ppm = 40_000,
    ];
    for change in changes {
        let mut config = bank_config();
        change(&mut config);
        w.refuses(configure_bank(&p, p.admin, config).instruction(), I::Custom(refusal(&config)));
        w.refuses(configure_bank(&p, p.carol.owner, config).instruction(), I::Custom(forbidden(&config)));
    }
    let all_maintenance = ExchangeConfig { maintenance_ratio_ppm: 1_000_000, ..exchange_config() };
    let config = ExchangeConfig { timelock_seconds: DAY as u32, ..all_maintenance };
    w.refuses(configure_exchange(&p, p.admin, config).instruction(), E::ProposalWanted);
    w.refuses(configure_exchange(&p, p.carol.owner, config).instruction(), E::OnlyTightening);
}

fn refusal(config: &BankConfig) -> u32 {
    config.validate().err().unwrap_or(E::ProposalWanted).code()
}

fn forbidden(config: &BankConfig) -> u32 {
    config.validate().err().unwrap_or(E::OnlyTightening).code()
}

#[test]
fn a_proposal_is_decoded_by_the_client() {
    let (mut w, p) = locked();
    w.ok(propose(&p, p.sol.bank, Change::Bank(bank_config())));
    let proposal: Proposal = w.read(&address::proposal(&p.sol.bank));
    assert_eq!(Change::read(proposal.kind, &proposal.content), Ok(Change::Bank(bank_config())));
    assert_eq!(Proposal::NAME, "proposal");
}
