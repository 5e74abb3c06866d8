//! The canonical content hash of a record.
//!
//! Two texts have the same hash when they say the same: the order of members and the blanks between tokens do not
//! matter, nor how a string escapes its characters; the text of numbers does (`1.10` is not `1.1`), and so does every
//! decoded string. Members named as volatile are left out. Of duplicate members the last counts.
//!
//! The hash is XXH3-128. It finds changes; it does not protect against a provider who wants two of its own records to
//! look alike. Event ids, which do leave the house, are SHA-256 (see [`crate::event`]).
//!
//! The recipe is part of stored data: change it only together with [`RECIPE`].

use std::borrow::Cow;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use twox_hash::XxHash3_128;

use crate::json_path::{JsonPath, Segment, scalar};
use crate::limits::JSON_DEPTH_MAX;

/// Number of the recipe below. A new number re-bases every ledger silently (`shape`, design section 4).
pub const RECIPE: u32 = 1;

/// A record's content in 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 16]);

impl std::fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Why a record has no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Not JSON.
    #[error("the record is not well-formed JSON")]
    Syntax(#[from] serde_json::Error),
    /// Nested deeper than any data is.
    #[error("the record is nested deeper than {JSON_DEPTH_MAX} levels")]
    TooDeep,
}

/// Hashes one JSON value, leaving out what stands at the `volatile` paths.
pub fn content_hash(record: &str, volatile: &[JsonPath]) -> Result<ContentHash, HashError> {
    let skip: Vec<&[Segment]> = volatile.iter().map(JsonPath::segments).collect();
    let hash = value(record, &skip, 0)?;
    Ok(ContentHash(hash.to_be_bytes()))
}

fn value(raw: &str, skip: &[&[Segment]], depth: usize) -> Result<u128, HashError> {
    if depth > JSON_DEPTH_MAX {
        return Err(HashError::TooDeep);
    }
    let raw = raw.trim_ascii();
    match raw.as_bytes().first() {
        Some(b'{') => object(raw, skip, depth),
        Some(b'[') => array(raw, skip, depth),
        Some(b'"') => {
            let text = scalar(raw)
                .ok_or_else(|| <serde_json::Error as serde::de::Error>::custom("a broken string"))?;
            Ok(tagged(b's', text.as_bytes()))
        }
        _ => Ok(tagged(b'n', raw.as_bytes())), // Numbers, true, false, null: by their text.
    }
}

pub(crate) fn tagged(tag: u8, bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot_with_seed(u64::from(tag), bytes)
}

fn object(raw: &str, skip: &[&[Segment]], depth: usize) -> Result<u128, HashError> {
    let mut members = Vec::with_capacity(16);
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    deserializer.deserialize_map(Members { members: &mut members, skip, depth })??;
    Ok(hash_of_members(&mut members, &mut Vec::new()))
}

/// The hash of an object from the hashes of its members' names and values. `bytes` is room to work in.
pub(crate) fn hash_of_members(members: &mut [(u128, u128)], bytes: &mut Vec<u8>) -> u128 {
    // Of duplicate names the last counts: sort by name, keeping the order of appearance, and let later ones win.
    members.sort_by_key(|(name, _)| *name);
    bytes.clear();
    bytes.reserve(members.len() * 32);
    for (at, (name, hash)) in members.iter().enumerate() {
        if members.get(at + 1).is_some_and(|(next, _)| next == name) {
            continue;
        }
        bytes.extend_from_slice(&name.to_be_bytes());
        bytes.extend_from_slice(&hash.to_be_bytes());
    }
    tagged(b'o', bytes)
}

fn array(raw: &str, skip: &[&[Segment]], depth: usize) -> Result<u128, HashError> {
    let mut elements = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    deserializer.deserialize_seq(Elements { elements: &mut elements, skip, depth })??;
    Ok(hash_of_array(&elements, &mut Vec::new()))
}

/// The hash of an array from the hashes of its elements. `bytes` is room to work in.
pub(crate) fn hash_of_array(elements: &[u128], bytes: &mut Vec<u8>) -> u128 {
    bytes.clear();
    bytes.extend(elements.iter().flat_map(|hash| hash.to_be_bytes()));
    tagged(b'a', bytes)
}

/// What remains of the skipped paths below one member; `None` when the member itself is skipped.
pub(crate) fn below<'s>(
    skip: &[&'s [Segment]],
    matches: impl Fn(&Segment) -> bool,
) -> Option<Vec<&'s [Segment]>> {
    let mut rest = Vec::new();
    for path in skip {
        match path.split_first() {
            Some((first, [])) if matches(first) => return None,
            Some((first, tail)) if matches(first) => rest.push(tail),
            _ => {}
        }
    }
    Some(rest)
}

struct Members<'m, 's> {
    members: &'m mut Vec<(u128, u128)>,
    skip: &'m [&'s [Segment]],
    depth: usize,
}

impl<'t> Visitor<'t> for Members<'_, '_> {
    type Value = Result<(), HashError>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some((name, raw)) = map.next_entry::<Name<'t>, &'t RawValue>()? {
            let name = name.0;
            let rest = match self.skip {
                [] => Vec::new(),
                skip => match below(skip, |segment| matches!(segment, Segment::Key(key) if *key == name)) {
                    None => continue,
                    Some(rest) => rest,
                },
            };
            match value(raw.get(), &rest, self.depth + 1) {
                Ok(hash) => self.members.push((tagged(b'k', name.as_bytes()), hash)),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }
}

/// A member's name, borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

struct Elements<'m, 's> {
    elements: &'m mut Vec<u128>,
    skip: &'m [&'s [Segment]],
    depth: usize,
}

impl<'t> Visitor<'t> for Elements<'_, '_> {
    type Value = Result<(), HashError>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut position = 0;
        while let Some(raw) = seq.next_element::<&'t RawValue>()? {
            let rest = below(self.skip, |segment| match segment {
                Segment::Index(index) => *index == position,
                Segment::Key(key) => key.parse() == Ok(position),
            });
            position += 1;
            let Some(rest) = rest else { continue };
            match value(raw.get(), &rest, self.depth + 1) {
                Ok(hash) => self.elements.push(hash),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> ContentHash {
        content_hash(text, &[]).unwrap()
    }

    #[track_caller]
    fn same(left: &str, right: &str) {
        assert_eq!(hash(left), hash(right), "{left} and {right}");
    }

    #[track_caller]
    fn different(left: &str, right: &str) {
        assert_ne!(hash(left), hash(right), "{left} and {right}");
    }

    #[test]
    fn writing_differences_do_not_count() {
        same(r#"{"a":1,"b":[1,2]}"#, r#" { "b" : [ 1 , 2 ] , "a" : 1 } "#);
        same(r#"{"a":"\u0041\n"}"#, "{\"a\":\"A\\u000a\"}");
        same(r#"{"\u0061":1}"#, r#"{"a":1}"#);
        same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#);
    }

    #[test]
    fn content_counts() {
        different(r#"{"a":1.10}"#, r#"{"a":1.1}"#);
        different(r#"{"a":1}"#, r#"{"a":"1"}"#);
        different(r#"{"a":null}"#, r#"{}"#);
        different(r#"[1,2]"#, r#"[2,1]"#);
        different(r#"{"a":{"b":1}}"#, r#"{"a":1,"b":1}"#);
        different(r#"{"a":[]}"#, r#"{"a":{}}"#);
        different(r#"{"a":"b","c":"d"}"#, r#"{"a":"d","c":"b"}"#);
    }

    #[test]
    fn volatile_members_are_left_out() {
        let volatile = [JsonPath::parse("stats.views").unwrap(), JsonPath::parse("links[1]").unwrap()];
        let left = content_hash(r#"{"id":1,"stats":{"views":1,"likes":2},"links":["a","b"]}"#, &volatile);
        let right = content_hash(r#"{"id":1,"stats":{"likes":2,"views":9},"links":["a","z"]}"#, &volatile);
        let other = content_hash(r#"{"id":1,"stats":{"likes":3,"views":9},"links":["a","z"]}"#, &volatile);
        assert_eq!(left.unwrap(), right.as_ref().unwrap().to_owned());
        assert_ne!(right.unwrap(), other.unwrap());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(matches!(content_hash(&deep, &[]), Err(HashError::TooDeep)));
        assert!(content_hash("{", &[]).is_err());
    }

    /// The recipe is stored data: this value must never change while [`RECIPE`] stays the same.
    #[test]
    fn the_recipe_is_pinned() {
        let hash = hash(r#"{"id":1,"name":"Ada","tags":["x",null,true],"rate":1.50}"#);
        assert_eq!(format!("{hash:?}"), "a1733fe267ea5d3c8883a46548f714b4");
    }
}
