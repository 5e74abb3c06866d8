//! A JSON value that is taken apart only where it is changed.
//!
//! Mapping a record means moving a few of its members; everything else should leave as it came, number text and member
//! order included. So a [`Tree`] begins as one slice of text, becomes an object or a list only on the way to a place
//! that is read or written, and is written back with all untouched parts as the provider wrote them.
//!
//! Not here: reading only (`json_path`), exchanging one member of a document (`json_text`).

use std::borrow::Cow;

use crate::json_path::Segment;
use crate::json_text;

/// A value: text until somebody looks inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<'t> {
    /// Untouched text of one value.
    Raw(Cow<'t, str>),
    /// An object that was opened.
    Object(Vec<(Cow<'t, str>, Tree<'t>)>),
    /// A list that was opened.
    List(Vec<Tree<'t>>),
}

/// Why a value has no place for another one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is {found} where an object or a list would have to be; map to another place")]
pub struct NoPlace {
    found: &'static str,
}

/// Positions that writing past the end of a list may fill with `null`.
const GAP_MAX: usize = 1_000;

impl<'t> Tree<'t> {
    /// A value of this text, which must be well-formed JSON.
    pub fn raw(text: impl Into<Cow<'t, str>>) -> Tree<'t> {
        Tree::Raw(text.into())
    }

    /// An empty object.
    pub fn object() -> Tree<'t> {
        Tree::Object(Vec::new())
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Tree::Raw(text) if text.trim_ascii() == "null")
    }

    /// Opens raw text by one level, as far as it is an object or a list.
    pub fn open(&mut self) -> &mut Tree<'t> {
        if let Tree::Raw(text) = self {
            let opened = match text {
                Cow::Borrowed(text) => open(text),
                Cow::Owned(text) => open(text).map(Tree::into_owned),
            };
            if let Some(opened) = opened {
                *self = opened;
            }
        }
        self
    }

    /// The value at a place. Opens what lies on the way.
    pub fn get(&mut self, place: &[Segment]) -> Option<&mut Tree<'t>> {
        let Some((first, rest)) = place.split_first() else { return Some(self) };
        let child = match (self.open(), first) {
            (Tree::Object(members), Segment::Key(key)) => {
                members.iter_mut().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Tree::List(items), Segment::Index(index)) => items.get_mut(*index),
            (Tree::List(items), Segment::Key(key)) => {
                key.parse::<usize>().ok().and_then(|index| items.get_mut(index))
            }
            (Tree::Object(_), Segment::Index(_)) | (Tree::Raw(_), _) => None,
        };
        child?.get(rest)
    }

    /// Takes the value at a place out of its object or list. Opens what lies on the way.
    pub fn take(&mut self, place: &[Segment]) -> Option<Tree<'t>> {
        let (last, way) = place.split_last()?;
        match (self.get(way)?.open(), last) {
            (Tree::Object(members), Segment::Key(key)) => {
                let at = members.iter().rposition(|(name, _)| name == key)?;
                let (_, value) = members.remove(at);
                members.retain(|(name, _)| name != key);
                Some(value)
            }
            (Tree::List(items), Segment::Index(index)) => {
                (*index < items.len()).then(|| items.remove(*index))
            }
            _ => None,
        }
    }

    /// Puts a value at a place; objects and lists are made on the way, `null` counts as nothing.
    pub fn put(&mut self, place: &[Segment], value: Tree<'t>) -> Result<(), NoPlace> {
        let Some((first, rest)) = place.split_first() else {
            *self = value;
            return Ok(());
        };
        if self.is_null() {
            *self = match first {
                Segment::Key(_) => Tree::object(),
                Segment::Index(_) => Tree::List(Vec::new()),
            };
        }
        match (self.open(), first) {
            (Tree::Object(members), Segment::Key(key)) => {
                let at = members.iter().rposition(|(name, _)| name == key).unwrap_or_else(|| {
                    members.push((Cow::Owned(key.clone()), Tree::raw("null")));
                    members.len() - 1
                });
                members[at].1.put(rest, value)
            }
            (Tree::List(items), Segment::Index(index)) if *index <= items.len() + GAP_MAX => {
                while items.len() <= *index {
                    items.push(Tree::raw("null"));
                }
                items[*index].put(rest, value)
            }
            (Tree::Object(_), Segment::Index(_)) => Err(NoPlace { found: "an object" }),
            (Tree::List(_), _) => Err(NoPlace { found: "a list" }),
            (Tree::Raw(text), _) => {
                Err(NoPlace { found: json_text::kind(text).map_or("nothing", json_text::Kind::noun) })
            }
        }
    }

    /// The text of this value; untouched parts as they came.
    pub fn write(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text);
        text
    }

    fn write_to(&self, text: &mut String) {
        match self {
            Tree::Raw(raw) => text.push_str(raw.trim_ascii()),
            Tree::Object(members) => {
                text.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    text.push_str(&json_text::quote(name));
                    text.push(':');
                    value.write_to(text);
                }
                text.push('}');
            }
            Tree::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    item.write_to(text);
                }
                text.push(']');
            }
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Tree<'static> {
        match self {
            Tree::Raw(text) => Tree::Raw(Cow::Owned(text.into_owned())),
            Tree::Object(members) => Tree::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
            Tree::List(items) => Tree::List(items.into_iter().map(Tree::into_owned).collect()),
        }
    }

    /// Drops members whose value is `null`, at every level. Lists keep their items.
    pub fn drop_nulls(&mut self) {
        if let Tree::Raw(text) = self
            && !text.contains("null")
        {
            return;
        }
        match self.open() {
            Tree::Object(members) => {
                members.retain(|(_, value)| !value.is_null());
                members.iter_mut().for_each(|(_, value)| value.drop_nulls());
            }
            Tree::List(items) => items.iter_mut().for_each(Tree::drop_nulls),
            Tree::Raw(_) => {}
        }
    }
}

fn open(text: &str) -> Option<Tree<'_>> {
    if let Some(members) = json_text::members(text) {
        let members = members.into_iter().map(|member| (member.name, Tree::raw(member.value)));
        return Some(Tree::Object(members.collect()));
    }
    let items = json_text::items(text)?;
    Some(Tree::List(items.into_iter().map(Tree::raw).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_path::JsonPath;

    fn path(text: &str) -> JsonPath {
        JsonPath::parse(text).unwrap()
    }

    #[track_caller]
    fn put(document: &str, place: &str, value: &str, expect: &str) {
        let mut tree = Tree::raw(document);
        tree.put(path(place).segments(), Tree::raw(value)).unwrap();
        assert_eq!(tree.write(), expect);
    }

    #[test]
    fn a_value_is_put_and_the_rest_stays() {
        put(r#"{"a":1.50,"b":{"c": [1, 2]}}"#, "b.d", "7", r#"{"a":1.50,"b":{"c":[1, 2],"d":7}}"#);
        put(r#"{"a":null}"#, "a.b[1].c", "7", r#"{"a":{"b":[null,{"c":7}]}}"#);
        put("{}", "a", "7", r#"{"a":7}"#);
        put(r#"{"a":1,"a":2}"#, "a", "7", r#"{"a":1,"a":7}"#);
        let mut tree = Tree::raw(r#"{"a":"x"}"#);
        let refused = tree.put(path("a.b").segments(), Tree::raw("1")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "there is a text where an object or a list would have to be; map to another place"
        );
    }

    #[test]
    fn a_value_is_taken() {
        let mut tree = Tree::raw(r#"{"a":{"b":10000000000000000000001,"c":2},"l":[1,2]}"#);
        assert_eq!(tree.take(path("a.b").segments()).unwrap().write(), "10000000000000000000001");
        assert_eq!(tree.take(path("l[0]").segments()).unwrap().write(), "1");
        assert_eq!(tree.take(path("a.x").segments()), None);
        assert_eq!(tree.write(), r#"{"a":{"c":2},"l":[2]}"#);
        assert_eq!(tree.get(path("/l/0").segments()).unwrap().write(), "2");
    }

    #[test]
    fn nulls_are_dropped_from_objects_only() {
        let mut tree = Tree::raw(r#"{"a":null,"b":[null,{"c":null,"d":"null"}],"e":1.0}"#);
        tree.drop_nulls();
        assert_eq!(tree.write(), r#"{"b":[null,{"d":"null"}],"e":1.0}"#);
        let mut same = Tree::raw(r#"{ "a" : 1 }"#);
        same.drop_nulls();
        assert_eq!(same.write(), r#"{ "a" : 1 }"#);
    }
}
