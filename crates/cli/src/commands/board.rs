//! `plimsoll board`: expiries of options, listed and posted by the keeper, refreshed by anyone.

use anyhow::Result;
use clap::{Args, Subcommand};
use plimsoll_client::{
    Address, Snapshot,
    accounts::{Board, MAX_MARKET_BOARDS, MAX_STRIKES, Market, board_state},
    address, decode,
    instruction::board,
    interface::{
        board::series_kind,
        instruction::{CreateBoardArgs, ListStrikesArgs, PostVolatilitiesArgs, StrikePrice},
    },
    rpc::Confirmed,
};
use plimsoll_migrations::fields;
use serde_json::{Value, json};
use solana_instruction::Instruction;
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Refusal,
    format::{self, number},
    select,
};

/// Subcommands of `plimsoll board`.
#[derive(Subcommand)]
pub enum Command {
    /// Every board: expiry, strikes, freshness.
    #[command(after_help = "Examples:
  plimsoll board list
  plimsoll board list --market SOL --json")]
    List(ListArgs),
    /// One board: its strikes with volatilities and open lots.
    #[command(after_help = "Example:
  plimsoll board show SOL 2027-03-26")]
    Show(BoardArgs),
    /// Add an expiry to a market, with strikes and volatilities if they are given. For the keeper or the admin.
    #[command(after_help = "Examples:
  plimsoll board create SOL 2027-03-26 -k keeper.json
  plimsoll board create SOL 2027-03-26 --strikes 120,140,160 --volatility 95%,90%,92%")]
    Create(CreateArgs),
    /// List strikes of a board. For the keeper or the admin.
    #[command(after_help = "Example:
  plimsoll board list-strikes SOL 2027-03-26 --strikes 120,140,160 -k keeper.json")]
    ListStrikes(StrikesArgs),
    /// Post volatilities, one for each listed strike in order of the strikes, or one for all. For the keeper or the admin.
    #[command(after_help = "Examples:
  plimsoll board post-volatilities SOL 2027-03-26 --volatility 95%,90%,92% -k keeper.json
  plimsoll board post-volatilities SOL 2027-03-26 --volatility 90% --basis 0.4%")]
    PostVolatilities(PostArgs),
    /// Compute a board's risk arrays anew. Anyone may.
    #[command(after_help = "Example:
  plimsoll board refresh SOL 2027-03-26")]
    Refresh(BoardArgs),
    /// Close a settled board without open options. For the keeper or the admin.
    #[command(after_help = "Example:
  plimsoll board close SOL 2027-03-26 -k keeper.json")]
    Close(BoardArgs),
}

/// Of which market.
#[derive(Args)]
pub struct ListArgs {
    /// Only those of this market.
    #[arg(long)]
    market: Option<String>,
}

/// Which board.
#[derive(Args)]
pub struct BoardArgs {
    /// Symbol or address of the market.
    market: String,
    /// Day of the expiry, slot, or address.
    board: String,
}

/// A new board.
#[derive(Args)]
pub struct CreateArgs {
    /// Symbol or address of the market.
    market: String,
    /// Day of the expiry; options expire at 08:00 UTC.
    expiry: String,
    /// Which of the market's boards [default: the first that is free].
    #[arg(long)]
    slot: Option<u8>,
    /// Strikes in dollars, of at most three digits.
    #[arg(long, value_delimiter = ',', value_name = "USD")]
    strikes: Vec<String>,
    /// Volatilities a year, one for each strike or one for all.
    #[arg(long, value_delimiter = ',', value_name = "SHARE", requires = "strikes")]
    volatility: Vec<String>,
}

/// Strikes of a board.
#[derive(Args)]
pub struct StrikesArgs {
    #[command(flatten)]
    board: BoardArgs,
    /// Strikes in dollars, of at most three digits.
    #[arg(long, value_delimiter = ',', value_name = "USD", required = true)]
    strikes: Vec<String>,
}

/// Volatilities of a board.
#[derive(Args)]
pub struct PostArgs {
    #[command(flatten)]
    board: BoardArgs,
    /// Volatilities a year, one for each strike or one for all.
    #[arg(long, value_delimiter = ',', value_name = "SHARE", required = true)]
    volatility: Vec<String>,
    /// The forward over spot less one; what stands stays where it is not given.
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    basis: Option<String>,
}

/// Runs the command.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    match command {
        Command::List(args) => list(args, context, &snapshot),
        Command::Show(args) => {
            let (market, address) = find(&snapshot, args)?;
            show(context, &snapshot, &market, &address)
        }
        Command::Create(args) => create(args, context, &snapshot),
        Command::ListStrikes(args) => {
            let (market, address) = find(&snapshot, &args.board)?;
            let board = &snapshot.boards[&address];
            let instruction = list_strikes(context, &snapshot, &market, &address, board.strikes, &args.strikes)?;
            send(context, &snapshot, &market, &address, vec![instruction], "listed")
        }
        Command::PostVolatilities(args) => post(args, context, &snapshot),
        Command::Refresh(args) => {
            let (market, address) = find(&snapshot, args)?;
            send(context, &snapshot, &market, &address, Vec::new(), "refreshed")
        }
        Command::Close(args) => close(args, context, &snapshot),
    }
}

fn find(snapshot: &Snapshot, args: &BoardArgs) -> Result<(Address, Address)> {
    let (market, _) = select::market(snapshot, &args.market)?;
    Ok((market, select::board(snapshot, &market, &args.board)?.0))
}

/// Strikes in use, by price: place in the board and price.
pub fn strikes(board: &Board) -> Vec<(usize, u64)> {
    let mut strikes: Vec<(usize, u64)> =
        board.strikes.iter().copied().enumerate().filter(|(_, raw)| *raw != 0).collect();
    strikes.sort_unstable_by_key(|(_, raw)| *raw);
    strikes
}

fn board_json(snapshot: &Snapshot, address: &Address, board: &Board) -> Value {
    let market = snapshot.markets.get(&board.market);
    let decimals = market.map_or(0, |market| market.base_decimals);
    let strikes = strikes(board).into_iter().map(|(place, raw)| {
        json!({
            "strike_usd": format::price_decimal(raw, decimals).map(|strike| strike.to_string()),
            "strike_q48": raw.to_string(),
            "place": place,
            "volatility_ppm": board.volatilities_ppm[place],
            "call": { "series": 2 * place, "house_lots": board.house_lots[2 * place], "long_lots": board.long_lots[2 * place] },
            "put": {
                "series": 2 * place + 1,
                "house_lots": board.house_lots[2 * place + 1],
                "long_lots": board.long_lots[2 * place + 1],
            },
        })
    });
    json!({
        "address": address.to_string(),
        "market": market.map(|market| decode::symbol(market)),
        "slot": board.slot,
        "expiry": board.expiry,
        "day": format::day(board.expiry),
        "state": state(board, snapshot.now),
        "lot": fields::decimal(u128::from(board.lot), decimals),
        "basis_ppm": board.basis_ppm,
        "posted_at": board.posted_at,
        "computed_at": board.terms.time,
        "fresh": is_fresh(snapshot, address),
        "settlement_price_q48": board.settlement_price.to_string(),
        "strikes": strikes.collect::<Vec<_>>(),
        "version": board.version,
    })
}

fn state(board: &Board, now: i64) -> &'static str {
    match board.state {
        board_state::SETTLED => "settled",
        _ if board.expiry <= now => "expired",
        _ => "active",
    }
}

/// Whether every listed strike has an array that may be traded on now.
pub fn is_fresh(snapshot: &Snapshot, address: &Address) -> bool {
    let is_listed = snapshot.boards.get(address).is_some_and(|board| board.listed() != 0);
    is_listed && snapshot.needs_refresh(address).is_none()
}

fn list(args: &ListArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let wanted = args.market.as_deref().map(|name| select::market(snapshot, name)).transpose()?;
    let is_wanted = |board: &Board| wanted.is_none_or(|(market, _)| market == board.market);
    let mut boards: Vec<_> = snapshot.boards.iter().filter(|(_, board)| is_wanted(board)).collect();
    boards.sort_unstable_by_key(|(_, board)| (board.market, board.expiry));
    let mut table = format::table(&["market", "expiry", "slot", "state", "strikes", "arrays", "age s", "address"]);
    for (address, board) in &boards {
        let market = snapshot.markets.get(&board.market);
        table.add_row(vec![
            market.map_or_else(String::new, |market| decode::symbol(market)).into(),
            format::moment(board.expiry).into(),
            number(board.slot.to_string()),
            state(board, snapshot.now).into(),
            number(strikes(board).len().to_string()),
            if is_fresh(snapshot, address) { "fresh".into() } else { "old".into() },
            number(snapshot.now.saturating_sub(board.terms.time).to_string()),
            address.to_string().into(),
        ]);
    }
    let rows: Vec<Value> = boards.iter().map(|(address, board)| board_json(snapshot, address, board)).collect();
    context.answer(&Value::from(rows), table.to_string())
}

fn show(context: &Context, snapshot: &Snapshot, market: &Address, address: &Address) -> Result<()> {
    let (board, market) = (&snapshot.boards[address], &snapshot.markets[market]);
    let mut table = format::table(&["strike USD", "volatility", "call\nopen | house", "put\nopen | house"]);
    for (place, raw) in strikes(board) {
        let lots = |series: usize| {
            debug_assert_eq!(series_kind(series) == series_kind(0), series.is_multiple_of(2));
            number(format!("{} | {}", board.long_lots[series], board.house_lots[series]))
        };
        table.add_row(vec![
            number(format::price(raw, market.base_decimals)),
            number(format::percent(board.volatilities_ppm[place].into())),
            lots(2 * place),
            lots(2 * place + 1),
        ]);
    }
    let lot = fields::decimal(u128::from(board.lot), market.base_decimals);
    let text = format!(
        "board   {address}\nexpiry  {}, {}\nlot     {lot} {}\narrays  {}\n{table}",
        format::moment(board.expiry),
        state(board, snapshot.now),
        decode::symbol(market),
        if is_fresh(snapshot, address) { "fresh" } else { "old: plimsoll board refresh" },
    );
    context.answer(&board_json(snapshot, address, board), text)
}

fn create(args: &CreateArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let (market, found) = select::market(snapshot, &args.market)?;
    let expiry = select::expiry(&args.expiry)?;
    let free = (0..MAX_MARKET_BOARDS).find(|slot| found.boards & (1 << slot) == 0);
    let slot = args.slot.or(free.and_then(|slot| u8::try_from(slot).ok()));
    let slot =
        slot.ok_or_else(|| Refusal::NotFound(format!("all {MAX_MARKET_BOARDS} boards of the market are taken")))?;
    let address = address::board(&market, slot);
    let (authority, exchange) = (context.signer()?.pubkey(), snapshot.exchange.address);
    let create = board::Create { authority, exchange, market, args: CreateBoardArgs { expiry, slot } };
    let mut instructions = vec![create.instruction()];
    if !args.strikes.is_empty() {
        instructions.push(list_strikes(context, snapshot, &market, &address, [0; MAX_STRIKES], &args.strikes)?);
    }
    if !args.volatility.is_empty() {
        let places: Vec<usize> = (0..args.strikes.len()).collect();
        let volatilities_ppm = volatilities(&args.volatility, &places, [0; MAX_STRIKES])?;
        let args = PostVolatilitiesArgs { volatilities_ppm, basis_ppm: 0 };
        let post = board::PostVolatilities { authority, exchange, market, board: address, args };
        instructions.push(post.instruction());
    }
    if args.strikes.is_empty() {
        let confirmed = context.send(&instructions, &context.signer()?)?;
        return done(context, &address, &confirmed, "created");
    }
    send(context, snapshot, &market, &address, instructions, "created")
}

/// `list_strikes` of the given ones into the free slots of `taken`.
fn list_strikes(
    context: &Context,
    snapshot: &Snapshot,
    market: &Address,
    board: &Address,
    taken: [u64; MAX_STRIKES],
    texts: &[String],
) -> Result<Instruction> {
    let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
    let mut free = (0..MAX_STRIKES).filter(|slot| taken[*slot] == 0);
    for text in texts {
        let slot = free.next().ok_or_else(|| Refusal::Usage(format!("a board has at most {MAX_STRIKES} strikes")))?;
        strikes[slot] = select::strike(text)?;
    }
    let (authority, exchange) = (context.signer()?.pubkey(), snapshot.exchange.address);
    let args = ListStrikesArgs { strikes };
    let oracle = snapshot.prices.get(market).map(|price| price.address);
    Ok(board::ListStrikes { authority, exchange, market: *market, board: *board, oracle, args }.instruction())
}

/// Volatilities into the given places, one for each or one for all.
fn volatilities(texts: &[String], places: &[usize], standing: [u32; MAX_STRIKES]) -> Result<[u32; MAX_STRIKES]> {
    let mut all = standing;
    if texts.len() != 1 && texts.len() != places.len() {
        let cause = format!("{} volatilities for {} strikes: give one for each, or one", texts.len(), places.len());
        return Err(Refusal::Usage(cause).into());
    }
    for (index, place) in places.iter().enumerate() {
        let text = texts.get(index).or(texts.first()).map_or("", String::as_str);
        all[*place] = select::volatility(text)?;
    }
    Ok(all)
}

fn post(args: &PostArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let (market, address) = find(snapshot, &args.board)?;
    let board = &snapshot.boards[&address];
    let places: Vec<usize> = strikes(board).into_iter().map(|(place, _)| place).collect();
    let volatilities_ppm = volatilities(&args.volatility, &places, board.volatilities_ppm)?;
    let basis_ppm = args.basis.as_deref().map_or(Ok(board.basis_ppm), select::basis)?;
    let post = board::PostVolatilities {
        authority: context.signer()?.pubkey(),
        exchange: snapshot.exchange.address,
        market,
        board: address,
        args: PostVolatilitiesArgs { volatilities_ppm, basis_ppm },
    };
    send(context, snapshot, &market, &address, vec![post.instruction()], "posted")
}

/// Sends, and computes the board's arrays behind it: nothing counts before.
fn send(
    context: &Context,
    snapshot: &Snapshot,
    market: &Address,
    board: &Address,
    mut instructions: Vec<Instruction>,
    word: &str,
) -> Result<()> {
    let found: &Market = &snapshot.markets[market];
    let oracle = snapshot.prices.get(market).map(|price| price.address);
    debug_assert!(oracle.is_some() || found.spot != 0);
    let exchange = snapshot.exchange.address;
    let refresh = board::Refresh { exchange, market: *market, board: *board, oracle, max_strikes: 0 };
    instructions.push(refresh.instruction());
    let confirmed = context.send(&instructions, &context.signer()?)?;
    done(context, board, &confirmed, word)
}

fn done(context: &Context, board: &Address, confirmed: &Confirmed, word: &str) -> Result<()> {
    let signature = confirmed.signature.to_string();
    let report = json!({ "board": board.to_string(), "done": word, "signature": signature });
    context.answer(&report, format!("{word} {board}\n{signature}"))
}

fn close(args: &BoardArgs, context: &Context, snapshot: &Snapshot) -> Result<()> {
    let (market, board) = find(snapshot, args)?;
    let signer = context.signer()?;
    let close = board::Close { authority: signer.pubkey(), exchange: snapshot.exchange.address, market, board };
    let confirmed = context.send(&[close.instruction()], &signer)?;
    done(context, &board, &confirmed, "closed")
}
