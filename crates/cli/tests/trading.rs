//! Accounts and trades, on a local chain with the real program.

mod common;

use common::{Stage, number};
use serde_json::json;
use solana_signer::Signer;

/// 10,000 dollars and 100 SOL in the wallet.
fn trader() -> Stage {
    let stage = Stage::open();
    stage.wallet("trader.json", 10_000_000_000, 100_000_000_000);
    stage
}

#[test]
fn an_account_is_opened_filled_emptied_and_closed() {
    let stage = trader();
    let deposit = stage.json("trader.json", &["account", "deposit", "1000.5", "USDC"]);
    assert_eq!(number(&deposit["amount_native"]), 1_000_500_000);
    let all = stage.json("trader.json", &["account", "deposit", "all", "SOL"]);
    assert_eq!(number(&all["amount_native"]), 100_000_000_000);
    let shown = stage.json("trader.json", &["account", "show"]);
    assert_eq!(shown[0]["address"], deposit["account"]);
    // 1,000.50 and 100 SOL at 40, rounded down.
    assert_eq!(number(&shown[0]["equity_init"]), 5_000_499_999);
    let withdrawn = stage.json("trader.json", &["account", "withdraw", "all", "SOL"]);
    assert_eq!(number(&withdrawn["amount_native"]), -100_000_000_000);
    let (code, error) = stage.refused("trader.json", &["account", "close", "0"]);
    assert_eq!((code, &error["name"]), (4, &json!("AccountNotEmpty")));
    stage.json("trader.json", &["account", "withdraw", "all", "USDC"]);
    let listed = stage.json("trader.json", &["account", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["equity_maint"]), (1, &json!("0")));
    stage.json("trader.json", &["account", "close", "0"]);
    assert_eq!(stage.json("trader.json", &["account", "list"]), json!([]));
    let (code, error) = stage.refused("trader.json", &["account", "withdraw", "1", "USDC"]);
    assert_eq!((code, &error["name"]), (6, &json!("NotFound")));
}

#[test]
fn what_if_says_what_the_trade_then_does() {
    let stage = trader();
    stage.json("trader.json", &["account", "deposit", "1000", "USDC"]);
    let order = ["perp", "buy", "50", "SOL"];
    let asked = stage.json("trader.json", &[&["what-if"], order.as_slice()].concat());
    assert_eq!((&asked["accepted"], &asked["refused"]), (&json!(true), &json!(null)));
    let price = number(&asked["liquidation_prices"][0]["below_q48"]);
    assert!(price < number(&asked["liquidation_prices"][0]["spot_q48"]));
    let traded = stage.json("trader.json", &[&["trade"], order.as_slice()].concat());
    assert_eq!(traded["events"][0]["event"], "Traded");
    assert_eq!(traded["events"][0]["fields"]["cost"], asked["execution"]["cost"]);
    for key in ["equity_maint", "requirement_init", "health_maint"] {
        assert_eq!(traded["margin"][key], asked["after"][key], "{key}");
    }
    let shown = stage.json("trader.json", &["account", "show"]);
    assert_eq!(shown[0]["markets"][0]["size"], "50000000000");
    stage.json("trader.json", &["trade", "close", "SOL", "--size", "20"]);
    let closed = stage.json("trader.json", &["trade", "close", "SOL"]);
    assert_eq!(closed["events"][0]["fields"]["position"], "0");
    stage.json("trader.json", &["trade", "settle", "SOL"]);
    let shown = stage.json("trader.json", &["account", "show"]);
    assert_eq!(shown[0]["markets"], json!([]));
}

#[test]
fn the_largest_trade_is_accepted_and_one_unit_more_is_not() {
    let stage = trader();
    stage.json("trader.json", &["account", "deposit", "1000", "USDC"]);
    let max = stage.json("trader.json", &["what-if", "perp", "sell", "1", "SOL", "--max"]);
    let size = number(&max["max"]["size"]);
    assert_eq!(max["max"]["limit"], "InsufficientMargin");
    let whole = |base: i64| format!("{}.{:09}", base / 1_000_000_000, base % 1_000_000_000);
    let more = stage.json("trader.json", &["what-if", "perp", "sell", &whole(size + 1), "SOL"]);
    assert_eq!((&more["accepted"], &more["refused"]["name"]), (&json!(false), &json!("InsufficientMargin")));
    // What would be refused is not sent.
    let (code, error) = stage.refused("trader.json", &["trade", "perp", "sell", &whole(size + 1), "SOL"]);
    assert_eq!((code, &error["name"], &error["code"]), (4, &json!("InsufficientMargin"), &more["refused"]["code"]));
    stage.json("trader.json", &["trade", "perp", "sell", &whole(size - 1_000_000), "SOL"]);
}

#[test]
fn options_are_traded_by_day_strike_and_kind() {
    let stage = trader();
    stage.json("trader.json", &["account", "deposit", "5000", "USDC"]);
    let board = &stage.json("trader.json", &["board", "list"])[0];
    let day = board["day"].as_str().unwrap();
    let buy = stage.json("trader.json", &["trade", "option", "buy", "5", "SOL", day, "44", "call"]);
    assert_eq!(buy["events"][0]["fields"]["lots"], "50");
    stage.json("trader.json", &["trade", "option", "sell", "2", "SOL", day, "36", "put", "--slippage", "2%"]);
    let shown = stage.json("trader.json", &["account", "show"]);
    let options = shown[0]["options"].as_array().unwrap();
    let mut lots: Vec<_> = options.iter().map(|option| option["lots"].as_i64().unwrap()).collect();
    lots.sort_unstable();
    assert_eq!(lots, [-20, 50]);
    let (code, error) = stage.refused("trader.json", &["trade", "option", "buy", "0.05", "SOL", day, "44", "call"]);
    assert_eq!((code, &error["message"]), (2, &json!("0.05 is no whole number of lots of 0.1")));
    let (code, error) = stage.refused("trader.json", &["trade", "option", "buy", "1", "SOL", day, "45", "call"]);
    let expected = "no strike of 45 is listed: one of 28, 32, 36, 40, 44, 48, 56";
    assert_eq!((code, &error["message"]), (6, &json!(expected)));
    let closed = stage.json("trader.json", &["trade", "close", "SOL", day, "36", "put"]);
    assert_eq!(closed["events"][0]["fields"]["position"], "0");
}

#[test]
fn a_swap_has_a_limit_and_a_delegate_trades() {
    let stage = trader();
    stage.json("trader.json", &["account", "deposit", "10", "SOL"]);
    let swapped = stage.json("trader.json", &["trade", "swap", "sell", "3", "SOL"]);
    assert_eq!(swapped["events"][0]["fields"]["amount"], "-3000000000");
    let (code, error) = stage.refused("trader.json", &["trade", "swap", "sell", "3", "SOL", "--limit", "121"]);
    assert_eq!((code, &error["name"]), (4, &json!("LimitPrice")));
    let delegate = stage.wallet("delegate.json", 0, 0).pubkey().to_string();
    let account = swapped["account"].as_str().unwrap();
    let order = ["trade", "perp", "buy", "1", "SOL", "--account", account];
    let (code, error) = stage.refused("delegate.json", &order);
    assert_eq!((code, &error["name"]), (4, &json!("NotOwnerOrDelegate")));
    stage.json("trader.json", &["account", "delegate", &delegate]);
    stage.json("delegate.json", &order);
    stage.json("trader.json", &["account", "delegate", "none"]);
    assert_eq!(stage.refused("delegate.json", &order).0, 4);
}

#[test]
fn stress_is_a_table_json_and_a_picture() {
    let stage = trader();
    stage.json("trader.json", &["account", "deposit", "1000", "USDC"]);
    stage.json("trader.json", &["trade", "perp", "buy", "100", "SOL"]);
    let picture = stage.path("grid.svg");
    let grid = stage.json("trader.json", &["stress", "--range", "30%", "--steps", "3", "--svg", &picture]);
    assert_eq!(grid["moves_ppm"], json!([-300_000, -200_000, -100_000, 0, 100_000, 200_000, 300_000]));
    let row = &grid["cells"][0];
    // 100 SOL at 40: a fall by 30 % is a loss of 1,200.
    assert!((number(&row[0]["pnl"]) + 1_200_000_000).abs() < 1_000_000, "{row}");
    assert!(number(&row[0]["health_maint"]) < 0 && number(&row[6]["health_maint"]) > 0);
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg ") && svg.matches("<rect").count() > 35);
    let text = stage.text("trader.json", &["stress", "--market", "SOL", "--steps", "2"]);
    assert!(text.contains("vol -50 %") && text.contains("+40 %"), "{text}");
    let (code, error) = stage.refused("trader.json", &["stress", "--market", "DOGE"]);
    assert_eq!((code, &error["message"]), (6, &json!("there is no market DOGE: one of BTC, SOL")));
}
