//! What one polled resource is set to: the proof that a configuration was read and understood.
//!
//! These values exist only after [`crate::check`] found no fault, so nothing here is validated again. The names are
//! the mission's (`url`, `idField`, `datesConfiguration`, …) and, below them, ours (design section 4.15).
//!
//! Not here: reading JSON or YAML (`check`), the instance around it (`instance`), what a poll does with it (`poll`).

use std::time::Duration;

use crate::date::{DateFormat, Resolution};
use crate::json_path::JsonPath;
use crate::template::Template;

/// One polled resource of an instance.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The resource name; becomes `objectType` of its events.
    pub name: String,
    /// Where the records are read, absolute, with placeholders.
    pub url: Template,
    /// Where a record's id stands.
    pub id_field: JsonPath,
    /// Where the list stands in an answer; `None` when the answer itself is the list.
    pub list: Option<JsonPath>,
    /// The updated date, if configured.
    pub updated: Option<DateField>,
    /// The created date, if configured.
    pub created: Option<DateField>,
    /// Which value decides whether a record is new to us.
    pub compared: ComparedBy,
    /// Drop records dated after the start of the pass (they come with a later pass).
    pub filter_by_current_date: bool,
    /// Largest difference between created and updated that still means CREATED.
    pub created_check_tolerance: Duration,
    /// Records to ask for per page.
    pub page_size: u32,
    /// How long a record may take to become visible to a search.
    pub poll_delay: Duration,
    /// How far before the watermark every pass reads again.
    pub overlap: Duration,
    /// How pages follow each other.
    pub pagination: Pagination,
    /// What the first poll reports.
    pub start_from: StartFrom,
    /// Whether the filter includes its bound.
    pub bound: Bound,
    /// Resolution at which the provider evaluates its filter, when coarser than the format shows.
    pub filter_resolution: Option<Resolution>,
    /// The order that the provider promises.
    pub sort: Sort,
    /// What to do about lists that shift while they are read.
    pub drift: Drift,
    /// Whether the same date with another content is a change.
    pub same_timestamp_change: SameTimestampChange,
    /// Members that do not count as content.
    pub volatile_fields: Vec<JsonPath>,
    /// What a record without a readable compared date is worth.
    pub missing_date: MissingDate,
    /// What an unknown id created inside the window is called.
    pub created_in_window: CreatedInWindow,
    /// How deletions are found, if at all.
    pub sweep: Option<Sweep>,
    /// How a record that a notification of the provider named is looked at; without it the list is polled at once.
    pub webhook: Option<WebhookRead>,
    /// A member that marks a record as deleted.
    pub deleted_field: Option<JsonPath>,
    /// Whether to ask with `If-None-Match` and `If-Modified-Since`.
    pub conditional: bool,
    /// Whether ids that differ only in letter case are one record.
    pub case_insensitive_ids: bool,
    /// Whether the last body of every record is kept.
    pub keep_last: bool,
    /// Hash of everything that decides how content is compared (design section 4, `shape`).
    pub shape: u32,
}

/// A date member of a record and how to read it.
#[derive(Clone, Debug)]
pub struct DateField {
    /// Where it stands.
    pub path: JsonPath,
    /// How it is written.
    pub format: DateFormat,
}

/// The value that decides: "updated; created when `filterByUpdatedDate` is false; `cursorField`".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparedBy {
    /// The updated date, or the created date where a record has no updated date.
    Updated,
    /// The created date.
    Created,
    /// A whole number that only grows.
    Cursor(JsonPath),
    /// No date is configured: versions are told apart by content alone.
    Content,
}

impl ComparedBy {
    /// The kind of value by name, as a poller's state keeps it.
    pub fn name(&self) -> &'static str {
        match self {
            ComparedBy::Updated => "updated",
            ComparedBy::Created => "created",
            ComparedBy::Cursor(_) => "number",
            ComparedBy::Content => "content",
        }
    }
}

/// How the pages of a list follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pagination {
    /// The way to the next page.
    pub kind: PaginationKind,
    /// Parameter that takes the page size, if there is one.
    pub size_param: Option<String>,
    /// A flag in the answer that decides the end.
    pub more: Option<Place>,
}

/// The ways to a next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaginationKind {
    /// Nothing declared: `Link: rel=next` when present, else one page.
    Undeclared,
    /// One page.
    None,
    /// Pages counted by a parameter.
    Page {
        /// The parameter.
        param: String,
        /// The first page's number.
        start: u64,
    },
    /// Records skipped by a parameter.
    Offset {
        /// The parameter.
        param: String,
    },
    /// A token of the answer, sent back in a parameter. A token that is an object is merged into the query.
    Cursor {
        /// Where the token stands.
        token: Place,
        /// The parameter; needless when the token is an object.
        param: Option<String>,
    },
    /// `Link: <…>; rel=next`.
    Link,
    /// A URL in the answer.
    Next {
        /// Where the URL stands.
        url: Place,
    },
}

/// Where something stands in an answer: a member of the body, or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A member of the body.
    Body(JsonPath),
    /// A header, name in lower case.
    Header(String),
}

/// What the first poll reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFrom {
    /// Only what changes from now on.
    Now,
    /// Everything.
    Beginning,
    /// What changed since this instant.
    Instant(jiff::Timestamp),
}

/// Whether the provider's filter includes the bound that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Judged by the operator in the URL.
    Auto,
    /// It does.
    Inclusive,
    /// It does not.
    Exclusive,
}

/// The order that a provider promises, by the compared value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
    /// No promise.
    None,
}

/// What to do about lists that shift while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Overlap the pages, or read again until two reads agree.
    Verify,
    /// The provider's tokens are a snapshot or a key set: read once.
    Trust,
}

/// Whether the same compared value with another content is a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameTimestampChange {
    /// It is.
    Report,
    /// It is not.
    Ignore,
}

/// What a record without a readable compared date is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingDate {
    /// Report it once per content.
    Report,
    /// Leave it out and count it.
    Skip,
    /// Fail the pass.
    Fail,
}

/// What an unknown id that was created inside the window and updated since is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedInWindow {
    /// UPDATED, as the dates say.
    Updated,
    /// CREATED, because nobody heard of it before.
    Created,
}

/// How deletions without a trace are found: a periodic complete read, and a look at what it misses.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// How often.
    pub every: SweepEvery,
    /// Complete list; the resource's own URL when that has no placeholder.
    pub url: Template,
    /// Address of one record, absolute; [`crate::template::with_id`] fills in its `{id}`. Without it a third sweep
    /// confirms.
    pub read_url: Option<String>,
    /// Statuses of `read_url` that mean deleted.
    pub gone: Vec<u16>,
}

/// How a record that a notification of the provider named is looked at.
#[derive(Clone, Debug)]
pub struct WebhookRead {
    /// Address of one record, absolute; [`crate::template::with_id`] fills in its `{id}`. What it answers must be the
    /// record as the list shows it: another text is another version.
    pub read_url: String,
    /// Where the record stands in the answer; the answer itself when `None`.
    pub record: Option<JsonPath>,
    /// Statuses that mean deleted.
    pub gone: Vec<u16>,
}

/// How often a sweep is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepEvery {
    /// After this much time.
    Time(Duration),
    /// After this many polls.
    Polls(u32),
}

impl Resource {
    /// The delay within which a second look at a record may still be a stale replica's:
    /// `pollDelay + overlap` (design section 4, rule 6).
    pub fn settling(&self) -> Duration {
        self.poll_delay + self.overlap
    }

    /// Whether a number decides instead of a date.
    pub fn is_numbered(&self) -> bool {
        matches!(self.compared, ComparedBy::Cursor(_))
    }

    /// The format of the compared field, when it is a date.
    pub fn compared_format(&self) -> Option<&DateFormat> {
        match self.compared {
            ComparedBy::Updated => self.updated.as_ref().or(self.created.as_ref()).map(|field| &field.format),
            ComparedBy::Created => self.created.as_ref().map(|field| &field.format),
            ComparedBy::Cursor(_) | ComparedBy::Content => None,
        }
    }
}
