//! Keeping an exchange: boards, the house, events, liquidations, the doctor; on a local chain with the real program.

mod common;

use common::{Stage, number, program};
use serde_json::{Value, json};
use solana_signer::Signer;

#[test]
fn a_board_is_created_listed_posted_refreshed_and_shown() {
    let stage = Stage::open();
    let expiry = day(stage.world.rpc().now().unwrap() + 10 * 86_400);
    let arguments = ["board", "create", "SOL", &expiry, "--strikes", "38,40,42", "--volatility", "150%,140%,135%"];
    let created = stage.json("admin.json", &arguments);
    assert_eq!(created["done"], "created");
    let board = stage.json("admin.json", &["board", "show", "SOL", &expiry]);
    let volatilities: Vec<_> =
        board["strikes"].as_array().unwrap().iter().map(|strike| strike["volatility_ppm"].as_u64().unwrap()).collect();
    assert_eq!((volatilities, &board["fresh"]), (vec![1_500_000, 1_400_000, 1_350_000], &json!(true)));
    stage.json("admin.json", &["board", "list-strikes", "SOL", &expiry, "--strikes", "44.5"]);
    let post = ["board", "post-volatilities", "SOL", &expiry, "--volatility", "145%", "--basis", "-0.1%"];
    let (code, error) = stage.refused("admin.json", &post);
    assert_eq!((code, &error["name"]), (4, &json!("PostTooFast")));
    stage.world.chain.travel(120).unwrap();
    stage.world.publish().unwrap();
    stage.json("admin.json", &post);
    stage.json("admin.json", &["board", "refresh", "SOL", &expiry]);
    let board = stage.json("admin.json", &["board", "show", "SOL", &expiry]);
    assert_eq!((&board["basis_ppm"], board["strikes"].as_array().unwrap().len()), (&json!(-1000), 4));
    stage.wallet("other.json", 0, 0);
    let (code, error) = stage.refused("other.json", &["board", "close", "SOL", &expiry]);
    assert_eq!((code, &error["name"]), (4, &json!("NotKeeper")));
    // Nobody has options of it.
    assert_eq!(stage.json("admin.json", &["board", "close", "SOL", &expiry])["done"], "closed");
}

/// The day of a moment, as the command takes it.
fn day(unix_seconds: i64) -> String {
    chrono::DateTime::from_timestamp(unix_seconds, 0).unwrap().format("%Y-%m-%d").to_string()
}

#[test]
fn the_house_is_joined_and_left_with_tickets() {
    let stage = Stage::open();
    stage.wallet("provider.json", 1_000_000_000, 0);
    let asked = stage.json("provider.json", &["house", "provide", "400"]);
    assert_eq!((&asked["kind"], &asked["status"], &asked["index"]), (&json!("provide"), &json!("waits"), &json!(0)));
    let (code, _) = stage.refused("provider.json", &["house", "execute", "0"]);
    assert_eq!(code, 4);
    stage.world.chain.travel(90).unwrap();
    stage.world.publish().unwrap();
    let tickets = stage.json("provider.json", &["house", "tickets"]);
    assert_eq!(tickets[0]["status"], "ripe: execute it");
    let executed = stage.json("provider.json", &["house", "execute", "0"]);
    assert_eq!(number(&executed["proceeds"]), 400_000_000);
    let claimed = stage.json("provider.json", &["house", "claim", "0"]);
    assert_eq!(claimed["what"], "shares");
    stage.json("provider.json", &["house", "redeem", "all"]);
    assert_eq!(stage.json("provider.json", &["house", "cancel", "0"])["what"], "shares");
    let house = stage.json("provider.json", &["house", "show"]);
    assert_eq!((number(&house["share_supply"]), number(&house["share_price_ppm"])), (2_000_400_000_000, 1_000_000));
    stage.json("provider.json", &["house", "value"]);
}

#[test]
fn events_are_told_as_they_happen_and_afterwards() {
    let stage = Stage::open();
    stage.wallet("trader.json", 1_000_000_000, 0);
    let arguments = ["events", "tail", "--kind", "BalanceChanged,Traded", "--count", "2", "--timeout", "60"];
    let tail = std::thread::scope(|scope| {
        let tail = scope.spawn(|| stage.lines("trader.json", &arguments));
        std::thread::sleep(std::time::Duration::from_secs(2));
        stage.json("trader.json", &["account", "deposit", "500", "USDC"]);
        stage.json("trader.json", &["trade", "perp", "buy", "2", "SOL"]);
        tail.join().unwrap()
    });
    let kinds: Vec<&Value> = tail.iter().map(|line| &line["event"]).collect();
    assert_eq!(kinds, ["listening", "BalanceChanged", "Traded"]);
    assert_eq!(tail[2]["fields"]["size"], "2000000000");
    let account = tail[2]["fields"]["account"].as_str().unwrap();
    let past = stage.lines("trader.json", &["events", "history", "--since", "1h", "--account", account]);
    assert!(past.iter().any(|line| line["signature"] == tail[2]["signature"] && line["event"] == "Traded"));
    assert!(past.iter().all(|line| line["fields"].to_string().contains(account)));
    let text =
        stage.text("trader.json", &["events", "history", "--since", "1h", "--kind", "Traded", "--market", "SOL"]);
    assert!(text.contains(" bought 2 SOL-PERP for 80.") && text.ends_with("position now 2"), "{text}");
    let none = stage.lines("trader.json", &["events", "history", "--market", "BTC", "--kind", "Traded"]);
    assert!(none.is_empty(), "{none:?}");
    let (code, error) = stage.refused("trader.json", &["events", "tail", "--kind", "Everything"]);
    assert_eq!((code, &error["name"]), (2, &json!("Usage")));
}

#[test]
fn who_is_near_the_line_is_listed_and_taken_over() {
    let mut stage = Stage::open();
    stage.wallet("trader.json", 1_000_000_000, 0);
    stage.wallet("bot.json", 20_000_000_000, 0);
    stage.json("trader.json", &["account", "deposit", "1000", "USDC"]);
    stage.json("trader.json", &["trade", "perp", "buy", "120", "SOL"]);
    assert_eq!(stage.json("bot.json", &["liquidations", "list", "--near", "0%"]), json!([]));
    stage.world.set_price("SOL", 850);
    stage.world.publish().unwrap();
    stage.world.observe().unwrap();
    let near = stage.json("bot.json", &["liquidations", "list"]);
    assert_eq!((near.as_array().unwrap().len(), &near[0]["below"]), (1, &json!(true)));
    let told = |arguments: &[&str]| {
        let lines = stage.lines("bot.json", &[&["liquidate", "--once", "--timeout", "60"], arguments].concat());
        let event_and_account = |line: &Value| (line["event"].clone(), line["account"].clone());
        lines.iter().skip(1).map(event_and_account).collect::<Vec<_>>()
    };
    let sunk = |event: &str| (json!(event), near[0]["address"].clone());
    // The auction begins at a discount of one per cent and grows with every second.
    assert_eq!(told(&["--min-discount", "10500"]), [sunk("flagged"), sunk("liquidated")]);
    assert_eq!(told(&[]), [(json!("idle"), json!(null))]);
    let past = stage.json("bot.json", &["liquidations", "history", "--since", "1h"]);
    let kinds: Vec<&Value> = past.as_array().unwrap().iter().map(|row| &row["event"]).collect();
    assert!(kinds.contains(&&json!("LiquidationFlagged")) && kinds.contains(&&json!("Liquidated")), "{kinds:?}");
    assert_eq!(stage.json("bot.json", &["liquidations", "list", "--near", "0%"]), json!([]));
}

/// How one check of the doctor came out.
fn status<'a>(report: &'a Value, name: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["status"].as_str().unwrap()
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let stage = Stage::open();
    let so = program().display().to_string();
    let report = stage.json("admin.json", &["doctor", "--so", &so]);
    for name in ["RPC", "clock", "program", "exchange", "layouts", "prices", "boards", "house", "wallet"] {
        assert_eq!(status(&report, name), "ok", "{name}: {report}");
    }
    assert_eq!((status(&report, "roles"), status(&report, "timelock"), &report["failed"]), ("warn", "warn", &json!(0)));
    // Two days later nobody has published a price.
    stage.world.chain.travel(172_800).unwrap();
    let other = common::root().join("target/deploy/example_venue.so").display().to_string();
    let url = stage.world.chain.url();
    let key = stage.path("admin.json");
    let output = common::run(&["doctor", "--so", &other, "-u", url, "-k", &key, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for (name, expected) in [("program", "fail"), ("prices", "fail"), ("boards", "warn"), ("clock", "warn")] {
        assert_eq!(status(&report, name), expected, "{name}: {report}");
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("2 of 14 checks failed"), "{stderr}");
}

#[test]
fn markets_and_banks_are_shown_by_name() {
    let mut stage = Stage::open();
    let admin = stage.world.admin.pubkey().to_string();
    let markets = stage.json("admin.json", &["market", "list"]);
    assert_eq!((&markets[1]["symbol"], &markets[1]["price_usd"]), (&json!("SOL"), &json!("40")));
    stage.world.set_price("SOL", 1_100);
    stage.world.publish().unwrap();
    stage.json("admin.json", &["market", "observe", "SOL"]);
    assert_eq!(stage.json("admin.json", &["market", "show", "sol"])["price_usd"], "44");
    let bank = stage.json("admin.json", &["bank", "show", "USDC"]);
    assert_eq!((&bank["is_quote"], &bank["deposits"]), (&json!(true), &json!("2000000")));
    assert_eq!(bank["parameters"]["lending.outflow.limit"], "10_000_000");
    assert_eq!(stage.json("admin.json", &["bank", "list"]).as_array().unwrap().len(), 3);
    assert_eq!(stage.json("admin.json", &["exchange", "list"])[0]["admin"], json!(admin));
    let exchange = stage.json("admin.json", &["exchange", "show"]);
    assert_eq!((&exchange["keeper"], &exchange["paused"]), (&json!(admin), &json!([])));
}
