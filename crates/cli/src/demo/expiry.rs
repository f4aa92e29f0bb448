//! One expiry of SOL options: listed and kept by a keeper, sampled and settled by anyone.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::{Board, MAX_STRIKES, MarginAccount},
    address,
    event::{Event, OptionsSettled},
    instruction::board,
    interface::{
        board::{series_kind, series_strike},
        config::limits::{EXPIRY_SECOND_OF_DAY, SAMPLE_SECONDS, SAMPLES_MIN},
        instruction::{CreateBoardArgs, ListStrikesArgs, PostVolatilitiesArgs, StrikePrice},
    },
    risk::black::OptionKind,
};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::{checks::Check, scene};
use crate::{format, output::say};
use plimsoll_localnet::world::{self, World};

/// Strikes listed, dollars.
const STRIKES: [u16; 6] = [28, 32, 36, 40, 44, 48];
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Prices walk about this many samples before the expiry.
const SAMPLES: u64 = SAMPLES_MIN + 2;

/// A board.
pub struct Expiry {
    /// Symbol of its market.
    pub symbol: String,
    /// Its market.
    pub market: Address,
    /// Its address.
    pub board: Address,
    /// When it expires, unix seconds.
    pub at: i64,
}

impl Expiry {
    /// Creates a board of SOL that lives for at least `seconds`, lists strikes and posts volatilities with a skew.
    pub fn open(world: &mut World, seconds: i64) -> Result<Self> {
        let snapshot = world.snapshot()?;
        let (market, _, _) = scene::find(&snapshot.markets, "SOL")?;
        let keeper = world.admin.insecure_clone();
        let (authority, exchange) = (keeper.pubkey(), world.exchange);
        let earliest = snapshot.now.saturating_add(seconds).saturating_sub(EXPIRY_SECOND_OF_DAY);
        let at = (earliest.div_euclid(DAY) + 1) * DAY + EXPIRY_SECOND_OF_DAY;
        let expiry = Self { symbol: "SOL".into(), market, board: address::board(&market, 0), at };
        let create = board::Create { authority, exchange, market, args: CreateBoardArgs { expiry: at, slot: 0 } };
        let mut strikes = [StrikePrice { digits: 0, exponent: 0 }; MAX_STRIKES];
        for (slot, dollars) in strikes.iter_mut().zip(STRIKES) {
            *slot = StrikePrice { digits: dollars * 10, exponent: -1 };
        }
        let oracle = snapshot.prices.get(&market).map(|price| price.address);
        let list = board::ListStrikes {
            authority,
            exchange,
            market,
            board: expiry.board,
            oracle,
            args: ListStrikesArgs { strikes },
        };
        world.send(&[create.instruction(), list.instruction()], &keeper)?;
        let posted = expiry.skewed(&world.snapshot()?)?;
        let post = board::PostVolatilities { authority, exchange, market, board: expiry.board, args: posted };
        let refresh = expiry.refresh_ix(&snapshot)?;
        world.send(&[post.instruction(), refresh], &keeper)?;
        say!(
            "  {:<10} lists SOL options of strikes {STRIKES:?} that expire in {} h",
            "keeper",
            (at - snapshot.now) / 3600
        );
        Ok(expiry)
    }

    /// Volatilities with a tenth more for each step below the middle, as crashes are feared more than rallies.
    fn skewed(&self, snapshot: &Snapshot) -> Result<PostVolatilitiesArgs> {
        let board = self.find(snapshot)?;
        let mut volatilities_ppm = board.volatilities_ppm;
        for (place, volatility) in volatilities_ppm.iter_mut().take(STRIKES.len()).enumerate() {
            let steps = u32::try_from(STRIKES.len() / 2).unwrap_or(0).saturating_sub(u32::try_from(place)?);
            *volatility = volatility.saturating_add(*volatility / 20 * steps);
        }
        Ok(PostVolatilitiesArgs { volatilities_ppm, basis_ppm: 0 })
    }

    fn find<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a Board> {
        snapshot.boards.get(&self.board).ok_or_else(|| anyhow!("the board {} is gone", self.board))
    }

    fn strike(&self, dollars: u16) -> Result<u8> {
        let place = STRIKES.iter().position(|strike| *strike == dollars);
        Ok(u8::try_from(place.ok_or_else(|| anyhow!("no strike of {dollars} USD is listed"))?)?)
    }

    /// Series of the call of a strike.
    pub fn call(&self, dollars: u16) -> Result<u8> {
        Ok(2 * self.strike(dollars)?)
    }

    /// Series of the put of a strike.
    pub fn put(&self, dollars: u16) -> Result<u8> {
        Ok(self.call(dollars)? + 1)
    }

    /// `refresh_board` of all strikes at the price account's price.
    pub fn refresh_ix(&self, snapshot: &Snapshot) -> Result<Instruction> {
        let oracle = snapshot.prices.get(&self.market).map(|price| price.address);
        let (exchange, market, board) = (snapshot.exchange.address, self.market, self.board);
        Ok(board::Refresh { exchange, market, board, oracle, max_strikes: 0 }.instruction())
    }

    /// Computes the risk arrays anew: what a keeper does whenever prices have moved.
    pub fn refresh(&self, world: &mut World) -> Result<()> {
        let refresh = self.refresh_ix(&world.snapshot()?)?;
        let anyone = world.admin.insecure_clone();
        world.send(&[refresh], &anyone).map(drop)
    }

    /// Lets time pass up to the expiry, samples prices, settles the board and every account that has options of it, and
    /// closes it.
    pub fn settle(&self, world: &mut World, checks: &mut Vec<Check>) -> Result<()> {
        let price = self.sample(world)?;
        let anyone = world.admin.insecure_clone();
        let holders: Vec<_> = world
            .rpc()
            .margin_accounts(&world.exchange, None)?
            .into_iter()
            .filter(|account| account.data.boards.iter().any(|slot| slot.in_use == 1 && slot.board == self.board))
            .collect();
        let board = *self.find(&world.snapshot()?)?;
        let mut paid = 0i64;
        for holder in &holders {
            let settle = world.snapshot()?.settle_option(&holder.address, &self.board)?;
            let confirmed = world.send(&[settle], &anyone)?;
            let event = world::event(&confirmed, |event| match event {
                Event::OptionsSettled(event) => Some(*event),
                _ => None,
            })?;
            paid = paid.saturating_add(event.amount);
            checks.push(self.right_payment(&board, holder, &event, price)?);
        }
        say!("  {} accounts are paid {} USD in all, the house the opposite", holders.len(), format::usd(paid));
        let close = board::Close {
            authority: anyone.pubkey(),
            exchange: world.exchange,
            market: self.market,
            board: self.board,
        };
        world.send(&[close.instruction()], &anyone)?;
        let gone = !world.snapshot()?.boards.contains_key(&self.board);
        checks.push(Check::new("demo", "the board is closed", if gone { "gone" } else { "there" }, gone));
        Ok(())
    }

    /// Publishes and samples a price a minute before the expiry, and settles the board behind it. Answers the price of
    /// settlement, Q16.48.
    fn sample(&self, world: &mut World) -> Result<u64> {
        let anyone = world.admin.insecure_clone();
        let first = self.at - SAMPLE_SECONDS * i64::try_from(SAMPLES)?;
        let wait = first.saturating_sub(world.rpc().now()?).saturating_add(1);
        world.chain.travel(u32::try_from(wait).context("the expiry has passed already")?)?;
        let start = world.price("SOL")?;
        let (mut least, mut most) = (u64::MAX, 0);
        for minute in 0..i64::try_from(SAMPLES)? {
            // A small wave around the last price.
            world.set_price("SOL", start + [0, 2, 3, 1, -2, -3, -1][usize::try_from(minute)? % 7]);
            world.publish()?;
            let snapshot = world.snapshot()?;
            let oracle = snapshot.prices.get(&self.market).ok_or_else(|| anyhow!("SOL has no price account"))?.address;
            let sample = board::Sample { market: self.market, board: self.board, oracle };
            for event in world.send(&[sample.instruction()], &anyone)?.events {
                if let Event::ExpirySampled(event) = event {
                    (least, most) = (least.min(event.price), most.max(event.price));
                }
            }
            world.chain.travel(u32::try_from(SAMPLE_SECONDS)?)?;
        }
        world.chain.travel(u32::try_from(SAMPLE_SECONDS)?)?;
        let settle = board::Settle { exchange: world.exchange, market: self.market, board: self.board };
        let settled = world::event(&world.send(&[settle.instruction()], &anyone)?, |event| match event {
            Event::BoardSettled(event) => Some(*event),
            _ => None,
        })?;
        ensure!(
            (least..=most).contains(&settled.settlement_price),
            "the settlement price is none of the samples' range"
        );
        let decimals = world.snapshot()?.markets.get(&self.market).map_or(0, |market| market.base_decimals);
        say!(
            "  the board settles at {} USD, the trimmed mean of {} samples",
            format::price(settled.settlement_price, decimals),
            settled.samples
        );
        Ok(settled.settlement_price)
    }

    /// The sum of what every option pays by the contract: the difference of strike and settlement price where it is positive,
    /// rounded against the account.
    fn right_payment(
        &self,
        board: &Board,
        holder: &Keyed<MarginAccount>,
        event: &OptionsSettled,
        price: u64,
    ) -> Result<Check> {
        let mut lots = BTreeMap::new();
        for slot in holder.data.options.iter().filter(|slot| slot.lots != 0) {
            if holder.data.boards[usize::from(slot.board_slot)].board == self.board {
                lots.insert(usize::from(slot.series), slot.lots);
            }
        }
        let mut expected = 0i128;
        for (series, lots) in lots {
            let strike = board.strikes[series_strike(series)];
            let difference = match series_kind(series) {
                OptionKind::Call => price.saturating_sub(strike),
                OptionKind::Put => strike.saturating_sub(price),
            };
            // Shifting rounds down: towards less for who is paid, and towards more for who pays.
            expected += (i128::from(lots) * i128::from(board.lot) * i128::from(difference)) >> 48;
        }
        Ok(Check::new(
            "demo",
            format!("options of {} pay strike less settlement", format::short(&holder.address)),
            format!("{} = {expected}", event.amount),
            i128::from(event.amount) == expected,
        ))
    }
}
