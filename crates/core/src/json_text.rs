//! JSON as the text that it is: one level of it read, one member of it exchanged, every other byte untouched.
//!
//! A connector's document must leave as it came, and a record passes through a call as the provider wrote it. So
//! neither becomes a tree of values: a value is a slice of its text, a change is a splice. What is spliced in follows
//! the blanks of its neighbours. Duplicate members stay; the last one counts.
//!
//! Not here: places several levels deep (`json_path` finds them, `json_tree` changes them).

use std::borrow::Cow;
use std::ops::Range;

use crate::limits::JSON_DEPTH_MAX;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The kind in a sentence: `a text`.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a truth value",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

/// Why a text is not JSON that we take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonTextError {
    /// Not well-formed.
    #[error("it is not well-formed JSON ({0}); correct it there")]
    Malformed(String),
    /// Nested too deeply.
    #[error("it is nested more than {JSON_DEPTH_MAX} deep; flatten it")]
    TooDeep,
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'t> {
    /// Its name, decoded.
    pub name: Cow<'t, str>,
    /// Its value's text, without blanks around it.
    pub value: &'t str,
}

/// Whether `text` is one well-formed JSON value of bounded depth. Everything else in this module wants such text and
/// answers `None` (never a panic) to any other.
pub fn validate(text: &str) -> Result<(), JsonTextError> {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest > JSON_DEPTH_MAX {
        return Err(JsonTextError::TooDeep);
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| JsonTextError::Malformed(error.to_string()))
}

/// What the value is, by its first sign.
pub fn kind(value: &str) -> Option<Kind> {
    Some(match value.trim_ascii_start().as_bytes().first()? {
        b'{' => Kind::Object,
        b'[' => Kind::List,
        b'"' => Kind::Text,
        b't' | b'f' => Kind::Bool,
        b'n' => Kind::Null,
        _ => Kind::Number,
    })
}

/// The members of an object in their order, duplicates included. `None` when it is no object.
pub fn members(object: &str) -> Option<Vec<Member<'_>>> {
    let spans = member_spans(object)?;
    Some(
        spans
            .into_iter()
            .map(|span| Member { name: decode(&object[span.name]), value: &object[span.value] })
            .collect(),
    )
}

/// The value of a member; of several with this name the last one. `None` when there is none, or no object.
pub fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    members(object)?.into_iter().rev().find(|member| member.name == name).map(|member| member.value)
}

/// The items of a list. `None` when it is no list.
pub fn items(list: &str) -> Option<Vec<&str>> {
    Some(item_spans(list)?.into_iter().map(|span| &list[span]).collect())
}

/// A text's content. `None` for any other value. Half of a surrogate pair becomes U+FFFD.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    let value = value.trim_ascii();
    (value.len() >= 2 && value.starts_with('"') && value.ends_with('"')).then(|| decode(value))
}

/// A scalar as it should be shown or sent: a text's content, a number or a truth value as written; `None` otherwise.
pub fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match kind(value)? {
        Kind::Text => text(value),
        Kind::Bool | Kind::Number => Some(Cow::Borrowed(value.trim_ascii())),
        Kind::Null | Kind::List | Kind::Object => None,
    }
}

/// Writes a text as JSON.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The object with this member: its value exchanged where it is (the last of duplicates), or added at the end.
/// Text that is no object comes back as it is.
pub fn with_member(object: &str, name: &str, value: &str) -> String {
    let Some(spans) = member_spans(object) else { return object.to_string() };
    if let Some(span) = spans.iter().rev().find(|span| decode(&object[span.name.clone()]) == name) {
        return splice(object, span.value.clone(), value);
    }
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => {
            let lead = &object[open_of(object) + 1..first.name.start];
            let colon = &object[last.name.end..last.value.start];
            let added = format!(",{lead}{}{colon}{value}", quote(name));
            splice(object, last.value.end..last.value.end, &added)
        }
        _ => splice(object, inside(object), &format!("{}:{value}", quote(name))),
    }
}

/// The object without the members of this name.
pub fn without_member(object: &str, name: &str) -> String {
    let mut left = object.to_string();
    while let Some(spans) = member_spans(&left) {
        let Some(at) = spans.iter().position(|span| decode(&left[span.name.clone()]) == name) else { break };
        let wholes: Vec<Range<usize>> = spans.iter().map(|span| span.name.start..span.value.end).collect();
        left = without(&left, &wholes, at);
    }
    left
}

/// The list with one more item at its end. Text that is no list comes back as it is.
pub fn with_item(list: &str, item: &str) -> String {
    let Some(spans) = item_spans(list) else { return list.to_string() };
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => {
            let lead = &list[open_of(list) + 1..first.start];
            splice(list, last.end..last.end, &format!(",{lead}{item}"))
        }
        _ => splice(list, inside(list), item),
    }
}

/// The list with the item at this position exchanged. A position that does not exist changes nothing.
pub fn with_item_at(list: &str, position: usize, item: &str) -> String {
    match item_spans(list).and_then(|spans| spans.get(position).cloned()) {
        Some(span) => splice(list, span, item),
        None => list.to_string(),
    }
}

/// The list without the item at this position. A position that does not exist changes nothing.
pub fn without_item(list: &str, position: usize) -> String {
    match item_spans(list) {
        Some(spans) if position < spans.len() => without(list, &spans, position),
        _ => list.to_string(),
    }
}

/// The list with every item exchanged for what `each` makes of it. Text that is no list comes back as it is.
pub fn with_each_item(list: &str, mut each: impl FnMut(usize, &str) -> String) -> String {
    let Some(spans) = item_spans(list) else { return list.to_string() };
    let mut text = String::with_capacity(list.len());
    let mut from = 0;
    for (position, span) in spans.into_iter().enumerate() {
        text.push_str(&list[from..span.start]);
        text.push_str(&each(position, &list[span.clone()]));
        from = span.end;
    }
    text.push_str(&list[from..]);
    text
}

struct MemberSpan {
    /// The name with its quotes.
    name: Range<usize>,
    value: Range<usize>,
}

fn member_spans(object: &str) -> Option<Vec<MemberSpan>> {
    let bytes = object.as_bytes();
    let mut at = blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = blanks(bytes, at + 1);
    let mut spans = Vec::new();
    if bytes.get(at) == Some(&b'}') {
        return Some(spans);
    }
    loop {
        let name = at..text_end(bytes, at)?;
        at = blanks(bytes, name.end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        let start = blanks(bytes, at + 1);
        let end = value_end(bytes, start)?;
        spans.push(MemberSpan { name, value: start..end });
        at = blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at = blanks(bytes, at + 1),
            b'}' => return Some(spans),
            _ => return None,
        }
    }
}

fn item_spans(list: &str) -> Option<Vec<Range<usize>>> {
    let bytes = list.as_bytes();
    let mut at = blanks(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    at = blanks(bytes, at + 1);
    let mut spans = Vec::new();
    if bytes.get(at) == Some(&b']') {
        return Some(spans);
    }
    loop {
        let end = value_end(bytes, at)?;
        spans.push(at..end);
        at = blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at = blanks(bytes, at + 1),
            b']' => return Some(spans),
            _ => return None,
        }
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the text that begins at `at`.
fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => text_end(bytes, at),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0usize, at);
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = text_end(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        b',' | b'}' | b']' | b':' => None,
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            Some(bytes[at..].iter().position(is_end).map_or(bytes.len(), |length| at + length))
        }
    }
}

fn open_of(text: &str) -> usize {
    text.find(['{', '[']).unwrap_or(0)
}

/// Everything between the brackets.
fn inside(text: &str) -> Range<usize> {
    let open = open_of(text);
    open + 1..text.rfind(['}', ']']).unwrap_or(text.len()).max(open + 1)
}

/// Cuts out one of several parts with the comma that it no longer needs.
fn without(text: &str, parts: &[Range<usize>], at: usize) -> String {
    let cut = match (at.checked_sub(1), parts.get(at + 1)) {
        (Some(before), _) => parts[before].end..parts[at].end,
        (None, Some(after)) => parts[at].start..after.start,
        (None, None) => inside(text),
    };
    splice(text, cut, "")
}

fn splice(text: &str, place: Range<usize>, with: &str) -> String {
    let mut spliced = String::with_capacity(text.len() + with.len());
    spliced.push_str(&text[..place.start]);
    spliced.push_str(with);
    spliced.push_str(&text[place.end..]);
    spliced
}

/// Decodes a quoted text.
fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str::<String>(quoted) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Owned(decode_halves(inner)),
    }
}

/// Decodes text in which halves of surrogate pairs stand alone.
fn decode_halves(inner: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(letter) = rest.next() {
        let mut buffer = [0; 2];
        if letter != '\\' {
            units.extend_from_slice(letter.encode_utf16(&mut buffer));
            continue;
        }
        let unit = match rest.next() {
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).unwrap_or(0xFFFD)
            }
            Some('n') => 0x0A,
            Some('t') => 0x09,
            Some('r') => 0x0D,
            Some('b') => 0x08,
            Some('f') => 0x0C,
            Some(other) => u16::try_from(u32::from(other)).unwrap_or(0xFFFD),
            None => 0xFFFD,
        };
        units.push(unit);
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_level_is_read() {
        let object = r#" { "a" : 1.50 , "b":{"c":[1,"}"]}, "d\u0065":"x\"y", "a":2 } "#;
        let found: Vec<(String, &str)> = members(object)
            .unwrap()
            .into_iter()
            .map(|member| (member.name.into_owned(), member.value))
            .collect();
        let expected = [
            ("a".to_string(), "1.50"),
            ("b".to_string(), r#"{"c":[1,"}"]}"#),
            ("de".to_string(), r#""x\"y""#),
            ("a".to_string(), "2"),
        ];
        assert_eq!(found, expected);
        assert_eq!(member(object, "a"), Some("2"), "the last one counts");
        assert_eq!(items(r#"[1, {"a":2} ,"],["]"#).unwrap(), ["1", r#"{"a":2}"#, r#""],[""#]);
        assert_eq!(items("[ ]").unwrap().len(), 0);
        assert_eq!((members("[]"), items("{}"), members("")), (None, None, None));
    }

    #[test]
    fn a_member_is_exchanged_in_place_or_added_in_the_style_of_its_neighbours() {
        let pretty = "{\n  \"a\": 1,\n  \"b\": 2\n}";
        assert_eq!(with_member(pretty, "b", "[3]"), "{\n  \"a\": 1,\n  \"b\": [3]\n}");
        assert_eq!(with_member(pretty, "c", "3"), "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}");
        assert_eq!(with_member("{ }", "c", "3"), r#"{"c":3}"#);
        assert_eq!(with_member(r#"{"a":1,"a":2}"#, "a", "3"), r#"{"a":1,"a":3}"#);
        assert_eq!(with_member("7", "a", "3"), "7");
    }

    #[test]
    fn a_member_leaves_with_its_comma() {
        assert_eq!(without_member(r#"{"a":1, "b":2, "c":3}"#, "b"), r#"{"a":1, "c":3}"#);
        assert_eq!(without_member(r#"{"a":1, "b":2}"#, "a"), r#"{"b":2}"#);
        assert_eq!(without_member(r#"{ "a":1 }"#, "a"), "{}");
        assert_eq!(without_member(r#"{"a":1,"a":2}"#, "a"), "{}");
        assert_eq!(without_member(r#"{"a":1}"#, "x"), r#"{"a":1}"#);
    }

    #[test]
    fn items_are_added_exchanged_and_removed() {
        assert_eq!(with_item("[1,\n 2]", "3"), "[1,\n 2,3]");
        assert_eq!(with_item("[\n  1\n]", "3"), "[\n  1,\n  3\n]");
        assert_eq!(with_item("[ ]", "3"), "[3]");
        assert_eq!(with_item_at("[1, 2]", 1, "9"), "[1, 9]");
        assert_eq!(with_item_at("[1, 2]", 2, "9"), "[1, 2]");
        assert_eq!(without_item("[1, 2, 3]", 0), "[2, 3]");
        assert_eq!(without_item("[1, 2, 3]", 2), "[1, 2]");
        assert_eq!(without_item("[1]", 0), "[]");
        assert_eq!(with_each_item("[1,\n 2 ]", |at, item| format!("{at}{item}")), "[01,\n 12 ]");
    }

    #[test]
    fn scalars_keep_their_text() {
        assert_eq!(scalar("1.10").unwrap(), "1.10");
        assert_eq!(scalar(r#""a\nb""#).unwrap(), "a\nb");
        assert_eq!(scalar("null"), None);
        assert_eq!(text(r#""a\ud800b""#).unwrap(), "a\u{FFFD}b");
        assert_eq!(text("\""), None);
        assert_eq!(quote("a\"b"), r#""a\"b""#);
    }

    #[test]
    fn only_sound_text_is_taken() {
        assert_eq!(validate(r#"{"a":[1e400,"\ud800"]}"#), Ok(()));
        assert!(matches!(validate("{"), Err(JsonTextError::Malformed(_))));
        let deep = format!("{}{}", "[".repeat(JSON_DEPTH_MAX + 1), "]".repeat(JSON_DEPTH_MAX + 1));
        assert_eq!(validate(&deep), Err(JsonTextError::TooDeep));
        let deepest = format!("{}{}", "[".repeat(JSON_DEPTH_MAX), "]".repeat(JSON_DEPTH_MAX));
        assert_eq!(validate(&deepest), Ok(()));
    }
}
