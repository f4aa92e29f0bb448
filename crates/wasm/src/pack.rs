//! Instructions as JavaScript sends them.

use plimsoll_client::{Error, instruction};
use serde::{Deserialize, Serialize};
use solana_instruction::{AccountMeta, Instruction};
use tsify::Tsify;

use crate::engine::parse;

/// An account that an instruction uses.
#[derive(Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PackedAccount {
    /// Its address.
    pub address: String,
    /// Whether it must sign.
    pub is_signer: bool,
    /// Whether it may change.
    pub is_writable: bool,
}

/// An instruction with all its accounts in order.
#[derive(Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PackedInstruction {
    /// What it is called, for people: `open_position`; `another program` where it is none of Plimsoll's.
    pub name: String,
    /// The program that carries it out.
    pub program: String,
    /// Its accounts.
    pub accounts: Vec<PackedAccount>,
    /// Its data.
    #[serde(with = "bytes")]
    #[tsify(type = "Uint8Array")]
    pub data: Vec<u8>,
}

impl From<Instruction> for PackedInstruction {
    fn from(instruction: Instruction) -> Self {
        let accounts = instruction.accounts.iter().map(|meta| PackedAccount {
            address: meta.pubkey.to_string(),
            is_signer: meta.is_signer,
            is_writable: meta.is_writable,
        });
        Self {
            name: match instruction.program_id == plimsoll_client::ID {
                true => instruction::name(&instruction.data).unwrap_or("unknown").into(),
                false => "another program".into(),
            },
            program: instruction.program_id.to_string(),
            accounts: accounts.collect(),
            data: instruction.data,
        }
    }
}

impl PackedInstruction {
    /// The instruction.
    ///
    /// # Errors
    /// [`Error::Transaction`] for an address that is none.
    pub fn unpack(&self) -> Result<Instruction, Error> {
        let meta = |account: &PackedAccount| {
            let (pubkey, is_signer, is_writable) = (parse(&account.address)?, account.is_signer, account.is_writable);
            Ok(AccountMeta { pubkey, is_signer, is_writable })
        };
        let accounts = self.accounts.iter().map(meta).collect::<Result<_, Error>>()?;
        Ok(Instruction { program_id: parse(&self.program)?, accounts, data: self.data.clone() })
    }
}

mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Vec::deserialize(deserializer)
    }
}
