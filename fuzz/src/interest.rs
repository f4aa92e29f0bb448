//! Interest: the books of a bank hold, conversions round in its favour, rates rise with utilisation.
use crate::{Length, Target, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::interest::{
    RateModel, accrue, borrow_amount, deposit_amount, shares_for_borrow, shares_for_deposit,
    shares_to_burn_for_withdraw, shares_to_repay, utilisation,
};
use plimsoll_risk::units::{Index, Ppm};

#[derive(Arbitrary, Debug)]
pub struct Input {
    wild: bool,
    model: [u32; 5],
    indexes: [Length; 2],
    shares: [Length; 2],
    elapsed: Length,
    amount: Length,
    utilisation: [u32; 2],
}

impl Input {
    fn model(&self) -> RateModel {
        let [kink, base, optimal, max, reserve] = self.model;
        if self.wild {
            return RateModel {
                optimal_utilisation: Ppm::from_raw(kink),
                base_rate: Ppm::from_raw(base),
                optimal_rate: Ppm::from_raw(optimal),
                max_rate: Ppm::from_raw(max),
                reserve_factor: Ppm::from_raw(reserve),
            };
        }
        let base = short_between(base, 0, 10_000_000);
        let optimal = short_between(optimal, base, 10_000_000);
        RateModel {
            optimal_utilisation: Ppm::from_raw(short_between(kink, 1, 1_000_000)),
            base_rate: Ppm::from_raw(base),
            optimal_rate: Ppm::from_raw(optimal),
            max_rate: Ppm::from_raw(short_between(max, optimal, 10_000_000)),
            reserve_factor: Ppm::from_raw(short_between(reserve, 0, 1_000_000)),
        }
    }

    fn check_rates(&self, model: &RateModel, valid: bool) {
        let [one, other] = self.utilisation.map(|noise| Ppm::from_raw(noise % 1_100_000));
        let (low, high) = (model.rate(one.min(other)), model.rate(one.max(other)));
        if valid {
            assert!(model.base_rate <= low && low <= high && high <= model.max_rate);
        }
        let (deposits, borrows) = (self.shares[0].up_to(64), self.shares[1].up_to(64));
        let exact = match (deposits, borrows) {
            (_, 0) => 0,
            (deposits, borrows) if borrows >= deposits => 1_000_000,
            _ => u128::from(borrows) * 1_000_000 / u128::from(deposits),
        };
        assert_eq!(u128::from(utilisation(deposits, borrows).raw()), exact);
    }

    fn check_conversions(&self, index: Index) {
        let amount = self.amount.up_to(64);
        let (numerator, divisor) = (u128::from(amount) << 48, u128::from(index.raw()));
        let word = |wide: u128| u64::try_from(wide).map_err(|_| Error::Overflow);
        let shares = |rounding: u128| (numerator + rounding).checked_div(divisor).ok_or(Error::Overflow).and_then(word);
        let exact = (shares(0), shares(divisor.saturating_sub(1)));
        assert_eq!((shares_for_deposit(amount, index), shares_for_borrow(amount, index)), exact);
        assert_eq!((shares_to_repay(amount, index), shares_to_burn_for_withdraw(amount, index)), exact);
        let worth = u128::from(amount) * divisor;
        assert_eq!(deposit_amount(amount, index), word(worth >> 48));
        assert_eq!(borrow_amount(amount, index), word(worth.div_ceil(1 << 48)));
        if let (Ok(down), Ok(up)) = exact {
            reached("an amount became shares");
            assert!(deposit_amount(down, index).is_ok_and(|worth| worth <= amount));
            assert!(borrow_amount(up, index).is_ok_and(|worth| worth >= amount) || borrow_amount(up, index).is_err());
        }
    }
}

impl Target for Input {
    fn check(self) {
        let model = self.model();
        let valid = model.validate().is_ok();
        assert!(valid || self.wild);
        self.check_rates(&model, valid);
        let [deposit, borrow] = self
            .indexes
            .map(|index| Index::from_raw(if self.wild { index.up_to(64) } else { (1 << 48) + index.up_to(56) }));
        self.check_conversions(deposit);
        let bits = if self.wild { 64 } else { 52 };
        let (shares, owed) = (self.shares[0].up_to(bits), self.shares[1].up_to(bits));
        let elapsed = self.elapsed.up_to(if self.wild { 64 } else { 32 });
        let found = match accrue(&model, deposit, borrow, shares, owed, elapsed) {
            Ok(found) => found,
            Err(Error::IndexInvalid) => return assert!(deposit.raw() < 1 << 48 || borrow.raw() < 1 << 48),
            Err(error) => {
                let expected = [Error::IndexOverflow, Error::Overflow, Error::ReserveFactorInvalid];
                return assert!(expected.contains(&error) && (error != Error::ReserveFactorInvalid || !valid));
            }
        };
        reached("interest was accrued");
        assert!(found.deposit_index >= deposit && found.borrow_index >= borrow, "an index fell");
        // INV-1: what depositors and the reserve gain is what borrowers owe more, to the unit.
        let owe = u128::from(owed) * u128::from(found.borrow_index.raw() - borrow.raw());
        let gain = u128::from(shares) * u128::from(found.deposit_index.raw() - deposit.raw());
        assert!(gain <= owe, "depositors gain {gain} of {owe}");
        assert_eq!(u128::from(found.reserve_delta), (owe - gain) >> 48);
        if found.borrow_index > borrow {
            reached("interest was paid");
        }
    }
}
