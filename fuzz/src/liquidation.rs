//! Liquidation: what is taken over of solvent and insolvent accounts, and what is paid, in exact fractions.
use crate::{Length, Target, reached, short_between};
use arbitrary::Arbitrary;
use plimsoll_risk::Error;
use plimsoll_risk::liquidation::{
    InsolvencyParameters, LiquidationParameters, discount, fraction, insolvent_due, insolvent_fraction,
    insolvent_payout, insolvent_reward, payment, pro_rata_ceil, pro_rata_floor, pro_rata_signed, reward, shortfall,
};
use plimsoll_risk::units::{Fraction, Ppm, Quote, Seconds};

const ONE: u64 = 1 << 32;

#[derive(Arbitrary, Debug)]
pub struct Input {
    equity: Length,
    /// How far the requirement is above the equity.
    gap: Length,
    ratios: [u32; 3],
    wild: bool,
    duration: i64,
    elapsed: [i64; 2],
    dust: Length,
    fund: Length,
    fraction: Length,
    amount: Length,
}

impl Input {
    fn ratio(&self, number: usize, most: u32) -> Ppm {
        let noise = self.ratios[number];
        Ppm::from_raw(if self.wild { noise } else { short_between(noise, 0, most) })
    }

    fn fraction(&self) -> Fraction {
        Fraction::from_raw(self.fraction.up_to(if self.wild { 64 } else { 33 }).min(if self.wild {
            u64::MAX
        } else {
            ONE
        }))
    }

    fn check_solvent(&self, equity: i64, requirement: i64, parameters: &LiquidationParameters, discount: Ppm) {
        let (e, r) = (Quote::from_raw(equity), Quote::from_raw(requirement));
        let found = reward(e, r, discount);
        let expected = if equity <= 0 {
            Some(Error::AccountInsolvent)
        } else if equity >= requirement {
            Some(Error::NotLiquidatable)
        } else if discount.raw() > 500_000 {
            Some(Error::DiscountInvalid)
        } else {
            None
        };
        assert_eq!(found.err(), expected);
        let Ok(reward) = found else {
            assert_eq!(fraction(e, r, discount, parameters).err(), expected);
            return assert_eq!(payment(Fraction::ONE, e, r, discount).err(), expected);
        };
        let reward = i128::from(reward.raw());
        let (equity, requirement) = (i128::from(equity), i128::from(requirement));
        assert_eq!(reward, (requirement * i128::from(discount.raw()) / 1_000_000).min(equity));
        let Ok(taken) = fraction(e, r, discount, parameters) else { return };
        reached("a fraction of a solvent account was taken over");
        assert!((1..=ONE).contains(&taken.raw()));
        let paid = i128::from(payment(taken, e, r, discount).expect("a fraction of one at most").raw());
        let (part, one) = (i128::from(taken.raw()), i128::from(ONE));
        assert_eq!(paid, (part * (equity - reward) + one - 1).div_euclid(one));
        let buffered = requirement + (requirement * i128::from(parameters.buffer.raw()) + 999_999) / 1_000_000;
        // What is left has the buffer: E - f E + payment >= (1 - f) R (1 + b), times 2^32.
        assert!((one - part) * equity + paid * one >= (one - part) * buffered, "the rest is below its buffer");
        if taken != Fraction::ONE {
            reached("a fraction below one was taken over");
            // And no more is taken than that needs, up to one step of the fraction.
            let less = part - 1;
            assert!((one - less) * equity + less * (equity - reward) < (one - less) * buffered, "more than needed");
        }
    }

    fn check_insolvent(&self, equity: i64, requirement: i64, reward: Ppm) {
        let (e, r, fund) = (Quote::from_raw(equity), Quote::from_raw(requirement), self.fund.up_to(64));
        let expected = if equity > 0 {
            Some(Error::AccountSolvent)
        } else if equity >= requirement {
            Some(Error::NotLiquidatable)
        } else if reward.raw() > 500_000 {
            Some(Error::RewardInvalid)
        } else {
            None
        };
        let due = insolvent_due(e, r, reward);
        assert_eq!(due.err(), expected);
        let Ok(due) = due else {
            assert_eq!(insolvent_fraction(e, r, reward, fund).err(), expected);
            return assert_eq!(shortfall(e, r, reward, fund).err(), expected);
        };
        reached("an insolvent account was taken over");
        let wanted = i128::from(requirement.max(0)) * i128::from(reward.raw()) / 1_000_000 - i128::from(equity);
        assert_eq!(i128::from(due), wanted);
        let taken = insolvent_fraction(e, r, reward, fund).expect("due");
        let paid = insolvent_payout(taken, e, r, reward).expect("one at most");
        assert!(paid <= fund && paid <= due, "pays {paid} of {fund}");
        assert_eq!(shortfall(e, r, reward, fund), Ok(due - paid));
        if taken != Fraction::ONE {
            reached("a fund was short");
            let next = u128::from(taken.raw() + 1) * u128::from(due);
            assert!(next > u128::from(fund) << 32, "the fund could pay for more");
        }
        if let Ok(paid) = insolvent_payout(self.fraction(), e, r, reward) {
            let rest = Fraction::from_raw(ONE - self.fraction().raw());
            assert_eq!(paid + pro_rata_ceil(due, rest).expect("one at most"), due);
        }
    }

    fn check_parts(&self) {
        let (fraction, amount) = (self.fraction(), self.amount.up_to(64));
        let signed = self.amount.signed(63);
        let found =
            (pro_rata_floor(amount, fraction), pro_rata_ceil(amount, fraction), pro_rata_signed(signed, fraction));
        if fraction > Fraction::ONE {
            return assert_eq!(
                found,
                (Err(Error::FractionInvalid), Err(Error::FractionInvalid), Err(Error::FractionInvalid))
            );
        }
        let product = u128::from(amount) * u128::from(fraction.raw());
        assert_eq!(found.0, Ok((product >> 32) as u64));
        assert_eq!(found.1, Ok(product.div_ceil(u128::from(ONE)) as u64));
        assert_eq!(found.2.map(i128::from), Ok((i128::from(signed) * i128::from(fraction.raw())) >> 32));
    }
}

impl Target for Input {
    fn check(self) {
        let equity = self.equity.signed(63);
        let requirement = if self.wild { self.gap.signed(63) } else { equity.saturating_add(self.gap.signed(62)) };
        let (low, high) = (self.ratio(0, 500_000), self.ratio(1, 500_000));
        let (low, high) = if self.wild { (low, high) } else { (low.min(high), low.max(high)) };
        let duration = Seconds::from_raw(if self.wild { self.duration } else { self.duration.rem_euclid(86_401) });
        let parameters = LiquidationParameters {
            buffer: self.ratio(2, 1_000_000),
            discount_min: low,
            discount_max: high,
            duration,
            dust: self.dust.up_to(64),
        };
        let insolvency = InsolvencyParameters { reward_min: low, reward_max: high, duration };
        let valid = parameters.validate().is_ok();
        assert!(self.wild || valid && insolvency.validate().is_ok());
        let [one, other] = self.elapsed.map(|elapsed| Seconds::from_raw(elapsed >> (elapsed & 63)));
        let [now, later] = [one.min(other), one.max(other)].map(|elapsed| discount(&parameters, elapsed));
        if valid {
            assert!(low <= now && now <= later && later <= high, "{low:?}, {now:?}, {later:?}, {high:?}");
            assert_eq!(now, insolvent_reward(&insolvency, one.min(other)));
        }
        self.check_solvent(equity, requirement, &parameters, now);
        self.check_insolvent(equity, requirement, now);
        self.check_parts();
    }
}
