//! Number cards (catalogue §9).
//!
//! Sums, differences and products are exact as long as they have at most 38 digits, so that `0.1 + 0.2` is `0.3`;
//! beyond that, and where a quotient does not end, they are the nearest binary floats, as the field has them
//! everywhere.

use super::call::{Call, Function, bad, one, whole_of};
use super::chance::Chance;
use super::{CardError, Outputs};
use crate::flow::value::{Decimal, Number, Value};

/// Digits after the point that rounding and dividing may ask for.
const DECIMALS_MAX: i64 = 20;

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "add" => add_all,
        "subtract" => subtract_two,
        "multiply" => multiply_all,
        "divide" => divide_two,
        "mod" => remainder_of_two,
        "round" => round_nearest,
        "ceil" => round_up,
        "floor" => round_down,
        "abs" => absolute,
        "random" => random,
        "expression" => super::formula::card,
        _ => return None,
    })
}

/// Why there is no result: it is beyond all numbers, or nothing is divided by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoNumber {
    #[error("the result is larger than any number that can be written")]
    Beyond,
    #[error("it divides by zero")]
    ByZero,
    #[error("the result is not a number")]
    NotANumber,
}

/// A float as a number.
pub(super) fn of_float(float: f64) -> Result<Number, NoNumber> {
    let why = if float.is_nan() { NoNumber::NotANumber } else { NoNumber::Beyond };
    Number::from_f64(float).ok_or(why)
}

fn exactly(
    left: &Number,
    right: &Number,
    exact: fn(Decimal, Decimal) -> Option<Decimal>,
    float: fn(f64, f64) -> f64,
) -> Result<Number, NoNumber> {
    let decimals = left.decimal().zip(right.decimal());
    match decimals.and_then(|(left, right)| exact(left, right)) {
        Some(result) => Ok(result.into()),
        None => of_float(float(left.as_f64(), right.as_f64())),
    }
}

pub(super) fn add(left: &Number, right: &Number) -> Result<Number, NoNumber> {
    exactly(left, right, Decimal::plus, |left, right| left + right)
}

pub(super) fn subtract(left: &Number, right: &Number) -> Result<Number, NoNumber> {
    exactly(left, right, Decimal::minus, |left, right| left - right)
}

pub(super) fn multiply(left: &Number, right: &Number) -> Result<Number, NoNumber> {
    exactly(left, right, Decimal::times, |left, right| left * right)
}

pub(super) fn remainder(left: &Number, right: &Number) -> Result<Number, NoNumber> {
    if *right == Number::from(0) {
        return Err(NoNumber::ByZero);
    }
    exactly(left, right, Decimal::remainder, |left, right| left % right)
}

pub(super) fn divide(left: &Number, right: &Number) -> Result<Number, NoNumber> {
    if *right == Number::from(0) {
        return Err(NoNumber::ByZero);
    }
    let exact = || {
        let (left, right) = (left.decimal()?, right.decimal()?);
        let scaled = quotient(left, right, 20)?;
        (scaled.1 == 0).then(|| Decimal { digits: scaled.0, scale: 20 }.trimmed())
    };
    match exact() {
        Some(result) => Ok(result.into()),
        None => of_float(left.as_f64() / right.as_f64()),
    }
}

/// The quotient with so many digits after the point, cut off, and what remains.
fn quotient(left: Decimal, right: Decimal, decimals: u32) -> Option<(i128, i128)> {
    let shift = i64::from(decimals) + i64::from(right.scale) - i64::from(left.scale);
    let power = |exponent: i64| 10i128.checked_pow(u32::try_from(exponent).ok()?);
    let (above, below) = if shift >= 0 {
        (left.digits.checked_mul(power(shift)?)?, right.digits)
    } else {
        (left.digits, right.digits.checked_mul(power(-shift)?)?)
    };
    Some((above.checked_div(below)?, above.checked_rem(below)?))
}

/// Which way rounding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the nearest; a half away from zero.
    Nearest,
    /// To the next larger one.
    Up,
    /// To the next smaller one.
    Down,
}

/// Rounds to so many digits after the point.
pub(super) fn round(number: &Number, decimals: u32, way: Rounding) -> Result<Number, NoNumber> {
    let Some(decimal) = number.decimal() else { return round_float(number, decimals, way) };
    if decimal.scale <= decimals {
        return Ok(decimal.into());
    }
    // At most 38 digits were read, so the power fits.
    let unit = 10i128.pow(decimal.scale - decimals);
    let (whole, rest) = (decimal.digits.div_euclid(unit), decimal.digits.rem_euclid(unit));
    // Half of the unit, without doubling the rest, which may not fit.
    let half = rest.cmp(&(unit - rest));
    let up = match way {
        Rounding::Up => rest > 0,
        Rounding::Down => false,
        Rounding::Nearest => half.is_gt() || (half.is_eq() && decimal.digits > 0),
    };
    Ok(Decimal { digits: whole + i128::from(up), scale: decimals }.trimmed().into())
}

/// A number of more digits than can be reckoned with exactly.
fn round_float(number: &Number, decimals: u32, way: Rounding) -> Result<Number, NoNumber> {
    let float = number.as_f64();
    // From here on a float has no digits after the point.
    if !float.is_finite() || float.abs() >= 9_007_199_254_740_992.0 {
        return Ok(number.clone());
    }
    let unit = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    let scaled = float * unit;
    let rounded = match way {
        Rounding::Nearest => scaled.round(),
        Rounding::Up => scaled.ceil(),
        Rounding::Down => scaled.floor(),
    };
    of_float(rounded / unit)
}

fn fail(input: &str, why: NoNumber) -> CardError {
    bad(input, format!("input `{input}`: {why}; give other numbers"))
}

fn fold(
    call: &mut Call<'_>,
    step: fn(&Number, &Number) -> Result<Number, NoNumber>,
) -> Result<Outputs, CardError> {
    let mut result: Option<Number> = None;
    for (name, value) in call.repeated("number")? {
        let Value::Number(number) = value else { continue };
        result = Some(match result {
            None => number,
            Some(so_far) => step(&so_far, &number).map_err(|why| fail(&name, why))?,
        });
    }
    Ok(one("output", result.unwrap_or(Number::from(0))))
}

fn add_all(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    fold(call, add)
}

fn multiply_all(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    fold(call, multiply)
}

fn subtract_two(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (left, right) = (call.number("a")?, call.number("b")?);
    Ok(one("output", subtract(&left, &right).map_err(|why| fail("b", why))?))
}

fn remainder_of_two(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (left, right) = (call.number("a")?, call.number("b")?);
    Ok(one("output", remainder(&left, &right).map_err(|why| fail("b", why))?))
}

fn divide_two(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (mut left, right) = (call.number("a")?, call.number("b")?);
    if call.truth("percentage") {
        left = multiply(&left, &Number::from(100)).map_err(|why| fail("a", why))?;
    }
    let Some(decimals) = call.whole_if_any("decimals", 0, DECIMALS_MAX)? else {
        return Ok(one("output", divide(&left, &right).map_err(|why| fail("b", why))?));
    };
    let decimals = u32::try_from(decimals).unwrap_or(0);
    let result = divide_rounded(&left, &right, decimals).map_err(|why| fail("b", why))?;
    Ok(one("output", result))
}

/// Divides and rounds once, so that no float in between turns a half.
fn divide_rounded(left: &Number, right: &Number, decimals: u32) -> Result<Number, NoNumber> {
    let (Some(above), Some(below)) = (left.decimal(), right.decimal()) else {
        return round(&divide(left, right)?, decimals, Rounding::Nearest);
    };
    match quotient(above, below, decimals) {
        None if below.digits == 0 => Err(NoNumber::ByZero),
        None => round(&divide(left, right)?, decimals, Rounding::Nearest),
        Some((cut, _)) => {
            // One digit more decides, and what remains behind it cannot turn a half downwards.
            let digits = match quotient(above, below, decimals + 1) {
                Some((finer, _)) => cut + (finer - cut * 10) / 5,
                None => cut,
            };
            Ok(Decimal { digits, scale: decimals }.trimmed().into())
        }
    }
}

fn rounded(call: &mut Call<'_>, way: Rounding) -> Result<Outputs, CardError> {
    let number = call.number("number")?;
    let decimals = u32::try_from(call.whole("decimals", 0, DECIMALS_MAX)?).unwrap_or(0);
    Ok(one("output", round(&number, decimals, way).map_err(|why| fail("number", why))?))
}

fn round_nearest(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    rounded(call, Rounding::Nearest)
}

fn round_up(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    rounded(call, Rounding::Up)
}

fn round_down(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    rounded(call, Rounding::Down)
}

fn absolute(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let number = call.number("number")?;
    Ok(one("output", magnitude(&number)))
}

/// The number without its sign, digits as they are.
pub(super) fn magnitude(number: &Number) -> Number {
    let text = number.as_str();
    // What is left of a number without its sign is a number.
    text.strip_prefix('-').and_then(Number::parse).unwrap_or_else(|| number.clone())
}

fn random(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let bound = 9_007_199_254_740_991;
    let (low, high) = (call.number("min")?, call.number("max")?);
    let (low, high) = (whole_of("min", &low, -bound, bound)?, whole_of("max", &high, -bound, bound)?);
    let span = u64::try_from(high - low)
        .map_err(|_| bad("max", format!("input `max` is {high} and below `min`, {low}; exchange them")))?;
    let drawn = Chance::of(call.context).below(span + 1);
    Ok(one("output", Value::whole(low + i64::try_from(drawn).unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn rounding_goes_its_way() {
        use Rounding::{Down, Nearest, Up};
        let cases = [
            ("2.5", 0, Nearest, "3"),
            ("-2.5", 0, Nearest, "-3"),
            ("2.45", 1, Nearest, "2.5"),
            ("-2.44", 1, Nearest, "-2.4"),
            ("2.1", 0, Up, "3"),
            ("-2.1", 0, Up, "-2"),
            ("2.9", 0, Down, "2"),
            ("-2.9", 0, Down, "-3"),
            ("2", 3, Up, "2"),
            ("1e30", 2, Nearest, "1000000000000000000000000000000"),
            ("1e300", 0, Nearest, "1e300"),
            ("1e-50", 0, Up, "1"),
            ("1e-50", 0, Nearest, "0"),
        ];
        for (text, decimals, way, expect) in cases {
            assert_eq!(round(&number(text), decimals, way).unwrap().to_string(), expect, "{text} {way:?}");
        }
    }

    #[test]
    fn quotients_are_exact_where_they_end() {
        let cases =
            [("1", "4", "0.25"), ("0.3", "0.1", "3"), ("1", "3", "0.3333333333333333"), ("-7", "2", "-3.5")];
        for (left, right, expect) in cases {
            assert_eq!(divide(&number(left), &number(right)).unwrap().to_string(), expect);
        }
        let rounded = |left: &str, right: &str, decimals| {
            divide_rounded(&number(left), &number(right), decimals).unwrap().to_string()
        };
        assert_eq!(rounded("2", "3", 2), "0.67");
        assert_eq!(rounded("-2", "3", 2), "-0.67");
        assert_eq!(rounded("1", "8", 2), "0.13");
        assert_eq!(rounded("10", "4", 0), "3");
        assert_eq!(rounded("1e30", "7", 3), "142857142857142857142857142857.143");
        assert_eq!(divide(&number("1"), &number("0.0")), Err(NoNumber::ByZero));
        assert_eq!(multiply(&number("1e308"), &number("1e308")), Err(NoNumber::Beyond));
    }
}
