//! Instructions of the example of an adapter, `programs/example-adapter`.

use plimsoll_client::instruction::TOKEN_PROGRAM;
use plimsoll_interface::{Address, address};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};

use crate::{
    chain::ADAPTER_PROGRAM,
    raw,
    world::{Asset, Trader},
};

/// Bytes of a position.
const POSITION_LEN: usize = 200;

/// What owns all vaults, and its bump.
pub fn custodian() -> (Address, u8) {
    Address::find_program_address(&[b"custodian"], &ADAPTER_PROGRAM)
}

/// Where the tests put the vault of a position.
pub fn vault(position: &Address) -> Address {
    Address::new_from_array(position.to_bytes().map(|byte| byte ^ 128))
}

/// The adapter of an asset's bank.
pub fn adapter(asset: &Asset) -> Address {
    address::adapter(&asset.bank, &ADAPTER_PROGRAM)
}

/// Any instruction: addresses, whether each signs, whether each is written.
pub fn instruction(data: &[u8], accounts: &[(Address, bool, bool)]) -> Instruction {
    let meta = |(pubkey, is_signer, is_writable): &(Address, bool, bool)| AccountMeta {
        pubkey: *pubkey,
        is_signer: *is_signer,
        is_writable: *is_writable,
    };
    Instruction { program_id: ADAPTER_PROGRAM, accounts: accounts.iter().map(meta).collect(), data: data.to_vec() }
}

fn with_amount(tag: u8, amount: u64) -> Vec<u8> {
    [&[tag], amount.to_le_bytes().as_slice()].concat()
}

/// An empty position and its empty vault, as their owner's wallet would make them.
pub fn accounts(asset: &Asset, position: Address) -> [(Address, Account); 2] {
    [
        (position, raw::account(ADAPTER_PROGRAM, vec![0; POSITION_LEN])),
        (vault(&position), raw::token_account(&asset.mint, &custodian().0, 0)),
    ]
}

/// Opens a position of `trader` and puts `amount` into it.
pub fn open(trader: &Trader, asset: &Asset, position: Address, amount: u64) -> [Instruction; 2] {
    let (owner, vault) = (trader.owner, vault(&position));
    let accounts = [
        (owner, true, false),
        (position, false, true),
        (vault, false, true),
        (asset.tokens_of(&owner), false, true),
        (TOKEN_PROGRAM, false, false),
    ];
    [
        instruction(&[0, custodian().1], &[(owner, true, false), (position, false, true), (vault, false, false)]),
        instruction(&with_amount(1, amount), &accounts),
    ]
}

/// Takes tokens out.
pub fn take(trader: &Trader, asset: &Asset, position: Address, amount: u64) -> Instruction {
    let accounts = [
        (trader.owner, true, false),
        (position, false, true),
        (vault(&position), false, true),
        (asset.tokens_of(&trader.owner), false, true),
        (custodian().0, false, false),
        (TOKEN_PROGRAM, false, false),
    ];
    instruction(&with_amount(2, amount), &accounts)
}

/// Locks tokens for the trader's margin account.
pub fn lock(trader: &Trader, asset: &Asset, position: Address, amount: u64) -> Instruction {
    let beneficiary = address::lien_authority(&adapter(asset));
    let accounts = [
        (trader.owner, true, false),
        (position, false, true),
        (trader.account, false, false),
        (beneficiary, false, false),
    ];
    instruction(&with_amount(3, amount), &accounts)
}

/// What the program wants besides, to pay out.
pub fn for_seizing(position: &Address) -> Vec<AccountMeta> {
    vec![AccountMeta::new(vault(position), false), AccountMeta::new_readonly(custodian().0, false)]
}
