//! Records of liens, what a claim counts for, and how a margin account keeps it.

use bytemuck::Zeroable;
use plimsoll_interface::{
    Address, PlimsollError,
    accounts::{Adapter, MAX_BALANCES, MarginAccount},
    config::AdapterConfig,
    lien::{LienRecord, RECORD, RECORD_LEN, SEIZE, VERSION, data},
};

fn address(number: u8) -> Address {
    Address::new_from_array([number; 32])
}

fn record() -> LienRecord {
    LienRecord { version: VERSION, beneficiary: address(1), account: address(2), mint: address(3), amount: 77 }
}

fn bytes(record: &LienRecord) -> Vec<u8> {
    [RECORD.as_slice(), bytemuck::bytes_of(record)].concat()
}

#[test]
fn a_record_is_read_from_the_start_of_its_account() {
    let (program, mut data) = (address(9), bytes(&record()));
    assert_eq!(data.len(), RECORD_LEN);
    assert_eq!(LienRecord::read(&program, &program, &data), Ok(record()));
    // At any alignment, and whatever stands behind it.
    data.extend([1, 2, 3]);
    let shifted = [&[0], data.as_slice()].concat();
    assert_eq!(LienRecord::read(&program, &program, &shifted[1..]), Ok(record()));
}

#[test]
fn what_is_no_record_is_refused() {
    let (program, good) = (address(9), bytes(&record()));
    let invalid = Err(PlimsollError::LienRecordInvalid);
    assert_eq!(LienRecord::read(&program, &address(8), &good), invalid);
    assert_eq!(LienRecord::read(&program, &program, &good[..RECORD_LEN - 1]), invalid);
    assert_eq!(LienRecord::read(&program, &program, &[]), invalid);
    for byte in 0..16 {
        let mut bad = good.clone();
        bad[byte] ^= 4;
        assert_eq!(LienRecord::read(&program, &program, &bad), invalid);
    }
}

#[test]
fn a_call_is_sixteen_bytes() {
    let data = data(SEIZE, 0x0102_0304_0506_0708);
    assert_eq!(data[..8], SEIZE);
    assert_eq!(data[8..], [8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_claim_counts_less_its_haircut_rounded_down() {
    let with =
        |haircut_ppm| Adapter { config: AdapterConfig { haircut_ppm, ..AdapterConfig::zeroed() }, ..Adapter::zeroed() };
    let cases = [
        (0, u64::MAX, u64::MAX),
        (100_000, 100, 90),
        (100_000, 99, 89),
        (1, 1, 0),
        (1, 1_000_000, 999_999),
        (999_999, 1_999_999, 1),
        (1_000_000, u64::MAX, 0),
        // Never configured, and still no more than the claim.
        (u32::MAX, u64::MAX, 0),
    ];
    for (haircut_ppm, claim, expected) in cases {
        assert_eq!(with(haircut_ppm).recognised(claim), expected, "{claim} at {haircut_ppm}");
    }
}

#[test]
fn claims_and_losses_share_the_cap() {
    let adapter = |claimed, lost| Adapter {
        config: AdapterConfig { cap: 100, ..AdapterConfig::zeroed() },
        claimed,
        lost,
        ..Adapter::zeroed()
    };
    assert_eq!([adapter(0, 0), adapter(60, 30), adapter(60, 40)].map(|one| one.room()), [100, 10, 0]);
    // After the cap was lowered.
    assert_eq!([adapter(200, 0), adapter(u64::MAX, u64::MAX)].map(|one| one.room()), [0, 0]);
}

#[test]
fn a_lien_holds_its_slot_and_its_markets() {
    let mut account = MarginAccount::zeroed();
    let (bank, market) = (address(1), address(2));
    account.recognise(&bank, Some(&market), 0, 50).unwrap();
    account.recognise(&bank, Some(&market), 0, 7).unwrap();
    assert_eq!((account.balances[0].lien, account.markets[0].balances), (57, 1));
    assert_eq!(account.require_no_liens(), Err(PlimsollError::LiensFirst));
    account.recognise(&bank, Some(&market), 50, 0).unwrap();
    assert_eq!((account.balances[0].lien, account.balances[0].in_use), (7, 1));
    account.recognise(&bank, Some(&market), 7, 0).unwrap();
    assert!(account.is_empty() && account.require_no_liens().is_ok());
    // A lien that counts for nothing takes no slot, and still keeps the account.
    account.recognise(&bank, Some(&market), 0, 0).unwrap();
    account.liens = 1;
    assert!(!account.is_empty() && account.balances[0].in_use == 0);
}

#[test]
fn a_lien_wants_a_slot_and_says_what_it_was() {
    let mut account = MarginAccount::zeroed();
    for number in 0..MAX_BALANCES {
        let index = account.balance_slot_or_new(&address(u8::try_from(number).unwrap() + 1), None).unwrap();
        account.balances[index].shares = 1;
    }
    let before = account;
    assert_eq!(account.recognise(&address(99), None, 0, 1), Err(PlimsollError::TooManyBalances));
    assert_eq!(account.recognise(&address(1), None, 1, 2), Err(PlimsollError::Corrupt));
    assert!(account == before);
    account.recognise(&address(1), None, 0, u64::MAX).unwrap();
    assert_eq!(account.recognise(&address(1), None, 0, 1), Err(PlimsollError::Overflow));
}
