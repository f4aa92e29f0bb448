//! Random walks: three traders do whatever they like while prices move. Whatever succeeds keeps every invariant.
//! `PLIMSOLL_SEED` sets another seed than those below.

use std::env;

use plimsoll_e2e_tests::{
    Asset, Trader, World,
    raw::Price,
    world::{BTC, ETH, PRICE_USD, Places, SOL, USD, order},
};
use plimsoll_interface::{PlimsollError, config::FundingConfig, instruction::LiquidateArgs};
use plimsoll_risk::portfolio::Margin;
use rand::{Rng, SeedableRng, rngs::StdRng};
use solana_instruction::{Instruction, error::InstructionError};
use solana_transaction_error::TransactionError;

const STEPS: usize = 250;

/// What a step is to be held to if it succeeds.
enum Rule {
    /// Nothing but the invariants.
    Books,
    /// INV-5: the trader has its initial margin afterwards.
    InitialMargin(Trader),
    /// INV-6: the account was below its line, and its ratio is not worse afterwards; the taker has its initial margin.
    Liquidation { account: Trader, taker: Trader },
}

struct Walk {
    w: World,
    p: Places,
    rng: StdRng,
    prices: [i64; 3],
    succeeded: usize,
    liquidated: usize,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let (mut w, p) = World::new();
        w.enable_options(&p.sol, SOL / 100);
        w.board(&p.sol, 30, &[80, 100, 115, 125, 135, 150, 180]);
        for (trader, dollars) in [(p.alice, 20_000), (p.bob, 20_000), (p.carol, 500_000)] {
            w.deposit(&trader, &p.usdc, dollars * USD as u64);
        }
        // Funding of up to a tenth a day, so that minutes of it are worth something; ranges that follow the prices in BTC.
        for asset in [p.sol, p.btc, p.eth] {
            w.configure_market(&asset, |config| {
                config.funding = FundingConfig { skew_rate_per_day_ppm: 1_000_000, max_rate_per_day_ppm: 100_000 };
                config.concentration_ppm = 20_000;
            });
        }
        w.configure_market(&p.btc, |config| config.volatility.range_max_ppm = 250_000);
        let prices = [125, 60_000, 3_000].map(|dollars| dollars * PRICE_USD);
        Self { w, p, rng: StdRng::seed_from_u64(seed), prices, succeeded: 0, liquidated: 0 }
    }

    fn trader(&mut self) -> Trader {
        [self.p.alice, self.p.bob, self.p.carol][self.rng.random_range(0..3)]
    }

    /// A market and how much of it is worth about 1,000 USD.
    fn market(&mut self) -> (Asset, i64) {
        [(self.p.sol, 8 * SOL), (self.p.btc, BTC / 60), (self.p.eth, ETH / 3)][self.rng.random_range(0..3)]
    }

    /// A bank and how much of it is worth about 1,000 USD. ETH's mint has a decimal less than its market.
    fn bank(&mut self) -> (Asset, i64) {
        match self.rng.random_range(0..4) {
            0 => (self.p.usdc, 1_000 * USD),
            1 => (self.p.eth, ETH / 30),
            _ => [(self.p.sol, 8 * SOL), (self.p.btc, BTC / 60)][self.rng.random_range(0..2)],
        }
    }

    /// Time passes and prices move by up to 12 %, all of them published and most of them observed.
    fn move_prices(&mut self) {
        let seconds = self.rng.random_range(1..=80);
        self.w.pass(seconds);
        for (index, asset) in [self.p.sol, self.p.btc, self.p.eth].into_iter().enumerate() {
            let price = self.prices[index] / 1_000 * self.rng.random_range(880..=1_120);
            self.prices[index] = price;
            let confidence = price.unsigned_abs() / 1_000 * self.rng.random_range(0..=10);
            let ema = price / 100 * self.rng.random_range(96..=104);
            let published = Price { price, confidence, ema, ..self.w.price(0) };
            self.w.publish(&asset, published);
            if self.rng.random_range(0..4) > 0 {
                self.w.observe(&asset);
            }
        }
        self.w.refresh(&self.p.sol, 0);
    }

    /// Whoever has lost everything starts again: walks of accounts that nobody refills are in `waterfall.rs`.
    fn refill(&mut self) {
        for trader in [self.p.alice, self.p.bob] {
            let equity = self.w.margin(&trader).equity_maint.raw();
            if equity <= 0 {
                self.w.deposit(&trader, &self.p.usdc, (20_000 * USD - equity) as u64);
            }
        }
    }

    fn step(&mut self) -> (Instruction, Rule) {
        // Carol, who never goes to the limit, mostly takes over whoever has sunk.
        if let Some(sunk) = self.sunk()
            && self.rng.random_range(0..4) > 0
        {
            return self.liquidate(self.p.carol, sunk);
        }
        let (trader, (market, lot), (bank, parcel)) = (self.trader(), self.market(), self.bank());
        let times = self.rng.random_range(1..=2_000);
        let (size, amount) = (lot / 100 * times, (parcel / 100 * times) as u64);
        let side = if self.rng.random() { size } else { -size };
        match self.rng.random_range(0..22) {
            20 => (self.w.accrue_funding_ix(&market), Rule::Books),
            21 => {
                // What a forecaster may come up with.
                let volatility = self.rng.random_range(300_000..5_000_000);
                (self.w.forecast_ix(&market, volatility), Rule::Books)
            }
            0..=2 => (self.w.deposit_ix(&trader, &bank, amount), Rule::Books),
            3..=5 => (self.w.withdraw_ix(&trader, &bank, amount), Rule::InitialMargin(trader)),
            6..=8 => (self.w.order_ix(&trader, &market, order(side)), Rule::Books),
            9 => (self.w.close_ix(&trader, &market, size.unsigned_abs()), Rule::Books),
            10 => (self.w.settle_ix(&trader, &market), Rule::Books),
            11 => (self.w.accrue_ix(&bank), Rule::Books),
            12 => (self.w.flag_ix(&trader), Rule::Books),
            13 => self.liquidate(trader, self.p.alice),
            14..=16 => {
                // A lot is about a dollar of SOL.
                let (series, lots) = (self.rng.random_range(0..14u8), self.rng.random_range(1..=1_000i64));
                let closes = self.rng.random_range(0..4) == 0;
                let sol = self.p.sol;
                if closes {
                    return (self.w.close_option_ix(&trader, &sol, 0, series, lots.unsigned_abs()), Rule::Books);
                }
                let lots = if self.rng.random() { lots } else { -lots };
                (self.w.open_option_ix(&trader, &sol, 0, series, lots), Rule::Books)
            }
            _ => {
                let trader = if self.rng.random() { self.p.alice } else { self.p.bob };
                let size = self.largest(&trader, lot);
                (self.w.order_ix(&trader, &market, order(size)), Rule::Books)
            }
        }
    }

    fn liquidate(&mut self, taker: Trader, account: Trader) -> (Instruction, Rule) {
        let max_fraction = if self.rng.random() { 1 << 32 } else { self.rng.random_range(1..1 << 32) };
        let args = LiquidateArgs { max_fraction, max_payment: u64::MAX };
        (self.w.liquidate_args_ix(&taker, &account, args), Rule::Liquidation { account, taker })
    }

    /// A trader below its line who is worth something.
    fn sunk(&self) -> Option<Trader> {
        [self.p.alice, self.p.bob].into_iter().find(|trader| {
            let margin = self.w.margin(trader);
            (1..margin.requirement_maint.raw()).contains(&margin.equity_maint.raw())
        })
    }

    /// About as much as the trader's initial margin carries, 20 % of it and costs: a lot is 1,000 USD.
    fn largest(&mut self, trader: &Trader, lot: i64) -> i64 {
        let health = self.w.margin(trader).health_init().map_or(0, |health| health.raw());
        let size = (lot as f64 * health as f64 / (215.0 * USD as f64)) as i64;
        if self.rng.random() { size } else { -size }
    }

    /// What each bank's vault and borrows are beyond its deposits and reserve, in 2^-48 native units: INV-4 is that no
    /// instruction lowers it, or something would have appeared from nowhere.
    fn slack(&self) -> Vec<i128> {
        let banks = [self.p.usdc, self.p.sol, self.p.btc, self.p.eth];
        let wide = |shares: u64, index: u64| i128::from(shares) * i128::from(index);
        let slack = |asset| {
            let bank = self.w.bank(asset);
            ((i128::from(bank.vault_amount) - i128::from(bank.reserve)) << 48)
                + wide(bank.borrow_shares, bank.borrow_index)
                - wide(bank.deposit_shares, bank.deposit_index)
        };
        banks.iter().map(slack).collect()
    }

    fn check(&mut self, rule: &Rule, before: Option<Margin>) {
        match rule {
            Rule::Books => {}
            Rule::InitialMargin(trader) => self.check_initial(trader),
            Rule::Liquidation { account, taker } => {
                self.liquidated += 1;
                self.check_initial(taker);
                let (before, after) = (before.expect("a margin"), self.w.margin(account));
                let [e, r] = [before.equity_maint, before.requirement_maint].map(|q| i128::from(q.raw()));
                let [e_after, r_after] = [after.equity_maint, after.requirement_maint].map(|q| i128::from(q.raw()));
                assert!(0 < e && e < r, "liquidated at {e} of {r}");
                // What is left rounds by less than a unit of each balance and position; the dearest base unit is BTC's,
                // worth less than 1,500 quote native.
                // Options move in whole lots: each may leave one lot more or less, worth as much as a hundredth of SOL at
                // most, or as its strike.
                let lots =
                    self.w.margin_account(account).options.iter().filter(|option| option.lots != 0).count() as i128;
                let off = 1_500 + lots * i128::from((self.prices[0] / 100 / 100).max(1_800_000));
                assert!((e_after + off) * r >= e * (r_after - off), "{e} of {r} became {e_after} of {r_after}");
            }
        }
    }

    fn check_initial(&self, trader: &Trader) {
        if !self.w.margin_account(trader).has_no_liability() {
            let health = self.w.margin(trader).health_init().unwrap().raw();
            assert!(health >= 0, "INV-5: {health}");
        }
    }

    fn run(&mut self) {
        for number in 0..STEPS {
            if number % 5 == 0 {
                self.move_prices();
                self.refill();
            }
            let (instruction, rule) = self.step();
            let before = match &rule {
                Rule::Liquidation { account, .. } => {
                    // The program accrues first.
                    for bank in [self.p.usdc, self.p.sol, self.p.btc, self.p.eth] {
                        self.w.accrue(&bank);
                    }
                    for market in [self.p.sol, self.p.btc, self.p.eth] {
                        self.w.accrue_funding(&market);
                    }
                    Some(self.w.margin(account))
                }
                _ => None,
            };
            let slack = self.slack();
            match self.w.send(&instruction).0 {
                Ok(_) => {
                    self.succeeded += 1;
                    self.check(&rule, before);
                }
                Err(TransactionError::InstructionError(1, InstructionError::Custom(code))) => assert!(
                    PlimsollError::from_code(code).is_some_and(|error| error != PlimsollError::Corrupt) || code == 2040,
                    "step {number}: {code}"
                ),
                Err(other) => panic!("step {number}: {other}"),
            }
            for (bank, (before, after)) in slack.iter().zip(self.slack()).enumerate() {
                assert!(after >= *before, "INV-4: step {number} took {} from bank {bank}", before - after);
            }
            plimsoll_e2e_tests::invariants::check(&*self.w);
        }
    }
}

fn walk(seed: u64) {
    let seed = env::var("PLIMSOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(seed);
    println!("seed {seed}");
    let mut walk = Walk::new(seed);
    walk.run();
    println!("{} of {STEPS} steps succeeded, {} of them liquidations", walk.succeeded, walk.liquidated);
    assert!(walk.succeeded > STEPS / 4);
}

#[test]
fn whatever_succeeds_keeps_the_invariants_1() {
    walk(0x0a1c_0001);
}

#[test]
fn whatever_succeeds_keeps_the_invariants_2() {
    walk(0x0a1c_0002);
}

#[test]
fn whatever_succeeds_keeps_the_invariants_3() {
    walk(0x0a1c_0003);
}
