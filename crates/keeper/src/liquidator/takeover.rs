//! What a taker's account is after a take-over, before it is sent: the same moves as the program's, with the account's own
//! methods, so that its margin afterwards can be asked of the engine.

use plimsoll_client::{
    Address, Error, PlimsollError, Snapshot,
    accounts::{Bank, MAX_BALANCES, MAX_BOARDS, MAX_MARKETS, MarginAccount},
    risk::{interest, liquidation, units::Fraction},
};

/// The taker's account after it has taken over a fraction of `account`, and paid `payment` (negative: was paid) in quote.
/// `accrued` has interest and funding up to the moment at which it happens.
///
/// # Errors
/// [`Error::Program`] with what the chain would answer: too many balances, markets, boards or options.
pub fn after(
    accrued: &Snapshot,
    taker: &MarginAccount,
    account: &MarginAccount,
    fraction: Fraction,
    payment: i64,
) -> Result<MarginAccount, Error> {
    let mut taken = TakeOver { accrued, taker: *taker, fraction };
    for index in 0..MAX_MARKETS {
        taken.market(account, index)?;
    }
    for index in 0..MAX_BALANCES {
        taken.balance(account, index)?;
    }
    for index in 0..MAX_BOARDS {
        taken.board(account, index)?;
    }
    taken.pay(payment)?;
    Ok(taken.taker)
}

struct TakeOver<'a> {
    accrued: &'a Snapshot,
    taker: MarginAccount,
    fraction: Fraction,
}

impl TakeOver<'_> {
    fn part(&self, amount: i64) -> Result<i64, PlimsollError> {
        Ok(liquidation::pro_rata_signed(amount, self.fraction)?)
    }

    fn market(&mut self, account: &MarginAccount, index: usize) -> Result<(), PlimsollError> {
        let slot = &account.markets[index];
        if slot.size == 0 && slot.cash == 0 {
            return Ok(());
        }
        let market = self.accrued.markets.get(&slot.market).ok_or(PlimsollError::MissingMarket)?;
        let (size, cash) = (self.part(slot.size)?, self.part(slot.cash_after_funding(market)?.raw())?);
        if size == 0 && cash == 0 {
            return Ok(());
        }
        let place = self.taker.market_slot_or_new(&slot.market)?;
        let target = &mut self.taker.markets[place];
        let own = target.cash_after_funding(market)?.raw();
        target.funding_index = market.funding_index;
        target.size = target.size.checked_add(size).ok_or(PlimsollError::Overflow)?;
        target.cash = own.checked_add(cash).ok_or(PlimsollError::Overflow)?;
        self.taker.release_market(place)
    }

    fn balance(&mut self, account: &MarginAccount, index: usize) -> Result<(), PlimsollError> {
        let slot = &account.balances[index];
        let shares = if slot.in_use == 0 { 0 } else { self.part(slot.shares)? };
        if shares == 0 {
            return Ok(());
        }
        let bank = self.accrued.banks.get(&slot.bank).ok_or(PlimsollError::MissingBank)?;
        let place = self.taker.balance_slot_or_new(&slot.bank, (bank.is_quote == 0).then_some(&bank.market))?;
        let target = &mut self.taker.balances[place];
        let is_opposite = target.shares != 0 && (target.shares < 0) != (shares < 0);
        if is_opposite {
            let (moved, deposit, borrow) = (shares.unsigned_abs(), bank.deposit_index(), bank.borrow_index());
            let amount = if shares > 0 {
                native(interest::deposit_amount(moved, deposit)?)?
            } else {
                native(interest::borrow_amount(moved, borrow)?)?.wrapping_neg()
            };
            target.shares = with_amount(target.shares, bank, amount)?;
        } else {
            target.shares = target.shares.checked_add(shares).ok_or(PlimsollError::Overflow)?;
        }
        self.taker.release_balance(place)
    }

    fn board(&mut self, account: &MarginAccount, index: usize) -> Result<(), PlimsollError> {
        let slot = &account.boards[index];
        if slot.in_use == 0 {
            return Ok(());
        }
        let market = account.markets.get(usize::from(slot.market_slot)).ok_or(PlimsollError::Corrupt)?.market;
        let place = self.taker.board_slot_or_new(&slot.board, &market)?;
        let mut walk = self.taker.options_from_last(place)?;
        for position in account.options_of(index)?.rev() {
            let option = account.options[position];
            let lots = self.part(i64::from(option.lots))?;
            let lots = i32::try_from(lots).map_err(|_| PlimsollError::Overflow)?;
            if lots != 0 {
                self.taker.add_lots(&mut walk, option.series, lots)?;
            }
        }
        self.taker.release_board(place)
    }

    fn pay(&mut self, payment: i64) -> Result<(), Error> {
        if payment == 0 {
            return Ok(());
        }
        let address: Address = self.accrued.exchange.data.quote_bank;
        let bank = self.accrued.banks.get(&address).ok_or(PlimsollError::MissingBank)?;
        let place = self.taker.balance_slot_or_new(&address, None)?;
        let shares = self.taker.balances[place].shares;
        self.taker.balances[place].shares = with_amount(shares, bank, payment.saturating_neg())?;
        Ok(self.taker.release_balance(place)?)
    }
}

/// Shares of a balance after `amount` native units came in, or went out where negative.
pub fn with_amount(shares: i64, bank: &Bank, amount: i64) -> Result<i64, PlimsollError> {
    let (deposit, borrow) = (bank.deposit_index(), bank.borrow_index());
    let (magnitude, size) = (shares.unsigned_abs(), amount.unsigned_abs());
    let to_signed = |shares: u64| i64::try_from(shares).map_err(|_| PlimsollError::Overflow);
    if amount >= 0 {
        let owed = if shares < 0 { interest::borrow_amount(magnitude, borrow)? } else { 0 };
        if size < owed {
            return Ok(shares.saturating_add_unsigned(interest::shares_to_repay(size, borrow)?));
        }
        let minted = to_signed(interest::shares_for_deposit(size - owed, deposit)?)?;
        return shares.max(0).checked_add(minted).ok_or(PlimsollError::Overflow);
    }
    let held = if shares > 0 { interest::deposit_amount(magnitude, deposit)? } else { 0 };
    if size < held {
        let burnt = interest::shares_to_burn_for_withdraw(size, deposit)?.min(magnitude);
        return Ok(shares.saturating_sub_unsigned(burnt));
    }
    let minted = to_signed(interest::shares_for_borrow(size - held, borrow)?)?;
    shares.min(0).checked_sub(minted).ok_or(PlimsollError::Overflow)
}

fn native(amount: u64) -> Result<i64, PlimsollError> {
    i64::try_from(amount).map_err(|_| PlimsollError::Overflow)
}
