//! Numbers in tables. All in integers; amounts are cut, never rounded up to look better.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
pub use plimsoll_client::words::number::{day, fraction, grouped, moment, percent, price, q48, short};
use rust_decimal::Decimal;

/// Quote native (1e-6 USD) as dollars and cents.
pub fn usd(native: i64) -> String {
    let cents = native.unsigned_abs() / 10_000;
    let sign = if native < 0 && cents > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", grouped(cents / 100), cents % 100)
}

/// A native amount with its decimals, at most four of them shown.
pub fn amount(native: i64, decimals: u8) -> String {
    let one = 10u64.pow(u32::from(decimals.min(19)));
    let (whole, rest) = (native.unsigned_abs() / one, native.unsigned_abs() % one);
    let digits = format!("{rest:0width$}", width = usize::from(decimals));
    let shown = digits.get(..4).unwrap_or(&digits).trim_end_matches('0');
    let sign = if native < 0 { "-" } else { "" };
    let point = if shown.is_empty() || decimals == 0 { "" } else { "." };
    format!("{sign}{}{point}{}", grouped(whole), if decimals == 0 { "" } else { shown })
}

/// A price (Q16.48 quote native per base unit) as dollars per whole unit, of at most eight significant digits: what a price
/// with few digits was before it was stored.
pub fn price_decimal(raw: u64, base_decimals: u8) -> Option<Decimal> {
    let dollars = Decimal::from(raw).checked_mul(Decimal::from(10u64.pow(u32::from(base_decimals.min(12)))))?;
    let dollars = dollars.checked_div(Decimal::from(1u64 << 48))?.checked_div(Decimal::from(1_000_000))?;
    Some(dollars.round_sf(8)?.normalize())
}

/// A part of a whole as per cent with one decimal.
pub fn percent_of(part: u64, whole: u64) -> String {
    let tenths = if whole == 0 { 0 } else { u128::from(part) * 1000 / u128::from(whole) };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A text on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An empty table with a header.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(140);
    }
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    table
}

/// A number's cell, to the right, red where negative.
pub fn number(text: String) -> Cell {
    let cell = Cell::new(&text).set_alignment(CellAlignment::Right);
    if text.starts_with('-') { cell.fg(Color::Red) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_cut_to_cents() {
        assert_eq!(usd(1_234_567_891_234), "1,234,567.89");
        assert_eq!(usd(-5_009_999), "-5.00");
        assert_eq!(usd(-9_999), "0.00");
        assert_eq!(usd(i64::MIN), "-9,223,372,036,854.77");
    }

    #[test]
    fn amounts_show_four_decimals() {
        assert_eq!(amount(1_500_000_000, 9), "1.5");
        assert_eq!(amount(-123_456_789, 8), "-1.2345");
        assert_eq!(amount(7, 0), "7");
        assert_eq!(amount(1_000_000, 6), "1");
        assert_eq!(amount(1_050, 2), "10.5");
    }

    #[test]
    fn ratios_and_lines() {
        assert_eq!(percent_of(1, 3), "33.3 %");
        assert_eq!(one_line("a\n  b"), "a b");
    }
}
