//! The virtual machine that the walks run in: accounts, a clock, and transactions without signatures to compute.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, anyhow};
use litesvm::LiteSVM;
use plimsoll_client::{
    decode::{self, Named},
    event::{self, Event},
};
use plimsoll_e2e_tests::{
    chain::{ADAPTER_PROGRAM, START},
    invariants::Ledger,
    raw,
    world::{self, Places},
};
use plimsoll_interface::{Address, ID};
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

/// What a transaction may consume.
const COMPUTE_LIMIT: u32 = 1_400_000;
const COMPUTE_BUDGET_PROGRAM: Address = Address::from_str_const("ComputeBudget111111111111111111111111111111");

/// What came of a transaction.
pub struct Sent {
    /// Success, or what the runtime answered.
    pub result: Result<(), TransactionError>,
    /// The program's events.
    pub events: Vec<Event>,
    /// Its log.
    pub logs: Vec<String>,
    /// Compute units that it consumed.
    pub compute_units: u64,
}

/// The exchange of the end-to-end tests in a machine that is quick to copy and to run.
#[derive(Clone)]
pub struct Machine {
    vm: LiteSVM,
    payer: Address,
    known: BTreeSet<Address>,
    sent: u32,
}

impl Ledger for Machine {
    fn account(&self, address: &Address) -> Option<Account> {
        self.vm.get_account(address)
    }

    fn known(&self) -> impl Iterator<Item = &Address> {
        self.known.iter()
    }

    fn sent(&self) -> u32 {
        self.sent
    }
}

impl Machine {
    /// Loads the program from `so` into the state that the end-to-end tests start from.
    ///
    /// # Errors
    /// Where the program is missing or does not load.
    pub fn new(so: &Path) -> Result<(Self, Places)> {
        let program = fs::read(so).with_context(|| format!("{} cannot be read: run `make program`", so.display()))?;
        // Whoever is to sign does, so that a walk spends its time in the program.
        let mut vm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        vm.add_program(ID, &program).map_err(|error| anyhow!("the program does not load: {error:?}"))?;
        // Whose tokens may stand under a lien: the example of an adapter.
        let adapter = so.with_file_name("example_adapter.so");
        let adapter =
            fs::read(&adapter).with_context(|| format!("{} cannot be read: run `make programs`", adapter.display()))?;
        vm.add_program(ADAPTER_PROGRAM, &adapter).map_err(|error| anyhow!("the adapter does not load: {error:?}"))?;
        let (accounts, places) = world::genesis();
        let payer = Address::new_from_array([b'$'; 32]);
        let mut machine = Self { vm, payer, known: BTreeSet::new(), sent: 0 };
        for (address, account) in accounts {
            // Sysvars and the runtime's own accounts are the machine's.
            if !account.owner.to_string().starts_with("Sysvar") && !account.owner.to_string().starts_with("Native") {
                machine.put(address, account)?;
            }
        }
        machine.put(payer, raw::wallet())?;
        machine.known.remove(&payer);
        machine.set_now(START);
        Ok((machine, places))
    }

    /// Puts an account, whatever the runtime's rules.
    ///
    /// # Errors
    /// Where the machine refuses it.
    pub fn put(&mut self, address: Address, account: Account) -> Result<()> {
        self.known.insert(address);
        self.vm.set_account(address, account).map_err(|error| anyhow!("{address}: {error:?}"))
    }

    /// The account of type `T` at an address.
    pub fn get<T: Named>(&self, address: &Address) -> Option<T> {
        let account = self.vm.get_account(address)?;
        decode::account(address, &account.owner, &account.data).ok()
    }

    /// Unix seconds of the machine's clock.
    pub fn now(&self) -> i64 {
        self.vm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the machine's clock.
    pub fn set_now(&mut self, unix_timestamp: i64) {
        let mut clock = self.vm.get_sysvar::<Clock>();
        clock.unix_timestamp = unix_timestamp;
        clock.slot += 1;
        self.vm.set_sysvar(&clock);
    }

    /// The machine's epoch.
    pub fn epoch(&self) -> u64 {
        self.vm.get_sysvar::<Clock>().epoch
    }

    /// Sets the machine's epoch.
    pub fn set_epoch(&mut self, epoch: u64) {
        let mut clock = self.vm.get_sysvar::<Clock>();
        clock.epoch = epoch;
        self.vm.set_sysvar(&clock);
    }

    /// Sends instructions as one transaction, signed by everyone whom they name as a signer.
    pub fn send(&mut self, instructions: &[Instruction]) -> Sent {
        let limit = [&[2][..], &COMPUTE_LIMIT.to_le_bytes()].concat();
        let limit = Instruction { program_id: COMPUTE_BUDGET_PROGRAM, accounts: vec![], data: limit };
        let all: Vec<_> = [limit].into_iter().chain(instructions.iter().cloned()).collect();
        self.known.extend(instructions.iter().flat_map(|instruction| &instruction.accounts).map(|meta| meta.pubkey));
        self.sent += 1;
        let transaction = Transaction::new_unsigned(Message::new(&all, Some(&self.payer)));
        let (result, meta) = match self.vm.send_transaction(transaction) {
            Ok(meta) => (Ok(()), meta),
            Err(failed) => (Err(failed.err), failed.meta),
        };
        let events = event::from_logs(&meta.logs);
        Sent { result, events, logs: meta.logs, compute_units: meta.compute_units_consumed }
    }
}
