//! Messages of every format, and lookup tables for what an exchange's instructions name.
//!
//! | format | bytes | accounts | compute limit and fee |
//! |---|---:|---|---|
//! | legacy | 1,232 | by address | instructions of the compute budget program |
//! | v0 | 1,232 | by address, or by index into a lookup table | the same |
//! | v1 | 4,096 | by address, 64 at most | in the header |
//!
//! Each locks at most 64 accounts.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_interface::{Address, address};
use solana_address_lookup_table_interface::{instruction as table, state::AddressLookupTable};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_message::{AddressLookupTableAccount, Message, VersionedMessage, v0, v1};

use crate::{
    Error, Snapshot,
    instruction::{COMPUTE_BUDGET_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, associated_token_account_of},
};

/// Accounts that a transaction may lock.
pub const LOCKS_MAX: usize = 64;
/// Bytes of a legacy or v0 transaction.
pub const BYTES_MAX: usize = 1_232;
/// Bytes of a v1 transaction.
pub const BYTES_V1_MAX: usize = v1::MAX_TRANSACTION_SIZE;
/// Addresses of one lookup table.
pub const TABLE_MAX: usize = 256;
/// Addresses that one instruction adds to a table, so that it fits a transaction with the table's creation.
pub const TABLE_STEP: usize = 24;
/// Account data that a v1 transaction may load: what the other formats may if they do not say.
const LOADED_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// How a transaction is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The first of the others that fits: legacy, v0 where a lookup table has some of the accounts, v1.
    #[default]
    Smallest,
    /// The oldest one, which every wallet signs.
    Legacy,
    /// With lookup tables.
    V0,
    /// 4,096 bytes.
    V1,
}

/// What a message is made of.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Who pays.
    pub payer: Address,
    /// What is to be done, in order.
    pub instructions: &'a [Instruction],
    /// Compute units that it may consume, as [`crate::budget::limit`] or a simulation says; `None` for the runtime's default.
    /// A v1 message always has a limit: the most there is where none is given.
    pub compute_unit_limit: Option<u32>,
    /// What is paid for each unit of that limit, millionths of a lamport.
    pub micro_lamports_per_unit: u64,
    /// Lookup tables that may be used.
    pub tables: &'a [AddressLookupTableAccount],
    /// How it is written.
    pub format: Format,
}

impl Plan<'_> {
    /// The message, in the format asked for or the first that fits.
    ///
    /// # Errors
    /// [`Error::TooLarge`] says what does not fit: too many accounts for any format, or too many bytes for those asked for.
    pub fn message(&self, blockhash: Hash) -> Result<VersionedMessage, Error> {
        match self.format {
            Format::Legacy => self.fitting(self.legacy(blockhash)),
            Format::V0 => self.fitting(self.v0(blockhash)?),
            Format::V1 => self.fitting(self.v1(blockhash)?),
            Format::Smallest => {
                if let Ok(message) = self.fitting(self.legacy(blockhash)) {
                    return Ok(message);
                }
                if !self.tables.is_empty()
                    && let Ok(message) = self.fitting(self.v0(blockhash)?)
                {
                    return Ok(message);
                }
                self.fitting(self.v1(blockhash)?)
            }
        }
    }

    /// The message, if its transaction fits.
    fn fitting(&self, message: VersionedMessage) -> Result<VersionedMessage, Error> {
        let (name, most) = match &message {
            VersionedMessage::Legacy(_) => ("legacy", BYTES_MAX),
            VersionedMessage::V0(_) => ("v0", BYTES_MAX),
            VersionedMessage::V1(_) => ("v1", BYTES_V1_MAX),
        };
        // A v1 message says its limit and fee in the header, and names no compute budget program.
        let locks = self.locks() + usize::from(name != "v1" && !self.budget().is_empty());
        if locks > LOCKS_MAX {
            let text = format!("the transaction names {locks} accounts, and one may lock no more than {LOCKS_MAX}");
            return Err(Error::TooLarge(format!("{text}: send it as several")));
        }
        let len = transaction_len(&message);
        if len > most {
            let text = format!("the transaction is {len} bytes long, and a {name} one may have no more than {most}");
            return Err(Error::TooLarge(format!("{text}: send it as several, or with a lookup table")));
        }
        Ok(message)
    }

    /// Accounts that the instructions lock, the payer and their programs among them.
    pub fn locks(&self) -> usize {
        let mut named: BTreeSet<Address> = BTreeSet::from([self.payer]);
        for instruction in self.instructions {
            named.insert(instruction.program_id);
            named.extend(instruction.accounts.iter().map(|meta| meta.pubkey));
        }
        named.len()
    }

    /// What the transaction pays above its signatures, lamports.
    pub fn priority_fee(&self) -> u64 {
        let units = u128::from(self.compute_unit_limit.unwrap_or(crate::budget::LIMIT_MAX));
        let micro = units.saturating_mul(u128::from(self.micro_lamports_per_unit));
        u64::try_from(micro.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The compute budget program's instructions.
    fn budget(&self) -> Vec<Instruction> {
        let mut instructions: Vec<Instruction> = self.compute_unit_limit.map(compute_unit_limit).into_iter().collect();
        if self.micro_lamports_per_unit > 0 {
            instructions.push(compute_unit_price(self.micro_lamports_per_unit));
        }
        instructions
    }

    fn with_budget(&self) -> Vec<Instruction> {
        let mut all = self.budget();
        all.extend_from_slice(self.instructions);
        all
    }

    fn legacy(&self, blockhash: Hash) -> VersionedMessage {
        VersionedMessage::Legacy(Message::new_with_blockhash(&self.with_budget(), Some(&self.payer), &blockhash))
    }

    fn v0(&self, blockhash: Hash) -> Result<VersionedMessage, Error> {
        let message = v0::Message::try_compile(&self.payer, &self.with_budget(), self.tables, blockhash);
        message.map(VersionedMessage::V0).map_err(|error| Error::TooLarge(format!("no v0 message: {error}")))
    }

    fn v1(&self, blockhash: Hash) -> Result<VersionedMessage, Error> {
        let mut config = v1::TransactionConfig::empty()
            .with_compute_unit_limit(self.compute_unit_limit.unwrap_or(crate::budget::LIMIT_MAX))
            .with_loaded_accounts_data_size_limit(LOADED_BYTES_MAX);
        if self.micro_lamports_per_unit > 0 {
            config = config.with_priority_fee(self.priority_fee());
        }
        let message = v1::Message::try_compile_with_config(&self.payer, self.instructions, blockhash, config);
        message.map(VersionedMessage::V1).map_err(|error| Error::TooLarge(format!("no v1 message: {error}")))
    }
}

/// Bytes of the signed transaction of a message.
pub fn transaction_len(message: &VersionedMessage) -> usize {
    let signatures = usize::from(message.header().num_required_signatures);
    // A v1 transaction counts its signatures in the header alone; fewer than 128 are counted in one byte.
    let count = usize::from(!matches!(message, VersionedMessage::V1(_)));
    message.serialize().len().saturating_add(signatures.saturating_mul(64)).saturating_add(count)
}

/// Sets what a transaction may consume.
pub fn compute_unit_limit(units: u32) -> Instruction {
    budget_instruction([&[2][..], &units.to_le_bytes()].concat())
}

/// Sets what a transaction pays for each unit that it may consume, millionths of a lamport.
pub fn compute_unit_price(micro_lamports: u64) -> Instruction {
    budget_instruction([&[3][..], &micro_lamports.to_le_bytes()].concat())
}

fn budget_instruction(data: Vec<u8>) -> Instruction {
    Instruction { program_id: COMPUTE_BUDGET_PROGRAM, accounts: Vec::new(), data }
}

/// A lookup table that is to be made.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// Its address.
    pub address: Address,
    /// What it will hold, in order.
    pub addresses: Vec<Address>,
    /// The instructions that make it, each to be sent in a transaction of its own, in order. It may be used from the slot after
    /// the last one on.
    pub instructions: Vec<Instruction>,
}

/// Lookup tables that hold `addresses`: as many as there must be. `recent_slot` is one of the last 512 that had a block, and
/// names the first table; the others are named by the slots before.
pub fn new_tables(authority: Address, payer: Address, recent_slot: u64, addresses: &[Address]) -> Vec<NewTable> {
    let slots = (0..=recent_slot).rev();
    let new = |(addresses, slot): (&[Address], u64)| {
        let (create, address) = table::create_lookup_table(authority, payer, slot);
        let mut instructions = vec![create];
        instructions.extend(extend_table(address, authority, payer, addresses));
        NewTable { address, addresses: addresses.to_vec(), instructions }
    };
    addresses.chunks(TABLE_MAX).zip(slots).map(new).collect()
}

/// Adds addresses to a lookup table, in steps that fit a transaction each.
pub fn extend_table(address: Address, authority: Address, payer: Address, addresses: &[Address]) -> Vec<Instruction> {
    let step = |new: &[Address]| table::extend_lookup_table(address, authority, Some(payer), new.to_vec());
    addresses.chunks(TABLE_STEP).map(step).collect()
}

/// The lookup table in an account's bytes.
///
/// # Errors
/// [`Error::WrongAccountType`].
pub fn decode_table(address: &Address, data: &[u8]) -> Result<AddressLookupTableAccount, Error> {
    let wrong = Error::WrongAccountType { address: *address, expected: "lookup table" };
    let table = AddressLookupTable::deserialize(data).map_err(|_| wrong)?;
    Ok(AddressLookupTableAccount { key: *address, addresses: table.addresses.to_vec() })
}

/// What a table should hold.
impl Snapshot {
    /// Every account that instructions of this exchange share: itself, its house, banks with vaults and mints, markets, boards
    /// and price accounts. What is a user's own, margin and token accounts, is not among them.
    pub fn shared_addresses(&self) -> Vec<Address> {
        let exchange = self.exchange.address;
        let mut all = vec![exchange, address::house(&exchange), SYSTEM_PROGRAM, TOKEN_PROGRAM];
        for (bank, data) in &self.banks {
            all.extend([*bank, data.vault, data.mint, data.token_program]);
        }
        all.extend(self.markets.keys());
        all.extend(self.prices.values().map(|price| price.address));
        all.extend(self.boards.keys());
        let mut seen = BTreeSet::new();
        all.retain(|address| seen.insert(*address));
        all
    }

    /// The token accounts that a wallet's deposits come from and its withdrawals go to, by mint.
    pub fn token_accounts(&self, wallet: &Address) -> BTreeMap<Address, Address> {
        let of = |(mint, program): (Address, Address)| (mint, associated_token_account_of(wallet, &mint, &program));
        self.banks.values().map(|bank| of((bank.mint, bank.token_program))).collect()
    }
}

/// What instructions name, each account once, as the strongest that any asks for.
pub fn accounts_of(instructions: &[Instruction]) -> Vec<AccountMeta> {
    let mut named: BTreeMap<Address, AccountMeta> = BTreeMap::new();
    for meta in instructions.iter().flat_map(|instruction| &instruction.accounts) {
        let entry = named.entry(meta.pubkey).or_insert_with(|| AccountMeta::new_readonly(meta.pubkey, false));
        entry.is_signer |= meta.is_signer;
        entry.is_writable |= meta.is_writable;
    }
    named.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(accounts: usize) -> Instruction {
        let accounts = (0..accounts).map(|_| AccountMeta::new(Address::new_unique(), false)).collect();
        Instruction { program_id: Address::new_unique(), accounts, data: vec![7; 20] }
    }

    fn plan<'a>(instructions: &'a [Instruction], tables: &'a [AddressLookupTableAccount]) -> Plan<'a> {
        Plan {
            payer: Address::new_from_array([9; 32]),
            instructions,
            compute_unit_limit: Some(100_000),
            micro_lamports_per_unit: 25_000,
            tables,
            format: Format::Smallest,
        }
    }

    #[test]
    fn the_smallest_format_that_fits_is_taken() {
        let few = [naming(20)];
        assert!(matches!(plan(&few, &[]).message(Hash::default()), Ok(VersionedMessage::Legacy(_))));
        let many = [naming(50)];
        let message = plan(&many, &[]).message(Hash::default()).unwrap();
        assert!(matches!(message, VersionedMessage::V1(_)));
        let addresses = many[0].accounts.iter().map(|meta| meta.pubkey).collect();
        let table = [AddressLookupTableAccount { key: Address::new_unique(), addresses }];
        let message = plan(&many, &table).message(Hash::default()).unwrap();
        assert!(matches!(&message, VersionedMessage::V0(message) if message.account_keys.len() == 3));
        assert!(transaction_len(&message) < 400);
    }

    #[test]
    fn what_fits_none_is_told_why() {
        let error = plan(&[naming(64)], &[]).message(Hash::default()).unwrap_err().to_string();
        assert_eq!(error, "the transaction names 66 accounts, and one may lock no more than 64: send it as several");
        let long = [Instruction { data: vec![0; 1_300], ..naming(1) }];
        let legacy = Plan { format: Format::Legacy, ..plan(&long, &[]) };
        let error = legacy.message(Hash::default()).unwrap_err().to_string();
        assert!(error.contains("and a legacy one may have no more than 1232"), "{error}");
        let longer = [Instruction { data: vec![0; 5_000], ..naming(1) }];
        let error = plan(&longer, &[]).message(Hash::default()).unwrap_err().to_string();
        assert!(error.contains("and a v1 one may have no more than 4096"), "{error}");
    }

    #[test]
    fn the_limit_and_the_fee_are_said_once_in_either_place() {
        let one = [naming(1)];
        let VersionedMessage::Legacy(legacy) = plan(&one, &[]).message(Hash::default()).unwrap() else { panic!() };
        assert_eq!(legacy.instructions.len(), 3);
        assert_eq!(legacy.instructions[0].data, [2, 0xa0, 0x86, 1, 0]);
        assert_eq!(legacy.instructions[1].data, [3, 0xa8, 0x61, 0, 0, 0, 0, 0, 0]);
        let v1 = Plan { format: Format::V1, ..plan(&one, &[]) };
        let VersionedMessage::V1(message) = v1.message(Hash::default()).unwrap() else { panic!() };
        assert_eq!(message.instructions.len(), 1);
        assert_eq!(message.config.compute_unit_limit, Some(100_000));
        assert_eq!(message.config.priority_fee, Some(2_500));
    }

    #[test]
    fn a_table_is_made_in_steps_that_fit() {
        let addresses: Vec<Address> = (0..300).map(|_| Address::new_unique()).collect();
        let (authority, payer) = (Address::new_unique(), Address::new_unique());
        let tables = new_tables(authority, payer, 1_000, &addresses);
        assert_eq!(tables.iter().map(|table| table.addresses.len()).collect::<Vec<_>>(), [256, 44]);
        assert_ne!(tables[0].address, tables[1].address);
        for instruction in tables.iter().flat_map(|table| &table.instructions) {
            let plan = Plan { payer, ..plan(std::slice::from_ref(instruction), &[]) };
            assert!(matches!(plan.message(Hash::default()), Ok(VersionedMessage::Legacy(_))));
        }
        assert!(decode_table(&payer, &[1, 2, 3]).is_err());
    }
}
