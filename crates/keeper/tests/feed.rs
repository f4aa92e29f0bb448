//! What is known stays true when sockets break, servers vanish and nothing is subscribed to.

mod common;

use common::{Bot, market, proxy::Proxy, wait_for, world};
use plimsoll_localnet::World;

const FAST: &str = "
[connection]
clock_ms = 100
poll_ms = 200
silence_seconds = 3
retry_max_seconds = 1
[fees]
confirm_ms = 50
[tasks.observe]
interval_ms = 100
";

/// Publishes a price a minute later, and waits until the keeper has stored it.
fn price_is_kept(world: &mut World, permille: i64) {
    world.chain.travel(60).unwrap();
    world.set_price("SOL", permille);
    world.publish().unwrap();
    let (now, sol) = (world.rpc().now().unwrap(), market(world, "SOL"));
    wait_for("the price is stored", || (world.snapshot().unwrap().markets[&sol].publish_time >= now - 5).then_some(()));
}

#[test]
fn a_broken_socket_is_opened_again_and_polling_stands_in() {
    let mut world = world(50);
    let (rpc, ws) = (Proxy::of(world.chain.url()), Proxy::of(world.chain.ws_url()));
    let urls = [format!("http://127.0.0.1:{}", rpc.port), format!("ws://127.0.0.1:{}", ws.port)];
    let mut bot = Bot::keeper(&urls[0], &urls[1], &world.admin, FAST);
    bot.wait_for_log("\"subscribed\"");
    price_is_kept(&mut world, 1_001);
    ws.close();
    wait_for("the socket is opened again", || (ws.accepted() >= 2).then_some(()));
    price_is_kept(&mut world, 1_002);
    ws.cut();
    wait_for("it knows", || (bot.metric("plimsoll_keeper_subscribed") == 0.0).then_some(()));
    price_is_kept(&mut world, 1_003);
    let fetches = bot.metric("plimsoll_keeper_fetches_total");
    wait_for("everything is polled", || (bot.metric("plimsoll_keeper_fetches_total") > fetches + 2.0).then_some(()));
    rpc.cut();
    bot.wait_for_log("fetching everything: ");
    assert!(bot.is_running(), "it waits for the server");
    rpc.restore();
    ws.restore();
    wait_for("it is subscribed again", || (bot.metric("plimsoll_keeper_subscribed") == 1.0).then_some(()));
    price_is_kept(&mut world, 1_004);
    assert!(bot.terminate().success());
}

#[test]
fn without_a_server_it_waits_and_ends_when_asked() {
    let world = world(50);
    let mut bot = Bot::keeper("http://127.0.0.1:1", "ws://127.0.0.1:1", &world.admin, FAST);
    bot.wait_for_log("will ask again in");
    assert!(bot.terminate().success());
}
