//! Values of the file in human units, and their exact conversion to the program's integers.

use std::fmt;

use rust_decimal::Decimal;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A decimal number exactly as it was written: no value passes through binary fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(Decimal);

impl Number {
    /// The same for a number that may be negative.
    pub fn scaled_signed(self, decimals: u32) -> Option<i64> {
        let factor = Decimal::from(10u64.checked_pow(decimals)?);
        let scaled = self.0.checked_mul(factor)?;
        scaled.is_integer().then(|| scaled.try_into().ok())?
    }

    /// The three leading digits, and the power of ten that they stand before; `None` for zero and below, and for a number of
    /// more than three significant digits.
    pub fn three_digits(self) -> Option<(u16, i8)> {
        let number = self.0.normalize();
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
        let is_short = digits < 1_000;
        is_short.then(|| Some((digits.try_into().ok()?, exponent.try_into().ok()?)))?
    }

    /// The number times `10^decimals`, if that is a whole number that fits.
    pub fn scaled(self, decimals: u32) -> Option<u64> {
        let factor = Decimal::from(10u64.checked_pow(decimals)?);
        let scaled = self.0.checked_mul(factor)?;
        scaled.is_integer().then(|| scaled.try_into().ok())?
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        Decimal::from_str_exact(&text.replace('_', ""))
            .map(Number)
            .map_err(|_| E::custom(format!("\"{text}\" is no decimal number")))
    }

    /// The shortest text that reads back as the same binary number is what was written, as long as that has at most 15
    /// significant digits.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        let text = value.to_string();
        let significant = text.trim_start_matches(['-', '0', '.']);
        if significant.chars().filter(char::is_ascii_digit).count() > 15 {
            return Err(E::custom(format!("{text} has too many digits: write it in quotes")));
        }
        self.visit_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Row {
        x: Number,
    }

    fn read(text: &str) -> Result<Number, String> {
        toml::from_str::<Row>(&format!("x = {text}")).map(|row| row.x).map_err(|error| error.message().to_string())
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (text, decimals, expected) in [
            ("0.1", 6, 100_000),
            ("0.000001", 6, 1),
            ("0.0625", 6, 62_500),
            ("1_000_000", 6, 1_000_000_000_000),
            ("12.5", 9, 12_500_000_000),
            ("\"123456789.123456789\"", 9, 123_456_789_123_456_789),
            ("1e3", 0, 1000),
        ] {
            assert_eq!(read(text).unwrap().scaled(decimals), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_strike_has_three_digits() {
        for (text, expected) in [
            ("40", Some((400, -1))),
            ("30000", Some((300, 2))),
            ("0.0000123", Some((123, -7))),
            ("1234", None),
            ("0", None),
            ("-5", None),
        ] {
            assert_eq!(read(text).unwrap().three_digits(), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(read("0.0000001").unwrap().scaled(6), None);
        assert_eq!(read("-1").unwrap().scaled(6), None);
        assert_eq!(read("1e14").unwrap().scaled(9), None);
        assert!(read("1234567.12345678912345").unwrap_err().ends_with("write it in quotes"));
        assert!(read("\"ten\"").is_err());
        assert!(read("true").is_err());
        assert!(read("nan").is_err());
    }
}
