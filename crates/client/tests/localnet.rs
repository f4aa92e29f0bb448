//! The client against a running chain: the examples, every message format, simulation, resending and expiry.

#[path = "../examples/liquidator.rs"]
#[allow(dead_code)]
mod liquidator;
#[path = "../examples/margin.rs"]
#[allow(dead_code)]
mod margin;
#[path = "../examples/open_position.rs"]
#[allow(dead_code)]
mod open_position;

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use plimsoll_client::{
    Address, Error, Keyed, PlimsollError, Trade,
    accounts::MarginAccount,
    address, budget,
    budget::PortfolioSize,
    instruction::account,
    rpc::{ComputeLimit, Rpc, SendOptions},
    transaction::{Format, new_tables},
};
use plimsoll_localnet::{Options, Ports, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A chain with an exchange, and prices of now.
fn world() -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let options = Options {
        so: root.join("target/deploy/plimsoll.so"),
        config: root.join("migrations/localnet.toml"),
        ports: Ports::default(),
        slot_time_ms: 50,
    };
    World::open(&options, &mut |_| Ok(())).unwrap_or_else(|error| panic!("{error:#}"))
}

/// A wallet with a margin account and so many dollars in it.
fn trader(world: &mut World, dollars: u64) -> (Keypair, Address) {
    let wallet = world.wallet().unwrap();
    let (owner, exchange) = (wallet.pubkey(), world.exchange);
    let quote = world.deployment.quote.symbol.clone();
    let source = world.give(&owner, &quote, dollars * 1_000_000).unwrap();
    let account = address::margin_account(&exchange, &owner, 0);
    let create = account::Create { payer: owner, owner, exchange, index: 0 }.instruction();
    let snapshot = world.snapshot().unwrap();
    let mint = snapshot.exchange.data.quote_mint;
    let deposit = snapshot.deposit(owner, &account, &mint, source, dollars * 1_000_000).unwrap();
    world.send(&[create, deposit], &wallet).unwrap();
    (wallet, account)
}

fn market(world: &World, symbol: &str) -> Address {
    let snapshot = world.snapshot().unwrap();
    let named = |name: &[u8; 16]| name.starts_with(symbol.as_bytes());
    *snapshot.markets.iter().find(|(_, market)| named(&market.symbol)).unwrap().0
}

/// A trade of an account's, as its owner sends it.
fn order(world: &World, address: &Address, trade: &Trade) -> (Keyed<MarginAccount>, Vec<Instruction>) {
    let (snapshot, account) = (world.snapshot().unwrap(), world.account(address).unwrap());
    let instruction = snapshot.instruction(account.data.owner, &account, trade, Address::default()).unwrap();
    let instructions = snapshot.with_refreshes(&[instruction]).unwrap();
    (account, instructions)
}

#[test]
fn the_examples_run() {
    let mut world = world();
    let (long, account) = trader(&mut world, 10_000);
    let (carrier, _) = trader(&mut world, 1_000_000);
    let (url, sol) = (world.chain.url().to_string(), market(&world, "SOL"));
    world.publish().unwrap();
    let what_if = world
        .snapshot()
        .unwrap()
        .what_if(&world.account(&account).unwrap().data, &Trade::position(sol, 1_000_000_000_000));
    let foretold = what_if.unwrap();
    let opened = open_position::run(&url, &world.exchange, &sol, 1_000_000_000_000, &long).unwrap();
    assert_eq!(opened.data, foretold.account);
    let refused =
        open_position::run(&url, &world.exchange, &sol, 1_000_000_000_000_000, &long).unwrap_err().to_string();
    assert!(refused.contains("the chain would refuse it: ") && refused.contains("largest accepted is "), "{refused}");
    margin::run(&url, &world.exchange, &long.pubkey()).unwrap();
    assert_eq!(liquidator::run(&url, &world.exchange, &carrier).unwrap(), []);
    world.set_price("SOL", 780);
    world.publish().unwrap();
    assert_eq!(liquidator::run(&url, &world.exchange, &carrier).unwrap(), [account]);
}

#[test]
fn every_format_is_accepted_and_the_limit_holds() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 10_000);
    let sol = market(&world, "SOL");
    let snapshot = world.snapshot().unwrap();
    let slot = world.rpc().client().get_slot().unwrap();
    let shared = snapshot.shared_addresses();
    let tables = new_tables(wallet.pubkey(), wallet.pubkey(), slot.saturating_sub(1), &shared);
    for instruction in tables.iter().flat_map(|table| &table.instructions) {
        world.rpc().send(std::slice::from_ref(instruction), &wallet, &[]).unwrap();
    }
    let table = world.rpc().lookup_table(&tables[0].address).unwrap();
    assert_eq!(table.addresses, shared);
    for format in [Format::Legacy, Format::V0, Format::V1] {
        world.publish().unwrap();
        let (account, instructions) = order(&world, &address, &Trade::position(sol, 1_000_000_000));
        let limit = ComputeLimit::Bound(PortfolioSize::of(&account.data));
        let options = SendOptions {
            format,
            compute: limit,
            micro_lamports_per_unit: 1_000,
            tables: std::slice::from_ref(&table),
            ..SendOptions::default()
        };
        let confirmed = world.rpc().send_with(&instructions, &wallet, &[], &options).unwrap();
        let bound = budget::limit(&instructions, &PortfolioSize::of(&account.data));
        assert!(confirmed.compute_units.iter().sum::<u64>() <= u64::from(bound), "{format:?}: {confirmed:?}");
    }
    let position = world.account(&address).unwrap().data.markets[0].size;
    assert_eq!(position, 3_000_000_000);
}

#[test]
fn a_simulation_says_in_words_what_sending_would() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 100);
    let sol = market(&world, "SOL");
    world.publish().unwrap();
    let (_, small) = order(&world, &address, &Trade::position(sol, 1_000_000_000));
    let options = SendOptions { compute: ComputeLimit::Simulated { percent: 10 }, ..SendOptions::default() };
    let simulation = world.rpc().simulate(&small, &wallet.pubkey(), &options).unwrap();
    assert_eq!((simulation.error, simulation.message), (None, None));
    assert!(simulation.units > 4_000 && !simulation.events.is_empty());
    let (_, large) = order(&world, &address, &Trade::position(sol, 1_000_000_000_000));
    let refused = world.rpc().simulate(&large, &wallet.pubkey(), &options).unwrap();
    assert_eq!(refused.error, Some(Error::Program(PlimsollError::InsufficientMargin)));
    let message = refused.message.unwrap();
    assert!(message.contains(PlimsollError::InsufficientMargin.message()), "{message}");
    let sent = world.rpc().send_with(&large, &wallet, &[], &options);
    assert_eq!(sent.unwrap_err(), Error::Program(PlimsollError::InsufficientMargin));
    assert!(world.rpc().send_with(&small, &wallet, &[], &options).is_ok());
    // Without preflight it is executed, and fails there.
    let (_, large) = order(&world, &address, &Trade::position(sol, 1_000_000_000_000));
    let blind = SendOptions { preflight: false, ..SendOptions::default() };
    let sent = world.rpc().send_with(&large, &wallet, &[], &blind);
    assert_eq!(sent.unwrap_err(), Error::Program(PlimsollError::InsufficientMargin));
}

/// A link to the chain that loses what is sent over it.
mod lossy {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::{TcpListener, TcpStream},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    use serde_json::Value;
    use solana_signature::Signature;

    /// Takes requests on a port of its own and passes them on, but for the first transactions that are sent: these it
    /// answers as a server does, and forgets. Counts transactions in `sent`.
    pub fn link(url: &str, lost: usize) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, upstream) = (listener.local_addr().unwrap(), url.trim_start_matches("http://").to_string());
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = sent.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (upstream, counter) = (upstream.clone(), counter.clone());
                thread::spawn(move || serve(stream, &upstream, &counter, lost));
            }
        });
        (format!("http://{address}"), sent)
    }

    fn serve(stream: TcpStream, upstream: &str, sent: &AtomicUsize, lost: usize) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let body = read_body(&mut reader)?;
            let request: Value = serde_json::from_slice(&body).ok()?;
            let is_sent = request["method"] == "sendTransaction";
            let answer = match is_sent && sent.fetch_add(1, Ordering::SeqCst) < lost {
                true => forgotten(&request),
                false => pass_on(upstream, &body)?,
            };
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            )
            .ok()?;
            stream.write_all(&answer).ok()?;
        }
    }

    /// The body of the next message on a connection.
    fn read_body(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
        let mut len = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                len = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body).ok()?;
        Some(body)
    }

    fn pass_on(upstream: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(upstream).ok()?;
        let head = "content-type: application/json\r\nconnection: close";
        write!(stream, "POST / HTTP/1.1\r\nhost: {upstream}\r\n{head}\r\ncontent-length: {}\r\n\r\n", body.len())
            .ok()?;
        stream.write_all(body).ok()?;
        read_body(&mut BufReader::new(stream))
    }

    /// What a server answers that takes a transaction: its first signature.
    fn forgotten(request: &Value) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::STANDARD};

        let bytes = STANDARD.decode(request["params"][0].as_str().unwrap_or("")).unwrap_or_default();
        let signature = Signature::try_from(bytes.get(1..65).unwrap_or(&[0; 64])).unwrap_or_default();
        let answer = serde_json::json!({ "jsonrpc": "2.0", "id": request["id"], "result": signature.to_string() });
        answer.to_string().into_bytes()
    }
}

#[test]
fn what_is_lost_on_the_way_is_sent_again() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 10_000);
    world.publish().unwrap();
    let (_, instructions) = order(&world, &address, &Trade::position(market(&world, "SOL"), 1_000_000_000));
    let (url, sent) = lossy::link(world.chain.url(), 2);
    let options = SendOptions { resend: Duration::from_millis(300), ..SendOptions::default() };
    Rpc::new(url).send_with(&instructions, &wallet, &[], &options).unwrap();
    assert!(sent.load(Ordering::SeqCst) >= 3);
    assert_eq!(world.account(&address).unwrap().data.markets[0].size, 1_000_000_000);
}

#[test]
fn what_never_arrives_has_expired_once_the_block_height_has_passed() {
    let mut world = world();
    let (wallet, address) = trader(&mut world, 10_000);
    world.publish().unwrap();
    let (before, instructions) = order(&world, &address, &Trade::position(market(&world, "SOL"), 1_000_000_000));
    let (url, sent) = lossy::link(world.chain.url(), usize::MAX);
    let options = SendOptions { resend: Duration::from_millis(500), ..SendOptions::default() };
    let error = Rpc::new(url).send_with(&instructions, &wallet, &[], &options).unwrap_err();
    assert!(matches!(error, Error::Expired(_)), "{error}");
    assert!(error.to_string().ends_with("so nothing has changed"));
    assert!(sent.load(Ordering::SeqCst) > 2);
    assert_eq!(world.account(&address).unwrap().data, before.data);
}
