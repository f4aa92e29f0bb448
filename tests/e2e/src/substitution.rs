//! Every account of an instruction replaced by a wrong one.
//!
//! A [`Table`] holds one valid instruction and, for each of its accounts, what it is replaced by and the exact error that
//! must follow. [`Table::run`] holds the table to be complete: every account has another address, every signer is asked
//! for without its signature, every writable account is passed read-only. It ends with the untouched instruction, which
//! must succeed: so nothing but the substitution made the others fail.

use plimsoll_interface::Address;
use solana_instruction::{AccountMeta, Instruction};

use crate::chain::{Chain, Expected};

/// What is wrong with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// It is another account.
    Address(Address),
    /// It does not sign.
    Unsigned,
    /// It is passed read-only.
    ReadOnly,
    /// It is the account at another index too.
    Same(usize),
}

struct Case {
    index: usize,
    name: String,
    wrong: Wrong,
    expected: Expected,
}

/// One instruction and its substitutions.
pub struct Table {
    instruction: Instruction,
    cases: Vec<Case>,
    /// What precedes and what follows it in the same transaction.
    around: (Vec<Instruction>, Vec<Instruction>),
    /// The transaction that is to succeed, where it is not the instruction alone.
    whole: Option<Vec<Instruction>>,
    /// Writable accounts that may just as well be passed read-only, and why.
    harmless: Vec<(usize, &'static str)>,
}

impl Table {
    /// A table without cases.
    pub fn new(instruction: Instruction) -> Self {
        Self { instruction, cases: Vec::new(), around: (Vec::new(), Vec::new()), whole: None, harmless: Vec::new() }
    }

    /// The same in a transaction with others before and behind it, and the transaction that is to succeed at the end. What
    /// one instruction of a transaction signs or writes, all of them do: what stands around a case should do neither.
    #[must_use]
    pub fn between(self, before: Vec<Instruction>, behind: Vec<Instruction>, whole: Vec<Instruction>) -> Self {
        Self { around: (before, behind), whole: Some(whole), ..self }
    }

    fn transaction(&self, instruction: Instruction) -> Vec<Instruction> {
        let (before, behind) = &self.around;
        before.iter().cloned().chain([instruction]).chain(behind.iter().cloned()).collect()
    }

    fn case(mut self, index: usize, name: String, wrong: Wrong, expected: Expected) -> Self {
        self.cases.push(Case { index, name, wrong, expected });
        self
    }

    /// Account `index` is `address`, which is `what`.
    pub fn other(self, index: usize, what: &str, address: Address, expected: impl Into<Expected>) -> Self {
        self.case(index, format!("account {index} is {what}"), Wrong::Address(address), expected.into())
    }

    /// Account `index` does not sign.
    pub fn unsigned(self, index: usize, expected: impl Into<Expected>) -> Self {
        self.case(index, format!("account {index} does not sign"), Wrong::Unsigned, expected.into())
    }

    /// Account `index` is read-only.
    pub fn read_only(self, index: usize, expected: impl Into<Expected>) -> Self {
        self.case(index, format!("account {index} is read-only"), Wrong::ReadOnly, expected.into())
    }

    /// Account `index` is the one at `of` once more.
    pub fn same(self, index: usize, of: usize, expected: impl Into<Expected>) -> Self {
        self.case(index, format!("account {index} is that at {of}"), Wrong::Same(of), expected.into())
    }

    /// Account `index` may be passed read-only.
    pub fn may_be_read_only(mut self, index: usize, reason: &'static str) -> Self {
        self.harmless.push((index, reason));
        self
    }

    /// What is missing in the table.
    pub fn gaps(&self) -> Vec<String> {
        let has = |index: usize, is: &dyn Fn(&Wrong) -> bool| {
            self.cases.iter().any(|case| case.index == index && is(&case.wrong))
        };
        let mut gaps = Vec::new();
        for (index, meta) in self.instruction.accounts.iter().enumerate() {
            if !has(index, &|wrong| matches!(wrong, Wrong::Address(_))) {
                gaps.push(format!("account {index} is never replaced"));
            }
            if meta.is_signer && !has(index, &|wrong| *wrong == Wrong::Unsigned) {
                gaps.push(format!("account {index} always signs"));
            }
            let harmless = self.harmless.iter().any(|(harmless, _)| *harmless == index);
            if meta.is_writable && !harmless && !has(index, &|wrong| *wrong == Wrong::ReadOnly) {
                gaps.push(format!("account {index} is always writable"));
            }
        }
        gaps
    }

    /// Runs every case, then the instruction as it is. Gives the number of cases.
    #[track_caller]
    pub fn run(&self, chain: &mut Chain) -> usize {
        assert_eq!(self.gaps(), Vec::<String>::new());
        let mut surprises = Vec::new();
        for case in &self.cases {
            let sent = self.transaction(self.changed(case));
            if let Err(what) = chain.try_refuse_at(&sent, self.around.0.len(), &case.expected) {
                surprises.push(format!("{}: {}", case.name, what.lines().next().unwrap_or_default()));
            }
        }
        assert!(surprises.is_empty(), "{}", surprises.join("\n"));
        chain.ok_all(self.whole.as_deref().unwrap_or(std::slice::from_ref(&self.instruction)));
        self.cases.len()
    }

    /// Address of an account, and whether it is writable.
    pub fn account(&self, index: usize) -> (Address, bool) {
        (self.instruction.accounts[index].pubkey, self.instruction.accounts[index].is_writable)
    }

    /// Which instruction it is: its tag.
    pub fn tag(&self) -> u8 {
        self.instruction.data[0]
    }

    fn changed(&self, case: &Case) -> Instruction {
        let mut changed = self.instruction.clone();
        let of = match case.wrong {
            Wrong::Same(of) => changed.accounts[of].pubkey,
            _ => Address::default(),
        };
        let meta: &mut AccountMeta = &mut changed.accounts[case.index];
        match case.wrong {
            Wrong::Address(address) => meta.pubkey = address,
            Wrong::Unsigned => meta.is_signer = false,
            Wrong::ReadOnly => meta.is_writable = false,
            Wrong::Same(_) => meta.pubkey = of,
        }
        changed
    }
}
