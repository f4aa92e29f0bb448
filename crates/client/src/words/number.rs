//! Numbers and moments as people read them, in integers. What a sentence says of an event is exact; a table may cut.

use chrono::{DateTime, Datelike, Timelike, Utc};
use plimsoll_interface::Address;

/// An integer with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `native / 10^decimals`, exact; where it is no whole number, with `places` digits behind the point at least.
fn exact(native: i128, decimals: u8, places: usize) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{:0>width$}", native.unsigned_abs(), width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let (whole, rest) = (grouped(whole.parse().unwrap_or(u64::MAX)), rest.trim_end_matches('0'));
    let sign = if native < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0<places$}") }
}

/// A native amount with its decimals, exact, without zeros at its end.
pub fn decimal(native: impl Into<i128>, decimals: u8) -> String {
    exact(native.into(), decimals, 0)
}

/// Quote native (1e-6 USD) as dollars, exact: whole ones, or with two decimals at least.
pub fn dollars(native: impl Into<i128>) -> String {
    format!("{} USD", exact(native.into(), 6, 2))
}

/// A price (Q16.48 quote native per base unit) as dollars per whole unit: cents from a dollar on, four significant digits
/// below.
pub fn price(raw: u64, base_decimals: u8) -> String {
    let scaled = u128::from(raw) * 10u128.pow(u32::from(base_decimals.min(18)));
    let micro = (scaled + (1 << 47)) >> 48;
    if micro >= 1_000_000 || raw == 0 {
        let cents = u64::try_from(micro / 10_000);
        return cents
            .map_or_else(|_| "too large".into(), |cents| format!("{}.{:02}", grouped(cents / 100), cents % 100));
    }
    // The first number of places with four digits; below a dollar none of the products is near 2^128.
    let digits = |places: u32| match places {
        ..6 => (scaled / 10u128.pow(6 - places) + (1 << 47)) >> 48,
        _ => (scaled * 10u128.pow(places - 6) + (1 << 47)) >> 48,
    };
    let places = (4..18).find(|places| digits(*places) >= 1_000);
    let text = places.and_then(|places| Some(decimal(u64::try_from(digits(places)).ok()?, places.try_into().ok()?)));
    text.unwrap_or_else(|| "too small".into())
}

/// A Q16.48 number with six decimals.
pub fn q48(raw: u64) -> String {
    let scaled = (u128::from(raw) * 1_000_000) >> 48;
    format!("{}.{:06}", scaled / 1_000_000, scaled % 1_000_000)
}

/// Parts per million as per cent.
pub fn percent(ppm: u64) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A Q32 fraction as per cent with one decimal.
pub fn fraction(raw: u64) -> String {
    let tenths = (u128::from(raw) * 1000) >> 32;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The first and last characters of an address.
pub fn short(address: &Address) -> String {
    let text = address.to_string();
    format!("{}…{}", &text[..4], &text[text.len() - 4..])
}

fn calendar<T>(unix_seconds: i64, shown: impl Fn(DateTime<Utc>) -> T, beyond: impl Fn(String) -> T) -> T {
    DateTime::from_timestamp(unix_seconds, 0).map_or_else(|| beyond(format!("second {unix_seconds}")), shown)
}

/// A day in UTC; the number where the calendar does not reach.
pub fn day(unix_seconds: i64) -> String {
    let shown = |time: DateTime<Utc>| format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.day());
    calendar(unix_seconds, shown, |text| text)
}

/// A moment in UTC, to the minute; the number where the calendar does not reach.
pub fn moment(unix_seconds: i64) -> String {
    let shown = |time: DateTime<Utc>| format!("{} {:02}:{:02} UTC", day(unix_seconds), time.hour(), time.minute());
    calendar(unix_seconds, shown, |text| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(decimal(1_234_567_891_234u64, 6), "1,234,567.891234");
        assert_eq!(decimal(-1_500_000_000i64, 9), "-1.5");
        assert_eq!(decimal(7u64, 0), "7");
        assert_eq!(decimal(i64::MIN, 6), "-9,223,372,036,854.775808");
        assert_eq!(decimal(1u64, 18), "0.000000000000000001");
    }

    #[test]
    fn dollars_are_whole_or_have_cents() {
        assert_eq!(dollars(4_000_000_000u64), "4,000 USD");
        assert_eq!(dollars(-80_100_000i64), "-80.10 USD");
        assert_eq!(dollars(1_234u64), "0.001234 USD");
        assert_eq!(dollars(u64::MAX), "18,446,744,073,709.551615 USD");
        assert_eq!(dollars(i64::MIN), "-9,223,372,036,854.775808 USD");
    }

    #[test]
    fn prices_and_ratios() {
        assert_eq!(price(((15u128 << 48) / 100) as u64, 9), "150.00");
        assert_eq!(price(150 << 48, 6), "150.00");
        assert_eq!(price(59_109_745_109, 5), "0.000021");
        assert_eq!(price((1 << 48) / 100_000 * 12_346, 7), "1.23");
        assert_eq!(price((1 << 48) / 1_000 * 123, 6), "0.123");
        assert_eq!(price((1 << 48) / 1_000 * 123, 0), "0.000000123");
        assert_eq!(price(u64::MAX, 18), "65,535,999,999,999,999.99");
        assert_eq!((price(0, 5), price(1, 0)), ("0.00".into(), "too small".into()));
        assert_eq!(q48(3 << 47), "1.500000");
        assert_eq!((percent(150_000), percent(2_500)), ("15 %".into(), "0.25 %".into()));
        assert_eq!(fraction(1 << 31), "50.0 %");
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!((day(1_798_185_600), moment(1_798_185_660)), ("2026-12-25".into(), "2026-12-25 08:01 UTC".into()));
        assert_eq!(moment(i64::MAX), "second 9223372036854775807");
    }
}
