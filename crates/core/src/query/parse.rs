//! Reads a `where` clause, the field's CEQL, into a tree.
//!
//! The grammar is in platform-api §5. What it leaves open is decided here and in decision 0015: `AND` binds before
//! `OR`; a quote inside a quoted value is written twice; a backslash is itself; a bare value ends at a blank, at the
//! `)` of an open parenthesis and, in a list, at a comma, and a bare date may be followed by its time.

use super::{Comparator, Comparison, Expression, Literal};
use crate::limits::{QUERY_BYTES_MAX, QUERY_COMPARISONS_MAX, QUERY_DEPTH_MAX};

/// Why a text is no `where` clause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the `where` clause at {place}: {problem}; {remedy}")]
pub struct QueryError {
    place: String,
    problem: String,
    remedy: String,
}

impl Expression {
    /// Reads a `where` clause. The error names the place, what is wrong there and what would be right.
    pub fn parse(text: &str) -> Result<Expression, QueryError> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(QueryError {
                place: "its end".into(),
                problem: format!("it has {} bytes", text.len()),
                remedy: format!("shorten it to {QUERY_BYTES_MAX} bytes"),
            });
        }
        let mut reader = Reader { text, at: 0, depth: 0, comparisons: 0 };
        let expression = reader.any()?;
        reader.blanks();
        if reader.at < text.len() {
            let problem = match reader.peek() {
                Some(')') => "a `)` has no `(`",
                _ => "`AND` or `OR` is missing before it",
            };
            return Err(
                reader.fail(problem, "join comparisons with `AND` or `OR`, and quote values with blanks")
            );
        }
        Ok(expression)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    comparisons: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn fail(&self, problem: impl Into<String>, remedy: impl Into<String>) -> QueryError {
        let rest: String = self.rest().chars().take(24).collect();
        let place = if rest.is_empty() { "its end".to_string() } else { format!("`{rest}`") };
        QueryError { place, problem: problem.into(), remedy: remedy.into() }
    }

    /// Takes a sign or a word, the word in any letter case and only as a whole.
    fn take(&mut self, wanted: &str) -> bool {
        self.blanks();
        let Some(found) = self.rest().get(..wanted.len()) else { return false };
        if !found.eq_ignore_ascii_case(wanted) {
            return false;
        }
        let is_word = wanted.bytes().all(|byte| byte.is_ascii_alphabetic());
        let after = self.rest()[wanted.len()..].chars().next();
        if is_word && after.is_some_and(|letter| letter.is_alphanumeric() || "_.-".contains(letter)) {
            return false;
        }
        self.at += wanted.len();
        true
    }

    fn any(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.all()?];
        while self.take("or") || self.take("||") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.term()?];
        while self.take("and") || self.take("&&") {
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn term(&mut self) -> Result<Expression, QueryError> {
        if !self.take("(") {
            return self.comparison().map(Expression::Is);
        }
        self.depth += 1;
        if self.depth > QUERY_DEPTH_MAX {
            return Err(self.fail("it is nested too deeply", format!("nest at most {QUERY_DEPTH_MAX} deep")));
        }
        let inner = self.any()?;
        if !self.take(")") {
            return Err(self.fail("a `)` is missing", "close every `(`"));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Comparison, QueryError> {
        self.comparisons += 1;
        if self.comparisons > QUERY_COMPARISONS_MAX {
            let remedy = format!("use at most {QUERY_COMPARISONS_MAX}, or `IN (…)`");
            return Err(self.fail("there are too many comparisons", remedy));
        }
        let field = self.field()?;
        if let Some(comparator) = self.sign() {
            let value = self.value(Listed::No)?;
            return Ok(Comparison { field, comparator, values: vec![value] });
        }
        if self.take("is") {
            let comparator = if self.take("not") { Comparator::IsNotNull } else { Comparator::IsNull };
            if !self.take("null") {
                return Err(self.fail("`NULL` is missing after `IS`", "write `IS NULL` or `IS NOT NULL`"));
            }
            return Ok(Comparison { field, comparator, values: Vec::new() });
        }
        let negated = self.take("not");
        if self.take("like") {
            let comparator = if negated { Comparator::NotLike } else { Comparator::Like };
            let value = self.value(Listed::No)?;
            return Ok(Comparison { field, comparator, values: vec![value] });
        }
        if self.take("in") {
            let comparator = if negated { Comparator::NotIn } else { Comparator::In };
            return Ok(Comparison { field, comparator, values: self.list()? });
        }
        let remedy = "write `=`, `!=`, `<`, `>`, `<=`, `>=`, `IN`, `LIKE` or `IS NULL` after it";
        Err(self.fail(format!("an operator is missing after `{field}`"), remedy))
    }

    fn sign(&mut self) -> Option<Comparator> {
        const SIGNS: [(&str, Comparator); 8] = [
            (">=", Comparator::AtLeast),
            ("<=", Comparator::AtMost),
            ("!=", Comparator::NotEqual),
            ("<>", Comparator::NotEqual),
            ("==", Comparator::Equal),
            ("=", Comparator::Equal),
            (">", Comparator::Greater),
            ("<", Comparator::Less),
        ];
        SIGNS.into_iter().find(|(sign, _)| self.take(sign)).map(|(_, comparator)| comparator)
    }

    fn field(&mut self) -> Result<String, QueryError> {
        self.blanks();
        let remedy = "begin a comparison with a field, as in `name='x'`";
        match self.peek() {
            None => Err(self.fail("a comparison is missing", remedy)),
            Some(quote @ ('`' | '\'' | '"')) => {
                let name = self.quoted(quote)?;
                if name.trim().is_empty() {
                    return Err(self.fail("a field's name is empty", remedy));
                }
                Ok(name)
            }
            Some(_) => {
                let ends = |letter: char| letter.is_whitespace() || "=!<>()'\"`,".contains(letter);
                let length = self.rest().find(ends).unwrap_or(self.rest().len());
                if length == 0 {
                    return Err(self.fail("a field's name is missing", remedy));
                }
                let name = self.rest()[..length].to_string();
                self.at += length;
                Ok(name)
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let opened = self.at;
        self.at += quote.len_utf8();
        let mut content = String::new();
        loop {
            let Some(end) = self.rest().find(quote) else {
                self.at = opened;
                let remedy = format!("close it with {quote}; a {quote} inside a value is written twice");
                return Err(self.fail("a quote is not closed", remedy));
            };
            content.push_str(&self.rest()[..end]);
            self.at += end + quote.len_utf8();
            if self.peek() != Some(quote) {
                return Ok(content);
            }
            content.push(quote);
            self.at += quote.len_utf8();
        }
    }

    fn value(&mut self, listed: Listed) -> Result<Literal, QueryError> {
        self.blanks();
        if let Some(quote @ ('\'' | '"')) = self.peek() {
            return Ok(Literal { text: self.quoted(quote)?, quoted: true });
        }
        let mut text = self.bare(listed).to_string();
        if text.is_empty() {
            return Err(
                self.fail("a value is missing", "write one, in quotes when it holds blanks or is empty")
            );
        }
        // A date and its time, with the blank that quotes would have kept.
        let before = self.at;
        self.blanks();
        if is_date(&text) && is_time(self.rest()) {
            let time = self.bare(listed);
            text = format!("{text} {time}");
        } else {
            self.at = before;
        }
        Ok(Literal { text, quoted: false })
    }

    fn bare(&mut self, listed: Listed) -> &'t str {
        let mut open = 0usize;
        let in_parenthesis = self.depth > 0 || listed == Listed::Yes;
        let end = self.rest().char_indices().find(|(_, letter)| match letter {
            '(' => {
                open += 1;
                false
            }
            ')' if open > 0 => {
                open -= 1;
                false
            }
            ')' => in_parenthesis,
            ',' => listed == Listed::Yes && open == 0,
            letter => letter.is_whitespace(),
        });
        let length = end.map_or(self.rest().len(), |(at, _)| at);
        let bare = &self.rest()[..length];
        self.at += length;
        bare
    }

    fn list(&mut self) -> Result<Vec<Literal>, QueryError> {
        if !self.take("(") {
            return Err(self.fail("a list is missing after `IN`", "write `IN ('a', 'b')`"));
        }
        let mut values = vec![self.value(Listed::Yes)?];
        while self.take(",") {
            if values.len() >= QUERY_COMPARISONS_MAX {
                let remedy = format!("list at most {QUERY_COMPARISONS_MAX}");
                return Err(self.fail("there are too many values", remedy));
            }
            values.push(self.value(Listed::Yes)?);
        }
        if !self.take(")") {
            return Err(
                self.fail("the list after `IN` is not closed", "separate values with `,` and close with `)`")
            );
        }
        Ok(values)
    }
}

/// Whether a value stands in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Yes,
    No,
}

/// `2020-01-31`, or with slashes.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => matches!(byte, b'-' | b'/'),
            _ => byte.is_ascii_digit(),
        })
}

/// `10:20…`.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 5
        && bytes[..5].iter().enumerate().all(|(at, byte)| match at {
            2 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
}
