//! Setting an exchange up and changing it from a file, on a local chain with the real program.

mod common;

use std::{cell::Cell, fs};

use common::{LOCALNET, Stage};
use plimsoll_client::{Address, Error, rpc::Confirmed};
use plimsoll_migrations::{Chain, Deployment, RpcChain, State, Step, fetch_state, run};
use serde_json::json;
use solana_signer::Signer;

/// A file on the stage, as the example with pieces replaced.
fn file(stage: &Stage, pieces: &[(&str, &str)]) -> String {
    let text = pieces.iter().fold(LOCALNET.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let path = stage.path("changed.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_same_file_twice_is_nothing_to_do() {
    let stage = Stage::open();
    let same = file(&stage, &[]);
    let text = stage.text("admin.json", &["exchange", "plan", &same]);
    let expected = "Nothing to do: all 8 subjects of the file are as it wants them.";
    assert_eq!(text.lines().last(), Some(expected));
    let plan = stage.json("admin.json", &["exchange", "apply", &same, "--yes"]);
    assert_eq!((&plan["applied"], &plan["unchanged"]), (&json!(0), &json!(8)));
}

#[test]
fn a_change_is_shown_asked_for_and_made() {
    let stage = Stage::open();
    let changed = file(
        &stage,
        &[("taker_fee = 0.0005", "taker_fee = 0.0004"), ("reserve_factor = 0.1 ", "reserve_factor = 0.2 ")],
    );
    let text = stage.text("admin.json", &["exchange", "plan", &changed]);
    let expected = "  ~ change the bank USDC
      lending.reserve_factor  0.1 → 0.2
  ~ change the market BTC
      perpetual.taker_fee  0.0005 → 0.0004
2 changes in 2 transactions; 6 unchanged.";
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>().join("\n"), expected);
    // Nobody can be asked here, so nothing is sent.
    let (code, error) = stage.refused("admin.json", &["exchange", "apply", &changed]);
    assert_eq!((code, &error["name"]), (8, &json!("Declined")));
    let plan = stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    assert_eq!((&plan["applied"], &plan["changes"][1]["action"]), (&json!(2), &json!("change")));
    let fields = json!([{ "key": "perpetual.taker_fee", "old": "0.0005", "new": "0.0004" }]);
    assert_eq!(plan["changes"][1]["fields"], fields);
    let market = stage.json("admin.json", &["market", "show", "BTC"]);
    assert_eq!(market["parameters"]["perpetual.taker_fee"], "0.0004");
    assert_eq!(stage.json("admin.json", &["exchange", "plan", &changed])["changes"], json!([]));
}

#[test]
fn only_the_admin_may_and_what_is_fixed_stays() {
    let stage = Stage::open();
    stage.wallet("other.json", 0, 0);
    let exchange = stage.world.exchange.to_string();
    let same = file(&stage, &[]);
    let (code, error) = stage.refused("other.json", &["exchange", "plan", &same, "--exchange", &exchange]);
    assert_eq!((code, &error["name"]), (7, &json!("File")));
    assert!(error["message"].as_str().unwrap().ends_with("sign with the admin's key"), "{error}");
    let fixed = file(&stage, &[("base_decimals = 9", "base_decimals = 10")]);
    let (code, error) = stage.refused("admin.json", &["exchange", "plan", &fixed]);
    let expected = "the market SOL exists with another number of base decimals, which cannot be changed";
    assert_eq!((code, &error["message"]), (7, &json!(expected)));
}

/// A chain that is cut off at one step: before the transaction, or behind it, when nobody hears that it was executed.
struct Cut<C> {
    inner: C,
    at: usize,
    sent: Cell<usize>,
    after: bool,
}

impl<C: Chain<Error = Error>> Chain for Cut<C> {
    type Error = Error;

    fn state(&mut self, exchange: &Address) -> Result<State, Error> {
        self.inner.state(exchange)
    }

    fn owner(&mut self, account: &Address) -> Result<Option<Address>, Error> {
        self.inner.owner(account)
    }

    fn send(&mut self, step: &Step) -> Result<(), Error> {
        let is_cut = self.sent.replace(self.sent.get() + 1) == self.at;
        if is_cut && self.after {
            self.inner.send(step)?;
        }
        if is_cut { Err(Error::Rpc("cut off".into())) } else { self.inner.send(step) }
    }
}

/// What a finished exchange is, without its addresses and moments.
fn outcome(stage: &Stage, deployment: &Deployment) -> String {
    let state = fetch_state(stage.world.rpc(), &deployment.address(&stage.world.admin.pubkey())).unwrap();
    let mut markets: Vec<_> =
        state.markets.values().map(|market| (market.index, market.config, market.symbol, market.boards)).collect();
    markets.sort_by_key(|market| market.0);
    let mut banks: Vec<_> =
        state.banks.values().map(|bank| (bank.index, bank.config, bank.mint, bank.deposit_shares)).collect();
    banks.sort_by_key(|bank| bank.0);
    let boards: Vec<_> = state
        .boards
        .values()
        .map(|board| (board.strikes, board.volatilities_ppm, board.refreshed, board.expiry))
        .collect();
    let house = state.house.map(|house| (house.share_supply, house.risk_budget_total));
    format!("{:?} {markets:?} {banks:?} {boards:?} {house:?}", state.exchange.map(|exchange| exchange.config))
}

#[test]
fn after_a_failure_at_any_step_it_ends_as_an_unbroken_run_does() {
    let stage = Stage::open();
    let admin = stage.world.admin.insecure_clone();
    let whole = stage.world.deployment.clone();
    let expected = outcome(&stage, &whole);
    let confirmed = |_: &Step, _: &Confirmed| {};
    let mut at = 0;
    for index in 1.. {
        stage.world.give(&admin.pubkey(), "USDC", whole.house_deposit).unwrap();
        stage.world.publish().unwrap();
        let deployment = Deployment { index, ..whole.clone() };
        let inner = RpcChain { rpc: stage.world.rpc(), admin: &admin, on_confirmed: confirmed };
        let mut chain = Cut { inner, at, sent: Cell::new(0), after: index % 2 == 0 };
        let Err(error) = run(&deployment, &admin.pubkey(), &mut chain, |_| {}) else { break };
        assert!(error.to_string().ends_with("RPC: cut off"), "{error}");
        let rest = run(&deployment, &admin.pubkey(), &mut chain.inner, |_| {}).unwrap();
        assert_eq!(outcome(&stage, &deployment), expected, "cut off at step {at}, {rest} to go");
        // Each step is cut off before and behind.
        at += usize::from(index % 2 == 0);
    }
    assert_eq!(at, 16);
}

#[test]
fn what_loosens_is_announced_waits_and_is_executed() {
    let mut stage = Stage::of(&LOCALNET.replacen("timelock_seconds = 0 ", "timelock_seconds = 3600 ", 1));
    let locked = ("timelock_seconds = 0 ", "timelock_seconds = 3600 ");
    let changed = file(&stage, &[locked, ("risk_budget_usd = 500_000 ", "risk_budget_usd = 600_000 ")]);
    let plan = stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    assert_eq!((&plan["changes"][0]["action"], &plan["applied"]), (&json!("propose"), &json!(1)));
    let ready_at = plan["changes"][0]["ready_at"].as_i64().unwrap();
    // It may not be made before, and asking again does nothing.
    let waiting = stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    assert_eq!((&waiting["changes"][0]["action"], &waiting["applied"]), (&json!("wait"), &json!(0)));
    assert!((ready_at - waiting["changes"][0]["ready_at"].as_i64().unwrap()).abs() <= 5);
    stage.world.chain.travel(3_605).unwrap();
    stage.world.publish().unwrap();
    stage.world.observe().unwrap();
    let executed = stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    assert_eq!((&executed["changes"][0]["action"], &executed["applied"]), (&json!("execute"), &json!(1)));
    let market = stage.json("admin.json", &["market", "show", "BTC"]);
    assert_eq!(market["parameters"]["perpetual.risk_budget_usd"], "600_000");
    let left = stage.json("admin.json", &["exchange", "plan", &changed]);
    assert_eq!(left["changes"], json!([]));
}

#[test]
fn what_was_announced_is_taken_back_when_the_file_no_longer_wants_it() {
    let stage = Stage::of(&LOCALNET.replacen("timelock_seconds = 0 ", "timelock_seconds = 3600 ", 1));
    let locked = ("timelock_seconds = 0 ", "timelock_seconds = 3600 ");
    let changed = file(&stage, &[locked, ("liquidation_dust_usd = 25 ", "liquidation_dust_usd = 26 ")]);
    stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    let back = file(&stage, &[locked]);
    let stale = stage.json("admin.json", &["exchange", "apply", &back, "--yes"]);
    assert_eq!((&stale["changes"][0]["action"], &stale["applied"]), (&json!("stale"), &json!(0)));
    let cancelled = stage.json("admin.json", &["exchange", "apply", &back, "--yes", "--cancel-proposals"]);
    assert_eq!((&cancelled["changes"][0]["action"], &cancelled["applied"]), (&json!("cancel"), &json!(1)));
    assert_eq!(stage.json("admin.json", &["exchange", "plan", &back])["changes"], json!([]));
}

#[test]
fn roles_are_given_and_kinds_of_action_paused() {
    let stage = Stage::open();
    let risk = stage.wallet("risk.json", 0, 0).pubkey().to_string();
    let roles = format!("[roles]\nrisk_admin = \"{risk}\"\nkeeper = \"{risk}\"\n\n[quote]\n");
    let changed = file(&stage, &[("[quote]\n", &roles)]);
    let plan = stage.json("admin.json", &["exchange", "apply", &changed, "--yes"]);
    let subjects: Vec<_> = plan["changes"].as_array().unwrap().iter().map(|change| &change["subject"]).collect();
    assert_eq!(subjects, ["the role risk_admin", "the role keeper"]);
    let paused = stage.json("risk.json", &["exchange", "pause", "--set", "open,option"]);
    assert_eq!(paused["paused"], json!(["open", "option"]));
    let (code, error) = stage.refused("risk.json", &["exchange", "pause", "--clear", "all"]);
    assert_eq!((code, &error["name"]), (4, &json!("OnlyTightening")));
    assert_eq!(stage.json("admin.json", &["exchange", "pause", "--clear", "all"])["paused"], json!([]));
    let (code, error) = stage.refused("admin.json", &["exchange", "pause", "--set", "everything"]);
    assert_eq!((code, &error["name"]), (2, &json!("Usage")));
}
