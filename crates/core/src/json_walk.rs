//! Picks fields and hashes content in one walk over a record's text: what [`Picker::pick_into`] and
//! [`crate::json_hash::content_hash`] do in two, which read every byte several times.
//!
//! It answers only where it is sure. A text that is not well-formed, is nested too deep or has anything else that is
//! out of the ordinary is left to those two, which say what is wrong with it. So this walk may be narrow, and a test
//! holds it against them.

use std::borrow::Cow;

use crate::json_hash::{ContentHash, below, hash_of_array, hash_of_members, tagged};
use crate::json_path::{JsonPath, Node, Picker, Segment, forget};
use crate::limits::JSON_DEPTH_MAX;

/// Room that is used again from record to record.
#[derive(Debug, Default)]
pub struct Room {
    /// Hashes of names and values of the objects that the walk stands in, the outermost first.
    members: Vec<(u128, u128)>,
    /// Hashes of the elements of the arrays that the walk stands in.
    elements: Vec<u128>,
    bytes: Vec<u8>,
}

/// Walks one record. `None`: it takes the two walks that can say why.
pub fn pick_and_hash<'t>(
    picker: &Picker,
    volatile: &[JsonPath],
    text: &'t str,
    found: &mut Vec<Option<&'t str>>,
    room: &mut Room,
) -> Option<ContentHash> {
    found.clear();
    found.resize(picker.count(), None);
    room.members.clear();
    room.elements.clear();
    let mut walk = Walk { text, at: 0, found, room };
    let hash = if volatile.is_empty() {
        walk.value(Some(picker.root()), &[], 0)?
    } else {
        let skip: Vec<&[Segment]> = volatile.iter().map(JsonPath::segments).collect();
        walk.value(Some(picker.root()), &skip, 0)?
    };
    walk.blanks();
    (walk.at == text.len()).then(|| ContentHash(hash.to_be_bytes()))
}

struct Walk<'t, 'w> {
    text: &'t str,
    at: usize,
    found: &'w mut Vec<Option<&'t str>>,
    room: &'w mut Room,
}

impl<'t> Walk<'t, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The next byte that is not blank, taken.
    fn next(&mut self) -> Option<u8> {
        self.blanks();
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes this byte if it is the next one that is not blank.
    fn takes(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Walks one value and returns its hash.
    fn value(&mut self, node: Option<&Node>, skip: &[&[Segment]], depth: usize) -> Option<u128> {
        if depth > JSON_DEPTH_MAX {
            return None;
        }
        self.blanks();
        let start = self.at;
        let hash = match self.peek()? {
            b'{' => self.object(node, skip, depth)?,
            b'[' => self.array(node, skip, depth)?,
            b'"' => tagged(b's', self.string()?.as_bytes()),
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            // A number where an object was expected: the other walk refuses those that are out of range.
            _ if node.is_some_and(|node| !node.is_leaf()) => return None,
            _ => self.number()?,
        };
        for slot in node.map_or(&[][..], Node::slots) {
            self.found[*slot] = Some(&self.text[start..self.at]);
        }
        Some(hash)
    }

    fn object(&mut self, node: Option<&Node>, skip: &[&[Segment]], depth: usize) -> Option<u128> {
        self.at += 1;
        let base = self.room.members.len();
        if !self.takes(b'}') {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return None;
                }
                let name = self.string()?;
                if self.next() != Some(b':') {
                    return None;
                }
                let child = node.and_then(|node| node.key(&name));
                if let Some(child) = child {
                    forget(child, self.found);
                }
                let rest = inside(skip, |segment| matches!(segment, Segment::Key(key) if *key == *name));
                let hash = self.value(child, rest.as_deref().unwrap_or_default(), depth + 1)?;
                if rest.is_some() {
                    self.room.members.push((tagged(b'k', name.as_bytes()), hash));
                }
                match self.next()? {
                    b',' => {}
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        let hash = hash_of_members(&mut self.room.members[base..], &mut self.room.bytes);
        self.room.members.truncate(base);
        Some(hash)
    }

    fn array(&mut self, node: Option<&Node>, skip: &[&[Segment]], depth: usize) -> Option<u128> {
        self.at += 1;
        let base = self.room.elements.len();
        if !self.takes(b']') {
            for position in 0.. {
                let child = node.and_then(|node| node.index(position));
                let rest = inside(skip, |segment| match segment {
                    Segment::Index(index) => *index == position,
                    Segment::Key(key) => key.parse() == Ok(position),
                });
                let hash = self.value(child, rest.as_deref().unwrap_or_default(), depth + 1)?;
                if rest.is_some() {
                    self.room.elements.push(hash);
                }
                match self.next()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        let hash = hash_of_array(&self.room.elements[base..], &mut self.room.bytes);
        self.room.elements.truncate(base);
        Some(hash)
    }

    /// The text of a string, borrowed unless it has escapes.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut has_escapes = false;
        loop {
            at += ordinary(bytes.get(at..)?);
            match bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    at += 2;
                }
                _ => return None, // A control character has no place in a string.
            }
        }
        self.at = at + 1;
        if has_escapes {
            return serde_json::from_str(&self.text[start..self.at]).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(&self.text[start + 1..at]))
    }

    fn word(&mut self, word: &str) -> Option<u128> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then(|| tagged(b'n', word.as_bytes()))
    }

    fn number(&mut self) -> Option<u128> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(tagged(b'n', &self.text.as_bytes()[start..self.at]))
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// What remains of the volatile paths inside one member or element; `None` when all of it is volatile.
fn inside<'s>(
    skip: &[&'s [Segment]],
    matches: impl Fn(&Segment) -> bool,
) -> Option<Cow<'s, [&'s [Segment]]>> {
    if skip.is_empty() { Some(Cow::Borrowed(&[])) } else { below(skip, matches).map(Cow::Owned) }
}

/// How many bytes there are before the first that is no ordinary part of a string: a quote, a backslash or a control
/// character. Eight at a time, because most bytes of most records stand in strings.
fn ordinary(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // The high bit of the first byte that is smaller than `than`; bytes after that one may be marked wrongly.
    let smaller = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & HIGHS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = smaller(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = smaller(word ^ (ONES * u64::from(b'\\')), 1);
        let marks = quote | backslash | smaller(word, 0x20);
        if marks != 0 {
            return 8 * number + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    8 * words.len() + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json_hash::content_hash;

    const PATHS: [&str; 6] = ["id", "a.b", "a", "list[1]", "/list/0/id", "a.c.id"];
    const VOLATILE: [&str; 3] = ["a.c", "list[1]", "seen"];

    fn paths(texts: &[&str]) -> Vec<JsonPath> {
        texts.iter().map(|text| JsonPath::parse(text).unwrap()).collect()
    }

    /// One walk finds what two do; whether it answered at all.
    fn agrees(text: &str) -> bool {
        let wanted = paths(&PATHS);
        let picker = Picker::new(wanted.iter().map(Some));
        let mut room = Room::default();
        let mut answered = true;
        for volatile in [paths(&[]), paths(&VOLATILE)] {
            let mut found = Vec::new();
            match pick_and_hash(&picker, &volatile, text, &mut found, &mut room) {
                None => answered = false,
                Some(hash) => {
                    assert_eq!(found, picker.pick(text).unwrap(), "{text}");
                    assert_eq!(hash, content_hash(text, &volatile).unwrap(), "{text}");
                }
            }
        }
        answered
    }

    #[test]
    fn ordinary_records_take_one_walk() {
        for text in [
            r#"{"id":7,"a":{"b":"x","c":{"id":1.50}},"list":[{"id":2},[],{}],"seen":null}"#,
            " { \"id\" : \"a\\u0062\\n\" , \"a\" : [ true , false , -0.5e+10 ] } \n",
            r#"{"id":1,"id":2,"a":{"b":1},"a":{"c":{"id":"z"}},"list":[{},2,3]}"#,
            r#"{"\u0069d":"näme – with more than eight bytes, and a \"quote\""}"#,
            "[]",
            r#""text""#,
        ] {
            assert!(agrees(text), "{text}");
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_others() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for text in [
            "",
            " ",
            "{",
            "[1",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1,]",
            "{a:1}",
            "01",
            "-",
            "1.",
            "1e",
            "+1",
            "nul",
            "tru",
            "\"a",
            "\"a\nb\"",
            "\"\\x\"",
            "\"\\",
            "{}x",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            &deep,
        ] {
            assert!(!agrees(text), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = String> {
        let name = prop_oneof![
            Just("id"),
            Just("a"),
            Just("b"),
            Just("c"),
            Just("list"),
            Just("seen"),
            Just("\\u0061"),
            Just("")
        ];
        let leaf = prop_oneof![
            Just("null".to_string()),
            any::<bool>().prop_map(|flag| flag.to_string()),
            any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
            any::<i64>().prop_map(|number| number.to_string()),
            ".{0,24}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let blank = prop_oneof![Just(""), Just(" "), Just("\n\t")];
            let members = prop::collection::vec((name.clone(), inner.clone(), blank), 0..6);
            let object = members.prop_map(|members| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value, blank)| format!("\"{name}\":{blank}{value}{blank}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            });
            let array =
                prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(", ")));
            prop_oneof![object, array]
        })
    }

    proptest! {
        #[test]
        fn one_walk_finds_what_two_do(text in value()) {
            agrees(&text);
        }

        #[test]
        fn a_broken_record_never_passes(text in value(), at in any::<prop::sample::Index>(), byte in 0_u8..128) {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) {
                agrees(&text);
            }
        }
    }
}
