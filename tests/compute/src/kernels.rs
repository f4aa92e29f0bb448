//! What single functions of the engine cost, by the program `risk-bench`, which says how it measures.
//!
//! Each kernel runs on operands as they occur and on operands of any size, [`RUNS`] of each, from a generator with a
//! fixed seed. Every result is compared with the host's.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use litesvm::LiteSVM;
use plimsoll_client::Address;
use risk_bench::{OPERANDS, Operands, Random, Record};
use solana_account::Account;
use solana_compute_budget::compute_budget::ComputeBudget;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// Runs of each kernel on either kind of operands.
const RUNS: usize = 2_000;

const PROGRAM: Address = Address::new_from_array([7; 32]);
const RECORDS: Address = Address::new_from_array([8; 32]);
/// The feature that lets a program read its own meter, not active on mainnet.
const METER: Address = Address::from_str_const("5TuppMutoyzhUSfuYdhgzD47F92GL1g89KpCZQKqedxP");

/// What one kernel costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The function.
    pub kernel: &'static str,
    /// What is special about its operands, empty for nothing.
    pub variant: &'static str,
    /// The design's budget.
    pub target: Option<u64>,
    /// Median over operands as they occur.
    pub typical: u64,
    /// The most of all.
    pub worst: u64,
    /// Operands that cost so much.
    pub worst_operands: Operands,
}

impl Row {
    /// The key under which the figures are committed, without which of the two it is.
    pub fn key(&self) -> String {
        let variant = if self.variant.is_empty() { String::new() } else { format!("[{}]", self.variant) };
        format!("kernel/{}{variant}", self.kernel)
    }
}

type Generator = fn(&mut Random) -> Operands;

/// A kernel and its operands: as they occur, and of any size.
struct Case {
    kernel: &'static str,
    variant: &'static str,
    target: Option<u64>,
    usual: Generator,
    any: Generator,
}

/// Operands that begin with these words, the rest zero.
fn operands<const N: usize>(words: [u64; N]) -> Operands {
    let mut operands = [0; OPERANDS];
    operands[..N].copy_from_slice(&words);
    operands
}

/// Words of any length.
fn words(random: &mut Random) -> Operands {
    std::array::from_fn(|_| random.any())
}

/// A number with this bound, either sign.
fn signed(random: &mut Random, bound: u64) -> Operands {
    let magnitude = random.below(bound);
    operands([if random.below(2) == 0 { magnitude } else { magnitude.wrapping_neg() }])
}

/// A part of the whole in ppm.
fn part(random: &mut Random) -> u64 {
    random.below(1_000_001)
}

macro_rules! shapes {
    ($kernel:literal: $($variant:literal: $count:literal, $groups:literal, $stale:literal, $options:literal;)*) => {
        [$(Case {
            kernel: $kernel,
            variant: $variant,
            target: None,
            usual: |random| operands([$count, $groups, $stale, random.word(), $options]),
            any: |random| operands([$count, $groups, $stale, random.word(), $options]),
        }),*]
    };
}

/// Everything that is measured, in the order of the page.
fn cases() -> Vec<Case> {
    let case = |kernel, usual: Generator, any: Generator| Case { kernel, variant: "", target: None, usual, any };
    let mut cases = vec![
        case("mul_wide", words, words),
        case("mul_shift_floor", |r| operands([r.below(1 << 48), r.below(1 << 50)]), words),
        case("mul_q48_floor", |r| operands([r.below(1 << 48), r.below(1 << 50)]), words),
        case("mul_ppm_floor", |r| operands([r.below(1 << 48), part(r)]), words),
        case("div_wide", |r| operands([r.below(1 << 20), r.word(), r.between(1 << 40, 1 << 50)]), divisions),
        case("mul_div_floor", |r| operands([r.below(1 << 44), r.below(1 << 44), r.between(1 << 30, 1 << 50)]), words),
        case("isqrt_ceil", |r| operands([r.below(1 << 30), r.word()]), words),
        Case { target: Some(60), ..case("normal_distribution", |r| signed(r, 1 << 34), words) },
        case("normal_density", |r| signed(r, 1 << 34), words),
        Case { target: Some(80), ..case("exp", |r| signed(r, 4 << 40), words) },
        case("exp_minus", |r| operands([r.below(8 << 40)]), words),
        Case { target: Some(120), ..case("ln", |r| operands([r.between(1 << 28, 1 << 36)]), words) },
        case("ln_ratio", |r| operands([r.between(1 << 40, 1 << 44), r.between(1 << 40, 1 << 44)]), words),
        case("sqrt_floor", |r| operands([r.below(1 << 33)]), words),
        case("value_floor", |r| operands([r.below(1 << 46), r.any()]), words),
        case("read_price_update_v2", price, words),
        case("normalise_price", |r| operands([r.below(1 << 40), r.below(1 << 24), 8, r.below(1 << 40), 9]), any_price),
        case("accrue_interest", interest, any_interest),
        case("liquidation_fraction", insolvency, words),
        case("liquidation_payment", takeover, words),
        case("pro_rata", |r| operands([r.word() >> 16, r.below(1 << 32)]), words),
    ];
    cases.extend([
        Case { target: Some(500), ..case("price", option, any_option) },
        Case { target: Some(800), ..case("greeks", option, any_option) },
        case("implied_volatility", option, any_option),
        case("array_nodes", option, any_option),
        case("array_board", option, any_option),
        Case { target: Some(6_000), ..case("strike_arrays", option, any_option) },
        Case { target: Some(250), variant: "a call", ..case("option_margin", call, call) },
        Case { target: Some(250), variant: "a put", ..case("option_margin", put, put) },
        Case { variant: "one range", ..case("board_margin", call, call) },
        Case { variant: "two ranges, puts", ..case("board_margin", two_ranges, two_ranges) },
        case("estimate_update", words, words),
        case("estimate_volatility", words, words),
        case("volatility_range", |r| operands([r.between(400_000, 4_000_000)]), words),
        case("volatility_used", forecast, words),
    ]);
    cases.extend(shapes! { "margin_linear":
        "no underlying": 0, 1, 0, 0;
        "1 underlying": 1, 1, 0, 0;
        "4 underlyings in 1 group": 4, 1, 0, 0;
        "8 underlyings in 1 group": 8, 1, 0, 0;
        "8 underlyings in 2 groups": 8, 2, 0, 0;
        "8 underlyings in 8 groups": 8, 8, 0, 0;
        "16 underlyings in 8 groups": 16, 8, 0, 0;
        "16 underlyings in 8 groups, one stale": 16, 8, 1, 0;
    });
    cases.extend(shapes! { "margin_options":
        "1 underlying, with options": 1, 1, 0, 1;
        "4 underlyings in 1 group, one with options": 4, 1, 0, 1;
        "4 underlyings in 1 group, all with options": 4, 1, 0, 4;
        "8 underlyings in 2 groups, 4 with options": 8, 2, 0, 4;
        "16 underlyings in 8 groups, 4 with options": 16, 8, 0, 4;
        "16 underlyings in 8 groups, 4 with options, two ranges": 16, 8, 0, 12;
    });
    cases
}

/// A high word below the divisor or beside it, the divisor of any length: so that every way through is taken.
fn divisions(random: &mut Random) -> Operands {
    let divisor = random.any();
    let high = if random.below(8) == 0 { random.any() } else { random.below(divisor) };
    operands([high, random.word(), divisor])
}

fn price(random: &mut Random) -> Operands {
    std::array::from_fn(|_| random.word() >> 20)
}

fn any_price(random: &mut Random) -> Operands {
    operands([random.any() >> 1, random.any(), random.below(20), random.any() >> 1, random.below(20)])
}

/// A model as they are, indexes up to 2, up to 2^48 shares, a day at most.
fn interest(random: &mut Random) -> Operands {
    let index = |random: &mut Random| (1 << 48) + random.below(1 << 48);
    let deposits = random.between(1 << 30, 1 << 48);
    operands([
        800_000,
        random.below(20_000),
        random.between(20_000, 80_000),
        random.between(80_000, 1_000_000),
        100_000,
        index(random),
        index(random),
        deposits,
        random.below(deposits),
        random.below(86_400),
    ])
}

fn any_interest(random: &mut Random) -> Operands {
    let mut operands = interest(random);
    for operand in &mut operands[5..10] {
        *operand = random.any();
    }
    operands
}

/// Forward, strike within half and double of it, volatility 30 % to 200 %, an hour to 90 days, discount factor, kind,
/// shock up, range, lot, spot, shock down, lots, ranges to read at, damping, minimum.
fn option(random: &mut Random) -> Operands {
    let forward = random.between(1 << 45, 1 << 47);
    operands([
        forward,
        random.between(forward / 2, 2 * forward),
        random.between(300_000, 2_000_000),
        random.between(3_600, 90 * 86_400),
        random.between((1 << 32) - (1 << 28), 1 << 32),
        random.below(2),
        400_000,
        150_000,
        1_000_000_000,
        forward - (forward >> 8),
        300_000,
        random.between(1, 100_000),
        150_000,
        150_000,
        300_000,
        30_000,
    ])
}

fn call(random: &mut Random) -> Operands {
    let mut operands = option(random);
    operands[5] = 0;
    operands
}

fn put(random: &mut Random) -> Operands {
    let mut operands = option(random);
    operands[5] = 1;
    operands
}

fn two_ranges(random: &mut Random) -> Operands {
    let mut operands = put(random);
    // Below five sixths of the range that the arrays were made for, extreme moves are out of their reach.
    operands[13] = 140_000;
    operands
}

/// All over the domain and a little beyond it.
fn any_option(random: &mut Random) -> Operands {
    let mut operands = option(random);
    let forward = random.any() >> 1;
    operands[0] = forward;
    operands[1] = match random.below(4) {
        0 => forward,
        1 => forward.saturating_add(random.below(forward >> 10)),
        _ => random.between(forward / 51, forward.saturating_mul(51)),
    };
    operands[2] = if random.below(2) == 0 { random.between(9_990, 5_000_010) } else { random.between(10_000, 50_000) };
    operands[3] = 1 + random.any() % 63_072_010;
    operands[4] = 1 + random.below(1 << 32);
    operands[7] = random.between(900, 801_000);
    operands[8] = random.any() >> 16;
    operands[9] = forward.saturating_sub(random.below(forward >> 3));
    operands
}

fn forecast(random: &mut Random) -> Operands {
    let volatility = random.between(400_000, 4_000_000);
    operands([random.between(400_000, 2_000_000), volatility, random.below(volatility), random.below(20_000), 1])
}

/// An account below its line: equity, requirement, discount, buffer, dust.
fn insolvency(random: &mut Random) -> Operands {
    let requirement = random.between(1 << 24, 1 << 44);
    operands([random.between(requirement / 2, requirement), requirement, random.below(200_000), 100_000, 1_000_000])
}

/// Fraction, equity, discount, requirement.
fn takeover(random: &mut Random) -> Operands {
    let [equity, requirement, discount, ..] = insolvency(random);
    operands([random.below(1 << 32), equity, discount, requirement])
}

/// Measures every kernel whose name contains a text; an error when a result is not the host's.
pub fn measure(so: &Path, text: &str) -> Result<Vec<Row>> {
    let mut machine = Machine::new(so)?;
    cases()
        .iter()
        .filter(|case| case.kernel.contains(text))
        .map(|case| machine.measure(case).with_context(|| format!("{} {}", case.kernel, case.variant)))
        .collect()
}

struct Machine {
    vm: LiteSVM,
    payer: Keypair,
}

impl Machine {
    fn new(so: &Path) -> Result<Self> {
        // One transaction runs a kernel thousands of times.
        let mut budget = ComputeBudget::new_with_defaults(true);
        budget.compute_unit_limit = 1 << 40;
        let mut features = LiteSVM::mainnet_feature_set();
        features.activate(&METER, 0);
        let mut vm = LiteSVM::new()
            .with_feature_set(features)
            .with_builtins()
            .with_compute_budget(budget)
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        vm.add_program_from_file(PROGRAM, so)
            .map_err(|error| anyhow!("{}: {error}; run `make programs`", so.display()))?;
        let payer = Keypair::new_from_array([9; 32]);
        vm.airdrop(&payer.pubkey(), 1_000_000_000).map_err(|failed| anyhow!("{:?}", failed.err))?;
        Ok(Self { vm, payer })
    }

    fn run(&mut self, kernel: u8, operands: &[Operands]) -> Result<Vec<Record>> {
        let mut records: Vec<_> = operands.iter().copied().map(Record::new).collect();
        let data = Record::bytes(&records).to_vec();
        let account = Account { lamports: 100_000_000_000, data, owner: PROGRAM, ..Account::default() };
        self.vm.set_account(RECORDS, account).map_err(|error| anyhow!("{error:?}"))?;
        let accounts = vec![AccountMeta::new(RECORDS, false)];
        let instruction = Instruction { program_id: PROGRAM, accounts, data: vec![kernel] };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.vm.latest_blockhash());
        let sent = self.vm.send_transaction(transaction);
        sent.map_err(|failed| anyhow!("{:?}\n{}", failed.err, failed.meta.pretty_logs()))?;
        let after = self.vm.get_account(&RECORDS).context("the records are gone")?.data;
        Record::bytes_mut(&mut records).copy_from_slice(&after);
        Ok(records)
    }

    fn measure(&mut self, case: &Case) -> Result<Row> {
        let kernel = risk_bench::find(case.kernel).context("no such kernel")?;
        let mut random = Random(20_261_122);
        let generators = [case.usual, case.any].into_iter().flat_map(|generator| [generator; RUNS]);
        let operands: Vec<_> = generators.map(|generator| generator(&mut random)).collect();
        let records = self.run(kernel, &operands)?;
        let mut expected: Vec<_> = operands.iter().copied().map(Record::new).collect();
        ensure!(risk_bench::run(kernel, &mut expected), "no such kernel");
        for (measured, expected) in records.iter().zip(&expected) {
            let operands = expected.operands;
            ensure!(
                measured.result == expected.result,
                "{operands:x?}: {:x?} in the machine, {:x?} on the host",
                measured.result,
                expected.result
            );
        }
        let mut usual: Vec<_> = records[..RUNS].iter().map(|record| record.units).collect();
        usual.sort_unstable();
        let worst = records.iter().max_by_key(|record| record.units).context("no runs")?;
        Ok(Row {
            kernel: case.kernel,
            variant: case.variant,
            target: case.target,
            typical: usual[RUNS / 2],
            worst: worst.units,
            worst_operands: worst.operands,
        })
    }
}

/// Prints rows, with the operands that cost most.
pub fn print(rows: &[Row]) {
    println!("number  typical    worst  kernel");
    for row in rows {
        let number = risk_bench::find(row.kernel).unwrap_or_default();
        println!("{number:6} {:8} {:8}  {} {}", row.typical, row.worst, row.kernel, row.variant);
        let used = row.worst_operands.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        let words: Vec<_> = row.worst_operands[..used].iter().map(|word| format!("{word:#x}")).collect();
        println!("{:26}worst: {}", "", words.join(" "));
    }
}
