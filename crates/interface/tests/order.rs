//! The bytes of a signed order, and the one form of verification that is read.

use plimsoll_interface::{
    Address, ID, PlimsollError,
    instruction::{Contract, StrikePrice, instrument},
    order::{ED25519_PROGRAM, MAKER_ONLY, ORDER_PREFIX, Order, REDUCE_ONLY, signed_order, verification},
};

fn order() -> Order {
    let address = |byte| Address::new_from_array([byte; 32]);
    Order {
        exchange: address(1),
        account: address(2),
        market: address(3),
        venue: address(4),
        size: -5,
        limit_price: 6,
        nonce: 7,
        expires_at: 8,
        instrument: instrument::PERP,
        flags: REDUCE_ONLY | MAKER_ONLY,
        contract: Contract::NONE,
    }
}

/// The sysvar of a transaction of these instructions: programs, numbers of accounts, data.
fn sysvar(instructions: &[(Address, usize, Vec<u8>)]) -> Vec<u8> {
    let mut body: Vec<u8> = Vec::new();
    let mut bytes = (instructions.len() as u16).to_le_bytes().to_vec();
    for (program, accounts, data) in instructions {
        let at = 2 + 2 * instructions.len() + body.len();
        bytes.extend((at as u16).to_le_bytes());
        body.extend((*accounts as u16).to_le_bytes());
        body.extend(vec![9; 33 * accounts]);
        body.extend(program.as_array());
        body.extend((data.len() as u16).to_le_bytes());
        body.extend(data);
    }
    bytes.extend(body);
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn fields_stand_where_the_page_says() {
    let bytes = order().to_bytes();
    assert_eq!(bytes[..16], ORDER_PREFIX);
    assert_eq!(bytes[16..48], *ID.as_array());
    for (field, byte) in [(48, 1), (80, 2), (112, 3), (144, 4)] {
        assert_eq!(bytes[field..field + 32], [byte; 32]);
    }
    assert_eq!(bytes[176..184], (-5i64).to_le_bytes());
    for (field, byte) in [(184, 6), (192, 7), (200, 8)] {
        assert_eq!(bytes[field..field + 8], [byte, 0, 0, 0, 0, 0, 0, 0]);
    }
    assert_eq!(bytes[208..], [0, 3, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Order::from_bytes(&bytes), Ok(order()));
}

#[test]
fn what_is_no_order_is_refused() {
    let bytes = order().to_bytes();
    for at in (0..48).chain([209, 210, 215]) {
        let mut changed = bytes;
        changed[at] ^= 0x80;
        assert_eq!(Order::from_bytes(&changed), Err(PlimsollError::OrderMalformed), "byte {at}");
    }
    assert_eq!(Order::from_bytes(&bytes[..215]), Err(PlimsollError::OrderMalformed));
    assert_eq!(Order::from_bytes(&[&bytes[..], &[0]].concat()), Err(PlimsollError::OrderMalformed));
}

/// A put of 31 December 2026 at 0.00123: day 20,818, 123 times ten to the -5th.
#[test]
fn an_options_terms_stand_behind_the_flags() {
    let strike = StrikePrice { digits: 123, exponent: -5 };
    let contract = Contract { expiry_day: 20_818, strike };
    let put = Order { instrument: instrument::PUT, contract, ..order() };
    let bytes = put.to_bytes();
    assert_eq!(bytes[208..], [2, 3, 0x52, 0x51, 123, 0, 251, 0]);
    assert_eq!(Order::from_bytes(&bytes), Ok(put));
    assert_eq!(contract.expiry(), 1_798_704_000);
    assert_eq!(Contract::day_of(1_798_704_000), Some(20_818));
    for expiry in [1_798_704_001, 1_798_700_400, -57_600, i64::MIN, 65_536 * 86_400 + 28_800] {
        assert_eq!(Contract::day_of(expiry), None);
    }
    for instrument in [instrument::PERP, instrument::SPOT, 4, 255] {
        let other = Order { instrument, ..put };
        assert_eq!(Order::from_bytes(&other.to_bytes()), Err(PlimsollError::OrderMalformed), "{instrument}");
    }
}

#[test]
fn exactly_one_form_of_verification_is_read() {
    let (signer, other) = (Address::new_from_array([9; 32]), Address::new_from_array([8; 32]));
    let data = verification(&signer, &[7; 64], &order()).to_vec();
    let all = sysvar(&[(other, 3, vec![1, 2]), (ED25519_PROGRAM, 0, data.clone())]);
    assert_eq!(signed_order(&all, 1), Ok((signer, order())));
    for index in [0, 2, 255] {
        assert_eq!(signed_order(&all, index), Err(PlimsollError::OrderSignatureMissing), "{index}");
    }
    // Whatever byte of the head differs: another count, another place, another instruction.
    for at in 0..16 {
        let mut changed = data.clone();
        changed[at] ^= 1;
        let all = sysvar(&[(ED25519_PROGRAM, 0, changed)]);
        assert_eq!(signed_order(&all, 0), Err(PlimsollError::OrderSignatureMalformed), "byte {at}");
    }
    for data in [vec![], data[..data.len() - 1].to_vec(), [&data[..], &[0]].concat()] {
        let all = sysvar(&[(ED25519_PROGRAM, 0, data)]);
        assert_eq!(signed_order(&all, 0), Err(PlimsollError::OrderSignatureMalformed));
    }
}

#[test]
fn a_sysvar_that_is_cut_off_is_no_panic() {
    let data = verification(&Address::default(), &[7; 64], &order()).to_vec();
    let all = sysvar(&[(ED25519_PROGRAM, 2, data)]);
    for length in 0..all.len() - 2 {
        assert_eq!(signed_order(&all[..length], 0), Err(PlimsollError::OrderSignatureMissing), "{length}");
    }
}
