//! One virtual machine with the program in it, and one account that holds operands and results.

use std::env;
use std::path::{Path, PathBuf};

use litesvm::LiteSVM;
use litesvm::types::FailedTransactionMetadata;
use solana_account::Account;
use solana_address::Address;
use solana_compute_budget::compute_budget::ComputeBudget;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

const PROGRAM: Address = Address::new_from_array([7; 32]);
const OPERANDS: Address = Address::new_from_array([8; 32]);

pub struct Machine {
    svm: LiteSVM,
    payer: Keypair,
}

pub struct Run {
    pub data: Vec<u8>,
    pub compute_units: u64,
}

fn program() -> PathBuf {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy");
    let path = env::var_os("PLIMSOLL_SO_DIR").map_or(deploy, PathBuf::from).join("vm_check.so");
    assert!(path.is_file(), "{} is missing: run `make programs` first", path.display());
    path
}

impl Machine {
    pub fn new() -> Self {
        // One transaction runs an operation on tens of thousands of operand pairs.
        let mut budget = ComputeBudget::new_with_defaults(true);
        budget.compute_unit_limit = 1 << 40;
        let mut svm = LiteSVM::new()
            .with_compute_budget(budget)
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        svm.add_program_from_file(PROGRAM, program()).expect("the virtual machine accepts the program");
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 100_000_000_000).unwrap();
        Self { svm, payer }
    }

    pub fn run(&mut self, instruction: &[u8], data: &[u8]) -> Result<Run, Box<FailedTransactionMetadata>> {
        let lamports = 100_000_000_000;
        let operands = Account { lamports, data: data.to_vec(), owner: PROGRAM, ..Account::default() };
        self.svm.set_account(OPERANDS, operands).unwrap();
        let accounts = vec![AccountMeta::new(OPERANDS, false)];
        let instruction = Instruction { program_id: PROGRAM, accounts, data: instruction.to_vec() };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        let done = self.svm.send_transaction(transaction).map_err(Box::new)?;
        let data = self.svm.get_account(&OPERANDS).unwrap().data;
        Ok(Run { data, compute_units: done.compute_units_consumed })
    }
}
