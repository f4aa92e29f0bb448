//! The lookup table of an exchange: what instructions of everybody name, so that transactions of many accounts fit.

use std::collections::BTreeSet;

use plimsoll_client::{
    Address, address,
    instruction::{SYSTEM_PROGRAM, TOKEN_PROGRAM},
    transaction::{TABLE_MAX, extend_table, new_tables},
};
use solana_instruction::Instruction;

use super::{Action, Step, planner::Planner};
use crate::fields::{Field, created};

impl Planner<'_> {
    /// Makes the table, or adds what it lacks. A table is the exchange's if the admin may extend it and it holds the
    /// exchange.
    pub fn table(&mut self) {
        if !self.deployment.lookup_table {
            return;
        }
        let (admin, exchange) = (self.law.admin, self.plan.exchange);
        let tables = &self.state.tables;
        let own: Vec<_> = tables.standing.iter().filter(|(_, held)| held.contains(&exchange)).collect();
        let held: BTreeSet<&Address> = own.iter().flat_map(|(_, held)| held.iter()).collect();
        let lacking: Vec<Address> = self.shared().into_iter().filter(|address| !held.contains(address)).collect();
        if lacking.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        let field = created(vec![Field { key: "addresses".into(), value: lacking.len().to_string() }]);
        let room = |held: &[Address]| TABLE_MAX.saturating_sub(held.len()) >= lacking.len();
        if let Some((table, _)) = own.iter().find(|(_, held)| room(held)) {
            let steps = each("extend the lookup table", extend_table(**table, admin, admin, &lacking));
            self.note("the lookup table".into(), **table, Action::Change, field, steps);
            return;
        }
        // Each table begins with the exchange, by which it is found.
        let addresses: Vec<Address> = std::iter::once(exchange)
            .chain(lacking.into_iter().filter(|address| *address != exchange))
            .take(TABLE_MAX)
            .collect();
        for table in new_tables(admin, admin, tables.recent_slot, &addresses) {
            // Made and begun in one transaction: an empty one would not be found again.
            let mut rest = table.instructions.into_iter();
            let first: Vec<Instruction> = rest.by_ref().take(2).collect();
            let mut steps = vec![Step { name: "create the lookup table".into(), instructions: first }];
            steps.extend(each("extend the lookup table", rest.collect()));
            self.note("the lookup table".into(), table.address, Action::Create, field.clone(), steps);
        }
    }

    /// What instructions of everybody name once the plan is carried out: the exchange, its house, banks with vaults and
    /// mints, markets with price accounts, boards.
    fn shared(&self) -> Vec<Address> {
        let exchange = self.plan.exchange;
        let mut all = vec![exchange, address::house(&exchange), SYSTEM_PROGRAM, TOKEN_PROGRAM];
        for spec in std::iter::once(&self.deployment.quote).chain(&self.deployment.banks) {
            let bank = address::bank(&exchange, &spec.mint);
            all.extend([bank, address::vault(&bank), spec.mint, self.state.token_program(&spec.mint)]);
        }
        for market in &self.markets {
            all.push(market.address);
            if let Some(spec) = market.spec {
                all.push(spec.price_account);
                all.extend(spec.boards.iter().map(|board| address::board(&market.address, board.slot)));
            }
        }
        all.extend(self.state.banks.iter().flat_map(|(address, bank)| [*address, bank.vault, bank.mint]));
        all.extend(self.state.boards.keys());
        let mut seen = BTreeSet::new();
        all.retain(|address| seen.insert(*address));
        all
    }
}

/// A transaction for each instruction.
fn each(name: &str, instructions: Vec<Instruction>) -> Vec<Step> {
    let step = |instruction| Step { name: name.into(), instructions: vec![instruction] };
    instructions.into_iter().map(step).collect()
}
