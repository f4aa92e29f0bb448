//! Instructions as JavaScript sends them.

use plimsoll_client::instruction;
use serde::Serialize;
use solana_instruction::Instruction;
use tsify::Tsify;

/// An account that an instruction uses.
#[derive(Serialize, Tsify)]
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
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PackedInstruction {
    /// What it is called, for people: `open_position`; `another program` where it is none of Plimsoll's.
    pub name: &'static str,
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
                true => instruction::name(&instruction.data).unwrap_or("unknown"),
                false => "another program",
            },
            program: instruction.program_id.to_string(),
            accounts: accounts.collect(),
            data: instruction.data,
        }
    }
}

mod bytes {
    use serde::Serializer;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }
}
