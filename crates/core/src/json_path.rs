//! Places inside a JSON document, and picking the values that stand there from borrowed text.
//!
//! The poll's path reads records without building a tree: [`pick`] walks the text once and hands back slices of it. A
//! path is written with dots and brackets (`data.items`, `user.id`, `list[0].id`, `['a.b'].c`) or as a JSON Pointer
//! (`/data/items`, RFC 6901).
//!
//! Deliberately not here: wildcards, filters and slices. A field of a record has one place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A member of an object; also an index written as a name, which a JSON Pointer cannot tell apart.
    Key(String),
    /// A position in an array.
    Index(usize),
}

/// The place of one value in a document.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonPath {
    segments: Vec<Segment>,
    text: String,
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not a field path: {problem}; write it like `user.id`, `items[0].id` or `['a.b'].id`")]
pub struct PathError {
    path: String,
    problem: &'static str,
}

impl JsonPath {
    /// Reads a path. Blanks around it are dropped; an empty path is an error, because it names nothing.
    pub fn parse(text: &str) -> Result<JsonPath, PathError> {
        let trimmed = text.trim();
        let fail = |problem| PathError { path: text.to_string(), problem };
        if trimmed.is_empty() {
            return Err(fail("it is empty"));
        }
        let segments = if let Some(pointer) = trimmed.strip_prefix('/') {
            pointer.split('/').map(|part| Segment::Key(part.replace("~1", "/").replace("~0", "~"))).collect()
        } else {
            dotted(trimmed).map_err(fail)?
        };
        Ok(JsonPath { segments, text: trimmed.to_string() })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonPath({})", self.text)
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn dotted(text: &str) -> Result<Vec<Segment>, &'static str> {
    let mut segments = Vec::new();
    let mut rest = text;
    let mut after_dot = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (segment, tail) = bracket(inner)?;
            segments.push(segment);
            rest = tail;
            after_dot = false;
        } else if let Some(tail) = rest.strip_prefix('.') {
            if after_dot {
                return Err("a name is missing before a dot");
            }
            rest = tail;
            after_dot = true;
        } else {
            if !after_dot {
                return Err("a dot is missing after a bracket");
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            segments.push(Segment::Key(rest[..end].to_string()));
            rest = &rest[end..];
            after_dot = false;
        }
    }
    if after_dot { Err("it ends with a dot") } else { Ok(segments) }
}

/// Reads what follows `[`: a position, or a quoted name.
fn bracket(inner: &str) -> Result<(Segment, &str), &'static str> {
    for quote in ['\'', '"'] {
        if let Some(name) = inner.strip_prefix(quote) {
            let end = name.find(quote).ok_or("a quoted name is not closed")?;
            let tail = name[end + 1..].strip_prefix(']').ok_or("a `]` is missing")?;
            return Ok((Segment::Key(name[..end].to_string()), tail));
        }
    }
    let end = inner.find(']').ok_or("a `]` is missing")?;
    let index = inner[..end].parse().map_err(|_| "brackets hold a position or a quoted name")?;
    Ok((Segment::Index(index), &inner[end + 1..]))
}

/// Several paths, read together in one walk over a document.
#[derive(Clone, Debug)]
pub struct Picker {
    root: Node,
    count: usize,
}

/// What is wanted of the values at and below one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Slots that want the whole value that stands here.
    slots: Vec<usize>,
    keys: Vec<(String, Node)>,
    indexes: Vec<(usize, Node)>,
}

impl Node {
    /// Slots that want the whole value that stands here.
    pub(crate) fn slots(&self) -> &[usize] {
        &self.slots
    }

    /// The member of this name, if anything is wanted of it.
    pub(crate) fn key(&self, name: &str) -> Option<&Node> {
        self.keys.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    /// The element at this position, if anything is wanted of it. A JSON Pointer writes positions as names.
    pub(crate) fn index(&self, position: usize) -> Option<&Node> {
        let by_index = self.indexes.iter().find(|(index, _)| *index == position).map(|(_, node)| node);
        by_index
            .or_else(|| self.keys.iter().find(|(key, _)| key.parse() == Ok(position)).map(|(_, node)| node))
    }

    /// Whether nothing is wanted below this place.
    pub(crate) fn is_leaf(&self) -> bool {
        self.keys.is_empty() && self.indexes.is_empty()
    }

    fn insert(&mut self, segments: &[Segment], slot: usize) {
        match segments.split_first() {
            None => self.slots.push(slot),
            Some((Segment::Key(key), rest)) => {
                let at = self.keys.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
                    self.keys.push((key.clone(), Node::default()));
                    self.keys.len() - 1
                });
                self.keys[at].1.insert(rest, slot);
            }
            Some((Segment::Index(index), rest)) => {
                let at = self.indexes.iter().position(|(known, _)| known == index).unwrap_or_else(|| {
                    self.indexes.push((*index, Node::default()));
                    self.indexes.len() - 1
                });
                self.indexes[at].1.insert(rest, slot);
            }
        }
    }
}

impl Picker {
    /// A picker for these paths; `None` leaves its slot empty.
    pub fn new<'p>(paths: impl IntoIterator<Item = Option<&'p JsonPath>>) -> Picker {
        let mut root = Node::default();
        let mut count = 0;
        for path in paths {
            if let Some(path) = path {
                root.insert(path.segments(), count);
            }
            count += 1;
        }
        Picker { root, count }
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Walks `text` once and returns the raw text of every path's value, `None` where nothing stands. A duplicate
    /// member counts as its last appearance. Fails when `text` is not one well-formed JSON value.
    pub fn pick<'t>(&self, text: &'t str) -> Result<Vec<Option<&'t str>>, serde_json::Error> {
        let mut found = vec![None; self.count];
        self.pick_into(text, &mut found)?;
        Ok(found)
    }

    /// As [`Picker::pick`], into a buffer that is cleared first, so that a page of records allocates once.
    pub fn pick_into<'t>(
        &self,
        text: &'t str,
        found: &mut Vec<Option<&'t str>>,
    ) -> Result<(), serde_json::Error> {
        found.clear();
        found.resize(self.count, None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Walk { node: &self.root, found }.deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

struct Walk<'n, 'f, 't> {
    node: &'n Node,
    found: &'f mut Vec<Option<&'t str>>,
}

impl<'t> DeserializeSeed<'t> for Walk<'_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.node.is_leaf() {
            let raw: &'t RawValue = serde::Deserialize::deserialize(deserializer)?;
            for slot in &self.node.slots {
                self.found[*slot] = Some(raw.get());
            }
            return Ok(());
        }
        if !self.node.slots.is_empty() {
            // The whole value is wanted and something inside it too: take the slice, then walk the slice.
            let raw: &'t RawValue = serde::Deserialize::deserialize(deserializer)?;
            for slot in &self.node.slots {
                self.found[*slot] = Some(raw.get());
            }
            let mut inner = serde_json::Deserializer::from_str(raw.get());
            let below = Node { slots: Vec::new(), ..self.node.clone() };
            return Walk { node: &below, found: self.found }
                .deserialize(&mut inner)
                .map_err(serde::de::Error::custom);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Walk<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(next) = map.next_key_seed(Member(&self.node.keys))? {
            match next {
                Some(at) => {
                    forget(&self.node.keys[at].1, self.found);
                    map.next_value_seed(Walk { node: &self.node.keys[at].1, found: self.found })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut position = 0;
        loop {
            let more = match self.node.index(position) {
                Some(node) => seq.next_element_seed(Walk { node, found: self.found })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            position += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A later duplicate replaces an earlier member with everything below it.
pub(crate) fn forget(node: &Node, found: &mut [Option<&str>]) {
    for slot in &node.slots {
        found[*slot] = None;
    }
    for (_, child) in &node.keys {
        forget(child, found);
    }
    for (_, child) in &node.indexes {
        forget(child, found);
    }
}

/// Matches a member's name without allocating; a name with escapes is decoded by serde_json.
struct Member<'n>(&'n [(String, Node)]);

impl<'t> DeserializeSeed<'t> for Member<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Member<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|(key, _)| key == name))
    }
}

/// The elements of an array, as slices of its text. Fails when `text` is not an array.
pub fn elements(text: &str) -> Result<Vec<&str>, serde_json::Error> {
    let raw: Vec<&RawValue> = serde_json::from_str(text)?;
    Ok(raw.into_iter().map(RawValue::get).collect())
}

/// The text of a scalar as it should be shown: strings decoded, numbers and booleans as they were written. `None` for
/// `null`, objects and arrays.
pub fn scalar(raw: &str) -> Option<std::borrow::Cow<'_, str>> {
    use std::borrow::Cow;
    match raw.as_bytes().first()? {
        b'"' => {
            let inner = &raw[1..raw.len().saturating_sub(1)];
            if inner.contains('\\') {
                serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
            } else {
                Some(Cow::Borrowed(inner))
            }
        }
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, path: &str, expect: Option<&str>) {
        let path = JsonPath::parse(path).unwrap();
        let found = Picker::new([Some(&path)]).pick(document).unwrap();
        assert_eq!(found[0], expect, "path {path} in {document}");
    }

    #[test]
    fn values_are_found_where_the_path_says() {
        check(r#"{"a":{"b":[1,{"c":2.50}]}}"#, "a.b[1].c", Some("2.50"));
        check(r#"{"a":{"b":[1,{"c":2.50}]}}"#, "/a/b/1/c", Some("2.50"));
        check(r#"{"a.b":{"c":"x"}}"#, "['a.b'].c", Some(r#""x""#));
        check(r#"{"a":1}"#, "a.b", None);
        check(r#"{"a":null}"#, "a", Some("null"));
        check(r#"[{"id":7}]"#, "[0].id", Some("7"));
        check(r#"{"\u0061":1}"#, "a", Some("1"));
        check(r#"{"a~b/c":1}"#, "/a~0b~1c", Some("1"));
    }

    #[test]
    fn the_last_duplicate_wins_with_everything_below_it() {
        check(r#"{"a":1,"a":2}"#, "a", Some("2"));
        check(r#"{"a":{"b":1},"a":{"c":2}}"#, "a.b", None);
    }

    #[test]
    fn a_value_and_something_inside_it_are_found_together() {
        let whole = JsonPath::parse("a").unwrap();
        let inner = JsonPath::parse("a.b").unwrap();
        let found = Picker::new([Some(&whole), None, Some(&inner)]).pick(r#"{"a":{"b":3}}"#).unwrap();
        assert_eq!(found, [Some(r#"{"b":3}"#), None, Some("3")]);
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in ["", "  ", ".a", "a.", "a..b", "a[", "a[x]", "a['b]", "a[0]b"] {
            assert!(JsonPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn broken_documents_are_errors() {
        let path = JsonPath::parse("a").unwrap();
        for text in ["", "{", r#"{"a":1"#, r#"{"a":1}x"#, "nul"] {
            assert!(Picker::new([Some(&path)]).pick(text).is_err(), "{text:?}");
        }
        assert!(Picker::new([Some(&path)]).pick("7").unwrap()[0].is_none());
    }

    #[test]
    fn scalars_show_their_text() {
        assert_eq!(scalar(r#""a\"b""#).unwrap(), "a\"b");
        assert_eq!(scalar("10000000000000000000001").unwrap(), "10000000000000000000001");
        assert_eq!(scalar("null"), None);
        assert_eq!(scalar("{}"), None);
    }
}
