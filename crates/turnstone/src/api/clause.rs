//! The little of the `where` language that deliveries are searched by: equalities joined by `and`.
//!
//! `channel='webhook' and status='queued' and config.url='https://…'`; keywords in any letter case, either quote, a
//! doubled quote inside a value stands for one. Anything else is refused with its place rather than read loosely:
//! releasing the wrong deliveries cannot be taken back.

/// One equality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equal {
    /// The field.
    pub field: String,
    /// The value.
    pub value: String,
}

/// Conditions that a clause may hold.
const CONDITIONS_MAX: usize = 16;

/// Reads a clause. The error is a sentence.
pub fn read(text: &str) -> Result<Vec<Equal>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (equal, after) = condition(text, rest)?;
        found.push(equal);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(found);
        }
        let joined = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("and"));
        if !joined || !rest[3..].starts_with(char::is_whitespace) {
            return Err(wrong(text, rest, "`and` and a further condition"));
        }
        if found.len() == CONDITIONS_MAX {
            return Err(format!("there are more than {CONDITIONS_MAX} conditions"));
        }
        rest = rest[3..].trim_start();
    }
}

fn condition<'a>(text: &str, rest: &'a str) -> Result<(Equal, &'a str), String> {
    let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || ".-_".contains(letter)));
    let (field, after) = rest.split_at(end.unwrap_or(rest.len()));
    if field.is_empty() {
        return Err(wrong(text, rest, "a field"));
    }
    let after = after.trim_start();
    let Some(after) = after.strip_prefix('=') else {
        return Err(wrong(text, after, "`=`"));
    };
    let (value, after) = value(text, after.trim_start())?;
    Ok((Equal { field: field.to_owned(), value }, after))
}

fn value<'a>(text: &str, rest: &'a str) -> Result<(String, &'a str), String> {
    let Some(quote) = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"')) else {
        return Err(wrong(text, rest, "a value in quotes"));
    };
    let mut value = String::new();
    let mut inside = &rest[1..];
    loop {
        let Some(end) = inside.find(quote) else { return Err(wrong(text, rest, "the end of this quote")) };
        value.push_str(&inside[..end]);
        inside = &inside[end + 1..];
        if !inside.starts_with(quote) {
            return Ok((value, inside));
        }
        value.push(quote);
        inside = &inside[1..];
    }
}

fn wrong(text: &str, rest: &str, expected: &str) -> String {
    let place = text.len() - rest.len() + 1;
    format!(
        "at character {place} of `where` {expected} is expected, as in `channel='webhook' and status='queued'`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, &str)]) {
        let equal = |(field, value): &(&str, &str)| Equal { field: (*field).into(), value: (*value).into() };
        assert_eq!(read(text), Ok(expect.iter().map(equal).collect()), "{text}");
    }

    #[test]
    fn conditions_are_read() {
        check("status='queued'", &[("status", "queued")]);
        check(
            " channel = 'webhook' AND status=\"queued\" and config.url='https://a/b?c=d and e' ",
            &[("channel", "webhook"), ("status", "queued"), ("config.url", "https://a/b?c=d and e")],
        );
        check("name='it''s'", &[("name", "it's")]);
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for text in [
            "",
            "status",
            "status=",
            "status=queued",
            "status='queued",
            "status='a' or status='b'",
            "='a'",
            "status='a' and",
            "status='a' andb='c'",
            "status!='a'",
            "é='a'",
            "a='b' ünd",
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains("at character"), "{error}");
        }
        assert!(read("status='a' or status='b'").unwrap_err().contains("character 12"));
    }
}
