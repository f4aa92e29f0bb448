//! Instructions as JavaScript sends them.

use plimsoll_client::{Error, instruction};
use serde::{Deserialize, Serialize};
use solana_instruction::{AccountMeta, Instruction};
use tsify::Tsify;

use crate::engine::parse;

/// An account that an instruction uses.
#[derive(Clone, Debug, Deserialize, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PackedAccount {
    /// Its address.
    pub address: String,
    /// Whether it must sign.
    pub is_signer: bool,
    /// Whether it may change.
    pub is_writable: bool,
}

impl PackedAccount {
    /// The account.
    ///
    /// # Errors
    /// [`Error::Transaction`] for an address that is none.
    pub fn unpack(&self) -> Result<AccountMeta, Error> {
        let (is_signer, is_writable) = (self.is_signer, self.is_writable);
        Ok(AccountMeta { pubkey: parse(&self.address)?, is_signer, is_writable })
    }
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
        let accounts = self.accounts.iter().map(PackedAccount::unpack).collect::<Result<_, Error>>()?;
        Ok(Instruction { program_id: parse(&self.program)?, accounts, data: self.data.clone() })
    }
}

/// Bytes as JavaScript's `Uint8Array`, also inside an enum, where they are kept before they are read.
pub(crate) mod bytes {
    use std::fmt;

    use serde::{
        Deserializer, Serializer,
        de::{Error, SeqAccess, Visitor},
    };

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = sequence.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
}
