//! Numbers that keep their digits.
//!
//! A number is the text that it was written with, so an id of thirty digits or a price of `1.50` passes through a flow
//! unchanged. Comparing is exact whatever the length. Arithmetic is exact as long as the result has at most 38 digits
//! ([`Decimal`]); beyond that it is done in binary floating point, as the field does all of it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A JSON number. Equal when the values are equal: `1.0` is `1`.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// A whole number whose text is the usual one.
    Whole(i64),
    /// Any other number, as it was written.
    Written(Box<str>),
}

impl Number {
    /// Reads a number in JSON's syntax; nothing may stand around it.
    pub fn parse(text: &str) -> Option<Number> {
        if let Ok(whole) = text.parse::<i64>()
            && !text.starts_with('+')
            && text != "-0"
            && !has_leading_zero(text)
        {
            return Some(Number(Repr::Whole(whole)));
        }
        is_json_number(text).then(|| Number(Repr::Written(text.into())))
    }

    /// A number with the shortest digits that mean this float; `None` when it is infinite or not a number.
    pub fn from_f64(float: f64) -> Option<Number> {
        let text = serde_json::Number::from_f64(float)?.to_string();
        let text = text.strip_suffix(".0").unwrap_or(&text);
        Number::parse(if text == "-0" { "0" } else { text })
    }

    /// The digits as they were written.
    pub fn as_str(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Whole(whole) => Cow::Owned(whole.to_string()),
            Repr::Written(text) => Cow::Borrowed(text),
        }
    }

    /// The nearest float. May be infinite for a number beyond `1e308`.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Repr::Whole(whole) => *whole as f64,
            Repr::Written(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The whole number that it is, when it is one (`3`, `3.0`, `3e0`) and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Whole(whole) => Some(*whole),
            Repr::Written(_) => {
                let decimal = self.decimal()?.trimmed();
                (decimal.scale == 0).then(|| i64::try_from(decimal.digits).ok()).flatten()
            }
        }
    }

    /// A text that equal numbers share and unequal ones do not.
    pub fn canonical(&self) -> String {
        let number = Scientific::of(&self.as_str());
        let sign = if number.negative { "-" } else { "" };
        // Digits were ASCII when they were read.
        let digits = String::from_utf8(number.digits).unwrap_or_default();
        format!("{sign}{digits}e{}", number.exponent)
    }

    /// The number as digits and a scale, when it has at most 38 digits on both sides of the point together.
    pub fn decimal(&self) -> Option<Decimal> {
        match &self.0 {
            Repr::Whole(whole) => Some(Decimal { digits: i128::from(*whole), scale: 0 }),
            Repr::Written(text) => Decimal::of_text(text),
        }
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Number {
        Number(Repr::Whole(whole))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By value, exactly, whatever the number of digits.
impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        if let (Repr::Whole(left), Repr::Whole(right)) = (&self.0, &other.0) {
            return left.cmp(right);
        }
        Scientific::of(&self.as_str()).cmp(&Scientific::of(&other.as_str()))
    }
}

/// A number as `0.DIGITS × 10^exponent`, without zeros at either end.
struct Scientific {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Scientific {
    fn of(text: &str) -> Scientific {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let end = digits.len() - digits.iter().rev().take_while(|digit| **digit == b'0').count();
        if zeros >= end {
            return Scientific { negative: false, digits: Vec::new(), exponent: 0 };
        }
        let exponent = exponent_of(exponent)
            .saturating_add(i64::try_from(whole.len()).unwrap_or(i64::MAX))
            .saturating_sub(i64::try_from(zeros).unwrap_or(i64::MAX));
        Scientific { negative, digits: digits[zeros..end].to_vec(), exponent }
    }

    fn cmp(&self, other: &Scientific) -> Ordering {
        let sign = |number: &Scientific| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || self.digits.is_empty() {
            return by_sign;
        }
        let larger = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        if self.negative { larger.reverse() } else { larger }
    }
}

/// An exponent's value; one beyond all use is held at the end of the range.
fn exponent_of(text: &str) -> i64 {
    let negative = text.starts_with('-');
    let limit = i64::from(i32::MAX);
    let size = text.trim_start_matches(['+', '-']).parse::<i64>().unwrap_or(limit).min(limit);
    if negative { -size } else { size }
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0')
}

fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && !has_leading_zero(whole)
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// A decimal number for arithmetic: `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits, as one whole number.
    pub digits: i128,
    /// How many of them stand after the point; at most [`Decimal::SCALE_MAX`].
    pub scale: u32,
}

impl Decimal {
    /// Digits after the point at most: as many as a whole number of 128 bits surely holds.
    pub const SCALE_MAX: u32 = 38;

    fn of_text(text: &str) -> Option<Decimal> {
        let number = Scientific::of(text);
        if number.digits.is_empty() {
            return Some(Decimal { digits: 0, scale: 0 });
        }
        let count = i64::try_from(number.digits.len()).ok()?;
        if count > 38 || number.exponent > 38 || count - number.exponent > i64::from(Decimal::SCALE_MAX) {
            return None;
        }
        let digits: i128 = std::str::from_utf8(&number.digits).ok()?.parse().ok()?;
        let digits = if number.negative { -digits } else { digits };
        if number.exponent >= count {
            let zeros = u32::try_from(number.exponent - count).ok()?;
            return Some(Decimal { digits: digits.checked_mul(10i128.checked_pow(zeros)?)?, scale: 0 });
        }
        Some(Decimal { digits, scale: u32::try_from(count - number.exponent).ok()? })
    }

    /// The same value with this many digits after the point, when none is lost and it fits.
    fn at_scale(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// The sum, exactly; `None` when it does not fit.
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let digits = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(Decimal { digits, scale }.trimmed())
    }

    /// The difference, exactly; `None` when it does not fit.
    pub fn minus(self, other: Decimal) -> Option<Decimal> {
        self.plus(Decimal { digits: other.digits.checked_neg()?, scale: other.scale })
    }

    /// The product, exactly; `None` when it does not fit.
    pub fn times(self, other: Decimal) -> Option<Decimal> {
        let digits = self.digits.checked_mul(other.digits)?;
        let product = Decimal { digits, scale: self.scale + other.scale }.trimmed();
        (product.scale <= Decimal::SCALE_MAX).then_some(product)
    }

    /// What remains of a division to a whole number, with the sign of `self`; `None` for zero or when it does not fit.
    pub fn remainder(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let digits = self.at_scale(scale)?.checked_rem(other.at_scale(scale)?)?;
        Some(Decimal { digits, scale }.trimmed())
    }

    /// Without zeros after the point that mean nothing.
    pub fn trimmed(mut self) -> Decimal {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl From<Decimal> for Number {
    fn from(decimal: Decimal) -> Number {
        let sign = if decimal.digits < 0 { "-" } else { "" };
        let digits = decimal.digits.unsigned_abs().to_string();
        let scale = decimal.scale as usize;
        let text = if scale == 0 {
            format!("{sign}{digits}")
        } else {
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        };
        // Digits with at most one point between them are a JSON number.
        Number::parse(&text).unwrap_or(Number(Repr::Whole(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn digits_stay_as_they_are_written() {
        for text in ["0", "-0", "1.50", "1e3", "1E+3", "-12.0e-7", "9223372036854775808", "0.10"] {
            assert_eq!(number(text).as_str(), text);
        }
        for text in ["", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "0x1", " 1", "1 ", "NaN", "--1", "1.2.3"]
        {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn order_is_exact() {
        let ascending = [
            "-1e400",
            "-10000000000000000000002",
            "-10000000000000000000001",
            "-9",
            "-1.5",
            "-1",
            "-0.5",
            "0",
            "1e-999999999999999999999",
            "0.1",
            "0.10000000000000000000001",
            "1",
            "9",
            "10",
            "1e2",
            "9007199254740993",
            "9007199254740994",
            "1e308",
            "1e309",
        ];
        for (at, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(number(left).cmp(&number(right)), at.cmp(&other), "{left} and {right}");
            }
        }
        for (left, right) in [("1", "1.0"), ("100", "1e2"), ("0", "-0"), ("0", "0e9"), ("-1.50", "-15e-1")] {
            assert_eq!(number(left), number(right));
        }
    }

    #[test]
    fn whole_numbers_are_recognised() {
        let cases = [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("3e2", Some(300)),
            ("300e-2", Some(3)),
            ("3.5", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e400", None),
        ];
        for (text, expect) in cases {
            assert_eq!(number(text).as_i64(), expect, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        let decimal = |text: &str| number(text).decimal().unwrap();
        let sum =
            |left: &str, right: &str| Number::from(decimal(left).plus(decimal(right)).unwrap()).to_string();
        assert_eq!(sum("0.1", "0.2"), "0.3");
        assert_eq!(sum("-0.05", "0.04"), "-0.01");
        assert_eq!(sum("10000000000000000000001", "1"), "10000000000000000000002");
        assert_eq!(Number::from(decimal("1.25").times(decimal("4")).unwrap()).to_string(), "5");
        assert_eq!(Number::from(decimal("0.3").remainder(decimal("0.1")).unwrap()).to_string(), "0");
        assert_eq!(number("1e39").decimal(), None);
        assert_eq!(number("1e-39").decimal(), None);
        let most = Decimal { digits: i128::MAX, scale: 0 };
        assert_eq!((most.plus(most), most.times(most), most.remainder(decimal("0"))), (None, None, None));
    }

    #[test]
    fn floats_become_their_shortest_text() {
        let text = |float| Number::from_f64(float).map(|number| number.to_string());
        assert_eq!(text(3.0).as_deref(), Some("3"));
        assert_eq!(text(0.1).as_deref(), Some("0.1"));
        assert_eq!(text(-0.0).as_deref(), Some("0"));
        assert_eq!(text(1e21).as_deref(), Some("1e+21"));
        assert_eq!(text(f64::NAN), None);
        assert_eq!(text(f64::INFINITY), None);
    }
}
