//! What the records have in common: every scalar member with its values, record by record.

use std::collections::HashMap;

use super::words::words;
use crate::json_path::{JsonPath, Segment};
use crate::json_text::{self, Kind};

/// Levels of objects inside a record that are looked through.
const DEPTH_MAX: usize = 3;

/// Members that are followed; records with more are no records that a person configures.
const FIELDS_MAX: usize = 500;

/// Bytes of a value that may be an id or a date.
const VALUE_BYTES_MAX: usize = 256;

/// One value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A text, not empty and not too long.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// null, or an empty text.
    Empty,
    /// Anything else.
    Other,
}

/// One scalar member of the records.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its path.
    pub(super) path: String,
    /// Names along it.
    pub(super) names: Vec<String>,
    /// Its values, by the record's position.
    pub(super) values: Vec<(usize, Found)>,
}

impl Field {
    /// The words of its own name.
    pub(super) fn words(&self) -> Vec<String> {
        words(self.names.last().map_or("", String::as_str))
    }

    /// The texts and numbers among its values.
    pub(super) fn scalars(&self) -> impl Iterator<Item = (usize, &str)> {
        self.values.iter().filter_map(|(at, found)| match found {
            Found::Text(text) | Found::Number(text) => Some((*at, text.as_str())),
            Found::Empty | Found::Other => None,
        })
    }

    /// Whether every value is one, or nothing.
    pub(super) fn is_scalar(&self) -> bool {
        self.values.iter().all(|(_, found)| *found != Found::Other)
    }
}

/// The members of the records.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// How many records there are.
    pub(super) records: usize,
    /// Members, in the order in which they are met.
    pub(super) fields: Vec<Field>,
}

impl Fields {
    /// Collects them.
    pub(super) fn of(records: &[&str]) -> Fields {
        let mut collected = Collector::default();
        for (at, record) in records.iter().enumerate() {
            collected.walk(at, record, &mut Vec::new());
        }
        Fields { records: records.len(), fields: collected.fields }
    }
}

#[derive(Default)]
struct Collector {
    fields: Vec<Field>,
    /// Position in `fields` by path.
    known: HashMap<String, usize>,
}

impl Collector {
    fn walk(&mut self, at: usize, object: &str, names: &mut Vec<String>) {
        for member in json_text::members(object).unwrap_or_default() {
            names.push(member.name.into_owned());
            if json_text::kind(member.value) == Some(Kind::Object) && names.len() < DEPTH_MAX {
                self.walk(at, member.value, names);
            } else {
                self.add(at, member.value, names);
            }
            names.pop();
        }
    }

    fn add(&mut self, at: usize, value: &str, names: &[String]) {
        let Some(path) = path_text(names) else { return };
        let found = found(value);
        let position = match self.known.get(&path) {
            Some(position) => *position,
            None if self.fields.len() >= FIELDS_MAX => return,
            None => {
                let field = Field { path: path.clone(), names: names.to_vec(), values: Vec::new() };
                self.fields.push(field);
                self.known.insert(path, self.fields.len() - 1);
                self.fields.len() - 1
            }
        };
        let values = &mut self.fields[position].values;
        // Of members of one name in one record the last one counts.
        if values.last().is_some_and(|(last, _)| *last == at) {
            values.pop();
        }
        values.push((at, found));
    }
}

fn found(value: &str) -> Found {
    let kind = json_text::kind(value);
    match (kind, json_text::scalar(value)) {
        (Some(Kind::Null), _) => Found::Empty,
        (Some(Kind::Text), Some(text)) if text.trim().is_empty() => Found::Empty,
        (Some(Kind::Text), Some(text)) if text.len() <= VALUE_BYTES_MAX => Found::Text(text.into_owned()),
        (Some(Kind::Number), Some(text)) if text.len() <= VALUE_BYTES_MAX => Found::Number(text.into_owned()),
        _ => Found::Other,
    }
}

/// A path through members of these names, as a setting writes it. Empty for none; `None` for names that no setting can
/// write.
pub(super) fn path_text(names: &[String]) -> Option<String> {
    let mut text = String::new();
    for name in names {
        let is_plain = !name.is_empty()
            && name.trim() == name
            && !name.contains(['.', '[', ']', '\'', '"', '/', ':'])
            && !name.chars().any(char::is_control);
        if is_plain {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        } else {
            let quote = ['\'', '"'].into_iter().find(|quote| !name.contains(*quote))?;
            text.push_str(&format!("[{quote}{name}{quote}]"));
        }
    }
    if names.is_empty() {
        return Some(text);
    }
    // A header's place is written with a colon.
    let parsed = JsonPath::parse(&text).ok()?;
    let is_same = parsed.segments().len() == names.len()
        && parsed.segments().iter().zip(names).all(|(segment, name)| match segment {
            Segment::Key(key) => key == name,
            Segment::Index(_) => false,
        });
    is_same.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_settings_read_them() {
        let of = |names: &[&str]| path_text(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["data", "items"]).as_deref(), Some("data.items"));
        assert_eq!(of(&["@odata.nextLink"]).as_deref(), Some("['@odata.nextLink']"));
        assert_eq!(of(&["a", "b'c.d"]).as_deref(), Some("a[\"b'c.d\"]"));
        assert_eq!(of(&["a'\"b"]), None);
        assert_eq!(of(&["/x"]).as_deref(), Some("['/x']"));
        assert_eq!(of(&[]).as_deref(), Some(""));
    }

    #[test]
    fn members_are_collected_record_by_record() {
        let records = [r#"{"id": 1, "at": {"made": "x"}, "id": 2}"#, r#"{"id": "", "list": []}"#];
        let fields = Fields::of(&records);
        let paths: Vec<&str> = fields.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["id", "at.made", "list"]);
        assert_eq!(fields.fields[0].values, [(0, Found::Number("2".into())), (1, Found::Empty)]);
        assert!(!fields.fields[2].is_scalar());
    }
}
