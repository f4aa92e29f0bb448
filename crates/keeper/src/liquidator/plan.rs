//! What to take over, how much of it, and what that is expected to bring.

use plimsoll_client::{
    Address, Error, Keyed, Snapshot,
    accounts::MarginAccount,
    address,
    interface::instruction::LiquidateArgs,
    price::PriceAccount,
    risk::{
        liquidation,
        portfolio::Margin,
        units::{Fraction, Ppm, Seconds},
    },
    snapshot::Resolution,
};
use solana_instruction::{AccountMeta, Instruction};

use super::{takeover, unwind};
use crate::{
    config::{Policy, Unwind},
    live::State,
    sender::Work,
};

/// Lamports of a signature.
const SIGNATURE_LAMPORTS: f64 = 5_000.0;
/// Compute units that a liquidation is reckoned at for its fee.
const COMPUTE_UNITS: f64 = 200_000.0;
/// Part of the largest fraction that is asked for, as prices move until the transaction lands, Q32 of 0.97.
const CAUTION: u64 = 4_166_118_277;
/// Enough to buy back whatever was taken over, quote native.
const PLENTY: i64 = 1 << 50;
/// Below this part of what could be taken over, the own margin counts as none: 1/16.
const HARDLY: u64 = 16;

/// How an account is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By the taker's own margin.
    Margin,
    /// In one transaction that also closes what was taken over.
    WithoutCapital,
}

/// One take-over.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The account.
    pub account: Address,
    /// The fraction of it.
    pub fraction: Fraction,
    /// What is paid for it, quote native; negative where the insurance pays.
    pub payment: i64,
    /// What it is taken over for less than it is worth, or the reward of the insurance, quote native.
    pub reward: i64,
    /// What unwinding is expected to cost, quote native.
    pub unwinding: i64,
    /// Fees of the transaction, quote native.
    pub fees: i64,
    /// By what.
    pub means: Means,
    /// The transaction.
    pub work: Work,
}

impl Plan {
    /// Quote native.
    pub fn expected_profit(&self) -> i64 {
        self.reward.saturating_sub(self.unwinding).saturating_sub(self.fees)
    }
}

/// What is to be done about an account below its line.
#[derive(Clone, Debug)]
pub enum Step {
    /// Take it over.
    TakeOver(Box<Plan>),
    /// What has to be done first, or by somebody else's money: auctions started, liens called in, boards refreshed, losses
    /// covered.
    Clear(Work),
    /// Nothing: it would lose money, or cannot be taken over; and why.
    Leave(String),
}

/// Everything that decisions are made from.
pub struct Planner<'a> {
    /// What is known.
    pub state: &'a State,
    /// The same with interest and funding accrued.
    pub accrued: &'a Snapshot,
    /// The same as it can be traded in: [`unwind::tradable`].
    pub tradable: &'a Snapshot,
    /// How.
    pub policy: &'a Policy,
    /// Who signs.
    pub authority: Address,
    /// The bot's account.
    pub taker: &'a Keyed<MarginAccount>,
    /// Price of a compute unit, 1e-6 lamports, that fees are reckoned with.
    pub micro_lamports: u64,
}

/// What can be taken of an account, and for how much.
struct Terms {
    /// The largest fraction.
    most: Fraction,
    /// What of the requirement the taker gains, or is paid by the insurance.
    rate: Ppm,
    margin: Margin,
    is_insolvent: bool,
}

impl Terms {
    /// What is paid for a fraction, quote native; negative where the insurance pays.
    fn payment(&self, fraction: Fraction) -> Result<i64, Error> {
        let (equity, requirement) = (self.margin.equity_maint, self.margin.requirement_maint);
        if self.is_insolvent {
            let paid = liquidation::insolvent_payout(fraction, equity, requirement, self.rate)?;
            return Ok(i64::try_from(paid).unwrap_or(i64::MAX).saturating_neg());
        }
        Ok(liquidation::payment(fraction, equity, requirement, self.rate)?.raw())
    }

    /// What a fraction is taken over for less than it is worth.
    fn reward(&self, fraction: Fraction) -> Result<i64, Error> {
        let value = liquidation::pro_rata_signed(self.margin.equity_maint.raw(), fraction)?;
        Ok(value.saturating_sub(self.payment(fraction)?))
    }
}

impl Planner<'_> {
    /// What is to be done about an account below its line.
    ///
    /// # Errors
    /// What the chain would answer.
    pub fn step(&self, account: &Keyed<MarginAccount>) -> Result<Step, Error> {
        if account.data.owner == self.taker.data.owner {
            return Ok(Step::Leave("it is one's own".into()));
        }
        if let Some(work) = self.liens(account) {
            return Ok(Step::Clear(work));
        }
        let margin = self.accrued.margin(&account.data)?;
        let terms = if margin.equity_maint.is_positive() {
            self.solvent(account, margin)?
        } else {
            match self.insolvent(account, margin)? {
                Ok(terms) => terms,
                Err(step) => return Ok(step),
            }
        };
        self.take_over(account, &terms)
    }

    /// Calls in what other programs hold for the account.
    fn liens(&self, account: &Keyed<MarginAccount>) -> Option<Work> {
        let own = self.state.liens.values().filter(|lien| lien.account == account.address && lien.recognised != 0);
        let mut instructions = Vec::new();
        for lien in own {
            let adapter = self.state.adapters.get(&lien.adapter)?;
            let record = self.state.watched.get(&lien.record).map_or(&[][..], |record| &record.data);
            let wanted = self.policy.adapters.get(&adapter.program.to_string()).into_iter().flatten();
            let for_adapter = wanted.filter_map(|account| {
                let pubkey = account.address(record)?;
                Some(AccountMeta { pubkey, is_signer: false, is_writable: account.writable })
            });
            let snapshot = &self.state.snapshot;
            let seize =
                snapshot.seize_lien(account, &adapter.mint, adapter.program, lien.record, for_adapter.collect());
            instructions.push(vec![seize]);
        }
        let basis = self.state.changed_at(&account.address);
        let work = Work { subject: format!("liens of {}", account.address), basis, alternatives: instructions };
        (!work.alternatives.is_empty()).then_some(work)
    }

    /// Whether the account's auction runs, and would go on with the next transaction.
    fn is_running(&self, account: &Keyed<MarginAccount>) -> bool {
        let duration = i64::from(self.accrued.exchange.data.config.liquidation_duration_seconds);
        let unseen = self.accrued.now.saturating_sub(account.data.liquidation_seen_at);
        account.data.liquidation_started_at != 0 && unseen <= duration
    }

    fn solvent(&self, account: &Keyed<MarginAccount>, margin: Margin) -> Result<Terms, Error> {
        let parameters = self.accrued.exchange.data.config.liquidation();
        let started = account.data.liquidation_started_at;
        let elapsed = if self.is_running(account) { self.accrued.now.saturating_sub(started) } else { 0 };
        let rate = liquidation::discount(&parameters, Seconds::from_raw(elapsed));
        let most = liquidation::fraction(margin.equity_maint, margin.requirement_maint, rate, &parameters)?;
        Ok(Terms { most, rate, margin, is_insolvent: false })
    }

    /// The terms of an account without equity, or what to do instead of taking it over.
    fn insolvent(&self, account: &Keyed<MarginAccount>, margin: Margin) -> Result<Result<Terms, Step>, Error> {
        let Some(insolvency) = self.accrued.insolvency(&account.data)? else {
            return Ok(Err(Step::Leave("it is above its line".into())));
        };
        let resolution = self.accrued.resolution(&account.data)?;
        if matches!(resolution, Some(Resolution::Repay(_) | Resolution::House(_) | Resolution::Deposits(_))) {
            let resolve = self.state.snapshot.resolve(account);
            let basis = self.state.changed_at(&account.address);
            let work = Work::new(format!("loss of {}", account.address), basis, vec![resolve]);
            let text = "its loss is to be covered, and resolve is off";
            return Ok(Err(if self.policy.resolve { Step::Clear(work) } else { Step::Leave(text.into()) }));
        }
        if insolvency.fraction == Fraction::ZERO {
            return Ok(Err(Step::Leave("the insurance pays for nothing".into())));
        }
        Ok(Ok(Terms { most: insolvency.fraction, rate: insolvency.reward, margin, is_insolvent: true }))
    }

    /// By the own margin as much as that allows; where it hardly allows anything, without it.
    fn take_over(&self, account: &Keyed<MarginAccount>, terms: &Terms) -> Result<Step, Error> {
        let by_margin = self.largest(account, terms)?;
        let is_enough = by_margin.raw() >= terms.most.raw() / HARDLY && by_margin != Fraction::ZERO;
        let (fraction, means) = match (is_enough, self.policy.without_capital) {
            (true, _) => (by_margin, Means::Margin),
            (false, true) => (terms.most, Means::WithoutCapital),
            (false, false) if by_margin != Fraction::ZERO => (by_margin, Means::Margin),
            (false, false) => return Ok(Step::Leave("the own margin allows none of it".into())),
        };
        let alternatives = self.transactions(account, terms, fraction, means)?;
        // What is kept by policy costs nothing to get rid of; without capital everything is closed at once.
        let is_kept = self.policy.unwind == Unwind::Keep && means == Means::Margin;
        let taken = self.taken(account, fraction)?;
        let basis = self.state.changed_at(&account.address) ^ self.accrued.now.unsigned_abs().rotate_left(32);
        let lamports = SIGNATURE_LAMPORTS + COMPUTE_UNITS * self.micro_lamports as f64 / 1e6;
        let plan = Plan {
            account: account.address,
            fraction,
            payment: terms.payment(fraction)?,
            reward: terms.reward(fraction)?,
            unwinding: if is_kept { 0 } else { unwind::close(self.tradable, &taken, &taken, self.policy, true).cost },
            fees: (lamports * self.policy.sol_usd / 1e3).ceil() as i64,
            means,
            work: Work { subject: format!("account {}", account.address), basis, alternatives },
        };
        let profit = plan.expected_profit();
        let does_not_pay = !self.policy.allow_loss && (profit as f64) < self.policy.profit_min_usd * 1e6;
        if does_not_pay || f64::from(terms.rate.raw()) < self.policy.discount_min * 1e6 {
            // The discount grows from the moment on at which somebody has said so.
            if !self.is_running(account) {
                let flag = self.state.snapshot.flag_liquidation(account);
                let basis = self.state.changed_at(&account.address);
                return Ok(Step::Clear(Work::new(format!("auction of {}", account.address), basis, vec![flag])));
            }
            return Ok(Step::Leave(format!(
                "at {} ppm of its requirement it is expected to bring {:.6} USD: {:.6} of reward less {:.6} for unwinding \
                 and {:.6} of fees",
                terms.rate.raw(),
                profit as f64 / 1e6,
                plan.reward as f64 / 1e6,
                plan.unwinding as f64 / 1e6,
                plan.fees as f64 / 1e6,
            )));
        }
        Ok(Step::TakeOver(Box::new(plan)))
    }

    /// A fraction of an account, in the hands of somebody who has nothing else but the money to buy back debts.
    fn taken(&self, account: &Keyed<MarginAccount>, fraction: Fraction) -> Result<MarginAccount, Error> {
        takeover::after(self.accrued, &unwind::empty(&self.taker.data), &account.data, fraction, -PLENTY)
    }

    /// The largest fraction that leaves the taker its initial margin, and what it borrows for the payment without unpaid
    /// gains behind it.
    ///
    /// The taker's initial health is concave in the fraction: what is taken over and paid is linear in it but for roundings,
    /// and the requirement is homogeneous and subadditive. So the fractions that are allowed are one interval, which begins
    /// at nothing where the taker is in order now, and a search by halves finds its end.
    fn largest(&self, account: &Keyed<MarginAccount>, terms: &Terms) -> Result<Fraction, Error> {
        let is_allowed = |raw: u64| self.is_allowed(account, terms, Fraction::from_raw(raw)).unwrap_or(false);
        if is_allowed(terms.most.raw()) {
            return Ok(terms.most);
        }
        let (mut allowed, mut refused) = (0, terms.most.raw());
        // To a millionth of what could be taken.
        while refused - allowed > (terms.most.raw() >> 20).max(1) {
            let middle = allowed + (refused - allowed) / 2;
            if is_allowed(middle) { allowed = middle } else { refused = middle }
        }
        let cautious = liquidation::pro_rata_floor(allowed, Fraction::from_raw(CAUTION))?;
        Ok(Fraction::from_raw(cautious))
    }

    fn is_allowed(&self, account: &Keyed<MarginAccount>, terms: &Terms, fraction: Fraction) -> Result<bool, Error> {
        let payment = terms.payment(fraction)?;
        let after = takeover::after(self.accrued, &self.taker.data, &account.data, fraction, payment)?;
        let margin = self.accrued.margin(&after)?;
        let is_healthy = margin.health_init().is_ok_and(|health| !health.is_negative());
        let borrows = payment > 0 && self.quote_is_owed(&after);
        Ok(is_healthy && (!borrows || self.accrued.withdrawal_health(&after)? >= 0))
    }

    fn quote_is_owed(&self, account: &MarginAccount) -> bool {
        let slot = account.balance_slot(&self.accrued.exchange.data.quote_bank);
        slot.is_some_and(|slot| account.balances[slot].shares < 0)
    }

    /// The transactions that may do it, the best first.
    fn transactions(
        &self,
        account: &Keyed<MarginAccount>,
        terms: &Terms,
        fraction: Fraction,
        means: Means,
    ) -> Result<Vec<Vec<Instruction>>, Error> {
        let lean = self.lean();
        if means == Means::Margin {
            // The whole of what could be taken is asked for without a limit: it may be more by then.
            let most = if fraction == terms.most { Fraction::ONE } else { fraction };
            let half = Fraction::from_raw(fraction.raw() / 2);
            let all = [most, half].map(|fraction| lean.with_refreshes(&[self.liquidate(&lean, account, fraction)]));
            return all.into_iter().collect();
        }
        let mut all = Vec::new();
        for shift in [0, 1, 3] {
            let part = Fraction::from_raw(fraction.raw() >> shift);
            for swaps in [false, true] {
                all.push(lean.with_refreshes(&self.without_capital(&lean, account, terms, part, swaps)?)?);
            }
        }
        Ok(all)
    }

    fn liquidate(&self, lean: &Snapshot, account: &Keyed<MarginAccount>, fraction: Fraction) -> Instruction {
        let args = LiquidateArgs { max_fraction: fraction.raw(), max_payment: u64::MAX };
        lean.liquidate(self.authority, self.taker, account, args)
    }

    /// `begin_liquidation`, `liquidate`, the closing of what was taken over, `end_liquidation`.
    fn without_capital(
        &self,
        lean: &Snapshot,
        account: &Keyed<MarginAccount>,
        terms: &Terms,
        fraction: Fraction,
        swaps: bool,
    ) -> Result<Vec<Instruction>, Error> {
        let payment = terms.payment(fraction)?;
        let data = takeover::after(self.accrued, &self.taker.data, &account.data, fraction, payment)?;
        let after = Keyed { address: self.taker.address, data };
        let (begin, end) = lean.without_capital(self.authority, self.taker, account);
        let mut all = vec![begin, self.liquidate(lean, account, fraction)];
        for trade in
            unwind::close(self.tradable, &after.data, &self.taken(account, fraction)?, self.policy, swaps).trades
        {
            all.push(self.state.snapshot.instruction(self.authority, &after, &trade, Address::default())?);
        }
        all.push(end);
        Ok(all)
    }

    /// The snapshot with those price accounts only that say more than the market knows: fewer accounts in a transaction.
    fn lean(&self) -> Snapshot {
        let mut lean = self.accrued.clone();
        lean.prices.retain(|market, price| is_news(&self.state.snapshot, market, price));
        lean
    }
}

/// Whether a price account says more than the market knows.
fn is_news(snapshot: &Snapshot, market: &Address, price: &PriceAccount) -> bool {
    let Some(stored) = snapshot.markets.get(market) else { return false };
    let read = price.observation(stored, snapshot.now);
    read.is_ok_and(|read| read != stored.observation())
}

/// The largest expected profit first.
pub fn rank(plans: &mut [Plan]) {
    plans.sort_by_key(|plan| core::cmp::Reverse(plan.expected_profit()));
}

/// The bot's margin account.
pub fn own_account(snapshot: &Snapshot, owner: &Address, policy: &Policy) -> Address {
    address::margin_account(&snapshot.exchange.address, owner, policy.account)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(reward: i64, unwinding: i64) -> Plan {
        Plan {
            account: Address::new_unique(),
            fraction: Fraction::ONE,
            payment: 0,
            reward,
            unwinding,
            fees: 5,
            means: Means::Margin,
            work: Work::new("account", 0, vec![]),
        }
    }

    #[test]
    fn the_most_profitable_comes_first() {
        let mut plans = [plan(100, 90), plan(80, 10), plan(300, 400)];
        rank(&mut plans);
        assert_eq!(plans.each_ref().map(Plan::expected_profit), [65, 5, -105]);
    }
}
