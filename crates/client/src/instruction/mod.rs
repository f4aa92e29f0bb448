//! Instruction builders: one struct per instruction, one module per noun. A struct names everything that is the caller's
//! to choose; what follows from it (addresses of banks, vaults and the house, the system and token programs) is derived.
//!
//! Amounts are native units of a mint, sizes base units of a market. What stands behind the declared accounts goes into a
//! field `remaining`, which [`crate::remaining`] packs; [`crate::Snapshot`] does both at once.

use borsh::BorshSerialize;
use plimsoll_interface::{Address, ID, instruction::tag};
use solana_instruction::{AccountMeta, Instruction};

pub mod account;
pub mod bank;
pub mod board;
pub mod collateral;
pub mod controls;
pub mod exchange;
pub mod house;
pub mod lien;
pub mod liquidation;
pub mod market;
pub mod option;
pub mod trade;
pub mod trigger;
pub mod venue;
pub mod waterfall;

pub use plimsoll_interface::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};

/// The associated token account program.
pub const ASSOCIATED_TOKEN_PROGRAM: Address = Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// The compute budget program.
pub const COMPUTE_BUDGET_PROGRAM: Address = Address::from_str_const("ComputeBudget111111111111111111111111111111");
/// The address lookup table program.
pub const LOOKUP_TABLE_PROGRAM: Address = Address::from_str_const("AddressLookupTab1e1111111111111111111111111");
/// The instructions sysvar: the transaction, as its instructions see it.
pub const INSTRUCTIONS_SYSVAR: Address = Address::from_str_const("Sysvar1nstructions1111111111111111111111111");
/// The system program.
pub const SYSTEM_PROGRAM: Address = Address::from_str_const("11111111111111111111111111111111");

/// The associated token account of a wallet, of a mint of the SPL Token program.
pub fn associated_token_account(owner: &Address, mint: &Address) -> Address {
    associated_token_account_of(owner, mint, &TOKEN_PROGRAM)
}

/// The associated token account of a wallet, of a mint of either token program.
pub fn associated_token_account_of(owner: &Address, mint: &Address, token_program: &Address) -> Address {
    let seeds = [owner.as_ref(), token_program.as_ref(), mint.as_ref()];
    Address::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM).0
}

/// Makes the associated token account of a wallet, unless there is one.
pub fn create_token_account(payer: &Address, owner: &Address, mint: &Address) -> Instruction {
    let accounts = vec![
        meta(*payer, Use::SignWrite),
        meta(associated_token_account(owner, mint), Use::Write),
        meta(*owner, Use::Read),
        meta(*mint, Use::Read),
        meta(SYSTEM_PROGRAM, Use::Read),
        meta(TOKEN_PROGRAM, Use::Read),
    ];
    Instruction { program_id: ASSOCIATED_TOKEN_PROGRAM, accounts, data: vec![1] }
}

/// The name of an instruction of the program, by its data.
pub fn name(data: &[u8]) -> Option<&'static str> {
    Some(match *data.first()? {
        tag::CREATE_EXCHANGE => "create_exchange",
        tag::CONFIGURE_EXCHANGE => "configure_exchange",
        tag::CREATE_MARKET => "create_market",
        tag::CONFIGURE_MARKET => "configure_market",
        tag::CREATE_BANK => "create_bank",
        tag::CONFIGURE_BANK => "configure_bank",
        tag::CREATE_HOUSE => "create_house",
        tag::CREATE_ACCOUNT => "create_account",
        tag::SET_DELEGATE => "set_delegate",
        tag::CLOSE_ACCOUNT => "close_account",
        tag::DEPOSIT => "deposit",
        tag::WITHDRAW => "withdraw",
        tag::OPEN_POSITION => "open_position",
        tag::CLOSE_POSITION => "close_position",
        tag::OBSERVE => "observe",
        tag::ACCRUE => "accrue",
        tag::SETTLE => "settle",
        tag::FLAG_LIQUIDATION => "flag_liquidation",
        tag::LIQUIDATE => "liquidate",
        tag::NOMINATE_ADMIN => "nominate_admin",
        tag::ACCEPT_ADMIN => "accept_admin",
        tag::SET_ROLE => "set_role",
        tag::PROPOSE => "propose",
        tag::CANCEL_PROPOSAL => "cancel_proposal",
        tag::SET_PAUSES => "set_pauses",
        tag::WIND_DOWN_POSITION => "wind_down_position",
        tag::RETIRE_MARKET => "retire_market",
        tag::RETIRE_BANK => "retire_bank",
        tag::OBSERVE_QUOTE => "observe_quote",
        tag::ASSERT_HEALTH => "assert_health",
        tag::ASSERT_SEQUENCE => "assert_sequence",
        tag::ASSERT_PRICE => "assert_price",
        tag::SET_QUOTE_FEED => "set_quote_feed",
        tag::CREATE_BOARD => "create_board",
        tag::LIST_STRIKES => "list_strikes",
        tag::POST_VOLATILITIES => "post_volatilities",
        tag::REFRESH_BOARD => "refresh_board",
        tag::SAMPLE_EXPIRY => "sample_expiry",
        tag::SETTLE_BOARD => "settle_board",
        tag::CLOSE_BOARD => "close_board",
        tag::OPEN_OPTION => "open_option",
        tag::CLOSE_OPTION => "close_option",
        tag::SETTLE_OPTION => "settle_option",
        tag::POST_FORECAST => "post_forecast",
        tag::ACCRUE_FUNDING => "accrue_funding",
        tag::FUND_INSURANCE => "fund_insurance",
        tag::BUY_RESERVE => "buy_reserve",
        tag::RESOLVE => "resolve",
        tag::DELEVERAGE => "deleverage",
        tag::BEGIN_LIQUIDATION => "begin_liquidation",
        tag::END_LIQUIDATION => "end_liquidation",
        tag::PLACE_TRIGGER => "place_trigger",
        tag::CANCEL_TRIGGER => "cancel_trigger",
        tag::EXECUTE_TRIGGER => "execute_trigger",
        tag::FILL => "fill",
        tag::FILL_ORDERS => "fill_orders",
        tag::REGISTER_VENUE => "register_venue",
        tag::SET_VENUE_APPROVAL => "set_venue_approval",
        tag::VENUE_FILL => "venue_fill",
        tag::CREATE_ORDERS => "create_orders",
        tag::CANCEL_ORDERS => "cancel_orders",
        tag::CONFIGURE_VENUE => "configure_venue",
        tag::VALUE_HOUSE => "value_house",
        tag::REQUEST_PROVIDE => "request_provide",
        tag::REQUEST_REDEEM => "request_redeem",
        tag::EXECUTE_TICKET => "execute_ticket",
        tag::CANCEL_TICKET => "cancel_ticket",
        tag::CLAIM_TICKET => "claim_ticket",
        tag::UPDATE_RATE => "update_rate",
        tag::SET_RATE_SOURCE => "set_rate_source",
        tag::SWAP => "swap",
        tag::REGISTER_ADAPTER => "register_adapter",
        tag::CONFIGURE_ADAPTER => "configure_adapter",
        tag::OPEN_LIEN => "open_lien",
        tag::UPDATE_LIEN => "update_lien",
        tag::RELEASE_LIEN => "release_lien",
        tag::SEIZE_LIEN => "seize_lien",
        tag::UPGRADE_ACCOUNT => "upgrade_account",
        _ => return None,
    })
}

/// How an instruction uses an account.
#[derive(Clone, Copy)]
enum Use {
    Read,
    Write,
    Sign,
    SignWrite,
}

fn meta(address: Address, how: Use) -> AccountMeta {
    match how {
        Use::Read => AccountMeta::new_readonly(address, false),
        Use::Write => AccountMeta::new(address, false),
        Use::Sign => AccountMeta::new_readonly(address, true),
        Use::SignWrite => AccountMeta::new(address, true),
    }
}

/// One instruction of the program: tag byte, borsh of the arguments, the declared accounts, what stands behind them.
fn build<A: BorshSerialize, const N: usize>(
    tag: u8,
    args: &A,
    declared: [(Address, Use); N],
    remaining: &[AccountMeta],
) -> Instruction {
    let mut data = vec![tag];
    // Writing plain numbers to memory: the only way to fail is an allocation, which aborts by itself.
    let written = args.serialize(&mut data);
    debug_assert!(written.is_ok());
    let accounts = declared.into_iter().map(|(address, how)| meta(address, how)).chain(remaining.iter().cloned());
    Instruction { program_id: ID, accounts: accounts.collect(), data }
}

#[cfg(test)]
mod tests {
    use plimsoll_interface::{address, instruction::AmountArgs};

    use super::*;

    #[test]
    fn the_token_programs_are_where_everybody_knows_them() {
        assert_eq!(TOKEN_PROGRAM, Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"));
        assert_eq!(TOKEN_2022_PROGRAM, Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"));
    }

    #[test]
    fn data_is_the_tag_and_the_arguments() {
        let (authority, exchange, mint) = (Address::new_unique(), Address::new_unique(), Address::new_unique());
        let account = address::margin_account(&exchange, &authority, 0);
        let (source, token_program) = (Address::new_unique(), TOKEN_2022_PROGRAM);
        let deposit = account::Deposit { authority, exchange, account, mint, token_program, source, amount: 258 };
        let built = deposit.instruction();
        assert_eq!(built.data, [tag::DEPOSIT, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(borsh::from_slice::<AmountArgs>(&built.data[1..]).unwrap(), AmountArgs { amount: 258 });
        let bank = address::bank(&exchange, &mint);
        assert_eq!(built.accounts[3], AccountMeta::new(bank, false));
        assert_eq!(built.accounts[4], AccountMeta::new(address::vault(&bank), false));
        assert_eq!(built.accounts[7], AccountMeta::new_readonly(TOKEN_2022_PROGRAM, false));
    }

    #[test]
    fn only_who_must_sign_signs() {
        let (owner, exchange) = (Address::new_unique(), Address::new_unique());
        let built = account::Create { payer: owner, owner, exchange, index: 3 }.instruction();
        let signers: Vec<_> = built.accounts.iter().filter(|meta| meta.is_signer).map(|meta| meta.pubkey).collect();
        assert_eq!(signers, [owner, owner]);
        assert_eq!((name(&built.data), name(&[99]), name(&[])), (Some("create_account"), None, None));
        let crank = market::Observe { market: Address::new_unique(), oracle: Address::new_unique() }.instruction();
        assert!(crank.accounts.iter().all(|meta| !meta.is_signer));
    }
}
