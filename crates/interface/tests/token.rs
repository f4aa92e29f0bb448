//! The reader of mints against the token program's own, and the arithmetic of transfer fees against wide integers and the
//! token program's.

use plimsoll_interface::{
    Address, PlimsollError as E,
    token::{
        MINT_LEN, Mint, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, TransferFee, TransferFees, is_token_account, token_amount,
        transfer_fees,
    },
};
use proptest::prelude::*;
use spl_token_2022_interface::{
    extension::{
        BaseStateWithExtensionsMut, ExtensionType, PodStateWithExtensionsMut,
        confidential_mint_burn::ConfidentialMintBurn,
        confidential_transfer::ConfidentialTransferMint,
        confidential_transfer_fee::ConfidentialTransferFeeConfig,
        default_account_state::DefaultAccountState,
        group_member_pointer::GroupMemberPointer,
        group_pointer::GroupPointer,
        interest_bearing_mint::InterestBearingConfig,
        metadata_pointer::MetadataPointer,
        mint_close_authority::MintCloseAuthority,
        non_transferable::NonTransferable,
        pausable::PausableConfig,
        permanent_delegate::PermanentDelegate,
        scaled_ui_amount::ScaledUiAmountConfig,
        transfer_fee::{TransferFee as TheirFee, TransferFeeConfig},
        transfer_hook::TransferHook,
    },
    pod::{PodAccount, PodMint},
};

/// Somebody who may do what an extension allows.
const SOMEBODY: [u8; 32] = [7; 32];

/// A mint of six decimals with extensions, made by the token program's own code. `fill` sets them and answers nothing.
fn mint(types: &[ExtensionType], fill: impl FnOnce(&mut PodStateWithExtensionsMut<'_, PodMint>)) -> Vec<u8> {
    let len = ExtensionType::try_calculate_account_len::<PodMint>(types).unwrap();
    let mut data = vec![0; len];
    let mut state = PodStateWithExtensionsMut::<PodMint>::unpack_uninitialized(&mut data).unwrap();
    fill(&mut state);
    state.base.decimals = 6;
    state.base.is_initialized = true.into();
    state.init_account_type().unwrap();
    data
}

fn read(data: &[u8]) -> Result<Mint, E> {
    Mint::read(&TOKEN_2022_PROGRAM, data)
}

/// A mint with one extension, whose type and contents have one name, as it is when first made and with a change.
macro_rules! with {
    ($type:ident) => {
        with!($type, |_| {})
    };
    ($type:ident, $change:expr) => {
        mint(&[ExtensionType::$type], |state| {
            let change: fn(&mut $type) = $change;
            change(state.init_extension::<$type>(true).unwrap());
        })
    };
}

fn fee_mint(fill: fn(&mut TransferFeeConfig)) -> Vec<u8> {
    with!(TransferFeeConfig, fill)
}

fn pausable(fill: fn(&mut PausableConfig)) -> Vec<u8> {
    mint(&[ExtensionType::Pausable], |state| fill(state.init_extension::<PausableConfig>(true).unwrap()))
}

fn scaled(fill: fn(&mut ScaledUiAmountConfig)) -> Vec<u8> {
    mint(&[ExtensionType::ScaledUiAmount], |state| fill(state.init_extension::<ScaledUiAmountConfig>(true).unwrap()))
}

/// Bytes that a token account of the mint needs whose owner does not change, by the token program.
fn their_account_len(types: &[ExtensionType]) -> u16 {
    let mut wanted = ExtensionType::get_required_init_account_extensions(types);
    wanted.push(ExtensionType::ImmutableOwner);
    ExtensionType::try_calculate_account_len::<PodAccount>(&wanted).unwrap() as u16
}

#[test]
fn mints_without_extensions_are_accepted_of_either_program() {
    let mut data = vec![0; MINT_LEN];
    (data[44], data[45]) = (9, 1);
    let plain = Mint { decimals: 9, account_len: 165, fees: None };
    assert_eq!(Mint::read(&TOKEN_PROGRAM, &data), Ok(plain));
    assert_eq!(read(&data), Ok(Mint { account_len: their_account_len(&[]), ..plain }));
    for owner in [Address::default(), Address::new_from_array(SOMEBODY)] {
        assert_eq!(Mint::read(&owner, &data), Err(E::InvalidMint));
    }
    data[45] = 0;
    assert_eq!((Mint::read(&TOKEN_PROGRAM, &data), read(&data)), (Err(E::InvalidMint), Err(E::InvalidMint)));
}

#[test]
fn what_somebody_can_use_against_the_vault_is_refused() {
    let refused = [
        (with!(TransferHook, |hook| hook.authority = bytemuck::cast(SOMEBODY)), E::MintTransferHook),
        (with!(TransferHook, |hook| hook.program_id = bytemuck::cast(SOMEBODY)), E::MintTransferHook),
        (with!(PermanentDelegate, |one| one.delegate = bytemuck::cast(SOMEBODY)), E::MintPermanentDelegate),
        (with!(MintCloseAuthority, |one| one.close_authority = bytemuck::cast(SOMEBODY)), E::MintCloseAuthority),
        (with!(DefaultAccountState, |one| one.state = 2), E::MintFrozenByDefault),
        (with!(DefaultAccountState, |one| one.state = 0), E::MintFrozenByDefault),
        (with!(NonTransferable), E::MintNonTransferable),
        (with!(ConfidentialTransferMint), E::MintConfidential),
        (with!(ConfidentialTransferFeeConfig), E::MintConfidential),
        (with!(ConfidentialMintBurn), E::MintConfidential),
        (pausable(|one| one.authority = bytemuck::cast(SOMEBODY)), E::MintPausable),
        (pausable(|one| one.paused = true.into()), E::MintPausable),
        (with!(InterestBearingConfig, |one| one.rate_authority = bytemuck::cast(SOMEBODY)), E::MintScaled),
        (with!(InterestBearingConfig, |one| one.current_rate = (-1i16).into()), E::MintScaled),
        (with!(InterestBearingConfig, |one| one.pre_update_average_rate = 1i16.into()), E::MintScaled),
        (scaled(|_| {}), E::MintScaled),
        (scaled(|one| (one.multiplier, one.new_multiplier) = (1.0.into(), 2.0.into())), E::MintScaled),
        (scaled(|one| (one.multiplier, one.new_multiplier) = (2.0.into(), 1.0.into())), E::MintScaled),
        (
            scaled(|one| {
                (one.multiplier, one.new_multiplier) = (1.0.into(), 1.0.into());
                one.authority = bytemuck::cast(SOMEBODY);
            }),
            E::MintScaled,
        ),
    ];
    for (number, (data, error)) in refused.into_iter().enumerate() {
        assert_eq!(read(&data), Err(error), "case {number}");
        // The SPL Token program has no mint of such a length.
        assert_eq!(Mint::read(&TOKEN_PROGRAM, &data), Err(E::InvalidMint));
    }
}

#[test]
fn what_nobody_can_use_any_more_is_accepted_with_room_for_what_it_wants() {
    use ExtensionType as T;
    let neutral = |one: &mut ScaledUiAmountConfig| (one.multiplier, one.new_multiplier) = (1.0.into(), 1.0.into());
    let accepted: [(Vec<u8>, &[ExtensionType]); 10] = [
        (with!(TransferHook), &[T::TransferHook]),
        (with!(PermanentDelegate), &[T::PermanentDelegate]),
        (with!(MintCloseAuthority), &[T::MintCloseAuthority]),
        (with!(DefaultAccountState, |one| one.state = 1), &[T::DefaultAccountState]),
        (pausable(|_| {}), &[T::Pausable]),
        (with!(InterestBearingConfig), &[T::InterestBearingConfig]),
        (scaled(neutral), &[T::ScaledUiAmount]),
        (with!(MetadataPointer, |one| one.authority = bytemuck::cast(SOMEBODY)), &[T::MetadataPointer]),
        (with!(GroupPointer, |one| one.authority = bytemuck::cast(SOMEBODY)), &[T::GroupPointer]),
        (with!(GroupMemberPointer, |one| one.authority = bytemuck::cast(SOMEBODY)), &[T::GroupMemberPointer]),
    ];
    for (data, types) in accepted {
        let mint = read(&data).unwrap_or_else(|error| panic!("{types:?}: {error:?}"));
        assert_eq!((mint.decimals, mint.fees), (6, None), "{types:?}");
        assert_eq!(mint.account_len, their_account_len(types), "{types:?}");
        assert_eq!((transfer_fees(&TOKEN_2022_PROGRAM, &data), mint.require_quote()), (Ok(None), Ok(())));
    }
}

#[test]
fn fees_are_found_behind_other_extensions() {
    let types = [ExtensionType::MetadataPointer, ExtensionType::TransferHook, ExtensionType::TransferFeeConfig];
    let data = mint(&types, |state| {
        state.init_extension::<MetadataPointer>(true).unwrap();
        state.init_extension::<TransferHook>(true).unwrap();
        let config = state.init_extension::<TransferFeeConfig>(true).unwrap();
        config.transfer_fee_config_authority = bytemuck::cast(SOMEBODY);
        config.withheld_amount = 99.into();
        config.older_transfer_fee = their_fee(3, 30, 300);
        config.newer_transfer_fee = their_fee(5, 50, 500);
    });
    let (older, newer) = (TransferFee { bps: 30, maximum: 300 }, TransferFee { bps: 50, maximum: 500 });
    let fees = TransferFees { older, newer, newer_from_epoch: 5, is_changeable: true };
    assert_eq!(read(&data), Ok(Mint { decimals: 6, account_len: their_account_len(&types), fees: Some(fees) }));
    assert_eq!(transfer_fees(&TOKEN_2022_PROGRAM, &data), Ok(Some(fees)));
    assert_eq!((fees.at(4), fees.at(5)), (older, newer));
}

fn their_fee(epoch: u64, bps: u16, maximum: u64) -> TheirFee {
    TheirFee { epoch: epoch.into(), maximum_fee: maximum.into(), transfer_fee_basis_points: bps.into() }
}

/// What an issuer has announced counts from the announcement on; what is over does not.
#[test]
fn the_cap_is_on_the_fee_of_now_and_on_the_one_to_come() {
    let fees = |older, newer| {
        let fee = |bps| TransferFee { bps, maximum: u64::MAX };
        TransferFees { older: fee(older), newer: fee(newer), newer_from_epoch: 5, is_changeable: true }
    };
    assert_eq!((fees(100, 100).require_allowed(4), fees(100, 100).require_allowed(5)), (Ok(()), Ok(())));
    assert_eq!(fees(101, 0).require_allowed(4), Err(E::TransferFeeTooHigh));
    assert_eq!(fees(101, 0).require_allowed(5), Ok(()));
    assert_eq!(fees(0, 101).require_allowed(4), Err(E::TransferFeeTooHigh));
    assert_eq!(fees(0, 101).require_allowed(5), Err(E::TransferFeeTooHigh));
}

#[test]
fn a_quote_mint_charges_nothing_for_ever() {
    let quote = |fill| read(&fee_mint(fill)).unwrap().require_quote();
    assert_eq!(quote(|_| {}), Ok(()));
    assert_eq!(
        quote(|config| config.transfer_fee_config_authority = bytemuck::cast(SOMEBODY)),
        Err(E::QuoteTransferFee)
    );
    assert_eq!(quote(|config| config.older_transfer_fee = their_fee(0, 1, 0)), Err(E::QuoteTransferFee));
    assert_eq!(quote(|config| config.newer_transfer_fee = their_fee(9, 1, 0)), Err(E::QuoteTransferFee));
}

#[test]
fn bytes_that_contradict_themselves_are_no_mint() {
    let good = with!(TransferFeeConfig);
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut data = good.clone();
        change(&mut data);
        (read(&data), transfer_fees(&TOKEN_2022_PROGRAM, &data))
    };
    let broken: [fn(&mut Vec<u8>); 8] = [
        // A token account, nothing, cut in what says what it is, in a length, in a value; a length beyond the end and
        // below what the extension has; a multisig's length.
        |data| data[165] = 2,
        |data| data[165] = 0,
        |data| data.truncate(165),
        |data| data.truncate(169),
        |data| data.truncate(200),
        |data| data[168] += 1,
        |data| data[168] = 40,
        |data| data.resize(355, 0),
    ];
    for (number, change) in broken.into_iter().enumerate() {
        let (mint, fees) = changed(change);
        assert_eq!((mint, fees.err()), (Err(E::InvalidMint), Some(E::InvalidMint)), "case {number}");
    }
    // Where a type would not fit, or is zero, the extensions end.
    for end in [1, 2, 50] {
        let mut data = good.clone();
        data.resize(good.len() + end, 0);
        assert_eq!(read(&data), read(&good));
    }
}

#[test]
fn extensions_of_token_accounts_and_of_a_later_day_are_refused() {
    let known = [1, 3, 4, 6, 9, 10, 12, 14, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26];
    for kind in (1..200).chain([u16::MAX]).filter(|kind| !known.contains(kind)) {
        let mut data = with!(TransferFeeConfig);
        data.extend([kind.to_le_bytes(), 0u16.to_le_bytes()].concat());
        assert_eq!(read(&data), Err(E::MintUnknownExtension), "{kind}");
        // A bank that has the mint already still pays out.
        assert!(transfer_fees(&TOKEN_2022_PROGRAM, &data).is_ok());
    }
}

#[test]
fn token_accounts_are_told_from_everything_else() {
    let mut data = vec![0; 165];
    data[64..72].copy_from_slice(&123_456_789u64.to_le_bytes());
    assert_eq!((is_token_account(&data), token_amount(&data)), (true, Some(123_456_789)));
    data.push(2);
    assert!(is_token_account(&data));
    data[165] = 1;
    assert!(!is_token_account(&data));
    data.resize(355, 0);
    data[165] = 2;
    assert!(!is_token_account(&data), "a multisig");
    assert!(!is_token_account(&data[..164]) && !is_token_account(&[]));
    assert_eq!(token_amount(&[0; 71]), None);
}

fn amounts() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..100_000u64, (0..64u32).prop_map(|bits| 1 << bits), Just(u64::MAX)]
}

fn fees() -> impl Strategy<Value = TransferFee> {
    (prop_oneof![0..=10_000u16, 0..=3u16, 9_997..=10_000u16], amounts())
        .prop_map(|(bps, maximum)| TransferFee { bps, maximum })
}

/// The same on paper: divided as it stands, 128 bits wide, and rounded up by looking at the remainder.
fn on_paper(fee: TransferFee, sent: u64) -> u64 {
    let scaled = u128::from(sent) * u128::from(fee.bps);
    let (whole, rest) = (scaled / 10_000, scaled % 10_000);
    (whole + u128::from(rest > 0)).min(u128::from(fee.maximum)) as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_fee_is_what_the_token_program_withholds(fee in fees(), sent in amounts(), epochs in any::<(u64, u64)>()) {
        let theirs = their_fee(0, fee.bps, fee.maximum).calculate_fee(sent).unwrap();
        prop_assert_eq!(fee.of(sent), Ok(theirs));
        prop_assert_eq!(on_paper(fee, sent), theirs);
        prop_assert_eq!(fee.received(sent), Ok(sent - theirs));
        // In the epoch's fee of the two.
        let other = TransferFee { bps: 10_000 - fee.bps, maximum: fee.maximum / 2 };
        let fees = TransferFees { older: other, newer: fee, newer_from_epoch: epochs.0, is_changeable: false };
        let theirs = TransferFeeConfig {
            older_transfer_fee: their_fee(0, other.bps, other.maximum),
            newer_transfer_fee: their_fee(epochs.0, fee.bps, fee.maximum),
            ..TransferFeeConfig::default()
        };
        for epoch in [epochs.1, epochs.0, epochs.0.saturating_sub(1), epochs.0.saturating_add(1)] {
            prop_assert_eq!(fees.at(epoch).of(sent).ok(), theirs.calculate_epoch_fee(epoch, sent));
        }
    }

    /// It is enough, and one unit less is not.
    #[test]
    fn what_must_be_sent_is_the_least_that_is_enough(fee in fees(), wanted in amounts()) {
        match fee.to_send(wanted) {
            Ok(sent) => {
                prop_assert!(fee.received(sent).unwrap() >= wanted);
                prop_assert!(sent == 0 || fee.received(sent - 1).unwrap() < wanted);
            }
            Err(_) => prop_assert!(fee.received(u64::MAX).unwrap() < wanted),
        }
    }
}

#[test]
fn more_than_everything_is_never_withheld() {
    let fee = TransferFee { bps: 10_001, maximum: u64::MAX };
    assert_eq!((fee.of(1), fee.received(1), fee.to_send(1)), (Err(E::Overflow), Err(E::Overflow), Err(E::Overflow)));
}
