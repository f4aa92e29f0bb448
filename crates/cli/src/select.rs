//! What people name: markets and banks by symbol or address, boards by day, amounts in whole units.

use anyhow::Result;
use chrono::NaiveDate;
use plimsoll_client::{
    Address, Keyed, Snapshot,
    accounts::{Bank, Board, MarginAccount, Market},
    address,
    config::limits::EXPIRY_SECOND_OF_DAY,
    decode,
    interface::{board::series_kind, instruction::StrikePrice},
    risk::black::OptionKind,
};
use rust_decimal::Decimal;

use crate::{context::Context, failure::Refusal, format};

fn not_found<T>(text: String) -> Result<T> {
    Err(Refusal::NotFound(text).into())
}

fn usage<T>(text: String) -> Result<T> {
    Err(Refusal::Usage(text).into())
}

/// Markets by index.
pub fn sorted_markets(snapshot: &Snapshot) -> Vec<(&Address, &Market)> {
    let mut markets: Vec<_> = snapshot.markets.iter().collect();
    markets.sort_unstable_by_key(|(_, market)| market.index);
    markets
}

/// Banks by index.
pub fn sorted_banks(snapshot: &Snapshot) -> Vec<(&Address, &Bank)> {
    let mut banks: Vec<_> = snapshot.banks.iter().collect();
    banks.sort_unstable_by_key(|(_, bank)| bank.index);
    banks
}

/// A market by symbol or address.
///
/// # Errors
/// None of that name.
pub fn market<'a>(snapshot: &'a Snapshot, name: &str) -> Result<(Address, &'a Market)> {
    let is_it = |address: &Address, market: &Market| {
        decode::symbol(market).eq_ignore_ascii_case(name) || address.to_string() == name
    };
    match snapshot.markets.iter().find(|(address, market)| is_it(address, market)) {
        Some((address, market)) => Ok((*address, market)),
        None => {
            let known: Vec<_> = sorted_markets(snapshot).iter().map(|(_, one)| decode::symbol(one)).collect();
            not_found(format!("there is no market {name}: one of {}", known.join(", ")))
        }
    }
}

/// What a bank's mint is called: as the market that prices it, USD for the quote.
pub fn bank_symbol(snapshot: &Snapshot, bank: &Bank) -> String {
    if bank.is_quote == 1 {
        return "USD".into();
    }
    snapshot.markets.get(&bank.market).map_or_else(|| "?".into(), |market| decode::symbol(market))
}

/// A bank by the symbol of its market, by its mint or by its address; the quote's is `USD` or `USDC`.
///
/// # Errors
/// None of that name, or several.
pub fn bank<'a>(snapshot: &'a Snapshot, name: &str) -> Result<(Address, &'a Bank)> {
    let is_quote = ["USD", "USDC"].iter().any(|quote| quote.eq_ignore_ascii_case(name));
    let is_it = |address: &Address, bank: &Bank| {
        bank.mint.to_string() == name
            || address.to_string() == name
            || (is_quote && bank.is_quote == 1)
            || (bank.is_quote == 0 && bank_symbol(snapshot, bank).eq_ignore_ascii_case(name))
    };
    let found: Vec<_> = snapshot.banks.iter().filter(|(address, bank)| is_it(address, bank)).collect();
    match found[..] {
        [(address, bank)] => Ok((*address, bank)),
        [] => {
            let known: Vec<_> = sorted_banks(snapshot).iter().map(|(_, bank)| bank_symbol(snapshot, bank)).collect();
            not_found(format!("there is no bank {name}: one of {}, or a mint", known.join(", ")))
        }
        _ => not_found(format!("{} banks are priced by {name}: name one by its mint", found.len())),
    }
}

/// The margin account that is meant: an address, or the number of one of the signer's own.
///
/// # Errors
/// No account there.
pub fn account(context: &Context, exchange: &Address, name: &str) -> Result<Keyed<MarginAccount>> {
    let address = account_address(context, exchange, name)?;
    match context.rpc.find::<MarginAccount>(&address)? {
        Some(data) => Ok(Keyed { address, data }),
        None => not_found(format!("there is no margin account at {address}: open it with plimsoll account create")),
    }
}

/// Where the margin account that is meant stands.
///
/// # Errors
/// Neither an address nor a number.
pub fn account_address(context: &Context, exchange: &Address, name: &str) -> Result<Address> {
    use solana_signer::Signer;
    if let Ok(index) = name.parse::<u16>() {
        return Ok(address::margin_account(exchange, &context.signer()?.pubkey(), index));
    }
    match name.parse() {
        Ok(address) => Ok(address),
        Err(_) => usage(format!("{name} is no account: an address, or the number of one of your own")),
    }
}

/// A day as 2027-03-26: the moment at which options of that day expire.
///
/// # Errors
/// Another text.
pub fn expiry(text: &str) -> Result<i64> {
    match text.parse::<NaiveDate>() {
        Ok(day) => Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp().saturating_add(EXPIRY_SECOND_OF_DAY)),
        Err(_) => usage(format!("{text} is no day: write it as 2027-03-26")),
    }
}

/// A market's board by the day of its expiry, its slot, or its address.
///
/// # Errors
/// None of that name.
pub fn board<'a>(snapshot: &'a Snapshot, market: &Address, name: &str) -> Result<(Address, &'a Board)> {
    let own = || snapshot.boards.iter().filter(|(_, board)| board.market == *market);
    let is_it = |address: &Address, board: &Board| {
        board.slot.to_string() == name || address.to_string() == name || format::day(board.expiry) == name
    };
    match own().find(|(address, board)| is_it(address, board)) {
        Some((address, board)) => Ok((*address, board)),
        None => {
            let known: Vec<String> = own().map(|(_, board)| format::day(board.expiry)).collect();
            let known = if known.is_empty() { "it has none".into() } else { format!("one of {}", known.join(", ")) };
            not_found(format!("the market has no board {name}: {known}"))
        }
    }
}

/// The series of a board with this strike, in dollars, and of this kind.
///
/// # Errors
/// No such strike.
pub fn series(board: &Board, base_decimals: u8, strike: &str, kind: OptionKind) -> Result<u8> {
    let wanted = decimal("the strike", strike)?;
    let shown = |raw: u64| format::price_decimal(raw, base_decimals);
    let place = board.strikes.iter().position(|raw| *raw != 0 && shown(*raw) == Some(wanted.normalize()));
    let Some(place) = place else {
        let known = board.strikes.iter().filter(|raw| **raw != 0).filter_map(|raw| shown(*raw));
        let known: Vec<String> = known.map(|strike| strike.to_string()).collect();
        return not_found(format!("no strike of {strike} is listed: one of {}", known.join(", ")));
    };
    let series = 2 * place + usize::from(series_kind(0) != kind);
    Ok(u8::try_from(series)?)
}

fn decimal(what: &str, text: &str) -> Result<Decimal> {
    match Decimal::from_str_exact(&text.replace(['_', ','], "")) {
        Ok(number) => Ok(number),
        Err(_) => usage(format!("{text} is no number for {what}")),
    }
}

/// An amount in whole units as native units, exactly.
///
/// # Errors
/// Not a number above zero, or one with more places than there are.
pub fn amount(text: &str, decimals: u8) -> Result<u64> {
    let scaled = decimal("an amount", text)?.checked_mul(Decimal::from(10u64.pow(u32::from(decimals.min(19)))));
    let whole = scaled.filter(|scaled| scaled.is_integer() && scaled.is_sign_positive() && !scaled.is_zero());
    match whole.and_then(|scaled| u64::try_from(scaled).ok()) {
        Some(native) => Ok(native),
        None => usage(format!("{text} is no amount: above 0, with at most {decimals} decimals")),
    }
}

/// A price in dollars per whole unit as Q16.48 quote native per base unit, nearest.
///
/// # Errors
/// Not a price.
pub fn price(text: &str, base_decimals: u8) -> Result<u64> {
    let number = decimal("a price", text)?;
    let raw = (|| {
        // 10^6 quote native a dollar, 10^decimals base units a whole one.
        let scaled = number.checked_mul(Decimal::from(1u64 << 48))?;
        let scaled = scaled.checked_mul(Decimal::from(1_000_000u64))?;
        let raw = scaled.checked_div(Decimal::from(10u64.pow(u32::from(base_decimals.min(19)))))?;
        u64::try_from(raw.round()).ok()
    })();
    match raw.filter(|raw| *raw > 0) {
        Some(raw) => Ok(raw),
        None => usage(format!("{text} is no price: above 0, in dollars")),
    }
}

/// An address.
///
/// # Errors
/// Another text.
pub fn parse_address(text: &str) -> Result<Address> {
    text.parse().or_else(|_| usage(format!("{text} is no address")))
}

/// A strike in dollars.
///
/// # Errors
/// Not above zero, or of more than three digits.
pub fn strike(text: &str) -> Result<StrikePrice> {
    let number = decimal("a strike", text)?.normalize();
    let found = (|| {
        let (mut digits, mut exponent) = (number.mantissa(), -i32::try_from(number.scale()).ok()?);
        if digits <= 0 {
            return None;
        }
        while digits < 100 {
            (digits, exponent) = (digits.checked_mul(10)?, exponent.checked_sub(1)?);
        }
        while digits >= 1_000 && digits % 10 == 0 {
            (digits, exponent) = (digits / 10, exponent.checked_add(1)?);
        }
        let digits = u16::try_from(digits).ok().filter(|digits| *digits < 1_000)?;
        Some(StrikePrice { digits, exponent: i8::try_from(exponent).ok()? })
    })();
    match found {
        Some(strike) => Ok(strike),
        None => usage(format!("{text} is no strike: above 0, of at most three digits")),
    }
}

/// A volatility a year as `90%` or `0.9`, ppm.
///
/// # Errors
/// Not above zero.
pub fn volatility(text: &str) -> Result<u32> {
    let ppm = ppm("a volatility", text)?;
    match ppm.and_then(|ppm| u32::try_from(ppm).ok()).filter(|ppm| *ppm > 0) {
        Some(ppm) => Ok(ppm),
        None => usage(format!("{text} is no volatility: above 0%, in steps of 0.0001%")),
    }
}

/// A basis as `0.4%`, `-0.1%` or `0.004`, ppm.
///
/// # Errors
/// Another text.
pub fn basis(text: &str) -> Result<i32> {
    match ppm("a basis", text)?.and_then(|ppm| i32::try_from(ppm).ok()) {
        Some(ppm) => Ok(ppm),
        None => usage(format!("{text} is no basis: in steps of 0.0001%")),
    }
}

/// A share in parts per million, where it is a whole number of them.
fn ppm(what: &str, text: &str) -> Result<Option<Decimal>> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1_000_000u32), |number| (number, 10_000));
    Ok(decimal(what, number.trim())?.checked_mul(Decimal::from(scale)).filter(Decimal::is_integer))
}

/// A share as `0.5%` or `0.005`, ppm.
///
/// # Errors
/// Not from 0 to 100 %.
pub fn share(text: &str) -> Result<u32> {
    let ppm = ppm("a share", text)?;
    match ppm.and_then(|ppm| u32::try_from(ppm).ok()).filter(|ppm| *ppm <= 1_000_000) {
        Some(ppm) => Ok(ppm),
        None => usage(format!("{text} is no share: from 0% to 100%, in steps of 0.0001%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_prices_are_exact() {
        assert_eq!(amount("1.5", 9).unwrap(), 1_500_000_000);
        assert_eq!(amount("1_000", 6).unwrap(), 1_000_000_000);
        for text in ["0", "-1", "0.0000001", "ten", ""] {
            assert!(amount(text, 6).is_err(), "{text}");
        }
        assert_eq!(price("150", 9).unwrap(), ((15u128 << 48) / 100) as u64);
        assert_eq!(price("0.000021", 5).unwrap(), 59_109_745_109);
        assert!(price("0", 9).is_err());
    }

    #[test]
    fn shares_and_days() {
        assert_eq!(share("0.5%").unwrap(), 5_000);
        assert_eq!(share("0.005").unwrap(), 5_000);
        assert!(share("101%").is_err() && share("-1%").is_err());
        assert_eq!(expiry("2027-03-26").unwrap(), 1_806_048_000);
        assert_eq!(format::day(1_806_048_000), "2027-03-26");
        assert_eq!(expiry("tomorrow").unwrap_err().to_string(), "tomorrow is no day: write it as 2027-03-26");
    }
}
