//! The `where` language: what a clause says, the forms it is sent in, and the little that polling must understand of
//! it.
//!
//! Two readers, because they are asked different things. A call, a list of our API or a hook needs the whole clause:
//! [`Expression::parse`] reads the field's CEQL (platform-api §5) into a tree, with its forms in `forms` and its
//! judgement of an object in `matching`. A poll has only a URL with a hole in it, whose filter may be a `where` clause
//! (`where=updated>='…'`), a parameter of its own (`updated_since=…`, `updated[gte]=…`), or both sides encoded: there
//! the text before a value decides ([`operator`]), and whatever is not recognised counts as unknown, which costs a few
//! records read twice and never loses one.
//!
//! Deliberately not here: the placeholders themselves (`template`).

mod forms;
mod matching;
mod parse;

pub use forms::FormError;
pub use parse::QueryError;

/// A `where` clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// One comparison.
    Is(Comparison),
    /// All of these, joined by `AND`.
    All(Vec<Expression>),
    /// One of these at least, joined by `OR`.
    Any(Vec<Expression>),
}

/// A field, how it is compared, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field's name, without quotes.
    pub field: String,
    /// How it is compared.
    pub comparator: Comparator,
    /// With what: nothing for nulls, several for lists, else one.
    pub values: Vec<Literal>,
}

/// A value of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Its text, without quotes.
    pub text: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `LIKE`, with `%` for any text
    Like,
    /// `NOT LIKE`
    NotLike,
    /// `IN (…)`
    In,
    /// `NOT IN (…)`
    NotIn,
    /// `IS NULL`
    IsNull,
    /// `IS NOT NULL`
    IsNotNull,
}

impl Comparator {
    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::NotEqual => "!=",
            Comparator::Less => "<",
            Comparator::Greater => ">",
            Comparator::AtMost => "<=",
            Comparator::AtLeast => ">=",
            Comparator::Like => "LIKE",
            Comparator::NotLike => "NOT LIKE",
            Comparator::In => "IN",
            Comparator::NotIn => "NOT IN",
            Comparator::IsNull => "IS NULL",
            Comparator::IsNotNull => "IS NOT NULL",
        }
    }

    /// Whether its value is a list.
    pub fn takes_list(self) -> bool {
        matches!(self, Comparator::In | Comparator::NotIn)
    }
}

/// What the text before a value says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `>=`, or a filter whose name ends in `gte`: the value itself is part of the answer.
    AtLeast,
    /// `>`, or a filter whose name ends in `gt`: the value itself is not part of the answer.
    After,
    /// `<=`, `<`, or a filter whose name ends in `lte` or `lt`.
    Before,
    /// Anything else, `since=` and `updated_after=` among them: providers disagree about the bound.
    Unknown,
}

/// Judges the operator that ends `before`, the text between the start of a parameter and its value.
pub fn operator(before: &str) -> Operator {
    let decoded = percent_decode(before);
    let text = decoded.trim_end_matches(['\'', '"', ' ', '+', '(']);
    if text.ends_with(">=") {
        Operator::AtLeast
    } else if text.ends_with("<=") || text.ends_with('<') {
        Operator::Before
    } else if text.ends_with('>') {
        Operator::After
    } else if let Some(left) = text.strip_suffix('=') {
        named(left)
    } else {
        Operator::Unknown
    }
}

/// The name that a plain `=` sets equal to the value that follows: `updated_at` in `where=a='b' and updated_at='`.
pub fn equated(before: &str) -> Option<String> {
    let decoded = percent_decode(before);
    let left = decoded.trim_end_matches(['\'', '"', ' ', '+', '(']).strip_suffix('=')?.trim_end();
    let name = left.rsplit(['=', ' ', '+', '(', ',', '\'', '"']).next()?;
    let plain = !name.is_empty() && !name.ends_with(['<', '>', '!', '~', '^', '*']);
    plain.then(|| name.to_string())
}

/// Judges a filter by its name: `updated__gte`, `updated_gte`, `updated[gte]`, `updated.gte`, `updatedGte`.
fn named(left: &str) -> Operator {
    let name = left.trim_end_matches([' ', ']', ')', '\'', '"']).to_ascii_lowercase();
    if name.ends_with("gte") {
        Operator::AtLeast
    } else if ["_gt", "[gt", ".gt"].iter().any(|end| name.ends_with(end)) {
        Operator::After
    } else if ["_lt", "[lt", ".lt", "_lte", "[lte", ".lte"].iter().any(|end| name.ends_with(end)) {
        Operator::Before
    } else {
        Operator::Unknown
    }
}

/// What must be done to the end of a value so that its quotes are pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteRepair {
    /// They are.
    None,
    /// One is missing at the end.
    Append,
    /// One too many stands at the end.
    DropLast,
}

/// Judges the single quotes of a value. Placeholders must have been taken out: their quotes belong to the format.
pub fn quotes(value: &str) -> QuoteRepair {
    let count = value.matches('\'').count() + value.matches("%27").count();
    if count.is_multiple_of(2) {
        QuoteRepair::None
    } else if value.ends_with("''") || count == 1 && value.ends_with('\'') {
        QuoteRepair::DropLast
    } else {
        QuoteRepair::Append
    }
}

/// Decodes percent escapes; what is not one stays as it is, and so do bytes that are no text.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escape(bytes, at) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The byte that an escape at this place stands for.
pub(crate) fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    if bytes.get(at) != Some(&b'%') {
        return None;
    }
    let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(1)? * 16 + digit(2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn judged(before: &str, expect: Operator) {
        assert_eq!(operator(before), expect, "{before}");
    }

    #[test]
    fn only_at_least_is_inclusive() {
        judged("where=updated>='", Operator::AtLeast);
        judged("where=TimeModified >= '", Operator::AtLeast);
        judged("where=updated%3E%3D%27", Operator::AtLeast);
        judged("where=updated_date__gte='", Operator::AtLeast);
        judged("updated_gte=", Operator::AtLeast);
        judged("updated[gte]=", Operator::AtLeast);
        judged("updated%5BGTE%5D=", Operator::AtLeast);
        judged("updated.gte=", Operator::AtLeast);
        judged("updatedGte=", Operator::AtLeast);
    }

    #[test]
    fn everything_else_is_not_known_to_include_its_bound() {
        judged("where=created >'", Operator::After);
        judged("updated[gt]=", Operator::After);
        judged("where=updated<='", Operator::Before);
        judged("updated__lte=", Operator::Before);
        judged("updated_since=", Operator::Unknown);
        judged("where=updated_after='", Operator::Unknown);
        judged("where=updated ge ", Operator::Unknown);
        judged("", Operator::Unknown);
    }

    #[test]
    fn a_plain_equals_sign_has_a_name() {
        assert_eq!(equated("where=a='b' and updated_at = '").as_deref(), Some("updated_at"));
        assert_eq!(equated("updated_at=").as_deref(), Some("updated_at"));
        for before in
            ["where=updated_at>='", "where=updated_at<=", "where=a!=", "=", "", "where=updated_at%3E%3D"]
        {
            assert_eq!(equated(before), None, "{before}");
        }
    }

    #[test]
    fn quotes_become_pairs() {
        assert_eq!(quotes("a>='x' and b='c,d"), QuoteRepair::Append);
        assert_eq!(quotes("a>='x'"), QuoteRepair::None);
        assert_eq!(quotes("a>='x''"), QuoteRepair::DropLast);
        assert_eq!(quotes("x'"), QuoteRepair::DropLast);
        assert_eq!(quotes(""), QuoteRepair::None);
    }

    #[test]
    fn escapes_are_read_and_halves_are_left() {
        assert_eq!(percent_decode("%3E%3d%27"), ">='");
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz%4"), "%zz%4");
        assert_eq!(percent_decode("%C3%A9"), "é");
    }
}
