//! What is remembered of the records already seen: one [`Entry`] per record, which is also the row of its last version,
//! and the [`Version`]s in the window that were replaced.
//!
//! The ledger is why too much reading is harmless: a version that stands here is not reported again. It also carries
//! what event ids are derived from (incarnation, sequence, recurrence), so that a restored backup recomputes the same
//! ids.
//!
//! Not here: who may write it (the lease's holder, checked by the store), what a difference means ([`crate::change`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::json_hash::ContentHash;

/// A compared value as a number: microseconds since 1970 for dates, the number itself for `cursorField`.
pub type Compared = i64;

/// One known record of a poller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Canonical id: the provider's text (lower-cased where `caseInsensitiveIds` says so).
    pub id: String,
    /// How often this id was born; starts at 1, grows when a deleted id returns.
    pub incarnation: u32,
    /// Events recorded of this id so far.
    pub sequence: u64,
    /// The compared value of the last version, as the provider wrote it.
    pub compared_text: String,
    /// The same as a number; `None` where the record carries no readable value.
    pub compared: Option<Compared>,
    /// Content of the last version.
    pub hash: ContentHash,
    /// What `hash` was computed under; another shape re-bases silently.
    pub shape: u32,
    /// How often a version of this record returned after another one.
    pub recurrence: u32,
    /// Our clock when the last version was first read.
    pub first_read_at: Timestamp,
    /// The last sweep that saw this record (or that was running or done when it was first seen).
    pub last_sweep: u64,
    /// When it was reported as DELETED.
    pub deleted_at: Option<Timestamp>,
    /// The last body, where `keepLast` asks for it.
    pub last_body: Option<String>,
}

impl Entry {
    /// The last version.
    pub fn version(&self) -> Version {
        Version { id: self.id.clone(), compared: self.compared, hash: self.hash }
    }
}

/// One version of a record that was reported, or silently taken as known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Canonical id.
    pub id: String,
    /// Compared value.
    pub compared: Option<Compared>,
    /// Content.
    pub hash: ContentHash,
}

/// What a run wants to know of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// For each version, in this order: the record's entry, and whether the version is known.
    Versions(Vec<Version>),
    /// Entries alive that no sweep has seen since `last_sweep_below`, in id order after `after`, with the totals.
    Missing {
        /// Entries whose `last_sweep` is smaller than this.
        last_sweep_below: u64,
        /// Continue after this id.
        after: Option<String>,
        /// At most so many.
        limit: u32,
    },
}

/// What the ledger knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Answers [`Recall::Versions`], in its order.
    Versions(Vec<KnownVersion>),
    /// Answers [`Recall::Missing`].
    Missing {
        /// The next entries.
        entries: Vec<Entry>,
        /// How many match in all, not only after `after`.
        missing: u64,
        /// How many entries are alive in all.
        alive: u64,
    },
}

/// What is known of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownVersion {
    /// The record's entry, if its id is known.
    pub entry: Option<Entry>,
    /// Whether this very version is known: it is the entry's last one, or stands in the window.
    pub version: bool,
    /// When a notification of the provider last named the record, if one did lately.
    pub announced_at: Option<Timestamp>,
}

/// Counts of what a run decided, by name of the verdict or the reason for ignoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Pages fetched.
    pub pages: u64,
    /// Records read, repeats included.
    pub records: u64,
    /// CREATED events.
    pub created: u64,
    /// UPDATED events.
    pub updated: u64,
    /// DELETED events.
    pub deleted: u64,
    /// Versions taken as known without an event: the baseline, and re-based content.
    pub seeded: u64,
    /// Ignored: this version is in the ledger.
    pub reported: u64,
    /// Ignored: older than the rendered lower bound.
    pub before_window: u64,
    /// Ignored: older than, or replaced by, the last reported version, and read soon after it.
    pub superseded: u64,
    /// Ignored: no id, or unreadable.
    pub quarantined: u64,
    /// Ignored by configuration.
    pub filtered: u64,
    /// Events of records that a notification of the provider had named.
    #[serde(skip_serializing_if = "is_zero")]
    pub announced: u64,
    /// Events that a poll found and no notification of the provider had named, where it is to notify.
    #[serde(skip_serializing_if = "is_zero")]
    pub unannounced: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Counts {
    /// Events of all kinds.
    pub fn events(&self) -> u64 {
        self.created + self.updated + self.deleted
    }

    /// Records that led to nothing, for any reason.
    pub fn ignored(&self) -> u64 {
        self.reported + self.before_window + self.superseded + self.quarantined + self.filtered
    }
}
