//! How many compute units a transaction may want: an upper bound by the measured table, which is what a sender asks for.
//!
//! The bound of one of our instructions is linear in the portfolio that it reads: a base, and so much for each balance,
//! position, board and option. `build.rs` fits it to `docs/compute.json`, so that no figure there is above, and
//! [`MARGIN_PERCENT`] is added for what the table does not have: an address search of another length, an event's bytes.
//! A simulation ([`crate::rpc`]) tells what a transaction wants now; this tells without asking anybody.

use plimsoll_interface::{Address, ID, accounts::MarginAccount, order::ED25519_PROGRAM};
use solana_instruction::Instruction;

use crate::instruction::{
    ASSOCIATED_TOKEN_PROGRAM, COMPUTE_BUDGET_PROGRAM, LOOKUP_TABLE_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM, name,
};

/// What a transaction may ask for at most.
pub const LIMIT_MAX: u32 = 1_400_000;
/// What is added to each measured bound, per cent.
pub const MARGIN_PERCENT: u64 = 15;
/// The same in units, for the smallest instructions.
pub const MARGIN_UNITS: u64 = 300;
/// What an instruction of an unknown program is taken to want: the runtime's own default.
pub const UNKNOWN_PROGRAM: u64 = 200_000;

/// Measured bounds of one instruction.
struct Measured {
    name: &'static str,
    base: u64,
    /// What the first board adds besides its options.
    first_board: u64,
    /// What each balance, position, further board and option adds.
    slopes: [u64; 4],
}

include!(concat!(env!("OUT_DIR"), "/measured.rs"));

/// How large the portfolios are that an instruction reads. Of two accounts, the larger number of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortfolioSize {
    /// Balances in use.
    pub balances: u64,
    /// Markets in use that price no balance: those of positions and options alone.
    pub markets: u64,
    /// Boards in use.
    pub boards: u64,
    /// Option positions.
    pub options: u64,
}

impl PortfolioSize {
    /// The largest that an account may have.
    pub const MAX: Self = Self {
        balances: plimsoll_interface::accounts::MAX_BALANCES as u64,
        markets: plimsoll_interface::accounts::MAX_MARKETS as u64,
        boards: plimsoll_interface::accounts::MAX_BOARDS as u64,
        options: plimsoll_interface::accounts::MAX_OPTIONS as u64,
    };

    /// That of one account, with room for what a trade may add: one of each.
    pub fn of(account: &MarginAccount) -> Self {
        let count = |used: usize, most: u64| (used as u64).saturating_add(1).min(most);
        let balances = account.balances.iter().filter(|slot| slot.in_use == 1).count();
        let markets = account.markets.iter().filter(|slot| slot.in_use == 1 && slot.balances == 0).count();
        let boards = account.boards.iter().filter(|slot| slot.in_use == 1).count();
        let options = account.options.iter().filter(|slot| slot.lots != 0).count();
        let has_options = options > 0;
        Self {
            balances: count(balances, Self::MAX.balances),
            markets: count(markets, Self::MAX.markets),
            boards: if has_options { count(boards, Self::MAX.boards) } else { 0 },
            options: if has_options { count(options, Self::MAX.options) } else { 0 },
        }
    }

    /// With room for an account that instructions read as well.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            balances: self.balances.max(other.balances),
            markets: self.markets.max(other.markets),
            boards: self.boards.max(other.boards),
            options: self.options.max(other.options),
        }
    }
}

/// An upper bound of what the instructions consume as one transaction, to be asked for as its limit: at most [`LIMIT_MAX`].
/// `size` is the larger portfolio that any of them reads, [`PortfolioSize::MAX`] where it is not known.
pub fn limit(instructions: &[Instruction], size: &PortfolioSize) -> u32 {
    let sum = instructions.iter().fold(0u64, |sum, one| sum.saturating_add(bound(one, size)));
    u32::try_from(sum).unwrap_or(u32::MAX).min(LIMIT_MAX)
}

/// An upper bound of what one instruction consumes.
pub fn bound(instruction: &Instruction, size: &PortfolioSize) -> u64 {
    if instruction.program_id != ID {
        return foreign(&instruction.program_id);
    }
    let Some(name) = name(&instruction.data) else { return UNKNOWN_PROGRAM };
    // A price account at most for each market: among the accounts passed they cannot be told from others.
    let prices = size.markets.saturating_add(size.balances).min(instruction.accounts.len() as u64 / 2);
    with_margin(measured(name, size).unwrap_or(UNKNOWN_PROGRAM).saturating_add(prices.saturating_mul(PRICE_ACCOUNT)))
}

/// The table's bound of an instruction of a name, without price accounts.
fn measured(name: &str, size: &PortfolioSize) -> Option<u64> {
    // `begin_liquidation` and `end_liquidation` were measured together.
    let name = if name == "end_liquidation" { "begin_liquidation" } else { name };
    let Measured { base, first_board, slopes, .. } = MEASURED.iter().find(|measured| measured.name == name)?;
    let counts = [size.balances, size.markets, size.boards.saturating_sub(1), size.options];
    let base = base.saturating_add(if size.boards > 0 { *first_board } else { 0 });
    Some(slopes.iter().zip(counts).fold(base, |sum, (slope, count)| sum.saturating_add(slope.saturating_mul(count))))
}

fn with_margin(units: u64) -> u64 {
    units.saturating_add(units.saturating_mul(MARGIN_PERCENT) / 100).saturating_add(MARGIN_UNITS)
}

/// What an instruction of another program wants: those that go with ours, generously.
fn foreign(program: &Address) -> u64 {
    match *program {
        COMPUTE_BUDGET_PROGRAM | SYSTEM_PROGRAM => 300,
        // Precompiles are no programs and consume nothing of the limit.
        ED25519_PROGRAM => 0,
        // A transfer of either, the older token program's and with a fee.
        TOKEN_PROGRAM => 8_000,
        TOKEN_2022_PROGRAM => 16_000,
        // The search of the address takes 1,500 for each bump that it tries.
        ASSOCIATED_TOKEN_PROGRAM => 50_000,
        LOOKUP_TABLE_PROGRAM => 12_000,
        _ => UNKNOWN_PROGRAM,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_interface::instruction::tag;

    use super::*;

    #[test]
    fn no_figure_of_the_table_is_above_its_bound() {
        assert!(FIGURES.len() > 250, "the table is {} figures long", FIGURES.len());
        for (name, [balances, markets, boards, options], prices, cost) in FIGURES {
            let size = PortfolioSize { balances: *balances, markets: *markets, boards: *boards, options: *options };
            let bound = measured(name, &size).unwrap() + prices * PRICE_ACCOUNT;
            assert!(bound >= *cost, "{name} {size:?}: {bound} < {cost}");
            // Of one size there may be several figures: it is held to the largest.
            let same = FIGURES
                .iter()
                .filter(|figure| figure.0 == *name && figure.1 == [*balances, *markets, *boards, *options]);
            let most = same.map(|figure| figure.3).max().unwrap();
            // It settles one board's options, however large the rest is.
            if *name == "settle_option" {
                continue;
            }
            assert!(bound <= 2 * most + 10_000, "{name} {size:?}: {bound} is far above {most}");
        }
    }

    #[test]
    fn every_instruction_has_a_figure() {
        for tag in 0..=u8::MAX {
            if let Some(name) = name(&[tag]) {
                assert!(measured(name, &PortfolioSize::MAX).is_some(), "{name} is not in the table");
            }
        }
    }

    #[test]
    fn the_largest_portfolio_fits_a_transaction() {
        let liquidate = Instruction { program_id: ID, accounts: vec![], data: vec![tag::LIQUIDATE] };
        let units = limit(&[liquidate], &PortfolioSize::MAX);
        assert!((149_494..LIMIT_MAX / 2).contains(&units), "{units}");
        let unknown = Instruction { program_id: Address::new_unique(), accounts: vec![], data: vec![] };
        assert_eq!(limit(&vec![unknown; 8], &PortfolioSize::default()), LIMIT_MAX);
    }
}
