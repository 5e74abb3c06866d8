//! The Formula card: arithmetic written as people write it.
//!
//! Numbers, names of the author's inputs (with blanks in brackets: `[unit price]`), `+ - * / % ^`, brackets, and the
//! functions `abs`, `ceil`, `floor`, `round`, `sqrt`, `pow`, `min`, `max`, `exp`, `ln`, `log`. Power binds tighter
//! than a sign and to the right. Everything is reckoned as the number cards do, exactly where that is possible.

use std::iter::Peekable;
use std::str::CharIndices;

use super::call::{Call, bad, one};
use super::number::{
    NoNumber, Rounding, add, divide, magnitude, multiply, of_float, remainder, round, subtract,
};
use super::{CardError, Outputs};
use crate::flow::value::{Number, Type, Value, convert};
use crate::limits::FLOW_PATTERN_BYTES_MAX;

/// Brackets and powers inside one another: they are read by recursion.
const DEPTH_MAX: u32 = 32;

pub(super) fn card(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("expression");
    let fail = |why: String| bad("expression", format!("input `expression`: {why}"));
    if text.len() > FLOW_PATTERN_BYTES_MAX {
        return Err(fail(format!("it has {} bytes; at most {FLOW_PATTERN_BYTES_MAX}", text.len())));
    }
    let lookup = |name: &str| call.author().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let mut reader = Reader { text: &text, rest: text.char_indices().peekable(), depth: 0, lookup: &lookup };
    Ok(one("output", reader.whole().map_err(fail)?))
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    depth: u32,
    lookup: &'t dyn Fn(&str) -> Option<Value>,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<Number, String> {
        let result = self.sum()?;
        match self.peek() {
            None => Ok(result),
            Some(char) => Err(format!("`{char}` at character {} is not expected", self.at())),
        }
    }

    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, char)| char.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, char)| *char)
    }

    /// The next character's place, for people: from 1.
    fn at(&mut self) -> usize {
        let byte = self.rest.peek().map_or(self.text.len(), |(byte, _)| *byte);
        self.text[..byte].chars().count() + 1
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.peek() == Some(wanted) && self.rest.next().is_some()
    }

    fn sum(&mut self) -> Result<Number, String> {
        let mut result = self.product()?;
        loop {
            result = if self.eat('+') {
                add(&result, &self.product()?)
            } else if self.eat('-') {
                subtract(&result, &self.product()?)
            } else {
                return Ok(result);
            }
            .map_err(|why| why.to_string())?;
        }
    }

    fn product(&mut self) -> Result<Number, String> {
        let mut result = self.signed()?;
        loop {
            result = if self.eat('*') {
                multiply(&result, &self.signed()?)
            } else if self.eat('/') {
                divide(&result, &self.signed()?)
            } else if self.eat('%') {
                remainder(&result, &self.signed()?)
            } else {
                return Ok(result);
            }
            .map_err(|why| why.to_string())?;
        }
    }

    fn signed(&mut self) -> Result<Number, String> {
        let mut negative = false;
        loop {
            if self.eat('-') {
                negative = !negative;
            } else if !self.eat('+') {
                break;
            }
        }
        let number = self.power()?;
        if negative { subtract(&Number::from(0), &number).map_err(|why| why.to_string()) } else { Ok(number) }
    }

    fn power(&mut self) -> Result<Number, String> {
        let base = self.atom()?;
        if !self.eat('^') {
            return Ok(base);
        }
        self.deeper()?;
        let exponent = self.signed()?;
        self.depth -= 1;
        raise(&base, &exponent).map_err(|why| why.to_string())
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(format!("it is nested more than {DEPTH_MAX} deep")) } else { Ok(()) }
    }

    fn atom(&mut self) -> Result<Number, String> {
        match self.peek() {
            None => Err("it ends where a number would have to be".to_owned()),
            Some('(') => self.bracket(),
            Some('[') => {
                self.rest.next();
                let name = self.run(|char| char != ']');
                if !self.eat(']') {
                    return Err(format!("the `]` after `{name}` is missing"));
                }
                self.named(name.trim())
            }
            Some(char) if char.is_ascii_digit() || char == '.' => self.literal(),
            Some(char) if char.is_alphabetic() || char == '_' => {
                let name = self.run(|char| char.is_alphanumeric() || matches!(char, '_' | '.'));
                if self.peek() == Some('(') { self.function(&name) } else { self.named(&name) }
            }
            Some(char) => Err(format!("`{char}` at character {} is not expected", self.at())),
        }
    }

    fn bracket(&mut self) -> Result<Number, String> {
        self.rest.next();
        self.deeper()?;
        let result = self.sum()?;
        self.depth -= 1;
        if self.eat(')') { Ok(result) } else { Err(format!("a `)` is missing at character {}", self.at())) }
    }

    fn run(&mut self, wanted: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.rest.next_if(|(_, char)| wanted(*char)).map(|(_, char)| char)).collect()
    }

    fn literal(&mut self) -> Result<Number, String> {
        let at = self.at();
        let mut text = self.run(|char| char.is_ascii_digit() || char == '.');
        if self.rest.next_if(|(_, char)| matches!(char, 'e' | 'E')).is_some() {
            text.push('e');
            text.extend(self.rest.next_if(|(_, char)| matches!(char, '+' | '-')).map(|(_, char)| char));
            text.push_str(&self.run(|char| char.is_ascii_digit()));
        }
        match convert(Value::text(text.clone()), Type::NUMBER) {
            Ok(Value::Number(number)) => Ok(number),
            _ => Err(format!("`{text}` at character {at} is not a number")),
        }
    }

    fn named(&self, name: &str) -> Result<Number, String> {
        let value = (self.lookup)(name).ok_or_else(|| format!("the card has no input `{name}`; add one"))?;
        match convert(value, Type::NUMBER) {
            Ok(Value::Number(number)) => Ok(number),
            Ok(_) => Err(format!("input `{name}` has no value; wire a number to it")),
            Err(why) => Err(format!("input `{name}`: {why}")),
        }
    }

    fn function(&mut self, name: &str) -> Result<Number, String> {
        self.rest.next();
        self.deeper()?;
        let mut arguments = Vec::new();
        if !self.eat(')') {
            loop {
                arguments.push(self.sum()?);
                if self.eat(')') {
                    break;
                }
                if !self.eat(',') {
                    return Err(format!("a `)` is missing at character {}", self.at()));
                }
            }
        }
        self.depth -= 1;
        apply(name, &arguments)
    }
}

fn apply(name: &str, arguments: &[Number]) -> Result<Number, String> {
    let float = |of: fn(f64) -> f64, number: &Number| of_float(of(number.as_f64()));
    let result = match (name.to_ascii_lowercase().as_str(), arguments) {
        ("abs", [number]) => Ok(magnitude(number)),
        ("ceil", [number]) => round(number, 0, Rounding::Up),
        ("floor", [number]) => round(number, 0, Rounding::Down),
        ("round", [number]) => round(number, 0, Rounding::Nearest),
        ("round", [number, decimals]) => {
            let decimals = decimals.as_i64().filter(|decimals| (0..=20).contains(decimals));
            let decimals = decimals.ok_or("`round` takes 0 to 20 decimals")?;
            round(number, u32::try_from(decimals).unwrap_or(0), Rounding::Nearest)
        }
        ("sqrt", [number]) => float(f64::sqrt, number),
        ("exp", [number]) => float(f64::exp, number),
        ("ln", [number]) => float(f64::ln, number),
        ("log", [number]) => float(f64::log10, number),
        ("pow", [base, exponent]) => raise(base, exponent),
        ("min", [first, rest @ ..]) => Ok(rest.iter().fold(first, |least, next| least.min(next)).clone()),
        ("max", [first, rest @ ..]) => Ok(rest.iter().fold(first, |most, next| most.max(next)).clone()),
        ("abs" | "ceil" | "floor" | "round" | "sqrt" | "exp" | "ln" | "log" | "pow" | "min" | "max", _) => {
            return Err(format!("`{name}` does not take {} numbers", arguments.len()));
        }
        _ => return Err(format!("there is no function `{name}`")),
    };
    result.map_err(|why| format!("`{name}`: {why}"))
}

/// Whole powers that fit are exact.
fn raise(base: &Number, exponent: &Number) -> Result<Number, NoNumber> {
    if let Some(times) = exponent.as_i64().filter(|times| (0..=128).contains(times))
        && let Some(decimal) = base.decimal()
    {
        let product =
            (0..times).try_fold(Number::from(1).decimal(), |product, _| product?.times(decimal).map(Some));
        if let Some(Some(exact)) = product {
            return Ok(exact.into());
        }
    }
    of_float(base.as_f64().powf(exponent.as_f64()))
}
