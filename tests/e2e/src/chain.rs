//! One bank of the Solana runtime, and what a test wants of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    sync::LazyLock,
};

use plimsoll_client::{
    error::describe,
    event::{self, Event},
    instruction::TOKEN_2022_PROGRAM,
};
use plimsoll_interface::{Address, ID, PlimsollError};
use solana_account::Account;
use solana_account_info::AccountInfo;
use solana_clock::Clock;
use solana_instruction::{AccountMeta, Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_program_error::ProgramError;
use solana_program_test::{BanksTransactionResultWithMetadata, ProgramTest, ProgramTestContext, processor};
use solana_signer::Signer;
use solana_sysvar::program_stubs::sol_invoke_signed;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use tokio::runtime::{Builder, Runtime};

/// Where the tests' clock starts, unix seconds.
pub const START: i64 = 1_800_000_000;

const COMPUTE_BUDGET_PROGRAM: Address = Address::from_str_const("ComputeBudget111111111111111111111111111111");
const BPF_LOADER: Address = Address::from_str_const("BPFLoader2111111111111111111111111111111111");
/// A program that calls another: its first account, with its other accounts and its data.
pub const CALLER: Address = Address::new_from_array([b'c'; 32]);

fn call(_: &Address, accounts: &[AccountInfo], data: &[u8]) -> Result<(), ProgramError> {
    let (program, rest) = accounts.split_first().ok_or(ProgramError::NotEnoughAccountKeys)?;
    let meta = |info: &AccountInfo| AccountMeta {
        pubkey: *info.key,
        is_signer: info.is_signer,
        is_writable: info.is_writable,
    };
    let called =
        Instruction { program_id: *program.key, accounts: rest.iter().map(meta).collect(), data: data.to_vec() };
    sol_invoke_signed(&called, accounts, &[])
}

fn idle(_: &Address, _: &[AccountInfo], _: &[u8]) -> Result<(), ProgramError> {
    Ok(())
}

/// The same instruction, sent by [`CALLER`].
pub fn through_caller(instruction: &Instruction) -> Instruction {
    let program = AccountMeta::new_readonly(instruction.program_id, false);
    let accounts = [program].into_iter().chain(instruction.accounts.iter().cloned()).collect();
    Instruction { program_id: CALLER, accounts, data: instruction.data.clone() }
}

/// Compute units that a transaction may ask for at most.
const COMPUTE_LIMIT: u32 = 1_400_000;

/// The program under test. There is no native processor to fall back on: these bytes run or nothing does.
static PROGRAM: LazyLock<Vec<u8>> = LazyLock::new(|| read("plimsoll.so", "program"));

/// The example of a venue.
static EXAMPLE_VENUE: LazyLock<Vec<u8>> = LazyLock::new(|| read("example_venue.so", "programs"));

/// What `make goal` has built.
fn read(name: &str, goal: &str) -> Vec<u8> {
    let folder = env::var_os("PLIMSOLL_SO_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy"));
    let file = folder.join(name);
    fs::read(&file).unwrap_or_else(|_| panic!("{} cannot be read: run `make {goal}`", file.display()))
}

/// The example of an adapter.
static EXAMPLE_ADAPTER: LazyLock<Vec<u8>> = LazyLock::new(|| read("example_adapter.so", "programs"));

/// Where the example of an adapter stands in a chain that has it.
pub const ADAPTER_PROGRAM: Address = Address::new_from_array([b'k'; 32]);

/// Where the example of a venue stands in a chain that has it.
pub const VENUE_PROGRAM: Address = Address::new_from_array([b'v'; 32]);

fn program(data: &[u8]) -> Account {
    Account {
        lamports: u32::MAX.into(),
        data: data.to_vec(),
        owner: BPF_LOADER,
        executable: true,
        rent_epoch: u64::MAX,
    }
}

/// Keeps the runtime from logging every instruction, unless `RUST_LOG` asks for it: a failed transaction's log is in the
/// panic. The first logger that is set stays.
static QUIET: LazyLock<()> = LazyLock::new(|| {
    struct Nothing;
    impl log::Log for Nothing {
        fn enabled(&self, _: &log::Metadata) -> bool {
            false
        }
        fn log(&self, _: &log::Record) {}
        fn flush(&self) {}
    }
    if env::var_os("RUST_LOG").is_none() {
        // Another logger that was first is as good.
        let _ = log::set_logger(&Nothing);
    }
});

/// What came of a transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The program's events.
    pub events: Vec<Event>,
    /// Compute units it consumed.
    pub compute_units: u64,
}

impl Outcome {
    /// The one event that was emitted.
    pub fn event(&self) -> Event {
        assert_eq!(self.events.len(), 1, "{:?}", self.events);
        self.events[0]
    }
}

/// The error that an instruction is to fail with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(pub InstructionError);

impl From<PlimsollError> for Expected {
    fn from(error: PlimsollError) -> Self {
        Self(InstructionError::Custom(error.code()))
    }
}

impl From<InstructionError> for Expected {
    fn from(error: InstructionError) -> Self {
        Self(error)
    }
}

/// Accounts at one moment, `None` where there is none.
pub type Bytes = BTreeMap<Address, Option<Account>>;

/// One bank of the runtime.
pub struct Chain {
    runtime: Runtime,
    context: ProgramTestContext,
    keys: BTreeMap<Address, Keypair>,
    known: BTreeSet<Address>,
    sent: u32,
    /// Instructions that stand behind every one sent, until others are set: verifications of signed orders. The first of
    /// them is the transaction's instruction number [`COMPANION`].
    pub companions: Vec<Instruction>,
}

/// The key that a name stands for.
pub fn named_key(name: &str) -> Keypair {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Keypair::new_from_array(seed)
}

/// Number of the first of [`Chain::companions`] in a transaction.
pub const COMPANION: u8 = 2;

impl Chain {
    /// A bank with the program and the given accounts.
    pub fn new(accounts: impl IntoIterator<Item = (Address, Account)>) -> Self {
        Self::start(accounts, |_| {})
    }

    /// The same with the example of a venue at [`VENUE_PROGRAM`].
    pub fn with_venue(accounts: impl IntoIterator<Item = (Address, Account)>) -> Self {
        Self::start(accounts, |test| test.add_account(VENUE_PROGRAM, program(&EXAMPLE_VENUE)))
    }

    /// The same with a program at Token-2022's address that does nothing, successfully.
    pub fn with_idle_token_program(accounts: impl IntoIterator<Item = (Address, Account)>) -> Self {
        Self::start(accounts, |test| {
            test.add_builtin_program("idle", TOKEN_2022_PROGRAM, processor!(idle).expect("a processor"));
        })
    }

    /// The same with the example of an adapter at [`ADAPTER_PROGRAM`].
    pub fn with_adapter(accounts: impl IntoIterator<Item = (Address, Account)>) -> Self {
        Self::start(accounts, |test| test.add_account(ADAPTER_PROGRAM, program(&EXAMPLE_ADAPTER)))
    }

    fn start(accounts: impl IntoIterator<Item = (Address, Account)>, add: impl FnOnce(&mut ProgramTest)) -> Self {
        LazyLock::force(&QUIET);
        let mut test = ProgramTest::default();
        test.add_builtin_program("caller", CALLER, processor!(call).expect("a processor"));
        test.add_account(ID, program(&PROGRAM));
        add(&mut test);
        let mut known = BTreeSet::new();
        for (address, account) in accounts {
            known.insert(address);
            test.add_account(address, account);
        }
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let context = runtime.block_on(test.start_with_context());
        let chain = Self { runtime, context, keys: BTreeMap::new(), known, sent: 0, companions: Vec::new() };
        chain.set_now(START);
        chain
    }

    /// Makes a key that signs wherever its address is to sign. The same name gives the same key.
    pub fn key(&mut self, name: &str) -> Address {
        let key = named_key(name);
        let address = key.pubkey();
        self.keys.insert(address, key);
        self.known.insert(address);
        address
    }

    /// A known key's Ed25519 signature of a message.
    pub fn sign(&self, who: &Address, message: &[u8]) -> [u8; 64] {
        self.keys[who].sign_message(message).into()
    }

    /// Who pays the fees. Its lamports are the only thing that a failed transaction changes.
    pub fn payer(&self) -> Address {
        self.context.payer.pubkey()
    }

    /// Unix seconds of the chain's clock.
    pub fn now(&self) -> i64 {
        self.runtime.block_on(self.context.banks_client.get_sysvar::<Clock>()).expect("the clock").unix_timestamp
    }

    /// Sets the chain's clock.
    pub fn set_now(&self, unix_timestamp: i64) {
        let clock = self.runtime.block_on(self.context.banks_client.get_sysvar::<Clock>()).expect("the clock");
        self.context.set_sysvar(&Clock { unix_timestamp, ..clock });
    }

    /// Sets the chain's epoch.
    pub fn set_epoch(&self, epoch: u64) {
        let clock = self.runtime.block_on(self.context.banks_client.get_sysvar::<Clock>()).expect("the clock");
        self.context.set_sysvar(&Clock { epoch, ..clock });
    }

    /// The account at an address.
    pub fn account(&self, address: &Address) -> Option<Account> {
        self.runtime.block_on(self.context.banks_client.get_account(*address)).expect("the bank answers")
    }

    /// Puts an account, whatever the runtime's rules.
    pub fn set_account(&mut self, address: Address, account: Account) {
        self.known.insert(address);
        self.context.set_account(&address, &account.into());
    }

    /// Addresses that this chain has dealt with.
    pub fn known(&self) -> &BTreeSet<Address> {
        &self.known
    }

    /// Transactions sent so far.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// Every known account, without the payer.
    pub fn bytes(&self) -> Bytes {
        self.known.iter().filter(|address| **address != self.payer()).map(|a| (*a, self.account(a))).collect()
    }

    /// Sends one instruction, signed by everyone whose signature it asks for.
    pub fn send(&mut self, instruction: &Instruction) -> (Result<Outcome, TransactionError>, Vec<String>) {
        self.send_all(std::slice::from_ref(instruction))
    }

    /// Sends instructions in one transaction, signed by everyone whose signature they ask for.
    pub fn send_all(&mut self, sent: &[Instruction]) -> (Result<Outcome, TransactionError>, Vec<String>) {
        let metas = || sent.iter().flat_map(|instruction| &instruction.accounts);
        self.known.extend(metas().map(|meta| meta.pubkey));
        self.sent += 1;
        // A limit of its own makes every transaction different from every other.
        let mut limit = vec![2];
        limit.extend_from_slice(&(COMPUTE_LIMIT - self.sent % 100_000).to_le_bytes());
        let limit = Instruction { program_id: COMPUTE_BUDGET_PROGRAM, accounts: vec![], data: limit };
        let mut signers = vec![&self.context.payer];
        for meta in metas().filter(|meta| meta.is_signer) {
            let key = self.keys.get(&meta.pubkey).unwrap_or_else(|| panic!("no key for {}", meta.pubkey));
            if signers.iter().all(|signer| signer.pubkey() != meta.pubkey) {
                signers.push(key);
            }
        }
        let client = &self.context.banks_client;
        let result: BanksTransactionResultWithMetadata = self.runtime.block_on(async {
            let blockhash = client.get_latest_blockhash().await.expect("a blockhash");
            let behind = sent.iter().chain(&self.companions).cloned();
            let instructions: Vec<Instruction> = [limit].into_iter().chain(behind).collect();
            let transaction = Transaction::new_signed_with_payer(
                &instructions,
                Some(&self.context.payer.pubkey()),
                &signers,
                blockhash,
            );
            client.process_transaction_with_metadata(transaction).await.expect("the bank answers")
        });
        let (logs, compute_units) = result
            .metadata
            .map(|metadata| (metadata.log_messages, metadata.compute_units_consumed))
            .unwrap_or_default();
        (result.result.map(|()| Outcome { events: event::from_logs(&logs), compute_units }), logs)
    }

    /// Sends an instruction that is to succeed.
    #[track_caller]
    pub fn ok(&mut self, instruction: &Instruction) -> Outcome {
        match self.send(instruction) {
            (Ok(outcome), _) => outcome,
            (Err(error), logs) => panic!("{}\n{}", describe(&error), logs.join("\n")),
        }
    }

    /// Sends instructions in one transaction that is to succeed.
    #[track_caller]
    pub fn ok_all(&mut self, instructions: &[Instruction]) -> Outcome {
        match self.send_all(instructions) {
            (Ok(outcome), _) => outcome,
            (Err(error), logs) => panic!("{}\n{}", describe(&error), logs.join("\n")),
        }
    }

    /// Sends instructions in one transaction of which the one at `index` is to fail with exactly this error; the
    /// transaction is to change no byte of any account.
    #[track_caller]
    pub fn refuses_at(&mut self, instructions: &[Instruction], index: usize, expected: impl Into<Expected>) {
        if let Err(what) = self.try_refuse_at(instructions, index, &expected.into()) {
            panic!("{what}");
        }
    }

    /// Sends an instruction that is to fail with exactly this error and to change no byte of any account.
    #[track_caller]
    pub fn refuses(&mut self, instruction: &Instruction, expected: impl Into<Expected>) {
        if let Err(what) = self.try_refuse(instruction, &expected.into()) {
            panic!("{what}");
        }
    }

    /// As [`Self::refuses`], and says what happened instead.
    ///
    /// # Errors
    /// What the instruction did instead of failing as expected.
    pub fn try_refuse(&mut self, instruction: &Instruction, expected: &Expected) -> Result<(), String> {
        self.try_refuse_at(std::slice::from_ref(instruction), 0, expected)
    }

    /// As [`Self::refuses_at`], and says what happened instead.
    ///
    /// # Errors
    /// What the transaction did instead of failing as expected.
    pub fn try_refuse_at(&mut self, sent: &[Instruction], index: usize, expected: &Expected) -> Result<(), String> {
        self.known.extend(sent.iter().flat_map(|instruction| &instruction.accounts).map(|meta| meta.pubkey));
        let before = self.bytes();
        let (result, logs) = self.send_all(sent);
        // The first instruction of all sets the compute limit.
        let at = u8::try_from(index + 1).expect("few instructions");
        let wanted = describe(&TransactionError::InstructionError(at, expected.0.clone()));
        match result {
            Err(TransactionError::InstructionError(place, error)) if place == at && error == expected.0 => {}
            Err(error) => return Err(format!("wants {wanted}, got {}\n{}", describe(&error), logs.join("\n"))),
            Ok(_) => return Err(format!("wants {wanted}, succeeded\n{}", logs.join("\n"))),
        }
        let after = self.bytes();
        match before.iter().find(|(address, account)| Some(*account) != after.get(address)) {
            Some((address, _)) => Err(format!("{address} changed although the instruction failed")),
            None => Ok(()),
        }
    }
}

/// A meta as [`AccountMeta`] has it, for tests that change one.
pub fn with_meta(instruction: &Instruction, index: usize, change: impl FnOnce(&mut AccountMeta)) -> Instruction {
    let mut changed = instruction.clone();
    change(&mut changed.accounts[index]);
    changed
}
