//! One walk: people who do whatever they like while prices move, and what must hold after each thing they do.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
};

use plimsoll_client::{Keyed, Snapshot, decode::Named, error::describe, event::Event, price::PriceAccount};
use plimsoll_e2e_tests::{
    Asset, Trader,
    invariants::{self, Ledger},
    raw::{self, Price},
    world::{BTC, ETH, ETH_FEE, EXPONENT, PRICE_USD, Places, SOL, USD, option_config},
};
use plimsoll_interface::{
    Address, ID, PlimsollError,
    accounts::{Bank, Board, MarginAccount},
    address,
    change::Change,
    config::MarketConfig,
    token::{TransferFee, transfer_fees},
};
use plimsoll_risk::portfolio::Margin;
use rand::{Rng, SeedableRng, rngs::StdRng};
use solana_instruction::{Instruction, error::InstructionError};
use solana_transaction_error::TransactionError;

use crate::{
    actions::{self, Attempt, Filled, Rule},
    coverage::Coverage,
    governance::{self, Setting},
    machine::Machine,
    what_if::Prediction,
};

/// A broken promise, and how to see it again.
#[derive(Debug)]
pub struct Broken {
    /// Seed of the walk.
    pub seed: u64,
    /// Number of the action, from zero.
    pub action: u64,
    /// What broke, the instruction and its log.
    pub what: String,
}

/// People, prices and chance.
pub struct Walk {
    /// The machine.
    pub machine: Machine,
    /// Where everything stands.
    pub places: Places,
    /// Chance, which the seed decides.
    pub rng: StdRng,
    /// Everybody's margin accounts.
    pub traders: Vec<Trader>,
    /// Last price published by market, in the exponent of the price accounts.
    prices: BTreeMap<Address, i64>,
    /// What was announced last, and of what.
    pub pending: Option<(Address, Change)>,
    /// What the walk begins in.
    pub setting: Setting,
    /// What was reached.
    pub coverage: Coverage,
}

impl Walk {
    /// The first state, with money in everybody's account.
    pub fn new(machine: &Machine, places: Places, seed: u64) -> Self {
        let first = [(places.sol, 125), (places.btc, 60_000), (places.eth, 3_000)];
        let mut walk = Self {
            machine: machine.clone(),
            places,
            rng: StdRng::seed_from_u64(seed),
            traders: vec![places.alice, places.bob, places.carol],
            prices: first.iter().map(|(asset, dollars)| (asset.market, dollars * PRICE_USD)).collect(),
            pending: None,
            setting: Setting::of(seed),
            coverage: Coverage::default(),
        };
        for (asset, lot) in [(places.sol, SOL / 10), (places.btc, BTC / 5_000), (places.eth, ETH / 200)] {
            let snapshot = walk.snapshot();
            let config = MarketConfig { options: option_config(lot), ..snapshot.markets[&asset.market].config };
            let sent = walk.machine.send(&[snapshot.configure_market(&asset.market, config)]);
            assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
        }
        for (trader, dollars) in [(places.alice, 20_000), (places.bob, 20_000), (places.carol, 500_000)] {
            let deposit = actions::deposit(&walk, &trader, &places.usdc, dollars * USD as u64);
            let sent = walk.machine.send(&[deposit]);
            assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
        }
        actions::prepare(&mut walk);
        walk.begin();
        walk
    }

    /// Leads into what the walk begins in.
    fn begin(&mut self) {
        let instructions = governance::begin(self);
        let sent = self.machine.send(&instructions);
        assert!(sent.result.is_ok(), "{}", sent.logs.join("\n"));
        let (seconds, sol) = governance::then(self.setting);
        self.machine.set_now(self.machine.now() + seconds);
        let Places { sol: asset, btc, eth, .. } = self.places;
        self.publish(&asset, sol..=sol, 1, 1);
        for asset in [btc, eth] {
            self.publish_near(&asset);
        }
    }

    /// Takes `actions` actions.
    ///
    /// # Errors
    /// At the first broken promise.
    pub fn run(&mut self, seed: u64, actions: u64) -> Result<(), Broken> {
        for action in 0..actions {
            if self.rng.random_range(0..5) == 0 {
                self.move_world();
            }
            let Some(mut attempt) = actions::any(self) else { continue };
            if self.rng.random_range(0..10) > 0 {
                actions::refresh_first(self, &mut attempt);
            }
            if self.rng.random_range(0..25) == 0 {
                self.tamper(&mut attempt);
            }
            let step = panic::catch_unwind(AssertUnwindSafe(|| self.take(&attempt)));
            let what = match step {
                Ok(Ok(())) => continue,
                Ok(Err(what)) => what,
                Err(panic) => text_of(panic.as_ref()),
            };
            let told = attempt.instructions.iter().map(|instruction| format!("{instruction:?}")).collect::<Vec<_>>();
            return Err(Broken { seed, action, what: format!("{what}\n{}", told.join("\n")) });
        }
        Ok(())
    }

    /// Sends what was attempted and holds the outcome to the promises.
    fn take(&mut self, attempt: &Attempt) -> Result<(), String> {
        let before = self.before(&attempt.rule);
        let slack = self.slack();
        let prediction = Prediction::of(self, attempt);
        let sent = self.machine.send(&attempt.instructions);
        let tag = attempt.instructions.last().and_then(|instruction| instruction.data.first()).copied().unwrap_or(0);
        let told = match &sent.result {
            Ok(()) => Ok(()),
            Err(error) => Err(self.known_error(error).map_err(|what| format!("{what}\n{}", sent.logs.join("\n")))?),
        };
        let succeeded = told.is_ok();
        if let Some(prediction) = prediction {
            let outcome = prediction.check(self, &sent).map_err(|what| format!("{what}\n{}", sent.logs.join("\n")))?;
            if let Some(accepted) = outcome {
                self.coverage.note_foretold(tag, accepted);
            }
        }
        self.check_vault()?;
        if succeeded {
            self.coverage.note_fills(&sent.events);
            for instruction in attempt.instructions.iter().rev().skip(1).filter(|one| one.program_id == ID) {
                self.coverage.note(instruction.data.first().copied().unwrap_or(0), Ok(()), 0);
            }
        }
        self.coverage.note(tag, told, sent.compute_units);
        invariants::check(&self.machine);
        for (bank, (before, after)) in slack.iter().zip(self.slack()).enumerate() {
            if after < *before {
                return Err(format!("INV-4: {} units 2^-48 left bank {bank} to nobody", before - after));
            }
        }
        if succeeded && !attempt.tampered {
            self.check(&attempt.rule, before, &sent.events)
                .map_err(|what| format!("{what}\n{}", sent.logs.join("\n")))?;
        }
        Ok(())
    }

    /// The error's name, or why it may not be.
    fn known_error(&self, error: &TransactionError) -> Result<String, String> {
        let told = describe(error);
        match error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => {
                match PlimsollError::from_code(*code) {
                    Some(PlimsollError::Corrupt) => Err("the program says that an account contradicts itself".into()),
                    Some(error) => Ok(error.name().into()),
                    None => Ok(format!("code {code}")),
                }
            }
            TransactionError::InstructionError(_, InstructionError::ProgramFailedToComplete)
            | TransactionError::InstructionError(_, InstructionError::ComputationalBudgetExceeded) => {
                Err(format!("the program broke off: {told}"))
            }
            TransactionError::InstructionError(_, other) => Ok(format!("{other:?}")),
            other => Ok(format!("{other:?}")),
        }
    }

    fn before(&self, rule: &Rule) -> Option<Margin> {
        match rule {
            Rule::Liquidation { account, .. } => {
                let mut snapshot = self.priced();
                snapshot.accrue().ok()?;
                snapshot.margin(&self.account(account)?.data).ok()
            }
            _ => None,
        }
    }

    fn check(&self, rule: &Rule, before: Option<Margin>, events: &[Event]) -> Result<(), String> {
        match rule {
            Rule::Books => Ok(()),
            Rule::InitialMargin(trader) => self.check_initial(trader),
            Rule::Fill(sides, of) => sides.iter().try_for_each(|side| self.check_side(side, of)),
            Rule::Flag(trader) => self.check_flag(trader, events),
            Rule::Liquidation { account, taker } => {
                self.check_initial(taker)?;
                self.check_ratio(account, before)
            }
        }
    }

    /// Nobody gives ETH's vault anything in a walk: what fees left of deposits, less withdrawals, is there to the last unit.
    fn check_vault(&self) -> Result<(), String> {
        let vault = self.machine.account(&self.places.eth.vault).map(|account| raw::token_amount(&account));
        let bank: Option<Bank> = self.get(&self.places.eth.bank);
        let counted = bank.map(|bank| bank.vault_amount);
        if vault == counted { Ok(()) } else { Err(format!("INV-1: ETH's vault has {vault:?}, counted {counted:?}")) }
    }

    /// INV-5.
    fn check_initial(&self, trader: &Trader) -> Result<(), String> {
        let Some(account) = self.account(trader) else { return Ok(()) };
        if account.data.has_no_liability() {
            return Ok(());
        }
        let margin = self.priced().margin(&account.data).map_err(|error| format!("INV-5: no margin: {error}"))?;
        match margin.health_init() {
            Ok(health) if health.raw() >= 0 => Ok(()),
            other => Err(format!("INV-5: initial health {other:?}")),
        }
    }

    /// INV-5 of one side of a fill, unless it only reduced.
    fn check_side(&self, (trader, before): &(Trader, i64), of: &Filled) -> Result<(), String> {
        let Some(account) = self.account(trader) else { return Ok(()) };
        let after = of.held(&account.data);
        let reduced = before.signum() != -after.signum() && after.unsigned_abs() < before.unsigned_abs();
        if reduced { Ok(()) } else { self.check_initial(trader) }
    }

    /// INV-7: what the program said of the account's margin is what the client says.
    fn check_flag(&self, trader: &Trader, events: &[Event]) -> Result<(), String> {
        let Some(account) = self.account(trader) else { return Ok(()) };
        let margin = self.priced().margin(&account.data).map_err(|error| format!("INV-7: no margin: {error}"))?;
        let flagged = events.iter().find_map(|event| match event {
            Event::LiquidationFlagged(flagged) => Some((flagged.equity, flagged.requirement)),
            _ => None,
        });
        let clients = (margin.equity_maint.raw(), margin.requirement_maint.raw());
        if flagged == Some(clients) { Ok(()) } else { Err(format!("INV-7: {flagged:?} and {clients:?}")) }
    }

    /// INV-6: it was below its line, and what is left of it has no worse a ratio, but for what rounding of base units
    /// takes: less than one unit of every position, the dearest worth 1,500 quote native.
    fn check_ratio(&self, account: &Trader, before: Option<Margin>) -> Result<(), String> {
        let (Some(before), Some(after)) = (before, self.account(account)) else { return Ok(()) };
        let Ok(after) = self.priced().margin(&after.data) else { return Ok(()) };
        let [e, r] = [before.equity_maint, before.requirement_maint].map(|quote| i128::from(quote.raw()));
        let [left_e, left_r] = [after.equity_maint, after.requirement_maint].map(|quote| i128::from(quote.raw()));
        if e >= r {
            return Err(format!("INV-6: liquidated at {e} of {r}"));
        }
        let kept = e <= 0 || (left_e + 1_500) * r >= e * (left_r - 1_500);
        if kept { Ok(()) } else { Err(format!("INV-6: {e} of {r} became {left_e} of {left_r}")) }
    }

    /// What each bank's vault and borrows are beyond its deposits and reserve, in 2^-48 native units: no instruction may
    /// lower it, or something would have appeared from nowhere (INV-4).
    fn slack(&self) -> Vec<i128> {
        let wide = |shares: u64, index: u64| i128::from(shares) * i128::from(index);
        let banks = self.snapshot().banks.into_values();
        let slack = banks.map(|bank| {
            ((i128::from(bank.vault_amount) - i128::from(bank.reserve)) << 48)
                + wide(bank.borrow_shares, bank.borrow_index)
                - wide(bank.deposit_shares, bank.deposit_index)
        });
        slack.collect()
    }

    /// Time passes and some prices move, vanish, widen or break.
    fn move_world(&mut self) {
        let seconds = match self.rng.random_range(0..100) {
            0 => self.rng.random_range(3_600..=200_000),
            1..=9 => self.rng.random_range(61..=3_600),
            _ => self.rng.random_range(0..=30),
        };
        self.machine.set_now(self.machine.now() + seconds);
        if self.rng.random_range(0..40) == 0 {
            self.change_fee();
        }
        for asset in self.markets() {
            match self.rng.random_range(0..40) {
                // Silence: the price grows old.
                0..=5 => {}
                6 => self.break_feed(&asset),
                7 => self.publish(&asset, 700..=1_300, 100, 30),
                8..=10 => self.publish(&asset, 880..=1_120, 30, 10),
                _ => self.publish(&asset, 985..=1_015, 3, 1),
            }
        }
    }

    /// The issuer of ETH's mint, which is of Token-2022, announces another fee for the epoch after next, mostly one that is
    /// accepted; epochs pass.
    fn change_fee(&mut self) {
        let epoch = self.machine.epoch() + self.rng.random_range(0..=2);
        self.machine.set_epoch(epoch);
        let mint = self.places.eth.mint;
        let Some(account) = self.machine.account(&mint) else { return };
        let Ok(Some(fees)) = transfer_fees(&account.owner, &account.data) else { return };
        let bps = match self.rng.random_range(0..10) {
            0 => 0,
            1 => self.rng.random_range(101..=10_000),
            _ => self.rng.random_range(1..=100),
        };
        let newer = TransferFee { bps, maximum: self.rng.random_range(0..4) * ETH_FEE.maximum };
        let config = raw::transfer_fees(Some(raw::ISSUER), fees.at(epoch), newer, epoch + 2);
        let put = self.machine.put(mint, raw::mint_2022(8, &[config]));
        assert!(put.is_ok(), "{put:?}");
    }

    /// Publishes a price moved by per mille in `change`, with a confidence of up to `doubt` per mille and an average up
    /// to `gap` per cent off.
    fn publish(&mut self, asset: &Asset, change: std::ops::RangeInclusive<i64>, doubt: u64, gap: i64) {
        let last = self.prices[&asset.market];
        // Back towards the first prices, so that a long walk does not end at nothing.
        let price = (last / 1_000 * self.rng.random_range(change)).clamp(PRICE_USD / 100, 10_000_000 * PRICE_USD);
        self.prices.insert(asset.market, price);
        let price = Price {
            price,
            confidence: price.unsigned_abs() / 1_000 * self.rng.random_range(0..=doubt),
            ema: price / 100 * self.rng.random_range(100 - gap..=100 + gap),
            exponent: EXPONENT,
            publish_time: self.machine.now() - self.rng.random_range(0..=2),
            posted_slot: self.rng.random(),
        };
        self.put_price(asset, asset.price_account(&price));
    }

    /// Publishes a price near the last one, without much doubt.
    pub fn publish_near(&mut self, asset: &Asset) {
        self.publish(asset, 995..=1_005, 1, 1);
    }

    /// A price account as it must not be read: another owner, partly verified, of the future, negative, halted.
    fn break_feed(&mut self, asset: &Asset) {
        let Some(mut account) = self.machine.account(&asset.oracle) else { return };
        match self.rng.random_range(0..4) {
            0 => account.owner = self.places.mallory,
            1 => {
                let at = self.rng.random_range(0..account.data.len().min(256));
                account.data[at] ^= 1 << self.rng.random_range(0..8);
            }
            2 => account.data.truncate(100),
            _ => {
                let price = Price {
                    price: -1,
                    confidence: 0,
                    ema: 1,
                    exponent: EXPONENT,
                    publish_time: self.machine.now() + 1_000,
                    posted_slot: 0,
                };
                account = asset.price_account(&price);
            }
        }
        self.put_price(asset, account);
    }

    fn put_price(&mut self, asset: &Asset, account: solana_account::Account) {
        let put = self.machine.put(asset.oracle, account);
        assert!(put.is_ok(), "{put:?}");
    }

    /// Replaces an account by another that is known, or changes a bit of the arguments.
    fn tamper(&mut self, attempt: &mut Attempt) {
        attempt.tampered = true;
        self.coverage.tampered += 1;
        let known: Vec<Address> = self.machine.known().copied().collect();
        let count = attempt.instructions.len();
        let instruction: &mut Instruction = &mut attempt.instructions[self.rng.random_range(0..count)];
        let metas = instruction.accounts.len();
        match self.rng.random_range(0..4) {
            0 if instruction.data.len() > 1 => {
                let at = self.rng.random_range(1..instruction.data.len());
                instruction.data[at] ^= 1 << self.rng.random_range(0..8);
            }
            1 if metas > 0 => drop(instruction.accounts.remove(self.rng.random_range(0..metas))),
            2 if metas > 0 => {
                let meta = &mut instruction.accounts[self.rng.random_range(0..metas)];
                (meta.is_writable, meta.is_signer) = (!meta.is_writable, false);
            }
            _ if metas > 0 => {
                // Nobody signs for another: the signer stays who it was.
                let meta = &mut instruction.accounts[self.rng.random_range(0..metas)];
                if !meta.is_signer {
                    meta.pubkey = known[self.rng.random_range(0..known.len())];
                }
            }
            _ => {}
        }
    }
}

/// Looking.
impl Walk {
    /// One of several.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.rng.random_range(0..all.len())]
    }

    /// Somebody's margin account.
    pub fn trader(&mut self) -> Trader {
        let traders = self.traders.clone();
        self.one_of(&traders)
    }

    /// The markets' assets.
    pub fn markets(&self) -> [Asset; 3] {
        [self.places.sol, self.places.btc, self.places.eth]
    }

    /// A market and how much of it was once worth about 1,000 USD, base units.
    pub fn market(&mut self) -> (Asset, i64) {
        let lots = [8 * SOL, BTC / 60, ETH / 3];
        let index = self.rng.random_range(0..3);
        (self.markets()[index], lots[index])
    }

    /// A bank and how much of its mint was once worth about 1,000 USD, native. ETH's mint has a decimal less than its market.
    pub fn bank(&mut self) -> (Asset, u64) {
        let Places { usdc, sol, btc, eth, .. } = self.places;
        let all = [(usdc, 1_000 * USD), (sol, 8 * SOL), (btc, BTC / 60), (eth, ETH / 30)];
        let (asset, parcel) = self.one_of(&all);
        (asset, parcel.unsigned_abs())
    }

    /// An account of the program.
    pub fn get<T: Named>(&self, address: &Address) -> Option<T> {
        self.machine.get(address)
    }

    /// A margin account, unless it was closed.
    pub fn account(&self, trader: &Trader) -> Option<Keyed<MarginAccount>> {
        Some(Keyed { address: trader.account, data: self.get(&trader.account)? })
    }

    /// The exchange as a client sees it that knows no price account.
    pub fn snapshot(&self) -> Snapshot {
        let Places { usdc, sol, btc, eth, exchange, house, .. } = self.places;
        Snapshot {
            exchange: Keyed { address: exchange, data: self.get(&exchange).expect("the exchange") },
            house: self.get(&house),
            banks: [usdc, sol, btc, eth].iter().filter_map(|a| Some((a.bank, self.get(&a.bank)?))).collect(),
            markets: [sol, btc, eth].iter().filter_map(|a| Some((a.market, self.get(&a.market)?))).collect(),
            boards: self.boards(),
            prices: BTreeMap::new(),
            now: self.machine.now(),
        }
    }

    /// All boards that there are.
    fn boards(&self) -> BTreeMap<Address, Board> {
        let slots =
            self.markets().into_iter().flat_map(|asset| (0..8).map(move |slot| address::board(&asset.market, slot)));
        slots.filter_map(|address| Some((address, self.get(&address)?))).collect()
    }

    /// The exchange as a client sees it that passes every price account which can be read.
    pub fn priced(&self) -> Snapshot {
        let mut snapshot = self.snapshot();
        for asset in self.markets() {
            let Some(account) = self.machine.account(&asset.oracle) else { continue };
            let price = PriceAccount { address: asset.oracle, owner: account.owner, data: account.data };
            let Some(market) = snapshot.markets.get(&asset.market) else { continue };
            if price.observation(market, snapshot.now).is_ok() {
                snapshot.prices.insert(asset.market, price);
            }
        }
        snapshot
    }

    /// The trader's margin at the price accounts, where there is one.
    pub fn margin(&self, trader: &Trader) -> Option<Margin> {
        self.priced().margin(&self.account(trader)?.data).ok()
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a check panicked").to_string()
}
