//! Typed accounts from what a cluster says about an address: its owner and its bytes.

use std::borrow::Cow;

use plimsoll_interface::{
    Address, ID,
    accounts::{
        AccountType, Adapter, Bank, Board, DISCRIMINATOR_LEN, Exchange, House, Lien, MarginAccount, Market, Orders,
        Proposal, Ticket, Venue,
    },
    upgrade::Step,
};

use crate::Error;

/// A decoded account and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed<T> {
    /// Its address.
    pub address: Address,
    /// What is in it.
    pub data: T,
}

/// Any account of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyAccount {
    /// The root of one deployment.
    Exchange(Box<Exchange>),
    /// One underlying.
    Market(Box<Market>),
    /// One collateral mint.
    Bank(Box<Bank>),
    /// The liquidity providers' pool.
    House(Box<House>),
    /// Somebody who wants to join the house or to leave it.
    Ticket(Box<Ticket>),
    /// One option expiry.
    Board(Box<Board>),
    /// A change that waits out the timelock.
    Proposal(Box<Proposal>),
    /// One portfolio.
    MarginAccount(Box<MarginAccount>),
    /// What a margin account's signed orders have filled.
    Orders(Box<Orders>),
    /// A program that may fill between accounts.
    Venue(Box<Venue>),
    /// A program that keeps tokens under liens.
    Adapter(Box<Adapter>),
    /// A margin account's lien on tokens that an adapter keeps.
    Lien(Box<Lien>),
}

/// The name of an account type, for messages.
pub trait Named: AccountType {
    /// Its name in prose.
    const NAME: &'static str;
}

macro_rules! named {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(impl Named for $name { const NAME: &'static str = $text; })*

        /// The account in `data`, whatever type its discriminator says.
        ///
        /// # Errors
        /// [`Error::NotOurs`] for another owner, [`Error::Outdated`], [`Error::UnknownAccountType`].
        pub fn any(address: &Address, owner: &Address, data: &[u8]) -> Result<AnyAccount, Error> {
            check_owner(address, owner)?;
            $(if let Some(account) = read::<$name>(data) {
                return Ok(AnyAccount::$name(Box::new(account)));
            })*
            match Step::of(data) {
                Ok(_) => Err(Error::Outdated { address: *address }),
                Err(_) => Err(Error::UnknownAccountType { address: *address }),
            }
        }
    };
}
named!(
    Exchange = "exchange",
    Market = "market",
    Bank = "bank",
    House = "house",
    Ticket = "ticket",
    Board = "board",
    MarginAccount = "margin account",
    Proposal = "proposal",
    Orders = "orders",
    Venue = "venue",
    Adapter = "adapter",
    Lien = "lien",
);

/// The account of type `T` in `data`.
///
/// # Errors
/// [`Error::NotOurs`] for another owner, [`Error::Outdated`] for an earlier layout of the type, [`Error::WrongAccountType`]
/// where size or discriminator are another's.
pub fn account<T: Named>(address: &Address, owner: &Address, data: &[u8]) -> Result<T, Error> {
    check_owner(address, owner)?;
    read(data).ok_or_else(|| match Step::of(data) {
        Ok(step) if step.discriminator == T::DISCRIMINATOR => Error::Outdated { address: *address },
        _ => Error::WrongAccountType { address: *address, expected: T::NAME },
    })
}

/// As [`AccountType::read`], and for bytes that stand anywhere in memory: those that come over a network are not aligned.
fn read<T: AccountType>(data: &[u8]) -> Option<T> {
    let (discriminator, body) = data.split_at_checked(DISCRIMINATOR_LEN)?;
    (discriminator == T::DISCRIMINATOR).then(|| bytemuck::try_pod_read_unaligned(body).ok())?
}

fn check_owner(address: &Address, owner: &Address) -> Result<(), Error> {
    if *owner == ID { Ok(()) } else { Err(Error::NotOurs { address: *address, owner: *owner }) }
}

/// The bytes of an account as `upgrade_account` leaves them, for one of an earlier layout; of any other those that it has.
///
/// The margin of an account that is still to be upgraded is so known before it is; every instruction but the upgrade refuses it.
pub fn upgraded(data: &[u8]) -> Cow<'_, [u8]> {
    let mut bytes = Cow::Borrowed(data);
    while let Ok(step) = Step::of(&bytes) {
        let mut next = bytes.to_vec();
        next.resize(step.to_space, 0);
        if step.apply(&mut next).is_err() {
            break;
        }
        bytes = Cow::Owned(next);
    }
    bytes
}

/// A market's symbol, without the zeros that fill it up.
pub fn symbol(market: &Market) -> String {
    String::from_utf8_lossy(&market.symbol).trim_end_matches('\0').into()
}

/// The bytes of an account as they stand on chain: for tests, and for putting an account on a local chain.
pub fn encode<T: AccountType>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR.as_slice(), bytemuck::bytes_of(account)].concat()
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn reads_back_what_was_written_at_any_alignment() {
        let bank = Bank { decimals: 9, deposit_index: 7, ..Bank::zeroed() };
        let address = Address::new_unique();
        let mut shifted = vec![0];
        shifted.extend(encode(&bank));
        assert_eq!(account::<Bank>(&address, &ID, &shifted[1..]), Ok(bank));
        assert_eq!(any(&address, &ID, &encode(&bank)), Ok(AnyAccount::Bank(Box::new(bank))));
    }

    #[test]
    fn refuses_another_owner() {
        let (address, owner) = (Address::new_unique(), Address::new_unique());
        let data = encode(&House::zeroed());
        assert_eq!(account::<House>(&address, &owner, &data), Err(Error::NotOurs { address, owner }));
        assert_eq!(any(&address, &owner, &data), Err(Error::NotOurs { address, owner }));
    }

    #[test]
    fn refuses_another_type_and_another_size() {
        let address = Address::new_unique();
        let data = encode(&House::zeroed());
        let expected = Error::WrongAccountType { address, expected: "bank" };
        assert_eq!(account::<Bank>(&address, &ID, &data), Err(expected.clone()));
        let short = &encode(&Bank::zeroed())[..100];
        assert_eq!(account::<Bank>(&address, &ID, short), Err(expected));
        assert_eq!(any(&address, &ID, short), Err(Error::UnknownAccountType { address }));
        assert_eq!(any(&address, &ID, &[]), Err(Error::UnknownAccountType { address }));
    }
}
