//! Seeds of every program-derived address, and off-chain the addresses themselves.

/// `["exchange", creator, index u16 LE]`
pub const EXCHANGE: &[u8] = b"exchange";
/// `["market", exchange, index u16 LE]`
pub const MARKET: &[u8] = b"market";
/// `["bank", exchange, mint]`
pub const BANK: &[u8] = b"bank";
/// `["vault", bank]`
pub const VAULT: &[u8] = b"vault";
/// `["house", exchange]`
pub const HOUSE: &[u8] = b"house";
/// `["margin", exchange, owner, index u16 LE]`
pub const MARGIN: &[u8] = b"margin";
/// `["board", market, slot u8]`
pub const BOARD: &[u8] = b"board";

/// Address derivation, off-chain.
#[cfg(feature = "client")]
mod derive {
    use solana_address::Address;

    use super::*;
    use crate::ID;

    fn derive(seeds: &[&[u8]]) -> Address {
        Address::find_program_address(seeds, &ID).0
    }

    /// Address of a creator's exchange.
    pub fn exchange(creator: &Address, index: u16) -> Address {
        derive(&[EXCHANGE, creator.as_ref(), &index.to_le_bytes()])
    }

    /// Address of an exchange's market.
    pub fn market(exchange: &Address, index: u16) -> Address {
        derive(&[MARKET, exchange.as_ref(), &index.to_le_bytes()])
    }

    /// Address of a mint's bank.
    pub fn bank(exchange: &Address, mint: &Address) -> Address {
        derive(&[BANK, exchange.as_ref(), mint.as_ref()])
    }

    /// Address of a bank's vault.
    pub fn vault(bank: &Address) -> Address {
        derive(&[VAULT, bank.as_ref()])
    }

    /// Address of an exchange's house.
    pub fn house(exchange: &Address) -> Address {
        derive(&[HOUSE, exchange.as_ref()])
    }

    /// Address of an owner's margin account.
    pub fn margin_account(exchange: &Address, owner: &Address, index: u16) -> Address {
        derive(&[MARGIN, exchange.as_ref(), owner.as_ref(), &index.to_le_bytes()])
    }

    /// Address of a market's board.
    pub fn board(market: &Address, slot: u8) -> Address {
        derive(&[BOARD, market.as_ref(), &[slot]])
    }
}
#[cfg(feature = "client")]
pub use derive::*;
