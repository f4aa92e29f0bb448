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
/// `["shares", house]`: the mint of the house's shares.
pub const SHARES: &[u8] = b"shares";
/// `["escrow", house]`: the token account that holds the shares of tickets.
pub const ESCROW: &[u8] = b"escrow";
/// `["ticket", house, owner, index u16 LE]`
pub const TICKET: &[u8] = b"ticket";
/// `["margin", exchange, owner, index u16 LE]`
pub const MARGIN: &[u8] = b"margin";
/// `["board", market, slot u8]`
pub const BOARD: &[u8] = b"board";
/// `["orders", margin account]`
pub const ORDERS: &[u8] = b"orders";
/// `["venue", exchange, venue program]`
pub const VENUE: &[u8] = b"venue";
/// `["plimsoll-venue"]` of the venue program: what signs its calls.
pub const VENUE_SIGNER: &[u8] = b"plimsoll-venue";

/// `["adapter", bank, adapter program]`
pub const ADAPTER: &[u8] = b"adapter";
/// `["lien-authority", adapter]`: what signs to the adapter's program.
pub const LIEN_AUTHORITY: &[u8] = b"lien-authority";
/// `["lien", adapter's record]`
pub const LIEN: &[u8] = b"lien";

/// `["proposal", subject]`, the subject being an exchange, a market, a bank, a venue or an adapter
pub const PROPOSAL: &[u8] = b"proposal";

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

    /// Address of the mint of a house's shares.
    pub fn share_mint(house: &Address) -> Address {
        derive(&[SHARES, house.as_ref()])
    }

    /// Address of the token account that holds the shares of a house's tickets.
    pub fn escrow(house: &Address) -> Address {
        derive(&[ESCROW, house.as_ref()])
    }

    /// Address of an owner's ticket.
    pub fn ticket(house: &Address, owner: &Address, index: u16) -> Address {
        derive(&[TICKET, house.as_ref(), owner.as_ref(), &index.to_le_bytes()])
    }

    /// Address of the proposal to change an exchange, a market or a bank.
    pub fn proposal(subject: &Address) -> Address {
        derive(&[PROPOSAL, subject.as_ref()])
    }

    /// Address of an owner's margin account.
    pub fn margin_account(exchange: &Address, owner: &Address, index: u16) -> Address {
        derive(&[MARGIN, exchange.as_ref(), owner.as_ref(), &index.to_le_bytes()])
    }

    /// Address of a market's board.
    pub fn board(market: &Address, slot: u8) -> Address {
        derive(&[BOARD, market.as_ref(), &[slot]])
    }

    /// Address of what a margin account's signed orders have filled.
    pub fn orders(account: &Address) -> Address {
        derive(&[ORDERS, account.as_ref()])
    }

    /// Address of a venue of an exchange.
    pub fn venue(exchange: &Address, program: &Address) -> Address {
        derive(&[VENUE, exchange.as_ref(), program.as_ref()])
    }

    /// Address of the adapter of a bank's tokens at a program.
    pub fn adapter(bank: &Address, program: &Address) -> Address {
        derive(&[ADAPTER, bank.as_ref(), program.as_ref()])
    }

    /// What signs to an adapter's program.
    pub fn lien_authority(adapter: &Address) -> Address {
        derive(&[LIEN_AUTHORITY, adapter.as_ref()])
    }

    /// Address of the lien that an adapter's record is of.
    pub fn lien(record: &Address) -> Address {
        derive(&[LIEN, record.as_ref()])
    }

    /// What signs a venue program's calls.
    pub fn venue_signer(program: &Address) -> Address {
        Address::find_program_address(&[VENUE_SIGNER], program).0
    }
}
#[cfg(feature = "client")]
pub use derive::*;
