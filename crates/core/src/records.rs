//! From an answer to records: finds the list, takes every record as a slice of the answer's text, and reads the few
//! fields that decide. No tree is built; a record travels on as the text that the provider sent.
//!
//! Strict (design section 4, rule 11): an answer that is not provably the list is a [`PageFault`], never "no records".
//! A single bad record is quarantined and hides none of its neighbours.
//!
//! Not here: what a record means (`change`), where the next page is (`page`).

use std::ops::Range;

use jiff::Timestamp;

use crate::date::ParseError;
use crate::json_hash::{ContentHash, content_hash};
use crate::json_path::{JsonPath, Picker, Segment, elements, scalar};
use crate::json_walk::{self, pick_and_hash};
use crate::ledger::{Compared, Version};
use crate::limits::{RECORD_BYTES_MAX, RECORDS_PER_PAGE_MAX};
use crate::resource::{ComparedBy, DateField, Pagination, PaginationKind, Place, Resource};

/// Reads the answers of one resource.
#[derive(Clone, Debug)]
pub struct Reader {
    page: Picker,
    record: Picker,
    list: Option<JsonPath>,
}

/// An answer, taken apart. Slices borrow the answer's text.
#[derive(Debug)]
pub struct Page<'t> {
    /// The records' texts.
    pub records: Vec<&'t str>,
    /// Raw value of the next token or URL, if the body names one.
    pub next: Option<&'t str>,
    /// Raw value of the flag that decides the end, if the body has one.
    pub more: Option<&'t str>,
}

/// Room to work in, used again from record to record of a page.
#[derive(Debug, Default)]
pub struct Room<'t> {
    found: Vec<Option<&'t str>>,
    walk: json_walk::Room,
}

/// One readable record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The id as the provider wrote it.
    pub object_id: String,
    /// The id by which it is known (lower-cased where ids do not differ by case).
    pub id: String,
    /// The compared value as a number.
    pub compared: Option<Compared>,
    /// The compared value as the provider wrote it; empty when there is none.
    pub compared_text: String,
    /// The updated date.
    pub updated: Option<Timestamp>,
    /// The created date.
    pub created: Option<Timestamp>,
    /// Whether the compared value is the created date only because the updated date is missing.
    pub fell_back: bool,
    /// Whether the record carries the mark of deletion.
    pub deleted: bool,
    /// Its content.
    pub hash: ContentHash,
    /// Where it stands in the answer's text.
    pub raw: Range<usize>,
}

impl Item {
    /// The version that this record is.
    pub fn version(&self) -> Version {
        Version { id: self.id.clone(), compared: self.compared, hash: self.hash }
    }
}

/// A date of a record, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownDate<'t> {
    /// Its value as JSON; `None` where the record has none.
    pub raw: Option<&'t str>,
    /// The instant that it means; `None` for a value that is no date, such as null. Or why it cannot be read.
    pub understood: Result<Option<Timestamp>, String>,
}

/// The dates of a record, for people; `None` where the resource has no such field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownDates<'t> {
    /// The record's id as far as it has one.
    pub object_id: Option<String>,
    /// The updated date.
    pub updated: Option<ShownDate<'t>>,
    /// The created date.
    pub created: Option<ShownDate<'t>>,
}

/// A record that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, as far as it has one.
    pub object_id: String,
    /// One sentence that names the field and the remedy.
    pub reason: String,
}

/// Why an answer is not a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PageFault {
    /// Stable code.
    pub code: &'static str,
    /// One sentence that names the place and the remedy.
    pub message: String,
}

impl PageFault {
    /// A fault with its code and sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> PageFault {
        PageFault { code, message: message.into() }
    }
}

impl Reader {
    /// A reader for this resource.
    pub fn new(resource: &Resource) -> Reader {
        let (next, more) = places(&resource.pagination);
        let cursor = match &resource.compared {
            ComparedBy::Cursor(path) => Some(path),
            ComparedBy::Updated | ComparedBy::Created | ComparedBy::Content => None,
        };
        Reader {
            page: Picker::new([resource.list.as_ref(), next, more]),
            record: Picker::new([
                Some(&resource.id_field),
                resource.updated.as_ref().map(|field| &field.path),
                resource.created.as_ref().map(|field| &field.path),
                resource.deleted_field.as_ref(),
                cursor,
            ]),
            list: resource.list.clone(),
        }
    }

    /// An answer without records, in this resource's form: for an API that ends its pages with a status.
    pub fn empty_page(&self) -> String {
        let mut text = "[]".to_string();
        for segment in self.list.iter().flat_map(|path| path.segments().iter().rev()) {
            text = match segment {
                Segment::Key(key) => format!("{{{}:{text}}}", serde_json::Value::from(key.as_str())),
                Segment::Index(index) => format!("[{}{text}]", "null,".repeat(*index)),
            };
        }
        text
    }

    /// Takes an answer apart. Fails when it is not JSON, or its list is not where the configuration says.
    pub fn page<'t>(&self, body: &'t str) -> Result<Page<'t>, PageFault> {
        let text = body.trim_ascii();
        if text.is_empty() {
            return Err(PageFault::new("emptyBody", "the answer is empty where a JSON list was expected"));
        }
        if text.starts_with('<') {
            return Err(PageFault::new(
                "html",
                "the answer is HTML, not JSON: a login or maintenance page, or a wrong `url`",
            ));
        }
        let found = self.page.pick(text).map_err(|error| {
            PageFault::new(
                "notJson",
                format!("the answer is not well-formed JSON ({error}); nothing of it was used"),
            )
        })?;
        let list = match &self.list {
            None => text,
            Some(path) => found[0].ok_or_else(|| self.no_list(path, text))?,
        };
        if !list.trim_start().starts_with('[') {
            return Err(self.not_a_list(list, text));
        }
        let records = elements(list).map_err(|error| {
            PageFault::new(
                "notJson",
                format!("the answer is not well-formed JSON ({error}); nothing of it was used"),
            )
        })?;
        if records.len() > RECORDS_PER_PAGE_MAX {
            return Err(PageFault::new(
                "pageTooLong",
                format!(
                    "a page holds {} records, more than {RECORDS_PER_PAGE_MAX}; set `pagination`",
                    records.len()
                ),
            ));
        }
        Ok(Page { records, next: found[1], more: found[2] })
    }

    fn no_list(&self, path: &JsonPath, text: &str) -> PageFault {
        let hint = match member_names(text) {
            Some(names) => format!("it has {names}"),
            None => "it is no object".to_string(),
        };
        PageFault::new(
            "listMissing",
            format!("`list` says `{path}`, but the answer has nothing there ({hint}); correct `list`"),
        )
    }

    fn not_a_list(&self, list: &str, text: &str) -> PageFault {
        let place = match &self.list {
            Some(path) => format!("`{path}` of the answer"),
            None => "the answer".to_string(),
        };
        let kind = kind_of(list);
        let hint = member_names(text).map(|names| format!(" (it has {names})")).unwrap_or_default();
        PageFault::new(
            "notAList",
            format!("{place} is {kind}, not a list{hint}; set `list` to the member that holds the records"),
        )
    }

    /// How the dates of a record are understood, whether or not it can be used.
    pub fn dates<'t>(&self, resource: &Resource, raw: &'t str, now: Timestamp) -> ShownDates<'t> {
        let found = self.record.pick(raw).unwrap_or_default();
        let at = |slot: usize| found.get(slot).copied().flatten();
        let object_id = id_text(at(0));
        let shown = |field: Option<&DateField>, slot: usize| {
            let read = date(field, at(slot), object_id.as_deref().unwrap_or_default(), now);
            field.map(|_| ShownDate { raw: at(slot), understood: read.map(|read| read.map(|(at, _)| at)) })
        };
        let (updated, created) = (shown(resource.updated.as_ref(), 1), shown(resource.created.as_ref(), 2));
        ShownDates { updated, created, object_id }
    }

    /// Reads one record of `body`.
    pub fn item<'t>(
        &self,
        resource: &Resource,
        body: &'t str,
        raw: &'t str,
        now: Timestamp,
        room: &mut Room<'t>,
    ) -> Result<Item, Unreadable> {
        let unreadable =
            |object_id: &str, reason: String| Unreadable { object_id: object_id.to_string(), reason };
        if raw.len() > RECORD_BYTES_MAX {
            return Err(unreadable(
                "",
                format!("a record of {} bytes is larger than {RECORD_BYTES_MAX}", raw.len()),
            ));
        }
        let Room { found, walk } = room;
        let hash = pick_and_hash(&self.record, &resource.volatile_fields, raw, found, walk);
        if hash.is_none() {
            self.record
                .pick_into(raw, found)
                .map_err(|error| unreadable("", format!("a record is not readable: {error}")))?;
        }
        let object_id = id_text(found[0]).ok_or_else(|| unreadable("", no_id(resource, found[0], raw)))?;
        let updated = date(resource.updated.as_ref(), found[1], &object_id, now);
        let updated = updated.map_err(|reason| unreadable(&object_id, reason))?;
        let created = date(resource.created.as_ref(), found[2], &object_id, now);
        let created = created.map_err(|reason| unreadable(&object_id, reason))?;
        let hash = match hash {
            Some(hash) => hash,
            None => content_hash(raw, &resource.volatile_fields).map_err(|error| {
                unreadable(&object_id, format!("cannot compare record `{object_id}`: {error}"))
            })?,
        };
        let decided = decide(resource, found, &updated, &created, &object_id)
            .map_err(|reason| unreadable(&object_id, reason))?;
        let start = raw.as_ptr() as usize - body.as_ptr() as usize;
        Ok(Item {
            id: if resource.case_insensitive_ids { object_id.to_lowercase() } else { object_id.clone() },
            object_id,
            compared: decided.number,
            compared_text: decided.text,
            fell_back: decided.fell_back,
            updated: updated.map(|(at, _)| at),
            created: created.map(|(at, _)| at),
            deleted: found[3].is_some_and(marks_deletion),
            hash,
            raw: start..start + raw.len(),
        })
    }
}

/// Body paths of the next token or URL and of the end flag.
fn places(pagination: &Pagination) -> (Option<&JsonPath>, Option<&JsonPath>) {
    let next = match &pagination.kind {
        PaginationKind::Cursor { token: place, .. } | PaginationKind::Next { url: place } => body_path(place),
        PaginationKind::Undeclared
        | PaginationKind::None
        | PaginationKind::Page { .. }
        | PaginationKind::Offset { .. }
        | PaginationKind::Link => None,
    };
    (next, pagination.more.as_ref().and_then(body_path))
}

fn body_path(place: &Place) -> Option<&JsonPath> {
    match place {
        Place::Body(path) => Some(path),
        Place::Header(_) => None,
    }
}

struct Decided {
    number: Option<Compared>,
    text: String,
    fell_back: bool,
}

type Dated<'t> = Option<(Timestamp, std::borrow::Cow<'t, str>)>;

/// The compared value of a record (design section 1 and rule 6; a missing updated date falls back to created, A29).
fn decide(
    resource: &Resource,
    found: &[Option<&str>],
    updated: &Dated<'_>,
    created: &Dated<'_>,
    object_id: &str,
) -> Result<Decided, String> {
    let dated = |dated: &Dated<'_>, fell_back| match dated {
        Some((at, text)) => {
            Decided { number: Some(at.as_microsecond()), text: text.clone().into_owned(), fell_back }
        }
        None => Decided { number: None, text: String::new(), fell_back: false },
    };
    Ok(match &resource.compared {
        ComparedBy::Updated if updated.is_none() => {
            dated(created, created.is_some() && resource.updated.is_some())
        }
        ComparedBy::Updated => dated(updated, false),
        ComparedBy::Created => dated(created, false),
        ComparedBy::Content => Decided { number: None, text: String::new(), fell_back: false },
        ComparedBy::Cursor(path) => match found[4].and_then(scalar) {
            None => Decided { number: None, text: String::new(), fell_back: false },
            Some(text) => {
                let number = text.parse().map_err(|_| {
                    format!("`{path}` of record `{object_id}` is `{text}`, not a whole number; correct `cursorField`")
                })?;
                Decided { number: Some(number), text: text.into_owned(), fell_back: false }
            }
        },
    })
}

/// An id is text or a number, not empty. Numbers stay as they were written, however long.
fn id_text(raw: Option<&str>) -> Option<String> {
    let raw = raw?;
    match raw.as_bytes().first()? {
        b'"' | b'-' | b'0'..=b'9' => {
            scalar(raw).filter(|text| !text.is_empty()).map(|text| text.into_owned())
        }
        _ => None,
    }
}

fn no_id(resource: &Resource, found: Option<&str>, raw: &str) -> String {
    let path = &resource.id_field;
    match found {
        None => match member_names(raw) {
            Some(names) => format!("a record has no `{path}` (it has {names}); correct `idField`"),
            None => format!("a record is {}, not an object with `{path}`", kind_of(raw)),
        },
        Some(value) => format!("`{path}` of a record is {}, not an id; correct `idField`", kind_of(value)),
    }
}

fn date<'t>(
    field: Option<&DateField>,
    raw: Option<&'t str>,
    object_id: &str,
    now: Timestamp,
) -> Result<Dated<'t>, String> {
    let (Some(field), Some(raw)) = (field, raw) else { return Ok(None) };
    if raw == "null" || raw == "\"\"" {
        return Ok(None);
    }
    let Some(text) = scalar(raw) else {
        return Err(format!("`{}` of record `{object_id}` is {}, not a date", field.path, kind_of(raw)));
    };
    match field.format.parse(&text) {
        Ok(parsed) => match field.format.plausible(parsed.at, now) {
            Ok(()) => Ok(Some((parsed.at, text))),
            Err(odd) => Err(format!("`{}` of record `{object_id}` is `{text}`: {odd}", field.path)),
        },
        Err(error) => Err(cannot_read(field, object_id, &text, &error)),
    }
}

/// Characters of a date that cannot be read which are shown; whole texts may stand in the place of one.
const DATE_CHARS_SHOWN: usize = 60;

fn cannot_read(field: &DateField, object_id: &str, text: &str, error: &ParseError) -> String {
    let (shown, more) = match text.char_indices().nth(DATE_CHARS_SHOWN) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    };
    format!("cannot read `{}` of record `{object_id}`, which is `{shown}{more}`: {error}", field.path)
}

/// Whether the value at `deletedField` says that the record is gone. A date says so, as `deleted_at` does.
fn marks_deletion(raw: &str) -> bool {
    match scalar(raw) {
        None => false,
        Some(text) => !matches!(text.to_ascii_lowercase().as_str(), "" | "false" | "0" | "no" | "n" | "f"),
    }
}

fn kind_of(raw: &str) -> &'static str {
    match raw.trim_start().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') if raw.trim() == "\"\"" => "an empty text",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "nothing",
    }
}

/// The first member names of an object, for a message.
fn member_names(text: &str) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    if object.is_empty() {
        return Some("no members".into());
    }
    let mut names: Vec<String> = object.keys().take(6).map(|name| format!("`{name}`")).collect();
    if object.len() > names.len() {
        names.push("…".into());
    }
    Some(names.join(", "))
}
